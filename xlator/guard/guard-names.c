/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-names.c - lookup and the calls that make an inode: where states are
 * filled. A lookup between the two steps of such a call: guard-making.c.
 *
 * Deliberately not here: listings (guard-list.c), names that only pass or are
 * refused (guard-pass.c).
 */
#include "guard.h"

/* ---- lookup ---------------------------------------------------------------
 */

/* What the asker gets of an answer; travels as the cookie. */
#define GUARD_SHOW_HIDDEN 0x1  /* portions and "/.allot" */
#define GUARD_SHOW_RECORD 0x2  /* trusted.allot.record */
#define GUARD_SHOW_PORTION 0x4 /* trusted.allot.portion */
#define GUARD_SHOW_BRICK 0x8   /* trusted.allot.brick and .registry */
#define GUARD_SHOW_SIZE 0x10   /* the recorded size, to a stranger */
#define GUARD_SHOW_AGAIN 0x20  /* looked up for the second time */
/* Above them: guard_priv.partings at the wind. */
#define GUARD_SHOW_BITS 8

static uintptr_t
guard_lookup_show(call_frame_t *frame, xlator_t *this, dict_t *xdata)
{
    uintptr_t show = 0;

    if (guard_may_see(frame, this, xdata))
        show |= GUARD_SHOW_HIDDEN;
    else if (guard_is_stranger(frame, this, xdata))
        show |= GUARD_SHOW_SIZE;
    if (!xdata)
        return show;
    if (dict_get_sizen(xdata, ALLOT_KEY_CLIENT))
        return show | GUARD_SHOW_RECORD | GUARD_SHOW_PORTION | GUARD_SHOW_BRICK;
    /* Replicate compares all xattrs of its bricks. It must see the records,
     * which are equal, and not the identities, which never are. */
    if (dict_get_sizen(xdata, "list-xattr"))
        show |= GUARD_SHOW_RECORD | GUARD_SHOW_PORTION;
    if (dict_get_sizen(xdata, ALLOT_XATTR_RECORD))
        show |= GUARD_SHOW_RECORD;
    if (dict_get_sizen(xdata, ALLOT_XATTR_PORTION))
        show |= GUARD_SHOW_PORTION;
    if (dict_get_sizen(xdata, ALLOT_XATTR_BRICK) ||
        dict_get_sizen(xdata, ALLOT_XATTR_REGISTRY))
        show |= GUARD_SHOW_BRICK;
    return show;
}

/* A spread base's own bytes are the first of the file only. Who has no key of
 * allot's, and asks for the content together with the name (quick-read does),
 * would take them for the file. And rebalance is told that the file has locks:
 * it skips such files, while a refused read would count as a failure. */
static void
guard_lookup_foreign(xlator_t *this, call_frame_t *frame,
                     struct guard_inode *gi, dict_t *xdata)
{
    gf_boolean_t spread = _gf_false;

    LOCK(&gi->lock);
    {
        spread = gi->has_extents || gi->damaged;
    }
    UNLOCK(&gi->lock);
    if (!spread)
        return;
    dict_del_sizen(xdata, GF_CONTENT_KEY);
    if (frame->root->pid == GF_CLIENT_PID_DEFRAG &&
        dict_get_sizen(xdata, GLUSTERFS_POSIXLK_COUNT) &&
        dict_set_int32_sizen(xdata, GLUSTERFS_POSIXLK_COUNT, 1))
        gf_msg_debug(this->name, ENOMEM, "rebalance is not told to skip");
}

