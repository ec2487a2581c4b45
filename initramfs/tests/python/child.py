# SPDX-License-Identifier: GPL-2.0
"""Child processes of the tests of the Python module, on the device and on the host."""
import os
import traceback


def run_in_child(action):
    """Return the exit code of a child process that runs the action; 0 if it succeeds."""
    child = os.fork()
    if not child:
        try:
            action()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
