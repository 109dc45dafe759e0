# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# What the tests of failures have in common. Sourced by fail-*.sh, bad-*.sh and
# prog-lib.sh.
# $ORIG holds a copy of every file as it was written; what a mount gives is
# compared with it byte by byte, and with what `allot report` says about it.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ALLOT=allot
[ "$BUILD" = installed ] || ALLOT=$BUILD/allot
# Part of the build, also when the plugins under test are the installed ones.
PAGES=${ALLOT_PAGES:-$BUILD/tests/volume/fail-pages}
[ -x "$PAGES" ] || bail "$PAGES is missing; ./dev build makes it"
ORIG=$T/orig
mkdir -p "$ORIG"

# A mount without caches of the kernel: what is read, and a size, comes from the
# bricks.
# shellcheck disable=SC2034
DIRECT=(--direct-io-mode=enable --attribute-timeout=0 --entry-timeout=0)

# allot_json NAME STATUS ARG...: run it, keep the document in $T/NAME.json
allot_json() {
    local name=$1 want=$2 rc=0
    shift 2
    bounded 120 "$ALLOT" "$@" --json >"$T/$name.json" 2>"$T/$name.err" || rc=$?
    is "$name: exit status of $1" "$rc" "$want" || note "$(cat "$T/$name.err")"
}

j() { # j NAME FILTER [ARG...]
    jq -rc "${@:3}" "$2" "$T/$1.json"
}

is_j() { # is_j DESC NAME FILTER WANT
    is "$1" "$(j "$2" "$3")" "$4"
}

brick_state_is() { # brick_state_is MOUNT NAME STATE
    [ "$("$ALLOT" status "$1" --json |
        jq -r --arg n "$2" '[.bricks[] | select(.name == $n and .state != "lost").state] | first')" = "$3" ]
}

# state_comes MOUNT NAME STATE: the brick gets to that state. A mount tries to
# reconnect every three seconds.
state_comes() {
    ok "$(basename "$1"): $2 is seen as $3" expect_within 30 brick_state_is "$1" "$2" "$3"
}

# The ranges of FILE that give EIO; wrong bytes go to standard error.
lost_of() { # lost_of FILE
    bounded 120 "$PAGES" "$M/$1" "$ORIG/$1" 2>"$T/pages.err"
}

# whole FILE...: every byte of all of them reads back as it was written.
whole() {
    local f bad=0 lost
    for f in "$@"; do
        lost=$(lost_of "$f") || { echo "$f: $(cat "$T/pages.err")" && bad=1; }
        [ "$lost" = "[]" ] || { echo "$f: lost $lost" && bad=1; }
    done
    return $bad
}

