# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# shellcheck shell=bash
# What the tests of sets (sets-*.sh) have in common. Sourced after lib.sh: two
# sets of three bricks (s0: bricks 0 to 2, s1: 3 to 5), mounted at $M; a
# self-heal daemon of our own; questions to the status.

export ALLOT=$BUILD/allot
[ "$BUILD" != installed ] || ALLOT=allot

# sets_start TEMPLATE [OPTION...]
sets_start() {
    local template=$1
    shift
    bricks_dirs 6
    volume_make "$template" --option 'c*:ping-timeout=5' "$@"
    volume_start
    sets_mount m
    status_soon '.state == "UP" and .active'
}

# sets_mount NAME: what is asked goes to the bricks, not to a cache.
sets_mount() {
    must_mount "$1" --attribute-timeout=0 --entry-timeout=0 --direct-io-mode=enable
}

# fresh COMMAND...: with M a mount that has seen nothing yet.
fresh() {
    local was=$M rc=0
    sets_mount fresh
    "$@" || rc=1
    umount_volume fresh || rc=1
    M=$was
    return "$rc"
}

# status_is FILTER: a jq filter over the status document that gives true. It may
# use leaf("c0") and set("s0").
status_is() {
    bounded 20 "$ALLOT" status "$M" --json >"$T/status.json"
    jq -e "def leaf(n): .bricks[] | .leaves[]? | select(.name == n);
        def set(n): .bricks[] | select(.name == n); $1" "$T/status.json" >/dev/null
}
# status_soon FILTER: it comes to be so, and what says so is as its schema says.
status_soon() {
    expect_within 40 status_is "$1" && python3 - "$TOP/docs/schema/status.json" "$T/status.json" <<'PY'
import json, sys
import jsonschema
jsonschema.validate(json.load(open(sys.argv[2])), json.load(open(sys.argv[1])))
PY
}

# heal_start: the self-heal daemon. Some of its calls are known by its name only,
# those of disperse before all.
heal_start() {
    local pid
    rm -f "$T/heal.pid"
    glusterfs --process-name glustershd --volfile="$T/vol/heal.vol" -p "$T/heal.pid" \
        -l "$LOG/heal.log" || return 1
    expect_within 20 test -s "$T/heal.pid" || return 1
    pid=$(cat "$T/heal.pid")
    echo "$pid $(proc_start "$pid")" >"$T/heal.process"
    undo process "$pid" "$(proc_start "$pid")"
}

# pending BRICK...: entries that wait to be healed, by the bricks' own indices.
pending() {
    local i n=0
    for i; do
        n=$((n + $(find "${BRICK[i]}/.glusterfs/indices/xattrop" -type f ! -name 'xattrop-*' | wc -l)))
    done
    echo $n
}
healed() { # healed BRICK...
    [ "$(pending "$@")" -eq 0 ]
}

# same_portions A B: two bricks have the same portions, with the same bytes and
# the same xattr of allot's.
portions_of() { # portions_of BRICK
    local f
    (cd "$1" 2>/dev/null && find .allot -type f | sort | while read -r f; do
        echo "$f $(sum "$f") $(getfattr -h -e hex -n trusted.allot.portion "$f" 2>/dev/null | md5sum)"
    done)
}
same_portions() {
    [ -n "$(portions_of "${BRICK[$1]}")" ] &&
        [ "$(portions_of "${BRICK[$1]}")" = "$(portions_of "${BRICK[$2]}")" ]
}

# sets_want: $T/want has the files as they should be.
sets_want() {
    mkdir "$T/want"
}
