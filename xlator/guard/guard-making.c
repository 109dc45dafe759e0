/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-making.c - names that are being made just now.
 *
 * posix makes a file and gives it its gfid in two steps. A lookup between them
 * finds the name and no gfid:
 *
 *     create    |--open(O_CREAT)--------------setxattr(gfid)--|
 *     lookup               |--lstat: ENODATA, or a gfid of its own
 *
 * Distribute takes ENODATA for a directory to be healed, and never forgets that
 * it did: when the file has its gfid it asks all subvolumes for a directory,
 * all of them for anything, and so on, for ever (dht_lookup_everywhere_done(),
 * "a hack"). And where the lookup brings a gfid, it may be given to the file,
 * and the call that makes it fails: posix takes what is older than a second for
 * left over, and where it keeps times itself (option ctime, on by default) also
 * what has none yet. So a lookup waits here until the call that makes the name
 * is answered. A name without a gfid that nobody is making is answered as ever:
 * healing it is the clients' work.
 */
#include "guard.h"

struct guard_making {
    struct list_head list;    /* in priv->making */
    struct list_head waiting; /* stubs of lookups */
    uuid_t parent;
    char name[];
};

static unsigned char *
making_parent(loc_t *loc)
{
    return gf_uuid_is_null(loc->pargfid) && loc->parent ? loc->parent->gfid
                                                        : loc->pargfid;
}

void
guard_making_begin(xlator_t *this, call_frame_t *frame, loc_t *loc)
{
    struct guard_priv *priv = guard_priv(this);
    struct guard_making *making = NULL;
    size_t len = loc->name ? strlen(loc->name) + 1 : 0;

    if (len)
        making = GF_MALLOC(sizeof(*making) + len, guard_mt_making);
    if (!making)
        return; /* a lookup that meets it is answered at once */
    INIT_LIST_HEAD(&making->list);
    INIT_LIST_HEAD(&making->waiting);
    gf_uuid_copy(making->parent, making_parent(loc));
    memcpy(making->name, loc->name, len);
    LOCK(&priv->making_lock);
    {
        list_add_tail(&making->list, &priv->making);
    }
    UNLOCK(&priv->making_lock);
    frame->local = making;
}

void
guard_making_end(xlator_t *this, call_frame_t *frame)
{
    struct guard_priv *priv = guard_priv(this);
    struct guard_making *making = frame->local;
    call_stub_t *stub = NULL;
    call_stub_t *next = NULL;

    if (!making)
        return;
    frame->local = NULL;
    LOCK(&priv->making_lock);
    {
        list_del_init(&making->list);
    }
    UNLOCK(&priv->making_lock);
    /* Nobody finds it any more. */
    list_for_each_entry_safe(stub, next, &making->waiting, list)
    {
        list_del_init(&stub->list);
        call_resume(stub);
    }
    GF_FREE(making);
}

static struct guard_making *
making_find_locked(struct guard_priv *priv, loc_t *loc)
{
    struct guard_making *making = NULL;

    list_for_each_entry(making, &priv->making, list)
    {
        if (!gf_uuid_compare(making->parent, making_parent(loc)) &&
            strcmp(making->name, loc->name) == 0)
            return making;
    }
    return NULL;
}

gf_boolean_t
guard_making_is(xlator_t *this, loc_t *loc)
{
    struct guard_priv *priv = guard_priv(this);
    gf_boolean_t found = _gf_false;

    LOCK(&priv->making_lock);
    {
        found = making_find_locked(priv, loc) != NULL;
    }
    UNLOCK(&priv->making_lock);
    return found;
}

gf_boolean_t
guard_making_wait(xlator_t *this, call_stub_t *stub)
{
    struct guard_priv *priv = guard_priv(this);
    struct guard_making *making = NULL;
    gf_boolean_t found = _gf_false;

    LOCK(&priv->making_lock);
    {
        making = making_find_locked(priv, &stub->args.loc);
        if (making) {
            list_add_tail(&stub->list, &making->waiting);
            found = _gf_true;
        }
    }
    UNLOCK(&priv->making_lock);
    if (found)
        GF_ATOMIC_INC(priv->half_made);
    return found;
}
