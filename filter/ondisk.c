/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * ondisk.c - reads xattrs of a brick's root. A brick of another machine can
 * have the path of a directory here: the volume's id, which glusterd writes
 * into volfile and directory, tells them apart.
 */
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <uuid/uuid.h>
#include "allot-codec.h"
#include "allot-wire.h"
#include "ondisk.h"

#define XATTR_VOLUME_ID "trusted.glusterfs.volume-id"

static int
is_of_volume(const char *dir, const char *volume_id)
{
    unsigned char have[16];
    uuid_t want;

    return volume_id && uuid_parse(volume_id, want) == 0 &&
           lgetxattr(dir, XATTR_VOLUME_ID, have, sizeof(have)) ==
               (ssize_t)sizeof(have) &&
           memcmp(have, want, sizeof(have)) == 0;
}

static int
read_ns_kind(const char *dir)
{
    /* The largest value an xattr can have on Linux. */
    static uint8_t bytes[65536];
    struct allot_registry reg;
    ssize_t n = lgetxattr(dir, ALLOT_XATTR_REGISTRY, bytes, sizeof(bytes));
    int kind = -1;

    memset(&reg, 0, sizeof(reg));
    if (n > 0 && allot_registry_decode(bytes, n, &reg) == 0) {
        if (reg.phase == ALLOT_REGISTRY_ACTIVE)
            kind = reg.ns_kind;
        allot_registry_clear(&reg);
    }
    return kind;
}

void
ondisk_read(const struct volfile *brick, struct ondisk *disk)
{
    int at = volfile_has_type(brick, "storage/posix");
    const char *dir = NULL;

    disk->registered = 0;
    disk->ns_kind = -1;
    if (at < 0)
        return;
    dir = volfile_option(&brick->nodes[at], "directory");
    if (!dir ||
        !is_of_volume(dir, volfile_option(&brick->nodes[at], "volume-id")))
        return;
    disk->registered = lgetxattr(dir, ALLOT_XATTR_BRICK, NULL, 0) > 0;
    if (disk->registered)
        disk->ns_kind = read_ns_kind(dir);
}
