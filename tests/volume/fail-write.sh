#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 70
# Bricks are killed, and fill up, while programs write. The writers see no
# error, and every byte they wrote is right, except in ranges that the report
# names, and those return with the brick. ENOSPC comes when no brick has room.
# shellcheck source=fail-lib.sh
. "$(dirname "$0")/fail-lib.sh"

MB=1048576

# ---- writers ----------------------------------------------------------------
# Each copies $ORIG/NAME to MOUNT/NAME and leaves its result in $T/NAME.rc. Its
# last quarter waits for the file $T/go, so that it surely writes before and
# after what happens to the bricks.

until_go() {
    until [ -e "$T/go" ]; do
        read -rt 0.05 <>"$T/never"
    done
}

# As fast as it goes. Without fsync: it must not vouch for what a brick that is
# away holds unsynced, and says EIO.
stream() { # stream MOUNT NAME
    local rc=0 size
    size=$(stat -c %s "$ORIG/$2")
    {
        head -c $((size * 3 / 4)) "$ORIG/$2"
        until_go
        tail -c +$((size * 3 / 4 + 1)) "$ORIG/$2"
    } | dd of="$1/$2" bs=128K iflag=fullblock status=none 2>"$T/$2.err" || rc=$?
    echo "$rc" >"$T/$2.rc"
}

# 7001 bytes at a time, each by another process, through one descriptor.
trickle() { # trickle MOUNT NAME
    local rc=0 n i
    n=$((($(stat -c %s "$ORIG/$2") + 7000) / 7001))
    for ((i = 0; i < n; i++)); do
        [ "$i" -lt $((n * 3 / 4)) ] || until_go
        dd if="$ORIG/$2" bs=7001 skip="$i" count=1 status=none 2>>"$T/$2.err" || rc=1
    done >"$1/$2"
    dd if=/dev/null of="$1/$2" conv=notrunc,fsync status=none 2>>"$T/$2.err" || rc=2
    echo "$rc" >"$T/$2.rc"
}

WRITERS=()

write_in_background() { # write_in_background HOW MOUNT NAME BYTES
    noise "$4" >"$ORIG/$3"
    "$1" "$2" "$3" &
    WRITERS+=("$3")
}

written() { # written NAME BYTES: so much of it is in the volume
    [ "$(stat -c %s "$R/$1" 2>/dev/null || echo 0)" -ge "$2" ]
}

all_written() { # all_written BYTES
    local w
    for w in "${WRITERS[@]}"; do
        written "$w" "$1" || return 1
    done
}

writers_end() { # writers_end DESC
    local w bad=()
    : >"$T/go"
    for w in "${WRITERS[@]}"; do
        expect_within 90 test -s "$T/$w.rc" || bad+=("$w does not end")
        [ "$(cat "$T/$w.rc" 2>/dev/null)" = 0 ] || bad+=("$w: $(head -3 "$T/$w.err")")
    done
    wait
    is "$1: no writer saw an error" "${bad[*]}" ""
    FILES+=("${WRITERS[@]}")
    WRITERS=()
    rm "$T/go"
}

