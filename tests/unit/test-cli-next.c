/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-cli-next.c - the sentence of `allot status` that says what to do next
 * (cli/next.c): one for every state of a brick, and which of several comes
 * first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "next.h"

#define PLAIN(n, state, why)            \
    "{\"index\":" #n ",\"name\":\"c" #n \
    "\",\"host\":\"h\",\"path\":"       \
    "\"/b" #n "\",\"state\":\"" state "\",\"why\":" why "}"
#define LEAF(n, state)                                      \
    "{\"name\":\"c" #n "\",\"host\":\"h\",\"path\":\"/b" #n \
    "\",\"state\":\"" state "\",\"why\":\"its device is gone\"}"
#define SET_WHY(state, why, healing, s0, s1, s2)                     \
    "{\"index\":0,\"name\":\"s0\",\"state\":\"" state                \
    "\",\"kind\":\"replicate\",\"healing\":" healing ",\"why\":" why \
    ",\"leaves\":[" LEAF(0, s0) "," LEAF(1, s1) "," LEAF(2, s2) "]}"
#define SET(state, healing, s0, s1, s2) \
    SET_WHY(state, "null", healing, s0, s1, s2)
#define WELL(state, why) SET_WHY(state, why, "false", "up", "up", "up")
#define VOLUME(state, more, bricks) \
    "{\"version\":1,\"state\":\"" state "\"," more "\"bricks\":[" bricks "]}"

