# SPDX-License-Identifier: GPL-2.0
"""The costs on Debian's other kernels beside those on 6.1: bench/kernels.json, and its table.

`make bench KERNEL=6.12` keeps the figures of that kernel in bench/kernels.json. `make bench` prints
them beside its own. A figure that differs by more than TOLERANCE needs a reason.
"""

import json
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KERNELS = os.path.join(ROOT, "bench", "kernels.json")
TOLERANCE = 0.20
# The size that the table shows of a row with several sizes.
SIZE = "1000"
NO_REASON = "not explained yet"

# (pattern of KERNEL=, pattern of "ROW SYSTEM", the reason for a difference). The first that fits
# counts.
REASONS = (
    ("7", "program-((map-touch|munmap|populate)-128m|(map-touch-unmap|touch|munmap)-2m) ours",
     "the module maps entries of 2 MiB, which mbind() leaves alone only there"),
    (".*", "program-munmap-128m empty-driver",
     "Linux asks more of each entry: pte_pfn() and arch_check_zapped_pte(), with 7.3"
     " userfaultfd_wp() too"),
    ("6.12", "program-munmap-128m ours",
     "Linux asks more of each entry, as it does for an empty driver"),
    ("6.12", "program-munmap-2m ours",
     "Linux asks more of each entry, as it does for an empty driver"),
    (".*", "drop-4k vfree",
     "Linux inserts each freed area into a tree (insert_vmap_area() and rb_insert_color(), 320"
     " instructions), where 6.1 merges the area with its neighbours"),
    ("6.12", "allocate-frame alloc-page",
     "__rmqueue_pcplist() and cond_accept_memory(), which 6.1 has inlined or lacks: 99 instructions"),
    ("7", "allocate-frame alloc-page",
     "__rmqueue_pcplist() and post_alloc_hook() are functions of their own, and"
     " __alloc_frozen_pages_noprof() does more: 144 instructions"),
    (".*", "memory-fragment ours",
     "the fragments need 2 to 41 KB in all, which Linux counts in whole slabs"),
    ("6.12", "(create|drop)-.* (vmalloc|vfree)",
     "Linux adapts the length of a CPU's lists of free pages, so that few pages go through the"
     " buddy allocator: 25 of 512 pages of a vfree(), where 6.1 gives 394 back"),
    ("7", "(create|drop)-.* (vmalloc|vfree)",
     "Linux allocates pages in larger blocks, and frees runs of pages at once"
     " (free_pages_bulk())"),
    (".*", "program-(touch-4k|map-touch-128m) (empty-driver|ours)",
     "a fault first tries with the lock of the area alone; a driver with its own fault handler"
     " needs the lock of the address space, so Linux handles the fault twice"),
    ("7", "drop-frame free-page",
     "free_frozen_page_commit() has 48 instructions more than 6.1's free_unref_page_commit(), and"
     " get_pfnblock_migratetype() and __nr_to_section() are functions of their own: 44"),
    ("7", "drop-page vm-unmap-ram",
     "addr_to_vb_xa() and __bitmap_clear() are new (46), and __vunmap_range_noflush() and"
     " vm_unmap_ram() have 53 instructions more"),
    (".*", "program-drop-(128m|1g) hugetlb",
     "Linux keeps the reservation of each huge page (__vma_reservation_common(), region_del(),"
     " region_chg()), which 6.1 does not need here"),
    (".*", "(program-munmap-.* (empty-driver|ours|hugetlb)"
     "|program-(create-)?drop-.* (hugetlb|hugetlb-clean|munmap))",
     "Linux changes one node of the tree of areas in place (mas_wr_node_store()), where 6.1 copies"
     " nodes (mas_wr_bnode(), mas_mab_cp())"),
    (".*", "program-munmap-128m anonymous-thp",
     "free_unref_folios() and free_tail_page_prepare() look at each 4 KiB of a huge page: the row"
     " alone takes 28.1 on 6.12 and 32.2 on 7.3. The rest is work that Linux does after munmap(), in a"
     " run of all rows only; its functions were not found"),
    ("7", "program-populate-128m hugetlb",
     "Linux populates huge pages by __get_user_pages() and handle_mm_fault(), where 6.1 has"
     " follow_hugetlb_page() (370 instructions a huge page more), and takes two locks for each"
     " (down_read(), up_read(): 130)"),
    ("7", "program-remap-(2m|1g) hugetlb(-clean)?",
     "Linux looks at the areas beside the changed one slot by slot (mas_next_slot(), mas_prev_slot(),"
     " mas_ascend(): 460 instructions more), and vma_modify() is new (155)"),
    ("6.12", "program-(create-)?drop-1g ours",
     "the calls cost 10,183 instructions and 9,225 on 6.1. The rest is deferred work of two rounds only,"
     " and differs from run to run (17,230 alone on 6.1): Linux's timers, scheduler and RCU, and one"
     " wake-up of the thread that clears memory"),
    ("7", ".* ours",
     "Debian builds 7.3 and its modules with gcc 14, which does not inline some functions: in drop-1g,"
     " node_at() costs 665 instructions more. The checks of shifts and array indexes (UBSAN) cost little:"
     " drop-1g has 6,714 instructions without them"),
)


