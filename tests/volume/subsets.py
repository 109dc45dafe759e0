#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# For subsets.sh: takes bricks of a mounted one-process volume away (switch.c),
# every subset of at most MOST of N, each once, neighbours being alike; and
# compares what `allot report --json` says with what reading every file returns:
# the failed ranges byte for byte, counts and sums, and the content of the rest.
# Prints a line for each subset that differs, and at the end how many were
# compared; exits 1 if one differs. How many blocks and bytes of each file, and of
# each brick, are unavailable or lost, is computed from the layouts: GONE is a brick
# whose portions were all removed.
#
#   subsets.py ALLOT MOUNT ORIGINALS SWITCHES N MOST [GONE]
import itertools
import json
import os
import subprocess
import sys
import time

allot, mount, originals, switches = sys.argv[1:5]
bricks, most = int(sys.argv[5]), int(sys.argv[6])
gone = int(sys.argv[7]) if len(sys.argv) > 7 else None
STEP = 4096


def subsets():
    """In the order of the reflected Gray code: neighbours differ by little."""
    for i in range(1 << bricks):
        mask = i ^ (i >> 1)
        if bin(mask).count("1") <= most:
            yield mask


def run(*args):
    return subprocess.run([allot, *args], stdout=subprocess.PIPE, timeout=120)


def switch(mask, now):
    for i in range(bricks):
        path = os.path.join(switches, str(i))
        if mask >> i & 1 and not now >> i & 1:
            open(path, "w").close()
        elif now >> i & 1 and not mask >> i & 1:
            os.unlink(path)
    want = ["down" if mask >> i & 1 else "up" for i in range(bricks)]
    for _ in range(3000):
        doc = json.loads(os.getxattr(mount, "glusterfs.allot.status"))
        if [b["state"] for b in doc["bricks"]][:bricks] == want:
            return
        time.sleep(0.005)
    sys.exit("the bricks do not follow the switches: " + bin(mask))


def reads(fd, start, end, original):
    """Can the bytes be read? They must be right then."""
    try:
        data = os.pread(fd, end - start, start)
    except OSError as e:
        if e.errno != 5:
            raise
        return False
    if data != original[start:end]:
        raise ValueError("wrong bytes at %d" % start)
    return True


def bad_part(fd, start, end, original):
    """Of a piece that cannot be read in one: the part that cannot. A piece is
    shorter than a block, so that it meets at most one border."""
    first = reads(fd, start, start + 1, original)
    last = reads(fd, end - 1, end, original)
    if first == last:
        return [start, end]
    low, high = start, end - 1
    while high - low > 1:
        middle = (low + high) // 2
        if reads(fd, middle, middle + 1, original) == first:
            low = middle
        else:
            high = middle
    if first:
        good, bad = (start, high), [high, end]
    else:
        good, bad = (high, end), [start, high]
    if not reads(fd, *good, original):
        raise ValueError("more than one border in [%d, %d)" % (start, end))
    return bad


def read_back(path, original):
    """The ranges that give EIO, merged; raises if another byte is wrong."""
    bad = []
    fd = os.open(path, os.O_RDONLY)
    try:
        for start in range(0, len(original), STEP):
            end = min(start + STEP, len(original))
            if reads(fd, start, end, original):
                continue
            piece = bad_part(fd, start, end, original)
            if bad and bad[-1][1] == piece[0]:
                bad[-1][1] = piece[1]
            else:
                bad.append(piece)
    finally:
        os.close(fd)
    return bad


