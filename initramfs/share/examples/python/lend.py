#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Lend a mapping to a reader, and end the loan: the reader gets an error, not SIGBUS."""
import errno
import os
import socket

import theseus_mm


def read(connection: socket.socket) -> None:
    """Run in the child process: a reader, which needs no client."""
    with theseus_mm.Descriptor.receive(connection) as loan, loan.mmap() as window:
        print(f"reader: {window.read_at(0, 4).decode()}", flush=True)
        connection.send(b"1")
        connection.recv(1)
        # touching window[0] now would end Python with SIGBUS
        try:
            window.read_at(0, 4)
        except OSError as error:
            assert error.errno == errno.EFAULT
            print(f"reader: {error}", flush=True)


ours, theirs = socket.socketpair()
child = os.fork()
if not child:
    ours.close()
    read(theirs)
    os._exit(0)
theirs.close()
with ours, theseus_mm.Client() as client, client.create(4096) as mapping:
    mapping.write(b"lent")
    with mapping.lend(read_only=True) as loan:
        loan.send(ours)
    ours.recv(1)
    # the reader's window borrows the mapping, so the owner cannot write
    try:
        mapping.write(b"mine")
    except OSError as error:
        assert error.errno == errno.EBUSY
    print(f"owner: {mapping.revoke().nr_revoked} window revoked", flush=True)
    mapping.write(b"mine")
    ours.send(b"2")
    assert os.waitpid(child, 0)[1] == 0
