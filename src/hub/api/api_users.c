/* Users made, changed and deleted by an administrator, as JupyterHub's /users/{name}
 * (reference 1.5).
 */
#include "base/mem.h"
#include "daemon/log.h"
#include "hub/access/audit.h"
#include "hub/access/auth.h"
#include "hub/api/api.h"
#include "hub/base/reply.h"
#include "hub/link/in_force.h"
#include "hub/server/leave.h"
#include "hub/server/srv.h"
#include "hub/signin/signin.h"

#include <string.h>

/* ---- the body: a part of the user model ---- */

struct change {
	const char *name; /* NULL: not given */
	int admin;        /* -1: not given */
};

static int read_one(const char *key, const json_t *value, struct change *c, struct cyg_err *err)
{
	if (strcmp(key, "name") == 0) {
		c->name = json_string_value(value);
		return c->name != NULL ? 0
				       : cyg_fail(err, CYG_EINVAL, "user.name must be a string");
	}
	if (strcmp(key, "admin") == 0) {
		c->admin = json_is_true(value) ? 1 : 0;
		return json_is_boolean(value)
			   ? 0
			   : cyg_fail(err, CYG_EINVAL, "user.admin must be a boolean");
	}
	/* Groups and roles have endpoints of their own; the sign-in keeps no state. */
	return cyg_fail(err, CYG_EINVAL, "Invalid JSON keys: %.64s", key);
}

/* Borrows from root. */
static int read_change(json_t *root, struct change *c, struct cyg_err *err)
{
	const char *key;
	json_t *value;

	*c = (struct change){ .admin = -1 };
	if (!json_is_object(root))
		return cyg_fail(err, CYG_EINVAL, "Invalid JSON in body of request");
	json_object_foreach (root, key, value) {
		if (read_one(key, value, c, err) < 0)
			return -CYG_EINVAL;
	}
	return 0;
}

static json_t *body_of(const struct http_req *req)
{
	return req->body.len > 0 ? json_loadb(req->body.p, req->body.len, 0, NULL) : json_object();
}

static void tell(
    struct http_req *req, enum audit_action action, const struct person *person, json_t *detail)
{
	const struct audit_actor by = audit_actor_of(auth_who(req));

	audit_user(api_of(req)->audit, &by, action, person, detail);
}

static json_t *model(struct http_req *req, const struct person *person)
{
	return api_person(api_of(req), person, &auth_who(req)->principal);
}

/* ---- POST ---- */

static int make(struct http_req *req, json_t *root, struct person **ret, struct cyg_err *err)
{
	struct api *api = api_of(req);
	const char *name = cyg_arena_dup(req->arena, req->params[0]);
	struct change c;

	if (people_find(api->access, req->params[0]) != NULL)
		return cyg_fail(err, CYG_EEXIST, "User %.64s already exists", name);
	if (read_change(root, &c, err) < 0)
		return -CYG_EINVAL;
	if (c.admin == 1 && !who_is_admin(auth_who(req)))
		return cyg_fail(err, CYG_EDENIED, "Only admins can grant admin permissions");
	if (signin_is_reserved(api->signin, name))
		return cyg_fail(err, CYG_EINVAL,
		    "Failed to create user: %.64s is the name of a system account, or reserved",
		    name);
	if (person_make(api->access, name, ret, err) < 0)
		return -(int)err->code;
	if (c.admin == 1)
		person_set_admin(api->access, *ret, true);
	tell(req, AUDIT_USER_MAKE, *ret, json_pack("{s:b}", "admin", (int)(*ret)->admin));
	return 0;
}

void api_make_user(struct http_req *req)
{
	json_t *root = body_of(req);
	struct person *person = NULL;
	struct cyg_err err;

	int code = make(req, root, &person, &err);
	json_decref(root);
	if (code < 0) {
		reply_err(req, &err);
		return;
	}
	cyg_log_info("user", "%s (%lld) is made by %.*s", person->name, (long long)person->id,
	    CYG_STR_ARGS(who_name(auth_who(req))));
	reply_committed(api_of(req)->store, req, 201, model(req, person));
}

/* ---- PATCH ---- */

static bool has_server(const struct api *api, const struct person *person)
{
	for (const struct srv *srv = srvs_first_of(api->srvs, person->name); srv != NULL;
	     srv = srv->next_of_user) {
		if (srv_is_active(srv))
			return true;
	}
	return false;
}

/* A running server has its user's name in its address and in its credential's row. */
static int rename_to(
    struct http_req *req, struct person *person, const char *name, struct cyg_err *err)
{
	struct api *api = api_of(req);
	cyg_autofree char *old = cyg_xstrdup(person->name);

	if (has_server(api, person))
		return cyg_fail(err, CYG_EINVAL,
		    "%s's server is running. Stop it, then rename the user.", person->name);
	if (signin_is_reserved(api->signin, name))
		return cyg_fail(err, CYG_EINVAL, "Invalid username: %.64s", name);
	if (person_rename(api->access, person, name, err) < 0) {
		err->code = CYG_EINVAL; /* JupyterHub's 400, also for a name that is taken */
		return -CYG_EINVAL;
	}
	tell(req, AUDIT_USER_RENAME, person, json_pack("{s:s}", "from", old));
	srvs_forget_user(api->srvs, old);
	cyg_log_info("user", "%s (%lld) is now %s", old, (long long)person->id, person->name);
	return 0;
}

static void set_admin(struct http_req *req, struct person *person, bool admin)
{
	bool changes = person->admin != admin || person->admin_by_hand != admin;

	person_set_admin(api_of(req)->access, person, admin);
	if (changes)
		tell(req, AUDIT_USER_ADMIN, person, json_pack("{s:b}", "admin", (int)admin));
}

static int change(struct http_req *req, json_t *root, struct cyg_err *err)
{
	struct person *person = auth_about(req);
	struct change c;

	if (read_change(root, &c, err) < 0)
		return -CYG_EINVAL;
	if (!who_is_admin(auth_who(req)) && person->admin)
		return cyg_fail(err, CYG_EDENIED, "Only admins can modify other admins");
	if (!who_is_admin(auth_who(req)) && c.admin == 1)
		return cyg_fail(err, CYG_EDENIED, "Only admins can grant admin permissions");
	if (person->leaving)
		return cyg_fail(err, CYG_EINVAL, "%s is being deleted.", person->name);
	if (c.name != NULL && strcmp(c.name, person->name) != 0 &&
	    rename_to(req, person, c.name, err) < 0)
		return -CYG_EINVAL;
	if (c.admin >= 0)
		set_admin(req, person, c.admin == 1);
	return 0;
}

void api_change_user(struct http_req *req)
{
	json_t *root = body_of(req);
	struct cyg_err err;

	int code = change(req, root, &err);
	json_decref(root);
	if (code < 0)
		reply_err(req, &err);
	else /* sessions and tokens have another user name, or other rights */
		reply_in_force(api_of(req)->proxy, req, 200, model(req, auth_about(req)));
}

/* ---- DELETE ---- */

void api_delete_user(struct http_req *req)
{
	struct person *person = auth_about(req);

	if (auth_who(req)->person == person) {
		reply_error(req, 400, "Cannot delete yourself!");
		return;
	}
	cyg_log_info("user", "%s (%lld) is to be deleted by %.*s", person->name,
	    (long long)person->id, CYG_STR_ARGS(who_name(auth_who(req))));
	leave_begin(api_of(req)->srvs, person, req);
}
