#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 60
# Files that one client removes, or renames over, while another has them open:
# they can be read to the last byte until they are closed, and then nothing of
# them is left on any brick, whichever of the clients has died meanwhile. With a
# brick away when a file is removed the portion on it goes when it is back. What
# has another name keeps its portions. GONE_TEMPLATE: another volume.
# shellcheck source=prog-lib.sh
. "$(dirname "$0")/prog-lib.sh"

KIND=${GONE_TEMPLATE:-net-4-plain}
MANY=${GONE_FILES:-400}
DIRECT=(--direct-io-mode=enable --attribute-timeout=0 --entry-timeout=0 --negative-timeout=0)

gfid_of() {
    getfattr --only-values --absolute-names -n glusterfs.gfid.string "$1"
}

# left GFID...: how many portions of these files there are on all bricks.
left() {
    local gfid n=0 b
    for gfid in "$@"; do
        for b in "${BRICK[@]}"; do
            n=$((n + $(find "$b/.allot/${gfid:0:2}" -name "$gfid.*" 2>/dev/null | wc -l)))
        done
    done
    echo $n
}
none_left() {
    [ "$(left "$@")" = 0 ]
}
all_left() {
    find "${BRICK[@]/%//.allot}" -type f 2>/dev/null | wc -l
}
none_but() { # none_but N: so many portions are left in all
    [ "$(all_left)" = "$1" ]
}

# A program that holds files open. For every line "read" it prints one: the
# checksum of all their bytes, read anew; at any other it ends.
# shellcheck disable=SC2016
HOLDER='use Digest::MD5; $| = 1;
    my @f = map { open(my $h, "<:raw", $_) or die "$_: $!\n"; $h } @ARGV;
    print "open\n";
    while (defined($_ = <STDIN>) && /read/) {
        my $md5 = Digest::MD5->new;
        for my $h (@f) { seek($h, 0, 0); $md5->addfile($h); }
        print $md5->hexdigest, "\n";
    }
    close($_) for @f;'
hold() { # hold NAME FILE...
    local name=$1
    shift
    mkfifo "$T/$name.in"
    # Somebody has it open to write at all times, so no end comes.
    # shellcheck disable=SC2016
    in_background "$name" bash -c 'in=$1; shift; exec perl -e "$@" <>"$in"' - "$T/$name.in" "$HOLDER" "$@"
    expect_within 30 grep -qx open "$T/$name.out" || bail "$name: $(cat "$T/$name.out")"
}
said() { # said NAME N: it has printed N lines
    [ "$(wc -l <"$T/$1.out")" -ge "$2" ]
}
# reads NAME FILE: what it has open are these bytes.
reads() {
    local n
    n=$(($(wc -l <"$T/$1.out") + 1))
    echo read >"$T/$1.in"
    expect_within 60 said "$1" "$n" || return 1
    [ "$(tail -1 "$T/$1.out")" = "$(sum "$2")" ] || {
        echo "it reads $(tail -1 "$T/$1.out")"
        return 1
    }
}
closes() { # closes NAME
    echo close >"$T/$1.in"
    [ "$(wait_for "$1" 60)" = 0 ]
}

program_volume "$KIND"
for m in a b c d; do
    must_mount $m "${DIRECT[@]}"
done
A=$T/mnt-a B=$T/mnt-b C=$T/mnt-c D=$T/mnt-d
declare -A GFID
for f in unlinked renamed reader unlinker both linked; do
    noise 150000 >"$T/$f"
    cp "$T/$f" "$A/$f"
    GFID[$f]=$(gfid_of "$A/$f")
done
: >"$A/empty"
ln "$A/linked" "$A/other-name"
is "each of them is on all bricks" "$(left "${GFID[@]}")" $((6 * 4))

# ---- one after the other ----------------------------------------------------

hold here "$B/unlinked"
hold over "$B/renamed"
hold dies "$C/reader" "$C/both"
hold lives "$B/unlinker"
hold links "$B/linked"
ok "a file is unlinked while another client has it open" rm "$A/unlinked"
ok "another one is renamed over" mv -f "$A/empty" "$A/renamed"
ok "one whose reader will die" rm "$A/reader"
ok "one whose remover will die" rm "$D/unlinker"
ok "one of whom both will" rm "$D/both"
ok "one that has another name" rm "$A/linked"
ok "the reader's client is killed" mount_kill c
ok "the remover's client too" mount_kill d
kill_program dies
ok "what nobody has open any more is gone from the bricks" \
    expect_within 40 none_left "${GFID[reader]}" "${GFID[both]}"
is "what is open has all its portions" \
    "$(left "${GFID[unlinked]}" "${GFID[renamed]}" "${GFID[unlinker]}" "${GFID[linked]}")" 16
ok "the unlinked one is read to its last byte" reads here "$T/unlinked"
ok "the one that was renamed over" reads over "$T/renamed"
ok "the one whose remover died" reads lives "$T/unlinker"
ok "the one with another name" reads links "$T/linked"
for name in here over lives links; do
    ok "$name: closed" closes $name
done
ok "then nothing is left of them" \
    expect_within 40 none_left "${GFID[unlinked]}" "${GFID[renamed]}" "${GFID[unlinker]}"
is "what has another name has its portions" "$(left "${GFID[linked]}")" 4
ok "and its bytes" cmp "$B/other-name" "$T/linked"

# ---- many at once -----------------------------------------------------------

mkdir "$A/many"
for ((i = 0; i < MANY; i++)); do
    noise 100000 >"$T/one"
    cat "$T/one" >>"$T/many"
    cp "$T/one" "$A/many/$(printf %05d "$i")"
    [ $((i % 2)) = 0 ] || : >"$A/many/$(printf %05d "$i").new"
done
is "$MANY files have portions" "$(all_left)" $((4 + MANY * 4))
hold many "$B"/many/?????
remove_many() {
    local i f
    for ((i = 0; i < MANY; i++)); do
        f=$A/many/$(printf %05d "$i")
        if [ $((i % 2)) = 0 ]; then
            rm "$f" || return 1
        else
            mv -f "$f.new" "$f" || return 1
        fi
    done
}
ok "half of them are removed, half renamed over" remove_many
ok "they are read" reads many "$T/many"
is "and have all their portions" "$(all_left)" $((4 + MANY * 4))
ok "they are closed" closes many
ok "and nothing is left of them" expect_within 60 none_but 4
rm -r "$A/many"

# ---- a brick is away ---------------------------------------------------------

# A file whose name is not on the brick that goes.
for ((i = 0; i < 50; i++)); do
    cp "$T/linked" "$A/away-$i"
    [ -e "${BRICK[3]}/away-$i" ] || break
    rm "$A/away-$i"
done
AWAY=$(gfid_of "$A/away-$i")
is "a file is on all bricks" "$(left "$AWAY")" 4
must brick_kill 3
ok "it is removed while a brick is away" bounded 60 rm "$A/away-$i"
is "its portion there stays" "$(left "$AWAY")" 1
must brick_start 3
ok "and goes when the brick is back" expect_within 60 none_left "$AWAY"
must umount_volume a
must umount_volume b
done_testing
