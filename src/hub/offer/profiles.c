/* Finds stacks, clusters and profiles by id. profiles_read.c fills them from YAML. */
#include "hub/offer/profiles.h"

#include "base/mem.h"

#include <string.h>

void profiles_free(struct profiles *p)
{
	if (p == NULL)
		return;
	cyg_arena_free(&p->arena);
	free(p);
}

const struct profile *profiles_find(const struct profiles *p, const char *id)
{
	for (size_t i = 0; i < p->n_profiles; i++) {
		if (strcmp(p->profiles[i].id, id) == 0)
			return &p->profiles[i];
	}
	return NULL;
}

const struct profile_stack *profiles_find_stack(const struct profiles *p, const char *id)
{
	for (size_t i = 0; i < p->n_stacks; i++) {
		if (strcmp(p->stacks[i].id, id) == 0)
			return &p->stacks[i];
	}
	return NULL;
}

const struct profile_cluster *profiles_find_cluster(const struct profiles *p, const char *id)
{
	for (size_t i = 0; i < p->n_clusters; i++) {
		if (strcmp(p->clusters[i].id, id) == 0)
			return &p->clusters[i];
	}
	return NULL;
}

const struct profile *profiles_default(const struct profiles *p)
{
	for (size_t i = 0; i < p->n_profiles; i++) {
		if (p->profiles[i].is_default)
			return &p->profiles[i];
	}
	return p->n_profiles > 0 ? &p->profiles[0] : NULL;
}

bool profile_list_has(const struct profile_list *list, const char *item)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->items[i], item) == 0)
			return true;
	}
	return false;
}

bool profile_amounts_have(const struct profile_amounts *amounts, uint64_t value)
{
	for (size_t i = 0; i < amounts->n; i++) {
		if (amounts->values[i] == value)
			return true;
	}
	return false;
}
