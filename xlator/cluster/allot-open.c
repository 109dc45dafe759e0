/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-open.c - create, open, flush, fsync: the life of an application's fd.
 *
 * open and create pass to the namespace; O_TRUNC on a spread file becomes the
 * truncate protocol, because a truncation of the base alone would leave the
 * record standing. The last close settles, fsync makes base and portions
 * durable and publishes the size.
 */
#include "allot-fops.h"
#include "allot-proto.h"
#include "allot-io.h"
#include "allot-stop.h"

struct open_local {
    call_frame_t *frame;
    xlator_t *this;
    glusterfs_fop_t fop;
    loc_t loc;
    fd_t *fd;
    int32_t flags;
    gf_boolean_t cut; /* O_TRUNC, taken out of flags: cut after the open */
    dict_t *xdata;
    struct allot_patience patience;
    /* create's answer, kept while the truncation runs */
    struct iatt buf, preparent, postparent;
    dict_t *rxdata;
    inode_t *inode;
    uuid_t gfid_req;
};

static struct open_local *
open_local_new(call_frame_t *frame, xlator_t *this, glusterfs_fop_t fop,
               loc_t *loc, fd_t *fd, int32_t flags, dict_t *xdata)
{
    struct open_local *local = GF_CALLOC(1, sizeof(*local), allot_mt_local);

    if (!local)
        return NULL;
    local->frame = frame;
    local->this = this;
    local->fop = fop;
    if (loc)
        loc_copy(&local->loc, loc);
    local->fd = fd_ref(fd);
    local->flags = flags;
    local->xdata = xdata ? dict_ref(xdata) : NULL;
    frame->local = local;
    return local;
}

static void
open_local_free(struct open_local *local)
{
    local->frame->local = NULL;
    loc_wipe(&local->loc);
    fd_unref(local->fd);
    if (local->xdata)
        dict_unref(local->xdata);
    if (local->rxdata)
        dict_unref(local->rxdata);
    if (local->inode)
        inode_unref(local->inode);
    GF_FREE(local);
}

/* ---- open
 * ---------------------------------------------------------------------------
 */

static void
open_wind(struct open_local *local, loc_t *loc);

static void
open_truncate_task(xlator_t *this, void *arg);

static void
open_unwind(struct open_local *local, int32_t ret, int32_t err, dict_t *xdata)
{
    call_frame_t *frame = local->frame;
    fd_t *fd = fd_ref(local->fd);

    open_local_free(local);
    STACK_UNWIND_STRICT(open, frame, ret, allot_errno(err), fd, xdata);
    fd_unref(fd);
}

/* The truncation of an open on a dispersed namespace. Disperse would make a
 * call of its own of it, without our generation. Alone. */
static void
open_cut_task(xlator_t *this, void *arg)
{
    struct open_local *local = arg;
    int ret = allot_refresh(this, local->fd->inode, NULL);

    if (ret == 0)
        ret = allot_truncate_to(this, local->fd->inode, 0);
    open_unwind(local, ret ? -1 : 0, -ret, NULL);
}

static int32_t
open_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
         int32_t op_errno, fd_t *fd, dict_t *xdata)
{
    struct open_local *local = frame->local;
    struct allot_inode *ai = NULL;

    if (op_ret < 0)
        allot_inode_get(this, local->fd->inode);
    /* Only a truncation is refused as of another record. */
    if (op_ret < 0 && (local->flags & O_TRUNC) &&
        allot_base_refused(this, local->fd->inode, op_ret, op_errno,
                           &local->patience) &&
        allot_run(this, local->fd->inode, _gf_true, open_truncate_task,
                  local) == 0)
        return 0;
    if (op_ret >= 0) {
        if (allot_fd_opened(this, local->fd, local->flags)) {
            op_ret = -1;
            op_errno = ENOMEM;
        } else {
            /* Close-to-open: what another client closed since is seen. A plain
             * file needs no look: the guard refuses an old generation. */
            ai = allot_inode_peek(this, local->fd->inode);
            if (ai && ai->kind == ALLOT_KIND_SPREAD)
                ai->stale = _gf_true;
            /* A file that was too long to become spread no longer is. */
            if (ai && (local->flags & O_TRUNC))
                ai->base_size = 0;
        }
    }
    if (op_ret >= 0 && local->cut) {
        if (allot_run(this, local->fd->inode, _gf_true, open_cut_task, local))
            open_unwind(local, -1, ENOMEM, NULL);
        return 0;
    }
    open_unwind(local, op_ret, op_ret < 0 ? allot_errno(op_errno) : op_errno,
                xdata);
    return 0;
}

