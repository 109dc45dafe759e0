/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-gone.c - spread files that have lost a name on this brick: their
 * portions, on other bricks, may be left over. The guard cannot reach those; it
 * keeps a list, in memory, and clients come for it (docs/protocol.md, 2.11).
 *
 *   a name is removed, by anybody  --> in the list, with a new serial
 *   the file becomes spread later  --> in the list
 *   a client asks                  --> those without an open fd here, and old
 *                                      enough, are handed out; again after a
 *                                      while, should that client die
 *   a client says done             --> out of the list, if it is the same loss
 *
 * Why here: only the brick knows when the last fd of a file is closed, whoever
 * had it and however that client ended.
 *
 * Whether the removed name was the last one is not looked at: the client asks
 * the namespace, which knows of all copies of a file.
 */
#include "guard.h"

#define GUARD_GONE_BUCKETS 1024
/* 80 bytes each. Beyond that the one that was in it longest is forgotten, and
 * what is left of it is an orphan. */
#define GUARD_GONE_LIST_MAX 262144
/* Who removes a file removes its portions, and says so within a second. */
#define GUARD_GONE_AGE_SEC 3
/* It was handed out, and nobody came back. */
#define GUARD_GONE_AGAIN_SEC 30
/* So many are looked at for one answer. */
#define GUARD_GONE_SCAN 4096

struct guard_gone {
    struct list_head bucket;
    struct list_head order;
    struct allot_gone item;
    inode_table_t *table; /* where its fds are */
    time_t since;         /* of the loss, or it was found open */
    time_t given;         /* handed out; 0: not yet */
};

int
guard_gone_init(struct guard_priv *priv)
{
    int i = 0;

    LOCK_INIT(&priv->gone_lock);
    INIT_LIST_HEAD(&priv->gone_order);
    priv->gone_buckets = GF_CALLOC(GUARD_GONE_BUCKETS,
                                   sizeof(*priv->gone_buckets), guard_mt_gone);
    if (!priv->gone_buckets)
        return -ENOMEM;
    for (i = 0; i < GUARD_GONE_BUCKETS; i++)
        INIT_LIST_HEAD(&priv->gone_buckets[i]);
    return 0;
}

static void
gone_drop_locked(struct guard_priv *priv, struct guard_gone *gone)
{
    list_del(&gone->bucket);
    list_del(&gone->order);
    GF_ATOMIC_DEC(priv->gone);
    GF_FREE(gone);
}

void
guard_gone_fini(struct guard_priv *priv)
{
    struct guard_gone *gone = NULL;
    struct guard_gone *next = NULL;

    if (!priv->gone_buckets)
        return;
    list_for_each_entry_safe(gone, next, &priv->gone_order, order)
        gone_drop_locked(priv, gone);
    GF_FREE(priv->gone_buckets);
    priv->gone_buckets = NULL;
    LOCK_DESTROY(&priv->gone_lock);
}

static struct list_head *
gone_bucket(struct guard_priv *priv, const uint8_t *gfid)
{
    return &priv->gone_buckets[(gfid[14] << 8 | gfid[15]) % GUARD_GONE_BUCKETS];
}

static struct guard_gone *
gone_find_locked(struct guard_priv *priv, const uint8_t *gfid)
{
    struct guard_gone *gone = NULL;

    list_for_each_entry(gone, gone_bucket(priv, gfid), bucket)
    {
        if (memcmp(gone->item.gfid, gfid, 16) == 0)
            return gone;
    }
    return NULL;
}

/* ---- into the list ---------------------------------------------------------
 */

