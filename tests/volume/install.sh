#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# What "make install" and "./dev install" put where, and that "make uninstall"
# takes all of it away: with DESTDIR, and in the real places, which are this
# machine's only in a mount namespace of this test's own (an overlay over /usr).
# There the installed plugins, guard and command serve the README's volume, and
# glusterds with the installed filter that of docs/admin.md (glusterd-installed.sh).
# tier: check
# needs: 30
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

if [ "$BUILD" = installed ]; then
    skip "install" "there is no build to install from"
    done_testing
fi
XLATORDIR=$(glusterfs --print-xlatordir)
# Each file, its mode, and what it is in the build or in the sources.
LC_ALL=C sort >"$T/want" <<LIST
/usr/bin/allot 755
/usr/share/bash-completion/completions/allot 644
/usr/share/man/man8/allot.8 644
$(dirname "$XLATORDIR")/filter/allot 755
$XLATORDIR/cluster/allot.so 755
$XLATORDIR/user/allot.so 755
LIST
source_of() { # source_of FILE
    case $1 in
    */bin/allot) echo "$BUILD/allot" ;;
    */completions/allot) echo "$TOP/cli/completion/allot" ;;
    */allot.8) echo "$TOP/docs/allot.8" ;;
    */filter/allot) echo "$BUILD/filter/allot-filter" ;;
    */cluster/allot.so) echo "$BUILD/xlator/cluster/.libs/allot.so" ;;
    */user/allot.so) echo "$BUILD/xlator/guard/.libs/allot.so" ;;
    esac
}
same_as_built() { # same_as_built ROOT
    local f
    while read -r f _; do
        cmp "$1$f" "$(source_of "$f")" || return 1
    done <"$T/want"
}
make_it() { # make_it TARGET [VARIABLE=VALUE]: no other build at the same time
    flock "$BUILD/.lock" make -s -C "$BUILD" "$@" </dev/null
}
files_in() { # files_in DIR: with their modes
    (cd "$1" && find . ! -type d -printf '/%P %m\n' | sort)
}

# ---- DESTDIR ----------------------------------------------------------------
ok "make install with DESTDIR" make_it install DESTDIR="$T/dest"
is "installs plugin, guard, filter, command, man page and completion, and nothing else" "$(files_in "$T/dest")" "$(cat "$T/want")"
ok "each as it was built" same_as_built "$T/dest"
is "a plugin shows GlusterFS its table and nothing else" \
    "$(for f in "$T/dest$XLATORDIR"/*/allot.so; do nm -D --defined-only "$f" | awk '{ print $3 }'; done | xargs)" "xlator_api xlator_api"
ok "a second time, over it" make_it install DESTDIR="$T/dest"
is "changes nothing" "$(files_in "$T/dest")" "$(cat "$T/want")"
ok "make uninstall with DESTDIR" make_it uninstall DESTDIR="$T/dest"
is "leaves no file" "$(files_in "$T/dest")" ""
ok "twice is no error" make_it uninstall DESTDIR="$T/dest"

# ---- the real places --------------------------------------------------------
# What runs in the namespace; its lines come back in $T/said.
cat >"$T/inside" <<'INSIDE'
set -eu
upper=$1 top=$2 want=$3 logs=$4
mkdir -p "$upper"
mount -t tmpfs upper "$upper"
mkdir "$upper/up" "$upper/work"
mount -t overlay overlay -o "lowerdir=/usr,upperdir=$upper/up,workdir=$upper/work" /usr
if [ -e /lib ] && [ ! -L /lib ]; then
    echo "note /lib is not in /usr"
fi
state() {
    while read -r f _; do
        [ ! -e "$f" ] || echo "$f $(stat -c %a "$f")"
    done <"$want"
}
there() {
    if [ "$(state)" = "$(cat "$want")" ]; then echo "$1 all"; else echo "$1 $(state | wc -l)"; fi
}
# Whatever this machine has installed is not what is tested.
while read -r f _; do
    rm -f "$f"
done <"$want"
there before
"$top/dev" install >&2
there installed
echo "command $(command -v allot)"
echo "completion $(bash -c '. /usr/share/bash-completion/completions/allot && complete -p allot >/dev/null && echo yes')"
# tests WORD SCRIPT: of a script in tests/volume, how many cases hold, if all do.
tests() {
    mkdir -p "$logs/$1"
    if ALLOT_BUILD=installed ALLOT_LOGS=$logs/$1 bash "$top/tests/volume/$2" >"$logs/$1/tap" 2>&1; then
        echo "$1 $(grep -c '^ok' "$logs/$1/tap")"
    else
        echo "$1 failed"
    fi
}
tests volume docs-readme.sh
tests glusterd glusterd-installed.sh
make -s -C "$ALLOT_BUILD" uninstall >&2
there removed
INSIDE
overlay() {
    env ALLOT_NO_DEPS=1 ALLOT_BUILD="$BUILD" PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
        unshare --mount --propagation private bash -c "$DROP_FOREIGN" "$T" \
        bash "$T/inside" "$T/upper" "$TOP" "$T/want" "$LOG/installed"
}
touch "$T/mark"
ok "./dev install and make uninstall, in a namespace" eval 'overlay >"$T/said" 2>"$LOG/install.log"' || note "$(tail -20 "$LOG/install.log")"
said() {
    sed -n "s/^$1 //p" "$T/said"
}
is "before there is nothing" "$(said before)" 0
is "./dev install puts all six where GlusterFS and the shell look for them" "$(said installed)" all
is "the command is found" "$(said command)" /usr/bin/allot
is "the completion is taken by bash" "$(said completion)" yes
ok "the README's example works with what is installed ($(said volume) checks)" test "$(said volume)" -ge 5 ||
    note "$(grep -v '^ok' "$LOG/installed/volume/tap")"
ok "so does a volume of stock glusterds ($(said glusterd) checks)" test "$(said glusterd)" -ge 15 ||
    note "$(grep -v '^ok' "$LOG/installed/glusterd/tap")"
is "make uninstall takes all of it away" "$(said removed)" 0
is "nothing of it has reached this machine" "$(while read -r f _; do find "$f" -newer "$T/mark" 2>/dev/null; done <"$T/want")" ""
done_testing
