#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 25
# A small write that makes a file spread is written first and published then, with its
# size (docs/protocol.md, 2.3b): how few calls that takes, what others may do to the file
# between its steps, and each of its calls failing.
# shellcheck source=crash-lib.sh
. "$(dirname "$0")/crash-lib.sh"

crash_setup net-4-plain

# ---- calls -------------------------------------------------------------------
calls() {
    fop_counts "$(mount_pid w)" | awk '$1 ~ /^c[0-9]$/ { n[$2 == "FSTAT" ? "STAT" : $2] += $3 } END { for (f in n) print f, n[f] }' | sort
}
calls_since() { # calls_since FILE: without what is asked for by the clock or the kernel
    join -a1 -e0 -o 0,1.2,2.2 <(calls) "$1" |
        awk '$1 !~ /^(STATFS|GETXATTR|LOOKUP|OPEN|FLUSH)$/ && $2 > $3 { printf "%s%s %d", sep, $1, $2 - $3; sep = ", " }'
}
calls_are() { # calls_are FILE CALLS
    [ "$(calls_since "$1")" = "$2" ]
}
# The directory of its portions is there already on all bricks.
ok "a file is spread" put "$W/small" a 0 300000
ok "and plain again" truncate -s 0 "$W/small"
one_write() { # one_write FILE BYTES
    python3 - "$@" "$T/noise-a" <<'END'
import os, sys
data = open(sys.argv[3], "rb").read(int(sys.argv[2]))
fd = os.open(sys.argv[1], os.O_WRONLY)
assert os.write(fd, data) == len(data)
os.close(fd)
END
}
ok "a plain file is there" touch "$W/plain"
for f in "plain 60000 STAT 1, WRITE 1" "small 70000 CREATE 1, SETXATTR 1, STAT 1, WRITE 2"; do
    read -r name bytes want <<<"$f"
    calls >"$T/before"
    must one_write "$W/$name" "$bytes"
    # A portion made, a write to it, and one record, besides what a plain file takes;
    # the stat is of the kernel.
    ok "$name: few calls" expect_within 10 calls_are "$T/before" "$want"
    note "$(calls_since "$T/before")"
done
ok "it is settled" settled "$W/small"
is "and spread" "$(getfattr --only-values -n glusterfs.allot.layout "$W/small" 2>/dev/null | jq '.spread')" true
ok "it is right" cmp "$W/small" <(head -c 70000 "$T/noise-a")
ok "the report vouches for it" reported

# What is not written so.
: >"$W/long"
ok "a write of FUSE's whole length leaves it to the close to settle" put "$W/long" a 0 131072
ok "which does" expect_within 10 settled "$W/long"
ok "it is right" cmp "$W/long" <(head -c 131072 "$T/noise-a")
ok "a synchronous write is another matter" dd if="$T/noise-a" of="$W/sync" bs=70000 count=1 oflag=sync status=none
ok "it is right, too" cmp "$W/sync" <(head -c 70000 "$T/noise-a")
ok "so is an append" dd if="$T/noise-a" of="$W/sync" bs=70000 count=1 oflag=append conv=notrunc status=none
ok "it is right, too" cmp "$W/sync" <(head -c 70000 "$T/noise-a" && head -c 70000 "$T/noise-a")
# Over the end of the first block: all bricks have a portion.
ok "a write over several blocks" put "$W/blocks" a 10000 120000
ok "is right" cmp "$W/blocks" <(head -c 10000 /dev/zero && head -c 120000 "$T/noise-a")
ok "and settled" settled "$W/blocks"
ok "and so is a hole between what there was and the write" bash -c "put $W/hole a 0 100 && put $W/hole a 64000 9000"
ok "that is right" cmp "$W/hole" <(head -c 100 "$T/noise-a" && head -c 63900 /dev/zero && head -c 9000 "$T/noise-a")
# With a part for the base, and without one.
for at in 60000 65536; do
    ok "a file is old" touch -d 2001-02-03 "$W/at-$at"
    ok "it is written at $at" put "$W/at-$at" a $at 9000
    age=$(($(date +%s) - $(stat -c %Y "$W/at-$at")))
    ok "and of now ($age s)" test "$age" -ge -60 -a "$age" -le 60
    ok "and settled" settled "$W/at-$at"
done
rm "$W"/small "$W"/plain "$W"/long "$W"/sync "$W"/blocks "$W"/hole "$W"/at-*

