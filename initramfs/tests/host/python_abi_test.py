#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: python_abi_test.py

The Python module and the library fit together: the structures, constants and prototypes of the
module are those of tmm.h, and the module calls each function of libtmm.map, or says why not.
"""
import ctypes
import inspect
import os
import re
import subprocess
import sys
import tempfile
import unittest

import theseus_mm
from theseus_mm import _library, _types

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
HEADER = os.path.join(ROOT, "initramfs/lib/libtmm/tmm.h")
UAPI = os.path.join(ROOT, "theseus_mm/include/uapi")
MODULE = os.path.dirname(theseus_mm.__file__)

# Constants of the module by their names in tmm.h, and in the kernel's header where it has them.
CONSTANTS = {
    "TMM_PAGE_SIZE": theseus_mm.PAGE_SIZE,
    "TMM_LARGE_PAGE_SIZE": theseus_mm.LARGE_PAGE_SIZE,
    "TMM_HUGE_PAGE_SIZE": theseus_mm.HUGE_PAGE_SIZE,
    "TMM_NO_LIMIT": theseus_mm.NO_LIMIT, "THESEUS_MM_NO_LIMIT": theseus_mm.NO_LIMIT,
    "TMM_OWNER_NONE": theseus_mm.OWNER_NONE, "TMM_OWNER_HIDDEN": theseus_mm.OWNER_HIDDEN,
    "THESEUS_MM_OWNER_HIDDEN": theseus_mm.OWNER_HIDDEN,
    "TMM_MAX_MANY": theseus_mm.MAX_MANY,
    "TMM_DATA": theseus_mm.DATA, "THESEUS_MM_PTE_DATA": theseus_mm.DATA,
    "TMM_READ_ONLY_DATA": theseus_mm.READ_ONLY_DATA,
    "TMM_ALL_OR_NOTHING": 1, "TMM_LIMIT_FRAMES": 1, "TMM_LIMIT_PAGES": 2, "TMM_LIMIT_HANDLES": 4,
    "TMM_ANYWHERE": 0, "TMM_AT": 1, "TMM_IN_RANGE": 2,
    **{f"TMM_{flag.name}": flag.value for flag in theseus_mm.Flags},
    **{f"THESEUS_MM_PTE_{flag.name}": flag.value for flag in theseus_mm.Flags},
    **{f"TMM_FEATURE_{flag.name}": flag.value for flag in theseus_mm.Feature},
    **{f"THESEUS_MM_FEATURE_{flag.name}": flag.value for flag in theseus_mm.Feature},
    **{f"TMM_ATTRIBUTE_{flag.name}": flag.value for flag in theseus_mm.Attribute},
    **{f"THESEUS_MM_ATTRIBUTE_{flag.name}": flag.value for flag in theseus_mm.Attribute},
    **{f"TMM_KIND_{kind.name}": kind.value for kind in theseus_mm.Kind},
    **{f"THESEUS_MM_KIND_{kind.name}": kind.value for kind in theseus_mm.Kind},
    **{f"TMM_MEMORY_{memory.name}": memory.value for memory in theseus_mm.Memory},
}

# Types of results and arguments in tmm.h; any other type is a pointer or an enum.
TYPES = {
    "int": ctypes.c_int, "void": None, "_Bool": ctypes.c_bool, "uint32_t": ctypes.c_uint32,
    "uint64_t": ctypes.c_uint64, "size_t": ctypes.c_size_t, "unsigned int": ctypes.c_uint,
}

# Names of tmm.h that Python programs have no use for.
UNUSED = {"TMM_MAX_LEVELS", "TMM_DEVICE", "TMM_MUST_CHECK"}


def preprocess(options):
    """Return tmm.h after the preprocessor."""
    return subprocess.run(["gcc", "-E", *options, HEADER], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def run_c(body):
    """Compile and run a program that includes both headers. Return its lines of output."""
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "ask.c")
        with open(source, "w", encoding="ascii") as file:
            file.write('#include <stddef.h>\n#include <stdio.h>\n#include "tmm.h"\n'
                       "#include <linux/theseus_mm.h>\nint main(void)\n{\n" + body + "}\n")
        program = os.path.join(folder, "ask")
        subprocess.run(["gcc", "-I", os.path.dirname(HEADER), "-I", UAPI, "-o", program, source],
                       check=True)
        return subprocess.run([program], check=True, text=True,
                              stdout=subprocess.PIPE).stdout.splitlines()


def declarations():
    """Return {name: (result, [argument, ...])} of the functions of tmm.h."""
    text = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", preprocess(["-P"]))
    text = " ".join(text.split())
    found = {}
    for result, name, arguments in re.findall(r"([\w *]+?)\b(tmm_\w+)\(([^()]*)\);", text):
        found[name] = (result.strip(), [argument.strip() for argument in arguments.split(",")])
    return found


def is_right(kind, text, is_argument):
    """Is a type of ctypes the one that the header has?"""
    if is_argument:
        text = re.sub(r"\b\w+$", "", text).strip()
    text = text.replace("const ", "").strip()
    if "*" not in text:
        return kind is (ctypes.c_int if text.startswith("enum ") else TYPES[text])
    target = text.replace("*", "").strip()
    if text.count("*") == 2:
        return kind is _library._Cell
    structure = _library.STRUCTURES.get(target.replace("struct ", ""))
    if structure:
        return kind is ctypes.POINTER(structure)
    if target in TYPES and target != "void":
        return kind is ctypes.POINTER(TYPES[target])
    return kind in (ctypes.c_void_p, ctypes.c_char_p)


class AbiTest(unittest.TestCase):
    def test_structures_have_the_layout_of_the_header(self):
        expected, body = [], ""
        for name, structure in _library.STRUCTURES.items():
            expected.append(f"{name} {ctypes.sizeof(structure)}")
            body += f'printf("{name} %zu\\n", sizeof(struct {name}));\n'
            for field, *_ in structure._fields_:
                descriptor = getattr(structure, field)
                expected.append(f"{name}.{field} {descriptor.offset} {descriptor.size}")
                body += (f'printf("{name}.{field} %zu %zu\\n", offsetof(struct {name}, {field}),'
                         f" sizeof(((struct {name} *)0)->{field}));\n")
        self.assertEqual(expected, run_c(body))

    def test_structures_are_all_of_the_header_with_all_fields(self):
        text = preprocess(["-P"])
        found = dict(re.findall(r"struct (tmm_\w+) {([^}]*)}", text))
        self.assertEqual(sorted(found), sorted(_library.STRUCTURES))
        for name, fields in found.items():
            names = re.findall(r"(\w+)(?:\[[^\]]*\])?;", fields)
            self.assertEqual(names, [field for field, *_ in _library.STRUCTURES[name]._fields_])

    def test_results_have_all_fields(self):
        # a result that is not named after its structure is a plain tuple
        left_out = {"reserved", "reserved1", "entries", "buckets", "owners", "nr"}
        for name, structure in _library.STRUCTURES.items():
            words = "".join(word.capitalize() for word in name.split("_")[1:])
            result = getattr(theseus_mm, words, None)
            if result is None or words == "CreateItem":
                continue
            fields = {field for field, *_ in structure._fields_} - left_out
            self.assertEqual(fields, set(result.__dataclass_fields__) - left_out, name)

    def test_constants_are_those_of_the_headers(self):
        body = "".join(f'printf("{name} %llu\\n", (unsigned long long)({name}));\n'
                       for name in CONSTANTS)
        self.assertEqual([f"{name} {int(value)}" for name, value in CONSTANTS.items()],
                         run_c(body))

    def test_constants_are_all_of_the_header(self):
        names = set(re.findall(r"^#define (TMM_\w+)", preprocess(["-dD"]), re.MULTILINE))
        names |= set(re.findall(r"^\t(TMM_\w+)[ ,]", preprocess([]), re.MULTILINE))
        self.assertEqual(set(), names - set(CONSTANTS) - UNUSED)

    def test_device_is_that_of_the_header(self):
        self.assertIn(f'"{_types.DEVICE}"', run_c('printf("\\"%s\\"\\n", TMM_DEVICE);'))

    def test_prototypes_are_those_of_the_header(self):
        found = declarations()
        self.assertEqual(sorted(found), sorted(_library.PROTOTYPES))
        for name, (result, arguments) in found.items():
            kind, kinds = _library.PROTOTYPES[name]
            self.assertTrue(is_right(kind, result, False), f"{name} returns {result}")
            self.assertEqual(len(arguments), len(kinds), name)
            for argument, each in zip(arguments, kinds):
                self.assertTrue(is_right(each, argument, True), f"{name}: {argument}")

    def test_functions_are_those_of_the_map(self):
        with open(os.path.join(os.path.dirname(HEADER), "libtmm.map"), encoding="ascii") as file:
            exported = re.findall(r"^\t(tmm_\w+);", file.read(), re.MULTILINE)
        self.assertEqual(sorted(exported), sorted(_library.PROTOTYPES))

    def test_functions_are_reachable_or_explained(self):
        code = docs = ""
        for name in sorted(os.listdir(MODULE)):
            if name.endswith(".py"):
                with open(os.path.join(MODULE, name), encoding="utf-8") as file:
                    text = file.read()
                docs += text
                code += re.sub(r'""".*?"""', "", text, flags=re.DOTALL) \
                    if name not in ("_library.py", "__init__.py") else ""
        # the methods of objects make their names of a noun and a verb
        made = {f"tmm_{noun}_{verb}" for noun in ("pages", "frames", "mapping") for verb in
                re.findall(r'self\.(?:_get|_take|_borrow|_name)\("(\w+)"\)', code)}
        omitted = theseus_mm.__doc__.partition("does not call\n")[2]
        for name in _library.PROTOTYPES:
            if f'"{name}"' in code or f"LIB.{name}(" in code or name in made:
                self.assertNotIn(f"\n{name}\n", omitted)
                self.assertRegex(docs, rf"Call: [^\n]*\b{name}\b", f"{name} is not documented")
            else:
                self.assertRegex(omitted, rf"\b{name}\b", f"{name} is not reachable")

    def test_everything_public_has_a_docstring(self):
        for name in theseus_mm.__all__:
            thing = getattr(theseus_mm, name)
            if not inspect.isclass(thing):
                continue
            self.assertTrue(thing.__doc__, name)
            for member, value in vars(thing).items():
                if member.startswith("_") or not (callable(value) or isinstance(value, property)
                                                  or isinstance(value, classmethod)):
                    continue
                self.assertTrue(inspect.getdoc(getattr(thing, member)), f"{name}.{member}")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
