/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-proto-grow.c - a file becomes spread (grow), and everything that must
 * be true before a range can be written or read (prepare).
 */
#include "allot-proto.h"
#include "allot-fops.h"
#include "allot-split.h"
#include "allot-stop.h"
#include <sys/random.h>

/* Members for a new extent, without the avoided ones. */
int
allot_choose(xlator_t *this, const struct allot_avoid *avoid,
             struct allot_member *members)
{
    struct allot_member all[ALLOT_MEMBERS_MAX];
    uint32_t width = allot_priv(this)->opt.width;
    int room = width + (avoid ? avoid->n : 0);
    int got = 0;
    int n = 0;
    int i = 0;

    if (room > ALLOT_MEMBERS_MAX)
        room = ALLOT_MEMBERS_MAX;
    got = allot_bricks_choose(this, room, all);
    for (i = 0; i < got && n < (int)width; i++)
        if (!allot_avoid_has(avoid, all[i].brick_idx))
            members[n++] = all[i];
    return got < 0 ? got : n;
}

/* End of the block that holds the first byte past the inline part. */
static uint64_t
head_end(uint32_t inline_limit, uint8_t shift)
{
    return (((uint64_t)inline_limit >> shift) + 1) << shift;
}

int
allot_grow_plan(xlator_t *this, inode_t *inode, uint64_t end,
                const struct allot_avoid *avoid, struct allot_record *r,
                struct allot_member *members)
{
    struct allot_priv *priv = allot_priv(this);
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_rec *rec = allot_inode_rec(ai, NULL);
    struct allot_layout *empty = NULL;
    uint32_t limit = allot_bricks_inline_limit(this);
    int n = allot_choose(this, avoid, members);
    int ret = 0;

    memset(r, 0, sizeof(*r));
    if (n <= 0) {
        ret = n < 0 ? n : allot_avoid_errno(avoid);
        goto out;
    }
    /* Only block 0 yet: one portion is enough, small files stay cheap. */
    if (end <= head_end(limit, priv->opt.block_shift))
        n = 1;
    ret = allot_layout_new(limit, NULL, 0, &empty);
    if (ret == 0)
        ret = allot_layout_append(empty, limit, priv->opt.block_shift, members,
                                  n, &r->layout);
    if (ret)
        goto out;
    while (r->nonce == 0)
        if (getrandom(&r->nonce, sizeof(r->nonce), 0) != sizeof(r->nonce))
            r->nonce = 0;
    r->seq = rec ? rec->r.seq + 1 : 1;
    r->gen = rec ? rec->r.gen + 1 : 1;
    r->flags = ALLOT_RECORD_DIRTY;
    r->size = ai->base_size;
out:
    allot_layout_free(empty);
    allot_rec_unref(rec);
    return ret ? ret : n;
}

/* One attempt. -EAGAIN: a member failed and is avoided now. */
static int
grow_once(xlator_t *this, inode_t *inode, uint64_t end, uint64_t max_size,
          struct allot_avoid *avoid)
{
    struct allot_priv *priv = allot_priv(this);
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_member members[ALLOT_MEMBERS_MAX];
    gf_boolean_t made[ALLOT_MEMBERS_MAX];
    int errs[ALLOT_MEMBERS_MAX];
    struct allot_record r;
    uint64_t nonce = 0;
    int n = allot_grow_plan(this, inode, end, avoid, &r, members);
    int i = 0;
    int ret = 0;

