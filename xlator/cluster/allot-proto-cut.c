/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-proto-cut.c - fencing a portion that lies on a set and must be cut
 * (docs/protocol.md, 2.14).
 *
 * On a plain brick the guard cuts and raises in one step. Below a set it must
 * not: replicate would not know that data was changed, and would heal the old
 * bytes back from a replica that was away. So the cut is a truncation through
 * the set, and the portion is closed to everybody else meanwhile.
 */
#include "allot-proto.h"
#include "allot-fops.h"

/* One portion on one set. */
struct cut {
    xlator_t *this;
    xlator_t *xl;
    loc_t *loc;
    uint64_t from; /* its generation as it was read under the lock */
};

static int
cut_lock_call(xlator_t *this, struct allot_cut_lock *lock, short type)
{
    struct allot_call call;
    int ret = 0;

    allot_call_init(&call, lock->xl, GF_FOP_INODELK);
    memset(&lock->flock, 0, sizeof(lock->flock));
    lock->flock.l_type = type;
    lock->flock.l_whence = SEEK_SET;
    call.loc = lock->loc;
    call.domain = ALLOT_DOMAIN_CUT;
    call.lock_cmd = F_SETLKW;
    call.flock = &lock->flock;
    call.owner = lock;
    call.xdata = allot_priv(this)->client_xdata;
    ret = allot_call_one(this, &call);
    allot_calls_wipe(&call, 1);
    return ret < 0 ? ret : 0;
}

int
allot_cut_lock(xlator_t *this, struct allot_cut_lock *lock, xlator_t *xl,
               loc_t *loc)
{
    lock->xl = xl;
    lock->loc = loc;
    return cut_lock_call(this, lock, F_WRLCK);
}

void
allot_cut_unlock(xlator_t *this, struct allot_cut_lock *lock)
{
    cut_lock_call(this, lock, F_UNLCK);
}

/* Write the portion's xattr: to @gen, from what was read. */
static int
cut_set(struct cut *cut, uint8_t *bytes, int64_t len, uint64_t gen)
{
    struct allot_call call;
    int ret = -ENOMEM;

    allot_call_init(&call, cut->xl, GF_FOP_SETXATTR);
    call.loc = cut->loc;
    call.dict = dict_new();
    call.xdata = allot_xdata_internal();
    if (call.dict && call.xdata &&
        !dict_set_static_bin(call.dict, ALLOT_XATTR_PORTION, bytes, len) &&
        !dict_set_uint64(call.xdata, ALLOT_KEY_FENCE, gen) &&
        !dict_set_uint64(call.xdata, ALLOT_KEY_FENCE_FROM, cut->from) &&
        !dict_set_uint32(call.xdata, ALLOT_KEY_CUT, 1))
        ret = allot_call_one(cut->this, &call);
    if (call.dict)
        dict_unref(call.dict);
    if (call.xdata)
        dict_unref(call.xdata);
    allot_calls_wipe(&call, 1);
    return ret < 0 ? ret : 0;
}

static int
cut_close(struct cut *cut, struct allot_portion *por)
{
    uint8_t *bytes = NULL;
    int64_t len = 0;
    int ret = -ENOMEM;

    por->closed = 1;
    len = allot_portion_encode(por, NULL, 0);
    if (len > 0)
        bytes = GF_MALLOC(len, gf_common_mt_char);
    if (bytes && allot_portion_encode(por, bytes, len) == len)
        ret = cut_set(cut, bytes, len, por->gen);
    GF_FREE(bytes);
    return ret;
}

static int
cut_to(struct cut *cut, uint64_t size, dict_t *xdata)
{
    struct allot_call call;
    int ret = 0;

    allot_call_init(&call, cut->xl, GF_FOP_TRUNCATE);
    call.loc = cut->loc;
    call.off = size;
    call.xdata = xdata;
    ret = allot_call_one(cut->this, &call);
    allot_calls_wipe(&call, 1);
    return ret < 0 ? ret : 0;
}

/* A portion on a disperse set, which has its length in memory for a second, and
 * may have lost it (allot-disperse.c).
 *
 *        recorded        cut to
 *   |------------|----------|---------|
 *                ^ what somebody who died wrote behind it would be seen again,
 *                  as soon as the portion is longer: it goes, too
 *
 * Within a stripe disperse zeroes what is behind a cut only if that makes the
 * portion shorter: so it is made longer first. */
