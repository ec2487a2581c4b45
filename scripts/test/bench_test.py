#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of bench.py: of its parser, the bars, and the comparison with the figures.

    bench_test.py
"""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from contextlib import redirect_stdout
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import bench  # noqa: E402
import bench_bars  # noqa: E402
import bench_bounds  # noqa: E402
import bench_kernels  # noqa: E402
import ktap  # noqa: E402

KERNEL, COMPILER = "6.1.0-56-amd64", "gcc 12.2.0"

CONSOLE = f"""\
[    1.000000] {ktap.BEGIN}
[    2.000000] tmm-bench: # kernel: 1.000 ticks an instruction of a known loop
[    2.100000] tmm-bench: create-4k ours 100 instructions 4000 5099.3 5208 9120
[    2.200000] tmm-bench: create-4k ours 1000 instructions 4000 5150.0 5208 9120
[    2.300000] tmm-bench: create-4k vmalloc 1000 instructions 4000 2500.0 3000 8000
[    2.400000] tmm-bench: allocate-frame drm-buddy - skipped this kernel has no such module
[    3.000000] {ktap.END}
"""
RESULT = f"""\
# kernel {KERNEL}, 1 CPUs, 4-level paging, PTI off
tmm-bench: program-create-4k ours 1000 instructions 1000 11879.0 12000 15000
VERDICT ok plan=bench
"""


def line(row="create-4k", system="ours", n=100, mean=1000.0, unit="instructions"):
    return f"tmm-bench: {row} {system} {n} {unit} 1000 {mean} 1 1\n"


def table(*lines):
    results, _, failures = bench.parse("".join(lines))
    assert not failures, failures
    return bench.Table(results)


def judge(kind, factor, *lines, theirs=(), first=0, **more):
    bar = bench_bars.Bar(1, "a bar", kind, factor, ("create-4k",), theirs, first=first, **more)
    return [(verdict.n, verdict.passed) for verdict in bench.judge_bar(table(*lines), bar)]


class Parser(unittest.TestCase):

    def test_reads_both_logs(self):
        results, skips = bench.judge_boot(CONSOLE, RESULT)
        self.assertEqual(len(results), 4)
        self.assertEqual(results[0], bench.Result("create-4k", "ours", 100, "instructions", 4000,
                                                  5099.3, 5208, 9120))
        self.assertEqual(skips, [bench.Skip("allocate-frame", "drm-buddy",
                                            "this kernel has no such module")])

    def test_reads_crlf(self):
        results, _ = bench.judge_boot(CONSOLE.replace("\n", "\r\n"), RESULT)
        self.assertEqual(len(results), 4)

    def refused(self, console=CONSOLE, result=RESULT):
        with self.assertRaises(bench.BadLog) as caught:
            bench.judge_boot(console, result)
        return str(caught.exception)

    def test_failure_is_refused(self):
        self.assertIn("create-4k: error -12", self.refused(
            CONSOLE + "tmm-bench: failed create-4k error -12\n"))

    def test_missing_verdict_is_refused(self):
        self.assertIn("verdict", self.refused(result=RESULT.replace("VERDICT", "V")))

    def test_failed_verdict_is_refused(self):
        self.assertIn("rmmod", self.refused(
            result=RESULT.replace("ok plan=bench", "fail plan=bench: rmmod")))

    def test_complaint_of_the_kernel_is_refused(self):
        self.assertIn("WARNING", self.refused(CONSOLE.replace(
            "[    3.", "[    2.9] WARNING: CPU: 0 PID: 1 at mm/vmalloc.c:1\n[    3.")))

    def test_truncated_console_is_refused(self):
        self.assertIn(ktap.END, self.refused(CONSOLE.split("[    3.")[0]))

    def test_broken_line_is_refused(self):
        for broken in ("create-4k ours 100 instructions 4000 5099.3",
                       "create-4k ours 100 parsecs 4000 5099.3 1 1",
                       "create-4k ours 100 instructions 0 5099.3 1 1",
                       "create-4k ours - skipped"):
            self.assertIn(broken, self.refused(CONSOLE + f"tmm-bench: {broken}\n"))

    def test_row_measured_twice_is_refused(self):
        self.assertIn("measured twice", self.refused(CONSOLE + line(n=100)))

    def test_no_row_is_refused(self):
        empty = f"{ktap.BEGIN}\n{ktap.END}\n"
        self.assertIn("no row", self.refused(empty, "VERDICT ok plan=bench\n"))


class Bars(unittest.TestCase):

    def test_ratio(self):
        theirs = ("create-4k vmalloc",)
        lines = (line(n=100, mean=500), line(n=1000, mean=501),
                 line(system="vmalloc", n=100, mean=1000),
                 line(system="vmalloc", n=1000, mean=1000))
        self.assertEqual(judge("ratio", 0.5, *lines, theirs=theirs), [(100, True), (1000, False)])
        self.assertEqual(judge("ratio", 0.5, *lines, theirs=theirs, first=1000), [(1000, False)])

    def test_ratio_without_clearing(self):
        lines = (line(mean=1000), line("clear", mean=600), line(system="vmalloc", mean=1100),
                 line("clear", "linux", mean=100))
        self.assertEqual(judge("ratio", 0.4, *lines, theirs=("create-4k vmalloc",),
                               less_ours=("clear",), less_theirs=("clear linux",)), [(100, True)])
        self.assertEqual(judge("ratio", 0.39, *lines, theirs=("create-4k vmalloc",),
                               less_ours=("clear",), less_theirs=("clear linux",)), [(100, False)])

    def test_limit(self):
        self.assertEqual(judge("limit", 400, line(mean=400)), [(100, True)])
        self.assertEqual(judge("limit", 400, line(mean=400.1)), [(100, False)])

    def test_growth(self):
        self.assertEqual(judge("growth", 1.1, line(n=100, mean=100), line(n=1000, mean=110),
                               line(n=10000, mean=105)), [(1000, True)])
        self.assertEqual(judge("growth", 1.1, line(n=100, mean=100), line(n=1000, mean=999),
                               line(n=10000, mean=110)), [(1000, False)])
        self.assertEqual(judge("growth", 1.1, line(n=100, mean=100), line(n=1000, mean=111)),
                         [(1000, False)])

    def test_base(self):
        self.assertEqual(judge("base", 2, line(n=0, mean=100), line(n=10, mean=200),
                               line(n=20, mean=201)), [(10, True), (20, False)])

    def test_size_that_one_side_lacks_is_not_measured(self):
        theirs = ("create-4k vmalloc",)
        self.assertEqual(judge("ratio", 1, line(n=100), line(n=1000),
                               line(system="vmalloc", n=100), theirs=theirs),
                         [(100, True), (1000, None)])
        self.assertEqual(judge("ratio", 1, line(n=100), line(system="vmalloc", n=100),
                               line(system="vmalloc", n=1000), theirs=theirs),
                         [(100, True), (1000, None)])
        for kind in ("limit", "growth"):
            bar = bench_bars.Bar(1, "two rows", kind, 3000, ("create-4k", "drop-4k"))
            verdicts = bench.judge_bar(table(
                line(n=10), line("drop-4k", n=10), line(n=100), line("drop-4k", n=100),
                line(n=1000)), bar)
            self.assertEqual((verdicts[-1].n, verdicts[-1].word), (1000, "not measured"))
            self.assertTrue(verdicts[0].passed)

    def test_only_rows_taken_off_have_one_size_for_all(self):
        lines = (line(n=100), line(n=1000), line("clear", n=1, mean=600),
                 line(system="vmalloc", n=100), line(system="vmalloc", n=1000))
        self.assertEqual(judge("ratio", 0.4, *lines, theirs=("create-4k vmalloc",),
                               less_ours=("clear",)), [(100, True), (1000, True)])
        self.assertEqual(judge("ratio", 1, line(n=100), line(system="vmalloc", n=1),
                               theirs=("create-4k vmalloc",)), [(1, None), (100, None)])

    def test_limit_is_not_judged_in_another_unit(self):
        bar = bench_bars.Bar(1, "a bar", "limit", 400, ("create-4k",))
        for mean in (1, 9999):
            verdict, = bench.judge_bar(table(line(mean=mean, unit="cycles")), bar)
            self.assertIsNone(verdict.passed)
            self.assertIn("cycles", verdict.word)
            self.assertEqual(bench.bar_line(verdict)[4], bench.shown(mean))
        self.assertEqual(judge("limit", 8, line(mean=8, unit="bytes"), unit="bytes"),
                         [(100, True)])

    def test_figure_has_no_limit(self):
        bar = bench_bars.Bar(7, "throughput", "figure", 0, ("create-4k",))
        verdicts = bench.judge_bar(table(line(n=1, mean=100), line(n=2, mean=170)), bar)
        self.assertEqual([(v.n, v.ours, v.other, v.word) for v in verdicts],
                         [(1, 100, None, "figure only"), (2, 170, 100, "figure only")])
        self.assertEqual(bench.bar_line(verdicts[1])[6], "1.70")

    def test_unmeasured_bars_are_neither_passed_nor_missed(self):
        self.assertEqual(judge("limit", 400, line("other")), [(None, None)])
        self.assertEqual(judge("growth", 1.1, line()), [(None, None)])
        self.assertEqual(judge("ratio", 1, line(), theirs=("create-4k vmalloc",)),
                         [(100, None)])
        self.assertEqual(judge("base", 2, line(n=10)), [(None, None)])

    def test_every_bar_of_the_table_is_judged(self):
        verdicts = bench.judge_bars(table(line("unknown")))
        self.assertEqual(len(verdicts), len(bench_bars.BARS))
        self.assertTrue(all(verdict.passed is None for verdict in verdicts))
        self.assertEqual({bar.number for bar in bench_bars.BARS}, set(range(1, 10)))

    def test_table_has_the_reason_why_a_bar_is_not_measured(self):
        lines = [bench.bar_line(verdict) for verdict in bench.judge_bars(table(line("unknown")))]
        words = {(one[0], one[1]): one[-1] for one in lines}
        self.assertEqual(words[9, "memory for a frame"], "no row for the memory of a frame yet")
        self.assertEqual(words[1, "kernel: remap it"], "not measured yet")
        for number, row in ((4, "program-populate-128m"), (5, "program-unmap-1g"),
                            (7, "clients-fault"), (9, "memory-fragment")):
            self.assertIn((number, row), {(bar.number, bar.ours[0]) for bar in bench_bars.BARS})


class Check(unittest.TestCase):

    FIGURES = {KERNEL: {COMPILER: {"create-4k": {"100": 1000.0}}}}

    def setUp(self):
        self.enterContext(mock.patch.object(bench, "CHECKED_ROWS", ("create-4k",)))

    def compare(self, *lines, kernel=KERNEL, compiler=COMPILER, figures=None):
        results, _, _ = bench.parse("".join(lines))
        return bench.compare(results, self.FIGURES if figures is None else figures,
                             kernel, compiler)

    def test_same_cost_passes(self):
        self.assertTrue(self.compare(line(mean=1000))[2])
        self.assertTrue(self.compare(line(mean=1030))[2])

    def test_higher_cost_fails(self):
        lines, _, good = self.compare(line(mean=1031))
        self.assertFalse(good)
        self.assertIn("MORE THAN ITS FIGURE", lines[1])

    def test_lower_cost_passes_and_asks_for_new_figures(self):
        lines, _, good = self.compare(line(mean=900))
        self.assertTrue(good)
        self.assertIn(bench.RENEW, lines[1][5])

    def test_row_that_was_not_measured_fails(self):
        self.assertFalse(self.compare(line("other"))[2])
        self.assertFalse(self.compare(line(n=1000))[2])

    def test_new_row_passes(self):
        lines, _, good = self.compare(line(), line("new"))
        self.assertTrue(good)
        self.assertIn("no figure yet", lines[2][5])

    def test_checked_row_without_a_figure_or_a_result_fails(self):
        with mock.patch.object(bench, "CHECKED_ROWS", ("create-4k", "window")):
            lines, _, good = self.compare(line(), line("window"))
            self.assertFalse(good)
            self.assertEqual((lines[2][0], lines[2][5]),
                             ("window", "NO FIGURE: run " + bench.RENEW_FIGURES))
            lines, _, good = self.compare(line())
            self.assertFalse(good)
            self.assertEqual((lines[2][0], lines[2][5]), ("window", "NOT MEASURED"))
            self.assertTrue(self.compare(line(), kernel="6.12")[2])

    def test_checked_row_in_cycles_fails(self):
        self.assertFalse(self.compare(line(unit="cycles"))[2])

    def test_figures_need_all_checked_rows_in_instructions(self):
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(bench, "CHECKED_ROWS", ("create-4k", "window")):
            path = os.path.join(folder, "figures.json")
            for more, words in (("", "window: not measured"),
                                (line("window", unit="cycles"), "window: measured in cycles"),
                                (line("window", system="linux"), "window: not measured")):
                results, _, _ = bench.parse(line() + more)
                with self.assertRaisesRegex(bench.BadLog, words):
                    bench.renew_figures(results, KERNEL, COMPILER, path)
                self.assertFalse(os.path.exists(path))
            results, _, _ = bench.parse(line() + line("window"))
            bench.renew_figures(results, KERNEL, COMPILER, path)
            self.assertEqual(set(bench.load_figures(path)[KERNEL][COMPILER]),
                             {"create-4k", "window"})

    def test_other_system_does_not_count(self):
        self.assertTrue(self.compare(line(), line(system="vmalloc", mean=9999))[2])

    def test_other_version_only_warns(self):
        for version in ({"kernel": "6.12"}, {"compiler": "gcc 13"}):
            lines, notes, good = self.compare(line(mean=5000), **version)
            self.assertTrue(good)
            self.assertIn("WARNING", notes[0])
            self.assertIn(bench.RENEW, notes[0])
            self.assertEqual(lines[1][2:4], ("1,000", "5,000"))

    def test_no_figures_at_all(self):
        lines, notes, good = self.compare(line(), figures={})
        self.assertEqual((lines, good), ([], True))
        self.assertIn(bench.RENEW, notes[0])

    def test_figures_are_renewed_beside_those_of_other_versions(self):
        results, _, _ = bench.parse(line(mean=777.5) + line(system="vmalloc"))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "figures.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump({"6.12": {COMPILER: {"a": {"1": 1}}}}, file)
            bench.renew_figures(results, KERNEL, COMPILER, path)
            found = bench.load_figures(path)
        self.assertEqual(found, {"6.12": {COMPILER: {"a": {"1": 1}}},
                                 KERNEL: {COMPILER: {"create-4k": {"100": 777.5}}}})

    def test_command_fails_and_names_what_to_do(self):
        """From the logs of a guest to the exit status."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("console.log", CONSOLE), ("result.log", RESULT)):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(text)
            figures = {KERNEL: {COMPILER: bench.figures_from(bench.read_boot(folder)[0])}}
            for change, status, words in ((1, 0, "bench-check: ok"), (0.96, 1, bench.RENEW)):
                path = os.path.join(folder, "figures.json")
                figures[KERNEL][COMPILER]["create-4k"]["100"] = 5099.3 * change
                with open(path, "w", encoding="utf-8") as file:
                    json.dump(figures, file)
                out = io.StringIO()
                with mock.patch.object(bench, "FIGURES", path), \
                        mock.patch.object(bench, "compiler_of", return_value=COMPILER), \
                        redirect_stdout(out):
                    found = bench.run_check(mock.Mock(boots=[folder], module="x", marks=None))
                self.assertEqual(found, status)
                self.assertIn(words, out.getvalue())

    def test_arguments_of_bench_sh(self):
        """bench.sh puts options before the folders of the boots, or between them."""
        with tempfile.TemporaryDirectory() as folder:
            for command in ("check", "figures", "report"):
                out = io.StringIO()
                argv = ["bench.py", command, "--module", "x", "--out", folder, folder]
                with mock.patch.object(sys, "argv", argv), redirect_stdout(out), \
                        mock.patch.dict(sys.modules, {"bench_document": mock.Mock()}):
                    self.assertEqual(bench.main(), 1)
                self.assertIn("no row was measured", out.getvalue())


