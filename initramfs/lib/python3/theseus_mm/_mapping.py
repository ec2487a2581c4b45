# SPDX-License-Identifier: GPL-2.0
"""Mappings: pages together with the frames behind them."""

import ctypes
import weakref
from typing import TYPE_CHECKING, Any, Optional

from ._descriptor import Descriptor, DmaBuf
from ._library import (
    Bytes, StructExportOptions, StructMappingInfo, StructParts, StructRevocation, call,
)
from ._object import Object
from ._types import Flags, MappingInfo, Revocation, result_of, to_u64
from ._window import Window, check_part, make_window

if TYPE_CHECKING:
    from ._client import Client
    from ._memory import Frames, Pages


class Mapping(Object):
    """Pages together with the frames behind them; Client.create() makes a mapping.

    read() and write() copy; mmap() makes the memory a buffer. split(), take_apart() and
    export() consume the mapping. All calls on a consumed mapping fail with ENOENT.

    Offsets and sizes are in bytes.
    """

    _noun = "mapping"

    def __init__(self, client: "Client", pointer: int) -> None:
        super().__init__(client, pointer)
        self._windows: "weakref.WeakSet[Window]" = weakref.WeakSet()

    def query(self) -> MappingInfo:
        """Return the properties of the mapping.

        Call: tmm_mapping_query
        """
        info = StructMappingInfo()
        with self._borrow("query") as pointer:
            call("tmm_mapping_query", pointer, ctypes.byref(info))
        return result_of(MappingInfo, info)

    def read(self, offset: int = 0, nr_bytes: Optional[int] = None) -> bytes:
        """Copy out of the mapping.

        nr_bytes: number of bytes, 0 or more; None means up to the end

        Errors: OSError with ERANGE if not all bytes are in the mapping: then nothing is copied;
        EBUSY while the mapping has a window with PROT_WRITE; EIO if the memory fails; ENODEV if
        the device of the memory was removed

        Call: tmm_mapping_read
        """
        buffer = bytearray(max(0, self.nr_bytes - offset) if nr_bytes is None else nr_bytes)
        self.readinto(buffer, offset)
        return bytes(buffer)

    def readinto(self, buffer: Any, offset: int = 0) -> None:
        """Fill a buffer from the mapping.

        buffer: a contiguous, writable buffer, such as a bytearray or an array; not a window of
        this mapping

        Errors: as read(). With EFAULT, EIO and ENODEV, a part may have been copied

        Call: tmm_mapping_read
        """
        with self._borrow("read") as pointer, Bytes(buffer, is_writable=True) as memory:
            call("tmm_mapping_read", pointer, to_u64("offset", offset), memory.address,
                 memory.length)

    def write(self, data: Any, offset: int = 0) -> None:
        """Copy into the mapping.

        data: bytes, or any object whose buffer is contiguous; not a window of this mapping

        Errors: OSError with EACCES if the mapping is not writable; ERANGE if not all bytes fit:
        then nothing is copied; EBUSY while the mapping is borrowed. With EFAULT, EIO and ENODEV,
        a part may have been copied

        Call: tmm_mapping_write
        """
        with self._borrow("write") as pointer, Bytes(data) as memory:
            call("tmm_mapping_write", pointer, to_u64("offset", offset), memory.address,
                 memory.length)

    def mmap(self, offset: int = 0, nr_bytes: Optional[int] = None, *,
             writable: bool = False, populate: bool = False) -> Window:
        """Make a window: a part of the mapping as memory of this process.

        offset: bytes from the start of the mapping, a multiple of PAGE_SIZE
        nr_bytes: size of the window in bytes, more than 0; None means up to the end
        writable: the window excludes all other windows, reads and writes, unless the mapping
            is shareable. Without writable, there may be any number of windows and reads
        populate: take all page faults now

        While a window exists, the mapping can be neither changed nor dropped. Before Python
        3.13, each window also keeps a lending descriptor, which counts as an object.

        Errors: OSError with EBUSY; EACCES if the mapping is not writable; ERANGE if the part is
        not within the mapping; EINVAL; EMFILE; ENFILE; EDQUOT; EOPNOTSUPP for write-back device
        memory; ENODEV if the device was removed

        Call: tmm_mapping_lend, mmap(2)
        """
        with self.lend() as descriptor:
            nr_bytes = check_part("Mapping.mmap", self.nr_bytes, offset, nr_bytes)
            window = make_window(descriptor.fileno(), offset, nr_bytes, writable, populate, self)
        self._windows.add(window)
        return window

    def map_offset(self) -> int:
        """Return the offset of the mapping in Client.fileno(), for an mmap(2) of your own.

        Errors: OSError with EDQUOT or ENFILE at the first call

        Call: tmm_mapping_map_offset
        """
        offset = ctypes.c_uint64()
        with self._borrow("map_offset") as pointer:
            call("tmm_mapping_map_offset", pointer, ctypes.byref(offset))
        return offset.value

    def revoke(self) -> Revocation:
        """End all windows of the mapping, in every process.

        After that, touching such a window raises SIGBUS, which ends Python; see Window.

        Call: tmm_mapping_revoke
        """
        revocation = StructRevocation()
        with self._borrow("revoke") as pointer:
            call("tmm_mapping_revoke", pointer, ctypes.byref(revocation))
        return result_of(Revocation, revocation)

    def share(self, is_shareable: bool = True) -> None:
        """Allow several writers at the same time, or only one again.

        The users of a shareable mapping have to synchronise their writes.

        Errors: OSError with EBUSY while the mapping is borrowed

        Call: tmm_mapping_share
        """
        with self._borrow("share") as pointer:
            call("tmm_mapping_share", pointer, is_shareable)

    def remap(self, flags: Flags) -> None:
        """Change the flags of the mapping.

        Errors: OSError with EBUSY while the mapping is borrowed; EACCES for WRITABLE on a mapping
        that was exported read-only; EINVAL, EOPNOTSUPP

        Call: tmm_mapping_remap
        """
        with self._borrow("remap") as pointer:
            call("tmm_mapping_remap", pointer, to_u64("flags", flags))

    def split(self, offset: int) -> "tuple[Mapping, Mapping]":
        """Split the mapping in two, and consume it.

        offset: bytes before the second part; a multiple of PAGE_SIZE, more than 0 and less than
        the size

        Errors: OSError with EBUSY while the mapping is borrowed; EINVAL, ENOSPC, EDQUOT

        Call: tmm_mapping_split
        """
        first, second = ctypes.c_void_p(), ctypes.c_void_p()
        with self._take("split") as cell:
            call("tmm_mapping_split", ctypes.byref(cell), to_u64("offset", offset),
                 ctypes.byref(first), ctypes.byref(second))
        return Mapping(self._client, first.value or 0), Mapping(self._client, second.value or 0)

    def merge(self, following: "Mapping") -> None:
        """Grow by the mapping directly after this one, and consume that mapping.

        Errors: OSError with EDOM if `following` does not follow; EMEDIUMTYPE if the flags
        differ; EXDEV; EBUSY

        Call: tmm_mapping_merge
        """
        with self._take("merge") as mine, following._take("merge") as theirs:
            call("tmm_mapping_merge", mine, ctypes.byref(theirs))

    def take_apart(self) -> "tuple[Pages, list[Frames]]":
        """Take the mapping apart, and consume it: its pages, and its runs of frames in order.

        Errors: OSError with EBUSY while the mapping is borrowed; EACCES if it was exported
        read-only; EDQUOT

        Call: tmm_mapping_unmap_into_parts, tmm_parts_drop
        """
        from ._memory import Frames, Pages

        parts = StructParts()
        with self._take("unmap_into_parts") as cell:
            call("tmm_mapping_unmap_into_parts", ctypes.byref(cell), ctypes.byref(parts))
        pages = Pages(self._client, parts.pages or 0)
        frames = [Frames(self._client, parts.frames[i] or 0) for i in range(parts.nr_frames)]
        # The parts have moved; this frees the array.
        parts.pages = None
        for i in range(parts.nr_frames):
            parts.frames[i] = None
        call("tmm_parts_drop", ctypes.byref(parts))
        return pages, frames

    def export(self, *, read_only: bool = False) -> Descriptor:
        """Turn the mapping into a descriptor that owns it, and consume the mapping.

        read_only: no receiver can ever write, not even after an import

        Errors: OSError with EBUSY while the mapping is borrowed; EMFILE, ENFILE

        Call: tmm_mapping_export_as
        """
        options = StructExportOptions(is_read_only=read_only)
        number = ctypes.c_uint32()
        with self._take("export_as") as cell:
            descriptor = call("tmm_mapping_export_as", ctypes.byref(cell), ctypes.byref(options),
                              ctypes.byref(number))
        return Descriptor(descriptor, number.value)

    def lend(self, *, read_only: bool = False) -> Descriptor:
        """Make a descriptor for windows only; the client keeps the mapping.

        read_only: the receivers' windows are read-only

        The descriptor becomes stale (ESTALE) when the mapping is revoked, merged or consumed, and
        when the client ends. An import of the descriptor fails with EACCES.

        Errors: OSError with EMFILE, ENFILE, EDQUOT

        Call: tmm_mapping_lend
        """
        options = StructExportOptions(is_read_only=read_only)
        with self._borrow("lend") as pointer:
            return Descriptor(call("tmm_mapping_lend", pointer, ctypes.byref(options)))

    def export_dmabuf(self) -> DmaBuf:
        """Make a dma-buf of the mapping, for devices; the client keeps the mapping.

        Errors: OSError with EOPNOTSUPP without Feature.DMABUF; EBUSY if the mapping has a borrow
        that excludes the dma-buf's; EIO if some of the memory fails; EMFILE, ENFILE, EDQUOT

        Call: tmm_mapping_export_dmabuf
        """
        with self._borrow("export_dmabuf") as pointer:
            return DmaBuf(call("tmm_mapping_export_dmabuf", pointer))

    def close(self) -> None:
        """Close the mapping's windows in this process, then drop the mapping.

        Does nothing if the mapping is consumed.

        Errors: BufferError while a memoryview or an array refers to a window: the mapping and
        that window stay; OSError with EBUSY while others borrow the mapping

        Call: tmm_mapping_drop
        """
        for window in list(self._windows):
            window.close()
            self._windows.discard(window)
        super().close()
