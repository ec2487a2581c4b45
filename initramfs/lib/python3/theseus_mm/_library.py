# SPDX-License-Identifier: GPL-2.0
"""libtmm through ctypes: structures, prototypes, and errors as OSError.

The structures and prototypes are those of tmm.h. A test compares them with the header and
with the library's list of functions.
"""

import ctypes
import errno
import os
from ctypes import (
    POINTER, c_bool, c_char, c_char_p, c_int, c_int32, c_size_t, c_uint, c_uint8, c_uint32,
    c_uint64, c_void_p,
)
from typing import Any, Optional

LIBRARY = "libtmm.so.0"


class StructInfo(ctypes.Structure):
    _fields_ = [
        ("abi", c_uint32), ("nr_regions", c_uint32), ("features", c_uint64),
        ("region_bytes", c_uint64), ("frames_total", c_uint64), ("frames_free", c_uint64),
        ("frames_ranges", c_uint64), ("frames_largest", c_uint64 * 3),
        ("pages_start", c_uint64), ("pages_total", c_uint64), ("pages_free", c_uint64),
        ("nr_mappings", c_uint64), ("nr_tables", c_uint64), ("paging_levels", c_uint32),
        ("client_handles", c_uint32), ("client_handles_max", c_uint32), ("client_id", c_uint32),
        ("client_frames", c_uint64), ("nr_clients", c_uint32), ("reserved1", c_uint32),
        ("frames_bad", c_uint64), ("reserved", c_uint64 * 15),
    ]


class StructRegion(ctypes.Structure):
    _fields_ = [("start", c_uint64), ("nr_bytes", c_uint64), ("reserved", c_uint64 * 2)]


class StructBucket(ctypes.Structure):
    _fields_ = [
        ("free", c_uint32), ("allocated", c_uint32), ("mapped", c_uint32), ("tables", c_uint32),
        ("metadata", c_uint32), ("bad", c_uint32),
    ]


class StructOccupancy(ctypes.Structure):
    _fields_ = [
        ("buckets", POINTER(StructBucket)), ("owners", POINTER(c_uint32)), ("nr", c_uint32),
        ("reserved1", c_uint32), ("bucket_bytes", c_uint64), ("reserved", c_uint64 * 4),
    ]


class StructClientEntry(ctypes.Structure):
    _fields_ = [
        ("id", c_uint32), ("uid", c_uint32), ("pid", c_int32), ("nr_handles", c_uint32),
        ("nr_mappings", c_uint32), ("nr_exported", c_uint32), ("nr_frames", c_uint64),
        ("comm", c_char * 16), ("reserved", c_uint64 * 4),
    ]


class StructClients(ctypes.Structure):
    _fields_ = [
        ("entries", POINTER(StructClientEntry)), ("nr", c_uint32), ("nr_hidden", c_uint32),
        ("hidden_frames", c_uint64), ("orphan_frames", c_uint64), ("reserved", c_uint64 * 3),
    ]


class StructHandleEntry(ctypes.Structure):
    _fields_ = [
        ("handle", c_uint32), ("export_id", c_uint32), ("kind", c_int),
        ("nr_frame_ranges", c_uint32), ("nr_borrows", c_uint32), ("attributes", c_uint32),
        ("address", c_uint64), ("nr_bytes", c_uint64), ("flags", c_uint64),
        ("is_exclusive", c_bool), ("reserved1", c_uint8 * 7), ("reserved", c_uint64 * 4),
    ]


class StructHandles(ctypes.Structure):
    _fields_ = [
        ("entries", POINTER(StructHandleEntry)), ("nr", c_uint32), ("reserved1", c_uint32),
        ("reserved", c_uint64 * 4),
    ]


class StructLimits(ctypes.Structure):
    _fields_ = [
        ("client_frames_max", c_uint64), ("client_pages_max", c_uint64),
        ("client_handles_max", c_uint64), ("client_frames", c_uint64),
        ("client_pages", c_uint64), ("client_handles", c_uint64), ("user_frames_max", c_uint64),
        ("user_pages_max", c_uint64), ("user_handles_max", c_uint64), ("user_frames", c_uint64),
        ("user_pages", c_uint64), ("user_handles", c_uint64), ("reserved", c_uint64 * 8),
    ]


class StructTranslation(ctypes.Structure):
    _fields_ = [
        ("paddr", c_uint64), ("flags", c_uint64), ("page_size", c_uint64),
        ("is_exclusive", c_bool), ("reserved1", c_uint8 * 7), ("reserved", c_uint64 * 4),
    ]


class StructWalk(ctypes.Structure):
    _fields_ = [
        ("nr_levels", c_uint32), ("reserved1", c_uint32), ("entries", c_uint64 * 5),
        ("reserved", c_uint64 * 4),
    ]


