/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-write.c - writev. A plain file's write goes to the base, one call; a
 * spread file's goes to base and portions in parallel and is answered once.
 * The ways around failures are in allot_prepare_write().
 */
#include "allot-prefetch.h"
#include "allot-stop.h"

static void
write_enter(void *arg);
static void
write_repair(struct allot_io *io, gf_boolean_t leave);

/* Only gfid and type: a zero ctime tells caches above to forget what they have.
 */
void
allot_iatt_hollow(inode_t *inode, struct iatt *buf)
{
    memset(buf, 0, sizeof(*buf));
    gf_uuid_copy(buf->ia_gfid, inode->gfid);
    buf->ia_type = IA_IFREG;
}

/* ---- answering
 * -------------------------------------------------------------------- */

struct write_answer {
    struct allot_io *io;
    int32_t ret;
    int32_t err;
};

static void
write_unwind(struct allot_io *io, int32_t ret, int32_t err)
{
    call_frame_t *frame = io->frame;
    struct iatt hollow;

    allot_iatt_hollow(io->fd->inode, &hollow);
    allot_io_free(io);
    STACK_UNWIND_STRICT(writev, frame, ret, err, &hollow, &hollow, NULL);
}

static void
append_lock(struct allot_io *io, gf_boolean_t lock, int *ret)
{
    struct gf_flock flock = {
        .l_type = lock ? F_WRLCK : F_UNLCK,
    };
    struct allot_call call;
    loc_t loc = {
        0,
    };
    int tries = 0;

    /* By gfid, also when the file has no name left: while it is open a brick
     * finds it in memory, and needs no more for a lock. By fd a lock could be
     * taken but not given back: replicate forgets the fd of an unlock. */
    allot_call_init(&call, allot_priv(io->this)->ns, GF_FOP_INODELK);
    allot_loc_of_inode(&loc, io->fd->inode);
    call.loc = &loc;
    call.domain = ALLOT_DOMAIN_APPEND;
    call.flock = &flock;
    call.lock_cmd = lock ? F_SETLKW : F_SETLK;
    call.owner = io;
    /* A lock that is not given back would stop all appends for as long as this
     * client lives. With the connection it is gone by itself. */
    do {
        *ret = allot_call_one(io->this, &call);
    } while (!lock && *ret < 0 && *ret != -ENOTCONN && ++tries < 8);
    loc_wipe(&loc);
}

static void
write_unlock_task(xlator_t *this, void *arg)
{
    struct write_answer *answer = arg;
    int ret = 0;

    allot_stop(this, ALLOT_STOP_LOCK_WRITTEN);
    append_lock(answer->io, _gf_false, &ret);
    write_unwind(answer->io, answer->ret, answer->err);
    GF_FREE(answer);
}

static void
write_answer(struct allot_io *io, int32_t ret, int32_t err)
{
    struct write_answer *answer = NULL;

    allot_io_unlist(io);
    if (!io->locked) {
        write_unwind(io, ret, err);
        return;
    }
    answer = GF_CALLOC(1, sizeof(*answer), allot_mt_misc);
    if (answer) {
        answer->io = io;
        answer->ret = ret;
        answer->err = err;
        if (allot_run(io->this, NULL, _gf_false, write_unlock_task, answer) ==
            0)
            return;
        GF_FREE(answer);
    }
    /* The lock goes with the connection; the answer must not wait for it. */
    write_unwind(io, ret, err);
}

static void
write_fail(struct allot_io *io, int err)
{
    /* The bytes before the first that failed are written. */
    if (io->good && err != ENOMEM)
        write_answer(io, io->good, 0);
    else
        write_answer(io, -1, allot_errno(err));
}

static int32_t
write_syncs(struct allot_io *io)
{
    return (allot_fd_flags(io->this, io->fd) | io->flags) & (O_SYNC | O_DSYNC);
}

/* ---- a synchronous write to a disperse set
 *
 * Its bricks have synced the bytes, but do not know yet how long the file is
 * (allot-disperse.c): a sync of the file makes disperse tell them.
 * ---------------------------------------------------------------------------
 */

