/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-wire.h - the names and numbers that cluster/allot, user/allot (the
 * guard) and the command have in common: xattr keys, xdata keys, fixed gfids,
 * errnos with a meaning of their own, limits.
 *
 * This file has no code and needs no GlusterFS header.
 */
#ifndef ALLOT_WIRE_H
#define ALLOT_WIRE_H

#include <errno.h>

/* ---- on disk ------------------------------------------------------------ */

#define ALLOT_XATTR_PREFIX "trusted.allot."
/* on a base file: struct allot_record, see allot-codec.h */
#define ALLOT_XATTR_RECORD "trusted.allot.record"
/* on a portion: struct allot_portion */
#define ALLOT_XATTR_PORTION "trusted.allot.portion"
/* on a data subvolume's root: struct allot_brick_id */
#define ALLOT_XATTR_BRICK "trusted.allot.brick"
/* on a data subvolume's root: struct allot_registry */
#define ALLOT_XATTR_REGISTRY "trusted.allot.registry"

/* The directory of portions on the root of every data subvolume. */
#define ALLOT_DIR_NAME ".allot"
/* Its gfid, and that of "/.allot/XX" (XX replaces the last byte). Fixed, so
 * that a client addresses them without a lookup. "/.allot" itself ends in the
 * bytes 01 00, "/.allot/XX" in 02 XX. */
#define ALLOT_DIR_GFID_BYTES                                                \
    0xa1, 0x10, 0x7d, 0x15, 0x6b, 0x1c, 0x4b, 0xb0, 0x8a, 0x5e, 0x0c, 0x31, \
        0x57, 0x0e, 0x01, 0x00

/* ---- from the client to the guard, in xdata ------------------------------ */

/* u64: the generation the client believes; on every data fop. 0: no record. */
#define ALLOT_KEY_GEN "allot.gen"
/* u32: ALLOT_PROTOCOL; on every other call of allot on a root, on "/.allot"
 * or on anything below it. */
#define ALLOT_KEY_CLIENT "allot.client"
/* u64: publish; the sequence number that the record must have now (0: there
 * must be none). With a (f)setxattr of ALLOT_XATTR_RECORD. */
#define ALLOT_KEY_PUBLISH "allot.publish"
/* u64, with ALLOT_KEY_PUBLISH: refuse with EFBIG if the base file is larger. */
#define ALLOT_KEY_MAX_SIZE "allot.max-size"
/* u64, not 0. With ALLOT_KEY_GEN and a writev on a base without extents: a mark
 * that it has from then on, until somebody marks it otherwise or cuts it. With
 * ALLOT_KEY_PUBLISH: refuse with ALLOT_ERR_OLD if it has not this mark. Who has
 * written its part of a write before the record so knows that the part is still
 * there (docs/protocol.md, 2.3b). */
#define ALLOT_KEY_UNCUT "allot.uncut"
/* i64 seconds and u32 nanoseconds, with ALLOT_KEY_PUBLISH: set the base's
 * mtime in the same step. */
#define ALLOT_KEY_MTIME "allot.mtime"
#define ALLOT_KEY_MTIME_NSEC "allot.mtime-nsec"
/* With ALLOT_KEY_PUBLISH, in its place: bricks of a disperse set have different
 * records, and all are to have this one (docs/protocol.md, 2.15). The CRCs of
 * those that they were seen with, 32 bits each, big-endian; 0: none. Another
 * one has been published since, and stays. */
#define ALLOT_KEY_EVEN "allot.even"
/* u64: fence; the generation to raise the portion to. With a fsetxattr of
 * ALLOT_XATTR_PORTION that carries the same generation. */
#define ALLOT_KEY_FENCE "allot.fence"
/* u64, with ALLOT_KEY_FENCE: the generation the portion must have now. The clip
 * was computed for it; another one gets ALLOT_ERR_BEHIND and computes anew.
 * Without it any older one is raised: where bricks of one disperse set differ
 * (docs/protocol.md, 2.15). */
#define ALLOT_KEY_FENCE_FROM "allot.fence-from"
/* u64, with ALLOT_KEY_FENCE: cut the portion to this size if it is longer. */
#define ALLOT_KEY_CLIP "allot.clip"

/* u32, with ALLOT_KEY_GEN and a truncate, or with ALLOT_KEY_FENCE: the caller
 * cuts a portion of a set (docs/protocol.md, 2.14). Only a portion that is
 * CLOSED lets it pass. */
#define ALLOT_KEY_CUT "allot.cut"

/* With ALLOT_KEY_GEN and fallocate or zerofill on a portion: an encoded record,
 * and (u32) the portion's brick in it. Only this brick's blocks of the range
 * are meant: one call for all of them. */
#define ALLOT_KEY_SHARE "allot.share"
#define ALLOT_KEY_SHARE_IDX "allot.share-idx"

/* The pid of allot's own calls (not a process's: Linux ends at 2^22). A
 * replicate or disperse set below makes calls of its own in the course of them
 * (looks files up, opens them again, reads the rest of a stripe) which carry
 * none of the keys, but the pid: by it the guard knows them. Positive, because
 * the brick's io-threads put negative ones last. */
#define ALLOT_PID 0x616c6c6f /* "allo" */
/* The same for calls that allot makes for itself, as root: where a brick
 * squashes root, the guard takes them for root's all the same. */
#define ALLOT_PID_ROOT (ALLOT_PID + 1)
/* The same two, of calls that change data on a disperse set. Before it changes
 * anything disperse sends an xattrop to all bricks of the set, with the
 * caller's pid and nothing else of ours. By it each brick knows what comes, and
 * answers with its state, ALLOT_KEY_STATE: bricks of different states are never
 * in one call then, and none writes what the others refuse
 * (docs/protocol.md, 2.15). */
