/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* format.c - see format.h. */
#include <errno.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"

char *
allot_format_size(uint64_t bytes, char text[ALLOT_SIZE_TEXT])
{
    static const char units[] = "KMGTPE";
    double value = (double)bytes;
    int unit = -1;

    if (bytes < 1024) {
        snprintf(text, ALLOT_SIZE_TEXT, "%u B", (unsigned int)bytes);
        return text;
    }
    /* 1023.95 would be printed as 1024.0: take the next unit from there. */
    while (unit < 5 && value >= 1023.95) {
        value /= 1024;
        unit++;
    }
    snprintf(text, ALLOT_SIZE_TEXT, value < 99.95 ? "%.1f %ciB" : "%.0f %ciB",
             value, units[unit]);
    return text;
}

char *
allot_format_bar(double ratio, unsigned int cells, int utf8, char *text)
{
    /* U+2588 is a full cell, U+2589 seven eighths, ... U+258F one eighth. */
    unsigned int steps = utf8 ? 8 : 1;
    unsigned int marks;
    char *to = text;

    if (!(ratio > 0)) {
        *to = '\0';
        return text;
    }
    if (ratio > 1)
        ratio = 1;
    marks = (unsigned int)(ratio * cells * steps + 0.5);
    if (marks == 0)
        marks = 1;
    for (; marks >= steps; marks -= steps) {
        if (utf8) {
            memcpy(to, "\xe2\x96\x88", 3);
            to += 3;
        } else {
            *to++ = '#';
        }
    }
    if (marks) {
        memcpy(to, "\xe2\x96", 2);
        to[2] = (char)(0x90 - marks);
        to += 3;
    }
    *to = '\0';
    return text;
}

int
allot_format_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/*
 * The length of the UTF-8 sequence at @s, 0 if there is none. Over-long forms,
 * surrogates and everything past U+10FFFF are not UTF-8.
 */
static size_t
allot_utf8_len(const char *s)
{
    const unsigned char *c = (const unsigned char *)s;
    unsigned char low = 0x80, high = 0xbf;
    size_t len, i;

    if (c[0] < 0x80)
        return 1;
    if (c[0] >= 0xc2 && c[0] <= 0xdf)
        len = 2;
    else if (c[0] >= 0xe0 && c[0] <= 0xef)
        len = 3;
    else if (c[0] >= 0xf0 && c[0] <= 0xf4)
        len = 4;
    else
        return 0;
    if (c[0] == 0xe0)
        low = 0xa0;
    else if (c[0] == 0xed)
        high = 0x9f;
    else if (c[0] == 0xf0)
        low = 0x90;
    else if (c[0] == 0xf4)
        high = 0x8f;
    /* A NUL ends the loop: it is below every lower bound. */
    for (i = 1; i < len; i++) {
        if (c[i] < low || c[i] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return len;
}

char *
allot_format_name(const char *name)
{
    char *text = malloc(4 * strlen(name) + 1);
    char *to = text;

    if (!text)
        return NULL;
    while (*name) {
        size_t len = allot_utf8_len(name);
        unsigned char c = (unsigned char)*name;
        /* C1 control characters can steer a terminal as C0 ones do. */
        int control = c < 0x20 || c == 0x7f || c == '\\' ||
                      (c == 0xc2 && (unsigned char)name[1] < 0xa0);

        if (len == 0 || control) {
            to += sprintf(to, "\\x%02x", c);
            name++;
            if (len == 2)
                to += sprintf(to, "\\x%02x", (unsigned char)*name++);
        } else {
            memcpy(to, name, len);
            to += len;
            name += len;
        }
    }
    *to = '\0';
    return text;
}

json_t *
allot_json_path(const char *path, int *exact)
{
    char *text = malloc(3 * strlen(path) + 1);
    char *to = text;
    json_t *json;

    if (!text)
        return NULL;
    *exact = 1;
    while (*path) {
        size_t len = allot_utf8_len(path);

        if (len == 0) {
            memcpy(to, "\xef\xbf\xbd", 3);
            to += 3;
            path++;
            *exact = 0;
        } else {
            memcpy(to, path, len);
            to += len;
            path += len;
        }
    }
    json = json_stringn(text, (size_t)(to - text));
    free(text);
    return json;
}

json_t *
allot_json_hex(const char *text)
{
    size_t i, len = strlen(text);
    char *hex = malloc(2 * len + 1);
    json_t *json;

    if (!hex)
        return NULL;
    for (i = 0; i < len; i++)
        sprintf(hex + 2 * i, "%02x", (unsigned char)text[i]);
    json = json_stringn(hex, 2 * len);
    free(hex);
    return json;
}

char *
allot_json_unhex(const json_t *hex)
{
    const char *from = json_string_value(hex);
    size_t i, len = from ? strlen(from) / 2 : 0;
    char *text = from && strlen(from) == 2 * len ? malloc(len + 1) : NULL;
    unsigned int byte;

    for (i = 0; text && i < len; i++) {
        if (sscanf(from + 2 * i, "%2x", &byte) != 1 || byte == 0) {
            free(text);
            return NULL;
        }
        text[i] = (char)byte;
    }
    if (text)
        text[len] = '\0';
    return text;
}

json_t *
allot_json_count(const struct allot_count *count)
{
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I}", "total", (json_int_t)count->total,
        "failed", (json_int_t)count->failed, "unavailable",
        (json_int_t)count->unavailable, "lost", (json_int_t)count->lost,
        "recoverable", (json_int_t)count->recoverable, "holes",
        (json_int_t)count->holes);
}

int
allot_json_open(json_t *object, FILE *out)
{
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    size_t len;
    int ret = 0;

    json_decref(object);
    if (!text)
        return -ENOMEM;
    len = strlen(text) - 1;
    errno = 0;
    if (fwrite(text, 1, len, out) != len)
        ret = errno ? -errno : -EIO;
    free(text);
    return ret;
}

const char *
allot_plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

const char *
allot_between(size_t said, size_t n)
{
    return said == 0 ? "" : said + 1 == n ? " and " : ", ";
}

char *
allot_text_end(FILE *out, char **text)
{
    int failed = ferror(out);

    if (fclose(out) != 0 || failed) {
        free(*text);
        *text = NULL;
    }
    return *text;
}
