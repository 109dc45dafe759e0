#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# For glusterd-life.sh and glusterd-sets-life.sh: a client that never stops
# writing, and the check of all that it was told is written.
#
#   glusterd-life.py write MOUNT STATE FILE...
#   glusterd-life.py check MOUNT STATE SINCE [MISSING REPORT]
#
# write: until STATE/stop is there, ten rounds a second. In each: a record more at
# the end of each FILE, through one descriptor that is opened once, and fsync; a
# new file w/N; an older one of these is read back. The first FILE grows only once
# STATE/go is there. Content is a function of the number. Acknowledged numbers go
# to STATE/written and, of FILE, to STATE/FILE, a line each. A record that fails is
# written again at the same place until it succeeds. Lines of STATE/errors are
# "WHAT N ERRNO TIME|PHASE|PHASE", with the content of STATE/phase before and after the
# call; WHAT is FILE, new, read, or wrong: content that is not what was written.
#
# check: SINCE has lines "FILE N" and "written N": what stands in these lists from
# line N (0 is the first) on. Without MISSING and REPORT every byte must be there.
# With them names may be missing that MISSING lists (one path a line), and pieces of
# 32 KiB must fail with EIO exactly where the report (JSON) says that bytes are
# lost. Prints what is not so, and last how much was compared; exits 1 if anything
# is not so.
import errno
import json
import os
import random
import sys
import time

# In one write of the kernel's (128 KiB). Of two the first could not be written again
# while the second one's bytes in the same block are on a brick that is away.
RECORD = 120000
START = 50000
ROUND = 0.1
READ = 1 << 17
PIECE = 1 << 15


def content(kind, n):
    """Of record or file N: files of all sizes, a quarter fits into a base."""
    rng = random.Random("%s %d" % (kind, n))
    if kind == "record":
        return rng.randbytes(RECORD)
    return rng.randbytes(rng.randrange(60000) if n % 4 == 0 else rng.randrange(100000, 600000))


def now():
    """As GlusterFS's logs have it."""
    return time.strftime("%H:%M:%S", time.gmtime())


def lines(path):
    with open(path, encoding="ascii") as f:
        return f.read().split("\n")[:-1]


# ---- write ------------------------------------------------------------------


class Growing:
    """A file that is opened once."""

    def __init__(self, mount, state, name):
        self.name = name
        self.list = open("%s/%s" % (state, name), "a", encoding="ascii")
        self.next = 0
        self.fd = os.open(os.path.join(mount, name), os.O_WRONLY | os.O_CREAT)
        # performance/open-behind opens at the first use. If that fails, since
        # the volume is stopped just then, the descriptor is of no use any more.
        os.pwrite(self.fd, content("record", 0)[:START], 0)

    def put(self):
        data = content("record", self.next)
        done = 0
        while done < len(data):
            done += os.pwrite(self.fd, data[done:], self.next * RECORD + done)
        os.fsync(self.fd)
        return True


