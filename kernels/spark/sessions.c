/* The list of sessions, the clusters that they use, and what is told of them. */
#include "kernels/spark/sessions.h"

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "kernels/spark/session_priv.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { TICK_MS = 1000, IDLE_TICKS = 20, IDLE_TICK_MAX_MS = 15 * 1000 };

struct sessions {
	struct sessions_opts opts;
	struct cyg_list list;
	struct cluster *clusters[SESSIONS_CLUSTERS_MAX];
	size_t n_clusters;
	uv_timer_t tick; /* while somebody polls */
	uv_timer_t idle; /* looks for sessions that nobody uses */
};

const struct sessions_opts *sessions_opts_of(const struct sessions *ss)
{
	return &ss->opts;
}

static struct session *session_of(struct cyg_link *link)
{
	return CYG_CONTAINER_OF(link, struct session, link);
}

/* ---- finding ---- */

struct session *sessions_find(const struct sessions *ss, struct cyg_str id)
{
	cyg_list_each (it, &ss->list) {
		if (cyg_str_eq(id, session_of(it)->id))
			return session_of(it);
	}
	return NULL;
}

struct session *sessions_of_kernel(const struct sessions *ss, const char *kernel)
{
	struct session *found = NULL;

	cyg_list_each (it, &ss->list) {
		struct session *s = session_of(it);

		if (strcmp(s->kernel, kernel) == 0 && s->state != SESSION_ENDING)
			found = s;
	}
	return found;
}

/* ---- beginning ---- */

static struct session *begin(
    struct sessions *ss, const struct session_want *want, struct cyg_err *err)
{
	struct session *s;

	if (ss->list.n >= SESSIONS_MAX) {
		(void)cyg_fail(err, CYG_EEXIST,
		    "This server has %d Spark sessions, which is the most it can have: end one first.",
		    SESSIONS_MAX);
		return NULL;
	}
	s = session_new(ss, want);
	cyg_list_add(&ss->list, &s->link);
	session_begin(s);
	return s;
}

struct session *sessions_want(
    struct sessions *ss, const struct session_want *want, bool *adopted, struct cyg_err *err)
{
	struct session *s = sessions_of_kernel(ss, want->kernel);

	*adopted = s != NULL && s->state == SESSION_READY;
	if (s != NULL && session_is_usable(s))
		return s;
	return sessions_replace(ss, want, err);
}

struct session *sessions_replace(
    struct sessions *ss, const struct session_want *want, struct cyg_err *err)
{
	struct session *old = sessions_of_kernel(ss, want->kernel);

	if (old != NULL)
		session_end(old);
	return begin(ss, want, err);
}

void sessions_kernel_gone(struct sessions *ss, const char *kernel)
{
	struct session *s = sessions_of_kernel(ss, kernel);

	if (s != NULL)
		session_end(s);
}

/* ---- clusters ---- */

static void on_cluster_change(void *arg, struct cluster *c)
{
	struct sessions *ss = arg;

	if (strcmp(cluster_id(c), ss->opts.cluster) == 0)
		ss->opts.on_cluster(ss->opts.arg, c);
	cyg_list_each_safe (it, &ss->list) {
		struct session *s = session_of(it);

		if (s->cluster == c)
			session_on_cluster(s);
	}
}

static void on_cluster_news(void *arg, struct cluster *c, const char *text)
{
	struct sessions *ss = arg;

	cyg_list_each (it, &ss->list) {
		struct session *s = session_of(it);

		if (s->cluster == c && s->state == SESSION_READY)
			session_tell(s, text);
	}
}

struct cluster *sessions_cluster(struct sessions *ss, const char *id)
{
	const struct cluster_opts opts = { .loop = ss->opts.loop,
		.init = ss->opts.init,
		.stack = ss->opts.stack,
		.archive = ss->opts.archive,
		.run_dir = ss->opts.run_dir,
		.is_own = strcmp(id, ss->opts.cluster) == 0,
		.on_change = on_cluster_change,
		.on_news = on_cluster_news,
		.arg = ss };

	for (size_t i = 0; i < ss->n_clusters; i++) {
		if (strcmp(cluster_id(ss->clusters[i]), id) == 0)
			return ss->clusters[i];
	}
	if (ss->n_clusters == SESSIONS_CLUSTERS_MAX)
		return NULL;
	ss->clusters[ss->n_clusters] = cluster_new(&opts, id);
	return ss->clusters[ss->n_clusters++];
}

/* ---- telling ---- */

static void write_event(struct jsonw *w, const void *arg)
{
	jsonw_key_cstr(w, "kind", "session");
	jsonw_key(w, "session");
	jsonw_object(w);
	session_write(arg, w);
	jsonw_object_end(w);
}

void sessions_changed(struct sessions *ss, struct session *s)
{
	events_emit(ss->opts.events, SPARK_EVENTS, write_event, s);
	ss->opts.on_session(ss->opts.arg, s);
	if (s->state != SESSION_GONE)
		return;
	session_remove_files(s);
	cyg_list_remove(&ss->list, &s->link);
	session_close(s);
}

