#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Counts words in the manner of MapReduce: each piece of a file is read on the
# host whose brick holds it, as glusterfs.allot.map says. docs/placement.md shows
# how to run it. It is an example of a scheduler, not a framework: no retries.
#
#   wordcount.sh [--run COMMAND] [--as FILE] [--program PATH] FILE
#       FILE: a text on a mounted volume; root. Lines "COUNT WORD" on standard
#       output, by word; a line for each host on standard error.
#       --run: COMMAND HOST PROGRAM ARG... runs a program there (ssh)
#       --as: the name of FILE on the hosts (the same)
#       --program: this script's name there (the same as here)
#   wordcount.sh --map FILE <PIECES
#       on a host: the pieces, lines "START END", to lines "COUNT WORD"
#
# A word belongs to the piece that its first byte is in, so that a piece reads on
# past its end until its last word is whole. Words of more than 4 KiB may be cut.
set -euo pipefail
export LC_ALL=C

part() { # part START COUNT: these bytes of $file
    dd if="$file" bs=1M iflag=skip_bytes,count_bytes skip="$1" count="$2" status=none
}

# The words of the piece [$1, $2), one a line.
words() {
    local before=$(($1 > 0)) start end=$2
    # One byte earlier: so it is seen whether a word began before.
    start=$(($1 - before))
    {
        part "$start" $((end - start))
        # The last byte is no blank: what follows belongs to the same word.
        if [ -n "$(part $((end - 1)) 1 | tr -d '[:space:]\0')" ]; then
            part "$end" 4096 | tr '[:space:]' '\n' | awk 'NR == 1'
        fi
    } | tr -s '[:space:]' '\n' | tail -n +$((1 + before)) | { grep . || :; }
}

map() {
    local start end
    while read -r start end; do
        words "$start" "$end"
    done | sort | uniq -c
}

# Where the pieces of $file are: lines "HOST START END". Bytes that are in the base
# file have no host of their own; they go to the first host there is.
pieces() {
    local offset=0 doc
    while [ "$offset" != null ]; do
        doc=$(getfattr --absolute-names --only-values -n "glusterfs.allot.map.$offset" "$file")
        jq -r '.ranges[] | "\(.host // "-") \(.start) \(.end)"' <<<"$doc"
        offset=$(jq .next <<<"$doc")
    done
}

run=ssh as='' program=$(readlink -f "$0") mode=reduce jobs=()
while [ $# -gt 1 ]; do
    case $1 in
    --map) mode=map && shift ;;
    --run) run=$2 && shift 2 ;;
    --as) as=$2 && shift 2 ;;
    --program) program=$2 && shift 2 ;;
    *) break ;;
    esac
done
[ $# -eq 1 ] || { sed -n 's/^#   \(wordcount\)/usage: \1/p' "$0" >&2 && exit 2; }
file=$1
if [ $mode = map ]; then
    map
    exit
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
pieces >"$dir/pieces"
mapfile -t hosts < <(cut -d' ' -f1 "$dir/pieces" | grep -vx -- - | sort -u)
[ ${#hosts[@]} -gt 0 ] || { echo "wordcount: all of $file is in its base file" >&2 && exit 1; }
sed -i "s/^- /${hosts[0]} /" "$dir/pieces"

# Map: on all hosts at once, each its own pieces.
for host in "${hosts[@]}"; do
    awk -v host="$host" '$1 == host { print $2, $3 }' "$dir/pieces" >"$dir/of-$host"
    $run "$host" "$program" --map "${as:-$file}" <"$dir/of-$host" >"$dir/words-$host" &
    jobs["$!"]=$host
done
for pid in "${!jobs[@]}"; do
    wait "$pid" || { echo "wordcount: ${jobs[pid]} failed" >&2 && exit 1; }
done
for host in "${hosts[@]}"; do
    awk -v host="$host" '{ n += $2 - $1 } END { printf "%s: %d pieces, %d bytes\n", host, NR, n }' "$dir/of-$host" >&2
done

# Reduce: add up.
sort -k2 "$dir"/words-* | awk '
    $2 != word && NR > 1 { print count, word; count = 0 }
    { word = $2; count += $1 }
    END { if (NR) print count, word }'
