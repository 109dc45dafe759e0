/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-probe.c - a client that says to a brick exactly what a test tells it
 * to: calls with allot's keys in xdata, or without, right or wrong.
 *
 *     guard-probe VOLFILE LOG < COMMANDS
 *
 * A command is a line; its answer is a line "COMMAND: RESULT", the result being
 * 0 or the name of an errno, then what the call gave. Words before a command:
 *     async write ...   is sent and not waited for; "async write TAG: RESULT"
 *                       appears when the answer comes, before later answers
 *     thread COMMAND    is made in a thread of its own
 *     retry COMMAND     is made again until it fails, a thousand times at most
 * "wait" waits for the answers of all that is under way.
 *
 * The word after a command is a name in the root, "/" for the root, ".allot",
 * ".allot/XX" or ".allot/XX/NAME". Then settings: gen=N, client and pid=N are
 * what the call carries; the others are the command's own. The commands are in
 * the table at the end.
 *
 * Deliberately not here: cluster/allot; starting a client (guard-client.c).
 * Nothing is retried or interpreted.
 */
#include "allot-compat.h"
#include <glusterfs/call-stub.h>
#include <glusterfs/syncop.h>
#include <pthread.h>
#include <semaphore.h>
#include "allot-codec.h"
#include "guard-client.h"
#include "guard-probe.h"
#include "guard-words.h"

#define FILES_MAX 256

struct file {
    char name[64];
    inode_t *inode; /* linked, referenced */
    fd_t *fd;       /* open, referenced; NULL */
};

xlator_t *brick;
static struct file files[FILES_MAX];
static sem_t answered; /* posted by each answer of an async or thread call */
static int pending;    /* of those, the ones not waited for */

/* One command, parsed, and its answer. */
__thread dict_t *xdata;
static __thread char out[8192];
static __thread int result;

void
say(const char *format, ...)
{
    size_t len = strlen(out);
    va_list args;

    va_start(args, format);
    vsnprintf(out + len, sizeof(out) - len, format, args);
    va_end(args);
}

/* Write the beginning of the answer; 1 if the call worked. */
int
answer(int ret)
{
    for (int i = 0; i < words; i++)
        say("%s%s", i ? " " : "", word[i]);
    say(": %s", ret < 0 ? strerrorname_np(-ret) : "0");
    result = ret;
    return ret >= 0;
}

void
put_u64(dict_t *dict, char *key, uint64_t value)
{
    if (dict_set_uint64(dict, key, value) != 0)
        guard_client_fail("no memory");
}

static struct file *
file_find(const char *name, int make)
{
    for (int i = 0; i < FILES_MAX; i++) {
        if (strcmp(files[i].name, name) == 0)
            return &files[i];
        if (!files[i].name[0]) {
            if (make)
                snprintf(files[i].name, sizeof(files[i].name), "%s", name);
            return make ? &files[i] : NULL;
        }
    }
    guard_client_fail("too many files");
    return NULL;
}

/* ".allot" and ".allot/XX" are known by gfid. */
static int
hidden_dir(const char *name, uuid_t gfid)
{
    if (strcmp(name, ALLOT_DIR_NAME) == 0)
        allot_dir_gfid(-1, gfid);
    else if (strncmp(name, ".allot/", 7) == 0 && strlen(name) == 9)
        allot_dir_gfid(strtol(name + 7, NULL, 16), gfid);
    else
        return 0;
    return 1;
}

