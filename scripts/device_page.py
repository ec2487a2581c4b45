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
    @sysfs NAME, @debugfs NAME, @fdinfo KEY, @event NAME    a file, key or event
"""
import re
import sys
import textwrap
from pathlib import Path

# "make install" runs as root, and must not leave files of root in the tree.
sys.dont_write_bytecode = True
import self_test

ROOT = Path(__file__).resolve().parent.parent
PATHS = {
    "template": "initramfs/share/man/theseus_mm.4.in",
    "header": "theseus_mm/include/uapi/linux/theseus_mm.h",
    "dispatch": "theseus_mm/device/call/dispatch.c",
    "main": "theseus_mm/main.c",
    "sysfs": "theseus_mm/device/show/sysfs.c",
    "debugfs": "theseus_mm/device/show/debugfs.c",
    "fdinfo": "theseus_mm/device/show/fdinfo.c",
}
# Sources with tracepoints, and sources whose errors reach programs.
TRACES = "theseus_mm/*/trace.h", "theseus_mm/device/*/trace.h"
CALLS = "theseus_mm/device/call/*.c"
TESTS = "initramfs/tests/*.[ch]"
# Errors in device/call/ that no call returns to a program, each with the reason.
NO_ERROR_OF_A_CALL = {
    "EFBIG",  # a device that attaches to a dma-buf gets it
}
# Errors of every call, and those that the page leaves to a sentence: a batch fails with the error
# of an item.
COMMON_ERRORS = {"EBADF", "EFAULT", "EINVAL", "E2BIG", "ENOTTY"}
ERRORS_OF_ITEMS = {"CREATE_BATCH", "DROP_BATCH"}
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


# --- the header ------------------------------------------------------------------------------


def strip_stars(comment):
    return "\n".join(re.sub(r"^ \* ?", "", line) for line in comment.splitlines())


class Header:
    """The sections, structures, definitions and calls of the UAPI header."""

    def __init__(self, text):
        self.text = text
        top = strip_stars(re.search(r"^/\*\n(.*?)^ \*/$", text, re.S | re.M).group(1))
        parts = re.split(r"^(.+)\n-{3,}\n", top, flags=re.M)
        self.sections = dict(zip(parts[1::2], parts[2::2]))
        self.errors = re.findall(r"^\t(E[A-Z0-9]+)\t", self.sections["Errors"], re.M)
        self.docs = {}
        for doc in re.findall(r"^/\*\*\n(.*?)^ \*/$", text, re.S | re.M):
            body = strip_stars(doc)
            self.docs[re.match(r"struct (\w+)", body).group(1)] = body
        self.structs = {name: (body, re.findall(r"(\w+)(?:\[\w+\])?;", body)) for name, body in
                        re.findall(r"^struct (\w+) \{\n(.*?)^\};$", text, re.S | re.M)}
        joined = text.replace("\\\n", " ")
        self.calls = dict(re.findall(
            r"^#define THESEUS_MM_IOC_(\w+)\s+THESEUS_MM_IOWR\((\w+, \w+)\)", joined, re.M))
        self.calls = {name: what.split(", ") for name, what in self.calls.items()}
        self.defines = {}
        for match in re.finditer(
                r"(?:^/\*\s((?:[^*]|\*(?!/))*?) \*/\n)?"
                r"^#define THESEUS_MM_(\w+)[ \t]+([^\n]*?)[ \t]*(?:/\* (.*?) \*/)?$", joined, re.M):
            before, name, value, after = match.groups()
            if name not in ("IOWR",) and not name.startswith("IOC_"):
                words = " ".join(strip_stars(after or before or "").split())
                self.defines[name] = " ".join(value.split()), words
        magic = re.search(r"^#define THESEUS_MM_IOC_MAGIC\t(\w+)", text, re.M)
        self.defines["IOC_MAGIC"] = magic.group(1), ""

    def fields_of(self, name):
        """The documented fields of a structure, and the paragraphs after them."""
        lines = self.docs[name].splitlines()
        fields, notes, current = [], [], None
        for line in lines[1:]:
            field = re.match(r"@(\w+):\s*(.*)", line)
            if field:
                current = [field.group(1), field.group(2)]
                fields.append(current)
            elif not line.strip():
                current = None
                notes.append("")
            elif current:
                current[1] += " " + line.strip()
            elif fields:
                notes[-1] += " " + line.strip()
        return fields, [note.strip() for note in notes if note.strip()]


def rights_of(dispatch):
    """For each call: does the call work on a client that was opened with O_RDONLY?"""
    return {name: kind == "LOOK" for kind, name in re.findall(
        r"\b(LOOK|OP)\(THESEUS_MM_IOC_(\w+),", dispatch.split("export_ops[]")[0])}


# --- from the header's words to mdoc -----------------------------------------------------------


GLUE = "\0"  # the next line follows without a space


def escape(line):
    line = line.replace("\\", "\\e").replace(GLUE, "\\c")
    return "\\&" + line if line[:1] in (".", "'") else line


def mark_up(word):
    """What is before a word that mdoc(7) has markup for, and the macro line; or two times None."""
    head, core, tail = re.match(r"^([(\[\"]*)(.*?)([)\].,;:\"]*)$", word).groups()
    # the parentheses of a function belong to its name
    function = re.match(r"^([(\"]*)([a-z][a-z0-9_]*\((?:[A-Z_|*]*)\))([^\w]*)$", word)
    if function:
        head, core, tail = function.groups()
        name, argument = core[:-1].split("(")
        macro = f"Fn {name}" + (f' "{argument}"' if argument else "")
    elif re.match(r"^@\w+$", core):
        macro = f"Fa {core[1:]}"
    elif re.match(r"^\*\w+\*$", core):
        macro = f"Em {core[1:-1]}"
    elif re.match(r"^E[A-Z0-9]{2,}$", core) and core not in ("EXPORT", "EXCLUSIVE", "EXECUTABLE"):
        macro = f"Er {core}"
    elif re.match(r"^(THESEUS_MM_\w+\*?|O_\w+|MAP_(?!ALLOCATED|FRAME|OFFSET)\w+|PROT_\w+|CAP_\w+|"
                  r"POLL\w+|SIG[A-Z]+)$", core):
        macro = f"Dv {core}"
    else:
        return None, None
    return head.replace('"', ""), f".{macro}" + "".join(f" {c}" for c in tail if c != '"')


def to_mdoc(text):
    """Prose as mdoc lines: one sentence a line, and macros for functions, fields and errors."""
    out = []
    words = []

    def flush():
        if words:
            out.extend(escape(line) for line in textwrap.wrap(" ".join(words), 78))
            words.clear()

    for word in text.replace("`", "").split():
        head, macro = mark_up(word)
        if macro:
            if head:
                words.append(head + GLUE)
            flush()
            out.append(macro)
        else:
            words.append(word)
        if re.search(r"[.?!][)\"]?$", word):
            flush()
    flush()
    return out


def list_of(block, tag="Sy"):
    """A table of the header, with tabs between its columns, as a list."""
    items = []
    for line in block.splitlines():
        match = re.match(r"^\t(\S[^\t]*)\t+(.*)", line)
        if match:
            items.append([match.group(1), match.group(2)])
        else:
            items[-1][1] += " " + line.strip()
    out = [".Bl -tag -width Ds"]
    for name, words in items:
        out.append(f".It {tag} {name}")
        out += to_mdoc(words)
    return out + [".El"]


def prose(section, tag="Sy"):
    out = []
    for paragraph in re.split(r"\n\s*\n", section.strip("\n")):
        if paragraph.startswith("\t"):
            out += list_of(paragraph, tag)
        else:
            out += [".Pp"] + to_mdoc(paragraph)
    return out


def declaration(header, name):
    body = header.structs[name][0].rstrip("\n")
    return [".Bd -literal -offset indent", f"struct {name} {{"] + body.splitlines() + ["};", ".Ed"]


def field_list(header, name):
    fields, notes = header.fields_of(name)
    out = [".Bl -tag -width Ds"]
    for field, words in fields:
        out.append(f".It Fa {field}")
        out += to_mdoc(words)
    out.append(".El")
    for note in notes:
        out += [".Pp"] + to_mdoc(note)
    return out


def define_list(header, pattern):
    out = [".Bl -tag -width Ds"]
    for name, (value, words) in header.defines.items():
        if re.fullmatch(pattern, name) and not name.endswith("_FLAGS_ALL"):
            value = re.sub(r"^\((.*)\)$", r"\1", value.replace("THESEUS_MM_", ""))
            out.append(f".It Dv THESEUS_MM_{name}")
            out += textwrap.wrap(f"Value: {value}.", 78) + to_mdoc(
                words[:1].upper() + words[1:] + ("" if words.endswith(".") else "."
                                                 if words else ""))
    return out + [".El"]


# --- the page ------------------------------------------------------------------------------------


class Page:
    """The template, expanded, and the names that the template has."""

    def __init__(self, sources):
        self.header = Header(sources["header"])
        self.rights = rights_of(sources["dispatch"])
        self.lines = []
        self.examples = []
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


# --- the check -------------------------------------------------------------------------------------


def compare(what, source, page):
    for name in sorted(set(source) - set(page)):
        yield f"{what} {name}: the page does not have it"
    for name in sorted(set(page) - set(source)):
        yield f"{what} {name}: the sources do not have it"
    for name in sorted({name for name in page if list(page).count(name) > 1}):
        yield f"{what} {name}: the page has it twice"


def check_parameters(sources, page):
    main = sources["main"]
    modes = dict(re.findall(r"^module_param(?:_cb)?\((\w+), .*?, (0\d+)\);", main, re.M))
    limit_mode = re.search(r"module_param_cb\(name, .*?, (0\d+)\)", main).group(1)
    modes.pop("name", None)
    modes.update((name, limit_mode) for name in re.findall(r"^MAX_PARAM\((\w+),", main, re.M))
    yield from compare("parameter", modes, page.names["parameter"])
    defaults = dict(re.findall(r'MODULE_PARM_DESC\((\w+),\s*"[^"]*\(default (unlimited|\d+)\)"', main))
    for part in sources["template"].split("@parameter ")[1:]:
        name = re.match(r"\w+", part).group(0)
        if name in defaults and f"Default: {defaults[name]}." not in part:
            yield f"parameter {name}: the page does not have the default {defaults[name]}"
        mode = re.search(r"[Mm]ode (0\d+)", part)
        if name in modes and (not mode or mode.group(1) != modes[name]):
            yield f"parameter {name}: the page does not say mode {modes[name]}"
        for word in ("Unit:", "Range:", "Default:", "Example:"):
            if word not in part.split(".El")[0]:
                yield f"parameter {name}: the page has no \"{word}\""


def check_sysfs(sources, page):
    files = re.findall(r"^static DEVICE_ATTR_\w+\((\w+)\);", sources["sysfs"], re.M)
    yield from compare("sysfs file", files, page.names["sysfs"])
    admin = set(re.findall(r"^static DEVICE_ATTR_ADMIN_RO\((\w+)\);", sources["sysfs"], re.M))
    for part in sources["template"].split("@sysfs ")[1:]:
        name = re.match(r"\w+", part).group(0)
        if ("0400" in part.split("@")[0]) != (name in admin):
            yield f"sysfs file {name}: the page has the wrong mode"


def check_struct(header, name):
    fields = [field for field, _ in header.fields_of(name)[0]]
    yield from compare(f"field of {name}", header.structs[name][1], fields)


def check_defines(header, page, text):
    # the comment before the number of the calls is for maintainers
    for name in re.findall(r"^(?:/\*.*| )\*/\n#define THESEUS_MM_(\w+)", header.text, re.M):
        if name in header.defines and name != "IOC_MAGIC" and not header.defines[name][1]:
            yield f"definition THESEUS_MM_{name}: the page lacks the comment before it"
    for name in header.defines:
        if not name.endswith("_FLAGS_ALL") and not re.search(rf"\bTHESEUS_MM_{name}\b", text):
            yield f"definition THESEUS_MM_{name}: the page does not have it"
    known = {f"THESEUS_MM_{name}" for name in header.defines}
    known |= {f"THESEUS_MM_IOC_{name}" for name in header.calls}
    for name in sorted(set(re.findall(r"\bTHESEUS_MM_[A-Z0-9_]+\b(?!\*)", text))):
        if name not in known and not name.endswith("_"):
            yield f"definition {name}: the header does not have it"


def check_tested_errors(sources, page):
    """Each error that a test expects of a call is one of the errors of that call."""
    calls = {}
    for wrapper, body in re.findall(r"^static inline int uapi_(\w+)\(.*?^\{\n(.*?)^\}",
                                    sources["tests"], re.S | re.M):
        calls[wrapper] = re.findall(r"THESEUS_MM_IOC_(\w+)", body)
    calls["export"] = calls["export_as"]
    tested = re.findall(r"(?:_REFUSED\(|_EQ\(-|EXPECT_(?=EDQUOT))(E[A-Z]+)[,(]\s*uapi_(\w+)\(",
                        sources["tests"])
    for error, wrapper in sorted(set(tested)):
        for call in set(calls.get(wrapper, ())) - ERRORS_OF_ITEMS:
            if error not in page.errors_of[call]:
                yield f"error {error} of {call}: a test expects it, and the page does not have it"


def findings(sources):
    page = Page(sources)
    header = page.header
    text = "\n".join(page.lines)
    yield from compare("call", header.calls, page.names["calls"])
    yield from compare("call", header.calls, page.rights)
    yield from compare("example of", header.calls, page.names["example"])
    yield from compare("structure", header.structs, page.names["struct"])
    for name in header.structs:
        yield from check_struct(header, name)
    yield from check_defines(header, page, text)
    yield from compare("section", header.sections, page.names["section"])
    returned = set(re.findall(r"-(E[A-Z0-9]+)\b", sources["calls"])) - NO_ERROR_OF_A_CALL
    for name in sorted(returned - set(header.errors)):
        yield f"error {name}: the header's table does not have it"
    for name in sorted(set(page.names["error"]) - set(header.errors)):
        yield f"error {name}: the header's table does not have it, but the page has"
    # each of these errors is one that every call can return
    for name in sorted(set(header.errors) - set(page.names["error"]) - {"ENOTTY", "E2BIG"}):
        yield f"error {name}: the page has it at no call"
    yield from check_tested_errors(sources, page)
    yield from check_parameters(sources, page)
    yield from check_sysfs(sources, page)
    yield from compare("debugfs file", re.findall(
        r'debugfs_create_file\("(\w+)"', sources["debugfs"]), page.names["debugfs"])
    keys = re.findall(r'"theseus_mm-([a-z-]+):', sources["fdinfo"])
    keys += re.findall(r'show_limited\(m, "([a-z-]+)"', sources["fdinfo"])
    keys += [one for key in re.findall(r'show_sum\(m, "([a-z-]+)"', sources["fdinfo"])
             for one in (key, f"size-{key}")]
    keys += [f"size-{key}" for key in re.findall(r'show_mapping\(m, "([a-z]+)"', sources["fdinfo"])]
    yield from compare("fdinfo key", keys, page.names["fdinfo"])
    yield from compare("event", re.findall(
        r"^(?:TRACE_EVENT|DEFINE_EVENT\(\w+,|DEFINE_EVENT)\(?\s*(tmm_\w+)", sources["traces"],
        re.M), page.names["event"])


# Each change must give a finding that contains the words.
BREAKS = (
    ("header", r"__u32 nr_pinned;", "__u32 nr_pinned;\n\t__u32 nr_new;", "nr_new"),
    ("header", r" \* @paddr: out: the physical address\n", "", "paddr"),
    ("header", r"#define THESEUS_MM_IOC_SHARE\b", "#define THESEUS_MM_IOC_NEW\t"
     "THESEUS_MM_IOWR(0x70, theseus_mm_share)\n#define THESEUS_MM_IOC_SHARE", "call NEW"),
    ("header", r"#define THESEUS_MM_IOC_SHARE\b.*\n", "", "call SHARE"),
    ("header", r"#define THESEUS_MM_KIND_PAGES\t1",
     "#define THESEUS_MM_NEW\t4\n#define THESEUS_MM_KIND_PAGES\t1", "THESEUS_MM_NEW"),
    ("header", r"/\* The usual choice", "/** The usual choice", "THESEUS_MM_PTE_DATA"),
    ("header", r"\tEDOM\t", "\tENEW\t", "ENEW"),
    ("calls", r"-ENOBUFS", "-ENOSTR", "ENOSTR"),
    ("main", r"static bool quarantine;", "MAX_PARAM(max_new, x);", "max_new"),
    ("main", r"default 65536", "default 65537", "max_handles"),
    ("main", r"&quarantine, 0400", "&quarantine, 0644", "quarantine"),
    ("sysfs", r"DEVICE_ATTR_RO\(tables\)", "DEVICE_ATTR_RO(new_tables)", "new_tables"),
    ("sysfs", r"DEVICE_ATTR_RO\(abi\)", "DEVICE_ATTR_ADMIN_RO(abi)", "abi"),
    ("debugfs", r'"stats"', '"new_stats"', "new_stats"),
    ("fdinfo", r'"client-id|theseus_mm-client-id', "theseus_mm-new-id", "new-id"),
    ("traces", r"tmm_remap", "tmm_new_event", "tmm_new_event"),
    ("template", r"@sysfs mappings", "@sysfs no_such_file", "no_such_file"),
    ("template", r"@parameter bad", "@parameter no_such", "no_such"),
    ("template", r"@example DROP\n", "@example QUERY\n", "DROP"),
    ("template", r"@error EDOM:", "@error ENOTHING:", "ENOTHING"),
    ("template", r"@error ENODEV: MAP_ALLOCATED.*\n", "", "ENODEV of MAP_ALLOCATED_PAGES_TO"),
    ("template", r"@error ESTALE: the mapping was imported or.*\n", "", "ESTALE of IMPORT"),
)


def main():
    mode = sys.argv[1] if len(sys.argv) == 2 else ""
    if mode == "page":
        print("\n".join(Page(read_sources()).lines))
    elif mode == "examples":
        print_examples(Page(read_sources()))
    elif mode == "self-test":
        self_test.find_breaks(read_sources(), BREAKS, findings)
    elif mode == "check":
        found = list(findings(read_sources()))
        print("".join(f"theseus_mm.4.in: {finding}\n" for finding in found), end="")
        sys.exit(bool(found))
    else:
        sys.exit(__doc__.splitlines()[0])


if __name__ == "__main__":
    main()
