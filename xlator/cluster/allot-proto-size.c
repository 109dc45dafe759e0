/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-proto-size.c - how large a spread file is: asking the portions
 * (glimpse), recording the answer (settle), and what the last close leaves to
 * do. The rules are in core/allot-size.h.
 */
#include "allot-proto.h"
#include "allot-fops.h"
#include "allot-stop.h"

/* ---- glimpse
 * ------------------------------------------------------------------ */

/* The mtime of a file that is being written is the latest of base and portions:
 * whoever sets it sets theirs too (allot_set_mtimes()). Their ctimes do not
 * tell which of them was changed last by a user: fences and publications change
 * ctimes as well. */
static gf_boolean_t
iatt_newer(const struct iatt *a, const struct iatt *b)
{
    return a->ia_mtime > b->ia_mtime ||
           (a->ia_mtime == b->ia_mtime && a->ia_mtime_nsec > b->ia_mtime_nsec);
}

/* A portion of generation @gen is this. */
static void
glimpse_count(const struct allot_record *rec, uint64_t gen,
              const struct iatt *st, struct allot_glimpse_member *m,
              struct allot_glimpse *out)
{
    /* One that missed a truncation, or was written past its last extent by an
     * append that died, is longer than what it holds of the file. */
    uint64_t cut = allot_fence_cut(rec, gen, m->brick_idx);

    m->answered = 1;
    m->size = st->ia_size < cut ? st->ia_size : cut;
    out->answered++;
    out->blocks512 += st->ia_blocks;
    if (gen > out->top_gen)
        out->top_gen = gen;
    if (out->answered == 1 || iatt_newer(st, &out->newest))
        out->newest = *st;
}

/* One portion's answer. 0 or -errno. */
static int
glimpse_one(xlator_t *this, inode_t *inode, const struct allot_record *rec,
            struct allot_call *call, struct allot_glimpse_member *m,
            struct allot_glimpse *out)
{
    struct allot_portion por;
    data_t *data = NULL;

    if (!call->xl)
        return -ENOTCONN;
    if (call->ret < 0)
        return call->err == ENOENT || call->err == ESTALE ? -ENODATA
                                                          : -call->err;
    data = call->rdict ? dict_get(call->rdict, ALLOT_XATTR_PORTION) : NULL;
    if (!data || allot_portion_decode((uint8_t *)data->data, data->len, &por) ||
        por.nonce != rec->nonce || memcmp(por.base_gfid, inode->gfid, 16)) {
        gf_msg(this->name, GF_LOG_ERROR, EIO, ALLOT_MSG_LOST_PORTION,
               "the portion of gfid %s on %s is damaged",
               uuid_utoa(inode->gfid), call->xl->name);
        return -EIO;
    }
    glimpse_count(rec, por.gen, &call->st, m, out);
    if (por.closed)
        out->closed = _gf_true;
    return 0;
}

/* Bricks of a disperse set with different generations have no common answer.
 * Have they one now? */
static gf_boolean_t
glimpse_uneven(xlator_t *this, inode_t *inode, const struct allot_record *rec,
               struct allot_call *call)
{
    struct allot_portion por;

    return call->xl && call->ret < 0 && call->err == EIO &&
           allot_disperse_even(this, inode, call->xl, rec->nonce, call->loc,
                               _gf_false, &por) >= 0;
}

int
allot_glimpse(xlator_t *this, inode_t *inode, const struct allot_record *rec,
              uint64_t base_size, struct allot_glimpse *out, int *errs,
              struct iatt *sts)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    int n = rec->layout->brick_count;
    struct allot_glimpse_member *members = NULL;
    struct allot_call *calls = NULL;
    struct allot_brick_view view;
    dict_t *xdata = NULL;
    loc_t loc = {
        0,
    };
    int err = 0;
    int ret = 0;
    int i = 0;

    memset(out, 0, sizeof(*out));
    members = GF_CALLOC(n ? n : 1, sizeof(*members), allot_mt_misc);
    calls = GF_CALLOC(n ? n : 1, sizeof(*calls), allot_mt_calls);
    xdata = allot_xdata_internal();
    if (!ai || !members || !calls || !xdata ||
        dict_set_int32(xdata, ALLOT_XATTR_PORTION, 0) ||
        allot_portion_loc(this, inode, ai, rec->nonce, &loc)) {
        ret = -ENOMEM;
        goto out;
    }
    GF_ATOMIC_INC(allot_priv(this)->glimpses);
    for (i = 0; i < n; i++) {
        members[i].brick_idx = rec->layout->bricks[i];
        allot_call_init(&calls[i], NULL, GF_FOP_STAT);
        if (!allot_brick_get(this, rec->layout->bricks[i], &view) &&
            allot_brick_usable(&view))
            calls[i].xl = view.xl;
        calls[i].loc = &loc;
        calls[i].xdata = xdata;
    }
    allot_fan(this, calls, n);
    for (i = 0; i < n; i++) {
        if (glimpse_uneven(this, inode, rec, &calls[i])) {
            allot_calls_wipe(&calls[i], 1);
            allot_call_one(this, &calls[i]);
        }
        err = glimpse_one(this, inode, rec, &calls[i], &members[i], out);
        if (err)
            out->silent++;
        if (errs)
            errs[i] = err;
        if (sts)
            sts[i] = calls[i].st;
    }
    allot_size_compute(rec, base_size, members, n, &out->size);
    allot_calls_wipe(calls, n);
