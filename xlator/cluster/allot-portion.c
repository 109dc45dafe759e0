/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-portion.c - a file's portions: their names, their inode, their fds;
 * opening and removing them (allot-portion-make.c makes them). Decides nothing
 * about layouts.
 *
 *   /.allot/3f/3f0c...e1.00c0ffee00c0ffee      on every data subvolume alike
 *           |  |         |
 *           |  base gfid nonce (16 hex)
 *           first byte of the base gfid
 */
#include "allot-proto.h"
#include "allot-fops.h"

inode_t *
allot_dir_inode(inode_t *inode, uuid_t gfid)
{
    inode_t *dir = NULL;

    if (__is_root_gfid(gfid))
        return inode_ref(inode->table->root);
    dir = inode_new(inode->table);
    if (dir) {
        gf_uuid_copy(dir->gfid, gfid);
        dir->ia_type = IA_IFDIR;
    }
    return dir;
}

int
allot_portion_loc(xlator_t *this, inode_t *inode, struct allot_inode *ai,
                  uint64_t nonce, loc_t *loc)
{
    char name[ALLOT_PORTION_NAME_SIZE];
    inode_t *fresh = NULL;
    inode_t *old = NULL;
    char *path = NULL;

    memset(loc, 0, sizeof(*loc));
    allot_portion_name(inode->gfid, nonce, name);
    if (gf_asprintf(&path, "/%s/%02x/%s", ALLOT_DIR_NAME,
                    allot_dir_of(inode->gfid), name) < 0)
        return -ENOMEM;
    loc->path = path;
    loc->name = strrchr(path, '/') + 1;
    allot_dir_gfid(allot_dir_of(inode->gfid), loc->pargfid);
    allot_portion_gfid(inode->gfid, nonce, loc->gfid);
    loc->parent = allot_dir_inode(inode, loc->pargfid);
    if (!loc->parent) {
        loc_wipe(loc);
        return -ENOMEM;
    }

    LOCK(&ai->lock);
    {
        if (ai->portion && ai->portion_nonce == nonce)
            loc->inode = inode_ref(ai->portion);
    }
    UNLOCK(&ai->lock);
    if (loc->inode)
        return 0;

    /* An inode of our own, never linked into the table: no name leads to it. */
    fresh = inode_new(inode->table);
    if (!fresh) {
        loc_wipe(loc);
        return -ENOMEM;
    }
    gf_uuid_copy(fresh->gfid, loc->gfid);
    fresh->ia_type = IA_IFREG;
    LOCK(&ai->lock);
    {
        if (ai->portion && ai->portion_nonce == nonce) {
            old = fresh;
        } else {
            old = ai->portion;
            ai->portion = fresh;
            ai->portion_nonce = nonce;
        }
        loc->inode = inode_ref(ai->portion);
    }
    UNLOCK(&ai->lock);
    if (old)
        inode_unref(old);
    return 0;
}

/* ---- slots
 * -------------------------------------------------------------------- */

static struct allot_slot *
slot_find_locked(struct allot_inode *ai, uint16_t idx)
{
    uint32_t i = 0;

    for (i = 0; i < ai->slot_count; i++)
        if (ai->slots[i].idx == idx)
            return &ai->slots[i];
    return NULL;
}

/* @nonce 0: the record's. Another client may have cut the file to nothing and
 * made it spread anew: then the old portions are not this file's any more. */
static fd_t *
slot_fd(xlator_t *this, struct allot_inode *ai, uint64_t nonce, uint16_t idx,
        struct allot_brick_view *view)
{
    struct allot_slot *slot = NULL;
    fd_t *fd = NULL;

    if (allot_brick_get(this, idx, view) || !allot_brick_usable(view))
        return NULL;
    LOCK(&ai->lock);
    {
        slot = slot_find_locked(ai, idx);
        if (!nonce && ai->rec)
            nonce = ai->rec->r.nonce;
        if (slot && slot->fd && slot->epoch == view->epoch && nonce &&
            slot->nonce == nonce)
            fd = fd_ref(slot->fd);
    }
    UNLOCK(&ai->lock);
    return fd;
}

