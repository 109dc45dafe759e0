/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-proto-append.c - a new extent at the end of a file's layout, because
 * the file leaves its head block, a member failed or filled, or a brick came.
 *
 * The steps (docs/protocol.md, "Append an extent"), g = the record's gen:
 *
 *   1 fence the reachable portions to g+1: nobody writes any more
 *
 *   2 glimpse: EOF of what there is
 *
 *   3 make or fence the new members' portions, at g+1
 *
 *   4 if members failed before EOF: put what stands past the first failed byte
 *     into the new extent, so that publishing it hides nothing
 *
 *   5 publish g+2 with the new extent: the commit
 *
 *   6 fence the members to g+2
 *
 *        start of the failing write            its end          EOF
 *   ... ----|------ fine ------|#### fails ####|----- others -----|
 *                              ^ at                 relocated
 *                              new extent ------------------------------->
 */
#include "allot-proto.h"
#include "allot-fops.h"
#include "allot-split.h"
#include "allot-stop.h"

/* Most bytes that are written anew to keep a file growing. */
#define RELOCATE_MAX (64ULL << 20)
/* One step of it. */
#define RELOCATE_STEP (1ULL << 20)

/* Same bricks as the layout's last extent? */
static gf_boolean_t
same_members(const struct allot_layout *layout,
             const struct allot_member *members, int n)
{
    const struct allot_extent *last = NULL;
    int i = 0;
    int j = 0;

    last = &layout->extents[layout->extent_count - 1];
    if (last->member_count != n)
        return _gf_false;
    for (i = 0; i < n; i++) {
        for (j = 0; j < n; j++)
            if (last->members[j].brick_idx == members[i].brick_idx)
                break;
        if (j == n)
            return _gf_false;
    }
    return _gf_true;
}

static gf_boolean_t
append_has_lost(const int *errs, uint32_t n)
{
    uint32_t i = 0;

    for (i = 0; i < n; i++)
        if (allot_portion_lost(errs[i]))
            return _gf_true;
    return _gf_false;
}

/* Chosen members without those whose portion of this file is lost: a new
 * portion there would make lost blocks read as holes. */
static int
append_members(xlator_t *this, const struct allot_layout *layout,
               const int *lost, const struct allot_avoid *avoid,
               struct allot_member *members)
{
    struct allot_avoid all = *avoid;
    uint32_t i = 0;

    for (i = 0; i < layout->brick_count; i++)
        if (lost && allot_portion_lost(lost[i]))
            allot_avoid_add(&all, layout->bricks[i], EIO);
    return allot_choose(this, &all, members);
}

/* ---- relocation
 * ------------------------------------------------------------------- */

/* Reads or writes [off, off + len) of the portions as @layout maps it, @buf in
 * memory. Holes read as zeros. 0 or -errno. */
static int
relocate_io(xlator_t *this, struct allot_inode *ai,
            const struct allot_layout *layout, uint64_t gen, uint64_t off,
            uint64_t len, struct iobuf *iobuf, glusterfs_fop_t fop)
{
    struct allot_brick_view view;
    struct allot_split_iter iter;
    struct allot_piece piece;
    struct allot_call call;
    struct iobref *iobref = iobref_new();
    dict_t *xdata = allot_xdata_with_gen(this, NULL, gen);
    struct iovec iov;
    char *mem = iobuf_ptr(iobuf);
    int ret = allot_split_begin(&iter, layout, off, len);

    if (!iobref || !xdata || iobref_add(iobref, iobuf))
        ret = -ENOMEM;
    while (ret == 0 && allot_split_next(&iter, &piece)) {
        char *at = mem + (piece.offset - off);

        allot_call_init(&call, NULL, fop);
        call.fd = allot_slot_fd(this, ai, piece.brick_idx, &view);
        if (!call.fd) {
            ret = allot_slot_hopeless(this, ai, piece.brick_idx) ? -EIO
                                                                 : -EREMCHG;
            break;
        }
        call.xl = view.xl;
        call.off = piece.offset;
        call.len = piece.len;
        call.xdata = xdata;
        iov.iov_base = at;
        iov.iov_len = piece.len;
        call.iov = &iov;
        call.iov_count = 1;
        call.iobref = iobref;
        ret = allot_call_one(this, &call);
        if (fop == GF_FOP_WRITE && ret > 0)
            allot_disperse_wrote(this, ai, piece.brick_idx, call.xl);
        if (ret >= 0 && fop == GF_FOP_READ) {
            memset(at, 0, piece.len);
            iov_unload(at, call.riov, call.riov_count);
            ret = 0;
        } else if (ret >= 0) {
            ret = (uint64_t)ret == piece.len ? 0 : -ENOSPC;
        }
        allot_calls_wipe(&call, 1);
        fd_unref(call.fd);
    }
    if (iobref)
        iobref_unref(iobref);
    if (xdata)
        dict_unref(xdata);
    return ret;
}

