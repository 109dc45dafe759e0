/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-fan.c - see allot-fan.h. One callback per shape of reply stores the
 * answer in its call and wakes the barrier; nothing here decides anything.
 */
#include "allot-fan.h"
#include "allot-health.h"
#include "allot-proto.h"

void
allot_call_init(struct allot_call *call, xlator_t *xl, glusterfs_fop_t fop)
{
    memset(call, 0, sizeof(*call));
    call->xl = xl;
    call->fop = fop;
    call->idx = UINT16_MAX;
    call->ret = -1;
    call->err = ENOTCONN;
}

/* What a call says about its brick's disk. */
static enum allot_work
fan_work(glusterfs_fop_t fop)
{
    switch (fop) {
        case GF_FOP_READ:
            return ALLOT_WORK_READ;
        case GF_FOP_WRITE:
        case GF_FOP_FSYNC:
        case GF_FOP_CREATE:
        case GF_FOP_MKDIR:
        case GF_FOP_TRUNCATE:
        case GF_FOP_FTRUNCATE:
        case GF_FOP_FALLOCATE:
        case GF_FOP_DISCARD:
        case GF_FOP_ZEROFILL:
        case GF_FOP_UNLINK:
        case GF_FOP_SETXATTR:
            return ALLOT_WORK_WRITE;
        default:
            return ALLOT_WORK_META;
    }
}

static void
fan_begin(xlator_t *this, struct allot_call *call)
{
    /* A lock may have to wait, and that is no fault of the brick. */
    call->by = this;
    if (call->fop != GF_FOP_INODELK)
        call->health = allot_health_of_xl(this, call->xl);
    call->start_nsec = allot_health_begin(call->health);
}

static void
flight_answered(struct allot_flight *flight)
{
    if (GF_ATOMIC_DEC(flight->pending) == 0)
        flight->done(flight->arg);
}

static void
fan_answer(call_frame_t *frame, int32_t op_ret, int32_t op_errno,
           const struct iatt *st, dict_t *dict)
{
    struct allot_call *call = frame->local;

    allot_health_end(call->by, call->health, fan_work(call->fop),
                     call->start_nsec, op_ret, op_errno,
                     call->fd    ? call->fd->inode
                     : call->loc ? call->loc->inode
                                 : NULL);
    call->ret = op_ret;
    call->err = op_ret < 0 ? (op_errno ? op_errno : EIO) : 0;
    if (op_ret >= 0 && st)
        call->st = *st;
    if (op_ret >= 0 && dict)
        call->rdict = dict_ref(dict);
    frame->local = NULL;
    STACK_DESTROY(frame->root);
    if (call->flight)
        flight_answered(call->flight);
    else
        syncbarrier_wake(call->barrier);
}

static int32_t
fan_stat_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
             int32_t op_errno, struct iatt *buf, dict_t *xdata)
{
    fan_answer(frame, op_ret, op_errno, buf, xdata);
    return 0;
}

static int32_t
fan_lookup_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
               int32_t op_ret, int32_t op_errno, inode_t *inode,
               struct iatt *buf, dict_t *xdata, struct iatt *postparent)
{
    fan_answer(frame, op_ret, op_errno, buf, xdata);
    return 0;
}

static int32_t
fan_open_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
             int32_t op_errno, fd_t *fd, dict_t *xdata)
{
    fan_answer(frame, op_ret, op_errno, NULL, NULL);
    return 0;
}

static int32_t
fan_create_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
               int32_t op_ret, int32_t op_errno, fd_t *fd, inode_t *inode,
               struct iatt *buf, struct iatt *preparent,
               struct iatt *postparent, dict_t *xdata)
{
    fan_answer(frame, op_ret, op_errno, buf, NULL);
    return 0;
}

static int32_t
fan_mkdir_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
              int32_t op_errno, inode_t *inode, struct iatt *buf,
              struct iatt *preparent, struct iatt *postparent, dict_t *xdata)
{
    fan_answer(frame, op_ret, op_errno, buf, NULL);
    return 0;
}

