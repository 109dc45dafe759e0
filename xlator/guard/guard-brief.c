/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-brief.c - the answer to a readdirp with ALLOT_KEY_BRIEF: a listing for
 * a report, in which a file has its type, size, links, gfid and record, and
 * nothing else has to be right.
 *
 * storage/posix asks the kernel four to six times for each name, by a path that
 * goes through the handle of the directory: how long the list of its xattrs is,
 * the list, each that is wanted, the file, its gfid, its times. Here it lists
 * names only, and the guard asks for the file and its record, and for its gfid
 * where the brick does not have it in memory.
 *
 * No inode goes up with an entry: what other translators keep with an inode
 * they learn from a listing of the usual kind or a lookup, so the server must
 * not take these for looked up; protocol/client gives them inodes of its own.
 * What is not certain goes up without a gfid; then whoever has asked looks at
 * that file by itself.
 */
#include "guard.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define GUARD_XATTR_GFID "trusted.gfid"
/* distribute's mark of a name that stands for a file on another brick. */
#define GUARD_XATTR_LINKTO "trusted.glusterfs.dht.linkto"

/* A directory on the disk. */
struct guard_shelf {
    int fd;              /* of it, by its handle */
    char path[PATH_MAX]; /* where the kernel says that it is, with a '/' */
    size_t len;          /* of the path */
};

/* ---- is that what is asked for --------------------------------------------
 */

static int
guard_brief_key(dict_t *xdata, char *key, data_t *value, void *data)
{
    return strcmp(key, ALLOT_KEY_BRIEF) == 0 ||
                   strcmp(key, ALLOT_KEY_CLIENT) == 0 ||
                   strcmp(key, ALLOT_XATTR_RECORD) == 0 ||
                   strcmp(key, GUARD_XATTR_LINKTO) == 0
               ? 0
               : -1;
}

static gf_boolean_t
guard_brief_wanted(xlator_t *this, dict_t *xdata)
{
    return guard_priv(this)->disk && xdata &&
           dict_get_sizen(xdata, ALLOT_KEY_BRIEF) &&
           dict_foreach(xdata, guard_brief_key, NULL) >= 0;
}

/* ---- the disk -------------------------------------------------------------
 */

/* Where is the open directory now. 0: that cannot be said. */
static size_t
guard_shelf_place(int fd, char *path, size_t room)
{
    char link[64];
    ssize_t len = 0;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, path, room - 1);
    if (len <= 0 || len >= (ssize_t)room - 1 || path[0] != '/')
        return 0;
    path[len++] = '/';
    path[len] = '\0';
    return (size_t)len;
}

struct guard_shelf *
guard_brief_begin(xlator_t *this, inode_t *parent, dict_t *xdata)
{
    struct guard_shelf *shelf = NULL;
    char path[PATH_MAX];
    char name[GF_UUID_BUF_SIZE];

    if (!guard_brief_wanted(this, xdata))
        return NULL;
    uuid_utoa_r(parent->gfid, name);
    if (snprintf(path, sizeof(path), "%s/.glusterfs/%.2s/%.2s/%s",
                 guard_priv(this)->disk, name, name + 2,
                 name) >= (int)sizeof(path))
        return NULL;
    shelf = GF_MALLOC(sizeof(*shelf), guard_mt_bytes);
    if (!shelf)
        return NULL;
    shelf->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    shelf->len =
        shelf->fd < 0 ? 0 : guard_shelf_place(shelf->fd, shelf->path, PATH_MAX);
    if (shelf->len == 0) {
        guard_brief_end(shelf);
        shelf = NULL;
    }
    return shelf;
}

void
guard_brief_end(struct guard_shelf *shelf)
{
    if (shelf && shelf->fd >= 0)
        close(shelf->fd);
    GF_FREE(shelf);
}

/* Is it there still: then what its paths have told is of its files. */
static gf_boolean_t
guard_shelf_stays(const struct guard_shelf *shelf)
{
    char path[PATH_MAX];

    return guard_shelf_place(shelf->fd, path, sizeof(path)) == shelf->len &&
           memcmp(path, shelf->path, shelf->len) == 0;
}

/* ---- an entry -------------------------------------------------------------
 */

/* The value of @key of @path goes into *@dict, which is made if it has one. 0:
 * done, or it has none; or -errno. */
static int
guard_brief_xattr(const char *path, const char *key, dict_t **dict)
{
    char value[ALLOT_RECORD_MAX + 1];
    ssize_t len = lgetxattr(path, key, value, sizeof(value) - 1);
    char *bytes = NULL;

    if (len < 0)
        return errno == ENODATA ? 0 : -errno;
    bytes = GF_MALLOC(len + 1, gf_common_mt_char);
    if (!*dict)
        *dict = dict_new();
    if (!bytes || !*dict) {
        GF_FREE(bytes);
        return -ENOMEM;
    }
    memcpy(bytes, value, len);
    bytes[len] = '\0';
    if (dict_set_bin(*dict, (char *)key, bytes, len) == 0)
        return 0;
    GF_FREE(bytes);
    return -ENOMEM;
}

/* As storage/posix has it: from memory if it has met the name. */
static gf_boolean_t
guard_brief_gfid(inode_t *parent, const char *name, const char *path,
                 uuid_t gfid)
{
    inode_t *inode = inode_grep(parent->table, parent, name);

    if (inode) {
        gf_uuid_copy(gfid, inode->gfid);
        inode_unref(inode);
        return !gf_uuid_is_null(gfid);
    }
    return lgetxattr(path, GUARD_XATTR_GFID, gfid, 16) == 16;
}

static void
guard_brief_entry(inode_t *parent, struct guard_shelf *shelf,
                  gf_dirent_t *entry)
{
    size_t len = strlen(entry->d_name);
    uuid_t gfid = {
        0,
    };
    struct stat st;

    if (fstatat(shelf->fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    /* The handle is a link, too. */
    if (!S_ISDIR(st.st_mode))
        st.st_nlink--;
    iatt_from_stat(&entry->d_stat, &st);
    entry->d_type = gf_d_type_from_ia_type(entry->d_stat.ia_type);
    if (!S_ISREG(st.st_mode) || shelf->len + len >= sizeof(shelf->path))
        return;
    memcpy(shelf->path + shelf->len, entry->d_name, len + 1);
    if (guard_brief_xattr(shelf->path, ALLOT_XATTR_RECORD, &entry->dict) != 0 ||
        ((st.st_mode & S_ISVTX) &&
         guard_brief_xattr(shelf->path, GUARD_XATTR_LINKTO, &entry->dict) !=
             0) ||
        !guard_brief_gfid(parent, entry->d_name, shelf->path, gfid))
        return;
    gf_uuid_copy(entry->d_stat.ia_gfid, gfid);
    entry->d_stat.ia_flags |= IATT_GFID;
    entry->d_ino = entry->d_stat.ia_ino = gfid_to_ino(gfid);
    entry->d_stat.ia_flags |= IATT_INO;
}

void
guard_brief_fill(struct guard_shelf *shelf, inode_t *parent,
                 gf_dirent_t *entries)
{
    gf_dirent_t *entry = NULL;

    list_for_each_entry(entry, &entries->list, list)
    {
        guard_brief_entry(parent, shelf, entry);
    }
    if (guard_shelf_stays(shelf))
        return;
    /* It was moved meanwhile: a path may have led to somebody else's file. */
    list_for_each_entry(entry, &entries->list, list)
    {
        gf_uuid_clear(entry->d_stat.ia_gfid);
    }
}
