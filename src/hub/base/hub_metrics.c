/* The table of the hub's metrics, and the functions by which its wings count. Gauges that are
 * looked up at a scrape are in hub/metrics.c. */
#include "hub/base/hub_metrics.h"

#include "base/clock.h"
#include "base/mem.h"
#include "hub/base/metrics_requests.h"

static const char *const periods[] = { "24h", "7d", "30d", NULL };
static const char *const outcomes[] = { "success", "failure", NULL };
static const char *const spawn_outcomes[] = { "success", "failure", "throttled", NULL };
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
static const char *const spawners[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10",
	"11", "12", "13", "14", "15", NULL };
static const char *const failures[] = { [SPAWN_FAILURE_REFUSED] = "refused",
	[SPAWN_FAILURE_ENGINE] = "engine",
	[SPAWN_FAILURE_SETUP] = "setup",
	[SPAWN_FAILURE_MEMORY] = "memory",
	[SPAWN_FAILURE_ENDED] = "ended",
	[SPAWN_FAILURES] = NULL };
static const char *const spawner_states[] = { "starting", "running", "stopping", NULL };
static const char *const spawner_stages[] = { SPAWN_STAGES_SPAWNER, SPAWN_STAGES_INIT, NULL };
/* Of open labels: the last stands for all that have no place. */
static const char *const clusters[] = { METRIC_PLACES_16, "other", NULL };
static const char *const groups[] = { "", METRIC_PLACES_16, "other", NULL };
#define SPARK_LABELS                                                                               \
	{ "cluster", clusters },                                                                   \
	{                                                                                          \
		"group", groups                                                                    \
	}
_Static_assert(CYG_N(spawners) == HUB_SPAWNERS_SHOWN + 1, "a value for each spawner");
_Static_assert(CYG_N(spawner_stages) == SPAWN_STAGES_MAX + 1, "a value for each stage");

