/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-inode.c - what a client knows of a file: taking in records, showing
 * sizes, counting application fds. Makes no calls.
 */
#include "allot-prefetch.h"
#include "allot-proto.h"
#include "allot-intern.h"

/* ---- records
 * ----------------------------------------------------------------- */

struct allot_rec *
allot_rec_ref(struct allot_rec *rec)
{
    GF_ATOMIC_INC(rec->refs);
    return rec;
}

void
allot_rec_unref(struct allot_rec *rec)
{
    if (!rec || GF_ATOMIC_DEC(rec->refs) != 0)
        return;
    rec->r.layout = NULL; /* the table's */
    allot_intern_put(rec->intern, rec->shared);
    allot_record_clear(&rec->r);
    if (rec->gen_xdata)
        dict_unref(rec->gen_xdata);
    GF_FREE(rec);
}

struct allot_rec *
allot_rec_new(xlator_t *this, struct allot_record *r)
{
    struct allot_rec *rec = GF_CALLOC(1, sizeof(*rec), allot_mt_rec);

    if (rec)
        rec->gen_xdata = allot_xdata_gen(this, r->gen);
    if (!rec || !rec->gen_xdata)
        goto err;
    rec->intern = allot_priv(this)->intern;
    rec->shared = allot_intern_get(rec->intern, r->layout);
    r->layout = NULL;
    if (!rec->shared)
        goto err;
    GF_ATOMIC_INIT(rec->refs, 1);
    rec->r = *r;
    rec->r.layout = allot_shared_layout(rec->shared);
    memset(r, 0, sizeof(*r));
    return rec;
err:
    allot_record_clear(r);
    if (rec && rec->gen_xdata)
        dict_unref(rec->gen_xdata);
    GF_FREE(rec);
    return NULL;
}

/* ---- life
 * -------------------------------------------------------------------- */

struct allot_inode *
allot_inode_peek(xlator_t *this, inode_t *inode)
{
    uint64_t value = 0;

    if (!inode || inode_ctx_get(inode, this, &value))
        return NULL;
    return (struct allot_inode *)(uintptr_t)value;
}

struct allot_inode *
allot_inode_get(xlator_t *this, inode_t *inode)
{
    struct allot_inode *ai = allot_inode_peek(this, inode);
    uint64_t value = 0;

    if (ai || !inode)
        return ai;

    LOCK(&inode->lock);
    {
        if (__inode_ctx_get(inode, this, &value) == 0) {
            ai = (struct allot_inode *)(uintptr_t)value;
        } else {
            ai = GF_CALLOC(1, sizeof(*ai), allot_mt_inode);
            if (ai) {
                LOCK_INIT(&ai->lock);
                INIT_LIST_HEAD(&ai->waiting);
                INIT_LIST_HEAD(&ai->repairs);
                INIT_LIST_HEAD(&ai->fds);
                GF_ATOMIC_INIT(ai->changes, 0);
                value = (uint64_t)(uintptr_t)ai;
                if (__inode_ctx_set(inode, this, &value)) {
                    LOCK_DESTROY(&ai->lock);
                    GF_FREE(ai);
                    ai = NULL;
                }
            }
        }
    }
    UNLOCK(&inode->lock);
    return ai;
}

int32_t
allot_inode_forget(xlator_t *this, inode_t *inode)
{
    struct allot_inode *ai = NULL;
    uint64_t value = 0;

    if (inode_ctx_del(inode, this, &value) || !value)
        return 0;
    ai = (struct allot_inode *)(uintptr_t)value;
    allot_slot_drop(ai, ALLOT_IDX_NONE);
    GF_FREE(ai->slots);
    allot_rec_unref(ai->rec);
    LOCK_DESTROY(&ai->lock);
    GF_FREE(ai);
    return 0;
}

/* ---- learning
 * ---------------------------------------------------------------- */

/* Decodes the record in @xattr. *@rec is NULL if there is none.
 * 0, or what the decoder said. */
static int
inode_decode(xlator_t *this, dict_t *xattr, struct allot_rec **rec)
{
    struct allot_record r = {
        0,
    };
    data_t *data = NULL;
    int ret = 0;

    *rec = NULL;
    data = xattr ? dict_get(xattr, ALLOT_XATTR_RECORD) : NULL;
    if (!data)
        return 0;
    ret = allot_record_decode((uint8_t *)data->data, data->len, &r);
    if (ret)
        return ret;
    *rec = allot_rec_new(this, &r);
    return *rec ? 0 : -ENOMEM;
}

