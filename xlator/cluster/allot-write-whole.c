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
 *   allot_write_whole -> [creates] -> whole_created -> [writes] ->
 *   whole_filled -> [publish] -> whole_published -> answer
 *
 * One callback after the other and no task, alone in the gate: for small files
 * a task's sleeping and waking is much of the time. Whatever goes wrong leaves
 * a plain file, or one that nobody is sure of, and the write goes its usual way
 * (write_repair() in allot-write.c), which finds out.
 */
#include "allot-io.h"
#include "allot-stop.h"
#include <fcntl.h>

/* FUSE hands a stream over in writes of 128 KiB. A record that is clean after
 * the first of them would have to become DIRTY for the second. */
#define WHOLE_MAX (128 << 10)

struct whole {
    struct allot_io *io;
    struct allot_record r; /* to be published; ours until it is */
    struct allot_making making;
    struct allot_call *calls; /* the writes */
    int n;
    struct allot_publication pub;
    loc_t loc; /* of the base */
    struct allot_flight flight;
    gf_boolean_t made; /* there are portions */
};

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
             (O_SYNC | O_DSYNC | O_DIRECT)) &&
           ai->kind == ALLOT_KIND_PLAIN && !ai->stale && !ai->unlinked &&
           io->off <= limit && ai->base_size <= limit && !priv->ns_replicated &&
           !allot_write_stays_plain(io->this, ai, io->off + io->len);
}

/* ---- the end
 * ------------------------------------------------------------------ */

static void
whole_wipe(struct whole *w)
{
    int i = 0;

    for (i = 0; w->calls && i < w->n; i++) {
        GF_FREE(w->calls[i].iov);
        if (w->calls[i].fd)
            fd_unref(w->calls[i].fd);
        if (w->calls[i].xdata)
            dict_unref(w->calls[i].xdata);
    }
    if (w->calls)
        allot_calls_wipe(w->calls, w->n);
    GF_FREE(w->calls);
    w->calls = NULL;
    w->n = 0;
    allot_portions_end(&w->making);
    allot_publish_end(&w->pub);
    allot_record_clear(&w->r);
    loc_wipe(&w->loc);
    GF_FREE(w);
}

/* Out of the gate, and with @ret 0 the answer; else the usual way, in which the
 * portions are removed first. */
static void
whole_end(struct whole *w, int ret)
{
    struct allot_io *io = w->io;
    struct allot_inode *ai = io->ai;
    xlator_t *this = io->this;
    inode_t *inode = inode_ref(io->fd->inode);

    if (ret && w->made)
        io->orphan = w->making.nonce;
    whole_wipe(w);
    if (ret == 0)
        allot_write_done(io, io->len);
    else
        allot_write_again(io);
    allot_gate_leave(this, ai, _gf_true);
    inode_unref(inode);
}

/* What an ordinary write notes when it is answered. */
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

/* ---- publish
 * ------------------------------------------------------------------ */

static void
whole_published(void *arg)
{
    struct whole *w = arg;
    struct allot_io *io = w->io;
    struct allot_call *call = &w->pub.call;
    struct allot_rec *rec = NULL;
    uint64_t nonce = w->making.nonce;

    if (call->ret < 0) {
        io->ai->stale = _gf_true;
        /* If the answer got lost it may be the file's: better an orphan than a
         * lost portion. */
        if (!allot_publish_refused(call->err) && call->err != ENOENT &&
            call->err != ESTALE)
            w->made = _gf_false;
        whole_end(w, -call->err);
        return;
    }
    allot_publish_taken(io->this, io->fd->inode, &w->r, &w->pub);
    GF_ATOMIC_INC(allot_priv(io->this)->grows);
    allot_stop(io->this, ALLOT_STOP_GROW_PUBLISHED);
    rec = allot_inode_rec(io->ai, NULL);
    w->made = _gf_false;
    if (rec && rec->r.nonce == nonce) {
        whole_account(io, rec);
        whole_end(w, 0);
    } else {
        whole_end(w, -ENOMEM); /* of the record, or it is gone again */
    }
    allot_rec_unref(rec);
}

/* ---- write
 * ---------------------------------------------------------------------- */

/* What the bricks say of their portions: of two pieces on one brick the later
 * answer counts, which has the more blocks. A base that got a part has its time
 * by that; else @mtime is set. */
static void
whole_seen(struct whole *w, struct timespec *mtime)
{
    gf_boolean_t based = _gf_false;
    uint64_t most = 0;
    int i = 0;
    int j = 0;

    for (i = 0; i < w->n; i++) {
        const struct iatt *st = &w->calls[i].st;

        based = based || w->calls[i].idx == UINT16_MAX;
        if (st->ia_mtime > mtime->tv_sec ||
            (st->ia_mtime == mtime->tv_sec &&
             st->ia_mtime_nsec > (uint32_t)mtime->tv_nsec)) {
            mtime->tv_sec = st->ia_mtime;
            mtime->tv_nsec = st->ia_mtime_nsec;
        }
        most = 0;
        for (j = 0; j < w->n && w->calls[i].idx != UINT16_MAX; j++) {
            if (w->calls[j].idx != w->calls[i].idx)
                continue;
            if (j < i)
                break; /* counted */
            if (w->calls[j].st.ia_blocks > most)
                most = w->calls[j].st.ia_blocks;
        }
        w->r.blocks512 += most;
    }
    if (based)
        memset(mtime, 0, sizeof(*mtime));
}

