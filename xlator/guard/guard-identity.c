/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-identity.c - who this brick is: identity and registry of the root, in
 * memory, and the handshake that shows them.
 *
 *   CHILD_UP of the child -> lookup of the root -> kept -> CHILD_UP upward
 *
 * So nobody can ask before the guard knows whether it may serve. The registry
 * is opaque here; the identity is decoded once, because a damaged one must
 * count as none.
 */
#include "guard.h"

static void
guard_blob_set(struct guard_blob *blob, uint8_t *bytes, size_t len)
{
    GF_FREE(blob->bytes);
    blob->bytes = bytes;
    blob->len = bytes ? len : 0;
}

gf_boolean_t
guard_identity_store(xlator_t *this, const char *key, data_t *value)
{
    struct guard_priv *priv = guard_priv(this);
    gf_boolean_t opened = _gf_false;
    gf_boolean_t is_id = strcmp(key, ALLOT_XATTR_BRICK) == 0;
    struct allot_brick_id id = {
        .leaves = 0,
    };
    uint8_t *bytes = NULL;
    size_t len = value ? value->len : 0;

    if (len && is_id &&
        allot_brick_id_decode((uint8_t *)value->data, len, &id) != 0) {
        gf_msg(this->name, GF_LOG_ERROR, EIO, GUARD_MSG_IDENTITY,
               "the identity of this brick (%s on its root) is damaged or of "
               "an unknown version: the brick serves nobody",
               ALLOT_XATTR_BRICK);
        len = 0;
    }
    if (len) {
        bytes = gf_memdup(value->data, len);
        if (!bytes)
            gf_msg(this->name, GF_LOG_ERROR, ENOMEM, GUARD_MSG_NO_MEMORY,
                   "no memory for %s", key);
    }

    LOCK(&priv->lock);
    {
        guard_blob_set(is_id ? &priv->id : &priv->registry, bytes, len);
        if (is_id) {
            GF_ATOMIC_SWAP(priv->leaf_of_set, bytes && id.leaves > 0);
            opened = GF_ATOMIC_SWAP(priv->serving, bytes != NULL) == 0 && bytes;
        }
    }
    UNLOCK(&priv->lock);
    return opened;
}

static int32_t
guard_identity_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                   int32_t op_ret, int32_t op_errno, inode_t *inode,
                   struct iatt *buf, dict_t *xdata, struct iatt *postparent)
{
    if (op_ret < 0) {
        gf_msg(this->name, GF_LOG_ERROR, op_errno, GUARD_MSG_IDENTITY,
               "cannot read the identity of this brick: it serves nobody");
        xdata = NULL;
    }
    guard_identity_store(
        this, ALLOT_XATTR_BRICK,
        xdata ? dict_get_sizen(xdata, ALLOT_XATTR_BRICK) : NULL);
    guard_identity_store(
        this, ALLOT_XATTR_REGISTRY,
        xdata ? dict_get_sizen(xdata, ALLOT_XATTR_REGISTRY) : NULL);
    if (xdata && dict_get_sizen(xdata, GUARD_XATTR_DISPERSE_ROOT))
        GF_ATOMIC_SWAP(guard_priv(this)->dispersed, 1);
    if (op_ret >= 0 && !GF_ATOMIC_GET(guard_priv(this)->serving))
        gf_msg(this->name, GF_LOG_WARNING, 0, GUARD_MSG_IDENTITY,
               "this brick has no identity: it serves nobody until it is "
               "registered or adopted");
    STACK_DESTROY(frame->root);
    default_notify(this, GF_EVENT_CHILD_UP, FIRST_CHILD(this));
    return 0;
}

void
guard_identity_load(xlator_t *this)
{
    struct guard_priv *priv = guard_priv(this);
    call_frame_t *frame = create_frame(this, this->ctx->pool);
    dict_t *req = dict_new();
    loc_t loc = {
        .path = "/",
        .name = "",
    };

    if (!frame || !req || dict_set_uint64(req, ALLOT_XATTR_BRICK, 0) != 0 ||
        dict_set_uint64(req, ALLOT_XATTR_REGISTRY, 0) != 0 ||
        dict_set_uint64(req, GUARD_XATTR_DISPERSE_ROOT, 0) != 0) {
        gf_msg(this->name, GF_LOG_ERROR, ENOMEM, GUARD_MSG_NO_MEMORY,
               "cannot read the identity of this brick: it serves nobody");
        if (frame)
            STACK_DESTROY(frame->root);
        if (req)
            dict_unref(req);
        default_notify(this, GF_EVENT_CHILD_UP, FIRST_CHILD(this));
        return;
    }
    frame->root->uid = 0;
    frame->root->gid = 0;
    loc.inode = priv->itable->root;
    gf_uuid_copy(loc.gfid, loc.inode->gfid);
    STACK_WIND(frame, guard_identity_cbk, FIRST_CHILD(this),
               FIRST_CHILD(this)->fops->lookup, &loc, req);
    dict_unref(req);
}

void
guard_identity_fini(xlator_t *this)
{
    struct guard_priv *priv = guard_priv(this);

    guard_blob_set(&priv->id, NULL, 0);
    guard_blob_set(&priv->registry, NULL, 0);
}

dict_t *
guard_handshake(xlator_t *this)
{
    struct guard_priv *priv = guard_priv(this);
    dict_t *dict = dict_new();
    uint8_t *bytes = NULL;
    int64_t len = 0;

    LOCK(&priv->lock);
    {
        len = allot_handshake_encode(priv->id.bytes, priv->id.len,
                                     priv->registry.bytes, priv->registry.len,
                                     NULL, 0);
        if (len > 0)
            bytes = GF_MALLOC(len, gf_common_mt_char);
        if (bytes)
            len = allot_handshake_encode(priv->id.bytes, priv->id.len,
                                         priv->registry.bytes,
                                         priv->registry.len, bytes, len);
    }
    UNLOCK(&priv->lock);

    /* The dict frees the bytes from here on. */
    if (!dict || !bytes || len < 0 ||
        dict_set_bin(dict, ALLOT_KEY_HANDSHAKE, bytes, len) != 0) {
        if (dict)
            dict_unref(dict);
        GF_FREE(bytes);
        return NULL;
    }
    return dict;
}
