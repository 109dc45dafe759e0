/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * fs-mount.c - fs.h for a directory: a mount, or any other file system.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs.h"

struct fs_file {
    int fd;
};

#define PATH_BUF 8192

static const char *
path_of(struct fs *fs, const char *name, char path[PATH_BUF])
{
    snprintf(path, PATH_BUF, "%s/%s", fs->place, name);
    return path;
}

static int
result(int ret)
{
    return ret < 0 ? -errno : ret;
}

static int
mount_open(struct fs *fs, const char *name, int flags, mode_t mode,
           struct fs_file **file)
{
    char path[PATH_BUF];
    int fd = open(path_of(fs, name, path), flags, mode);

    if (fd < 0)
        return -errno;
    *file = malloc(sizeof(**file));
    if (!*file) {
        close(fd);
        return -ENOMEM;
    }
    (*file)->fd = fd;
    return 0;
}

static int
mount_close(struct fs_file *file)
{
    int ret = result(close(file->fd));

    free(file);
    return ret;
}

static ssize_t
mount_preadv(struct fs_file *file, const struct iovec *iov, int n, off_t off)
{
    ssize_t ret = preadv(file->fd, iov, n, off);

    return ret < 0 ? -errno : ret;
}

static ssize_t
mount_pwritev(struct fs_file *file, const struct iovec *iov, int n, off_t off)
{
    ssize_t ret = pwritev(file->fd, iov, n, off);

    return ret < 0 ? -errno : ret;
}

static ssize_t
mount_write(struct fs_file *file, const void *buf, size_t n)
{
    ssize_t ret = write(file->fd, buf, n);

    return ret < 0 ? -errno : ret;
}

static int
mount_ftruncate(struct fs_file *file, off_t size)
{
    return result(ftruncate(file->fd, size));
}

static int
mount_truncate(struct fs *fs, const char *name, off_t size)
{
    char path[PATH_BUF];

    return result(truncate(path_of(fs, name, path), size));
}

static int
mount_space(struct fs_file *file, enum fs_space how, off_t off, off_t n)
{
    static const int modes[] = {
        [FS_ALLOCATE] = 0,
        [FS_ALLOCATE_KEEP] = FALLOC_FL_KEEP_SIZE,
        [FS_PUNCH] = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
        [FS_ZERO] = FALLOC_FL_ZERO_RANGE,
        [FS_ZERO_KEEP] = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
    };

    return result(fallocate(file->fd, modes[how], off, n));
}

static off_t
mount_seek(struct fs_file *file, off_t off, int whence)
{
    off_t ret = lseek(file->fd, off, whence);

    return ret < 0 ? -errno : ret;
}

static int
mount_fsync(struct fs_file *file, int datasync)
{
    return result(datasync ? fdatasync(file->fd) : fsync(file->fd));
}

static int
mount_fstat(struct fs_file *file, struct stat *st)
{
    return result(fstat(file->fd, st));
}

static int
mount_lstat(struct fs *fs, const char *name, struct stat *st)
{
    char path[PATH_BUF];

    return result(lstat(path_of(fs, name, path), st));
}

static ssize_t
mount_copy(struct fs_file *in, off_t from, struct fs_file *out, off_t to,
           size_t n)
{
    ssize_t ret = copy_file_range(in->fd, &from, out->fd, &to, n, 0);

    return ret < 0 ? -errno : ret;
}

/* Mappings begin at pages. */
static int
mount_map(struct fs_file *file, int prot, int flags, size_t n, off_t off,
          char **map, size_t *len)
{
    off_t lead = off % sysconf(_SC_PAGESIZE);

    *len = n + lead;
    *map = mmap(NULL, *len, prot, flags, file->fd, off - lead);
    if (*map == MAP_FAILED)
        return -errno;
    return (int)lead;
}

static int
mount_map_write(struct fs_file *file, const void *buf, size_t n, off_t off)
{
    char *map = NULL;
    size_t len = 0;
    int ret =
        mount_map(file, PROT_READ | PROT_WRITE, MAP_SHARED, n, off, &map, &len);

    if (ret < 0)
        return ret;
    memcpy(map + ret, buf, n);
    ret = result(msync(map, len, MS_SYNC));
    munmap(map, len);
    return ret;
}

