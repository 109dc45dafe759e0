/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-inode.c - the state of one file: where it comes from, when it may
 * change, how it is shown.
 *
 * Deliberately not here: who may pass (guard-gate.c) and the steps that change
 * what is on disk (guard-publish.c).
 */
#include "guard.h"

struct guard_inode *
guard_inode_peek(xlator_t *this, inode_t *inode)
{
    uint64_t value = 0;

    if (!inode || inode_ctx_get0(inode, this, &value) != 0)
        return NULL;
    return (struct guard_inode *)(uintptr_t)value;
}

struct guard_inode *
guard_inode_get(xlator_t *this, inode_t *inode)
{
    struct guard_inode *gi = NULL;
    uint64_t value = 0;

    if (!inode || (inode->ia_type != IA_INVAL && inode->ia_type != IA_IFREG))
        return NULL;

    LOCK(&inode->lock);
    {
        if (__inode_ctx_get0(inode, this, &value) == 0 && value) {
            gi = (struct guard_inode *)(uintptr_t)value;
            goto unlock;
        }
        gi = GF_CALLOC(1, sizeof(*gi), guard_mt_inode);
        if (!gi)
            goto unlock;
        LOCK_INIT(&gi->lock);
        INIT_LIST_HEAD(&gi->waiting);
        gi->inode = inode;
        value = (uintptr_t)gi;
        if (__inode_ctx_set0(inode, this, &value) != 0) {
            LOCK_DESTROY(&gi->lock);
            GF_FREE(gi);
            gi = NULL;
        }
    }
unlock:
    UNLOCK(&inode->lock);
    return gi;
}

gf_boolean_t
guard_inode_is_portion(xlator_t *this, inode_t *inode)
{
    struct guard_inode *gi = guard_inode_peek(this, inode);
    gf_boolean_t portion = _gf_false;

    if (gi) {
        LOCK(&gi->lock);
        portion = gi->kind == GUARD_KIND_PORTION;
        UNLOCK(&gi->lock);
    }
    return portion;
}

gf_boolean_t
guard_inode_is_base(xlator_t *this, inode_t *inode)
{
    struct guard_inode *gi = guard_inode_peek(this, inode);
    gf_boolean_t base = _gf_false;

    if (gi) {
        LOCK(&gi->lock);
        base = gi->kind == GUARD_KIND_BASE;
        UNLOCK(&gi->lock);
    }
    return base;
}

inode_t *
guard_inode_of(inode_t *inode, uuid_t gfid)
{
    inode_t *other = NULL;

    if (gf_uuid_compare(inode->gfid, gfid) == 0)
        return inode_ref(inode);
    other = inode_find(inode->table, gfid);
    if (other)
        return other;
    return gf_uuid_is_null(inode->gfid) ? inode_ref(inode)
                                        : inode_new(inode->table);
}

/* What two xattrs say, before it is compared with what is known. */
struct guard_seen {
    enum guard_kind kind;
    gf_boolean_t damaged;
    gf_boolean_t has_extents;
    gf_boolean_t closed;
    uint64_t gen;
    uint64_t seq;
    uint32_t crc;
    uint64_t size;
    uint64_t nonce;
};

static void
guard_inode_read(dict_t *xattr, uuid_t gfid, struct guard_seen *seen)
{
    data_t *record = NULL;
    data_t *portion = NULL;
    struct allot_record rec;
    struct allot_portion por;
    uuid_t own = {
        0,
    };

    memset(seen, 0, sizeof(*seen));
    seen->kind = GUARD_KIND_BASE;
    if (xattr) {
        record = dict_get_sizen(xattr, ALLOT_XATTR_RECORD);
        portion = dict_get_sizen(xattr, ALLOT_XATTR_PORTION);
    }

    if (record) {
        if (allot_record_decode((uint8_t *)record->data, record->len, &rec) !=
            0) {
            seen->damaged = _gf_true;
        } else {
            seen->gen = rec.gen;
            seen->seq = rec.seq;
            seen->crc = allot_record_crc((uint8_t *)record->data, record->len);
            seen->size = guard_record_size(&rec);
            seen->nonce = rec.nonce;
            seen->has_extents = rec.layout->extent_count > 0;
            allot_record_clear(&rec);
        }
    }
    if (portion) {
        seen->kind = GUARD_KIND_PORTION;
        /* Nothing is both a base and a portion. */
        if (record || allot_portion_decode((uint8_t *)portion->data,
                                           portion->len, &por) != 0) {
            seen->damaged = _gf_true;
        } else {
            seen->gen = por.gen;
            seen->closed = por.closed != 0;
            /* A copy of another file's portion under this name. */
            allot_portion_gfid(por.base_gfid, por.nonce, own);
            if (!gf_uuid_is_null(gfid) && gf_uuid_compare(own, gfid) != 0)
                seen->damaged = _gf_true;
        }
    }
}

