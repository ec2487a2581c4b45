# SPDX-License-Identifier: GPL-2.0
"""The functions and variables that a guest has printed, with tmm.bench_symbols=yes."""

import base64
import bisect
import gzip
import re

import bench
import ktap

MODULE = "[theseus_mm]"


class Symbols:
    """Names by address. Code that a patch has replaced (a static key) belongs to its function."""

    def __init__(self, text):
        found = {}
        for line in text.splitlines():
            address, *name = line.split()
            found.setdefault(int(address, 16), " ".join(name))
        self.addresses = sorted(found)
        self.names = [found[address] for address in self.addresses]

    def find(self, address):
        """Returns the name of the last symbol at or below an address, and the symbol's address."""
        k = bisect.bisect_right(self.addresses, address) - 1
        return self.names[k], self.addresses[k]

    def is_of_module(self, address):
        return self.find(address)[0].endswith(MODULE)


def read(directory):
    result = ktap.read(directory, "result.log").replace("\r", "")
    match = re.search(r"^SYMBOLS begin\n(.*?)^SYMBOLS end$", result, re.M | re.S)
    if not match:
        raise bench.BadLog("the guest has not printed its functions")
    return Symbols(gzip.decompress(base64.b64decode(match.group(1))).decode())
