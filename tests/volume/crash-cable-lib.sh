# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Clients that lose one brick in the middle of a protocol, and get it back: the
# connection goes through tests/volume/cable.c. Sourced by crash-cable*.sh and
# by crash-failed.sh and power.sh.
#
# A case: the victim stops at a step, as in crash-lib.sh; the cable to one brick
# is pulled out. In the variant "out" it goes on without that brick, which comes
# back when the call has ended; in "blink" the brick is back before it goes on.
# If the call succeeded the file is what it asked for, else each block is the old
# or the new one; another client and the victim itself see the same bytes, and
# the file is usable.
# shellcheck source=crash-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/crash-lib.sh"

CABLE=$BUILD/tests/volume/cable
[ "$BUILD" != installed ] || CABLE=$TOP/build/tests/volume/cable
CABLE_PORT=()

# cables_start: one to each brick.
cables_start() {
    local i pid
    [ -x "$CABLE" ] || bail "$CABLE is missing; ./dev build makes it"
    for ((i = 0; i < NBRICKS; i++)); do
        port_pick
        CABLE_PORT[i]=$PICKED
        "$CABLE" "$PICKED" "${PORT[i]}" "$T/cable-$i" >"$LOG/cable-$i.log" 2>&1 &
        pid=$!
        # No job of this shell: "wait" is for mounts and calls.
        disown "$pid"
        undo process "$pid" "$(proc_start "$pid")"
        expect_within 10 listens "$PICKED" || bail "no cable: $(cat "$LOG/cable-$i.log")"
    done
}

cable_out() { # cable_out I
    : >"$T/cable-$1"
    must expect_within 10 test -e "$T/cable-$1.pulled"
}

cable_in() {
    rm -f "$T/cable-$1"
    must expect_within 10 test ! -e "$T/cable-$1.pulled"
}

# cabled NAME I [STOPS]: a mount that has the cable to brick I; it stops there.
cabled() {
    sed -e "s/^\( *option remote-port\) ${PORT[$2]}\$/\1 ${CABLE_PORT[$2]}/" \
        -e "/^volume allot\$/,/^end-volume\$/s/^\( *\)type .*/&\n\1option debug-stop-at ${3:-none}/" \
        "$T/vol/client.vol" >"$T/vol/$1.vol"
    VOLFILE=$T/vol/$1.vol mount_volume "$1" "${DIRECT[@]}"
}

all_up() { # all_up MOUNT
    [ "$("$ALLOT" status "$1" --json | jq -c '[.bricks[].state] | unique')" = '["up"]' ]
}

# brick_of FILE OFFSET: the brick that holds this byte; all have the same weight.
brick_of() {
    "$ALLOT" layout "$1" --json | jq -r --argjson at "$2" '
        [.extents[] | select(.start <= $at)] | last as $e
        | ($e.block_size) as $b
        | ((($at / $b | floor) - ($e.start / $b | floor) + $e.phase) % ($e.members | length)) as $i
        | $e.members[$i].index'
}

base_of() { # base_of NAME: the brick that has its base
    local i
    for ((i = 0; i < NBRICKS; i++)); do
        [ ! -s "${BRICK[i]}/$1" ] || echo "$i"
    done
}

without() { # without MOUNT: it knows that a brick is away
    [ "$("$ALLOT" status "$1" --json | jq '[.bricks[] | select(.state == "down")] | length')" = 1 ]
}

# block_off NAME: the offset of a block, of the last of its brick's, that is not
# on the brick of its base.
block_off() {
    local at base
    base=$(base_of "$1")
    for at in 147456 163840; do
        [ "$(brick_of "$W/$1" $at)" = "$base" ] || break
    done
    echo $at
}

# One block before MID and the one at MID, which cannot be written: what stands
# behind it is copied.
do_mid() { put "$1" b $((MID - 16384)) 32768; }
export -f do_mid