    if (n < 0)
        return n;
    nonce = r.nonce;
    ai->unsure = _gf_false;
    ret = allot_portions_create(this, inode, nonce, r.gen, members, n,
                                _gf_false, NULL, made, errs);
    if (ret) {
        for (i = 0; i < n; i++) {
            if (!errs[i])
                continue;
            allot_avoid_add(avoid, members[i].brick_idx, -errs[i]);
            if (errs[i] == -ENOSPC || errs[i] == -EDQUOT)
                allot_bricks_full(this, members[i].brick_idx);
        }
        if (ret != -ENOMEM)
            ret = -EAGAIN;
    } else {
        allot_stop(this, ALLOT_STOP_GROW_CREATED);
        /* max_size is held against what the base's bricks know. */
        ret = allot_disperse_record(this, inode);
        if (ret == 0)
            ret = allot_publish(this, inode, &r, max_size, NULL);
        /* Refused by a replica that waits to be healed, taken by the others,
         * and somebody has gone on from there: nobody else has this nonce. */
        if (ret == -EREMCHG && allot_inode_has_nonce(ai, nonce))
            ret = 0;
        if (ret == 0) {
            GF_ATOMIC_INC(priv->grows);
            allot_stop(this, ALLOT_STOP_GROW_PUBLISHED);
        }
    }
    if (ret) {
        allot_stop(this, ALLOT_STOP_GROW_LOST);
        /* Nobody else knows this nonce, if it was refused. If the answer got
         * lost it may be the file's: better an orphan than a lost portion. */
        if (!ai->unsure)
            allot_portions_unlink(this, inode, nonce);
        allot_slot_drop(ai, ALLOT_IDX_NONE);
    }
    allot_record_clear(&r);
    return ret;
}

int
allot_grow(xlator_t *this, inode_t *inode, uint64_t end, uint64_t max_size,
           struct allot_avoid *avoid)
{
    int tries = 0;
    int ret = 0;

    do {
        ret = grow_once(this, inode, end, max_size, avoid);
    } while (ret == -EAGAIN && ++tries < ALLOT_MEMBERS_MAX);
    if (ret == -EFBIG)
        allot_refresh(this, inode, NULL);
    return ret;
}

/* ---- prepare
 * ----------------------------------------------------------------------- */

/* The bricks of [off, end), each once. Returns how many, or -errno. */
int
allot_range_bricks(const struct allot_layout *layout, uint64_t off,
                   uint64_t end, uint16_t *idx)
{
    struct allot_split_iter iter;
    struct allot_piece piece;
    int n = 0;
    int i = 0;
    int ret = allot_split_begin(&iter, layout, off, end - off);

    if (ret)
        return ret;
    while (allot_split_next(&iter, &piece)) {
        if (piece.brick_idx == ALLOT_PIECE_BASE)
            continue;
        for (i = 0; i < n && idx[i] != piece.brick_idx; i++)
            ;
        if (i == n)
            idx[n++] = piece.brick_idx;
        if (n == (int)layout->brick_count)
            break; /* all there are */
    }
    return n;
}

/* The first byte of [off, end) on a member that cannot be written: UINT64_MAX
 * if there is none. */
static uint64_t
first_unusable(xlator_t *this, const struct allot_layout *layout, uint64_t off,
               uint64_t end, const struct allot_avoid *avoid)
{
    struct allot_brick_view view;
    struct allot_split_iter iter;
    struct allot_piece piece;

    if (allot_split_begin(&iter, layout, off, end - off))
        return UINT64_MAX;
    while (allot_split_next(&iter, &piece)) {
        if (piece.brick_idx == ALLOT_PIECE_BASE)
            continue;
        if (allot_avoid_has(avoid, piece.brick_idx) ||
            allot_brick_get(this, piece.brick_idx, &view) ||
            !allot_brick_usable(&view))
            return piece.offset;
    }
    return UINT64_MAX;
}

