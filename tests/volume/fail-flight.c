/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * fail-flight.c - one client with many writes under way (libgfapi's
 * pwrite_async, as QEMU uses it): the kernel lets only one at a time make a
 * file longer.
 *
 *     fail-flight write VOLFILE NAME BYTES DEPTH   a new file, in pieces
 *     fail-flight check VOLFILE NAME BYTES         each byte
 *
 *      done            DEPTH pieces under way          not begun
 *   |---------------|##|##|  |##|  |##|##|  |##|........................|
 *
 * write fails if any piece did, and prints the first such; then it closes,
 * which must not fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <glusterfs/api/glfs.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 49152 /* no multiple of a block */
#define DEPTH_MAX 64

struct piece {
    char buf[PIECE];
    uint64_t at;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static struct piece *idle[DEPTH_MAX];
static int n_idle;
static uint64_t failed_at = UINT64_MAX;
static int failed_errno;

static void
fill(char *buf, uint64_t at, size_t len)
{
    size_t i = 0;

    for (i = 0; i < len; i++)
        buf[i] = (char)(((at + i) * 2654435761ULL) >> 24 | 1);
}

static void
done(glfs_fd_t *fd, ssize_t ret, struct glfs_stat *pre, struct glfs_stat *post,
     void *data)
{
    struct piece *p = data;

    (void)fd, (void)pre, (void)post;
    pthread_mutex_lock(&mutex);
    if (ret != PIECE && p->at < failed_at) {
        failed_at = p->at;
        failed_errno = ret < 0 ? errno : 0;
    }
    idle[n_idle++] = p;
    pthread_cond_signal(&cond);
    pthread_mutex_unlock(&mutex);
}

static int
write_file(glfs_fd_t *fd, uint64_t bytes, int depth)
{
    struct piece *pieces = calloc(depth, sizeof(*pieces));
    uint64_t at = 0;
    int i = 0;

    if (!pieces)
        return 1;
    for (i = 0; i < depth; i++)
        idle[n_idle++] = &pieces[i];
    for (at = 0; at < bytes; at += PIECE) {
        struct piece *p = NULL;

        pthread_mutex_lock(&mutex);
        while (n_idle == 0)
            pthread_cond_wait(&cond, &mutex);
        p = idle[--n_idle];
        pthread_mutex_unlock(&mutex);
        p->at = at;
        fill(p->buf, at, PIECE);
        if (glfs_pwrite_async(fd, p->buf, PIECE, (off_t)at, 0, done, p)) {
            perror("pwrite_async");
            return 1;
        }
    }
    pthread_mutex_lock(&mutex);
    while (n_idle < depth)
        pthread_cond_wait(&cond, &mutex);
    pthread_mutex_unlock(&mutex);
    free(pieces);
    if (failed_at != UINT64_MAX)
        fprintf(stderr, "the piece at %llu: %s\n",
                (unsigned long long)failed_at,
                failed_errno ? strerror(failed_errno) : "short");
    return failed_at != UINT64_MAX;
}

static int
check_file(glfs_fd_t *fd, uint64_t bytes)
{
    static char want[PIECE];
    static char got[PIECE];
    uint64_t at = 0;
    ssize_t n = 0;

    for (at = 0; at < bytes; at += PIECE) {
        n = glfs_pread(fd, got, PIECE, (off_t)at, 0, NULL);
        fill(want, at, PIECE);
        if (n != PIECE || memcmp(got, want, PIECE) != 0) {
            fprintf(stderr, "at %llu: read %zd, %s\n", (unsigned long long)at,
                    n, n < 0 ? strerror(errno) : "other bytes");
            return 1;
        }
    }
    n = glfs_pread(fd, got, PIECE, (off_t)at, 0, NULL);
    if (n)
        fprintf(stderr, "at %llu: read %zd, not the end\n",
                (unsigned long long)at, n);
    return n != 0;
}

int
main(int argc, char **argv)
{
    int write = argc == 6 && strcmp(argv[1], "write") == 0;
    int check = argc == 5 && strcmp(argv[1], "check") == 0;
    int depth = write ? atoi(argv[5]) : 1;
    uint64_t bytes = argc >= 5 ? strtoull(argv[4], NULL, 10) : 0;
    glfs_t *fs = NULL;
    glfs_fd_t *fd = NULL;
    int rc = 0;

    if ((!write && !check) || depth < 1 || depth > DEPTH_MAX) {
        fprintf(stderr, "see the head of fail-flight.c\n");
        return 2;
    }
    bytes = bytes / PIECE * PIECE;
    fs = glfs_new("allot");
    if (!fs || glfs_set_volfile(fs, argv[2]) ||
        glfs_set_logging(fs, getenv("FS_GFAPI_LOG"), 5) || glfs_init(fs)) {
        perror("glfs_init");
        return 1;
    }
    fd = write ? glfs_creat(fs, argv[3], O_WRONLY | O_EXCL, 0644)
               : glfs_open(fs, argv[3], O_RDONLY);
    if (!fd) {
        perror(argv[3]);
        return 1;
    }
    rc = write ? write_file(fd, bytes, depth) : check_file(fd, bytes);
    if (glfs_close(fd)) {
        perror("close");
        rc = 1;
    }
    /* No glfs_fini(): see fs-gfapi.c. */
    return rc;
}
