#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of coverage.py: the table, the limit, and the list of lines that no test runs.

    coverage_test.py
"""

import base64
import io
import os
import sys
import tarfile
import tempfile
import unittest
from contextlib import redirect_stdout

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import coverage  # noqa: E402

FILE = "theseus_mm/part.c"
SOURCE = """\
static int begin(int x)
{
	if (x)
		goto out;
	if (x > 1)
		goto out;
	return 0;
out:
	return -1;
}

int never(void)
{
	return 1;
}
"""
# The lines that ran, and how often.
RAN = {1: 9, 3: 9, 4: 2, 5: 7, 6: 0, 7: 7, 9: 2, 12: 0, 14: 0}
LIST = f"""\
# a comment
{FILE}: begin: no test has this number

	goto out;
{FILE}: never: other hardware only
	*
"""


def data_of(ran, more=0):
    """As gcovr writes the counters; more lines without a source line ran in another file."""
    lines = [{"line_number": number, "count": count, "gcovr/noncode": False,
              "branches": [{"count": count}, {"count": 0}] if number in (3, 5) else []}
             for number, count in ran.items()]
    lines.append({"line_number": 2, "count": 0, "gcovr/noncode": True, "branches": []})
    files = [{"file": FILE, "lines": lines}]
    if more:
        files.append({"file": "theseus_mm/more.c", "lines": [
            {"line_number": 1, "count": 1, "branches": []}] * more})
    return {"files": files}


class Coverage(unittest.TestCase):

    def setUp(self):
        # coverage.py reads the sources below the current folder
        before = os.getcwd()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, before)
        os.chdir(folder.name)
        os.mkdir("theseus_mm")
        for name, text in ((FILE, SOURCE), ("theseus_mm/more.c", "int more = f();\n")):
            with open(name, "w", encoding="utf-8") as file:
                file.write(text)

    def judge(self, text=LIST, ran=None, more=100):
        out = io.StringIO()
        with redirect_stdout(out):
            wrong, figures = coverage.judge(text, data_of(RAN if ran is None else ran, more))
        return wrong, figures, out.getvalue()

    def finds(self, words, **arguments):
        wrong, _, _ = self.judge(**arguments)
        self.assertEqual(1, len(wrong), wrong)
        self.assertIn(words, wrong[0])

    def test_a_right_list_passes(self):
        wrong, figures, text = self.judge()
        self.assertEqual([], wrong)
        self.assertEqual("figures: 106 of 109 lines (97.2 %), 2 of 4 branches (50.0 %) in 2 files", figures)
        lines = text.splitlines()
        self.assertRegex(lines[-2], r"^theseus_mm/part\.c +6 of +9 +66\.7 % +2 of +4 +50\.0 %$")
        self.assertRegex(lines[-1], r"^total +106 of +109 ")

    def test_too_few_lines_fail(self):
        self.finds("6 of 9 lines ran, which is below 95 %", more=0)

    def test_nothing_at_all_fails(self):
        with redirect_stdout(io.StringIO()):
            wrong, _ = coverage.judge("", {"files": []})
        self.assertEqual(["0 of 0 lines ran, which is below 95 %"], wrong)

    def test_a_line_without_an_entry_fails(self):
        self.finds("part.c: begin: does not run: return 0;", ran={**RAN, 7: 0})

    def test_the_same_text_twice_needs_two_lines(self):
        self.finds("part.c: begin: does not run: goto out;", ran={**RAN, 4: 0})
        wrong, _, _ = self.judge(LIST.replace("goto out;\n", "goto out;\n\tgoto out;\n"), {**RAN, 4: 0})
        self.assertEqual([], wrong)

    def test_an_entry_whose_line_runs_fails(self):
        self.finds("part.c: begin: runs, or is no line any more: goto out;", ran={**RAN, 6: 1})

    def test_an_entry_without_its_line_fails(self):
        wrong, _, _ = self.judge(LIST.replace("goto out", "goto end"))
        self.assertIn(f"{FILE}: begin: runs, or is no line any more: goto end;", wrong)

    def test_a_function_that_runs_fails(self):
        self.finds("part.c: never: runs, or is no line any more: return 1;", ran={**RAN, 14: 1})

    def test_a_function_that_is_gone_fails(self):
        self.finds("part.c: gone: there is no such function any more",
                   text=LIST + f"{FILE}: gone: other hardware only\n\t*\n")

    def test_lines_of_a_race_may_run(self):
        text = LIST.replace("no test has", "race: seldom has")
        for ran in (RAN, {**RAN, 6: 1}):
            self.assertEqual([], self.judge(text, ran)[0])
        self.finds("part.c: begin: is no line any more: goto end;",
                   text=text.replace("\tgoto out;", "\tgoto out;\n\tgoto end;"))

    def test_an_entry_needs_its_reason_and_its_lines(self):
        self.finds("line 5: an entry needs its reason", text=LIST.replace("other hardware only", "other"))
        self.finds("an entry needs a line", text=LIST + f"{FILE}: begin: no lines at all\n")
        self.finds("line 1 has to be FILE: FUNCTION: REASON", text="x: y\n" + LIST)
        self.finds("line 1 belongs to no function", text="\tx\n" + LIST)

    def test_the_list_in_the_tree_has_the_right_form(self):
        path = os.path.join(os.path.dirname(os.path.abspath(coverage.__file__)), "coverage.txt")
        with open(path, encoding="utf-8") as file:
            entries, wrong = coverage.read_list(file.read())
        self.assertEqual([], wrong)
        self.assertTrue(entries)


class Counters(unittest.TestCase):

    def test_the_counters_of_a_log_lie_beside_the_notes(self):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            for name in ("alloc/pool.gcda", "reset"):
                member = tarfile.TarInfo(f"gcov/home/build/module-x/theseus_mm/{name}")
                member.size = 3
                tar.addfile(member, io.BytesIO(b"abc"))
        with tempfile.TemporaryDirectory() as folder:
            log = os.path.join(folder, "result.log")
            with open(log, "w", encoding="utf-8") as file:
                file.write("ok 1 test\r\nCOVERAGE begin\r\n" +
                           base64.encodebytes(archive.getvalue()).decode().replace("\n", "\r\n") +
                           "COVERAGE end\r\nVERDICT ok plan=user\r\n")
            target = os.path.join(folder, "0")
            coverage.unpack(coverage.counters_in(log), "/tree/build/module-x", target)
            alloc = os.path.join(target, "theseus_mm/alloc")
            with open(os.path.join(alloc, "pool.gcda"), "rb") as file:
                self.assertEqual(b"abc", file.read())
            self.assertEqual("/tree/build/module-x/theseus_mm/alloc/pool.gcno",
                             os.readlink(os.path.join(alloc, "pool.gcno")))
            self.assertEqual(["alloc"], os.listdir(os.path.join(target, "theseus_mm")))

    def test_a_log_without_counters_fails(self):
        with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
            log.write("COVERAGE begin\nAAAA\nVERDICT ok plan=user\n")
            log.flush()
            with self.assertRaisesRegex(SystemExit, "printed no counters"):
                coverage.counters_in(log.name)


if __name__ == "__main__":
    unittest.main()
