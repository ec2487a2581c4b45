# SPDX-License-Identifier: GPL-2.0
"""Constants, and the results of calls that look."""

import ctypes
import enum
from dataclasses import dataclass, fields
from typing import Any, Callable, Optional, TypeVar, cast

PAGE_SIZE = 1 << 12
LARGE_PAGE_SIZE = 1 << 21
HUGE_PAGE_SIZE = 1 << 30
DEVICE = "/dev/theseus_mm"
NO_LIMIT = (1 << 64) - 1
OWNER_NONE = 0
OWNER_HIDDEN = 0xFFFFFFFF
MAX_MANY = 65536


class Flags(enum.IntFlag):
    """Flags of a mapping (TMM_WRITABLE and others).

    WRITABLE: without NOT_EXECUTABLE, calls fail with EINVAL
    USER_ACCESSIBLE: recorded only
    DEVICE_MEMORY: the memory is a device's; EOPNOTSUPP on RAM
    DIRTY: recorded only
    GLOBAL: recorded only
    """

    WRITABLE = 1 << 1
    USER_ACCESSIBLE = 1 << 2
    DEVICE_MEMORY = 1 << 4
    ACCESSED = 1 << 5
    DIRTY = 1 << 6
    GLOBAL = 1 << 8
    NOT_EXECUTABLE = 1 << 63


#: Flags of data that is only read.
READ_ONLY_DATA = Flags.ACCESSED | Flags.NOT_EXECUTABLE
#: Flags of data that is read and written; the usual choice.
DATA = Flags.WRITABLE | READ_ONLY_DATA


class Feature(enum.IntFlag):
    """Abilities of the loaded module (TMM_FEATURE_*).

    STRUCT_PAGES: the memory has struct pages: I/O can use windows directly
    DMABUF: Mapping.export_dmabuf() works
    QUARANTINE: memory that was mmapped goes to no other owner until the module is unloaded
    """

    STRUCT_PAGES = 1 << 0
    DMABUF = 1 << 1
    QUARANTINE = 1 << 2


class Attribute(enum.IntFlag):
    """Attributes of a mapping in a list of handles (TMM_ATTRIBUTE_*).

    SHAREABLE: several writers may use the mapping at the same time, see Mapping.share()
    PINNED: I/O pins memory of a window that is closed
    """

    SHAREABLE = 1 << 0
    PINNED = 1 << 1


class Kind(enum.IntEnum):
    """Kind of an object (enum tmm_kind)."""

    PAGES = 1
    FRAMES = 2
    MAPPING = 3


class Memory(enum.IntEnum):
    """How device memory is cached (enum tmm_memory).

    WRITE_BACK: like RAM
    UNCACHED: not cached; for registers
    WRITE_COMBINING: writes are combined; for frame buffers
    """

    WRITE_BACK = 0
    UNCACHED = 1
    WRITE_COMBINING = 2


@dataclass(frozen=True)
class Info:
    """Features, counts and limits (struct tmm_info). Frames and pages are of 4 KiB.

    abi: revision of the kernel's interface
    nr_regions: regions that were claimed
    region_bytes: size of all regions in bytes
    frames_total: frames that can be allocated; the other frames hold the module's metadata
    frames_free: frames that nobody owns
    frames_ranges: contiguous runs of free frames
    frames_largest: longest free run of whole frames of 4 KiB, 2 MiB and 1 GiB, aligned to
        that size, in frames of 4 KiB
    pages_start: first virtual address that can be allocated
    pages_total: pages that can be allocated
    pages_free: pages that nobody owns
    nr_mappings: mappings of all clients
    nr_tables: frames that are page tables
    paging_levels: 4 or 5
    client_handles: objects of this client, as Limits counts them
    client_handles_max: limit of client_handles
    client_id: number of this client, as Client.clients() shows it
    client_frames: frames that this client owns, mapped or not
    nr_clients: number of clients
    frames_bad: frames whose memory fails; they are never allocated again
    """

    abi: int
    nr_regions: int
    features: Feature
    region_bytes: int
    frames_total: int
    frames_free: int
    frames_ranges: int
    frames_largest: tuple[int, int, int]
    pages_start: int
    pages_total: int
    pages_free: int
    nr_mappings: int
    nr_tables: int
    paging_levels: int
    client_handles: int
    client_handles_max: int
    client_id: int
    client_frames: int
    nr_clients: int
    frames_bad: int


@dataclass(frozen=True)
class Region:
    """A range of RAM that the module has claimed (struct tmm_region).

    start: physical address; 0 without CAP_SYS_ADMIN
    nr_bytes: size in bytes
    """

    start: int
    nr_bytes: int


@dataclass(frozen=True)
class Bucket:
    """Uses of the frames of a part of a region, in frames of 4 KiB (struct tmm_bucket).

    free: frames that nobody owns
    allocated: frames that are owned, but not mapped
    mapped: frames that a mapping owns
    tables: frames that are page tables
    metadata: frames that hold the module's metadata
    bad: frames that are retired, since their memory failed
    """

    free: int
    allocated: int
    mapped: int
    tables: int
    metadata: int
    bad: int


@dataclass(frozen=True)
class Occupancy:
    """A region in equal parts (struct tmm_occupancy).

    owners: for each part the id of the client that owns most frames, OWNER_NONE or OWNER_HIDDEN
    bucket_bytes: size of a part in bytes; the last part can be smaller
    """

    buckets: tuple[Bucket, ...]
    owners: tuple[int, ...]
    bucket_bytes: int


