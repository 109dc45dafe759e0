/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-cli-progress.c - how far a scan is: the sums over workers
 * (cli/scan-work.c), and S, rate and time left from them (cli/progress.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "progress.h"
#include "scan-work.h"

static struct allot_progress
of(double done, double known, uint64_t files, double seconds, uint64_t before)
{
    struct allot_scan_progress now = {
        .files = files, .done = done, .known = known, .seconds = seconds};
    struct allot_progress progress;

    memset(&progress, 0xff, sizeof(progress));
    allot_progress_of(&now, before, &progress);
    return progress;
}

static int
near(double got, double want)
{
    double off = got - want;

    return off < 1e-9 * want + 1e-9 && off > -1e-9 * want - 1e-9;
}

static void
the_formula(void **state)
{
    struct allot_progress p = of(30, 120, 25, 5, 0);

    (void)state;
    assert_true(near(p.part, 0.25));
    assert_int_equal(p.files, 25);
    assert_true(near(p.rate, 5));
    /* 30 took 5 seconds, 90 are left. */
    assert_true(near(p.left, 15));
}

static void
nothing_done_yet(void **state)
{
    struct allot_progress p = of(0, 0, 0, 0, 0);

    (void)state;
    assert_true(near(p.part, 0));
    assert_true(near(p.rate, 0));
    assert_true(p.left < 0);
    /* Time passes, and the first answer is not there: how long yet is not
     * known, and not 0. */
    p = of(0, 17, 0, 3, 0);
    assert_true(near(p.part, 0));
    assert_true(near(p.rate, 0));
    assert_true(p.left < 0);
}

/* Directories without files: there is a way to go, and no file. */
static void
no_rate(void **state)
{
    struct allot_progress p = of(10, 40, 0, 2, 0);

    (void)state;
    assert_true(near(p.rate, 0));
    assert_true(near(p.part, 0.25));
    assert_true(near(p.left, 6));
}

static void
a_clock_that_goes_back(void **state)
{
    static const double seconds[] = {-1, -1e9, 0};

    (void)state;
    for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
        struct allot_progress p = of(10, 40, 8, seconds[i], 0);

        assert_true(near(p.part, 0.25));
        assert_int_equal(p.files, 8);
        assert_true(near(p.rate, 0));
        assert_true(p.left < 0);
    }
}

static void
all_done(void **state)
{
    struct allot_progress p = of(40, 40, 30, 4, 0);
    char text[ALLOT_PROGRESS_TEXT];

    (void)state;
    assert_true(p.part >= 1 && p.part <= 1);
    assert_true(near(p.left, 0));
    assert_string_equal(
        allot_progress_text(&p, 0, text),
        "#################### 100%  30 files, 8/s, about 0 s left");
    /* Counters that were read while they grew. */
    p = of(41, 40, 30, 4, 0);
    assert_true(p.part >= 1 && p.part <= 1);
    assert_true(near(p.left, 0));
    /* The percents stand still, however wide a cell is in bytes. */
    p = of(10, 40, 30, 4, 0);
    assert_string_equal(
        allot_progress_text(&p, 0, text),
        "#####                 25%  30 files, 8/s, about 12 s left");
    assert_string_equal(allot_progress_text(&p, 1, text),
                        "\u2588\u2588\u2588\u2588\u2588                 25%  "
                        "30 files, 8/s, about 12 s left");
    /* One directory is left: that is not 100%. */
    p = of(9999, 10000, 9000, 4, 0);
    allot_progress_text(&p, 0, text);
    assert_null(strstr(text, "100%"));
    assert_non_null(strstr(text, " 99%"));
}

static void
very_large_numbers(void **state)
{
    struct allot_progress p = of(0x1p63, 0x1p64, UINT64_MAX, 1e-9, 0);
    char text[ALLOT_PROGRESS_TEXT];

    (void)state;
    assert_true(near(p.part, 0.5));
    assert_true(p.files == UINT64_MAX);
    assert_true(p.rate > 1e28 && p.rate < 1e29);
    assert_true(p.left >= 0 && p.left < 1);
    assert_true(strlen(allot_progress_text(&p, 1, text)) < sizeof(text) - 1);
    assert_non_null(strstr(text, " 50%  18446744073709551615 files, "));
    /* Where it would be said in years it is not said. */
    p = of(1, 0x1p63, 1, 10, 0);
    assert_true(p.part > 0 && p.part < 1e-18);
    assert_true(p.left < 0);
    allot_progress_text(&p, 0, text);
    assert_string_equal(text, "#                      0%  1 file, 0/s");
    p = of(1, 1 + ALLOT_PROGRESS_LONG, 1, 1, 0);
    assert_true(near(p.left, ALLOT_PROGRESS_LONG));
}

