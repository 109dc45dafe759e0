#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 30
# A brick is killed and returns while programs run: sqlite3 with both kinds of
# journal, and fio. What is new goes on without an error, what is on the lost
# brick gives EIO and no wrong byte, and after the return everything that was
# acknowledged is there.
# shellcheck source=prog-lib.sh
. "$(dirname "$0")/prog-lib.sh"

needs_programs sqlite3 fio
cd "$T" || exit
BLOCK_SIZE=4KB program_volume net-4
# WAL needs memory that is mapped: with the kernel's caches. fio goes around them.
must_mount m --attribute-timeout=0 --entry-timeout=0

db() {
    bounded 60 sqlite3 -batch -bail -cmd '.timeout 20000' -cmd 'PRAGMA synchronous=FULL' "$@"
}

consistent() {
    [ "$(db "$1" 'PRAGMA integrity_check')" = ok ]
}

# Rows, one transaction each; "done" is said of a row that is found afterwards.
rows() { # rows FROM TO
    local i
    for ((i = $1; i < $2; i++)); do
        echo "INSERT INTO log (n, v) VALUES ($i, printf('%0700d', $i)); SELECT 'done ' || n FROM log WHERE n = $i;"
    done
}

# It goes on after an error, as a server does.
writer() { # writer FILE FROM
    exec stdbuf -oL sqlite3 -batch -cmd '.timeout 20000' -cmd 'PRAGMA synchronous=FULL' "$1" < <(rows "$2" 1000000)
}

new_log() { # new_log FILE MODE
    must db "$1" "PRAGMA journal_mode=$2; CREATE TABLE log (n INTEGER PRIMARY KEY, v TEXT);
        CREATE TABLE other (n INTEGER PRIMARY KEY, v TEXT);
        WITH RECURSIVE k(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM k WHERE i < 300)
        INSERT INTO other SELECT i, printf('%0700d', i) FROM k"
}

# What cannot be read on a mapped page is SIGBUS, with every file system, and
# sqlite3 maps what it keeps beside a WAL.
mapped_page_lost() { # mapped_page_lost NAME
    [ -s "$T/$1.rc" ] && [ "$(cat "$T/$1.rc")" = $((128 + $(kill -l BUS))) ]
}

lines() { # lines NAME: what the program has said so far, good or bad
    wc -l <"$T/$1.out"
}

goes_on_or_lost() { # goes_on_or_lost NAME N
    more_lines "$1" "$2" || mapped_page_lost "$1"
}

# started_again NAME: after SIGBUS, as its supervisor would; else it runs on.
started_again() {
    mapped_page_lost "$1" || return 0
    note "$1: started again after SIGBUS"
    grep ^done "$T/$1.out" >>"$T/$1.before"
    in_background "$1" writer "$M/$1.db" 500000
}

more_lines() { # more_lines NAME N
    [ "$(lines "$1")" -gt "$2" ]
}

more_done() { # more_done NAME N
    [ "$(grep -c ^done "$T/$1.out")" -gt "$2" ]
}

# kept FILE NAME: all that NAME called done is there, with its value.
kept() {
    local n
    n=$(db "$1" "SELECT count(*) FROM log WHERE v <> printf('%0700d', n)") && [ "$n" = 0 ] || return 1
    comm -13 <(db "$1" "SELECT 'done ' || n FROM log" | sort) <(cat "$T/$2.before" "$T/$2.out" 2>/dev/null | grep ^done | sort) >"$T/missing"
    head "$T/missing"
    [ ! -s "$T/missing" ]
}

# Nothing is allocated before it is written: what is allocated on a lost brick
# cannot be written any more, as what is written there.
job() { # job NAME OPTION...
    local name=$1
    shift
    bounded 120 fio --name="$name" --filename="$M/$name" --ioengine=libaio --direct=1 --iodepth=8 --bs=12k \
        --verify=crc32c --fallocate=none --allow_file_create="${CREATE:-1}" \
        --output-format=json --output="$T/$name.json" "$@"
}
SIZE=6000k
ok "fio writes a file before" job old --rw=write --size=$SIZE --verify_fatal=1
ok "it is spread" spread_over 4 "$M/old"

for mode in delete wal; do
    new_log "$M/$mode.db" $mode
    in_background $mode writer "$M/$mode.db" 1
done
for mode in delete wal; do
    ok "$mode: it runs" expect_within 30 more_done $mode 20
    ok "$mode: it is spread" spread_over 4 "$M/$mode.db"
