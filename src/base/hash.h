/* A hash table from byte strings to pointers: open addressing, SipHash with a key drawn at start,
 * so that no client can choose colliding keys. Keys are copied; values are the caller's. */
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
 * except that the key just returned may be removed: then take 1 off *pos (some keys come twice
 * then). To remove more than one key, use cyg_hash_sweep. */
bool cyg_hash_next(const struct cyg_hash *h, size_t *pos, struct cyg_str *key, void **value);
/* True when the key shall be removed; the callee then owns the value and may free it. The table
 * must not be changed from inside it. */
typedef bool (*cyg_hash_goes_fn)(void *arg, struct cyg_str key, void *value);
/* Calls the function once for each key, in no order, and removes the keys for which it returns
 * true. Returns how many were removed. */
size_t cyg_hash_sweep(struct cyg_hash *h, cyg_hash_goes_fn goes, void *arg);
/* SipHash-2-4 of data under a 16-byte key (Aumasson and Bernstein 2012). */
uint64_t cyg_siphash(const uint8_t key[16], const void *data, size_t len);

#endif
