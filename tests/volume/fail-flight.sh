#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 25
# A data brick stands still until all writes that a client has under way wait for
# it, and dies. All of them make the file longer; none has been answered, so none
# may fail, and each byte is right when the brick is back. With write-behind,
# which has fewer and larger ones, and without.
# shellcheck source=crash-lib.sh
. "$(dirname "$0")/crash-lib.sh"

FLIGHT=$BUILD/tests/volume/fail-flight
[ -x "$FLIGHT" ] || bail "$FLIGHT is missing; ./dev build makes it"
export FS_GFAPI_LOG=$LOG/gfapi.log
BYTES=$((24 << 20))

bricks_make 4 512M
volume_make net-4 --block-size 64KB --option 'c*:ping-timeout=30'
cp "$T/vol/client.vol" "$T/vol/behind.vol"
plain_graph "$T/vol/client.vol"
volume_start
must_mount judge "${DIRECT[@]}"

longer() { [ "$(stat -c %s "$M/$1" 2>/dev/null || echo 0)" -ge "$2" ]; }

# Nothing has reached the bricks that answer for a second.
all_wait() { # all_wait NAME
    local before now
    before=$(for b in "${BRICK[@]}"; do brick_bytes "$b"; done)
    read -rt 1 <>"$T/never"
    now=$(for b in "${BRICK[@]}"; do brick_bytes "$b"; done)
    [ "$before" = "$now" ]
}
brick_bytes() { find "$1/.allot" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }'; }
mkfifo "$T/never"

back() {
    must brick_start 3
    ok "$1: the brick is back" expect_within 30 sh -c \
        "$ALLOT status '$M' --json | jq -e 'all(.bricks[]; .state == \"up\")'"
}

for kind in client behind; do
    for depth in 2 16; do
        name=$kind-$depth
        bounded 100 "$FLIGHT" write "$T/vol/$kind.vol" "$name" $BYTES $depth >"$T/$name" 2>&1 &
        pid=$!
        must expect_within 30 longer "$name" 4000000
        kill -STOP "$(brick_pid 3)"
        must expect_within 30 all_wait
        must brick_kill 3
        rc=0
        wait $pid || rc=$?
        is "$name: no write failed" "$rc" 0 || note "$(cat "$T/$name")"
        back "$name"
        ok "$name: each byte is right" bounded 60 "$FLIGHT" check "$T/vol/client.vol" "$name" $BYTES
    done
done
done_testing
