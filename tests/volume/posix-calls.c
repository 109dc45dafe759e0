/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * posix-calls.c - calls at borders and with bad arguments, one line for each:
 * what came back, errno, and what the file then is. Two file systems that mean
 * the same give the same lines.
 *
 *     posix-calls names|data DIRECTORY
 *     posix-calls data gfapi:FILE.vol
 *
 * "names" makes, renames, links and removes, as root and as nobody; "data"
 * reads, writes, cuts and allocates. DIRECTORY must be empty, and is left
 * empty.
 *
 * Deliberately not here: what the lines must be. posix-compare.sh compares
 * those of allot with those of plain distribute.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs.h"

#define NOBODY 65534
#define INLINE 65536L
#define BLOCK 262144L

/* Results that are errors, as names; numbers differ between machines. */
static void
say(const char *what, long ret)
{
    if (ret < 0)
        printf("%-40s %s\n", what, strerrorname_np((int)-ret));
    else
        printf("%-40s %ld\n", what, ret);
}

static void __attribute__((format(printf, 2, 3)))
sayf(long ret, const char *fmt, ...)
{
    char what[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    say(what, ret);
}

/* ---- data ------------------------------------------------------------------
 */

static struct fs fs;
static unsigned char *buf;

/* Size, and a sum over all bytes. */
static void
tell(struct fs_file *f, const char *what)
{
    struct stat st;
    uint64_t sum = 14695981039346656037ULL;
    ssize_t n = 0;
    long off = 0;
    long i = 0;
    long ret = fs.ops->fstat(f, &st);

    if (ret) {
        sayf(ret, "  %s: stat", what);
        return;
    }
    if (st.st_size > 8 << 20) {
        printf("  %s: size %lld\n", what, (long long)st.st_size);
        return;
    }
    while ((n = fs_pread(&fs, f, buf, 1 << 20, off)) > 0) {
        for (i = 0; i < n; i++)
            sum = (sum ^ buf[i]) * 1099511628211ULL;
        off += n;
    }
    printf("  %s: size %lld, %ld bytes read, sum %016llx\n", what,
           (long long)st.st_size, off, (unsigned long long)sum);
}

static struct fs_file *
fresh(const char *name, long bytes)
{
    struct fs_file *f = NULL;
    long off = 0;
    int ret = fs.ops->open(&fs, name, O_RDWR | O_CREAT | O_TRUNC, 0644, &f);

    if (ret) {
        sayf(ret, "create %s", name);
        exit(1);
    }
    for (off = 0; off < bytes; off += 1 << 20) {
        long n = bytes - off < 1 << 20 ? bytes - off : 1 << 20;
        long i = 0;

        for (i = 0; i < n; i++)
            buf[i] = (off + i) % 251 + 1;
        if (fs_pwrite(&fs, f, buf, n, off) != n)
            say("fill", -EIO);
    }
    return f;
}

static void
gone(struct fs_file *f, const char *name)
{
    sayf(fs.ops->close(f), "close %s", name);
    sayf(fs.ops->unlink(&fs, name), "unlink %s", name);
}

/* Every size beside a border: what is there, read across the end, cut and
 * extended again. */
static void
data_sizes(void)
{
    static const long sizes[] = {
        0,
        1,
        INLINE - 1,
        INLINE,
        INLINE + 1,
        BLOCK - 1,
        BLOCK,
        BLOCK + 1,
        BLOCK + INLINE - 1,
        2 * BLOCK,
        5 * BLOCK + 1,
    };
    struct fs_file *f = NULL;
    unsigned i = 0;
    unsigned k = 0;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        long size = sizes[i];

        f = fresh("f", size);
        tell(f, "filled");
        memset(buf, 0x5a, 4096);
        sayf(fs_pread(&fs, f, buf, 10, size), "%ld: read at the end", size);
        sayf(fs_pread(&fs, f, buf, 10, size ? size - 1 : 0),
             "%ld: read over the end", size);
        sayf(fs_pread(&fs, f, buf, 10, size + 100000), "%ld: read behind",
             size);
        sayf(fs_pwrite(&fs, f, buf, 0, size + 5), "%ld: write nothing", size);
        tell(f, "after nothing");
        for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
            sayf(fs.ops->ftruncate(f, sizes[k]), "%ld: cut to %ld", size,
                 sizes[k]);
            sayf(fs.ops->ftruncate(f, size), "%ld: back", size);
        }
        tell(f, "cut and back");
        sayf(fs.ops->seek(f, 0, SEEK_HOLE), "%ld: hole", size);
        sayf(fs.ops->seek(f, size, SEEK_DATA), "%ld: data from the end", size);
        sayf(fs.ops->seek(f, size + 1, SEEK_HOLE), "%ld: hole behind it", size);
        gone(f, "f");
    }
}