void
guard_gone_add(xlator_t *this, inode_t *inode, uint64_t nonce)
{
    struct guard_priv *priv = guard_priv(this);
    struct guard_gone *fresh = GF_CALLOC(1, sizeof(*fresh), guard_mt_gone);
    struct guard_gone *gone = NULL;
    gf_boolean_t full = _gf_false;

    LOCK(&priv->gone_lock);
    {
        gone = gone_find_locked(priv, inode->gfid);
        if (!gone && fresh) {
            full = GF_ATOMIC_GET(priv->gone) >= GUARD_GONE_LIST_MAX;
            if (full)
                gone_drop_locked(
                    priv, list_first_entry(&priv->gone_order, struct guard_gone,
                                           order));
            gone = fresh;
            fresh = NULL;
            memcpy(gone->item.gfid, inode->gfid, 16);
            list_add_tail(&gone->bucket, gone_bucket(priv, inode->gfid));
            list_add_tail(&gone->order, &priv->gone_order);
            GF_ATOMIC_INC(priv->gone);
        }
        if (gone) {
            /* Who was handed out the loss before does not speak of this one. */
            gone->item.serial = ++priv->gone_serial;
            gone->item.nonce = nonce;
            gone->table = inode->table;
            gone->since = gf_time();
            gone->given = 0;
        }
    }
    UNLOCK(&priv->gone_lock);
    GF_FREE(fresh);
    if ((full && GF_ATOMIC_INC(priv->gone_forgotten) == 1) || !gone)
        gf_msg(this->name, GF_LOG_WARNING, ENOMEM, GUARD_MSG_GONE,
               "too many removed files wait for a client that reaches all "
               "bricks: portions of some will be left over");
}

void
guard_gone_unnamed(xlator_t *this, inode_t *inode)
{
    struct guard_inode *gi = guard_inode_peek(this, inode);
    uint64_t nonce = 0;

    if (!gi)
        return;
    LOCK(&gi->lock);
    {
        if (gi->kind != GUARD_KIND_PORTION) {
            gi->unnamed = _gf_true;
            if (gi->has_extents)
                nonce = gi->nonce;
        }
    }
    UNLOCK(&gi->lock);
    if (nonce)
        guard_gone_add(this, inode, nonce);
}

/* From the wind of a call that takes a name from @inode to its answer, lookups
 * by that name may meet two files, see guard_inode_torn(). Returns a reference,
 * for the cookie; NULL: no such file is known. */
static inode_t *
parting_begin(xlator_t *this, inode_t *inode)
{
    struct guard_inode *gi = inode ? guard_inode_get(this, inode) : NULL;

    if (gi) {
        LOCK(&gi->lock);
        gi->parting++;
        UNLOCK(&gi->lock);
    }
    return inode ? inode_ref(inode) : NULL;
}

static void
parting_end(xlator_t *this, inode_t *inode)
{
    struct guard_inode *gi = inode ? guard_inode_peek(this, inode) : NULL;
    uint64_t now = 0;

    if (gi) {
        now = GF_ATOMIC_INC(guard_priv(this)->partings);
        LOCK(&gi->lock);
        gi->parting--;
        gi->parted = now;
        UNLOCK(&gi->lock);
    }
    if (inode)
        inode_unref(inode);
}

/* An unlink whose caller asks what becomes of the file (ALLOT_KEY_PART), or
 * that tells of a link file what was said of the file (ALLOT_KEY_PARTED). */
struct unlink_told {
    call_frame_t *frame; /* of the unlink, while the file is asked for */
    inode_t *inode;      /* references */
    dict_t *said;        /* to be told; NULL: nothing, or not yet */
    dict_t *xdata;       /* the answer of the unlink, and its parent's iatts */
    struct iatt pre;
    struct iatt post;
};

static struct unlink_told *
unlink_told_new(inode_t *inode, dict_t *xdata)
{
    struct unlink_told *told = NULL;
    data_t *said = dict_get_sizen(xdata, ALLOT_KEY_PARTED);

    if (!inode || (!said && !dict_get_sizen(xdata, ALLOT_KEY_PART)))
        return NULL;
    told = GF_CALLOC(1, sizeof(*told), guard_mt_names);
    if (!told)
        return NULL; /* then it is not told */
    told->inode = inode_ref(inode);
    if (said) {
        told->said = dict_new();
        if (told->said && dict_set(told->said, ALLOT_KEY_PARTED, said))
            gf_msg_debug("guard", ENOMEM, "an unlink does not tell");
    }
    return told;
}

