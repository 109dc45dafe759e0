/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-cli-document.c - the command's parsers and its counting: documents as
 * the mount writes them in, counts, ranges and the sentence of advice out
 * (cli/document.c, cli/tally.c, cli/advice.c).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "document.h"
#include "tally.h"

/* Four equal bricks, 4 KiB blocks, no inline part, 10 blocks and 100 bytes:
 *
 *   block  0   1   2   3   4   5   6   7   8   9   10 (100 bytes)
 *   brick  0   1   2   3   0   1   2   3   0   1   2
 */
#define FILE_HEAD                                                       \
    "{\"version\":1,\"gfid\":\"00112233-4455-6677-8899-aabbccddeeff\"," \
    "\"size\":41060,\"exact\":true,\"inexact_because\":[],"             \
    "\"spread\":true,\"inline_limit\":0,\"base\":\"ok\","
#define FILE_EXTENTS                         \
    "\"extents\":[{\"start\":0,\"phase\":0," \
    "\"block_shift\":12,\"members\":[[0,1],[1,1],[2,1],[3,1]]}],"
#define MEMBER(i, fail)                  \
    "{\"index\":" #i ",\"fail\":\"" fail \
    "\","                                \
    "\"hole_blocks\":0,\"hole_bytes\":0}"
#define FILE_WITH(f0, f1, f2, f3)                                    \
    FILE_HEAD FILE_EXTENTS "\"members\":[" MEMBER(0, f0) "," MEMBER( \
        1, f1) "," MEMBER(2, f2) "," MEMBER(3, f3) "]}"

#define BRICK(i, state)                                         \
    "{\"index\":" #i ",\"name\":\"c" #i                         \
    "\",\"host\":\"h\","                                        \
    "\"path\":\"/b" #i "\",\"state\":\"" state                  \
    "\","                                                       \
    "\"since\":\"2024-01-01T00:00:00Z\",\"weight\":1,"          \
    "\"capacity_bytes\":1000,\"used_bytes\":10,\"share\":0.25," \
    "\"deviation\":1.0}"
#define STATUS_WITH(state, s0, s1, s2, s3)                              \
    "{\"version\":1,\"state\":\"" state                                 \
    "\",\"max_over_mean\":1.0,"                                         \
    "\"incomplete_listing\":false,\"bricks\":[" BRICK(0, s0) "," BRICK( \
        1, s1) "," BRICK(2, s2) "," BRICK(3, s3) "]}"

static void
parse_file(const char *text, struct allot_doc_file *doc)
{
    struct allot_doc_error err = {""};
    int ret = allot_doc_file_parse(text, strlen(text), 1, doc, &err);

    if (ret)
        fail_msg("%s: %s", err.text, text);
}

static void
parse_status(const char *text, struct allot_doc_status *doc)
{
    struct allot_doc_error err = {""};
    int ret = allot_doc_status_parse(text, strlen(text), doc, &err);

    if (ret)
        fail_msg("%s: %s", err.text, text);
}

static void
test_status(void **state)
{
    struct allot_doc_status doc;
    const struct allot_doc_brick *brick;

    (void)state;
    parse_status(STATUS_WITH("PARTIAL", "up", "down", "blank", "failing"),
                 &doc);
    assert_string_equal(doc.state, "PARTIAL");
    assert_int_equal(doc.brick_count, 4);
    brick = allot_doc_status_brick(&doc, 1);
    assert_string_equal(brick->name, "c1");
    assert_int_equal(brick->capacity_bytes, 1000);
    assert_int_equal(brick->used_bytes, 10);
    assert_true(allot_doc_brick_is_down(brick));
    assert_false(allot_doc_brick_is_lost(brick));
    brick = allot_doc_status_brick(&doc, 2);
    assert_false(allot_doc_brick_is_down(brick));
    assert_true(allot_doc_brick_is_lost(brick));
    assert_true(allot_doc_brick_is_down(allot_doc_status_brick(&doc, 3)));
    assert_null(allot_doc_status_brick(&doc, 4));
    assert_null(allot_doc_status_brick(&doc, ALLOT_DOC_NO_INDEX));
    allot_doc_status_clear(&doc);

    /* A brick that never answered and is in no registry. */
    parse_status(
        "{\"version\":1,\"state\":\"UP\",\"bricks\":[{\"index\":null,"
        "\"name\":\"x\",\"state\":\"connecting\",\"host\":null,"
        "\"capacity_bytes\":null}],\"more\":{}}",
        &doc);
    assert_int_equal(doc.bricks[0].index, ALLOT_DOC_NO_INDEX);
    assert_string_equal(doc.bricks[0].host, "");
    assert_false(doc.bricks[0].measured);
    allot_doc_status_clear(&doc);
}

