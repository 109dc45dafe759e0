#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 30
# Names over a namespace that is replicated over the first three bricks, with an
# inline limit of 0, so that every file is spread: with a brick down nothing is
# missing from a listing, and names can be made, moved and removed.
# What ls itself says is under test: SC2012 does not apply.
# shellcheck disable=SC2012
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

portions() { # portions BRICK...: how many, on these bricks
    local i n=0
    for i; do
        [ ! -d "${BRICK[i]}/.allot" ] || n=$((n + $(find "${BRICK[i]}/.allot" -type f | wc -l)))
    done
    echo $n
}
portions_are() { # portions_are N BRICK...
    local n=$1
    shift
    [ "$(portions "$@")" -eq "$n" ]
}
names() { # names DIR: how many, or the error
    ls -U "$1" 2>&1 >"$T/names" | head -1
    wc -l <"$T/names"
}

bricks_dirs 4
volume_make net-4 --option 'c*:ping-timeout=5'
volume_start
must_mount m --attribute-timeout=0 --entry-timeout=0

mkdir "$M/d"
for i in {1..40}; do
    noise $((i * 1000)) >"$M/d/f$i"
done
is "40 names" "$(names "$M/d")" 40
is "a listing shows all sizes" \
    "$(find "$M/d" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }')" 820000
before=$(sums "$M/d")
ok "every brick has portions" test "$(portions 0)" -gt 0 -a "$(portions 1)" -gt 0 \
    -a "$(portions 2)" -gt 0 -a "$(portions 3)" -gt 0

ok "a brick is killed" brick_kill 1
still_40() {
    [ "$(names "$M/d")" = 40 ]
}
ok "a listing still has 40 names, and no error" expect_within 20 still_40
ok "a name is moved" mv "$M/d/f1" "$M/d/g1"
ok "a name is added" ln "$M/d/f2" "$M/d/g2"
ok "a file is written" cp /etc/passwd "$M/d/passwd"
is "and read" "$(sum "$M/d/passwd")" "$(sum /etc/passwd)"
ok "all of the old ones are removed" find "$M/d" -name 'f*' -delete
is "three names are left" "$(ls "$M/d" | tr '\n' ' ')" "g1 g2 passwd "

ok "the brick returns" brick_start 1
three_left() {
    [ "$(ls "$M/d" | tr '\n' ' ')" = "g1 g2 passwd " ]
}
ok "three names are left" expect_within 20 three_left
reads_right() {
    [ "$(sum "$M/d/g1")" = "$(awk '$2 == "./f1" { print $1 }' <<<"$before")" ] &&
        [ "$(sum "$M/d/g2")" = "$(awk '$2 == "./f2" { print $1 }' <<<"$before")" ]
}
ok "their bytes are right" expect_within 20 reads_right
ok "they are removed" rm "$M/d/g1" "$M/d/g2" "$M/d/passwd"
ok "no portion is left on the bricks that were up" expect_within 10 portions_are 0 0 2 3
ok "the directory is empty" rmdir "$M/d"
done_testing