static void
data_space(void)
{
    static const long at[] = {0,          INLINE - 1, INLINE,
                              BLOCK - 10, BLOCK,      3 * BLOCK + 17};
    static const char *const names[] = {"allocate", "keep", "punch", "zero",
                                        "zero keep"};
    struct fs_file *f = NULL;
    unsigned i = 0;
    int how = 0;

    /* A mount drops ZERO_RANGE, but the kernel has zeroed the pages at its ends
     * by then: what is read depends on whether they are still in its cache. */
    for (how = FS_ALLOCATE; how <= FS_ZERO_KEEP; how++) {
        for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
            f = fresh("f", 2 * BLOCK + 5);
            sayf(fs.ops->space(f, how, at[i], BLOCK + 3), "%s at %ld",
                 names[how], at[i]);
            if (how < FS_ZERO || strcmp(fs.ops->kind, "mount") != 0)
                tell(f, names[how]);
            gone(f, "f");
        }
        f = fresh("f", 100);
        sayf(fs.ops->space(f, how, 0, 0), "%s of nothing", names[how]);
        sayf(fs.ops->space(f, how, -1, 10), "%s before the file", names[how]);
        sayf(fs.ops->space(f, how, 10, -1), "%s of less than nothing",
             names[how]);
        sayf(fs.ops->space(f, how, INT64_MAX - 5, 10), "%s past 2^63",
             names[how]);
        tell(f, "unchanged");
        gone(f, "f");
    }
}

static void
data_bad(void)
{
    static const char *const places[] = {"small", "spread"};
    struct fs_file *f = NULL;
    struct fs_file *r = NULL;
    struct timespec times[2] = {{1000, 1}, {2000, 2}};
    struct stat st;
    int k = 0;

    for (k = 0; k < 2; k++) {
        f = fresh(places[k], k ? 3 * BLOCK : 100);
        sayf(fs_pwrite(&fs, f, buf, 10, -1), "%s: write at -1", places[k]);
        sayf(fs_pread(&fs, f, buf, 10, -1), "%s: read at -1", places[k]);
        sayf(fs_pread(&fs, f, buf, 10, INT64_MAX), "%s: read at 2^63-1",
             places[k]);
        sayf(fs_pread(&fs, f, buf, 10, INT64_MAX - 10), "%s: read to 2^63-1",
             places[k]);
        sayf(fs_pwrite(&fs, f, buf, 10, INT64_MAX), "%s: write at 2^63-1",
             places[k]);
        sayf(fs_pwrite(&fs, f, buf, 10, INT64_MAX - 5), "%s: write past 2^63",
             places[k]);
        sayf(fs_pread(&fs, f, buf, 0, 0), "%s: read nothing", places[k]);
        sayf(fs.ops->ftruncate(f, -1), "%s: ftruncate -1", places[k]);
        sayf(fs.ops->truncate(&fs, places[k], -1), "%s: truncate -1",
             places[k]);
        sayf(fs.ops->truncate(&fs, "nothing", 1), "truncate of nothing");
        sayf(fs.ops->seek(f, -5, SEEK_DATA), "%s: data from -5", places[k]);
        sayf(fs.ops->seek(f, INT64_MAX, SEEK_HOLE), "%s: hole at 2^63-1",
             places[k]);
        tell(f, "unchanged");
        sayf(fs.ops->open(&fs, places[k], O_RDONLY, 0, &r), "%s: read only",
             places[k]);
        sayf(fs_pwrite(&fs, r, buf, 1, 0), "%s: write to it", places[k]);
        sayf(fs.ops->ftruncate(r, 5), "%s: ftruncate it", places[k]);
        sayf(fs.ops->space(r, FS_ALLOCATE, 0, 5), "%s: allocate it", places[k]);
        fs.ops->close(r);
        sayf(fs.ops->open(&fs, places[k], O_WRONLY, 0, &r), "%s: write only",
             places[k]);
        sayf(fs_pread(&fs, r, buf, 1, 0), "%s: read it", places[k]);
        fs.ops->close(r);
        sayf(fs.ops->open(&fs, places[k], O_RDWR | O_CREAT | O_EXCL, 0644, &r),
             "%s: create it again", places[k]);
        sayf(fs.ops->futimens(f, times), "%s: set its times", places[k]);
        sayf(fs.ops->fsync(f, 0), "%s: fsync", places[k]);
        sayf(fs.ops->fsync(f, 1), "%s: fdatasync", places[k]);
        fs.ops->close(f);
        sayf(fs.ops->lstat(&fs, places[k], &st), "%s: stat", places[k]);
        printf("  mtime %ld.%09ld\n", st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
        sayf(fs.ops->unlink(&fs, places[k]), "%s: unlink", places[k]);
        sayf(fs.ops->unlink(&fs, places[k]), "%s: unlink again", places[k]);
    }
}

/* Far offsets. What the bricks' file system cannot do is EFBIG everywhere. */
static void
data_far(void)
{
    static const int64_t at[] = {1LL << 31, 1LL << 32, 1LL << 40,
                                 (1LL << 44) + 12345, (1LL << 53) + 1};
    struct fs_file *f = NULL;
    unsigned char got[5] = "";
    unsigned i = 0;

    for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        f = fresh("far", 10);
        sayf(fs_pwrite(&fs, f, "there", 5, at[i]), "write at %lld",
             (long long)at[i]);
        tell(f, "far");
        sayf(fs_pread(&fs, f, got, 5, at[i]), "read it");
        printf("  %02x%02x%02x%02x%02x\n", got[0], got[1], got[2], got[3],
               got[4]);
        sayf(fs_pread(&fs, f, got, 5, at[i] / 2), "a hole before it");
        printf("  %02x%02x%02x%02x%02x\n", got[0], got[1], got[2], got[3],
               got[4]);
        sayf(fs.ops->ftruncate(f, 3), "cut");
        sayf(fs.ops->ftruncate(f, at[i]), "ftruncate to there");
        tell(f, "far");
        gone(f, "far");
    }
}

