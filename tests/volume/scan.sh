#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 60
# alone: yes
# `allot report` over many files: every file once whatever the number of
# workers, the work shared and told, the memory bound, nothing but the report in
# a pipe, one question for each directory, and the speed beside that of find -ls on
# the same mount.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ALLOT=allot
[ "$BUILD" = installed ] || ALLOT=$BUILD/allot
DIRS=${SCAN_DIRS:-40}
EACH=${SCAN_EACH:-100}

# report_peak DIR OUT: peak resident memory of a report of DIR, in KiB. It is read
# while the command runs: getrusage's would be that of whoever has started it, if
# that one is larger.
report_peak() {
    python3 - "$ALLOT" "$1" "$2" <<'PY'
import re, subprocess, sys, time
peak = 0
with open(sys.argv[3], "w") as out:
    child = subprocess.Popen([sys.argv[1], "report", sys.argv[2], "--json"], stdout=out)
    while child.poll() is None:
        with open("/proc/%d/status" % child.pid) as f:
            m = re.search(r"VmHWM:\s+(\d+) kB", f.read())
        peak = max(peak, int(m.group(1)) if m else 0)
        time.sleep(0.0005)
print(peak)
sys.exit(child.returncode)
PY
}

j() { # j NAME FILTER
    jq -rc "$2" "$T/$1.json"
}

bricks_dirs 4
volume_make local-4 --block-size 64KB
must_mount m
mkdir -p "$M/few" "$M/many"
noise 100000 >"$T/spread"
# empty DIR N: so many empty files, with names of 200 digits. Who keeps them shows in
# the memory it takes.
empty() {
    python3 -c 'import os, sys
for i in range(int(sys.argv[2])):
    os.mknod("%s/%0200d" % (sys.argv[1], i + 1))' "$1" "$2"
}
for ((d = 0; d < DIRS; d++)); do
    mkdir -p "$M/many/d$((d % 7))/e$d"
    must empty "$M/many/d$((d % 7))/e$d" "$EACH"
    must cp "$T/spread" "$M/many/d$((d % 7))/e$d/spread"
done
for d in 1 2 3 4; do
    mkdir "$M/few/$d"
    must empty "$M/few/$d" "$EACH"
done
must ln "$M/many/d0/e0/spread" "$M/few/link"
total=$((DIRS * (EACH + 1)))

# ---- every file once, whatever the number of workers ------------------------

for workers in 1 2 7; do
    rc=0
    "$ALLOT" report "$M/many" --workers $workers --json >"$T/w$workers.json" 2>"$T/err" || rc=$?
    is "$workers workers: the report ends well" $rc 0
    is "$workers workers: every file once" "$(j w$workers .files.total)" $total
    is "$workers workers: told" "$(j w$workers '.workers | length')" $workers
    is "$workers workers: the work done is the work planned" \
        "$(j w$workers '([.workers[].files] | add) == ([.workers[].planned_files] | add | round)')" true
    is "$workers workers: every directory once" \
        "$(j w$workers '[.workers[].directories] | add')" $((DIRS + 8))
    is "$workers workers: as planned" \
        "$(j w$workers '[.workers[].planned_directories] | add')" $((DIRS + 8))
    # T_total / p. How much is in a directory is known when it has been entered, so the
    # last few of each worker are a guess.
    is "$workers workers: planned evenly" \
        "$(jq --argjson share $((total / workers)) --argjson room $((4 * (EACH + 1))) \
            '[.workers[].planned_files | select(. < $share - $room or . > $share + $room)]' -c "$T/w$workers.json")" "[]"
    is "$workers workers: nothing else is printed" "$(wc -c <"$T/err")" 0
    is "$workers workers: the same sums" "$(j w$workers '[.blocks, .bytes, .files, .bricks]')" \
        "$(j w1 '[.blocks, .bytes, .files, .bricks]')"
done
is "seven workers: several did something" \
    "$(j w7 '[.workers[] | select(.files > 0)] | length >= 2')" true
is "what is in the bricks' sums is the volume's without inline bytes" \
    "$(j w1 '([.bricks[].bytes | .total + .holes] | add)')" $((DIRS * (100000 - 65536)))
