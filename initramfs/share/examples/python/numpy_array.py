#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Use a mapping as an array of NumPy, without a copy."""
import numpy

import theseus_mm

with theseus_mm.Client() as client:
    with client.create(8 << 20, contiguous=True) as mapping:
        with mapping.mmap(writable=True) as window:
            array = numpy.frombuffer(window, dtype=numpy.float64).reshape(1024, 1024)
            array[:] = numpy.arange(1024)
            print(f"{array.nbytes} bytes at {window.address:#x}, sum {array.sum():.0f}")

            # the memory stays while there are arrays, so the window cannot be closed yet
            try:
                window.close()
            except BufferError as error:
                print(f"not closed: {error}")
            del array
        # the window is closed, so the mapping can be read
        row = numpy.empty(1024)
        mapping.readinto(row, offset=8192)
        assert row[1023] == 1023
