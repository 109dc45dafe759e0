/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-portions.c - the answer to ALLOT_KEY_PORTIONS: which of many portions
 * are there and right, and how many disk blocks each has.
 *
 * Where nothing stands between the guard and storage/posix that changes what is
 * said of a portion, it looks at the disk itself, in the way in which posix
 * would: by the gfid's handle, the file and the one attribute that counts. That
 * is one call of the kernel for the file each time, and one for the attribute
 * the first time and whenever the file's ctime is another one since; through
 * posix it is about eight, and a frame for each volume. Else it is one stat
 * below for each, which stays inside the brick's process.
 *
 * Only what is beyond doubt is confirmed. What is wrong with another one the
 * client finds out by asking for it alone.
 */
#include "guard.h"
#include <endian.h>
#include <fcntl.h>
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

/* ---- attributes that were right --------------------------------------------
 *
 * Every change of an attribute changes the file's ctime. So the attribute that
 * was right is right as long as the ctime and the file are the same: a word for
 * each portion says which they were. A portion's place is by its gfid, and
 * another one takes it: then the attribute is read again.
 */

#define GUARD_RIGHT_WORDS 131072 /* 1 MiB for a brick */
/* Of a ctime that is younger a second change may have the same one. */
#define GUARD_RIGHT_AGE_SEC 2

/* What stands for that file as it is. The gfid is a hash, so that two portions
 * of one place differ in it; of one portion two times give two words. */
static uint64_t
guard_right_word(const uuid_t gfid, const struct stat *st)
{
    uint64_t time = (uint64_t)st->st_ctim.tv_sec * 1000000000 +
                    (uint64_t)st->st_ctim.tv_nsec;
    uint64_t word = 0;

    memcpy(&word, gfid + 8, 8);
    word ^= (time + st->st_ino * 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL;
    return word ? word : 1;
}

static uint64_t *
guard_right_place(xlator_t *this, const uuid_t gfid)
{
    struct guard_priv *priv = guard_priv(this);
    uint64_t *words = __atomic_load_n(&priv->right, __ATOMIC_ACQUIRE);
    uint64_t *none = NULL;
    uint32_t at = 0;

    if (!words) {
        words = calloc(GUARD_RIGHT_WORDS, sizeof(*words));
        if (words &&
            !__atomic_compare_exchange_n(&priv->right, &none, words, 0,
                                         __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            free(words); /* another thread was first */
            words = none;
        }
        if (!words)
            return NULL;
    }
    memcpy(&at, gfid, 4);
    return &words[at % GUARD_RIGHT_WORDS];
}

/* ---- on the disk --------------------------------------------------------- */

/* One question. */
struct guard_disk {
    xlator_t *this;
    const char *directory; /* of the brick */
    int handles;           /* its ".glusterfs", open */
    time_t old_sec;        /* a ctime before this is not had twice */
};

static void
guard_disk_begin(xlator_t *this, struct guard_disk *disk)
{
    char path[PATH_MAX];
    struct timespec now;

    disk->this = this;
    disk->directory = guard_priv(this)->disk;
    disk->handles = -1;
    /* The clock that the kernel takes ctimes from. */
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    disk->old_sec = now.tv_sec - GUARD_RIGHT_AGE_SEC;
    /* Anew for each question: it is the directory that is there now. */
    if (snprintf(path, sizeof(path), "%s/.glusterfs", disk->directory) <
        (int)sizeof(path))
        disk->handles = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static gf_boolean_t
guard_disk_right(const struct guard_disk *disk, const uint8_t *item,
                 const char *handle)
{
    uint8_t value[GUARD_PORTION_BYTES];
    char path[PATH_MAX];
    ssize_t len = 0;

    if (snprintf(path, sizeof(path), "%s/.glusterfs/%s", disk->directory,
                 handle) >= (int)sizeof(path))
        return _gf_false;
    len = lgetxattr(path, ALLOT_XATTR_PORTION, value, sizeof(value));
    return len >= 0 && guard_portions_right(item, value, (size_t)len);
}

static void
guard_disk_look(const struct guard_disk *disk, const uint8_t *item,
                uint8_t *answer)
{
    char handle[sizeof("xx/yy/") + GF_UUID_BUF_SIZE];
    uint64_t *place = NULL;
    uint64_t blocks = 0;
    uint64_t word = 0;
    struct stat st;
    uuid_t gfid = {
        0,
    };

    allot_portion_gfid(item, guard_portions_nonce(item), gfid);
    uuid_utoa_r(gfid, handle + 6);
    memcpy(handle, handle + 6, 2);
    memcpy(handle + 3, handle + 8, 2);
    handle[2] = handle[5] = '/';
    /* With one link it is the handle alone: the name is gone. */
    if (fstatat(disk->handles, handle, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(st.st_mode) || st.st_nlink < 2)
        return;
    place = guard_right_place(disk->this, gfid);
    word = guard_right_word(gfid, &st);
    if (!place || __atomic_load_n(place, __ATOMIC_RELAXED) != word) {
        if (!guard_disk_right(disk, item, handle))
            return;
        if (place && st.st_ctim.tv_sec < disk->old_sec)
            __atomic_store_n(place, word, __ATOMIC_RELAXED);
    }
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
    gf_boolean_t on_disk = guard_priv(this)->disk != NULL;
    int n = data ? data->len / ALLOT_PORTIONS_ITEM : 0;
    struct guard_portions *ask = NULL;
    struct guard_disk disk;
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
    if (!on_disk)
        req = dict_new();
    if (!ask || !ask->answer ||
        (!on_disk &&
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
    if (on_disk)
        guard_disk_begin(this, &disk);
    for (i = 0; i < n; i++) {
        if (on_disk)
            guard_disk_look(&disk, ask->items + i * ALLOT_PORTIONS_ITEM,
                            ask->answer + 8 * i);
        else
            guard_portions_wind(ask, this, i, req);
    }
    if (on_disk && disk.handles >= 0)
        close(disk.handles);
    if (req)
        dict_unref(req);
    guard_portions_done(ask);
}
