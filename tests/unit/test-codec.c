/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-codec.c - what holds for every item: the golden bytes, every byte
 * changed, every length cut and extended, with a wrong CRC and with the right
 * one, unknown versions, buffers that are too small. What each kind of item
 * may contain is in test-codec-content.c.
 */
#include "allot-test.h"
#include "codec-items.h"

/* The directory of this file: where the build says, or where a run from the
 * top of the source tree finds it. ALLOT_SRCDIR, the top of the source tree,
 * overrides both. */
#ifndef TEST_SRCDIR
#define TEST_SRCDIR "tests/unit"
#endif

/* Reads golden/NAME.hex: bytes in hex, blanks, and comments after a '#'.
 * Returns how many bytes, or -1. */
static int64_t
golden_read(const char *name, uint8_t *buf, size_t cap)
{
    const char *top = getenv("ALLOT_SRCDIR");
    const char *unit = top ? "/tests/unit" : "";
    char path[1024];
    FILE *file;
    size_t len = 0;
    int high = -1;
    int c;

    if (!top)
        top = TEST_SRCDIR;
    snprintf(path, sizeof(path), "%s%s/golden/%s.hex", top, unit, name);
    file = fopen(path, "r");
    if (!file)
        return -1;
    while ((c = fgetc(file)) != EOF) {
        int digit;

        if (c == '#')
            while (c != EOF && c != '\n')
                c = fgetc(file);
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if (c >= 'a' && c <= 'f')
            digit = c - 'a' + 10;
        else
            continue;
        if (high < 0) {
            high = digit;
        } else if (len < cap) {
            buf[len++] = (uint8_t)(high << 4 | digit);
            high = -1;
        }
    }
    fclose(file);
    return high < 0 ? (int64_t)len : -1;
}

/* Decodes from a copy of exactly @len bytes, so that the sanitizer sees one
 * byte too far. */
static int
turn_exact(const struct item *item, const uint8_t *buf, size_t len,
           uint8_t *out, size_t cap, int64_t *again)
{
    uint8_t *copy = malloc(len ? len : 1);
    int ret;

    assert_non_null(copy);
    memcpy(copy, buf, len);
    ret = item->turn(copy, len, out, cap, again);
    free(copy);
    return ret;
}

/* Either an accepted item, then its only encoding is these very bytes; or one
 * of the two clean errors. */
static int
turn_is_clean(const struct item *item, const uint8_t *buf, size_t len)
{
    uint8_t out[ITEM_MAX];
    int64_t again = -1;
    int ret = turn_exact(item, buf, len, out, sizeof(out), &again);

    if (ret == 0)
        return again == (int64_t)len && memcmp(out, buf, len) == 0;
    return ret == -EBADMSG || ret == -EPROTONOSUPPORT;
}

static void
test_golden(void **state)
{
    (void)state;
    for (size_t i = 0; i < ITEM_COUNT; i++) {
        uint8_t golden[ITEM_MAX];
        uint8_t made[ITEM_MAX];
        int64_t len = golden_read(items[i].name, golden, sizeof(golden));
        int64_t again = -1;

        if (len <= 0)
            fail_msg(
                "golden/%s.hex cannot be read: set ALLOT_SRCDIR to the "
                "top of the source tree",
                items[i].name);
        assert_int_equal(items[i].sample(made, sizeof(made)), len);
        assert_memory_equal(made, golden, (size_t)len);
        memset(made, 0, sizeof(made));
        assert_int_equal(turn_exact(&items[i], golden, (size_t)len, made,
                                    sizeof(made), &again),
                         0);
        assert_int_equal(again, len);
        assert_memory_equal(made, golden, (size_t)len);
    }
}

/* A golden file that differs in one digit is not equal. */
static void
test_golden_can_fail(void **state)
{
    uint8_t golden[ITEM_MAX];
    uint8_t made[ITEM_MAX];
    int64_t len = golden_read("record-spread", golden, sizeof(golden));

    (void)state;
    assert_true(len > 0);
    assert_int_equal(sample_record_top(made, sizeof(made)) == len &&
                         memcmp(made, golden, (size_t)len) == 0,
                     0);
    assert_int_equal(golden_read("no-such-item", golden, sizeof(golden)), -1);
}

static void
test_every_byte_changed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ITEM_COUNT; i++) {
        uint8_t buf[ITEM_MAX];
        uint8_t out[ITEM_MAX];
        int64_t again;
        size_t len = (size_t)items[i].sample(buf, sizeof(buf));

        for (size_t at = 0; at < len; at++) {
            for (int bit = 0; bit <= 8; bit++) {
                uint8_t mask = bit < 8 ? (uint8_t)(1 << bit) : 0xff;

                buf[at] ^= mask;
                assert_int_equal(
                    turn_exact(&items[i], buf, len, out, sizeof(out), &again),
                    -EBADMSG);
                buf[at] ^= mask;
            }
        }
    }
}

