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

/* Fills calls that ask each brick for its portion's xattr; wind them. */
static int
fence_ask(xlator_t *this, loc_t *loc, const uint16_t *idx, int n,
          struct allot_call *calls)
{
    struct allot_brick_view view;
    int i = 0;

    for (i = 0; i < n; i++) {
        allot_call_init(&calls[i], NULL, GF_FOP_GETXATTR);
        if (allot_brick_get(this, idx[i], &view) || !allot_brick_usable(&view))
            continue;
        calls[i].xl = view.xl;
        calls[i].loc = loc;
        calls[i].name = ALLOT_XATTR_PORTION;
        calls[i].xdata = allot_priv(this)->client_xdata;
    }
    allot_fan(this, calls, n);
    return 0;
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

/* All at once, unless a test wants to see what some of them leave. */
static void
fence_wind(xlator_t *this, struct allot_call *calls, int n)
{
    int first = n;

    if (allot_stopping(this, ALLOT_STOP_FENCE_SOME)) {
        for (first = 0; first < n && !calls[first].xl; first++)
            ;
        first = first < n ? first + 1 : n;
        allot_fan(this, calls, first);
        allot_stop(this, ALLOT_STOP_FENCE_SOME);
        allot_fan(this, calls + first, n - first);
    } else {
        allot_fan(this, calls, n);
    }
}

uint64_t
allot_fence_cut(const struct allot_record *rec, uint64_t from, uint16_t idx)
{
    /* Truncations that it missed, and what no extent leads to any more. */
    uint64_t cut = allot_record_clip_for(rec, from);
    uint64_t end = allot_mapped_end(rec->layout, idx);

    return end < cut ? end : cut;
}

/* What all bricks of a disperse set have, where one of them has told @por.
 * -ALLOT_ERR_BEHIND: they were different, and are asked again. */
static int
fence_even(xlator_t *this, inode_t *inode, const struct allot_record *rec,
           struct allot_call *call, loc_t *loc, struct allot_portion *por)
{
    struct allot_portion all;
    int ret = allot_disperse_even(this, inode, call->xl, rec->nonce, loc,
                                  _gf_false, &all);

    if (ret == 0)
        *por = all;
    return ret > 0 ? -ALLOT_ERR_BEHIND : ret == -ENODATA ? 0 : ret;
}

/* One round: ask each portion's generation, then raise it from there.
 * errs[i] is -ALLOT_ERR_BEHIND where somebody else raised it in between. */
static int
fence_round(xlator_t *this, inode_t *inode, const struct allot_record *rec,
            uint64_t gen, loc_t *loc, uint8_t *buf, int64_t len,
            const uint16_t *idx, int n, int *errs, struct allot_call *calls)
{
    struct allot_portion por;
    struct allot_brick_view view;
    uint64_t cut = 0;
    int i = 0;

    fence_ask(this, loc, idx, n, calls);
    for (i = 0; i < n; i++) {
        errs[i] = allot_fence_decode(inode, rec->nonce, &calls[i], &por);
        /* One that is not there is told when it is opened. */
        if (calls[i].xl &&
            (errs[i] == -EIO || (errs[i] && calls[i].err == ENODATA)) &&
            allot_slot_tell(allot_inode_get(this, inode), idx[i]))
            gf_msg(this->name, GF_LOG_ERROR, EIO, ALLOT_MSG_LOST_PORTION,
                   "the xattr of the portion of gfid %s on %s is missing or "
                   "damaged: its blocks are lost",
                   uuid_utoa(inode->gfid), calls[i].xl->name);
        allot_calls_wipe(&calls[i], 1);
        if (!errs[i])
            errs[i] = fence_even(this, inode, rec, &calls[i], loc, &por);
        if (!errs[i] && por.gen > gen)
            errs[i] = -EREMCHG;
        if (errs[i] || por.gen == gen) {
            calls[i].xl = NULL;
            continue;
        }
        cut = allot_fence_cut(rec, por.gen, idx[i]);
        if (allot_brick_get(this, idx[i], &view) == 0 && view.is_set &&
            (por.closed || cut <= ALLOT_OFFSET_MAX)) {
            calls[i].xl = NULL;
            errs[i] =
                allot_cut_on_set(this, inode, rec, gen, loc, idx[i], buf, len);
            if (!errs[i])
                GF_ATOMIC_INC(allot_priv(this)->fences);
            continue;
        }
        calls[i].fop = GF_FOP_SETXATTR;
        calls[i].dict = dict_new();
        calls[i].xdata = allot_xdata_internal();
        if (!calls[i].dict || !calls[i].xdata ||
            dict_set_static_bin(calls[i].dict, ALLOT_XATTR_PORTION, buf, len) ||
            dict_set_uint64(calls[i].xdata, ALLOT_KEY_FENCE, gen) ||
            dict_set_uint64(calls[i].xdata, ALLOT_KEY_FENCE_FROM, por.gen) ||
            (cut <= ALLOT_OFFSET_MAX &&
             dict_set_uint64(calls[i].xdata, ALLOT_KEY_CLIP, cut))) {
            calls[i].xl = NULL;
            errs[i] = -ENOMEM;
        }
    }
    fence_wind(this, calls, n);
    for (i = 0; i < n; i++) {
        if (calls[i].dict)
            dict_unref(calls[i].dict);
        if (calls[i].fop == GF_FOP_SETXATTR && calls[i].xdata)
            dict_unref(calls[i].xdata);
        if (!calls[i].xl)
            continue;
        GF_ATOMIC_INC(allot_priv(this)->fences);
        errs[i] = calls[i].ret < 0 ? -calls[i].err : 0;
    }
    for (i = 0; i < n; i++)
        if (errs[i] == -ALLOT_ERR_BEHIND)
            return 1;
    return 0;
}

int
allot_fence(xlator_t *this, inode_t *inode, const struct allot_record *rec,
            uint64_t gen, const uint16_t *idx, int n, int *errs)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_call *calls = NULL;
    loc_t loc = {
        0,
    };
    uint8_t *buf = NULL;
    int64_t len = 0;
    int *own = NULL;
    int ret = 0;
    int tries = 0;
    int i = 0;

    if (n == 0)
        return 0;
    calls = GF_CALLOC(n, sizeof(*calls), allot_mt_calls);
    own = GF_CALLOC(n, sizeof(*own), allot_mt_misc);
    if (!ai || !calls || !own ||
        allot_portion_loc(this, inode, ai, rec->nonce, &loc)) {
        ret = -ENOMEM;
        goto out;
    }
    len = allot_portion_xattr(inode, rec->nonce, gen, &buf);
    if (len < 0) {
        ret = len;
        goto out;
    }
    while (fence_round(this, inode, rec, gen, &loc, buf, len, idx, n, own,
                       calls) &&
           ++tries < 8)
        ;
    for (i = 0; i < n; i++) {
        if (errs)
            errs[i] = own[i];
        if (own[i] && !ret)
            ret = own[i];
    }
out:
    GF_FREE(buf);
    GF_FREE(own);
    GF_FREE(calls);
    loc_wipe(&loc);
    return ret;
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
    int n = rec->r.layout->brick_count;
    int *errs = GF_CALLOC(n + 1, sizeof(*errs), allot_mt_misc);
    int ret = 0;
    int i = 0;

    if (!ai || !errs) {
        GF_FREE(errs);
        return -EIO;
    }
    ret = allot_fence(this, inode, &rec->r, rec->r.gen, rec->r.layout->bricks,
                      n, errs) == 0;
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
