/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * oracle.c - random calls on a few files, compared with what memory says.
 *
 *     oracle [-s SEED] [-t SECONDS] [-f FILES] [-m MAX-BYTES] [-e ERRNO,...]
 *            [-o STATE] [-w SECONDS] [-p PROGRESS] [-v] MOUNT...
 *
 * Runs for SECONDS, prints the seed and how many calls it made, and leaves what
 * the files must hold in STATE. With -v it makes no changes: it compares the
 * files with STATE, byte by byte. Two MOUNTs of one volume: every call goes to
 * one of them; a file is closed in between, or its size asked.
 *
 * PROGRESS is a file that tells the number of calls made so far.
 *
 * With -e the calls may fail with these errors ("any": with all). A change that
 * failed leaves bytes, and perhaps a size, unknown until they are written anew;
 * all the rest must be right all the time, and no read may end short of a byte
 * that is known to be there. Afterwards -v, without -e, on a mount without
 * faults, is the judge.
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
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILES 8
#define MOUNTS 2
/* Where a file becomes spread: calls at this border are frequent. Also: a
 * truncation below it that fails may leave so many bytes. */
#define INLINE_LIMIT 65536

enum there { YES, NO, PERHAPS };

struct file {
    char name[64];
    /* The size is one of [lo, hi]. Bytes from hi on are zero, if the file
     * becomes so long. */
    long lo;
    long hi;
    int there; /* enum there */
    unsigned char *data;
    unsigned char *known;
    int fds[MOUNTS][2]; /* the second: O_APPEND */
};

static struct file files[FILES];
static int n_files = 2;
static char *mounts[MOUNTS];
static int n_mounts;
static long max_size = 600000;
static uint64_t seed;
static uint64_t rng;
static const char *allowed = "";
static long calls;
static unsigned char *buf;

/* What the child is doing, for the parent that watches over it. */
struct beat {
    long count;
    char now[256];
};
static struct beat *beat;

/* ---- small things
 * -------------------------------------------------------------------------- */

static uint64_t
pick(uint64_t n)
{
    uint64_t z = rng += 0x9e3779b97f4a7c15ULL;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return (z ^ (z >> 31)) % n;
}

static void __attribute__((format(printf, 1, 2))) fail(const char *fmt, ...)
{
    va_list ap;

    printf("seed %llu, call %ld, %s: ", (unsigned long long)seed, calls,
           beat->now);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
    fflush(stdout);
    _exit(1);
}

static void __attribute__((format(printf, 1, 2))) now(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(beat->now, sizeof(beat->now), fmt, ap);
    va_end(ap);
    if (getenv("ORACLE_TRACE"))
        fprintf(stderr, "%ld %s\n", calls, beat->now);
    calls++;
    __atomic_add_fetch(&beat->count, 1, __ATOMIC_RELAXED);
}

/* A call failed: is that one of the errors that may be? */
static void
tolerate(void)
{
    static const struct {
        const char *name;
        int err;
    } names[] = {
        {"EIO", EIO},       {"ENOSPC", ENOSPC},     {"ENOMEM", ENOMEM},
        {"ENOENT", ENOENT}, {"ENOTCONN", ENOTCONN}, {"EACCES", EACCES},
    };
    const char *at = NULL;
    unsigned i = 0;

    if (strcmp(allowed, "any") == 0)
        return;
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        at = strstr(allowed, names[i].name);
        if (names[i].err == errno && at)
            return;
    }
    fail("%s", strerror(errno));
}

static int
faulty(void)
{
    return allowed[0] != '\0';
}

static void
path_of(const struct file *f, int mount, char path[4096])
{
    snprintf(path, 4096, "%s/%s", mounts[mount], f->name);
}

/* ---- what memory says
 * ---------------------------------------------------------------------- */

static void
hold_zero(struct file *f, long from)
{
    memset(f->data + from, 0, max_size - from);
    memset(f->known + from, 1, max_size - from);
}

static void
hold_unknown(struct file *f, long from, long to)
{
    if (from < to)
        memset(f->known + from, 0, to - from);
}

static void
hold_size(struct file *f, long lo, long hi)
{
    if (lo > f->lo)
        f->lo = lo;
    if (hi > f->hi)
        f->hi = hi;
}

static void
hold_write(struct file *f, long off, const unsigned char *data, long n)
{
    memcpy(f->data + off, data, n);
    memset(f->known + off, 1, n);
    hold_size(f, off + n, off + n);
}

