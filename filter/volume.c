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

/* The working directory that glusterd has told us; NULL: nobody has. */
static const char *
workdir(void)
{
    const char *dir = getenv(WORKDIR_ENV);

    return dir && dir[0] ? dir : NULL;
}

/* The text of @dir's file @name, ended by NUL; NULL: there is none. */
static char *
read_text(const char *dir, const char *name)
{
    char path[PATH_MAX];
    struct stat st;
    size_t len = 0;
    char *text = NULL;

    if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >=
        sizeof(path))
        return NULL;
    text = volume_read_file(path, &len, &st);
    if (text)
        text[len] = '\0';
    return text;
}

/* ---- snapshots and clones --------------------------------------------------
 * glusterd writes all their files before it mounts their bricks, so that
 * nothing of theirs can say what they hold. They hold what that has of which
 * they were made: a volume, or a snapshot of one.
 */

/* Where a volume's files are, and its name. */
struct place {
    char dir[PATH_MAX];
    char volume[CONVERT_NAME_MAX];
};

static int
is_name(const char *name)
{
    return name[0] && name[0] != '.' && !strchr(name, '/');
}

/* Into @at: directory @sub of @dir, if it is that of a volume. */
static int
place_in(const char *dir, const char *sub, struct place *at)
{
    char path[PATH_MAX];

    if (strlen(sub) >= sizeof(at->volume) || !is_name(sub) ||
        (size_t)snprintf(at->dir, sizeof(at->dir), "%s/%s", dir, sub) >=
            sizeof(at->dir) ||
        (size_t)snprintf(path, sizeof(path), "%s/info", at->dir) >=
            sizeof(path) ||
        access(path, F_OK))
        return 0;
    snprintf(at->volume, sizeof(at->volume), "%s", sub);
    return 1;
}

/* The volume in the directory of a snapshot; there is but one. */
static int
place_of_snapshot(const char *dir, struct place *at)
{
    struct dirent *entry = NULL;
    DIR *d = opendir(dir);
    int found = 0;

    while (d && !found && (entry = readdir(d)) != NULL)
        found = place_in(dir, entry->d_name, at);
    if (d)
        closedir(d);
    return found;
}

/* The snapshot with the id @want. */
static int
place_of_id(const char *want, struct place *at)
{
    char snaps[PATH_MAX];
    char path[PATH_MAX];
    char id[64];
    struct dirent *entry = NULL;
    char *text = NULL;
    DIR *d = NULL;
    int found = 0;

    if ((size_t)snprintf(snaps, sizeof(snaps), "%s/snaps", workdir()) <
        sizeof(snaps))
        d = opendir(snaps);
    while (d && !found && (entry = readdir(d)) != NULL) {
        if (!is_name(entry->d_name) ||
            (size_t)snprintf(path, sizeof(path), "%s/%s", snaps,
                             entry->d_name) >= sizeof(path))
            continue;
        text = read_text(path, "info");
        if (!text)
            continue;
        ondisk_info(text, "snap-id", id, sizeof(id));
        free(text);
        found = strcmp(id, want) == 0 && place_of_snapshot(path, at);
    }
    if (d)
        closedir(d);
    return found;
}

/* A snapshot's file says of which volume it is; that of a clone, and of a
 * volume that was restored, of which snapshot. 0: it is neither. 1: it is;
 * @at: of what, its volume is "" if that is not there any more. */
static int
place_of_origin(const char *dir, struct place *at)
{
    static const char no_id[] = "00000000-0000-0000-0000-000000000000";
    char parent[CONVERT_NAME_MAX];
    char vols[PATH_MAX];
    char id[64];
    char *text = workdir() ? read_text(dir, "info") : NULL;
    int found = 0;

    at->volume[0] = '\0';
    if (!text)
        return 0;
    ondisk_info(text, "parent_volname", parent, sizeof(parent));
    ondisk_info(text, "restored_from_snap", id, sizeof(id));
    free(text);
    /* "N/A" is no name. */
    if (is_name(parent)) {
        found = (size_t)snprintf(vols, sizeof(vols), "%s/vols", workdir()) <
                    sizeof(vols) &&
                place_in(vols, parent, at);
    } else if (id[0] && strcmp(id, no_id) != 0) {
        found = place_of_id(id, at);
    } else {
        return 0;
    }
    if (!found)
        at->volume[0] = '\0';
    return 1;
}

/* The path of one of the two files for mounts, one for servers and one for
 * everybody; NULL: it is @base, which is being written and says nothing. */
static const char *
clients_file(const struct place *at, int i, const char *base, char *path,
             size_t size)
{
    const char *name = path + strlen(at->dir) + 1;

    if ((size_t)snprintf(path, size, "%s/%s%s.tcp-fuse.vol", at->dir,
                         i ? "trusted-" : "", at->volume) >= size)
        return NULL;
    return strcmp(name, base) == 0 ? NULL : path;
}

