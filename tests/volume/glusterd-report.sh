#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# `allot report HOST:/VOLUME` beside a stock glusterd: what a mount says is said through
# libgfapi; and where there is nothing to ask (no such volume, one that is stopped, no
# such host, none that answers, one without glusterd) it ends soon, with one sentence,
# exit status 2, nothing on standard output and no file.
# tier: check
# needs: 30
# waits: yes
# shellcheck source=glusterd-lib.sh
. "$(dirname "$0")/glusterd-lib.sh"

bricks_make 2 512M
nodes_make n1 c1
glusterd_start n1
M=$(in_node c1 /mnt/v)
must_gluster n1 volume create vol1 "n1:$T/b0/brick" "n1:$T/b1/brick"
must_gluster n1 volume set vol1 user.xlator.allot locks
must_gluster n1 volume start vol1
client_mount c1 n1:/vol1 /mnt/v || bail "no mount"
noise $((2 << 20)) >"$T/data"
mkdir "$M/d"
must cp "$T/data" "$M/d/spread"
must cp /etc/passwd "$M/small"

# report STATUS ARG...: in the node of the client; $T/out, $T/err
report() {
    local want=$1 rc=0
    shift
    on c1 timeout -s KILL 100 "$BUILD/allot" report "$@" >"$T/out" 2>"$T/err" || rc=$?
    is "report $*: exit status" $rc "$want" || note "$(cat "$T/err")"
}
report 0 /mnt/v --json
jq -S 'del(.workers)' "$T/out" >"$T/mounted"
ok "the report of the mount has both files" jq -e '.files.total == 2 and .exact' "$T/mounted"
report 0 n1:/vol1 --json
is "the same through libgfapi" "$(jq -S 'del(.workers)' "$T/out")" "$(cat "$T/mounted")"
report 0 n1:/vol1/d --json
is "and of a part" "$(jq .files.total "$T/out")" 1

# refused DESC PATTERN TARGET: in the seconds that it takes
refused() {
    local begin=$SECONDS
    report 2 "$3" --json --output "$T/report"
    is "$1: one line, on standard error" "$(wc -c <"$T/out") $(wc -l <"$T/err")" "0 1" ||
        note "$(cat "$T/err")"
    ok "$1: it names what was asked for, and what to do" grep -qE "$2" "$T/err" || note "$(cat "$T/err")"
    is "$1: no file" "$(find "$T" -maxdepth 1 -name 'report*')" ""
    note "$1: $((SECONDS - begin)) s: $(cat "$T/err")"
}
refused "unknown volume" "'none'.*'n1'.*check" n1:/none
refused "unknown directory" "'/none'.*'vol1'.*name a directory" n1:/vol1/none
refused "unknown host" "'vol1'.*'nobody'.*check" nobody:/vol1
refused "a host without glusterd" "'vol1'.*'c1'.*check" c1:/vol1
refused "a host that is not there" "'vol1'.*'10.77.0.99'.*check" 10.77.0.99:/vol1
must on c1 umount /mnt/v
must_gluster n1 volume stop vol1
refused "a volume that is stopped" "'vol1'.*'n1'.*check" n1:/vol1
must_gluster n1 volume start vol1
back() { on c1 timeout -s KILL 60 "$BUILD/allot" report n1:/vol1; }
ok "started again, it is reported" expect_within 60 back
done_testing
