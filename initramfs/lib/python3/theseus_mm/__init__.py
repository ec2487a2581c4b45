# SPDX-License-Identifier: GPL-2.0
"""RAM that was reserved at boot, owned by Python programs.

This module calls libtmm.so.0, the C library of the Linux module theseus_mm. A program opens
the device and is a client, creates mappings, and uses their memory as a buffer, for example
as an array of NumPy without a copy. This module needs Python 3.11 or later, and no other module:

    import numpy
    import theseus_mm

    with theseus_mm.Client() as client:
        with client.create(1 << 20) as mapping:
            mapping.write(b"hello", offset=100)
            print(mapping.read(100, 5))
            with mapping.mmap(writable=True) as window:
                array = numpy.frombuffer(window, dtype=numpy.float64)
                array[:] = 1.0
                del array

Ownership
---------
An object (Client, Pages, Frames, Mapping, Descriptor, Window) has one owner. A call that
consumes an object, such as Mapping.export(), leaves nothing in it: `is_consumed` is true, and
further calls fail with ENOENT. If such a call fails, the object is as before. Each object is
a context manager: at the end of the `with` block, the object gives back what it owns, unless
that was consumed. The garbage collector does the same. If an exception leaves a `with` block
while a buffer still refers to a window, the exception goes on, and the memory goes back with
the buffer. When the process ends in any way, the kernel takes back all that its clients own.

A window never ends while a memoryview or an array refers to its memory: Window.close() and
Mapping.close() fail with BufferError instead. Client.close() does not end windows.

Handing over
------------
Mapping.export() makes a descriptor that owns the mapping. Pass it to another process with
socket.send_fds() or Descriptor.send(); the receiver makes a Descriptor of the number, and may
mmap() it, or become the owner with Client.import_mapping(). Until then, the exporter can
Client.take_back() the mapping. Mapping.lend(read_only=True) makes a descriptor for readers,
while the client keeps the mapping.

After a revocation (Mapping.revoke(), Descriptor.revoke(), Client.take_back()), touching an old
window raises SIGBUS, which ends Python. A process that cannot trust the owner uses
Window.read_at() and Window.write_at(), which raise OSError with EFAULT instead.

Errors
------
A call that fails raises OSError. Its errno is the kernel's, and its text names the call of
the library: "tmm_mapping_create: a limit of the client or of its user is reached (EDQUOT)".
After ENOSPC and EDQUOT, Client.wait() waits until it makes sense to try again. Numbers
that no call can take raise ValueError. Except where noted, a call that fails changes nothing.
Nearly every call can fail with EBADF, ENOTTY, ENOMEM and EINTR.

Threads
-------
Threads may use the same objects, and calls run at the same time. A call that consumes an
object, and Client.close(), fail with EBUSY while another thread is in a call of that object.

Processes
---------
A child process of os.fork() or multiprocessing owns nothing of its parent. The library would
let both processes be the same client, and then either one could drop what the other uses;
so this module closes the parent's clients in the child, where calls on inherited objects
fail with EBADF. The child does not inherit windows: touching one, or an array on it, raises
SIGSEGV. The child inherits Descriptors, and may import or mmap them. The child opens its own
Client. Programs started by exec() inherit none of these.

Functions of libtmm that this module does not call
--------------------------------------------------
tmm_mapping_mmap, tmm_mapping_munmap
    Mapping.mmap() makes an mmap.mmap of a lending descriptor, so that Python itself counts
    the buffers that refer to the memory.
tmm_mapping_unmap_into
    Mapping.take_apart() needs no array of the caller.
tmm_mapping_export
    Mapping.export() calls tmm_mapping_export_as, which does the same and more.
"""

from ._client import Client
from ._descriptor import Descriptor, DmaBuf
from ._mapping import Mapping
from ._memory import Frames, Pages
from ._types import (
    DATA, DEVICE, HUGE_PAGE_SIZE, LARGE_PAGE_SIZE, MAX_MANY, NO_LIMIT, OWNER_HIDDEN, OWNER_NONE,
    PAGE_SIZE, READ_ONLY_DATA, Attribute, Bucket, ClientEntry, Clients, CreateItem, Feature,
    Flags, HandleEntry, Info, Kind, Limits, MappingInfo, Memory, Occupancy, Region, Revocation,
    Translation,
)
from ._window import Window

__all__ = [
    "DATA", "DEVICE", "HUGE_PAGE_SIZE", "LARGE_PAGE_SIZE", "MAX_MANY", "NO_LIMIT",
    "OWNER_HIDDEN", "OWNER_NONE", "PAGE_SIZE", "READ_ONLY_DATA", "Attribute", "Bucket", "Client",
    "ClientEntry", "Clients", "CreateItem", "Descriptor", "DmaBuf", "Feature", "Flags", "Frames",
    "HandleEntry", "Info", "Kind", "Limits", "Mapping", "MappingInfo", "Memory", "Occupancy",
    "Pages", "Region", "Revocation", "Translation", "Window",
]