fd_t *
allot_slot_fd(xlator_t *this, struct allot_inode *ai, uint16_t idx,
              struct allot_brick_view *view)
{
    return slot_fd(this, ai, 0, idx, view);
}

fd_t *
allot_slot_fd_new(xlator_t *this, struct allot_inode *ai, uint64_t nonce,
                  uint16_t idx, struct allot_brick_view *view)
{
    return slot_fd(this, ai, nonce, idx, view);
}

gf_boolean_t
allot_slot_hopeless(xlator_t *this, struct allot_inode *ai, uint16_t idx)
{
    struct allot_brick_view view;
    struct allot_slot *slot = NULL;
    gf_boolean_t hopeless = _gf_false;

    if (allot_brick_get(this, idx, &view) || !allot_brick_usable(&view))
        return _gf_true;
    LOCK(&ai->lock);
    {
        slot = slot_find_locked(ai, idx);
        hopeless = slot && slot->failed && slot->epoch == view.epoch &&
                   ai->rec && slot->nonce == ai->rec->r.nonce;
    }
    UNLOCK(&ai->lock);
    return hopeless;
}

int
allot_slot_set(struct allot_inode *ai, uint16_t idx, uint32_t epoch,
               uint64_t nonce, fd_t *fd, gf_boolean_t failed)
{
    struct allot_slot *slot = NULL;
    struct allot_slot *grown = NULL;
    fd_t *direct = NULL;
    fd_t *old = NULL;

    LOCK(&ai->lock);
    {
        slot = slot_find_locked(ai, idx);
        if (!slot) {
            /* GF_REALLOC() takes no NULL. */
            size_t bytes = (ai->slot_count + 1) * sizeof(*ai->slots);

            grown = ai->slots ? GF_REALLOC(ai->slots, bytes)
                              : GF_CALLOC(1, bytes, allot_mt_misc);
            if (grown) {
                ai->slots = grown;
                slot = &ai->slots[ai->slot_count++];
                memset(slot, 0, sizeof(*slot));
                slot->idx = idx;
            }
        }
        if (slot) {
            old = slot->fd;
            slot->fd = fd;
            direct = slot->direct;
            slot->direct = NULL;
            if (slot->epoch != epoch)
                slot->told = slot->no_direct = _gf_false;
            if (slot->nonce != nonce) /* cut off with that portion */
                slot->unsynced = slot->unrecorded = _gf_false;
            if (slot->unrecorded && old != fd) {
                slot->unrecorded = _gf_false;
                ai->rehomed++;
            }
            slot->epoch = epoch;
            slot->nonce = nonce;
            slot->failed = failed;
        }
    }
    UNLOCK(&ai->lock);
    if (!slot) {
        if (fd)
            fd_unref(fd);
        return -ENOMEM;
    }
    if (old)
        fd_unref(old);
    if (direct)
        fd_unref(direct);
    return 0;
}

gf_boolean_t
allot_slot_tell(struct allot_inode *ai, uint16_t idx)
{
    struct allot_slot *slot = NULL;
    gf_boolean_t first = _gf_true;

    LOCK(&ai->lock);
    {
        slot = slot_find_locked(ai, idx);
        if (slot) {
            first = !slot->told;
            slot->told = _gf_true;
        }
    }
    UNLOCK(&ai->lock);
    return first;
}

gf_boolean_t
allot_slot_unsynced(struct allot_inode *ai, uint16_t idx, int mark)
{
    struct allot_slot *slot = NULL;
    gf_boolean_t was = _gf_false;

    LOCK(&ai->lock);
    {
        slot = slot_find_locked(ai, idx);
        if (slot) {
            was = slot->unsynced;
            if (mark >= 0)
                slot->unsynced = mark ? _gf_true : _gf_false;
        }
    }
    UNLOCK(&ai->lock);
    return was;
}

