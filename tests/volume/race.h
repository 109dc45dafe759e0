/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * race.h - what race-records.c and race-calls.c have in common: bytes that say
 * who wrote them, and words that the programs of one race share.
 *
 * Deliberately not here: which calls are made, and what must be true then.
 */
#ifndef RACE_H
#define RACE_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fs.h"

#define RACE_WRITERS 8
#define RACE_MAGIC 0x616c6c6f74726563ULL

/* What a record, or a unit of 4 KiB, begins with. */
struct race_head {
    uint64_t magic;
    uint32_t writer;
    uint32_t seq;
    uint64_t len; /* bytes, with this head; of a unit: its number in the file */
};

/** race_mix - 64 bits that look random. */
static inline uint64_t
race_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

/** race_fill - @n bytes that follow from the head, which comes first. */
static inline void
race_fill(char *buf, uint32_t writer, uint32_t seq, uint64_t len, uint64_t n)
{
    struct race_head h = {RACE_MAGIC, writer, seq, len};
    uint64_t i = 0;

    memcpy(buf, &h, sizeof(h));
    for (i = sizeof(h); i + 8 <= n; i += 8) {
        uint64_t v = race_mix(i ^ ((uint64_t)writer << 48) ^
                              ((uint64_t)seq << 24) ^ (len << 4));

        memcpy(buf + i, &v, 8);
    }
    for (; i < n; i++)
        buf[i] = 'x';
}

#define RACE_WAIT_MSEC 60000

/** race_start - the words that the programs of a race share, in the file @path
 * outside of the volume: [RACE_WRITERS], for their use. Returns when all of
 * them have come here, so that they do race: libgfapi takes longer to connect
 * than a mount takes to open. NULL: they did not come. */
static inline volatile uint32_t *
race_start(const char *path, uint32_t me, uint32_t writers)
{
    int fd = open(path, O_RDWR | O_CREAT, 0644);
    volatile uint32_t *words = MAP_FAILED;
    uint32_t here = 0;
    uint32_t i = 0;
    int waited = 0;

    if (fd >= 0 && ftruncate(fd, 4096) == 0)
        words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (words == MAP_FAILED)
        return NULL;
    words[RACE_WRITERS + me] = 1;
    for (waited = 0; waited < RACE_WAIT_MSEC && here < writers; waited++) {
        here = 0;
        for (i = 0; i < writers; i++)
            here += words[RACE_WRITERS + i];
        usleep(1000);
    }
    return here == writers ? words : NULL;
}

#endif /* RACE_H */