/* An open file whose name goes, in each of the ways. */
static void
data_open_unlinked(void)
{
    static const long sizes[] = {10, INLINE, 3 * BLOCK};
    struct fs_file *f = NULL;
    struct fs_file *o = NULL;
    struct stat st;
    unsigned i = 0;
    int over = 0;

    for (i = 0; i < 3; i++) {
        for (over = 0; over < 2; over++) {
            f = fresh("f", sizes[i]);
            if (over) {
                o = fresh("o", 5);
                fs.ops->close(o);
                sayf(fs.ops->rename(&fs, "o", "f"), "%ld: rename over it",
                     sizes[i]);
            } else {
                sayf(fs.ops->unlink(&fs, "f"), "%ld: unlink it", sizes[i]);
            }
            tell(f, "without its name");
            sayf(fs.ops->fstat(f, &st), "links of it");
            printf("  %ld\n", (long)st.st_nlink);
            sayf(fs_pwrite(&fs, f, "grown", 5, sizes[i] + BLOCK), "grow it");
            tell(f, "grown");
            sayf(fs.ops->ftruncate(f, sizes[i] / 2), "cut it");
            tell(f, "cut");
            sayf(fs.ops->fsync(f, 0), "fsync it");
            sayf(fs.ops->close(f), "close it");
            if (over)
                sayf(fs.ops->unlink(&fs, "f"), "unlink what came");
        }
    }
}

static int
data(const char *place)
{
    int ret = fs_open_place(place, &fs);

    buf = aligned_alloc(4096, 1 << 20);
    if (ret || !buf)
        return 2;
    data_sizes();
    data_space();
    data_bad();
    data_far();
    data_open_unlinked();
    return 0;
}

/* ---- names -----------------------------------------------------------------
 */

#define R(call) sayf((call) < 0 ? -errno : 0, "%s%s", who, #call)

static const char *who = "";