/* With the CRC put right again the content alone must tell. */
static void
test_every_byte_changed_and_sealed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ITEM_COUNT; i++) {
        uint8_t sample[ITEM_MAX];
        uint8_t buf[ITEM_MAX];
        size_t len = (size_t)items[i].sample(sample, sizeof(sample));

        for (size_t at = 0; at + 4 < len; at++) {
            for (int bit = 0; bit <= 8; bit++) {
                memcpy(buf, sample, len);
                buf[at] ^= bit < 8 ? (uint8_t)(1 << bit) : 0xff;
                item_seal(buf, len);
                assert_true(turn_is_clean(&items[i], buf, len));
            }
        }
    }
}

static void
test_every_length(void **state)
{
    (void)state;
    for (size_t i = 0; i < ITEM_COUNT; i++) {
        uint8_t sample[ITEM_MAX] = {0};
        uint8_t buf[ITEM_MAX];
        uint8_t out[ITEM_MAX];
        int64_t again;
        size_t len = (size_t)items[i].sample(sample, sizeof(sample));

        for (size_t cut = 0; cut <= len + 20; cut++) {
            if (cut == len)
                continue;
            assert_int_equal(
                turn_exact(&items[i], sample, cut, out, sizeof(out), &again),
                -EBADMSG);
            if (cut < 4)
                continue;
            memcpy(buf, sample, cut);
            item_seal(buf, cut);
            assert_int_equal(
                turn_exact(&items[i], buf, cut, out, sizeof(out), &again),
                -EBADMSG);
        }
    }
}

static void
test_no_bytes_at_all(void **state)
{
    uint8_t out[ITEM_MAX];
    int64_t again;

    (void)state;
    for (size_t i = 0; i < ITEM_COUNT; i++)
        assert_int_equal(items[i].turn(NULL, 0, out, sizeof(out), &again),
                         -EBADMSG);
}

static void
test_unknown_versions(void **state)
{
    (void)state;
    for (size_t i = 0; i < ITEM_COUNT; i++) {
        uint8_t buf[ITEM_MAX];
        uint8_t out[ITEM_MAX];
        int64_t again;
        size_t len = (size_t)items[i].sample(buf, sizeof(buf));

        for (int version = 0; version < 256; version++) {
            if (version == 1)
                continue;
            buf[4] = (uint8_t)version;
            item_seal(buf, len);
            assert_int_equal(
                turn_exact(&items[i], buf, len, out, sizeof(out), &again),
                -EPROTONOSUPPORT);
        }
        /* a later version may be shorter than we think */
        buf[4] = 2;
        item_seal(buf, 9);
        assert_int_equal(
            turn_exact(&items[i], buf, 9, out, sizeof(out), &again),
            -EPROTONOSUPPORT);
        buf[4] = 2;
        item_seal(buf, 8);
        assert_int_equal(
            turn_exact(&items[i], buf, 8, out, sizeof(out), &again), -EBADMSG);
    }
}

/* One item's bytes are nobody else's. */
static void
test_wrong_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < ITEM_COUNT; i++) {
        uint8_t buf[ITEM_MAX];
        uint8_t out[ITEM_MAX];
        int64_t again;
        size_t len = (size_t)items[i].sample(buf, sizeof(buf));

        for (size_t j = 0; j < ITEM_COUNT; j++)
            assert_int_equal(
                turn_exact(&items[j], buf, len, out, sizeof(out), &again),
                items[j].turn == items[i].turn ? 0 : -EBADMSG);
    }
}

static void
test_small_buffers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ITEM_COUNT; i++) {
        int64_t len = items[i].sample(NULL, 0);

        assert_true(len > 0);
        for (size_t cap = 1; cap < (size_t)len; cap++) {
            uint8_t *buf = malloc(cap); /* the sanitizer watches its end */

            assert_non_null(buf);
            assert_int_equal(items[i].sample(buf, cap), -ENOBUFS);
            free(buf);
        }
    }
}

/* Samples with a dozen bytes changed at random and the CRC put right. */
static void
test_random_changes_sealed(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        const struct item *item = &items[test_below(ITEM_COUNT)];
        uint8_t buf[ITEM_MAX] = {0};
        size_t len = (size_t)item->sample(buf, sizeof(buf));
        uint64_t changes = test_between(1, 12);

        if (test_below(4) == 0)
            len = test_between(9, len + 10);
        while (changes--)
            buf[test_between(5, len - 1)] =
                (uint8_t)(test_below(2) ? test_below(4) : test_rand());
        item_seal(buf, len);
        assert_true(turn_is_clean(item, buf, len));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_golden_can_fail),
        cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_every_byte_changed_and_sealed),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_no_bytes_at_all),
        cmocka_unit_test(test_unknown_versions),
        cmocka_unit_test(test_wrong_kind),
        cmocka_unit_test(test_small_buffers),
        cmocka_unit_test(test_random_changes_sealed),
    };

    test_seed_init();
    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
