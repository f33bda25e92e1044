/* Running a child program. The file follows the order of its life: start, bytes, the ways it can
 * end, release. */
#include "daemon/child.h"

#include "base/buf.h"
#include "base/mem.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE_MAX = 1024, READ_STEP = 16 * 1024 };

struct cyg_child {
	uv_process_t process;
	uv_pipe_t in, out, errors;
	uv_timer_t timer;
	uv_write_t write;
	struct cyg_buf text, message;
	char *request;
	size_t request_len, max;
	char *room; /* where libuv reads to */
	uint64_t timeout_ms;
	unsigned open;    /* handles that are not closed yet */
	unsigned waiting; /* for: exit, and the ends of both pipes */
	int64_t exit_code;
	int signum;
	bool reaped, released;
	cyg_child_fn fn; /* NULL: called already, or released */
	void *arg;
};

/* ---- the ends ---- */

static void free_if_over(struct cyg_child *c)
{
	if (c->open > 0 || !c->released)
		return;
	cyg_cleanse(c->text.data, c->text.len); /* a broker's response is a secret */
	cyg_buf_free(&c->text);
	cyg_buf_free(&c->message);
	cyg_cleanse(c->request, c->request_len);
	free(c->request);
	free(c->room);
	free(c);
}

static void on_closed(uv_handle_t *h)
{
	struct cyg_child *c = h->data;

	c->open--;
	free_if_over(c);
}

static void close_handle(uv_handle_t *h)
{
	if (uv_is_closing(h) == 0)
		uv_close(h, on_closed);
}

/* The process's own handle stays until it is reaped: libuv would leave a zombie. */
static void close_pipes(struct cyg_child *c)
{
	close_handle((uv_handle_t *)&c->in);
	close_handle((uv_handle_t *)&c->out);
	close_handle((uv_handle_t *)&c->errors);
	close_handle((uv_handle_t *)&c->timer);
}

/* setsid made the child the leader of a group before it ran: its children die with it. The group
 * has the number of a process that was not reaped, or was in this very callback, so it is ours. */
static void kill_group(const struct cyg_child *c)
{
	(void)kill(-c->process.pid, SIGKILL);
}

static void finish(struct cyg_child *c, const struct cyg_child_result *res, struct cyg_err *err)
{
	cyg_child_fn fn = CYG_TAKE(c->fn);

	if (!c->reaped)
		kill_group(c);
	close_pipes(c);
	if (fn != NULL)
		fn(c->arg, res, err);
}

static void step(struct cyg_child *c)
{
	struct cyg_err err = { .code = CYG_OK };

	if (--c->waiting > 0 || c->fn == NULL)
		return;
	if (c->signum != 0) {
		(void)cyg_fail(&err, CYG_ESYS, "a signal ended it (%d)", c->signum);
		finish(c, NULL, &err);
		return;
	}
	const struct cyg_child_result res = { .exit_code = (int)c->exit_code,
		.text = cyg_buf_str(&c->text),
		.message = cyg_buf_str(&c->message) };
	finish(c, &res, NULL);
}

static void on_exit_(uv_process_t *process, int64_t code, int signum)
{
	struct cyg_child *c = process->data;

	kill_group(c); /* its own children may still hold the pipes open */
	c->reaped = true;
	c->exit_code = code;
	c->signum = signum;
	close_handle((uv_handle_t *)process);
	step(c);
}

static void on_deadline(uv_timer_t *timer)
{
	struct cyg_child *c = timer->data;
	struct cyg_err err;

	(void)cyg_fail(
	    &err, CYG_ETIMEOUT, "it did not end within %llu ms", (unsigned long long)c->timeout_ms);
	finish(c, NULL, &err);
}

/* ---- bytes ---- */

static void on_room(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct cyg_child *c = h->data;

	(void)suggested;
	*buf = uv_buf_init(c->room, READ_STEP);
}

static void keep_message(struct cyg_child *c, const char *data, size_t n)
{
	size_t room = MESSAGE_MAX - c->message.len;

	(void)cyg_buf_add(&c->message, data, n < room ? n : room, NULL);
}

