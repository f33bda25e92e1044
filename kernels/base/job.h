/* Work on the user's files outside the loop: a handler makes a job, its work runs in the thread
 * pool and fills in the response, which is sent on the loop. Homes may hang (NFS, EOS, FUSE);
 * kernels' traffic must not. Nothing else touches the request meanwhile, so work uses its arena and
 * body. */
#ifndef KBASE_JOB_H
#define KBASE_JOB_H

#include "http/server.h"
#include "kernels/base/jsonw.h"

enum { JOB_FIELDS_MAX = 10, JOB_OUT_MAX = 1 << 30 };

struct job {
	struct http_req *req;
	void *ctx; /* the folder's context */
	void (*work)(struct job *job);
	const char *name; /* a second parameter, or NULL */
	const char *path; /* the request's path parameter without slashes at its ends */
	/* The response, filled in by work. */
	int status;
	const char *type; /* of the body; NULL: application/json */
	struct cyg_buf out;
	int fd; /* >= 0: the body is len bytes of this file from off */
	uint64_t off, len;
	struct {
		const char *name, *value;
	} fields[JOB_FIELDS_MAX];
	size_t n_fields;
	bool page; /* not API: no default-src in the policy */
	/* Runs on the loop before the response goes out; may be NULL. */
	void (*done)(struct job *job);
	const char *event_action, *event_path, *event_source; /* contents events */
	uv_work_t work_;                                      /* private */
};

/* Work for a request; param is the path parameter. */
struct job *job_new(struct http_req *req, void *ctx, struct cyg_str param);
/* Starts it. loop NULL: at once, in the caller. */
void job_run(struct job *job, uv_loop_t *loop, void (*work)(struct job *job));
/* Copies into the request's arena; name must be a literal. Values with control bytes are left out.
 */
void job_field(struct job *job, const char *name, const char *value);
/* Makes the response an error: {"message": …, "reason": …} as jupyter_server's; reason may be NULL.
 * Returns -1, so that failing is one statement. */
int job_fail(struct job *job, int status, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same for a failed system call on an API path: 403 "Permission denied: path", 404, else 500
 * with what. */
int job_fail_sys(struct job *job, int errnum, const char *what, const char *path);
/* The same for an error object. */
int job_fail_err(struct job *job, const struct cyg_err *err, const char *what);
/* True when the client accepts gzip. job_run compresses bodies in memory itself. */
bool job_takes_gzip(const struct job *job);
/* A query parameter's value, NULL when it is not there or empty. */
const char *job_query(struct job *job, const char *name);
/* s without slashes at its ends. */
struct cyg_str strip_slashes(struct cyg_str s);

#endif
