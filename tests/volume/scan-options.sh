#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 40
# `allot report` in parts: below a directory, the list alone and as it is found,
# sums of directories, and a scan that ends and goes on, by signal and by limit,
# and says in the end what one that was never interrupted says.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ALLOT=allot
[ "$BUILD" = installed ] || ALLOT=$BUILD/allot

exit_of() { # exit_of CMD...: its exit status; stdout in $T/out, stderr in $T/err
    local rc=0
    bounded 120 "$@" >"$T/out" 2>"$T/err" || rc=$?
    echo $rc
}

same_report() { # same_report FILE FILE: but for who did what, and the order
    local filter='del(.workers) | .damaged_files |= sort_by(.path)'
    diff <(one_name "$1" | jq -S "$filter") <(one_name "$2" | jq -S "$filter") >&2
}

bricks_make 4 512M
volume_make net-4 --block-size 64KB --option 'c*:ping-timeout=5'
volume_start
must_mount m
noise 300000 >"$T/noise"
for ((d = 0; d < 30; d++)); do
    mkdir -p "$M/a/d$((d % 3))/e$d"
    for f in 1 2 3; do
        must cp "$T/noise" "$M/a/d$((d % 3))/e$d/f$f"
    done
    touch "$M/a/d$((d % 3))/e$d/small"
done
mkdir -p "$M/b/only" "$M/a b"
must cp "$T/noise" "$M/b/only/here"
must cp "$T/noise" "$M/a b/$(printf 'latin-\xe9')"
# A file of two names is reported under the one that is met first; which, depends
# on the workers. Both are in the same directory of --depth 2.
must ln "$M/a/d0/e0/f1" "$M/a/d0/e3/link"
one_name() { sed 's#a/d0/e3/link#a/d0/e0/f1#' "$@"; }
list_sum() { one_name "$@" | sort | md5sum; }
must brick_kill 2
down() {
    "$ALLOT" status "$M" --json | jq -e '.bricks[2].state == "down"'
}
ok "a brick is down" expect_within 30 down

is "a report of all" "$(exit_of "$ALLOT" report "$M" --json)" 1
cp "$T/out" "$T/all.json"
damaged=$(jq '.damaged_files | length' "$T/all.json")
ok "many files are damaged ($damaged)" test "$damaged" -ge 60

is "as text" "$(exit_of "$ALLOT" report "$M")" 1
is "the first forty, and how many more" "$(grep -c '^down ' "$T/out") $(grep 'left out' "$T/out")" \
    "40 $((damaged - 40)) more are left out; --all prints them"
is "--all" "$(exit_of "$ALLOT" report "$M" --all)" 1
is "prints each of them" "$(sed -nE 's/^down ( +[^ ]+){4} //p; s/^down .* (a b)/\1/p' "$T/out" | wc -l) $(grep -c '^down ' "$T/out") $(grep -c 'left out' "$T/out")" \
    "$damaged $damaged 0"

# ---- --under ----------------------------------------------------------------

is "--under" "$(exit_of "$ALLOT" report "$M" --under b//only/ --json)" 1
is "only what is below it" "$(jq -c '.files.total, .damaged_files[].path' "$T/out" | tr '\n' ' ')" '1 "b/only/here" '
is "the same through libgfapi" "$(exit_of "$ALLOT" report "$T/vol/client.vol:/" --under b/only --json)" 1
is "with paths from TARGET on" "$(jq -r '.damaged_files[].path' "$T/out")" b/only/here
is "a part that is whole" "$(exit_of "$ALLOT" report "$M/a/d0/e0" --under .)" 1
for bad in none a/d0/e0/f1 ../x b/only/none; do
    is "--under $bad is refused" "$(exit_of "$ALLOT" report "$M" --under "$bad")" 2
    ok "with a sentence" grep -q "name a directory below" "$T/err"
done

# ---- --damaged --------------------------------------------------------------

is "--damaged" "$(exit_of "$ALLOT" report "$M" --damaged)" 1
is "a line for each damaged file, nothing else" "$(list_sum "$T/out")" \
    "$(jq -r '.damaged_files[] | if .path_hex then "a b/latin-\\xe9" else .path end' "$T/all.json" | list_sum)"
