#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# A small shop's data on four bricks, two of which fail. "./dev demo" builds and
# then runs this; every step says what it shows and checks it. The exit status is
# 0 only if all of it was seen. It makes its own bricks, processes and mount
# below one scratch directory (ALLOT_SCRATCH, default /tmp), touches nothing
# else, and leaves nothing behind, also when it is interrupted or fails.
#
# It deliberately measures no speed: bench/ does.
# ALLOT_LOGS=DIR keeps the logs and volfiles in DIR.
# shellcheck source=../tests/volume/lib.sh
. "$(dirname "$0")/../tests/volume/lib.sh"

MIB=1048576
BLOCK=262144
BRICK_MIB=384
IMAGE_MIB=560
NEEDS_MIB=3500
SHOP=mnt-shop

# ---- telling ----------------------------------------------------------------

STEP=0

step() { # step TITLE
    STEP=$((STEP + 1))
    printf '\n==== %d. %s  [%d s]\n' "$STEP" "$1" "$SECONDS"
}

say() {
    fold -s -w 78 <<<"$*" | sed 's/ *$//'
}

indent() {
    sed 's/^/    /'
}

# show STATUS CMD...: print the command and what it prints; it must end with
# STATUS. LINES_MAX: cut longer output.
show() {
    local want=$1 rc=0
    shift
    printf '\n    $ %s\n' "$*"
    "$@" >"$T/shown" 2>&1 || rc=$?
    if [ "$(wc -l <"$T/shown")" -gt "${LINES_MAX:-99}" ]; then
        head -n $((LINES_MAX - 6)) "$T/shown" | indent
        echo "    ..."
        tail -n 5 "$T/shown" | indent
    else
        indent <"$T/shown"
    fi
    [ $rc -eq "$want" ] || fail "exit status $rc of '$*', expected $want"
}

fail() {
    printf '\n  NOT SHOWN: %s\n' "$*"
    printf '  (to look into it: ALLOT_LOGS=DIR ./dev demo keeps the logs in DIR)\n'
    exit 1
}

# claim SENTENCE CMD...: the sentence is printed only if the command succeeds.
claim() {
    local sentence=$1
    shift
    "$@" >"$T/claim" 2>&1 || {
        tail -n 10 "$T/claim" | indent
        fail "$sentence"
    }
    printf '  * %s\n' "$sentence" | fold -s -w 78 | sed '2,$s/^/    /; s/ *$//'
}

# ---- asking -----------------------------------------------------------------

brick_state_is() { # brick_state_is NAME STATE
    allot status "$SHOP" --json |
        jq -e --arg n "$1" --arg s "$2" 'any(.bricks[]; .name == $n and .state == $s)'
}

# The bricks that hold any byte of a file, one name a line.
bricks_of() {
    allot layout "$1" --json | jq -r '[.extents[].members[].name] | unique | .[]'
}

report() { # report NAME: keep the document in $T/NAME.json
    allot report "$SHOP" --json >"$T/$1.json" 2>"$T/report.err"
    [ $? -ne 2 ] || fail "allot report: $(cat "$T/report.err")"
}

j() { # j NAME FILTER
    jq -r "$2" "$T/$1.json"
}

holds() { # holds NAME FILTER: the filter is true of that report
    jq -e "$2" "$T/$1.json"
}

human() { # human NAME: n, k and R of a report, on one line
    jq -r '"n = \(.blocks.total) blocks, k = \(.blocks.failed) failed " +
        "(\(.blocks.unavailable) unavailable, \(.blocks.lost) lost), " +
        "R = n - k = \(.blocks.recoverable) recoverable"' "$T/$1.json"
}

# ---- reading back -----------------------------------------------------------

# same_range FILE START END: these bytes are as in the backup
same_range() {
    cmp -s -i "$2" -n $(($3 - $2)) "backup/$1" "$SHOP/$1"
}

