/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-prefetch.c - see allot-prefetch.h. Whether there is a stream, and how
 * far ahead of it to read, is decided in the core (allot-stream.h).
 *
 * A chunk is made, read by a readv of our own, and listed with its fd until the
 * stream has passed it. Its life, all under allot_prefetch.lock:
 *
 *     listed, under way --answer--> listed, ready --passed, stale--> freed
 *            |                                         (last reference)
 *            +--stale--> not listed, under way --answer--> freed
 */
#include "allot-prefetch.h"
#include "allot-stream.h"

/* Most chunks that one read may be put together from. */
#define READ_CHUNKS 8

/* Most chunks that are asked for at once. */
#define BURST 64

struct chunk {
    struct list_head list;    /* in allot_prefetch.chunks, by offset */
    struct list_head waiting; /* struct allot_io: reads that want it */
    struct allot_prefetch *ahead;
    xlator_t *this;
    fd_t *fd; /* while under way: a reference */
    uint32_t refs;
    gf_boolean_t ready;
    uint64_t off;
    uint64_t len; /* bytes asked for; those that came, when ready */
    uint64_t gen; /* of the record ... */
    uint64_t seq; /* ... when it was asked for */
    uint64_t changes;
    uint64_t when; /* ms, when it was asked for */
    uint64_t size; /* bytes that count against the limit */
    struct iovec *iov;
    int count;
    struct iobref *iobref;
};

struct allot_prefetch {
    gf_lock_t lock;
    struct allot_stream run;
    uint64_t fetched; /* end of the last chunk asked for */
    struct list_head chunks;
    /* Of the record, and of the file: those of every chunk that is listed. */
    uint64_t gen;
    uint64_t seq;
    uint64_t changes;
};

void
allot_prefetch_changed(struct allot_inode *ai)
{
    GF_ATOMIC_INC(ai->changes);
}

/* ---- chunks
 * --------------------------------------------------------------- */

static void
chunk_free(struct chunk *c)
{
    GF_ATOMIC_SUB(allot_priv(c->this)->prefetched, c->size);
    if (c->iobref)
        iobref_unref(c->iobref);
    GF_FREE(c->iov);
    GF_FREE(c);
}

/* True for the last reference: chunk_free() without the lock. */
static gf_boolean_t
chunk_unref_locked(struct chunk *c)
{
    return --c->refs == 0;
}

/* Off the list; to @dead if that was the last reference. */
static void
chunk_drop_locked(struct chunk *c, struct list_head *dead)
{
    list_del_init(&c->list);
    if (chunk_unref_locked(c))
        list_add(&c->list, dead);
}

static void
chunks_free(struct list_head *dead)
{
    struct chunk *c = NULL;
    struct chunk *next = NULL;

    list_for_each_entry_safe(c, next, dead, list)
    {
        list_del(&c->list);
        chunk_free(c);
    }
}

static gf_boolean_t
chunk_current(const struct chunk *c, const struct allot_rec *rec,
              uint64_t changes, uint64_t now)
{
    return c->gen == rec->r.gen && c->seq == rec->r.seq &&
           c->changes == changes &&
           !allot_stream_old(c->when, now, ALLOT_PREFETCH_MS);
}

/* Has the file another state than when this was called last? Chunks are asked
 * for and listed under the same lock, so until then they are all of one. */
static gf_boolean_t
chunks_other_state_locked(struct allot_prefetch *ahead,
                          const struct allot_rec *rec, uint64_t changes)
{
    if (ahead->gen == rec->r.gen && ahead->seq == rec->r.seq &&
        ahead->changes == changes)
        return _gf_false;
    ahead->gen = rec->r.gen;
    ahead->seq = rec->r.seq;
    ahead->changes = changes;
    return _gf_true;
}

/* Those that the stream has passed, and those that may not be used. The list is
 * in the order of offsets and of age: what comes after one that may be used and
 * is not passed may be used, and is not passed. */
static void
chunks_trim_locked(struct allot_prefetch *ahead, const struct allot_rec *rec,
                   uint64_t changes, uint64_t now, struct list_head *dead)
{
    gf_boolean_t all = chunks_other_state_locked(ahead, rec, changes);
    struct chunk *c = NULL;
    struct chunk *next = NULL;
    gf_boolean_t stale = _gf_false;

    list_for_each_entry_safe(c, next, &ahead->chunks, list)
    {
        if (!chunk_current(c, rec, changes, now)) {
            stale = _gf_true;
            chunk_drop_locked(c, dead);
        } else if (!ahead->run.window ||
                   c->off + c->len + ALLOT_STREAM_SLACK <= ahead->run.pos) {
            chunk_drop_locked(c, dead);
        } else if (!all) {
            break;
        }
    }
    if (stale)
        allot_stream_early(&ahead->run, now);
    if (list_empty(&ahead->chunks))
        ahead->fetched = 0;
}

