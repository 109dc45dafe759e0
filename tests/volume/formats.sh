#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 35
# What `allot` prints for other programs, with all bricks up and with one down:
# JSON against its schema, XML through xmllint, Prometheus's format line by
# line, HTML through a parser, a ddrescue mapfile against the report; files that
# are written in whole or not at all; bad input; man page and completion.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ALLOT=allot
[ "$BUILD" = installed ] || ALLOT=$BUILD/allot

exit_of() { # exit_of CMD...: its exit status; stderr in $T/err
    local rc=0
    bounded 60 "$@" >"$T/out" 2>"$T/err" || rc=$?
    echo $rc
}

valid_json() { # valid_json SCHEMA FILE
    python3 - "$TOP/docs/schema/$1.json" "$2" <<'PY'
import json, sys
import jsonschema
jsonschema.validate(json.load(open(sys.argv[2])), json.load(open(sys.argv[1])))
PY
}

valid_prometheus() { # valid_prometheus FILE
    python3 - "$1" <<'PY'
import re, sys
name = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
label = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
sample = re.compile(r"(%s)\{(%s(?:,%s)*)\} (-?[0-9.e+-]+|NaN|[+-]Inf)$" % (name, label, label))
typed, current, seen = {}, None, set()
lines = open(sys.argv[1]).read().split("\n")
assert lines.pop() == "", "no newline at the end"
for line in lines:
    if line.startswith("# HELP "):
        assert len(line.split(" ", 3)) == 4, line
    elif line.startswith("# TYPE "):
        _, _, current, kind = line.split(" ")
        assert current not in typed, "twice: " + current
        assert kind in ("gauge", "counter"), line
        # As promtool has it, but for two names that were given (docs/json.md).
        given = current in ("gluster_allot_blocks_total", "gluster_allot_brick_blocks_total")
        assert (kind == "counter") == (current.endswith("_total") and not given), line
        typed[current] = kind
    else:
        m = sample.match(line)
        assert m, "no sample: " + line
        assert m.group(1) == current, "outside of its group: " + line
        assert m.group(1).startswith("gluster_allot_"), line
        assert 'volume="shop"' in m.group(2), "not the volume's name: " + line
        key = m.group(1, 2)
        assert key not in seen, "twice: " + line
        seen.add(key)
        float(m.group(3))
assert len(seen) > 20
PY
}

valid_html() { # valid_html FILE: tags that close, nothing from elsewhere
    python3 - "$1" <<'PY'
import sys
from html.parser import HTMLParser
text = open(sys.argv[1], encoding="utf-8").read()
assert text.startswith("<!DOCTYPE html>")
for word in ("http:", "https:", "src=", "<script", "@import", "url("):
    assert word not in text, word
for word in ("prefers-color-scheme:dark", "width=device-width", "overflow-x:auto"):
    assert word in text, word
class Check(HTMLParser):
    stack, optional = [], {"p", "td", "th", "tr", "li"}
    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br") and tag not in self.optional:
            self.stack.append(tag)
    def handle_endtag(self, tag):
        if tag not in self.optional:
            assert self.stack and self.stack.pop() == tag, "stray </%s>" % tag
check = Check()
check.feed(text)
assert not check.stack, check.stack
PY
}

brick_samples() { # brick_samples FILE: {BRICK: [total, failed]}; nothing if a label lacks
    python3 - "$1" <<'PY'
import json, re, sys
bricks = {}
for line in open(sys.argv[1]):
    m = re.match(r"gluster_allot_brick_(\w+)\{(.*)\} (.*)", line)
    if m:
        labels = dict(re.findall(r'(\w+)="([^"]*)"', m.group(2)))
        assert set(labels) == {"volume", "brick", "host"} and all(labels.values()), line
        bricks.setdefault(labels["brick"], {})[m.group(1)] = int(m.group(3))
print(json.dumps({b: [v["blocks_total"], v["blocks_failed"]] for b, v in bricks.items()}, separators=(",", ":")))
PY
}

