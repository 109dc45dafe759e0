/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-dir.c - the directory fops. Listings are the namespace's, with
 *   - "/.allot" left out of the root's;
 *   - the size of spread files corrected in readdirp;
 *   - an error instead of the end where names may be missing (strict-readdir).
 *
 * Deliberately not here: which bricks hold names (allot-bricks.h), the size of
 * a file that must be asked for: such an entry goes up without its iatt, and
 * whoever needs it looks it up.
 */
#include "allot-names.h"

/* What an open directory remembers, in its fd ctx. The value is the flags
 * themselves: there is nothing to free in releasedir. */
#define DIR_OPENED_INCOMPLETE 1 /* a brick missed the opendir: until closed */
#define DIR_LISTED_INCOMPLETE 2 /* a brick missed a part of this listing */

struct allot_dir_op {
    fd_t *fd;
    size_t size;
    dict_t *xdata;
    gf_boolean_t plus;
    gf_boolean_t asked; /* the caller itself wants the record */
    gf_boolean_t root;  /* "/.allot" is in there */
};

static void
allot_dir_op_free(struct allot_dir_op *op)
{
    if (!op)
        return;
    fd_unref(op->fd);
    if (op->xdata)
        dict_unref(op->xdata);
    GF_FREE(op);
}

/* ---- listings that may miss names ----------------------------------------
 *
 * A brick that is away while its part of the directory is read, and back
 * before the end, leaves no other trace than this: so it is looked at with
 * every call and every reply, and kept.
 */

static void
allot_dir_mark(xlator_t *this, fd_t *fd, uint64_t flag)
{
    uint64_t value = 0;

    fd_ctx_get(fd, this, &value);
    if (!(value & flag))
        fd_ctx_set(fd, this, value | flag);
}

static void
allot_dir_watch(xlator_t *this, fd_t *fd, uint64_t flag)
{
    if (allot_priv(this)->opt.strict_readdir &&
        allot_bricks_listing_incomplete(this))
        allot_dir_mark(this, fd, flag);
}

/* A listing begins anew. */
static void
allot_dir_rewound(xlator_t *this, fd_t *fd)
{
    uint64_t value = 0;

    if (fd_ctx_get(fd, this, &value) == 0 && (value & DIR_LISTED_INCOMPLETE))
        fd_ctx_set(fd, this, value & ~(uint64_t)DIR_LISTED_INCOMPLETE);
}

static gf_boolean_t
allot_dir_incomplete(xlator_t *this, fd_t *fd)
{
    uint64_t value = 0;

    if (!allot_priv(this)->opt.strict_readdir)
        return _gf_false;
    return fd_ctx_get(fd, this, &value) == 0 && value != 0;
}