def stretch(kind="spinlock", call="DROP", size="4k", cost=1000, place="alloc/a.c:12:drop"):
    return (f"tmm-bench: stretch {kind} {call} {size} 100-mappings {cost} "
            f"../build/module-stock-marks/theseus_mm/{place}\n")


MARKS_RESULT = (RESULT.replace("VERDICT", stretch() + stretch("interrupts", cost=50) +
                               stretch("preemption", size="1g", cost=2000) + "VERDICT"))


class Bounds(unittest.TestCase):

    LIMITS = {"interrupts": 10000, "spinlock": 3000, "preemption": 20000}

    def stretches(self, *lines):
        return [bench_bounds.parse_line(one[len("tmm-bench: "):].strip()) for one in lines]

    def compare(self, *lines, figures=None, kernel=KERNEL):
        known = {KERNEL: {COMPILER: figures or {"DROP 4k": {"spinlock": 1000}}}}
        return bench_bounds.compare(self.stretches(*lines), known, kernel, COMPILER, self.LIMITS)

    def test_reads_stretches(self):
        found = bench.judge_marks(CONSOLE, MARKS_RESULT)
        self.assertEqual([(one.kind, one.name, one.cost) for one in found],
                         [("spinlock", "DROP 4k", 1000), ("interrupts", "DROP 4k", 50),
                          ("preemption", "DROP 1g", 2000)])
        self.assertEqual(found[0].place, "theseus_mm/alloc/a.c:12, drop()")

    def test_boot_that_proves_nothing_is_refused(self):
        for result, words in ((MARKS_RESULT.replace("stretch interrupts", "stretch x"), "no result"),
                              (RESULT, "no stretch was measured: spinlock"),
                              (MARKS_RESULT.replace("VERDICT ok", "VERDICT fail"), "verdict"),
                              (stretch() + "tmm-bench: failed bounds DROP: EIO\n" + MARKS_RESULT,
                               "DROP: EIO")):
            with self.assertRaisesRegex(bench.BadLog, words):
                bench.judge_marks(CONSOLE, result)

    def test_bar_names_the_call_and_the_place_of_the_longest(self):
        verdicts = bench.judge_bars(table(line("unknown")))
        found = bench.judge_bounds(verdicts, self.stretches(
            stretch(cost=2999), stretch(call="READ", cost=3001, place="alloc/b.c:7:read")))
        judged, = [one for one in found if one.passed is not None]
        self.assertFalse(judged.passed)
        self.assertIn("READ 4k, at theseus_mm/alloc/b.c:7, read()", judged.bar.what)
        self.assertEqual((judged.ours, judged.other), (3001, 3000))
        found = bench.judge_bounds(verdicts, self.stretches(stretch(cost=3000)))
        self.assertEqual([one.passed for one in found if one.passed is not None], [True])

    def test_same_stretch_passes(self):
        self.assertEqual(self.compare(stretch()), ([], True))
        self.assertTrue(self.compare(stretch(cost=1150))[1])

    def test_longer_stretch_fails(self):
        lines, good = self.compare(stretch(cost=1151))
        self.assertFalse(good)
        self.assertIn("DROP 4k: spinlock: 1,151 instructions, MORE THAN ITS FIGURE", lines[0])

    def test_stretch_that_exceeds_the_bound_fails(self):
        self.assertFalse(self.compare(stretch(cost=3001), figures={
            "DROP 4k": {"spinlock": 2990}})[1])
        self.assertTrue(self.compare(stretch(cost=3011), figures={
            "DROP 4k": {"spinlock": 3001}})[1])

    def test_new_and_missing_stretches_fail(self):
        self.assertFalse(self.compare(stretch(), stretch(call="READ"))[1])
        self.assertTrue(self.compare(stretch(), stretch(call="READ", cost=100))[1])
        lines, good = self.compare(stretch("interrupts", cost=1))
        self.assertFalse(good)
        self.assertIn("NOT MEASURED", lines[0])

    def test_other_version_only_warns(self):
        lines, good = self.compare(stretch(cost=9999), kernel="6.12")
        self.assertTrue(good)
        self.assertIn("WARNING", lines[0])

    def test_table_has_each_call_once(self):
        lines = bench_bounds.call_lines(self.stretches(
            stretch(), stretch("preemption", cost=1500), stretch(size="-", call="poll")))
        self.assertEqual(lines[1:], [("DROP", "4k", "–", "1,000", "1,500"),
                                     ("poll", "", "–", "1,000", "–")])

    def test_table_has_the_longest_of_all_situations(self):
        lines = bench_bounds.call_lines(self.stretches(
            stretch(cost=10), stretch(cost=30).replace("100-", "99-"), stretch(cost=20)))
        self.assertEqual(lines[1:], [("DROP", "4k", "–", "30", "–")])

    def test_places_are_named_once_each(self):
        lines = bench_bounds.place_lines(self.stretches(
            stretch(cost=10), stretch(cost=30, call="READ"), stretch(cost=20, place="alloc/b.c:1:f")))
        self.assertEqual([one[1:] for one in lines[1:]], [
            ("30", "READ 4k", "100-mappings", "theseus_mm/alloc/a.c:12, drop()"),
            ("20", "DROP 4k", "100-mappings", "theseus_mm/alloc/b.c:1, f()")])

    def test_manual_has_the_longest_of_all_sizes(self):
        figures = {"DROP 4k": {"spinlock": 1011}, "DROP 1g": {"spinlock": 40, "preemption": 40}}
        self.assertEqual(bench_bounds.manual_rows(figures), [("DROP", "0", "1,100", "40")])
        for cost, wanted in ((0, 0), (99, 99), (100, 100), (101, 110), (1000, 1000), (19102, 20000)):
            self.assertEqual(bench_bounds.rounded_up(cost), wanted)
        self.assertIn(".It DROP Ta 0 Ta 1,100 Ta 40",
                      bench_bounds.mdoc({KERNEL: {COMPILER: figures}}))

    def test_manual_needs_no_figures(self):
        self.assertEqual(len(bench_bounds.mdoc({})), 1)

    def test_figures_are_renewed(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "bounds.json")
            bench_bounds.renew(self.stretches(stretch()), KERNEL, COMPILER, path)
            self.assertEqual(bench_bounds.load(path),
                             {KERNEL: {COMPILER: {"DROP 4k": {"spinlock": 1000}}}})


