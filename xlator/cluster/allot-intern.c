/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* allot-intern.c - see allot-intern.h. */
#include "allot-intern.h"
#include "allot-crc32c.h"
#include <urcu-bp.h>
#include <urcu/rculfhash.h>
#include <urcu/uatomic.h>

struct allot_intern {
    struct cds_lfht *table;
    long count; /* entries, for status */
};

struct allot_shared {
    struct cds_lfht_node node;
    struct rcu_head rcu;
    struct allot_layout *layout; /* owned */
    long refs;                   /* 0: on its way out, not to be taken */
};

struct allot_intern *
allot_intern_new(void)
{
    struct allot_intern *intern = GF_CALLOC(1, sizeof(*intern), allot_mt_misc);

    if (intern)
        intern->table = cds_lfht_new(64, 64, 0, CDS_LFHT_AUTO_RESIZE, NULL);
    if (intern && !intern->table) {
        GF_FREE(intern);
        intern = NULL;
    }
    return intern;
}

void
allot_intern_free(struct allot_intern *intern)
{
    if (!intern)
        return;
    rcu_barrier();
    cds_lfht_destroy(intern->table, NULL);
    GF_FREE(intern);
}

/* Over the fields, not the structures: those have padding. */
static unsigned long
layout_hash(const struct allot_layout *layout)
{
    uint64_t words[2];
    uint32_t hash = layout->inline_limit;
    uint32_t i = 0;
    int m = 0;

    for (i = 0; i < layout->extent_count; i++) {
        const struct allot_extent *e = &layout->extents[i];

        words[0] = e->start_byte ^ hash;
        words[1] = ((uint64_t)e->phase << 16) | (e->block_shift << 8) |
                   e->member_count;
        hash = allot_crc32c(words, sizeof(words));
        for (m = 0; m < e->member_count; m++) {
            words[0] = ((uint64_t)hash << 32) |
                       ((uint32_t)e->members[m].brick_idx << 8) |
                       e->members[m].weight;
            hash = allot_crc32c(words, sizeof(words[0]));
        }
    }
    return hash;
}

static int
layout_match(struct cds_lfht_node *node, const void *key)
{
    const struct allot_layout *a = NULL;
    const struct allot_layout *b = key;
    uint32_t i = 0;
    int m = 0;

    a = caa_container_of(node, struct allot_shared, node)->layout;
    if (a->inline_limit != b->inline_limit ||
        a->extent_count != b->extent_count)
        return 0;
    for (i = 0; i < a->extent_count; i++) {
        const struct allot_extent *x = &a->extents[i];
        const struct allot_extent *y = &b->extents[i];

        if (x->start_byte != y->start_byte || x->phase != y->phase ||
            x->block_shift != y->block_shift ||
            x->member_count != y->member_count)
            return 0;
        for (m = 0; m < x->member_count; m++)
            if (x->members[m].brick_idx != y->members[m].brick_idx ||
                x->members[m].weight != y->members[m].weight)
                return 0;
    }
    return 1;
}

static void
shared_free(struct allot_shared *shared)
{
    allot_layout_free(shared->layout);
    GF_FREE(shared);
}

static void
shared_free_rcu(struct rcu_head *head)
{
    shared_free(caa_container_of(head, struct allot_shared, rcu));
}

/* One more reference, unless it is on its way out. In a read section. */
static gf_boolean_t
shared_take(struct allot_shared *shared)
{
    long seen = uatomic_read(&shared->refs);
    long was = 0;

    while (seen > 0) {
        was = uatomic_cmpxchg(&shared->refs, seen, seen + 1);
        if (was == seen)
            return _gf_true;
        seen = was;
    }
    return _gf_false;
}

struct allot_shared *
allot_intern_get(struct allot_intern *intern, struct allot_layout *layout)
{
    unsigned long hash = layout_hash(layout);
    struct allot_shared *fresh = NULL;
    struct allot_shared *found = NULL;
    struct cds_lfht_iter iter;
    struct cds_lfht_node *node = NULL;

    rcu_read_lock();
    cds_lfht_lookup(intern->table, hash, layout_match, layout, &iter);
    node = cds_lfht_iter_get_node(&iter);
    if (node) {
        found = caa_container_of(node, struct allot_shared, node);
        if (!shared_take(found))
            found = NULL;
    }
    rcu_read_unlock();
    if (found) {
        allot_layout_free(layout);
        return found;
    }

    fresh = GF_CALLOC(1, sizeof(*fresh), allot_mt_misc);
    if (!fresh) {
        allot_layout_free(layout);
        return NULL;
    }
    fresh->layout = layout;
    fresh->refs = 1;
    cds_lfht_node_init(&fresh->node);
    rcu_read_lock();
    for (;;) {
        node = cds_lfht_add_unique(intern->table, hash, layout_match, layout,
                                   &fresh->node);
        if (node == &fresh->node) {
            uatomic_inc(&intern->count);
            found = fresh;
            fresh = NULL;
            break;
        }
        found = caa_container_of(node, struct allot_shared, node);
        if (shared_take(found))
            break;
        /* Its last user is removing it: help, then try again. */
        cds_lfht_del(intern->table, node);
    }
    rcu_read_unlock();
    if (fresh)
        shared_free(fresh);
    return found;
}

struct allot_layout *
allot_shared_layout(struct allot_shared *shared)
{
    return shared->layout;
}

void
allot_intern_put(struct allot_intern *intern, struct allot_shared *shared)
{
    if (!shared || uatomic_add_return(&shared->refs, -1) > 0)
        return;
    /* Somebody may have helped to remove it; freeing it is ours alone. */
    rcu_read_lock();
    cds_lfht_del(intern->table, &shared->node);
    rcu_read_unlock();
    uatomic_dec(&intern->count);
    call_rcu(&shared->rcu, shared_free_rcu);
}

uint64_t
allot_intern_count(struct allot_intern *intern)
{
    return uatomic_read(&intern->count);
}
