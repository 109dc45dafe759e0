/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * oracle.c - random calls on a few files, compared with what memory says.
 *
 *     oracle [-s SEED] [-t SECONDS] [-f FILES] [-m MAX-BYTES] [-i INLINE-LIMIT]
 *            [-b BLOCK] [-x KIND,...] [-e ERRNO,...] [-o STATE] [-w SECONDS]
 *            [-p PROGRESS] [-S SECONDS] [-v | -r LIST] PLACE...
 *
 * A PLACE is a directory, gfapi:FILE.vol, or wrong:DIRECTORY (fs.h). Runs for
 * SECONDS (-t 0: until it is stopped), prints the seed and how many calls it
 * made, and leaves what the files must hold in STATE. With -v it makes no
 * changes: it compares the files with STATE, byte by byte. Several PLACEs of
 * one volume: every call goes to one of them; a file is closed in between, or
 * its size asked.
 *
 * If something is wrong it prints the seed and what, and then looks, for -S
 * seconds (60; 0: not), for the shortest sequence of calls that is wrong on
 * fresh files. -r makes the calls of a file with such lines. With -x, calls of
 * these kinds are not made. PROGRESS is a file that tells the number of calls
 * made so far.
 *
 * With -e the calls may fail with these errors ("any": with all). A change that
 * failed leaves bytes, and perhaps a size, unknown until they are written anew;
 * all the rest must be right all the time, and no read may end short of a byte
 * that is known to be there. Afterwards -v, without -e, on a mount without
 * faults, is the judge. Such calls do not fail the same way twice, so nothing
 * is shortened.
 *
 * Exits 0 if all was right, 1 if not, 3 if a call took longer than -w SECONDS.
 *
 * Deliberately not here: calls at the same time. Programs with different seeds
 * can run beside each other.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oracle.h"

struct world w = {
    .n_files = 2,
    .max_size = 600000,
    .inline_limit = 65536,
    .block = 16384,
    .allowed = "",
    .without = "",
};

static double seconds = 10;
static double shrink_seconds = 60;
static int patience = 60;
static const char *state;
static const char *progress;
static const char *replay;
static int judge;

/* ---- telling ---------------------------------------------------------------
 */

void
fail(const char *fmt, ...)
{
    va_list ap;

    printf("seed %llu, call %ld, %s: ", (unsigned long long)w.seed, w.calls,
           w.beat->now);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
    fflush(stdout);
    _exit(1);
}

void
now(const char *text)
{
    snprintf(w.beat->now, sizeof(w.beat->now), "%s", text);
    if (getenv("ORACLE_TRACE"))
        fprintf(stderr, "%ld %s\n", w.calls, text);
    w.calls++;
    __atomic_add_fetch(&w.beat->count, 1, __ATOMIC_RELAXED);
}

void
tolerate(long err)
{
    static const struct {
        const char *name;
        int err;
    } names[] = {
        {"EIO", EIO},       {"ENOSPC", ENOSPC},     {"ENOMEM", ENOMEM},
        {"ENOENT", ENOENT}, {"ENOTCONN", ENOTCONN}, {"EACCES", EACCES},
    };
    unsigned i = 0;

    if (strcmp(w.allowed, "any") == 0)
        return;
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].err == -err && strstr(w.allowed, names[i].name))
            return;
    fail("%s", strerror((int)-err));
}

int
faulty(void)
{
    return w.allowed[0] != '\0';
}

/* ---- the world -------------------------------------------------------------
 */

int
world_reset(const char *suffix)
{
    unsigned k = 0;
    int i = 0;

    for (k = 0; k < sizeof(w.bodies) / sizeof(w.bodies[0]); k++)
        w.bodies[k].used = 0;
    for (i = 0; i < w.n_files; i++) {
        struct name *n = &w.names[i];

        memset(n, 0, sizeof(*n));
        snprintf(n->text, sizeof(n->text), "oracle-%llu%s-%d",
                 (unsigned long long)w.seed, suffix, i);
        n->there = NO;
    }
    w.calls = 0;
    w.begin = time(NULL);
    if (!w.buf)
        w.buf = aligned_alloc(4096, (w.max_size + 300000) / 4096 * 4096);
    return w.buf ? 0 : -1;
}

void
world_connect(void)
{
    int i = 0;
    int ret = 0;

    for (i = 0; i < w.n_mounts; i++) {
        ret = fs_open_place(w.places[i], &w.fs[i]);
        if (ret) {
            printf("%s: %s\n", w.places[i], strerror(-ret));
            fflush(stdout);
            _exit(2);
        }
    }
}

/* ---- the watch -------------------------------------------------------------
 */

static void
tell_progress(const char *name)
{
    FILE *s = name ? fopen(name, "w") : NULL;

    if (s) {
        fprintf(s, "%ld\n", w.beat->count);
        fclose(s);
    }
}