static void
hold_cut(struct file *f, long size)
{
    f->lo = f->hi = size;
    hold_zero(f, size);
}

/* A truncation that may have happened, or half of it. */
static void
hold_cut_perhaps(struct file *f, long size)
{
    hold_unknown(f, size, f->hi);
    if (size < f->lo)
        f->lo = size;
    if (size > f->hi)
        f->hi = size;
    if (f->hi < INLINE_LIMIT && f->hi > size)
        f->hi = INLINE_LIMIT;
}

static void
check_bytes(const struct file *f, long off, const unsigned char *got, long n)
{
    long i = 0;

    for (i = 0; i < n; i++)
        if (f->known[off + i] && f->data[off + i] != got[i])
            fail("%s, byte %ld is %02x and must be %02x (size %ld..%ld)",
                 f->name, off + i, got[i], f->data[off + i], f->lo, f->hi);
}

static void
check_zero(const struct file *f, long from, long to)
{
    long i = 0;

    for (i = from; i < to; i++)
        if (f->known[i] && f->data[i])
            fail("%s, byte %ld is data, not hole (size %ld..%ld)", f->name, i,
                 f->lo, f->hi);
}

/* ---- files
 * ---------------------------------------------------------------------------------
 */

static void
close_all(struct file *f)
{
    int i = 0;

    for (i = 0; i < 2 * n_mounts; i++) {
        int *fd = &f->fds[i / 2][i % 2];

        if (*fd >= 0 && close(*fd))
            tolerate();
        *fd = -1;
    }
}

/* An open fd, or -1 if it could not be opened. */
static int
get_fd(struct file *f, int append)
{
    int mount = pick(n_mounts);
    int *fd = &f->fds[mount][append];
    struct stat st;
    char path[4096];
    int flags = O_RDWR | (append ? O_APPEND : 0);

    /* Another mount sees what was written when the file is closed, or when it
     * asks. */
    if (n_mounts > 1 && pick(6) == 0)
        close_all(f);
    if (*fd >= 0) {
        if (n_mounts > 1 && fstat(*fd, &st))
            tolerate();
        return *fd;
    }
    if (f->there != YES)
        flags |= O_CREAT | (f->there == PERHAPS ? O_TRUNC : O_EXCL);
    path_of(f, mount, path);
    *fd = open(path, flags, 0644);
    if (*fd < 0) {
        tolerate();
        if (f->there == NO)
            f->there = PERHAPS;
        return -1;
    }
    if (f->there == PERHAPS)
        hold_cut(f, 0);
    f->there = YES;
    return *fd;
}

/* Lengths and places at and beside borders, and anywhere. */
static long
some_length(void)
{
    static const long sizes[] = {1,     10,    4096,  5000,
                                 16384, 65536, 70000, 130000};

    return pick(4) ? sizes[pick(8)] : (long)pick(100000) + 1;
}

static long
some_offset(const struct file *f)
{
    long off = pick(max_size);

    switch (pick(6)) {
        case 0:
            return f->lo < max_size ? f->lo : max_size - 1;
        case 1:
            return off / 16384 * 16384;
        case 2:
            return pick(INLINE_LIMIT + 20000);
        case 3:
            return f->lo ? (long)pick(f->lo) : 0;
        default:
            return off;
    }
}

/* ---- calls
 * ---------------------------------------------------------------------------------
 */

static void
do_write(struct file *f)
{
    long off = some_offset(f);
    long n = some_length();
    long ret = 0;
    long i = 0;
    int fd = get_fd(f, 0);

    if (fd < 0)
        return;
    if (off + n > max_size)
        n = max_size - off;
    now("%s: write %ld at %ld", f->name, n, off);
    for (i = 0; i < n; i++)
        buf[i] = pick(255) + 1;
    ret = pwrite(fd, buf, n, off);
    if (ret < 0)
        tolerate();
    if (ret >= 0 && ret < n && !faulty())
        fail("only %ld bytes written", ret);
    ret = ret < 0 ? 0 : ret;
    if (ret)
        hold_write(f, off, buf, ret);
    if (ret < n) {
        hold_unknown(f, off + ret, off + n);
        hold_size(f, 0, off + n);
    }
}

