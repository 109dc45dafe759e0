#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 25
# `allot report` on a terminal: a bar that says how far it is, how fast and how long
# yet, on standard error and nowhere else; and a terminal that goes away in the middle:
# a sentence, the exit status, no file under the name that was asked for.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ALLOT=allot
[ "$BUILD" = installed ] || ALLOT=$BUILD/allot

# on_terminal OPTION... LOG ARG...: a report with these arguments; its exit status.
# Standard output goes to $T/out, standard error to $T/err where they are not the
# terminal.
on_terminal() {
    local options=() rc=0
    while [[ $1 == --* ]]; do
        options+=("$1")
        case $1 in --on | --hang-up) options+=("$2") && shift ;; esac
        shift
    done
    python3 "$TOP/tests/volume/terminal.py" "${options[@]}" "$1" "$ALLOT" report "$M" "${@:2}" \
        >"$T/out" 2>"$T/err" || rc=$?
    echo $rc
}

bricks_dirs 4
volume_make net-4 --block-size 64KB --option 'c*:ping-timeout=5'
volume_start
must_mount fast
noise 200000 >"$T/noise"
for ((d = 0; d < 30; d++)); do
    mkdir "$M/d$d"
    must cp "$T/noise" "$M/d$d/spread"
    touch "$M/d$d/a" "$M/d$d/b"
done
must umount_volume fast
# The same, but a question takes 40 ms: 30 directories are 1.2 seconds for one worker.
awk '{ sub(/^    subvolumes allot$/, "    subvolumes slow"); print }
    $1 == "end-volume" && name == "allot" {
        print "\nvolume slow\n    type debug/delay-gen\n    option enable getxattr"
        print "    option delay-percentage 100\n    option delay-duration 40000"
        print "    subvolumes allot\nend-volume"
    }
    $1 == "volume" { name = $2 }' "$T/vol/client.vol" >"$T/vol/slow.vol"
is "the graph is slow" "$(grep -c 'subvolumes slow' "$T/vol/slow.vol")" 1
VOLFILE=$T/vol/slow.vol must_mount m
# One brick has lost its portions: every spread file is damaged.
is "portions to lose" "$(find "${BRICK[3]}/.allot" -type f | wc -l)" 30
portions_lose 3
"$ALLOT" report "$M" --json --workers 4 >"$T/whole.json"
is "damaged files" "$(jq '.damaged_files | length' "$T/whole.json")" 30

# ---- the bar ----------------------------------------------------------------

# bars LOG: "PERCENT FILES RATE LEFT" of each bar that was drawn
bars() {
    tr '\r' '\n' <"$1" |
        sed -nE 's/^[^ ]* *([0-9]+)%  ([0-9]+) files?, ([0-9]+)\/s, about ([0-9]+) s left.*/\1 \2 \3 \4/p'
}
is "on a terminal" "$(on_terminal "$T/tty" --workers 1)" 1
ok "a bar is drawn again and again" test "$(bars "$T/tty" | wc -l)" -ge 3
ok "it grows" bash -c 'read -r a _ && b=$(tail -1 | cut -d" " -f1) && test "$a" -lt "$b"' < <(bars "$T/tty")
is "S is a part of the whole, and so is the number of files" \
    "$(bars "$T/tty" | awk '$1 < 0 || $1 > 100 || $2 < n || $2 > 90 { bad++ } { n = $2 } END { print bad + 0 }')" 0
# 90 files in 1.2 seconds and more.
is "the rate is that of the files, and the end is near" \
    "$(bars "$T/tty" | awk '$3 < 1 || $3 > 75 || $4 > 20 { bad++ } END { print bad + 0 }')" 0
is "the middle of the way is half of it" \
    "$(bars "$T/tty" | awk '$2 > 36 && $2 < 54 && ($1 < 30 || $1 > 70) { bad++ } END { print bad + 0 }')" 0
is "on a screen nothing of it is left" "$(on_terminal --screen "$T/screen" --workers 1)" 1
nok "no percent sign" grep '%' "$T/screen"
is "but the whole report" "$(sed -n '/^ *TOTAL/,$p' "$T/screen" | grep -vE '^ *[0-9]+ +[0-9]+ +[0-9]+ ')" \
    "$("$ALLOT" report "$M" --workers 1 | sed -n '/^ *TOTAL/,$p' | grep -vE '^ *[0-9]+ +[0-9]+ +[0-9]+ ')"
is "names that come meanwhile stand alone" "$(on_terminal --screen "$T/screen" --workers 1 --damaged)" 1
is "each of them" "$(sort "$T/screen")" "$(jq -r '.damaged_files[].path' "$T/whole.json" | sort)"
is "standard error is enough" "$(on_terminal --on 2 "$T/tty" --workers 1 --json)" 1
ok "the bar is there" test "$(bars "$T/tty" | wc -l)" -ge 3
is "and the document where it belongs" "$(jq -c .files "$T/out")" "$(jq -c .files "$T/whole.json")"
is "standard output is not" "$(on_terminal --on 1 "$T/tty" --workers 1)" 1
is "no bar there" "$(bars "$T/tty" | wc -l) $(grep -c $'\033' "$T/tty")" "0 0"
is "and nothing in the pipe" "$(wc -c <"$T/err")" 0

# ---- the terminal goes away ---------------------------------------------------

is "it goes away while a file is written" \
    "$(on_terminal --on 1 --hang-up "$T/new.*" "$T/tty" --workers 1 --json --output "$T/new")" 2
is "one sentence, if there is somebody to read it" "$(wc -l <"$T/err")" 1
ok "that says so" grep -q "the terminal went away" "$T/err"
is "no file is left" "$(find "$T" -maxdepth 1 -name 'new*')" ""
echo before >"$T/new"
is "the same over an older file" \
    "$(on_terminal --hang-up "$T/new.*" "$T/tty" --workers 1 --html "$T/new")" 2
is "it stays as it was" "$(cat "$T/new")" before
is "alone" "$(find "$T" -maxdepth 1 -name 'new*' | wc -l)" 1
rm "$T/new"

is "with --resume it ends in order" \
    "$(on_terminal --on 1 --hang-up "$T/state.list" "$T/tty" --workers 1 --json --resume "$T/state" --output "$T/new")" 3
is "no file is left" "$(find "$T" -maxdepth 1 -name 'new*')" ""
ok "but how far it is" test -s "$T/state"
ok "which is not the whole" test "$(jq .tally.files[0] "$T/state")" -lt 90
is "and it goes on" "$("$ALLOT" report "$M" --json --resume "$T/state" --workers 4 >"$T/rest.json"; echo $?)" 1
is "to the same end" "$(jq -c '[.files, .blocks, .bytes, (.damaged_files | map(.path) | sort)]' "$T/rest.json")" \
    "$(jq -c '[.files, .blocks, .bytes, (.damaged_files | map(.path) | sort)]' "$T/whole.json")"

# Below nohup nobody is told; what is written to it then is an error.
touch "$T/now"
is "a terminal that was gone before" \
    "$(on_terminal --on 1 --ignore --hang-up "$T/now" "$T/tty" --workers 4 --json)" 2
is "one sentence" "$(wc -l <"$T/err")" 1 || note "$(cat "$T/err")"
ok "that says what to do" grep -q "cannot write .*: .*; check where standard output goes" "$T/err" || note "$(cat "$T/err")"
is "a file is written all the same" \
    "$(on_terminal --on 1 --ignore --hang-up "$T/now" "$T/tty" --workers 4 --json --output "$T/new")" 1
is "in whole" "$(jq -c .files "$T/new")" "$(jq -c .files "$T/whole.json")"

done_testing
