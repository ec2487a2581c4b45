#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Own memory, use it, and give it back."""
import theseus_mm

with theseus_mm.Client() as client:
    with client.create(1 << 20) as mapping:
        # copies, whose errors are exceptions
        mapping.write(b"Hello, new owner!", offset=100)
        print(mapping.read(100, 17).decode())

        # a window: the memory itself
        with mapping.mmap(writable=True) as window:
            window[100:105] = b"HELLO"
            with memoryview(window) as view:
                print(bytes(view[100:117]).decode())
    print(f"{client.info().client_frames} frames are left")
