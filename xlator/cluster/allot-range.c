/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-range.c - truncate, ftruncate, fallocate, discard, zerofill. All of
 * them run as a protocol, alone in the file's gate, in a synctask; files that
 * stay plain take one call.
 */
#include "allot-fops.h"
#include "allot-proto.h"
#include "allot-split.h"

struct range_local {
    call_frame_t *frame;
    glusterfs_fop_t fop;
    inode_t *inode;
    fd_t *fd; /* NULL: truncate by name */
    uint64_t off;
    uint64_t len;
    uint64_t base_len; /* the part of len that is the base's */
    int32_t mode;      /* fallocate's */
    dict_t *xdata;
    loc_t loc;
    pid_t pid;           /* the caller's */
    gf_boolean_t evened; /* bricks of a disperse set were made to agree */
    struct allot_patience patience;
};

static void
range_free(struct range_local *local)
{
    local->frame->root->pid = local->pid;
    local->frame->local = NULL;
    loc_wipe(&local->loc);
    if (local->fd)
        fd_unref(local->fd);
    inode_unref(local->inode);
    if (local->xdata)
        dict_unref(local->xdata);
    GF_FREE(local);
}

static void
range_unwind(struct range_local *local, int32_t ret, int32_t err,
             struct iatt *pre, struct iatt *post, dict_t *xdata)
{
    call_frame_t *frame = local->frame;
    glusterfs_fop_t fop = local->fop;

    err = allot_errno(err);
    range_free(local);
    switch (fop) {
        case GF_FOP_TRUNCATE:
            STACK_UNWIND_STRICT(truncate, frame, ret, err, pre, post, xdata);
            break;
        case GF_FOP_FTRUNCATE:
            STACK_UNWIND_STRICT(ftruncate, frame, ret, err, pre, post, xdata);
            break;
        case GF_FOP_FALLOCATE:
            STACK_UNWIND_STRICT(fallocate, frame, ret, err, pre, post, xdata);
            break;
        case GF_FOP_DISCARD:
            STACK_UNWIND_STRICT(discard, frame, ret, err, pre, post, xdata);
            break;
        default:
            STACK_UNWIND_STRICT(zerofill, frame, ret, err, pre, post, xdata);
    }
}

/* ---- portions
 * -----------------------------------------------------------------------------
 */

static int
range_batch(xlator_t *this, struct allot_inode *ai, struct allot_call *calls,
            int n)
{
    int ret = 0;
    int i = 0;

    allot_fan(this, calls, n);
    for (i = 0; i < n; i++) {
        if (calls[i].ret < 0 && !ret)
            ret = -calls[i].err;
        if (calls[i].ret >= 0 && calls[i].idx == ALLOT_IDX_NONE)
            allot_disperse_base_wrote(this, ai);
        else if (calls[i].ret >= 0)
            allot_disperse_wrote(this, ai, calls[i].idx, calls[i].xl);
        if (calls[i].fd)
            fd_unref(calls[i].fd);
        dict_unref(calls[i].xdata);
    }
    allot_calls_wipe(calls, n);
    return ret;
}

/* The pieces of a range: one for each member and extent, however many blocks
 * there are.
 *
 *      off                                   end        file, one extent
 *       |--a--|--b--|--c--|--a--|--b--|--c--|
 *       |<-------- a -------->|                         the portion on a
 *             |<-------- b -------->|
 *
 * What lies between the blocks of a portion belongs to others: nothing is
 * there, or what an append has moved away from here or left behind. A discard
 * may go over it: an append that is moving something *here* has raised the
 * portion's gen before, and the guard refuses ours. To allocate or to zero
 * there would take the space of all members on each: that call carries the
 * layout, and the guard leaves out what is not its brick's. No generation
 * changes while it works, so that it gets no more than RANGE_SPAN of the file
 * at once. */
#define RANGE_SPAN_ALLOCATE (64ULL << 30)
#define RANGE_SPAN_ZERO (1ULL << 30)

