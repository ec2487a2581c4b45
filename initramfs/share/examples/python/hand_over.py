#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Hand a mapping over to another program, which becomes its owner."""
import socket
import subprocess
import sys

import theseus_mm


def receive(number: int) -> None:
    """Run in the other program: receive a descriptor, look, become the owner, drop."""
    with socket.socket(fileno=number) as connection, theseus_mm.Client() as client:
        _, descriptors, _, _ = socket.recv_fds(connection, 1, 1)
        with theseus_mm.Descriptor(descriptors[0]) as descriptor:
            with descriptor.mmap() as window:
                print(f"before the import: {bytes(window[:8]).decode()}")
            with client.import_mapping(descriptor) as mapping:
                mapping.write(b"received")
                print(f"after the import: {mapping.read(0, 8).decode()}", flush=True)


def main() -> None:
    ours, theirs = socket.socketpair()
    with ours, theseus_mm.Client() as client:
        with theirs:
            other = subprocess.Popen([sys.executable, __file__, str(theirs.fileno())],
                                     pass_fds=[theirs.fileno()])
        mapping = client.create(1 << 20)
        mapping.write(b"exported")
        with mapping.export() as descriptor:
            assert mapping.is_consumed
            socket.send_fds(ours, [b"."], [descriptor.fileno()])
        assert other.wait() == 0

        # an export that nobody imports can be taken back
        with client.create(4096).export() as descriptor:
            with client.take_back(descriptor) as mapping:
                print(f"taken back: {mapping.nr_bytes} bytes")


if len(sys.argv) > 1:
    receive(int(sys.argv[1]))
else:
    main()
