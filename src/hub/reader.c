/* The reader child, both sides: starting it with a deadline, and what it does. */
#include "hub/reader.h"

#include "base/file.h"
#include "base/mem.h"
#include "daemon/loop.h"
#include "daemon/yaml.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { READER_MAX = 1024 * 1024, READER_ERROR_MAX = 1024, READ_STEP = 16 * 1024 };

/* ---- the child ---- */

/* What is no YAML is refused here already; what it means is for whoever asked. */
int reader_main(const char *path)
{
	cyg_autobuf struct cyg_buf text;
	struct yaml_doc *doc = NULL;
	struct cyg_err err;

	cyg_buf_init(&text, READER_MAX);
	if (cyg_file_read(AT_FDCWD, path, true, &text, &err) < 0 ||
	    yaml_parse(path, cyg_buf_str(&text), &doc, &err) < 0) {
		(void)fprintf(stderr, "%s", err.msg);
		return 1;
	}
	yaml_doc_free(doc);
	return cyg_file_write_all(STDOUT_FILENO, text.data, text.len, &err) < 0;
}

/* ---- the parent ---- */

struct reader {
	uv_process_t process;
	uv_pipe_t out, errors;
	uv_timer_t timer;
	struct cyg_buf text, message;
	char *room;       /* where libuv reads to */
	unsigned open;    /* handles that are not closed yet */
	unsigned waiting; /* for: exit, and the ends of both pipes */
	int64_t status;
	bool late, too_long;
	reader_done_fn done; /* NULL: cancelled, or called already */
	void *arg;
	char *path;
};

static void on_closed(uv_handle_t *h)
{
	struct reader *r = h->data;

	if (--r->open > 0)
		return;
	cyg_buf_free(&r->text);
	cyg_buf_free(&r->message);
	free(r->room);
	free(r->path);
	free(r);
}

static void close_all(struct reader *r)
{
	uv_handle_t *const handles[] = { (uv_handle_t *)&r->process, (uv_handle_t *)&r->out,
		(uv_handle_t *)&r->errors, (uv_handle_t *)&r->timer };

	for (size_t i = 0; i < CYG_N(handles); i++) {
		if (uv_is_closing(handles[i]) == 0)
			uv_close(handles[i], on_closed);
	}
}

static void step(struct reader *r)
{
	reader_done_fn done = r->done;
	struct cyg_err err = { .code = CYG_OK };

	if (--r->waiting > 0)
		return;
	r->done = NULL;
	if (r->late)
		(void)cyg_fail(&err, CYG_ETIMEOUT,
		    "%s does not answer: the software tree may be down", r->path);
	else if (r->too_long)
		(void)cyg_fail(&err, CYG_ELIMIT, "%s is too long", r->path);
	else if (r->status != 0)
		(void)cyg_fail(&err, CYG_EINVAL, "%s",
		    r->message.len > 0 ? r->message.data : "the reader failed");
	if (done != NULL)
		done(r->arg,
		    err.code == CYG_OK ? cyg_buf_str(&r->text) : (struct cyg_str){ NULL, 0 },
		    err.code == CYG_OK ? NULL : &err);
	close_all(r);
}

static void on_child_exit(uv_process_t *process, int64_t status, int signum)
{
	struct reader *r = process->data;

	r->status = signum != 0 ? -1 : status;
	step(r);
}

static void on_room(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct reader *r = h->data;

	(void)suggested;
	*buf = uv_buf_init(r->room, READ_STEP);
}

static void on_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct reader *r = stream->data;
	struct cyg_buf *to = stream == (uv_stream_t *)&r->out ? &r->text : &r->message;

	if (n < 0) {
		(void)uv_read_stop(stream);
		step(r);
		return;
	}
	if (n > 0 && cyg_buf_add(to, buf->base, (size_t)n, NULL) < 0 && to == &r->text) {
		r->too_long = true;
		(void)uv_process_kill(&r->process, SIGKILL);
	}
}

static void on_deadline(uv_timer_t *timer)
{
	struct reader *r = timer->data;

	r->late = true;
	(void)uv_process_kill(&r->process, SIGKILL);
}

static int spawn_child(struct reader *r, uv_loop_t *loop, const char *path)
{
	char *args[] = { (char[]){ "cygnet-hub" }, (char[]){ "--reader" }, (char *)(uintptr_t)path,
		NULL };
	char *env[] = { NULL };
	uv_stdio_container_t stdio[] = { { .flags = UV_IGNORE },
		{ .flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE),
		    .data.stream = (uv_stream_t *)&r->out },
		{ .flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE),
		    .data.stream = (uv_stream_t *)&r->errors } };
	const uv_process_options_t options = { .exit_cb = on_child_exit,
		.file = "/proc/self/exe",
		.args = args,
		.env = env,
		.stdio = stdio,
		.stdio_count = CYG_N(stdio) };

	return uv_spawn(loop, &r->process, &options);
}

int reader_start(
    uv_loop_t *loop, const struct reader_spec *spec, struct reader **ret, struct cyg_err *err)
{
	struct reader *r = cyg_xcalloc(1, sizeof(*r));
	int rc;

	cyg_buf_init(&r->text, READER_MAX);
	cyg_buf_init(&r->message, READER_ERROR_MAX);
	r->room = cyg_xcalloc(1, READ_STEP);
	r->path = cyg_xstrdup(spec->path);
	r->done = spec->done;
	r->arg = spec->arg;
	r->open = 4;
	r->waiting = 3;
	(void)uv_pipe_init(loop, &r->out, 0);
	(void)uv_pipe_init(loop, &r->errors, 0);
	(void)uv_timer_init(loop, &r->timer);
	r->process.data = r->out.data = r->errors.data = r->timer.data = r;
	rc = spawn_child(r, loop, r->path);
	r->process.data = r;
	if (rc < 0) {
		close_all(r);
		return cyg_fail(err, CYG_ESYS, "start the reader: %s", uv_strerror(rc));
	}
	(void)uv_read_start((uv_stream_t *)&r->out, on_room, on_bytes);
	(void)uv_read_start((uv_stream_t *)&r->errors, on_room, on_bytes);
	(void)uv_timer_start(&r->timer, on_deadline, spec->timeout_ms, 0);
	*ret = r;
	return 0;
}

void reader_cancel(struct reader *r)
{
	if (r == NULL || r->done == NULL)
		return;
	r->done = NULL; /* the handles close when the child has ended */
	(void)uv_process_kill(&r->process, SIGKILL);
}
