#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Reads the patches in mutants/, and judges the logs of the guests that try them.

    mutants.py list NAME...
        prints a line for each patch: name, kernel, suites, programs, and whether a boot shows the
        sign only once
    mutants.py unchanged PATCH DIR
        succeeds if the tests of the patch have passed without the patch: DIR has the logs
    mutants.py judge PATCH DIR
        prints a line for each repetition in the logs of DIR: "caught", or the reason why not
    mutants.py table [RESULTS]
        renews the table in mutants/README.md from the headers, and from the results in RESULTS
    mutants.py check
        checks that each patch applies, that its header names tests that exist, and the table

A patch begins with a header. A line that begins with a space continues the line before.

    Mistake:     what is wrong, in one sentence
    Kernel:      debug or stock
    Suites:      names of KUnit files, as SUITES= takes them, separated by commas
    Programs:    names of programs, as PROGRAMS= takes them, separated by commas
    Case:        the case that has to fail: SUITE.CASE of KUnit, or PROGRAM: CASE
    Complaint:   a part of a line of the kernel. If this line is given, the kernel has to
                 complain during the case: the case of a program has to fail as well.
    Racy:        how the test brings about the order of events that shows the mistake
    Once a boot: why Linux shows the sign only once, so that each repetition needs a boot
"""

import hashlib
import os
import re
import subprocess
import sys

import ktap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, "mutants")
README = os.path.join(FOLDER, "README.md")

REQUIRED = ("Mistake", "Kernel", "Case")
KEYS = REQUIRED + ("Suites", "Programs", "Complaint", "Racy", "Once a boot")
KERNELS = ("debug", "stock")
HEADING = "| mutant | the mistake | kernel | the case that catches the mistake | caught | patch |"
RULE = "|---|---|---|---|---|---|"
ROW = re.compile(r"^\| `(\S+)` \|.*\| (\d+) of (\d+) \| (\w+) \|$")


class Mutant:
    """A patch and its header."""

    def __init__(self, path):
        self.path = path
        self.name = os.path.basename(path)[:-len(".patch")]
        with open(path, encoding="utf-8") as patch:
            text = patch.read()
        self.hash = hashlib.sha256(text.encode()).hexdigest()[:8]
        self.errors = []
        self.fields = {}
        self.read_header(text.partition("\n--- ")[0].partition("diff --git ")[0])

    def read_header(self, header):
        for line in header.replace("\n ", " ").splitlines():
            key, colon, value = line.partition(":")
            if not line.strip():
                continue
            if not colon or key not in KEYS or key in self.fields:
                self.errors.append(f"a line of the header that is wrong or comes twice: {line}")
            self.fields[key] = " ".join(value.split())
        for key in REQUIRED:
            if not self.fields.get(key):
                self.errors.append(f"the header lacks {key}:")
        if self.get("Kernel") not in KERNELS:
            self.errors.append(f"Kernel: is none of {', '.join(KERNELS)}")
        if bool(self.get("Suites")) == bool(self.get("Programs")):
            self.errors.append("the header needs either Suites: or Programs:")
        if self.get("Suites") and self.get("Kernel") == "stock":
            self.errors.append("KUnit needs the debug kernel")

    def get(self, key):
        return self.fields.get(key, "")

    @property
    def is_kunit(self):
        return bool(self.get("Suites"))

    @property
    def case(self):
        """The name of the case as the parser gives it."""
        return self.get("Case").replace(": ", ".", 1)

    def row(self, caught, times):
        notes = " (racy)" if self.get("Racy") else ""
        where = f"`{self.get('Case')}`"
        if self.get("Complaint"):
            where += f", with `{self.get('Complaint')}`"
        return (f"| `{self.name}` | {self.get('Mistake')}{notes} | {self.get('Kernel')} | {where} | "
                f"{caught} of {times} | {self.hash} |")


def all_mutants():
    names = sorted(name for name in os.listdir(FOLDER) if name.endswith(".patch"))
    return [Mutant(os.path.join(FOLDER, name)) for name in names]


def cases_of(mutant):
    """Returns the cases of the sources that the header names, in their order, by suite or program."""
    cases = {}
    for name in ktap.words(mutant.get("Suites")):
        for folder in sorted(os.listdir(os.path.join(ROOT, "kunit"))):
            text = ktap.read(os.path.join(ROOT, "kunit", folder), f"{name}_test.c")
            for suite in re.findall(r'^\t\.name = "(theseus_mm_\w+)",$', text, re.MULTILINE):
                cases[suite] = re.findall(r"^\tKUNIT_CASE(?:_\w+)?\((\w+)", text, re.MULTILINE)
    for name in ktap.words(mutant.get("Programs")):
        text = ktap.read(os.path.join(ROOT, "initramfs/tests"), f"{name}.c")
        cases[name] = re.findall(r"^TEST(?:_\w+)?\((?:\w+, )?(\w+)", text, re.MULTILINE)
    return cases


def repetitions(text, marker):
    """Splits a log at the lines that begin a repetition."""
    return re.split(rf"^.*{marker} \d+\r?$", text, flags=re.MULTILINE)[1:]


def logs_of(directory):
    """Returns pairs: the parts of the kernel's log and of the guest's output for each repetition."""
    consoles = repetitions(ktap.read(directory, "console.log"), "theseus_mm rig: repetition")
    results = repetitions(ktap.read(directory, "result.log"), "# repetition")
    # A guest that dies early may lack the last line of one log.
    length = max(len(consoles), len(results))
    consoles += [""] * (length - len(consoles))
    results += [""] * (length - len(results))
    return list(zip(consoles, results))


def leaves_of(mutant, console, result):
    lines = ktap.lines_of(console if mutant.is_kunit else result)
    groups, _ = ktap.parse([ktap.TIMESTAMP.sub("", line) for line in lines])
    return [leaf for group in groups for leaf in group.leaves]


def with_name(leaves, name):
    """The results of a case, which has one for each of its parameters."""
    return [leaf for leaf in leaves if leaf.name == name or leaf.name.startswith(name + ".")]


def during(mutant, console):
    """Returns the kernel's lines during the case: those after the result of the case before."""
    suite, case = mutant.case.split(".")
    number = cases_of(mutant)[suite].index(case) + 1
    lines, inside, seen = [], False, 0
    for line in ktap.lines_of(console):
        line = ktap.TIMESTAMP.sub("", line)
        subtest, result = ktap.SUBTEST.match(line), ktap.RESULT.match(line)
        if subtest:
            inside, seen = subtest.group(1) == suite, 0
        elif inside and result and len(result.group(1)) == 4:
            seen = int(result.group(3))
        elif inside and result and not result.group(1):
            inside = False
        elif inside and seen == number - 1:
            lines.append(line)
    return lines