static gf_boolean_t
extent_same(const struct allot_extent *a, const struct allot_extent *b)
{
    int i = 0;

    if (a->start_byte != b->start_byte || a->member_count != b->member_count ||
        a->phase != b->phase || a->block_shift != b->block_shift)
        return _gf_false;
    for (i = 0; i < a->member_count; i++)
        if (a->members[i].brick_idx != b->members[i].brick_idx ||
            a->members[i].weight != b->members[i].weight)
            return _gf_false;
    return _gf_true;
}

/* Does an extent of @now that is not in @old lead [from, to) elsewhere? */
static gf_boolean_t
layout_rehomes(const struct allot_layout *old, const struct allot_layout *now,
               uint64_t from, uint64_t to)
{
    const struct allot_extent *a = NULL;
    const struct allot_extent *b = NULL;
    uint32_t i = 0;
    uint32_t j = 0;

    for (i = 0; i < now->extent_count; i++) {
        a = &now->extents[i];
        if (a->start_byte >= to || allot_layout_extent_end(now, i) <= from)
            continue;
        for (j = 0; j < old->extent_count; j++) {
            b = &old->extents[j];
            if (extent_same(a, b))
                break;
        }
        if (j == old->extent_count)
            return _gf_true;
    }
    return _gf_false;
}

/* What is left of bytes before @end that were written at @old: somebody may
 * have truncated between it and @now. */
static uint64_t
cut_since(const struct allot_record *old, const struct allot_record *now,
          uint64_t end)
{
    uint32_t i = 0;

    /* Another nonce: the file was cut to its inline part in between. */
    if (old->nonce != now->nonce && end > now->layout->inline_limit)
        end = now->layout->inline_limit;
    for (i = 0; i < now->clip_count; i++)
        if (now->clips[i].gen > old->gen && end > now->clips[i].size)
            end = now->clips[i].size;
    return end;
}

/* Does an extent of @now hide, or may it, what was written to [from, to) at
 * @old? Then whoever syncs or closes is told. */
static gf_boolean_t
hidden_since(const struct allot_record *old, const struct allot_record *now,
             uint64_t from, uint64_t to)
{
    return to > from && old->nonce == now->nonce &&
           layout_rehomes(old->layout, now->layout, from, to);
}

static void
hidden_log(const struct allot_record *old, const struct allot_record *now,
           uint64_t from, uint64_t to)
{
    gf_msg(THIS->name, GF_LOG_WARNING, EIO, ALLOT_MSG_PROTOCOL,
           "bytes of [%" PRIu64 ", %" PRIu64
           ") that were written here at "
           "generation %" PRIu64
           " and not synced may be hidden by an extent of "
           "generation %" PRIu64 " (nonce %016" PRIx64
           ", %u extents, then %u): "
           "the next fsync or close tells",
           from, to, old->gen, now->gen, now->nonce, old->layout->extent_count,
           now->layout->extent_count);
}

void
allot_inode_take(struct allot_inode *ai, struct allot_rec *rec,
                 gf_boolean_t own)
{
    struct allot_rec *old = NULL;
    gf_boolean_t newer_gen = _gf_false;
    gf_boolean_t hidden = _gf_false;
    uint64_t from = 0;
    uint64_t end = 0;

    LOCK(&ai->lock);
    {
        if (ai->rec && ai->rec->r.seq >= rec->r.seq && !ai->hearsay) {
            old = rec;
        } else {
            old = ai->rec;
            newer_gen = !old || old->r.gen != rec->r.gen ||
                        old->r.nonce != rec->r.nonce || ai->hearsay;
            ai->hearsay = _gf_false;
            /* Cut and grown anew: it has other members. */
            if (!old || old->r.nonce != rec->r.nonce)
                ai->judged = 0;
            if (old && ai->unsynced_to) {
                end = cut_since(&old->r, &rec->r, ai->unsynced_to);
                ai->unsynced_to = end > ai->unsynced_from ? end : 0;
                from = ai->unsynced_from;
                hidden = !own && hidden_since(&old->r, &rec->r, from, end);
                if (hidden) {
                    ai->rehomed++;
                    allot_rec_ref(rec); /* for the log */
                }
            }
            ai->rec = rec;
            ai->kind = rec->r.layout->extent_count ? ALLOT_KIND_SPREAD
                                                   : ALLOT_KIND_PLAIN;
            /* A lower bound holds only as long as nobody truncates, and every
             * truncation raises the generation. */
            if (newer_gen || ai->known_size < rec->r.size)
                ai->known_size = rec->r.size;
            ai->full_sync = _gf_true;
            ai->record_unsynced = _gf_true;
        }
    }
    UNLOCK(&ai->lock);
    if (hidden) {
        hidden_log(&old->r, &rec->r, from, end);
        allot_rec_unref(rec);
    }
    allot_rec_unref(old);
}

