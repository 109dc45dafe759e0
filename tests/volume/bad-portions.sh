#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 35
# Somebody has damaged the bricks behind the volume's back: records and portions
# deleted, flipped, cut, of another file or from an older copy. What shows gives
# EIO for that file only, with a log line that names it, and is in the report;
# what cannot show is in docs/recoverability.md and checked to be as told there.
# shellcheck source=fail-lib.sh
. "$(dirname "$0")/fail-lib.sh"

gfid_of() { # gfid_of NAME
    "$ALLOT" layout "$R/$1" --json | jq -r .gfid
}

declare -A GFID

portion_of() { # portion_of NAME I: its path on brick I
    echo "${BRICK[$2]}/.allot/${GFID[$1]:0:2}/${GFID[$1]}".*
}

link_of() { # link_of FILE I: its second name, below .glusterfs
    find "${BRICK[$2]}/.glusterfs" -samefile "$1" | head -1
}

xattr_get() { # xattr_get PATH NAME
    getfattr --absolute-names --only-values -n "trusted.allot.$2" -e hex "$1" 2>/dev/null |
        od -An -v -tx1 | tr -d ' \n'
}

xattr_set() { # xattr_set PATH NAME HEX
    must setfattr -n "trusted.allot.$2" -v "0x$3" "$1"
}

flip() { # flip HEX BYTE: one bit of that byte
    local i=$((2 * $2))
    printf '%s%02x%s' "${1:0:i}" $((0x${1:i:2} ^ 0x10)) "${1:i+2}"
}

base_of() { # base_of NAME: its path on the one brick that has it
    find "$T"/b? -maxdepth 1 -name "$1"
}

BAD=3
bricks_make 4 512M
# The same files fail again and again: nothing of that is a sick disk.
volume_make net-4-plain "${OPTIONS_ALL[@]}" --block-size 64KB --inline-limit 8KB \
    --option allot:failing-errors=0
volume_start
must_mount w
W=$M
must_mount r "${DIRECT[@]}"
R=$M
PORTIONS=(p-deleted p-empty p-short p-older p-flipped p-removed p-foreign)
RECORDS=(r-flipped r-cut r-version r-removed r-foreign r-long)
for f in good "${PORTIONS[@]}" "${RECORDS[@]}"; do
    put_file "$f" 1000000
done
for f in good "${PORTIONS[@]}" "${RECORDS[@]}"; do
    GFID[$f]=$(gfid_of "$f")
    must test -f "$(portion_of "$f" $BAD)"
    # What lies on that brick.
    "$ALLOT" layout "$R/$f" --blocks --json | jq -c "[.blocks[] | select(.[2] == \"c$BAD\") | .[:2]]" >"$T/$f.there"
done
# An older copy of a portion, and then it is overwritten.
cp -a "$(portion_of p-older $BAD)" "$T/older"
cp "$ORIG/p-older" "$T/p-older.old"
noise 1000000 >"$ORIG/p-older"
must dd if="$ORIG/p-older" of="$W/p-older" bs=128K conv=notrunc,fsync status=none
umount_volume w
umount_volume r

# ---- damage -----------------------------------------------------------------

for ((i = 0; i < NBRICKS; i++)); do
    brick_kill $i TERM
done
p=$(portion_of p-deleted $BAD)
must rm "$(link_of "$p" $BAD)" "$p"
must truncate -s 0 "$(portion_of p-empty $BAD)"
p=$(portion_of p-short $BAD)
must truncate -s $(($(stat -c %s "$p") - 65536)) "$p"
p=$(portion_of p-older $BAD)
cat "$T/older" >"$p"
xattr_set "$p" portion "$(xattr_get "$T/older" portion)"
p=$(portion_of p-flipped $BAD)
xattr_set "$p" portion "$(flip "$(xattr_get "$p" portion)" 20)"
must setfattr -x trusted.allot.portion "$(portion_of p-removed $BAD)"
p=$(portion_of p-foreign $BAD)
cat "$(portion_of good $BAD)" >"$p"
xattr_set "$p" portion "$(xattr_get "$(portion_of good $BAD)" portion)"

for f in "${RECORDS[@]}"; do
    p=$(base_of "$f")
    x=$(xattr_get "$p" record)
    case $f in
    r-flipped) xattr_set "$p" record "$(flip "$x" 30)" ;;
    r-cut) xattr_set "$p" record "${x:0:${#x}-8}" ;;
    r-version) xattr_set "$p" record "$(flip "$x" 5)" ;;
    r-removed) must setfattr -x trusted.allot.record "$p" ;;
    r-foreign) xattr_set "$p" record "$(xattr_get "$(base_of good)" record)" ;;
    r-long) xattr_set "$p" record "${x}00" ;;
    esac
done
volume_start
must_mount r "${DIRECT[@]}"

# ---- what reading returns ---------------------------------------------------

# What lies on brick $BAD of file $1; with bytes, whether they are wrong.
there() {
    cat "$T/$1.there"
}

read_of() { # read_of NAME: ranges that give EIO, then "wrong" if a byte is
    local lost
    if lost=$(lost_of "$1"); then
        echo "$lost"
    else
        echo "$lost wrong"
    fi
}

log_lines() { # log_lines NAME: of allot about that file
    grep -h "\[MSGID: 1000[0-9]*\].*${GFID[$1]}" "$LOG/mnt-r.log" | sed 's/^[^]]*\] //' | sort -u
}

