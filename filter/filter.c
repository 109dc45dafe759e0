/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * filter.c - the volgen filter: glusterd runs it on every volfile that it has
 * written, with the file's path as the argument. It puts cluster/allot into
 * the clients' files of volumes that asked for it, and leaves all others as
 * they are, byte for byte.
 *
 *     allot [--log FILE] VOLFILE
 *
 * glusterd waits for it under its lock, so it never calls gluster, opens
 * nothing that could make it wait, and is ended by the kernel after
 * FILTER_SECONDS should a disk not answer. It replaces the file in one step
 * (rename), with the same owner and mode. When it does not understand the file,
 * or anything fails, it leaves the file alone, logs why, and exits with 1,
 * which glusterd logs too: a client with such a file is kept out by the guards
 * in the bricks. In a file of several volumes that holds for each of them.
 *
 * What to write is decided in convert.c and request.c.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include "allot-codec.h"
#include "convert.h"
#include "ondisk.h"

#ifndef FILTER_LOGDIR
#define FILTER_LOGDIR "/var/log/glusterfs"
#endif
/* What glusterd tells its children. */
#define WORKDIR_ENV "GLUSTERD_WORKDIR"
/* Longer than any run on a machine that works at all. */
#define FILTER_SECONDS 10

static const char *log_path = FILTER_LOGDIR "/allot-filter.log";
static const char *subject = "";

static void
tell(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
tell(int level, const char *format, ...)
{
    char text[2048];
    char when[32] = "";
    struct tm tm;
    time_t now = time(NULL);
    va_list args;
    FILE *f = NULL;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    syslog(LOG_DAEMON | level, "%s: %s", subject, text);
    f = fopen(log_path, "ae");
    if (!f)
        return;
    if (gmtime_r(&now, &tm))
        strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S +0000", &tm);
    fprintf(f, "[%s] %c %s: %s\n", when, level <= LOG_ERR ? 'E' : 'W', subject,
            text);
    fclose(f);
}

/* A whole file; NULL with errno. The caller frees it. A pipe of that name must
 * not make us wait. */
static char *
read_file(const char *path, size_t *len, struct stat *st)
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

/* In one step, with owner and mode of the old one. */
static int
replace_file(const char *path, const char *text, size_t len,
             const struct stat *st)
{
    char temp[PATH_MAX];
    size_t done = 0;
    ssize_t n = 0;
    int fd = 0;
    int err = 0;

    if ((size_t)snprintf(temp, sizeof(temp), "%s.allot-XXXXXX", path) >=
        sizeof(temp))
        return -ENAMETOOLONG;
    fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fchown(fd, st->st_uid, st->st_gid) || fchmod(fd, st->st_mode & 07777))
        err = errno;
    while (!err && done < len) {
        n = write(fd, text + done, len - done);
        if (n < 0 && errno != EINTR)
            err = errno;
        else if (n > 0)
            done += n;
    }
    if (close(fd) && !err)
        err = errno;
    if (!err && rename(temp, path))
        err = errno;
    if (err)
        unlink(temp);
    return -err;
}

/* ---- the brick's volfile ---------------------------------------------------
 */

/* A brick's volfile that was read. */
struct brick {
    char *text;
    struct volfile vf;
    struct timespec mtime;
    struct ondisk disk; /* of all bricks of the volume on this machine */
    char dir[PATH_MAX]; /* where it is */
};

static void
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
    b.text = read_file(path, &len, &st);
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
    return best->text ? 0 : -ENOENT;
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

/* Beside the file; for temporary copies, and for files of several volumes, in
 * glusterd's working directory. */
static int
brick_find(const char *file, const char *volume, struct brick *best)
{
    const char *slash = strrchr(file, '/');
    char dir[PATH_MAX];
    int ret = 0;

    memset(best, 0, sizeof(*best));
    snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - file) : 1,
             slash ? file : ".");
    if (!dir[0])
        strcpy(dir, "/");
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
    strcpy(best->dir, dir);
    return ret;
}

/* ---- what is on disk -------------------------------------------------------
 */