/* The answer for @own, whatever inode the server had under that name. */
static void
guard_lookup_answer(call_frame_t *frame, xlator_t *this, uintptr_t show,
                    inode_t *inode, inode_t *own, struct iatt *buf,
                    dict_t *xdata, struct iatt *postparent)
{
    gf_boolean_t hidden = guard_gfid_hidden(buf->ia_gfid);
    struct guard_inode *gi = own ? guard_inode_peek(this, own) : NULL;

    if (gi) {
        if (xdata)
            guard_lookup_foreign(this, frame, gi, xdata);
        if (xdata && dict_get_sizen(xdata, ALLOT_XATTR_PORTION))
            hidden = _gf_true;
        if (show & GUARD_SHOW_SIZE)
            guard_size_show(this, own, buf);
    }
    if (hidden && !(show & GUARD_SHOW_HIDDEN)) {
        default_lookup_failure_cbk(frame, ENOENT);
        return;
    }
    if (xdata) {
        if (!(show & GUARD_SHOW_RECORD))
            dict_del_sizen(xdata, ALLOT_XATTR_RECORD);
        if (!(show & GUARD_SHOW_PORTION))
            dict_del_sizen(xdata, ALLOT_XATTR_PORTION);
        if (!(show & GUARD_SHOW_BRICK)) {
            dict_del_sizen(xdata, ALLOT_XATTR_BRICK);
            dict_del_sizen(xdata, ALLOT_XATTR_REGISTRY);
        }
    }
    STACK_UNWIND_STRICT(lookup, frame, 0, 0, inode, buf, xdata, postparent);
}

/* An answer that may be torn, until the file itself was asked. */
struct guard_relook {
    uintptr_t show;
    inode_t *inode; /* references */
    inode_t *own;
    dict_t *xdata;
    struct iatt postparent;
};

static void
relook_copy(dict_t *to, dict_t *from, char *key)
{
    data_t *data = from ? dict_get(from, key) : NULL;

    dict_del(to, key);
    if (data && dict_set(to, key, data))
        gf_msg_debug("guard", ENOMEM, "an answer has lost its %s", key);
}

static int32_t
guard_relook_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                 int32_t op_ret, int32_t op_errno, struct iatt *buf,
                 dict_t *xdata)
{
    struct guard_relook *look = cookie;
    struct guard_inode *gi = guard_inode_peek(this, look->own);

    if (op_ret < 0) {
        /* It has no name any more: the lookup came too late, or is to be made
         * again. */
        default_lookup_failure_cbk(frame,
                                   op_errno == ENOENT ? ESTALE : op_errno);
    } else {
        relook_copy(look->xdata, xdata, ALLOT_XATTR_RECORD);
        relook_copy(look->xdata, xdata, ALLOT_XATTR_PORTION);
        if (gi)
            guard_inode_learn_by_gfid(this, gi, buf->ia_gfid, xdata);
        guard_lookup_answer(frame, this, look->show, look->inode, look->own,
                            buf, look->xdata, &look->postparent);
    }
    inode_unref(look->inode);
    inode_unref(look->own);
    dict_unref(look->xdata);
    GF_FREE(look);
    return 0;
}

/* Asks @own itself. 0, or -ENOMEM. */
static int
guard_relook(call_frame_t *frame, xlator_t *this, uintptr_t show,
             inode_t *inode, inode_t *own, uuid_t gfid, dict_t *xdata,
             struct iatt *postparent)
{
    struct guard_relook *look = GF_CALLOC(1, sizeof(*look), guard_mt_names);
    dict_t *req = dict_new();
    loc_t loc = {
        0,
    };

    if (!look || !req || guard_inode_request(req))
        goto err;
    look->xdata = xdata ? dict_ref(xdata) : dict_new();
    if (!look->xdata)
        goto err;
    look->show = show;
    look->inode = inode_ref(inode);
    look->own = inode_ref(own);
    look->postparent = *postparent;
    loc.inode = own;
    gf_uuid_copy(loc.gfid, gfid);
    STACK_WIND_COOKIE(frame, guard_relook_cbk, look, FIRST_CHILD(this),
                      FIRST_CHILD(this)->fops->stat, &loc, req);
    dict_unref(req);
    return 0;
err:
    GF_FREE(look);
    if (req)
        dict_unref(req);
    return -ENOMEM;
}

static int32_t
guard_lookup_again(call_frame_t *frame, xlator_t *this, loc_t *loc,
                   dict_t *xdata);

