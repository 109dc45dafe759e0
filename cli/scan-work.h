/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * scan-work.h - the work of a scan and who does it: the plan, the workers'
 * lists, stealing, pauses. For scan.c, which does the work, and scan-work.c
 * only.
 *
 * Every list has a lock of its own, held for a few instructions; scan->lock
 * comes behind it. A worker that finds no work sleeps until somebody has found
 * some, or until nothing is left that somebody works on.
 */
#ifndef ALLOT_SCAN_WORK_H
#define ALLOT_SCAN_WORK_H

#include <pthread.h>
#include <sys/stat.h>

#include "scan.h"

struct allot_scan;

/* An open directory whose pages may be with several workers. */
struct allot_scan_dir {
    struct allot_dir *dir; /* owned, unless it is the target's own */
    int borrowed;
    unsigned int refs;
};

/* A piece of work. */
struct allot_scan_item {
    char *path;                 /* owned */
    unsigned int owner;         /* the worker it was dealt to */
    char *cursor;               /* of a later page; NULL: the first; owned */
    struct allot_scan_dir *dir; /* of a later page; NULL; a reference */
};

struct allot_scan_list {
    pthread_mutex_t lock;
    struct allot_scan_item *items; /* [first, end): directories to enter */
    size_t first, end, cap;
    struct allot_scan_item rest; /* the next page of the one that this worker
                                    is in; path NULL: none */
    struct allot_scan *scan;
    unsigned int number;
    pthread_t thread;
    struct allot_scan_worker *done;
    struct allot_scan_list *owner; /* the present piece was dealt to it */
    char *path;                    /* of the present entry; owned */
    size_t path_cap;

    uint64_t looked; /* files, or what may be one; atomic */
    uint64_t known;  /* of these in what was dealt to it and entered; atomic */

    /* scan->lock: */
    uint64_t dealt;      /* directories dealt to it and not entered */
    pthread_cond_t wake; /* it sleeps: there is work, or it is over */
    int idle;            /* it sleeps, and nobody has woken it */
};

struct allot_scan {
    struct allot_target *target;
    const struct allot_scan_ops *ops;
    void *arg;
    dev_t dev;
    unsigned int workers;
    struct allot_scan_list *lists;

    pthread_mutex_t lock;  /* of what follows */
    pthread_cond_t resume; /* workers that stand: the checkpoint is made */
    pthread_cond_t over;   /* the caller: it is over */
    uint64_t open;         /* pieces of work found and not finished */
    uint64_t waiting;      /* of these: in some list */
    uint64_t entered;      /* directories */
    int result;
    int pausing;           /* what due() said; 0: go on */
    unsigned int running;  /* workers that have not ended */
    unsigned int standing; /* of these: wait for the checkpoint */
    unsigned int pauses;   /* that are over */
};

/** allot_scan_add - to a counter that others read meanwhile. */
static inline void
allot_scan_add(uint64_t *counter, uint64_t n)
{
    __atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

/**
 * allot_scan_put - a directory that @finder has found
 * It is dealt to whoever was dealt the least. @path is taken over, also on
 * failure. 0 or -ENOMEM.
 */
int
allot_scan_put(struct allot_scan_list *finder, char *path);

/** allot_scan_put_rest - the next page of what the worker is in, for itself or
 * for whoever has nothing to do; @rest is taken over. */
void
allot_scan_put_rest(struct allot_scan_list *list,
                    const struct allot_scan_item *rest);

/** allot_scan_next - the next piece of work for a worker, which may have to
 * sleep first. 1; 0: all is done. */
int
allot_scan_next(struct allot_scan_list *own, struct allot_scan_item *item);

/** allot_scan_enter - a directory is entered, @files of it are known so far.
 * Once for each directory. */
void
allot_scan_enter(struct allot_scan_list *list, uint64_t files);

/** allot_scan_finish - one piece less; with an error the scan is over for all.
 */
void
allot_scan_finish(struct allot_scan *scan, int result);

/** allot_scan_gone - @n workers less: nobody waits for them to stand still. */
void
allot_scan_gone(struct allot_scan *scan, unsigned int n);

/** allot_scan_how_far_locked - S_i and Smax_i of all workers, added up. */
void
allot_scan_how_far_locked(const struct allot_scan *scan,
                          struct allot_scan_progress *progress);

/** allot_scan_dir_unref - closed with its last page; NULL is allowed. */
void
allot_scan_dir_unref(struct allot_scan_dir *dir);

/** allot_scan_item_free - what it holds. */
void
allot_scan_item_free(struct allot_scan_item *item);

#endif /* ALLOT_SCAN_WORK_H */
