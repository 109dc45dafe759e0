/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * fs.h - one face for the ways into a volume, so that one program can make the
 * same calls on a directory (a mount, or tmpfs), through libgfapi, and on a
 * file system that is wrong on purpose.
 *
 *   DIR              a directory
 *   gfapi:FILE.vol   libgfapi with that client volfile
 *   wrong:DIR        a directory, with a mistake (fs-wrong.c)
 *
 * All calls return what the system call would, and -errno instead of -1.
 * Names have no slash in front and are taken from the root of the volume or
 * from DIR. A call that one of them does not have gives -EOPNOTSUPP.
 *
 * Deliberately not here: directories' contents, locks; any state of a file.
 */
#ifndef FS_H
#define FS_H

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

struct fs;

/* An open file; each backend has its own behind it. */
struct fs_file;

/* fallocate's modes, and two that only libgfapi has calls of its own for. */
enum fs_space {
    FS_ALLOCATE,      /* mode 0 */
    FS_ALLOCATE_KEEP, /* FALLOC_FL_KEEP_SIZE */
    FS_PUNCH,         /* a mount: PUNCH_HOLE | KEEP_SIZE; gfapi: discard */
    FS_ZERO,          /* a mount: ZERO_RANGE; gfapi: zerofill */
    FS_ZERO_KEEP,     /* a mount only: ZERO_RANGE | KEEP_SIZE */
};

struct fs_ops {
    const char *kind;
    int (*open)(struct fs *fs, const char *name, int flags, mode_t mode,
                struct fs_file **file);
    int (*close)(struct fs_file *file);
    ssize_t (*preadv)(struct fs_file *file, const struct iovec *iov, int n,
                      off_t off);
    ssize_t (*pwritev)(struct fs_file *file, const struct iovec *iov, int n,
                       off_t off);
    /* At the file's own offset: for O_APPEND. */
    ssize_t (*write)(struct fs_file *file, const void *buf, size_t n);
    int (*ftruncate)(struct fs_file *file, off_t size);
    int (*truncate)(struct fs *fs, const char *name, off_t size);
    int (*space)(struct fs_file *file, enum fs_space how, off_t off, off_t n);
    off_t (*seek)(struct fs_file *file, off_t off, int whence);
    int (*fsync)(struct fs_file *file, int datasync);
    int (*fstat)(struct fs_file *file, struct stat *st);
    int (*lstat)(struct fs *fs, const char *name, struct stat *st);
    ssize_t (*copy)(struct fs_file *in, off_t from, struct fs_file *out,
                    off_t to, size_t n);
    /* Through a mapping, MAP_SHARED (with msync) or MAP_PRIVATE. */
    int (*map_write)(struct fs_file *file, const void *buf, size_t n,
                     off_t off);
    int (*map_read)(struct fs_file *file, void *buf, size_t n, off_t off);
    /* The kernel's pages of this file are dropped, if there is a kernel. */
    void (*forget)(struct fs_file *file);
    int (*unlink)(struct fs *fs, const char *name);
    int (*rename)(struct fs *fs, const char *from, const char *to);
    int (*link)(struct fs *fs, const char *from, const char *to);
    int (*futimens)(struct fs_file *file, const struct timespec times[2]);
    int (*utimens)(struct fs *fs, const char *name,
                   const struct timespec times[2]);
    int (*fchmod)(struct fs_file *file, mode_t mode);
    int (*setxattr)(struct fs *fs, const char *name, const char *key,
                    const void *value, size_t n);
    ssize_t (*getxattr)(struct fs *fs, const char *name, const char *key,
                        void *value, size_t n);
    void (*end)(struct fs *fs);
};

struct fs {
    const struct fs_ops *ops;
    char place[4096]; /* DIR or FILE.vol */
    void *own;        /* the backend's */
};

extern const struct fs_ops fs_mount_ops;
extern const struct fs_ops fs_gfapi_ops;

/** fs_wrong_ops - the mount's calls, one of them wrong. */
const struct fs_ops *
fs_wrong_ops(void);

/** fs_open_place - a volume named as above; 0 or -errno. gfapi connects here:
 * not before a fork(). */
int
fs_open_place(const char *what, struct fs *fs);

/** fs_gfapi_connect - what fs_open_place() does for gfapi. */
int
fs_gfapi_connect(struct fs *fs);

/** fs_pwrite, fs_pread - one buffer. As pwrite() and pread(), -errno. */
ssize_t
fs_pwrite(struct fs *fs, struct fs_file *file, const void *buf, size_t n,
          off_t off);
ssize_t
fs_pread(struct fs *fs, struct fs_file *file, void *buf, size_t n, off_t off);

#endif /* FS_H */