/* A loc for word[1]: the inode if it is known, and {parent, name}. */
void
loc_make(loc_t *loc)
{
    const char *name = word[1] ? word[1] : "/";
    const char *slash = strrchr(name, '/');
    struct file *file = file_find(name, 0);
    char path[128];

    memset(loc, 0, sizeof(*loc));
    if (strcmp(name, "/") == 0) {
        loc->path = gf_strdup("/");
        loc->inode = inode_ref(brick->itable->root);
        gf_uuid_copy(loc->gfid, loc->inode->gfid);
        return;
    }
    snprintf(path, sizeof(path), "/%s", name);
    loc->path = gf_strdup(path);
    loc->name = strrchr(loc->path, '/') + 1;
    if (slash) {
        snprintf(path, sizeof(path), "%.*s", (int)(slash - name), name);
        hidden_dir(path, loc->pargfid);
        file = file_find(path, 0);
        loc->parent = file && file->inode ? inode_ref(file->inode)
                                          : inode_new(brick->itable);
        file = file_find(name, 0);
    } else {
        gf_uuid_copy(loc->pargfid, brick->itable->root->gfid);
        loc->parent = inode_ref(brick->itable->root);
    }
    loc->inode =
        file && file->inode ? inode_ref(file->inode) : inode_new(brick->itable);
    if (file && file->inode)
        gf_uuid_copy(loc->gfid, file->inode->gfid);
}

fd_t *
open_fd(void)
{
    struct file *file = word[1] ? file_find(word[1], 0) : NULL;

    if (!file || !file->fd)
        guard_client_fail("the file is not open");
    return file->fd;
}

void
keep(loc_t *loc, struct iatt *iatt, fd_t *fd)
{
    struct file *file = file_find(word[1], 1);

    if (!file->inode) /* without its name: the parent may not be known */
        file->inode = inode_link(loc->inode, NULL, NULL, iatt);
    if (fd && !file->fd)
        file->fd = fd_ref(fd);
}

/* ---- commands ---------------------------------------------------------------
 */

static void
do_handshake(void)
{
    struct allot_handshake hs;
    dict_t *dict = NULL;
    data_t *data = NULL;
    loc_t loc;
    int ret = 0;

    loc_make(&loc);
    ret = syncop_getxattr(brick, &loc, &dict, ALLOT_KEY_HANDSHAKE, xdata, NULL);
    if (answer(ret)) {
        data = dict_get(dict, ALLOT_KEY_HANDSHAKE);
        ret =
            data ? allot_handshake_decode((uint8_t *)data->data, data->len, &hs)
                 : -ENODATA;
        if (ret == 0)
            say(" protocol=%d identity=%d registry=%d", hs.protocol, hs.has_id,
                hs.has_registry);
        else
            say(" undecodable");
        dict_unref(dict);
    }
    loc_wipe(&loc);
}

static void
do_register(void)
{
    struct allot_brick_id id = {.brick_uuid = {1}, .volume_uuid = {2}};
    uint8_t buf[64];
    int64_t len = allot_brick_id_encode(&id, buf, sizeof(buf));
    dict_t *dict = NULL;
    loc_t loc;

    loc_make(&loc);
    if (flag("damaged"))
        buf[9] ^= 1;
    dict = one_value(ALLOT_XATTR_BRICK, buf, len);
    answer(syncop_setxattr(brick, &loc, dict, 0, xdata, NULL));
    dict_unref(dict);
    loc_wipe(&loc);
}

static void
do_lookup(void)
{
    struct iatt iatt = {
        0,
    };
    dict_t *reply = NULL;
    loc_t loc;
    const char *req = setting("ask");

    loc_make(&loc);
    if (flag("nameless")) {
        if (hidden_dir(word[1], loc.gfid) || loc.gfid[0]) {
            GF_FREE((char *)loc.path);
            loc.path = loc.name = NULL;
            if (loc.parent)
                inode_unref(loc.parent);
            loc.parent = NULL;
            gf_uuid_clear(loc.pargfid);
        }
    }
    if (req)
        put_u64(xdata, (char *)req, 0);
    if (answer(syncop_lookup(brick, &loc, &iatt, NULL, xdata, &reply))) {
        if (strcmp(word[1], "/") != 0)
            keep(&loc, &iatt, NULL);
        say(" size=%" PRIu64 "%s%s%s", iatt.ia_size,
            reply && dict_get(reply, ALLOT_XATTR_RECORD) ? " record" : "",
            reply && dict_get(reply, ALLOT_XATTR_PORTION) ? " portion" : "",
            reply && dict_get(reply, ALLOT_XATTR_BRICK) ? " brick" : "");
    }
    if (reply)
        dict_unref(reply);
    loc_wipe(&loc);
}

