# SPDX-License-Identifier: GPL-2.0
"""Writes the document of `make bench`: results.json, the tables and the plots."""

import json
import math
import os

import matplotlib
matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

import bench_bars  # noqa: E402
import bench_bounds  # noqa: E402
import bench_kernels  # noqa: E402
from bench import BAR_HEAD, RENEW, bar_line, quotient_shown, shown  # noqa: E402

# Each picture has a plot for each of these rows that has several sizes.
PICTURES = {
    "one-page": ("Mappings of one page, for kernel code", ("create-4k", "remap-4k", "drop-4k")),
    "allocators": ("Allocators", ("allocate-frame", "drop-frame", "allocate-page", "drop-page")),
    "fragments": ("Frames among free fragments", (
        "frames-1", "frames-8", "frames-512", "frames-8-aligned", "frames-512-aligned",
        "frames-8-in-range")),
    "programs": ("Mappings of one page, for programs", (
        "program-create-4k", "program-remap-4k", "program-drop-4k")),
}

RESULT_HEAD = ("row", "system", "N", "mean", "p99.9", "max", "unit", "ours / this")

HEAD = """\
# Measurements

`{renew}` writes this document, its pictures and `figures.json`. Do not edit them by hand.

Measured with kernel {kernel}, {compiler} and {emulator}.
{clock}

A mean is the cost of a whole loop of N operations, divided by N. The loop includes the work that its
operations have left for later. p99.9 and max are costs of single operations, from a second loop.

## Bars

Each bar compares the module with another cost in the same run, at each size N. "Beside" is the cost of
Linux's own call, of the same call with the smallest N or without fragments, or the limit. For growth,
N is the size with the largest cost. A bar that is missed stays in the table with its ratio. The last
column gives the reason if a bar is not judged.

"""

CLOCKS = {
    "instructions": """\
The emulator's clock counts instructions (`-icount`), on one CPU. So the numbers are the same on any
machine, within a few per cent, and say nothing of caches. Rows of two CPUs are from a second guest,
whose clock is that of the machine.""",
    "cycles": """\
The guest ran on the processor, whose clock counts cycles of a constant rate. So the numbers are
those of this machine, and no figures to compare with.""",
}

MEANING = """
- Clearing is measured apart (`clear-4k`), and taken off both sides for programs. Functions for kernel
  code clear nothing, neither here nor in `vmalloc()`.
- The module clears memory ahead (`clean_ahead=1`) only while large memory is measured: there, all free
  memory is clean before each CREATE. The work of the thread that clears is not counted.
- `rb-tree-baseline` has the same allocators and page tables, and also one red-black tree with a lock,
  in which each mapping is recorded and looked up by its address. The rows that end in `-tree-part`
  are the tree alone.
- A row of fragments allocates and drops one run. N is the number of free fragments of one frame each
  that lie before the rest of the region. N = 0 is a region without fragments.
"""


LINES = """## Cache lines that two CPUs share

Bar 7: two clients, each on a CPU of its own, repeat an operation. A line is shared if one CPU writes it,
and the other one reads or writes it, in at least one operation of eight. The column has the stores of the
one CPU, or the accesses of the other one, whichever is less often. Only accesses by the module's own code count,
and those of Linux to the module's variables; in the row `lines-fault` those of page faults alone.
`make bench-lines` prints the functions and the lines of their sources, and fails if a shared line is not
one of those that `KNOWN` in `scripts/bench_lines.py` allows.

"""

BOUNDS = """## Bounds for real time

The longest stretch of each call in which the module has interrupts off, holds a spinlock, or has
preemption off, in instructions, whatever else there is. A spinlock and interrupts that are off also
count as preemption off, and so does an RCU read section. The calls of the table were made with 100 and
with 100,000 mappings, among 40,000 free fragments, and with 64 clients that wait for memory in
`epoll`; batches of the largest size only with 100,000 mappings, and mappings of 1 GiB alone. A stretch
in which an interrupt came does not count. The rows of kernel code are for creating, changing and
dropping. A dash means that there is no such stretch. Calls for device memory and for dma-bufs were not
made.

Stretches within Linux's own functions do not count, except those in which Linux calls the module and
those in which the module wakes tasks.

"""

