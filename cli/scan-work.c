/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* scan-work.c - see scan-work.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scan-work.h"

/* ---- the plan ------------------------------------------------------------ */

static uint64_t
allot_scan_get(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* Files of a directory that nobody has entered, as far as that can be told. */
static double
allot_scan_mean_locked(const struct allot_scan *scan)
{
    uint64_t files = 0;
    unsigned int i;

    for (i = 0; i < scan->workers; i++)
        files += allot_scan_get(&scan->lists[i].known);
    return scan->entered ? (double)files / (double)scan->entered : 1;
}

/* Smax_i: what was dealt to the worker. */
static double
allot_scan_dealt_locked(const struct allot_scan_list *list, double mean)
{
    return (double)allot_scan_get(&list->known) +
           (double)list->done->planned_directories + (double)list->dealt * mean;
}

/* Who was dealt the least; of equals the finder, who need not be woken. */
static struct allot_scan_list *
allot_scan_deal_locked(struct allot_scan *scan, struct allot_scan_list *finder)
{
    double mean = allot_scan_mean_locked(scan);
    struct allot_scan_list *least = finder;
    double load = allot_scan_dealt_locked(finder, mean);
    unsigned int i;

    for (i = 0; i < scan->workers; i++) {
        double other = allot_scan_dealt_locked(&scan->lists[i], mean);

        if (other < load) {
            least = &scan->lists[i];
            load = other;
        }
    }
    return least;
}

/* A directory is entered, @files of it are known so far. */
void
allot_scan_enter(struct allot_scan_list *list, uint64_t files)
{
    struct allot_scan *scan = list->scan;

    pthread_mutex_lock(&scan->lock);
    allot_scan_add(&list->owner->known, files);
    list->owner->dealt--;
    scan->entered++;
    pthread_mutex_unlock(&scan->lock);
}

void
allot_scan_how_far_locked(const struct allot_scan *scan,
                          struct allot_scan_progress *progress)
{
    double mean = allot_scan_mean_locked(scan);
    unsigned int i;

    memset(progress, 0, sizeof(*progress));
    for (i = 0; i < scan->workers; i++) {
        const struct allot_scan_list *list = &scan->lists[i];

        progress->files += allot_scan_get(&list->done->files);
        progress->done += (double)(allot_scan_get(&list->looked) +
                                   allot_scan_get(&list->done->directories));
        progress->known += allot_scan_dealt_locked(list, mean);
    }
    /* Counters are read one after the other while they grow. */
    if (progress->known < progress->done)
        progress->known = progress->done;
}

/* ---- the lists ---------------------------------------------------------- */

/* Work has come into the list of @list: it is woken, or else anybody. */
static void
allot_scan_wake_locked(struct allot_scan *scan, struct allot_scan_list *list)
{
    unsigned int i;

    for (i = 0; !list->idle && i < scan->workers; i++)
        if (scan->lists[i].idle)
            list = &scan->lists[i];
    if (!list->idle)
        return;
    list->idle = 0;
    pthread_cond_signal(&list->wake);
}

static void
allot_scan_wake_all_locked(struct allot_scan *scan)
{
    unsigned int i;

    for (i = 0; i < scan->workers; i++) {
        scan->lists[i].idle = 0;
        pthread_cond_signal(&scan->lists[i].wake);
    }
    pthread_cond_broadcast(&scan->resume);
}

/* Room for one more. The list's lock is held. 0 or -ENOMEM. */
static int
allot_scan_room(struct allot_scan_list *list)
{
    struct allot_scan_item *items;
    size_t cap = list->cap ? 2 * list->cap : 64;

    if (list->first > 0 && list->end == list->cap) {
        memmove(list->items, list->items + list->first,
                (list->end - list->first) * sizeof(*list->items));
        list->end -= list->first;
        list->first = 0;
    }
    if (list->end < list->cap)
        return 0;
    items = realloc(list->items, cap * sizeof(*items));
    if (!items)
        return -ENOMEM;
    list->items = items;
    list->cap = cap;
    return 0;
}

/* A directory that @finder has found. @path is taken over. 0 or -ENOMEM. */
int
allot_scan_put(struct allot_scan_list *finder, char *path)
{
    struct allot_scan *scan = finder->scan;
    struct allot_scan_item item = {.path = path};
    struct allot_scan_list *list;
    int ret;

    if (!path)
        return -ENOMEM;
    pthread_mutex_lock(&scan->lock);
    list = allot_scan_deal_locked(scan, finder);
    list->dealt++;
    list->done->planned_directories++;
    pthread_mutex_unlock(&scan->lock);

    item.owner = list->number;
    pthread_mutex_lock(&list->lock);
    ret = allot_scan_room(list);
    /* Counted before it can be taken. */
    pthread_mutex_lock(&scan->lock);
    if (ret == 0) {
        list->items[list->end++] = item;
        scan->open++;
        scan->waiting++;
        allot_scan_wake_locked(scan, list);
    }
    pthread_mutex_unlock(&scan->lock);
    pthread_mutex_unlock(&list->lock);
    if (ret)
        free(path);
    return ret;
}

/* The next page of what the worker is in, for itself or for whoever has nothing
 * to do. */
void
allot_scan_put_rest(struct allot_scan_list *list,
                    const struct allot_scan_item *rest)
{
    struct allot_scan *scan = list->scan;

    pthread_mutex_lock(&list->lock);
    pthread_mutex_lock(&scan->lock);
    list->rest = *rest;
    scan->open++;
    scan->waiting++;
    allot_scan_wake_locked(scan, list);
    pthread_mutex_unlock(&scan->lock);
    pthread_mutex_unlock(&list->lock);
}

/* 1: @item is set. @own: the worker's own list; the rest of what it is in comes
 * first then, so that no more directories are open than there are workers. */
static int
allot_scan_take(struct allot_scan_list *list, int own,
                struct allot_scan_item *item)
{
    struct allot_scan *scan = list->scan;
    int found = 1;

    pthread_mutex_lock(&list->lock);
    if (list->rest.path && (own || list->first == list->end)) {
        *item = list->rest;
        memset(&list->rest, 0, sizeof(list->rest));
    } else if (list->first < list->end) {
        *item = own ? list->items[--list->end] : list->items[list->first++];
        if (list->first == list->end)
            list->first = list->end = 0;
    } else {
        found = 0;
    }
    if (found) {
        pthread_mutex_lock(&scan->lock);
        scan->waiting--;
        pthread_mutex_unlock(&scan->lock);
    }
    pthread_mutex_unlock(&list->lock);
    return found;
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
            paths[at++] = scan->lists[i].items[k].path;
    ret = paths ? scan->ops->checkpoint(scan->arg, paths, n) : -ENOMEM;
    free(paths);
    if (ret == 0 && scan->pausing == 2)
        ret = ALLOT_SCAN_STOPPED;
    if (ret && !scan->result)
        scan->result = ret;
    scan->pausing = 0;
    scan->pauses++;
    allot_scan_wake_all_locked(scan);
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
        pthread_cond_wait(&scan->resume, &scan->lock);
    scan->standing--;
}

/* @n workers less: nobody waits for them to stand still. */
void
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
        allot_scan_wake_all_locked(scan);
    }
    if (scan->pausing && scan->result == 0)
        allot_scan_stand_locked(scan);
    pthread_mutex_unlock(&scan->lock);
}

