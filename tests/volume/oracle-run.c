/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * oracle-run.c - makes one call, tells memory what it did, and compares what
 * came back with what memory says.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "oracle.h"

#define MARK "user.oracle"

static const struct fs_ops *
ops_of(int mount)
{
    return w.fs[mount].ops;
}

/* ---- files and fds ---------------------------------------------------------
 */

static void
body_shut(struct body *b)
{
    int used = b->used;

    body_drop(b);
    b->used = used;
}

static int
body_open_anywhere(const struct body *b)
{
    int i = 0;

    for (i = 0; i < MOUNTS * FD_FLAVORS; i++)
        if (b->fds[i / FD_FLAVORS][i % FD_FLAVORS])
            return 1;
    return 0;
}

/* A name goes away, and was @n's. What is open may stay so, as its ghost. */
static void
name_lost(struct name *n, int keep)
{
    struct body *b = n->body;

    n->body = NULL;
    n->there = NO;
    if (!b || --b->names > 0)
        return;
    if (!keep || !body_open_anywhere(b)) {
        body_drop(b);
        return;
    }
    if (n->ghost)
        body_drop(n->ghost);
    n->ghost = b;
}

/* A file that is there under this name; made if it is not. */
static int
name_open(struct name *n, int mount, enum flavor flavor, struct fs_file **fd)
{
    static const int flags[FD_FLAVORS] = {
        [FD_PLAIN] = O_RDWR,
        [FD_APPEND] = O_RDWR | O_APPEND,
        [FD_DIRECT] = O_RDWR | O_DIRECT,
        [FD_SYNC] = O_RDWR | O_SYNC,
    };
    int create = 0;
    int ret = 0;

    if (n->there != YES)
        create = O_CREAT | (n->there == PERHAPS ? O_TRUNC : O_EXCL);
    ret = ops_of(mount)->open(&w.fs[mount], n->text, flags[flavor] | create,
                              0644, fd);
    if (ret) {
        tolerate(ret);
        if (n->there == NO) {
            n->there = PERHAPS;
            n->body = n->body ? n->body : body_new();
        }
        return ret;
    }
    if (!n->body)
        n->body = body_new();
    if (n->there == PERHAPS)
        hold_cut(n->body, 0);
    if (n->there != YES)
        n->body->names = 1;
    n->there = YES;
    return 0;
}

/* The body and fd that @op is about. NULL: the call is left out. */
static struct body *
op_fd(const struct op *op, struct fs_file **fd)
{
    struct name *n = &w.names[op->file];
    struct body *b = op->ghost ? n->ghost : n->body;
    struct fs_file **slot = NULL;
    struct stat st;
    int ret = 0;

    if (op->ghost && (!b || !b->fds[op->mount][op->flavor]))
        return NULL;
    if (op->shut && b && !op->ghost)
        body_shut(b);
    slot = b ? &b->fds[op->mount][op->flavor] : NULL;
    if (slot && *slot) {
        *fd = *slot;
        if (w.n_mounts > 1 && (ret = ops_of(op->mount)->fstat(*fd, &st)))
            tolerate(ret);
        return b;
    }
    if (name_open(n, op->mount, op->flavor, fd))
        return NULL;
    n->body->fds[op->mount][op->flavor] = *fd;
    return n->body;
}

/* The file must be there, no fd is needed. */
static struct body *
op_body(const struct op *op)
{
    struct name *n = &w.names[op->file];
    struct fs_file *fd = NULL;

    if (op->shut && n->body)
        body_shut(n->body);
    if (n->there == YES)
        return n->body;
    if (name_open(n, op->mount, FD_PLAIN, &fd))
        return NULL;
    n->body->fds[op->mount][FD_PLAIN] = fd;
    return n->body;
}

static void
changed(struct body *b, int written)
{
    b->mtime = 0;
    b->written = written;
}

static void
fill_bytes(uint64_t seed, long n)
{
    long i = 0;

    for (i = 0; i < n; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        w.buf[i] = (seed >> 33) % 255 + 1;
    }
}

/* ---- reading and writing ---------------------------------------------------
 */

static void
did_write(struct body *b, long off, long n, ssize_t ret)
{
    if (ret < 0)
        tolerate(ret);
    if (ret >= 0 && ret < n && !faulty())
        fail("only %ld of %ld bytes written", (long)ret, n);
    ret = ret < 0 ? 0 : ret;
    if (ret)
        hold_write(b, off, w.buf, ret);
    if (ret < n) {
        hold_unknown(b, off + ret, off + n);
        hold_size(b, 0, off + n);
    }
    changed(b, ret > 0);
}

