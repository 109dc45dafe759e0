/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-write-whole.c - the write that makes a plain file spread, where it is
 * likely to be the last one: it is written first and published then, with its
 * size (docs/protocol.md, 2.3b). So a file that is little longer than its
 * inline part is spread and settled by one publication.
 *
 *            off     inline_limit          off + len
 *   ----------|===========|====================|
 *      base   |   base    |   head portion     |
 *             | gen g     |   gen g + 1, which no record names yet
 *             | and mark  |
 *             |<-- all at once, then publish: g + 1, clean, off + len -->|
 *
 * Whatever goes wrong before the publication leaves a plain file, and the write
 * goes its usual way.
 */
#include "allot-io.h"
#include "allot-stop.h"
#include <fcntl.h>

/* FUSE hands a stream over in writes of 128 KiB. A record that is clean after
 * the first of them would have to become DIRTY for the second. */
#define WHOLE_MAX (128 << 10)

gf_boolean_t
allot_write_whole_fits(struct allot_io *io)
{
    struct allot_inode *ai = io->ai;
    struct allot_priv *priv = allot_priv(io->this);
    uint32_t limit = allot_bricks_inline_limit(io->this);

    /* An append finds its place by other rules; what is to be durable needs a
     * durable record; the bricks of a set do not take a mark as one. */
    return !io->tried_whole && !io->append && io->len < WHOLE_MAX &&
           !((allot_fd_flags(io->this, io->fd) | io->flags) &
             (O_SYNC | O_DSYNC)) &&
           ai->kind == ALLOT_KIND_PLAIN && !ai->stale && io->off <= limit &&
           ai->base_size <= limit && !priv->ns_replicated &&
           !allot_write_stays_plain(io->this, ai, io->off + io->len);
}

/* A call for a piece. 0 or -errno. */
static int
whole_piece(struct allot_io *io, const struct allot_record *r,
            const struct allot_piece *p, struct allot_call *call)
{
    struct allot_brick_view view;

    allot_call_init(call, NULL, GF_FOP_WRITE);
    call->off = p->offset;
    call->len = p->len;
    call->flags = io->flags;
    call->iobref = io->iobref;
    call->iov = GF_CALLOC(io->count, sizeof(*call->iov), allot_mt_misc);
    if (!call->iov)
        return -ENOMEM;
    call->iov_count = allot_iov_cut(io->iov, io->count, p->offset - io->off,
                                    p->len, call->iov);
    if (p->brick_idx == ALLOT_PIECE_BASE) {
        call->fd = fd_ref(io->fd);
        call->as = io->frame; /* locks of the file are in the base's way */
        call->xdata = allot_xdata_with_gen(io->xdata, allot_inode_gen(io->ai));
        if (!call->xdata ||
            dict_set_uint64(call->xdata, ALLOT_KEY_UNCUT, r->nonce))
            return -ENOMEM;
        call->xl = allot_priv(io->this)->ns;
        return 0;
    }
    call->idx = p->brick_idx;
    call->fd = allot_slot_fd_new(io->this, io->ai, r->nonce, call->idx, &view);
    if (!call->fd)
        return -ENOTCONN;
    call->xdata = allot_xdata_gen(io->this, r->gen);
    if (!call->xdata)
        return -ENOMEM;
    call->xl = view.xl;
    return 0;
}

static void
whole_wipe(struct allot_call *calls, int n)
{
    int i = 0;

    for (i = 0; i < n; i++) {
        GF_FREE(calls[i].iov);
        if (calls[i].fd)
            fd_unref(calls[i].fd);
        if (calls[i].xdata)
            dict_unref(calls[i].xdata);
    }
    allot_calls_wipe(calls, n);
    GF_FREE(calls);
}

/* What the bricks say of their portions: of two pieces on one brick the later
 * answer counts, which has the more blocks. A base that got a part has its time
 * by that. */