# lost_range FILE START END: every block of it gives EIO and not one byte
lost_range() {
    local o end got
    for ((o = $2; o < $3; o = end)); do
        end=$(((o / BLOCK + 1) * BLOCK))
        [ $end -le "$3" ] || end=$3
        got=$(dd if="$SHOP/$1" iflag=skip_bytes,count_bytes skip=$o count=$((end - o)) \
            bs=$BLOCK 2>"$T/dd.err" | wc -c)
        if [ "$got" -ne 0 ] || ! grep -q 'Input/output error' "$T/dd.err"; then
            echo "$1: bytes $o to $end should give EIO, $got bytes came"
            return 1
        fi
    done
}

# as_reported NAME: of every file in the backup, exactly the ranges that the
# report lists as lost give EIO, and all other bytes are right.
as_reported() {
    local path size pos start end rest bad=0
    jq -r '.damaged_files[] | [.path, .size, (.lost_ranges[] | .[])] | @tsv' \
        "$T/$1.json" >"$T/damaged"
    while IFS=$'\t' read -r path size rest; do
        [ -e "backup/$path" ] || continue
        pos=0
        # shellcheck disable=SC2086
        set -- $rest
        while [ $# -gt 0 ]; do
            start=$1 end=$2
            shift 2
            if [ "$start" -gt "$pos" ] && ! same_range "$path" "$pos" "$start"; then
                echo "$path: bytes $pos to $start do not read as they were"
                bad=1
            fi
            lost_range "$path" "$start" "$end" || bad=1
            pos=$end
        done
        if [ "$size" -gt "$pos" ] && ! same_range "$path" "$pos" "$size"; then
            echo "$path: bytes $pos to $size do not read as they were"
            bad=1
        fi
        [ $bad -eq 0 ] || return 1
    done <"$T/damaged"
    cut -f1 "$T/damaged" >"$T/damaged.names"
    (cd backup && find . -type f -printf '%P\n') | grep -vxFf "$T/damaged.names" |
        while read -r path; do
            cmp -s "backup/$path" "$SHOP/$path" || { echo "$path differs" && exit 1; }
        done
}

all_right() {
    diff -r backup "$SHOP"
}

# ---- the shop's data --------------------------------------------------------

# pick MAX_FILES MAX_BYTES: of "SIZE PATH" lines a part that is spread over all
# of them, and the same each time: ordered by a number made of the name.
pick() {
    awk '{ h = 7
           for (i = 1; i <= length($2); i++)
               h = (h * 31 + index("/._-abcdefghijklmnopqrstuvwxyz0123456789", substr($2, i, 1))) % 65521
           print h, $0 }' | sort -k1,1n -k3 |
        awk -v files="$1" -v bytes="$2" 'NF == 3 && n < files && sum + $2 <= bytes {
            n++; sum += $2; print $3 }'
}

# Pictures and documents of whatever is installed here, in their directories.
catalogue() {
    mkdir -p "$1"
    cd /usr/share || return 1
    {
        find . -xdev -type f -size +1k -size -4096k \
            \( -name '*.png' -o -name '*.jpg' -o -name '*.svg' \) -printf '%s %p\n' |
            pick 200 $((16 * MIB))
        find ./doc -xdev -type f -size +8k -size -4096k \
            \( -name '*.pdf' -o -name '*.html' -o -name '*.txt' -o -name '*.gz' \) \
            -printf '%s %p\n' | pick 150 $((16 * MIB))
        # A machine without documentation has at least these.
        find ./zoneinfo ./i18n ./perl -xdev -type f -size +1k -printf '%s %p\n' 2>/dev/null |
            pick 50 $((8 * MIB))
    } | xargs -r -d '\n' cp -L --parents --no-preserve=ownership -t "$1"
}

orders() { # orders FIRST LAST: SQL that inserts these orders
    cat <<SQL
CREATE TABLE IF NOT EXISTS orders(
    id INTEGER PRIMARY KEY, customer TEXT, item TEXT, cents INTEGER);
WITH RECURSIVE n(i) AS (SELECT $1 UNION ALL SELECT i + 1 FROM n WHERE i < $2)
INSERT INTO orders
    SELECT i, 'customer ' || (i * 7919 % 1000), 'item ' || (i * 104729 % 313),
        100 + i * 31 % 9900 FROM n;
SQL
}

order_count() {
    sqlite3 "$SHOP/orders.db" 'SELECT count(*) FROM orders'
}

database_whole() {
    [ "$(sqlite3 "$SHOP/orders.db" 'PRAGMA integrity_check')" = ok ] &&
        [ "$(order_count)" = "$1" ]
}

