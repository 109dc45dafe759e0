/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-list.c - listings: the root without ".allot", "/.allot/XX" with the
 * states of its portions, and offsets that tell the bricks apart.
 *
 * Offsets: distribute finds the brick at which to go on in the offset of the
 * last entry. protocol/client puts it there; in a volume that lives in one
 * process there is none, so the guard does it, with the same functions. In a
 * brick's process there is one leaf, and they change nothing.
 */
#include "guard.h"

/* A listing of the root for somebody who may not see ".allot": the arguments,
 * because a part that holds nothing else must be asked for again from behind
 * it: an empty answer would mean the end. */
struct guard_listing {
    gf_boolean_t filters;      /* the root's: leave ".allot" out */
    gf_boolean_t stranger;     /* show recorded sizes (guard-size.c) */
    struct guard_shelf *shelf; /* guard-brief.c; owned; NULL */
    fd_t *fd;                  /* referenced */
    dict_t *xdata;             /* referenced; NULL */
    size_t size;               /* bytes */
};

static int
guard_listing_new(fd_t *fd, size_t size, dict_t *xdata,
                  struct guard_listing **out)
{
    struct guard_listing *li = GF_CALLOC(1, sizeof(*li), guard_mt_bytes);

    *out = li;
    if (!li)
        return ENOMEM;
    li->fd = fd_ref(fd);
    li->xdata = xdata ? dict_ref(xdata) : NULL;
    li->size = size;
    return 0;
}

static void
guard_listing_free(struct guard_listing *li)
{
    if (!li)
        return;
    fd_unref(li->fd);
    if (li->xdata)
        dict_unref(li->xdata);
    guard_brief_end(li->shelf);
    GF_FREE(li);
}

/* Leave ".allot" out. Returns the offset to go on from if nothing else was
 * there, else -1. */
static off_t
guard_listing_filter(gf_dirent_t *entries, int32_t *count)
{
    gf_dirent_t *entry = NULL;
    gf_dirent_t *next = NULL;
    off_t offset = -1;

    list_for_each_entry_safe(entry, next, &entries->list, list)
    {
        if (strcmp(entry->d_name, ALLOT_DIR_NAME) != 0)
            continue;
        offset = entry->d_off;
        gf_dirent_entry_free(entry);
        (*count)--;
    }
    return *count == 0 ? offset : -1;
}

/* The place of the brick's storage among the leaves of the graph. The graph is
 * whole at the first listing, but not yet at init. */
static int
guard_leaf(xlator_t *this)
{
    struct guard_priv *priv = guard_priv(this);
    int position = GF_ATOMIC_GET(priv->leaf);
    xlator_t *leaf = this;

    if (position >= 0)
        return position;
    while (leaf->children)
        leaf = FIRST_CHILD(leaf);
    position = glusterfs_leaf_position(leaf);
    GF_ATOMIC_SWAP(priv->leaf, position);
    return position;
}

static void
guard_listing_mark(xlator_t *this, gf_dirent_t *entries)
{
    int leaf = guard_leaf(this);
    gf_dirent_t *entry = NULL;

    list_for_each_entry(entry, &entries->list, list)
    {
        gf_itransform(this, entry->d_off, &entry->d_off, leaf);
    }
}

/* The portions that a listing shows get their state from it: the server links
 * their inodes without a lookup. */
static void
guard_listing_learn(xlator_t *this, gf_dirent_t *entries)
{
    gf_dirent_t *entry = NULL;
    struct guard_inode *gi = NULL;

    list_for_each_entry(entry, &entries->list, list)
    {
        if (!entry->inode || entry->d_stat.ia_type != IA_IFREG || !entry->dict)
            continue;
        gi = guard_inode_get(this, entry->inode);
        if (gi && dict_get_sizen(entry->dict, ALLOT_XATTR_PORTION))
            guard_inode_learn(this, gi, entry->d_stat.ia_gfid, entry->dict);
    }
}

/* What a stranger asked for has no records: they go again. An entry's inode may
 * be that of a file which had the name before: storage/posix takes it from the
 * table, with its gfid. So the size is shown by way of one of its own. */
static void
guard_listing_sizes(xlator_t *this, gf_dirent_t *entries)
{
    gf_dirent_t *entry = NULL;
    inode_t *inode = NULL;
    struct guard_inode *gi = NULL;

    list_for_each_entry(entry, &entries->list, list)
    {
        if (!entry->dict || !dict_get_sizen(entry->dict, ALLOT_XATTR_RECORD))
            continue;
        inode = entry->inode ? inode_new(entry->inode->table) : NULL;
        gi = inode ? guard_inode_get(this, inode) : NULL;
        if (gi) {
            guard_inode_learn(this, gi, entry->d_stat.ia_gfid, entry->dict);
            guard_size_show(this, inode, &entry->d_stat);
        }
        if (inode)
            inode_unref(inode);
        dict_del_sizen(entry->dict, ALLOT_XATTR_RECORD);
    }
}

