/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * volfile-print.h - parts of a volfile into a new text, of open_memstream().
 * What is not changed is copied, byte for byte.
 */
#ifndef VOLFILE_PRINT_H
#define VOLFILE_PRINT_H

#include <stdio.h>
#include "volfile.h"

/** volfile_print_text - the text from @from to @to */
void
volfile_print_text(FILE *f, const struct volfile *vf, size_t from, size_t to);

/** volfile_print_list - names of the volumes at positions @list, with @between
 * between them; before the first, too, if that is a space */
void
volfile_print_list(FILE *f, const struct volfile *vf, const int *list,
                   int count, char between);

/** volfile_print_options - a volume as far as its options, of which @key gets
 * @value */
void
volfile_print_options(FILE *f, const struct volfile_node *node, const char *key,
                      const char *value);

/**
 * volfile_print_rest_without - all of the text behind a volume
 * @child: its position; those above stand on @name instead
 * @without: a position that is left out, @name stands for it, too; -1: none
 */
void
volfile_print_rest_without(FILE *f, const struct volfile *vf, int child,
                           const char *name, int without);

/** volfile_print_rest - the same, nothing is left out */
void
volfile_print_rest(FILE *f, const struct volfile *vf, int child,
                   const char *name);

/**
 * volfile_print_close - close what open_memstream() gave
 * @out: its text; freed and NULL on -ENOMEM
 * Returns 0, -ENOMEM.
 */
int
volfile_print_close(FILE *f, char **out);

/** volfile_has_child - does @node stand on the volume at position @child? */
int
volfile_has_child(const struct volfile_node *node, int child);

#endif /* VOLFILE_PRINT_H */
