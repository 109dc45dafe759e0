/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* format.h - numbers, names and bars as people and JSON readers want them.
 * Pure: nothing here talks to a volume. */
#ifndef ALLOT_FORMAT_H
#define ALLOT_FORMAT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "allot-recovery.h"

/* "1023 B", "1.5 KiB", "12 GiB": at most 4 digits, room to spare. */
#define ALLOT_SIZE_TEXT 16

/** allot_format_size - bytes in IEC units; returns @text. */
char *
allot_format_size(uint64_t bytes, char text[ALLOT_SIZE_TEXT]);

/**
 * allot_format_bar - a bar of at most @cells character cells
 * @ratio: 0..1, other values are cut; @utf8: eighth blocks, else '#'
 * @text: at least 3 * @cells + 1 bytes. Not padded. Returns @text.
 * A ratio above 0 shows at least the smallest mark.
 */
char *
allot_format_bar(double ratio, unsigned int cells, int utf8, char *text);

/** allot_format_utf8 - does the terminal's character set know UTF-8 (1, 0). */
int
allot_format_utf8(void);

/**
 * allot_format_name - a file's name, safe for a terminal
 * Control characters, DEL, backslash and bytes that are not UTF-8 become \xNN.
 * Allocated; NULL: no memory.
 */
char *
allot_format_name(const char *name);

/**
 * allot_json_path - a path as a JSON string; a path need not be UTF-8
 * Bytes that are not UTF-8 are replaced with U+FFFD, and *@exact is 0 then.
 * A new reference; NULL: no memory.
 */
json_t *
allot_json_path(const char *path, int *exact);

/** allot_json_hex - the bytes of @text in hexadecimal; a new reference. */
json_t *
allot_json_hex(const char *text);

/** allot_json_unhex - the text that allot_json_hex() made @hex of
 * Allocated; NULL: @hex is no such string, or no memory. */
char *
allot_json_unhex(const json_t *hex);

/** allot_json_count - {"total", "failed", "unavailable", "lost",
 * "recoverable", "holes"}; a new reference; NULL: no memory. */
json_t *
allot_json_count(const struct allot_count *count);

/**
 * allot_json_open - write an object, but leave out its closing brace
 * So that keys whose values are streamed can follow: each begins with ",".
 * The object must not be empty. Returns 0 or -errno. The reference is taken.
 */
int
allot_json_open(json_t *object, FILE *out);

/** allot_plural - "" for 1, else "s". */
const char *
allot_plural(uint64_t n);

/** allot_between - what stands before the next of @n words when @said were
 * said: "a", "a and b", "a, b and c". */
const char *
allot_between(size_t said, size_t n);

/** allot_text_end - close what open_memstream() gave
 * Returns @*text, which is the caller's; NULL, and it is freed: no memory. */
char *
allot_text_end(FILE *out, char **text);

#endif /* ALLOT_FORMAT_H */
