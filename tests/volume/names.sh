#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 60
# Names, listings and xattrs over a distributed namespace: /.allot is not there,
# portions live and die with the last name, sizes are right in every answer, and
# a listing that may miss names ends in EIO.
# What ls itself says is under test: SC2012 does not apply.
# shellcheck disable=SC2012
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# fails_with DESC TEXT CMD...: the command fails and says TEXT.
fails_with() {
    local desc=$1 want=$2 out
    shift 2
    if out=$("$@" 2>&1); then
        is "$desc" "success" "$want"
    else
        is "$desc" "$(grep -cF "$want" <<<"$out" | sed 's/^[1-9].*/said/')" said ||
            note "$out"
    fi
}

portions() { # how many, on all bricks
    local b n=0
    for b in "${BRICK[@]}"; do
        [ ! -d "$b/.allot" ] || n=$((n + $(find "$b/.allot" -type f | wc -l)))
    done
    echo $n
}

portions_are() {
    [ "$(portions)" -eq "$1" ]
}

spread_file() { # spread_file NAME: 2 MiB, its checksum in $SUM
    noise $((2 << 20)) >"$T/noise"
    SUM=$(sum "$T/noise")
    must cp "$T/noise" "$M/$1"
}

size() {
    stat -c %s "$1"
}

bricks_dirs 4
volume_make net-4-plain --option 'c*:ping-timeout=5'
volume_start
must_mount m --attribute-timeout=0 --entry-timeout=0

# ---- /.allot ----------------------------------------------------------------

spread_file big
ok "a large file has portions" test "$(portions)" -gt 1
echo small >"$M/small"
is "/.allot is not listed" "$(ls -A "$M" | tr '\n' ' ')" "big small "
is "nor with attributes" "$(find "$M" -mindepth 1 -printf '%f\n' | sort | tr '\n' ' ')" "big small "
fails_with "it cannot be looked up" "No such file" stat "$M/.allot"
fails_with "nor listed" "No such file" ls "$M/.allot"
fails_with "nor made as a directory" "not permitted" mkdir "$M/.allot"
fails_with "nor as a symlink" "not permitted" ln -s x "$M/.allot"
fails_with "nor as a fifo" "not permitted" mkfifo "$M/.allot"
fails_with "nor as a file" "not permitted" dd if=/dev/null of="$M/.allot"
fails_with "nor as a hard link" "not permitted" ln "$M/small" "$M/.allot"
fails_with "nor by rename" "not permitted" mv -T "$M/small" "$M/.allot"
fails_with "it cannot be renamed" "No such file" mv -T "$M/.allot" "$M/other"
fails_with "nor removed" "No such file" rmdir "$M/.allot"
ok "the name is free elsewhere" mkdir -p "$M/dir/.allot"
is "and is listed there" "$(ls -A "$M/dir")" .allot
rmdir "$M/dir/.allot" "$M/dir"

# By gfid: what a mount offers for that, with the numbers that the bricks have.
gfid_of() { # gfid_of PATH-ON-A-BRICK
    getfattr --absolute-names --only-values -n trusted.gfid "$1" | od -An -v -tx1 | tr -d ' \n' |
        sed -E 's/(.{8})(.{4})(.{4})(.{4})/\1-\2-\3-\4-/'
}
must_mount gfids --aux-gfid-mount --attribute-timeout=0 --entry-timeout=0
GFIDS=$M
M=$T/mnt-m
is "a file is reached by gfid" "$(stat -c %s "$GFIDS/.gfid/$(gfid_of "$(find "${BRICK[@]}" -maxdepth 1 -name small)")")" 6
for brick in "${BRICK[@]}"; do
    for path in "$brick/.allot" "$(find "$brick/.allot" -mindepth 1 -type d | head -1)" \
        "$(find "$brick/.allot" -type f | head -1)"; do
        [ -n "$path" ] || continue
        what=".allot${path#*/.allot}"
        gfid=$(gfid_of "$path")
        fails_with "$what: not by gfid" "No such file" stat "$GFIDS/.gfid/$gfid"
        fails_with "$what: nor read" "No such file" cat "$GFIDS/.gfid/$gfid"
        fails_with "$what: nor removed" "No such file" rm -r "$GFIDS/.gfid/$gfid"
        fails_with "$what: nor renamed" "No such file" mv -T "$GFIDS/.gfid/$gfid" "$M/here"
        fails_with "$what: nor linked" "No such file" ln "$GFIDS/.gfid/$gfid" "$M/here"
    done
done
must umount_volume gfids

# ---- xattrs -----------------------------------------------------------------

fails_with "the record cannot be read" "No such attribute" \
    getfattr -n trusted.allot.record "$M/big"
fails_with "nor set" "not permitted" setfattr -n trusted.allot.record -v x "$M/small"
fails_with "nor removed" "not permitted" setfattr -x trusted.allot.record "$M/big"
for key in record portion brick registry cut anything; do
    for f in big small .; do
        fails_with "trusted.allot.$key of $f cannot be read" "No such attribute" \
            getfattr -n "trusted.allot.$key" "$M/$f"
        fails_with "nor set" "not permitted" setfattr -n "trusted.allot.$key" -v x "$M/$f"
        fails_with "nor removed" "not permitted" setfattr -x "trusted.allot.$key" "$M/$f"
    done
