/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * files.c - one application that does the same to many files, one after the
 * other, and says how many it did in a second.
 *
 *   files DIR PHASE[,PHASE...] COUNT BYTES
 *
 *   create   make and write each, in calls of 128 KiB at most
 *   sparse   make each with a byte in every 4 MiB
 *   stat, read, rename, unlink
 *   hold     open each and keep it open until standard input ends
 *
 * Each phase prints a line "PHASE_per_s N". Files are renamed to names of their
 * own and found again under these.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PIECE_BYTES (128 * 1024)
#define SPARSE_BYTES (4 * 1024 * 1024)

static char buf[PIECE_BYTES];
static int renamed;

static void
die(const char *what, const char *name)
{
    fprintf(stderr, "files: %s %s: %s\n", what, name, strerror(errno));
    exit(1);
}

static const char *
name_of(unsigned long i, int is_renamed)
{
    static char names[2][64];

    snprintf(names[is_renamed], sizeof(names[0]), "%c%lu",
             is_renamed ? 'r' : 'f', i);
    return names[is_renamed];
}

static void
do_create(const char *name, long bytes)
{
    int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);

    if (fd < 0)
        die("create", name);
    while (bytes > 0) {
        ssize_t n = write(fd, buf, bytes < PIECE_BYTES ? bytes : PIECE_BYTES);

        if (n <= 0)
            die("write", name);
        bytes -= n;
    }
    if (close(fd))
        die("close", name);
}

static void
do_sparse(const char *name, long bytes)
{
    int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);
    long at = 0;

    if (fd < 0 || ftruncate(fd, bytes))
        die("create", name);
    for (at = 0; at < bytes; at += SPARSE_BYTES)
        if (pwrite(fd, "x", 1, at) != 1)
            die("write", name);
    if (close(fd))
        die("close", name);
}

static void
do_read(const char *name, long bytes)
{
    int fd = open(name, O_RDONLY);
    ssize_t n = 0;
    long sum = 0;

    if (fd < 0)
        die("open", name);
    while ((n = read(fd, buf, sizeof(buf))) > 0)
        sum += n;
    if (n < 0 || sum != bytes)
        die("read", name);
    close(fd);
}

static void
do_one(const char *phase, unsigned long i, long bytes)
{
    const char *name = name_of(i, renamed);
    struct stat st;

    if (strcmp(phase, "create") == 0) {
        do_create(name, bytes);
    } else if (strcmp(phase, "sparse") == 0) {
        do_sparse(name, bytes);
    } else if (strcmp(phase, "stat") == 0) {
        if (stat(name, &st) || st.st_size != bytes)
            die("stat", name);
    } else if (strcmp(phase, "read") == 0) {
        do_read(name, bytes);
    } else if (strcmp(phase, "hold") == 0) {
        if (open(name, O_RDWR) < 0)
            die("open", name);
    } else if (strcmp(phase, "rename") == 0) {
        if (rename(name, name_of(i, !renamed)))
            die("rename", name);
    } else if (strcmp(phase, "unlink") == 0) {
        if (unlink(name))
            die("unlink", name);
    } else {
        errno = EINVAL;
        die("phase", phase);
    }
}

int
main(int argc, char **argv)
{
    unsigned long count = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;
    long bytes = argc == 5 ? strtol(argv[4], NULL, 10) : 0;
    char *phase = NULL;
    char *save = NULL;

    if (!count || bytes <= 0) {
        fprintf(stderr, "usage: files DIR PHASE[,PHASE...] COUNT BYTES\n");
        return 2;
    }
    memset(buf, 'x', sizeof(buf));
    if ((mkdir(argv[1], 0755) && errno != EEXIST) || chdir(argv[1]))
        die("directory", argv[1]);
    for (phase = strtok_r(argv[2], ",", &save); phase;
         phase = strtok_r(NULL, ",", &save)) {
        struct timespec from, to;
        unsigned long i = 0;

        clock_gettime(CLOCK_MONOTONIC, &from);
        for (i = 0; i < count; i++)
            do_one(phase, i, bytes);
        clock_gettime(CLOCK_MONOTONIC, &to);
        if (strcmp(phase, "rename") == 0)
            renamed = !renamed;
        printf("%s_per_s %.1f\n", phase,
               count / (to.tv_sec - from.tv_sec +
                        (to.tv_nsec - from.tv_nsec) / 1e9));
        if (strcmp(phase, "hold") == 0) {
            fflush(stdout);
            while (read(STDIN_FILENO, buf, sizeof(buf)) > 0)
                continue;
        }
    }
    return 0;
}