static void
whole_filled(void *arg)
{
    struct whole *w = arg;
    struct allot_io *io = w->io;
    struct timespec mtime = {
        0,
    };
    gf_boolean_t gap = _gf_false;
    int ret = 0;
    int i = 0;

    io->good = 0;
    for (i = 0; i < w->n; i++) {
        if (w->calls[i].ret < 0 ||
            (uint64_t)w->calls[i].ret < w->calls[i].len) {
            gap = _gf_true;
            continue;
        }
        if (w->calls[i].idx != UINT16_MAX)
            continue;
        io->ai->base_size = w->calls[i].st.ia_size;
        /* If there is no way around it, the writer is told so much. */
        if (!gap)
            io->good = w->calls[i].len;
    }
    if (gap) {
        whole_end(w, -EAGAIN);
        return;
    }
    allot_stop(io->this, ALLOT_STOP_GROW_FILLED);
    w->r.flags = 0;
    w->r.size = io->off + io->len;
    whole_seen(w, &mtime);
    ret = allot_publish_begin(
        io->this, &w->r, allot_bricks_inline_limit(io->this),
        mtime.tv_sec ? &mtime : NULL, w->r.nonce, &w->pub);
    if (ret) {
        whole_end(w, ret);
        return;
    }
    allot_loc_of_inode(&w->loc, io->fd->inode);
    w->pub.call.loc = &w->loc;
    w->flight.done = whole_published;
    allot_fan_start(io->this, io->frame, &w->pub.call, 1, &w->flight);
}

/* A call for a piece. 0 or -errno. */
static int
whole_piece(struct whole *w, const struct allot_piece *p,
            struct allot_call *call)
{
    struct allot_io *io = w->io;
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
        call->xdata =
            allot_xdata_with_gen(io->this, io->xdata, allot_inode_gen(io->ai));
        if (!call->xdata ||
            dict_set_uint64(call->xdata, ALLOT_KEY_UNCUT, w->r.nonce))
            return -ENOMEM;
        call->xl = allot_priv(io->this)->ns;
        return 0;
    }
    call->idx = p->brick_idx;
    call->fd =
        allot_slot_fd_new(io->this, io->ai, w->r.nonce, call->idx, &view);
    if (!call->fd)
        return -ENOTCONN;
    call->xdata = allot_xdata_gen(io->this, w->r.gen);
    if (!call->xdata)
        return -ENOMEM;
    call->xl = view.xl;
    return 0;
}

/* The first portion in a directory of a brick finds no directory. Each time it
 * may be another brick's turn, which has none either; but not for ever. */
#define DIRS_TRIES 8

static void
whole_dirless(struct whole *w)
{
    struct allot_io *io = w->io;
    int max = sizeof(io->dirless) / sizeof(io->dirless[0]);
    int i = 0;

    for (i = 0; i < w->making.n; i++) {
        int err = w->making.errs[i];

        if (err == 0)
            w->made = _gf_true;
        else if ((err == -ENOENT || err == -ESTALE) &&
                 io->made_dirs < DIRS_TRIES && io->n_dirless < max)
            io->dirless[io->n_dirless++] = w->making.calls[i].idx;
    }
}

static void
whole_created(void *arg)
{
    struct whole *w = arg;
    struct allot_io *io = w->io;
    struct allot_piece *pieces = NULL;
    int64_t n = 0;
    int ret = allot_portions_made(io->this, io->fd->inode, &w->making);
    int i = 0;

    if (ret) {
        whole_dirless(w);
        whole_end(w, ret);
        return;
    }
    w->made = _gf_true;
    allot_stop(io->this, ALLOT_STOP_GROW_CREATED);
    n = allot_split_all(w->r.layout, io->off, io->len, &pieces);
    w->calls = n > 0 ? GF_CALLOC(n, sizeof(*w->calls), allot_mt_calls) : NULL;
    if (!w->calls)
        ret = n < 0 ? (int)n : -ENOMEM;
    for (i = 0; !ret && i < n; i++) {
        ret = whole_piece(w, &pieces[i], &w->calls[i]);
        w->n = i + 1;
    }
    free(pieces);
    if (ret) {
        whole_end(w, ret);
        return;
    }
    w->flight.done = whole_filled;
    allot_fan_start(io->this, io->frame, w->calls, w->n, &w->flight);
}

/* ---- make portions
 * -------------------------------------------------------------- */

/* The bricks of a set are not all asked for a mark at the same time. */
static gf_boolean_t
any_set(xlator_t *this, const struct allot_member *members, int n)
{
    struct allot_brick_view view;
    int i = 0;

    for (i = 0; i < n; i++)
        if (allot_brick_get(this, members[i].brick_idx, &view) || view.is_set)
            return _gf_true;
    return _gf_false;
}

void
allot_write_whole(void *arg)
{
    struct allot_io *io = arg;
    struct allot_inode *ai = io->ai;
    xlator_t *this = io->this;
    inode_t *inode = inode_ref(io->fd->inode);
    struct allot_member members[ALLOT_MEMBERS_MAX];
    struct whole *w = NULL;
    int n = 0;

    if (allot_write_whole_fits(io))
        w = GF_CALLOC(1, sizeof(*w), allot_mt_local);
    io->tried_whole = _gf_true;
    if (!w) {
        allot_write_again(io);
        allot_gate_leave(this, ai, _gf_true);
        inode_unref(inode);
        return;
    }
    w->io = io;
    w->flight.arg = w;
    w->flight.done = whole_created;
    n = allot_grow_plan(this, inode, io->off + io->len, &io->avoid, &w->r,
                        members);
    if (n <= 0 || any_set(this, members, n) ||
        allot_portions_begin(this, inode, w->r.nonce, w->r.gen, members, n,
                             &w->making))
        whole_end(w, -EAGAIN);
    else
        allot_fan_start(this, io->frame, w->making.calls, n, &w->flight);
    inode_unref(inode);
}
