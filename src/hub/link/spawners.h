/* The spawners of the hub: a link to each, and which of them a server is with. A profile names a
 * template, and the spawner that has the template runs it. */
#ifndef HUB_SPAWNERS_H
#define HUB_SPAWNERS_H

#include "hub/link/spawner_link.h"

enum { SPAWNERS_MAX = 16 };

struct spawners;

struct spawner {
	void *owner; /* of the options */
	struct spawner_link *link;
	char *path;
	bool known; /* its list was compared on this connection; set by the owner */
};

struct spawners_opts {
	uv_loop_t *uv;
	const char *run_dir;
	const char *paths; /* of sockets, separated by commas; NULL: the one below run_dir */
	const struct spawner_events *events; /* their arg is the struct spawner */
	void *owner;
};

/* One link for each path. On failure what was made is left in ret for spawners_close. */
int spawners_new(const struct spawners_opts *opts, struct spawners **ret, struct cyg_err *err);
/* No callback comes after it; NULL is accepted. */
void spawners_close(struct spawners *all);

/* By number, from 0; NULL behind the last. */
struct spawner *spawners_at(const struct spawners *all, size_t number);
/* Connected, and its list was compared. */
bool spawner_is_known(const struct spawner *s);
/* "process", "sandbox", "sandbox-one-uid", or "unknown" while there was no HELLO (NULL). */
const char *spawner_isolation_name(const struct spawn_hello *hello);
/* The one that has that template, or NULL. */
struct spawner *spawners_with(const struct spawners *all, const char *template_);
/* Whether all spawners, except one (or NULL), are connected and their lists were compared. */
bool spawners_all_known(const struct spawners *all, const struct spawner *but);
/* The HELLO of the spawner that separates users least, which is shown for all; or NULL. */
const struct spawn_hello *spawners_hello(const struct spawners *all);
/* Forgets the open calls with that argument, of every link. */
void spawners_forget(struct spawners *all, const void *arg);

#endif
