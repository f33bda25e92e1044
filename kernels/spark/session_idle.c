/* A session that nobody uses is released: memory on a shared machine is somebody else's work. It is
 * used while its kernel runs a cell, while a cell sends commands, and while a job runs in a thread
 * that outlives its cell, which the driver itself is asked for before the end. */
#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "kernels/base/tape.h"
#include "kernels/spark/jws.h"
#include "kernels/spark/session_priv.h"

#include <stdio.h>
#include <string.h>

enum {
	SECOND_US = 1000000,
	WARNING_S = 300, /* the countdown is shown for so long, or for a third of a shorter time */
	ASK_TIMEOUT_MS = 5000,
	ASK_MAX = 4 * 1024 * 1024,
	TOKEN_S = 60,
};

static int64_t max_us(const struct session *s)
{
	return (int64_t)sessions_opts_of(s->owner)->idle_s * SECOND_US;
}

static int64_t warning_us(const struct session *s)
{
	const int64_t third = max_us(s) / 3;

	return third < (int64_t)WARNING_S * SECOND_US ? third : (int64_t)WARNING_S * SECOND_US;
}

static void set_end(struct session *s, int64_t end_us)
{
	if (s->idle_ends_us == end_us)
		return;
	s->idle_ends_us = end_us;
	sessions_changed(s->owner, s);
}

void session_used(struct session *s)
{
	s->used_us = cyg_clock_wall_us();
	set_end(s, 0);
}

/* ---- the last question ---- */

static bool has_jobs(const struct http_result *result)
{
	struct tape *t = NULL;
	bool found;

	if (result->status != 200 || tape_parse(result->body, &t, NULL, NULL) < 0)
		return false;
	found = tape_count(t, tape_root(t)) > 0;
	tape_free(t);
	return found;
}

/* A driver that does not answer does no work either. */
static void on_jobs(void *arg, const struct http_result *result)
{
	struct session *s = arg;
	char cause[120];

	s->call = NULL;
	if (s->state != SESSION_READY)
		return;
	if (has_jobs(result)) {
		session_used(s);
		return;
	}
	(void)snprintf(cause, sizeof(cause),
	    "Nobody used this Spark session for %u minutes, so its memory was given back.",
	    (sessions_opts_of(s->owner)->idle_s + 59) / 60);
	session_lose(s, cause);
}

/* The first application of the driver is its only one. */
static void on_app(void *arg, const struct http_result *result)
{
	struct session *s = arg;
	struct tape *t = NULL;
	cyg_autofree char *app = NULL;

	s->call = NULL;
	if (result->status == 200 && tape_parse(result->body, &t, NULL, NULL) == 0) {
		if (tape_type_of(t, tape_root(t)) == TAPE_ARRAY && tape_count(t, tape_root(t)) > 0)
			app = tape_get_str(t, tape_first(t, tape_root(t)), "id");
		tape_free(t);
	}
	if (app == NULL || strspn(app, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(app)) {
		on_jobs(s, result);
		return;
	}
	cyg_autofree char *target =
	    cyg_xasprintf("/api/v1/applications/%s/jobs?status=running", app);

	session_ask_driver(s, target, on_jobs);
}

void session_ask_driver(struct session *s, const char *target, http_call_fn done)
{
	const char *key = session_ui_key(s);
	cyg_autofree char *token =
	    key != NULL ? spark_jws_token(key, cyg_clock_wall_us() / SECOND_US, TOKEN_S, NULL)
			: NULL;
	cyg_autofree char *authorization = token != NULL ? cyg_xasprintf("Bearer %s", token) : NULL;
	const struct http_call_spec spec = { .loopback_port = (uint16_t)session_ui_port(s),
		.method = "GET",
		.target = target,
		.host = "127.0.0.1",
		.authorization = authorization,
		.timeout_ms = ASK_TIMEOUT_MS,
		.body_max = ASK_MAX };

	s->call = http_call_start(sessions_opts_of(s->owner)->loop, &spec, done, s);
}

/* ---- ticks ---- */

void session_idle_tick(struct session *s, int64_t now_us)
{
	const struct sessions_opts *opts = sessions_opts_of(s->owner);
	const int64_t end_us = s->used_us + max_us(s);

	if (s->state != SESSION_READY || opts->idle_s == 0 || s->call != NULL)
		return;
	if (opts->is_busy(opts->arg, s->kernel)) {
		session_used(s);
	} else if (now_us >= end_us) {
		session_ask_driver(s, "/api/v1/applications", on_app);
	} else if (now_us >= end_us - warning_us(s)) {
		set_end(s, end_us);
	}
}
