/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * stops.c - stops single threads of processes for a moment, at random, as a
 * busy machine does, only longer. Steps of two processes that are next to each
 * other nearly always then happen in the other order, too.
 *
 *     stops SEED MAX_MS PID... [-c PID]
 *
 * PID: a process, all its threads; after -c one whose children, and theirs, are
 * meant, as they are at that moment. Up to HELD threads at once are held, each
 * for up to MAX_MS ms. Goes on until it gets SIGTERM or the last PID is gone,
 * and prints "N stops". The kernel lets go what it held when it has ended.
 *
 * Deliberately not here: what must be true all the while.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HELD 6
#define PIDS_MAX 256

/* A thread is asked to stop, and stops when the kernel gets to it, which takes
 * long where it waits for a disk, or through FUSE for an answer of another
 * thread that is held. So nothing here waits for it. */
struct hold {
    pid_t tid;      /* 0: free */
    uint64_t until; /* 0: has not stopped yet */
    int sig;        /* it stopped on the way to this signal; 0: none */
};

static volatile sig_atomic_t ended;

static void
on_term(int sig)
{
    (void)sig;
    ended = 1;
}

static uint64_t
now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* xorshift64: the same for the same seed. */
static uint64_t
draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* The numbers that are the names in @path, at most @max. */
static int
numbers(const char *path, pid_t *out, int max)
{
    DIR *dir = opendir(path);
    struct dirent *entry = NULL;
    int n = 0;

    if (!dir)
        return 0;
    while (n < max && (entry = readdir(dir)))
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
            out[n++] = (pid_t)atoi(entry->d_name);
    closedir(dir);
    return n;
}

/* @pid's children and theirs, behind the @n that are in @out. Returns how many
 * there are then. */
static int
descendants(pid_t pid, pid_t *out, int n)
{
    char path[64];
    FILE *file = NULL;
    int first = n;
    int last = 0;
    int child = 0;
    int i = 0;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
    file = fopen(path, "r");
    while (file && n < PIDS_MAX && fscanf(file, "%d", &child) == 1)
        if (child != getpid())
            out[n++] = child;
    if (file)
        fclose(file);
    last = n;
    for (i = first; i < last; i++)
        n = descendants(out[i], out, n);
    return n;
}

/* One step of a thread that is asked to stop, or has. */
static void
go_on(struct hold *h, uint64_t *state, uint64_t max_us)
{
    int status = 0;

    if (waitpid(h->tid, &status, __WALL | WNOHANG)) {
        /* Ended, perhaps while it was held. Its process ends only when we have
         * waited for it. */
        if (!WIFSTOPPED(status)) {
            h->tid = 0;
            return;
        }
        h->sig = status >> 16 == PTRACE_EVENT_STOP ? 0 : WSTOPSIG(status);
        h->until = now_us() + draw(state) % max_us;
    }
    if (h->until && h->until <= now_us() &&
        ptrace(PTRACE_DETACH, h->tid, NULL, (void *)(long)h->sig) == 0)
        h->tid = 0;
}

/* Ask a thread of @pid to stop. False: it is gone, or somebody else has it. */
static int
stop_one(struct hold *h, pid_t pid, uint64_t *state)
{
    char path[64];
    pid_t tids[512];
    pid_t tid = 0;
    int n = 0;

    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    n = numbers(path, tids, 512);
    if (n == 0)
        return 0;
    tid = tids[draw(state) % (uint64_t)n];
    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL))
        return 0;
    h->tid = tid;
    h->until = 0;
    h->sig = 0;
    return ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) == 0;
}

int
main(int argc, char **argv)
{
    struct timespec tick = {0, 500000};
    struct sigaction action = {.sa_handler = on_term};
    struct hold held[HELD] = {{0}};
    pid_t roots[PIDS_MAX];
    pid_t pids[PIDS_MAX];
    pid_t parent = 0;
    uint64_t state = 0;
    uint64_t max_us = 0;
    unsigned long stops = 0;
    int n_roots = 0;
    int n = 0;
    int i = 0;

    if (argc < 4) {
        fprintf(stderr, "usage: stops SEED MAX_MS PID... [-c PID]\n");
        return 2;
    }
    state = strtoull(argv[1], NULL, 10) * 2654435761u + 1;
    max_us = strtoull(argv[2], NULL, 10) * 1000 + 1;
    for (i = 3; i < argc && n_roots < PIDS_MAX; i++) {
        if (strcmp(argv[i], "-c") == 0 && i + 1 < argc)
            parent = (pid_t)atoi(argv[++i]);
        else
            roots[n_roots++] = (pid_t)atoi(argv[i]);
    }
    sigaction(SIGTERM, &action, NULL);
    while (!ended) {
        memcpy(pids, roots, sizeof(roots[0]) * (size_t)n_roots);
        n = parent ? descendants(parent, pids, n_roots) : n_roots;
        while (n_roots > 0 && kill(roots[n_roots - 1], 0) && errno == ESRCH)
            n_roots--;
        if (n == 0)
            break;
        for (i = 0; i < HELD; i++) {
            if (held[i].tid)
                go_on(&held[i], &state, max_us);
            else
                stops += (unsigned long)stop_one(
                    &held[i], pids[draw(&state) % (uint64_t)n], &state);
        }
        nanosleep(&tick, NULL);
    }
    printf("%lu stops\n", stops);
    return stops == 0;
}