/* Answers the unlink. */
static void
unlink_tell(call_frame_t *frame, struct unlink_told *told)
{
    if (told->said && told->xdata)
        dict_copy(told->xdata, told->said);
    STACK_UNWIND_STRICT(unlink, frame, 0, 0, &told->pre, &told->post,
                        told->said ? told->said : told->xdata);
    if (told->said)
        dict_unref(told->said);
    if (told->xdata)
        dict_unref(told->xdata);
    inode_unref(told->inode);
    GF_FREE(told);
}

/* It has no name any more: is it spread, and out of everybody's reach? Opens
 * under way are looked at before fds: they become fds. */
static gf_boolean_t
unlink_alone(xlator_t *this, inode_t *inode, struct allot_gone *gone)
{
    struct guard_inode *gi = guard_inode_peek(this, inode);
    gf_boolean_t alone = _gf_false;

    if (!gi)
        return _gf_false;
    memset(gone, 0, sizeof(*gone));
    memcpy(gone->gfid, inode->gfid, 16);
    LOCK(&gi->lock);
    {
        alone = gi->kind == GUARD_KIND_BASE && gi->has_extents &&
                !gi->damaged && !gi->opening && !gi->inflight && !gi->barrier &&
                !gi->filling && list_empty(&gi->waiting);
        gone->nonce = gi->nonce;
    }
    UNLOCK(&gi->lock);
    if (!alone)
        return _gf_false;
    LOCK(&inode->lock);
    {
        alone = inode->fd_count == 0;
    }
    UNLOCK(&inode->lock);
    return alone;
}

static int32_t
guard_unlink_look_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                      int32_t op_ret, int32_t op_errno, struct iatt *buf,
                      dict_t *xdata)
{
    struct unlink_told *told = cookie;
    uint8_t *bytes = NULL;
    int64_t len = -1;
    struct allot_gone gone;
    /* Found, with or without links, it can still be opened by its gfid: a
     * lookup by name that came while posix took the name away has made its
     * handle anew. The list has it. */
    gf_boolean_t nameless =
        op_ret < 0 && (op_errno == ENOENT || op_errno == ESTALE);

    STACK_DESTROY(frame->root);
    if (nameless && unlink_alone(this, told->inode, &gone)) {
        told->said = dict_new();
        bytes = GF_MALLOC(ALLOT_GONE_BYTES(1), guard_mt_bytes);
        if (told->said && bytes)
            len = allot_gone_encode(&gone, 1, bytes, ALLOT_GONE_BYTES(1));
        if (len < 0 ||
            dict_set_bin(told->said, ALLOT_KEY_PARTED, bytes, len) != 0)
            GF_FREE(bytes);
    }
    unlink_tell(told->frame, told);
    return 0;
}

/* The name is gone. Has the file another one: under its gfid it is found. */
static void
unlink_look(call_frame_t *frame, xlator_t *this, struct unlink_told *told)
{
    struct guard_inode *gi = guard_inode_peek(this, told->inode);
    call_frame_t *own = NULL;
    gf_boolean_t spread = _gf_false;
    loc_t loc = {
        0,
    };

    if (gi && !told->said) {
        LOCK(&gi->lock);
        spread = gi->kind == GUARD_KIND_BASE && gi->has_extents;
        UNLOCK(&gi->lock);
    }
    own = spread ? create_frame(this, this->ctx->pool) : NULL;
    if (!own) {
        unlink_tell(frame, told);
        return;
    }
    own->root->uid = 0;
    own->root->gid = 0;
    told->frame = frame;
    loc.inode = told->inode;
    gf_uuid_copy(loc.gfid, told->inode->gfid);
    STACK_WIND_COOKIE(own, guard_unlink_look_cbk, told, FIRST_CHILD(this),
                      FIRST_CHILD(this)->fops->stat, &loc, NULL);
}

static int32_t
guard_unlink_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                 int32_t op_ret, int32_t op_errno, struct iatt *preparent,
                 struct iatt *postparent, dict_t *xdata)
{
    struct unlink_told *told = frame->local;
    inode_t *inode = cookie;

