/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * ondisk.c - reads xattrs of a brick's root. A brick of another machine can
 * have the path of a directory here: the volume's id, which glusterd writes
 * into volfile and directory, tells them apart.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Names that GlusterFS itself makes in a brick, and what mkfs leaves. */
static int
is_own_name(const char *name)
{
    static const char *const own[] = {
        ".",         "..",     ".glusterfs", ".glusterfs-anonymous-inode",
        ".trashcan", ".allot", ".shard",     "lost+found"};
    size_t i = 0;

    for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (strncmp(name, own[i], strlen(own[i])) == 0 &&
            (name[strlen(own[i])] == '\0' || i == 3))
            return 1;
    return 0;
}

static int
read_has_names(const char *dir)
{
    struct dirent *entry = NULL;
    DIR *d = opendir(dir);
    int found = 0;

    if (!d)
        return 0;
    while (!found && (entry = readdir(d)) != NULL)
        found = !is_own_name(entry->d_name);
    closedir(d);
    return found;
}

void
ondisk_info(const char *text, const char *key, char *value, size_t size)
{
    size_t len = strlen(key);
    const char *at = text;

    value[0] = '\0';
    for (; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
        if (strncmp(at, key, len) == 0 && at[len] == '=') {
            at += len + 1;
            snprintf(value, size, "%.*s", (int)strcspn(at, "\n"), at);
            return;
        }
}

static int
info_is_true(const char *text, const char *key)
{
    char value[16];

    ondisk_info(text, key, value, sizeof(value));
    return volfile_bool(value) == 1;
}

static int
info_number(const char *text, const char *key)
{
    char value[16];

    ondisk_info(text, key, value, sizeof(value));
    return atoi(value);
}

const char *
ondisk_unfit(const char *text)
{
    if (info_number(text, "thin_arbiter_count") > 0)
        return "it has a thin arbiter, which has no guard";
    if (info_is_true(text, "features.shard"))
        return "features.shard is on, which cuts files into pieces already: "
               "use one of both";
    if (info_is_true(text, "features.quota"))
        return "quota is on, which would count the first bytes of files only";
    return NULL;
}

enum ondisk_status
ondisk_status(const char *text)
{
    switch (info_number(text, "status")) {
        case 1:
            return ONDISK_STARTED;
        case 2:
            return ONDISK_STOPPED;
        default:
            return ONDISK_NEW;
    }
}

void
ondisk_read(const struct volfile *brick, struct ondisk *disk)
{
    int at = volfile_has_type(brick, "storage/posix");
    const char *dir = NULL;

    disk->here = 0;
    disk->registered = 0;
    disk->ns_kind = -1;
    disk->has_names = 0;
    if (at < 0)
        return;
    dir = volfile_option(&brick->nodes[at], "directory");
    if (!dir ||
        !is_of_volume(dir, volfile_option(&brick->nodes[at], "volume-id")))
        return;
    disk->here = 1;
    disk->registered = lgetxattr(dir, ALLOT_XATTR_BRICK, NULL, 0) > 0;
    if (disk->registered)
        disk->ns_kind = read_ns_kind(dir);
    disk->has_names = read_has_names(dir);
}