/* Is @io such a write? It is done; its pieces are still there. */
static gf_boolean_t
write_unsure(struct allot_io *io)
{
    int i = 0;

    if (!write_syncs(io))
        return _gf_false;
    for (i = 0; i < io->n; i++)
        if (allot_dispersed(io->this, io->pieces[i].xl))
            return _gf_true;
    return io->n == 0 && allot_priv(io->this)->ns_dispersed;
}

/* Has @call, of piece @i, done so? An fd that disperse calls bad would say so
 * for ever: a portion's is given up. */
static gf_boolean_t
made_sure(struct allot_io *io, int i, const struct allot_call *call)
{
    if (!call->xl || call->ret >= 0)
        return _gf_true;
    if (call->err == EBADF && io->n &&
        io->pieces[i].p.brick_idx != ALLOT_PIECE_BASE)
        allot_slot_recorded(io->ai, io->pieces[i].p.brick_idx, _gf_false);
    return _gf_false;
}

static void
write_make_sure_task(xlator_t *this, void *arg)
{
    struct allot_io *io = arg;
    int n = io->n ? io->n : 1;
    struct allot_call *calls = GF_CALLOC(n, sizeof(*calls), allot_mt_calls);
    int ret = calls ? 0 : -ENOMEM;
    int i = 0;

    for (i = 0; calls && i < n; i++) {
        allot_call_init(&calls[i], NULL, GF_FOP_FSYNC);
        calls[i].xl = io->n ? io->pieces[i].xl : allot_priv(this)->ns;
        calls[i].fd = io->n ? io->pieces[i].fd : io->fd;
        if (!allot_dispersed(this, calls[i].xl))
            calls[i].xl = NULL;
        calls[i].xdata = allot_priv(this)->client_xdata;
    }
    if (calls)
        allot_fan(this, calls, n);
    for (i = 0; calls && i < n; i++) {
        ret = made_sure(io, i, &calls[i]) ? ret : -EIO;
        calls[i].fop = GF_FOP_FLUSH; /* it knows if the sync could record */
    }
    if (ret == 0)
        allot_fan(this, calls, n);
    for (i = 0; calls && ret == 0 && i < n; i++)
        ret = made_sure(io, i, &calls[i]) ? ret : -EIO;
    if (calls)
        allot_calls_wipe(calls, n);
    GF_FREE(calls);
    if (ret)
        write_answer(io, -1, -ret);
    else
        write_answer(io, io->done_len, 0);
}

static void
write_make_sure(struct allot_io *io)
{
    if (allot_run(io->this, NULL, _gf_false, write_make_sure_task, io))
        write_answer(io, -1, ENOMEM);
}

/* ---- a plain file
 * ------------------------------------------------------------------- */

static int32_t
write_plain_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                int32_t op_ret, int32_t op_errno, struct iatt *prebuf,
                struct iatt *postbuf, dict_t *xdata)
{
    struct allot_io *io = frame->local;
    inode_t *inode = inode_ref(io->fd->inode);
    struct allot_inode *ai = io->ai;

    /* After an error of disperse the bytes may be there: what chooses its own
     * place is not written again. */
    if (op_ret < 0 && op_errno == EIO && io->append) {
        ai->stale = _gf_true;
    } else if (allot_base_refused(this, inode, op_ret, op_errno,
                                  &io->patience)) {
        allot_io_round_clear(io);
        write_repair(io, _gf_true);
        goto out;
    }
    if (op_ret >= 0) {
        ai->base_size = postbuf->ia_size;
        allot_disperse_base_wrote(this, ai);
    } else {
        op_errno = allot_errno(op_errno);
    }
    allot_gate_leave(this, ai, _gf_false);
    if (op_ret > 0 && write_unsure(io)) {
        io->done_len = op_ret;
        write_make_sure(io);
    } else if (io->locked) {
        write_answer(io, op_ret, op_errno);
    } else {
        allot_io_free(io);
        STACK_UNWIND_STRICT(writev, frame, op_ret, op_errno, prebuf, postbuf,
                            xdata);
    }
out:
    inode_unref(inode);
    return 0;
}