done
# A slow stream, so that the brick dies in the middle.
streaming() {
    exec fio --name=stream --filename="$M/stream" --ioengine=libaio --direct=1 --iodepth=8 --bs=12k --verify=crc32c \
        --rw=write --size="$SIZE" --rate=1000k --do_verify=0 --fallocate=none \
        --output-format=json --output="$T/stream.json"
}
in_background stream streaming
big_enough() { [ "$(stat -c %s "$M/stream")" -gt 1000000 ]; }
ok "the stream runs" expect_within 30 big_enough
ok "it is spread over the brick that will die" spread_over 4 "$M/stream"

# ---- brick 3 dies: data only ----
must brick_kill 3
for mode in delete wal; do
    ok "$mode: the program does not hang" expect_within 60 goes_on_or_lost $mode $(($(lines $mode) + 5))
done
is "the stream goes on and has no error" "$(wait_for stream 60)" 0 || note "$(cat "$T/stream.out")"
is "it goes on without the lost brick" \
    "$("$ALLOT" layout "$M/stream" --json | jq -c '[.extents[-1].members[].name] | sort')" '["c0","c1","c2"]'
state_comes "$M" c3 down
new_log "$M/new.db" wal
new_rows() { db "$M/new.db" < <(rows 1 150) >"$T/new.out"; }
ok "a new database works" new_rows
is "every row of it" "$(grep -c ^done "$T/new.out")" 149
ok "it is on the other bricks" spread_over 3 "$M/new.db"
ok "it is consistent" consistent "$M/new.db"
ok "fio writes a new file and verifies" job new --rw=randwrite --size=$SIZE --verify_fatal=1

# Read with errors counted: EIO for what is on brick 3, and never a wrong byte.
# (A wrong byte is EILSEQ and ends it.)
allot_json report 1 report "$M"
for f in old stream; do
    job $f --rw=write --size=$SIZE --verify_only \
        --continue_on_error=io --verify_fatal=1 >"$T/$f.err" 2>&1
    ok "$f: no wrong byte" test "$(grep -c 'verify: bad' "$T/$f.err")" = 0
    is "$f: the errors are EIO" "$(jq '.jobs[0].error' "$T/$f.json")" 5
    # Each read of fio that touches a lost range is one error.
    want=$(jq --arg f "$f" '[.damaged_files[] | select(.path == $f).lost_ranges[] |
        range(.[0] / 12288 | floor; (.[1] - 1) / 12288 | floor + 1)] | unique | length' "$T/report.json")
    is "$f: as many as the report says" "$(jq '.jobs[0].total_err' "$T/$f.json")" "$want"
    ok "$f: some and not all" test "$want" -gt 10 -a "$want" -lt $(($(stat -c %s "$M/$f") / 12288))
done

# Mapped: no error code can be given, and no wrong byte is.
mapped() {
    bounded 60 fio --name=mapped --filename="$M/old" --ioengine=mmap --rw=read --bs=4k --size=$SIZE --allow_file_create=0
}
mapped >"$T/mapped.out" 2>&1
ok "old: a mapped page that is lost is SIGBUS" grep -q "signal=$(kill -l BUS)" "$T/mapped.out" || note "$(cat "$T/mapped.out")"

# ---- it returns ----
must brick_start 3
state_comes "$M" c3 up
for mode in delete wal; do
    started_again $mode
    was=$(grep -c ^done "$T/$mode.out")
    ok "$mode: the program goes on" expect_within 60 more_done $mode $((was + 20))
    note "$mode: $(grep -c ^done "$T/$mode.out") rows, $(grep -c -i error "$T/$mode.out") errors"
    must kill_program $mode
    only=$(grep -v '^done' "$T/$mode.out" | grep -viE 'disk I/O error|unable to open database|database disk image' | sort | uniq -c)
    is "$mode: its errors are those of a disk" "$only" ""
done
must umount_volume m
must_mount fresh
for mode in delete wal new; do
    ok "$mode: consistent" consistent "$M/$mode.db"
    ok "$mode: all that was acknowledged is there" kept "$M/$mode.db" $mode
done
for f in old stream; do
    ok "$f: all of it verifies" job $f --rw=write --size="$SIZE" \
        --verify_only --verify_fatal=1
done
ok "new: all of it verifies" job new --rw=randwrite --size=$SIZE --verify_only --verify_fatal=1
allot_json after 0 report "$M"
is_j "nothing is lost" after '.blocks.failed' 0
done_testing