#define ALLOT_PID_DATA (ALLOT_PID + 2)
#define ALLOT_PID_DATA_ROOT (ALLOT_PID + 3)

/* With a getxattr of ALLOT_KEY_GONE; each of the last two is a list of struct
 * allot_gone, see allot-codec.h. u32: hand out so many. */
#define ALLOT_KEY_GONE_GIVE "allot.gone-give"
/* forget these, whose portions are removed (serial 0: whichever it is) */
#define ALLOT_KEY_GONE_DONE "allot.gone-done"
/* the answer is those of these that are open here */
#define ALLOT_KEY_GONE_OPEN "allot.gone-open"

/* u32, with ALLOT_KEY_CLIENT and a readdirp: a listing for a report. Of a
 * regular file the type, size, links, gfid and ALLOT_XATTR_RECORD are wanted,
 * of others the type; an entry without a gfid is one of which nothing is
 * certain. A guard that does not know the key, or cannot do it, answers as
 * always, which has all of that, too. */
#define ALLOT_KEY_BRIEF "allot.brief"

/* u32, with an unlink: the caller removes the portions of a spread base that
 * loses its last name by it, and wants to know of that with the answer:
 * ALLOT_KEY_PARTED. A guard that does not know the key does not tell. */
#define ALLOT_KEY_PART "allot.part"

/* ---- from the guard to the client ---------------------------------------- */

/* In the answer to an unlink with ALLOT_KEY_PART, a list of one struct
 * allot_gone: this spread base has no name any more, nobody has it open, and
 * nobody can any more. Distribute gives it to the guard of a link file's brick,
 * with the unlink of that one, and takes the answer from there: it is repeated.
 */
#define ALLOT_KEY_PARTED "allot.parted"

/* u64, in the answer to an xattrop with ALLOT_PID_DATA: twice the brick's
 * generation of the file, and one if it is CLOSED. */
#define ALLOT_KEY_STATE "allot.state"

/* getxattr on a root answers this virtual key only if a guard is there:
 * struct allot_handshake, see allot-codec.h. */
#define ALLOT_KEY_HANDSHAKE "glusterfs.allot.handshake"

/* getxattr on a root, with ALLOT_KEY_CLIENT and with a list under the same key
 * in xdata, of ALLOT_PORTIONS_ITEM bytes each: base gfid, nonce (big-endian).
 * The value is a list of u64 (big-endian): the disk blocks of 512 bytes of that
 * portion, or all ones: it is not certain that it is there and right. */
#define ALLOT_KEY_PORTIONS "glusterfs.allot.portions"
#define ALLOT_PORTIONS_ITEM 24
#define ALLOT_PORTIONS_MAX 4096

/* getxattr on a root, with ALLOT_KEY_CLIENT: spread files that have lost a name
 * on this brick, and are not open here. A list of struct allot_gone;
 * docs/protocol.md, 2.11b. */
#define ALLOT_KEY_GONE "glusterfs.allot.gone"

/* The client's generation or sequence is older: re-read the record, retry. */
#define ALLOT_ERR_OLD EREMCHG
/* The portion is older than the client: fence it, retry ("behind"). */
#define ALLOT_ERR_BEHIND EL2NSYNC

/* ---- virtual xattrs of a mount ------------------------------------------- */

#define ALLOT_VIRT_PREFIX "glusterfs.allot."
#define ALLOT_VIRT_LAYOUT "glusterfs.allot.layout"
/* also with ".OFFSET" behind it: the ranges from there on */
#define ALLOT_VIRT_MAP "glusterfs.allot.map"
/* on a directory; also with ".CURSOR" behind it, as "next" said */
#define ALLOT_VIRT_CHILDREN "glusterfs.allot.children"
#define ALLOT_VIRT_REPORT "glusterfs.allot.report"
#define ALLOT_VIRT_STATUS "glusterfs.allot.status"
/* setxattr on the root of a mount, value = the subvolume's name */
#define ALLOT_VIRT_ADOPT "glusterfs.allot.adopt"
/* the same, value = "STATE NAME", STATE: lost, draining, clear */
#define ALLOT_VIRT_SET "glusterfs.allot.set"

/* inodelk domains */
#define ALLOT_DOMAIN_REGISTRY "allot.registry"
#define ALLOT_DOMAIN_APPEND "allot.append"
#define ALLOT_DOMAIN_CUT "allot.cut" /* on a portion of a set */

/* ---- limits ----------------------------------------------------------------
 */

#define ALLOT_PROTOCOL 1
#define ALLOT_RECORD_MAX 3072 /* bytes of an encoded record (ext4's xattrs) */
#define ALLOT_EXTENTS_MAX 48  /* extents of a record */
#define ALLOT_CLIPS_MAX 4     /* clips of a record */
#define ALLOT_MEMBERS_MAX 255 /* members of an extent */
#define ALLOT_WEIGHT_MAX 255  /* weight of a member in an extent */
#define ALLOT_BRICKS_MAX 1000 /* bricks of a registry */
#define ALLOT_NAME_MAX 255    /* bytes of a brick's name */
#define ALLOT_CYCLE_MAX 65535 /* slots of an apportionment cycle */
#define ALLOT_BLOCK_SHIFT_MIN 12               /* 4 KiB */
#define ALLOT_BLOCK_SHIFT_MAX 26               /* 64 MiB */
#define ALLOT_GONE_MAX 1024                    /* items of a list */
#define ALLOT_OFFSET_MAX 0x7fffffffffffffffULL /* largest file offset */

#endif /* ALLOT_WIRE_H */
