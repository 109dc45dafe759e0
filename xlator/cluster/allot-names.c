/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-names.c - the fops that make, change and remove names.
 *
 * All names are the namespace's; every one of these fops is one call to it.
 * Added here:
 *   - "/.allot" cannot be named: not made, not linked, not renamed, not
 * removed;
 *   - the file whose name goes away (unlink, the target of a rename), when it
 *     is known to be spread, has its portions removed afterwards;
 *   - the iatt of a spread file in a reply (link, rename) gets the file's size.
 *
 * Deliberately not here: when portions may be removed (allot-proto-unlink.c),
 * how a size is found (allot-proto.h), names of portions.
 */
#include "allot-names.h"
#include "allot-proto.h"

gf_boolean_t
allot_hidden_gfid(const uuid_t gfid)
{
    static const unsigned char fixed[16] = {ALLOT_DIR_GFID_BYTES};

    if (memcmp(gfid, fixed, 14) != 0)
        return _gf_false;
    return (gfid[14] == 0x01 && gfid[15] == 0x00) || gfid[14] == 0x02;
}

gf_boolean_t
allot_hidden_loc(loc_t *loc)
{
    if (allot_hidden_name(loc))
        return _gf_true;
    if (allot_hidden_inode(loc->inode) || allot_hidden_inode(loc->parent))
        return _gf_true;
    return allot_hidden_gfid(loc->gfid) || allot_hidden_gfid(loc->pargfid);
}

gf_boolean_t
allot_known_spread(xlator_t *this, inode_t *inode)
{
    struct allot_inode *ai = inode ? allot_inode_peek(this, inode) : NULL;
    gf_boolean_t spread = _gf_false;

    if (!ai)
        return _gf_false;
    LOCK(&ai->lock);
    {
        spread = (ai->kind == ALLOT_KIND_SPREAD);
    }
    UNLOCK(&ai->lock);
    return spread;
}

/*
 * One unlink, rename or link that concerns a spread file:
 *
 *   [prepare the file that goes]  synctask, only if @gone and not @told
 *   the user's call               one wind
 *   [clean up after @gone]        synctask; if @told, only if something is left
 *   [find the size of @shown]     synctask, only if it must be asked for
 *   reply                         in allot_name_reply(), and nowhere else
 */
struct allot_name_op {
    call_frame_t *frame;
    glusterfs_fop_t fop;
    loc_t loc;         /* unlink: the name; rename, link: the old name */
    loc_t newloc;      /* rename, link */
    int xflag;         /* unlink */
    dict_t *xdata;     /* of the request */
    inode_t *gone;     /* the spread file whose name goes; NULL */
    inode_t *shown;    /* the spread file whose iatt is in the reply; NULL */
    gf_boolean_t ask;  /* @shown's size must be asked for */
    gf_boolean_t told; /* the answer tells what becomes of @gone ... */
    uint64_t nonce;    /* ... whose portions are these */

    /* The reply. */
    int32_t op_ret;
    int32_t op_errno;
    inode_t *inode; /* link */
    struct iatt buf;
    struct iatt pre[2];
    struct iatt post[2];
    dict_t *rsp;
};

static struct allot_name_op *
allot_name_op_new(call_frame_t *frame, glusterfs_fop_t fop, loc_t *loc,
                  loc_t *newloc, inode_t *gone, inode_t *shown, dict_t *xdata)
{
    struct allot_name_op *op = GF_CALLOC(1, sizeof(*op), allot_mt_local);

    if (!op)
        return NULL;
    op->frame = frame;
    op->fop = fop;
    if (loc_copy(&op->loc, loc) != 0 ||
        (newloc && loc_copy(&op->newloc, newloc) != 0)) {
        loc_wipe(&op->loc);
        loc_wipe(&op->newloc);
        GF_FREE(op);
        return NULL;
    }
    op->xdata = xdata ? dict_ref(xdata) : NULL;
    op->gone = gone ? inode_ref(gone) : NULL;
    op->shown = shown ? inode_ref(shown) : NULL;
    return op;
}

static void
allot_name_op_free(struct allot_name_op *op)
{
    loc_wipe(&op->loc);
    loc_wipe(&op->newloc);
    if (op->xdata)
        dict_unref(op->xdata);
    if (op->rsp)
        dict_unref(op->rsp);
    if (op->gone)
        inode_unref(op->gone);
    if (op->shown)
        inode_unref(op->shown);
    if (op->inode)
        inode_unref(op->inode);
    GF_FREE(op);
}

