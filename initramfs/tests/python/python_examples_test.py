#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The examples of the Python module work: each succeeds, prints something, and gives back."""
# Machine: python: needs Python in the guest
import os
import subprocess
import sys

import device_case

# where the guest of `make test-python` has them
EXAMPLES = os.environ.get("TMM_EXAMPLES", "/share/examples/python")


class ExampleTest(device_case.DeviceCase):
    """Has a case for each example."""


def make_case(name):
    def run(self):
        self.client.close()
        done = subprocess.run([sys.executable, "-X", "dev", os.path.join(EXAMPLES, name)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in (done.stdout + done.stderr).splitlines():
            print(f"# {line}")
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertNotEqual("", done.stdout)
        self.assertBack()
    return run


for file in sorted(os.listdir(EXAMPLES)):
    setattr(ExampleTest, f"test_{file.removesuffix('.py')}", make_case(file))


if __name__ == "__main__":
    device_case.main()
