/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-cli-steady.c - which changes of bricks make a report inexact, and what
 * it says of bricks that are failing (cli/steady.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "steady.h"

/* A volume of one brick. */
struct how {
    const char *client;
    int index; /* -1: null */
    const char *state;
    int turns;
    int gone; /* a member that the graph has no subvolume for */
};

static void
parse(const struct how *how, const char *more, struct allot_doc_status *doc)
{
    struct allot_doc_error err = {""};
    char index[16], text[400];

    snprintf(index, sizeof(index), how->index < 0 ? "null" : "%d", how->index);
    snprintf(
        text, sizeof(text),
        "{\"version\":1,\"state\":\"UP\",\"client\":\"%s\",\"bricks\":[{"
        "\"index\":%s,\"name\":\"c0\",\"state\":\"%s\",\"turns\":%d%s%s}]}",
        how->client, index, how->state, how->turns,
        how->gone ? "" : ",\"kind\":\"brick\"", more);
    if (allot_doc_status_parse(text, strlen(text), doc, &err))
        fail_msg("%s: %s", err.text, text);
}

/* The only reason, or "" if the tally is exact; ends the tally. */
static char *
reason_of(struct allot_tally *tally)
{
    json_t *reasons = allot_tally_reasons(tally);
    char *text;

    assert_true(json_array_size(reasons) <= 1);
    assert_int_equal(tally->exact, json_array_size(reasons) == 0);
    text = strdup(tally->exact ? ""
                               : json_string_value(json_array_get(reasons, 0)));
    json_decref(reasons);
    allot_tally_end(tally);
    return text;
}

#define SET_ANEW                                                         \
    "the client was set anew during the scan: whether a brick was away " \
    "meanwhile is not known"

static void
test_compare(void **state)
{
    static const struct {
        struct how before, now;
        const char *scanned, *between; /* what is said */
    } cases[] = {
        {{"a", 0, "up", 1, 0}, {"a", 0, "up", 1, 0}, "", ""},
        /* Full, and draining, count as up. */
        {{"a", 0, "up", 1, 0}, {"a", 0, "draining", 1, 0}, "", ""},
        {{"a", 0, "down", 1, 0}, {"a", 0, "connecting", 1, 0}, "", ""},
        {{"a", 0, "up", 1, 0},
         {"a", 0, "down", 2, 0},
         "brick c0 went from up to down during the scan",
         "brick c0 went from up to down during the scan"},
        {{"a", 0, "up", 1, 0},
         {"a", 0, "up", 3, 0},
         "brick c0 was not up all the time during the scan",
         "brick c0 was not up all the time during the scan"},
        {{"a", 0, "down", 2, 0},
         {"a", 0, "down", 4, 0},
         "brick c0 was not down all the time during the scan",
         "brick c0 was not down all the time during the scan"},
        {{"a", 0, "up", 1, 0},
         {"a", 0, "foreign", 2, 0},
         "brick c0 went from up to foreign during the scan",
         "brick c0 went from up to foreign during the scan"},
        {{"a", 0, "failing", 2, 0},
         {"a", 0, "down", 3, 0},
         "brick c0 went from failing to down during the scan",
         "brick c0 went from failing to down during the scan"},
        {{"a", 0, "up", 1, 0},
         {"a", 1, "up", 1, 0},
         "brick c0 went from up to not a member during the scan",
         "brick c0 went from up to not a member during the scan"},
        /* What was no member had no blocks. */
        {{"a", -1, "foreign", 1, 0}, {"a", 0, "up", 2, 0}, "", ""},
        /* Nobody counts for one that has no subvolume. */
        {{"a", 0, "lost", 3, 0}, {"a", 0, "lost", 0, 1}, "", ""},
        {{"a", 0, "lost", 0, 1}, {"a", 0, "lost", 2, 0}, "", ""},
        /* Another client's counts say nothing. */
        {{"a", 0, "up", 1, 0}, {"b", 0, "up", 7, 0}, SET_ANEW, ""},
        {{"a", 0, "up", 1, 0}, {"b", 0, "up", 1, 0}, SET_ANEW, ""},
    };
    struct allot_doc_status before, now;
    struct allot_tally tally;
    char *text;
    size_t i;
    int scanned;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        parse(&cases[i].before, "", &before);
        parse(&cases[i].now, "", &now);
        for (scanned = 0; scanned < 2; scanned++) {
            allot_tally_begin(&tally);
            assert_int_equal(
                allot_steady_compare(&tally, &before, &now, scanned), 0);
            text = reason_of(&tally);
            assert_string_equal(text,
                                scanned ? cases[i].scanned : cases[i].between);
            free(text);
        }
        allot_doc_status_clear(&before);
        allot_doc_status_clear(&now);
    }
}

#define UNREAD_HEALS                                              \
    "bricks of c0 are failing that have what is not healed yet: " \
    "whether it can be read was not tried"
#define UNREAD                                                        \
    "brick c0 is failing: whether what it holds can be read was not " \
    "tried"

static void
test_failing(void **state)
{
    static const struct {
        const char *state;
        const char *more;
        uint32_t holder; /* which brick has blocks of the files */
        const char *text;
    } cases[] = {
        {"failing", ",\"may_be_unreadable\":true", 3, UNREAD},
        {"failing", ",\"may_be_unreadable\":false", 3, ""},
        /* A set that goes on without them. */
        {"up", ",\"may_be_unreadable\":true", 3, UNREAD_HEALS},
        /* None of the files has to do with it. */
        {"failing", ",\"may_be_unreadable\":true", 2, ""},
        {"failing",
         ",\"may_be_unreadable\":true,\"shared_with_namespace\":true", 2,
         UNREAD},
    };
    struct allot_doc_status now;
    struct allot_tally tally;
    char *text;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct how how = {"a", 3, cases[i].state, 1, 0};

        parse(&how, cases[i].more, &now);
        allot_tally_begin(&tally);
        tally.bricks = calloc(1, sizeof(*tally.bricks));
        assert_non_null(tally.bricks);
        tally.bricks[0].index = cases[i].holder;
        tally.brick_count = 1;
        assert_int_equal(allot_steady_failing(&tally, &now), 0);
        text = reason_of(&tally);
        assert_string_equal(text, cases[i].text);
        free(text);
        allot_doc_status_clear(&now);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_failing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
