/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * fs-gfapi.c - fs.h through libgfapi, with a client volfile of its own.
 *
 * glfs_fini() is not called: it waits without a bound for the last event of the
 * graph, and the process ends anyway, which closes the connections.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glusterfs/api/glfs.h>

#include "fs.h"

#define PATH_BUF 4200

/* libgfapi's own number for its log level. */
#define LOG_ERROR 4

#define CONNECT_TRIES 5

struct fs_file {
    glfs_fd_t *fd;
};

static const char *
path_of(const char *name, char path[PATH_BUF])
{
    snprintf(path, PATH_BUF, "/%s", name);
    return path;
}

/* Some of its calls return lengths or offsets; errno may be 0 in a failure. */
static ssize_t
result(ssize_t ret)
{
    if (ret >= 0)
        return ret;
    return errno ? -errno : -EIO;
}

static int
connect_once(struct fs *fs)
{
    const char *log = getenv("FS_GFAPI_LOG");
    glfs_t *glfs = glfs_new("allot");

    if (!glfs)
        return -ENOMEM;
    fs->own = glfs;
    errno = 0;
    if (glfs_set_volfile(glfs, fs->place) ||
        glfs_set_logging(glfs, log ? log : "/dev/null", LOG_ERROR) ||
        glfs_init(glfs))
        return errno ? -errno : -ENOTCONN;
    return 0;
}

/* glfs_init() gives up when the first word of the graph is that a subvolume is
 * down; under replicate that is so when connections come one by one. A mount
 * waits then; so do we, for a bounded number of whole attempts. */
int
fs_gfapi_connect(struct fs *fs)
{
    int ret = 0;
    int tries = 0;

    for (tries = 0; tries < CONNECT_TRIES; tries++) {
        ret = connect_once(fs);
        if (!ret)
            return 0;
        fprintf(stderr, "# libgfapi, attempt %d: %s\n", tries + 1,
                strerror(-ret));
    }
    return ret;
}

static int
gfapi_open(struct fs *fs, const char *name, int flags, mode_t mode,
           struct fs_file **file)
{
    char path[PATH_BUF];
    glfs_fd_t *fd = NULL;

    errno = 0;
    path_of(name, path);
    if (flags & O_CREAT) {
        fd = glfs_creat(fs->own, path, flags, mode);
    } else {
        fd = glfs_open(fs->own, path, flags);
    }
    if (!fd)
        return errno ? -errno : -EIO;
    *file = malloc(sizeof(**file));
    if (!*file) {
        glfs_close(fd);
        return -ENOMEM;
    }
    (*file)->fd = fd;
    return 0;
}

static int
gfapi_close(struct fs_file *file)
{
    int ret = (int)result(glfs_close(file->fd));

    free(file);
    return ret;
}

static ssize_t
gfapi_preadv(struct fs_file *file, const struct iovec *iov, int n, off_t off)
{
    return result(glfs_preadv(file->fd, iov, n, off, 0));
}

static ssize_t
gfapi_pwritev(struct fs_file *file, const struct iovec *iov, int n, off_t off)
{
    return result(glfs_pwritev(file->fd, iov, n, off, 0));
}

static ssize_t
gfapi_write(struct fs_file *file, const void *buf, size_t n)
{
    return result(glfs_write(file->fd, buf, n, 0));
}

static int
gfapi_ftruncate(struct fs_file *file, off_t size)
{
    return (int)result(glfs_ftruncate(file->fd, size, NULL, NULL));
}

static int
gfapi_truncate(struct fs *fs, const char *name, off_t size)
{
    char path[PATH_BUF];

    return (int)result(glfs_truncate(fs->own, path_of(name, path), size));
}

static int
gfapi_space(struct fs_file *file, enum fs_space how, off_t off, off_t n)
{
    switch (how) {
        case FS_ALLOCATE:
        case FS_ALLOCATE_KEEP:
            return (int)result(
                glfs_fallocate(file->fd, how == FS_ALLOCATE_KEEP, off, n));
        case FS_PUNCH:
            return (int)result(glfs_discard(file->fd, off, n));
        case FS_ZERO:
            return (int)result(glfs_zerofill(file->fd, off, n));
        default:
            return -EOPNOTSUPP;
    }
}