static void
open_wind(struct open_local *local, loc_t *loc)
{
    xlator_t *ns = allot_priv(local->this)->ns;
    struct allot_inode *ai = allot_inode_peek(local->this, local->fd->inode);
    /* The guard lets nobody read a spread base without a key of ours. */
    dict_t *xdata = allot_xdata_to_read(local->this, local->xdata,
                                        ai ? allot_inode_gen(ai) : 0);

    STACK_WIND(local->frame, open_cbk, ns, ns->fops->open, loc, local->flags,
               local->fd, xdata);
    if (xdata)
        dict_unref(xdata);
}

/* O_TRUNC on a file that is, or may be, spread. Alone. */
static void
open_truncate_task(xlator_t *this, void *arg)
{
    struct open_local *local = arg;
    int ret = allot_refresh(this, local->fd->inode, NULL);
    struct allot_inode *ai = allot_inode_peek(this, local->fd->inode);

    if (ret == 0 && ai && ai->kind == ALLOT_KIND_SPREAD)
        ret = allot_truncate_to(this, local->fd->inode, 0);
    if (ret) {
        open_unwind(local, -1, -ret, NULL);
        return;
    }
    /* Now it is plain: the base's own O_TRUNC does the rest. */
    open_wind(local, &local->loc);
}

int32_t
allot_open(call_frame_t *frame, xlator_t *this, loc_t *loc, int32_t flags,
           fd_t *fd, dict_t *xdata)
{
    struct allot_inode *ai = allot_inode_peek(this, loc->inode);
    struct open_local *local = NULL;

    if (ai && ai->kind == ALLOT_KIND_BROKEN) {
        STACK_UNWIND_STRICT(open, frame, -1, EIO, fd, NULL);
        return 0;
    }
    /* Only a truncation may have to be done again. */
    local = open_local_new(frame, this, GF_FOP_OPEN,
                           flags & O_TRUNC ? loc : NULL, fd, flags, xdata);
    if (!local) {
        STACK_UNWIND_STRICT(open, frame, -1, ENOMEM, fd, NULL);
        return 0;
    }
    /* With O_RDONLY the brick must see what is to be allowed. */
    if ((flags & O_TRUNC) && (flags & O_ACCMODE) != O_RDONLY &&
        allot_priv(this)->ns_dispersed) {
        local->cut = _gf_true;
        local->flags &= ~O_TRUNC;
        open_wind(local, loc);
        return 0;
    }
    if ((flags & O_TRUNC) && ai && ai->kind == ALLOT_KIND_SPREAD) {
        if (allot_run(this, loc->inode, _gf_true, open_truncate_task, local))
            open_unwind(local, -1, ENOMEM, NULL);
        return 0;
    }
    open_wind(local, loc);
    return 0;
}

/* ---- create
 * ---------------------------------------------------------------------------
 */

static void
create_unwind(struct open_local *local, int32_t ret, int32_t err)
{
    call_frame_t *frame = local->frame;
    fd_t *fd = fd_ref(local->fd);
    inode_t *inode = local->inode ? inode_ref(local->inode) : NULL;
    struct iatt buf = local->buf;
    struct iatt pre = local->preparent;
    struct iatt post = local->postparent;
    dict_t *xdata = local->rxdata ? dict_ref(local->rxdata) : NULL;

    open_local_free(local);
    STACK_UNWIND_STRICT(create, frame, ret, err, fd, inode, &buf, &pre, &post,
                        xdata);
    fd_unref(fd);
    if (inode)
        inode_unref(inode);
    if (xdata)
        dict_unref(xdata);
}