# patched GOT OLD NEW: each byte of GOT is OLD's or NEW's, zero where both end
# before it; its size is between theirs. (Of a write that failed some pieces may
# be there, and a hole in front of them.)
patched() {
    local f size most=0
    for f in "$@"; do
        size=$(stat -c %s "$f")
        [ "$size" -le "$most" ] || most=$size
        cp "$f" "$f.padded"
    done
    [ "$(stat -c %s "$1")" -ge "$(stat -c %s "$2" "$3" | sort -n | head -1)" ] &&
        [ "$(stat -c %s "$1")" -le "$(stat -c %s "$2" "$3" | sort -n | tail -1)" ] || return 1
    truncate -s "$most" "${@/%/.padded}"
    [ -z "$(comm -12 <(cmp -l "$1.padded" "$2.padded" | awk '{ print $1 }' | sort) \
        <(cmp -l "$1.padded" "$3.padded" | awk '{ print $1 }' | sort))" ]
}

# either FILE NAME ACT: of a call that failed. Truncations that end in an error
# may also leave the inline part (docs/protocol.md, section 3).
either() {
    local f=$1 got=$REF/$2.got
    [ "$3" != unlink ] || [ -e "$f" ] || return 0
    bounded 30 cat "$f" >"$got" || return 1
    [ "$(stat -c %s "$f")" = "$(stat -c %s "$got")" ] || return 1
    case $3 in
    unlink) cmp "$got" "$REF/$2.old" ;;
    rename) cmp "$got" "$REF/$2.old" || cmp "$got" "$REF/$2.new" ;;
    inline | empty) patched "$got" "$REF/$2.old" "$REF/$2.new" || holds "$f" "$2" cut ;;
    *) patched "$got" "$REF/$2.old" "$REF/$2.new" ;;
    esac
}

# case_cable NAME STEP ACT VARIANT I
case_cable() {
    local name=$1 f=$W/$1 own=$T/mnt-$1/$1 rc
    act "$name" bash -c "do_$3 $own"
    ok "$name: the client stops at $2" expect_within "${STOP_WAIT:-30}" is_stopped "$name" "$2" || {
        note "$(cat "$T/out-$name")"
        return
    }
    cable_out "$5"
    [ "$4" = out ] || cable_in "$5"
    kill -CONT "$(mount_pid "$name")"
    ok "$name: the call ends" expect_within 60 test -s "$T/rc-$name"
    [ "$4" = blink ] || cable_in "$5"
    ok "$name: the brick is back" expect_within 30 all_up "$T/mnt-$name"
    rc=$(cat "$T/rc-$name")
    CABLE_RC[$rc]=$((${CABLE_RC[$rc]:-0} + 1))
    [ "$rc" = 0 ] || note "$name: status $rc, $(tail -1 "$T/out-$name")"
    if [ "$3" = unlink ] && [ "$rc" = 0 ]; then
        ok "$name: it is gone" holds "$f" "$name" gone
    elif [ "$rc" = 0 ]; then
        ok "$name: it has done what it said" holds "$f" "$name" new
    else
        ok "$name: nothing but what was, and what it was to do" either "$f" "$name" "$3"
    fi
    if [ -e "$f" ]; then
        ok "$name: it sees the same itself" cmp "$own" "$REF/$name.got"
        ok "$name: settled by the next close, and usable" usable "$f" "$name"
    fi
    rm -f "$f" "$f.other"
    ok "$name: unmounted" umount_volume "$name"
}
declare -A CABLE_RC
# The first case loses this one.
CABLE_TURN=${CABLE_TURN:-0}

# cable_cases VARIANT: all of crash-lib.sh's, or those that match $CRASH_ONLY;
# one after the other loses brick 0, 1, 2, 3.
cable_cases() {
    local first i step bytes what holds orphans all=()
    while read -r step bytes what holds orphans; do
        [ -n "$step" ] || continue
        [[ $step-$what =~ ${CRASH_ONLY:-.} ]] || continue
        all+=("$step $bytes $what")
    done <<<"$CASES"
    for ((first = 0; first < ${#all[@]}; first += 4)); do
        for ((i = first; i < first + 4 && i < ${#all[@]}; i++)); do
            read -r step bytes what <<<"${all[i]}"
            prepare "$what-$step-$1" "$bytes" "$what"
            cabled "$what-$step-$1" $(((i + CABLE_TURN) % 4)) "$step" &
        done
        wait
        for ((i = first; i < first + 4 && i < ${#all[@]}; i++)); do
            read -r step bytes what <<<"${all[i]}"
            case_cable "$what-$step-$1" "$step" "$what" "$1" $(((i + CABLE_TURN) % 4))
        done
    done
    note "$1: calls by exit status: $(declare -p CABLE_RC | sed 's/^[^(]*//')"
}
