/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * fail-flight.c - one client with many writes under way (libgfapi's
 * pwrite_async, as QEMU uses it): the kernel lets only one at a time make a
 * file longer.
 *
 *     fail-flight VOLFILE NAME FILE DEPTH     copies FILE to the new file NAME
 *
 *      done            DEPTH pieces under way          not begun
 *   |---------------|##|##|  |##|  |##|##|  |##|........................|
 *
 * Fails if any piece did, and prints the first such, or if the close does.
 */
#include <errno.h>
#include <fcntl.h>
#include <glusterfs/api/glfs.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE 49152 /* no multiple of a block */
#define DEPTH_MAX 64

struct piece {
    char buf[PIECE];
    ssize_t len;
    uint64_t at;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static struct piece *idle[DEPTH_MAX];
static int n_idle;
static uint64_t failed_at = UINT64_MAX;
static int failed_errno;

static void
done(glfs_fd_t *fd, ssize_t ret, struct glfs_stat *pre, struct glfs_stat *post,
     void *data)
{
    struct piece *p = data;

    (void)fd, (void)pre, (void)post;
    pthread_mutex_lock(&mutex);
    if (ret != p->len && p->at < failed_at) {
        failed_at = p->at;
        failed_errno = ret < 0 ? errno : 0;
    }
    idle[n_idle++] = p;
    pthread_cond_signal(&cond);
    pthread_mutex_unlock(&mutex);
}

/* The last of @n pieces that are idle; waits until so many are. */
static struct piece *
take(int n)
{
    struct piece *p = NULL;

    pthread_mutex_lock(&mutex);
    while (n_idle < n)
        pthread_cond_wait(&cond, &mutex);
    p = idle[--n_idle];
    pthread_mutex_unlock(&mutex);
    return p;
}

static int
copy(int from, glfs_fd_t *to, int depth)
{
    static struct piece pieces[DEPTH_MAX];
    struct piece *p = NULL;
    uint64_t at = 0;

    while (n_idle < depth) {
        idle[n_idle] = &pieces[n_idle];
        n_idle++;
    }
    for (p = take(1); (p->len = read(from, p->buf, PIECE)) > 0; p = take(1)) {
        p->at = at;
        at += p->len;
        if (glfs_pwrite_async(to, p->buf, p->len, (off_t)p->at, 0, done, p)) {
            perror("pwrite_async");
            return 1;
        }
    }
    take(depth - 1); /* p is the other one */
    if (failed_at != UINT64_MAX)
        fprintf(stderr, "the piece at %llu: %s\n",
                (unsigned long long)failed_at,
                failed_errno ? strerror(failed_errno) : "short");
    return p->len < 0 || failed_at != UINT64_MAX;
}

int
main(int argc, char **argv)
{
    int depth = argc == 5 ? atoi(argv[4]) : 0;
    glfs_t *fs = NULL;
    glfs_fd_t *to = NULL;
    int from = -1;
    int rc = 0;

    if (depth < 2 || depth > DEPTH_MAX) {
        fprintf(stderr, "see the head of fail-flight.c\n");
        return 2;
    }
    fs = glfs_new("allot");
    if (!fs || glfs_set_volfile(fs, argv[1]) ||
        glfs_set_logging(fs, getenv("FS_GFAPI_LOG"), 5) || glfs_init(fs)) {
        perror("glfs_init");
        return 1;
    }
    from = open(argv[3], O_RDONLY);
    to = glfs_creat(fs, argv[2], O_WRONLY | O_EXCL, 0644);
    if (from < 0 || !to) {
        perror(from < 0 ? argv[3] : argv[2]);
        return 1;
    }
    rc = copy(from, to, depth);
    if (glfs_close(to)) {
        perror("close");
        rc = 1;
    }
    /* No glfs_fini(): see fs-gfapi.c. */
    return rc;
}