PLACES = """
The longest stretches, and where they begin:

"""


OTHER_KERNELS = """## Other kernels

The same rows on Debian's other kernels, at one size each. `make bench KERNEL=6.12` measures one of
them and keeps its figures in `kernels.json`; this table has the figures that were kept last. The bars
are those of 6.1. The last column explains differences of more than 20 %.

"""

MISSED = """
Why bars are missed, and what was tried:

"""


def write_results(path, results, about):
    rows = [{"bench": one.row, "system": one.system, "kernel": about["kernel"], "n": one.n,
             "unit": one.unit, "count": one.count, "mean": one.mean, "p99.9": one.p999,
             "max": one.max} for one in results]
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"about": about, "results": rows}, file, indent=1)
        file.write("\n")


def result_lines(results):
    """The table of all results, in the order in which they were measured, each row together."""
    ours = {(one.row, one.n): one.mean for one in results if one.system == "ours"}
    order = {}
    for one in results:
        order.setdefault(one.row, len(order))
    lines = [RESULT_HEAD]
    for one in sorted(results, key=lambda one: order[one.row]):
        mine = ours.get((one.row, one.n))
        quotient = "" if one.system == "ours" or not mine or not one.mean else \
            quotient_shown(mine / one.mean)
        is_cost = one.unit in ("instructions", "cycles", "nanoseconds")
        lines.append((one.row, one.system, f"{one.n:,}", shown(one.mean),
                      shown(one.p999) if is_cost else "", shown(one.max) if is_cost else "",
                      one.unit, quotient))
    return lines


def tree_lines(results):
    """The share of the tree in the baseline, at every size."""
    means = {(one.row, one.n): one.mean for one in results if one.system == "rb-tree-baseline"}
    ours = {(one.row, one.n): one.mean for one in results if one.system == "ours"}
    lines = [("row", "N", "ours", "with the tree", "the tree alone", "share of the tree")]
    for (row, n), whole in means.items():
        part, mine = means.get((row + "-tree-part", n)), ours.get((row, n))
        if part is not None and mine is not None:
            lines.append((row, f"{n:,}", shown(mine), shown(whole), shown(part),
                          f"{part / whole:.0%}"))
    return lines


def markdown(lines):
    head, *rest = [[str(cell).replace("|", r"\|") for cell in line] for line in lines]
    rows = [head, ["---"] * len(head)] + rest
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def decades(points):
    """The limits of an axis that show whole decades, so that small differences look small."""
    costs = [mean for _, mean, _ in points if mean > 0] or [1]
    return (10 ** math.floor(math.log10(min(costs))), 10 ** math.ceil(math.log10(max(costs)) + 0.1))


def draw_lines(axis, title, lines):
    """Draws a line for each name; a point is (N, mean, unit)."""
    for name, points in lines.items():
        points.sort()
        axis.plot([n for n, _, _ in points], [mean for _, mean, _ in points], "o-", markersize=3,
                  label=name, linewidth=2 if name == "ours" else 1)
    everything = [point for points in lines.values() for point in points]
    axis.set(xscale="log", yscale="log", title=title, xlabel="N",
             ylabel=f"{everything[0][2]} each", ylim=decades(everything))
    axis.minorticks_off()  # each tick is several lines of the file
    axis.grid(True, which="major", linewidth=0.3)
    axis.legend(fontsize=7)


