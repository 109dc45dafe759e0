#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 60
# A client dies between every two steps of the first registration, of a new
# brick's joining, and of the adoption of an emptied brick. The next client
# finishes what it began, or begins anew, and the volume is whole.
# shellcheck source=crash-lib.sh
. "$(dirname "$0")/crash-lib.sh"

# victim_start NAME STOPS: as victim(), for one that stops before it is mounted.
victim_start() {
    local pid
    sed "/^volume allot\$/,/^end-volume\$/s/^\( *\)type .*/&\n\1option debug-stop-at $2/" \
        "$T/vol/client.vol" >"$T/vol/$1.vol"
    mkdir -p "$T/mnt-$1"
    undo mount "$T/mnt-$1"
    glusterfs --volfile="$T/vol/$1.vol" -p "$T/mnt-$1.pid" -l "$LOG/mnt-$1.log" \
        "${DIRECT[@]}" "$T/mnt-$1" >/dev/null 2>&1 &
    expect_within 30 test -s "$T/mnt-$1.pid" || return 1
    pid=$(cat "$T/mnt-$1.pid")
    echo "$pid $(proc_start "$pid")" >"$T/mnt-$1.process"
    undo process "$pid" "$(proc_start "$pid")"
}

victim_dies() { # before it is mounted, perhaps
    local process
    read -ra process <"$T/mnt-$1.process"
    end_process "${process[@]}"
    umount "$T/mnt-$1" 2>/dev/null
    return 0
}

# spread_over N: a new file has portions on N bricks and reads back.
spread_over() {
    noise 300000 >"$T/noise"
    cp "$T/noise" "$W/file" && cmp "$T/noise" "$W/file" || return 1
    [ "$(getfattr --only-values -n glusterfs.allot.layout "$W/file" |
        jq '[.extents[].members[][0]] | unique | length')" = "$1" ] ||
        { getfattr --only-values -n glusterfs.allot.layout "$W/file" && return 1; }
    rm "$W/file"
}

up() { # up N: that many bricks are up, and no other is there
    [ "$("$ALLOT" status "$W" --json | jq -c '[.bricks[] | select(.state != "lost").state]')" = \
        "$(jq -nc --argjson n "$1" '[range($n) | "up"]')" ]
}

bricks_dirs 4
volume_make net-4 --block-size 16KB
plain_graph "$T/vol/client.vol"

for step in locked forming some ids active; do
    for ((i = 0; i < NBRICKS; i++)); do
        brick_wipe "$i"
    done
    volume_start
    victim_start "r-$step" "register-$step" || bail "no victim"
    ok "registration: the client stops at register-$step" \
        expect_within 30 is_stopped "r-$step" "register-$step"
    victim_dies "r-$step"
    must_mount "w-$step" "${DIRECT[@]}"
    W=$M
    ok "register-$step: the next client has a volume of four bricks" expect_within 30 up 4
    ok "register-$step: which share a file" spread_over 4
    mount_kill "w-$step"
    for ((i = 0; i < NBRICKS; i++)); do
        [ $step = active ] || must brick_kill "$i"
    done
done

must_mount w "${DIRECT[@]}"
W=$M
noise 200000 >"$T/kept"
cp "$T/kept" "$W/kept"
for step in locked marked registry id; do
    must brick_kill 0
    brick_wipe 0
    must brick_start 0
    must expect_within 30 sh -c "$ALLOT status '$W' --json | jq -e 'any(.bricks[]; .state == \"blank\")'"
    must victim "a-$step" "adopt-$step"
    act "a-$step" "$ALLOT" brick adopt c0 "$T/mnt-a-$step"
    ok "adoption: the client stops at adopt-$step" \
        expect_within 30 is_stopped "a-$step" "adopt-$step"
    mount_kill "a-$step"
    if [ $step != id ]; then
        ok "adopt-$step: it is adopted once more" expect_within 30 "$ALLOT" brick adopt c0 "$W"
    fi
    ok "adopt-$step: four bricks are up" expect_within 30 up 4
    ok "adopt-$step: a new file is on all" spread_over 4
    # Names heal onto it at the second look.
    for i in 1 2; do
        find "$W" -exec stat {} + >/dev/null
    done
    ok "adopt-$step: names are on it again" expect_within 20 test -e "${BRICK[0]}/kept"
done
must umount_volume w

# A fifth one.
for ((i = 0; i < NBRICKS; i++)); do
    must brick_kill "$i"
done
BRICK[4]=$T/b4
mkdir -p "${BRICK[4]}/.glusterfs"
NBRICKS=5
volume_make net-4 --block-size 16KB
plain_graph "$T/vol/client.vol"
volume_start
victim_start join join-id || bail "no victim"
ok "a fifth brick: the client stops at join-id" expect_within 30 is_stopped join join-id
victim_dies join
must_mount after "${DIRECT[@]}"
W=$M
ok "join-id: the next client has five bricks" expect_within 30 up 5
ok "join-id: which share a file" spread_over 5
done_testing
