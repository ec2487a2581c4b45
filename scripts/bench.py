#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Reads what the guests of bench.sh have measured.

    bench.py report --module THESEUS_MM.KO --out DIR [--renew] BOOT... [--marks BOOT]
                    [--lines BOOT --counts COUNTS]
        judges the logs of the boots, writes DIR/results.json, prints the table
        and the bars, draws the plots; with --renew, also renews bench/README.md
        and its pictures
    bench.py check --module THESEUS_MM.KO BOOT [--marks BOOT]
        compares the boot with bench/figures.json; fails if a row costs over 3 %
        more than its figure, or if a checked row has no figure or no result.
        With a boot of the module with marks, also compares that one's
        stretches with bench/bounds.json
    bench.py figures --module THESEUS_MM.KO BOOT [--marks BOOT]
        writes the rows of the boot into bench/figures.json, if all checked rows
        are there, and the stretches into bench/bounds.json
    bench.py bounds --module THESEUS_MM.KO --marks BOOT [--partly]
        prints the stretches, and compares them with bench/bounds.json; with
        --partly, only prints them
    bench.py chosen
        prints the parameters of the boot for check and figures, one a line

A guest prints a line for each result:

    tmm-bench: ROW SYSTEM N UNIT COUNT MEAN P999 MAX
    tmm-bench: ROW SYSTEM - skipped REASON
    tmm-bench: failed ROW REASON
    tmm-bench: stretch ... (bench_bounds.py)