def complains(mutant, console):
    lines = during(mutant, console) if mutant.is_kunit else ktap.lines_of(console)
    return any(mutant.get("Complaint") in line for line in lines)


def judge_one(mutant, console, result):
    """Returns "caught", or the reason why the repetition does not count."""
    leaves = leaves_of(mutant, console, result)
    has_failed = any(leaf.status == "failed" for leaf in with_name(leaves, mutant.case))
    wants = mutant.get("Complaint")
    if wants and mutant.is_kunit:
        is_caught = complains(mutant, console)
    elif wants:
        # the guest may have died in the case
        last = (re.findall(r"RUN +(\S+)", result) or [""])[-1]
        has_died = (mutant.get("Case").partition(": ")[2] == last and
                    not with_name(leaves, mutant.case))
        is_caught = (has_failed or has_died) and complains(mutant, console)
    else:
        is_caught = has_failed
    if is_caught:
        return "caught"
    others = [leaf.name for leaf in leaves if leaf.status == "failed"]
    others += [what for what, _ in ktap.splats(console)]
    others += re.findall(r"# PROBLEM: (.*?)\r?$", result, re.MULTILINE)
    if others:
        return "failed, but not as named: " + "; ".join(others[:4])
    return "passed"


def judge(mutant, directory):
    parts = logs_of(directory)
    return [judge_one(mutant, *part) for part in parts] or ["no repetition has begun"]


def unchanged(mutant, directory):
    """Returns what is wrong with the logs of a run without the patch."""
    wrong = []
    parts = logs_of(directory)
    if not parts:
        wrong.append("no repetition has begun")
    for console, result in parts:
        leaves = leaves_of(mutant, console, result)
        ktap.check_skips(leaves)
        wrong += [f"{leaf.name} has failed: {leaf.message}" for leaf in leaves
                  if leaf.status == "failed"]
        if not any(leaf.status == "passed" for leaf in with_name(leaves, mutant.case)):
            wrong.append(f"the case {mutant.get('Case')} has not passed")
        if judge_one(mutant, console, result) == "caught":
            wrong.append("the sign of the mutant appears")
        seen = {leaf.name.split(".")[0] for leaf in leaves}
        wrong += [f"{name} has not run" for name in cases_of(mutant) if name not in seen]
    plan = "kunit" if mutant.is_kunit else "user"
    wrong += [f"{leaf.name}: {leaf.message}" for leaf in
              ktap.check_console(ktap.read(directory, "console.log")) +
              ktap.check_verdict(ktap.read(directory, "result.log"), plan)]
    return wrong


