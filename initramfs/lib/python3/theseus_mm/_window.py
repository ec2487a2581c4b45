# SPDX-License-Identifier: GPL-2.0
"""Windows: parts of mappings as memory of this process."""

import ctypes
import errno
import mmap
import os
import sys
import weakref
from contextlib import suppress
from typing import Any, Callable, Optional

from ._library import Bytes, call, error_of

# Windows of this process, for the time after a fork.
_windows: "weakref.WeakSet[Window]" = weakref.WeakSet()

_PIPE_BYTES = 65536
# Python's module mmap lacks these flags of mmap(2).
_MAP_NORESERVE = 0x4000
_MAP_FIXED_NOREPLACE = 0x100000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int,
                       ctypes.c_int, ctypes.c_long)


class Window(mmap.mmap):
    """A part of a mapping as memory of this process.

    Mapping.mmap() and Descriptor.mmap() make windows. A window is an mmap.mmap, and has all
    its methods but resize(): slices are bytes, and numpy.frombuffer(window, dtype) and
    memoryview(window) use the memory without a copy. The buffers of a window without
    PROT_WRITE are read-only.

    Lifetime: the memory stays mapped while the window, a memoryview or an array of NumPy refers
    to it. close() fails with BufferError while there are such references, and changes nothing
    then. A window ends when nothing refers to it any more. Closing the client or the
    descriptor does not end a window.

    Revocation: when Mapping.revoke(), Descriptor.revoke() or Client.take_back() has ended the
    window, in this process or in another one, touching the memory raises SIGBUS, which ends
    Python. If others may revoke, use read_at() and write_at(), which raise OSError instead,
    or let the owner use Mapping.read() and Mapping.write().

    fork(): a child process does not inherit the memory. In the child, close() does nothing,
    read_at() and write_at() fail, and touching the window or an array raises SIGSEGV.

    A window is a context manager, which closes the window at its end.
    """

    _owner: Any = None
    _address = 0
    _nr_bytes = 0
    _is_writable = False
    _is_inherited = False

    def _begin(self, owner: Any, is_writable: bool) -> "Window":
        """Remember the owner, so that an object of the library lives as long as its windows."""
        self._owner = owner
        self._is_writable = is_writable
        with Bytes(self) as memory:
            self._address, self._nr_bytes = memory.address, memory.length
        _windows.add(self)
        return self

    @property
    def address(self) -> int:
        """Address of the window in this process, for ctypes; valid until close()."""
        return self._address

    @property
    def nr_bytes(self) -> int:
        """Size in bytes."""
        return self._nr_bytes

    @property
    def is_writable(self) -> bool:
        """True if the window was made with PROT_WRITE."""
        return self._is_writable

    def prefault(self) -> None:
        """Take all page faults of the window now, so that later accesses take none.

        Raises SIGBUS on a revoked window, as any other access does. Do not prefault device
        memory whose reads have side effects.

        Call: tmm_mapping_prefault
        """
        self._check("tmm_mapping_prefault")
        with Bytes(self) as memory:
            call("tmm_mapping_prefault", memory.address, memory.length)

    def read_at(self, offset: int, nr_bytes: int) -> bytes:
        """Copy out of the window, also if others may revoke the window.

        offset: bytes from the start of the window
        nr_bytes: number of bytes, 0 or more

        Errors: OSError with ERANGE if not all bytes are in the window, EFAULT if the memory is
        revoked or fails. The copy goes through a pipe, so it is slower than a slice.
        """
        with self._part("read_at", offset, nr_bytes) as part, _Pipe() as pipe:
            parts = []
            while part.nr_bytes:
                # the kernel reads the memory, and gets an error instead of SIGBUS
                parts.append(os.read(pipe.reader, os.write(pipe.writer, part.chunk())))
                part.advance(len(parts[-1]))
            return b"".join(parts)

    def write_at(self, offset: int, data: Any) -> None:
        """Copy into the window, also if others may revoke the window.

        offset: bytes from the start of the window
        data: bytes, or any object whose buffer is contiguous

        Errors: OSError with EACCES if the window is not writable, ERANGE if not all bytes fit
        into the window, EFAULT if the memory is revoked or fails: then a part may have been
        copied.
        """
        source = memoryview(data).cast("B")
        if not self._is_writable:
            raise OSError(errno.EACCES, "Window.write_at: the window has no PROT_WRITE (EACCES)")
        with self._part("write_at", offset, len(source)) as part, _Pipe() as pipe:
            while part.nr_bytes:
                nr = os.write(pipe.writer, source[:_PIPE_BYTES])
                while nr:
                    done = os.readv(pipe.reader, [part.chunk()[:nr]])
                    part.advance(done)
                    source = source[done:]
                    nr -= done

    def size(self) -> int:
        """Size in bytes, as nr_bytes."""
        return self._nr_bytes

    def resize(self, newsize: int) -> None:
        """Fail: a window keeps its size. Close it, and make a new one."""
        raise OSError(errno.EOPNOTSUPP, "Window.resize: a window keeps its size: close it, and "
                      "make a new one (EOPNOTSUPP)")

    def close(self) -> None:
        """End the window, and so its borrow of the mapping.

        Errors: BufferError while a memoryview or an array refers to the memory: the window
        stays. Delete these references first.

        Call: munmap(2)
        """
        if not self._is_inherited:
            super().close()
            self._owner = None

    def __exit__(self, *error: object) -> None:
        try:
            self.close()
        except BufferError:
            # The exception's own frames may hold buffers. The window ends with the last one.
            if not error or error[0] is None:
                raise

    def __del__(self) -> None:
        # The mapping's own __del__ must find the window unmapped.
        if not sys.is_finalizing():
            with suppress(BufferError):
                self.close()

    def __repr__(self) -> str:
        state = "closed" if self.closed else "inherited" if self._is_inherited else \
            f"{self._nr_bytes} bytes"
        return f"<theseus_mm.Window {state}>"

    def _check(self, what: str) -> None:
        if self._is_inherited:
            raise OSError(errno.EFAULT, f"{what}: the window belongs to the parent process "
                          "(EFAULT)")

    def _part(self, method: str, offset: int, nr_bytes: int) -> "_Part":
        self._check(f"Window.{method}")
        if offset < 0 or nr_bytes < 0 or offset + nr_bytes > self._nr_bytes:
            raise OSError(errno.ERANGE, f"Window.{method}: bytes {offset} to {offset + nr_bytes} "
                          f"are not within the {self._nr_bytes} bytes of the window (ERANGE)")
        return _Part(self, method, offset, nr_bytes)


