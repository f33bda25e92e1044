/* The states of a cluster, and looking whether it is open and up. */
#include "kernels/spark/cluster.h"

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "kernels/base/tape.h"
#include "kernels/spark/cluster_priv.h"
#include "kernels/spark/ports.h"

#include <string.h>

enum {
	LOOK_MS = 100,
	UP_TIMEOUT_MS = 120 * 1000,
	LOOK_TIMEOUT_MS = 5000,
	LOOK_MAX = 1024 * 1024,
};

#define TO(state) (1U << (state))

static const unsigned allowed[CLUSTER_STATES] = {
	[CLUSTER_ABSENT] = TO(CLUSTER_STARTING) | TO(CLUSTER_UP),
	[CLUSTER_STARTING] = TO(CLUSTER_OPEN) | TO(CLUSTER_UP) | TO(CLUSTER_FAILED),
	[CLUSTER_OPEN] = TO(CLUSTER_STARTING) | TO(CLUSTER_UP) | TO(CLUSTER_FAILED),
	[CLUSTER_UP] = TO(CLUSTER_OPEN) | TO(CLUSTER_STARTING) | TO(CLUSTER_FAILED),
	[CLUSTER_FAILED] = TO(CLUSTER_STARTING) | TO(CLUSTER_UP),
};

static const char *const state_names[CLUSTER_STATES] = { "absent", "starting", "open", "up",
	"failed" };

void cluster_move(struct cluster *c, enum cluster_state to, const char *why)
{
	if ((allowed[c->state] & TO(to)) == 0)
		abort(); /* our mistake */
	cyg_log_info("spark", "cluster %s: %s -> %s (%s)", c->id, state_names[c->state],
	    state_names[to], why);
	c->state = to;
	c->opts.on_change(c->opts.arg, c);
}

void cluster_fail(struct cluster *c, const char *why)
{
	free(c->why);
	c->why = cyg_xstrdup(why);
	(void)uv_timer_stop(&c->timer);
	cluster_end_daemons(c);
	cluster_wipe(c);
	cluster_move(c, CLUSTER_FAILED, why);
}

/* ---- is it there? ---- */

/* The first daemon's page says how many workers have registered. */
static void on_looked(void *arg, const struct http_result *result)
{
	struct cluster *c = arg;
	struct tape *t = NULL;
	int64_t alive = 0;

	c->call = NULL;
	if (c->state != CLUSTER_OPEN)
		return;
	if (result->status == 200 && tape_parse(result->body, &t, NULL, NULL) == 0) {
		tape_node n = tape_find(t, tape_root(t), "aliveworkers");

		if (n != TAPE_NONE)
			(void)tape_int(t, n, &alive, NULL);
		tape_free(t);
	}
	if (alive <= 0)
		return;
	(void)uv_timer_stop(&c->timer);
	cluster_move(c, CLUSTER_UP, "it has resources");
}

static void look_for_workers(struct cluster *c)
{
	const struct http_call_spec spec = { .loopback_port =
						 (uint16_t)ports_of(&c->fill, "{port.master_web}"),
		.method = "GET",
		.target = "/json/",
		.host = "127.0.0.1",
		.timeout_ms = LOOK_TIMEOUT_MS,
		.body_max = LOOK_MAX };

	if (c->call == NULL)
		c->call = http_call_start(c->opts.loop, &spec, on_looked, c);
}

static void on_look(uv_timer_t *timer)
{
	struct cluster *c = timer->data;

	if (cyg_clock_mono_ms() > c->deadline_ms) {
		cluster_fail(c,
		    "The Spark cluster did not start in two minutes; log/spark-master.log and log/spark-worker.log in the server's run folder say more.");
		return;
	}
	if (c->state == CLUSTER_OPEN) {
		look_for_workers(c);
		return;
	}
	if (!ports_listens(ports_of(&c->fill, "{port.master}")))
		return;
	cluster_start_others(c);
	if (c->state == CLUSTER_STARTING)
		cluster_move(c, CLUSTER_OPEN, "its master listens");
}

