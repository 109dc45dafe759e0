/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-codec.h - what stands on disk and on the wire, and its encoding.
 *
 * All integers are big-endian. Every item begins with a four-byte magic and a
 * version byte and ends with the CRC32C (Castagnoli, RFC 3720 appendix B.4) of
 * all bytes before it. A decoder takes exactly what an encoder makes: unknown
 * version, wrong length, wrong CRC, impossible content are all refused.
 *
 * Record ("ALRC"), trusted.allot.record of a base file:
 *
 *   0    4 magic
 *   4    1 version (1)
 *   5    1 flags (bit 0: DIRTY)
 *   6    1 number of clips      0..ALLOT_CLIPS_MAX
 *   7    1 number of extents    0..ALLOT_EXTENTS_MAX
 *   8    4 inline_limit, bytes
 *   12   8 seq
 *   20   8 gen
 *   28   8 size, bytes
 *   36   8 blocks, units of 512 bytes, of all portions when last settled
 *   44   8 nonce
 *   52  16 each clip { gen 8, size 8 }
 *   ..  14 each extent { start 8, phase 4, block_shift 1, members 1 }
 *        3 each member { brick index 2, weight 1 }, behind their extent
 *   ..   4 CRC32C
 *
 * Portion ("ALPT"), trusted.allot.portion:
 *
 *   0    4 magic
 *   4    1 version (1)
 *   5    1 length of the name, 0..255
 *   6    1 flags (bit 0: CLOSED)
 *   7    1 zero
 *   8   16 base gfid
 *   24   8 nonce
 *   32   8 gen
 *   40  16 gfid of the last known parent
 *   56   n last known name
 *   ..   4 CRC32C
 *
 * Brick identity ("ALBR"), trusted.allot.brick:
 *
 *   0    4 magic   4  1 version (1)
 *   5    1 leaves of the set   6  1 number in it   7  1 zero
 *   8   16 brick uuid   24 16 volume uuid   40  4 CRC32C
 *   All leaves of a set carry its uuid; a plain brick has 0 and 0.
 *
 * Registry ("ALRG"), trusted.allot.registry:
 *
 *   0    4 magic
 *   4    1 version (1)
 *   5    1 phase (ALLOT_REGISTRY_FORMING, _ACTIVE)
 *   6    1 namespace kind (ALLOT_NS_*)
 *   7    1 zero
 *   8    8 registry version
 *   16  16 volume uuid
 *   32   4 inline_limit, bytes
 *   36   2 next free index
 *   38   2 number of bricks
 *   40     each brick { index 2, weight 1, administrator's state 1, uuid 16,
 *          length of the name 1, name n }, in rising order of index
 *   ..   4 CRC32C
 *
 * Handshake ("ALHS"), the value of glusterfs.allot.handshake:
 *
 *   0    4 magic   4  1 version (1)   5  1 flags (bit 0: has identity,
 *   bit 1: has registry)   6  2 protocol
 *   8    4 length of the identity   12  4 length of the registry
 *   16   identity, registry, each as above   ..  4 CRC32C
 *
 * Gone ("ALGN"), what travels with glusterfs.allot.gone:
 *
 *   0    4 magic   4  1 version (1)   5  2 number of items
 *   7      each item { gfid 16, nonce 8, serial 8 }   ..  4 CRC32C
 */
#ifndef ALLOT_CODEC_H
#define ALLOT_CODEC_H

#include "allot-layout.h"
#include "allot-wire.h"

#define ALLOT_RECORD_DIRTY 0x01

struct allot_clip {
    uint64_t gen;  /* portions with an older generation ... */
    uint64_t size; /* ... are cut to this size before they are used */
};

struct allot_record {
    uint8_t flags;
    uint64_t seq;       /* counts publications, starts at 1 */
    uint64_t gen;       /* orders layouts and fences, starts at 1 */
    uint64_t size;      /* bytes; exact if not DIRTY; 0 without extents */
    uint64_t blocks512; /* st_blocks of all portions when last settled */
    uint64_t nonce;     /* of the portions; 0 without extents */
    uint8_t clip_count;
    struct allot_clip clips[ALLOT_CLIPS_MAX]; /* rising gen, rising size */
    struct allot_layout *layout;              /* owned, never NULL */
};

struct allot_portion {
    uint8_t base_gfid[16];
    uint64_t nonce;
    uint64_t gen;
    uint8_t parent_gfid[16];       /* all zero: not known */
    char name[ALLOT_NAME_MAX + 1]; /* NUL-terminated; empty: not known */
    uint8_t closed; /* not 0: about to be cut, serves no generation */
};

struct allot_brick_id {
    uint8_t brick_uuid[16]; /* of the set, for a leaf */
    uint8_t volume_uuid[16];
    uint8_t leaves; /* of the set, 2 or more; 0: a plain brick */
    uint8_t leaf;   /* which of them, from 0 */
};

enum allot_ns_kind {
    ALLOT_NS_OTHER = 0,
    ALLOT_NS_DISTRIBUTE = 1,
    ALLOT_NS_REPLICATE = 2,
};

enum allot_admin_state {
    ALLOT_ADMIN_NONE = 0,
    ALLOT_ADMIN_LOST = 1,
    ALLOT_ADMIN_DRAINING = 2,
};

#define ALLOT_REGISTRY_FORMING 1
#define ALLOT_REGISTRY_ACTIVE 2

struct allot_registry_brick {
    uint16_t index;
    uint8_t weight;      /* at registration; 1..ALLOT_WEIGHT_MAX */
    uint8_t admin_state; /* enum allot_admin_state */
    uint8_t uuid[16];
    char name[ALLOT_NAME_MAX + 1]; /* the subvolume's; not empty */
};