uint64_t
allot_inode_wrote(struct allot_inode *ai, const struct allot_rec *rec,
                  uint64_t off, uint64_t end)
{
    struct allot_rec *now = NULL;
    uint64_t known = 0;

    LOCK(&ai->lock);
    {
        known = ai->known_size;
        ai->wrote = _gf_true;
        /* What was acknowledged at another generation proves nothing. */
        if (ai->rec && ai->rec->r.gen == rec->r.gen && end > known)
            ai->known_size = end;
        /* Another program here may have learned of a newer record while the
         * write was under way. */
        if (ai->rec && ai->rec != rec) {
            end = cut_since(&rec->r, &ai->rec->r, end);
            if (hidden_since(&rec->r, &ai->rec->r, off, end)) {
                ai->rehomed++;
                now = allot_rec_ref(ai->rec);
            }
        }
        if (end > off) {
            if (!ai->unsynced_to || off < ai->unsynced_from)
                ai->unsynced_from = off;
            if (end > ai->unsynced_to)
                ai->unsynced_to = end;
        }
    }
    UNLOCK(&ai->lock);
    if (now)
        hidden_log(&rec->r, &now->r, off, end);
    allot_rec_unref(now);
    return known;
}

enum allot_kind
allot_inode_learn(xlator_t *this, inode_t *inode, dict_t *xattr,
                  struct iatt *base)
{
    struct allot_inode *ai = NULL;
    struct allot_rec *old = NULL;
    struct allot_rec *rec = NULL;
    enum allot_kind kind = ALLOT_KIND_UNKNOWN;
    gf_boolean_t broke = _gf_false;
    int ret = inode_decode(this, xattr, &rec);

    ai = allot_inode_get(this, inode);
    if (!ai) {
        allot_rec_unref(rec);
        return ALLOT_KIND_UNKNOWN;
    }

    LOCK(&ai->lock);
    {
        if (base)
            ai->base_size = base->ia_size;
        if (ret && ret != -ENOMEM) {
            broke = ai->kind != ALLOT_KIND_BROKEN;
            ai->kind = ALLOT_KIND_BROKEN;
        } else if (!rec && (!ai->rec || ai->hearsay) && ret == 0) {
            old = ai->rec;
            ai->rec = NULL;
            ai->hearsay = _gf_false;
            ai->kind = ALLOT_KIND_PLAIN;
        } else if (rec && ai->kind == ALLOT_KIND_BROKEN && ai->rec &&
                   ai->rec->r.seq == rec->r.seq) {
            /* It was repaired (a healed replicate reads right again). */
            ai->kind = ai->rec->r.layout->extent_count ? ALLOT_KIND_SPREAD
                                                       : ALLOT_KIND_PLAIN;
        }
        kind = ai->kind;
    }
    UNLOCK(&ai->lock);
    allot_rec_unref(old);

    if (broke)
        gf_msg(
            this->name, GF_LOG_ERROR, -ret, ALLOT_MSG_BAD_RECORD,
            "the record of gfid %s is damaged or of an unknown version: "
            "its data is refused with EIO",
            uuid_utoa(base && !gf_uuid_is_null(base->ia_gfid) ? base->ia_gfid
                                                              : inode->gfid));
    if (rec) {
        allot_inode_take(ai, rec, _gf_false);
        kind = ai->kind;
    }
    return kind;
}

