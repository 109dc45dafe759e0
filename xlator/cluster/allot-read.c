/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-read.c - readv, seek, rchecksum. A spread file's read goes to base and
 * portions in parallel; holes are filled with zeros only where the file is
 * known to reach; a member that cannot answer makes the read fail with EIO,
 * never short and never zero.
 */
#include "allot-names.h"
#include "allot-prefetch.h"

static void
read_enter(void *arg);

/* ---- answering
 * -------------------------------------------------------------------- */

void
allot_read_unwind(struct allot_io *io, int32_t ret, int32_t err,
                  struct iovec *iov, int count, struct iobref *iobref)
{
    call_frame_t *frame = io->frame;
    struct iatt hollow;

    if (io->done) {
        allot_read_done_fn done = io->done;
        void *arg = io->done_arg;

        allot_io_free(io);
        done(arg, ret, iov, count, iobref);
        STACK_DESTROY(frame->root);
        return;
    }
    allot_iatt_hollow(io->fd->inode, &hollow);
    allot_io_free(io);
    STACK_UNWIND_STRICT(readv, frame, ret, err, iov, count, &hollow, iobref,
                        NULL);
}

static void
read_fail(struct allot_io *io, int err)
{
    if (err == ENOTCONN)
        err = EIO; /* a lost block, whatever the reason */
    allot_read_unwind(io, -1, allot_errno(err), NULL, 0, NULL);
}

/* Nothing to read: at or past the end. */
static void
read_nothing(struct allot_io *io)
{
    struct iobref *iobref = iobref_new();
    struct iovec none = {
        0,
    };

    allot_read_unwind(io, 0, ENOENT, &none, 1, iobref);
    if (iobref)
        iobref_unref(iobref);
}

/* All pieces in order, short ones filled up with zeros, as one answer. */
static void
read_assemble(struct allot_io *io)
{
    struct iobref *iobref = iobref_new();
    struct iobuf *zeros = NULL;
    struct iovec *iov = NULL;
    uint64_t widest = 0;
    uint64_t short_by = 0;
    uint64_t total = 0;
    int count = 0;
    int err = 0;
    int i = 0;

    for (i = 0; i < io->n; i++) {
        short_by = io->pieces[i].p.len - io->pieces[i].ret;
        if (short_by > widest)
            widest = short_by;
        count += io->pieces[i].count + 1;
    }
    iov = GF_CALLOC(count, sizeof(*iov), allot_mt_misc);
    if (widest)
        zeros = iobuf_get2(io->this->ctx->iobuf_pool, widest);
    if (!iobref || !iov || (widest && !zeros)) {
        err = ENOMEM;
        goto out;
    }
    if (zeros) {
        memset(iobuf_ptr(zeros), 0, widest);
        if (iobref_add(iobref, zeros)) {
            err = ENOMEM;
            goto out;
        }
    }
    count = 0;
    for (i = 0; i < io->n; i++) {
        struct allot_io_piece *piece = &io->pieces[i];

        if (piece->count) {
            memcpy(&iov[count], piece->iov, piece->count * sizeof(*iov));
            count += piece->count;
        }
        if (piece->iobref && iobref_merge(iobref, piece->iobref)) {
            err = ENOMEM;
            goto out;
        }
        short_by = piece->p.len - piece->ret;
        if (short_by) {
            iov[count].iov_base = iobuf_ptr(zeros);
            iov[count++].iov_len = short_by;
        }
        total += piece->p.len;
    }
    /* As posix says it: ENOENT tells caches above that this was the end. */
    allot_read_unwind(io, total, io->off + total >= io->eof ? ENOENT : 0, iov,
                      count, iobref);
    io = NULL;
out:
    if (io)
        read_fail(io, err);
    if (zeros)
        iobuf_unref(zeros);
    if (iobref)
        iobref_unref(iobref);
    GF_FREE(iov);
}

/* ---- between two rounds
 * --------------------------------------------------------------- */

/* How far the file reaches. False: it must be asked. */
static gf_boolean_t
read_eof(struct allot_io *io, const struct allot_rec *rec)
{
    uint64_t version = allot_bricks_version(io->this);

    if (!(rec->r.flags & ALLOT_RECORD_DIRTY)) {
        io->eof = rec->r.size;
        /* After a brick went or came it may be longer than was known. */
        return io->off + io->len <= io->eof ||
               io->ai->seen_version == version || io->eof_version == version;
    }
    if (io->off + io->len <= io->ai->known_size) {
        io->eof = io->ai->known_size;
        return _gf_true;
    }
    return io->eof_known && io->eof_seq == rec->r.seq;
}