def means_of(results):
    """"ROW SYSTEM" -> size -> mean, of the rows that are the same on any machine."""
    means = {}
    for one in results:
        if one.unit in ("instructions", "bytes"):
            means.setdefault(f"{one.row} {one.system}", {})[str(one.n)] = one.mean
    return means


def load(path=None):
    path = path or KERNELS
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def renew(name, results, about, path=None):
    """Replaces the figures of KERNEL=@name."""
    path = path or KERNELS
    kernels = load(path)
    kernels[name] = {"about": about, "rows": means_of(results)}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(kernels, file, indent=1, sort_keys=True)
        file.write("\n")


def reason_for(name, row):
    for kernel, rows, reason in REASONS:
        if re.fullmatch(kernel, name) and re.fullmatch(rows, row):
            return reason
    return NO_REASON


def size_of(here, others):
    """The size that the table shows, or None if no other kernel has a size in common."""
    common = set(here) & set().union(*others)
    if SIZE in common:
        return SIZE
    return min(common, key=int, default=None)


def compare_row(row, n, mean, kernels):
    """The cells of the other kernels, and the reasons of the differences."""
    cells, reasons = [], []
    for name, kernel in kernels.items():
        other = kernel["rows"].get(row, {}).get(n)
        quotient = other / mean if other is not None and mean else None
        cells += [other, quotient]
        if quotient is not None and abs(quotient - 1) > TOLERANCE:
            reasons.append(f"{name}: {reason_for(name, row)}")
    return cells, reasons


def differences(results, kernels):
    """(row, system, N, mean, cells, reasons) for each row that another kernel has, too."""
    found = []
    for row, here in means_of(results).items():
        n = size_of(here, [kernel["rows"].get(row, {}) for kernel in kernels.values()])
        if n is not None:
            found.append((*row.split(" "), n, here[n], *compare_row(row, n, here[n], kernels)))
    return found


def table_lines(results, kernels, shown, quotient_shown):
    """The lines of the table, whose first line is its head."""
    head = ["row", "system", "N", "6.1"]
    for name in kernels:
        head += [name, "x 6.1"]
    lines = [(*head, "why")]
    for row, system, n, mean, cells, reasons in differences(results, kernels):
        line = [row, system, f"{int(n):,}", shown(mean)]
        for other, quotient in zip(cells[::2], cells[1::2]):
            line += [shown(other), quotient_shown(quotient)]
        lines.append((*line, "; ".join(reasons)))
    return lines


def unexplained(results, kernels):
    """The rows whose difference nobody has explained."""
    return [f"{row} {system} {n}: {reason}"
            for row, system, n, _, _, reasons in differences(results, kernels)
            for reason in reasons if reason.endswith(NO_REASON)]