/* The one with the byte at @off. @after: NULL, or one that ends there. */
static struct chunk *
chunk_at_locked(struct allot_prefetch *ahead, struct chunk *after, uint64_t off)
{
    struct list_head *at = after ? &after->list : &ahead->chunks;
    struct chunk *c = NULL;

    for (at = at->next; at != &ahead->chunks; at = at->next) {
        c = list_entry(at, struct chunk, list);
        if (off < c->off)
            break;
        if (off < c->off + c->len)
            return c;
    }
    return NULL;
}

/* ---- answering
 * ------------------------------------------------------------ */

/* The bytes [io->off, io->off + len) out of one chunk. What it holds on to is
 * passed on as it is: who keeps the bytes takes a reference. */
static void
prefetch_answer_one(struct allot_io *io, struct chunk *c, uint64_t len,
                    uint64_t eof)
{
    struct iovec few[READ_CHUNKS];
    struct iovec *iov = few;
    int32_t err = io->off + len >= eof ? ENOENT : 0;
    int count = 0;

    if (c->count > READ_CHUNKS)
        iov = GF_CALLOC(c->count, sizeof(*iov), allot_mt_misc);
    if (!iov) {
        allot_read_unwind(io, -1, ENOMEM, NULL, 0, NULL);
        return;
    }
    count = allot_iov_cut(c->iov, c->count, io->off - c->off, len, iov);
    allot_read_unwind(io, len, err, iov, count, c->iobref);
    if (iov != few)
        GF_FREE(iov);
}

/* The bytes [io->off, io->off + len) out of @n chunks without a gap. */
static void
prefetch_answer(struct allot_io *io, struct chunk **chunks, int n, uint64_t len,
                uint64_t eof)
{
    struct iobref *iobref = iobref_new();
    struct iovec *iov = NULL;
    uint64_t off = io->off;
    uint64_t end = io->off + len;
    uint64_t part = 0;
    int room = 0;
    int count = 0;
    int i = 0;

    for (i = 0; i < n; i++)
        room += chunks[i]->count;
    iov = GF_CALLOC(room, sizeof(*iov), allot_mt_misc);
    for (i = 0; iobref && iov && i < n; i++) {
        part = chunks[i]->off + chunks[i]->len;
        part = (part < end ? part : end) - off;
        count += allot_iov_cut(chunks[i]->iov, chunks[i]->count,
                               off - chunks[i]->off, part, iov + count);
        off += part;
        if (iobref_merge(iobref, chunks[i]->iobref))
            break;
    }
    if (iobref && iov && i == n)
        allot_read_unwind(io, len, end >= eof ? ENOENT : 0, iov, count, iobref);
    else
        allot_read_unwind(io, -1, ENOMEM, NULL, 0, NULL);
    if (iobref)
        iobref_unref(iobref);
    GF_FREE(iov);
}

/* True if it is answered, or waits. */
static gf_boolean_t
prefetch_serve(struct allot_io *io, struct allot_prefetch *ahead,
               const struct allot_rec *rec, uint64_t changes, uint64_t now)
{
    struct chunk *chunks[READ_CHUNKS];
    struct chunk *c = NULL;
    struct list_head dead;
    uint64_t end = io->off + io->len;
    uint64_t off = io->off;
    gf_boolean_t waits = _gf_false;
    int n = 0;
    int i = 0;

    INIT_LIST_HEAD(&dead);
    if (end > rec->r.size)
        end = rec->r.size;
    if (off >= end)
        return _gf_false;
    LOCK(&ahead->lock);
    {
        while (off < end && n < READ_CHUNKS) {
            c = chunk_at_locked(ahead, n ? chunks[n - 1] : NULL, off);
            if (!c || !chunk_current(c, rec, changes, now))
                break;
            if (!c->ready) {
                allot_stream_late(&ahead->run, c->when, now,
                                  allot_priv(io->this)->opt.prefetch);
                list_add_tail(&io->wait, &c->waiting);
                waits = _gf_true;
                break;
            }
            chunks[n++] = c;
            off = c->off + c->len;
        }
        if (off < end)
            n = 0;
        for (i = 0; i < n; i++)
            chunks[i]->refs++;
    }
    UNLOCK(&ahead->lock);
    if (n == 0)
        return waits;

    if (n == 1)
        prefetch_answer_one(io, chunks[0], end - io->off, rec->r.size);
    else
        prefetch_answer(io, chunks, n, end - io->off, rec->r.size);
    LOCK(&ahead->lock);
    {
        for (i = 0; i < n; i++)
            if (chunk_unref_locked(chunks[i]))
                list_add(&chunks[i]->list, &dead);
    }
    UNLOCK(&ahead->lock);
    chunks_free(&dead);
    return _gf_true;
}