struct range_walk {
    struct allot_split_iter iter;
    const struct allot_layout *layout;
    uint64_t span; /* most bytes of the file at once */
    gf_boolean_t has_ahead;
    struct allot_piece ahead; /* of the next round */
    struct allot_piece merged[ALLOT_MEMBERS_MAX + 1];
    gf_boolean_t gaps[ALLOT_MEMBERS_MAX + 1]; /* it has others' blocks in it */
    int n;
    int at;
};

static void
range_merge(struct range_walk *w, const struct allot_piece *piece)
{
    int i = 0;

    for (i = 0; i < w->n; i++)
        if (w->merged[i].brick_idx == piece->brick_idx)
            break;
    if (i == w->n) {
        w->gaps[w->n] = _gf_false;
        w->merged[w->n++] = *piece;
        return;
    }
    if (w->merged[i].offset + w->merged[i].len != piece->offset)
        w->gaps[i] = _gf_true;
    w->merged[i].len = piece->offset + piece->len - w->merged[i].offset;
}

/* The next extent, or as much of it as goes at once. */
static void
range_refill(struct range_walk *w)
{
    struct allot_piece piece = w->ahead;
    uint64_t border = 0;

    w->n = w->at = 0;
    if (!w->has_ahead && !allot_split_next(&w->iter, &piece))
        return;
    w->has_ahead = _gf_false;
    border =
        piece.brick_idx == ALLOT_PIECE_BASE
            ? w->layout->inline_limit
            : allot_layout_extent_end(
                  w->layout, allot_layout_extent_at(w->layout, piece.offset));
    if (border - piece.offset > w->span)
        border = piece.offset + w->span;
    range_merge(w, &piece);
    while (allot_split_next(&w->iter, &piece)) {
        if (piece.offset >= border) {
            w->ahead = piece;
            w->has_ahead = _gf_true;
            break;
        }
        range_merge(w, &piece);
    }
}

static int
range_next(struct range_walk *w, struct allot_piece *piece, gf_boolean_t *gaps)
{
    if (w->at == w->n)
        range_refill(w);
    if (w->at == w->n)
        return 0;
    *gaps = w->gaps[w->at];
    *piece = w->merged[w->at++];
    return 1;
}

static void
range_begin(xlator_t *this, struct range_walk *w,
            const struct allot_layout *layout, glusterfs_fop_t fop)
{
    w->layout = layout;
    /* A leaf's offsets are not the file's: block by block. */
    if (allot_dispersed_any(this)) {
        w->span = 1;
        return;
    }
    w->span = fop == GF_FOP_ZEROFILL ? RANGE_SPAN_ZERO : UINT64_MAX;
    if (fop == GF_FOP_FALLOCATE)
        w->span = RANGE_SPAN_ALLOCATE;
}

/* The xdata of a call for some blocks of its range. NULL: no memory. */
static dict_t *
range_share(xlator_t *this, const struct allot_rec *rec, uint32_t idx)
{
    dict_t *xdata = allot_xdata_with_gen(this, NULL, rec->r.gen);
    int64_t len = allot_record_encode(&rec->r, NULL, 0);
    uint8_t *buf = len > 0 ? GF_MALLOC(len, gf_common_mt_char) : NULL;

    if (!xdata || !buf || allot_record_encode(&rec->r, buf, len) != len ||
        dict_set_uint32(xdata, ALLOT_KEY_SHARE_IDX, idx) ||
        dict_set_bin(xdata, ALLOT_KEY_SHARE, buf, len)) {
        GF_FREE(buf);
        if (xdata)
            dict_unref(xdata);
        return NULL;
    }
    return xdata;
}

/* One piece, on a disperse set. Drops what @call holds. */
static int
range_punch(xlator_t *this, struct range_local *local, struct allot_call *call)
{
    int ret = 0;

    if (call->xl == allot_priv(this)->ns) {
        /* By the application's an append would go to the end. A base without a
         * name cannot be opened any more. */
        fd_unref(call->fd);
        call->fd = allot_fd_flags(this, local->fd) & O_APPEND
                       ? allot_base_fd(this, local->inode)
                       : fd_ref(local->fd);
    }
    ret = call->fd ? allot_disperse_punch(this, call->xl, call->fd, call->off,
                                          call->len, call->xdata)
                   : -EIO;
    if (call->fd)
        fd_unref(call->fd);
    dict_unref(call->xdata);
    return ret;
}