static void
write_plain(struct allot_io *io)
{
    xlator_t *ns = allot_priv(io->this)->ns;
    dict_t *xdata =
        allot_xdata_with_gen(io->this, io->xdata, allot_inode_gen(io->ai));

    if (!xdata) {
        allot_gate_leave(io->this, io->ai, _gf_false);
        write_answer(io, -1, ENOMEM);
        return;
    }
    if (allot_priv(io->this)->ns_dispersed)
        io->frame->root->pid = ALLOT_PID_DATA;
    STACK_WIND(io->frame, write_plain_cbk, ns, ns->fops->writev, io->fd,
               io->iov, io->count, io->off, io->flags, io->iobref, xdata);
    dict_unref(xdata);
}

/* ---- a spread file
 * -------------------------------------------------------------------- */

static void
write_account(struct allot_io *io)
{
    uint64_t known =
        allot_inode_wrote(io->ai, io->rec, io->off, io->off + io->len);
    uint64_t end = 0;
    int i = 0;

    for (i = 0; i < io->n; i++) {
        end = io->pieces[i].p.offset + io->pieces[i].p.len;
        if (io->pieces[i].p.brick_idx == ALLOT_PIECE_BASE)
            continue;
        allot_slot_unsynced(io->ai, io->pieces[i].p.brick_idx, 1);
        if (end <= known)
            continue;
        if (io->pieces[i].p.offset > known)
            known = io->pieces[i].p.offset;
        allot_bricks_account(io->this, io->pieces[i].p.brick_idx, end - known);
    }
}

/* ---- the round
 * --------------------------------------------------------------------- */

/* What disperse sets have of it only they know, and only here. */
static void
write_note_wrote(struct allot_io *io)
{
    struct allot_io_piece *piece = NULL;
    int i = 0;

    if (!allot_dispersed_any(io->this))
        return;
    for (i = 0; i < io->n; i++) {
        piece = &io->pieces[i];
        if (piece->ret <= 0)
            continue;
        if (piece->p.brick_idx == ALLOT_PIECE_BASE)
            allot_disperse_base_wrote(io->this, io->ai);
        else
            allot_disperse_wrote(io->this, io->ai, piece->p.brick_idx,
                                 piece->xl);
    }
}

static void
write_round_done(struct allot_io *io)
{
    inode_t *inode = inode_ref(io->fd->inode);
    int ret = 0;

    write_note_wrote(io);
    ret = allot_io_judge(io);

    if (io->landed &&
        (allot_write_no_room(io->err) || allot_write_no_room(-ret)))
        allot_write_note_before(io);
    if (ret < 0 && io->before) {
        io->giving_up = _gf_true;
        io->err = -ret;
        io->ai->wrote = _gf_true;
        ret = 1;
    }
    if (ret > 0) {
        write_repair(io, _gf_true);
    } else {
        allot_stop(io->this, ALLOT_STOP_WRITE_DONE);
        allot_prefetch_changed(io->ai);
        if (ret == 0)
            write_account(io);
        else
            io->ai->wrote = _gf_true; /* perhaps: the last close looks */
        allot_gate_leave(io->this, io->ai, _gf_false);
        if (ret == 0 && write_unsure(io)) {
            io->done_len = io->len;
            write_make_sure(io);
        } else if (ret == 0) {
            write_answer(io, io->len, 0);
        } else {
            write_fail(io, -ret);
        }
    }
    inode_unref(inode);
}

static int32_t
write_piece_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                int32_t op_ret, int32_t op_errno, struct iatt *prebuf,
                struct iatt *postbuf, dict_t *xdata)
{
    struct allot_io *io = frame->local;
    struct allot_io_piece *piece = &io->pieces[(long)cookie];

    piece->ret = op_ret;
    piece->err = op_errno;
    piece->before = op_ret >= 0 && prebuf ? prebuf->ia_size : UINT64_MAX;
    if (allot_io_answered(io, piece))
        write_round_done(io);
    return 0;
}

/* The fd by which an append that is located writes to the base, a new
 * reference: the application's would put it at the base's end. NULL: there is
 * only that. A base without a name cannot be opened any more; then the end is
 * where an append writes that touches the base. */
static fd_t *
write_base_fd(struct allot_io *io)
{
    fd_t *fd = NULL;

    LOCK(&io->ai->lock);
    {
        if (io->ai->base_fd)
            fd = fd_ref(io->ai->base_fd);
        else if (io->ai->unlinked)
            fd = fd_ref(io->fd);
    }
    UNLOCK(&io->ai->lock);
    return fd;
}

