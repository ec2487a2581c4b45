# SPDX-License-Identifier: GPL-2.0
"""What the tests of the Python module on the device share: cases, children, and KTAP."""
import errno
import gc
import os
import sys
import time
import traceback
import unittest

import theseus_mm
from child import run_in_child

COUNTS = ("frames_free", "pages_free", "nr_mappings", "nr_clients", "client_handles")


class DeviceCase(unittest.TestCase):
    """A case with a client; everything is back when the case ends."""

    def setUp(self):
        gc.collect()
        self.descriptors = set(os.listdir("/proc/self/fd"))
        self.look = theseus_mm.Client()
        self.before = self.counts()
        self.client = theseus_mm.Client()

    def tearDown(self):
        self.client.close()
        del self.client
        gc.collect()
        self.assertBack()
        self.look.close()
        self.assertEqual(self.descriptors, set(os.listdir("/proc/self/fd")))

    def counts(self):
        info = self.look.info()
        return {name: getattr(info, name) for name in COUNTS}

    def assertBack(self):
        """Wait up to two seconds, since the kernel may still end a process or a file."""
        end = time.monotonic() + 2
        while self.counts() != self.before and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(self.before, self.counts())

    def refused(self, number, text=""):
        """Return a context in which an OSError with this errno and text must be raised."""
        context = self.assertRaises(OSError)
        case = self

        class Refused:
            def __enter__(self):
                return context.__enter__()

            def __exit__(self, kind, error, trace):
                caught = context.__exit__(kind, error, trace)
                if caught:
                    case.assertEqual(errno.errorcode[number], errno.errorcode[error.errno],
                                     str(error))
                    case.assertIn(text, str(error))
                return caught

        return Refused()

    def in_child(self, action):
        return run_in_child(action)


class KtapResult(unittest.TestResult):
    """Prints a line for each case, as kselftest does."""

    def __init__(self):
        super().__init__()
        self.nr = 0

    def startTest(self, test):
        super().startTest(test)
        self.word, self.remark = "ok", ""

    def stopTest(self, test):
        # a case whose end fails too still has one line
        super().stopTest(test)
        self.nr += 1
        name = test.id().partition(".")[2]
        print(f"{self.word} {self.nr} {name}{self.remark}", flush=True)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.show_failure(error)

    def addError(self, test, error):
        super().addError(test, error)
        self.show_failure(error)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.remark = f" # SKIP {reason}"

    def show_failure(self, error):
        self.word = "not ok"
        for line in "".join(traceback.format_exception(*error)).splitlines():
            print(f"# {line}")


def main():
    """Run the cases of the program."""
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    print(f"TAP version 13\n1..{suite.countTestCases()}", flush=True)
    result = KtapResult()
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)
