#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 5
#
# Every file operation and callback of the installed GlusterFS is decided in
# docs/fops.md, and what it says is spread is in the translator's fops table.
# Needs no volume and no root.
#
# With arguments (header, page, source) it looks at those instead; the last two
# tests use this to prove that it can fail.

set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

# members HEADER STRUCT - the members of a struct of function pointers, one a
# line, without those that are no operation (typechecking, placeholders).
members() {
    awk -v want="struct $2 {" '
        index($0, want) == 1 { on = 1; next }
        on && /^};/ { exit }
        on && /;[ \t]*$/ {
            name = $NF
            gsub(/[*;]/, "", name)
            if (name !~ /_cbk$/ && name !~ /_placeholder$/)
                print name
        }' "$1"
}

# decision PAGE NAME - the second column of the row of NAME.
decision() {
    awk -F '|' -v want="$2" '
        NF >= 5 {
            name = $2; gsub(/[ `]/, "", name)
            if (name == want) {
                d = $3; sub(/^ +/, "", d); sub(/ +$/, "", d)
                print d
                exit
            }
        }' "$1"
}

# table SOURCE KIND - the members that a designated initialiser
# "struct xlator_KIND ... = { .x = ..., }" sets.
table() {
    awk -v want="struct xlator_$2 " '
        index($0, want) { on = 1 }
        on && /^};/ { exit }
        on {
            while (match($0, /\.[a-z_]+ *=/)) {
                name = substr($0, RSTART + 1, RLENGTH - 1)
                sub(/ *=.*/, "", name)
                print name
                $0 = substr($0, RSTART + RLENGTH)
            }
        }' "$1"
}

# check HEADER PAGE SOURCE - prints what is wrong, a line each.
check() {
    local kind name decided count
    for kind in fops cbks; do
        count=0
        for name in $(members "$1" "xlator_$kind"); do
            count=$((count + 1))
            decided=$(decision "$2" "$name")
            case "${decided%% *}" in
                pass) ;; # the default does it too: the namespace comes first
                spread | refuse | watch)
                    table "$3" "$kind" | grep -qx "$name" ||
                        echo "$name: the page says $decided, the table has no entry"
                    ;;
                none)
                    ! table "$3" "$kind" | grep -qx "$name" ||
                        echo "$name: the page says none, the table has an entry"
                    ;;
                "") echo "$name: no row" ;;
                *) echo "$name: unknown decision '$decided'" ;;
            esac
        done
        [ "$count" -gt 5 ] || echo "only $count members of xlator_$kind found"
    done
}

if [ $# -eq 3 ]; then
    out=$(check "$@")
    [ -z "$out" ] || printf '%s\n' "$out"
    [ -z "$out" ]
    exit
fi

header=${GLUSTERFS_HEADER:-$(pkg-config --variable=includedir glusterfs-api 2>/dev/null)/glusterfs/xlator.h}
[ -r "$header" ] || header=/usr/include/glusterfs/xlator.h
page=$top/docs/fops.md
source=$top/xlator/cluster/allot.c
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
n=0
failed=0
report() { # STATUS TEXT
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $n - $2"
    else
        echo "not ok $n - $2"
        failed=1
    fi
}

echo 1..4
out=$(check "$header" "$page" "$source")
[ -z "$out" ]
report $? "every fop and callback of the installed GlusterFS is decided and done as decided"
[ -z "$out" ] || printf '%s\n' "$out" | sed 's/^/# /'

# Every row is about a member that exists: no stale rows.
{ members "$header" xlator_fops; members "$header" xlator_cbks; } >"$tmp/members"
stale=$(awk -F '|' '
    NF >= 5 && $2 ~ /^ `.*` $/ { gsub(/[ `]/, "", $2); print $2 }' "$page" |
    grep -vxF -f "$tmp/members" | tr '\n' ' ')
[ -z "$stale" ]
report $? "the page has no row without a member${stale:+: $stale}"

sed '/^| .seek. /d' "$page" >"$tmp/page"
! "$0" "$header" "$tmp/page" "$source" >/dev/null
report $? "a missing row is found"

sed '/\.writev *=/d' "$source" >"$tmp/source" 2>/dev/null
! "$0" "$header" "$page" "$tmp/source" >/dev/null
report $? "a missing entry of the fops table is found"

exit $failed
