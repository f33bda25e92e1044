/* The table of the contents endpoints and their handlers. A path may hold slashes and end with
 * /checkpoints, /checkpoints/ID or /trust, which then concerns the file before it. After a folder
 * it is the name of a file in that folder. (Stock decides by the URL alone and cannot open a folder
 * of the name checkpoints.) */
#include "kernels/contents/contents.h"

#include "kernels/base/reply.h"
#include "kernels/contents/files.h"
#include "kernels/contents/model.h"
#include "kernels/contents/save.h"

#include "base/mem.h"
#include "http/url.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define POOL_THREADS "8"

enum { BODY_MAX = 512 << 20, URL_MAX = 16 * 1024 };

typedef void (*work_fn)(struct job *job);

enum tail { TAIL_NONE, TAIL_CHECKPOINTS, TAIL_CHECKPOINT, TAIL_TRUST };

/* Cuts "/checkpoints", "/checkpoints/ID" or "/trust" off a path. */
static enum tail cut_tail(struct cyg_str *path, struct cyg_str *id)
{
	static const struct cyg_str checkpoints = { "/checkpoints", 12 };
	struct cyg_str whole = *path;
	if (cyg_str_ends(whole, "/trust") || cyg_str_eq(whole, "trust")) {
		path->len -= whole.len > 5 ? 6 : 5;
		return TAIL_TRUST;
	}
	if (cyg_str_ends(whole, checkpoints.p) || cyg_str_eq(whole, "checkpoints")) {
		path->len -= whole.len > 11 ? 12 : 11;
		return TAIL_CHECKPOINTS;
	}
	size_t slash = whole.len;
	while (slash > 0 && whole.p[slash - 1] != '/')
		slash--;
	struct cyg_str head = cyg_str_sub(whole, 0, slash > 0 ? slash - 1 : 0);
	if (!cyg_str_ends(head, checkpoints.p))
		return TAIL_NONE;
	*id = cyg_str_skip(whole, slash);
	*path = cyg_str_sub(head, 0, head.len - checkpoints.len);
	return TAIL_CHECKPOINT;
}

/* Sends the event of a change. */
static void on_done(struct job *job)
{
	const struct contents_ctx *ctx = job->ctx;
	if (job->event_action != NULL && ctx->on_event != NULL)
		ctx->on_event(
		    ctx->event_arg, job->event_action, job->event_path, job->event_source);
}

static void run(struct http_req *req, struct cyg_str path, work_fn work)
{
	struct contents_ctx *ctx = req->ctx;
	struct job *job = job_new(req, ctx, path);
	job->done = on_done;
	job_run(job, ctx->loop, work);
}

static work_fn work_of(enum http_method method, enum tail tail)
{
	static const struct {
		enum http_method method;
		enum tail tail;
		work_fn work;
	} works[] = {
		{ HTTP_GET, TAIL_NONE, get_work },
		{ HTTP_PUT, TAIL_NONE, put_work },
		{ HTTP_POST, TAIL_NONE, post_work },
		{ HTTP_PATCH, TAIL_NONE, patch_work },
		{ HTTP_DELETE, TAIL_NONE, delete_work },
		{ HTTP_GET, TAIL_CHECKPOINTS, checkpoints_get_work },
		{ HTTP_POST, TAIL_CHECKPOINTS, checkpoints_post_work },
		{ HTTP_POST, TAIL_CHECKPOINT, checkpoint_restore_work },
		{ HTTP_DELETE, TAIL_CHECKPOINT, checkpoint_delete_work },
		{ HTTP_POST, TAIL_TRUST, trust_work },
	};
	for (size_t i = 0; i < CYG_N(works); i++)
		if (works[i].method == method && works[i].tail == tail)
			return works[i].work;
	return NULL;
}

