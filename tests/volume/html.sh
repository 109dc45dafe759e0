#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 30
# The page of `allot report --html` in headless Chromium: light and dark as the
# reader has it, nothing sticks out at the width of a telephone, and the map of
# each damaged file has the blocks where `allot layout` has them. Screenshots are
# kept with the logs, for eyes.
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

bricks_dirs 4
volume_make net-4 --block-size 64KB --option 'c*:ping-timeout=5' --option allot:volume-name=shop
volume_start
must_mount m
mkdir "$M/d"
for i in 1 2 3 4 5 6; do
    noise $((i * 700000)) | must dd of="$M/d/a-file-with-a-rather-long-name-that-a-phone-has-to-break-$i" bs=1M 2>/dev/null
done
must brick_kill 3
down() {
    "$ALLOT" status "$M" --json | jq -e '.bricks[3].state == "down"'
}
ok "a brick is down" expect_within 30 down
is "the page is made" "$(rc=0; "$ALLOT" report "$M" --html "$T/page.html" || rc=$?; echo $rc)" 1

# What the browser has made of it, told by a script in a copy: widths, the colour
# behind the text, the cells, the rows of the maps.
{
    cat "$T/page.html"
    cat <<'JS'
<script>
document.title = JSON.stringify({
    width: document.documentElement.scrollWidth,
    window: innerWidth,
    dark: matchMedia("(prefers-color-scheme:dark)").matches,
    back: getComputedStyle(document.body).backgroundColor,
    text: getComputedStyle(document.body).color,
    cells: [...document.querySelectorAll(".cells")].map(r =>
        [...r.children].map(c => c.className + (c.getBoundingClientRect().width > 2 ? "" : "?"))),
    maps: [...document.querySelectorAll("details")].map(d => [
        d.querySelector("summary").textContent,
        [...d.querySelectorAll("tr")].map(r => [
            r.querySelector("td").textContent,
            [...r.querySelectorAll("rect")].map(x => [x.getAttribute("class"),
                +x.getAttribute("x"), Math.round(+x.getAttribute("width") + 0.1)])])]),
    fill: getComputedStyle(document.querySelector("rect.gone")).fill,
})</script>
JS
} >"$T/measured.html"
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

# The map of the volume: a row for each brick, all cells of c3 are away.
is "four rows of cells" "$(j light '.cells | length')" 4
is "the cells of c3 are away, those of the others can be read" "$(j light '[.cells[] | unique] | unique')" '[["gone"],["ok"]]'
"$ALLOT" report "$M" --json >"$T/report.json"
is "as many as the report's blocks" "$(j light '[.cells[] | length]')" \
    "$(jq -c '[.bricks[].blocks.total] | max as $most | (($most + 49) / 50 | floor) as $cell | map((. + $cell - 1) / $cell | floor)' "$T/report.json")"

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

for look in light dark; do
    flags=("${LIGHT[@]}")
    [ $look = light ] || flags=("${DARK[@]}")
    for size in 1200,1600 390,1600; do
        out=$LOG/page-$look-${size%,*}.png
        browser "${flags[@]}" --window-size=$size --screenshot="$out" "file://$T/page.html" >/dev/null
        ok "$look, $size: it is drawn" test -s "$out"
    done
done
done_testing