/* The next piece of work for a worker. 0: all is done. */
int
allot_scan_next(struct allot_scan_list *own, struct allot_scan_item *item)
{
    struct allot_scan *scan = own->scan;
    unsigned int i;
    int over;

    for (;;) {
        /* A directory is either looked at to its end before a pause, or not
         * begun: nobody else knows what its cursor means. */
        if (!own->rest.path)
            allot_scan_pause(scan);
        if (allot_scan_take(own, 1, item))
            return 1;
        for (i = 1; i < scan->workers; i++) {
            unsigned int at = (own->number + i) % scan->workers;

            if (allot_scan_take(&scan->lists[at], 0, item)) {
                own->done->stolen++;
                return 1;
            }
        }
        pthread_mutex_lock(&scan->lock);
        while (scan->waiting == 0 && scan->open > 0 && scan->result == 0 &&
               !scan->pausing) {
            own->idle = 1;
            pthread_cond_wait(&own->wake, &scan->lock);
        }
        own->idle = 0;
        over = scan->open == 0 || scan->result != 0;
        pthread_mutex_unlock(&scan->lock);
        if (over)
            return 0;
    }
}

/* One piece less; with an error the scan is over for all. */
void
allot_scan_finish(struct allot_scan *scan, int result)
{
    pthread_mutex_lock(&scan->lock);
    scan->open--;
    if (result && !scan->result)
        scan->result = result;
    if (scan->open == 0 || scan->result) {
        allot_scan_wake_all_locked(scan);
        pthread_cond_broadcast(&scan->over);
    }
    pthread_mutex_unlock(&scan->lock);
}

void
allot_scan_dir_unref(struct allot_scan_dir *dir)
{
    if (!dir || __atomic_sub_fetch(&dir->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (!dir->borrowed)
        dir->dir->target->ops->dir_close(dir->dir);
    free(dir);
}

void
allot_scan_item_free(struct allot_scan_item *item)
{
    allot_scan_dir_unref(item->dir);
    free(item->cursor);
    free(item->path);
}
