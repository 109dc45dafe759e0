#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 20
# A client without cluster/allot over the same replicate sets: it can neither see
# nor damage portions and spread files; the self-heal daemon damages nothing.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=sets-lib.sh
. "$(dirname "$0")/sets-lib.sh"

sets_want
sets_start net-rep-6
noise 3000000 >"$T/a"
want cp "$T/a" a
want cp /etc/passwd small

# The client's volfile without allot: write-behind above dht.
awk '$1 == "volume" && $2 == "allot" { skip = 1 }
    !skip { sub("subvolumes allot$", "subvolumes dht"); print }
    $1 == "end-volume" { skip = 0 }' "$T/vol/client.vol" >"$T/vol/plain.vol"
VOLFILE=$T/vol/plain.vol must_mount plain --attribute-timeout=0 --entry-timeout=0 \
    --aux-gfid-mount
P=$T/mnt-plain M=$T/mnt-m
is "it sees the names, and no more" "$(find "$P" -mindepth 1 -printf '%P\n' | sort | tr '\n' ' ')" "a small "
nok "/.allot is not there" stat "$P/.allot"
nok "and cannot be made" mkdir "$P/.allot"
nok "a spread file cannot be read" dd if="$P/a" of=/dev/null bs=4096 count=1 iflag=direct
write_a() {
    dd if=/dev/zero of="$P/a" bs=4096 count=1 conv=notrunc,fsync
}
nok "nor written" write_a
nok "nor cut" truncate -s 0 "$P/a"
nok "its record cannot be removed" setfattr -x trusted.allot.record "$P/a"
ok "a small file can be read" cmp "$P/small" /etc/passwd
portion=$(getfattr -h -n trusted.gfid -e hex "$(find "${BRICK[0]}/.allot" -type f | head -1)" 2>/dev/null |
    sed -nE 's/^trusted.gfid=0x(.{8})(.{4})(.{4})(.{4})(.{12})$/\1-\2-\3-\4-\5/p')
is "a portion has a gfid" "${#portion}" 36
nok "it cannot be reached by its gfid" stat "$P/.gfid/$portion"
nok "nor the directory of portions" stat "$P/.gfid/a1107d15-6b1c-4bb0-8a5e-0c31570e0100"
VOLFILE=$T/vol/plain.vol must_mount rebalance --client-pid=-3 --attribute-timeout=0
nok "a client with rebalance's pid sees no more" stat "$T/mnt-rebalance/.allot"
umount_volume rebalance
M=$T/mnt-m
ok "a self-heal daemon starts" heal_start
ok "nothing waits for it" expect_within 20 healed {0..5}
ok "all is right" all_right
done_testing
