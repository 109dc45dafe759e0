# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# shellcheck shell=bash
# What the lives of volumes (glusterd-life.sh, glusterd-sets-life.sh) have in
# common: a client that never stops writing (glusterd-life.py) through the mount
# $M of node c1, and the look at everything it was told is written. Sourced after
# glusterd-lib.sh; the volume is $V.
#
#   life_start "$T"/b0/brick       # its growing files have their bases there
#   phase "a brick dies"           # from now on errors carry this
#   ...
#   step                           # it goes on, and what it wrote is right
#   life_stop
#   is "..." "$(errors_of new "a brick dies")" ""    # no other phase has any
#
# Of the growing files $GROW is empty until life_grow, so that allot spreads it;
# $PLAIN grows from the beginning: where that is before allot, it stays plain.
#
# LIFE=full: each step looks at all files, and more is written in each.

S=$T/life
LIFE=${LIFE:-short}
PHASE=
GROW='' PLAIN=''
LISTS=() # of numbers that were acknowledged, in $S
SEEN=()  # how many of each at the last look

# life_start DIR: the brick that gets the bases of the growing files.
life_start() {
    local i=0 list
    mkdir -p "$S" "$M/w"
    # Their names are not those of other bricks, so that no rebalance moves them.
    while [ -z "$GROW" ] || [ -z "$PLAIN" ]; do
        i=$((i + 1))
        must touch "$M/grow$i"
        [ -e "$1/grow$i" ] || continue
        [ -n "$GROW" ] && PLAIN=grow$i || GROW=grow$i
    done
    LISTS=("$GROW" "$PLAIN" written)
    for list in "${LISTS[@]}" errors; do
        : >"$S/$list"
    done
    seen
    phase "started"
    python3 "$TOP/tests/volume/glusterd-life.py" write "$M" "$S" "$GROW" "$PLAIN" 2>"$LOG/writer.err" &
    WRITER=$!
    undo process $WRITER "$(proc_start $WRITER)"
}
life_grow() {
    touch "$S/go"
}

phase() { # phase NAME: what is done from now on
    PHASE=$1
    echo "$1" >"$S/phase.new"
    mv "$S/phase.new" "$S/phase"
}

count() {
    wc -l <"$S/$1"
}

# seen: what is written up to now has been looked at. went_on N: each list has N
# lines more since then.
seen() {
    local i
    for i in "${!LISTS[@]}"; do
        SEEN[i]=$(count "${LISTS[i]}")
    done
}
went_on() {
    local i
    for i in "${!LISTS[@]}"; do
        [ "${LISTS[i]}" = "$GROW" ] && [ ! -e "$S/go" ] && continue
        [ "$(count "${LISTS[i]}")" -ge $((SEEN[i] + $1)) ] || return 1
    done
}

# goes_on N: N lines more in each list from now on; nobody has looked at them then.
goes_on() {
    local seen=("${SEEN[@]}") rc
    seen
    expect_within 60 went_on "$1"
    rc=$?
    SEEN=("${seen[@]}")
    return $rc
}

# life_check MISSING REPORT: everything, by glusterd-life.py.
life_check() {
    printf '%s 0\n' "${LISTS[@]}" >"$T/since"
    bounded 300 python3 "$TOP/tests/volume/glusterd-life.py" check "$M" "$S" "$T/since" "$@" >"$T/checked"
    local rc=$?
    cat "$T/checked"
    return $rc
}

# step: all go on in this phase, and what was written since the last step is right,
# byte for byte.
step() {
    local n=3 i
    for i in "${!LISTS[@]}"; do
        echo "${LISTS[i]} $([ "$LIFE" = short ] && echo "${SEEN[i]}" || echo 0)"
    done >"$T/since"
    [ "$LIFE" = short ] || n=20
    seen
    ok "$PHASE: the client goes on writing" expect_within 90 went_on $n || note "$(tail -3 "$S/errors")"
    ok "$PHASE: what was written is right" bounded 300 python3 "$TOP/tests/volume/glusterd-life.py" \
        check "$M" "$S" "$T/since"
    seen
}

# step_after: the same, but only what is written from here on need be whole.
step_after() {
    local life=$LIFE
    seen
    LIFE=short
    step
    LIFE=$life
}

life_stop() {
    touch "$S/stop"
    ok "the writer ends" expect_within 60 gone "$WRITER" "$(proc_start "$WRITER")"
    is "without an error of its own" "$(cat "$LOG/writer.err")" ""
    note "$(count written) files, $(count "$GROW") and $(count "$PLAIN") records; errors: $(sed -E 's/ [0-9]+ / /; s/ [0-9:]+\|/|/; s/\|.*\|/: /' "$S/errors" |
        sort | uniq -c | tr -s ' ' | paste -sd';')"
}

# errors_of WHAT PHASE...: those that have none of these phases before or after the
# call.
errors_of() {
    local what=$1
    shift
    printf '%s\n' "$@" >"$T/allowed"
    awk -F'|' -v what="^($what) " 'NR == FNR { allowed[$0]; next }
        $1 ~ what && !($2 in allowed) && !($3 in allowed)' "$T/allowed" "$S/errors"
}