same_text() { # same_text TEXT JSON: the sums of a report for people
    python3 - "$1" "$2" <<'PY'
import json, re, sys
text, doc = open(sys.argv[1], errors="replace").read(), json.load(open(sys.argv[2]))
keys = ["total", "recoverable", "failed", "unavailable", "lost", "holes"]
head = re.search(r"^ *TOTAL.*$", text, re.M).group(0).split()
assert [h.lower() for h in head] == keys, head
row = re.search(r"^blocks +(.*)$", text, re.M).group(1).split()
assert [int(n) for n in row] == [doc["blocks"][k] for k in keys], row
units = {"B": 0, "KiB": 10, "MiB": 20, "GiB": 30}
row = re.search(r"^bytes +(.*)$", text, re.M).group(1)
sizes = re.findall(r"([0-9.]+) ([KMG]?i?B)", row)
assert len(sizes) == 6, row
for (number, unit), key in zip(sizes, keys):
    step = 1 << units[unit]
    room = 0 if unit == "B" else step * (0.051 if "." in number else 0.51)
    assert abs(float(number) * step - doc["bytes"][key]) <= room, (row, key)
files = re.search(r"^files: (\d+) in all, (\d+) intact, (\d+) damaged, (\d+) unreadable$", text, re.M)
assert [int(n) for n in files.groups()] == [doc["files"][k] for k in ("total", "intact", "damaged", "unreadable")]
PY
}

same_xml() { # same_xml XML JSON: each key and each value of a report, none more
    python3 - "$1" "$2" <<'PY'
import json, re, sys
import xml.etree.ElementTree as tree
one = {"damaged_files": "file", "inexact_because": "reason", "lost_ranges": "range", "range": "item",
       "unavailable_ranges": "range", "bricks": "brick", "workers": "worker"}
def same(node, value, path):
    if isinstance(value, dict):
        assert sorted(c.tag for c in node) == sorted(value), (path, [c.tag for c in node], sorted(value))
        for child in node:
            same(child, value[child.tag], path + "/" + child.tag)
    elif isinstance(value, list):
        assert [c.tag for c in node] == len(value) * [one[node.tag]], (path, [c.tag for c in node])
        for child, member in zip(node, value):
            same(child, member, path + "/" + child.tag)
    elif isinstance(value, bool):
        assert node.text == str(int(value)), (path, node.text, value)
    elif isinstance(value, (int, float)):
        assert float(node.text) == value, (path, node.text, value)
    else:
        # What XML cannot say is shown as question marks.
        want = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", "?", value or "").replace("\ufffe", "???").replace("\uffff", "???")
        assert (node.text or "") == want, (path, node.text, value)
report = tree.parse(sys.argv[1]).getroot()
assert [c.tag for c in report] == ["opRet", "opErrno", "opErrstr", "allotReport"]
same(report.find("allotReport"), json.load(open(sys.argv[2])), "")
PY
}

virtual() { # virtual KEY PATH: glusterfs.allot.KEY of it, in $T/out
    getfattr --absolute-names --only-values -n "glusterfs.allot.$1" "$2" >"$T/out"
}

# failed_xml DESC ERRNO ARG...: exit status 2, and gluster's XML of a failure.
failed_xml() {
    local desc=$1 number=$2
    shift 2
    is "$desc: exit status" "$(exit_of "$ALLOT" "$@" --xml)" 2
    ok "$desc: it is XML" xmllint --noout "$T/out"
    is "$desc: opRet and opErrno" \
        "$(xmllint --xpath 'concat(/cliOutput/opRet, " ", /cliOutput/opErrno, " ", count(/cliOutput/*))' "$T/out")" \
        "-1 $number 3"
    is "$desc: opErrstr is the line of standard error" \
        "allot: $(xmllint --xpath 'string(/cliOutput/opErrstr)' "$T/out")" "$(cat "$T/err")"
}