/* The fop on every piece of [off, end). Everything is open and DIRTY. */
static int
range_pieces(xlator_t *this, struct range_local *local,
             const struct allot_rec *rec, uint64_t off, uint64_t end)
{
    struct allot_inode *ai = allot_inode_get(this, local->inode);
    struct allot_call *calls = NULL;
    struct allot_brick_view view;
    struct range_walk *walk = GF_CALLOC(1, sizeof(*walk), allot_mt_misc);
    struct allot_piece piece;
    dict_t *xdata = NULL;
    gf_boolean_t gaps = _gf_false;
    gf_boolean_t again = _gf_false;
    int i = 0;
    int ret = -ENOMEM;
    int n = 0;

    calls = GF_CALLOC(ALLOT_MEMBERS_MAX + 1, sizeof(*calls), allot_mt_calls);
    if (!calls || !walk)
        goto out;
    range_begin(this, walk, rec->r.layout, local->fop);
    ret = allot_split_begin(&walk->iter, rec->r.layout, off, end - off);
    while (ret == 0 && range_next(walk, &piece, &gaps)) {
        xdata = gaps && local->fop != GF_FOP_DISCARD
                    ? range_share(this, rec, piece.brick_idx)
                    : dict_ref(rec->gen_xdata);
        if (!xdata) {
            ret = -ENOMEM;
            break;
        }
        allot_call_init(&calls[n], NULL, local->fop);
        if (piece.brick_idx == ALLOT_PIECE_BASE) {
            calls[n].xl = allot_priv(this)->ns;
            calls[n].fd = fd_ref(local->fd);
        } else {
            calls[n].fd = allot_slot_fd(this, ai, piece.brick_idx, &view);
            calls[n].xl = calls[n].fd ? view.xl : NULL;
            calls[n].idx = piece.brick_idx;
            again |=
                !calls[n].fd && !allot_slot_hopeless(this, ai, piece.brick_idx);
        }
        calls[n].off = piece.offset;
        calls[n].len = piece.len;
        calls[n].flags = local->mode;
        calls[n].xdata = xdata;
        if (local->fop == GF_FOP_DISCARD &&
            allot_dispersed(this, calls[n].xl)) {
            ret = range_punch(this, local, &calls[n]);
            continue;
        }
        n++;
        /* One call under way for each portion. */
        if (walk->at == walk->n) {
            ret = range_batch(this, ai, calls, n);
            n = 0;
        }
    }
    if (n) {
        int last = range_batch(this, ai, calls, n);

        ret = ret ? ret : last;
    }
    if (again && ret == -ENOTCONN)
        ret = -EREMCHG; /* a connection is new: open, and again */
    if (ret == -EBADF || ret == -EBADFD) {
        for (i = 0; i < (int)rec->r.layout->brick_count; i++)
            allot_slot_drop(ai, rec->r.layout->bricks[i]);
        ret = -EREMCHG;
    }
out:
    GF_FREE(walk);
    GF_FREE(calls);
    return ret;
}

/* Does it leave the size as it is? */
static gf_boolean_t
range_keeps_size(const struct range_local *local)
{
    return local->fop == GF_FOP_DISCARD ||
           (local->fop == GF_FOP_FALLOCATE &&
            (local->mode & FALLOC_FL_KEEP_SIZE));
}

/* Where the punch of a hole that was asked for up to @asked ends, if the file
 * ends at @end: the brick's file system gives back whole blocks of its own, and
 * zeros what it has to leave of one. It is asked for what is behind the end
 * too, as far as that is sure to lie in the same portion, and was asked for. */