const struct metric_def hub_metrics[] = {
	[HUB_REQUEST_SECONDS] = { "jupyterhub_request_duration_seconds", METRIC_HISTOGRAM,
	    "seconds",
	    "From a request's head to its response; handlers by JupyterHub's names, cygnet for what it has not.",
	    .labels = { { "method", methods }, { "handler", metrics_handlers }, { "code", codes } },
	    .bounds = metric_bounds_request, .sparse = true },
	[HUB_RUNNING_SERVERS] = { "jupyterhub_running_servers", METRIC_GAUGE, NULL,
	    "Servers that run.", .sparse = false },
	[HUB_TOTAL_USERS] = { "jupyterhub_total_users", METRIC_GAUGE, NULL,
	    "Users with an account.", .sparse = false },
	[HUB_ACTIVE_USERS] = { "jupyterhub_active_users", METRIC_GAUGE, NULL,
	    "Users who were active in the last 24 hours, 7 days, 30 days.",
	    .labels = { { "period", periods } } },
	[HUB_SPAWN_SECONDS] = { "jupyterhub_server_spawn_duration_seconds", METRIC_HISTOGRAM,
	    "seconds",
	    "From the request for a start to the running server, to the failure, or to the refusal because the queue is full (throttled).",
	    .labels = { { "status", spawn_outcomes } }, .bounds = metric_bounds_server },
	[HUB_PROXY_ADD_SECONDS] = { "jupyterhub_proxy_add_duration_seconds", METRIC_HISTOGRAM,
	    "seconds", "From a server's route until every proxy has it in force.",
	    .labels = { { "status", outcomes } }, .bounds = metric_bounds_request },
	[HUB_STARTUP_SECONDS] = { "jupyterhub_hub_startup_duration_seconds", METRIC_HISTOGRAM,
	    "seconds", "How long the hub took to start: one observation.",
	    .bounds = metric_bounds_request },
	[HUB_STOP_SECONDS] = { "jupyterhub_server_stop_seconds", METRIC_HISTOGRAM, "seconds",
	    "From the begin of a stop to its end.", .labels = { { "status", outcomes } },
	    .bounds = metric_bounds_server },
	[HUB_SERVERS] = { "cygnet_hub_servers", METRIC_GAUGE, NULL, "Server records by state.",
	    .labels = { { "state", states } } },
	[HUB_SESSIONS] = { "cygnet_hub_sessions", METRIC_GAUGE, NULL,
	    "Sign-ins of browsers that last.", .sparse = false },
	[HUB_STARTS] = { "cygnet_hub_starts_total", METRIC_COUNTER, NULL,
	    "Starts that were let into the queue.", .sparse = false },
	[HUB_START_FAILURES] = { "cygnet_hub_start_failures_total", METRIC_COUNTER, NULL,
	    "Starts that failed, by cause and by the stage that was going on.",
	    .labels = { { "cause", causes }, { "stage", stages } }, .sparse = true },
	[HUB_STAGE_SECONDS] = { "cygnet_hub_start_stage_seconds", METRIC_HISTOGRAM, "seconds",
	    "Time of each stage of a start.", .labels = { { "stage", stages } },
	    .bounds = metric_bounds_request, .sparse = true },
	[HUB_PUSH_SECONDS] = { "cygnet_hub_table_push_seconds", METRIC_HISTOGRAM, "seconds",
	    "From a change of the routes or sessions until every proxy has it in force.",
	    .bounds = metric_bounds_loop },
	[HUB_PUSH_FAILURES] = { "cygnet_hub_table_push_failures_total", METRIC_COUNTER, NULL,
	    "Changes that no proxy took in time.", .sparse = false },
	[HUB_COMMIT_SECONDS] = { "cygnet_hub_store_commit_seconds", METRIC_HISTOGRAM, "seconds",
	    "How long the database took to put a turn's changes on disk; the loop waits meanwhile.",
	    .bounds = metric_bounds_loop },
	[HUB_COMMIT_FAILURES] = { "cygnet_hub_store_commit_failures_total", METRIC_COUNTER, NULL,
	    "Turns whose changes could not be put on disk.", .sparse = false },
	[HUB_TURN_SECONDS] = { "cygnet_hub_loop_turn_seconds", METRIC_HISTOGRAM, "seconds",
	    "How long the event loop worked between two sleeps: no other request is served meanwhile.",
	    .bounds = metric_bounds_loop },
	[HUB_SPARK_SESSIONS] = { "cygnet_hub_spark_sessions", METRIC_GAUGE, NULL,
	    "Spark sessions of servers, as they report them; servers that have stopped have none.",
	    .labels = { SPARK_LABELS }, .sparse = true },
	[HUB_SPARK_APPS] = { "cygnet_hub_spark_apps", METRIC_GAUGE, NULL,
	    "Spark applications of these sessions.", .labels = { SPARK_LABELS }, .sparse = true },
	[HUB_SPARK_EXECUTORS] = { "cygnet_hub_spark_executors", METRIC_GAUGE, NULL,
	    "Executors of these applications.", .labels = { SPARK_LABELS }, .sparse = true },
	[HUB_SPARK_CORES] = { "cygnet_hub_spark_cores", METRIC_GAUGE, NULL,
	    "Cores of these executors.", .labels = { SPARK_LABELS }, .sparse = true },
	[HUB_SPARK_CORE_SECONDS] = { "cygnet_hub_spark_core_seconds_total", METRIC_COUNTER,
	    "seconds", "Cores of executors by the time that they were there, as servers report it.",
	    .labels = { SPARK_LABELS }, .sparse = true },
	[HUB_SPARK_INPUT_BYTES] = { "cygnet_hub_spark_input_bytes_total", METRIC_COUNTER, "bytes",
	    "What stages read from outside of Spark, as servers report it.",
	    .labels = { SPARK_LABELS }, .sparse = true },
	[HUB_SPARK_SHUFFLE_READ_BYTES] = { "cygnet_hub_spark_shuffle_read_bytes_total",
	    METRIC_COUNTER, "bytes", "What stages read from other stages, as servers report it.",
	    .labels = { SPARK_LABELS }, .sparse = true },
	[HUB_SPARK_SHUFFLE_WRITE_BYTES] = { "cygnet_hub_spark_shuffle_write_bytes_total",
	    METRIC_COUNTER, "bytes", "What stages wrote for other stages, as servers report it.",
	    .labels = { SPARK_LABELS }, .sparse = true },
	[HUB_SPARK_CONNECTS] = { "cygnet_hub_spark_connects_total", METRIC_COUNTER, NULL,
	    "Spark sessions that servers asked for: given, refused or failed, or over the limit of a minute (throttled).",
	    .labels = { SPARK_LABELS, { "result", spawn_outcomes } }, .sparse = true },
	[HUB_SPAWNER_UP] = { "cygnet_spawner_up", METRIC_GAUGE, NULL,
	    "1 when the spawner has told its counts for this scrape; spawners by their place in the option spawners.",
	    .labels = { { "spawner", spawners } }, .sparse = true },
	[HUB_SPAWNER_STARTS] = { "cygnet_spawner_starts_total", METRIC_COUNTER, NULL,
	    "Starts that the spawner was asked for since it began.",
	    .labels = { { "spawner", spawners } }, .sparse = true },
	[HUB_SPAWNER_FAILURES] = { "cygnet_spawner_start_failures_total", METRIC_COUNTER, NULL,
	    "Starts that came to nothing at the spawner, by cause.",
	    .labels = { { "spawner", spawners }, { "cause", failures } }, .sparse = true },
	[HUB_SPAWNER_SERVERS] = { "cygnet_spawner_servers", METRIC_GAUGE, NULL,
	    "Servers that the spawner has, by state.",
	    .labels = { { "spawner", spawners }, { "state", spawner_states } }, .sparse = true },
	[HUB_SPAWNER_STAGES] = { "cygnet_spawner_start_stages_total", METRIC_COUNTER, NULL,
	    "Stages of starts that ended at the spawner.",
	    .labels = { { "spawner", spawners }, { "stage", spawner_stages },
		{ "status", outcomes } },
	    .sparse = true },
	[HUB_SPAWNER_STAGE_SECONDS] = { "cygnet_spawner_start_stage_seconds_total", METRIC_COUNTER,
	    "seconds", "Time that these stages took together.",
	    .labels = { { "spawner", spawners }, { "stage", spawner_stages } }, .sparse = true },
	{ .name = NULL },
};

