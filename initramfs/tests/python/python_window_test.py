#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The Python module on the device: windows, NumPy's arrays on them, and revocation."""
# Machine: python: needs Python in the guest
import ctypes
import errno
import gc
import mmap
import os
import signal
import sys
import threading

import numpy

import device_case
import theseus_mm
from theseus_mm import PAGE_SIZE, READ_ONLY_DATA

SIZE = 64 * PAGE_SIZE


class WindowTest(device_case.DeviceCase):
    def test_numpy_uses_the_memory_without_a_copy(self):
        mapping = self.client.create(SIZE)
        with mapping.mmap(writable=True) as window:
            array = numpy.frombuffer(window, dtype=numpy.uint32)
            self.assertEqual((SIZE // 4, window.address),
                             (array.size, array.__array_interface__["data"][0]))
            array[:] = numpy.arange(SIZE // 4)
            self.assertEqual(7, window[28])
            del array
        self.assertEqual(numpy.arange(SIZE // 4, dtype=numpy.uint32).tobytes(), mapping.read())
        with mapping.mmap() as window:
            array = numpy.frombuffer(window, dtype=numpy.uint32)
            self.assertFalse(array.flags.writeable)
            self.assertEqual(SIZE // 4 - 1, array[-1])
            with self.assertRaises(ValueError):
                array[0] = 1
            with self.assertRaises(ValueError):
                array.flags.writeable = True
            del array
        array = numpy.zeros(8)
        mapping.write(array + 1.5)
        mapping.readinto(array)
        self.assertEqual([1.5] * 8, list(array))
        with self.assertRaises(ValueError):
            mapping.write(array[::2])
        mapping.close()

    def test_arrays_keep_the_memory(self):
        mapping = self.client.create(SIZE)
        mapping.write(b"kept")
        window = mapping.mmap(writable=True)
        array = numpy.frombuffer(window, dtype=numpy.uint8)[:4].reshape(2, 2)
        self.assertRaises(BufferError, window.close)
        self.assertRaises(BufferError, mapping.close)
        self.client.close()
        del mapping, window
        gc.collect()
        self.assertEqual(b"kept", array.tobytes())
        array[:] = 1
        self.assertEqual(b"\1\1\1\1", array.tobytes())
        self.assertGreater(self.before["frames_free"], self.counts()["frames_free"])
        del array
        gc.collect()
        self.assertBack()

    def test_an_array_that_outlives_everything_gives_back_its_mapping(self):
        info = self.client.info()
        array = numpy.frombuffer(self.client.create(SIZE).mmap(), dtype=numpy.uint8)
        self.assertEqual(1 + 1 + (sys.version_info < (3, 13)),
                         self.client.info().client_handles - info.client_handles)
        self.assertEqual(0, array[5])
        del array
        self.assertEqual(info.client_handles, self.client.info().client_handles)
        self.assertEqual([], self.client._left_behind)

    def test_the_borrowing_rules(self):
        mapping = self.client.create(SIZE)
        with mapping.mmap() as first, mapping.mmap(PAGE_SIZE) as second:
            self.assertEqual((SIZE, SIZE - PAGE_SIZE), (len(first), len(second)))
            mapping.read(0, 1)
            self.assertEqual(2, mapping.query().nr_borrows)
            with self.refused(errno.EBUSY, "tmm_mapping_write"):
                mapping.write(b"x")
            with self.refused(errno.EBUSY):
                mapping.mmap(writable=True)
            for action in (lambda: mapping.split(PAGE_SIZE), mapping.export, mapping.take_apart,
                           lambda: mapping.remap(READ_ONLY_DATA), mapping.share):
                with self.refused(errno.EBUSY):
                    action()
            self.assertFalse(mapping.is_consumed)
        with mapping.mmap(writable=True):
            with self.refused(errno.EBUSY):
                mapping.mmap()
            with self.refused(errno.EBUSY, "tmm_mapping_read"):
                mapping.read(0, 1)
        mapping.share()
        with mapping.mmap(writable=True) as first, mapping.mmap(writable=True) as second:
            first[0] = 9
            self.assertEqual(9, second[0])
            self.assertEqual(b"\t", mapping.read(0, 1))
        mapping.share(False)
        mapping.remap(READ_ONLY_DATA)
        with self.refused(errno.EACCES):
            mapping.mmap(writable=True)
        mapping.close()

    def test_large_windows_are_aligned_for_large_pages(self):
        with self.client.create(8 << 20, leaf_size=2 << 20) as mapping:
            with mapping.mmap(writable=True, populate=True) as window:
                self.assertEqual(0, window.address % (2 << 20))
                window.prefault()
                window[(8 << 20) - 1] = 1

    def test_other_ways_to_mmap(self):
        with self.client.create(SIZE) as mapping:
            mapping.write(b"other way")
            offset = mapping.map_offset()
            with mmap.mmap(self.client.fileno(), SIZE, offset=offset, prot=mmap.PROT_READ) as area:
                self.assertEqual(b"other way", area[:9])
            with mapping.mmap() as window:
                self.assertEqual(b"other", ctypes.string_at(window.address, 5))
                self.assertEqual(b"other", window.read_at(0, 5))

    def test_a_window_of_the_mapping_is_no_buffer_for_its_copies(self):
        with self.client.create(SIZE) as mapping:
            with mapping.mmap(writable=True) as window:
                with self.refused(errno.EBUSY):
                    mapping.readinto(window)
                with self.refused(errno.EBUSY):
                    mapping.write(window)
            with self.client.create(SIZE) as other, other.mmap(writable=True) as window:
                mapping.write(b"to a window of another mapping")
                mapping.readinto(window)
                self.assertEqual(b"to a", window[:4])

    def test_threads_use_one_mapping(self):
        mapping = self.client.create(SIZE)
        mapping.share()
        errors = []

        def work(number):
            try:
                for _ in range(20):
                    mapping.write(bytes([number]) * PAGE_SIZE, number * PAGE_SIZE)
                    assert set(mapping.read(number * PAGE_SIZE, PAGE_SIZE)) == {number}
                    with mapping.mmap(number * PAGE_SIZE, PAGE_SIZE, writable=True) as window:
                        assert window[5] == number
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([], errors)
        mapping.close()


class RevokeTest(device_case.DeviceCase):
    def setUp(self):
        super().setUp()
        self.mapping = self.client.create(SIZE)
        self.mapping.write(b"secret")

    def tearDown(self):
        self.mapping.close()
        del self.mapping
        super().tearDown()

    def test_checked_copies_of_a_revoked_window_fail(self):
        window = self.mapping.mmap(writable=True)
        array = numpy.frombuffer(window, dtype=numpy.uint8)
        self.assertEqual(b"secret", window.read_at(0, 6))
        window.write_at(0, b"S")
        self.assertEqual(1, self.mapping.revoke().nr_revoked)
        for offset in (0, SIZE - 1):
            with self.refused(errno.EFAULT, "Window.read_at: the memory is revoked"):
                window.read_at(offset, 1)
            with self.refused(errno.EFAULT, "Window.write_at: the memory is revoked"):
                window.write_at(offset, b"x")
        self.assertEqual(b"Secret", self.mapping.read(0, 6))
        # the array is still no reason to crash, as long as nobody touches its memory
        self.assertRaises(BufferError, window.close)
        del array
        window.close()

    def test_touching_a_revoked_window_is_fatal(self):
        def child():
            with theseus_mm.Client() as client:
                mapping = client.create(PAGE_SIZE)
                array = numpy.frombuffer(mapping.mmap(), dtype=numpy.uint8)
                assert array[0] == 0
                mapping.revoke()
                array[0]

        self.assertEqual(-signal.SIGBUS, self.in_child(child))

    def test_a_failed_drop_after_a_revocation_succeeds(self):
        window = self.mapping.mmap()
        view = memoryview(window)
        self.mapping.revoke()
        with self.mapping.mmap(writable=True) as again:
            again[0:1] = b"!"
        self.assertRaises(BufferError, self.mapping.close)
        view.release()
        self.mapping.close()
        self.assertTrue(window.closed)


class ForkTest(device_case.DeviceCase):
    def test_a_child_has_no_windows(self):
        mapping = self.client.create(SIZE)
        window = mapping.mmap(writable=True)
        array = numpy.frombuffer(window, dtype=numpy.uint8)

        def child():
            with open("/proc/self/maps", encoding="ascii") as file:
                lines = [line for line in file if line.startswith(f"{window.address:x}-")]
            assert len(lines) == 1 and "---p 00000000 00:00 0" in lines[0], lines
            with self.refused(errno.EFAULT, "belongs to the parent process"):
                window.read_at(0, 1)
            window.close()

        self.assertEqual(0, self.in_child(child))
        self.assertEqual(-signal.SIGSEGV, self.in_child(lambda: array[0]))
        array[0] = 3
        self.assertEqual(3, window[0])

    def test_a_child_of_a_child_is_safe_too(self):
        mapping = self.client.create(SIZE)
        window = mapping.mmap()

        def child():
            nonlocal window, mapping
            with theseus_mm.Client() as client, client.create(SIZE) as own, own.mmap() as mine:
                assert self.in_child(lambda: mine.close()) == 0
                assert mine[0] == 0
            window = mapping = None
            gc.collect()
            assert self.in_child(lambda: None) == 0

        self.assertEqual(0, self.in_child(child))
        self.assertEqual(0, window[0])

    def test_a_child_makes_windows_of_inherited_descriptors(self):
        with self.client.create(SIZE) as mapping, mapping.lend() as loan:
            def child():
                with loan.mmap(writable=True) as window:
                    window[0:5] = b"child"

            self.assertEqual(0, self.in_child(child))
            self.assertEqual(b"child", mapping.read(0, 5))


if __name__ == "__main__":
    device_case.main()