gf_boolean_t
allot_inode_hear(xlator_t *this, inode_t *inode, dict_t *xattr,
                 struct iatt *base, enum allot_kind *kind)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_rec *known = ai ? allot_inode_rec(ai, kind) : NULL;
    struct allot_rec *rec = NULL;
    gf_boolean_t same = _gf_false;

    if (!ai || inode_decode(this, xattr, &rec)) {
        allot_rec_unref(known);
        return _gf_false;
    }
    if (known || ai->opens > 0 || *kind != ALLOT_KIND_UNKNOWN) {
        same = known ? rec && known->r.seq == rec->r.seq &&
                           known->r.nonce == rec->r.nonce &&
                           *kind != ALLOT_KIND_BROKEN
                     : !rec && *kind == ALLOT_KIND_PLAIN;
        allot_rec_unref(known);
        allot_rec_unref(rec);
        return same;
    }
    LOCK(&ai->lock);
    {
        if (ai->kind == ALLOT_KIND_UNKNOWN) {
            ai->base_size = base->ia_size;
            ai->rec = rec;
            ai->hearsay = rec != NULL;
            ai->kind = rec && rec->r.layout->extent_count ? ALLOT_KIND_SPREAD
                                                          : ALLOT_KIND_PLAIN;
            if (rec)
                ai->known_size = rec->r.size;
            *kind = ai->kind;
            same = _gf_true;
            rec = NULL;
        }
    }
    UNLOCK(&ai->lock);
    allot_rec_unref(rec);
    return same;
}

struct allot_rec *
allot_inode_rec(struct allot_inode *ai, enum allot_kind *kind)
{
    struct allot_rec *rec = NULL;

    LOCK(&ai->lock);
    {
        if (ai->rec)
            rec = allot_rec_ref(ai->rec);
        if (kind)
            *kind = ai->kind;
    }
    UNLOCK(&ai->lock);
    return rec;
}

uint64_t
allot_inode_gen(struct allot_inode *ai)
{
    uint64_t gen = 0;

    LOCK(&ai->lock);
    {
        if (ai->rec)
            gen = ai->rec->r.gen;
    }
    UNLOCK(&ai->lock);
    return gen;
}

gf_boolean_t
allot_inode_has_nonce(struct allot_inode *ai, uint64_t nonce)
{
    gf_boolean_t has = _gf_false;

    LOCK(&ai->lock);
    {
        has = ai->rec && ai->rec->r.nonce == nonce;
    }
    UNLOCK(&ai->lock);
    return has;
}

void
allot_inode_ctime(struct allot_inode *ai, struct iatt *buf)
{
    LOCK(&ai->lock);
    {
        if (buf->ia_ctime > ai->ctime_sec ||
            (buf->ia_ctime == ai->ctime_sec &&
             buf->ia_ctime_nsec >= ai->ctime_nsec)) {
            ai->ctime_sec = buf->ia_ctime;
            ai->ctime_nsec = buf->ia_ctime_nsec;
        } else {
            buf->ia_ctime = ai->ctime_sec;
            buf->ia_ctime_nsec = ai->ctime_nsec;
        }
    }
    UNLOCK(&ai->lock);
}

int
allot_inode_iatt(xlator_t *this, inode_t *inode, struct iatt *buf)
{
    struct allot_inode *ai = allot_inode_peek(this, inode);
    int done = 1;

    if (!ai)
        return 1;
    LOCK(&ai->lock);
    {
        if (ai->kind == ALLOT_KIND_SPREAD) {
            if ((ai->rec->r.flags & ALLOT_RECORD_DIRTY) ||
                allot_needs_help(this, ai, ai->rec)) {
                done = 0;
            } else {
                buf->ia_size = ai->rec->r.size;
                buf->ia_blocks += ai->rec->r.blocks512;
            }
        }
    }
    UNLOCK(&ai->lock);
    if (done && ai->kind == ALLOT_KIND_SPREAD)
        allot_inode_ctime(ai, buf);
    return done;
}

/* ---- application fds
 * ----------------------------------------------------------- */

