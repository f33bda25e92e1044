/* A shell on a pty: reads what it prints (for the ring and the browsers), writes what is typed, and
 * ends it. init starts the shell and keeps the pty's master, so that it survives this process. */
#include "kernels/terminal/terminal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "kernels/base/env.h"
#include "kernels/base/init_link.h"
#include "kernels/terminal/terminal_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

static const char TAG[] = "term:";

struct terminals *terminals_new(const struct terminals_opts *opts)
{
	struct terminals *ts = cyg_xcalloc(1, sizeof(*ts));

	ts->opts = *opts;
	cyg_list_init(&ts->list);
	cyg_list_init(&ts->leaving);
	ts->runtime_dir = cyg_xasprintf("%s/runtime", opts->run_dir);
	(void)cyg_file_mkdirs(ts->runtime_dir, 0700, NULL);
	return ts;
}

/* ---- one terminal's memory ---- */

static void terminal_free(void *p)
{
	struct terminal *t = p;

	free(t->ring_path);
	cyg_buf_free(&t->input);
	free(t);
}

static void on_timer_closed(uv_handle_t *h)
{
	ev_free_later(h->loop, h->data, terminal_free);
}

static void on_poll_closed(uv_handle_t *h)
{
	struct terminal *t = h->data;

	cyg_close(t->pty);
	uv_close((uv_handle_t *)&t->timer, on_timer_closed);
}

/* Off the list; browsers are told when the shell itself has ended. */
static void terminal_detach(struct terminal *t, bool ended)
{
	init_link_forget(t->owner->opts.init, t);
	clients_end(t, ended);
	ring_close(t->ring);
	t->ring = NULL;
	if (ended)
		(void)unlink(t->ring_path);
	cyg_list_remove(&t->owner->list, &t->link);
	(void)uv_timer_stop(&t->timer);
	t->polling = false;
	if (t->poll_open) {
		uv_close((uv_handle_t *)&t->poll, on_poll_closed);
		return;
	}
	cyg_close(t->pty);
	uv_close((uv_handle_t *)&t->timer, on_timer_closed);
}

static void terminals_free(void *p)
{
	struct terminals *ts = p;

	free(ts->runtime_dir);
	free(ts);
}

void terminals_close(struct terminals *ts)
{
	if (ts == NULL)
		return;
	cyg_list_each_safe (it, &ts->list) {
		terminal_detach(terminal_of(it), false);
	}
	ws_end_all(&ts->leaving);
	ev_free_later(ts->opts.loop, ts, terminals_free);
}

const struct cyg_list *terminals_list(const struct terminals *ts)
{
	return &ts->list;
}

struct terminal *terminal_of(struct cyg_link *link)
{
	return CYG_CONTAINER_OF(link, struct terminal, link);
}

struct terminal *terminals_find(const struct terminals *ts, struct cyg_str name)
{
	cyg_list_each (it, &ts->list) {
		struct terminal *t = terminal_of(it);

		if (cyg_str_eq(name, t->name))
			return t;
	}
	return NULL;
}

size_t terminals_connections(const struct terminals *ts)
{
	size_t n = 0;

	cyg_list_each (it, &ts->list) {
		n += terminal_of(it)->clients.n;
	}
	return n;
}

int64_t terminals_last_activity(const struct terminals *ts)
{
	return ts->last_activity_us;
}

void terminal_write(const struct terminal *t, struct jsonw *w)
{
	char date[CYG_ISO8601_SIZE];

	cyg_clock_format(t->last_activity_us, date);
	jsonw_object(w);
	jsonw_key_cstr(w, "name", t->name);
	jsonw_key_cstr(w, "last_activity", date);
	jsonw_object_end(w);
}

/* ---- the pty ---- */

static void note_activity(struct terminal *t)
{
	t->last_activity_us = t->owner->last_activity_us = cyg_clock_wall_us();
}

/* Bytes at the end of data that begin a character without finishing it (RFC 3629). */
static size_t unfinished(const char *data, size_t len)
{
	for (size_t back = 1; back <= 3 && back <= len; back++) {
		unsigned char c = (unsigned char)data[len - back];
		size_t need = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;

		if ((c & 0xc0) == 0x80)
			continue;
		return need > back ? back : 0;
	}
	return 0;
}

static void print(struct terminal *t, const char *data, size_t len)
{
	char buf[TERMINAL_READ + sizeof(t->tail)];
	size_t cut;

	ring_add(t->ring, data, len);
	memcpy(buf, t->tail, t->tail_len);
	memcpy(buf + t->tail_len, data, len);
	len += t->tail_len;
	cut = unfinished(buf, len);
	memcpy(t->tail, buf + len - cut, cut);
	t->tail_len = cut;
	if (len > cut)
		clients_stdout(t, (struct cyg_str){ buf, len - cut });
}

enum pty_read { PTY_TEXT, PTY_NOTHING, PTY_END };

static enum pty_read read_pty(struct terminal *t)
{
	char buf[TERMINAL_READ];
	ssize_t n = read(t->pty, buf, sizeof(buf));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? PTY_NOTHING : PTY_END;
	if (n == 0)
		return PTY_END;
	note_activity(t);
	print(t, buf, (size_t)n);
	return PTY_TEXT;
}