static void
do_write(const struct op *op)
{
    struct fs_file *fd = NULL;
    struct body *b = op_fd(op, &fd);
    long first = op->len / 3;
    struct iovec iov[2];

    if (!b)
        return;
    fill_bytes(op->fill, op->len);
    if (op->flavor == FD_DIRECT)
        first -= first % 4096;
    iov[0] = (struct iovec){w.buf, first};
    iov[1] = (struct iovec){w.buf + first, op->len - first};
    did_write(b, op->off, op->len,
              op->how
                  ? ops_of(op->mount)->pwritev(fd, iov, 2, op->off)
                  : fs_pwrite(&w.fs[op->mount], fd, w.buf, op->len, op->off));
}

static void
do_append(const struct op *op)
{
    struct fs_file *fd = NULL;
    struct body *b = NULL;
    ssize_t ret = 0;
    long n = op->len;

    if (w.names[op->file].body && !op->ghost &&
        w.names[op->file].body->hi + n > w.max_size)
        return;
    b = op_fd(op, &fd);
    if (!b || b->hi + n > w.max_size)
        return;
    fill_bytes(op->fill, n);
    ret = ops_of(op->mount)->write(fd, w.buf, n);
    if (b->lo == b->hi && ret == n) {
        hold_write(b, b->lo, w.buf, n);
    } else {
        if (ret < 0)
            tolerate(ret);
        if (!faulty())
            fail("only %ld of %ld bytes written", (long)ret, n);
        hold_unknown(b, b->lo, b->hi + n);
        b->lo += ret < 0 ? 0 : ret;
        b->hi += n;
    }
    changed(b, ret > 0);
}

static void
do_read(const struct op *op)
{
    struct fs_file *fd = NULL;
    struct body *b = op_fd(op, &fd);
    long off = op->off;
    long n = op->len;
    long ret = 0;
    long got = 1;
    long most = 0;

    if (!b)
        return;
    if (op->fill % 3 == 0)
        ops_of(op->mount)->forget(fd);
    for (ret = 0; ret < n; ret += got) {
        got = fs_pread(&w.fs[op->mount], fd, w.buf + ret, n - ret, off + ret);
        if (got < 0)
            tolerate(got);
        if (got <= 0)
            break;
        /* The kernel cuts a call into several. If a later one fails, the call
         * ends short, and says why when it is repeated. */
        if (!faulty() && got < n - ret && off + ret + got < b->lo)
            fail("only %ld bytes read (size %ld)", ret + got, b->lo);
        /* What follows a short O_DIRECT read is not aligned any more. */
        if (op->flavor == FD_DIRECT && got % 4096) {
            ret += got;
            break;
        }
    }
    /* With a brick away the end of the file may not be known: what is shown
     * behind it must be zeros. */
    most = faulty() || off + n < b->hi ? n : b->hi - off;
    if (ret > (most > 0 ? most : 0) || (got == 0 && off + ret < b->lo))
        fail("%ld bytes read (size %ld..%ld)", ret, b->lo, b->hi);
    check_bytes(b, off, w.buf, ret);
}

/* Within the file: what is behind its last page gives SIGBUS. Not written
 * through an fd with O_DIRECT: the kernel writes back up to the end of the
 * file, through any fd, and a brick that has opened it with O_DIRECT as well
 * refuses such a length. So does stock distribute. */
static void
do_map(const struct op *op)
{
    struct fs_file *fd = NULL;
    struct body *b = NULL;
    long n = op->len;
    long ret = 0;

    /* What was mapped stays in the kernel's cache, and another client's write
     * does not change it there: over plain distribute as well. */
    if (w.n_mounts > 1)
        return;
    b = op_fd(op, &fd);
    if (!b || op->off >= b->lo)
        return;
    if (op->kind == OP_MAP_WRITE && op->flavor == FD_DIRECT)
        return;
    if (op->off + n > b->lo)
        n = b->lo - op->off;
    if (op->kind == OP_MAP_READ) {
        ret = ops_of(op->mount)->map_read(fd, w.buf, n, op->off);
        if (ret == 0)
            check_bytes(b, op->off, w.buf, n);
    } else {
        fill_bytes(op->fill, n);
        ret = ops_of(op->mount)->map_write(fd, w.buf, n, op->off);
        if (ret == 0)
            did_write(b, op->off, n, n);
    }
    /* Without the kernel's cache a file cannot be mapped. */
    if (ret < 0 && ret != -ENODEV && ret != -EOPNOTSUPP)
        tolerate(ret);
}

