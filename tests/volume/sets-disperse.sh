#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 160
# Disperse sets of two fragments and one more as data subvolumes: what is written,
# overwritten, cut, made longer, punched and appended at uneven places reads back
# through a fresh mount; two clients cut, write and append at once. A brick of each
# set dies, all goes on; they return and heal, and then others may die. Two of one
# set die: EIO there, and the report says exactly where. A brick that was emptied
# serves nobody until it is adopted, and heals.
# shellcheck source=fail-lib.sh
. "$(dirname "$0")/fail-lib.sh"
# shellcheck source=fd-lib.sh
. "$(dirname "$0")/fd-lib.sh"
# shellcheck source=sets-lib.sh
. "$(dirname "$0")/sets-lib.sh"

for p in race-records race-calls; do
    [ -x "$BUILD/tests/volume/$p" ] || bail "$BUILD/tests/volume/$p is missing; ./dev build makes it"
done
SEED=${RACE_SEED:-$((RANDOM * 32768 + RANDOM))}
note "repeat with RACE_SEED=$SEED"

sets_want
ORIG=$T/want

# What is done to a file, in the volume and in $T/want alike.
over() { # over FILE OFFSET BYTES
    noise "$3" >"$T/piece"
    want dd if="$T/piece" of="$1" bs="$3" seek="$2" oflag=seek_bytes conv=notrunc status=none
}
append() { # append FILE BYTES
    noise "$2" >"$T/piece"
    want dd if="$T/piece" of="$1" bs="$2" oflag=append conv=notrunc status=none
}
chop() { # chop FILE SIZE...
    local size
    for size in "${@:2}"; do
        want truncate -s "$size" "$1" || return 1
    done
}
punch() { # punch FILE OFFSET BYTES
    want fallocate -p -o "$2" -l "$3" "$1"
}
fill() { # fill FILE BYTES
    noise "$2" >"$T/piece"
    want cp "$T/piece" "$1"
}

# right: every file, its size and every byte of it.
lengths() {
    (cd "$1" && find . -type f -printf '%s %P\n' | sort -k2)
}
right() {
    diff <(lengths "$T/want") <(lengths "$M") && all_right
}
same() { # same FILE: size and bytes of this one
    [ "$(stat -c %s "$M/$1")" = "$(stat -c %s "$T/want/$1")" ] && cmp "$M/$1" "$T/want/$1"
}

# nothing_failed NAME: a report with k = 0.
nothing_failed() {
    allot_json "$1" 0 report "$M"
    is_j "$1: k = 0 of all files, exactly" "$1" \
        '[.exact, .files.total, .files.intact, .blocks.failed, .bytes.failed, .blocks.total - .blocks.recoverable]' \
        "[true,$(find "$T/want" -type f | wc -l),$(find "$T/want" -type f | wc -l),0,0,0]"
}

spot() { # spot I: the directory of brick I
    echo "${BRICK[$1]}"
}
# shellcheck source=fragments-lib.sh
. "$(dirname "$0")/fragments-lib.sh"
healed_all() {
    healed {0..5} && fragments_agree 0 1 2 && fragments_agree 3 4 5
}
everything_healed() {
    ok "everything is healed, the bricks of a set agree" expect_within 100 healed_all ||
        note "$(pending {0..5}) entries wait" "$(diff <(fragments_of 0) <(fragments_of 1))" \
            "$(diff <(fragments_of 0) <(fragments_of 2))" "$(diff <(fragments_of 3) <(fragments_of 4))" \
            "$(diff <(fragments_of 3) <(fragments_of 5))"
}

# Two clients take a disperse set's lock from each other at once, not only when
# its holder has been idle for a second.
sets_start net-disperse-6 --block-size 64KB --option 'locks:notify-contention-delay=0'
is "the data subvolumes are the sets" \
    "$(jq -rc '[.bricks[] | .name, .kind, (.leaves | length), .spare_failures]' "$T/status.json")" \
    '["s0","disperse",3,1,"s1","disperse",3,1]'
is "with their bricks" "$(jq -rc '[.bricks[].leaves[] | .name, .state, .arbiter] | map(tostring) | join(" ")' "$T/status.json")" \
    "c0 up false c1 up false c2 up false c3 up false c4 up false c5 up false"
is "one more brick may fail" "$(jq .spare_failures "$T/status.json")" 1

# ---- what one client writes

