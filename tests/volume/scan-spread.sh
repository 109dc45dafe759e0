#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 30
# alone: yes
# How fast a report of spread files is beside find -ls on the same mount, over four
# brick processes, in turn and in one run. A report makes sure of every portion, which
# find does not look at. Two marks, each the median of the ratios of neighbours, so that
# whatever else the machine does is in both of a pair: the time, which must not be longer
# than that of find; and the processor time of the bricks, the mount and the command
# together, which says how it is where nothing else is left to run on. By default over
# replicated names, of which find -ls has less to do (SCAN_KINDS). SCAN_STATES=expired: each
# begins when the second is over for which the kernel keeps names and attributes.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ALLOT=allot
[ "$BUILD" = installed ] || ALLOT=$BUILD/allot
EACH=${SCAN_EACH:-400}
ROUNDS=${SCAN_ROUNDS:-9}
STATES=${SCAN_STATES:-warm}

# pairs STATE: one line, "find: ms and processor ms; report: the same; percent: time and
# processor time of the report to those of find".
pairs() {
    python3 - "$M" "$ALLOT" "$ROUNDS" "$1" "$(mount_pid m)" "$(brick_pid 0)" "$(brick_pid 1)" "$(brick_pid 2)" "$(brick_pid 3)" <<'PY'
import os, resource, statistics, subprocess, sys, time
mount, allot, rounds, state = sys.argv[1:5]
pids = sys.argv[5:]

def processor():  # nanoseconds
    sum = 0
    for pid in pids:
        for task in os.listdir("/proc/%s/task" % pid):
            try:
                with open("/proc/%s/task/%s/schedstat" % (pid, task)) as f:
                    sum += int(f.read().split()[0])
            except FileNotFoundError:
                pass
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum + (own.ru_utime + own.ru_stime) * 1e9

def once(command):
    ended = time.monotonic()
    while state == "expired" and time.monotonic() < ended + 1.1:
        time.sleep(0.05)
    used, begin = processor(), time.monotonic()
    if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
        sys.exit("%s failed" % command)
    return (time.monotonic() - begin) * 1e3, (processor() - used) / 1e6

finds, reports = [], []
for i in range(int(rounds)):
    finds.append(once(["find", mount, "-ls"]))
    reports.append(once([allot, "report", mount]))
median = statistics.median
seen = [median(x[i] for x in runs) for runs in (finds, reports) for i in (0, 1)]
seen += [100 * median(r[i] / f[i] for f, r in zip(finds, reports)) for i in (0, 1)]
print(*("%d" % x for x in seen))
PY
}

noise 200000 >"$T/spread"
bricks_dirs 4
for kind in ${SCAN_KINDS:-net-4}; do
    volume_make "$kind" --block-size 64KB
    volume_start
    must_mount m
    for d in 0 1 2 3; do
        mkdir "$M/$d"
        must python3 -c 'import sys
data = open(sys.argv[1], "rb").read()
for i in range(int(sys.argv[3])):
    with open("%s/%d" % (sys.argv[2], i), "wb") as f:
        f.write(data)' "$T/spread" "$M/$d" "$EACH"
    done
    is "$kind: the files are spread" "$("$ALLOT" report "$M" --json | jq -c '[.files.intact, .bytes.total, (.bricks | length)]')" \
        "[$((4 * EACH)),$((4 * EACH * 200000)),4]"
    for state in $STATES; do
        read -r find_ms find_cpu ms cpu time_percent cpu_percent < <(pairs "$state")
        note "$kind, caches $state, $((4 * EACH)) spread files: find -ls $find_ms ms and $find_cpu ms of processors," \
            "report $ms ms and $cpu ms: $time_percent% and $cpu_percent%"
        ok "$kind, caches $state: a report takes no longer than find -ls" test "${time_percent:-999}" -le 100
        ok "$kind, caches $state: with a quarter more of the processors at most" test "${cpu_percent:-999}" -le 125
    done
    mount_kill m
    for ((i = 0; i < 4; i++)); do
        brick_kill $i
        brick_wipe $i
    done
done
done_testing
