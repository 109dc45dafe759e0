/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-publish.c - the steps that change a generation. Each runs alone on its
 * file: the barrier is up and no data fop is below.
 *
 *   publish  compare seq -> [stat: EFBIG] -> setxattr -> [setattr mtime]
 *   fence    compare gen -> [stat -> truncate to clip] -> setxattr
 *   close    the same for a leaf of a set, whose clip is the set's truncate
 *   raw      (self-heal) setxattr or removexattr as it came
 *
 * A death of the brick between two steps leaves: publish without its mtime, or
 * a portion that was clipped but not raised, and clipping it again is harmless.
 *
 * The fop's arguments are in its stub, which lives until it is answered. One
 * set of functions serves the loc and the fd variant.
 */
#include "guard.h"
#include <endian.h>

/* frame->local of an exclusive fop. */
struct guard_step {
    call_stub_t *stub;      /* owned */
    struct guard_inode *gi; /* its barrier is ours */
    enum {
        GUARD_STEP_PUBLISH,
        GUARD_STEP_FENCE,
        GUARD_STEP_RAW,
    } what;
    uint64_t gen;   /* what the file gets */
    uint64_t seq;   /* publish: what the record gets */
    uint32_t crc;   /* the same */
    uint64_t shown; /* publish: the size strangers are shown from then on */
    uint64_t nonce; /* the same */
    uint64_t size;  /* publish: most bytes of the base; fence: the clip */
    gf_boolean_t has_extents;
    gf_boolean_t closed; /* fence: the portion is closed by it, not raised */
};

struct mem_pool *
guard_step_pool(void)
{
    return mem_pool_new(struct guard_step, 64);
}

static void
guard_step_done(call_frame_t *frame, xlator_t *this, int err, dict_t *xdata)
{
    struct guard_step *step = frame->local;
    call_stub_t *stub = step->stub;
    inode_t *waiters = guard_gate_release(step->gi);
    int32_t ret = err ? -1 : 0;

    frame->local = NULL;
    mem_put(step);
    switch (stub->fop) {
        case GF_FOP_SETXATTR:
            STACK_UNWIND_STRICT(setxattr, frame, ret, err, xdata);
            break;
        case GF_FOP_FSETXATTR:
            STACK_UNWIND_STRICT(fsetxattr, frame, ret, err, xdata);
            break;
        case GF_FOP_REMOVEXATTR:
            STACK_UNWIND_STRICT(removexattr, frame, ret, err, xdata);
            break;
        default:
            STACK_UNWIND_STRICT(fremovexattr, frame, ret, err, xdata);
            break;
    }
    call_stub_destroy(stub);
    guard_gate_pump(this, waiters);
}

static int32_t
guard_step_mtime_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                     int32_t op_ret, int32_t op_errno, struct iatt *pre,
                     struct iatt *post, dict_t *xdata)
{
    struct guard_step *step = frame->local;

    /* The record is there: the publish has succeeded, whatever became of the
     * time. */
    if (op_ret < 0)
        gf_msg(this->name, GF_LOG_WARNING, op_errno, GUARD_MSG_PUBLISH,
               "cannot set the mtime of gfid %s with its record",
               uuid_utoa(step->gi->inode->gfid));
    guard_step_done(frame, this, 0, NULL);
    return 0;
}

/* Wind the setattr if the publish asks for a mtime; 0: it does not. */
static int
guard_step_mtime(call_frame_t *frame, xlator_t *this)
{
    struct guard_step *step = frame->local;
    call_stub_t *stub = step->stub;
    struct iatt stbuf = {
        0,
    };
    int64_t sec = 0;
    uint32_t nsec = 0;

    if (step->what != GUARD_STEP_PUBLISH ||
        dict_get_int64(stub->args.xdata, ALLOT_KEY_MTIME, &sec) != 0)
        return 0;
    if (dict_get_uint32(stub->args.xdata, ALLOT_KEY_MTIME_NSEC, &nsec) != 0)
        nsec = 0;
    stbuf.ia_mtime = sec;
    stbuf.ia_mtime_nsec = nsec;

    if (stub->args.fd)
        STACK_WIND(frame, guard_step_mtime_cbk, FIRST_CHILD(this),
                   FIRST_CHILD(this)->fops->fsetattr, stub->args.fd, &stbuf,
                   GF_SET_ATTR_MTIME, NULL);
    else
        STACK_WIND(frame, guard_step_mtime_cbk, FIRST_CHILD(this),
                   FIRST_CHILD(this)->fops->setattr, &stub->args.loc, &stbuf,
                   GF_SET_ATTR_MTIME, NULL);
    return 1;
}