int
watch(pid_t child, int limit, const char *tell)
{
    struct timespec step = {0, 10000000};
    struct timespec last_move, now_is;
    long last = -1;
    int status = 0;
    int turns = 0;

    clock_gettime(CLOCK_MONOTONIC, &last_move);
    while (waitpid(child, &status, WNOHANG) == 0) {
        clock_gettime(CLOCK_MONOTONIC, &now_is);
        if (w.beat->count != last)
            last_move = now_is;
        last = w.beat->count;
        if (turns++ % 10 == 0)
            tell_progress(tell);
        if (now_is.tv_sec - last_move.tv_sec > limit) {
            printf("seed %llu, call %ld hangs for %d s: %s\n",
                   (unsigned long long)w.seed, last, limit, w.beat->now);
            fflush(stdout);
            kill(child, SIGKILL);
            return 3;
        }
        nanosleep(&step, NULL);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* ---- the work --------------------------------------------------------------
 */

static void
work(void)
{
    struct timespec begin, end;
    struct op op;
    char suffix[32];
    long calls = 0;
    int part = 0;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        /* The list is full: the same on new files, so that a failure can still
         * be told from the beginning. */
        if (w.beat->n == OPS_MAX) {
            run_close();
            if (!faulty())
                run_verify();
            run_remove();
            calls += w.calls;
            snprintf(suffix, sizeof(suffix), "-%d", ++part);
            if (world_reset(suffix))
                _exit(2);
            w.beat->n = 0;
        }
        generate(&op);
        w.beat->ops[w.beat->n++] = op;
        run_op(&op);
        clock_gettime(CLOCK_MONOTONIC, &end);
    } while (seconds == 0 ||
             end.tv_sec - begin.tv_sec + (end.tv_nsec - begin.tv_nsec) * 1e-9 <
                 seconds);
    w.calls += calls;
    run_close();
}

static void
work_again(const char *name)
{
    FILE *s = fopen(name, "r");
    char text[OP_TEXT];
    struct op op;

    if (!s)
        fail("%s: %s", name, strerror(errno));
    while (fgets(text, sizeof(text), s)) {
        if (text[0] == '#' || text[0] == '\n')
            continue;
        if (op_parse(text, &op)) {
            printf("not a call: %s", text);
            fflush(stdout);
            _exit(2);
        }
        run_op(&op);
    }
    fclose(s);
    run_close();
}

static void
child_main(void)
{
    world_connect();
    if (judge)
        state_io(state, 0);
    else if (replay)
        work_again(replay);
    else
        work();
    /* Without faults everything is known, at once. */
    if (judge || !faulty())
        run_verify();
    if (!judge && state)
        state_io(state, 1);
    printf("seed %llu: %ld calls, %d %% of the bytes known\n",
           (unsigned long long)w.seed, w.calls, known_percent());
    fflush(stdout);
    _exit(0);
}

static int
options(int argc, char **argv)
{
    int opt = 0;

    w.seed = time(NULL);
    while ((opt = getopt(argc, argv, "s:t:f:m:i:b:x:e:o:w:p:S:r:v")) != -1) {
        switch (opt) {
            case 's':
                w.seed = strtoull(optarg, NULL, 10);
                break;
            case 't':
                seconds = atof(optarg);
                break;
            case 'f':
                w.n_files = atoi(optarg);
                break;
            case 'm':
                w.max_size = atol(optarg);
                break;
            case 'i':
                w.inline_limit = atol(optarg);
                break;
            case 'b':
                w.block = atol(optarg);
                break;
            case 'x':
                w.without = optarg;
                break;
            case 'e':
                w.allowed = optarg;
                break;
            case 'o':
                state = optarg;
                break;
            case 'w':
                patience = atoi(optarg);
                break;
            case 'p':
                progress = optarg;
                break;
            case 'S':
                shrink_seconds = atof(optarg);
                break;
            case 'r':
                replay = optarg;
                break;
            case 'v':
                judge = 1;
                break;
            default:
                return -1;
        }
    }
    for (; optind < argc && w.n_mounts < MOUNTS; optind++)
        w.places[w.n_mounts++] = argv[optind];
    return w.n_mounts && w.n_files > 0 && w.n_files <= FILES && w.block > 0 &&
                   w.inline_limit >= 0 &&
                   w.max_size >= w.inline_limit + 8 * w.block &&
                   w.max_size >= 8192 && !(judge && !state)
               ? 0
               : -1;
}

int
main(int argc, char **argv)
{
    pid_t child = 0;
    int ret = 0;

    if (options(argc, argv)) {
        fprintf(stderr, "usage: see the head of oracle.c\n");
        return 2;
    }
    w.beat = mmap(NULL, sizeof(*w.beat) + OPS_MAX * sizeof(struct op),
                  PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (w.beat == MAP_FAILED || world_reset(""))
        return 2;
    w.rng = w.seed;

    fflush(stdout);
    child = fork();
    if (child < 0)
        return 2;
    if (child == 0)
        child_main();
    ret = watch(child, patience, progress);
    if (ret == 1 && !faulty() && !judge && !replay && shrink_seconds > 0)
        shrink(shrink_seconds, patience);
    return ret;
}