/* The one place that replies. @op is gone afterwards. */
static void
allot_name_reply(struct allot_name_op *op)
{
    call_frame_t *frame = op->frame;

    frame->local = NULL;
    switch (op->fop) {
        case GF_FOP_UNLINK:
            STACK_UNWIND_STRICT(unlink, frame, op->op_ret, op->op_errno,
                                &op->pre[0], &op->post[0], op->rsp);
            break;
        case GF_FOP_RENAME:
            STACK_UNWIND_STRICT(rename, frame, op->op_ret, op->op_errno,
                                &op->buf, &op->pre[0], &op->post[0],
                                &op->pre[1], &op->post[1], op->rsp);
            break;
        default:
            STACK_UNWIND_STRICT(link, frame, op->op_ret, op->op_errno,
                                op->inode, &op->buf, &op->pre[0], &op->post[0],
                                op->rsp);
            break;
    }
    allot_name_op_free(op);
}

/* The name is made, but the size cannot be asked for: show no less than is
 * known to exist. */
static void
allot_name_lower_bound(xlator_t *this, struct allot_name_op *op)
{
    struct allot_inode *ai = allot_inode_peek(this, op->shown);
    uint64_t known = 0;

    if (!ai)
        return;
    LOCK(&ai->lock);
    {
        known = ai->known_size;
    }
    UNLOCK(&ai->lock);
    if (op->buf.ia_size < known)
        op->buf.ia_size = known;
}

static void
allot_name_finish_task(xlator_t *this, void *arg)
{
    struct allot_name_op *op = arg;
    int ret = 0;

    if (op->told) {
        allot_unlink_remove(this, op->gone, op->nonce);
    } else if (op->gone) {
        ret = allot_unlink_done(this, op->gone);
        if (ret < 0)
            gf_msg(this->name, GF_LOG_WARNING, -ret, ALLOT_MSG_PROTOCOL,
                   "%s: a name was removed, its portions are removed later",
                   uuid_utoa(op->gone->gfid));
    }
    if (op->ask && allot_glimpse_iatt(this, op->shown, &op->buf) < 0)
        allot_name_lower_bound(this, op);
    allot_name_reply(op);
}

/* The namespace has answered; the answer is in @op. */
static void
allot_name_finish(xlator_t *this, struct allot_name_op *op)
{
    if (op->shown && op->op_ret >= 0)
        op->ask = (allot_inode_iatt(this, op->shown, &op->buf) == 0);

    if (op->told && op->op_ret >= 0)
        op->nonce = allot_unlink_parted(op->gone, op->rsp);
    if (op->told ? !op->nonce : !op->gone && !op->ask) {
        allot_name_reply(op);
        return;
    }
    if (allot_run(this, op->gone ? op->gone : op->shown, _gf_false,
                  allot_name_finish_task, op) == 0)
        return;

    gf_msg(this->name, GF_LOG_WARNING, ENOMEM, ALLOT_MSG_NO_MEMORY,
           "%s: no memory to clean up after a name",
           uuid_utoa(op->gone ? op->gone->gfid : op->shown->gfid));
    if (op->ask)
        allot_name_lower_bound(this, op);
    allot_name_reply(op);
}

static void
allot_name_keep(struct allot_name_op *op, int32_t op_ret, int32_t op_errno,
                dict_t *xdata)
{
    op->op_ret = op_ret;
    op->op_errno = op_errno;
    op->rsp = xdata ? dict_ref(xdata) : NULL;
}

/* Replies of failures carry no iatts. */
static void
allot_name_keep_iatt(struct iatt *to, struct iatt *from)
{
    if (from)
        *to = *from;
}

static int32_t
allot_unlink_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                 int32_t op_ret, int32_t op_errno, struct iatt *preparent,
                 struct iatt *postparent, dict_t *xdata)
{
    struct allot_name_op *op = frame->local;

    allot_name_keep(op, op_ret, op_errno, xdata);
    allot_name_keep_iatt(&op->pre[0], preparent);
    allot_name_keep_iatt(&op->post[0], postparent);
    allot_name_finish(this, op);
    return 0;
}

static int32_t
allot_rename_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                 int32_t op_ret, int32_t op_errno, struct iatt *buf,
                 struct iatt *preoldparent, struct iatt *postoldparent,
                 struct iatt *prenewparent, struct iatt *postnewparent,
                 dict_t *xdata)
{
    struct allot_name_op *op = frame->local;

    allot_name_keep(op, op_ret, op_errno, xdata);
    allot_name_keep_iatt(&op->buf, buf);
    allot_name_keep_iatt(&op->pre[0], preoldparent);
    allot_name_keep_iatt(&op->post[0], postoldparent);
    allot_name_keep_iatt(&op->pre[1], prenewparent);
    allot_name_keep_iatt(&op->post[1], postnewparent);
    allot_name_finish(this, op);
    return 0;
}

