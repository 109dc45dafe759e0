/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * oracle.h - the parts of the oracle: a list of explicit calls, what memory
 * says the files must hold, and who makes the calls.
 *
 *   oracle-generate.c   the next random call
 *   oracle-run.c        makes one call, tells memory, compares
 *   oracle-memory.c     what memory says
 *   oracle-shrink.c     from a list that fails to a short one that fails
 *   oracle.c            arguments, the watch over it, the state kept in a file
 *
 * A call is a struct op and nothing else: it can be printed, read again, and
 * made a second time without its neighbours. What it needs (a file that is
 * there, an open fd) is made when it is missing, or the call is left out.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "fs.h"

#define FILES 8
#define MOUNTS 3

/* The fds that a file has on each mount; opened when first used. */
enum flavor { FD_PLAIN, FD_APPEND, FD_DIRECT, FD_SYNC, FD_FLAVORS };

enum op_kind {
    OP_WRITE,
    OP_APPEND,
    OP_READ,
    OP_FTRUNCATE,
    OP_TRUNCATE,
    OP_SPACE, /* how: enum fs_space */
    OP_SEEK,  /* how: 0 data, 1 hole */
    OP_STAT,  /* how: 0 by fd, 1 by name */
    OP_SYNC,  /* how: 1 fdatasync */
    OP_CLOSE,
    OP_OPEN_TRUNC,
    OP_UNLINK, /* how: 1 what is open stays open */
    OP_RENAME, /* over other; how: as unlink */
    OP_LINK,   /* as other, which is removed before; how: as unlink */
    OP_COPY,   /* from other at from */
    OP_MAP_WRITE,
    OP_MAP_READ,
    OP_TIMES, /* how: 0 by fd, 1 by name */
    OP_MODE,
    OP_XATTR, /* how: 0 set, 1 get */
    OP_KINDS,
};

struct op {
    uint8_t kind;
    uint8_t file;
    uint8_t other;
    uint8_t mount;
    uint8_t flavor;
    uint8_t how;
    uint8_t shut;  /* first close every fd of the file */
    uint8_t ghost; /* not the file of this name, but what was open when the
                      name went */
    int64_t off;
    int64_t len;
    int64_t from;
    uint64_t fill; /* of which the bytes are made */
};

/* As much text as an op needs. */
#define OP_TEXT 256

enum there { YES, NO, PERHAPS };

/* A file, whatever its names. */
struct body {
    int used;
    int names;
    /* The size is one of [lo, hi]. Bytes from hi on are zero, if the file
     * becomes so long. */
    long lo;
    long hi;
    unsigned char *data;
    unsigned char *known; /* per byte: is data[] what it must be */
    struct fs_file *fds[MOUNTS][FD_FLAVORS];
    long mtime;    /* what was set, 0: not known */
    int written;   /* since mtime was set: it must be of this run */
    int mode;      /* -1: not known */
    uint64_t mark; /* the value of its xattr, 0: none */
};

struct name {
    char text[64];
    int there;   /* enum there */
    int tangled; /* a rename has touched it */
    struct body *body;
    struct body *ghost; /* open, without this name; NULL */
};

/* What the child is doing, for the parent that watches over it. */
struct beat {
    long count;
    char now[OP_TEXT + 64];
    /* The calls made, so that the parent can shorten the list. */
    size_t n;
    struct op ops[];
};

#define OPS_MAX 400000

/* All that a run depends on; set by the arguments. */
struct world {
    struct name names[FILES];
    struct body bodies[2 * FILES + 2];
    int n_files;
    struct fs fs[MOUNTS];
    const char *places[MOUNTS];
    int n_mounts;
    long max_size;
    long inline_limit; /* where a file becomes spread: calls at this border are
                          frequent. A truncation below it that fails may leave
                          so many bytes. */
    long block;
    uint64_t seed;
    uint64_t rng;
    const char *allowed; /* errors that calls may give; "": none */
    const char *without; /* kinds of calls that are not made */
    unsigned char *buf;
    long calls;
    time_t begin;
    struct beat *beat;
};

extern struct world w;

/* ---- oracle.c --------------------------------------------------------------
 */

/** fail - tell what is wrong, with seed and call, and end with status 1. */
void
fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/** now - a call begins. */
void
now(const char *text);

/** tolerate - a call gave -errno @err: is it one of those that may be? Else
 * fail(). */
void
tolerate(long err);

/** faulty - may calls fail at all. */
int
faulty(void);

/** world_reset - fresh, empty, without files; names get @suffix. 0 or -1. */
int
world_reset(const char *suffix);

/** world_connect - open all places. */
void
world_connect(void);

/* ---- oracle-memory.c -------------------------------------------------------
 */

struct body *
body_new(void);
/** body_drop - closes its fds. */
void
body_drop(struct body *b);
void
hold_zero(struct body *b, long from);
void
hold_unknown(struct body *b, long from, long to);
void
hold_size(struct body *b, long lo, long hi);
void
hold_write(struct body *b, long off, const unsigned char *data, long n);
void
hold_cut(struct body *b, long size);
/** hold_cut_perhaps - a truncation that may have happened, or half of it. */
void
hold_cut_perhaps(struct body *b, long size);
void
check_bytes(const struct body *b, long off, const unsigned char *got, long n);
/** check_zero - nothing known in [from, to) is data. */
void
check_zero(const struct body *b, long from, long to);
/** check_stat - size, times, mode, links. */
void
check_stat(const struct body *b, const struct stat *st);
/** known_percent - so that a run that proves nothing can be seen. */
int
known_percent(void);
/** state_io - what the files must hold, to a file or from it. */
void
state_io(const char *name, int save);

/* ---- oracle-generate.c -----------------------------------------------------
 */

/** generate - the next call, out of w.rng and what memory says. */
void
generate(struct op *op);
/** op_text - one line without newline, as op_parse() reads it. */
void
op_text(const struct op *op, char text[OP_TEXT]);
/** op_parse - 0, or -1 if it is no such line. */
int
op_parse(const char *text, struct op *op);

/* ---- oracle-run.c ----------------------------------------------------------
 */

/** run_op - make it; fail() if something is wrong. */
void
run_op(const struct op *op);
/** run_close - close all files. */
void
run_close(void);
/** run_verify - every byte of every file, on every mount. */
void
run_verify(void);
/** run_remove - remove all files. */
void
run_remove(void);

/* ---- oracle-shrink.c -------------------------------------------------------
 */

/** shrink - from beat->ops, which failed, to as few of them as still fail on
 * fresh files, within @seconds; prints them. @patience as in watch(). */
void
shrink(double seconds, int patience);

/** watch - wait for @child; its exit status, 3 if a call takes longer than
 * @patience seconds. @progress: file that tells the number of calls, or NULL */
int
watch(pid_t child, int patience, const char *progress);

#endif /* ORACLE_H */