static void
whole_seen(const struct allot_call *calls, int n, struct allot_fill *fill)
{
    gf_boolean_t based = _gf_false;
    uint64_t most = 0;
    int i = 0;
    int j = 0;

    for (i = 0; i < n; i++) {
        const struct iatt *st = &calls[i].st;

        based = based || calls[i].idx == UINT16_MAX;
        if (st->ia_mtime > fill->mtime.tv_sec ||
            (st->ia_mtime == fill->mtime.tv_sec &&
             st->ia_mtime_nsec > (uint32_t)fill->mtime.tv_nsec)) {
            fill->mtime.tv_sec = st->ia_mtime;
            fill->mtime.tv_nsec = st->ia_mtime_nsec;
        }
        most = 0;
        for (j = 0; j < n && calls[i].idx != UINT16_MAX; j++) {
            if (calls[j].idx != calls[i].idx)
                continue;
            if (j < i)
                break; /* counted */
            if (calls[j].st.ia_blocks > most)
                most = calls[j].st.ia_blocks;
        }
        fill->blocks512 += most;
    }
    if (based)
        memset(&fill->mtime, 0, sizeof(fill->mtime));
}

/* allot_fill.write */
static int
whole_write(xlator_t *this, struct allot_fill *fill,
            const struct allot_record *r)
{
    struct allot_io *io = fill->arg;
    struct allot_piece *pieces = NULL;
    struct allot_call *calls = NULL;
    int64_t n = allot_split_all(r->layout, io->off, io->len, &pieces);
    gf_boolean_t gap = _gf_false;
    int ret = 0;
    int i = 0;

    calls = n > 0 ? GF_CALLOC(n, sizeof(*calls), allot_mt_calls) : NULL;
    if (!calls) {
        free(pieces);
        return n < 0 ? (int)n : -ENOMEM;
    }
    for (i = 0; i < n && !ret; i++)
        ret = whole_piece(io, r, &pieces[i], &calls[i]);
    free(pieces);
    if (ret) {
        whole_wipe(calls, i);
        return ret;
    }
    allot_fan(this, calls, n);
    io->good = 0;
    for (i = 0; i < n; i++) {
        if (calls[i].ret < 0 || (uint64_t)calls[i].ret < calls[i].len)
            gap = _gf_true;
        else if (calls[i].idx == UINT16_MAX)
            io->ai->base_size = calls[i].st.ia_size;
        /* If there is no way around it, the writer is told so much. */
        if (!gap && calls[i].idx == UINT16_MAX)
            io->good = calls[i].len;
    }
    if (!gap)
        whole_seen(calls, n, fill);
    whole_wipe(calls, n);
    return gap ? -ECANCELED : 0;
}

/* It is published: what an ordinary write notes when it is answered. */
static void
whole_account(struct allot_io *io, const struct allot_rec *rec)
{
    struct allot_split_iter iter;
    struct allot_piece piece;

    allot_inode_wrote(io->ai, rec, io->off, io->off + io->len);
    LOCK(&io->ai->lock);
    {
        if (io->ai->rec == rec)
            io->ai->wrote = _gf_false; /* it is settled: no close has to */
    }
    UNLOCK(&io->ai->lock);
    if (allot_split_begin(&iter, rec->r.layout, io->off, io->len))
        return;
    while (allot_split_next(&iter, &piece)) {
        if (piece.brick_idx == ALLOT_PIECE_BASE)
            continue;
        allot_slot_unsynced(io->ai, piece.brick_idx, 1);
        allot_bricks_account(io->this, piece.brick_idx, piece.len);
    }
}

int
allot_write_whole(struct allot_io *io)
{
    inode_t *inode = io->fd->inode;
    struct allot_fill fill = {
        .write = whole_write,
        .arg = io,
    };
    struct allot_rec *rec = NULL;
    int ret = 0;

    io->tried_whole = _gf_true;
    ret =
        allot_grow_whole(io->this, inode, io->off + io->len, &io->avoid, &fill);
    if (ret)
        return ret;
    rec = allot_inode_rec(io->ai, NULL);
    if (rec && rec->r.nonce == fill.nonce)
        whole_account(io, rec);
    else
        ret = -EREMCHG; /* no memory for the record, or it is gone again */
    allot_rec_unref(rec);
    return ret;
}
