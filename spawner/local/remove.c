/* Removes what a dead server leaves: first the control group, because a process that is still in it
 * may write files; then run folder and socket, in the thread pool. A user may leave hundreds of
 * thousands of files: each turn of a thread removes a bounded number and queues again, so that the
 * removal of other servers does not wait for it. */
#include "daemon/log.h"
#include "spawner/local/local.h"
#include "spawner/local/record.h"

static void work_remove(uv_work_t *work)
{
	struct local_server *s = work->data;
	struct cyg_err err;

	s->more = false;
	if (folders_remove_some(
		&s->local->folders, s->spec.server_id, LOCAL_REMOVE_STEP, &s->more, &err) < 0)
		cyg_log_error(s->spec.server_id, "%s", err.msg);
}

static void work_removed(uv_work_t *work, int status)
{
	struct local_server *s = work->data;

	if (s->more) {
		(void)uv_queue_work(s->local->loop, &s->work, work_remove, work_removed);
		return;
	}
	record_remove(s->local->folders.records, s->spec.server_id);
	end_removed(s);
}

static void remove_group(uv_timer_t *timer)
{
	struct local_server *s = timer->data;

	if (!cgroup_remove(&s->local->cgroups, s->spec.server_id)) {
		(void)cgroup_kill(&s->local->cgroups, s->spec.server_id);
		if (s->tries++ < LOCAL_REMOVE_TRIES) {
			(void)uv_timer_start(&s->timer, remove_group, LOCAL_REMOVE_MS, 0);
			return;
		}
		cyg_log_error(s->spec.server_id, "its control group cannot be removed");
	}
	(void)uv_queue_work(s->local->loop, &s->work, work_remove, work_removed);
}

void remove_begin(struct local_server *s)
{
	remove_group(&s->timer);
}
