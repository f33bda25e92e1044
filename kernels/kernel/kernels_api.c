/* api/kernels: list, start, look, interrupt, restart, end; and the WebSocket of a kernel. */
#include "base/mem.h"
#include "daemon/log.h"
#include "http/url.h"
#include "kernels/base/reply.h"
#include "kernels/base/tape.h"
#include "kernels/kernel/api.h"
#include "kernels/kernel/lookup.h"

#include <string.h>

enum { BODY_MAX = 256 * 1024 };

static struct kernels *kernels_of(const struct http_req *req)
{
	const struct kernel_ctx *ctx = req->ctx;

	return ctx->kernels;
}

static struct kernel *find_or_404(struct http_req *req)
{
	struct kernel *k = kernels_find(kernels_of(req), req->params[0]);

	if (k == NULL)
		reply_error(req, 404, NULL, "Kernel does not exist: %.*s",
		    (int)(req->params[0].len < 100 ? req->params[0].len : 100), req->params[0].p);
	return k;
}

static void reply_kernel(struct http_req *req, const struct kernel *k, int status)
{
	struct reply r;

	reply_begin(&r);
	kernel_write(k, &r.w);
	reply_end(&r, req, status);
}

static void list_kernels(struct http_req *req)
{
	struct reply r;

	reply_begin(&r);
	jsonw_array(&r.w);
	cyg_list_each (it, kernels_list(kernels_of(req))) {
		kernel_write(kernel_of(it), &r.w);
	}
	jsonw_array_end(&r.w);
	reply_end(&r, req, 200);
}

static void get_kernel(struct http_req *req)
{
	const struct kernel *k = find_or_404(req);

	if (k != NULL)
		reply_kernel(req, k, 200);
}

/* The client has gone: no response is sent. The request is the waiter's arg. */
static void on_abort(struct http_req *req)
{
	kernels_forget(kernels_of(req), req);
}

static void on_started(void *arg, struct kernel *k, const struct cyg_err *err)
{
	struct http_req *req = arg;
	cyg_autofree char *below = NULL;

	if (k == NULL) {
		reply_error(req, 500, NULL, "The kernel could not be started: %s",
		    err != NULL ? err->msg : "it has gone");
		return;
	}
	below = cyg_xasprintf("api/kernels/%s", kernel_id(k));
	reply_location(req, below);
	reply_kernel(req, k, 201);
}

/* Until the specification is found. */
struct starting {
	struct http_req *req; /* NULL: the client has gone */
	char *id;             /* that it chose, or NULL */
};

static void on_start_abort(struct http_req *req)
{
	struct starting *s = req->data;

	s->req = NULL;
}

static void starting_free(struct starting *s)
{
	free(s->id);
	free(s);
}

static void start_found(struct starting *s, struct spec *spec, const char *cwd)
{
	struct kernels *kernels = kernels_of(s->req);
	struct kernel *k = s->id != NULL ? kernels_find(kernels, cyg_str_of(s->id)) : NULL;
	const struct kernel_start start = { .spec = spec, .cwd = cwd, .id = s->id };

	s->req->on_abort = on_abort;
	if (k != NULL) { /* it is there already, as stock */
		spec_free(spec);
		on_started(s->req, k, NULL);
	} else {
		kernels_start(kernels, &start, on_started, s->req);
	}
}

static void on_found(void *arg, struct spec *spec, const char *cwd, const struct cyg_err *err)
{
	struct starting *s = arg;

	if (s->req == NULL)
		spec_free(spec);
	else if (spec == NULL)
		reply_err(s->req, err);
	else
		start_found(s, spec, cwd);
	starting_free(s);
}

static void start_kernel(struct http_req *req)
{
	cyg_autofree char *name = NULL, *path = NULL;
	struct starting *s;
	struct lookup lookup = { 0 };
	struct tape *t = NULL;
	char *id = NULL;
	bool is_object;

	if (cyg_str_trim(req->body).len > 0) {
		if (tape_parse(req->body, &t, NULL, NULL) < 0) {
			reply_error(req, 400, NULL, "Invalid JSON in body of request");
			return;
		}
		name = tape_get_str(t, tape_root(t), "name");
		path = tape_get_str(t, tape_root(t), "path");
		id = tape_get_str(t, tape_root(t), "kernel_id");
		is_object = tape_type_of(t, tape_root(t)) == TAPE_OBJECT;
		tape_free(t);
		if (!is_object) {
			reply_error(req, 400, NULL, "The body must be a JSON object");
			return;
		}
	}
	if (id != NULL && !kernels_id_is_ok(cyg_str_of(id))) {
		free(id);
		reply_error(req, 400, NULL, "kernel_id must be a UUID");
		return;
	}
	s = cyg_xcalloc(1, sizeof(*s));
	s->req = req;
	s->id = id;
	req->data = s;
	req->on_abort = on_start_abort;
	lookup.name = name;
	lookup.path = path;
	lookup_start(req->ctx, &lookup, on_found, s);
}

