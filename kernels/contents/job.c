/* Jobs: from the loop to the thread pool and back. */
#include "kernels/contents/job.h"

#include "base/mem.h"
#include "http/url.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ERROR_MAX = 4096 };

struct cyg_str agent_strip_slashes(struct cyg_str s)
{
	while (s.len > 0 && s.p[0] == '/')
		s = cyg_str_skip(s, 1);
	while (s.len > 0 && s.p[s.len - 1] == '/')
		s.len--;
	return s;
}

void agent_reply_policy(struct http_req *req, const char *base_url, bool page, const char *extra)
{
	const char *policy = cyg_arena_printf(req->arena,
	    "frame-ancestors 'self'; report-uri %sapi/security/csp-report%s%s", base_url,
	    page ? "" : "; default-src 'none'", extra);
	http_reply_field(req, "Content-Security-Policy", policy);
	http_reply_field(req, "X-Content-Type-Options", "nosniff");
}

static void write_error(struct cyg_buf *out, const char *message, const char *reason)
{
	struct jsonw w;
	jsonw_init(&w, out);
	jsonw_object(&w);
	jsonw_key_cstr(&w, "message", message);
	jsonw_key_cstr(&w, "reason", reason);
	jsonw_object_end(&w);
	(void)jsonw_finish(&w, NULL);
}

void agent_reply_error(struct http_req *req, const char *base_url, int status, const char *message)
{
	cyg_autobuf struct cyg_buf out;
	cyg_buf_init(&out, ERROR_MAX);
	write_error(&out, message, NULL);
	agent_reply_policy(req, base_url, false, "");
	http_reply(req, status, "application/json", cyg_buf_str(&out));
}

struct job *job_new(struct http_req *req, void *ctx, const char *base_url, struct cyg_str param)
{
	struct job *job = cyg_xcalloc(1, sizeof(*job));
	job->req = req;
	job->ctx = ctx;
	job->base_url_ = base_url;
	job->path = cyg_arena_dup(req->arena, agent_strip_slashes(param));
	job->status = 200;
	job->fd = -1;
	cyg_buf_init(&job->out, JOB_OUT_MAX);
	return job;
}

static void job_reply(struct job *job)
{
	struct http_req *req = job->req;
	const char *type = job->type != NULL ? job->type : "application/json";
	if (job->done != NULL)
		job->done(job);
	bool policy = false;
	for (size_t i = 0; i < job->n_fields; i++) {
		policy = policy || strcmp(job->fields[i].name, "Content-Security-Policy") == 0;
		http_reply_field(req, job->fields[i].name, job->fields[i].value);
	}
	if (!policy)
		agent_reply_policy(req, job->base_url_, job->page, "");
	if (job->fd >= 0) {
		http_reply_file(req, job->status, type, CYG_TAKE_FD(job->fd), job->off, job->len);
	} else if (job->status == 204 || job->status == 304) {
		http_reply(req, job->status, NULL, CYG_STR(""));
	} else {
		size_t len;
		char *body = cyg_buf_take(&job->out, &len);
		http_reply_take(req, job->status, type, body, len);
	}
	cyg_buf_free(&job->out);
	free(job);
}

static void on_work(uv_work_t *work)
{
	struct job *job = CYG_CONTAINER_OF(work, struct job, work_);
	job->work(job);
}

static void on_worked(uv_work_t *work, int status)
{
	(void)status;
	job_reply(CYG_CONTAINER_OF(work, struct job, work_));
}

void job_run(struct job *job, uv_loop_t *loop, void (*work)(struct job *job))
{
	job->work = work;
	/* Only a NULL callback can make uv_queue_work fail. */
	if (loop != NULL && uv_queue_work(loop, &job->work_, on_work, on_worked) == 0)
		return;
	work(job);
	job_reply(job);
}

void job_field(struct job *job, const char *name, const char *value)
{
	if (job->n_fields == JOB_FIELDS_MAX || !http_value_is_ok(cyg_str_of(value)))
		return;
	job->fields[job->n_fields].name = name;
	job->fields[job->n_fields++].value = cyg_arena_dup(job->req->arena, cyg_str_of(value));
}

int job_fail(struct job *job, int status, const char *reason, const char *fmt, ...)
{
	char message[ERROR_MAX / 2];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	cyg_buf_reset(&job->out);
	if (job->fd >= 0)
		cyg_close(CYG_TAKE_FD(job->fd));
	job->status = status;
	job->type = NULL;
	job->n_fields = 0;
	job->event_action = NULL;
	write_error(&job->out, message, reason);
	return -1;
}

int job_fail_sys(struct job *job, int errnum, const char *what, const char *path)
{
	switch (errnum) {
	case EPERM:
	case EACCES:
	case EROFS:
		return job_fail(job, 403, NULL, "Permission denied: %s", path);
	case ENOENT:
	case ENOTDIR:
		return job_fail(job, 404, NULL, "No such file or directory: %s", path);
	case ENOSPC:
	case EDQUOT:
		return job_fail(job, 507, NULL,
		    "%s: %s. Nothing was changed: delete something, then try again. (%s)", what,
		    errnum == EDQUOT ? "your disk quota is used up" : "no space left on the disk",
		    path);
	case ENAMETOOLONG:
		return job_fail(job, 400, NULL, "The name is too long: %s", path);
	default:
		return job_fail(job, 500, NULL, "%s: %s: %s", what, path, strerror(errnum));
	}
}

int job_fail_err(struct job *job, const struct cyg_err *err, const char *what)
{
	if (err->code == CYG_ESYS || err->code == CYG_EDENIED)
		return job_fail_sys(job, err->sys, what, job->path);
	return job_fail(job, http_status_of(err->code), NULL, "%s: %s", what, err->msg);
}

const char *job_query(struct job *job, const char *name)
{
	struct cyg_str value;
	bool found = false;
	struct http_req *req = job->req;
	if (req->head->query.p == NULL ||
	    url_query_get(req->arena, req->head->query, name, &value, &found, NULL) < 0 || !found ||
	    value.len == 0)
		return NULL;
	return cyg_arena_dup(req->arena, value);
}