static void
do_append(struct file *f)
{
    long n = some_length();
    long ret = 0;
    long i = 0;
    int fd = -1;

    if (f->hi + n > max_size)
        return;
    fd = get_fd(f, 1);
    if (fd < 0)
        return;
    now("%s: append %ld to %ld..%ld", f->name, n, f->lo, f->hi);
    for (i = 0; i < n; i++)
        buf[i] = pick(255) + 1;
    ret = write(fd, buf, n);
    if (ret < 0)
        tolerate();
    if (ret >= 0 && ret < n && !faulty())
        fail("only %ld bytes written", ret);
    ret = ret < 0 ? 0 : ret;
    if (f->lo == f->hi && ret == n) {
        hold_write(f, f->lo, buf, n);
    } else {
        hold_unknown(f, f->lo, f->hi + n);
        f->lo += ret;
        f->hi += n;
    }
}

static void
do_read(struct file *f)
{
    long off = some_offset(f);
    long n = pick(200000) + 1;
    long ret = 0;
    long got = 1;
    long most = 0;
    int fd = get_fd(f, 0);

    if (fd < 0)
        return;
    if (off + n > max_size)
        n = max_size - off;
    now("%s: read %ld at %ld", f->name, n, off);
    if (pick(3) == 0)
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    for (ret = 0; ret < n; ret += got) {
        got = pread(fd, buf + ret, n - ret, off + ret);
        if (got < 0)
            tolerate();
        if (got <= 0)
            break;
        /* The kernel cuts a call into several. If a later one fails, the call
         * ends short, and says why when it is repeated. */
        if (!faulty() && got < n - ret && off + ret + got < f->lo)
            fail("only %ld bytes read (size %ld)", ret + got, f->lo);
    }
    /* With a brick away the end of the file may not be known: what is shown
     * behind it must be zeros. */
    most = faulty() || off + n < f->hi ? n : f->hi - off;
    if (ret > (most > 0 ? most : 0) || (got == 0 && off + ret < f->lo))
        fail("%ld bytes read (size %ld..%ld)", ret, f->lo, f->hi);
    check_bytes(f, off, buf, ret);
}

static void
do_truncate(struct file *f)
{
    static const long sizes[] = {
        0, 1, INLINE_LIMIT - 1, INLINE_LIMIT, 65537, 16384, 262144};
    long size = pick(5) < 2 ? sizes[pick(7)]
                            : (long)pick((pick(2) ? f->hi : max_size) + 1);
    char path[4096];
    int ret = 0;
    int fd = get_fd(f, 0);

    if (fd < 0)
        return;
    if (size > max_size)
        size = max_size;
    if (pick(2)) {
        now("%s: ftruncate %ld from %ld..%ld", f->name, size, f->lo, f->hi);
        ret = ftruncate(fd, size);
    } else {
        if (pick(2))
            close_all(f);
        now("%s: truncate %ld from %ld..%ld", f->name, size, f->lo, f->hi);
        path_of(f, pick(n_mounts), path);
        ret = truncate(path, size);
    }
    if (ret == 0) {
        hold_cut(f, size);
        return;
    }
    tolerate();
    hold_cut_perhaps(f, size);
}

static void
do_fallocate(struct file *f)
{
    static const int modes[] = {0, FALLOC_FL_KEEP_SIZE,
                                FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE};
    long off = some_offset(f);
    long n = some_length();
    int mode = modes[pick(3)];
    int fd = get_fd(f, 0);

    if (fd < 0)
        return;
    if (off + n > max_size)
        n = max_size - off;
    now("%s: fallocate mode %d, %ld at %ld", f->name, mode, n, off);
    if (fallocate(fd, mode, off, n)) {
        tolerate();
        if (mode == 0)
            hold_size(f, 0, off + n);
        else if (mode & FALLOC_FL_PUNCH_HOLE)
            hold_unknown(f, off, off + n < f->hi ? off + n : f->hi);
        return;
    }
    if (mode == 0)
        hold_size(f, off + n, off + n);
    if (mode & FALLOC_FL_PUNCH_HOLE) {
        memset(f->data + off, 0, n);
        memset(f->known + off, 1, n);
    }
}

static void
do_seek(struct file *f)
{
    long off = f->lo ? (long)pick(f->lo) : 0;
    long at = 0;
    int fd = get_fd(f, 0);

    if (fd < 0 || off >= f->lo)
        return;
    now("%s: seek data from %ld", f->name, off);
    at = lseek(fd, off, SEEK_DATA);
    if (at >= 0 && (at < off || (at > f->hi && !faulty())))
        fail("data at %ld (size %ld..%ld)", at, f->lo, f->hi);
    if (at < 0 && errno != ENXIO)
        tolerate();
    else
        check_zero(f, off, at < 0 || at > f->lo ? f->lo : at);
    now("%s: seek hole from %ld", f->name, off);
    at = lseek(fd, off, SEEK_HOLE);
    if (at < 0)
        tolerate();
    else if (at < off || (at > f->hi && !faulty()))
        fail("hole at %ld (size %ld..%ld)", at, f->lo, f->hi);
}

