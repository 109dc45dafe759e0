/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-proto-truncate.c - setting a file's size, both ways.
 *
 *   plain file       the base alone, as long as it stays within inline_limit
 *   spread, shrink   publish {g+2, size, clip}: the commit; then fence and cut
 *   spread, to the   fence what can be reached; publish {g+2, inline_limit};
 *   inline part        publish {g+4, no extents}; cut the base; remove the
 *                      portions. Repairs a damaged file.
 *   spread, extend   publish {size}
 */
#include "allot-proto.h"
#include "allot-fops.h"
#include "allot-stop.h"

/* Opened before a dispersed base is cut, by which disperse tells then whether
 * it has recorded it: a client that dies later would leave it as long as
 * before. NULL: not dispersed, or it has no name any more. */
static fd_t *
truncate_watch(xlator_t *this, inode_t *inode)
{
    fd_t *fd = NULL;
    loc_t loc;

    if (!allot_priv(this)->ns_dispersed)
        return NULL;
    allot_loc_of_inode(&loc, inode);
    allot_call_open(this, allot_priv(this)->ns, &loc,
                    allot_priv(this)->client_xdata, &fd);
    loc_wipe(&loc);
    return fd;
}

static int
truncate_recorded(xlator_t *this, inode_t *inode, fd_t *watch)
{
    int ret = watch ? allot_disperse_recorded(this, allot_priv(this)->ns, watch)
                    : allot_disperse_record(this, inode);

    return ret == -EBADF ? -EIO : ret;
}

/* The base itself, with the generation that we believe. */
static int
truncate_base(xlator_t *this, inode_t *inode, uint64_t size)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    fd_t *watch = truncate_watch(this, inode);
    struct allot_call call;
    int ret = 0;

    allot_call_init(&call, allot_priv(this)->ns, GF_FOP_TRUNCATE);
    call.off = size;
    call.xdata = allot_xdata_with_gen(this, NULL, allot_inode_gen(ai));
    ret = call.xdata ? allot_call_base(this, inode, &call) : -ENOMEM;
    if (ret >= 0) {
        ai->base_size = size;
        ret = truncate_recorded(this, inode, watch);
    } else if (ret == -ALLOT_ERR_OLD || ret == -ALLOT_ERR_BEHIND) {
        ai->base_behind = ret == -ALLOT_ERR_BEHIND;
        ret = allot_refresh(this, inode, NULL);
        ret = ret ? ret : -EREMCHG;
    }
    if (call.xdata)
        dict_unref(call.xdata);
    allot_calls_wipe(&call, 1);
    if (watch)
        fd_unref(watch);
    return ret;
}

/* All clips done with: every portion that there is has passed the last one. */
static int
truncate_clear_clips(xlator_t *this, inode_t *inode, struct allot_rec *rec,
                     struct allot_record *r)
{
    int ret =
        allot_fence(this, inode, &rec->r, rec->r.gen, rec->r.layout->bricks,
                    rec->r.layout->brick_count, NULL);

    if (ret == 0)
        r->clip_count = 0;
    return ret;
}

/* Publish {g+2, clean, @size, with a clip}: who comes with an older record must
 * help first, and who wants to write must publish DIRTY. */
static int
truncate_publish(xlator_t *this, inode_t *inode, struct allot_rec *rec,
                 uint64_t size)
{
    struct allot_record r;
    struct timespec now = allot_now();
    int ret = allot_record_copy(&rec->r, &r);

    if (ret)
        return ret;
    r.gen = rec->r.gen + 2;
    ret = allot_record_clip_add(&r, r.gen, size);
    if (ret == -E2BIG) {
        if (truncate_clear_clips(this, inode, rec, &r)) {
            gf_msg(this->name, GF_LOG_ERROR, EIO, ALLOT_MSG_PROTOCOL,
                   "gfid %s was truncated %d times while one of its bricks "
                   "was down: it cannot be truncated again before that brick "
                   "is back",
                   uuid_utoa(inode->gfid), ALLOT_CLIPS_MAX);
            allot_record_clear(&r);
            return -EIO; /* what the member that is away causes */
        }
        ret = allot_record_clip_add(&r, r.gen, size);
    }
    if (ret) {
        allot_record_clear(&r);
        return ret;
    }
    r.size = size;
    r.flags &= ~ALLOT_RECORD_DIRTY;
    if (r.blocks512 > (size + 511) / 512)
        r.blocks512 = (size + 511) / 512;
    return allot_publish(this, inode, &r, UINT64_MAX, &now);
}

