/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-proto-unlink.c - a name of a spread file goes away: when it was the
 * last one and nobody has the file open, its portions go too.
 *
 *   prepare  open the base, so that it can be asked after its name is gone
 *   ...      the namespace removes the name
 *   done     ask the base: link count and open fds. Nobody left: remove the
 *            portions. Open here: the last close does. Open elsewhere, or a
 *            brick is away: nothing; the guards of the base's bricks know that
 *            it lost its name, and some client comes for it when it is closed
 *            everywhere (allot-gone.c).
 *
 * Where the namespace has no sets, and the file is not open here, none of this
 * is needed for an unlink: the guard of the base's brick, which is the only one
 * that has it, tells with its answer that nobody is left (told).
 *
 * A file can also lose its name unprepared: another client removed it, or it
 * became spread after the unlink. Then there is no fd of ours to ask once the
 * application's are closed, so that the last flush asks.
 *
 * The link count in the namespace's own answer to the unlink is not used: over
 * distribute it may be a link file's.
 */
#include "allot-proto.h"
#include "allot-fops.h"
#include "allot-stop.h"

fd_t *
allot_base_fd(xlator_t *this, inode_t *inode)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    loc_t loc = {
        0,
    };
    fd_t *fd = NULL;
    fd_t *have = NULL;

    if (!ai)
        return NULL;
    LOCK(&ai->lock);
    {
        if (ai->base_fd)
            have = fd_ref(ai->base_fd);
    }
    UNLOCK(&ai->lock);
    if (have)
        return have;

    allot_loc_of_inode(&loc, inode);
    allot_call_open(this, allot_priv(this)->ns, &loc,
                    allot_priv(this)->client_xdata, &fd);
    loc_wipe(&loc);
    if (!fd)
        return NULL;
    LOCK(&ai->lock);
    {
        if (!ai->base_fd)
            ai->base_fd = fd_ref(fd);
    }
    UNLOCK(&ai->lock);
    return fd;
}

/* Link count and open fds (all clients') of the base behind @fd. 0 or -errno.
 */
static int
unlink_ask(xlator_t *this, fd_t *fd, struct allot_call *call, uint32_t *opens)
{
    int ret = -ENOMEM;

    allot_call_init(call, allot_priv(this)->ns, GF_FOP_FSTAT);
    call->fd = fd;
    call->xdata = allot_xdata_with_record_req(this, NULL);
    if (call->xdata &&
        dict_set_uint32(call->xdata, GLUSTERFS_OPEN_FD_COUNT, 0) == 0)
        ret = allot_call_one(this, call);
    if (ret >= 0 &&
        (!call->rdict ||
         dict_get_uint32(call->rdict, GLUSTERFS_OPEN_FD_COUNT, opens)))
        *opens = 0; /* not told: nobody else */
    if (call->xdata)
        dict_unref(call->xdata);
    call->xdata = NULL;
    return ret;
}

void
allot_unlink_ask(xlator_t *this, fd_t *fd)
{
    struct allot_inode *ai = allot_inode_peek(this, fd->inode);
    struct allot_call call;
    uint32_t opens = 0;
    int ret = unlink_ask(this, fd, &call, &opens);

    if (ai) {
        LOCK(&ai->lock);
        {
            ai->sole = ret >= 0 && call.st.ia_nlink == 0 && opens <= 1;
        }
        UNLOCK(&ai->lock);
    }
    allot_calls_wipe(&call, 1);
}

/* No fd of the base is left, here or elsewhere, and no name. */
static void
unlink_sole(xlator_t *this, inode_t *inode, struct allot_inode *ai)
{
    struct allot_rec *rec = allot_inode_rec(ai, NULL);

    if (rec && rec->r.layout->extent_count &&
        allot_portions_unlink(this, inode, rec->r.nonce) == 0)
        allot_gone_done(this, inode->gfid, rec->r.nonce);
    allot_rec_unref(rec);
}

int
allot_unlink_prepare(xlator_t *this, inode_t *inode)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    fd_t *fd = NULL;

    if (!ai)
        return -ENOMEM;
    LOCK(&ai->lock);
    {
        ai->holds++;
    }
    UNLOCK(&ai->lock);
    fd = allot_base_fd(this, inode);
    if (!fd)
        return -ENOTCONN;
    fd_unref(fd);
    allot_stop(this, ALLOT_STOP_UNLINK_OPENED);
    return 0;
}