static void on_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct cyg_child *c = stream->data;
	struct cyg_err err;

	if (n < 0) {
		(void)uv_read_stop(stream);
		step(c);
	} else if (n > 0 && stream == (uv_stream_t *)&c->errors) {
		keep_message(c, buf->base, (size_t)n);
	} else if (n > 0 && cyg_buf_add(&c->text, buf->base, (size_t)n, NULL) < 0) {
		(void)cyg_fail(&err, CYG_ELIMIT, "it said more than %zu bytes", c->max);
		finish(c, NULL, &err);
	}
	cyg_cleanse(c->room, n > 0 ? (size_t)n : 0);
}

/* The program has taken the request, or does not read it. Its output counts in both cases. */
static void on_written(uv_write_t *write, int status)
{
	struct cyg_child *c = write->data;

	(void)status;
	cyg_cleanse(c->request, c->request_len);
	close_handle((uv_handle_t *)&c->in);
}

/* ---- start and release ---- */

static int spawn(struct cyg_child *c, uv_loop_t *loop, const struct cyg_child_spec *spec)
{
	static char *nothing[] = { NULL };
	uv_stdio_container_t stdio[] = {
		{ .flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_READABLE_PIPE),
		    .data.stream = (uv_stream_t *)&c->in },
		{ .flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE),
		    .data.stream = (uv_stream_t *)&c->out },
		{ .flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE),
		    .data.stream = (uv_stream_t *)&c->errors },
	};
	const uv_process_options_t options = {
		.exit_cb = on_exit_,
		.file = spec->program,
		.args = (char **)(uintptr_t)spec->argv,
		.env = spec->env != NULL ? (char **)(uintptr_t)spec->env : nothing,
		.flags = UV_PROCESS_DETACHED, /* setsid */
		.stdio = stdio,
		.stdio_count = CYG_N(stdio),
	};

	return uv_spawn(loop, &c->process, &options);
}

static struct cyg_child *make(
    uv_loop_t *loop, const struct cyg_child_spec *spec, cyg_child_fn fn, void *arg)
{
	struct cyg_child *c = cyg_xcalloc(1, sizeof(*c));

	cyg_buf_init(&c->text, spec->max);
	cyg_buf_init(&c->message, MESSAGE_MAX);
	c->room = cyg_xcalloc(1, READ_STEP);
	c->request_len = spec->request.len;
	c->request = cyg_xcalloc(1, spec->request.len + 1);
	if (spec->request.len > 0)
		memcpy(c->request, spec->request.p, spec->request.len);
	c->max = spec->max;
	c->timeout_ms = spec->timeout_ms;
	c->fn = fn;
	c->arg = arg;
	c->open = 5;
	c->waiting = 3;
	(void)uv_pipe_init(loop, &c->in, 0);
	(void)uv_pipe_init(loop, &c->out, 0);
	(void)uv_pipe_init(loop, &c->errors, 0);
	(void)uv_timer_init(loop, &c->timer);
	c->in.data = c->out.data = c->errors.data = c->timer.data = c->write.data = c;
	return c;
}

int cyg_child_start(uv_loop_t *loop, const struct cyg_child_spec *spec, cyg_child_fn fn, void *arg,
    struct cyg_child **ret, struct cyg_err *err)
{
	struct cyg_child *c = make(loop, spec, fn, arg);
	int rc = spawn(c, loop, spec);
	uv_buf_t request = uv_buf_init(c->request, (unsigned)c->request_len);

	c->process.data = c;
	if (rc < 0) {
		c->fn = NULL;
		c->released = true;
		close_pipes(c);
		close_handle((uv_handle_t *)&c->process);
		return cyg_fail(err, CYG_ESYS, "start %s: %s", spec->program, uv_strerror(rc));
	}
	(void)uv_read_start((uv_stream_t *)&c->out, on_room, on_bytes);
	(void)uv_read_start((uv_stream_t *)&c->errors, on_room, on_bytes);
	(void)uv_timer_start(&c->timer, on_deadline, spec->timeout_ms, 0);
	if (c->request_len == 0 ||
	    uv_write(&c->write, (uv_stream_t *)&c->in, &request, 1, on_written) < 0)
		close_handle((uv_handle_t *)&c->in);
	*ret = c;
	return 0;
}

bool cyg_child_has_ended(const struct cyg_child *c)
{
	return c->reaped;
}

void cyg_child_release(struct cyg_child *c)
{
	if (c == NULL)
		return;
	c->released = true;
	c->fn = NULL;
	if (!c->reaped)
		kill_group(c);
	close_pipes(c);
	free_if_over(c);
}
