#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Each option of docs/options.md that people set, by "gluster volume set" while a
# client is mounted: what it does there, without a new mount and without another
# graph, and that it is undone by "default". Then a wrong value of each: no client
# minds, nothing of it is in force, the status and the filter's log say so.
# tier: check
# needs: 30
# waits: yes
# shellcheck source=glusterd-lib.sh
. "$(dirname "$0")/glusterd-lib.sh"

bricks_make 4 512M
nodes_make n1 c1
glusterd_start n1
must_gluster n1 volume create vol1 "n1:$T/b0/brick" "n1:$T/b1/brick" "n1:$T/b2/brick" "n1:$T/b3/brick"
must_gluster n1 volume set vol1 user.xlator.allot locks
# The disk's errors are for the client to notice, not for storage/posix.
must_gluster n1 volume set vol1 storage.health-check-interval 0
must_gluster n1 volume start vol1
client_mount c1 n1:/vol1 /mnt/v -o direct-io-mode=enable || bail "no mount"
M=$(in_node c1 /mnt/v)
noise $((8 << 20)) >"$T/data"
must cp "$T/data" "$M/data"

options() { # options NAME VALUE...: in one command
    local pairs=()
    while [ $# -ge 2 ]; do
        pairs+=("user.xlator.allot.$1" "$2")
        shift 2
    done
    must_gluster n1 volume set vol1 "${pairs[@]}"
}
status() { # status FILTER: of the mounted client
    on c1 timeout -s KILL 20 "$BUILD/allot" status --json /mnt/v | jq -r "$1"
}
state_is() { # state_is BRICK STATE
    [ "$(status ".bricks[$1].state")" = "$2" ]
}
layout() { # layout FILTER: of a file that is written now
    cp "$T/data" "$M/new" && on c1 timeout -s KILL 20 "$BUILD/allot" layout --json /mnt/v/new | jq -r "$1"
    rm "$M/new"
}

# ---- what each one does -----------------------------------------------------
# does_OPTION VALUE: the mounted client acts as VALUE says.
does_block_size() {
    [ "$(layout '.extents[0].block_size')" = "$1" ]
}
does_width() {
    [ "$(layout '[.extents[].members | length] | max')" = "$1" ]
}
does_weights() { # weight of the first brick to that of the second, in a new file
    [ "$(layout '[.extents[-1].members[] | select(.name == "vol1-client-0" or .name == "vol1-client-1")] | sort_by(.name) | map(.weight) | join(":")')" = "$1" ]
}
does_min_free() { # members of a new file; brick 2 has less space than the others
    [ "$(layout '[.extents[].members[].name] | unique | map(ltrimstr("vol1-client-")) | join(" ")')" = "$1" ]
}
does_prefetch() { # does it read ahead: yes or no
    local n
    exec 7<"$M/data"
    dd bs=128K count=40 of=/dev/null status=none <&7
    n=$(sed -n 's/^prefetched *= *//p' "$M/.meta/graphs/active/vol1-allot/private")
    exec 7<&-
    [ "$([ "$n" -gt 0 ] && echo yes || echo no)" = "$1" ]
}
# Together those that do not meddle with each other's files. The client takes all of
# a volfile at once, but each is looked at by itself.
# together NAME|VALUE|WHAT-IT-DOES-THEN|WHAT-IT-DOES-BY-DEFAULT...
together() {
    local row name value now before set=() unset=()
    for row; do
        IFS='|' read -r name value now before <<<"$row"
        ok "$name: before, $before" expect_within 20 "does_${name//-/_}" "$before"
        set+=("$name" "$value")
        unset+=("$name" default)
    done
    options "${set[@]}"
    for row; do
        IFS='|' read -r name value now before <<<"$row"
        ok "$name $value: the mounted client does it, $now" expect_within 30 "does_${name//-/_}" "$now"
    done
    options "${unset[@]}"
    for row; do
        IFS='|' read -r name value now before <<<"$row"
        ok "$name default: as before" expect_within 30 "does_${name//-/_}" "$before"
    done
}
must fallocate -l 200M "$T/b2/ballast"
together 'block-size|1MB|1048576|262144' 'weights|vol1-client-0=3,vol1-client-1=2|3:2|1:1' 'prefetch|0|no|yes'
together 'width|2|2|4'
together 'min-free|80%|0 1 3|0 1 2 3'
rm "$T/b2/ballast"

# ---- failing-errors, failing-hold -------------------------------------------
writes() { # writes N: files, whose writes may fail on a brick
    local i
    for ((i = 0; i < $1; i++)); do
        cp "$T/data" "$M/bad-$RANDOM" 2>/dev/null
    done
    true
}
errors_are() { # errors_are MORE-THAN
    writes 2
    [ "$(status '.bricks[3].errors')" -gt "$1" ]
}
# Files do not show when the first two have arrived; width does.
options failing-errors 0 failing-hold 3600 width 3
ok "settings arrive" expect_within 30 does_width 3
options width default
ok "all of them" expect_within 30 does_width 4
must mount -o remount,ro "$T/b3"
ok "failing-errors 0: a brick has errors, many more than 5" expect_within 60 errors_are 20
is "failing-errors 0: and is not failing" "$(status '.bricks[3].state')" up
options failing-errors 1
failing() {
    writes 1
    state_is 3 failing
}
ok "failing-errors 1: now it is" expect_within 30 failing
is "and the status says why" "$(status '.bricks[3].why')" "its file system is read-only"
must mount -o remount,rw "$T/b3"
ok "failing-hold 3600: it stays so" state_is 3 failing
options failing-hold 1
# By default it would be tried after 30 seconds.
PATIENCE=1 ok "failing-hold 1: it is tried, and up" expect_within 25 state_is 3 up

# ---- stall-timeout ----------------------------------------------------------
options failing-errors default stall-timeout 1
pid=$(brick_of n1 vol1 1)
must on n1 kill -STOP "$pid"
# By default after 20 seconds. The root is on all bricks: nobody can be asked while
# one of them does not answer.
stalled() {
    grep -q 'brick vol1-client-1 is failing: it does not answer calls' "$(mount_log c1 /mnt/v)"
}
PATIENCE=1 ok "stall-timeout 1: a brick that does not answer is failing" expect_within 18 stalled
must on n1 kill -CONT "$pid"
ok "it is back" expect_within 30 state_is 1 up
options stall-timeout default failing-hold default

# ---- strict-readdir ---------------------------------------------------------
must on n1 kill -KILL "$(brick_of n1 vol1 3)"
ok "a brick is down" expect_within 60 state_is 3 down
lists() {
    bounded 20 ls "$M" >/dev/null 2>&1
}
lists_not() {
    ! lists
}
ok "strict-readdir: before, a listing ends in an error" lists_not
options strict-readdir off
ok "strict-readdir off: no more" expect_within 30 lists
options strict-readdir default
ok "strict-readdir default: as before" expect_within 30 lists_not
must_gluster n1 volume start vol1 force
ok "the brick is back" expect_within 60 state_is 3 up

# ---- those that are not for a volume in use ---------------------------------
options inline-limit 0
ignored() {
    grep -q "option inline-limit 0 is ignored: the volume was registered with 65536" "$(mount_log c1 /mnt/v)"
}
ok "inline-limit: the log says that it is ignored" expect_within 30 ignored
is "so does the status" "$(status '.warnings[]')" "inline-limit 0 is not in force: the volume was registered with 65536"
is "it is what the volume was registered with" "$(status .inline_limit)" 65536
options inline-limit default
options namespace distribute
ok "namespace: what it is, is taken" grep -q '^    option namespace distribute$' "$(volfile n1 vol1 vol1.tcp-fuse.vol)"
not_warned() {
    [ "$(status '.warnings | length')" = 0 ]
}
ok "without a warning" expect_within 30 not_warned
is "the client is on its first graph" "$(grep -c '^Final graph:' "$(mount_log c1 /mnt/v)")" 1
is "and no option of it was refused there" "$(grep -c ' is not valid: it takes ' "$(mount_log c1 /mnt/v)")" 0

# ---- wrong values -----------------------------------------------------------
mapfile -t wrong <<'TABLE'
inline-limit=65MB
block-size=300KB
width=256
weights=nobody=3
min-free=101%
prefetch=2GB
failing-errors=1001
failing-hold=0
stall-timeout=never
strict-readdir=maybe
namespace=other
TABLE
missing=$(sed -n 's/^| `\([a-z-]*\)` .*/\1/p' "$TOP/docs/options.md" |
    grep -vxE 'watch|volume-name|debug-stop-at|rejected|beside|refuse' | sort | comm -3 - <(printf '%s\n' "${wrong[@]%%=*}" | sort))
is "the table has every option that people set" "$missing" ""
pairs=() defaults=()
for w in "${wrong[@]}"; do
    pairs+=("${w%%=*}" "${w#*=}")
    defaults+=("${w%%=*}" default)
done
options "${pairs[@]}"
all_warned() {
    local w said
    said=$(status '.warnings[]')
    for w in "${wrong[@]}"; do
        grep -qF "the setting user.xlator.allot.$w is not " <<<"$said" || return 1
    done
}
ok "the status warns of every wrong value" expect_within 30 all_warned || note "$(status '.warnings[]')"
unsaid=
for w in "${wrong[@]}"; do
    grep -qF "vol1.tcp-fuse.vol: volume vol1: not valid and left out: " <(grep -F "$w" "$LOG/n1/allot-filter.log") || unsaid+="$w "
done
is "so does the filter's log" "$unsaid" ""
is "no client's volfile has one" "$(sed '/option rejected/d' "$(volfile n1 vol1 vol1.tcp-fuse.vol)" | sed -n '/type cluster.allot/,/end-volume/p' | grep -c option)" 0
ok "the mounted client goes on with the defaults" does_block_size 262144
is "files are right" "$(sum "$M/data")" "$(sum "$T/data")"
ok "new mounts work" client_mount c1 n1:/vol1 /mnt/w
is "and read" "$(sum "$(in_node c1 /mnt/w/data)")" "$(sum "$T/data")"
ok "and write" cp "$T/data" "$(in_node c1 /mnt/w/more)"
options "${defaults[@]}"
ok "the warnings go with the values" expect_within 30 not_warned
is "the client is still on its first graph" "$(grep -c '^Final graph:' "$(mount_log c1 /mnt/v)")" 1
done_testing