void cluster_look(struct cluster *c)
{
	c->deadline_ms = cyg_clock_mono_ms() + UP_TIMEOUT_MS;
	(void)uv_timer_start(&c->timer, on_look, LOOK_MS, LOOK_MS);
}

/* ---- start and stop ---- */

void cluster_start(struct cluster *c, struct cyg_str text)
{
	struct cyg_err err;
	int rc;

	if (c->state != CLUSTER_ABSENT && c->state != CLUSTER_FAILED)
		return;
	rc = cluster_prepare(c, text, &err);
	if (rc == 0)
		rc = cluster_write_files(c, &err);
	if (rc == 0 && c->n_daemons == 0) {
		cluster_move(c, CLUSTER_UP, "nothing to start");
		return;
	}
	cluster_move(c, CLUSTER_STARTING, "a session needs it");
	if (rc < 0) {
		cluster_fail(c, err.msg);
		return;
	}
	cluster_look(c);
	cluster_start_first(c);
}

void cluster_stop(struct cluster *c)
{
	(void)uv_timer_stop(&c->timer);
	http_call_cancel(CYG_TAKE(c->call));
	cluster_end_daemons(c);
	cluster_wipe(c);
	c->state = CLUSTER_ABSENT;
}

/* ---- after a restart of the agent ---- */

/* After a restart of the agent: what of it runs goes on, and what does not is started again. When
 * nothing of it runs, who needs it next starts it anew. */
void cluster_settle(struct cluster *c)
{
	if (c->answer == NULL)
		return;
	if (c->n_daemons == 0) {
		cluster_move(c, CLUSTER_UP, "nothing to start");
	} else if (cluster_runs(c)) {
		/* Whether it has resources is seen again. */
		cluster_move(c, CLUSTER_STARTING, "an earlier agent started it");
		cluster_look(c);
		cluster_start_first(c);
	} else {
		cluster_wipe(c);
	}
}

void cluster_restore(struct cluster *c)
{
	struct cyg_err err;

	if (cluster_read_record(c, &err) < 0 && err.code != CYG_ENOENT)
		cyg_log_warn("spark", "cluster %s: %s", c->id, err.msg);
}

/* ---- life ---- */

struct cluster *cluster_new(const struct cluster_opts *opts, const char *id)
{
	struct cluster *c = cyg_xcalloc(1, sizeof(*c));

	c->opts = *opts;
	c->id = cyg_xstrdup(id);
	fill_init(&c->fill);
	(void)uv_timer_init(opts->loop, &c->timer);
	c->timer.data = c;
	return c;
}

static void on_closed(uv_handle_t *h)
{
	struct cluster *c = h->data;

	if (c->text != NULL)
		cyg_cleanse(c->text, strlen(c->text));
	free(c->text);
	answer_free(c->answer);
	fill_free(&c->fill);
	free(c->why);
	free(c->id);
	free(c);
}

void cluster_close(struct cluster *c)
{
	if (c == NULL)
		return;
	http_call_cancel(c->call);
	for (size_t i = 0; i < CLUSTER_DAEMONS_MAX; i++)
		init_link_forget(c->opts.init, &c->daemons[i]);
	(void)uv_timer_stop(&c->timer);
	uv_close((uv_handle_t *)&c->timer, on_closed);
}

const char *cluster_id(const struct cluster *c)
{
	return c->id;
}

enum cluster_state cluster_state_of(const struct cluster *c)
{
	return c->state;
}

const char *cluster_state_name(const struct cluster *c)
{
	return state_names[c->state];
}

const char *cluster_why(const struct cluster *c)
{
	return c->why != NULL ? c->why : "The cluster is not there.";
}

const char *cluster_label(const struct cluster *c)
{
	return c->answer != NULL ? c->answer->label : NULL;
}

bool cluster_is_open(const struct cluster *c)
{
	return c->state == CLUSTER_OPEN || c->state == CLUSTER_UP;
}

const struct fill *cluster_fill(const struct cluster *c)
{
	return &c->fill;
}
