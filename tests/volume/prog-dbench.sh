#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 20
# dbench's load of a file server, on one mount and on two beside each other. It
# removes what it makes: no portion may be left.
# shellcheck source=prog-lib.sh
. "$(dirname "$0")/prog-lib.sh"

needs_programs dbench
TIME=${DBENCH_SECONDS:-3}

bench() { # bench DIR
    exec dbench -t "$TIME" -D "$1" -c /usr/share/dbench/client.txt 2
}

# all_of TITLE DIR...: a dbench on each DIR, at once.
all_of() {
    local title=$1 dir i=0
    shift
    for dir in "$@"; do
        mkdir "$dir"
        in_background "bench-$i" bench "$dir"
        i=$((i + 1))
    done
    ok "$title: files of dbench are spread" expect_within 60 portions_on_all 3
    i=0
    for dir in "$@"; do
        is "$title: dbench $i ends well" "$(wait_for "bench-$i" $((TIME * 5 + 120)))" 0 ||
            note "$(tail -20 "$T/bench-$i.out")"
        # The machine's first semaphore has the number 0, which dbench takes for
        # a failure of semget() (and goes on with it).
        nok "$title: dbench $i has found nothing wrong" \
            grep -E '^\[[0-9]+\]|ERROR|failed' <(grep -v '^failed to create barrier semaphore' "$T/bench-$i.out")
        ok "$title: dbench $i has done something" grep -qE '^Throughput [1-9]' "$T/bench-$i.out"
        note "$title: dbench $i: $(grep '^Throughput' "$T/bench-$i.out")"
        ok "$title: what dbench $i leaves is removed" rm -rf "$dir"
        i=$((i + 1))
    done
    ok "$title: no portion is left" expect_within 30 no_portions || note "$(no_portions)"
}

for KIND in ${DBENCH_KINDS:-net-4-plain}; do
    program_volume "$KIND"
    must_mount "$KIND"
    A=$M
    all_of "$KIND: one mount" "$A/alone"
    must_mount "$KIND-b"
    all_of "$KIND: two mounts" "$A/a" "$M/b"
    must umount_volume "$KIND"
    must umount_volume "$KIND-b"
done
done_testing
