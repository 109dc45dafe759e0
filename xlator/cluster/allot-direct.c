/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-direct.c - portions without the page cache of their bricks, for fds
 * that were opened with O_DIRECT.
 *
 * A base gets the application's flags; a portion's fd is shared by all fds of
 * the file here, and the protocols use it for lengths that no disk allows. So a
 * portion is opened a second time with O_DIRECT, when the first piece asks for
 * it that its brick can take: in whole pages. All else goes through the page
 * cache as before, which the brick's kernel keeps coherent with the disk.
 *
 *     application's fd      portion
 *     -------------------   ---------------------------------------------
 *     without O_DIRECT      slot->fd
 *     with it               whole pages: slot->direct; if there is none,
 *                           or an odd piece: slot->fd
 *
 * That the brick refuses either the open or the piece is no error for anybody:
 * slot->fd is used until the brick has connected anew.
 *
 * Not on replicate and disperse sets: replicate does not keep its lock and its
 * marks from one write to the next where a brick has two fds of the file, and
 * disperse cuts a page in parts that are none.
 */
#include "allot-io.h"

/* What every disk takes. */
#define DIRECT_ALIGN 4096

static gf_boolean_t
direct_fits(const struct allot_io *io, const struct allot_io_piece *piece)
{
    uint64_t odd = piece->p.offset | piece->p.len;
    int i = 0;

    /* In a volume of one process the brick gets the buffers as they are, and
     * writes each by itself. */
    for (i = 0; io->writing && i < piece->count; i++)
        odd |= piece->iov[i].iov_len;
    return odd % DIRECT_ALIGN == 0;
}

static struct allot_slot *
direct_slot_locked(struct allot_inode *ai, uint16_t idx)
{
    uint32_t i = 0;

    for (i = 0; i < ai->slot_count; i++)
        if (ai->slots[i].idx == idx)
            return &ai->slots[i];
    return NULL;
}

int
allot_direct_piece(struct allot_io *io, struct allot_io_piece *piece,
                   const struct allot_brick_view *view)
{
    struct allot_slot *slot = NULL;
    fd_t *fd = NULL;
    gf_boolean_t open = _gf_false;

    if (!io->direct || view->is_set || !direct_fits(io, piece))
        return 0;
    LOCK(&io->ai->lock);
    {
        slot = direct_slot_locked(io->ai, piece->p.brick_idx);
        /* Else it is of another connection, or of another portion. */
        if (slot && slot->fd == piece->fd) {
            if (slot->direct)
                fd = fd_ref(slot->direct);
            else
                open = !slot->no_direct && !io->direct_opened;
        }
    }
    UNLOCK(&io->ai->lock);
    if (fd) {
        fd_unref(piece->fd);
        piece->fd = fd;
        piece->direct = _gf_true;
    }
    return open;
}

/* Those that could be opened, into @calls, which has room for all slots. */
static int
direct_wanted(xlator_t *this, struct allot_inode *ai, uint64_t nonce,
              struct allot_call *calls, int max)
{
    struct allot_brick_view view;
    int kept = 0;
    int n = 0;
    int i = 0;

    LOCK(&ai->lock);
    {
        for (i = 0; i < (int)ai->slot_count && n < max; i++) {
            if (!ai->slots[i].fd || ai->slots[i].direct ||
                ai->slots[i].no_direct || ai->slots[i].nonce != nonce)
                continue;
            allot_call_init(&calls[n], NULL, GF_FOP_OPEN);
            calls[n].idx = ai->slots[i].idx;
            calls[n++].epoch = ai->slots[i].epoch;
        }
    }
    UNLOCK(&ai->lock);
    for (i = 0; i < n; i++) {
        if (allot_brick_get(this, calls[i].idx, &view) || view.is_set ||
            !allot_brick_usable(&view) || view.epoch != calls[i].epoch)
            continue;
        calls[kept] = calls[i];
        calls[kept++].xl = view.xl;
    }
    return kept;
}

/* Keeps the fd if the slot is still what it was, else drops it. */
static void
direct_end(struct allot_inode *ai, uint64_t nonce, struct allot_call *call)
{
    struct allot_slot *slot = NULL;

    LOCK(&ai->lock);
    {
        slot = direct_slot_locked(ai, call->idx);
        if (slot && slot->fd && !slot->direct && slot->epoch == call->epoch &&
            slot->nonce == nonce) {
            slot->no_direct = call->ret < 0;
            if (call->ret >= 0) {
                slot->direct = call->fd;
                call->fd = NULL;
            }
        }
    }
    UNLOCK(&ai->lock);
    if (call->fd)
        fd_unref(call->fd);
}

void
allot_direct_open(struct allot_io *io)
{
    struct allot_inode *ai = io->ai;
    xlator_t *this = io->this;
    struct allot_rec *rec = NULL;
    struct allot_call *calls = NULL;
    loc_t loc = {
        0,
    };
    int max = ai->slot_count; /* grows only alone, as we are */
    int n = 0;
    int i = 0;

    if (!io->direct || io->direct_opened || !max)
        return;
    rec = allot_inode_rec(ai, NULL);
    calls = GF_CALLOC(max, sizeof(*calls), allot_mt_calls);
    if (rec && rec->r.layout->extent_count && calls &&
        allot_portion_loc(this, io->fd->inode, ai, rec->r.nonce, &loc) == 0)
        n = direct_wanted(this, ai, rec->r.nonce, calls, max);
    for (i = 0; i < n; i++) {
        calls[i].fd = fd_create(loc.inode, 0);
        if (!calls[i].fd)
            break;
        calls[i].fd->flags = calls[i].flags = O_RDWR | O_DIRECT;
        calls[i].loc = &loc;
        calls[i].xdata = allot_priv(this)->client_xdata;
    }
    n = i;
    allot_fan(this, calls, n);
    for (i = 0; i < n; i++)
        direct_end(ai, rec->r.nonce, &calls[i]);
    io->direct_opened = n > 0;
    GF_FREE(calls);
    loc_wipe(&loc);
    allot_rec_unref(rec);
}

void
allot_direct_refused(struct allot_inode *ai, uint16_t idx)
{
    struct allot_slot *slot = NULL;
    fd_t *fd = NULL;

    LOCK(&ai->lock);
    {
        slot = direct_slot_locked(ai, idx);
        if (slot) {
            fd = slot->direct;
            slot->direct = NULL;
            slot->no_direct = _gf_true;
        }
    }
    UNLOCK(&ai->lock);
    if (fd)
        fd_unref(fd);
}
