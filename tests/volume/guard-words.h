/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-words.h - a command line of guard-probe as words and settings. Each
 * thread has its own command. Included once, by guard-probe.c.
 */
#ifndef GUARD_WORDS_H
#define GUARD_WORDS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 16

static __thread char *word[WORDS_MAX];
static __thread int words;

/* Parse @line, which must live as long as the command. */
static void
parse(char *line)
{
    char *save = NULL;

    words = 0;
    for (char *w = strtok_r(line, " \n", &save); w && words < WORDS_MAX - 1;
         w = strtok_r(NULL, " \n", &save))
        word[words++] = w;
    word[words] = NULL;
}

/* The value of a setting "key=...", or NULL. */
static const char *
setting(const char *key)
{
    size_t len = strlen(key);

    for (int i = 1; i < words; i++)
        if (strncmp(word[i], key, len) == 0 && word[i][len] == '=')
            return word[i] + len + 1;
    return NULL;
}

static int
flag(const char *key)
{
    for (int i = 1; i < words; i++)
        if (strcmp(word[i], key) == 0)
            return 1;
    return 0;
}

static uint64_t
number(const char *key, uint64_t otherwise)
{
    const char *value = setting(key);

    return value ? strtoull(value, NULL, 0) : otherwise;
}

#endif /* GUARD_WORDS_H */