static int32_t
allot_link_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
               int32_t op_ret, int32_t op_errno, inode_t *inode,
               struct iatt *buf, struct iatt *preparent,
               struct iatt *postparent, dict_t *xdata)
{
    struct allot_name_op *op = frame->local;

    allot_name_keep(op, op_ret, op_errno, xdata);
    op->inode = inode ? inode_ref(inode) : NULL;
    allot_name_keep_iatt(&op->buf, buf);
    allot_name_keep_iatt(&op->pre[0], preparent);
    allot_name_keep_iatt(&op->post[0], postparent);
    allot_name_finish(this, op);
    return 0;
}

static void
allot_name_wind(xlator_t *this, struct allot_name_op *op)
{
    xlator_t *ns = allot_priv(this)->ns;

    op->frame->local = op;
    switch (op->fop) {
        case GF_FOP_UNLINK:
            STACK_WIND(op->frame, allot_unlink_cbk, ns, ns->fops->unlink,
                       &op->loc, op->xflag, op->xdata);
            break;
        case GF_FOP_RENAME:
            STACK_WIND(op->frame, allot_rename_cbk, ns, ns->fops->rename,
                       &op->loc, &op->newloc, op->xdata);
            break;
        default:
            STACK_WIND(op->frame, allot_link_cbk, ns, ns->fops->link, &op->loc,
                       &op->newloc, op->xdata);
            break;
    }
}

static void
allot_name_prepare_task(xlator_t *this, void *arg)
{
    struct allot_name_op *op = arg;
    int ret = allot_unlink_prepare(this, op->gone);

    /* The name must be removable even if the data cannot be reached. */
    if (ret < 0)
        gf_msg(this->name, GF_LOG_WARNING, -ret, ALLOT_MSG_PROTOCOL,
               "%s: cannot hold the file while a name of it is removed",
               uuid_utoa(op->gone->gfid));
    allot_name_wind(this, op);
}

static void
allot_name_start(xlator_t *this, struct allot_name_op *op)
{
    if (op->gone && !op->told &&
        allot_run(this, op->gone, _gf_false, allot_name_prepare_task, op) == 0)
        return;
    allot_name_wind(this, op);
}

/* Asks what becomes of the file, if that can be told with the answer. */
static void
allot_unlink_ask_with(xlator_t *this, struct allot_name_op *op)
{
    dict_t *xdata = NULL;

    if (!allot_unlink_told(this, op->gone))
        return;
    xdata = op->xdata ? dict_copy_with_ref(op->xdata, NULL) : dict_new();
    if (!xdata)
        return;
    if (dict_set_uint32(xdata, ALLOT_KEY_PART, 1)) {
        dict_unref(xdata);
        return;
    }
    if (op->xdata)
        dict_unref(op->xdata);
    op->xdata = xdata;
    op->told = _gf_true;
}

int32_t
allot_unlink(call_frame_t *frame, xlator_t *this, loc_t *loc, int xflag,
             dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;
    struct allot_name_op *op = NULL;

    if (allot_hidden_loc(loc)) {
        STACK_UNWIND_STRICT(unlink, frame, -1, ENOENT, NULL, NULL, NULL);
        return 0;
    }
    if (!allot_known_spread(this, loc->inode)) {
        STACK_WIND_TAIL(frame, ns, ns->fops->unlink, loc, xflag, xdata);
        return 0;
    }
    op = allot_name_op_new(frame, GF_FOP_UNLINK, loc, NULL, loc->inode, NULL,
                           xdata);
    if (!op) {
        STACK_UNWIND_STRICT(unlink, frame, -1, ENOMEM, NULL, NULL, NULL);
        return 0;
    }
    op->xflag = xflag;
    allot_unlink_ask_with(this, op);
    allot_name_start(this, op);
    return 0;
}

