/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-disperse.c - what is different where files lie on a disperse set
 * (docs/design.md, 9a).
 *
 *   cluster/allot     EIO ------ why? ------- stat: the file's generation
 *        |             ^
 *   cluster/disperse   | no answer of enough leaves
 *     |     |     |    |
 *   3000  3001  3002 --'   each guard refuses with a number of its own
 *
 * A refusal on which all leaves agree is an answer to disperse, and the size
 * that the call would have made is recorded for the file. For a write that does
 * no harm, since it is made again. A truncation would cut data away: so there
 * they do not agree, and disperse says EIO. It says that also when a disk
 * fails, and of any other call on that file, by this client, until it has given
 * up the lock which the refused one had. So every EIO is in doubt: the
 * generation of the file tells if it was a refusal, and what was not is tried
 * again in a moment.
 *
 * With the lock disperse gives up what it had not recorded yet of the sizes
 * that writes before have made. So these are recorded before a truncation is
 * sent.
 *
 * Deliberately not here: what is done about it; that is as on any brick.
 */
#include "allot-bricks-impl.h"
#include "allot-fan.h"
#include "allot-fops.h"
#include "allot-proto.h"

gf_boolean_t
allot_dispersed(xlator_t *this, const xlator_t *xl)
{
    const struct allot_child *c = NULL;

    if (xl == allot_priv(this)->ns)
        return allot_priv(this)->ns_dispersed;
    c = allot_bricks_child_of(allot_bricks_of(this), xl);
    return c && c->kind == ALLOT_SET_DISPERSE;
}

gf_boolean_t
allot_dispersed_any(xlator_t *this)
{
    return allot_bricks_of(this)->dispersed;
}

/* What a file's own xattrs say to a call of generation @gen. */
static int
verdict_of(dict_t *xattr, uint64_t gen, gf_boolean_t cutting)
{
    data_t *portion = xattr ? dict_get(xattr, ALLOT_XATTR_PORTION) : NULL;
    data_t *record = xattr ? dict_get(xattr, ALLOT_XATTR_RECORD) : NULL;
    struct allot_portion por = {
        0,
    };
    struct allot_record rec;

    if (portion) {
        if (allot_portion_decode((uint8_t *)portion->data, portion->len, &por))
            return EIO;
    } else if (record) {
        if (allot_record_decode((uint8_t *)record->data, record->len, &rec))
            return EIO;
        por.gen = rec.gen;
        allot_record_clear(&rec);
    }
    /* The guard's own rules, guard_gate_check_locked(). */
    if (cutting)
        return por.closed ? EIO : ALLOT_ERR_BEHIND;
    if (gen < por.gen || (por.closed && gen == por.gen))
        return ALLOT_ERR_OLD;
    return gen > por.gen ? ALLOT_ERR_BEHIND : EIO;
}

int
allot_disperse_verdict(xlator_t *this, xlator_t *xl, loc_t *loc, fd_t *fd,
                       dict_t *xdata)
{
    dict_t *req = NULL;
    struct allot_call ask;
    uint64_t gen = 0;
    int err = EIO;

    if (!xdata || dict_get_uint64(xdata, ALLOT_KEY_GEN, &gen))
        return EIO;
    req = allot_xdata_with_record_req(NULL);
    if (!req || dict_set_int32(req, ALLOT_XATTR_PORTION, 0))
        goto out;
    allot_call_init(&ask, xl, fd ? GF_FOP_FSTAT : GF_FOP_STAT);
    ask.loc = loc;
    ask.fd = fd;
    ask.xdata = req;
    allot_fan(this, &ask, 1);
    if (ask.ret >= 0)
        err = verdict_of(ask.rdict, gen,
                         dict_get_sizen(xdata, ALLOT_KEY_CUT) != NULL);
    allot_calls_wipe(&ask, 1);
out:
    if (req)
        dict_unref(req);
    return err;
}

void
allot_disperse_record(xlator_t *this, xlator_t *xl, inode_t *inode)
{
    struct allot_call call;

    if (!allot_dispersed(this, xl))
        return;
    allot_call_init(&call, xl, GF_FOP_FSYNC);
    call.fd = fd_anonymous(inode);
    if (!call.fd)
        return; /* then the truncation has no memory either */
    call.xdata = allot_priv(this)->client_xdata;
    allot_call_one(this, &call);
    allot_calls_wipe(&call, 1);
    fd_unref(call.fd);
}