visits() { # visits FIRST LAST: lines of the web shop's log
    seq -f 'visit %08.0f: GET /catalogue/index.html 200' "$1" "$2"
}

# A disk of a virtual machine: a file system with one large file. Its bytes are
# the decimal numbers in order: no zeros, no two blocks alike.
disk_image() {
    local data=$((IMAGE_MIB - 40))
    mkdir "$T/disk"
    seq 1 99999999 2>/dev/null | head -c $((data * MIB)) >"$T/disk/data"
    if command -v mkfs.ext4 >/dev/null; then
        truncate -s ${IMAGE_MIB}M "$T/disk.img"
        mkfs.ext4 -q -F -d "$T/disk" "$T/disk.img"
        rm -r "$T/disk"
        # Without holes: each of its blocks holds data.
        cp --sparse=never "$T/disk.img" "$1"
        rm "$T/disk.img"
    else
        mv "$T/disk/data" "$1"
    fi
}

image_whole() {
    cmp backup/vm/disk.img "$SHOP/vm/disk.img" || return 1
    ! command -v e2fsck >/dev/null || e2fsck -fn "$SHOP/vm/disk.img"
}

# ---- before -----------------------------------------------------------------

[ "$(id -u)" = 0 ] || fail "the demo needs root"
[ "$BUILD" = installed ] || PATH=$BUILD:$PATH
cd "$T" || exit 1
free=$(($(df --output=avail -k "$T" | tail -1) / 1024))
[ $free -ge $NEEDS_MIB ] ||
    fail "$T has $free MiB free, the demo needs $NEEDS_MIB; set ALLOT_SCRATCH to another directory"

# ---- 1 ----------------------------------------------------------------------

step "Four bricks, one volume"
say "Four brick processes on this machine, each with a file system of its own of" \
    "$BRICK_MIB MiB. Names are replicated over the first three; data is shared" \
    "over all four and stored once. The mount bypasses the kernel's page cache," \
    "so that everything read below comes from the bricks."
bricks_make 4 ${BRICK_MIB}M
volume_make net-4 --option 'c*:ping-timeout=5'
volume_start
mount_volume shop --direct-io-mode=enable ||
    fail "the volume is mounted: $(tail -5 "$LOG/mnt-shop.log")"
all_up() {
    allot status "$SHOP" --json | jq -e '.state == "UP" and all(.bricks[]; .state == "up")'
}
claim "The volume is mounted and all four bricks are up." expect_within 30 all_up

# ---- 2 ----------------------------------------------------------------------

step "A small shop moves in"
say "Pictures and documents, an order database (SQLite), the web shop's log, and" \
    "the disk of a virtual machine, $IMAGE_MIB MiB: more than any brick can hold." \
    "A backup of all of it stays outside of the volume."
mkdir -p backup/vm
(catalogue "$T/backup/catalogue") || fail "pictures and documents are found below /usr/share"
[ "$(find backup/catalogue -type f | wc -l)" -ge 20 ] ||
    fail "there are at least 20 pictures and documents below /usr/share"
must disk_image "$T/backup/vm/disk.img"
visits 1 60000 >backup/visits.log
must cp -r backup/catalogue backup/visits.log "$SHOP/"
must mkdir "$SHOP/vm"
must cp backup/vm/disk.img "$SHOP/vm/"
orders 1 2000 | must sqlite3 "$SHOP/orders.db"
cp "$SHOP/orders.db" backup/ || fail "the database is copied to the backup"
files=$(find "$SHOP" -type f | wc -l)
show 0 du -sh --apparent-size "$SHOP/catalogue" "$SHOP/visits.log" "$SHOP/orders.db" \
    "$SHOP/vm/disk.img"
claim "All $files files read back as they are in the backup." all_right
image_exceeds() {
    [ "$(stat -c '%b * %B' "$SHOP/vm/disk.img" | xargs | tr -d ' ' | awk -F'*' '{ print $1 * $2 }')" \
        -gt "$(df --output=size -B1 "${BRICK[0]}" | tail -1)" ]
}
claim "The disk image stores more data than one brick's file system has room for." \
    image_exceeds
