/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-cli-states.c - what `allot status` and `allot report` tell an
 * administrator to do is what docs/admin.md says, word for word: the tables of
 * cli/states.c, and the clauses of cli/advice.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "document.h"
#include "states.h"
#include "tally.h"

#define CELL_MAX 512

/* ---- the page --------------------------------------------------------------
 */

static char *page;

static int
read_page(void **state)
{
    FILE *f = fopen(TEST_SRCDIR "/../../docs/admin.md", "r");
    size_t len = 0;

    (void)state;
    assert_non_null(f);
    assert_true(getdelim(&page, &len, '\0', f) > 0);
    fclose(f);
    return 0;
}

static int
free_page(void **state)
{
    (void)state;
    free(page);
    return 0;
}

/* The first row of the table whose head is "| @head | ...": the one behind its
 * line of dashes. */
static const char *
table_find(const char *head)
{
    char want[80];
    const char *at;
    int i;

    snprintf(want, sizeof(want), "\n| %s | ", head);
    at = strstr(page, want);
    for (i = 0; at && i < 2; i++)
        at = strchr(at + (i == 0), '\n') + 1;
    if (!at)
        fail_msg("no table of '%s'", head);
    return at;
}

/* A row's first and last cell, without backquotes. Returns the next row, NULL:
 * @at is none. */
static const char *
row_read(const char *at, char *first, char *last)
{
    const char *end = strchr(at, '\n');
    char *to = first;
    int cell = 0;

    if (at[0] != '|' || !end)
        return NULL;
    last[0] = first[0] = '\0';
    for (at += 2; at < end; at++) {
        if (strncmp(at, " |", 2) == 0) {
            *to = '\0';
            cell++;
            to = last;
            at++;
        } else if (*at != '`' && (*at != ' ' || to != (cell ? last : first))) {
            assert_true(to - (cell ? last : first) < CELL_MAX - 1);
            *to++ = *at;
        }
    }
    return end + 1;
}

static void
check_table(const char *head, const struct allot_state_row *table)
{
    char first[CELL_MAX], last[CELL_MAX];
    const char *at = table_find(head);

    for (; table->state; table++) {
        at = row_read(at, first, last);
        if (!at)
            fail_msg("the table of '%s' ends before %s", head, table->state);
        assert_string_equal(first, table->state);
        assert_string_equal(last, table->todo ? table->todo : "");
    }
    if (row_read(at, first, last))
        fail_msg("the table of '%s' has a state %s", head, first);
}

static void
test_tables(void **state)
{
    (void)state;
    check_table("brick", allot_states_brick);
    check_table("brick of a set", allot_states_leaf);
    check_table("volume", allot_states_volume);
}

/* ---- lines of the status ---------------------------------------------------
 */

#define LEAF(name, state) \
    "{\"name\":\"" name "\",\"state\":\"" state "\",\"arbiter\":false}"
#define BRICK_WITH(name, state, rest)                                    \
    "{\"index\":0,\"name\":\"" name "\",\"state\":\"" state              \
    "\",\"weight\":1,\"capacity_bytes\":9,\"used_bytes\":1,\"share\":1," \
    "\"deviation\":1" rest "}"
#define BRICK(name, state) BRICK_WITH(name, state, "")
#define SET(name, state, leaves) \
    BRICK_WITH(name, state, ",\"kind\":\"replicate\",\"leaves\":[" leaves "]")
#define VOLUME(state, bricks)           \
    "{\"version\":1,\"state\":\"" state \
    "\",\"max_over_mean\":1,\"bricks"   \
    "\":[" bricks "]}"

/* @without: leave out what the next step says. */
static void
check_text(const char *volume, const char *expect, int without)
{
    struct allot_next_about about;
    struct allot_doc_status doc;
    struct allot_doc_error err = {""};
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    if (allot_doc_status_parse(volume, strlen(volume), &doc, &err))
        fail_msg("%s: %s", err.text, volume);
    free(allot_next_sentence(&doc, "/mnt/v", &about));
    allot_states_print(out, &doc, "/mnt/v", without ? &about : NULL);
    allot_doc_status_clear(&doc);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, expect);
    free(text);
}

static void
check_lines(const char *volume, const char *expect)
{
    check_text(volume, expect, 0);
}