class Writer:
    def __init__(self, mount, state, names):
        self.mount = mount
        self.state = state
        self.errors = open(state + "/errors", "a", encoding="ascii")
        self.written = open(state + "/written", "a", encoding="ascii")
        self.growing = [Growing(mount, state, name) for name in names]
        self.next = 0
        self.closed = []

    def phase(self):
        with open(self.state + "/phase", encoding="ascii") as f:
            return f.read().strip()

    def attempt(self, what, n, call):
        """What the call returns; None, and a line, if it fails."""
        before = self.phase()
        try:
            return call()
        except OSError as e:
            name = errno.errorcode.get(e.errno, str(e.errno))
            self.errors.write("%s %d %s %s|%s|%s\n" % (what, n, name, now(), before, self.phase()))
            self.errors.flush()
            return None

    @staticmethod
    def note(to, n):
        to.write("%d\n" % n)
        to.flush()

    def put_file(self):
        fd = os.open("%s/w/%d" % (self.mount, self.next), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            data = content("file", self.next)
            done = 0
            while done < len(data):
                done += os.write(fd, data[done:])
        finally:
            os.close(fd)
        return True

    def get_file(self, n):
        with open("%s/w/%d" % (self.mount, n), "rb", buffering=0) as f:
            data = f.readall()
        if data != content("file", n):
            where = self.phase()
            self.errors.write("wrong %d %d %s|%s|%s\n" % (n, len(data), now(), where, where))
            self.errors.flush()
        return True

    def round(self):
        for g in self.growing:
            if g is self.growing[0] and not os.path.exists(self.state + "/go"):
                continue
            if self.attempt(g.name, g.next, g.put):
                self.note(g.list, g.next)
                g.next += 1
        if self.attempt("new", self.next, self.put_file):
            self.note(self.written, self.next)
            self.closed.append(self.next)
        # Its number is not used again: nobody knows what is under the name.
        self.next += 1
        if self.closed:
            n = random.choice(self.closed)
            self.attempt("read", n, lambda: self.get_file(n))

    def run(self):
        while not os.path.exists(self.state + "/stop"):
            start = time.monotonic()
            self.round()
            # The volume must stay small enough for a rebalance to end.
            time.sleep(max(0, start + ROUND - time.monotonic()))


# ---- check ------------------------------------------------------------------


def read_all(path, start, end):
    """Bytes [start, end) of a file as a list of (offset, bytes), None in place
    of bytes that gave EIO, and the file's size."""
    got = []
    fd = os.open(path, os.O_RDONLY)
    try:
        at = start
        while at < end:
            size = min(READ - at % READ, end - at)
            try:
                data = os.pread(fd, size, at)
                if not data:
                    break
                got.append((at, data))
                at += len(data)
                continue
            except OSError as e:
                if e.errno != errno.EIO:
                    raise
            # What comes before the bytes that are lost can be read.
            stop = min(at + PIECE, at + size)
            while at < stop:
                try:
                    data = os.pread(fd, stop - at, at)
                except OSError as e:
                    if e.errno != errno.EIO:
                        raise
                    data = None
                got.append((at, data))
                at = stop if data is None else at + len(data)
                if data == b"":
                    break
        return got, os.fstat(fd).st_size
    finally:
        os.close(fd)


class Check:
    def __init__(self, mount, missing, lost):
        self.mount = mount
        self.missing = missing
        self.lost = lost
        self.files = 0
        self.gone = 0
        self.damaged = 0
        self.bytes = 0
        self.bad = []

    def compare(self, name, start, want):
        """Bytes of the file from START on are WANT, or lost as reported."""
        try:
            got, size = read_all(os.path.join(self.mount, name), start, start + len(want))
        except OSError as e:
            if e.errno == errno.ENOENT and name in self.missing:
                self.gone += 1
            else:
                self.bad.append("%s: %s" % (name, e.strerror))
            return
        self.files += 1
        ranges = self.lost.get(name, [])
        self.damaged += any(data is None for _, data in got)
        at = start
        ends = [offset for offset, _ in got[1:]] + [start + len(want)]
        for (offset, data), end in zip(got, ends):
            # One that fails goes up to where the next one begins.
            length = len(data) if data is not None else end - offset
            lost = any(a < offset + length and offset < b for a, b in ranges)
            if data is None and not lost:
                self.bad.append("%s: EIO at %d, where nothing is lost" % (name, offset))
            elif data is not None and lost:
                self.bad.append("%s: bytes at %d, which are lost" % (name, offset))
            elif data is not None and data != want[offset - start : offset - start + length]:
                self.bad.append("%s: wrong bytes in %d to %d" % (name, offset, offset + length))
            at = offset + length
            self.bytes += length
        if at != start + len(want):
            self.bad.append("%s: ends at %d of %d %s, size %d" % (name, at, start + len(want), now(), size))


def check(mount, state, since, missing=None, report=None):
    lost = {}
    if report:
        with open(report, encoding="utf-8") as f:
            lost = {d["path"]: d["lost_ranges"] for d in json.load(f)["damaged_files"]}
    c = Check(mount, set(lines(missing)) if missing else set(), lost)
    for line in lines(since):
        name, first = line.split()
        numbers = [int(n) for n in lines("%s/%s" % (state, name))[int(first) :]]
        if name == "written":
            for n in numbers:
                c.compare("w/%d" % n, 0, content("file", n))
            continue
        # In stretches, so that little of it is in memory.
        for i in range(0, len(numbers), 20):
            part = numbers[i : i + 20]
            c.compare(name, part[0] * RECORD, b"".join(content("record", n) for n in part))
    for line in c.bad[:40]:
        print(line)
    print("%d files and stretches, %d bytes, %d damaged, %d names gone" % (c.files, c.bytes, c.damaged, c.gone))
    return 1 if c.bad or c.files == 0 else 0


if sys.argv[1] == "write":
    Writer(sys.argv[2], sys.argv[3], sys.argv[4:]).run()
else:
    sys.exit(check(*sys.argv[2:7]))
