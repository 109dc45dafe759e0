/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * populations.c - the populations of files that evenness is measured with:
 * their sizes, the files themselves, and the proof that every byte of them
 * reads back.
 *
 *   big      10 files of 100 MiB
 *   medium   200 files, lognormal, median 1 MiB, sigma 1.8, at most 200 MiB
 *   small    3000 files, lognormal, median 16 KiB, sigma 1.6, at most 64 MiB
 *   many     12000 files of the same kind, for four writers at once
 *
 * size = median x exp(sigma x N(0, 1)). The seed is fixed, so that every run
 * and every translator gets the same files. The content follows from the
 * file's number and the offset and has no zeros in a row: a hole that was read
 * as data is found.
 *
 * Deliberately no threads: several writers are several processes, each with its
 * part of the files (PART/PARTS).
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB (1024.0 * 1024.0)
#define CHUNK_BYTES (1024 * 1024)
/* Gives 799 MiB and 184 MiB, close to the files (807 and 182 MiB) that plain
 * distribute and shard were measured with. */
#define SEED 378

struct population {
    const char *name;
    unsigned files;
    double median_bytes;
    double sigma;
    double cap_bytes;
};

static const struct population populations[] = {
    {"big", 10, 100 * MIB, 0, 100 * MIB},
    {"medium", 200, 1 * MIB, 1.8, 200 * MIB},
    {"small", 3000, 16 * 1024.0, 1.6, 64 * MIB},
    {"many", 12000, 16 * 1024.0, 1.6, 64 * MIB},
};

/* splitmix64: small, and the same on every machine. */
static uint64_t
next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

/* Box and Muller's way from two uniform numbers to a normal one. */
static double
next_normal(uint64_t *state)
{
    const double pi = 3.14159265358979323846;
    /* in (0, 1], so that the logarithm exists */
    double u = ((next_random(state) >> 11) + 1) / 9007199254740992.0;
    double v = (next_random(state) >> 11) / 9007199254740992.0;

    return sqrt(-2 * log(u)) * cos(2 * pi * v);
}

static uint64_t
next_size(const struct population *p, uint64_t *state)
{
    double size = p->median_bytes * exp(p->sigma * next_normal(state));

    if (size > p->cap_bytes)
        size = p->cap_bytes;
    return size < 1 ? 1 : (uint64_t)size;
}

/* Say which bytes of a chunk are wrong and what they look like: zeros (a hole
 * where data was), something else, and whether the same comes a second time
 * (then it is stored so). */
static void
describe_difference(int fd, const char *path, const char *want, const char *got,
                    uint64_t offset, size_t bytes)
{
    static char again[CHUNK_BYTES];
    size_t first = 0;
    size_t last = bytes;
    size_t zeros = 0;
    size_t wrong = 0;
    ssize_t n;

    while (first < bytes && want[first] == got[first])
        first++;
    while (last > first && want[last - 1] == got[last - 1])
        last--;
    for (size_t i = first; i < last; i++) {
        wrong += want[i] != got[i];
        zeros += got[i] == 0;
    }
    n = pread(fd, again, bytes, offset);
    fprintf(stderr,
            "populations: %s: bytes [%llu, %llu) are wrong: %zu differ, %zu "
            "are zero; read again: %s\n",
            path, (unsigned long long)(offset + first),
            (unsigned long long)(offset + last), wrong, zeros,
            n != (ssize_t)bytes               ? "short or error"
            : memcmp(again, want, bytes) == 0 ? "right"
            : memcmp(again, got, bytes) == 0  ? "the same"
                                              : "other bytes");
}

/* The bytes [offset, offset + CHUNK_BYTES) of file @number; @offset is a
 * multiple of CHUNK_BYTES. */
static void
make_content(uint64_t *chunk, unsigned number, uint64_t offset)
{
    uint64_t state = ((uint64_t)number << 40) + offset;

    for (size_t i = 0; i < CHUNK_BYTES / sizeof(*chunk); i++)
        chunk[i] = next_random(&state) | 1;
}