out:
    if (xdata)
        dict_unref(xdata);
    GF_FREE(members);
    GF_FREE(calls);
    loc_wipe(&loc);
    return ret;
}

/* Do the answers to a fence say all that a glimpse would? */
static gf_boolean_t
glimpse_told(int n, const int *errs, const struct iatt *sts)
{
    int i = 0;

    for (i = 0; i < n; i++)
        if (errs[i] ? errs[i] != -ENOTCONN && errs[i] != -ENODATA
                    : sts[i].ia_type != IA_IFREG)
            return _gf_false;
    return _gf_true;
}

int
allot_glimpse_fenced(xlator_t *this, inode_t *inode,
                     const struct allot_record *rec, uint64_t gen,
                     uint64_t base_size, struct allot_glimpse *out, int *errs,
                     const struct iatt *sts)
{
    int n = rec->layout->brick_count;
    struct allot_glimpse_member *members = NULL;
    int i = 0;

    if (!glimpse_told(n, errs, sts))
        return allot_glimpse(this, inode, rec, base_size, out, errs, NULL);

    memset(out, 0, sizeof(*out));
    members = GF_CALLOC(n ? n : 1, sizeof(*members), allot_mt_misc);
    if (!members)
        return -ENOMEM;
    for (i = 0; i < n; i++) {
        members[i].brick_idx = rec->layout->bricks[i];
        if (errs[i])
            out->silent++;
        else
            glimpse_count(rec, gen, &sts[i], &members[i], out);
    }
    allot_size_compute(rec, base_size, members, n, &out->size);
    GF_FREE(members);
    return 0;
}

void
allot_set_mtimes(xlator_t *this, inode_t *inode, const struct iatt *to)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_rec *rec = ai ? allot_inode_rec(ai, NULL) : NULL;
    struct allot_call *calls = NULL;
    struct allot_brick_view view;
    loc_t loc = {
        0,
    };
    int n = rec ? rec->r.layout->brick_count : 0;
    int i = 0;

    calls = GF_CALLOC(n ? n : 1, sizeof(*calls), allot_mt_calls);
    if (!n || !calls || allot_portion_loc(this, inode, ai, rec->r.nonce, &loc))
        goto out;
    for (i = 0; i < n; i++) {
        allot_call_init(&calls[i], NULL, GF_FOP_SETATTR);
        if (!allot_brick_get(this, rec->r.layout->bricks[i], &view) &&
            allot_brick_usable(&view))
            calls[i].xl = view.xl;
        calls[i].loc = &loc;
        calls[i].st.ia_mtime = to->ia_mtime;
        calls[i].st.ia_mtime_nsec = to->ia_mtime_nsec;
        calls[i].flags = GF_SET_ATTR_MTIME;
        calls[i].xdata = allot_priv(this)->client_xdata;
    }
    allot_fan(this, calls, n);
    allot_calls_wipe(calls, n);
out:
    GF_FREE(calls);
    loc_wipe(&loc);
    allot_rec_unref(rec);
}