static void write_pty(struct terminal *t)
{
	while (t->input.len > 0) {
		ssize_t n = write(t->pty, t->input.data, t->input.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return; /* full, or closed: the read side will tell */
		cyg_buf_consume(&t->input, (size_t)n);
	}
}

static void on_poll(uv_poll_t *h, int status, int events)
{
	struct terminal *t = h->data;

	if ((events & UV_WRITABLE) != 0)
		write_pty(t);
	/* EIO: no process has the other side open; init will report that the shell has ended. */
	if (status < 0 || ((events & UV_READABLE) != 0 && read_pty(t) == PTY_END)) {
		t->polling = false;
		(void)uv_poll_stop(&t->poll);
		return;
	}
	terminal_watch(t);
}

void terminal_watch(struct terminal *t)
{
	int events = 0;

	if (!t->polling)
		return;
	if (clients_least_waiting(t) < TERMINAL_PAUSE)
		events |= UV_READABLE;
	if (t->input.len > 0)
		events |= UV_WRITABLE;
	if (events == 0)
		(void)uv_poll_stop(&t->poll);
	else
		(void)uv_poll_start(&t->poll, events, on_poll);
}

void terminal_input(struct terminal *t, struct cyg_str text)
{
	struct cyg_err err;

	note_activity(t);
	if (!t->polling)
		return;
	if (cyg_buf_add(&t->input, text.p, text.len, &err) < 0)
		cyg_log_warn("terminal",
		    "%s: %zu bytes of input are lost, no program reads them: %s", t->name, text.len,
		    err.msg);
	write_pty(t);
}

void terminal_resize(struct terminal *t, unsigned rows, unsigned cols)
{
	const struct winsize size = { .ws_row = (unsigned short)rows,
		.ws_col = (unsigned short)cols };

	if (t->pty >= 0)
		(void)ioctl(t->pty, TIOCSWINSZ, &size);
}

/* Takes the pty of a running shell. */
static int terminal_take_pty(struct terminal *t, int pid, int pty_fd, struct cyg_err *err)
{
	int rc;

	t->pid = pid;
	t->pty = pty_fd;
	if (pty_fd < 0)
		return cyg_fail(err, CYG_EPROTO, "init sent no pty");
	if (fcntl(pty_fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return cyg_fail_sys(err, errno, "take the terminal's pty");
	rc = uv_poll_init(t->owner->opts.loop, &t->poll, pty_fd);
	if (rc < 0)
		return cyg_fail_sys(err, -rc, "watch the terminal's pty");
	t->poll.data = t;
	t->poll_open = t->polling = true;
	terminal_watch(t);
	return 0;
}

static void on_hangup_timer(uv_timer_t *timer)
{
	struct terminal *t = timer->data;

	(void)init_link_signal(t->owner->opts.init, t->pid, SIGKILL, true, NULL);
}

static void hang_up(struct terminal *t)
{
	struct init_link *init = t->owner->opts.init;

	(void)init_link_signal(init, t->pid, SIGHUP, true, NULL);
	(void)init_link_signal(init, t->pid, SIGCONT, true, NULL);
	(void)uv_timer_start(&t->timer, on_hangup_timer, TERMINAL_HANGUP_MS, 0);
}

/* ---- start ---- */

static struct terminal *terminal_new(struct terminals *ts, const char *name, bool keep_ring)
{
	struct terminal *t = cyg_xcalloc(1, sizeof(*t));
	struct cyg_err err;

	t->owner = ts;
	t->pty = -1;
	(void)cyg_str_copy(t->name, sizeof(t->name), cyg_str_of(name));
	t->ring_path = cyg_xasprintf("%s/terminal-%s.ring", ts->runtime_dir, name);
	cyg_buf_init(&t->input, TERMINAL_INPUT_MAX);
	cyg_list_init(&t->clients);
	(void)uv_timer_init(ts->opts.loop, &t->timer);
	t->timer.data = t;
	cyg_list_add(&ts->list, &t->link);
	note_activity(t);
	if (ring_open(t->ring_path, keep_ring, &t->ring, &err) < 0) {
		cyg_log_warn(t->name, "%s", err.msg);
		terminal_detach(t, false);
		return NULL;
	}
	return t;
}

static void finish(struct terminal *t, bool started, const struct cyg_err *err)
{
	terminal_done_fn done = t->done;

	t->done = NULL;
	if (done != NULL)
		done(t->done_arg, started ? t : NULL, err);
}

static void on_started(
    void *arg, const struct init_child *child, int pty_fd, const struct cyg_err *err)
{
	struct terminal *t = arg;
	struct cyg_err own = { 0 };

	if (child != NULL && terminal_take_pty(t, child->pid, pty_fd, &own) < 0)
		err = &own;
	if (err == NULL) {
		cyg_log_info("terminal", "%s: started, pid %d", t->name, t->pid);
		if (t->ending) /* asked to end before it began */
			hang_up(t);
		else
			finish(t, true, NULL);
		return;
	}
	cyg_log_error("terminal", "%s: %s", t->name, err->msg);
	finish(t, false, err);
	terminal_detach(t, true);
}

static bool name_is_ok(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < TERMINAL_NAME_SIZE &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
		   len;
}

static void free_name(const struct terminals *ts, char out[TERMINAL_NAME_SIZE])
{
	for (unsigned n = 1;; n++) {
		(void)snprintf(out, TERMINAL_NAME_SIZE, "%u", n);
		if (terminals_find(ts, cyg_str_of(out)) == NULL)
			return;
	}
}

static int launch(struct terminal *t, const char *shell, const char *cwd, struct cyg_err *err)
{
	struct init_link *init = t->owner->opts.init;
	cyg_autofree char *tag = cyg_xasprintf("%s%s", TAG, t->name);
	cyg_autofree char *connections = cyg_xasprintf("%s/connection", t->owner->opts.run_dir);
	/* Not a login shell: /etc/profile would undo the PATH of the stack's setup script. */
	const char *argv[2] = { shell, NULL };
	struct init_start_spec spec = { .argv = argv,
		.tag = tag,
		.cwd = cwd,
		.log = "",
		.pty = true,
		.rows = TERMINAL_ROWS,
		.cols = TERMINAL_COLS };
	struct env env;
	int rc;

	env_init(&env, init_link_env(init)->list);
	if (t->owner->opts.extend_env != NULL)
		t->owner->opts.extend_env(t->owner->opts.arg, &env);
	env_set(&env, "TERM", "xterm-256color");
	env_set(&env, "JUPYTER_RUNTIME_DIR", connections);
	spec.env = (const char *const *)env.list;
	rc = init_link_start(init, &spec, on_started, t, err);
	env_free(&env);
	return rc;
}

int terminals_start(struct terminals *ts, const struct terminal_start *start, terminal_done_fn done,
    void *arg, struct cyg_err *err)
{
	const char *name = start->name;
	char number[TERMINAL_NAME_SIZE];
	struct terminal *t;
	int rc;

	if (name != NULL && !name_is_ok(name))
		return cyg_fail(err, CYG_EINVAL, "a terminal's name is letters, digits and '_'");
	if (name != NULL && terminals_find(ts, cyg_str_of(name)) != NULL)
		return cyg_fail(err, CYG_EEXIST, "A terminal with name '%s' already exists", name);
	if (name == NULL) {
		free_name(ts, number);
		name = number;
	}
	t = terminal_new(ts, name, false);
	if (t == NULL)
		return cyg_fail(err, CYG_ESYS, "no room for a terminal");
	rc = launch(t, start->shell, start->cwd != NULL ? start->cwd : ts->opts.root_dir, err);
	if (rc < 0) {
		terminal_detach(t, true);
		return rc;
	}
	t->done = done;
	t->done_arg = arg;
	return 0;
}

/* ---- end ---- */

void terminal_end(struct terminal *t, terminal_done_fn done, void *arg)
{
	finish(t, false, NULL); /* requests that wait for it already */
	t->done = done;
	t->done_arg = arg;
	if (t->ending)
		return;
	t->ending = true;
	if (t->pid > 0)
		hang_up(t);
}

void terminals_end(struct terminals *ts)
{
	cyg_list_each_safe (it, &ts->list) {
		terminal_end(terminal_of(it), NULL, NULL);
	}
}

void terminals_forget(struct terminals *ts, const void *arg)
{
	cyg_list_each (it, &ts->list) {
		struct terminal *t = terminal_of(it);

		if (t->done_arg == arg)
			t->done = NULL;
	}
}

static const char *name_of_tag(const char *tag)
{
	if (strncmp(tag, TAG, sizeof(TAG) - 1) != 0 || !name_is_ok(tag + sizeof(TAG) - 1))
		return NULL;
	return tag + sizeof(TAG) - 1;
}

void terminals_on_child(struct terminals *ts, const struct init_child *child, int pty_fd)
{
	const char *name = name_of_tag(child->tag);
	struct terminal *t = NULL;
	struct cyg_err err;

	if (name != NULL && terminals_find(ts, cyg_str_of(name)) == NULL)
		t = terminal_new(ts, name, true);
	if (t == NULL) {
		cyg_close(pty_fd);
		return;
	}
	if (terminal_take_pty(t, child->pid, pty_fd, &err) < 0) {
		cyg_log_warn("terminal", "%s: %s", t->name, err.msg);
		terminal_detach(t, false);
	}
}

void terminals_on_exited(struct terminals *ts, const struct init_exited *exited)
{
	const char *name = name_of_tag(exited->tag);
	struct terminal *t = name != NULL ? terminals_find(ts, cyg_str_of(name)) : NULL;

	if (t == NULL || t->pid != exited->pid)
		return;
	for (int i = 0; i < TERMINAL_LAST_READS && t->polling && read_pty(t) == PTY_TEXT; i++)
		; /* its last output */
	cyg_log_info("terminal", "%s: ended", t->name);
	finish(t, false, NULL);
	terminal_detach(t, true);
}
