/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-health.h - how each brick does its work: counts, bytes, time, and the
 * circuit breaker that makes a connected brick `failing` while its calls end in
 * errors of the disk, or do not end.
 *
 *                    errors in a row, or a stall
 *      up, full  ------------------------------------>  failing
 *                <------------------------------------
 *          `failing-hold` seconds without either, and a probe that is answered
 *
 * Whoever winds a call to a data subvolume says so before and after: that is
 * two readings of the clock and a few atomics on memory of that brick alone,
 * no lock. Everything else happens once a second in a timer.
 *
 * `failing` only says where new data goes. Reads, and writes to what is there
 * already, are tried as before.
 */
#ifndef ALLOT_HEALTH_H
#define ALLOT_HEALTH_H

#include "allot-bricks.h"

/* What a call proves about the disk. */
enum allot_work {
    ALLOT_WORK_META = 0, /* nothing: it may be answered from memory */
    ALLOT_WORK_READ,
    ALLOT_WORK_WRITE,
    ALLOT_WORK_KINDS,
};

/* Sums since init. */
struct allot_work_sums {
    uint64_t ops[ALLOT_WORK_KINDS];
    uint64_t bytes_read;
    uint64_t bytes_written;
    uint64_t errors;       /* of the disk: EIO, EROFS, ENODEV and their like */
    uint64_t latency_nsec; /* of all calls */
    uint64_t busy_nsec;    /* time in which at least one call was out */
};

/* One brick's. The first part is written from everywhere, by atomics. */
struct allot_health {
    struct allot_work_sums sums;
    uint64_t inflight;
    uint64_t mark_nsec; /* start of the busy time, or the last answer; 0: idle
                         */
    uint32_t score[ALLOT_WORK_KINDS]; /* errors in a row, weighted */
    uint64_t bad_file; /* the file of the last error, as a number */

    uint32_t unread; /* a read has ended in an error of the disk since it
                        worked last */

    gf_boolean_t dispersed; /* of a disperse set; constant */

    /* Guarded by allot_bricks.lock. */
    gf_boolean_t failing;
    gf_boolean_t probing; /* a probe is under way */
    const char *why;      /* of failing; a constant text */
    uint64_t quiet_msec;  /* when it may be probed, if nothing more happens */
    uint64_t hold_msec;   /* the present one; doubled by each flap */
    uint64_t return_msec; /* when it last became well again; 0: never failed */
    uint64_t changes;     /* of its state */
    uint64_t turns;       /* of these: to one that a report counts otherwise */
    uint64_t flaps;       /* failures within ALLOT_FLAP_MSEC of a return */

    /* P = sum(P_i T_i) / sum(T_i): one interval each second. */
    struct allot_work_sums seen; /* sums at the end of the last interval */
    uint64_t up_nsec;            /* it was usable */
    double latency_time; /* sum of mean latency times busy time, seconds^2 */
};

#define ALLOT_FLAP_MSEC (10 * 60 * 1000ULL)

struct allot_bricks; /* allot-bricks-impl.h */
struct allot_child;
struct allot_leaf;

/** allot_health_of - of the brick with registry index @idx, or of subvolume
 * @xl; NULL if there is none. Valid as long as the graph. Any context. */
struct allot_health *
allot_health_of(xlator_t *this, uint16_t idx);
struct allot_health *
allot_health_of_xl(xlator_t *this, const xlator_t *xl);

/** allot_health_begin - a call is about to be wound. @health may be NULL.
 * Returns the time to hand to allot_health_end(), nanoseconds. */
uint64_t
allot_health_begin(struct allot_health *health);

/**
 * allot_health_end - its answer is here
 * @kind: what the call was; @ret, @err: the answer; @ret counts as bytes for
 *     reads and writes
 * @inode: the file, so that one damaged file is not taken for a sick disk;
 *     may be NULL
 * Any context, no lock of allot_bricks held.
 */
void
allot_health_end(xlator_t *this, struct allot_health *health,
                 enum allot_work kind, uint64_t start_nsec, int32_t ret,
                 int32_t err, const inode_t *inode);

/** allot_health_tick - once a second: stalls, probes, returns, intervals. No
 * lock held. */
void
allot_health_tick(xlator_t *this);

/** allot_health_connected_locked - a new connection: it is probed at once. */
void
allot_health_connected_locked(struct allot_health *h);

/** allot_health_hold_locked - option failing-hold was @was_sec, is @now_sec:
 * also for the bricks that are failing now. */
void
allot_health_hold_locked(struct allot_bricks *b, int32_t was_sec,
                         int32_t now_sec);

/** allot_health_state_locked - count a change of a brick from @was to @now
 * @failures: times it stopped being well */
void
allot_health_state_locked(struct allot_health *h, uint64_t *failures,
                          enum allot_brick_state was,
                          enum allot_brick_state now);

/** allot_health_why - an errno that speaks of the disk, in words; NULL: it does
 * not, or is 0. */
const char *
allot_health_why(int32_t err);

/** allot_health_unread_locked - what a brick that is failing because of @why
 * holds may be unreadable: it is not known to fail for writes alone. */
gf_boolean_t
allot_health_unread_locked(const struct allot_health *h, const char *why);

/** allot_health_trip_locked - bad news of a brick: it is failing, for its hold
 * from now on. @why: a constant text. True if it was not failing before. */
gf_boolean_t
allot_health_trip_locked(struct allot_bricks *b, struct allot_health *h,
                         const char *why);

/** allot_health_clear_locked - it works again. */
void
allot_health_clear_locked(struct allot_health *h);

/** allot_health_probe - a change of the access time of "/.allot" on @xl
 * @h: whose probing the caller has set, after allot_bricks_busy_locked(); both
 *     are taken back if there is no memory, by @cbk else
 * @pid: whose it is: ALLOT_PID_ROOT, or ALLOT_LOCK_PID
 * @cbk: called with @cookie, ends the frame; not if there is no memory
 * Winds; no lock held. */
void
allot_health_probe(xlator_t *this, xlator_t *xl, struct allot_health *h,
                   pid_t pid, fop_setattr_cbk_t cbk, void *cookie);

/* allot-health-leaves.c: bricks of sets, each by itself. */

/** allot_health_leaf_connected_locked - a new connection to a brick of a set:
 * it is probed at the next tick. */
void
allot_health_leaf_connected_locked(struct allot_leaf *l);

/** allot_health_leaves_tick - once a second: probes, stalls. No lock held. */
void
allot_health_leaves_tick(xlator_t *this);

/** allot_health_latency_time_locked - sum of mean latency times busy time over
 * the intervals so far, the present one up to @now included; seconds^2 */
double
allot_health_latency_time_locked(const struct allot_health *h,
                                 const struct allot_work_sums *now);

/** allot_health_sums - what it has done so far, a copy. */
void
allot_health_sums(const struct allot_health *health,
                  struct allot_work_sums *sums);

#endif /* ALLOT_HEALTH_H */
