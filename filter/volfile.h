/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * volfile.h - a GlusterFS volfile as text and as a graph.
 *
 * The parser keeps where every volume stands in the text, so that a change can
 * leave all other bytes as they are. It needs no GlusterFS header and knows no
 * translator. What it does not accept, GlusterFS may accept: the caller then
 * leaves the file alone.
 */
#ifndef VOLFILE_H
#define VOLFILE_H

#include <stddef.h>

#define VOLFILE_SIZE_MAX (16u << 20) /* bytes of a file we look at */
#define VOLFILE_LINE_MAX 65536       /* bytes of a line */

struct volfile_option {
    char *key;   /* in the volfile's strings */
    char *value; /* there, too; without the quotes */
};

/* One "volume ... end-volume". */
struct volfile_node {
    char *name;                     /* in the volfile's strings */
    char *type;                     /* there, too */
    struct volfile_option *options; /* owned, in order of the text */
    int option_count;
    int *children; /* owned; positions in nodes, in order; all smaller than
                      the node's own */
    int child_count;
    size_t begin;     /* offset of the line "volume NAME" */
    size_t end;       /* offset behind the line "end-volume" */
    size_t sub_begin; /* the names after "subvolumes": [sub_begin, sub_end) */
    size_t sub_end;
};

struct volfile {
    const char *text; /* the caller's; not ended by NUL */
    size_t len;
    char *strings; /* owned: a copy of the text, with NULs behind what counts */
    struct volfile_node *nodes; /* owned, in order of the text */
    int node_count;
};

/**
 * volfile_parse - text to graph
 * @text: @len bytes; must outlive @vf
 * @vf: filled; give it to volfile_free() whatever this returns
 * @why: on -EINVAL a sentence that names what is wrong (static)
 * Returns 0, -EINVAL (not a volfile as glusterd writes it), -ENOMEM.
 */
int
volfile_parse(const char *text, size_t len, struct volfile *vf,
              const char **why);

void
volfile_free(struct volfile *vf);

/** volfile_find - the position of the volume @name, -1: there is none. */
int
volfile_find(const struct volfile *vf, const char *name);

/** volfile_has_type - the position of the first volume of @type, or -1. */
int
volfile_has_type(const struct volfile *vf, const char *type);

/**
 * volfile_bool - a boolean, in exactly the words that GlusterFS takes
 * @value: NULL is none
 * 1: true. 0: false. -1: neither.
 */
int
volfile_bool(const char *value);

/** volfile_option - the last value of option @key of @node, NULL: not set. */
const char *
volfile_option(const struct volfile_node *node, const char *key);

#endif /* VOLFILE_H */
