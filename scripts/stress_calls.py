#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: stress_calls.py

Prints a C header for initramfs/stress/ with what the sources say of each call: the fields of its
structure, and the errors that theseus_mm(4) lists. STRESS_CALLS(X) has X(CALL, structure) for
each call of the UAPI header, STRESS_ERRORS(X) has X(CALL, error), and STRESS_FIELDS(X) has
X(structure, field, kind). The kind of a field that a call reads is a macro
KIND_<structure>_<field> of kinds.h: the fuzzer does not compile as long as a new field has none.
"""
import re
import sys

# make must not leave files of root in the tree
sys.dont_write_bytecode = True
import device_page

# Results that later calls can take as arguments.
RESULTS = {"handle": "KIND_NEW_HANDLE", "first": "KIND_NEW_HANDLE", "second": "KIND_NEW_HANDLE",
           "pages": "KIND_NEW_HANDLE", "fd": "KIND_NEW_FD", "export_id": "KIND_NEW_EXPORT_ID",
           "start": "KIND_NEW_ADDRESS", "paddr": "KIND_NEW_PADDR"}


def kind_of(struct, field, words):
    if re.match(r"(in: )?must be 0\.?$", words):
        return "KIND_ZERO"
    if words.startswith("out: "):
        return RESULTS.get(field, "KIND_RESULT")
    return f"KIND_{struct}_{field}"


def table(name, rows):
    print(f"#define {name}(X)", end="")
    for row in rows:
        print(f" \\\n\tX({', '.join(row)})", end="")
    print("\n")


def main():
    page = device_page.Page(device_page.read_sources())
    calls = {call: struct for call, (_, struct) in page.header.calls.items()}
    table("STRESS_CALLS", calls.items())
    table("STRESS_ERRORS", ((call, error) for call in calls
                            for error in sorted(page.errors_of[call])))
    table("STRESS_FIELDS", ((struct, field, kind_of(struct, field, words))
                            for struct in dict.fromkeys(calls.values())
                            for field, words in page.header.fields_of(struct)[0]))


main()
