/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-portions.c - the answer to ALLOT_KEY_PORTIONS: which of many portions
 * are there and right, and how many disk blocks each has. One stat below for
 * each, which stays inside the brick's process.
 *
 * Only what is beyond doubt is confirmed. What is wrong with another one the
 * client finds out by asking for it alone.
 */
#include "guard.h"
#include <endian.h>

struct guard_portions {
    call_frame_t *frame; /* the question's */
    dict_t *xdata;       /* of it: the items live there; a reference */
    const uint8_t *items;
    uint8_t *answer;
    int n;
    gf_atomic_t pending; /* calls that are out, and one for winding */
};

static uint64_t
guard_portions_nonce(const uint8_t *item)
{
    uint64_t nonce = 0;

    memcpy(&nonce, item + 16, 8);
    return be64toh(nonce);
}

/* One call less; the last one answers. */
static void
guard_portions_done(struct guard_portions *ask)
{
    call_frame_t *frame = ask->frame;
    dict_t *dict = NULL;

    if (GF_ATOMIC_DEC(ask->pending) != 0)
        return;
    dict = dict_new();
    /* The dict frees the bytes from here on. */
    if (dict &&
        dict_set_bin(dict, ALLOT_KEY_PORTIONS, ask->answer, ask->n * 8) == 0)
        ask->answer = NULL;
    if (ask->answer)
        STACK_UNWIND_STRICT(getxattr, frame, -1, ENOMEM, NULL, NULL);
    else
        STACK_UNWIND_STRICT(getxattr, frame, 0, 0, dict, NULL);
    if (dict)
        dict_unref(dict);
    GF_FREE(ask->answer);
    dict_unref(ask->xdata);
    GF_FREE(ask);
}

static int32_t
guard_portions_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                   int32_t op_ret, int32_t op_errno, struct iatt *buf,
                   dict_t *xdata)
{
    struct guard_portions *ask = frame->local;
    int i = (int)(uintptr_t)cookie;
    const uint8_t *item = ask->items + i * ALLOT_PORTIONS_ITEM;
    struct allot_portion por;
    data_t *data = NULL;
    uint64_t blocks = 0;

    if (op_ret >= 0 && xdata)
        data = dict_get_sizen(xdata, ALLOT_XATTR_PORTION);
    /* A link count of 0: posix takes its own handle off, so the name itself is
     * gone. */
    if (data && IA_ISREG(buf->ia_type) && buf->ia_nlink > 0 &&
        allot_portion_decode((uint8_t *)data->data, data->len, &por) == 0 &&
        por.nonce == guard_portions_nonce(item) &&
        memcmp(por.base_gfid, item, 16) == 0) {
        blocks = htobe64(buf->ia_blocks);
        memcpy(ask->answer + 8 * i, &blocks, 8);
    }
    frame->local = NULL;
    STACK_DESTROY(frame->root);
    guard_portions_done(ask);
    return 0;
}

static void
guard_portions_wind(struct guard_portions *ask, xlator_t *this, int i,
                    dict_t *req)
{
    const uint8_t *item = ask->items + i * ALLOT_PORTIONS_ITEM;
    call_frame_t *frame = copy_frame(ask->frame);
    loc_t loc = {
        0,
    };

    allot_portion_gfid(item, guard_portions_nonce(item), loc.gfid);
    loc.inode = inode_new(guard_priv(this)->itable);
    if (frame && loc.inode) {
        gf_uuid_copy(loc.inode->gfid, loc.gfid);
        loc.inode->ia_type = IA_IFREG;
        frame->local = ask;
        GF_ATOMIC_INC(ask->pending);
        STACK_WIND_COOKIE(frame, guard_portions_cbk, (void *)(uintptr_t)i,
                          FIRST_CHILD(this), FIRST_CHILD(this)->fops->stat,
                          &loc, req);
    } else if (frame) {
        STACK_DESTROY(frame->root);
    }
    loc_wipe(&loc);
}

void
guard_portions(call_frame_t *frame, xlator_t *this, dict_t *xdata)
{
    data_t *data = dict_get_sizen(xdata, ALLOT_KEY_PORTIONS);
    int n = data ? data->len / ALLOT_PORTIONS_ITEM : 0;
    struct guard_portions *ask = NULL;
    dict_t *req = NULL;
    int i = 0;

    if (n < 1 || n > ALLOT_PORTIONS_MAX ||
        (int)data->len != n * ALLOT_PORTIONS_ITEM) {
        default_getxattr_failure_cbk(frame, EINVAL);
        return;
    }
    ask = GF_CALLOC(1, sizeof(*ask), gf_common_mt_char);
    req = dict_new();
    if (ask)
        ask->answer = GF_MALLOC(n * 8, gf_common_mt_char);
    if (!ask || !ask->answer || !req ||
        dict_set_int32_sizen(req, ALLOT_XATTR_PORTION, 0) != 0) {
        if (ask)
            GF_FREE(ask->answer);
        GF_FREE(ask);
        if (req)
            dict_unref(req);
        default_getxattr_failure_cbk(frame, ENOMEM);
        return;
    }
    memset(ask->answer, 0xff, n * 8);
    ask->frame = frame;
    ask->xdata = dict_ref(xdata);
    ask->items = (uint8_t *)data->data;
    ask->n = n;
    GF_ATOMIC_INIT(ask->pending, 1);
    for (i = 0; i < n; i++)
        guard_portions_wind(ask, this, i, req);
    dict_unref(req);
    guard_portions_done(ask);
}
