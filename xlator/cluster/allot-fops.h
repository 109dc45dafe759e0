/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-fops.h - every fop that cluster/allot decides, by the file it is in.
 * docs/fops.md says for each: pass to the namespace, spread, or refuse, and
 * why.
 */
#ifndef ALLOT_FOPS_H
#define ALLOT_FOPS_H

#include "allot-bricks.h"
#include "allot-inode.h"

struct allot_presence; /* allot-presence.h */

/* allot-stat.c: lookup stat fstat setattr fsetattr access */
/* allot-read.c: readv; allot-write.c: writev; allot-seek.c: seek rchecksum */
/* allot-range.c: truncate ftruncate fallocate discard zerofill */
/* allot-open.c: create open flush fsync; allot-pass.c: copy_file_range put
 * icreate */
/* allot-names.c: mknod mkdir unlink rmdir symlink rename link readlink namelink
 */
/* allot-dir.c: opendir readdir readdirp fsyncdir */
/* allot-xattr.c: [f]getxattr [f]setxattr [f]removexattr [f]xattrop */
/* allot-pass.c: lk inodelk finodelk entrylk fentrylk lease ipc getspec
 *               getactivelk setactivelk compound */

/** allot_hidden_name - does (parent, name) name "/.allot". */
static inline gf_boolean_t
allot_hidden_name(loc_t *loc)
{
    if (!loc->name || strcmp(loc->name, ALLOT_DIR_NAME) != 0)
        return _gf_false;
    if (loc->parent)
        return __is_root_gfid(loc->parent->gfid);
    return __is_root_gfid(loc->pargfid);
}

/** allot_hidden_gfid - is it the gfid of "/.allot" or "/.allot/XX". */
gf_boolean_t
allot_hidden_gfid(const uuid_t gfid);

/** allot_unlink_prepare / _done - allot-proto-unlink.c: a name of a spread file
 * goes away. prepare (synctask; @inode is the file whose name goes) holds the
 * base open; done (synctask) removes the portions when nothing holds the file
 * any more, or leaves that to the last close. */
int
allot_unlink_prepare(xlator_t *this, inode_t *inode);
int
allot_unlink_done(xlator_t *this, inode_t *inode);

/** allot_unlink_told - allot-proto-unlink.c: can the namespace's answer to an
 * unlink tell what becomes of @inode, so that nothing is to be prepared
 * The request is to have ALLOT_KEY_PART. Any context. */
gf_boolean_t
allot_unlink_told(xlator_t *this, inode_t *inode);

/** allot_unlink_parted - what @xdata, of such an answer, tells: the nonce of
 * portions that nobody can reach any more; 0: nothing. Any context. */
uint64_t
allot_unlink_parted(inode_t *inode, dict_t *xdata);

/** allot_unlink_remove - removes them. In a synctask. */
void
allot_unlink_remove(xlator_t *this, inode_t *inode, uint64_t nonce);

/** allot_report_json - allot-report.c: the document of glusterfs.allot.report
 * (@full) or .layout of a file, in a synctask. Malloc'ed; NULL and @err, since
 * errno is another thread's after a synctask has waited.
 * @seen: what the bricks have just said of its portions; NULL: ask them.
 * @known: what a listing has just said of the file, which then is not looked up
 *   again if its record is clean. NULL: look it up. */
char *
allot_report_json(xlator_t *this, inode_t *inode, gf_boolean_t full,
                  const struct iatt *known, const struct allot_presence *seen,
                  int *err);

/* How one member of a file is, as a report tells it. */
struct allot_report_member {
    uint16_t idx;
    const char *fail; /* "ok", "down", "blank", "lost", "missing"; static */
    uint64_t hole_blocks;
    uint64_t hole_bytes;
};

/** allot_report_members - allot-report.c: what a report of a file would say of
 * its members, one for each of seen->rec->r.layout->bricks, if what a listing
 * and its bricks have said tells all; the file's size is seen->rec->r.size
 * then. In a synctask. Free with free(); NULL: it does not tell all, ask the
 * file. */
struct allot_report_member *
allot_report_members(xlator_t *this, const struct allot_presence *seen);

