/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-write-room.c - a write for which there is no room.
 *
 *      off            good            off + len
 *   ----|--- written ---|# no room #|-- written --|
 *                       ^ here the file must end, or where it ended before
 *
 * The writer is told the bytes before the first that failed, or ENOSPC. What
 * stands behind them would make the file longer, with zeros in it that nobody
 * wrote. So it is cut back; only if this write alone has made it longer.
 */
#include "allot-io.h"

gf_boolean_t
allot_write_no_room(int err)
{
    return err == ENOSPC || err == EDQUOT;
}

/* How long the portions were that got a piece. The least that was seen: of two
 * pieces on one brick the later has seen the earlier. */
void
allot_write_note_before(struct allot_io *io)
{
    struct allot_io_piece *piece = NULL;
    int i = 0;
    int j = 0;

    if (io->before || io->end_before_known)
        return;
    io->before = GF_CALLOC(io->n, sizeof(*io->before), allot_mt_misc);
    if (!io->before)
        return;
    for (i = 0; i < io->n; i++) {
        piece = &io->pieces[i];
        if (piece->ret <= 0 || piece->p.brick_idx == ALLOT_PIECE_BASE)
            continue;
        for (j = 0; j < io->n_before; j++)
            if (io->before[j].brick_idx == piece->p.brick_idx)
                break;
        if (j == io->n_before) {
            io->before[j].brick_idx = piece->p.brick_idx;
            io->before[j].size = piece->before;
            io->n_before++;
        } else if (piece->before < io->before[j].size) {
            io->before[j].size = piece->before;
        }
    }
}

/* Where the file ends without this write. Before anything else is tried: a
 * repair writes pieces anew. In a synctask, alone. */
void
allot_write_end_before(struct allot_io *io)
{
    struct allot_rec *rec = allot_inode_rec(io->ai, NULL);
    struct allot_glimpse seen;
    struct iatt *sts = NULL;
    int *errs = NULL;
    uint64_t end = 0;
    uint32_t i = 0;
    int j = 0;

    if (!rec || !rec->r.layout->extent_count)
        goto out;
    sts = GF_CALLOC(rec->r.layout->brick_count, sizeof(*sts), allot_mt_misc);
    errs = GF_CALLOC(rec->r.layout->brick_count, sizeof(*errs), allot_mt_misc);
    if (!sts || !errs ||
        allot_glimpse(io->this, io->fd->inode, &rec->r, 0, &seen, errs, sts))
        goto out;
    end = rec->r.size > io->ai->known_size ? rec->r.size : io->ai->known_size;
    for (i = 0; i < rec->r.layout->brick_count; i++) {
        uint64_t size = sts[i].ia_size;

        if (errs[i])
            goto out;
        for (j = 0; j < io->n_before; j++)
            if (io->before[j].brick_idx == rec->r.layout->bricks[i] &&
                io->before[j].size < size)
                size = io->before[j].size;
        if (size > end)
            end = size;
    }
    io->end_before = end;
    io->end_before_known = _gf_true;
out:
    GF_FREE(sts);
    GF_FREE(errs);
    GF_FREE(io->before);
    io->before = NULL;
    allot_rec_unref(rec);
}

void
allot_write_cut_back(struct allot_io *io)
{
    uint64_t to = io->off + io->good;

    if (!io->end_before_known || !io->landed)
        return;
    allot_cut_back(io->this, io->fd->inode,
                   to > io->end_before ? to : io->end_before,
                   io->off + io->len);
}
