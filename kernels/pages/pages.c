/* The table of the pages' endpoints, the search for what a prefix holds, and the responses that
 * need no file. */
#include "kernels/pages/pages.h"

#include "kernels/pages/priv.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "http/url.h"
#include "kernels/base/reply.h"

#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

enum { PACKAGE_MAX = 4 << 20, BODY_MAX = 16 << 20 };

/* ---- jobs ---- */
static struct job *new_job(struct http_req *req, const char *name)
{
	struct pages_ctx *ctx = req->ctx;
	struct job *job =
	    job_new(req, ctx, req->params[0].p != NULL ? req->params[0] : CYG_STR(""));
	job->name = name;
	return job;
}

static void run(struct http_req *req, const char *name, void (*work)(struct job *))
{
	job_run(new_job(req, name), ((const struct pages_ctx *)req->ctx)->loop, work);
}

/* Handlers by work: the table below wants plain functions. */
#define HANDLER(handler, name, work)                                                               \
	static void handler(struct http_req *req)                                                  \
	{                                                                                          \
		run(req, name, work);                                                              \
	}
HANDLER(handle_lab, "lab", page_work)
HANDLER(handle_doc, "doc", page_work)
HANDLER(handle_tree, "tree", page_work)
HANDLER(handle_notebooks, "notebooks", page_work)
HANDLER(handle_edit, "edit", page_work)
HANDLER(handle_consoles, "consoles", page_work)
HANDLER(handle_terminals, "terminals", page_work)
HANDLER(handle_static, NULL, static_work)
HANDLER(handle_labextension, NULL, labextension_work)
HANDLER(handle_custom_css, NULL, custom_css_work)
HANDLER(handle_settings_list, NULL, settings_list_work)
HANDLER(handle_workspaces_list, NULL, workspaces_list_work)
HANDLER(handle_themes, NULL, themes_work)
HANDLER(handle_licenses, NULL, licenses_work)
HANDLER(handle_config_get, NULL, config_get_work)
HANDLER(handle_config_put, NULL, config_put_work)
HANDLER(handle_config_patch, NULL, config_patch_work)

static void reply_json(struct http_req *req, const char *json)
{
	reply_policy(req, false);
	http_reply(req, 200, "application/json", cyg_str_of(json));
}

/* "settings/" with nothing after it is the list. */
static void handle_settings(struct http_req *req)
{
	bool list = strip_slashes(req->params[0]).len == 0;
	if (req->method == HTTP_PUT)
		run(req, NULL, settings_put_work);
	else
		run(req, NULL, list ? settings_list_work : settings_get_work);
}

static void handle_workspace(struct http_req *req)
{
	if (strip_slashes(req->params[0]).len > 0) {
		run(req, NULL,
		    req->method == HTTP_PUT      ? workspace_put_work
		    : req->method == HTTP_DELETE ? workspace_delete_work
						 : workspace_get_work);
		return;
	}
	if (req->method == HTTP_PUT || req->method == HTTP_DELETE)
		reply_error(req, 400, NULL, "Workspace name is required");
	else
		run(req, NULL, workspaces_list_work);
}

static void handle_favicon(struct http_req *req)
{
	req->params[0] = CYG_STR("favicons/favicon.ico");
	run(req, NULL, static_work);
}

/* ---- responses from memory ---- */
static void handle_version(struct http_req *req)
{
	const struct pages_ctx *ctx = req->ctx;
	reply_json(req, cyg_arena_printf(req->arena, "{\"version\": \"%s\"}",
			    ctx->version != NULL ? ctx->version : REPLY_JUPYTER_VERSION));
}

static void handle_status(struct http_req *req)
{
	const struct pages_ctx *ctx = req->ctx;
	struct pages_status st = { .started_us = ctx->state->started_us,
		.last_activity_us = ctx->state->started_us };
	char started[CYG_ISO8601_SIZE], last[CYG_ISO8601_SIZE];
	if (ctx->status != NULL)
		ctx->status(ctx->status_arg, &st);
	cyg_clock_format(st.started_us, started);
	cyg_clock_format(st.last_activity_us, last);
	reply_json(req,
	    cyg_arena_printf(req->arena,
		"{\"connections\":%u,\"kernels\":%u,\"last_activity\":\"%s\",\"started\":\"%s\"}",
		st.connections, st.kernels, last, started));
}

static bool are_actions(const struct tape *t, tape_node list)
{
	if (tape_type_of(t, list) != TAPE_ARRAY)
		return false;
	for (tape_node n = tape_first(t, list); n != TAPE_NONE; n = tape_next(t, n))
		if (tape_type_of(t, n) != TAPE_STRING)
			return false;
	return true;
}

