/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * blocks.c - one stream of calls of 128 KiB, for counting what they cost.
 *
 *     blocks PLACE write|read COUNT
 *
 * PLACE as in tests/volume/fs.h; the file is "f" there. A read begins at its
 * start and needs a file that is long enough.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tests/volume/fs.h"

#define BLOCK (128 * 1024)

int
main(int argc, char **argv)
{
    static char buf[BLOCK];
    struct fs fs;
    struct fs_file *file = NULL;
    long count = argc == 4 ? strtol(argv[3], NULL, 10) : -1;
    int writing = argc == 4 && !strcmp(argv[2], "write");
    ssize_t n = BLOCK;
    long i = 0;
    int ret = 0;

    if (count < 0 || (!writing && strcmp(argv[2], "read") != 0)) {
        fprintf(stderr, "usage: blocks PLACE write|read COUNT\n");
        return 2;
    }
    memset(buf, 'b', sizeof(buf));
    ret = fs_open_place(argv[1], &fs);
    if (!ret)
        ret = fs.ops->open(&fs, "f", writing ? O_RDWR | O_CREAT : O_RDONLY,
                           0644, &file);
    for (i = 0; !ret && i < count && n == BLOCK; i++)
        n = writing ? fs_pwrite(&fs, file, buf, BLOCK, (off_t)i * BLOCK)
                    : fs_pread(&fs, file, buf, BLOCK, (off_t)i * BLOCK);
    if (!ret && n != BLOCK)
        ret = n < 0 ? (int)n : -1;
    if (file && fs.ops->close(file) && !ret)
        ret = -1;
    if (ret)
        fprintf(stderr, "blocks: %s: call %ld: %s\n", argv[1], i,
                ret == -1 ? "short" : strerror(-ret));
    return ret ? 1 : 0;
}