static void
do_create(void)
{
    struct iatt iatt = {
        0,
    };
    int flags = O_RDWR | O_CREAT | (flag("excl") ? O_EXCL : 0) |
                (flag("trunc") ? O_TRUNC : 0);
    dict_t *attr = NULL;
    uuid_t base = {
        0,
    };
    uuid_t gfid;
    loc_t loc;
    fd_t *fd = NULL;
    int ret = 0;

    loc_make(&loc);
    gf_uuid_generate(gfid);
    if (setting("portion")) {
        portion_base(base);
        allot_portion_gfid(base, PORTION_NONCE, gfid);
    }
    ret = dict_set_gfuuid(xdata, "gfid-req", gfid, true);
    if (setting("portion")) {
        attr = portion(number("portion", 1));
        dict_copy(attr, xdata);
        dict_unref(attr);
    }
    fd = fd_create(loc.inode, 0);
    fd->flags = flags;
    if (ret == 0)
        ret = syncop_create(brick, &loc, flags, 0600, fd, &iatt, xdata, NULL);
    if (answer(ret))
        keep(&loc, &iatt, fd);
    fd_unref(fd);
    loc_wipe(&loc);
}

static void
do_mkdir(void)
{
    struct iatt iatt = {
        0,
    };
    uuid_t gfid = {
        0,
    };
    loc_t loc;
    int ret = 0;

    loc_make(&loc);
    if (!hidden_dir(word[1], gfid))
        gf_uuid_generate(gfid);
    ret = dict_set_gfuuid(xdata, "gfid-req", gfid, true);
    if (ret == 0)
        ret = syncop_mkdir(brick, &loc, 0700, &iatt, xdata, NULL);
    if (answer(ret))
        keep(&loc, &iatt, NULL);
    loc_wipe(&loc);
}

static void
do_open(void)
{
    int flags = O_RDWR | (flag("trunc") ? O_TRUNC : 0);
    loc_t loc;
    fd_t *fd = NULL;

    loc_make(&loc);
    fd = fd_create(loc.inode, 0);
    fd->flags = flags;
    if (answer(syncop_open(brick, &loc, flags, fd, xdata, NULL)))
        keep(&loc, NULL, fd);
    fd_unref(fd);
    loc_wipe(&loc);
}

static int32_t
write_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
          int32_t op_errno, struct iatt *pre, struct iatt *post, dict_t *rsp)
{
    printf("async write %s: %s\n", (char *)cookie,
           op_ret < 0 ? strerrorname_np(op_errno) : "0");
    free(cookie);
    STACK_DESTROY(frame->root);
    sem_post(&answered);
    return 0;
}

/* write FILE at=N len=N [fill=BYTE] [tag=T]: with a tag it is only sent */
static void
do_write(void)
{
    uint64_t len = number("len", 1);
    struct iobuf *iobuf = iobuf_get2(brick->ctx->iobuf_pool, len);
    struct iobref *iobref = iobref_new();
    struct iovec vec;
    call_frame_t *frame = NULL;

    if (!iobuf || !iobref || iobref_add(iobref, iobuf) != 0)
        guard_client_fail("no memory");
    vec.iov_base = iobuf_ptr(iobuf);
    vec.iov_len = len;
    memset(vec.iov_base, (int)number("fill", 'x'), len);
    if (setting("tag")) {
        frame = create_frame(brick, brick->ctx->pool);
        STACK_WIND_COOKIE(frame, write_cbk, strdup(setting("tag")), brick,
                          brick->fops->writev, open_fd(), &vec, 1,
                          number("at", 0), 0, iobref, xdata);
    } else {
        answer(syncop_writev(brick, open_fd(), &vec, 1, number("at", 0), iobref,
                             0, NULL, NULL, xdata, NULL));
    }
    iobuf_unref(iobuf);
    iobref_unref(iobref);
}