/* Is a byte behind the end that is known asked for, whose member is silent?
 * Then it may be there. @errs: per brick of the layout, 0 if it has answered.
 */
static gf_boolean_t
read_behind_silent(struct allot_io *io, const struct allot_rec *rec,
                   const int *errs)
{
    const struct allot_layout *layout = rec->r.layout;
    uint64_t from = io->off > io->eof ? io->off : io->eof;
    struct allot_split_iter iter;
    struct allot_piece piece;
    uint32_t i = 0;

    if (from >= io->off + io->len ||
        allot_split_begin(&iter, layout, from, io->off + io->len - from))
        return _gf_false;
    while (allot_split_next(&iter, &piece))
        for (i = 0; i < layout->brick_count; i++)
            if (layout->bricks[i] == piece.brick_idx && errs[i])
                return _gf_true;
    return _gf_false;
}

/* How far the file reaches, when what is known of it ends before the read does.
 * Somebody may have fenced and not yet published: then once more. */
static int
read_ask_eof(struct allot_io *io)
{
    inode_t *inode = io->fd->inode;
    struct allot_glimpse seen;
    struct allot_rec *rec = NULL;
    int *errs = NULL;
    struct iatt base;
    int tries = 0;
    int ret = 0;

    io->eof_version = allot_bricks_version(io->this);
    do {
        ret = allot_refresh(io->this, inode, &base);
        allot_rec_unref(rec);
        rec = allot_inode_rec(io->ai, NULL);
        /* Clean, and the base is away: what is known must do. */
        if (!rec || !(rec->r.flags & ALLOT_RECORD_DIRTY)) {
            GF_FREE(errs);
            allot_rec_unref(rec);
            return 0;
        }
        GF_FREE(errs);
        errs = GF_CALLOC(rec->r.layout->brick_count + 1, sizeof(*errs),
                         allot_mt_misc);
        if (ret == 0 && !errs)
            ret = -ENOMEM;
        if (ret == 0)
            ret = allot_glimpse(io->this, inode, &rec->r, base.ia_size, &seen,
                                errs, NULL);
    } while (ret == 0 && seen.top_gen > rec->r.gen && ++tries < 2);
    if (ret == 0) {
        io->eof = seen.size.size;
        if (io->ai->known_size > io->eof &&
            allot_inode_gen(io->ai) == rec->r.gen)
            io->eof = io->ai->known_size;
        io->eof_known = _gf_true;
        io->eof_seq = rec->r.seq;
    }
    if (ret == 0 && !seen.size.exact && read_behind_silent(io, rec, errs))
        ret = -EIO;
    GF_FREE(errs);
    allot_rec_unref(rec);
    return ret;
}

/* Alone, in a synctask. */
static void
read_repair_task(xlator_t *this, void *arg)
{
    struct allot_io *io = arg;
    struct allot_rec *rec = NULL;
    enum allot_kind kind = ALLOT_KIND_UNKNOWN;
    int ret = allot_io_repair(io);

    if (ret == 0)
        ret = allot_prepare_read(this, io->fd->inode, io->off,
                                 io->off + io->len, &io->opened);
    rec = ret == 0 ? allot_inode_rec(io->ai, &kind) : NULL;
    if (rec && kind == ALLOT_KIND_SPREAD && !read_eof(io, rec))
        ret = read_ask_eof(io);
    allot_rec_unref(rec);
    if (ret == 0)
        allot_direct_open(io);
    if (ret)
        read_fail(io, -ret);
    else
        read_enter(io);
}

static void
read_repair(struct allot_io *io)
{
    inode_t *inode = inode_ref(io->fd->inode);
    struct allot_inode *ai = io->ai;
    xlator_t *this = io->this;

    if (allot_run(this, inode, _gf_true, read_repair_task, io))
        read_fail(io, ENOMEM);
    allot_gate_leave(this, ai, _gf_false);
    inode_unref(inode);
}

/* Does an answer of @xl to a read at @off have bytes from behind the end? Those
 * of disperse do, within the last stripe and where space is reserved. */
static gf_boolean_t
read_is_behind(struct allot_io *io, const xlator_t *xl, uint64_t off,
               int32_t ret, const struct iatt *buf)
{
    return ret > 0 && buf && off >= buf->ia_size &&
           allot_dispersed(io->this, xl);
}

/* ---- plain
 * ------------------------------------------------------------------------------
 */

