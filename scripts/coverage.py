#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Finds the lines of the module that ran, for coverage.sh.

    coverage.py collect MODULE OUT RESULT.log...
        adds up the counters that guests printed into their logs, and writes OUT in the format of
        gcovr. MODULE is the folder in which the module was built.
    coverage.py judge LIST FOLDER PART.json...
        adds up the files of collect, prints a table of lines and branches by file, and compares the
        lines that did not run with LIST. Writes FOLDER/index.html and FOLDER/coverage.json.

LIST names each line that no test runs, with the reason:

    theseus_mm/alloc/pool.c: tmm_pool_init: the reason
    	a line of that function, without its number
    	another line
    theseus_mm/alloc/pool.c: of_other_hardware: the reason
    	*

A star stands for all lines of a function that never runs. A reason that begins with `race:` is for
lines that run in some runs only. Any other line of the list must not run.
"""
import base64
import collections
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile

# Nothing but the sources belongs into the tree.
sys.dont_write_bytecode = True
from findings import function_at  # noqa: E402

LEAST = 95
ALL = "*"
RACE = "race:"


class Entry:
    """Lines of one function that do not run, with the reason."""

    def __init__(self, number, file, function, reason):
        self.number = number
        self.place = (file, function)
        self.is_race = reason.startswith(RACE)
        self.texts = []
        self.problem = "" if len(reason.split()) > 2 else "an entry needs its reason"


def counters_in(log):
    """Return the archive that a guest printed into its log."""
    with open(log, encoding="utf-8", errors="replace") as file:
        text = file.read().replace("\r", "")
    _, begin, rest = text.partition("COVERAGE begin\n")
    encoded, end, _ = rest.partition("COVERAGE end\n")
    if not begin or not end:
        sys.exit(f"{log}: the guest printed no counters")
    return base64.b64decode(encoded)


def unpack(archive, module, folder):
    """Put the counters of each object into the folder, beside the compiler's notes of the object."""
    anchor = f"/{os.path.basename(module)}/"
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            name = member.name.partition(anchor)[2]
            if not name.endswith(".gcda"):
                continue
            target = os.path.join(folder, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as file:
                file.write(tar.extractfile(member).read())
            notes = name.removesuffix(".gcda") + ".gcno"
            os.symlink(os.path.join(module, notes), os.path.join(folder, notes))


def collect(module, out, logs):
    module = os.path.realpath(module)
    with tempfile.TemporaryDirectory() as folder:
        for number, log in enumerate(logs):
            unpack(counters_in(log), module, os.path.join(folder, str(number)))
        os.makedirs(os.path.dirname(os.path.abspath(out)), exist_ok=True)
        subprocess.run(["gcovr", "--root", module, "--filter", os.path.join(module, "theseus_mm/"),
                        "-j", str(os.cpu_count()), "--json", out, folder],
                       check=True, stdout=sys.stderr)


def read_list(text):
    """Return the entries of a list, and what is wrong with their form."""
    entries, wrong = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("\t"):
            if entries:
                entries[-1].texts.append(" ".join(line.split()))
            else:
                wrong.append(f"line {number} belongs to no function")
            continue
        fields = line.split(": ", 2)
        if len(fields) < 3:
            wrong.append(f"line {number} has to be FILE: FUNCTION: REASON")
        else:
            entries.append(Entry(number, *fields))
    for entry in entries:
        if entry.problem or not entry.texts:
            wrong.append(f"line {entry.number}: {entry.problem or 'an entry needs a line of the function'}")
    return entries, wrong


def lines_of(data):
    """Return for each function how often each text of its lines ran: place -> text -> counts."""
    places = collections.defaultdict(lambda: collections.defaultdict(list))
    for file in data["files"]:
        with open(file["file"], encoding="utf-8") as source:
            texts = source.read().split("\n")
        for line in file["lines"]:
            if line.get("gcovr/noncode"):
                continue
            number = line["line_number"]
            place = (file["file"], function_at(file["file"], number))
            places[place][" ".join(texts[number - 1].split())].append(line["count"])
    return places


def compare(places, entries):
    """Return what a list lacks, and what it has too much."""
    found = []
    listed = collections.defaultdict(collections.Counter)
    may_run = collections.defaultdict(collections.Counter)
    for entry in entries:
        lines = places.get(entry.place, {})
        texts = entry.texts
        if texts == [ALL]:
            texts = [text for text, counts in lines.items() for _ in counts]
            if not texts:
                found.append(f"{': '.join(entry.place)}: there is no such function any more")
        (may_run if entry.is_race else listed)[entry.place].update(texts)
    for place in sorted(set(places) | set(listed) | set(may_run)):
        where = ": ".join(place)
        idle = collections.Counter({text: counts.count(0)
                                    for text, counts in places.get(place, {}).items()})
        known, race = listed[place], may_run[place]
        for text in (known - idle).elements():
            found.append(f"{where}: runs, or is no line any more: {text}")
        for text in (idle - known - race).elements():
            found.append(f"{where}: does not run: {text}")
        there = collections.Counter({text: len(counts)
                                     for text, counts in places.get(place, {}).items()})
        for text in (race - there).elements():
            found.append(f"{where}: is no line any more: {text}")
    return found


def count(file):
    """Return the lines and the branches of a file, and how many of them ran."""
    lines = [line for line in file["lines"] if not line.get("gcovr/noncode")]
    branches = [branch for line in lines for branch in line["branches"]]
    return (sum(line["count"] > 0 for line in lines), len(lines),
            sum(branch["count"] > 0 for branch in branches), len(branches))


def percent(part, whole):
    return 100 * part / whole if whole else 100.0


def row(name, counts):
    lines, all_lines, branches, all_branches = counts
    return (f"{name:<50} {lines:>5} of {all_lines:>5} {percent(lines, all_lines):5.1f} %   "
            f"{branches:>5} of {all_branches:>5} {percent(branches, all_branches):5.1f} %")


def judge(list_text, data):
    """Print the table. Return what is wrong, and the line of figures."""
    print(f"{'file':<50} {'lines':>22}   {'branches':>22}")
    counts = {file["file"]: count(file) for file in data["files"]}
    for name in sorted(counts):
        print(row(name, counts[name]))
    total = [sum(numbers) for numbers in zip(*counts.values())] or [0, 0, 0, 0]
    print(row("total", total))
    entries, wrong = read_list(list_text)
    wrong += compare(lines_of(data), entries)
    if not total[1] or percent(*total[:2]) < LEAST:
        wrong.append(f"{total[0]} of {total[1]} lines ran, which is below {LEAST} %")
    return wrong, (f"figures: {total[0]} of {total[1]} lines ({percent(*total[:2]):.1f} %), "
                   f"{total[2]} of {total[3]} branches ({percent(*total[2:]):.1f} %) in {len(counts)} files")


def judge_parts(name, folder, parts):
    os.makedirs(folder, exist_ok=True)
    merged = os.path.join(folder, "coverage.json")
    subprocess.run(["gcovr", "--root", ".", *(word for part in parts for word in ("-a", part)),
                    "--json", merged, "--html-details", os.path.join(folder, "index.html")],
                   check=True, stdout=sys.stderr)
    with open(merged, encoding="utf-8") as file:
        data = json.load(file)
    with open(name, encoding="utf-8") as file:
        wrong, figures = judge(file.read(), data)
    for line in wrong:
        print(f"WRONG: {line}")
    print(figures)
    print(f"{int(not wrong)} passed, {len(wrong)} failed")
    return bool(wrong)


def main():
    if len(sys.argv) > 4 and sys.argv[1] == "collect":
        collect(sys.argv[2], sys.argv[3], sys.argv[4:])
    elif len(sys.argv) > 4 and sys.argv[1] == "judge":
        sys.exit(judge_parts(sys.argv[2], sys.argv[3], sys.argv[4:]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
