#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Reads the logs of a guest and decides whether the run passed.

    ktap.py run --name NAME --plan PLAN [--suites A,B] [--programs A,B] DIR
        judges DIR/console.log (the kernel, KUnit) and DIR/result.log (user
        space, the verdict), prints a report, writes DIR/report.json
    ktap.py selftest DIR
        judges the logs of the boot that misbehaves on purpose: each fault must
        have been detected by the check that is meant for it
    ktap.py demo DIR
        prints the last line of `make run`
    ktap.py spoiled DIR
        succeeds if a known bug of Linux or of QEMU's emulator spoiled the boot
    ktap.py stream
        copies the output of the guest of `make run` character by character,
        without the verdict
    ktap.py sum REPORT.json...
        adds up the reports, prints the closing line

A case passes only with a result: a planned case without a result has crashed. A
suite of the sources that did not run has failed. A run has failed if it has no
verdict, or if the kernel complained. That also holds where KUnit printed `ok`,
since KUnit does so after a WARN, a KASAN report or a sleep in atomic context.
"""

import argparse
import fnmatch
import json
import os
import re
import sys

from complaints import (BEGIN, CONTEXT, END, TIMESTAMP, lines_of, linux_races, splats,
                        spoiled_by_emulator, spoiled_by_linux)

SUBTEST = re.compile(r"^ {4}# Subtest: (\S+)")
PLAN = re.compile(r"^( *)1\.\.(\d+)$")
RESULT = re.compile(r"^( *)(not ok|ok) (\d+)(?: -)?(?: (.*))?$")
SKIP = re.compile(r"\s*#\s*SKIP\b\s*(.*)$", re.IGNORECASE)
VERDICT = re.compile(r"^VERDICT (ok|fail) plan=(\S+?)(?:: (.*))?$")

# Cases that may be skipped, as suite.case patterns, each with its reason. Any
# other skip is a failure, since the case would silently test nothing.
ALLOWED_SKIPS = (
    # the case needs a number of paging levels that this boot does not have
    "*4_level*", "*5_level*", "*four_level*", "*five_level*",
)
# Reasons that a case finds out in the guest. Each names a property that only newer kernels have.
ALLOWED_REASONS = (
    "Linux 6.15 and later: struct_pages=1 is refused",
    'this kernel does not offer the preemption model "none"',
)

class Leaf:
    """The result of one case or check."""

    def __init__(self, name, status, message="", context=()):
        self.name = name
        self.status = status
        self.message = message
        self.context = list(context)[-CONTEXT:]


class Group:
    """A suite or a program: its planned cases and their results."""

    def __init__(self, name):
        self.name = name
        self.planned = None
        self.seen = 0
        self.leaves = []
        self.parameters = []
        self.context = []

    def result(self, ok, number, text):
        """Records the result of a case, whose parameters came before."""
        name, status, message = judge(ok, text)
        self.seen += 1
        full = f"{self.name}.{name}" if name else f"{self.name}.{number}"
        if number != self.seen:
            self.fail(full, f"numbered {number}, expected {self.seen}")
        elif self.parameters:
            for leaf in self.parameters:
                leaf.name = f"{full}.{leaf.name}"
            self.leaves += self.parameters
            if status == "failed" and not any(
                    leaf.status == "failed" for leaf in self.parameters):
                self.fail(full, "not ok")
        else:
            self.leaves.append(Leaf(full, status, message, self.context))
        self.parameters = []
        self.context = []

    def parameter(self, ok, number, text):
        name, status, message = judge(ok, text)
        self.parameters.append(
            Leaf(name or str(number), status, message, self.context))
        self.context = []

    def fail(self, name, message):
        self.leaves.append(Leaf(name, "failed", message, self.context))

    def missing(self):
        """The number of planned cases without a result."""
        return max(0, (self.planned or 0) - self.seen)

    def end(self, ok, text):
        _, status, message = judge(ok, text)
        if self.planned == 0:
            self.fail(self.name, "planned no tests")
        if self.missing():
            self.fail(self.name, f"{self.missing()} of {self.planned} "
                      "planned tests have no result")
        if self.planned is None and self.seen:
            self.fail(self.name, "no plan line")
        elif self.planned is not None and self.seen > self.planned:
            self.fail(self.name, f"{self.seen} results, {self.planned} planned")
        if status == "failed" and not self.failed():
            self.fail(self.name, message or "not ok")
        if not self.leaves:
            self.leaves.append(Leaf(self.name, status, message, self.context))

    def crash(self):
        self.fail(self.name, f"crashed: no result after {self.seen} of "
                  f"{'?' if self.planned is None else self.planned} tests")
        for number in range(1, self.missing()):
            self.fail(f"{self.name}.{self.seen + 1 + number}", "never ran")

    def failed(self):
        return any(leaf.status == "failed" for leaf in self.leaves)


def judge(ok, text):
    """Returns the name, status and message of a result line."""
    text = (text or "").strip()
    skip = SKIP.search(text)
    if skip and ok:
        return text[:skip.start()].strip(), "skipped", skip.group(1)
    name, _, message = text.partition(" # ")
    return name.strip(), "passed" if ok else "failed", message.strip()


def kernel_lines(text):
    """Returns the console without timestamps, from our first suite on.

    At boot a kernel with KUnit prints the plan of its built-in suites. Our kernel
    has no such suites, so the plan is "1..0".
    """
    lines = [TIMESTAMP.sub("", line) for line in lines_of(text)]
    boot = [i for i, line in enumerate(lines) if line == "1..0"]
    return lines[boot[0] + 1:] if boot else lines


def parse(lines):
    """Parses KTAP with one level of groups. Returns the groups and the plan."""
    groups, group, top = [], None, None
    for line in lines:
        subtest, plan, result = (r.match(line) for r in (SUBTEST, PLAN, RESULT))
        if subtest:
            if group:
                group.crash()
            group = Group(subtest.group(1))
            groups.append(group)
        elif plan and len(plan.group(1)) == 0:
            top = int(plan.group(2))
        elif plan and group and len(plan.group(1)) == 4:
            if group.planned is None:
                group.planned = int(plan.group(2))
        elif result and group:
            depth, ok = len(result.group(1)), result.group(2) == "ok"
            number, text = int(result.group(3)), result.group(4)
            if depth >= 8:
                group.parameter(ok, number, text)
            elif depth == 4:
                group.result(ok, number, text)
            elif depth == 0:
                name = judge(ok, text)[0]
                if name != group.name:
                    group.fail(group.name, f"closed by the result of {name!r}")
                group.end(ok, text)
                group = None
        elif group:
            group.context.append(line)
    if group:
        group.crash()
    return groups, top


def compare(kind, groups, expected):
    """Returns a failure for each group that did not run exactly once."""
    leaves = []
    seen = [group.name for group in groups]
    for name in expected:
        if name not in seen:
            leaves.append(Leaf(name, "failed", f"this {kind} did not run"))
    for name in sorted(set(seen)):
        if name not in expected:
            leaves.append(Leaf(name, "failed", f"no such {kind} in the source"))
        elif seen.count(name) > 1:
            leaves.append(Leaf(name, "failed", f"this {kind} ran twice"))
    return leaves


def verdict_of(result):
    """Returns (ok, plan, why) of the last line, or None if it is no verdict."""
    last = next((line for line in reversed(lines_of(result)) if line.strip()), "")
    match = VERDICT.match(last)
    return match and (match.group(1) == "ok", match.group(2), match.group(3) or "")


def check_verdict(result, plan):
    verdict = verdict_of(result)
    if verdict is None:
        tail = [line for line in lines_of(result) if line.strip()]
        return [Leaf("verdict", "failed", "the guest ended or hung without a verdict", tail)]
    ok, seen, why = verdict
    if seen != plan:
        return [Leaf("verdict", "failed", f"the verdict is of plan {seen}, not {plan}")]
    return [] if ok else [Leaf("verdict", "failed", why)]


def check_console(console):
    leaves = [Leaf("kernel", "failed", what, context)
              for what, context in splats(console)]
    for marker in (BEGIN, END):
        if marker not in console:
            leaves.append(Leaf("console", "failed", f"the line {marker!r} is missing"))
    return leaves


def check_skips(leaves):
    for leaf in leaves:
        if leaf.status == "skipped" and leaf.message not in ALLOWED_REASONS and not any(
                fnmatch.fnmatch(leaf.name, pattern) for pattern in ALLOWED_SKIPS):
            leaf.status = "failed"
            leaf.message = f"this case must not be skipped: {leaf.message}"


def judge_run(console, result, plan, suites=(), programs=()):
    """Returns every leaf of a run."""
    parts = plan.split(",")
    # The kernel's complaint comes first: usually it is the cause of all other failures.
    leaves = check_console(console)
    if "kunit" in parts or "walk" in parts:
        groups, _ = parse(kernel_lines(console))
        leaves += [leaf for group in groups for leaf in group.leaves]
        leaves += compare("suite", groups, suites)
        if not groups:
            leaves.append(Leaf("kunit", "failed", "no suite ran"))
    if "user" in parts:
        groups, top = parse(lines_of(result))
        leaves += [leaf for group in groups for leaf in group.leaves]
        leaves += compare("program", groups, programs)
        if not groups or top != len(groups):
            leaves.append(Leaf("user", "failed",
                               f"{len(groups)} programs ran, {top} planned"))
    check_skips(leaves)
    if "none" in parts and verdict_of(result) == (True, plan, ""):
        leaves.append(Leaf("loads_unloads_and_loads_again", "passed"))
    leaves += check_verdict(result, plan)
    return leaves


def judge_selftest(console, result):
    """Returns a leaf for each check that must detect a fault of the selftest."""
    groups, _ = parse(kernel_lines(console))
    cases = [leaf for group in groups for leaf in group.leaves]
    failed = [leaf.name for leaf in cases if leaf.status == "failed"]
    warned = [what for what, _ in splats(console)]
    verdict = verdict_of(result)
    why = verdict[2] if verdict and not verdict[0] else ""

    def leaf(name, noticed, message):
        return Leaf(f"selftest.{name}", "passed" if noticed else "failed",
                    message, lines_of(result)[-CONTEXT:])

    return [
        leaf("failing_case_by_the_parser",
             failed == ["theseus_mm_rig_selftest.fails"],
             f"failed cases: {failed}"),
        leaf("case_that_warns_is_ok_to_kunit",
             any(c.name.endswith(".warns") and c.status == "passed" for c in cases),
             "KUnit was expected to print ok for the case that warns"),
        leaf("warn_by_the_scan", any("WARNING: " in what for what in warned)
             or any("cut here" in what for what in warned),
             f"found: {warned}"),
        leaf("warn_by_the_taint", "tainted" in why, f"verdict: {why}"),
        leaf("leaked_frame_by_the_count",
             re.search(r"free frames: \d+ before", why) is not None,
             f"verdict: {why}"),
        leaf("module_outlives_who_dies_in_a_window",
             any("tmm_rig_dies" in line for line in kernel_lines(console)) and
             any(c.name.endswith(".oopses_in_a_window") and c.status == "passed"
                 for c in cases),
             "no task died, or another task still waits for the dead one"),
        leaf("verdict_is_red", bool(why), f"verdict: {verdict}"),
    ]


def demo_line(console, result):
    """The last line of `make run`."""
    said = re.findall(r"^demo: FAILED: (.*?)\r?$", result, re.MULTILINE)
    verdict = verdict_of(result)
    complaints = splats(console)
    if said:
        return f"demo: FAILED: {said[0]}"
    if verdict and not verdict[0]:
        return f"demo: FAILED: {verdict[2]}"
    if complaints:
        return f"demo: FAILED: the kernel complained: {complaints[0][0]}"
    if verdict is None:
        steps = re.findall(r"^=== (.*?)\r?$", result, re.MULTILINE)
        step = f"in step '{steps[-1]}'" if steps else "before its first step"
        return f"demo: FAILED: the guest ended or hung {step}"
    if verdict[1] != "run":
        return f"demo: FAILED: verdict of plan {verdict[1]}"
    return "demo: ok"


def stream(source, target):
    """Copies characters at once, since progress bars have no line ends.

    The beginning of a line is held back as long as the line may become one of
    those that are hidden.
    """
    hidden = (b"VERDICT ", b"demo: ok", b"demo: FAILED")
    line = b""
    hiding = None  # not decided yet
    while char := source.read(1):
        line += char
        if hiding is None and not any(h.startswith(line[:len(h)]) for h in hidden):
            hiding = False
            target.write(line)
        elif hiding is None:
            hiding = any(line.startswith(h) for h in hidden) or None
        elif not hiding:
            target.write(char)
        if char == b"\n":
            if hiding is None:
                target.write(line)
            line, hiding = b"", None
        target.flush()
    if hiding is None:
        target.write(line)


def count(leaves):
    return {status: sum(leaf.status == status for leaf in leaves)
            for status in ("passed", "failed", "skipped")}


def closing_line(total):
    """Returns `N passed, N failed`, and whether the run has passed."""
    line = f"{total['passed']} passed, {total['failed']} failed"
    if total["skipped"]:
        line += f", {total['skipped']} skipped"
    return line, total["failed"] == 0 and total["passed"] > 0


def report(name, leaves):
    for leaf in leaves:
        if leaf.status == "failed":
            print(f"FAILED [{name}] {leaf.name}: {leaf.message or 'not ok'}")
            for line in leaf.context:
                print(f"    | {line}")
    for leaf in leaves:
        if leaf.status == "skipped":
            print(f"skipped [{name}] {leaf.name}: {leaf.message}")
    print(f"[{name}] {closing_line(count(leaves))[0]}")


def read(directory, name):
    path = os.path.join(directory, name)
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="backslashreplace", newline="") as log:
        return log.read()


def words(text):
    return [word for word in text.split(",") if word]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run")
    run.add_argument("--name", required=True)
    run.add_argument("--plan", required=True)
    run.add_argument("--suites", type=words, default=[])
    run.add_argument("--programs", type=words, default=[])
    run.add_argument("directory")
    for name in ("selftest", "demo", "spoiled"):
        commands.add_parser(name).add_argument("directory")
    commands.add_parser("sum").add_argument("reports", nargs="*")
    commands.add_parser("stream")
    args = parser.parse_args()

    if args.command == "stream":
        stream(sys.stdin.buffer, sys.stdout.buffer)
        return 0
    if args.command == "sum":
        total = {"passed": 0, "failed": 0, "skipped": 0}
        for path in args.reports:
            with open(path, encoding="utf-8") as file:
                counts = json.load(file)
            for status in total:
                total[status] += counts[status]
        line, good = closing_line(total)
        print(line)
        return 0 if good else 1

    console = read(args.directory, "console.log")
    if args.command == "spoiled":
        spoiled = spoiled_by_linux(console) or spoiled_by_emulator(console)
        return 0 if spoiled else 1
    result = read(args.directory, "result.log")
    if args.command == "demo":
        line = demo_line(console, result)
        print(line)
        return 0 if line == "demo: ok" else 1
    if args.command == "selftest":
        name, leaves = "selftest", judge_selftest(console, result)
    else:
        name = args.name
        leaves = judge_run(console, result, args.plan, args.suites, args.programs)
    report(name, leaves)
    for what, number in sorted(linux_races(console).items()):
        print(f"[{name}] a race within Linux: {what} ({number} reports)")
    with open(os.path.join(args.directory, "report.json"), "w",
              encoding="utf-8") as file:
        json.dump({"name": name, **count(leaves)}, file)
    return 0 if closing_line(count(leaves))[1] else 1


if __name__ == "__main__":
    sys.exit(main())
