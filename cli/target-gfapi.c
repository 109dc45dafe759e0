/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * target-gfapi.c - a target reached through libgfapi, without a mount. It
 * fetches the same client graph that a mount would load, so cluster/allot
 * answers here too.
 *
 * glfs_fini() is not called: it waits without a bound for the last event of
 * the graph, and the process ends anyway, which closes the connections.
 *
 * libgfapi is loaded when it is needed: with all that it needs in its turn that
 * takes longer than a report on some hundred files of a mount, which needs none
 * of it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <glusterfs/api/glfs.h>

#include "target.h"

/* GlusterFS's numbers for its log levels; its header for them is not ours. */
#define ALLOT_LOG_NONE 0
#define ALLOT_LOG_INFO 7

#define ALLOT_GFAPI "libgfapi.so.0"
/* What is called of it. */
#define ALLOT_GFAPI_CALLS(CALL) \
    CALL(closedir)              \
    CALL(free)                  \
    CALL(init)                  \
    CALL(lgetxattr)             \
    CALL(lsetxattr)             \
    CALL(lstat)                 \
    CALL(new)                   \
    CALL(opendir)               \
    CALL(readdir)               \
    CALL(realpath)              \
    CALL(set_logging)           \
    CALL(set_volfile)           \
    CALL(set_volfile_server)    \
    CALL(stat)

static struct {
#define ALLOT_GFAPI_MEMBER(name) __typeof__(&glfs_##name) name;
    ALLOT_GFAPI_CALLS(ALLOT_GFAPI_MEMBER)
#undef ALLOT_GFAPI_MEMBER
} gfapi;