STUB = """\
#!/bin/sh
echo "${0##*/} $*" >>"$CALLS"
case ${0##*/} in
fetch-kernel.sh) echo "$IMAGE" ;;
build-initramfs.sh) echo "$CALLS" ;;
build-module.sh) echo "$MODULES" ;;
ktap.py) exit 1 ;;
cpio) cat >/dev/null ;;
esac
"""

STUB_OF_BENCH = """\
#!/usr/bin/env python3
import os, sys
with open(os.environ["CALLS"], "a") as calls:
    print("bench.py", *sys.argv[1:], file=calls)
if sys.argv[1] == "chosen":
    print("tmm.bench_rows=a")
    sys.exit(int(os.environ["CHOSEN"]))
"""


class Script(unittest.TestCase):
    """bench.sh, with stubs of the scripts that it runs."""

    def run_script(self, mode, release="6.1.0-56-amd64", chosen=0, bounds=True, **more):
        """Returns the exit status and the calls of the stubs."""
        with tempfile.TemporaryDirectory() as folder:
            if bounds:
                os.makedirs(os.path.join(folder, "bench"))
                with open(os.path.join(folder, "bench", "bounds.json"), "w", encoding="utf-8"):
                    pass
            scripts = os.path.join(folder, "scripts")
            os.makedirs(os.path.join(scripts, "test"))
            for name in ("bench.sh", "common.sh"):
                shutil.copy(os.path.join(bench.ROOT, "scripts", name), scripts)
            for name in ("fetch-kernel.sh", "build-module.sh", "build-initramfs.sh", "qemu.sh",
                         "test/ktap.py", "bench.py", "bench_lines.py", "cpio", "gcc"):
                path = os.path.join(scripts, name)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(STUB_OF_BENCH if name == "bench.py" else STUB)
                os.chmod(path, 0o755)
            calls, modules = os.path.join(folder, "calls"), os.path.join(folder, "modules")
            os.makedirs(os.path.join(modules, "bench"))
            for name in ("theseus_mm.ko", "bench/theseus_mm_bench.ko"):
                with open(os.path.join(modules, name), "w", encoding="utf-8"):
                    pass
            environment = dict(os.environ, CALLS=calls, CHOSEN=str(chosen), MODULES=modules,
                               IMAGE=f"{folder}/boot/vmlinuz-{release}", TMM_CACHE=folder,
                               PATH=f"{scripts}:{os.environ['PATH']}")
            for name in ("KERNEL", "TMM_ACCEL"):
                environment.pop(name, None)
            environment.update(more)
            status = subprocess.run([os.path.join(scripts, "bench.sh"), *mode.split()], env=environment,
                                    capture_output=True, check=False).returncode
            with open(calls, encoding="utf-8") as file:
                return status, file.read()

    def test_only_the_stock_kernel_6_1_renews_the_document(self):
        for release, more, is_renewed in (
                ("6.1.0-56-amd64", {}, True), ("6.12.95+deb13-amd64", {}, False),
                ("6.1.0-56-amd64", {"KERNEL": "6.12"}, False),
                ("6.1.0-56-amd64", {"TMM_ACCEL": "kvm"}, False)):
            status, calls = self.run_script("all", release, **more)
            self.assertEqual(status, 0)
            self.assertIn("bench.py report", calls)
            self.assertEqual("--renew" in calls, is_renewed, (release, more))
            self.assertEqual("bench.py figures" in calls, is_renewed, (release, more))

    def test_module_with_marks_is_booted_where_it_can_measure(self):
        for mode, more, is_booted in (
                ("check", {}, True), ("figures", {}, True), ("all", {}, True),
                ("check", {"KERNEL": "6.12-rt"}, False), ("all", {"TMM_ACCEL": "kvm"}, False),
                ("profile create-4k", {}, False)):
            _, calls = self.run_script(mode, **more)
            self.assertEqual("bench/marks --initrd" in calls, is_booted, (mode, more))
            self.assertEqual("--marks" in calls, is_booted, (mode, more))

    def test_lines_are_counted_by_the_emulator_only(self):
        for mode, more, is_booted in (
                ("all", {}, True), ("all", {"TMM_ACCEL": "kvm"}, False), ("check", {}, False),
                ("lines", {}, True), ("lines", {"KERNEL": "6.12"}, True)):
            status, calls = self.run_script(mode, **more)
            self.assertEqual(status, 0)
            self.assertEqual("--cpus 2 --plugin" in calls, is_booted, (mode, more))
            self.assertEqual("--counts" in calls, is_booted and mode == "all")
            self.assertEqual("bench_lines.py" in calls, is_booted and mode == "lines")

    def test_module_with_marks_is_not_checked_without_bounds(self):
        self.assertNotIn("--marks", self.run_script("check", bounds=False)[1])
        self.assertIn("--marks", self.run_script("figures", bounds=False)[1])

    def test_bounds_of_a_round_are_only_printed(self):
        _, calls = self.run_script("bounds")
        self.assertIn("tmm.bench_rows=bounds-100-mappings,", calls)
        self.assertNotIn("--partly", calls)
        _, calls = self.run_script("bounds bounds-1g")
        self.assertIn("tmm.bench_rows=bounds-1g ", calls)
        self.assertIn("bench.py bounds --module", calls)
        self.assertIn("--partly", calls)

    def test_failure_to_choose_the_rows_ends_the_script(self):
        self.assertIn("tmm.bench_rows=a", self.run_script("check")[1])
        status, calls = self.run_script("check", chosen=1)
        self.assertNotEqual(status, 0)
        self.assertNotIn("qemu.sh", calls)