static void
do_copy(const struct op *op)
{
    struct op src = *op;
    struct fs_file *in = NULL;
    struct fs_file *out = NULL;
    struct body *a = NULL;
    struct body *b = NULL;
    long n = op->len;
    long ret = 0;

    src.file = op->other;
    src.flavor = FD_PLAIN;
    src.ghost = 0;
    if (w.names[op->other].there != YES || op->flavor != FD_PLAIN)
        return;
    a = op_fd(&src, &in);
    b = op_fd(op, &out);
    /* op_fd() of the one may have closed the other's. */
    if (!a || !b || !a->fds[op->mount][FD_PLAIN] || op->from >= a->lo)
        return;
    in = a->fds[op->mount][FD_PLAIN];
    if (op->from + n > a->lo)
        n = a->lo - op->from;
    /* Overlapping is EINVAL. */
    if (a == b && op->from < op->off + n && op->off < op->from + n)
        return;
    ret = ops_of(op->mount)->copy(in, op->from, out, op->off, n);
    /* libgfapi makes EPERM of it (it takes -1 for an errno). */
    if ((ret == -EOPNOTSUPP || ret == -EPERM) &&
        strcmp(ops_of(op->mount)->kind, "gfapi") == 0)
        return;
    if (ret < 0)
        tolerate(ret);
    if (ret <= 0 || ret > n)
        fail("%ld of %ld bytes copied", ret, n);
    /* A copy may be short; what it did must be right. */
    memcpy(w.buf, a->data + op->from, ret);
    hold_write(b, op->off, w.buf, ret);
    changed(b, 1);
}

/* ---- sizes and space -------------------------------------------------------
 */

static void
did_cut(struct body *b, long size, int ret)
{
    if (ret == 0) {
        hold_cut(b, size);
    } else {
        tolerate(ret);
        hold_cut_perhaps(b, size);
    }
    changed(b, 0);
}

static void
do_truncate(const struct op *op)
{
    struct fs_file *fd = NULL;
    struct body *b = NULL;

    if (op->kind == OP_FTRUNCATE) {
        b = op_fd(op, &fd);
        if (b)
            did_cut(b, op->off, ops_of(op->mount)->ftruncate(fd, op->off));
    } else {
        b = op_body(op);
        if (b)
            did_cut(b, op->off,
                    ops_of(op->mount)->truncate(
                        &w.fs[op->mount], w.names[op->file].text, op->off));
    }
}

static void
do_open_trunc(const struct op *op)
{
    struct name *n = &w.names[op->file];
    struct fs_file *fd = NULL;
    int ret = 0;

    if (n->body)
        body_shut(n->body);
    if (n->there != YES)
        return;
    ret = ops_of(op->mount)->open(&w.fs[op->mount], n->text, O_RDWR | O_TRUNC,
                                  0, &fd);
    did_cut(n->body, 0, ret);
    if (ret == 0)
        n->body->fds[op->mount][FD_PLAIN] = fd;
}

static void
do_space(const struct op *op)
{
    struct fs_file *fd = NULL;
    struct body *b = NULL;
    long off = op->off;
    long n = op->len;
    int grows = op->how == FS_ALLOCATE || op->how == FS_ZERO;
    int zeros = op->how == FS_PUNCH || op->how == FS_ZERO;
    int ret = 0;

    /* mount/fuse drops ZERO_RANGE and allocates only, whatever is below. */
    if (op->how >= FS_ZERO && strcmp(ops_of(op->mount)->kind, "gfapi") != 0)
        return;
    b = op_fd(op, &fd);
    if (!b)
        return;
    ret = ops_of(op->mount)->space(fd, op->how, off, n);
    changed(b, 0);
    if (ret) {
        tolerate(ret);
        if (grows)
            hold_size(b, 0, off + n);
        if (zeros)
            hold_unknown(b, off, off + n < b->hi ? off + n : b->hi);
        return;
    }
    if (grows)
        hold_size(b, off + n, off + n);
    if (zeros) {
        memset(b->data + off, 0, n);
        memset(b->known + off, 1, n);
    }
}

static void
do_seek(const struct op *op)
{
    struct fs_file *fd = NULL;
    struct body *b = op_fd(op, &fd);
    off_t at = 0;

    if (!b || op->off >= b->lo)
        return;
    at = ops_of(op->mount)->seek(fd, op->off, op->how ? SEEK_HOLE : SEEK_DATA);
    if (at >= 0 && (at < op->off || (at > b->hi && !faulty())))
        fail("%s at %ld (size %ld..%ld)", op->how ? "hole" : "data", (long)at,
             b->lo, b->hi);
    if (op->how) {
        if (at < 0)
            tolerate(at);
        else if (at < b->lo)
            check_zero(b, at, at + 1);
    } else if (at < 0 && at != -ENXIO) {
        tolerate(at);
    } else {
        check_zero(b, op->off, at < 0 || at > b->lo ? b->lo : at);
    }
}

