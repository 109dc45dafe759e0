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

#define GUARD_DATA_CBK(fop, params, args...) \
    GUARD_DATA_CBK_BY(guard_gate_leave, fop, params, args)

/* @leave: guard_gate_leave(), or guard_gate_leave_cut() of what may have made
 * the file shorter. */
#define GUARD_DATA_CBK_BY(leave, fop, params, args...)           \
    static int32_t guard_##fop##_cbk params                      \
    {                                                            \
        inode_t *waiters = leave(cookie);                        \
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
        guard_unsquash(frame);                                          \
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
/* clang-format on */

/* What goes below of a call's xdata. A dict with the generation alone asks for
 * nothing there; but features/locks and storage/posix would look it through for
 * a dozen keys, and the answer of a write would get one of its own. */
static dict_t *
guard_below(dict_t *xdata)
{
    return xdata && xdata->count == 1 && dict_get_sizen(xdata, ALLOT_KEY_GEN)
               ? NULL
               : xdata;
}

/* A read that continues a stream is followed by one for the next slot
 * (guard-stream.c). Only for callers from outside of this process: what they
 * wait for is answered by then. */
static int32_t
guard_readv_run(call_frame_t *frame, xlator_t *this, fd_t *fd, size_t size,
                off_t offset, uint32_t flags, dict_t *xdata)
{
    struct guard_inode *gi = guard_inode_peek(this, fd->inode);
    struct guard_range early = {
        0,
    };
    fd_t *held = NULL;

    /* Without the page cache nothing is gained. */
    if (frame->root->client && !(fd->flags & O_DIRECT) &&
        guard_stream_next(gi, offset, size, &early))
        held = fd_ref(fd);
    STACK_WIND_COOKIE(frame, guard_readv_cbk, gi, FIRST_CHILD(this),
                      FIRST_CHILD(this)->fops->readv, fd, size, offset, flags,
                      guard_below(xdata));
    if (held)
        guard_stream_early(this, held, &early);
    return 0;
}

/* clang-format off */
GUARD_DATA_ENTRY(readv, GF_FOP_READ, fd->inode, GUARD_IDENTITY,
                 (call_frame_t *frame, xlator_t *this, fd_t *fd, size_t size,
                  off_t offset, uint32_t flags, dict_t *xdata),
                 fd, size, offset, flags)

/* Most data fops are answered with the file's iatt before and after. */
#define GUARD_DATA_CBK_ATTR(fop) GUARD_DATA_CBK_ATTR_BY(guard_gate_leave, fop)
#define GUARD_DATA_CBK_ATTR_BY(leave, fop)                                   \
    GUARD_DATA_CBK_BY(leave, fop,                                            \
                      (call_frame_t *frame, void *cookie, xlator_t *this,    \
                       int32_t op_ret, int32_t op_errno,                     \
                       struct iatt *prebuf, struct iatt *postbuf,            \
                       dict_t *xdata),                                       \
                      prebuf, postbuf, xdata)

/* clang-format on */

/* A write that makes a portion longer is preceded by a fallocate, and one that
 * makes a small base longer followed by one, see guard-stream.c. If that fails
 * the write tells why. */
static int32_t
guard_writev_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                 int32_t op_ret, int32_t op_errno, struct iatt *prebuf,
                 struct iatt *postbuf, dict_t *xdata)
{
    struct guard_after *after = frame->local;
    inode_t *waiters = NULL;

    frame->local = NULL;
    if (!after)
        waiters = guard_gate_leave(cookie);
    STACK_UNWIND_STRICT(writev, frame, op_ret, op_errno, prebuf, postbuf,
                        xdata);
    if (after)
        guard_stream_extend(this, after, op_ret > 0); /* leaves it */
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
    struct guard_range range = {offset, iov_length(vector, count)};
    gf_boolean_t keyed = guard_keyed(xdata);
    dict_t *below = guard_below(xdata);
    call_stub_t *stub = NULL;
    gf_boolean_t longer = _gf_false;
    uint64_t mark = 0;
    gf_boolean_t base = _gf_false;

