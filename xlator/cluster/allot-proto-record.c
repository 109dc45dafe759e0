/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-proto-record.c - reading, publishing and catching up with the record.
 * With fences (allot-proto-fence.c) the steps every other protocol is made of
 * (docs/protocol.md, "Publish", "Ahead").
 */
#include "allot-proto.h"
#include "allot-fops.h"
#include "allot-stop.h"

gf_boolean_t
allot_avoid_has(const struct allot_avoid *avoid, uint16_t idx)
{
    int i = 0;

    for (i = 0; avoid && i < avoid->n; i++)
        if (avoid->idx[i] == idx)
            return _gf_true;
    return _gf_false;
}

void
allot_avoid_add(struct allot_avoid *avoid, uint16_t idx, int err)
{
    int max = sizeof(avoid->idx) / sizeof(avoid->idx[0]);

    if (!allot_avoid_has(avoid, idx) && avoid->n < max)
        avoid->idx[avoid->n++] = idx;
    avoid->last = err;
    if (err == ENOSPC || err == EDQUOT)
        avoid->err = err;
    else if (!avoid->err && (err == EPERM || err == EACCES))
        avoid->err = err;
}

int
allot_avoid_errno(const struct allot_avoid *avoid)
{
    if (avoid->n == 0)
        return -ENOTCONN;
    return avoid->err ? -avoid->err : -EIO;
}

struct timespec
allot_now(void)
{
    struct timespec now = {
        0,
    };

    clock_gettime(CLOCK_REALTIME, &now);
    return now;
}

/* ---- bricks of a disperse set with different records (2.15)
 * ------------------------------------------------------------------------- */

static uint64_t
known_seq(struct allot_inode *ai)
{
    uint64_t seq = 0;

    LOCK(&ai->lock);
    seq = ai->rec ? ai->rec->r.seq : 0;
    UNLOCK(&ai->lock);
    return seq;
}

/* The sequence of the record in @xattr; 0: none, or one that is damaged. */
static uint64_t
told_seq(dict_t *xattr)
{
    data_t *data = xattr ? dict_get(xattr, ALLOT_XATTR_RECORD) : NULL;
    struct allot_record r;
    uint64_t seq = 0;

    if (data && !allot_record_decode((uint8_t *)data->data, data->len, &r)) {
        seq = r.seq;
        allot_record_clear(&r);
    }
    return seq;
}

/* Does an answer to a refresh look like it: there is none, or it is older than
 * what one of them has told before. */
static gf_boolean_t
refresh_uneven(xlator_t *this, struct allot_inode *ai, int ret, dict_t *xattr)
{
    if (!allot_priv(this)->ns_dispersed)
        return _gf_false;
    return ret == -EIO || (ret >= 0 && told_seq(xattr) < known_seq(ai));
}

/* Makes them even and asks again. What is older then was never published: it
 * was heard from a brick that disperse does not count. */
static int
refresh_even(xlator_t *this, inode_t *inode, struct allot_inode *ai,
             struct allot_call *call)
{
    uint64_t known = known_seq(ai);
    int ret = allot_disperse_even_base(this, inode);

    if (ret < 0)
        return ret;
    allot_calls_wipe(call, 1);
    ret = allot_call_base(this, inode, call);
    if (ret >= 0 && told_seq(call->rdict) < known && known_seq(ai) == known) {
        LOCK(&ai->lock);
        ai->hearsay = _gf_true;
        UNLOCK(&ai->lock);
    }
    return ret;
}

/* A stat of the base has answered. */
static void
refresh_take(xlator_t *this, inode_t *inode, struct allot_inode *ai,
             struct allot_call *call, uint64_t version, struct iatt *base)
{
    GF_ATOMIC_INC(allot_priv(this)->refreshes);
    ai->base_behind = _gf_false;
    allot_inode_learn(this, inode, call->rdict, &call->st);
    ai->stale = _gf_false;
    ai->seen_version = version;
    if (base)
        *base = call->st;
}