static void
do_read(void)
{
    struct iovec *vec = NULL;
    struct iobref *iobref = NULL;
    int count = 0;
    int ret = syncop_readv(brick, open_fd(), number("len", 1), number("at", 0),
                           0, &vec, &count, &iobref, NULL, xdata, NULL);

    if (answer(ret))
        say(" got=%d", ret);
    GF_FREE(vec);
    if (iobref)
        iobref_unref(iobref);
}

static void
do_truncate(void)
{
    loc_t loc;

    loc_make(&loc);
    answer(syncop_truncate(brick, &loc, number("to", 0), xdata, NULL));
    loc_wipe(&loc);
}

static void
do_ftruncate(void)
{
    answer(syncop_ftruncate(brick, open_fd(), number("to", 0), NULL, NULL,
                            xdata, NULL));
}

static void
do_fsync(void)
{
    answer(syncop_fsync(brick, open_fd(), 0, NULL, NULL, xdata, NULL));
}

static void
do_fallocate(void)
{
    answer(syncop_fallocate(brick, open_fd(), 0, 0, 4096, xdata, NULL));
}

static void
do_discard(void)
{
    answer(syncop_discard(brick, open_fd(), 0, 4096, xdata, NULL));
}

static void
do_zerofill(void)
{
    answer(syncop_zerofill(brick, open_fd(), 0, 4096, xdata, NULL));
}

static void
do_seek(void)
{
    off_t out = 0;

    answer(syncop_seek(brick, open_fd(), 0, GF_SEEK_DATA, xdata, &out));
}

static void
do_fstat(void)
{
    struct iatt iatt = {
        0,
    };

    if (answer(syncop_fstat(brick, open_fd(), &iatt, xdata, NULL)))
        say(" size=%" PRIu64 " mtime=%" PRId64, iatt.ia_size, iatt.ia_mtime);
}

static void
do_statfs(void)
{
    struct statvfs buf;
    loc_t loc;

    loc_make(&loc);
    answer(syncop_statfs(brick, &loc, &buf, xdata, NULL));
    loc_wipe(&loc);
}

static void
do_stat(void)
{
    struct iatt iatt = {
        0,
    };
    loc_t loc;

    loc_make(&loc);
    answer(syncop_stat(brick, &loc, &iatt, xdata, NULL));
    loc_wipe(&loc);
}

void
set_xattr(dict_t *dict)
{
    loc_t loc;

    if (flag("byfd")) {
        answer(syncop_fsetxattr(brick, open_fd(), dict, 0, xdata, NULL));
    } else {
        loc_make(&loc);
        answer(syncop_setxattr(brick, &loc, dict, 0, xdata, NULL));
        loc_wipe(&loc);
    }
    dict_unref(dict);
}

/* setxattr FILE KEY VALUE */
static void
do_setxattr(void)
{
    set_xattr(one_value(word[2], word[3], strlen(word[3])));
}

static void
do_removexattr(void)
{
    loc_t loc;

    loc_make(&loc);
    answer(syncop_removexattr(brick, &loc, word[2], xdata, NULL));
    loc_wipe(&loc);
}

static int
show_ours(dict_t *dict, char *key, data_t *value, void *data)
{
    say(" %s", key);
    return 0;
}

/* getxattr FILE KEY|all: shows our keys in the answer */
static void
do_getxattr(void)
{
    dict_t *dict = NULL;
    loc_t loc;
    int all = strcmp(word[2], "all") == 0;

    loc_make(&loc);
    if (answer(syncop_getxattr(brick, &loc, &dict, all ? NULL : word[2], xdata,
                               NULL)))
        dict_foreach_fnmatch(dict, "trusted.allot.*", show_ours, NULL);
    if (dict)
        dict_unref(dict);
    loc_wipe(&loc);
}

static void
do_xattrop(void)
{
    dict_t *dict = one_value(word[2], "\0\0\0\1", 4);
    loc_t loc;

    loc_make(&loc);
    answer(syncop_xattrop(brick, &loc, GF_XATTROP_ADD_ARRAY, dict, xdata, NULL,
                          NULL));
    dict_unref(dict);
    loc_wipe(&loc);
}

