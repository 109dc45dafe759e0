#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Another glusterd lives on this machine: in the machine's own namespaces, with a
# started volume and a client that writes all the time. Tests of ours with a
# glusterd run beside it, one that ends by itself and one that is killed and swept:
# each with a volume of the same name, brick and server killed. The other's
# processes, mounts and data are not touched, and the machine is as it was.
# tier: check
# needs: 60
# waits: yes
# shellcheck source=glusterd-lib.sh
. "$(dirname "$0")/glusterd-lib.sh"

ADDRESS=127.77.0.1
if grep -qE '^ *[0-9]+: (00000000|01004D7F):5DC7 [0-9A-F:]+ 0A' /proc/net/tcp ||
    grep -qE '^ *[0-9]+: 0{32}:5DC7 [0-9A-F:]+ 0A' /proc/net/tcp6; then
    skip "another glusterd" "this machine has one, and its volumes are not for tests"
    done_testing
fi

# ---- the other one --------------------------------------------------------------
bricks_make 2 512M
O=$T/other
mkdir -p "$O/lib" "$O/run" "$LOG/other" "$O/mnt"
other() { # the gluster command, for it
    command gluster --mode=script --glusterd-sock="$O/glusterd.sock" --log-file="$LOG/other/cli.log" "$@"
}
# Directories that it makes in places which cannot be chosen.
for dir in /run/gluster /run/gluster/snaps; do
    [ -e $dir ] || undo empty $dir
done
must glusterd -p "$O/glusterd.pid" -l "$LOG/other/glusterd.log" \
    --xlator-option management.working-directory="$O/lib" \
    --xlator-option management.run-directory="$O/run" \
    --xlator-option management.logging-directory="$LOG/other" \
    --xlator-option management.glusterd-sockfile="$O/glusterd.sock" \
    --xlator-option management.transport.socket.bind-address=$ADDRESS
must expect_within 20 test -s "$O/glusterd.pid"
PIDS=()
mine() { # mine PID: one of its processes
    [ -n "$1" ] || bail "no pid"
    undo process "$1" "$(proc_start "$1")"
    PIDS+=("$1 $(proc_start "$1")")
}
mine "$(cat "$O/glusterd.pid")"
must expect_within 60 other pool list
must other volume create vol1 "$ADDRESS:$T/b0/brick" "$ADDRESS:$T/b1/brick"
must other volume start vol1
pidfiles() {
    find "$O/run/vols/vol1" -name '*.pid' -size +0 | sort
}
two() { [ "$(pidfiles | wc -l)" = 2 ]; }
must expect_within 30 two
for f in $(pidfiles); do
    mine "$(cat "$f")"
    # Bricks have their sockets where all have them.
    undo file "$(tr '\0' '\n' <"/proc/$(cat "$f")/cmdline" | grep -x '/.*/gluster/[0-9a-f]*\.socket')"
done
other_mount() {
    must glusterfs --volfile-server=$ADDRESS --volfile-id=vol1 -l "$LOG/other/mnt.log" -p "$O/mnt.pid" "$O/mnt"
    must expect_within 30 timeout 20 stat -t "$O/mnt/."
    must expect_within 30 mountpoint -q "$O/mnt"
}
undo mount "$O/mnt"
other_mount
mine "$(cat "$O/mnt.pid")"
# What of the machine must be as it was. Other tests, which run beside this one,
# have names of their own.
machine() {
    find / -mindepth 1 -maxdepth 1 | sort
    find /tmp -mindepth 1 -maxdepth 1 -name '*vol*' | sort
    grep -v '/allot-test\.\|/run/netns' /proc/mounts # ./dev bench has network namespaces
    grep " $T/" /proc/mounts | grep -v " $T/scratch/"
    ip -o link | cut -d: -f2 | grep -v ' al[0-9]*-[0-9]' # of ./dev bench
}
machine >"$T/machine"
touch "$T/stamp"
M=$O/mnt
writer_start 20000 4
goes_on() {
    WRITTEN=$(wc -l <"$T/written")
    expect_within 30 more_written 3
}
ok "the other one's client writes" goes_on