def draw(folder, results):
    """Draws the pictures, and returns the names and titles of those that have something to show. A
    picture has a plot for each row; rows of ours only share one plot."""
    drawn = []
    # Words stay words, and ids and dates do not change, so that the files are small and the same
    # results give the same files.
    plt.rcParams.update({"svg.hashsalt": "theseus_mm", "svg.fonttype": "none", "font.size": 9})
    for name, (title, rows) in PICTURES.items():
        plots = {row: {} for row in rows}
        for one in results:
            if one.row in plots and one.n:
                plots[one.row].setdefault(one.system, []).append((one.n, one.mean, one.unit))
        plots = {row: lines for row, lines in plots.items()
                 if any(len(points) > 1 for points in lines.values())}
        if not plots:
            continue
        if all(set(lines) == {"ours"} for lines in plots.values()):
            plots = {title: {row: lines["ours"] for row, lines in plots.items()}}
        across = min(len(plots), 2)
        down = -(-len(plots) // across)
        figure, axes = plt.subplots(down, across, figsize=(4.5 * across, 3.3 * down), squeeze=False)
        for axis in axes.flat[len(plots):]:
            axis.remove()
        for axis, (row, lines) in zip(axes.flat, plots.items()):
            draw_lines(axis, row, lines)
        figure.tight_layout()
        figure.savefig(os.path.join(folder, name + ".svg"), metadata={"Date": None})
        plt.close(figure)
        drawn.append((name, title))
    return drawn


def missed_text(verdicts):
    """A line for each bar that is missed at one size at least."""
    whats = {(bar.number, bar.kind, bar.ours, bar.theirs): bar.what for bar in bench_bars.BARS}
    missed = {}
    for verdict in verdicts:
        bar = verdict.bar
        if verdict.passed is False:
            missed[whats[(bar.number, bar.kind, bar.ours, bar.theirs)]] = bar.missed
    if not missed:
        return ""
    return MISSED + "".join(f"- *{what}*: {reason}\n" for what, reason in missed.items())


def kernels_parts(results):
    """The table of Debian's other kernels."""
    kernels = bench_kernels.load()
    if not kernels:
        return []
    lines = bench_kernels.table_lines(results, kernels, shown, quotient_shown)
    measured = ", ".join(f"`{name}` is {kernel['about']['kernel']} with {kernel['about']['compiler']}"
                         for name, kernel in kernels.items())
    return [OTHER_KERNELS, f"{measured}.\n\n", markdown(lines), "\n"]


def write(folder, results, skips, verdicts, stretches, shared, about, is_of_stock=False):
    """Writes README.md and pictures/ in the folder. The document of the stock kernel also has the
    figures of Debian's other kernels."""
    pictures = os.path.join(folder, "pictures")
    os.makedirs(pictures, exist_ok=True)
    drawn = draw(pictures, results)
    units = {one.unit for one in results}
    clock = CLOCKS["cycles" if "cycles" in units else "instructions"]
    parts = [HEAD.format(renew=RENEW, clock=clock, **about),
             markdown([BAR_HEAD] + [bar_line(verdict) for verdict in verdicts]),
             missed_text(verdicts),
             "\n## The cost over N\n\n"]
    parts += [f"![{title}: cost over N, a line for each system](pictures/{name}.svg)\n\n"
              for name, title in drawn]
    tree = tree_lines(results)
    if len(tree) > 1:
        parts += ["## The original's experiment\n\n", markdown(tree), "\n"]
    if shared:
        parts += [LINES, markdown(shared), "\n"]
    if stretches:
        parts += [BOUNDS, markdown(bench_bounds.call_lines(stretches)), PLACES,
                  markdown(bench_bounds.place_lines(stretches)), "\n"]
    parts += kernels_parts(results) if is_of_stock else []
    parts += ["## All rows\n\n", markdown(result_lines(results)), MEANING,
              "\n## Not measured\n\n"]
    parts += [f"- `{skip.row}` of {skip.system}: {skip.reason}.\n" for skip in skips]
    parts += [f"- {text}\n" for text in bench_bars.NOT_JUDGED]
    with open(os.path.join(folder, "README.md"), "w", encoding="utf-8") as file:
        file.write("".join(parts))
