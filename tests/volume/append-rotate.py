#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Logs that are rotated by copy and truncate while somebody writes them.
#
#     append-rotate.py write FILE LOCK NAME COUNT SEED
#         COUNT records by one fd with O_APPEND, each in one call
#     append-rotate.py rotate FILE LOCK TIMES TARGET
#         FILE is copied to TARGET.0, TARGET.1, ... and cut to nothing
#     append-rotate.py race FILE STOP NAME SEED
#         as write, without LOCK, until there is a file STOP; then LAST records more
#     append-rotate.py cut FILE STOP TIMES NAME,NAME... [VOLFILE]
#         FILE is looked at and cut to nothing beside them, by name, by an fd, by
#         O_TRUNC in turn, the last with VOLFILE through libgfapi; then STOP is made
#     append-rotate.py whole NAME,NAME... FILE
#         FILE ends with the LAST records of each, and is of whole records only
#     append-rotate.py check COUNT NAME,NAME... FILE...
#         what the files hold, one after the other: each record of each writer is
#         there once, whole, in its order, and there is nothing else
#
# A record: "NAME NUMBER LENGTH TEXT CRC32\n". LOCK is a local file; whoever writes
# or rotates has it for one call, or for copy and cut together: between these two
# whatever is appended would be lost on every file system. Deliberately not here:
# locks of the volume. A record of race is of at most 1500 bytes, and who is not told to
# end waits while there are ROOM bytes: so a file stays within an inline-limit of 64 KiB.
import ctypes
import fcntl
import os
import random
import sys
import time
import zlib

LAST = 3
ROOM = 40000


def record(name, number, length):
    text = random.Random("%s %d" % (name, number)).choices("abcdefghijklmnop", k=length)
    body = "%s %d %d %s" % (name, number, length, "".join(text))
    return ("%s %08x\n" % (body, zlib.crc32(body.encode()))).encode()


def write(path, lock, name, count, seed):
    lengths = random.Random(seed)
    fd = os.open(path, os.O_WRONLY | os.O_APPEND)
    with open(lock, "wb") as held:
        for number in range(count):
            data = record(name, number, lengths.choice([10, 700, 1500, 9000, 30000]))
            fcntl.flock(held, fcntl.LOCK_EX)
            done = os.write(fd, data)
            fcntl.flock(held, fcntl.LOCK_UN)
            if done != len(data):
                sys.exit("%s %d: %d of %d bytes" % (name, number, done, len(data)))
    os.close(fd)


def rotate(path, lock, times, target):
    with open(lock, "wb") as held:
        for number in range(times):
            # Not before there is something.
            end = time.monotonic() + 30
            while os.stat(path).st_size < 40000 and time.monotonic() < end:
                time.sleep(0.01)
            fcntl.flock(held, fcntl.LOCK_EX)
            with open(path, "rb") as source, open("%s.%d" % (target, number), "wb") as copy:
                size = os.fstat(source.fileno()).st_size
                data = source.read()
                copy.write(data)
            if len(data) != size:
                sys.exit("rotation %d: %d of %d bytes" % (number, len(data), size))
            os.truncate(path, 0)
            fcntl.flock(held, fcntl.LOCK_UN)


def race(path, stop, name, seed):
    lengths = random.Random(seed)
    fd = os.open(path, os.O_WRONLY | os.O_APPEND)
    number = last = 0
    while last < LAST:
        if os.path.exists(stop):
            last += 1
        elif os.fstat(fd).st_size > ROOM:
            time.sleep(0.01)
            continue
        data = record(name, number, lengths.choice([1, 10, 300, 700, 1400]))
        number += 1
        done = os.write(fd, data)
        if done != len(data):
            sys.exit("%s %d: %d of %d bytes" % (name, number, done, len(data)))
    os.close(fd)
    print("%d records" % number)


