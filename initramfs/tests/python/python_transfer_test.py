#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The Python module on the device: exports and loans between processes."""
# Machine: python: needs Python in the guest
import errno
import os
import select
import signal
import socket

import device_case
import theseus_mm
from theseus_mm import DATA, PAGE_SIZE, Feature

SIZE = 16 * PAGE_SIZE


class TransferTest(device_case.DeviceCase):
    def make(self):
        mapping = self.client.create(SIZE)
        mapping.write(b"handed over")
        return mapping

    def with_child(self, action):
        """Start a child with one end of a socket. Return the other end, and how to wait."""
        ours, theirs = socket.socketpair()

        def run():
            ours.close()
            action(theirs)

        child = os.fork()
        if not child:
            os._exit(self.in_child(run))
        theirs.close()
        return ours, lambda: os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def test_a_mapping_moves_to_another_process(self):
        def receive(connection):
            _, numbers, _, _ = socket.recv_fds(connection, 1, 1)
            with theseus_mm.Client() as client:
                descriptor = theseus_mm.Descriptor(numbers[0])
                with descriptor.mmap() as window:
                    assert window[:11] == b"handed over"
                other = theseus_mm.Descriptor(os.dup(descriptor.fileno()))
                with client.import_mapping(descriptor) as mapping:
                    assert descriptor.closed
                    mapping.write(b"mine")
                    with self.refused(errno.ESTALE, "tmm_mapping_import"):
                        client.import_mapping(other)
                    assert not other.closed
                    connection.send(mapping.read(0, 4))
                    connection.recv(1)

        connection, wait = self.with_child(receive)
        mapping = self.make()
        descriptor = mapping.export()
        self.assertTrue(mapping.is_consumed)
        self.assertEqual(SIZE, os.fstat(descriptor.fileno()).st_size)
        socket.send_fds(connection, [b"."], [descriptor.fileno()])
        self.assertEqual(b"mine", connection.recv(4))
        for action in (descriptor.query, descriptor.revoke, descriptor.mmap,
                       lambda: self.client.take_back(descriptor)):
            with self.refused(errno.ESTALE):
                action()
        connection.send(b".")
        self.assertEqual(0, wait())
        descriptor.close()
        connection.close()

    def test_take_back(self):
        descriptor = self.make().export(read_only=True)
        info = descriptor.query()
        self.assertTrue(info.is_read_only and not info.is_lent)
        with descriptor.mmap() as window, self.refused(errno.EACCES):
            self.assertEqual(b"h", window.read_at(0, 1))
            descriptor.mmap(writable=True)
        window = descriptor.mmap()
        with self.client.take_back(descriptor) as mapping:
            with self.refused(errno.EFAULT):
                window.read_at(0, 1)
            window.close()
            mapping.write(b"H")
            self.assertEqual(b"Handed over", mapping.read(0, 11))
        with self.refused(errno.ESTALE, "tmm_mapping_take_back"):
            self.client.take_back(descriptor.export_id)
        descriptor.close()

    def test_closing_the_last_descriptor_drops_the_mapping(self):
        with self.make().export():
            self.assertEqual(1, self.counts()["nr_mappings"] - self.before["nr_mappings"])
        self.client.close()
        self.assertBack()

    def test_a_read_only_import_stays_read_only(self):
        with self.client.import_mapping(self.make().export(read_only=True)) as mapping:
            self.assertTrue(mapping.query().is_read_only)
            with self.refused(errno.EACCES, "tmm_mapping_remap"):
                mapping.remap(DATA)
            with self.refused(errno.EACCES, "tmm_mapping_unmap_into_parts"):
                mapping.take_apart()
            self.assertFalse(mapping.is_consumed)

    def test_a_reader_survives_a_revocation(self):
        def read(connection):
            with theseus_mm.Descriptor.receive(connection) as loan:
                assert loan.query().is_lent and loan.query().is_read_only
                with self.refused(errno.EACCES):
                    loan.mmap(writable=True)
                window = loan.mmap()
                assert window.read_at(0, 6) == b"handed"
                connection.send(b".")
                connection.recv(1)
                with self.refused(errno.EFAULT):
                    window.read_at(0, 6)
                with self.refused(errno.ESTALE):
                    loan.query()
                with self.refused(errno.ESTALE):
                    loan.mmap()
                window.close()
                poll = select.poll()
                poll.register(loan.fileno())
                assert poll.poll(0)[0][1] & select.POLLHUP

        connection, wait = self.with_child(read)
        with self.make() as mapping, mapping.lend(read_only=True) as loan:
            loan.send(connection)
            connection.recv(1)
            with self.refused(errno.EBUSY, "tmm_mapping_drop"):
                mapping.close()
            with self.refused(errno.EACCES, "tmm_mapping_import"):
                self.client.import_mapping(loan)
            self.assertEqual(1, mapping.revoke().nr_revoked)
            connection.send(b".")
            self.assertEqual(0, wait())
        connection.close()

    def test_a_reader_that_touches_a_revoked_window_dies(self):
        def read(connection):
            window = theseus_mm.Descriptor.receive(connection).mmap()
            assert window[0] == ord("h")
            connection.send(b".")
            connection.recv(1)
            window[0]

        ours, theirs = socket.socketpair()
        child = os.fork()
        if not child:
            ours.close()
            read(theirs)
            os._exit(0)
        theirs.close()
        with self.make().export() as descriptor:
            descriptor.send(ours)
            ours.recv(1)
            self.assertEqual(1, descriptor.revoke().nr_revoked)
            ours.send(b".")
            status = os.waitpid(child, 0)[1]
        self.assertEqual(-signal.SIGBUS, os.waitstatus_to_exitcode(status))
        ours.close()

    def test_a_message_without_a_descriptor(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.send(b".")
            with self.refused(errno.EBADMSG, "tmm_fd_receive"):
                theseus_mm.Descriptor.receive(theirs)
            theirs.close()
            with self.make().export() as descriptor:
                with self.refused(errno.EPIPE, "tmm_fd_send"):
                    descriptor.send(ours)

    def test_other_files_are_refused(self):
        with theseus_mm.Descriptor(os.open("/dev/null", os.O_RDWR)) as other:
            with self.refused(errno.EINVAL, "tmm_mapping_import"):
                self.client.import_mapping(other)
            with self.refused(errno.ENOTTY, "tmm_fd_query"):
                other.query()
            self.assertFalse(other.closed)

    def test_without_struct_pages_there_are_no_dmabufs(self):
        self.assertFalse(self.client.info().features & Feature.DMABUF)
        with self.make() as mapping:
            with self.refused(errno.EOPNOTSUPP, "tmm_mapping_export_dmabuf"):
                mapping.export_dmabuf()


if __name__ == "__main__":
    device_case.main()
