/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* output.h - standard output into a file that is there whole or not at all. */
#ifndef ALLOT_OUTPUT_H
#define ALLOT_OUTPUT_H

struct allot_output {
    char *name; /* the final one, behind symbolic links; owned; NULL: none */
    char *temporary; /* beside it; owned */
};

/** allot_output_begin - lead standard output into a new file beside @name
 * @name NULL: only SIGHUP is taken care of. A symbolic link is followed, its
 * target is written; what is there and is no regular file is refused. Returns
 * 0, or an exit status with the error printed. */
int
allot_output_begin(struct allot_output *out, const char *name);

/**
 * allot_output_end - with @keep, and a @status other than ALLOT_EXIT_ERROR,
 * give the file its name, else remove it Returns @status, or ALLOT_EXIT_ERROR
 * with the error printed.
 */
int
allot_output_end(struct allot_output *out, int status, int keep);

/** allot_output_signal - a signal's handler: what was begun is removed, then
 * the process ends: of the signal, or of SIGHUP, since that is a place that
 * cannot be written to any more, with a sentence and ALLOT_EXIT_ERROR. */
void
allot_output_signal(int number);

/** allot_output_handle - install a handler, unless the signal is ignored. */
void
allot_output_handle(int number, void (*handler)(int));

#endif /* ALLOT_OUTPUT_H */