# Around a fragment, a stripe of 1 KiB, inline-limit and a block.
SIZES=(0 1 511 512 513 1023 1024 1025 65535 65536 65537 66561 100001 131071 131073 200003 $((3 * 1048576 + 7)))
for size in "${SIZES[@]}"; do
    must fill "s$size" "$size"
done
BIG=s$((3 * 1048576 + 7))
ok "files of ${#SIZES[@]} sizes read back" fresh right
portions_everywhere() {
    local i
    for i in {0..5}; do
        # A sparse file of half its length: it is not replicated.
        find "${BRICK[i]}/.allot" -type f -size +1400k -size -1600k | grep -q . || return 1
    done
}
ok "every brick has a fragment of the largest" portions_everywhere
nothing_failed whole
# Disperse takes its marks back some time after the last write.
ok "a brick of each set may stop" expect_within 20 "$ALLOT" ok-to-stop c0 c3 "$M"
nok "two of one set may not" "$ALLOT" ok-to-stop c0 c1 "$M"

for at in 5:1 511:2 65000:1023 65535:512 131072:1024 131583:1 300001:1025 2000000:511; do
    must over $BIG "${at%:*}" "${at#*:}"
done
must over $BIG 500001 1000003
must over s1025 1023 1
must over s65537 65530 7
must over s65537 65536 1
must over s100001 65000 3000
ok "what is overwritten in the middle" fresh right

for f in cut1 cut2 cut3 cut4; do
    must fill $f 1048577
done
ok "a file is cut in the middle of a stripe, made longer, cut at a block's border, and so on" \
    chop cut1 700001 700002 1000000 500013 900000 131072 400000 131071 131073 900001
ok "to one byte beside stripes" chop cut2 524289 600000 524288 600000 524287 1048576 1023 1025 300000
ok "to inline-limit and around it, and to nothing" chop cut3 65537 200000 65536 200000 65535 200000 0 70001
ok "cut, written behind the end" chop cut4 300001
must over cut4 310007 5001
must chop cut4 305000 305001 800000
must over cut4 400001 100
ok "what was cut off does not come back, nor to this mount" right
ok "nor to a fresh one" fresh right

for f in s0 s1023 s65535 s131071 $BIG; do
    for size in 1 1500 70001; do
        must append "$f" "$size"
    done
done
ok "what is appended" fresh right

# A file of a few bytes leaves the inline part: what a brick has of it is longer
# than the file. A write that never ends would hang the test: in the background.
for size in 1 100 511 513; do
    must fill t$size $size
    noise 70001 >"$T/piece"
    cat "$T/piece" >>"$ORIG/t$size"
    dd if="$T/piece" of="$M/t$size" bs=70001 oflag=append conv=notrunc status=none 2>"$T/err" &
    pid=$!
    expect_within 60 gone $pid "$(proc_start $pid)" || bail "a file of $size bytes does not grow"
    rc=0
    wait $pid || rc=$?
    is "a file of $size bytes grows" $rc 0 || note "$(cat "$T/err")"
done
ok "they are right" fresh right

for f in hole1 hole2 hole3; do
    must fill $f 1500001
done
must punch hole1 100001 100
must punch hole1 $((200 * 1024 - 50)) 100
must punch hole1 $((300 * 1024)) 1024
must punch hole1 $((400 * 1024 + 1)) 1023
must punch hole1 $((500 * 1024 - 1)) 2
must punch hole2 65537 70000
must punch hole2 500003 700001
must punch hole3 1499951 5000
must punch hole3 100 70000
must punch s513 10 100
must punch s100001 65500 100
ok "holes of 2 bytes to 700 KB, at uneven places" right
must over hole2 600001 100
must append hole3 1000
must chop hole2 700001 1500001
ok "and are written again, cut, seen by a fresh mount" fresh right

# ---- two clients: one has the file open, the other cuts it in between

# Disperse keeps its lock on a file for a second after a call; whoever else wants
# it waits for that, once a turn. These clients give it back at once.
sed 's|^    type cluster/disperse$|&\n    option eager-lock off\n    option other-eager-lock off|' \
    "$T/vol/client.vol" >"$T/vol/quick.vol"
must fill shared 400001
VOLFILE=$T/vol/quick.vol sets_mount b
B=$M
VOLFILE=$T/vol/quick.vol sets_mount a

