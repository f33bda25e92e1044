/* The inside of struct contents_state, for state.c and trust.c alone. */
#ifndef CONTENTS_STATE_PRIV_H
#define CONTENTS_STATE_PRIV_H

#include "kernels/contents/state.h"

#include <uv.h>

struct sqlite3;

/* Uploads: a user may drop that many files at once, and a browser sends them in parallel. */
enum { STATE_HASHES = 1024, STATE_UPLOADS = 1024 };

struct hash_slot {
	dev_t dev;
	ino_t ino;
	off_t size;
	int64_t mtime_ns, ctime_ns;
	char hex[DIGEST_HEX]; /* "" while the slot is empty */
};

struct upload {
	char *path;
	int64_t chunk;         /* written last */
	uint64_t before, size; /* of the staged file before it and after it */
	uint64_t used_ms;
};

struct contents_state {
	uv_mutex_t lock;
	struct hash_slot hashes[STATE_HASHES];
	struct upload uploads[STATE_UPLOADS];
	uv_mutex_t in_place;   /* held while a file is written in place */
	uv_mutex_t trust_lock; /* of what follows; signing a large notebook takes a while */
	struct sqlite3 *db;    /* NULL until first used */
	char *secret;          /* the signing key; NULL until first used */
	size_t secret_len;
	bool trust_off; /* key or database cannot be used: nothing is trusted */
};

void trust_close(struct contents_state *s);

#endif
