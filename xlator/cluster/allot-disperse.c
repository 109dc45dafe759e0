/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-disperse.c - what is different where files lie on a disperse set
 * (docs/design.md, 9a).
 *
 *   write acknowledged --- by this client's disperse, which now knows how long
 *        |                 the file is; its bricks do not yet
 *   flush, twice --------- now they do, and disperse has not failed to tell
 *        |                 them in between: the slot is clean again
 *   a slot that is not and has lost its fd: what was written there may be
 *                          hidden, every open file is told once (rehomed)
 *
 * How long a file is disperse keeps in memory while it has the lock on it, and
 * tells its bricks when it gives that up. If it fails to, then to the next
 * flush or fsync, of fds that were open by then, it says EBADF. It looks for
 * that before it waits for the lock: so a second flush is the one that tells.
 *
 * Deliberately not here: files that are not spread. They are disperse's alone.
 */
#include "allot-bricks-impl.h"
#include "allot-fan.h"
#include "allot-fops.h"
#include "allot-messages.h"
#include "allot-proto.h"

gf_boolean_t
allot_dispersed(xlator_t *this, const xlator_t *xl)
{
    const struct allot_child *c = NULL;

    if (!allot_dispersed_any(this))
        return _gf_false;
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

int
allot_disperse_recorded(xlator_t *this, xlator_t *xl, fd_t *fd)
{
    struct allot_call call;
    int ret = 0;
    int round = 0;

    for (round = 0; round < 2 && ret >= 0; round++) {
        allot_call_init(&call, xl, GF_FOP_FLUSH);
        call.fd = fd;
        call.xdata = allot_priv(this)->client_xdata;
        ret = allot_call_one(this, &call);
        allot_calls_wipe(&call, 1);
    }
    return ret < 0 ? ret : 0;
}

/* ---- lengths that only this client knows
 * ------------------------------------------------------------------- */

void
allot_disperse_wrote(xlator_t *this, struct allot_inode *ai, uint16_t idx,
                     const xlator_t *xl)
{
    if (allot_dispersed(this, xl))
        allot_slot_unrecorded(ai, idx);
}

void
allot_disperse_base_wrote(xlator_t *this, struct allot_inode *ai)
{
    if (allot_priv(this)->ns_dispersed)
        ai->base_unrecorded = _gf_true;
}

/* Calls to flush every slot that needs it, and the base by @fd. Returns how
 * many; -ENOMEM. */
static int
sure_calls(xlator_t *this, inode_t *inode, struct allot_inode *ai, fd_t *fd,
           struct allot_call **out)
{
    struct allot_brick_view view;
    struct allot_call *calls = NULL;
    struct allot_slot *slot = NULL;
    uint32_t i = 0;
    int room = 0;
    int n = 0;

    LOCK(&ai->lock);
    room = ai->slot_count + 1;
    UNLOCK(&ai->lock);
    calls = GF_CALLOC(room, sizeof(*calls), allot_mt_calls);
    if (!calls)
        return -ENOMEM;
    if (ai->base_unrecorded) {
        allot_call_init(&calls[n], allot_priv(this)->ns, GF_FOP_FLUSH);
        calls[n].idx = ALLOT_IDX_NONE;
        calls[n].fd = fd && !ai->base_lost
                          ? fd_ref(fd)
                          : allot_any_fd(this, inode, _gf_false);
        if (!calls[n].fd) { /* as allot_disperse_record() */
            calls[n].fop = GF_FOP_FSYNC;
            calls[n].fd = fd_anonymous(inode);
        }
        n++;
    }
    LOCK(&ai->lock);
    {
        for (i = 0; i < ai->slot_count && n < room; i++) {
            slot = &ai->slots[i];
            /* Another nonce: it was cut off with that portion. */
            if (!slot->unrecorded || !ai->rec ||
                slot->nonce != ai->rec->r.nonce)
                continue;
            allot_call_init(&calls[n], NULL, GF_FOP_FLUSH);
            calls[n].idx = slot->idx;
            /* Also if a brick of the set has come since: the set's fd stays. */
            calls[n].fd = slot->fd ? fd_ref(slot->fd) : NULL;
            n++;
        }
    }
    UNLOCK(&ai->lock);
    for (i = 0; (int)i < n; i++) {
        calls[i].xdata = allot_priv(this)->client_xdata;
        if (!calls[i].fd)
            calls[i].xl = NULL;
        else if (calls[i].idx != ALLOT_IDX_NONE &&
                 !allot_brick_get(this, calls[i].idx, &view))
            calls[i].xl = view.xl;
    }
    *out = calls;
    return n;
}

/* As allot_slot_recorded(), for the base. */
static void
base_recorded(xlator_t *this, inode_t *inode, struct allot_inode *ai,
              gf_boolean_t did)
{
    fd_t *fd = NULL;

    LOCK(&ai->lock);
    {
        ai->base_unrecorded = _gf_false;
        if (!did) {
            ai->rehomed++;
            ai->base_lost = _gf_true;
            if (!ai->holds) {
                fd = ai->base_fd;
                ai->base_fd = NULL;
            }
        }
    }
    UNLOCK(&ai->lock);
    if (did)
        return;
    if (fd)
        fd_unref(fd);
    /* One that is opened now is good, until something is lost again. */
    fd = allot_base_fd(this, inode);
    if (fd)
        fd_unref(fd);
}

gf_boolean_t
allot_disperse_told(xlator_t *this, inode_t *inode, int err)
{
    struct allot_inode *ai = allot_inode_peek(this, inode);

    return err == EBADF && allot_priv(this)->ns_dispersed && ai &&
           ai->base_lost;
}

int
allot_disperse_sure(xlator_t *this, inode_t *inode, fd_t *fd)
{
    struct allot_inode *ai = allot_inode_peek(this, inode);
    struct allot_call *calls = NULL;
    int lost = 0;
    int round = 0;
    int n = 0;
    int i = 0;

    if (!ai || !allot_dispersed_any(this))
        return 0;
    n = sure_calls(this, inode, ai, fd, &calls);
    if (n <= 0)
        goto out;
    for (round = 0; round < 2; round++) {
        allot_fan(this, calls, n);
        for (i = 0; i < n; i++)
            if (calls[i].ret < 0)
                calls[i].xl = NULL; /* one answer is enough */
    }
    for (i = 0; i < n; i++) {
        lost += calls[i].ret < 0;
        if (calls[i].idx == ALLOT_IDX_NONE) {
            base_recorded(this, inode, ai, calls[i].ret >= 0);
        } else {
            allot_slot_recorded(ai, calls[i].idx, calls[i].ret >= 0);
        }
    }
    if (lost)
        gf_msg(this->name, GF_LOG_WARNING, EIO, ALLOT_MSG_PROTOCOL,
               "bytes of gfid %s that were written here and not synced may be "
               "hidden: %d disperse sets could not record how long its "
               "portions are; the next fsync or close tells",
               uuid_utoa(inode->gfid), lost);
out:
    for (i = 0; i < n; i++)
        if (calls[i].fd)
            fd_unref(calls[i].fd);
    if (calls)
        allot_calls_wipe(calls, n > 0 ? n : 0);
    GF_FREE(calls);
    if (n < 0)
        return n;
    return lost ? -EIO : 0;
}

int
allot_disperse_record(xlator_t *this, inode_t *inode)
{
    struct allot_call call;
    fd_t *fd = NULL;
    int ret = -EBADF;

    if (!allot_priv(this)->ns_dispersed)
        return 0;
    fd = allot_any_fd(this, inode, _gf_false);
    if (fd) {
        ret = allot_disperse_recorded(this, allot_priv(this)->ns, fd);
        fd_unref(fd);
    }
    /* None is open, or it was when something was forgotten: then its close
     * tells. What there is now is recorded by a sync without one. */
    if (ret == -EBADF) {
        allot_call_init(&call, allot_priv(this)->ns, GF_FOP_FSYNC);
        call.fd = fd_anonymous(inode);
        if (!call.fd)
            return -ENOMEM;
        call.xdata = allot_priv(this)->client_xdata;
        ret = allot_call_one(this, &call);
        fd_unref(call.fd);
        allot_calls_wipe(&call, 1);
    }
    if (ret == -ENOENT || ret == -ESTALE || ret > 0)
        ret = 0;
    return ret == -EBADF ? -EIO : ret;
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

uint64_t
allot_disperse_stripe(xlator_t *this, const xlator_t *xl)
{
    const struct allot_child *c =
        allot_bricks_child_of(allot_bricks_of(this), xl);

    /* Of the base: few bytes, zeros do. */
    return c && c->kind == ALLOT_SET_DISPERSE ? c->fragments * 512ULL : 0;
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
    uint64_t stripe = allot_disperse_stripe(this, xl);
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