static int
truncate_shrink(xlator_t *this, inode_t *inode, struct allot_rec *rec,
                uint64_t size)
{
    struct allot_rec *now_rec = NULL;
    struct allot_record r;
    int all = 0;
    int ret = truncate_publish(this, inode, rec, size);

    if (ret)
        return ret;
    allot_stop(this, ALLOT_STOP_TRUNCATE_PUBLISHED);
    now_rec = allot_inode_rec(allot_inode_get(this, inode), NULL);
    all = now_rec ? allot_help(this, inode, now_rec) : 0;
    allot_stop(this, ALLOT_STOP_TRUNCATE_FENCED);
    if (all > 0 && allot_record_copy(&now_rec->r, &r) == 0) {
        /* All portions have it: without clips nobody has to help any more.
         * Losing this race costs nothing. */
        r.clip_count = 0;
        allot_publish(this, inode, &r, UINT64_MAX, NULL);
        allot_stop(this, ALLOT_STOP_TRUNCATE_CLEARED);
    }
    allot_rec_unref(now_rec);
    return all < 0 ? all : 0;
}

/* Fence every member that can be reached to g+1: active writers wait for a
 * publication then (rule 9), and stale ones are refused. A member that has no
 * room for that can still be written by them. */
static int
truncate_gate(xlator_t *this, inode_t *inode, struct allot_rec *rec)
{
    int n = rec->r.layout->brick_count;
    int *errs = GF_CALLOC(n, sizeof(*errs), allot_mt_misc);
    int ret = 0;
    int i = 0;

    if (!errs)
        return -ENOMEM;
    /* Away, or not there: nobody writes to it. Anything else, and somebody may.
     */
    ret = allot_fence(this, inode, &rec->r, rec->r.gen + 1,
                      rec->r.layout->bricks, n, errs);
    if (ret != -ENOMEM)
        ret = 0;
    for (i = 0; i < n && ret != -EREMCHG; i++) {
        if (errs[i] == -EREMCHG || errs[i] == -ALLOT_ERR_BEHIND)
            ret = -EREMCHG;
        else if (errs[i] && errs[i] != -ENOTCONN &&
                 !allot_portion_lost(errs[i]))
            ret = errs[i] == -ENOMEM ? -ENOMEM : -EIO;
    }
    GF_FREE(errs);
    if (ret == -EREMCHG) {
        ret = allot_catch_up(this, inode, rec->r.gen);
        ret = ret ? ret : -EREMCHG;
    }
    return ret;
}

/* Down to the inline part or less, in two publications. After the first one
 * nobody goes on with an older record: portions are fenced, and a brick that
 * comes back makes its users read the record. The second drops the extents, if
 * nobody has published in between and no brick's state has changed. */
