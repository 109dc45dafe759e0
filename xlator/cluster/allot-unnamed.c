/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-unnamed.c - files whose portions survive but whose name is on a failed
 * namespace brick: a walk over "/.allot" on the usable bricks, asking the
 * namespace for every base file that has a portion. Asked for only when a
 * listing may be incomplete, because it is the size of the volume.
 */
#include "allot-fops.h"
#include "allot-proto.h"
#include "allot-bricks-impl.h"
#include "allot-names.h"
#include <jansson.h>

/* One portion seen. */
struct seen_portion {
    uuid_t base;
    uint64_t bytes; /* allocated */
};

struct seen_list {
    struct seen_portion *items;
    size_t n;
    size_t cap;
};

static int
seen_add(struct seen_list *list, const uint8_t *base, uint64_t bytes)
{
    struct seen_portion *grown = NULL;

    if (list->n == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 256;

        grown = realloc(list->items, cap * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        list->items = grown;
        list->cap = cap;
    }
    memcpy(list->items[list->n].base, base, 16);
    list->items[list->n++].bytes = bytes;
    return 0;
}

static int
seen_order(const void *a, const void *b)
{
    return memcmp(((const struct seen_portion *)a)->base,
                  ((const struct seen_portion *)b)->base, 16);
}

/* All portions in "/.allot/XX" of one brick. -ENOENT: there is none. */
static int
walk_dir(xlator_t *this, xlator_t *xl, inode_table_t *table, int sub,
         struct seen_list *list)
{
    loc_t loc = {
        0,
    };
    gf_dirent_t entries;
    gf_dirent_t *entry = NULL;
    uint8_t base[16];
    uint64_t nonce = 0;
    uint64_t off = 0;
    fd_t *fd = NULL;
    dict_t *xdata = allot_xdata_internal();
    struct synctask *task = synctask_get();
    pid_t pid = task->opframe->root->pid;
    int ret = -ENOMEM;

    allot_dir_gfid(sub, loc.gfid);
    loc.inode = inode_new(table);
    if (loc.inode) {
        gf_uuid_copy(loc.inode->gfid, loc.gfid);
        loc.inode->ia_type = IA_IFDIR;
        fd = fd_create(loc.inode, 0);
    }
    if (!xdata || !fd)
        goto out;
    task->opframe->root->pid = ALLOT_PID_ROOT;
    ret = syncop_opendir(xl, &loc, fd, xdata, NULL);
    while (ret >= 0) {
        INIT_LIST_HEAD(&entries.list);
        ret = syncop_readdirp(xl, fd, 131072, off, &entries, xdata, NULL);
        if (ret <= 0)
            break;
        list_for_each_entry(entry, &entries.list, list)
        {
            off = entry->d_off;
            if (allot_portion_name_parse(entry->d_name, base, &nonce) == 0 &&
                seen_add(list, base, entry->d_stat.ia_blocks * 512)) {
                ret = -ENOMEM;
                break;
            }
        }
        gf_dirent_free(&entries);
    }
out:
    task->opframe->root->pid = pid;
    if (fd)
        fd_unref(fd);
    if (xdata)
        dict_unref(xdata);
    loc_wipe(&loc);
    return ret < 0 ? ret : 0;
}

/* Can the namespace find this base file? */
static gf_boolean_t
base_is_named(xlator_t *this, inode_table_t *table, uuid_t gfid)
{
    struct allot_call call;
    loc_t loc = {
        0,
    };
    int ret = 0;

    gf_uuid_copy(loc.gfid, gfid);
    loc.inode = inode_new(table);
    if (!loc.inode)
        return _gf_true;
    allot_call_init(&call, allot_priv(this)->ns, GF_FOP_LOOKUP);
    call.loc = &loc;
    ret = allot_call_one(this, &call);
    allot_calls_wipe(&call, 1);
    loc_wipe(&loc);
    return ret >= 0;
}

char *
allot_unnamed_json(xlator_t *this)
{
    struct allot_brick_view *views = NULL;
    struct seen_list list = {
        0,
    };
    inode_table_t *table = NULL;
    loc_t root = {
        0,
    };
    json_t *doc = NULL;
    char *text = NULL;
    uint64_t files = 0;
    uint64_t bytes = 0;
    gf_boolean_t all = _gf_true;
    size_t i = 0;
    size_t j = 0;
    int bricks = 0;
    int sub = 0;
    int ret = 0;

    views = GF_CALLOC(ALLOT_BRICKS_MAX, sizeof(*views), allot_mt_misc);
    /* A table that lives as long as the graph: distribute may still look a file
     * up after it has answered. */
    if (!views || allot_bricks_root(allot_priv(this)->bricks, &root))
        goto out;
    table = root.inode->table;
    if (allot_bricks_listing_incomplete(this))
        bricks = allot_bricks_usable_all(this, views, ALLOT_BRICKS_MAX);
    for (i = 0; i < (size_t)bricks; i++) {
        for (sub = 0; sub < 256; sub++) {
            ret = walk_dir(this, views[i].xl, table, sub, &list);
            if (ret && ret != -ENOENT && ret != -ESTALE)
                all = _gf_false;
        }
    }
    if (list.n)
        qsort(list.items, list.n, sizeof(*list.items), seen_order);
    for (i = 0; i < list.n; i = j) {
        uint64_t sum = 0;

        for (j = i; j < list.n && !seen_order(&list.items[i], &list.items[j]);
             j++)
            sum += list.items[j].bytes;
        if (!base_is_named(this, table, list.items[i].base)) {
            files++;
            bytes += sum;
        }
    }
    doc = json_pack("{s:i, s:I, s:I, s:b}", "version", 1, "files",
                    (json_int_t)files, "bytes", (json_int_t)bytes, "exact",
                    (int)all);
    text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
    json_decref(doc);
out:
    free(list.items);
    GF_FREE(views);
    loc_wipe(&root);
    return text;
}
