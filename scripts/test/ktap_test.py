#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of ktap.py, most of them on logs recorded from real guests.

    ktap_test.py [REPORT.json]

Each log in testdata/ is the log of a guest in which the event in the file's name
happened. Only early.log has the boot messages before the KUnit banner.
"""

import io
import json
import os
import sys
import unittest

sys.dont_write_bytecode = True
import ktap  # noqa: E402

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "testdata")
VERDICT = "VERDICT ok plan=kunit\n"
SUITES = ("theseus_mm_alpha", "theseus_mm_beta")

USER = """\
# kernel: 6.1.192
KTAP version 1
1..2
    # Subtest: info_test
    TAP version 13
    1..2
    # Starting 2 tests from 1 test cases.
    #  RUN           global.one ...
    #            OK  global.one
    ok 1 global.one
    ok 2 global.two
    # PASSED: 2 / 2 tests passed.
    # Totals: pass:2 fail:0 xfail:0 xpass:0 skip:0 error:0
ok 1 info_test
    # Subtest: mmap_test
    TAP version 13
    1..1
    ok 1 global.three
ok 2 mmap_test
VERDICT ok plan=user
"""


RULE = "[    1.7] " + "=" * 66 + "\n"
RACE = RULE + """\
[    1.7] BUG: KCSAN: data-race in shrink_dentry_list / step_into

