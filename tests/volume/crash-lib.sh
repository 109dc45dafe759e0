# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Clients that stop at a named step of a protocol (option debug-stop-at), and
# what other clients find then. Sourced by crash-*.sh.
#
# A case: $W, a mount that nothing happens to, writes a file; a victim's mount
# does one thing to it and stops at the step. In the variant "kill" it dies
# there; in the variant "cont" $W changes some bytes, and the victim goes on.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ALLOT=allot
[ "$BUILD" = installed ] || ALLOT=$BUILD/allot
DIRECT=(--direct-io-mode=enable --attribute-timeout=0 --entry-timeout=0 --negative-timeout=0)
REF=$T/ref
mkdir -p "$REF"

# plain_graph FILE: write-behind goes; a write is answered when it is done.
plain_graph() {
    local below
    below=$(sed -n '/^volume write-behind$/,/^end-volume$/s/^ *subvolumes //p' "$1")
    sed -i -e '/^volume write-behind$/,/^end-volume$/d' \
        -e "s/^\( *subvolumes\) write-behind\$/\1 $below/" "$1"
}

longer() { # longer FILE BYTES
    [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -ge "$2" ]
}

all_up() { # all_up MOUNT
    "$ALLOT" status "$1" --json | jq -e 'all(.bricks[]; .state == "up")'
}

# victim NAME STOPS: a mount that stops there, at $T/mnt-NAME; of the volfile
# $VICTIM_OF.
victim() {
    sed "/^volume allot\$/,/^end-volume\$/s/^\( *\)type .*/&\n\1option debug-stop-at $2/" \
        "${VICTIM_OF:-$T/vol/client.vol}" >"$T/vol/$1.vol"
    VOLFILE=$T/vol/$1.vol mount_volume "$1" "${DIRECT[@]}"
}

is_stopped() { # is_stopped NAME STEP
    [ "$(sed 's/.*) //' "/proc/$(mount_pid "$1")/stat" | cut -c1)" = T ] &&
        grep -q "stopped at $2 *\$" "$LOG/mnt-$1.log"
}

# act NAME CMD...: in the background. Its status comes to $T/rc-NAME.
act() {
    local name=$1
    shift
    rm -f "$T/rc-$name"
    (
        bounded 60 "$@" >"$T/out-$name" 2>&1
        echo $? >"$T/rc-$name"
    ) &
}

go_on() { # go_on NAME: and what it was doing succeeds
    kill -CONT "$(mount_pid "$1")"
    expect_within 60 test -s "$T/rc-$1" && [ "$(cat "$T/rc-$1")" = 0 ]
}

# put FILE FROM OFFSET BYTES [CONV]: one write of bytes of $T/noise-FROM.
put() {
    dd if="$T/noise-$2" of="$1" bs="$4" count=1 oflag=seek_bytes seek="$3" \
        conv="notrunc${5:+,$5}" status=none
}

# portions: how many files are in /.allot of all bricks.
portions() {
    find "${BRICK[@]/%//.allot}" -type f 2>/dev/null | wc -l
}

has_portions() { # has_portions N
    [ "$(portions)" = "$1" ]
}

settled() { # settled FILE: its size is recorded
    [ "$(getfattr --only-values -n glusterfs.allot.layout "$1" 2>/dev/null | jq 'if .spread then .settled else true end')" = true ]
}

# blocks FILE: a checksum for each 4 KiB, a line each.
blocks() {
    split -b 4096 --filter='md5sum' "$1"
}

# mixed GOT OLD NEW: each 4 KiB of GOT is OLD's or NEW's, its size too.
mixed() {
    local size
    size=$(stat -c %s "$1")
    [ "$size" = "$(stat -c %s "$2")" ] || [ "$size" = "$(stat -c %s "$3")" ] || return 1
    paste <(blocks "$1") <(blocks "$2") <(blocks "$3") |
        awk -F '\t' '$1 != "" && $1 != $2 && $1 != $3 { bad = 1 } END { exit bad }'
}

# holds FILE NAME WORD: FILE, read through $W, is what WORD says of case NAME:
# old, new, mix of both, cut or part (old or new up to inline-limit), gone. A copy is kept.
holds() {
    local old=$REF/$2.old new=$REF/$2.new got=$REF/$2.got
    if [ "$3" = gone ]; then
        [ ! -e "$1" ]
        return
    fi
    bounded 30 cat "$1" >"$got" || return 1
    [ "$(stat -c %s "$1")" = "$(stat -c %s "$got")" ] || {
        echo "stat says $(stat -c %s "$1") bytes, there are $(stat -c %s "$got")"
        return 1
    }
    case $3 in
    old | new) cmp "$got" "$REF/$2.$3" ;;
    mix) mixed "$got" "$old" "$new" ;;
    cut) cmp "$got" <(head -c 65536 "$old") ;;
    part) cmp "$got" <(head -c 65536 "$new") ;;
    esac
}

