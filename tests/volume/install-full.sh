#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# By hand, as the README says, out of what "make dist" packs: autoreconf, configure
# with a prefix of its own and another plugin directory, make, make install with
# DESTDIR, make uninstall.
# tier: full
# needs: 150
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

if [ "$BUILD" = installed ]; then
    skip "install" "there is no build to pack"
    done_testing
fi
must flock "$BUILD/.lock" make -s -C "$BUILD" distdir distdir="$T/src"
must chmod -R u+w "$T/src"
files_in() { # files_in DIR: with their modes
    (cd "$1" && find . ! -type d -printf '/%P %m\n' | sort)
}
want() { # want PREFIX XLATORDIR
    cat <<LIST | sort
$1/bin/allot 755
$1/share/bash-completion/completions/allot 644
$1/share/man/man8/allot.8 644
$(dirname "$2")/filter/allot 755
$2/cluster/allot.so 755
$2/user/allot.so 755
LIST
}
VERSION=$(glusterfs --version | sed -n '1s/^glusterfs \([0-9.]*\).*/\1/p')
cd "$T/src" || bail "no sources"
ok "what is packed can be made ready" autoreconf -fi
ok "configure takes a prefix" ./configure -q --prefix=/opt/allot
ok "it builds" make -s -j2
ok "it installs" make -s install DESTDIR="$T/dest"
is "all below the prefix" "$(files_in "$T/dest")" "$(want /opt/allot "/opt/allot/lib/glusterfs/$VERSION/xlator")"
ok "the command runs from there" "$T/dest/opt/allot/bin/allot" --help
ok "it uninstalls" make -s uninstall DESTDIR="$T/dest"
is "and leaves no file" "$(files_in "$T/dest")" ""
ok "configure takes a plugin directory" ./configure -q --with-xlatordir=/srv/plugins/xlator
ok "it builds with that" make -s -j2
ok "it installs there" make -s install DESTDIR="$T/dest"
is "the rest beside GlusterFS's own programs" "$(files_in "$T/dest")" "$(want /usr /srv/plugins/xlator)"
cd /
done_testing
