/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-unnamed.c - files whose portions survive but whose name is on a failed
 * namespace brick: a walk over "/.allot" on the usable bricks, asking the
 * namespace for every base file that has a portion. Asked for only when a
 * listing may be incomplete, because it is the size of the volume.
 *
 * In bounded memory: all portions of a file are in the same of the 256
 * directories, whichever brick they are on, so these are gone through one by
 * one; and of one that has more portions than there is room for, in several
 * passes (core/allot-passes.h).
 */
#include "allot-fops.h"
#include "allot-passes.h"
#include "allot-proto.h"
#include "allot-bricks-impl.h"
#include "allot-names.h"
#include <jansson.h>

#define UNNAMED_PORTIONS 65536 /* kept at once: 1.5 MiB */
#define UNNAMED_LOOKUPS 32     /* at once */

struct unnamed_count {
    uint64_t files;
    uint64_t bytes; /* allocated by their portions */
    gf_boolean_t all;
};

/* All portions in "/.allot/XX" of one brick. -ENOENT: there is none. */
static int
walk_dir(xlator_t *this, xlator_t *xl, inode_table_t *table, int sub,
         struct allot_passes *passes)
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
            if (allot_portion_name_parse(entry->d_name, base, &nonce) != 0)
                continue;
            ret = allot_passes_add(passes, base, entry->d_stat.ia_blocks * 512);
            if (ret)
                break;
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

/* Which of up to UNNAMED_LOOKUPS base files the namespace cannot find. */
static void
ask_names(xlator_t *this, inode_table_t *table, const uint8_t (*gfids)[16],
          const uint64_t *bytes, int n, struct unnamed_count *count)
{
    struct allot_call calls[UNNAMED_LOOKUPS];
    loc_t locs[UNNAMED_LOOKUPS];
    int i = 0;

    memset(locs, 0, sizeof(locs));
    for (i = 0; i < n; i++) {
        gf_uuid_copy(locs[i].gfid, gfids[i]);
        locs[i].inode = inode_new(table);
        allot_call_init(&calls[i], locs[i].inode ? allot_priv(this)->ns : NULL,
                        GF_FOP_LOOKUP);
        calls[i].loc = &locs[i];
    }
    allot_fan(this, calls, n);
    for (i = 0; i < n; i++) {
        if (!locs[i].inode)
            count->all = _gf_false;
        else if (calls[i].ret < 0) {
            count->files++;
            count->bytes += bytes[i];
        }
        loc_wipe(&locs[i]);
    }
    allot_calls_wipe(calls, n);
}

/* All files of a pass. */
static void
count_pass(xlator_t *this, inode_table_t *table, struct allot_passes *passes,
           struct unnamed_count *count)
{
    uint8_t gfids[UNNAMED_LOOKUPS][16];
    uint64_t bytes[UNNAMED_LOOKUPS];
    size_t at = 0;
    size_t next = 0;
    int n = 0;

    allot_passes_sort(passes);
    for (at = 0; at < passes->n; at = next) {
        memcpy(gfids[n], passes->items[at].gfid, 16);
        next = allot_passes_group(passes, at, &bytes[n++]);
        if (n < UNNAMED_LOOKUPS && next < passes->n)
            continue;
        ask_names(this, table, (const uint8_t(*)[16])gfids, bytes, n, count);
        n = 0;
    }
}

/* One of the 256 directories on all bricks. */
static void
count_sub(xlator_t *this, inode_table_t *table,
          const struct allot_brick_view *views, int bricks, int sub,
          struct unnamed_count *count)
{
    struct allot_passes passes;
    int i = 0;
    int ret = 0;

    allot_passes_init(&passes, UNNAMED_PORTIONS);
    while (allot_passes_next(&passes)) {
        for (i = 0; i < bricks; i++) {
            ret = walk_dir(this, views[i].xl, table, sub, &passes);
            if (ret && ret != -ENOENT && ret != -ESTALE)
                count->all = _gf_false;
        }
        count_pass(this, table, &passes, count);
    }
    allot_passes_wipe(&passes);
}

char *
allot_unnamed_json(xlator_t *this)
{
    struct allot_brick_view *views = NULL;
    struct unnamed_count count = {0, 0, _gf_true};
    loc_t root = {
        0,
    };
    json_t *doc = NULL;
    char *text = NULL;
    int bricks = 0;
    int sub = 0;

    views = GF_CALLOC(ALLOT_BRICKS_MAX, sizeof(*views), allot_mt_misc);
    /* A table that lives as long as the graph: distribute may still look a file
     * up after it has answered. */
    if (!views || allot_bricks_root(allot_priv(this)->bricks, &root))
        goto out;
    if (allot_bricks_listing_incomplete(this))
        bricks = allot_bricks_usable_all(this, views, ALLOT_BRICKS_MAX);
    for (sub = 0; bricks && sub < 256; sub++)
        count_sub(this, root.inode->table, views, bricks, sub, &count);
    doc = json_pack("{s:i, s:I, s:I, s:b}", "version", 1, "files",
                    (json_int_t)count.files, "bytes", (json_int_t)count.bytes,
                    "exact", (int)count.all);
    text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
    json_decref(doc);
out:
    GF_FREE(views);
    loc_wipe(&root);
    return text;
}
