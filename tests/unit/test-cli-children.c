/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-cli-children.c - a directory's answer, page by page, as a volume may
 * give it or must not (cli/children.c), and sums of directories (cli/sums.c).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "children.h"
#include "document.h"
#include "sums.h"

/* ---- a volume that answers from a list of pages ---------------------------
 */

static const char *const *fake_pages;
static unsigned int fake_asked;
static char fake_key[128]; /* the last question */

ssize_t
allot_target_ask(struct allot_dir *dir, const char *name, const char *key,
                 char **text)
{
    const char *page = fake_pages[fake_asked];

    (void)dir;
    assert_null(name);
    snprintf(fake_key, sizeof(fake_key), "%s", key);
    if (!page)
        return -ENODATA;
    fake_asked++;
    *text = strdup(page);
    assert_non_null(*text);
    return (ssize_t)strlen(page);
}

#define HEAD "{\"version\":1,\"inline_limit\":65536,\"entries\":["

#define EXTENTS                                                            \
    "\"inline_limit\":4096,\"extents\":[{\"start\":4096,\"phase\":0,"      \
    "\"block_shift\":12,\"members\":[[3,1]]},{\"start\":8192,\"phase\":1," \
    "\"block_shift\":12,\"members\":[[5,1],[3,2],[4,1]]}]"
#define ONE_LAYOUT "{" EXTENTS "}"

/* The entries as "NAME TYPE KNOWN SIZE NLINK GFID;", and how it ended. */
static int
list(const char *const *pages, char *out, size_t room)
{
    struct allot_dir dir = {NULL};
    struct allot_children children;
    struct allot_child child;
    char cursor[128] = "";
    size_t len = 0, n;
    int more;

    fake_pages = pages;
    fake_asked = 0;
    out[0] = '\0';
    do {
        more = allot_children_ask(&children, &dir, cursor[0] ? cursor : NULL);
        cursor[0] = '\0';
        n = 0;
        while (more >= 0) {
            more = allot_children_next(&children, &child);
            if (more != 1)
                break;
            n += child.type != DT_DIR;
            len += (size_t)snprintf(
                out + len, room - len, "%s %d %d %llu %llu %s;", child.name,
                child.type, child.known, (unsigned long long)child.size,
                (unsigned long long)child.nlink, child.gfid);
        }
        if (more == 0) {
            assert_int_equal(n, allot_children_files(&children));
            if (allot_children_more(&children))
                snprintf(cursor, sizeof(cursor), "%s",
                         allot_children_more(&children));
        }
        allot_children_end(&children);
    } while (cursor[0]);
    return more;
}

static void
pages_are_one_listing(void **state)
{
    static const char *const pages[] = {
        HEAD "[\"a\",8,10],[\"d\",4]],\"next\":\"1-ff\"}",
        HEAD "],\"next\":\"2-100\"}",
        HEAD
        "[\"b\",8],[\"c\",8,0,2,\"00000000-0000-0000-0000-000000000001\"],"
        "[{\"hex\":\"6cff\"},0],[\"r\",8,{\"version\":1}]]}",
        NULL,
    };
    char out[512];

    (void)state;
    assert_int_equal(list(pages, out, sizeof(out)), 0);
    assert_string_equal(
        out,
        "a 8 1 10 1 ;d 4 0 0 1 ;b 8 0 0 1 ;"
        "c 8 1 0 2 00000000-0000-0000-0000-000000000001;l\xff 0 0 0 1 ;"
        "r 8 1 0 1 ;");
    assert_int_equal(fake_asked, 3);
    assert_string_equal(fake_key, "glusterfs.allot.children.2-100");
}

static void
an_error_comes_behind_what_was_listed(void **state)
{
    static const char *const broken[] = {HEAD "[\"a\",8,1]],\"error\":5}",
                                         NULL};
    static const char *const away[] = {HEAD "[\"a\",8,1]],\"next\":\"1-1\"}",
                                       NULL};
    static const char *const none[] = {NULL};
    char out[64];

    (void)state;
    assert_int_equal(list(broken, out, sizeof(out)), -EIO);
    assert_string_equal(out, "a 8 1 1 1 ;");
    assert_int_equal(list(away, out, sizeof(out)), -ENODATA);
    assert_string_equal(out, "a 8 1 1 1 ;");
    assert_int_equal(list(none, out, sizeof(out)), -ENODATA);
    assert_string_equal(out, "");
}