/* The file was there already: what of it is spread must go with O_TRUNC, and
 * its size must be right. Alone. */
static void
create_existing_task(xlator_t *this, void *arg)
{
    struct open_local *local = arg;
    int ret = allot_refresh(this, local->inode, &local->buf);

    if (ret == 0 && (local->flags & O_TRUNC))
        ret = allot_truncate_to(this, local->inode, 0);
    if (ret == 0 && (local->flags & O_TRUNC))
        ret = allot_refresh(this, local->inode, &local->buf);
    if (ret == 0)
        ret = allot_glimpse_iatt(this, local->inode, &local->buf);
    create_unwind(local, ret ? -1 : 0, allot_errno(-ret));
}

static int32_t
create_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
           int32_t op_errno, fd_t *fd, inode_t *inode, struct iatt *buf,
           struct iatt *preparent, struct iatt *postparent, dict_t *xdata)
{
    struct open_local *local = frame->local;
    gf_boolean_t existed = _gf_false;

    if (op_ret < 0) {
        open_local_free(local);
        STACK_UNWIND_STRICT(create, frame, op_ret, op_errno, fd, inode, buf,
                            preparent, postparent, xdata);
        return 0;
    }
    if (gf_uuid_is_null(inode->gfid))
        gf_uuid_copy(inode->gfid, buf->ia_gfid);

    /* A create that raced with another one opens the other's file; its gfid is
     * not the one that we asked for. */
    existed = !gf_uuid_is_null(local->gfid_req) &&
              gf_uuid_compare(local->gfid_req, buf->ia_gfid) != 0;
    if (!existed) {
        allot_inode_learn(this, inode, NULL, buf);
        allot_base_looked(this, inode); /* all replicas have just made it */
    }
    if (allot_fd_opened(this, fd, local->flags)) {
        op_ret = -1;
        op_errno = ENOMEM;
    }
    if (!existed || op_ret < 0) {
        open_local_free(local);
        STACK_UNWIND_STRICT(create, frame, op_ret, op_errno, fd, inode, buf,
                            preparent, postparent, xdata);
        return 0;
    }
    local->buf = *buf;
    local->preparent = *preparent;
    local->postparent = *postparent;
    local->rxdata = xdata ? dict_ref(xdata) : NULL;
    local->inode = inode_ref(inode);
    if (allot_run(this, inode, _gf_true, create_existing_task, local))
        create_unwind(local, -1, ENOMEM);
    return 0;
}

int32_t
allot_create(call_frame_t *frame, xlator_t *this, loc_t *loc, int32_t flags,
             mode_t mode, mode_t umask, fd_t *fd, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;
    struct open_local *local = NULL;

    if (allot_hidden_name(loc) || allot_hidden_gfid(loc->pargfid) ||
        (loc->parent && allot_hidden_gfid(loc->parent->gfid))) {
        STACK_UNWIND_STRICT(create, frame, -1, EPERM, NULL, NULL, NULL, NULL,
                            NULL, NULL);
        return 0;
    }
    local = open_local_new(frame, this, GF_FOP_CREATE, NULL, fd, flags, xdata);
    if (!local) {
        STACK_UNWIND_STRICT(create, frame, -1, ENOMEM, NULL, NULL, NULL, NULL,
                            NULL, NULL);
        return 0;
    }
    if (!xdata || dict_get_gfuuid(xdata, "gfid-req", &local->gfid_req))
        gf_uuid_clear(local->gfid_req);
    /* O_TRUNC means nothing for a new file, and would empty the base of an
     * existing spread one: create_existing_task() does it right. */
    STACK_WIND(frame, create_cbk, ns, ns->fops->create, loc, flags & ~O_TRUNC,
               mode, umask, fd, xdata);
    return 0;
}