    frame->local = NULL;
    if (inode && op_ret >= 0)
        guard_gone_unnamed(this, inode);
    parting_end(this, inode);
    if (told && op_ret >= 0) {
        told->pre = *preparent;
        told->post = *postparent;
        told->xdata = xdata ? dict_ref(xdata) : NULL;
        unlink_look(frame, this, told);
        return 0;
    }
    if (told) {
        if (told->said)
            dict_unref(told->said);
        inode_unref(told->inode);
        GF_FREE(told);
    }
    STACK_UNWIND_STRICT(unlink, frame, op_ret, op_errno, preparent, postparent,
                        xdata);
    return 0;
}

int32_t
guard_unlink(call_frame_t *frame, xlator_t *this, loc_t *loc, int flags,
             dict_t *xdata)
{
    int err = guard_refuse_loc(frame, this, loc, xdata);

    guard_unsquash(frame);
    if (err)
        return default_unlink_failure_cbk(frame, err);
    frame->local = xdata ? unlink_told_new(loc->inode, xdata) : NULL;
    STACK_WIND_COOKIE(frame, guard_unlink_cbk, parting_begin(this, loc->inode),
                      FIRST_CHILD(this), FIRST_CHILD(this)->fops->unlink, loc,
                      flags, xdata);
    return 0;
}

/* Both the file that moves and the one that is moved over lose a name. */
struct parting_two {
    inode_t *from;
    inode_t *over; /* NULL: none is known */
};

static int32_t
guard_rename_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                 int32_t op_ret, int32_t op_errno, struct iatt *buf,
                 struct iatt *preoldparent, struct iatt *postoldparent,
                 struct iatt *prenewparent, struct iatt *postnewparent,
                 dict_t *xdata)
{
    struct parting_two *two = cookie;

    if (two->over && op_ret >= 0)
        guard_gone_unnamed(this, two->over);
    parting_end(this, two->from);
    parting_end(this, two->over);
    GF_FREE(two);
    STACK_UNWIND_STRICT(rename, frame, op_ret, op_errno, buf, preoldparent,
                        postoldparent, prenewparent, postnewparent, xdata);
    return 0;
}

int32_t
guard_rename(call_frame_t *frame, xlator_t *this, loc_t *oldloc, loc_t *newloc,
             dict_t *xdata)
{
    int err = guard_refuse_locs(frame, this, oldloc, newloc, xdata);
    struct parting_two *two = NULL;

    guard_unsquash(frame);
    if (!err) {
        two = GF_CALLOC(1, sizeof(*two), guard_mt_names);
        err = two ? 0 : ENOMEM;
    }
    if (err)
        return default_rename_failure_cbk(frame, err);
    two->from = parting_begin(this, oldloc->inode);
    two->over = parting_begin(this, newloc->inode);
    STACK_WIND_COOKIE(frame, guard_rename_cbk, two, FIRST_CHILD(this),
                      FIRST_CHILD(this)->fops->rename, oldloc, newloc, xdata);
    return 0;
}

/* ---- out of it -------------------------------------------------------------
 */

static gf_boolean_t
gone_is_open(inode_table_t *table, const uint8_t *gfid)
{
    uuid_t id;
    inode_t *inode = NULL;
    gf_boolean_t open = _gf_false;

    memcpy(id, gfid, 16);
    inode = table ? inode_find(table, id) : NULL;
    if (!inode)
        return _gf_false;
    LOCK(&inode->lock);
    {
        open = inode->fd_count > 0;
    }
    UNLOCK(&inode->lock);
    inode_unref(inode);
    return open;
}

static void
gone_done(struct guard_priv *priv, const struct allot_gone *list, int count)
{
    struct guard_gone *gone = NULL;
    int i = 0;

    LOCK(&priv->gone_lock);
    for (i = 0; i < count; i++) {
        gone = gone_find_locked(priv, list[i].gfid);
        if (gone && gone->item.nonce == list[i].nonce &&
            (!list[i].serial || gone->item.serial == list[i].serial))
            gone_drop_locked(priv, gone);
    }
    UNLOCK(&priv->gone_lock);
}

