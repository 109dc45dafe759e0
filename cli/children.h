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

#include "allot-layout.h"
#include "target.h"

/* One entry; valid until the next call. */
struct allot_child {
    const char *name;
    unsigned char type; /* DT_DIR, DT_REG, DT_UNKNOWN */
    int known;          /* 1: all that follows tells how the file is */
    json_t *report;     /* its report; borrowed; NULL: what follows is all */
    const struct allot_layout *layout; /* a spread file's; borrowed from the
                                          page; NULL: whole in its base */
    const json_t *members; /* [INDEX, "FAIL", HOLE BLOCKS, HOLE BYTES] of those
                              that are not just well; borrowed; NULL: none */
    uint64_t size, nlink;
    const char *gfid; /* "" unless nlink is above 1, or it is spread */
    uint32_t inline_limit;
};

/* One page of a directory. */
struct allot_children {
    json_t *page;                  /* owned; NULL: none yet */
    json_t *entries;               /* of it; borrowed */
    size_t at;                     /* the next of them */
    struct allot_layout **layouts; /* those of the page that were needed so far;
                                      owned */
    size_t layout_count;
    char *name; /* of an entry whose name is not UTF-8; owned */
};

/**
 * allot_children_ask - ask @dir for a page
 * @cursor: what allot_children_more() said of the page before; NULL: the first
 * @children: set, also on failure; free with allot_children_end()
 * Returns 0 or -errno. If the first page fails, nothing was told: list the
 * directory instead.
 */
int
allot_children_ask(struct allot_children *children, struct allot_dir *dir,
                   const char *cursor);

/** allot_children_files - so many entries of the page are no directories, as
 * far as it tells. */
size_t
allot_children_files(const struct allot_children *children);

/** allot_children_more - where to go on behind this page; borrowed from it;
 * NULL: nowhere. */
const char *
allot_children_more(const struct allot_children *children);

/**
 * allot_children_next - the next entry of the page
 * Returns 1, 0 at its end, or -errno: the listing breaks off here.
 */
int
allot_children_next(struct allot_children *children, struct allot_child *child);

/** allot_children_end - free what it holds. */
void
allot_children_end(struct allot_children *children);

#endif /* ALLOT_CHILDREN_H */