/* ---- asking for more
 * ------------------------------------------------------ */

/* Of a file that somebody may be changing nothing is kept. */
static struct allot_rec *
prefetch_rec(struct allot_io *io)
{
    enum allot_kind kind = ALLOT_KIND_UNKNOWN;
    struct allot_rec *rec = allot_inode_rec(io->ai, &kind);

    if (rec && (kind != ALLOT_KIND_SPREAD || io->ai->stale ||
                (rec->r.flags & ALLOT_RECORD_DIRTY))) {
        allot_rec_unref(rec);
        rec = NULL;
    }
    return rec;
}

/* A read that waited: from what has come meanwhile, or by itself. */
static void
prefetch_again(struct allot_io *io)
{
    struct allot_prefetch *ahead = allot_fd_peek(io->this, io->fd)->ahead;
    struct allot_rec *rec = prefetch_rec(io);
    gf_boolean_t done = _gf_false;

    if (rec)
        done = prefetch_serve(io, ahead, rec, GF_ATOMIC_GET(io->ai->changes),
                              allot_now_msec());
    allot_rec_unref(rec);
    if (!done)
        allot_read_go_on(io);
}

/* What was asked for has come, or not (@ret, as a read's). */
static void
chunk_done(void *arg, int32_t ret, struct iovec *vector, int count,
           struct iobref *iobref)
{
    struct chunk *c = arg;
    struct allot_prefetch *ahead = c->ahead;
    struct iovec *iov = ret > 0 ? iov_dup(vector, count) : NULL;
    struct allot_io *io = NULL;
    struct allot_io *next = NULL;
    struct list_head waiting;
    struct list_head dead;
    fd_t *fd = c->fd; /* keeps ahead */

    INIT_LIST_HEAD(&waiting);
    INIT_LIST_HEAD(&dead);
    LOCK(&ahead->lock);
    {
        list_splice_init(&c->waiting, &waiting);
        c->fd = NULL;
        allot_stream_came(&ahead->run, c->when, allot_now_msec(),
                          ALLOT_PREFETCH_MS);
        if (iov && iobref) {
            c->iov = iov;
            c->count = count;
            c->iobref = iobref_ref(iobref);
            c->len = ret;
            c->ready = _gf_true;
            iov = NULL;
        } else if (!list_empty(&c->list)) {
            chunk_drop_locked(c, &dead);
        }
        if (chunk_unref_locked(c))
            list_add(&c->list, &dead);
    }
    UNLOCK(&ahead->lock);
    GF_FREE(iov);
    chunks_free(&dead);
    list_for_each_entry_safe(io, next, &waiting, wait)
    {
        list_del_init(&io->wait);
        prefetch_again(io);
    }
    fd_unref(fd);
}

/* Room for one more chunk? Counted here already if so. */
static gf_boolean_t
prefetch_room(xlator_t *this)
{
    struct allot_priv *priv = allot_priv(this);
    int64_t most = (int64_t)priv->opt.prefetch * ALLOT_PREFETCH_STREAMS;

    if (GF_ATOMIC_ADD(priv->prefetched, ALLOT_PREFETCH_CHUNK) <= most)
        return _gf_true;
    GF_ATOMIC_SUB(priv->prefetched, ALLOT_PREFETCH_CHUNK);
    return _gf_false;
}

static struct chunk *
chunk_new(struct allot_io *io, struct allot_prefetch *ahead,
          const struct allot_rec *rec, uint64_t changes, uint64_t off,
          uint64_t end)
{
    struct chunk *c = NULL;

    if (!prefetch_room(io->this))
        return NULL;
    c = GF_CALLOC(1, sizeof(*c), allot_mt_misc);
    if (!c) {
        GF_ATOMIC_SUB(allot_priv(io->this)->prefetched, ALLOT_PREFETCH_CHUNK);
        return NULL;
    }
    INIT_LIST_HEAD(&c->waiting);
    c->ahead = ahead;
    c->this = io->this;
    c->size = ALLOT_PREFETCH_CHUNK;
    c->fd = fd_ref(io->fd);
    c->refs = 2; /* the list, and the call */
    c->off = off;
    c->len = end - off;
    c->gen = rec->r.gen;
    c->seq = rec->r.seq;
    c->changes = changes;
    c->when = allot_now_msec();
    return c;
}

