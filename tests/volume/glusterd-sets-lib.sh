# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# shellcheck shell=bash
# What the tests of sets under a stock glusterd (glusterd-sets*.sh) have in
# common. Sourced after glusterd-lib.sh: one server n1 with all bricks, a client
# c1 that asks the bricks and no cache, mounted at $M; questions to the status, to
# the self-heal daemon and to the bricks.
#
#   sets_start V "replica 3" 6     # $T/b0/V ... $T/b5/V
#   want cp /etc/passwd f          # in the volume and in $T/want alike
#   ok "..." all_right

V=       # the volume
SPOTS=() # directories of its bricks, in order

# sets_start VOLUME "CREATE WORDS" N
sets_start() {
    local i bricks=()
    V=$1
    for ((i = 0; i < $3; i++)); do
        SPOTS[i]=$T/b$i/$V
        bricks+=("n1:${SPOTS[i]}")
    done
    # shellcheck disable=SC2086
    must_gluster n1 volume create "$V" $2 "${bricks[@]}" force
    # So that a dead brick is noticed, and one that is back healed, in the time of
    # a test. (Disperse allows no less than a minute.)
    must_gluster n1 volume set "$V" network.ping-timeout 5
    must_gluster n1 volume set "$V" cluster.heal-timeout "$([[ $2 != disperse* ]] && echo 5 || echo 60)"
    must_gluster n1 volume set "$V" user.xlator.allot locks
    must_gluster n1 volume start "$V"
    client_mount c1 "n1:/$V" /mnt/v -o attribute-timeout=0,entry-timeout=0,direct-io-mode=enable ||
        bail "no mount: $(tail -20 "$(mount_log c1 /mnt/v)")"
    # shellcheck disable=SC2034 # want and all_right of lib.sh use it
    M=$(in_node c1 /mnt/v)
    mkdir -p "$T/want"
    status_soon '.state == "UP" and .active' || bail "the volume is not up: $(cat "$T/status.json")"
}

# status_is FILTER: a jq filter over the status document that gives true. It may
# use leaf(N) and set(N): brick N of the volume, and its set N.
status_is() {
    on c1 timeout -s KILL 20 "$BUILD/allot" status --json /mnt/v >"$T/status.json"
    jq -e "def leaf(n): [.bricks[].leaves[]?][n]; def set(n): .bricks[n]; $1" "$T/status.json" >/dev/null
}
status_soon() { # status_soon FILTER
    expect_within 60 status_is "$1"
}

report() {
    on c1 timeout -s KILL 60 "$BUILD/allot" report /mnt/v
}

# What the bricks' own indices say is waiting to be healed, and what the gluster
# command says of it.
pending() {
    find "${SPOTS[@]/%//.glusterfs/indices/xattrop}" -type f ! -name 'xattrop-*' | wc -l
}
heal_entries() {
    gluster n1 volume heal "$V" info | awk '/^Number of entries: [0-9]/ { n += $4 } END { print n + 0 }'
}
healed() {
    [ "$(pending)" = 0 ] && [ "$(heal_entries)" = 0 ] && ! gluster n1 volume heal "$V" info | grep -q 'entries: -'
}

# leaf_forget I PATH: a file is gone from a brick's disk, and nothing is written
# down of that.
leaf_forget() {
    local gfid
    gfid=$(getfattr -h -e hex -n trusted.gfid "${SPOTS[$1]}/$2" 2>/dev/null |
        sed -nE 's/^trusted.gfid=0x(..)(..)(....)(....)(....)(....)(.{12})$/\1 \2 \1\2\3-\4-\5-\6-\7/p')
    # shellcheck disable=SC2086
    set -- "${SPOTS[$1]}" "$2" $gfid
    [ $# -eq 5 ] && rm "$1/$2" "$1/.glusterfs/$3/$4/$5"
}

leaf_pid() { # leaf_pid I: of brick I's process, inside n1
    local name=${SPOTS[$1]#/}
    on n1 cat "/run/gluster/vols/$V/n1-${name//\//-}.pid"
}
leaf_kill() { # leaf_kill I...
    local i
    for i; do
        must on n1 kill -KILL "$(leaf_pid "$i")"
    done
}
leaves_start() {
    must_gluster n1 volume start "$V" force
}

# same_portions A B: two bricks have the same portions, with the same bytes and
# the same xattr of allot's.
portions_of() { # portions_of I
    local f
    (cd "${SPOTS[$1]}" 2>/dev/null && find .allot -type f | sort | while read -r f; do
        echo "$f $(sum "$f") $(getfattr -h -e hex -n trusted.allot.portion "$f" 2>/dev/null | md5sum)"
    done)
}
same_portions() {
    [ -n "$(portions_of "$1")" ] && [ "$(portions_of "$1")" = "$(portions_of "$2")" ]
}
