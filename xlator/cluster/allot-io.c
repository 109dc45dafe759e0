/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-io.c - what readv and writev have in common, see allot-io.h.
 */
#include "allot-io.h"
#include "allot-stop.h"

struct allot_io *
allot_io_new(call_frame_t *frame, xlator_t *this, fd_t *fd, uint64_t off,
             uint64_t len, uint32_t flags, dict_t *xdata)
{
    struct allot_inode *ai = allot_inode_get(this, fd->inode);
    struct allot_io *io = NULL;

    if (ai)
        io = GF_CALLOC(1, sizeof(*io), allot_mt_local);
    if (!io)
        return NULL;
    io->frame = frame;
    io->this = this;
    io->fd = fd_ref(fd);
    io->pid = frame->root->pid;
    io->ai = ai;
    io->off = off;
    io->len = len;
    io->flags = flags;
    io->direct = !!((allot_fd_flags(this, fd) | flags) & O_DIRECT);
    INIT_LIST_HEAD(&io->wait);
    INIT_LIST_HEAD(&io->payload.list);
    if (xdata)
        io->xdata = dict_ref(xdata);
    frame->local = io;
    return io;
}

void
allot_io_list(struct allot_io *io)
{
    LOCK(&io->ai->lock);
    {
        io->payload.off = io->off;
        io->payload.len = io->len;
        io->payload.iov = io->iov;
        io->payload.count = io->count;
        if (list_empty(&io->payload.list))
            list_add_tail(&io->payload.list, &io->ai->repairs);
    }
    UNLOCK(&io->ai->lock);
}

void
allot_io_unlist(struct allot_io *io)
{
    /* Others change the list around it, but not whether it is in there. */
    if (list_empty(&io->payload.list))
        return;
    LOCK(&io->ai->lock);
    {
        list_del_init(&io->payload.list);
    }
    UNLOCK(&io->ai->lock);
}

void
allot_io_round_clear(struct allot_io *io)
{
    int i = 0;

    for (i = 0; i < io->n; i++) {
        if (io->pieces[i].fd)
            fd_unref(io->pieces[i].fd);
        if (io->pieces[i].iobref)
            iobref_unref(io->pieces[i].iobref);
        GF_FREE(io->pieces[i].iov);
    }
    GF_FREE(io->pieces);
    io->pieces = NULL;
    io->n = 0;
    allot_rec_unref(io->rec);
    io->rec = NULL;
}

void
allot_io_free(struct allot_io *io)
{
    allot_io_round_clear(io);
    GF_FREE(io->before);
    io->frame->root->pid = io->pid;
    io->frame->local = NULL;
    if (io->xdata)
        dict_unref(io->xdata);
    GF_FREE(io->iov);
    if (io->iobref)
        iobref_unref(io->iobref);
    fd_unref(io->fd);
    GF_FREE(io);
}

int
allot_io_split(struct allot_io *io, uint64_t off, uint64_t len)
{
    struct allot_split_iter iter;
    struct allot_piece piece;
    int cap = 4;
    struct allot_io_piece *grown = NULL;
    int ret = allot_split_begin(&iter, io->rec->r.layout, off, len);

    if (ret)
        return ret;
    io->pieces = GF_CALLOC(cap, sizeof(*io->pieces), allot_mt_calls);
    if (!io->pieces)
        return -ENOMEM;
    while (allot_split_next(&iter, &piece)) {
        if (io->n == cap) {
            grown = GF_REALLOC(io->pieces, 2 * cap * sizeof(*io->pieces));
            if (!grown)
                return -ENOMEM;
            memset(grown + cap, 0, cap * sizeof(*grown));
            io->pieces = grown;
            cap *= 2;
        }
        io->pieces[io->n++].p = piece;
    }
    return 0;
}

void
allot_io_begin(struct allot_io *io)
{
    struct allot_io_piece *piece = NULL;
    int i = 0;

    io->pending = io->n;
    for (i = 0; i < io->n; i++) {
        piece = &io->pieces[i];
        if (piece->p.brick_idx != ALLOT_PIECE_BASE)
            piece->health = allot_health_of(io->this, piece->p.brick_idx);
        piece->start_nsec = allot_health_begin(piece->health);
    }
}

gf_boolean_t
allot_io_answered(struct allot_io *io, struct allot_io_piece *piece)
{
    int left = 0;

    allot_health_end(io->this, piece->health,
                     io->writing ? ALLOT_WORK_WRITE : ALLOT_WORK_READ,
                     piece->start_nsec, piece->ret, piece->err, io->fd->inode);

    LOCK(&io->frame->lock);
    {
        left = --io->pending;
    }
    UNLOCK(&io->frame->lock);
    return left == 0;
}

/* @idx's portion is to be raised. */
static int
judge_behind(struct allot_io *io, uint16_t idx)
{
    int max = sizeof(io->behind) / sizeof(io->behind[0]);
    int i = 0;

    for (i = 0; i < io->n_behind && io->behind[i] != idx; i++)
        ;
    if (i == io->n_behind && i < max)
        io->behind[io->n_behind++] = idx;
    return 1;
}

