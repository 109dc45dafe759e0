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
#define GUARD_SHOW_KNOWN                                  \
    0x40 /* not asked for a portion xattr: the inode that \
            the name has in the table is known */
/* Above them: guard_priv.partings at the wind. */
#define GUARD_SHOW_BITS 8

/* What counts of a lookup's xdata, found in one walk over its keys. */
#define LOOKUP_KEY_OWN 0x1    /* any "allot.*" */
#define LOOKUP_KEY_KEYED 0x2  /* of these, what guard_keyed() asks for */
#define LOOKUP_KEY_CLIENT 0x4 /* ALLOT_KEY_CLIENT */
#define LOOKUP_KEY_LIST 0x8   /* list-xattr */
#define LOOKUP_KEY_RECORD 0x10
#define LOOKUP_KEY_PORTION 0x20
#define LOOKUP_KEY_BRICK 0x40 /* or the registry */

static int
lookup_key(dict_t *xdata, char *key, data_t *value, void *data)
{
    int *found = data;

    if (strncmp(key, ALLOT_XATTR_PREFIX, strlen(ALLOT_XATTR_PREFIX)) == 0) {
        if (strcmp(key, ALLOT_XATTR_RECORD) == 0)
            *found |= LOOKUP_KEY_RECORD;
        else if (strcmp(key, ALLOT_XATTR_PORTION) == 0)
            *found |= LOOKUP_KEY_PORTION;
        else if (strcmp(key, ALLOT_XATTR_BRICK) == 0 ||
                 strcmp(key, ALLOT_XATTR_REGISTRY) == 0)
            *found |= LOOKUP_KEY_BRICK;
    } else if (strncmp(key, "allot.", strlen("allot.")) == 0) {
        *found |= LOOKUP_KEY_OWN;
        if (strcmp(key, ALLOT_KEY_CLIENT) == 0)
            *found |= LOOKUP_KEY_KEYED | LOOKUP_KEY_CLIENT;
        else if (strcmp(key, ALLOT_KEY_GEN) == 0)
            *found |= LOOKUP_KEY_KEYED;
    } else if (strcmp(key, "list-xattr") == 0) {
        *found |= LOOKUP_KEY_LIST;
    }
    return 0;
}

static uintptr_t
guard_lookup_show(call_frame_t *frame, xlator_t *this, int keys)
{
    uintptr_t show = 0;

    if ((keys & LOOKUP_KEY_KEYED) || guard_may_see(frame, this, NULL))
        show |= GUARD_SHOW_HIDDEN;
    else if (!(keys & LOOKUP_KEY_RECORD) &&
             guard_is_stranger(frame, this, NULL))
        show |= GUARD_SHOW_SIZE;
    if (keys & LOOKUP_KEY_CLIENT)
        return show | GUARD_SHOW_RECORD | GUARD_SHOW_PORTION | GUARD_SHOW_BRICK;
    /* Replicate compares all xattrs of its bricks. It must see the records,
     * which are equal, and not the identities, which never are. */
    if (keys & LOOKUP_KEY_LIST)
        show |= GUARD_SHOW_RECORD | GUARD_SHOW_PORTION;
    if (keys & LOOKUP_KEY_RECORD)
        show |= GUARD_SHOW_RECORD;
    if (keys & LOOKUP_KEY_PORTION)
        show |= GUARD_SHOW_PORTION;
    if (keys & LOOKUP_KEY_BRICK)
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

    if (!look || !req || guard_inode_request(this, req))
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

/* A lookup of a name that may be half made, until it is answered. */
struct guard_look {
    loc_t loc;
    dict_t *xdata;
};

static struct guard_look *
guard_look_new(loc_t *loc, dict_t *xdata)
{
    struct guard_look *look = GF_CALLOC(1, sizeof(*look), guard_mt_names);

    if (!look)
        return NULL;
    if (loc_copy(&look->loc, loc)) {
        GF_FREE(look);
        return NULL;
    }
    look->xdata = xdata ? dict_ref(xdata) : NULL;
    return look;
}

static void
guard_look_free(struct guard_look *look)
{
    if (!look)
        return;
    loc_wipe(&look->loc);
    if (look->xdata)
        dict_unref(look->xdata);
    GF_FREE(look);
}

static int32_t
guard_lookup_again(call_frame_t *frame, xlator_t *this, loc_t *loc,
                   dict_t *xdata);

/* Look @loc up once more, when who makes it is done, if anybody is. What the
 * asker is shown is known already: keys are gone from @xdata. */
static gf_boolean_t
guard_lookup_later(call_frame_t *frame, xlator_t *this, uintptr_t show,
                   loc_t *loc, dict_t *xdata, gf_boolean_t now)
{
    call_stub_t *stub = fop_lookup_stub(frame, guard_lookup_again, loc, xdata);

    if (!stub)
        return _gf_false;
    frame->local = (void *)show;
    if (guard_making_wait(this, stub))
        return _gf_true;
    if (now) {
        call_resume(stub);
        return _gf_true;
    }
    frame->local = NULL;
    call_stub_destroy(stub);
    return _gf_false;
}

static int32_t
guard_lookup_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                 int32_t op_ret, int32_t op_errno, inode_t *inode,
                 struct iatt *buf, dict_t *xdata, struct iatt *postparent)
{
    uintptr_t show = (uintptr_t)cookie & ((1u << GUARD_SHOW_BITS) - 1);
    uint64_t partings = (uintptr_t)cookie >> GUARD_SHOW_BITS;
    struct guard_look *look = frame->local;
    struct guard_inode *gi = NULL;
    inode_t *own = NULL;
    inode_t *held = NULL;
    gf_boolean_t later = _gf_false;

