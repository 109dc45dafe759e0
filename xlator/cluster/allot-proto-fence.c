/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-proto-fence.c - fencing portions: each is raised to a generation, and
 * cut where it missed a truncation (docs/protocol.md, rules 4, 5 and 7).
 *
 * Portions on sets that must be cut: allot-proto-cut.c.
 */
#include "allot-proto.h"
#include "allot-stop.h"

/* Name of @inode as this client last knew it, for the portion's xattr. */
static void
portion_name_of(inode_t *inode, struct allot_portion *por)
{
    inode_t *parent = inode_parent(inode, NULL, NULL);
    char *path = NULL;
    char *base = NULL;

    if (!parent)
        return;
    if (inode_path(inode, NULL, &path) > 0 && path) {
        base = strrchr(path, '/');
        if (base && strlen(base + 1) <= ALLOT_NAME_MAX && base[1] != '<') {
            strcpy(por->name, base + 1);
            memcpy(por->parent_gfid, parent->gfid, 16);
        }
    }
    GF_FREE(path);
    inode_unref(parent);
}

int64_t
allot_portion_xattr(inode_t *inode, uint64_t nonce, uint64_t gen, uint8_t **buf)
{
    struct allot_portion por;
    int64_t len = 0;

    memset(&por, 0, sizeof(por));
    memcpy(por.base_gfid, inode->gfid, 16);
    por.nonce = nonce;
    por.gen = gen;
    portion_name_of(inode, &por);
    len = allot_portion_encode(&por, NULL, 0);
    if (len < 0)
        return len;
    *buf = GF_MALLOC(len, gf_common_mt_char);
    if (!*buf)
        return -ENOMEM;
    return allot_portion_encode(&por, *buf, len);
}

int
allot_fence_decode(inode_t *inode, uint64_t nonce, struct allot_call *call,
                   struct allot_portion *por)
{
    data_t *data = NULL;

    if (call->ret < 0)
        return call->err == ENOENT || call->err == ESTALE ||
                       call->err == ENODATA
                   ? -ENODATA
                   : -call->err;
    data = call->rdict ? dict_get(call->rdict, ALLOT_XATTR_PORTION) : NULL;
    if (!data || allot_portion_decode((uint8_t *)data->data, data->len, por) ||
        por->nonce != nonce || memcmp(por->base_gfid, inode->gfid, 16))
        return -EIO;
    return 0;
}

uint64_t
allot_mapped_end(const struct allot_layout *layout, uint16_t idx)
{
    uint32_t e = layout->extent_count;
    uint32_t m = 0;

    while (e-- > 0)
        for (m = 0; m < layout->extents[e].member_count; m++)
            if (layout->extents[e].members[m].brick_idx == idx)
                return allot_layout_extent_end(layout, e);
    return 0;
}

uint64_t
allot_fence_cut(const struct allot_record *rec, uint64_t from, uint16_t idx)
{
    /* Truncations that it missed, and what no extent leads to any more. */
    uint64_t cut = allot_record_clip_for(rec, from);
    uint64_t end = allot_mapped_end(rec->layout, idx);

    return end < cut ? end : cut;
}

/* Raising some of a file's portions. */
struct fence {
    xlator_t *this;
    inode_t *inode;
    const struct allot_record *rec;
    uint64_t gen; /* the target */
    const uint16_t *idx;
    int n;
    loc_t loc;    /* of the portions */
    uint8_t *buf; /* their xattr at the target */
    int64_t len;
    struct allot_call *calls; /* of each, and the caller's behind them */
    struct allot_call *with;  /* that one, until it is wound; may be NULL */
    int *errs;                /* of each: 0, -errno or FENCE_ASK */
    struct iatt *sts;         /* of each; may be NULL */
};

#define FENCE_ASK 1 /* nothing is known of it yet */

/* To be asked, or asked again: somebody else has raised it in between. */
static gf_boolean_t
fence_is_open(const struct fence *f, int i)
{
    return f->errs[i] == FENCE_ASK || f->errs[i] == -ALLOT_ERR_BEHIND;
}

