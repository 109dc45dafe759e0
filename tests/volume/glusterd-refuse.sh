#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Volumes that cannot use allot and are told to: features.shard, quota. Each stays as
# it is, with its files, and the filter's log says why. A volume of one brick or one
# set works and grows. Settings that do not go together with allot on a volume that
# uses it are not in force, and the status says so. Names of a volume with files are
# not replicated.
# tier: check
# needs: 50
# waits: yes
# shellcheck source=glusterd-lib.sh
. "$(dirname "$0")/glusterd-lib.sh"

bricks_make 3 512M
nodes_make n1 c1
glusterd_start n1
M=$(in_node c1 /mnt/v)
noise $((3 << 20)) >"$T/data"
log_says() { # log_says VOLUME TEXT
    grep -q "/vols/$1/.*$2" "$LOG/n1/allot-filter.log"
}
# stays VOLUME WHY: enabling does not get it, started anew it works as before.
stays() {
    local v=$1 why=$2
    client_mount c1 "n1:/$v" /mnt/v || bail "no mount"
    must cp "$T/data" "$M/before"
    must on c1 umount /mnt/v
    ok "$v: glusterd takes the setting" gluster n1 volume set "$v" user.xlator.allot locks
    ok "$v: the filter's log says why it is not used" log_says "$v" "user.xlator.allot is refused, the volume stays as it is: $why"
    is "$v: no volfile has allot" "$(grep -lE '^    type (user|cluster)/allot' "$T"/n1/lib/vols/"$v"/*.vol)" ""
    must_gluster n1 volume stop "$v"
    must_gluster n1 volume start "$v"
    ok "$v: it can be mounted" client_mount c1 "n1:/$v" /mnt/v
    is "$v: its file is right" "$(sum "$M/before")" "$(sum "$T/data")"
    ok "$v: it can be written" cp "$T/data" "$M/after"
    is "$v: what was written is right" "$(sum "$M/after")" "$(sum "$T/data")"
    must on c1 umount /mnt/v
    must_gluster n1 volume stop "$v"
}
must_gluster n1 volume create sharded "n1:$T/b0/sharded" "n1:$T/b1/sharded"
must_gluster n1 volume set sharded features.shard True
must_gluster n1 volume start sharded
stays sharded "features.shard is on"
# While settings are made, the filter reads those of before.
guards() { # guards VOLUME: how many bricks have one
    cat "$T"/n1/lib/vols/"$1"/"$1".n1.*.vol | grep -cx '    type user/allot'
}
must_gluster n1 volume set sharded features.shard off
is "sharded: without shards it is refused as before" "$(guards sharded)" 0
must_gluster n1 volume set sharded user.xlator.allot locks
is "sharded: until it is told to use allot again" "$(guards sharded)" 2
must_gluster n1 volume create limited "n1:$T/b0/limited" "n1:$T/b1/limited"
must_gluster n1 volume start limited
if gluster n1 volume quota limited enable >/dev/null 2>&1; then
    stays limited "quota is on"
    must_gluster n1 volume start limited
    must_gluster n1 volume quota limited disable
    is "limited: without quota it can, at once" "$(guards limited)" 2
    must_gluster n1 volume stop limited
else
    skip "limited: quota" "quota cannot be enabled here"
fi

