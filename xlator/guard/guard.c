/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard.c - user/allot as GlusterFS loads it: init and fini, options, events,
 * counters, the table of fops.
 *
 * The fops themselves are in guard-data.c, guard-names.c, guard-list.c,
 * guard-xattr.c, guard-gone.c and guard-pass.c.
 */
#include "guard.h"

static int32_t
guard_mem_acct_init(xlator_t *this)
{
    return xlator_mem_acct_init(this, guard_mt_end);
}

static void
guard_counters_init(struct guard_priv *priv)
{
    GF_ATOMIC_INIT(priv->leaf, -1);
    GF_ATOMIC_INIT(priv->serving, 0);
    GF_ATOMIC_INIT(priv->leaf_of_set, 0);
    GF_ATOMIC_INIT(priv->dispersed, 0);
    GF_ATOMIC_INIT(priv->partings, 0);
    GF_ATOMIC_INIT(priv->served, 0);
    GF_ATOMIC_INIT(priv->refused_old, 0);
    GF_ATOMIC_INIT(priv->behind, 0);
    GF_ATOMIC_INIT(priv->refused_foreign, 0);
    GF_ATOMIC_INIT(priv->refused_damaged, 0);
    GF_ATOMIC_INIT(priv->publishes, 0);
    GF_ATOMIC_INIT(priv->publish_lost, 0);
    GF_ATOMIC_INIT(priv->fences, 0);
    GF_ATOMIC_INIT(priv->fills, 0);
    GF_ATOMIC_INIT(priv->queued, 0);
    GF_ATOMIC_INIT(priv->early, 0);
    GF_ATOMIC_INIT(priv->gone, 0);
    GF_ATOMIC_INIT(priv->gone_forgotten, 0);
    GF_ATOMIC_INIT(priv->half_made, 0);
}

static void
guard_fini(xlator_t *this)
{
    struct guard_priv *priv = guard_priv(this);

    if (priv) {
        guard_identity_fini(this);
        guard_gone_fini(priv);
        free(priv->right);
        if (priv->zero)
            data_unref(priv->zero);
        if (priv->itable)
            inode_table_destroy(priv->itable);
        LOCK_DESTROY(&priv->making_lock);
        LOCK_DESTROY(&priv->lock);
        this->private = NULL;
        GF_FREE(priv);
    }
    if (this->local_pool) {
        mem_pool_destroy(this->local_pool);
        this->local_pool = NULL;
    }
}

/* Not of type bool to GlusterFS: glusterd asks its type of each setting of the
 * volume whenever one is made, and with a wrong value, or "default", which
 * stands for none, would make none any more. The volgen filter takes these
 * out. */
static int
guard_read_heal(xlator_t *this, struct guard_priv *priv, const char *value)
{
    if (gf_string2boolean(value, &priv->heal_portions) == 0)
        return 0;
    gf_msg(this->name, GF_LOG_ERROR, EINVAL, GUARD_MSG_BAD_GRAPH,
           "option heal-portions %s: on or off is wanted", value);
    return -1;
}

static int32_t
guard_init(xlator_t *this)
{
    struct guard_priv *priv = NULL;
    char *heal = NULL;

    if (!this->children || this->children->next) {
        gf_msg(this->name, GF_LOG_ERROR, EINVAL, GUARD_MSG_BAD_GRAPH,
               "user/allot needs exactly one subvolume, below it the brick's "
               "features/locks and storage/posix");
        return -1;
    }

    priv = GF_CALLOC(1, sizeof(*priv), guard_mt_priv);
    if (!priv)
        goto no_memory;
    this->private = priv;
    LOCK_INIT(&priv->lock);
    LOCK_INIT(&priv->making_lock);
    INIT_LIST_HEAD(&priv->making);
    guard_counters_init(priv);
    if (guard_gone_init(priv) != 0)
        goto no_memory;
    GF_OPTION_INIT("heal-portions", heal, str, failed);
    if (guard_read_heal(this, priv, heal))
        goto failed;
    priv->disk = guard_portions_disk(this);
    priv->zero = data_from_uint64(0);
    if (!priv->zero)
        goto no_memory;
    data_ref(priv->zero);

    this->local_pool = guard_step_pool();
    if (!this->local_pool)
        goto no_memory;
    priv->itable = inode_table_new(16, this, 0, 0);
    if (!priv->itable)
        goto no_memory;
    return 0;

no_memory:
    gf_msg(this->name, GF_LOG_ERROR, ENOMEM, GUARD_MSG_NO_MEMORY,
           "no memory to start");
failed:
    guard_fini(this);
    return -1;
}

static int32_t
guard_reconfigure(xlator_t *this, dict_t *options)
{
    char *heal = NULL;
    int32_t ret = -1;

    GF_OPTION_RECONF("heal-portions", heal, options, str, out);
    ret = guard_read_heal(this, guard_priv(this), heal);
out:
    return ret;
}

static int32_t
guard_notify(xlator_t *this, int32_t event, void *data, ...)
{
    if (event == GF_EVENT_CHILD_UP)
        guard_identity_load(this); /* passes it on when it knows */
    else
        default_notify(this, event, data);
    return 0;
}

