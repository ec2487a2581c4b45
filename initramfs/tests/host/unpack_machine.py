#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: unpack_machine.py FILE DIR

Makes the files of /proc and /sys below DIR from the description of a machine, for
`tmm reserve --root DIR`. FILE has these parts; a part that is missing makes no file:

  [memmap]   the firmware's map, a line for each entry: START END TYPE
  [boot]     boot_params: `initrd START SIZE`, `setup_data START`, `extension NUMBER`: that
             many entries are in the extension; `without START`: the map lacks this entry;
             `ram START END`: the map has this entry instead of all others
  [nodes]    `block SIZE`, then `NODE: FIRST-LAST...`, numbers of memory blocks
  [iomem], [cmdline], [meminfo], [lockdown]   the text of the file
"""
import os
import struct
import sys

TYPES = {"System RAM": 1, "Reserved": 2, "ACPI Tables": 3, "ACPI Non-volatile Storage": 4}
ENTRIES_IN_MESSAGE = 128
FILES = {"iomem": "proc/iomem", "cmdline": "proc/cmdline", "meminfo": "proc/meminfo",
         "lockdown": "sys/kernel/security/lockdown"}


def parts_of(path):
    parts, name = {}, None
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.rstrip("\n")
            if line.startswith("#"):
                continue
            if line.startswith("["):
                name = line.strip("[]")
                parts[name] = []
            elif line:
                parts[name].append(line)
    return parts


def write(root, path, content):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def make_memmap(root, lines):
    for number, line in enumerate(lines):
        start, end, kind = line.split(None, 2)
        for name, text in (("start", start), ("end", end), ("type", kind)):
            write(root, f"sys/firmware/memmap/{number}/{name}", text + "\n")


def make_boot_params(root, lines, memmap):
    message = bytearray(4096)
    absent, others, nr_extension = set(), [], 0
    for line in lines:
        word, *numbers = line.split()
        numbers = [int(number, 0) for number in numbers]
        if word == "initrd":
            struct.pack_into("<II", message, 0x0c0, numbers[0] >> 32, numbers[1] >> 32)
            struct.pack_into("<II", message, 0x218, numbers[0] & 0xffffffff,
                             numbers[1] & 0xffffffff)
        elif word == "setup_data":
            struct.pack_into("<Q", message, 0x250, numbers[0])
        elif word == "extension":
            nr_extension = numbers[0]
        elif word == "without":
            absent.add(numbers[0])
        elif word == "ram":
            others.append(struct.pack("<QQI", numbers[0], numbers[1] + 1 - numbers[0], 1))
    entries = []
    for line in memmap:
        start, end, kind = line.split(None, 2)
        start, end = int(start, 16), int(end, 16)
        if start not in absent:
            entries.append(struct.pack("<QQI", start, end + 1 - start, TYPES.get(kind, 12)))
    entries = others or entries
    first = min(len(entries) - nr_extension, ENTRIES_IN_MESSAGE)
    message[0x1e8] = first
    message[0x2d0:0x2d0 + 20 * first] = b"".join(entries[:first])
    write(root, "sys/kernel/boot_params/data", bytes(message))
    if entries[first:]:
        # the first one is of another type
        for number, (kind, data) in enumerate(((9, b"seed"), (1, b"".join(entries[first:])))):
            write(root, f"sys/kernel/boot_params/setup_data/{number}/type", f"{kind:#x}\n")
            write(root, f"sys/kernel/boot_params/setup_data/{number}/data", data)


def make_nodes(root, lines):
    for line in lines:
        word, *rest = line.split()
        if word == "block":
            write(root, "sys/devices/system/memory/block_size_bytes",
                  f"{int(rest[0], 0):x}\n")
            continue
        for span in rest:
            first, _, last = span.partition("-")
            for block in range(int(first), int(last or first) + 1):
                os.makedirs(f"{root}/sys/devices/system/node/node{word[:-1]}/memory{block}")


def main():
    _, path, root = sys.argv
    parts = parts_of(path)
    for name, file in FILES.items():
        if name in parts:
            write(root, file, "\n".join(parts[name]) + "\n")
    if "memmap" in parts:
        make_memmap(root, parts["memmap"])
    if "boot" in parts:
        make_boot_params(root, parts["boot"], parts["memmap"])
    make_nodes(root, parts.get("nodes", []))


if __name__ == "__main__":
    main()
