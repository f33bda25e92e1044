/* The hash table: linear probing with backward-shift deletion, at most two thirds full. */
#include "base/hash.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

struct slot {
	char *key; /* NULL: free */
	size_t len;
	uint64_t hash;
	void *value;
};

struct cyg_hash {
	struct slot *slots;
	size_t cap; /* a power of two */
	size_t n;
	uint8_t seed[16];
};

enum { HASH_FIRST = 16 };

static uint64_t rotl(uint64_t x, unsigned b)
{
	return x << b | x >> (64 - b);
}

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

uint64_t cyg_siphash(const uint8_t key[16], const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t k0 = load64(key);
	uint64_t k1 = load64(key + 8);
	uint64_t v[4] = { k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
		k1 ^ 0x7465646279746573 };
	uint64_t last = (uint64_t)len << 56;

	for (size_t i = 0; i + 8 <= len; i += 8) {
		uint64_t m = load64(p + i);

		v[3] ^= m;
		sip_round(v);
		sip_round(v);
		v[0] ^= m;
	}
	for (size_t i = len & ~(size_t)7, shift = 0; i < len; i++, shift += 8)
		last |= (uint64_t)p[i] << shift;
	v[3] ^= last;
	sip_round(v);
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct cyg_hash *cyg_hash_new(void)
{
	struct cyg_hash *h = cyg_xcalloc(1, sizeof(*h));

	h->cap = HASH_FIRST;
	h->slots = cyg_xcalloc(h->cap, sizeof(*h->slots));
	while (getrandom(h->seed, sizeof(h->seed), 0) < 0 && errno == EINTR)
		continue;
	return h;
}

void cyg_hash_free(struct cyg_hash *h, void (*free_value)(void *value))
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->cap; i++) {
		if (h->slots[i].key == NULL)
			continue;
		if (free_value != NULL)
			free_value(h->slots[i].value);
		free(h->slots[i].key);
	}
	free(h->slots);
	free(h);
}

/* The slot that holds the key, or the free one where it would go. */
static struct slot *slot_of(const struct cyg_hash *h, struct cyg_str key, uint64_t hash)
{
	size_t i = (size_t)hash & (h->cap - 1);

	for (;; i = (i + 1) & (h->cap - 1)) {
		struct slot *s = &h->slots[i];

		if (s->key == NULL)
			return s;
		if (s->hash == hash && s->len == key.len &&
		    (key.len == 0 || memcmp(s->key, key.p, key.len) == 0))
			return s;
	}
}

void *cyg_hash_find(const struct cyg_hash *h, struct cyg_str key)
{
	const struct slot *s = slot_of(h, key, cyg_siphash(h->seed, key.p, key.len));

	return s->key != NULL ? s->value : NULL;
}

static void grow(struct cyg_hash *h)
{
	struct slot *old = h->slots;
	size_t old_cap = h->cap;

	h->cap = old_cap * 2;
	h->slots = cyg_xcalloc(h->cap, sizeof(*h->slots));
	for (size_t i = 0; i < old_cap; i++) {
		if (old[i].key != NULL)
			*slot_of(h, (struct cyg_str){ old[i].key, old[i].len }, old[i].hash) =
			    old[i];
	}
	free(old);
}

void *cyg_hash_set(struct cyg_hash *h, struct cyg_str key, void *value)
{
	uint64_t hash = cyg_siphash(h->seed, key.p, key.len);
	struct slot *s = slot_of(h, key, hash);
	void *old = s->value;

	if (s->key != NULL) {
		s->value = value;
		return old;
	}
	if ((h->n + 1) * 3 > h->cap * 2) {
		grow(h);
		s = slot_of(h, key, hash);
	}
	*s = (struct slot){ cyg_str_dup(key), key.len, hash, value };
	h->n++;
	return NULL;
}

/* Frees the slot and moves back whatever the hole would cut off from its home slot. */
static void remove_at(struct cyg_hash *h, size_t hole)
{
	free(h->slots[hole].key);
	h->slots[hole] = (struct slot){ 0 };
	h->n--;
	for (size_t i = (hole + 1) & (h->cap - 1); h->slots[i].key != NULL;
	     i = (i + 1) & (h->cap - 1)) {
		size_t home = (size_t)h->slots[i].hash & (h->cap - 1);

		if (((i - home) & (h->cap - 1)) < ((i - hole) & (h->cap - 1)))
			continue;
		h->slots[hole] = h->slots[i];
		h->slots[i] = (struct slot){ 0 };
		hole = i;
	}
}

void *cyg_hash_remove(struct cyg_hash *h, struct cyg_str key)
{
	const struct slot *s = slot_of(h, key, cyg_siphash(h->seed, key.p, key.len));
	void *value = s->value;

	if (s->key != NULL)
		remove_at(h, (size_t)(s - h->slots));
	return value;
}

size_t cyg_hash_sweep(struct cyg_hash *h, cyg_hash_goes_fn goes, void *arg)
{
	size_t first = 0, n = 0;

	/* No run of keys goes past a free slot, and there is always one. The sweep starts behind a
	 * free slot, so a removal moves only keys that were not visited yet, and puts the next of
	 * them into this slot. */
	while (h->slots[first].key != NULL)
		first++;
	for (size_t told = 1; told < h->cap;) {
		size_t i = (first + told) & (h->cap - 1);
		const struct slot *s = &h->slots[i];

		if (s->key != NULL && goes(arg, (struct cyg_str){ s->key, s->len }, s->value)) {
			remove_at(h, i);
			n++;
		} else {
			told++;
		}
	}
	return n;
}

size_t cyg_hash_count(const struct cyg_hash *h)
{
	return h->n;
}

bool cyg_hash_next(const struct cyg_hash *h, size_t *pos, struct cyg_str *key, void **value)
{
	for (; *pos < h->cap; (*pos)++) {
		const struct slot *s = &h->slots[*pos];

		if (s->key == NULL)
			continue;
		*key = (struct cyg_str){ s->key, s->len };
		*value = s->value;
		(*pos)++;
		return true;
	}
	return false;
}
