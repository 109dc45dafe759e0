/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-intern.h - one copy of every layout that is in use: nearly all files of
 * a volume share a few, and a layout carries its computed cycles.
 *
 * A liburcu hash table (cds_lfht) of reference-counted layouts: lookups take no
 * lock. An entry whose count has reached zero is never taken again; it is
 * removed from the table by whoever dropped it and freed after a grace period.
 */
#ifndef ALLOT_INTERN_H
#define ALLOT_INTERN_H

#include "allot.h"

struct allot_intern;
struct allot_shared;

/** allot_intern_new - an empty table; NULL for no memory. */
struct allot_intern *
allot_intern_new(void);

/** allot_intern_free - wait for RCU and free it. All layouts must be given
 * back. NULL is allowed. Not from inside a read section. */
void
allot_intern_free(struct allot_intern *intern);

/**
 * allot_intern_get - the shared copy of a layout
 * @layout: taken over: it becomes the shared copy, or is freed
 * Returns a reference, or NULL for no memory (@layout is freed). Any context.
 */
struct allot_shared *
allot_intern_get(struct allot_intern *intern, struct allot_layout *layout);

/** allot_shared_layout - the layout, valid as long as the reference. */
struct allot_layout *
allot_shared_layout(struct allot_shared *shared);

/** allot_intern_put - drop a reference; NULL is allowed. Any context. */
void
allot_intern_put(struct allot_intern *intern, struct allot_shared *shared);

/** allot_intern_count - how many different layouts are in use. */
uint64_t
allot_intern_count(struct allot_intern *intern);

#endif /* ALLOT_INTERN_H */