static int32_t
read_plain_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
               int32_t op_ret, int32_t op_errno, struct iovec *vector,
               int32_t count, struct iatt *stbuf, struct iobref *iobref,
               dict_t *xdata)
{
    struct allot_io *io = frame->local;
    inode_t *inode = inode_ref(io->fd->inode);

    if (allot_base_refused(this, inode, op_ret, op_errno, &io->patience)) {
        allot_io_round_clear(io);
        read_repair(io);
        goto out;
    }
    if (op_ret < 0)
        op_errno = allot_errno(op_errno);
    allot_gate_leave(this, io->ai, _gf_false);
    if (read_is_behind(io, allot_priv(this)->ns, io->off, op_ret, stbuf)) {
        read_nothing(io);
    } else if (io->done) {
        allot_read_unwind(io, op_ret, op_errno, vector, count, iobref);
    } else {
        allot_io_free(io);
        STACK_UNWIND_STRICT(readv, frame, op_ret, op_errno, vector, count,
                            stbuf, iobref, xdata);
    }
out:
    inode_unref(inode);
    return 0;
}

static void
read_plain(struct allot_io *io)
{
    xlator_t *ns = allot_priv(io->this)->ns;
    dict_t *xdata =
        allot_xdata_to_read(io->this, io->xdata, allot_inode_gen(io->ai));

    if (!xdata) {
        allot_gate_leave(io->this, io->ai, _gf_false);
        read_fail(io, ENOMEM);
        return;
    }
    STACK_WIND(io->frame, read_plain_cbk, ns, ns->fops->readv, io->fd, io->len,
               io->off, io->flags, xdata);
    dict_unref(xdata);
}

/* ---- spread
 * -------------------------------------------------------------------------------
 */

static void
read_round_done(struct allot_io *io)
{
    inode_t *inode = inode_ref(io->fd->inode);
    int ret = allot_io_judge(io);

    if (ret > 0) {
        read_repair(io);
    } else {
        allot_gate_leave(io->this, io->ai, _gf_false);
        if (ret == 0)
            read_assemble(io);
        else
            read_fail(io, -ret);
    }
    inode_unref(inode);
}

static int32_t
read_piece_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
               int32_t op_ret, int32_t op_errno, struct iovec *vector,
               int32_t count, struct iatt *stbuf, struct iobref *iobref,
               dict_t *xdata)
{
    struct allot_io *io = frame->local;
    struct allot_io_piece *piece = &io->pieces[(long)cookie];

    if (read_is_behind(io, piece->xl, piece->p.offset, op_ret, stbuf))
        op_ret = 0;
    piece->ret = op_ret;
    piece->err = op_errno;
    if (op_ret > 0) {
        piece->iov = iov_dup(vector, count);
        piece->count = count;
        piece->iobref = iobref ? iobref_ref(iobref) : NULL;
        if (!piece->iov) {
            piece->ret = -1;
            piece->err = ENOMEM;
        }
    }
    if (allot_io_answered(io, piece))
        read_round_done(io);
    return 0;
}

/* Fds of every piece. 0; 1: try to open; -EIO: one cannot be had. */
static int
read_pieces(struct allot_io *io)
{
    struct allot_brick_view view;
    struct allot_io_piece *piece = NULL;
    int i = 0;

    for (i = 0; i < io->n; i++) {
        piece = &io->pieces[i];
        if (piece->p.brick_idx == ALLOT_PIECE_BASE) {
            piece->xl = allot_priv(io->this)->ns;
            piece->fd = fd_ref(io->fd);
            continue;
        }
        piece->fd = allot_slot_fd(io->this, io->ai, piece->p.brick_idx, &view);
        piece->xl = view.xl;
        if (!piece->fd)
            return io->opened == io->rec->r.gen &&
                           allot_slot_hopeless(io->this, io->ai,
                                               piece->p.brick_idx)
                       ? -EIO
                       : 1;
        if (allot_direct_piece(io, piece, &view))
            return 1;
    }
    return 0;
}

static void
read_wind(struct allot_io *io)
{
    call_frame_t *frame = io->frame;
    struct allot_io_piece *pieces = io->pieces;
    dict_t *gen = dict_ref(io->rec->gen_xdata);
    dict_t *base = NULL;
    int n = io->n;
    int i = 0;

    if (pieces[0].p.brick_idx == ALLOT_PIECE_BASE)
        base = allot_xdata_to_read(io->this, io->xdata, io->rec->r.gen);
    allot_io_begin(io);
    frame->root->pid = ALLOT_PID;
    for (i = 0; i < n; i++) {
        STACK_WIND_COOKIE(
            frame, read_piece_cbk, (void *)(long)i, pieces[i].xl,
            pieces[i].xl->fops->readv, pieces[i].fd, pieces[i].p.len,
            pieces[i].p.offset, allot_io_flags(io, &pieces[i]),
            pieces[i].p.brick_idx == ALLOT_PIECE_BASE && base ? base : gen);
    }
    dict_unref(gen);
    if (base)
        dict_unref(base);
}