@dataclass(frozen=True)
class ClientEntry:
    """A client, as others see it (struct tmm_client_entry).

    id: number of the client, never 0
    uid: the user who opened the client
    pid: the process that opened the client; 0 if the caller cannot see that process
    nr_exported: mappings that the client has exported and nobody has imported
    nr_frames: frames of 4 KiB that count against the client's limit
    comm: name of the process that opened the client
    """

    id: int
    uid: int
    pid: int
    nr_handles: int
    nr_mappings: int
    nr_exported: int
    nr_frames: int
    comm: str


@dataclass(frozen=True)
class Clients:
    """The clients that the caller may see (struct tmm_clients).

    nr_hidden: clients that the caller may not see
    hidden_frames: frames of 4 KiB that are charged to the hidden clients
    orphan_frames: frames of 4 KiB that are charged to closed clients that the caller could see
    """

    entries: tuple[ClientEntry, ...]
    nr_hidden: int
    hidden_frames: int
    orphan_frames: int


@dataclass(frozen=True)
class HandleEntry:
    """An object of a client, or a mapping that it exported (struct tmm_handle_entry).

    handle: the kernel's handle; 0 for an exported mapping
    export_id: number of an exported mapping that nobody has imported; else 0
    nr_frame_ranges: contiguous runs of frames behind a mapping; 1 for frames
    nr_borrows: windows, reads, writes and dma-bufs of a mapping at this moment
    address: first address; for frames, 0 without CAP_SYS_ADMIN
    nr_bytes: size in bytes
    is_exclusive: a drop of the mapping frees its frames
    """

    handle: int
    export_id: int
    kind: Kind
    nr_frame_ranges: int
    nr_borrows: int
    attributes: Attribute
    address: int
    nr_bytes: int
    flags: Flags
    is_exclusive: bool


@dataclass(frozen=True)
class Limits:
    """Limits of a client and of its user, and what counts against them (struct tmm_limits).

    Frames and pages are of 4 KiB. A limit that is not set is NO_LIMIT.

    client_handles: objects of this client, and one more for each mapping that can be mmapped,
        each descriptor that the client made, and each dma-buf
    """

    client_frames_max: int
    client_pages_max: int
    client_handles_max: int
    client_frames: int
    client_pages: int
    client_handles: int
    user_frames_max: int
    user_pages_max: int
    user_handles_max: int
    user_frames: int
    user_pages: int
    user_handles: int


@dataclass(frozen=True)
class Translation:
    """The physical address and the leaf behind a virtual address (struct tmm_translation).

    page_size: size of the leaf in bytes: 4 KiB, 2 MiB or 1 GiB
    is_exclusive: a drop of the mapping frees the frame
    """

    paddr: int
    flags: Flags
    page_size: int
    is_exclusive: bool


@dataclass(frozen=True)
class MappingInfo:
    """The properties of a mapping (struct tmm_mapping_info).

    nr_frame_ranges: contiguous runs of frames behind the mapping
    nr_borrows: windows, reads, writes and dma-bufs at this moment
    is_exclusive: a drop of the mapping frees its frames
    is_shareable: several writers may use the mapping at the same time
    is_pinned: I/O pins memory of a window that is gone
    is_read_only: no owner can ever write to the mapping
    is_lent: the descriptor only lends: a client still owns the mapping
    is_bad: some of the memory fails: windows raise SIGBUS there, and reads and writes fail (EIO)
    address: first virtual address
    nr_bytes: size in bytes
    """

    flags: Flags
    nr_frame_ranges: int
    nr_borrows: int
    is_exclusive: bool
    is_shareable: bool
    is_pinned: bool
    is_read_only: bool
    is_lent: bool
    is_bad: bool
    address: int
    nr_bytes: int


@dataclass(frozen=True)
class Revocation:
    """The result of a revocation (struct tmm_revocation).

    nr_revoked: windows that were revoked
    nr_pinned: windows, revoked now or earlier, that I/O still pins: they still borrow the mapping
    """

    nr_revoked: int
    nr_pinned: int


@dataclass(frozen=True)
class CreateItem:
    """One of many mappings for Client.create_many() (struct tmm_create_item).

    nr_bytes: size in bytes, more than 0; rounded up to whole pages
    is_contiguous: one physically contiguous run of frames
    leaf_size: 0, or the size of the mapping's leaves in bytes
    align: 0, or the alignment of the mapping's address in bytes
    """

    nr_bytes: int
    flags: Flags = DATA
    is_contiguous: bool = False
    leaf_size: int = 0
    align: int = 0


Result = TypeVar("Result")

# How fields of results are made from those of the structures; the others stay as they are.
_CONVERSIONS: dict[str, Any] = {
    "features": Feature, "kind": Kind, "attributes": Attribute, "flags": Flags,
    "frames_largest": tuple, "comm": lambda name: name.decode(errors="replace"),
}


def result_of(kind: Callable[..., Result], structure: ctypes.Structure, **others: Any) -> Result:
    """Make a result of a structure whose fields have the same names, and of the others."""
    values = others
    for field in fields(cast(Any, kind)):
        if field.name not in others:
            value = getattr(structure, field.name)
            values[field.name] = _CONVERSIONS.get(field.name, lambda same: same)(value)
    return kind(**values)


def to_u64(name: str, value: int) -> int:
    """Return a number that fits the library; ctypes itself would cut it off."""
    if not 0 <= value < 1 << 64:
        raise ValueError(f"{name} is {value}, but must be from 0 to 2**64 - 1")
    return value


def to_u32(name: str, value: int) -> int:
    """Return a number that fits the library; ctypes itself would cut it off."""
    if not 0 <= value < 1 << 32:
        raise ValueError(f"{name} is {value}, but must be from 0 to 2**32 - 1")
    return value


def path_bytes(path: Optional[str]) -> bytes:
    """Return a path for the library."""
    encoded = (path or DEVICE).encode("utf-8", "surrogateescape")
    if b"\0" in encoded:
        raise ValueError("the path contains a null character")
    return encoded
