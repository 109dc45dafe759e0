/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-stream.c - what keeps one long stream over portions cheap: the space
 * of a write that makes a file longer, and the early read of the next slot.
 *
 * Both are hints to the file system below. Nothing here decides who passes or
 * what is read or written; if any of it fails, only time or space is lost.
 *
 * ---- Space
 *
 * A portion is written at one slot of the cycle after the other, each behind a
 * hole. XFS preallocates behind every write past the end of a file, and what it
 * preallocated becomes part of the file when the next slot is written:
 * measured, 1.7 times the space. It preallocates nothing before a range that
 * is allocated already. So something is allocated first, in two ways:
 *
 *     the first GUARD_EXACT_PORTION bytes: the range of the write itself
 *
 *     st_size before          the write
 *     ----------------|........|=======|
 *                       hole    fallocate, then write
 *
 *     after that: one page far ahead, the post; then many writes
 *
 *     ----------------|........|=======|........|=======|....  ...|#|
 *                               write            write             post
 *
 * The exact range leaves nothing over, which is right for small files, but a
 * call for each write costs a stream half of its bricks' time again. A post
 * costs one page in GUARD_POST_BYTES; the last one stays behind the end of the
 * portion, where a later write or a truncation takes it in.
 *
 * For a small base the exact range makes the brick's free space say what is
 * used: XFS keeps 20 KiB and more of reservations for every file that is not
 * written back yet, and clients share new data by free space (measured on six
 * bricks, 3000 small files, fullest over mean: 1.012 to 1.055 without, 1.005 to
 * 1.008 with it). There the write need not wait for it: it is allocated when
 * the write is answered, and takes the reservation's place.
 *
 * The size is kept: only the write may make the file longer, or a write that
 * fails or a brick that dies in between would leave zeros that look like data.
 *
 * ---- Early reads
 *
 * The kernel sees a stream over a portion as jumps, and reads nothing ahead.
 * When the distance from slot to slot has been the same twice, the next slot
 * is read once the present read is answered, so that the page cache has it. The
 * bytes are dropped.
 *
 *     ra_start      ra_end                    offset
 *     |== read ==|== read ==|........|........|== read ==|.....|-- early --|
 *     <--------- stride = ra_stride --------->
 */
#include "guard.h"
#include <fcntl.h>

/* A base is allocated exactly up to this size, bytes: what may be inline. */
#define GUARD_EXACT_BASE (1 << 20)
#define GUARD_EXACT_PORTION (1 << 20)
#define GUARD_POST_BYTES (64 << 20)
#define GUARD_PAGE_BYTES 4096

/* At most so much is read early: from there on the kernel sees a sequence. */
#define GUARD_EARLY_BYTES (256 << 10)

gf_boolean_t
guard_stream_extend_locked(struct guard_inode *gi, gf_boolean_t keyed,
                           struct guard_range *range)
{
    uint64_t end = range->offset + range->len;

    if (end <= gi->extended)
        return _gf_false;
    if (gi->kind == GUARD_KIND_BASE) {
        if (!keyed || end > GUARD_EXACT_BASE)
            return _gf_false;
    } else if (gi->kind != GUARD_KIND_PORTION) {
        return _gf_false;
    } else if (gi->exact + range->len > GUARD_EXACT_PORTION) {
        range->offset = (end + GUARD_POST_BYTES) & ~(GUARD_PAGE_BYTES - 1ULL);
        range->len = GUARD_PAGE_BYTES;
        gi->extended = range->offset;
        return _gf_true;
    }
    gi->exact += range->len;
    gi->extended = end;
    return _gf_true;
}

struct guard_after {
    fd_t *fd; /* a reference */
    struct guard_inode *gi;
    struct guard_range range;
};

struct guard_after *
guard_after_new(fd_t *fd, struct guard_inode *gi,
                const struct guard_range *range)
{
    struct guard_after *after = GF_MALLOC(sizeof(*after), guard_mt_after);

    if (after) {
        after->fd = fd_ref(fd);
        after->gi = gi;
        after->range = *range;
    }
    return after;
}

static void
after_done(xlator_t *this, struct guard_after *after)
{
    inode_t *waiters = guard_gate_leave(after->gi);

    fd_unref(after->fd);
    GF_FREE(after);
    guard_gate_pump(this, waiters);
}

static int32_t
guard_stream_extend_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                        int32_t op_ret, int32_t op_errno, struct iatt *prebuf,
                        struct iatt *postbuf, dict_t *xdata)
{
    after_done(this, cookie);
    STACK_DESTROY(frame->root);
    return 0;
}

void
guard_stream_extend(xlator_t *this, struct guard_after *after,
                    gf_boolean_t wrote)
{
    call_frame_t *frame = wrote ? create_frame(this, this->ctx->pool) : NULL;

    if (!frame) {
        after_done(this, after);
        return;
    }
    frame->root->uid = 0;
    frame->root->gid = 0;
    STACK_WIND_COOKIE(frame, guard_stream_extend_cbk, after, FIRST_CHILD(this),
                      FIRST_CHILD(this)->fops->fallocate, after->fd,
                      FALLOC_FL_KEEP_SIZE, after->range.offset,
                      after->range.len, NULL);
}

gf_boolean_t
guard_stream_next(struct guard_inode *gi, uint64_t offset, uint64_t len,
                  struct guard_range *early)
{
    uint64_t end = offset + len;
    uint64_t stride = 0;

    LOCK(&gi->lock);
    {
        if (gi->kind != GUARD_KIND_PORTION)
            goto unlock;
        if (offset == gi->ra_end) {
            gi->ra_end = end;
            goto unlock;
        }
        /* The halves of a slot may come in either order. */
        if (end == gi->ra_start) {
            gi->ra_start = offset;
            goto unlock;
        }
        if (offset > gi->ra_end)
            stride = offset - gi->ra_start;
        if (stride && stride == gi->ra_stride && !gi->ra_busy) {
            gi->ra_busy = _gf_true;
            early->offset = offset + stride;
            early->len = gi->ra_end - gi->ra_start;
            if (early->len > GUARD_EARLY_BYTES)
                early->len = GUARD_EARLY_BYTES;
        }
        gi->ra_start = offset;
        gi->ra_end = end;
        gi->ra_stride = stride;
    }
unlock:
    UNLOCK(&gi->lock);
    return early->len != 0;
}

static void
guard_stream_early_done(xlator_t *this, fd_t *fd)
{
    struct guard_inode *gi = guard_inode_peek(this, fd->inode);

    LOCK(&gi->lock);
    gi->ra_busy = _gf_false;
    UNLOCK(&gi->lock);
    fd_unref(fd);
}

static int32_t
guard_stream_early_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                       int32_t op_ret, int32_t op_errno, struct iovec *vector,
                       int32_t count, struct iatt *stbuf, struct iobref *iobref,
                       dict_t *xdata)
{
    guard_stream_early_done(this, cookie);
    STACK_DESTROY(frame->root);
    return 0;
}

void
guard_stream_early(xlator_t *this, fd_t *fd, const struct guard_range *early)
{
    call_frame_t *frame = create_frame(this, this->ctx->pool);

    if (!frame) {
        guard_stream_early_done(this, fd);
        return;
    }
    GF_ATOMIC_INC(guard_priv(this)->early);
    frame->root->uid = 0;
    frame->root->gid = 0;
    STACK_WIND_COOKIE(frame, guard_stream_early_cbk, fd, FIRST_CHILD(this),
                      FIRST_CHILD(this)->fops->readv, fd, early->len,
                      early->offset, 0, NULL);
}