/* Of @list, those that are open here; in place. @root: of the table in which
 * the asker's calls find their inodes. */
static int
gone_open(struct guard_priv *priv, inode_t *root, struct allot_gone *list,
          int count)
{
    struct guard_gone *gone = NULL;
    inode_table_t *table = NULL;
    int open = 0;
    int i = 0;

    for (i = 0; i < count; i++) {
        LOCK(&priv->gone_lock);
        {
            gone = gone_find_locked(priv, list[i].gfid);
            table = gone ? gone->table : root->table;
        }
        UNLOCK(&priv->gone_lock);
        if (gone_is_open(table, list[i].gfid))
            list[open++] = list[i];
    }
    return open;
}

/* Up to @cap that no fd here leads to. */
static int
gone_give(struct guard_priv *priv, struct allot_gone *list, int cap)
{
    struct guard_gone *gone = NULL;
    struct guard_gone *again = NULL;
    inode_table_t *table = NULL;
    time_t now = gf_time();
    int64_t scan = 0;
    int count = 0;

    LOCK(&priv->gone_lock);
    scan = GF_ATOMIC_GET(priv->gone);
    if (scan > GUARD_GONE_SCAN)
        scan = GUARD_GONE_SCAN;
    while (count < cap && scan-- > 0 && !list_empty(&priv->gone_order)) {
        gone = list_first_entry(&priv->gone_order, struct guard_gone, order);
        list_move_tail(&gone->order, &priv->gone_order);
        if (now - gone->since < GUARD_GONE_AGE_SEC ||
            (gone->given && now - gone->given < GUARD_GONE_AGAIN_SEC))
            continue;
        gone->given = now;
        list[count] = gone->item;
        table = gone->table;
        /* Looking at the inode may end its life, and call back. */
        UNLOCK(&priv->gone_lock);
        if (!gone_is_open(table, list[count].gfid)) {
            count++;
            LOCK(&priv->gone_lock);
            continue;
        }
        LOCK(&priv->gone_lock);
        again = gone_find_locked(priv, list[count].gfid);
        if (again) {
            again->since = now;
            again->given = 0;
        }
    }
    UNLOCK(&priv->gone_lock);
    return count;
}

/* A list out of the caller's xdata. Returns how many, 0 if there is none. */
static int
gone_list_of(dict_t *xdata, char *key, struct allot_gone *list)
{
    data_t *value = dict_get(xdata, key);
    int count = 0;

    if (value)
        count = allot_gone_decode((uint8_t *)value->data, value->len, list);
    return count > 0 ? count : 0;
}

dict_t *
guard_gone_answer(xlator_t *this, inode_t *root, dict_t *xdata)
{
    struct guard_priv *priv = guard_priv(this);
    struct allot_gone *list =
        GF_CALLOC(ALLOT_GONE_MAX, sizeof(*list), guard_mt_gone);
    dict_t *answer = dict_new();
    uint8_t *buf = NULL;
    uint32_t give = 0;
    int64_t len = 0;
    int count = 0;

    if (!list || !answer)
        goto failed;
    gone_done(priv, list, gone_list_of(xdata, ALLOT_KEY_GONE_DONE, list));
    count = gone_list_of(xdata, ALLOT_KEY_GONE_OPEN, list);
    if (count)
        count = gone_open(priv, root, list, count);
    else if (dict_get_uint32(xdata, ALLOT_KEY_GONE_GIVE, &give) == 0)
        count = gone_give(priv, list,
                          give < ALLOT_GONE_MAX ? give : ALLOT_GONE_MAX);

    buf = GF_MALLOC(ALLOT_GONE_BYTES(count), guard_mt_bytes);
    len = buf ? allot_gone_encode(list, count, buf, ALLOT_GONE_BYTES(count))
              : -ENOMEM;
    if (len < 0 || dict_set_bin(answer, ALLOT_KEY_GONE, buf, len) != 0)
        goto failed;
    GF_FREE(list);
    return answer;

failed:
    GF_FREE(buf);
    GF_FREE(list);
    if (answer)
        dict_unref(answer);
    return NULL;
}
