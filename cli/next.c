/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * next.c - see next.h.
 *
 * The first of these that applies, so that the sentence is about what brings
 * most back, then about what is lost, then about what may come:
 *
 *   nothing is spread, the namespace is away; a brick is down, has not answered
 *   yet, came back empty, is none of this volume, is lost; a disk is sick;
 *   something is to be healed; bricks are full, are draining; settings are bad
 *
 * What the files have lost is the report's business (advice.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "next.h"

/* A brick: one of a set, or a plain one. */
struct allot_next_brick {
    const struct allot_doc_brick
        *set; /* whose brick it is; NULL: a plain one */
    const char *name, *host, *path, *state, *why;
};

/* Brick number @n of all, those of sets one by one; 0: there are not so many.
 */
static int
allot_next_brick(const struct allot_doc_status *doc, size_t n,
                 struct allot_next_brick *out)
{
    size_t i;

    for (i = 0; i < doc->brick_count; i++) {
        const struct allot_doc_brick *brick = &doc->bricks[i];
        size_t count = brick->leaf_count ? brick->leaf_count : 1;

        if (n >= count) {
            n -= count;
            continue;
        }
        if (brick->leaf_count) {
            const struct allot_doc_leaf *leaf = &brick->leaves[n];

            *out =
                (struct allot_next_brick){brick,      leaf->name,  leaf->host,
                                          leaf->path, leaf->state, leaf->why};
        } else {
            *out = (struct allot_next_brick){NULL,         brick->name,
                                             brick->host,  brick->path,
                                             brick->state, brick->why};
        }
        return 1;
    }
    return 0;
}

/* Which of the bricks in a state a sentence is about. */
typedef int (*allot_next_fn)(const struct allot_next_brick *brick);

/* Was this brick never a member: it is no loss. */
static int
allot_next_new(const struct allot_next_brick *brick)
{
    return strcmp(brick->why, "not registered yet") == 0;
}

/* A set of which no copy is left is lost as a plain brick is. */
static int
allot_next_emptied(const struct allot_next_brick *brick)
{
    return !allot_next_new(brick) &&
           (!brick->set || strcmp(brick->set->state, "blank") == 0);
}

static int
allot_next_emptied_copy(const struct allot_next_brick *brick)
{
    return !allot_next_new(brick) && !allot_next_emptied(brick);
}

/* Lost by the administrator's word: it is there, and can be taken back. */
static int
allot_next_declared(const struct allot_next_brick *brick)
{
    return brick->why[0] == '\0';
}

/* How many bricks are in @state and as @only says, NULL: all of these; @first:
 * the first of them. */
static size_t
allot_next_count(const struct allot_doc_status *doc, const char *state,
                 allot_next_fn only, struct allot_next_brick *first)
{
    struct allot_next_brick brick;
    size_t i, n = 0;

    for (i = 0; allot_next_brick(doc, i, &brick); i++)
        if (strcmp(brick.state, state) == 0 && (!only || only(&brick)) &&
            n++ == 0 && first)
            *first = brick;
    return n;
}

/* The bricks in @state: "brick c1", "bricks c1 and c2", "bricks c1, c2 and c3".
 */
static void
allot_next_names(FILE *out, const struct allot_doc_status *doc,
                 const char *state)
{
    size_t i, said = 0, n = allot_next_count(doc, state, NULL, NULL);
    struct allot_next_brick brick;

    fputs(n == 1 ? "brick " : "bricks ", out);
    for (i = 0; allot_next_brick(doc, i, &brick); i++) {
        if (strcmp(brick.state, state) != 0)
            continue;
        fprintf(out, "%s%s", allot_between(said, n), brick.name);
        if (n == 1 && brick.host[0] && brick.path[0])
            fprintf(out, " (%s:%s)", brick.host, brick.path);
        said++;
    }
}

static void
allot_next_start(FILE *out, const struct allot_doc_status *doc)
{
    size_t n = allot_next_count(doc, "down", NULL, NULL);

    fputs("start ", out);
    allot_next_names(out, doc, "down");
    if (doc->name[0])
        fprintf(out, " with 'gluster volume start %s force'", doc->name);
    if (strcmp(doc->state, "DEGRADED") == 0)
        fprintf(out, ": nothing is missing, %s heal%s then",
                n == 1 ? "it" : "they", n == 1 ? "s" : "");
    else
        fprintf(out, ": what is on %s returns with %s", n == 1 ? "it" : "them",
                n == 1 ? "it" : "them");
}

