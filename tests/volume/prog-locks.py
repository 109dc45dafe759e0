#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Locks of processes on two mounts of one volume, one line for each: what was
# tried and what came of it. Two file systems that mean the same give the same
# lines.
#
#     prog-locks.py DIRECTORY-OF-ONE-MOUNT DIRECTORY-OF-THE-OTHER
#
# Each actor is a process with one open file; it is told what to do through a
# pipe. Deliberately not here: signals that interrupt who waits (see
# prog-stress.sh), and what the lines must be, except that nobody waits for ever.
import errno
import fcntl
import os
import select
import signal
import struct
import sys

OFD_SETLK, OFD_SETLKW = 37, 38
KINDS = {"read": fcntl.F_RDLCK, "write": fcntl.F_WRLCK, "none": fcntl.F_UNLCK}


def flock64(kind, start, length):
    return struct.pack("hhqqi4x", KINDS[kind], os.SEEK_SET, start, length, 0)


class Actor:
    """A process with PATH open, that does as it is told."""

    def __init__(self, name, path):
        self.name = name
        here, there = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            # Nobody waits longer than that.
            signal.alarm(60)
            for other in Actor.all:
                other.hang_up()
            os.close(here[1])
            os.close(there[0])
            self.live(path, os.fdopen(here[0]), there[1])
            os._exit(0)
        os.close(here[0])
        os.close(there[1])
        self.orders, self.answers = here[1], os.fdopen(there[0])
        Actor.all.append(self)

    all = []

    def hang_up(self):
        os.close(self.orders)
        self.answers.close()

    def live(self, path, orders, answers):
        fd = os.open(path, os.O_RDWR)
        for line in orders:
            word = line.split()
            try:
                result = self.do(fd, *word)
            except OSError as err:
                result = errno.errorcode[err.errno]
            os.write(answers, f"{result}\n".encode())

    def do(self, fd, verb, *args):
        if verb in ("fcntl", "wait", "ofd", "ofdwait"):
            kind, start, length = args[0], int(args[1]), int(args[2])
            how = {"fcntl": fcntl.F_SETLK, "wait": fcntl.F_SETLKW,
                   "ofd": OFD_SETLK, "ofdwait": OFD_SETLKW}[verb]
            fcntl.fcntl(fd, how, flock64(kind, start, length))
        elif verb == "ask":
            data = fcntl.fcntl(fd, fcntl.F_GETLK, flock64(args[0], int(args[1]), int(args[2])))
            kind, _, start, length, _ = struct.unpack("hhqqi4x", data)
            name = [k for k in KINDS if KINDS[k] == kind][0]
            return name if name == "none" else f"{name} {start} {length}"
        elif verb in ("flock", "flockwait"):
            how = {"read": fcntl.LOCK_SH, "write": fcntl.LOCK_EX, "none": fcntl.LOCK_UN}[args[0]]
            fcntl.flock(fd, how | (fcntl.LOCK_NB if verb == "flock" else 0))
        elif verb == "put":
            os.pwrite(fd, b"x" * int(args[1]), int(args[0]))
            # write-behind has it otherwise, and the other mount is quicker.
            os.fsync(fd)
        elif verb == "size":
            return os.fstat(fd).st_size
        elif verb == "cut":
            os.ftruncate(fd, int(args[0]))
        elif verb == "again":
            # POSIX: a close of any descriptor of the file drops all its locks.
            os.close(os.open(f"/proc/self/fd/{fd}", os.O_RDONLY))
        return "done"

    def tell(self, order):
        os.write(self.orders, f"{order}\n".encode())

    def answer(self):
        return self.answers.readline().strip() or "died"

    def says(self, order):
        self.tell(order)
        print(f"{self.name}: {order:28} {self.answer()}")

    def end(self, how=None):
        if how:
            os.kill(self.pid, how)
        self.hang_up()
        Actor.all.remove(self)
        os.waitpid(self.pid, 0)


def waits(actor, order, holder, release):
    """ACTOR waits until HOLDER does RELEASE, and not longer."""
    actor.tell(order)
    holder.says("size")
    early = bool(select.select([actor.answers], [], [], 0.3)[0])
    print(f"{actor.name}: {order:28} {'does not wait' if early else 'waits'}")
    if callable(release):
        release()
        print(f"{holder.name}: is gone")
    else:
        holder.says(release)
    print(f"{actor.name}: {order:28} {actor.answer()}")


def scene(one, two, size):
    for place in (one, two):
        os.path.exists(os.path.join(place, "f"))
    with open(os.path.join(one, "f"), "wb") as f:
        f.write(b"y" * size)
    a = Actor("a", os.path.join(one, "f"))
    a2 = Actor("a2", os.path.join(one, "f"))
    b = Actor("b", os.path.join(two, "f"))
    print(f"---- {size} bytes")
    a.says("fcntl write 100 100")
    for who in (a2, b):
        who.says("fcntl write 150 10")
        who.says("fcntl read 199 1")
        who.says("ask read 0 0")
        who.says("fcntl write 200 100")
        who.says("fcntl none 200 100")
        who.says("fcntl write 0 100")
        who.says("fcntl none 0 100")
    a.says("fcntl none 120 10")
    b.says("fcntl write 120 10")
    b.says("fcntl write 119 1")
    b.says("fcntl none 0 0")
    a.says("fcntl read 0 0")
    b.says("fcntl read 500000 5")
    b.says("fcntl write 500000 5")
    a.says("fcntl none 0 0")
    b.says("fcntl none 0 0")
    # Locks stay while the file grows, is cut and gets another name.
    a.says("fcntl write 0 10")
    a.says("put 300000 5000")
    b.says("fcntl write 5 1")
    b.says("put 900000 5000")
    b.says("fcntl write 5 1")
    a.says("cut 10")
    b.says("fcntl write 5 1")
    os.rename(os.path.join(one, "f"), os.path.join(one, "g"))
    os.link(os.path.join(one, "g"), os.path.join(one, "f"))
    b.says("fcntl write 5 1")
    a.says("put 700000 5000")
    b.says("fcntl write 5 1")
    waits(b, "wait write 0 0", a, "fcntl none 0 0")
    waits(a, "wait read 7 1", b, "fcntl none 0 0")
    a.says("again")
    # write-behind answers a flush before the brick has it.
    b.says("wait write 0 0")
    b.says("fcntl none 0 0")
    # Locks of open file descriptions, and of whole files.
    a.says("ofd write 0 0")
    a2.says("ofd read 3 3")
    b.says("ofd read 3 3")
    b.says("fcntl read 3 3")
    waits(b, "ofdwait write 0 0", a, "ofd none 0 0")
    b.says("ofd none 0 0")
    a.says("flock read")
    b.says("flock read")
    a2.says("flock write")
    b.says("flock none")
    b.says("flock write")
    waits(b, "flockwait write", a, "flock none")
    a.says("flock read")
    waits(a, "flockwait read", b, "flock none")
    a.says("flock none")
    # Who ends, or is killed, has no lock any more.
    a.says("fcntl write 0 0")
    waits(b, "wait write 0 0", a, a.end)
    waits(a2, "wait write 0 0", b, lambda: b.end(signal.SIGKILL))
    b = Actor("b2", os.path.join(two, "f"))
    b.says("fcntl read 0 1")
    a2.end()
    b.says("wait write 0 0")
    b.end()
    os.unlink(os.path.join(one, "f"))
    os.unlink(os.path.join(one, "g"))


signal.alarm(100)
sys.stdout.reconfigure(line_buffering=True)
for bytes_ in (1000, 400000):
    scene(sys.argv[1], sys.argv[2], bytes_)