int
allot_glimpse_exact(xlator_t *this, inode_t *inode, struct iatt *buf,
                    gf_boolean_t *exact)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_glimpse seen;
    struct allot_rec *rec = NULL;
    enum allot_kind kind = ALLOT_KIND_UNKNOWN;
    int tries = 0;
    int ret = 0;

    *exact = _gf_true;
    if (!ai)
        return -ENOMEM;
    for (tries = 0; tries < 4; tries++) {
        rec = allot_inode_rec(ai, &kind);
        if (rec && kind == ALLOT_KIND_SPREAD &&
            allot_needs_help(this, ai, rec) &&
            allot_help(this, inode, rec) < 0) {
            allot_rec_unref(rec);
            return -EIO;
        }
        if (!rec || kind != ALLOT_KIND_SPREAD ||
            !(rec->r.flags & ALLOT_RECORD_DIRTY)) {
            allot_rec_unref(rec);
            rec = NULL;
            ret = -EIO; /* if it never stands still */
            if (allot_inode_iatt(this, inode, buf))
                return 0;
            continue;
        }
        ret = allot_glimpse(this, inode, &rec->r, buf->ia_size, &seen, NULL,
                            NULL);
        if (ret == 0 && seen.top_gen > rec->r.gen && tries == 0) {
            /* Somebody truncated or settled while we asked: what we saw may be
             * of two generations. */
            allot_rec_unref(rec);
            ret = allot_refresh(this, inode, buf);
            if (ret)
                return ret;
            continue;
        }
        break;
    }
    if (ret == 0 && rec) {
        if (iatt_newer(&seen.newest, buf)) {
            buf->ia_mtime = seen.newest.ia_mtime;
            buf->ia_mtime_nsec = seen.newest.ia_mtime_nsec;
        }
        if (seen.newest.ia_ctime > buf->ia_ctime ||
            (seen.newest.ia_ctime == buf->ia_ctime &&
             seen.newest.ia_ctime_nsec > buf->ia_ctime_nsec)) {
            buf->ia_ctime = seen.newest.ia_ctime;
            buf->ia_ctime_nsec = seen.newest.ia_ctime_nsec;
        }
        *exact = seen.size.exact;
        buf->ia_size = seen.size.size;
        buf->ia_blocks += seen.blocks512;
        LOCK(&ai->lock);
        {
            if (ai->rec && ai->rec->r.gen == rec->r.gen) {
                /* Written by this client and answered since we asked. */
                if (ai->known_size > buf->ia_size)
                    buf->ia_size = ai->known_size;
                if (seen.size.known > ai->known_size)
                    ai->known_size = seen.size.known;
            }
        }
        UNLOCK(&ai->lock);
        allot_inode_ctime(ai, buf);
    }
    allot_rec_unref(rec);
    return ret;
}

int
allot_glimpse_iatt(xlator_t *this, inode_t *inode, struct iatt *buf)
{
    gf_boolean_t exact = _gf_true;

    return allot_glimpse_exact(this, inode, buf, &exact);
}

/* ---- settle
 * ---------------------------------------------------------------------- */

/* Fences all usable members to @gen, and reads the base, in one round trip if
 * nothing else is in the way; then the glimpse, for which nobody is asked if
 * all of them have told it with the fence: until somebody publishes @gen no
 * portion that was raised to it changes any more, and whoever does wins the
 * swap. @all: every member was fenced. -EREMCHG if a portion is ahead of @gen.
 *
 * The base is not fenced: another client may write to it after it was read. Its
 * size matters only within the inline part, and then the publication says how
 * long it may be at most. */
static int
settle_look(xlator_t *this, inode_t *inode, const struct allot_record *rec,
            uint64_t gen, struct iatt *base, struct allot_glimpse *seen,
            gf_boolean_t *all)
{
    int n = rec->layout->brick_count;
    int *errs = GF_CALLOC(n, sizeof(*errs), allot_mt_misc);
    struct iatt *sts = GF_CALLOC(n, sizeof(*sts), allot_mt_misc);
    struct allot_refresh look;
    int ret = -ENOMEM;
    int i = 0;

    if (!errs || !sts)
        goto out;
    allot_refresh_begin(this, inode, &look);
    *all = allot_fence_more(this, inode, rec, gen, rec->gen,
                            rec->layout->bricks, n, errs, sts, &look.call) == 0;
    ret = allot_refresh_end(this, inode, &look, base);
    for (i = 0; i < n; i++)
        if (errs[i] == -EREMCHG || errs[i] == -ENOMEM)
            ret = errs[i];
    if (ret == -EREMCHG)
        goto out;
    allot_stop(this, ALLOT_STOP_SETTLE_FENCED);
    if (ret == 0)
        ret = allot_glimpse_fenced(this, inode, rec, gen, base->ia_size, seen,
                                   errs, sts);
out:
    GF_FREE(errs);
    GF_FREE(sts);
    return ret;
}