    frame->local = NULL;
    /* The name had no gfid: wait for who makes it. Nobody does: he may have
     * been done before we looked for him, so the name is looked up once more.
     */
    if (look && op_ret < 0 && op_errno == ENODATA)
        later = guard_lookup_later(frame, this, show, &look->loc, look->xdata,
                                   !(show & GUARD_SHOW_AGAIN));
    guard_look_free(look);
    if (later)
        return 0;
    if (op_ret < 0) {
        STACK_UNWIND_STRICT(lookup, frame, op_ret, op_errno, inode, buf, xdata,
                            postparent);
        return 0;
    }
    if (buf->ia_type == IA_IFREG) {
        /* The server looks a name up in its table first; meanwhile another file
         * may have got it. */
        if (gf_uuid_compare(inode->gfid, buf->ia_gfid) == 0)
            own = inode; /* the caller's, until it is answered */
        else
            own = held = guard_inode_of(inode, buf->ia_gfid);
        gi = own ? guard_inode_get(this, own) : NULL;
    }
    if (gi && (guard_inode_torn(gi, partings) ||
               ((show & GUARD_SHOW_KNOWN) && own != inode))) {
        if (guard_relook(frame, this, show, inode, own, buf->ia_gfid, xdata,
                         postparent))
            default_lookup_failure_cbk(frame, ENOMEM);
    } else {
        if (gi)
            guard_inode_learn(this, gi, buf->ia_gfid, xdata);
        guard_lookup_answer(frame, this, show, inode, own, buf, xdata,
                            postparent);
    }
    if (held)
        inode_unref(held);
    return 0;
}

/* What storage/posix is asked for. One of cluster/allot, over a connection,
 * asks for the record already, and only the portion's key is to be added: not
 * to a copy, since its xdata is this call's alone. The server may look up with
 * it a second time, then as if the client had asked for both; of which it is
 * shown no more. A stranger would be. And list-xattr posix takes out, which a
 * lookup that is made again needs. */
static dict_t *
lookup_request(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata,
               int keys, uintptr_t show)
{
    gf_boolean_t own = guard_is_wired(frame, xdata) &&
                       (keys & LOOKUP_KEY_RECORD) &&
                       !(keys & (LOOKUP_KEY_LIST | LOOKUP_KEY_OWN));
    dict_t *req = own ? dict_ref(xdata) : guard_xdata_plain(xdata);

    if (!req || guard_loc_is_root(loc))
        return req;
    if (guard_inode_ask(this, req,
                        show & GUARD_SHOW_KNOWN
                            ? GUARD_ASK_RECORD
                            : GUARD_ASK_RECORD | GUARD_ASK_PORTION)) {
        dict_unref(req);
        return NULL;
    }
    return req;
}

static int32_t
lookup_wind(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata,
            int keys, uintptr_t show)
{
    dict_t *req = lookup_request(frame, this, loc, xdata, keys, show);

    if (!req)
        return default_lookup_failure_cbk(frame, ENOMEM);
    show |= (uintptr_t)GF_ATOMIC_GET(guard_priv(this)->partings)
            << GUARD_SHOW_BITS;
    /* Of a name that has an inode here posix asks no gfid. NULL: it is answered
     * at once, whatever it meets. */
    if (loc->name && loc->inode && gf_uuid_is_null(loc->inode->gfid)) {
        if (guard_making_is(this, loc) &&
            guard_lookup_later(frame, this,
                               show & ((1u << GUARD_SHOW_BITS) - 1), loc, xdata,
                               _gf_false)) {
            dict_unref(req);
            return 0;
        }
        frame->local = guard_look_new(loc, xdata);
    }
    STACK_WIND_COOKIE(frame, guard_lookup_cbk, (void *)show, FIRST_CHILD(this),
                      FIRST_CHILD(this)->fops->lookup, loc, req);
    dict_unref(req);
    return 0;
}

static int32_t
guard_lookup_again(call_frame_t *frame, xlator_t *this, loc_t *loc,
                   dict_t *xdata)
{
    uintptr_t show = (uintptr_t)frame->local | GUARD_SHOW_AGAIN;
    int keys = 0;

    frame->local = NULL;
    if (xdata)
        dict_foreach(xdata, lookup_key, &keys);
    return lookup_wind(frame, this, loc, xdata, keys, show);
}

