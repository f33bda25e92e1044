/* Reports, one after the other. */
#include "kernels/spark/report.h"

#include "base/list.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "kernels/base/jsonw.h"

#include <stdio.h>
#include <string.h>

enum {
	EVERY_MS = 60 * 1000,
	SOON_MS = 1000,
	CLUSTERS_MAX = 8,
	ENDED_MAX = 32, /* of one report, and that wait: as the hub takes them */
	BODY_MAX = 64 * 1024,
	WHY_MAX = 900,
};

struct ended {
	struct cyg_link link;
	char *session, *cluster, *flavour, *why;
	int64_t seconds;
	bool is_sent; /* with the report that is on its way */
};

struct report {
	struct hub_ask_opts hub;
	struct monitor *monitor;
	uv_timer_t timer;
	char *clusters[CLUSTERS_MAX];
	size_t n_clusters;
	size_t turn; /* whose report is next; n_clusters: none */
	struct cyg_list ended;
	struct http_call *call;
	bool has_failed; /* said once */
};

static void next(struct report *r);

static struct ended *ended_of(struct cyg_link *link)
{
	return CYG_CONTAINER_OF(link, struct ended, link);
}

static void drop(struct report *r, struct ended *e)
{
	cyg_list_remove(&r->ended, &e->link);
	free(e->session);
	free(e->cluster);
	free(e->flavour);
	free(e->why);
	free(e);
}

/* ---- one report ---- */

static void write_ended(struct report *r, const char *cluster, struct jsonw *w)
{
	jsonw_key(w, "ended");
	jsonw_array(w);
	cyg_list_each (it, &r->ended) {
		struct ended *e = ended_of(it);

		if (strcmp(e->cluster, cluster) != 0)
			continue;
		e->is_sent = true;
		jsonw_object(w);
		jsonw_key_cstr(w, "session", e->session);
		jsonw_key_cstr(w, "flavour", e->flavour);
		jsonw_key_cstr(w, "why", e->why);
		jsonw_key_int(w, "seconds", e->seconds);
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
}

static int write_report(
    struct report *r, const char *cluster, struct cyg_buf *out, struct cyg_err *err)
{
	struct monitor_usage u;
	struct jsonw w;
	char seconds[32];

	monitor_count(r->monitor, cluster, &u);
	jsonw_init(&w, out);
	jsonw_object(&w);
	jsonw_key_cstr(&w, "cluster", cluster);
	jsonw_key_int(&w, "sessions", u.sessions);
	jsonw_key_int(&w, "apps", u.apps);
	jsonw_key_int(&w, "executors", u.executors);
	jsonw_key_int(&w, "cores", u.cores);
	(void)snprintf(seconds, sizeof(seconds), "%lld.%03d", (long long)(u.tasks_ms / 1000),
	    (int)(u.tasks_ms % 1000));
	jsonw_key(&w, "core_seconds");
	jsonw_raw(&w, cyg_str_of(seconds));
	jsonw_key_int(&w, "input_bytes", u.input);
	jsonw_key_int(&w, "shuffle_read_bytes", u.shuffle_read);
	jsonw_key_int(&w, "shuffle_write_bytes", u.shuffle_write);
	write_ended(r, cluster, &w);
	jsonw_object_end(&w);
	return jsonw_finish(&w, err);
}

static void settle(struct report *r, bool was_taken)
{
	if (was_taken)
		monitor_counted(r->monitor, r->clusters[r->turn]);
	cyg_list_each_safe (it, &r->ended) {
		struct ended *e = ended_of(it);

		if (e->is_sent && was_taken)
			drop(r, e);
		else
			e->is_sent = false;
	}
}

static void on_answer(void *arg, const struct http_result *result)
{
	struct report *r = arg;
	const bool was_taken = result->status == 204;

	r->call = NULL;
	settle(r, was_taken);
	if (!was_taken && !r->has_failed) {
		cyg_autofree char *why = hub_ask_refusal(result);

		cyg_log_warn("spark", "what Spark uses cannot be told to the hub: %s", why);
	}
	r->has_failed = !was_taken;
	r->turn++;
	next(r);
}

/* Whether the hub does not know something of this cluster. */
static bool has_news(const struct report *r, const char *cluster)
{
	cyg_list_each (it, &r->ended) {
		if (strcmp(ended_of(it)->cluster, cluster) == 0)
			return true;
	}
	return monitor_has_news(r->monitor, cluster);
}

static void next(struct report *r)
{
	cyg_autobuf struct cyg_buf body;
	struct cyg_err err;

	cyg_buf_init(&body, BODY_MAX);
	while (r->turn < r->n_clusters && !has_news(r, r->clusters[r->turn]))
		r->turn++;
	if (r->turn == r->n_clusters)
		return;
	if (write_report(r, r->clusters[r->turn], &body, &err) == 0)
		r->call = hub_ask(
		    &r->hub, "/api/cygnet/spark/report", cyg_buf_str(&body), on_answer, r, &err);
	if (r->call != NULL)
		return;
	settle(r, false);
	r->turn = r->n_clusters;
	cyg_log_warn("spark", "what Spark uses cannot be told to the hub: %s", err.msg);
}

static void on_timer(uv_timer_t *timer)
{
	struct report *r = timer->data;

	(void)uv_timer_start(&r->timer, on_timer, EVERY_MS, 0);
	if (r->call != NULL)
		return;
	r->turn = 0;
	next(r);
}

/* ---- what there is to tell ---- */

void report_began(struct report *r, const char *cluster)
{
	for (size_t i = 0; i < r->n_clusters; i++) {
		if (strcmp(r->clusters[i], cluster) == 0)
			return;
	}
	if (r->n_clusters == CLUSTERS_MAX)
		return;
	r->clusters[r->n_clusters++] = cyg_xstrdup(cluster);
	(void)uv_timer_start(&r->timer, on_timer, SOON_MS, 0);
}

void report_ended(struct report *r, const struct report_ended *e)
{
	struct ended *one = cyg_xcalloc(1, sizeof(*one));

	if (r->ended.n == ENDED_MAX)
		drop(r, ended_of(cyg_list_first(&r->ended)));
	one->session = cyg_xstrdup(e->session);
	one->cluster = cyg_xstrdup(e->cluster);
	one->flavour = cyg_xstrdup(e->flavour);
	one->why = cyg_xstrndup(e->why, strnlen(e->why, WHY_MAX));
	one->seconds = e->seconds;
	cyg_list_add(&r->ended, &one->link);
	(void)uv_timer_start(&r->timer, on_timer, SOON_MS, 0);
}

/* ---- life ---- */

struct report *report_new(const struct hub_ask_opts *hub, struct monitor *monitor)
{
	struct report *r = cyg_xcalloc(1, sizeof(*r));

	r->hub = *hub;
	r->monitor = monitor;
	cyg_list_init(&r->ended);
	(void)uv_timer_init(hub->loop, &r->timer);
	r->timer.data = r;
	return r;
}

static void on_closed(uv_handle_t *h)
{
	struct report *r = h->data;

	for (size_t i = 0; i < r->n_clusters; i++)
		free(r->clusters[i]);
	free(r);
}

void report_close(struct report *r)
{
	if (r == NULL)
		return;
	http_call_cancel(r->call);
	cyg_list_each_safe (it, &r->ended) {
		drop(r, ended_of(it));
	}
	(void)uv_timer_stop(&r->timer);
	uv_close((uv_handle_t *)&r->timer, on_closed);
}