static off_t
gfapi_seek(struct fs_file *file, off_t off, int whence)
{
    return result(glfs_lseek(file->fd, off, whence));
}

static int
gfapi_fsync(struct fs_file *file, int datasync)
{
    return (int)result(datasync ? glfs_fdatasync(file->fd, NULL, NULL)
                                : glfs_fsync(file->fd, NULL, NULL));
}

static int
gfapi_fstat(struct fs_file *file, struct stat *st)
{
    return (int)result(glfs_fstat(file->fd, st));
}

static int
gfapi_lstat(struct fs *fs, const char *name, struct stat *st)
{
    char path[PATH_BUF];

    return (int)result(glfs_lstat(fs->own, path_of(name, path), st));
}

static ssize_t
gfapi_copy(struct fs_file *in, off_t from, struct fs_file *out, off_t to,
           size_t n)
{
    off64_t a = from;
    off64_t b = to;

    return result(
        glfs_copy_file_range(in->fd, &a, out->fd, &b, n, 0, NULL, NULL, NULL));
}

static int
gfapi_map_write(struct fs_file *file, const void *buf, size_t n, off_t off)
{
    (void)file, (void)buf, (void)n, (void)off;
    return -EOPNOTSUPP;
}

static int
gfapi_map_read(struct fs_file *file, void *buf, size_t n, off_t off)
{
    (void)file, (void)buf, (void)n, (void)off;
    return -EOPNOTSUPP;
}

static void
gfapi_forget(struct fs_file *file)
{
    (void)file;
}

static int
gfapi_unlink(struct fs *fs, const char *name)
{
    char path[PATH_BUF];

    return (int)result(glfs_unlink(fs->own, path_of(name, path)));
}

static int
gfapi_rename(struct fs *fs, const char *from, const char *to)
{
    char a[PATH_BUF];
    char b[PATH_BUF];

    return (int)result(glfs_rename(fs->own, path_of(from, a), path_of(to, b)));
}

static int
gfapi_link(struct fs *fs, const char *from, const char *to)
{
    char a[PATH_BUF];
    char b[PATH_BUF];

    return (int)result(glfs_link(fs->own, path_of(from, a), path_of(to, b)));
}

static int
gfapi_futimens(struct fs_file *file, const struct timespec times[2])
{
    return (int)result(glfs_futimens(file->fd, times));
}

static int
gfapi_utimens(struct fs *fs, const char *name, const struct timespec times[2])
{
    char path[PATH_BUF];

    return (int)result(glfs_utimens(fs->own, path_of(name, path), times));
}

static int
gfapi_fchmod(struct fs_file *file, mode_t mode)
{
    return (int)result(glfs_fchmod(file->fd, mode));
}

static int
gfapi_setxattr(struct fs *fs, const char *name, const char *key,
               const void *value, size_t n)
{
    char path[PATH_BUF];

    return (int)result(
        glfs_setxattr(fs->own, path_of(name, path), key, value, n, 0));
}

static ssize_t
gfapi_getxattr(struct fs *fs, const char *name, const char *key, void *value,
               size_t n)
{
    char path[PATH_BUF];

    return result(glfs_getxattr(fs->own, path_of(name, path), key, value, n));
}

static void
gfapi_end(struct fs *fs)
{
    (void)fs;
}

const struct fs_ops fs_gfapi_ops = {
    .kind = "gfapi",
    .open = gfapi_open,
    .close = gfapi_close,
    .preadv = gfapi_preadv,
    .pwritev = gfapi_pwritev,
    .write = gfapi_write,
    .ftruncate = gfapi_ftruncate,
    .truncate = gfapi_truncate,
    .space = gfapi_space,
    .seek = gfapi_seek,
    .fsync = gfapi_fsync,
    .fstat = gfapi_fstat,
    .lstat = gfapi_lstat,
    .copy = gfapi_copy,
    .map_write = gfapi_map_write,
    .map_read = gfapi_map_read,
    .forget = gfapi_forget,
    .unlink = gfapi_unlink,
    .rename = gfapi_rename,
    .link = gfapi_link,
    .futimens = gfapi_futimens,
    .utimens = gfapi_utimens,
    .fchmod = gfapi_fchmod,
    .setxattr = gfapi_setxattr,
    .getxattr = gfapi_getxattr,
    .end = gfapi_end,
};