int
allot_fd_opened(xlator_t *this, fd_t *fd, int32_t flags)
{
    struct allot_inode *ai = allot_inode_get(this, fd->inode);
    struct allot_fd *afd = NULL;

    if (ai)
        afd = GF_CALLOC(1, sizeof(*afd), allot_mt_fd);
    if (!afd)
        return -ENOMEM;
    afd->flags = flags;
    afd->fd = fd;
    if (fd_ctx_set(fd, this, (uint64_t)(uintptr_t)afd)) {
        GF_FREE(afd);
        return -ENOMEM;
    }
    afd->inode = inode_ref(fd->inode);
    LOCK(&ai->lock);
    {
        list_add_tail(&afd->of_inode, &ai->fds);
        ai->opens++;
        afd->rehomed = ai->rehomed;
        if ((flags & O_ACCMODE) != O_RDONLY)
            ai->may_write = _gf_true;
    }
    UNLOCK(&ai->lock);
    allot_prefetch_changed(ai);
    return 0;
}

struct allot_fd *
allot_fd_peek(xlator_t *this, fd_t *fd)
{
    uint64_t value = 0;

    return fd_ctx_get(fd, this, &value) ? NULL
                                        : (struct allot_fd *)(uintptr_t)value;
}

gf_boolean_t
allot_fd_rehomed(xlator_t *this, struct allot_inode *ai, fd_t *fd,
                 gf_boolean_t tell)
{
    struct allot_fd *afd = allot_fd_peek(this, fd);
    gf_boolean_t is = _gf_false;

    if (!afd)
        return _gf_false;
    LOCK(&ai->lock);
    {
        is = afd->rehomed != ai->rehomed;
        if (tell)
            afd->rehomed = ai->rehomed;
    }
    UNLOCK(&ai->lock);
    return is;
}

static gf_boolean_t
closes_dirty_locked(struct allot_inode *ai)
{
    return ai->wrote || (ai->may_write && ai->kind == ALLOT_KIND_SPREAD &&
                         (ai->rec->r.flags & ALLOT_RECORD_DIRTY));
}

gf_boolean_t
allot_closes_dirty(struct allot_inode *ai)
{
    gf_boolean_t dirty = _gf_false;

    LOCK(&ai->lock);
    {
        dirty = closes_dirty_locked(ai);
    }
    UNLOCK(&ai->lock);
    return dirty;
}

int32_t
allot_fd_flags(xlator_t *this, fd_t *fd)
{
    struct allot_fd *afd = allot_fd_peek(this, fd);

    return afd ? afd->flags : fd->flags;
}

/* Out of the list it is in; fd->inode may be another one by now. */
static void
fd_forgotten(xlator_t *this, struct allot_fd *afd)
{
    struct allot_inode *ai = allot_inode_peek(this, afd->inode);

    LOCK(&ai->lock);
    {
        list_del_init(&afd->of_inode);
    }
    UNLOCK(&ai->lock);
    inode_unref(afd->inode);
}

int32_t
allot_fd_release(xlator_t *this, fd_t *fd)
{
    struct allot_inode *ai = allot_inode_peek(this, fd->inode);
    struct allot_fd *afd = NULL;
    uint64_t value = 0;
    gf_boolean_t last = _gf_false;
    gf_boolean_t work = _gf_false;

    if (fd_ctx_del(fd, this, &value))
        return 0;
    afd = (struct allot_fd *)(uintptr_t)value;
    allot_prefetch_free(afd->ahead);
    fd_forgotten(this, afd);
    GF_FREE(afd);
    if (!ai)
        return 0;
    LOCK(&ai->lock);
    {
        /* A create that lost a race was counted on another inode. */
        if (ai->opens)
            ai->opens--;
        if (ai->opens == 0) {
            work = ai->unlinked || closes_dirty_locked(ai);
            last = work || ai->slot_count || ai->base_fd || ai->portion;
            /* A small file leaves nothing to do, and that needs no task. */
            if (!last)
                ai->may_write = ai->base_lost = _gf_false;
        }
    }
    UNLOCK(&ai->lock);
    /* What the last close leaves to do (settle, remove portions) winds calls:
     * not here, under fd_unref(). To close what is ours winds none. */
    if (work)
        allot_run(this, fd->inode, _gf_true, allot_last_close, fd->inode);
    else if (last)
        allot_run_here(this, fd->inode, allot_last_close_clean, fd->inode);
    return 0;
}