# ---- others, between the base's part and the publication ----------------------------
# The victim writes [60000, 70000) of a file of 60000 bytes, and stops when base and
# portion have it.
begin() { # begin NAME STEP
    prepare "$1" 60000 grow
    must victim "$1" "$2"
    act "$1" bash -c "do_grow $T/mnt-$1/$1"
    ok "$1: the client stops at $2" expect_within 30 is_stopped "$1" "$2"
}
end() { # end NAME: it succeeds, and the file is NAME.new
    ok "$1: it goes on and succeeds" go_on "$1" || note "$(cat "$T/out-$1")"
    ok "$1: the file is one that both could make" holds "$W/$1" "$1" new
    ok "$1: it sees the same itself" cmp "$T/mnt-$1/$1" "$REF/$1.new"
    ok "$1: settled by the next close, and usable" usable "$W/$1" "$1"
    rm -f "$W/$1"
    ok "$1: no portion is left" expect_within 40 has_portions 0
    ok "$1: unmounted" umount_volume "$1"
}
new_is() { # new_is NAME: FILE from the standard input, with the victim's write
    cat >"$REF/$1.new"
    do_grow "$REF/$1.new"
}

begin cut grow-filled
ok "cut: it is cut meanwhile" truncate -s 10 "$W/cut"
head -c 10 "$REF/cut.old" | new_is cut
end cut

begin refilled grow-filled
ok "refilled: it is cut and made as long as the inline part" bash -c "truncate -s 10 $W/refilled && truncate -s 65536 $W/refilled"
(head -c 10 "$REF/refilled.old" && head -c 65526 /dev/zero) | new_is refilled
end refilled

begin emptied grow-filled
ok "emptied: it is opened with O_TRUNC" dd if="$T/noise-c" of="$W/emptied" bs=65536 count=1 status=none
head -c 65536 "$T/noise-c" | new_is emptied
end emptied

begin punched grow-filled
ok "punched: a hole is made in it" fallocate -p -o 4096 -l 8192 "$W/punched"
fallocate -p -o 4096 -l 8192 "$REF/punched.new"
end punched

begin marked grow-filled
ok "marked: another client makes it spread first" put "$W/marked" c 62000 20000
put "$REF/marked.new" c 62000 20000
do_grow "$REF/marked.new"
end marked

# ---- each call fails ------------------------------------------------------------
base_of() { # base_of NAME: the brick that has its base
    local k
    for k in "${!BRICK[@]}"; do
        [ ! -s "${BRICK[k]}/$1" ] || echo "$k"
    done
}
portion_of() { # the brick that has the only portion there is
    local k
    for k in "${!BRICK[@]}"; do
        [ -z "$(find "${BRICK[k]}/.allot" -type f)" ] || echo "$k"
    done
}
back() { # back BRICK NAME
    brick_start "$1"
    ok "$2: the brick is back" expect_within 30 all_up "$W"
}

# The portion's brick goes, before anything is written to it. Its name is on another.
for ((i = 0; i < 20; i++)); do
    begin "portion$i" grow-created
    k=$(portion_of)
    [ "$k" = "$(base_of "portion$i")" ] || break
    go_on "portion$i"
    umount_volume "portion$i"
    rm "$W/portion$i"
done
name=portion$i
ok "$name: its brick is not the base's" test "$k" != "$(base_of "$name")"
brick_kill "$k"
ok "$name: the write goes elsewhere" go_on "$name" || note "$(cat "$T/out-$name")"
ok "$name: the file is right" holds "$W/$name" "$name" new
back "$k" "$name"
ok "$name: and stays so" holds "$W/$name" "$name" new
ok "$name: settled by the next close, and usable" usable "$W/$name" "$name"
rm "$W/$name"
ok "$name: unmounted" umount_volume "$name"

# The base's brick goes: before its part is written, and before the publication.
for step in grow-created grow-filled; do
    name=base-$step
    begin "$name" "$step"
    k=$(base_of "$name")
    brick_kill "$k"
    kill -CONT "$(mount_pid "$name")"
    ok "$name: the write ends" expect_within 60 test -s "$T/rc-$name"
    nok "$name: with an error" test "$(cat "$T/rc-$name")" = 0
    back "$k" "$name"
    ok "$name: the file is what it was, or has the inline part of it" \
        bash -c "cmp $W/$name $REF/$name.old || cmp $W/$name <(head -c 65536 $REF/$name.new)"
    ok "$name: it can be written again" do_grow "$W/$name"
    ok "$name: and is right" cmp "$W/$name" "$REF/$name.new"
    rm "$W/$name"
    ok "$name: unmounted" umount_volume "$name"
done
ok "a report finds nothing wrong" reported
done_testing
