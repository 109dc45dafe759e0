#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 70
# A brick comes back empty, and another one is replaced. Nothing may read as
# zeros, no name may go, the empty brick serves nobody until it is adopted, and
# then it is used, without making anything look whole that is not.
# shellcheck source=fail-lib.sh
. "$(dirname "$0")/fail-lib.sh"

names() { # names DIR: all of them; fails if the listing ends in an error
    (cd "$1" && find . -path ./.glusterfs -prune -o -path ./.allot -prune -o -print) |
        LC_ALL=C sort
}

names_are_there() { # names_are_there DIR
    names "$1" | diff "$T/names" -
}

# What a heal brings: names and records as another brick has them.
healed_like() { # healed_like BRICK OTHER
    names_are_there "${BRICK[$1]}" &&
        diff <(records "${BRICK[$1]}") <(records "${BRICK[$2]}")
}

records() {
    (cd "$1" && find . -path ./.glusterfs -prune -o -path ./.allot -prune -o -type f -print0 |
        sort -z | xargs -0 getfattr -n trusted.allot.record -e hex 2>/dev/null)
}

# Through a client without cluster/allot.
foreign_client() { # foreign_client I
    cat >"$T/vol/foreign.vol" <<-END
	volume c$1
	    type protocol/client
	    option transport-type tcp
	    option transport.address-family inet
	    option remote-host 127.0.0.1
	    option remote-port ${PORT[$1]}
	    option remote-subvolume brick
	end-volume
	END
}

foreign_mount() {
    mkdir -p "$T/mnt-foreign"
    undo mount "$T/mnt-foreign"
    glusterfs --volfile="$T/vol/foreign.vol" -p "$T/foreign.pid" \
        -l "$LOG/mnt-foreign.log" "$T/mnt-foreign" || return 1
    expect_within 20 test -s "$T/foreign.pid" || return 1
    undo process "$(cat "$T/foreign.pid")" "$(proc_start "$(cat "$T/foreign.pid")")"
    expect_within 20 grep -q " $T/mnt-foreign " /proc/mounts
}

portions() { # portions I
    find "${BRICK[$1]}/.allot" -type f 2>/dev/null | wc -l
}

bricks_make 4 512M
volume_make net-4 "${OPTIONS_ALL[@]}" --block-size 64KB
volume_start
must_mount w
W=$M
FILES=()
for i in {1..24}; do
    put_file "d$((i % 3))/e/f$i" $((i * i * 4001))
    FILES+=("d$((i % 3))/e/f$i")
done
put_file whole-1 60000
put_file empty 0
must ln -s whole-1 "$W/symlink"
must ln "$W/d1/e/f1" "$W/hard"
OTHER_NAME[d1/e/f1]=hard
FILES+=(whole-1 empty)
names "$W" >"$T/names"
must_mount r "${DIRECT[@]}"
R=$M
allot_json before 0 report "$R"

# ---- blank ------------------------------------------------------------------

must brick_kill 0
brick_wipe 0
must brick_start 0
state_comes "$R" c0 blank
state_comes "$W" c0 blank
must_mount n "${DIRECT[@]}"
state_comes "$M" c0 blank
for i in r n w; do
    ok "mnt-$i: all names are there" names_are_there "$T/mnt-$i"
done
allot_json blank 1 report "$R"
M=$R report_holds blank "${FILES[@]}"
M=$T/mnt-n report_ranges_hold blank "${FILES[@]}"
is_j "all that was there is lost, none of it only away" blank \
    '[.blocks.unavailable, .blocks.lost == .blocks.failed, .blocks.lost > 0, ([.damaged_files[].reason] | unique), .exact]' \
    '[0,true,true,["blank"],true]'