class _Part:
    """The rest of a part of a window that is being copied through a pipe."""

    def __init__(self, window: Window, method: str, offset: int, nr_bytes: int) -> None:
        self._view = memoryview(window)
        self._method = method
        self._rest = self._view[offset:offset + nr_bytes]
        self.nr_bytes = nr_bytes

    def chunk(self) -> memoryview:
        return self._rest[:_PIPE_BYTES]

    def advance(self, nr_bytes: int) -> None:
        self._rest = self._rest[nr_bytes:]
        self.nr_bytes -= nr_bytes

    def __enter__(self) -> "_Part":
        return self

    def __exit__(self, kind: object, error: Optional[BaseException], trace: object) -> None:
        # An exception's traceback keeps the views alive: release them, so that close() works.
        self._rest.release()
        self._view.release()
        if isinstance(error, OSError) and error.errno == errno.EFAULT:
            raise OSError(errno.EFAULT, f"Window.{self._method}: the memory is revoked or fails "
                          "(EFAULT)") from None


class _Pipe:
    """A pipe, through which the kernel copies from and to memory that may be revoked."""

    def __enter__(self) -> "_Pipe":
        # A user with many pipes gets small ones, which take a part of a chunk and must not block.
        self.reader, self.writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.reader)
        os.close(self.writer)


def make_window(descriptor: int, offset: int, nr_bytes: int, is_writable: bool,
                is_populated: bool, owner: Any) -> Window:
    """Make a window of a descriptor of a mapping. The caller may close the descriptor."""
    # Before Python 3.13, mmap.mmap keeps a copy of the descriptor.
    options: dict[str, Any] = {"trackfd": False} if sys.version_info >= (3, 13) else {}
    flags = mmap.MAP_SHARED | (mmap.MAP_POPULATE if is_populated else 0)
    prot = mmap.PROT_READ | (mmap.PROT_WRITE if is_writable else 0)
    try:
        window = Window(descriptor, nr_bytes, flags=flags, prot=prot, offset=offset, **options)
    except OSError as error:
        raise error_of("mmap", error.errno or 0) from None
    return window._begin(owner, is_writable)


def check_part(name: str, size: int, offset: int, nr_bytes: Optional[int]) -> int:
    """Return the length of a part from offset on. None means all bytes up to the end."""
    length = size - offset if nr_bytes is None else nr_bytes
    if offset < 0 or length < 0 or offset + length > size:
        raise OSError(errno.ERANGE, f"{name}: bytes {offset} to {offset + length} are not within "
                      f"the {size} bytes of the mapping (ERANGE)")
    if offset % mmap.PAGESIZE or not length:
        raise OSError(errno.EINVAL, f"{name}: the offset must be a multiple of {mmap.PAGESIZE} "
                      "and the length more than 0 (EINVAL)")
    return length


def settle_windows(_map: Callable[..., Any] = _libc.mmap) -> None:
    """In a child process: keep other memory away from the addresses of the parent's windows.

    fork() leaves holes where the parent has windows. If the child's allocator filled a hole, then
    the end of the inherited window would unmap the allocator's memory, and an inherited array
    would change it. So the holes get pages without any access.
    """
    for window in list(_windows):
        window._is_inherited = True
        if window.closed:
            continue
        address = _map(window._address, window._nr_bytes, 0,
                       mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE |
                       _MAP_FIXED_NOREPLACE, -1, 0)
        if address != window._address:
            # The hole is filled already, so the window must never be unmapped here.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(window))
    _windows.clear()