static const struct {
    const char *volume;
    const char *sentence;
} cases[] = {
    {VOLUME("UP", "", PLAIN(0, "up", "null")), "nothing to do"},
    {VOLUME("PARTIAL", "", PLAIN(0, "up", "null") "," PLAIN(1, "down", "null")),
     "start brick c1 (h:/b1): what is on it returns with it"},
    {VOLUME("PARTIAL", "",
            PLAIN(0, "down", "null") "," PLAIN(1, "down", "null") "," PLAIN(
                2, "down", "null")),
     "start bricks c0, c1 and c2: what is on them returns with them"},
    {VOLUME("PARTIAL", "\"volume_name\":\"shop\",", PLAIN(1, "down", "null")),
     "start brick c1 (h:/b1) with 'gluster volume start shop force': what is "
     "on "
     "it returns with it"},
    {VOLUME("DOWN", "", PLAIN(0, "up", "null") "," PLAIN(1, "down", "null")),
     "start brick c1 (h:/b1): what is on it returns with it"},
    {VOLUME("DOWN", "", PLAIN(0, "up", "null")),
     "look at this client's log and network: the bricks that hold names cannot "
     "be reached"},
    {VOLUME("PARTIAL", "", PLAIN(0, "connecting", "null")),
     "wait for brick c0 (h:/b0) to answer; if it takes long look at the "
     "network"},
    /* What is down comes first, whatever else there is. */
    {VOLUME("PARTIAL", "",
            PLAIN(0, "failing", "\"w\"") "," PLAIN(
                1, "blank", "\"w\"") "," PLAIN(2, "down", "null")),
     "start brick c2 (h:/b2): what is on it returns with it"},
    {VOLUME("PARTIAL", "",
            PLAIN(0, "failing", "\"w\"") "," PLAIN(
                1, "blank", "\"came back without its identity\"")),
     "put the old disk of brick c1 back, or run 'allot brick adopt c1 /mnt' "
     "and "
     "restore what 'allot report /mnt' names"},
    {VOLUME("PARTIAL", "", PLAIN(0, "blank", "\"not registered yet\"")),
     "bring all bricks up at once, then they are registered"},
    {VOLUME("PARTIAL", "", PLAIN(0, "foreign", "\"has no guard\"")),
     "look at brick c0, which has no guard, and start it as the brick of this "
     "volume with its guard"},
    {VOLUME("PARTIAL", "", PLAIN(0, "lost", "null")),
     "restore what 'allot report /mnt' names, or take brick c0 back with "
     "'allot "
     "brick set c0 clear /mnt' if its disk is well"},
    /* A former member: there is nothing to take back. */
    {VOLUME("UP", "", PLAIN(0, "lost", "\"no subvolume\"")),
     "restore the files that 'allot report /mnt' names, if any"},
    {VOLUME("DEGRADED", "", PLAIN(0, "failing", "\"its calls end in EIO\"")),
     "look at the disk of brick c0, because its calls end in EIO: it is used "
     "again by itself when it works"},
    {VOLUME("UP", "", PLAIN(0, "full", "null") "," PLAIN(1, "up", "null")),
     "add bricks or remove files: brick c0 (h:/b0) is nearly full, new data "
     "goes elsewhere"},
    {VOLUME("UP", "", PLAIN(0, "full", "null") "," PLAIN(1, "full", "null")),
     "add bricks or remove files: all bricks are nearly full, writes end in "
     "ENOSPC soon"},
    {VOLUME("UP", "", PLAIN(0, "draining", "null")),
     "nothing, new data avoids brick c0 until 'allot brick set c0 clear /mnt'"},
    {VOLUME("UP", "\"warnings\":[\"x\"],", PLAIN(0, "up", "null")),
     "correct the settings that the warnings name"},
    {VOLUME("UP", "\"inactive_because\":\"the kind differs\",",
            PLAIN(0, "up", "null")),
     "correct the client's volfile, because the kind differs"},
    /* Sets: one of their bricks is no loss. */
    {VOLUME("UP", "", SET("up", "false", "up", "up", "up")), "nothing to do"},
    {VOLUME("DEGRADED", "", SET("up", "true", "up", "down", "up")),
     "start brick c1 (h:/b1): nothing is missing, it heals then"},
    {VOLUME("DEGRADED", "", SET("up", "true", "up", "blank", "up")),
     "run 'allot brick adopt c1 /mnt', then set s0 heals it"},
    {VOLUME("PARTIAL", "", SET("blank", "null", "blank", "blank", "blank")),
     "put an old disk of set s0 back, or run 'allot brick adopt s0 /mnt' and "
     "restore what 'allot report /mnt' names"},
    {VOLUME("DEGRADED", "", SET("up", "true", "up", "up", "failing")),
     "look at the disk of brick c2, because its device is gone: it is used "
     "again by itself when it works"},
    {VOLUME("UP", "", SET("up", "true", "up", "up", "up")),
     "wait until set s0 has healed before another brick of it stops"},
    /* Both bricks with data came back empty, the arbiter did not: the set is
     * not adopted as a whole. */
    {VOLUME("PARTIAL", "", SET("blank", "null", "blank", "blank", "up")),
     "put the old disk of brick c0 back, or run 'allot brick adopt c0 /mnt' "
     "and "
     "restore what 'allot report /mnt' names"},
    /* What is said of a set, and of none of its bricks. */
    {VOLUME("DEGRADED", "", WELL("failing", "\"its calls end in EIO\"")),
     "look at the disks of set s0, because its calls end in EIO: it is used "
     "again by itself when they work"},
    {VOLUME("PARTIAL", "", WELL("lost", "null")),
     "restore what 'allot report /mnt' names, or take set s0 back with 'allot "
     "brick set s0 clear /mnt' if its disks are well"},
    {VOLUME("UP", "", WELL("draining", "null")),
     "nothing, new data avoids set s0 until 'allot brick set s0 clear /mnt'"},
    {VOLUME("UP", "", WELL("full", "null") "," PLAIN(3, "up", "null")),
     "add bricks or remove files: set s0 is nearly full, new data goes "
     "elsewhere"},
    {VOLUME("PARTIAL", "", WELL("foreign", "\"has another number\"")),
     "look at the bricks of set s0, because it is foreign: has another number"},
    {VOLUME("PARTIAL", "", WELL("down", "null")),
     "look at the bricks of set s0, because it is down"},
    /* One of its bricks says more. */
    {VOLUME(
         "PARTIAL", "",
         SET_WHY("failing", "\"too few\"", "null", "up", "failing", "failing")),
     "look at the disk of brick c1, because its device is gone: it is used "
     "again by itself when it works"},
    {VOLUME("UP", "",
            PLAIN(3, "full", "null") "," WELL("full", "null") "," PLAIN(
                4, "up", "null")),
     "add bricks or remove files: brick c3 (h:/b3) is nearly full, new data "
     "goes elsewhere"},
    /* A snapshot's mount: gluster has no volume of that name to start. */
    {VOLUME("PARTIAL", "\"volume_name\":\"snaps/s/shop\",",
            PLAIN(1, "down", "null")),
     "start brick c1 (h:/b1): what is on it returns with it"},
};

