/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-words.h - see guard-words.c.
 */
#ifndef GUARD_WORDS_H
#define GUARD_WORDS_H

#include <stdint.h>

#define WORDS_MAX 16

extern __thread char *word[WORDS_MAX];
extern __thread int words;

/* Parse @line, which must live as long as the command. */
void
parse(char *line);

/* The value of a setting "key=...", or NULL. */
const char *
setting(const char *key);

/* Is the word @key there. */
int
flag(const char *key);

/* The number that setting @key has, or @otherwise. */
uint64_t
number(const char *key, uint64_t otherwise);

#endif /* GUARD_WORDS_H */
