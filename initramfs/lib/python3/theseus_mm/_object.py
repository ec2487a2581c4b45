# SPDX-License-Identifier: GPL-2.0
"""Objects that own something in the library: clients, pages, frames and mappings.

The library lets threads make calls at the same time, but a call that consumes an object must
be the only one. So each object counts its calls, and a consuming call fails with EBUSY while
there are others. The count of a client includes the calls on its objects.
"""

import ctypes
import errno
import sys
import threading
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Iterator, Optional, Self, Sequence

from ._library import LIB, call, error_of

if TYPE_CHECKING:
    from ._client import Client

# Held for a few instructions only. It is reentrant, since the garbage collector may end an
# object while this thread holds the lock for another object.
_lock = threading.RLock()


def renew_lock() -> None:
    """Forget the threads of the parent process, one of which may have held the lock."""
    global _lock
    _lock = threading.RLock()


class Owned:
    """A pointer of the library, the calls that use it, and whether it is consumed."""

    def __init__(self, pointer: int) -> None:
        self._pointer: Optional[int] = pointer
        self._nr_calls = 0

    @contextmanager
    def _count(self) -> Iterator[Optional[int]]:
        """Count a call, and pass the pointer, or None if the object is consumed."""
        with _lock:
            pointer = self._pointer
            self._nr_calls += 1
        try:
            yield pointer
        finally:
            with _lock:
                self._nr_calls -= 1

    @contextmanager
    def _use(self, name: str, missing: int) -> Iterator[int]:
        """Count a call that needs the pointer."""
        with self._count() as pointer:
            if pointer is None:
                raise error_of(name, missing)
            yield pointer

    @contextmanager
    def _consume(self, name: str, missing: int) -> Iterator[ctypes.c_void_p]:
        """Take the pointer out for a call that consumes it; put back what the call leaves."""
        with _lock:
            if self._pointer is None:
                raise error_of(name, missing)
            if self._nr_calls:
                raise OSError(errno.EBUSY, f"{name}: a call of another thread uses the object "
                              "(EBUSY)")
            cell = ctypes.c_void_p(self._pointer)
            self._pointer = None
        try:
            yield cell
        finally:
            self._pointer = cell.value


class Object(Owned):
    """The common base of Pages, Frames and Mapping.

    An object is also a context manager, which closes the object at its end.
    """

    # "pages", "frames" or "mapping": the second word of the library's functions
    _noun = ""

    def __init__(self, client: "Client", pointer: int) -> None:
        super().__init__(pointer)
        self._client = client

    def _name(self, verb: str) -> str:
        return f"tmm_{self._noun}_{verb}"

    @contextmanager
    def _borrow(self, verb: str) -> Iterator[int]:
        """Use the object and its client for a call."""
        name = self._name(verb)
        with self._use(name, errno.ENOENT) as pointer, self._client._use(name, errno.EBADF):
            yield pointer

    @contextmanager
    def _take(self, verb: str) -> Iterator[ctypes.c_void_p]:
        """Use the object for a call that consumes it."""
        name = self._name(verb)
        with self._consume(name, errno.ENOENT) as cell, self._client._use(name, errno.EBADF):
            yield cell

    def _get(self, verb: str) -> int:
        with _lock:
            pointer = self._pointer
            return 0 if pointer is None else call(self._name(verb), pointer)

    @property
    def client(self) -> "Client":
        """The client that owns the object."""
        return self._client

    @property
    def is_consumed(self) -> bool:
        """True once a call has consumed the object, or close() has dropped it."""
        return self._pointer is None

    @property
    def address(self) -> int:
        """First address in bytes; 0 once the object is consumed.

        For pages and mappings, a virtual address of the module's shared address space, which
        is no pointer. For frames, the physical address, or 0 without CAP_SYS_ADMIN.

        Call: tmm_pages_address, tmm_frames_address, tmm_mapping_address
        """
        return self._get("address")

    @property
    def nr_bytes(self) -> int:
        """Size in bytes, a multiple of PAGE_SIZE; 0 once the object is consumed.

        Call: tmm_pages_size, tmm_frames_size, tmm_mapping_size
        """
        return self._get("size")

    @property
    def handle(self) -> int:
        """The kernel's number of the object; 0 once the object is consumed.

        Call: tmm_pages_handle, tmm_frames_handle, tmm_mapping_handle
        """
        return self._get("handle")

    def __repr__(self) -> str:
        if self._pointer is None:
            return f"<theseus_mm.{type(self).__name__} (consumed)>"
        return f"<theseus_mm.{type(self).__name__} {self.handle}: {self.nr_bytes} bytes>"

    def _drop(self) -> None:
        # not _take(): dropping an object of a closed client frees the library's memory
        name = self._name("drop")
        with self._consume(name, errno.ENOENT) as cell, self._client._count():
            call(name, ctypes.byref(cell))

    def close(self) -> None:
        """Drop the object: the kernel frees its pages and frames.

        Does nothing if the object is consumed.

        Errors: OSError with EBUSY while the object is borrowed

        Call: tmm_pages_drop, tmm_frames_drop, tmm_mapping_drop
        """
        if self._pointer is not None:
            self._drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self.close()
            return
        # The exception's own frames may hold buffers. The object is dropped with the last one.
        with suppress(OSError, BufferError):
            self.close()

    def __del__(self) -> None:
        # When Python ends, the kernel takes everything back. A failed constructor sets no pointer.
        if sys.is_finalizing() or getattr(self, "_pointer", None) is None:
            return
        try:
            self._drop()
        except OSError:
            self._client._leave_behind(self)


@contextmanager
def consume_many(name: str, objects: Sequence[Object], cells: Any) -> Iterator[None]:
    """Take the pointers of several objects for one call; put back those that it leaves."""
    with ExitStack() as stack:
        taken = [stack.enter_context(thing._consume(name, errno.ENOENT)) for thing in objects]
        for index, cell in enumerate(taken):
            cells[index] = cell
        try:
            yield
        finally:
            for index, cell in enumerate(taken):
                cell.value = cells[index]