static void contents_work(struct job *job)
{
	enum http_method method = job->req->method == HTTP_HEAD ? HTTP_GET : job->req->method;
	struct cyg_str path = cyg_str_of(job->path), id = CYG_STR("");
	enum tail tail = cut_tail(&path, &id);
	const char *before = cyg_arena_dup(job->req->arena, path);
	work_fn work = work_of(method, tail);
	if (tail != TAIL_NONE && work != NULL && !path_is_dir(job, before)) {
		job->path = before;
		job->name = cyg_arena_dup(job->req->arena, id);
	} else {
		work = work_of(method, TAIL_NONE);
	}
	if (work != NULL)
		work(job);
	else
		(void)job_fail(job, 405, NULL, "Method Not Allowed");
}

static void handle_contents(struct http_req *req)
{
	run(req, req->params[0], contents_work);
}

static void handle_files(struct http_req *req)
{
	run(req, req->params[0], files_work);
}

/* The URL of Jupyter 2: redirects to the present one. */
static void handle_notebooks(struct http_req *req)
{
	cyg_autobuf struct cyg_buf url;
	cyg_buf_init(&url, URL_MAX);
	if (cyg_buf_printf(&url, NULL, "%sapi/contents/", req->base_url) < 0 ||
	    url_encode(&url, strip_slashes(req->params[0]), "/", NULL) < 0) {
		reply_error(req, 400, NULL, "the path is too long");
		return;
	}
	http_reply_redirect(req, 302, url.data);
}

/* nbconvert is a Python library: without an extension host there is none. */
static void handle_nbconvert_list(struct http_req *req)
{
	reply_policy(req, false);
	http_reply(req, 200, "application/json", CYG_STR("{}"));
}

static void handle_nbconvert(struct http_req *req)
{
	reply_error(req, 404, NULL,
	    "This server does not convert notebooks; run 'jupyter nbconvert' in a terminal");
}

const struct http_endpoint contents_endpoints[] = {
	{ HTTP_GET, "/api/contents", "agent", handle_contents, 0 },
	{ HTTP_POST, "/api/contents", "agent", handle_contents, BODY_MAX },
	{ HTTP_PUT, "/api/contents", "agent", handle_contents, BODY_MAX },
	{ HTTP_PATCH, "/api/contents", "agent", handle_contents, 0 },
	{ HTTP_DELETE, "/api/contents", "agent", handle_contents, 0 },
	{ HTTP_GET, "/api/contents/{path...}", "agent", handle_contents, 0 },
	{ HTTP_POST, "/api/contents/{path...}", "agent", handle_contents, BODY_MAX },
	{ HTTP_PUT, "/api/contents/{path...}", "agent", handle_contents, BODY_MAX },
	{ HTTP_PATCH, "/api/contents/{path...}", "agent", handle_contents, 0 },
	{ HTTP_DELETE, "/api/contents/{path...}", "agent", handle_contents, 0 },
	{ HTTP_GET, "/api/notebooks/{path...}", "agent", handle_notebooks, 0 },
	{ HTTP_GET, "/api/nbconvert", "agent", handle_nbconvert_list, 0 },
	{ HTTP_GET, "/nbconvert/{path...}", "agent", handle_nbconvert, 0 },
	{ HTTP_POST, "/nbconvert/{path...}", "agent", handle_nbconvert, BODY_MAX },
	{ HTTP_GET, "/files/{path...}", "agent", handle_files, 0 },
	{ HTTP_GET, NULL, NULL, NULL, 0 },
};

int contents_open(struct contents_ctx *ctx, struct cyg_err *err)
{
	if (ctx->root_dir[0] != '/')
		return cyg_fail(
		    err, CYG_EINVAL, "the root folder '%s' is not absolute", ctx->root_dir);
	/* With libuv's four threads four requests for a disk that hangs would block all others,
	 * also those for the page's own files. libuv reads this at the first work of the process.
	 */
	if (setenv("UV_THREADPOOL_SIZE", POOL_THREADS, 0) != 0)
		return cyg_fail_sys(err, errno, "set the number of threads");
	(void)mallopt(M_ARENA_MAX, 2);
	ctx->state = state_new();
	return 0;
}

void contents_close(struct contents_ctx *ctx)
{
	state_free(ctx->state);
	ctx->state = NULL;
}