class OtherKernels(unittest.TestCase):

    def results(self, *lines):
        return bench.parse("".join(lines))[0]

    def kernels(self, **means):
        return {name: {"about": {}, "rows": {"create-4k ours": {"100": 1.0, "1000": mean}}}
                for name, mean in means.items()}

    def test_figures_are_kept_by_kernel(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "kernels.json")
            for name, mean in (("6.12", 100), ("7", 200), ("6.12", 300)):
                bench_kernels.renew(name, self.results(
                    line(mean=mean), line("throughput", unit="nanoseconds")), {"kernel": name}, path)
            kernels = bench_kernels.load(path)
        self.assertEqual({name: kernel["rows"] for name, kernel in kernels.items()},
                         {"6.12": {"create-4k ours": {"100": 300.0}},
                          "7": {"create-4k ours": {"100": 200.0}}})
        self.assertEqual(kernels["7"]["about"], {"kernel": "7"})

    def test_table_compares_one_size_of_each_row(self):
        results = self.results(line(n=100, mean=500), line(n=1000, mean=1000), line("other"))
        lines = bench_kernels.table_lines(results, self.kernels(seven=1200.0, eight=1100.0),
                                          bench.shown, bench.quotient_shown)
        self.assertEqual(lines, [
            ("row", "system", "N", "6.1", "seven", "x 6.1", "eight", "x 6.1", "why"),
            ("create-4k", "ours", "1,000", "1,000", "1,200", "1.20", "1,100", "1.10", "")])

    def test_large_difference_needs_a_reason(self):
        results = self.results(line(n=1000, mean=1000))
        for mean in (1201.0, 799.0):
            kernels = self.kernels(seven=mean)
            self.assertEqual(bench_kernels.unexplained(results, kernels),
                             ["create-4k ours 1000: seven: not explained yet"])
            with mock.patch.object(bench_kernels, "REASONS",
                                   (("seven", "create-4k .*", "because"),)):
                self.assertEqual(bench_kernels.unexplained(results, kernels), [])
                self.assertIn("seven: because", bench_kernels.table_lines(
                    results, kernels, bench.shown, bench.quotient_shown)[1][-1])

    def test_every_reason_is_of_a_kernel_and_a_row(self):
        """A reason that fits no figure any more is removed."""
        kernels = bench_kernels.load()
        for name, rows, reason in bench_kernels.REASONS:
            self.assertTrue(any(re.fullmatch(name, kernel) and re.fullmatch(rows, row)
                                for kernel, known in kernels.items() for row in known["rows"]),
                            f"{name}: {rows}: {reason}")


