#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 25
# The numbers of `allot report`, one by one: known holes of files that were written
# and punched at random, counted apart, block by block and byte by byte, as a table
# in memory has them; bytes of each damaged file; and a size that is not settled while
# a brick is away, which makes the report not exact, for as long as that is so.
# shellcheck source=fail-lib.sh
. "$(dirname "$0")/fail-lib.sh"

SEED=${ALLOT_SEED:-$RANDOM}
note "repeat with ALLOT_SEED=$SEED"

bricks_make 4 512M
volume_make net-4 --block-size 64KB --option 'c*:ping-timeout=5'
volume_start
must_mount m
report() { # report NAME STATUS ARG...
    allot_json "$1" "$2" report "${@:3}"
}

# ---- known holes ------------------------------------------------------------

# Each file alone in a directory, so that --depth 1 has the counts of each. The table
# is one of the file's blocks; a block is data if a byte of it was written since it
# was last punched out as a whole.
python3 - "$M" "$SEED" >"$T/table.json" <<'PY'
import ctypes, json, os, random, sys
mount, seed = sys.argv[1], int(sys.argv[2])
random.seed(seed)
libc = ctypes.CDLL(None, use_errno=True)
B = 65536
table = {}
for number in range(24):
    name = "f%02d" % number
    os.mkdir(os.path.join(mount, name))
    fd = os.open(os.path.join(mount, name, "file"), os.O_RDWR | os.O_CREAT, 0o644)
    blocks = random.randint(1, 60)
    # What is left over is half a block or more: of less a hole need not be known.
    size = blocks * B + (random.randint(B // 2, B - 1) if number % 3 == 0 else 0)
    os.ftruncate(fd, size)
    data = set()
    for _ in range(random.randint(0, 12)):
        at = random.randrange(size)
        length = min(size - at, random.choice((1, 100, B, 3 * B)))
        os.pwrite(fd, os.urandom(length), at)
        data.update(range(at // B, (at + length - 1) // B + 1))
    if number % 2:
        first = random.randrange(blocks)
        count = random.randint(1, 5)
        # 3: FALLOC_FL_KEEP_SIZE and FALLOC_FL_PUNCH_HOLE
        if libc.fallocate(fd, 3, ctypes.c_long(first * B), ctypes.c_long(count * B)):
            sys.exit("fallocate: " + os.strerror(ctypes.get_errno()))
        data.difference_update(range(first, first + count))
    os.close(fd)
    all_blocks = -(-size // B)
    length = lambda i: min(size, (i + 1) * B) - i * B
    table[name] = {
        "blocks": [len(data), all_blocks - len(data)],
        "bytes": [sum(map(length, data)), size - sum(map(length, data))]}
# All of a file, whose last block ends within a block of the brick's file system, and
# more, is punched out: nothing of it is data.
os.mkdir(os.path.join(mount, "all"))
fd = os.open(os.path.join(mount, "all", "file"), os.O_RDWR | os.O_CREAT, 0o644)
os.pwrite(fd, b"a" * (B + 41459), 0)
if libc.fallocate(fd, 3, ctypes.c_long(0), ctypes.c_long(5 * B)):
    sys.exit("fallocate: " + os.strerror(ctypes.get_errno()))
os.close(fd)
table["all"] = {"blocks": [0, 2], "bytes": [0, B + 41459]}
json.dump(table, sys.stdout)
PY
must test -s "$T/table.json"
report holes 0 "$M" --depth 1
is "each file's data and holes, in blocks and in bytes" \
    "$(jq -cS '[.directories[] | select(.path != "") | {(.path): {
        blocks: [.blocks.total, .blocks.holes], bytes: [.bytes.total, .bytes.holes]}}] | add' "$T/holes.json")" \
    "$(jq -cS . "$T/table.json")"
ok "there are holes, and data" jq -e '[.[].blocks[1]] | add > 100' "$T/table.json"
is_j "the sums are those" holes '[.blocks.total, .blocks.holes, .bytes.total, .bytes.holes]' \
    "$(jq -c '[([.[].blocks[0]] | add), ([.[].blocks[1]] | add), ([.[].bytes[0]] | add), ([.[].bytes[1]] | add)]' "$T/table.json")"
is_j "and, nothing being inline, those of the bricks" holes \
    '([.bricks[].blocks.holes] | add) == .blocks.holes and ([.bricks[].bytes.total] | add) == .bytes.total' true
is_j "a hole is neither failed nor recoverable" holes '[.blocks.failed, .blocks.recoverable == .blocks.total]' '[0,true]'
is_j "that is exact" holes '[.exact, .inexact_because]' '[true,[]]'

# ---- each damaged file in bytes -----------------------------------------------

for f in 100 65536 400000 1000000; do
    noise $f >"$T/noise"
    must cp "$T/noise" "$M/n$f"
done
must brick_kill 3
state_comes "$M" c3 down
report damaged 1 "$M"
ok "files are damaged" jq -e '.damaged_files | length >= 2' "$T/damaged.json"
is_j "n = k + R of each, in bytes and in blocks" damaged \
    '[.damaged_files[] | .blocks, .bytes | .total == .failed + .recoverable and .failed == .unavailable + .lost] | all' true
is_j "its failed bytes are its ranges" damaged \
    '[.damaged_files[] | .bytes.failed == ([.lost_ranges[] | .[1] - .[0]] | add)] | all' true
is_j "its bytes are its size" damaged '[.damaged_files[] | .bytes.total + .bytes.holes == .size] | all' true
is_j "together they are what failed of the volume" damaged \
    '([.damaged_files[].bytes.failed] | add) == .bytes.failed and .bytes.failed == .bytes.unavailable' true
ok "each as --damaged prints it" cmp -s \
    <(jq -cS '.damaged_files[]' "$T/damaged.json" | sort) \
    <("$ALLOT" report "$M" --damaged --json | jq -cS . | sort)
# Blocks and bytes of each brick and of each directory, from the layouts of all files:
# what a report knows as holes, and what it counts as data.
report by-depth 1 "$M" --depth 1
ok "bricks and directories have what the layouts of their files say" python3 - "$ALLOT" "$M" "$T/by-depth.json" <<'PY'
import json, os, subprocess, sys
allot, mount, report = sys.argv[1:]
doc = json.load(open(report))
B = 65536
bricks, directories = {}, {}
def add(sums, key, blocks, bytes_):
    have = sums.setdefault(key, [0, 0])
    have[0] += blocks
    have[1] += bytes_
for top, _, names in os.walk(mount):
    for name in names:
        path = os.path.join(top, name)
        layout = json.loads(subprocess.run(
            [allot, "layout", path, "--json", "--blocks"],
            stdout=subprocess.PIPE, check=True).stdout)
        if any(e["block_size"] != B or e["start"] for e in layout["extents"]):
            sys.exit("not as it is thought here: " + path)
        for start, end, brick in layout["blocks"]:
            n = [-(-end // B) - start // B, end - start]
            add(bricks, brick, *n)
            for d in {"", os.path.relpath(top, mount).replace(".", "")}:
                add(directories, (d, "all"), *n)
                if brick == "c3":
                    add(directories, (d, "failed"), *n)
bad = []
def check(what, entry, all_, failed):
    for i, unit in enumerate(("blocks", "bytes")):
        c = entry[unit]
        told = [c["total"] + c["holes"], c["failed"], c["unavailable"], c["lost"]]
        want = [all_[i], failed[i], failed[i], 0]
        if told != want:
            bad.append("%s, %s: told %s, by the layouts %s" % (what, unit, told, want))
for x in doc["bricks"]:
    n = bricks.pop(x["name"])
    check(x["name"], x, n, n if x["name"] == "c3" else [0, 0])
for x in doc["directories"]:
    check("directory '%s'" % x["path"], x, directories.pop((x["path"], "all")),
          directories.pop((x["path"], "failed"), [0, 0]))
if bricks or directories:
    bad.append("not told: %s %s" % (bricks, directories))
if len(doc["bricks"]) != 4 or len(doc["directories"]) != 26:
    bad.append("%d bricks, %d directories" % (len(doc["bricks"]), len(doc["directories"])))
print("\n".join(bad))
sys.exit(1 if bad else 0)
PY
must brick_start 3
state_comes "$M" c3 up

# ---- a size that is not settled -----------------------------------------------

must_mount writer "${DIRECT[@]}"
mkfifo "$T/in"
exec {hold}<>"$T/in"
# shellcheck disable=SC2016
bounded 100 perl -MIO::Handle -e 'open(my $f, ">", $ARGV[0]) or die; syswrite($f, "w" x 700000) == 700000 or die;
    $f->sync or die;
    open(my $r, ">", $ARGV[1]) or die; close($r); <STDIN>; close($f) or die "close: $!"' \
    "$T/mnt-writer/open" "$T/ready" <"$T/in" 2>"$T/writer.err" &
WRITER=$!
must expect_within 20 test -e "$T/ready"
M=$T/mnt-m
report written 0 "$M"
is_j "while it is written, with all bricks up: exact" written '[.exact, .inexact_because]' '[true,[]]'
must brick_kill 3
state_comes "$M" c3 down
report unsettled 1 "$M"
is_j "with a brick away: not exact" unsettled .exact false
is_j "and why, and where" unsettled .inexact_because '["size not settled and a brick is away (open)"]'
is "a mapfile of it: exit status" "$(rc=0; "$ALLOT" mapfile "$M/open" >"$T/map" 2>"$T/err" || rc=$?; echo $rc)" 1
is "one sentence says why" "$(cat "$T/err")" \
    "allot: the mapfile of '$M/open' is not exact: size not settled and a brick is away; make it again when that is over"
is "in words too" "$("$ALLOT" report "$M" | grep '^not exact:')" "not exact: size not settled and a brick is away (open)"
must brick_start 3
state_comes "$M" c3 up
state_comes "$T/mnt-writer" c3 up
report again 0 "$M"
is_j "when it is back: exact" again '[.exact, .inexact_because, .files.damaged]' '[true,[],0]'
echo >&"$hold"
rc=0
wait $WRITER || rc=$?
is "the writer ends well" "$rc $(cat "$T/writer.err")" "0 "
must brick_kill 3
state_comes "$M" c3 down
report settled 1 "$M"
is_j "settled, with a brick away: exact" settled '[.exact, .inexact_because]' '[true,[]]'
is_j "in all its bytes" settled '.damaged_files[] | select(.path == "open").size' 700000

done_testing
