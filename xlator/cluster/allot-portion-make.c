/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-portion-make.c - making portions, and the directories that they are in.
 * The directories are made on a brick when it gets the first portion in them.
 */
#include "allot-proto.h"
#include "allot-fops.h"

/* Looks for "/.allot" (@dir -1) or "/.allot/XX" by name on one brick
 * (GF_FOP_LOOKUP), or makes it (GF_FOP_MKDIR).
 *
 * Both bring the gfid, which is the same at every attempt. A brick that died
 * between making the directory and giving it that has one without, which no
 * mkdir completes; the lookup does. posix takes the gfid for what has none, and
 * makes the handle, also where a mkdir is at it (its own then finds the same
 * one). Replicate keeps it from its bricks, unless none of them has a gfid for
 * the name, and then gives it to all, if all are there. */
static int
portion_dir(xlator_t *this, inode_t *inode, xlator_t *xl, int dir,
            glusterfs_fop_t fop)
{
    struct allot_call call;
    loc_t loc = {
        0,
    };
    uuid_t gfid = {
        0,
    };
    char path[32];
    int ret = 0;

    if (dir < 0) {
        snprintf(path, sizeof(path), "/%s", ALLOT_DIR_NAME);
        loc.pargfid[15] = 1; /* the root */
    } else {
        snprintf(path, sizeof(path), "/%s/%02x", ALLOT_DIR_NAME, dir);
        allot_dir_gfid(-1, loc.pargfid);
    }
    allot_dir_gfid(dir, gfid);
    loc.path = gf_strdup(path);
    loc.name = loc.path ? strrchr(loc.path, '/') + 1 : NULL;
    loc.inode = inode_new(inode->table);
    loc.parent = allot_dir_inode(inode, loc.pargfid);
    allot_call_init(&call, xl, fop);
    call.loc = &loc;
    call.mode = 0700;
    call.xdata = allot_xdata_internal();
    if (!loc.path || !loc.inode || !loc.parent || !call.xdata ||
        dict_set_gfuuid(call.xdata, "gfid-req", gfid, true))
        ret = -ENOMEM;
    else
        ret = allot_call_one(this, &call);
    /* A set with a brick that serves nobody says so, though the directory
     * is there on the others: the create tells. */
    if (ret == -ENOTCONN || ret > 0)
        ret = 0;
    if (call.xdata)
        dict_unref(call.xdata);
    allot_calls_wipe(&call, 1);
    loc_wipe(&loc);
    return ret;
}

static gf_boolean_t
dir_missing(int err)
{
    return err == -ENOENT || err == -ESTALE;
}

/* Makes "/.allot/XX" on one brick, and before it "/.allot" where that is
 * missing.
 *
 * Nothing is made where it is there. In a replicate set with a brick that was
 * emptied, a mkdir would fail on the others and make it on this one, without
 * a mark that its entries are missing: it would be healed by the index of what
 * was changed in it, and all else of it left out. If only one other brick of
 * the set is there, even the create and the first mkdir here fail on both. So a
 * directory is looked up first, by which replicate makes it on the emptied
 * brick itself, with the mark. So is one that the first mkdir finds there: no
 * create found it, and it may be half made. */
static int
make_dirs(xlator_t *this, inode_t *inode, xlator_t *xl)
{
    int dirs[] = {-1, allot_dir_of(inode->gfid)};
    int ret = portion_dir(this, inode, xl, dirs[1], GF_FOP_MKDIR);
    int i = 0;

    if (!dir_missing(ret) && ret != -EEXIST)
        return ret;
    for (i = 0, ret = 0; i < 2 && ret == 0; i++) {
        ret = portion_dir(this, inode, xl, dirs[i], GF_FOP_LOOKUP);
        /* It is there by name, and the brick could not give it its gfid: as
         * long as it is full, or a set misses a brick. The create is tried
         * again in a moment. */
        if (ret == -ENODATA)
            ret = -ESTALE;
        else if (dir_missing(ret))
            ret = portion_dir(this, inode, xl, dirs[i], GF_FOP_MKDIR);
        if (ret == -EEXIST)
            ret = 0;
    }
    return ret;
}

int
allot_portion_dirs(xlator_t *this, inode_t *inode, uint16_t idx)
{
    struct allot_brick_view view;

    if (allot_brick_get(this, idx, &view) || !allot_brick_usable(&view))
        return -ENOTCONN;
    return make_dirs(this, inode, view.xl);
}

/* One create per brick in @calls whose xl is set. */
static int
create_args(xlator_t *this, struct allot_call *call, loc_t *loc, uint8_t *buf,
            int64_t len)
{
    call->fop = GF_FOP_CREATE;
    call->loc = loc;
    call->flags = O_CREAT | O_EXCL | O_RDWR;
    call->mode = 0600;
    call->fd = fd_create(loc->inode, 0);
    call->xdata = allot_xdata_internal();
    if (!call->fd || !call->xdata ||
        dict_set_gfuuid(call->xdata, "gfid-req", loc->gfid, true) ||
        dict_set_static_bin(call->xdata, ALLOT_XATTR_PORTION, buf, len))
        return -ENOMEM;
    call->fd->flags = O_RDWR;
    return 0;
}

/* Another client may be making the same directory, or the same portion: for a
 * moment it is there by name, and without its gfid or its xattr. */
#define CREATE_PAUSE_USEC 5000
#define CREATE_TRIES 7

static void
create_pause(int tries)
{
    if (tries > 0)
        synctask_usleep(CREATE_PAUSE_USEC << tries);
}

