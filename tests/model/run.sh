#!/bin/bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
#
# run.sh [--full] [-k PATTERN] - check the protocol model with spin.
#
# One line of TAP for each configuration: every workload must hold in all its
# states, every mutant (one way to do the protocol wrong) must be caught by the
# workload that is made for it. Exits with 1 if not. --full adds the workloads
# of many states (some minutes, up to 6 GiB; default: a minute, below 2 GiB).
#
# To see why something failed:
#     ALLOT_WORK=name [ALLOT_MUTANT=name] ./pan -m20000
#     ALLOT_TRACE=1 ALLOT_WORK=name [ALLOT_MUTANT=name] ./pan -r | grep '^@'
# in a directory where this was built (KEEP=directory ./run.sh).
set -u

here=$(cd "$(dirname "$0")" && pwd)
full=0
pattern=.
while [ $# -gt 0 ]; do
    case $1 in
    --full) full=1 ;;
    -k)
        shift
        pattern=${1:?-k needs a pattern}
        ;;
    *)
        echo "usage: run.sh [--full] [-k PATTERN]" >&2
        exit 2
        ;;
    esac
    shift
done

memory_mib=1900
limit_s=60
if [ $full = 1 ]; then
    memory_mib=6000
    limit_s=1500
fi

works="write-settle truncate-settle truncate-write-drop grow grow-stray grow-whole
grow-whole-drop grow-whole-stray append
append-append append-drop fsync-truncate silent-close relocate-drop
own-close relocate-full to-inline cut-back help clip-settle-drop extend stat"
works_full="to-inline-drop two-truncates-drop truncates-race hidden-tail relocate-race
own-size"
# too many states for the memory: no violation in those that fit is accepted
works_bounded=" relocate-race "

# mutant:workload that catches it
mutants="settle-no-fence:extend append-no-fence:relocate-full
publish-no-compare:grow publish-no-drain:grow-stray
fence-no-drain:relocate-full no-clip:truncate-write-drop
no-behind:relocate-race single-clip:two-truncates-drop
truncate-next-gen:truncate-write-drop append-clips-at-start:relocate-full
no-cut-at-mapped-end:hidden-tail glimpse-no-cap:hidden-tail
copy-with-published-gen:relocate-race copy-without-own-bytes:relocate-drop
copy-ignores-silent:relocate-race settle-clean-though-silent:silent-close
to-inline-at-once:to-inline own-size-of-any-gen:fsync-truncate
hidden-not-reported:hidden-tail stat-cached-record:stat
reconnect-no-reread:truncate-write-drop truncate-clip-leaves-early:truncate-write-drop
settle-clip-leaves-early:clip-settle-drop to-inline-over-dirty:to-inline
grow-no-max-size:grow-stray ahead-stays:truncate-settle write-not-dirty:extend
nobody-helps:help ahead-forgets-own-size:own-size
settle-forgets-own-size:own-close settle-not-reported:own-close
to-inline-no-fence:to-inline size-told-before-the-fence:write-settle"

# Small models of their own, with the numbers and names of their mutants.
parts="lock cut unlink even whole"
part_mutants="lock:1:no-lock lock:2:unlocked-before-the-write lock:3:outlives-its-client
cut:1:not-closed cut:2:no-lock cut:3:stays-closed
unlink:1:others-fds-not-looked-at unlink:2:open-ones-handed-out unlink:3:nobody-asks
unlink:4:forgotten-when-handed-out unlink:5:opens-under-way-not-looked-at
even:1:one-brick-is-asked even:2:past-the-lock even:3:not-made-even-first
even:4:nobody-says-before even:5:says-the-verdict-only
whole:1:no-mark whole:2:mark-goes-with-the-call whole:3:publishes-past-calls"

dir=${KEEP:-}
if [ -z "$dir" ]; then
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
fi
mkdir -p "$dir"
cp "$here"/*.pml "$here"/allot*.h "$dir" || exit 2
cd "$dir" || exit 2
spin -a allot.pml >spin.log 2>&1 || {
    cat spin.log
    exit 2
}
# HC4: states are kept as 64 bit of hash. NOREDUCE: every step is one act on
# shared state, partial order reduction has nothing to win.
${CC:-cc} -O2 -w -I. -DSAFETY -DNOREDUCE -DHC4 -DMEMLIM="$memory_mib" \
    -o pan pan.c >cc.log 2>&1 || {
    cat cc.log
    exit 2
}

n=0
bad=0

# run WORKLOAD MUTANT: prints "holds STATES", "fails", "unfinished STATES"
run() {
    rm -f allot.pml.trail
    ALLOT_WORK=$1 ALLOT_MUTANT=$2 timeout "$limit_s" ./pan -m20000 >pan.log 2>&1
    if grep -q 'errors: [1-9]' pan.log; then
        if grep -q 'assertion violated\|invalid end state' pan.log; then
            echo fails
        else
            echo unfinished
        fi
    elif grep -q 'errors: 0' pan.log &&
        ! grep -q 'MEMLIM bound\|Search not completed\|depth too small' pan.log; then
        echo "holds $(awk '/states, stored/ { print $1 }' pan.log)"
    else
        echo "unfinished $(awk '/states, stored/ { print $1 }' pan.log)"
    fi
}

report() { # GOOD NAME REMARK
    n=$((n + 1))
    if [ "$1" = 1 ]; then
        echo "ok $n - $2${3:+ ($3)}"
    else
        echo "not ok $n - $2${3:+ ($3)}"
        bad=1
    fi
}

[ $full = 1 ] && works="$works $works_full"
for w in $works; do
    [[ $w =~ $pattern ]] || continue
    r=$(run "$w" none)
    case $r in
    holds*) report 1 "$w" "${r#holds } states" ;;
    unfinished\ *)
        good=0
        [[ $works_bounded == *" $w "* && -n ${r#unfinished } ]] && good=1
        report $good "$w" "no violation in ${r#unfinished } states, not all"
        ;;
    *) report 0 "$w" "$r" ;;
    esac
done
for m in $mutants; do
    [[ $m =~ $pattern ]] || continue
    r=$(run "${m#*:}" "${m%:*}")
    good=0
    [ "$r" = fails ] && good=1
    report $good "mutant ${m%:*} is caught by ${m#*:}" "$r"
done

# part NAME MUTANT: as run.
part() {
    ALLOT_MUTANT=$2 timeout "$limit_s" "./pan-$1" -m20000 >pan.log 2>&1
    if grep -q 'errors: 0' pan.log && ! grep -q 'Search not completed\|depth too small' pan.log; then
        echo "holds $(awk '/states, stored/ { print $1 }' pan.log)"
    elif grep -q 'assertion violated\|invalid end state (' pan.log; then
        echo fails
    else
        echo unfinished
    fi
}

for p in $parts; do
    [[ $p =~ $pattern ]] || continue
    if ! spin -a "$p.pml" >spin.log 2>&1 ||
        ! ${CC:-cc} -O1 -w -DSAFETY -DNOREDUCE -o "pan-$p" pan.c >>spin.log 2>&1; then
        cat spin.log
        exit 2
    fi
    r=$(part "$p" 0)
    good=0
    [[ $r == holds* ]] && good=1
    report $good "$p.pml" "${r#holds } states"
    for m in $part_mutants; do
        [[ $m == "$p":* ]] || continue
        m=${m#*:}
        r=$(part "$p" "${m%%:*}")
        good=0
        [ "$r" = fails ] && good=1
        report $good "mutant ${m#*:} is caught by $p.pml" "$r"
    done
done
echo "1..$n"
exit $bad