class StructAllocateOptions(ctypes.Structure):
    _fields_ = [
        ("nr_pages", c_uint64), ("nr_bytes", c_uint64), ("place", c_int),
        ("reserved1", c_uint32), ("align", c_uint64), ("at", c_uint64), ("min", c_uint64),
        ("max", c_uint64), ("reserved", c_uint64 * 4),
    ]


class StructCreateOptions(ctypes.Structure):
    _fields_ = [
        ("is_contiguous", c_bool), ("is_identity", c_bool), ("reserved1", c_uint8 * 6),
        ("leaf_size", c_uint64), ("align", c_uint64), ("reserved", c_uint64 * 5),
    ]


class StructCreateItem(ctypes.Structure):
    _fields_ = [
        ("nr_bytes", c_uint64), ("flags", c_uint64), ("is_contiguous", c_bool),
        ("reserved1", c_uint8 * 3), ("error", c_int32), ("leaf_size", c_uint64),
        ("align", c_uint64), ("reserved", c_uint64 * 3),
    ]


class StructMappingInfo(ctypes.Structure):
    _fields_ = [
        ("flags", c_uint64), ("nr_frame_ranges", c_uint32), ("nr_borrows", c_uint32),
        ("is_exclusive", c_bool), ("is_shareable", c_bool), ("is_pinned", c_bool),
        ("is_read_only", c_bool), ("is_lent", c_bool), ("is_bad", c_bool),
        ("reserved1", c_uint8 * 2), ("address", c_uint64), ("nr_bytes", c_uint64),
        ("reserved", c_uint64 * 8),
    ]


class StructRevocation(ctypes.Structure):
    _fields_ = [
        ("nr_revoked", c_uint32), ("nr_pinned", c_uint32), ("reserved", c_uint64 * 3),
    ]


class StructParts(ctypes.Structure):
    _fields_ = [("pages", c_void_p), ("frames", POINTER(c_void_p)), ("nr_frames", c_uint32)]


class StructExportOptions(ctypes.Structure):
    _fields_ = [
        ("is_read_only", c_bool), ("reserved1", c_uint8 * 7), ("reserved", c_uint64 * 3),
    ]


# The structures by their names in tmm.h.
STRUCTURES: dict[str, type[ctypes.Structure]] = {
    "tmm_info": StructInfo, "tmm_region": StructRegion, "tmm_bucket": StructBucket,
    "tmm_occupancy": StructOccupancy, "tmm_client_entry": StructClientEntry,
    "tmm_clients": StructClients, "tmm_handle_entry": StructHandleEntry,
    "tmm_handles": StructHandles, "tmm_limits": StructLimits,
    "tmm_translation": StructTranslation, "tmm_walk": StructWalk,
    "tmm_allocate_options": StructAllocateOptions, "tmm_create_options": StructCreateOptions,
    "tmm_create_item": StructCreateItem, "tmm_mapping_info": StructMappingInfo,
    "tmm_revocation": StructRevocation, "tmm_parts": StructParts,
    "tmm_export_options": StructExportOptions,
}

# An object of the library is an opaque pointer; a call that consumes it takes its address.
_Pointer = c_void_p
_Cell = POINTER(c_void_p)

