/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-registrar.h - one attempt to change the registry: locks on the roots of
 * all connected bricks, calls to all of them. Implemented in allot-register.c;
 * used there and by allot-adopt.c, in a synctask, by one attempt at a time.
 *
 *     registrar_init -> registrar_lock -> registrar_ask -> decide, write
 *                    -> registrar_unlock -> registrar_done
 */
#ifndef ALLOT_REGISTRAR_H
#define ALLOT_REGISTRAR_H

#include "allot-bricks-impl.h"
#include "allot-fan.h"

struct registrar {
    xlator_t *this;
    struct allot_bricks *b;
    int n;
    struct allot_call *calls;
    gf_boolean_t *locked; /* by number of the leaf */
    loc_t root;
    struct gf_flock flock;
    dict_t *xdata;
};

/** registrar_init - 0 or -ENOMEM (then nothing is to be undone). */
int
registrar_init(struct registrar *r, xlator_t *this);

/** registrar_done - free what init made; the lock was given back before. */
void
registrar_done(struct registrar *r);

/** registrar_lock - 0, or -EAGAIN when somebody else has it somewhere. A
 * subvolume that does not answer is left out. Winds. */
int
registrar_lock(struct registrar *r);

/** registrar_unlock - give back what is locked. Winds. */
void
registrar_unlock(struct registrar *r);

/** registrar_ask - ask every locked brick anew who it is, and take in what it
 * says. Winds. */
void
registrar_ask(struct registrar *r);

/** registrar_write - write @reg to all that are locked and for which @only
 * (NULL: all) says so. Returns how many have it; *@asked: how many should.
 * Winds. */
int
registrar_write(struct registrar *r, const struct allot_registry *reg,
                const gf_boolean_t *only, int *asked);

/** registrar_identify_leaf - give one brick its identity. 0 or -errno. Winds.
 */
int
registrar_identify_leaf(struct registrar *r, const struct allot_leaf *l,
                        const uint8_t *brick, const uint8_t *volume);

/** registrar_identify - the same for all bricks of @c that have none. */
int
registrar_identify(struct registrar *r, const struct allot_child *c,
                   const uint8_t *brick, const uint8_t *volume);

/** registry_brick_fill - @to from what is known of @c. Under bricks' lock. */
void
registry_brick_fill(struct allot_registry_brick *to, uint16_t index,
                    const struct allot_child *c);

/** registry_grow - a copy of the registry with room for @more bricks. 0 or
 * -ENOMEM; the caller frees it. */
int
registry_grow(struct allot_bricks *b, int more, struct allot_registry *reg);

#endif /* ALLOT_REGISTRAR_H */
