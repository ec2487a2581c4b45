# SPDX-License-Identifier: GPL-2.0
"""Descriptors that own or lend a mapping, and dma-bufs."""

import ctypes
import os
import socket
import sys
from typing import Optional, Self

from ._library import StructMappingInfo, StructRevocation, call
from ._types import MappingInfo, Revocation, result_of
from ._window import Window, check_part, make_window


class _File:
    """An open descriptor, which close(), the end of `with` and the garbage collector close."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = -1
        if descriptor < 0:
            raise ValueError(f"the descriptor is {descriptor}, but must be 0 or more")
        self._descriptor = descriptor

    def fileno(self) -> int:
        """The descriptor's number, for socket.send_fds(), select.poll() and os.fstat().

        Errors: ValueError after close() or detach()
        """
        if self._descriptor < 0:
            raise ValueError(f"the {type(self).__name__} is closed")
        return self._descriptor

    @property
    def closed(self) -> bool:
        """True after close(), detach(), or an import."""
        return self._descriptor < 0

    def detach(self) -> int:
        """Return the descriptor's number; the caller has to close it."""
        descriptor = self.fileno()
        self._descriptor = -1
        return descriptor

    def close(self) -> None:
        """Close the descriptor. Does nothing if it is closed."""
        if self._descriptor >= 0:
            os.close(self.detach())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not sys.is_finalizing() and getattr(self, "_descriptor", -1) >= 0:
            self.close()

    def __repr__(self) -> str:
        return f"<theseus_mm.{type(self).__name__} {self._descriptor}>"


class Descriptor(_File):
    """A descriptor of a mapping, which Mapping.export() or Mapping.lend() made.

    Descriptor(number) takes over a descriptor that another process passed, for example with
    socket.send_fds(), and closes it at its end. The last descriptor of an exported mapping
    owns the mapping: when it is closed, and no window is left, the mapping is dropped.

    poll() on fileno() reports POLLIN while the mapping has no windows and no pins, and POLLHUP
    and POLLERR once the descriptor is stale and its windows are gone.

    A child process of fork() inherits the descriptor and may use it, and closing it in one
    process does not close it in the other.
    """

    def __init__(self, descriptor: int, export_id: Optional[int] = None) -> None:
        super().__init__(descriptor)
        self._export_id = export_id

    @property
    def export_id(self) -> Optional[int]:
        """Number for Client.take_back(), in the process that exported; else None."""
        return self._export_id

    def query(self) -> MappingInfo:
        """Return the properties of the mapping.

        Errors: OSError with ESTALE; EBUSY while another call changes a lent mapping; EINVAL or
        ENOTTY if the descriptor is of another file

        Call: tmm_fd_query
        """
        info = StructMappingInfo()
        call("tmm_fd_query", self.fileno(), ctypes.byref(info))
        return result_of(MappingInfo, info)

    def revoke(self) -> Revocation:
        """End all windows of an exported mapping, in every process.

        After that, touching such a window raises SIGBUS, which ends Python; see Window.

        Errors: OSError with ESTALE; EINVAL or ENOTTY if the descriptor is of another file

        Call: tmm_fd_revoke
        """
        revocation = StructRevocation()
        call("tmm_fd_revoke", self.fileno(), ctypes.byref(revocation))
        return result_of(Revocation, revocation)

    def mmap(self, offset: int = 0, nr_bytes: Optional[int] = None, *,
             writable: bool = False, populate: bool = False) -> Window:
        """Make a window, without a client.

        offset: bytes from the start of the mapping, a multiple of PAGE_SIZE
        nr_bytes: size of the window in bytes, more than 0; None means up to the end
        writable: the window excludes all other windows, unless the mapping is shareable
        populate: take all page faults now

        Errors: OSError with ESTALE; EBUSY; EACCES if the descriptor or the mapping's flags do
        not allow writing; ERANGE if the part is not within the mapping; EINVAL

        Call: mmap(2)
        """
        size = os.fstat(self.fileno()).st_size
        nr_bytes = check_part("Descriptor.mmap", size, offset, nr_bytes)
        return make_window(self.fileno(), offset, nr_bytes, writable, populate, None)

    def send(self, connection: socket.socket) -> None:
        """Pass the descriptor to another process; this process keeps it and may close it.

        connection: a connected UNIX socket. The call also sends one byte of data.
        socket.send_fds(connection, [b"."], [descriptor.fileno()]) does the same.

        Errors: OSError with EPIPE if the other end is gone; those of sendmsg(2)

        Call: tmm_fd_send
        """
        call("tmm_fd_send", connection.fileno(), self.fileno())

    @classmethod
    def receive(cls, connection: socket.socket) -> "Descriptor":
        """Get a descriptor from another process.

        connection: a connected UNIX socket in blocking mode

        Errors: OSError with ECONNRESET if the other end is gone; EBADMSG if the message has no
        descriptor, or more than one; EMFILE; those of recvmsg(2)

        Call: tmm_fd_receive
        """
        return cls(call("tmm_fd_receive", connection.fileno()))


class DmaBuf(_File):
    """A dma-buf of a mapping, for devices; Mapping.export_dmabuf() makes it.

    The dma-buf borrows the mapping until it is closed and no device uses it. Pass fileno() to
    the driver of a device.
    """

    @property
    def nr_bytes(self) -> int:
        """Size in bytes."""
        return os.lseek(self.fileno(), 0, os.SEEK_END)
