#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 90
# qemu with its own driver for gluster:// images: a qcow2 image is made, written
# with patterns, snapshot, overwritten, put back and checked; a raw one is
# written and compared on the mount; and a guest boots from one, reads it and
# writes to it (prog-guest.s), with the processor in software.
#
# Each command takes ten seconds longer than it needs, over plain distribute too:
# so long libgfapi waits at its end. So the three go on beside each other.
# shellcheck source=prog-lib.sh
. "$(dirname "$0")/prog-lib.sh"

needs_programs qemu-img qemu-io qemu-system-x86_64 as ld perl
KIND=${QEMU_KIND:-net-4}
program_volume "$KIND"
must_mount m
port_pick
serve_volfile 127.0.0.1 "$PICKED" prog
URL=gluster+tcp://127.0.0.1:$PICKED/prog

# Its steps in a file of its own: NAME.steps has a line for each that was right.
step() { # step NAME DESC CMD...
    local name=$1 desc=$2
    shift 2
    if bounded 100 "$@" >"$T/$name.last" 2>&1 </dev/null && ! grep -q failed "$T/$name.last"; then
        echo "$desc" >>"$T/$name.steps"
        return
    fi
    echo "$desc: $*: $(tail -20 "$T/$name.last")"
    return 1
}

# 6 MiB, not a multiple of anything: patterns 1 and 2 before the snapshot, 3
# across the border of both after it.
qcow2() {
    local img=$URL/disk.qcow2
    step qcow2 "create" qemu-img create -q -f qcow2 -o cluster_size=4k "$img" 64M || return
    step qcow2 "write patterns" qemu-io -f qcow2 "$img" -c "write -P 1 0 3M" \
        -c "write -P 2 3M 3M" -c "write -P 7 63M 1M" -c "aio_write -P 9 40000k 999k" \
        -c "aio_flush" -c "flush" -c "read -P 9 40000k 999k" || return
    step qcow2 "snapshot" qemu-img snapshot -q -c before "$img" || return
    step qcow2 "overwrite, discard and grow" qemu-io -f qcow2 "$img" -c "write -P 3 2500k 1111k" \
        -c "discard 63M 512k" -c "write -z 100k 200k" -c "flush" \
        -c "read -P 3 2500k 1111k" -c "read -P 0 100k 200k" -c "read -P 1 0 100k" || return
    step qcow2 "check" qemu-img check "$img" || return
    step qcow2 "put the snapshot back" qemu-img snapshot -q -a before "$img" || return
    step qcow2 "patterns are as before" qemu-io -r -f qcow2 "$img" -c "read -P 1 0 3M" \
        -c "read -P 2 3M 3M" -c "read -P 7 63M 1M" -c "read -P 9 40000k 999k" \
        -c "read -P 0 6M 30M"
}

raw() {
    local img=$URL/disk.raw
    step raw "create" qemu-img create -q -f raw "$img" 20M || return
    step raw "write" qemu-io -f raw "$img" -c "write -P 17 1000k 7777k" -c "write -P 18 19M 1M" \
        -c "write -z 3M 1M" -c "flush" || return
    step raw "convert to qcow2" qemu-img convert -q -f raw -O qcow2 "$img" "$URL/converted.qcow2" || return
    step raw "compare" qemu-img compare -f raw -F qcow2 "$img" "$URL/converted.qcow2"
}

guest() {
    exec qemu-system-x86_64 -machine pc,accel=tcg -m 32 -nodefaults -display none -no-reboot \
        -serial "file:$T/serial" -drive "file=$URL/guest.raw,format=raw,if=virtio"
}

# ---- the guest's disk ----
must as --32 -o "$T/guest.o" "$TOP/tests/volume/prog-guest.s"
must ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o "$T/guest.bin" "$T/guest.o"
SECTORS=8192
noise $((SECTORS * 504)) >"$T/noise"
{
    cat "$T/guest.bin"
    perl -e 'open(N, "<", $ARGV[0]); binmode STDOUT;
        for $i (1 .. $ARGV[1]) {
            read(N, $d, 504);
            print pack("V", $i), $d, pack("V", ~$i & 0xffffffff);
        }' "$T/noise" $SECTORS
} >"$T/guest.raw"
is "the guest's part of the disk" "$(stat -c %s "$T/guest.raw")" $(((SECTORS + 1) * 512))
must cp "$T/guest.raw" "$M/guest.raw"
must truncate -s $(((2 * SECTORS + 1) * 512)) "$M/guest.raw"

in_background qcow2 qcow2
in_background raw raw
in_background guest guest

# ---- what the guest did ----
is "the guest ends" "$(wait_for guest 100)" 0 || note "$(cat "$T/guest.out")"
is "it has read what it must" "$(cat "$T/serial")" OK
must umount_volume m
must_mount fresh
perl -0777 -e 'binmode STDOUT; open(F, "<", $ARGV[0]); read(F, $d, 512); undef $/; $d = <F>;
    print $d, ~$d' "$T/guest.raw" >"$T/guest.want"
tail -c +513 "$M/guest.raw" >"$T/guest.got"
ok "what it has written is on the mount" cmp "$T/guest.want" "$T/guest.got"
ok "its disk is spread" spread_over 4 "$M/guest.raw"

# ---- the images ----
is "raw image" "$(wait_for raw 100)" 0 || note "$(cat "$T/raw.out")"
is "its steps" "$(wc -l <"$T/raw.steps")" 4
perl -e 'print "\0" x 1024000, "\x11" x (3145728 - 1024000), "\0" x 1048576,
    "\x11" x (1024000 + 7777 * 1024 - 4194304), "\0" x (19 * 1048576 - 1024000 - 7777 * 1024),
    "\x12" x 1048576' >"$T/raw.want"
ok "the raw image on the mount" cmp "$T/raw.want" "$M/disk.raw"
is "qcow2 image" "$(wait_for qcow2 150)" 0 || note "$(cat "$T/qcow2.out")"
is "its steps" "$(wc -l <"$T/qcow2.steps")" 7
ok "images are spread" spread_over 4 "$M"/{disk.raw,disk.qcow2,converted.qcow2}
must umount_volume fresh
must_mount again
ok "the qcow2 image is right on another mount" qemu-img check -q "$M/disk.qcow2"
printf 'nothing that qemu wrote' | dd of="$M/disk.qcow2" bs=1 seek=4096 conv=notrunc status=none
nok "check sees damage" qemu-img check -q "$M/disk.qcow2"
done_testing