/* All at once, unless a test wants to see what some of them leave. */
static void
fence_wind(struct fence *f, gf_boolean_t raises)
{
    int n = f->n;
    int first = 0;

    if (f->with)
        f->calls[n++] = *f->with;
    if (raises && allot_stopping(f->this, ALLOT_STOP_FENCE_SOME)) {
        while (first < n && !f->calls[first].xl)
            first++;
        first = first < n ? first + 1 : n;
        allot_fan(f->this, f->calls, first);
        allot_stop(f->this, ALLOT_STOP_FENCE_SOME);
    }
    allot_fan(f->this, f->calls + first, n - first);
    if (f->with)
        *f->with = f->calls[f->n];
    f->with = NULL;
}

/* Fills the call that raises portion @i from @from. */
static void
fence_fill(struct fence *f, int i, xlator_t *xl, uint64_t from, uint64_t cut)
{
    struct allot_call *call = &f->calls[i];

    allot_call_init(call, xl, GF_FOP_SETXATTR);
    call->loc = &f->loc;
    call->dict = dict_new();
    call->xdata = allot_xdata_internal();
    if (call->dict && call->xdata &&
        !dict_set_static_bin(call->dict, ALLOT_XATTR_PORTION, f->buf, f->len) &&
        !dict_set_uint64(call->xdata, ALLOT_KEY_FENCE, f->gen) &&
        !dict_set_uint64(call->xdata, ALLOT_KEY_FENCE_FROM, from) &&
        (cut > ALLOT_OFFSET_MAX ||
         !dict_set_uint64(call->xdata, ALLOT_KEY_CLIP, cut)))
        return;
    call->xl = NULL;
    f->errs[i] = -ENOMEM;
}

/* Does a portion that was not asked refuse a fence for what it would refuse one
 * for anyhow? */
static gf_boolean_t
fence_is_final(int err)
{
    return err == ALLOT_ERR_OLD || err == ENOSPC || err == EDQUOT;
}

/* The answers of the portions that were raised. @guessed: nobody had asked
 * for their generation, and most of what they refuse says little. */
static void
fence_answers(struct fence *f, gf_boolean_t guessed)
{
    struct allot_brick_view view;
    struct allot_call *call = NULL;
    int i = 0;

    for (i = 0; i < f->n; i++) {
        call = &f->calls[i];
        if (call->fop != GF_FOP_SETXATTR)
            continue;
        if (call->dict)
            dict_unref(call->dict);
        if (call->xdata)
            dict_unref(call->xdata);
        if (!call->xl ||
            (guessed && call->ret < 0 && !fence_is_final(call->err)))
            continue;
        GF_ATOMIC_INC(allot_priv(f->this)->fences);
        f->errs[i] = call->ret < 0 ? -call->err : 0;
        /* Of a set one brick may have told, and another one may be behind. */
        if (!f->errs[i] && f->sts &&
            !allot_brick_get(f->this, f->idx[i], &view) && !view.is_set)
            f->sts[i] = call->st;
    }
}

/* A first round in which nobody is asked: most portions are at the record's
 * generation, or where the caller has left them. One that is not refuses, or
 * has been there before, and nothing has changed. Whatever else is wrong with
 * one is for the round that asks to find. */
static void
fence_guess(struct fence *f, uint64_t from)
{
    struct allot_inode *ai = allot_inode_get(f->this, f->inode);
    struct allot_brick_view view;
    int i = 0;

    for (i = 0; i < f->n; i++) {
        allot_call_init(&f->calls[i], NULL, GF_FOP_NULL);
        /* Sets cut in another way, a leftover may have any generation, and one
         * that is known to be lost is not lost in a new way. */
        if (!allot_brick_get(f->this, f->idx[i], &view) && !view.is_set &&
            allot_layout_has(f->rec->layout, f->idx[i]) &&
            !allot_slot_hopeless(f->this, ai, f->idx[i]))
            fence_fill(f, i, view.xl, from,
                       allot_fence_cut(f->rec, from, f->idx[i]));
    }
    fence_wind(f, _gf_true);
    fence_answers(f, _gf_true);
}