# What disperse reads of a stripe that is written in part carries no generation: the
# base that this client takes for plain refuses that as a stranger's.
must fill plain 1000
fd_open "$M/plain"
ask "pread 0 1000"
noise 70001 >"$T/piece"
cat "$T/piece" >>"$ORIG/plain"
bounded 60 dd if="$T/piece" of="$B/plain" bs=70001 oflag=append conv=notrunc status=none || bail "a small file does not grow"
noise 100 >"$T/piece"
dd if="$T/piece" of="$ORIG/plain" bs=100 seek=500 oflag=seek_bytes conv=notrunc status=none
ask "pwrite -b 1m -i $T/piece 500 100"
ok "a file that another client has made spread is written in the middle of a stripe" \
    grep -q "wrote 100/100 bytes at offset 500" <<<"$SAID"
fd_close
ok "it is right" fresh same plain
fd_open "$M/shared"
bad=()
OFFSETS=(-700 0 1 5000 70001)
LENGTHS=(100 300000 1024 90001 1537 200000 513)
for ((i = 0; i < 30; i++)); do
    size=$(stat -c %s "$ORIG/shared")
    # One below a border of stripes, at it, one above.
    cut=$((size * (25 + i * 37 % 70) / 100 / 1024 * 1024 + 1024 + i % 3 - 1))
    at=$((cut + OFFSETS[i % 5])) length=${LENGTHS[i % 7]}
    noise "$length" >"$T/piece"
    truncate -s $cut "$ORIG/shared"
    dd if="$T/piece" of="$ORIG/shared" bs="$length" seek=$at oflag=seek_bytes conv=notrunc status=none
    what="round $i, $size cut to $cut, $length at $at:"
    bounded 60 truncate -s $cut "$B/shared" || bad+=("$what not cut")
    ask "pwrite -b 1m -i $T/piece $at $length"
    [[ $SAID = *"wrote $length/$length bytes at offset $at"* ]] || bad+=("$what $SAID")
    ask fsync
    [[ $SAID != *fsync:* ]] || bad+=("$what $SAID")
    for n in b a; do
        M=$T/mnt-$n
        same shared >"$T/differs" 2>&1 ||
            bad+=("$what mnt-$n: size $(stat -c %s "$M/shared") of $(stat -c %s "$ORIG/shared"), $(cat "$T/differs")")
    done
    [ $((i % 10)) -ne 9 ] || fresh same shared >"$T/differs" 2>&1 || bad+=("$what a fresh mount: $(cat "$T/differs")")
    # One that went wrong would spoil all that follow.
    [ ${#bad[@]} -eq 0 ] || break
done
fd_close
M=$T/mnt-m
is "30 times cut by one client and written by the other" "$i" 30
is "sizes and bytes are right for both, and for a third one" "${bad[*]}" ""
[ ${#bad[@]} -eq 0 ] || must fill shared 400001
ok "and after the close" fresh right

# ---- two clients append

lines() { # lines FILE WRITER N
    local i pad
    pad=$(printf '%01500d' 0)
    exec 8>>"$1" || return 1
    for ((i = 100; i < 100 + $3; i++)); do
        printf '%s %d %s\n' "$2" "$i" "${pad:0:$((i * 367 % 1400))}." >&8 || return 1
    done
    exec 8>&-
}
export -f lines
# lines_whole N: each line of both is there once, whole, in the order of him who
# wrote it.
lines_whole() {
    local n
    for n in a b; do
        rm -f "$T/lines.$n"
        lines "$T/lines.$n" "$n" "$1"
        diff <(grep "^$n " "$M/lines") "$T/lines.$n" || return 1
    done
    diff <(sort "$M/lines") <(sort "$T"/lines.[ab])
}
: >"$B/lines"
pids=()
for n in a b; do
    bounded 100 bash -c 'lines "$@"' lines "$T/mnt-$n/lines" $n 60 >"$T/out-$n" 2>&1 &
    pids+=($!)
done
for n in 0 1; do
    rc=0
    wait "${pids[n]}" || rc=$?
    is "two clients append lines of 8 to 1400 bytes: client $n" $rc 0 || note "$(cat "$T"/out-[ab])"
done
ok "each line is there once, whole, in order" fresh lines_whole 60
for n in a b; do
    must umount_volume $n
done

# Larger records, and cuts that overlap writes: two programs on each of two mounts,
# which answer a write when it is done.
awk '$1 == "volume" && $2 == "write-behind" { skip = 1 }
    !skip { sub("subvolumes write-behind$", "subvolumes allot"); print }
    $1 == "end-volume" { skip = 0 }' "$T/vol/quick.vol" >"$T/vol/direct.vol"
for n in a b; do
    VOLFILE=$T/vol/direct.vol sets_mount $n
done
race() { # race PROGRAM MODE COUNT
    local i n rc
    pids=()
    for i in 0 1 2 3; do
        n=a
        [ $((i % 2)) -eq 0 ] || n=b
        bounded 100 "$BUILD/tests/volume/$1" "$2" "$T/mnt-$n" "$2" $i 4 "$3" "$SEED" "$T/shared-$2" \
            >"$T/out-$2-$i" 2>&1 &
        pids+=($!)
    done
    for i in 0 1 2 3; do
        rc=0
        wait "${pids[i]}" || rc=$?
        is "$2: program $i of four on two mounts" $rc 0 || note "$(cat "$T/out-$2-$i")"
    done
}
check() { # check PROGRAM MODE ARG...
    bounded 60 "$BUILD/tests/volume/$1" "$2" "$M" "${@:3}"
}
: >"$M/append"
race race-records append 10
race race-calls cut 8
M=$T/mnt-m
ok "append: every record is there once, whole" fresh check race-records check append 4 10
ok "cut: each unit is the last that one of them wrote there, or zeros after a cut" \
    fresh check race-calls check-cut cut 4 8 "$SEED"
for n in a b; do
    must umount_volume $n
done
must rm "$M/lines" "$M/append" "$M/cut"

# ---- a brick of each set dies

for f in a b c d; do
    must fill $f 1500001
done
noise 20000000 >"$T/long"
cp "$T/long" "$T/want/long"
bounded 100 dd if="$T/long" of="$M/long" bs=100003 status=none 2>"$T/out-long" &
pid=$!
long_grows() {
    [ "$(stat -c %s "$M/long")" -gt 1000000 ]
}
must expect_within 60 long_grows
brick_kill 0
brick_kill 4
rc=0
wait $pid || rc=$?
is "who writes while they die is not told" $rc 0 || note "$(cat "$T/out-long")"
ok "the volume is degraded, no more brick may fail" status_soon \
    '.state == "DEGRADED" and .spare_failures == 0 and leaf("c0").state == "down" and
     leaf("c4").state == "down" and all(.bricks[]; .state == "up" and .degraded and .spare_failures == 0)'
nothing_failed degraded
nok "no other brick of these sets may stop" "$ALLOT" ok-to-stop c1 "$M"
ok "nothing is missing" right
ok "nor for a fresh mount" fresh right
ok "a file is written" fill e 3000001
ok "one is overwritten" over a 100001 300000
ok "also within a stripe" over a 1000001 100
ok "one is cut and made longer" chop b 700001 1400003
ok "one is cut beside a stripe, no more" chop c 700415
ok "one to a few bytes" chop $BIG 3
ok "and it grows again" append $BIG 500001
ok "one is punched" punch d 100001 700000
ok "one is appended to" append d 1
must append d 70000
must append s513 70000
must over s1024 1000 100
ok "one is removed" want rm s200003
ok "all of it is right" right
ok "and for a fresh mount" fresh right

# ---- they return and heal

ok "a self-heal daemon starts" heal_start
brick_start 0
brick_start 4
ok "the volume is up" status_soon '.state == "UP" and .spare_failures == 1'
everything_healed
ok "files are right" right

# ---- and then others may die: what is read now was healed

brick_kill 1
brick_kill 3
ok "the volume is degraded" status_soon \
    '.state == "DEGRADED" and .spare_failures == 0 and leaf("c1").state == "down" and leaf("c3").state == "down"'
ok "nothing was lost, and nothing that was cut off came back" fresh right
nothing_failed healed
ok "files are overwritten" over e 1000003 300000
must over c 700001 3
ok "cut and made longer" chop e 2000001 2900001
ok "appended to" append a 1025

# ---- two of one set are away

for i in {1..8}; do
    must fill "h$i" $((300000 + i * 7777))
done
ok "all of it is right" fresh right
brick_start 3
ok "a set is whole" status_soon 'set("s1").degraded | not'
everything_of_s1() {
    healed 3 4 5 && fragments_agree 3 4 5
}
ok "and healed" expect_within 60 everything_of_s1
brick_kill 2
ok "the other one has too few fragments: it is down, the volume partial" status_soon \
    '.state == "PARTIAL" and .spare_failures == 0 and set("s0").state == "down" and set("s1").state == "up"'
# Names on it are away, as they always were; the others can be read.
away=() here=()
while read -r f; do
    if [ -e "${BRICK[3]}/$f" ]; then
        here+=("$f")
    else
        away+=("$f")
    fi
done < <(find "$ORIG" -type f -printf '%P\n' | sort)
ok "names are on both sets" test ${#here[@]} -ge 5 -a ${#away[@]} -ge 5
sets_mount r
allot_json partial 1 report "$M"
report_holds partial "${here[@]}"
is_j "k is unavailable, nothing lost, R = n - k" partial \
    '[.blocks.failed > 0, .blocks.failed - .blocks.unavailable, .blocks.lost, .bytes.lost,
      .blocks.total - .blocks.failed - .blocks.recoverable, .bytes.total - .bytes.failed - .bytes.recoverable]' \
    '[true,0,0,0,0,0]'
is_j "files that have a name" partial .files.total ${#here[@]}
is_j "the report says that names are away" partial '[.exact, (.inexact_because | length > 0)]' '[false,true]'
is_j "the reason" partial '[.damaged_files[].reason] | unique' '["down"]'

# Counted in another way: by dd, in blocks. The first one is inline, and counts with
# the next one.
counted() { # counted FILE: "n k", and "wrong" if bytes are not those of $ORIG
    local size n k=0 wrong=
    size=$(stat -c %s "$ORIG/$1")
    cmp -s -n 65536 "$M/$1" "$ORIG/$1" || wrong=" wrong: inline"
    for ((n = 1; n * 65536 < size; n++)); do
        if bounded 20 dd if="$M/$1" of="$T/block" bs=65536 skip=$n count=1 status=none 2>"$T/err"; then
            cmp -s "$T/block" <(dd if="$ORIG/$1" bs=65536 skip=$n count=1 status=none) || wrong=" wrong: $n"
        elif grep -q 'Input/output error' "$T/err"; then
            k=$((k + 1))
        else
            wrong=" $(cat "$T/err")"
        fi
    done
    echo "$((n - 1)) $k$wrong"
}
for f in "${here[@]}"; do
    [[ $f = h[1-8] ]] || continue
    is "dd counts of $f what the report says" "$(counted "$f")" \
        "$(j partial '[.damaged_files[] | select(.path == $p) | .blocks | .total, .failed] | join(" ")' --arg p "$f")"
done

NEW=()
for f in n{1..8}; do
    # Where this set has the name it cannot be made: that is no matter of data.
    : 2>/dev/null >"$M/$f" || continue
    must fill "$f" $((300000 + ${f#n} * 77777))
    NEW+=("$f")
done
ok "new files are made: ${NEW[*]}" test ${#NEW[@]} -gt 0
for f in "${here[@]}"; do
    [[ $f = h[1-8] ]] || continue
    ok "a file of before grows: $f" append "$f" 100001
    break
done
sets_mount s
ok "new files are whole" whole "${NEW[@]}"
is "all of them on the set that is there" \
    "$(for f in "${NEW[@]}"; do members_of "$f" -1; done | sort -u)" s1
allot_json partial2 1 report "$M"
report_holds partial2 "${here[@]}" "${NEW[@]}"
for f in r s; do
    must umount_volume $f
done
M=$T/mnt-m

for i in 1 2; do
    must brick_start $i
done
ok "they are back" status_soon '.state == "UP" and .spare_failures == 1'
ok "every byte is right" right
ok "for a fresh mount, too" fresh right
everything_healed
nothing_failed back

# ---- one is emptied

brick_kill 2
brick_wipe 2
brick_start 2
ok "an emptied brick is blank, its set degraded" status_soon \
    '.state == "DEGRADED" and leaf("c2").state == "blank" and set("s0").state == "up" and
     set("s0").degraded and set("s0").spare_failures == 0'
ok "nothing is missing" fresh right
nothing_failed blank
ok "a file is overwritten" over a 300001 300000
ok "one is cut and made longer" chop d 300001 900001
ok "a file is written" fill f 1000001
is "nobody wrote to it" "$(find "${BRICK[2]}" -mindepth 1 -maxdepth 1 ! -name .glusterfs)" ""
ok "it is adopted again" "$ALLOT" brick adopt c2 "$M"
ok "the volume is up" status_soon '.state == "UP"'
everything_healed
ok "then one may fail again" status_soon '.spare_failures == 1'
brick_kill 0
ok "another one is down" status_soon '.state == "DEGRADED" and leaf("c0").state == "down"'
ok "nothing was lost" fresh right
nothing_failed adopted
brick_start 0
ok "it returns" status_soon '.state == "UP"'
ok "all is right" right
done_testing