/* The name had no gfid: wait for who makes it. Nobody does: he may have been
 * done before we looked for him, so the name is looked up once more. */
static gf_boolean_t
guard_lookup_later(xlator_t *this, uintptr_t show, call_stub_t *stub)
{
    if (guard_making_wait(this, stub))
        return _gf_true;
    if (show & GUARD_SHOW_AGAIN)
        return _gf_false;
    call_resume(stub);
    return _gf_true;
}

static int32_t
guard_lookup_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                 int32_t op_ret, int32_t op_errno, inode_t *inode,
                 struct iatt *buf, dict_t *xdata, struct iatt *postparent)
{
    uintptr_t show = (uintptr_t)cookie & ((1u << GUARD_SHOW_BITS) - 1);
    uint64_t partings = (uintptr_t)cookie >> GUARD_SHOW_BITS;
    struct guard_inode *gi = NULL;
    call_stub_t *stub = frame->local;
    inode_t *own = NULL;

    frame->local = NULL;
    if (stub && op_ret < 0 && op_errno == ENODATA &&
        guard_lookup_later(this, show, stub))
        return 0;
    if (stub)
        call_stub_destroy(stub);
    if (op_ret < 0) {
        STACK_UNWIND_STRICT(lookup, frame, op_ret, op_errno, inode, buf, xdata,
                            postparent);
        return 0;
    }
    if (buf->ia_type == IA_IFREG) {
        /* The server looks a name up in its table first; meanwhile another file
         * may have got it. */
        own = guard_inode_of(inode, buf->ia_gfid);
        gi = own ? guard_inode_get(this, own) : NULL;
    }
    if (gi && guard_inode_torn(gi, partings)) {
        if (guard_relook(frame, this, show, inode, own, buf->ia_gfid, xdata,
                         postparent))
            default_lookup_failure_cbk(frame, ENOMEM);
    } else {
        if (gi)
            guard_inode_learn(this, gi, buf->ia_gfid, xdata);
        guard_lookup_answer(frame, this, show, inode, own, buf, xdata,
                            postparent);
    }
    if (own)
        inode_unref(own);
    return 0;
}

static int32_t
lookup_wind(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata,
            uintptr_t again)
{
    uintptr_t show = again | guard_lookup_show(frame, this, xdata);
    int err = guard_refuse_identity(this, loc->inode, xdata);
    call_stub_t *stub = NULL;
    dict_t *req = NULL;

    guard_unsquash(frame);
    /* Whoever may not see it is told that it is not there. */
    if (!err && !(show & GUARD_SHOW_HIDDEN) && guard_loc_hidden(this, loc))
        err = ENOENT;
    if (err)
        return default_lookup_failure_cbk(frame, err);

    req = guard_xdata_plain(xdata);
    if (!req || (!guard_loc_is_root(loc) && guard_inode_request(req))) {
        if (req)
            dict_unref(req);
        return default_lookup_failure_cbk(frame, ENOMEM);
    }
    show |= (uintptr_t)GF_ATOMIC_GET(guard_priv(this)->partings)
            << GUARD_SHOW_BITS;
    /* Of a name that has an inode here posix asks no gfid. NULL: it is answered
     * at once, whatever it meets. */
    if (loc->name && loc->inode && gf_uuid_is_null(loc->inode->gfid))
        stub = fop_lookup_stub(frame, guard_lookup_again, loc, xdata);
    if (stub && guard_making_wait(this, stub)) {
        dict_unref(req);
        return 0;
    }
    frame->local = stub;
    STACK_WIND_COOKIE(frame, guard_lookup_cbk, (void *)show, FIRST_CHILD(this),
                      FIRST_CHILD(this)->fops->lookup, loc, req);
    dict_unref(req);
    return 0;
}

static int32_t
guard_lookup_again(call_frame_t *frame, xlator_t *this, loc_t *loc,
                   dict_t *xdata)
{
    return lookup_wind(frame, this, loc, xdata, GUARD_SHOW_AGAIN);
}