    LOCK(&gi->lock);
    {
        if (keyed && gi->kind == GUARD_KIND_BASE && !gi->has_extents &&
            dict_get_uint64(xdata, ALLOT_KEY_UNCUT, &mark) == 0)
            gi->uncut = mark;
        longer = guard_stream_extend_locked(gi, keyed, &range);
        base = gi->kind == GUARD_KIND_BASE;
    }
    UNLOCK(&gi->lock);
    if (longer && base)
        frame->local = guard_after_new(fd, gi, &range);
    else if (longer)
        stub = fop_writev_stub(frame, guard_writev_wind, fd, vector, count,
                               offset, flags, iobref, below);
    if (stub)
        STACK_WIND_COOKIE(frame, guard_extend_cbk, stub, FIRST_CHILD(this),
                          FIRST_CHILD(this)->fops->fallocate, fd,
                          FALLOC_FL_KEEP_SIZE, range.offset, range.len, NULL);
    else
        guard_writev_wind(frame, this, fd, vector, count, offset, flags, iobref,
                          below);
    return 0;
}

/* clang-format off */
GUARD_DATA_ENTRY(writev, GF_FOP_WRITE, fd->inode, GUARD_IDENTITY,
                 (call_frame_t *frame, xlator_t *this, fd_t *fd,
                  struct iovec *vector, int32_t count, off_t offset,
                  uint32_t flags, struct iobref *iobref, dict_t *xdata),
                 fd, vector, count, offset, flags, iobref)

GUARD_DATA_CBK_ATTR_BY(guard_gate_leave_cut, truncate)
GUARD_DATA_FOP(truncate, GF_FOP_TRUNCATE, loc->inode, GUARD_IDENTITY,
               (call_frame_t *frame, xlator_t *this, loc_t *loc,
                off_t offset, dict_t *xdata),
               loc, offset)

GUARD_DATA_CBK_ATTR_BY(guard_gate_leave_cut, ftruncate)
GUARD_DATA_FOP(ftruncate, GF_FOP_FTRUNCATE, fd->inode, GUARD_IDENTITY,
               (call_frame_t *frame, xlator_t *this, fd_t *fd, off_t offset,
                dict_t *xdata),
               fd, offset)

/* What may be for a part of the range only, see guard-share.c. */
#define GUARD_SHARE_RUN(fop, FOP, mode, params, args...)                    \
    static int32_t guard_##fop##_run params                                 \
    {                                                                       \
        struct guard_inode *gi = guard_inode_peek(this, fd->inode);         \
        int ret =                                                           \
            guard_share_run(frame, this, FOP, fd, mode, offset, len, xdata); \
        inode_t *waiters = NULL;                                            \
                                                                            \
        if (ret > 0)                                                        \
            return 0;                                                       \
        if (ret < 0) {                                                      \
            waiters = guard_gate_leave(gi);                                 \
            STACK_UNWIND_STRICT(fop, frame, -1, -ret, NULL, NULL, NULL);    \
            guard_gate_pump(this, waiters);                                 \
            return 0;                                                       \
        }                                                                   \
        STACK_WIND_COOKIE(frame, guard_##fop##_cbk, gi, FIRST_CHILD(this),  \
                          FIRST_CHILD(this)->fops->fop, args, xdata);       \
        return 0;                                                           \
    }

GUARD_DATA_CBK_ATTR(fallocate)
GUARD_SHARE_RUN(fallocate, GF_FOP_FALLOCATE, mode,
                (call_frame_t *frame, xlator_t *this, fd_t *fd, int32_t mode,
                 off_t offset, size_t len, dict_t *xdata),
                fd, mode, offset, len)
GUARD_DATA_ENTRY(fallocate, GF_FOP_FALLOCATE, fd->inode, GUARD_IDENTITY,
                 (call_frame_t *frame, xlator_t *this, fd_t *fd, int32_t mode,
                  off_t offset, size_t len, dict_t *xdata),
                 fd, mode, offset, len)

GUARD_DATA_CBK_ATTR(discard)
GUARD_DATA_FOP(discard, GF_FOP_DISCARD, fd->inode, GUARD_IDENTITY,
               (call_frame_t *frame, xlator_t *this, fd_t *fd, off_t offset,
                size_t len, dict_t *xdata),
               fd, offset, len)

GUARD_DATA_CBK_ATTR(zerofill)
GUARD_SHARE_RUN(zerofill, GF_FOP_ZEROFILL, 0,
                (call_frame_t *frame, xlator_t *this, fd_t *fd, off_t offset,
                 off_t len, dict_t *xdata),
                fd, offset, len)