ok "an untouched file is whole" whole good
for f in p-deleted p-flipped p-removed p-foreign; do
    is "$f: EIO where that portion is, the rest is right" "$(read_of $f)" "$(there $f)"
    is "$f: one log line names it" "$(log_lines $f | wc -l)" 1 || note "$(log_lines $f)"
done
for f in r-flipped r-cut r-version r-long; do
    nok "$f: EIO, no data" head -c 1 "$M/$f"
    is "$f: one log line names it" "$(log_lines $f | wc -l)" 1 || note "$(log_lines $f)"
    nok "$f: nothing can be written" dd if="$ORIG/good" of="$M/$f" bs=64K count=1 conv=notrunc status=none
done
is "r-foreign: EIO in all but the inline bytes" "$(read_of r-foreign)" "[[8192,1000000]]"

# What cannot be seen is as docs/recoverability.md tells it: no EIO. If one of
# these fails because it is detected now, mend the page and this test.
for f in p-empty p-short p-older; do
    is "$f: not detected" "$(read_of $f)" "[] wrong"
done
nok "p-short: wrong only where it was cut" bounded 20 "$PAGES" "$M/p-short" "$ORIG/p-short" \
    "$(jq '.[-1][0]' "$T/p-short.there")" "$(jq '.[-1][1]' "$T/p-short.there")"
ok "p-short: right before" bounded 20 "$PAGES" "$M/p-short" "$ORIG/p-short" \
    0 "$(jq '.[-1][0]' "$T/p-short.there")"
ok "r-removed: not detected: the inline part is the file" \
    cmp "$M/r-removed" <(head -c 8192 "$ORIG/r-removed")

# ---- what the report says ---------------------------------------------------

allot_json bad 1 report "$M"
is_j "the damaged files" bad '[.damaged_files[].path] | sort | join(" ")' \
    "p-deleted p-flipped p-foreign p-removed r-cut r-flipped r-foreign r-long r-version"
is_j "all are missing" bad '[.damaged_files[].reason] | unique' '["missing"]'
report_ranges_hold bad good p-deleted p-flipped p-removed p-foreign r-foreign
is_j "those with a damaged record are unreadable, and the report is not exact" bad \
    '[.files.unreadable, .exact, (.inexact_because | length > 0)]' '[4,false,true]'
# Nobody knows which bricks it has blocks on: it is listed for each of them.
for i in 0 1 2 3; do
    is "--brick c$i: those with a damaged record are on its list" \
        "$("$ALLOT" report "$R" --brick c$i --json | jq '.damaged_files | map(select(.bytes.recoverable == 0)) | length')" 4
done
allot_json healthy 0 status "$M"

# ---- the rest works; copies repair ------------------------------------------

W=$M put_file new 700000
ok "a new file is whole" whole new
for f in "${PORTIONS[@]}"; do
    must cp "$ORIG/$f" "$M/$f"
done
ok "cp over files with bad portions repairs them" whole "${PORTIONS[@]}"
for f in "${RECORDS[@]}"; do
    must rm "$M/$f"
    W=$M put_file "$f" 600000
done
ok "files with bad records can be removed and made anew" whole "${RECORDS[@]}"
allot_json repaired 0 report "$M"

# ---- while it runs ----------------------------------------------------------

W=$M put_file live 1000000
GFID[live]=$(gfid_of live)
p=$(portion_of live $BAD)
must setfattr -x trusted.allot.portion "$p"
must rm "$(link_of "$p" $BAD)" "$p"
must_mount s "${DIRECT[@]}"
allot_json live 1 report "$M"
is_j "a portion that is deleted while the brick runs is in the report" live \
    '[.damaged_files[] | .path, .reason]' '["live","missing"]'
report_ranges_hold live live good
# A close records the size, and fences that portion for it, like the others.
at=$("$ALLOT" layout "$M/live" --blocks --json | jq "[.blocks[] | select(.[2] != \"c$BAD\" and .[0] > 8192)][0][0]")
ok "a file that has lost one can be written elsewhere, and closed" \
    dd if="$ORIG/live" of="$M/live" bs=4096 count=1 iflag=skip_bytes skip="$at" oflag=seek_bytes seek="$at" conv=notrunc status=none
is "its close finds the portion missing, and the log says so once" \
    "$(grep -h "\[MSGID: 1000[0-9]*\].*${GFID[live]}" "$LOG/mnt-s.log" | grep -c 'missing')" 1

# A brick that has read an attribute for a report does not read it again for the next one
# unless the file's ctime is another. A new process has no other memory of portions.
umount_volume r
umount_volume s
umount_volume w
for ((i = 0; i < NBRICKS; i++)); do
    brick_kill $i TERM
done
volume_start
must_mount r "${DIRECT[@]}"
for round in 1 2; do
    allot_json again$round 1 report "$M"
    is_j "report $round: good is intact" again$round '[.damaged_files[].path]' '["live"]'
done
p=$(portion_of good $BAD)
xattr_set "$p" portion "$(flip "$(xattr_get "$p" portion)" 20)"
allot_json flipped 1 report "$M"
is_j "an attribute that is changed after two reports is in the third" flipped \
    '[.damaged_files[] | .path, .reason] | sort' '["good","live","missing","missing"]'
done_testing