static void
test_refused(void **state)
{
    static const struct {
        const char *text;
        int ret;
    } cases[] = {
        {"", -EBADMSG},
        {"[]", -EBADMSG},
        {"{}", -EBADMSG},
        {"{\"version\":2}", -EPROTONOSUPPORT},
        {"{\"version\":1}", -EBADMSG},
        {"{\"version\":1,\"state\":\"SIDEWAYS\",\"bricks\":[]}", -EBADMSG},
        {"{\"version\":1,\"state\":\"UP\"}", -EBADMSG},
        {"{\"version\":1,\"state\":\"UP\",\"bricks\":[1]}", -EBADMSG},
    };
    static const char *const files[] = {
        FILE_HEAD "\"extents\":[]}",
        FILE_HEAD "\"x\":0}",
        FILE_HEAD
        "\"extents\":[{\"start\":0,\"phase\":0,\"block_shift\":9,"
        "\"members\":[[0,1]]}]}",
        FILE_HEAD
        "\"extents\":[{\"start\":0,\"phase\":0,\"block_shift\":12,"
        "\"members\":[[0,0]]}]}",
        FILE_HEAD
        "\"extents\":[{\"start\":0,\"phase\":0,\"block_shift\":12,"
        "\"members\":[[0,1],[0,1]]}]}",
        FILE_HEAD
        "\"extents\":[{\"start\":4096,\"phase\":0,"
        "\"block_shift\":12,\"members\":[[0,1]]}]}",
        FILE_HEAD
        "\"extents\":[{\"start\":0,\"phase\":1,\"block_shift\":12,"
        "\"members\":[[0,1]]}]}",
        FILE_WITH("ok", "ok", "ok", "asleep"),
    };
    struct allot_doc_error err;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct allot_doc_status doc;
        int ret = allot_doc_status_parse(cases[i].text, strlen(cases[i].text),
                                         &doc, &err);

        allot_doc_status_clear(&doc);
        assert_int_equal(ret, cases[i].ret);
        assert_true(err.text[0] != '\0');
    }
    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct allot_doc_file doc;
        int ret =
            allot_doc_file_parse(files[i], strlen(files[i]), 1, &doc, &err);

        allot_doc_file_clear(&doc);
        if (ret != -EBADMSG)
            fail_msg("taken: %s", files[i]);
    }
}

/* Every length of a right document, cut, is refused and nothing leaks. */
static void
test_cut(void **state)
{
    static const char text[] = FILE_WITH("ok", "down", "ok", "ok");
    struct allot_doc_error err;
    struct allot_doc_file doc;
    size_t len;

    (void)state;
    for (len = 0; len < sizeof(text) - 1; len++) {
        assert_int_equal(allot_doc_file_parse(text, len, 1, &doc, &err),
                         -EBADMSG);
        allot_doc_file_clear(&doc);
    }
    assert_int_equal(allot_doc_file_parse(text, len, 1, &doc, &err), 0);
    allot_doc_file_clear(&doc);
}