all_formats() { # all_formats WHEN STATUS
    local when=$1 rc=$2
    is "$when: status --json" "$(exit_of "$ALLOT" status "$M" --json)" "$rc"
    ok "$when: it is as its schema says" valid_json status "$T/out"
    is "$when: report --json" "$(exit_of "$ALLOT" report "$M" --json)" "$rc"
    ok "$when: it is as its schema says" valid_json report "$T/out"
    cp "$T/out" "$T/report.json"
    is "$when: one worker's report" "$(exit_of "$ALLOT" report "$M" --workers 1 --json)" "$rc"
    cp "$T/out" "$T/report-1.json"
    is "$when: status --xml" "$(exit_of "$ALLOT" status "$M" --xml)" "$rc"
    ok "$when: it is XML" xmllint --noout "$T/out"
    is "$when: with the bricks" \
        "$(xmllint --xpath 'count(/cliOutput/allotStatus/bricks/brick)' "$T/out")" 4
    is "$when: report --xml" "$(exit_of "$ALLOT" report "$M" --xml)" "$rc"
    ok "$when: it is XML" xmllint --noout "$T/out"
    is "$when: it succeeded" "$(xmllint --xpath 'concat(/cliOutput/opRet, " ", /cliOutput/opErrno, " ", /cliOutput/opErrstr)' "$T/out")" "0 0 "
    is "$when: the same of one worker" "$(exit_of "$ALLOT" report "$M" --workers 1 --xml)" "$rc"
    ok "$when: it says all of what JSON says, and nothing else" same_xml "$T/out" "$T/report-1.json"
    is "$when: it says what JSON says" \
        "$(xmllint --xpath 'concat(/cliOutput/allotReport/blocks/failed, " ", count(//damaged_files/file))' "$T/out")" \
        "$(jq -r '"\(.blocks.failed) \(.damaged_files | length)"' "$T/report.json")"
    is "$when: status --prometheus" "$(exit_of "$ALLOT" status "$M" --prometheus)" "$rc"
    ok "$when: every line is right" valid_prometheus "$T/out"
    is "$when: bricks that are up" \
        "$(grep -c '^gluster_allot_brick_up{.*} 1$' "$T/out")" $((4 - rc))
    is "$when: report --prometheus" "$(exit_of "$ALLOT" report "$M" --prometheus)" "$rc"
    ok "$when: every line is right" valid_prometheus "$T/out"
    is "$when: it says what JSON says" \
        "$(sed -n 's/^gluster_allot_blocks_failed{.*} //p' "$T/out")" "$(jq .blocks.failed "$T/report.json")"
    is "$when: of each brick, with all three labels" "$(brick_samples "$T/out")" \
        "$(jq -c '[.bricks[] | {key: .name, value: [.blocks.total, .blocks.failed]}] | from_entries' "$T/report.json")"
    is "$when: report as text" "$(exit_of "$ALLOT" report "$M")" "$rc"
    ok "$when: its table and its files are those of JSON" same_text "$T/out" "$T/report.json"
    is "$when: report --html" "$(exit_of "$ALLOT" report "$M" --html "$T/page.html")" "$rc"
    ok "$when: it is one page" valid_html "$T/page.html"
    is "$when: nothing went to standard output" "$(wc -c <"$T/out")" 0
    is "$when: layout --json" "$(exit_of "$ALLOT" layout "$M/plain" --json --blocks)" 0
    ok "$when: it is as its schema says" valid_json layout "$T/out"
    is "$when: ok-to-stop --json" "$(exit_of "$ALLOT" ok-to-stop c2 "$M" --json)" 1
    ok "$when: it is as its schema says" valid_json ok-to-stop "$T/out"
    cp "$T/out" "$T/stop.json"
    is "$when: ok-to-stop of each" "$(exit_of "$ALLOT" ok-to-stop "$M" --json)" 1
    ok "$when: it is as its schema says" valid_json ok-to-stop "$T/out"
    is "$when: ok-to-stop --xml" "$(exit_of "$ALLOT" ok-to-stop c2 "$M" --xml)" 1
    is "$when: it says what JSON says" \
        "$(xmllint --xpath 'concat(/cliOutput/opRet, " ", /cliOutput/allotOkToStop/blocks, " ", count(//because/reason))' "$T/out")" \
        "$(jq -r '"0 \(.blocks) \(.because | length)"' "$T/stop.json")"
    virtual map "$M/plain"
    ok "$when: the map is as its schema says" valid_json map "$T/out"
    virtual children "$M"
    ok "$when: the list of a directory is" valid_json children "$T/out"
    is "$when: of five spread files, an empty one and a directory" \
        "$(jq -c '[.entries[] | if .[1] == 4 then "dir" elif (.[2] | type) == "object" or length > 5 then "spread" else "plain" end] | sort' "$T/out")" \
        '["dir","plain","spread","spread","spread","spread","spread"]'
}

bricks_dirs 4
volume_make net-4 --block-size 64KB --option 'c*:ping-timeout=5' --option allot:volume-name=shop
volume_start
must_mount m
noise 1000000 >"$T/noise"
must cp "$T/noise" "$M/plain"
must cp "$T/noise" "$M/<b>&\"x'"
must cp "$T/noise" "$M/$(printf 'tab\there\001')"
must cp "$T/noise" "$M/$(printf 'latin-\xe9')"
must cp "$T/noise" "$M/$(printf 'none-\xef\xbf\xbe\xef\xbf\xbf')" # U+FFFE, U+FFFF
must mkdir "$M/dir"
must touch "$M/empty"

