#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 30
# PostgreSQL with its data on the mount, as an unprivileged user: initdb with
# checksums, pgbench, amcheck of all tables and indexes, and checksums of all pages
# on another mount. prog-postgresql-full.sh also lets the server crash, and kills a
# brick under it.
# shellcheck source=prog-lib.sh
. "$(dirname "$0")/prog-lib.sh"

BIN=/usr/lib/postgresql/15/bin
needs_programs $BIN/{initdb,pg_ctl,pgbench,psql,pg_checksums,pg_amcheck} runuser
SCALE=${PG_SCALE:-1} TIME=${PG_SECONDS:-4}
KIND=net-4

# It refuses to be root.
pg() {
    (cd / && exec timeout -s KILL 120 runuser -u postgres -- "$BIN/$1" "${@:2}")
}

sql() {
    pg psql -X -h "$T/socket" -d postgres -v ON_ERROR_STOP=1 -Atqc "$1"
}

start() {
    pg pg_ctl -D "$DATA" -w -t 60 -l "$T/socket/server.log" \
        -o "-k $T/socket -c listen_addresses= -c shared_buffers=4MB -c full_page_writes=on \
            -c max_wal_size=48MB -c min_wal_size=32MB -c fsync=on -c dynamic_shared_memory_type=mmap" \
        start >/dev/null || return 1
    SERVER=$(head -1 "$DATA/postmaster.pid")
    undo process "$SERVER" "$(proc_start "$SERVER")"
}

checked() {
    pg pg_amcheck -h "$T/socket" -d postgres --heapallindexed --parent-check --rootdescend --on-error-stop
}

# Every transaction of pgbench adds one number in four places.
balances() {
    sql "SELECT (SELECT sum(abalance) FROM pgbench_accounts) || ' ' ||
        (SELECT sum(bbalance) FROM pgbench_branches) || ' ' ||
        (SELECT sum(tbalance) FROM pgbench_tellers) || ' ' ||
        (SELECT sum(delta) FROM pgbench_history)"
}

balanced() {
    local all
    all=$(balances) || return 1
    echo "$all"
    [ "$(tr ' ' '\n' <<<"$all" | sort -u | wc -l)" = 1 ]
}

bench() {
    exec runuser -u postgres -- "$BIN/pgbench" -h "$T/socket" -n -c 4 -j 2 -T "$1" postgres
}

transactions() { # transactions NAME: how many pgbench has done
    sed -n 's/^number of transactions actually processed: \([0-9]*\).*/\1/p' "$T/$1.out"
}

program_volume $KIND
must_mount pg
DATA=$M/pg/data
mkdir "$M/pg" "$T/socket"
chown postgres: "$M/pg" "$T/socket"
chmod 700 "$M/pg"

ok "initdb" pg initdb -D "$DATA" --data-checksums -A trust -E UTF8 --locale C --wal-segsize 4
ok "the server starts" start
ok "pgbench makes its tables" pg pgbench -h "$T/socket" -i -q -s "$SCALE" postgres
ok "amcheck is there" sql "CREATE EXTENSION amcheck"
in_background bench bench "$TIME"
is "pgbench runs" "$(wait_for bench 120)" 0 || note "$(tail "$T/bench.out")"
is "no transaction has failed" "$(sed -n 's/^number of failed transactions: \([0-9]*\) .*/\1/p' "$T/bench.out")" 0
ok "transactions were done: $(transactions bench)" test "$(transactions bench)" -gt 10
is "all of them are there" "$(sql "SELECT count(*) FROM pgbench_history")" "$(transactions bench)"
ok "the balances agree" balanced
TABLE=$(sql "SELECT pg_relation_filepath('pgbench_accounts')")
INDEX=$(sql "SELECT pg_relation_filepath('pgbench_accounts_pkey')")
ok "table, index and log are spread" spread_over 4 "$DATA/$TABLE" "$DATA/$INDEX" "$DATA"/pg_wal/0*
ok "amcheck" checked

