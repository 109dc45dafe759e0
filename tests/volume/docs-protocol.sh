#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 5
#
# The last table of docs/protocol.md says which functions do which step of the
# model. Every step named there is a step of the model, every function exists
# where its column says, every step of the model is in the table, so is every
# step at which a client can be stopped, and the code does stop there; and the
# mutants that the page names are mutants. Needs no volume and no root.
#
# With arguments (page, directory of the model, client's, guard's) it looks at
# those instead; the last tests use this to prove that it can fail.

set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

# column PAGE N - the words in backquotes of column N of the table that begins
# with "| step of the model". The heading is left out, it names places.
column() {
    awk -F '|' -v n="$2" '
        /^\| step of the model/ { on = 1; next }
        on && !/^\|/ { exit }
        on && NF > n {
            s = $(n + 1)
            while (match(s, /`[^`]+`/)) {
                print substr(s, RSTART + 1, RLENGTH - 2)
                s = substr(s, RSTART + RLENGTH)
            }
        }' "$1" | sort -u
}

# steps DIR - the labels, proctypes and inlines of the model.
steps() {
    sed -nE 's/^([a-z][a-z0-9_]*):( .*)?$/\1/p
        s/^(active )?(proctype|inline) ([a-z_]+)\(.*/\3/p' "$1"/*.pml | sort -u
}

# functions DIR - what is defined in the C files, name at the start of a line.
functions() {
    cat "$1"/*.[ch] | sed -nE 's/^([a-z][a-z0-9_]*)\(.*[^;]$/\1/p' | sort -u
}

mutants() {
    sed -nE 's/^    "([a-z-]+)",$/\1/p' "$1/allot-work.h" | sort -u
}

# stops DIR - the names of the steps at which a client can stop.
stops() {
    sed -nE 's/^ *X\([A-Z_]+, "([a-z-]+)"\).*/\1/p' "$1/allot-stop.h" | sort -u
}

# stopped DIR - those of them that the code stops at, as in the header.
stopped() {
    cat "$1"/*.c | grep -oE 'allot_stop\([^,]+, ALLOT_STOP_[A-Z_]+' | sed 's/.*ALLOT_STOP_//' | sort -u
}

# check PAGE MODEL CLIENT GUARD - prints what is wrong, a line each.
check() {
    local name
    [ "$(column "$1" 1 | wc -l)" -ge 10 ] || echo "no table in $1"
    while read -r name; do
        echo "$name: no step of the model"
    done < <(comm -23 <(column "$1" 1) <(steps "$2"))
    while read -r name; do
        echo "$name: no function of the client"
    done < <(comm -23 <(column "$1" 2) <(functions "$3"))
    while read -r name; do
        echo "$name: no function of the guard"
    done < <(comm -23 <(column "$1" 3) <(functions "$4"))
    while read -r name; do
        echo "$name: not in the table"
    done < <(comm -13 <(column "$1" 1) <(steps "$2"))
    while read -r name; do
        echo "$name: no step to stop at"
    done < <(comm -23 <(column "$1" 4) <(stops "$3"))
    while read -r name; do
        echo "$name: a stop that is not in the table"
    done < <(comm -13 <(column "$1" 4) <(stops "$3"))
    while read -r name; do
        echo "$name: nothing stops there"
    done < <(comm -13 <(stopped "$3") <(sed -nE 's/^ *X\(([A-Z_]+), ".*/\1/p' "$3/allot-stop.h" | sort -u))
    while read -r name; do
        echo "$name: no mutant of the model"
    done < <(comm -23 <(tr "\n" " " <"$1" | grep -oE '\(mutants? +`[^)]*\)' | grep -oE '`[a-z-]+`' |
        tr -d '`' | sort -u) <(mutants "$2"))
}

if [ $# -gt 0 ]; then
    wrong=$(check "$@")
    [ -z "$wrong" ] && exit 0
    printf '%s\n' "$wrong"
    exit 1
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
page=$top/docs/protocol.md
model=$top/tests/model client=$top/xlator/cluster guard=$top/xlator/guard
n=0 bad=0

is() { # is NAME GOT WANTED
    n=$((n + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        printf 'got: %s\nwanted: %s\n' "$2" "$3" | sed 's/^/# /'
        bad=1
    fi
}

is "the table and the sources agree" "$(check "$page" "$model" "$client" "$guard")" ""

sed 's/`allot_settle`/`allot_settel`/' "$page" >"$tmp/page.md"
is "a function that is not there is found" \
    "$(check "$tmp/page.md" "$model" "$client" "$guard")" \
    "allot_settel: no function of the client"

sed 's/`guard_fence_check`/`guard_fence_chek`/' "$page" >"$tmp/page.md"
is "of the guard too" "$(check "$tmp/page.md" "$model" "$client" "$guard")" \
    "guard_fence_chek: no function of the guard"

mkdir "$tmp/model"
cp "$model"/*.pml "$model"/allot*.h "$tmp/model"
sed -i 's/^glimpse:/look:/' "$tmp/model/allot.pml"
is "a step that the model has under another name is found" \
    "$(check "$page" "$tmp/model" "$client" "$guard")" \
    "$(printf 'glimpse: no step of the model\nlook: not in the table')"

cp "$model"/*.pml "$model"/allot*.h "$tmp/model"
sed -i 's/^recut:/onemore:\n&/' "$tmp/model/allot.pml"
is "a step added to the model is found" \
    "$(check "$page" "$tmp/model" "$client" "$guard")" "onemore: not in the table"

sed 's/`grow-lost`/`grow-won`/' "$page" >"$tmp/page.md"
is "a stop that is not there, and one that is not in the table, are found" \
    "$(check "$tmp/page.md" "$model" "$client" "$guard")" \
    "$(printf 'grow-won: no step to stop at\ngrow-lost: a stop that is not in the table')"

sed 's/`to-inline-over-dirty`/`to-inline-over-dirt`/' "$page" >"$tmp/page.md"
is "a mutant that is not there is found" \
    "$(check "$tmp/page.md" "$model" "$client" "$guard")" \
    "to-inline-over-dirt: no mutant of the model"

echo "1..$n"
exit $bad