/* What statedump and metrics show; one list, so that they agree. */
#define GUARD_FOR_EACH_COUNTER(show)          \
    show("serving", serving);                 \
    show("leaf-of-set", leaf_of_set);         \
    show("dispersed", dispersed);             \
    show("served", served);                   \
    show("refused-old", refused_old);         \
    show("behind", behind);                   \
    show("refused-foreign", refused_foreign); \
    show("refused-damaged", refused_damaged); \
    show("publishes", publishes);             \
    show("publish-lost", publish_lost);       \
    show("fences", fences);                   \
    show("fills", fills);                     \
    show("queued", queued);                   \
    show("early-reads", early);               \
    show("gone", gone);                       \
    show("gone-forgotten", gone_forgotten);   \
    show("half-made", half_made)

static int32_t
guard_dump_priv(xlator_t *this)
{
    struct guard_priv *priv = guard_priv(this);
    char prefix[GF_DUMP_MAX_BUF_LEN];

    if (!priv)
        return 0;
    gf_proc_dump_build_key(prefix, "user.allot", "%s.priv", this->name);
    gf_proc_dump_add_section("%s", prefix);
#define GUARD_SHOW(key, field) \
    gf_proc_dump_write(key, "%" PRId64, GF_ATOMIC_GET(priv->field))
    GUARD_FOR_EACH_COUNTER(GUARD_SHOW);
#undef GUARD_SHOW
    gf_proc_dump_write("heal-portions", "%d", priv->heal_portions);
    return 0;
}

static int32_t
guard_dump_metrics(xlator_t *this, int fd)
{
    struct guard_priv *priv = guard_priv(this);

    if (!priv)
        return 0;
#define GUARD_SHOW(key, field)                                \
    dprintf(fd, "%s.allot.%s %" PRId64 "\n", this->name, key, \
            GF_ATOMIC_GET(priv->field))
    GUARD_FOR_EACH_COUNTER(GUARD_SHOW);
#undef GUARD_SHOW
    return 0;
}

/* In the order of struct xlator_fops. getspec has no place in a brick's stack
 * and compound no caller: both keep the default. */
static struct xlator_fops guard_fops = {
    .stat = guard_stat,
    .readlink = guard_readlink,
    .mknod = guard_mknod,
    .mkdir = guard_mkdir,
    .unlink = guard_unlink,
    .rmdir = guard_rmdir,
    .symlink = guard_symlink,
    .rename = guard_rename,
    .link = guard_link,
    .truncate = guard_truncate,
    .open = guard_open,
    .readv = guard_readv,
    .writev = guard_writev,
    .statfs = guard_statfs,
    .flush = guard_flush,
    .fsync = guard_fsync,
    .setxattr = guard_setxattr,
    .getxattr = guard_getxattr,
    .removexattr = guard_removexattr,
    .opendir = guard_opendir,
    .fsyncdir = guard_fsyncdir,
    .access = guard_access,
    .create = guard_create,
    .ftruncate = guard_ftruncate,
    .fstat = guard_fstat,
    .lk = guard_lk,
    .lookup = guard_lookup,
    .readdir = guard_readdir,
    .inodelk = guard_inodelk,
    .finodelk = guard_finodelk,
    .entrylk = guard_entrylk,
    .fentrylk = guard_fentrylk,
    .xattrop = guard_xattrop,
    .fxattrop = guard_fxattrop,
    .fgetxattr = guard_fgetxattr,
    .fsetxattr = guard_fsetxattr,
    .rchecksum = guard_rchecksum,
    .setattr = guard_setattr,
    .fsetattr = guard_fsetattr,
    .readdirp = guard_readdirp,
    .fremovexattr = guard_fremovexattr,
    .fallocate = guard_fallocate,
    .discard = guard_discard,
    .zerofill = guard_zerofill,
    .ipc = guard_ipc,
    .seek = guard_seek,
    .lease = guard_lease,
    .getactivelk = guard_getactivelk,
    .setactivelk = guard_setactivelk,
    .put = guard_put,
    .icreate = guard_icreate,
    .namelink = guard_namelink,
    .copy_file_range = guard_copy_file_range,
};

static struct xlator_cbks guard_cbks = {
    .forget = guard_inode_forget,
    .client_destroy = guard_client_destroy,
};

static struct xlator_dumpops guard_dumpops = {
    .priv = guard_dump_priv,
    .inodectx = guard_inode_dump,
};

static struct volume_options guard_options[] = {
    {
        .key = {"heal-portions"},
        .type = GF_OPTION_TYPE_STR,
        .default_value = "off",
        .op_version = {GD_OP_VERSION_10_0},
        .flags = OPT_FLAG_SETTABLE | OPT_FLAG_DOC,
        .tags = {"allot"},
        .description = "Let self-heal see and heal portions. For bricks of a "
                       "replicate or disperse set that is a data subvolume; "
                       "off on all others.",
    },
    {.key = {NULL}},
};

xlator_api_t xlator_api = {
    .init = guard_init,
    .fini = guard_fini,
    .notify = guard_notify,
    .reconfigure = guard_reconfigure,
    .mem_acct_init = guard_mem_acct_init,
    .dump_metrics = guard_dump_metrics,
    .op_version = {GD_OP_VERSION_10_0},
    .dumpops = &guard_dumpops,
    .fops = &guard_fops,
    .cbks = &guard_cbks,
    .options = guard_options,
    .identifier = "allot-guard",
    .category = GF_TECH_PREVIEW,
};
