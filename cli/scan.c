/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * scan.c - see scan.h. Every list has a lock of its own, held for a few
 * instructions. A worker that finds no work sleeps until somebody has found
 * some, or until no directory is left that somebody works on.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scan.h"

struct allot_scan;

struct allot_scan_list {
    pthread_mutex_t lock;
    char **paths; /* [first, end): directories to enter; owned */
    size_t first, end, cap;
    struct allot_scan *scan;
    unsigned int number;
    pthread_t thread;
    struct allot_scan_worker *done;
    char *path; /* of the present entry; owned */
    size_t path_cap;
};

struct allot_scan {
    struct allot_target *target;
    const struct allot_scan_ops *ops;
    void *arg;
    dev_t dev;
    unsigned int workers;
    struct allot_scan_list *lists;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;  /* workers: there is work, or it is over */
    pthread_cond_t over;  /* the caller: it is over */
    uint64_t open;        /* directories found and not finished */
    uint64_t waiting;     /* of these: in some list */
    uint64_t found, finished;
    int result;
    int pausing;           /* what due() said; 0: go on */
    unsigned int running;  /* workers that have not ended */
    unsigned int standing; /* of these: wait for the checkpoint */
    unsigned int pauses;   /* that are over */
};

/* ---- the lists ---------------------------------------------------------- */

/* @path is taken over. 0 or -ENOMEM. */
static int
allot_scan_put(struct allot_scan_list *list, char *path)
{
    struct allot_scan *scan = list->scan;
    int ret = 0;

    if (!path)
        return -ENOMEM;
    pthread_mutex_lock(&list->lock);
    if (list->first > 0 && list->end == list->cap) {
        memmove(list->paths, list->paths + list->first,
                (list->end - list->first) * sizeof(*list->paths));
        list->end -= list->first;
        list->first = 0;
    }
    if (list->end == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 64;
        char **paths = realloc(list->paths, cap * sizeof(*paths));

        if (paths) {
            list->paths = paths;
            list->cap = cap;
        } else {
            ret = -ENOMEM;
        }
    }
    /* Counted before it can be taken. */
    pthread_mutex_lock(&scan->lock);
    if (ret == 0) {
        list->paths[list->end++] = path;
        scan->open++;
        scan->waiting++;
        scan->found++;
        pthread_cond_signal(&scan->wake);
    }
    pthread_mutex_unlock(&scan->lock);
    pthread_mutex_unlock(&list->lock);
    if (ret)
        free(path);
    return ret;
}

static char *
allot_scan_take(struct allot_scan_list *list, int newest)
{
    struct allot_scan *scan = list->scan;
    char *path = NULL;

    pthread_mutex_lock(&list->lock);
    if (list->first < list->end) {
        path = newest ? list->paths[--list->end] : list->paths[list->first++];
        if (list->first == list->end)
            list->first = list->end = 0;
        pthread_mutex_lock(&scan->lock);
        scan->waiting--;
        pthread_mutex_unlock(&scan->lock);
    }
    pthread_mutex_unlock(&list->lock);
    return path;
}

/* All stand still: what is to be entered yet is given to checkpoint(). */
static void
allot_scan_checkpoint_locked(struct allot_scan *scan)
{
    size_t n = 0, at = 0, k;
    unsigned int i;
    const char **paths;
    int ret;

    for (i = 0; i < scan->workers; i++)
        n += scan->lists[i].end - scan->lists[i].first;
    paths = calloc(n + 1, sizeof(*paths));
    for (i = 0; paths && i < scan->workers; i++)
        for (k = scan->lists[i].first; k < scan->lists[i].end; k++)
            paths[at++] = scan->lists[i].paths[k];
    ret = paths ? scan->ops->checkpoint(scan->arg, paths, n) : -ENOMEM;
    free(paths);
    if (ret == 0 && scan->pausing == 2)
        ret = ALLOT_SCAN_STOPPED;
    if (ret && !scan->result)
        scan->result = ret;
    scan->pausing = 0;
    scan->pauses++;
    pthread_cond_broadcast(&scan->wake);
    if (scan->result)
        pthread_cond_broadcast(&scan->over);
}

