/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-stat.c - lookup, stat, fstat, setattr, fsetattr, access: one call to
 * the namespace, which brings the record along; only a spread file that
 * somebody is writing costs a glimpse.
 */
#include "allot-fops.h"
#include "allot-proto.h"

struct stat_local {
    call_frame_t *frame;
    glusterfs_fop_t fop;
    inode_t *inode;
    struct iatt pre;
    struct iatt buf;
    struct iatt postparent;
    dict_t *xdata;
    gf_boolean_t mtime; /* setattr: of all portions too */
};

static gf_boolean_t
stat_regular(const struct iatt *buf)
{
    return buf->ia_type == IA_IFREG;
}

/* @pre: of setattr, @postparent: of lookup. Changes @pre. */
static void
stat_answer(call_frame_t *frame, glusterfs_fop_t fop, int32_t ret, int32_t err,
            inode_t *inode, struct iatt *pre, struct iatt *buf,
            struct iatt *postparent, dict_t *xdata)
{
    switch (fop) {
        case GF_FOP_LOOKUP:
            STACK_UNWIND_STRICT(lookup, frame, ret, err, inode, buf, xdata,
                                postparent);
            break;
        case GF_FOP_STAT:
            STACK_UNWIND_STRICT(stat, frame, ret, err, buf, xdata);
            break;
        case GF_FOP_FSTAT:
            STACK_UNWIND_STRICT(fstat, frame, ret, err, buf, xdata);
            break;
        case GF_FOP_SETATTR:
            pre->ia_size = buf->ia_size;
            STACK_UNWIND_STRICT(setattr, frame, ret, err, pre, buf, xdata);
            break;
        default:
            pre->ia_size = buf->ia_size;
            STACK_UNWIND_STRICT(fsetattr, frame, ret, err, pre, buf, xdata);
    }
}

static void
stat_unwind(struct stat_local *local, int32_t ret, int32_t err)
{
    stat_answer(local->frame, local->fop, ret, err, local->inode, &local->pre,
                &local->buf, &local->postparent, local->xdata);
    if (local->xdata)
        dict_unref(local->xdata);
    inode_unref(local->inode);
    GF_FREE(local);
}

static void
stat_task(xlator_t *this, void *arg)
{
    struct stat_local *local = arg;
    int ret = 0;

    if (local->mtime)
        allot_set_mtimes(this, local->inode, &local->buf);
    ret = allot_glimpse_iatt(this, local->inode, &local->buf);
    stat_unwind(local, ret ? -1 : 0, allot_errno(-ret));
}

static void
stat_heal_task(xlator_t *this, void *arg)
{
    allot_refresh(this, arg, NULL);
}

/* After a brick went or came: replicate heals the base in a read that follows a
 * lookup, and a spread file's reads do not reach it. One stat per file and
 * event, in the background; none while nothing happens. */
static void
stat_heal(xlator_t *this, inode_t *inode)
{
    struct allot_inode *ai = NULL;
    uint64_t version = 0;
    gf_boolean_t changed = _gf_false;

    if (allot_priv(this)->ns_kind != ALLOT_NS_REPLICATE)
        return;
    ai = allot_inode_peek(this, inode);
    version = allot_bricks_version(this);
    if (!ai || !ai->rec)
        return;
    LOCK(&ai->lock);
    {
        changed = ai->base_seen && ai->base_seen != version;
        ai->base_seen = version;
    }
    UNLOCK(&ai->lock);
    if (changed)
        allot_run(this, inode, _gf_false, stat_heal_task, inode);
}

/* An answer whose size the portions must be asked for. */
static void
stat_later(call_frame_t *frame, xlator_t *this, glusterfs_fop_t fop,
           inode_t *inode, struct iatt *pre, struct iatt *buf,
           struct iatt *postparent, dict_t *xdata, gf_boolean_t mtime)
{
    struct stat_local *local = GF_CALLOC(1, sizeof(*local), allot_mt_local);
    struct iatt none = {
        0,
    };

    if (!local) {
        stat_answer(frame, fop, -1, ENOMEM, NULL, &none, &none, &none, NULL);
        return;
    }
    local->frame = frame;
    local->fop = fop;
    local->inode = inode_ref(inode);
    local->buf = *buf;
    local->mtime = mtime;
    if (pre)
        local->pre = *pre;
    if (postparent)
        local->postparent = *postparent;
    if (xdata)
        local->xdata = dict_ref(xdata);
    if (allot_run(this, inode, _gf_false, stat_task, local))
        stat_unwind(local, -1, ENOMEM);
}

