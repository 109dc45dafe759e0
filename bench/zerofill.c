/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * zerofill.c - zeroes the first bytes of a file of a volume through libgfapi:
 * GlusterFS's FUSE bridge does not know FALLOC_FL_ZERO_RANGE, it would
 * allocate.
 *
 *   zerofill VOLFILE PATH MIB
 *
 * Exit status 0, or 1 with "CALL: ERROR" on standard error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <glusterfs/api/glfs.h>

/* libgfapi's own number for its log level. */
#define LOG_ERROR 4

static int
failed(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    return 1;
}

/* glfs_fini() is not called: it may wait without a bound, and the process ends
 * anyway. */
int
main(int argc, char **argv)
{
    glfs_t *fs = NULL;
    glfs_fd_t *fd = NULL;

    if (argc != 4) {
        fprintf(stderr, "usage: zerofill VOLFILE PATH MIB\n");
        return 2;
    }
    fs = glfs_new("zerofill");
    if (!fs || glfs_set_volfile(fs, argv[1]) ||
        glfs_set_logging(fs, "/dev/null", LOG_ERROR) || glfs_init(fs))
        return failed("connect");
    fd = glfs_open(fs, argv[2], O_RDWR);
    if (!fd)
        return failed("open");
    if (glfs_zerofill(fd, 0, (off_t)strtoull(argv[3], NULL, 10) << 20))
        return failed("zerofill");
    return glfs_close(fd) ? failed("close") : 0;
}