/* The last one to stand still does it. */
static void
allot_scan_stand_locked(struct allot_scan *scan)
{
    unsigned int pauses = scan->pauses;

    scan->standing++;
    if (scan->standing == scan->running)
        allot_scan_checkpoint_locked(scan);
    while (pauses == scan->pauses && scan->result == 0)
        pthread_cond_wait(&scan->wake, &scan->lock);
    scan->standing--;
}

/* @n workers less: nobody waits for them to stand still. */
static void
allot_scan_gone(struct allot_scan *scan, unsigned int n)
{
    pthread_mutex_lock(&scan->lock);
    scan->running -= n;
    if (scan->pausing && scan->result == 0 && scan->running > 0 &&
        scan->standing == scan->running)
        allot_scan_checkpoint_locked(scan);
    pthread_mutex_unlock(&scan->lock);
}

/* Between two directories. */
static void
allot_scan_pause(struct allot_scan *scan)
{
    int due = scan->ops->due ? scan->ops->due(scan->arg) : 0;

    if (!scan->ops->due)
        return;
    pthread_mutex_lock(&scan->lock);
    /* At the very end there is nothing to go on with. */
    if (due > scan->pausing && scan->open > 0) {
        scan->pausing = due;
        pthread_cond_broadcast(&scan->wake);
    }
    if (scan->pausing && scan->result == 0)
        allot_scan_stand_locked(scan);
    pthread_mutex_unlock(&scan->lock);
}

/* The next directory for a worker, or NULL when all is done. */
static char *
allot_scan_next(struct allot_scan_list *own)
{
    struct allot_scan *scan = own->scan;
    char *path;
    unsigned int i;
    int over;

    for (;;) {
        allot_scan_pause(scan);
        path = allot_scan_take(own, 1);
        if (path)
            return path;
        for (i = 1; i < scan->workers; i++) {
            unsigned int at = (own->number + i) % scan->workers;

            path = allot_scan_take(&scan->lists[at], 0);
            if (path) {
                own->done->stolen++;
                return path;
            }
        }
        pthread_mutex_lock(&scan->lock);
        while (scan->waiting == 0 && scan->open > 0 && scan->result == 0 &&
               !scan->pausing)
            pthread_cond_wait(&scan->wake, &scan->lock);
        over = scan->open == 0 || scan->result != 0;
        pthread_mutex_unlock(&scan->lock);
        if (over)
            return NULL;
    }
}

/* One directory less; with an error the scan is over for all. */
static void
allot_scan_finish(struct allot_scan *scan, int result)
{
    pthread_mutex_lock(&scan->lock);
    scan->open--;
    scan->finished++;
    if (result && !scan->result)
        scan->result = result;
    if (scan->open == 0 || scan->result) {
        pthread_cond_broadcast(&scan->wake);
        pthread_cond_broadcast(&scan->over);
    }
    pthread_mutex_unlock(&scan->lock);
}

/* ---- one directory ------------------------------------------------------ */

static int
allot_scan_vanished(int err)
{
    return err == -ENOENT || err == -ESTALE || err == -ENOTDIR;
}

/* "DIR/NAME" into the list's buffer. 0 or -ENOMEM. */
static int
allot_scan_name(struct allot_scan_list *list, const char *dir, const char *name)
{
    size_t base = strlen(dir), len = strlen(name);
    size_t need = base + 1 + len + 1;

    if (need > list->path_cap) {
        char *path = realloc(list->path, 2 * need);

        if (!path)
            return -ENOMEM;
        list->path = path;
        list->path_cap = 2 * need;
    }
    memcpy(list->path, dir, base);
    if (base > 0)
        list->path[base++] = '/';
    memcpy(list->path + base, name, len + 1);
    return 0;
}

static int
allot_scan_file(struct allot_scan_list *list, struct allot_dir *dir,
                const char *name, const struct stat *st, int err)
{
    struct allot_scan *scan = list->scan;

    __atomic_fetch_add(&list->done->files, 1, __ATOMIC_RELAXED);
    return scan->ops->file(scan->arg, list->number, dir, name, list->path, st,
                           err);
}

/* A name that lstat() refused: readdir's type says what it is. */
static int
allot_scan_refused(struct allot_scan_list *list, unsigned char type,
                   struct allot_dir *dir, const char *name, int err)
{
    struct allot_scan *scan = list->scan;

