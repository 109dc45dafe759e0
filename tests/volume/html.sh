#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 40
# The page of `allot report --html` in headless Chromium: light and dark as the
# reader has it, nothing sticks out at the width of a telephone, and the map of
# each damaged file has the blocks where `allot layout` has them. The same of
# volumes of replicate and of disperse sets whose bricks are down. Screenshots
# are kept with the logs, for eyes.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ALLOT=allot
[ "$BUILD" = installed ] || ALLOT=$BUILD/allot
CHROMIUM=$(command -v chromium-headless-shell || command -v chromium)
if [ -z "$CHROMIUM" ]; then
    skip "the page in a browser" "no chromium; apt-get install chromium-headless-shell"
    echo "1..$TESTS"
    exit
fi

browser() { # browser ARG...
    timeout 60 "$CHROMIUM" --headless --no-sandbox --disable-gpu --hide-scrollbars \
        --user-data-dir="$T/profile" "$@" 2>/dev/null
}
LIGHT=()
DARK=(--force-dark-mode --blink-settings=preferredColorScheme=0)

drawn() { # drawn NAME: $T/page.html, in each look and width
    local look size flags out
    for look in light dark; do
        flags=("${LIGHT[@]}")
        [ $look = light ] || flags=("${DARK[@]}")
        for size in 1200,1600 390,1600; do
            out=$LOG/$1-$look-${size%,*}.png
            browser "${flags[@]}" --window-size=$size --screenshot="$out" "file://$T/page.html" >/dev/null
            ok "$1, $look, $size: it is drawn" test -s "$out"
        done
    done
}

bricks_dirs 4
volume_make net-4 --block-size 64KB --option 'c*:ping-timeout=5' --option allot:volume-name=shop
volume_start
must_mount m
mkdir "$M/d"
for i in 1 2 3 4 5 6; do
    noise $((i * 700000)) | must dd of="$M/d/a-file-with-a-rather-long-name-that-a-phone-has-to-break-$i" bs=1M 2>/dev/null
done
# More ranges fail of it than a bar has columns.
must truncate -s 200M "$M/long"
noise 65536 | must dd of="$M/long" bs=65536 seek=3199 conv=notrunc status=none
must brick_kill 3
down() {
    "$ALLOT" status "$M" --json | jq -e '.bricks[3].state == "down"'
}
ok "a brick is down" expect_within 30 down
is "the page is made" "$(rc=0; "$ALLOT" report "$M" --html "$T/page.html" || rc=$?; echo $rc)" 1

# What the browser has made of it, told by a script in a copy: widths, the colour
# behind the text, the table of bricks, the cells, the rows of the maps.
measured() { # measured PAGE: into $T/measured.html
    cat "$1" - <<'JS' >"$T/measured.html"
<script>
document.title = JSON.stringify({
    width: document.documentElement.scrollWidth,
    window: innerWidth,
    dark: matchMedia("(prefers-color-scheme:dark)").matches,
    back: getComputedStyle(document.body).backgroundColor,
    text: getComputedStyle(document.body).color,
    bricks: [...document.querySelectorAll("table")[0].rows].slice(1).map(r =>
        [r.className, ...[...r.cells].slice(0, 3).map(c => c.textContent),
            r.querySelectorAll(".bar").length]),
    cells: [...document.querySelectorAll(".cells")].map(r =>
        [...r.children].map(c => c.className + (c.getBoundingClientRect().width > 2 ? "" : "?"))),
    maps: [...document.querySelectorAll("details")].map(d => [
        d.querySelector("summary").textContent,
        [...d.querySelectorAll("tr")].map(r => [
            r.querySelector("td").textContent,
            [...r.querySelectorAll("rect")].map(x => [x.getAttribute("class"),
                +x.getAttribute("x"), Math.round(+x.getAttribute("width") + 0.1)])])]),
    fill: getComputedStyle(document.querySelector("rect.gone") || document.body).fill,
})</script>
JS
}
measured "$T/page.html"
measure() { # measure FILE ARG...: into $T/FILE.json
    local to=$T/$1.json
    shift
    browser "$@" --dump-dom "file://$T/measured.html" |
        python3 -c 'import html, re, sys
print(html.unescape(re.search(r"<title>(.*?)</title>", sys.stdin.read(), re.S).group(1)))' >"$to"
}
measure light "${LIGHT[@]}" --window-size=1200,900
measure dark "${DARK[@]}" --window-size=390,844
j() { # j FILE FILTER
    jq -rc "$2" "$T/$1.json"
}
note "$(j dark '{width, window, dark, back, text, fill}')"
is "light: dark text on white" "$(j light '[.dark, .back, .text]')" '[false,"rgb(255, 255, 255)","rgb(27, 31, 36)"]'
is "dark: light text on black" "$(j dark '[.dark, .back, .text]')" '[true,"rgb(20, 23, 26)","rgb(230, 233, 236)"]'
nok "the colours of the map differ" test "$(j light .fill)" = "$(j dark .fill)"
ok "at the width of a telephone ($(j dark .window)) nothing sticks out" test "$(j dark .width)" -le "$(j dark .window)"
ok "that is narrow" test "$(j dark .window)" -le 500

