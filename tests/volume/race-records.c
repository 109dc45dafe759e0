/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * race-records.c - several writers of one file; each record says who wrote it.
 *
 *     race-records append PLACE NAME ID WRITERS COUNT SEED SHARED
 *                        O_APPEND COUNT records
 *     race-records slots PLACE NAME ID WRITERS COUNT SEED SHARED
 *                        create the file; write slots ID, ID + WRITERS, ... of
 *                        64 KiB, each in one call
 *     race-records check PLACE NAME WRITERS COUNT [ID...]
 *                        after append: every record once, whole, nothing
 *                        between them; but ends of records of the writers ID,
 *                        who were told EIO, may be overwritten, and records of
 *                        theirs be missing
 *     race-records check-slots PLACE NAME WRITERS COUNT
 *
 * PLACE is one of fs.h: a mount's directory, or libgfapi with a volfile; SHARED
 * a file outside of the volume, new for each race. A
 * record is 16 KiB to 80 KiB long (larger than a block of the test's volume):
 * magic, writer, sequence number, length, and bytes that follow from these. A
 * lost, torn, doubled or misplaced one is told by its offset. Exits 1 then.
 *
 * Deliberately not here: faults, and calls that may fail.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdlib.h>

#include "race.h"

#define SLOT 65536
#define COUNT_MAX 4096

static int
failed(const char *what, int err)
{
    printf("%s: %s\n", what, strerror(-err));
    return 1;
}

static int
write_all(struct fs *fs, const char *mode, const char *name, uint32_t id,
          uint32_t writers, uint32_t count, uint64_t seed, const char *words)
{
    int append = strcmp(mode, "append") == 0;
    struct fs_file *file = NULL;
    static char buf[2 * SLOT];
    uint32_t i = 0;
    int ret = 0;

    if (!race_start(words, id, writers)) {
        printf("the others do not come\n");
        return 1;
    }
    ret = fs->ops->open(fs, name, O_WRONLY | (append ? O_APPEND : O_CREAT),
                        0644, &file);
    if (ret)
        return failed("open", ret);
    for (i = 0; i < count; i++) {
        uint64_t len = SLOT;
        ssize_t n = 0;

        if (append)
            len = 16384 + race_mix(seed + id * 1000003ULL + i) % SLOT;
        race_fill(buf, id, i, len, len);
        n = append ? fs->ops->write(file, buf, len)
                   : fs_pwrite(fs, file, buf, len,
                               ((off_t)i * writers + id) * SLOT);
        if (n != (ssize_t)len) {
            printf("writer %u, record %u: %zd of %llu bytes\n", id, i, n,
                   (unsigned long long)len);
            return 1;
        }
    }
    ret = fs->ops->close(file);
    return ret ? failed("close", ret) : 0;
}

static int
check(struct fs *fs, const char *name, uint32_t writers, uint32_t count,
      int slots, const int *told)
{
    static unsigned char seen[RACE_WRITERS][COUNT_MAX];
    struct fs_file *file = NULL;
    static char want[2 * SLOT];
    static char got[2 * SLOT];
    struct stat st;
    struct race_head h;
    struct race_head next;
    uint64_t at = 0;
    uint64_t i = 0;
    ssize_t n = 0;
    uint32_t total = 0;
    uint32_t w = 0;
    int ret = fs->ops->open(fs, name, O_RDONLY, 0, &file);

    if (!ret)
        ret = fs->ops->fstat(file, &st);
    if (ret)
        return failed(name, ret);
    while (at < (uint64_t)st.st_size) {
        if (fs_pread(fs, file, &h, sizeof(h), at) != sizeof(h) ||
            h.magic != RACE_MAGIC || h.writer >= writers || h.seq >= count ||
            h.len > 2 * SLOT ||
            (slots && at != ((uint64_t)h.seq * writers + h.writer) * SLOT)) {
            printf("no record at %llu\n", (unsigned long long)at);
            return 1;
        }
        race_fill(want, h.writer, h.seq, h.len, h.len);
        n = fs_pread(fs, file, got, h.len, at);
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
            memcpy(&next, got + i, sizeof(next));
            if (i + sizeof(next) <= sizeof(got) && next.magic == RACE_MAGIC) {
                printf("there begins record %u of writer %u\n", next.seq,
                       next.writer);
                if (told[h.writer]) {
                    at += i;
                    continue;
                }
            }
            return 1;
        }
        if (seen[h.writer][h.seq]++) {
            printf("record %u of %u twice\n", h.seq, h.writer);
            return 1;
        }
        total++;
        at += h.len;
    }
    for (w = 0; w < writers; w++)
        for (i = 0; i < count; i++)
            if (!seen[w][i] && !told[w]) {
                printf("record %llu of writer %u is missing\n",
                       (unsigned long long)i, w);
                return 1;
            }
    printf("%u whole records of %u\n", total, writers * count);
    return 0;
}

int
main(int argc, char **argv)
{
    uint32_t a[3] = {0}; /* [ID] WRITERS COUNT */
    int told[RACE_WRITERS] = {0};
    struct fs fs;
    int ret = 0;
    int i = 0;

    for (i = 0; i < 3 && 4 + i < argc; i++)
        a[i] = strtoul(argv[4 + i], NULL, 10);
    if (argc == 9 && a[1] <= RACE_WRITERS && a[0] < a[1] && a[2] <= COUNT_MAX) {
        ret = fs_open_place(argv[2], &fs);
        return ret ? failed(argv[2], ret)
                   : write_all(&fs, argv[1], argv[3], a[0], a[1], a[2],
                               strtoull(argv[7], NULL, 10), argv[8]);
    }
    if (argc >= 6 && a[0] <= RACE_WRITERS && a[1] <= COUNT_MAX) {
        for (i = 6; i < argc; i++)
            told[strtoul(argv[i], NULL, 10) % RACE_WRITERS] = 1;
        ret = fs_open_place(argv[2], &fs);
        return ret ? failed(argv[2], ret)
                   : check(&fs, argv[3], a[0], a[1],
                           strcmp(argv[1], "check") != 0, told);
    }
    fprintf(stderr, "usage: see the head of race-records.c\n");
    return 2;
}