/* A lookup's record is taken in, that of a time when the bricks were at
 * @version. */
static void
stat_looked(xlator_t *this, inode_t *inode, uint64_t version)
{
    struct allot_inode *ai = allot_inode_peek(this, inode);

    if (ai)
        ai->seen_version = version;
    if (allot_priv(this)->ns_replicated)
        allot_base_looked(this, inode);
    stat_heal(this, inode);
}

/* The reply of the namespace for a regular file: learn, then fix the size. The
 * reply is given in any case. That of a plain file is given at once, as it
 * came. @how: of a lookup the version for stat_looked(), of a setattr whether
 * it sets the mtime. */
static void
stat_finish(call_frame_t *frame, xlator_t *this, glusterfs_fop_t fop,
            inode_t *inode, struct iatt *pre, struct iatt *buf,
            struct iatt *postparent, dict_t *xdata, uintptr_t how)
{
    enum allot_kind kind = ALLOT_KIND_UNKNOWN;
    gf_boolean_t sets = fop == GF_FOP_SETATTR || fop == GF_FOP_FSETATTR;
    struct iatt shown = *buf;
    struct iatt before = {
        0,
    };

    /* setattr's answer carries no record. */
    if (!sets) {
        kind = allot_inode_learn(this, inode, xdata, buf);
        if (fop == GF_FOP_LOOKUP)
            stat_looked(this, inode, how);
        if (xdata) {
            dict_del_sizen(xdata, ALLOT_XATTR_RECORD);
            /* quick-read asked for the content: of a spread file that is the
             * inline part only. */
            if (kind == ALLOT_KIND_SPREAD || kind == ALLOT_KIND_BROKEN)
                dict_del_sizen(xdata, GF_CONTENT_KEY);
        }
    }
    if (pre)
        before = *pre;
    if (allot_inode_iatt(this, inode, &shown))
        stat_answer(frame, fop, 0, 0, inode, &before, &shown, postparent,
                    xdata);
    else
        stat_later(frame, this, fop, inode, pre, &shown, postparent, xdata,
                   sets && how);
}

/* ---- lookup
 * ------------------------------------------------------------------------- */

static int32_t
lookup_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
           int32_t op_errno, inode_t *inode, struct iatt *buf, dict_t *xdata,
           struct iatt *postparent)
{
    if (op_ret < 0 || !stat_regular(buf)) {
        STACK_UNWIND_STRICT(lookup, frame, op_ret, op_errno, inode, buf, xdata,
                            postparent);
        return 0;
    }
    /* A lookup that has just found the inode: its gfid is in the iatt only. */
    if (gf_uuid_is_null(inode->gfid))
        gf_uuid_copy(inode->gfid, buf->ia_gfid);
    /* Another file has the name now. As protocol/client says it. */
    if (gf_uuid_compare(inode->gfid, buf->ia_gfid) != 0) {
        STACK_UNWIND_STRICT(lookup, frame, -1, ESTALE, NULL, NULL, NULL, NULL);
        return 0;
    }
    stat_finish(frame, this, GF_FOP_LOOKUP, inode, NULL, buf, postparent, xdata,
                (uintptr_t)cookie);
    return 0;
}

int32_t
allot_lookup(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;
    dict_t *x = NULL;

    if (allot_hidden_name(loc) || allot_hidden_gfid(loc->gfid) ||
        (loc->inode && allot_hidden_gfid(loc->inode->gfid)) ||
        allot_hidden_gfid(loc->pargfid)) {
        STACK_UNWIND_STRICT(lookup, frame, -1, ENOENT, NULL, NULL, NULL, NULL);
        return 0;
    }
    x = allot_xdata_with_record_req(this, xdata);
    if (!x) {
        STACK_UNWIND_STRICT(lookup, frame, -1, ENOMEM, NULL, NULL, NULL, NULL);
        return 0;
    }
    STACK_WIND_COOKIE(frame, lookup_cbk,
                      (void *)(uintptr_t)allot_bricks_version(this), ns,
                      ns->fops->lookup, loc, x);
    dict_unref(x);
    return 0;
}