is "each brick has its row and its bar" "$(j light .bricks)" \
    "$("$ALLOT" status "$M" --json | jq -c '[.bricks[] | ["", .name, .host + ":" + .path, .state, 1]]')"
# The map of the volume: a row for each brick, all cells of c3 are away.
is "four rows of cells" "$(j light '.cells | length')" 4
is "the cells of c3 are away, those of the others can be read" "$(j light '[.cells[] | unique] | unique')" '[["gone"],["ok"]]'
"$ALLOT" report "$M" --json >"$T/report.json"
cells() { # cells REPORT: so many for each brick, 50 at the most
    jq -c '[.bricks[].blocks.total] | max as $most | (($most + 49) / 50 | floor) as $cell | map((. + $cell - 1) / $cell | floor)' "$1"
}
is "as many as the report's blocks" "$(j light '[.cells[] | length]')" "$(cells "$T/report.json")"

# The map of each damaged file against its layout.
is "a map of each damaged file" "$(j light '[.maps[][0]] | sort')" \
    "$(jq -c '[.damaged_files[].path] | sort' "$T/report.json")"
for i in 1 4 6; do
    f=d/a-file-with-a-rather-long-name-that-a-phone-has-to-break-$i
    "$ALLOT" layout "$M/$f" --json --blocks >"$T/layout.json"
    is "the map of file $i has its blocks where the layout has them" \
        "$(jq -c --arg f $f '[.maps[] | select(.[0] == $f)[1][] | .[0] as $b | .[1][] |
            .[0] as $c | range(.[1]; .[1] + .[2]) | [., $b, $c]] | sort' "$T/light.json")" \
        "$(jq -c '[.blocks[] | [.[0] / 65536, .[2]] | . + [if .[1] == "c3" then "gone" else "ok" end]] | sort' "$T/layout.json")"
done

drawn page

# ---- where each file failed ---------------------------------------------------

# Blocks of one file are lost on c2, beside those that return with c3.
mixed=d/a-file-with-a-rather-long-name-that-a-phone-has-to-break-5
gfid=$("$ALLOT" layout "$M/$mixed" --json | jq -r .gfid)
portions_lose 2 -name "$gfid.*"
is "the page is made again" "$(rc=0; "$ALLOT" report "$M" --html "$T/page.html" || rc=$?; echo $rc)" 1
"$ALLOT" report "$M" --json >"$T/report.json"
ok "a file has blocks that are lost, and blocks that return" jq -e --arg f $mixed \
    '.damaged_files[] | select(.path == $f) | .bytes.lost > 0 and .bytes.unavailable > 0' "$T/report.json"
is "the long one has many ranges" \
    "$(jq '.damaged_files[] | select(.path == "long").lost_ranges | length > 700' "$T/report.json")" true
# where PAGE REPORT: of each file the part of its bar in each colour against its
# bytes, for all of it and for its last tenth.
where() {
    python3 - "$1" "$2" <<'PY'
import json, sys
from html.parser import HTMLParser
bars, path = {}, None
class Bars(HTMLParser):
    cell = inside = None
    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "td":
            self.cell = attrs.get("class")
        elif tag == "svg":
            self.inside = attrs.get("class") == "where"
            if self.inside:
                bars[path] = []
        elif tag == "rect" and self.inside:
            x, y, w, h = (int(attrs[k]) for k in ("x", "y", "width", "height"))
            assert 0 <= x and x + w <= 500 and 0 <= y and y + h <= 100, attrs
            bars[path].append((attrs["class"], x, x + w, h))
    def handle_data(self, data):
        global path
        if self.cell == "path":
            path = data
Bars().feed(open(sys.argv[1], encoding="utf-8").read())
for f in json.load(open(sys.argv[2]))["damaged_files"]:
    back = f.get("unavailable_ranges", f["lost_ranges"] if not f["bytes"]["lost"] else [])
    within = lambda ranges, a, b: sum(max(0, min(b, e) - max(a, s)) for s, e in ranges)
    for first in (0, 450):
        a, b = f["size"] * first // 500, f["size"]
        drawn = {"gone": 0, "lost": 0}
        for kind, start, end, height in bars[f["path"]]:
            drawn[kind] += max(0, end - max(start, first)) * height / 100
        gone = within(back, a, b)
        for kind, real in (("gone", gone), ("lost", within(f["lost_ranges"], a, b) - gone)):
            got, want = drawn[kind] / (500 - first), real / (b - a)
            assert abs(got - want) < 0.04, (f["path"], first, kind, got, want)
    assert within(back, 0, f["size"]) == f["bytes"]["unavailable"], f["path"]
print(len(bars))
PY
}
is "each file's bar is as its bytes, in every colour, to its end" "$(where "$T/page.html" "$T/report.json")" 7
# The mapfile of the same file: from 0 to its end, and each kind as the report has it.
"$ALLOT" mapfile "$M/$mixed" >"$T/map" 2>"$T/map.err"
is "mapfile: without a gap, each kind as much as the report says" \
    "$(python3 -c '
