/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-gate.c - who passes, who waits, who is refused.
 *
 * Data fops pass together and are counted until they are answered. A publish,
 * a fence or a raw change of self-heal runs alone: from the moment one waits,
 * no new data fop starts, and it begins when the last one is answered. What
 * waits stands in one queue per file, in order of arrival:
 *
 *     head                                              tail
 *     | publish | write | read | fence | write |  <-- new fops
 *       runs when inflight is 0, raises the barrier;
 *       the fops behind it are checked when they get to run,
 *       against what the publish left
 *
 * One thread at a time runs a file's queue (pumping); an answer that arrives
 * meanwhile leaves the rest to that thread. So the stack does not grow with
 * the length of the queue, and no wake-up is lost: the pumping thread decides
 * to stop under the same lock under which an answer is counted.
 */
#include "guard.h"

/* May a data fop pass a file in this state? 0 or the errno. */
static int
guard_gate_check_locked(xlator_t *this, struct guard_inode *gi,
                        call_frame_t *frame, glusterfs_fop_t fop, dict_t *xdata)
{
    uint64_t gen = 0;

    if (gi->kind == GUARD_KIND_OTHER)
        return 0;
    if (gi->damaged)
        return EIO;
    /* Its answer tells the state: guard_xattrop_mark(). */
    if (fop == GF_FOP_XATTROP || fop == GF_FOP_FXATTROP)
        return 0;
    /* The guard knows of one generation in a call, this one has two files. */
    if (fop == GF_FOP_COPY_FILE_RANGE &&
        (gi->has_extents || gi->kind == GUARD_KIND_PORTION))
        return EOPNOTSUPP;

    if (xdata && dict_get_uint64(xdata, ALLOT_KEY_GEN, &gen) == 0) {
        /* Closed: whoever cuts it is alone. Who has its generation must not
         * go on with it, as if it were raised already. */
        if (dict_get_sizen(xdata, ALLOT_KEY_CUT))
            return gi->closed ? 0 : ALLOT_ERR_BEHIND;
        if (gen < gi->gen || (gi->closed && gen == gi->gen))
            return ALLOT_ERR_OLD;
        if (gen == gi->gen)
            return 0;
        /* A base that one client has seen newer than it is known here: the
         * disk is asked again before the next call. */
        if (gi->kind == GUARD_KIND_BASE)
            gi->ask = _gf_true;
        return ALLOT_ERR_BEHIND;
    }
    /* Disperse reads the rest of a stripe before it writes a part of one: its
     * write has a generation, which the xattrop before has proved. And it puts
     * zeros behind a file that it has cut within a stripe: that is closed until
     * the cut is complete. */
    if (guard_dispersed(this) && guard_is_own(frame) &&
        (fop == GF_FOP_READ ||
         (fop == GF_FOP_WRITE && gi->closed && guard_is_root_own(frame))))
        return 0;
    /* Replicate syncs on its own before it clears its marks; a sync neither
     * shows nor changes data. */
    if (fop == GF_FOP_FSYNC)
        return 0;
    if (gi->kind == GUARD_KIND_PORTION)
        return guard_may_heal(this, frame) ? 0 : EPERM;
    return gi->has_extents && !guard_is_healer(frame) ? EPERM : 0;
}

uint64_t
guard_gate_state(struct guard_inode *gi)
{
    uint64_t state = 0;

    LOCK(&gi->lock);
    {
        if (gi->kind != GUARD_KIND_OTHER)
            state = 2 * gi->gen + (gi->closed ? 1 : 0);
    }
    UNLOCK(&gi->lock);
    return state;
}

static void
guard_gate_count(xlator_t *this, struct guard_inode *gi, call_frame_t *frame,
                 int verdict)
{
    struct guard_priv *priv = guard_priv(this);

    switch (verdict) {
        case 0:
            GF_ATOMIC_INC(priv->served);
            break;
        case ALLOT_ERR_OLD:
            GF_ATOMIC_INC(priv->refused_old);
            break;
        case ALLOT_ERR_BEHIND:
            GF_ATOMIC_INC(priv->behind);
            break;
        case EIO:
            GF_ATOMIC_INC(priv->refused_damaged);
            break;
        case EPERM:
            GF_ATOMIC_INC(priv->refused_foreign);
            guard_log_refused(this, frame, gi, gi->inode->gfid,
                              "a data call without allot's key");
            break;
        default:
            break;
    }
}

int
guard_gate_try(xlator_t *this, struct guard_inode *gi, call_frame_t *frame,
               glusterfs_fop_t fop, dict_t *xdata)
{
    int verdict = 0;

    LOCK(&gi->lock);
    {
        if (gi->kind == GUARD_KIND_UNKNOWN || gi->ask || gi->barrier ||
            gi->filling || gi->exclusives)
            verdict = GUARD_WAIT;
        else
            verdict = guard_gate_check_locked(this, gi, frame, fop, xdata);
        if (verdict == 0)
            gi->inflight++;
    }
    UNLOCK(&gi->lock);

    guard_gate_count(this, gi, frame, verdict);
    return verdict;
}

enum guard_next {
    GUARD_NEXT_NONE,      /* nothing may run now */
    GUARD_NEXT_FILL,      /* ask the disk; the stub stays in the queue */
    GUARD_NEXT_DATA,      /* counted: wind it */
    GUARD_NEXT_REFUSE,    /* refuse it */
    GUARD_NEXT_EXCLUSIVE, /* the barrier is up: run it */
};