/* ---- flush
 * ------------------------------------------------------------------------------
 */

/* Other fds are open here: their last close settles. But this one leaves the
 * size in the record: when a brick goes away, other clients could not know that
 * the file is so long, and nobody would be told of what their next extent
 * hides. */
static int
flush_size(xlator_t *this, inode_t *inode, struct allot_inode *ai)
{
    uint64_t known = 0;
    uint64_t gen = 0;
    int tries = 0;
    int ret = 0;

    /* After another client's publication known_size is of its generation. */
    do {
        LOCK(&ai->lock);
        {
            known = ai->known_size;
            gen = ai->rec ? ai->rec->r.gen : 0;
        }
        UNLOCK(&ai->lock);
        ret = allot_publish_size(this, inode, known, gen);
    } while (ret == -EREMCHG && ++tries < 4);
    return ret;
}

static int32_t
flush_fail_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
               int32_t op_ret, int32_t op_errno, dict_t *xdata)
{
    open_local_free(frame->local);
    STACK_UNWIND_STRICT(flush, frame, -1, EIO, NULL);
    return 0;
}

/* The brick must hear of it all the same: a flush gives locks back. */
static void
flush_fail(struct open_local *local)
{
    xlator_t *ns = allot_priv(local->frame->this)->ns;

    STACK_WIND(local->frame, flush_fail_cbk, ns, ns->fops->flush, local->fd,
               local->xdata);
}

/* What disperse has lost was told; of its other errors the program hears. */
static int32_t
flush_told_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
               int32_t op_ret, int32_t op_errno, dict_t *xdata)
{
    struct open_local *local = frame->local;

    if (op_ret < 0 && allot_disperse_told(this, local->fd->inode, op_errno))
        op_ret = op_errno = 0;
    open_local_free(local);
    STACK_UNWIND_STRICT(flush, frame, op_ret, op_errno, xdata);
    return 0;
}

static void
flush_task(xlator_t *this, void *arg)
{
    struct open_local *local = arg;
    call_frame_t *frame = local->frame;
    xlator_t *ns = allot_priv(this)->ns;
    fd_t *fd = local->fd;
    struct allot_inode *ai = allot_inode_peek(this, fd->inode);
    dict_t *xdata = local->xdata;
    int sure = allot_disperse_sure(this, fd->inode, fd);
    int ret = 0;

    if (ai->unlinked)
        allot_unlink_ask(this, fd);
    else if (ai->opens <= 1)
        ret = allot_settle(this, fd->inode);
    else
        ret = flush_size(this, fd->inode, ai);
    /* Written, acknowledged, and hidden by another client's extent. */
    if (!ai->unlinked && allot_fd_rehomed(this, ai, fd, _gf_true))
        ret = -EIO;
    if (sure == -ENOMEM)
        ret = -EIO;
    if (ret == -EIO) {
        flush_fail(local);
        return;
    }
    if (ret)
        gf_msg(this->name, GF_LOG_INFO, -ret, ALLOT_MSG_PROTOCOL,
               "gfid %s is not settled yet: the next close does it",
               uuid_utoa(fd->inode->gfid));
    if (ai->base_lost) {
        STACK_WIND(frame, flush_told_cbk, ns, ns->fops->flush, fd, xdata);
        return;
    }
    frame->local = NULL;
    STACK_WIND_TAIL(frame, ns, ns->fops->flush, fd, xdata);
    fd_unref(fd);
    if (xdata)
        dict_unref(xdata);
    GF_FREE(local);
}

/* What has no name any more need not be settled; but who may remove its
 * portions must be asked while it is open. */
