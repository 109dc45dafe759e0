/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * cli.h - what the parts of the command have in common: options, exit
 * statuses, the one way to print an error.
 */
#ifndef ALLOT_CLI_H
#define ALLOT_CLI_H

#include <stddef.h>

/* Exit statuses of the command; part of its interface. */
enum allot_exit {
    ALLOT_EXIT_OK = 0,     /* done; all that was looked at is recoverable */
    ALLOT_EXIT_FAILED = 1, /* done; something is not recoverable now */
    ALLOT_EXIT_ERROR = 2,  /* usage or access error; nothing was reported */
    ALLOT_EXIT_MORE = 3,   /* report: not at the end, --resume goes on */
};

/* What the options said. Strings are borrowed from argv. */
enum allot_form {
    ALLOT_FORM_TEXT = 0,
    ALLOT_FORM_JSON,
    ALLOT_FORM_XML,
    ALLOT_FORM_PROMETHEUS,
    ALLOT_FORM_HTML,
};

struct allot_cli {
    enum allot_form form;
    int watch;            /* --watch: status again every so many seconds */
    const char *output;   /* --output, --html: the file; NULL: stdout */
    const char *brick;    /* --brick: only what failed on it; NULL: all */
    const char *under;    /* --under: directory below TARGET; NULL: TARGET */
    int damaged;          /* --damaged: only the list, as files are met */
    int depth_set;        /* --depth: sums of directories ... */
    unsigned int depth;   /* ... down to there */
    const char *resume;   /* --resume: where the state is kept; NULL: none */
    unsigned long limit;  /* --limit: entries of the list; 0: all */
    int all;              /* --all: no limit on printed rows */
    int blocks;           /* --blocks: layout's JSON lists the byte ranges */
    unsigned int workers; /* --workers: of a scan; 0: by the CPUs */
    const char *log_file; /* --log-file: libgfapi's log; NULL: none */
};

/**
 * allot_cli_error - print "allot: ..." as one line on stderr
 * The text names what was tried, what the answer was and what to do.
 * Returns ALLOT_EXIT_ERROR, so that a caller can return it.
 */
int
allot_cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** allot_cli_errno - the errno (positive) of what failed, for outputs that have
 * a place for it: said before allot_cli_error(). Any thread. */
void
allot_cli_errno(int err);

/* The commands. Each returns an exit status and prints its own errors. */
int
allot_cmd_status(const struct allot_cli *cli, const char *target);
int
allot_cmd_report(const struct allot_cli *cli, const char *target);
/* @names: @count bricks that would stop together; 0: each brick by itself. */
int
allot_cmd_ok_to_stop(const struct allot_cli *cli, const char *const *names,
                     size_t count, const char *target);
int
allot_cmd_mapfile(const struct allot_cli *cli, const char *path);
int
allot_cmd_layout(const struct allot_cli *cli, const char *path);
int
allot_cmd_brick_adopt(const struct allot_cli *cli, const char *name,
                      const char *target);
int
allot_cmd_brick_set(const struct allot_cli *cli, const char *name,
                    const char *state, const char *target);

#endif /* ALLOT_CLI_H */
