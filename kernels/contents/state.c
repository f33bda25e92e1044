/* The cache of hashes and the table of uploads. */
#include "kernels/contents/state.h"

#include "base/clock.h"
#include "base/mem.h"
#include "kernels/contents/state_priv.h"

#include <string.h>

enum {
	RACY_US = 50000, /* two changes within one clock tick of a file system look alike */
	UPLOAD_IDLE_MS = 3600 * 1000
};

struct contents_state *state_new(void)
{
	struct contents_state *s = cyg_xcalloc(1, sizeof(*s));
	if (uv_mutex_init(&s->lock) != 0 || uv_mutex_init(&s->in_place) != 0 ||
	    uv_mutex_init(&s->trust_lock) != 0)
		abort();
	return s;
}

void state_free(struct contents_state *s)
{
	if (s == NULL)
		return;
	trust_close(s);
	for (size_t i = 0; i < STATE_UPLOADS; i++)
		free(s->uploads[i].path);
	uv_mutex_destroy(&s->lock);
	uv_mutex_destroy(&s->in_place);
	uv_mutex_destroy(&s->trust_lock);
	free(s);
}

void state_lock_in_place(struct contents_state *s)
{
	uv_mutex_lock(&s->in_place);
}

void state_unlock_in_place(struct contents_state *s)
{
	uv_mutex_unlock(&s->in_place);
}

static struct hash_slot key_of(const struct stat *st)
{
	struct hash_slot k;
	memset(&k, 0, sizeof(k));
	k.dev = st->st_dev;
	k.ino = st->st_ino;
	k.size = st->st_size;
	k.mtime_ns = st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec;
	k.ctime_ns = st->st_ctim.tv_sec * 1000000000LL + st->st_ctim.tv_nsec;
	return k;
}

static struct hash_slot *slot_of(struct contents_state *s, const struct hash_slot *k)
{
	return &s->hashes[(k->ino * 31 + k->dev) % STATE_HASHES];
}

bool state_hash_get(struct contents_state *s, const struct stat *st, char hex[DIGEST_HEX])
{
	struct hash_slot k = key_of(st);
	uv_mutex_lock(&s->lock);
	const struct hash_slot *slot = slot_of(s, &k);
	bool hit = slot->hex[0] != '\0' && slot->dev == k.dev && slot->ino == k.ino &&
		   slot->size == k.size && slot->mtime_ns == k.mtime_ns &&
		   slot->ctime_ns == k.ctime_ns;
	if (hit)
		memcpy(hex, slot->hex, DIGEST_HEX);
	uv_mutex_unlock(&s->lock);
	return hit;
}

void state_hash_set(
    struct contents_state *s, const struct stat *st, int64_t seen_us, const char *hex)
{
	struct hash_slot k = key_of(st);
	if (seen_us - k.ctime_ns / 1000 < RACY_US)
		return;
	memcpy(k.hex, hex, DIGEST_HEX);
	uv_mutex_lock(&s->lock);
	*slot_of(s, &k) = k;
	uv_mutex_unlock(&s->lock);
}

/* The upload of a path, or a free place for it (the longest idle one when all are taken). */
static struct upload *find_upload(struct contents_state *s, const char *path)
{
	struct upload *best = &s->uploads[0];
	for (size_t i = 0; i < STATE_UPLOADS; i++) {
		struct upload *u = &s->uploads[i];
		if (u->path != NULL && strcmp(u->path, path) == 0)
			return u;
		if (best->path != NULL && (u->path == NULL || u->used_ms < best->used_ms))
			best = u;
	}
	return best;
}

bool state_upload_begin(struct contents_state *s, const char *path, int64_t chunk, uint64_t *off)
{
	bool good = true;
	*off = 0;
	uv_mutex_lock(&s->lock);
	const struct upload *u = find_upload(s, path);
	bool found = u->path != NULL && strcmp(u->path, path) == 0 &&
		     cyg_clock_mono_ms() - u->used_ms <= UPLOAD_IDLE_MS;
	if (chunk == 1)
		*off = 0;
	else if (found && chunk == u->chunk)
		*off = u->before;
	else if (found && u->chunk != -1 && (chunk == -1 || chunk == u->chunk + 1))
		*off = u->size;
	else
		good = false;
	uv_mutex_unlock(&s->lock);
	return good;
}

void state_upload_done(struct contents_state *s, const char *path, int64_t chunk, uint64_t size)
{
	uv_mutex_lock(&s->lock);
	struct upload *u = find_upload(s, path);
	bool found = u->path != NULL && strcmp(u->path, path) == 0;
	if (!found) {
		free(u->path);
		*u = (struct upload){ .path = cyg_xstrdup(path) };
	}
	if (chunk == 1)
		u->before = 0;
	else if (!found || chunk != u->chunk)
		u->before = u->size;
	u->chunk = chunk;
	u->size = size;
	u->used_ms = cyg_clock_mono_ms();
	uv_mutex_unlock(&s->lock);
}

void state_upload_forget(struct contents_state *s, const char *path)
{
	uv_mutex_lock(&s->lock);
	struct upload *u = find_upload(s, path);
	if (u->path != NULL && strcmp(u->path, path) == 0) {
		free(u->path);
		*u = (struct upload){ 0 };
	}
	uv_mutex_unlock(&s->lock);
}