#define RANGE_PAST_END 65536
static uint64_t
range_discard_end(const struct allot_layout *layout, uint64_t end,
                  uint64_t asked)
{
    struct allot_split_iter iter;
    struct allot_piece piece;

    if (asked - end > RANGE_PAST_END)
        asked = end + RANGE_PAST_END;
    if (asked == end ||
        allot_split_begin(&iter, layout, end - 1, asked - (end - 1)) ||
        !allot_split_next(&iter, &piece))
        return end;
    return end - 1 + piece.len;
}

static int
range_spread(xlator_t *this, struct range_local *local)
{
    struct allot_inode *ai = allot_inode_get(this, local->inode);
    struct allot_avoid avoid;
    struct allot_rec *rec = NULL;
    struct iatt buf;
    uint64_t end = local->off + local->len;
    gf_boolean_t keep = range_keeps_size(local);
    gf_boolean_t exact = _gf_true;
    int ret = 0;
    int i = 0;

    memset(&avoid, 0, sizeof(avoid));
    if (local->fop == GF_FOP_FALLOCATE && (local->mode & ~FALLOC_FL_KEEP_SIZE))
        return -EOPNOTSUPP; /* collapse and insert move blocks between bricks */
    ret = allot_refresh(this, local->inode, &buf);
    if (ret == 0)
        ret = allot_glimpse_exact(this, local->inode, &buf, &exact);
    if (ret)
        return ret;
    /* Space behind the end is not reserved: the layout of what is not there yet
     * is not decided. */
    if (keep && end > buf.ia_size) {
        if (!exact)
            return -EIO; /* there may be more, on a brick that is away */
        end = buf.ia_size;
    }
    if (end <= local->off)
        return 0;
    ret = allot_prepare_write(this, local->inode, local->off, end, UINT64_MAX,
                              &avoid);
    if (ret)
        return ret;
    rec = allot_inode_rec(ai, NULL);
    if (!rec || !rec->r.layout->extent_count) {
        allot_rec_unref(rec);
        return -EREMCHG;
    }
    /* Not on disperse sets: what is no whole stripe is written as zeros. */
    if (local->fop == GF_FOP_DISCARD && !allot_dispersed_any(this))
        end = range_discard_end(rec->r.layout, end, local->off + local->len);
    ret = range_pieces(this, local, rec, local->off, end);
    if (ret == -ALLOT_ERR_OLD)
        allot_catch_up(this, local->inode, rec->r.gen);
    /* Bricks of a disperse set that do not agree, or the disk of one: once. */
    if (ret == -EIO && allot_dispersed_any(this) && !local->evened) {
        local->evened = ai->stale = _gf_true;
        for (i = 0; i < (int)rec->r.layout->brick_count; i++)
            allot_slot_unwritten(ai, rec->r.layout->bricks[i]);
        ret = -ALLOT_ERR_BEHIND;
    }
    if (ret == -ALLOT_ERR_BEHIND) {
        ai->base_behind = _gf_true; /* perhaps it was that one */
        allot_fence(this, local->inode, &rec->r, rec->r.gen,
                    rec->r.layout->bricks, rec->r.layout->brick_count, NULL);
        ret = -EREMCHG;
    }
    LOCK(&ai->lock);
    {
        ai->wrote = _gf_true;
        if (ret == 0 && !keep && ai->rec == rec && end > ai->known_size)
            ai->known_size = end;
    }
    UNLOCK(&ai->lock);
    if (ret == 0 && !keep && end > rec->r.size && end > buf.ia_size)
        ret = allot_publish_size(this, local->inode, end, rec->r.gen);
    allot_rec_unref(rec);
    return ret;
}

/* ---- the fops
 * --------------------------------------------------------------------------------
 */

static void
range_task(xlator_t *this, void *arg);

static int32_t
range_base_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
               int32_t op_ret, int32_t op_errno, struct iatt *pre,
               struct iatt *post, dict_t *xdata)
{
    struct range_local *local = frame->local;
    struct allot_inode *ai = allot_inode_get(this, local->inode);

