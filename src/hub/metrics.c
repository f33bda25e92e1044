/* The table of the hub's metrics, what counts into it, and the gauges that are looked up when
 * somebody asks. */
#include "hub/metrics.h"

#include "base/clock.h"
#include "http/server.h"
#include "hub/access/sessions.h"
#include "hub/base/reply.h"
#include "hub/metrics_requests.h"

#include <stdio.h>
#include <string.h>

enum {
	REQUEST_SECONDS,
	RUNNING_SERVERS,
	TOTAL_USERS,
	ACTIVE_USERS,
	SPAWN_SECONDS,
	STOP_SECONDS,
	SERVERS,
	SESSIONS,
	STARTS,
	START_FAILURES,
	STAGE_SECONDS,
	PUSH_SECONDS,
	PUSH_FAILURES,
	COMMIT_SECONDS,
	COMMIT_FAILURES,
	TURN_SECONDS,
};

static const char *const periods[] = { "24h", "7d", "30d", NULL };
static const int64_t period_hours[] = { 24, 24 * 7, 24 * 30 };
static const char *const outcomes[] = { "success", "failure", NULL };
enum { SUCCESS, FAILURE };
static const char *const states[] = { "stopped", "queued", "starting", "waiting", "running",
	"stopping", NULL };
static const char *const stages[] = { "queue", "spawn", "folders", "home", "limits", "container",
	"setup", "user-script", "agent", "answer", "route", "none", NULL };
static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "other",
	NULL };
static const char *const codes[] = { "200", "201", "202", "204", "302", "303", "304", "400", "401",
	"403", "404", "405", "409", "413", "424", "429", "500", "502", "503", "504", "other",
	NULL };
static const char *const causes[] = { "start_failed", "oom", "other", NULL };

const struct metric_def hub_metrics[] = {
	[REQUEST_SECONDS] = { "jupyterhub_request_duration_seconds", METRIC_HISTOGRAM, "seconds",
	    "From a request's head to its response; handlers by JupyterHub's names, cygnet for what it has not.",
	    .labels = { { "method", methods }, { "handler", metrics_handlers }, { "code", codes } },
	    .bounds = metric_bounds_request, .sparse = true },
	[RUNNING_SERVERS] = { "jupyterhub_running_servers", METRIC_GAUGE, NULL, "Servers that run.",
	    .sparse = false },
	[TOTAL_USERS] = { "jupyterhub_total_users", METRIC_GAUGE, NULL, "Users with an account.",
	    .sparse = false },
	[ACTIVE_USERS] = { "jupyterhub_active_users", METRIC_GAUGE, NULL,
	    "Users who were active in the last 24 hours, 7 days, 30 days.",
	    .labels = { { "period", periods } } },
	[SPAWN_SECONDS] = { "jupyterhub_server_spawn_duration_seconds", METRIC_HISTOGRAM, "seconds",
	    "From the request for a start to the running server, or to the failure.",
	    .labels = { { "status", outcomes } }, .bounds = metric_bounds_server },
	[STOP_SECONDS] = { "jupyterhub_server_stop_seconds", METRIC_HISTOGRAM, "seconds",
	    "From the begin of a stop to its end.", .labels = { { "status", outcomes } },
	    .bounds = metric_bounds_server },
	[SERVERS] = { "cygnet_hub_servers", METRIC_GAUGE, NULL, "Server records by state.",
	    .labels = { { "state", states } } },
	[SESSIONS] = { "cygnet_hub_sessions", METRIC_GAUGE, NULL, "Sign-ins of browsers that last.",
	    .sparse = false },
	[STARTS] = { "cygnet_hub_starts_total", METRIC_COUNTER, NULL,
	    "Starts that were let into the queue.", .sparse = false },
	[START_FAILURES] = { "cygnet_hub_start_failures_total", METRIC_COUNTER, NULL,
	    "Starts that failed, by cause and by the stage that was going on.",
	    .labels = { { "cause", causes }, { "stage", stages } }, .sparse = true },
	[STAGE_SECONDS] = { "cygnet_hub_start_stage_seconds", METRIC_HISTOGRAM, "seconds",
	    "Time of each stage of a start.", .labels = { { "stage", stages } },
	    .bounds = metric_bounds_request, .sparse = true },
	[PUSH_SECONDS] = { "cygnet_hub_table_push_seconds", METRIC_HISTOGRAM, "seconds",
	    "From a change of the routes or sessions until every proxy has it in force.",
	    .bounds = metric_bounds_loop },
	[PUSH_FAILURES] = { "cygnet_hub_table_push_failures_total", METRIC_COUNTER, NULL,
	    "Changes that no proxy took in time.", .sparse = false },
	[COMMIT_SECONDS] = { "cygnet_hub_store_commit_seconds", METRIC_HISTOGRAM, "seconds",
	    "How long the database took to put a turn's changes on disk; the loop waits meanwhile.",
	    .bounds = metric_bounds_loop },
	[COMMIT_FAILURES] = { "cygnet_hub_store_commit_failures_total", METRIC_COUNTER, NULL,
	    "Turns whose changes could not be put on disk.", .sparse = false },
	[TURN_SECONDS] = { "cygnet_hub_loop_turn_seconds", METRIC_HISTOGRAM, "seconds",
	    "How long the event loop worked between two sleeps: nobody else is served meanwhile.",
	    .bounds = metric_bounds_loop },
	{ .name = NULL },
};

