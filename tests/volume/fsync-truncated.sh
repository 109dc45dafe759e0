#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 10
# fsync says EIO when another client's extent hides what this one wrote and did
# not sync. Bytes that another client has truncated away are not hidden: they
# are gone as asked for, and fsync has nothing to report.
# shellcheck source=oracle-lib.sh
. "$(dirname "$0")/oracle-lib.sh"
# shellcheck source=fd-lib.sh
. "$(dirname "$0")/fd-lib.sh"

bricks_make 4 320M
volume_make net-4-plain "${SMALL[@]}"
plain_graph "$T/vol/client.vol"
volume_start
must_mount other "${DIRECT[@]}"
OTHER=$M
must_mount m "${DIRECT[@]}"

# write_and_sync NAME SIZE: an fd writes; the other mount truncates to SIZE and
# makes the file long again, over a further extent; then the fd is synced.
write_and_sync() {
    must cp /dev/null "$M/$1"
    fd_open "$M/$1"
    ask "pwrite -q 0 300000"
    must truncate -s "$2" "$OTHER/$1"
    must truncate -s 65600 "$OTHER/$1"
    # This mount looks: then it knows the layout before the further extent.
    ask stat
    must dd if=/dev/zero of="$OTHER/$1" bs=200000 count=1 oflag=append conv=notrunc status=none
    ask stat
    ask fsync
    is "cut to $2 bytes by another mount: fsync is content" "${SAID//$'\n'/}" ""
    fd_close
}

write_and_sync inline 10
write_and_sync block 65540
done_testing
