/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-words.c - a command line of guard-probe as words and settings. Each
 * thread has its own command.
 */
#include <stdlib.h>
#include <string.h>
#include "guard-words.h"

__thread char *word[WORDS_MAX];
__thread int words;

/* Parse @line, which must live as long as the command. */
void
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
const char *
setting(const char *key)
{
    size_t len = strlen(key);

    for (int i = 1; i < words; i++)
        if (strncmp(word[i], key, len) == 0 && word[i][len] == '=')
            return word[i] + len + 1;
    return NULL;
}

int
flag(const char *key)
{
    for (int i = 1; i < words; i++)
        if (strcmp(word[i], key) == 0)
            return 1;
    return 0;
}

uint64_t
number(const char *key, uint64_t otherwise)
{
    const char *value = setting(key);

    return value ? strtoull(value, NULL, 0) : otherwise;
}