def blocks_of(name, names):
    """Of each block of a file: its range, and what of it is where, as a list of
    [start, end, brick number or None]."""
    doc = json.loads(run("layout", os.path.join(mount, name), "--json",
                         "--blocks").stdout)
    size, extents = doc["size"], doc["extents"]
    borders = {0, size}
    for i, e in enumerate(extents):
        stop = extents[i + 1]["start"] if i + 1 < len(extents) else size
        step = e["block_size"]
        borders.update(range(-(-e["start"] // step) * step,
                             min(stop, size), step))
        borders.add(min(stop, size))
        # Inline bytes belong to block 0.
        if i:
            borders.add(min(e["start"], size))
    borders = sorted(borders)
    for start, end in zip(borders, borders[1:]):
        yield start, end, [
            [max(start, a), min(end, b), None if n is None else names[n]]
            for a, b, n in doc["blocks"] if a < end and b > start]


def fate(mask, brick):
    """How what is on a brick counts."""
    if brick is None:
        return None
    if mask >> brick & 1:
        return "unavailable"
    return "lost" if brick == gone else None


def add(counts, key, blocks, bytes_):
    have = counts.setdefault(key, [0, 0])
    have[0] += blocks
    have[1] += bytes_


def expected(mask, layout):
    """[blocks, bytes] of a file that are unavailable and lost, and the same for
    each brick."""
    of_file, of_brick = {}, {}
    for _, _, parts in layout:
        for start, end, brick in parts:
            how = fate(mask, brick)
            if how:
                add(of_file, how, 1, end - start)
                add(of_brick, (brick, how), 1, end - start)
    return of_file, of_brick


def check_counts(what, entry, counts):
    for how in ("unavailable", "lost"):
        told = [entry["blocks"][how], entry["bytes"][how]]
        want = counts.get(how, [0, 0])
        if told != want:
            raise ValueError("%s, %s: told %s, by the layout %s" % (
                what, how, told, want))


def check_layouts(mask, doc, layouts):
    told = {d["path"]: d for d in doc["damaged_files"]}
    sums = {}
    for name, layout in layouts.items():
        of_file, of_brick = expected(mask, layout)
        if bool(of_file) != (name in told):
            raise ValueError("%s is%s listed" % (
                name, "" if name in told else " not"))
        if of_file:
            check_counts(name, told[name], of_file)
        for key, (blocks, bytes_) in of_brick.items():
            add(sums, key, blocks, bytes_)
    for x in doc["bricks"]:
        check_counts("brick %d" % x["index"], x, {
            how: sums.pop((x["index"], how), [0, 0])
            for how in ("unavailable", "lost")})
    if sums:
        raise ValueError("bricks that are not told of: %s" % sums)


def compare(mask, files, layouts):
    out = run("report", mount, "--json")
    doc = json.loads(out.stdout)
    told = {d["path"]: d for d in doc["damaged_files"]}
    failed = intact = unreadable = failed_blocks = 0
    for name, original in files.items():
        bad = read_back(os.path.join(mount, name), original)
        here = told[name]["lost_ranges"] if name in told else []
        if bad != here:
            raise ValueError("%s: told %s, read %s" % (name, here, bad))
        lost = sum(b - a for a, b in bad)
        failed += lost
        intact += lost == 0
        unreadable += lost > 0 and lost == len(original)
        failed_blocks += sum(any(s < y and e > x for x, y in bad)
                             for s, e, _ in layouts[name])
    n, b, f = doc["blocks"], doc["bytes"], doc["files"]
    want = (failed, failed_blocks, len(files), intact,
            len(files) - intact - unreadable, unreadable)
    have = (b["failed"], n["failed"], f["total"], f["intact"],
            f["damaged"], f["unreadable"])
    if want != have:
        raise ValueError("sums: told %s, read %s" % (have, want))
    for c in (n, b):
        if c["failed"] != c["unavailable"] + c["lost"] or \
                (c["lost"] and gone is None) or \
                c["total"] - c["failed"] != c["recoverable"]:
            raise ValueError("counts do not add up: %s" % c)
    if sum(x["bytes"]["failed"] for x in doc["bricks"]) != b["failed"]:
        raise ValueError("the bricks' sums are not the volume's")
    if not doc["exact"]:
        raise ValueError("not exact: %s" % doc["inexact_because"])
    if out.returncode != (1 if failed else 0):
        raise ValueError("exit status %d" % out.returncode)
    check_layouts(mask, doc, layouts)


def main():
    files = {}
    for top, _, names in os.walk(originals):
        for name in names:
            path = os.path.join(top, name)
            with open(path, "rb") as f:
                files[os.path.relpath(path, originals)] = f.read()
    status = json.loads(os.getxattr(mount, "glusterfs.allot.status"))
    names = {b["name"]: b["index"] for b in status["bricks"]}
    layouts = {name: list(blocks_of(name, names)) for name in files}
    now = compared = differ = 0
    for mask in subsets():
        switch(mask, now)
        now = mask
        compared += 1
        try:
            compare(mask, files, layouts)
        except (ValueError, OSError) as e:
            differ += 1
            print("bricks %s away: %s" % (
                [i for i in range(bricks) if mask >> i & 1], e))
    switch(0, now)
    print(compared, "subsets")
    sys.exit(1 if differ else 0)


main()