/* At most one line a minute: a crawler meets this in every directory. */
static void
allot_dir_complain(xlator_t *this, fd_t *fd)
{
    static uint64_t last_sec;
    uint64_t now_sec = gf_time();
    uint64_t seen = __atomic_load_n(&last_sec, __ATOMIC_RELAXED);

    if (seen && now_sec - seen < 60)
        return;
    if (!__atomic_compare_exchange_n(&last_sec, &seen, now_sec, 0,
                                     __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return;
    gf_msg(this->name, GF_LOG_WARNING, EIO, ALLOT_MSG_LISTING_INCOMPLETE,
           "the listing of directory %s may miss names of a brick that is "
           "down or blank: it ends in EIO (option strict-readdir)",
           uuid_utoa(fd->inode->gfid));
}

/* ---- entries --------------------------------------------------------------
 */

/* A regular file's entry: put the file's size in place of the base's. */
static void
allot_dir_entry(xlator_t *this, struct allot_dir_op *op, gf_dirent_t *entry)
{
    gf_boolean_t record = _gf_false;
    gf_boolean_t exact = _gf_true;
    enum allot_kind kind = ALLOT_KIND_UNKNOWN;
    struct iatt bare = {
        0,
    };

    if (!IA_ISREG(entry->d_stat.ia_type))
        return;
    record = entry->dict && dict_get(entry->dict, ALLOT_XATTR_RECORD);

    if (!entry->inode) {
        exact = !record;
    } else if (record || allot_inode_peek(this, entry->inode)) {
        /* Only these: a plain file that nobody uses costs no memory here. */
        exact = allot_inode_hear(this, entry->inode, entry->dict,
                                 &entry->d_stat, &kind) &&
                (kind == ALLOT_KIND_PLAIN || kind == ALLOT_KIND_SPREAD) &&
                allot_inode_iatt(this, entry->inode, &entry->d_stat);
    }

    /* Without an inode nobody takes the iatt for the truth: the kernel, gfapi
     * and the caches look the file up before they use it. */
    if (!exact) {
        if (entry->inode)
            inode_unref(entry->inode);
        entry->inode = NULL;
        bare.ia_type = entry->d_stat.ia_type;
        bare.ia_ino = entry->d_stat.ia_ino;
        gf_uuid_copy(bare.ia_gfid, entry->d_stat.ia_gfid);
        entry->d_stat = bare;
    }

    if (record && !op->asked)
        dict_del(entry->dict, ALLOT_XATTR_RECORD);
}

/* Returns how many entries were taken out. *@last_off is the offset after the
 * last entry that came. */
static int
allot_dir_entries(xlator_t *this, struct allot_dir_op *op, gf_dirent_t *entries,
                  off_t *last_off)
{
    gf_dirent_t *entry = NULL;
    gf_dirent_t *tmp = NULL;
    int hidden = 0;

    list_for_each_entry_safe(entry, tmp, &entries->list, list)
    {
        *last_off = entry->d_off;
        if (op->root && strcmp(entry->d_name, ALLOT_DIR_NAME) == 0) {
            list_del_init(&entry->list);
            gf_dirent_entry_free(entry);
            hidden++;
        } else if (op->plus) {
            allot_dir_entry(this, op, entry);
        }
    }
    return hidden;
}

/* ---- readdir, readdirp ----------------------------------------------------
 */

static void
allot_dir_reply(call_frame_t *frame, int32_t op_ret, int32_t op_errno,
                gf_dirent_t *entries, dict_t *xdata)
{
    struct allot_dir_op *op = frame->local;
    gf_boolean_t plus = op->plus;

    frame->local = NULL;
    allot_dir_op_free(op);
    if (plus)
        STACK_UNWIND_STRICT(readdirp, frame, op_ret, op_errno, entries, xdata);
    else
        STACK_UNWIND_STRICT(readdir, frame, op_ret, op_errno, entries, xdata);
}

static void
allot_dir_wind(call_frame_t *frame, xlator_t *this, off_t off);

static int32_t
allot_readdir_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                  int32_t op_ret, int32_t op_errno, gf_dirent_t *entries,
                  dict_t *xdata)
{
    struct allot_dir_op *op = frame->local;
    off_t last_off = 0;
    int hidden = 0;

    allot_dir_watch(this, op->fd, DIR_LISTED_INCOMPLETE);

    if (op_ret > 0 && entries) {
        hidden = allot_dir_entries(this, op, entries, &last_off);
        op_ret -= hidden;
        /* An empty reply would mean the end. ENOENT says that it is. */
        if (op_ret <= 0 && hidden && op_errno != ENOENT) {
            allot_dir_wind(frame, this, last_off);
            return 0;
        }
    }

    /* distribute hides a subvolume's failure in the errno of the end. */
    if (op_ret == 0 && (op_errno == ENOTCONN || op_errno == EIO) &&
        allot_priv(this)->opt.strict_readdir)
        allot_dir_mark(this, op->fd, DIR_LISTED_INCOMPLETE);

    if (op_ret >= 0 && allot_dir_incomplete(this, op->fd)) {
        if (op_ret == 0) {
            allot_dir_complain(this, op->fd);
            allot_dir_reply(frame, -1, EIO, NULL, NULL);
            return 0;
        }
        /* ENOENT with entries tells readdir-ahead not to come back for the
         * end, which is where the error waits. */
        if (op_errno == ENOENT)
            op_errno = 0;
    }
    allot_dir_reply(frame, op_ret, op_errno, entries, xdata);
    return 0;
}

static void
allot_dir_wind(call_frame_t *frame, xlator_t *this, off_t off)
{
    struct allot_dir_op *op = frame->local;
    xlator_t *ns = allot_priv(this)->ns;

    if (op->plus)
        STACK_WIND(frame, allot_readdir_cbk, ns, ns->fops->readdirp, op->fd,
                   op->size, off, op->xdata);
    else
        STACK_WIND(frame, allot_readdir_cbk, ns, ns->fops->readdir, op->fd,
                   op->size, off, op->xdata);
}

static struct allot_dir_op *
allot_dir_op_new(xlator_t *this, fd_t *fd, size_t size, dict_t *xdata,
                 gf_boolean_t plus)
{
    struct allot_dir_op *op = GF_CALLOC(1, sizeof(*op), allot_mt_local);

    if (!op)
        return NULL;
    op->fd = fd_ref(fd);
    op->size = size;
    op->plus = plus;
    op->root = __is_root_gfid(fd->inode->gfid);
    if (!plus) {
        op->xdata = xdata ? dict_ref(xdata) : NULL;
        return op;
    }
    op->asked = xdata && dict_get(xdata, ALLOT_XATTR_RECORD);
    op->xdata = allot_xdata_with_record_req(this, xdata);
    if (!op->xdata) {
        allot_dir_op_free(op);
        return NULL;
    }
    return op;
}

static int
allot_dir_read(call_frame_t *frame, xlator_t *this, fd_t *fd, size_t size,
               off_t off, dict_t *xdata, gf_boolean_t plus)
{
    struct allot_dir_op *op = allot_dir_op_new(this, fd, size, xdata, plus);

    if (!op)
        return -ENOMEM;
    frame->local = op;
    if (off == 0)
        allot_dir_rewound(this, fd);
    allot_dir_watch(this, fd, DIR_LISTED_INCOMPLETE);
    allot_dir_wind(frame, this, off);
    return 0;
}

int32_t
allot_readdir(call_frame_t *frame, xlator_t *this, fd_t *fd, size_t size,
              off_t off, dict_t *xdata)
{
    if (allot_dir_read(frame, this, fd, size, off, xdata, _gf_false) < 0)
        STACK_UNWIND_STRICT(readdir, frame, -1, ENOMEM, NULL, NULL);
    return 0;
}

int32_t
allot_readdirp(call_frame_t *frame, xlator_t *this, fd_t *fd, size_t size,
               off_t off, dict_t *xdata)
{
    if (allot_dir_read(frame, this, fd, size, off, xdata, _gf_true) < 0)
        STACK_UNWIND_STRICT(readdirp, frame, -1, ENOMEM, NULL, NULL);
    return 0;
}

/* ---- opendir, fsyncdir -----------------------------------------------------
 */

static int32_t
allot_opendir_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                  int32_t op_ret, int32_t op_errno, fd_t *fd, dict_t *xdata)
{
    if (op_ret >= 0 && fd)
        allot_dir_watch(this, fd, DIR_OPENED_INCOMPLETE);
    STACK_UNWIND_STRICT(opendir, frame, op_ret, op_errno, fd, xdata);
    return 0;
}

int32_t
allot_opendir(call_frame_t *frame, xlator_t *this, loc_t *loc, fd_t *fd,
              dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    if (allot_hidden_loc(loc)) {
        STACK_UNWIND_STRICT(opendir, frame, -1, ENOENT, NULL, NULL);
        return 0;
    }
    STACK_WIND(frame, allot_opendir_cbk, ns, ns->fops->opendir, loc, fd, xdata);
    return 0;
}

int32_t
allot_fsyncdir(call_frame_t *frame, xlator_t *this, fd_t *fd, int32_t datasync,
               dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    STACK_WIND_TAIL(frame, ns, ns->fops->fsyncdir, fd, datasync, xdata);
    return 0;
}
