# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Bricks of a disperse set that a dead client has left different: files in every such
# state, what is done to them, and whether the bricks agree in the end. Sourced by
# sets-disperse-even*.sh.
# shellcheck source=guard-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/guard-lib.sh"
# shellcheck source=sets-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/sets-lib.sh"

sets_want

# ---- files

SIZE=200001
noise 600000 >"$T/noise"
piece() { # piece OFFSET BYTES: some of the noise
    tail -c +$(($1 + 1)) "$T/noise" | head -c "$2"
}
fill() { # fill FILE...
    local f n=0
    for f; do
        piece $((n += 1001)) $SIZE >"$T/want/$f"
        must cp "$T/want/$f" "$M/$f"
    done
}
# What is done to a file, in the volume and in $T/want alike; each begins and ends in
# the middle of a stripe and of a block.
do_read() { cmp "$M/$1" "$T/want/$1"; }
do_over() {
    piece $((RANDOM * 8)) 70001 >"$T/piece"
    want dd if="$T/piece" of="$1" bs=70001 seek=100003 oflag=seek_bytes conv=notrunc status=none
}
do_append() {
    piece $((RANDOM * 8)) 30001 >"$T/piece"
    want dd if="$T/piece" of="$1" bs=30001 oflag=append conv=notrunc status=none
}
do_chop() { want truncate -s $(($(stat -c %s "$T/want/$1") - 30011)) "$1"; }
do_longer() { want truncate -s $(($(stat -c %s "$T/want/$1") + 40009)) "$1"; }
do_stat() { [ "$(stat -c %s "$M/$1")" = "$(stat -c %s "$T/want/$1")" ]; }
OPS=(read over append chop longer stat)

# worked FILE FIRST: what FIRST is, then all the others; after each the file is right.
worked() {
    local op
    for op in "${2%[0-9]}" "${OPS[@]}"; do
        "do_$op" "$1" || { echo "$op fails" && return 1; }
        bounded 60 cmp "$M/$1" "$T/want/$1" || { echo "wrong after $op" && return 1; }
        do_stat "$1" || { echo "wrong size after $op: $(stat -c %s "$M/$1" "$T/want/$1" | xargs)" && return 1; }
    done
}

# ---- what bricks are told

SAY=()
gfid_of() { # gfid_of FILE: by the first brick that has it
    local i hex
    for i in 0 3; do
        hex=$(getfattr -h -e hex -n trusted.gfid "${BRICK[i]}/$1" 2>/dev/null | sed -n 's/.*=0x//p')
        [ -z "$hex" ] || break
    done
    echo "${hex:0:8}-${hex:8:4}-${hex:12:4}-${hex:16:4}-${hex:20}"
}
portion_on() { # portion_on BRICK FILE: its path on it
    (cd "${BRICK[$1]}" && find .allot -type f -name "$(gfid_of "$2").*")
}
tell() { # tell BRICK COMMAND FILE SETTING...: later, by told
    SAY[$1]+="$2 $3 client${4:+ ${*:4}}: 0 *"$'\n'
}
raise() { # raise LEAF FILE SETTING...: its portions on this brick of each set
    local i p
    for i in "$1" $(($1 + 3)); do
        p=$(portion_on "$i" "$2")
        [ -z "$p" ] || tell "$i" raise "$p" "${@:3}"
    done
}
republish() { # republish LEAF FILE SETTING...
    local i=$1
    [ -e "${BRICK[i]}/$2" ] || i=$(($1 + 3))
    tell "$i" republish "$2" "${@:3}"
}
told() {
    local i
    for i in "${!SAY[@]}"; do
        cat >"$T/vol/probe.vol" <<VOLFILE
volume brick
    type protocol/client
    option transport-type tcp
    option remote-host 127.0.0.1
    option remote-port ${PORT[i]}
    option remote-subvolume brick
end-volume
VOLFILE
        talk "brick $i is told" <<<"${SAY[i]}"
    done
    SAY=()
}

