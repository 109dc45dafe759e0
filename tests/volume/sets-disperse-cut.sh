#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 35
# Clients of disperse sets that die right after a truncation, within one, or with bytes
# written whose length only they know: here for a minute, not for a second. Whoever
# comes then sees the size that was told, and behind a cut nothing comes back, whatever
# makes the file longer.
# shellcheck source=crash-lib.sh
. "$(dirname "$0")/crash-lib.sh"
# shellcheck source=sets-lib.sh
. "$(dirname "$0")/sets-lib.sh"

sets_want
SIZE=200001
sets_start net-disperse-6 --block-size 16KB --option 's*:other-eager-lock=off' \
    --option 'locks:notify-contention-delay=0'
plain_graph "$T/vol/client.vol"
# Who dies: its disperse tells the bricks lengths when it is asked to, else after 60 s.
sed 's|^    type cluster/disperse$|&\n    option eager-lock-timeout 60|' "$T/vol/client.vol" >"$T/vol/slow.vol"
noise 400000 >"$T/noise"
noise 400000 >"$T/noise-late"

fill() { # fill FILE BYTES
    local n=$((RANDOM))
    tail -c +$n "$T/noise" | head -c "$2" >"$T/want/$1"
    must cp "$T/want/$1" "$M/$1"
}
same() { # same FILE: size and bytes, here
    [ "$(stat -c %s "$M/$1")" = "$(stat -c %s "$T/want/$1")" ] ||
        { echo "$1: size $(stat -c %s "$M/$1"), not $(stat -c %s "$T/want/$1")" && return 1; }
    bounded 30 cmp "$M/$1" "$T/want/$1"
}
all_same() { # all_same FILE...: each
    local f rc=0
    for f; do
        same "$f" || rc=1
    done
    return "$rc"
}

# longer FILE HOW: by a truncation; by a write 30 KB on; a write some bytes on, in the
# same stripe if there is room; in the next one.
write_on() {
    head -c 700 "$T/noise-late" >"$T/piece"
    want dd if="$T/piece" of="$1" bs=700 seek=$(($(stat -c %s "$T/want/$1") + $2)) oflag=seek_bytes conv=notrunc status=none
}
WAYS=(up far near next)
longer() {
    case $2 in
    up) want truncate -s $(($(stat -c %s "$T/want/$1") + 40009)) "$1" ;;
    far) write_on "$1" 30003 ;;
    near) write_on "$1" 23 ;;
    next) write_on "$1" 1100 ;;
    esac
}
# lengthened FILE WAY: first in that way, then in two others; right after each.
lengthened() {
    local way
    for way in "$2" far up; do
        longer "$1" "$way" || { echo "$1: not longer: $way" && return 1; }
        same "$1" || { echo "wrong after $way" && return 1; }
    done
}
all_lengthened() { # all_lengthened FILE-WAY...
    local f rc=0
    for f; do
        lengthened "$f" "${f##*-}" || rc=1
    done
    return "$rc"
}

