/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-name.c - names and gfids of portions and of their directories.
 */
#include "allot-codec.h"
#include "allot-test.h"

#define NAME "00112233-4455-6677-8899-aabbccddeeff.0123456789abcdef"

static const uint8_t gfid[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55,
                                 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb,
                                 0xcc, 0xdd, 0xee, 0xff};

static void
test_name(void **state)
{
    char name[ALLOT_PORTION_NAME_SIZE];
    uint8_t back[16];
    uint64_t nonce;

    (void)state;
    allot_portion_name(gfid, 0x0123456789abcdefull, name);
    assert_string_equal(name, NAME);
    assert_int_equal(allot_portion_name_parse(name, back, &nonce), 0);
    assert_memory_equal(back, gfid, 16);
    assert_true(nonce == 0x0123456789abcdefull);

    for (int round = 0; round < 1000; round++) {
        uint8_t random[16];
        uint64_t number = test_rand() >> test_below(64);

        for (int i = 0; i < 16; i++)
            random[i] = (uint8_t)test_rand();
        allot_portion_name(random, number, name);
        assert_int_equal(strlen(name), ALLOT_PORTION_NAME_SIZE - 1);
        assert_int_equal(allot_portion_name_parse(name, back, &nonce), 0);
        assert_memory_equal(back, random, 16);
        assert_true(nonce == number);
    }
}

/* Any other byte at any place, any other length: not a name, or the name of
 * something else. */
static void
test_name_is_the_only_spelling(void **state)
{
    (void)state;
    for (size_t at = 0; at < strlen(NAME); at++) {
        for (int c = 1; c < 256; c++) {
            char name[] = NAME;
            char again[ALLOT_PORTION_NAME_SIZE];
            uint8_t back[16];
            uint64_t nonce;

            name[at] = (char)c;
            if (allot_portion_name_parse(name, back, &nonce) == 0) {
                allot_portion_name(back, nonce, again);
                assert_string_equal(name, again);
            }
        }
    }
}

static void
test_what_is_no_name(void **state)
{
    static const char *const bad[] = {
        "",
        ".",
        "..",
        "00112233-4455-6677-8899-aabbccddeeff",
        "00112233-4455-6677-8899-aabbccddeeff.",
        "00112233-4455-6677-8899-aabbccddeeff.0123456789abcde",
        "00112233-4455-6677-8899-aabbccddeeff.0123456789abcdef0",
        "00112233-4455-6677-8899-aabbccddeeff.0123456789abcdeg",
        "00112233-4455-6677-8899-aabbccddeeff.0123456789ABCDEF",
        "00112233-4455-6677-8899-AABBCCDDEEFF.0123456789abcdef",
        "00112233-4455-6677-8899-aabbccddeeff-0123456789abcdef",
        "00112233-4455-6677-8899-aabbccddeef.00123456789abcdef",
        "00112233x4455-6677-8899-aabbccddeeff.0123456789abcdef",
        " 0112233-4455-6677-8899-aabbccddeeff.0123456789abcdef",
        "00112233-4455-6677-8899-aabbccddeeff.0x23456789abcdef",
        "00112233-4455-6677-8899-aabbccddeeff.-123456789abcdef",
    };
    uint8_t back[16];
    uint64_t nonce;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(allot_portion_name_parse(bad[i], back, &nonce),
                         -EINVAL);
}

/* uuid 5 of (name space = base gfid, name = nonce), computed elsewhere. */
static void
test_portion_gfid(void **state)
{
    static const uint8_t expected[16] = {0xca, 0x93, 0x2f, 0x22, 0xf2, 0x6a,
                                         0x58, 0xdc, 0xb9, 0xcd, 0x3c, 0xc1,
                                         0xdc, 0x5d, 0x29, 0xec};
    uint8_t out[16];

    (void)state;
    allot_portion_gfid(gfid, 0x0123456789abcdefull, out);
    assert_memory_equal(out, expected, 16);
    allot_portion_gfid(gfid, 0x0123456789abcdeeull, out);
    assert_memory_not_equal(out, expected, 16);
}

static void
test_dir_gfids(void **state)
{
    static const uint8_t dir[16] = {ALLOT_DIR_GFID_BYTES};
    uint8_t out[16];
    uint8_t all[257][16];

    (void)state;
    allot_dir_gfid(-1, out);
    assert_memory_equal(out, dir, 16);
    assert_int_equal(out[14], 1);
    assert_int_equal(out[15], 0);
    for (int sub = -1; sub < 256; sub++) {
        allot_dir_gfid(sub, all[sub + 1]);
        assert_memory_equal(all[sub + 1], dir, 14);
        if (sub >= 0) {
            assert_int_equal(all[sub + 1][14], 2);
            assert_int_equal(all[sub + 1][15], sub);
        }
        for (int other = 0; other < sub + 1; other++)
            assert_memory_not_equal(all[sub + 1], all[other], 16);
    }
    assert_int_equal(allot_dir_of(gfid), 0x00);
    assert_int_equal(allot_dir_of(dir), 0xa1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_name_is_the_only_spelling),
        cmocka_unit_test(test_what_is_no_name),
        cmocka_unit_test(test_portion_gfid),
        cmocka_unit_test(test_dir_gfids),
    };

    test_seed_init();
    return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