static gf_boolean_t
guard_stub_is_exclusive(call_stub_t *stub)
{
    return stub->fop == GF_FOP_SETXATTR || stub->fop == GF_FOP_FSETXATTR ||
           stub->fop == GF_FOP_REMOVEXATTR || stub->fop == GF_FOP_FREMOVEXATTR;
}

static enum guard_next
guard_gate_next_locked(xlator_t *this, struct guard_inode *gi,
                       call_stub_t **out, int *verdict)
{
    call_stub_t *stub = NULL;

    if (gi->barrier || gi->filling || list_empty(&gi->waiting))
        return GUARD_NEXT_NONE;
    stub = list_first_entry(&gi->waiting, call_stub_t, list);
    *out = stub;

    if (gi->kind == GUARD_KIND_UNKNOWN || gi->ask) {
        gi->filling = _gf_true;
        return GUARD_NEXT_FILL;
    }
    if (guard_stub_is_exclusive(stub)) {
        if (gi->inflight)
            return GUARD_NEXT_NONE;
        list_del_init(&stub->list);
        gi->exclusives--;
        gi->barrier = _gf_true;
        return GUARD_NEXT_EXCLUSIVE;
    }
    list_del_init(&stub->list);
    *verdict = guard_gate_check_locked(this, gi, stub->frame, stub->fop,
                                       stub->args.xdata);
    if (*verdict)
        return GUARD_NEXT_REFUSE;
    gi->inflight++;
    return GUARD_NEXT_DATA;
}

void
guard_gate_pump(xlator_t *this, inode_t *inode)
{
    struct guard_inode *gi = guard_inode_peek(this, inode);
    call_stub_t *stub = NULL;
    enum guard_next next = GUARD_NEXT_NONE;
    int verdict = 0;
    gf_boolean_t mine = _gf_false;

    if (!gi)
        goto out;
    for (;;) {
        LOCK(&gi->lock);
        {
            if (!mine && gi->pumping) {
                next = GUARD_NEXT_NONE;
            } else {
                mine = _gf_true;
                next = guard_gate_next_locked(this, gi, &stub, &verdict);
                gi->pumping = next != GUARD_NEXT_NONE;
            }
        }
        UNLOCK(&gi->lock);

        switch (next) {
            case GUARD_NEXT_NONE:
                goto out;
            case GUARD_NEXT_FILL:
                guard_inode_fill_start(this, gi, stub);
                break;
            case GUARD_NEXT_DATA:
                guard_gate_count(this, gi, stub->frame, 0);
                call_resume(stub);
                break;
            case GUARD_NEXT_REFUSE:
                guard_gate_count(this, gi, stub->frame, verdict);
                call_unwind_error(stub, -1, verdict);
                break;
            case GUARD_NEXT_EXCLUSIVE:
                guard_publish_run(this, gi, stub);
                break;
        }
    }
out:
    if (inode)
        inode_unref(inode);
}

static void
guard_gate_enqueue(xlator_t *this, struct guard_inode *gi, call_stub_t *stub)
{
    /* The stub holds the inode until it is queued; after that it may run in
     * another thread at any time, so take our own reference first. */
    inode_t *inode = inode_ref(gi->inode);

    LOCK(&gi->lock);
    {
        list_add_tail(&stub->list, &gi->waiting);
        if (guard_stub_is_exclusive(stub))
            gi->exclusives++;
    }
    UNLOCK(&gi->lock);
    guard_gate_pump(this, inode);
}

void
guard_gate_wait(xlator_t *this, struct guard_inode *gi, call_stub_t *stub)
{
    GF_ATOMIC_INC(guard_priv(this)->queued);
    guard_gate_enqueue(this, gi, stub);
}

void
guard_gate_exclusive(xlator_t *this, struct guard_inode *gi, call_stub_t *stub)
{
    guard_gate_enqueue(this, gi, stub);
}

inode_t *
guard_gate_leave(struct guard_inode *gi)
{
    inode_t *inode = NULL;

    LOCK(&gi->lock);
    {
        gi->inflight--;
        if (!list_empty(&gi->waiting) && !gi->pumping)
            inode = gi->inode;
    }
    UNLOCK(&gi->lock);
    /* The caller's fd or loc still holds the inode here. */
    return inode ? inode_ref(inode) : NULL;
}

/* The mark goes with the answer and not with the call: so it does not matter
 * which of a write and a truncation that are below at the same time came first
 * there, and a publication runs only when both are answered. */
inode_t *
guard_gate_leave_cut(struct guard_inode *gi)
{
    LOCK(&gi->lock);
    gi->uncut = 0;
    UNLOCK(&gi->lock);
    return guard_gate_leave(gi);
}

inode_t *
guard_gate_release(struct guard_inode *gi)
{
    LOCK(&gi->lock);
    gi->barrier = _gf_false;
    UNLOCK(&gi->lock);
    return inode_ref(gi->inode);
}

void
guard_gate_filled(xlator_t *this, struct guard_inode *gi, int err)
{
    inode_t *inode = inode_ref(gi->inode); /* the queue's head holds it */
    call_stub_t *stub = NULL;

    LOCK(&gi->lock);
    {
        if (err) {
            stub = list_first_entry(&gi->waiting, call_stub_t, list);
            list_del_init(&stub->list);
            if (guard_stub_is_exclusive(stub))
                gi->exclusives--;
        }
        gi->filling = _gf_false;
        gi->ask = _gf_false;
    }
    UNLOCK(&gi->lock);

    if (stub) {
        gf_msg(this->name, GF_LOG_WARNING, err, GUARD_MSG_FILL_FAILED,
               "cannot read the record of gfid %s", uuid_utoa(inode->gfid));
        call_unwind_error(stub, -1, err);
    }
    guard_gate_pump(this, inode);
}
