/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-data.c - the data fops: each passes the gate, is counted while it is
 * below, and may have to wait in the file's queue.
 *
 * Every one is the same three functions around its own arguments:
 *
 *     guard_FOP      refuse, wind, or make a stub of guard_FOP_run and queue it
 *     guard_FOP_run  wind (it is counted by now)
 *     guard_FOP_cbk  uncount, unwind, let those run that waited for it
 *
 * The way from the caller to the child allocates nothing when nothing waits.
 *
 * open is one of them only with O_TRUNC. copy_file_range is counted on the
 * file it writes; the file it reads must not be spread.
 */
#include "guard.h"
#include <fcntl.h>

#define GUARD_DATA_CBK(fop, params, args...)                     \
    static int32_t guard_##fop##_cbk params                      \
    {                                                            \
        inode_t *waiters = guard_gate_leave(cookie);             \
                                                                 \
        STACK_UNWIND_STRICT(fop, frame, op_ret, op_errno, args); \
        guard_gate_pump(this, waiters);                          \
        return 0;                                                \
    }

/* @FOP: its number; @file: the inode it works on; @refused: an expression that
 * gives the errno of the checks before the gate, or 0. */
#define GUARD_DATA_RUN(fop, file, params, args...)                         \
    static int32_t guard_##fop##_run params                                \
    {                                                                      \
        STACK_WIND_COOKIE(frame, guard_##fop##_cbk,                        \
                          guard_inode_peek(this, file), FIRST_CHILD(this), \
                          FIRST_CHILD(this)->fops->fop, args, xdata);      \
        return 0;                                                          \
    }

#define GUARD_DATA_FOP(fop, FOP, file, refused, params, args...) \
    GUARD_DATA_RUN(fop, file, params, args)                      \
    GUARD_DATA_ENTRY(fop, FOP, file, refused, params, args)

#define GUARD_DATA_ENTRY(fop, FOP, file, refused, params, args...)      \
    int32_t guard_##fop params                                          \
    {                                                                   \
        struct guard_inode *gi = NULL;                                  \
        call_stub_t *stub = NULL;                                       \
        int verdict = refused;                                          \
                                                                        \
        if (verdict)                                                    \
            return default_##fop##_failure_cbk(frame, verdict);         \
        gi = guard_inode_get(this, file);                               \
        if (!gi) {                                                      \
            if ((file)->ia_type == IA_IFREG)                            \
                return default_##fop##_failure_cbk(frame, ENOMEM);      \
            STACK_WIND_TAIL(frame, FIRST_CHILD(this),                   \
                            FIRST_CHILD(this)->fops->fop, args, xdata); \
            return 0;                                                   \
        }                                                               \
        verdict = guard_gate_try(this, gi, frame, FOP, xdata);          \
        if (verdict == 0)                                               \
            return guard_##fop##_run(frame, this, args, xdata);         \
        if (verdict != GUARD_WAIT)                                      \
            return default_##fop##_failure_cbk(frame, verdict);         \
        stub = fop_##fop##_stub(frame, guard_##fop##_run, args, xdata); \
        if (!stub)                                                      \
            return default_##fop##_failure_cbk(frame, ENOMEM);          \
        guard_gate_wait(this, gi, stub);                                \
        return 0;                                                       \
    }

/* Identity only: hiding is the gate's matter, a portion is refused there. */
#define GUARD_IDENTITY guard_refuse_loc(frame, this, NULL, xdata)

/* clang-format off */
GUARD_DATA_CBK(readv,
               (call_frame_t *frame, void *cookie, xlator_t *this,
                int32_t op_ret, int32_t op_errno, struct iovec *vector,
                int32_t count, struct iatt *stbuf, struct iobref *iobref,
                dict_t *xdata),
               vector, count, stbuf, iobref, xdata)