/* Takes the whole file, or asks who has it (getlk). */
static void
do_lock(void)
{
    struct gf_flock lock = {.l_type = F_WRLCK};
    loc_t loc;

    loc_make(&loc);
    if (flag("getlk"))
        answer(syncop_lk(brick, open_fd(), F_GETLK, &lock, xdata, NULL));
    else
        answer(
            syncop_inodelk(brick, "test", &loc, F_SETLK, &lock, xdata, NULL));
    loc_wipe(&loc);
}

/* What a listing with attributes shows is known without a lookup. */
static void
keep_entry(gf_dirent_t *entry)
{
    struct file *file = NULL;
    char name[128];

    if (strcmp(word[1], "/") == 0)
        snprintf(name, sizeof(name), "%s", entry->d_name);
    else
        snprintf(name, sizeof(name), "%s/%s", word[1], entry->d_name);
    file = file_find(name, 1);
    if (!file->inode)
        file->inode = inode_link(entry->inode, NULL, NULL, &entry->d_stat);
}

/* ls DIR [size=N] [plus]: the names, in pieces of N bytes, without dots */
static void
do_ls(void)
{
    gf_dirent_t entries;
    gf_dirent_t *entry = NULL;
    loc_t loc;
    fd_t *fd = NULL;
    off_t offset = 0;
    int ret = 0;
    char names[4096] = "";

    loc_make(&loc);
    fd = fd_create(loc.inode, 0);
    ret = syncop_opendir(brick, &loc, fd, xdata, NULL);
    if (ret == 0) {
        fd_bind(fd);
        do {
            INIT_LIST_HEAD(&entries.list);
            ret = flag("plus")
                      ? syncop_readdirp(brick, fd, number("size", 4096), offset,
                                        &entries, xdata, NULL)
                      : syncop_readdir(brick, fd, number("size", 4096), offset,
                                       &entries, xdata, NULL);
            list_for_each_entry(entry, &entries.list, list)
            {
                offset = entry->d_off;
                if (strcmp(entry->d_name, ".") == 0 ||
                    strcmp(entry->d_name, "..") == 0 ||
                    strcmp(entry->d_name, ".glusterfs") == 0)
                    continue;
                strcat(names, " ");
                strcat(names, entry->d_name);
                if (entry->inode)
                    keep_entry(entry);
            }
            gf_dirent_free(&entries);
        } while (ret > 0);
    }
    if (answer(ret))
        say("%s", names);
    fd_unref(fd);
    loc_wipe(&loc);
}

static void
do_unlink(void)
{
    loc_t loc;

    loc_make(&loc);
    answer(syncop_unlink(brick, &loc, xdata, NULL));
    loc_wipe(&loc);
}

/* rename FILE NEWNAME */
static void
do_rename(void)
{
    char *old = word[1];
    loc_t loc, newloc;

    loc_make(&loc);
    word[1] = word[2];
    loc_make(&newloc);
    word[1] = old;
    answer(syncop_rename(brick, &loc, &newloc, xdata, NULL));
    loc_wipe(&loc);
    loc_wipe(&newloc);
}

static void
do_link(void)
{
    char *old = word[1];
    loc_t loc, newloc;

    loc_make(&loc);
    word[1] = word[2];
    loc_make(&newloc);
    word[1] = old;
    inode_unref(newloc.inode);
    newloc.inode = inode_ref(loc.inode);
    answer(syncop_link(brick, &loc, &newloc, NULL, xdata, NULL));
    loc_wipe(&loc);
    loc_wipe(&newloc);
}

/* Wait for the answers of all async calls. */
static void
do_wait(void)
{
    for (; pending; pending--)
        sem_wait(&answered);
}

