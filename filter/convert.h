/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * convert.h - which volfile is of which kind, where cluster/allot belongs in
 * it, and the text with it.
 *
 *     write-behind ... md-cache          write-behind ... md-cache
 *            |                                  |
 *          utime                              utime
 *            |                                  |
 *            |                              V-allot
 *            |                                  |------+-----+  (sets: +leaves)
 *          V-dht                             V-dht     |     |
 *            |------+                           |------+     |
 *            c0     c1                          c0     c1 ---+
 */
#ifndef CONVERT_H
#define CONVERT_H

#include "request.h"
#include "volfile.h"

#define CONVERT_NAME_MAX 256
#define CONVERT_TARGETS_MAX 64 /* volumes in one file (nfs) */

enum convert_kind {
    CONVERT_CLIENT,     /* a client's: fuse, trusted-fuse, gfproxyd, nfs */
    CONVERT_BRICK,      /* a brick's */
    CONVERT_REBALANCE,  /* must see distribute as it is: the guard keeps it
                           out. That of a remove-brick is made to refuse, and
                           any where names are replicated */
    CONVERT_HEAL,       /* the self-heal daemon's: heals sets, below allot */
    CONVERT_SERVICE,    /* snapd, bitd, scrub, quotad: not a client of files */
    CONVERT_NO_CLUSTER, /* one brick's client, gfproxy's client */
};

const char *
convert_kind_name(enum convert_kind kind);

/** convert_kind - of a volfile
 * @base: the file's name without directories; temporary copies have any */
enum convert_kind
convert_kind(const struct volfile *vf, const char *base);

/* A namespace of a client's graph, and what is below it. */
struct convert_target {
    int ns;                        /* position of the namespace */
    char volume[CONVERT_NAME_MAX]; /* name of the Gluster volume */
    int *data;                     /* owned: data subvolumes, in order */
    int data_count;
    int *leaves;         /* owned: bricks of sets, in order */
    int leaf_count;      /* 0: the data subvolumes are plain bricks */
    int done;            /* cluster/allot stands above it already */
    const char *why;     /* what stands there cannot be used: a sentence */
    const char *leaving; /* what a remove-brick takes away, NULL: nothing; the
                            volfile's. In a client's file it means nothing */
};

/**
 * convert_targets - the namespaces of a client's graph
 * @targets: room for CONVERT_TARGETS_MAX; free with convert_targets_free();
 *     one that cannot be used has its sentence in why
 * @why: on -EINVAL a static sentence
 * Returns their number, -EINVAL, -ENOMEM.
 */
int
convert_targets(const struct volfile *vf, struct convert_target *targets,
                const char **why);

void
convert_targets_free(struct convert_target *targets, int count);

/**
 * convert_apply - put cluster/allot above one namespace
 * @req: what was asked for; options that do not fit the graph are moved to
 *     req->rejected
 * @out: on 0 the new text, *@out_len bytes; the caller frees it
 * @why: on -EINVAL a static sentence
 * Returns 0, -EINVAL, -ENOMEM.
 */
int
convert_apply(const struct volfile *vf, const struct convert_target *target,
              struct request *req, char **out, size_t *out_len,
              const char **why);

/**
 * convert_names_replicated - does a volume keep names by replicate?
 * @req: what was asked for, and what the registry says
 * Only if the graph has what that needs.
 */
int
convert_names_replicated(const struct convert_target *target,
                         const struct request *req);

/**
 * convert_refuse - make the graph of a rebalance refuse
 * @target: with target->leaving a remove-brick's
 * Arguments and results as convert_apply(); 1: it does already.
 */
int
convert_refuse(const struct volfile *vf, const struct convert_target *target,
               char **out, size_t *out_len, const char **why);

/**
 * convert_unguard - take user/allot out of a brick's volfile
 * For a volume that cannot use allot: a guard whose brick is never registered
 * serves nobody. Arguments and results as convert_apply(); 1: there is none.
 */
int
convert_unguard(const struct volfile *vf, char **out, size_t *out_len);

/**
 * convert_guard_anew - take user/allot to where it belongs, without options
 *     that it must not have
 * @vf: has a guard
 * @req: of request_guard(); what is rejected is noted in the guard
 * Arguments and results as convert_apply().
 */
int
convert_guard_anew(const struct volfile *vf, const struct request *req,
                   char **out, size_t *out_len, const char **why);

/**
 * convert_trash_off - switch features/trash of a brick off
 * It would have portions for files that people remove, and cannot put them
 * where it keeps those: they would stay for ever. Arguments and results as
 * convert_apply(); 1: it is off.
 */
int
convert_trash_off(const struct volfile *vf, char **out, size_t *out_len);

/**
 * convert_guard - put user/allot above features/locks of a brick's volfile
 * For a brick that holds data of allot, when the setting was taken away.
 * Arguments and results as convert_apply(); 1: it is there already.
 */
int
convert_guard(const struct volfile *vf, char **out, size_t *out_len,
              const char **why);

#endif /* CONVERT_H */