    /* It became spread meanwhile: begin anew. */
    if (allot_base_refused(this, local->inode, op_ret, op_errno,
                           &local->patience) &&
        allot_run(this, local->inode, _gf_true, range_task, local) == 0)
        return 0;
    if (op_ret >= 0 && ai)
        ai->base_size = post->ia_size;
    range_unwind(local, op_ret, op_errno, pre, post, xdata);
    return 0;
}

/* A plain file: the user's own fop to the base. Inside the gate; the reply may
 * come after it is left, and is then the base's affair. */
static void
range_base(xlator_t *this, struct range_local *local)
{
    xlator_t *ns = allot_priv(this)->ns;
    struct allot_inode *ai = allot_inode_get(this, local->inode);
    call_frame_t *frame = local->frame;
    dict_t *x = allot_xdata_with_gen(this, local->xdata, allot_inode_gen(ai));

    if (allot_priv(this)->ns_dispersed)
        frame->root->pid = ALLOT_PID_DATA;
    frame->local = local;
    switch (local->fop) {
        case GF_FOP_TRUNCATE:
            STACK_WIND(frame, range_base_cbk, ns, ns->fops->truncate,
                       &local->loc, local->off, x);
            break;
        case GF_FOP_FTRUNCATE:
            STACK_WIND(frame, range_base_cbk, ns, ns->fops->ftruncate,
                       local->fd, local->off, x);
            break;
        case GF_FOP_FALLOCATE:
            STACK_WIND(frame, range_base_cbk, ns, ns->fops->fallocate,
                       local->fd, local->mode, local->off, local->base_len, x);
            break;
        case GF_FOP_DISCARD:
            STACK_WIND(frame, range_base_cbk, ns, ns->fops->discard, local->fd,
                       local->off, local->base_len, x);
            break;
        default:
            STACK_WIND(frame, range_base_cbk, ns, ns->fops->zerofill, local->fd,
                       local->off, local->base_len, x);
    }
    if (x)
        dict_unref(x);
}

static void
range_task(xlator_t *this, void *arg)
{
    struct range_local *local = arg;
    struct allot_inode *ai = allot_inode_get(this, local->inode);
    gf_boolean_t cut =
        local->fop == GF_FOP_TRUNCATE || local->fop == GF_FOP_FTRUNCATE;
    uint64_t end = cut ? local->off : local->off + local->len;
    uint64_t limit = 0;
    struct iatt pre;
    struct iatt post;
    int ret = ai ? 0 : -ENOMEM;

    memset(&pre, 0, sizeof(pre));
    memset(&post, 0, sizeof(post));
    /* That a file is plain is good enough to begin with: the guard refuses it
     * if it is old. */
    if (ret == 0 && (ai->kind != ALLOT_KIND_PLAIN || ai->stale)) {
        ret = allot_refresh(this, local->inode, &pre);
        if (ret == 0)
            ret = allot_glimpse_iatt(this, local->inode, &pre);
    }
    local->base_len = local->len;
    if (ret == 0 && ai->kind == ALLOT_KIND_PLAIN && !cut &&
        range_keeps_size(local) && !allot_write_stays_plain(this, ai, end)) {
        /* It does not grow the file, so that it must not make it spread. The
         * base is asked for its own part only: space behind inline_limit would
         * never be used there. */
        limit = allot_bricks_inline_limit(this);
        local->base_len = limit > local->off ? limit - local->off : 0;
        if (local->base_len)
            end = limit;
    }
    if (ret == 0 && ai->kind == ALLOT_KIND_PLAIN && (cut || local->base_len) &&
        allot_write_stays_plain(this, ai, end)) {
        range_base(this, local);
        return;
    }
    if (ret == 0 && pre.ia_type == IA_INVAL)
        ret = allot_refresh(this, local->inode, &pre);
    if (ret == 0 && cut) {
        ret = allot_truncate_to(this, local->inode, local->off);
    } else if (ret == 0) {
        do {
            ret = range_spread(this, local);
        } while (ret == -EREMCHG &&
                 allot_patience_left(this, local->inode, &local->patience));
    }
    if (ret == 0) {
        ret = allot_refresh(this, local->inode, &post);
        if (ret == 0)
            ret = allot_glimpse_iatt(this, local->inode, &post);
    }
    if (ret == -EREMCHG || ret == -ENODATA || ret == -ENOTCONN)
        ret = -EIO;
    /* Nobody has it open here: this is the only chance to settle. */
    if (ret == 0 && ai->opens == 0 && ai->wrote)
        allot_settle(this, local->inode);
    range_unwind(local, ret ? -1 : 0, -ret, &pre, &post, NULL);
}