int32_t
guard_lookup(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata)
{
    return lookup_wind(frame, this, loc, xdata, 0);
}

/* ---- create, mknod, mkdir, symlink -----------------------------------------
 */

/* Did the call make the file, or did it open one that was there? Only then is
 * its state known without asking the disk: create opens what it finds, mknod
 * with the internal key may link what it finds. A new file has the gfid that
 * was asked for; a portion's is the same at every attempt. */
static gf_boolean_t
guard_is_born(dict_t *xdata, gf_boolean_t exclusive, struct iatt *buf)
{
    uuid_t req;

    if (exclusive)
        return _gf_true;
    return xdata && !dict_get_sizen(xdata, ALLOT_XATTR_PORTION) &&
           dict_get_gfuuid(xdata, "gfid-req", &req) == 0 &&
           gf_uuid_compare(req, buf->ia_gfid) == 0 && buf->ia_size == 0;
}

/* The file that create found is cut, or is not: now create is answered. */
static int32_t
guard_create_cut_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                     int32_t op_ret, int32_t op_errno, struct iatt *prebuf,
                     struct iatt *postbuf, dict_t *xdata)
{
    call_stub_t *stub = cookie;

    if (op_ret < 0)
        default_create_failure_cbk(frame, op_errno);
    else
        STACK_UNWIND_STRICT(create, frame, op_ret, op_errno, stub->args.fd,
                            stub->args.loc.inode, postbuf,
                            &stub->args_cbk.preparent,
                            &stub->args_cbk.postparent, NULL);
    call_stub_destroy(stub);
    return 0;
}

/* O_TRUNC met a file that was there: cut it by a truncate of our own, which
 * passes the gate like any other. If the file has an inode in the table
 * already, that one's state counts, not the new inode's of this call. */
static void
guard_create_cut(call_frame_t *frame, xlator_t *this, call_stub_t *stub,
                 uuid_t gfid)
{
    loc_t loc = {
        0,
    };

    gf_uuid_copy(loc.gfid, gfid);
    loc.inode = inode_find(stub->args.loc.inode->table, gfid);
    if (!loc.inode)
        loc.inode = inode_ref(stub->args.loc.inode);
    STACK_WIND_COOKIE(frame, guard_create_cut_cbk, stub, this,
                      this->fops->truncate, &loc, 0, stub->args.xdata);
    loc_wipe(&loc);
}

static int32_t
guard_create_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                 int32_t op_ret, int32_t op_errno, fd_t *fd, inode_t *inode,
                 struct iatt *buf, struct iatt *preparent,
                 struct iatt *postparent, dict_t *xdata)
{
    call_stub_t *stub = cookie;
    gf_boolean_t born = _gf_false;

    guard_making_end(this, frame);
    if (op_ret >= 0) {
        born = guard_is_born(stub->args.xdata, (stub->args.flags & O_EXCL) != 0,
                             buf);
        if (born)
            guard_inode_born(this, inode, stub->args.xdata);
    }
    if (op_ret >= 0 && !born && (stub->args.flags & O_TRUNC)) {
        stub->args_cbk.preparent = *preparent;
        stub->args_cbk.postparent = *postparent;
        guard_create_cut(frame, this, stub, buf->ia_gfid);
        return 0;
    }
    STACK_UNWIND_STRICT(create, frame, op_ret, op_errno, fd, inode, buf,
                        preparent, postparent, xdata);
    call_stub_destroy(stub);
    return 0;
}

int32_t
guard_create(call_frame_t *frame, xlator_t *this, loc_t *loc, int32_t flags,
             mode_t mode, mode_t umask, fd_t *fd, dict_t *xdata)
{
    int err = guard_refuse_loc(frame, this, loc, xdata);
    dict_t *plain = NULL;
    call_stub_t *stub = NULL;

    guard_unsquash(frame);
    if (err)
        return default_create_failure_cbk(frame, err);
    plain = guard_xdata_plain(xdata);
    /* The stub is where the callback finds the caller's arguments. */
    stub =
        plain ? fop_create_stub(frame, NULL, loc, flags, mode, umask, fd, xdata)
              : NULL;
    if (stub) {
        guard_making_begin(this, frame, loc);
        STACK_WIND_COOKIE(frame, guard_create_cbk, stub, FIRST_CHILD(this),
                          FIRST_CHILD(this)->fops->create, loc,
                          flags & ~O_TRUNC, mode, umask, fd, plain);
    } else {
        default_create_failure_cbk(frame, ENOMEM);
    }
    if (plain)
        dict_unref(plain);
    return 0;
}