static void on_gone(void *arg, struct kernel *k, const struct cyg_err *err)
{
	reply_empty(arg);
}

static void delete_kernel(struct http_req *req)
{
	struct kernel *k = find_or_404(req);

	if (k == NULL)
		return;
	req->on_abort = on_abort;
	kernel_shutdown(k, on_gone, req);
}

static void interrupt_kernel(struct http_req *req)
{
	struct kernel *k = find_or_404(req);
	struct cyg_err err = { 0 };

	if (k == NULL)
		return;
	if (kernel_interrupt(k, &err) < 0)
		reply_err(req, &err);
	else
		reply_empty(req);
}

static void on_restarted(void *arg, struct kernel *k, const struct cyg_err *err)
{
	struct http_req *req = arg;

	if (k == NULL)
		reply_error(req, 500, NULL, "Exception restarting kernel: %s",
		    err != NULL ? err->msg : "it has gone");
	else
		reply_kernel(req, k, 200);
}

static void restart_kernel(struct http_req *req)
{
	struct kernel *k = find_or_404(req);
	struct cyg_err err = { 0 };

	if (k == NULL)
		return;
	req->on_abort = on_abort;
	if (kernel_restart(k, on_restarted, req, &err) == 0)
		return;
	if (err.code == CYG_EEXIST)
		reply_err(req, &err);
	else
		on_restarted(req, NULL, &err);
}

/* ---- the WebSocket ---- */

struct opening {
	struct kernels *kernels;
	char id[KERNEL_ID_SIZE];
	char *session_id;
	enum kmsg_framing framing;
};

static void on_open(void *arg, int fd, struct cyg_str early)
{
	struct opening *o = arg;
	struct kernel *k = kernels_find(o->kernels, cyg_str_of(o->id));
	struct cyg_err err = { 0 };

	if (k == NULL)
		cyg_close(fd);
	else if (kernel_attach(k, cyg_str_of(o->session_id), o->framing, fd, early, &err) < 0)
		cyg_log_warn(o->id, "%s", err.msg);
	free(o->session_id);
	free(o);
}

static void open_channels(struct http_req *req)
{
	struct kernel *k = find_or_404(req);
	bool v1 = http_head_lists(req->head, "Sec-WebSocket-Protocol", KMSG_PROTOCOL_V1);
	struct cyg_str session_id = CYG_STR("");
	struct cyg_err err = { 0 };
	struct opening *o;
	bool found = false;

	if (k == NULL)
		return;
	if (url_query_get(req->arena, req->head->query, "session_id", &session_id, &found, &err) <
		0 ||
	    session_id.len > 128) {
		reply_error(req, 400, NULL, "bad session_id");
		return;
	}
	o = cyg_xcalloc(1, sizeof(*o));
	o->kernels = kernels_of(req);
	(void)cyg_str_copy(o->id, sizeof(o->id), cyg_str_of(kernel_id(k)));
	o->session_id = cyg_str_dup(found ? session_id : CYG_STR(""));
	o->framing = v1 ? KMSG_V1 : KMSG_JSON;
	if (http_reply_websocket(req, v1 ? KMSG_PROTOCOL_V1 : NULL, on_open, o, &err) < 0) {
		free(o->session_id);
		free(o);
		reply_error(req, 400, NULL, "%s", err.msg);
	}
}

const struct http_endpoint kernels_endpoints[] = {
	{ HTTP_GET, "/api/kernels", "agent", list_kernels, 0 },
	{ HTTP_POST, "/api/kernels", "agent", start_kernel, BODY_MAX },
	{ HTTP_GET, "/api/kernels/{id}", "agent", get_kernel, 0 },
	{ HTTP_DELETE, "/api/kernels/{id}", "agent", delete_kernel, 0 },
	{ HTTP_POST, "/api/kernels/{id}/interrupt", "agent", interrupt_kernel, BODY_MAX },
	{ HTTP_POST, "/api/kernels/{id}/restart", "agent", restart_kernel, BODY_MAX },
	{ HTTP_GET, "/api/kernels/{id}/channels", "agent", open_channels, 0 },
	{ .path = NULL },
};