"""

import argparse
import dataclasses
import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "test"))
import bench_bars  # noqa: E402
import bench_bounds  # noqa: E402
import bench_kernels  # noqa: E402
import ktap  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FIGURES = os.path.join(ROOT, "bench", "figures.json")
RENEW = "make bench"
RENEW_FIGURES = "scripts/bench.sh figures"
# A row may cost this much more than its figure, in parts of one.
TOLERANCE = 0.03

# The rows of bench-check: those of the module whose cost depends on its own code alone, at sizes
# that take a few seconds. `make bench` measures all rows at all sizes.
CHECKED_ROWS = (
    "create-4k", "read-64", "remap-4k", "drop-4k", "allocate-frame", "drop-frame",
    "allocate-page", "drop-page", "window", "create-2m", "remap-2m", "drop-2m",
    "program-create-4k", "program-remap-4k", "program-drop-4k", "program-create-batch-4k",
    "program-drop-batch-4k", "program-read-64", "program-write-64",
)
CHECKED_SIZES = (100, 1000)

WORD = r"[a-z0-9-]+"
LINE = re.compile(r"\btmm-bench: (?!#)(.*)$", re.M)
RESULT = re.compile(rf"({WORD}) ({WORD}) (\d+) ({WORD}) (\d+) (\d+(?:\.\d+)?) (\d+) (\d+)")
SKIPPED = re.compile(rf"({WORD}) ({WORD}) - skipped (.+)")
FAILED = re.compile(rf"failed ({WORD}) (.+)")
UNITS = ("instructions", "cycles", "bytes", "nanoseconds", "operations-per-second",
         "operations")


class BadLog(Exception):
    """The logs of a guest prove nothing. The text says why."""


@dataclasses.dataclass(frozen=True)
class Result:
    row: str
    system: str
    n: int
    unit: str
    count: int
    mean: float
    p999: int
    max: int


@dataclasses.dataclass(frozen=True)
class Skip:
    row: str
    system: str
    reason: str


def parse(text):
    """Returns the results, the skipped rows and the failures of a log."""
    results, skips, failures = [], [], []
    for line in text.replace("\r", "").split("\n"):
        match = LINE.search(line)
        if not match:
            continue
        body = match.group(1).strip()
        found = RESULT.fullmatch(body)
        if found and found.group(4) in UNITS and int(found.group(5)):
            row, system, n, unit, count, mean, p999, highest = found.groups()
            results.append(Result(row, system, int(n), unit, int(count), float(mean),
                                  int(p999), int(highest)))
        elif found := SKIPPED.fullmatch(body):
            skips.append(Skip(*found.groups()))
        elif found := FAILED.fullmatch(body):
            failures.append(f"{found.group(1)}: {found.group(2)}")
        elif bench_bounds.parse_line(body):
            pass  # read_marks() reads them
        else:
            failures.append(f"a line that is no result: {body}")
    return results, skips, failures


def find_problems(console, result, failures):
    leaves = ktap.check_console(console) + ktap.check_verdict(result, "bench")
    return [f"{leaf.name}: {leaf.message}" for leaf in leaves if leaf.status == "failed"] + \
        [f"failed: {failure}" for failure in failures]


def judge_boot(console, result):
    """Returns the results and skipped rows of a boot, or raises BadLog."""
    results, skips, failures = parse(console + "\n" + result)
    problems = find_problems(console, result, failures)
    seen = set()
    for one in results:
        key = (one.row, one.system, one.n)
        if key in seen:
            problems.append(f"{one.row} {one.system} {one.n}: measured twice")
        seen.add(key)
    if not results:
        problems.append("no row was measured")
    if problems:
        raise BadLog("\n".join(problems))
    return results, skips


def judge_marks(console, result):
    """Returns the stretches of a boot whose module has marks, or raises BadLog. Results of such a boot
    contain the cost of the marks, and mean nothing."""
    _, _, failures = parse(console + "\n" + result)
    problems = find_problems(console, result, failures)
    bodies = [match.group(1).strip() for match in LINE.finditer(result.replace("\r", ""))]
    stretches = [one for one in map(bench_bounds.parse_line, bodies) if one]
    problems += [f"no stretch was measured: {kind}" for kind in bench_bounds.KINDS
                 if not any(one.kind == kind for one in stretches)]
    if problems:
        raise BadLog("\n".join(problems))
    return stretches


def read_marks(directory):
    try:
        return judge_marks(ktap.read(directory, "console.log"), ktap.read(directory, "result.log"))
    except BadLog as bad:
        raise BadLog(f"{directory}:\n{bad}") from bad


def read_boot(directory):
    try:
        return judge_boot(ktap.read(directory, "console.log"), ktap.read(directory, "result.log"))
    except BadLog as bad:
        raise BadLog(f"{directory}:\n{bad}") from bad


def facts_of(directory):
    """The kernel that ran, and the facts that the guest printed."""
    match = re.search(r"^# kernel (\S+), (.*)$", ktap.read(directory, "result.log"), re.M)
    if not match:
        raise BadLog(f"{directory}: the guest has not named its kernel")
    return match.group(1)


def compiler_of(module):
    text = subprocess.run(["readelf", "-p", ".comment", module], check=True,
                          capture_output=True, text=True).stdout
    match = re.search(r"GCC: .* (\S+)$", text, re.M)
    if not match:
        raise BadLog(f"{module}: names no compiler")
    return f"gcc {match.group(1)}"


def emulator():
    first = subprocess.run(["qemu-system-x86_64", "--version"], check=True, capture_output=True,
                           text=True).stdout.splitlines()[0]
    return first.replace("QEMU emulator version", "QEMU")


class Table:
    """The results of a run by row, system and size."""

    def __init__(self, results):
        self.by_key = {(one.row, one.system, one.n): one for one in results}
        self.results = results

    def sizes(self, row, system):
        return {n for (r, s, n) in self.by_key if (r, s) == (row, system)}

    def mean(self, row, system, n):
        one = self.by_key.get((row, system, n))
        return one.mean if one else None

    def mean_taken_off(self, row, system, n):
        """The mean of a row that is taken off: one that has a single size has it at all sizes."""
        sizes = self.sizes(row, system)
        return self.mean(row, system, min(sizes) if len(sizes) == 1 else n)

    def total(self, pairs, less, n):
        """The sum of several rows at a size, or None if one was not measured."""
        means = [self.mean(row, system, n) for row, system in pairs]
        taken = [self.mean_taken_off(row, system, n) for row, system in less]
        if None in means or None in taken:
            return None
        return sum(means) - sum(taken)

    def units(self, pairs, n):
        """The units of several rows at a size."""
        return {self.by_key[(row, system, n)].unit for row, system in pairs
                if (row, system, n) in self.by_key}


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A bar at one size. If "passed" is None, the bar is not judged, and "reason" says why."""
    bar: bench_bars.Bar
    n: int = None
    ours: float = None
    other: float = None
    passed: bool = None
    reason: str = None

    @property
    def quotient(self):
        return self.ours / self.other if self.ours is not None and self.other else None

    @property
    def word(self):
        return {None: self.reason or self.bar.missing, True: "pass", False: "miss"}[self.passed]


