/* api/sessions: list, make (with a kernel when needed), look, change, end. */
#include "base/mem.h"
#include "kernels/agent/reply.h"
#include "kernels/contents/tape.h"
#include "kernels/kernel/api.h"

#include <stdio.h>
#include <string.h>

enum { BODY_MAX = 256 * 1024 };

/* The fields of a body; NULL where absent. */
struct fields {
	char *path, *name, *type, *kernel_id, *kernel_name;
};

static void fields_free(struct fields *f)
{
	free(f->path);
	free(f->name);
	free(f->type);
	free(f->kernel_id);
	free(f->kernel_name);
}

static bool fields_read(struct http_req *req, struct fields *f)
{
	struct tape *t = NULL;
	tape_node root, kernel, notebook;

	memset(f, 0, sizeof(*f));
	if (cyg_str_trim(req->body).len == 0) {
		reply_error(req, 400, NULL, "No JSON data provided");
		return false;
	}
	if (tape_parse(req->body, &t, NULL, NULL) < 0) {
		reply_error(req, 400, NULL, "Invalid JSON in body of request");
		return false;
	}
	root = tape_root(t);
	kernel = tape_find(t, root, "kernel");
	notebook = tape_find(t, root, "notebook");
	f->path = tape_get_str(t, root, "path");
	f->name = tape_get_str(t, root, "name");
	f->type = tape_get_str(t, root, "type");
	f->kernel_id = tape_get_str(t, kernel, "id");
	f->kernel_name = tape_get_str(t, kernel, "name");
	if (f->path == NULL && notebook != TAPE_NONE) { /* the form before Jupyter 5 */
		f->path = tape_get_str(t, notebook, "path");
		free(f->type);
		f->type = cyg_xstrdup("notebook");
	}
	tape_free(t);
	return true;
}

static void reply_nbsession(struct http_req *req, const struct nbsession *one, int status)
{
	struct kernel_ctx *ctx = kernel_ctx_of(req);
	cyg_autofree char *below = cyg_xasprintf("api/sessions/%s", one->id);
	struct reply r;

	if (status == 201)
		reply_location(req, ctx->base, below);
	reply_begin(&r);
	nbsession_write(ctx->nbsessions, one, &r.w);
	reply_end(&r, req, status);
}

static struct nbsession *find_or_404(struct http_req *req)
{
	struct kernel_ctx *ctx = kernel_ctx_of(req);
	struct nbsession *one;

	nbsessions_drop_dead(ctx->nbsessions);
	one = nbsessions_find(ctx->nbsessions, req->params[0]);
	if (one == NULL)
		reply_error(req, 404, NULL, "Session not found: session_id='%.*s'",
		    (int)(req->params[0].len < 100 ? req->params[0].len : 100), req->params[0].p);
	return one;
}

static void list_nbsessions(struct http_req *req)
{
	struct kernel_ctx *ctx = kernel_ctx_of(req);
	struct reply r;

	nbsessions_drop_dead(ctx->nbsessions);
	reply_begin(&r);
	jsonw_array(&r.w);
	cyg_list_each (it, &ctx->nbsessions->list) {
		nbsession_write(
		    ctx->nbsessions, CYG_CONTAINER_OF(it, struct nbsession, link), &r.w);
	}
	jsonw_array_end(&r.w);
	reply_end(&r, req, 200);
}

static void get_nbsession(struct http_req *req)
{
	const struct nbsession *one = find_or_404(req);

	if (one != NULL)
		reply_nbsession(req, one, 200);
}

/* ---- with a new kernel: the answer comes when it runs ---- */

struct making {
	struct http_req *req; /* NULL: the client has gone; the session is made all the same */
	struct kernel_ctx *ctx;
	struct fields fields;
	char id[37]; /* of the session that changes its kernel; "" for a new one */
};

static void making_free(struct making *m)
{
	fields_free(&m->fields);
	free(m);
}

static void on_abort(struct http_req *req)
{
	struct making *m = req->data;

	m->req = NULL;
}

/* The client's words for a kernel that is not there. */
static void reply_no_kernel(struct http_req *req, const char *name)
{
	struct reply r;
	char text[256];

	reply_begin(&r);
	jsonw_object(&r.w);
	(void)snprintf(text, sizeof(text),
	    "The '%.64s' kernel is not available. Please pick another suitable kernel instead, or "
	    "install that kernel.",
	    name);
	jsonw_key_cstr(&r.w, "message", text);
	(void)snprintf(text, sizeof(text), "%.64s not found", name);
	jsonw_key_cstr(&r.w, "short_message", text);
	jsonw_object_end(&r.w);
	reply_end(&r, req, 501);
}

static void set_kernel(struct kernel_ctx *ctx, struct nbsession *one, const char *kernel_id)
{
	struct kernel *old = kernels_find(ctx->kernels, cyg_str_of(one->kernel_id));

	if (strcmp(one->kernel_id, kernel_id) == 0)
		return;
	(void)cyg_str_copy(one->kernel_id, sizeof(one->kernel_id), cyg_str_of(kernel_id));
	if (old != NULL)
		kernel_shutdown(old, NULL, NULL);
	ctx->nbsessions->on_change(ctx->nbsessions->arg);
}

static struct nbsession *finish(struct making *m, const struct kernel *k)
{
	struct nbsessions *all = m->ctx->nbsessions;
	struct nbsession *one;

	if (m->id[0] == '\0')
		return nbsessions_add(
		    all, NULL, kernel_id(k), m->fields.path, m->fields.name, m->fields.type);
	one = nbsessions_find(all, cyg_str_of(m->id));
	if (one != NULL)
		set_kernel(m->ctx, one, kernel_id(k));
	return one;
}

