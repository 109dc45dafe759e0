#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 10
# Several clients make the directory of portions on a new brick at once. For a moment
# it is there by name and has no gfid: a client that meets it then waits, and does not
# go around the brick.
# shellcheck source=fail-lib.sh
. "$(dirname "$0")/fail-lib.sh"

bricks_dirs 4
volume_make net-4-plain --block-size 64KB
volume_start
must_mount m
noise 1000000 >"$T/data"

# What the other client has done so far; it goes on as soon as it was met.
must mkdir "${BRICK[3]}/.allot"
met() {
    grep -q 'ia_gfid is null for .*/b3.*/\.allot' "$LOG/brick-3.log"
}
{
    end=$((SECONDS + 30))
    until met || [ $SECONDS -ge $end ]; do
        :
    done
    rmdir "${BRICK[3]}/.allot"
} 2>"$T/other.err" &
other=$!
ok "a file is written" cp "$T/data" "$M/file"
wait "$other"
is "the directory was met half made, and was empty" "$(met && cat "$T/other.err")" ""
is "the file is on all bricks" "$("$ALLOT" layout "$M/file" --json |
    jq -c '[.extents[].members[].name] | unique')" '["c0","c1","c2","c3"]'
ok "with blocks on that one" test "$(find "${BRICK[3]}/.allot" -type f | wc -l)" = 1
ok "it is right" cmp "$T/data" "$M/file"
done_testing
