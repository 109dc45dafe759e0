#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# For report-terminal.sh: runs a command on a terminal of its own.
#
#   terminal.py [OPTION...] LOG COMMAND...
#     --on FDS          the descriptors that are the terminal: 12 by default
#     --hang-up GLOB    the terminal goes away as soon as a file of that name is there
#     --ignore          the command begins with SIGHUP ignored, as below nohup
#     --screen          LOG is what is on the screen at the end, not what was written
#
# Its exit status is the command's, 128 and the signal if one ended it, 99 if it
# took more than a minute.
import fcntl
import glob
import os
import select
import signal
import sys
import termios
import time

args = sys.argv[1:]
on, hang_up, ignore, screen = "12", None, False, False
while args[0].startswith("--"):
    option = args.pop(0)
    if option == "--on":
        on = args.pop(0)
    elif option == "--hang-up":
        hang_up = args.pop(0)
    elif option == "--ignore":
        ignore = True
    elif option == "--screen":
        screen = True
    else:
        sys.exit("terminal.py: " + option)
log, command = args[0], args[1:]


def shown(text):
    """The lines of a screen that is wide enough: CR, LF and "erase to the end"."""
    lines, line, at = [], "", 0
    i = 0
    while i < len(text):
        c = text[i]
        i += 1
        if c == "\r":
            at = 0
        elif c == "\n":
            lines.append(line)
            line, at = "", 0
        elif text.startswith("\033[K", i - 1):
            line = line[:at]
            i += 2
        else:
            line = line[:at] + c + line[at + 1:]
            at += 1
    return "\n".join(line.rstrip() for line in lines + ([line] if line else []))


master, slave = os.openpty()
begun, begin = os.pipe()  # closed by exec
child = os.fork()
if child == 0:
    os.close(master)
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in on:
        os.dup2(slave, int(fd))
    os.close(slave)
    signal.signal(signal.SIGHUP, signal.SIG_IGN if ignore else signal.SIG_DFL)
    os.execvp(command[0], command)
os.close(slave)
os.close(begin)
os.read(begun, 1)

written = b""
end = time.monotonic() + 60
status = None
while status is None:
    if time.monotonic() > end:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        sys.exit(99)
    if master >= 0 and hang_up and glob.glob(hang_up):
        os.close(master)
        master = -1
    # What it has written is read after its end, too.
    pid, got = os.waitpid(child, os.WNOHANG)
    if pid:
        status = got
    while master >= 0 and select.select([master], [], [], 0.01)[0]:
        try:
            part = os.read(master, 65536)
        except OSError:  # nobody has it open any more
            break
        if not part:
            break
        written += part
    if master < 0:
        select.select([], [], [], 0.01)

text = written.decode("utf-8", "replace")
with open(log, "w") as f:
    f.write(shown(text) + "\n" if screen else text)
sys.exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status)
         else os.WEXITSTATUS(status))