void
allot_slot_unrecorded(struct allot_inode *ai, uint16_t idx)
{
    struct allot_slot *slot = NULL;

    LOCK(&ai->lock);
    {
        slot = slot_find_locked(ai, idx);
        if (slot)
            slot->unrecorded = _gf_true;
    }
    UNLOCK(&ai->lock);
}

void
allot_slot_unwritten(struct allot_inode *ai, uint16_t idx)
{
    struct allot_slot *slot = NULL;
    fd_t *fd = NULL;

    LOCK(&ai->lock);
    {
        slot = slot_find_locked(ai, idx);
        if (slot && !slot->unrecorded) {
            fd = slot->fd;
            slot->fd = NULL;
        }
    }
    UNLOCK(&ai->lock);
    if (fd)
        fd_unref(fd);
}

void
allot_slot_recorded(struct allot_inode *ai, uint16_t idx, gf_boolean_t did)
{
    struct allot_slot *slot = NULL;
    fd_t *fd = NULL;

    LOCK(&ai->lock);
    {
        slot = slot_find_locked(ai, idx);
        if (slot)
            slot->unrecorded = _gf_false;
        if (slot && !did) {
            fd = slot->fd;
            slot->fd = NULL;
        }
        if (!did)
            ai->rehomed++;
    }
    UNLOCK(&ai->lock);
    if (fd)
        fd_unref(fd);
}

gf_boolean_t
allot_slots_unrecorded(struct allot_inode *ai)
{
    gf_boolean_t any = _gf_false;
    uint32_t i = 0;

    LOCK(&ai->lock);
    {
        for (i = 0; i < ai->slot_count; i++)
            any = any || ai->slots[i].unrecorded;
    }
    UNLOCK(&ai->lock);
    return any;
}

/* One of its fds, NULL if none is left. */
static fd_t *
slot_take_locked(struct allot_slot *slot)
{
    fd_t **at = slot->fd ? &slot->fd : &slot->direct;
    fd_t *fd = *at;

    *at = NULL;
    return fd;
}

void
allot_slot_drop(struct allot_inode *ai, uint16_t idx)
{
    fd_t *fd = NULL;
    inode_t *portion = NULL;
    uint32_t i = 0;

    for (;;) {
        fd = NULL;
        LOCK(&ai->lock);
        {
            for (i = 0; i < ai->slot_count && !fd; i++) {
                if (idx != ALLOT_IDX_NONE && ai->slots[i].idx != idx)
                    continue;
                fd = slot_take_locked(&ai->slots[i]);
                ai->slots[i].failed = _gf_false;
            }
            if (!fd && idx == ALLOT_IDX_NONE && !ai->holds) {
                fd = ai->base_fd;
                ai->base_fd = NULL;
            }
        }
        UNLOCK(&ai->lock);
        if (!fd)
            break;
        fd_unref(fd);
    }
    if (idx != ALLOT_IDX_NONE)
        return;
    LOCK(&ai->lock);
    {
        ai->slot_count = 0;
        portion = ai->portion;
        ai->portion = NULL;
    }
    UNLOCK(&ai->lock);
    if (portion)
        inode_unref(portion);
}

/* ---- opening
 * ------------------------------------------------------------------- */

/* What a refused open means for the data behind it. */
static int
open_error(int err)
{
    return err == ENOENT || err == ESTALE ? -ENODATA : -err;
}

/* Is a portion not there, as far as its brick knows? */
static gf_boolean_t
opened_nothing(const struct allot_call *calls, int n)
{
    int i = 0;

    for (i = 0; i < n; i++)
        if (calls[i].xl && calls[i].ret < 0 &&
            open_error(calls[i].err) == -ENODATA)
            return _gf_true;
    return _gf_false;
}

