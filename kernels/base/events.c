/* The event stream: its subscribers (WebSockets) and its two endpoints. */
#include "kernels/base/events.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "kernels/base/reply.h"
#include "kernels/base/tape.h"
#include "kernels/base/ws.h"

#include <string.h>

enum {
	QUEUE_MAX = 1024 * 1024,
	MESSAGE_MAX = 64 * 1024,
	EVENT_MAX = 64 * 1024,
	EMIT_MAX = 512 * 1024
};

struct events {
	uv_loop_t *loop;
	struct cyg_list listeners;
};

struct listener {
	struct cyg_link link;
	struct events *owner;
	struct outq *out;
	struct ws *ws;
};

struct events *events_new(uv_loop_t *loop)
{
	struct events *e = cyg_xcalloc(1, sizeof(*e));

	e->loop = loop;
	cyg_list_init(&e->listeners);
	return e;
}

static void listener_free(struct listener *l)
{
	cyg_list_remove(&l->owner->listeners, &l->link);
	if (l->ws != NULL)
		ws_forget(l->ws);
	outq_free(l->out);
	free(l);
}

void events_close(struct events *e)
{
	if (e == NULL)
		return;
	cyg_list_each_safe (it, &e->listeners) {
		listener_free(CYG_CONTAINER_OF(it, struct listener, link));
	}
	ev_free_later(e->loop, e, free);
}

static void tell_all(struct events *e, struct cyg_str text)
{
	struct wsbuf *b = e->listeners.n > 0 ? wsbuf_copy(WSBUF_TEXT, text) : NULL;

	if (b == NULL)
		return;
	cyg_list_each (it, &e->listeners) {
		struct listener *l = CYG_CONTAINER_OF(it, struct listener, link);

		if (l->ws == NULL)
			continue;
		if (outq_put(l->out, b, NULL) < 0)
			ws_drop(l->ws);
		else
			ws_flush(l->ws);
	}
	wsbuf_unref(b);
}

static void write_capsule_head(struct jsonw *w, const char *schema_id)
{
	char date[CYG_ISO8601_SIZE];

	cyg_clock_format(cyg_clock_wall_us(), date);
	jsonw_object(w);
	jsonw_key_cstr(w, "schema_id", schema_id);
	jsonw_key_cstr(w, "__timestamp__", date);
	jsonw_key_cstr(w, "__schema__", schema_id);
	jsonw_key_cstr(w, "__schema_version__", "1");
	jsonw_key_int(w, "__metadata_version__", 1);
}

size_t events_subscribers(const struct events *e)
{
	return e->listeners.n;
}

void events_emit(struct events *e, const char *schema, events_write_fn write, const void *arg)
{
	cyg_autobuf struct cyg_buf b;
	struct jsonw w;

	cyg_buf_init(&b, EMIT_MAX);
	if (e->listeners.n == 0)
		return;
	jsonw_init(&w, &b);
	write_capsule_head(&w, schema);
	write(&w, arg);
	jsonw_object_end(&w);
	if (jsonw_finish(&w, NULL) == 0)
		tell_all(e, cyg_buf_str(&b));
}

/* ---- endpoints ---- */

static void on_message(void *arg, bool binary, struct cyg_str message)
{
	/* Messages of subscribers are ignored. */
}

static void on_end(void *arg, int code)
{
	struct listener *l = arg;

	l->ws = NULL;
	listener_free(l);
}

static void on_open(void *arg, int fd, struct cyg_str early)
{
	const struct outq_limits limits = { QUEUE_MAX, 0, NULL };
	struct listener *l = cyg_xcalloc(1, sizeof(*l));
	struct ws_opts opts = {
		.message_max = MESSAGE_MAX, .on_message = on_message, .on_end = on_end, .arg = l
	};
	struct cyg_err err;

	l->owner = arg;
	l->out = outq_new(&limits);
	opts.out = l->out;
	cyg_list_add(&l->owner->listeners, &l->link);
	if (ws_new(l->owner->loop, fd, early, &opts, &l->ws, &err) < 0) {
		cyg_log_warn("events", "%s", err.msg);
		listener_free(l);
	}
}

static void subscribe(struct http_req *req)
{
	struct cyg_err err = { 0 };

	if (http_reply_websocket(req, NULL, on_open, req->ctx, &err) < 0)
		reply_error(req, 400, NULL, "%s", err.msg);
}

static bool schema_is_known(const char *id)
{
	static const char *const known[] = { EVENTS_JUPYTER "contents_service/v1",
		EVENTS_JUPYTER "kernel_actions/v1", EVENTS_JUPYTER "gateway_client/v1" };

	for (size_t i = 0; id != NULL && i < CYG_N(known); i++)
		if (strcmp(id, known[i]) == 0)
			return true;
	return false;
}

static bool forward(struct events *e, const struct tape *t, const char *id, tape_node data)
{
	cyg_autobuf struct cyg_buf b;
	struct jsonw w;

	cyg_buf_init(&b, EVENT_MAX);
	jsonw_init(&w, &b);
	write_capsule_head(&w, id);
	for (tape_node v = tape_first(t, data); v != TAPE_NONE; v = tape_next(t, v)) {
		struct cyg_str key = tape_key_text(t, v);
		cyg_autofree char *name = cyg_xstrndup(key.p + 1, key.len - 2);

		if (strchr(name, '\\') != NULL)
			return false;
		jsonw_key(&w, name);
		jsonw_raw(&w, tape_text(t, v));
	}
	jsonw_object_end(&w);
	if (jsonw_finish(&w, NULL) < 0)
		return false;
	tell_all(e, cyg_buf_str(&b));
	return true;
}

static void post_event(struct http_req *req)
{
	struct tape *t = NULL;
	cyg_autofree char *id = NULL;
	tape_node data;
	bool ok;

	if (tape_parse(req->body, &t, NULL, NULL) < 0) {
		reply_error(req, 400, NULL, "No JSON data provided");
		return;
	}
	id = tape_get_str(t, tape_root(t), "schema_id");
	data = tape_find(t, tape_root(t), "data");
	ok = schema_is_known(id) && data != TAPE_NONE && tape_type_of(t, data) == TAPE_OBJECT &&
	     tape_find(t, tape_root(t), "version") != TAPE_NONE;
	if (!ok)
		reply_error(req, 400, NULL, "schema_id, version and data of a known schema needed");
	else if (!forward(req->ctx, t, id, data))
		reply_error(req, 400, NULL, "the event is too large, or a key is escaped");
	else
		reply_empty(req);
	tape_free(t);
}

const struct http_endpoint events_endpoints[] = {
	{ HTTP_GET, "/api/events/subscribe", "agent", subscribe, 0 },
	{ HTTP_POST, "/api/events", "agent", post_event, EVENT_MAX },
	{ .path = NULL },
};
