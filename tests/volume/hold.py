#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# One open file, and what each call on it ends in.
#
#     hold.py FILE [append] [sync] < COMMANDS
#
# A command is a line: "write FILE [AT]" (its bytes, in one call; without AT where
# the fd stands), "fsync", "close", "hole AT" (the next one), "size N", "end". Each is
# answered by a line: "ok", a short count, or the name of an errno. Deliberately not
# here: what the answer should be.
import errno
import fcntl
import os
import sys

flags = os.O_RDWR | os.O_CREAT
for word in sys.argv[2:]:
    flags |= {"append": os.O_APPEND, "sync": os.O_SYNC}[word]
fd = os.open(sys.argv[1], flags, 0o644)
print("ok", flush=True)
for line in sys.stdin:
    word = line.split()
    if word[0] == "end":
        break
    try:
        answer = "ok"
        if word[0] == "write":
            with open(word[1], "rb") as source:
                data = source.read()
            if len(word) > 2:
                done = os.pwrite(fd, data, int(word[2]))
            else:
                done = os.write(fd, data)
            if done != len(data):
                answer = str(done)
        elif word[0] == "hole":
            os.lseek(fd, int(word[1]), os.SEEK_HOLE)
        elif word[0] == "size":
            os.ftruncate(fd, int(word[1]))
        elif word[0] == "lock":
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif word[0] == "fsync":
            os.fsync(fd)
        else:
            os.close(fd)
    except OSError as error:
        answer = errno.errorcode[error.errno]
    print(answer, flush=True)
