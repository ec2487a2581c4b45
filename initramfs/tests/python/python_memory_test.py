#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The Python module on the device: clients, pages, frames, mappings, copies, limits."""
# Machine: python: needs Python in the guest
import errno
import glob
import os
import signal
import subprocess
import sys
import threading
import time
import unittest

import device_case
import theseus_mm
from theseus_mm import DATA, PAGE_SIZE, READ_ONLY_DATA, CreateItem, Flags, Kind

SIZE = 64 * PAGE_SIZE


def find_edu():
    """Return the address and size of the registers of QEMU's device "edu"."""
    for folder in glob.glob("/sys/bus/pci/devices/*"):
        with open(f"{folder}/device", encoding="ascii") as device:
            if int(device.read(), 16) != 0x11E8:
                continue
        with open(f"{folder}/resource", encoding="ascii") as resource:
            start, end = (int(word, 16) for word in resource.readline().split()[:2])
        return start, end - start + 1
    raise unittest.SkipTest("the machine has no device edu")


class MemoryTest(device_case.DeviceCase):
    def test_content_is_zeroed_written_and_read(self):
        with self.client.create(SIZE) as mapping:
            self.assertEqual(bytes(SIZE), mapping.read())
            data = os.urandom(SIZE - 10)
            mapping.write(data, 10)
            self.assertEqual(data, mapping.read(10))
            self.assertEqual(data[:1000], mapping.read(10, 1000))
            buffer = bytearray(5)
            mapping.readinto(memoryview(buffer)[1:3], 10)
            self.assertEqual(b"\0" + data[:2] + b"\0\0", bytes(buffer))
            with self.refused(errno.ERANGE, "tmm_mapping_read: "):
                mapping.read(SIZE, 1)
            with self.refused(errno.ERANGE, "tmm_mapping_write: "):
                mapping.write(b"12", SIZE - 1)
            self.assertEqual(data[-1:], mapping.read(SIZE - 1))

    def test_create_has_its_options(self):
        with self.client.create(1, READ_ONLY_DATA) as mapping:
            self.assertEqual(PAGE_SIZE, mapping.nr_bytes)
            with self.refused(errno.EACCES, "tmm_mapping_write"):
                mapping.write(b"x")
        with self.client.create(4 << 20, contiguous=True, align=4 << 20,
                                leaf_size=theseus_mm.LARGE_PAGE_SIZE) as mapping:
            found = self.client.translate(mapping.address)
            self.assertEqual((0, 2 << 20), (found.paddr % (4 << 20), found.page_size))
            self.assertEqual(1, mapping.query().nr_frame_ranges)
        with self.client.create(SIZE, identity=True) as mapping:
            self.assertEqual(mapping.address, self.client.translate(mapping.address).paddr)
        for action, number in ((lambda: self.client.create(0), errno.EINVAL),
                               (lambda: self.client.create(SIZE, align=3), errno.EINVAL),
                               (lambda: self.client.create(1 << 60), errno.EDQUOT),
                               (lambda: self.client.create(SIZE, Flags.DEVICE_MEMORY | DATA),
                                errno.EOPNOTSUPP)):
            with self.refused(number, "tmm_mapping_create: "):
                action()

    def test_parts_of_mappings(self):
        mapping = self.client.create(SIZE)
        mapping.write(b"x" * SIZE)
        first, second = mapping.split(PAGE_SIZE)
        self.assertEqual((PAGE_SIZE, SIZE - PAGE_SIZE), (first.nr_bytes, second.nr_bytes))
        self.assertEqual(first.address + PAGE_SIZE, second.address)
        with self.refused(errno.EDOM, "tmm_mapping_merge"):
            second.merge(first)
        self.assertFalse(first.is_consumed or second.is_consumed)
        second.remap(READ_ONLY_DATA)
        with self.refused(errno.EMEDIUMTYPE):
            first.merge(second)
        second.remap(first.query().flags & ~Flags.DIRTY)
        first.remap(second.query().flags)
        first.merge(second)
        self.assertEqual((b"x" * SIZE, SIZE), (first.read(), first.nr_bytes))
        with self.refused(errno.ENOENT, "tmm_mapping_read"):
            second.read()
        pages, runs = first.take_apart()
        self.assertEqual(SIZE, sum(run.nr_bytes for run in runs))
        self.assertEqual(SIZE, pages.nr_bytes)

    def test_pages_and_frames(self):
        pages = self.client.allocate_pages(SIZE, align=2 << 20)
        self.assertEqual(0, pages.address % (2 << 20))
        with self.refused(errno.EADDRINUSE, "tmm_pages_allocate"):
            self.client.allocate_pages(SIZE, at=pages.address)
        start = pages.address
        first, second = pages.split(PAGE_SIZE)
        self.assertEqual((start, start + PAGE_SIZE), (first.address, second.address))
        first.merge(second)
        frames = self.client.allocate_frames(SIZE)
        self.assertGreater(frames.address, 0)
        with self.refused(errno.EINVAL, "tmm_pages_map_to"):
            first.map_to(self.client.allocate_frames(PAGE_SIZE))
        self.assertFalse(first.is_consumed)
        mapping = first.map_to(frames)
        self.assertEqual(start, mapping.address)
        mapping.close()
        inside = (start, start + SIZE + PAGE_SIZE)
        again = self.client.allocate_pages(SIZE, within=inside).map()
        self.assertIn(again.address, range(*inside))
        self.assertEqual(bytes(SIZE), again.read())
        low, high = self.client.allocate_frames(SIZE).split(PAGE_SIZE)
        low.merge(high)

    def test_many(self):
        made = self.client.create_many([PAGE_SIZE, 1 << 60, CreateItem(2 * PAGE_SIZE)])
        self.assertEqual(errno.EDQUOT, made[1].errno)
        with self.refused(errno.EDQUOT, "tmm_mapping_create_many"):
            self.client.create_many([PAGE_SIZE, 1 << 60], all_or_nothing=True)
        with made[0].mmap():
            with self.refused(errno.EBUSY, "tmm_mapping_drop_many"):
                self.client.drop_many([made[2], made[0]], all_or_nothing=True)
            self.assertFalse(made[0].is_consumed or made[2].is_consumed)
            errors = self.client.drop_many([made[0], made[2]])
            self.assertEqual((errno.EBUSY, None), (errors[0].errno, errors[1]))
        self.assertEqual([None], self.client.drop_many(made[:1]))
        self.assertEqual([], self.client.create_many([]))
        self.assertEqual([], self.client.drop_many([]))

    def test_looking(self):
        info = self.client.info()
        self.assertEqual(info.region_bytes, sum(self.client.region(index).nr_bytes
                                                for index in range(info.nr_regions)))
        with self.refused(errno.ERANGE, "tmm_client_region"):
            self.client.region(info.nr_regions)
        with self.client.create(SIZE) as mapping, self.client.allocate_frames(SIZE):
            kinds = {entry.handle: entry.kind for entry in self.client.handles()}
            self.assertEqual(Kind.MAPPING, kinds[mapping.handle])
            self.assertIn(Kind.FRAMES, kinds.values())
            entries = self.client.clients().entries
            mine = next(entry for entry in entries if entry.id == info.client_id)
            self.assertEqual((os.getpid(), 2), (mine.pid, mine.nr_handles))
            parts = self.client.occupancy(0)
            self.assertEqual(len(parts.buckets), len(parts.owners))
            self.assertIn(info.client_id, parts.owners)
            walk = self.client.dump_pte(mapping.address)
            self.assertTrue(info.paging_levels - 2 <= len(walk) <= info.paging_levels)
            self.assertEqual(PAGE_SIZE * 64, mapping.query().nr_bytes)
        with self.refused(errno.ENOENT, "tmm_client_translate"):
            self.client.translate(info.pages_start + (1 << 40))

    def test_limits_and_wait(self):
        self.client.set_limits(frames=self.client.limits().client_frames + 200)
        mapping = self.client.create(SIZE)
        with self.refused(errno.EDQUOT, "tmm_mapping_create: a limit of the client"):
            self.client.create(200 * PAGE_SIZE)
        start = time.monotonic()
        with self.refused(errno.ETIMEDOUT, "tmm_client_wait"):
            self.client.wait(0.3)
        self.assertGreaterEqual(time.monotonic() - start, 0.3)
        timer = threading.Timer(0.2, mapping.close)
        timer.start()
        self.client.wait(20)
        timer.join()
        self.assertTrue(mapping.is_consumed)
        with self.refused(errno.EINVAL, "tmm_client_set_limits"):
            self.client.set_limits()
        self.client.set_limits(frames=theseus_mm.NO_LIMIT)
        self.assertEqual(theseus_mm.NO_LIMIT, self.client.limits().client_frames_max)

    def test_clients(self):
        number = os.open(theseus_mm.DEVICE, os.O_RDONLY | os.O_CLOEXEC)
        with theseus_mm.Client.from_fd(number) as reader:
            reader.info()
            with self.refused(errno.EBADF, "tmm_mapping_create"):
                reader.create(SIZE)
        with open("/dev/null", "rb") as file, self.refused(errno.ENOTTY, "tmm_client_from_fd"):
            theseus_mm.Client.from_fd(file.fileno())
        other = theseus_mm.Client()
        mapping, theirs = self.client.create(PAGE_SIZE), other.create(PAGE_SIZE)
        with self.refused(errno.EXDEV, "tmm_mapping_merge"):
            mapping.merge(theirs)
        other.close()
        with self.refused(errno.EBADF, "tmm_mapping_write"):
            theirs.write(b"x")

    def test_without_capabilities(self):
        def child():
            with theseus_mm.Client() as client:
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
                with client.create(SIZE) as mapping:
                    for action in (lambda: client.translate(mapping.address),
                                   lambda: client.create(SIZE, identity=True),
                                   lambda: client.map_frame_range(0xFE000000, PAGE_SIZE, DATA),
                                   lambda: client.add_device_region(
                                       0xFE000000, PAGE_SIZE, theseus_mm.Memory.UNCACHED),
                                   lambda: client.remove_device_region(0xFE000000, PAGE_SIZE)):
                        with self.refused(errno.EPERM, "a capability is missing (EPERM)"):
                            action()
            with self.refused(errno.EACCES, "may this user open the device?"):
                theseus_mm.Client()

        self.assertEqual(0, self.in_child(child))

    def test_device_memory(self):
        start, nr_bytes = find_edu()
        self.client.add_device_region(start, nr_bytes, theseus_mm.Memory.UNCACHED)
        try:
            with self.client.map_frame_range(start, PAGE_SIZE,
                                             Flags.DEVICE_MEMORY | DATA) as mapping:
                # the lowest byte of the device's identification
                self.assertEqual(0xED, mapping.read(0, 4)[0])
                with self.refused(errno.EBUSY, "tmm_client_remove_device_region"):
                    self.client.remove_device_region(start, nr_bytes)
        finally:
            self.client.remove_device_region(start, nr_bytes)