/* Ends an open: keeps the fd or drops it. */
static int
open_end(xlator_t *this, inode_t *inode, struct allot_inode *ai, uint64_t nonce,
         struct allot_call *call)
{
    struct allot_brick_view view;
    int err = 0;

    if (call->ret >= 0)
        return allot_slot_set(ai, call->idx, call->epoch, nonce, call->fd,
                              _gf_false);
    err = open_error(call->err);
    allot_slot_set(ai, call->idx, call->epoch, nonce, NULL, _gf_true);
    if (err == -ENODATA) {
        if (allot_slot_tell(ai, call->idx))
            gf_msg(this->name, GF_LOG_ERROR, call->err, ALLOT_MSG_LOST_PORTION,
                   "the portion of gfid %s on %s is missing: its blocks are "
                   "lost%s",
                   uuid_utoa(inode->gfid), call->xl->name,
                   !allot_brick_get(this, call->idx, &view) && view.degraded
                       ? ", unless a brick of the set that is away has it"
                       : "");
    }
    fd_unref(call->fd);
    return err;
}

/* A file system that became read-only can still be read: what it refused to
 * open for writing is opened again. A write through such an fd gives EBADF, and
 * opening it anew then tells EROFS. */
static void
open_readonly(xlator_t *this, struct allot_call *calls, int n)
{
    int i = 0;

    for (i = 0; i < n; i++) {
        if (!calls[i].xl || calls[i].ret >= 0 || calls[i].err != EROFS)
            continue;
        calls[i].flags = O_RDONLY;
        calls[i].fd->flags = O_RDONLY;
        allot_fan(this, &calls[i], 1);
    }
}

/* The youngest connection on which one of them is to be opened; 0: none is. */
static uint64_t
opens_since(xlator_t *this, struct allot_inode *ai, const uint16_t *idx, int n)
{
    struct allot_brick_view view;
    uint64_t since = 0;
    fd_t *fd = NULL;
    int i = 0;

    for (i = 0; i < n; i++) {
        fd = allot_slot_fd(this, ai, idx[i], &view);
        if (fd)
            fd_unref(fd);
        else if (allot_brick_usable(&view) && view.since > since)
            since = view.since;
    }
    return since;
}

static int
portions_open(xlator_t *this, inode_t *inode, const uint16_t *idx, int n,
              int *errs, gf_boolean_t reading)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_rec *rec = ai ? allot_inode_rec(ai, NULL) : NULL;
    struct allot_call *calls = NULL;
    struct allot_brick_view view;
    loc_t loc = {
        0,
    };
    gf_boolean_t moved = _gf_false;
    uint64_t since = 0;
    fd_t *fd = NULL;
    int ret = 0;
    int err = 0;
    int i = 0;

    for (i = 0; i < n; i++)
        errs[i] = -ECANCELED;
    calls = GF_CALLOC(n ? n : 1, sizeof(*calls), allot_mt_calls);
    if (!ai || !rec || !calls ||
        allot_portion_loc(this, inode, ai, rec->r.nonce, &loc)) {
        ret = rec ? -ENOMEM : -EREMCHG;
        goto out;
    }
    since = opens_since(this, ai, idx, n);
    /* An fd that is replaced takes with it whether its lengths are recorded. */
    if (since && allot_slots_unrecorded(ai))
        allot_disperse_sure(this, inode, NULL);
    ret = allot_record_current(this, inode, rec, since);
    if (ret)
        goto out;
    for (i = 0; i < n; i++) {
        errs[i] = 0;
        allot_call_init(&calls[i], NULL, GF_FOP_OPEN);
        fd = allot_slot_fd(this, ai, idx[i], &view);
        if (fd) {
            fd_unref(fd);
            continue;
        }
        if (!allot_brick_usable(&view)) {
            errs[i] = view.state == ALLOT_BRICK_BLANK ||
                              view.state == ALLOT_BRICK_LOST
                          ? -ENODATA
                          : -ENOTCONN;
            continue;
        }
        /* It came while the record was read. */
        if (view.since > ai->seen_version) {
            errs[i] = -EREMCHG;
            continue;
        }
        calls[i].fd = fd_create(loc.inode, 0);
        if (!calls[i].fd) {
            errs[i] = -ENOMEM;
            continue;
        }
        calls[i].fd->flags = O_RDWR;
        calls[i].xl = view.xl;
        calls[i].idx = idx[i];
        calls[i].epoch = view.epoch;
        calls[i].loc = &loc;
        calls[i].flags = O_RDWR;
        calls[i].xdata = allot_priv(this)->client_xdata;
    }
    allot_fan(this, calls, n);
    if (reading)
        open_readonly(this, calls, n);
    if (opened_nothing(calls, n))
        moved = allot_record_moved(this, inode, rec);
    for (i = 0; i < n; i++) {
        if (calls[i].xl && calls[i].ret < 0 && moved) {
            errs[i] = -EREMCHG;
            fd_unref(calls[i].fd);
        } else if (calls[i].xl) {
            errs[i] = open_end(this, inode, ai, rec->r.nonce, &calls[i]);
        }
        err = errs[i];
        if (err == -EREMCHG || (err && !ret))
            ret = err;
    }