/* Fds and data of every piece. 0; 1: something must be prepared; -errno. */
static int
write_pieces(struct allot_io *io)
{
    struct allot_brick_view view;
    struct allot_io_piece *piece = NULL;
    int i = 0;

    for (i = 0; i < io->n; i++) {
        piece = &io->pieces[i];
        if (piece->p.brick_idx == ALLOT_PIECE_BASE) {
            piece->xl = allot_priv(io->this)->ns;
            piece->fd = io->append ? write_base_fd(io) : fd_ref(io->fd);
        } else if (!allot_avoid_has(&io->avoid, piece->p.brick_idx)) {
            piece->fd =
                allot_slot_fd(io->this, io->ai, piece->p.brick_idx, &view);
            piece->xl = view.xl;
        }
        if (!piece->fd)
            return 1;
        piece->iov = GF_CALLOC(io->count, sizeof(*piece->iov), allot_mt_misc);
        if (!piece->iov)
            return -ENOMEM;
        piece->count =
            allot_iov_cut(io->iov, io->count, piece->p.offset - io->off,
                          piece->p.len, piece->iov);
        if (piece->p.brick_idx != ALLOT_PIECE_BASE &&
            allot_direct_piece(io, piece, &view))
            return 1;
    }
    return 0;
}

static void
write_wind(struct allot_io *io)
{
    int32_t sync = write_syncs(io);
    call_frame_t *frame = io->frame;
    xlator_t *this = io->this;
    struct allot_io_piece *pieces = io->pieces;
    dict_t *gen = dict_ref(io->rec->gen_xdata);
    dict_t *base = NULL;
    int n = io->n;
    int i = 0;

    if (pieces[0].p.brick_idx == ALLOT_PIECE_BASE)
        base = allot_xdata_with_gen(io->this, io->xdata, io->rec->r.gen);
    allot_io_begin(io);
    frame->root->pid = allot_dispersed_any(this) ? ALLOT_PID_DATA : ALLOT_PID;
    /* io may be gone as soon as the last piece is wound. */
    for (i = 0; i < n; i++) {
        STACK_WIND_COOKIE(
            frame, write_piece_cbk, (void *)(long)i, pieces[i].xl,
            pieces[i].xl->fops->writev, pieces[i].fd, pieces[i].iov,
            pieces[i].count, pieces[i].p.offset,
            allot_io_flags(io, &pieces[i]) | sync, io->iobref,
            pieces[i].p.brick_idx == ALLOT_PIECE_BASE && base ? base : gen);
        if (i + 1 < n)
            allot_stop(this, ALLOT_STOP_WRITE_SOME);
    }
    dict_unref(gen);
    if (base)
        dict_unref(base);
}

void
allot_write_done(struct allot_io *io, uint64_t len)
{
    allot_stop(io->this, ALLOT_STOP_WRITE_DONE);
    allot_prefetch_changed(io->ai);
    write_answer(io, len, 0);
}

void
allot_write_again(struct allot_io *io)
{
    write_repair(io, _gf_false);
}

/* From the gate, shared, to where it is alone in it. */
static void
write_whole(struct allot_io *io)
{
    inode_t *inode = inode_ref(io->fd->inode);
    struct allot_inode *ai = io->ai;
    xlator_t *this = io->this;

    if (allot_gate_enter(this, ai, _gf_true, allot_write_whole, io))
        write_answer(io, -1, ENOMEM);
    allot_gate_leave(this, ai, _gf_false);
    inode_unref(inode);
}