static int
mount_map_read(struct fs_file *file, void *buf, size_t n, off_t off)
{
    char *map = NULL;
    size_t len = 0;
    int ret = mount_map(file, PROT_READ, MAP_PRIVATE, n, off, &map, &len);

    if (ret < 0)
        return ret;
    memcpy(buf, map + ret, n);
    munmap(map, len);
    return 0;
}

static void
mount_forget(struct fs_file *file)
{
    posix_fadvise(file->fd, 0, 0, POSIX_FADV_DONTNEED);
}

static int
mount_unlink(struct fs *fs, const char *name)
{
    char path[PATH_BUF];

    return result(unlink(path_of(fs, name, path)));
}

static int
mount_rename(struct fs *fs, const char *from, const char *to)
{
    char a[PATH_BUF];
    char b[PATH_BUF];

    return result(rename(path_of(fs, from, a), path_of(fs, to, b)));
}

static int
mount_link(struct fs *fs, const char *from, const char *to)
{
    char a[PATH_BUF];
    char b[PATH_BUF];

    return result(link(path_of(fs, from, a), path_of(fs, to, b)));
}

static int
mount_futimens(struct fs_file *file, const struct timespec times[2])
{
    return result(futimens(file->fd, times));
}

static int
mount_utimens(struct fs *fs, const char *name, const struct timespec times[2])
{
    char path[PATH_BUF];

    return result(utimensat(AT_FDCWD, path_of(fs, name, path), times, 0));
}

static int
mount_fchmod(struct fs_file *file, mode_t mode)
{
    return result(fchmod(file->fd, mode));
}

static int
mount_setxattr(struct fs *fs, const char *name, const char *key,
               const void *value, size_t n)
{
    char path[PATH_BUF];

    return result(setxattr(path_of(fs, name, path), key, value, n, 0));
}

static ssize_t
mount_getxattr(struct fs *fs, const char *name, const char *key, void *value,
               size_t n)
{
    char path[PATH_BUF];
    ssize_t ret = getxattr(path_of(fs, name, path), key, value, n);

    return ret < 0 ? -errno : ret;
}

static void
mount_end(struct fs *fs)
{
    (void)fs;
}

const struct fs_ops fs_mount_ops = {
    .kind = "mount",
    .open = mount_open,
    .close = mount_close,
    .preadv = mount_preadv,
    .pwritev = mount_pwritev,
    .write = mount_write,
    .ftruncate = mount_ftruncate,
    .truncate = mount_truncate,
    .space = mount_space,
    .seek = mount_seek,
    .fsync = mount_fsync,
    .fstat = mount_fstat,
    .lstat = mount_lstat,
    .copy = mount_copy,
    .map_write = mount_map_write,
    .map_read = mount_map_read,
    .forget = mount_forget,
    .unlink = mount_unlink,
    .rename = mount_rename,
    .link = mount_link,
    .futimens = mount_futimens,
    .utimens = mount_utimens,
    .fchmod = mount_fchmod,
    .setxattr = mount_setxattr,
    .getxattr = mount_getxattr,
    .end = mount_end,
};

/* ---- any of them -----------------------------------------------------------
 */

int
fs_open_place(const char *what, struct fs *fs)
{
    const char *colon = strchr(what, ':');

    memset(fs, 0, sizeof(*fs));
    fs->ops = &fs_mount_ops;
    if (strncmp(what, "gfapi:", 6) == 0)
        fs->ops = &fs_gfapi_ops;
    else if (strncmp(what, "wrong:", 6) == 0)
        fs->ops = fs_wrong_ops();
    else
        colon = NULL;
    snprintf(fs->place, sizeof(fs->place), "%s", colon ? colon + 1 : what);
    return fs->ops == &fs_gfapi_ops ? fs_gfapi_connect(fs) : 0;
}

ssize_t
fs_pwrite(struct fs *fs, struct fs_file *file, const void *buf, size_t n,
          off_t off)
{
    struct iovec iov = {(void *)buf, n};

    return fs->ops->pwritev(file, &iov, 1, off);
}

ssize_t
fs_pread(struct fs *fs, struct fs_file *file, void *buf, size_t n, off_t off)
{
    struct iovec iov = {buf, n};

    return fs->ops->preadv(file, &iov, 1, off);
}