is "--damaged --json" "$(exit_of "$ALLOT" report "$M" --damaged --json)" 1
is "an object for each, as in the report" "$(jq -cS . "$T/out" | list_sum)" \
    "$(jq -cS '.damaged_files[]' "$T/all.json" | list_sum)"
is "--damaged --brick" "$(exit_of "$ALLOT" report "$M" --damaged --brick c0)" 1
is "lists nothing of a brick that is up" "$(wc -c <"$T/out")" 0
is "--damaged --xml is refused" "$(exit_of "$ALLOT" report "$M" --damaged --xml)" 2
is "--damaged --depth is refused" "$(exit_of "$ALLOT" report "$M" --damaged --depth 1)" 2

# ---- --depth ----------------------------------------------------------------

is "--depth 1" "$(exit_of "$ALLOT" report "$M" --depth 1 --json)" 1
is "directories one level down" "$(jq -r '[.directories[].path] | join(",")' "$T/out")" ',a,a b,b'
is "the top is the sum of all" "$(jq '.directories[0] | .blocks, .bytes, .files' "$T/out" | md5sum)" \
    "$(jq '.blocks, .bytes, .files' "$T/out" | md5sum)"
is "--depth 2" "$(exit_of "$ALLOT" report "$M" --depth 2 --json)" 1
is "levels add up" "$(jq '[.directories[] | select(.path | test("^a/d[0-9]$")).files.total] | add' "$T/out")" \
    "$(jq '.directories[] | select(.path == "a").files.total' "$T/out")"
is "what is failed adds up" "$(jq '[.directories[] | select(.path | test("^[^/]+$")).bytes.failed] | add' "$T/out")" \
    "$(jq .bytes.failed "$T/out")"
ok "it is as its schema says" python3 - "$TOP/docs/schema/report.json" "$T/out" <<'PY'
import json, sys
import jsonschema
jsonschema.validate(json.load(open(sys.argv[2])), json.load(open(sys.argv[1])))
PY
is "--depth 0 --under" "$(exit_of "$ALLOT" report "$M" --under a/d1 --depth 0 --json)" 1
is "one directory" "$(jq -c '[.directories[] | [.path, .files.total]]' "$T/out")" '[["a/d1",40]]'
is "as text" "$(exit_of "$ALLOT" report "$M" --depth 1)" 1
ok "a table" grep -qE '^ *122 .* \.$' "$T/out" || note "$(grep -A5 UNREADABLE "$T/out")"
is "--depth x is refused" "$(exit_of "$ALLOT" report "$M" --depth x)" 2

# ---- --limit: pages ---------------------------------------------------------

is "--limit alone is refused" "$(exit_of "$ALLOT" report "$M" --damaged --limit 5)" 2
pages=0
: >"$T/pages"
for ((i = 0; i < 100; i++)); do
    rc=$(exit_of "$ALLOT" report "$M" --damaged --json --workers 2 --limit 7 --resume "$T/cursor")
    [ -s "$T/out" ] && pages=$((pages + 1))
    cat "$T/out" >>"$T/pages"
    [ "$rc" = 3 ] || break
    [ -s "$T/cursor" ] || break
done
is "the last page says how it is" "$rc" 1
ok "there were several pages ($pages)" test $pages -ge 5
is "together they are the list, each file once" "$(jq -cS . "$T/pages" | list_sum)" \
    "$(jq -cS '.damaged_files[]' "$T/all.json" | list_sum)"
nok "nothing is left behind" ls "$T/cursor"

# ---- --resume: interrupted --------------------------------------------------

for form in --json --xml; do
    runs=0
    while :; do
        rc=$(exit_of "$ALLOT" report "$M" $form --depth 2 --limit 10 --resume "$T/state" --output "$T/whole")
        runs=$((runs + 1))
        if [ "$rc" != 3 ] || [ $runs -ge 50 ] || [ -e "$T/whole" ]; then
            break
        fi
    done
    is "$form: in the end the exit status is that of the whole" "$rc" 1
    ok "$form: after several runs ($runs)" test $runs -ge 3
    cp "$T/whole" "$T/resumed$form"
    rm "$T/whole"
