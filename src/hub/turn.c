/* One turn of the hub's loop: commits what was written in it, before any effect of it leaves. When
 * it cannot be written the hub goes on: requests are told to come back, changes that happened
 * outside are kept in memory, and their rows are written again until the disk takes them. */
#include "hub/turn.h"

#include "base/clock.h"
#include "daemon/log.h"
#include "hub/access/audit.h"
#include "hub/api/api.h"
#include "hub/server/reconcile.h"
#include "hub/server/srv.h"
#include "store/store.h"

enum { RETRY_MS = 1000 };

static bool is_drained(const struct hub *hub)
{
	size_t n = 0;

	for (int state = SRV_QUEUED; state < SRV_STATES; state++)
		n += srvs_in(hub->srvs, (enum srv_state)state)->n;
	return n == 0;
}

/* ---- the store fails, and works again ---- */

/* Fails while the store still fails, and the timer tries again. */
static void on_retry(uv_timer_t *timer)
{
	struct hub *hub = timer->data;

	srvs_repair(hub->srvs);
	audit_repair(hub->audit);
	store_probe(hub->store);
}

static void begin_failing(struct hub *hub, const struct cyg_err *why)
{
	if (hub->failing_since_us != 0)
		return;
	cyg_log_error("store",
	    "nothing can be saved: %s; what runs goes on, nothing new starts, it is tried again "
	    "every second",
	    why->msg);
	hub->failing_since_us = cyg_clock_wall_us();
	(void)uv_timer_start(&hub->turn_retry, on_retry, RETRY_MS, RETRY_MS);
}

static void end_failing(struct hub *hub)
{
	int64_t since_us = hub->failing_since_us;

	if (since_us == 0)
		return;
	hub->failing_since_us = 0;
	(void)uv_timer_stop(&hub->turn_retry);
	cyg_log_warn("store", "can be written again, after %lld s",
	    (long long)((cyg_clock_wall_us() - since_us) / 1000000));
	srvs_repair(hub->srvs);
	audit_repair(hub->audit);
	reconcile_intents(hub->srvs);
	srvs_admit_later(hub->srvs);
}

/* ---- the turn ---- */

static void commit(struct hub *hub)
{
	uint64_t commits = store_commits(hub->store);
	struct cyg_err err;

	if (store_commit(hub->store, &err) < 0)
		begin_failing(hub, &err);
	else if (store_commits(hub->store) != commits)
		end_failing(hub);
}

/* Effects of a commit may free a place: then the next in the queue is admitted at once, not when
 * the loop wakes up. */
static void end_turn(struct hub *hub)
{
	if (hub->ending)
		return;
	do {
		if (hub->failing_since_us == 0)
			srvs_admit(hub->srvs);
		commit(hub);
	} while (hub->failing_since_us == 0 && srvs_admission_is_due(hub->srvs));
	if (hub->api == NULL || !hub->api->draining || !is_drained(hub))
		return;
	cyg_log_info("hub", "every server is stopped");
	hub->ending = true;
	cyg_loop_stop(hub->loop);
}

/* After timers, before the loop sleeps; and after I/O. */
static void on_prepare(uv_prepare_t *handle)
{
	end_turn(handle->data);
}

static void on_check(uv_check_t *handle)
{
	end_turn(handle->data);
}

void turns_start(struct hub *hub)
{
	(void)uv_prepare_init(hub->uv, &hub->turn_prepare);
	(void)uv_check_init(hub->uv, &hub->turn_check);
	(void)uv_timer_init(hub->uv, &hub->turn_retry);
	hub->turn_prepare.data = hub->turn_check.data = hub->turn_retry.data = hub;
	(void)uv_prepare_start(&hub->turn_prepare, on_prepare);
	(void)uv_check_start(&hub->turn_check, on_check);
	hub->turns = true;
}

void turns_close(struct hub *hub)
{
	if (!hub->turns)
		return;
	uv_close((uv_handle_t *)&hub->turn_prepare, NULL);
	uv_close((uv_handle_t *)&hub->turn_check, NULL);
	uv_close((uv_handle_t *)&hub->turn_retry, NULL);
}
