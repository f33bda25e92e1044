/* GET /hub/api/user and /hub/api/users/{name}: JupyterHub's user and server models (reference 1.4,
 * 1.5) with our own facts under "cygnet". Also the version and info. */
#include "base/clock.h"
#include "base/mem.h"
#include "cygnet/paths.h"
#include "cygnet/version.h"
#include "hub/access/auth.h"
#include "hub/api/api.h"
#include "hub/base/reply.h"
#include "hub/offer/offer.h"
#include "hub/server/srv.h"

json_t *api_time(int64_t us)
{
	char text[CYG_ISO8601_SIZE];

	if (us == 0)
		return json_null();
	cyg_clock_format(us, text);
	return json_string(text);
}

static json_t *text_or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *own_facts(const struct api *api, const struct srv *srv)
{
	cyg_autofree char *lab = cyg_xasprintf("%slab", srv->base_url);
	const struct choice *c = &srv->choice;
	const struct profile *f = profiles_find(api->offer->profiles, c->profile);
	json_t *tree =
	    f != NULL && f->notebook ? json_sprintf("%stree", srv->base_url) : json_null();

	return json_pack("{s:s, s:s, s:o, s:s, s:o, s:b, s:s}", "state", srv_state_name(srv->state),
	    "choice", srv->line, "since", api_time(srv->since_us), "lab_url", lab, "notebook_url",
	    tree, "spark", (int)(c->cluster[0] != '\0'), "isolation", srv->isolation);
}

static json_t *progress_url(const struct srv *srv)
{
	return srv->name[0] == '\0'
		   ? json_sprintf(CYG_HUB_PATH "/api/users/%s/server/progress", srv->user)
		   : json_sprintf(
			 CYG_HUB_PATH "/api/users/%s/servers/%s/progress", srv->user, srv->name);
}

json_t *api_server(const struct api *api, const struct srv *srv)
{
	json_t *full = json_sprintf("%s/%s", srv->user, srv->name);

	return json_pack("{s:s, s:o, s:b, s:b, s:o, s:s, s:o, s:o, s:o, s:o, s:n, s:n, s:o}",
	    "name", srv->name, "full_name", full, "ready", (int)(srv->state == SRV_RUNNING),
	    "stopped", (int)(srv->state == SRV_STOPPED), "pending",
	    text_or_null(srv_state_pending(srv->state)), "url", srv->base_url, "progress_url",
	    progress_url(srv), "started", api_time(srv->started_us), "last_activity",
	    api_time(srv->last_activity_us), "user_options", choice_json(&srv->choice), "full_url",
	    "full_progress_url", "cygnet", own_facts(api, srv));
}

static void on_end(void *arg, const void *found)
{
	const struct store_end *row = found;
	json_t **ret = arg;
	json_t *lines = json_loads(row->lines, 0, NULL);

	*ret = json_pack("{s:s, s:o, s:s, s:s, s:o}", "server", row->server, "at",
	    api_time(row->at_us), "cause", row->cause, "message", row->message, "lines",
	    lines != NULL ? lines : json_array());
}

static json_t *last_end(const struct api *api, const struct person *person)
{
	json_t *ret = NULL;

	(void)store_end_find(api->store, person->name, on_end, &ret, NULL);
	return ret != NULL ? ret : json_null();
}

/* The servers that run, start or stop, by name; *is_default is the default one, or NULL. */
static json_t *servers_of(
    const struct api *api, const struct person *person, const struct srv **is_default)
{
	json_t *ret = json_object();

	*is_default = NULL;
	for (const struct srv *srv = srvs_first_of(api->srvs, person->name); srv != NULL;
	     srv = srv->next_of_user) {
		if (!srv_is_active(srv))
			continue;
		(void)json_object_set_new(ret, srv->name, api_server(api, srv));
		if (srv->name[0] == '\0')
			*is_default = srv;
	}
	return ret;
}

/* ---- what may be seen of a user: JupyterHub's table ---- */

enum {
	SEE_KIND = 1,
	SEE_NAME = 2,
	SEE_ADMIN = 4,
	SEE_ROLES = 8,
	SEE_GROUPS = 16,
	SEE_STATE = 32, /* of the default server; and when the user was made */
	SEE_ACTIVITY = 64,
	SEE_SERVERS = 128,
};

static const struct {
	enum scope_id scope;
	unsigned parts;
} views[] = {
	{ SCOPE_READ_USERS,
	    SEE_KIND | SEE_NAME | SEE_ADMIN | SEE_ROLES | SEE_GROUPS | SEE_STATE | SEE_ACTIVITY },
	{ SCOPE_READ_USERS_NAME, SEE_KIND | SEE_NAME | SEE_ADMIN },
	{ SCOPE_READ_USERS_GROUPS, SEE_KIND | SEE_NAME | SEE_GROUPS },
	{ SCOPE_READ_USERS_ACTIVITY, SEE_KIND | SEE_NAME | SEE_ACTIVITY },
	{ SCOPE_READ_SERVERS, SEE_KIND | SEE_NAME | SEE_SERVERS },
	{ SCOPE_READ_ROLES_USERS, SEE_KIND | SEE_NAME | SEE_ROLES | SEE_ADMIN },
};