/* Asks for the portions' xattrs. */
static void
fence_ask(struct fence *f)
{
    struct allot_brick_view view;
    int i = 0;

    for (i = 0; i < f->n; i++) {
        allot_call_init(&f->calls[i], NULL, GF_FOP_GETXATTR);
        if (!fence_is_open(f, i) ||
            allot_brick_get(f->this, f->idx[i], &view) ||
            !allot_brick_usable(&view))
            continue;
        f->calls[i].xl = view.xl;
        f->calls[i].loc = &f->loc;
        f->calls[i].name = ALLOT_XATTR_PORTION;
        f->calls[i].xdata = allot_priv(f->this)->client_xdata;
    }
    fence_wind(f, _gf_false);
}

/* What all bricks of a disperse set have, where one of them has told @por.
 * -ALLOT_ERR_BEHIND: they were different, and are asked again. */
static int
fence_even(struct fence *f, struct allot_call *call, struct allot_portion *por)
{
    struct allot_portion all;
    int ret = allot_disperse_even(f->this, f->inode, call->xl, f->rec->nonce,
                                  &f->loc, _gf_false, &all);

    if (ret == 0)
        *por = all;
    return ret > 0 ? -ALLOT_ERR_BEHIND : ret == -ENODATA ? 0 : ret;
}

/* Portion @i has answered. Raises it if it lies on a set and must be cut; else
 * fills the call that does, if there is anything to do. */
static void
fence_asked(struct fence *f, int i)
{
    struct allot_call *call = &f->calls[i];
    struct allot_portion por;
    struct allot_brick_view view;
    uint64_t cut = 0;
    int err = allot_fence_decode(f->inode, f->rec->nonce, call, &por);

    /* One that is not there is told when it is opened. */
    if (call->xl && (err == -EIO || (err && call->err == ENODATA)) &&
        allot_slot_tell(allot_inode_get(f->this, f->inode), f->idx[i]))
        gf_msg(f->this->name, GF_LOG_ERROR, EIO, ALLOT_MSG_LOST_PORTION,
               "the xattr of the portion of gfid %s on %s is missing or "
               "damaged: its blocks are lost",
               uuid_utoa(f->inode->gfid), call->xl->name);
    allot_calls_wipe(call, 1);
    if (!err)
        err = fence_even(f, call, &por);
    if (!err && por.gen > f->gen)
        err = -EREMCHG;
    f->errs[i] = err;
    if (err || por.gen == f->gen)
        return;
    cut = allot_fence_cut(f->rec, por.gen, f->idx[i]);
    if (allot_brick_get(f->this, f->idx[i], &view) == 0 && view.is_set &&
        (por.closed || cut <= ALLOT_OFFSET_MAX)) {
        f->errs[i] = allot_cut_on_set(f->this, f->inode, f->rec, f->gen,
                                      &f->loc, f->idx[i], f->buf, f->len);
        if (!f->errs[i])
            GF_ATOMIC_INC(allot_priv(f->this)->fences);
        return;
    }
    fence_fill(f, i, call->xl, por.gen, cut);
}

/* One round: ask each portion's generation, then raise it from there. Is there
 * to be another one? */
static gf_boolean_t
fence_round(struct fence *f)
{
    int i = 0;

    fence_ask(f);
    for (i = 0; i < f->n; i++) {
        if (fence_is_open(f, i))
            fence_asked(f, i);
        if (f->calls[i].fop != GF_FOP_SETXATTR)
            f->calls[i].xl = NULL;
    }
    fence_wind(f, _gf_true);
    fence_answers(f, _gf_false);
    for (i = 0; i < f->n; i++)
        if (fence_is_open(f, i))
            return _gf_true;
    return _gf_false;
}

#define FENCE_ROUNDS 8