static gf_boolean_t
flush_has_work(xlator_t *this, struct allot_inode *ai, fd_t *fd)
{
    gf_boolean_t last = ai->opens <= 1;
    gf_boolean_t longer = _gf_false;

    if (ai->unlinked)
        return last && ai->kind == ALLOT_KIND_SPREAD && !ai->base_fd;
    if (last && allot_closes_dirty(ai))
        return _gf_true;
    if (allot_fd_rehomed(this, ai, fd, _gf_false))
        return _gf_true;
    if ((allot_fd_flags(this, fd) & O_ACCMODE) == O_RDONLY)
        return _gf_false;
    LOCK(&ai->lock);
    {
        longer =
            ai->kind == ALLOT_KIND_SPREAD && ai->known_size > ai->rec->r.size;
    }
    UNLOCK(&ai->lock);
    return longer || allot_slots_unrecorded(ai) ||
           (ai->kind == ALLOT_KIND_SPREAD &&
            (ai->base_unrecorded || ai->base_lost));
}

static int32_t
flush_behind_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                 int32_t op_ret, int32_t op_errno, dict_t *xdata)
{
    fd_unref(cookie);
    STACK_DESTROY(frame->root);
    return 0;
}

/* A close that leaves allot nothing to do waits for nothing: what was written
 * is acknowledged, the brick keeps nothing of an fd but locks, and of those
 * this client has taken none on this file. So the brick hears of it, and the
 * program goes on. (That is what write-behind does for all files, unless its
 * flush-behind is off, as spread ones want it.) Sets keep more: replicate its
 * marks, disperse lengths.
 */
static gf_boolean_t
flush_behind(call_frame_t *frame, xlator_t *this, struct allot_inode *ai,
             fd_t *fd, dict_t *xdata)
{
    struct allot_priv *priv = allot_priv(this);
    call_frame_t *own = NULL;

    if (priv->ns_replicated || priv->ns_dispersed ||
        allot_dispersed_any(this) || ai->locked ||
        (ai->kind != ALLOT_KIND_PLAIN && ai->kind != ALLOT_KIND_SPREAD))
        return _gf_false;
    own = copy_frame(frame);
    if (!own)
        return _gf_false;
    STACK_WIND_COOKIE(own, flush_behind_cbk, fd_ref(fd), priv->ns,
                      priv->ns->fops->flush, fd, xdata);
    STACK_UNWIND_STRICT(flush, frame, 0, 0, NULL);
    return _gf_true;
}

int32_t
allot_flush(call_frame_t *frame, xlator_t *this, fd_t *fd, dict_t *xdata)
{
    struct allot_inode *ai = allot_inode_peek(this, fd->inode);
    xlator_t *ns = allot_priv(this)->ns;
    struct open_local *local = NULL;

    if (ai && flush_has_work(this, ai, fd))
        local = open_local_new(frame, this, GF_FOP_FLUSH, NULL, fd, 0, xdata);
    if (local) {
        if (allot_run(this, fd->inode, _gf_true, flush_task, local) == 0)
            return 0;
        open_local_free(local);
    } else if (ai && flush_behind(frame, this, ai, fd, xdata)) {
        return 0;
    }
    STACK_WIND_TAIL(frame, ns, ns->fops->flush, fd, xdata);
    return 0;
}

/* ---- fsync
 * --------------------------------------------------------------------------------
 */

/* The answer of a brick that went away a moment ago. */
static gf_boolean_t
fsync_is_away(const struct allot_call *call)
{
    return call->ret < 0 && (call->err == ENOTCONN || call->err == EBADFD);
}

/* What was written to @idx, which is away, cannot be made sure of now. Is that
 * to be told? It is once, as the kernel does; when the brick is back the next
 * fsync takes it along. */
static gf_boolean_t
fsync_loses(struct allot_inode *ai, uint16_t idx)
{
    return allot_slot_unsynced(ai, idx, 0);
}

/* All portions: what another fd, or another client, has written is this file's
 * too, and the kernel of its brick may still hold it. Alone. */