static int32_t
guard_mknod_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                int32_t op_ret, int32_t op_errno, inode_t *inode,
                struct iatt *buf, struct iatt *preparent,
                struct iatt *postparent, dict_t *xdata)
{
    dict_t *req = cookie;

    guard_making_end(this, frame);
    if (op_ret >= 0 && buf->ia_type == IA_IFREG && req)
        guard_inode_born(this, inode, req);
    STACK_UNWIND_STRICT(mknod, frame, op_ret, op_errno, inode, buf, preparent,
                        postparent, xdata);
    if (req)
        dict_unref(req);
    return 0;
}

int32_t
guard_mknod(call_frame_t *frame, xlator_t *this, loc_t *loc, mode_t mode,
            dev_t rdev, mode_t umask, dict_t *xdata)
{
    int err = guard_refuse_loc(frame, this, loc, xdata);
    dict_t *plain = NULL;
    gf_boolean_t sure = !xdata || !dict_get(xdata, GLUSTERFS_INTERNAL_FOP_KEY);

    guard_unsquash(frame);
    if (err)
        return default_mknod_failure_cbk(frame, err);
    plain = guard_xdata_plain(xdata);
    if (!plain)
        return default_mknod_failure_cbk(frame, ENOMEM);
    guard_making_begin(this, frame, loc);
    STACK_WIND_COOKIE(frame, guard_mknod_cbk, sure ? dict_ref(plain) : NULL,
                      FIRST_CHILD(this), FIRST_CHILD(this)->fops->mknod, loc,
                      mode, rdev, umask, plain);
    dict_unref(plain);
    return 0;
}

/* Of mkdir, and of symlink, which is answered in the same way. */
static int32_t
guard_made_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
               int32_t op_ret, int32_t op_errno, inode_t *inode,
               struct iatt *buf, struct iatt *preparent,
               struct iatt *postparent, dict_t *xdata)
{
    guard_making_end(this, frame);
    STACK_UNWIND_STRICT(mkdir, frame, op_ret, op_errno, inode, buf, preparent,
                        postparent, xdata);
    return 0;
}

int32_t
guard_mkdir(call_frame_t *frame, xlator_t *this, loc_t *loc, mode_t mode,
            mode_t umask, dict_t *xdata)
{
    int err = guard_refuse_loc(frame, this, loc, xdata);
    dict_t *plain = NULL;

    guard_unsquash(frame);
    if (err)
        return default_mkdir_failure_cbk(frame, err);
    plain = guard_xdata_plain(xdata);
    if (!plain)
        return default_mkdir_failure_cbk(frame, ENOMEM);
    guard_making_begin(this, frame, loc);
    STACK_WIND(frame, guard_made_cbk, FIRST_CHILD(this),
               FIRST_CHILD(this)->fops->mkdir, loc, mode, umask, plain);
    dict_unref(plain);
    return 0;
}

int32_t
guard_symlink(call_frame_t *frame, xlator_t *this, const char *target,
              loc_t *loc, mode_t umask, dict_t *xdata)
{
    int err = guard_refuse_loc(frame, this, loc, xdata);

    guard_unsquash(frame);
    if (err)
        return default_symlink_failure_cbk(frame, err);
    guard_making_begin(this, frame, loc);
    STACK_WIND(frame, guard_made_cbk, FIRST_CHILD(this),
               FIRST_CHILD(this)->fops->symlink, target, loc, umask, xdata);
    return 0;
}
