/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * switch.c - a translator for tests: a brick of a one-process volume that can
 * be taken away and given back within milliseconds. While the file of its
 * option `off` exists it is not connected: it says CHILD_DOWN, and every call
 * ends in ENOTCONN, as protocol/client does it for a brick that is away.
 *
 * With option `errno` it is a disk that fails instead: while the file exists
 * calls that need the disk (reads, and all changes) end in this errno, and the
 * brick stays connected, answering from memory who it is.
 *
 * It does not lose calls that are under way, and it keeps locks: what a death
 * of a brick does besides is not shown by it.
 */
#include "allot-compat.h"
#include <glusterfs/defaults.h>
#include <pthread.h>
#include <unistd.h>

#define SWITCH_POLL_USEC 5000

struct switch_priv {
    char *off; /* GlusterFS's */
    int32_t err;
    pthread_t thread;
    int started;
    int stop;
    int down;
};

/* The errno that a call ends in; 0: it goes on. @disk: it needs the disk. */
static int
switch_error(xlator_t *this, int disk)
{
    struct switch_priv *priv = this->private;

    /* Of a disk the test counts single calls: no time may pass in between. */
    if (priv->err)
        return disk && access(priv->off, F_OK) == 0 ? priv->err : 0;
    return __atomic_load_n(&priv->down, __ATOMIC_ACQUIRE) ? ENOTCONN : 0;
}

static void *
switch_watch(void *arg)
{
    xlator_t *this = arg;
    struct switch_priv *priv = this->private;

    THIS = this;
    while (!__atomic_load_n(&priv->stop, __ATOMIC_ACQUIRE)) {
        int down = access(priv->off, F_OK) == 0;

        if (down != priv->down) {
            __atomic_store_n(&priv->down, down, __ATOMIC_RELEASE);
            if (!priv->err)
                default_notify(
                    this, down ? GF_EVENT_CHILD_DOWN : GF_EVENT_CHILD_UP, NULL);
        }
        usleep(SWITCH_POLL_USEC);
    }
    return NULL;
}

static int32_t
switch_notify(xlator_t *this, int32_t event, void *data, ...)
{
    struct switch_priv *priv = this->private;
    int ret = default_notify(this, event, data);

    if (event == GF_EVENT_CHILD_UP && priv && !priv->started) {
        priv->started = 1;
        if (gf_thread_create(&priv->thread, NULL, switch_watch, this, "switch"))
            priv->started = 0;
    }
    return ret;
}

static int32_t
switch_init(xlator_t *this)
{
    struct switch_priv *priv = NULL;

    priv = GF_CALLOC(1, sizeof(*priv), gf_common_mt_end + 1);
    if (!priv)
        return -1;
    this->private = priv;
    GF_OPTION_INIT("off", priv->off, str, err);
    GF_OPTION_INIT("errno", priv->err, int32, err);
    return 0;
err:
    return -1;
}

static int32_t
switch_mem_acct_init(xlator_t *this)
{
    return xlator_mem_acct_init(this, gf_common_mt_end + 2);
}

static void
switch_fini(xlator_t *this)
{
    struct switch_priv *priv = this->private;

    if (priv && priv->started) {
        __atomic_store_n(&priv->stop, 1, __ATOMIC_RELEASE);
        pthread_join(priv->thread, NULL);
    }
    this->private = NULL;
    GF_FREE(priv);
}

#define ARGS(...) __VA_ARGS__
#define FOP(fop, disk, params, args)                                         \
    static int32_t switch_##fop(call_frame_t *frame, xlator_t *this, params) \
    {                                                                        \
        xlator_t *child = FIRST_CHILD(this);                                 \
        int err = switch_error(this, disk);                                  \
                                                                             \
        if (err)                                                             \
            return default_##fop##_failure_cbk(frame, err);                  \
        STACK_WIND_TAIL(frame, child, child->fops->fop, args);               \
        return 0;                                                            \
    }
#define SWITCH(fop, params, args) FOP(fop, 0, ARGS(params), ARGS(args))
#define DISK(fop, params, args) FOP(fop, 1, ARGS(params), ARGS(args))