/* In the gate, shared. */
static void
write_go(void *arg)
{
    struct allot_io *io = arg;
    struct allot_inode *ai = io->ai;
    enum allot_kind kind = ALLOT_KIND_UNKNOWN;
    uint64_t end = io->off + io->len;
    gf_boolean_t want = _gf_false;
    int ret = 0;

    io->rec = allot_inode_rec(ai, &kind);
    if (kind == ALLOT_KIND_PLAIN && !ai->stale &&
        allot_write_stays_plain(io->this, ai, end)) {
        write_plain(io);
        return;
    }
    if (kind != ALLOT_KIND_SPREAD || ai->stale || (io->append && !io->locked))
        want = _gf_true;
    else if (!(io->rec->r.flags & ALLOT_RECORD_DIRTY) ||
             allot_needs_help(io->this, ai, io->rec))
        want = _gf_true;
    else if (ai->judged != allot_bricks_version(io->this))
        want = allot_leaves_head(io->this, io->rec->r.layout, end) ||
               (end > ai->known_size &&
                allot_members_wanting(io->this, io->rec->r.layout,
                                      ai->known_size));
    /* Bytes that are to be durable need a record that is. */
    if (write_syncs(io) && ai->record_unsynced)
        want = _gf_true;
    if (!want) {
        ret = allot_io_split(io, io->off, io->len);
        if (ret == 0)
            ret = write_pieces(io);
    }
    if (want || ret > 0) {
        allot_io_round_clear(io);
        ret = allot_patience_left(io->this, io->fd->inode, &io->patience)
                  ? 1
                  : -EIO;
    }
    if (ret > 0 && allot_write_whole_fits(io)) {
        write_whole(io);
    } else if (ret > 0) {
        write_repair(io, _gf_true);
    } else if (ret < 0) {
        inode_t *inode = inode_ref(io->fd->inode);

        allot_gate_leave(io->this, ai, _gf_false);
        write_fail(io, -ret);
        inode_unref(inode);
    } else {
        write_wind(io);
    }
}

static void
write_enter(void *arg)
{
    struct allot_io *io = arg;

    if (allot_gate_enter(io->this, io->ai, _gf_false, write_go, io))
        write_answer(io, -1, ENOMEM);
}

/* ---- between two rounds
 * ------------------------------------------------------------------ */

/* The end of a spread file that somebody is writing. -EIO if it is not known.
 */
static int
locate_dirty(struct allot_io *io, const struct allot_rec *rec,
             uint64_t base_size, uint64_t *end, uint64_t *known)
{
    struct allot_glimpse seen;
    int ret = allot_glimpse(io->this, io->fd->inode, &rec->r, base_size, &seen,
                            NULL, NULL);

    if (ret)
        return ret;
    *end = seen.size.size;
    *known = seen.size.known;
    LOCK(&io->ai->lock);
    {
        if (io->ai->rec && io->ai->rec->r.gen == rec->r.gen &&
            io->ai->known_size > *known)
            *known = io->ai->known_size;
    }
    UNLOCK(&io->ai->lock);
    if (seen.top_gen > rec->r.gen)
        return -EREMCHG;
    if (!seen.size.exact)
        return -EIO;
    if (*known > *end)
        *end = *known;
    return 0;
}

/* Where an append writes: after everything there is, under the append lock.
 * Once a piece of it is written it stays there: the end of the file is its own.
 */
static int
write_locate(struct allot_io *io)
{
    inode_t *inode = io->fd->inode;
    struct allot_rec *rec = NULL;
    struct iatt buf;
    uint64_t known = 0;
    struct allot_patience patience = {
        0,
    };
    int ret = 0;

    if (io->landed)
        return 0;
    do {
        allot_rec_unref(rec);
        rec = NULL;
        ret = allot_refresh(io->this, inode, &buf);
        if (ret)
            break;
        io->off = buf.ia_size;
        rec = allot_inode_rec(io->ai, NULL);
        if (!rec || !rec->r.layout->extent_count)
            break;
        if (allot_needs_help(io->this, io->ai, rec) &&
            allot_help(io->this, inode, rec) < 0) {
            ret = -EIO;
            break;
        }
        io->off = rec->r.size;
        if (!(rec->r.flags & ALLOT_RECORD_DIRTY))
            break;
        ret = locate_dirty(io, rec, buf.ia_size, &io->off, &known);
        if (ret == -EREMCHG) {
            ret = allot_catch_up(io->this, inode, rec->r.gen);
            ret = ret ? ret : -EREMCHG;
        } else if (ret == -EIO && known <= ALLOT_OFFSET_MAX - io->len) {
            /* A member is away that could hold the end. A new extent without it
             * begins behind all that is known; then there is no doubt. */
            ret = allot_append(io->this, inode, known, _gf_false,
                               known + io->len, &io->avoid);
            ret = ret && ret != -EREMCHG ? -EIO : -EREMCHG;
        }
    } while (ret == -EREMCHG &&
             allot_patience_left(io->this, inode, &patience));
    allot_rec_unref(rec);
    return ret == -EREMCHG ? -EIO : ret;
}

