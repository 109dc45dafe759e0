/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * oracle-generate.c - the next random call, with places and lengths at and
 * beside the borders of blocks and of the inline part; and calls as text.
 */
#include <string.h>

#include "oracle.h"

static const char *const kinds[OP_KINDS] = {
    [OP_WRITE] = "write",
    [OP_APPEND] = "append",
    [OP_READ] = "read",
    [OP_FTRUNCATE] = "ftruncate",
    [OP_TRUNCATE] = "truncate",
    [OP_SPACE] = "space",
    [OP_SEEK] = "seek",
    [OP_STAT] = "stat",
    [OP_SYNC] = "sync",
    [OP_CLOSE] = "close",
    [OP_OPEN_TRUNC] = "opentrunc",
    [OP_UNLINK] = "unlink",
    [OP_RENAME] = "rename",
    [OP_LINK] = "link",
    [OP_COPY] = "copy",
    [OP_MAP_WRITE] = "mapwrite",
    [OP_MAP_READ] = "mapread",
    [OP_TIMES] = "times",
    [OP_MODE] = "mode",
    [OP_XATTR] = "xattr",
};

/* How often; those behind the bar only where no call may fail, since a name or
 * a mode that nobody knows afterwards is more than memory keeps. */
static const struct {
    uint8_t kind;
    uint8_t weight;
    uint8_t faults;
} weights[] = {
    {OP_WRITE, 30, 1},    {OP_APPEND, 10, 1},  {OP_READ, 30, 1},
    {OP_STAT, 10, 1},     {OP_SYNC, 10, 1},    {OP_CLOSE, 10, 1},
    {OP_FTRUNCATE, 5, 1}, {OP_TRUNCATE, 5, 1}, {OP_SPACE, 12, 1},
    {OP_SEEK, 10, 1},     {OP_UNLINK, 3, 1},   {OP_OPEN_TRUNC, 2, 1},
    {OP_RENAME, 3, 0},    {OP_LINK, 3, 0},     {OP_COPY, 6, 0},
    {OP_MAP_WRITE, 4, 0}, {OP_MAP_READ, 3, 0}, {OP_TIMES, 4, 0},
    {OP_MODE, 2, 0},      {OP_XATTR, 3, 0},
};

static uint64_t
pick(uint64_t n)
{
    uint64_t z = w.rng += 0x9e3779b97f4a7c15ULL;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return (z ^ (z >> 31)) % n;
}

/* Is @kind named in -x? */
static int
excluded(int kind)
{
    size_t len = strlen(kinds[kind]);
    const char *at = w.without;

    while ((at = strstr(at, kinds[kind]))) {
        if ((at == w.without || at[-1] == ',') &&
            (at[len] == '\0' || at[len] == ','))
            return 1;
        at += len;
    }
    return 0;
}

static int
pick_kind(void)
{
    unsigned sum = 0;
    unsigned i = 0;
    unsigned at = 0;
    int kind = OP_READ;

    for (i = 0; i < sizeof(weights) / sizeof(weights[0]); i++)
        if (!excluded(weights[i].kind) && (weights[i].faults || !faulty()))
            sum += weights[i].weight;
    if (sum == 0)
        return kind;
    at = pick(sum) + 1;
    for (i = 0; i < sizeof(weights) / sizeof(weights[0]) && at > 0; i++) {
        if (excluded(weights[i].kind) || !(weights[i].faults || !faulty()))
            continue;
        kind = weights[i].kind;
        at -= at < weights[i].weight ? at : weights[i].weight;
    }
    return kind;
}

static long
some_length(void)
{
    long sizes[] = {1,
                    10,
                    4096,
                    5000,
                    w.block,
                    w.inline_limit ? w.inline_limit : 4 * w.block,
                    w.inline_limit + w.block / 2 + 1,
                    8 * w.block};

    return pick(4) ? sizes[pick(8)] : (long)pick(100000) + 1;
}

/* The border itself, or a byte before or behind it. */
static long
beside(long border)
{
    long at = border + (long)pick(3) - 1;

    return at < 0 ? 0 : at;
}

static long
some_offset(const struct body *b)
{
    long off = pick(w.max_size);

    switch (pick(7)) {
        case 0:
            return b->lo < w.max_size ? b->lo : w.max_size - 1;
        case 1:
            return off / w.block * w.block;
        case 2:
            return pick(w.inline_limit + w.block + 1);
        case 3:
            return b->lo ? (long)pick(b->lo) : 0;
        case 4:
            return beside(pick(2) ? w.inline_limit : off / w.block * w.block);
        default:
            return off;
    }
}

