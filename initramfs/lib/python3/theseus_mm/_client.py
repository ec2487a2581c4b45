# SPDX-License-Identifier: GPL-2.0
"""Clients, which own objects."""

import ctypes
import errno
import os
import sys
import time
import weakref
from typing import Iterable, Optional, Self, Sequence, Union

from . import _object
from ._descriptor import Descriptor
from ._library import (
    LIB, StructClients, StructCreateItem, StructCreateOptions, StructHandles, StructInfo,
    StructLimits, StructOccupancy, StructRegion, StructTranslation, StructWalk, call, error_of,
)
from ._mapping import Mapping
from ._memory import Frames, Pages, allocate_options
from ._object import Object, Owned
from ._types import (
    DATA, MAX_MANY, Bucket, ClientEntry, Clients, CreateItem, Flags, HandleEntry, Info, Limits,
    Memory, Occupancy, Region, Translation, path_bytes, result_of, to_u32, to_u64,
)
from ._window import settle_windows

_ALL_OR_NOTHING = 1
_LIMIT_FRAMES, _LIMIT_PAGES, _LIMIT_HANDLES = 1, 2, 4

_clients: "weakref.WeakSet[Client]" = weakref.WeakSet()


class Client(Owned):
    """A client of the device: the owner of pages, frames and mappings.

    path: the device; None means DEVICE

    A client is a context manager, which closes the client at its end. When the client is closed
    or collected, or its process ends, the kernel takes back all that the client owns. Memory that
    still has windows goes back with the last window.

    Several threads may use one client.

    Errors: OSError: those of open(2), such as EACCES, and ENOENT if the module is not loaded

    Call: tmm_client_open
    """

    def __init__(self, path: Optional[str] = None) -> None:
        self._begin(call("tmm_client_open", path_bytes(path)))

    def _begin(self, pointer: int) -> None:
        super().__init__(pointer)
        self._left_behind: list[tuple[str, int]] = []
        _clients.add(self)

    @classmethod
    def from_fd(cls, descriptor: int) -> Self:
        """Become a client by an open descriptor of the device, and consume the descriptor.

        Errors: OSError with ENOTTY if the descriptor is of another file: the caller keeps it

        Call: tmm_client_from_fd
        """
        client = cls.__new__(cls)
        client._begin(call("tmm_client_from_fd", ctypes.byref(ctypes.c_int(descriptor))))
        return client

    def close(self) -> None:
        """Stop being a client. Does nothing if the client is closed.

        Objects of the client may outlive it, but all calls on them fail with EBADF.

        Errors: OSError with EBUSY while another thread is in a call of the client

        Call: tmm_client_close
        """
        if self._pointer is None:
            return
        with self._consume("tmm_client_close", errno.EBADF) as cell:
            call_close(cell)
        for name, pointer in self._left_behind:
            call(name, ctypes.byref(ctypes.c_void_p(pointer)))
        self._left_behind.clear()

    @property
    def closed(self) -> bool:
        """True after close()."""
        return self._pointer is None

    def fileno(self) -> int:
        """The client's descriptor, for select.poll() and mmap.mmap(). Do not close it.

        Errors: ValueError after close()

        Call: tmm_client_fd
        """
        if self._pointer is None:
            raise ValueError("the client is closed")
        return call("tmm_client_fd", self._pointer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            self.close()
        except OSError:
            # Another thread is in a call. The exception that ends the block says more.
            if kind is None:
                raise

    def __del__(self) -> None:
        if getattr(self, "_pointer", None) is not None and not sys.is_finalizing():
            self.close()

    def __repr__(self) -> str:
        return f"<theseus_mm.Client {'(closed)' if self.closed else self.fileno()}>"

    def _leave_behind(self, thing: Object) -> None:
        """Keep an object that cannot be dropped until the client is closed."""
        if thing._pointer is None:
            return
        if self._pointer is not None:
            self._left_behind.append((thing._name("drop"), thing._pointer))
        thing._pointer = None

    # --- looking -------------------------------------------------------------------------

    def info(self) -> Info:
        """Return features, counts and limits.

        Call: tmm_client_info
        """
        info = StructInfo()
        with self._use("tmm_client_info", errno.EBADF) as pointer:
            call("tmm_client_info", pointer, ctypes.byref(info))
        return result_of(Info, info)

    def region(self, index: int) -> Region:
        """Return the place and size of a region.

        index: 0 to Info.nr_regions - 1

        Errors: OSError with ERANGE if there is no such region

        Call: tmm_client_region
        """
        region = StructRegion()
        with self._use("tmm_client_region", errno.EBADF) as pointer:
            call("tmm_client_region", pointer, to_u32("index", index), ctypes.byref(region))
        return result_of(Region, region)

    def occupancy(self, index: int, bucket_bytes: int = 0) -> Occupancy:
        """Return how the frames of a region are used, and by whom.

        index: the region, 0 to Info.nr_regions - 1
        bucket_bytes: 0; or with CAP_SYS_ADMIN the size of a part in bytes, a power of two,
            2 MiB or more

        Errors: OSError with ERANGE if there is no such region; EPERM; EINVAL

        Call: tmm_client_occupancy, tmm_occupancy_free
        """
        found = StructOccupancy()
        with self._use("tmm_client_occupancy", errno.EBADF) as pointer:
            call("tmm_client_occupancy", pointer, to_u32("index", index),
                 to_u64("bucket_bytes", bucket_bytes), ctypes.byref(found))
        try:
            buckets = tuple(result_of(Bucket, found.buckets[i]) for i in range(found.nr))
            return Occupancy(buckets, tuple(found.owners[:found.nr]), found.bucket_bytes)
        finally:
            call_free("tmm_occupancy_free", found)

    def clients(self) -> Clients:
        """Return the clients that the caller may see.

        Call: tmm_client_list, tmm_clients_free
        """
        found = StructClients()
        with self._use("tmm_client_list", errno.EBADF) as pointer:
            call("tmm_client_list", pointer, ctypes.byref(found))
        try:
            entries = tuple(result_of(ClientEntry, found.entries[i]) for i in range(found.nr))
            return result_of(Clients, found, entries=entries)
        finally:
            call_free("tmm_clients_free", found)

    def handles(self) -> tuple[HandleEntry, ...]:
        """Return the objects of this client, sorted by handle, then its exported mappings.

        The result leaves out objects that another call is changing at that moment.

        Call: tmm_client_list_handles, tmm_handles_free
        """
        found = StructHandles()
        with self._use("tmm_client_list_handles", errno.EBADF) as pointer:
            call("tmm_client_list_handles", pointer, ctypes.byref(found))
        try:
            return tuple(result_of(HandleEntry, found.entries[i]) for i in range(found.nr))
        finally:
            call_free("tmm_handles_free", found)

    def translate(self, address: int) -> Translation:
        """Return the physical address and the leaf behind a virtual address.

        address: in the shared address space, as Mapping.address is; of any client

        Takes CAP_SYS_ADMIN.

        Errors: OSError with EPERM; ENOENT if nothing is mapped there; EINVAL

        Call: tmm_client_translate
        """
        found = StructTranslation()
        with self._use("tmm_client_translate", errno.EBADF) as pointer:
            call("tmm_client_translate", pointer, to_u64("address", address),
                 ctypes.byref(found))
        return result_of(Translation, found)

    def dump_pte(self, address: int) -> tuple[int, ...]:
        """Return the raw page-table entries on the way to an address; [0] is the root's.

        Takes CAP_SYS_ADMIN. There are fewer entries than paging levels if the walk ends early.

        Errors: OSError with EPERM; EINVAL if the address is not canonical

        Call: tmm_client_dump_pte
        """
        walk = StructWalk()
        with self._use("tmm_client_dump_pte", errno.EBADF) as pointer:
            call("tmm_client_dump_pte", pointer, to_u64("address", address), ctypes.byref(walk))
        return tuple(walk.entries[:walk.nr_levels])

    # --- limits ----------------------------------------------------------------------------

    def limits(self) -> Limits:
        """Return the limits of this client and of its user.

        Call: tmm_client_limits
        """
        limits = StructLimits()
        with self._use("tmm_client_limits", errno.EBADF) as pointer:
            call("tmm_client_limits", pointer, ctypes.byref(limits))
        return result_of(Limits, limits)

    def set_limits(self, *, frames: Optional[int] = None, pages: Optional[int] = None,
                   handles: Optional[int] = None) -> None:
        """Set limits of this client: numbers, or NO_LIMIT. None leaves a limit as it is.

        A limit below what the client owns takes nothing away, but the client cannot allocate
        more (EDQUOT). Raising a limit takes CAP_SYS_RESOURCE.

        Errors: OSError with EINVAL if all are None; EPERM

        Call: tmm_client_set_limits
        """
        limits = StructLimits()
        which = 0
        if frames is not None:
            which, limits.client_frames_max = which | _LIMIT_FRAMES, to_u64("frames", frames)
        if pages is not None:
            which, limits.client_pages_max = which | _LIMIT_PAGES, to_u64("pages", pages)
        if handles is not None:
            which, limits.client_handles_max = which | _LIMIT_HANDLES, to_u64("handles", handles)
        with self._use("tmm_client_set_limits", errno.EBADF) as pointer:
            call("tmm_client_set_limits", pointer, which, ctypes.byref(limits))

    def wait(self, timeout: Optional[float] = None) -> None:
        """Wait until memory is free again, after a call failed with ENOSPC or EDQUOT.

        timeout: seconds; 0 does not wait, None waits as long as it takes

        Returns as soon as any client has given back some of the missing resource since the
        failure. The amount may be too small: make the call again, and wait again. Returns at
        once if no call has failed. In an event loop, wait for POLLIN on fileno() instead.

        Errors: OSError with ETIMEDOUT, which is a TimeoutError

        Call: tmm_client_wait
        """
        end = None if timeout is None else time.monotonic() + timeout
        with self._use("tmm_client_wait", errno.EBADF) as pointer:
            while True:
                # a day at most, since the library takes an int of milliseconds
                left = 86400.0 if end is None else min(86400.0, max(0.0, end - time.monotonic()))
                try:
                    call("tmm_client_wait", pointer, int(left * 1000 + 0.999))
                    return
                except InterruptedError:
                    continue
                except TimeoutError:
                    if end is not None and time.monotonic() >= end:
                        raise

    # --- device memory -----------------------------------------------------------------------

    def add_device_region(self, start: int, nr_bytes: int, memory: Memory) -> None:
        """Allow all clients to map a range of device memory.

        start, nr_bytes: physical address and size in bytes, multiples of PAGE_SIZE; not RAM

        The region stays until it is removed or the module is unloaded. Takes CAP_SYS_RAWIO.

        Errors: OSError with EPERM; EBUSY if a driver has claimed part of the range; EADDRINUSE;
        EOPNOTSUPP if part of it is RAM; EINVAL, EOVERFLOW

        Call: tmm_client_add_device_region
        """
        with self._use("tmm_client_add_device_region", errno.EBADF) as pointer:
            call("tmm_client_add_device_region", pointer, to_u64("start", start),
                 to_u64("nr_bytes", nr_bytes), Memory(memory))

    def remove_device_region(self, start: int, nr_bytes: int) -> None:
        """Remove a device region, with the start and size with which it was added.

        Takes CAP_SYS_RAWIO.

        Errors: OSError with EPERM; EBUSY while somebody owns a frame of the region; ERANGE if no
        such region was added

        Call: tmm_client_remove_device_region
        """
        with self._use("tmm_client_remove_device_region", errno.EBADF) as pointer:
            call("tmm_client_remove_device_region", pointer, to_u64("start", start),
                 to_u64("nr_bytes", nr_bytes))

    def map_frame_range(self, address: int, nr_bytes: int, flags: Flags) -> Mapping:
        """Map device memory, whose content stays.

        address: physical address in a device region; rounded down to a whole frame
        nr_bytes: size in bytes, more than 0; rounded up
        flags: with DEVICE_MEMORY, unless the region is write-back

        A read or write with the size of a register accesses that register once. Takes
        CAP_SYS_RAWIO.

        Errors: OSError with EPERM; EADDRINUSE, EADDRNOTAVAIL, ERANGE, EOVERFLOW; EOPNOTSUPP if
        the address is in RAM or the flags do not fit the region; ENODEV if the device was
        removed; ENOSPC, EDQUOT, EINVAL

        Call: tmm_mapping_map_frame_range
        """
        with self._use("tmm_mapping_map_frame_range", errno.EBADF) as pointer:
            mapping = call("tmm_mapping_map_frame_range", pointer, to_u64("address", address),
                           to_u64("nr_bytes", nr_bytes), to_u64("flags", flags))
        return Mapping(self, mapping)

    # --- owning --------------------------------------------------------------------------------

    def allocate_pages(self, nr_bytes: int, *, align: int = 0, at: Optional[int] = None,
                       within: Optional[tuple[int, int]] = None) -> Pages:
        """Allocate a run of virtual pages, without memory behind it.

        nr_bytes: size in bytes, more than 0; rounded up to whole pages
        align: alignment in bytes, a power of two from 4 KiB to 1 GiB; 0 means any; not with at
        at: begin with the page that holds this address
        within: the lowest and the highest address that may be used

        Errors: OSError with ENOSPC, EADDRINUSE, EADDRNOTAVAIL, ERANGE, EOVERFLOW, EINVAL, EDQUOT

        Call: tmm_pages_allocate
        """
        options = allocate_options(nr_bytes, align, at, within)
        with self._use("tmm_pages_allocate", errno.EBADF) as pointer:
            return Pages(self, call("tmm_pages_allocate", pointer, ctypes.byref(options)))

    def allocate_frames(self, nr_bytes: int, *, align: int = 0, at: Optional[int] = None,
                        within: Optional[tuple[int, int]] = None) -> Frames:
        """Allocate a run of physical frames, zeroed, without mapping it.

        The parameters are those of allocate_pages(). at and within take CAP_SYS_ADMIN.

        Errors: as allocate_pages(), and EPERM; EOPNOTSUPP or ENODEV if the address is in device
        memory; EIO if memory failed while the kernel cleared it

        Call: tmm_frames_allocate
        """
        options = allocate_options(nr_bytes, align, at, within)
        with self._use("tmm_frames_allocate", errno.EBADF) as pointer:
            return Frames(self, call("tmm_frames_allocate", pointer, ctypes.byref(options)))

    def create(self, nr_bytes: int, flags: Flags = DATA, *, contiguous: bool = False,
               identity: bool = False, leaf_size: int = 0, align: int = 0) -> Mapping:
        """Allocate pages and frames and map them. The content is zeroed.

        nr_bytes: size in bytes, more than 0; rounded up to whole pages
        contiguous: one physically contiguous run of frames
        identity: one run, at virtual addresses equal to the physical ones; takes CAP_SYS_RAWIO
        leaf_size: PAGE_SIZE, LARGE_PAGE_SIZE or HUGE_PAGE_SIZE; the size must be a multiple of
            it. 0: leaves as large as there is room for
        align: the address is a multiple of this many bytes, a power of two from PAGE_SIZE to
            1 GiB; with contiguous and identity, the physical address too. 0 means anywhere

        Errors: OSError with ENOSPC, EINVAL, EOVERFLOW, EOPNOTSUPP, EDQUOT; EIO if memory failed
        while the kernel cleared it; with identity EPERM and ERANGE

        Call: tmm_mapping_create
        """
        options = StructCreateOptions(is_contiguous=contiguous, is_identity=identity,
                                      leaf_size=to_u64("leaf_size", leaf_size),
                                      align=to_u64("align", align))
        with self._use("tmm_mapping_create", errno.EBADF) as pointer:
            return Mapping(self, call("tmm_mapping_create", pointer,
                                      to_u64("nr_bytes", nr_bytes), to_u64("flags", flags),
                                      ctypes.byref(options)))

    def create_many(self, items: Iterable[Union[CreateItem, int]], *,
                    all_or_nothing: bool = False) -> list[Union[Mapping, OSError]]:
        """Create several mappings in one call.

        items: up to MAX_MANY; a number stands for CreateItem(number)
        all_or_nothing: if an item fails, create nothing, and raise the error of that item

        Returns for each item the mapping, or the error that the item failed with.

        Errors: OSError with EINVAL; with all_or_nothing those of create()

        Call: tmm_mapping_create_many
        """
        wanted = [CreateItem(item) if isinstance(item, int) else item for item in items]
        check_many(len(wanted))
        array = (StructCreateItem * len(wanted))()
        for entry, item in zip(array, wanted):
            entry.nr_bytes = to_u64("nr_bytes", item.nr_bytes)
            entry.flags = to_u64("flags", item.flags)
            entry.is_contiguous = item.is_contiguous
            entry.leaf_size = to_u64("leaf_size", item.leaf_size)
            entry.align = to_u64("align", item.align)
        cells = (ctypes.c_void_p * len(wanted))()
        with self._use("tmm_mapping_create_many", errno.EBADF) as pointer:
            call("tmm_mapping_create_many", pointer, array, cells, len(wanted),
                 _ALL_OR_NOTHING if all_or_nothing else 0)
        return [error_of("tmm_mapping_create_many", entry.error) if cell is None
                else Mapping(self, cell) for entry, cell in zip(array, cells)]

    def drop_many(self, mappings: Sequence[Mapping], *,
                  all_or_nothing: bool = False) -> list[Optional[OSError]]:
        """Drop several mappings of this client in one call, and consume those dropped.

        mappings: up to MAX_MANY
        all_or_nothing: if a mapping cannot be dropped, drop nothing, and raise its error

        Returns for each mapping None, or the error. Windows are not closed: a mapping with a
        window fails with EBUSY.

        Errors: OSError with ENOENT if a mapping is consumed; EXDEV if one is of another client;
        with all_or_nothing those of Mapping.close()

        Call: tmm_mapping_drop_many
        """
        check_many(len(mappings))
        name = "tmm_mapping_drop_many"
        if any(mapping.client is not self for mapping in mappings):
            raise error_of(name, errno.EXDEV)
        cells = (ctypes.c_void_p * len(mappings))()
        errors = (ctypes.c_int * len(mappings))()
        with _object.consume_many(name, mappings, cells), self._use(name, errno.EBADF):
            call(name, cells, errors, len(mappings), _ALL_OR_NOTHING if all_or_nothing else 0)
        return [error_of(name, error) if error else None for error in errors]

    def import_mapping(self, descriptor: Union[Descriptor, int]) -> Mapping:
        """Become the owner of an exported mapping, and consume the descriptor.

        All other descriptors of the mapping become stale (ESTALE).

        Errors: OSError with ESTALE if the mapping was imported or taken back already; EBUSY
        while it is borrowed; EDQUOT; EACCES if the descriptor only lends; EINVAL if it is of
        another file. The descriptor stays open then

        Call: tmm_mapping_import
        """
        number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
        with self._use("tmm_mapping_import", errno.EBADF) as pointer:
            mapping = call("tmm_mapping_import", pointer, ctypes.byref(ctypes.c_int(number)))
        if not isinstance(descriptor, int):
            descriptor.detach()
        return Mapping(self, mapping)

    def take_back(self, export: Union[Descriptor, int]) -> Mapping:
        """End an export of this client that nobody imported, and own the mapping again.

        export: the descriptor that Mapping.export() returned, which may be closed, or its
        export_id

        All windows end as by Mapping.revoke(), and all descriptors become stale.

        Errors: OSError with ESTALE if the mapping was imported, taken back or dropped; EDQUOT

        Call: tmm_mapping_take_back
        """
        number = export if isinstance(export, int) else export.export_id
        if number is None:
            raise ValueError("the descriptor was not exported by this process")
        with self._use("tmm_mapping_take_back", errno.EBADF) as pointer:
            return Mapping(self, call("tmm_mapping_take_back", pointer,
                                      to_u32("export_id", number)))


def call_close(cell: ctypes.c_void_p) -> None:
    """Close a client; this cannot fail."""
    LIB.tmm_client_close(ctypes.byref(cell))


def call_free(name: str, structure: ctypes.Structure) -> None:
    """Free the arrays of a result; this cannot fail."""
    getattr(LIB, name)(ctypes.byref(structure))


def check_many(nr: int) -> None:
    """Refuse what does not fit the library's number of items."""
    if nr > MAX_MANY:
        raise ValueError(f"{nr} items, but at most {MAX_MANY} are possible")


def _settle_child() -> None:
    """In a child process: close the parent's clients, so that the child drops nothing of them."""
    _object.renew_lock()
    for client in list(_clients):
        pointer, client._pointer = client._pointer, None
        if pointer is not None:
            call_close(ctypes.c_void_p(pointer))
    _clients.clear()
    settle_windows()


os.register_at_fork(after_in_child=_settle_child)