static int
truncate_inline(xlator_t *this, inode_t *inode, struct allot_rec *old,
                uint64_t size)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_rec *rec = NULL;
    struct allot_record r;
    uint64_t version = allot_bricks_version(this);
    uint64_t nonce = old->r.nonce;
    int ret = truncate_gate(this, inode, old);

    memset(&r, 0, sizeof(r));
    allot_stop(this, ALLOT_STOP_INLINE_FENCED);
    if (ret == 0)
        ret = truncate_publish(this, inode, old, old->r.layout->inline_limit);
    if (ret)
        return ret;
    allot_stop(this, ALLOT_STOP_INLINE_CUT);
    rec = allot_inode_rec(ai, NULL);
    if (!rec || rec->r.gen != old->r.gen + 2 ||
        (rec->r.flags & ALLOT_RECORD_DIRTY) ||
        version != allot_bricks_version(this)) {
        ret = -EREMCHG;
        goto out;
    }
    /* Without extents the base's length is the file's, from the publication on:
     * it must not be less than what is asked for, should we get no further. To
     * the limit, which it never exceeds: somebody may have made it longer than
     * is known here, and nothing of it may be cut yet. */
    if (ai->base_size < size)
        ret = truncate_base(this, inode, old->r.layout->inline_limit);
    if (ret == 0)
        ret = allot_record_copy(&rec->r, &r);
    if (ret)
        goto out;
    allot_layout_free(r.layout);
    r.layout = NULL;
    ret = allot_layout_new(rec->r.layout->inline_limit, NULL, 0, &r.layout);
    if (ret)
        goto out;
    r.gen = rec->r.gen + 2;
    r.flags = 0;
    r.size = 0;
    r.blocks512 = 0;
    r.nonce = 0;
    r.clip_count = 0;
    ret = allot_publish(this, inode, &r, UINT64_MAX, NULL);
    if (ret)
        goto out;
    allot_stop(this, ALLOT_STOP_INLINE_PUBLISHED);
    ret = truncate_base(this, inode, size);
    allot_stop(this, ALLOT_STOP_INLINE_BASE);
    allot_portions_unlink(this, inode, nonce);
    allot_stop(this, ALLOT_STOP_INLINE_REMOVED);
    allot_slot_drop(ai, ALLOT_IDX_NONE);
out:
    allot_record_clear(&r);
    allot_rec_unref(rec);
    return ret;
}

/* Is a portion of the file on a disperse set? */
static gf_boolean_t
truncate_dispersed(xlator_t *this, const struct allot_rec *rec)
{
    struct allot_brick_view view;
    uint32_t i = 0;

    if (!allot_dispersed_any(this))
        return _gf_false;
    for (i = 0; i < rec->r.layout->brick_count; i++)
        if (!allot_brick_get(this, rec->r.layout->bricks[i], &view) &&
            allot_dispersed(this, view.xl))
            return _gf_true;
    return _gf_false;
}

static int
truncate_spread(xlator_t *this, inode_t *inode, struct allot_rec *rec,
                uint64_t size)
{
    struct allot_avoid avoid;
    struct allot_glimpse seen;
    struct allot_record r;
    struct timespec now = allot_now();
    int avoided = 0;
    int ret = 0;

    if (size <= rec->r.layout->inline_limit)
        return truncate_inline(this, inode, rec, size);

    seen.size.size = rec->r.size;
    seen.size.exact = 1;
    if (rec->r.flags & ALLOT_RECORD_DIRTY)
        ret = allot_glimpse(this, inode, &rec->r, 0, &seen, NULL, NULL);
    if (ret)
        return ret;
    if (!seen.size.exact || size < seen.size.size)
        return truncate_shrink(this, inode, rec, size);
    /* Behind block 0 the data to come belongs to all members, not to the head.
     */
    if (allot_leaves_head(this, rec->r.layout, size)) {
        memset(&avoid, 0, sizeof(avoid));
        /* Without those that refuse the file's portions; none is left: it stays
         * where it is. */
        do {
            avoided = avoid.n;
            ret = allot_append(this, inode, allot_head_end(rec->r.layout),
                               _gf_false, size, &avoid);
        } while (ret == -EREMCHG && avoid.n > avoided);
        if (ret != -ENOENT)
            return ret ? ret : -EREMCHG;
    }
    /* Behind the length that disperse knows there may be bytes of a client that
     * died: they are cut off, too (cut_dispersed()). */
    if ((rec->r.flags & ALLOT_RECORD_DIRTY) &&
        rec->r.clip_count < ALLOT_CLIPS_MAX && truncate_dispersed(this, rec))
        return truncate_shrink(this, inode, rec, size);
    ret = allot_record_copy(&rec->r, &r);
    if (ret)
        return ret;
    r.size = size;
    ret = allot_publish(this, inode, &r, UINT64_MAX, &now);
    allot_stop(this, ALLOT_STOP_EXTEND_PUBLISHED);
    return ret;
}

