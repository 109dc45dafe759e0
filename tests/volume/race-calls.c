/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * race-calls.c - several programs make calls on one file at once.
 *
 *     race-calls MODE PLACE NAME ID WRITERS COUNT SEED SHARED
 *     race-calls check-MODE PLACE NAME WRITERS COUNT SEED
 *
 * PLACE as in fs.h. A file is made of units of 4 KiB; each tells who wrote it,
 * in which of his steps, and where it belongs. SHARED is a file outside of the
 * volume, empty at the start, with a word per program: how far it is.
 *
 *     overlap   all write random ranges. At the end each unit is the last that
 *               one of them wrote there: what he wrote before is overwritten.
 *     disjoint  each has units of its own, writes all of them, closes, and says
 *               so; then opens and reads the others': at least what they had
 *               said before that (close-to-open).
 *
 *     cut       0 cuts the file within [LOW, END) and makes it longer
 *               again, the others write all of it over and over. At the end
 *               each unit is the last that one of them wrote there, or that up
 *               to a cut and zeros; below LOW without a cut; the size is END.
 *
 *     inline    the same, and 0 also cuts to within the inline part.
 *
 *     unlink    0 unlinks the name again and again; the others open it or give
 *               it to a new file, write their own units, and find them
 *               through this fd.
 *
 *     rename    0 and 1 write new files and rename them over the name; the
 *               others open it: the file is whole, and not older than what had
 *               been renamed before.
 *
 * Deliberately not here: faults. Every call has to succeed, but for ENOENT and
 * ESTALE of an open in unlink and rename, which is made again.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "race.h"

#define UNIT 4096
#define UNITS 96       /* of a file; overlap, cut, inline */
#define RUN 20         /* most units of one write of overlap */
#define LOW 20         /* cut: units that are never cut off */
#define OWN 24         /* disjoint, unlink: units of each program */
#define VERSION_MAX 80 /* rename: units of a version */
#define SAY_MSEC 5000  /* an answer takes at most */
#define OPEN_SEC 30    /* so long is there no such name, or another */

static struct fs fs;
static const char *name;
static uint32_t me, writers, count;
static uint64_t seed;
static volatile uint32_t *shared; /* [RACE_WRITERS] */
static char *buf;                 /* UNITS units, aligned as pages are */

static int
wrong(const char *what, long a, long b)
{
    printf("program %u: %s (%ld, %ld)\n", me, what, a, b);
    return 1;
}

/* Who wrote this unit: *head. How many bytes of it are right; the rest are
 * zeros. -1: neither. 0: all zeros, or too little to tell. */
static int
unit_of(const char *unit, uint32_t at, struct race_head *head)
{
    static char want[UNIT];
    int n = UNIT;
    int i = 0;

    while (n > 0 && !unit[n - 1])
        n--;
    memset(head, 0, sizeof(*head));
    if (n < (int)sizeof(*head))
        return 0;
    memcpy(head, unit, sizeof(*head));
    if (head->magic != RACE_MAGIC || head->len != at)
        return -1;
    race_fill(want, head->writer, head->seq, at, UNIT);
    while (i < UNIT && unit[i] == want[i])
        i++;
    /* A byte that is right may be zero. */
    return i >= n ? i : -1;
}

static int
put(struct fs_file *file, uint32_t first, uint32_t n, uint32_t seq)
{
    uint32_t i = 0;
    ssize_t ret = 0;

    for (i = 0; i < n; i++)
        race_fill(buf + (size_t)i * UNIT, me, seq, first + i, UNIT);
    ret = fs_pwrite(&fs, file, buf, (size_t)n * UNIT, (off_t)first * UNIT);
    return ret == (ssize_t)n * UNIT ? 0 : wrong("write", first, ret);
}

/* [first, first + n): all of it, or what is wrong. */
static int
get(struct fs_file *file, uint32_t first, uint32_t n)
{
    ssize_t ret =
        fs_pread(&fs, file, buf, (size_t)n * UNIT, (off_t)first * UNIT);

    return ret == (ssize_t)n * UNIT ? 0 : wrong("read", first, ret);
}

static int
get_file(int flags, struct fs_file **file)
{
    time_t until = time(NULL) + OPEN_SEC;
    int ret = 0;

    do {
        ret = fs.ops->open(&fs, name, flags, 0644, file);
    } while ((ret == -ENOENT || ret == -ESTALE) && time(NULL) < until);
    return ret ? wrong("open", flags, ret) : 0;
}

static int
done(struct fs_file *file)
{
    int ret = fs.ops->close(file);

    return ret ? wrong("close", 0, ret) : 0;
}

