#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Logs that are rotated by copy and truncate while somebody writes them.
#
#     append-rotate.py write FILE LOCK NAME COUNT SEED
#         COUNT records by one fd with O_APPEND, each in one call
#     append-rotate.py rotate FILE LOCK TIMES TARGET
#         FILE is copied to TARGET.0, TARGET.1, ... and cut to nothing
#     append-rotate.py check COUNT NAME,NAME... FILE...
#         what the files hold, one after the other: each record of each writer is
#         there once, whole, in its order, and there is nothing else
#
# A record: "NAME NUMBER LENGTH TEXT CRC32\n". LOCK is a local file; whoever writes
# or rotates has it for one call, or for copy and cut together: between these two
# whatever is appended would be lost on every file system. Deliberately not here:
# locks of the volume.
import fcntl
import os
import random
import sys
import time
import zlib


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
else:
    check(int(sys.argv[2]), sys.argv[3].split(","), sys.argv[4:])