/* ---- what is known of a file -----------------------------------------------
 */

/* The kernel sends these without the fd, and mount/fuse then finds no file
 * under a name that is gone: ESTALE, with and without allot. */
static int
cannot_set(const struct op *op)
{
    return op->ghost && strcmp(ops_of(op->mount)->kind, "mount") == 0;
}

static void
do_stat(const struct op *op)
{
    struct name *n = &w.names[op->file];
    struct fs_file *fd = NULL;
    struct body *b = n->body;
    struct stat st;
    int ret = 0;

    if (op->how) {
        ret = ops_of(op->mount)->lstat(&w.fs[op->mount], n->text, &st);
        if (n->there == NO && !ret)
            fail("is there and must not be");
        else if (n->there == NO && ret != -ENOENT)
            tolerate(ret);
        if (n->there != YES)
            return;
    } else {
        b = op_fd(op, &fd);
        if (!b)
            return;
        ret = ops_of(op->mount)->fstat(fd, &st);
    }
    if (ret)
        tolerate(ret);
    else
        check_stat(b, &st);
}

static void
do_sync(const struct op *op)
{
    struct fs_file *fd = NULL;
    struct body *b = op_fd(op, &fd);
    int ret = b ? ops_of(op->mount)->fsync(fd, op->how) : 0;

    if (ret)
        tolerate(ret);
}

static void
do_times(const struct op *op)
{
    struct timespec times[2] = {{op->off, 0}, {op->off, 0}};
    struct fs_file *fd = NULL;
    struct body *b = NULL;
    int ret = 0;

    if (cannot_set(op))
        return;
    b = op->how ? op_body(op) : op_fd(op, &fd);
    if (!b)
        return;
    ret = op->how ? ops_of(op->mount)->utimens(&w.fs[op->mount],
                                               w.names[op->file].text, times)
                  : ops_of(op->mount)->futimens(fd, times);
    if (ret)
        tolerate(ret);
    b->mtime = op->off;
    b->written = 0;
}

static void
do_mode(const struct op *op)
{
    struct fs_file *fd = NULL;
    struct body *b = cannot_set(op) ? NULL : op_fd(op, &fd);
    int ret = b ? ops_of(op->mount)->fchmod(fd, op->off) : 0;

    if (!b)
        return;
    if (ret)
        tolerate(ret);
    b->mode = (int)op->off;
}

static void
do_xattr(const struct op *op)
{
    struct body *b = op_body(op);
    struct fs *fs = &w.fs[op->mount];
    uint64_t value = 0;
    ssize_t ret = 0;

    if (!b)
        return;
    if (op->how == 0) {
        value = op->fill + 1;
        ret = fs->ops->setxattr(fs, w.names[op->file].text, MARK, &value,
                                sizeof(value));
        if (ret)
            tolerate(ret);
        b->mark = value;
        return;
    }
    ret = fs->ops->getxattr(fs, w.names[op->file].text, MARK, &value,
                            sizeof(value));
    if (ret == -ENODATA && !b->mark)
        return;
    if (ret < 0)
        tolerate(ret);
    if (ret != sizeof(value) || value != b->mark)
        fail("xattr is %llu, was set to %llu", (unsigned long long)value,
             (unsigned long long)b->mark);
}

/* ---- names -----------------------------------------------------------------
 */

static void
do_unlink(const struct op *op)
{
    struct name *n = &w.names[op->file];
    int ret = 0;

    if (n->there != YES)
        return;
    if (!op->how)
        body_shut(n->body);
    ret = ops_of(op->mount)->unlink(&w.fs[op->mount], n->text);
    if (ret) {
        tolerate(ret);
        n->there = PERHAPS;
        hold_unknown(n->body, 0, n->body->hi);
        n->body->lo = 0;
        return;
    }
    name_lost(n, op->how);
}

static void
do_rename(const struct op *op)
{
    struct name *from = &w.names[op->file];
    struct name *to = &w.names[op->other];
    int ret = 0;

    if (from->there != YES || from == to)
        return;
    if (!op->how && to->body)
        body_shut(to->body);
    ret = ops_of(op->mount)->rename(&w.fs[op->mount], from->text, to->text);
    if (ret)
        tolerate(ret);
    /* Two names of one file: nothing happens. */
    if (from->body == to->body)
        return;
    from->tangled = to->tangled = 1;
    if (to->there == YES)
        name_lost(to, op->how);
    to->body = from->body;
    to->there = YES;
    from->body = NULL;
    from->there = NO;
}