GUARD_DATA_FOP(readv, GF_FOP_READ, fd->inode, GUARD_IDENTITY,
               (call_frame_t *frame, xlator_t *this, fd_t *fd, size_t size,
                off_t offset, uint32_t flags, dict_t *xdata),
               fd, size, offset, flags)

/* Most data fops are answered with the file's iatt before and after. */
#define GUARD_DATA_CBK_ATTR(fop)                                             \
    GUARD_DATA_CBK(fop,                                                      \
                   (call_frame_t *frame, void *cookie, xlator_t *this,       \
                    int32_t op_ret, int32_t op_errno, struct iatt *prebuf,   \
                    struct iatt *postbuf, dict_t *xdata),                    \
                   prebuf, postbuf, xdata)

/* clang-format on */

/* A base is allocated exactly up to this size, bytes: what may be inline. */
#define GUARD_EXACT_BASE (1 << 20)

/*
 * A write that makes a portion longer, or a small base.
 *
 * A portion is written at one slot of the cycle after the other, each behind a
 * hole. XFS preallocates behind every write past the end of a file, and what it
 * preallocated becomes part of the file when the next slot is written:
 * measured, 1.7 times the space. It does not do that inside a file, so the
 * exact range is allocated first (a local call, as cheap as the write's own
 * allocation).
 *
 *     st_size before          the write
 *     ----------------|........|=======|
 *                       hole    fallocate, then write
 *
 * For a small base the same makes the brick's free space say what is used: XFS
 * keeps 20 KiB and more of reservations for every file that is not written back
 * yet, and clients share new data by free space (measured on six
 * bricks, 3000 small files, fullest over mean: 1.012 to 1.055 without, 1.005 to
 * 1.008 with it).
 *
 * The size is kept: only the write may make the file longer, or a write that
 * fails or a brick that dies in between would leave zeros that look like data.
 *
 * If it fails the write tells why. Where a file system cannot do it, nothing is
 * lost but the space.
 */
static int32_t
guard_writev_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                 int32_t op_ret, int32_t op_errno, struct iatt *prebuf,
                 struct iatt *postbuf, dict_t *xdata)
{
    inode_t *waiters = guard_gate_leave(cookie);

    STACK_UNWIND_STRICT(writev, frame, op_ret, op_errno, prebuf, postbuf,
                        xdata);
    guard_gate_pump(this, waiters);
    return 0;
}

static int32_t
guard_writev_wind(call_frame_t *frame, xlator_t *this, fd_t *fd,
                  struct iovec *vector, int32_t count, off_t offset,
                  uint32_t flags, struct iobref *iobref, dict_t *xdata)
{
    STACK_WIND_COOKIE(frame, guard_writev_cbk,
                      guard_inode_peek(this, fd->inode), FIRST_CHILD(this),
                      FIRST_CHILD(this)->fops->writev, fd, vector, count,
                      offset, flags, iobref, xdata);
    return 0;
}

static int32_t
guard_extend_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                 int32_t op_ret, int32_t op_errno, struct iatt *prebuf,
                 struct iatt *postbuf, dict_t *xdata)
{
    call_resume(cookie);
    return 0;
}

static int32_t
guard_writev_run(call_frame_t *frame, xlator_t *this, fd_t *fd,
                 struct iovec *vector, int32_t count, off_t offset,
                 uint32_t flags, struct iobref *iobref, dict_t *xdata)
{
    struct guard_inode *gi = guard_inode_peek(this, fd->inode);
    uint64_t len = iov_length(vector, count);
    call_stub_t *stub = NULL;
    gf_boolean_t longer = _gf_false;

    LOCK(&gi->lock);
    {
        if (offset + len > gi->extended &&
            (gi->kind == GUARD_KIND_PORTION ||
             (gi->kind == GUARD_KIND_BASE && offset + len <= GUARD_EXACT_BASE &&
              guard_keyed(xdata)))) {
            gi->extended = offset + len;
            longer = _gf_true;
        }
    }
    UNLOCK(&gi->lock);
    if (longer)
        stub = fop_writev_stub(frame, guard_writev_wind, fd, vector, count,
                               offset, flags, iobref, xdata);
    if (stub)
        STACK_WIND_COOKIE(frame, guard_extend_cbk, stub, FIRST_CHILD(this),
                          FIRST_CHILD(this)->fops->fallocate, fd,
                          FALLOC_FL_KEEP_SIZE, offset, len, NULL);
    else
        guard_writev_wind(frame, this, fd, vector, count, offset, flags, iobref,
                          xdata);
    return 0;
}