int32_t
guard_lookup(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata)
{
    uintptr_t show = 0;
    int keys = 0;
    int err = guard_refuse_identity(this, loc->inode, xdata);

    guard_unsquash(frame);
    if (xdata)
        dict_foreach(xdata, lookup_key, &keys);
    show = guard_lookup_show(frame, this, keys);
    /* Whoever may not see it is told that it is not there. */
    if (!err && !(show & GUARD_SHOW_HIDDEN) && guard_loc_hidden(this, loc))
        err = ENOENT;
    if (err)
        return default_lookup_failure_cbk(frame, err);
    if (guard_inode_is_base(this, loc->inode))
        show |= GUARD_SHOW_KNOWN;
    return lookup_wind(frame, this, loc, xdata, keys, show);
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

/* What a create needs of its arguments when it is answered. */
struct guard_new {
    dict_t *xdata; /* the caller's */
    int32_t flags;
    /* Only while a file that was there is cut. */
    fd_t *fd;
    inode_t *inode;
    struct iatt preparent;
    struct iatt postparent;
};

static void
guard_new_free(struct guard_new *made)
{
    if (made->fd)
        fd_unref(made->fd);
    if (made->inode)
        inode_unref(made->inode);
    if (made->xdata)
        dict_unref(made->xdata);
    GF_FREE(made);
}

/* The file that create found is cut, or is not: now create is answered. */
static int32_t
guard_create_cut_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                     int32_t op_ret, int32_t op_errno, struct iatt *prebuf,
                     struct iatt *postbuf, dict_t *xdata)
{
    struct guard_new *made = cookie;

    if (op_ret < 0)
        default_create_failure_cbk(frame, op_errno);
    else
        STACK_UNWIND_STRICT(create, frame, op_ret, op_errno, made->fd,
                            made->inode, postbuf, &made->preparent,
                            &made->postparent, NULL);
    guard_new_free(made);
    return 0;
}

/* O_TRUNC met a file that was there: cut it by a truncate of our own, which
 * passes the gate like any other. If the file has an inode in the table
 * already, that one's state counts, not the new inode's of this call. */
static void
guard_create_cut(call_frame_t *frame, xlator_t *this, struct guard_new *made,
                 uuid_t gfid)
{
    loc_t loc = {
        0,
    };

    gf_uuid_copy(loc.gfid, gfid);
    loc.inode = inode_find(made->inode->table, gfid);
    if (!loc.inode)
        loc.inode = inode_ref(made->inode);
    STACK_WIND_COOKIE(frame, guard_create_cut_cbk, made, this,
                      this->fops->truncate, &loc, 0, made->xdata);
    loc_wipe(&loc);
}

static int32_t
guard_create_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                 int32_t op_ret, int32_t op_errno, fd_t *fd, inode_t *inode,
                 struct iatt *buf, struct iatt *preparent,
                 struct iatt *postparent, dict_t *xdata)
{
    struct guard_new *made = cookie;
    gf_boolean_t born = _gf_false;

    guard_making_end(this, frame);
    if (op_ret >= 0) {
        born = guard_is_born(made->xdata, (made->flags & O_EXCL) != 0, buf);
        if (born)
            guard_inode_born(this, inode, made->xdata);
    }
    if (op_ret >= 0 && !born && (made->flags & O_TRUNC)) {
        made->fd = fd_ref(fd);
        made->inode = inode_ref(inode);
        made->preparent = *preparent;
        made->postparent = *postparent;
        guard_create_cut(frame, this, made, buf->ia_gfid);
        return 0;
    }
    STACK_UNWIND_STRICT(create, frame, op_ret, op_errno, fd, inode, buf,
                        preparent, postparent, xdata);
    guard_new_free(made);
    return 0;
}

int32_t
guard_create(call_frame_t *frame, xlator_t *this, loc_t *loc, int32_t flags,
             mode_t mode, mode_t umask, fd_t *fd, dict_t *xdata)
{
    int err = guard_refuse_loc(frame, this, loc, xdata);
    dict_t *plain = NULL;
    struct guard_new *made = NULL;

    guard_unsquash(frame);
    if (err)
        return default_create_failure_cbk(frame, err);
    plain = guard_xdata_pass(frame, xdata);
    made = plain ? GF_CALLOC(1, sizeof(*made), guard_mt_names) : NULL;
    if (made) {
        made->xdata = xdata ? dict_ref(xdata) : NULL;
        made->flags = flags;
        guard_making_begin(this, frame, loc);
        STACK_WIND_COOKIE(frame, guard_create_cbk, made, FIRST_CHILD(this),
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
    plain = guard_xdata_pass(frame, xdata);
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
    plain = guard_xdata_pass(frame, xdata);
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