/* What the line "next:" says is not said before it. */
static void
test_said_once(void **state)
{
    (void)state;
    check_text(VOLUME("PARTIAL", BRICK("a", "down") "," BRICK(
                                     "b", "down") "," BRICK("c", "draining")),
               "to do, c is draining: allot brick set c clear /mnt/v gives it "
               "new data again\n",
               1);
    /* It names the first of these only. */
    check_text(VOLUME("PARTIAL", BRICK("a", "blank") "," BRICK("b", "blank")),
               "to do, b is blank: put the old disk back, or allot brick adopt "
               "b /mnt/v and restore the files that allot report /mnt/v "
               "names\n",
               1);
    check_text(VOLUME("UP", BRICK("a", "full") "," BRICK("b", "up")), "", 1);
    check_text(
        VOLUME("PARTIAL",
               SET("s", "blank", LEAF("x", "blank") "," LEAF("y", "blank"))),
        "", 1);
    check_text(
        VOLUME("DEGRADED",
               SET("s", "up", LEAF("x", "blank") "," LEAF("y", "failing"))),
        "to do, y is failing: look at its disk and its log; when the disk is "
        "well it is used again by itself\n",
        1);
    /* Of those that are full it names the plain bricks. */
    check_text(
        VOLUME("UP", BRICK("a", "full") "," BRICK("b", "up") "," SET(
                         "s", "full", LEAF("x", "up") "," LEAF("y", "up"))),
        "to do, a is full: add bricks, or remove files\n"
        "to do, s is full: add bricks, or remove files\n",
        1);
    /* There it does not say all. */
    check_text(VOLUME("PARTIAL", BRICK("a", "foreign")),
               "to do, a is foreign: the reason stands above: without a guard, "
               "start it again after the setting; with another identity, put "
               "the right disk in its place\n",
               1);
}

static void
test_lines(void **state)
{
    (void)state;
    check_lines(VOLUME("UP", BRICK("a", "up") "," BRICK("a", "lost")), "");
    check_lines(VOLUME("PARTIAL", BRICK("a", "up") "," BRICK("b", "down")),
                "to do, b is down: start it: gluster volume start VOLUME "
                "force\n");
    check_lines(
        "{\"version\":1,\"state\":\"PARTIAL\",\"volume_name\":\"shop\","
        "\"max_over_mean\":1,\"bricks\":[" BRICK("b", "down") "]}",
        "to do, b is down: start it: gluster volume start shop "
        "force\n");
    check_lines(
        VOLUME("PARTIAL", BRICK("b", "blank")),
        "to do, b is blank: put the old disk back, or allot brick adopt b "
        "/mnt/v and restore the files that allot report /mnt/v names\n");
    check_lines(VOLUME("UP", BRICK("b", "draining")),
                "to do, b is draining: allot brick set b clear /mnt/v gives "
                "it new data again\n");
    check_lines(
        VOLUME("DEGRADED",
               SET("s", "up", LEAF("x", "up") "," LEAF("y", "blank"))),
        "to do, y is blank: allot brick adopt y /mnt/v; the set heals it\n");
    /* A set that is down is its bricks' matter. */
    check_lines(
        VOLUME("PARTIAL",
               SET("s", "down", LEAF("x", "up") "," LEAF("y", "down"))),
        "to do, y is down: start it: gluster volume start VOLUME force; the "
        "set heals it\n");
    /* One of which nothing is left is not. */
    check_lines(
        VOLUME("PARTIAL",
               SET("s", "blank", LEAF("x", "blank") "," LEAF("y", "blank"))),
        "to do, s is blank: put the old disk back, or allot brick adopt s "
        "/mnt/v and restore the files that allot report /mnt/v names\n");
    /* An arbiter is left of it: its bricks are adopted one by one. */
    check_lines(
        VOLUME("PARTIAL",
               SET("s", "blank", LEAF("x", "blank") "," LEAF("y", "up"))),
        "to do, x is blank: put the old disk back, or allot brick adopt x "
        "/mnt/v and restore the files that allot report /mnt/v names\n");
    /* A snapshot's mount is no volume that gluster could start. */
    check_lines(
        "{\"version\":1,\"state\":\"PARTIAL\",\"volume_name\":"
        "\"snaps/s/shop\",\"max_over_mean\":1,\"bricks\":[" BRICK("b",
                                                                  "down") "]}",
        "to do, b is down: start it: gluster volume start VOLUME force\n");
}