struct json_t;

/** allot_extents_json - allot-report.c: key "extents" of a report, of a layout
 * A new reference; NULL: no memory. */
struct json_t *
allot_extents_json(const struct allot_layout *layout);

/** allot_children_json - allot-children.c: the document of
 * glusterfs.allot.children of a directory, from @cursor on ("": all of it). In
 * a synctask. Malloc'ed; NULL: *@err. */
char *
allot_children_json(xlator_t *this, inode_t *inode, const char *cursor,
                    int *err);

/** allot_map_json - allot-map.c: the document of glusterfs.allot.map
 * @from: the first byte it tells of. In a synctask, alone. Malloc'ed; NULL:
 * *@err. */
char *
allot_map_json(xlator_t *this, inode_t *inode, uint64_t from, int *err);

/** allot_pathinfo_text - allot-map.c: trusted.glusterfs.pathinfo of a spread
 * file, in a synctask. Malloc'ed; NULL: *@err. */
char *
allot_pathinfo_text(xlator_t *this, inode_t *inode, int *err);

/** allot_run - run @fn(@arg) in a synctask as root, in the gate of @inode
 * alone (@gate) or without a gate. @fn must unwind the user's frame itself or
 * have nothing to unwind; it may wind. -ENOMEM: @fn does not run. */
int
allot_run(xlator_t *this, inode_t *inode, gf_boolean_t gate,
          void (*fn)(xlator_t *this, void *arg), void *arg);

/** allot_run_here - run @fn(@arg) in the gate of @inode alone, without a task:
 * before this returns, or when the gate is free, in any thread. @fn must not
 * sleep. -ENOMEM: it does not run. */
int
allot_run_here(xlator_t *this, inode_t *inode,
               void (*fn)(xlator_t *this, void *arg), void *arg);

/* fop_NAME_t is a pointer type; this declares the function. */
#define ALLOT_FOP(name) extern __typeof__(*(fop_##name##_t)0) allot_##name
ALLOT_FOP(lookup);
ALLOT_FOP(stat);
ALLOT_FOP(fstat);
ALLOT_FOP(setattr);
ALLOT_FOP(fsetattr);
ALLOT_FOP(access);
ALLOT_FOP(readv);
ALLOT_FOP(rchecksum);
ALLOT_FOP(seek);
ALLOT_FOP(writev);
ALLOT_FOP(truncate);
ALLOT_FOP(ftruncate);
ALLOT_FOP(fallocate);
ALLOT_FOP(discard);
ALLOT_FOP(zerofill);
ALLOT_FOP(create);
ALLOT_FOP(open);
ALLOT_FOP(flush);
ALLOT_FOP(fsync);
ALLOT_FOP(put);
ALLOT_FOP(icreate);
ALLOT_FOP(namelink);
ALLOT_FOP(copy_file_range);
ALLOT_FOP(mknod);
ALLOT_FOP(mkdir);
ALLOT_FOP(unlink);
ALLOT_FOP(rmdir);
ALLOT_FOP(symlink);
ALLOT_FOP(rename);
ALLOT_FOP(link);
ALLOT_FOP(readlink);
ALLOT_FOP(opendir);
ALLOT_FOP(readdir);
ALLOT_FOP(readdirp);
ALLOT_FOP(fsyncdir);
ALLOT_FOP(getxattr);
ALLOT_FOP(fgetxattr);
ALLOT_FOP(setxattr);
ALLOT_FOP(fsetxattr);
ALLOT_FOP(removexattr);
ALLOT_FOP(fremovexattr);
ALLOT_FOP(xattrop);
ALLOT_FOP(fxattrop);
ALLOT_FOP(lk);
ALLOT_FOP(inodelk);
ALLOT_FOP(finodelk);
ALLOT_FOP(entrylk);
ALLOT_FOP(fentrylk);
ALLOT_FOP(lease);
ALLOT_FOP(ipc);
ALLOT_FOP(getspec);
ALLOT_FOP(getactivelk);
ALLOT_FOP(setactivelk);

#endif /* ALLOT_FOPS_H */