/* Something is missing, or may be soon. 1: said. */
static int
allot_next_missing(FILE *out, const struct allot_doc_status *doc,
                   const char *target, struct allot_next_about *about)
{
    struct allot_next_brick first;
    const char *name;

    if (allot_next_count(doc, "down", NULL, NULL)) {
        allot_next_start(out, doc);
        about->state = "down";
    } else if (allot_next_count(doc, "connecting", NULL, &first)) {
        fputs("wait for ", out);
        allot_next_names(out, doc, "connecting");
        fputs(" to answer; if it takes long look at the network", out);
        about->state = "connecting";
    } else if (allot_next_count(doc, "blank", allot_next_new, NULL)) {
        fputs("bring all bricks up at once, then they are registered", out);
    } else if (allot_next_count(doc, "blank", allot_next_emptied, &first)) {
        /* Of a set nothing is left to heal from: it is adopted as a whole. */
        name = first.set ? first.set->name : first.name;
        fprintf(out,
                "put %s old disk of %s %s back, or run 'allot brick adopt "
                "%s %s' and restore what 'allot report %s' names",
                first.set ? "an" : "the", first.set ? "set" : "brick", name,
                name, target, target);
        *about = (struct allot_next_about){"blank", name};
    } else if (allot_next_count(doc, "blank", allot_next_emptied_copy,
                                &first)) {
        fprintf(out, "run 'allot brick adopt %s %s', then set %s heals it",
                first.name, target, first.set->name);
        *about = (struct allot_next_about){"blank", first.name};
    } else if (allot_next_count(doc, "foreign", NULL, &first)) {
        fprintf(out,
                "look at brick %s, which %s, and start it as the brick of this "
                "volume with its guard",
                first.name, first.why[0] ? first.why : "is of another volume");
    } else if (allot_next_count(doc, "lost", allot_next_declared, &first)) {
        fprintf(out,
                "restore what 'allot report %s' names, or take brick %s back "
                "with 'allot brick set %s clear %s' if its disk is well",
                target, first.name, first.name, target);
        *about = (struct allot_next_about){"lost", first.name};
    } else {
        return 0;
    }
    return 1;
}

/* Nothing is missing. 1: said. */
static int
allot_next_may_come(FILE *out, const struct allot_doc_status *doc,
                    const char *target, struct allot_next_about *about)
{
    struct allot_next_brick first;
    size_t i, full = 0, usable = 0;

    for (i = 0; i < doc->brick_count; i++) {
        usable += (size_t)!allot_doc_brick_is_down(&doc->bricks[i]) &&
                  !allot_doc_brick_is_lost(&doc->bricks[i]);
        full += strcmp(doc->bricks[i].state, "full") == 0;
    }
    if (allot_next_count(doc, "failing", NULL, &first)) {
        fprintf(out,
                "look at the disk of brick %s, because %s: it is used again by "
                "itself when it works",
                first.name, first.why);
        *about = (struct allot_next_about){"failing", first.name};
        return 1;
    }
    for (i = 0; i < doc->brick_count; i++)
        if (doc->bricks[i].healing) {
            fprintf(out,
                    "wait until set %s has healed before another brick of it "
                    "stops",
                    doc->bricks[i].name);
            return 1;
        }
    if (full > 0 && full == usable) {
        fputs(
            "add bricks or remove files: all bricks are nearly full, writes "
            "end in ENOSPC soon",
            out);
        about->state = "full";
    } else if (full > 0 && allot_next_count(doc, "full", NULL, NULL)) {
        fputs("add bricks or remove files: ", out);
        allot_next_names(out, doc, "full");
        fprintf(out, " %s nearly full, new data goes elsewhere",
                full == 1 ? "is" : "are");
        about->state = "full";
    } else if (full > 0) {
        fputs("add bricks or remove files: a set is nearly full", out);
    } else if (allot_next_count(doc, "draining", NULL, &first)) {
        fprintf(out,
                "nothing, new data avoids brick %s until 'allot brick set %s "
                "clear %s'",
                first.name, first.name, target);
        *about = (struct allot_next_about){"draining", first.name};
    } else if (json_array_size(json_object_get(doc->root, "warnings"))) {
        fputs("correct the settings that the warnings name", out);
    } else if (allot_next_count(doc, "lost", NULL, NULL)) {
        fprintf(out, "restore the files that 'allot report %s' names, if any",
                target);
    } else {
        return 0;
    }
    return 1;
}

char *
allot_next_sentence(const struct allot_doc_status *doc, const char *target,
                    struct allot_next_about *about)
{
    struct allot_next_about said = {NULL, NULL};
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        return NULL;
    if (doc->inactive_because[0])
        fprintf(out, "correct the client's volfile, because %s",
                doc->inactive_because);
    else if (strcmp(doc->state, "DOWN") == 0 &&
             !allot_next_count(doc, "down", NULL, NULL))
        fputs(
            "look at this client's log and network: the bricks that hold names "
            "cannot be reached",
            out);
    else if (!allot_next_missing(out, doc, target, &said) &&
             !allot_next_may_come(out, doc, target, &said))
        fputs("nothing to do", out);
    if (about)
        *about = said;
    return allot_text_end(out, &text);
}