struct allot_registry {
    uint8_t phase;
    uint8_t ns_kind;
    uint64_t version; /* the highest wins; starts at 1 */
    uint8_t volume_uuid[16];
    uint32_t inline_limit;
    uint16_t next_index; /* above every index ever given */
    uint16_t brick_count;
    struct allot_registry_brick *bricks; /* owned, rising index */
};

struct allot_handshake {
    uint16_t protocol;
    int has_id;
    int has_registry;
    struct allot_brick_id id;
    struct allot_registry registry; /* bricks owned; allot_registry_clear() */
};

/* A spread file that may have lost its last name. */
struct allot_gone {
    uint8_t gfid[16]; /* of the base */
    uint64_t nonce;   /* of its portions */
    uint64_t serial;  /* the guard's, of this loss; 0: none, or any */
};

/*
 * Encoders: return the number of bytes, or -ENOBUFS if @cap is too small, or
 * -EINVAL if the content is not what a decoder would accept, or -EFBIG for a
 * record over ALLOT_RECORD_MAX. @buf may be NULL with @cap 0 to ask for the
 * size.
 * Decoders: return 0; -EBADMSG for a wrong length, magic, CRC or content;
 * -EPROTONOSUPPORT for an unknown version whose CRC is right; -ENOMEM.
 * On failure nothing needs to be freed.
 */
int64_t
allot_record_encode(const struct allot_record *rec, uint8_t *buf, size_t cap);
/** allot_record_crc - the CRC at the end of an encoded record, or of the list
 * of ALLOT_KEY_EVEN (four bytes at least): one number that tells records of one
 * file apart. */
uint32_t
allot_record_crc(const uint8_t *buf, size_t len);

/* @rec: its layout is owned by the caller: allot_record_clear(). */
int
allot_record_decode(const uint8_t *buf, size_t len, struct allot_record *rec);

/** allot_record_clear - free what a record owns and zero it. */
void
allot_record_clear(struct allot_record *rec);

/**
 * allot_record_clip_add - note a truncation for portions that miss it
 * Drops clips that the new one dominates (older gen, size >= @size: whoever
 * misses them misses the new one too).
 * Returns 0, or -E2BIG when ALLOT_CLIPS_MAX are left, -EINVAL if @gen is not
 * above every clip's.
 */
int
allot_record_clip_add(struct allot_record *rec, uint64_t gen, uint64_t size);

/**
 * allot_record_clip_for - where a portion of generation @gen must be cut
 * Returns the smallest size of the clips it misses, or UINT64_MAX for none.
 */
uint64_t
allot_record_clip_for(const struct allot_record *rec, uint64_t gen);

int64_t
allot_portion_encode(const struct allot_portion *por, uint8_t *buf, size_t cap);
int
allot_portion_decode(const uint8_t *buf, size_t len, struct allot_portion *por);

int64_t
allot_brick_id_encode(const struct allot_brick_id *id, uint8_t *buf,
                      size_t cap);
int
allot_brick_id_decode(const uint8_t *buf, size_t len,
                      struct allot_brick_id *id);

int64_t
allot_registry_encode(const struct allot_registry *reg, uint8_t *buf,
                      size_t cap);
int
allot_registry_decode(const uint8_t *buf, size_t len,
                      struct allot_registry *reg);
/** allot_registry_clear - free what a registry owns and zero it. */
void
allot_registry_clear(struct allot_registry *reg);
/** allot_registry_find - the brick with this index, or NULL. */
const struct allot_registry_brick *
allot_registry_find(const struct allot_registry *reg, uint16_t index);

/* The guard gives identity and registry as it has them on disk, already
 * encoded (NULL: none), so that it need not understand them to pass them on. */
int64_t
allot_handshake_encode(const uint8_t *id, size_t id_len, const uint8_t *reg,
                       size_t reg_len, uint8_t *buf, size_t cap);
int
allot_handshake_decode(const uint8_t *buf, size_t len,
                       struct allot_handshake *hs);

/* A list. @count: at most ALLOT_GONE_MAX, both of them. */
#define ALLOT_GONE_BYTES(count) (4 + 1 + 2 + 32 * (size_t)(count) + 4)
int64_t
allot_gone_encode(const struct allot_gone *list, unsigned count, uint8_t *buf,
                  size_t cap);
/* @list: room for ALLOT_GONE_MAX. Returns how many, or as decoders do. */
int
allot_gone_decode(const uint8_t *buf, size_t len, struct allot_gone *list);

/**
 * allot_portion_name - the name of a portion below "/.allot/XX"
 * @out: at least ALLOT_PORTION_NAME_SIZE bytes: "<gfid>.<nonce, 16 hex>"
 */
#define ALLOT_PORTION_NAME_SIZE (36 + 1 + 16 + 1)
void
allot_portion_name(const uint8_t base_gfid[16], uint64_t nonce, char *out);

/** allot_portion_name_parse - its inverse; 0 or -EINVAL. */
int
allot_portion_name_parse(const char *name, uint8_t base_gfid[16],
                         uint64_t *nonce);

/**
 * allot_portion_gfid - the gfid of a portion, the same on every brick
 * The name-based uuid of RFC 4122 version 5 with the base gfid as the name
 * space and the eight big-endian bytes of the nonce as the name
 * (libuuid's uuid_generate_sha1()).
 */
void
allot_portion_gfid(const uint8_t base_gfid[16], uint64_t nonce,
                   uint8_t out[16]);

/** allot_dir_gfid - the gfid of "/.allot" (@sub < 0) or "/.allot/XX". */
void
allot_dir_gfid(int sub, uint8_t out[16]);
/** allot_dir_of - XX of "/.allot/XX" for a base gfid: its first byte. */
int
allot_dir_of(const uint8_t base_gfid[16]);

#endif /* ALLOT_CODEC_H */