done
is "nor is it in a list" "$(getfattr -d -m - "$M/big" "$M" 2>/dev/null | grep -c allot)" 0
ok "a user's xattr can be set on a spread file" setfattr -n user.mark -v here "$M/big"
is "and read" "$(getfattr --only-values -n user.mark "$M/big" 2>/dev/null)" here
is "and the size still is the file's" "$(size "$M/big")" $((2 << 20))
ok "glusterfs.allot.status of a directory is JSON" \
    jq -e .version <(getfattr --only-values -n glusterfs.allot.status "$M" 2>/dev/null)
for key in report layout; do
    for f in big small; do
        ok "glusterfs.allot.$key of $f is JSON" \
            jq -e . <(getfattr --only-values -n "glusterfs.allot.$key" "$M/$f" 2>/dev/null)
    done
done
fails_with "a directory has no layout" "No such attribute" \
    getfattr -n glusterfs.allot.layout "$M"
fails_with "the guard's handshake is not shown" "No such attribute" \
    getfattr -n glusterfs.allot.handshake "$M"
fails_with "no brick can be adopted that is not there" "No such device" \
    setfattr -n glusterfs.allot.adopt -v nobody "$M"
fails_with "nor anywhere but on the root" "not permitted" \
    setfattr -n glusterfs.allot.adopt -v nobody "$M/small"
chmod 755 "$T" "$M"
fails_with "nobody but root sees the status" "not permitted" \
    setpriv --reuid=65534 --clear-groups getfattr -n glusterfs.allot.status "$M"

# ---- names of a spread file --------------------------------------------------

was=$(portions)
ok "a spread file is renamed" mv "$M/big" "$M/big2"
is "its size is right" "$(size "$M/big2")" $((2 << 20))
is "its bytes are" "$(sum "$M/big2")" "$SUM"
is "no portion was moved or made" "$(portions)" "$was"
ok "a second name" ln "$M/big2" "$M/big3"
is "its size is right" "$(size "$M/big3")" $((2 << 20))
ok "the first name goes" rm "$M/big2"
is "the data stays" "$(sum "$M/big3")" "$SUM"
ok "the last name goes" rm "$M/big3"
ok "the portions go with it" expect_within 10 portions_are 0

spread_file target
ok "it has portions" test "$(portions)" -gt 1
ok "a small file is renamed over it" mv -f "$M/small" "$M/target"
is "it has taken its place" "$(cat "$M/target")" small
ok "the portions go" expect_within 10 portions_are 0

spread_file kept
exec 5<"$M/kept"
ok "an open file is removed" rm "$M/kept"
ok "its portions stay" test "$(portions)" -gt 1
is "it can be read to the end" "$(md5sum <&5 | cut -d' ' -f1)" "$SUM"
exec 5<&-
ok "they go with the last close" expect_within 10 portions_are 0

# ---- listings ---------------------------------------------------------------

mkdir "$M/list"
for i in {1..60}; do
    echo x >"$M/list/n$i"
done
spread_file list/spread
is "61 names" "$(ls "$M/list" | wc -l)" 61
is "a listing shows a spread file's size" \
    "$(ls -l "$M/list" | awk '$NF == "spread" { print $5 }')" $((2 << 20))

# The same through readdir-ahead, which reads on behind the caller's back and
# remembers ends and errors.
sed '/^volume write-behind/,$d' "$T/vol/client.vol" >"$T/vol/ahead.vol"
cat >>"$T/vol/ahead.vol" <<'VOL'
volume readdir-ahead
    type performance/readdir-ahead
    subvolumes allot
end-volume
VOL
VOLFILE=$T/vol/ahead.vol must_mount ahead --attribute-timeout=0 --entry-timeout=0
AHEAD=$M
volume_make net-4-plain --option 'c*:ping-timeout=5' --option allot:strict-readdir=off
must_mount lax --attribute-timeout=0 --entry-timeout=0
LAX=$M
M=$T/mnt-m

incomplete() { # incomplete DIR: names came, and then EIO
    local n
    n=$(ls -U "$1" 2>"$T/err" | wc -l)
    grep -q "Input/output error" "$T/err" && [ "$n" -gt 0 ] && [ "$n" -lt 61 ]
}
complete() {
    [ "$(find "$1" -mindepth 1 | wc -l)" -eq 61 ]
}
lax() { # fewer names, and no error
    ls -U "$1" >"$T/names" && [ "$(wc -l <"$T/names")" -lt 61 ]
}

ok "a brick is killed" brick_kill 1
ok "a listing gives names, then EIO" expect_within 20 incomplete "$M/list"
ok "also through readdir-ahead" expect_within 20 incomplete "$AHEAD/list"
fails_with "find fails" "Input/output error" find "$M/list"
ok "without strict-readdir it ends as distribute's does" expect_within 20 lax "$LAX/list"
is "the log says so once a minute at most" \
    "$(grep -c 'ends in EIO' "$LOG/mnt-m.log" | sed 's/^[12]$/few/')" few

ok "the brick returns" brick_start 1
ok "listings are complete again" expect_within 30 complete "$M/list"
ok "also through readdir-ahead" expect_within 30 complete "$AHEAD/list"

ok "the brick is stopped" brick_kill 1 TERM
brick_wipe 1
ok "it comes back empty" brick_start 1
ok "a listing ends in EIO: it is blank" expect_within 30 incomplete "$M/list"

done_testing
