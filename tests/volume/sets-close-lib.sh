# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# One open file on disperse sets of which only its client knows how long its portions
# are, for a minute; what each call on it ends in. Sourced by sets-disperse-close*.sh.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=sets-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/sets-lib.sh"

sets_start net-disperse-6 --block-size 64KB --option 's*:eager-lock-timeout=60' \
    --option 'locks:notify-contention-delay=0'
# Without write-behind: what was answered is with disperse.
awk '$1 == "volume" && $2 == "write-behind" { skip = 1 }
    !skip { sub("subvolumes write-behind$", "subvolumes allot"); print }
    $1 == "end-volume" { skip = 0 }' "$T/vol/client.vol" >"$T/vol/direct.vol"

# hold FILE [FLAG...]: open it on the mount $W; then say COMMAND: the answer is in $SAID.
hold() {
    coproc HOLD { exec "$(dirname "$0")/hold.py" "$W/$1" "${@:2}" 2>&1; }
    heard
}
# shellcheck disable=SC2034
heard() {
    IFS= read -r -t 60 SAID <&"${HOLD[0]}" || bail "no answer from hold.py"
}
say() {
    echo "$1" >&"${HOLD[1]}"
    heard
}
let_go() {
    local pid=$HOLD_PID
    echo end >&"${HOLD[1]}"
    wait "$pid"
}
writer() { # writer: a fresh mount that writes
    VOLFILE=$T/vol/direct.vol sets_mount w
    W=$M
    M=$T/mnt-m
}
# lengths_of FILE: what the bricks have recorded of its portions, a line each. Who
# writes it is asked for its gfid: anybody else would take disperse's lock from it.
lengths_of() {
    local gfid
    gfid=$(getfattr --only-values -n glusterfs.gfid.string "$W/$1" 2>/dev/null)
    find "${BRICK[@]/%//.allot}" -type f -name "$gfid.*" \
        -exec getfattr -h -e hex -n trusted.ec.size {} + 2>/dev/null |
        sed -n 's/.*=0x//p' | while read -r hex; do
        echo $((16#$hex))
    done | sort -n
}
right_at() { # right_at FILE: to somebody who has seen nothing
    local rc=0
    sets_mount fresh
    cmp "$M/$1" "$T/want-$1" || rc=1
    umount_volume fresh || rc=1
    M=$T/mnt-m
    return "$rc"
}
noise 700001 >"$T/data"
noise 70001 >"$T/more"