/* clang-format off */
GUARD_DATA_ENTRY(writev, GF_FOP_WRITE, fd->inode, GUARD_IDENTITY,
                 (call_frame_t *frame, xlator_t *this, fd_t *fd,
                  struct iovec *vector, int32_t count, off_t offset,
                  uint32_t flags, struct iobref *iobref, dict_t *xdata),
                 fd, vector, count, offset, flags, iobref)

GUARD_DATA_CBK_ATTR(truncate)
GUARD_DATA_FOP(truncate, GF_FOP_TRUNCATE, loc->inode, GUARD_IDENTITY,
               (call_frame_t *frame, xlator_t *this, loc_t *loc,
                off_t offset, dict_t *xdata),
               loc, offset)

GUARD_DATA_CBK_ATTR(ftruncate)
GUARD_DATA_FOP(ftruncate, GF_FOP_FTRUNCATE, fd->inode, GUARD_IDENTITY,
               (call_frame_t *frame, xlator_t *this, fd_t *fd, off_t offset,
                dict_t *xdata),
               fd, offset)

GUARD_DATA_CBK_ATTR(fallocate)
GUARD_DATA_FOP(fallocate, GF_FOP_FALLOCATE, fd->inode, GUARD_IDENTITY,
               (call_frame_t *frame, xlator_t *this, fd_t *fd, int32_t mode,
                off_t offset, size_t len, dict_t *xdata),
               fd, mode, offset, len)

GUARD_DATA_CBK_ATTR(discard)
GUARD_DATA_FOP(discard, GF_FOP_DISCARD, fd->inode, GUARD_IDENTITY,
               (call_frame_t *frame, xlator_t *this, fd_t *fd, off_t offset,
                size_t len, dict_t *xdata),
               fd, offset, len)

GUARD_DATA_CBK_ATTR(zerofill)
GUARD_DATA_FOP(zerofill, GF_FOP_ZEROFILL, fd->inode, GUARD_IDENTITY,
               (call_frame_t *frame, xlator_t *this, fd_t *fd, off_t offset,
                off_t len, dict_t *xdata),
               fd, offset, len)

GUARD_DATA_CBK_ATTR(fsync)
GUARD_DATA_FOP(fsync, GF_FOP_FSYNC, fd->inode, GUARD_IDENTITY,
               (call_frame_t *frame, xlator_t *this, fd_t *fd,
                int32_t datasync, dict_t *xdata),
               fd, datasync)

GUARD_DATA_CBK(seek,
               (call_frame_t *frame, void *cookie, xlator_t *this,
                int32_t op_ret, int32_t op_errno, off_t offset,
                dict_t *xdata),
               offset, xdata)
GUARD_DATA_FOP(seek, GF_FOP_SEEK, fd->inode, GUARD_IDENTITY,
               (call_frame_t *frame, xlator_t *this, fd_t *fd, off_t offset,
                gf_seek_what_t what, dict_t *xdata),
               fd, offset, what)

GUARD_DATA_CBK(rchecksum,
               (call_frame_t *frame, void *cookie, xlator_t *this,
                int32_t op_ret, int32_t op_errno, uint32_t weak,
                uint8_t *strong, dict_t *xdata),
               weak, strong, xdata)