static int32_t
guard_step_change_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                      int32_t op_ret, int32_t op_errno, dict_t *xdata)
{
    struct guard_step *step = frame->local;
    struct guard_inode *gi = step->gi;
    gf_boolean_t gone = _gf_false;

    LOCK(&gi->lock);
    {
        if (step->what == GUARD_STEP_RAW || op_ret < 0) {
            /* After a failure the disk may have either; ask it. */
            gi->kind = GUARD_KIND_UNKNOWN;
            gi->damaged = _gf_false;
        } else {
            gi->gen = step->gen;
            gi->closed = step->closed;
            if (step->what == GUARD_STEP_FENCE)
                gi->extended = 0; /* it may have been cut */
            if (step->what == GUARD_STEP_PUBLISH) {
                /* A file without a name becomes spread. */
                gone = gi->unnamed && step->has_extents &&
                       gi->nonce != step->nonce;
                gi->seq = step->seq;
                gi->crc = step->crc;
                gi->size = step->shown;
                gi->nonce = step->nonce;
                gi->has_extents = step->has_extents;
            }
        }
    }
    UNLOCK(&gi->lock);

    if (gone)
        guard_gone_add(this, gi->inode, step->nonce);
    if (op_ret == 0 && step->what == GUARD_STEP_PUBLISH)
        GF_ATOMIC_INC(guard_priv(this)->publishes);
    if (op_ret == 0 && step->what == GUARD_STEP_FENCE)
        GF_ATOMIC_INC(guard_priv(this)->fences);
    if (op_ret < 0 || !guard_step_mtime(frame, this))
        guard_step_done(frame, this, op_ret < 0 ? op_errno : 0, xdata);
    return 0;
}

/* The change itself, as the caller made it. */
static void
guard_step_change(call_frame_t *frame, xlator_t *this)
{
    struct guard_step *step = frame->local;
    default_args_t *args = &step->stub->args;

    switch (step->stub->fop) {
        case GF_FOP_SETXATTR:
            STACK_WIND(frame, guard_step_change_cbk, FIRST_CHILD(this),
                       FIRST_CHILD(this)->fops->setxattr, &args->loc,
                       args->xattr, args->flags, args->xdata);
            break;
        case GF_FOP_FSETXATTR:
            STACK_WIND(frame, guard_step_change_cbk, FIRST_CHILD(this),
                       FIRST_CHILD(this)->fops->fsetxattr, args->fd,
                       args->xattr, args->flags, args->xdata);
            break;
        case GF_FOP_REMOVEXATTR:
            STACK_WIND(frame, guard_step_change_cbk, FIRST_CHILD(this),
                       FIRST_CHILD(this)->fops->removexattr, &args->loc,
                       args->name, args->xdata);
            break;
        default:
            STACK_WIND(frame, guard_step_change_cbk, FIRST_CHILD(this),
                       FIRST_CHILD(this)->fops->fremovexattr, args->fd,
                       args->name, args->xdata);
            break;
    }
}

static int32_t
guard_step_clip_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                    int32_t op_ret, int32_t op_errno, struct iatt *pre,
                    struct iatt *post, dict_t *xdata)
{
    if (op_ret < 0)
        guard_step_done(frame, this, op_errno, NULL);
    else
        guard_step_change(frame, this);
    return 0;
}

/* How long the file is. Below disperse the brick has a fragment of it, which is
 * padded; the file's own size stands in an xattr, up to date because disperse
 * has locked it for this call. */
static uint64_t
guard_step_size(const struct iatt *buf, dict_t *xdata)
{
    data_t *size = xdata ? dict_get_sizen(xdata, GUARD_XATTR_DISPERSE) : NULL;
    uint64_t bytes = 0;

    if (!size || size->len != sizeof(bytes))
        return buf->ia_size;
    memcpy(&bytes, size->data, sizeof(bytes));
    return be64toh(bytes);
}

static int32_t
guard_step_stat_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                    int32_t op_ret, int32_t op_errno, struct iatt *buf,
                    dict_t *xdata)
{
    struct guard_step *step = frame->local;
    default_args_t *args = &step->stub->args;

    if (op_ret < 0)
        guard_step_done(frame, this, op_errno, NULL);
    else if (guard_step_size(buf, xdata) <= step->size)
        guard_step_change(frame, this); /* a clip never makes it longer */
    else if (step->what == GUARD_STEP_PUBLISH)
        guard_step_done(frame, this, EFBIG, NULL);
    else if (args->fd)
        STACK_WIND(frame, guard_step_clip_cbk, FIRST_CHILD(this),
                   FIRST_CHILD(this)->fops->ftruncate, args->fd, step->size,
                   NULL);
    else
        STACK_WIND(frame, guard_step_clip_cbk, FIRST_CHILD(this),
                   FIRST_CHILD(this)->fops->truncate, &args->loc, step->size,
                   NULL);
    return 0;
}

