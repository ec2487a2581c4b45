#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: messages.py list|check|self-test

Compares initramfs/share/TROUBLESHOOTING.md with the sources. Each message with which the module, the
tool, the module for Python, the packages, the commands of make or the guest's init report a failure
has to be in the first column of a table of that page, and each message of the page has to be in the
sources. "list" prints the messages of the sources.

A conversion of printf(), a variable of the shell, a field of Python and a <word> of the page stand for
any text.
Messages of a new kind of program need a line in SOURCES.
"""
import re
import sys
from pathlib import Path

# "make install" runs as root, and must not leave files of root in the tree.
sys.dont_write_bytecode = True
import self_test

ROOT = Path(__file__).resolve().parent.parent
PAGE = "initramfs/share/TROUBLESHOOTING.md"
STRING = r'((?:f?"(?:[^"\\]|\\.)*"\s*|PRI\w+\s*)+)'

# For each kind of program: its files; a regular expression for what is before a message; what the
# program prints around the message. A message is one string, which may have several parts.
SOURCES = {
    "module": ("theseus_mm/**/*.[ch]", (
        (r"\bpr_(?:err|warn)\(\s*", "{}"),
        # a reason that stands in one of the lines above
        (r"\brefuse_region\(\w+,\s*", "{}"),
        (r"\brefuse_page\([^;\"]*?,\s*(?=\")", "{}"),
        (r"\(struct flaw\)\{\s*[^\"}]*?,\s*(?=\")", "{}"),
        (r"\btmm_advice_refuse\([^;\"]*?,\s*(?=\")", "{}"),
        (r"\bsnprintf\(text, TMM_ADVICE_TEXT,\s*", "{}"),
        # why the firmware's map does not allow a page
        (r"(?<=return )(?=\"[^\"]*\";)", "{}"),
        (r"(?<=NULL : )(?=\")", "{}"),
    )),
    "library": ("initramfs/lib/libtmm/*.[ch]", (
        (r"\b(?:perror|(?:f|d|v)?printf|fputs|puts|warnx?|errx?)\((?:\w+,\s*)?", "{}"),
    )),
    "tool": ("initramfs/bin/tmm/*.c", (
        (r"\bfailed\([^;\"]*?,\s*(?=\")", "{}: %s"),
        (r"\bcomplained\([^;\"]*?,\s*(?=\")", "tmm: %s: {}"),
        (r"\bfprintf\(stderr,\s*", "{}"),
        (r"\bdemo_fail\(\w+,\s*", "demo: FAILED: %s: {}"),
        (r"\bdemo_call_failed\(\w+,\s*", "demo: FAILED: %s: {}: %s"),
    )),
    "python": ("initramfs/lib/python3/theseus_mm/*.py", (
        (r"\braise (?:Import|Value)Error\(", "{}"),
        (r"\braise OSError\(errno\.\w+, ", "{}"),
        # error_of() adds this text to a message
        (r"\bmeaning \+= ", "{}"),
    )),
    "packages": ("debian/theseus-mm-dkms.p*", (
        (r"\becho (?=\"theseus)", "{}"),
    )),
    "commands": (" ".join(f"scripts/{name}.sh" for name in (
        "archive", "build-deb", "build-module", "common", "deps", "fetch-debian", "fetch-kernel",
        "install", "unpack-source")), (
        (r"\bdie (?=\")", "{}"),
        # advice_for() adds this text to a message
        (r"\becho (?=\": )", "{}"),
    )),
    "build": ("initramfs/src/theseus-mm/check-build", (
        (r"\bcomplain (?=\")", "theseus-mm: {}"),
    )),
    "init": ("initramfs/init", (
        (r"\b(?:problem|fail) (?=\")", "{}"),
        (r"echo (?=\"(?:VERDICT fail|not ok) )", "{}"),
    )),
}
# Lines in the sources that are no message of a failure, each with the reason.
SHELL = {"init", "packages", "build", "commands"}
NO_MESSAGE = {
    # pr_err() with %pV prints a message that tmm_advice_refuse() gets
    "module": {"*; *"},
    "library": set(),
    # the wrappers that put a call or a file before an error, and what they print around a message
    "tool": {"tmm:", "tmm: *:", "tmm: **", ": *", "demo: FAILED: *: *: *"},
    # faults of the scripts themselves
    "commands": {"unknown target: *", "unknown argument: *: use install or uninstall"},
    # what the functions problem() and verdict() print around a message
    "init": {"*"},
}
# Messages of other programs that users of these programs see.
OF_OTHERS = {
    "insmod: ERROR: could not insert module *: *",
    "tmm: *: unrecognized option '*'",
    "tmm: *: option requires an argument -- '*'",
    "modprobe: FATAL: Module theseus_mm not found in directory *",
    "modprobe: FATAL: Module theseus_mm not found.",
    "rmmod: ERROR: Module theseus_mm is in use",
    "WARNING: CPU: * PID: * at *",
}


def normal(text):
    """The message with a star for each part that differs from time to time."""
    text = re.sub(r"%%", "\0", text)
    text = re.sub(r"%[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh|h|ll|l|z|j|t)?[a-zA-Z]V?", "*", text)
    text = text.replace("\0", "%")
    text = re.sub(r"<[^<>]*>", "*", text)
    return " ".join(text.split())


def of_c(text):
    return text.replace('\\"', '"').replace("\\\\", "\\")


def of_shell(text):
    text = re.sub(r"\$\{[^}]*\}|\$\w+|\$[*@#?]", "*", text)
    return re.sub(r"\*{2,}", "*", text)


def of_python(text):
    return re.sub(r"\{[^{}]*\}", "*", text)


# How a message of a kind of program becomes one with stars; all others are messages of C.
CONVERSIONS = {**dict.fromkeys(SHELL, of_shell), "python": of_python}


def messages_of(kind, text):
    _, patterns = SOURCES[kind]
    if kind not in SHELL:
        # comments have no messages
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = text.replace("\\\n", "\n")
    if kind in SHELL:
        text = re.sub(r"\$\([^()\n]*\)", "$output", text)
    for before, around in patterns:
        for match in re.finditer(before + STRING, text):
            parts = re.findall(r'"((?:[^"\\]|\\.)*)"', match.group(match.lastindex))
            for line in filter(None, "".join(parts).split("\\n")):
                line = CONVERSIONS.get(kind, of_c)(line)
                message = normal(around.replace("{}", line))
                if message not in NO_MESSAGE.get(kind, ()):
                    yield message


def read_sources():
    sources = {}
    for kind, (files, _) in SOURCES.items():
        paths = [path for pattern in files.split() for path in sorted(ROOT.glob(pattern))]
        sources[kind] = "\n".join(path.read_text() for path in paths)
    sources["page"] = (ROOT / PAGE).read_text() if (ROOT / PAGE).exists() else ""
    return sources


def messages_of_page(page):
    for line in page.splitlines():
        if line.startswith("| `"):
            cell = line[2:].split(" | ")[0]
            for span in re.findall(r"``(.+?)``|`(.+?)`", cell):
                yield normal(span[0] or span[1])


def findings(sources):
    known = set(OF_OTHERS)
    on_page = list(messages_of_page(sources["page"]))
    for kind in SOURCES:
        for message in sorted(set(messages_of(kind, sources[kind]))):
            known.add(message)
            if message not in on_page:
                yield f"{kind}: a message is missing: {message}"
    for message in sorted(set(on_page)):
        if message not in known:
            yield f"no program prints: {message}"
        if on_page.count(message) > 1:
            yield f"two rows have: {message}"
    for message in sorted(OF_OTHERS - set(on_page)):
        yield f"a message of another program is missing: {message}"


BREAKS = (
    ("module", r"regions= is missing", "regions= is not there", "regions= is not there"),
    ("module", r"the size has to be 64K or more", "the size is too small", "the size is too small"),
    ("library", r"\Z", 'void f(void) { perror("new"); }', "new"),
    ("tool", r"load the module first", "no module is loaded", "no module is loaded"),
    ("tool", r'failed\(errno, "GET_LIMITS"\)', 'failed(errno, "NEW_LIMITS")', "NEW_LIMITS"),
    ("python", r"is the module theseus_mm loaded", "is there a module", "is there a module"),
    ("init", r"kmemleak refuses to", "kmemleak does not", "kmemleak does not"),
    ("page", r"\| `regions= is missing", "| `regions= was forgotten", "no program prints"),
)


def main():
    mode = sys.argv[1] if len(sys.argv) == 2 else ""
    if mode == "list":
        sources = read_sources()
        for kind in SOURCES:
            for message in sorted(set(messages_of(kind, sources[kind]))):
                print(f"{kind}\t{message}")
    elif mode == "check":
        found = list(findings(read_sources()))
        print("".join(f"{PAGE}: {finding}\n" for finding in found), end="")
        sys.exit(bool(found))
    elif mode == "self-test":
        self_test.find_breaks(read_sources(), BREAKS, findings)
    else:
        sys.exit(__doc__.splitlines()[0])


if __name__ == "__main__":
    main()