static void
nonsense_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{\"version\":2,\"entries\":[]}",
        "{\"version\":1}",
        HEAD "[\"\",8]]}",
        HEAD "[\"a/b\",8]]}",
        HEAD "[\"a\"]]}",
        HEAD "[1,8]]}",
        HEAD "[{\"hex\":\"6\"},8]]}",
        HEAD "[{\"hex\":\"zz\"},8]]}",
        HEAD "[{\"hex\":\"0061\"},8]]}",
        HEAD "[\"a\",8,-1]]}",
        HEAD "[\"a\",8,\"x\"]]}",
        HEAD "[\"a\",4,1]]}",
        HEAD "[\"a\",4,{}]]}",
        HEAD "[\"a\",8,1,2]]}",
        HEAD "[\"a\",8,1,1,\"g\"]]}",
        HEAD "[\"a\",8,1,1,\"g\",0]]}",
        HEAD "[\"a\",8,1,1,\"g\",1]],\"layouts\":[" ONE_LAYOUT "]}",
        HEAD "[\"a\",8,1,1,\"g\",-1]],\"layouts\":[" ONE_LAYOUT "]}",
        HEAD "[\"a\",8,1,1,\"g\",\"0\"]],\"layouts\":[" ONE_LAYOUT "]}",
        HEAD "[\"a\",8,1,1,\"g\",0]],\"layouts\":[{}]}",
        HEAD "[\"a\",8,1,1,\"g\",0]],\"layouts\":[5]}",
        HEAD "[\"a\",8,1,1,\"g\",0]],\"layouts\":7}",
        HEAD "[\"a\",8,1,1,0,0]],\"layouts\":[" ONE_LAYOUT "]}",
        HEAD "],\"error\":-1}",
        HEAD "],\"error\":99999}",
        "{\"version\":1,\"inline_limit\":-1,\"entries\":[[\"a\",8]]}",
    };
    char out[64];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *const pages[] = {bad[i], NULL};

        assert_int_equal(list(pages, out, sizeof(out)), -EBADMSG);
        assert_string_equal(out, "");
    }
}

/* ---- spread files: in short, and as their own reports say ------------------
 */

static void
same_counts(const struct allot_doc_file *a, const struct allot_doc_file *b)
{
    struct allot_recovery x, y;

    allot_recovery_count(a->layout, a->size, a->base_fail, a->members,
                         a->member_count, &x);
    allot_recovery_count(b->layout, b->size, b->base_fail, b->members,
                         b->member_count, &y);
    assert_memory_equal(&x, &y, sizeof(x));
}

static void
in_short_is_the_same(void **state)
{
    static const struct {
        const char *members; /* in short */
        const char *full;
    } cases[] = {
        {"",
         "{\"index\":3,\"fail\":\"ok\",\"hole_blocks\":0,\"hole_bytes\":0},"
         "{\"index\":4,\"fail\":\"ok\",\"hole_blocks\":0,\"hole_bytes\":0},"
         "{\"index\":5,\"fail\":\"ok\",\"hole_blocks\":0,\"hole_bytes\":0}"},
        {",[[4,\"down\",0,0],[5,\"ok\",2,8192]]",
         "{\"index\":3,\"fail\":\"ok\",\"hole_blocks\":0,\"hole_bytes\":0},"
         "{\"index\":4,\"fail\":\"down\",\"hole_blocks\":0,\"hole_bytes\":0},"
         "{\"index\":5,\"fail\":\"ok\",\"hole_blocks\":2,\"hole_bytes\":8192}"},
        {",[[3,\"missing\",0,0],[4,\"lost\",0,0],[5,\"blank\",0,0]]",
         "{\"index\":3,\"fail\":\"missing\",\"hole_blocks\":0,"
         "\"hole_bytes\":0},"
         "{\"index\":4,\"fail\":\"lost\",\"hole_blocks\":0,\"hole_bytes\":0},"
         "{\"index\":5,\"fail\":\"blank\",\"hole_blocks\":0,\"hole_bytes\":0}"},
    };
    char page[2048], text[2048];
    const char *pages[] = {page, NULL};
    struct allot_children children;
    struct allot_child child;
    struct allot_doc_error why;
    struct allot_doc_file shortly, fully;
    struct allot_dir dir = {NULL};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(page, sizeof(page),
                 HEAD
                 "[\"a\",8,100000,2,\"g\",1%s],[\"b\",8,100000,1,"
                 "\"h\",1%s]],\"layouts\":[{}," ONE_LAYOUT "]}",
                 cases[i].members, cases[i].members);
        snprintf(text, sizeof(text),
                 "{\"version\":1,\"gfid\":\"g\",\"size\":100000,\"exact\":true,"
                 "\"inexact_because\":[],\"spread\":true,\"base\":\"ok\","
                 "\"nlink\":2," EXTENTS ",\"members\":[%s]}",
                 cases[i].full);
        fake_pages = pages;
        fake_asked = 0;
        assert_int_equal(allot_children_ask(&children, &dir, NULL), 0);
        assert_int_equal(
            allot_doc_file_parse(text, strlen(text), 1, &fully, &why), 0);
        for (int twice = 0; twice < 2; twice++) {
            assert_int_equal(allot_children_next(&children, &child), 1);
            assert_true(child.known && child.layout && !child.report);
            assert_int_equal(allot_doc_file_spread(
                                 child.gfid, child.size, child.nlink,
                                 child.layout, child.members, &shortly, &why),
                             0);
            assert_string_equal(shortly.gfid, twice ? "h" : "g");
            assert_int_equal(shortly.nlink, twice ? 1 : 2);
            assert_int_equal(shortly.exact, fully.exact);
            same_counts(&shortly, &fully);
            allot_doc_file_clear(&shortly);
        }
        assert_int_equal(allot_children_next(&children, &child), 0);
        allot_doc_file_clear(&fully);
        allot_children_end(&children);
    }
}