def split_pairs(names):
    return [tuple(name.split(" ")) for name in names]


def judge_ratio(bar, costs, others):
    return [Verdict(bar, n, cost, others[n], cost <= bar.factor * others[n])
            for n, cost in costs.items() if others[n] is not None]


def judge_limit(bar, costs, units):
    return [Verdict(bar, n, cost, bar.factor, cost <= bar.factor) if units[n] == {bar.unit} else
            Verdict(bar, n, cost, reason=f"a limit in {bar.unit} is not judged in "
                                         f"{', '.join(sorted(units[n]))}")
            for n, cost in costs.items()]


def judge_growth(bar, costs, smallest):
    """The largest mean may be at any size."""
    if smallest not in costs or len(costs) < 2:
        return []
    n = max((n for n in costs if n != smallest), key=costs.get)
    return [Verdict(bar, n, costs[n], costs[smallest], costs[n] <= bar.factor * costs[smallest])]


def judge_base(bar, costs, cost_of_none):
    if cost_of_none is None:
        return []
    return [Verdict(bar, n, cost, cost_of_none, cost <= bar.factor * cost_of_none)
            for n, cost in costs.items() if n]


def list_figures(bar, costs, smallest):
    return [Verdict(bar, n, cost, costs.get(smallest) if n != smallest else None,
                    reason="figure only") for n, cost in costs.items()]


def judge_bar(table, bar):
    """Returns a verdict for each size of a bar; a single one without a size if there is none. A size
    that only some of the rows have is not measured."""
    ours = [(row, "ours") for row in bar.ours]
    less = [(row, "ours") for row in bar.less_ours]
    theirs, less_theirs = split_pairs(bar.theirs), split_pairs(bar.less_theirs)
    sizes = sorted(n for n in set().union(*(table.sizes(*pair) for pair in ours + theirs))
                   if n >= bar.first)
    costs = {n: table.total(ours, less, n) for n in sizes}
    others = {n: table.total(theirs, less_theirs, n) for n in sizes}
    lacking = [Verdict(bar, n, costs[n], others[n] if theirs else None, reason="not measured")
               for n in sizes if costs[n] is None or others[n] is None]
    costs = {n: cost for n, cost in costs.items() if cost is not None}
    if bar.kind == "limit":
        found = judge_limit(bar, costs, {n: table.units(ours, n) for n in costs})
    elif bar.kind == "growth":
        found = judge_growth(bar, costs, min(sizes, default=None))
    elif bar.kind == "base":
        found = judge_base(bar, costs, table.total(ours, less, 0))
    elif bar.kind == "figure":
        found = list_figures(bar, costs, min(sizes, default=None))
    else:
        found = judge_ratio(bar, costs, others)
    return sorted(found + lacking, key=lambda verdict: verdict.n) or [Verdict(bar)]


def judge_bars(table):
    return [verdict for bar in bench_bars.BARS for verdict in judge_bar(table, bar)]


def judge_bounds(verdicts, stretches):
    """Judges the bars of the stretches, and names the call and the place of the longest."""
    by_row = {bench_bounds.KINDS[kind]: one
              for kind, one in bench_bounds.longest(stretches).items()}
    judged = []
    for verdict in verdicts:
        bar, one = verdict.bar, by_row.get(verdict.bar.ours[0])
        if one:
            what = f"{bar.what}: {one.name}, at {one.place}"
            verdict = Verdict(dataclasses.replace(bar, what=what), None, one.cost, bar.factor,
                              one.cost <= bar.factor)
        judged.append(verdict)
    return judged


def shown(number):
    """A number for a table: thousands with a comma, one digit behind the point if it is small."""
    if number is None:
        return "–"
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:,.1f}"


def quotient_shown(quotient):
    if quotient is None:
        return "–"
    return f"{quotient:.2f}" if quotient >= 0.1 else f"{quotient:.1g}"


def bar_line(verdict):
    bar = verdict.bar
    wanted = {"ratio": f"<= {bar.factor} x beside", "limit": f"<= {bar.factor:,}",
              "growth": f"<= {bar.factor} x the smallest",
              "base": f"<= {bar.factor} x without", "figure": "–"}[bar.kind]
    return (bar.number, bar.what, wanted, "–" if verdict.n is None else f"{verdict.n:,}",
            shown(verdict.ours), shown(verdict.other), quotient_shown(verdict.quotient),
            verdict.word)


