/* Who had a user's name before, and handing over what one of them left: our own endpoints, for
 * administrators with a token and, at the control socket, for the machine's. What is done:
 * server/hand_over.c. */
#include "base/mem.h"
#include "hub/access/audit.h"
#include "hub/access/auth.h"
#include "hub/api/api.h"
#include "hub/base/reply.h"
#include "hub/server/hand_over.h"
#include "store/store.h"

/* ---- the list ---- */

static void on_former(void *arg, const void *found)
{
	const struct store_former *row = found;
	json_t *to = row->handed_to != 0 ? json_integer((json_int_t)row->handed_to) : json_null();

	(void)json_array_append_new(
	    arg, json_pack("{s:I, s:o, s:o, s:o, s:o}", "id", (json_int_t)row->id, "created",
		     api_time(row->created_us), "deleted", api_time(row->deleted_us), "handed_to",
		     to, "handed_over", api_time(row->handed_us)));
}

void api_list_former(struct http_req *req)
{
	struct api *api = api_of(req);
	const struct person *now = people_find(api->access, req->params[0]);
	const char *name = cyg_arena_dup(req->arena, req->params[0]);
	json_t *former = json_array();
	struct cyg_err err;

	if (store_formers_of(api->store, name, on_former, former, &err) < 0) {
		json_decref(former);
		reply_err(req, &err);
		return;
	}
	reply_json(req, 200,
	    json_pack("{s:s, s:o, s:o}", "name", name, "id",
		now != NULL ? json_integer((json_int_t)now->id) : json_null(), "former", former));
}

/* ---- handing over ---- */

static int read_from(const struct http_req *req, int64_t *from, struct cyg_err *err)
{
	json_t *root = json_loadb(req->body.p, req->body.len, 0, NULL);
	const json_t *value = json_object_get(root, "from");

	*from = json_is_integer(value) ? (int64_t)json_integer_value(value) : -1;
	json_decref(root);
	return *from >= 0
		   ? 0
		   : cyg_fail(err, CYG_EINVAL,
			 "\"from\" is the id of a former user of the name, or 0 for what the "
			 "name had before users had ids.");
}

static void begin(struct http_req *req, struct person *to, const struct audit_actor *by)
{
	struct hand_over_spec spec = { .to = to, .by = by };
	struct cyg_err err;

	if (read_from(req, &spec.from, &err) < 0)
		reply_err(req, &err);
	else
		hand_over_begin(api_of(req)->srvs, &spec, req);
}

void api_hand_over(struct http_req *req)
{
	const struct who *who = auth_who(req);
	const struct audit_actor by = audit_actor_of(who);

	if (!who_is_admin(who)) {
		reply_error(req, 403, "Only admins can hand over a home");
		return;
	}
	begin(req, auth_about(req), &by);
}

void api_hand_over_by_root(struct http_req *req)
{
	static const struct audit_actor root = { .text = "root" };
	struct person *to = people_find(api_of(req)->access, req->params[0]);

	if (to == NULL)
		reply_error(req, 404,
		    cyg_arena_printf(
			req->arena, "No such user: %.*s", CYG_STR_ARGS(req->params[0])));
	else
		begin(req, to, &root);
}
