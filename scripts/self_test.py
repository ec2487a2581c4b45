# SPDX-License-Identifier: GPL-2.0
"""The self-test of the scripts that compare a page with the sources.

Such a script is right only if it finds a difference, so the self-test makes differences: each
break changes a copy of one text, and at least one finding has to contain certain words.
"""
import re
import sys


def find_breaks(clean, breaks, findings):
    """End the program unless findings() finds each break.

    clean maps names to texts. A break is a name, a regular expression for a part of that text, the
    replacement of the part, and words of the expected finding. A finding may end findings().
    """
    program = sys.argv[0].rpartition("/")[2]
    for name, pattern, replacement, words in breaks:
        broken = dict(clean)
        broken[name], count = re.subn(pattern, replacement, clean[name])
        if not count:
            sys.exit(f"{program}: self-test: {name} has no {pattern}")
        try:
            found = list(findings(broken))
        except SystemExit as error:
            found = [str(error)]
        if not any(words in finding for finding in found):
            sys.exit(f"{program}: self-test: nothing is found after {pattern} -> {replacement}")
