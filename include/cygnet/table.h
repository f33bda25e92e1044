/* The proxy's table, as the hub tells it and the proxy keeps it: JSON over the proxy's control
 * socket. Both ends take their words and limits from here.
 *
 *   PUT /table    {"generation": N, "routes": [ROUTE...], "credentials": [CREDENTIAL...]}
 *   PATCH /table  {"from": N, "to": M, "set": {"routes": [ROUTE...], "credentials":
 * [CREDENTIAL...]}, "drop": {"routes": [{"host", "prefix"}...], "credentials": ["SHA256"...]}}
 *
 * PUT is the whole table: the first one, and the repair. PATCH is the difference between two
 * generations; M is greater than N, and set and drop may be missing. What is dropped goes first;
 * what is set takes the place of the row with the same key, or is new. Both are refused whole (400,
 * 413) or done whole, and the response 200 {"generation": G} means: in force. From then on nothing
 * uses what is no longer there; a WebSocket or request of a credential or route that is gone, or no
 * longer allows it, is cut. A PATCH whose "from" is not the generation in force changes nothing and
 * gets the response 409; the hub then sends a PUT.
 *
 *   ROUTE       {"host", "prefix", "target", "auth", "owner", "name", "server"}; its key is host
 * and prefix. host: null for any; target: "unix:PATH" or "tcp:ADDRESS:PORT"; auth: "none",
 *               "session" (only credentials that may use it) or "user" (any user's credential);
 *               owner: the server's owner; name: its name, "" for the default one;
 *               server: the id of its present life.
 *   CREDENTIAL  {"sha256", "user", "host", "expires", "access", "server"}; its key is sha256, in
 *               hexadecimal digits, of the secret's text. user: who asks with it, X-Cygnet-User;
 *               host: the only host at which it is good, null for any; expires: seconds since 1970,
 *               0 for never; server: good at the inner listener alone, for the server of that id.
 *               access: routes it may use beside the servers of its own user, which always pass:
 *               "OWNER" for all of somebody's, "OWNER/NAME" for one ("OWNER/" for the default one),
 *               "*" for everybody's.
 *
 * Fields that may be null may also be missing. Others are refused. */
#ifndef CYGNET_TABLE_H
#define CYGNET_TABLE_H

#include "cygnet/limits.h"

#define CYG_TABLE_TARGET "/table" /* of the requests */

#define CYG_TABLE_GENERATION  "generation"
#define CYG_TABLE_FROM        "from"
#define CYG_TABLE_TO          "to"
#define CYG_TABLE_SET         "set"
#define CYG_TABLE_DROP        "drop"
#define CYG_TABLE_ROUTES      "routes"
#define CYG_TABLE_CREDENTIALS "credentials"

#define CYG_ROUTE_HOST         "host"
#define CYG_ROUTE_PREFIX       "prefix"
#define CYG_ROUTE_TO           "target"
#define CYG_ROUTE_AUTH         "auth"
#define CYG_ROUTE_OWNER        "owner"
#define CYG_ROUTE_NAME         "name"
#define CYG_ROUTE_SERVER       "server"
#define CYG_ROUTE_AUTH_NONE    "none"
#define CYG_ROUTE_AUTH_SESSION "session"
#define CYG_ROUTE_AUTH_USER    "user"

#define CYG_CREDENTIAL_SHA256  "sha256"
#define CYG_CREDENTIAL_USER    "user"
#define CYG_CREDENTIAL_HOST    "host"
#define CYG_CREDENTIAL_EXPIRES "expires"
#define CYG_CREDENTIAL_ACCESS  "access"
#define CYG_CREDENTIAL_SERVER  "server"

enum {
	CYG_TABLE_MAX = 64 * 1024 * 1024,  /* bytes of a PUT: 100,000 routes, 400,000 credentials */
	CYG_TABLE_PATCH_MAX = 1024 * 1024, /* bytes of a PATCH: beyond it a PUT is as good */
	CYG_TABLE_ROUTES_MAX = 100000,
	CYG_TABLE_CREDENTIALS_MAX = 400000,
	CYG_TABLE_ACCESS_MAX = 256,            /* entries of one credential: shares of one user */
	CYG_ROUTE_HOST_MAX = 255,              /* bytes of a host name: DNS has no longer ones */
	CYG_ROUTE_PREFIX_MAX = 512,            /* bytes of a prefix */
	CYG_ROUTE_TO_MAX = 200,                /* bytes of a target; a Unix path ends at 107 */
	CYG_TABLE_NAME_MAX = 4 * CYG_NAME_MAX, /* bytes of user, owner, name, server */
};

#endif