/* ---- stat, fstat
 * ---------------------------------------------------------------------- */

static int32_t
look_first_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
               int32_t op_ret, int32_t op_errno, inode_t *inode,
               struct iatt *buf, dict_t *xdata, struct iatt *postparent)
{
    call_stub_t *stub = cookie;

    /* If it failed that is for the call itself to say. */
    if (op_ret >= 0)
        allot_base_looked(
            this, stub->args.fd ? stub->args.fd->inode : stub->args.loc.inode);
    call_resume(stub);
    return 0;
}

/* Replicate asks all replicas, and then the call goes on. */
static void
look_first(call_frame_t *frame, xlator_t *this, inode_t *inode,
           call_stub_t *stub)
{
    xlator_t *ns = allot_priv(this)->ns;
    loc_t loc = {
        0,
    };

    allot_loc_of_inode(&loc, inode);
    STACK_WIND_COOKIE(frame, look_first_cbk, stub, ns, ns->fops->lookup, &loc,
                      NULL);
    loc_wipe(&loc);
}

static void
stat_again_task(xlator_t *this, void *arg)
{
    struct stat_local *local = arg;
    int ret = allot_refresh(this, local->inode, &local->buf);

    if (ret == 0)
        ret = allot_glimpse_iatt(this, local->inode, &local->buf);
    stat_unwind(local, ret ? -1 : 0, allot_errno(-ret));
}

/* Bricks of a disperse set that have different records have no common answer.
 * Who reads the record makes them agree (docs/protocol.md, 2.15): it does so in
 * the place of a stat or fstat that got EIO. */
static gf_boolean_t
stat_again(call_frame_t *frame, xlator_t *this, glusterfs_fop_t fop,
           inode_t *inode, int32_t op_ret, int32_t op_errno)
{
    struct stat_local *local = NULL;

    if (op_ret >= 0 || op_errno != EIO || !allot_priv(this)->ns_dispersed ||
        inode->ia_type != IA_IFREG)
        return _gf_false;
    local = GF_CALLOC(1, sizeof(*local), allot_mt_local);
    if (!local)
        return _gf_false;
    local->frame = frame;
    local->fop = fop;
    local->inode = inode_ref(inode);
    if (allot_run(this, inode, _gf_false, stat_again_task, local) == 0)
        return _gf_true;
    inode_unref(inode);
    GF_FREE(local);
    return _gf_false;
}

static int32_t
stat_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
         int32_t op_errno, struct iatt *buf, dict_t *xdata)
{
    inode_t *inode = frame->local;

    frame->local = NULL;
    if (stat_again(frame, this, GF_FOP_STAT, inode, op_ret, op_errno))
        goto out;
    if (op_ret < 0 || !stat_regular(buf))
        STACK_UNWIND_STRICT(stat, frame, op_ret, op_errno, buf, xdata);
    else
        stat_finish(frame, this, GF_FOP_STAT, inode, NULL, buf, NULL, xdata, 0);
out:
    inode_unref(inode);
    return 0;
}

/* Known to be a directory or the like: it has no record to be asked for. */
static gf_boolean_t
stat_recordless(const inode_t *inode)
{
    return inode && inode->ia_type != IA_INVAL && inode->ia_type != IA_IFREG;
}

static int32_t
stat_go(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;
    dict_t *x = allot_xdata_with_record_req(this, xdata);

    if (!x) {
        STACK_UNWIND_STRICT(stat, frame, -1, ENOMEM, NULL, NULL);
        return 0;
    }
    frame->local = inode_ref(loc->inode);
    STACK_WIND(frame, stat_cbk, ns, ns->fops->stat, loc, x);
    dict_unref(x);
    return 0;
}

int32_t
allot_stat(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;
    call_stub_t *stub = NULL;

    if (stat_recordless(loc->inode)) {
        STACK_WIND_TAIL(frame, ns, ns->fops->stat, loc, xdata);
        return 0;
    }
    if (allot_base_doubtful(this, loc->inode))
        stub = fop_stat_stub(frame, stat_go, loc, xdata);
    if (!stub)
        return stat_go(frame, this, loc, xdata);
    look_first(frame, this, loc->inode, stub);
    return 0;
}