/* The data of the write that is under way, over what was read. */
static void
overlay(struct allot_payload *p, uint64_t off, uint64_t len, char *mem)
{
    uint64_t from = p->off > off ? p->off : off;
    uint64_t to = p->off + p->len < off + len ? p->off + p->len : off + len;
    uint64_t at = p->off;
    int i = 0;

    for (i = 0; i < p->count; i++) {
        uint64_t end = at + p->iov[i].iov_len;
        uint64_t s = at > from ? at : from;
        uint64_t e = end < to ? end : to;

        if (s < e)
            memcpy(mem + (s - off), (char *)p->iov[i].iov_base + (s - at),
                   e - s);
        at = end;
    }
}

/* A write that waits to be done again and covers @off; NULL: none. @stop is
 * brought down to where that changes. */
static struct allot_payload *
covering(struct allot_inode *ai, uint64_t off, uint64_t *stop)
{
    struct allot_payload *found = NULL;
    struct allot_payload *p = NULL;
    uint64_t next = *stop;

    LOCK(&ai->lock);
    {
        list_for_each_entry(p, &ai->repairs, list)
        {
            if (off >= p->off && off - p->off < p->len) {
                found = p;
                next = p->off + p->len;
                break;
            }
            if (p->off > off && p->off < next)
                next = p->off;
        }
        *stop = next < *stop ? next : *stop;
    }
    UNLOCK(&ai->lock);
    return found;
}

/* Copies [at, eof) from the old layout to the new one. Where a write of this
 * client waits to be done again, here or in the queue behind, its bytes take
 * the place of what there is: only they may be unreadable. Nobody is told yet
 * that they are written, and they stay as long as we are alone. */
static int
relocate(xlator_t *this, struct allot_inode *ai,
         const struct allot_layout *from, const struct allot_layout *to,
         uint64_t gen, uint64_t at, uint64_t eof)
{
    struct iobuf *iobuf = iobuf_get2(this->ctx->iobuf_pool, RELOCATE_STEP);
    struct allot_payload *p = NULL;
    uint64_t off = at;
    uint64_t stop = 0;
    int ret = 0;

    if (!iobuf)
        return -ENOMEM;
    for (; off < eof && ret == 0; off = stop) {
        stop = off + RELOCATE_STEP < eof ? off + RELOCATE_STEP : eof;
        p = covering(ai, off, &stop);
        if (!p && off == at)
            ret = -EIO; /* its member fails, and nobody has data for it */
        else if (p)
            overlay(p, off, stop - off, iobuf_ptr(iobuf));
        else
            ret = relocate_io(this, ai, from, gen, off, stop - off, iobuf,
                              GF_FOP_READ);
        if (ret == 0)
            ret = relocate_io(this, ai, to, gen, off, stop - off, iobuf,
                              GF_FOP_WRITE);
    }
    iobuf_unref(iobuf);
    return ret;
}

/* Copies of bytes that somebody may have synced at their old home. */
static int
relocate_sync(xlator_t *this, struct allot_inode *ai,
              const struct allot_layout *to, uint64_t gen)
{
    const struct allot_extent *e = &to->extents[to->extent_count - 1];
    dict_t *xdata = allot_xdata_with_gen(this, NULL, gen);
    struct allot_call calls[ALLOT_MEMBERS_MAX];
    struct allot_brick_view view;
    int ret = xdata ? 0 : -ENOMEM;
    int i = 0;

    for (i = 0; i < e->member_count; i++) {
        allot_call_init(&calls[i], NULL, GF_FOP_FSYNC);
        calls[i].fd = allot_slot_fd(this, ai, e->members[i].brick_idx, &view);
        if (!calls[i].fd)
            continue; /* nothing was copied there */
        calls[i].xl = xdata ? view.xl : NULL;
        calls[i].xdata = xdata;
    }
    allot_fan(this, calls, e->member_count);
    for (i = 0; i < e->member_count; i++) {
        if (!calls[i].fd)
            continue;
        if (calls[i].ret < 0 && calls[i].xl && !ret)
            ret = -calls[i].err;
        /* A sync cannot know that disperse has forgotten how long it is. */
        if (!ret && calls[i].xl && allot_dispersed(this, calls[i].xl))
            ret = allot_disperse_recorded(this, calls[i].xl, calls[i].fd);
        if (ret == -EBADF && calls[i].xl &&
            allot_dispersed(this, calls[i].xl)) {
            allot_slot_recorded(ai, e->members[i].brick_idx, _gf_false);
            ret = -EIO;
        }
        fd_unref(calls[i].fd);
    }
    allot_calls_wipe(calls, e->member_count);
    if (xdata)
        dict_unref(xdata);
    return ret;
}