static int
fsync_portions(xlator_t *this, fd_t *fd, struct allot_inode *ai,
               int32_t datasync)
{
    struct allot_rec *rec = allot_inode_rec(ai, NULL);
    inode_t *inode = fd->inode;
    struct allot_brick_view view;
    struct allot_call *calls = NULL;
    int n = rec ? rec->r.layout->brick_count : 0;
    int *errs = NULL;
    struct allot_glimpse seen;
    struct allot_patience patience = {
        0,
    };
    gf_boolean_t ask = _gf_false;
    uint64_t known = 0;
    int ret = 0;
    int i = 0;

    if (n == 0)
        goto out;
    calls = GF_CALLOC(n, sizeof(*calls), allot_mt_calls);
    errs = GF_CALLOC(n, sizeof(*errs), allot_mt_misc);
    if (!calls || !errs) {
        ret = -ENOMEM;
        goto out;
    }
    /* One that cannot be opened is judged below. */
    ret = allot_portions_open(this, inode, rec->r.layout->bricks, n, errs);
    if (ret == -EREMCHG)
        goto out;
    ret = 0;
    for (i = 0; i < n; i++) {
        allot_call_init(&calls[i], NULL, GF_FOP_FSYNC);
        calls[i].ret = 0;
        calls[i].fd = allot_slot_fd(this, ai, rec->r.layout->bricks[i], &view);
        if (!calls[i].fd) {
            if (fsync_loses(ai, rec->r.layout->bricks[i]))
                ret = -EIO;
            continue;
        }
        calls[i].xl = view.xl;
        calls[i].flags = ai->full_sync ? 0 : datasync;
        calls[i].xdata = rec->gen_xdata;
    }
    allot_fan(this, calls, n);
    for (i = 0; i < n; i++) {
        if (!calls[i].fd)
            continue;
        if (calls[i].ret < 0 && calls[i].err == EBADF &&
            allot_dispersed(this, calls[i].xl)) {
            /* Disperse has forgotten something. Told below. */
            allot_slot_recorded(ai, rec->r.layout->bricks[i], _gf_false);
            fd_unref(calls[i].fd);
            continue;
        }
        if (fsync_is_away(&calls[i])) {
            /* As if it had been away before; but what is done again from the
             * start tells nothing yet. */
            if (ret != -EREMCHG && fsync_loses(ai, rec->r.layout->bricks[i]))
                ret = ret ? ret : -EIO;
        } else if (calls[i].ret < 0 && !ret) {
            ret = calls[i].err == ALLOT_ERR_OLD ||
                          calls[i].err == ALLOT_ERR_BEHIND
                      ? -EREMCHG
                      : -calls[i].err;
        }
        if (calls[i].ret >= 0)
            allot_slot_unsynced(ai, rec->r.layout->bricks[i], 0);
        /* A portion that missed a fence while its brick was away. */
        if (calls[i].ret < 0 && calls[i].err == ALLOT_ERR_BEHIND)
            allot_fence(this, inode, &rec->r, rec->r.gen,
                        &rec->r.layout->bricks[i], 1, NULL);
        fd_unref(calls[i].fd);
    }
    if (ret == -EREMCHG)
        allot_catch_up(this, inode, rec->r.gen);
    if (ret == 0 && allot_disperse_sure(this, inode, fd) == -ENOMEM)
        ret = -ENOMEM;
    if (ret == 0) {
        if (allot_fd_rehomed(this, ai, fd, _gf_true))
            ret = -EIO;
        LOCK(&ai->lock);
        {
            if (ai->rec == rec) {
                ai->full_sync = _gf_false;
                known = ai->known_size;
            }
            ask = ai->unsynced_to > rec->r.size && known <= rec->r.size;
        }
        UNLOCK(&ai->lock);
        /* The generation has changed since the writes: what was acknowledged
         * before proves no size, the portions do. */
        if (ret == 0 && ask && (rec->r.flags & ALLOT_RECORD_DIRTY) &&
            allot_glimpse(this, inode, &rec->r, 0, &seen, NULL, NULL) == 0)
            known = seen.size.known;
        allot_stop(this, ALLOT_STOP_FSYNC_PORTIONS);
        /* Another client's publication at this generation changes nothing of
         * what was synced. */
        while (ret == 0 && known > rec->r.size) {
            ret = allot_publish_size(this, inode, known, rec->r.gen);
            if (ret != -EREMCHG || allot_inode_gen(ai) != rec->r.gen ||
                !allot_patience_left(this, inode, &patience))
                break;
            ret = 0;
        }
        allot_stop(this, ALLOT_STOP_FSYNC_PUBLISHED);
        LOCK(&ai->lock);
        {
            /* Told, or durable; but not while another client's publication
             * came first. */
            if (ret != -EREMCHG)
                ai->unsynced_to = 0;
        }
        UNLOCK(&ai->lock);
    }
out:
    GF_FREE(calls);
    GF_FREE(errs);
    allot_rec_unref(rec);
    return ret;
}

