/* Server-sent events of a start. There is no log of events: the stages' present state is the
 * history, and a stream that joins late gets it first. JupyterHub's fields: reference 1.7. */
#include "hub/server/progress.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "hub/base/reply.h"
#include "hub/server/srv_priv.h"

#include <stdio.h>
#include <string.h>

enum { KEEP_ALIVE_MS = 8000, EVENT_MAX = 64 * 1024 };

struct watcher {
	struct cyg_link link;
	struct srv *srv; /* NULL: detached, the stream is ending */
	struct http_stream *stream;
	uv_timer_t timer;
};

static void write_event(struct watcher *w, json_t *event)
{
	cyg_autofree char *text = json_dumps(event, JSON_COMPACT);
	cyg_autobuf struct cyg_buf b;

	cyg_buf_init(&b, EVENT_MAX);
	if (text == NULL || cyg_buf_printf(&b, NULL, "data: %s\n\n", text) < 0 ||
	    http_stream_write(w->stream, cyg_buf_str(&b), NULL) < 0)
		http_stream_abort(w->stream); /* it does not read: the client shall connect again */
}

/* ---- the last event ---- */

static json_t *ready_event(const struct srv *srv)
{
	json_t *html =
	    json_sprintf("Server ready at <a href=\"%s\">%s</a>", srv->base_url, srv->base_url);
	json_t *message = json_sprintf("Server ready at %s", srv->base_url);

	return json_pack("{s:i, s:b, s:o, s:o, s:s}", "progress", 100, "ready", 1, "message",
	    message, "html_message", html, "url", srv->base_url);
}

static json_t *failed_event(const struct srv *srv)
{
	return json_pack("{s:i, s:b, s:s}", "progress", 100, "failed", 1, "message",
	    srv->failure != NULL ? srv->failure : "The start was cancelled.");
}

static json_t *last_event(const struct srv *srv)
{
	if (srv->state == SRV_RUNNING)
		return ready_event(srv);
	if (srv->state == SRV_STOPPED || srv->state == SRV_STOPPING)
		return failed_event(srv);
	return NULL;
}

static void detach(struct watcher *w)
{
	if (w->srv == NULL)
		return;
	cyg_list_remove(&w->srv->streams, &w->link);
	w->srv = NULL;
	(void)uv_timer_stop(&w->timer);
}

static bool end_if_over(struct watcher *w)
{
	json_t *event = last_event(w->srv);

	if (event == NULL)
		return false;
	write_event(w, event);
	json_decref(event);
	detach(w);
	http_stream_end(w->stream);
	return true;
}

/* ---- stages ---- */

static void queue_words(const struct srv *srv, json_t *event)
{
	size_t position = srv_queue_position(srv);
	char text[96];

	if (position == 0)
		return;
	if (position == 1)
		(void)snprintf(text, sizeof(text), "Waiting for a place: you are next");
	else
		(void)snprintf(
		    text, sizeof(text), "Waiting for a place: %zu before you", position - 1);
	(void)json_object_set_new(event, "message", json_string(text));
	(void)json_object_set_new(json_object_get(event, "cygnet"), "label", json_string(text));
}

static json_t *event_of(const struct srv *srv, const struct stage *stage)
{
	json_t *lines = stage->state == STAGE_FAILED ? srv_tail_lines(srv) : NULL;
	json_t *event = stage_event(&srv->stages, stage, cyg_clock_mono_ms(), lines);

	json_decref(lines);
	if (strcmp(stage->name, "queue") == 0)
		queue_words(srv, event);
	return event;
}

void srv_progress_stage(struct srv *srv, const struct stage *stage)
{
	if (srv->streams.n == 0)
		return;
	json_t *event = event_of(srv, stage);
	cyg_list_each_safe (it, &srv->streams)
		write_event(CYG_CONTAINER_OF(it, struct watcher, link), event);
	json_decref(event);
}

void srvs_progress_queue(struct srvs *srvs)
{
	cyg_list_each (it, srvs_in(srvs, SRV_QUEUED)) {
		struct srv *srv = CYG_CONTAINER_OF(it, struct srv, link);
		const struct stage *stage = stages_find(&srv->stages, "queue");
		if (stage != NULL)
			srv_progress_stage(srv, stage);
	}
}

void srv_progress_settle(struct srv *srv)
{
	cyg_list_each_safe (it, &srv->streams)
		(void)end_if_over(CYG_CONTAINER_OF(it, struct watcher, link));
}

/* ---- a stream's life ---- */

static void on_timer_closed(uv_handle_t *h)
{
	free(h->data);
}

static void on_close(struct http_stream *st, void *arg)
{
	struct watcher *w = arg;

	(void)st;
	detach(w);
	uv_close((uv_handle_t *)&w->timer, on_timer_closed);
}

static void on_keep_alive(uv_timer_t *timer)
{
	struct watcher *w = timer->data;

	(void)http_stream_write(w->stream, CYG_STR(":\n\n"), NULL);
}

static const struct http_stream_events stream_events = { .on_close = on_close };

static void replay(struct watcher *w)
{
	struct srv *srv = w->srv;
	json_t *first = json_pack("{s:i, s:s}", "progress", 0, "message", "Server requested");

	write_event(w, first);
	json_decref(first);
	for (size_t i = 0; i < srv->stages.n; i++) {
		json_t *event = event_of(srv, &srv->stages.list[i]);
		write_event(w, event);
		json_decref(event);
	}
}

void srv_progress_open(struct srv *srv, struct http_req *req)
{
	char text[2 * CYG_NAME_MAX + 64];
	bool over = srv->state == SRV_STOPPED || srv->state == SRV_STOPPING;

	if (over && srv->failure == NULL) {
		(void)snprintf(text, sizeof(text), "%s is not starting.", srv->object);
		reply_error(req, 400, text);
		return;
	}
	if (srv->streams.n >= SRV_OPEN_MAX) {
		reply_retry_after(req, SRV_FULL_MS);
		reply_error(
		    req, 429, "Too many pages watch this start. Please close some of them.");
		return;
	}
	struct watcher *w = cyg_xcalloc(1, sizeof(*w));
	w->srv = srv;
	(void)uv_timer_init(srv->srvs->opts.uv, &w->timer);
	w->timer.data = w;
	cyg_list_add(&srv->streams, &w->link);
	http_reply_field(req, "X-Accel-Buffering", "no");
	w->stream = http_reply_stream(req, 200, "text/event-stream", &stream_events, w);
	if (srv->state != SRV_RUNNING)
		replay(w);
	if (!end_if_over(w))
		(void)uv_timer_start(&w->timer, on_keep_alive, KEEP_ALIVE_MS, KEEP_ALIVE_MS);
}

void srv_progress_close(struct srv *srv)
{
	cyg_list_each_safe (it, &srv->streams)
		detach(CYG_CONTAINER_OF(it, struct watcher, link));
}
