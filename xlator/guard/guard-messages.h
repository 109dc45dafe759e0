/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-messages.h - message ids of user/allot. The component number is
 * private and far above upstream's; cluster/allot has its own.
 */
#ifndef GUARD_MESSAGES_H
#define GUARD_MESSAGES_H

#include <glusterfs/glfs-message-id.h>

#define GUARD_COMP_BASE (GLFS_MSGID_BASE + 901 * GLFS_MSGID_SEGMENT)

enum guard_msg {
    GUARD_MSG_NO_MEMORY = GUARD_COMP_BASE + 1,
    GUARD_MSG_BAD_GRAPH,
    GUARD_MSG_IDENTITY,
    GUARD_MSG_DAMAGED,
    GUARD_MSG_REFUSED,
    GUARD_MSG_FILL_FAILED,
    GUARD_MSG_PUBLISH,
    GUARD_MSG_GONE,
};

#endif /* GUARD_MESSAGES_H */