# What a report must say of one file, counted anew: out of its extents (which
# block is where) and the ranges that gave EIO. For jq, on a layout document.
# shellcheck disable=SC2034
COUNT='
def cells:
    . as $l
    | [range(.extents | length) as $i
        | .extents[$i] as $e
        | ([.extents[$i + 1].start // $l.size, $l.size] | min) as $stop
        | $e.block_size as $b
        | select($e.start < $stop)
        | range(($e.start / $b | floor); (($stop - 1) / $b | floor) + 1)
        | [([$e.start, . * $b] | max), ([$stop, (. + 1) * $b] | min)]]
    | if length > 0 then .[0][0] = 0
      elif $l.size > 0 then [[0, $l.size]] else [] end;
cells
| {n: length,
   k: (map(. as [$s, $t] | select(any($lost[]; .[0] < $t and .[1] > $s))) | length),
   lost_bytes: ($lost | map(.[1] - .[0]) | add // 0)}'

# A file with two names is in a report once, by the one that was met first.
# OTHER_NAME[FILE] is its second.
declare -A OTHER_NAME=()

# report_holds NAME FILE...: the report $T/NAME.json says of every file exactly
# what reading it returns, and the sums are those of the files. HOLES: how many
# blocks of all files are known holes.
report_holds() {
    local name=$1 f lost told counted n=0 k=0 bytes=0 lost_bytes=0 damaged=0
    local ranges=() counts=()
    shift
    for f in "$@"; do
        lost=$(lost_of "$f") || ranges+=("$f: $(head -3 "$T/pages.err")")
        told=$(j "$name" '[.damaged_files[] | select(.path == $p or .path == $q)] | if length > 1 then "twice" else .[0].lost_ranges // [] end' --arg p "$f" --arg q "${OTHER_NAME[$f]:-$f}")
        [ "$lost" = "$told" ] || ranges+=("$f: reported $told" "$f: read     $lost")
        counted=$("$ALLOT" layout "$M/$f" --json | jq -c --argjson lost "${lost:-[]}" "$COUNT")
        if [ "$lost" != "[]" ]; then
            damaged=$((damaged + 1))
            told=$(j "$name" '.damaged_files[] | select(.path == $p or .path == $q) | {n: .blocks.total, k: .blocks.failed}' --arg p "$f" --arg q "${OTHER_NAME[$f]:-$f}")
            [ "$told" = "$(jq -c '{n: (.n - $h), k}' --argjson h "$(j "$name" '.damaged_files[] | select(.path == $p or .path == $q) | .blocks.holes' --arg p "$f" --arg q "${OTHER_NAME[$f]:-$f}")" <<<"$counted")" ] ||
                counts+=("$f: reported $told" "$f: counted  $counted")
        fi
        n=$((n + $(jq .n <<<"$counted"))) k=$((k + $(jq .k <<<"$counted")))
        bytes=$((bytes + $(stat -c %s "$ORIG/$f")))
        lost_bytes=$((lost_bytes + $(jq .lost_bytes <<<"$counted")))
    done
    is "$name: lost_ranges of $# files are what reading every byte returns" "${ranges[*]}" "" || true
    is "$name: n and k of each damaged file" "${counts[*]}" "" || true
    is_j "$name: n and holes, k, R in blocks" "$name" \
        '.blocks | [.total + .holes, .failed, .recoverable + .failed - .total]' "[$n,$k,0]"
    is_j "$name: in bytes" "$name" \
        '.bytes | [.total + .holes, .failed, .recoverable + .failed - .total]' "[$bytes,$lost_bytes,0]"
    is_j "$name: damaged and unreadable files" "$name" '.files.damaged + .files.unreadable' "$damaged"
}

# put_file NAME BYTES: random bytes, to $ORIG and by $W (or $M) to the volume.
put_file() {
    mkdir -p "$(dirname "$ORIG/$1")" "$(dirname "${W:-$M}/$1")"
    noise "$2" >"$ORIG/$1"
    must cp "$ORIG/$1" "${W:-$M}/$1"
}

# add_to NAME BYTES: at the end of a file.
add_to() {
    noise "$2" >"$T/more"
    cat "$T/more" >>"$ORIG/$1"
    must dd if="$T/more" of="${W:-$M}/$1" bs=128K oflag=append conv=notrunc,fsync status=none
}

# members_of NAME EXTENT: names of the bricks of that extent (-1: the last)
members_of() {
    "$ALLOT" layout "$M/$1" --json | jq -rc "[.extents[$2].members[].name] | sort | join(\" \")"
}

# write-behind would answer close() before allot has settled the size; if the
# client goes at that moment the size is not recorded, and not exact when a
# brick is down. Here it must be.
# shellcheck disable=SC2034
OPTIONS_ALL=(--option 'c*:ping-timeout=5' --option write-behind:flush-behind=off)

# report_ranges_hold NAME FILE...: as report_holds, only the ranges.
report_ranges_hold() {
    local name=$1 f lost told bad=()
    shift
    for f in "$@"; do
        lost=$(lost_of "$f") || bad+=("$f: $(head -3 "$T/pages.err")")
        told=$(j "$name" '[.damaged_files[] | select(.path == $p or .path == $q)] | if length > 1 then "twice" else .[0].lost_ranges // [] end' --arg p "$f" --arg q "${OTHER_NAME[$f]:-$f}")
        [ "$lost" = "$told" ] || bad+=("$f: reported $told" "$f: read     $lost")
    done
    is "$name: lost_ranges of $# files are what reading every byte returns" "${bad[*]}" ""
}
