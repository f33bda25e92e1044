/* Who waits for a session: streams of a start's steps, and polls for a change. */
#include "base/clock.h"
#include "base/mem.h"
#include "kernels/base/reply.h"
#include "kernels/spark/session_priv.h"

#include <string.h>

enum { POLL_MS = 30 * 1000, LINE_MAX_BYTES = 256 * 1024 };

struct stream {
	struct cyg_link link;
	struct session *session;
	struct http_stream *http;
	char *options; /* what the kernel wanted, JSON, or NULL */
	bool is_adopted;
};

struct poll {
	struct cyg_link link;
	struct session *session;
	struct http_req *req;
	char *not_state;
	uint64_t news;
	uint64_t deadline_ms;
};

void session_wait_init(struct session *s)
{
	cyg_list_init(&s->streams);
	cyg_list_init(&s->polls);
}

/* ---- streams ---- */

static void on_close(struct http_stream *http, void *arg)
{
	struct stream *st = arg;

	if (st->session != NULL)
		cyg_list_remove(&st->session->streams, &st->link);
	free(st->options);
	free(st);
}

/* The stream goes on to its end without the session. */
static void let_go(struct stream *st)
{
	cyg_list_remove(&st->session->streams, &st->link);
	st->session = NULL;
}

static void write_step(const struct session *s, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_key_cstr(w, "stage", session_state_name(s));
	jsonw_key_cstr(w, "text", session_text(s));
	jsonw_key_int(w, "ms", (int64_t)(cyg_clock_mono_ms() - s->since_ms));
	jsonw_object_end(w);
}

static void write_ready(const struct stream *st, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_key(w, "ready");
	jsonw_object(w);
	session_write_ready(st->session, st->is_adopted,
	    st->options != NULL ? cyg_str_of(st->options) : (struct cyg_str){ NULL, 0 }, w);
	jsonw_object_end(w);
	jsonw_object_end(w);
}

static void write_line(const struct stream *st, struct jsonw *w)
{
	const struct session *s = st->session;

	if (session_text(s) != NULL)
		write_step(s, w);
	else if (s->state == SESSION_READY)
		write_ready(st, w);
	else
		session_write_failed(s, w);
}

/* The line of the present state; the last one ends the stream. */
static void say(struct stream *st)
{
	const bool is_last = session_text(st->session) == NULL;
	struct http_stream *http = st->http;
	cyg_autobuf struct cyg_buf line;
	struct jsonw w;
	int rc;

	cyg_buf_init(&line, LINE_MAX_BYTES);
	jsonw_init(&w, &line);
	write_line(st, &w);
	rc = jsonw_finish(&w, NULL);
	if (rc == 0)
		rc = cyg_buf_add_str(&line, "\n", NULL);
	if (is_last)
		let_go(st);
	if (rc < 0 || http_stream_write(http, cyg_buf_str(&line), NULL) < 0)
		http_stream_abort(http);
	else if (is_last)
		http_stream_end(http);
}

void session_stream(struct session *s, struct http_req *req, struct cyg_str options)
{
	static const struct http_stream_events events = { .on_close = on_close };
	struct stream *st = cyg_xcalloc(1, sizeof(*st));

	st->session = s;
	st->is_adopted = s->state == SESSION_READY;
	st->options = options.p != NULL ? cyg_str_dup(options) : NULL;
	cyg_list_add(&s->streams, &st->link);
	st->http = http_reply_stream(req, 200, "application/x-ndjson", &events, st);
	if (st->http != NULL) {
		say(st);
		return;
	}
	let_go(st);
	free(st->options);
	free(st);
}

/* ---- polls ---- */

static void poll_free(struct poll *p)
{
	cyg_list_remove(&p->session->polls, &p->link);
	free(p->not_state);
	free(p);
}

static void on_abort(struct http_req *req)
{
	poll_free(req->data);
}

static void write_news(const struct session *s, uint64_t from, struct jsonw *w)
{
	const uint64_t kept = s->n_news < SESSION_NEWS_MAX ? s->n_news : SESSION_NEWS_MAX;

	jsonw_key_int(w, "n_news", (int64_t)s->n_news);
	jsonw_key(w, "news");
	jsonw_array(w);
	for (uint64_t i = 0; i < kept; i++) {
		if (s->n_news - kept + i >= from)
			jsonw_cstr(w, s->news[i]);
	}
	jsonw_array_end(w);
}

static void respond(struct poll *p)
{
	const struct session *s = p->session;
	struct http_req *req = p->req;
	struct reply r;

	reply_begin(&r);
	jsonw_object(&r.w);
	jsonw_key_cstr(&r.w, "id", s->id);
	jsonw_key_cstr(&r.w, "state", session_state_name(s));
	jsonw_key_cstr(&r.w, "cause", session_cause(s));
	write_news(s, p->news, &r.w);
	jsonw_object_end(&r.w);
	req->on_abort = NULL;
	poll_free(p);
	reply_end(&r, req, 200);
}

static bool is_due(const struct poll *p, uint64_t now_ms)
{
	return strcmp(p->not_state, session_state_name(p->session)) != 0 ||
	       p->news < p->session->n_news || now_ms >= p->deadline_ms;
}

void session_poll(struct session *s, struct http_req *req, struct cyg_str not_state, uint64_t news)
{
	struct poll *p = cyg_xcalloc(1, sizeof(*p));

	p->session = s;
	p->req = req;
	p->not_state = cyg_str_dup(not_state);
	p->news = news;
	p->deadline_ms = cyg_clock_mono_ms() + POLL_MS;
	req->data = p;
	req->on_abort = on_abort;
	cyg_list_add(&s->polls, &p->link);
	if (is_due(p, cyg_clock_mono_ms()))
		respond(p);
	else
		sessions_tick(s->owner);
}

void session_wait_tick(struct session *s, uint64_t now_ms)
{
	cyg_list_each_safe (it, &s->polls) {
		struct poll *p = CYG_CONTAINER_OF(it, struct poll, link);

		if (is_due(p, now_ms))
			respond(p);
	}
}

/* ---- both ---- */

void session_wake(struct session *s)
{
	cyg_list_each_safe (it, &s->streams) {
		say(CYG_CONTAINER_OF(it, struct stream, link));
	}
	session_wait_tick(s, cyg_clock_mono_ms());
}

void session_tell(struct session *s, const char *text)
{
	if (s->n_news >= SESSION_NEWS_MAX) {
		free(s->news[0]);
		memmove(s->news, s->news + 1, (SESSION_NEWS_MAX - 1) * sizeof(s->news[0]));
	}
	s->news[s->n_news < SESSION_NEWS_MAX ? s->n_news : SESSION_NEWS_MAX - 1] =
	    cyg_xstrdup(text);
	s->n_news++;
	session_wait_tick(s, cyg_clock_mono_ms());
}

void session_wait_close(struct session *s)
{
	cyg_list_each_safe (it, &s->streams) {
		struct stream *st = CYG_CONTAINER_OF(it, struct stream, link);
		struct http_stream *http = st->http;

		let_go(st);
		http_stream_abort(http);
	}
	cyg_list_each_safe (it, &s->polls) {
		struct poll *p = CYG_CONTAINER_OF(it, struct poll, link);
		struct http_req *req = p->req;

		req->on_abort = NULL;
		poll_free(p);
		reply_error(req, 503, NULL, "The notebook server is being started again.");
	}
}
