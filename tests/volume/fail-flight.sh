#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 25
# A data brick stands still until all writes that a client has under way wait for
# it, and dies. All of them make the file longer; none has been answered, so none
# may fail, and each byte is right when the brick is back. With write-behind,
# which has fewer and larger ones, and without.
#
# But the brick may have stopped between answers: it has answered a write and not yet one
# of bytes before it. What goes on elsewhere begins at these, and hides the other one,
# which only this brick had; that is told, and the round says nothing. Another one then.
# shellcheck source=crash-lib.sh
. "$(dirname "$0")/crash-lib.sh"

FLIGHT=$BUILD/tests/volume/fail-flight
[ -x "$FLIGHT" ] || bail "$FLIGHT is missing; ./dev build makes it"
export FS_GFAPI_LOG=$LOG/gfapi.log

bricks_make 4 512M
volume_make net-4 --block-size 64KB --option 'c*:ping-timeout=30'
cp "$T/vol/client.vol" "$T/vol/behind.vol"
plain_graph "$T/vol/client.vol"
volume_start
must_mount judge "${DIRECT[@]}"

noise $((24 << 20)) >"$T/noise"

lengths() { find "${BRICK[@]/%//.allot}" -type f -printf '%p %s\n'; }

# For a second nothing has reached the bricks that answer.
mkfifo "$T/never"
all_wait() {
    local before
    before=$(lengths)
    read -rt 1 <>"$T/never"
    [ "$(lengths)" = "$before" ]
}

flight() { # flight KIND DEPTH NAME: RC is its exit status
    local pid
    bounded 100 "$FLIGHT" "$T/vol/$1.vol" "$3" "$T/noise" "$2" >"$T/$3" 2>&1 &
    pid=$!
    must expect_within 30 longer "$M/$3" 4000000
    kill -STOP "$(brick_pid 3)"
    must expect_within 30 all_wait
    must brick_kill 3
    RC=0
    wait $pid || RC=$?
    must brick_start 3
    ok "$3: the brick is back" expect_within 30 all_up "$M"
}
told() { # told NAME
    [ "$RC" != 0 ] && grep -q 'Input/output error' "$T/$1"
}
for kind in client behind; do
    for depth in 2 16; do
        for name in $kind-$depth{,-again,-third}; do
            flight $kind $depth "$name"
            told "$name" || break
            note "$name: $(cat "$T/$name")"
        done
        is "$name: no write failed" "$RC" 0 || note "$(cat "$T/$name")"
        ok "$name: each byte is right" bounded 60 cmp "$T/noise" "$M/$name"
    done
done
done_testing
