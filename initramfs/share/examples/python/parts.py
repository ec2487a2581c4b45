#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Allocate pages and frames, map them, split and merge, and create many mappings at once."""
import theseus_mm
from theseus_mm import DATA, READ_ONLY_DATA, CreateItem

with theseus_mm.Client() as client:
    pages = client.allocate_pages(64 << 10, align=theseus_mm.LARGE_PAGE_SIZE)
    frames = client.allocate_frames(64 << 10)
    mapping = pages.map_to(frames, DATA)
    first, second = mapping.split(4096)
    second.remap(READ_ONLY_DATA)
    try:
        second.write(b"no")
    except PermissionError as error:
        print(error)
    second.remap(first.query().flags)
    first.merge(second)
    pages, runs = first.take_apart()
    print(f"taken apart: {pages.nr_bytes} bytes of pages, {len(runs)} run of frames")
    for part in [pages, *runs]:
        part.close()

    # the second item is too large; the others are created
    made = client.create_many([4096, 1 << 50, CreateItem(8192, READ_ONLY_DATA)])
    for item in made:
        print(item)
    good = [item for item in made if isinstance(item, theseus_mm.Mapping)]
    assert client.drop_many(good) == [None] * len(good) and len(good) == 2
