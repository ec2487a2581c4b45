#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: findings.py PART LIST [FILE] <OUTPUT

Reads what a compiler or a tool prints about the sources below the current directory, and compares
the findings with LIST. Prints each finding that LIST does not have, and each entry of PART in LIST
for which there is no finding. Fails if there is one. With FILE, only that file or folder counts.

A finding is `file: function: message`, so that it stays the same when lines move. An entry of LIST
is one line: the part, the finding, and the reason why it is no fault, separated by ` | `. If a
function has the same finding twice, LIST has two entries.
"""
import collections
import os
import re
import sys

# A line of gcc, sparse, clang and coccinelle. The column may be a range.
LINE = re.compile(r"(?P<path>[^\s:]+):(?P<line>\d+):\d+(-\d+)?: (?P<message>.*)")
# The modules are built in copies of the sources.
COPY = re.compile(r".*/build/module-[^/]+/")
FOLDERS = ("theseus_mm", "kunit", "bench", "initramfs", "scripts")
# A function or a macro that declares one begins in the first column.
FUNCTION = re.compile(r"[A-Za-z_][^;=]*?\b([A-Za-z_]\w*)\(")


def path_of(path):
    """Return the path of a source of ours below the current directory, or None."""
    path = COPY.sub("", path)
    if os.path.isabs(path):
        path = os.path.relpath(path)
    path = os.path.normpath(path)
    return path if path.split("/")[0] in FOLDERS and os.path.exists(path) else None


def function_at(path, number, texts={}):
    """Return the name of the function in which a line lies, or `-`."""
    if path not in texts:
        with open(path, encoding="utf-8") as file:
            texts[path] = file.read().split("\n")
    lines = texts[path]
    for at in range(min(number, len(lines)) - 1, -1, -1):
        line = lines[at]
        if line.startswith("}") and at != number - 1:
            break
        found = FUNCTION.match(line)
        if found and not line.endswith(";"):
            if found[1].isupper():
                return re.match(r"[^)]*\)?", line[found.start(1):])[0]
            return found[1]
    return "-"


def described(path, number, message):
    """Return the text of a finding without what changes when lines move."""
    message = re.sub(r"\[-Werror=([\w-]+)\]", r"[-W\1]", message)
    message = re.sub(r"\bline \d+", "a line", message)
    message = re.sub(r"\b(line)s \d+(, *\d+)*", "lines", message)
    return f"{path}: {function_at(path, number)}: {' '.join(message.split())}"


def findings_in(output):
    """Return the number of places of each finding.

    The analyzers may place a finding in a header of Linux, and name the lines that lead there in
    notes. Then the finding belongs to the last line of ours among them. If there is none, then the
    finding is Linux's own.
    """
    found = []
    for line in output:
        match = LINE.match(line)
        if not match:
            continue
        kind, _, rest = match["message"].partition(": ")
        path = path_of(match["path"])
        place = (path, int(match["line"]))
        if kind != "note":
            message = rest if kind in ("warning", "error") else match["message"]
            found.append((match["path"], match["line"], message, place, bool(path)))
        elif found and path and not found[-1][4]:
            found[-1] = (*found[-1][:3], place, False)
    # Sources that include the same header repeat its findings.
    places = {(message, place) if is_own else (source, line, message, place): described(*place, message)
              for source, line, message, place, is_own in found if place[0]}
    return collections.Counter(places.values())


def known_in(name, part):
    """Return the number of entries of each finding in the list, and the entries without a reason."""
    known = collections.Counter()
    bad = []
    with open(name, encoding="utf-8") as file:
        for line in file:
            if line.startswith("#") or not line.strip():
                continue
            fields = line.rstrip("\n").split(" | ")
            if fields[0] != part:
                continue
            if len(fields) < 3 or len(fields[-1].split()) < 3:
                bad.append(line.strip())
            known[" | ".join(fields[1:-1])] += 1
    return known, bad


def main():
    part, name = sys.argv[1:3]
    known, bad = known_in(name, part)
    found = findings_in(sys.stdin)
    if len(sys.argv) > 3:
        chosen = sys.argv[3] + ": ", sys.argv[3] + "/"
        for counter in known, found:
            for finding in [text for text in counter if not text.startswith(chosen)]:
                del counter[finding]
    for entry in bad:
        print(f"{part}: an entry needs its reason: {entry}")
    for finding in sorted((found - known).elements()):
        print(f"{part}: new: {finding}")
    for finding in sorted((known - found).elements()):
        print(f"{part}: no such finding any more: {finding}")
    sys.exit(bool(bad or found != known))


if __name__ == "__main__":
    main()
