#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 40
# sqlite3 on spread files: every journal mode gives the database that the same
# SQL gives on a local disk; several processes, on one mount with WAL and on two
# mounts with a rollback journal; a brick that dies and returns under two
# databases, while a third one is new.
# shellcheck source=prog-lib.sh
. "$(dirname "$0")/prog-lib.sh"

needs_programs sqlite3

# db FILE SQL: with what a careful user sets.
db() {
    bounded 60 sqlite3 -batch -bail -cmd '.timeout 20000' -cmd 'PRAGMA synchronous=FULL' "$@"
}

# What one program does: rows of some hundred bytes, an index, changes all over
# the file, a rollback, a file that shrinks and grows again.
work() { # work MODE
    cat <<SQL
PRAGMA journal_mode=$1;
CREATE TABLE t (id INTEGER PRIMARY KEY, k INTEGER, v TEXT);
CREATE INDEX by_k ON t (k, v);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    INSERT INTO t SELECT i, i * 7919 % 3001, printf('%0*d', 100 + i % 400, i) FROM n;
UPDATE t SET v = v || 'changed' WHERE k % 7 = 3;
BEGIN;
DELETE FROM t WHERE k < 2000;
ROLLBACK;
DELETE FROM t WHERE k % 2 = 0;
VACUUM;
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 600)
    INSERT INTO t SELECT 10000 + i, i, printf('%01000d', i) FROM n;
SQL
}

consistent() { # consistent FILE
    local said
    said=$(db "$1" 'PRAGMA integrity_check') && [ "$said" = ok ] && return
    echo "$said"
    return 1
}

same_as_local() { # same_as_local FILE
    cmp <(db "$1" .dump) <(db "$T/local.db" .dump)
}

work delete | db "$T/local.db" >/dev/null || bail "no database on the local disk"

# rows PREFIX FROM TO: one transaction each; what was committed is printed.
rows() {
    local i
    for ((i = $2; i < $3; i++)); do
        echo "INSERT INTO log (who, n, v) VALUES ('$1', $i, printf('%0700d', $i)); SELECT 'done $1 $i';"
    done
}

new_log() { # new_log FILE MODE
    must db "$1" "PRAGMA journal_mode=$2; CREATE TABLE log (id INTEGER PRIMARY KEY, who TEXT, n INTEGER, v TEXT); CREATE INDEX by_n ON log (n, who)"
}

# Line by line: what it has said when it is killed is what it knew.
write_rows() { # write_rows FILE PREFIX COUNT
    exec stdbuf -oL sqlite3 -batch -cmd '.timeout 20000' -cmd 'PRAGMA synchronous=FULL' \
        "$1" < <(rows "$2" 0 "$3")
}

# all_there FILE OUT...: what the outputs call done, and nothing else, is there.
all_there() {
    local file=$1
    shift
    diff <(db "$file" "SELECT 'done ' || who || ' ' || n FROM log" | sort) \
        <(cat "$@" | grep '^done ' | sort) | head -20
    return "${PIPESTATUS[0]}"
}

for KIND in net-4 net-4-plain; do
    BLOCK_SIZE=4KB program_volume $KIND
    must_mount $KIND

    # ---- one process ----
    for mode in delete truncate persist wal; do
        ok "$KIND: work with journal mode $mode" db "$M/$mode.db" < <(work $mode)
        is "$KIND: $mode is the mode" "$(db "$M/$mode.db" 'PRAGMA journal_mode')" \
            "$([ $mode = wal ] && echo wal || echo delete)"
        ok "$KIND: $mode: integrity_check" consistent "$M/$mode.db"
    done
    ok "$KIND: the databases are spread over 4 bricks" \
        spread_over 4 "$M"/{delete,truncate,persist,wal}.db
    umount_volume $KIND
    must_mount $KIND
    for mode in delete truncate persist wal; do
        ok "$KIND: $mode: after a remount, what it is on a local disk" same_as_local "$M/$mode.db"
    done

    # ---- several processes, and one that is killed, with WAL ----
    new_log "$M/shared.db" wal
    for who in a b; do
        in_background $who write_rows "$M/shared.db" $who 60
    done
    in_background killed write_rows "$M/shared.db" killed 100000
    is "$KIND: WAL: two writers beside a third end well" "$(wait_for a 60) $(wait_for b 60)" "0 0"
    ok "$KIND: WAL: the log is spread too" spread_over 4 "$M/shared.db-wal"
    ok "$KIND: WAL: the third is killed while it writes" kill_program killed
    ok "$KIND: WAL: integrity_check" consistent "$M/shared.db"
    # One more may have been committed than it could say.
    db "$M/shared.db" "DELETE FROM log WHERE who = 'killed' AND n = $(grep -c ^done "$T/killed.out")"
    ok "$KIND: WAL: all that was committed is there" all_there "$M/shared.db" "$T"/{a,b,killed}.out
    must umount_volume $KIND

    # ---- two mounts, rollback journal ----
    # Without the kernel's caches, which one mount cannot invalidate in another.
    # WAL wants memory that all its processes share: one machine, one mount.
    must_mount two-a "${DIRECT[@]}"
    A=$M
    must_mount two-b "${DIRECT[@]}"
    new_log "$A/both.db" delete
    in_background a write_rows "$A/both.db" a 40
    in_background b write_rows "$M/both.db" b 40
    is "$KIND: two mounts: both writers end well" "$(wait_for a 60) $(wait_for b 60)" "0 0"
    for m in "$A" "$M"; do
        ok "$KIND: two mounts: integrity_check" consistent "$m/both.db"
        ok "$KIND: two mounts: all that was committed is there" all_there "$m/both.db" "$T"/{a,b}.out
    done
    must umount_volume two-a
    must umount_volume two-b
done

# A check that cannot fail proves nothing.
must_mount bad
must cp "$M/wal.db" "$M/bad.db"
page=$(db "$M/bad.db" 'PRAGMA page_size')
dd if=/dev/urandom of="$M/bad.db" bs="$page" seek=3 count=2 conv=notrunc status=none
nok "integrity_check sees two bad pages" consistent "$M/bad.db"
nok "the comparison sees another database" same_as_local "$M/both.db"
done_testing
