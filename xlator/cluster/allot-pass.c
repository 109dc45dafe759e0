/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-pass.c - the fops that are the namespace's alone: locks, leases and
 * messages. A lock protects a file, and the file's identity is its base file:
 * the portions are never locked by anybody.
 *
 * Deliberately not here: the locks that allot takes itself for O_APPEND and
 * for the registry, in domains of their own.
 */
#include "allot-names.h"
#include "allot-prefetch.h"

static int32_t
pass_lk_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
            int32_t op_errno, struct gf_flock *flock, dict_t *xdata)
{
    struct allot_inode *ai = cookie;

    if (ai)
        allot_prefetch_changed(ai);
    STACK_UNWIND_STRICT(lk, frame, op_ret, op_errno, flock, xdata);
    return 0;
}

/* Who takes a lock wants to see what the last holder wrote, and gives it back
 * by a close that waits for the brick (allot_flush()). The caller's fd holds
 * the inode, and with it what is kept of it. */
int32_t
allot_lk(call_frame_t *frame, xlator_t *this, fd_t *fd, int32_t cmd,
         struct gf_flock *flock, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;
    struct allot_inode *ai = fd->inode->ia_type == IA_IFREG
                                 ? allot_inode_get(this, fd->inode)
                                 : NULL;

    if (ai)
        ai->locked = _gf_true;
    STACK_WIND_COOKIE(frame, pass_lk_cbk, ai, ns, ns->fops->lk, fd, cmd, flock,
                      xdata);
    return 0;
}

int32_t
allot_inodelk(call_frame_t *frame, xlator_t *this, const char *volume,
              loc_t *loc, int32_t cmd, struct gf_flock *flock, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    STACK_WIND_TAIL(frame, ns, ns->fops->inodelk, volume, loc, cmd, flock,
                    xdata);
    return 0;
}

int32_t
allot_finodelk(call_frame_t *frame, xlator_t *this, const char *volume,
               fd_t *fd, int32_t cmd, struct gf_flock *flock, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    STACK_WIND_TAIL(frame, ns, ns->fops->finodelk, volume, fd, cmd, flock,
                    xdata);
    return 0;
}

int32_t
allot_entrylk(call_frame_t *frame, xlator_t *this, const char *volume,
              loc_t *loc, const char *basename, entrylk_cmd cmd,
              entrylk_type type, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    STACK_WIND_TAIL(frame, ns, ns->fops->entrylk, volume, loc, basename, cmd,
                    type, xdata);
    return 0;
}

int32_t
allot_fentrylk(call_frame_t *frame, xlator_t *this, const char *volume,
               fd_t *fd, const char *basename, entrylk_cmd cmd,
               entrylk_type type, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    STACK_WIND_TAIL(frame, ns, ns->fops->fentrylk, volume, fd, basename, cmd,
                    type, xdata);
    return 0;
}

int32_t
allot_lease(call_frame_t *frame, xlator_t *this, loc_t *loc,
            struct gf_lease *lease, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    STACK_WIND_TAIL(frame, ns, ns->fops->lease, loc, lease, xdata);
    return 0;
}

/* md-cache registers the xattrs it wants upcalls for: metadata, which only the
 * namespace has. */
int32_t
allot_ipc(call_frame_t *frame, xlator_t *this, int32_t op, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    STACK_WIND_TAIL(frame, ns, ns->fops->ipc, op, xdata);
    return 0;
}

int32_t
allot_getspec(call_frame_t *frame, xlator_t *this, const char *key,
              int32_t flag)
{
    xlator_t *ns = allot_priv(this)->ns;

    STACK_WIND_TAIL(frame, ns, ns->fops->getspec, key, flag);
    return 0;
}

int32_t
allot_getactivelk(call_frame_t *frame, xlator_t *this, loc_t *loc,
                  dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    STACK_WIND_TAIL(frame, ns, ns->fops->getactivelk, loc, xdata);
    return 0;
}

int32_t
allot_setactivelk(call_frame_t *frame, xlator_t *this, loc_t *loc,
                  lock_migration_info_t *locklist, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    STACK_WIND_TAIL(frame, ns, ns->fops->setactivelk, loc, locklist, xdata);
    return 0;
}
