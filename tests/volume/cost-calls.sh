#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 15
# alone: yes
# A file within inline-limit causes exactly the calls to bricks that
# cluster/distribute alone causes: the same work is done on a volume with
# cluster/allot and on one without, and the calls that arrive at the four
# protocol/clients, from distribute or from allot itself, are equal for every
# fop.
#
# Not compared: statfs. Distribute asks for free space when its last answer is
# too old, allot asks on a timer; neither is a matter of files. Nor are a few
# getxattrs: every five seconds allot asks one brick for its handshake, and every
# brick for removed files. Other
# calls of its own (the registry) come before the counting begins. stat and fstat
# are counted as one: the FUSE bridge takes fstat as long as the kernel has not
# released the file, a matter of time.
#
# Calls of a spread file are shown for information; that they differ shows that
# a difference would be found.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

FILES=60
SIZES=(0 1 511 4096 20000 65536) # the last one is inline-limit

# "FOP CALLS" over all protocol/clients of mount m.
calls() {
    fop_counts "$(mount_pid m)" |
        awk '$1 ~ /^c[0-9]+$/ && $2 != "STATFS" { n[$2 == "FSTAT" ? "STAT" : $2] += $3 }
             END { for (fop in n) print fop, n[fop] }' | sort
}

# Write-behind and releases go on for a moment after the last system call: until
# two counts in a row are the same.
calls_settled() {
    local last=none now i
    for ((i = 0; i < 100; i++)); do
        now=$(calls)
        [ "$now" != "$last" ] || break
        last=$now
    done
    echo "$now"
}

difference() { # difference BEFORE AFTER: the calls in between
    awk 'NR == FNR { was[$1] = $2; next }
         # Five calls every five seconds: has another client changed the
         # registry, does a guard know of removed files. No phase takes half a
         # minute, and a call for each file shows.
         $1 == "GETXATTR" && $2 - was[$1] < 30 { next }
         $2 > was[$1] { printf "%s%s %d", sep, $1, $2 - was[$1]; sep = ", " }' \
        <(echo "$1") <(echo "$2")
}