/* writev, truncate, ftruncate, fsync, fallocate, discard, zerofill, unlink and
 * setattr: two iatts. */
static int32_t
fan_two_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
            int32_t op_errno, struct iatt *pre, struct iatt *post,
            dict_t *xdata)
{
    fan_answer(frame, op_ret, op_errno, post, NULL);
    return 0;
}

static int32_t
fan_none_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
             int32_t op_errno, dict_t *xdata)
{
    fan_answer(frame, op_ret, op_errno, NULL, NULL);
    return 0;
}

/* storage/posix tells what the file is after it, and before. */
static int32_t
fan_setxattr_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                 int32_t op_ret, int32_t op_errno, dict_t *xdata)
{
    struct iatt st = {
        0,
    };
    gf_boolean_t told = xdata && !dict_get_iatt(xdata, GF_POSTSTAT, &st);

    fan_answer(frame, op_ret, op_errno, told ? &st : NULL, NULL);
    return 0;
}

static int32_t
fan_getxattr_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                 int32_t op_ret, int32_t op_errno, dict_t *dict, dict_t *xdata)
{
    fan_answer(frame, op_ret, op_errno, NULL, dict);
    return 0;
}

static int32_t
fan_seek_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
             int32_t op_errno, off_t offset, dict_t *xdata)
{
    struct allot_call *call = frame->local;

    if (op_ret >= 0)
        call->roff = offset;
    fan_answer(frame, op_ret, op_errno, NULL, NULL);
    return 0;
}

static int32_t
fan_readv_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
              int32_t op_errno, struct iovec *vector, int32_t count,
              struct iatt *buf, struct iobref *iobref, dict_t *xdata)
{
    struct allot_call *call = frame->local;

    if (op_ret > 0) {
        call->riov = iov_dup(vector, count);
        if (!call->riov) {
            op_ret = -1;
            op_errno = ENOMEM;
        } else {
            call->riov_count = count;
            call->riobref = iobref_ref(iobref);
        }
    }
    fan_answer(frame, op_ret, op_errno, buf, NULL);
    return 0;
}

/* Times of the volume (features.ctime, features/utime above us) are kept in an
 * xattr that disperse compares before it heals the others. So all leaves get
 * the same one when the portion is made; else each sets what is not there at
 * the first write that reaches it. Without features/utime nobody would ever
 * change that xattr again. */
static void
fan_stamp(xlator_t *this, call_frame_t *frame, const struct allot_call *c)
{
    if (!allot_priv(this)->times_kept || !allot_dispersed(this, c->xl))
        return;
    timespec_now_realtime(&frame->root->ctime);
    frame->root->flags |= MDATA_CTIME | MDATA_MTIME | MDATA_ATIME;
}

