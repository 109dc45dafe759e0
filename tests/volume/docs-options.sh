#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 5
#
# docs/options.md and the option table of the translator say the same: the same
# options, the same defaults, and a description for each. Needs no volume and no
# root.
#
# With arguments (page, source) it looks at those instead; the last tests use
# this to prove that it can fail.

set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

# page_options PAGE - "name|default" of every row of the table.
page_options() {
    awk -F '|' '
        NF >= 5 && $2 ~ /^ `.*` $/ {
            gsub(/[ `]/, "", $2)
            gsub(/^ +| +$/, "", $3)
            print $2 "|" $3
        }' "$1" | sort
}

# source_options SOURCE - the same from the volume_options, and a line
# "name: no description" for an option without one.
source_options() {
    awk '
        function put() {
            if (key == "")
                return
            print key "|" (value == "" ? "none" : value)
            if (!described)
                print key ": no description"
            key = ""; value = ""; described = 0
        }
        /\.key *= *\{ *NULL/ { put(); next }
        /\.key *= *\{ *"/ {
            put()
            key = $0
            sub(/^[^"]*"/, "", key); sub(/".*/, "", key)
        }
        /\.default_value *= *"/ {
            value = $0
            sub(/.*default_value *= *"/, "", value); sub(/".*/, "", value)
        }
        /\.description *=/ { described = 1 }
        END { put() }' "$1" | sort
}

# check PAGE SOURCE - prints what differs.
check() {
    local page source name
    page=$(page_options "$1")
    source=$(source_options "$2")
    [ -n "$source" ] || echo "no option found in $2"
    diff <(printf '%s\n' "$page") <(printf '%s\n' "$source") |
        sed -n 's/^< /only on the page: /p; s/^> /only in the source: /p'
    for name in $(printf '%s\n' "$page" | cut -d '|' -f 1); do
        grep -qx "## $name" "$1" || echo "$name: no section on the page"
    done
}

if [ $# -eq 2 ]; then
    out=$(check "$@")
    [ -z "$out" ] || printf '%s\n' "$out"
    [ -z "$out" ]
    exit
fi

page=$top/docs/options.md
source=$top/xlator/cluster/allot-options.c
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

echo 1..3
out=$(check "$page" "$source")
[ -z "$out" ]
report $? "page and option table have the same options and defaults"
[ -z "$out" ] || printf '%s\n' "$out" | sed 's/^/# /'

sed '/^| .width. /d' "$page" >"$tmp/page"
! "$0" "$tmp/page" "$source" >/dev/null
report $? "an option without a row is found"

sed 's/default_value *= *"[^"]*"/default_value = "17"/' "$source" >"$tmp/source"
! "$0" "$page" "$tmp/source" >/dev/null
report $? "another default is found"

exit $failed
