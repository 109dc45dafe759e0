#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 60
# ./dev bench runs, in a small form that measures nothing: some works of each
# kind, its table, its document, the comparison with an earlier one, and what it
# says to bad arguments.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

export ALLOT_BUILD=$BUILD ALLOT_NO_DEPS=1
run() { bounded 300 "$TOP/bench/run" "$@" 2>>"$T/err"; }

j() { jq -r "$1" "$T/one.json"; }

# Links whose maker has ended. Other tests on this machine have links, too.
orphans() {
    local pid
    for pid in $(ip -o link | sed -n 's/.* al\([0-9]*\)-[0-9]*@.*/\1/p' | sort -u); do
        [ -d "/proc/$pid" ] || echo "$pid"
    done
}
orphans >"$T/orphans"

undescribed() {
    local w
    for w in $("$TOP/bench/run" --list); do
        case $w in
        links[48]) ;; # "links2 to links12"
        *) grep -q "\`$w\`" "$TOP/bench/README.md" || echo "$w" ;;
        esac
    done
}
is "every work is described" "$(undescribed)" ""
ok "some works" run --quick --json "$T/one.json" stream unlink costs space mapping links2 || note "$(tail -20 "$T/err")"
is "version" "$(j '.version')" 1
is "it says that it measured nothing" "$(j '.quick')" true
is "the works are there" "$(j '[.table[].work] | unique | join(" ")')" "costs links2 mapping space stream unlink"
is "both directions of a stream" "$(j '[.table[] | select(.work == "stream") | .metric] | join(" ")')" "read_MiB_s write_MiB_s"
value() { # value VARIANT: of the stream's read
    j ".runs[] | select(.work == \"stream\" and .metric == \"read_MiB_s\" and .variant == \"$1\") | .value"
}
is "a ratio is allot's value by the other's" \
    "$(j '.table[] | select(.work == "stream" and .metric == "read_MiB_s") | .median * 1000 | round')" \
    "$(jq -n "$(value allot) / $(value distribute) * 1000 | round")"
ok "all values with a ratio are positive" jq -e 'all(.runs[] | select(.plain | not); .value > 0)' "$T/one.json"
is "figures have none" "$(j '[.figures[].metric] - ([.figures[].metric] - [.table[].metric]) | length')" 0
is "what the machine did, for a stream over links and for plain TCP" \
    "$(j '[.figures[] | select(.work == "links2" and .metric == "write_idle_share") | .variant] | join(" ")')" "allot each tcp"
# One call for the namespace's part, one for each GiB: of 1 and of 10.
is "zerofill: calls do not grow with blocks" \
    "$(j '[.figures[] | select(.variant == "allot" and (.metric | test("^zerofill_calls"))) | .median] | join(" ")')" "11 2"
is "the marks are there" "$(j '.table[] | select(.work == "stream" and .metric == "write_MiB_s") | .mark')" 1
run --quick --json "$T/two.json" --against "$T/one.json" mapping >"$T/table"
ok "the table compares" grep -qE '^work .* before *$' "$T/table"
is "a line for each" "$(grep -c '^mapping ' "$T/table")" 3
# The check fetches no packages of others.
ok "peers that cannot be had" env BENCH_PEERS="$T/none" bash -c '"$@" 2>"$0"' "$T/peers.err" \
    "$TOP/bench/run" --quick --json "$T/peers.json" peers_capacity || note "$(tail -20 "$T/peers.err")"
ok "it says so" grep -q "no moosefs, the rest goes on: its packages cannot be had (ALLOT_NO_DEPS is set)" "$T/peers.err"
is "and goes on" "$(jq -r '[.table[] | .against] | join(" ")' "$T/peers.json")" distribute
run --quick nothing
ok "an unknown work is named" grep -q "no work nothing" "$T/err"
nok "a document that is none" run --against /etc/passwd mapping
nok "no rounds" run --rounds none mapping
is "no link is left" "$(orphans | grep -vxFf "$T/orphans")" ""
done_testing
