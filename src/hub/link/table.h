/* What every proxy shall know, as rows of JSON: routes and credentials, each with the generation of
 * its last change, so that a proxy that has an older generation is told the difference alone. Pure;
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
	const char *server;        /* good at the inner door alone, for that server */
};

struct hub_table;

/* Every change makes the next generation, from this one on. */
struct hub_table *hub_table_new(uint64_t generation);
/* NULL is accepted. */
void hub_table_free(struct hub_table *t);
uint64_t hub_table_generation(const struct hub_table *t);

/* A row that says what is there already is no change, and neither is dropping what is not there.
 * True when there was a change. */
bool hub_table_set_route(struct hub_table *t, const struct hub_route *r);
bool hub_table_drop_route(struct hub_table *t, const char *host, const char *prefix);
bool hub_table_set_credential(struct hub_table *t, const struct hub_credential *c);
bool hub_table_drop_credential(struct hub_table *t, const char *sha256);

/* Appends the body of a PUT. */
int hub_table_write(const struct hub_table *t, struct cyg_buf *out, struct cyg_err *err);
/* Appends the body of a PATCH from that generation on. -CYG_ENOENT when it is not remembered what
 * has gone since, -CYG_ELIMIT when the change is too large: send a PUT. Costs what has changed. */
int hub_table_write_since(
    const struct hub_table *t, uint64_t from, struct cyg_buf *out, struct cyg_err *err);
/* Every proxy that is told of changes has at least this generation: what went before it is
 * forgotten. */
void hub_table_forget(struct hub_table *t, uint64_t generation);
/* Rows that are remembered only because they went. */
size_t hub_table_n_dropped(const struct hub_table *t);

#endif
