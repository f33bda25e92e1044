/* The usual ways in which memory follows a turn: each changes memory now, and takes the change back
 * when the turn cannot be written. Changes of one turn are taken back newest first, so they may
 * build on each other. */
#ifndef STORE_UNDO_H
#define STORE_UNDO_H

#include "base/hash.h"
#include "base/list.h"

#include <stddef.h>

struct store;

/* Remembers len bytes at field as they are; the caller changes them then. What field is part of
 * must live until the turn has ended. */
void store_keep(struct store *st, void *field, size_t len);
/* Puts value into the pointer at place. The turn owns what is no longer needed: the old value when
 * it is on disk, the new one when it is not; free_value frees it (NULL is not handed to it). */
void store_replace(struct store *st, void *place, void *value, void (*free_value)(void *value));
/* A new entry of a hash, or another value for its key: owned as above. */
void store_hash_set(struct store *st, struct cyg_hash *hash, struct cyg_str key, void *value,
    void (*free_value)(void *value));
/* Removes an entry: its value is freed once that is on disk, and put back when it is not. */
void store_hash_remove(
    struct store *st, struct cyg_hash *hash, struct cyg_str key, void (*free_value)(void *value));
/* The same for a value that the caller has taken out, or is about to. */
void store_hash_removed(struct store *st, struct cyg_hash *hash, struct cyg_str key, void *value,
    void (*free_value)(void *value));
/* Puts a link on a list, or takes it off; on the way back it comes to the list's end. */
void store_list_add(struct store *st, struct cyg_list *list, struct cyg_link *link);
void store_list_remove(struct store *st, struct cyg_list *list, struct cyg_link *link);
/* For values that a hash does not own. */
void store_free_nothing(void *value);

#endif