/* 0, or an exit status with the error printed. */
static int
allot_gfapi_load(void)
{
    void *lib = dlopen(ALLOT_GFAPI, RTLD_NOW | RTLD_GLOBAL);
    const char *missing = lib ? NULL : dlerror();

#define ALLOT_GFAPI_FIND(name)                             \
    if (lib && !missing) {                                 \
        *(void **)&gfapi.name = dlsym(lib, "glfs_" #name); \
        if (!gfapi.name)                                   \
            missing = "it has no glfs_" #name;             \
    }
    ALLOT_GFAPI_CALLS(ALLOT_GFAPI_FIND)
#undef ALLOT_GFAPI_FIND
    if (!missing)
        return 0;
    return allot_cli_error(
        "cannot load " ALLOT_GFAPI
        ": %s; check the installed GlusterFS, or name a directory of a mount",
        missing);
}

struct allot_gfapi_target {
    struct allot_target target;
    glfs_t *fs;
};

struct allot_gfapi_dir {
    struct allot_dir dir;
    glfs_t *fs;        /* borrowed */
    char *path;        /* absolute in the volume; owned */
    glfs_fd_t *stream; /* NULL until the first dir_next */
};

static struct allot_gfapi_dir *
allot_gfapi_dir(struct allot_dir *dir)
{
    return (struct allot_gfapi_dir *)dir;
}

/* The path of @name below @dir, or NULL when out of memory. */
static char *
allot_gfapi_join(const char *dir, const char *name)
{
    char *path;

    if (!name)
        return strdup(dir);
    if (asprintf(&path, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, name) < 0)
        return NULL;
    return path;
}

static int
allot_gfapi_dir_new(struct allot_target *target, const char *parent,
                    const char *name, struct allot_dir **out)
{
    struct allot_gfapi_dir *dir = calloc(1, sizeof(*dir));

    if (!dir)
        return -ENOMEM;
    dir->path = allot_gfapi_join(parent, name);
    if (!dir->path) {
        free(dir);
        return -ENOMEM;
    }
    dir->dir.target = target;
    dir->fs = ((struct allot_gfapi_target *)target)->fs;
    *out = &dir->dir;
    return 0;
}

static void
allot_gfapi_dir_close(struct allot_dir *base)
{
    struct allot_gfapi_dir *dir = allot_gfapi_dir(base);

    if (dir->stream)
        gfapi.closedir(dir->stream);
    free(dir->path);
    free(dir);
}

static int
allot_gfapi_stream(struct allot_gfapi_dir *dir)
{
    if (dir->stream)
        return 0;
    errno = 0;
    dir->stream = gfapi.opendir(dir->fs, dir->path);
    if (!dir->stream)
        return errno ? -errno : -EIO;
    return 0;
}

static int
allot_gfapi_dir_open(struct allot_dir *parent, const char *name,
                     struct allot_dir **dir)
{
    return allot_gfapi_dir_new(parent->target, allot_gfapi_dir(parent)->path,
                               name, dir);
}

static int
allot_gfapi_root_open(struct allot_target *target, struct allot_dir **dir)
{
    return allot_gfapi_dir_new(target, "/", NULL, dir);
}

static int
allot_gfapi_dir_next(struct allot_dir *base, struct allot_entry *entry)
{
    struct allot_gfapi_dir *dir = allot_gfapi_dir(base);
    struct dirent *ent;
    int err;

    err = allot_gfapi_stream(dir);
    if (err)
        return err;
    errno = 0;
    ent = gfapi.readdir(dir->stream);
    if (!ent)
        return -errno;
    entry->name = ent->d_name;
    entry->type = ent->d_type;
    return 1;
}

static int
allot_gfapi_stat(struct allot_dir *base, const char *name, struct stat *st)
{
    struct allot_gfapi_dir *dir = allot_gfapi_dir(base);
    char *path = allot_gfapi_join(dir->path, name);
    int ret;

    if (!path)
        return -ENOMEM;
    ret = gfapi.lstat(dir->fs, path, st) == 0 ? 0 : -errno;
    free(path);
    return ret;
}

static ssize_t
allot_gfapi_getxattr(struct allot_dir *base, const char *name, const char *key,
                     void *value, size_t size)
{
    struct allot_gfapi_dir *dir = allot_gfapi_dir(base);
    char *path = allot_gfapi_join(dir->path, name);
    ssize_t len;

    if (!path)
        return -ENOMEM;
    len = gfapi.lgetxattr(dir->fs, path, key, value, size);
    if (len < 0)
        len = -errno;
    free(path);
    return len;
}

static int
allot_gfapi_setxattr(struct allot_dir *base, const char *key, const void *value,
                     size_t size)
{
    struct allot_gfapi_dir *dir = allot_gfapi_dir(base);

    return gfapi.lsetxattr(dir->fs, dir->path, key, value, size, 0) == 0
               ? 0
               : -errno;
}

static void
allot_gfapi_close(struct allot_target *target)
{
    free(target);
}

static const struct allot_target_ops allot_gfapi_ops = {
    .dir_open = allot_gfapi_dir_open,
    .root_open = allot_gfapi_root_open,
    .dir_next = allot_gfapi_dir_next,
    .dir_close = allot_gfapi_dir_close,
    .stat = allot_gfapi_stat,
    .getxattr = allot_gfapi_getxattr,
    .setxattr = allot_gfapi_setxattr,
    .close = allot_gfapi_close,
};

/* Connect. Returns NULL with the error printed. */
static glfs_t *
allot_gfapi_connect(const struct allot_cli *cli, const char *host,
                    const char *volume)
{
    const char *log = cli->log_file ? cli->log_file : "/dev/null";
    glfs_t *fs;
    int err;

    errno = 0;
    fs = gfapi.new(host ? volume : "allot");
    if (!fs) {
        allot_cli_error(
            "cannot start libgfapi: %s; check the installed "
            "GlusterFS",
            strerror(errno));
        return NULL;
    }
    if (gfapi.set_logging(fs, log,
                          cli->log_file ? ALLOT_LOG_INFO : ALLOT_LOG_NONE)) {
        allot_cli_error(
            "cannot write libgfapi's log to '%s': %s; name "
            "another file with --log-file",
            log, strerror(errno));
        return NULL;
    }
    if (host)
        err = gfapi.set_volfile_server(fs, "tcp", host, 0);
    else
        err = gfapi.set_volfile(fs, volume);
    errno = err ? errno : 0;
    if (!err)
        err = gfapi.init(fs);
    if (!err)
        return fs;

    err = errno ? errno : EIO;
    allot_cli_errno(err);
    if (host)
        allot_cli_error(
            "cannot open volume '%s' of host '%s' through libgfapi: %s; check "
            "that the volume is started and its client graph loads, "
            "--log-file FILE shows why",
            volume, host, strerror(err));
    else
        allot_cli_error(
            "cannot open volfile '%s' through libgfapi: %s; check that its "
            "bricks run and its translators load, --log-file FILE shows why",
            volume, strerror(err));
    return NULL;
}

/*
 * A volfile with bricks of its own (storage/posix, as the one-process volumes
 * have) cannot be opened a second time beside its mount: the two would not
 * know of each other's locks, and GlusterFS 10's posix needs a brick process
 * and crashes in any other. Returns 1 if there is none, else 0 with the error
 * printed.
 */
static int
allot_gfapi_volfile_fits(const char *volfile)
{
    FILE *in = fopen(volfile, "r");
    char *line = NULL;
    size_t cap = 0;
    int fits = 1;

    if (!in) {
        allot_cli_error("cannot read volfile '%s': %s; name a client volfile",
                        volfile, strerror(errno));
        return 0;
    }
    while (fits && getline(&line, &cap, in) > 0) {
        char word[2][16];

        if (sscanf(line, "%15s %15s", word[0], word[1]) == 2 &&
            strcmp(word[0], "type") == 0 &&
            strncmp(word[1], "storage/", 8) == 0)
            fits = 0;
    }
    free(line);
    fclose(in);
    if (!fits)
        allot_cli_error(
            "volfile '%s' contains its own bricks (storage/...), only one "
            "process may have them open; name a directory of its mount "
            "instead",
            volfile);
    return fits;
}

/* "/a/b/c///" to "/a/b" and "c". Links are followed as on a mount. */
static int
allot_gfapi_split(glfs_t *fs, const char *path, char **parent, char **leaf)
{
    struct stat st;
    char *copy, *slash;
    int err = 0;

    *leaf = NULL;
    *parent = NULL;
    if (gfapi.lstat(fs, path, &st) == 0 && S_ISLNK(st.st_mode)) {
        char *resolved = gfapi.realpath(fs, path, NULL);

        if (!resolved)
            return -errno;
        copy = strdup(resolved);
        gfapi.free(resolved);
    } else {
        copy = strdup(path);
    }
    if (!copy)
        return -ENOMEM;
    slash = copy + strlen(copy);
    while (slash > copy + 1 && slash[-1] == '/')
        *--slash = '\0';
    slash = strrchr(copy, '/');
    if (!slash || slash[1] == '\0') {
        err = -EISDIR;
        goto out;
    }
    *leaf = strdup(slash + 1);
    if (slash == copy)
        slash++;
    *slash = '\0';
    *parent = strdup(copy);
    if (!*leaf || !*parent)
        err = -ENOMEM;
out:
    free(copy);
    if (err) {
        free(*leaf);
        free(*parent);
    }
    return err;
}

int
allot_gfapi_open(const struct allot_cli *cli, const char *host,
                 const char *volume, const char *path, int want_file,
                 struct allot_target **out)
{
    struct allot_gfapi_target *target;
    char *parent = NULL, *leaf = NULL;
    struct stat st;
    glfs_t *fs;
    int err;

    if (!host && !allot_gfapi_volfile_fits(volume))
        return ALLOT_EXIT_ERROR;
    err = allot_gfapi_load();
    if (err)
        return err;
    fs = allot_gfapi_connect(cli, host, volume);
    if (!fs)
        return ALLOT_EXIT_ERROR;

    if (want_file)
        err = allot_gfapi_split(fs, path, &parent, &leaf);
    else if (gfapi.stat(fs, path, &st) != 0)
        err = -errno;
    else
        err = S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
    allot_cli_errno(-err);
    if (err)
        return allot_cli_error(
            "cannot open '%s' in volume '%s': %s; name a "
            "%s of the volume",
            path, volume, strerror(-err), want_file ? "file" : "directory");

    target = calloc(1, sizeof(*target));
    if (target) {
        target->fs = fs;
        target->target.ops = &allot_gfapi_ops;
    }
    if (!target || allot_gfapi_dir_new(&target->target, parent ? parent : path,
                                       NULL, &target->target.dir)) {
        free(target);
        free(leaf);
        free(parent);
        return allot_cli_error("out of memory");
    }
    target->target.leaf = leaf;
    free(parent);
    *out = &target->target;
    return 0;
}
