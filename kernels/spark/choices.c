/* Keeps them. */
#include "kernels/spark/choices.h"

#include "base/mem.h"

#include <string.h>

struct choice {
	struct cyg_link link;
	char *kernel, *cluster, *flavour, *bundles, *notebook; /* JSON but for the first two */
};

static struct choice *choice_of(struct cyg_link *link)
{
	return CYG_CONTAINER_OF(link, struct choice, link);
}

static void drop(struct choices *c, struct choice *one)
{
	cyg_list_remove(&c->list, &one->link);
	free(one->kernel);
	free(one->cluster);
	free(one->flavour);
	free(one->bundles);
	free(one->notebook);
	free(one);
}

static struct choice *find(const struct choices *c, const char *kernel)
{
	cyg_list_each (it, &c->list) {
		if (strcmp(choice_of(it)->kernel, kernel) == 0)
			return choice_of(it);
	}
	return NULL;
}

void choices_init(struct choices *c)
{
	cyg_list_init(&c->list);
}

void choices_free(struct choices *c)
{
	cyg_list_each_safe (it, &c->list) {
		drop(c, choice_of(it));
	}
}

void choices_drop(struct choices *c, const char *kernel)
{
	struct choice *one = find(c, kernel);

	if (one != NULL)
		drop(c, one);
}

static char *copy(struct cyg_str json)
{
	return json.p != NULL ? cyg_str_dup(json) : NULL;
}

void choices_set(struct choices *c, const struct session_want *want)
{
	struct choice *one = cyg_xcalloc(1, sizeof(*one));

	choices_drop(c, want->kernel);
	if (c->list.n == CHOICES_MAX)
		drop(c, choice_of(cyg_list_first(&c->list)));
	one->kernel = cyg_xstrdup(want->kernel);
	one->cluster = want->cluster != NULL ? cyg_xstrdup(want->cluster) : NULL;
	one->flavour = copy(want->flavour);
	one->bundles = copy(want->bundles);
	one->notebook = copy(want->notebook);
	cyg_list_add(&c->list, &one->link);
}

static void fill(struct cyg_str *to, const char *json)
{
	if (to->p == NULL && json != NULL)
		*to = cyg_str_of(json);
}

void choices_apply(const struct choices *c, struct session_want *want)
{
	const struct choice *one = find(c, want->kernel);

	if (one == NULL)
		return;
	if (want->cluster == NULL)
		want->cluster = one->cluster;
	fill(&want->flavour, one->flavour);
	fill(&want->bundles, one->bundles);
	fill(&want->notebook, one->notebook);
}