static void
fan_wind(xlator_t *this, call_frame_t *frame, struct allot_call *c)
{
    struct xlator_fops *fops = c->xl->fops;

    switch (c->fop) {
        case GF_FOP_STAT:
            STACK_WIND(frame, fan_stat_cbk, c->xl, fops->stat, c->loc,
                       c->xdata);
            return;
        case GF_FOP_FSTAT:
            STACK_WIND(frame, fan_stat_cbk, c->xl, fops->fstat, c->fd,
                       c->xdata);
            return;
        case GF_FOP_LOOKUP:
            STACK_WIND(frame, fan_lookup_cbk, c->xl, fops->lookup, c->loc,
                       c->xdata);
            return;
        case GF_FOP_OPEN:
            STACK_WIND(frame, fan_open_cbk, c->xl, fops->open, c->loc, c->flags,
                       c->fd, c->xdata);
            return;
        case GF_FOP_CREATE:
            fan_stamp(this, frame, c);
            STACK_WIND(frame, fan_create_cbk, c->xl, fops->create, c->loc,
                       c->flags, c->mode, 0, c->fd, c->xdata);
            return;
        case GF_FOP_MKDIR:
            STACK_WIND(frame, fan_mkdir_cbk, c->xl, fops->mkdir, c->loc,
                       c->mode, 0, c->xdata);
            return;
        case GF_FOP_READ:
            STACK_WIND(frame, fan_readv_cbk, c->xl, fops->readv, c->fd, c->len,
                       c->off, c->flags, c->xdata);
            return;
        case GF_FOP_WRITE:
            STACK_WIND(frame, fan_two_cbk, c->xl, fops->writev, c->fd, c->iov,
                       c->iov_count, c->off, c->flags, c->iobref, c->xdata);
            return;
        case GF_FOP_FSYNC:
            STACK_WIND(frame, fan_two_cbk, c->xl, fops->fsync, c->fd, c->flags,
                       c->xdata);
            return;
        case GF_FOP_TRUNCATE:
            STACK_WIND(frame, fan_two_cbk, c->xl, fops->truncate, c->loc,
                       c->off, c->xdata);
            return;
        case GF_FOP_FTRUNCATE:
            STACK_WIND(frame, fan_two_cbk, c->xl, fops->ftruncate, c->fd,
                       c->off, c->xdata);
            return;
        case GF_FOP_FALLOCATE:
            STACK_WIND(frame, fan_two_cbk, c->xl, fops->fallocate, c->fd,
                       c->flags, c->off, c->len, c->xdata);
            return;
        case GF_FOP_DISCARD:
            STACK_WIND(frame, fan_two_cbk, c->xl, fops->discard, c->fd, c->off,
                       c->len, c->xdata);
            return;
        case GF_FOP_ZEROFILL:
            STACK_WIND(frame, fan_two_cbk, c->xl, fops->zerofill, c->fd, c->off,
                       c->len, c->xdata);
            return;
        case GF_FOP_SEEK:
            STACK_WIND(frame, fan_seek_cbk, c->xl, fops->seek, c->fd, c->off,
                       c->flags, c->xdata);
            return;
        case GF_FOP_SETXATTR:
            STACK_WIND(frame, fan_setxattr_cbk, c->xl, fops->setxattr, c->loc,
                       c->dict, c->flags, c->xdata);
            return;
        case GF_FOP_FSETXATTR:
            STACK_WIND(frame, fan_setxattr_cbk, c->xl, fops->fsetxattr, c->fd,
                       c->dict, c->flags, c->xdata);
            return;
        case GF_FOP_GETXATTR:
            STACK_WIND(frame, fan_getxattr_cbk, c->xl, fops->getxattr, c->loc,
                       c->name, c->xdata);
            return;
        case GF_FOP_UNLINK:
            STACK_WIND(frame, fan_two_cbk, c->xl, fops->unlink, c->loc, 0,
                       c->xdata);
            return;
        case GF_FOP_SETATTR:
            STACK_WIND(frame, fan_two_cbk, c->xl, fops->setattr, c->loc, &c->st,
                       c->flags, c->xdata);
            return;
        case GF_FOP_FLUSH:
            STACK_WIND(frame, fan_none_cbk, c->xl, fops->flush, c->fd,
                       c->xdata);
            return;
        case GF_FOP_INODELK:
            frame->root->pid = ALLOT_LOCK_PID;
            set_lk_owner_from_ptr(&frame->root->lk_owner, c->owner);
            STACK_WIND(frame, fan_none_cbk, c->xl, fops->inodelk, c->domain,
                       c->loc, c->lock_cmd, c->flock, c->xdata);
            return;
        default:
            fan_answer(frame, -1, EOPNOTSUPP, NULL, NULL);
    }
}

/* Disperse tells its bricks by the pid that data is to be changed. */
static pid_t
fan_pid(xlator_t *this, const struct allot_call *call)
{
    if (allot_dispersed_any(this) && fan_work(call->fop) == ALLOT_WORK_WRITE &&
        call->xdata && dict_get(call->xdata, ALLOT_KEY_GEN) &&
        allot_dispersed(this, call->xl))
        return ALLOT_PID_DATA_ROOT;
    return ALLOT_PID_ROOT;
}