# name: (type of the result, types of the arguments)
PROTOTYPES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "tmm_client_open": (_Pointer, (c_char_p,)),
    "tmm_client_from_fd": (_Pointer, (POINTER(c_int),)),
    "tmm_client_close": (None, (_Cell,)),
    "tmm_client_fd": (c_int, (_Pointer,)),
    "tmm_client_info": (c_int, (_Pointer, POINTER(StructInfo))),
    "tmm_client_region": (c_int, (_Pointer, c_uint32, POINTER(StructRegion))),
    "tmm_client_occupancy": (c_int, (_Pointer, c_uint32, c_uint64, POINTER(StructOccupancy))),
    "tmm_occupancy_free": (None, (POINTER(StructOccupancy),)),
    "tmm_client_list": (c_int, (_Pointer, POINTER(StructClients))),
    "tmm_clients_free": (None, (POINTER(StructClients),)),
    "tmm_client_list_handles": (c_int, (_Pointer, POINTER(StructHandles))),
    "tmm_handles_free": (None, (POINTER(StructHandles),)),
    "tmm_client_limits": (c_int, (_Pointer, POINTER(StructLimits))),
    "tmm_client_set_limits": (c_int, (_Pointer, c_uint, POINTER(StructLimits))),
    "tmm_client_wait": (c_int, (_Pointer, c_int)),
    "tmm_client_translate": (c_int, (_Pointer, c_uint64, POINTER(StructTranslation))),
    "tmm_client_dump_pte": (c_int, (_Pointer, c_uint64, POINTER(StructWalk))),
    "tmm_client_add_device_region": (c_int, (_Pointer, c_uint64, c_uint64, c_int)),
    "tmm_client_remove_device_region": (c_int, (_Pointer, c_uint64, c_uint64)),
    "tmm_pages_allocate": (_Pointer, (_Pointer, POINTER(StructAllocateOptions))),
    "tmm_frames_allocate": (_Pointer, (_Pointer, POINTER(StructAllocateOptions))),
    "tmm_pages_address": (c_uint64, (_Pointer,)),
    "tmm_frames_address": (c_uint64, (_Pointer,)),
    "tmm_pages_size": (c_uint64, (_Pointer,)),
    "tmm_frames_size": (c_uint64, (_Pointer,)),
    "tmm_pages_handle": (c_uint32, (_Pointer,)),
    "tmm_frames_handle": (c_uint32, (_Pointer,)),
    "tmm_pages_split": (c_int, (_Cell, c_uint64, _Cell, _Cell)),
    "tmm_frames_split": (c_int, (_Cell, c_uint64, _Cell, _Cell)),
    "tmm_pages_merge": (c_int, (_Pointer, _Cell)),
    "tmm_frames_merge": (c_int, (_Pointer, _Cell)),
    "tmm_pages_map": (_Pointer, (_Cell, c_uint64)),
    "tmm_pages_map_to": (_Pointer, (_Cell, _Cell, c_uint64)),
    "tmm_pages_drop": (c_int, (_Cell,)),
    "tmm_frames_drop": (c_int, (_Cell,)),
    "tmm_mapping_create": (_Pointer, (_Pointer, c_uint64, c_uint64,
                                      POINTER(StructCreateOptions))),
    "tmm_mapping_create_many": (c_int, (_Pointer, POINTER(StructCreateItem), _Cell, c_uint32,
                                        c_uint32)),
    "tmm_mapping_drop_many": (c_int, (_Cell, POINTER(c_int), c_uint32, c_uint32)),
    "tmm_mapping_map_frame_range": (_Pointer, (_Pointer, c_uint64, c_uint64, c_uint64)),
    "tmm_mapping_address": (c_uint64, (_Pointer,)),
    "tmm_mapping_size": (c_uint64, (_Pointer,)),
    "tmm_mapping_handle": (c_uint32, (_Pointer,)),
    "tmm_mapping_query": (c_int, (_Pointer, POINTER(StructMappingInfo))),
    "tmm_mapping_read": (c_int, (_Pointer, c_uint64, c_void_p, c_size_t)),
    "tmm_mapping_write": (c_int, (_Pointer, c_uint64, c_void_p, c_size_t)),
    "tmm_mapping_mmap": (c_void_p, (_Pointer, c_uint64, c_size_t, c_int)),
    "tmm_mapping_prefault": (c_int, (c_void_p, c_size_t)),
    "tmm_mapping_munmap": (c_int, (c_void_p, c_size_t)),
    "tmm_mapping_map_offset": (c_int, (_Pointer, POINTER(c_uint64))),
    "tmm_mapping_revoke": (c_int, (_Pointer, POINTER(StructRevocation))),
    "tmm_mapping_share": (c_int, (_Pointer, c_bool)),
    "tmm_mapping_remap": (c_int, (_Pointer, c_uint64)),
    "tmm_mapping_split": (c_int, (_Cell, c_uint64, _Cell, _Cell)),
    "tmm_mapping_merge": (c_int, (_Pointer, _Cell)),
    "tmm_mapping_unmap_into_parts": (c_int, (_Cell, POINTER(StructParts))),
    "tmm_parts_drop": (c_int, (POINTER(StructParts),)),
    "tmm_mapping_unmap_into": (c_int, (_Cell, _Cell, _Cell, POINTER(c_uint32))),
    "tmm_mapping_drop": (c_int, (_Cell,)),
    "tmm_mapping_export": (c_int, (_Cell,)),
    "tmm_mapping_export_as": (c_int, (_Cell, POINTER(StructExportOptions), POINTER(c_uint32))),
    "tmm_mapping_lend": (c_int, (_Pointer, POINTER(StructExportOptions))),
    "tmm_mapping_take_back": (_Pointer, (_Pointer, c_uint32)),
    "tmm_mapping_import": (_Pointer, (_Pointer, POINTER(c_int))),
    "tmm_mapping_export_dmabuf": (c_int, (_Pointer,)),
    "tmm_fd_query": (c_int, (c_int, POINTER(StructMappingInfo))),
    "tmm_fd_revoke": (c_int, (c_int, POINTER(StructRevocation))),
    "tmm_fd_send": (c_int, (c_int, c_int)),
    "tmm_fd_receive": (c_int, (c_int,)),
}

