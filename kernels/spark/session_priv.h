/* What the files of a session share. */
#ifndef SPARK_SESSION_PRIV_H
#define SPARK_SESSION_PRIV_H

#include "http/client.h"
#include "kernels/spark/answer.h"
#include "kernels/spark/cluster.h"
#include "kernels/spark/fill.h"
#include "kernels/spark/session.h"
#include "kernels/spark/sessions.h"

enum { SESSION_TAG_SIZE = 48, SESSION_NEWS_MAX = 8 };

struct session {
	struct cyg_link link; /* of sessions.list */
	struct sessions *owner;
	char id[SESSION_ID_LEN + 1];
	char tag[SESSION_TAG_SIZE]; /* of the child */
	enum session_state state;
	char *kernel, *cwd, *cluster_id;
	char *flavour, *bundles, *options, *notebook, *user, *pythonpath; /* JSON, or NULL */
	char *ignored; /* JSON list of options that the site or the server fixes, or NULL */
	char *cause, *hint;
	bool has_log; /* the driver began to write one */
	int64_t since_us;
	uint64_t since_ms;
	char uuid[37]; /* the id of its Connect session */
	struct answer *answer;
	char *label, *flavour_name; /* from the answer; NULL before */
	struct fill fill;
	struct cluster *cluster;
	struct http_call *call; /* to the hub, later to the driver's UI */
	int pid;                /* of the driver; 0: none */
	bool is_starting;       /* init was asked for the driver */
	uv_timer_t timer;       /* by state: is it ready, does it end */
	uint64_t deadline_ms;
	struct cyg_list streams, polls;
	char *news[SESSION_NEWS_MAX]; /* the latest ones; the first is the oldest */
	uint64_t n_news;              /* so many there ever were */
	int64_t used_us;              /* when it was used last */
	int64_t idle_ends_us;         /* when it is released for want of use; 0: not soon */
};

/* ---- session.c ---- */
/* One with that id. */
struct session *session_make(
    struct sessions *owner, const struct session_want *want, const char *id);
/* why is for the log and, of LOST and FAILED, the cause. */
void session_move(struct session *s, enum session_state to, const char *why);
void session_fail(struct session *s, const char *cause);
const char *session_text(const struct session *s); /* what it waits for, NULL: nothing */

/* ---- session_ask.c ---- */
int session_ask(struct session *s, struct cyg_err *err);

/* ---- session_driver.c ---- */
void session_start_driver(struct session *s);
/* After a restart of the agent: looks whether the driver that started meanwhile is ready. */
void session_watch_driver(struct session *s);
/* The driver ended before it was ready: its log says why better than how it ended. */
void session_fail_from_log(struct session *s, const char *how);
/* TERM, and after five seconds KILL. */
void session_kill(struct session *s);
/* Everything but the record of its cells. */
void session_remove_files(struct session *s);
char *session_secrets_dir(const struct session *s);
char *session_runtime_dir(const struct session *s);
char *session_log_path(const struct session *s);

/* ---- session_record.c ---- */
/* Keeps what the next agent needs. */
void session_keep(const struct session *s);
/* A session of an earlier agent; NULL when its record is not whole. */
struct session *session_read(struct sessions *owner, const char *id);

/* ---- session_idle.c ---- */
void session_idle_tick(struct session *s, int64_t now_us);
/* A request to the driver's UI, which is s->call until done. */
void session_ask_driver(struct session *s, const char *target, http_call_fn done);

/* ---- session_wait.c ---- */
void session_wait_init(struct session *s);
/* The state changed: tells streams and polls. */
void session_wake(struct session *s);
/* Cuts them off. */
void session_wait_close(struct session *s);
/* Polls older than 30 s get their response. */
void session_wait_tick(struct session *s, uint64_t now_ms);

#endif