static uint16_t index_of(unsigned id, size_t label, const char *value)
{
	return metric_label_index(&hub_metrics[id].labels[label], cyg_str_of(value));
}

static double seconds_since(uint64_t since_ms)
{
	const uint64_t now_ms = cyg_clock_mono_ms();

	return now_ms > since_ms ? (double)(now_ms - since_ms) / 1000 : 0;
}

void hub_metrics_moved(const struct srv *srv, enum srv_state from, int64_t since_us)
{
	struct metrics *m = srv->hub->metrics;

	if (srv->state == SRV_QUEUED)
		metrics_inc(m, STARTS, METRIC_PLAIN);
	else if (srv->state == SRV_RUNNING)
		metrics_observe(m, SPAWN_SECONDS, METRIC_AT(SUCCESS), seconds_since(srv->asked_ms));
	else if (from == SRV_STOPPING && srv->since_us >= since_us)
		metrics_observe(
		    m, STOP_SECONDS, METRIC_AT(SUCCESS), (double)(srv->since_us - since_us) / 1e6);
}

void hub_metrics_start_failed(const struct srv *srv, const char *cause, const char *stage)
{
	struct metrics *m = srv->hub->metrics;

	metrics_observe(m, SPAWN_SECONDS, METRIC_AT(FAILURE), seconds_since(srv->asked_ms));
	metrics_inc(m, START_FAILURES,
	    METRIC_AT(index_of(START_FAILURES, 0, cause),
		index_of(START_FAILURES, 1, stage != NULL ? stage : "none")));
}

void hub_metrics_stage(const struct hub *hub, const char *name, uint64_t ms)
{
	metrics_observe(hub->metrics, STAGE_SECONDS, METRIC_AT(index_of(STAGE_SECONDS, 0, name)),
	    (double)ms / 1000);
}

void hub_metrics_pushed(const struct hub *hub, uint64_t since_ms, bool in_force)
{
	if (in_force)
		metrics_observe(hub->metrics, PUSH_SECONDS, METRIC_PLAIN, seconds_since(since_ms));
	else
		metrics_inc(hub->metrics, PUSH_FAILURES, METRIC_PLAIN);
}

void hub_metrics_commit(void *hub, uint64_t took_ns, bool kept)
{
	struct metrics *m = ((const struct hub *)hub)->metrics;

	if (kept)
		metrics_observe(m, COMMIT_SECONDS, METRIC_PLAIN, (double)took_ns / 1e9);
	else
		metrics_inc(m, COMMIT_FAILURES, METRIC_PLAIN);
}

void hub_metrics_responded(const struct http_req *req, int status)
{
	const struct hub *hub = request_hub(req);
	const struct metric_def *def = &hub_metrics[REQUEST_SECONDS];
	char code[12];

	(void)snprintf(code, sizeof(code), "%d", status);
	metrics_observe_since(hub->metrics, REQUEST_SECONDS,
	    METRIC_AT(
		metric_label_index(&def->labels[0], cyg_str_of(http_method_text(req->method))),
		metrics_handler_of(req->endpoint != NULL ? req->endpoint->path : "*"),
		metric_label_index(&def->labels[2], cyg_str_of(code))),
	    req->begun_ns);
}

void hub_metrics_turn(void *hub, uint64_t busy_ns)
{
	metrics_observe(
	    ((const struct hub *)hub)->metrics, TURN_SECONDS, METRIC_PLAIN, (double)busy_ns / 1e9);
}

static void look_up_users(const struct hub *hub)
{
	const int64_t now_us = cyg_clock_wall_us();
	double active[3] = { 0 };
	const struct person *p;
	double total = 0;
	size_t pos = 0;

	while (people_next(hub, &pos, &p)) {
		total++;
		for (size_t i = 0; i < 3; i++)
			if (p->last_activity_us > now_us - period_hours[i] * 3600 * 1000000)
				active[i]++;
	}
	metrics_set(hub->metrics, TOTAL_USERS, METRIC_PLAIN, total);
	for (uint16_t i = 0; i < 3; i++)
		metrics_set(hub->metrics, ACTIVE_USERS, METRIC_AT(i), active[i]);
}

int hub_metrics_write(const struct hub *hub, struct cyg_buf *out, struct cyg_err *err)
{
	const struct session *session;
	double sessions = 0;
	size_t pos = 0;
	int rc;

	for (uint16_t i = 0; i < SRV_STATES; i++)
		metrics_set(hub->metrics, SERVERS, METRIC_AT(i),
		    (double)srvs_in(hub, (enum srv_state)i)->n);
	metrics_set(
	    hub->metrics, RUNNING_SERVERS, METRIC_PLAIN, (double)srvs_in(hub, SRV_RUNNING)->n);
	while (sessions_next(hub, &pos, &session))
		sessions++;
	metrics_set(hub->metrics, SESSIONS, METRIC_PLAIN, sessions);
	look_up_users(hub);
	rc = metrics_write(hub->metrics, out, err);
	return rc < 0 ? rc : metrics_write_process("", out, err);
}
