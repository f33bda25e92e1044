/* api/terminals and terminals/websocket/{name} (jupyter_server_terminals is the behaviour
 * followed). */
#include "base/mem.h"
#include "daemon/log.h"
#include "kernels/base/init_link.h"
#include "kernels/base/reply.h"
#include "kernels/base/tape.h"
#include "kernels/terminal/terminal_priv.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BODY_MAX = 64 * 1024 };

static struct terminal *find_or_404(struct http_req *req)
{
	struct terminal *t = terminals_find(req->ctx, req->params[0]);

	if (t == NULL)
		reply_error(req, 404, NULL, "Terminal not found: %.*s",
		    (int)(req->params[0].len < 64 ? req->params[0].len : 64), req->params[0].p);
	return t;
}

static void reply_terminal(struct http_req *req, const struct terminal *t)
{
	struct reply r;

	reply_begin(&r);
	terminal_write(t, &r.w);
	reply_end(&r, req, 200);
}

static void list_terminals(struct http_req *req)
{
	struct reply r;

	reply_begin(&r);
	jsonw_array(&r.w);
	cyg_list_each (it, terminals_list(req->ctx)) {
		terminal_write(terminal_of(it), &r.w);
	}
	jsonw_array_end(&r.w);
	reply_end(&r, req, 200);
}

static void get_terminal(struct http_req *req)
{
	const struct terminal *t = find_or_404(req);

	if (t != NULL)
		reply_terminal(req, t);
}

static void on_abort(struct http_req *req)
{
	terminals_forget(req->ctx, req);
}

static void on_started(void *arg, struct terminal *t, const struct cyg_err *err)
{
	if (t == NULL)
		reply_error(
		    arg, 500, NULL, "%s", err != NULL ? err->msg : "the terminal has ended");
	else
		reply_terminal(arg, t);
}

/* ---- the start: folder and shell are looked for off the loop, because a home may hang ---- */

struct starting {
	uv_work_t work;
	struct http_req *req; /* NULL: the client has gone */
	struct terminals *terminals;
	char *name, *cwd, *shell; /* cwd and shell: as asked for, then as found */
};

static void on_start_abort(struct http_req *req)
{
	struct starting *s = req->data;

	s->req = NULL;
}

/* A folder that is not there is not an error: the shell starts at the root, as stock. */
static void find_cwd(struct starting *s)
{
	struct stat st;

	if (s->cwd == NULL || (stat(s->cwd, &st) == 0 && S_ISDIR(st.st_mode)))
		return;
	free(CYG_TAKE(s->cwd));
}

static void find_shell(struct starting *s)
{
	if (s->shell != NULL && access(s->shell, X_OK) == 0)
		return;
	free(s->shell);
	s->shell = cyg_xstrdup(access("/bin/bash", X_OK) == 0 ? "/bin/bash" : "/bin/sh");
}

static void on_work(uv_work_t *work)
{
	struct starting *s = CYG_CONTAINER_OF(work, struct starting, work);

	find_cwd(s);
	find_shell(s);
}

static void on_worked(uv_work_t *work, int status)
{
	struct starting *s = CYG_CONTAINER_OF(work, struct starting, work);
	const struct terminal_start start = { s->name, s->cwd, s->shell };
	struct cyg_err err = { 0 };

	if (s->req != NULL) {
		s->req->on_abort = on_abort;
		if (terminals_start(s->terminals, &start, on_started, s->req, &err) < 0)
			reply_err(s->req, &err);
	}
	free(s->name);
	free(s->cwd);
	free(s->shell);
	free(s);
}

static bool read_body(struct http_req *req, struct starting *s)
{
	const char *root = s->terminals->opts.root_dir;
	cyg_autofree char *cwd = NULL;
	struct tape *t = NULL;

	if (cyg_str_trim(req->body).len == 0)
		return true;
	if (tape_parse(req->body, &t, NULL, NULL) < 0)
		return false;
	s->name = tape_get_str(t, tape_root(t), "name");
	cwd = tape_get_str(t, tape_root(t), "cwd");
	tape_free(t);
	if (cwd != NULL)
		s->cwd = *cwd == '/' ? CYG_TAKE(cwd) : cyg_xasprintf("%s/%s", root, cwd);
	return true;
}

static void start_terminal(struct http_req *req)
{
	struct starting *s = cyg_xcalloc(1, sizeof(*s));
	const char *shell;

	s->req = req;
	s->terminals = req->ctx;
	if (!read_body(req, s)) {
		free(s);
		reply_error(req, 400, NULL, "Invalid JSON in body of request");
		return;
	}
	shell = hello_get(init_link_env(s->terminals->opts.init), "SHELL");
	s->shell = shell != NULL ? cyg_xstrdup(shell) : NULL;
	req->data = s;
	req->on_abort = on_start_abort;
	/* Only a NULL callback can make it fail. */
	(void)uv_queue_work(s->terminals->opts.loop, &s->work, on_work, on_worked);
}

static void on_ended(void *arg, struct terminal *t, const struct cyg_err *err)
{
	reply_empty(arg);
}

static void delete_terminal(struct http_req *req)
{
	struct terminal *t = find_or_404(req);

	if (t == NULL)
		return;
	req->on_abort = on_abort;
	terminal_end(t, on_ended, req);
}

struct opening {
	struct terminals *terminals;
	char name[TERMINAL_NAME_SIZE];
};

static void on_open(void *arg, int fd, struct cyg_str early)
{
	struct opening *o = arg;
	struct terminal *t = terminals_find(o->terminals, cyg_str_of(o->name));
	struct cyg_err err;

	if (t == NULL)
		cyg_close(fd);
	else if (terminal_attach(t, fd, early, &err) < 0)
		cyg_log_warn("terminal", "%s: %s", o->name, err.msg);
	free(o);
}

static void open_terminal(struct http_req *req)
{
	struct terminal *t = find_or_404(req);
	struct cyg_err err = { 0 };
	struct opening *o;

	if (t == NULL)
		return;
	o = cyg_xcalloc(1, sizeof(*o));
	o->terminals = t->owner;
	memcpy(o->name, t->name, sizeof(o->name));
	if (http_reply_websocket(req, NULL, on_open, o, &err) < 0) {
		free(o);
		reply_error(req, 400, NULL, "%s", err.msg);
	}
}

const struct http_endpoint terminals_endpoints[] = {
	{ HTTP_GET, "/api/terminals", "agent", list_terminals, 0 },
	{ HTTP_POST, "/api/terminals", "agent", start_terminal, BODY_MAX },
	{ HTTP_GET, "/api/terminals/{name}", "agent", get_terminal, 0 },
	{ HTTP_DELETE, "/api/terminals/{name}", "agent", delete_terminal, 0 },
	{ HTTP_GET, "/terminals/websocket/{name}", "agent", open_terminal, 0 },
	{ .path = NULL },
};
