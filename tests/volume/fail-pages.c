/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * fail-pages.c - what of a file can be read, byte for byte.
 *
 *     fail-pages FILE ORIGINAL [START END]
 *
 * Reads FILE (of START to END only, if they are given), in pages of 4 KiB where
 * a larger read does not give what it must, and prints the ranges that give
 * EIO, merged, as JSON: [[0,4096],[65536,131072]]. Where a page fails, its
 * borders are looked for byte by byte, so that a range that begins or ends
 * within a page is exact. Every byte that can be read must be that of ORIGINAL,
 * and FILE must be as long as ORIGINAL. If one is not, or a read ends short, or
 * in another error, it says so and exits 1.
 *
 * Deliberately not here: the page cache. The caller mounts with
 * --direct-io-mode=enable, or reads only what was never read or written there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096
#define CHUNK (32 * PAGE)

static int file;
static int original;
static int bad; /* things found wrong */
static off_t lost_from = -1;
static const char *comma = "";

static void
wrong(const char *what, off_t at)
{
    if (bad++ < 10)
        fprintf(stderr, "at byte %lld: %s\n", (long long)at, what);
}

/* Reads and compares [at, at + len). 1: EIO, 0: readable, right or wrong. */
static int
unreadable(off_t at, size_t len)
{
    char got[PAGE];
    char want[PAGE];
    ssize_t n = pread(file, got, len, at);
    size_t i = 0;

    if (n < 0 && errno == EIO)
        return 1;
    if (n < 0) {
        wrong(strerror(errno), at);
        return 0;
    }
    if (pread(original, want, len, at) != (ssize_t)len) {
        fprintf(stderr, "the original cannot be read\n");
        exit(2);
    }
    if ((size_t)n < len)
        wrong("the read ends short", at + n);
    for (i = 0; i < (size_t)n && got[i] == want[i]; i++)
        ;
    if (i < (size_t)n)
        wrong(got[i] ? "wrong byte" : "wrong byte, a zero", at + i);
    return 0;
}

/* All of [at, at + len) reads as it must, at once. */
static int
fine(off_t at, size_t len)
{
    static char got[CHUNK];
    static char want[CHUNK];

    return pread(file, got, len, at) == (ssize_t)len &&
           pread(original, want, len, at) == (ssize_t)len &&
           memcmp(got, want, len) == 0;
}

/* [from, to) is lost, or ends here if @from == @to. */
static void
lost(off_t from, off_t to)
{
    static off_t lost_to;

    if (lost_from >= 0 && from == lost_to && from < to) {
        lost_to = to;
        return;
    }
    if (lost_from >= 0)
        printf("%s[%lld,%lld]", comma, (long long)lost_from,
               (long long)lost_to);
    if (lost_from >= 0)
        comma = ",";
    lost_from = from < to ? from : -1;
    lost_to = to;
}

/* The border in [low, high], if exactly one of its ends can be read. */
static off_t
border(off_t low, off_t high, int first_is_lost)
{
    while (high - low > 1) {
        off_t mid = low + (high - low) / 2;

        if (unreadable(mid, 1) == first_is_lost)
            low = mid;
        else
            high = mid;
    }
    return high;
}

/* A page of which some byte gives EIO. */
static void
look_closer(off_t at, off_t end)
{
    int first = unreadable(at, 1);
    int last = unreadable(end - 1, 1);
    off_t b = 0;

    if (first == last) {
        if (!first)
            wrong("a page gives EIO, its first and last byte do not", at);
        lost(at, end);
        return;
    }
    b = border(at, end - 1, first);
    if (first) {
        unreadable(b, end - b);
        lost(at, b);
    } else {
        unreadable(at, b - at);
        lost(b, end);
    }
}

int
main(int argc, char **argv)
{
    struct stat st;
    struct stat want;
    off_t at = 0;
    off_t end = 0;

    if (argc != 3 && argc != 5)
        return 2;
    file = open(argv[1], O_RDONLY);
    original = open(argv[2], O_RDONLY);
    if (file < 0 || original < 0 || fstat(file, &st) ||
        fstat(original, &want)) {
        perror(file < 0 ? argv[1] : argv[2]);
        return 1;
    }
    if (st.st_size != want.st_size) {
        fprintf(stderr, "size %lld, must be %lld\n", (long long)st.st_size,
                (long long)want.st_size);
        bad++;
    }
    end = want.st_size;
    if (argc == 5) {
        at = atoll(argv[3]);
        end = atoll(argv[4]) < end ? atoll(argv[4]) : end;
    }

    putchar('[');
    while (at < end) {
        off_t next = (at / CHUNK + 1) * CHUNK;

        if (at % CHUNK == 0 && next <= end && fine(at, CHUNK)) {
            at = next;
            continue;
        }
        next = (at / PAGE + 1) * PAGE;

        if (next > end)
            next = end;
        if (unreadable(at, next - at))
            look_closer(at, next);
        at = next;
    }
    lost(0, 0);
    puts("]");
    return bad ? 1 : 0;
}