/* ---- the report's sentence -------------------------------------------------
 */

#define CLAUSES_MAX 16

static struct {
    char text[CELL_MAX];
    int met;
} clauses[CLAUSES_MAX];
static int clause_count;

/* A clause of a sentence is in the table, with any names and numbers where the
 * table has "...". */
static int
clause_fits(const char *pattern, const char *clause)
{
    char part[CELL_MAX];
    const char *dots;
    size_t len;

    while (*pattern) {
        dots = strstr(pattern, "...");
        len = dots ? (size_t)(dots - pattern) : strlen(pattern);
        memcpy(part, pattern, len);
        part[len] = '\0';
        clause = strstr(clause, part);
        if (!clause)
            return 0;
        clause += len;
        pattern += len + (dots ? 3 : 0);
    }
    return 1;
}

static void
check_clause(const char *clause)
{
    int i;

    for (i = 0; i < clause_count; i++) {
        if (!clause_fits(clauses[i].text, clause))
            continue;
        clauses[i].met = 1;
        return;
    }
    fail_msg("docs/admin.md does not have: %s", clause);
}

static void
check_sentence(const struct allot_tally *tally)
{
    static const char volume[] =
        VOLUME("PARTIAL", BRICK("a", "down") "," BRICK("b", "up"));
    struct allot_doc_status doc;
    struct allot_doc_error err = {""};
    char *text, *clause, *rest = NULL;

    assert_int_equal(
        allot_doc_status_parse(volume, sizeof(volume) - 1, &doc, &err), 0);
    text = allot_tally_advice(tally, &doc);
    assert_non_null(text);
    for (clause = strtok_r(text, ";", &rest); clause;
         clause = strtok_r(NULL, ";", &rest))
        check_clause(clause);
    free(text);
    allot_doc_status_clear(&doc);
}

static void
test_sentences(void **state)
{
    struct allot_cure cure = {.index = 0, .waiting = 3, .alone = 1};
    char last[CELL_MAX];
    const char *at = table_find("the report ends with");
    int i;

    (void)state;
    clause_count = 0;
    while (clause_count < CLAUSES_MAX &&
           (at = row_read(at, clauses[clause_count].text, last)) != NULL) {
        if (!last[0])
            fail_msg("nothing to do for %s", clauses[clause_count].text);
        clauses[clause_count++].met = 0;
    }
    assert_in_range(clause_count, 1, CLAUSES_MAX - 1);

    /* Every kind of tally that there is: what is damaged and how often. */
    for (i = 0; i < 4 * 3 * 3 * 3 * 2; i++) {
        struct allot_tally tally = {.exact = i % 2};

        tally.files_total = (uint64_t)(i / 2 % 4);
        tally.curable = (uint64_t)(i / 8 % 3);
        tally.lost_files = (uint64_t)(i / 24 % 3);
        tally.unnamed_files = (uint64_t)(i / 72 % 3);
        tally.files_damaged =
            tally.curable > tally.lost_files ? tally.curable : tally.lost_files;
        tally.cures = &cure;
        tally.cure_count = tally.curable > 0;
        if (tally.files_total >= tally.files_damaged)
            check_sentence(&tally);
    }
    for (i = 0; i < clause_count; i++)
        if (!clauses[i].met)
            fail_msg("no report says: %s", clauses[i].text);
}

/* Such a comparison can fail. */
static void
test_can_fail(void **state)
{
    char first[CELL_MAX], last[CELL_MAX];

    (void)state;
    assert_non_null(row_read("| `a b` | c | to `do` it |\n", first, last));
    assert_string_equal(first, "a b");
    assert_string_equal(last, "to do it");
    assert_non_null(row_read("| `up` | c | |\n", first, last));
    assert_string_equal(last, "");
    assert_null(row_read("text\n", first, last));
    assert_true(clause_fits("bring ... back: ... whole",
                            "bring brick c2 back: 1 of 2 become whole"));
    assert_false(clause_fits("bring ... back", "bring brick c2 home"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),    cmocka_unit_test(test_lines),
        cmocka_unit_test(test_said_once), cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_can_fail),
    };

    return cmocka_run_group_tests(tests, read_page, free_page);
}