# ---- the server dies in the middle ----
if [ -n "${PG_FULL:-}" ]; then
    in_background crash bench 60
    in_the_middle() {
        [ "$(sql "SELECT count(*) FROM pgbench_history")" -gt $(($(transactions bench) + 10)) ]
    }
    ok "it is in the middle" expect_within 30 in_the_middle
    BEFORE=$(sql "SELECT count(*) FROM pgbench_history")
    ok "the server is stopped at once" pg pg_ctl -D "$DATA" -w -m immediate stop
    wait_for crash 30 >"$T/crash.said"
    isnt_zero() { [ "$(cat "$T/crash.said")" != 0 ]; }
    ok "pgbench has noticed" isnt_zero
    ok "the server recovers" start
    ok "it had to" grep -q 'database system was not properly shut down' "$T/socket/server.log"
    ok "what was committed is there" test "$(sql "SELECT count(*) FROM pgbench_history")" -ge "$BEFORE"
    ok "the balances agree after the recovery" balanced
    ok "amcheck after the recovery" checked
    ok "VACUUM FULL" sql "VACUUM FULL pgbench_accounts"
    ok "REINDEX" sql "REINDEX DATABASE postgres"
fi
BEFORE=$(balances)
ok "the server is stopped" pg pg_ctl -D "$DATA" -w -m fast stop
must umount_volume pg

# ---- a brick dies under it, and returns ----
# What lies on the brick gives EIO meanwhile: the server may stop, or refuse
# transactions. Afterwards all that it has acknowledged is there.
if [ -n "${PG_FULL:-}" ]; then
    must_mount brick
    DATA=$M/pg/data
    ok "the server starts" start
    in_background brick bench 20
    BEFORE=$(sql "SELECT count(*) FROM pgbench_history")
    done_more() { [ "$(sql "SELECT count(*) FROM pgbench_history")" -gt $((BEFORE + 20)) ]; }
    ok "pgbench runs" expect_within 30 done_more
    BEFORE=$(sql "SELECT count(*) FROM pgbench_history")
    must brick_kill 3
    state_comes "$M" c3 down
    note "pgbench ends with $(wait_for brick 120): $(grep -E 'number of|ERROR|FATAL|PANIC' "$T/brick.out" | sort | uniq -c | head -8)"
    done_by_pgbench=$(transactions brick)
    must brick_start 3
    state_comes "$M" c3 up
    # It may have stopped, or be in the middle of a recovery that cannot end.
    pg pg_ctl -D "$DATA" -w -m immediate stop >"$T/stop.out" 2>&1
    ok "the server recovers once the brick is back" start
    ok "what was committed is there ($BEFORE, pgbench says ${done_by_pgbench:-nothing})" \
        test "$(sql "SELECT count(*) FROM pgbench_history")" -ge "$BEFORE"
    ok "the balances agree" balanced
    ok "amcheck" checked
    in_background after bench 3
    is "pgbench runs again" "$(wait_for after 60)" 0 || note "$(tail -5 "$T/after.out")"
    ok "the balances agree again" balanced
    BEFORE=$(balances)
    ok "the server is stopped" pg pg_ctl -D "$DATA" -w -m fast stop
    must umount_volume brick
fi

# ---- another mount ----
must_mount other
DATA=$M/pg/data
ok "all checksums are right" pg pg_checksums -D "$DATA" --check
ok "the server starts there" start
is "with the same balances" "$(balances)" "$BEFORE"
ok "amcheck there" checked
TABLE=$(sql "SELECT pg_relation_filepath('pgbench_accounts')")
ok "the server is stopped there" pg pg_ctl -D "$DATA" -w -m fast stop
printf wrong | dd of="$DATA/$TABLE" bs=1 seek=123456 conv=notrunc status=none
nok "pg_checksums sees five wrong bytes" pg pg_checksums -D "$DATA" --check
done_testing
