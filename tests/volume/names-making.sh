#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 15
# A lookup while another client makes the name: it is there and has no gfid yet. Plain
# distribute takes it for a directory to be healed then, and looks for that for ever.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

HOLD=$BUILD/tests/volume/.libs/hold-gfid.so
[ -e "$HOLD" ] || bail "$HOLD is missing; ./dev build makes it"
mkdir "$T/hold"

bricks_dirs 4
volume_make net-4-plain --block-size 64KB
volume_start
must_mount m
KINDS=(file fifo dir link)
# Each in a directory of its own, of which the kernel makes one name at a time. The name
# belongs on another brick than it will be on.
declare -A NAME
for kind in "${KINDS[@]}"; do
    must mkdir "$M/$kind"
    for i in {1..40}; do
        NAME[$kind]=$kind/new-$i
        must touch "$M/${NAME[$kind]}"
        [ -e "${BRICK[0]}/${NAME[$kind]}" ] || break
    done
    nok "$kind: its name belongs on another brick" test -e "${BRICK[0]}/${NAME[$kind]}"
    must rm -r "$M/$kind"/*
done
must mkdir "$M"/warm-{1..12}
must brick_kill 0
LD_PRELOAD=$HOLD HOLD_GFID=$T/hold must brick_start 0
must umount_volume m
# Who makes them knows that brick only.
sed -n "/^volume c0\$/,/^end-volume\$/p" "$T/vol/client.vol" >"$T/vol/one.vol"
VOLFILE=$T/vol/one.vol must_mount a --attribute-timeout=0 --entry-timeout=0
# Who looks asks all bricks for what is not where it belongs, as in the root.
sed '/^volume dht$/,/^end-volume$/s/^\( *\)type .*/&\n\1option lookup-optimize off/' "$T/vol/client.vol" >"$T/vol/all.vol"
VOLFILE=$T/vol/all.vol must_mount b --attribute-timeout=0 --entry-timeout=0
held() { # held N: so many names wait for their gfid
    [ "$(sort -u "$T/hold/held" | grep -c .)" -ge "$1" ]
}
# io-threads begins with one worker, and all others would wait for who is held there; of
# many that wait in its queue a few get workers of their own, each time.
for round in 1 2 3; do
    : >"$T/hold/held"
    : >"$T/hold/hold"
    WARM=()
    for i in {1..12}; do
        : >"$T/mnt-a/warm-$i/file-$round" &
        WARM+=($!)
    done
    ok "$round: what is made waits for its gfid" expect_within 20 held $((1 + round))
    rm "$T/hold/hold"
    wait "${WARM[@]}"
done

make() { # make KIND
    local command
    case $1 in
    file) command=(touch) ;;
    fifo) command=(mkfifo) ;;
    dir) command=(mkdir) ;;
    link) command=(ln -s somewhere) ;;
    esac
    bounded 30 "${command[@]}" "$T/mnt-a/${NAME[$1]}"
}
# Seen while it is made: looked up until it is there.
seen() {
    # shellcheck disable=SC2016
    bounded 20 bash -c 'until [ -L "$1" ] || [ -e "$1" ]; do :; done' seen "$1"
}
: >"$T/hold/held"
: >"$T/hold/hold"
for kind in "${KINDS[@]}"; do
    {
        make "$kind" 2>"$T/made-$kind"
        echo $? >>"$T/made-$kind"
    } &
done
ok "all four are half made" expect_within 20 held 4
SEEN=()
for kind in "${KINDS[@]}"; do
    seen "$T/mnt-b/${NAME[$kind]}" &
    SEEN+=($!)
done
looked_up() {
    jq -e '[.Stack[] | select(.Type == "LOOKUP")] | length == 4' "$T/mnt-b/.meta/frames"
}
ok "and looked up" expect_within 20 looked_up
rm "$T/hold/hold"
for i in "${!KINDS[@]}"; do
    wait "${SEEN[i]}"
    is "${KINDS[i]}: seen when it is made" $? 0
done
wait
for kind in "${KINDS[@]}"; do
    is "$kind: it was made without an error" "$(cat "$T/made-$kind")" 0
done
is "each is what was made" "$(cd "$T/mnt-b" && stat -c '%n %F' -- */new* | sed 's/new-[0-9]*/new/')" \
    "dir/new directory
fifo/new fifo
file/new regular empty file
link/new symbolic link"

# The guard counts lookups that waited: these four, each once or more.
must statedump_of "$(brick_pid 0)" "$T/dump"
must metrics "$(brick_pid 0)" "$T/metrics"
waited=$(sed -n '/^\[user\.allot\..*\.priv\]$/,/^$/s/^half-made=//p' "$T/dump")
ok "the guard says in its statedump how many waited: $waited" test "${waited:-0}" -ge 4
is "and in the metrics" "$(sed -n 's/^.*\.allot\.half-made //p' "$T/metrics")" "$waited"
must statedump_of "$(brick_pid 1)" "$T/dump"
is "on another brick none did" "$(sed -n 's/^half-made=//p' "$T/dump")" 0

# Nobody makes it: it is answered as ever, here to the client without distribute, and the
# lookup gives it a gfid.
must touch "${BRICK[0]}/file/by-hand"
# shellcheck disable=SC2016
ok "what nobody makes is not waited for" \
    bounded 20 bash -c 'until [ -e "$1" ]; do :; done' by-hand "$T/mnt-a/file/by-hand"
done_testing