static void
test_counts(void **state)
{
    struct allot_tally tally;
    struct allot_doc_file doc;
    struct allot_recovery rec;
    enum allot_verdict verdict;

    (void)state;
    allot_tally_begin(&tally);
    assert_true(allot_tally_all_recoverable(&tally));

    parse_file(FILE_WITH("ok", "ok", "ok", "ok"), &doc);
    assert_int_equal(allot_tally_file(&tally, &doc, &rec, &verdict), 0);
    assert_int_equal(verdict, ALLOT_INTACT);
    assert_int_equal(rec.blocks.total, 11);
    assert_int_equal(rec.bytes.total, 41060);
    allot_doc_file_clear(&doc);
    assert_true(allot_tally_all_recoverable(&tally));

    /* brick 2: blocks 2, 6 and 10; brick 3: 3 and 7 */
    parse_file(FILE_WITH("ok", "ok", "down", "blank"), &doc);
    assert_int_equal(allot_tally_file(&tally, &doc, &rec, &verdict), 0);
    assert_int_equal(verdict, ALLOT_DAMAGED);
    assert_int_equal(rec.blocks.failed, 5);
    assert_int_equal(rec.blocks.unavailable, 3);
    assert_int_equal(rec.blocks.lost, 2);
    assert_int_equal(rec.blocks.recoverable, 6);
    assert_int_equal(rec.bytes.unavailable, 2 * 4096 + 100);
    assert_int_equal(rec.bytes.lost, 2 * 4096);
    assert_int_equal(rec.worst, ALLOT_FAIL_BLANK);
    allot_doc_file_clear(&doc);

    allot_tally_unreadable(&tally, 500, ALLOT_FAIL_MISSING, &rec);
    assert_int_equal(tally.files_total, 3);
    assert_int_equal(tally.files_intact, 1);
    assert_int_equal(tally.files_damaged, 1);
    assert_int_equal(tally.files_unreadable, 1);
    assert_int_equal(tally.sum.blocks.total, 23);
    assert_int_equal(tally.sum.blocks.failed, 6);
    assert_int_equal(tally.sum.bytes.total, 2 * 41060 + 500);
    assert_int_equal(tally.sum.bytes.recoverable, 2 * 41060 - (4 * 4096 + 100));
    assert_int_equal(tally.lost_files, 2);
    assert_int_equal(tally.curable, 0);
    assert_false(allot_tally_all_recoverable(&tally));
    allot_tally_end(&tally);
}

/* A file that is not spread: one block, that of its base. */
static void
test_unspread(void **state)
{
    struct allot_tally tally;
    struct allot_doc_file doc;
    struct allot_recovery rec;
    enum allot_verdict verdict;

    (void)state;
    allot_tally_begin(&tally);
    parse_file(
        "{\"version\":1,\"gfid\":\"00\",\"size\":7,\"exact\":true,"
        "\"spread\":false,\"base\":\"ok\"}",
        &doc);
    allot_tally_file(&tally, &doc, &rec, &verdict);
    assert_int_equal(verdict, ALLOT_INTACT);
    assert_int_equal(rec.blocks.total, 1);
    assert_int_equal(rec.bytes.total, 7);
    allot_doc_file_clear(&doc);

    parse_file(
        "{\"version\":1,\"gfid\":\"00\",\"size\":0,\"exact\":true,"
        "\"spread\":false,\"base\":\"ok\"}",
        &doc);
    allot_tally_file(&tally, &doc, &rec, &verdict);
    assert_int_equal(verdict, ALLOT_INTACT);
    assert_int_equal(rec.blocks.total, 0);
    allot_doc_file_clear(&doc);

    parse_file(
        "{\"version\":1,\"gfid\":\"00\",\"size\":7,\"exact\":true,"
        "\"spread\":false,\"base\":\"down\"}",
        &doc);
    allot_tally_file(&tally, &doc, &rec, &verdict);
    assert_int_equal(verdict, ALLOT_UNREADABLE);
    assert_int_equal(tally.base_down, 1);
    assert_int_equal(tally.curable, 1);
    allot_doc_file_clear(&doc);
    allot_tally_end(&tally);
}