show 0 allot status "$SHOP"
even() {
    allot status "$SHOP" --json | jq -e '.max_over_mean <= 1.01'
}
claim "The fullest brick is within 1% of the mean: one bar per brick, equally long." \
    expect_within 10 even

# ---- 3 ----------------------------------------------------------------------

# A brick with names on it, and without a block of the database.
victim=
for name in c2 c1 c0; do
    bricks_of "$SHOP/orders.db" | grep -qx $name || { victim=$name && break; }
done
[ -n "$victim" ] || fail "the order database leaves out one of the bricks c0, c1, c2"

step "A brick dies"
say "We kill the process of $victim. We choose it on purpose: the order database is" \
    "smaller than one block and lies on one brick, and that one stays. (Had it" \
    "died, the orders would be unreadable until it returns. This volume has no" \
    "second copy of any data.)"
show 0 allot layout "$SHOP/orders.db"
report before
must brick_kill "${victim#c}"
claim "The mount sees that $victim is down." expect_within 30 brick_state_is "$victim" down
show 1 allot status "$SHOP"
LINES_MAX=14 show 1 allot report "$SHOP"
report killed
claim "The report counts: $(human killed)." \
    holds killed '.blocks.total - .blocks.failed == .blocks.recoverable and .blocks.failed > 0'
claim "It is exact, and nothing is lost for good: the brick is only away." \
    holds killed '.exact and .blocks.lost == 0'
same_total() {
    [ "$(j before .blocks.total)" = "$(j killed .blocks.total)" ]
}
claim "n is what it was before the brick died." same_total
claim "Every name is still there: names have two more copies." \
    test "$(find "$SHOP" -type f | wc -l)" = "$files"

# ---- 4 ----------------------------------------------------------------------

step "Reading what is damaged"
say "A large file has blocks on every brick. Those on $victim give an error; no" \
    "zeros, no short file."
from=$(j killed '.damaged_files[] | select(.path == "vm/disk.img") | .lost_ranges[0][0]')
show 1 dd if="$SHOP/vm/disk.img" of=/dev/null bs=$BLOCK skip=$((from / BLOCK)) count=1
claim "All $files files were read. What the report calls failed gives EIO \
($(j killed '.damaged_files[] | select(.path == "vm/disk.img") |
    "of the disk image \(.blocks.failed) of \(.blocks.total) blocks"')), every other byte is right." \
    as_reported killed

# ---- 5 ----------------------------------------------------------------------

step "The shop stays open"
say "New data avoids the dead brick at once: new files, new orders (the database" \
    "grows past its first block), and the log, which has older blocks on the dead brick."
must mkdir "$SHOP/new" backup/new
for i in 1 2 3 4 5 6 7 8; do
    visits $((i * 1000000)) $((i * 1000000 + 20000)) >"backup/new/invoice-$i"
    must cp "backup/new/invoice-$i" "$SHOP/new/"
done
claim "Eight new files of 1 MB are written and read back." diff -r backup/new "$SHOP/new"
orders 2001 9000 | must sqlite3 "$SHOP/orders.db"
claim "7000 new orders are in the database, 9000 in all, and it is consistent." \
    database_whole 9000
avoids() {
    bricks_of "$SHOP/orders.db" >"$T/on"
    [ "$(wc -l <"$T/on")" -gt 1 ] && ! grep -qx "$victim" "$T/on"
}
claim "It has grown onto other bricks ($(bricks_of "$SHOP/orders.db" | xargs)), not onto $victim." avoids
grown() {
    visits 60001 90000 >>"$SHOP/visits.log" && visits 60001 90000 >>backup/visits.log &&
        [ "$(stat -c %s "$SHOP/visits.log")" = "$(stat -c %s backup/visits.log)" ] &&
        cmp <(tail -c "$(visits 60001 90000 | wc -c)" "$SHOP/visits.log") <(visits 60001 90000)
}
claim "The log has grown by 30000 lines, and they read back." grown
report open
claim "No new file is damaged, nor are the orders." \
    holds open '[.damaged_files[].path] | all(. != "orders.db" and (startswith("new/") | not))'
