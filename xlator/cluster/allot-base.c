/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-base.c - allot's own calls to the base of a file, which may have lost
 * its last name while it is open.
 *
 * Such calls name the base by gfid. A brick finds nothing under the gfid of a
 * file that has no name left; what is open there stays, and the calls are then
 * made through an open fd: allot's own, if it has one, else the application's.
 * Locks need none of this (append_lock() in allot-write.c).
 *
 * Deliberately not here: when the portions of such a file go
 * (allot-proto-unlink.c).
 */
#include "allot-proto.h"
#include "allot-fops.h"

/* mount/fuse answers an open before it puts the fd into the inode's list: the
 * next call can be faster, and if the name is gone by then this fd is the only
 * way to the file. A new reference unless the last one is being given back,
 * which happens under the inode's lock; release() waits for ours. */
static fd_t *
unbound_fd(struct allot_inode *ai, gf_boolean_t writable)
{
    struct allot_fd *afd = NULL;
    fd_t *found = NULL;

    LOCK(&ai->lock);
    {
        list_for_each_entry(afd, &ai->fds, of_inode)
        {
            if (writable && (afd->flags & O_ACCMODE) == O_RDONLY)
                continue;
            LOCK(&afd->inode->lock);
            {
                if (afd->fd->inode == afd->inode &&
                    GF_ATOMIC_GET(afd->fd->refcount) > 0)
                    found = __fd_ref(afd->fd);
            }
            UNLOCK(&afd->inode->lock);
            if (found)
                break;
        }
    }
    UNLOCK(&ai->lock);
    return found;
}

fd_t *
allot_any_fd(xlator_t *this, inode_t *inode, gf_boolean_t writable)
{
    struct allot_inode *ai = allot_inode_peek(this, inode);
    uint64_t value = 0;
    fd_t *found = NULL;
    fd_t *fd = NULL;

    if (!ai)
        return NULL;
    LOCK(&ai->lock);
    {
        if (ai->base_fd)
            found = fd_ref(ai->base_fd);
    }
    UNLOCK(&ai->lock);
    if (found)
        return found;

    /* An fd that is in this list has a reference: the last one is given back
     * under the same lock. Those without our context are not open here. */
    LOCK(&inode->lock);
    {
        list_for_each_entry(fd, &inode->fd_list, inode_list)
        {
            if (fd_ctx_get(fd, this, &value))
                continue;
            if (writable && (allot_fd_flags(this, fd) & O_ACCMODE) == O_RDONLY)
                continue;
            found = fd_ref(fd);
            break;
        }
    }
    UNLOCK(&inode->lock);
    return found ? found : unbound_fd(ai, writable);
}

/* The same call by fd. */
static glusterfs_fop_t
base_by_fd(glusterfs_fop_t fop)
{
    switch (fop) {
        case GF_FOP_STAT:
            return GF_FOP_FSTAT;
        case GF_FOP_SETXATTR:
            return GF_FOP_FSETXATTR;
        case GF_FOP_TRUNCATE:
            return GF_FOP_FTRUNCATE;
        default:
            return GF_FOP_NULL;
    }
}

static void
base_learn_unlinked(struct allot_inode *ai)
{
    LOCK(&ai->lock);
    {
        ai->unlinked = _gf_true;
    }
    UNLOCK(&ai->lock);
}

/* A stat by gfid that met an unlink: storage/posix reads the inode and its
 * xattrs by path, one after the other, and between the two the last path can
 * go. The answer is a success without the record. */
static gf_boolean_t
stat_is_torn(struct allot_inode *ai, struct allot_call *call)
{
    if (call->fop != GF_FOP_STAT)
        return _gf_false;
    return call->st.ia_nlink == 0 ||
           (ai && ai->rec && call->xdata &&
            dict_get(call->xdata, ALLOT_XATTR_RECORD) &&
            (!call->rdict || !dict_get(call->rdict, ALLOT_XATTR_RECORD)));
}

/* After a brick came or went another client may see it some seconds later, and
 * publish without it meanwhile. Replicate notices that only in a lookup, which
 * asks all replicas; else it goes on reading where it read before. */
#define DOUBT_MSEC 10000

