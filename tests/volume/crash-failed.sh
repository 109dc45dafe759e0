#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 60
# Deaths and stalls at the steps that a client comes to only after somebody, or
# a brick, has failed: the bytes behind a failed write are copied (append-copied),
# a portion that missed a fence is raised (behind-fenced), the record is published
# for a client that died (ahead-published), a grow has lost its swap (grow-lost).
# And a client that loses the lock of its append while it holds it.
# shellcheck source=crash-cable-lib.sh
. "$(dirname "$0")/crash-cable-lib.sh"

crash_setup net-4-plain
cables_start

do_look() { cat "$1" >/dev/null; }
export -f do_look

for v in kill cont; do
    name=copied-$v
    head -c 200000 "$T/noise-a" >"$REF/$name.old"
    cp "$REF/$name.old" "$W/$name"
    MID=$(block_off "$name")
    export MID
    cp "$REF/$name.old" "$REF/$name.new"
    do_mid "$REF/$name.new"
    k=$(brick_of "$W/$name" "$MID")
    must cabled "$name" "$k" append-copied
    cable_out "$k"
    must expect_within 30 without "$T/mnt-$name"
    "case_$v" "$name" append-copied mid mix 0
    cable_in "$k"
done

# behind: somebody wrote and settled while a brick was away for him.
for v in kill cont; do
    name=behind-$v
    head -c 200000 "$T/noise-a" >"$REF/$name.old"
    cp "$REF/$name.old" "$W/$name"
    k=$(brick_of "$W/$name" "$(block_off "$name")")
    must cabled "h-$v" "$k"
    must victim "$name" behind-fenced
    cable_out "$k"
    must expect_within 30 without "$T/mnt-h-$v"
    must dd if="$T/noise-c" of="$T/mnt-h-$v/$name" bs=30000 count=1 oflag=append conv=notrunc status=none
    head -c 30000 "$T/noise-c" >>"$REF/$name.old"
    cable_in "$k"
    cp "$REF/$name.old" "$REF/$name.new"
    do_write "$REF/$name.new"
    "case_$v" "$name" behind-fenced write mix 0
    must umount_volume "h-$v"
done

# A settle takes portions to be at the record's generation, and asks the one that is not:
# it has missed the settle of somebody for whom its brick was away.
one_generation() { # one_generation FILE: all portions say the same
    local gfid b
    gfid=$("$ALLOT" layout "$1" --json | jq -r .gfid)
    [ "$(for b in "${BRICK[@]}"; do
        getfattr --absolute-names --only-values -n trusted.allot.portion -e hex "$b/.allot/${gfid:0:2}/$gfid".* | md5sum
    done | sort -u | wc -l)" = 1 ]
}
name=missed
head -c 200000 "$T/noise-a" >"$REF/$name.new"
cp "$REF/$name.new" "$W/$name"
k=$(brick_of "$W/$name" "$(block_off "$name")")
ok "$name: all portions have one generation" one_generation "$W/$name"
must cabled "$name" "$k"
cable_out "$k"
must expect_within 30 without "$T/mnt-$name"
must dd if="$T/noise-c" of="$T/mnt-$name/$name" bs=30000 count=1 oflag=append conv=notrunc status=none
head -c 30000 "$T/noise-c" >>"$REF/$name.new"
nok "$name: one has missed a settle" one_generation "$W/$name"
for at in 65536 81920 98304 114688; do
    [ "$(brick_of "$W/$name" $at)" = "$k" ] || break
done
must put "$W/$name" c "$at" 4096
put "$REF/$name.new" c "$at" 4096
ok "$name: the next settle raises it too" one_generation "$W/$name"
ok "$name: and the record is clean" settled "$W/$name"
cable_in "$k"
ok "$name: all bytes are there" holds "$W/$name" "$name" new
must umount_volume "$name"
must rm "$W/$name"

# ahead: a client died between its fence and its publication. A reader finds it:
# who opens it for writing settles it with his first flush.
for v in kill cont; do
    name=ahead-$v
    head -c 200000 "$T/noise-a" >"$REF/$name.old"
    cp "$REF/$name.old" "$W/$name"
    must victim "h-$name" settle-fenced
    must victim "$name" ahead-published
    act "h-$name" bash -c "do_longer $T/mnt-h-$name/$name"
    ok "$name: a client has fenced" expect_within 30 is_stopped "h-$name" settle-fenced
    mount_kill "h-$name"
    do_longer "$REF/$name.old"
    cp "$REF/$name.old" "$REF/$name.new"
    "case_$v" "$name" ahead-published look new 0
done

