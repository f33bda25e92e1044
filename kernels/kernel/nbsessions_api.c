/* api/sessions: list, make (with a kernel when needed), look, change, end. */
#include "base/mem.h"
#include "kernels/base/reply.h"
#include "kernels/base/tape.h"
#include "kernels/kernel/api.h"
#include "kernels/kernel/lookup.h"

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
	struct kernel_ctx *ctx = req->ctx;
	cyg_autofree char *below = cyg_xasprintf("api/sessions/%s", one->id);
	struct reply r;

	if (status == 201)
		reply_location(req, below);
	reply_begin(&r);
	nbsession_write(ctx->nbsessions, one, &r.w);
	reply_end(&r, req, status);
}

static struct nbsession *find_or_404(struct http_req *req)
{
	struct kernel_ctx *ctx = req->ctx;
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
	struct kernel_ctx *ctx = req->ctx;
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

/* ---- with a new kernel: the response comes when it runs ---- */

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

static void reply_501(struct http_req *req, const char *message, const char *short_message)
{
	struct reply r;

	reply_begin(&r);
	jsonw_object(&r.w);
	jsonw_key_cstr(&r.w, "message", message);
	jsonw_key_cstr(&r.w, "short_message", short_message);
	jsonw_object_end(&r.w);
	reply_end(&r, req, 501);
}

/* Stock's messages: a new session's kernel cannot be started, or the one to change to. */
static void reply_no_kernel(const struct making *m, const struct cyg_err *err)
{
	const char *name = m->fields.kernel_name != NULL ? m->fields.kernel_name : "python3";
	char text[256 + sizeof(err->msg)], brief[128];

	if (m->id[0] != '\0') {
		(void)snprintf(text, sizeof(text), "The '%.64s' kernel could not be started: '%s'",
		    name, err->msg);
		(void)snprintf(brief, sizeof(brief), "Error starting kernel %.64s", name);
	} else if (err->code == CYG_ENOENT) {
		(void)snprintf(text, sizeof(text),
		    "The '%.64s' kernel is not available. Please pick another suitable kernel "
		    "instead, or install that kernel.",
		    name);
		(void)snprintf(brief, sizeof(brief), "%.64s not found", name);
	} else {
		reply_error(m->req, 500, NULL, "The kernel could not be started: %s", err->msg);
		return;
	}
	reply_501(m->req, text, brief);
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

static void replace(char **old, char **new)
{
	if (*new == NULL)
		return;
	free(*old);
	*old = CYG_TAKE(*new);
}

static void apply(struct kernel_ctx *ctx, struct nbsession *one, struct fields *f)
{
	replace(&one->path, &f->path);
	replace(&one->name, &f->name);
	replace(&one->type, &f->type);
	ctx->nbsessions->on_change(ctx->nbsessions->arg);
}

/* Ends a kernel that is not needed any more: a session of its path was made meanwhile, or the one
 * that it was for is gone. */
static struct nbsession *finish(struct making *m, struct kernel *k)
{
	struct nbsessions *all = m->ctx->nbsessions;
	struct nbsession *one;

	if (m->id[0] == '\0') {
		one = nbsessions_find_path(all, cyg_str_of(m->fields.path));
		if (one == NULL)
			return nbsessions_add(all, NULL, kernel_id(k), m->fields.path,
			    m->fields.name, m->fields.type);
	} else {
		one = nbsessions_find(all, cyg_str_of(m->id));
		if (one != NULL) {
			apply(m->ctx, one, &m->fields);
			set_kernel(m->ctx, one, kernel_id(k));
		}
	}
	if (one == NULL || strcmp(one->kernel_id, kernel_id(k)) != 0)
		kernel_shutdown(k, NULL, NULL);
	return one;
}

static void on_started(void *arg, struct kernel *k, const struct cyg_err *err)
{
	struct making *m = arg;
	struct nbsession *one = k != NULL ? finish(m, k) : NULL;

	if (m->req != NULL && one != NULL)
		reply_nbsession(m->req, one, m->id[0] == '\0' ? 201 : 200);
	else if (m->req != NULL && err != NULL)
		reply_no_kernel(m, err);
	else if (m->req != NULL)
		reply_error(m->req, 500, NULL, "The session has gone");
	making_free(m);
}

/* JPY_SESSION_NAME. Front ends give a new notebook's session a made-up path beside the notebook's
 * own, and its file's name apart. */
static char *document_of(
    const struct kernel_ctx *ctx, const char *cwd, const char *path, const char *name)
{
	if (name != NULL && *name != '\0')
		return cyg_xasprintf("%s/%s", cwd, name);
	return cyg_xasprintf("%s/%s", ctx->root_dir, path);
}

static void start_found(
    struct making *m, const struct nbsession *one, struct spec *spec, const char *cwd)
{
	const char *path = one != NULL ? one->path : m->fields.path;
	cyg_autofree char *document =
	    document_of(m->ctx, cwd, path, one != NULL ? one->name : m->fields.name);
	struct kernel_start start = { .spec = spec, .cwd = cwd, .session_name = document };
	const char *id = one == NULL ? m->fields.kernel_id : NULL;

	/* A session whose kernel has gone gets a new one under the id it had. */
	if (id != NULL && kernels_id_is_ok(cyg_str_of(id)) &&
	    kernels_find(m->ctx->kernels, cyg_str_of(id)) == NULL)
		start.id = id;
	kernels_start(m->ctx->kernels, &start, on_started, m);
}

static void on_found(void *arg, struct spec *spec, const char *cwd, const struct cyg_err *err)
{
	struct making *m = arg;
	const struct nbsession *one = NULL;
	bool gone;

	if (m->id[0] != '\0')
		one = nbsessions_find(m->ctx->nbsessions, cyg_str_of(m->id));
	gone = m->req == NULL || (m->id[0] != '\0' && one == NULL);
	if (spec != NULL && !gone) {
		start_found(m, one, spec, cwd);
		return;
	}
	spec_free(spec);
	if (m->req != NULL && gone)
		reply_error(m->req, 404, NULL, "The session has gone");
	else if (m->req != NULL)
		reply_no_kernel(m, err);
	making_free(m);
}

/* Takes the fields. one: the session that gets the kernel, or NULL for a new one. */
static void start_for(struct http_req *req, struct fields *f, const struct nbsession *one)
{
	struct lookup lookup = { .name = f->kernel_name, .path_is_file = true };
	struct making *m = cyg_xcalloc(1, sizeof(*m));

	m->req = req;
	m->ctx = req->ctx;
	m->fields = *f;
	if (one != NULL)
		memcpy(m->id, one->id, sizeof(m->id));
	req->data = m;
	req->on_abort = on_abort;
	lookup.path = one != NULL ? one->path : f->path;
	lookup_start(m->ctx, &lookup, on_found, m);
}

static void make_nbsession(struct http_req *req)
{
	struct kernel_ctx *ctx = req->ctx;
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

static void change_nbsession(struct http_req *req)
{
	struct kernel_ctx *ctx = req->ctx;
	struct nbsession *one = find_or_404(req);
	struct fields f;

	if (one == NULL || !fields_read(req, &f))
		return;
	if (f.kernel_id != NULL && kernels_find(ctx->kernels, cyg_str_of(f.kernel_id)) == NULL) {
		reply_error(req, 400, NULL, "No such kernel: %.64s", f.kernel_id);
		fields_free(&f);
		return;
	}
	if (f.kernel_id == NULL && f.kernel_name != NULL) {
		start_for(req, &f, one);
		return;
	}
	apply(ctx, one, &f);
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
	const struct kernel_ctx *ctx = req->ctx;

	kernels_forget(ctx->kernels, req);
}

static void delete_nbsession(struct http_req *req)
{
	struct kernel_ctx *ctx = req->ctx;
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