all_formats "all up" 0
is "the bricks did the work" "$("$ALLOT" status "$M" --json |
    jq '[.bricks[].bytes_written] | add >= 4000000')" true

# ---- the map: the work of counting words, done where the words are -----------

# Words of nine bytes, so that many cross the border of a block.
seq -f 'word%04.0f' 1 100000 >"$T/words"
must cp "$T/words" "$M/words"
map_ranges() { # map_ranges FILE: "START END BRICK" lines
    local offset=0 doc
    while [ "$offset" != null ]; do
        doc=$(getfattr --absolute-names --only-values -n glusterfs.allot.map."$offset" "$1") || return 1
        jq -r '.ranges[] | "\(.start) \(.end) \(.brick)"' <<<"$doc"
        offset=$(jq .next <<<"$doc")
    done
}
# "Map" on the brick that holds the range: its portion has each byte where the
# file has it. A word belongs to the range that its first byte is in; what it
# lacks at the end is asked of the mount. "Reduce": add up.
gfid=$("$ALLOT" layout "$M/words" --json | jq -r .gfid)
total=0 places=0
while read -r start end brick; do
    portion=$(echo "${BRICK[${brick#c}]}/.allot/${gfid:0:2}/$gfid".*)
    n=$(tail -c +$((start + 1)) "$portion" | head -c $((end - start)) | tr -cd '\n' | wc -c)
    total=$((total + n))
    places=$((places + 1))
done < <(map_ranges "$M/words")
is "every word is counted once, on the brick that has it" $total 100000
is "in as many places as the file has blocks" $places "$(("$(stat -c %s "$T/words")" / 65536 + 1))"
is "the map has hosts" "$(getfattr --absolute-names --only-values -n glusterfs.allot.map "$M/words" |
    jq -c '[.ranges[].host] | unique')" '["127.0.0.1"]'
nok "a bad offset is refused" getfattr -n glusterfs.allot.map.x "$M/words"
# A file of more ranges than one answer has: the pages together are its layout.
must truncate -s 40M "$M/long"
ok "a long file has several pages" test \
    "$(getfattr --absolute-names --only-values -n glusterfs.allot.map "$M/long" | jq .next)" -gt 0
ok "it has more than 256 blocks" test "$(map_ranges "$M/long" | wc -l)" -gt 256
is "joined they are what layout --blocks says, from 0 to its end" "$(map_ranges "$M/long")" \
    "$("$ALLOT" layout "$M/long" --json --blocks | jq -r '.blocks[] | "\(.[0]) \(.[1]) \(.[2])"')"
is "without a gap" "$(map_ranges "$M/long" | awk '$1 != at + 0 { bad++ } { at = $2 } END { print bad + 0, at }')" "0 41943040"
must rm "$M/long"
# The same with what programs know that read GlusterFS's own pathinfo, as Hadoop's
# old plugin for striped volumes: block i is on place i mod n. The places are
# those of the portions themselves.
pathinfo=$(getfattr --absolute-names --only-values -n trusted.glusterfs.pathinfo "$M/words")
note "$pathinfo"
is "pathinfo speaks of stripes" "$(sed -E 's/^(\(<STRIPE:[^:]*:\[[0-9]+\]>).*/\1/' <<<"$pathinfo")" "(<STRIPE:allot:[65536]>"
mapfile -t hosts < <(grep -oE '<POSIX\([^)]*\):[^:]*:[^>]*>' <<<"$pathinfo" | sed -E 's/.*\):([^:]*):.*/\1/')
mapfile -t files < <(grep -oE '<POSIX\([^)]*\):[^:]*:[^>]*>' <<<"$pathinfo" | sed -E 's/.*\):[^:]*:(.*)>/\1/')
is "each place has a host" "$(printf '%s\n' "${hosts[@]}" | sort -u)" "$(hostname)"
total=0 block=0
for ((start = 0; start < $(stat -c %s "$T/words"); start += 65536)); do
    n=$(tail -c +$((start + 1)) "${files[block % ${#files[@]}]}" | head -c 65536 | tr -cd '\n' | wc -c)
    total=$((total + n))
    block=$((block + 1))
