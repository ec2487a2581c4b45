#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: python_test.py

Tests of the Python module that need no device: the library is linked with the fake kernel of
libtmm_kernel.c, whose mappings have 16 KiB. LD_LIBRARY_PATH names its folder.
"""
import ctypes
import errno
import gc
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import theseus_mm
from child import run_in_child
from theseus_mm import _library, _object, _window

SIZE = 16384


class Fake(ctypes.Structure):
    """struct libtmm_fake"""

    _fields_ = [
        ("error", ctypes.c_int), ("nr_calls", ctypes.c_int), ("last", ctypes.c_ulong),
        ("argument", ctypes.c_uint64 * 32), ("handle", ctypes.c_uint32),
        ("nr_runs", ctypes.c_uint32), ("nr_races", ctypes.c_int),
        ("nr_clients", ctypes.c_uint32), ("bad_item", ctypes.c_uint32),
        ("is_real", ctypes.c_bool),
    ]


fake = Fake.in_dll(_library.LIB, "fake")


def open_descriptors():
    return set(os.listdir("/proc/self/fd"))


class Case(unittest.TestCase):
    def setUp(self):
        gc.collect()
        self.before = open_descriptors()
        fake.error = fake.bad_item = 0
        fake.nr_runs = fake.nr_clients = 3
        self.client = self.new_client()

    def tearDown(self):
        fake.error = 0
        self.client.close()
        del self.client
        gc.collect()
        self.assertEqual(self.before, open_descriptors())

    def new_client(self):
        return theseus_mm.Client.from_fd(os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC))

    def refused(self, number, text=""):
        case = self

        class Refused:
            def __enter__(self):
                return self

            def __exit__(self, kind, error, _):
                case.assertIsNotNone(kind, f"nothing was raised instead of errno {number}")
                case.assertTrue(issubclass(kind, OSError), repr(error))
                case.assertEqual(number, error.errno, str(error))
                case.assertIn(text, str(error))
                case.assertRegex(str(error), r" \(E[A-Z]+\)$")
                return True

        return Refused()

    def nr_drops(self, action):
        """Return the number of calls that the action makes."""
        before = fake.nr_calls
        action()
        return fake.nr_calls - before

    def in_child(self, action):
        return run_in_child(action)


class ErrorTest(Case):
    def test_open_names_the_call_and_the_remedy(self):
        with self.assertRaises(FileNotFoundError) as caught:
            theseus_mm.Client("/nonexistent")
        self.assertEqual(errno.ENOENT, caught.exception.errno)
        self.assertIn("tmm_client_open: ", str(caught.exception))
        self.assertIn("is the module theseus_mm loaded?", str(caught.exception))
        with self.assertRaises(ValueError):
            theseus_mm.Client("a\0b")

    def test_each_error_of_the_kernel_names_the_call(self):
        mapping = self.client.create(SIZE)
        for number in (errno.EDQUOT, errno.ENOSPC, errno.EPERM, errno.EIO, errno.EBUSY):
            fake.error = number
            with self.refused(number, "tmm_mapping_create: "):
                self.client.create(SIZE)
            with self.refused(number, "tmm_mapping_read: "):
                mapping.read()
            with self.refused(number, "tmm_mapping_split: "):
                mapping.split(4096)
            self.assertFalse(mapping.is_consumed)
        fake.error = 0
        mapping.close()

    def test_from_fd_keeps_the_callers_descriptor_on_failure(self):
        reader, writer = os.pipe()
        fake.is_real = True
        try:
            with self.refused(errno.ENOTTY, "tmm_client_from_fd"):
                theseus_mm.Client.from_fd(reader)
        finally:
            fake.is_real = False
        os.close(reader)
        os.close(writer)

    def test_numbers_that_do_not_fit_are_refused(self):
        mapping = self.client.create(SIZE)
        for action in (lambda: self.client.create(-1), lambda: self.client.create(1 << 64),
                       lambda: mapping.read(-1, 1), lambda: mapping.write(b"", 1 << 64),
                       lambda: mapping.split(-4096), lambda: self.client.region(1 << 32),
                       lambda: self.client.translate(-1),
                       lambda: self.client.take_back(1 << 32),
                       lambda: self.client.set_limits(frames=-1),
                       lambda: self.client.allocate_pages(4096, at=1, within=(1, 2)),
                       lambda: theseus_mm.Descriptor(-1),
                       lambda: self.client.create_many([1] * 65537)):
            before = fake.nr_calls
            self.assertRaises(ValueError, action)
            self.assertEqual(before, fake.nr_calls)
        mapping.close()

    def test_a_library_that_cannot_be_loaded_is_an_import_error(self):
        # an empty file hides a library that the machine may have in another folder
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, _library.LIBRARY), "wb"):
                pass
            environment = dict(os.environ, LD_LIBRARY_PATH=folder)
            done = subprocess.run([sys.executable, "-c", "import theseus_mm"], env=environment,
                                  stderr=subprocess.PIPE, text=True)
        self.assertEqual(1, done.returncode)
        self.assertIn("ImportError: libtmm.so.0 cannot be loaded", done.stderr)
        self.assertIn("install the package libtmm0", done.stderr)


class ObjectTest(Case):
    def test_results_are_those_of_the_kernel(self):
        info = self.client.info()
        self.assertEqual((0, 0, 0), info.frames_largest)
        self.assertIsInstance(info.features, theseus_mm.Feature)
        self.assertEqual(3, self.client.limits().client_frames)
        self.assertEqual(theseus_mm.NO_LIMIT, self.client.limits().user_frames_max)
        clients = self.client.clients()
        self.assertEqual(("exactly-15-long", 3, -1),
                         (clients.entries[2].comm, clients.entries[2].id, clients.entries[2].pid))
        self.assertEqual((2, 3, 4),
                         (clients.nr_hidden, clients.hidden_frames, clients.orphan_frames))
        handles = self.client.handles()
        self.assertEqual(153, len(handles))
        self.assertEqual((theseus_mm.Kind.MAPPING, theseus_mm.DATA, True),
                         (handles[0].kind, handles[0].flags, handles[0].is_exclusive))
        occupancy = self.client.occupancy(0)
        self.assertEqual([(0, 7), (4, 7)], [(occupancy.buckets[i].free, occupancy.buckets[i].bad)
                                            for i in (0, 4)])
        self.assertEqual((10, 11, 12, 13, 14), occupancy.owners)
        self.assertEqual((0, 0), (self.client.region(0).start, self.client.region(0).nr_bytes))
        self.assertEqual((), self.client.dump_pte(0))
        self.assertEqual(1, self.client.translate(0).page_size)

    def test_flags_can_be_combined(self):
        self.assertEqual(theseus_mm.READ_ONLY_DATA,
                         theseus_mm.DATA & ~theseus_mm.Flags.WRITABLE)

    def test_a_mapping_has_its_address_size_and_handle(self):
        mapping = self.client.create(SIZE)
        self.assertEqual((0x40000, SIZE, fake.handle),
                         (mapping.address, mapping.nr_bytes, mapping.handle))
        self.assertIn(f"{SIZE} bytes", repr(mapping))
        mapping.close()
        self.assertEqual((0, 0, 0), (mapping.address, mapping.nr_bytes, mapping.handle))
        self.assertIn("consumed", repr(mapping))

    def test_consuming_calls_consume(self):
        pages = self.client.allocate_pages(SIZE)
        first, second = pages.split(4096)
        self.assertTrue(pages.is_consumed)
        first.merge(second)
        self.assertTrue(second.is_consumed)
        frames = self.client.allocate_frames(SIZE)
        mapping = first.map_to(frames)
        self.assertTrue(first.is_consumed and frames.is_consumed)
        pages, runs = mapping.take_apart()
        self.assertTrue(mapping.is_consumed)
        self.assertEqual(3, len(runs))
        self.assertEqual(3 + 1, self.nr_drops(lambda: [run.close() for run in [pages, *runs]]))
        for action in (mapping.read, mapping.query, mapping.export, mapping.lend,
                       lambda: mapping.split(4096), mapping.take_apart, mapping.mmap,
                       lambda: mapping.merge(mapping), mapping.export_dmabuf):
            try:
                action()
                self.fail("a consumed mapping was used")
            except OSError as error:
                self.assertEqual(errno.ENOENT, error.errno)

    def test_merging_with_itself_changes_nothing(self):
        mapping = self.client.create(SIZE)
        with self.refused(errno.ENOENT, "tmm_mapping_merge"):
            mapping.merge(mapping)
        self.assertFalse(mapping.is_consumed)
        mapping.close()

    def test_many_report_each_item(self):
        fake.bad_item = 2
        mappings = self.client.create_many([4096, theseus_mm.CreateItem(8192), 4096])
        self.assertEqual([4096, 4096], [mappings[i].nr_bytes for i in (0, 2)])
        self.assertEqual(errno.EBUSY, mappings[1].errno)
        with self.refused(errno.EBUSY, "tmm_mapping_create_many"):
            self.client.create_many([4096] * 3, all_or_nothing=True)
        fake.bad_item = 1
        pair = [mappings[0], mappings[2]]
        errors = self.client.drop_many(pair)
        self.assertEqual((errno.EBUSY, None), (errors[0].errno, errors[1]))
        self.assertEqual([False, True], [mapping.is_consumed for mapping in pair])
        with self.refused(errno.ENOENT, "tmm_mapping_drop_many"):
            self.client.drop_many(pair)
        self.assertFalse(pair[0].is_consumed)
        other = self.new_client()
        with self.refused(errno.EXDEV):
            other.drop_many(pair[:1])
        other.close()
        fake.bad_item = 0
        self.assertEqual([None], self.client.drop_many(pair[:1]))

    def test_with_gives_back(self):
        def use():
            with self.client.create(SIZE) as mapping:
                self.assertFalse(mapping.is_consumed)
            self.assertTrue(mapping.is_consumed)

        self.assertEqual(2, self.nr_drops(use))

    def test_with_gives_back_on_an_exception(self):
        with self.assertRaises(KeyError):
            with self.client.create(SIZE) as mapping:
                raise KeyError
        self.assertTrue(mapping.is_consumed)

    def test_with_leaves_what_was_handed_over(self):
        with self.client.create(SIZE) as mapping:
            descriptor = mapping.export()
        self.assertEqual(44, descriptor.export_id)
        descriptor.close()

    def test_the_collector_gives_back(self):
        mapping = self.client.create(SIZE)

        def forget():
            nonlocal mapping
            mapping = None

        self.assertEqual(1, self.nr_drops(forget))

    def test_what_cannot_be_dropped_goes_with_the_client(self):
        mapping = self.client.create(SIZE)
        fake.error = errno.EBUSY
        del mapping
        fake.error = 0
        self.assertEqual(1, len(self.client._left_behind))
        self.client.close()
        self.assertEqual([], self.client._left_behind)

    def test_objects_outlive_their_client(self):
        mapping = self.client.create(SIZE)
        self.client.close()
        self.client.close()
        with self.refused(errno.EBADF, "tmm_mapping_read"):
            mapping.read()
        with self.refused(errno.EBADF, "tmm_client_info"):
            self.client.info()
        self.assertRaises(ValueError, self.client.fileno)
        mapping.close()

    def test_bytes_are_checked(self):
        mapping = self.client.create(SIZE)
        self.assertEqual(b"\0" * 5, mapping.read(0, 5))
        self.assertEqual(SIZE - 100, len(mapping.read(100)))
        mapping.write(bytearray(5))
        mapping.write(memoryview(b"12345"), 7)
        self.assertEqual([7, 5], fake.argument[1:3])
        self.assertRaises(BufferError, mapping.readinto, b"read-only")
        self.assertRaises(TypeError, mapping.write, "text")
        self.assertRaises(BufferError, mapping.write, memoryview(b"12345")[::2])
        mapping.close()


class DescriptorTest(Case):
    def test_send_receive_and_import(self):
        ours, theirs = socket.socketpair()
        with ours, theirs, self.client.create(SIZE).export(read_only=True) as descriptor:
            descriptor.send(ours)
            received = theseus_mm.Descriptor.receive(theirs)
            socket.send_fds(ours, [b"."], [descriptor.fileno()])
            numbers = socket.recv_fds(theirs, 1, 1)[1]
            self.assertIsNone(received.export_id)
            self.assertEqual(theseus_mm.DATA, received.query().flags)
            self.assertEqual((5, 2), (received.revoke().nr_revoked, received.revoke().nr_pinned))
            mapping = self.client.import_mapping(received)
            self.assertTrue(received.closed)
            mapping.close()
            mapping = self.client.import_mapping(numbers[0])
            self.assertRaises(OSError, os.fstat, numbers[0])
            mapping.close()
            ours.close()
            with self.assertRaises(ConnectionResetError) as caught:
                theseus_mm.Descriptor.receive(theirs)
            self.assertIn("tmm_fd_receive", str(caught.exception))

    def test_a_failed_import_keeps_the_descriptor(self):
        with self.client.create(SIZE).export() as descriptor:
            fake.error = errno.ESTALE
            with self.refused(errno.ESTALE, "tmm_mapping_import"):
                self.client.import_mapping(descriptor)
            self.assertFalse(descriptor.closed)
            with self.refused(errno.ESTALE, "tmm_mapping_take_back"):
                self.client.take_back(descriptor)
            fake.error = 0
            self.client.take_back(descriptor).close()
            self.client.take_back(descriptor.export_id).close()
        self.assertRaises(ValueError, self.client.take_back, theseus_mm.Descriptor(os.dup(0)))

    def test_descriptors_close_once(self):
        descriptor = self.client.create(SIZE).export()
        number = descriptor.detach()
        descriptor.close()
        self.assertRaises(ValueError, descriptor.fileno)
        os.close(number)
        with self.client.create(SIZE) as mapping, mapping.export_dmabuf() as buffer:
            self.assertEqual(SIZE, buffer.nr_bytes)
        self.assertTrue(buffer.closed)
        self.client.create(SIZE).export()


class WindowTest(Case):
    def setUp(self):
        super().setUp()
        self.mapping = self.client.create(SIZE)

    def tearDown(self):
        self.mapping.close()
        del self.mapping
        super().tearDown()

    def test_a_window_is_a_buffer(self):
        with self.mapping.mmap(writable=True) as window:
            window[0:5] = b"hello"
            view = memoryview(window)
            self.assertEqual((SIZE, "B", False), (view.nbytes, view.format, view.readonly))
            self.assertEqual(b"hello", bytes(view[:5]))
            self.assertEqual(window.address % mmap.PAGESIZE, 0)
            self.assertEqual(b"hello", ctypes.string_at(window.address, 5))
            window.prefault()
            window.flush()
            view.release()
        self.assertTrue(window.closed)
        self.assertIn("closed", repr(window))

    def test_a_window_without_write_is_read_only(self):
        with self.mapping.mmap() as window:
            with memoryview(window) as view:
                self.assertTrue(view.readonly)
            with self.assertRaises(TypeError):
                window[0:1] = b"x"
            with self.refused(errno.EACCES, "Window.write_at"):
                window.write_at(0, b"x")

    def test_close_with_buffers_raises_and_changes_nothing(self):
        window = self.mapping.mmap(writable=True)
        view = memoryview(window)[4096:]
        self.assertRaises(BufferError, window.close)
        self.assertRaises(BufferError, self.mapping.close)
        self.assertFalse(self.mapping.is_consumed)
        with self.assertRaises(BufferError):
            with window:
                pass
        view[0] = 7
        self.assertEqual(7, window[4096])
        view.release()
        self.mapping.close()
        self.assertTrue(window.closed)

    def test_an_exception_goes_on_and_the_memory_goes_with_the_buffer(self):
        def use():
            with self.client.create(SIZE) as mapping, mapping.mmap(writable=True) as window:
                buffers.append(memoryview(window))
                raise KeyError

        buffers = []
        with self.assertRaises(KeyError):
            use()
        buffers[0][0] = 1
        self.assertEqual(1, self.nr_drops(buffers.clear))

    def test_buffers_outlive_all_other_references(self):
        view = memoryview(self.mapping.mmap(writable=True))
        self.client.close()
        gc.collect()
        view[SIZE - 1] = 5
        self.assertEqual(5, view[SIZE - 1])
        view.release()

    def test_a_forgotten_window_lets_its_mapping_go(self):
        mapping = self.client.create(SIZE)
        window = mapping.mmap()
        address = window.address
        mapping = None
        self.assertEqual(1, self.nr_drops(lambda: window.close()))
        window = None
        self.assertFalse(any(line.startswith(f"{address:x}-") for line in open_maps()))

    def test_parts(self):
        with self.mapping.mmap(4096, 8192, writable=True, populate=True) as window:
            self.assertEqual((8192, 8192, True),
                             (len(window), window.nr_bytes, window.is_writable))
        self.assertEqual(window.nr_bytes, window.size())
        for offset, nr_bytes, number in ((1, 4096, errno.EINVAL), (0, 0, errno.EINVAL),
                                         (SIZE, None, errno.EINVAL), (0, SIZE + 1, errno.ERANGE),
                                         (SIZE + 4096, None, errno.ERANGE),
                                         (-4096, 4096, errno.ERANGE), (0, -1, errno.ERANGE)):
            with self.refused(number, "Mapping.mmap"):
                self.mapping.mmap(offset, nr_bytes)
        with self.mapping.mmap() as window, self.refused(errno.EOPNOTSUPP, "(EOPNOTSUPP)"):
            window.resize(4096)
        with self.client.create(SIZE).lend(read_only=True) as loan:
            with open("/dev/null", "rb") as null:
                os.dup2(null.fileno(), loan.fileno(), inheritable=False)
            with self.refused(errno.ENODEV, "mmap: "):
                _window.make_window(loan.fileno(), 0, SIZE, False, False, None)
        fake.error = errno.EDQUOT
        with self.refused(errno.EDQUOT, "tmm_mapping_lend"):
            self.mapping.mmap()
        fake.error = 0

    def test_checked_copies(self):
        with self.mapping.mmap(writable=True) as window:
            data = os.urandom(SIZE - 3)
            window.write_at(3, data)
            self.assertEqual(b"\0\0\0" + data, window.read_at(0, SIZE))
            self.assertEqual(b"", window.read_at(SIZE, 0))
            for offset, nr_bytes in ((0, SIZE + 1), (SIZE, 1), (-1, 1), (0, -1)):
                with self.refused(errno.ERANGE, "Window.read_at"):
                    window.read_at(offset, nr_bytes)
            with self.refused(errno.ERANGE, "Window.write_at"):
                window.write_at(SIZE - 1, b"12")
            self.assertEqual(data[-1], window[SIZE - 1])

    def test_checked_copies_of_memory_that_is_gone(self):
        """A file that became shorter raises SIGBUS, as a revoked window does."""
        with self.client.create(SIZE).export() as descriptor:
            window = descriptor.mmap(writable=True)
            os.ftruncate(descriptor.fileno(), 4096)
            # fork() inherits windows of the fake kernel
            self.assertEqual(-signal.SIGBUS, self.in_child(lambda: window[8192]))
            self.assertEqual(bytes(4096), window.read_at(0, 4096))
            try:
                window.read_at(0, SIZE)
                self.fail("nothing was raised")
            except OSError as error:
                caught = error
            self.assertEqual(errno.EFAULT, caught.errno)
            self.assertIn("Window.read_at: the memory is revoked", str(caught))
            with self.refused(errno.EFAULT, "Window.write_at: the memory is revoked"):
                window.write_at(8192, b"x")
            # the frames of the caught exception refer to the window, but not to its memory
            window.close()


def open_maps():
    with open("/proc/self/maps", encoding="ascii") as file:
        return file.readlines()


class ThreadTest(Case):
    def test_consuming_calls_exclude_calls_of_other_threads(self):
        mapping = self.client.create(SIZE)
        with mapping._borrow("read"):
            for action in (mapping.export, lambda: mapping.split(4096), mapping.close):
                with self.refused(errno.EBUSY, "a call of another thread uses the object"):
                    action()
            with self.refused(errno.EBUSY, "tmm_client_close"):
                self.client.close()
        self.assertFalse(mapping.is_consumed or self.client.closed)
        mapping.close()

    def test_an_exception_is_not_replaced_by_that_of_close(self):
        with self.assertRaises(KeyError):
            with self.new_client() as client:
                calls = client._use("tmm_client_wait", errno.EBADF)
                calls.__enter__()
                raise KeyError
        self.assertFalse(client.closed)
        calls.__exit__(None, None, None)
        client.close()

    def test_one_of_many_threads_consumes(self):
        won = []

        def consume(mapping):
            try:
                won.append(mapping.split(4096))
            except OSError as error:
                self.assertIn(error.errno, (errno.ENOENT, errno.EBUSY))

        for _ in range(20):
            mapping = self.client.create(SIZE)
            threads = [threading.Thread(target=consume, args=(mapping,)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(1, len(won))
            won.clear()

    def test_wait_ends_and_handles_signals(self):
        # /dev/null is always ready, an empty pipe never
        self.client.wait()
        reader, writer = os.pipe()
        handled = []
        old = signal.signal(signal.SIGALRM, lambda *_: handled.append(1))
        try:
            with theseus_mm.Client.from_fd(reader) as client:
                signal.setitimer(signal.ITIMER_REAL, 0.05)
                start = time.monotonic()
                with self.assertRaises(TimeoutError):
                    client.wait(0.2)
                self.assertGreaterEqual(time.monotonic() - start, 0.2)
                self.assertEqual([1], handled)
                with self.assertRaises(TimeoutError):
                    client.wait(0)
        finally:
            signal.signal(signal.SIGALRM, old)
            os.close(writer)


class ProcessTest(Case):
    def test_a_child_drops_nothing_of_its_parent(self):
        mapping = self.client.create(SIZE)
        number = self.client.fileno()

        def child():
            nonlocal mapping
            assert self.client.closed
            for action in (mapping.read, mapping.export, self.client.info):
                with self.refused(errno.EBADF):
                    action()
            try:
                os.fstat(number)
                raise AssertionError("the child has the client's descriptor")
            except OSError:
                pass
            before = fake.nr_calls
            mapping.close()
            with self.new_client() as client:
                client.create(SIZE).close()
            assert fake.nr_calls - before == 3, "the child called the kernel for its parent"

        self.assertEqual(0, self.in_child(child))
        self.assertFalse(self.client.closed or mapping.is_consumed)
        mapping.close()

    def test_a_child_of_a_thread_in_a_call_is_not_stuck(self):
        mapping = self.client.create(SIZE)

        def child():
            with self.refused(errno.EBADF):
                mapping.read()

        with mapping._borrow("read"), _object._lock:
            done = []
            thread = threading.Thread(target=lambda: done.append(self.in_child(child)))
            thread.start()
            thread.join(20)
        self.assertEqual([0], done)
        mapping.close()

    def child_of_windows(self, action):
        """Run the action in a child whose kernel does not inherit windows, as the device's."""
        with self.client.create(SIZE) as mapping, mapping.mmap(writable=True) as window:
            window.madvise(mmap.MADV_DONTFORK)
            with memoryview(window) as view:
                return self.in_child(lambda: action(window, view))

    def test_a_child_keeps_other_memory_out_of_inherited_windows(self):
        def child(window, view):
            maps = [line for line in open_maps() if line.startswith(f"{window.address:x}-")]
            assert len(maps) == 1 and "---p" in maps[0], maps
            with self.refused(errno.EFAULT, "belongs to the parent process"):
                window.read_at(0, 1)
            with self.refused(errno.EFAULT, "belongs to the parent process"):
                window.prefault()
            window.close()
            assert not window.closed and "inherited" in repr(window)
            assert self.in_child(lambda: None) == 0

        self.assertEqual(0, self.child_of_windows(child))

    def test_a_child_that_touches_an_inherited_window_dies(self):
        self.assertEqual(-signal.SIGSEGV, self.child_of_windows(lambda window, view: view[0]))

    def test_a_hole_that_is_filled_already_is_never_unmapped(self):
        with self.client.create(SIZE) as mapping:
            window = mapping.mmap()
            address = window.address

            def child():
                # without MADV_DONTFORK the memory is still there, as if it was another's
                nonlocal window
                mapping._windows.clear()
                window = None
                gc.collect()
                assert any(line.startswith(f"{address:x}-") for line in open_maps())

            self.assertEqual(0, self.in_child(child))

    def test_python_ends_with_everything_open(self):
        program = ("import os, theseus_mm\n"
                   "client = theseus_mm.Client.from_fd(os.open('/dev/null', os.O_RDWR))\n"
                   "mapping = client.create(16384)\n"
                   "window = mapping.mmap(writable=True)\n"
                   "view = memoryview(window)\n"
                   "export = client.create(4096).export()\n"
                   "loop = [client, mapping, window, view]\n"
                   "loop.append(loop)\n")
        done = subprocess.run([sys.executable, "-X", "dev", "-c", program],
                              stderr=subprocess.PIPE, text=True)
        self.assertEqual((0, ""), (done.returncode, done.stderr))

    def test_settling_reports_no_failure_of_mmap(self):
        calls = []
        with self.client.create(SIZE) as mapping:
            window = mapping.mmap()
            _window.settle_windows(lambda *arguments: calls.append(arguments) or arguments[0])
            self.assertEqual([(window.address, SIZE)], [call[:2] for call in calls])
            window._is_inherited = False


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
