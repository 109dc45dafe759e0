#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 10
# The command `allot` on what it cannot answer: wrong usage, places that are no
# volume, a volume without cluster/allot, users who are not root. Exit status 2,
# one line on standard error that says what to do, nothing on standard output.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ALLOT=allot
[ "$BUILD" = installed ] || ALLOT=$BUILD/allot

# refused DESC PATTERN ARG...: status 2, no output, one error line that matches
refused() {
    local desc=$1 pattern=$2 rc=0
    shift 2
    bounded 60 "${AS[@]}" "$ALLOT" "$@" >"$T/out" 2>"$T/err" || rc=$?
    is "$desc: exit status" "$rc" 2
    is "$desc: no output" "$(cat "$T/out")" ""
    is "$desc: one line" "$(wc -l <"$T/err")" 1
    ok "$desc: says what to do" grep -q -- "$pattern" "$T/err" || note "$(cat "$T/err")"
}
AS=()

refused "no command" "the commands are"
refused "unknown command" "the commands are" shine
refused "status without target" "allot status TARGET" status
refused "two targets" "exactly one operand" report "$T" "$T"
refused "half of brick adopt" "brick adopt NAME TARGET" brick adopt c1
refused "no such directory" "No such file or directory; name a directory" status "$T/none"
refused "not a volume" "cluster/allot" status "$T" --json
refused "a file as target" "Not a directory" report "$T/undo"
refused "no host" "HOST:/VOLUME" status "$T/none:/v"
refused "no volume" "HOST:/VOLUME" status "host:/"
refused "missing PATH" "none" layout "$T/none/file"
# An option that a command has no use for is not left out silently.
for use in "status --brick c1" "status --workers 2" "status --all" "layout --depth 1" "mapfile --damaged" \
    "ok-to-stop --under d" "layout --resume $T/state" "status --limit 1" "report --watch=1" "report --blocks"; do
    read -ra words <<<"$use"
    refused "$use" "'${words[0]}' does not take ${words[1]%=*};" "${words[@]}" "$T"
done
nok "and writes nothing" ls "$T/state"
ok "--help explains" grep -q "HOST:/VOLUME" <("$ALLOT" --help)

bricks_dirs 4
volume_make net-4-distribute
volume_start
must_mount m
noise 1000 >"$M/f"
CLIENT=$T/vol/client.vol

refused "mount without cluster/allot" "cluster/allot" status "$M"
refused "report there" "cluster/allot" report "$M" --json
refused "adoption there" "cluster/allot" brick adopt c0 "$M"
refused "libgfapi without cluster/allot" "cluster/allot" status "$CLIENT:/"
refused "no such directory through libgfapi" "name a directory" status "$CLIENT:/none"
refused "a directory has no layout" "name a file" layout "$CLIENT:/"
chmod 711 "$T"
AS=(setpriv --reuid 65534 --clear-groups)
refused "not root" "as root" status "$M"
AS=()

# A volfile that has its bricks in it belongs to its mount alone.
volume_make local-4-distribute
refused "one-process volume" "its mount" status "$CLIENT:/"

done_testing
