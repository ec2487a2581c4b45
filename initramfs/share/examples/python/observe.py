#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Show the regions, the clients, and the objects of this client."""
import theseus_mm

with theseus_mm.Client() as client, client.create(1 << 20) as mapping:
    info = client.info()
    print(f"{info.frames_free} of {info.frames_total} frames are free, {info.features!r}")
    for index in range(info.nr_regions):
        region = client.region(index)
        occupancy = client.occupancy(index)
        mapped = sum(bucket.mapped for bucket in occupancy.buckets)
        print(f"region {index}: {region.nr_bytes >> 20} MiB at {region.start:#x}, "
              f"{mapped} frames mapped")
    for entry in client.clients().entries:
        print(f"client {entry.id}: {entry.comm}, {entry.nr_frames} frames")
    for handle in client.handles():
        print(f"handle {handle.handle}: {handle.kind.name}, {handle.nr_bytes} bytes")
    print(mapping.query())
    try:
        print(f"at physical address {client.translate(mapping.address).paddr:#x}")
    except PermissionError as error:
        print(error)