int
allot_unlink_done(xlator_t *this, inode_t *inode)
{
    struct allot_inode *ai = allot_inode_peek(this, inode);
    struct allot_rec *rec = NULL;
    struct allot_call call;
    fd_t *fd = NULL;
    uint32_t opens = 0;
    int ret = 0;

    if (!ai)
        return 0;
    allot_stop(this, ALLOT_STOP_UNLINK_NAME);
    fd = allot_base_fd(this, inode);
    LOCK(&ai->lock);
    {
        if (ai->holds)
            ai->holds--;
    }
    UNLOCK(&ai->lock);
    if (!fd) {
        if (ai->unlinked && ai->sole && !ai->opens) {
            unlink_sole(this, inode, ai);
            return 0;
        }
        return -ENOENT;
    }
    ret = unlink_ask(this, fd, &call, &opens);
    if (ret == -ENOMEM)
        goto out;
    if (ret < 0 || call.st.ia_nlink > 0) {
        /* Another name is left (or the base is gone from our sight: then the
         * portions may be the only copy, and stay). */
        LOCK(&ai->lock);
        {
            ai->unlinked = _gf_false;
        }
        UNLOCK(&ai->lock);
        goto out;
    }
    allot_inode_learn(this, inode, call.rdict, &call.st);
    LOCK(&ai->lock);
    {
        ai->unlinked = _gf_true;
        ret = ai->opens > 0;
    }
    UNLOCK(&ai->lock);
    if (ret) {
        ret = 0; /* the last close here comes back */
        goto out;
    }
    allot_stop(this, ALLOT_STOP_UNLINK_ASKED);
    rec = allot_inode_rec(ai, NULL);
    if (rec && rec->r.layout->extent_count && opens <= 1) {
        ret = allot_portions_unlink(this, inode, rec->r.nonce);
        allot_stop(this, ALLOT_STOP_UNLINK_REMOVED);
        if (ret == 0)
            allot_gone_done(this, inode->gfid, rec->r.nonce);
        ret = 0;
    }
    allot_slot_drop(ai, ALLOT_IDX_NONE);
    allot_rec_unref(rec);
out:
    allot_calls_wipe(&call, 1);
    fd_unref(fd);
    /* Ours is not needed any more unless the file is still open here. */
    LOCK(&ai->lock);
    {
        fd = ai->opens == 0 && !ai->holds ? ai->base_fd : NULL;
        if (fd)
            ai->base_fd = NULL;
    }
    UNLOCK(&ai->lock);
    if (fd)
        fd_unref(fd);
    return ret < 0 ? ret : 0;
}

gf_boolean_t
allot_unlink_told(xlator_t *this, inode_t *inode)
{
    struct allot_inode *ai = allot_inode_peek(this, inode);
    gf_boolean_t told = _gf_false;

    /* One replica may have an fd that another one has not. */
    if (!ai || allot_priv(this)->ns_replicated ||
        allot_priv(this)->ns_dispersed)
        return _gf_false;
    LOCK(&ai->lock);
    {
        /* What is open here must stay open until the last close, and ours would
         * be counted. */
        told = !ai->opens && !ai->holds && !ai->base_fd;
    }
    UNLOCK(&ai->lock);
    return told;
}

uint64_t
allot_unlink_parted(inode_t *inode, dict_t *xdata)
{
    data_t *data = xdata ? dict_get(xdata, ALLOT_KEY_PARTED) : NULL;
    struct allot_gone gone;

    /* Room for one. */
    if (!data || data->len != ALLOT_GONE_BYTES(1) ||
        allot_gone_decode((uint8_t *)data->data, data->len, &gone) != 1)
        return 0;
    /* Another client may have put another file in the place of ours. */
    return memcmp(gone.gfid, inode->gfid, 16) == 0 ? gone.nonce : 0;
}

void
allot_unlink_remove(xlator_t *this, inode_t *inode, uint64_t nonce)
{
    struct allot_inode *ai = allot_inode_peek(this, inode);
    int ret = 0;

    if (!ai)
        return;
    LOCK(&ai->lock);
    {
        ai->unlinked = _gf_true;
    }
    UNLOCK(&ai->lock);
    allot_stop(this, ALLOT_STOP_UNLINK_NAME);
    allot_stop(this, ALLOT_STOP_UNLINK_ASKED);
    ret = allot_portions_unlink(this, inode, nonce);
    allot_stop(this, ALLOT_STOP_UNLINK_REMOVED);
    if (ret == 0)
        allot_gone_done(this, inode->gfid, nonce);
    allot_slot_drop(ai, ALLOT_IDX_NONE);
}