int
allot_refresh(xlator_t *this, inode_t *inode, struct iatt *base)
{
    struct allot_call call;
    struct allot_inode *ai = allot_inode_get(this, inode);
    uint64_t version = allot_bricks_version(this);
    int ret = 0;

    if (!ai)
        return -ENOMEM;
    allot_call_init(&call, allot_priv(this)->ns, GF_FOP_STAT);
    call.xdata = allot_xdata_with_record_req(this, NULL);
    ret = call.xdata ? allot_call_base(this, inode, &call) : -ENOMEM;
    if (refresh_uneven(this, ai, ret, call.rdict))
        ret = refresh_even(this, inode, ai, &call);
    if (ret >= 0) {
        refresh_take(this, inode, ai, &call, version, base);
        ret = 0;
    }
    if (call.xdata)
        dict_unref(call.xdata);
    allot_calls_wipe(&call, 1);
    return ret;
}

void
allot_refresh_begin(xlator_t *this, inode_t *inode, struct allot_refresh *r)
{
    memset(r, 0, sizeof(*r));
    allot_call_init(&r->call, NULL, GF_FOP_STAT);
    r->version = allot_bricks_version(this);
    if (!allot_base_plain(this, inode))
        return;
    r->call.xdata = allot_xdata_with_record_req(this, NULL);
    if (!r->call.xdata)
        return;
    allot_loc_of_inode(&r->loc, inode);
    r->call.loc = &r->loc;
    r->call.xl = allot_priv(this)->ns;
}

int
allot_refresh_end(xlator_t *this, inode_t *inode, struct allot_refresh *r,
                  struct iatt *base)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    gf_boolean_t told = ai && allot_base_told(this, inode, &r->call);

    if (told)
        refresh_take(this, inode, ai, &r->call, r->version, base);
    if (r->call.xdata)
        dict_unref(r->call.xdata);
    allot_calls_wipe(&r->call, 1);
    loc_wipe(&r->loc);
    return told ? 0 : allot_refresh(this, inode, base);
}

gf_boolean_t
allot_record_is(xlator_t *this, inode_t *inode, const struct allot_rec *rec)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    gf_boolean_t is = _gf_false;

    if (ai) {
        LOCK(&ai->lock);
        is = ai->rec && ai->rec->r.gen == rec->r.gen &&
             ai->rec->r.nonce == rec->r.nonce;
        UNLOCK(&ai->lock);
    }
    return is;
}

gf_boolean_t
allot_record_moved(xlator_t *this, inode_t *inode, const struct allot_rec *rec)
{
    return allot_refresh(this, inode, NULL) == 0 &&
           !allot_record_is(this, inode, rec);
}

int
allot_record_current(xlator_t *this, inode_t *inode,
                     const struct allot_rec *rec, uint64_t since)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    int ret = 0;

    if (!ai)
        return -ENOMEM;
    if (ai->seen_version < since)
        ret = allot_refresh(this, inode, NULL);
    if (ret == 0 && !allot_record_is(this, inode, rec))
        ret = -EREMCHG;
    return ret;
}

#define PATIENCE_SAME 64
#define PATIENCE_ALL 4096
#define PATIENCE_STRANGE 2

gf_boolean_t
allot_patience_left(xlator_t *this, inode_t *inode,
                    struct allot_patience *patience)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    uint64_t seq = 0;

    if (!ai)
        return _gf_false;

    LOCK(&ai->lock);
    {
        seq = ai->rec ? ai->rec->r.seq : 0;
    }
    UNLOCK(&ai->lock);
    if (seq != patience->seq)
        patience->same = patience->strange = 0;
    patience->seq = seq;
    if (++patience->same <= PATIENCE_SAME && ++patience->all <= PATIENCE_ALL)
        return _gf_true;
    gf_msg(this->name, GF_LOG_WARNING, EIO, ALLOT_MSG_PROTOCOL,
           "gfid %s: a call gives up after %u tries, %u since its record "
           "changed (kind %d, gen %" PRIu64 ", seq %" PRIu64 ", %s)",
           uuid_utoa(inode->gfid), patience->all, patience->same, ai->kind,
           allot_inode_gen(ai), seq, ai->unlinked ? "unlinked" : "named");
    return _gf_false;
}

