/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot.c - cluster/allot as GlusterFS loads it: init, fini, the tables of
 * fops, callbacks and dumps, and xlator_api, the only exported name.
 *
 * Nothing is decided here: for each fop see allot-fops.h.
 */
#include "allot-fops.h"
#include <dlfcn.h>
#include "allot-intern.h"

xlator_api_t xlator_api;

static void
allot_priv_free(xlator_t *this)
{
    struct allot_priv *priv = allot_priv(this);
    int gen = 0;

    if (!priv)
        return;
    allot_children_close(priv);
    if (priv->bricks)
        allot_warnings_free(priv);
    allot_bricks_fini(this);
    /* Calls that never came back still use it. */
    if (priv->bricks)
        return;
    if (priv->client_xdata)
        dict_unref(priv->client_xdata);
    if (priv->record_xdata)
        dict_unref(priv->record_xdata);
    for (gen = 0; gen < ALLOT_SHARED_GENS; gen++)
        if (priv->gen_xdata[gen])
            dict_unref(priv->gen_xdata[gen]);
    /* Inodes that outlive the graph keep theirs. */
    if (!priv->intern || allot_intern_count(priv->intern) == 0)
        allot_intern_free(priv->intern);
    this->private = NULL;
    GF_FREE(priv->opt.volume_name);
    GF_FREE(priv);
}

/* The dicts that calls share. 0 or -1. */
static int
allot_shared_init(xlator_t *this, struct allot_priv *priv)
{
    int gen = 0;

    priv->client_xdata = dict_new();
    if (!priv->client_xdata ||
        dict_set_uint32(priv->client_xdata, ALLOT_KEY_CLIENT, ALLOT_PROTOCOL))
        return -1;
    /* A request's value counts for keys only that are not ours. An empty string
     * is the least to be sent and taken in. */
    priv->record_xdata = dict_new();
    if (!priv->record_xdata ||
        dict_set_str(priv->record_xdata, ALLOT_XATTR_RECORD, ""))
        return -1;
    for (gen = 0; gen < ALLOT_SHARED_GENS; gen++) {
        priv->gen_xdata[gen] = allot_xdata_with_gen(this, NULL, gen);
        if (!priv->gen_xdata[gen])
            return -1;
    }
    return 0;
}

static void
allot_counters_init(struct allot_priv *priv)
{
    GF_ATOMIC_INIT(priv->grows, 0);
    GF_ATOMIC_INIT(priv->appends, 0);
    GF_ATOMIC_INIT(priv->settles, 0);
    GF_ATOMIC_INIT(priv->truncates, 0);
    GF_ATOMIC_INIT(priv->publishes, 0);
    GF_ATOMIC_INIT(priv->publish_lost, 0);
    GF_ATOMIC_INIT(priv->fences, 0);
    GF_ATOMIC_INIT(priv->glimpses, 0);
    GF_ATOMIC_INIT(priv->refreshes, 0);
    GF_ATOMIC_INIT(priv->retries, 0);
    GF_ATOMIC_INIT(priv->prefetched, 0);
}

/* Keep this plugin, and with it liburcu, mapped after the last graph that uses
 * it is gone. liburcu has a thread of its own, and every thread that ever read
 * a snapshot runs liburcu's destructor when it ends: GlusterFS's event threads
 * end after the plugins were unloaded. */
static void
allot_stay_loaded(void)
{
    Dl_info info;

    if (!dladdr(&xlator_api, &info) || !info.dli_fname ||
        !dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE))
        gf_msg("allot", GF_LOG_WARNING, 0, ALLOT_MSG_BAD_GRAPH,
               "the plugin may be unloaded while threads still need it: %s",
               dlerror());
}

/* One data subvolume: all calls pass through. It is registered and tracked, as
 * its guards serve nobody before, so the administrator's questions are
 * answered. */
static void
allot_pass_through(xlator_t *this)
{
    static struct xlator_fops fops;

    gf_msg(this->name, GF_LOG_INFO, 0, ALLOT_MSG_BAD_GRAPH,
           "one data subvolume only: there is nothing to share, calls pass "
           "through");
    fops = *default_fops;
    fops.getxattr = allot_getxattr;
    fops.fgetxattr = allot_fgetxattr;
    fops.setxattr = allot_setxattr;
    this->pass_through_fops = &fops;
    this->pass_through = _gf_true;
}