# ---- ours -----------------------------------------------------------------------
cat >"$T/ours.sh" <<'OURS'
. "$1/tests/volume/glusterd-lib.sh"
bricks_make 2 300M
nodes_make n1 c1
glusterd_start n1
must_gluster n1 volume create vol1 "n1:$T/b0/brick" "n1:$T/b1/brick"
must_gluster n1 volume set vol1 user.xlator.allot locks
must_gluster n1 volume start vol1
ok "it is mounted" client_mount c1 n1:/vol1 /mnt/v
M=$(in_node c1 /mnt/v)
noise $((8 << 20)) >"$T/data"
ok "it is written" cp "$T/data" "$M/data"
on n1 kill -KILL "$(brick_of n1 vol1 1)"
down() { on c1 "$BUILD/allot" status --json /mnt/v | jq -e '.bricks[1].state == "down"' >/dev/null; }
ok "a brick dies" expect_within 60 down
must_gluster n1 volume start vol1 force
glusterd_kill n1
glusterd_start n1
if [ "$2" = stays ]; then
    : >"$3"
    # Until it is killed.
    read -r _ <"$4"
fi
node_kill n1
done_testing
OURS
ours() { # ours ends|stays
    ALLOT_SCRATCH=$T/scratch ALLOT_LOGS='' bash "$T/ours.sh" "$TOP" "$1" "$T/ready" "$T/never" >"$T/ours.out" 2>&1
}
left() { # what a test of ours has left: files and mounts
    find "$T/scratch" -mindepth 1 -maxdepth 1
    grep " $T/scratch/" /proc/mounts
}
mkdir "$T/scratch"
mkfifo "$T/never"
ok "a test of ours with a glusterd runs beside it" ours ends
note "$(cat "$T/ours.out")"
is "and leaves nothing" "$(left)" ""
ok "the other one's client writes" goes_on
ours stays &
pid=$!
undo process $pid "$(proc_start $pid)"
must expect_within 120 test -e "$T/ready"
ok "the other one's client writes while another test of ours is under way" goes_on
# The shell in which it runs, too: both without a chance to clean up.
children=$(cat /proc/$pid/task/$pid/children)
for p in $children; do
    end_process "$p" "$(proc_start "$p")"
done
end_process $pid "$(proc_start $pid)"
t=$(find "$T/scratch" -mindepth 1 -maxdepth 1)
ok "it was killed with its volume running" grep -q " $t/b0 " /proc/mounts
# As tests/run does after each script.
# shellcheck disable=SC2016
bash -c '. "$0/tests/volume/lib.sh" && rm -rf "$T" && T=$1 && trap - EXIT && cleanup_dir "$1"' "$TOP" "$t"
is "what it left is swept" "$(left)" ""
ok "the other one's client writes" goes_on

# ---- is it unharmed -------------------------------------------------------------
dead=
for p in "${PIDS[@]}"; do
    # shellcheck disable=SC2086
    same_process $p || dead+="$p "
done
is "its ${#PIDS[@]} processes are those of before" "$dead" ""
ok "its bricks are online" test "$(other volume status vol1 --xml | grep -c '<status>1</status>')" -ge 2
machine >"$T/machine.after"
ok "the machine's directories, mounts and links are as they were" diff "$T/machine" "$T/machine.after"
# But for what other tests have their processes write meanwhile: metrics, and statedumps.
new=$(find /var/lib/glusterd /var/log/glusterfs /run/gluster /etc/glusterfs -newer "$T/stamp" \
    ! -path /run/gluster ! -path '/run/gluster/metrics*' ! -path '/run/gluster/*.dump.*' 2>/dev/null)
is "nothing is written where a glusterd of the machine has its files" "$new" ""
touch "$T/stop-writing"
ok "its client ends" expect_within 60 gone $WRITER "$(proc_start $WRITER)"
is "none of its writes failed" "$(cat "$T/writer.errors")" ""
# Nobody keeps its mount alive.
ok "it can be unmounted" umount "$O/mnt"
client=${PIDS[-1]}
# shellcheck disable=SC2086
ok "and its client's process ends" expect_within 30 gone $client
other_mount
mine "$(cat "$O/mnt.pid")"
wrong=0 files=0
while read -r f; do
    name=${f#w/}
    files=$((files + 1))
    [ "$(sum "$O/mnt/$f")" = "${name%.*}" ] || wrong=$((wrong + 1))
done <"$T/written"
is "its data is right ($files files)" "$wrong" 0
must umount "$O/mnt"
ok "its volume can be stopped" other volume stop vol1
done_testing
