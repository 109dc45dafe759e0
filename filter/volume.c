/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * volume.c - see volume.h. Reads only, and says nothing: what is missing, or is
 * no volfile, is as if it were not there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "allot-codec.h"
#include "convert.h"
#include "volume.h"

/* What glusterd tells its children. */
#define WORKDIR_ENV "GLUSTERD_WORKDIR"

/* A pipe of that name must not make us wait. */
char *
volume_read_file(const char *path, size_t *len, struct stat *st)
{
    char *text = NULL;
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    *len = 0;
    if (fd < 0)
        return NULL;
    if (fstat(fd, st)) {
        close(fd);
        return NULL;
    }
    if (!S_ISREG(st->st_mode) || st->st_size > VOLFILE_SIZE_MAX) {
        close(fd);
        errno = EFBIG;
        return NULL;
    }
    text = malloc(st->st_size + 1);
    while (text && *len < (size_t)st->st_size) {
        n = read(fd, text + *len, st->st_size - *len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        *len += n;
    }
    close(fd);
    if (text && *len != (size_t)st->st_size) {
        free(text);
        errno = EIO;
        return NULL;
    }
    return text;
}

/* ---- the brick's volfile ---------------------------------------------------
 */

void
brick_free(struct brick *b)
{
    volfile_free(&b->vf);
    free(b->text);
    memset(b, 0, sizeof(*b));
}

static int
newer(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec
                                  : a->tv_nsec > b->tv_nsec;
}

/* One with the guard says more: where the setting was taken away, only bricks
 * of this machine have it again (protect). */
static int
brick_better(const struct brick *a, const struct brick *b)
{
    int a_guard = volfile_has_type(&a->vf, "user/allot") >= 0;
    int b_guard = volfile_has_type(&b->vf, "user/allot") >= 0;

    return a_guard != b_guard ? a_guard : newer(&a->mtime, &b->mtime);
}

/* Takes @path into @best if it is a brick's volfile and newer. */
static int
brick_consider(const char *path, struct brick *best)
{
    struct brick b;
    struct stat st;
    const char *why = NULL;
    size_t len = 0;
    int better = 0;

    memset(&b, 0, sizeof(b));
    b.text = volume_read_file(path, &len, &st);
    if (!b.text)
        return errno == ENOENT ? 0 : -errno;
    b.mtime = st.st_mtim;
    if (volfile_parse(b.text, len, &b.vf, &why) ||
        volfile_has_type(&b.vf, "storage/posix") < 0) {
        brick_free(&b);
        return 0;
    }
    better = !best->text || brick_better(&b, best);
    ondisk_read(&b.vf, &b.disk);
    if (best->text)
        ondisk_merge(better ? &b.disk : &best->disk,
                     better ? &best->disk : &b.disk);
    if (!better) {
        brick_free(&b);
        return 0;
    }
    brick_free(best);
    *best = b;
    return 0;
}

/* Names of bricks' volfiles begin with the volume's and a dot. The clients'
 * files have their transport there, and no brick in them. */
static int
brick_in_dir(const char *dir, const char *volume, struct brick *best)
{
    char path[PATH_MAX];
    struct dirent *entry = NULL;
    size_t n = strlen(volume);
    size_t k = 0;
    DIR *d = opendir(dir);

    if (!d)
        return -errno;
    while ((entry = readdir(d)) != NULL) {
        k = strlen(entry->d_name);
        if (strncmp(entry->d_name, volume, n) != 0 || entry->d_name[n] != '.' ||
            k < 4 || strcmp(entry->d_name + k - 4, ".vol") != 0)
            continue;
        if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) <
            sizeof(path))
            brick_consider(path, best);
    }
    closedir(d);
    if (!best->text)
        return -ENOENT;
    snprintf(best->dir, sizeof(best->dir), "%s", dir);
    return 0;
}

/* The working directory that glusterd has told us; NULL: nobody has. */
static const char *
workdir(void)
{
    const char *dir = getenv(WORKDIR_ENV);

    return dir && dir[0] ? dir : NULL;
}

/* Is @file where only glusterd writes? Its temporary copies are in /tmp, where
 * anybody can put files beside them. */
static int
in_workdir(const char *file)
{
    const char *dir = workdir();
    size_t n = dir ? strlen(dir) : 0;

    return !dir || (strncmp(file, dir, n) == 0 && file[n] == '/');
}

