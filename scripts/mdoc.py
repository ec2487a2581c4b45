# SPDX-License-Identifier: GPL-2.0
"""Words, tables and structures of the UAPI header as lines of mdoc(7), for device_page.py."""
import re
import textwrap

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