static void
do_link(const struct op *op)
{
    struct name *from = &w.names[op->file];
    struct name *to = &w.names[op->other];
    struct op gone = *op;
    int ret = 0;

    /* distribute leaves a link file behind when one of several names of a file
     * was renamed over; a hard link of that name is then EEXIST, with and
     * without allot. */
    if (from->there != YES || from == to || from->body == to->body ||
        to->tangled)
        return;
    gone.file = op->other;
    do_unlink(&gone);
    ret = ops_of(op->mount)->link(&w.fs[op->mount], from->text, to->text);
    if (ret)
        tolerate(ret);
    to->body = from->body;
    to->body->names++;
    to->there = YES;
}

static void
do_close(const struct op *op)
{
    struct name *n = &w.names[op->file];

    if (op->ghost) {
        if (n->ghost)
            body_drop(n->ghost);
        n->ghost = NULL;
    } else if (n->body) {
        body_shut(n->body);
    }
}

void
run_op(const struct op *op)
{
    static void (*const all[OP_KINDS])(const struct op *) = {
        [OP_WRITE] = do_write,
        [OP_APPEND] = do_append,
        [OP_READ] = do_read,
        [OP_FTRUNCATE] = do_truncate,
        [OP_TRUNCATE] = do_truncate,
        [OP_SPACE] = do_space,
        [OP_SEEK] = do_seek,
        [OP_STAT] = do_stat,
        [OP_SYNC] = do_sync,
        [OP_CLOSE] = do_close,
        [OP_OPEN_TRUNC] = do_open_trunc,
        [OP_UNLINK] = do_unlink,
        [OP_RENAME] = do_rename,
        [OP_LINK] = do_link,
        [OP_COPY] = do_copy,
        [OP_MAP_WRITE] = do_map,
        [OP_MAP_READ] = do_map,
        [OP_TIMES] = do_times,
        [OP_MODE] = do_mode,
        [OP_XATTR] = do_xattr,
    };
    char text[OP_TEXT];

    op_text(op, text);
    now(text);
    all[op->kind](op);
}

/* ---- at the end ------------------------------------------------------------
 */

void
run_close(void)
{
    int i = 0;

    now("close all");
    for (i = 0; i < w.n_files; i++) {
        struct name *n = &w.names[i];

        if (n->body)
            body_shut(n->body);
        if (n->ghost)
            body_drop(n->ghost);
        n->ghost = NULL;
    }
}

static void
verify_file(struct name *n, int mount)
{
    const struct fs_ops *ops = ops_of(mount);
    struct fs_file *fd = NULL;
    struct stat st;
    long off = 0;
    long ret = 0;

    ret = ops->open(&w.fs[mount], n->text, O_RDONLY, 0, &fd);
    if (ret == -ENOENT && n->there != YES)
        return;
    if (ret < 0)
        fail("%s: %s", n->text, strerror((int)-ret));
    if (n->there == NO)
        fail("%s is there, and was removed", n->text);
    ret = ops->fstat(fd, &st);
    if (ret)
        fail("stat %s: %s", n->text, strerror((int)-ret));
    if (st.st_size < n->body->lo || st.st_size > n->body->hi)
        fail("%s: size %ld, must be %ld..%ld", n->text, (long)st.st_size,
             n->body->lo, n->body->hi);
    check_stat(n->body, &st);
    while ((ret = fs_pread(&w.fs[mount], fd, w.buf, 65536, off)) > 0) {
        if (off + ret > st.st_size)
            fail("%s: read %ld at %ld, past its size %ld", n->text, ret, off,
                 (long)st.st_size);
        check_bytes(n->body, off, w.buf, ret);
        off += ret;
    }
    if (ret < 0)
        fail("%s: read at %ld: %s", n->text, off, strerror((int)-ret));
    if (off != st.st_size)
        fail("%s: read ends at %ld of %ld", n->text, off, (long)st.st_size);
    ret = ops->close(fd);
    if (ret)
        fail("close %s: %s", n->text, strerror((int)-ret));
}

void
run_verify(void)
{
    char text[OP_TEXT];
    int i = 0;
    int m = 0;

    for (i = 0; i < w.n_files; i++) {
        for (m = 0; m < w.n_mounts; m++) {
            snprintf(text, sizeof(text), "verify file=%d mount=%d", i, m);
            now(text);
            verify_file(&w.names[i], m);
        }
    }
}

void
run_remove(void)
{
    int i = 0;

    for (i = 0; i < w.n_files; i++)
        w.fs[0].ops->unlink(&w.fs[0], w.names[i].text);
}