/* Would new data be better off with other members than the last extent's? */
gf_boolean_t
allot_members_wanting(xlator_t *this, const struct allot_layout *layout,
                      uint64_t size)
{
    const struct allot_extent *last = NULL;
    uint32_t width = allot_priv(this)->opt.width;
    uint32_t could = allot_bricks_preferred_count(this);
    uint64_t run = 0;
    int i = 0;

    last = &layout->extents[layout->extent_count - 1];
    for (i = 0; i < last->member_count; i++)
        if (!allot_bricks_preferred(this, last->members[i].brick_idx))
            return _gf_true;
    if (could > width)
        could = width;
    if (last->member_count >= could)
        return _gf_false;
    /* A brick came back or was added. Not at once: a brick that comes and goes
     * must not use up the record's extents. */
    run = (uint64_t)last->member_count << (last->block_shift + 4);
    return size > last->start_byte && size - last->start_byte >= run;
}

uint64_t
allot_head_end(const struct allot_layout *layout)
{
    return head_end(layout->inline_limit, layout->extents[0].block_shift);
}

gf_boolean_t
allot_leaves_head(xlator_t *this, const struct allot_layout *layout,
                  uint64_t end)
{
    const struct allot_extent *e = layout->extents;
    uint32_t width = allot_priv(this)->opt.width;

    return layout->extent_count == 1 && e->member_count == 1 && width > 1 &&
           end > head_end(layout->inline_limit, e->block_shift) &&
           allot_bricks_preferred_count(this) > 1;
}

/* One look. 0: ready; -EREMCHG: look again; else an error. */
static int
prepare_spread(xlator_t *this, inode_t *inode, struct allot_inode *ai,
               struct allot_rec *rec, uint64_t off, uint64_t end,
               struct allot_avoid *avoid)
{
    const struct allot_layout *layout = rec->r.layout;
    uint16_t *idx = NULL;
    int *errs = NULL;
    uint64_t at = first_unusable(this, layout, off, end, avoid);
    uint64_t version = allot_bricks_version(this);
    uint64_t size = 0;
    int ret = 0;
    int n = 0;
    int i = 0;

    if (at != UINT64_MAX) {
        ret = allot_append(this, inode, at, _gf_true, end, avoid);
        return ret ? ret : -EREMCHG;
    }
    if (ai->judged != version && allot_leaves_head(this, layout, end)) {
        at = allot_head_end(layout);
        ret = allot_append(this, inode, at, _gf_false, end, avoid);
        if (ret == 0)
            return -EREMCHG;
        if (ret != -ENOENT)
            return ret;
        /* No better members: one brick is left, or the others refuse the file's
         * portions. It stays where it is. */
        ai->judged = version;
        ret = 0;
    } else {
        size = ai->known_size;
        if (end > size && ai->judged != version &&
            allot_members_wanting(this, layout, size)) {
            ret = allot_append(this, inode, off > size ? off : size, _gf_false,
                               end, avoid);
            if (ret == 0 || ret == -EREMCHG)
                return -EREMCHG;
            /* What there is must do. */
            ai->judged = version;
            ret = 0;
        }
    }

    if (!(rec->r.flags & ALLOT_RECORD_DIRTY)) {
        ret = allot_mark_dirty(this, inode);
        allot_stop(this, ALLOT_STOP_WRITE_DIRTY);
        return ret ? ret : -EREMCHG;
    }

    idx = GF_CALLOC(layout->brick_count, sizeof(*idx), allot_mt_misc);
    errs = GF_CALLOC(layout->brick_count, sizeof(*errs), allot_mt_misc);
    if (!idx || !errs) {
        ret = -ENOMEM;
        goto out;
    }
    n = allot_range_bricks(layout, off, end, idx);
    if (n < 0) {
        ret = n;
        goto out;
    }
    ret = allot_portions_open(this, inode, idx, n, errs);
    if (ret == -EREMCHG || (n > 0 && errs[0] == -ECANCELED))
        goto out;
    ret = 0;
    for (i = 0; i < n; i++) {
        if (!errs[i])
            continue;
        if (errs[i] == -ENOMEM) {
            ret = errs[i];
            break;
        }
        allot_avoid_add(avoid, idx[i], -errs[i]);
        ret = -EREMCHG;
    }
out:
    GF_FREE(idx);
    GF_FREE(errs);
    return ret;
}

