/* What every proxy shall have, as rows of JSON: routes and credentials, each with the generation of
 * its last change, so that a proxy with an older generation gets the difference alone. Pure;
 * proxy_link.c sends it. The format is cygnet/table.h. */
#ifndef HUB_TABLE_H
#define HUB_TABLE_H

#include "base/buf.h"
#include "cygnet/table.h"

#include <stdint.h>

/* NULL texts are left out. */
struct hub_route {
	const char *host;   /* NULL: any */
	const char *prefix; /* escaped, as in a URL */
	const char *target, *auth;
	const char *owner, *name, *server;
};

struct hub_credential {
	const char *sha256; /* hexadecimal */
	const char *user;
	const char *host;          /* NULL: good anywhere */
	int64_t expires_s;         /* 0: never */
	const char *const *access; /* NULL-ended, or NULL: only the user's own servers */
	const char *server;        /* good at the inner listener alone, for that server */
};

struct hub_table;

/* Every change makes the next generation, from this one on. */
struct hub_table *hub_table_new(uint64_t generation);
/* NULL is accepted. */
void hub_table_free(struct hub_table *t);
uint64_t hub_table_generation(const struct hub_table *t);

/* Setting a row to what it is, or removing one that is not there, is no change. True when there was
 * a change. */
bool hub_table_set_route(struct hub_table *t, const struct hub_route *r);
bool hub_table_drop_route(struct hub_table *t, const char *host, const char *prefix);
bool hub_table_set_credential(struct hub_table *t, const struct hub_credential *c);
bool hub_table_drop_credential(struct hub_table *t, const char *sha256);

/* Appends the body of a PUT. */
int hub_table_write(const struct hub_table *t, struct cyg_buf *out, struct cyg_err *err);
/* Appends the body of a PATCH from that generation on. -CYG_ENOENT when it is not remembered what
 * was removed since, -CYG_ELIMIT when the change is too large: send a PUT then. The cost is that of
 * the changes, not of the table. */
int hub_table_write_since(
    const struct hub_table *t, uint64_t from, struct cyg_buf *out, struct cyg_err *err);
/* Every proxy that gets changes has at least this generation: removals before it are forgotten. */
void hub_table_forget(struct hub_table *t, uint64_t generation);
/* Number of rows that are remembered only because they were removed. */
size_t hub_table_n_dropped(const struct hub_table *t);

#endif