void hub_metrics_spawners_clear(struct metrics *m)
{
	for (unsigned id = HUB_SPAWNER_UP; id <= HUB_SPAWNER_STAGE_SECONDS; id++)
		metrics_clear(m, id);
}

void hub_metrics_spawner(struct metrics *m, uint16_t number, const struct spawn_counts *counts)
{
	metrics_set(m, HUB_SPAWNER_UP, METRIC_AT(number), counts != NULL ? 1 : 0);
	if (counts == NULL)
		return;
	metrics_copy(m, HUB_SPAWNER_STARTS, METRIC_AT(number), (double)counts->starts);
	for (uint16_t i = 0; i < (uint16_t)SPAWN_FAILURES; i++)
		metrics_copy(
		    m, HUB_SPAWNER_FAILURES, METRIC_AT(number, i), (double)counts->failures[i]);
	for (uint16_t i = 0; i < (uint16_t)CYG_N(counts->servers); i++)
		metrics_set(
		    m, HUB_SPAWNER_SERVERS, METRIC_AT(number, i), (double)counts->servers[i]);
	for (uint16_t i = 0; i < (uint16_t)SPAWN_STAGES_MAX; i++) {
		metrics_copy(m, HUB_SPAWNER_STAGES, METRIC_AT(number, i, HUB_SUCCESS),
		    (double)counts->stages_done[i]);
		metrics_copy(m, HUB_SPAWNER_STAGES, METRIC_AT(number, i, HUB_FAILURE),
		    (double)counts->stages_failed[i]);
		metrics_copy(m, HUB_SPAWNER_STAGE_SECONDS, METRIC_AT(number, i),
		    (double)counts->stages_ms[i] / 1000);
	}
}

static uint16_t index_of(unsigned id, size_t label, const char *value)
{
	return metric_label_index(&hub_metrics[id].labels[label], cyg_str_of(value));
}

struct metric_at hub_metrics_spark_at(struct metrics *m, const char *cluster, const char *group)
{
	return METRIC_AT(metrics_place(m, HUB_SPARK_CONNECTS, "cluster", cyg_str_of(cluster)),
	    metrics_place(m, HUB_SPARK_CONNECTS, "group", cyg_str_of(group)));
}

double hub_metrics_since(uint64_t since_ms)
{
	const uint64_t now_ms = cyg_clock_mono_ms();

	return now_ms > since_ms ? (double)(now_ms - since_ms) / 1000 : 0;
}

void hub_metrics_start_failed(
    struct metrics *m, uint64_t asked_ms, const char *cause, const char *stage)
{
	metrics_observe(m, HUB_SPAWN_SECONDS, METRIC_AT(HUB_FAILURE), hub_metrics_since(asked_ms));
	metrics_inc(m, HUB_START_FAILURES,
	    METRIC_AT(index_of(HUB_START_FAILURES, 0, cause),
		index_of(HUB_START_FAILURES, 1, stage != NULL ? stage : "none")));
}

void hub_metrics_stage(struct metrics *m, const char *name, uint64_t ms)
{
	metrics_observe(m, HUB_STAGE_SECONDS, METRIC_AT(index_of(HUB_STAGE_SECONDS, 0, name)),
	    (double)ms / 1000);
}

void hub_metrics_pushed(struct metrics *m, uint64_t since_ms, bool in_force)
{
	if (in_force)
		metrics_observe(m, HUB_PUSH_SECONDS, METRIC_PLAIN, hub_metrics_since(since_ms));
	else
		metrics_inc(m, HUB_PUSH_FAILURES, METRIC_PLAIN);
}