static const struct {
	const char *name;
	unsigned part;
} keys[] = {
	{ "kind", SEE_KIND },
	{ "name", SEE_NAME },
	{ "admin", SEE_ADMIN },
	{ "roles", SEE_ROLES },
	{ "groups", SEE_GROUPS },
	{ "server", SEE_STATE },
	{ "pending", SEE_STATE },
	{ "created", SEE_STATE },
	{ "last_activity", SEE_ACTIVITY },
	{ "servers", SEE_SERVERS },
	{ "cygnet", SEE_SERVERS },
};

static unsigned parts_seen(const struct principal *principal, const struct person *person)
{
	const struct scope_target target = { SCOPE_USER, cyg_str_of(person->name) };
	unsigned parts = 0;

	for (size_t i = 0; i < CYG_N(views); i++) {
		if (scope_allows(principal, SCOPE_BIT(views[i].scope), &target) == SCOPE_ALLOWED)
			parts |= views[i].parts;
	}
	return parts;
}

static json_t *roles_of(const struct person *person)
{
	return person->admin ? json_pack("[s, s]", "admin", "user") : json_pack("[s]", "user");
}

/* Every field. */
static json_t *whole(const struct api *api, const struct person *person)
{
	const struct srv *srv = NULL;
	json_t *servers = servers_of(api, person, &srv);
	bool ready = srv != NULL && srv->state == SRV_RUNNING;

	return json_pack("{s:s, s:s, s:b, s:o, s:O, s:o, s:o, s:o, s:o, s:o, s:{s:o}}", "kind",
	    "user", "name", person->name, "admin", (int)person->admin, "roles", roles_of(person),
	    "groups", person->groups, "server", ready ? json_string(srv->base_url) : json_null(),
	    "pending", text_or_null(srv != NULL ? srv_state_pending(srv->state) : NULL), "created",
	    api_time(person->created_us), "last_activity", api_time(person->last_activity_us),
	    "servers", servers, "cygnet", "last_end", last_end(api, person));
}

json_t *api_person(
    const struct api *api, const struct person *person, const struct principal *principal)
{
	const unsigned seen = parts_seen(principal, person);
	json_t *ret = whole(api, person);

	for (size_t i = 0; i < CYG_N(keys); i++) {
		if ((seen & keys[i].part) == 0)
			(void)json_object_del(ret, keys[i].name);
	}
	return ret;
}

/* ---- endpoints ---- */

static void on_scope(void *arg, const char *text)
{
	(void)json_array_append_new(arg, json_string(text));
}

/* Every principal may learn who they are. */
static json_t *self(struct http_req *req, const struct who *who)
{
	const struct person *person = who->person;
	struct principal p = who->principal;

	if (person == NULL)
		return json_pack("{s:s, s:s#, s:b, s:[]}", "kind", "service", "name",
		    who_name(who).p, (int)who_name(who).len, "admin",
		    (int)(p.kind == PRINCIPAL_ADMINISTRATOR), "roles");
	const struct scope_target target = { SCOPE_USER, cyg_str_of(person->name) };
	(void)scope_set_add_bits(&p.scopes,
	    SCOPE_BIT(SCOPE_READ_USERS_NAME) | SCOPE_BIT(SCOPE_READ_USERS_GROUPS), &target, NULL);
	return api_person(api_of(req), person, &p);
}

void api_get_self(struct http_req *req)
{
	const struct who *who = auth_who(req);
	json_t *scopes = json_array();

	scope_set_each(&who->principal.scopes, on_scope, scopes);
	json_t *model = self(req, who);
	(void)json_object_set_new(model, "token_id",
	    who->token != NULL ? json_sprintf("a%lld", (long long)who->token->id) : json_null());
	(void)json_object_set_new(model, "session_id", json_null());
	(void)json_object_set_new(model, "scopes", scopes);
	reply_json(req, 200, model);
}

void api_get_user(struct http_req *req)
{
	reply_json(req, 200, api_person(api_of(req), auth_about(req), &auth_who(req)->principal));
}

void api_get_version(struct http_req *req)
{
	http_reply_field(req, "Access-Control-Allow-Origin", "*");
	reply_json(req, 200, json_pack("{s:s}", "version", CYGNET_JUPYTERHUB_VERSION));
}

void api_get_info(struct http_req *req)
{
	reply_json(req, 200,
	    json_pack("{s:s, s:{s:s}}", "version", CYGNET_JUPYTERHUB_VERSION, "cygnet", "version",
		CYGNET_VERSION));
}
