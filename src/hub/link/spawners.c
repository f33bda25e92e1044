/* The list of spawners: one link each, found by number or by template. */
#include "hub/link/spawners.h"

#include "base/mem.h"
#include "base/str.h"

#include <stdlib.h>

struct spawners {
	struct spawner *list;
	size_t n;
};

static int add(
    struct spawners *all, const struct spawners_opts *opts, char *path, struct cyg_err *err)
{
	struct spawner *s = &all->list[all->n];

	if (all->n == SPAWNERS_MAX || path[0] != '/') {
		free(path);
		return cyg_fail(err, CYG_EINVAL,
		    "spawners: up to %d absolute paths of sockets, separated by commas",
		    SPAWNERS_MAX);
	}
	all->n++;
	s->owner = opts->owner;
	s->path = path;
	return spawner_link_new(opts->uv, s->path, opts->events, s, &s->link, err);
}

int spawners_new(const struct spawners_opts *opts, struct spawners **ret, struct cyg_err *err)
{
	struct cyg_str rest = cyg_str_of(opts->paths != NULL ? opts->paths : ""), one;
	int rc = 0;

	*ret = cyg_xcalloc(1, sizeof(**ret));
	(*ret)->list = cyg_xcalloc(SPAWNERS_MAX, sizeof(*(*ret)->list));
	if (opts->paths == NULL)
		return add(*ret, opts, cyg_xasprintf("%s/spawner/ctl.sock", opts->run_dir), err);
	while (rc == 0 && rest.len > 0 && cyg_str_next(&rest, ',', &one))
		rc = add(*ret, opts, cyg_str_dup(cyg_str_trim(one)), err);
	return rc;
}

void spawners_close(struct spawners *all)
{
	if (all == NULL)
		return;
	for (size_t i = 0; i < all->n; i++) {
		spawner_link_close(all->list[i].link);
		free(all->list[i].path);
	}
	free(all->list);
	free(all);
}

const char *spawner_isolation_name(const struct spawn_hello *hello)
{
	if (hello == NULL)
		return "unknown";
	switch ((enum spawn_isolation)hello->isolation) {
	case SPAWN_ISOLATION_PROCESS:
		return "process";
	case SPAWN_ISOLATION_SANDBOX:
		return "sandbox";
	case SPAWN_ISOLATION_SANDBOX_ONE_UID:
		return "sandbox-one-uid";
	}
	return "unknown";
}

struct spawner *spawners_at(const struct spawners *all, size_t number)
{
	return all != NULL && number < all->n ? &all->list[number] : NULL;
}

bool spawner_is_known(const struct spawner *s)
{
	return s->known && spawner_link_is_up(s->link);
}

bool spawners_all_known(const struct spawners *all, const struct spawner *but)
{
	for (size_t i = 0; all != NULL && i < all->n; i++)
		if (&all->list[i] != but && !spawner_is_known(&all->list[i]))
			return false;
	return all != NULL;
}

const struct spawn_hello *spawners_hello(const struct spawners *all)
{
	const struct spawn_hello *least = NULL;

	for (size_t i = 0; all != NULL && i < all->n; i++) {
		const struct spawn_hello *hello = spawner_link_hello(all->list[i].link);

		/* The kinds of separation are in rising order, except one uid for all. */
		if (hello != NULL &&
		    (least == NULL || hello->isolation == SPAWN_ISOLATION_PROCESS ||
			(hello->isolation > least->isolation &&
			    least->isolation != SPAWN_ISOLATION_PROCESS)))
			least = hello;
	}
	return least;
}

void spawners_forget(struct spawners *all, const void *arg)
{
	for (size_t i = 0; all != NULL && i < all->n; i++)
		spawner_link_forget_all(all->list[i].link, arg);
}

struct spawner *spawners_with(const struct spawners *all, const char *template_)
{
	for (size_t i = 0; all != NULL && i < all->n; i++)
		if (spawner_link_has(all->list[i].link, template_))
			return &all->list[i];
	return NULL;
}