static void
guard_step_stat(call_frame_t *frame, xlator_t *this)
{
    struct guard_step *step = frame->local;
    default_args_t *args = &step->stub->args;
    dict_t *req = guard_dispersed(this) ? dict_new() : NULL;

    if (guard_dispersed(this) &&
        (!req || dict_set_uint64(req, GUARD_XATTR_DISPERSE, 0)))
        guard_step_done(frame, this, ENOMEM, NULL);
    else if (args->fd)
        STACK_WIND(frame, guard_step_stat_cbk, FIRST_CHILD(this),
                   FIRST_CHILD(this)->fops->fstat, args->fd, req);
    else
        STACK_WIND(frame, guard_step_stat_cbk, FIRST_CHILD(this),
                   FIRST_CHILD(this)->fops->stat, &args->loc, req);
    if (req)
        dict_unref(req);
}

/* The iatts that storage/posix puts into the answer of a setxattr. NULL: no
 * memory. */
static dict_t *
guard_step_iatts(const struct iatt *buf)
{
    static char *const keys[] = {
        (char *)DHT_IATT_IN_XDATA_KEY,
        (char *)GF_PRESTAT,
        (char *)GF_POSTSTAT,
    };
    dict_t *dict = dict_new();
    struct iatt *copy = NULL;
    size_t i = 0;

    for (i = 0; dict && i < sizeof(keys) / sizeof(keys[0]); i++) {
        copy = GF_MALLOC(sizeof(*copy), gf_common_mt_char);
        if (copy)
            *copy = *buf;
        if (!copy || dict_set_iatt(dict, keys[i], copy, false)) {
            GF_FREE(copy);
            dict_unref(dict);
            return NULL;
        }
    }
    return dict;
}

static int32_t
guard_step_same_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                    int32_t op_ret, int32_t op_errno, struct iatt *buf,
                    dict_t *xdata)
{
    dict_t *iatts = op_ret < 0 ? NULL : guard_step_iatts(buf);

    guard_step_done(frame, this,
                    op_ret < 0 ? op_errno
                    : iatts    ? 0
                               : ENOMEM,
                    iatts);
    if (iatts)
        dict_unref(iatts);
    return 0;
}

/* There already. Disperse takes two answers for the same only if they bring the
 * same: those of bricks where it was not there yet have iatts. */
static void
guard_step_same(call_frame_t *frame, xlator_t *this)
{
    struct guard_step *step = frame->local;
    default_args_t *args = &step->stub->args;

    if (!guard_dispersed(this))
        guard_step_done(frame, this, 0, NULL);
    else if (args->fd)
        STACK_WIND(frame, guard_step_same_cbk, FIRST_CHILD(this),
                   FIRST_CHILD(this)->fops->fstat, args->fd, NULL);
    else
        STACK_WIND(frame, guard_step_same_cbk, FIRST_CHILD(this),
                   FIRST_CHILD(this)->fops->stat, &args->loc, NULL);
}

/* Is its record one of those that its disperse set was seen with? */
static gf_boolean_t
guard_is_one_of(struct guard_inode *gi, data_t *crcs)
{
    uint32_t i = 0;

    for (i = 0; i + 4 <= crcs->len; i += 4)
        if (gi->crc == allot_record_crc((uint8_t *)crcs->data + i, 4))
            return _gf_true;
    return _gf_false;
}

/* Is the publish right? 0 or the errno. @done: it is there already. The state
 * cannot change under us: the barrier is ours. */