# The meaning of the errors whose usual text says too little here.
_MEANINGS = {
    errno.EBADF: "the client or the descriptor is closed, or was opened read-only",
    errno.ENOTTY: "the descriptor is not of the device, or the module is too old for this call",
    errno.ENOENT: "the object is consumed, or another call is using it, or nothing is there",
    errno.EXDEV: "the objects belong to different clients",
    errno.ENOSPC: "nothing large enough is free in the region",
    errno.EADDRINUSE: "the requested address is owned",
    errno.EADDRNOTAVAIL: "the requested address is free, but not all of the range",
    errno.ERANGE: "the range is outside every region, or outside the mapping",
    errno.EOVERFLOW: "start + length overflows",
    errno.EACCES: "the flags of the mapping or the rights of the descriptor do not allow this",
    errno.EBUSY: "the mapping is borrowed: close its windows, dma-bufs and calls first",
    errno.ESTALE: "the descriptor is stale: its mapping was imported, taken back or revoked",
    errno.EPERM: "a capability is missing",
    errno.EDOM: "the two objects do not touch, or are in the wrong order",
    errno.EMEDIUMTYPE: "the flags or the kinds of memory differ",
    errno.EDQUOT: "a limit of the client or of its user is reached",
    errno.ECANCELED: "the item was undone, because another item failed",
    errno.ENODEV: "the device that the memory belongs to was removed",
    errno.EIO: "the memory fails",
    errno.ETIMEDOUT: "no memory became free in the given time",
    errno.EOPNOTSUPP: "this is well-formed, but not possible here",
}

# These calls open or use other files, where the kernel's own text is right.
_OTHER_FILES = ("tmm_client_open", "tmm_fd_send", "tmm_fd_receive")


def error_of(call: str, number: int) -> OSError:
    """Return the OSError of a library call that failed with this errno."""
    meaning = os.strerror(number)
    if call == "tmm_client_open" and number == errno.ENOENT:
        meaning += ": is the module theseus_mm loaded?"
    elif call == "tmm_client_open" and number == errno.EACCES:
        meaning += ": may this user open the device?"
    elif call not in _OTHER_FILES and number in _MEANINGS:
        meaning = _MEANINGS[number]
    # Python calls EOPNOTSUPP by its other name
    name = "EOPNOTSUPP" if number == errno.EOPNOTSUPP else errno.errorcode.get(number, "?")
    return OSError(number, f"{call}: {meaning} ({name})")


def _load() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(LIBRARY, use_errno=True)
    except OSError as error:
        raise ImportError(f"{LIBRARY} cannot be loaded ({error}): install the package libtmm0, "
                          "or set LD_LIBRARY_PATH to the folder of the library") from error
    for name, (result, arguments) in PROTOTYPES.items():
        try:
            function = getattr(library, name)
        except AttributeError as error:
            raise ImportError(f"{LIBRARY} has no {name}(): the library is older than this "
                              "module, install the same version of both") from error
        function.restype = result
        function.argtypes = arguments
    return library


LIB = _load()


def call(name: str, *arguments: Any) -> int:
    """Make a library call that returns -1 or NULL on failure, which becomes an OSError."""
    ctypes.set_errno(0)
    result: Optional[int] = getattr(LIB, name)(*arguments)
    if result is None or (result == -1 and PROTOTYPES[name][0] is c_int):
        raise error_of(name, ctypes.get_errno())
    return result


class PyBuffer(ctypes.Structure):
    """Py_buffer, which is part of Python's stable ABI since 3.11."""

    _fields_ = [
        ("buf", c_void_p), ("obj", c_void_p), ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t), ("readonly", c_int), ("ndim", c_int),
        ("format", c_char_p), ("shape", c_void_p), ("strides", c_void_p),
        ("suboffsets", c_void_p), ("internal", c_void_p),
    ]


_get_buffer = ctypes.pythonapi.PyObject_GetBuffer
_get_buffer.restype = c_int
_get_buffer.argtypes = (ctypes.py_object, POINTER(PyBuffer), c_int)
_release_buffer = ctypes.pythonapi.PyBuffer_Release
_release_buffer.restype = None
_release_buffer.argtypes = (POINTER(PyBuffer),)


class Bytes:
    """The address and length of an object's buffer, which stays where it is until the end."""

    _PYBUF_WRITABLE = 1

    def __init__(self, owner: Any, is_writable: bool = False) -> None:
        self._view = PyBuffer()
        _get_buffer(owner, ctypes.byref(self._view), self._PYBUF_WRITABLE if is_writable else 0)
        self.address: int = self._view.buf or 0
        self.length: int = self._view.len

    def __enter__(self) -> "Bytes":
        return self

    def __exit__(self, *_: object) -> None:
        _release_buffer(ctypes.byref(self._view))
