/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * glusterd-gfapi.c - a plain program of libgfapi, which knows nothing of allot:
 * reads or writes one file of a volume.
 *
 *     glusterd-gfapi VOLUME server:HOST read|write PATH
 *     glusterd-gfapi VOLUME volfile:FILE read|write PATH
 *
 * read: the content to standard output. write: standard input over the file.
 * Exit status: 0, or 1 with "CALL: ERROR" on standard error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <glusterfs/api/glfs.h>

static int
failed(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    return 1;
}

static int
copy(glfs_t *fs, const char *how, const char *path)
{
    static char buf[1 << 17];
    int writing = strcmp(how, "write") == 0;
    glfs_fd_t *fd = glfs_open(fs, path, writing ? O_WRONLY : O_RDONLY);
    ssize_t n = 0;

    if (!fd)
        return failed("open");
    for (;;) {
        n = writing ? read(0, buf, sizeof(buf))
                    : glfs_read(fd, buf, sizeof(buf), 0);
        if (n < 0)
            return failed("read");
        if (n == 0)
            break;
        if (writing ? glfs_write(fd, buf, n, 0) != n : write(1, buf, n) != n)
            return failed("write");
    }
    return glfs_close(fd) ? failed("close") : 0;
}

int
main(int argc, char **argv)
{
    glfs_t *fs = NULL;
    int ret = 0;

    if (argc != 5 || !strchr(argv[2], ':'))
        return 2;
    fs = glfs_new(argv[1]);
    if (!fs)
        return failed("new");
    glfs_set_logging(fs, "/dev/null", 4);
    if (strncmp(argv[2], "volfile:", 8) == 0)
        ret = glfs_set_volfile(fs, argv[2] + 8);
    else
        ret =
            glfs_set_volfile_server(fs, "tcp", strchr(argv[2], ':') + 1, 24007);
    if (ret || glfs_init(fs))
        return failed("init");
    ret = copy(fs, argv[3], argv[4]);
    /* No glfs_fini(): see fs-gfapi.c. What was written is with the bricks since
     * the close. */
    _exit(ret);
}