gf_boolean_t
allot_base_refused(xlator_t *this, inode_t *inode, int32_t op_ret,
                   int32_t op_errno, struct allot_patience *patience)
{
    struct allot_inode *ai = allot_inode_peek(this, inode);
    gf_boolean_t strange = _gf_false;

    if (op_ret >= 0 || !ai)
        return _gf_false;
    if ((op_errno == EPERM || op_errno == EIO) &&
        allot_priv(this)->ns_dispersed)
        strange = patience->strange < PATIENCE_STRANGE;
    if ((op_errno != ALLOT_ERR_OLD && op_errno != ALLOT_ERR_BEHIND &&
         !strange) ||
        !allot_patience_left(this, inode, patience))
        return _gf_false;
    if (strange)
        patience->strange++;
    ai->stale = _gf_true;
    if (op_errno == ALLOT_ERR_BEHIND)
        ai->base_behind = _gf_true; /* until the record is read again */
    return _gf_true;
}

int
allot_record_look(xlator_t *this, inode_t *inode, struct allot_rec **rec,
                  enum allot_kind *kind)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    int ret = 0;

    *rec = NULL;
    if (!ai)
        return -ENOMEM;
    *rec = allot_inode_rec(ai, kind);
    if (*kind == ALLOT_KIND_UNKNOWN || ai->stale) {
        ret = allot_refresh(this, inode, NULL);
        ret = ret ? ret : -EREMCHG;
    } else if (*kind == ALLOT_KIND_BROKEN) {
        ret = -EIO;
    }
    if (ret) {
        allot_rec_unref(*rec);
        *rec = NULL;
    }
    return ret;
}

int
allot_record_copy(const struct allot_record *from, struct allot_record *to)
{
    const struct allot_layout *l = from->layout;

    *to = *from;
    to->layout = NULL;
    to->seq++;
    return allot_layout_new(l->inline_limit, l->extents, l->extent_count,
                            &to->layout);
}

/* The xdata of a publish; @uncut: the mark that the base must have, 0: none.
 * NULL: no memory. */
static dict_t *
publish_xdata(const struct allot_record *r, uint64_t max_size,
              const struct timespec *mtime, uint64_t uncut)
{
    dict_t *x = allot_xdata_internal();

    if (!x)
        return NULL;
    if (dict_set_uint64(x, ALLOT_KEY_PUBLISH, r->seq - 1))
        goto err;
    if (max_size != UINT64_MAX &&
        dict_set_uint64(x, ALLOT_KEY_MAX_SIZE, max_size))
        goto err;
    if (uncut && dict_set_uint64(x, ALLOT_KEY_UNCUT, uncut))
        goto err;
    if (mtime && (dict_set_int64(x, ALLOT_KEY_MTIME, mtime->tv_sec) ||
                  dict_set_uint32(x, ALLOT_KEY_MTIME_NSEC, mtime->tv_nsec)))
        goto err;
    return x;
err:
    dict_unref(x);
    return NULL;
}

/* After a publish without a clear answer: did ours get there? */
static int
publish_verify(xlator_t *this, inode_t *inode, const uint8_t *buf, size_t len)
{
    struct allot_call call;
    data_t *data = NULL;
    int ret = 0;

    allot_call_init(&call, allot_priv(this)->ns, GF_FOP_STAT);
    call.xdata = allot_xdata_with_record_req(this, NULL);
    ret = call.xdata ? allot_call_base(this, inode, &call) : -ENOMEM;
    if (ret >= 0) {
        data = call.rdict ? dict_get(call.rdict, ALLOT_XATTR_RECORD) : NULL;
        ret = data && (size_t)data->len == len && !memcmp(data->data, buf, len)
                  ? 0
                  : -EREMCHG;
        allot_inode_learn(this, inode, call.rdict, &call.st);
    }
    if (call.xdata)
        dict_unref(call.xdata);
    allot_calls_wipe(&call, 1);
    return ret;
}

