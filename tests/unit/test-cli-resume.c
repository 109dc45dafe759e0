/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-cli-resume.c - what is left of a report that was interrupted when
 * something else fails (cli/resume.c): the volume does not answer, the state or
 * the list cannot be opened, the output cannot be written.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "output.h"
#include "report.h"

static char place[] = "/tmp/allot-resume.XXXXXX";
static char state_name[64], list_name[64];

/* ---- the rest of the command -----------------------------------------------
 */

static int asked; /* what a question to the volume returns */

int
allot_report_changes(struct allot_report *report)
{
    (void)report;
    return asked;
}

int
allot_report_out_of_memory(void)
{
    return ALLOT_EXIT_ERROR;
}

int
allot_cli_error(const char *format, ...)
{
    (void)format;
    return ALLOT_EXIT_ERROR;
}

void
allot_output_signal(int number)
{
    (void)number;
}

void
allot_output_handle(int number, void (*handler)(int))
{
    (void)number;
    (void)handler;
}

/* ---- reports ---------------------------------------------------------------
 */

#define STATUS "{\"version\":1,\"state\":\"UP\",\"bricks\":[]}"

static struct allot_target target = {.shown = "/mnt"};
static struct allot_cli cli = {.form = ALLOT_FORM_JSON, .resume = state_name};

static void
begin(struct allot_report *report)
{
    struct allot_doc_error why = {""};

    memset(report, 0, sizeof(*report));
    report->cli = &cli;
    report->target = &target;
    report->only = ALLOT_DOC_NO_INDEX;
    allot_tally_begin(&report->tally);
    assert_int_equal(
        allot_doc_status_parse(STATUS, strlen(STATUS), &report->volume, &why),
        0);
}

static void
end(struct allot_report *report)
{
    size_t i;

    if (report->list)
        fclose(report->list);
    for (i = 0; i < report->pending_count; i++)
        free(report->pending[i]);
    free(report->pending);
    free(report->list_name);
    allot_tally_end(&report->tally);
    allot_seen_clear(&report->seen);
    allot_sums_clear(&report->sums);
    allot_doc_status_clear(&report->volume);
}

static int
is_there(const char *name)
{
    return access(name, F_OK) == 0;
}

/* A list with something on it. */
static void
write_list(void)
{
    FILE *f = fopen(list_name, "w");

    assert_non_null(f);
    fputs("[1]", f);
    fclose(f);
}

static int
prepare(void **state)
{
    (void)state;
    asked = 0;
    if (!strstr(place, "XXXXXX") || mkdtemp(place)) {
        snprintf(state_name, sizeof(state_name), "%s/state", place);
        snprintf(list_name, sizeof(list_name), "%s/state.list", place);
        return 0;
    }
    return -1;
}

static int
clean(void **state)
{
    (void)state;
    unlink(state_name);
    unlink(list_name);
    rmdir(place);
    strcpy(place + strlen(place) - 6, "XXXXXX");
    return 0;
}

/* The volume went away: what was looked at so far is saved all the same. */
static void
test_unasked(void **state)
{
    static const char *const paths[] = {"a", "b/c"};
    struct allot_report report;
    json_t *reasons;

    (void)state;
    begin(&report);
    assert_int_equal(allot_resume_begin(&report), 0);
    report.tally.files_total = 7;
    asked = ALLOT_EXIT_ERROR;
    assert_int_equal(allot_resume_save(&report, paths, 2), ALLOT_EXIT_ERROR);
    allot_resume_failed(&report);
    end(&report);
    assert_true(is_there(state_name));
    assert_true(is_there(list_name));

    begin(&report);
    assert_int_equal(allot_resume_begin(&report), 0);
    assert_int_equal(report.tally.files_total, 7);
    assert_int_equal(report.pending_count, 2);
    assert_string_equal(report.pending[1], "b/c");
    assert_false(report.tally.exact);
    reasons = allot_tally_reasons(&report.tally);
    assert_int_equal(json_array_size(reasons), 1);
    assert_string_equal(json_string_value(json_array_get(reasons, 0)),
                        "whether the bricks were the same until the report was "
                        "interrupted could not be asked");
    json_decref(reasons);
    end(&report);
}

static void
test_saved(void **state)
{
    static const char *const paths[] = {"a"};
    struct allot_report report;

    (void)state;
    begin(&report);
    assert_int_equal(allot_resume_begin(&report), 0);
    assert_int_equal(allot_resume_save(&report, paths, 1), 0);
    end(&report);
    begin(&report);
    assert_int_equal(allot_resume_begin(&report), 0);
    assert_true(report.tally.exact);
    end(&report);
}

/* Nothing was saved: the list that was begun is of no use. */
static void
test_nothing_saved(void **state)
{
    struct allot_report report;

    (void)state;
    begin(&report);
    assert_int_equal(allot_resume_begin(&report), 0);
    assert_true(is_there(list_name));
    allot_resume_failed(&report);
    end(&report);
    assert_false(is_there(list_name));
}

/* It cannot be told whether there is a state: its list stays as it is. */
static void
test_state_unknown(void **state)
{
    struct allot_report report;
    struct stat st;

    (void)state;
    write_list();
    assert_int_equal(symlink(state_name, state_name), 0);
    begin(&report);
    assert_int_equal(allot_resume_begin(&report), ALLOT_EXIT_ERROR);
    allot_resume_failed(&report);
    end(&report);
    assert_int_equal(stat(list_name, &st), 0);
    assert_int_equal(st.st_size, 3);
}

/* A list that this run has not opened is not removed. */
static void
test_list_unopened(void **state)
{
    struct allot_report report;
    struct stat st;

    (void)state;
    assert_int_equal(symlink(list_name, list_name), 0);
    begin(&report);
    assert_int_equal(allot_resume_begin(&report), ALLOT_EXIT_ERROR);
    allot_resume_failed(&report);
    end(&report);
    assert_int_equal(lstat(list_name, &st), 0);
}

/* Complete: what is saved goes when the output is written, not before. */
static void
test_settled(void **state)
{
    static const char *const paths[] = {"a"};
    static const int ends[] = {ALLOT_EXIT_ERROR, ALLOT_EXIT_OK};
    struct allot_report report;
    size_t i;

    (void)state;
    for (i = 0; i < 2; i++) {
        begin(&report);
        assert_int_equal(allot_resume_begin(&report), 0);
        assert_int_equal(allot_resume_save(&report, paths, 1), 0);
        allot_resume_end(&report);
        end(&report);
        assert_true(is_there(state_name));
        allot_resume_settle(ends[i]);
        assert_int_equal(is_there(state_name), ends[i] == ALLOT_EXIT_ERROR);
        assert_int_equal(is_there(list_name), ends[i] == ALLOT_EXIT_ERROR);
    }
    /* Another command has nothing to settle. */
    write_list();
    allot_resume_settle(ALLOT_EXIT_OK);
    assert_true(is_there(list_name));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_unasked, prepare, clean),
        cmocka_unit_test_setup_teardown(test_saved, prepare, clean),
        cmocka_unit_test_setup_teardown(test_nothing_saved, prepare, clean),
        cmocka_unit_test_setup_teardown(test_state_unknown, prepare, clean),
        cmocka_unit_test_setup_teardown(test_list_unopened, prepare, clean),
        cmocka_unit_test_setup_teardown(test_settled, prepare, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
