/* Responses that wait until every proxy has the table, so that a client that has the response can
 * rely on the change. */
#ifndef HUB_IN_FORCE_H
#define HUB_IN_FORCE_H

#include "http/server.h"
#include "hub/link/proxy_link.h"

#include <jansson.h>

/* Pushes the table and responds once it is in force; a proxy that does not answer in time gets it
 * later, and the response leaves all the same: the row is what counts. Takes the body (NULL: none).
 * What was done stays done when the client goes away. When it cannot be saved: reply_unsaved. */
void reply_in_force(struct proxy_link *link, struct http_req *req, int status, json_t *body);
/* The same once this turn is on disk, where the table has not changed. */
void reply_committed(struct store *store, struct http_req *req, int status, json_t *body);

#endif