static int
cut_dispersed(struct cut *cut, uint64_t was, uint64_t size, dict_t *xdata)
{
    uint64_t stripe = allot_disperse_stripe(cut->this, cut->xl);
    uint64_t full = 0;
    fd_t *fd = NULL;
    /* From now on disperse tells if it forgets something of it. */
    int ret = allot_call_open(cut->this, cut->xl, cut->loc, xdata, &fd);

    if (ret)
        return ret;
    if (was < size)
        size = was;
    full = (size + stripe - 1) / stripe * stripe;
    if (was < full)
        ret = cut_to(cut, full, xdata);
    if (ret == 0)
        ret = cut_to(cut, size, xdata);
    if (ret == 0)
        ret = allot_disperse_recorded(cut->this, cut->xl, fd);
    fd_unref(fd);
    return ret;
}

/* Nobody else changes its size now. */
static int
cut_truncate(struct cut *cut, uint64_t size)
{
    struct allot_call call;
    dict_t *xdata = allot_xdata_internal();
    int ret = -ENOMEM;

    if (!xdata || dict_set_uint64(xdata, ALLOT_KEY_GEN, cut->from) ||
        dict_set_uint32(xdata, ALLOT_KEY_CUT, 1))
        goto out;
    allot_call_init(&call, cut->xl, GF_FOP_STAT);
    call.loc = cut->loc;
    call.xdata = xdata;
    ret = allot_call_one(cut->this, &call);
    allot_calls_wipe(&call, 1);
    if (ret < 0)
        goto out;
    if (allot_dispersed(cut->this, cut->xl))
        ret = cut_dispersed(cut, call.st.ia_size, size, xdata);
    else if (call.st.ia_size > size)
        ret = cut_to(cut, size, xdata);
out:
    if (xdata)
        dict_unref(xdata);
    return ret < 0 ? ret : 0;
}

static int
cut_locked(struct cut *cut, inode_t *inode, const struct allot_record *rec,
           uint64_t gen, uint16_t idx, uint8_t *bytes, int64_t len)
{
    struct allot_portion por;
    struct allot_call call;
    uint64_t size = 0;
    int ret = 0;

    allot_call_init(&call, cut->xl, GF_FOP_GETXATTR);
    call.loc = cut->loc;
    call.name = ALLOT_XATTR_PORTION;
    call.xdata = allot_priv(cut->this)->client_xdata;
    allot_call_one(cut->this, &call);
    ret = allot_fence_decode(inode, rec->nonce, &call, &por);
    allot_calls_wipe(&call, 1);
    if (ret)
        return ret;
    ret = allot_disperse_even(cut->this, inode, cut->xl, rec->nonce, cut->loc,
                              _gf_true, &por);
    if (ret > 0)
        return -ALLOT_ERR_BEHIND; /* made even first, then asked again */
    if (ret < 0 && ret != -ENODATA)
        return ret;
    ret = 0;
    if (por.gen >= gen)
        return por.gen > gen ? -EREMCHG : 0;
    cut->from = por.gen;
    size = allot_fence_cut(rec, por.gen, idx);
    if (size <= ALLOT_OFFSET_MAX) {
        if (!por.closed)
            ret = cut_close(cut, &por);
        if (!ret)
            ret = cut_truncate(cut, size);
    }
    return ret ? ret : cut_set(cut, bytes, len, gen);
}

int
allot_cut_on_set(xlator_t *this, inode_t *inode, const struct allot_record *rec,
                 uint64_t gen, loc_t *loc, uint16_t idx, uint8_t *bytes,
                 int64_t len)
{
    struct allot_brick_view view;
    struct allot_cut_lock lock;
    struct cut cut = {
        .this = this,
        .loc = loc,
    };
    int ret = 0;

    if (allot_brick_get(this, idx, &view) || !allot_brick_usable(&view))
        return -ENOTCONN;
    cut.xl = view.xl;
    ret = allot_cut_lock(this, &lock, cut.xl, loc);
    if (ret < 0)
        return ret;
    ret = cut_locked(&cut, inode, rec, gen, idx, bytes, len);
    allot_cut_unlock(this, &lock);
    return ret;
}
