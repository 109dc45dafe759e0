/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-seek.c - seek (SEEK_DATA, SEEK_HOLE) and rchecksum.
 *
 * A portion is sparse at its own logical offsets, so a seek in it means
 * something only inside one piece: the pieces are asked in the order of the
 * file.
 */
#include "allot-io.h"

struct allot_seek {
    call_frame_t *frame;
    fd_t *fd;
    uint64_t off;
    gf_seek_what_t what;
    uint64_t size; /* of a plain file when its base is asked */
    dict_t *xdata;
    struct allot_patience patience;
};

/* Disperse of GlusterFS 10 answers a seek behind the end of a file without
 * asking its bricks, and then takes all of them for bad: what it had not told
 * them yet of how long the file is, is lost. So it never gets such a one:
 * -ENXIO here. */
static int
seek_ends(xlator_t *this, const struct allot_call *seek)
{
    struct allot_call call;
    int ret = 0;

    if (!allot_dispersed(this, seek->xl))
        return 0;
    allot_call_init(&call, seek->xl, GF_FOP_FSTAT);
    call.fd = seek->fd;
    call.xdata = seek->xdata;
    ret = allot_call_one(this, &call);
    if (ret >= 0)
        ret = seek->off >= call.st.ia_size ? -ENXIO : 0;
    allot_calls_wipe(&call, 1);
    return ret;
}

/* It asks one of them, too, and if that has come since the fd was opened, it
 * has no such fd. The call then fails, though the others could answer: all of
 * the file may be taken for data. */
static gf_boolean_t
seek_unopened(xlator_t *this, const xlator_t *xl, int ret)
{
    return (ret == -EBADFD || ret == -EBADF) && allot_dispersed(this, xl);
}

static int
seek_piece(xlator_t *this, struct allot_inode *ai, fd_t *app,
           struct allot_piece *piece, gf_seek_what_t what, uint64_t gen,
           uint64_t *found)
{
    struct allot_brick_view view;
    struct allot_call call;
    int ret = 0;

    allot_call_init(&call, allot_priv(this)->ns, GF_FOP_SEEK);
    if (piece->brick_idx == ALLOT_PIECE_BASE) {
        call.fd = fd_ref(app);
    } else {
        call.fd = allot_slot_fd(this, ai, piece->brick_idx, &view);
        call.xl = view.xl;
    }
    if (!call.fd)
        return allot_slot_hopeless(this, ai, piece->brick_idx) ? -EIO : -EAGAIN;
    call.off = piece->offset;
    call.flags = what;
    call.xdata = allot_xdata_with_gen(this, NULL, gen);
    ret = call.xdata ? seek_ends(this, &call) : -ENOMEM;
    if (ret == 0)
        ret = allot_call_one(this, &call);
    /* Past its own end a portion is a hole. */
    if (ret == -ENXIO) {
        *found = what == GF_SEEK_HOLE ? piece->offset : UINT64_MAX;
        ret = 0;
    } else if (seek_unopened(this, call.xl, ret)) {
        *found = what == GF_SEEK_HOLE ? UINT64_MAX : piece->offset;
        ret = 0;
    } else if (ret >= 0) {
        *found = call.roff;
        ret = 0;
    }
    if (call.xdata)
        dict_unref(call.xdata);
    fd_unref(call.fd);
    allot_calls_wipe(&call, 1);
    return ret;
}

/* 0 and *@found, or -errno (-ENXIO: none). */
static int
seek_spread(xlator_t *this, struct allot_seek *seek, struct allot_rec *rec,
            uint64_t size, gf_boolean_t exact, uint64_t *found)
{
    struct allot_inode *ai = allot_inode_get(this, seek->fd->inode);
    struct allot_split_iter iter;
    struct allot_piece piece;
    uint64_t gen = 0;
    int ret = 0;

    /* What is behind a size that is not certain nobody knows. */
    if (seek->off >= size)
        return exact ? -ENXIO : -EIO;
    ret = allot_prepare_read(this, seek->fd->inode, seek->off, size, &gen);
    if (ret == 0 && gen != rec->r.gen)
        ret = -EAGAIN;
    if (ret == 0)
        ret = allot_split_begin(&iter, rec->r.layout, seek->off,
                                size - seek->off);
    if (ret)
        return ret;
    while (allot_split_next(&iter, &piece)) {
        ret = seek_piece(this, ai, seek->fd, &piece, seek->what, rec->r.gen,
                         found);
        if (ret)
            return ret;
        if (*found < piece.offset + piece.len)
            return 0;
    }
    if (!exact)
        return -EIO;
    if (seek->what == GF_SEEK_DATA)
        return -ENXIO;
    *found = size; /* the hole behind the end */
    return 0;
}

static void
seek_free(struct allot_seek *seek)
{
    fd_unref(seek->fd);
    if (seek->xdata)
        dict_unref(seek->xdata);
    GF_FREE(seek);
}

static void
seek_task(xlator_t *this, void *arg);