static const struct {
    const char *name;
    void (*run)(void);
} commands[] = {
    {"handshake", do_handshake},
    {"register", do_register},
    {"lookup", do_lookup},
    {"create", do_create},
    {"mkdir", do_mkdir},
    {"open", do_open},
    {"write", do_write},
    {"read", do_read},
    {"truncate", do_truncate},
    {"ftruncate", do_ftruncate},
    {"fsync", do_fsync},
    {"fallocate", do_fallocate},
    {"discard", do_discard},
    {"zerofill", do_zerofill},
    {"seek", do_seek},
    {"stat", do_stat},
    {"statfs", do_statfs},
    {"fstat", do_fstat},
    {"publish", do_publish},
    {"fence", do_fence},
    {"raise", do_raise},
    {"republish", do_republish},
    {"setxattr", do_setxattr},
    {"getxattr", do_getxattr},
    {"removexattr", do_removexattr},
    {"xattrop", do_xattrop},
    {"lock", do_lock},
    {"ls", do_ls},
    {"unlink", do_unlink},
    {"rename", do_rename},
    {"link", do_link},
};

/* Make the call that is in word[]. */
static void
call(void)
{
    pid_t pid = number("pid", 0);

    out[0] = 0;
    xdata = dict_new();
    if (setting("gen"))
        put_u64(xdata, ALLOT_KEY_GEN, number("gen", 0));
    if (flag("client") &&
        dict_set_uint32(xdata, ALLOT_KEY_CLIENT, ALLOT_PROTOCOL) != 0)
        guard_client_fail("no memory");
    syncopctx_setfspid(&pid);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(word[0], commands[i].name) == 0) {
            commands[i].run();
            dict_unref(xdata);
            return;
        }
    }
    guard_client_fail("unknown command");
}

static void *
run_thread(void *line)
{
    THIS = brick;
    parse(line);
    call();
    puts(out);
    free(line);
    sem_post(&answered);
    return NULL;
}

static void
run(char *line)
{
    pthread_t thread;
    int tries = 1;

    if (strncmp(line, "thread ", 7) == 0) {
        pending++;
        if (pthread_create(&thread, NULL, run_thread, strdup(line + 7)) != 0)
            guard_client_fail("no thread");
        pthread_detach(thread);
        return;
    }
    if (strncmp(line, "async ", 6) == 0) {
        pending++;
        line += 6;
    }
    if (strncmp(line, "retry ", 6) == 0) {
        tries = 1000;
        line += 6;
    }
    parse(line);
    if (!words || word[0][0] == '#')
        return;
    if (strcmp(word[0], "wait") == 0) {
        do_wait();
        return;
    }
    result = 0;
    while (tries-- && result >= 0)
        call();
    if (out[0])
        puts(out);
}

/* The handshake is answered by any guard, so by each brick below @xl. */
static int
guards_answer(xlator_t *xl, loc_t *loc)
{
    dict_t *dict = NULL;
    xlator_list_t *child = NULL;

    for (child = xl->children; child; child = child->next)
        if (!guards_answer(child->xlator, loc))
            return 0;
    if (syncop_getxattr(xl, loc, &dict, ALLOT_KEY_HANDSHAKE, NULL, NULL) < 0)
        return 0;
    dict_unref(dict);
    return 1;
}

/* Wait for the connections. What a set is told before it knows of all of them
 * is not on all of its bricks; it says that it is up when it does. */
static void
client_wait(void)
{
    struct timespec pause = {.tv_nsec = 50000000};
    int ready = 0;
    loc_t loc;

    word[1] = "/";
    loc_make(&loc);
    for (int i = 0; i < 600 && !ready; i++) {
        ready = guards_answer(brick, &loc) &&
                (!brick->children || guard_client_up());
        if (!ready)
            nanosleep(&pause, NULL);
    }
    if (!ready)
        guard_client_fail("no guard answers, or not all of a set");
    loc_wipe(&loc);
}

int
main(int argc, char **argv)
{
    char line[512];

    if (argc != 3)
        guard_client_fail("usage: guard-probe VOLFILE LOG < COMMANDS");
    setvbuf(stdout, NULL, _IOLBF, 0);
    sem_init(&answered, 0, 0);
    brick = guard_client_start(argv[1], argv[2]);
    client_wait();
    while (fgets(line, sizeof(line), stdin))
        run(line);
    do_wait();
    _exit(0); /* the connection ends with the process */
}