/* Grants all requested permissions: only the user's own requests get here. False when they are not
 * {"resource": ["action", …]}. */
static bool put_permissions(struct http_req *req, struct jsonw *w)
{
	struct cyg_str text = CYG_STR("");
	struct tape *t = NULL;
	bool found = false, good = true;
	if (req->head->query.p != NULL)
		(void)url_query_get(
		    req->arena, req->head->query, "permissions", &text, &found, NULL);
	if (text.len > 0)
		good = tape_parse(text, &t, NULL, NULL) == 0 &&
		       tape_type_of(t, tape_root(t)) == TAPE_OBJECT;
	jsonw_key(w, "permissions");
	jsonw_object(w);
	for (tape_node n = good && t != NULL ? tape_first(t, tape_root(t)) : TAPE_NONE;
	     n != TAPE_NONE && good; n = tape_next(t, n)) {
		good = are_actions(t, n);
		jsonw_key_quoted(w, tape_key_text(t, n));
		jsonw_raw(w, tape_text(t, n));
	}
	jsonw_key(w, "updatable_fields"); /* the site owns names and colours */
	jsonw_raw(w, CYG_STR("[]"));
	jsonw_object_end(w);
	tape_free(t);
	return good;
}

/* "Ada Lovelace" becomes "AL". */
static char *initials_of(struct http_req *req, const char *name)
{
	char out[3] = "";
	size_t n = 0;
	for (const char *p = name; *p != '\0' && n < 2; p++)
		if (p == name || p[-1] == ' ' || p[-1] == '.') {
			bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');
			if (letter)
				out[n++] = (char)(*p & ~0x20);
		}
	return cyg_arena_dup(req->arena, cyg_str_of(out));
}

static void handle_me(struct http_req *req)
{
	const struct pages_ctx *ctx = req->ctx;
	const char *user = ctx->user_name != NULL ? ctx->user_name : "anonymous";
	const char *name = ctx->display_name != NULL ? ctx->display_name : user;
	cyg_autobuf struct cyg_buf out;
	struct jsonw w;
	cyg_buf_init(&out, 64 * 1024);
	jsonw_init(&w, &out);
	jsonw_object(&w);
	jsonw_key(&w, "identity");
	jsonw_object(&w);
	jsonw_key_cstr(&w, "username", user);
	jsonw_key_cstr(&w, "name", name);
	jsonw_key_cstr(&w, "display_name", name);
	jsonw_key_cstr(&w, "initials", initials_of(req, name));
	jsonw_key_null(&w, "avatar_url");
	jsonw_key_null(&w, "color");
	jsonw_object_end(&w);
	bool good = put_permissions(req, &w);
	jsonw_object_end(&w);
	if (jsonw_finish(&w, NULL) < 0)
		reply_error(req, 400, NULL, "permissions is too long");
	else if (!good)
		reply_error(req, 400, NULL,
		    "permissions should be a JSON dict of {\"resource\": [\"action\",]}");
	else
		reply_json(req, out.data);
}

/* Responses that are always the same. */
static const struct {
	const char *path, *json;
} fixed[] = {
	{ "/lab/api/build", "{\"status\":\"stable\",\"message\":\"\"}" },
	{ "/lab/api/extensions", "[]" },
	{ "/lab/api/plugins", "{\"lockRules\":[],\"allLocked\":false}" },
	{ "/lab/api/news", "{\"news\":[]}" },
	{ "/lab/api/update", "{\"notification\":null}" },
	{ "/lab/api/translations",
	    "{\"data\":{\"en\":{\"displayName\":\"English\",\"nativeName\":\"English\"}},"
	    "\"message\":\"\"}" },
	{ "/lab/api/translations/{locale...}", "{\"data\":{},\"message\":\"\"}" },
	{ "/lab/api/listings/{path...}",
	    "{\"blocked_extensions_uris\":[],\"allowed_extensions_uris\":[],"
	    "\"blocked_extensions\":[],\"allowed_extensions\":[]}" },
	{ "/lsp/status", "{\"sessions\":{},\"specs\":{},\"version\":2}" },
};

static void handle_fixed(struct http_req *req)
{
	for (size_t i = 0; i < CYG_N(fixed); i++)
		if (strcmp(req->endpoint->path, fixed[i].path) == 0) {
			reply_json(req, fixed[i].json);
			return;
		}
	pages_not_found(req);
}

static void handle_csp_report(struct http_req *req)
{
	http_reply(req, 204, NULL, CYG_STR(""));
}

