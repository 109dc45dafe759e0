/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * target.h - the place a command looks at, whether it is reached through a
 * mount or through libgfapi. The rest of the command sees only this.
 *
 *   /mnt/shop/pictures           a directory of a mounted volume
 *   HOST:/VOLUME[/DIR]           libgfapi, volfile from HOST's glusterd
 *   FILE.vol:/[DIR]              libgfapi, volfile from a file
 *
 * An existing directory of that very name is always taken as a mount.
 */
#ifndef ALLOT_TARGET_H
#define ALLOT_TARGET_H

#include <dirent.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "cli.h"

struct allot_target;

/* An open directory. The two kinds of target embed it first in their own. */
struct allot_dir {
    struct allot_target *target; /* borrowed */
};

/* Directory entries as readdir() gives them; valid until the next call. */
struct allot_entry {
    const char *name;
    unsigned char type; /* DT_*; DT_UNKNOWN is possible */
};

/* @name is one component below @dir, or NULL for @dir itself. None of these
 * follows a symbolic link. All return 0 (or what is said) or -errno. */
struct allot_target_ops {
    /* Names a directory; only dir_next opens it to be read. */
    int (*dir_open)(struct allot_dir *parent, const char *name,
                    struct allot_dir **dir);
    /* The root of the volume as far as this target can see it. */
    int (*root_open)(struct allot_target *target, struct allot_dir **dir);
    /* 1: an entry, 0: the end, -errno: the listing breaks off here. */
    int (*dir_next)(struct allot_dir *dir, struct allot_entry *entry);
    void (*dir_close)(struct allot_dir *dir);
    int (*stat)(struct allot_dir *dir, const char *name, struct stat *st);
    /* Returns the length. With @size 0: the length it would be. */
    ssize_t (*getxattr)(struct allot_dir *dir, const char *name,
                        const char *key, void *value, size_t size);
    int (*setxattr)(struct allot_dir *dir, const char *key, const void *value,
                    size_t size);
    void (*close)(struct allot_target *target);
};

struct allot_target {
    const struct allot_target_ops *ops;
    const char *shown;     /* as the user wrote it; borrowed */
    struct allot_dir *dir; /* the directory, or the one of the file; owned */
    char *leaf;            /* the file's name in it, NULL: none; owned */
};

/**
 * allot_target_open - open a TARGET directory, or a PATH of a file
 * @text: as the user wrote it; must outlive the target
 * @want_file: 0: a directory; 1: a file, its name is put in ->leaf
 * @out: close with allot_target_close()
 *
 * Returns 0, or ALLOT_EXIT_ERROR with the error printed.
 */
int
allot_target_open(const struct allot_cli *cli, const char *text, int want_file,
                  struct allot_target **out);

/** allot_target_close - close what was opened; NULL is allowed. */
void
allot_target_close(struct allot_target *target);

/**
 * allot_target_ask - read a virtual xattr that is text
 * @text: NUL-terminated, allocated, the caller frees
 *
 * Returns the length without NULs at the end, or -errno.
 */
ssize_t
allot_target_ask(struct allot_dir *dir, const char *name, const char *key,
                 char **text);

/* The two kinds, used by allot_target_open() only. Both print their errors. */
int
allot_mount_open(const char *text, int want_file, struct allot_target **out);
/* @host NULL: @volume is the name of a volfile. @path: absolute. */
int
allot_gfapi_open(const struct allot_cli *cli, const char *host,
                 const char *volume, const char *path, int want_file,
                 struct allot_target **out);

#endif /* ALLOT_TARGET_H */
