# SPDX-License-Identifier: GPL-2.0
"""Finds the complaints of the kernel in the log of a guest's console."""

import re

TIMESTAMP = re.compile(r"^\[\s*\d+\.\d+\] ?")

# init writes these lines into the kernel's log before and after the tests. If one
# is missing, the log is not complete.
BEGIN = "theseus_mm rig: begin"
END = "theseus_mm rig: end"

# Messages that make a run fail, without exceptions: lockdep switches itself off
# after the first report, so the rest of such a run proves nothing.
SPLATS = re.compile("|".join((
    r"\bBUG: ", r"\bKASAN: ", r"\bUBSAN: ", r"\bWARNING: ",
    r"-+\[ cut here \]-+",
    r"possible (circular|recursive) locking", r"INFO: possible",
    r"inconsistent lock state", r"suspicious RCU usage",
    r"lock held when returning", r"DEBUG_LOCKS_WARN",
    r"INFO: (task|rcu|lockdep is turned off)", r"bad unlock balance",
    r"\bOops\b", r"general protection fault", r"unable to handle",
    r"Kernel panic", r"sleeping function called", r"scheduling while atomic",
    r"refcount_t: ", r"list_(add|del) corruption", r"Bad page", r"bad_page",
    r"\bbad (pgd|p4d|pud|pmd) ",
    r"BUG kmalloc", r"stack segment", r"double fault", r"soft lockup",
    r"kunit: disabled", r"[Uu]nknown symbol",
    r"kmemleak: [1-9].* new suspected", r"kmemleak: .*(disabled|pool empty)",
)))

# A report of KCSAN ends with the second of these lines.
RULE = "=" * 66
RACE = "BUG: KCSAN: "
# A function of a module in a stack. The modules of the tests count as well.
OURS = re.compile(r"\[theseus_mm\w*\]")

CONTEXT = 20


def lines_of(text):
    return [line.rstrip("\r") for line in text.split("\n")]


def is_linux_race(lines, i):
    """Is lines[i] the first line of a report of KCSAN about a race within Linux?

    No stack of such a report has a function of the module, so neither access was made by the
    module, or by a function that the module called. A report without an end may be cut off.
    """
    if RACE not in lines[i]:
        return False
    for line in lines[i:]:
        if OURS.search(line):
            return False
        if line.endswith(RULE):
            return True
    return False


def linux_races(console):
    """Returns the functions of each race within Linux, with the number of its reports."""
    lines = lines_of(console)
    found = {}
    for i, line in enumerate(lines):
        if is_linux_race(lines, i):
            what = line.partition(RACE)[2]
            found[what] = found.get(what, 0) + 1
    return found


def splats(console):
    """Returns (line, following lines) of each complaint of the kernel.

    The lines of one report count as one complaint.
    """
    found, last = [], None
    lines = lines_of(console)
    for i, line in enumerate(lines):
        if SPLATS.search(line) and not is_linux_race(lines, i):
            if last is None or i - last > 3:
                found.append((TIMESTAMP.sub("", line), lines[i:i + CONTEXT]))
            last = i
    return found


# the interrupted code is this function, or one that it called
INTERRUPTED = re.compile(r"(?:RIP: 0010:|\]  )identify_cpu\+0x")


def spoiled_by_linux(console):
    """Did a known bug of Linux spoil the boot before the module was loaded?

    While identify_cpu() clears the capabilities of the boot CPU, a kernel with
    5-level paging believes that it has 4 levels. An interrupt at that moment
    makes KASAN report a wild access, which switches lockdep off and taints the
    kernel. Such a boot proves nothing and has to be repeated.
    """
    before, begun, _ = console.partition(BEGIN)
    found = splats(before)
    if not begun or len(found) != 1:
        return False
    line = found[0][0]
    return ("KASAN: wild-memory-access" in line
            and INTERRUPTED.search(before.partition(line)[2]) is not None)


# the bytes of the code, with the interrupted one in angle brackets
CODE = re.compile(r"\bCode: (?:[0-9a-f]{2} )*([0-9a-f]{2}) <[0-9a-f]{2}>")
BREAKPOINT = "cc"


def spoiled_by_emulator(console):
    """Did the emulator run a breakpoint that Linux had already removed?

    Linux puts a breakpoint on an instruction while it changes that instruction.
    QEMU's emulator may let another CPU run the breakpoint afterwards, which
    Linux 6.12 answers with an Oops. The code in the report shows that no
    breakpoint stands there any more. A real CPU cannot get there, since Linux
    waits for all CPUs before it removes a breakpoint.
    """
    found = splats(console)
    if not found or "Oops: int3" not in found[0][0]:
        return False
    code = CODE.search("\n".join(found[0][1]))
    return code is not None and code.group(1) != BREAKPOINT