# state NAME FILE A B C: what a dead client left; A, B, C are the leaves.
state() {
    local f=$2 a=$3 b=$4 c=$5
    case $1 in
    one) raise "$a" "$f" by=1 ;;
    two) raise "$a" "$f" by=1 && raise "$b" "$f" by=1 ;;
    # 2.14: closed on one, on two; closed on all and raised on one, on two
    closed) raise "$a" "$f" closed ;;
    closed2) raise "$a" "$f" closed && raise "$b" "$f" closed ;;
    cut) raise "$a" "$f" closed && raise "$b" "$f" closed && raise "$c" "$f" closed && raise "$a" "$f" by=1 ;;
    cut2)
        raise "$a" "$f" closed && raise "$b" "$f" closed && raise "$c" "$f" closed
        raise "$a" "$f" by=1 && raise "$b" "$f" by=1
        ;;
    record) republish "$a" "$f" by=1 ;;
    record2) republish "$a" "$f" by=1 && republish "$b" "$f" by=1 ;;
    dirty) republish "$a" "$f" ;;
    # a settle: fenced everywhere, published on one
    settle) raise "$a" "$f" by=1 && raise "$b" "$f" by=1 && raise "$c" "$f" by=1 && republish "$a" "$f" by=1 ;;
    esac
}

# ---- what bricks have

# differ KEY PATH: what the bricks of a set have of it differs, or not all have it.
has() { # has BRICK KEY PATH
    getfattr -h -e hex -n "$2" "${BRICK[$1]}/$3" 2>/dev/null | sed -n 's/.*=0x//p'
}
uneven() { # uneven: the portions and bases on which bricks do not agree, or closed ones
    local first i key p a
    for first in 0 3; do
        for i in $first $((first + 1)) $((first + 2)); do
            (cd "${BRICK[i]}" && find . -name .glusterfs -prune -o -type f -print)
        done | sort | uniq | while read -r p; do
            key=trusted.allot.record
            [[ $p != ./.allot/* ]] || key=trusted.allot.portion
            a=$(has $first $key "$p")
            [ "$a" = "$(has $((first + 1)) $key "$p")" ] && [ "$a" = "$(has $((first + 2)) $key "$p")" ] &&
                { [ $key = trusted.allot.record ] || { [ -n "$a" ] && [ "${a:12:2}" = 00 ]; }; } ||
                echo "$first $p $(has $first $key "$p") $(has $((first + 1)) $key "$p") $(has $((first + 2)) $key "$p")"
        done
    done
}
right() {
    local f
    for f in "$@"; do
        bounded 60 cmp "$M/$f" "$T/want/$f" || return 1
        [ "$(stat -c %s "$M/$f")" = "$(stat -c %s "$T/want/$f")" ] || return 1
    done
}
# dirtied FILE...: somebody writes and syncs them and dies: their records stay DIRTY.
dirtied() {
    sets_mount w
    coproc WRITER {
        exec python3 -c '
import os, sys
fds = []
for path in sys.argv[1:]:
    fd = os.open(path, os.O_RDWR)
    os.pwrite(fd, os.pread(fd, 5000, 150000), 150000)
    os.fsync(fd)
    fds.append(fd)
print("done", flush=True)
sys.stdin.read()' "${@/#/$M/}" 2>&1
    }
    local pid=$WRITER_PID said
    IFS= read -r -t 60 said <&"${WRITER[0]}"
    is "the files are written to" "$said" "done"
    must mount_kill w
    kill "$pid"
    wait "$pid"
}

# ---- the course of a test

ONLY=${EVEN_ONLY:-.} # of the files, those whose name has this in it
# "over" three times: from which bricks disperse reads the rest of a stripe is chance.
FIRST=(read over append chop over2 over3)

# made STATE...: a file for each state and each first call, in FILES; every second one
# is DIRTY. Nothing is mounted then.
made() {
    local s op n=0 opened=()
    FILES=()
    for s; do
        for op in "${FIRST[@]}"; do
            [[ $s-$op =~ $ONLY ]] || continue
            FILES+=("$s-$op")
            [ $(((n++ + n / ${#FIRST[@]}) % 2)) = 0 ] || opened+=("$s-$op")
        done
    done
    fill "${FILES[@]}"
    [ ${#opened[@]} = 0 ] || dirtied "${opened[@]}"
    must umount_volume m
    is "the bricks agree" "$(uneven)" ""
}
# without_each: all is healed, the bricks agree, and any two of each set have all.
without_each() {
    local i
    ok "a self-heal daemon runs" heal_start
    ok "all is healed" expect_within 60 healed {0..5}
    is "in the end the bricks agree" "$(uneven)" ""
    for i in 0 1 2; do
        brick_kill $i
        brick_kill $((i + 3))
        ok "each byte is there without bricks $i and $((i + 3))" fresh right "${FILES[@]}"
        brick_start $i
        brick_start $((i + 3))
    done
}