# Each phase of the work on directory $1. A file is written by one write():
# how several are merged by write-behind is a matter of time.
work_create() {
    local i size
    for ((i = 0; i < FILES; i++)); do
        size=${SIZES[i % ${#SIZES[@]}]}
        dd if=/dev/zero of="$1/f$i" bs=$((size + !size)) count=$((!!size)) status=none || return 1
    done
}
work_write() { # into what exists
    local i
    for ((i = 1; i < FILES; i++)); do
        dd if=/dev/zero of="$1/f$i" bs=12K count=1 oflag=seek_bytes seek=4096 \
            conv=notrunc,fsync status=none || return 1
    done
}
work_append() {
    local i
    for ((i = 0; i < FILES; i += 6)); do
        echo more >>"$1/f$i" || return 1
    done
}
work_read() {
    local f
    for f in "$1"/f*; do
        # Past the page cache: its readahead splits as it likes.
        dd if="$f" of=/dev/null bs=64K iflag=direct status=none || return 1
    done
}
work_stat() {
    stat -t "$1"/f*
}
work_readdirp() {
    ls -lR "$1" && find "$1" -type f
}
work_truncate() {
    truncate -s 3000 "$1"/f*
}
work_attributes() {
    chmod 600 "$1"/f* && touch "$1"/f* && setfattr -n user.colour -v red "$1/f1" &&
        getfattr -n user.colour "$1/f1"
}
work_link() {
    local i
    for ((i = 0; i < FILES; i += 3)); do
        ln "$1/f$i" "$1/l$i" && ln -s "f$i" "$1/s$i" || return 1
    done
}
work_rename() {
    local i
    for ((i = 0; i < FILES; i++)); do
        mv "$1/f$i" "$1/g$((FILES - i))" || return 1
    done
}
work_unlink() {
    rm "$1"/g* "$1"/l* "$1"/s*
}
work_medium() { # files of one block: spread
    local i
    for ((i = 0; i < FILES; i++)); do
        dd if=/dev/zero of="$1/m$i" bs=100K count=1 status=none || return 1
    done
}

WORK=(create write append read stat readdirp truncate attributes link rename unlink)

# count_work GRAPH: the calls of each phase go to COUNTED[GRAPH PHASE].
declare -A COUNTED
count_work() {
    local phase was now
    must mkdir "$M/d"
    must stat "$M/d"
    was=$(calls_settled)
    for phase in "${WORK[@]}" medium; do
        ok "$1: $phase succeeds" "work_$phase" "$M/d"
        now=$(calls_settled)
        COUNTED[$1 $phase]=$(difference "$was" "$now")
        was=$now
    done
}

count_graph() { # count_graph GRAPH TEMPLATE
    local i
    volume_make "$2"
    volume_start
    # The kernel keeps no names and attributes, so that nothing depends on how
    # long a phase takes.
    must_mount m --attribute-timeout=0 --entry-timeout=0
    count_work "$1"
    if [ "$1" = with ]; then
        count_spread
    fi
    umount_volume m
    for ((i = 0; i < NBRICKS; i++)); do
        brick_kill "$i" TERM
    done
}

# Every brick has a quarter of "space", allocated, and no more.
share_of_space() {
    local b kib wrong=
    for b in "${BRICK[@]}"; do
        kib=$(find "$b/.allot" -name "$(getfattr --only-values -n glusterfs.gfid.string "$M/d/space" 2>/dev/null).*" \
            -exec stat -c '%b' {} + | awk '{ print $1 / 2 }')
        [ "${kib:-0}" -ge 8000 ] && [ "$kib" -le 8400 ] || wrong+="$kib KiB on $b "
    done
    is "each brick has its blocks of it, and not the others'" "$wrong" ""
}

count_spread() {
    local was now
    was=$(calls_settled)
    ok "a file of 4 MiB is written" dd if=/dev/zero of="$M/d/spread" bs=1M count=4 status=none
    now=$(calls_settled)
    COUNTED[spread create]=$(difference "$was" "$now")
    was=$now
    ok "and read" dd if="$M/d/spread" of=/dev/null bs=1M iflag=direct status=none
    now=$(calls_settled)
    COUNTED[spread read]=$(difference "$was" "$now")
    was=$now
    ok "and stat'ed" stat "$M/d/spread"
    now=$(calls_settled)
    COUNTED[spread stat]=$(difference "$was" "$now")
    was=$now
    # A hole over many blocks of each member.
    ok "and a hole is made in it" fallocate -p -o 100000 -l 4000000 "$M/d/spread"
    now=$(calls_settled)
    COUNTED[spread discard]=$(difference "$was" "$now")
    was=$now
    ok "and space is allocated for another" fallocate -l 32M "$M/d/space"
    now=$(calls_settled)
    COUNTED[spread allocate]=$(difference "$was" "$now")
    share_of_space
    was=$(calls_settled)
    ok "and unlinked" rm "$M/d/spread"
    now=$(calls_settled)
    COUNTED[spread unlink]=$(difference "$was" "$now")
}

bricks_make 4 512M
count_graph without net-4-distribute
for ((i = 0; i < NBRICKS; i++)); do
    brick_wipe "$i"
done
count_graph with net-4-plain

for phase in "${WORK[@]}"; do
    note "$phase of $FILES files: ${COUNTED[without $phase]}"
    nok "$phase makes calls" test -z "${COUNTED[without $phase]}"
    is "$phase: the same calls with cluster/allot" \
        "${COUNTED[with $phase]}" "${COUNTED[without $phase]}"
done
for phase in create read stat discard allocate unlink; do
    note "$phase of one spread file of 4 MiB: ${COUNTED[spread $phase]}"
done
for graph in without with; do
    note "$graph cluster/allot: $FILES files of 100 KiB: ${COUNTED[$graph medium]}"
done
calls_of() { # calls_of FOP GRAPH: of the files of one block
    grep -o "\<$1 [0-9]*" <<<"${COUNTED[$2 medium]}" | cut -d' ' -f2
}
is "a file of one block is published once and not fenced" "$(calls_of SETXATTR with)" $FILES
nok "its portion is not asked for its generation" grep GETXATTR <<<"${COUNTED[with medium]}"
is "nor is anything asked for its size" \
    "$(($(calls_of STAT with) - $(calls_of STAT without)))" 0
is "a write to it and one to its base" "$(calls_of WRITE with)" $((2 * $(calls_of WRITE without)))
# Published by the grow, the second extent and the close; the head's portion is fenced for
# the second extent, then all are; and all for the close.
is "a file of two extents and four members is published three times, and fenced" \
    "$(grep -o 'SETXATTR [0-9]*' <<<"${COUNTED[spread create]}")" "SETXATTR $((3 + 1 + 4 + 4))"
is "its unlink is one call to its name and one to each portion" \
    "$(grep -o 'UNLINK [0-9]*' <<<"${COUNTED[spread unlink]}")" "UNLINK 5"
nok "nothing is opened for it" grep OPEN <<<"${COUNTED[spread unlink]}"
# One for the base, which has the file's first bytes.
is "a hole takes one call for each member, not for each block" \
    "$(grep -o 'DISCARD [0-9]*' <<<"${COUNTED[spread discard]}")" "DISCARD 5"
is "so does allocating its space" \
    "$(grep -o 'FALLOCATE [0-9]*' <<<"${COUNTED[spread allocate]}")" "FALLOCATE 5"
ok "a spread file makes other calls, and they are counted" \
    grep -q SETXATTR <<<"${COUNTED[spread create]}"
done_testing
