/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-cli-scan.c - how workers share a tree (cli/scan.c): every file once, the
 * plan even, work stolen where the plan was wrong, pauses only between
 * directories. The volume is a few functions that make up names.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "allot-wire.h"
#include "scan.h"

/*
 * A volume: the root has directories d0, d1, ...; each has files f0, f1, ... in
 * pages, which may be asked for only while the directory is open.
 */
#define DIRS_MAX 400
#define PAGE 10

struct fake {
    unsigned int dirs;
    unsigned int files[DIRS_MAX]; /* of each */
    int listed;                   /* the question is not known: readdir */

    pthread_mutex_t lock;
    unsigned int met[DIRS_MAX]; /* files looked at of each */
    int open;                   /* directories */
    int open_most;
};

struct fake_dir {
    struct allot_dir dir;
    int no;          /* -1: the root */
    unsigned int at; /* of readdir */
    char name[32];
};

static struct fake fake;
static struct allot_target fake_target;

static int
fake_dir_open(struct allot_dir *parent, const char *name,
              struct allot_dir **out)
{
    struct fake_dir *dir = calloc(1, sizeof(*dir));

    assert_non_null(dir);
    dir->dir.target = parent->target;
    dir->no = atoi(name + 1);
    *out = &dir->dir;
    pthread_mutex_lock(&fake.lock);
    fake.open++;
    if (fake.open > fake.open_most)
        fake.open_most = fake.open;
    pthread_mutex_unlock(&fake.lock);
    return 0;
}

static void
fake_dir_close(struct allot_dir *base)
{
    struct fake_dir *dir = (struct fake_dir *)base;

    pthread_mutex_lock(&fake.lock);
    fake.open--;
    pthread_mutex_unlock(&fake.lock);
    free(dir);
}

static int
fake_stat(struct allot_dir *base, const char *name, struct stat *st)
{
    (void)base;
    memset(st, 0, sizeof(*st));
    st->st_dev = 1;
    st->st_mode = !name || name[0] == 'd' ? S_IFDIR : S_IFREG;
    return 0;
}

static unsigned int
fake_size(const struct fake_dir *dir)
{
    return dir->no < 0 ? fake.dirs : fake.files[dir->no];
}

static int
fake_dir_next(struct allot_dir *base, struct allot_entry *entry)
{
    struct fake_dir *dir = (struct fake_dir *)base;

    if (dir->at == fake_size(dir))
        return 0;
    snprintf(dir->name, sizeof(dir->name), "%c%u", dir->no < 0 ? 'd' : 'f',
             dir->at++);
    entry->name = dir->name;
    entry->type = dir->no < 0 ? DT_DIR : DT_REG;
    return 1;
}

ssize_t
allot_target_ask(struct allot_dir *base, const char *name, const char *key,
                 char **text)
{
    struct fake_dir *dir = (struct fake_dir *)base;
    unsigned int at = 0, end;
    size_t len;

    assert_null(name);
    if (fake.listed)
        return -ENODATA;
    if (strlen(key) > strlen(ALLOT_VIRT_CHILDREN))
        at = (unsigned int)atoi(key + strlen(ALLOT_VIRT_CHILDREN) + 1);
    end = at + PAGE < fake_size(dir) ? at + PAGE : fake_size(dir);
    *text = malloc(4096);
    assert_non_null(*text);
    len = (size_t)sprintf(*text,
                          "{\"version\":1,\"inline_limit\":0,\"entries\":[");
    for (; at < end; at++)
        len += (size_t)sprintf(
            *text + len, dir->no < 0 ? "%s[\"d%u\",4]" : "%s[\"f%u\",8,1]",
            (*text)[len - 1] == '[' ? "" : ",", at);
    if (end < fake_size(dir))
        len += (size_t)sprintf(*text + len, "],\"next\":\"%u\"}", end);
    else
        len += (size_t)sprintf(*text + len, "]}");
    return (ssize_t)len;
}

static const struct allot_target_ops fake_ops = {
    .dir_open = fake_dir_open,
    .dir_next = fake_dir_next,
    .dir_close = fake_dir_close,
    .stat = fake_stat,
};

/* ---- who scans it -----------------------------------------------------------
 */

struct scan {
    /* Nobody goes on in the huge directory until so many workers were there. */
    unsigned int wait_for;
    uint64_t there; /* bits */
    pthread_cond_t came;
    int timed_out;

    unsigned int stop_after; /* due() says 2 after so many files; 0: never */
    unsigned int files;
    char *left[DIRS_MAX]; /* by checkpoint() */
    size_t left_count;
    int checkpoints;
};

