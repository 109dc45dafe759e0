#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 60
# The page of `allot report --html` in headless Chromium: it is drawn in light
# and dark, and at phone width nothing sticks out. Screenshots are kept with the
# logs, for eyes. Chromium is not in ./dev's list: it is large, and only this
# test wants it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ALLOT=allot
[ "$BUILD" = installed ] || ALLOT=$BUILD/allot
if ! command -v chromium >/dev/null; then
    skip "the page in a browser" "no chromium; apt-get install chromium"
    echo "1..$TESTS"
    exit
fi

browser() { # browser ARG...
    timeout 60 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars \
        --user-data-dir="$T/profile" "$@" 2>/dev/null
}

bricks_dirs 4
volume_make net-4 --block-size 64KB --option 'c*:ping-timeout=5'
volume_start
must_mount m
for i in 1 2 3 4 5 6; do
    noise $((i * 700000)) | must dd of="$M/a-file-with-a-rather-long-name-that-a-phone-has-to-break-$i" bs=1M 2>/dev/null
done
must brick_kill 3
down() {
    "$ALLOT" status "$M" --json | jq -e '.bricks[3].state == "down"'
}
ok "a brick is down" expect_within 30 down
"$ALLOT" report "$M" --html "$T/page.html"

for look in light dark; do
    dark=()
    [ $look = light ] || dark=(--force-dark-mode --blink-settings=preferredColorScheme=0)
    for size in 1200,900 390,844; do
        out=$LOG/page-$look-${size%,*}.png
        browser "${dark[@]}" --window-size=$size --screenshot="$out" "file://$T/page.html" >/dev/null
        ok "$look, $size: it is drawn" test -s "$out"
    done
done
# The page itself must not be wider than the phone: tables scroll in themselves.
sed 's|</body>|<p id=w></p><script>document.title="WIDTH "+document.documentElement.scrollWidth+" "+document.querySelectorAll(".bar i").length</script></body>|' \
    "$T/page.html" >"$T/measured.html"
title=$(browser --window-size=500,844 --dump-dom "file://$T/measured.html" | grep -oE 'WIDTH [0-9]+ [0-9]+' | tail -1)
note "$title"
read -r _ width bars <<<"$title"
ok "at a narrow width nothing sticks out" test "${width:-9999}" -le 500
ok "there are bars" test "${bars:-0}" -ge 20
done_testing