static int32_t
seek_base_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
              int32_t op_errno, off_t offset, dict_t *xdata)
{
    struct allot_seek *seek = cookie;
    inode_t *inode = seek->fd->inode;

    /* It became spread meanwhile. */
    if (allot_base_refused(this, inode, op_ret, op_errno, &seek->patience) &&
        allot_run(this, inode, _gf_true, seek_task, seek) == 0)
        return 0;
    if (op_ret < 0 && seek_unopened(this, allot_priv(this)->ns, -op_errno)) {
        op_ret = 0;
        offset = seek->what == GF_SEEK_HOLE ? seek->size : seek->off;
    }
    seek_free(seek);
    STACK_UNWIND_STRICT(seek, frame, op_ret,
                        op_ret < 0 ? allot_errno(op_errno) : op_errno, offset,
                        xdata);
    return 0;
}

static void
seek_task(xlator_t *this, void *arg)
{
    struct allot_seek *seek = arg;
    struct allot_inode *ai = allot_inode_get(this, seek->fd->inode);
    call_frame_t *frame = seek->frame;
    struct allot_rec *rec = NULL;
    enum allot_kind kind = ALLOT_KIND_UNKNOWN;
    struct iatt buf;
    gf_boolean_t exact = _gf_true;
    uint64_t found = 0;
    dict_t *xdata = NULL;
    int32_t op_ret = 0;
    int ret = 0;

    do {
        ret = allot_refresh(this, seek->fd->inode, &buf);
        if (ret == 0)
            ret = allot_glimpse_exact(this, seek->fd->inode, &buf, &exact);
        rec = allot_inode_rec(ai, &kind);
        if (ret == 0 && kind == ALLOT_KIND_BROKEN)
            ret = -EIO;
        if (ret == 0 && kind == ALLOT_KIND_SPREAD)
            ret = seek_spread(this, seek, rec, buf.ia_size, exact, &found);
        if (ret == -ALLOT_ERR_OLD)
            allot_catch_up(this, seek->fd->inode, rec->r.gen);
        ai->base_behind = ret == -ALLOT_ERR_BEHIND;
        if (ret == -ALLOT_ERR_BEHIND)
            allot_fence(this, seek->fd->inode, &rec->r, rec->r.gen,
                        rec->r.layout->bricks, rec->r.layout->brick_count,
                        NULL);
        allot_rec_unref(rec);
    } while (
        (ret == -ALLOT_ERR_OLD || ret == -ALLOT_ERR_BEHIND || ret == -EAGAIN) &&
        allot_patience_left(this, seek->fd->inode, &seek->patience));

    /* As seek_ends(): nobody else here changes the file until it is wound. */
    if (ret == 0 && kind == ALLOT_KIND_PLAIN &&
        allot_priv(this)->ns_dispersed && seek->off >= buf.ia_size)
        ret = -ENXIO;
    seek->size = buf.ia_size;
    if (ret == 0 && kind == ALLOT_KIND_PLAIN) {
        xdata = allot_xdata_with_gen(this, seek->xdata, allot_inode_gen(ai));
        STACK_WIND_COOKIE(frame, seek_base_cbk, seek, allot_priv(this)->ns,
                          allot_priv(this)->ns->fops->seek, seek->fd, seek->off,
                          seek->what, xdata);
        if (xdata)
            dict_unref(xdata);
    } else {
        if (ret < 0 && ret != -ENXIO && ret != -ENOMEM)
            ret = -EIO;
        op_ret = ret < 0 ? -1 : 0;
        seek_free(seek);
        STACK_UNWIND_STRICT(seek, frame, op_ret, -ret, found, NULL);
    }
}

int32_t
allot_seek(call_frame_t *frame, xlator_t *this, fd_t *fd, off_t offset,
           gf_seek_what_t what, dict_t *xdata)
{
    struct allot_seek *seek = NULL;

    if (allot_priv(this)->pass_through) {
        STACK_WIND_TAIL(frame, allot_priv(this)->ns,
                        allot_priv(this)->ns->fops->seek, fd, offset, what,
                        xdata);
        return 0;
    }
    seek = GF_CALLOC(1, sizeof(*seek), allot_mt_local);
    if (!seek)
        goto err;
    seek->frame = frame;
    seek->fd = fd_ref(fd);
    seek->off = offset;
    seek->what = what;
    seek->xdata = xdata ? dict_ref(xdata) : NULL;
    if (allot_run(this, fd->inode, _gf_true, seek_task, seek)) {
        seek_free(seek);
        goto err;
    }
    return 0;
err:
    STACK_UNWIND_STRICT(seek, frame, -1, ENOMEM, 0, NULL);
    return 0;
}

int32_t
allot_rchecksum(call_frame_t *frame, xlator_t *this, fd_t *fd, off_t offset,
                int32_t len, dict_t *xdata)
{
    struct allot_inode *ai = allot_inode_peek(this, fd->inode);

    /* Only replicate's healing sends it, and replicate stands below. */
    if (ai && ai->kind == ALLOT_KIND_SPREAD) {
        STACK_UNWIND_STRICT(rchecksum, frame, -1, EOPNOTSUPP, 0, NULL, NULL);
        return 0;
    }
    STACK_WIND_TAIL(frame, allot_priv(this)->ns,
                    allot_priv(this)->ns->fops->rchecksum, fd, offset, len,
                    xdata);
    return 0;
}