[    1.7] write to 0xffff888003a0c0c8 of 8 bytes by task 78 on cpu 1:
[    1.7]  shrink_dentry_list+0x9b/0x260
[    1.7]  do_exit+0x4f0/0xe80
[    1.7] read to 0xffff888003a0c0c8 of 8 bytes by task 79 on cpu 0:
[    1.7]  step_into+0x7a/0x5f0
[    1.7] Reported by Kernel Concurrency Sanitizer on:
[    1.7] CPU: 0 PID: 79 Comm: busybox Not tainted 6.1.192 #1
""" + RULE


def recorded(name):
    return ktap.read(DATA, name + ".log")


def kunit(console, result=VERDICT, suites=SUITES):
    return ktap.judge_run(console, result, "kunit", suites)


def user(result, programs=("info_test", "mmap_test")):
    console = f"[    1.0] {ktap.BEGIN}\n[    2.0] {ktap.END}\n"
    return ktap.judge_run(console, result, "user", (), programs)


def failures(leaves):
    return [leaf.name for leaf in leaves if leaf.status == "failed"]


def messages(leaves):
    return " ".join(leaf.message for leaf in leaves if leaf.status == "failed")


def counts(leaves):
    return ktap.closing_line(ktap.count(leaves))


class Recorded(unittest.TestCase):
    """Logs of real guests."""

    def test_pass(self):
        self.assertEqual(counts(kunit(recorded("pass"))), ("6 passed, 0 failed", True))

    def test_pass_with_crlf(self):
        log = recorded("pass").replace("\n", "\r\n")
        self.assertEqual(counts(kunit(log, VERDICT.replace("\n", "\r\n"))),
                         ("6 passed, 0 failed", True))

    def test_parameters_are_leaves(self):
        names = [leaf.name for leaf in kunit(recorded("pass"))]
        self.assertIn("theseus_mm_alpha.each.value_2", names)
        self.assertNotIn("theseus_mm_alpha.each", names)

    def test_fail(self):
        leaves = kunit(recorded("fail"))
        self.assertEqual(failures(leaves), ["theseus_mm_beta.each.value_-2",
                                            "theseus_mm_alpha.fails"])
        context = "\n".join(line for leaf in leaves for line in leaf.context
                            if leaf.name == "theseus_mm_alpha.fails")
        self.assertIn("Expected 1+1 == 3", context)
        self.assertIn("strings differ", context)

    def test_skip_without_leave(self):
        leaves = kunit(recorded("skip"), suites=("theseus_mm_beta",))
        self.assertEqual(failures(leaves), ["theseus_mm_beta.skipped"])

    def test_skip_with_leave(self):
        log = recorded("skip").replace("skipped", "needs_4_level")
        self.assertEqual(counts(kunit(log, suites=("theseus_mm_beta",))),
                         ("1 passed, 0 failed, 1 skipped", True))

    def test_crash_in_a_case(self):
        leaves = kunit(recorded("crash"), "", SUITES + ("theseus_mm_gamma",))
        self.assertIn("theseus_mm_alpha", failures(leaves))
        self.assertIn("theseus_mm_alpha.3", failures(leaves))
        self.assertIn("theseus_mm_gamma", failures(leaves))
        self.assertIn("kernel", failures(leaves))
        self.assertIn("verdict", failures(leaves))

    def test_hang(self):
        leaves = kunit(recorded("hang"), "", ("theseus_mm_alpha",))
        self.assertIn("theseus_mm_alpha", failures(leaves))
        self.assertIn("verdict", failures(leaves))

    def splat(self, name, what):
        """Expects the run to fail, although KUnit prints ok for all cases."""
        leaves = kunit(recorded(name), suites=("theseus_mm_alpha",))
        self.assertEqual(set(failures(leaves)), {"kernel"})
        self.assertIn(what, messages(leaves))
        self.assertEqual(ktap.count(leaves)["passed"], 3)

    def test_warn(self):
        self.splat("warn", "cut here")

    def test_kasan(self):
        self.splat("kasan", "KASAN: use-after-free")

    def test_lockdep(self):
        self.splat("lockdep", "possible circular locking")

    def test_kmemleak(self):
        self.splat("leak", "new suspected memory leaks")

    def test_any_cut_of_a_good_log_is_red(self):
        log = recorded("pass")
        last = log.index(ktap.END) + len(ktap.END)
        for end in range(0, last - 1, 7):
            leaves = kunit(log[:end], "")
            self.assertTrue(failures(leaves), f"cut at {end}")
            # the console alone shows the complaint
            self.assertTrue(failures(kunit(log[:end])), f"cut at {end}")


class Console(unittest.TestCase):
    """Logs that a guest might write."""

    def test_empty(self):
        leaves = kunit("", "")
        self.assertEqual(ktap.count(leaves)["passed"], 0)
        self.assertFalse(counts(leaves)[1])

    def test_kunit_disabled(self):
        log = (f"[ 1.0] 1..0\n[ 1.0] {ktap.BEGIN}\n[ 1.1] kunit: disabled\n"
               f"[ 2.0] {ktap.END}\n")
        leaves = kunit(log)
        self.assertIn("kunit: disabled", messages(leaves))
        self.assertIn("theseus_mm_alpha", failures(leaves))

    def test_boot_plan_is_not_ours(self):
        groups, _ = ktap.parse(ktap.kernel_lines(recorded("pass")))
        # the suites of one object file run in the reverse order of the source
        self.assertEqual([group.name for group in groups], list(SUITES[::-1]))

    def test_missing_suite(self):
        leaves = kunit(recorded("pass"), suites=SUITES + ("theseus_mm_gamma",))
        self.assertEqual(failures(leaves), ["theseus_mm_gamma"])

    def test_unknown_suite(self):
        leaves = kunit(recorded("pass"), suites=SUITES[:1])
        self.assertEqual(failures(leaves), ["theseus_mm_beta"])

    def test_suite_that_ran_twice(self):
        log = recorded("pass")
        start, end = log.index("    KTAP version 1"), log.index(ktap.END)
        leaves = kunit(log[:start] + log[start:end] + log[start:])
        self.assertIn("ran twice", messages(leaves))

    def test_wrong_number(self):
        log = recorded("pass").replace("    ok 3 last", "    ok 4 last")
        self.assertIn("numbered 4, expected 3", messages(kunit(log)))

    def test_missing_case(self):
        log = "".join(line + "\n" for line in recorded("pass").splitlines()
                      if "    ok 1 first" not in line)
        self.assertFalse(counts(kunit(log))[1])

    def test_planned_nothing(self):
        log = (f"[ 1.0] {ktap.BEGIN}\n[ 1.1]     KTAP version 1\n"
               "[ 1.1]     # Subtest: theseus_mm_alpha\n[ 1.1]     1..0\n"
               f"[ 1.1] ok 1 theseus_mm_alpha\n[ 2.0] {ktap.END}\n")
        self.assertIn("planned no tests", messages(kunit(log, suites=SUITES[:1])))

    def test_red_suite_of_green_cases(self):
        log = recorded("pass").replace("] ok 2 theseus_mm_alpha",
                                       "] not ok 2 theseus_mm_alpha")
        self.assertEqual(failures(kunit(log)), ["theseus_mm_alpha"])

    def test_marker_missing(self):
        log = recorded("pass").replace(ktap.END, "")
        self.assertEqual(failures(kunit(log)), ["console"])

    def test_every_splat(self):
        for line in ("BUG: unable to handle page fault for address: 0",
                     "UBSAN: shift-out-of-bounds in x.c:3:4",
                     "WARNING: CPU: 0 PID: 1 at x.c:3 f+0x1/0x2",
                     "WARNING: possible recursive locking detected",
                     "WARNING: inconsistent lock state",
                     "INFO: task insmod:12 blocked for more than 120 seconds.",
                     "INFO: lockdep is turned off.",
                     "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
                     "Kernel panic - not syncing: Fatal exception",
                     "general protection fault, probably for address 0",
                     "refcount_t: underflow; use-after-free.",
                     "list_add corruption. prev->next should be next",
                     "BUG: Bad page state in process insmod  pfn:12",
                     "mm/pgtable-generic.c:51: bad pmd ff1100010e5b3658(8400000188c000e7)",
                     "kmemleak: 3 new suspected memory leaks",
                     "theseus_mm_test: Unknown symbol tmm_x (err -2)",
                     "BUG: sleeping function called from invalid context"):
            log = recorded("pass").replace(
                ktap.END, f"x\n[    9.000000] {line}\n[    9.1] {ktap.END}")
            self.assertEqual(failures(kunit(log)), ["kernel"], line)


    def test_races(self):
        ours = RACE.replace("do_exit+0x4f0/0xe80", "tmm_drop+0x4f0/0xe80 [theseus_mm]")
        for race, expected in ((RACE, []), (ours, ["kernel"]), (RACE[:-70], ["kernel"]),
                               (RACE * 2, []), (RACE + ours, ["kernel"])):
            log = recorded("pass").replace(ktap.END, f"x\n{race}[    9.1] {ktap.END}")
            self.assertEqual(failures(kunit(log)), expected, race)
        self.assertEqual(ktap.linux_races(RACE + ours + RACE),
                         {"data-race in shrink_dentry_list / step_into": 2})


class Spoiled(unittest.TestCase):
    """A boot that a bug of Linux spoiled, and boots that only look alike."""

    def test_early_report_of_linux(self):
        self.assertTrue(ktap.spoiled_by_linux(recorded("early")))

    def test_early_report_in_a_function_that_was_called(self):
        log = recorded("early").replace(
            "RIP: 0010:identify_cpu+0x359/0x19d0",
            "RIP: 0010:get_cpu_vendor+0x3e/0x1a0\n[    0.006674]  identify_cpu+0x377/0x19d0")
        self.assertTrue(ktap.spoiled_by_linux(log))

    def test_nothing_reported(self):
        self.assertFalse(ktap.spoiled_by_linux(recorded("pass")))

    def test_reported_after_begin(self):
        log = recorded("early")
        log = f"[    0.001] {ktap.BEGIN}\n" + log.replace(ktap.BEGIN, "")
        self.assertFalse(ktap.spoiled_by_linux(log))

    def test_another_place(self):
        log = recorded("early").replace("identify_cpu", "tmm_module_init")
        self.assertFalse(ktap.spoiled_by_linux(log))

    def test_another_report_as_well(self):
        log = recorded("early").replace(
            "[   51.307187]", "[   50.0] WARNING: CPU: 0\n" + "x\n" * 5 + "[   51.307187]")
        self.assertFalse(ktap.spoiled_by_linux(log))


OOPS = """[    4.822471] Oops: int3: 0000 [#1] PREEMPT SMP PTI
[    4.823024] RIP: 0010:sched_clock_cpu+0x9/0x190
[    4.823268] Code: 90 f3 0f 1e fa 41 54 55 53 66 <90> e8 21 c1 f0 ff 48 03 05
"""


class SpoiledByEmulator(unittest.TestCase):
    """A breakpoint that is gone, and reports that only look alike."""

    def test_breakpoint_that_is_gone(self):
        self.assertTrue(ktap.spoiled_by_emulator(OOPS))

    def test_breakpoint_that_stands(self):
        self.assertFalse(ktap.spoiled_by_emulator(OOPS.replace("66 <90>", "cc <90>")))

    def test_no_code(self):
        self.assertFalse(ktap.spoiled_by_emulator(OOPS.replace("Code:", "code:")))

    def test_another_report_before(self):
        log = "[    4.0] WARNING: CPU: 0\n" + "x\n" * 5 + OOPS
        self.assertFalse(ktap.spoiled_by_emulator(log))

    def test_another_oops(self):
        self.assertFalse(ktap.spoiled_by_emulator(OOPS.replace("int3", "invalid opcode")))

    def test_nothing_reported(self):
        self.assertFalse(ktap.spoiled_by_emulator(recorded("pass")))


class Verdict(unittest.TestCase):
    """The verdict, the last line of result.log."""

    def test_of_another_plan(self):
        leaves = kunit(recorded("pass"), "VERDICT ok plan=none\n")
        self.assertEqual(failures(leaves), ["verdict"])

    def test_not_last(self):
        leaves = kunit(recorded("pass"), VERDICT + "but then\n")
        self.assertEqual(failures(leaves), ["verdict"])

    def test_cut(self):
        leaves = kunit(recorded("pass"), VERDICT[:-4])
        self.assertEqual(failures(leaves), ["verdict"])

    def test_fail_says_why(self):
        leaves = kunit(recorded("pass"), "VERDICT fail plan=kunit: tainted 512\n")
        self.assertEqual(messages(leaves), "tainted 512")


    def test_of_nothing_but_loading(self):
        console = f"[    1.0] {ktap.BEGIN}\n[    2.0] {ktap.END}\n"
        leaves = ktap.judge_run(console, "VERDICT ok plan=none\n", "none")
        self.assertEqual(counts(leaves), ("1 passed, 0 failed", True))
        leaves = ktap.judge_run(console, "VERDICT fail plan=none: rmmod\n", "none")
        self.assertEqual(counts(leaves), ("0 passed, 1 failed", False))


class User(unittest.TestCase):
    """Programs that use kselftest's harness."""

    def test_pass(self):
        self.assertEqual(counts(user(USER)), ("3 passed, 0 failed", True))

    def test_fail(self):
        log = USER.replace("    ok 2 global.two", "    not ok 2 global.two")
        log = log.replace("ok 1 info_test", "not ok 1 info_test # exit status 1")
        self.assertEqual(failures(user(log)), ["info_test.global.two"])

    def test_exit_status_against_its_own_results(self):
        log = USER.replace("ok 1 info_test", "not ok 1 info_test # exit status 1")
        self.assertEqual(failures(user(log)), ["info_test"])

    def test_died_early(self):
        log = USER.replace("    ok 2 global.two\n", "")
        log = log.replace("ok 1 info_test", "not ok 1 info_test # exit status 139")
        self.assertIn("1 of 2 planned", messages(user(log)))

    def test_guest_died(self):
        leaves = user(USER[:USER.index("    ok 1 global.three")])
        self.assertEqual(failures(leaves), ["mmap_test", "verdict"])

    def test_program_did_not_run(self):
        leaves = user(USER, ("info_test", "mmap_test", "leak_test"))
        self.assertEqual(failures(leaves), ["leak_test"])

    def test_no_programs(self):
        leaves = user("# PROBLEM: no user tests\nVERDICT fail plan=user: no user tests\n",
                      ())
        self.assertFalse(counts(leaves)[1])

    def test_skip_by_name_only_in_the_reason(self):
        log = USER.replace("    ok 2 global.two", "    ok 2 # SKIP no huge pages")
        self.assertEqual(failures(user(log)), ["info_test.2"])

    def test_skipped_program(self):
        log = USER.replace("ok 2 mmap_test", "ok 2 mmap_test # SKIP by itself")
        log = log.replace("    TAP version 13\n    1..1\n    ok 1 global.three\n", "")
        self.assertEqual(failures(user(log)), ["mmap_test"])


class Selftest(unittest.TestCase):
    """The boot that misbehaves: each test removes one symptom from its logs."""

    def judge(self, console=None, result=None):
        leaves = ktap.judge_selftest(console or recorded("selftest"),
                                     result or recorded("selftest.result"))
        return [leaf.name.partition(".")[2] for leaf in leaves
                if leaf.status == "failed"]

    def test_all_noticed(self):
        self.assertEqual(self.judge(), [])

    def test_case_did_not_fail(self):
        log = recorded("selftest").replace("    not ok 1 fails", "    ok 1 fails")
        self.assertEqual(self.judge(console=log), ["failing_case_by_the_parser"])

    def test_no_warning(self):
        log = "\n".join(line for line in recorded("selftest").splitlines()
                        if "WARNING" not in line and "cut here" not in line)
        self.assertEqual(self.judge(console=log), ["warn_by_the_scan"])

    def test_no_taint(self):
        log = recorded("selftest.result").replace("tainted", "coloured")
        self.assertEqual(self.judge(result=log), ["warn_by_the_taint"])

    def test_no_missing_frame(self):
        log = recorded("selftest.result").replace("free frames:", "frames:")
        self.assertEqual(self.judge(result=log), ["leaked_frame_by_the_count"])

    def test_nobody_died(self):
        log = "\n".join(line for line in recorded("selftest").splitlines()
                        if "tmm_rig_dies" not in line)
        self.assertEqual(self.judge(console=log),
                         ["module_outlives_who_dies_in_a_window"])

    def test_somebody_waits_for_the_dead(self):
        log = recorded("selftest").replace("    ok 4 oopses_in_a_window", "")
        self.assertIn("module_outlives_who_dies_in_a_window", self.judge(console=log))

    def test_green_verdict(self):
        self.assertIn("verdict_is_red",
                      self.judge(result="VERDICT ok plan=selftest-fail\n"))


class Demo(unittest.TestCase):
    """The last line of `make run`."""

    GOOD = "=== load the module\n=== tmm demo\nVERDICT ok plan=run\n"

    def test_ok(self):
        self.assertEqual(ktap.demo_line("", self.GOOD), "demo: ok")

    def test_step_of_the_client(self):
        result = self.GOOD.replace("VERDICT ok plan=run", "demo: FAILED: split\n"
                                   "VERDICT fail plan=run: tmm demo (status 1)")
        self.assertEqual(ktap.demo_line("", result), "demo: FAILED: split")

    def test_step_of_the_guest(self):
        result = "VERDICT fail plan=run: rmmod theseus_mm\n"
        self.assertEqual(ktap.demo_line("", result), "demo: FAILED: rmmod theseus_mm")

    def test_panic(self):
        result = self.GOOD[:self.GOOD.index("VERDICT")]
        console = "[    9.0] Kernel panic - not syncing: Fatal exception\n"
        self.assertEqual(ktap.demo_line(console, result), "demo: FAILED: the kernel "
                         "complained: Kernel panic - not syncing: Fatal exception")

    def test_hang(self):
        result = self.GOOD[:self.GOOD.index("VERDICT")]
        self.assertEqual(ktap.demo_line("", result),
                         "demo: FAILED: the guest ended or hung in step 'tmm demo'")

    def test_never_booted(self):
        self.assertTrue(ktap.demo_line("", "").startswith("demo: FAILED: "))

    def test_complaint_after_all(self):
        console = "[    9.0] BUG: Bad page state in process tmm\n"
        self.assertTrue(ktap.demo_line(console, self.GOOD).startswith("demo: FAILED: "))

    def test_stream_hides_what_is_for_us(self):
        out = io.BytesIO()
        ktap.stream(io.BytesIO(b"VERD\rdemo: x\n\ndemo: ok\nVERDICT ok\n50%"), out)
        self.assertEqual(out.getvalue(), b"VERD\rdemo: x\n\n50%")


class Sum(unittest.TestCase):
    """The closing line."""

    def test_good(self):
        self.assertEqual(ktap.closing_line({"passed": 2, "failed": 0, "skipped": 0}),
                         ("2 passed, 0 failed", True))

    def test_skipped(self):
        self.assertEqual(ktap.closing_line({"passed": 2, "failed": 0, "skipped": 1}),
                         ("2 passed, 0 failed, 1 skipped", True))

    def test_all_skipped(self):
        self.assertFalse(ktap.closing_line({"passed": 0, "failed": 0, "skipped": 9})[1])

    def test_failed(self):
        self.assertFalse(ktap.closing_line({"passed": 9, "failed": 1, "skipped": 0})[1])


def main():
    program = unittest.main(argv=sys.argv[:1], exit=False)
    result = program.result
    failed = len(result.failures) + len(result.errors)
    if len(sys.argv) > 1:
        with open(sys.argv[1], "w", encoding="utf-8") as file:
            json.dump({"name": "parser", "failed": failed, "skipped": 0,
                       "passed": result.testsRun - failed}, file)
    return 1 if failed or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
