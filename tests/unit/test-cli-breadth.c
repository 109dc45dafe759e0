/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-cli-breadth.c - the memory of a scan of very many directories in one,
 * and of very many files: what waits is bounded by the directories that were
 * found and not entered, at the documented figure for each (cli/scan.h).
 *
 * The scan's sources are compiled into this program with malloc() and its kin
 * counted; the linker then takes nothing of them from the library.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
static size_t live, peak; /* bytes asked for and not given back; the most */

/* Before each block stands its size. */
union head {
    size_t size;
    max_align_t align;
};

static void
count(size_t less, size_t more)
{
    pthread_mutex_lock(&counting);
    live = live - less + more;
    if (live > peak)
        peak = live;
    pthread_mutex_unlock(&counting);
}

static void *
counted_realloc(void *old, size_t size)
{
    union head *before = old ? (union head *)old - 1 : NULL;
    size_t was = before ? before->size : 0;
    union head *head = realloc(before, sizeof(*head) + size);

    assert_non_null(head);
    /* Old and new are both there while it copies. */
    count(0, size);
    count(was, 0);
    head->size = size;
    return head + 1;
}

static void *
counted_malloc(size_t size)
{
    return counted_realloc(NULL, size);
}

static void *
counted_calloc(size_t n, size_t size)
{
    return memset(counted_malloc(n * size), 0, n * size);
}

static char *
counted_strdup(const char *text)
{
    return strcpy(counted_malloc(strlen(text) + 1), text);
}

static void
counted_free(void *block)
{
    union head *head = block ? (union head *)block - 1 : NULL;

    if (head)
        count(head->size, 0);
    free(head);
}

#define malloc counted_malloc
#define calloc counted_calloc
#define realloc counted_realloc
#undef strdup
#define strdup counted_strdup
#define free counted_free

#include "scan-work.c"
#include "scan.c"

#undef malloc
#undef calloc
#undef realloc
#undef strdup
#undef free

/* ---- a root with @n names ---------------------------------------------------
 */

static struct {
    unsigned int n;
    unsigned char type; /* of all of them */
    unsigned int digits;
} tree;

struct fake_dir {
    struct allot_dir dir;
    int root;
    unsigned int at;
    char name[256];
};

static unsigned int entered, files; /* atomic */

static int
fake_dir_open(struct allot_dir *parent, const char *name,
              struct allot_dir **out)
{
    struct fake_dir *dir = calloc(1, sizeof(*dir));

    (void)name;
    assert_non_null(dir);
    dir->dir.target = parent->target;
    *out = &dir->dir;
    __atomic_add_fetch(&entered, 1, __ATOMIC_RELAXED);
    return 0;
}

static void
fake_dir_close(struct allot_dir *dir)
{
    free(dir);
}

static int
fake_stat(struct allot_dir *dir, const char *name, struct stat *st)
{
    (void)dir;
    memset(st, 0, sizeof(*st));
    st->st_dev = 1;
    st->st_mode = !name || tree.type == DT_DIR ? S_IFDIR : S_IFREG;
    return 0;
}

static int
fake_dir_next(struct allot_dir *base, struct allot_entry *entry)
{
    struct fake_dir *dir = (struct fake_dir *)base;

    if (!dir->root || dir->at == tree.n)
        return 0;
    snprintf(dir->name, sizeof(dir->name), "%0*u", (int)tree.digits, dir->at++);
    entry->name = dir->name;
    entry->type = tree.type;
    return 1;
}

static const struct allot_target_ops fake_ops = {
    .dir_open = fake_dir_open,
    .dir_next = fake_dir_next,
    .dir_close = fake_dir_close,
    .stat = fake_stat,
};

/* Of the library, for what is not asked here. */
ssize_t
allot_target_ask(struct allot_dir *base, const char *name, const char *key,
                 char **text)
{
    (void)base, (void)name, (void)key, (void)text;
    return -ENODATA;
}

static int
on_file(void *arg, unsigned int worker, struct allot_dir *dir, const char *name,
        const char *path, const struct stat *st, int err)
{
    (void)arg, (void)worker, (void)dir, (void)name, (void)path, (void)st;
    assert_int_equal(err, 0);
    __atomic_add_fetch(&files, 1, __ATOMIC_RELAXED);
    return 0;
}

static int
on_incomplete(void *arg, const char *path, int err)
{
    (void)arg;
    fail_msg("%s is incomplete: %d", path, err);
    return 1;
}

/* Bytes at the most. */
static size_t
scan(unsigned int n, unsigned char type, unsigned int digits,
     unsigned int workers)
{
    static const struct allot_scan_ops ops = {.file = on_file,
                                              .incomplete = on_incomplete};
    static const char *const at_root[] = {""};
    static struct allot_target target;
    struct fake_dir root = {.root = 1};
    struct allot_scan_worker done[ALLOT_WORKERS_MAX];

    tree.n = n;
    tree.type = type;
    tree.digits = digits;
    entered = files = 0;
    peak = 0;
    assert_int_equal(live, 0);
    root.dir.target = &target;
    target.ops = &fake_ops;
    target.dir = &root.dir;
    assert_int_equal(allot_scan(&target, &ops, NULL, at_root, 1, workers, done),
                     0);
    assert_int_equal(entered, type == DT_DIR ? n : 0);
    assert_int_equal(files, type == DT_DIR ? 0 : n);
    assert_int_equal(live, 0);
    return peak;
}

#define MANY 200000u
/* A list has just been made longer when there are so many: the worst case. */
#define WORST ((1u << 17) + 1)

/* As scan.h says: the path, and not more than this. */
static size_t
allowed(unsigned int n, unsigned int digits, size_t base)
{
    return base + (size_t)n * (ALLOT_SCAN_WAITING_BYTES + digits + 1);
}

static void
directories_in_one(void **state)
{
    static const unsigned int digits[] = {6, 200};
    size_t base = scan(0, DT_DIR, 6, 1), got;

    (void)state;
    for (size_t d = 0; d < 2; d++) {
        /* One worker: none is entered before all are found. */
        got = scan(MANY, DT_DIR, digits[d], 1);
        print_message("%u directories with names of %u: %zu bytes, %.1f each\n",
                      MANY, digits[d], got - base, (double)(got - base) / MANY);
        assert_true(got <= allowed(MANY, digits[d], base));
    }
    got = scan(WORST, DT_DIR, 6, 1);
    assert_true(got <= allowed(WORST, 6, base));
    assert_true(got > allowed(WORST, 5, base));
    got = scan(MANY, DT_DIR, 6, 4);
    assert_true(got <= allowed(MANY, 6, scan(0, DT_DIR, 6, 4)));
}

static void
files_in_one(void **state)
{
    (void)state;
    for (unsigned int workers = 1; workers <= 4; workers += 3) {
        size_t few = scan(10, DT_REG, 200, workers);

        assert_int_equal(scan(MANY, DT_REG, 200, workers), few);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directories_in_one),
        cmocka_unit_test(files_in_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