"$ALLOT" report "$M" --json >"$T/all.json"
is "hard links once, also when other workers meet them" "$(j all .files.total)" $((total + 4 * EACH))
# ---- large directories: pages of names of any kind ---------------------------

# 3000 names of 60 to 250 bytes: a page has room for 300 of them at most. Names
# that are not UTF-8 and that JSON must write in another way are among them.
mkdir "$M/wide" "$M/wide/below"
(
    cd "$M/wide" || exit 1
    pad=$(printf '%0230d' 0)
    for ((i = 0; i < 3000; i++)); do
        printf '%s\n' "w$i-${pad:0:$((50 + i % 180))}"
    done | xargs touch
    touch $'new\nline' $'quote"back\\slash' $'latin-\xe9' $'\x01\x7f' $'\xed\xa0\x80' "umlaut-$(printf '\303\274')"
    cp "$T/spread" $'spread-\xff'
    ln -s w0 symlink
    mkfifo fifo
)
must ln "$M/wide/spread-"$'\xff' "$M/wide/below/link"
questions() {
    fop_counts "$(mount_pid m)" | awk '$1 == "meta-autoload" && $2 == "GETXATTR" { n = $3 } END { print n + 0 }'
}
before=$(questions)
"$ALLOT" report "$M/wide" --json >"$T/wide.json"
after=$(questions)
is "every name of a large directory once" "$(j wide '[.files.total, .exact, .bricks[0].name != null]')" "[3007,true,true]"
is "as find counts them" "$(find "$M/wide" -type f ! -name link -printf . | wc -c)" 3007
is "a huge directory was planned for one worker" \
    "$("$ALLOT" report "$M/wide" --workers 4 --json >"$T/shared.json"; j shared '[.workers[] | select(.planned_files >= 3000)] | length')" 1
ok "others have stolen pages of it" jq -e '([.workers[].stolen] | add) >= 1' "$T/shared.json"
ok "so that nobody did all that was planned" jq -e '[.workers[].files | select(. >= 3000)] | length == 0' "$T/shared.json"
is "and every name was met once" "$(j shared '[.files.total, .exact]')" "[3007,true]"
ok "the text has a line for each worker" \
    test "$("$ALLOT" report "$M/wide" --workers 4 | grep -cE '^ +[0-3]( +[0-9]+){4}$')" = 4
asked=$((after - before))
ok "with a question for a page, not for a file ($asked)" test $asked -ge 5 -a $asked -le 30

# Two that list it at once do not disturb each other; nor does a cursor that the
# volume does not know any more.
"$ALLOT" report "$M/wide" --json >"$T/wide2.json" &
"$ALLOT" report "$M/wide" --json >"$T/wide3.json"
wait $!
is "two reports at once say the same" "$(jq -c '.files, .bytes' "$T"/wide[23].json | sort -u | wc -l)" 2
page=$(getfattr --absolute-names --only-values -n glusterfs.allot.children "$M/wide")
next=$(jq -r .next <<<"$page")
while [ "$next" != null ]; do
    jq -c '.entries[]' <<<"$page"
    # A token that nobody has, the offset as it is.
    page=$(getfattr --absolute-names --only-values -n "glusterfs.allot.children.1-${next#*-}" "$M/wide") || break
    next=$(jq -r .next <<<"$page")
done >"$T/pages"
jq -c '.entries[]' <<<"$page" >>"$T/pages"
is "pages whose open directory was closed go on at their place" "$(jq -c '.[0]' "$T/pages" | sort -u | wc -l) $(wc -l <"$T/pages")" "3008 3008"
for bad in x 1-2-3-zz "$(printf '%040d' 1)" 5; do
    nok "cursor $bad is refused" getfattr -n "glusterfs.allot.children.$bad" "$M/wide"
done
nok "a file has no such attribute" getfattr -n glusterfs.allot.children "$M/wide/umlaut-$(printf '\303\274')"
is "the root does not show what is hidden" "$(getfattr --absolute-names --only-values -n glusterfs.allot.children "$M" |
    jq -r '.entries[][0]' | sort | tr '\n' ' ')" "few many wide "