/* ---- the protocol
 * ------------------------------------------------------------------- */

/* Why a file has one more extent than its size asks for. */
static void
append_log(xlator_t *this, inode_t *inode, const struct allot_extent *e,
           const struct allot_avoid *avoid)
{
    struct allot_brick_view view;

    if (!avoid->n || allot_brick_get(this, avoid->idx[avoid->n - 1], &view))
        return;
    gf_msg(this->name, GF_LOG_INFO, avoid->last, ALLOT_MSG_PROTOCOL,
           "gfid %s: a write goes on at byte %" PRIu64
           " on %d bricks; avoided: "
           "%s%s",
           uuid_utoa(inode->gfid), e->start_byte, e->member_count,
           view.xl ? view.xl->name : "a brick",
           avoid->n > 1 ? " and others" : "");
}

/* Steps 3 and 4. */
static int
append_portions(xlator_t *this, inode_t *inode, struct allot_inode *ai,
                const struct allot_rec *rec, const struct allot_layout *layout,
                struct allot_avoid *avoid)
{
    const struct allot_extent *e = NULL;
    gf_boolean_t made[ALLOT_MEMBERS_MAX];
    int errs[ALLOT_MEMBERS_MAX];
    struct allot_member fresh[ALLOT_MEMBERS_MAX];
    uint16_t old[ALLOT_MEMBERS_MAX];
    gf_boolean_t lost = _gf_false;
    int n_fresh = 0;
    int n_old = 0;
    int ret = 0;
    int i = 0;

    e = &layout->extents[layout->extent_count - 1];
    for (i = 0; i < e->member_count; i++) {
        if (allot_layout_has(rec->r.layout, e->members[i].brick_idx))
            old[n_old++] = e->members[i].brick_idx;
        else
            fresh[n_fresh++] = e->members[i];
    }
    if (n_fresh)
        ret = allot_portions_create(this, inode, rec->r.nonce, rec->r.gen + 1,
                                    fresh, n_fresh, _gf_true, &rec->r, made,
                                    errs);
    /* Somebody has cut the file to its inline part, or appended: nothing is
     * wrong with the bricks. */
    if (ret && ret != -ENOMEM && allot_record_moved(this, inode, rec))
        return -EREMCHG;
    for (i = 0; ret && i < n_fresh; i++)
        if (errs[i] == -ECANCELED)
            return ret == -ENOMEM ? ret : -EIO; /* the base is away */
    for (i = 0; ret && i < n_fresh; i++) {
        if (!errs[i])
            continue;
        /* It is there already, and past this generation: another client has
         * appended. Nothing is wrong with the brick. */
        if (errs[i] == -EREMCHG) {
            lost = _gf_true;
            continue;
        }
        allot_avoid_add(avoid, fresh[i].brick_idx, -errs[i]);
        if (errs[i] == -ENOSPC || errs[i] == -EDQUOT)
            allot_bricks_full(this, fresh[i].brick_idx);
    }
    if (lost)
        allot_catch_up(this, inode, rec->r.gen);
    if (ret)
        return ret == -ENOMEM ? ret : -EREMCHG;
    ret = allot_portions_open(this, inode, old, n_old, errs);
    if (ret && ret != -EREMCHG && n_old && errs[0] == -ECANCELED)
        return ret;
    for (i = 0; ret && ret != -EREMCHG && i < n_old; i++)
        if (errs[i])
            allot_avoid_add(avoid, old[i], -errs[i]);
    return ret && ret != -ENOMEM ? -EREMCHG : ret;
}