static void on_started(void *arg, struct kernel *k, const struct cyg_err *err)
{
	struct making *m = arg;
	struct nbsession *one = k != NULL ? finish(m, k) : NULL;

	if (m->req != NULL && one != NULL)
		reply_nbsession(m->req, one, m->id[0] == '\0' ? 201 : 200);
	else if (m->req != NULL)
		reply_error(
		    m->req, 500, NULL, "%s", err != NULL ? err->msg : "The session has gone");
	making_free(m);
}

/* Takes the fields. one: the session that gets the kernel, or NULL for a new one. */
static void start_for(struct http_req *req, struct fields *f, const struct nbsession *one)
{
	struct kernel_ctx *ctx = kernel_ctx_of(req);
	const char *path = one != NULL ? one->path : f->path;
	cyg_autofree char *cwd = kernel_cwd(ctx, path, true);
	cyg_autofree char *full = cyg_xasprintf("%s/%s", ctx->root_dir, path);
	struct kernel_start start = { .name = f->kernel_name, .cwd = cwd, .session_name = full };
	struct making *m = cyg_xcalloc(1, sizeof(*m));
	struct cyg_err err = { 0 };

	m->req = req;
	m->ctx = ctx;
	m->fields = *f;
	if (one != NULL)
		memcpy(m->id, one->id, sizeof(m->id));
	req->data = m;
	req->on_abort = on_abort;
	if (kernels_start(ctx->kernels, &start, on_started, m, &err) == 0)
		return;
	if (err.code == CYG_ENOENT)
		reply_no_kernel(req, f->kernel_name != NULL ? f->kernel_name : "python3");
	else
		reply_error(req, 500, NULL, "%s", err.msg);
	making_free(m);
}

static void make_nbsession(struct http_req *req)
{
	struct kernel_ctx *ctx = kernel_ctx_of(req);
	struct nbsession *one;
	struct fields f;

	if (!fields_read(req, &f))
		return;
	if (f.path == NULL || f.type == NULL) {
		reply_error(req, 400, NULL, "Missing field in JSON data: %s",
		    f.path == NULL ? "path" : "type");
		fields_free(&f);
		return;
	}
	if (f.name == NULL)
		f.name = cyg_xstrdup("");
	one = nbsessions_find_path(ctx->nbsessions, cyg_str_of(f.path));
	if (one == NULL && f.kernel_id != NULL &&
	    kernels_find(ctx->kernels, cyg_str_of(f.kernel_id)) != NULL)
		one = nbsessions_add(ctx->nbsessions, NULL, f.kernel_id, f.path, f.name, f.type);
	if (one == NULL) {
		start_for(req, &f, NULL);
		return;
	}
	reply_nbsession(req, one, 201);
	fields_free(&f);
}

static void replace(char **old, char **new)
{
	if (*new == NULL)
		return;
	free(*old);
	*old = CYG_TAKE(*new);
}

static void change_nbsession(struct http_req *req)
{
	struct kernel_ctx *ctx = kernel_ctx_of(req);
	struct nbsession *one = find_or_404(req);
	struct fields f;

	if (one == NULL || !fields_read(req, &f))
		return;
	if (f.kernel_id != NULL && kernels_find(ctx->kernels, cyg_str_of(f.kernel_id)) == NULL) {
		reply_error(req, 400, NULL, "No such kernel: %.64s", f.kernel_id);
		fields_free(&f);
		return;
	}
	replace(&one->path, &f.path);
	replace(&one->name, &f.name);
	replace(&one->type, &f.type);
	ctx->nbsessions->on_change(ctx->nbsessions->arg);
	if (f.kernel_id == NULL && f.kernel_name != NULL) {
		start_for(req, &f, one);
		return;
	}
	if (f.kernel_id != NULL)
		set_kernel(ctx, one, f.kernel_id);
	reply_nbsession(req, one, 200);
	fields_free(&f);
}

static void on_gone(void *arg, struct kernel *k, const struct cyg_err *err)
{
	reply_empty(arg);
}

static void on_delete_abort(struct http_req *req)
{
	kernels_forget(kernel_ctx_of(req)->kernels, req);
}

static void delete_nbsession(struct http_req *req)
{
	struct kernel_ctx *ctx = kernel_ctx_of(req);
	struct nbsession *one = nbsessions_find(ctx->nbsessions, req->params[0]);
	struct kernel *k;

	if (one == NULL) {
		(void)find_or_404(req);
		return;
	}
	k = kernels_find(ctx->kernels, cyg_str_of(one->kernel_id));
	nbsessions_remove(ctx->nbsessions, one);
	if (k == NULL) {
		reply_error(req, 410, NULL, "Kernel deleted before session");
		return;
	}
	req->on_abort = on_delete_abort;
	kernel_shutdown(k, on_gone, req);
}

const struct http_endpoint nbsessions_endpoints[] = {
	{ HTTP_GET, "/api/sessions", "agent", list_nbsessions, 0 },
	{ HTTP_POST, "/api/sessions", "agent", make_nbsession, BODY_MAX },
	{ HTTP_GET, "/api/sessions/{id}", "agent", get_nbsession, 0 },
	{ HTTP_PATCH, "/api/sessions/{id}", "agent", change_nbsession, BODY_MAX },
	{ HTTP_DELETE, "/api/sessions/{id}", "agent", delete_nbsession, 0 },
	{ .path = NULL },
};