/* What an earlier run has looked at is done, but it took other seconds. */
static void
a_scan_that_goes_on(void **state)
{
    struct allot_progress p = of(0, 100, 0, 0, 300);

    (void)state;
    assert_true(near(p.part, 0.75));
    assert_int_equal(p.files, 300);
    assert_true(near(p.rate, 0));
    assert_true(p.left < 0);
    p = of(50, 100, 40, 10, 300);
    assert_true(near(p.part, 0.875));
    assert_int_equal(p.files, 340);
    assert_true(near(p.rate, 4));
    assert_true(near(p.left, 10));
}

/* ---- the sums over workers --------------------------------------------------
 */

struct workers {
    struct allot_scan scan;
    struct allot_scan_list lists[3];
    struct allot_scan_worker done[3];
};

/* @entered directories of all so far, with all the files that are known. */
static void
begin(struct workers *w, uint64_t entered)
{
    memset(w, 0, sizeof(*w));
    w->scan.workers = 3;
    w->scan.lists = w->lists;
    w->scan.entered = entered;
    for (int i = 0; i < 3; i++)
        w->lists[i].done = &w->done[i];
}

/* Worker @i was dealt @planned directories; of those it has entered @known
 * files are known, @waiting are not entered. It has looked at @looked files in
 * @directories. */
static void
has(struct workers *w, int i, uint64_t planned, uint64_t waiting,
    uint64_t known, uint64_t looked, uint64_t directories)
{
    w->done[i].planned_directories = planned;
    w->done[i].directories = directories;
    w->done[i].files = looked;
    w->lists[i].dealt = waiting;
    w->lists[i].known = known;
    w->lists[i].looked = looked;
}

static void
sums_of_workers(void **state)
{
    struct allot_scan_progress now;
    struct allot_progress p;
    struct workers w;

    (void)state;
    /* The root is dealt, nobody has begun. */
    begin(&w, 0);
    has(&w, 0, 1, 1, 0, 0, 0);
    allot_scan_how_far_locked(&w.scan, &now);
    assert_int_equal(now.files, 0);
    assert_true(near(now.done, 0));
    assert_true(near(now.known, 2)); /* itself, and a file as a guess */

    /* One is ready, one in the middle, one has not begun. A directory that
     * nobody has entered counts as the mean, (60 + 20) / 4. */
    begin(&w, 4);
    has(&w, 0, 2, 0, 60, 60, 2);
    has(&w, 1, 3, 1, 20, 10, 2);
    has(&w, 2, 2, 2, 0, 0, 0);
    allot_scan_how_far_locked(&w.scan, &now);
    assert_int_equal(now.files, 70);
    assert_true(near(now.done, 60 + 2 + 10 + 2));
    assert_true(near(now.known, (60 + 2) + (20 + 3 + 20) + (2 + 40)));
    now.seconds = 7;
    allot_progress_of(&now, 0, &p);
    assert_true(near(p.part, 74.0 / 147));
    assert_true(near(p.rate, 10));
    assert_true(near(p.left, 7.0 * 73 / 74));

    /* What the ready one steals was dealt to another one: S_i may be larger
     * than Smax_i, S is what both have. */
    has(&w, 0, 2, 0, 60, 70, 3);
    allot_scan_how_far_locked(&w.scan, &now);
    assert_true(near(now.done, 70 + 3 + 10 + 2));
    assert_true(near(now.known, 147));

    /* All done. */
    begin(&w, 3);
    has(&w, 0, 1, 0, 5, 5, 1);
    has(&w, 1, 1, 0, 5, 5, 1);
    has(&w, 2, 1, 0, 0, 0, 1);
    allot_scan_how_far_locked(&w.scan, &now);
    allot_progress_of(&now, 0, &p);
    assert_true(p.part >= 1 && p.part <= 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_formula),
        cmocka_unit_test(nothing_done_yet),
        cmocka_unit_test(no_rate),
        cmocka_unit_test(a_clock_that_goes_back),
        cmocka_unit_test(all_done),
        cmocka_unit_test(very_large_numbers),
        cmocka_unit_test(a_scan_that_goes_on),
        cmocka_unit_test(sums_of_workers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