static uint64_t
dice(uint32_t who, uint64_t n)
{
    return race_mix(seed + who * 1000003ULL + n * 7919ULL);
}

/* ---- overlap ----------------------------------------------------------------
 */

static uint32_t
run_of(uint32_t who, uint32_t seq, uint32_t *n)
{
    uint64_t d = dice(who, seq);

    *n = 1 + (d >> 32) % RUN;
    return d % (UNITS - *n);
}

static int
overlap(void)
{
    struct fs_file *file = NULL;
    uint32_t i = 0;
    uint32_t n = 0;
    int bad = get_file(O_WRONLY | O_CREAT, &file);

    for (i = 1; !bad && i <= count; i++) {
        uint32_t first = run_of(me, i, &n);

        bad = put(file, first, n, i);
    }
    return bad || done(file);
}

static int
check_overlap(struct fs_file *file, uint64_t size)
{
    static uint32_t last[UNITS][RACE_WRITERS];
    struct race_head h;
    uint32_t end = 0;
    uint32_t i, n, first, u, w;

    for (w = 0; w < writers; w++)
        for (i = 1; i <= count; i++) {
            first = run_of(w, i, &n);
            end = first + n > end ? first + n : end;
            for (u = first; u < first + n; u++)
                last[u][w] = i;
        }
    if (size != (uint64_t)end * UNIT)
        return wrong("size", size, end * UNIT);
    if (get(file, 0, end))
        return 1;
    for (u = 0; u < end; u++) {
        int bytes = unit_of(buf + (size_t)u * UNIT, u, &h);
        uint32_t any = 0;

        for (w = 0; w < writers; w++)
            any |= last[u][w];
        if (!any && bytes == 0)
            continue;
        if (bytes != UNIT || h.writer >= writers)
            return wrong("not a unit, at unit, bytes", u, bytes);
        if (h.seq != last[u][h.writer])
            return wrong("an older write, at unit, step", u, h.seq);
    }
    return 0;
}

/* ---- disjoint ---------------------------------------------------------------
 */

static int
disjoint_look(void)
{
    uint32_t said[RACE_WRITERS];
    struct fs_file *file = NULL;
    struct race_head h;
    uint32_t u, w;
    int bad = 0;

    for (w = 0; w < writers; w++)
        said[w] = shared[w];
    bad = get_file(O_RDONLY, &file);
    for (u = 0; !bad && u < writers * OWN; u++) {
        w = u % writers;
        /* Past the end as far as nobody has said anything. */
        if (!said[w])
            continue;
        bad = get(file, u, 1);
        if (bad)
            break;
        if (unit_of(buf, u, &h) != UNIT || h.writer != w)
            bad = wrong("not its unit, at unit, of", u, h.writer);
        else if (h.seq < said[w])
            bad =
                wrong("older than what was closed: said, read", said[w], h.seq);
    }
    return bad || done(file);
}

static int
disjoint(void)
{
    struct fs_file *file = NULL;
    uint32_t i, u;
    int bad = 0;

    for (i = 1; !bad && i <= count; i++) {
        bad = get_file(O_WRONLY | O_CREAT, &file);
        for (u = 0; !bad && u < OWN; u++)
            bad = put(file, u * writers + me, 1, i);
        bad = bad || done(file);
        shared[me] = i;
        bad = bad || disjoint_look();
    }
    return bad;
}

static int
check_disjoint(struct fs_file *file, uint64_t size)
{
    struct race_head h;
    uint32_t u;

    if (size != (uint64_t)writers * OWN * UNIT)
        return wrong("size", size, writers * OWN * UNIT);
    for (u = 0; u < writers * OWN; u++)
        if (get(file, u, 1) || unit_of(buf, u, &h) != UNIT ||
            h.writer != u % writers || h.seq != count)
            return wrong("not its last unit, at unit, step", u, h.seq);
    return 0;
}

/* ---- cut, inline ------------------------------------------------------------
 */

