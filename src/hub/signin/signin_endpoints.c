/* The endpoints of the sign-in, below the hub's mount. The pages that belong to them (/login,
 * /logout) are in src/hub/api/pages.c. */
#include "hub/signin/signin_priv.h"

#include <stddef.h>

enum { LOGIN_MAX = 16 * 1024 };

const struct http_endpoint signin_endpoints[] = {
	{ HTTP_POST, "/login", "anyone", signin_post, LOGIN_MAX },
	{ HTTP_GET, "/oauth_login", "anyone", signin_begin, 0 },
	{ HTTP_GET, "/oauth_callback", "anyone", signin_oidc_callback, 0 },
	{ HTTP_GET, "/oauth_callback/{provider}", "anyone", signin_oidc_callback, 0 },
	{ HTTP_GET, "/oauth_logout", "anyone", signin_oidc_leave, 0 },
	{ HTTP_POST, "/logout", "anyone", signout_post, LOGIN_MAX },
	{ HTTP_GET, "/api/cygnet/refusals/{code}", "anyone", signin_get_refusal, 0 },
	{ .path = NULL },
};
