#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# docs/placement.md word for word: each block that stands under a machine's name is
# run on a machine of that name, in order. So words are counted on the hosts that
# have them: each host gets only pieces of its own brick, reads them for the most
# part from there, and every word is counted once.
# tier: check
# needs: 30
. "$(dirname "$0")/glusterd-lib.sh"

page_nodes 512M

# Where there is no sshd: into the namespaces of the node, which the client's
# processes have as open files. As with ssh, a shell there gets one line.
mkdir "$T/bin"
cat >"$T/bin/ssh" <<'SSH'
#!/bin/bash
case $1 in
server1) fd=20 ;;
server2) fd=30 ;;
*) echo "ssh: no host $1" >&2 && exit 255 ;;
esac
echo "$*" >>"${0%/*}/calls"
exec nsenter --mount=/proc/self/fd/$fd --net=/proc/self/fd/$((fd + 1)) --uts=/proc/self/fd/$((fd + 2)) \
    --wd=/ bash -c "${*:2}"
SSH
chmod +x "$T/bin/ssh"
exec 20<"/proc/${NODE_PID[server1]}/ns/mnt" 21<"/proc/${NODE_PID[server1]}/ns/net" 22<"/proc/${NODE_PID[server1]}/ns/uts"
exec 30<"/proc/${NODE_PID[server2]}/ns/mnt" 31<"/proc/${NODE_PID[server2]}/ns/net" 32<"/proc/${NODE_PID[server2]}/ns/uts"

page_run "$TOP/docs/placement.md" 4 "$T/bin"

M=$(in_node client /mnt/text)
counted=$(in_node client /tmp/counted)
is "a thousand words, the numbers, and 2000000 times \"number\"" \
    "$(awk '{ n += $1; m++ } END { print n, m }' "$counted") $(grep ' number$' "$counted")" "6000000 2001001 2000000 number"
rm -f "$counted" "$(in_node client /tmp/expected)"
is "each server was called once" "$(cut -d' ' -f1 "$T/bin/calls" | sort | xargs)" "server1 server2"
hosts=$(grep -E '^server[12]: [0-9]+ pieces, [0-9]+ bytes$' "$T/err-$N")
note "$hosts"
is "both had pieces" "$(wc -l <<<"$hosts")" 2
is "together all of the file" "$(awk '{ n += $4 } END { print n }' <<<"$hosts")" "$(stat -c %s "$M/words")"
is "each more than a third of it" "$(awk '{ n[NR] = $4 } END { print n[1] < 2 * n[2], n[2] < 2 * n[1] }' <<<"$hosts")" "1 1"

# What each server's own mount has read, by brick.
for i in 1 2; do
    read -r own all < <(on server$i "$BUILD/allot" status /mnt/text --json |
        jq -r --arg h server$i '"\([.bricks[] | select(.host == $h).bytes_read] | add) \([.bricks[].bytes_read] | add)"')
    ok "server$i read $own of $all bytes from its own brick" test $((own * 4)) -ge $((all * 3))
    ok "that is its share of the file" test "$own" -ge 10000000
done

# The other attribute: the same hosts, block by block.
size=1048576
mapfile -t places < <(getfattr --absolute-names --only-values -n glusterfs.pathinfo "$M/words" |
    grep -oE '<POSIX\([^)]*\):[^:]*:' | sed 's/.*)://; s/:$//')
ok "pathinfo has places" test ${#places[@]} -ge 2
wrong=0
while read -r start host; do
    [ "${places[start / size % ${#places[@]}]}" = "$host" ] || wrong=$((wrong + 1))
done < <(getfattr --absolute-names --only-values -n glusterfs.allot.map "$M/words" |
    jq -r '.ranges[] | select(.host) | "\(.start) \(.host)"')
is "pathinfo and map name the same hosts" $wrong 0
exec 20<&- 21<&- 22<&- 30<&- 31<&- 32<&-
done_testing
