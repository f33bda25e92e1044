/* The applications that are watched, when they are looked at, and what is told of them. */
#include "kernels/spark/monitor.h"

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/loop.h"
#include "kernels/base/events.h"
#include "kernels/base/reply.h"
#include "kernels/spark/monitor_priv.h"

#include <string.h>

enum { WATCHED_MS = 1000, UNWATCHED_MS = 5000, BACK_OFF_MAX = 6 };

static struct app *app_of(struct cyg_link *link)
{
	return CYG_CONTAINER_OF(link, struct app, link);
}

static struct cell *cell_of(struct cyg_link *link)
{
	return CYG_CONTAINER_OF(link, struct cell, link);
}

static struct app *find_session(const struct monitor *m, const char *session)
{
	cyg_list_each (it, &m->apps) {
		if (strcmp(app_of(it)->session, session) == 0)
			return app_of(it);
	}
	return NULL;
}

static struct app *find_app(const struct monitor *m, struct cyg_str id)
{
	cyg_list_each (it, &m->apps) {
		if (app_of(it)->id != NULL && cyg_str_eq(id, app_of(it)->id))
			return app_of(it);
	}
	return NULL;
}

/* ---- when ---- */

/* A driver that does not answer is asked less and less often. */
static uint64_t pause_ms(const struct app *a)
{
	const unsigned times = a->failures < BACK_OFF_MAX ? a->failures : BACK_OFF_MAX;
	const bool is_watched = events_subscribers(a->monitor->opts.events) > 0;

	return (uint64_t)(is_watched ? WATCHED_MS : UNWATCHED_MS) << times;
}

static void on_timer(uv_timer_t *timer)
{
	monitor_wake(timer->data);
}

void monitor_wake(struct monitor *m)
{
	const uint64_t now = cyg_clock_mono_ms();
	uint64_t next = UINT64_MAX;

	cyg_list_each (it, &m->apps) {
		struct app *a = app_of(it);
		uint64_t due;

		if (a->call != NULL || !app_has_work(a))
			continue;
		due = a->looked_ms + pause_ms(a);
		if (due <= now)
			app_look(a);
		else if (due - now < next)
			next = due - now;
	}
	(void)uv_timer_stop(&m->timer);
	if (next != UINT64_MAX)
		(void)uv_timer_start(&m->timer, on_timer, next, 0);
}

/* ---- telling ---- */

static void write_executors(const struct app *a, struct jsonw *w)
{
	jsonw_key(w, "executors");
	jsonw_object(w);
	jsonw_key_int(w, "active", a->executors.active);
	jsonw_key_int(w, "cores", a->executors.cores);
	jsonw_key_int(w, "memory_mb", a->executors.memory_mb);
	jsonw_object_end(w);
}

static void write_time(struct jsonw *w, const char *key, int64_t us)
{
	char text[CYG_ISO8601_SIZE];

	cyg_clock_format(us, text);
	jsonw_key_cstr(w, key, us != 0 ? text : NULL);
}

/* The members of an application but its cells, into an open object. */
static void write_app(const struct app *a, struct jsonw *w)
{
	cyg_autofree char *ui =
	    cyg_xasprintf("%sspark-ui/%s/", a->monitor->opts.base_url, a->id != NULL ? a->id : "");

	jsonw_key_cstr(w, "app", a->id);
	jsonw_key_cstr(w, "session", a->session);
	jsonw_key_cstr(w, "kernel", a->kernel);
	jsonw_key_cstr(w, "cluster", a->cluster);
	jsonw_key_cstr(w, "label", a->label);
	jsonw_key_cstr(w, "flavour", a->flavour);
	jsonw_key_cstr(w, "name", a->name);
	jsonw_key_cstr(w, "state", a->is_running ? "running" : a->is_lost ? "lost" : "ended");
	write_time(w, "started", a->started_us);
	write_time(w, "ended", a->ended_us);
	jsonw_key_cstr(w, "ui", a->is_running ? ui : NULL);
	write_executors(a, w);
}

static void write_app_event(struct jsonw *w, const void *arg)
{
	jsonw_key_cstr(w, "kind", "app");
	jsonw_key(w, "app");
	jsonw_object(w);
	write_app(arg, w);
	jsonw_object_end(w);
}

void app_tell(struct app *a)
{
	if (a->id != NULL)
		events_emit(a->monitor->opts.events, a->monitor->opts.schema, write_app_event, a);
}

struct cell_event {
	const struct app *app;
	const struct cell *cell;
};

static void write_cell_event(struct jsonw *w, const void *arg)
{
	const struct cell_event *e = arg;

	jsonw_key_cstr(w, "kind", "cell");
	jsonw_key_cstr(w, "app", e->app->id);
	jsonw_key(w, "cell");
	cell_write(e->cell, e->app->kernel, w);
}