class Gfapi:
    """O_TRUNC as one call with the open, which FUSE makes two of."""

    def __init__(self, volfile):
        self.lib = ctypes.CDLL("libgfapi.so.0", use_errno=True)
        self.lib.glfs_new.restype = self.lib.glfs_open.restype = ctypes.c_void_p
        self.fs = ctypes.c_void_p(self.lib.glfs_new(b"allot"))
        self.lib.glfs_set_volfile(self.fs, volfile.encode())
        self.lib.glfs_set_logging(self.fs, b"/dev/null", 4)
        if self.lib.glfs_init(self.fs):
            sys.exit("libgfapi: errno %d" % ctypes.get_errno())

    def truncate(self, name):
        fd = self.lib.glfs_open(self.fs, name.encode(), os.O_WRONLY | os.O_TRUNC)
        if not fd or self.lib.glfs_close(ctypes.c_void_p(fd)):
            sys.exit("libgfapi, O_TRUNC: errno %d" % ctypes.get_errno())


def cut(path, stop, times, names, volfile=None):
    gfapi = Gfapi(volfile) if volfile else None
    fd = os.open(path, os.O_RDWR)
    bytes_seen = 0
    for number in range(times):
        end = time.monotonic() + 30
        while os.fstat(fd).st_size < 1000 and time.monotonic() < end:
            time.sleep(0.001)
        # In one call: it has what was there at one moment.
        data = os.pread(fd, 2 * ROOM, 0)
        bytes_seen += len(data)
        look(data, names, "before cut %d" % number)
        if number % 3 == 0:
            os.truncate(path, 0)
        elif number % 3 == 1:
            os.ftruncate(fd, 0)
        elif gfapi:
            gfapi.truncate("/" + os.path.basename(path))
        else:
            os.close(os.open(path, os.O_WRONLY | os.O_TRUNC))
    # While libgfapi's threads are there to give back a lock that this waits for.
    os.close(fd)
    open(stop, "w").close()
    print("%d cuts, %d bytes seen" % (times, bytes_seen))
    sys.stdout.flush()
    os._exit(0)  # libgfapi's threads are not waited for


def look(data, names, what):
    """Whole records only, of each writer in their order. Returns the numbers of each."""
    seen = {name: [] for name in names}
    if data and not data.endswith(b"\n"):
        sys.exit("%s: ends within a record: %r" % (what, data[-80:]))
    for at, line in enumerate(data.split(b"\n")[:-1]):
        word = line.split(b" ")
        name = word[0].decode(errors="replace")
        if name not in seen or len(word) != 5:
            sys.exit("%s, line %d: no record: %r" % (what, at, line[:80]))
        if line + b"\n" != record(name, int(word[1]), int(word[2])):
            sys.exit("%s, line %d: torn: %r" % (what, at, line[:80]))
        if seen[name] and seen[name][-1] >= int(word[1]):
            sys.exit("%s, line %d: %s after %d" % (what, at, word[1], seen[name][-1]))
        seen[name].append(int(word[1]))
    return seen


def whole(names, path):
    with open(path, "rb") as file:
        seen = look(file.read(), names, path)
    for name in names:
        last = seen[name][-LAST:]
        if len(last) < LAST or last[-1] - last[0] != LAST - 1:
            sys.exit("%s: the last records of %s: %s" % (path, name, last))


def check(count, names, paths):
    seen = {name: 0 for name in names}
    for path in paths:
        with open(path, "rb") as file:
            data = file.read()
        if data and not data.endswith(b"\n"):
            sys.exit("%s: ends within a record" % path)
        for at, line in enumerate(data.split(b"\n")[:-1]):
            word = line.split(b" ")
            name = word[0].decode(errors="replace")
            if name not in seen or len(word) != 5:
                sys.exit("%s, line %d: no record: %r" % (path, at, line[:80]))
            if line + b"\n" != record(name, seen[name], int(word[2])):
                sys.exit("%s, line %d: not record %d of %s: %r" % (path, at, seen[name], name, line[:80]))
            seen[name] += 1
    if set(seen.values()) != {count}:
        sys.exit("records: %s" % seen)


if sys.argv[1] == "write":
    write(sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]), sys.argv[6])
elif sys.argv[1] == "rotate":
    rotate(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
elif sys.argv[1] == "race":
    race(*sys.argv[2:6])
elif sys.argv[1] == "cut":
    cut(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5].split(","), *sys.argv[6:])
elif sys.argv[1] == "whole":
    whole(sys.argv[2].split(","), sys.argv[3])
else:
    check(int(sys.argv[2]), sys.argv[3].split(","), sys.argv[4:])