static int
range_start(call_frame_t *frame, xlator_t *this, glusterfs_fop_t fop,
            loc_t *loc, fd_t *fd, off_t off, uint64_t len, int32_t mode,
            dict_t *xdata)
{
    struct range_local *local = NULL;

    gf_boolean_t cut = fop == GF_FOP_TRUNCATE || fop == GF_FOP_FTRUNCATE;

    /* A size_t of libgfapi's may have been negative. */
    if (off < 0 || (!cut && (len == 0 || len > INT64_MAX)))
        return EINVAL;
    if (len > ALLOT_OFFSET_MAX || (uint64_t)off > ALLOT_OFFSET_MAX - len)
        return EFBIG;
    local = GF_CALLOC(1, sizeof(*local), allot_mt_local);
    if (!local)
        return ENOMEM;
    local->frame = frame;
    local->pid = frame->root->pid;
    local->fop = fop;
    local->inode = inode_ref(loc ? loc->inode : fd->inode);
    local->fd = fd ? fd_ref(fd) : NULL;
    if (loc)
        loc_copy(&local->loc, loc);
    local->off = off;
    local->len = len;
    local->mode = mode;
    local->xdata = xdata ? dict_ref(xdata) : NULL;
    if (allot_run(this, local->inode, _gf_true, range_task, local)) {
        range_free(local);
        return ENOMEM;
    }
    return 0;
}

int32_t
allot_truncate(call_frame_t *frame, xlator_t *this, loc_t *loc, off_t offset,
               dict_t *xdata)
{
    int err = range_start(frame, this, GF_FOP_TRUNCATE, loc, NULL, offset, 0, 0,
                          xdata);

    if (err)
        STACK_UNWIND_STRICT(truncate, frame, -1, err, NULL, NULL, NULL);
    return 0;
}

int32_t
allot_ftruncate(call_frame_t *frame, xlator_t *this, fd_t *fd, off_t offset,
                dict_t *xdata)
{
    int err = range_start(frame, this, GF_FOP_FTRUNCATE, NULL, fd, offset, 0, 0,
                          xdata);

    if (err)
        STACK_UNWIND_STRICT(ftruncate, frame, -1, err, NULL, NULL, NULL);
    return 0;
}

int32_t
allot_fallocate(call_frame_t *frame, xlator_t *this, fd_t *fd, int32_t mode,
                off_t offset, size_t len, dict_t *xdata)
{
    int err = range_start(frame, this, GF_FOP_FALLOCATE, NULL, fd, offset, len,
                          mode, xdata);

    if (err)
        STACK_UNWIND_STRICT(fallocate, frame, -1, err, NULL, NULL, NULL);
    return 0;
}

int32_t
allot_discard(call_frame_t *frame, xlator_t *this, fd_t *fd, off_t offset,
              size_t len, dict_t *xdata)
{
    int err = range_start(frame, this, GF_FOP_DISCARD, NULL, fd, offset, len, 0,
                          xdata);

    if (err)
        STACK_UNWIND_STRICT(discard, frame, -1, err, NULL, NULL, NULL);
    return 0;
}

int32_t
allot_zerofill(call_frame_t *frame, xlator_t *this, fd_t *fd, off_t offset,
               off_t len, dict_t *xdata)
{
    int err = len < 0 ? EINVAL
                      : range_start(frame, this, GF_FOP_ZEROFILL, NULL, fd,
                                    offset, len, 0, xdata);

    if (err)
        STACK_UNWIND_STRICT(zerofill, frame, -1, err, NULL, NULL, NULL);
    return 0;
}
