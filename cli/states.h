/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * states.h - what to do about each state of a brick and of the volume. The
 * tables of docs/admin.md say the same; tests/unit/test-cli-states.c compares.
 */
#ifndef ALLOT_STATES_H
#define ALLOT_STATES_H

#include <stdio.h>

#include "document.h"
#include "next.h"

/* The words NAME and TARGET stand for the brick's name and the volume's place,
 * as in the command's usage; VOLUME for the volume's name, and stays where that
 * is not known. */
struct allot_state_row {
    const char *state;
    const char *todo; /* NULL: nothing */
};

/* Each ends with a row whose state is NULL. */
extern const struct allot_state_row allot_states_brick[];
extern const struct allot_state_row allot_states_leaf[]; /* bricks of a set */
extern const struct allot_state_row allot_states_volume[];

/** allot_state_todo - what the table says of @state; NULL: nothing to do, or a
 * state that is not in it. */
const char *
allot_state_todo(const struct allot_state_row *table, const char *state);

/**
 * allot_state_print - the sentence @todo, with what its words stand for
 * @name: of a brick, NULL: there is none
 * @target: as the user may write it
 * @doc: the volume
 * No newline at the end.
 */
void
allot_state_print(FILE *out, const char *todo, const char *name,
                  const char *target, const struct allot_doc_status *doc);

/**
 * allot_states_print - a line for each brick that asks for something to be done
 * Of a set that is not blank the lines are its bricks'. Former members of a
 * volume that is UP are left out: its own sentence has them. So are those that
 * the next step is @about (next.h), NULL: none.
 */
void
allot_states_print(FILE *out, const struct allot_doc_status *doc,
                   const char *target, const struct allot_next_about *about);

#endif /* ALLOT_STATES_H */