is_j "every file is in the report" blank .files.total ${#FILES[@]}
allot_json status 1 status "$R"
is_j "status" status '[.state, .bricks[0].state, .bricks[0].share]' '["PARTIAL","blank",0]'

foreign_client 0
ok "a client without cluster/allot mounts the empty brick" foreign_mount
nok "which serves nobody" bounded 20 ls "$T/mnt-foreign"
nok "no name can be made" bounded 20 mkdir "$T/mnt-foreign/x"
ok "it has nothing but .glusterfs" test "$(ls -A "${BRICK[0]}")" = .glusterfs

# ---- work goes on -----------------------------------------------------------

put_file new/during 900000
must_mount v "${DIRECT[@]}"
ok "a new file is whole" whole new/during
nok "it is not on the empty brick" grep -w c0 <(members_of new/during -1)
rm -rf "$T/back"
must cp "$ORIG/d0/e/f24" "$W/d0/e/f24"
ok "cp over a damaged file repairs it" whole d0/e/f24
FILES+=(new/during)
names "$W" >"$T/names"
allot_json repaired 1 report "$R"
is_j "the report does not list it any more" repaired \
    '[.damaged_files[] | select(.path == "d0/e/f24")]' '[]'
ok "nothing has got onto the empty brick" test "$(ls -A "${BRICK[0]}")" = .glusterfs

# ---- adopted ----------------------------------------------------------------

ok "the empty brick is adopted" "$ALLOT" brick adopt c0 "$R"
for i in r n w v; do
    state_comes "$T/mnt-$i" c0 up
done
M=$R
allot_json adopted 1 report "$M"
report_ranges_hold adopted "${FILES[@]}"
is_j "old losses stay losses" adopted '[.blocks, .bytes | .total, .lost]' \
    "$(j repaired '[.blocks, .bytes | .total, .lost]')"
is_j "and are called lost" adopted '[.damaged_files[].reason] | unique' '["lost"]'
allot_json status 0 status "$M"
is_j "its old number is lost, the new one is up" status \
    '[.bricks[].state] | sort' '["lost","up","up","up","up"]'
for i in 1 2 3; do
    put_file "new/after$i" 1200000
    FILES+=("new/after$i")
done
ok "new files are whole" whole new/after{1,2,3}
is "they are on all four bricks" "$(members_of new/after1 -1)" "c0 c1 c2 c3"
ok "portions are on the adopted brick" test "$(portions 0)" -ge 3

# ---- names heal onto it -----------------------------------------------------

names "$W" >"$T/names"
heal() {
    names "$R" >/dev/null
    (cd "$R" && find . -type f -exec stat -c %s {} +) >/dev/null
    healed_like 0 1
}
ok "names and records are healed onto it" expect_within 20 heal ||
    note "$(healed_like 0 1 2>&1 | head -20)"
must brick_kill 1
state_comes "$R" c1 down
for i in r w; do
    ok "another brick down: mnt-$i has all names" names_are_there "$T/mnt-$i"
done
must_mount q "${DIRECT[@]}"
ok "another brick down: so has a new client" names_are_there "$M"
allot_json second 1 report "$M"
report_holds second "${FILES[@]}"
is_j "unavailable and lost are told apart" second \
    '[.blocks.lost > 0, .blocks.unavailable > 0, .exact]' "[true,true,true]"
put_file new/second 500000
ok "new files can be made" whole new/second
FILES+=(new/second)
must brick_start 1
for i in r w q; do
    state_comes "$T/mnt-$i" c1 up
done

# ---- another one is replaced by a larger one ---------------------------------

allot_json before 1 report "$R"
must brick_kill 3
must expect_within 10 umount "${BRICK[3]}"
must rm "$T/b3.img"
must truncate -s 1G "$T/b3.img"
brick_mkfs 3
brick_attach 3
must brick_start 3
state_comes "$R" c3 blank
M=$R
allot_json replaced 1 report "$M"
report_ranges_hold replaced "${FILES[@]}"
ok "the new brick is adopted" "$ALLOT" brick adopt c3 "$M"
state_comes "$R" c3 up
state_comes "$W" c3 up
allot_json again 1 report "$M"
report_ranges_hold again "${FILES[@]}"
is_j "what was lost with the old one stays lost" again '.blocks.lost' "$(j replaced .blocks.lost)"
for f in "${FILES[@]}"; do
    must cp "$ORIG/$f" "$W/$f"
done
ok "copies repair every file" whole "${FILES[@]}"
allot_json healthy 0 report "$M"
is_j "nothing is damaged" healthy '[.exact, .damaged_files]' '[true,[]]'
put_file new/large 4000000
ok "data on the new brick reads back" whole new/large
ok "it has its share" test "$(members_of new/large -1)" = "c0 c1 c2 c3"

done_testing