static void
test_sentences(void **state)
{
    struct allot_doc_status doc;
    struct allot_doc_error err;
    char *text;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (allot_doc_status_parse(cases[i].volume, strlen(cases[i].volume),
                                   &doc, &err))
            fail_msg("%s: %s", err.text, cases[i].volume);
        text = allot_next_sentence(&doc, "/mnt", NULL);
        assert_non_null(text);
        assert_string_equal(text, cases[i].sentence);
        free(text);
        allot_doc_status_clear(&doc);
    }
}

static void
check_state(const char *json)
{
    struct allot_doc_status doc;
    struct allot_doc_error err;
    char *text;

    if (allot_doc_status_parse(json, strlen(json), &doc, &err))
        fail_msg("%s: %s", err.text, json);
    text = allot_next_sentence(&doc, "/mnt", NULL);
    assert_non_null(text);
    if (strcmp(text, "nothing to do") == 0)
        fail_msg("nothing to do: %s", json);
    assert_int_not_equal(text[0], '\0');
    assert_int_not_equal(text[strlen(text) - 1], '.');
    free(text);
    allot_doc_status_clear(&doc);
}

/* Every state that a brick or a set can have leads to something other than
 * "nothing to do", but up; no sentence is empty or ends in a full stop. */
static void
test_every_state(void **state)
{
    static const char *const states[] = {"down", "connecting", "blank",
                                         "lost", "foreign",    "failing",
                                         "full", "draining"};
    char json[1024];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        snprintf(json, sizeof(json),
                 VOLUME("PARTIAL", "",
                        "{\"index\":0,\"name\":\"c0\",\"state\":\"%s\"}"),
                 states[i]);
        check_state(json);
        snprintf(json, sizeof(json),
                 VOLUME("PARTIAL", "",
                        WELL("%s", "null") "," PLAIN(3, "up", "null")),
                 states[i]);
        check_state(json);
    }
}

/* Whom the sentence is about needs no line of its own; others do. */
static void
test_about(void **state)
{
    static const struct {
        const char *volume, *state, *name;
    } about[] = {
        {VOLUME("UP", "", PLAIN(3, "full", "null") "," PLAIN(4, "up", "null")),
         "full", NULL},
        {VOLUME("UP", "",
                PLAIN(3, "full", "null") "," WELL("full", "null") "," PLAIN(
                    4, "up", "null")),
         NULL, NULL},
        {VOLUME("UP", "", WELL("full", "null") "," PLAIN(4, "up", "null")),
         "full", "s0"},
        {VOLUME("UP", "", WELL("draining", "null")), "draining", "s0"},
        {VOLUME("PARTIAL", "", SET("blank", "null", "blank", "blank", "up")),
         "blank", "c0"},
    };
    struct allot_next_about said;
    struct allot_doc_status doc;
    struct allot_doc_error err;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(about) / sizeof(about[0]); i++) {
        assert_int_equal(
            allot_doc_status_parse(about[i].volume, strlen(about[i].volume),
                                   &doc, &err),
            0);
        free(allot_next_sentence(&doc, "/mnt", &said));
        assert_int_equal(said.state != NULL, about[i].state != NULL);
        assert_int_equal(said.name != NULL, about[i].name != NULL);
        if (said.state)
            assert_string_equal(said.state, about[i].state);
        if (said.name)
            assert_string_equal(said.name, about[i].name);
        allot_doc_status_clear(&doc);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_every_state),
        cmocka_unit_test(test_about),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