    if (allot_scan_vanished(err))
        return 0;
    if (err == -ENOMEM)
        return err;
    if (type == DT_DIR)
        return scan->ops->incomplete(scan->arg, list->path, err);
    if (type == DT_REG || type == DT_UNKNOWN)
        return allot_scan_file(list, dir, name, NULL, err);
    return 0;
}

/* @child: what is known of it; NULL: it was listed. */
static int
allot_scan_entry(struct allot_scan_list *list, struct allot_dir *dir,
                 const char *path, const struct allot_entry *entry,
                 const struct allot_child *child)
{
    struct allot_scan *scan = list->scan;
    unsigned char type = entry->type;
    const char *name;
    struct stat st;
    int err;

    if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
        return 0;
    err = allot_scan_name(list, path, entry->name);
    if (err)
        return err;
    /* The copy in the path: the entry does not outlive another call. */
    name = list->path + (path[0] ? strlen(path) + 1 : 0);
    if (child && child->known) {
        __atomic_fetch_add(&list->done->files, 1, __ATOMIC_RELAXED);
        return scan->ops->known(scan->arg, list->number, list->path, child);
    }
    if (type == DT_REG)
        return allot_scan_file(list, dir, name, NULL, 0);
    if (type != DT_DIR && type != DT_UNKNOWN)
        return 0;

    err = scan->target->ops->stat(dir, name, &st);
    if (err)
        return allot_scan_refused(list, type, dir, name, err);
    if (st.st_dev != scan->dev)
        return 0;
    if (S_ISDIR(st.st_mode))
        return allot_scan_put(list, strdup(list->path));
    return S_ISREG(st.st_mode) ? allot_scan_file(list, dir, name, &st, 0) : 0;
}

/* Component by component: a path may be longer than one call can take. */
int
allot_scan_open(struct allot_target *target, char *path, struct allot_dir **dir)
{
    struct allot_dir *at = target->dir, *below;
    char *name = path, *slash;
    int err;

    for (;;) {
        slash = strchr(name, '/');
        if (slash)
            *slash = '\0';
        err = target->ops->dir_open(at, name, &below);
        if (slash)
            *slash = '/';
        if (at != target->dir)
            target->ops->dir_close(at);
        if (err)
            return err;
        at = below;
        if (!slash)
            break;
        name = slash + 1;
    }
    *dir = at;
    return 0;
}

/* All of a directory with one question, or one for each page. 1: it cannot be
 * asked like that, list it. */
static int
allot_scan_children(struct allot_scan_list *list, struct allot_dir *dir,
                    const char *path)
{
    struct allot_scan *scan = list->scan;
    struct allot_children children;
    struct allot_child child;
    struct allot_entry entry;
    int more, ret = 0;

    if (!scan->ops->known)
        return 1;
    allot_children_begin(&children, dir);
    while (ret == 0 && __atomic_load_n(&scan->result, __ATOMIC_RELAXED) == 0) {
        more = allot_children_next(&children, &child);
        if (more == 1) {
            entry.name = child.name;
            entry.type = child.type;
            ret = allot_scan_entry(list, dir, path, &entry, &child);
            continue;
        }
        if (more == -ENOMEM)
            ret = more;
        else if (more < 0 && children.pages == 0)
            ret = 1;
        else if (more < 0 && !(path[0] && allot_scan_vanished(more)))
            ret = scan->ops->incomplete(scan->arg, path, more);
        break;
    }
    allot_children_end(&children);
    return ret;
}

static int
allot_scan_directory(struct allot_scan_list *list, char *path)
{
    struct allot_scan *scan = list->scan;
    struct allot_target *target = scan->target;
    struct allot_dir *dir = target->dir;
    struct allot_entry entry;
    int more, listed, ret = 0;

    if (path[0]) {
        ret = allot_scan_open(target, path, &dir);
        if (ret)
            return allot_scan_vanished(ret) ? 0
                   : ret == -ENOMEM
                       ? ret
                       : scan->ops->incomplete(scan->arg, path, ret);
    }
    listed = allot_scan_children(list, dir, path);
    if (listed != 1)
        ret = listed;
    while (listed == 1 && ret == 0 &&
           __atomic_load_n(&scan->result, __ATOMIC_RELAXED) == 0) {
        more = target->ops->dir_next(dir, &entry);
        if (more == 1) {
            ret = allot_scan_entry(list, dir, path, &entry, NULL);
            continue;
        }
        if (more == -ENOMEM)
            ret = more;
        else if (more < 0 && !(path[0] && allot_scan_vanished(more)))
            ret = scan->ops->incomplete(scan->arg, path, more);
        break;
    }
    /* The target's own directory is closed with the target. */
    if (dir != target->dir)
        target->ops->dir_close(dir);
    return ret;
}