static int
cut(int deep)
{
    struct fs_file *file = NULL;
    uint32_t busy = 1;
    uint32_t i, u, w;
    int bad = get_file(O_RDWR | O_CREAT, &file);

    if (me > 0) {
        for (i = 1; !bad && i <= count; i++)
            for (u = 0; !bad && u < UNITS; u += RUN)
                bad = put(file, u, u + RUN > UNITS ? UNITS - u : RUN, i);
        shared[me] = count;
        return bad || done(file);
    }
    for (i = 1; !bad && busy; i++) {
        uint64_t d = dice(0, i);
        off_t to = LOW * UNIT + d % ((UNITS - LOW) * UNIT);
        int ret = 0;

        if (deep && (d >> 40) % 2)
            to = (d >> 44) % 3 ? (off_t)((d >> 48) % 60000) : 0;
        ret = fs.ops->ftruncate(file, to);
        if (!ret)
            ret = fs.ops->ftruncate(file, (off_t)UNITS * UNIT);
        if (ret)
            bad = wrong("truncate", to, ret);
        busy = 0;
        for (w = 1; w < writers; w++)
            busy |= shared[w] != count;
    }
    printf("# %u cuts\n", i - 1);
    return bad || done(file);
}

static int
check_cut(struct fs_file *file, uint64_t size, int deep)
{
    struct race_head h;
    uint32_t u;

    if (size != (uint64_t)UNITS * UNIT)
        return wrong("size", size, UNITS * UNIT);
    if (get(file, 0, UNITS))
        return 1;
    for (u = 0; u < UNITS; u++) {
        int bytes = unit_of(buf + (size_t)u * UNIT, u, &h);

        if (bytes < 0 || (bytes != UNIT && !deep && u < LOW))
            return wrong("not a unit, at unit, bytes", u, bytes);
        if (bytes > 0 && (h.seq != count || h.writer >= writers))
            return wrong("an older write, at unit, step", u, h.seq);
    }
    return 0;
}

/* ---- unlink -----------------------------------------------------------------
 */

/* The file of the name; every other time, and if there is none, a new one that
 * takes the name. Never O_CREAT of a name that others unlink and create: there
 * storage/posix sets a new file's gfid by path, perhaps on somebody else's. */
static int
named_file(uint32_t step, struct fs_file **file)
{
    char temp[64];
    int ret = -ENOENT;

    if (step % 2 == 0)
        ret = fs.ops->open(&fs, name, O_RDWR, 0, file);
    if (ret != -ENOENT && ret != -ESTALE)
        return ret ? wrong("open", step, ret) : 0;
    snprintf(temp, sizeof(temp), "%s.%u", name, me);
    ret = fs.ops->open(&fs, temp, O_RDWR | O_CREAT | O_EXCL, 0644, file);
    if (ret)
        return wrong("create", step, ret);
    /* ENOENT of storage/posix: renamed, and unlinked before it looked again. */
    ret = fs.ops->rename(&fs, temp, name);
    return ret && ret != -ENOENT ? wrong("rename", step, ret) : 0;
}

static int
unlink_race(void)
{
    struct fs_file *file = NULL;
    struct race_head h;
    uint32_t busy = 1;
    uint32_t gone = 0;
    uint32_t i, u, w;
    int bad = 0;
    int ret = 0;

    if (me > 0) {
        for (i = 1; !bad && i <= count; i++) {
            bad = named_file(i, &file);
            /* Half of them grow past the inline part. */
            for (u = 0; !bad && u < OWN; u += 4)
                bad = put(file, (u * writers) + me * 4, 4, i);
            for (u = 0; !bad && u < OWN; u += 4) {
                uint32_t at = u * writers + me * 4;

                bad = get(file, at, 4);
                for (w = 0; !bad && w < 4; w++)
                    if (unit_of(buf + (size_t)w * UNIT, at + w, &h) != UNIT ||
                        h.writer != me || h.seq != i)
                        bad = wrong("not what was written, at unit, step",
                                    at + w, h.seq);
            }
            bad = bad || done(file);
        }
        shared[me] = count;
        return bad;
    }
    while (!bad && busy) {
        ret = fs.ops->unlink(&fs, name);
        gone += !ret;
        if (ret && ret != -ENOENT && ret != -ESTALE)
            bad = wrong("unlink", 0, ret);
        busy = 0;
        for (w = 1; w < writers; w++)
            busy |= shared[w] != count;
    }
    printf("# unlinked %u times\n", gone);
    return bad;
}

/* ---- rename -----------------------------------------------------------------
 */

static uint32_t
version_units(uint32_t who, uint32_t seq)
{
    return 2 + dice(who, seq) % (VERSION_MAX - 2);
}

