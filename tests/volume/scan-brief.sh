#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 20
# A brick answers the listing of a report itself, where only translators that change
# nothing stand between the guard and storage/posix; else posix does. What a mount says
# of a directory with files of all kinds must be the same, name by name.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ALLOT=allot
[ "$BUILD" = installed ] || ALLOT=$BUILD/allot

# restart HOW: new processes, which remember nothing. "posix": with a volume between that
# the guard does not know.
restart() {
    local i
    umount_volume m
    for ((i = 0; i < NBRICKS; i++)); do
        brick_kill $i TERM
        [ "$1" = guard ] || sed -i -e '/^volume guard$/,/^end-volume$/s/subvolumes locks/subvolumes between/' \
            -e 's#^volume guard$#volume between\n    type debug/io-stats\n    subvolumes locks\nend-volume\n\nvolume guard#' \
            "$T/vol/brick-$i.vol"
    done
    volume_start
    must_mount m
}
# children DIR: its entries, each with its layout in place of the layout's number.
children() {
    local key=glusterfs.allot.children next page
    while :; do
        page=$(getfattr --absolute-names --only-values -n "$key" "$M/$1") || return 1
        jq -Sc '.layouts as $l | .entries[] | if .[5] != null then .[5] = $l[.[5]] else . end' <<<"$page"
        next=$(jq -r '.next // empty' <<<"$page")
        [ -n "$next" ] || break
        key=glusterfs.allot.children.$next
    done | sort
}
listed() { # listed FOP: calls of it that reached storage/posix, on all bricks
    local i
    for ((i = 0; i < NBRICKS; i++)); do
        fop_counts "$(brick_pid $i)" | awk -v f="$1" '$1 == "posix" && $2 == f { print $3 }'
    done | awk '{ n += $1 } END { print n + 0 }'
}

noise 300000 >"$T/spread"
bricks_dirs 4
for kind in net-4-plain net-4; do
    volume_make $kind --block-size 64KB
    volume_start
    must_mount m
    mkdir "$M/d" "$M/d/below" "$M/d/below/deep"
    (
        cd "$M/d" || exit 1
        for ((i = 0; i < 40; i++)); do
            cp "$T/spread" "spread-$i" && head -c $((i * 7)) "$T/spread" >"small-$i"
        done
        # Some of these come to a name that belongs to another brick.
        for ((i = 0; i < 20; i++)); do
            mv "spread-$i" "moved-spread-$i" && mv "small-$i" "moved-small-$i"
        done
        ln spread-20 link && ln small-20 below/link && chmod 1644 small-21 spread-21
        truncate -s 5M sparse && truncate -s 100000 spread-22
        ln -s small-23 symlink && mkfifo fifo
        cp "$T/spread" $'latin-\xe9' && cp "$T/spread" $'new\nline "quote"'
        cp "$T/spread" "$(printf '%0255d' 1)"
    ) || bail "cannot make the files"
    [ $kind = net-4 ] || ok "$kind: a name stands for a file on another brick" \
        test "$(find "$T"/b?/d -perm 1000 -type f | wc -l)" -ge 1
    restart guard
    children d >"$T/$kind.guard"
    is "$kind: no listing of storage/posix's own" "$(listed READDIRP)" 0
    ok "$kind: it was listed" test "$(listed READDIR)" -ge 1
    find "$M" -ls >"$T/find"
    is "$kind: the same when the brick has met the names" "$(children d | md5sum)" "$(md5sum <"$T/$kind.guard")"
    "$ALLOT" report "$M" --json >"$T/guard.json"
    restart posix
    children d >"$T/$kind.posix"
    ok "$kind: storage/posix lists" test "$(listed READDIRP)" -ge 1
    ok "$kind: both say the same" diff "$T/$kind.guard" "$T/$kind.posix"
    is "$kind: every name once" "$(jq -c '.[0]' "$T/$kind.guard" | sort -u | wc -l) $(wc -l <"$T/$kind.guard")" \
        "$(find "$M/d" -mindepth 1 -maxdepth 1 ! -type l ! -type p -printf x | wc -c) $(find "$M/d" -mindepth 1 -maxdepth 1 ! -type l ! -type p -printf x | wc -c)"
    ok "$kind: files are known, not to be asked for" \
        test "$(jq -c 'select(.[1] == 8 and .[2] != null)' "$T/$kind.guard" | wc -l)" -ge 80
    "$ALLOT" report "$M" --json >"$T/posix.json"
    is "$kind: the same report" "$(jq -Sc '[.files, .blocks, .bytes, .bricks, .exact]' "$T/guard.json")" \
        "$(jq -Sc '[.files, .blocks, .bytes, .bricks, .exact]' "$T/posix.json")"
    umount_volume m
    for ((i = 0; i < 4; i++)); do
        brick_kill $i TERM
        brick_wipe $i
    done
done
done_testing