import sys
at, kinds = 0, {"+": 0, "*": 0, "-": 0}
rows = [line.split() for line in open(sys.argv[1]) if not line.startswith("#")][1:]
for start, length, kind in rows:
    assert int(start, 16) == at, start
    at += int(length, 16)
    kinds[kind] += int(length, 16)
print(at, kinds["+"], kinds["*"], kinds["-"])' "$T/map")" \
    "$(jq -r --arg f $mixed '.damaged_files[] | select(.path == $f) |
        "\(.size) \(.bytes.recoverable) \(.bytes.unavailable) \(.bytes.lost)"' "$T/report.json")"
is "it is exact: nothing else is said" "$(cat "$T/map.err")" ""

# ---- volumes of sets ----------------------------------------------------------

# stop_volume MOUNT
stop_volume() {
    local i
    must umount_volume "$1"
    for ((i = 0; i < NBRICKS; i++)); do
        must brick_kill "$i"
    done
}
# sets NAME: of s0 one brick is down, of s1 so many that nothing on it can be read.
sets() {
    local i
    sets_mount "$1"
    status_soon '.state == "UP" and .active' || bail "$1: no sets"
    # Names are on either set, by chance: of these some are on s0.
    for i in {1..16}; do
        noise $((i * 150000)) | must dd of="$M/file-$i" bs=1M status=none
    done
    for i in 1 3 4; do
        must brick_kill $i
    done
    ok "$1: bricks are down" status_soon \
        'set("s0").degraded and set("s0").state == "up" and set("s1").state == "down"'
    is "$1: the page is made" "$(rc=0; "$ALLOT" report "$M" --html "$T/page.html" || rc=$?; echo $rc)" 1
    "$ALLOT" report "$M" --json >"$T/report.json"
    measured "$T/page.html"
    measure "$1-light" "${LIGHT[@]}" --window-size=1200,900
    measure "$1-dark" "${DARK[@]}" --window-size=390,844
    note "$(j "$1-light" .bricks)"
    is "$1: each set has its row and its bar, below it each of its bricks how it is" "$(j "$1-light" .bricks)" \
        "$(jq -c '[.bricks[] | ["", .name, "", .state + (if .degraded then ", degraded" else "" end), 1],
            (.leaves[] | ["leaf", .name, .host + ":" + .path, .state, 0])]' "$T/status.json")"
    is "$1: three are down" "$(j "$1-light" '[.bricks[] | select(.[0] == "leaf" and .[3] == "down")[1]]')" '["c1","c3","c4"]'
    is "$1: the map of the volume has the sets: what is on s1 is away" \
        "$(j "$1-light" '[.cells[] | unique]')" '[["ok"],["gone"]]'
    is "$1: as many cells as the report's blocks" "$(j "$1-light" '[.cells[] | length]')" "$(cells "$T/report.json")"
    ok "$1: there are damaged files" jq -e '.files.damaged > 0' "$T/report.json"
    is "$1: a map of each" "$(j "$1-light" '[.maps[][0]] | sort')" "$(jq -c '[.damaged_files[].path] | sort' "$T/report.json")"
    is "$1: its rows are sets, s0 can be read and s1 not" \
        "$(j "$1-light" '[.maps[][1][] | select(.[0] != "base file") | [.[0], (.[1][] | .[0])]] | map(unique) | unique')" \
        '[["gone","s1"],["ok","s0"]]'
    is "$1: each file's bar is as its bytes" "$(where "$T/page.html" "$T/report.json")" \
        "$(jq '.damaged_files | length' "$T/report.json")"
    is "$1: dark, and as narrow as a telephone: nothing sticks out" \
        "$(j "$1-dark" '[.dark, .width <= .window, .window <= 500]')" '[true,true,true]'
    drawn "$1"
}
# shellcheck source=sets-lib.sh
. "$(dirname "$0")/sets-lib.sh"
stop_volume m
for kind in rep disperse; do
    bricks_dirs_empty 6
    volume_make net-$kind-6 --block-size 64KB --option 'c*:ping-timeout=5'
    volume_start
    sets $kind
    [ $kind = disperse ] || stop_volume $kind
done
done_testing
