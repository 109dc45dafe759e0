/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * oracle-shrink.c - from a list of calls that fails to a short one.
 *
 * Each attempt is a process of its own, on files of its own. First the last
 * 2, 4, 8, ... calls are tried, since most failures need few; then delta
 * debugging: leave out a part; what still fails is the new list; when no part
 * can be left out the parts become half as large, down to single calls. Then
 * the calls themselves become simpler (the first file, the plain fd, ...),
 * which makes more of them superfluous, and any two are tried to be left out
 * together. The result fails, and leaving out any one or two calls makes it
 * succeed, unless time is up before.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oracle.h"

static struct op *list;
static size_t list_n;
static struct op *attempt;
static struct timespec end;
static int attempts;

static int
time_is_up(void)
{
    struct timespec now_is;

    clock_gettime(CLOCK_MONOTONIC, &now_is);
    return now_is.tv_sec > end.tv_sec ||
           (now_is.tv_sec == end.tv_sec && now_is.tv_nsec >= end.tv_nsec);
}

/* Do these calls fail on fresh files? */
static int
fails(const struct op *ops, size_t n, int patience, int aloud)
{
    char suffix[32];
    size_t i = 0;
    pid_t child = 0;

    snprintf(suffix, sizeof(suffix), "-t%d", attempts++);
    fflush(stdout);
    child = fork();
    if (child < 0)
        return 0;
    if (child == 0) {
        if (!aloud && !freopen("/dev/null", "w", stdout))
            _exit(2);
        if (world_reset(suffix))
            _exit(2);
        world_connect();
        for (i = 0; i < n; i++)
            run_op(&ops[i]);
        run_close();
        run_verify();
        run_remove();
        _exit(0);
    }
    return watch(child, patience, NULL) == 1;
}

static int
suffixes(int patience)
{
    size_t n = 2;

    for (n = 2; n < list_n && !time_is_up(); n *= 2) {
        if (!fails(list + list_n - n, n, patience, 0))
            continue;
        memmove(list, list + list_n - n, n * sizeof(*list));
        list_n = n;
        return 1;
    }
    return fails(list, list_n, patience, 0);
}

/* One pass with parts of @part calls. Has anything been left out? */
static int
pass(size_t part, int patience)
{
    size_t at = 0;
    int shorter = 0;

    while (at < list_n && !time_is_up()) {
        size_t out = part < list_n - at ? part : list_n - at;

        memcpy(attempt, list, at * sizeof(*list));
        memcpy(attempt + at, list + at + out,
               (list_n - at - out) * sizeof(*list));
        if (fails(attempt, list_n - out, patience, 0)) {
            list_n -= out;
            memcpy(list, attempt, list_n * sizeof(*list));
            shorter = 1;
        } else {
            at += out;
        }
    }
    return shorter;
}

/* Has a field of any call become what a reader expects? */
static int
simpler(int patience)
{
    int done = 0;
    size_t i = 0;
    int k = 0;

    for (i = 0; i < list_n; i++) {
        for (k = 0; k < 5 && !time_is_up(); k++) {
            struct op op = list[i];
            struct op *now_op = &attempt[i];

            memcpy(attempt, list, list_n * sizeof(*list));
            if (k == 0)
                now_op->ghost = 0;
            else if (k == 1)
                now_op->flavor = op.kind == OP_APPEND ? FD_APPEND : FD_PLAIN;
            else if (k == 2)
                now_op->file = 0;
            else if (k == 3)
                now_op->shut = 0;
            else
                now_op->mount = 0;
            if (memcmp(now_op, &op, sizeof(op)) == 0 ||
                !fails(attempt, list_n, patience, 0))
                continue;
            list[i] = *now_op;
            done = 1;
        }
    }
    return done;
}

/* Has it been possible to leave out two calls that need each other? */
static int
pairs(int patience)
{
    size_t i = 0;
    size_t j = 0;

    for (i = 0; i + 1 < list_n; i++) {
        for (j = i + 1; j < list_n && !time_is_up(); j++) {
            memcpy(attempt, list, j * sizeof(*list));
            memcpy(attempt + j, list + j + 1, (list_n - j - 1) * sizeof(*list));
            memmove(attempt + i, attempt + i + 1,
                    (list_n - 2 - i) * sizeof(*list));
            if (!fails(attempt, list_n - 2, patience, 0))
                continue;
            list_n -= 2;
            memcpy(list, attempt, list_n * sizeof(*list));
            return 1;
        }
    }
    return 0;
}

void
shrink(double seconds, int patience)
{
    size_t all = w.beat->n;
    size_t part = 0;
    size_t i = 0;
    char text[OP_TEXT];

    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += (time_t)seconds;
    list = malloc((all + 1) * sizeof(*list));
    attempt = malloc((all + 1) * sizeof(*list));
    if (!list || !attempt)
        return;
    memcpy(list, w.beat->ops, all * sizeof(*list));
    list_n = all;
    if (!suffixes(patience)) {
        printf("the same %zu calls on fresh files do not fail again\n", all);
        return;
    }
    for (part = list_n / 2; part > 0; part /= 2)
        pass(part, patience);
    while (!time_is_up() &&
           (pass(1, patience) || simpler(patience) || pairs(patience)))
        ;
    printf(
        "the shortest failing sequence is %zu of %zu calls, found in %d "
        "attempts%s:\n",
        list_n, all, attempts, time_is_up() ? ", when time was up" : "");
    for (i = 0; i < list_n; i++) {
        op_text(&list[i], text);
        printf("%s\n", text);
    }
    printf("it ends so: ");
    if (!fails(list, list_n, patience, 1))
        printf("this time it does not fail\n");
}
