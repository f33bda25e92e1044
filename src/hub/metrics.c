/* Counts turns, commits and responses into the hub's table (base/hub_metrics.c), and sets the
 * gauges that are looked up at a scrape. */
#include "hub/metrics.h"

#include "base/clock.h"
#include "http/server.h"
#include "hub/access/people.h"
#include "hub/access/sessions.h"
#include "hub/base/metrics_requests.h"
#include "hub/server/spark_account.h"
#include "hub/server/srv.h"

#include <stdio.h>

static const int64_t period_hours[] = { 24, 24 * 7, 24 * 30 };

void hub_metrics_commit(void *hub, uint64_t took_ns, bool kept)
{
	struct metrics *m = ((const struct hub *)hub)->metrics;

	if (kept)
		metrics_observe(m, HUB_COMMIT_SECONDS, METRIC_PLAIN, (double)took_ns / 1e9);
	else
		metrics_inc(m, HUB_COMMIT_FAILURES, METRIC_PLAIN);
}

void hub_metrics_responded(const struct http_req *req, int status)
{
	struct metrics *m = request_app(req)->metrics;
	const struct metric_def *def = &hub_metrics[HUB_REQUEST_SECONDS];
	char code[12];

	(void)snprintf(code, sizeof(code), "%d", status);
	metrics_observe_since(m, HUB_REQUEST_SECONDS,
	    METRIC_AT(
		metric_label_index(&def->labels[0], cyg_str_of(http_method_text(req->method))),
		metrics_handler_of(req->endpoint != NULL ? req->endpoint->path : "*"),
		metric_label_index(&def->labels[2], cyg_str_of(code))),
	    req->begun_ns);
}

void hub_metrics_turn(void *hub, uint64_t busy_ns)
{
	metrics_observe(((const struct hub *)hub)->metrics, HUB_TURN_SECONDS, METRIC_PLAIN,
	    (double)busy_ns / 1e9);
}

static void look_up_users(const struct hub *hub)
{
	const int64_t now_us = cyg_clock_wall_us();
	double active[3] = { 0 };
	const struct person *p;
	double total = 0;
	size_t pos = 0;

	while (people_next(hub->access, &pos, &p)) {
		total++;
		for (size_t i = 0; i < 3; i++)
			if (p->last_activity_us > now_us - period_hours[i] * 3600 * 1000000)
				active[i]++;
	}
	metrics_set(hub->metrics, HUB_TOTAL_USERS, METRIC_PLAIN, total);
	for (uint16_t i = 0; i < 3; i++)
		metrics_set(hub->metrics, HUB_ACTIVE_USERS, METRIC_AT(i), active[i]);
}

int hub_metrics_write(const struct hub *hub, struct cyg_buf *out, struct cyg_err *err)
{
	const struct session *session;
	double sessions = 0;
	size_t pos = 0;
	int rc;

	for (uint16_t i = 0; i < (uint16_t)SRV_STATES; i++)
		metrics_set(hub->metrics, HUB_SERVERS, METRIC_AT(i),
		    (double)srvs_in(hub->srvs, (enum srv_state)i)->n);
	metrics_set(hub->metrics, HUB_RUNNING_SERVERS, METRIC_PLAIN,
	    (double)srvs_in(hub->srvs, SRV_RUNNING)->n);
	while (sessions_next(hub->access, &pos, &session))
		sessions++;
	metrics_set(hub->metrics, HUB_SESSIONS, METRIC_PLAIN, sessions);
	look_up_users(hub);
	spark_account_set_gauges(hub->spark_account);
	rc = metrics_write(hub->metrics, out, err);
	return rc < 0 ? rc : metrics_write_process("", out, err);
}