int
allot_prepare_write(xlator_t *this, inode_t *inode, uint64_t off, uint64_t end,
                    uint64_t grow_max, struct allot_avoid *avoid)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_rec *rec = NULL;
    enum allot_kind kind = ALLOT_KIND_UNKNOWN;
    struct allot_patience patience = {
        0,
    };
    uint32_t limit = allot_bricks_inline_limit(this);
    int ret = -EREMCHG;

    if (!ai)
        return -ENOMEM;
    while (ret == -EREMCHG && allot_patience_left(this, inode, &patience)) {
        ret = allot_record_look(this, inode, &rec, &kind);
        if (ret)
            continue;
        if (kind == ALLOT_KIND_PLAIN) {
            if (allot_write_stays_plain(this, ai, end)) {
                ret = 0;
            } else {
                ret = allot_grow(this, inode, end,
                                 grow_max < limit ? grow_max : limit, avoid);
                if (ret == 0)
                    ret = -EREMCHG;
                else if (ret == -EFBIG)
                    ret = ai->base_size > limit ? -EREMCHG : -EAGAIN;
            }
        } else if (allot_needs_help(this, ai, rec)) {
            ret = allot_help(this, inode, rec) < 0 ? -EIO : -EREMCHG;
        } else {
            ret = prepare_spread(this, inode, ai, rec, off, end, avoid);
        }
        allot_rec_unref(rec);
    }
    return ret == -EREMCHG ? -EIO : ret;
}

gf_boolean_t
allot_write_stays_plain(xlator_t *this, struct allot_inode *ai, uint64_t end)
{
    uint32_t limit = allot_bricks_inline_limit(this);

    /* Longer than inline_limit without extents: it was made by plain
     * distribute, and stays as it is. */
    return end <= limit || ai->base_size > limit || !allot_bricks_active(this);
}

/* One look. -EREMCHG: look again. */
static int
prepare_read_once(xlator_t *this, inode_t *inode, struct allot_inode *ai,
                  const struct allot_rec *rec, uint64_t off, uint64_t end)
{
    uint16_t *idx = NULL;
    int *errs = NULL;
    int ret = 0;
    int n = rec->r.layout->brick_count;

    if (allot_needs_help(this, ai, rec) && allot_help(this, inode, rec) < 0)
        return -EIO;
    idx = GF_CALLOC(n, sizeof(*idx), allot_mt_misc);
    errs = GF_CALLOC(n, sizeof(*errs), allot_mt_misc);
    if (!idx || !errs) {
        ret = -ENOMEM;
        goto out;
    }
    n = allot_range_bricks(rec->r.layout, off, end, idx);
    /* What cannot be opened fails when it is read. */
    if (n > 0)
        ret = allot_portions_open_read(this, inode, idx, n, errs);
    if (ret != -EREMCHG && (n <= 0 || errs[0] != -ECANCELED))
        ret = 0;
out:
    GF_FREE(idx);
    GF_FREE(errs);
    return ret;
}

int
allot_prepare_read(xlator_t *this, inode_t *inode, uint64_t off, uint64_t end,
                   uint64_t *gen)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_patience patience = {
        0,
    };
    struct allot_rec *rec = NULL;
    enum allot_kind kind = ALLOT_KIND_UNKNOWN;
    int ret = -EREMCHG;

    if (!ai)
        return -ENOMEM;
    *gen = 0;
    while (ret == -EREMCHG && allot_patience_left(this, inode, &patience)) {
        ret = allot_record_look(this, inode, &rec, &kind);
        if (ret == 0 && kind == ALLOT_KIND_SPREAD) {
            ret = prepare_read_once(this, inode, ai, rec, off, end);
            *gen = rec->r.gen;
        }
        allot_rec_unref(rec);
    }
    return ret == -EREMCHG ? -EIO : ret;
}
