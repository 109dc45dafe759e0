/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * children.h - what a directory holds, asked with one question for all of its
 * names instead of one for each (the translator's allot-children.c says what is
 * answered). Whoever gets an entry that is not known asks for it himself.
 */
#ifndef ALLOT_CHILDREN_H
#define ALLOT_CHILDREN_H

#include <jansson.h>
#include <stdint.h>

#include "target.h"

/* One entry; valid until the next call. */
struct allot_child {
    const char *name;
    unsigned char type; /* DT_DIR, DT_REG, DT_UNKNOWN */
    int known;          /* 1: all that follows tells how the file is */
    json_t *report;     /* its report; borrowed; NULL: whole in its base */
    uint64_t size, nlink;
    const char *gfid; /* "" unless nlink is above 1 */
    uint32_t inline_limit;
};

struct allot_children {
    struct allot_dir *dir; /* borrowed */
    json_t *page;          /* owned; NULL: none yet */
    json_t *entries;       /* of it; borrowed */
    size_t at;             /* the next of them */
    unsigned int pages;    /* that were answered */
    char *name;            /* of an entry whose name is not UTF-8; owned */
};

/** allot_children_begin - nothing is asked yet. */
void
allot_children_begin(struct allot_children *children, struct allot_dir *dir);

/**
 * allot_children_next - the next entry
 * Returns 1, 0 at the end, or -errno: the listing breaks off here. If ->pages
 * is 0 then, nothing was told: list the directory instead.
 */
int
allot_children_next(struct allot_children *children, struct allot_child *child);

/** allot_children_end - free what it holds. */
void
allot_children_end(struct allot_children *children);

#endif /* ALLOT_CHILDREN_H */