static int32_t
fstat_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
          int32_t op_errno, struct iatt *buf, dict_t *xdata)
{
    inode_t *inode = frame->local;

    frame->local = NULL;
    if (stat_again(frame, this, GF_FOP_FSTAT, inode, op_ret, op_errno))
        goto out;
    if (op_ret < 0 || !stat_regular(buf))
        STACK_UNWIND_STRICT(fstat, frame, op_ret, op_errno, buf, xdata);
    else
        stat_finish(frame, this, GF_FOP_FSTAT, inode, NULL, buf, NULL, xdata,
                    0);
out:
    inode_unref(inode);
    return 0;
}

static int32_t
fstat_go(call_frame_t *frame, xlator_t *this, fd_t *fd, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;
    dict_t *x = allot_xdata_with_record_req(this, xdata);

    if (!x) {
        STACK_UNWIND_STRICT(fstat, frame, -1, ENOMEM, NULL, NULL);
        return 0;
    }
    frame->local = inode_ref(fd->inode);
    STACK_WIND(frame, fstat_cbk, ns, ns->fops->fstat, fd, x);
    dict_unref(x);
    return 0;
}

int32_t
allot_fstat(call_frame_t *frame, xlator_t *this, fd_t *fd, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;
    call_stub_t *stub = NULL;

    if (stat_recordless(fd->inode)) {
        STACK_WIND_TAIL(frame, ns, ns->fops->fstat, fd, xdata);
        return 0;
    }
    if (allot_base_doubtful(this, fd->inode))
        stub = fop_fstat_stub(frame, fstat_go, fd, xdata);
    if (!stub)
        return fstat_go(frame, this, fd, xdata);
    look_first(frame, this, fd->inode, stub);
    return 0;
}

/* ---- setattr, fsetattr
 * -------------------------------------------------------------------- */

/* A cookie that is not NULL if so. */
#define SETS_MTIME(valid) \
    ((void *)(long)((valid) & (GF_SET_ATTR_MTIME | GF_ATTR_MTIME_NOW)))

static int32_t
setattr_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
            int32_t op_errno, struct iatt *pre, struct iatt *post,
            dict_t *xdata)
{
    inode_t *inode = frame->local;

    frame->local = NULL;
    if (op_ret < 0 || !stat_regular(post))
        STACK_UNWIND_STRICT(setattr, frame, op_ret, op_errno, pre, post, xdata);
    else
        stat_finish(frame, this, GF_FOP_SETATTR, inode, pre, post, NULL, xdata,
                    (uintptr_t)cookie);
    inode_unref(inode);
    return 0;
}

int32_t
allot_setattr(call_frame_t *frame, xlator_t *this, loc_t *loc,
              struct iatt *stbuf, int32_t valid, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    frame->local = inode_ref(loc->inode);
    STACK_WIND_COOKIE(frame, setattr_cbk, SETS_MTIME(valid), ns,
                      ns->fops->setattr, loc, stbuf, valid, xdata);
    return 0;
}

static int32_t
fsetattr_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
             int32_t op_errno, struct iatt *pre, struct iatt *post,
             dict_t *xdata)
{
    inode_t *inode = frame->local;

    frame->local = NULL;
    if (op_ret < 0 || !stat_regular(post))
        STACK_UNWIND_STRICT(fsetattr, frame, op_ret, op_errno, pre, post,
                            xdata);
    else
        stat_finish(frame, this, GF_FOP_FSETATTR, inode, pre, post, NULL, xdata,
                    (uintptr_t)cookie);
    inode_unref(inode);
    return 0;
}

int32_t
allot_fsetattr(call_frame_t *frame, xlator_t *this, fd_t *fd,
               struct iatt *stbuf, int32_t valid, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    frame->local = inode_ref(fd->inode);
    STACK_WIND_COOKIE(frame, fsetattr_cbk, SETS_MTIME(valid), ns,
                      ns->fops->fsetattr, fd, stbuf, valid, xdata);
    return 0;
}

int32_t
allot_access(call_frame_t *frame, xlator_t *this, loc_t *loc, int32_t mask,
             dict_t *xdata)
{
    STACK_WIND_TAIL(frame, allot_priv(this)->ns,
                    allot_priv(this)->ns->fops->access, loc, mask, xdata);
    return 0;
}