static int32_t
guard_readdir_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                  int32_t op_ret, int32_t op_errno, gf_dirent_t *entries,
                  dict_t *xdata)
{
    struct guard_listing *li = cookie;
    off_t offset = -1;

    if (op_ret > 0 && li)
        offset = guard_listing_filter(entries, &op_ret);
    if (offset != -1) {
        STACK_WIND_COOKIE(frame, guard_readdir_cbk, li, FIRST_CHILD(this),
                          FIRST_CHILD(this)->fops->readdir, li->fd, li->size,
                          offset, li->xdata);
        return 0;
    }
    if (op_ret > 0)
        guard_listing_mark(this, entries);
    STACK_UNWIND_STRICT(readdir, frame, op_ret, op_errno, entries, xdata);
    guard_listing_free(li);
    return 0;
}

static int32_t
guard_readdirp_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                   int32_t op_ret, int32_t op_errno, gf_dirent_t *entries,
                   dict_t *xdata)
{
    struct guard_listing *li = cookie;
    off_t offset = -1;

    if (op_ret > 0 && li && li->filters)
        offset = guard_listing_filter(entries, &op_ret);
    if (offset != -1) {
        STACK_WIND_COOKIE(frame, guard_readdirp_cbk, li, FIRST_CHILD(this),
                          FIRST_CHILD(this)->fops->readdirp, li->fd, li->size,
                          offset, li->xdata);
        return 0;
    }
    if (op_ret > 0) {
        guard_listing_learn(this, entries);
        if (li && li->stranger)
            guard_listing_sizes(this, entries);
        guard_listing_mark(this, entries);
    }
    STACK_UNWIND_STRICT(readdirp, frame, op_ret, op_errno, entries, xdata);
    guard_listing_free(li);
    return 0;
}

/* Names only have come; the rest is the guard's. */
static int32_t
guard_brief_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                int32_t op_ret, int32_t op_errno, gf_dirent_t *entries,
                dict_t *xdata)
{
    struct guard_listing *li = cookie;

    if (op_ret > 0) {
        guard_brief_fill(li->shelf, li->fd->inode, entries);
        guard_listing_mark(this, entries);
    }
    STACK_UNWIND_STRICT(readdirp, frame, op_ret, op_errno, entries, xdata);
    guard_listing_free(li);
    return 0;
}

static gf_boolean_t
guard_listing_filters(call_frame_t *frame, xlator_t *this, fd_t *fd,
                      dict_t *xdata)
{
    return __is_root_gfid(fd->inode->gfid) &&
           !guard_may_see(frame, this, xdata);
}

int32_t
guard_readdir(call_frame_t *frame, xlator_t *this, fd_t *fd, size_t size,
              off_t offset, dict_t *xdata)
{
    int err = guard_refuse_fd(frame, this, fd, xdata);
    struct guard_listing *li = NULL;

    guard_unsquash(frame);
    if (!err && guard_listing_filters(frame, this, fd, xdata))
        err = guard_listing_new(fd, size, xdata, &li);
    if (err)
        return default_readdir_failure_cbk(frame, err);
    STACK_WIND_COOKIE(frame, guard_readdir_cbk, li, FIRST_CHILD(this),
                      FIRST_CHILD(this)->fops->readdir, fd, size,
                      gf_dirent_orig_offset(this, offset), xdata);
    return 0;
}

int32_t
guard_readdirp(call_frame_t *frame, xlator_t *this, fd_t *fd, size_t size,
               off_t offset, dict_t *xdata)
{
    int err = guard_refuse_fd(frame, this, fd, xdata);
    struct guard_listing *li = NULL;
    struct guard_shelf *shelf = NULL;
    dict_t *req = NULL;

    guard_unsquash(frame);
    if (!err && guard_gfid_hidden(fd->inode->gfid)) {
        req = guard_xdata_plain(xdata);
        if (!req || guard_inode_request(this, req))
            err = ENOMEM;
    } else if (!err && guard_is_stranger(frame, this, xdata)) {
        req = xdata ? dict_copy_with_ref(xdata, NULL) : dict_new();
        if (!req || dict_set_uint64(req, ALLOT_XATTR_RECORD, 0) != 0)
            err = ENOMEM;
        else
            err = guard_listing_new(fd, size, req, &li);
        if (li) {
            li->stranger = _gf_true;
            li->filters = guard_listing_filters(frame, this, fd, xdata);
        }
    } else if (!err && guard_listing_filters(frame, this, fd, xdata)) {
        err = guard_listing_new(fd, size, xdata, &li);
        if (li)
            li->filters = _gf_true;
    } else if (!err && frame->root->client) {
        /* In a volume of one process nobody would give the entries inodes. */
        shelf = guard_brief_begin(this, fd->inode, xdata);
        if (shelf)
            err = guard_listing_new(fd, size, NULL, &li);
        if (li)
            li->shelf = shelf;
        else
            guard_brief_end(shelf);
    }
    if (err)
        default_readdirp_failure_cbk(frame, err);
    else if (li && li->shelf)
        STACK_WIND_COOKIE(frame, guard_brief_cbk, li, FIRST_CHILD(this),
                          FIRST_CHILD(this)->fops->readdir, fd, size,
                          gf_dirent_orig_offset(this, offset), NULL);
    else
        STACK_WIND_COOKIE(frame, guard_readdirp_cbk, li, FIRST_CHILD(this),
                          FIRST_CHILD(this)->fops->readdirp, fd, size,
                          gf_dirent_orig_offset(this, offset),
                          req ? req : xdata);
    if (req)
        dict_unref(req);
    return 0;
}
