/* A principal: who asks, and which scopes they hold. Every decision about access is made from it.
 * Pure: it knows no rows. Built once for each request, in its arena. */
#ifndef HUB_ACCESS_PRINCIPAL_H
#define HUB_ACCESS_PRINCIPAL_H

#include "hub/access/scope_set.h"

enum principal_kind {
	PRINCIPAL_NOBODY,
	PRINCIPAL_USER,          /* by a session or a token of theirs */
	PRINCIPAL_SERVICE,       /* by a token */
	PRINCIPAL_SERVER,        /* by its own credential, at the inner listener: for its user */
	PRINCIPAL_ADMINISTRATOR, /* by the administrator's token: a service with the admin role */
};

struct principal {
	enum principal_kind kind;
	struct scope_owner owner; /* for filters without a name; a service has no user */
	struct scope_set scopes;  /* expanded */
	struct scope_members members;
};

/* Texts of scopes as they are written in a role or a token. */
struct scope_texts {
	const char *const *items;
	size_t n;
};

/* The decision about a request: allowed; not held at all (403, naming the scopes); or held for
 * other targets only, where the response does not tell whether the thing exists (404). */
enum scope_verdict { SCOPE_ALLOWED, SCOPE_LACKING, SCOPE_HIDDEN };

/* Holds no scope yet. owner's texts and members must live as long as the principal. */
void principal_init(struct principal *p, enum principal_kind kind, const struct scope_owner *owner,
    const struct scope_members *members, struct cyg_arena *arena);
/* Adds the scopes of a role that the principal has. */
int principal_add(struct principal *p, const struct scope_texts *scopes, struct cyg_err *err);
/* Narrows the owner to one of their tokens: what both hold, at the time of the request, so that a
 * lost role weakens old tokens at once. "inherit" among the scopes leaves all. client: the server
 * or service the token was made for (its user is not looked at), or NULL; such a token may also
 * reach that server or service, and every token may tell whose it is. */
int principal_narrow(struct principal *p, const struct scope_texts *scopes,
    const struct scope_owner *client, struct cyg_err *err);
/* Whether maker may make a token of owner with those scopes: no more than either holds. -CYG_EINVAL
 * names the scopes that are too much. */
int principal_may_grant(const struct principal *maker, const struct principal *owner,
    const struct scope_texts *scopes, struct cyg_err *err);
/* Whether one of the scopes (any) is held for the target. */
enum scope_verdict scope_allows(
    const struct principal *p, scope_bits any, const struct scope_target *target);

#endif
