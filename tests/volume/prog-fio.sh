#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 30
# fio writes with checksums and reads back: libaio (O_DIRECT and not), psync with
# fsync, and mmap on a mount, gfapi and gfapi_async without one; then another
# mount verifies all of it. Random and in order, lengths that no block size
# divides, and writes that lie across each border of two blocks.
#
# fio asks port 24007 of a host for the client graph, whatever it is told. So
# all of this runs in a network of its own, where that port is free.
if [ -z "${ALLOT_OWN_NETWORK:-}" ]; then
    ALLOT_OWN_NETWORK=1 exec unshare --net bash "$0" "$@"
fi
# shellcheck source=prog-lib.sh
. "$(dirname "$0")/prog-lib.sh"

needs_programs fio ip jq
# So many times the data.
TIMES=${FIO_TIMES:-1}
must ip link set lo up

# fio leaves state files where it is.
cd "$T" || exit

# Sizes are multiples of the blocks': fio would make the file anew otherwise.
kib() { # kib N
    echo "$(($1 * TIMES))k"
}

common() {
    cat <<JOB
[global]
verify=crc32c
verify_fatal=1
randrepeat=1
group_reporting
JOB
}

# on_mount DIR: four files at once.
on_mount() {
    common
    cat <<JOB
directory=$1
[libaio-direct]
filename=direct
ioengine=libaio
direct=1
iodepth=16
rw=randwrite
bs=20k
size=$(kib 10000)
[libaio-cached]
filename=cached
ioengine=libaio
iodepth=8
rw=write
bs=36k
size=$(kib 10800)
[psync]
filename=psync
ioengine=psync
fsync=16
rw=randwrite
bs=4k
size=$(kib 1600)
[mmap]
filename=mmap
ioengine=mmap
rw=randwrite
bs=4k
size=$(kib 4000)
# 1 KiB around each border of two blocks of 16 KiB, and nothing else.
[borders]
filename=borders
ioengine=libaio
direct=1
iodepth=8
rw=write:15k
bs=1k
offset=15872
filesize=$(kib 4800)
io_size=$((299 * TIMES))k
# Lengths and offsets that nothing divides.
[uneven]
filename=uneven
ioengine=psync
rw=write
bsrange=700-50000
bs_unaligned=1
size=$(kib 4000)
JOB
}

# both_gfapi: the same two files through libgfapi, or as libaio on a DIR.
both_gfapi() {
    common
    echo "rw=randwrite"
    echo "iodepth=8"
    if [ -n "${1:-}" ]; then
        echo "directory=$1"
    fi
    local engine
    for engine in gfapi gfapi_async; do
        printf '[%s]\nfilename=%s\nbs=12k\nsize=%s\n' $engine $engine "$(kib 6000)"
        if [ -n "${1:-}" ]; then
            echo "ioengine=libaio"
        else
            printf 'ioengine=%s\nvolume=prog\nbrick=127.0.0.1\n' $engine
        fi
    done
}

run_fio() { # run_fio NAME OPTION...: the job file is $T/NAME.fio
    local name=$1
    shift
    bounded $((120 + 10 * TIMES)) fio --output-format=json --output="$T/$name.json" "$@" "$T/$name.fio"
}

verified() { # verified NAME KIB: that much was read
    [ "$(jq '[.jobs[].read.io_kbytes] | add' "$T/$1.json")" -ge "$2" ]
}

for KIND in net-4 net-4-plain; do
    program_volume $KIND
    must_mount "$KIND"
    serve_volfile 127.0.0.1 24007 prog
    both_gfapi >"$T/gfapi.fio"
    on_mount "$M" >"$T/mount.fio"
    # libgfapi takes ten seconds to end, over plain distribute too.
    in_background gfapi run_fio gfapi
    ok "$KIND: fio writes and verifies on the mount" run_fio mount
    ok "$KIND: all of it was read" verified mount $((30000 * TIMES))
    ok "$KIND: its files are spread" spread_over 4 "$M"/{direct,cached,psync,mmap,borders,uneven}
    is "$KIND: fio writes and verifies through libgfapi" "$(wait_for gfapi $((120 + 10 * TIMES)))" 0 ||
        note "$(cat "$T/gfapi.out")"
    ok "$KIND: all of that was read" verified gfapi $((12000 * TIMES))
    ok "$KIND: those files are spread too" spread_over 4 "$M"/{gfapi,gfapi_async}
    must umount_volume "$KIND"

    must_mount "$KIND-other"
    on_mount "$M" >"$T/mount-again.fio"
    both_gfapi "$M" >"$T/gfapi-again.fio"
    sed -i 's/^\[global\]$/&\nverify_only=1/' "$T"/*-again.fio
    ok "$KIND: another mount verifies what was written on the mount" run_fio mount-again
    ok "$KIND: all of it" verified mount-again $((30000 * TIMES))
    ok "$KIND: and what was written through libgfapi" run_fio gfapi-again
    ok "$KIND: all of that" verified gfapi-again $((12000 * TIMES))
    for f in psync uneven; do
        printf x | dd of="$M/$f" bs=1 seek=777777 conv=notrunc status=none
        nok "$KIND: one wrong byte of $f is seen" run_fio mount-again --section=$f
    done
    must umount_volume "$KIND-other"
    stop_volfile_server
done
done_testing