static long
some_size(const struct body *b)
{
    long sizes[] = {0,
                    1,
                    w.inline_limit ? w.inline_limit - 1 : 2,
                    w.inline_limit,
                    w.inline_limit + 1,
                    w.block - 1,
                    w.block,
                    4 * w.block + 1};

    if (pick(5) < 2)
        return sizes[pick(8)];
    return (long)pick((pick(2) ? b->hi : w.max_size) + 1);
}

void
generate(struct op *op)
{
    static const struct body nothing = {0};
    const struct body *b = NULL;
    long most = w.max_size;

    memset(op, 0, sizeof(*op));
    op->kind = pick_kind();
    op->file = pick(w.n_files);
    op->other = pick(w.n_files);
    op->mount = pick(w.n_mounts);
    op->how = pick(2);
    op->fill = pick(1ULL << 32);
    op->flavor = pick(6) ? FD_PLAIN : pick(2) ? FD_DIRECT : FD_SYNC;
    if (faulty())
        op->flavor = FD_PLAIN;
    if (op->kind == OP_APPEND)
        op->flavor = FD_APPEND;
    /* Another mount sees what was written when the file is closed, or when it
     * asks. */
    op->shut = w.n_mounts > 1 && pick(6) == 0;
    op->ghost = w.names[op->file].ghost && pick(3) == 0;
    b = op->ghost ? w.names[op->file].ghost : w.names[op->file].body;
    if (!b)
        b = &nothing;

    op->off = some_offset(b);
    op->len = some_length();
    switch (op->kind) {
        case OP_READ:
            op->len = pick(200000) + 1;
            break;
        case OP_APPEND:
            op->off = b->hi;
            break;
        case OP_FTRUNCATE:
        case OP_TRUNCATE:
            op->off = some_size(b);
            op->shut = op->kind == OP_TRUNCATE && pick(2);
            break;
        case OP_SPACE:
            op->how = pick(FS_ZERO + 1);
            break;
        case OP_SEEK:
            op->off = b->lo ? (long)pick(b->lo) : 0;
            break;
        case OP_COPY:
            op->from = pick(w.max_size);
            break;
        case OP_TIMES:
            op->off = 1000000000 + (long)pick(500000000);
            break;
        case OP_MODE:
            op->off = 0600 | pick(0200);
            break;
        default:
            break;
    }
    if (op->flavor == FD_DIRECT) {
        op->off -= op->off % 4096;
        op->len -= op->len % 4096;
        if (!op->len)
            op->len = 4096;
        most -= most % 4096;
    }
    if (op->off >= most && op->kind != OP_TIMES)
        op->off = most - (op->flavor == FD_DIRECT ? 4096 : 1);
    if (op->off + op->len > most)
        op->len = most - op->off;
    if (faulty() && op->kind == OP_UNLINK)
        op->how = 0;
}

/* ---- as text ---------------------------------------------------------------
 */

void
op_text(const struct op *op, char text[OP_TEXT])
{
    snprintf(text, OP_TEXT,
             "%s file=%d other=%d mount=%d flavor=%d how=%d shut=%d ghost=%d "
             "off=%lld len=%lld from=%lld fill=%llu",
             kinds[op->kind], op->file, op->other, op->mount, op->flavor,
             op->how, op->shut, op->ghost, (long long)op->off,
             (long long)op->len, (long long)op->from,
             (unsigned long long)op->fill);
}

int
op_parse(const char *text, struct op *op)
{
    char kind[32];
    int v[7];
    long long off, len, from;
    unsigned long long fill;
    int i = 0;

    if (sscanf(text,
               "%31s file=%d other=%d mount=%d flavor=%d how=%d shut=%d "
               "ghost=%d off=%lld len=%lld from=%lld fill=%llu",
               kind, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &off,
               &len, &from, &fill) != 12)
        return -1;
    for (i = 0; i < OP_KINDS && strcmp(kinds[i], kind); i++)
        ;
    if (i == OP_KINDS || v[0] < 0 || v[0] >= w.n_files || v[1] < 0 ||
        v[1] >= w.n_files || v[2] < 0 || v[2] >= w.n_mounts || v[3] < 0 ||
        v[3] >= FD_FLAVORS || off < 0 || len < 0)
        return -1;
    *op = (struct op){
        .kind = i,
        .file = v[0],
        .other = v[1],
        .mount = v[2],
        .flavor = v[3],
        .how = v[4],
        .shut = v[5],
        .ghost = v[6],
        .off = off,
        .len = len,
        .from = from,
        .fill = fill,
    };
    return 0;
}
