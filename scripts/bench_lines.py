#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Prints the cache lines that clients on two CPUs share, for bench.sh lines.

    bench_lines.py BOOT COUNTS THESEUS_MM.KO

BOOT has the logs of a guest, which has printed its functions. COUNTS is the
output of lines.c: how often each instruction of the kernel read and wrote each
cache line while two clients repeated an operation, for each row in turn.

A line is shared if one CPU writes it, and the other one reads or writes it, in
at least one operation of eight: a magazine is filled less often than that. Only
the module's own code counts, and all code that uses the module's variables, such
as locks: what the module calls of Linux may share other lines too. Fails if a
line is shared that KNOWN does not name.
"""

import collections
import dataclasses
import functools
import re
import subprocess
import sys

sys.dont_write_bytecode = True
import bench  # noqa: E402
import bench_symbols  # noqa: E402

# Rates are parts of the operations of a client. Rarer accesses do not name a line.
SHARED, NAMED = 1 / 8, 1 / 100

# The first address of modules; memory of the heap and of CPUs lies below.
MODULES = 0xffffffffc0000000


@dataclasses.dataclass(frozen=True)
class Known:
    """Lines that may be shared: by the functions that write them, and the most of them in a row."""
    what: str
    writers: tuple
    most: int
    systems: tuple
    reason: str


KNOWN = (
    Known("the account of the user",
          ("tmm_account_charge_all", "tmm_account_charge_beyond", "uncharge_until"), 1, ("one-user",),
          "both clients count towards the limits of their user, which are exact at each moment"),
    Known("whether a CPU is inside", ("tmm_table_set_one",), 2, ("two-users", "one-user"),
          "an unmapping reads for each CPU whether that CPU reads tables, so it sends no interrupt"),
)


@dataclasses.dataclass(frozen=True)
class Access:
    cpu: int
    is_store: bool
    instruction: int
    count: int


@dataclasses.dataclass(frozen=True)
class Line:
    """A line that two CPUs use. The rate is that of the CPU that uses the line more seldom."""
    physical: int
    address: int
    rate: float
    accesses: tuple


@dataclasses.dataclass(frozen=True)
class Row:
    row: str
    system: str
    nr: int
    lines: tuple


def parse_counts(text):
    """Returns {line: (address, [access])} for each pair of marks."""
    found = []
    for words in map(str.split, text.splitlines()):
        if words == ["marks"]:
            found.append({})
            continue
        line, cpu, kind, instruction, count, address = words
        access = Access(int(cpu), kind == "w", int(instruction, 16), int(count))
        found[-1].setdefault(int(line, 16), (int(address, 16), []))[1].append(access)
    return found


def rate_of(accesses, nr):
    """In which part of the operations one CPU writes a line and the other one uses it."""
    stores, uses = collections.Counter(), collections.Counter()
    for one in accesses:
        uses[one.cpu] += one.count
        stores[one.cpu] += one.count if one.is_store else 0
    return max((min(stores[cpu], uses[other]) for cpu in stores for other in uses if cpu != other),
               default=0) / nr


def find_lines(lines, nr):
    """Returns the lines that are shared, the busiest first."""
    found = [Line(physical, address, rate_of(accesses, nr), tuple(accesses))
             for physical, (address, accesses) in lines.items()]
    return tuple(sorted((one for one in found if one.rate >= SHARED),
                        key=lambda one: (-one.rate, one.physical)))


def is_variable(address, symbols):
    """True for a variable of the module."""
    return address >= MODULES and symbols.is_of_module(address)


def of_module(lines, symbols):
    """The accesses by code of the module, and those to its variables."""
    return {physical: (address, [one for one in accesses if is_variable(address, symbols) or
                                 symbols.is_of_module(one.instruction)])
            for physical, (address, accesses) in lines.items()}


def find_rows(results, sections, symbols):
    if len(results) != len(sections):
        raise bench.BadLog(f"{len(results)} rows, but {len(sections)} pairs of marks")
    found = []
    for one, lines in zip(results, sections):
        lines = of_module(lines, symbols)
        cpus = {access.cpu for _, accesses in lines.values() for access in accesses}
        if len(cpus) != 2:
            raise bench.BadLog(f"{one.row} {one.system}: {len(cpus)} CPUs ran code of the module")
        found.append(Row(one.row, one.system, one.count, find_lines(lines, one.count)))
    return found


# --- names ------------------------------------------------------------------------


class Names:
    """Names of instructions of the module: the function, and the line of its source."""

    def __init__(self, symbols, module):
        self.symbols, self.module, self.base = symbols, module, None
        text = subprocess.run(["objdump", "-t", "-j", ".text", module], check=True,
                              capture_output=True, text=True).stdout
        offsets = {name: int(offset, 16)
                   for offset, name in re.findall(r"^([0-9a-f]+) g .* (\w+)$", text, re.M)}
        for address, name in zip(symbols.addresses, symbols.names):
            word = name.removesuffix(" " + bench_symbols.MODULE)
            if word != name and word in offsets:
                self.base = address - offsets[word]
                break

    def function(self, instruction):
        return self.symbols.find(instruction)[0].removesuffix(" " + bench_symbols.MODULE)

    def variable(self, address):
        """The variable of the module at an address, if there is one."""
        return f" in {self.function(address)}" if is_variable(address, self.symbols) else ""

    @functools.lru_cache(maxsize=None)
    def place(self, instruction):
        if self.base is None or not self.symbols.is_of_module(instruction):
            return ""
        text = subprocess.run(["addr2line", "-i", "-j", ".text", "-e", self.module,
                               hex(instruction - self.base)], check=True, capture_output=True,
                              text=True).stdout
        match = re.search(r"^.*/theseus_mm/(\S+:\d+)", text, re.M)
        return match.group(1) if match else ""


def writers_of(line, nr, names):
    """The functions that write a line."""
    counts = collections.Counter()
    for one in line.accesses:
        counts[names.function(one.instruction)] += one.count if one.is_store else 0
    return {name for name, count in counts.items() if count >= NAMED * nr}


def known_of(row, line, names):
    """Returns what KNOWN says of a line, or None."""
    writers = writers_of(line, row.nr, names)
    for one in KNOWN:
        if row.system in one.systems and writers and writers <= set(one.writers):
            return one
    return None


def name_lines(row, names):
    """Returns [(line, known)]; a known line too many is not known."""
    found, seen = [], collections.Counter()
    for line in row.lines:
        known = known_of(row, line, names)
        seen[known] += 1
        found.append((line, known if known and seen[known] <= known.most else None))
    return found


def access_lines(line, nr, names):
    counts = {}
    for one in line.accesses:
        key = (names.function(one.instruction), names.place(one.instruction),
               "writes" if one.is_store else "reads")
        counts.setdefault(key, collections.Counter())[one.cpu] += one.count
    return [("", verb, *(f"{count[cpu] / nr:.2f}" for cpu in (0, 1)), place, function)
            for (function, place, verb), count in
            sorted(counts.items(), key=lambda pair: -sum(pair[1].values()))
            if sum(count.values()) >= NAMED * nr]


def print_row(row, names):
    """Prints the lines of a row. Returns whether all of them are known."""
    print(f"{row.row} {row.system}: {len(row.lines)} shared lines")
    found = name_lines(row, names)
    for line, known in found:
        word = f"{known.what}: {known.reason}" if known else "NOT KNOWN"
        where = f"{line.address & ~63:x}{names.variable(line.address)}"
        print(f"  {where}, {line.rate:.2f} an operation, {word}")
        bench.print_columns(access_lines(line, row.nr, names))
    return all(known for _, known in found)


def table_lines(rows, names):
    """The table of the document: a line for each shared line, or for a row without any."""
    lines = [("row", "clients of", "shared line", "an operation", "reason")]
    for row in rows:
        for line, known in name_lines(row, names):
            lines.append((row.row, row.system, known.what if known else "not known",
                          f"{line.rate:.2f}", known.reason if known else ""))
        if not row.lines:
            lines.append((row.row, row.system, "none", "", ""))
    return lines


def read(directory, path, module):
    """Returns the rows of a boot and the names of its instructions."""
    results, _ = bench.read_boot(directory)
    symbols = bench_symbols.read(directory)
    with open(path, encoding="utf-8") as file:
        rows = find_rows(results, parse_counts(file.read()), symbols)
    return rows, Names(symbols, module)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    try:
        rows, names = read(*sys.argv[1:])
    except (bench.BadLog, OSError) as bad:
        print(f"bench-lines: FAILED: {bad}")
        return 1
    if not all([print_row(row, names) for row in rows]):
        print("bench-lines: FAILED: a line is shared that bench_lines.py does not know")
        return 1
    print("bench-lines: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
