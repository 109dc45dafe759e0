#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 35
# Too many bricks of a disperse set go while a file is open and written, and come back:
# a sync says EIO, once. What is then written again is vouched for by the next sync and
# by the close, in portions as in the inline part.
# shellcheck source=sets-close-lib.sh
. "$(dirname "$0")/sets-close-lib.sh"

# bytes_on BRICK: of all that it has.
bytes_on() {
    find "${BRICK[$1]}" -name .glusterfs -prune -o -type f -printf '%s\n' | awk '{ n += $1 } END { print n }'
}
more_on() { # more_on BRICK BYTES
    [ "$(bytes_on "$1")" -gt "$2" ]
}
# two_go SET [FILE AT]: bricks of it go and come back, and the writer knows. FILE is
# being written meanwhile, whole stripes behind the end of what is there: the third
# brick has them, the others have not answered when they go. That disperse takes for the
# end of all that it knew.
two_go() {
    local first=$(($1 * 3)) had
    if [ $# -gt 1 ]; then
        had=$(bytes_on $((first + 2)))
        kill -STOP "$(brick_pid $first)" "$(brick_pid $((first + 1)))"
        echo "write $2 $3" >&"${HOLD[1]}"
        expect_within 4 more_on $((first + 2)) "$had" || bail "no write under way"
    fi
    brick_kill $first
    brick_kill $((first + 1))
    [ $# -le 1 ] || heard
    ok "two bricks of a set are away" status_soon 'set("s'"$1"'").state == "down"'
    brick_start $first
    brick_start $((first + 1))
    M=$W
    status_soon '.state == "UP"' || bail "the writer does not see that they are back"
    M=$T/mnt-m
    status_soon '.state == "UP"' || bail "they do not come back"
}
# told_once FILE: BYTES AT...: what was written is written again, and is good.
told_once() {
    local f=$1 said=() i
    say fsync
    is "$f: the next sync says EIO" "$SAID" EIO
    for ((i = 2; i < $#; i += 2)); do
        say "write ${!i} ${*:i+1:1}"
        said+=("$SAID")
        dd if="${!i}" of="$T/want-$f" bs=1M seek="${*:i+1:1}" oflag=seek_bytes conv=notrunc status=none
    done
    is "$f: written again" "$(printf '%s\n' "${said[@]}" | sort -u)" ok
    say fsync
    is "$f: the sync is one" "$SAID" ok
    say close
    is "$f: so is the close" "$SAID" ok
    let_go
    must mount_kill w
    ok "$f: the client dies: all is there" right_at "$f"
}
# Two blocks, one for each set, behind the others.
head -c 131072 "$T/data" >"$T/blocks"
for set in 0 1; do
    writer
    hold again$set
    say "write $T/data 0"
    cp "$T/data" "$T/want-again$set"
    two_go $set
    told_once again$set "$T/data" 0
    writer
    hold flight$set
    say "write $T/data 0"
    cp "$T/data" "$T/want-flight$set"
    two_go $set "$T/blocks" 720896
    told_once flight$set "$T/data" 0 "$T/blocks" 720896
done

# Of a spread file only the inline part: its set is that of the name.
base_set() { # base_set FILE
    [ ! -e "${BRICK[0]}/$1" ] || { echo 0 && return; }
    echo 1
}
head -c 3001 "$T/more" >"$T/part"
head -c 3072 "$T/more" >"$T/stripes"
# inline FILE: a spread file with a base of 100 bytes; all is synced; then bytes of its
# inline part are written, which make the base longer.
inline() {
    writer
    hold "$1"
    head -c 100 "$T/data" >"$T/want-$1"
    say "write $T/want-$1 0"
    say "write $T/more 100000"
    dd if="$T/more" of="$T/want-$1" bs=1M seek=100000 oflag=seek_bytes conv=notrunc status=none
    say fsync
    is "$1: all is synced" "$SAID" ok
    say "write $T/part 20011"
    dd if="$T/part" of="$T/want-$1" bs=1M seek=20011 oflag=seek_bytes conv=notrunc status=none
    is "$1: then some bytes of the inline part are written" "$SAID" ok
}
# Disperse has forgotten nothing if no call failed: one that says nothing has lost nothing.
inline gone
two_go "$(base_set gone)"
say fsync
is "nothing failed meanwhile: the sync is one" "$SAID" ok
must mount_kill w
let_go
ok "so all is there" right_at gone
inline base
two_go "$(base_set base)" "$T/stripes" 30720
told_once base "$T/part" 20011 "$T/stripes" 30720
# The other set's bricks go: nobody is told.
inline other
two_go $((1 - $(base_set other)))
say fsync
is "bricks without the inline part went: the sync is one" "$SAID" ok
say close
is "so is the close" "$SAID" ok
let_go
must mount_kill w
ok "all is there" right_at other
done_testing