static void
do_stat(struct file *f)
{
    struct stat st;
    char path[4096];
    int fd = get_fd(f, 0);
    int ret = 0;

    if (fd < 0)
        return;
    now("%s: stat", f->name);
    path_of(f, pick(n_mounts), path);
    ret = pick(2) ? fstat(fd, &st) : stat(path, &st);
    if (ret)
        tolerate();
    else if (st.st_size < f->lo || (st.st_size > f->hi && !faulty()))
        fail("size %ld, must be %ld..%ld", (long)st.st_size, f->lo, f->hi);
}

static void
do_sync(struct file *f)
{
    int fd = get_fd(f, 0);

    now("%s: fsync", f->name);
    if (fd >= 0 && (pick(2) ? fsync(fd) : fdatasync(fd)))
        tolerate();
}

static void
do_reopen(struct file *f)
{
    char path[4096];
    int mount = pick(n_mounts);
    int fd = -1;

    now("%s: close", f->name);
    close_all(f);
    if (pick(5) || f->there != YES)
        return;
    now("%s: open with O_TRUNC", f->name);
    path_of(f, mount, path);
    fd = open(path, O_RDWR | O_TRUNC);
    if (fd < 0) {
        tolerate();
        hold_cut_perhaps(f, 0);
        return;
    }
    hold_cut(f, 0);
    f->fds[mount][0] = fd;
}

static void
do_unlink(struct file *f)
{
    char path[4096];

    if (f->there != YES || pick(4))
        return;
    close_all(f);
    now("%s: unlink", f->name);
    path_of(f, pick(n_mounts), path);
    if (unlink(path)) {
        tolerate();
        f->there = PERHAPS;
        hold_unknown(f, 0, f->hi);
        f->lo = 0;
        return;
    }
    f->there = NO;
    hold_cut(f, 0);
}

static void
work(double seconds)
{
    static void (*const all[])(struct file *) = {
        do_write,    do_write,     do_write, do_append, do_read,
        do_read,     do_read,      do_stat,  do_sync,   do_reopen,
        do_truncate, do_fallocate, do_seek,  do_unlink,
    };
    struct timespec begin, end;
    int i = 0;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        all[pick(sizeof(all) / sizeof(all[0]))](&files[pick(n_files)]);
        clock_gettime(CLOCK_MONOTONIC, &end);
    } while (end.tv_sec - begin.tv_sec + (end.tv_nsec - begin.tv_nsec) * 1e-9 <
             seconds);
    for (i = 0; i < n_files; i++) {
        now("%s: close", files[i].name);
        close_all(&files[i]);
    }
}

/* ---- afterwards
 * ----------------------------------------------------------------------------
 */

static void
verify_file(struct file *f, int mount)
{
    struct stat st;
    char path[4096];
    long off = 0;
    long ret = 0;
    int fd = -1;

    now("%s: verify on %s", f->name, mounts[mount]);
    path_of(f, mount, path);
    fd = open(path, O_RDONLY);
    if (fd < 0 && errno == ENOENT && f->there != YES)
        return;
    if (fd < 0)
        fail("%s", strerror(errno));
    if (f->there == NO)
        fail("is there, and was removed");
    if (fstat(fd, &st))
        fail("stat: %s", strerror(errno));
    if (st.st_size < f->lo || st.st_size > f->hi)
        fail("size %ld, must be %ld..%ld", (long)st.st_size, f->lo, f->hi);
    while ((ret = pread(fd, buf, 65536, off)) > 0) {
        if (off + ret > st.st_size)
            fail("read %ld at %ld, past its size %ld", ret, off,
                 (long)st.st_size);
        check_bytes(f, off, buf, ret);
        off += ret;
    }
    if (ret < 0)
        fail("read at %ld: %s", off, strerror(errno));
    if (off != st.st_size)
        fail("read ends at %ld of %ld", off, (long)st.st_size);
    if (close(fd))
        fail("close: %s", strerror(errno));
}