/* Is @seen news? An answer may be older than a publish or a fence that has
 * been acknowledged since; both only ever raise seq and gen. */
static gf_boolean_t
guard_inode_is_news_locked(struct guard_inode *gi, struct guard_seen *seen)
{
    if (gi->barrier)
        return _gf_false;
    if (gi->kind == GUARD_KIND_UNKNOWN || gi->damaged || seen->damaged)
        return _gf_true;
    if (gi->kind != seen->kind)
        return seen->kind == GUARD_KIND_PORTION;
    if (seen->kind == GUARD_KIND_BASE)
        return seen->seq > gi->seq;
    return seen->gen > gi->gen ||
           (seen->gen == gi->gen && seen->closed && !gi->closed);
}

int
guard_inode_ask(xlator_t *this, dict_t *req, int what)
{
    static char *const keys[] = {ALLOT_XATTR_RECORD, ALLOT_XATTR_PORTION};
    int i = 0;

    for (i = 0; i < 2; i++)
        if ((what & 1 << i) && !dict_get(req, keys[i]) &&
            dict_set(req, keys[i], guard_priv(this)->zero) < 0)
            return -ENOMEM;
    return 0;
}

void
guard_inode_learn(xlator_t *this, struct guard_inode *gi, uuid_t gfid,
                  dict_t *xattr)
{
    struct guard_seen seen;
    gf_boolean_t report = _gf_false;

    guard_inode_read(xattr, gfid, &seen);
    if (xattr && dict_get_sizen(xattr, GUARD_XATTR_DISPERSE))
        GF_ATOMIC_SWAP(guard_priv(this)->dispersed, 1);

    LOCK(&gi->lock);
    {
        if (guard_inode_is_news_locked(gi, &seen)) {
            report = seen.damaged && !gi->damaged;
            gi->kind = seen.kind;
            gi->damaged = seen.damaged;
            gi->has_extents = seen.has_extents;
            gi->closed = seen.closed;
            gi->gen = seen.gen;
            gi->seq = seen.seq;
            gi->crc = seen.crc;
            gi->size = seen.size;
            gi->nonce = seen.nonce;
        }
    }
    UNLOCK(&gi->lock);

    if (report)
        gf_msg(this->name, GF_LOG_ERROR, EIO, GUARD_MSG_DAMAGED,
               "the %s of gfid %s is damaged, of another file or of an unknown "
               "version: its data is refused with EIO",
               seen.kind == GUARD_KIND_PORTION ? "portion xattr" : "record",
               uuid_utoa(gfid));
}

gf_boolean_t
guard_inode_torn(struct guard_inode *gi, uint64_t partings)
{
    gf_boolean_t torn = _gf_false;

    LOCK(&gi->lock);
    torn = gi->parting > 0 || gi->parted > partings;
    UNLOCK(&gi->lock);
    return torn;
}

/* Can @xattr, which was asked for by gfid, be taken for what the file has? When
 * its last name goes while storage/posix reads, it answers without an error and
 * without xattrs, and a file that is still open would lose its record here. */
static gf_boolean_t
guard_inode_proves(struct guard_inode *gi, dict_t *xattr)
{
    return (xattr && (dict_get_sizen(xattr, ALLOT_XATTR_RECORD) ||
                      dict_get_sizen(xattr, ALLOT_XATTR_PORTION))) ||
           !guard_inode_torn(gi, 0);
}

void
guard_inode_learn_by_gfid(xlator_t *this, struct guard_inode *gi, uuid_t gfid,
                          dict_t *xattr)
{
    if (guard_inode_proves(gi, xattr))
        guard_inode_learn(this, gi, gfid, xattr);
}

void
guard_inode_born(xlator_t *this, inode_t *inode, dict_t *xdata)
{
    struct guard_inode *gi = guard_inode_get(this, inode);
    uuid_t gfid;

    if (!gi)
        return; /* the first data fop finds no state and asks the disk */
    gf_uuid_copy(gfid, inode->gfid);
    guard_inode_learn(this, gi, gfid, xdata);
}

static int32_t
guard_inode_confirm_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                        int32_t op_ret, int32_t op_errno, struct iatt *buf,
                        dict_t *xdata)
{
    struct guard_inode *gi = cookie;
    int err = op_ret < 0 ? op_errno : 0;

    /* A path that goes does not come back: the answer before was whole. */
    if (!err)
        guard_inode_learn(this, gi, buf->ia_gfid, NULL);
    STACK_DESTROY(frame->root);
    guard_gate_filled(this, gi, err);
    return 0;
}

