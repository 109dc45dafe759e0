/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * scan.h - walk every file below a target's directory with several workers.
 *
 *      worker 0   [ a/b  a/c  d ]  <-- takes the newest of its own directories
 *      worker 1   [ ]              --> and without any, the oldest of another's
 *
 * The unit of work is one directory: its files are looked at, its directories
 * become work. Newest first keeps the lists short (depth times width); the
 * oldest is the largest piece to steal. In memory: the names of directories
 * that were found and not entered yet, one page of names and one open directory
 * per worker.
 *
 * The plan: each directory that is found is dealt to the worker that has been
 * dealt the least, so that each is to do T_total / p: one for each file, and
 * one for each directory. How many files a directory has is not known before it
 * is asked: until then it counts as the mean of those before. What is dealt
 * wrongly, stealing makes good.
 *
 * A directory is asked for all of its names at once, if the caller can use what
 * the answer says of files, and if the volume knows the question; else it is
 * listed. The answer comes in pages. Where one ends the next is work of its
 * own, and can be stolen: so a huge directory is not one worker's alone.
 *
 * It finds names; what a file is worth is for the caller. It stays on the file
 * system of the target, follows no links and skips what vanishes meanwhile.
 */
#ifndef ALLOT_SCAN_H
#define ALLOT_SCAN_H

#include <stdint.h>
#include <sys/stat.h>

#include "children.h"
#include "target.h"

#define ALLOT_WORKERS_MAX 64

/* In memory for each directory that was found and not entered, besides its
 * path: at the most, while a list of them is made longer
 * (tests/unit/test-cli-breadth.c measures it). What the allocator needs for the
 * path comes on top. */
#define ALLOT_SCAN_WAITING_BYTES 96

/* What one worker was to do, and did. */
struct allot_scan_worker {
    uint64_t planned_files;       /* in directories that were dealt to it */
    uint64_t planned_directories; /* that were dealt to it */
    uint64_t files;
    uint64_t directories;
    uint64_t stolen; /* directories, and later pages of one, from another's */
};

/* How far a scan is, in files and directories. */
struct allot_scan_progress {
    uint64_t files; /* looked at */
    double done;    /* sum of S_i: what worker i has looked at */
    double known;   /* sum of Smax_i: what was dealt to worker i; a directory
                       that nobody has entered has the mean of files */
    double seconds;
};

/* Callbacks come from all workers at once; @worker says which. */
struct allot_scan_ops {
    /* A regular file, or a name that lstat() refused with @err (-errno, @st
     * is NULL then) and that readdir did not call anything else. @err 0 and
     * @st NULL: readdir calls it a regular file, nothing was asked yet. @path
     * is relative to the target, without a leading slash. A value other than
     * 0 ends the scan. */
    int (*file)(void *arg, unsigned int worker, struct allot_dir *dir,
                const char *name, const char *path, const struct stat *st,
                int err);
    /* The same for a file of which the directory's one answer has told all
     * that is to be known (children.h). NULL: files are asked for one by one.
     */
    int (*known)(void *arg, unsigned int worker, const char *path,
                 const struct allot_child *child);
    /* What is in @path ("" is the target itself) is not known, or not all of
     * it. A value other than 0 ends the scan. */
    int (*incomplete)(void *arg, const char *path, int err);
    /* Four times a second, from one thread. May be NULL. */
    void (*progress)(void *arg, const struct allot_scan_progress *progress);
    /* Between directories, from any worker: is the scan to stand still for
     * checkpoint() (1), and to end after it (2). NULL: never. */
    int (*due)(void *arg);
    /* Nobody is in a directory; @paths are those to be entered yet. A value
     * other than 0 ends the scan. */
    int (*checkpoint)(void *arg, const char *const *paths, size_t count);
};

/* allot_scan() was ended by due(). */
#define ALLOT_SCAN_STOPPED 1000

/**
 * allot_scan - walk
 * @start: @count directories to begin with, relative to the target ("": itself)
 * @workers: how many, 1..ALLOT_WORKERS_MAX; @done: one for each, set
 * Returns 0, -ENOMEM, ALLOT_SCAN_STOPPED, or the first value that a callback
 * returned.
 */
int
allot_scan(struct allot_target *target, const struct allot_scan_ops *ops,
           void *arg, const char *const *start, size_t count,
           unsigned int workers, struct allot_scan_worker *done);

/** allot_scan_open - the directory @path below the target, which is cut at its
 * slashes meanwhile. 0 or -errno. */
int
allot_scan_open(struct allot_target *target, char *path,
                struct allot_dir **dir);

#endif /* ALLOT_SCAN_H */