/* As publish_verify(), whose answer @ret may have been that some bricks of a
 * disperse set have ours, and others have none of it. */
static int
publish_even(xlator_t *this, inode_t *inode, int ret, const uint8_t *buf,
             size_t len)
{
    if (ret != -EIO || !allot_priv(this)->ns_dispersed ||
        allot_disperse_even_base(this, inode) < 0)
        return ret;
    return publish_verify(this, inode, buf, len);
}

int
allot_publish_begin(xlator_t *this, const struct allot_record *r,
                    uint64_t max_size, const struct timespec *mtime,
                    uint64_t uncut, struct allot_publication *pub)
{
    int64_t len = allot_record_encode(r, NULL, 0);

    memset(pub, 0, sizeof(*pub));
    allot_call_init(&pub->call, allot_priv(this)->ns, GF_FOP_SETXATTR);
    pub->version = allot_bricks_version(this);
    if (len < 0)
        return (int)len;
    pub->buf = GF_MALLOC(len, gf_common_mt_char);
    pub->call.dict = dict_new();
    pub->call.xdata = publish_xdata(r, max_size, mtime, uncut);
    if (!pub->buf || !pub->call.dict || !pub->call.xdata)
        return -ENOMEM;
    pub->len = allot_record_encode(r, pub->buf, len);
    if (pub->len < 0)
        return (int)pub->len;
    return dict_set_static_bin(pub->call.dict, ALLOT_XATTR_RECORD, pub->buf,
                               pub->len)
               ? -ENOMEM
               : 0;
}

void
allot_publish_taken(xlator_t *this, inode_t *inode, struct allot_record *r,
                    const struct allot_publication *pub)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_rec *rec = allot_rec_new(this, r);

    GF_ATOMIC_INC(allot_priv(this)->publishes);
    if (rec) {
        allot_inode_take(ai, rec, _gf_true);
        ai->seen_version = pub->version;
    } else {
        ai->stale = _gf_true; /* it is published all the same */
    }
}

void
allot_publish_end(struct allot_publication *pub)
{
    if (pub->call.dict)
        dict_unref(pub->call.dict);
    if (pub->call.xdata)
        dict_unref(pub->call.xdata);
    allot_calls_wipe(&pub->call, 1);
    GF_FREE(pub->buf);
}

gf_boolean_t
allot_publish_refused(int err)
{
    return err == ALLOT_ERR_OLD || err == EFBIG || err == EPERM ||
           err == ENOSPC || err == EDQUOT || err == EROFS;
}

int
allot_publish(xlator_t *this, inode_t *inode, struct allot_record *r,
              uint64_t max_size, const struct timespec *mtime)
{
    struct allot_priv *priv = allot_priv(this);
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_publication pub;
    int ret = allot_publish_begin(this, r, max_size, mtime, 0, &pub);

    if (ret || !ai) {
        ret = ret ? ret : -ENOMEM;
        goto out;
    }
    ai->unsure = _gf_false;
    ret = allot_call_base(this, inode, &pub.call);
    if (ret >= 0) {
        ret = 0;
    } else if (ret == -ALLOT_ERR_OLD) {
        /* Re-read below; with a replicated base "old" may be the answer of one
         * replica that waits to be healed, so the bytes decide. */
        ret = publish_verify(this, inode, pub.buf, pub.len);
        ret = publish_even(this, inode, ret, pub.buf, pub.len);
        if (ret == -EREMCHG)
            GF_ATOMIC_INC(priv->publish_lost);
        else if (ret)
            ai->stale = ai->unsure = _gf_true; /* some may have taken it */
    } else if (!allot_publish_refused(-ret)) {
        int was = ret;

        /* The connection broke: it may or may not have happened, or happen
         * still. */
        ret = publish_verify(this, inode, pub.buf, pub.len);
        /* Or on some bricks of a disperse set, and others have none of it. */
        ret = ret == -EREMCHG
                  ? was
                  : publish_even(this, inode, ret, pub.buf, pub.len);
        if (ret)
            ai->stale = ai->unsure = _gf_true;
    }
    if (ret == 0)
        allot_publish_taken(this, inode, r, &pub);
out:
    allot_record_clear(r);
    allot_publish_end(&pub);
    return ret;
}