int
allot_truncate_to(xlator_t *this, inode_t *inode, uint64_t size)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_avoid avoid;
    struct allot_rec *rec = NULL;
    struct allot_patience patience = {
        0,
    };
    enum allot_kind kind = ALLOT_KIND_UNKNOWN;
    int ret = -EREMCHG;

    memset(&avoid, 0, sizeof(avoid));
    if (!ai)
        return -ENOMEM;
    if (size > ALLOT_OFFSET_MAX)
        return -EFBIG;
    while (ret == -EREMCHG && allot_patience_left(this, inode, &patience)) {
        ret = allot_record_look(this, inode, &rec, &kind);
        if (ret)
            continue;
        if (kind == ALLOT_KIND_SPREAD) {
            ret = truncate_spread(this, inode, rec, size);
        } else if (allot_write_stays_plain(this, ai, size)) {
            ret = truncate_base(this, inode, size);
        } else {
            ret = allot_grow(this, inode, size, allot_bricks_inline_limit(this),
                             &avoid);
            ret = ret == 0 || ret == -EFBIG ? -EREMCHG : ret;
        }
        allot_rec_unref(rec);
    }
    GF_ATOMIC_INC(allot_priv(this)->truncates);
    return ret == -EREMCHG ? -EIO : ret;
}

#define CUT_BACK_TRIES 16

void
allot_cut_back(xlator_t *this, inode_t *inode, uint64_t to, uint64_t end)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    enum allot_kind kind = ALLOT_KIND_UNKNOWN;
    struct allot_rec *rec = allot_inode_rec(ai, &kind);
    struct allot_glimpse seen;
    struct iatt base;
    uint64_t gen = 0;
    uint64_t seq = 0;
    int tries = 0;
    int ret = 0;

    if (!rec || kind != ALLOT_KIND_SPREAD || !rec->r.layout->extent_count)
        goto out;
    /* Nobody writes between the look and the cut: whoever wants to must publish
     * first, and then our swap fails. */
    ret = allot_fence(this, inode, &rec->r, rec->r.gen + 1,
                      rec->r.layout->bricks, rec->r.layout->brick_count, NULL);
    if (ret == 0)
        ret = allot_refresh(this, inode, &base);
    if (ret == 0)
        ret = allot_glimpse(this, inode, &rec->r, base.ia_size, &seen, NULL,
                            NULL);
    if (ret == 0 && seen.size.exact && seen.size.known > to &&
        seen.size.known <= end)
        ret = truncate_spread(this, inode, rec, to);
    /* To the inline part in two publications: after the first, if it is still
     * that and nobody's who came after, once more. */
    for (tries = 0; ret == -EREMCHG && tries < CUT_BACK_TRIES; tries++) {
        gen = rec->r.gen;
        seq = rec->r.seq;
        allot_rec_unref(rec);
        rec = allot_inode_rec(ai, &kind);
        if (!rec || kind != ALLOT_KIND_SPREAD || rec->r.gen != gen + 2 ||
            rec->r.seq != seq + 1 || (rec->r.flags & ALLOT_RECORD_DIRTY) ||
            to > rec->r.layout->inline_limit ||
            rec->r.size != rec->r.layout->inline_limit)
            break;
        ret = truncate_spread(this, inode, rec, to);
    }
out:
    allot_rec_unref(rec);
}