static struct scan scan;

static unsigned int
bits(uint64_t n)
{
    unsigned int count = 0;

    for (; n; n &= n - 1)
        count++;
    return count;
}

static int
met(unsigned int worker, const char *path)
{
    unsigned int dir, file;
    struct timespec until;

    assert_int_equal(sscanf(path, "d%u/f%u", &dir, &file), 2);
    pthread_mutex_lock(&fake.lock);
    fake.met[dir]++;
    scan.files++;
    if (scan.wait_for && fake.files[dir] > PAGE) {
        scan.there |= UINT64_C(1) << worker;
        pthread_cond_broadcast(&scan.came);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 20;
        while (bits(scan.there) < scan.wait_for && !scan.timed_out)
            if (pthread_cond_timedwait(&scan.came, &fake.lock, &until))
                scan.timed_out = 1;
    }
    pthread_mutex_unlock(&fake.lock);
    return 0;
}

static int
on_file(void *arg, unsigned int worker, struct allot_dir *dir, const char *name,
        const char *path, const struct stat *st, int err)
{
    (void)arg, (void)dir, (void)name, (void)st;
    assert_int_equal(err, 0);
    return met(worker, path);
}

static int
on_known(void *arg, unsigned int worker, const char *path,
         const struct allot_child *child)
{
    (void)arg;
    assert_int_equal(child->size, 1);
    return met(worker, path);
}

static int
on_incomplete(void *arg, const char *path, int err)
{
    (void)arg;
    fail_msg("%s is incomplete: %d", path, err);
    return 1;
}

static int
on_due(void *arg)
{
    int due;

    (void)arg;
    pthread_mutex_lock(&fake.lock);
    due = scan.stop_after && scan.files >= scan.stop_after ? 2 : 0;
    pthread_mutex_unlock(&fake.lock);
    return due;
}

static int
on_checkpoint(void *arg, const char *const *paths, size_t count)
{
    size_t i;

    (void)arg;
    scan.checkpoints++;
    for (i = 0; i < count; i++)
        scan.left[scan.left_count++] = strdup(paths[i]);
    /* Nobody is in a directory. */
    pthread_mutex_lock(&fake.lock);
    assert_int_equal(fake.open, 0);
    for (i = 0; i < fake.dirs; i++)
        assert_true(fake.met[i] == 0 || fake.met[i] == fake.files[i]);
    pthread_mutex_unlock(&fake.lock);
    return 0;
}

static const struct allot_scan_ops scan_ops = {
    .file = on_file,
    .known = on_known,
    .incomplete = on_incomplete,
    .due = on_due,
    .checkpoint = on_checkpoint,
};

/* @each files in @dirs directories. */
static void
begin(unsigned int dirs, unsigned int each)
{
    memset(&fake, 0, sizeof(fake));
    memset(&scan, 0, sizeof(scan));
    pthread_mutex_init(&fake.lock, NULL);
    pthread_cond_init(&scan.came, NULL);
    fake.dirs = dirs;
    for (unsigned int i = 0; i < dirs; i++)
        fake.files[i] = each;
}

static int
run(unsigned int workers, const char *const *start, size_t count,
    struct allot_scan_worker *done)
{
    static struct fake_dir root = {.no = -1};

    root.at = 0;
    root.dir.target = &fake_target;
    fake_target.ops = &fake_ops;
    fake_target.dir = &root.dir;
    return allot_scan(&fake_target, &scan_ops, NULL, start, count, workers,
                      done);
}

static const char *const at_root[] = {""};

/* Each file was met once, and the workers' sums are those of the tree. */
static void
all_once(unsigned int workers, const struct allot_scan_worker *done)
{
    uint64_t files = 0;
    struct allot_scan_worker sum = {0, 0, 0, 0, 0};

    for (unsigned int i = 0; i < fake.dirs; i++) {
        assert_int_equal(fake.met[i], fake.files[i]);
        files += fake.files[i];
    }
    for (unsigned int w = 0; w < workers; w++) {
        sum.planned_files += done[w].planned_files;
        sum.planned_directories += done[w].planned_directories;
        sum.files += done[w].files;
        sum.directories += done[w].directories;
    }
    assert_int_equal(sum.files, files);
    assert_int_equal(sum.planned_files, files);
    assert_int_equal(sum.directories, fake.dirs + 1);
    assert_int_equal(sum.planned_directories, fake.dirs + 1);
    assert_int_equal(fake.open, 0);
}