int
allot_disperse_flush(xlator_t *this, inode_t *inode)
{
    struct allot_inode *ai = allot_inode_peek(this, inode);
    struct allot_rec *rec = ai ? allot_inode_rec(ai, NULL) : NULL;
    int n = rec ? rec->r.layout->brick_count : 0;
    struct allot_call *calls =
        GF_CALLOC(n ? n : 1, sizeof(*calls), allot_mt_calls);
    struct allot_brick_view view;
    int ret = calls ? 0 : -ENOMEM;
    int i = 0;

    for (i = 0; calls && i < n; i++) {
        allot_call_init(&calls[i], NULL, GF_FOP_FLUSH);
        calls[i].fd = allot_slot_fd(this, ai, rec->r.layout->bricks[i], &view);
        if (calls[i].fd && allot_dispersed(this, view.xl))
            calls[i].xl = view.xl;
        calls[i].xdata = allot_priv(this)->client_xdata;
    }
    if (calls)
        allot_fan(this, calls, n);
    for (i = 0; calls && i < n; i++) {
        if (calls[i].xl && calls[i].ret < 0 && calls[i].err == EIO)
            ret = -EIO;
        if (calls[i].fd)
            fd_unref(calls[i].fd);
    }
    if (calls)
        allot_calls_wipe(calls, n);
    GF_FREE(calls);
    allot_rec_unref(rec);
    return ret;
}

/* ---- discard
 *
 *      offset                                     offset + len
 *   ...|--|==========|==========|==========|------|...
 *      zeros         discard                zeros
 *         ^ stripes of fragments x 512 bytes
 *
 * Disperse writes the zeros of stripes that are discarded in part by itself,
 * without our generation, and without having asked its bricks if there is no
 * whole one. So they are written here.
 * ---------------------------------------------------------------------------
 */

#define PUNCH_CHUNK (64 << 10)

static uint64_t
stripe_of(xlator_t *this, const xlator_t *xl)
{
    const struct allot_child *c =
        allot_bricks_child_of(allot_bricks_of(this), xl);

    /* Of the base: few bytes, zeros do. */
    return c && c->kind == ALLOT_SET_DISPERSE ? c->quorum * 512ULL : 0;
}

/* Zeros to [from, to). 0 or -errno. */
static int
punch_zeros(xlator_t *this, xlator_t *xl, fd_t *fd, uint64_t from, uint64_t to,
            dict_t *xdata)
{
    struct iobuf *buf = iobuf_get2(this->ctx->iobuf_pool, PUNCH_CHUNK);
    struct iobref *ref = iobref_new();
    struct iovec iov;
    struct allot_call call;
    int ret = 0;

    if (!buf || !ref || iobref_add(ref, buf)) {
        ret = -ENOMEM;
        goto out;
    }
    memset(iobuf_ptr(buf), 0, PUNCH_CHUNK);
    while (from < to && ret >= 0) {
        iov.iov_base = iobuf_ptr(buf);
        iov.iov_len = to - from < PUNCH_CHUNK ? to - from : PUNCH_CHUNK;
        allot_call_init(&call, xl, GF_FOP_WRITE);
        call.fd = fd;
        call.iov = &iov;
        call.iov_count = 1;
        call.off = from;
        call.iobref = ref;
        call.xdata = xdata;
        ret = allot_call_one(this, &call);
        allot_calls_wipe(&call, 1);
        if (ret == 0)
            ret = -EIO;
        from += ret > 0 ? ret : 0;
    }
out:
    if (buf)
        iobuf_unref(buf);
    if (ref)
        iobref_unref(ref);
    return ret < 0 ? ret : 0;
}

int
allot_disperse_punch(xlator_t *this, xlator_t *xl, fd_t *fd, uint64_t off,
                     uint64_t len, dict_t *xdata)
{
    uint64_t stripe = stripe_of(this, xl);
    uint64_t end = off + len;
    uint64_t first = stripe ? (off + stripe - 1) / stripe * stripe : end;
    uint64_t last = stripe ? end / stripe * stripe : end;
    struct allot_call call;
    int ret = 0;

    if (first >= last)
        return punch_zeros(this, xl, fd, off, end, xdata);
    ret = punch_zeros(this, xl, fd, off, first, xdata);
    if (ret)
        return ret;
    allot_call_init(&call, xl, GF_FOP_DISCARD);
    call.fd = fd;
    call.off = first;
    call.len = last - first;
    call.xdata = xdata;
    ret = allot_call_one(this, &call);
    allot_calls_wipe(&call, 1);
    return ret < 0 ? ret : punch_zeros(this, xl, fd, last, end, xdata);
}