static void
members_in_short_are_checked(void **state)
{
    static const char *const bad[] = {
        "[[6,\"ok\",0,0]]",
        "[[3,\"ok\",0]]",
        "[[3,\"well\",0,0]]",
        "[[3,5,0,0]]",
        "[[\"3\",\"ok\",0,0]]",
        "[[3,\"ok\",-1,0]]",
        "[3]",
    };
    struct allot_layout *layout = NULL;
    struct allot_doc_error why;
    struct allot_doc_file doc;
    json_t *json = json_loads(ONE_LAYOUT, 0, NULL);

    (void)state;
    assert_int_equal(allot_doc_layout_read(json, &layout, &why), 0);
    json_decref(json);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        json = json_loads(bad[i], 0, NULL);
        assert_non_null(json);
        assert_int_equal(
            allot_doc_file_spread("g", 1, 1, layout, json, &doc, &why),
            -EBADMSG);
        allot_doc_file_clear(&doc);
        json_decref(json);
    }
    allot_layout_free(layout);
}

/* ---- sums -----------------------------------------------------------------
 */

static void
add(struct allot_sums *sums, const char *path, enum allot_verdict verdict)
{
    struct allot_recovery rec;

    memset(&rec, 0, sizeof(rec));
    rec.bytes.total = 10;
    assert_int_equal(allot_sums_add(sums, path, &rec, verdict), 0);
}

/* "PATH=FILES/DAMAGED/UNREADABLE/BYTES " of each. */
static void
sums_are(struct allot_sums *sums, const char *want)
{
    char out[1024] = "";
    size_t i, len = 0;

    allot_sums_sort(sums);
    for (i = 0; i < sums->count; i++)
        len += (size_t)snprintf(
            out + len, sizeof(out) - len, "%s=%d/%d/%d/%d ", sums->dirs[i].path,
            (int)sums->dirs[i].files, (int)sums->dirs[i].damaged,
            (int)sums->dirs[i].unreadable, (int)sums->dirs[i].sum.bytes.total);
    assert_string_equal(out, want);
}

static void
files_count_in_every_directory_above(void **state)
{
    static const char *const paths[] = {"f",     "a/f",   "a/b/f", "a/b/c/f",
                                        "a b/f", "a.b/f", "ab/f",  "a/f2"};
    struct allot_sums sums;
    unsigned int depth;
    size_t i;

    (void)state;
    for (depth = 0; depth < 3; depth++) {
        memset(&sums, 0, sizeof(sums));
        sums.wanted = 1;
        sums.depth = depth;
        for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
            add(&sums, paths[i],
                i == 3   ? ALLOT_DAMAGED
                : i == 1 ? ALLOT_UNREADABLE
                         : ALLOT_INTACT);
        if (depth == 0)
            sums_are(&sums, "=8/1/1/80 ");
        else if (depth == 1)
            sums_are(&sums,
                     "=8/1/1/80 a=4/1/1/40 a b=1/0/0/10 a.b=1/0/0/10 "
                     "ab=1/0/0/10 ");
        else
            sums_are(&sums,
                     "=8/1/1/80 a=4/1/1/40 a/b=2/1/0/20 a b=1/0/0/10 "
                     "a.b=1/0/0/10 ab=1/0/0/10 ");
        allot_sums_clear(&sums);
    }
}

static void
many_directories_keep_their_sums(void **state)
{
    struct allot_sums sums;
    char path[64];
    size_t i;
    int n;

    (void)state;
    memset(&sums, 0, sizeof(sums));
    sums.wanted = 1;
    sums.depth = 1;
    for (n = 0; n < 3; n++)
        for (i = 0; i < 1000; i++) {
            snprintf(path, sizeof(path), "d%zu/f%d", i, n);
            add(&sums, path, ALLOT_INTACT);
        }
    assert_int_equal(sums.count, 1001);
    for (i = 0; i < sums.count; i++)
        assert_int_equal(sums.dirs[i].files, sums.dirs[i].path[0] ? 3 : 3000);
    allot_sums_clear(&sums);
    add(&sums, "a/b", ALLOT_INTACT);
    assert_int_equal(sums.count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_one_listing),
        cmocka_unit_test(an_error_comes_behind_what_was_listed),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(in_short_is_the_same),
        cmocka_unit_test(members_in_short_are_checked),
        cmocka_unit_test(files_count_in_every_directory_above),
        cmocka_unit_test(many_directories_keep_their_sums),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
