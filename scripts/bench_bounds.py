# SPDX-License-Identifier: GPL-2.0
"""The bounds for real time: the longest stretches that the marks of bench/marks/ have measured.

A guest whose module has marks prints a line for each situation, kind of stretch, call and size:

    tmm-bench: stretch KIND CALL SIZE SITUATION COST FILE:LINE:FUNCTION

bench/bounds.json keeps the costs, by kernel and compiler. theseus_mm(4) has them by call.
"""

import dataclasses
import json
import math
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BOUNDS = os.path.join(ROOT, "bench", "bounds.json")
RENEW = "scripts/bench.sh figures"
# A stretch may cost this much more than its figure, in parts of one, and this many instructions.
# Short stretches depend on what the call before has left in Linux's caches.
TOLERANCE, MARGIN = 0.05, 100
KINDS = {"interrupts": "interrupts-off", "spinlock": "spinlock-held", "preemption": "preemption-off"}
HEADS = ("interrupts off", "under a spinlock", "preemption off")
LINE = re.compile(r"stretch (\w+) (\S+) (\S+) (\S+) (\d+) (\S+):(\d+):(\w+)")
# Places in the longest stretches of each kind that the document names.
NR_PLACES = 10


@dataclasses.dataclass(frozen=True)
class Stretch:
    kind: str
    call: str
    size: str
    situation: str
    cost: int
    file: str
    line: int
    function: str

    @property
    def name(self):
        return self.call if self.size == "-" else f"{self.call} {self.size}"

    @property
    def source(self):
        """The file, without the folder of the build or of Linux's headers."""
        return re.sub(r"^.*/(?=theseus_mm/(core|alloc|paging|mapping|kernel|device)/|include/)", "",
                      self.file)

    @property
    def place(self):
        return f"{self.source}:{self.line}, {self.function}()"


def parse_line(body):
    """The stretch of a line, or None."""
    found = LINE.fullmatch(body)
    if not found or found.group(1) not in KINDS:
        return None
    kind, call, size, situation, cost, file, line, function = found.groups()
    return Stretch(kind, call, size, situation, int(cost), file, int(line), function)


def longest(stretches):
    """The longest stretch of each kind."""
    return {kind: max((one for one in stretches if one.kind == kind), key=lambda one: one.cost)
            for kind in KINDS if any(one.kind == kind for one in stretches)}


def longest_places(stretches, kind):
    """The longest stretches of a kind, one for each place, the longest first."""
    by_place = {}
    for one in sorted((one for one in stretches if one.kind == kind), key=lambda one: -one.cost):
        by_place.setdefault((one.file, one.line), one)
    return list(by_place.values())[:NR_PLACES]


def call_lines(stretches):
    """A table: a line for each call and size, with its cost for each kind."""
    sizes = {one.name: (one.call, "" if one.size == "-" else one.size) for one in stretches}
    return [("call", "size") + HEADS] + [
        sizes[name] + tuple(f"{found[kind]:,}" if kind in found else "–" for kind in KINDS)
        for name, found in figures_from(stretches).items()]


def place_lines(stretches):
    """A table: the longest stretches of each kind, and where they begin."""
    lines = [("stretch", "instructions", "call", "situation", "begins at")]
    for kind, head in zip(KINDS, HEADS):
        lines += [(head, f"{one.cost:,}", one.name, one.situation, one.place)
                  for one in longest_places(stretches, kind)]
    return lines


# --- the figures ------------------------------------------------------------------------


def load(path=None):
    path = path or BOUNDS
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def figures_from(stretches):
    """The longest of each call, size and kind, in all situations: NAME -> KIND -> cost."""
    found = {}
    for one in stretches:
        kinds = found.setdefault(one.name, {})
        kinds[one.kind] = max(one.cost, kinds.get(one.kind, 0))
    return found


def renew(stretches, kernel, compiler, path=None):
    path = path or BOUNDS
    figures = load(path)
    figures.setdefault(kernel, {})[compiler] = figures_from(stretches)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(figures, file, indent=1, sort_keys=True)
        file.write("\n")


def compare(stretches, figures, kernel, compiler, limits):
    """Compares stretches with the figures, and with the limits of each kind. Returns the lines to
    print, and whether all is well. A stretch above its limit is well if its figure is above too: the
    document says so."""
    found, known = figures_from(stretches), figures.get(kernel, {}).get(compiler)
    if known is None:
        return [f"WARNING: no bounds for kernel {kernel} with {compiler}, and nothing is judged: run "
                f"{RENEW}"], True
    lines = []
    for name in sorted(set(found) | set(known)):
        for kind in KINDS:
            now, figure = found.get(name, {}).get(kind), known.get(name, {}).get(kind)
            if now is None and figure is not None:
                lines.append(f"{name}: {kind}: NOT MEASURED")
            elif now is not None and now > (figure or 0) * (1 + TOLERANCE) + MARGIN:
                lines.append(f"{name}: {kind}: {now:,} instructions, MORE THAN ITS FIGURE of "
                             f"{figure or 0:,}")
            elif now is not None and now > limits[kind] >= (figure or 0):
                lines.append(f"{name}: {kind}: {now:,} instructions, MORE THAN THE BOUND of "
                             f"{limits[kind]:,}")
    return lines, not lines


# --- the manual ---------------------------------------------------------------------------


def rounded_up(cost):
    """Up to two digits, so that a small change does not change the page."""
    if cost < 100:
        return cost
    unit = 10 ** (int(math.log10(cost)) - 1)
    return -(-cost // unit) * unit


def manual_rows(figures):
    """A row for each call, over all sizes: the call, and its cost for each kind."""
    costs = {}
    for name, kinds in figures.items():
        call = costs.setdefault(name.split(" ")[0], {})
        for kind, cost in kinds.items():
            call[kind] = max(cost, call.get(kind, 0))
    return [(call,) + tuple(f"{rounded_up(found[kind]):,}" if kind in found else "0"
                            for kind in KINDS) for call, found in sorted(costs.items())]


def mdoc(kernels):
    """The table for theseus_mm(4), from the figures of Linux 6.1."""
    kernel = next((name for name in kernels if name.startswith("6.1.")), None)
    if kernel is None:
        return ["No kernel has been measured."]
    compiler, figures = next(iter(kernels[kernel].items()))
    lines = [f"Measured with Linux {kernel.split('-')[0]} and {compiler}:",
             ".Bl -column -offset indent \"CREATE_CONTIGUOUS_MAPPING\" \"interrupts\" \"spinlock\" "
             "\"preemption\"",
             ".It Em call Ta Em interrupts Ta Em spinlock Ta Em preemption"]
    lines += [".It " + " Ta ".join(row) for row in manual_rows(figures)]
    return lines + [".El"]
