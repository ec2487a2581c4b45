#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: device_page.py page|examples|check|self-test

Makes theseus_mm(4) from initramfs/share/man/theseus_mm.4.in and the sources. "page" prints the
page, and "examples" a C file with a table of functions, one for each example of the page. "check"
compares the page with the sources in both directions: calls, structures, definitions, errors,
parameters, files; and the errors of each call with those that tests expect. "self-test" breaks
copies of the sources and of the page, and expects a finding for each.

The prose and the structures come from the UAPI header, so the page cannot contradict the header.
The template has the rest, as mdoc(7) with these lines:

    @section TITLE       the section of the header's first comment with this title
    @errors              the header's table of errors
    @calls NAME...: TEXT the calls of one structure: their rights, the structure, its fields; the
                         text stands where the header has none
    @struct NAME         another structure
    @defines REGEX       the definitions whose names match, without THESEUS_MM_
    @error NAME: TEXT    an error of the calls before this line
    @example CALL        C code until @end, in a function that device_page.py declares
    @parameter NAME      a module parameter
    @bounds              the bounds for real time, from bench/bounds.json
    @sysfs NAME, @debugfs NAME, @fdinfo KEY, @event NAME    a file, key or event
"""
import json
import re
import sys
import textwrap
from pathlib import Path

# "make install" runs as root, and must not leave files of root in the tree.
sys.dont_write_bytecode = True
import bench_bounds
import device_check
import self_test
from mdoc import declaration, define_list, escape, field_list, prose, to_mdoc
from uapi_header import Header, rights_of

ROOT = Path(__file__).resolve().parent.parent
PATHS = {
    "template": "initramfs/share/man/theseus_mm.4.in",
    "header": "theseus_mm/include/uapi/linux/theseus_mm.h",
    "dispatch": "theseus_mm/device/call/dispatch.c",
    "main": "theseus_mm/main.c",
    "sysfs": "theseus_mm/device/show/sysfs.c",
    "debugfs": "theseus_mm/device/show/debugfs.c",
    "fdinfo": "theseus_mm/device/show/fdinfo.c",
    "bounds": "bench/bounds.json",
}
# Sources with tracepoints, and sources whose errors reach programs.
TRACES = "theseus_mm/*/trace.h", "theseus_mm/device/*/trace.h"
CALLS = "theseus_mm/device/call/*.c"
TESTS = "initramfs/tests/*.[ch]"
# Errors that every call can return.
COMMON_ERRORS = {"EBADF", "EFAULT", "EINVAL", "E2BIG", "ENOTTY"}
PRELUDE = """\
#include <linux/theseus_mm.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
"""


def read_sources():
    sources = {name: (ROOT / path).read_text() for name, path in PATHS.items()}
    for name, globs in (("traces", TRACES), ("calls", (CALLS,)), ("tests", (TESTS,))):
        files = sorted(file for one in globs for file in ROOT.glob(one))
        sources[name] = "\n".join(file.read_text() for file in files)
    return sources


class Page:
    """The template, expanded, and the names that the template has."""

    def __init__(self, sources):
        self.header = Header(sources["header"])
        self.rights = rights_of(sources["dispatch"])
        self.lines = []
        self.examples = []
        self.bounds = json.loads(sources["bounds"])
        self.names = {kind: [] for kind in (
            "calls", "struct", "error", "example", "parameter", "sysfs", "debugfs", "fdinfo",
            "event", "section")}
        self.call_errors = []
        self.group = []
        self.errors_of = {call: set(COMMON_ERRORS) for call in self.header.calls}
        template = iter(sources["template"].splitlines())
        for line in template:
            if line.startswith("@error "):
                self.add_error(line)
            elif line.startswith("@example "):
                self.add_example(line.split()[1], template)
            elif line.startswith("@"):
                directive, _, argument = line[1:].partition(" ")
                self.end_errors()
                getattr(self, "expand_" + directive)(argument)
            else:
                self.end_errors()
                self.lines.append(line)
        self.end_errors()

    def add_error(self, line):
        names, words = re.match(r"@error ([A-Z0-9, ]+): (.*)", line).groups()
        self.names["error"] += names.split(", ")
        # words that name calls of the group are about these calls only
        for call in [call for call in self.group if call in re.findall(r"\w+", words)] or self.group:
            self.errors_of[call].update(names.split(", "))
        self.call_errors.append((names.split(", "), words))

    def end_errors(self):
        if not self.call_errors:
            return
        self.lines += [".Pp", "Errors:", ".Bl -tag -width Ds -compact"]
        for names, words in self.call_errors:
            self.lines += [".It " + " , ".join(f"Er {name}" for name in names)]
            self.lines += to_mdoc(words)
        self.lines.append(".El")
        self.call_errors = []

    def add_example(self, call, template):
        self.end_errors()
        code = []
        for line in template:
            if line == "@end":
                break
            code.append(line)
        self.names["example"].append(call)
        self.examples.append((call, code))
        self.lines += [".Pp", "Example:", ".Bd -literal -offset indent"]
        self.lines += [escape(line) for line in code] + [".Ed"]

    def expand_section(self, title):
        self.names["section"].append(title)
        tag = "Er" if title == "Errors" else "Sy"
        self.lines += [f".Ss {title}"] + prose(self.header.sections[title], tag)[1:]

    def expand_errors(self, _):
        self.names["section"].append("Errors")
        self.lines += prose(self.header.sections["Errors"], "Er")

    def expand_calls(self, argument):
        names, _, summary = argument.partition(": ")
        self.group = calls = names.split()
        self.names["calls"] += calls
        for call in calls:
            if call not in self.header.calls or call not in self.rights:
                sys.exit(f"call {call}: the sources do not have it")
        number, name = self.header.calls[calls[0]]
        doc = self.header.docs[name].split("\n@", 1)[0]
        words = re.sub(r"^struct \w+( - THESEUS_MM_IOC_[\w,\s]*)?(: )?", "", doc).strip()
        words = " ".join(words.split())
        self.lines.append(".Ss " + ", ".join(calls))
        self.lines += to_mdoc(summary or words[:1].upper() + words[1:] + ".")
        for call in calls:
            number, struct = self.header.calls[call]
            if struct != name:
                sys.exit(f"{call} has another structure than {calls[0]}")
            self.lines += [f".Dv THESEUS_MM_IOC_{call}", f"has the number {number}."]
        if all(self.rights[call] for call in calls):
            self.lines += ["A client that was opened with", ".Dv O_RDONLY", "can do this."]
        else:
            changes = [call for call in calls if not self.rights[call]]
            self.lines += textwrap.wrap(" and ".join(changes) + (
                " fail" if len(changes) > 1 else " fails"), 78)
            self.lines += ["with", ".Er EBADF", "if the client was opened with", ".Dv O_RDONLY ."]
        self.expand_struct(name)

    def expand_struct(self, name):
        if name not in self.header.structs or name not in self.header.docs:
            sys.exit(f"structure {name}: the header does not have it")
        self.names["struct"].append(name)
        self.lines += declaration(self.header, name) + field_list(self.header, name)

    def expand_defines(self, pattern):
        self.lines += define_list(self.header, pattern)

    def expand_bounds(self, _):
        self.lines += bench_bounds.mdoc(self.bounds)

    def expand_parameter(self, argument):
        self.names["parameter"].append(argument.split("=")[0])
        self.lines.append(f".It Cm {argument}")

    def expand_sysfs(self, name):
        self.names["sysfs"].append(name)
        self.lines.append(f".It Pa {name}")

    def expand_debugfs(self, name):
        self.names["debugfs"].append(name)
        self.lines.append(f".It Pa {name}")

    def expand_fdinfo(self, name):
        self.names["fdinfo"].append(name)
        self.lines.append(f".It Li theseus_mm-{name}")

    def expand_event(self, name):
        self.names["event"].append(name)
        self.lines.append(f".It Li {name}")


def print_examples(page):
    print(PRELUDE)
    for call, code in page.examples:
        print(f"static void example_{call.lower()}(int fd, __u32 handle)\n{{\n"
              "\t(void)fd;\n\t(void)handle;")
        print("\n".join(("\t" + line).rstrip() for line in code))
        print("}\n")
    print("static const struct {\n\tconst char *call;\n"
          "\tvoid (*run)(int fd, __u32 handle);\n} page_examples[] = {")
    for call, _ in page.examples:
        print(f"\t{{ \"{call}\", example_{call.lower()} }},")
    print("};")


def findings(sources):
    return device_check.findings(sources, Page(sources))


def main():
    mode = sys.argv[1] if len(sys.argv) == 2 else ""
    if mode == "page":
        print("\n".join(Page(read_sources()).lines))
    elif mode == "examples":
        print_examples(Page(read_sources()))
    elif mode == "self-test":
        self_test.find_breaks(read_sources(), device_check.BREAKS, findings)
    elif mode == "check":
        found = list(findings(read_sources()))
        print("".join(f"theseus_mm.4.in: {finding}\n" for finding in found), end="")
        sys.exit(bool(found))
    else:
        sys.exit(__doc__.splitlines()[0])


if __name__ == "__main__":
    main()
