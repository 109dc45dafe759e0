#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 30
# Reading ahead of a stream: it happens, it is bounded, and nothing that was read
# ahead is shown after it may not be: after a write or a lock here, an open or a
# stat here after a write there, or a second. Two mounts without the kernel's
# caches; the reader is one xfs_io that keeps its fd.
# shellcheck source=cost-memory-lib.sh
. "$(dirname "$0")/cost-memory-lib.sh"
# shellcheck source=fd-lib.sh
. "$(dirname "$0")/fd-lib.sh"

STEP=131072

bricks_make 4 512M
volume_make net-4-plain
# write-behind answers before the bricks do.
below=$(sed -n '/^volume write-behind$/,/^end-volume$/s/^ *subvolumes //p' "$T/vol/client.vol")
sed -i -e '/^volume write-behind$/,/^end-volume$/d' \
    -e "s/^\( *subvolumes\) write-behind\$/\1 $below/" "$T/vol/client.vol"
volume_start
DIRECT=(--attribute-timeout=0 --entry-timeout=0 --negative-timeout=0 --direct-io-mode=enable)
must_mount other "${DIRECT[@]}"
OTHER=$M
must_mount m "${DIRECT[@]}"

noise $((24 << 20)) >"$T/file"
must cp "$T/file" "$OTHER/file"

# stream FROM TO: in requests of 128 KiB.
stream() {
    ask "pread -q -b $STEP $1 $(($2 - $1))"
    [ -z "${SAID//$'\n'/}" ]
}

# byte OFFSET: as the reader sees it, in hexadecimal.
byte() {
    ask "pread -v $1 16"
    BYTE=$(sed -n 's/^[0-9a-f]\{8,\}: *\([0-9a-f][0-9a-f]\) .*/\1/p' <<<"$SAID" | head -1)
}

held() {
    statedump "$T/dump" || bail "no statedump"
    sed -n 's/^prefetched=//p' "$T/dump"
}

reads_below() {
    fop_counts "$(mount_pid m)" | awk '$1 ~ /^c[0-9]$/ && $2 == "READ" { n += $3 } END { print n + 0 }'
}

# ---- it happens, and is bounded ----

before=$(reads_below)
fd_open "$M/file"
stream 0 $((16 << 20))
is "a stream is read" $? 0
after=$(reads_below)
ok "$((after - before)) calls for 128 requests and what is ahead of them" \
    test $((after - before)) -lt 110
n=$(held)
ok "something was read ahead ($n bytes), at most a window" \
    test "$n" -gt 0 -a "$n" -le $(((16 << 20) + (1 << 20)))
fd_close
is "nothing is kept once the file is closed" "$(held)" 0
ok "all bytes are right" cmp "$T/file" "$M/file"
must eval "dd if='$M/file' of='$T/copy' bs=300000 status=none"
ok "with requests that are no multiples of anything" cmp "$T/file" "$T/copy"

# ---- it is not shown when it is old ----

fd_open "$M/file"
must stream 0 $((4 << 20))
n=$(held)
ok "something is ahead" test "$n" -gt 0
must eval "printf '\\252' | dd of='$M/file' bs=1 seek=$((4 << 20)) conv=notrunc status=none"
byte $((4 << 20))
is "a write by this mount is seen at once" "$BYTE" aa
fd_close

fd_open "$M/file"
must stream 0 $((4 << 20))
must eval "printf '\\253' | dd of='$OTHER/file' bs=1 seek=$(((4 << 20) + STEP)) conv=notrunc status=none"
ask "stat"
byte $(((4 << 20) + STEP))
is "a write by another mount is seen after a stat" "$BYTE" ab
fd_close

fd_open "$M/file"
must stream 0 $((4 << 20))
must eval "printf '\\254' | dd of='$OTHER/file' bs=1 seek=$(((4 << 20) + 2 * STEP)) conv=notrunc status=none"
must eval "head -c 1 '$M/file' >/dev/null"
byte $(((4 << 20) + 2 * STEP))
is "after an open by this mount" "$BYTE" ac
fd_close

fd_open "$M/file"
must stream 0 $((4 << 20))
must eval "printf '\\255' | dd of='$OTHER/file' bs=1 seek=$(((4 << 20) + 3 * STEP)) conv=notrunc status=none"
(
    exec 9<"$M/file"
    flock -s 9
) || bail "no lock"
byte $(((4 << 20) + 3 * STEP))
is "after a lock was taken by this mount" "$BYTE" ad
fd_close

seen() {
    byte $((8 << 20))
    [ "$BYTE" = ae ]
}
fd_open "$M/file"
must stream $((4 << 20)) $((8 << 20))
must eval "printf '\\256' | dd of='$OTHER/file' bs=1 seek=$((8 << 20)) conv=notrunc status=none"
PATIENCE=1 expect_within 3 seen # not in a subshell, where the reader's fds are closed
is "without any of these, within three seconds" "$BYTE" ae
fd_close

fd_open "$M/file"
must stream 0 $((4 << 20))
must truncate -s $((4 << 20)) "$OTHER/file"
must truncate -s $((8 << 20)) "$OTHER/file"
ask "stat"
byte $((4 << 20))
is "bytes cut off by another mount do not come back" "$BYTE" 00
fd_close

# ---- a brick fails under a stream ----

must cp "$T/file" "$OTHER/file"
must umount_volume other
fd_open "$M/file"
must stream 0 $((4 << 20))
brick_kill 2
ask "pread -q -b $STEP $((4 << 20)) $((20 << 20))"
ok "a stream over a dead brick ends in an error" grep -q 'Input/output error' <<<"$SAID"
fd_close
dd if="$M/file" of="$T/copy" bs=4096 conv=noerror,sync iflag=fullblock status=none 2>/dev/null
bad=$(cmp -l "$T/file" "$T/copy" | awk '$3 != 0' | wc -l)
is "what could be read is right, the rest failed and is not data" "$bad" 0
must brick_start 2
ok "with the brick all is there" expect_within 30 cmp "$T/file" "$M/file"
umount_volume m

# ---- off ----

sed -i '/^volume allot$/,/^end-volume$/s/^ *type .*/&\n    option prefetch 0/' "$T/vol/client.vol"
must_mount m "${DIRECT[@]}"
before=$(reads_below)
fd_open "$M/file"
must stream 0 $((4 << 20))
is "with prefetch 0 nothing is kept" "$(held)" 0
after=$(reads_below)
ok "and each request is a call ($((after - before)))" test $((after - before)) -ge 32
fd_close
done_testing