gf_boolean_t
allot_base_doubtful(xlator_t *this, inode_t *inode)
{
    struct allot_inode *ai = NULL;

    if (!allot_priv(this)->ns_replicated)
        return _gf_false;
    ai = allot_inode_peek(this, inode);
    return ai && !ai->unlinked &&
           ai->looked_msec < allot_bricks_changed_msec(this) + DOUBT_MSEC;
}

void
allot_base_looked(xlator_t *this, inode_t *inode)
{
    struct allot_inode *ai = allot_inode_peek(this, inode);

    if (ai)
        ai->looked_msec = allot_now_msec();
}

/* Replicate also heals a file in the read that follows a lookup which saw what
 * is pending. allot sends few reads to a base, so it sends this lookup when a
 * replica has answered "behind"; the stat that follows is the read. */
static void
base_look(xlator_t *this, inode_t *inode)
{
    struct allot_call call;
    loc_t loc = {
        0,
    };

    allot_call_init(&call, allot_priv(this)->ns, GF_FOP_LOOKUP);
    allot_loc_of_inode(&loc, inode);
    call.loc = &loc;
    if (allot_call_one(this, &call) >= 0)
        allot_base_looked(this, inode);
    allot_calls_wipe(&call, 1);
    loc_wipe(&loc);
}

gf_boolean_t
allot_base_plain(xlator_t *this, inode_t *inode)
{
    struct allot_inode *ai = allot_inode_peek(this, inode);

    /* What bricks of a dispersed base say may have to be made even first. */
    return ai && !ai->unlinked && !ai->base_behind &&
           !allot_base_doubtful(this, inode) && !allot_priv(this)->ns_dispersed;
}

gf_boolean_t
allot_base_told(xlator_t *this, inode_t *inode, struct allot_call *call)
{
    return call->ret >= 0 && !stat_is_torn(allot_inode_peek(this, inode), call);
}

int
allot_call_base(xlator_t *this, inode_t *inode, struct allot_call *call)
{
    struct allot_inode *ai = allot_inode_peek(this, inode);
    glusterfs_fop_t by_name = call->fop;
    loc_t loc = {
        0,
    };
    fd_t *fd = NULL;
    int ret = -ENOENT;

    call->xl = allot_priv(this)->ns;
    if (call->fop == GF_FOP_STAT && ai && !ai->unlinked &&
        (ai->base_behind || allot_base_doubtful(this, inode)))
        base_look(this, inode);
    if (!ai || !ai->unlinked) {
        allot_loc_of_inode(&loc, inode);
        call->loc = &loc;
        ret = allot_call_one(this, call);
        call->loc = NULL;
        loc_wipe(&loc);
    }
    if (ret != -ENOENT && ret != -ESTALE &&
        (ret < 0 || !stat_is_torn(ai, call)))
        return ret;
    fd = allot_any_fd(this, inode, by_name == GF_FOP_TRUNCATE);
    if (!fd)
        return ret;
    allot_calls_wipe(call, 1);
    call->fop = base_by_fd(by_name);
    call->fd = fd;
    ret = allot_call_one(this, call);
    if (ret >= 0 && call->fop == GF_FOP_FSTAT && call->st.ia_nlink == 0 && ai)
        base_learn_unlinked(ai);
    call->fop = by_name;
    call->fd = NULL;
    fd_unref(fd);
    return ret;
}

int
allot_sync_base(xlator_t *this, inode_t *inode, fd_t *fd, dict_t *xdata)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_call call;
    fd_t *own = NULL;
    int ret = 0;

    if (!ai)
        return -ENOMEM;
    allot_call_init(&call, allot_priv(this)->ns, GF_FOP_FSYNC);
    if (ai->base_lost)
        own = allot_base_fd(this, inode);
    call.fd = own ? own : fd;
    call.xdata = allot_xdata_with_gen(this, xdata, allot_inode_gen(ai));
    ret = call.xdata ? allot_call_one(this, &call) : -ENOMEM;
    if (ret == -ALLOT_ERR_OLD || ret == -ALLOT_ERR_BEHIND) {
        ai->stale = _gf_true;
        ai->base_behind = ret == -ALLOT_ERR_BEHIND;
        ret = -EREMCHG;
    } else if (ret >= 0) {
        ai->record_unsynced = _gf_false;
    }
    if (own)
        fd_unref(own);
    if (call.xdata)
        dict_unref(call.xdata);
    allot_calls_wipe(&call, 1);
    return ret < 0 ? ret : 0;
}
