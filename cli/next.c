/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * next.c - see next.h.
 *
 * The first of these that applies, so that the sentence is about what brings
 * most back, then about what is lost, then about what may come:
 *
 *   nothing is spread, the namespace is away
 *   a brick is down, has not answered yet, came back empty, is none of this
 *   volume, is lost
 *   a disk is sick, a set does not serve, something is to be healed
 *   bricks are full, are draining; settings are bad
 *
 * A set is spoken of where none of its bricks says more.
 *
 * What the files have lost is the report's business (advice.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "next.h"

/* A brick: one of a set, or a plain one; or a set as a whole. */
struct allot_next_brick {
    const struct allot_doc_brick
        *set;  /* whose brick it is, or which set; NULL: a plain one */
    int whole; /* a set */
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

            *out = (struct allot_next_brick){
                brick,      0,           leaf->name, leaf->host,
                leaf->path, leaf->state, leaf->why};
        } else {
            *out = (struct allot_next_brick){
                NULL,         0,         brick->name, brick->host, brick->path,
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

/* How many sets are in @state, whatever their bricks say; @first: the first of
 * them. */
static size_t
allot_next_sets(const struct allot_doc_status *doc, const char *state,
                struct allot_next_brick *first)
{
    size_t i, n = 0;

    for (i = 0; i < doc->brick_count; i++) {
        const struct allot_doc_brick *set = &doc->bricks[i];

        if (!set->leaf_count || strcmp(set->state, state) != 0)
            continue;
        if (n++ == 0)
            *first = (struct allot_next_brick){set, 1,          set->name, "",
                                               "",  set->state, set->why};
    }
    return n;
}

/* The first brick in @state, or else the first set. 0: none is. */
static int
allot_next_find(const struct allot_doc_status *doc, const char *state,
                allot_next_fn only, struct allot_next_brick *first)
{
    return allot_next_count(doc, state, only, first) ||
           (allot_next_sets(doc, state, first) && (!only || only(first)));
}

static const char *
allot_next_kind(const struct allot_next_brick *brick)
{
    return brick->whole ? "set" : "brick";
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
    if (allot_doc_is_gluster_volume(doc))
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
    int whole;

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
        /* Of a set nothing is left to heal from: it is adopted as a whole,
         * unless one of its bricks is left, an arbiter. */
        whole = first.set && allot_doc_set_is_blank(first.set);
        name = whole ? first.set->name : first.name;
        fprintf(out,
                "put %s old disk of %s %s back, or run 'allot brick adopt "
                "%s %s' and restore what 'allot report %s' names",
                whole ? "an" : "the", whole ? "set" : "brick", name, name,
                target, target);
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
    } else if (allot_next_find(doc, "lost", allot_next_declared, &first)) {
        fprintf(out,
                "restore what 'allot report %s' names, or take %s %s back "
                "with 'allot brick set %s clear %s' if its %s well",
                target, allot_next_kind(&first), first.name, first.name, target,
                first.whole ? "disks are" : "disk is");
        *about = (struct allot_next_about){"lost", first.name};
    } else {
        return 0;
    }
    return 1;
}

/* A disk is sick, a set does not serve though nothing is known of its bricks,
 * or has to heal. 1: said. */
static int
allot_next_sick(FILE *out, const struct allot_doc_status *doc,
                struct allot_next_about *about)
{
    static const char *const states[] = {"down", "connecting", "blank",
                                         "foreign"};
    struct allot_next_brick first;
    size_t i;

    if (allot_next_find(doc, "failing", NULL, &first)) {
        fprintf(out,
                "look at the disk%s of %s %s, because %s: it is used again by "
                "itself when %s",
                first.whole ? "s" : "", allot_next_kind(&first), first.name,
                first.why, first.whole ? "they work" : "it works");
        *about = (struct allot_next_about){"failing", first.name};
        return 1;
    }
    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (allot_next_sets(doc, states[i], &first)) {
            fprintf(out, "look at the bricks of set %s, because it is %s%s%s",
                    first.name, states[i], first.why[0] ? ": " : "", first.why);
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
    return 0;
}

/* 1: said. */
static int
allot_next_full(FILE *out, const struct allot_doc_status *doc,
                struct allot_next_about *about)
{
    struct allot_next_brick first;
    size_t i, usable = 0, bricks = allot_next_count(doc, "full", NULL, NULL);
    size_t sets = allot_next_sets(doc, "full", &first);

    for (i = 0; i < doc->brick_count; i++)
        usable += (size_t)!allot_doc_brick_is_down(&doc->bricks[i]) &&
                  !allot_doc_brick_is_lost(&doc->bricks[i]);
    if (bricks + sets == 0)
        return 0;
    fputs("add bricks or remove files: ", out);
    if (bricks + sets == usable) {
        fputs("all bricks are nearly full, writes end in ENOSPC soon", out);
        about->state = "full";
        return 1;
    }
    if (bricks)
        allot_next_names(out, doc, "full");
    else
        fprintf(out, "set %s", first.name);
    fprintf(out, " %s nearly full, new data goes elsewhere",
            bricks > 1 ? "are" : "is");
    /* The other ones have lines of their own. */
    if (!bricks)
        *about = (struct allot_next_about){"full", first.name};
    else if (!sets)
        about->state = "full";
    return 1;
}

/* Nothing is missing. 1: said. */
static int
allot_next_may_come(FILE *out, const struct allot_doc_status *doc,
                    const char *target, struct allot_next_about *about)
{
    struct allot_next_brick first;

    if (allot_next_sick(out, doc, about) || allot_next_full(out, doc, about))
        return 1;
    if (allot_next_find(doc, "draining", NULL, &first)) {
        fprintf(out,
                "nothing, new data avoids %s %s until 'allot brick set %s "
                "clear %s'",
                allot_next_kind(&first), first.name, first.name, target);
        *about = (struct allot_next_about){"draining", first.name};
    } else if (json_array_size(json_object_get(doc->root, "warnings"))) {
        fputs("correct the settings that the warnings name", out);
    } else if (allot_next_find(doc, "lost", NULL, &first)) {
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
