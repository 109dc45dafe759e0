/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-statfs.c - the statfs fop: the sum over the usable data subvolumes,
 * each once. While nothing is spread the namespace answers.
 *
 * Subvolumes are asked for their root: the directory that the caller named may
 * not exist on those that are not below the namespace. So a directory quota is
 * shown only while nothing is spread.
 */
#include "allot-bricks-impl.h"

struct statfs_local {
    gf_lock_t lock;
    int pending;
    int32_t op_ret;
    int32_t op_errno;
    struct statvfs sum; /* in units of sum.f_frsize */
};

static void
statfs_add(struct statvfs *sum, const struct statvfs *one)
{
    unsigned long unit = one->f_frsize ? one->f_frsize : one->f_bsize;
    unsigned long old = sum->f_frsize;
    unsigned long most = 0;

    if (!unit)
        return;
    if (!old) {
        *sum = *one;
        sum->f_frsize = unit;
        return;
    }
    /* Units are powers of two: the larger one holds both without loss of more
     * than a block. */
    most = old > unit ? old : unit;
    sum->f_blocks = (sum->f_blocks * old + one->f_blocks * unit) / most;
    sum->f_bfree = (sum->f_bfree * old + one->f_bfree * unit) / most;
    sum->f_bavail = (sum->f_bavail * old + one->f_bavail * unit) / most;
    sum->f_frsize = most;
    if (one->f_bsize > sum->f_bsize)
        sum->f_bsize = one->f_bsize;
    sum->f_files += one->f_files;
    sum->f_ffree += one->f_ffree;
    sum->f_favail += one->f_favail;
    if (one->f_namemax < sum->f_namemax)
        sum->f_namemax = one->f_namemax;
}

static int32_t
statfs_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
           int32_t op_errno, struct statvfs *buf, dict_t *xdata)
{
    struct statfs_local *local = frame->local;
    int pending = 0;

    LOCK(&local->lock);
    if (op_ret >= 0 && buf) {
        local->op_ret = 0;
        statfs_add(&local->sum, buf);
    } else if (local->op_ret < 0) {
        local->op_errno = op_errno;
    }
    pending = --local->pending;
    UNLOCK(&local->lock);

    if (pending == 0) {
        frame->local = NULL;
        STACK_UNWIND_STRICT(statfs, frame, local->op_ret, local->op_errno,
                            &local->sum, NULL);
        LOCK_DESTROY(&local->lock);
        GF_FREE(local);
    }
    return 0;
}

int32_t
allot_statfs(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata)
{
    struct allot_priv *priv = allot_priv(this);
    struct allot_bricks *b = priv->bricks;
    struct allot_brick_view *views = NULL;
    struct statfs_local *local = NULL;
    loc_t root = {
        0,
    };
    int n = 0;
    int i = 0;

    if (allot_bricks_active(this)) {
        views = GF_CALLOC(b->count, sizeof(*views), allot_mt_bricks);
        local = GF_CALLOC(1, sizeof(*local), allot_mt_local);
        if (!views || !local || allot_bricks_root(b, &root)) {
            GF_FREE(views);
            GF_FREE(local);
            STACK_UNWIND_STRICT(statfs, frame, -1, ENOMEM, NULL, NULL);
            return 0;
        }
        n = allot_bricks_usable_all(this, views, b->count);
    }
    if (n == 0) {
        GF_FREE(views);
        GF_FREE(local);
        loc_wipe(&root);
        STACK_WIND_TAIL(frame, priv->ns, priv->ns->fops->statfs, loc, xdata);
        return 0;
    }

    LOCK_INIT(&local->lock);
    local->pending = n;
    local->op_ret = -1;
    local->op_errno = ENOTCONN;
    frame->local = local;
    for (i = 0; i < n; i++)
        STACK_WIND(frame, statfs_cbk, views[i].xl, views[i].xl->fops->statfs,
                   &root, priv->client_xdata);
    GF_FREE(views);
    loc_wipe(&root);
    return 0;
}