void sessions_write(const struct sessions *ss, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_key(w, "connections");
	jsonw_array(w);
	cyg_list_each (it, &ss->list) {
		jsonw_object(w);
		session_write(session_of(it), w);
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
	jsonw_object_end(w);
}

static void on_tick(uv_timer_t *timer)
{
	struct sessions *ss = timer->data;
	const uint64_t now = cyg_clock_mono_ms();
	size_t waiting = 0;

	cyg_list_each (it, &ss->list) {
		session_wait_tick(session_of(it), now);
		waiting += session_of(it)->polls.n;
	}
	if (waiting == 0)
		(void)uv_timer_stop(&ss->tick);
}

void sessions_tick(struct sessions *ss)
{
	if (!uv_is_active((uv_handle_t *)&ss->tick))
		(void)uv_timer_start(&ss->tick, on_tick, TICK_MS, TICK_MS);
}

static void on_idle(uv_timer_t *timer)
{
	struct sessions *ss = timer->data;

	cyg_list_each_safe (it, &ss->list) {
		session_idle_tick(session_of(it), cyg_clock_wall_us());
	}
}

/* Looks often enough for the time that sessions may be idle. */
static uint64_t idle_tick_ms(const struct sessions *ss)
{
	const uint64_t ms = (uint64_t)ss->opts.idle_s * 1000 / IDLE_TICKS;

	return ms < IDLE_TICK_MAX_MS ? ms + 1 : IDLE_TICK_MAX_MS;
}

/* ---- children, and what an earlier agent left ---- */

/* Names of folders: only what looks like an id of ours counts. */
static bool is_id(struct cyg_str name)
{
	return name.len == SESSION_ID_LEN && strspn(name.p, "0123456789abcdef") == SESSION_ID_LEN;
}

static void read_sessions(struct sessions *ss)
{
	cyg_autofree char *path = cyg_xasprintf("%s/secrets/spark/sessions", ss->opts.run_dir);
	DIR *dir = opendir(path);
	const struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		struct session *s =
		    is_id(cyg_str_of(e->d_name)) ? session_read(ss, e->d_name) : NULL;

		if (s != NULL)
			cyg_list_add(&ss->list, &s->link);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

static void read_clusters(struct sessions *ss)
{
	cyg_autofree char *path = cyg_xasprintf("%s/secrets/spark/clusters", ss->opts.run_dir);
	DIR *dir = opendir(path);
	const struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		struct cluster *c = e->d_name[0] != '.' ? sessions_cluster(ss, e->d_name) : NULL;

		if (c != NULL)
			cluster_restore(c);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

void sessions_restore(struct sessions *ss)
{
	read_clusters(ss);
	read_sessions(ss);
}

void sessions_on_child(struct sessions *ss, const struct init_child *child)
{
	for (size_t i = 0; i < ss->n_clusters; i++) {
		if (cluster_on_child(ss->clusters[i], child))
			return;
	}
	cyg_list_each (it, &ss->list) {
		if (session_on_child(session_of(it), child))
			return;
	}
}

void sessions_on_exited(struct sessions *ss, const struct init_exited *exited)
{
	for (size_t i = 0; i < ss->n_clusters; i++) {
		if (cluster_on_exited(ss->clusters[i], exited))
			return;
	}
	cyg_list_each_safe (it, &ss->list) {
		if (session_on_exited(session_of(it), exited))
			return;
	}
}

void sessions_settle(struct sessions *ss)
{
	for (size_t i = 0; i < ss->n_clusters; i++)
		cluster_settle(ss->clusters[i]);
	cyg_list_each_safe (it, &ss->list) {
		session_settle(session_of(it));
	}
}

/* ---- life ---- */

struct sessions *sessions_new(const struct sessions_opts *opts)
{
	struct sessions *ss = cyg_xcalloc(1, sizeof(*ss));

	ss->opts = *opts;
	cyg_list_init(&ss->list);
	(void)uv_timer_init(opts->loop, &ss->tick);
	ss->tick.data = ss;
	(void)uv_timer_init(opts->loop, &ss->idle);
	ss->idle.data = ss;
	if (opts->idle_s > 0)
		(void)uv_timer_start(&ss->idle, on_idle, idle_tick_ms(ss), idle_tick_ms(ss));
	return ss;
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

void sessions_close(struct sessions *ss)
{
	if (ss == NULL)
		return;
	cyg_list_each_safe (it, &ss->list) {
		cyg_list_remove(&ss->list, it);
		session_close(session_of(it));
	}
	for (size_t i = 0; i < ss->n_clusters; i++)
		cluster_close(ss->clusters[i]);
	(void)uv_timer_stop(&ss->tick);
	(void)uv_timer_stop(&ss->idle);
	uv_close((uv_handle_t *)&ss->idle, NULL);
	uv_close((uv_handle_t *)&ss->tick, on_closed);
}