# ---- one data subvolume: nothing to share -------------------------------------
one() { # one VOLUME WORD...: calls pass through, but the bricks have guards
    local v=$1
    must_gluster n1 volume create "$@" force
    must_gluster n1 volume set "$v" user.xlator.allot locks
    must_gluster n1 volume start "$v"
    ok "$v: the first mount works" client_mount c1 "n1:/$v" /mnt/v || return
    must cp "$T/data" "$M/data"
    must on c1 umount /mnt/v
    ok "$v: and the second" client_mount c1 "n1:/$v" /mnt/v
    is "$v: its file is right" "$(sum "$M/data")" "$(sum "$T/data")"
    is "$v: the status speaks" "$(on c1 "$BUILD/allot" status --json /mnt/v | jq -r '.state, (.bricks | length)' | xargs)" "UP 1"
    is "$v: the report, too" "$(on c1 "$BUILD/allot" report --json /mnt/v | jq -c '[.files.total, .files.intact]')" "[1,1]"
}
one_ends() { # one_ends VOLUME
    must on c1 umount /mnt/v
    must_gluster n1 volume stop "$1"
}
one single "n1:$T/b0/single"
# Of what is refused only at first the new brick is not kept out.
must_gluster n1 volume set single features.shard true
must_gluster n1 volume add-brick single "n1:$T/b1/single"
two() {
    [ "$(on c1 "$BUILD/allot" status --json /mnt/v | jq -r '.state, .active, (.bricks | length)' | xargs)" = "UP true 2" ]
}
ok "single: a second brick makes files spread" expect_within 30 two
must cp "$T/data" "$M/more"
is "single: over both" "$(on c1 "$BUILD/allot" layout --json /mnt/v/more | jq '[.extents[].members[].name] | unique | length')" 2
is "single: what was there is right" "$(sum "$M/data")" "$(sum "$T/data")"
# Discarded again. What is spread is refused by one brick alone, and half there with
# another one.
must_gluster n1 volume remove-brick single "n1:$T/b1/single" force
alone() {
    [ "$(on c1 "$BUILD/allot" status --json /mnt/v | jq -r '[.bricks[] | .state] | join(" ")')" = "$1" ]
}
ok "single: the second brick is lost" expect_within 30 alone "up lost"
is "single: what was not spread is right" "$(sum "$M/data")" "$(sum "$T/data")"
nok "single: what was is not read" cat "$M/more"
must_gluster n1 volume add-brick single "n1:$T/b1/again"
ok "single: a new one is blank" expect_within 30 alone "up blank"
ok "single: it is adopted" on c1 "$BUILD/allot" brick adopt single-client-1 /mnt/v
ok "single: both are up, one is lost" expect_within 30 alone "up up lost"
ok "single: a file is spread again" cp "$T/data" "$M/third"
is "single: and right" "$(sum "$M/third")" "$(sum "$T/data")"
one_ends single
one set replica 3 "n1:$T/b0/set" "n1:$T/b1/set" "n1:$T/b2/set"
must_gluster n1 volume replace-brick set "n1:$T/b1/set" "n1:$T/b1/new" commit force
leaf_is() { # leaf_is STATE: of the brick that was replaced
    on c1 "$BUILD/allot" status --json /mnt/v | jq -e --arg s "$1" '.bricks[0].leaves[1].state == $s' >/dev/null
}
ok "set: a member that was replaced is blank" expect_within 60 leaf_is blank
ok "set: it is adopted" on c1 "$BUILD/allot" brick adopt set-client-1 /mnt/v
ok "set: it is up" expect_within 30 leaf_is up
ok "set: and healed" expect_within 60 cmp "$T/data" "$T/b1/new/data"
one_ends set

# ---- beside allot -------------------------------------------------------------
must_gluster n1 volume create rep replica 3 "n1:$T/b0/rep" "n1:$T/b1/rep" "n1:$T/b2/rep" \
    "n1:$T/b0/rep2" "n1:$T/b1/rep2" "n1:$T/b2/rep2" force
must_gluster n1 volume set rep user.xlator.allot locks
must_gluster n1 volume set rep user.xlator.allot.inline-limit 128KB
must_gluster n1 volume start rep
client_mount c1 n1:/rep /mnt/v || bail "no mount"
is "inline-limit, set before the first start, is what the volume is registered with" \
    "$(on c1 "$BUILD/allot" status --json /mnt/v | jq -c '[.inline_limit, .warnings]')" "[131072,[]]"
must cp "$T/data" "$M/data"
warned() { # warned TEXT
    on c1 "$BUILD/allot" status /mnt/v | grep -q "^warning: .*$1"
}
must_gluster n1 volume set rep features.shard on
ok "features.shard is refused beside allot" expect_within 30 warned "features.shard is refused"
must_gluster n1 volume set rep cluster.full-lock off
ok "so is cluster.full-lock off" expect_within 30 warned "cluster.full-lock off is refused"
nok "neither is in force" grep -qE 'features/shard|full-lock off' "$(volfile n1 rep rep.tcp-fuse.vol)"
is "files are right" "$(sum "$M/data")" "$(sum "$T/data")"
ok "files can be written" cp "$T/data" "$M/more"
is "in one piece, without shards" "$(find "$T"/b?/rep/.shard -type f 2>/dev/null | wc -l)" 0
on c1 umount /mnt/v
ok "new mounts work" client_mount c1 n1:/rep /mnt/v
is "and read" "$(sum "$M/more")" "$(sum "$T/data")"
on c1 umount /mnt/v

# ---- names of a volume with files ---------------------------------------------
must_gluster n1 volume create old "n1:$T/b0/old" "n1:$T/b1/old" "n1:$T/b2/old"
must_gluster n1 volume start old
client_mount c1 n1:/old /mnt/v || bail "no mount"
for i in {1..9}; do
    must cp /etc/passwd "$M/f$i"
done
must on c1 umount /mnt/v
must_gluster n1 volume set old user.xlator.allot locks
must_gluster n1 volume set old user.xlator.allot.namespace replicate
ok "names of a volume with files are not replicated, says the log" log_says old "user.xlator.allot.namespace replicate is refused: the volume has files"
must_gluster n1 volume stop old
must_gluster n1 volume start old
ok "it can be mounted" client_mount c1 n1:/old /mnt/v
is "all names are there" "$(cd "$M" && echo f*)" "f1 f2 f3 f4 f5 f6 f7 f8 f9"
ok "the status says so, too" warned "user.xlator.allot.namespace=replicate is not valid here"
is "names are distributed" "$(on c1 "$BUILD/allot" status --json /mnt/v | jq -r '.namespace, .active' | xargs)" "distribute true"
must cp "$T/data" "$M/data"
is "and files spread" "$(on c1 "$BUILD/allot" layout --json /mnt/v/data | jq .spread)" true
done_testing