/* Portions that no record names. Other fds of slots are of the record's. */
static void
write_drop_orphan(struct allot_io *io)
{
    allot_stop(io->this, ALLOT_STOP_GROW_LOST);
    allot_portions_unlink(io->this, io->fd->inode, io->orphan);
    if (io->ai->kind == ALLOT_KIND_PLAIN)
        allot_slot_drop(io->ai, ALLOT_IDX_NONE);
    io->orphan = 0;
}

/* Is it something for allot_write_whole(): nothing was known of the file
 * before, or the directories that were missing are there now. */
static gf_boolean_t
write_whole_now(struct allot_io *io)
{
    int n = io->n_dirless;
    int ret = 0;
    int i = 0;

    if (n) {
        io->n_dirless = 0;
        io->made_dirs++;
        for (i = 0; i < n && ret == 0; i++)
            ret = allot_portion_dirs(io->this, io->fd->inode, io->dirless[i]);
        io->tried_whole = ret != 0;
    } else if (!io->tried_whole && !io->append &&
               (io->ai->kind == ALLOT_KIND_UNKNOWN || io->ai->stale)) {
        ret = allot_refresh(io->this, io->fd->inode, NULL);
    }
    return ret == 0 && allot_write_whole_fits(io);
}

/* Alone, in a synctask. */
static void
write_repair_task(xlator_t *this, void *arg)
{
    struct allot_io *io = arg;
    fd_t *base = NULL;
    int tries = 0;
    int ret = 0;

    if (io->orphan)
        write_drop_orphan(io);
    if (io->before)
        allot_write_end_before(io);
    ret = io->giving_up ? -io->err : allot_io_repair(io);
    if (ret == 0 && write_whole_now(io)) {
        allot_io_unlist(io);
        write_enter(io);
        return;
    }
    do {
        if (ret == 0 && io->append)
            ret = write_locate(io);
        if (io->append)
            allot_stop(this, ALLOT_STOP_LOCK_LOCATED);
        if (ret)
            break;
        allot_io_list(io);
        /* An append to the base that slipped in moves the end of the file: then
         * the grow is refused (-EAGAIN) and we look again. */
        ret =
            allot_prepare_write(this, io->fd->inode, io->off, io->off + io->len,
                                io->append ? io->off : UINT64_MAX, &io->avoid);
    } while (ret == -EAGAIN && !(ret = 0) && ++tries < 16);

    /* Without this a size or an extent that only the record knows would go with
     * the power, and the durable bytes with it. */
    if (ret == 0 && write_syncs(io) && io->ai->record_unsynced &&
        io->ai->kind == ALLOT_KIND_SPREAD) {
        ret = allot_sync_base(this, io->fd->inode, io->fd, NULL);
        if (ret == -EREMCHG)
            ret = 0; /* met again in the next round */
    }
    if (ret == 0 && io->append) {
        base = allot_base_fd(this, io->fd->inode);
        if (base)
            fd_unref(base);
        else if (!io->ai->unlinked)
            ret = -EIO;
    }
    if (ret) {
        allot_write_cut_back(io);
        write_fail(io, ret == -ENOSPC && io->err ? io->err : -ret);
    } else {
        allot_direct_open(io);
        allot_io_unlist(io);
        write_enter(io);
    }
}

/* The append lock is waited for outside the gate: whoever holds it needs the
 * gate to go on, perhaps another append of this client. */
static void
write_lock_task(xlator_t *this, void *arg)
{
    struct allot_io *io = arg;
    int ret = 0;

    append_lock(io, _gf_true, &ret);
    if (ret < 0) {
        write_fail(io, -ret);
        return;
    }
    io->locked = _gf_true;
    allot_stop(this, ALLOT_STOP_LOCK_TAKEN);
    write_repair(io, _gf_false);
}

