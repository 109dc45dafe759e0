/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-names.h - small questions that the name, directory and xattr fops have
 * in common. The fops themselves are declared in allot-fops.h.
 */
#ifndef ALLOT_NAMES_H
#define ALLOT_NAMES_H

#include "allot-fops.h"

/** allot_known_spread - does this client know that @inode is a spread file
 * NULL, unknown and plain files: false. Any context. */
gf_boolean_t
allot_known_spread(xlator_t *this, inode_t *inode);

/** allot_hidden_inode - is @inode (may be NULL) "/.allot" or "/.allot/XX". */
static inline gf_boolean_t
allot_hidden_inode(inode_t *inode)
{
    return inode && allot_hidden_gfid(inode->gfid);
}

/** allot_hidden_loc - is @loc "/.allot", or anything in or below it. */
gf_boolean_t
allot_hidden_loc(loc_t *loc);

/**
 * allot_heals_ask - allot-heals.c: ask the bricks of replicate sets, all at
 * once, whether they know of something that is not healed
 * @done: called exactly once, perhaps before this returns, in any context, no
 *     lock held. @pending: by the place of the leaf, 1: it does, 0: it does
 *     not, -1: it did not say in time; valid during the call. NULL: nobody was
 *     asked (no sets, none is there, no memory).
 * Winds; no lock held.
 */
typedef void (*allot_heals_fn)(xlator_t *this, const int8_t *pending,
                               void *data);
void
allot_heals_ask(xlator_t *this, allot_heals_fn done, void *data);

/** allot_unnamed_json - allot-unnamed.c: the document of
 * glusterfs.allot.unnamed, files whose portions survive and whose name does
 * not, in a synctask. Malloc'ed; NULL: no memory. */
char *
allot_unnamed_json(xlator_t *this);

#endif /* ALLOT_NAMES_H */