# busy: a program on the mount $W that does what it is told and closes nothing.
#     tell write FILE AT BYTES    of noise-late, from AT on
#     tell size FILE N            by its fd;  path FILE N   by its name
busy() {
    coproc BUSY { exec python3 -c '
import os, sys
top, noise, fds = sys.argv[1], open(sys.argv[2], "rb").read(), {}
def fd(name):
    if name not in fds:
        fds[name] = os.open(top + "/" + name, os.O_RDWR)
    return fds[name]
for line in sys.stdin:
    word, name, *n = line.split()
    n = [int(i) for i in n]
    said = "ok"
    try:
        if word == "write":
            done = os.pwrite(fd(name), noise[n[0]:n[0] + n[1]], n[0])
            said = "ok" if done == n[1] else "short"
        elif word == "size":
            os.ftruncate(fd(name), n[0])
        else:
            os.truncate(top + "/" + name, n[0])
    except OSError as error:
        said = str(error)
    print(said, flush=True)
' "$W" "$T/noise-late" 2>&1; }
    BAD=()
}
tell() {
    echo "$*" >&"${BUSY[1]}"
    IFS= read -r -t 60 SAID <&"${BUSY[0]}" || bail "no answer to: $*"
    [ "$SAID" = ok ] || BAD+=("$*: $SAID")
}
dies() { # dies DESC: the mount, at once; the program had no error
    local pid=$BUSY_PID
    must mount_kill "$W_NAME"
    kill "$pid"
    wait "$pid"
    is "$1" "${BAD[*]}" ""
}
slow() { # slow NAME: a mount of one who will die, at $W
    local was=$M
    VOLFILE=$T/vol/slow.vol sets_mount "$1"
    W=$M W_NAME=$1 M=$was
}

# What the bricks have recorded of the longest portion of a file.
recorded() {
    local hex most=0 gfid
    hex=$(getfattr -h -e hex -n trusted.gfid "${BRICK[0]}/$1" "${BRICK[3]}/$1" 2>/dev/null | sed -n 's/.*=0x//p' | head -1)
    gfid=${hex:0:8}-${hex:8:4}-${hex:12:4}-${hex:16:4}-${hex:20}
    while read -r hex; do
        [ $((16#$hex)) -le $most ] || most=$((16#$hex))
    done < <(find "${BRICK[@]/%//.allot}" -type f -name "$gfid.*" \
        -exec getfattr -h -e hex -n trusted.ec.size {} + 2>/dev/null | sed -n 's/.*=0x//p')
    echo $most
}

# ---- a client dies when truncate() has returned

# Around inline-limit, a fragment, a stripe, a block; to less than inline-limit.
CUTS=(65537 66047 81919 81921 100001 150002 180224 199999 30001 1)
FILES=()
n=0
for to in "${CUTS[@]}"; do
    for how in path size write; do
        FILES+=("$to-$how-${WAYS[n++ % 4]}")
    done
done
for f in "${FILES[@]}"; do
    fill "$f" $SIZE
done
slow a
busy
for f in "${FILES[@]}"; do
    IFS=- read -r to how _ <<<"$f"
    # One who has just made it longer.
    [ "$how" != write ] || tell write "$f" 190003 60000
    [ "$how" != write ] || tell size "$f" "$to"
    [ "$how" = write ] || tell "$how" "$f" "$to"
    if [ "$how" = write ] && [ "$to" -gt 190003 ]; then
        dd if="$T/noise-late" of="$T/want/$f" bs=60000 count=1 skip=190003 seek=190003 iflag=skip_bytes,fullblock \
            oflag=seek_bytes conv=notrunc status=none
    fi
    truncate -s "$to" "$T/want/$f"
done
dies "${#FILES[@]} files are cut by one who dies"
sets_mount b
ok "another client sees these sizes and bytes" all_same "${FILES[@]}"
ok "it makes the files longer: zeros between" all_lengthened "${FILES[@]}"
must umount_volume b
ok "so for one who has seen nothing" fresh all_same "${FILES[@]}"

# ---- within the truncation, from the publication on

M=$T/mnt-m
STEPS=(truncate-published fence-some truncate-fenced truncate-cleared)
for n in 0 1 2 3; do
    fill "step$n-near" $SIZE
    victim "v$n" "${STEPS[n]}" &
done
wait
n=0
for step in "${STEPS[@]}"; do
    f=step$n-near to=$((100003 + 20000 * n))
    act "v$n" truncate -s $to "$T/mnt-v$n/$f"
    ok "one stops at $step" expect_within 30 is_stopped "v$n" "$step" || note "$(cat "$T/out-v$n")"
    must mount_kill "v$n"
    truncate -s $to "$T/want/$f"
    n=$((n + 1))
done
M=$T/mnt-m
for n in 0 1 2 3; do
    ok "dead at ${STEPS[n]}: the size is the new one" same "step$n-near"
    ok "${STEPS[n]}: zeros behind it" lengthened "step$n-near" near
done
ok "so for one who has seen nothing" fresh all_same step{0,1,2,3}-near

# ---- bytes whose length nobody has recorded

# What somebody has written behind $SIZE before he died may be there up to the cut, or
# zeros; behind the cut are zeros. ghosts FILE CUT END
ghosts() {
    bounded 30 python3 -c '
import sys
got, want, late = (open(name, "rb").read() for name in sys.argv[1:4])
size, cut = int(sys.argv[4]), int(sys.argv[5])
if len(got) != len(want):
    sys.exit("%d bytes, not %d" % (len(got), len(want)))
for i in range(len(got)):
    if got[i] != want[i] and not (size <= i < cut and got[i] == late[i]):
        sys.exit("byte %d is %d, not %d%s" % (i, got[i], want[i], ": it came back" if got[i] == late[i] else ""))
' "$M/$1" "$T/want/$1" "$T/noise-late" "$SIZE" "$2"
}
# haunted FILE CUT ACT...: truncate to CUT, then each ACT; looked at after each.
haunted() {
    local what
    bounded 30 truncate -s "$2" "$M/$1" || return 1
    truncate -s "$2" "$T/want/$1"
    for what in "${@:3}"; do
        ghosts "$1" "$2" || { echo "before $what" && return 1; }
        longer "$1" "$what" || return 1
    done
    ghosts "$1" "$2"
}
# In the stripe that the recorded length ends in, before and behind it; in the next one;
# in the next block and the one after. To who comes the file ends at $SIZE: to be cut
# behind that it has to be made longer ("up"), else that makes it longer ("late").
LATE=()
n=0
for to in 199900 200001 200300 200900 205001 219001; do
    LATE+=("late-$to-${WAYS[n % 4]}" "up-$to-${WAYS[(n + 1) % 4]}")
    n=$((n + 1))
done
for f in "${LATE[@]}"; do
    fill "$f" $SIZE
done
slow c
busy
for f in "${LATE[@]}"; do
    tell write "$f" $SIZE 40000
done
dies "${#LATE[@]} files are made longer by one who dies"
bad=()
for f in "${LATE[@]}"; do
    [ "$(recorded "$f")" = $SIZE ] || bad+=("$f: $(recorded "$f")")
done
is "no brick knows of that" "${bad[*]}" ""
sets_mount d
for f in "${LATE[@]}"; do
    IFS=- read -r what to way <<<"$f"
    # Made longer first, so that the cut is one.
    [ "$what" != up ] || want truncate -s 260000 "$f"
    word="cut to"
    [ "$what" = up ] || [ "$to" -le $SIZE ] || word="set to"
    ok "$f: $word $to, then $way: nothing comes back" haunted "$f" "$to" "$way" up far
done
must umount_volume d
all_ghosts() {
    local f to rc=0
    for f in "${LATE[@]}"; do
        IFS=- read -r _ to _ <<<"$f"
        ghosts "$f" "$to" || rc=1
    done
    return "$rc"
}
ok "so for one who has seen nothing" fresh all_ghosts

# ---- the inline part is longer than who cuts it knows

# Nothing of it is written when a client begins to cut it, and then another one writes
# there, who need not say so in the record. Disperse zeroes the rest of a stripe on its
# own, which a guard refuses as long as the file has extents.
sets_mount e
W=$M W_NAME=e M=$T/mnt-m
must touch "$M/short"
busy
tell size short $SIZE
tell write short 100000 5000
# One who keeps no lock of disperse while it is stopped.
sed 's|^    type cluster/disperse$|&\n    option eager-lock off|' "$T/vol/client.vol" >"$T/vol/no-lock.vol"
VICTIM_OF=$T/vol/no-lock.vol victim f inline-fenced
M=$T/mnt-m
act f truncate -s 20001 "$T/mnt-f/short"
ok "one stops before it cuts" expect_within 30 is_stopped f inline-fenced || note "$(cat "$T/out-f")"
tell write short 30000 5000
ok "it goes on, and cuts what it did not know of" go_on f || note "$(cat "$T/out-f")"
dies "the other has written there"
truncate -s 20001 "$T/want/short"
ok "it is cut" same short
done_testing
