/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * target.c - decide what kind of target a text names, and what both kinds
 * have in common. It does not talk to a volume itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

/* The kernel's limit on the value of an xattr; one call is nearly always
 * enough with it. libgfapi can answer more. */
#define ALLOT_ASK_BYTES 65536
/* Nothing that the translator says is longer; beyond it something is wrong. */
#define ALLOT_ASK_BYTES_MAX (64U << 20)

/* Split "HOST:/VOLUME/DIR" or "FILE.vol:/DIR". Returns 0, or an exit status. */
static int
allot_target_open_remote(const struct allot_cli *cli, const char *text,
                         const char *colon, int want_file,
                         struct allot_target **out)
{
    size_t left_len = (size_t)(colon - text);
    struct stat st;
    char *left, *volume = NULL;
    const char *host, *path;
    size_t volume_len;
    int status;

    left = strndup(text, left_len);
    if (!left)
        return allot_cli_error("out of memory");

    if (stat(left, &st) == 0 && S_ISREG(st.st_mode)) {
        status = allot_gfapi_open(cli, NULL, left, colon + 1, want_file, out);
        goto out;
    }
    if (left_len == 0 || strchr(left, '/')) {
        status = allot_cli_error(
            "'%s' names neither a directory nor a volfile; give a directory "
            "inside a mounted volume, HOST:/VOLUME or FILE.vol:/DIR",
            text);
        goto out;
    }

    /* An IPv6 address stands in brackets. */
    host = left;
    if (left[0] == '[' && left[left_len - 1] == ']') {
        left[left_len - 1] = '\0';
        host = left + 1;
    }

    path = colon + 1;
    while (*path == '/')
        path++;
    volume_len = strcspn(path, "/");
    if (volume_len == 0) {
        status =
            allot_cli_error("'%s' names no volume; write HOST:/VOLUME", text);
        goto out;
    }
    volume = strndup(path, volume_len);
    if (!volume) {
        status = allot_cli_error("out of memory");
        goto out;
    }
    path += volume_len;
    status =
        allot_gfapi_open(cli, host, volume, *path ? path : "/", want_file, out);
out:
    free(volume);
    free(left);
    return status;
}

int
allot_target_open(const struct allot_cli *cli, const char *text, int want_file,
                  struct allot_target **out)
{
    const char *colon = strstr(text, ":/");
    struct stat st;
    int status;

    *out = NULL;
    if (!colon || lstat(text, &st) == 0)
        status = allot_mount_open(text, want_file, out);
    else
        status = allot_target_open_remote(cli, text, colon, want_file, out);
    if (status == 0)
        (*out)->shown = text;
    return status;
}

void
allot_target_close(struct allot_target *target)
{
    if (!target)
        return;
    free(target->leaf);
    if (target->dir)
        target->ops->dir_close(target->dir);
    target->ops->close(target);
}

ssize_t
allot_target_ask(struct allot_dir *dir, const char *name, const char *key,
                 char **text)
{
    const struct allot_target_ops *ops = dir->target->ops;
    size_t size = ALLOT_ASK_BYTES;
    char *buf = NULL, *bigger;
    ssize_t len;

    for (;;) {
        bigger = realloc(buf, size + 1);
        if (!bigger) {
            free(buf);
            return -ENOMEM;
        }
        buf = bigger;
        len = ops->getxattr(dir, name, key, buf, size);
        if (len != -ERANGE)
            break;
        /* It may grow between two calls, so there is no trust in an exact
         * answer to "how long". */
        size *= 4;
        if (size > ALLOT_ASK_BYTES_MAX)
            break;
    }
    if (len < 0) {
        free(buf);
        return len;
    }
    while (len > 0 && buf[len - 1] == '\0')
        len--;
    buf[len] = '\0';
    *text = buf;
    return len;
}