class ProcessTest(device_case.DeviceCase):
    def test_an_exception_gives_everything_back(self):
        with self.assertRaises(ZeroDivisionError):
            with theseus_mm.Client() as client, client.create(SIZE) as mapping:
                with mapping.mmap(writable=True) as window:
                    window[0] // 0
        self.assertBackExceptClient()

    def assertBackExceptClient(self):
        self.client.close()
        self.assertBack()

    def test_a_child_drops_nothing_of_its_parent(self):
        mapping = self.client.create(SIZE)
        mapping.write(b"parent")

        def child():
            nonlocal mapping
            with self.refused(errno.EBADF):
                mapping.read()
            mapping.close()
            mapping = None
            with theseus_mm.Client() as client, client.create(SIZE):
                pass

        self.assertEqual(0, self.in_child(child))
        self.assertEqual(b"parent", mapping.read(0, 6))
        mapping.close()

    def test_a_child_does_not_keep_its_parents_client(self):
        reader, writer = os.pipe()
        mapping = self.client.create(SIZE)
        child = os.fork()
        if not child:
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)
        os.close(reader)
        self.client.close()
        self.assertBack()
        os.close(writer)
        os.waitpid(child, 0)
        self.assertTrue(mapping.client.closed)

    def test_whatever_ends_python_gives_back(self):
        program = ("import os, signal, sys, theseus_mm\n"
                   "client = theseus_mm.Client()\n"
                   "mapping = client.create(1 << 20)\n"
                   "view = memoryview(mapping.mmap(writable=True))\n"
                   "view[0] = 1\n"
                   "other = client.create(4096).export()\n")
        self.client.close()
        for end, status in (("", 0), ("sys.exit(3)", 3), ("os._exit(4)", 4), ("1 // 0", 1),
                            ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL)):
            done = subprocess.run([sys.executable, "-X", "dev", "-c", program + end],
                                  stderr=subprocess.PIPE, text=True)
            self.assertEqual(status, done.returncode, done.stderr)
            self.assertEqual("ZeroDivisionError" if status == 1 else "",
                             done.stderr.strip().split("\n")[-1].split(":")[0])
            self.assertBack()


if __name__ == "__main__":
    device_case.main()
