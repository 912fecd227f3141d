"""Presses TAB in psql under a pseudo-terminal: the first argument is what is typed before it; prints what the screen shows."""

import os
import pty
import select
import sys
import time

typed, where = sys.argv[1], sys.argv[2]
pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(TERM="dumb", PAGER="cat", INPUTRC="/dev/null")
    os.execvp("psql", ["psql", "-X", where])

screen = b""


def read(until, seconds=20.0):
    """Reads until the screen ends as given, or nothing came for long."""
    global screen
    end = time.monotonic() + seconds
    while time.monotonic() < end and not until():
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                screen += os.read(terminal, 65536)
            except OSError:
                return


read(lambda: screen.endswith((b"=> ", b"=# ")))
seen = len(screen)
os.write(terminal, typed.encode() + b"\t")
read(lambda: len(screen) > seen + len(typed), 10.0)
# Ctrl-U takes the line back.
os.write(terminal, b"\x15\\echo done-$$\n")
read(lambda: b"\ndone-$$" in screen)
os.write(terminal, b"\\q\n")
read(lambda: False, 1.0)
sys.stdout.write(screen[seen:].decode(errors="replace"))
