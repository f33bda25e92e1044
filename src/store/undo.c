/* The usual ways in which memory follows a turn, as undo.h declares them. turn.c calls back when
 * the turn has ended. */
#include "store/undo.h"

#include "base/mem.h"
#include "store/store.h"

#include <string.h>

/* ---- plain fields ---- */

struct kept {
	void *field;
	size_t len;
	unsigned char bytes[];
};

static void end_kept(void *arg, bool failed)
{
	struct kept *kept = arg;

	if (failed)
		memcpy(kept->field, kept->bytes, kept->len);
	free(kept);
}

void store_keep(struct store *st, void *field, size_t len)
{
	struct kept *kept = cyg_xcalloc(1, sizeof(*kept) + len);

	kept->field = field;
	kept->len = len;
	memcpy(kept->bytes, field, len);
	store_undo(st, end_kept, kept);
}

/* ---- pointers ---- */

struct replaced {
	void *place;
	void *old;
	void (*free_value)(void *value);
};

static void end_replaced(void *arg, bool failed)
{
	struct replaced *r = arg;
	void *value = r->old;

	if (failed) {
		memcpy(&value, r->place, sizeof(value));
		memcpy(r->place, &r->old, sizeof(r->old));
	}
	if (value != NULL)
		r->free_value(value);
	free(r);
}

void store_replace(struct store *st, void *place, void *value, void (*free_value)(void *value))
{
	struct replaced *r = cyg_xcalloc(1, sizeof(*r));

	r->place = place;
	r->free_value = free_value;
	memcpy(&r->old, place, sizeof(r->old));
	memcpy(place, &value, sizeof(value));
	store_undo(st, end_replaced, r);
}

/* ---- hashes ---- */

struct entry {
	struct cyg_hash *hash;
	void *old; /* the value that the key had, or NULL */
	void (*free_value)(void *value);
	size_t key_len;
	char key[];
};

static void end_entry(void *arg, bool failed)
{
	struct entry *e = arg;
	struct cyg_str key = { e->key, e->key_len };
	void *value = e->old;

	if (failed)
		value = e->old != NULL ? cyg_hash_set(e->hash, key, e->old)
				       : cyg_hash_remove(e->hash, key);
	if (value != NULL)
		e->free_value(value);
	free(e);
}

static void add_entry(struct store *st, struct cyg_hash *hash, struct cyg_str key, void *old,
    void (*free_value)(void *value))
{
	struct entry *e = cyg_xcalloc(1, sizeof(*e) + key.len);

	e->hash = hash;
	e->old = old;
	e->free_value = free_value;
	e->key_len = key.len;
	memcpy(e->key, key.p, key.len);
	store_undo(st, end_entry, e);
}

void store_hash_set(struct store *st, struct cyg_hash *hash, struct cyg_str key, void *value,
    void (*free_value)(void *value))
{
	add_entry(st, hash, key, cyg_hash_set(hash, key, value), free_value);
}

void store_hash_remove(
    struct store *st, struct cyg_hash *hash, struct cyg_str key, void (*free_value)(void *value))
{
	void *old = cyg_hash_remove(hash, key);

	if (old != NULL)
		add_entry(st, hash, key, old, free_value);
}

void store_hash_removed(struct store *st, struct cyg_hash *hash, struct cyg_str key, void *value,
    void (*free_value)(void *value))
{
	add_entry(st, hash, key, value, free_value);
}

/* ---- lists ---- */

struct linked {
	struct cyg_list *list;
	struct cyg_link *link;
	bool added;
};

static void end_linked(void *arg, bool failed)
{
	struct linked *l = arg;

	if (failed && l->added)
		cyg_list_remove(l->list, l->link);
	else if (failed)
		cyg_list_add(l->list, l->link);
	free(l);
}

static void add_linked(struct store *st, struct linked linked)
{
	struct linked *l = cyg_xcalloc(1, sizeof(*l));

	*l = linked;
	store_undo(st, end_linked, l);
}

void store_list_add(struct store *st, struct cyg_list *list, struct cyg_link *link)
{
	cyg_list_add(list, link);
	add_linked(st, (struct linked){ list, link, true });
}

void store_list_remove(struct store *st, struct cyg_list *list, struct cyg_link *link)
{
	cyg_list_remove(list, link);
	add_linked(st, (struct linked){ list, link, false });
}

void store_free_nothing(void *value)
{
	(void)value;
}
