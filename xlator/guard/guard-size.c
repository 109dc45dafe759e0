/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-size.c - what a client without allot is shown as the size of a spread
 * file: the recorded one, where the base has less.
 *
 * With inline-limit 0 the base is empty. Who takes it for an empty file reads
 * nothing, without a call that could be refused: open-behind even answers open
 * by itself. Shown a size, it reads, and the gate answers EPERM.
 *
 * Deliberately not here: self-heal and rebalance, which must see bases as they
 * are, and what allot itself is shown.
 */
#include "guard.h"

gf_boolean_t
guard_is_stranger(call_frame_t *frame, xlator_t *this, dict_t *xdata)
{
    return !guard_may_see(frame, this, xdata) && !guard_is_healer(frame) &&
           frame->root->pid != GF_CLIENT_PID_DEFRAG &&
           !(xdata && dict_get_sizen(xdata, ALLOT_XATTR_RECORD)) &&
           !guard_knows(frame, this);
}

void
guard_size_show(xlator_t *this, inode_t *inode, struct iatt *buf)
{
    struct guard_inode *gi = NULL;

    if (buf->ia_type != IA_IFREG)
        return;
    gi = guard_inode_peek(this, inode);
    if (!gi)
        return;
    LOCK(&gi->lock);
    {
        if (gi->kind == GUARD_KIND_BASE && gi->has_extents &&
            buf->ia_size < gi->size)
            buf->ia_size = gi->size;
    }
    UNLOCK(&gi->lock);
}

/* Calls that are answered with the attributes of one file, by loc or fd. */
#define GUARD_SHOWN_CBK(fop)                                               \
    static int32_t guard_##fop##_cbk(                                      \
        call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret, \
        int32_t op_errno, struct iatt *buf, dict_t *xdata)                 \
    {                                                                      \
        if (op_ret >= 0)                                                   \
            guard_size_show(this, cookie, buf);                            \
        STACK_UNWIND_STRICT(fop, frame, op_ret, op_errno, buf, xdata);     \
        return 0;                                                          \
    }

#define GUARD_SHOWN_CBK_TWO(fop)                                              \
    static int32_t guard_##fop##_cbk(                                         \
        call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,    \
        int32_t op_errno, struct iatt *pre, struct iatt *post, dict_t *xdata) \
    {                                                                         \
        if (op_ret >= 0) {                                                    \
            guard_size_show(this, cookie, pre);                               \
            guard_size_show(this, cookie, post);                              \
        }                                                                     \
        STACK_UNWIND_STRICT(fop, frame, op_ret, op_errno, pre, post, xdata);  \
        return 0;                                                             \
    }

/* The inode lives as long as the call's loc or fd, which the server holds. */
#define GUARD_SHOWN(fop, refused, file, params, args...)                       \
    int32_t guard_##fop params                                                 \
    {                                                                          \
        int err = refused;                                                     \
                                                                               \
        if (err)                                                               \
            return default_##fop##_failure_cbk(frame, err);                    \
        if (guard_is_stranger(frame, this, xdata))                             \
            STACK_WIND_COOKIE(frame, guard_##fop##_cbk, file,                  \
                              FIRST_CHILD(this), FIRST_CHILD(this)->fops->fop, \
                              args);                                           \
        else                                                                   \
            STACK_WIND_TAIL(frame, FIRST_CHILD(this),                          \
                            FIRST_CHILD(this)->fops->fop, args);               \
        return 0;                                                              \
    }

/* clang-format off */
GUARD_SHOWN_CBK(stat)
GUARD_SHOWN(stat, guard_refuse_loc(frame, this, loc, xdata), loc->inode,
            (call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata),
            loc, xdata)
GUARD_SHOWN_CBK(fstat)
GUARD_SHOWN_CBK_TWO(setattr)
GUARD_SHOWN(setattr, guard_refuse_loc(frame, this, loc, xdata), loc->inode,
            (call_frame_t *frame, xlator_t *this, loc_t *loc,
             struct iatt *stbuf, int32_t valid, dict_t *xdata),
            loc, stbuf, valid, xdata)
GUARD_SHOWN_CBK_TWO(fsetattr)
GUARD_SHOWN(fsetattr, guard_refuse_fd(frame, this, fd, xdata), fd->inode,
            (call_frame_t *frame, xlator_t *this, fd_t *fd, struct iatt *stbuf,
             int32_t valid, dict_t *xdata),
            fd, stbuf, valid, xdata)
/* clang-format on */

/* Opens under way of a file whose open fds are asked for: they have passed its
 * name, and their fds do not count yet (guard-data.c). */
static uint32_t
guard_fstat_opening(xlator_t *this, inode_t *inode, dict_t *xdata)
{
    struct guard_inode *gi = NULL;
    uint32_t opening = 0;

    if (xdata && dict_get_sizen(xdata, GLUSTERFS_OPEN_FD_COUNT))
        gi = guard_inode_peek(this, inode);
    if (gi) {
        LOCK(&gi->lock);
        opening = gi->opening;
        UNLOCK(&gi->lock);
    }
    return opening;
}

/* One that has its fd by now counts twice: more than one is as good as any. */
static int32_t
guard_fstat_opening_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                        int32_t op_ret, int32_t op_errno, struct iatt *buf,
                        dict_t *xdata)
{
    uint32_t opening = (uintptr_t)cookie;
    uint32_t opens = 0;

    if (op_ret >= 0 && xdata &&
        dict_get_uint32(xdata, GLUSTERFS_OPEN_FD_COUNT, &opens) == 0 &&
        dict_set_uint32(xdata, GLUSTERFS_OPEN_FD_COUNT, opens + opening))
        gf_msg_debug(this->name, ENOMEM, "an open under way is not counted");
    STACK_UNWIND_STRICT(fstat, frame, op_ret, op_errno, buf, xdata);
    return 0;
}

/* Identity only: whoever has an fd on a portion got it with a key, and
 * replicate refreshes its view of an fd without one. */
int32_t
guard_fstat(call_frame_t *frame, xlator_t *this, fd_t *fd, dict_t *xdata)
{
    int err = guard_refuse_loc(frame, this, NULL, xdata);
    uint32_t opening = guard_fstat_opening(this, fd->inode, xdata);

    if (err)
        return default_fstat_failure_cbk(frame, err);
    if (guard_is_stranger(frame, this, xdata))
        STACK_WIND_COOKIE(frame, guard_fstat_cbk, fd->inode, FIRST_CHILD(this),
                          FIRST_CHILD(this)->fops->fstat, fd, xdata);
    else if (opening)
        STACK_WIND_COOKIE(frame, guard_fstat_opening_cbk,
                          (void *)(uintptr_t)opening, FIRST_CHILD(this),
                          FIRST_CHILD(this)->fops->fstat, fd, xdata);
    else
        STACK_WIND_TAIL(frame, FIRST_CHILD(this),
                        FIRST_CHILD(this)->fops->fstat, fd, xdata);
    return 0;
}