int
allot_mark_dirty(xlator_t *this, inode_t *inode)
{
    struct allot_rec *rec = allot_inode_rec(allot_inode_get(this, inode), NULL);
    struct allot_record r;
    struct timespec now = allot_now();
    int ret = 0;

    if (!rec)
        return -EREMCHG;
    if (!(rec->r.flags & ALLOT_RECORD_DIRTY)) {
        ret = allot_record_copy(&rec->r, &r);
        if (ret == 0) {
            /* Somebody may have set the mtime to a day to come. */
            r.flags |= ALLOT_RECORD_DIRTY;
            ret = allot_publish(this, inode, &r, UINT64_MAX, &now);
        }
    }
    allot_rec_unref(rec);
    return ret;
}

void
allot_own_size(struct allot_inode *ai, const struct allot_rec *rec,
               struct allot_record *r)
{
    LOCK(&ai->lock);
    {
        if (ai->rec == rec && ai->known_size > r->size)
            r->size = ai->known_size;
    }
    UNLOCK(&ai->lock);
}

/* ---- behind and ahead
 * -------------------------------------------------------------- */

/* Pauses while whoever fenced is likely to publish; doubling. Without them any
 * active client makes every settle and append of another lose its race. */
#define AHEAD_PAUSE_USEC 10000
#define AHEAD_PAUSES 5

int
allot_catch_up(xlator_t *this, inode_t *inode, uint64_t refused_gen)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_glimpse seen;
    struct allot_rec *rec = NULL;
    struct allot_record r;
    struct iatt base;
    int pause = 0;
    int ret = allot_refresh(this, inode, &base);

    while (ret == 0 && allot_inode_gen(ai) == refused_gen &&
           pause < AHEAD_PAUSES) {
        synctask_usleep(AHEAD_PAUSE_USEC << pause++);
        ret = allot_refresh(this, inode, &base);
    }
    if (ret || allot_inode_gen(ai) != refused_gen)
        return ret;

    /* It died. The portions are ahead of the base: publish for it. */
    rec = allot_inode_rec(ai, NULL);
    if (!rec || !rec->r.layout->extent_count)
        goto out;
    ret = allot_glimpse(this, inode, &rec->r, base.ia_size, &seen, NULL, NULL);
    if (ret == 0 && seen.closed && seen.top_gen <= rec->r.gen) {
        /* It died while it cut a portion on a set. */
        allot_fence(this, inode, &rec->r, rec->r.gen + 1, rec->r.layout->bricks,
                    rec->r.layout->brick_count, NULL);
        ret = allot_glimpse(this, inode, &rec->r, base.ia_size, &seen, NULL,
                            NULL);
    }
    if (ret == 0 && seen.top_gen > rec->r.gen) {
        ret = allot_record_copy(&rec->r, &r);
        if (ret == 0) {
            r.gen = seen.top_gen;
            allot_own_size(ai, rec, &r);
            ret = allot_publish(this, inode, &r, UINT64_MAX, NULL);
            allot_stop(this, ALLOT_STOP_AHEAD_PUBLISHED);
        }
    }
out:
    allot_rec_unref(rec);
    return ret;
}