done
"$ALLOT" report "$M" --depth 2 --json >"$T/once.json"
ok "what is said in parts is what is said at once" same_report "$T/resumed--json" "$T/once.json"
is "as XML too" "$(xmllint --xpath 'concat(//allotReport/blocks/failed, " ", count(//damaged_files/file))' "$T/resumed--xml")" \
    "$(jq -r '"\(.blocks.failed) \(.damaged_files | length)"' "$T/once.json")"
is "nothing happened meanwhile: it is exact" "$(jq -c '[.exact, .inexact_because]' "$T/resumed--json")" '[true,[]]'
nok "nothing is left behind" ls "$T/state" "$T/state.list"

# A brick that went away and came back in between is as it was at both ends.
is "one part" "$(exit_of "$ALLOT" report "$M" --json --limit 5 --resume "$T/bounced")" 3
must brick_kill 3
state_of() { # state_of I STATE
    [ "$("$ALLOT" status "$M" --json | jq -r ".bricks[$1].state")" = "$2" ]
}
ok "a brick goes away" expect_within 30 state_of 3 down
must brick_start 3
ok "and comes back" expect_within 30 state_of 3 up
is "the rest" "$(exit_of "$ALLOT" report "$M" --json --resume "$T/bounced")" 1
is "it is not exact, and says why" "$(jq -c '[.exact, .inexact_because]' "$T/out")" \
    '[false,["brick c3 was not up all the time during the scan"]]'

rc=$(exit_of "$ALLOT" report "$M" --json --limit 5 --resume "$T/state")
is "an interrupted one" "$rc" 3
ok "says so" grep -q "not at the end" "$T/err"
is "and prints nothing" "$(wc -c <"$T/out")" 0
is "another TARGET does not go on with it" "$(exit_of "$ALLOT" report "$M/a" --json --resume "$T/state")" 2
ok "the sentence says why" grep -q "belongs to another report" "$T/err"
must cp "$T/state" "$T/state.kept"
must cp "$T/state.list" "$T/list.kept"
echo '{"format":' >"$T/state"
is "a damaged state is refused" "$(exit_of "$ALLOT" report "$M" --json --resume "$T/state")" 2
cp "$T/state.kept" "$T/state"
# What was written to the list after the state was saved does not count twice.
echo ',{"path":"half' >>"$T/state.list"
must brick_start 2
up() {
    "$ALLOT" status "$M" --json | jq -e '.bricks[2].state == "up"'
}
ok "the brick is back" expect_within 30 up
is "it goes on" "$(exit_of "$ALLOT" report "$M" --json --resume "$T/state")" 1
is "but is not exact: the brick came back in between" \
    "$(jq -r '.exact, .inexact_because[0]' "$T/out" | tr '\n' ' ')" "false brick c2 went from down to up during the scan "
is "every file is counted once" "$(jq .files.total "$T/out")" "$(jq .files.total "$T/all.json")"

# A signal: the directory under way is finished, the rest is for later.
cp "$T/state.kept" "$T/state"
cp "$T/list.kept" "$T/state.list"
interrupt() { # interrupt MILLISECONDS: its exit status
    local rc=0
    timeout -s INT "0.$(printf %03d "$1")" "$ALLOT" report "$M" --json --workers 1 --resume "$T/state2" >"$T/out" 2>"$T/err" || rc=$?
    # timeout says 124 for whatever it has ended.
    [ $rc != 124 ] || rc=3
    echo $rc
}
# Later and later, until it comes between the beginning and the end.
for ((ms = 20; ms < 1000; ms += 20)); do
    rc=$(interrupt $ms)
    if [ "$rc" != 3 ] || [ -e "$T/state2" ]; then
        break
    fi
done
ok "a signal ends it in order ($rc after $ms ms)" test "$rc" = 3 -o "$rc" = 0
if [ "$rc" = 3 ]; then
    is "and it goes on" "$(exit_of "$ALLOT" report "$M" --json --resume "$T/state2")" 0
    is "to the end" "$(jq .files.total "$T/out")" "$(jq .files.total "$T/all.json")"
fi

done_testing