# Debian's own Python has the package for plots, and bench.sh uses that Python.
PLOTTER = "/usr/bin/python3"
DRAW = """\
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import bench, bench_document
results = [bench.Result("create-4k", system, n, "instructions", 1, mean, 1, 1)
           for system, mean in (("ours", float(sys.argv[3])), ("vmalloc", float(sys.argv[3])))
           for n in (100, 1000, 10000)]
bench_document.draw(sys.argv[2], results)
"""


class Pictures(unittest.TestCase):

    def setUp(self):
        if subprocess.run([PLOTTER, "-c", "import matplotlib"], capture_output=True,
                          check=False).returncode:
            reason = "matplotlib is not installed: make bench installs it"
            print(f"skipped: {self.id()}: {reason}")
            self.skipTest(reason)

    def draw(self, mean=1000.0):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([PLOTTER, "-c", DRAW, os.path.dirname(bench.__file__), folder,
                                   str(mean)], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(os.path.join(folder, "one-page.svg"), encoding="utf-8") as file:
                return file.read()

    def test_picture_is_small_and_reproducible(self):
        first = self.draw()
        self.assertTrue(first == self.draw(), "two runs draw different files")
        self.assertFalse("<dc:date>" in first, "the file has a date")
        self.assertTrue(">vmalloc</text>" in first, "the file draws its words as paths")
        self.assertLess(first.count("\n"), 300)

    def test_rows_that_cost_nothing_are_drawn(self):
        self.assertTrue("<svg" in self.draw(mean=0))


if __name__ == "__main__":
    unittest.main()
