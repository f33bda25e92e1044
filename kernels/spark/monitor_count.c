/* What applications use, as the last look at each saw it: gauges, and what was not counted yet. */
#include "base/mem.h"
#include "kernels/spark/monitor_priv.h"

#include <string.h>

static struct app *app_of(struct cyg_link *link)
{
	return CYG_CONTAINER_OF(link, struct app, link);
}

/* A driver that forgot executors tells less than before: that counts as nothing new. */
static int64_t more(int64_t now, int64_t before)
{
	return now > before ? now - before : 0;
}

static void add(const struct app *a, struct monitor_usage *u)
{
	u->sessions += a->is_running;
	u->apps += a->is_running && a->id != NULL;
	u->executors += a->executors.active;
	u->cores += a->executors.cores;
	u->tasks_ms += more(a->executors.tasks_ms, a->counted.tasks_ms);
	u->input += more(a->executors.input, a->counted.input);
	u->shuffle_read += more(a->executors.shuffle_read, a->counted.shuffle_read);
	u->shuffle_write += more(a->executors.shuffle_write, a->counted.shuffle_write);
}

void monitor_count(struct monitor *m, const char *cluster, struct monitor_usage *ret)
{
	*ret = (struct monitor_usage){ 0 };
	cyg_list_each (it, &m->apps) {
		struct app *a = app_of(it);

		if (strcmp(a->cluster, cluster) != 0)
			continue;
		add(a, ret);
		a->counting = a->executors;
		a->counting_sessions = a->is_running;
	}
}

void monitor_counted(struct monitor *m, const char *cluster)
{
	cyg_list_each (it, &m->apps) {
		struct app *a = app_of(it);

		if (strcmp(a->cluster, cluster) != 0)
			continue;
		a->counted = a->counting;
		a->counted_sessions = a->counting_sessions;
	}
}

bool monitor_has_news(const struct monitor *m, const char *cluster)
{
	cyg_list_each (it, &m->apps) {
		const struct app *a = app_of(it);

		/* What runs is told each minute: a hub that was started again knows nothing of it.
		 */
		if (strcmp(a->cluster, cluster) == 0 &&
		    (a->is_running || a->counted_sessions ||
			memcmp(&a->executors, &a->counted, sizeof(a->counted)) != 0))
			return true;
	}
	return false;
}
