/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-share.c - fallocate and zerofill of a range of the file, of which this
 * brick has every so many a block: one call from the client, which carries the
 * file's layout, and here one after the other for each run of blocks.
 *
 *      offset                                          offset + len
 *         |--ours--|--------|--------|--ours--|------ ... --|
 *         fallocate          (others')  fallocate
 *
 * Between the blocks nothing is done: there the portion is a hole, and the
 * space is that of other bricks. The call counts as one in the gate, so that no
 * generation changes in the middle of it; the client bounds its range.
 *
 * Deliberately not here: discard, which may go over what is between the blocks.
 */
#include "guard.h"
#include "allot-split.h"

struct guard_share {
    call_frame_t *frame;
    xlator_t *this;
    struct guard_inode *gi;
    glusterfs_fop_t fop;
    fd_t *fd; /* reference */
    int32_t mode;
    struct allot_record rec; /* owned */
    uint32_t idx;            /* our number in it */
    struct allot_split_iter iter;
    struct iatt pre; /* of the first call */
    struct iatt post;
    gf_boolean_t begun;
    int err;
    gf_atomic_t turn; /* of a call: wound, answered; the second goes on */
};

static void
share_done(struct guard_share *share)
{
    call_frame_t *frame = share->frame;
    inode_t *waiters = guard_gate_leave(share->gi);
    struct iatt pre = share->pre;
    struct iatt post = share->post;
    xlator_t *this = share->this;
    glusterfs_fop_t fop = share->fop;
    fd_t *fd = share->fd;
    int32_t ret = share->err ? -1 : 0;
    int err = share->err;

    allot_record_clear(&share->rec);
    GF_FREE(share);
    if (fop == GF_FOP_ZEROFILL)
        STACK_UNWIND_STRICT(zerofill, frame, ret, err, &pre, &post, NULL);
    else
        STACK_UNWIND_STRICT(fallocate, frame, ret, err, &pre, &post, NULL);
    guard_gate_pump(this, waiters);
    fd_unref(fd);
}

static void
share_go(struct guard_share *share);

static int32_t
share_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
          int32_t op_errno, struct iatt *pre, struct iatt *post, dict_t *xdata)
{
    struct guard_share *share = cookie;

    if (op_ret < 0) {
        share->err = op_errno;
    } else {
        if (!share->begun)
            share->pre = *pre;
        share->post = *post;
        share->begun = _gf_true;
    }
    STACK_DESTROY(frame->root);
    if (GF_ATOMIC_INC(share->turn) == 2)
        share_go(share);
    return 0;
}

/* storage/posix answers before the wind returns: a loop, so that the stack does
 * not grow with the number of blocks. */
static void
share_go(struct guard_share *share)
{
    struct allot_piece piece;
    xlator_t *child = FIRST_CHILD(share->this);
    call_frame_t *frame = NULL;
    int more = 0;

    for (;;) {
        do {
            more = allot_split_next(&share->iter, &piece);
        } while (more && piece.brick_idx != (int32_t)share->idx);
        if (!more || share->err) {
            share_done(share);
            return;
        }
        /* Frames of a call live as long as its root: there may be many blocks.
         */
        frame = copy_frame(share->frame);
        if (!frame) {
            share->err = ENOMEM;
            share_done(share);
            return;
        }
        GF_ATOMIC_INIT(share->turn, 0);
        if (share->fop == GF_FOP_ZEROFILL)
            STACK_WIND_COOKIE(frame, share_cbk, share, child,
                              child->fops->zerofill, share->fd, piece.offset,
                              piece.len, NULL);
        else
            STACK_WIND_COOKIE(frame, share_cbk, share, child,
                              child->fops->fallocate, share->fd, share->mode,
                              piece.offset, piece.len, NULL);
        if (GF_ATOMIC_INC(share->turn) == 1)
            return; /* its answer is to come, and goes on */
    }
}

int
guard_share_run(call_frame_t *frame, xlator_t *this, glusterfs_fop_t fop,
                fd_t *fd, int32_t mode, off_t offset, size_t len, dict_t *xdata)
{
    data_t *record = xdata ? dict_get_sizen(xdata, ALLOT_KEY_SHARE) : NULL;
    struct guard_share *share = NULL;

    if (!record)
        return 0;
    share = GF_CALLOC(1, sizeof(*share), guard_mt_share);
    if (!share)
        return -ENOMEM;
    share->frame = frame;
    share->this = this;
    share->gi = guard_inode_peek(this, fd->inode);
    share->fop = fop;
    share->mode = mode;
    if (dict_get_uint32(xdata, ALLOT_KEY_SHARE_IDX, &share->idx) ||
        allot_record_decode((uint8_t *)record->data, record->len,
                            &share->rec)) {
        GF_FREE(share);
        return -EINVAL;
    }
    if (allot_split_begin(&share->iter, share->rec.layout, offset, len)) {
        allot_record_clear(&share->rec);
        GF_FREE(share);
        return -EINVAL;
    }
    share->fd = fd_ref(fd);
    share_go(share);
    return 1;
}