static int
complain(const char *what, const char *path, uint64_t offset)
{
    fprintf(stderr, "populations: %s %s at %llu: %s\n", what, path,
            (unsigned long long)offset, strerror(errno));
    return -1;
}

static int
write_file(const char *path, unsigned number, uint64_t size, uint64_t *chunk)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);

    if (fd < 0)
        return complain("create", path, 0);
    for (uint64_t offset = 0; offset < size; offset += CHUNK_BYTES) {
        uint64_t left = size - offset;
        size_t want = left < CHUNK_BYTES ? left : CHUNK_BYTES;

        make_content(chunk, number, offset);
        for (size_t done = 0; done < want;) {
            ssize_t n = write(fd, (char *)chunk + done, want - done);

            if (n <= 0) {
                complain("write", path, offset + done);
                close(fd);
                return -1;
            }
            done += n;
        }
    }
    if (close(fd) != 0)
        return complain("close", path, size);
    return 0;
}

static int
verify_file(const char *path, unsigned number, uint64_t size, uint64_t *chunk,
            char *got)
{
    uint64_t offset = 0;
    int fd = open(path, O_RDONLY);
    int ret = -1;

    if (fd < 0)
        return complain("open", path, 0);
    for (;;) {
        size_t have = 0;
        size_t want = CHUNK_BYTES;
        ssize_t n = 1;

        while (have < want && n > 0) {
            n = read(fd, got + have, want - have);
            if (n > 0)
                have += n;
        }
        if (n < 0) {
            complain("read", path, offset + have);
            break;
        }
        make_content(chunk, number, offset);
        if (memcmp(chunk, got, have) != 0) {
            describe_difference(fd, path, (char *)chunk, got, offset, have);
            break;
        }
        offset += have;
        if (have < want) {
            errno = EFBIG;
            if (offset == size)
                ret = 0;
            else
                complain("wrong size of", path, offset);
            break;
        }
    }
    close(fd);
    return ret;
}

static int
usage(void)
{
    fputs(
        "usage: populations list POPULATION\n"
        "       populations write|verify POPULATION DIR [PART PARTS]\n"
        "POPULATION is big, medium, small or many; PART counts from 0.\n",
        stderr);
    return 2;
}

int
main(int argc, char **argv)
{
    const struct population *p = NULL;
    unsigned part = 0, parts = 1;
    uint64_t state = SEED;
    static uint64_t chunk[CHUNK_BYTES / sizeof(uint64_t)];
    static char got[CHUNK_BYTES];
    int failed = 0;

    if (argc < 3)
        return usage();
    for (size_t i = 0; i < sizeof(populations) / sizeof(*populations); i++)
        if (strcmp(populations[i].name, argv[2]) == 0)
            p = &populations[i];
    if (argc == 6) {
        part = strtoul(argv[4], NULL, 10);
        parts = strtoul(argv[5], NULL, 10);
    }
    if (!p || parts == 0 || part >= parts ||
        (strcmp(argv[1], "list") == 0 ? argc != 3 : argc != 4 && argc != 6))
        return usage();

    for (unsigned number = 0; number < p->files; number++) {
        uint64_t size = next_size(p, &state);
        char path[4096];

        if (strcmp(argv[1], "list") == 0) {
            printf("%llu\n", (unsigned long long)size);
            continue;
        }
        if (number % parts != part)
            continue;
        snprintf(path, sizeof(path), "%s/%s-%04u", argv[3], p->name, number);
        if (strcmp(argv[1], "write") == 0)
            failed |= write_file(path, number, size, chunk);
        else if (strcmp(argv[1], "verify") == 0)
            failed |= verify_file(path, number, size, chunk, got);
        else
            return usage();
    }
    return failed ? 1 : 0;
}