/* Winds the creates until all are answered. */
static void
create_wind(xlator_t *this, inode_t *inode, struct allot_inode *ai,
            uint64_t nonce, struct allot_call *calls, int n, gf_boolean_t *made,
            int *errs)
{
    struct allot_call *c = NULL;
    gf_boolean_t again = _gf_true;
    int tries = 0;
    int i = 0;

    for (tries = 0; again; tries++) {
        again = _gf_false;
        allot_fan(this, calls, n);
        for (i = 0; i < n; i++) {
            c = &calls[i];
            if (!c->xl)
                continue;
            errs[i] = c->ret < 0 ? -c->err : 0;
            /* The first portion in a directory finds no directory. */
            if (dir_missing(errs[i]) && tries < CREATE_TRIES) {
                errs[i] = make_dirs(this, inode, c->xl);
                if (!errs[i] || dir_missing(errs[i])) {
                    again = _gf_true;
                    continue;
                }
            }
            c->xl = NULL;
            made[i] = !errs[i];
            if (made[i]) {
                errs[i] = allot_slot_set(ai, c->idx, c->epoch, nonce, c->fd,
                                         _gf_false);
                c->fd = NULL;
            }
        }
        if (again)
            create_pause(tries);
    }
}

/* Takes a portion that is there: left by an append that lost or died, made just
 * now by another one, or a member of an earlier extent. The fence cuts off what
 * no extent leads to. */
static int
create_found(xlator_t *this, inode_t *inode, const struct allot_record *rec,
             uint64_t gen, uint16_t idx)
{
    int tries = 0;
    int err = 0;

    do {
        create_pause(tries);
        err = allot_fence(this, inode, rec, gen, &idx, 1, NULL);
    } while (err == -ENODATA && ++tries < CREATE_TRIES);
    if (err == 0)
        allot_portions_open(this, inode, &idx, 1, &err);
    return err;
}

int
allot_portions_begin(xlator_t *this, inode_t *inode, uint64_t nonce,
                     uint64_t gen, const struct allot_member *members, int n,
                     struct allot_making *making)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_brick_view view;
    int64_t len = 0;
    int i = 0;

    memset(making, 0, sizeof(*making));
    making->nonce = nonce;
    making->n = n;
    making->calls = GF_CALLOC(n, sizeof(*making->calls), allot_mt_calls);
    making->errs = GF_CALLOC(n, sizeof(*making->errs), allot_mt_misc);
    if (!ai || !making->calls || !making->errs ||
        allot_portion_loc(this, inode, ai, nonce, &making->loc))
        return -ENOMEM;
    len = allot_portion_xattr(inode, nonce, gen, &making->buf);
    if (len < 0)
        return len;
    for (i = 0; i < n; i++) {
        struct allot_call *call = &making->calls[i];

        allot_call_init(call, NULL, GF_FOP_CREATE);
        if (allot_brick_get(this, members[i].brick_idx, &view) ||
            !allot_brick_usable(&view)) {
            making->errs[i] = -ENOTCONN;
            continue;
        }
        call->idx = members[i].brick_idx;
        call->epoch = view.epoch;
        making->errs[i] =
            create_args(this, call, &making->loc, making->buf, len);
        if (!making->errs[i])
            call->xl = view.xl;
    }
    return 0;
}

int
allot_portions_made(xlator_t *this, inode_t *inode, struct allot_making *making)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_call *c = NULL;
    int ret = 0;
    int i = 0;

    for (i = 0; i < making->n; i++) {
        c = &making->calls[i];
        if (c->xl && c->ret >= 0) {
            making->errs[i] = allot_slot_set(ai, c->idx, c->epoch,
                                             making->nonce, c->fd, _gf_false);
            c->fd = NULL;
        } else if (c->xl) {
            making->errs[i] = -c->err;
        }
        if (making->errs[i] && !ret)
            ret = making->errs[i];
    }
    return ret;
}

void
allot_portions_end(struct allot_making *making)
{
    int i = 0;

    for (i = 0; making->calls && i < making->n; i++) {
        if (making->calls[i].fd)
            fd_unref(making->calls[i].fd);
        if (making->calls[i].xdata)
            dict_unref(making->calls[i].xdata);
    }
    GF_FREE(making->calls);
    GF_FREE(making->errs);
    GF_FREE(making->buf);
    loc_wipe(&making->loc);
    memset(making, 0, sizeof(*making));
}

int
allot_portions_create(xlator_t *this, inode_t *inode, uint64_t nonce,
                      uint64_t gen, const struct allot_member *members, int n,
                      gf_boolean_t may_exist, const struct allot_record *rec,
                      gf_boolean_t *made, int *errs)
{
    struct allot_making making;
    int ret = 0;
    int i = 0;

    for (i = 0; i < n; i++) {
        made[i] = _gf_false;
        errs[i] = -ECANCELED;
    }
    ret = allot_portions_begin(this, inode, nonce, gen, members, n, &making);
    if (ret)
        goto out;
    memcpy(errs, making.errs, n * sizeof(*errs));
    create_wind(this, inode, allot_inode_get(this, inode), nonce, making.calls,
                n, made, errs);
    for (i = 0; i < n; i++) {
        if (errs[i] == -EEXIST && may_exist)
            errs[i] = create_found(this, inode, rec, gen, members[i].brick_idx);
        if (errs[i] && !ret)
            ret = errs[i];
    }
out:
    allot_portions_end(&making);
    return ret;
}