# read_errors_of_spread FIRST PHASE: of files that are longer than the inline part (a
# quarter is not) and were written after number FIRST. A plain file can have no name
# for a moment while a rebalance moves it, on stock distribute as well.
read_errors_of_spread() {
    awk -F'[ |]' -v first="$1" -v phase="|$2|" '$1 == "read" && $2 > first && $2 % 4 && index($0, phase)' "$S/errors"
}

# rebalanced FIELD: of the table that rebalance status shows.
rebalanced() {
    local column
    case $1 in files) column=2 ;; failures) column=5 ;; skipped) column=6 ;; esac
    gluster n1 volume rebalance "$V" status | awk -v c="$column" '$1 == "localhost" { print $c }'
}
rebalance_done() {
    gluster n1 volume rebalance "$V" status | grep -qw completed
}

# gfid_of FILE, members_of FILE: of the mount.
gfid_of() {
    on c1 getfattr --absolute-names --only-values -n glusterfs.gfid.string "/mnt/v/$1" 2>/dev/null
}
members_of() {
    on c1 "$BUILD/allot" layout --json "/mnt/v/$1" | jq -r '.extents[].members[].name' | sort -u
}
has_member() { # has_member FILE NAME
    members_of "$1" | grep -qxF "$2"
}

# bytes_on DIR FILE: that the portion of FILE on a brick takes on its disk.
bytes_on() {
    find "$1/.allot" -type f -name "$(gfid_of "$2").*" -printf '%b\n' 2>/dev/null | awk '{ n += $1 } END { print n * 512 }'
}

# stored_of DIR... -- FILE...: portions with their bytes and attributes, and where
# bases are, with their records.
stored_of() {
    local dirs=() f dir gfid
    while [ "$1" != -- ]; do
        dirs+=("$1")
        shift
    done
    shift
    for f; do
        gfid=$(gfid_of "$f")
        for dir in "${dirs[@]}"; do
            find "$dir/.allot" -type f -name "$gfid.*" | sort | while read -r p; do
                echo "$p $(sum "$p") $(getfattr -h --absolute-names -e hex -n trusted.allot.portion "$p" 2>/dev/null | md5sum)"
            done
            [ -e "$dir/$f" ] || continue
            getfattr -h --absolute-names -e hex -n trusted.allot.record "$dir/$f" 2>/dev/null
        done
    done
}

# bases_on DIR: files of the writer whose bases, not only links of distribute's,
# are on that brick.
bases_on() {
    (cd "$1" && find . -path './w/*' -type f ! -perm 1000 -printf '%P\n')
}

# life_rebalanced WHAT DIR ARGS...: the layout is fixed, then the volume rebalanced:
# small plain files of old/ move onto the new brick (or set) whose directory is DIR,
# and what is stored_of ARGS stays as it is. WHAT: brick or set.
small_on() { # small_on DIR
    (cd "$1" && find old -name 'small*' -type f ! -perm 1000 | wc -l)
}
life_rebalanced() {
    local what=$1 dir=$2
    shift 2
    phase "layout fixed"
    must_gluster n1 volume rebalance "$V" fix-layout start
    ok "fix-layout ends" expect_within 90 rebalance_done
    step
    phase "rebalanced"
    stored_of "$@" >"$T/stored"
    ok "portions and records are known" test "$(grep -c '\.allot' "$T/stored")" -ge 7
    is "no old file is on the new $what" "$(small_on "$dir")" 0
    must_gluster n1 volume rebalance "$V" start
    ok "the rebalance ends" expect_within 180 rebalance_done
    is "without failures" "$(rebalanced failures)" 0
    ok "spread files are skipped ($(rebalanced skipped))" test "$(rebalanced skipped)" -gt 0
    ok "plain files have moved ($(rebalanced files))" test "$(small_on "$dir")" -gt 0
    is "portions, records and bases are where they were" "$(stored_of "$@" | diff - "$T/stored")" ""
    step
    ok "old files are right" old_right
}

# life_not_removed WHAT NAME BRICK...: the removal of what holds portions fails, and
# is taken back. NAME: the subvolume's.
removal_failed() {
    gluster n1 volume remove-brick "$V" "$@" status | grep -q failed
}
life_not_removed() {
    local what=$1 name=$2
    shift 2
    gluster n1 volume remove-brick "$V" "$@" start >"$T/remove" 2>&1
    ok "the removal of a $what that holds portions fails" expect_within 30 removal_failed "$@"
    ok "the log says why, and what to do" grep -q \
        "remove-brick is refused: $name may hold portions.*remove-brick VOLUME BRICK stop" "$LOG/n1/$V-rebalance.log"
    nok "it cannot be committed" gluster n1 volume remove-brick "$V" "$@" commit
    ok "it is taken back" gluster n1 volume remove-brick "$V" "$@" stop
}