static void
write_repair(struct allot_io *io, gf_boolean_t leave)
{
    inode_t *inode = inode_ref(io->fd->inode);
    struct allot_inode *ai = io->ai;
    xlator_t *this = io->this;
    gf_boolean_t lock = io->append && !io->locked;

    /* Others that wait for the same brick may be repaired before. Where an
     * append writes may still change. */
    if (!io->append || io->landed)
        allot_io_list(io);
    if (allot_run(this, inode, !lock,
                  lock ? write_lock_task : write_repair_task, io))
        write_answer(io, -1, ENOMEM);
    if (leave)
        allot_gate_leave(this, ai, _gf_false);
    inode_unref(inode);
}

/* No bytes: the base answers for errors. That it is spread, or of another
 * generation than we know, is none. */
static int32_t
write_nothing_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                  int32_t op_ret, int32_t op_errno, struct iatt *prebuf,
                  struct iatt *postbuf, dict_t *xdata)
{
    fd_t *fd = cookie;
    struct iatt hollow;

    if (allot_priv(this)->ns_dispersed)
        frame->root->pid = (pid_t)(intptr_t)frame->local;
    frame->local = NULL;
    allot_iatt_hollow(fd->inode, &hollow);
    if (op_ret < 0 &&
        (op_errno == ALLOT_ERR_OLD || op_errno == ALLOT_ERR_BEHIND))
        op_ret = op_errno = 0;
    STACK_UNWIND_STRICT(writev, frame, op_ret, op_errno, &hollow, &hollow,
                        NULL);
    fd_unref(fd);
    return 0;
}

static void
write_nothing(call_frame_t *frame, xlator_t *this, fd_t *fd,
              struct iovec *vector, int32_t count, off_t off, uint32_t flags,
              struct iobref *iobref, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;
    struct allot_inode *ai = allot_inode_peek(this, fd->inode);
    dict_t *x = allot_xdata_with_gen(this, xdata, ai ? allot_inode_gen(ai) : 0);

    if (!x) {
        STACK_UNWIND_STRICT(writev, frame, -1, ENOMEM, NULL, NULL, NULL);
        return;
    }
    /* Disperse takes it for a write: ALLOT_PID_DATA. */
    if (allot_priv(this)->ns_dispersed) {
        frame->local = (void *)(intptr_t)frame->root->pid;
        frame->root->pid = ALLOT_PID_DATA;
    }
    STACK_WIND_COOKIE(frame, write_nothing_cbk, fd_ref(fd), ns,
                      ns->fops->writev, fd, vector, count, off, flags, iobref,
                      x);
    dict_unref(x);
}

int32_t
allot_writev(call_frame_t *frame, xlator_t *this, fd_t *fd,
             struct iovec *vector, int32_t count, off_t off, uint32_t flags,
             struct iobref *iobref, dict_t *xdata)
{
    struct allot_io *io = NULL;
    uint64_t len = iov_length(vector, count);
    int err = ENOMEM;

    if (len == 0 && !allot_priv(this)->pass_through) {
        write_nothing(frame, this, fd, vector, count, off, flags, iobref,
                      xdata);
        return 0;
    }
    if (allot_priv(this)->pass_through) {
        STACK_WIND_TAIL(frame, allot_priv(this)->ns,
                        allot_priv(this)->ns->fops->writev, fd, vector, count,
                        off, flags, iobref, xdata);
        return 0;
    }
    if (off < 0 || (uint64_t)off > ALLOT_OFFSET_MAX - len) {
        err = off < 0 ? EINVAL : EFBIG;
        goto err;
    }
    io = allot_io_new(frame, this, fd, off, len, flags, xdata);
    if (!io)
        goto err;
    io->writing = _gf_true;
    io->append = !!(allot_fd_flags(this, fd) & O_APPEND);
    io->iov = iov_dup(vector, count);
    io->count = count;
    io->iobref = iobref ? iobref_ref(iobref) : NULL;
    if (!io->iov) {
        allot_io_free(io);
        goto err;
    }
    write_enter(io);
    return 0;
err:
    STACK_UNWIND_STRICT(writev, frame, -1, err, NULL, NULL, NULL);
    return 0;
}
