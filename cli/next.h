/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* next.h - what an administrator should do next, in one sentence. */
#ifndef ALLOT_NEXT_H
#define ALLOT_NEXT_H

#include "document.h"

/**
 * allot_next_sentence - of a volume in this state
 * @target: the volume as the user wrote it, for commands in the sentence
 * There is one for every state; without a full stop. Allocated; NULL: no
 * memory.
 */
char *
allot_next_sentence(const struct allot_doc_status *doc, const char *target);

#endif /* ALLOT_NEXT_H */
