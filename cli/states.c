/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * states.c - the tables, and the lines that `allot status` makes of them. What
 * to do about files is the report's to say (advice.c).
 */
#include <string.h>

#include "states.h"

#define TODO_CONNECTING "wait some seconds; if it stays so, as for down"
#define TODO_FOREIGN                                                      \
    "the reason stands above: without a guard, start it again after the " \
    "setting; with another identity, put the right disk in its place"

#define TODO_FAILING                                                           \
    "look at its disk and its log; when the disk is well it is used again by " \
    "itself"

const struct allot_state_row allot_states_brick[] = {
    {"up", NULL},
    {"full", "add bricks, or remove files"},
    {"draining", "allot brick set NAME clear TARGET gives it new data again"},
    {"failing", TODO_FAILING},
    {"connecting", TODO_CONNECTING},
    {"down", "start it: gluster volume start VOLUME force"},
    {"blank",
     "put the old disk back, or allot brick adopt NAME TARGET and restore the "
     "files that allot report TARGET names"},
    {"lost",
     "restore the files that allot report TARGET names; if it is there after "
     "all, allot brick set NAME clear TARGET"},
    {"foreign", TODO_FOREIGN},
    {NULL, NULL},
};

const struct allot_state_row allot_states_leaf[] = {
    {"up", NULL},
    {"failing", TODO_FAILING},
    {"connecting", TODO_CONNECTING},
    {"down", "start it: gluster volume start VOLUME force; the set heals it"},
    {"blank", "allot brick adopt NAME TARGET; the set heals it"},
    {"foreign", TODO_FOREIGN},
    {NULL, NULL},
};

const struct allot_state_row allot_states_volume[] = {
    {"UP", NULL},
    {"DEGRADED", "mend that before more fails"},
    {"PARTIAL", "allot report TARGET says which files it touches"},
    {"DOWN", "bring back the bricks that hold names"},
    {NULL, NULL},
};

const char *
allot_state_todo(const struct allot_state_row *table, const char *state)
{
    for (; table->state; table++)
        if (strcmp(table->state, state) == 0)
            return table->todo;
    return NULL;
}

void
allot_state_print(FILE *out, const char *todo, const char *name,
                  const char *target, const struct allot_doc_status *doc)
{
    while (*todo) {
        if (name && strncmp(todo, "NAME", 4) == 0) {
            fputs(name, out);
            todo += 4;
        } else if (strncmp(todo, "TARGET", 6) == 0) {
            fputs(target, out);
            todo += 6;
        } else if (allot_doc_is_gluster_volume(doc) &&
                   strncmp(todo, "VOLUME", 6) == 0) {
            fputs(doc->name, out);
            todo += 6;
        } else {
            fputc(*todo++, out);
        }
    }
}

/* What all lines have in common. */
struct allot_states_lines {
    FILE *out;
    const struct allot_doc_status *doc;
    const char *target;
    const struct allot_next_about *about;
};

static void
allot_states_line(const struct allot_states_lines *l,
                  const struct allot_state_row *table, const char *name,
                  const char *state)
{
    const struct allot_next_about *about = l->about;
    const char *todo = allot_state_todo(table, state);

    if (!todo)
        return;
    if (about && about->state && strcmp(about->state, state) == 0 &&
        (!about->name || strcmp(about->name, name) == 0))
        return;
    fprintf(l->out, "to do, %s is %s: ", name, state);
    allot_state_print(l->out, todo, name, l->target, l->doc);
    fputc('\n', l->out);
}

void
allot_states_print(FILE *out, const struct allot_doc_status *doc,
                   const char *target, const struct allot_next_about *about)
{
    const struct allot_states_lines lines = {out, doc, target, about};
    const struct allot_doc_brick *b;
    size_t i, k;
    int whole, part;

    for (i = 0; i < doc->brick_count; i++) {
        b = &doc->bricks[i];
        if (strcmp(b->state, "lost") == 0 && strcmp(doc->state, "UP") == 0)
            continue;
        /* A set that does not serve is mended by its bricks, unless none of
         * them has what it held: then there is nothing to heal them from. */
        whole = b->leaf_count && allot_doc_set_is_blank(b);
        part = b->leaf_count && strcmp(b->state, "blank") == 0 && !whole;
        if (!b->leaf_count || (!part && strcmp(b->state, "down") != 0 &&
                               strcmp(b->state, "connecting") != 0 &&
                               strcmp(b->state, "foreign") != 0))
            allot_states_line(&lines, allot_states_brick, b->name, b->state);
        for (k = 0; k < b->leaf_count && !whole; k++)
            allot_states_line(&lines,
                              part && strcmp(b->leaves[k].state, "blank") == 0
                                  ? allot_states_brick
                                  : allot_states_leaf,
                              b->leaves[k].name, b->leaves[k].state);
    }
}
