# SPDX-License-Identifier: GPL-2.0
"""Pages and frames, of which a mapping consists."""

import ctypes
from typing import Optional, Self

from ._library import StructAllocateOptions, call
from ._object import Object
from ._types import DATA, Flags, to_u64
from ._mapping import Mapping

_AT = 1
_IN_RANGE = 2


def allocate_options(nr_bytes: int, align: int, at: Optional[int],
                     within: Optional[tuple[int, int]]) -> StructAllocateOptions:
    """Describe an allocation for the library."""
    if at is not None and within is not None:
        raise ValueError("at and within exclude each other")
    options = StructAllocateOptions(nr_bytes=to_u64("nr_bytes", nr_bytes),
                                    align=to_u64("align", align))
    if at is not None:
        options.place, options.at = _AT, to_u64("at", at)
    if within is not None:
        options.place = _IN_RANGE
        options.min, options.max = to_u64("within[0]", within[0]), to_u64("within[1]", within[1])
    return options


class _Run(Object):
    """A run that can be split and merged."""

    def split(self, offset: int) -> tuple[Self, Self]:
        """Split the object in two, and consume it.

        offset: bytes before the second part; a multiple of PAGE_SIZE, more than 0 and less than
        the size

        Errors: OSError with EINVAL, EDQUOT

        Call: tmm_pages_split, tmm_frames_split
        """
        first, second = ctypes.c_void_p(), ctypes.c_void_p()
        with self._take("split") as cell:
            call(self._name("split"), ctypes.byref(cell), to_u64("offset", offset),
                 ctypes.byref(first), ctypes.byref(second))
        kind = type(self)
        return kind(self._client, first.value or 0), kind(self._client, second.value or 0)

    def merge(self, other: Self) -> None:
        """Grow by the object directly before or after this one, and consume that object.

        Errors: OSError with EDOM if the objects are not next to each other; EMEDIUMTYPE; EXDEV

        Call: tmm_pages_merge, tmm_frames_merge
        """
        with self._take("merge") as mine, other._take("merge") as theirs:
            call(self._name("merge"), mine, ctypes.byref(theirs))


class Frames(_Run):
    """A run of physical frames that no mapping uses; Client.allocate_frames() makes it."""

    _noun = "frames"


class Pages(_Run):
    """A run of virtual pages without memory; Client.allocate_pages() makes it."""

    _noun = "pages"

    def map(self, flags: Flags = DATA) -> Mapping:
        """Map the pages to new frames, and consume the pages. The content is zeroed.

        Errors: OSError with ENOSPC, EINVAL, EOPNOTSUPP, EDQUOT; EIO if memory failed while the
        kernel cleared it

        Call: tmm_pages_map
        """
        with self._take("map") as cell:
            pointer = call("tmm_pages_map", ctypes.byref(cell), to_u64("flags", flags))
        return Mapping(self._client, pointer)

    def map_to(self, frames: Frames, flags: Flags = DATA) -> Mapping:
        """Map the pages to frames of the same client and size, and consume both.

        Errors: OSError with EINVAL if the sizes differ; EXDEV, ENOSPC, EOPNOTSUPP, EDQUOT; ENODEV
        if the device of the frames was removed

        Call: tmm_pages_map_to
        """
        with self._take("map_to") as cell, frames._take("map_to") as others:
            pointer = call("tmm_pages_map_to", ctypes.byref(cell), ctypes.byref(others),
                           to_u64("flags", flags))
        return Mapping(self._client, pointer)