/* A frame for @call, a copy of @of; NULL: the call is answered as it stands. */
static call_frame_t *
fan_frame(xlator_t *this, struct allot_call *call, call_frame_t *of)
{
    call_frame_t *frame = NULL;

    call->ret = -1;
    call->err = ENOTCONN;
    if (!call->xl)
        return NULL;
    frame = copy_frame(call->as ? call->as : of);
    if (!frame) {
        call->err = ENOMEM;
        return NULL;
    }
    frame->local = call;
    if (call->as) {
        frame->root->pid = ALLOT_PID;
        return frame;
    }
    frame->root->uid = 0;
    frame->root->gid = 0;
    frame->root->ngrps = 0;
    frame->root->pid = fan_pid(this, call);
    /* Times that features/utime has set are those of the application's file. */
    memset(&frame->root->ctime, 0, sizeof(frame->root->ctime));
    frame->root->flags = 0;
    return frame;
}

void
allot_fan(xlator_t *this, struct allot_call *calls, int n)
{
    struct syncbarrier barrier = {
        0,
    };
    struct synctask *task = synctask_get();
    call_frame_t *frame = NULL;
    int wound = 0;
    int i = 0;

    if (!task || syncbarrier_init(&barrier)) {
        for (i = 0; i < n; i++) {
            calls[i].ret = -1;
            calls[i].err = ENOMEM;
        }
        return;
    }

    for (i = 0; i < n; i++) {
        frame = fan_frame(this, &calls[i], task->opframe);
        if (!frame)
            continue;
        calls[i].flight = NULL;
        calls[i].barrier = &barrier;
        wound++;
        fan_begin(this, &calls[i]);
        fan_wind(this, frame, &calls[i]);
    }

    syncbarrier_wait(&barrier, wound);
    syncbarrier_destroy(&barrier);
}

void
allot_fan_start(xlator_t *this, call_frame_t *of, struct allot_call *calls,
                int n, struct allot_flight *flight)
{
    call_frame_t *frame = NULL;
    int i = 0;

    /* One more, so that it does not end before all are wound. */
    GF_ATOMIC_INIT(flight->pending, 1);
    for (i = 0; i < n; i++) {
        frame = fan_frame(this, &calls[i], of);
        if (!frame)
            continue;
        calls[i].flight = flight;
        GF_ATOMIC_INC(flight->pending);
        fan_begin(this, &calls[i]);
        fan_wind(this, frame, &calls[i]);
    }
    flight_answered(flight);
}

int
allot_call_one(xlator_t *this, struct allot_call *call)
{
    allot_fan(this, call, 1);
    return call->ret < 0 ? -call->err : call->ret;
}

int
allot_call_open(xlator_t *this, xlator_t *xl, loc_t *loc, dict_t *xdata,
                fd_t **fd)
{
    struct allot_call call;
    int ret = -ENOMEM;

    allot_call_init(&call, xl, GF_FOP_OPEN);
    call.fd = fd_create(loc->inode, 0);
    if (call.fd) {
        call.fd->flags = call.flags = O_RDWR;
        call.loc = loc;
        call.xdata = xdata;
        ret = allot_call_one(this, &call);
    }
    if (ret < 0 && call.fd)
        fd_unref(call.fd);
    *fd = ret < 0 ? NULL : call.fd;
    return ret < 0 ? ret : 0;
}

void
allot_calls_wipe(struct allot_call *calls, int n)
{
    int i = 0;

    for (i = 0; i < n; i++) {
        if (calls[i].rdict) {
            dict_unref(calls[i].rdict);
            calls[i].rdict = NULL;
        }
        if (calls[i].riobref) {
            iobref_unref(calls[i].riobref);
            calls[i].riobref = NULL;
        }
        GF_FREE(calls[i].riov);
        calls[i].riov = NULL;
    }
}
