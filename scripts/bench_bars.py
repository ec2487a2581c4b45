# SPDX-License-Identifier: GPL-2.0
"""The bars: what each operation may cost beside Linux's own, or at most.

A bar adds up the costs of its rows of "ours", and compares the sum with that of
the rows of Linux's calls in the same run, at each size that both have:

    ratio   ours <= factor x theirs
    limit   ours <= factor
    growth  the largest of ours <= factor x ours at the smallest size
    base    ours <= factor x ours at size 0 (nothing in the way)
    figure  no limit: the table has ours, and the ratio to the smallest size

A limit is judged in its own unit only: cycles have no limit. "missing" is the
reason that the table gives for a bar whose rows nobody measures. "missed" says
why a bar is missed, and what was tried.

Rows in "less_ours" and "less_theirs" are taken off first: the cost of clearing,
which is measured apart. A row of Linux's is written "ROW SYSTEM".
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Bar:
    number: int
    what: str
    kind: str
    factor: float
    ours: tuple
    theirs: tuple = ()
    less_ours: tuple = ()
    less_theirs: tuple = ()
    first: int = 0
    unit: str = "instructions"
    missing: str = "not measured yet"
    missed: str = "the reason is not known yet."


def ratio(number, what, factor, ours, theirs, **more):
    return Bar(number, what, "ratio", factor, tuple(ours.split(",")),
               tuple(theirs.split(",")), **more)


def limit(number, what, factor, ours, **more):
    return Bar(number, what, "limit", factor, tuple(ours.split(",")), **more)


def growth(number, what, factor, ours, **more):
    return Bar(number, what, "growth", factor, tuple(ours.split(",")), **more)


def figure(number, what, ours):
    return Bar(number, what, "figure", 0, tuple(ours.split(",")))


def base(number, what, factor, ours):
    return Bar(number, what, "base", factor, tuple(ours.split(",")))


# Of a program, clearing is a part of CREATE and of mmap().
CLEAR = {"less_ours": ("clear-4k",), "less_theirs": ("clear-4k clear-page",)}

BARS = (
    ratio(1, "kernel: create a mapping of 4 KiB", 0.5, "create-4k", "create-4k vmalloc",
          missed="a mapping has an owner, an account, an object for its pages and one for its "
                 "frames. Magazines, one walk through the tables and charges without a call brought "
                 "the cost from 6,005 at N = 1,000 to what the table says."),
    ratio(1, "kernel: drop it", 0.7, "drop-4k", "drop-4k vfree",
          missed="a drop checks the owner and the state of each frame, waits for windows, and gives "
                 "back two objects. The same changes brought the cost from 4,260 at N = 1,000 to "
                 "what the table says."),
    limit(1, "kernel: remap it", 400, "remap-4k"),
    growth(1, "kernel: create, from the smallest number of mappings to the largest", 1.1,
           "create-4k"),
    growth(1, "kernel: drop, likewise", 1.1, "drop-4k"),
    growth(1, "kernel: remap, likewise", 1.1, "remap-4k"),
    ratio(1, "the original's experiment: create, below the tree of areas", 1.0,
          "create-4k", "create-4k rb-tree-baseline"),
    ratio(1, "the original's experiment: remap", 1.0, "remap-4k", "remap-4k rb-tree-baseline"),
    ratio(1, "the original's experiment: drop", 1.0, "drop-4k", "drop-4k rb-tree-baseline"),

    ratio(2, "allocate and drop a frame", 1.0, "allocate-frame,drop-frame",
          "allocate-frame alloc-page,drop-frame free-page",
          missed="with more frames than a magazine holds, each filling takes a run out of the free "
                 "set, and makes an object for each frame."),
    ratio(2, "allocate and drop a page", 1.0, "allocate-page,drop-page",
          "allocate-page vm-map-ram,drop-page vm-unmap-ram"),
    ratio(2, "allocate and drop a frame, beside gen_pool", 1.0, "allocate-frame,drop-frame",
          "allocate-frame gen-pool,drop-frame gen-pool",
          missed="a gen_pool sets bits in a bitmap: without an owner, a limit, a check of who frees "
                 "what, or an object. It searches the bitmap, so it is cheap as long as it is "
                 "almost empty."),
    ratio(2, "allocate and drop a frame, beside the kernel's buddy", 1.0,
          "allocate-frame,drop-frame", "allocate-frame drm-buddy,drop-frame drm-buddy"),
) + tuple(
    bar for rows, what in (
        ("frames-8", "8 frames"), ("frames-512", "512 frames"),
        ("frames-8-aligned", "8 frames, aligned"), ("frames-512-aligned", "512 frames, aligned"),
        ("frames-8-at", "8 frames at an address"), ("frames-512-at", "512 frames at an address"),
        ("frames-8-in-range", "8 frames in a range"),
        ("frames-512-in-range", "512 frames in a range"))
    for bar in (
        base(2, f"{what} among fragments", 2.0, rows),
        growth(2, f"{what}, growth with the fragments", 1.2, rows, first=1))
) + (
    ratio(3, "program: CREATE", 0.25, "program-create-4k", "program-create-4k mmap-populate",
          first=1000, **CLEAR),
    ratio(3, "program: DROP", 0.30, "program-drop-4k", "program-drop-4k munmap", first=1000),
    ratio(3, "program: REMAP", 0.60, "program-remap-4k", "program-remap-4k mprotect", first=1000),
    ratio(3, "program: CREATE_BATCH, each", 0.15, "program-create-batch-4k",
          "program-create-4k mmap-populate", first=1000, **CLEAR),
    ratio(3, "program: DROP_BATCH, each", 0.15, "program-drop-batch-4k",
          "program-drop-4k munmap", first=1000),
    limit(3, "program: READ of 64 bytes", 1800, "program-read-64"),
    limit(3, "program: WRITE of 64 bytes", 1800, "program-write-64"),

    limit(4, "program: map and touch 128 MiB, a page", 70, "program-map-touch-128m"),
    limit(4, "program: map 128 MiB with MAP_POPULATE, a page", 70, "program-populate-128m"),
    ratio(4, "program: munmap of 128 MiB, a page", 1.0, "program-munmap-128m",
          "program-munmap-128m empty-driver",
          missed="Linux unmaps the entries in the same way on both sides; the module also ends "
                 "the borrow."),
    ratio(4, "program: mmap + touch + munmap of a leaf of 2 MiB", 1.0,
          "program-map-touch-unmap-2m", "program-map-touch-unmap-2m hugetlb",
          missed="on 6.1, mbind() of an entry of 2 MiB is not safe, so an area has 512 entries of "
                 "4 KiB instead. From 7.3 on, areas have entries of 2 MiB."),
    ratio(4, "program: mmap + touch + munmap of a leaf of 1 GiB", 1.0,
          "program-map-touch-unmap-1g", "program-map-touch-unmap-1g hugetlb",
          missed="the module also begins and ends a borrow."),
    ratio(4, "program: one page, mmap + touch + munmap", 1.3, "program-map-touch-unmap-4k",
          "program-map-touch-unmap-4k empty-driver"),

    ratio(5, "program: create and drop 1 GiB, the memory clean", 1.0, "program-create-drop-1g",
          "program-create-drop-1g hugetlb-clean",
          missed="the module looks for 1 GiB in maps of free frames of three sizes, renews them and "
                 "the map of clean frames, and makes a table for the entry; hugetlb takes a page of "
                 "1 GiB, which Linux set aside at boot, from a list. Clearing ahead brought the cost "
                 "from 1,074,521,426 to what the table says."),
    # As for one leaf: a step for each page of 4 KiB would cost over 262,144.
    limit(5, "kernel: create 1 GiB, which is one leaf", 20000, "create-1g"),
    limit(5, "kernel: remap 1 GiB", 20000, "remap-1g"),
    limit(5, "kernel: unmap 1 GiB", 20000, "unmap-1g"),
    limit(5, "kernel: drop 1 GiB", 20000, "drop-1g"),
    limit(5, "program: unmap 1 GiB", 20000, "program-unmap-1g"),

    limit(6, "enter and leave a window", 300, "window"),

    figure(7, "clients: allocate and drop a frame, by the number of clients", "clients-frame"),
    figure(7, "clients: CREATE and DROP, by the number of clients", "clients-create-drop"),
    figure(7, "clients: faults, by the number of clients", "clients-fault"),

    # Rows of the guest whose module has marks (bench_bounds.py).
    limit(8, "interrupts off, the longest of all calls", 10000, "interrupts-off"),
    limit(8, "under a spinlock, the longest of all calls", 3000, "spinlock-held",
          missed="a filling moves up to 32 frames from the free set to a magazine under both "
                 "locks, so that no count and no drain misses a frame; and the frames of a long run "
                 "leave the free set at once, or two requests could each get a part. A run that "
                 "comes back also leaves the map of clean frames. Marks in words, and fewer steps "
                 "in the tree of a free map, brought the longest stretch from 26,081 to what the "
                 "table says."),
    limit(8, "preemption off, the longest of all calls", 20000, "preemption-off"),

    limit(9, "memory for a frame", 8, "memory-frame", unit="bytes",
          missing="no row for the memory of a frame yet"),
    figure(9, "memory for a free fragment, in bytes", "memory-fragment"),
    limit(9, "memory for a mapping of 4 KiB of a program, with its handle", 256,
          "program-memory-4k", unit="bytes"),
)

# What has no bar, or no figure that a machine could judge.
NOT_JUDGED = (
    "Two CPUs: throughput is reported only, since the CPUs are emulated. lock_count_test counts the "
    "shared locks of the fast paths, and `make bench-lines` the shared cache lines.",
    "Caches, TLB misses, and what loading CR3 costs besides its instruction: no emulator has them.",
    "The speed of clearing: the emulator counts one instruction for each byte of `rep stosb`. "
    "Clearing is measured apart, and taken off where the table says so.",
)