# usable FILE NAME: settled by an open and a close, then appended to, cut, made
# longer, each as on the local copy NAME.got.
usable() {
    local got=$REF/$2.got half
    exec 9<>"$1" && exec 9>&- || return 1
    expect_within 20 settled "$1" || { echo "not settled" && return 1; }
    cmp "$1" "$got" || return 1
    bounded 60 "$ALLOT" layout "$1" >/dev/null || return 1
    head -c 30000 "$T/noise-c" >>"$1" && head -c 30000 "$T/noise-c" >>"$got"
    cmp "$1" "$got" || return 1
    half=$(($(stat -c %s "$got") / 2))
    truncate -s $half "$1" && truncate -s $half "$got"
    truncate -s 250000 "$1" && truncate -s 250000 "$got"
    cmp "$1" "$got"
}

# reported: allot report finds nothing wrong.
reported() {
    bounded 120 "$ALLOT" report "$W" >/dev/null
}

# ---- the cases --------------------------------------------------------------

# crash_setup TEMPLATE: bricks, $W, bytes.
crash_setup() {
    local n
    # Without a set in the namespace an unlink opens nothing before.
    [ "$1" != net-4-plain ] || CASES=$(grep -v '^unlink-opened .* unlink ' <<<"$CASES")
    bricks_dirs 4
    volume_make "$1" --block-size 16KB --inline-limit 64KB
    [[ $1 != *-plain ]] || CASES+=$WHOLE_CASES
    plain_graph "$T/vol/client.vol"
    volume_start
    must_mount w "${DIRECT[@]}"
    W=$M
    for n in a b c; do
        noise 400000 >"$T/noise-$n"
    done
}

# What is done to the file, on the mount and on the local copy.
do_grow() { put "$1" b 60000 10000; }
do_stream() { put "$1" b 60000 150000; }
do_write() { put "$1" b 100000 65536; }
do_longer() { put "$1" b 180000 80000; }
do_fsync() { put "$1" b 180000 80000 fsync; }
do_head() { put "$1" b 70000 80000; }
do_trunc() { truncate -s 100000 "$1"; }
do_inline() { truncate -s 1000 "$1"; }
do_empty() { : >"$1"; }
do_extend() { truncate -s 300000 "$1"; }
do_append() { head -c 30000 "$T/noise-b" | dd of="$1" bs=30000 iflag=fullblock oflag=append conv=notrunc status=none; }
do_alloc() { fallocate -o 150000 -l 100000 "$1"; }
do_punch() { fallocate -p -o 110000 -l 65536 "$1"; }
do_unlink() { rm "$1"; }
do_rename() { mv -f "$1.other" "$1"; }
export -f put do_grow do_stream do_write do_longer do_fsync do_head do_trunc do_inline do_empty do_extend \
    do_append do_alloc do_punch do_unlink do_rename
export T

# STEP BYTES ACT HOLDS ORPHANS: the file has BYTES; after the death it holds
# that; ORPHANS is 1 if portions stay.
CASES='
grow-created 60000 stream old 1
grow-published 60000 stream old 0
write-dirty 200000 write old 0
write-dirty 200000 alloc old 0
write-dirty 200000 punch old 0
write-some 200000 write mix 0
write-done 200000 write new 0
fence-some 200000 longer new 0
settle-fenced 200000 longer new 0
settle-glimpsed 200000 longer new 0
settle-published 200000 longer new 0
fsync-portions 200000 fsync new 0
fsync-published 200000 fsync new 0
truncate-published 200000 trunc new 0
fence-some 200000 trunc new 0
truncate-fenced 200000 trunc new 0
truncate-cleared 200000 trunc new 0
fence-some 200000 inline old 0
inline-fenced 200000 inline old 0
inline-cut 200000 inline cut 0
inline-published 200000 inline cut 1
inline-base 200000 inline new 1
inline-removed 200000 inline new 0
inline-cut 200000 empty cut 0
inline-published 200000 empty cut 1
extend-published 200000 extend new 0
append-fenced 70000 head old 0
fence-some 70000 head old 0
append-glimpsed 70000 head old 0
append-created 70000 head old 0
append-published 70000 head old 0
append-done 70000 head old 0
unlink-opened 200000 unlink old 0
unlink-name 200000 unlink gone 0
unlink-asked 200000 unlink gone 0
unlink-removed 200000 unlink gone 0
unlink-opened 200000 rename old 0
unlink-name 200000 rename new 0
unlink-removed 200000 rename new 0
lock-taken 200000 append old 0
lock-located 200000 append old 0
lock-written 200000 append new 0
'
# A small write makes the file spread: 2.3b, not in the namespace of a set.
WHOLE_CASES='
grow-created 60000 grow old 1
grow-filled 60000 grow part 1
grow-published 60000 grow new 0
'

