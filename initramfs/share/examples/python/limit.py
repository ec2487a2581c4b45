#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Reach a limit, wait until memory is free again, and try again."""
import errno
import threading

import theseus_mm

with theseus_mm.Client() as client:
    client.set_limits(frames=client.limits().client_frames + 1024)
    first = client.create(2 << 20)
    second = None
    timer = threading.Timer(0.2, first.close)
    timer.start()
    while second is None:
        try:
            second = client.create(3 << 20)
        except OSError as error:
            if error.errno not in (errno.EDQUOT, errno.ENOSPC):
                raise
            print(error)
            client.wait(timeout=10)
    timer.join()
    print(f"created {second.nr_bytes} bytes in the end")
    second.close()