def print_columns(rows):
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


BAR_HEAD = ("bar", "what", "wanted", "N", "ours", "beside", "ratio", "")


# --- bench-check ------------------------------------------------------------------


def load_figures(path=None):
    path = path or FIGURES
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def figures_from(results):
    """The rows of ours that figures.json keeps: ROW -> size -> mean."""
    found = {}
    for one in results:
        if one.system == "ours" and one.unit in ("instructions", "bytes"):
            found.setdefault(one.row, {})[str(one.n)] = one.mean
    return found


def refuse_missing_rows(results):
    """Raises BadLog unless each checked row was measured, and in instructions only."""
    units = {row: {one.unit for one in results if (one.row, one.system) == (row, "ours")}
             for row in CHECKED_ROWS}
    problems = [f"{row}: " + (f"measured in {', '.join(sorted(found))}" if found else "not measured")
                for row, found in units.items() if found != {"instructions"}]
    if problems:
        raise BadLog("the figures stay as they are, since they need each checked row in "
                     "instructions:\n" + "\n".join(problems))


def renew_figures(results, kernel, compiler, path=None):
    path = path or FIGURES
    refuse_missing_rows(results)
    figures = load_figures(path)
    figures.setdefault(kernel, {})[compiler] = figures_from(results)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(figures, file, indent=1, sort_keys=True)
        file.write("\n")


def compare(results, figures, kernel, compiler):
    """Compares rows with the figures. Returns the lines to print, and whether all rows pass."""
    found = figures_from(results)
    known = figures.get(kernel, {}).get(compiler)
    lines, good = [("row", "N", "figure", "now", "change", "")], True
    notes = []
    is_same = known is not None
    if not is_same:
        others = [(k, c) for k in figures for c in figures[k]]
        if not others:
            return [], ["there are no figures yet: " + RENEW + " writes them"], True
        other = others[-1]
        known = figures[other[0]][other[1]]
        notes.append(f"WARNING: no figures for kernel {kernel} with {compiler}; those below are of "
                     f"kernel {other[0]} with {other[1]}, and nothing is judged: run {RENEW}")
    for row in sorted(set(known) | set(found) | set(CHECKED_ROWS)):
        sizes = set(known.get(row, {})) | set(found.get(row, {}))
        for n in sorted(sizes, key=int) or ["–"]:
            figure, now = known.get(row, {}).get(n), found.get(row, {}).get(n)
            if now is None:
                word, change = "NOT MEASURED", "–"
                good = good and not is_same
            elif figure is None and row in CHECKED_ROWS:
                word, change = f"NO FIGURE: run {RENEW_FIGURES}", "–"
                good = good and not is_same
            elif figure is None:
                word, change = f"no figure yet: run {RENEW}", "–"
            else:
                part = round(now / figure - 1, 6) if figure else 0
                change, word = f"{part:+.1%}", ""
                if part > TOLERANCE:
                    word = "MORE THAN ITS FIGURE"
                    good = good and not is_same
                elif part < -TOLERANCE:
                    word = f"less: run {RENEW} to renew the figure"
            lines.append((row, n, shown(figure), shown(now), change, word))
    return lines, notes, good


def limits_of_stretches():
    return {kind: bar.factor for kind, row in bench_bounds.KINDS.items()
            for bar in bench_bars.BARS if bar.ours == (row,)}


def check_marks(directory, compiler):
    """Compares the stretches of a boot with the figures, and returns whether all is well."""
    lines, good = bench_bounds.compare(read_marks(directory), bench_bounds.load(),
                                       facts_of(directory), compiler, limits_of_stretches())
    print("\n".join(lines))
    if not good:
        print("bench-check: FAILED: interrupts or preemption are off for longer than before. If that "
              f"is intended, run {RENEW_FIGURES}")
    return good