static void
fsync_task(xlator_t *this, void *arg)
{
    struct open_local *local = arg;
    struct allot_inode *ai = allot_inode_get(this, local->fd->inode);
    call_frame_t *frame = local->frame;
    struct iatt hollow;
    int32_t op_ret = 0;
    struct allot_patience patience = {
        0,
    };
    int ret = 0;

    do {
        if (ai->stale || ai->kind == ALLOT_KIND_UNKNOWN)
            ret = allot_refresh(this, local->fd->inode, NULL);
        if (ret == 0)
            ret = fsync_portions(this, local->fd, ai, local->flags);
        if (ret == 0)
            ret = allot_sync_base(this, local->fd->inode, local->fd,
                                  local->xdata);
    } while (ret == -EREMCHG &&
             allot_patience_left(this, local->fd->inode, &patience) &&
             !(ret = 0));

    if (ret == -EREMCHG || ret == -ENOTCONN || ret == -EBADFD)
        ret = -EIO;
    /* The base's size is not the file's: a hollow answer. */
    allot_iatt_hollow(local->fd->inode, &hollow);
    op_ret = ret ? -1 : 0;
    open_local_free(local);
    STACK_UNWIND_STRICT(fsync, frame, op_ret, -ret, &hollow, &hollow, NULL);
}

/* A plain file: one call; a refusal means that it is not plain any more. */
static int32_t
fsync_plain_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                int32_t op_ret, int32_t op_errno, struct iatt *prebuf,
                struct iatt *postbuf, dict_t *xdata)
{
    struct open_local *local = frame->local;

    /* A second sync would not tell of what the first one could not write. */
    if (op_errno != EIO &&
        allot_base_refused(this, local->fd->inode, op_ret, op_errno,
                           &local->patience) &&
        allot_run(this, local->fd->inode, _gf_true, fsync_task, local) == 0)
        return 0;
    open_local_free(local);
    STACK_UNWIND_STRICT(fsync, frame, op_ret,
                        op_ret < 0 ? allot_errno(op_errno) : op_errno, prebuf,
                        postbuf, xdata);
    return 0;
}

int32_t
allot_fsync(call_frame_t *frame, xlator_t *this, fd_t *fd, int32_t datasync,
            dict_t *xdata)
{
    struct allot_inode *ai = allot_inode_peek(this, fd->inode);
    xlator_t *ns = allot_priv(this)->ns;
    struct open_local *local = NULL;
    dict_t *x = NULL;

    local =
        open_local_new(frame, this, GF_FOP_FSYNC, NULL, fd, datasync, xdata);
    if (!local)
        goto err;
    if (ai && ai->kind == ALLOT_KIND_SPREAD) {
        if (allot_run(this, fd->inode, _gf_true, fsync_task, local) == 0)
            return 0;
        open_local_free(local);
        goto err;
    }
    x = allot_xdata_with_gen(this, xdata, ai ? allot_inode_gen(ai) : 0);
    STACK_WIND(frame, fsync_plain_cbk, ns, ns->fops->fsync, fd, datasync, x);
    if (x)
        dict_unref(x);
    return 0;
err:
    STACK_UNWIND_STRICT(fsync, frame, -1, ENOMEM, NULL, NULL, NULL);
    return 0;
}
