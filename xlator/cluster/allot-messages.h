/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-messages.h - message ids of cluster/allot. The component number is
 * private and far above upstream's; the guard has its own (guard-messages.h).
 */
#ifndef ALLOT_MESSAGES_H
#define ALLOT_MESSAGES_H

#include <glusterfs/glfs-message-id.h>

#define ALLOT_COMP_BASE (GLFS_MSGID_BASE + 900 * GLFS_MSGID_SEGMENT)

enum allot_msg {
    ALLOT_MSG_NO_MEMORY = ALLOT_COMP_BASE + 1,
    ALLOT_MSG_BAD_OPTION,
    ALLOT_MSG_BAD_GRAPH,
    ALLOT_MSG_BRICK_STATE,
    ALLOT_MSG_REGISTRY,
    ALLOT_MSG_HANDSHAKE,
    ALLOT_MSG_BAD_RECORD,
    ALLOT_MSG_LOST_PORTION,
    ALLOT_MSG_PROTOCOL,
    ALLOT_MSG_EXTENTS_FULL,
    ALLOT_MSG_ADOPT,
    ALLOT_MSG_READDIR,
    ALLOT_MSG_LISTING_INCOMPLETE,
    ALLOT_MSG_DEBUG_STOP,
    ALLOT_MSG_ADMIN_STATE,
    ALLOT_MSG_GONE,

    /* A change of a brick's state, by the state it has then, in the order of
     * enum allot_brick_state: one line for each change. The numbers are in
     * docs/admin.md and stay. */
    ALLOT_MSG_STATE_DOWN = ALLOT_COMP_BASE + 100,
    ALLOT_MSG_STATE_CONNECTING,
    ALLOT_MSG_STATE_UP,
    ALLOT_MSG_STATE_FULL,
    ALLOT_MSG_STATE_DRAINING,
    ALLOT_MSG_STATE_BLANK,
    ALLOT_MSG_STATE_LOST,
    ALLOT_MSG_STATE_FOREIGN,
    ALLOT_MSG_STATE_FAILING,
};

#endif /* ALLOT_MESSAGES_H */
