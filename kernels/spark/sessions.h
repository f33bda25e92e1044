/* The sessions of this server and the clusters that they use. */
#ifndef SPARK_SESSIONS_H
#define SPARK_SESSIONS_H

#include "kernels/base/events.h"
#include "kernels/spark/cluster.h"
#include "kernels/spark/session.h"

struct hub_ask_opts;
struct monitor;

enum { SESSIONS_MAX = 32, SESSIONS_CLUSTERS_MAX = 8 };

struct sessions_opts {
	uv_loop_t *loop;
	struct init_link *init;
	struct events *events;
	const struct spark_stack *stack;
	struct archive *archive; /* of the stack, or NULL */
	const struct hub_ask_opts *hub;
	const char *run_dir;
	const char *home;
	const char *cluster; /* the one of the start form */
	unsigned idle_s;     /* a session that was not used for so long is released; 0: never */
	/* Whether that kernel runs something now. */
	bool (*is_busy)(void *arg, const char *kernel);
	/* The hub has rendered: the properties (JSON) of a session of that cluster. */
	void (*on_rendered)(void *arg, const struct answer *answer);
	/* The server's own cluster has another state. */
	void (*on_cluster)(void *arg, struct cluster *c);
	/* Spark's id of its application, or NULL while it is not known. */
	const char *(*app_of)(void *arg, const char *session);
	/* Its state or its countdown changed. */
	void (*on_session)(void *arg, struct session *s);
	void *arg;
};

/* Event schema of what happens to sessions, applications and cells. */
#define SPARK_EVENTS "https://events.cygnet/spark/v1"

struct sessions *sessions_new(const struct sessions_opts *opts);
/* Drivers and daemons go on, for the next agent. NULL is accepted. */
void sessions_close(struct sessions *ss);
const struct sessions_opts *sessions_opts_of(const struct sessions *ss);
/* By id, or NULL. */
struct session *sessions_find(const struct sessions *ss, struct cyg_str id);
/* The latest one of a kernel that is not ending, or NULL. */
struct session *sessions_of_kernel(const struct sessions *ss, const char *kernel);
/* The session that the kernel has or gets; NULL: too many (*err says what to do). *adopted: it was
 * ready already. */
struct session *sessions_want(
    struct sessions *ss, const struct session_want *want, bool *adopted, struct cyg_err *err);
/* A new one in place of what the kernel has. */
struct session *sessions_replace(
    struct sessions *ss, const struct session_want *want, struct cyg_err *err);
/* The cluster of that id, made when it is not known; NULL when there are too many. */
struct cluster *sessions_cluster(struct sessions *ss, const char *id);
/* {"connections": [session]} */
void sessions_write(const struct sessions *ss, struct jsonw *w);

/* The kernel ended for good: so does its session. */
void sessions_kernel_gone(struct sessions *ss, const char *kernel);

/* ---- children of init, and what an earlier agent left ---- */
void sessions_restore(struct sessions *ss);
void sessions_on_child(struct sessions *ss, const struct init_child *child);
void sessions_on_exited(struct sessions *ss, const struct init_exited *exited);
void sessions_settle(struct sessions *ss);

/* ---- for session files ---- */
/* Tells subscribers of a session's state; GONE takes it off the list and frees it. */
void sessions_changed(struct sessions *ss, struct session *s);
/* Somebody polls: ticks come. */
void sessions_tick(struct sessions *ss);

#endif