done
is "every word is counted once, on the place of its block" $total 100000
is "the other name of it" "$(getfattr --absolute-names --only-values -n glusterfs.pathinfo "$M/words")" "$pathinfo"
touch "$M/not-spread"
ok "a file that is not spread has the namespace's" grep -q '<POSIX' <(
    getfattr --absolute-names --only-values -n trusted.glusterfs.pathinfo "$M/not-spread")
nok "which is no stripe" grep -q STRIPE <(
    getfattr --absolute-names --only-values -n trusted.glusterfs.pathinfo "$M/not-spread")
must rm "$M/words" "$M/not-spread"

# ---- watching ---------------------------------------------------------------

bounded 20 "$ALLOT" status "$M" --watch=1 2>/dev/null | grep -m2 '^max/mean' >"$T/watched"
is "--watch tells again, and ends when nobody reads" "$(wc -l <"$T/watched")" 2
for bad in 0 5x x -1 1.5 86401; do
    is "--watch=$bad is refused" "$(exit_of "$ALLOT" status "$M" --watch=$bad)" 2
done

# ---- with a brick down ------------------------------------------------------

must brick_kill 3
down() {
    "$ALLOT" status "$M" --json | jq -e '.bricks[3].state == "down"'
}
ok "a brick is down" expect_within 30 down
all_formats "one down" 1
ok "a name cannot break out of the page" grep -qF '&lt;b&gt;&amp;&quot;x' "$T/page.html"
is "--brick of the one that is down" \
    "$("$ALLOT" report "$M" --json --brick c3 | jq '.damaged_files | length')" 5
is "--brick of another one" "$("$ALLOT" report "$M" --json --brick c0 | jq '.damaged_files | length')" 0
is "--brick of none" "$(exit_of "$ALLOT" report "$M" --brick c9)" 2

ok "pathinfo: the place on a brick that is down cannot be reached" grep -qE '<UNREACHABLE:[0-9]+>' <(
    getfattr --absolute-names --only-values -n trusted.glusterfs.pathinfo "$M/plain")
is "the other three can" "$(getfattr --absolute-names --only-values -n trusted.glusterfs.pathinfo "$M/plain" |
    grep -o '<POSIX(' | wc -l)" 3

starred() { # the ranges that a mapfile in $T/out marks with *
    local pos len mark list=
    while read -r pos len mark; do
        [[ $pos == 0x* && $mark == "*" ]] && list+=",[$((pos)),$((pos + len))]"
    done <"$T/out"
    echo "${list#,}"
}

is "mapfile" "$(exit_of "$ALLOT" mapfile "$M/plain")" 1
is "its failed ranges are the report's" \
    "$(starred)" \
    "$(jq -r '.damaged_files[] | select(.path == "plain").lost_ranges | map("[\(.[0]),\(.[1])]") | join(",")' "$T/report.json")"

# ---- files: in whole or not at all ------------------------------------------

mkdir "$T/small"
must mount -t tmpfs -o size=16k none "$T/small"
undo mount "$T/small"
must dd if=/dev/zero of="$T/small/fill" bs=4096 count=3 2>/dev/null
echo before >"$T/small/report"
is "a full disk under the file" "$(exit_of "$ALLOT" report "$M" --html "$T/small/report")" 2
is "one sentence" "$(wc -l <"$T/err")" 1
is "what was there stays" "$(cat "$T/small/report")" before
is "and nothing else" "$(find "$T/small" -type f | wc -l)" 2
# The list of damaged files goes through a temporary one, whose disk is full.
for form in --json --xml; do
    said=$(
        trap '' XFSZ
        ulimit -f 0
        bounded 60 "$ALLOT" report "$M" $form 2>&1
        echo "exit status $?"
    )
    is "no room for temporary files, $form: one sentence, which says so" "$(grep '^allot: ' <<<"$said")" \
        "allot: cannot write the list of damaged files: File too large; see to more room where it goes, or in the directory for temporary files"
    is "no room for temporary files, $form: exit status" "${said##*$'\n'}" "exit status 2"
done
for form in --json --damaged; do
    is "--resume $form on a full disk" "$(exit_of "$ALLOT" report "$M" $form --limit 1 --resume "$T/small/state")" 2
    is "one sentence" "$(grep -c 'No space left' "$T/err") $(wc -l <"$T/err")" "1 1"
    is "and no part of it" "$(find "$T/small" -type f | wc -l)" 2