def run_check(arguments):
    results, _ = read_boot(arguments.boots[0])
    compiler = compiler_of(arguments.module)
    lines, notes, good = compare(results, load_figures(), facts_of(arguments.boots[0]), compiler)
    if lines:
        print_columns(lines)
    print("\n".join(notes))
    if not good:
        print(f"bench-check: FAILED: a row costs over {TOLERANCE:.0%} more than its figure, has no "
              f"figure, or was not measured. If that is intended, run {RENEW_FIGURES}, which renews "
              f"the figures, or {RENEW}, which renews the document too.")
    if arguments.marks:
        good = check_marks(arguments.marks, compiler) and good
    if good:
        print("bench-check: ok")
    return 0 if good else 1


def run_bounds(arguments):
    stretches = read_marks(arguments.marks)
    print_columns(bench_bounds.call_lines(stretches))
    print()
    print_columns(bench_bounds.place_lines(stretches))
    print()
    if arguments.partly:
        return 0
    return 0 if check_marks(arguments.marks, compiler_of(arguments.module)) else 1


def run_figures(arguments):
    results, _ = read_boot(arguments.boots[0])
    kernel, compiler = facts_of(arguments.boots[0]), compiler_of(arguments.module)
    renew_figures(results, kernel, compiler)
    if arguments.marks:
        bench_bounds.renew(read_marks(arguments.marks), kernel, compiler)
    return 0


# --- the report -----------------------------------------------------------------------


def run_report(arguments):
    import bench_document  # needs matplotlib, which bench-check does not install
    import bench_lines  # needs this file
    results, skips = [], []
    for boot in arguments.boots:
        more, skipped = read_boot(boot)
        results += more
        skips += skipped
    about = {"kernel": facts_of(arguments.boots[0]), "compiler": compiler_of(arguments.module),
             "emulator": emulator()}
    bench_document.write_results(os.path.join(arguments.out, "results.json"), results, about)
    stretches = read_marks(arguments.marks) if arguments.marks else []
    shared = bench_lines.table_lines(*bench_lines.read(
        arguments.lines, arguments.counts, arguments.module)) if arguments.lines else []
    verdicts = judge_bounds(judge_bars(Table(results)), stretches)
    print_columns(bench_document.result_lines(results))
    print()
    print_columns(bench_document.tree_lines(results))
    print()
    print_columns(bench_bounds.call_lines(stretches))
    print()
    print_columns(bench_bounds.place_lines(stretches))
    print()
    print_columns(shared)
    print()
    for skip in skips:
        print(f"not measured: {skip.row} {skip.system}: {skip.reason}")
    print()
    print_columns([BAR_HEAD] + [bar_line(verdict) for verdict in verdicts])
    counts = [sum(verdict.passed is state for verdict in verdicts)
              for state in (True, False, None)]
    print("\n{} pass, {} miss, {} not judged".format(*counts))
    folder = os.path.join(ROOT, "bench") if arguments.renew else arguments.out
    bench_document.write(folder, results, skips, verdicts, stretches, shared, about,
                         arguments.renew)
    if arguments.keep:
        bench_kernels.renew(arguments.keep, results, about)
    elif arguments.renew:
        for text in bench_kernels.unexplained(results, bench_kernels.load()):
            print(f"differs from 6.1 by more than {bench_kernels.TOLERANCE:.0%}: {text}")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("report", "check", "figures", "bounds", "chosen"))
    parser.add_argument("--module")
    parser.add_argument("--out")
    parser.add_argument("--marks", help="the folder of a boot whose module has marks")
    parser.add_argument("--lines", help="the folder of the boot of bench.sh lines")
    parser.add_argument("--counts", help="the accesses that the plugin has counted in that boot")
    parser.add_argument("--partly", action="store_true")
    parser.add_argument("--renew", action="store_true")
    parser.add_argument("--keep", help="the name of the kernel for bench/kernels.json")
    parser.add_argument("boots", nargs="*")
    arguments = parser.parse_intermixed_args()
    if arguments.command == "chosen":
        print("tmm.bench_systems=ours")
        print("tmm.bench_rows=" + ",".join(CHECKED_ROWS))
        print("tmm.bench_sizes=" + ",".join(map(str, CHECKED_SIZES)))
        return 0
    if not arguments.module or not (arguments.marks if arguments.command == "bounds" else
                                    arguments.boots):
        parser.error("--module and the folder of a boot are missing")
    try:
        return {"report": run_report, "check": run_check,
                "figures": run_figures, "bounds": run_bounds}[arguments.command](arguments)
    except BadLog as bad:
        print(f"bench: FAILED: {bad}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