def table_of(text):
    """Returns the table's rows by mutant, each as (caught, times, hash)."""
    rows = {}
    for line in text.splitlines():
        match = ROW.match(line)
        if match:
            rows[match[1]] = (int(match[2]), int(match[3]), match[4])
    return rows


def read_results(folder):
    """Returns the kept results by mutant, each as (caught, times, hash)."""
    results = {}
    for name in os.listdir(folder) if folder and os.path.isdir(folder) else ():
        caught, times, patch = ktap.read(folder, name).split()[:3]
        results[name] = (int(caught), int(times), patch)
    return results


def choose(mutant, *results):
    """Returns the best result of the patch as it is: (caught, times)."""
    fitting = [r[:2] for r in results if r and r[2] == mutant.hash]
    return max(fitting, key=lambda r: r[1], default=(0, 0))


def write_table(results_folder):
    text = ktap.read(FOLDER, "README.md")
    old, kept = table_of(text), read_results(results_folder)
    rows = [m.row(*choose(m, old.get(m.name), kept.get(m.name))) for m in all_mutants()]
    lines = text.splitlines()
    begin = lines.index(RULE) + 1
    end = begin
    while end < len(lines) and lines[end].startswith("|"):
        end += 1
    lines[begin:end] = rows
    with open(README, "w", encoding="utf-8") as readme:
        readme.write("\n".join(lines) + "\n")
    print(f"mutants/README.md: {len(rows)} mutants")


def check_applies(mutant):
    command = ["git", "apply", "--check", mutant.path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return [] if done.returncode == 0 else [f"does not apply: {done.stderr.strip()}"]


def check_case(mutant):
    """The case has to be one of the tests that the header names."""
    group, _, case = mutant.case.partition(".")
    if case.split(".")[-1] in cases_of(mutant).get(group, ()):
        return []
    return [f"its tests have no case {mutant.get('Case')}"]


def check():
    findings = []
    lines = ktap.read(FOLDER, "README.md").splitlines()
    rows = table_of("\n".join(lines))
    mutants = all_mutants()
    for mutant in mutants:
        wrong = mutant.errors or check_case(mutant) + check_applies(mutant)
        caught, times, patch = rows.get(mutant.name, (0, 0, ""))
        if patch != mutant.hash:
            wrong.append("the patch has no result in the table: run "
                         f"make test-mutants MUTANTS={mutant.name}, then scripts/mutants.sh --table")
        elif caught < times:
            wrong.append(f"{times - caught} of {times} runs do not catch the mistake")
        elif mutant.row(caught, times) not in lines:
            wrong.append("the row of the table differs from the header: run scripts/mutants.sh --table")
        findings += [f"mutants/{mutant.name}.patch: {what}" for what in wrong]
    findings += [f"mutants/README.md: there is no patch {name}" for name in rows
                 if name not in {mutant.name for mutant in mutants}]
    for what, times in (("that no run has tried", range(1)), ("with fewer than ten runs", range(1, 10))):
        few = [name for name, row in rows.items() if row[1] in times]
        if few:
            print(f"mutants {what}: {' '.join(few)}")
    print("\n".join(findings or [f"mutants: {len(mutants)}"]))
    return not findings


def main(arguments):
    command, *rest = arguments or [""]
    if command == "list":
        for name in rest:
            mutant = Mutant(os.path.join(FOLDER, f"{name}.patch"))
            if mutant.errors:
                sys.exit(f"{mutant.path}: {mutant.errors[0]}")
            print(mutant.name, mutant.get("Kernel"), mutant.get("Suites") or "-",
                  mutant.get("Programs") or "-", "once" if mutant.get("Once a boot") else "often",
                  mutant.hash)
    elif command == "unchanged":
        wrong = unchanged(Mutant(rest[0]), rest[1])
        print("\n".join(wrong), end="\n" if wrong else "")
        return 1 if wrong else 0
    elif command == "judge":
        print("\n".join(judge(Mutant(rest[0]), rest[1])))
    elif command == "table":
        write_table(rest[0] if rest else "")
    elif command == "check":
        return 0 if check() else 1
    else:
        sys.exit(__doc__)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