done
# An interrupted one whose end cannot be written is not begun anew. Text is so short
# that the disk is met when all has been said.
# (Of five files all may be in hand when the first is told.)
in_part() {
    rm -f "$T/kept"
    [ "$(exit_of "$ALLOT" report "$M" --limit 1 --resume "$T/kept")" = 3 ]
}
ok "a part of a report" expect_within 60 in_part
ok "is kept" test -s "$T/kept"
is "the rest, on a full disk" "$(exit_of "$ALLOT" report "$M" --output "$T/small/report" --resume "$T/kept")" 2
ok "what is known is kept" test -s "$T/kept"
is "the rest, to a full standard output" \
    "$(rc=0; "$ALLOT" report "$M" --resume "$T/kept" >/dev/full 2>/dev/null || rc=$?; echo $rc)" 2
ok "what is known is kept" test -s "$T/kept"
is "where there is room" "$(exit_of "$ALLOT" report "$M" --output "$T/rest" --resume "$T/kept")" 1
ok "it has all of it" same_text "$T/rest" "$T/report.json"
nok "then nothing is left" ls "$T/kept"
is "a directory that is not there" "$(exit_of "$ALLOT" status "$M" --json --output "$T/nowhere/x")" 2
is "one sentence" "$(wc -l <"$T/err")" 1
is "a report that fails" "$(exit_of "$ALLOT" report "$T" --json --output "$T/new")" 2
nok "leaves no file" ls "$T"/new*
is "--output" "$(exit_of "$ALLOT" report "$M" --json --output "$T/new")" 1
ok "has all of it" valid_json report "$T/new"

# What is there and is no regular file stays what it is.
mkfifo "$T/fifo"
mkdir "$T/other"
echo before >"$T/other/target"
ln -s other/target "$T/link"
ln -s nowhere/at-all "$T/dangling"
for name in fifo other dangling; do
    is "--output $name is refused" "$(exit_of "$ALLOT" status "$M" --json --output "$T/$name")" 2
    is "in one sentence" "$(grep -c "^allot: cannot write '$T/$name': it is " "$T/err") $(wc -l <"$T/err")" "1 1"
    is "and --html $name" "$(exit_of "$ALLOT" report "$M" --html "$T/$name")" 2
done
is "they are as before" "$(stat -c %F "$T/fifo" "$T/other" "$T/dangling" | tr '\n' ' ')" \
    "fifo directory symbolic link "
is "--output on a symbolic link" "$(exit_of "$ALLOT" report "$M" --json --output "$T/link")" 1
is "it is one still" "$(readlink "$T/link")" other/target
ok "its target has all of it" valid_json report "$T/other/target"
is "nothing is left beside them" "$(find "$T/other" "$T"/link* "$T"/fifo* | sort | tr '\n' ' ')" \
    "$T/fifo $T/link $T/other $T/other/target "
is "--html and --output are refused" "$(exit_of "$ALLOT" report "$M" --html "$T/one" --output "$T/two")" 2
is "in the other order, too" "$(exit_of "$ALLOT" report "$M" --output "$T/two" --html "$T/one")" 2
is "in one sentence" "$(wc -l <"$T/err")" 1
nok "and write neither" ls "$T/one" "$T/two"
is "--watch with --output is refused" "$(exit_of "$ALLOT" status "$M" --watch=1 --output "$T/new2")" 2
is "in one sentence" "$(wc -l <"$T/err")" 1
nok "and writes nothing" ls "$T"/new2*
is "--output --xml of a report that fails" "$(exit_of "$ALLOT" report "$M" --xml --output "$T/fifo")" 2
is "prints nothing" "$(wc -c <"$T/out")" 0
is "two formats at once are refused" "$(exit_of "$ALLOT" status "$M" --json --xml)" 2
is "standard output that is full" \
    "$(rc=0; "$ALLOT" report "$M" --json >/dev/full 2>/dev/null || rc=$?; echo $rc)" 2

# ---- files that come and go during the scan ---------------------------------