/* clang-format off */
SWITCH(lookup, ARGS(loc_t *l, dict_t *x), ARGS(l, x))
SWITCH(stat, ARGS(loc_t *l, dict_t *x), ARGS(l, x))
SWITCH(fstat, ARGS(fd_t *f, dict_t *x), ARGS(f, x))
SWITCH(open, ARGS(loc_t *l, int32_t o, fd_t *f, dict_t *x), ARGS(l, o, f, x))
DISK(create, ARGS(loc_t *l, int32_t o, mode_t m, mode_t u, fd_t *f, dict_t *x), ARGS(l, o, m, u, f, x))
DISK(mknod, ARGS(loc_t *l, mode_t m, dev_t d, mode_t u, dict_t *x), ARGS(l, m, d, u, x))
DISK(mkdir, ARGS(loc_t *l, mode_t m, mode_t u, dict_t *x), ARGS(l, m, u, x))
DISK(unlink, ARGS(loc_t *l, int o, dict_t *x), ARGS(l, o, x))
DISK(rmdir, ARGS(loc_t *l, int o, dict_t *x), ARGS(l, o, x))
DISK(rename, ARGS(loc_t *l, loc_t *n, dict_t *x), ARGS(l, n, x))
DISK(link, ARGS(loc_t *l, loc_t *n, dict_t *x), ARGS(l, n, x))
DISK(readv, ARGS(fd_t *f, size_t n, off_t o, uint32_t g, dict_t *x), ARGS(f, n, o, g, x))
DISK(writev, ARGS(fd_t *f, struct iovec *v, int32_t c, off_t o, uint32_t g, struct iobref *b, dict_t *x), ARGS(f, v, c, o, g, b, x))
SWITCH(flush, ARGS(fd_t *f, dict_t *x), ARGS(f, x))
DISK(fsync, ARGS(fd_t *f, int32_t d, dict_t *x), ARGS(f, d, x))
DISK(truncate, ARGS(loc_t *l, off_t o, dict_t *x), ARGS(l, o, x))
DISK(ftruncate, ARGS(fd_t *f, off_t o, dict_t *x), ARGS(f, o, x))
DISK(fallocate, ARGS(fd_t *f, int32_t m, off_t o, size_t n, dict_t *x), ARGS(f, m, o, n, x))
SWITCH(seek, ARGS(fd_t *f, off_t o, gf_seek_what_t w, dict_t *x), ARGS(f, o, w, x))
DISK(setattr, ARGS(loc_t *l, struct iatt *i, int32_t v, dict_t *x), ARGS(l, i, v, x))
DISK(fsetattr, ARGS(fd_t *f, struct iatt *i, int32_t v, dict_t *x), ARGS(f, i, v, x))
SWITCH(opendir, ARGS(loc_t *l, fd_t *f, dict_t *x), ARGS(l, f, x))
SWITCH(readdir, ARGS(fd_t *f, size_t n, off_t o, dict_t *x), ARGS(f, n, o, x))
SWITCH(readdirp, ARGS(fd_t *f, size_t n, off_t o, dict_t *x), ARGS(f, n, o, x))
SWITCH(statfs, ARGS(loc_t *l, dict_t *x), ARGS(l, x))
DISK(setxattr, ARGS(loc_t *l, dict_t *d, int32_t g, dict_t *x), ARGS(l, d, g, x))
DISK(fsetxattr, ARGS(fd_t *f, dict_t *d, int32_t g, dict_t *x), ARGS(f, d, g, x))
SWITCH(getxattr, ARGS(loc_t *l, const char *k, dict_t *x), ARGS(l, k, x))
SWITCH(fgetxattr, ARGS(fd_t *f, const char *k, dict_t *x), ARGS(f, k, x))
DISK(removexattr, ARGS(loc_t *l, const char *k, dict_t *x), ARGS(l, k, x))
DISK(xattrop, ARGS(loc_t *l, gf_xattrop_flags_t g, dict_t *d, dict_t *x), ARGS(l, g, d, x))
DISK(fxattrop, ARGS(fd_t *f, gf_xattrop_flags_t g, dict_t *d, dict_t *x), ARGS(f, g, d, x))
SWITCH(inodelk, ARGS(const char *v, loc_t *l, int32_t c, struct gf_flock *k, dict_t *x), ARGS(v, l, c, k, x))
SWITCH(finodelk, ARGS(const char *v, fd_t *f, int32_t c, struct gf_flock *k, dict_t *x), ARGS(v, f, c, k, x))
SWITCH(entrylk, ARGS(const char *v, loc_t *l, const char *b, entrylk_cmd c, entrylk_type t, dict_t *x), ARGS(v, l, b, c, t, x))
SWITCH(fentrylk, ARGS(const char *v, fd_t *f, const char *b, entrylk_cmd c, entrylk_type t, dict_t *x), ARGS(v, f, b, c, t, x))

#define HERE(fop) .fop = switch_##fop
static struct xlator_fops switch_fops = {
    HERE(lookup), HERE(stat), HERE(fstat), HERE(open), HERE(create),
    HERE(mknod), HERE(mkdir), HERE(unlink), HERE(rmdir), HERE(rename),
    HERE(link), HERE(readv), HERE(writev), HERE(flush), HERE(fsync),
    HERE(truncate), HERE(ftruncate), HERE(fallocate), HERE(seek),
    HERE(setattr), HERE(fsetattr), HERE(opendir), HERE(readdir),
    HERE(readdirp), HERE(statfs), HERE(setxattr), HERE(fsetxattr),
    HERE(getxattr), HERE(fgetxattr), HERE(removexattr), HERE(xattrop),
    HERE(fxattrop), HERE(inodelk), HERE(finodelk), HERE(entrylk),
    HERE(fentrylk),
};
/* clang-format on */

static struct xlator_cbks switch_cbks;

static struct volume_options switch_options[] = {
    {.key = {"off"}, .type = GF_OPTION_TYPE_STR},
    {.key = {"errno"}, .type = GF_OPTION_TYPE_INT, .default_value = "0"},
    {.key = {NULL}},
};

xlator_api_t xlator_api = {
    .init = switch_init,
    .fini = switch_fini,
    .notify = switch_notify,
    .mem_acct_init = switch_mem_acct_init,
    .op_version = {1},
    .fops = &switch_fops,
    .cbks = &switch_cbks,
    .options = switch_options,
    .identifier = "switch",
    .category = GF_TECH_PREVIEW,
};