int32_t
allot_rename(call_frame_t *frame, xlator_t *this, loc_t *oldloc, loc_t *newloc,
             dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;
    inode_t *gone = NULL;
    inode_t *shown = NULL;
    struct allot_name_op *op = NULL;

    if (allot_hidden_loc(oldloc) || allot_hidden_loc(newloc)) {
        STACK_UNWIND_STRICT(rename, frame, -1,
                            allot_hidden_loc(oldloc) ? ENOENT : EPERM, NULL,
                            NULL, NULL, NULL, NULL, NULL);
        return 0;
    }
    if (allot_known_spread(this, oldloc->inode))
        shown = oldloc->inode;
    /* Two names of one file: the rename does nothing, or removes one. */
    if (allot_known_spread(this, newloc->inode))
        gone = newloc->inode;

    if (!gone && !shown) {
        STACK_WIND_TAIL(frame, ns, ns->fops->rename, oldloc, newloc, xdata);
        return 0;
    }
    op = allot_name_op_new(frame, GF_FOP_RENAME, oldloc, newloc, gone, shown,
                           xdata);
    if (!op) {
        STACK_UNWIND_STRICT(rename, frame, -1, ENOMEM, NULL, NULL, NULL, NULL,
                            NULL, NULL);
        return 0;
    }
    allot_name_start(this, op);
    return 0;
}

int32_t
allot_link(call_frame_t *frame, xlator_t *this, loc_t *oldloc, loc_t *newloc,
           dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;
    struct allot_name_op *op = NULL;

    if (allot_hidden_loc(oldloc) || allot_hidden_loc(newloc)) {
        STACK_UNWIND_STRICT(link, frame, -1,
                            allot_hidden_loc(oldloc) ? ENOENT : EPERM, NULL,
                            NULL, NULL, NULL, NULL);
        return 0;
    }
    if (!allot_known_spread(this, oldloc->inode)) {
        STACK_WIND_TAIL(frame, ns, ns->fops->link, oldloc, newloc, xdata);
        return 0;
    }
    op = allot_name_op_new(frame, GF_FOP_LINK, oldloc, newloc, NULL,
                           oldloc->inode, xdata);
    if (!op) {
        STACK_UNWIND_STRICT(link, frame, -1, ENOMEM, NULL, NULL, NULL, NULL,
                            NULL);
        return 0;
    }
    allot_name_start(this, op);
    return 0;
}

int32_t
allot_mknod(call_frame_t *frame, xlator_t *this, loc_t *loc, mode_t mode,
            dev_t rdev, mode_t umask, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    if (allot_hidden_loc(loc)) {
        STACK_UNWIND_STRICT(mknod, frame, -1, EPERM, NULL, NULL, NULL, NULL,
                            NULL);
        return 0;
    }
    STACK_WIND_TAIL(frame, ns, ns->fops->mknod, loc, mode, rdev, umask, xdata);
    return 0;
}

int32_t
allot_mkdir(call_frame_t *frame, xlator_t *this, loc_t *loc, mode_t mode,
            mode_t umask, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    if (allot_hidden_loc(loc)) {
        STACK_UNWIND_STRICT(mkdir, frame, -1, EPERM, NULL, NULL, NULL, NULL,
                            NULL);
        return 0;
    }
    STACK_WIND_TAIL(frame, ns, ns->fops->mkdir, loc, mode, umask, xdata);
    return 0;
}

int32_t
allot_symlink(call_frame_t *frame, xlator_t *this, const char *linkname,
              loc_t *loc, mode_t umask, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    if (allot_hidden_loc(loc)) {
        STACK_UNWIND_STRICT(symlink, frame, -1, EPERM, NULL, NULL, NULL, NULL,
                            NULL);
        return 0;
    }
    STACK_WIND_TAIL(frame, ns, ns->fops->symlink, linkname, loc, umask, xdata);
    return 0;
}

int32_t
allot_rmdir(call_frame_t *frame, xlator_t *this, loc_t *loc, int xflag,
            dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    if (allot_hidden_loc(loc)) {
        STACK_UNWIND_STRICT(rmdir, frame, -1, ENOENT, NULL, NULL, NULL);
        return 0;
    }
    STACK_WIND_TAIL(frame, ns, ns->fops->rmdir, loc, xflag, xdata);
    return 0;
}

int32_t
allot_readlink(call_frame_t *frame, xlator_t *this, loc_t *loc, size_t size,
               dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    STACK_WIND_TAIL(frame, ns, ns->fops->readlink, loc, size, xdata);
    return 0;
}

/* A second name for an inode that is still without one. Only servers send it,
 * and never through a client graph; it changes no data. */
int32_t
allot_namelink(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    if (allot_hidden_loc(loc)) {
        STACK_UNWIND_STRICT(namelink, frame, -1, EPERM, NULL, NULL, NULL);
        return 0;
    }
    STACK_WIND_TAIL(frame, ns, ns->fops->namelink, loc, xdata);
    return 0;
}
