#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The Python module on the device, loaded with struct_pages=1: dma-bufs, and pinned windows."""
# Machine: python: needs Python in the guest
import errno
import mmap

import device_case
from theseus_mm import Feature

SIZE = 1 << 20


class DmaBufTest(device_case.DeviceCase):
    def test_a_dmabuf_borrows_until_it_is_closed(self):
        self.assertTrue(self.client.info().features & Feature.DMABUF)
        with self.client.create(SIZE) as mapping:
            mapping.write(b"for a device")
            with mapping.export_dmabuf() as buffer:
                self.assertEqual(SIZE, buffer.nr_bytes)
                with mmap.mmap(buffer.fileno(), SIZE) as area:
                    self.assertEqual(b"for a device", area[:12])
                with self.refused(errno.EBUSY, "tmm_mapping_drop"):
                    mapping.close()
                with self.refused(errno.EBUSY):
                    mapping.mmap()
            self.assertTrue(buffer.closed)
            with mapping.mmap(writable=True) as window:
                window.write_at(0, b"F")
            self.assertEqual(b"For", mapping.read(0, 3))

    def test_a_child_has_no_windows(self):
        with self.client.create(SIZE) as mapping, mapping.mmap(writable=True) as window:
            def child():
                with self.refused(errno.EFAULT):
                    window.read_at(0, 1)

            self.assertEqual(0, self.in_child(child))
            window[0] = 1


if __name__ == "__main__":
    device_case.main()