GUARD_DATA_FOP(rchecksum, GF_FOP_RCHECKSUM, fd->inode, GUARD_IDENTITY,
               (call_frame_t *frame, xlator_t *this, fd_t *fd, off_t offset,
                int32_t len, dict_t *xdata),
               fd, offset, len)

/* A read of the source that overtakes a publish there shows what it showed
 * just before, so the source need not be counted. Not known to be plain is
 * refused too: the caller copies by hand then. */
static int
guard_copy_refused(call_frame_t *frame, xlator_t *this, fd_t *fd_in,
                   dict_t *xdata)
{
    struct guard_inode *gi = NULL;
    int err = guard_refuse_fd(frame, this, fd_in, xdata);

    if (err)
        return err;
    gi = guard_inode_get(this, fd_in->inode);
    if (!gi)
        return EOPNOTSUPP;
    LOCK(&gi->lock);
    {
        if (gi->kind != GUARD_KIND_BASE || gi->damaged || gi->has_extents ||
            gi->barrier || gi->exclusives)
            err = EOPNOTSUPP;
    }
    UNLOCK(&gi->lock);
    return err;
}

GUARD_DATA_CBK(copy_file_range,
               (call_frame_t *frame, void *cookie, xlator_t *this,
                int32_t op_ret, int32_t op_errno, struct iatt *stbuf,
                struct iatt *prebuf_dst, struct iatt *postbuf_dst,
                dict_t *xdata),
               stbuf, prebuf_dst, postbuf_dst, xdata)
GUARD_DATA_FOP(copy_file_range, GF_FOP_COPY_FILE_RANGE, fd_out->inode,
               guard_copy_refused(frame, this, fd_in, xdata),
               (call_frame_t *frame, xlator_t *this, fd_t *fd_in,
                off64_t off_in, fd_t *fd_out, off64_t off_out, size_t len,
                uint32_t flags, dict_t *xdata),
               fd_in, off_in, fd_out, off_out, len, flags)

GUARD_DATA_CBK(open,
               (call_frame_t *frame, void *cookie, xlator_t *this,
                int32_t op_ret, int32_t op_errno, fd_t *fd, dict_t *xdata),
               fd, xdata)
/* clang-format on */

static int32_t
guard_open_run(call_frame_t *frame, xlator_t *this, loc_t *loc, int32_t flags,
               fd_t *fd, dict_t *xdata)
{
    STACK_WIND_COOKIE(frame, guard_open_cbk, guard_inode_peek(this, loc->inode),
                      FIRST_CHILD(this), FIRST_CHILD(this)->fops->open, loc,
                      flags, fd, xdata);
    return 0;
}

int32_t
guard_open(call_frame_t *frame, xlator_t *this, loc_t *loc, int32_t flags,
           fd_t *fd, dict_t *xdata)
{
    struct guard_inode *gi = NULL;
    call_stub_t *stub = NULL;
    int verdict = guard_refuse_loc(frame, this, loc, xdata);

    if (verdict)
        return default_open_failure_cbk(frame, verdict);
    if (!(flags & O_TRUNC)) {
        STACK_WIND_TAIL(frame, FIRST_CHILD(this), FIRST_CHILD(this)->fops->open,
                        loc, flags, fd, xdata);
        return 0;
    }

    gi = guard_inode_get(this, loc->inode);
    if (!gi)
        return default_open_failure_cbk(frame, ENOMEM);
    verdict = guard_gate_try(this, gi, frame, GF_FOP_OPEN, xdata);
    if (verdict == 0)
        return guard_open_run(frame, this, loc, flags, fd, xdata);
    if (verdict != GUARD_WAIT)
        return default_open_failure_cbk(frame, verdict);
    stub = fop_open_stub(frame, guard_open_run, loc, flags, fd, xdata);
    if (!stub)
        return default_open_failure_cbk(frame, ENOMEM);
    guard_gate_wait(this, gi, stub);
    return 0;
}
