/* POST /hub/api/users/{name}/activity: agents (and JupyterHub's single-user servers) report
 * activity of kernels and jobs (reference 1.5, 4.6). A server may report only its own. */
#include "base/clock.h"
#include "base/mem.h"
#include "hub/access/auth.h"
#include "hub/api/api.h"
#include "hub/base/reply.h"
#include "hub/server/srv.h"

#include <stdio.h>

static const int64_t future_max_us = 59LL * 60 * 1000 * 1000;

/* JupyterHub reads a time without an offset as UTC. */
static int parse_time(const char *text, int64_t *ret)
{
	char utc[CYG_ISO8601_SIZE + 1];

	if (cyg_clock_parse(cyg_str_of(text), ret, NULL) == 0)
		return 0;
	if (snprintf(utc, sizeof(utc), "%sZ", text) >= (int)sizeof(utc))
		return -CYG_EINVAL;
	return cyg_clock_parse(cyg_str_of(utc), ret, NULL);
}

static int read_stamp(const json_t *value, int64_t *ret, struct cyg_err *err)
{
	if (!json_is_string(value) || parse_time(json_string_value(value), ret) < 0)
		return cyg_fail(err, CYG_EINVAL, "Not a valid date");
	if (*ret > cyg_clock_wall_us() + future_max_us)
		return cyg_fail(err, CYG_EINVAL, "The date is too far in the future");
	return 0;
}

struct stamps {
	int64_t person_us; /* 0: not reported */
	struct srv *servers[16];
	int64_t servers_us[16];
	size_t n;
};

static int read_servers(
    struct http_req *req, json_t *servers, struct stamps *s, struct cyg_err *err)
{
	const struct who *who = auth_who(req);
	const struct person *about = auth_about(req);
	const char *name;
	json_t *value;

	if (servers != NULL && !json_is_object(servers))
		return cyg_fail(err, CYG_EINVAL, "servers must be an object");
	json_object_foreach (servers, name, value) {
		struct srv *srv =
		    srvs_find(api_of(req)->srvs, cyg_str_of(about->name), cyg_str_of(name));
		if (srv == NULL)
			return cyg_fail(err, CYG_EINVAL, "No such server '%.64s' for user", name);
		if (who->srv != NULL && who->srv != srv)
			return cyg_fail(
			    err, CYG_EDENIED, "A server may report only its own activity.");
		if (s->n == CYG_N(s->servers))
			return cyg_fail(err, CYG_EINVAL, "too many servers");
		if (read_stamp(json_object_get(value, "last_activity"), &s->servers_us[s->n], err) <
		    0)
			return -CYG_EINVAL;
		s->servers[s->n++] = srv;
	}
	return 0;
}

static int read_body(struct http_req *req, json_t *root, struct stamps *s, struct cyg_err *err)
{
	json_t *stamp = json_object_get(root, "last_activity");
	json_t *servers = json_object_get(root, "servers");

	if (!json_is_object(root))
		return cyg_fail(err, CYG_EINVAL, "Invalid JSON in body of request");
	if (stamp == NULL && servers == NULL)
		return cyg_fail(err, CYG_EINVAL,
		    "body must contain at least one of `last_activity` or `servers`");
	if (stamp != NULL && read_stamp(stamp, &s->person_us, err) < 0)
		return -CYG_EINVAL;
	return read_servers(req, servers, s, err);
}

void api_post_activity(struct http_req *req)
{
	struct api *api = api_of(req);
	json_t *root = json_loadb(req->body.p, req->body.len, 0, NULL);
	struct stamps stamps = { .n = 0 };
	struct cyg_err err;

	int code = read_body(req, root, &stamps, &err);
	json_decref(root);
	if (code < 0) {
		reply_error(req, code == -CYG_EDENIED ? 403 : 400, err.msg);
		return;
	}
	if (stamps.person_us > 0)
		people_active(api->access, auth_about(req), stamps.person_us);
	for (size_t i = 0; i < stamps.n; i++)
		srvs_active(api->srvs, stamps.servers[i]->id, stamps.servers_us[i]);
	http_reply(req, 200, "text/plain", CYG_STR(""));
}