/* A snapshot's volume has the directory snaps/SNAPSHOT/VOLUME. */
static int
brick_in_snaps(const char *volume, struct brick *best)
{
    char path[PATH_MAX];
    struct dirent *entry = NULL;
    int ret = -ENOENT;
    DIR *d = NULL;

    if ((size_t)snprintf(path, sizeof(path), "%s/snaps", workdir()) >=
        sizeof(path))
        return -ENAMETOOLONG;
    d = opendir(path);
    if (!d)
        return -errno;
    while (ret && (entry = readdir(d)) != NULL)
        if (entry->d_name[0] != '.' &&
            (size_t)snprintf(path, sizeof(path), "%s/snaps/%s/%s", workdir(),
                             entry->d_name, volume) < sizeof(path))
            ret = brick_in_dir(path, volume, best);
    closedir(d);
    return ret;
}

void
volume_dir(const char *file, char *dir, size_t size)
{
    const char *slash = strrchr(file, '/');

    if (slash == file)
        slash++;
    snprintf(dir, size, "%.*s", slash ? (int)(slash - file) : 1,
             slash ? file : ".");
}

int
brick_find(const char *file, const char *volume, struct brick *best)
{
    char dir[PATH_MAX];
    int ret = 0;

    memset(best, 0, sizeof(*best));
    volume_dir(file, dir, sizeof(dir));
    ret = in_workdir(file) ? brick_in_dir(dir, volume, best) : -ENOENT;
    if (ret && workdir()) {
        if ((size_t)snprintf(dir, sizeof(dir), "%s/vols/%s", workdir(),
                             volume) >= sizeof(dir))
            return -ENAMETOOLONG;
        ret = brick_in_dir(dir, volume, best);
        if (ret)
            ret = brick_in_snaps(volume, best);
    } else if (ret) {
        ret = -ENOENT;
    }
    return ret;
}

/* ---- what is in force ------------------------------------------------------
 */

/* The text of "info" in @dir, ended by NUL; NULL: there is none. */
static char *
read_info(const char *dir)
{
    char path[PATH_MAX];
    struct stat st;
    size_t len = 0;
    char *text = NULL;

    if ((size_t)snprintf(path, sizeof(path), "%s/info", dir) >= sizeof(path))
        return NULL;
    text = volume_read_file(path, &len, &st);
    if (text)
        text[len] = '\0';
    return text;
}

static enum ondisk_status
status_of(const char *dir)
{
    enum ondisk_status status = ONDISK_NEW;
    char *text = read_info(dir);

    if (text)
        status = ondisk_status(text);
    free(text);
    return status;
}

/* The kind of namespace in a client's volfile, -1: there is no allot in it. */
static int
kind_in_file(const char *path, const char *volume)
{
    char name[CONVERT_NAME_MAX + 16];
    struct volfile vf;
    struct stat st;
    const char *why = NULL;
    size_t len = 0;
    int kind = -1;
    char *text = volume_read_file(path, &len, &st);

    if (!text)
        return -1;
    snprintf(name, sizeof(name), "%s-names", volume);
    if (volfile_parse(text, len, &vf, &why) == 0 &&
        volfile_has_type(&vf, "cluster/allot") >= 0)
        kind = volfile_find(&vf, name) >= 0 ? ALLOT_NS_REPLICATE
                                            : ALLOT_NS_DISTRIBUTE;
    volfile_free(&vf);
    free(text);
    return kind;
}

/* glusterd writes two files for mounts, one for servers and one for everybody,
 * one after the other: the one that is being written says nothing any more. */
int
volume_in_force(const char *file, const char *dir, const char *volume,
                int stopped)
{
    const char *slash = strrchr(file, '/');
    const char *base = slash ? slash + 1 : file;
    enum ondisk_status status = status_of(dir);
    char names[2][CONVERT_NAME_MAX + 32];
    char path[PATH_MAX];
    int kind = -1;
    int i = 0;

    if (status == ONDISK_NEW || (status == ONDISK_STOPPED && !stopped))
        return -1;
    snprintf(names[0], sizeof(names[0]), "%s.tcp-fuse.vol", volume);
    snprintf(names[1], sizeof(names[1]), "trusted-%s.tcp-fuse.vol", volume);
    for (i = 0; i < 2 && kind < 0; i++)
        if (strcmp(base, names[i]) != 0 &&
            (size_t)snprintf(path, sizeof(path), "%s/%s", dir, names[i]) <
                sizeof(path))
            kind = kind_in_file(path, volume);
    return kind;
}

const char *
volume_unfit(const char *dir, const char *volume)
{
    const char *why = NULL;
    char vols[PATH_MAX];
    char *text = read_info(dir);

    if (!text && workdir() &&
        (size_t)snprintf(vols, sizeof(vols), "%s/vols/%s", workdir(), volume) <
            sizeof(vols))
        text = read_info(vols);
    if (text)
        why = ondisk_unfit(text);
    free(text);
    return why;
}
