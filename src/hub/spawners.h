/* The spawners of the hub: a link to each, and which of them a server is with. A profile names a
 * template, and the spawner that has the template runs it. */
#ifndef HUB_SPAWNERS_H
#define HUB_SPAWNERS_H

#include "hub/hub.h"
#include "hub/link/spawner_link.h"

struct listing;
struct srv;

struct spawner {
	struct hub *hub;
	struct spawner_link *link;
	char *path;
	bool known;              /* its list was compared on this connection */
	struct listing *listing; /* of reconcile.c: the list that is on its way, or NULL */
};

/* One link for each path of the option, which separates them by commas; NULL: RUN's own. */
int spawners_new(struct hub *hub, const char *paths, struct spawners **ret, struct cyg_err *err);
/* No callback comes after it; NULL is accepted. */
void spawners_close(struct spawners *all);

/* By number, from 0; NULL behind the last. */
struct spawner *spawners_at(const struct spawners *all, size_t number);
/* Whether each, but for one (or NULL), is connected and its list was compared. */
bool spawners_all_known(const struct spawners *all, const struct spawner *but);
/* What is said of all: the HELLO of the one that separates users least, or NULL. */
const struct spawn_hello *spawners_hello(const struct spawners *all);
/* The open calls with that argument, of every link, are forgotten. */
void spawners_forget(struct spawners *all, const void *arg);

/* Where a server is: where it was sent or found; else whose template it needs. NULL: not known now.
 * Where there is one spawner alone it is that one. */
struct spawner *spawners_of(const struct srv *srv);
/* Whether a queued server's request can leave, or is sure to be refused. */
bool spawners_can_start(const struct srv *srv);

#endif