/* Chunks up to @to onto the list; those to wind to @fresh. */
static void
prefetch_plan_locked(struct allot_io *io, struct allot_prefetch *ahead,
                     const struct allot_rec *rec, uint64_t changes,
                     uint64_t now, struct chunk **fresh, int *n, int max)
{
    uint64_t off = ahead->fetched;
    uint64_t end = 0;
    uint64_t to = 0;
    struct chunk *c = NULL;

    if (off < ahead->run.pos)
        off = ahead->run.pos;
    to = allot_stream_more(&ahead->run, ahead->fetched, rec->r.size, now);
    while (off < to && *n < max) {
        end = (off / ALLOT_PREFETCH_CHUNK + 1) * ALLOT_PREFETCH_CHUNK;
        if (end > rec->r.size)
            end = rec->r.size;
        c = chunk_new(io, ahead, rec, changes, off, end);
        if (!c)
            break;
        list_add_tail(&c->list, &ahead->chunks);
        fresh[(*n)++] = c;
        ahead->fetched = off = end;
    }
}

/* The reads of ours. @io may not have been answered yet. */
static void
prefetch_wind(struct allot_io *io, struct chunk **fresh, int n)
{
    int i = 0;

    for (i = 0; i < n; i++)
        if (allot_read_own(io->frame, fresh[i]->fd, fresh[i]->len,
                           fresh[i]->off, chunk_done, fresh[i]))
            chunk_done(fresh[i], -1, NULL, 0, NULL);
}

/* ---- the fd's stream
 * ------------------------------------------------------- */

/* NULL: nothing is read ahead for this read. */
static struct allot_prefetch *
prefetch_of(struct allot_io *io)
{
    struct allot_fd *afd = allot_fd_peek(io->this, io->fd);
    struct allot_prefetch *ahead = NULL;

    if (!allot_priv(io->this)->opt.prefetch || !afd || (afd->flags & O_DIRECT))
        return NULL;
    if (afd->ahead)
        return afd->ahead;
    ahead = GF_CALLOC(1, sizeof(*ahead), allot_mt_misc);
    if (!ahead)
        return NULL;
    LOCK_INIT(&ahead->lock);
    INIT_LIST_HEAD(&ahead->chunks);
    LOCK(&io->ai->lock);
    {
        if (!afd->ahead) {
            afd->ahead = ahead;
            ahead = NULL;
        }
    }
    UNLOCK(&io->ai->lock);
    if (ahead) /* another thread was quicker */
        allot_prefetch_free(ahead);
    return afd->ahead;
}

void
allot_prefetch_free(struct allot_prefetch *ahead)
{
    struct chunk *c = NULL;
    struct list_head dead;

    if (!ahead)
        return;
    INIT_LIST_HEAD(&dead);
    while (!list_empty(&ahead->chunks)) {
        c = list_first_entry(&ahead->chunks, struct chunk, list);
        chunk_drop_locked(c, &dead);
    }
    chunks_free(&dead);
    LOCK_DESTROY(&ahead->lock);
    GF_FREE(ahead);
}

gf_boolean_t
allot_prefetch_read(struct allot_io *io)
{
    struct chunk *fresh[BURST];
    struct allot_prefetch *ahead = NULL;
    struct allot_rec *rec = NULL;
    struct list_head dead;
    uint64_t changes = GF_ATOMIC_GET(io->ai->changes);
    uint64_t now = 0;
    gf_boolean_t done = _gf_false;
    int n = 0;

    ahead = prefetch_of(io);
    rec = ahead ? prefetch_rec(io) : NULL;
    if (!rec)
        return _gf_false;
    now = allot_now_msec();
    INIT_LIST_HEAD(&dead);
    LOCK(&ahead->lock);
    {
        allot_stream_read(&ahead->run, io->off, io->len);
        chunks_trim_locked(ahead, rec, changes, now, &dead);
        prefetch_plan_locked(io, ahead, rec, changes, now, fresh, &n, BURST);
    }
    UNLOCK(&ahead->lock);
    chunks_free(&dead);
    prefetch_wind(io, fresh, n);
    done = prefetch_serve(io, ahead, rec, changes, now);
    allot_rec_unref(rec);
    return done;
}