static void
fence_run(struct fence *f, uint64_t from)
{
    gf_boolean_t open = _gf_true;
    int tries = 0;
    int i = 0;

    for (i = 0; i < f->n; i++)
        f->errs[i] = FENCE_ASK;
    if (from) {
        fence_guess(f, from);
        for (i = 0, open = _gf_false; i < f->n; i++)
            open = open || fence_is_open(f, i);
    }
    for (tries = 0; open && tries < FENCE_ROUNDS; tries++)
        open = fence_round(f);
}

int
allot_fence_more(xlator_t *this, inode_t *inode, const struct allot_record *rec,
                 uint64_t gen, uint64_t from, const uint16_t *idx, int n,
                 int *errs, struct iatt *sts, struct allot_call *with)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct fence f = {
        .this = this,
        .inode = inode,
        .rec = rec,
        .gen = gen,
        .idx = idx,
        .n = n,
        .sts = sts,
        .with = with,
    };
    int ret = 0;
    int i = 0;

    if (n == 0)
        return 0;
    f.calls = GF_CALLOC(n + 1, sizeof(*f.calls), allot_mt_calls);
    f.errs = GF_CALLOC(n, sizeof(*f.errs), allot_mt_misc);
    if (!ai || !f.calls || !f.errs ||
        allot_portion_loc(this, inode, ai, rec->nonce, &f.loc)) {
        ret = -ENOMEM;
        goto out;
    }
    f.len = allot_portion_xattr(inode, rec->nonce, gen, &f.buf);
    if (f.len < 0) {
        ret = f.len;
        goto out;
    }
    fence_run(&f, from);
    for (i = 0; i < n; i++) {
        if (errs)
            errs[i] = f.errs[i];
        if (f.errs[i] && !ret)
            ret = f.errs[i];
    }
out:
    GF_FREE(f.buf);
    GF_FREE(f.errs);
    GF_FREE(f.calls);
    loc_wipe(&f.loc);
    return ret;
}

int
allot_fence(xlator_t *this, inode_t *inode, const struct allot_record *rec,
            uint64_t gen, const uint16_t *idx, int n, int *errs)
{
    return allot_fence_more(this, inode, rec, gen,
                            gen > rec->gen ? rec->gen : 0, idx, n, errs, NULL,
                            NULL);
}

gf_boolean_t
allot_needs_help(xlator_t *this, struct allot_inode *ai,
                 const struct allot_rec *rec)
{
    uint8_t n = rec->r.clip_count;

    return n && (ai->helped_gen < rec->r.clips[n - 1].gen ||
                 ai->helped_version != allot_bricks_version(this));
}

int
allot_help(xlator_t *this, inode_t *inode, const struct allot_rec *rec)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    uint64_t version = allot_bricks_version(this);
    uint8_t clips = rec->r.clip_count;
    int n = rec->r.layout->brick_count;
    int *errs = GF_CALLOC(n + 1, sizeof(*errs), allot_mt_misc);
    uint64_t from = 0;
    int ret = 0;
    int i = 0;

    if (!ai || !errs) {
        GF_FREE(errs);
        return -EIO;
    }
    /* The record is the truncation's itself: it was two less before. */
    if (clips && rec->r.clips[clips - 1].gen == rec->r.gen && rec->r.gen > 2)
        from = rec->r.gen - 2;
    ret = allot_fence_more(this, inode, &rec->r, rec->r.gen, from,
                           rec->r.layout->bricks, n, errs, NULL, NULL) == 0;
    /* Where there is no room for the xattr, a client that does not know this
     * record can still overwrite blocks. With any other error it is away, has
     * no portion, or takes no writes either. */
    for (i = 0; i < n; i++)
        if (errs[i] == -ENOSPC || errs[i] == -EDQUOT)
            ret = -EIO;
    GF_FREE(errs);
    if (ret < 0) {
        gf_msg(this->name, GF_LOG_WARNING, ENOSPC, ALLOT_MSG_PROTOCOL,
               "gfid %s was truncated, and a brick has no room to note it: EIO "
               "until it has",
               uuid_utoa(inode->gfid));
        return ret;
    }
    LOCK(&ai->lock);
    {
        ai->helped_gen = rec->r.gen;
        ai->helped_version = version;
    }
    UNLOCK(&ai->lock);
    return ret;
}
