#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 25
# The space ends in the middle of one write that has blocks on all bricks. What
# was taken is there, byte by byte and on another mount, nothing else is, and no
# extent or portion is left of the attempt: as on plain distribute the writer is
# told a short count or ENOSPC. With space made it goes on where it was.
# shellcheck source=prog-lib.sh
. "$(dirname "$0")/prog-lib.sh"

needs_programs python3 fallocate
BRICK_SIZE=96M
MB=1048576
# storage/posix refuses writes to the last percent, some seconds after it has
# noticed; here it is the file system that says ENOSPC.
NO_RESERVE=(--option posix:reserve=0 --option posix:health-check-interval=0)

# Writes PATH from OFFSET on in calls of LENGTH bytes, until one is not taken in
# full; prints each number that was not LENGTH, and what was taken in all. The
# bytes are a function of their place.
cat >"$T/write.py" <<'PY'
import errno, os, sys
path, offset, length, most = sys.argv[1], *map(int, sys.argv[2:5])
fd = os.open(path, os.O_CREAT | os.O_WRONLY, 0o644)
pattern = b"".join(i.to_bytes(4, "big") for i in range(1 << 19))
taken, said = 0, "all"
while taken < most:
    at = (offset + taken) % len(pattern)
    data = (pattern[at:] + pattern)[:min(length, most - taken)]
    try:
        n = os.pwrite(fd, data, offset + taken)
    except OSError as err:
        said = errno.errorcode[err.errno]
        break
    taken += n
    if n < len(data):
        said = "short"
        break
print(said, taken)
os.close(fd)
PY
# Compares PATH with that, up to SIZE bytes.
cat >"$T/read.py" <<'PY'
import sys
pattern = b"".join(i.to_bytes(4, "big") for i in range(1 << 19))
at = 0
with open(sys.argv[1], "rb", buffering=0) as f:
    while data := f.read(1 << 19):
        want = (pattern[at % len(pattern):] + pattern)[:len(data)]
        if data != want:
            bad = next(i for i in range(len(data)) if data[i] != want[i])
            sys.exit(f"byte {at + bad} is wrong")
        at += len(data)
if at != int(sys.argv[2]):
    sys.exit(f"{at} bytes")
PY

put() { # put PATH OFFSET LENGTH MOST: to $SAID and $TAKEN
    read -r SAID TAKEN < <(bounded 100 python3 "$T/write.py" "$@")
}

right() { # right PATH SIZE
    bounded 60 python3 "$T/read.py" "$@"
}

# fill I KEEP: all of brick I but KEEP bytes, by a file that is not the volume's.
fill() {
    local room
    room=$(df -B1 --output=avail "${BRICK[$1]}" | tail -1)
    must fallocate -l $((room - $2)) "${BRICK[$1]}/.glusterfs/filler"
}

release() { # release I
    rm -f "${BRICK[$1]}/.glusterfs/filler"
}

extents() { # extents PATH
    "$ALLOT" layout "$1" --json | jq '.extents | length'
}

bricks_make 4 $BRICK_SIZE
for KIND in net-4-distribute ${NOSPACE_KINDS:-net-4-plain}; do
    if [ "$KIND" = net-4-distribute ]; then
        volume_make "$KIND" "${NO_RESERVE[@]}"
        volume_start
    else
        program_volume "$KIND" "${NO_RESERVE[@]}"
    fi
    # Without write-behind, so that a writer is told what became of his write.
    sed "s/subvolumes write-behind/subvolumes allot/" "$T/vol/client.vol" >"$T/vol/direct.vol"
    [ "$KIND" != net-4-distribute ] ||
        sed "s/subvolumes write-behind/subvolumes dht/" "$T/vol/client.vol" >"$T/vol/direct.vol"
    VOLFILE=$T/vol/direct.vol must_mount "$KIND-a" "${DIRECT[@]}"
    A=$M
    VOLFILE=$T/vol/direct.vol must_mount "$KIND-b" "${DIRECT[@]}"

    put "$A/f" 0 131072 $((4 * MB))
    is "$KIND: there is room" "$SAID $TAKEN" "all $((4 * MB))"
    size=$((4 * MB))

    # ---- one brick is full, and the client does not know ----
    if [ "$KIND" != net-4-distribute ]; then
        ok "$KIND: it is spread" spread_over 4 "$A/f"
        fill 3 40000
        put "$A/f" $size 131072 $((4 * MB))
        is "$KIND: a full brick is no error" "$SAID $TAKEN" "all $((4 * MB))"
        size=$((8 * MB))
        ok "$KIND: every byte is right" right "$M/f" $size
        release 3
    fi

    # ---- all are full in the middle of one write ----
    for ((i = 0; i < NBRICKS; i++)); do
        fill $i 300000
    done
    ends="" was=$size
    for length in 131072 131072 40000 4096 4096; do
        put "$A/f" $size $length $((4 * MB))
        size=$((size + TAKEN))
        ends+="$SAID "
        is "$KIND: $length a time, $SAID: the size is what was taken" "$(stat -c %s "$M/f")" $size
        ok "$KIND: $length a time: every byte is right" right "$M/f" $size
    done
    ok "$KIND: something was taken ($((size - was)))" test $((size - was)) -gt 200000
    note "$KIND: writes ended with $ends, $size bytes"
    ok "$KIND: the last of them with ENOSPC" grep -q "ENOSPC $" <<<"$ends"
    put "$A/f" 0 131072 $((3 * MB))
    is "$KIND: what is there can be written over" "$SAID $TAKEN" "all $((3 * MB))"
    ok "$KIND: every byte is right" right "$M/f" $size
    if [ "$KIND" != net-4-distribute ]; then
        is "$KIND: nothing is failed" "$("$ALLOT" report "$M" --json | jq -c '[.blocks.failed, .exact]')" "[0,true]"
        was=$(extents "$M/f")
        for ((i = 0; i < 6; i++)); do
            put "$A/f" $size 131072 131072
        done
        is "$KIND: six more attempts: the last is refused" "$SAID $TAKEN" "ENOSPC 0"
        is "$KIND: they have not changed its size" "$(stat -c %s "$M/f")" $size
        is "$KIND: and use up no extents" "$(extents "$M/f")" "$was"
    fi
    # ---- there is room again ----
    for ((i = 0; i < NBRICKS; i++)); do
        release $i
    done
    roomy() { put "$A/f" $size 131072 $MB && [ "$SAID" = all ]; }
    ok "$KIND: with room made it goes on" expect_within 30 roomy
    roomy
    size=$((size + MB))
    is "$KIND: its size" "$(stat -c %s "$M/f")" $size
    ok "$KIND: every byte is right" right "$M/f" $size
    ok "$KIND: it is removed" rm "$A/f"
    [ "$KIND" = net-4-distribute ] || ok "$KIND: no portion is left" expect_within 20 no_portions
    must umount_volume "$KIND-a"
    must umount_volume "$KIND-b"
done
done_testing