static int
has_clients_file(const struct place *at, const char *base)
{
    char path[PATH_MAX];
    int i = 0;

    for (i = 0; i < 2; i++)
        if (clients_file(at, i, base, path, sizeof(path)) &&
            access(path, F_OK) == 0)
            return 1;
    return 0;
}

/* Whose files say what is in force for the volume in @at: its own, as soon as
 * it has any; else those of what it was made of, which then is in @at. 1: the
 * volume is a snapshot or a clone. */
static int
place_in_force(struct place *at, const char *base)
{
    struct place origin;
    int copy = 0;
    /* A clone of a snapshot of a volume. */
    int steps = 3;

    while (steps-- > 0 && place_of_origin(at->dir, &origin)) {
        copy = 1;
        if (has_clients_file(at, base) || !origin.volume[0])
            break;
        *at = origin;
    }
    return copy;
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

/* One with the guard says more: where the setting was taken away, not all have
 * it again (protect). */
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

static const char *
base_of(const char *file)
{
    const char *slash = strrchr(file, '/');

    return slash ? slash + 1 : file;
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

static int
find_brick(const char *file, const char *volume, struct brick *best)
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

/* What the bricks of a snapshot or clone hold that are not mounted yet: what
 * those hold of which it was made. */
static void
ask_origin(const char *base, const char *volume, struct brick *brick)
{
    struct place at;
    struct brick origin;

    snprintf(at.dir, sizeof(at.dir), "%s", brick->dir);
    snprintf(at.volume, sizeof(at.volume), "%s", volume);
    place_in_force(&at, base);
    if (strcmp(at.dir, brick->dir) == 0)
        return;
    memset(&origin, 0, sizeof(origin));
    if (brick_in_dir(at.dir, at.volume, &origin) == 0)
        ondisk_merge(&brick->disk, &origin.disk);
    brick_free(&origin);
}

int
brick_find(const char *file, const char *volume, struct brick *best)
{
    int ret = find_brick(file, volume, best);

    if (ret == 0 && !best->disk.here)
        ask_origin(base_of(file), volume, best);
    return ret;
}

/* ---- what is in force ------------------------------------------------------
 */

static enum ondisk_status
status_of(const char *dir)
{
    enum ondisk_status status = ONDISK_NEW;
    char *text = read_text(dir, "info");

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

/* glusterd writes the two files for mounts one after the other. What is in
 * force for a snapshot or clone does not depend on its state: it has data since
 * it was made. */
int
volume_in_force(const char *file, const char *dir, const char *volume,
                int stopped)
{
    const char *base = base_of(file);
    enum ondisk_status status = ONDISK_NEW;
    struct place at;
    char path[PATH_MAX];
    int kind = -1;
    int i = 0;

    snprintf(at.dir, sizeof(at.dir), "%s", dir);
    snprintf(at.volume, sizeof(at.volume), "%s", volume);
    if (!place_in_force(&at, base)) {
        status = status_of(dir);
        if (status == ONDISK_NEW || (status == ONDISK_STOPPED && !stopped))
            return -1;
    }
    for (i = 0; i < 2 && kind < 0; i++)
        if (clients_file(&at, i, base, path, sizeof(path)))
            kind = kind_in_file(path, at.volume);
    return kind;
}

/* Is the file @name of @dir that of a brick of the server @uuid? */
static int
is_brick_of(const char *dir, const char *name, const char *uuid)
{
    char value[64] = "";
    char *text = read_text(dir, name);

    if (text)
        ondisk_info(text, "uuid", value, sizeof(value));
    free(text);
    return strcmp(value, uuid) == 0;
}

int
volume_is_served(const char *dir)
{
    char bricks[PATH_MAX];
    char uuid[64] = "";
    struct dirent *entry = NULL;
    char *text = workdir() ? read_text(workdir(), "glusterd.info") : NULL;
    DIR *d = NULL;
    int found = 0;

    if (text)
        ondisk_info(text, "UUID", uuid, sizeof(uuid));
    free(text);
    if (uuid[0] && (size_t)snprintf(bricks, sizeof(bricks), "%s/bricks", dir) <
                       sizeof(bricks))
        d = opendir(bricks);
    while (d && !found && (entry = readdir(d)) != NULL)
        found = is_brick_of(bricks, entry->d_name, uuid);
    if (d)
        closedir(d);
    return found;
}

const char *
volume_unfit(const char *dir, const char *volume)
{
    const char *why = NULL;
    char vols[PATH_MAX];
    char *text = read_text(dir, "info");

    if (!text && workdir() &&
        (size_t)snprintf(vols, sizeof(vols), "%s/vols/%s", workdir(), volume) <
            sizeof(vols))
        text = read_text(vols, "info");
    if (text)
        why = ondisk_unfit(text);
    free(text);
    return why;
}