static int
settle_once(xlator_t *this, inode_t *inode, struct allot_inode *ai)
{
    struct allot_rec *rec = allot_inode_rec(ai, NULL);
    struct allot_glimpse seen;
    struct allot_record r;
    struct iatt base;
    struct timespec mtime;
    gf_boolean_t newer = _gf_false;
    gf_boolean_t all = _gf_false; /* portions were fenced */
    uint64_t base_max = UINT64_MAX;
    uint64_t size = 0;
    int ret = 0;

    if (!rec || !rec->r.layout->extent_count ||
        !(rec->r.flags & ALLOT_RECORD_DIRTY))
        goto out; /* somebody else settled it */

    ret = settle_look(this, inode, &rec->r, rec->r.gen + 1, &base, &seen, &all);
    if (ret == -EREMCHG) {
        ret = allot_catch_up(this, inode, rec->r.gen);
        if (ret == 0)
            ret = -EREMCHG;
        goto out;
    }
    allot_stop(this, ALLOT_STOP_SETTLE_GLIMPSED);
    if (ret == 0)
        ret = allot_record_copy(&rec->r, &r);
    if (ret)
        goto out;
    r.gen++;
    r.blocks512 = seen.blocks512;
    if (all)
        r.clip_count = 0; /* no portion misses a truncation any more */
    if (seen.size.exact)
        r.flags &= ~ALLOT_RECORD_DIRTY;
    if (seen.size.known > r.size)
        r.size = seen.size.known;
    allot_own_size(ai, rec, &r);
    size = r.size;
    newer = seen.answered && iatt_newer(&seen.newest, &base);
    mtime.tv_sec = seen.newest.ia_mtime;
    mtime.tv_nsec = seen.newest.ia_mtime_nsec;
    if (!(r.flags & ALLOT_RECORD_DIRTY) && size < r.layout->inline_limit)
        base_max = size;
    ret = allot_publish(this, inode, &r, base_max, newer ? &mtime : NULL);
    if (ret == -EFBIG)
        ret = -EREMCHG;
    allot_stop(this, ALLOT_STOP_SETTLE_PUBLISHED);
    if (ret == 0) {
        GF_ATOMIC_INC(allot_priv(this)->settles);
        LOCK(&ai->lock);
        {
            /* Written here at an earlier generation, and nobody who answers has
             * it: the next extent may hide it, so the close must not vouch for
             * it. */
            if (!seen.size.exact && ai->unsynced_to > size)
                ai->rehomed++;
        }
        UNLOCK(&ai->lock);
    }
out:
    allot_rec_unref(rec);
    return ret;
}

int
allot_settle(xlator_t *this, inode_t *inode)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    int tries = 0;
    int ret = 0;

    if (!ai)
        return -ENOMEM;
    /* A record must not vouch for what only this client knows. */
    if (allot_disperse_sure(this, inode, NULL) == -ENOMEM)
        return -ENOMEM;
    /* Another writer that is active wins the race; its close settles. */
    for (tries = 0; tries < 4; tries++) {
        ret = settle_once(this, inode, ai);
        if (ret != -EREMCHG)
            break;
    }
    LOCK(&ai->lock);
    {
        if (ret == 0 || ret == -EREMCHG)
            ai->wrote = _gf_false;
        if (ret == -EREMCHG)
            ret = 0; /* not settled, but nothing is lost by that */
        else if (ret == 0)
            ai->unsynced_to = 0;
    }
    UNLOCK(&ai->lock);
    return ret;
}

int
allot_publish_size(xlator_t *this, inode_t *inode, uint64_t size, uint64_t gen)
{
    struct allot_rec *rec = allot_inode_rec(allot_inode_get(this, inode), NULL);
    struct allot_record r;
    int ret = 0;

    if (rec && rec->r.gen != gen)
        ret = -EREMCHG;
    else if (rec && rec->r.layout->extent_count && size > rec->r.size) {
        ret = allot_record_copy(&rec->r, &r);
        if (ret == 0) {
            r.size = size;
            ret = allot_publish(this, inode, &r, UINT64_MAX, NULL);
        }
    }
    allot_rec_unref(rec);
    return ret;
}

/* ---- the last close
 * ------------------------------------------------------------------ */

void
allot_last_close(xlator_t *this, void *arg)
{
    inode_t *inode = arg;
    struct allot_inode *ai = allot_inode_peek(this, inode);
    gf_boolean_t unlinked = _gf_false;

    if (!ai)
        return;
    LOCK(&ai->lock);
    {
        if (ai->opens) {
            UNLOCK(&ai->lock);
            return; /* opened again meanwhile */
        }
        unlinked = ai->unlinked;
    }
    UNLOCK(&ai->lock);
    if (unlinked)
        allot_unlink_done(this, inode);
    else if (allot_closes_dirty(ai))
        allot_settle(this, inode);
    ai->may_write = _gf_false;
    ai->base_lost = _gf_false;
    allot_slot_drop(ai, ALLOT_IDX_NONE);
}

void
allot_last_close_clean(xlator_t *this, void *arg)
{
    inode_t *inode = arg;
    struct allot_inode *ai = allot_inode_peek(this, inode);
    gf_boolean_t work = _gf_false;

    if (!ai)
        return;
    work = allot_closes_dirty(ai);
    LOCK(&ai->lock);
    {
        if (ai->opens) {
            UNLOCK(&ai->lock);
            return; /* opened again meanwhile */
        }
        work = work || ai->unlinked;
        if (!work) {
            /* As after a settle: nothing that was written here is looked after
             * any more. */
            ai->unsynced_to = 0;
            ai->may_write = _gf_false;
            ai->base_lost = _gf_false;
        }
    }
    UNLOCK(&ai->lock);
    if (work)
        allot_run(this, inode, _gf_true, allot_last_close, inode);
    else
        allot_slot_drop(ai, ALLOT_IDX_NONE);
}