int
allot_append(xlator_t *this, inode_t *inode, uint64_t at, gf_boolean_t exact,
             uint64_t end, struct allot_avoid *avoid)
{
    struct allot_priv *priv = allot_priv(this);
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_rec *rec = allot_inode_rec(ai, NULL);
    const struct allot_layout *layout = rec ? rec->r.layout : NULL;
    struct allot_member members[ALLOT_MEMBERS_MAX];
    struct allot_glimpse seen;
    struct allot_record r;
    int *errs = NULL;
    struct iatt *sts = NULL;
    fd_t *fd = NULL;
    uint64_t gen = 0;
    uint64_t eof = 0;
    uint64_t start = at;
    int ret = 0;
    int n = 0;
    uint32_t i = 0;

    memset(&r, 0, sizeof(r));
    if (!rec || !layout->extent_count) {
        ret = -EREMCHG;
        goto out;
    }
    gen = rec->r.gen;
    errs = GF_CALLOC(layout->brick_count, sizeof(*errs), allot_mt_misc);
    sts = GF_CALLOC(layout->brick_count, sizeof(*sts), allot_mt_misc);
    if (!errs || !sts) {
        ret = -ENOMEM;
        goto out;
    }
    n = append_members(this, layout, NULL, avoid, members);
    if (!exact && (n <= 0 || same_members(layout, members, n))) {
        ret = -ENOENT; /* nothing to gain; nothing has been touched */
        goto out;
    }

    /* 1 */
    allot_fence_more(this, inode, &rec->r, gen + 1, gen, layout->bricks,
                     layout->brick_count, errs, sts, NULL);
    for (i = 0; i < layout->brick_count; i++) {
        if (errs[i] == -EREMCHG) {
            ret = allot_catch_up(this, inode, gen);
            ret = ret ? ret : -EREMCHG;
            goto out;
        }
    }
    allot_stop(this, ALLOT_STOP_APPEND_FENCED);
    /* 2 */
    ret = allot_glimpse_fenced(this, inode, &rec->r, gen + 1, 0, &seen, errs,
                               sts);
    if (ret)
        goto out;
    allot_stop(this, ALLOT_STOP_APPEND_GLIMPSED);
    if (seen.silent && append_has_lost(errs, layout->brick_count) &&
        allot_record_moved(this, inode, rec)) {
        ret = -EREMCHG;
        goto out;
    }
    eof = seen.size.known;
    if (ai->known_size > eof && allot_inode_gen(ai) == gen)
        eof = ai->known_size;
    if (!exact && eof > start)
        start = eof;
    if (exact && eof > at && eof - at > RELOCATE_MAX + (end - at)) {
        ret = -EIO; /* in the middle of existing data on a failed member */
        goto out;
    }
    n = append_members(this, layout, errs, avoid, members);
    if (n <= 0) {
        ret = n < 0 ? n : allot_avoid_errno(avoid);
        goto out;
    }
    ret = allot_record_copy(&rec->r, &r);
    if (ret)
        goto out;
    allot_layout_free(r.layout);
    r.layout = NULL;
    ret = allot_layout_append(layout, start, priv->opt.block_shift, members, n,
                              &r.layout);
    if (ret) {
        if (ret == -EFBIG)
            gf_msg(this->name, GF_LOG_ERROR, EFBIG, ALLOT_MSG_EXTENTS_FULL,
                   "gfid %s has used its %d extents: it cannot grow past a "
                   "failed or full brick any more; copy it to renew them",
                   uuid_utoa(inode->gfid), ALLOT_EXTENTS_MAX);
        goto out;
    }
    /* 3, 4 */
    ret = append_portions(this, inode, ai, rec, r.layout, avoid);
    allot_stop(this, ALLOT_STOP_APPEND_CREATED);
    if (ret == 0 && exact && eof > at) {
        /* Read from whoever can be read, members of the new extent or not. */
        ret = allot_portions_open(this, inode, layout->bricks,
                                  layout->brick_count, errs);
        if (ret != -EREMCHG)
            ret = relocate(this, ai, layout, r.layout, gen + 1, at,
                           eof > end ? eof : end);
        if (ret == 0 && eof > end)
            ret = relocate_sync(this, ai, r.layout, gen + 1);
        /* One more member went; or the file has no portions any more. */
        if (ret == -ENOTCONN ||
            (ret == -EIO && allot_record_moved(this, inode, rec)))
            ret = -EREMCHG;
        allot_stop(this, ALLOT_STOP_APPEND_COPIED);
    }
    if (ret)
        goto out;
    /* 5 */
    r.gen = gen + 2;
    r.flags |= ALLOT_RECORD_DIRTY;
    if (eof > r.size)
        r.size = eof;
    ret = allot_publish(this, inode, &r, UINT64_MAX, NULL);
    if (ret)
        goto out;
    GF_ATOMIC_INC(priv->appends);
    allot_stop(this, ALLOT_STOP_APPEND_PUBLISHED);
    /* Step 6 cuts the old homes: not before the record is there to stay. */
    fd = exact && eof > end ? allot_any_fd(this, inode, _gf_false) : NULL;
    if (fd) {
        allot_sync_base(this, inode, fd, NULL);
        fd_unref(fd);
    }
    /* 6 */
    allot_rec_unref(rec);
    rec = allot_inode_rec(ai, NULL);
    if (rec && rec->r.gen == gen + 2) {
        layout = rec->r.layout;
        append_log(this, inode, &layout->extents[layout->extent_count - 1],
                   avoid);
        allot_fence_more(this, inode, &rec->r, gen + 2, gen + 1, layout->bricks,
                         layout->brick_count, NULL, NULL, NULL);
    }
    allot_stop(this, ALLOT_STOP_APPEND_FENCED_AGAIN);
out:
    allot_record_clear(&r);
    GF_FREE(errs);
    GF_FREE(sts);
    allot_rec_unref(rec);
    return ret;
}
