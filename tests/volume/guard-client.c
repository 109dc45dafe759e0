/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-client.c - a client process without a mount and without libgfapi, which
 * will not start without an answer to a lookup of the root. Sets up what every
 * GlusterFS process sets up for itself, and starts a graph.
 */
#include "guard-client.h"
#include <glusterfs/call-stub.h>
#include <glusterfs/gf-event.h>
#include <glusterfs/graph-utils.h>
#include <glusterfs/syncop.h>
#include <pthread.h>

void
guard_client_fail(const char *what)
{
    fprintf(stderr, "guard-probe: %s\n", what);
    exit(2);
}

static gf_atomic_t up; /* the top of the graph has said so */

int
guard_client_up(void)
{
    return GF_ATOMIC_GET(up) != 0;
}

/* What stands above a graph hears what its top says. */
static int32_t
above_notify(xlator_t *xl, int32_t event, void *data, ...)
{
    (void)xl;
    (void)data;
    if (event == GF_EVENT_CHILD_UP)
        GF_ATOMIC_INIT(up, 1);
    return 0;
}

static xlator_t above = {
    .name = "above",
    .notify = above_notify,
};

static void *
dispatch(void *pool)
{
    gf_event_dispatch(pool);
    return NULL;
}

/* The pools that every GlusterFS process sets up for itself. */
static glusterfs_ctx_t *
client_context(void)
{
    glusterfs_ctx_t *ctx = glusterfs_ctx_new();
    call_pool_t *pool = NULL;

    if (!ctx || glusterfs_globals_init(ctx) != 0)
        guard_client_fail("no context");
    THIS->ctx = ctx;
    if (xlator_mem_acct_init(THIS, gf_common_mt_end + 1) != 0)
        guard_client_fail("no memory accounting");
    ctx->process_uuid = generate_glusterfs_ctx_id();
    ctx->page_size = 128 << 10;
    ctx->iobuf_pool = iobuf_pool_new();
    ctx->event_pool = gf_event_pool_new(1024, 1);
    ctx->env = syncenv_new(0, 0, 0);
    ctx->stub_mem_pool = mem_pool_new(call_stub_t, 64);
    ctx->dict_pool = mem_pool_new(dict_t, 64);
    ctx->dict_pair_pool = mem_pool_new(data_pair_t, 64);
    ctx->dict_data_pool = mem_pool_new(data_t, 64);
    ctx->logbuf_pool = mem_pool_new(log_buf_t, 64);
    INIT_LIST_HEAD(&ctx->cmd_args.xlator_options);
    INIT_LIST_HEAD(&ctx->cmd_args.volfile_servers);
    pool = GF_CALLOC(1, sizeof(*pool), gf_common_mt_char);
    if (!pool)
        guard_client_fail("no memory");
    pool->frame_mem_pool = mem_pool_new(call_frame_t, 64);
    pool->stack_mem_pool = mem_pool_new(call_stack_t, 64);
    INIT_LIST_HEAD(&pool->all_frames);
    LOCK_INIT(&pool->lock);
    ctx->pool = pool;
    mem_pools_init();
    return ctx;
}

xlator_t *
guard_client_start(const char *volfile, const char *log)
{
    glusterfs_ctx_t *ctx = client_context();
    glusterfs_graph_t *graph = NULL;
    FILE *file = NULL;
    gf_lkowner_t owner;
    pthread_t events;

    /* Without an owner no lock is taken. */
    set_lk_owner_from_uint64(&owner, 1);
    syncopctx_setfslkowner(&owner);
    gf_log_init(ctx, log, "probe");
    GF_ATOMIC_INIT(up, 0);
    above.ctx = ctx;
    ctx->root = &above;
    file = fopen(volfile, "r");
    graph = file ? glusterfs_graph_construct(file) : NULL;
    if (!graph || glusterfs_graph_prepare(graph, ctx, NULL) != 0 ||
        pthread_create(&events, NULL, dispatch, ctx->event_pool) != 0 ||
        glusterfs_graph_activate(graph, ctx) != 0)
        guard_client_fail("the graph does not start");
    THIS = graph->top;
    THIS->itable = inode_table_new(1024, graph->top, 0, 0);
    if (!THIS->itable)
        guard_client_fail("no memory");
    return graph->top;
}