static int
guard_publish_check(xlator_t *this, struct guard_step *step, uint64_t expected,
                    gf_boolean_t *done)
{
    struct guard_inode *gi = step->gi;
    data_t *value = dict_get_sizen(step->stub->args.xattr, ALLOT_XATTR_RECORD);
    data_t *crcs = dict_get_sizen(step->stub->args.xdata, ALLOT_KEY_EVEN);
    struct allot_record rec;
    uint64_t mark = 0;

    if (gi->kind != GUARD_KIND_BASE || !value)
        return EINVAL;
    if (gi->damaged)
        return EIO;
    *done = crcs && value->len > 4 &&
            gi->crc == allot_record_crc((uint8_t *)value->data, value->len);
    if (*done)
        return 0; /* the answer to the first try was lost */
    if (crcs ? !guard_is_one_of(gi, crcs) : gi->seq != expected) {
        GF_ATOMIC_INC(guard_priv(this)->publish_lost);
        if (gi->seq < expected) {
            LOCK(&gi->lock);
            gi->ask = _gf_true; /* as in guard_gate_check_locked() */
            UNLOCK(&gi->lock);
        }
        return ALLOT_ERR_OLD;
    }
    if (dict_get_uint64(step->stub->args.xdata, ALLOT_KEY_UNCUT, &mark) == 0 &&
        gi->uncut != mark) {
        GF_ATOMIC_INC(guard_priv(this)->publish_lost);
        return ALLOT_ERR_OLD;
    }
    if (allot_record_decode((uint8_t *)value->data, value->len, &rec) != 0)
        return EINVAL;
    step->seq = rec.seq;
    step->crc = allot_record_crc((uint8_t *)value->data, value->len);
    step->shown = guard_record_size(&rec);
    step->gen = rec.gen;
    step->nonce = rec.nonce;
    step->has_extents = rec.layout->extent_count > 0;
    allot_record_clear(&rec);
    /* Neither ever goes back: the gate rests on it. */
    return step->seq > gi->seq && step->gen >= gi->gen ? 0 : EINVAL;
}

/* The same for a fence. @done: it is there already. */
static int
guard_fence_check(struct guard_step *step, uint64_t gen, gf_boolean_t *done)
{
    struct guard_inode *gi = step->gi;
    data_t *value = dict_get_sizen(step->stub->args.xattr, ALLOT_XATTR_PORTION);
    struct allot_portion por;
    uint64_t from = 0;
    gf_boolean_t exact = dict_get_uint64(step->stub->args.xdata,
                                         ALLOT_KEY_FENCE_FROM, &from) == 0;

    if (gi->kind != GUARD_KIND_PORTION || !value)
        return EINVAL;
    if (gi->damaged)
        return EIO;
    if (allot_portion_decode((uint8_t *)value->data, value->len, &por) != 0 ||
        por.gen != gen)
        return EINVAL;
    step->gen = gen;
    step->closed = por.closed != 0;
    /* At the target already; or it is to be closed where it is. */
    *done = gi->gen == gen && (gi->closed || !step->closed);
    if (gi->gen > gen)
        return ALLOT_ERR_OLD;
    if (step->closed && gi->gen < gen && exact)
        return EINVAL;
    /* It is being cut: only who does that may raise it. */
    if (gi->closed && !*done &&
        !dict_get_sizen(step->stub->args.xdata, ALLOT_KEY_CUT))
        return ALLOT_ERR_BEHIND;
    /* The clip was computed for one generation. If somebody raised the portion
     * since, what was written there after that must not be cut. */
    if (!*done && exact && from != gi->gen)
        return ALLOT_ERR_BEHIND;
    return 0;
}

void
guard_publish_run(xlator_t *this, struct guard_inode *gi, call_stub_t *stub)
{
    call_frame_t *frame = stub->frame;
    dict_t *xdata = stub->args.xdata;
    struct guard_step *step = mem_get0(this->local_pool);
    uint64_t key = 0;
    gf_boolean_t done = _gf_false;
    gf_boolean_t sized = _gf_false; /* there is a size to compare first */
    int err = 0;

    if (!step) {
        inode_t *waiters = guard_gate_release(gi);

        call_unwind_error(stub, -1, ENOMEM);
        guard_gate_pump(this, waiters);
        return;
    }
    frame->local = step;
    step->stub = stub;
    step->gi = gi;
    step->what = GUARD_STEP_RAW;

    if (xdata && dict_get_uint64(xdata, ALLOT_KEY_PUBLISH, &key) == 0) {
        step->what = GUARD_STEP_PUBLISH;
        err = guard_publish_check(this, step, key, &done);
        sized = dict_get_uint64(xdata, ALLOT_KEY_MAX_SIZE, &step->size) == 0;
    } else if (xdata && dict_get_uint64(xdata, ALLOT_KEY_FENCE, &key) == 0) {
        step->what = GUARD_STEP_FENCE;
        err = guard_fence_check(step, key, &done);
        sized = dict_get_uint64(xdata, ALLOT_KEY_CLIP, &step->size) == 0;
    }

    if (err)
        guard_step_done(frame, this, err, NULL);
    else if (done)
        guard_step_same(frame, this);
    else if (sized)
        guard_step_stat(frame, this);
    else
        guard_step_change(frame, this);
}