GUARD_DATA_ENTRY(zerofill, GF_FOP_ZEROFILL, fd->inode, GUARD_IDENTITY,
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

/* clang-format on */

/* While it is answered the server puts the fd where it counts: until then
 * whoever removes the last name must take it for open (guard-gone.c,
 * guard_fstat()). */
static int32_t
guard_open_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
               int32_t op_ret, int32_t op_errno, fd_t *fd, dict_t *xdata)
{
    struct guard_inode *gi = cookie;
    inode_t *inode = inode_ref(gi->inode);
    inode_t *waiters = NULL;

    STACK_UNWIND_STRICT(open, frame, op_ret, op_errno, fd, xdata);
    waiters = guard_gate_leave_cut(gi); /* it had O_TRUNC */
    guard_gate_pump(this, waiters);
    inode_unref(inode);
    return 0;
}

/* The same without the gate. */
static int32_t
guard_opened_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                 int32_t op_ret, int32_t op_errno, fd_t *fd, dict_t *xdata)
{
    struct guard_inode *gi = cookie;
    inode_t *inode = inode_ref(gi->inode);

    STACK_UNWIND_STRICT(open, frame, op_ret, op_errno, fd, xdata);
    LOCK(&gi->lock);
    gi->opening--;
    UNLOCK(&gi->lock);
    inode_unref(inode);
    return 0;
}

/* Counts it if the file is spread, or may be. */
static gf_boolean_t
guard_open_begin(struct guard_inode *gi)
{
    gf_boolean_t counts = _gf_false;

    LOCK(&gi->lock);
    {
        counts = gi->kind == GUARD_KIND_UNKNOWN ||
                 (gi->kind == GUARD_KIND_BASE && gi->has_extents);
        if (counts)
            gi->opening++;
    }
    UNLOCK(&gi->lock);
    return counts;
}

static int32_t
guard_open_run(call_frame_t *frame, xlator_t *this, loc_t *loc, int32_t flags,
               fd_t *fd, dict_t *xdata)
{
    STACK_WIND_COOKIE(frame, guard_open_cbk, guard_inode_peek(this, loc->inode),
                      FIRST_CHILD(this), FIRST_CHILD(this)->fops->open, loc,
                      flags, fd, xdata);
    return 0;
}

/* Does a program without allot open a spread base to read it? Its own bytes are
 * few or none: a base of size 0 is never read, so that no refused read would
 * tell. What a client's translators open by themselves (pid 0 and below)
 * passes: reconnected connections open again what was open. */
static gf_boolean_t
guard_open_blind(xlator_t *this, call_frame_t *frame, loc_t *loc, int32_t flags,
                 dict_t *xdata)
{
    struct guard_inode *gi = NULL;
    gf_boolean_t spread = _gf_false;

    if ((flags & O_ACCMODE) != O_RDONLY || frame->root->pid <= 0 ||
        guard_keyed(xdata))
        return _gf_false;
    gi = guard_inode_peek(this, loc->inode);
    if (!gi)
        return _gf_false;
    LOCK(&gi->lock);
    {
        spread = gi->kind == GUARD_KIND_BASE && gi->has_extents;
    }
    UNLOCK(&gi->lock);
    if (!spread)
        return _gf_false;
    GF_ATOMIC_INC(guard_priv(this)->refused_foreign);
    guard_log_refused(this, frame, gi, loc->inode->gfid, "to open it");
    return _gf_true;
}

int32_t
guard_open(call_frame_t *frame, xlator_t *this, loc_t *loc, int32_t flags,
           fd_t *fd, dict_t *xdata)
{
    struct guard_inode *gi = NULL;
    call_stub_t *stub = NULL;
    int verdict = flags & O_TRUNC ? guard_refuse_loc(frame, this, loc, xdata)
                                  : guard_refuse_open(frame, this, loc, xdata);

    guard_unsquash(frame);
    if (verdict)
        return default_open_failure_cbk(frame, verdict);
    if (!(flags & O_TRUNC)) {
        if (guard_open_blind(this, frame, loc, flags, xdata))
            return default_open_failure_cbk(frame, EPERM);
        gi = guard_inode_get(this, loc->inode);
        if (gi && guard_open_begin(gi))
            STACK_WIND_COOKIE(frame, guard_opened_cbk, gi, FIRST_CHILD(this),
                              FIRST_CHILD(this)->fops->open, loc, flags, fd,
                              xdata);
        else
            STACK_WIND_TAIL(frame, FIRST_CHILD(this),
                            FIRST_CHILD(this)->fops->open, loc, flags, fd,
                            xdata);
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