# grow-lost: another client makes the file spread between creation and swap.
for v in kill cont; do
    name=lost-$v
    head -c 60000 "$T/noise-a" >"$REF/$name.old"
    cp "$REF/$name.old" "$W/$name"
    was=$(portions)
    must victim "$name" grow-created,grow-lost
    act "$name" bash -c "do_grow $T/mnt-$name/$name"
    ok "$name: the client has made its portion" expect_within 30 is_stopped "$name" grow-created
    must bounded 30 bash -c "put \"\$@\"" - "$W/$name" c 80000 5000
    put "$REF/$name.old" c 80000 5000
    cp "$REF/$name.old" "$REF/$name.new"
    do_grow "$REF/$name.new"
    kill -CONT "$(mount_pid "$name")"
    ok "$name: the client stops at grow-lost" expect_within 30 is_stopped "$name" grow-lost
    if [ $v = kill ]; then
        mount_kill "$name"
        ok "$name: the other's bytes are there" holds "$W/$name" "$name" old
    else
        ok "$name: it goes on and succeeds" go_on "$name"
        ok "$name: both clients' bytes are there" holds "$W/$name" "$name" new
        ok "$name: unmounted" umount_volume "$name"
    fi
    ok "$name: settled by the next close, and usable" usable "$W/$name" "$name"
    rm "$W/$name"
    is "$name: only the dead one's portion stays" $(($(portions) - was)) "$([ $v = kill ] && echo 1 || echo 0)"
done

# base: the size of a spread file can be only its base's, where the client that made it
# spread has died; and a fence keeps nobody from writing to the base. Who settles must
# not record a size that another client has passed since he looked. That one's fd is
# still open: its own close would settle the file, too.
name=base
head -c 60000 "$T/noise-a" >"$REF/$name.new"
cp "$REF/$name.new" "$W/$name"
must victim "h-$name" grow-published
act "h-$name" bash -c "do_stream $T/mnt-h-$name/$name"
ok "$name: a client has made it spread" expect_within 30 is_stopped "h-$name" grow-published
mount_kill "h-$name"
must victim "$name" settle-glimpsed
act "$name" bash -c "exec 9<>$T/mnt-$name/$name"
ok "$name: another one settles it" expect_within 30 is_stopped "$name" settle-glimpsed
coproc THIRD {
    exec python3 -u -c '
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY)
print(os.pwrite(fd, b"x" * 2000, 60000))
sys.stdin.readline()
os.close(fd)
print("closed")' "$W/$name"
}
read -r -t 30 line <&"${THIRD[0]}"
is "$name: a third one has written" "$line" 2000
head -c 2000 /dev/zero | tr '\0' x >>"$REF/$name.new"
ok "$name: it goes on and succeeds" go_on "$name"
ok "$name: what a third one wrote to the base meanwhile is there" holds "$W/$name" "$name" new
echo >&"${THIRD[1]}"
read -r -t 60 line <&"${THIRD[0]}"
is "$name: the third one closes" "$line" closed
ok "$name: settled by the next close, and usable" usable "$W/$name" "$name"
ok "$name: unmounted" umount_volume "$name"
must rm "$W/$name"

# Bytes on a member that is away for everybody, written at a generation that another
# client has passed since: no record knows of them, so close() says EIO. The next
# extent would hide them.
name=close
head -c 200000 "$T/noise-a" >"$W/$name"
at=212992
[ "$(brick_of "$W/$name" $at)" != "$(base_of $name)" ] || at=229376
k=$(brick_of "$W/$name" $at)
must cabled own-close "$k"
must cabled other-close "$k"
coproc WRITER {
    exec python3 -u -c '
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY)
print(os.pwrite(fd, b"x" * 4096, int(sys.argv[2])))
sys.stdin.readline()
try:
    os.close(fd)
    print("closed")
except OSError as e:
    print(e.errno)' "$T/mnt-own-close/$name" "$at"
}
read -r -t 30 line <&"${WRITER[0]}"
is "$name: a client has written" "$line" 4096
cable_out "$k"
for m in own-close other-close; do
    must expect_within 30 without "$T/mnt-$m"
done
# Another one settles what it can see.
must bounded 30 bash -c 'exec 9<>"$1"' - "$T/mnt-other-close/$name"
echo >&"${WRITER[1]}"
read -r -t 60 line <&"${WRITER[0]}"
is "$name: close() does not vouch for bytes that no record knows" "$line" 5
cable_in "$k"
for m in own-close other-close; do
    must expect_within 30 all_up "$T/mnt-$m"
done
ok "$name: with the brick they are there again" \
    cmp <(head -c $((at + 4096)) "$W/$name" | tail -c 4096) <(head -c 4096 /dev/zero | tr '\0' x)
must rm "$W/$name"

# The lock of an append goes with its connection; another client appends
# meanwhile. What it appended stays; the first one's is behind it, or an error.
name=lock
head -c 200000 "$T/noise-a" >"$REF/$name.new"
cp "$REF/$name.new" "$W/$name"
k=$(base_of $name)
must cabled $name "$k" lock-located
act $name bash -c "do_append $T/mnt-$name/$name"
ok "$name: the client stops at lock-located" expect_within 30 is_stopped $name lock-located
cable_out "$k"
cable_in "$k"
must bounded 30 dd if="$T/noise-c" of="$W/$name" bs=50000 count=1 oflag=append conv=notrunc status=none
head -c 50000 "$T/noise-c" >>"$REF/$name.new"
kill -CONT "$(mount_pid $name)"
ok "$name: the call ends" expect_within 60 test -s "$T/rc-$name"
[ "$(cat "$T/rc-$name")" != 0 ] || do_append "$REF/$name.new"
ok "$name: the other client's bytes are there, and what was acknowledged" holds "$W/$name" $name new
must rm "$W/$name"
ok "a report finds nothing wrong" reported
done_testing
