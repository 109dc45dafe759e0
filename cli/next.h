/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* next.h - what an administrator should do next, in one sentence. */
#ifndef ALLOT_NEXT_H
#define ALLOT_NEXT_H

#include "document.h"

/* Whom a sentence is about, so that it is not said once more elsewhere. */
struct allot_next_about {
    const char *state; /* of bricks; NULL: of none, or not all is said */
    const char *name;  /* of the one that it is about; NULL: all in the state */
};

/**
 * allot_next_sentence - of a volume in this state
 * @target: the volume as the user wrote it, for commands in the sentence
 * @about: set, with strings borrowed from @doc; may be NULL
 * There is one for every state; without a full stop. Allocated; NULL: no
 * memory.
 */
char *
allot_next_sentence(const struct allot_doc_status *doc, const char *target,
                    struct allot_next_about *about);

#endif /* ALLOT_NEXT_H */
