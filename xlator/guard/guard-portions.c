/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-portions.c - the answer to ALLOT_KEY_PORTIONS: which of many portions
 * are there and right, and how many disk blocks each has.
 *
 * Where nothing stands between the guard and storage/posix that changes what is
 * said of a portion, it looks at the disk itself, in the way in which posix
 * would: by the gfid's handle, the file and the one attribute that counts. That
 * is two calls of the kernel for each; through posix it is about eight, and a
 * frame for each volume. Nothing is changed and nothing kept, so that neither
 * can be wrong later. Else it is one stat below for each, which stays inside
 * the brick's process.
 *
 * Only what is beyond doubt is confirmed. What is wrong with another one the
 * client finds out by asking for it alone.
 */
#include "guard.h"
#include <endian.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/* More than an encoded portion has. */
#define GUARD_PORTION_BYTES 1024

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

/* Is that the attribute of the portion that @item asks for? */
static gf_boolean_t
guard_portions_right(const uint8_t *item, const uint8_t *value, size_t len)
{
    struct allot_portion por;

    return allot_portion_decode(value, len, &por) == 0 &&
           por.nonce == guard_portions_nonce(item) &&
           memcmp(por.base_gfid, item, 16) == 0;
}

/* ---- on the disk --------------------------------------------------------- */

const char *
guard_portions_disk(xlator_t *this)
{
    static const char *const passive[] = {
        "features/locks",     "features/access-control", "features/bitrot-stub",
        "features/changelog", "features/trash",          NULL};
    xlator_t *xl = this;
    char *directory = NULL;
    int i = 0;

    while (xl->children && !xl->children->next) {
        xl = FIRST_CHILD(xl);
        if (strcmp(xl->type, "storage/posix") == 0)
            return dict_get_str(xl->options, "directory", &directory) == 0
                       ? directory
                       : NULL;
        for (i = 0; passive[i] && strcmp(xl->type, passive[i]) != 0; i++)
            ;
        if (!passive[i])
            return NULL;
    }
    return NULL;
}

static void
guard_portions_look(const char *disk, const uint8_t *item, uint8_t *answer)
{
    uint8_t value[GUARD_PORTION_BYTES];
    char path[PATH_MAX];
    uint64_t blocks = 0;
    struct stat st;
    ssize_t len = 0;
    uuid_t gfid = {
        0,
    };

    allot_portion_gfid(item, guard_portions_nonce(item), gfid);
    if (snprintf(path, sizeof(path), "%s/.glusterfs/%02x/%02x/%s", disk,
                 gfid[0], gfid[1], uuid_utoa(gfid)) >= (int)sizeof(path))
        return;
    /* With one link it is the handle alone: the name is gone. */
    if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink < 2)
        return;
    len = lgetxattr(path, ALLOT_XATTR_PORTION, value, sizeof(value));
    if (len < 0 || !guard_portions_right(item, value, (size_t)len))
        return;
    blocks = htobe64((uint64_t)st.st_blocks);
    memcpy(answer, &blocks, 8);
}

/* ---- through posix ------------------------------------------------------- */

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
    data_t *data = NULL;
    uint64_t blocks = 0;

    if (op_ret >= 0 && xdata)
        data = dict_get_sizen(xdata, ALLOT_XATTR_PORTION);
    /* A link count of 0: posix takes its own handle off, so the name itself is
     * gone. */
    if (data && IA_ISREG(buf->ia_type) && buf->ia_nlink > 0 &&
        guard_portions_right(item, (uint8_t *)data->data, data->len)) {
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
    const char *disk = guard_priv(this)->disk;
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
    if (ask)
        ask->answer = GF_MALLOC(n * 8, gf_common_mt_char);
    if (!disk)
        req = dict_new();
    if (!ask || !ask->answer ||
        (!disk &&
         (!req || dict_set_int32_sizen(req, ALLOT_XATTR_PORTION, 0) != 0))) {
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
    for (i = 0; i < n; i++) {
        if (disk)
            guard_portions_look(disk, ask->items + i * ALLOT_PORTIONS_ITEM,
                                ask->answer + 8 * i);
        else
            guard_portions_wind(ask, this, i, req);
    }
    if (req)
        dict_unref(req);
    guard_portions_done(ask);
}
