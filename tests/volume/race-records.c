/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * race-records.c - several writers of one file; each record says who wrote it.
 *
 *     race-records append FILE ID COUNT SEED   O_APPEND COUNT records
 *     race-records slots FILE ID COUNT SEED    write slots ID, ID + 4, ... of
 *                                              64 KiB, each in one call
 *     race-records check FILE WRITERS COUNT    after append: every record once,
 *                                              whole, nothing between them
 *     race-records check-slots FILE WRITERS COUNT
 *
 * A record is 16 KiB to 80 KiB long (larger than a block of the test's volume):
 * magic, writer, sequence number, length, and bytes that follow from these. A
 * lost, torn, doubled or misplaced one is told by its offset. Exits 1 then.
 *
 * Deliberately not here: faults, and calls that may fail.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC 0x616c6c6f74726563ULL
#define SLOT 65536
#define WRITERS 4
#define COUNT_MAX 4096

struct head {
    uint64_t magic;
    uint32_t writer;
    uint32_t seq;
    uint64_t len; /* bytes, with this head */
};

static uint64_t
mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static void
fill(char *buf, uint32_t writer, uint32_t seq, uint64_t len)
{
    struct head h = {MAGIC, writer, seq, len};
    uint64_t i = 0;

    memcpy(buf, &h, sizeof(h));
    for (i = sizeof(h); i + 8 <= len; i += 8) {
        uint64_t v = mix(i ^ ((uint64_t)writer << 48) ^ ((uint64_t)seq << 24));

        memcpy(buf + i, &v, 8);
    }
    for (; i < len; i++)
        buf[i] = 'x';
}

static int
write_all(const char *mode, const char *path, uint32_t id, uint32_t count,
          uint64_t seed)
{
    int append = strcmp(mode, "append") == 0;
    int fd = open(path, O_WRONLY | O_CREAT | (append ? O_APPEND : 0), 0644);
    char *buf = malloc(2 * SLOT);
    uint32_t i = 0;

    if (fd < 0 || !buf)
        return perror(path), 1;
    for (i = 0; i < count; i++) {
        uint64_t len =
            append ? 16384 + mix(seed + id * 1000003ULL + i) % SLOT : SLOT;
        ssize_t n = 0;

        fill(buf, id, i, len);
        n = append ? write(fd, buf, len)
                   : pwrite(fd, buf, len, ((uint64_t)i * WRITERS + id) * SLOT);
        if (n != (ssize_t)len) {
            printf("writer %u, record %u: %zd of %llu bytes\n", id, i, n,
                   (unsigned long long)len);
            return 1;
        }
    }
    return close(fd) ? (perror("close"), 1) : 0;
}

static int
check(const char *path, uint32_t writers, uint32_t count, int slots)
{
    static unsigned char seen[WRITERS][COUNT_MAX];
    int fd = open(path, O_RDONLY);
    char *want = malloc(2 * SLOT);
    char *got = malloc(2 * SLOT);
    struct stat st;
    struct head h;
    uint64_t at = 0;
    uint64_t i = 0;
    ssize_t n = 0;
    uint32_t total = 0;

    if (fd < 0 || !want || !got || fstat(fd, &st))
        return perror(path), 1;
    while (at < (uint64_t)st.st_size) {
        if (pread(fd, &h, sizeof(h), at) != sizeof(h) || h.magic != MAGIC ||
            h.writer >= writers || h.seq >= count || h.len > 2 * SLOT ||
            (slots && at != ((uint64_t)h.seq * WRITERS + h.writer) * SLOT)) {
            printf("no record at %llu\n", (unsigned long long)at);
            return 1;
        }
        fill(want, h.writer, h.seq, h.len);
        n = pread(fd, got, h.len, at);
        i = 0;
        while (n == (ssize_t)h.len && i < h.len && got[i] == want[i])
            i++;
        if (i < h.len) {
            printf(
                "record %u of writer %u, %llu bytes at %llu: read %zd, "
                "wrong from byte %llu on: %02x\n",
                h.seq, h.writer, (unsigned long long)h.len,
                (unsigned long long)at, n, (unsigned long long)i,
                got[i] & 0xff);
            return 1;
        }
        if (seen[h.writer][h.seq]++) {
            printf("record %u of %u twice\n", h.seq, h.writer);
            return 1;
        }
        total++;
        at += h.len;
    }
    if (total != writers * count) {
        printf("%u records of %u\n", total, writers * count);
        return 1;
    }
    return 0;
}

int
main(int argc, char **argv)
{
    uint32_t a = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    uint32_t count = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;

    if (argc == 6 && a < WRITERS && count <= COUNT_MAX)
        return write_all(argv[1], argv[2], a, count,
                         strtoull(argv[5], NULL, 10));
    if (argc == 5 && a <= WRITERS && count <= COUNT_MAX)
        return check(argv[2], a, count, strcmp(argv[1], "check") != 0);
    fprintf(stderr, "usage: see the head of race-records.c\n");
    return 2;
}
