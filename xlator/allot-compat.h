/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-compat.h - makes the installed GlusterFS 10 headers mean what the
 * installed GlusterFS binaries mean. Include it first in every translator file.
 *
 * The headers ship without the config.h they were built with. Without
 * HAVE_ATOMIC_BUILTINS everything compiles, but inode_t and xlator_t have other
 * sizes than in the running process: silent corruption. The static asserts
 * below refuse to compile then. Never define DEBUG or GF_DISABLE_MEMPOOL here.
 */
#ifndef ALLOT_COMPAT_H
#define ALLOT_COMPAT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif
#define GF_LINUX_HOST_OS 1
#define SIZEOF_SHORT 2
#define SIZEOF_INT 4
#define SIZEOF_LONG __SIZEOF_LONG__
#define SIZEOF_LONG_LONG 8
#define HAVE_STRUCT_STAT_ST_ATIM_TV_NSEC 1
#define HAVE_ATOMIC_BUILTINS 1

#include <glusterfs/glusterfs.h>
#include <glusterfs/xlator.h>
#include <glusterfs/inode.h>
#include <glusterfs/fd.h>

/* The signatures of fops and callbacks are GlusterFS's: most of them have a
 * parameter too many, and marking each one would say nothing. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#if defined(__x86_64__)
/* As measured in Debian's glusterfs 10.3 (see docs/design.md). */
_Static_assert(sizeof(inode_t) == 168, "inode_t is not the running one's");
_Static_assert(sizeof(xlator_t) == 4128, "xlator_t is not the running one's");
#endif

#endif /* ALLOT_COMPAT_H */
