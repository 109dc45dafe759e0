#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 25
# fcntl, open file description and flock locks of programs on two mounts
# (prog-locks.py): on allot they do what they do on plain distribute, line by
# line, on files that grow, are cut and renamed meanwhile. And who dies, program
# or mount, holds no lock.
# shellcheck source=prog-lib.sh
. "$(dirname "$0")/prog-lib.sh"

needs_programs python3 flock

holds() { # holds FILE: until it is killed
    exec flock --no-fork -x "$1" tail -f /dev/null
}

for KIND in net-4-distribute net-4-plain net-4; do
    if [ $KIND = net-4-distribute ]; then
        bricks_make 4 "${BRICK_SIZE:-2G}"
        volume_make $KIND
        volume_start
    else
        program_volume $KIND
    fi
    # What one mount changes the other sees at once.
    must_mount "$KIND-a" "${DIRECT[@]}"
    A=$M
    must_mount "$KIND-b" "${DIRECT[@]}"
    mkdir "$A/d"
    ok "$KIND: nobody waits for ever" bounded 120 \
        sh -c "python3 '$TOP/tests/volume/prog-locks.py' '$A/d' '$M/d' >'$T/$KIND.lines'"
    if [ $KIND = net-4-distribute ]; then
        ok "some are refused, some wait" grep -q EAGAIN "$T/$KIND.lines"
        ok "$(wc -l <"$T/$KIND.lines") lines to compare" test "$(wc -l <"$T/$KIND.lines")" -gt 150
    else
        is "$KIND: the same lines" "$(diff "$T/net-4-distribute.lines" "$T/$KIND.lines" | head -40)" ""
        ok "$KIND: no portion is left" expect_within 20 no_portions
    fi

    noise 200000 >"$A/held"
    in_background holder holds "$A/held"
    held() { ! flock -n -x "$M/held" true; }
    ok "$KIND: a program on the other mount holds a lock" expect_within 10 held
    ok "$KIND: that mount dies" mount_kill "$KIND-a"
    ok "$KIND: its lock is gone" expect_within 20 flock -n -x "$M/held" true
    kill_program holder
    in_background holder holds "$M/held"
    ok "$KIND: another program holds it" expect_within 10 held
    must kill_program holder
    ok "$KIND: it is killed, and holds nothing" expect_within 20 flock -n -x "$M/held" true
    must umount_volume "$KIND-b"
done
done_testing
