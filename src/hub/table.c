/* Everything the proxy may let through: the hub itself, the servers that answer, the sessions, the
 * tokens that may, and the servers' own credentials. */
#include "hub/table.h"

#include "base/mem.h"
#include "cygnet/paths.h"
#include "hub/access/holdings.h"
#include "hub/access/sessions.h"
#include "hub/srv.h"

#include <jansson.h>
#include <string.h>

static json_t *hub_route(const struct hub *hub)
{
	cyg_autofree char *target = cyg_xasprintf("unix:%s/hub/http.sock", hub->config.run_dir);

	/* Everything without a better route: the hub's pages, and addresses of stopped servers. */
	return json_pack(
	    "{s:n, s:s, s:s, s:s}", "host", "prefix", "/", "target", target, "auth", "none");
}

/* Addresses of servers that do not run, or are somebody else's: who is signed in is told by the
 * hub, who is not by the proxy, in the same words as where a server runs. */
static json_t *users_route(const struct hub *hub)
{
	cyg_autofree char *target = cyg_xasprintf("unix:%s/hub/http.sock", hub->config.run_dir);

	return json_pack("{s:n, s:s, s:s, s:s}", "host", "prefix", CYG_USER_PATH, "target", target,
	    "auth", "user");
}

static json_t *server_route(const struct srv *srv)
{
	cyg_autofree char *path = hub_server_socket(srv->hub, srv->id);
	cyg_autofree char *target = cyg_xasprintf("unix:%s", path);

	return json_pack("{s:n, s:s, s:s, s:s, s:s, s:s}", "host", "prefix", srv->base_url,
	    "target", target, "auth", "session", "owner", srv->user, "server", srv->id);
}

static json_t *server_credential(const struct srv *srv)
{
	return json_pack("{s:s, s:s, s:i, s:s}", "sha256", srv->credential_sum, "user", srv->user,
	    "expires", 0, "server", srv->id);
}

static json_t *user_credential(const char *sum, const struct person *person, int64_t expires_us)
{
	return json_pack("{s:s, s:s, s:I}", "sha256", sum, "user", person->name, "expires",
	    (json_int_t)(expires_us / 1000000));
}

static void add_user_credentials(const struct hub *hub, json_t *credentials)
{
	const struct session *session = NULL;
	const struct token *token = NULL;
	size_t pos = 0;

	while (sessions_next(hub, &pos, &session))
		(void)json_array_append_new(credentials,
		    user_credential(session->sum, session->person, session->expires_us));
	pos = 0;
	while (tokens_next(hub, &pos, &token)) {
		if (holdings_open_servers(hub, token))
			(void)json_array_append_new(credentials,
			    user_credential(token->sum, token->person, token->expires_us));
	}
}

char *table_write(const struct hub *hub, uint64_t generation, size_t *len)
{
	json_t *routes = json_array(), *credentials = json_array();
	const struct srv *srv = NULL;
	size_t pos = 0;

	(void)json_array_append_new(routes, hub_route(hub));
	(void)json_array_append_new(routes, users_route(hub));
	add_user_credentials(hub, credentials);
	while (srvs_next(hub, &pos, &srv)) {
		if (srv->routed)
			(void)json_array_append_new(routes, server_route(srv));
		if (srv->credential_sum[0] != '\0')
			(void)json_array_append_new(credentials, server_credential(srv));
	}
	json_t *root = json_pack("{s:I, s:o, s:o}", "generation", (json_int_t)generation, "routes",
	    routes, "credentials", credentials);
	char *text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	*len = text != NULL ? strlen(text) : 0;
	return text;
}