/* In the gate, shared. */
static void
read_go(void *arg)
{
    struct allot_io *io = arg;
    struct allot_inode *ai = io->ai;
    enum allot_kind kind = ALLOT_KIND_UNKNOWN;
    inode_t *inode = NULL;
    uint64_t len = io->len;
    int ret = 0;

    io->rec = allot_inode_rec(ai, &kind);
    if (kind == ALLOT_KIND_PLAIN && !ai->stale) {
        read_plain(io);
        return;
    }
    if (kind != ALLOT_KIND_SPREAD || ai->stale || !read_eof(io, io->rec) ||
        allot_needs_help(io->this, ai, io->rec)) {
        ret = 1;
    } else if (io->off < io->eof) {
        if (io->off + len > io->eof)
            len = io->eof - io->off;
        ret = allot_io_split(io, io->off, len);
        if (ret == 0)
            ret = read_pieces(io);
        if (ret == 0) {
            read_wind(io);
            return;
        }
    }
    if (ret > 0 && !allot_patience_left(io->this, io->fd->inode, &io->patience))
        ret = -EIO;
    allot_io_round_clear(io);
    if (ret > 0) {
        read_repair(io);
        return;
    }
    inode = inode_ref(io->fd->inode);
    allot_gate_leave(io->this, ai, _gf_false);
    if (ret == 0)
        read_nothing(io);
    else
        read_fail(io, -ret);
    inode_unref(inode);
}

static void
read_enter(void *arg)
{
    struct allot_io *io = arg;

    if (allot_gate_enter(io->this, io->ai, _gf_false, read_go, io))
        read_fail(io, ENOMEM);
}

void
allot_read_go_on(struct allot_io *io)
{
    read_enter(io);
}

/* The bounds of a read that is ours to answer; NULL for no memory. */
static struct allot_io *
read_new(call_frame_t *frame, xlator_t *this, fd_t *fd, size_t size,
         off_t offset, uint32_t flags, dict_t *xdata)
{
    if ((uint64_t)offset > ALLOT_OFFSET_MAX - size)
        size = ALLOT_OFFSET_MAX - offset;
    return allot_io_new(frame, this, fd, offset, size, flags, xdata);
}

int
allot_read_own(call_frame_t *like, fd_t *fd, uint64_t len, uint64_t off,
               allot_read_done_fn done, void *arg)
{
    call_frame_t *frame = copy_frame(like);
    struct allot_io *io = NULL;

    if (frame)
        io = read_new(frame, like->this, fd, len, off, 0, NULL);
    if (!io) {
        if (frame)
            STACK_DESTROY(frame->root);
        return -ENOMEM;
    }
    io->done = done;
    io->done_arg = arg;
    read_enter(io);
    return 0;
}

int32_t
allot_readv(call_frame_t *frame, xlator_t *this, fd_t *fd, size_t size,
            off_t offset, uint32_t flags, dict_t *xdata)
{
    struct allot_io *io = NULL;

    /* The bricks would say so of a base, but portions are open for both. */
    if (allot_known_spread(this, fd->inode) &&
        (allot_fd_flags(this, fd) & O_ACCMODE) == O_WRONLY) {
        STACK_UNWIND_STRICT(readv, frame, -1, EBADF, NULL, 0, NULL, NULL, NULL);
        return 0;
    }
    if (offset < 0 || (uint64_t)offset > INT64_MAX - size) {
        STACK_UNWIND_STRICT(readv, frame, -1, EINVAL, NULL, 0, NULL, NULL,
                            NULL);
        return 0;
    }
    if (allot_priv(this)->pass_through || size == 0 || offset < 0) {
        STACK_WIND_TAIL(frame, allot_priv(this)->ns,
                        allot_priv(this)->ns->fops->readv, fd, size, offset,
                        flags, xdata);
        return 0;
    }
    io = read_new(frame, this, fd, size, offset, flags, xdata);
    if (!io)
        STACK_UNWIND_STRICT(readv, frame, -1, ENOMEM, NULL, 0, NULL, NULL,
                            NULL);
    else if (!allot_prefetch_read(io))
        read_enter(io);
    return 0;
}
