/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-xdata.c - the keys that calls of cluster/allot carry, and locs that
 * name an inode by gfid. A caller's dict is never changed: it may be shared.
 */
#include "allot.h"

static dict_t *
xdata_copy(dict_t *xdata)
{
    if (xdata)
        return dict_copy_with_ref(xdata, NULL);
    return dict_new();
}

/* A copy of @xdata with @value for @key. NULL: no memory. */
static dict_t *
xdata_with(dict_t *xdata, char *key, data_t *value)
{
    dict_t *copy = value ? xdata_copy(xdata) : NULL;

    if (copy && dict_set(copy, key, value)) {
        dict_unref(copy);
        copy = NULL;
    }
    return copy;
}

/* A number is printed into a value of its own: one that is there already is
 * taken, if there is one. */
dict_t *
allot_xdata_with_gen(xlator_t *this, dict_t *xdata, uint64_t gen)
{
    dict_t *shared =
        gen < ALLOT_SHARED_GENS ? allot_priv(this)->gen_xdata[gen] : NULL;
    dict_t *copy = NULL;

    if (shared)
        return xdata_with(xdata, ALLOT_KEY_GEN,
                          dict_get(shared, ALLOT_KEY_GEN));
    copy = xdata_copy(xdata);
    if (copy && dict_set_uint64(copy, ALLOT_KEY_GEN, gen)) {
        dict_unref(copy);
        copy = NULL;
    }
    return copy;
}

/* A dict takes half a KiB, too much for every cached file. The shared ones are
 * made in init (allot.c). */
dict_t *
allot_xdata_gen(xlator_t *this, uint64_t gen)
{
    if (gen < ALLOT_SHARED_GENS)
        return dict_ref(allot_priv(this)->gen_xdata[gen]);
    return allot_xdata_with_gen(this, NULL, gen);
}

dict_t *
allot_xdata_to_read(xlator_t *this, dict_t *xdata, uint64_t gen)
{
    return xdata ? allot_xdata_with_gen(this, xdata, gen)
                 : allot_xdata_gen(this, gen);
}

dict_t *
allot_xdata_with_record_req(xlator_t *this, dict_t *xdata)
{
    return xdata_with(
        xdata, ALLOT_XATTR_RECORD,
        dict_get(allot_priv(this)->record_xdata, ALLOT_XATTR_RECORD));
}

dict_t *
allot_xdata_internal(void)
{
    dict_t *xdata = dict_new();

    if (xdata && (dict_set_uint32(xdata, ALLOT_KEY_CLIENT, ALLOT_PROTOCOL) ||
                  dict_set_int32(xdata, GLUSTERFS_INTERNAL_FOP_KEY, 1))) {
        dict_unref(xdata);
        xdata = NULL;
    }
    return xdata;
}

void
allot_loc_of_inode(loc_t *loc, inode_t *inode)
{
    char *path = NULL;

    memset(loc, 0, sizeof(*loc));
    loc->inode = inode_ref(inode);
    gf_uuid_copy(loc->gfid, inode->gfid);
    /* For log lines below; distribute insists on one. */
    if (inode_path(inode, NULL, &path) < 0 || !path)
        gf_asprintf(&path, "<gfid:%s>", uuid_utoa(inode->gfid));
    loc->path = path;
}
