/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* test-cli-format.c - sizes, bars, names and the set of hard links of the
 * command (cli/format.c, cli/seen.c). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format.h"
#include "seen.h"

static void
test_size(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {1023, "1023 B"},
        {1024, "1.0 KiB"},
        {1536, "1.5 KiB"},
        {102348, "99.9 KiB"},
        {102400, "100 KiB"},
        {1048575, "1.0 MiB"}, /* not 1024.0 KiB */
        {1ULL << 30, "1.0 GiB"},
        {UINT64_MAX, "16.0 EiB"},
    };
    char text[ALLOT_SIZE_TEXT];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(allot_format_size(cases[i].bytes, text),
                            cases[i].text);
}

static void
test_bar(void **state)
{
    char text[3 * 8 + 1];

    (void)state;
    assert_string_equal(allot_format_bar(0, 8, 0, text), "");
    assert_string_equal(allot_format_bar(0.5, 8, 0, text), "####");
    assert_string_equal(allot_format_bar(1, 8, 0, text), "########");
    assert_string_equal(allot_format_bar(7, 8, 0, text), "########");
    assert_string_equal(allot_format_bar(1e-9, 8, 0, text), "#");
    /* 17 eighths: two full cells and one eighth (U+258F) */
    assert_string_equal(allot_format_bar(17.0 / 64, 8, 1, text),
                        "\xe2\x96\x88\xe2\x96\x88\xe2\x96\x8f");
    assert_int_equal(strlen(allot_format_bar(1, 8, 1, text)), 24);
}

static void
test_name(void **state)
{
    static const struct {
        const char *name;
        const char *text;
    } cases[] = {
        {"plain name", "plain name"},
        {"a\nb", "a\\x0ab"},
        {"\x1b[31m", "\\x1b[31m"},
        {"back\\slash", "back\\x5cslash"},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {"\xff", "\\xff"},
        {"\xc2\x9b", "\\xc2\\x9b"},          /* a C1 control character */
        {"\xc0\xaf", "\\xc0\\xaf"},          /* over-long */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* a surrogate */
        {"\xe2\x82", "\\xe2\\x82"},          /* cut short */
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = allot_format_name(cases[i].name);

        assert_string_equal(text, cases[i].text);
        free(text);
    }
}

static void
test_json_path(void **state)
{
    int exact;
    json_t *json = allot_json_path("a/\"b\"/\xc3\xa9", &exact);

    (void)state;
    assert_string_equal(json_string_value(json), "a/\"b\"/\xc3\xa9");
    assert_int_equal(exact, 1);
    json_decref(json);

    json = allot_json_path("a\xff\xc3", &exact);
    assert_string_equal(json_string_value(json), "a\xef\xbf\xbd\xef\xbf\xbd");
    assert_int_equal(exact, 0);
    json_decref(json);

    json = allot_json_hex("a\xff");
    assert_string_equal(json_string_value(json), "61ff");
    json_decref(json);
}

static void
test_seen(void **state)
{
    struct allot_seen seen = {0};
    uint8_t key[16] = {0};
    uint32_t i;

    (void)state;
    assert_int_equal(allot_seen_add(&seen, key), 1);
    assert_int_equal(allot_seen_add(&seen, key), 0);
    /* Small numbers in the last bytes, as inode numbers are. */
    for (i = 1; i < 5000; i++) {
        memcpy(key + 8, &i, sizeof(i));
        assert_int_equal(allot_seen_add(&seen, key), 1);
    }
    for (i = 1; i < 5000; i++) {
        memcpy(key + 8, &i, sizeof(i));
        assert_int_equal(allot_seen_add(&seen, key), 0);
    }
    allot_seen_clear(&seen);

    assert_int_equal(
        allot_seen_add_gfid(&seen, "00112233-4455-6677-8899-aabbccddeeff"), 1);
    assert_int_equal(
        allot_seen_add_gfid(&seen, "00112233-4455-6677-8899-AABBCCDDEEFF"), 0);
    assert_int_equal(
        allot_seen_add_gfid(&seen, "00112233-4455-6677-8899-aabbccddeefe"), 1);
    assert_int_equal(allot_seen_add_gfid(&seen, "0011"), -EINVAL);
    assert_int_equal(allot_seen_add_gfid(&seen, ""), -EINVAL);
    assert_int_equal(
        allot_seen_add_gfid(&seen, "00112233-4455-6677-8899-aabbccddeeff0"),
        -EINVAL);
    allot_seen_clear(&seen);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size), cmocka_unit_test(test_bar),
        cmocka_unit_test(test_name), cmocka_unit_test(test_json_path),
        cmocka_unit_test(test_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
