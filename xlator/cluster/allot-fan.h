/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-fan.h - calls to several subvolumes at once from a synctask, which
 * sleeps until all have answered. The protocols are written with this, as plain
 * sequential code.
 *
 * GlusterFS's syncop.h does one call at a time and its cluster-syncop.h works
 * on the children of one translator with an AFR-shaped reply; here every call
 * has its own subvolume, arguments and reply.
 */
#ifndef ALLOT_FAN_H
#define ALLOT_FAN_H

#include "allot.h"

struct allot_call {
    /* What to call. xl == NULL: the call is skipped, and answers ENOTCONN. */
    xlator_t *xl;
    glusterfs_fop_t fop;
    uint16_t idx;   /* the caller's: which brick */
    uint32_t epoch; /* the caller's: its connection */

    /* Arguments, borrowed from the caller for the time of the call. */
    loc_t *loc;
    fd_t *fd;
    dict_t *dict;
    dict_t *xdata;
    const char *name;   /* (f)getxattr: key */
    const char *domain; /* inodelk */
    struct gf_flock *flock;
    int32_t lock_cmd;
    void *owner; /* inodelk: whoever unlocks gives the same pointer */
    int32_t flags;
    mode_t mode;
    uint64_t off;
    uint64_t len;
    struct iovec *iov;
    int iov_count;
    struct iobref *iobref;
    call_frame_t *as; /* whose call it is; NULL: root's */

    /* The answer; owned by the call, freed by allot_calls_wipe(). */
    int ret;            /* as the fop's op_ret */
    int err;            /* errno if ret < 0 */
    struct iatt st;     /* stat, fstat, lookup, post-op of writes; setxattr, if
                           the brick tells: ia_type is IA_INVAL if not */
    dict_t *rdict;      /* getxattr's values, or the xdata of stat and fstat */
    struct iovec *riov; /* readv */
    int riov_count;
    struct iobref *riobref;
    uint64_t roff;               /* seek */
    struct allot_health *health; /* private: of its brick; NULL: none */
    uint64_t start_nsec;         /* private */
    xlator_t *by;                /* private: cluster/allot */
    struct syncbarrier *barrier; /* private, as is: */
    struct allot_flight *flight;
};

/* Calls that nobody sleeps for. */
struct allot_flight {
    gf_atomic_t pending;     /* private */
    void (*done)(void *arg); /* when all are answered, in any thread */
    void *arg;
};

/** allot_call_init - a call with everything zero but these. */
void
allot_call_init(struct allot_call *call, xlator_t *xl, glusterfs_fop_t fop);

/**
 * allot_fan - wind @n calls at once and wait for all answers
 * In a synctask, no lock held. Frames are root's (uid 0), or of call->as.
 * Supported fops: STAT FSTAT LOOKUP OPEN CREATE READ WRITE FSYNC TRUNCATE
 * FTRUNCATE FALLOCATE DISCARD ZEROFILL SEEK SETXATTR FSETXATTR GETXATTR UNLINK
 * MKDIR INODELK SETATTR FLUSH.
 */
void
allot_fan(xlator_t *this, struct allot_call *calls, int n);

/**
 * allot_fan_start - wind @n calls at once; @flight->done when all have
 * answered, perhaps before this returns Any context without locks. As
 * allot_fan(), for whoever has no task: starting one, and sleeping and waking
 * in it, costs more than a small call.
 * @of: a frame to copy, that of the fop which this is for
 * What the calls borrow must live until done.
 */
void
allot_fan_start(xlator_t *this, call_frame_t *of, struct allot_call *calls,
                int n, struct allot_flight *flight);

/** allot_call_one - allot_fan() of one call; returns call->ret, or -errno. */
int
allot_call_one(xlator_t *this, struct allot_call *call);

/** allot_call_open - open @loc on @xl, O_RDWR
 * 0, and *@fd, the caller's; or -errno. What a disperse set forgets from then
 * on of how long the file is, the fd knows: allot_disperse_recorded(). */
int
allot_call_open(xlator_t *this, xlator_t *xl, loc_t *loc, dict_t *xdata,
                fd_t **fd);

/** allot_calls_wipe - free the answers. */
void
allot_calls_wipe(struct allot_call *calls, int n);

#endif /* ALLOT_FAN_H */
