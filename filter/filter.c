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
#include "volume.h"

#ifndef FILTER_LOGDIR
#define FILTER_LOGDIR "/var/log/glusterfs"
#endif
/* Longer than any run on a machine that works at all. */
#define FILTER_SECONDS 10

static const char *log_path = FILTER_LOGDIR "/allot-filter.log";
static const char *subject = "";
static int quiet; /* others say the same, of the same change */

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

    if (quiet)
        return;
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

/* ---- what is on disk -------------------------------------------------------
 */

/* The registry's kind of namespace wins: names do not move. A server without a
 * brick sees none: there the names of a started volume stay as its clients have
 * them; if nothing was asked for (@stays), those of a stopped one, too. So do
 * they where all disks are away: the guard may be there since protect(). */
static void
obey_registry(const char *file, const struct brick *brick,
              const struct convert_target *t, int stays, struct request *req)
{
    static char key[] = "namespace";
    static char value[] = "replicate";
    struct ondisk disk = brick->disk;

    if (!disk.here)
        disk.ns_kind = volume_in_force(file, brick->dir, t->volume,
                                       stays || volume_is_served(brick->dir));

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

/* The volume of a brick's volfile, from the name of its storage/posix,
 * VOLUME-posix. */
static int
volume_of_brick(const struct volfile *vf, char *volume, size_t size)
{
    const char *name = vf->nodes[volfile_has_type(vf, "storage/posix")].name;
    size_t len = strlen(name);

    if (len <= 6 || len - 6 >= size || strcmp(name + len - 6, "-posix") != 0 ||
        strchr(name, '/'))
        return -EINVAL;
    snprintf(volume, size, "%.*s", (int)len - 6, name);
    return 0;
}

/* Does a volume hold data of allot, or may it? That says a brick that is here
 * and registered. Bricks that are not here, or are new, say nothing: then
 * clients that have allot in their file say it, as far as @clients goes; always
 * on a server with bricks all of whose disks are away. */
static int
is_in_use(const char *file, const char *volume, const struct ondisk *disk,
          int clients)
{
    char dir[PATH_MAX];
    struct brick brick;
    int ret = 0;

    if (disk->registered)
        return 1;
    volume_dir(file, dir, sizeof(dir));
    if (volume_in_force(file, dir, volume, 1) < 0)
        return 0;
    if (clients)
        return 1;
    ret = brick_find(file, volume, &brick) == 0 &&
          (brick.disk.registered ||
           (!brick.disk.here && volume_is_served(brick.dir)));
    brick_free(&brick);
    return ret;
}

/* The guard of a volume that cannot use allot, or is told so in a way that
 * cannot be meant, is taken out: it would serve nobody. */
static int
refuse(const struct volfile *vf, const char *why, char **out, size_t *out_len)
{
    int ret = convert_unguard(vf, out, out_len);

    if (ret == 1)
        return 0;
    if (ret == 0)
        tell(LOG_ERR,
             "user.xlator.allot is refused, the volume stays as it is: %s",
             why);
    return ret ? ret : 1;
}

/* A guard that is there: one that cannot be meant goes, what is wrong in it is
 * put right. */
static int
mend_guard(const char *file, const struct volfile *vf, const char *volume,
           const struct ondisk *disk, char **out, size_t *out_len)
{
    const char *why = NULL;
    struct request req;
    char dir[PATH_MAX];
    int wrong = request_guard(vf, &req);
    int ret = 0;

    volume_dir(file, dir, sizeof(dir));
    why = volume_unfit(dir, volume);
    if (!why)
        why = req.why;
    if (why && !is_in_use(file, volume, disk, 1))
        return refuse(vf, why, out, out_len);
    if (!wrong) {
        ret = convert_trash_off(vf, out, out_len);
        return ret > 0 ? 0 : ret ? ret : 1;
    }
    ret = convert_guard_anew(vf, &req, out, out_len, &why);
    if (ret) {
        tell(LOG_ERR, "the guard cannot be put right: %s",
             why ? why : strerror(-ret));
        return ret;
    }
    if (req.rejected[0])
        tell(LOG_WARNING,
             "not valid and left out: %s; set user.xlator.allot to locks, set "
             "or reset user.xlator.allot.*",
             req.rejected);
    if (req.trash)
        tell(LOG_WARNING,
             "features.trash is refused beside user.xlator.allot, and is "
             "switched off");
    return 1;
}

/* A brick that holds data of allot keeps its guard: "gluster volume reset"
 * takes the setting away, and a client without allot must not get there. So do
 * the others of the volume, new ones and those whose disk is away now. */
static int
protect(const char *file, const struct volfile *vf, char **out, size_t *out_len)
{
    char volume[CONVERT_NAME_MAX];
    const char *why = NULL;
    struct ondisk disk;
    int ret = 0;

    ondisk_read(vf, &disk);
    if (volume_of_brick(vf, volume, sizeof(volume)))
        volume[0] = '\0';
    if (volfile_has_type(vf, "user/allot") >= 0)
        return mend_guard(file, vf, volume, &disk, out, out_len);
    if (!is_in_use(file, volume, &disk, 0))
        return 0;
    ret = convert_guard(vf, out, out_len, &why);
    if (ret) {
        tell(LOG_ERR, "the guard cannot be put back: %s",
             why ? why : strerror(-ret));
        return ret;
    }
    tell(LOG_ERR,
         "the volume holds data of allot, its guard stays: set "
         "user.xlator.allot locks again, or see docs/admin.md on how "
         "to take allot out");
    return 1;
}

/* ---- the work --------------------------------------------------------------
 */

/* Nobody asks for allot, and no brick is here that could say whether the volume
 * holds data of it: after "gluster volume reset" clients keep what they have.
 */
static int
stays_in_force(const char *file, const struct brick *brick,
               const struct convert_target *t)
{
    if (brick->disk.here || volume_in_force(file, brick->dir, t->volume, 1) < 0)
        return 0;
    tell(
        LOG_ERR,
        "volume %s: user.xlator.allot is not set, its clients keep allot: this "
        "server has no brick of it and cannot see whether it holds data of "
        "allot; set user.xlator.allot locks again, or see docs/admin.md on "
        "how to take allot out",
        t->volume);
    return 1;
}

/* Converts one namespace of @text. 1: @out is the new text; 0: nothing to do;
 * else -errno, told. */
static int
convert_one(const char *file, enum convert_kind kind, const struct volfile *vf,
            const struct convert_target *t, char **out, size_t *out_len)
{
    struct request req;
    struct brick brick;
    const char *why = NULL;
    int stays = 0;
    int ret = brick_find(file, t->volume, &brick);

    if (ret) {
        brick_free(&brick);
        tell(LOG_WARNING,
             "left as it is: no volfile of a brick of volume %s was found (%s)",
             t->volume, strerror(-ret));
        return -ENOENT;
    }
    request_read(&brick.vf, &req);
    ret = 0;
    /* glusterd writes that of a rebalance several times for one change. */
    quiet = kind == CONVERT_REBALANCE;
    stays = !req.asked && stays_in_force(file, &brick, t);
    if (req.asked || stays)
        obey_registry(file, &brick, t, stays, &req);
    quiet = 0;
    if (req.asked || stays) {
        if (kind == CONVERT_CLIENT)
            ret = convert_apply(vf, t, &req, out, out_len, &why);
        else if (t->leaving || convert_names_replicated(t, &req))
            ret = convert_refuse(vf, t, out, out_len, &why);
        else
            ret = 1;
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
        one = t->done ? 0 : convert_one(file, kind, &vf, t, &out, &out_len);
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
    char *text = volume_read_file(file, &len, &st);

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
