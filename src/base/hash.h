/* A hash table from byte strings to pointers: open addressing, SipHash with a key drawn at start,
 * so that strangers cannot choose colliding keys. Keys are copied; values are the caller's. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

#include <stdint.h>

struct cyg_hash;

struct cyg_hash *cyg_hash_new(void);
/* Frees the table; free_value (may be NULL) is called for each value. NULL is accepted. */
void cyg_hash_free(struct cyg_hash *h, void (*free_value)(void *value));
/* The value, or NULL. */
void *cyg_hash_find(const struct cyg_hash *h, struct cyg_str key);
/* Sets the value (not NULL) of a key; returns the one it replaces, or NULL. */
void *cyg_hash_set(struct cyg_hash *h, struct cyg_str key, void *value);
/* Removes the key; returns its value, or NULL when it was not there. */
void *cyg_hash_remove(struct cyg_hash *h, struct cyg_str key);
size_t cyg_hash_count(const struct cyg_hash *h);
/* Iterates in no order: start with *pos = 0; false at the end. The table must not change meanwhile,
 * except that the key just told may be removed: then take 1 off *pos (others are told twice).
 * Whoever wants to remove more than one sweeps. */
bool cyg_hash_next(const struct cyg_hash *h, size_t *pos, struct cyg_str *key, void **value);
/* True when the key goes; the value is the callee's then, and may be freed. The table must not be
 * changed from inside it. */
typedef bool (*cyg_hash_goes_fn)(void *arg, struct cyg_str key, void *value);
/* Asks about each key once, in no order, and removes those that go. Returns their number. */
size_t cyg_hash_sweep(struct cyg_hash *h, cyg_hash_goes_fn goes, void *arg);
/* SipHash-2-4 of data under a 16-byte key (Aumasson and Bernstein 2012). */
uint64_t cyg_siphash(const uint8_t key[16], const void *data, size_t len);

#endif
