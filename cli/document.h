/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * document.h - what the virtual xattrs of a mount say, as structures. Pure:
 * text in, structures out, no volume needed.
 *
 * All three documents are JSON objects with "version": 1. Unknown keys are
 * ignored, so that a newer translator may say more; a key that is needed and
 * missing, or has the wrong type or an impossible value, refuses the document.
 */
#ifndef ALLOT_DOCUMENT_H
#define ALLOT_DOCUMENT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "allot-layout.h"
#include "allot-recovery.h"

#define ALLOT_DOC_VERSION 1
#define ALLOT_DOC_NO_INDEX UINT32_MAX

/* Why a document was refused, in words, for the error message. */
struct allot_doc_error {
    char text[160];
};

/* Strings below are borrowed from the document; they are never NULL, unknown
 * ones are empty. */

/* One brick of a set. */
struct allot_doc_leaf {
    const char *name;
    const char *host;
    const char *path;
    const char *state;
    const char *since;
    const char *why;
    int arbiter;
    int pending; /* 1: it knows of what is to be healed; 0; -1: not said */
};

/* P = sum(P_i T_i) / sum(T_i), as docs/json.md explains it. */
struct allot_doc_performance {
    double busy_seconds;
    double bytes_per_second;
    double latency_seconds;
};

/* One data subvolume of a status document. */
struct allot_doc_brick {
    uint32_t index; /* in the registry; ALLOT_DOC_NO_INDEX: not in it */
    const char *name;
    const char *host;
    const char *path;
    const char *state; /* up, down, full, blank, lost, draining, failing,
                          connecting, foreign */
    const char *since; /* RFC 3339 */
    const char *why;   /* the state's reason, for people */
    double weight;
    double share;     /* of the data that this brick has: 0..1 */
    double deviation; /* ratio to the weighted mean */
    uint64_t capacity_bytes;
    uint64_t used_bytes;
    int measured;          /* the two above are known */
    uint64_t fs_bytes;     /* V: of the file system below; 0: not known */
    double resource_share; /* R: this brick's part of it, 0..1 */
    const char *admin;     /* none, lost, draining */
    uint64_t errors, failures, flaps;
    uint64_t turns;        /* changes between states that count differently */
    int may_be_unreadable; /* failing, and not for writes alone; or a set: what
                              is not healed is on bricks that are */
    struct allot_doc_performance performance;
    const char *kind; /* brick, replicate, arbiter, disperse; empty: not said */
    int degraded;     /* a set that misses a brick */
    int healing;      /* a set: something is to be healed */
    int shared;       /* it may hold names too */
    uint64_t spare;   /* more of its bricks that may fail */
    uint64_t spare_quorum; /* the same as if nothing were to be healed */
    uint64_t needed;       /* of its bricks, to read a block; 1: any alone */
    struct allot_doc_leaf *leaves; /* of a set; owned */
    size_t leaf_count;
};

struct allot_doc_status {
    json_t *root;       /* owned */
    const char *state;  /* UP, DEGRADED, PARTIAL, DOWN; borrowed */
    const char *volume; /* its uuid */
    const char *name;   /* as people know it */
    const char *client; /* whose counts these are: one graph of one process */
    const char *inactive_because;
    const char *ns_kind; /* distribute, replicate, other; borrowed */
    int incomplete_listing;
    uint64_t spare; /* more bricks that may fail, whichever they are */
    struct allot_doc_performance performance;
    double max_over_mean;
    struct allot_doc_brick *bricks; /* owned */
    size_t brick_count;
};

/* One file: its layout, and in a report how its members are. */
struct allot_doc_file {
    json_t *root;     /* owned */
    const char *gfid; /* borrowed from root */
    uint64_t size;    /* bytes */
    int exact;        /* size and holes are exact */
    json_t *because;  /* array of strings; borrowed; may be NULL */
    int spread;
    uint64_t nlink; /* 0: not said */
    enum allot_fail base_fail;
    const struct allot_layout *layout; /* never NULL */
    struct allot_layout *own;          /* the same, if it is owned */
    struct allot_member_state *members;
    size_t member_count;
};

/**
 * allot_doc_status_parse - the text of glusterfs.allot.status
 * Returns 0, -EPROTONOSUPPORT (another version), -EBADMSG, -ENOMEM; @err says
 * why. Free with allot_doc_status_clear(), also after a failure.
 */
int
allot_doc_status_parse(const char *text, size_t len,
                       struct allot_doc_status *doc,
                       struct allot_doc_error *err);
void
allot_doc_status_clear(struct allot_doc_status *doc);

/** allot_doc_status_brick - the brick with registry index @index, or NULL. */
const struct allot_doc_brick *
allot_doc_status_brick(const struct allot_doc_status *doc, uint32_t index);

/** allot_doc_status_leaf - the brick of a set with this name, or NULL
 * @set: if not NULL, becomes the set. */
const struct allot_doc_leaf *
allot_doc_status_leaf(const struct allot_doc_status *doc, const char *name,
                      const struct allot_doc_brick **set);

/** allot_doc_brick_is_down - its blocks are unavailable, not lost (1 or 0). */
int
allot_doc_brick_is_down(const struct allot_doc_brick *brick);

/** allot_doc_brick_is_lost - its blocks are lost: blank or declared so. */
int
allot_doc_brick_is_lost(const struct allot_doc_brick *brick);

/** allot_doc_set_is_blank - all bricks of a set are: it is adopted as a whole
 * (1 or 0). */
int
allot_doc_set_is_blank(const struct allot_doc_brick *set);

/** allot_doc_is_gluster_volume - its name is one that the gluster command
 * takes: it is known, and not that of a snapshot's mount (1 or 0). */
int
allot_doc_is_gluster_volume(const struct allot_doc_status *doc);

/**
 * allot_doc_file_parse - the text of glusterfs.allot.report or .layout
 * @want_state: 1: a report (base and members are needed), 0: a layout
 * Returns as allot_doc_status_parse(); free with allot_doc_file_clear().
 */
int
allot_doc_file_parse(const char *text, size_t len, int want_state,
                     struct allot_doc_file *doc, struct allot_doc_error *err);
/** allot_doc_file_read - the same from JSON that is parsed already
 * @root: its reference is taken over, also on failure */
int
allot_doc_file_read(json_t *root, int want_state, struct allot_doc_file *doc,
                    struct allot_doc_error *err);
/** allot_doc_file_plain - a file that is whole in its base. 0 or -ENOMEM; free
 * as above. @gfid is borrowed. */
int
allot_doc_file_plain(const char *gfid, uint64_t size, uint64_t nlink,
                     uint32_t inline_limit, struct allot_doc_file *doc);
/** allot_doc_layout_read - the layout in @obj, with keys as a report has them.
 * 0 or -errno as above; free with allot_layout_free(). */
int
allot_doc_layout_read(const json_t *obj, struct allot_layout **layout,
                      struct allot_doc_error *err);
/** allot_doc_file_spread - a spread file whose size is exact. @gfid and @layout
 * are borrowed, @members: as children.h says, NULL: all are well. 0 or -errno
 * as above; free as above. */
int
allot_doc_file_spread(const char *gfid, uint64_t size, uint64_t nlink,
                      const struct allot_layout *layout, const json_t *members,
                      struct allot_doc_file *doc, struct allot_doc_error *err);
void
allot_doc_file_clear(struct allot_doc_file *doc);

/** allot_fail_name - "ok", "down", "blank", "lost", "missing". */
const char *
allot_fail_name(enum allot_fail fail);

#endif /* ALLOT_DOCUMENT_H */