out:
    GF_FREE(calls);
    allot_rec_unref(rec);
    loc_wipe(&loc);
    return ret;
}

int
allot_portions_open(xlator_t *this, inode_t *inode, const uint16_t *idx, int n,
                    int *errs)
{
    return portions_open(this, inode, idx, n, errs, _gf_false);
}

int
allot_portions_open_read(xlator_t *this, inode_t *inode, const uint16_t *idx,
                         int n, int *errs)
{
    return portions_open(this, inode, idx, n, errs, _gf_true);
}

/* ---- removing
 * ------------------------------------------------------------------- */

int
allot_portions_unlink(xlator_t *this, inode_t *inode, uint64_t nonce)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_brick_view *views = NULL;
    struct allot_call *calls = NULL;
    loc_t loc = {
        0,
    };
    uint64_t version = allot_bricks_version(this);
    int ret = allot_bricks_complete(this) ? 0 : -EAGAIN;
    int n = 0;
    int i = 0;

    views = GF_CALLOC(ALLOT_BRICKS_MAX, sizeof(*views), allot_mt_misc);
    calls = GF_CALLOC(ALLOT_BRICKS_MAX, sizeof(*calls), allot_mt_calls);
    if (!ai || !views || !calls ||
        allot_portion_loc(this, inode, ai, nonce, &loc)) {
        ret = -ENOMEM;
        goto out;
    }
    /* Every brick, not the layout's members only: an append that lost its race
     * may have left a portion on a brick that is in no extent. */
    n = allot_bricks_usable_all(this, views, ALLOT_BRICKS_MAX);
    for (i = 0; i < n; i++) {
        allot_call_init(&calls[i], views[i].xl, GF_FOP_UNLINK);
        calls[i].loc = &loc;
        calls[i].xdata = allot_priv(this)->client_xdata;
    }
    allot_fan(this, calls, n);
    for (i = 0; i < n; i++)
        if (calls[i].ret < 0 && calls[i].err != ENOENT &&
            calls[i].err != ESTALE) {
            ret = -EAGAIN;
            gf_msg(this->name, GF_LOG_WARNING, calls[i].err, ALLOT_MSG_PROTOCOL,
                   "the portion of gfid %s on %s could not be removed",
                   uuid_utoa(inode->gfid), views[i].xl->name);
        }
    if (allot_bricks_version(this) != version)
        ret = -EAGAIN;
    allot_calls_wipe(calls, n);
out:
    GF_FREE(views);
    GF_FREE(calls);
    loc_wipe(&loc);
    return ret;
}