static void
every_file_once(void **state)
{
    struct allot_scan_worker done[ALLOT_WORKERS_MAX];
    static const unsigned int counts[] = {1, 2, 3, 8, ALLOT_WORKERS_MAX};

    (void)state;
    for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++)
        for (int listed = 0; listed < 2; listed++) {
            begin(57, 0);
            for (unsigned int i = 0; i < fake.dirs; i++)
                fake.files[i] = (i * 7) % 45;
            fake.listed = listed;
            assert_int_equal(run(counts[c], at_root, 1, done), 0);
            all_once(counts[c], done);
            /* One open directory for each worker, and the one whose rest
             * somebody has stolen. */
            assert_true(fake.open_most <= (int)counts[c] + 1);
        }
}

/* T_total / p: nobody is dealt more than the others by more than what the last
 * directory has, once it is known how large directories are. */
static void
the_plan_is_even(void **state)
{
    struct allot_scan_worker done[ALLOT_WORKERS_MAX];

    (void)state;
    for (unsigned int workers = 1; workers <= 8; workers++) {
        begin(320, 6);
        assert_int_equal(run(workers, at_root, 1, done), 0);
        all_once(workers, done);
        for (unsigned int w = 0; w < workers; w++) {
            double share = 320.0 * 6 / workers;

            assert_true((double)done[w].planned_files > 0.8 * share);
            assert_true((double)done[w].planned_files < 1.2 * share);
        }
    }
}

/* One directory has nearly all of it: it was dealt to one, and others do most
 * of it. That they do is certain: the first waits until all are there. */
static void
a_huge_directory_is_shared(void **state)
{
    struct allot_scan_worker done[4];
    uint64_t stolen = 0;
    int owners = 0;

    (void)state;
    begin(9, 3);
    fake.files[4] = 100 * PAGE;
    scan.wait_for = 4;
    assert_int_equal(run(4, at_root, 1, done), 0);
    assert_int_equal(scan.timed_out, 0);
    all_once(4, done);
    for (int w = 0; w < 4; w++) {
        stolen += done[w].stolen;
        owners += done[w].planned_files >= 100 * PAGE;
        assert_true(done[w].files > 0 && done[w].files < 100 * PAGE);
    }
    assert_int_equal(owners, 1);
    assert_true(stolen >= 3);
}

/* It ends between two directories, also where one has many pages, and what it
 * left is all the rest. */
static void
what_is_left_is_gone_on_with(void **state)
{
    struct allot_scan_worker done[5];
    unsigned int runs;
    int ret;

    (void)state;
    for (unsigned int workers = 1; workers <= 5; workers += 2) {
        const char *start[DIRS_MAX] = {""};
        size_t count = 1;

        begin(60, 25);
        fake.files[7] = 400;
        for (runs = 1;; runs++) {
            assert_true(runs < 100);
            scan.stop_after = scan.files + 200;
            ret = run(workers, start, count, done);
            for (size_t i = 0; runs > 1 && i < count; i++)
                free((char *)start[i]);
            if (ret != ALLOT_SCAN_STOPPED)
                break;
            count = scan.left_count;
            memcpy(start, scan.left, count * sizeof(*start));
            scan.left_count = 0;
        }
        assert_int_equal(ret, 0);
        for (unsigned int i = 0; i < fake.dirs; i++)
            assert_int_equal(fake.met[i], fake.files[i]);
        assert_true(runs > 3);
        assert_int_equal(scan.checkpoints, runs - 1);
    }
}

static int
on_third(void *arg, unsigned int worker, const char *path,
         const struct allot_child *child)
{
    int ret = on_known(arg, worker, path, child);

    return ret ? ret : scan.files == 3 ? 77 : 0;
}

static void
an_error_ends_it_for_all(void **state)
{
    struct allot_scan_ops ops = scan_ops;
    struct allot_scan_worker done[4];
    struct fake_dir root = {.no = -1};

    (void)state;
    begin(200, 30);
    ops.known = on_third;
    root.dir.target = &fake_target;
    fake_target.ops = &fake_ops;
    fake_target.dir = &root.dir;
    assert_int_equal(allot_scan(&fake_target, &ops, NULL, at_root, 1, 4, done),
                     77);
    assert_true(scan.files < 200 * 30);
    assert_int_equal(fake.open, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_once),
        cmocka_unit_test(the_plan_is_even),
        cmocka_unit_test(a_huge_directory_is_shared),
        cmocka_unit_test(what_is_left_is_gone_on_with),
        cmocka_unit_test(an_error_ends_it_for_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
