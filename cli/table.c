/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* table.c - see table.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <libsmartcols.h>

#include "table.h"

struct allot_table {
    struct libscols_table *scols;
    struct libscols_line *line; /* the present row; owned by scols */
    size_t next;                /* its next cell */
};

struct allot_table *
allot_table_new(const struct allot_table_column *columns, size_t count)
{
    struct allot_table *table = calloc(1, sizeof(*table));
    size_t i;

    if (!table)
        return NULL;
    table->scols = scols_new_table();
    if (!table->scols)
        goto fail;
    /* Cut or wrapped cells would hide what a script or a person looks for. */
    scols_table_set_termforce(table->scols, SCOLS_TERMFORCE_NEVER);
    for (i = 0; i < count; i++)
        if (!scols_table_new_column(table->scols, columns[i].name, 0,
                                    columns[i].right ? SCOLS_FL_RIGHT : 0))
            goto fail;
    return table;
fail:
    allot_table_free(table);
    return NULL;
}

int
allot_table_row(struct allot_table *table)
{
    table->line = scols_table_new_line(table->scols, NULL);
    table->next = 0;
    return table->line ? 0 : -ENOMEM;
}

int
allot_table_cell(struct allot_table *table, const char *format, ...)
{
    char *text;
    va_list ap;
    int len;

    va_start(ap, format);
    len = vasprintf(&text, format, ap);
    va_end(ap);
    if (len < 0)
        return -ENOMEM;
    if (scols_line_refer_data(table->line, table->next, text)) {
        free(text);
        return -ENOMEM;
    }
    table->next++;
    return 0;
}

int
allot_table_print(struct allot_table *table)
{
    return scols_print_table(table->scols);
}

void
allot_table_free(struct allot_table *table)
{
    if (!table)
        return;
    scols_unref_table(table->scols);
    free(table);
}
