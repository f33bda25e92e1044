/* Runs jobs in the thread pool and sends their responses on the loop; compresses bodies, and makes
 * the responses for errors. */
#include "kernels/base/job.h"

#include "base/mem.h"
#include "http/url.h"
#include "kernels/base/gzip.h"
#include "kernels/base/reply.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	ERROR_MAX = 4096,
	PACK_MIN = 1024,      /* smaller bodies are not compressed: they fit a packet anyway */
	PACK_QUICK = 1 << 20, /* larger ones are compressed quickly rather than well */
	PACK_MAX = 64 << 20,
	READ_SMALL = 256 * 1024
};

struct cyg_str strip_slashes(struct cyg_str s)
{
	while (s.len > 0 && s.p[0] == '/')
		s = cyg_str_skip(s, 1);
	while (s.len > 0 && s.p[s.len - 1] == '/')
		s.len--;
	return s;
}

struct job *job_new(struct http_req *req, void *ctx, struct cyg_str param)
{
	struct job *job = cyg_xcalloc(1, sizeof(*job));
	job->req = req;
	job->ctx = ctx;
	job->path = cyg_arena_dup(req->arena, strip_slashes(param));
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
		reply_policy(req, job->page);
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

/* ---- compressing ---- */
/* "gzip", "gzip;q=0.5" and the like, but not with a weight of zero (RFC 9110 12.5.3). */
bool job_takes_gzip(const struct job *job)
{
	const struct http_field *f = http_head_find(job->req->head, "accept-encoding");
	struct cyg_str rest = f != NULL ? f->value : CYG_STR(""), part;
	while (rest.len > 0 && cyg_str_next(&rest, ',', &part)) {
		size_t n = cyg_str_chr(part, ';'), eq = cyg_str_chr(part, '=');
		if (!cyg_str_case_eq(cyg_str_trim(cyg_str_sub(part, 0, n)), "gzip"))
			continue;
		struct cyg_str weight =
		    cyg_str_trim(cyg_str_skip(part, eq < part.len ? eq + 1 : eq));
		size_t zeros = 0;
		while (zeros < weight.len && (weight.p[zeros] == '0' || weight.p[zeros] == '.'))
			zeros++;
		return weight.len == 0 || zeros < weight.len;
	}
	return false;
}

static bool is_text(const char *type)
{
	struct cyg_str s = cyg_str_of(type != NULL ? type : "application/json");
	return cyg_str_starts(s, "text/") || cyg_str_starts(s, "application/json");
}

/* The compressed body is another representation: a weak ETag (RFC 9110 8.8.1). */
static void weaken_etag(struct job *job)
{
	for (size_t i = 0; i < job->n_fields; i++)
		if (strcmp(job->fields[i].name, "ETag") == 0)
			job->fields[i].value =
			    cyg_arena_printf(job->req->arena, "W/%s", job->fields[i].value);
}

/* Compresses a body in memory when that is worth it; runs in the thread pool, too. */
static void pack(struct job *job)
{
	cyg_autobuf struct cyg_buf packed;
	cyg_buf_init(&packed, JOB_OUT_MAX);
	if (job->fd >= 0 || job->out.len < PACK_MIN || job->out.len > PACK_MAX ||
	    !is_text(job->type))
		return;
	job_field(job, "Vary", "Accept-Encoding");
	if (!job_takes_gzip(job) || gzip_write(&packed, cyg_buf_str(&job->out),
					job->out.len > PACK_QUICK ? 1 : 6, NULL) < 0)
		return;
	struct cyg_buf plain = job->out;
	job->out = packed;
	packed = plain;
	job_field(job, "Content-Encoding", "gzip");
	weaken_etag(job);
}

/* Reads a small file at once, which saves a second job in the pool. */
static void read_small(struct job *job)
{
	char *room;
	size_t got = 0;
	ssize_t n = 1;
	if (job->fd < 0 || job->len > READ_SMALL || job->req->method == HTTP_HEAD)
		return;
	cyg_buf_reset(&job->out);
	if (cyg_buf_reserve(&job->out, (size_t)job->len, &room, NULL) < 0)
		return;
	while (got < job->len && n > 0) {
		n = pread(job->fd, room + got, job->len - got, (off_t)(job->off + got));
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			got += (size_t)n;
	}
	if (got < job->len) {
		(void)job_fail(
		    job, 500, NULL, "The file %s cannot be read, or is being changed", job->path);
		return;
	}
	cyg_buf_commit(&job->out, got);
	cyg_close(CYG_TAKE_FD(job->fd));
}

static void work_and_pack(struct job *job)
{
	job->work(job);
	pack(job);
	read_small(job);
}

static void on_work(uv_work_t *work)
{
	work_and_pack(CYG_CONTAINER_OF(work, struct job, work_));
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
	work_and_pack(job);
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
	reply_write_error(&job->out, message, reason);
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
		    "%s: %s. Nothing was changed: make room, then try again. What is deleted here "
		    "only moves to the trash; in a terminal, rm -rf ~/.local/share/Trash/* empties "
		    "it. (%s)",
		    what,
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
