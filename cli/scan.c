/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* scan.c - see scan.h: what is done with a piece of work. Which one, and by
 * whom, is scan-work.c's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scan-work.h"

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

static void
allot_scan_count_file(struct allot_scan_list *list)
{
    allot_scan_add(&list->done->files, 1);
    allot_scan_add(&list->owner->done->planned_files, 1);
}

static int
allot_scan_file(struct allot_scan_list *list, struct allot_dir *dir,
                const char *name, const struct stat *st, int err)
{
    struct allot_scan *scan = list->scan;

    allot_scan_count_file(list);
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
        allot_scan_count_file(list);
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

/* Whatever goes on behind this page. 0 or -ENOMEM. */
static int
allot_scan_rest(struct allot_scan_list *list,
                const struct allot_scan_item *item, struct allot_scan_dir *dir,
                const char *cursor)
{
    struct allot_scan_item rest = {.path = strdup(item->path),
                                   .owner = item->owner,
                                   .cursor = strdup(cursor),
                                   .dir = dir};

    if (!rest.path || !rest.cursor) {
        free(rest.path);
        free(rest.cursor);
        return -ENOMEM;
    }
    __atomic_add_fetch(&dir->refs, 1, __ATOMIC_RELAXED);
    allot_scan_put_rest(list, &rest);
    return 0;
}

/* A page of a directory with one question. 1: it cannot be asked like that,
 * list it. */
static int
allot_scan_page(struct allot_scan_list *list,
                const struct allot_scan_item *item, struct allot_scan_dir *dir)
{
    struct allot_scan *scan = list->scan;
    struct allot_children children;
    struct allot_child child;
    struct allot_entry entry;
    int more, ret = 0;

    if (!scan->ops->known)
        return 1;
    more = allot_children_ask(&children, dir->dir, item->cursor);
    if (more < 0 && more != -ENOMEM && !item->cursor)
        return 1;
    if (!item->cursor)
        allot_scan_enter(list, allot_children_files(&children));
    else
        allot_scan_add(&list->owner->known, allot_children_files(&children));
    if (more == 0 && allot_children_more(&children))
        ret = allot_scan_rest(list, item, dir, allot_children_more(&children));
    while (more >= 0 && ret == 0 &&
           __atomic_load_n(&scan->result, __ATOMIC_RELAXED) == 0) {
        more = allot_children_next(&children, &child);
        if (more != 1)
            break;
        entry.name = child.name;
        entry.type = child.type;
        ret = allot_scan_entry(list, dir->dir, item->path, &entry, &child);
        allot_scan_add(&list->looked, child.type != DT_DIR);
    }
    allot_children_end(&children);
    if (ret == 0 && more == -ENOMEM)
        ret = more;
    else if (ret == 0 && more < 0 &&
             !(item->path[0] && allot_scan_vanished(more)))
        ret = scan->ops->incomplete(scan->arg, item->path, more);
    return ret;
}

/* All of a directory, name by name. */
static int
allot_scan_listing(struct allot_scan_list *list,
                   const struct allot_scan_item *item, struct allot_dir *dir)
{
    struct allot_scan *scan = list->scan;
    struct allot_entry entry;
    int more, ret = 0;

    allot_scan_enter(list, 0);
    while (ret == 0 && __atomic_load_n(&scan->result, __ATOMIC_RELAXED) == 0) {
        more = scan->target->ops->dir_next(dir, &entry);
        if (more == 1) {
            allot_scan_add(&list->owner->known, entry.type != DT_DIR);
            allot_scan_add(&list->looked, entry.type != DT_DIR);
            ret = allot_scan_entry(list, dir, item->path, &entry, NULL);
            continue;
        }
        if (more == -ENOMEM)
            ret = more;
        else if (more < 0 && !(item->path[0] && allot_scan_vanished(more)))
            ret = scan->ops->incomplete(scan->arg, item->path, more);
        break;
    }
    return ret;
}

/* @item->dir becomes the directory. 0; 1: there is nothing (any more). */
static int
allot_scan_open_item(struct allot_scan_list *list, struct allot_scan_item *item)
{
    struct allot_scan *scan = list->scan;
    struct allot_scan_dir *dir;
    int ret = 0;

    if (item->dir)
        return 0;
    dir = calloc(1, sizeof(*dir));
    if (!dir)
        return -ENOMEM;
    dir->refs = 1;
    dir->dir = scan->target->dir;
    /* The target's own directory is closed with the target. */
    dir->borrowed = item->path[0] == '\0';
    if (!dir->borrowed)
        ret = allot_scan_open(scan->target, item->path, &dir->dir);
    if (ret == 0) {
        item->dir = dir;
        return 0;
    }
    free(dir);
    allot_scan_enter(list, 0);
    if (ret == -ENOMEM)
        return ret;
    if (!allot_scan_vanished(ret))
        ret = scan->ops->incomplete(scan->arg, item->path, ret);
    else
        ret = 0;
    return ret ? ret : 1;
}

static int
allot_scan_directory(struct allot_scan_list *list, struct allot_scan_item *item)
{
    int ret = allot_scan_open_item(list, item);

    if (ret)
        return ret == 1 ? 0 : ret;
    ret = allot_scan_page(list, item, item->dir);
    return ret == 1 ? allot_scan_listing(list, item, item->dir->dir) : ret;
}

static void *
allot_scan_run(void *arg)
{
    struct allot_scan_list *list = arg;
    struct allot_scan_item item;
    int ret;

    while (allot_scan_next(list, &item)) {
        list->owner = &list->scan->lists[item.owner];
        if (!item.cursor)
            allot_scan_add(&list->done->directories, 1);
        ret = allot_scan_directory(list, &item);
        allot_scan_item_free(&item);
        allot_scan_finish(list->scan, ret);
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
    struct allot_scan_progress progress;

    pthread_mutex_lock(&scan->lock);
    while (scan->open > 0 && scan->result == 0) {
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 250000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (pthread_cond_timedwait(&scan->over, &scan->lock, &until) == 0)
            continue;
        allot_scan_how_far_locked(scan, &progress);
        progress.seconds = allot_scan_now() - begin;
        pthread_mutex_unlock(&scan->lock);
        scan->ops->progress(scan->arg, &progress);
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
            allot_scan_item_free(&list->items[list->first++]);
        allot_scan_item_free(&list->rest);
        free(list->items);
        free(list->path);
        pthread_mutex_destroy(&list->lock);
        pthread_cond_destroy(&list->wake);
    }
    free(scan->lists);
    pthread_mutex_destroy(&scan->lock);
    pthread_cond_destroy(&scan->resume);
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
    pthread_cond_init(&scan.resume, NULL);
    pthread_cond_init(&scan.over, NULL);
    scan.lists = calloc(workers, sizeof(*scan.lists));
    if (!scan.lists) {
        allot_scan_end(&scan);
        return -ENOMEM;
    }
    for (i = 0; i < workers; i++) {
        pthread_mutex_init(&scan.lists[i].lock, NULL);
        pthread_cond_init(&scan.lists[i].wake, NULL);
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
        ret = allot_scan_put(&scan.lists[0], strdup(start[k]));
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