static void *
allot_scan_run(void *arg)
{
    struct allot_scan_list *list = arg;
    char *path;

    while ((path = allot_scan_next(list))) {
        list->done->directories++;
        allot_scan_finish(list->scan, allot_scan_directory(list, path));
        free(path);
    }
    allot_scan_gone(list->scan, 1);
    return NULL;
}

/* ---- all of it ---------------------------------------------------------- */

static double
allot_scan_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The caller's thread waits, and tells how far it is. */
static void
allot_scan_watch(struct allot_scan *scan, double begin)
{
    pthread_mutex_lock(&scan->lock);
    while (scan->open > 0 && scan->result == 0) {
        uint64_t files = 0, done = scan->finished, found = scan->found;
        struct timespec until;
        unsigned int i;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 500000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (pthread_cond_timedwait(&scan->over, &scan->lock, &until) == 0)
            continue;
        pthread_mutex_unlock(&scan->lock);
        for (i = 0; i < scan->workers; i++)
            files +=
                __atomic_load_n(&scan->lists[i].done->files, __ATOMIC_RELAXED);
        scan->ops->progress(scan->arg, files, done, found,
                            allot_scan_now() - begin);
        pthread_mutex_lock(&scan->lock);
    }
    pthread_mutex_unlock(&scan->lock);
}

static void
allot_scan_end(struct allot_scan *scan)
{
    unsigned int i;

    for (i = 0; scan->lists && i < scan->workers; i++) {
        struct allot_scan_list *list = &scan->lists[i];

        while (list->first < list->end)
            free(list->paths[list->first++]);
        free(list->paths);
        free(list->path);
        pthread_mutex_destroy(&list->lock);
    }
    free(scan->lists);
    pthread_mutex_destroy(&scan->lock);
    pthread_cond_destroy(&scan->wake);
    pthread_cond_destroy(&scan->over);
}

int
allot_scan(struct allot_target *target, const struct allot_scan_ops *ops,
           void *arg, const char *const *start, size_t count,
           unsigned int workers, struct allot_scan_worker *done)
{
    struct allot_scan scan = {
        .target = target, .ops = ops, .arg = arg, .workers = workers};
    double begin = allot_scan_now();
    unsigned int i, started = 0;
    struct stat st;
    size_t k;
    int ret;

    memset(done, 0, workers * sizeof(*done));
    pthread_mutex_init(&scan.lock, NULL);
    pthread_cond_init(&scan.wake, NULL);
    pthread_cond_init(&scan.over, NULL);
    scan.lists = calloc(workers, sizeof(*scan.lists));
    if (!scan.lists) {
        allot_scan_end(&scan);
        return -ENOMEM;
    }
    for (i = 0; i < workers; i++) {
        pthread_mutex_init(&scan.lists[i].lock, NULL);
        scan.lists[i].scan = &scan;
        scan.lists[i].number = i;
        scan.lists[i].done = &done[i];
    }
    ret = target->ops->stat(target->dir, NULL, &st);
    if (ret) {
        ret = ops->incomplete(arg, "", ret);
        allot_scan_end(&scan);
        return ret;
    }
    scan.dev = st.st_dev;
    ret = 0;
    for (k = 0; ret == 0 && k < count; k++)
        ret = allot_scan_put(&scan.lists[k % workers], strdup(start[k]));
    scan.running = workers;
    for (i = 0; ret == 0 && i < workers; i++) {
        if (pthread_create(&scan.lists[i].thread, NULL, allot_scan_run,
                           &scan.lists[i]))
            break;
        started++;
    }
    if (ret == 0 && started < workers)
        allot_scan_gone(&scan, workers - (started ? started : 1));
    if (ret == 0 && started == 0)
        allot_scan_run(&scan.lists[0]);
    if (started && ops->progress)
        allot_scan_watch(&scan, begin);
    for (i = 0; i < started; i++)
        pthread_join(scan.lists[i].thread, NULL);
    if (ret == 0)
        ret = scan.result;
    allot_scan_end(&scan);
    return ret;
}