static void
names_wrong(const char *long_name, const char *long_path)
{
    struct timespec omit[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
    struct timespec bad[2] = {{0, 1000000000}, {0, 0}};

    R(mkdir("dir", 0755));
    R(mkdir("dir", 0755));
    R(close(open("file", O_CREAT | O_EXCL | O_WRONLY, 0644)));
    R(open("file", O_CREAT | O_EXCL | O_WRONLY, 0644));
    R(open("file", O_RDONLY | O_DIRECTORY));
    R(open("dir", O_WRONLY));
    R(open("nothing", O_RDONLY));
    R(open("file/x", O_RDONLY));
    R(open("file/", O_RDONLY));
    R(symlink("loop", "loop"));
    R(open("loop", O_RDONLY));
    R(open("loop", O_RDONLY | O_NOFOLLOW));
    R(symlink("nothing", "dangling"));
    R(open("dangling", O_RDONLY));
    R(open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0644));
    R(symlink("x", "file"));
    R(mkfifo("fifo", 0640));
    R(mkfifo("file", 0640));
    R(open("fifo", O_WRONLY | O_NONBLOCK));
    R(mknod("chr", S_IFCHR | 0600, makedev(1, 3)));
    R(mknod("nothing/x", S_IFREG | 0600, 0));
    R(link("file", "file2"));
    R(link("file", "file2"));
    R(link("dir", "dir2"));
    R(link("nothing", "n2"));
    R(link("file/x", "n2"));
    R(link("dangling", "dangling2"));
    R(unlink("dir"));
    R(unlink("nothing"));
    R(unlink("file/x"));
    R(rmdir("file"));
    R(rmdir("nothing"));
    R(rmdir("dir/."));
    R(rmdir("dir/.."));
    R(mkdir("dir/sub", 0755));
    R(rmdir("dir"));
    R(rename("file", "dir"));
    R(rename("dir", "file"));
    R(rename("dir", "dir/sub/x"));
    R(rename("nothing", "x"));
    R(rename("file", "nothing/x"));
    R(rename("file", "file/x"));
    R(rename("dir/sub", "dir"));
    R(rename("file", "file2"));
    R(rename("file", "."));
    R(rename("fifo", "dir/fifo"));
    R(rename("dir/fifo", "fifo"));
    R(mkdir("full", 0755));
    R(mkdir("full/x", 0755));
    R(mkdir("empty", 0755));
    R(rename("empty", "full"));
    R(rename("full", "empty"));
    R(rmdir("full"));
    R(rmdir("empty/x"));
    R(truncate("dir", 0));
    R(truncate("nothing", 0));
    R(truncate("file/x", 0));
    R(truncate("fifo", 0));
    R(chmod("nothing", 0600));
    R(chmod("file/x", 0600));
    R(chmod("file", 07777));
    R(chown("nothing", 0, 0));
    R(chown("file/x", 0, 0));
    R(lchown("dangling", 1, 1));
    R(utimensat(AT_FDCWD, "file", omit, 0));
    R(utimensat(AT_FDCWD, "file", bad, 0));
    R(utimensat(AT_FDCWD, "nothing", omit, 0));
    R(utimensat(AT_FDCWD, "dangling", omit, AT_SYMLINK_NOFOLLOW));
    R(mkdir(long_name, 0755));
    R(mkdir(long_name + 1, 0755));
    R(rmdir(long_name + 1));
    R(open(long_name, O_CREAT | O_WRONLY, 0644));
    R(symlink(long_name, long_name));
    R(rename("file", long_name));
    R(link("file", long_name));
    R(open(long_path, O_RDONLY));
    R(mkdir("", 0755));
    R(unlink(""));
    R(rename("", "x"));
}

/* Modes and owners of what is there. */
static void
names_state(void)
{
    static const char *const all[] = {"dir",  "file",     "file2",
                                      "loop", "dangling", "fifo",
                                      "chr",  "empty",    "dir/sub"};
    struct stat st;
    unsigned i = 0;

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (lstat(all[i], &st))
            sayf(-errno, "  %s", all[i]);
        else
            printf("  %s %o %d:%d links %ld size %ld\n", all[i], st.st_mode,
                   st.st_uid, st.st_gid,
                   S_ISDIR(st.st_mode) ? 0 : (long)st.st_nlink,
                   S_ISREG(st.st_mode) ? (long)st.st_size : 0);
    }
}

/* Files without a name, and names for open files. */
static void
names_nameless(void)
{
    char path[64];
    struct stat st;
    int fd = -1;
    int k = 0;

    R(close(open(".", O_TMPFILE | O_RDWR, 0600)));
    R(close(open("dir", O_TMPFILE | O_WRONLY | O_EXCL, 0600)));
    for (k = 0; k < 2; k++) {
        fd = open("named", O_CREAT | O_EXCL | O_RDWR, 0644);
        R(pwrite(fd, "x", 1, k ? 900000 : 10) - 1);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        R(linkat(AT_FDCWD, path, AT_FDCWD, "by-proc", AT_SYMLINK_FOLLOW));
        R(linkat(fd, "", AT_FDCWD, "by-fd", AT_EMPTY_PATH));
        R(linkat(AT_FDCWD, path, AT_FDCWD, "by-proc", AT_SYMLINK_FOLLOW));
        R(fstat(fd, &st));
        printf("  links %ld size %ld\n", (long)st.st_nlink, (long)st.st_size);
        R(unlink("by-proc"));
        R(unlink("by-fd"));
        R(unlink("named"));
        /* The last name is gone: it gets no other. */
        R(linkat(AT_FDCWD, path, AT_FDCWD, "again", AT_SYMLINK_FOLLOW));
        R(linkat(fd, "", AT_FDCWD, "again", AT_EMPTY_PATH));
        R(unlink("again"));
        R(pwrite(fd, "y", 1, 1000000) - 1);
        R(close(fd));
    }
}

