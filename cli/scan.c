/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* scan.c - see scan.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "scan.h"

struct allot_scan_level {
    struct allot_dir *dir;
    size_t path_len; /* of this directory's path in the path buffer */
};

struct allot_scan {
    const struct allot_target_ops *target_ops;
    const struct allot_scan_ops *ops;
    void *arg;
    dev_t dev;
    char *path; /* of the present entry; NUL-terminated */
    size_t path_cap;
    struct allot_scan_level *levels; /* levels[0] is the target, borrowed */
    size_t depth, level_cap;
};

/* One open directory per level: a deep tree needs more than the usual 1024. */
static void
allot_scan_raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        /* If this fails, too deep a directory is reported as incomplete. */
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int
allot_scan_push(struct allot_scan *scan, struct allot_dir *dir, size_t path_len)
{
    if (scan->depth == scan->level_cap) {
        size_t cap = scan->level_cap ? 2 * scan->level_cap : 32;
        struct allot_scan_level *levels;

        levels = realloc(scan->levels, cap * sizeof(*levels));
        if (!levels)
            return -ENOMEM;
        scan->levels = levels;
        scan->level_cap = cap;
    }
    scan->levels[scan->depth].dir = dir;
    scan->levels[scan->depth].path_len = path_len;
    scan->depth++;
    return 0;
}

static void
allot_scan_pop(struct allot_scan *scan)
{
    scan->depth--;
    /* The target's own directory is closed with the target. */
    if (scan->depth > 0)
        scan->target_ops->dir_close(scan->levels[scan->depth].dir);
}

/* Put @name behind the path of the present level; its new length, or -errno. */
static ssize_t
allot_scan_name(struct allot_scan *scan, const char *name)
{
    size_t base = scan->levels[scan->depth - 1].path_len;
    size_t len = strlen(name);
    size_t need = base + 1 + len + 1;

    if (need > scan->path_cap) {
        char *path = realloc(scan->path, 2 * need);

        if (!path)
            return -ENOMEM;
        scan->path = path;
        scan->path_cap = 2 * need;
    }
    if (base > 0)
        scan->path[base++] = '/';
    memcpy(scan->path + base, name, len + 1);
    return (ssize_t)(base + len);
}

static int
allot_scan_vanished(int err)
{
    return err == -ENOENT || err == -ESTALE || err == -ENOTDIR;
}

/* A name that lstat() refused: readdir's type says what it is. */
static int
allot_scan_refused(struct allot_scan *scan, const struct allot_entry *entry,
                   struct allot_dir *dir, const char *name, int err)
{
    if (allot_scan_vanished(err))
        return 0;
    if (err == -ENOMEM)
        return err;
    switch (entry->type) {
        case DT_DIR:
            return scan->ops->incomplete(scan->arg, scan->path, err);
        case DT_REG:
        case DT_UNKNOWN:
            return scan->ops->file(scan->arg, dir, name, scan->path, NULL, err);
        default:
            return 0;
    }
}

static int
allot_scan_enter(struct allot_scan *scan, struct allot_dir *dir,
                 const char *name, size_t path_len)
{
    struct allot_dir *sub;
    int err = scan->target_ops->dir_open(dir, name, &sub);

    if (err == 0) {
        err = allot_scan_push(scan, sub, path_len);
        if (err)
            scan->target_ops->dir_close(sub);
        return err;
    }
    if (allot_scan_vanished(err))
        return 0;
    if (err == -ENOMEM)
        return err;
    return scan->ops->incomplete(scan->arg, scan->path, err);
}

static int
allot_scan_entry(struct allot_scan *scan, struct allot_dir *dir,
                 const struct allot_entry *entry)
{
    const char *name;
    struct stat st;
    ssize_t len;
    int err;

    if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
        return 0;
    len = allot_scan_name(scan, entry->name);
    if (len < 0)
        return (int)len;
    /* The copy in the path: the entry does not outlive another call. */
    name = scan->path + len - strlen(entry->name);

    err = scan->target_ops->stat(dir, name, &st);
    if (err)
        return allot_scan_refused(scan, entry, dir, name, err);
    if (st.st_dev != scan->dev)
        return 0;
    if (S_ISDIR(st.st_mode))
        return allot_scan_enter(scan, dir, name, (size_t)len);
    if (S_ISREG(st.st_mode))
        return scan->ops->file(scan->arg, dir, name, scan->path, &st, 0);
    return 0;
}

static int
allot_scan_run(struct allot_scan *scan)
{
    struct allot_entry entry;
    int ret = 0;

    while (scan->depth > 0 && ret == 0) {
        struct allot_scan_level *level = &scan->levels[scan->depth - 1];
        int more = scan->target_ops->dir_next(level->dir, &entry);

        if (more == 1) {
            ret = allot_scan_entry(scan, level->dir, &entry);
            continue;
        }
        if (more == -ENOMEM) {
            ret = more;
        } else if (more < 0 &&
                   !(scan->depth > 1 && allot_scan_vanished(more))) {
            scan->path[level->path_len] = '\0';
            ret = scan->ops->incomplete(scan->arg, scan->path, more);
        }
        allot_scan_pop(scan);
    }
    while (scan->depth > 0)
        allot_scan_pop(scan);
    return ret;
}

int
allot_scan(struct allot_target *target, const struct allot_scan_ops *ops,
           void *arg)
{
    struct allot_scan scan = {0};
    struct stat st;
    int ret;

    allot_scan_raise_limit();
    scan.target_ops = target->ops;
    scan.ops = ops;
    scan.arg = arg;
    scan.path = calloc(1, 1);
    scan.path_cap = 1;
    if (!scan.path)
        return -ENOMEM;

    ret = target->ops->stat(target->dir, NULL, &st);
    if (ret) {
        ret = ops->incomplete(arg, "", ret);
        goto out;
    }
    scan.dev = st.st_dev;
    ret = allot_scan_push(&scan, target->dir, 0);
    if (ret == 0)
        ret = allot_scan_run(&scan);
out:
    free(scan.levels);
    free(scan.path);
    return ret;
}
