/* What the contents API keeps between requests: hashes of files by identity, uploads in progress,
 * the trust database. Used from the thread pool, so each has its lock. */
#ifndef CONTENTS_STATE_H
#define CONTENTS_STATE_H

#include "kernels/base/digest.h"
#include "kernels/base/tape.h"
#include "kernels/contents/contents.h"

#include <sys/stat.h>

struct contents_state *state_new(void);
void state_free(struct contents_state *s);

/* ---- SHA-256 by (device, inode, size, mtime, ctime) ---- */
/* True when the hash of that very file content is known; hex gets 64 digits and a NUL. */
bool state_hash_get(struct contents_state *s, const struct stat *st, char hex[DIGEST_HEX]);
/* Stores it, unless the file had changed shortly before its content was read (from seen_us, wall
 * clock): then a further change could have the same times. */
void state_hash_set(
    struct contents_state *s, const struct stat *st, int64_t seen_us, const char *hex);

/* ---- chunked uploads ---- */
/* True when chunk may be written now; gives its offset. 1 starts anew; the chunk written last may
 * be sent again (a retry); else it must be the next one. False: out of order, or of an upload that
 * is not known (any more), so that the content of its file is unknown. */
bool state_upload_begin(struct contents_state *s, const char *path, int64_t chunk, uint64_t *off);
/* It was written and the staged file is size bytes long now. */
void state_upload_done(struct contents_state *s, const char *path, int64_t chunk, uint64_t size);
void state_upload_forget(struct contents_state *s, const char *path);

/* ---- files that are written in place: one at a time ---- */
void state_lock_in_place(struct contents_state *s);
void state_unlock_in_place(struct contents_state *s);

/* ---- trust ---- */
/* Is the notebook (as it was read) signed by this user? False on any failure. */
bool trust_check(struct contents_ctx *ctx, const struct tape *t, tape_node root, bool keep_orig);
/* Signs it. A failure is not an error: the notebook is saved, but not trusted. */
void trust_sign(struct contents_ctx *ctx, const struct tape *t, tape_node root, bool keep_orig);

#endif
