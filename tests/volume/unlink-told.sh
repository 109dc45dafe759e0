#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 40
# Where names are on plain bricks an unlink is told with its answer whether somebody can
# still reach the file (docs/protocol.md, 2.11a). The portions of what nobody can are gone when
# rm ends: also of a file whose name distribute keeps on two bricks. What has another name, or
# is open, here, elsewhere or just now, keeps them; and who has opened it reads all of it.
# shellcheck source=crash-lib.sh
. "$(dirname "$0")/crash-lib.sh"

bricks_dirs 4
volume_make net-4-plain --block-size 16KB --inline-limit 64KB
plain_graph "$T/vol/client.vol"
volume_start
must_mount a "${DIRECT[@]}"
A=$M
must_mount b "${DIRECT[@]}"
B=$M
noise 200000 >"$T/noise"

# opens: calls of mount a that open something on a brick.
opens() {
    fop_counts "$(mount_pid a)" | awk '$1 ~ /^c[0-9]+$/ && $2 == "OPEN" { n += $3 } END { print n + 0 }'
}

# ---- one at a time ----------------------------------------------------------

must cp "$T/noise" "$A/one"
is "a file has its portions" "$(portions)" 4
was=$(opens)
must rm "$A/one"
is "it is removed: they are gone when rm ends" "$(portions)" 0
is "and nothing was opened for that" "$(opens)" "$was"

must cp "$T/noise" "$A/one"
must ln "$A/one" "$A/two"
must rm "$A/one"
is "one of two names goes: they stay" "$(portions)" 4
ok "and the bytes" cmp "$A/two" "$T/noise"
must rm "$A/two"
is "the last name goes: they go" "$(portions)" 0

for m in a b; do
    must cp "$T/noise" "$A/open"
    exec 8<"$T/mnt-$m/open" || bail "mount $m: it cannot be opened"
    must rm "$A/open"
    is "mount $m has it open: they stay" "$(portions)" 4
    ok "and the bytes" cmp - "$T/noise" <&8
    exec 8<&-
    ok "it is closed: they go" expect_within 40 has_portions 0
done

# A name that is renamed may be hashed to another brick: distribute makes a link file there,
# and removes that one last.
for ((i = 0; i < 16; i++)); do
    must cp "$T/noise" "$A/x$i"
    must mv "$A/x$i" "$A/y$i"
done
nok "some of many renamed files have a link file" \
    test -z "$(find "${BRICK[@]}" -maxdepth 1 -name 'y*' -perm -1000)"
must rm "$A"/y*
is "all of them are removed: no portion is left" "$(portions)" 0
is "nor a name" "$(find "${BRICK[@]}" -maxdepth 1 -name '[xy]*')" ""

# ---- at once ----------------------------------------------------------------

# Opened while it is being removed: who gets it open reads all of it.
cat >"$T/meet.py" <<'PY'
import os, sys
name, other, wanted = sys.argv[1], sys.argv[2], open(sys.argv[3], "rb").read()
ROUNDS, met = int(sys.argv[4]), 0
ours, theirs = os.pipe(), os.pipe()
if os.fork() == 0:
    os.close(ours[1])
    for i in range(ROUNDS):
        os.read(ours[0], 1)
        for k in range(i % 7 * 400):
            pass
        os.unlink(name)
        os.write(theirs[1], b".")
    os._exit(0)
for i in range(ROUNDS):
    with open(name, "wb") as f:
        f.write(wanted)
    os.stat(other)
    os.write(ours[1], b".")
    while True:
        try:
            fd = os.open(other, os.O_RDONLY)
        except FileNotFoundError:
            break
        got = b""
        while True:
            part = os.read(fd, 131072)
            if not part:
                break
            got += part
        met += 1
        os.close(fd)
        if got != wanted:
            sys.exit("round %d: %d bytes of %d" % (i, len(got), len(wanted)))
    os.read(theirs[0], 1)
print(met)
PY
ok "what is opened while another client removes it is read to the end" \
    bounded 100 python3 "$T/meet.py" "$A/meet" "$B/meet" "$T/noise" 150
ok "nothing is left of it" expect_within 60 has_portions 0

# Two remove the same files.
for ((i = 0; i < 40; i++)); do
    must cp "$T/noise" "$A/both$i"
    must ln "$A/both$i" "$A/twin$i"
done
act twin bash -c "rm -f $B/twin*"
ok "files are removed by one name and by the other at once" rm -f "$A"/both*
ok "by both" expect_within 60 test -s "$T/rc-twin"
is "without an error" "$(cat "$T/rc-twin")" 0
ok "no portion is left" expect_within 60 has_portions 0
done_testing
