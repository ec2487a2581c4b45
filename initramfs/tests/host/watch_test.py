#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: watch_test.py TMM TERM|INT|HUP|q

Runs `TMM map --watch` on a pseudo-terminal, resizes the terminal, ends TMM, and checks that
the screen, the cursor and the keys of the terminal are restored.
"""
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
import fcntl


def resize(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def read_for(fd, seconds, until=None):
    """Return the output of that time, or the output up to the text UNTIL."""
    data = b""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not (until and until in data):
        if select.select([fd], [], [], 0.05)[0]:
            try:
                data += os.read(fd, 65536)
            except OSError:
                break
    return data


def lines_of(picture):
    plain = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", picture).decode()
    return plain.replace("\r", "").split("\n")


def is_within(lines, rows, columns):
    return len(lines) <= rows and max(map(len, lines)) <= columns


def wait_for_picture(fd, rows, columns):
    """Wait up to 20 seconds for a picture that is no larger than the screen."""
    data = b""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        data += read_for(fd, end - time.monotonic(), b"\x1b[J")
        pictures, _, data = data.rpartition(b"\x1b[J")
        if pictures and is_within(lines_of(pictures.split(b"\x1b[H")[-1]), rows, columns):
            return True
    return False


def main():
    tmm, how = sys.argv[1:]
    main_fd, user_fd = pty.openpty()
    resize(main_fd, 30, 90)
    before = termios.tcgetattr(user_fd)
    pid = os.fork()
    if not pid:
        os.setsid()
        fcntl.ioctl(user_fd, termios.TIOCSCTTY, 0)
        for fd in range(3):
            os.dup2(user_fd, fd)
        # nohup and background jobs ignore some signals, which tmm then ignores too
        for name in ("TERM", "INT", "HUP"):
            signal.signal(getattr(signal, "SIG" + name), signal.SIG_DFL)
        os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8")
        os.execv(tmm, ["tmm", "map", "--watch=0.2"])
    seen = read_for(main_fd, 20, b"\x1b[J")
    assert b"\x1b[?1049h" in seen and b"\x1b[?25l" in seen, "no screen of its own"
    first = lines_of(seen.split(b"\x1b[H")[1].split(b"\x1b[J")[0])
    assert is_within(first, 30, 90), "larger than the screen"
    assert not is_within(first, 40, 60), "not as wide as the screen"
    resize(main_fd, 40, 60)
    assert wait_for_picture(main_fd, 40, 60), "not resized"
    if how == "q":
        os.write(main_fd, b"q")
    else:
        os.kill(pid, getattr(signal, "SIG" + how))
    seen = read_for(main_fd, 20, b"\x1b[?1049l")
    assert b"\x1b[?25h" in seen and b"\x1b[?1049l" in seen, "the screen was not restored"
    _, status = os.waitpid(pid, 0)
    if how in ("q", "INT"):
        assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0, f"status {status:#x}"
    else:
        assert os.WIFSIGNALED(status), f"status {status:#x}"
        assert os.WTERMSIG(status) == getattr(signal, "SIG" + how)
    assert termios.tcgetattr(user_fd) == before, "the keys were not restored"


main()
