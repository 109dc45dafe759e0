/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* table.h - a table of text cells on standard output, by libsmartcols. For
 * tables of a bounded length only: they are held in memory. */
#ifndef ALLOT_TABLE_H
#define ALLOT_TABLE_H

#include <stddef.h>

struct allot_table; /* opaque */

struct allot_table_column {
    const char *name;
    int right; /* numbers stand to the right */
};

/** allot_table_new - NULL: no memory. Free with allot_table_free(). */
struct allot_table *
allot_table_new(const struct allot_table_column *columns, size_t count);

/** allot_table_row - begin a row; 0 or -ENOMEM. */
int
allot_table_row(struct allot_table *table);

/** allot_table_cell - the next cell of the row, printf-like; 0 or -ENOMEM. */
int
allot_table_cell(struct allot_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** allot_table_print - print it on stdout; 0 or -errno. */
int
allot_table_print(struct allot_table *table);

void
allot_table_free(struct allot_table *table);

#endif /* ALLOT_TABLE_H */
