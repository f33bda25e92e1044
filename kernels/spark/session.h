/* One driver for one kernel, from the request to the end.
 *
 * ASKING: the hub renders. CLUSTER: the cluster's first daemon starts. DRIVER: the JVM starts.
 * READY: the kernel can attach. LOST: the driver or its cluster ended by itself; the cause is kept
 * until somebody asks for a new session. FAILED: it could not start; likewise. ENDING: the driver
 * was told to end. GONE: there is nothing of it any more. */
#ifndef SPARK_SESSION_H
#define SPARK_SESSION_H

#include "base/list.h"
#include "cygnet/init_msg.h"
#include "http/server.h"
#include "kernels/base/jsonw.h"
#include "kernels/base/tape.h"

struct session;
struct sessions;
struct spark_stack;

enum session_state {
	SESSION_ASKING,
	SESSION_CLUSTER,
	SESSION_DRIVER,
	SESSION_READY,
	SESSION_LOST,
	SESSION_FAILED,
	SESSION_ENDING,
	SESSION_GONE,
	SESSION_STATES,
};

enum { SESSION_ID_LEN = 16, SESSION_PATHS_MAX = 64 };

/* What is wanted of a new session. Strings are copied. */
struct session_want {
	const char *kernel;  /* id */
	const char *cwd;     /* absolute, or NULL: the home */
	const char *cluster; /* id, or NULL: the one of the start form */
	/* JSON, copied as it came: "flavour" string, "bundles" list, "options" map, "notebook" and
	 * "user" objects; p NULL: not said. */
	struct cyg_str flavour, bundles, options, notebook, user;
	struct cyg_str pythonpath; /* JSON list of folders that user code imports from */
};

/* ASKING, but nobody is asked before session_begin. */
struct session *session_new(struct sessions *owner, const struct session_want *want);
void session_begin(struct session *s);
/* Its driver goes on, for the next agent. */
void session_close(struct session *s);

const char *session_id(const struct session *s);
const char *session_kernel(const struct session *s);
enum session_state session_state_of(const struct session *s);
const char *session_state_name(const struct session *s);
/* Of LOST and FAILED, else NULL. */
const char *session_cause(const struct session *s);
/* Whether a kernel that asks can have it: ASKING to READY. */
bool session_is_usable(const struct session *s);
/* Ends the driver, in whatever state it is. */
void session_end(struct session *s);
/* Its driver is as good as lost: ends it and says why. */
void session_lose(struct session *s, const char *cause);

/* It is used now: the time that it may be idle begins anew. */
void session_used(struct session *s);

/* The cluster of this session has another state. */
void session_on_cluster(struct session *s);
bool session_on_child(struct session *s, const struct init_child *child);
bool session_on_exited(struct session *s, const struct init_exited *exited);
/* After a restart of the agent, when all children are known. */
void session_settle(struct session *s);

/* The members of a session as docs/decisions/0009 has them, into an open object. */
void session_write(const struct session *s, struct jsonw *w);
/* What its kernel needs to attach, into an open object: "id" … "adopted", "ignored". options: what
 * the kernel wanted, or p NULL. */
void session_write_ready(
    const struct session *s, bool adopted, struct cyg_str options, struct jsonw *w);
/* {"failed": …} as a line, likewise. */
void session_write_failed(const struct session *s, struct jsonw *w);

/* "variables": what {NAME} in values may stand for here (spark_variables in src/spark/chosen.h). */
void session_write_variables(struct jsonw *w, const struct spark_stack *stack);

/* ---- who waits for it ---- */
/* Streams a line for each step until it is ready or has failed; takes the request. options as
 * above, copied. */
void session_stream(struct session *s, struct http_req *req, struct cyg_str options);
/* Responds with id, state, cause and news when the state is another than that, when there is more
 * news than so much, or after 30 s; takes the request. */
void session_poll(struct session *s, struct http_req *req, struct cyg_str not_state, uint64_t news);
/* A sentence for the cell that runs: the poll brings it. */
void session_tell(struct session *s, const char *text);

/* ---- for the monitor and the UI ---- */
struct monitor_driver;
/* Describes it to the monitor. Texts are the session's; the result is its folder, which the caller
 * frees after use. */
char *session_describe(const struct session *s, struct monitor_driver *ret);
/* Port of the driver's UI, 0 before DRIVER. */
unsigned session_ui_port(const struct session *s);
/* Key of the UI's tokens (base64url), NULL: this Spark asks for none. */
const char *session_ui_key(const struct session *s);

#endif
