/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * oracle-memory.c - what memory says that the files hold. Too simple to be
 * wrong: an array of bytes per file, and one that says which of them are known.
 * oracle-self.sh runs the same calls on tmpfs, which must agree with it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

struct body *
body_new(void)
{
    unsigned i = 0;
    struct body *b = NULL;

    for (i = 0; i < sizeof(w.bodies) / sizeof(w.bodies[0]); i++) {
        b = &w.bodies[i];
        if (b->used)
            continue;
        if (!b->data) {
            b->data = malloc(w.max_size);
            b->known = malloc(w.max_size);
        }
        if (!b->data || !b->known)
            fail("no memory");
        b->used = 1;
        b->names = 0;
        b->mtime = 0;
        b->written = 0;
        b->mode = -1;
        b->mark = 0;
        memset(b->fds, 0, sizeof(b->fds));
        hold_cut(b, 0);
        return b;
    }
    fail("too many files");
}

void
body_drop(struct body *b)
{
    int i = 0;

    for (i = 0; i < MOUNTS * FD_FLAVORS; i++) {
        struct fs_file **fd = &b->fds[i / FD_FLAVORS][i % FD_FLAVORS];
        int ret = *fd ? w.fs[i / FD_FLAVORS].ops->close(*fd) : 0;

        *fd = NULL;
        if (ret)
            tolerate(ret);
    }
    b->used = 0;
}

void
hold_zero(struct body *b, long from)
{
    memset(b->data + from, 0, w.max_size - from);
    memset(b->known + from, 1, w.max_size - from);
}

void
hold_unknown(struct body *b, long from, long to)
{
    if (from < to)
        memset(b->known + from, 0, to - from);
}

void
hold_size(struct body *b, long lo, long hi)
{
    if (lo > b->lo)
        b->lo = lo;
    if (hi > b->hi)
        b->hi = hi;
}

void
hold_write(struct body *b, long off, const unsigned char *data, long n)
{
    memcpy(b->data + off, data, n);
    memset(b->known + off, 1, n);
    hold_size(b, off + n, off + n);
}

void
hold_cut(struct body *b, long size)
{
    b->lo = b->hi = size;
    hold_zero(b, size);
}

void
hold_cut_perhaps(struct body *b, long size)
{
    hold_unknown(b, size, b->hi);
    if (size < b->lo)
        b->lo = size;
    if (size > b->hi)
        b->hi = size;
    if (b->hi < w.inline_limit && b->hi > size)
        b->hi = w.inline_limit;
}

void
check_bytes(const struct body *b, long off, const unsigned char *got, long n)
{
    long i = 0;

    for (i = 0; i < n; i++)
        if (b->known[off + i] && b->data[off + i] != got[i])
            fail("byte %ld is %02x and must be %02x (size %ld..%ld)", off + i,
                 got[i], b->data[off + i], b->lo, b->hi);
}

void
check_zero(const struct body *b, long from, long to)
{
    long i = 0;

    for (i = from; i < to; i++)
        if (b->known[i] && b->data[i])
            fail("byte %ld is data, not hole (size %ld..%ld)", i, b->lo, b->hi);
}

void
check_stat(const struct body *b, const struct stat *st)
{
    if (st->st_size < b->lo || (st->st_size > b->hi && !faulty()))
        fail("size %ld, must be %ld..%ld", (long)st->st_size, b->lo, b->hi);
    if (faulty())
        return;
    if (b->mtime && st->st_mtime != b->mtime)
        fail("mtime %ld, was set to %ld", (long)st->st_mtime, b->mtime);
    /* Clocks of the kernel's are coarse. */
    if (b->written && st->st_mtime < w.begin - 2)
        fail("mtime %ld, but it was written after %ld", (long)st->st_mtime,
             (long)w.begin);
    if (b->mode >= 0 && (st->st_mode & 07777) != (mode_t)b->mode)
        fail("mode %o, was set to %o", st->st_mode & 07777, b->mode);
    if (st->st_nlink != (nlink_t)b->names)
        fail("%ld links, must be %d", (long)st->st_nlink, b->names);
}

int
known_percent(void)
{
    long sum = 0;
    long known = 0;
    long k = 0;
    int i = 0;

    for (i = 0; i < w.n_files; i++) {
        const struct body *b = w.names[i].body;

        if (!b)
            continue;
        sum += b->hi;
        for (k = 0; k < b->hi; k++)
            known += b->known[k];
    }
    return sum ? (int)(known * 100 / sum) : 100;
}

/* One item of the state, to the file or from it. */
static void
state_item(FILE *s, int save, void *item, size_t bytes)
{
    size_t done = 0;

    if (save)
        done = fwrite(item, bytes, 1, s);
    else
        done = fread(item, bytes, 1, s);
    if (done != 1)
        fail("the state cannot be %s", save ? "written" : "read");
}

void
state_io(const char *name, int save)
{
    FILE *s = fopen(name, save ? "w" : "r");
    int i = 0;

    if (!s)
        fail("%s: %s", name, strerror(errno));
    for (i = 0; i < w.n_files; i++) {
        struct name *n = &w.names[i];
        struct body *b = n->body;
        long head[6] = {0, 0, n->there, 0, 0, 0};

        if (save && b) {
            head[0] = b->lo;
            head[1] = b->hi;
            head[3] = b->mtime;
            head[4] = b->mode;
            head[5] = b->names;
        }
        state_item(s, save, head, sizeof(head));
        n->there = (int)head[2];
        if (n->there == NO)
            continue;
        if (!save)
            b = n->body = body_new();
        state_item(s, save, b->data, w.max_size);
        state_item(s, save, b->known, w.max_size);
        b->lo = head[0];
        b->hi = head[1];
        b->mtime = head[3];
        b->mode = (int)head[4];
        b->names = (int)head[5];
    }
    if (fclose(s))
        fail("%s: %s", name, strerror(errno));
}
