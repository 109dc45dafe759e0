/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * report.h - what the parts of `allot report` have in common: report.c looks at
 * files, report-list.c has the list of damaged ones, report-print.c prints the
 * sums, resume.c keeps what is known of a scan that is not over yet.
 */
#ifndef ALLOT_REPORT_H
#define ALLOT_REPORT_H

#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "scan.h"
#include "seen.h"
#include "stop.h"
#include "sums.h"
#include "tally.h"
#include "volume.h"

#define ALLOT_REPORT_ROWS 40

struct allot_report {
    const struct allot_cli *cli;
    struct allot_target *target;
    struct allot_doc_status volume; /* as it was when it was last asked */
    struct allot_tally tally;
    struct allot_seen seen;
    struct allot_sums sums;  /* --depth: of directories */
    struct allot_stop *stop; /* ok-to-stop: what is counted; NULL */
    FILE *list;              /* entries of damaged_files, unless they are
                                printed as they come; owned */
    uint64_t entries;        /* of damaged_files so far */
    uint64_t told;           /* of these: by this run */
    uint32_t only;           /* --brick: its index; ALLOT_DOC_NO_INDEX: all */
    unsigned int workers;
    struct allot_scan_worker done[ALLOT_WORKERS_MAX];
    uint64_t files_before; /* looked at by earlier runs */
    int shown_progress;    /* a line of it stands on the terminal */
    pthread_mutex_t lock;  /* of tally, seen, list, entries, standard output */

    /* --resume */
    char *list_name; /* the list beside the state; owned */
    char **pending;  /* directories that earlier runs left; owned */
    size_t pending_count;
    double saved_at; /* CLOCK_MONOTONIC */
};

/** allot_report_out_of_memory - says so; ALLOT_EXIT_ERROR. */
int
allot_report_out_of_memory(void);

/** allot_report_changes - ask how the bricks are, and note those that were not
 * the same since report->volume, which becomes the answer. While no file is
 * being looked at. 0 or an exit status. */
int
allot_report_changes(struct allot_report *report);

/* report-list.c -------------------------------------------------------------
 */

/* A damaged file as the list shows it. */
struct allot_report_entry {
    const char *path;
    const char *gfid; /* "" if not known */
    uint64_t size;
    const struct allot_recovery *rec;
    const struct allot_doc_file *doc; /* NULL: nothing could be asked */
};

/**
 * allot_report_entry - put a file on the list, or print it
 * Under report->lock. 0, or an exit status with the error printed.
 */
int
allot_report_entry(struct allot_report *report,
                   const struct allot_report_entry *entry);

/** allot_report_list_failed - says that the list could not be written
 * @err: the errno. ALLOT_EXIT_ERROR. */
int
allot_report_list_failed(int err);

/* report.c: takes the line of progress off the terminal. Under report->lock. */
void
allot_report_progress_clear(struct allot_report *report);

/* report-print.c: both return an exit status. */
int
allot_report_print_document(struct allot_report *report);
int
allot_report_print_text(struct allot_report *report);

/* resume.c ------------------------------------------------------------------
 */

/**
 * allot_resume_begin - open the list, and take up what an earlier run left
 * Returns 0 or an exit status. Without --resume: nothing is kept.
 */
int
allot_resume_begin(struct allot_report *report);

/** allot_resume_due - a scan's due(): must it be saved now (1), and ended (2).
 */
int
allot_resume_due(void *arg);

/** allot_resume_save - a scan's checkpoint(): 0 or an exit status. */
int
allot_resume_save(void *arg, const char *const *paths, size_t count);

/** allot_resume_failed - the report ended with an error: what nobody could go
 * on with is not left behind. */
void
allot_resume_failed(const struct allot_report *report);

/** allot_resume_end - the report is complete: nothing is left to go on with,
 * once allot_resume_settle() is told that it has been written. */
void
allot_resume_end(const struct allot_report *report);

/** allot_resume_settle - the output is where it should be, or @status is
 * ALLOT_EXIT_ERROR: then the state stays. Whatever the command was. */
void
allot_resume_settle(int status);

#endif /* ALLOT_REPORT_H */