(while [ -d "$T/small" ] && [ ! -e "$T/stop" ]; do
    mkdir -p "$M/churn/d" && touch "$M/churn/d/a" "$M/churn/b"
    rm -rf "$M/churn"
done) 2>/dev/null &
churn=$!
bad=0
for _ in 1 2 3 4 5 6 7 8; do
    [ "$(exit_of "$ALLOT" report "$M" --json)" = 1 ] && valid_json report "$T/out" || bad=1
done
touch "$T/stop"
wait $churn
is "files that vanish during the scan do not disturb it" $bad 0

# ---- what does not exist ----------------------------------------------------

is "an unreachable host" "$(exit_of "$ALLOT" status 127.0.0.1:/nothing)" 2
is "one sentence" "$(wc -l <"$T/err")" 1
chmod 711 "$T"
as_nobody() { # as_nobody ARG...: refused in one sentence
    is "not root: $1 $2: exit status" \
        "$(exit_of setpriv --reuid 65534 --clear-groups "$ALLOT" "$@")" 2
    is "not root: $1 $2: one sentence" "$(wc -c <"$T/out") $(wc -l <"$T/err") $(grep -c 'as root' "$T/err")" "0 1 1"
}
as_nobody status "$M"
as_nobody report "$M"
as_nobody report "$M" --json
as_nobody layout "$M/plain"
as_nobody mapfile "$M/plain"
as_nobody ok-to-stop c0 "$M"
as_nobody brick set c0 draining "$M"
as_nobody brick adopt c3 "$M"
chmod 755 "$T"
is "a path outside" "$(exit_of "$ALLOT" report /proc)" 2
is "one sentence" "$(wc -l <"$T/err")" 1

failed_xml "status of nothing" 2 status "$T/none"
failed_xml "report of a file" 20 report "$T/report.json"
failed_xml "a brick that nobody knows" 22 ok-to-stop c9 "$M"
failed_xml "what has no XML" 22 layout "$M/plain"
failed_xml "two targets" 22 status "$M" "$M"
is "it is not left out silently: mapfile --json" "$(exit_of "$ALLOT" mapfile "$M/plain" --json)" 2
is "status --html" "$(exit_of "$ALLOT" status "$M" --html "$T/none.html")" 2
nok "and no file is made" ls "$T/none.html"

# ---- man page and completion ------------------------------------------------

"$ALLOT" --help >"$T/help"
complete_words() { # complete_words WORD...: what the last word can become
    bash -c '. "$0"; COMP_WORDS=(allot "$@"); COMP_CWORD=$#; _allot; echo "${COMPREPLY[*]}"' \
        "$TOP/cli/completion/allot" "$@"
}
options() { # the long options in a text, but for those of every GNU program
    grep -oE -- '--[a-z-]+' | grep -vE -- '^--(help|usage|version)$' | sort -u | xargs
}
commands() { # the commands in the help, as the man page and the completion name them
    sed -nE 's/^ +(brick |)(status|report|mapfile|layout|ok-to-stop|adopt|set) .*/\1\2/p' "$T/help" | sort -u
}
known=$(options <"$T/help")
ok "the help has options" test "$(wc -w <<<"$known")" -ge 16
is "the man page has the same, no more and no fewer" \
    "$(sed -nE 's/\\//g; s/^\.BI? (--)/\1/p; s/^\.BR (--)/\1/p' "$TOP/docs/allot.8" | grep -oE '^--[a-z-]+' | options)" "$known"
is "so has the completion" "$(complete_words -- | tr ' ' '\n' | options)" "$known"
is "so has the command itself: each is told apart from one that is not there" \
    "$(for option in $known --nothing; do
        "$ALLOT" "$option" 2>&1 | grep -q "unrecognized option '$option'" && echo "$option"
    done)" --nothing
is "the help has all commands" "$(commands | xargs)" "brick adopt brick set layout mapfile ok-to-stop report status"
is "the man page has the same" \
    "$(sed -nE 's/\\-/-/g; s/^\.B (status|report|layout|mapfile|ok-to-stop|brick .*)$/\1/p' "$TOP/docs/allot.8" | sort | xargs)" \
    "$(commands | xargs)"
is "completion of a command" "$(complete_words re)" report
is "of all commands" "$(complete_words '' | tr ' ' '\n' | sort | xargs) $(complete_words brick '' | tr ' ' '\n' | sort | xargs)" \
    "brick layout mapfile ok-to-stop report status adopt set"
is "of a state" "$(complete_words brick set c1 dr)" draining
is "of an option" "$(complete_words report --pro)" --prometheus

done_testing
