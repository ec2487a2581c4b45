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
REASONS = ()


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