/* A portion's error: note what it asks for. Returns as allot_io_judge(). */
static int
judge_portion(struct allot_io *io, struct allot_io_piece *piece)
{
    uint16_t idx = piece->p.brick_idx;

    /* Too small for its disk, or it cannot do without the page cache. */
    if (piece->direct && piece->err == EINVAL) {
        allot_direct_refused(io->ai, idx);
        return 1;
    }
    switch (piece->err) {
        case ALLOT_ERR_OLD:
            io->refused = _gf_true;
            return 1;
        case ALLOT_ERR_BEHIND:
            return judge_behind(io, idx);
        case EBADF:
        case EBADFD:
        case ENOENT:
        case ESTALE:
            /* Not open any more, or not there: opening it again tells. */
            allot_slot_drop(io->ai, idx);
            if (!io->writing && io->opened == io->rec->r.gen &&
                io->patience.same > 4)
                return -EIO;
            return 1;
        case ENOMEM:
            return -ENOMEM;
        case ENOSPC:
        case EDQUOT:
            if (io->writing) {
                allot_bricks_full(io->this, idx);
                allot_avoid_add(&io->avoid, idx, piece->err);
                io->err = piece->err;
                return 1;
            }
            return -EIO;
        default:
            /* Bricks of a disperse set that do not agree: whoever raises the
             * portion makes them. Once. */
            if (piece->err == EIO && !io->evened &&
                allot_dispersed(io->this, piece->xl)) {
                io->uneven = _gf_true;
                allot_slot_unwritten(io->ai, idx);
                return judge_behind(io, idx);
            }
            if (piece->err == EIO && allot_slot_tell(io->ai, idx))
                gf_msg(io->this->name, GF_LOG_ERROR, EIO,
                       ALLOT_MSG_LOST_PORTION,
                       "the portion of gfid %s on %s cannot be read or written",
                       uuid_utoa(io->fd->inode->gfid), piece->xl->name);
            if (!io->writing)
                return -EIO; /* a lost block, whatever the reason */
            allot_avoid_add(&io->avoid, idx, piece->err);
            return 1;
    }
}

int
allot_io_judge(struct allot_io *io)
{
    struct allot_io_piece *piece = NULL;
    gf_boolean_t gap = _gf_false;
    int worst = 0;
    int ret = 0;
    int i = 0;

    io->refused = _gf_false;
    io->n_behind = 0;
    io->good = 0;
    for (i = 0; i < io->n; i++) {
        piece = &io->pieces[i];
        ret = 0;
        if (piece->ret > 0)
            io->landed = _gf_true;
        if (piece->ret < 0) {
            if (piece->p.brick_idx != ALLOT_PIECE_BASE) {
                ret = judge_portion(io, piece);
            } else if (piece->err == ALLOT_ERR_OLD) {
                io->refused = _gf_true;
                ret = 1;
            } else if (piece->err == ALLOT_ERR_BEHIND) {
                /* A replica that waits to be healed. */
                io->ai->base_behind = _gf_true;
                io->ai->stale = _gf_true;
                ret = 1;
            } else if (piece->err == EIO && !io->evened &&
                       allot_dispersed(io->this, piece->xl)) {
                io->uneven = io->ai->stale = _gf_true; /* as judge_portion() */
                ret = 1;
            } else {
                ret = -piece->err;
            }
        } else if (io->writing && (uint64_t)piece->ret < piece->p.len) {
            piece->err = ENOSPC; /* a short write to a file is a full disk */
            ret = piece->p.brick_idx == ALLOT_PIECE_BASE
                      ? -ENOSPC
                      : judge_portion(io, piece);
            if (!gap)
                io->good += piece->ret;
        } else if (!gap) {
            io->good += piece->p.len;
        }
        if (ret)
            gap = _gf_true;
        if (ret < 0 && worst >= 0)
            worst = ret;
        else if (ret > 0 && worst == 0)
            worst = ret;
    }
    if (worst > 0 &&
        !allot_patience_left(io->this, io->fd->inode, &io->patience))
        worst = -EIO;
    io->evened |= io->uneven;
    if (worst > 0)
        GF_ATOMIC_INC(allot_priv(io->this)->retries);
    return worst;
}

/* Portions that have missed a fence. One that is not there, or damaged, will
 * never be right: its blocks are lost, unless the file has none any more. */
static int
io_raise_behind(struct allot_io *io)
{
    struct allot_rec *rec = allot_inode_rec(io->ai, NULL);
    int errs[sizeof(io->behind) / sizeof(io->behind[0])];
    gf_boolean_t lost = _gf_false;
    int ret = 0;
    int i = 0;

    if (!rec || !rec->r.layout->extent_count)
        goto out;
    memset(errs, 0, sizeof(errs));
    ret = allot_fence(io->this, io->fd->inode, &rec->r, rec->r.gen, io->behind,
                      io->n_behind, errs);
    /* What else cannot be fenced is met again in the next round. */
    if (ret != -ENOMEM)
        ret = 0;
    for (i = 0; i < io->n_behind; i++)
        lost |= allot_portion_lost(errs[i]);
    if (!lost || allot_record_moved(io->this, io->fd->inode, rec))
        goto out;
    if (!io->writing)
        ret = -EIO;
    for (i = 0; i < io->n_behind; i++)
        if (allot_portion_lost(errs[i]))
            allot_avoid_add(&io->avoid, io->behind[i], EIO);
out:
    allot_rec_unref(rec);
    return ret;
}

int
allot_io_repair(struct allot_io *io)
{
    uint64_t gen = io->rec ? io->rec->r.gen : 0;
    int ret = 0;

    if (io->refused) {
        ret = allot_catch_up(io->this, io->fd->inode, gen);
        if (ret == -EREMCHG)
            ret = 0;
    } else if (io->n_behind) {
        ret = io_raise_behind(io);
        allot_stop(io->this, ALLOT_STOP_BEHIND_FENCED);
    }
    io->refused = _gf_false;
    io->n_behind = 0;
    allot_io_round_clear(io);
    return ret;
}
