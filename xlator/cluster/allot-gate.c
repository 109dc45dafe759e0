/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-gate.c - per file: data fops run together, protocols run alone, in
 * order of arrival; and allot_run(), a function in a synctask behind the gate.
 *
 * The gate orders the fops of this client only. Between clients the generation
 * does it (docs/protocol.md).
 */
#include "allot-prefetch.h"

struct allot_gate_wait {
    struct list_head list;
    allot_gate_fn fn;
    void *arg;
    gf_boolean_t alone;
};

/* Takes the gate for @alone if it is free now. */
static gf_boolean_t
gate_take_locked(struct allot_inode *ai, gf_boolean_t alone)
{
    if (ai->alone || (alone && ai->shared))
        return _gf_false;
    if (alone) {
        ai->alone = _gf_true;
        /* What is read ahead from now on comes after the protocol. */
        allot_prefetch_changed(ai);
    } else {
        ai->shared++;
    }
    return _gf_true;
}

int
allot_gate_enter(xlator_t *this, struct allot_inode *ai, gf_boolean_t alone,
                 allot_gate_fn fn, void *arg)
{
    struct allot_gate_wait *wait = NULL;
    gf_boolean_t taken = _gf_false;

    LOCK(&ai->lock);
    {
        if (list_empty(&ai->waiting))
            taken = gate_take_locked(ai, alone);
    }
    UNLOCK(&ai->lock);
    if (taken) {
        fn(arg);
        return 0;
    }

    wait = GF_CALLOC(1, sizeof(*wait), allot_mt_misc);
    if (!wait)
        return -ENOMEM;
    wait->fn = fn;
    wait->arg = arg;
    wait->alone = alone;

    LOCK(&ai->lock);
    {
        /* It may have become free between the two looks. */
        if (list_empty(&ai->waiting))
            taken = gate_take_locked(ai, alone);
        if (!taken)
            list_add_tail(&wait->list, &ai->waiting);
    }
    UNLOCK(&ai->lock);
    if (taken) {
        GF_FREE(wait);
        fn(arg);
    }
    return 0;
}

void
allot_gate_leave(xlator_t *this, struct allot_inode *ai, gf_boolean_t alone)
{
    struct allot_gate_wait *wait = NULL;

    LOCK(&ai->lock);
    {
        if (alone)
            ai->alone = _gf_false;
        else
            ai->shared--;
        /* A waiter that runs may leave at once (bricks in the same process
         * answer before the wind returns). It then finds `kicking` set and
         * leaves the rest to this loop: no recursion. */
        if (ai->kicking)
            goto unlock;
        ai->kicking = _gf_true;
        while (!list_empty(&ai->waiting)) {
            wait = list_first_entry(&ai->waiting, struct allot_gate_wait, list);
            if (!gate_take_locked(ai, wait->alone))
                break;
            list_del_init(&wait->list);
            UNLOCK(&ai->lock);
            wait->fn(wait->arg);
            GF_FREE(wait);
            LOCK(&ai->lock);
        }
        ai->kicking = _gf_false;
    }
unlock:
    UNLOCK(&ai->lock);
}

/* ---- synctasks ------------------------------------------------------------
 */

/* Translators below run on the task's stack when they answer at once (a brick
 * in the same process): posix keeps paths there. */
#define ALLOT_STACK_BYTES (128 * 1024)

struct allot_job {
    xlator_t *this;
    inode_t *inode;         /* reference, or NULL */
    struct allot_inode *ai; /* NULL: no gate */
    void (*fn)(xlator_t *this, void *arg);
    void *arg;
};

static int
job_task(void *opaque)
{
    struct allot_job *job = opaque;

    THIS = job->this;
    SYNCTASK_SETID(0, 0);
    job->fn(job->this, job->arg);
    return 0;
}

static int
job_done(int ret, call_frame_t *frame, void *opaque)
{
    struct allot_job *job = opaque;

    if (job->ai)
        allot_gate_leave(job->this, job->ai, _gf_true);
    if (job->inode)
        inode_unref(job->inode);
    GF_FREE(job);
    return 0;
}

static void
job_start(void *arg)
{
    struct allot_job *job = arg;
    xlator_t *old = THIS;
    int ret = 0;

    THIS = job->this;
    /* Not synctask_create(): libglusterfs does not export it. */
    ret = synctask_new1(job->this->ctx->env, ALLOT_STACK_BYTES, job_task,
                        job_done, NULL, job);
    THIS = old;
    if (ret < 0) {
        /* The process is ending, or out of memory. The job must still answer
         * its frame: without a task every allot_fan() fails with ENOMEM. */
        job->fn(job->this, job->arg);
        job_done(0, NULL, job);
    }
}

/* The same without a task. */
static void
job_here(void *arg)
{
    struct allot_job *job = arg;

    job->fn(job->this, job->arg);
    job_done(0, NULL, job);
}

static int
run(xlator_t *this, inode_t *inode, gf_boolean_t gate, allot_gate_fn start,
    void (*fn)(xlator_t *this, void *arg), void *arg)
{
    struct allot_job *job = GF_CALLOC(1, sizeof(*job), allot_mt_misc);

    if (!job)
        return -ENOMEM;
    job->this = this;
    job->fn = fn;
    job->arg = arg;
    if (inode)
        job->inode = inode_ref(inode);
    if (gate) {
        job->ai = allot_inode_get(this, inode);
        if (!job->ai || allot_gate_enter(this, job->ai, _gf_true, start, job)) {
            if (job->inode)
                inode_unref(job->inode);
            GF_FREE(job);
            return -ENOMEM;
        }
    } else {
        start(job);
    }
    return 0;
}

int
allot_run(xlator_t *this, inode_t *inode, gf_boolean_t gate,
          void (*fn)(xlator_t *this, void *arg), void *arg)
{
    return run(this, inode, gate, job_start, fn, arg);
}

int
allot_run_here(xlator_t *this, inode_t *inode,
               void (*fn)(xlator_t *this, void *arg), void *arg)
{
    return run(this, inode, _gf_true, job_here, fn, arg);
}