static void
test_reasons(void **state)
{
    struct allot_tally tally;
    json_t *reasons;
    char text[32];
    int i;

    (void)state;
    allot_tally_begin(&tally);
    allot_tally_inexact(&tally, "a", "x/y");
    allot_tally_inexact(&tally, "a", "z");
    allot_tally_inexact(&tally, "b", NULL);
    allot_tally_inexact(&tally, "c", "");
    assert_false(tally.exact);
    reasons = allot_tally_reasons(&tally);
    assert_int_equal(json_array_size(reasons), 3);
    assert_string_equal(json_string_value(json_array_get(reasons, 0)),
                        "a (x/y and 1 more)");
    assert_string_equal(json_string_value(json_array_get(reasons, 1)), "b");
    assert_string_equal(json_string_value(json_array_get(reasons, 2)), "c (.)");
    json_decref(reasons);

    /* However many there are, the list stays short and says so. */
    for (i = 0; i < 2 * ALLOT_REASONS_MAX; i++) {
        snprintf(text, sizeof(text), "reason %d", i);
        allot_tally_inexact(&tally, text, "p");
    }
    reasons = allot_tally_reasons(&tally);
    assert_int_equal(json_array_size(reasons), ALLOT_REASONS_MAX + 1);
    assert_string_equal(
        json_string_value(json_array_get(reasons, ALLOT_REASONS_MAX)),
        "other reasons, met 35 times");
    json_decref(reasons);
    allot_tally_end(&tally);
}

/* What the sentence says of @files (each a document) on @volume. */
static void
check_advice(const char *volume, const char *const *files, const char *expect)
{
    struct allot_doc_status status;
    struct allot_tally tally;
    char *text;

    parse_status(volume, &status);
    allot_tally_begin(&tally);
    for (; *files; files++) {
        struct allot_doc_file doc;
        struct allot_recovery rec;
        enum allot_verdict verdict;

        parse_file(*files, &doc);
        assert_int_equal(allot_tally_file(&tally, &doc, &rec, &verdict), 0);
        allot_doc_file_clear(&doc);
    }
    text = allot_tally_advice(&tally, &status);
    assert_string_equal(text, expect);
    free(text);
    allot_tally_end(&tally);
    allot_doc_status_clear(&status);
}

static void
test_advice(void **state)
{
    static const char whole[] = FILE_WITH("ok", "ok", "ok", "ok");
    static const char down2[] = FILE_WITH("ok", "ok", "down", "ok");
    static const char down23[] = FILE_WITH("ok", "ok", "down", "down");
    static const char blank1[] = FILE_WITH("ok", "blank", "ok", "ok");
    static const char blank1_down2[] = FILE_WITH("ok", "blank", "down", "ok");
    const char *const none[] = {NULL};
    const char *const fine[] = {whole, whole, NULL};
    const char *const one[] = {whole, down2, down2, NULL};
    const char *const two[] = {down2, down23, NULL};
    const char *const mixed[] = {down2, blank1_down2, NULL};
    const char *const lost[] = {blank1, blank1, whole, NULL};

    (void)state;
    check_advice(STATUS_WITH("UP", "up", "up", "up", "up"), none,
                 "there are no files here, there is nothing to do");
    check_advice(STATUS_WITH("UP", "up", "up", "up", "up"), fine,
                 "all 2 files are whole, there is nothing to do");
    check_advice(STATUS_WITH("PARTIAL", "up", "up", "down", "up"), one,
                 "bring brick c2 back: 2 of 2 damaged files become whole");
    check_advice(STATUS_WITH("PARTIAL", "up", "up", "down", "down"), two,
                 "bring bricks c2 and c3 back: 2 of 2 damaged files become "
                 "whole (c2 alone: 1)");
    check_advice(STATUS_WITH("PARTIAL", "up", "blank", "down", "up"), mixed,
                 "bring brick c2 back: 1 of 2 damaged files becomes whole; "
                 "1 file has lost blocks that will not come back: copy a "
                 "backup over it or delete it");
    check_advice(STATUS_WITH("PARTIAL", "up", "blank", "up", "up"), lost,
                 "2 files have lost blocks that will not come back: copy "
                 "backups over them or delete them");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_cut),      cmocka_unit_test(test_counts),
        cmocka_unit_test(test_unspread), cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_advice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