static int
info_started(const char *dir)
{
    char path[PATH_MAX];
    struct stat st;
    size_t len = 0;
    char *text = NULL;
    int ret = 0;

    if ((size_t)snprintf(path, sizeof(path), "%s/info", dir) >= sizeof(path))
        return 0;
    text = read_file(path, &len, &st);
    if (!text)
        return 0;
    text[len] = '\0';
    ret = ondisk_started(text);
    free(text);
    return ret;
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
    char *text = read_file(path, &len, &st);

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

/* A server without a brick of the volume sees no registry. There the names of a
 * started volume stay as the other volfile for mounts has them: glusterd writes
 * two (one for servers, one for everybody), one after the other. -1: not known.
 */
static int
kind_in_force(const char *file, const char *dir, const char *volume)
{
    const char *slash = strrchr(file, '/');
    const char *base = slash ? slash + 1 : file;
    char names[2][CONVERT_NAME_MAX + 32];
    char path[PATH_MAX];
    int kind = -1;
    int i = 0;

    if (!info_started(dir))
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

/* The registry's kind of namespace wins: names do not move. */
static void
obey_registry(const char *file, const struct brick *brick,
              const struct convert_target *t, struct request *req)
{
    static char key[] = "namespace";
    static char value[] = "replicate";
    struct ondisk disk = brick->disk;

    if (!disk.here)
        disk.ns_kind = kind_in_force(file, brick->dir, t->volume);

    if (req->replicate && !disk.registered && disk.has_names) {
        tell(LOG_ERR,
             "volume %s: user.xlator.allot.namespace replicate is refused: the "
             "volume has files, whose names are distributed",
             t->volume);
        request_drop(req, key);
        req->replicate = 0;
        return;
    }
    if (disk.ns_kind < 0 ||
        (disk.ns_kind == ALLOT_NS_REPLICATE) == req->replicate)
        return;
    if (req->replicate) {
        tell(LOG_ERR,
             "volume %s: user.xlator.allot.namespace replicate is refused: the "
             "names of this volume are distributed, and names are not moved",
             t->volume);
        request_drop(req, key);
        req->replicate = 0;
        return;
    }
    tell(LOG_ERR,
         "volume %s: its names are replicated; user.xlator.allot.namespace is "
         "taken as replicate",
         t->volume);
    request_drop(req, key);
    if (req->option_count < REQUEST_OPTIONS_MAX) {
        req->options[req->option_count].key = key;
        req->options[req->option_count++].value = value;
        req->replicate = 1;
    }
}

static const char *
unfit_by(const char *path)
{
    struct stat st;
    const char *why = NULL;
    size_t len = 0;
    char *text = read_file(path, &len, &st);

    if (!text)
        return NULL;
    text[len] = '\0';
    why = ondisk_unfit(text);
    free(text);
    return why;
}

/* Why the volume of this brick's volfile cannot use allot, NULL: it can. The
 * volume's name is in that of the brick's storage/posix, VOLUME-posix. */
static const char *
unfit(const char *file, const struct volfile *vf)
{
    const char *name = vf->nodes[volfile_has_type(vf, "storage/posix")].name;
    const char *slash = strrchr(file, '/');
    const char *why = NULL;
    char path[PATH_MAX];
    size_t len = strlen(name);

    if ((size_t)snprintf(path, sizeof(path), "%.*sinfo",
                         slash ? (int)(slash - file + 1) : 0,
                         file) < sizeof(path))
        why = unfit_by(path);
    if (!why && workdir() && len > 6 && !strchr(name, '/') &&
        (size_t)snprintf(path, sizeof(path), "%s/vols/%.*s/info", workdir(),
                         (int)len - 6, name) < sizeof(path))
        why = unfit_by(path);
    return why;
}

/* A brick that holds data of allot keeps its guard: "gluster volume reset"
 * takes the setting away, and a client without allot must not get there. That
 * of a volume that cannot use allot gets none: it would serve nobody. */
static int
protect(const char *file, const struct volfile *vf, char **out, size_t *out_len)
{
    const char *why = NULL;
    struct ondisk disk;
    int ret = 0;

    ondisk_read(vf, &disk);
    if (!disk.registered) {
        why = unfit(file, vf);
        ret = why ? convert_unguard(vf, out, out_len) : 1;
        if (ret == 1)
            return 0;
        if (ret == 0)
            tell(LOG_ERR,
                 "user.xlator.allot is refused, the volume stays as "
                 "it is: %s",
                 why);
        return ret ? ret : 1;
    }
    ret = convert_guard(vf, out, out_len, &why);
    if (ret == 1)
        return 0;
    if (ret) {
        tell(LOG_ERR, "the guard cannot be put back: %s",
             why ? why : strerror(-ret));
        return ret;
    }
    tell(LOG_ERR,
         "the brick holds data of allot, its guard stays: set "
         "user.xlator.allot locks again, or see docs/admin.md on how "
         "to take allot out");
    return 1;
}

/* ---- the work --------------------------------------------------------------
 */

/* Converts one namespace of @text. 1: @out is the new text; 0: nothing to do;
 * else -errno, told. */
static int
convert_one(const char *file, const struct volfile *vf,
            const struct convert_target *t, char **out, size_t *out_len)
{
    struct request req;
    struct brick brick;
    const char *why = NULL;
    int ret = brick_find(file, t->volume, &brick);

    if (ret) {
        tell(LOG_WARNING,
             "left as it is: no volfile of a brick of volume %s was found (%s)",
             t->volume, strerror(-ret));
        return -ENOENT;
    }
    request_read(&brick.vf, &req);
    ret = 0;
    if (req.asked) {
        obey_registry(file, &brick, t, &req);
        ret = t->leaving ? convert_refuse(vf, t, out, out_len, &why)
                         : convert_apply(vf, t, &req, out, out_len, &why);
        if (ret == 1)
            *out = NULL;
        else if (ret)
            tell(LOG_ERR,
                 "left as it is: volume %s cannot be used with allot: %s",
                 t->volume, why ? why : strerror(-ret));
        else if (req.rejected[0])
            tell(LOG_WARNING,
                 "volume %s: not valid and left out: %s; set or reset "
                 "user.xlator.allot.*",
                 t->volume, req.rejected);
        ret = ret < 0 ? ret : !ret;
    }
    brick_free(&brick);
    return ret;
}

/* One pass converts at most one namespace: those of *@next and behind it; what
 * is converted stays one, so that the next pass can go on there. 1: *@text was
 * replaced. 0: the end. *@failed: a volume was left as it is. */
static int
pass(const char *file, const char *base, char **text, size_t *len, int *next,
     int *failed)
{
    struct convert_target *targets = NULL;
    enum convert_kind kind = CONVERT_NO_CLUSTER;
    struct volfile vf;
    const char *why = NULL;
    char *out = NULL;
    size_t out_len = 0;
    int count = 0;
    int ret = volfile_parse(*text, *len, &vf, &why);
    int one = 0;

    if (ret) {
        tell(LOG_ERR, "left as it is: %s", why ? why : strerror(-ret));
        volfile_free(&vf);
        return ret;
    }
    kind = convert_kind(&vf, base);
    targets = calloc(CONVERT_TARGETS_MAX, sizeof(*targets));
    if (!targets)
        ret = -ENOMEM;
    else if (kind == CONVERT_BRICK)
        ret = protect(file, &vf, &out, &out_len);
    else if (kind == CONVERT_CLIENT || kind == CONVERT_REBALANCE)
        count = convert_targets(&vf, targets, &why);
    if (count < 0) {
        tell(LOG_ERR, "left as it is: %s", why ? why : strerror(-count));
        ret = count;
        count = 0;
    }
    for (; !ret && *next < count; ++*next) {
        struct convert_target *t = &targets[*next];

        /* Clients go on while a brick is leaving; rebalance must not begin. */
        if (kind == CONVERT_CLIENT)
            t->leaving = NULL;
        else if (!t->leaving)
            continue;
        one = t->done ? 0 : convert_one(file, &vf, t, &out, &out_len);
        if (one < 0)
            *failed = 1;
        ret = one > 0;
    }
    convert_targets_free(targets, count);
    free(targets);
    volfile_free(&vf);
    if (ret == 1) {
        free(*text);
        *text = out;
        *len = out_len;
    }
    return ret;
}

static int
filter(const char *file)
{
    const char *slash = strrchr(file, '/');
    struct stat st;
    size_t len = 0;
    int changed = 0;
    int failed = 0;
    int next = 0;
    int ret = 0;
    char *text = read_file(file, &len, &st);

    if (!text) {
        tell(LOG_ERR, "cannot be read: %s", strerror(errno));
        return 1;
    }
    while ((ret = pass(file, slash ? slash + 1 : file, &text, &len, &next,
                       &failed)) == 1)
        changed = 1;
    if (ret == 0 && changed) {
        ret = replace_file(file, text, len, &st);
        if (ret)
            tell(LOG_ERR, "cannot be replaced: %s", strerror(-ret));
    }
    free(text);
    return ret || failed ? 1 : 0;
}

/* A disk or a logger that does not answer ends this process, not glusterd. The
 * signal's own action: the kernel then gives up calls, too, that are not
 * interrupted by a handler. */
static void
end_in_time(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    signal(SIGALRM, SIG_DFL);
    /* glusterd's threads have it blocked, and a program inherits that. */
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    alarm(FILTER_SECONDS);
}

int
main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--log") == 0) {
        log_path = argv[2];
        argv += 2;
        argc -= 2;
    }
    if (argc != 2) {
        fprintf(stderr,
                "usage: allot [--log FILE] VOLFILE\n"
                "glusterd runs this on the volfiles that it writes.\n");
        return 2;
    }
    end_in_time();
    subject = argv[1];
    openlog("allot-filter", LOG_PID, LOG_DAEMON);
    return filter(argv[1]);
}
