#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 40
# The same calls (posix-calls.c), at borders, with bad arguments, of root and of
# others, on plain distribute and on allot: results, errnos and bytes are the
# same, call by call. Through a mount and through libgfapi.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

CALLS=$BUILD/tests/volume/posix-calls
[ -x "$CALLS" ] || bail "$CALLS is missing; ./dev build makes it"
export FS_GFAPI_LOG=$LOG/gfapi.log

portions() { # how many, on all bricks
    local b n=0
    for b in "${BRICK[@]}"; do
        [ ! -d "$b/.allot" ] || n=$((n + $(find "$b/.allot" -type f | wc -l)))
    done
    echo "$n"
}

no_portions() {
    [ "$(portions)" -eq 0 ]
}

# A libgfapi program that ends does not wait for what its last close has begun, so
# that portions are looked for before it.
# calls NAME: all of them on $M and its volfile, to $T/NAME-*.
calls() {
    mkdir "$M/names" "$M/data"
    chmod 755 "$M/names"
    ok "$1: names" bounded 100 sh -c "$CALLS names $M/names >$T/$1-names"
    ok "$1: data through a mount" bounded 100 sh -c "$CALLS data $M/data >$T/$1-mount"
    rm -rf "$M/names"
    [[ $1 == replicate || $1 == distribute ]] ||
        ok "$1: no portion is left" expect_within 10 no_portions
    ok "$1: data through libgfapi" bounded 100 sh -c "$CALLS data gfapi:$T/vol/client.vol >$T/$1-gfapi"
    rm -rf "$M/data"
    is "$1: nothing is left" "$(ls -A "$M")" ""
}

same() { # same STOCK NAME WHAT
    local lines
    lines=$(wc -l <"$T/$1-$3")
    is "$2: $lines lines of $3 are those of $1" \
        "$(diff "$T/$1-$3" "$T/$2-$3" | head -40)" ""
}

bricks_make 4 512M
# replicate: net-4 without cluster/allot. Its errnos are replicate's own in two
# places, and so are the mode bits that distribute uses for itself.
for KIND in distribute plain plain-0 replicate replicated; do
    case $KIND in
    distribute) volume_make net-4-distribute ;;
    replicate)
        volume_make net-4
        sed -i -e '/^volume allot$/,/^end-volume$/d' \
            -e 's/^\( *subvolumes\) allot$/\1 afr/' "$T/vol/client.vol"
        sed -i -e '/^volume guard$/,/^end-volume$/d' \
            -e 's/^\( *subvolumes\) guard$/\1 locks/' "$T/vol"/brick-*.vol
        ;;
    plain) volume_make net-4-plain ;;
    plain-0) volume_make net-4-plain --inline-limit 0 ;;
    replicated) volume_make net-4 ;;
    esac
    for ((i = 0; i < NBRICKS; i++)); do
        brick_wipe "$i"
    done
    volume_start
    must_mount "$KIND"
    calls "$KIND"
    case $KIND in
    plain*)
        for what in names mount gfapi; do
            same distribute "$KIND" $what
        done
        ;;
    replicated)
        for what in names mount gfapi; do
            same replicate "$KIND" $what
        done
        ;;
    esac
    must umount_volume "$KIND"
    for ((i = 0; i < NBRICKS; i++)); do
        must brick_kill "$i"
    done
done
ok "there was something to compare" test "$(cat "$T"/distribute-* | wc -l)" -gt 800
done_testing