static void
state_io(const char *name, int save)
{
    FILE *s = fopen(name, save ? "w" : "r");
    size_t done = 0;
    int i = 0;

    if (!s)
        fail("%s: %s", name, strerror(errno));
    for (i = 0; i < n_files; i++) {
        struct file *f = &files[i];
        long head[3] = {f->lo, f->hi, f->there};

        if (save) {
            done += fwrite(head, sizeof(head), 1, s);
            done += fwrite(f->data, max_size, 1, s);
            done += fwrite(f->known, max_size, 1, s);
        } else {
            done += fread(head, sizeof(head), 1, s);
            done += fread(f->data, max_size, 1, s);
            done += fread(f->known, max_size, 1, s);
            f->lo = head[0];
            f->hi = head[1];
            f->there = (int)head[2];
        }
    }
    if (fclose(s) || done != 3 * (size_t)n_files)
        fail("%s: cannot be %s", name, save ? "written" : "read");
}

/* The share of bytes that are known, so that a run that proves nothing can be
 * seen. */
static int
known_percent(void)
{
    long sum = 0;
    long known = 0;
    long k = 0;
    int i = 0;

    for (i = 0; i < n_files; i++) {
        sum += files[i].hi;
        for (k = 0; k < files[i].hi; k++)
            known += files[i].known[k];
    }
    return sum ? (int)(known * 100 / sum) : 100;
}

/* ---- the watch
 * ------------------------------------------------------------------------------
 */

static void
tell_progress(const char *progress)
{
    FILE *s = progress ? fopen(progress, "w") : NULL;

    if (s) {
        fprintf(s, "%ld\n", beat->count);
        fclose(s);
    }
}

static int
watch(pid_t child, int patience, const char *progress)
{
    struct timespec step = {0, 100000000};
    long last = -1;
    int quiet = 0;
    int status = 0;

    while (waitpid(child, &status, WNOHANG) == 0) {
        quiet = beat->count == last ? quiet + 1 : 0;
        last = beat->count;
        tell_progress(progress);
        if (quiet > patience * 10) {
            printf("seed %llu, call %ld hangs for %d s: %s\n",
                   (unsigned long long)seed, last, patience, beat->now);
            fflush(stdout);
            kill(child, SIGKILL);
            return 3;
        }
        nanosleep(&step, NULL);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int
main(int argc, char **argv)
{
    const char *state = NULL;
    const char *progress = NULL;
    double seconds = 10;
    int patience = 60;
    int judge = 0;
    int opt = 0;
    int i = 0;
    int m = 0;
    pid_t child = 0;

    seed = time(NULL);
    while ((opt = getopt(argc, argv, "s:t:f:m:e:o:w:p:v")) != -1) {
        switch (opt) {
            case 's':
                seed = strtoull(optarg, NULL, 10);
                break;
            case 't':
                seconds = atof(optarg);
                break;
            case 'f':
                n_files = atoi(optarg);
                break;
            case 'm':
                max_size = atol(optarg);
                break;
            case 'e':
                allowed = optarg;
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
            case 'v':
                judge = 1;
                break;
            default:
                return 2;
        }
    }
    for (; optind < argc && n_mounts < MOUNTS; optind++)
        mounts[n_mounts++] = argv[optind];
    if (!n_mounts || n_files < 1 || n_files > FILES || max_size < 300000 ||
        (judge && !state)) {
        fprintf(stderr, "usage: see the head of oracle.c\n");
        return 2;
    }
    beat = mmap(NULL, sizeof(*beat), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    buf = malloc(max_size + 200000);
    if (beat == MAP_FAILED || !buf)
        return 2;
    rng = seed;
    for (i = 0; i < n_files; i++) {
        struct file *f = &files[i];

        snprintf(f->name, sizeof(f->name), "oracle-%llu-%d",
                 (unsigned long long)seed, i);
        f->there = NO;
        f->data = malloc(max_size);
        f->known = malloc(max_size);
        if (!f->data || !f->known)
            return 2;
        hold_zero(f, 0);
        memset(f->fds, -1, sizeof(f->fds));
    }

    fflush(stdout);
    child = fork();
    if (child)
        return child < 0 ? 2 : watch(child, patience, progress);
    if (judge)
        state_io(state, 0);
    else
        work(seconds);
    /* Without faults everything is known, at once. */
    for (i = 0; i < n_files && (judge || !faulty()); i++)
        for (m = 0; m < n_mounts; m++)
            verify_file(&files[i], m);
    if (!judge && state)
        state_io(state, 1);
    printf("seed %llu: %ld calls, %d %% of the bytes known\n",
           (unsigned long long)seed, calls, known_percent());
    fflush(stdout);
    _exit(0);
}
