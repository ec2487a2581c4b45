#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Prints how many instructions an operation needs in each function.

    profile.py BOOT COUNTS

BOOT has the logs of a guest, which has printed its functions. COUNTS is the
output of profile.c: how often each instruction ran while a row was measured.
"""

import sys

sys.dont_write_bytecode = True
import bench  # noqa: E402
import bench_symbols  # noqa: E402

KERNEL_HALF = 1 << 63


def counts_of(text):
    """Returns the count of each address."""
    found = {}
    for line in text.splitlines():
        address, _, count = line.partition(" ")
        if address != "marks":
            found[int(address, 16)] = int(count)
    if not found:
        raise bench.BadLog("no instruction was counted: the row has no marks")
    return found


def by_function(counts, symbols):
    """Returns (instructions, calls, name) of each function, the dearest first. A call is a run of
    the first instruction."""
    found = {}
    for address, count in counts.items():
        name, start = "user space", None
        # The lowest addresses of Linux's own symbols are offsets of variables of a CPU.
        if address >= KERNEL_HALF:
            name, start = symbols.find(address)
        instructions, calls = found.get(name, (0, 0))
        found[name] = (instructions + count, calls + (count if address == start else 0))
    return sorted(((n, calls, name) for name, (n, calls) in found.items()), reverse=True)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    directory, path = sys.argv[1:]
    try:
        results, _ = bench.read_boot(directory)
        symbols = bench_symbols.read(directory)
        with open(path, encoding="utf-8") as file:
            functions = by_function(counts_of(file.read()), symbols)
    except (bench.BadLog, OSError) as bad:
        print(f"profile: FAILED: {bad}")
        return 1
    count = sum(one.count for one in results)
    for one in results:
        print(f"{one.row} {one.system}, N = {one.n}: {bench.shown(one.mean)} {one.unit} each, "
              f"{one.count} operations")
    total = sum(n for n, _, _ in functions)
    lines, sum_so_far = [("instructions", "calls", "share", "sum", "function")], 0
    for n, calls, name in functions:
        sum_so_far += n
        if n < total / 2000:
            break
        lines.append((f"{n / count:.1f}", f"{calls / count:.2f}", f"{n / total:.1%}",
                      f"{sum_so_far / total:.1%}", name))
    bench.print_columns(lines)
    print(f"{total / count:.1f} in all, each; functions below 0.05 % are left out")
    return 0


if __name__ == "__main__":
    sys.exit(main())
