/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * target-mount.c - a target inside a mounted volume. Everything is relative
 * to open directories, so that a path may be longer than PATH_MAX.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "target.h"

/* A name only: opening a directory to read it costs a call to every brick, and
 * a batched question (children.h) needs none. */
#define ALLOT_DIR_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define ALLOT_LIST_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct allot_mount_dir {
    struct allot_dir dir;
    int fd;
    DIR *stream; /* NULL until the first dir_next */
};

/* "/proc/self/fd/N/NAME": the xattr calls know no directory descriptors. */
#define ALLOT_PROC_NAME_SIZE (NAME_MAX + 64)

static struct allot_mount_dir *
allot_mount_dir(struct allot_dir *dir)
{
    return (struct allot_mount_dir *)dir;
}

/* Takes over @fd, also on failure. */
static int
allot_mount_dir_new(struct allot_target *target, int fd, struct allot_dir **out)
{
    struct allot_mount_dir *dir = calloc(1, sizeof(*dir));

    if (!dir) {
        close(fd);
        return -ENOMEM;
    }
    dir->dir.target = target;
    dir->fd = fd;
    *out = &dir->dir;
    return 0;
}

static int
allot_mount_dir_open(struct allot_dir *parent, const char *name,
                     struct allot_dir **dir)
{
    int fd =
        openat(allot_mount_dir(parent)->fd, name ? name : ".", ALLOT_DIR_FLAGS);

    if (fd < 0)
        return -errno;
    return allot_mount_dir_new(parent->target, fd, dir);
}

/* Upward until the file system changes. */
static int
allot_mount_root_open(struct allot_target *target, struct allot_dir **dir)
{
    struct stat here, above;
    int fd, up, err;

    fd = openat(allot_mount_dir(target->dir)->fd, ".", ALLOT_DIR_FLAGS);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &here) != 0)
        goto fail;
    for (;;) {
        up = openat(fd, "..", ALLOT_DIR_FLAGS);
        if (up < 0)
            goto fail;
        if (fstat(up, &above) != 0) {
            err = errno;
            close(up);
            errno = err;
            goto fail;
        }
        if (above.st_dev != here.st_dev || above.st_ino == here.st_ino) {
            close(up);
            return allot_mount_dir_new(target, fd, dir);
        }
        close(fd);
        fd = up;
        here = above;
    }
fail:
    err = errno;
    close(fd);
    return -err;
}

static int
allot_mount_dir_next(struct allot_dir *base, struct allot_entry *entry)
{
    struct allot_mount_dir *dir = allot_mount_dir(base);
    struct dirent *ent;

    if (!dir->stream) {
        int fd = openat(dir->fd, ".", ALLOT_LIST_FLAGS);

        if (fd < 0)
            return -errno;
        dir->stream = fdopendir(fd);
        if (!dir->stream) {
            int err = errno;

            close(fd);
            return -err;
        }
    }
    errno = 0;
    ent = readdir(dir->stream);
    if (!ent)
        return -errno;
    entry->name = ent->d_name;
    entry->type = ent->d_type;
    return 1;
}

static void
allot_mount_dir_close(struct allot_dir *base)
{
    struct allot_mount_dir *dir = allot_mount_dir(base);

    if (dir->stream)
        closedir(dir->stream);
    close(dir->fd);
    free(dir);
}

static int
allot_mount_stat(struct allot_dir *dir, const char *name, struct stat *st)
{
    int fd = allot_mount_dir(dir)->fd;
    int ret = name ? fstatat(fd, name, st, AT_SYMLINK_NOFOLLOW) : fstat(fd, st);

    return ret == 0 ? 0 : -errno;
}

static ssize_t
allot_mount_getxattr(struct allot_dir *dir, const char *name, const char *key,
                     void *value, size_t size)
{
    int fd = allot_mount_dir(dir)->fd;
    char path[ALLOT_PROC_NAME_SIZE];
    ssize_t len;

    if (snprintf(path, sizeof(path), "/proc/self/fd/%d%s%s", fd,
                 name ? "/" : "", name ? name : "") >= (int)sizeof(path))
        return -ENAMETOOLONG;
    len = name ? lgetxattr(path, key, value, size)
               : getxattr(path, key, value, size);
    return len >= 0 ? len : -errno;
}

static int
allot_mount_setxattr(struct allot_dir *dir, const char *key, const void *value,
                     size_t size)
{
    char path[ALLOT_PROC_NAME_SIZE];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", allot_mount_dir(dir)->fd);
    return setxattr(path, key, value, size, 0) == 0 ? 0 : -errno;
}

static void
allot_mount_close(struct allot_target *target)
{
    free(target);
}

static const struct allot_target_ops allot_mount_ops = {
    .dir_open = allot_mount_dir_open,
    .root_open = allot_mount_root_open,
    .dir_next = allot_mount_dir_next,
    .dir_close = allot_mount_dir_close,
    .stat = allot_mount_stat,
    .getxattr = allot_mount_getxattr,
    .setxattr = allot_mount_setxattr,
    .close = allot_mount_close,
};

/* PATH of a file to its directory and its name; links are followed, because
 * the user means the file. Only names are looked at: the file itself may be
 * damaged. */
static int
allot_mount_split(const char *text, char **parent, char **leaf)
{
    char *resolved = NULL, *copy = NULL;
    const char *path = text;
    struct stat st;
    int err = ENOMEM;

    *parent = *leaf = NULL;
    if (lstat(text, &st) == 0 && S_ISLNK(st.st_mode)) {
        path = resolved = realpath(text, NULL);
        if (!resolved)
            return -errno;
    }
    copy = strdup(path);
    if (!copy)
        goto out;
    *leaf = strdup(basename(copy));
    memcpy(copy, path, strlen(path) + 1);
    *parent = strdup(dirname(copy));
    if (*leaf && *parent)
        err = 0;
out:
    free(copy);
    free(resolved);
    if (err) {
        free(*leaf);
        free(*parent);
    }
    return -err;
}

int
allot_mount_open(const char *text, int want_file, struct allot_target **out)
{
    struct allot_target *target = NULL;
    char *parent = NULL, *leaf = NULL;
    const char *path = text;
    int fd, err, status;

    if (want_file) {
        err = allot_mount_split(text, &parent, &leaf);
        if (err)
            return allot_cli_error(
                "cannot resolve '%s': %s; name a file inside a mounted volume",
                text, strerror(-err));
        path = parent;
    }

    fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        allot_cli_errno(errno);
        status = allot_cli_error(
            "cannot open directory '%s': %s; name a %s inside a mounted "
            "volume, or write HOST:/VOLUME",
            path, strerror(errno), want_file ? "file" : "directory");
        goto fail;
    }
    target = calloc(1, sizeof(*target));
    if (!target) {
        close(fd);
        status = allot_cli_error("out of memory");
        goto fail;
    }
    target->ops = &allot_mount_ops;
    err = allot_mount_dir_new(target, fd, &target->dir);
    if (err) {
        status = allot_cli_error("out of memory");
        goto fail;
    }
    target->leaf = leaf;
    free(parent);
    *out = target;
    return 0;

fail:
    free(target);
    free(leaf);
    free(parent);
    return status;
}