static int32_t
allot_init(xlator_t *this)
{
    struct allot_priv *priv = NULL;

    if (!this->parents)
        gf_msg(this->name, GF_LOG_WARNING, 0, ALLOT_MSG_BAD_GRAPH,
               "nothing stands above this translator");

    if (allot_refuse_init(this))
        return 0;
    allot_stay_loaded();
    priv = GF_CALLOC(1, sizeof(*priv), allot_mt_priv);
    if (!priv)
        return -1;
    this->private = priv;
    allot_counters_init(priv);
    allot_children_init(priv);
    priv->intern = allot_intern_new();
    if (!priv->intern || allot_shared_init(this, priv))
        goto err;
    if (allot_bricks_init(this) || allot_options_init(this))
        goto err;
    if (priv->pass_through)
        allot_pass_through(this);
    return 0;
err:
    allot_priv_free(this);
    return -1;
}

static void
allot_fini(xlator_t *this)
{
    allot_priv_free(this);
}

static int32_t
allot_reconfigure(xlator_t *this, dict_t *options)
{
    return this->private ? allot_options_reconf(this, options) : 0;
}

static int32_t
allot_notify(xlator_t *this, int32_t event, void *data, ...)
{
    if (!this->private)
        return default_notify(this, event, data);
    if (event == GF_EVENT_PARENT_DOWN)
        allot_children_close(allot_priv(this));
    return allot_bricks_notify(this, event, data);
}

static int32_t
allot_mem_acct_init(xlator_t *this)
{
    return xlator_mem_acct_init(this, allot_mt_end);
}

static struct xlator_fops allot_fops = {
    .lookup = allot_lookup,
    .stat = allot_stat,
    .fstat = allot_fstat,
    .setattr = allot_setattr,
    .fsetattr = allot_fsetattr,
    .access = allot_access,
    .readv = allot_readv,
    .rchecksum = allot_rchecksum,
    .seek = allot_seek,
    .writev = allot_writev,
    .truncate = allot_truncate,
    .ftruncate = allot_ftruncate,
    .fallocate = allot_fallocate,
    .discard = allot_discard,
    .zerofill = allot_zerofill,
    .create = allot_create,
    .open = allot_open,
    .flush = allot_flush,
    .fsync = allot_fsync,
    .put = allot_put,
    .icreate = allot_icreate,
    .copy_file_range = allot_copy_file_range,
    .namelink = allot_namelink,
    .mknod = allot_mknod,
    .mkdir = allot_mkdir,
    .unlink = allot_unlink,
    .rmdir = allot_rmdir,
    .symlink = allot_symlink,
    .rename = allot_rename,
    .link = allot_link,
    .readlink = allot_readlink,
    .opendir = allot_opendir,
    .readdir = allot_readdir,
    .readdirp = allot_readdirp,
    .fsyncdir = allot_fsyncdir,
    .getxattr = allot_getxattr,
    .fgetxattr = allot_fgetxattr,
    .setxattr = allot_setxattr,
    .fsetxattr = allot_fsetxattr,
    .removexattr = allot_removexattr,
    .fremovexattr = allot_fremovexattr,
    .xattrop = allot_xattrop,
    .fxattrop = allot_fxattrop,
    .lk = allot_lk,
    .inodelk = allot_inodelk,
    .finodelk = allot_finodelk,
    .entrylk = allot_entrylk,
    .fentrylk = allot_fentrylk,
    .lease = allot_lease,
    .ipc = allot_ipc,
    .getspec = allot_getspec,
    .getactivelk = allot_getactivelk,
    .setactivelk = allot_setactivelk,
    .statfs = allot_statfs,
};

static struct xlator_cbks allot_cbks = {
    .forget = allot_inode_forget,
    .release = allot_fd_release,
};

static struct xlator_dumpops allot_dumpops = {
    .priv = allot_dump_priv,
};

xlator_api_t xlator_api = {
    .init = allot_init,
    .fini = allot_fini,
    .notify = allot_notify,
    .reconfigure = allot_reconfigure,
    .mem_acct_init = allot_mem_acct_init,
    .dump_metrics = allot_dump_metrics,
    .op_version = {1},
    .dumpops = &allot_dumpops,
    .fops = &allot_fops,
    .cbks = &allot_cbks,
    .options = allot_volume_options,
    .identifier = "allot",
    .category = GF_EXPERIMENTAL,
};
