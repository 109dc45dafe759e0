#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 15
# README.md and the documents are true: the example volfiles and commands of the
# README are taken out and run (with places and ports of this test), every
# command they name exists, every link and every file they name is there, and
# docs/tour.md leaves out no source file.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

cd "$TOP" || bail "no $TOP"
DOCS=(README.md volfiles/README.md tests/volfiles/README.md docs/*.md)
[ "$BUILD" = installed ] || PATH=$BUILD:$PATH

# A fenced block by its whole info string: block FILE "sh run example"
block() {
    awk -v fence='```' -v want="$2" '
        inside && $0 == fence { exit }
        inside { print }
        $0 == fence want { inside = 1 }' "$1"
}

# Places of the README to places of this test.
relocate() {
    sed "s|/bricks|$T/bricks|g; s|/etc/glusterfs|$T/etc|g; s|/var/log/glusterfs|$LOG|g
        s|/run/|$T/run/|g; s|/mnt/|$T/mnt/|g; s|24100|$P0|g; s|24101|$P1|g"
}

# The types of the installed plugins to those under test.
types() {
    if [ "$BUILD" = installed ]; then
        cat
    else
        sed "s|type cluster/allot|type $up$BUILD/xlator/cluster/.libs/allot|
            s|type user/allot|type $up$BUILD/xlator/guard/.libs/allot|"
    fi
}

# ---- what the documents name ------------------------------------------------

links() { # links FILE...: broken relative links
    local f to
    for f in "$@"; do
        grep -oE '\]\([^)# ]+' "$f" | sed 's/^](//' | while read -r to; do
            case $to in
            *://*) ;;
            *) [ -e "$(dirname "$f")/$to" ] || echo "$f: $to" ;;
            esac
        done
    done
}

# Words in backquotes that look like a file of this tree.
paths() {
    local f path
    for f in "$@"; do
        grep -oE '`[^` ]+`' "$f" | tr -d '`' |
            grep -E '^(xlator|cli|tests|volfiles|docs|demo|bench)/[A-Za-z0-9_./*-]+$' |
            sort -u | while read -r path; do
            compgen -G "$path" >/dev/null || echo "$f: $path"
        done
    done
}

dev_commands() {
    grep -ohE '\./dev [a-z]+' "$@" | sort -u | while read -r _ cmd; do
        { ./dev help && echo "  help"; } | grep -qE "^  $cmd( |$)" || echo "./dev $cmd"
    done
}

allot_commands() {
    local word
    allot --help >"$T/help" 2>&1
    grep -ohE '(^ *\$? *|`)allot [a-z-]+( [a-z]+)?' "$@" | sed 's/^[ `$]*allot //' | sort -u |
        while read -r word second; do
            case $word in
            status | report | layout | mapfile | ok-to-stop) grep -qE "^ +$word \\[?[A-Z]" "$T/help" || echo "$word" ;;
            brick) grep -qE "^ *brick $second NAME" "$T/help" || echo "$word $second" ;;
            scrub) ;; # named as not there yet
            *) echo "$word" ;;
            esac
        done
}

is "every link leads somewhere" "$(links "${DOCS[@]}")" ""
is "every file that is named is there" "$(paths "${DOCS[@]}")" ""
is "every ./dev command exists" "$(dev_commands "${DOCS[@]}")" ""
is "every allot command exists" "$(allot_commands "${DOCS[@]}")" ""

untold=
for f in xlator/*.h xlator/*/*.[ch] cli/*.[ch] tests/model/*.pml tests/volume/lib.sh; do
    grep -qF "$(basename "$f")" docs/tour.md || untold+="$f "
done
is "docs/tour.md leaves out no source file" "$untold" ""

cat >"$T/bad.md" <<'TEXT'
A [link](nowhere.md), `tests/volume/nothing.sh`, `./dev fly`, `allot dance`.
TEXT
is "broken links are found" "$(links "$T/bad.md")" "$T/bad.md: nowhere.md"
is "files that are not there are found" "$(paths "$T/bad.md")" "$T/bad.md: tests/volume/nothing.sh"
is "unknown commands are found" "$(dev_commands "$T/bad.md") $(allot_commands "$T/bad.md")" "./dev fly dance"

# ---- the script that makes volfiles -----------------------------------------

port_pick
P0=$PICKED
port_pick
P1=$PICKED
mkdir -p "$T/etc" "$T/run"
block README.md "sh run fill" | relocate >"$T/fill.sh"
ok "there is a call of volfiles/fill" grep -q . "$T/fill.sh"
ok "it makes volfiles" bash -eu "$T/fill.sh"
ok "of the bricks and the client" test -s "$T/etc/shop/brick-3.vol" -a -s "$T/etc/shop/client.vol"

# ---- the volfiles written by hand, and the commands -------------------------

up=$(glusterfs --print-xlatordir | sed 's|[^/][^/]*|..|g; s|^/||')
for f in brick-0 client; do
    block README.md "volfile /etc/glusterfs/$f.vol" | types | relocate >"$T/etc/$f.vol"
    ok "there is an example of $f.vol" grep -q allot "$T/etc/$f.vol"
done
block README.md "sh run example" | relocate >"$T/example.sh"
ok "there are commands for it" grep -q 'allot report' "$T/example.sh"
undo mount "$T/mnt/shop"

# The commands one after the other. After each daemon its pid is noted, so that
# cleanup ends it, and what a reader's fingers take long enough for is waited
# for.
: >"$T/out"
started() { # started PIDFILE
    expect_within 20 test -s "$1" || return 1
    undo process "$(cat "$1")" "$(proc_start "$(cat "$1")")"
}
while IFS= read -r line; do
    case $line in
    glusterfsd*)
        ok "a brick starts" bash -c "$line"
        pidfile=$(grep -oE -- '-p [^ ]+' <<<"$line" | cut -c4-)
        must started "$pidfile"
        ;;
    "glusterfs "*)
        must expect_within 20 listens "$P0"
        must expect_within 20 listens "$P1"
        ok "the volume is mounted" bash -c "$line"
        must started "$T/run/shop.pid"
        must expect_within 60 mount_answers "$T/mnt/shop"
        ;;
    *)
        ok "works: ${line%% /*}" bash -c "{ $line; } >>'$T/out'"
        ;;
    esac
done <"$T/example.sh"
ok "status shows both bricks up" test "$(grep -cE '^c[01] .* up ' "$T/out")" -eq 2
ok "the report says all is whole" grep -qE 'the only file is whole|all [0-9]+ files are whole' "$T/out"
ok "the layout names both bricks" grep -qE '^ *[0-9]+ .* c[01] .*c[01] ' "$T/out"
ok "the file reads back" cmp /bin/bash "$T/mnt/shop/bash"
note "$(cat "$T/out")"

done_testing
