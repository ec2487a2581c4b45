# SPDX-License-Identifier: GPL-2.0
"""The UAPI header as device_page.py reads it: sections, structures, definitions and calls."""
import re


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
        r"\b(LOOK|GIVE|OP)\(THESEUS_MM_IOC_(\w+),", dispatch.split("export_ops[]")[0])}