static int
rename_look(void)
{
    uint32_t said[2] = {shared[0], shared[1]};
    struct fs_file *file = NULL;
    struct race_head first;
    struct race_head h;
    uint32_t n, u;
    ssize_t ret = 0;
    int i = 0;

    if (get_file(O_RDONLY, &file))
        return 1;
    ret = fs_pread(&fs, file, buf, (size_t)UNITS * UNIT, 0);
    /* Opened after it was renamed over, and before its portions were removed:
     * EIO, never other bytes (docs/protocol.md, 2.11). Who did it says so when
     * its rename is answered. */
    for (i = 0; ret == -EIO && i < SAY_MSEC; i++) {
        if (shared[0] != said[0] || shared[1] != said[1])
            break;
        usleep(1000);
    }
    if (ret == -EIO && i < SAY_MSEC) {
        printf("# gone between open and read\n");
        return done(file);
    }
    if (ret < UNIT || unit_of(buf, 0, &first) != UNIT || first.writer > 1)
        return wrong("no version: read, writer", ret, first.writer);
    n = version_units(first.writer, first.seq);
    if (ret != (ssize_t)n * UNIT)
        return wrong("not a whole version: bytes, units", ret, n);
    for (u = 0; u < n; u++)
        if (unit_of(buf + (size_t)u * UNIT, u, &h) != UNIT ||
            h.writer != first.writer || h.seq != first.seq)
            return wrong("a piece of another version, at unit, step", u, h.seq);
    if (first.seq < said[first.writer])
        return wrong("an older version: said, read", said[first.writer],
                     first.seq);
    return done(file);
}

static int
rename_race(void)
{
    struct fs_file *file = NULL;
    char temp[64];
    uint32_t i = 0;
    uint32_t looks = 0;
    int bad = 0;
    int ret = 0;

    if (me > 1) {
        while (!bad && (shared[0] < count || shared[1] < count)) {
            bad = rename_look();
            looks++;
        }
        printf("# looked %u times\n", looks);
        return bad;
    }
    snprintf(temp, sizeof(temp), "%s.%u", name, me);
    for (i = 1; !bad && i <= count; i++) {
        ret = fs.ops->open(&fs, temp, O_WRONLY | O_CREAT | O_EXCL, 0644, &file);
        bad = ret ? wrong("create", i, ret)
                  : put(file, 0, version_units(me, i), i);
        bad = bad || done(file);
        ret = bad ? 0 : fs.ops->rename(&fs, temp, name);
        bad = bad || (ret && wrong("rename", i, ret));
        shared[me] = i;
    }
    shared[me] = count; /* nobody waits for one that failed */
    return bad;
}

/* ---- */

static int
run(const char *mode)
{
    if (!strcmp(mode, "overlap"))
        return overlap();
    if (!strcmp(mode, "disjoint"))
        return disjoint();
    if (!strcmp(mode, "cut") || !strcmp(mode, "inline"))
        return cut(mode[0] == 'i');
    if (!strcmp(mode, "unlink"))
        return unlink_race();
    if (!strcmp(mode, "rename"))
        return rename_race();
    return 2;
}

static int
check(const char *mode)
{
    struct fs_file *file = NULL;
    struct stat st;
    int ret = fs.ops->open(&fs, name, O_RDONLY, 0, &file);

    if (!ret)
        ret = fs.ops->fstat(file, &st);
    if (ret)
        return wrong("open", 0, ret);
    if (!strcmp(mode, "overlap"))
        return check_overlap(file, st.st_size);
    if (!strcmp(mode, "disjoint"))
        return check_disjoint(file, st.st_size);
    if (!strcmp(mode, "cut") || !strcmp(mode, "inline"))
        return check_cut(file, st.st_size, mode[0] == 'i');
    return 2;
}

int
main(int argc, char **argv)
{
    int racing = argc == 9;
    int at = racing ? 5 : 4;
    int ret = 0;

    if ((argc != 9 && argc != 7) ||
        (!racing && strncmp(argv[1], "check-", 6) != 0) ||
        posix_memalign((void **)&buf, UNIT,
                       (size_t)UNIT * UNITS * RACE_WRITERS)) {
        fprintf(stderr, "usage: see the head of race-calls.c\n");
        return 2;
    }
    name = argv[3];
    me = racing ? strtoul(argv[4], NULL, 10) : 0;
    writers = strtoul(argv[at], NULL, 10);
    count = strtoul(argv[at + 1], NULL, 10);
    seed = strtoull(argv[at + 2], NULL, 10);
    ret = writers <= RACE_WRITERS && me < writers ? fs_open_place(argv[2], &fs)
                                                  : -EINVAL;
    if (ret)
        return wrong("no place", 0, ret);
    if (!racing)
        return check(argv[1] + 6);
    shared = race_start(argv[8], me, writers);
    if (!shared)
        return wrong("the others do not come", 0, 0);
    ret = run(argv[1]);
    /* Who waits for this one must not wait for ever. */
    if (ret)
        shared[me] = count;
    return ret;
}
