#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 60
# A brick is killed and returns. Files of many sizes and layouts; what the
# report says is compared with what reading every byte returns; writing goes on
# meanwhile. Once with replicated names, once with names distributed over the
# same bricks (then a name on the dead brick is away, as it always was).
# shellcheck source=fail-lib.sh
. "$(dirname "$0")/fail-lib.sh"

DEAD=2

# Names that can be reached while brick $DEAD is down.
reachable() {
    local f
    for f in "$@"; do
        [ "$KIND" = net-4-plain ] && [ -e "${BRICK[DEAD]}/$f" ] || echo "$f"
    done
}

# Daemons must not inherit descriptor 7, see below.
cat_to_7() {
    cat "$T/more" >&7
}

# Every size that stands at a border of something, and the middle of pages.
write_files() {
    local size
    FILES=()
    for size in 0 1 100 4096 65535 65536 65537 69632 131072 200000 786432 5242980; do
        put_file "d/s$size" $size
        FILES+=("d/s$size")
    done
    truncate -s $((40 * 65536)) "$ORIG/sparse"
    noise 65536 | dd of="$ORIG/sparse" bs=65536 seek=30 conv=notrunc status=none
    noise 4096 | dd of="$ORIG/sparse" bs=4096 seek=200 conv=notrunc status=none
    must cp --sparse=always "$ORIG/sparse" "$W/sparse"
    FILES+=(sparse)
}

# Other layouts: mounts with other options write into the same volume.
write_layouts() {
    local o
    for o in 4KB:255 1MB:2 16KB:1; do
        volume_make "$KIND" "${OPTIONS[@]}" --block-size "${o%:*}" --width "${o#*:}"
        must_mount "o${o%:*}"
        W=$M put_file "layout/b${o%:*}" 2500000
        FILES+=("layout/b${o%:*}")
        umount_volume "o${o%:*}"
    done
    volume_make "$KIND" "${OPTIONS[@]}" --block-size 64KB
}

scenario() { # scenario TEMPLATE [OPTION...]
    local f
    KIND=$1
    shift
    OPTIONS=("${OPTIONS_ALL[@]}" "$@")
    volume_make "$KIND" "${OPTIONS[@]}" --block-size 64KB
    volume_start
    must_mount w
    W=$M
    write_files
    write_layouts
    # To be written to while the brick is down: open all the time, appended to,
    # overwritten.
    put_file grows 300001
    put_file log 70001
    put_file torn 1000003
    exec 7>>"$W/grows"
    FILES+=(grows log torn)
    must_mount r "${DIRECT[@]}" 7>&-

    allot_json whole 0 report "$M"
    report_holds whole "${FILES[@]}"
    is_j "$KIND: exact" whole '[.exact, .inexact_because, .damaged_files]' '[true,[],[]]'

    # ---- down ---------------------------------------------------------------

    must brick_kill $DEAD
    state_comes "$M" c$DEAD down
    state_comes "$W" c$DEAD down
    allot_json status 1 status "$M"
    is_j "$KIND: the volume is PARTIAL, one brick is down" status \
        '[.state, [.bricks[].state]]' '["PARTIAL",["up","up","down","up"]]'
    allot_json down 1 report "$M"
    mapfile -t here < <(reachable "${FILES[@]}")
    report_holds down "${here[@]}"
    is_j "$KIND: all of it is unavailable, nothing lost" down \
        '[.blocks.lost, .blocks.failed - .blocks.unavailable, ([.damaged_files[].reason] | unique)]' \
        '[0,0,["down"]]'
    if [ "$KIND" = net-4 ]; then
        is_j "$KIND: the report is exact" down '[.exact, .files.total]' "[true,${#FILES[@]}]"
    else
        is_j "$KIND: the report says that names are away" down \
            '[.exact, (.inexact_because | length > 0), .surviving_unnamed.files > 0]' '[false,true,true]'
        is_j "$KIND: files that have a name" down .files.total ${#here[@]}
    fi

    # ---- writing goes on ----------------------------------------------------

    NEW=()
    W=$T/mnt-w
    for f in n1 n2 n3 n4 n5 n6; do
        # Over distributed names some cannot be made: that is no matter of data.
        if [ "$KIND" = net-4-plain ] && ! : 2>/dev/null >"$W/$f"; then
            continue
        fi
        put_file "$f" $((400000 + ${f#n} * 77777))
        NEW+=("$f")
    done
    ok "$KIND: new files could be made" test ${#NEW[@]} -gt 0
    noise 1500000 >"$T/more"
    if [[ " ${here[*]} " = *" grows "* ]]; then
        cat "$T/more" >>"$ORIG/grows"
        ok "$KIND: an open file grows" cat_to_7
    fi
    if [[ " ${here[*]} " = *" log "* ]]; then
        for ((f = 1; f <= 40; f++)); do
            noise 5001 >"$T/more"
            cat "$T/more" >>"$ORIG/log"
            cat "$T/more" >>"$W/log" || bail "append $f fails"
        done
    fi
    must_mount s "${DIRECT[@]}" 7>&-
    ok "$KIND: new files read back" whole "${NEW[@]}"
    for f in "${NEW[@]}"; do
        members_of "$f" -1
    done | sort -u >"$T/members"
    nok "$KIND: none of it is on the dead brick" grep -w c$DEAD "$T/members"
    mapfile -t here < <(reachable "${FILES[@]}")
    here+=("${NEW[@]}")
    for f in grows log; do
        [[ " ${here[*]} " = *" $f "* ]] || continue
        nok "$KIND: what is added to $f is not on the dead brick" grep -w c$DEAD <(members_of $f -1)
    done
    allot_json down2 1 report "$M"
    report_holds down2 "${here[@]}"

    # ---- it returns ---------------------------------------------------------

    must brick_start $DEAD 7>&-
    state_comes "$M" c$DEAD up
    state_comes "$T/mnt-r" c$DEAD up
    exec 7>&-
    for f in "$M" "$T/mnt-r"; do
        M=$f
        ok "$KIND: $(basename "$f"): every byte of every file is back" whole "${FILES[@]}" "${NEW[@]}"
    done
    allot_json back 0 report "$M"
    report_holds back "${FILES[@]}" "${NEW[@]}"
    is_j "$KIND: nothing failed" back '[.exact, .blocks.failed, .bytes.failed, .damaged_files]' '[true,0,0,[]]'
    allot_json up 0 status "$M"
    is_j "$KIND: the volume is UP" up .state UP
    # What was written after it, also to the brick that was away.
    W=$T/mnt-w
    for f in grows log n1; do
        [ -e "$ORIG/$f" ] || continue
        add_to "$f" 1200000
    done
    must_mount z "${DIRECT[@]}"
    ok "$KIND: files that grew before, during and after read back" whole grows log
    for f in w r s z; do
        umount_volume $f
    done
    for ((f = 0; f < NBRICKS; f++)); do
        brick_kill $f TERM
        brick_wipe $f
    done
    rm -rf "${ORIG:?}"/*
}

bricks_make 4 512M
scenario net-4
scenario net-4-plain --inline-limit 8KB
done_testing