/* "/": the application. */
static void handle_root(struct http_req *req)
{
	const struct pages_ctx *ctx = req->ctx;
	const char *to = ctx->default_url != NULL ? ctx->default_url : "lab";
	const char *query = "";
	if (req->head->query.p != NULL && http_value_is_ok(req->head->query))
		query = cyg_arena_printf(req->arena, "?%.*s", CYG_STR_ARGS(req->head->query));
	http_reply_redirect(
	    req, 302, cyg_arena_printf(req->arena, "%s%s%s", ctx->base_url, to, query));
}

/* JupyterLab's "Log Out" behind a hub goes to the server's own logout. */
static void handle_logout(struct http_req *req)
{
	const struct pages_ctx *ctx = req->ctx;
	if (ctx->hub_prefix == NULL) {
		pages_not_found(req);
		return;
	}
	http_reply_redirect(req, 302,
	    cyg_arena_printf(req->arena, "%s%slogout", ctx->hub_host != NULL ? ctx->hub_host : "",
		ctx->hub_prefix));
}

void pages_not_found(struct http_req *req)
{
	struct cyg_str below = cyg_str_skip(req->path, strlen(req->mount->prefix));
	bool get = req->method == HTTP_GET || req->method == HTTP_HEAD;
	bool api = cyg_str_starts(below, "/api/") && below.len > strlen("/api/");
	if (get && below.len > 1 && cyg_str_ends(below, "/")) {
		/* A path has no empty segments, so it has one slash at its end. */
		struct cyg_str raw = req->head->path;
		const char *to = cyg_arena_dup(req->arena, cyg_str_sub(raw, 0, raw.len - 1));
		if (url_is_local(cyg_str_of(to))) {
			http_reply_redirect(req, 302, to);
			return;
		}
	}
	if (api || !get) {
		reply_error(req, 404, NULL, "Not Found");
		return;
	}
	reply_policy(req, true);
	http_reply(req, 404, "text/html; charset=UTF-8",
	    CYG_STR("<!doctype html><html lang=\"en\"><title>Not found</title>"
		    "<h1>404: not found</h1><p>There is no such page on this server.</p>"));
}

#define GET(path, handler)                                                                         \
	{                                                                                          \
		HTTP_GET, path, "agent", handler, 0                                                \
	}
const struct http_endpoint pages_endpoints[] = {
	GET("/", handle_root),
	GET("/api", handle_version),
	GET("/api/status", handle_status),
	GET("/api/me", handle_me),
	GET("/api/config/{section}", handle_config_get),
	{ HTTP_PUT, "/api/config/{section}", "agent", handle_config_put, BODY_MAX },
	{ HTTP_PATCH, "/api/config/{section}", "agent", handle_config_patch, BODY_MAX },
	{ HTTP_POST, "/api/security/csp-report", "agent", handle_csp_report, 0 },
	GET("/lab", handle_lab),
	GET("/lab/{path...}", handle_lab),
	GET("/doc", handle_doc),
	GET("/doc/{path...}", handle_doc),
	GET("/tree", handle_tree),
	GET("/tree/{path...}", handle_tree),
	GET("/notebooks/{path...}", handle_notebooks),
	GET("/edit/{path...}", handle_edit),
	GET("/consoles/{path...}", handle_consoles),
	GET("/terminals/{path...}", handle_terminals),
	GET("/static/{path...}", handle_static),
	GET("/favicon.ico", handle_favicon),
	GET("/custom/custom.css", handle_custom_css),
	GET("/logout", handle_logout),
	GET("/lab/extensions/{path...}", handle_labextension),
	GET("/lab/api/settings", handle_settings_list),
	GET("/lab/api/settings/{id...}", handle_settings),
	{ HTTP_PUT, "/lab/api/settings/{id...}", "agent", handle_settings, BODY_MAX },
	GET("/lab/api/workspaces", handle_workspaces_list),
	GET("/lab/api/workspaces/{name...}", handle_workspace),
	{ HTTP_PUT, "/lab/api/workspaces/{name...}", "agent", handle_workspace, BODY_MAX },
	{ HTTP_DELETE, "/lab/api/workspaces/{name...}", "agent", handle_workspace, 0 },
	GET("/lab/api/themes/{path...}", handle_themes),
	GET("/lab/api/licenses", handle_licenses),
	GET("/lab/api/licenses/{path...}", handle_licenses),
	GET("/lab/api/build", handle_fixed),
	GET("/lab/api/extensions", handle_fixed),
	GET("/lab/api/plugins", handle_fixed),
	GET("/lab/api/news", handle_fixed),
	GET("/lab/api/update", handle_fixed),
	GET("/lab/api/translations", handle_fixed),
	GET("/lab/api/translations/{locale...}", handle_fixed),
	GET("/lab/api/listings/{path...}", handle_fixed),
	GET("/lsp/status", handle_fixed),
	{ HTTP_GET, NULL, NULL, NULL, 0 },
};