# prepare NAME BYTES ACT: the file, and what it is before and after.
prepare() {
    local old=$REF/$1.old new=$REF/$1.new
    head -c "$2" "$T/noise-a" >"$old"
    cp "$old" "$W/$1"
    if [ "$3" = rename ]; then
        head -c 150000 "$T/noise-b" >"$new"
        cp "$new" "$W/$1.other"
        return
    fi
    cp "$old" "$new"
    "do_$3" "$new"
}

# case_kill NAME STEP ACT HOLDS ORPHANS
case_kill() {
    local name=$1 f=$W/$1 was left
    was=$(portions)
    act "$name" bash -c "do_$3 $T/mnt-$name/$name"
    ok "$name: the client stops at $2" expect_within "${STOP_WAIT:-30}" is_stopped "$name" "$2" || {
        note "$(cat "$T/out-$name")"
        mount_kill "$name"
        return
    }
    ok "$name: meanwhile another client reads it" holds "$f" "$name" "$4"
    # Another O_APPEND waits for the dead one's lock.
    [ "$3" != append ] || act "$name-w" bash -c "head -c 100 $T/noise-c | dd of=$f oflag=append conv=notrunc status=none"
    mount_kill "$name"
    if [ "$3" = append ]; then
        ok "$name: the lock went with the client" expect_within 20 test -s "$T/rc-$name-w"
        head -c 100 "$T/noise-c" >>"$REF/$name.old"
        head -c 100 "$T/noise-c" >>"$REF/$name.new"
    fi
    ok "$name: after its death too" holds "$f" "$name" "$4"
    [ "$4" = gone ] || ok "$name: settled by the next close, and usable" usable "$f" "$name"
    rm -f "$f" "$f.other"
    case $3 in
    unlink) was=$((was - PER_FILE)) ;;
    rename) was=$((was - 2 * PER_FILE)) ;;
    *) was=$((was - $(per_file "$name"))) ;;
    esac
    # What a dead client's unlink left is taken away by another one, soon.
    [ "$5" = 1 ] || expect_within 40 has_portions "$was"
    left=$(($(portions) - was))
    [ "$left" = 0 ] || left=1
    is "$name: portions are left where protocol.md says so" "$left" "$5"
}

# How many portions the file had: one in the head, four with more than a block.
PER_FILE=4
per_file() {
    case $(stat -c %s "$REF/$1.old") in
    60000) echo 0 ;;
    7????) echo 1 ;;
    *) echo 4 ;;
    esac
}

# case_cont NAME STEP ACT: it goes on after another client has written.
case_cont() {
    local name=$1 f=$W/$1 new=$REF/$1.new far=0
    act "$name" bash -c "do_$3 $T/mnt-$name/$name"
    ok "$name: the client stops at $2" expect_within "${STOP_WAIT:-30}" is_stopped "$name" "$2" || return
    if [ "$3" != rename ] && [ "$3" != unlink ] && [ "$3" != empty ]; then
        [ "$(stat -c %s "$new")" -lt 96000 ] || far=1
        must bounded 30 bash -c "put \"\$@\"" - "$f" c 512 256 fsync
        put "$new" c 512 256
        [ $far = 0 ] || [ "$(stat -c %s "$f")" -lt 96000 ] || {
            must bounded 30 bash -c "put \"\$@\"" - "$f" c 95000 1000
            put "$new" c 95000 1000
        }
    fi
    ok "$name: it goes on and succeeds" go_on "$name" || note "$(cat "$T/out-$name")"
    if [ "$3" = unlink ]; then
        nok "$name: the name is gone" test -e "$f"
    else
        ok "$name: both clients' bytes are there" holds "$f" "$name" new
        ok "$name: settled by the next close, and usable" usable "$f" "$name"
        rm -f "$f"
    fi
    ok "$name: unmounted" umount_volume "$name"
}

# crash_cases VARIANT...: all cases, or those that match $CRASH_ONLY.
crash_cases() {
    local i first v step bytes what holds orphans all=()
    while read -r step bytes what holds orphans; do
        [ -n "$step" ] || continue
        [[ $step-$what =~ ${CRASH_ONLY:-.} ]] || continue
        all+=("$step $bytes $what $holds $orphans")
    done <<<"$CASES"

    for ((first = 0; first < ${#all[@]}; first += 4)); do
        # Mounting takes longest: some at once.
        for ((i = first; i < first + 4 && i < ${#all[@]}; i++)); do
            read -r step bytes what holds orphans <<<"${all[i]}"
            for v in "$@"; do
                prepare "$what-$step-$v" "$bytes" "$what"
                victim "$what-$step-$v" "$step" &
            done
        done
        wait
        for ((i = first; i < first + 4 && i < ${#all[@]}; i++)); do
            read -r step bytes what holds orphans <<<"${all[i]}"
            for v in "$@"; do
                "case_$v" "$what-$step-$v" "$step" "$what" "$holds" "$orphans"
            done
        done
    done
}