static void
guard_inode_stat(xlator_t *this, struct guard_inode *gi, call_frame_t *frame,
                 call_stub_t *stub, fop_stat_cbk_t cbk, dict_t *req)
{
    loc_t loc = {
        0,
    };

    loc.inode = gi->inode;
    gf_uuid_copy(loc.gfid, gf_uuid_is_null(gi->inode->gfid)
                               ? stub->args.loc.gfid
                               : gi->inode->gfid);
    STACK_WIND_COOKIE(frame, cbk, gi, FIRST_CHILD(this),
                      FIRST_CHILD(this)->fops->stat, &loc, req);
}

/* The fd of the file that waits. */
static fd_t *
fill_fd(call_stub_t *stub)
{
    return stub->fop == GF_FOP_COPY_FILE_RANGE ? stub->args.fd_dst
                                               : stub->args.fd;
}

static int32_t
guard_inode_fill_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                     int32_t op_ret, int32_t op_errno, struct iatt *buf,
                     dict_t *xdata)
{
    struct guard_inode *gi = cookie;
    call_stub_t *stub = NULL;
    int err = op_ret < 0 ? op_errno : 0;

    if (!err && buf->ia_type == IA_IFREG) {
        LOCK(&gi->lock);
        stub = list_first_entry(&gi->waiting, call_stub_t, list);
        UNLOCK(&gi->lock);
        if (!fill_fd(stub) && !guard_inode_proves(gi, xdata)) {
            guard_inode_stat(this, gi, frame, stub, guard_inode_confirm_cbk,
                             NULL);
            return 0;
        }
        guard_inode_learn(this, gi, buf->ia_gfid, xdata);
    } else if (!err) {
        LOCK(&gi->lock);
        gi->kind = GUARD_KIND_OTHER;
        UNLOCK(&gi->lock);
    }
    STACK_DESTROY(frame->root);
    guard_gate_filled(this, gi, err);
    return 0;
}

void
guard_inode_fill_start(xlator_t *this, struct guard_inode *gi,
                       call_stub_t *stub)
{
    call_frame_t *frame = create_frame(this, this->ctx->pool);
    dict_t *req = dict_new();

    if (!frame || !req || guard_inode_request(this, req) ||
        (guard_below_set(this) &&
         dict_set_uint64(req, GUARD_XATTR_DISPERSE, 0))) {
        if (frame)
            STACK_DESTROY(frame->root);
        if (req)
            dict_unref(req);
        guard_gate_filled(this, gi, ENOMEM);
        return;
    }
    frame->root->uid = 0;
    frame->root->gid = 0;
    GF_ATOMIC_INC(guard_priv(this)->fills);

    if (fill_fd(stub))
        STACK_WIND_COOKIE(frame, guard_inode_fill_cbk, gi, FIRST_CHILD(this),
                          FIRST_CHILD(this)->fops->fstat, fill_fd(stub), req);
    else
        guard_inode_stat(this, gi, frame, stub, guard_inode_fill_cbk, req);
    dict_unref(req);
}

int32_t
guard_inode_forget(xlator_t *this, inode_t *inode)
{
    struct guard_inode *gi = NULL;
    uint64_t value = 0;

    if (inode_ctx_del(inode, this, &value) != 0 || !value)
        return 0;
    gi = (struct guard_inode *)(uintptr_t)value;
    LOCK_DESTROY(&gi->lock);
    GF_FREE(gi);
    return 0;
}

int32_t
guard_inode_dump(xlator_t *this, inode_t *inode)
{
    static const char *const names[] = {"unknown", "base", "portion", "other"};
    struct guard_inode *gi = guard_inode_peek(this, inode);
    char prefix[GF_DUMP_MAX_BUF_LEN];

    if (!gi || TRY_LOCK(&gi->lock) != 0)
        return 0;
    gf_proc_dump_build_key(prefix, "user.allot", "%s.inodectx", this->name);
    gf_proc_dump_add_section("%s", prefix);
    gf_proc_dump_write("gfid", "%s", uuid_utoa(inode->gfid));
    gf_proc_dump_write("kind", "%s", names[gi->kind]);
    gf_proc_dump_write("damaged", "%d", gi->damaged);
    gf_proc_dump_write("has-extents", "%d", gi->has_extents);
    gf_proc_dump_write("closed", "%d", gi->closed);
    gf_proc_dump_write("gen", "%" PRIu64, gi->gen);
    gf_proc_dump_write("seq", "%" PRIu64, gi->seq);
    gf_proc_dump_write("unnamed", "%d", gi->unnamed);
    gf_proc_dump_write("inflight", "%" PRIu32, gi->inflight);
    gf_proc_dump_write("barrier", "%d", gi->barrier);
    gf_proc_dump_write("exclusives-waiting", "%" PRIu32, gi->exclusives);
    UNLOCK(&gi->lock);
    return 0;
}