must rm -r "$M/wide"

cpus=$(getconf _NPROCESSORS_ONLN)
is "two workers for each processor, 64 at most, where nobody says how many" \
    "$("$ALLOT" report "$M/few" --json | jq '.workers | length')" $((cpus > 32 ? 64 : 2 * cpus))
for bad in 0 65 x -1; do
    rc=0
    "$ALLOT" report "$M" --workers=$bad >/dev/null 2>&1 || rc=$?
    is "--workers $bad is refused" "$rc" 2
done

# ---- memory -----------------------------------------------------------------

few=$(report_peak "$M/few" "$T/few.out")
many=$(report_peak "$M/many" "$T/many.out")
note "peak memory: $few KiB for $((4 * EACH)) files, $many KiB for $total"
ok "it was seen" test "$few" -gt 2000 -a "$many" -gt 2000
# The names of 3600 files more are 740 KiB. Half a MiB is noise of the allocator (it
# is some 130 KiB), each worker has a page of a directory in both: what is kept does
# not depend on the number of files, but on
# directories that wait (their names) and on files with several hard links (16
# bytes, at most 48 in the table).
ok "memory does not grow with the files" test "$many" -le $((few + 512))

# A list of damaged files is streamed: 200 of them, and all, in directories of 50 with
# long names: the paths of 600 files more are 600 KiB.
mkdir "$M/damaged" "$M/damaged/few"
deep=$(printf '%0250d' 0)
deep=$deep/$deep/$deep/$deep
want_damaged=0
for ((d = 0; want_damaged < ${SCAN_DAMAGED:-800}; d++)); do
    [ $d -ge 4 ] && below=$d/$deep || below=few/$d/$deep
    mkdir -p "$M/damaged/$below"
    must python3 -c 'import sys
data = open(sys.argv[1], "rb").read()
for i in range(50):
    with open("%s/%d" % (sys.argv[2], i), "wb") as f:
        f.write(data)' "$T/spread" "$M/damaged/$below"
    want_damaged=$((want_damaged + 50))
done
for i in 0 1 2 3; do
    portions_lose $i -newer "$T/all.json"
done
few_damaged=$(report_peak "$M/damaged/few" "$T/few-damaged.json")
damaged=$(report_peak "$M/damaged" "$T/damaged.json")
note "peak memory: $few_damaged KiB for 200 damaged files, $damaged KiB for $want_damaged"
is "a list of damaged files" "$(j few-damaged '[.files.damaged, (.damaged_files | length)]')" "[200,200]"
is "a long list" "$(j damaged '[.files.total, .files.intact, (.damaged_files | length)]')" \
    "[$want_damaged,0,$want_damaged]"
ok "it is not kept in memory" test "$damaged" -le $((few_damaged + 512))
must rm -r "$M/damaged"

# ---- speed ------------------------------------------------------------------

mkdir "$M/large"
for ((d = 0; d < 8; d++)); do
    mkdir "$M/large/$d"
    must empty "$M/large/$d" 500
done

# as_fast DIR FILES: A B A B ..., so that whatever else the machine does is in both;
# the better half of the rounds of each. The mark is the speed of find; room for
# noise is a tenth and 10 ms.
as_fast() {
    local round finds=() reports=() f r
    for ((round = 0; round < ${SCAN_ROUNDS:-8}; round++)); do
        finds+=("$(ms find "$M/$1" -ls)")
        reports+=("$(ms "$ALLOT" report "$M/$1")")
    done
    half() { printf '%s\n' "$@" | sort -n | head -$((($# + 1) / 2)) | awk '{ s += $1 } END { print int(s / NR) }'; }
    f=$(half "${finds[@]}")
    r=$(half "${reports[@]}")
    note "$1: find -ls $f ms, report $r ms, for $2 files"
    ok "$1: a report is as fast as find -ls" test "$r" -le $((f * 11 / 10 + 10))
}
as_fast many "$total"
SCAN_ROUNDS=8 as_fast large 4000

done_testing