claim "And the log is damaged only where it was, in its old part." \
    test "$(j open '.damaged_files[] | select(.path == "visits.log") | .lost_ranges')" = \
    "$(j killed '.damaged_files[] | select(.path == "visits.log") | .lost_ranges')"

# ---- 6 ----------------------------------------------------------------------

step "The brick returns"
say "The process of $victim is started again. Its data was there all the time."
must brick_start "${victim#c}"
claim "$victim is up again." expect_within 30 brick_state_is "$victim" up
show 0 allot report "$SHOP"
cp "$SHOP/orders.db" backup/ || fail "the database is copied to the backup"
files=$(find "$SHOP" -type f | wc -l)
claim "Everything is recovered: all $files files read back as in the backup." all_right

# ---- 7 ----------------------------------------------------------------------

wiped=c3
step "Another brick comes back empty"
say "Worse: the file system of $wiped is made anew, and its process started as if" \
    "nothing had happened. The backup is from a moment ago."
must brick_kill "${wiped#c}"
brick_wipe "${wiped#c}"
must brick_start "${wiped#c}"
claim "$wiped is not taken for a good brick: it is reported blank." \
    expect_within 30 brick_state_is "$wiped" blank
show 1 allot status "$SHOP"
LINES_MAX=14 show 1 allot report "$SHOP"
report blank
claim "The report counts: $(human blank)." \
    holds blank '.exact and .blocks.lost == .blocks.failed and .blocks.lost > 0'
claim "Nothing reads as zeros: each of the lost blocks of all $files files gives EIO, every other byte is right." \
    as_reported blank

# ---- 8 ----------------------------------------------------------------------

step "The disk image is restored"
say "cp from the backup over the damaged file, while the brick is still blank: the" \
    "new blocks go to the three good bricks."
show 0 cp backup/vm/disk.img "$SHOP/vm/disk.img"
claim "The image is whole again, and so is the file system in it." image_whole
claim "It has no block on $wiped." \
    test -z "$(bricks_of "$SHOP/vm/disk.img" | grep -x "$wiped")"

# ---- 9 ----------------------------------------------------------------------

step "The empty brick becomes a member"
say "'allot brick adopt' takes the empty brick into the volume under a new number." \
    "What the old one held stays lost, until a copy is put over it."
show 0 allot brick adopt "$wiped" "$SHOP"
claim "$wiped is up." expect_within 30 brick_state_is "$wiped" up
report adopted
claim "The other damaged files are still reported: $(j adopted .files.damaged) damaged, $(j adopted .files.unreadable) unreadable, $(j adopted .blocks.lost) blocks lost." \
    holds adopted '.blocks.lost > 0'
restore() {
    j adopted '.damaged_files[].path' | while read -r path; do
        cp "backup/$path" "$SHOP/$path" || exit 1
    done
}
claim "Copies of them are put back from the backup." restore
show 0 allot report "$SHOP"
claim "All $files files read back as in the backup." all_right
claim "The order database is consistent, with all 9000 orders." database_whole 9000
uses() {
    allot layout "$SHOP/new-brick" --json | jq -e --arg n "$wiped" 'any(.extents[].members[]; .name == $n)'
}
must cp backup/new/invoice-1 "$SHOP/new-brick"
claim "A new file uses $wiped." uses
show 0 allot status "$SHOP"
say ""
say "(Data that was there is not moved. $wiped stays emptier than the others, and" \
    "max/mean above 1, until new data has come.)"

# ---- 10 ---------------------------------------------------------------------

step "Cleaning up"
scratch=$T
nothing_left() {
    local p
    ! grep -F " $scratch/" /proc/mounts || return 1
    ! losetup -n -O BACK-FILE | grep -F "$scratch/" || return 1
    for p in /proc/[0-9]*; do
        ! { tr '\0' ' ' <"$p/cmdline"; } 2>/dev/null | grep -qE "^glusterfsd? .*$scratch/" ||
            { echo "process ${p#/proc/} is left" && return 1; }
    done
    [ ! -e "$scratch" ]
}
umount_volume shop
cleanup
nothing_left || fail "nothing is left of the demo"
printf '  * %s\n' "No process, mount, loop device or file of the demo is left."
printf '\nThe demo has shown all it says, in %d seconds.\n' "$SECONDS"
