/* The list of spawners, and the choice among them. */
#include "hub/spawners.h"

#include "base/mem.h"
#include "base/str.h"
#include "hub/offer/profiles.h"
#include "hub/server/reconcile.h"
#include "hub/server/srv.h"

#include <stdlib.h>

enum { SPAWNERS_MAX = 16 };

struct spawners {
	struct spawner *list;
	size_t n;
};

static int add(struct spawners *all, struct hub *hub, char *path, struct cyg_err *err)
{
	struct spawner *s = &all->list[all->n];

	if (all->n == SPAWNERS_MAX || path[0] != '/') {
		free(path);
		return cyg_fail(err, CYG_EINVAL,
		    "spawners: up to %d absolute paths of sockets, separated by commas",
		    SPAWNERS_MAX);
	}
	all->n++;
	s->hub = hub;
	s->path = path;
	return spawner_link_new(hub->uv, s->path, &reconcile_events, s, &s->link, err);
}

int spawners_new(struct hub *hub, const char *paths, struct spawners **ret, struct cyg_err *err)
{
	struct cyg_str rest = cyg_str_of(paths != NULL ? paths : ""), one;
	int rc = 0;

	*ret = cyg_xcalloc(1, sizeof(**ret));
	(*ret)->list = cyg_xcalloc(SPAWNERS_MAX, sizeof(*(*ret)->list));
	if (paths == NULL)
		return add(
		    *ret, hub, cyg_xasprintf("%s/spawner/ctl.sock", hub->config.run_dir), err);
	while (rc == 0 && rest.len > 0 && cyg_str_next(&rest, ',', &one))
		rc = add(*ret, hub, cyg_str_dup(cyg_str_trim(one)), err);
	return rc;
}

void spawners_close(struct spawners *all)
{
	if (all == NULL)
		return;
	for (size_t i = 0; i < all->n; i++) {
		spawner_link_close(all->list[i].link);
		reconcile_close(&all->list[i]);
		free(all->list[i].path);
	}
	free(all->list);
	free(all);
}

struct spawner *spawners_at(const struct spawners *all, size_t number)
{
	return all != NULL && number < all->n ? &all->list[number] : NULL;
}

static bool is_known(const struct spawner *s)
{
	return s->known && spawner_link_is_up(s->link);
}

bool spawners_all_known(const struct spawners *all, const struct spawner *but)
{
	for (size_t i = 0; all != NULL && i < all->n; i++)
		if (&all->list[i] != but && !is_known(&all->list[i]))
			return false;
	return all != NULL;
}

const struct spawn_hello *spawners_hello(const struct spawners *all)
{
	const struct spawn_hello *least = NULL;

	for (size_t i = 0; all != NULL && i < all->n; i++) {
		const struct spawn_hello *hello = spawner_link_hello(all->list[i].link);

		/* The kinds of separation are in rising order, but for one uid for all. */
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

static struct spawner *owner(const struct srv *srv)
{
	const struct spawners *all = srv->hub->spawners;
	const struct profile *f = profiles_find(srv->hub->profiles, srv->choice.profile);

	for (size_t i = 0; f != NULL && i < all->n; i++)
		if (spawner_link_has(all->list[i].link, f->template_))
			return &all->list[i];
	return NULL;
}

struct spawner *spawners_of(const struct srv *srv)
{
	const struct spawners *all = srv->hub->spawners;

	if (srv->spawner != NULL)
		return srv->spawner;
	return all->n == 1 ? &all->list[0] : owner(srv);
}

bool spawners_can_start(const struct srv *srv)
{
	const struct spawner *s = spawners_of(srv);

	return s != NULL ? is_known(s) : spawners_all_known(srv->hub->spawners, NULL);
}
