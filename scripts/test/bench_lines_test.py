#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of bench_lines.py: which cache lines count as shared, and which of them are known.

    bench_lines_test.py
"""

import io
import os
import sys
import types
import unittest
from contextlib import redirect_stdout
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import bench  # noqa: E402
import bench_lines  # noqa: E402
import bench_symbols  # noqa: E402

LINUX, CHARGE, COUNT, STATE = 0xffffffff81000000, 0xffffffffc0000000, 0xffffffffc0000100, \
    0xffffffffc0001000
SYMBOLS = bench_symbols.Symbols(f"{LINUX:x} kfree\n{CHARGE:x} charge [theseus_mm]\n"
                                f"{COUNT:x} count [theseus_mm]\n{STATE:x} state [theseus_mm]\n")
NR = 1000
HEAP = 0xffff888000001000
KNOWN = (bench_lines.Known("the account", ("charge",), 1, ("one-user",), "of both"),)


def access(line, cpu, kind, instruction, count, address=HEAP):
    return f"{line:x} {cpu} {kind} {instruction:x} {count} {address:x}\n"


# Both CPUs run code of the module, on lines of their own.
PRIVATE = access(0x40, 0, "w", CHARGE, NR) + access(0x80, 1, "w", CHARGE, NR)


def result(system="two-users"):
    return bench.Result("lines-frame", system, 2, "operations", NR, NR, 0, 0)


def rows(text, results=None):
    return bench_lines.find_rows(results or [result()], bench_lines.parse_counts(text), SYMBOLS)


class Names(bench_lines.Names):

    def __init__(self):
        self.symbols = SYMBOLS

    def place(self, _):
        return "alloc/account.c:1"


class Lines(unittest.TestCase):

    def shared(self, *accesses):
        row, = rows("marks\n" + PRIVATE + "".join(accesses))
        return [(line.physical, line.rate) for line in row.lines]

    def test_lines_of_one_cpu_are_not_shared(self):
        self.assertEqual(self.shared(), [])

    def test_a_line_that_both_write_is_shared(self):
        self.assertEqual(self.shared(access(0xc0, 0, "w", CHARGE, NR),
                                     access(0xc0, 1, "w", COUNT, NR // 2)), [(0xc0, 0.5)])

    def test_a_line_that_one_writes_and_the_other_reads_is_shared(self):
        self.assertEqual(self.shared(access(0xc0, 0, "w", CHARGE, NR),
                                     access(0xc0, 1, "r", COUNT, NR)), [(0xc0, 1.0)])

    def test_a_line_that_both_read_is_not_shared(self):
        self.assertEqual(self.shared(access(0xc0, 0, "r", CHARGE, NR),
                                     access(0xc0, 0, "w", CHARGE, 1),
                                     access(0xc0, 1, "r", CHARGE, NR)), [])

    def test_rare_accesses_are_not_shared(self):
        self.assertEqual(self.shared(access(0xc0, 0, "w", CHARGE, NR),
                                     access(0xc0, 1, "w", CHARGE, NR // 32)), [])

    def test_lines_of_linux_do_not_count(self):
        self.assertEqual(self.shared(access(0xc0, 0, "w", LINUX, NR),
                                     access(0xc0, 1, "w", LINUX, NR),
                                     access(0xc0, 1, "r", CHARGE, NR)), [])

    def test_linux_may_share_a_variable_of_the_module(self):
        self.assertEqual(self.shared(access(0xc0, 0, "w", LINUX, NR, STATE),
                                     access(0xc0, 1, "w", LINUX, NR, STATE)), [(0xc0, 1.0)])

    def test_each_pair_of_marks_is_a_row(self):
        shared = access(0xc0, 0, "w", CHARGE, NR) + access(0xc0, 1, "w", CHARGE, NR)
        found = rows(f"marks\n{PRIVATE}marks\n{PRIVATE}{shared}", [result(), result("one-user")])
        self.assertEqual([(row.system, len(row.lines)) for row in found],
                         [("two-users", 0), ("one-user", 1)])

    def test_a_count_of_nothing_fails(self):
        for text in ("", "marks\n", "marks\n" + access(0x40, 0, "w", CHARGE, NR),
                     f"marks\n{PRIVATE}marks\n{PRIVATE}"):
            with self.assertRaises(bench.BadLog):
                rows(text)


class Judged(unittest.TestCase):

    def judge(self, system, *instructions):
        """Returns whether the shared lines, one for each instruction, are known, and the report."""
        text = "marks\n" + PRIVATE
        for k, instruction in enumerate(instructions):
            text += "".join(access(0x1000 + 64 * k, cpu, "w", instruction, NR) for cpu in (0, 1))
        out = io.StringIO()
        with mock.patch.object(bench_lines, "KNOWN", KNOWN), redirect_stdout(out):
            good = bench_lines.print_row(rows(text, [result(system)])[0], Names())
        return good, out.getvalue()

    def test_a_known_line_passes(self):
        good, text = self.judge("one-user", CHARGE)
        self.assertTrue(good)
        self.assertIn("the account: of both", text)

    def test_an_unknown_line_fails_and_is_named(self):
        good, text = self.judge("one-user", CHARGE, COUNT)
        self.assertFalse(good)
        self.assertIn("NOT KNOWN", text)
        self.assertIn("alloc/account.c:1  count", text)

    def test_a_known_line_too_many_fails(self):
        self.assertFalse(self.judge("one-user", CHARGE, CHARGE)[0])

    def test_a_line_without_a_named_writer_is_not_known(self):
        row = types.SimpleNamespace(system="one-user", nr=NR)
        with mock.patch.object(bench_lines, "KNOWN", KNOWN):
            self.assertIsNone(bench_lines.known_of(row, types.SimpleNamespace(accesses=[]), Names()))

    def test_a_line_is_known_in_its_system_only(self):
        self.assertFalse(self.judge("two-users", CHARGE)[0])


if __name__ == "__main__":
    unittest.main()