/* As somebody else: permissions, the sticky bit, set-id bits at a write. */
static void
names_denied(void)
{
    struct timespec set[2] = {{1, 0}, {1, 0}};
    int fd = -1;

    who = "nobody: ";
    R(mkdir("closed/x", 0755));
    R(open("closed/file", O_RDONLY));
    R(open("closed/file", O_CREAT | O_WRONLY, 0644));
    R(open("roots", O_WRONLY));
    R(open("roots", O_RDONLY));
    R(unlink("closed/file"));
    R(rename("closed/file", "sticky/x"));
    R(link("closed/file", "sticky/x"));
    R(symlink("x", "closed/l"));
    R(truncate("roots", 0));
    R(chmod("roots", 0777));
    R(chown("roots", NOBODY, NOBODY));
    R(utimensat(AT_FDCWD, "roots", set, 0));
    R(unlink("sticky/roots"));
    R(rename("sticky/roots", "sticky/mine"));
    R(rmdir("sticky/rootsdir"));
    R(close(open("sticky/own", O_CREAT | O_WRONLY, 0644)));
    R(chmod("sticky/own", 06755));
    R(chown("sticky/own", 0, -1));
    R(utimensat(AT_FDCWD, "sticky/own", set, 0));
    R(rename("sticky/own", "sticky/own2"));
    R(unlink("sticky/own2"));
    fd = open("setid", O_WRONLY);
    R(write(fd, "x", 1) - 1);
    close(fd);
    fd = open("setid-large", O_WRONLY);
    R(write(fd, "x", 1) - 1);
    R(pwrite(fd, "x", 1, 900000) - 1);
    close(fd);
    R(truncate("setid-cut", 700000));
}

static void
put(const char *name, long bytes, mode_t mode)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0600);

    if (fd < 0 || (bytes && pwrite(fd, "x", 1, bytes - 1) != 1) ||
        fchmod(fd, mode) || close(fd))
        sayf(-errno, "put %s", name);
}

static int
names(const char *dir)
{
    static const char *const files[] = {"setid", "setid-large", "setid-cut",
                                        "roots"};
    char long_name[257];
    char *long_path = malloc(5001);
    struct stat st;
    pid_t child = 0;
    unsigned i = 0;
    int status = 0;

    if (!long_path || chdir(dir))
        return 2;
    memset(long_name, 'n', 256);
    long_name[256] = '\0';
    memset(long_path, '/', 5000);
    long_path[0] = 'p';
    long_path[5000] = '\0';
    umask(022);
    names_wrong(long_name, long_path);
    names_state();
    names_nameless();
    R(mkdir("closed", 0700));
    R(mkdir("sticky", 0777));
    R(chmod("sticky", 01777));
    R(mkdir("sticky/rootsdir", 0755));
    put("closed/file", 10, 0644);
    put("sticky/roots", 10, 0644);
    put("roots", 10, 0600);
    put("setid", 10, 06777);
    put("setid-large", 900000, 06777);
    put("setid-cut", 900000, 06777);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        if (setgid(NOBODY) || setuid(NOBODY))
            _exit(2);
        names_denied();
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, &status, 0);
    sayf(WEXITSTATUS(status), "somebody else");
    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (stat(files[i], &st) == 0)
            printf("  %s %o size %ld\n", files[i], st.st_mode & 07777,
                   (long)st.st_size);
    return 0;
}

int
main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOFBF, 1 << 20);
    if (argc == 3 && strcmp(argv[1], "data") == 0)
        return data(argv[2]);
    if (argc == 3 && strcmp(argv[1], "names") == 0)
        return names(argv[2]);
    fprintf(stderr, "usage: see the head of posix-calls.c\n");
    return 2;
}
