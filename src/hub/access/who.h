/* The identity of one request: who asks, with which credential. */
#ifndef HUB_ACCESS_WHO_H
#define HUB_ACCESS_WHO_H

#include "http/server.h"
#include "hub/access/principal.h"
#include "hub/access/sessions.h"
#include "hub/access/token.h"

struct srv;

/* Lives in the request's arena. */
struct who {
	struct principal principal;
	struct person *person;   /* of users and servers; NULL: no credential, or a service */
	struct session *session; /* by cookie or token */
	struct token *token;     /* by an API token */
	struct srv *srv;         /* by the inner listener: acts for that one server only */
	const char *server;      /* its name */
	bool by_cookie;          /* such a request may have been forged by another site */
};

/* Finds out who asks. */
void who_find(struct http_req *req, struct who *ret);
/* Admin by flag, not by a scope: only they may make other admins, or change them. */
bool who_is_admin(const struct who *who);
/* "User" or "Service", and the name, for messages and the log. */
const char *who_kind(const struct who *who);
struct cyg_str who_name(const struct who *who);

#endif
