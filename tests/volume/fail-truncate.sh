#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 25
# Files are cut while a brick with a part of them is down. When it comes back
# it still has the old bytes: they must never be seen again, and where the file
# is made longer there are zeros.
# shellcheck source=fail-lib.sh
. "$(dirname "$0")/fail-lib.sh"

DEAD=1
KB=1024

# chop NAME SIZE: on the volume and on the copy; up is a truncation too.
chop() {
    must truncate -s "$2" "$W/$1"
    truncate -s "$2" "$ORIG/$1"
}

# over NAME OFFSET BYTES: overwrite.
over() {
    noise "$3" >"$T/more"
    dd if="$T/more" of="$ORIG/$1" bs=64K seek="$2" oflag=seek_bytes conv=notrunc status=none
    must dd if="$T/more" of="$W/$1" bs=64K seek="$2" oflag=seek_bytes conv=notrunc,fsync status=none
}

# Portions on the absent brick that reach past what their file was cut to.
old_bytes() {
    find "${BRICK[DEAD]}/.allot" -type f -size +700k | wc -l
}

scenario() { # scenario TEMPLATE [OPTION...]
    local f limit=$2
    KIND=$1
    volume_make "$KIND" "${OPTIONS_ALL[@]}" --block-size 64KB --inline-limit "${limit}KB"
    volume_start
    must_mount w
    W=$M
    FILES=(down zero inline up again many grown unlinked-hole)
    for f in "${FILES[@]}"; do
        put_file "$f" $((1000 * KB + 77))
    done
    must_mount r "${DIRECT[@]}"
    must brick_kill $DEAD
    state_comes "$M" c$DEAD down
    state_comes "$W" c$DEAD down
    if [ "$KIND" = net-4-plain ]; then
        for f in "${!FILES[@]}"; do
            [ -e "${BRICK[DEAD]}/${FILES[f]}" ] && unset "FILES[$f]"
        done
        FILES=("${FILES[@]}")
    fi
    ok "$KIND: files to cut: ${FILES[*]}" test ${#FILES[@]} -ge 2

    for f in "${FILES[@]}"; do
        case $f in
        # Above inline-limit, in the middle of a block.
        down) chop "$f" $((500 * KB + 13)) ;;
        zero) chop "$f" 0 ;;
        # To inline-limit exactly, or a byte when everything is spread.
        inline) chop "$f" $((limit ? limit * KB : 1)) ;;
        # Longer only.
        up) chop "$f" $((3000 * KB + 5)) ;;
        # Down and up: zeros, and the absent brick has the old bytes of them.
        again)
            chop "$f" $((130 * KB))
            chop "$f" $((1000 * KB + 77))
            ;;
        # Several cuts, each absent brick's clip is another one.
        many)
            chop "$f" $((700 * KB + 1))
            chop "$f" $((900 * KB))
            chop "$f" $((300 * KB + 1))
            chop "$f" $((800 * KB + 3))
            chop "$f" $((600 * KB))
            chop "$f" $((2000 * KB))
            ;;
        # Cut and written again while the brick is away.
        grown)
            chop "$f" $((200 * KB + 100))
            add_to "$f" $((900 * KB))
            chop "$f" $((700 * KB))
            add_to "$f" $((50 * KB))
            ;;
        # To nothing and anew.
        unlinked-hole)
            chop "$f" 0
            chop "$f" $((600 * KB))
            over "$f" $((300 * KB)) $((100 * KB))
            ;;
        esac
        is "$KIND: $f: size" "$(stat -c %s "$M/$f")" "$(stat -c %s "$ORIG/$f")"
    done
    # What can be read now is right, and the report says what cannot.
    must_mount s "${DIRECT[@]}"
    allot_json cut "$(("$("$ALLOT" report "$M" --json | jq .blocks.failed)" > 0 ? 1 : 0))" report "$M"
    report_ranges_hold cut "${FILES[@]}"

    # Otherwise this test shows nothing.
    ok "$KIND: the absent brick still has old bytes" test "$(old_bytes)" -ge 1
    must brick_start $DEAD
    state_comes "$M" c$DEAD up
    state_comes "$T/mnt-r" c$DEAD up
    state_comes "$W" c$DEAD up
    for f in mnt-s mnt-r mnt-w; do
        M=$T/$f
        ok "$KIND: $f: no old byte comes back" whole "${FILES[@]}"
    done
    must_mount t "${DIRECT[@]}"
    ok "$KIND: nor to a new client" whole "${FILES[@]}"
    allot_json back 0 report "$M"
    is_j "$KIND: nothing is damaged" back '[.exact, .damaged_files]' '[true,[]]'

    # Longer again, with every brick up: zeros to the end.
    for f in "${FILES[@]}"; do
        chop "$f" $((1500 * KB + 1))
        chop "$f" $((1400 * KB))
        chop "$f" $((2500 * KB))
    done
    ok "$KIND: made longer they are zeros" whole "${FILES[@]}"
    for f in "${FILES[@]}"; do
        add_to "$f" $((100 * KB))
        over "$f" $((450 * KB)) $((300 * KB))
    done
    ok "$KIND: and can be written" whole "${FILES[@]}"
    M=$T/mnt-r
    ok "$KIND: seen by another client" whole "${FILES[@]}"

    for f in w r s t; do
        umount_volume $f
    done
    for ((f = 0; f < NBRICKS; f++)); do
        brick_kill $f TERM
        brick_wipe $f
    done
    rm -rf "${ORIG:?}"/*
}

bricks_make 4 512M
scenario net-4 0
scenario net-4-plain 64
done_testing
