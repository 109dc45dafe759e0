/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * switch.c - a translator for tests: a brick of a one-process volume that can
 * be taken away and given back within milliseconds. While the file of its
 * option `off` exists it is not connected: it says CHILD_DOWN, and every call
 * ends in ENOTCONN, as protocol/client does it for a brick that is away.
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
    pthread_t thread;
    int started;
    int stop;
    int down;
};

static int
switch_down(xlator_t *this)
{
    struct switch_priv *priv = this->private;

    return __atomic_load_n(&priv->down, __ATOMIC_ACQUIRE);
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
            default_notify(this, down ? GF_EVENT_CHILD_DOWN : GF_EVENT_CHILD_UP,
                           NULL);
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
#define SWITCH(fop, params, args)                                            \
    static int32_t switch_##fop(call_frame_t *frame, xlator_t *this, params) \
    {                                                                        \
        xlator_t *child = FIRST_CHILD(this);                                 \
                                                                             \
        if (switch_down(this))                                               \
            return default_##fop##_failure_cbk(frame, ENOTCONN);             \
        STACK_WIND_TAIL(frame, child, child->fops->fop, args);               \
        return 0;                                                            \
    }

/* clang-format off */
SWITCH(lookup, ARGS(loc_t *l, dict_t *x), ARGS(l, x))
SWITCH(stat, ARGS(loc_t *l, dict_t *x), ARGS(l, x))
SWITCH(fstat, ARGS(fd_t *f, dict_t *x), ARGS(f, x))
SWITCH(open, ARGS(loc_t *l, int32_t o, fd_t *f, dict_t *x), ARGS(l, o, f, x))
SWITCH(create, ARGS(loc_t *l, int32_t o, mode_t m, mode_t u, fd_t *f, dict_t *x), ARGS(l, o, m, u, f, x))
SWITCH(mknod, ARGS(loc_t *l, mode_t m, dev_t d, mode_t u, dict_t *x), ARGS(l, m, d, u, x))
SWITCH(mkdir, ARGS(loc_t *l, mode_t m, mode_t u, dict_t *x), ARGS(l, m, u, x))
SWITCH(unlink, ARGS(loc_t *l, int o, dict_t *x), ARGS(l, o, x))
SWITCH(rmdir, ARGS(loc_t *l, int o, dict_t *x), ARGS(l, o, x))
SWITCH(rename, ARGS(loc_t *l, loc_t *n, dict_t *x), ARGS(l, n, x))
SWITCH(link, ARGS(loc_t *l, loc_t *n, dict_t *x), ARGS(l, n, x))
SWITCH(readv, ARGS(fd_t *f, size_t n, off_t o, uint32_t g, dict_t *x), ARGS(f, n, o, g, x))
SWITCH(writev, ARGS(fd_t *f, struct iovec *v, int32_t c, off_t o, uint32_t g, struct iobref *b, dict_t *x), ARGS(f, v, c, o, g, b, x))
SWITCH(flush, ARGS(fd_t *f, dict_t *x), ARGS(f, x))
SWITCH(fsync, ARGS(fd_t *f, int32_t d, dict_t *x), ARGS(f, d, x))
SWITCH(truncate, ARGS(loc_t *l, off_t o, dict_t *x), ARGS(l, o, x))
SWITCH(ftruncate, ARGS(fd_t *f, off_t o, dict_t *x), ARGS(f, o, x))
SWITCH(fallocate, ARGS(fd_t *f, int32_t m, off_t o, size_t n, dict_t *x), ARGS(f, m, o, n, x))
SWITCH(seek, ARGS(fd_t *f, off_t o, gf_seek_what_t w, dict_t *x), ARGS(f, o, w, x))
SWITCH(setattr, ARGS(loc_t *l, struct iatt *i, int32_t v, dict_t *x), ARGS(l, i, v, x))
SWITCH(fsetattr, ARGS(fd_t *f, struct iatt *i, int32_t v, dict_t *x), ARGS(f, i, v, x))
SWITCH(opendir, ARGS(loc_t *l, fd_t *f, dict_t *x), ARGS(l, f, x))
SWITCH(readdir, ARGS(fd_t *f, size_t n, off_t o, dict_t *x), ARGS(f, n, o, x))
SWITCH(readdirp, ARGS(fd_t *f, size_t n, off_t o, dict_t *x), ARGS(f, n, o, x))
SWITCH(statfs, ARGS(loc_t *l, dict_t *x), ARGS(l, x))
SWITCH(setxattr, ARGS(loc_t *l, dict_t *d, int32_t g, dict_t *x), ARGS(l, d, g, x))
SWITCH(fsetxattr, ARGS(fd_t *f, dict_t *d, int32_t g, dict_t *x), ARGS(f, d, g, x))
SWITCH(getxattr, ARGS(loc_t *l, const char *k, dict_t *x), ARGS(l, k, x))
SWITCH(fgetxattr, ARGS(fd_t *f, const char *k, dict_t *x), ARGS(f, k, x))
SWITCH(removexattr, ARGS(loc_t *l, const char *k, dict_t *x), ARGS(l, k, x))
SWITCH(xattrop, ARGS(loc_t *l, gf_xattrop_flags_t g, dict_t *d, dict_t *x), ARGS(l, g, d, x))
SWITCH(fxattrop, ARGS(fd_t *f, gf_xattrop_flags_t g, dict_t *d, dict_t *x), ARGS(f, g, d, x))
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
