/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-presence.h - are the portions of many files there, with one question
 * for each brick. A report on a directory would else ask every portion of every
 * file by itself.
 */
#ifndef ALLOT_PRESENCE_H
#define ALLOT_PRESENCE_H

#include "allot-bricks.h"
#include "allot-inode.h"

/* Of a portion: nobody has said that it is there and right. */
#define ALLOT_PRESENCE_UNKNOWN UINT64_MAX

/* One spread file. */
struct allot_presence {
    inode_t *inode;        /* the caller's */
    struct allot_rec *rec; /* the caller's */
    uint64_t *blocks512; /* of the portion on rec->r.layout->bricks[i]; owned */
};

/**
 * allot_presence_ask - ask for the portions of @n files. In a synctask.
 * What is not certain stays ALLOT_PRESENCE_UNKNOWN: a brick that cannot be
 * used or whose guard does not know the question, a replicate set, whatever is
 * wrong with a portion. The caller then asks the file by itself.
 */
void
allot_presence_ask(xlator_t *this, struct allot_presence *files, int n);

/** allot_presence_wipe - free what was allocated for the answers. */
void
allot_presence_wipe(struct allot_presence *files, int n);

#endif /* ALLOT_PRESENCE_H */
