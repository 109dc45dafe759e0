/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-refuse.c - cluster/allot in the graph of a rebalance that must not be:
 * the volgen filter puts one, with option "refuse", above each brick that would
 * stay of a remove-brick, and above all where names are replicated: rebalance
 * sees distribute there, which would look for names elsewhere and move them
 * away. It answers every lookup with EBUSY, so that rebalance fails at once,
 * glusterd shows it as failed and does not commit it.
 *
 * It has no private structure; nothing else of the translator is at work.
 */
#include "allot.h"
#include "allot-messages.h"

static int32_t
refuse_lookup(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata)
{
    char *leaving = NULL;

    if (dict_get_str(this->options, "refuse", &leaving))
        leaving = "a brick";
    if (!loc->inode || !__is_root_gfid(loc->inode->gfid))
        return default_lookup_failure_cbk(frame, EBUSY);
    if (strcmp(leaving, "namespace") == 0)
        gf_msg(this->name, GF_LOG_ERROR, EBUSY, ALLOT_MSG_BAD_GRAPH,
               "rebalance is refused: names of this volume are replicated, "
               "there is nothing to move");
    else
        gf_msg(this->name, GF_LOG_ERROR, EBUSY, ALLOT_MSG_BAD_GRAPH,
               "remove-brick is refused: %s may hold portions of files, and "
               "nothing moves those yet. Take it back with 'gluster volume "
               "remove-brick VOLUME BRICK stop'",
               leaving);
    return default_lookup_failure_cbk(frame, EBUSY);
}

gf_boolean_t
allot_refuse_init(xlator_t *this)
{
    static struct xlator_fops fops;

    if (!dict_get(this->options, "refuse"))
        return _gf_false;
    fops = *default_fops;
    fops.lookup = refuse_lookup;
    this->fops = &fops;
    return _gf_true;
}