/* ---- what the prefix holds ---- */
static char *find_package(const char *prefix, const char *name)
{
	cyg_autofree char *pattern =
	    cyg_xasprintf("%s/lib/python3*/site-packages/%s/static", prefix, name);
	glob_t found = { 0 };
	char *path = NULL;
	if (glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc > 0)
		path =
		    cyg_xstrndup(found.gl_pathv[0], strlen(found.gl_pathv[0]) - strlen("/static"));
	globfree(&found);
	return path;
}

/* "7.6.5" of ".../notebook-7.6.5.dist-info". */
static char *dist_version(const char *package_dir)
{
	cyg_autofree char *pattern = cyg_xasprintf("%s-[0-9]*.dist-info", package_dir);
	glob_t found = { 0 };
	char *version = NULL;
	if (glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc > 0) {
		const char *from = found.gl_pathv[0] + strlen(package_dir) + 1;
		version = cyg_xstrndup(from, strlen(from) - strlen(".dist-info"));
	}
	globfree(&found);
	return version != NULL ? version : cyg_xstrdup("");
}

static int read_lab_version(struct pages_state *s, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf text;
	cyg_autofree char *path = cyg_xasprintf("%s/static/package.json", s->lab);
	struct tape *t = NULL;
	cyg_buf_init(&text, PACKAGE_MAX);
	int r = cyg_file_read(AT_FDCWD, path, true, &text, err);
	if (r == 0)
		r = tape_parse(cyg_buf_str(&text), &t, NULL, err);
	if (r < 0)
		return cyg_wrap(err, "no JupyterLab in this prefix");
	tape_node lab = tape_find(t, tape_root(t), "jupyterlab");
	s->lab_version = tape_get_str(t, lab, "version");
	if (s->lab_version == NULL)
		s->lab_version = cyg_xstrdup("");
	tape_free(t);
	return 0;
}

static void add_labext(struct pages_state *s, char *owned)
{
	s->labext[s->labext_count++] = owned;
}

static void set_folders(struct pages_state *s, const struct pages_ctx *ctx)
{
	s->lab = cyg_xasprintf("%s/share/jupyter/lab", ctx->prefix);
	s->notebook = find_package(ctx->prefix, "notebook");
	s->nb_version = s->notebook != NULL ? dist_version(s->notebook) : cyg_xstrdup("");
	char *server = find_package(ctx->prefix, "jupyter_server");
	if (server != NULL)
		s->server_static = cyg_xasprintf("%s/static", server);
	free(server);
	s->gzip_dir = ctx->gzip_dir != NULL
			  ? cyg_xstrdup(ctx->gzip_dir)
			  : cyg_xasprintf("%s/share/jupyter/cygnet-gzip", ctx->prefix);
	s->config_dir = cyg_xasprintf("%s/.jupyter", ctx->home);
	add_labext(s, cyg_xasprintf("%s/share/jupyter/labextensions", ctx->prefix));
	if (ctx->labextensions != NULL && ctx->labextensions[0] != '\0')
		add_labext(s, cyg_xstrdup(ctx->labextensions));
	add_labext(s, cyg_xasprintf("%s/.local/share/jupyter/labextensions", ctx->home));
	add_labext(s, cyg_xstrdup("/usr/local/share/jupyter/labextensions"));
	add_labext(s, cyg_xstrdup("/usr/share/jupyter/labextensions"));
	s->config[0] = cyg_xstrdup(s->config_dir);
	s->config[1] = cyg_xasprintf("%s/etc/jupyter", ctx->prefix);
	s->config[2] = cyg_xstrdup("/usr/local/etc/jupyter");
	s->config[3] = cyg_xstrdup("/etc/jupyter");
}

int pages_open(struct pages_ctx *ctx, struct cyg_err *err)
{
	struct pages_state *s = cyg_xcalloc(1, sizeof(*s));
	ctx->state = s;
	s->started_us = cyg_clock_wall_us();
	set_folders(s, ctx);
	int r = read_lab_version(s, err);
	if (r < 0)
		pages_close(ctx);
	return r;
}

void pages_close(struct pages_ctx *ctx)
{
	struct pages_state *s = CYG_TAKE(ctx->state);
	if (s == NULL)
		return;
	free(s->lab);
	free(s->notebook);
	free(s->server_static);
	free(s->gzip_dir);
	free(s->config_dir);
	free(s->lab_version);
	free(s->nb_version);
	for (size_t i = 0; i < s->labext_count; i++)
		free(s->labext[i]);
	for (size_t i = 0; i < CONFIG_DIRS; i++)
		free(s->config[i]);
	free(s);
}