volume_end() {
    local i
    for i in w1 w2 r; do
        umount_volume $i
    done
    for ((i = 0; i < NBRICKS; i++)); do
        brick_kill $i TERM
        must expect_within 10 umount "${BRICK[i]}"
        rm "$T/b$i.img"
    done
    rm -rf "${ORIG:?}"/*
    FILES=()
}

mkfifo "$T/never"
FILES=()
bricks_make 5 512M
volume_make net-4 "${OPTIONS_ALL[@]}" --block-size 128KB
volume_start
for i in w1 w2; do
    must_mount $i
done
must_mount r "${DIRECT[@]}"
W1=$T/mnt-w1 W2=$T/mnt-w2 R=$M

# ---- a brick is killed under three writers, through two clients --------------

write_in_background stream "$W1" s1 $((80 * MB))
write_in_background trickle "$W1" t1 $((2 * MB))
write_in_background stream "$W2" s2 $((80 * MB))
ok "they have begun" expect_within 30 all_written 300000
must brick_kill 4
writers_end "a brick is killed"
state_comes "$R" c4 down
allot_json killed 1 report "$M"
report_ranges_hold killed "${FILES[@]}"
for f in "${FILES[@]}"; do
    nok "$f went on without the dead brick" grep -w c4 <(members_of "$f" -1)
    ok "$f has more than one extent" test "$("$ALLOT" layout "$M/$f" --json | jq '.extents | length')" -ge 2
done
must brick_start 4
for f in "$R" "$W1" "$W2"; do
    state_comes "$f" c4 up
done
ok "with the brick back every byte is right" whole "${FILES[@]}"
allot_json back 0 report "$M"
must rm "$W1"/s1 "$W1"/s2 "$W1"/t1
FILES=()

# ---- two bricks, one after the other, one of them the namespace's ------------

write_in_background stream "$W1" s3 $((80 * MB))
write_in_background trickle "$W2" t3 $((2 * MB))
ok "they have begun again" expect_within 30 all_written 300000
must brick_kill 3
ok "the first is noticed" expect_within 30 brick_state_is "$R" c3 down
must brick_kill 2
writers_end "two bricks are killed"
state_comes "$R" c2 down
allot_json two 1 report "$M"
report_ranges_hold two "${FILES[@]}"
must brick_start 3
state_comes "$R" c3 up
allot_json one 1 report "$M"
report_ranges_hold one "${FILES[@]}"
must brick_start 2
state_comes "$R" c2 up
ok "with both back every byte is right" whole "${FILES[@]}"
allot_json both 0 report "$M"
volume_end

# ---- a brick fills up -------------------------------------------------------

bricks_make 4 160M,160M,160M,64M
volume_make net-4 "${OPTIONS_ALL[@]}" --block-size 128KB --weights equal
volume_start
for i in w1 w2; do
    must_mount $i
done
must_mount r "${DIRECT[@]}"

avail() { # avail I: bytes that can be written to its file system
    df -B1 --output=avail "${BRICK[$1]}" | tail -1
}

: >"$T/go"
write_in_background stream "$W1" s4 $((140 * MB))
write_in_background trickle "$W1" t4 $((1 * MB))
write_in_background stream "$W2" s5 $((110 * MB))
writers_end "a brick fills up"
note "free bytes: $(avail 0) $(avail 1) $(avail 2) $(avail 3)"
ok "the small brick has filled up" test "$(avail 3)" -lt $((3 * MB))
ok "the others have room" test "$(avail 0)" -gt $((20 * MB))
ok "one that was written across it has another extent" \
    grep -v c3 <(members_of s4 -1; members_of s5 -1)
ok "every byte is right" whole "${FILES[@]}"
allot_json filled 0 report "$M"

# ---- all of them fill up ----------------------------------------------------

# Without write-behind, so that what the writer was told is what was written.
umount_volume w1
sed "s/subvolumes write-behind/subvolumes allot/" "$T/vol/client.vol" >"$T/vol/plain.vol"
VOLFILE=$T/vol/plain.vol must_mount w1
M=$R
rc=0
noise $((400 * MB)) >"$ORIG/last"
dd if="$ORIG/last" of="$W1/last" bs=128K 2>"$T/last.err" || rc=$?
is "a writer gets an error in the end" "$rc" 1
ok "ENOSPC" grep -q "No space left on device" "$T/last.err"
note "free bytes: $(avail 0) $(avail 1) $(avail 2) $(avail 3)"
for i in 0 1 2 3; do
    ok "brick $i is full" test "$(avail $i)" -lt $((3 * MB))
done
got=$(stat -c %s "$M/last")
taken=$(sed -n "s/ bytes .*//p" "$T/last.err")
ok "the file has all that was taken" test "$got" -ge "$taken" -a "$taken" -gt $MB
got=$taken
must truncate -s "$got" "$W1/last"
truncate -s "$got" "$ORIG/last"
FILES+=(last)
ok "every byte of all files is right" whole "${FILES[@]}"
allot_json full 0 report "$M"
must rm "$W1/last"
must rm "$W1/s4"
# A brick looks every five seconds whether it has room for names again.
ok "a name can be made again" expect_within 20 touch "$W1/again"
W=$W1 put_file again 3000000
ok "with room made files can be written" whole again

done_testing