void app_tell_cell(struct app *a, struct cell *c)
{
	const struct cell_event e = { a, c };

	if (a->id != NULL)
		events_emit(a->monitor->opts.events, a->monitor->opts.schema, write_cell_event, &e);
}

static bool is_shown(const struct cell *c)
{
	return c->json != NULL || c->n_jobs > 0;
}

void monitor_write(const struct monitor *m, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_key(w, "apps");
	jsonw_array(w);
	cyg_list_each (it, &m->apps) {
		const struct app *a = app_of(it);

		if (a->id == NULL)
			continue;
		jsonw_object(w);
		write_app(a, w);
		jsonw_key(w, "cells");
		jsonw_array(w);
		cyg_list_each (cell, &a->cells) {
			if (is_shown(cell_of(cell)))
				cell_write(cell_of(cell), a->kernel, w);
		}
		jsonw_array_end(w);
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
	jsonw_object_end(w);
}

/* ---- applications ---- */

static void app_free(void *p)
{
	struct app *a = p;
	char *const texts[] = { a->session, a->kernel, a->cluster, a->label, a->flavour, a->key,
		a->dir, a->id, a->name };

	if (a->key != NULL)
		cyg_cleanse(a->key, strlen(a->key));
	for (size_t i = 0; i < CYG_N(texts); i++)
		free(texts[i]);
	free(a);
}

static void drop(struct app *a)
{
	app_stop(a);
	cyg_list_remove(&a->monitor->apps, &a->link);
	cyg_list_each_safe (it, &a->cells) {
		cyg_list_remove(&a->cells, it);
		cell_free(cell_of(it));
	}
	ev_free_later(a->monitor->opts.loop, a, app_free);
}

static void drop_oldest(struct monitor *m)
{
	cyg_list_each_safe (it, &m->apps) {
		if (m->apps.n <= MONITOR_APPS_MAX)
			return;
		if (!app_of(it)->is_running)
			drop(app_of(it));
	}
}

static char *copy(const char *text)
{
	return text != NULL ? cyg_xstrdup(text) : NULL;
}

void monitor_begin(struct monitor *m, const struct monitor_driver *d)
{
	struct app *a = cyg_xcalloc(1, sizeof(*a));

	a->monitor = m;
	a->session = copy(d->session);
	a->kernel = copy(d->kernel);
	a->cluster = copy(d->cluster);
	a->label = copy(d->label);
	a->flavour = copy(d->flavour);
	a->key = copy(d->key);
	a->dir = copy(d->dir);
	a->port = d->ui_port;
	a->is_running = true;
	a->started_us = cyg_clock_wall_us();
	cyg_list_init(&a->cells);
	cyg_list_add(&m->apps, &a->link);
	app_read_cells(a);
	drop_oldest(m);
	if (a->cells.n > 0)
		app_look(a); /* its name is needed to show what it did */
}

void monitor_end(struct monitor *m, const char *session, bool lost)
{
	struct app *a = find_session(m, session);

	if (a == NULL || !a->is_running)
		return;
	app_stop(a);
	a->is_running = false;
	a->is_lost = lost;
	a->ended_us = cyg_clock_wall_us();
	a->executors.active = a->executors.cores = a->executors.memory_mb = 0;
	a->executors.running = 0;
	cyg_list_each_safe (it, &a->cells) {
		struct cell *c = cell_of(it);

		if (c->json != NULL || c->n_jobs == 0)
			continue;
		cell_finish(c, a->ended_us);
		app_tell_cell(a, c);
		cell_keep(a, c);
	}
	app_tell(a);
}

/* ---- cells ---- */

void monitor_cell_began(struct monitor *m, const char *session, const char *cell, const char *msg)
{
	struct app *a = find_session(m, session);
	struct cell *c;

	if (a == NULL || !a->is_running || a->cells.n > MONITOR_CELLS_MAX + MONITOR_APPS_MAX)
		return;
	c = cell_new(cell, msg);
	cyg_list_add(&a->cells, &c->link);
	monitor_wake(m);
}

static void leave(struct app *a, struct cyg_str msg)
{
	cyg_list_each (it, &a->cells) {
		struct cell *c = cell_of(it);

		if (!c->is_left && (msg.p == NULL || cyg_str_eq(msg, c->msg))) {
			c->is_left = true;
			a->looked_ms = 0; /* now */
		}
	}
}

void monitor_cell_ended(struct monitor *m, const char *kernel, struct cyg_str msg)
{
	cyg_list_each (it, &m->apps) {
		if (app_of(it)->is_running && strcmp(app_of(it)->kernel, kernel) == 0)
			leave(app_of(it), msg);
	}
	monitor_wake(m);
}

/* ---- ending jobs ---- */

static size_t gather(struct app *a, struct cell *c)
{
	size_t n = 0;

	for (size_t i = 0; c->json == NULL && i < c->n_jobs; i++) {
		if (c->jobs[i].ended_us != 0 || a->n_cancel == MONITOR_JOBS_MAX)
			continue;
		a->cancel_jobs[a->n_cancel++] = c->jobs[i].id;
		n++;
	}
	c->is_cancelled = c->is_cancelled || n > 0;
	return n;
}

int monitor_cancel(struct monitor *m, struct cyg_str app, struct cyg_str cell, struct cyg_err *err)
{
	struct app *a = find_app(m, app);
	size_t n = 0;

	if (a == NULL || !a->is_running)
		return cyg_fail(err, CYG_ENOENT, "This Spark application does not run.");
	cyg_list_each (it, &a->cells) {
		if (cyg_str_eq(cell, cell_of(it)->id))
			n += gather(a, cell_of(it));
	}
	if (n == 0)
		return cyg_fail(err, CYG_ENOENT, "This cell has no jobs that run.");
	app_cancel_jobs(a);
	return 0;
}

int monitor_kill_job(struct monitor *m, struct cyg_str app, int64_t job, struct cyg_err *err)
{
	struct app *a = find_app(m, app);

	if (a == NULL || !a->is_running || a->n_cancel == MONITOR_JOBS_MAX)
		return cyg_fail(err, CYG_ENOENT, "This Spark application does not run.");
	a->cancel_jobs[a->n_cancel++] = job;
	app_cancel_jobs(a);
	return 0;
}

void monitor_cancel_kernel(struct monitor *m, const char *kernel)
{
	cyg_list_each (it, &m->apps) {
		struct app *a = app_of(it);

		if (!a->is_running || strcmp(a->kernel, kernel) != 0)
			continue;
		cyg_list_each (cell, &a->cells) {
			(void)gather(a, cell_of(cell));
		}
		if (a->n_cancel > 0)
			app_cancel_jobs(a);
	}
}

/* ---- finding ---- */

bool monitor_find_ui(const struct monitor *m, struct cyg_str app, struct monitor_ui *ret)
{
	const struct app *a = find_app(m, app);

	if (a == NULL || !a->is_running)
		return false;
	*ret = (struct monitor_ui){ a->port, a->key, m->opts.loop };
	return true;
}

int64_t monitor_seconds(const struct monitor *m, const char *session)
{
	const struct app *a = find_session(m, session);

	if (a == NULL || !a->is_running)
		return -1;
	return (cyg_clock_wall_us() - a->started_us) / 1000000;
}

bool monitor_knows(const struct monitor *m, const char *session)
{
	return find_session(m, session) != NULL;
}

const char *monitor_app_of(const struct monitor *m, const char *session)
{
	const struct app *a = find_session(m, session);

	return a != NULL ? a->id : NULL;
}

/* ---- life ---- */

struct monitor *monitor_new(const struct monitor_opts *opts)
{
	struct monitor *m = cyg_xcalloc(1, sizeof(*m));

	m->opts = *opts;
	cyg_list_init(&m->apps);
	(void)uv_timer_init(opts->loop, &m->timer);
	m->timer.data = m;
	return m;
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

void monitor_close(struct monitor *m)
{
	if (m == NULL)
		return;
	cyg_list_each_safe (it, &m->apps) {
		drop(app_of(it));
	}
	(void)uv_timer_stop(&m->timer);
	uv_close((uv_handle_t *)&m->timer, on_closed);
}

/* ---- endpoints ---- */

static struct monitor *monitor_of(struct http_req *req)
{
	struct monitor *m = *(struct monitor *const *)req->ctx;

	if (m == NULL)
		reply_error(req, 404, NULL, "This server was started without Spark.");
	return m;
}

static void get_apps(struct http_req *req)
{
	struct monitor *m = monitor_of(req);
	struct reply r;

	if (m == NULL)
		return;
	reply_begin(&r);
	monitor_write(m, &r.w);
	reply_end(&r, req, 200);
}

static void post_cancel(struct http_req *req)
{
	struct monitor *m = monitor_of(req);
	struct cyg_err err;

	if (m == NULL)
		return;
	if (monitor_cancel(m, req->params[0], req->params[1], &err) < 0)
		reply_err(req, &err);
	else
		reply_empty(req);
}

const struct http_endpoint monitor_endpoints[] = {
	{ HTTP_GET, "/api/cygnet/spark/apps", "agent", get_apps, 0 },
	{ HTTP_POST, "/api/cygnet/spark/apps/{app}/cells/{cell}/cancel", "agent", post_cancel, 0 },
	{ .path = NULL },
};
