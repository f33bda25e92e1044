/* The kernels of this server: starting, finding, interrupting, restarting, ending and adopting
 * them. The REST API is kernels_api.c; messages are bridge.c. */
#ifndef KERNEL_KERNELS_H
#define KERNEL_KERNELS_H

#include "base/list.h"
#include "cygnet/err.h"
#include "cygnet/init_msg.h"
#include "kernels/base/jsonw.h"
#include "kernels/kernel/kmsg.h"
#include "kernels/kernel/specs.h"

#include <uv.h>

struct init_link;
struct kernel;
struct kernels;
struct env;
struct spec;

enum { KERNEL_ID_SIZE = 37 };

struct kernels_opts {
	uv_loop_t *loop;
	struct init_link *init;
	const struct specs_path *specs;
	const char *run_dir;          /* connection/, journal/ and log/ are below it */
	void (*on_change)(void *arg); /* kernels came or went: write the runtime state */
	/* "start", "interrupt", "restart", "shutdown" have been done: for the event stream. */
	void (*on_action)(void *arg, const char *action, const struct kernel *kernel);
	/* The kernel is done with a cell: msg_id is that of its execute_request; p NULL: all of
	 * them, it began again or ended. May be NULL. */
	void (*on_done)(void *arg, const struct kernel *kernel, struct cyg_str msg_id);
	/* Adds to the environment of every kernel before its specification's own; may be NULL. */
	void (*extend_env)(void *arg, struct env *env);
	/* One more word for kernels that ipykernel launches, or NULL. */
	const char *(*ipykernel_word)(void *arg);
	void *arg;
};

/* Strings and the specs' path must outlive it. */
int kernels_new(const struct kernels_opts *opts, struct kernels **ret, struct cyg_err *err);
/* Closes every socket; the kernels themselves go on, for the next agent. */
void kernels_close(struct kernels *ks);
const struct cyg_list *kernels_list(const struct kernels *ks); /* of struct kernel by kernel_of */
struct kernel *kernel_of(struct cyg_link *link);
/* By id, or NULL. */
struct kernel *kernels_find(const struct kernels *ks, struct cyg_str id);
/* Microseconds since 1970 of the latest message of any kernel; 0: none yet. */
int64_t kernels_last_activity(const struct kernels *ks);
/* WebSockets open now. */
size_t kernels_connections(const struct kernels *ks);

/* Comes exactly once, never from inside the call that asked for it. kernel is NULL on failure. */
typedef void (*kernel_done_fn)(void *arg, struct kernel *kernel, const struct cyg_err *err);

struct kernel_start {
	struct spec *spec;        /* taken */
	const char *cwd;          /* absolute */
	const char *session_name; /* JPY_SESSION_NAME: the notebook's absolute path, or NULL */
	const char *id;           /* kernels_id_is_ok, and no kernel has it; or NULL: a new one */
};

/* True for a UUID's form: ids are parts of file names. */
bool kernels_id_is_ok(struct cyg_str id);

/* done comes when the process runs (it may not reply yet). */
void kernels_start(
    struct kernels *ks, const struct kernel_start *start, kernel_done_fn done, void *arg);
/* done comes when the new process has replied; -CYG_ETIMEOUT after a minute. */
int kernel_restart(struct kernel *k, kernel_done_fn done, void *arg, struct cyg_err *err);
/* done comes with a NULL kernel when the process has gone; done may be NULL. */
void kernel_shutdown(struct kernel *k, kernel_done_fn done, void *arg);
/* For a stop of the server: ends all as kernel_shutdown does. kernels_list becomes empty. */
void kernels_shutdown(struct kernels *ks);
int kernel_interrupt(struct kernel *k, struct cyg_err *err);
/* The caller is being freed: no done with this arg comes any more. */
void kernels_forget(struct kernels *ks, const void *arg);

const char *kernel_id(const struct kernel *k);
const char *kernel_name(const struct kernel *k);
/* Whether it runs a cell now, as far as it said. */
bool kernel_is_busy(const struct kernel *k);
/* {"id","name","last_activity","execution_state","connections"} and "reason" when there is one. */
void kernel_write(const struct kernel *k, struct jsonw *w);
/* {"id","name","cwd","session_name"}: what a later agent needs. */
void kernel_write_record(const struct kernel *k, struct jsonw *w);

/* ---- a WebSocket ---- */
/* Takes fd. A client that comes back with its session_id gets what it missed. */
int kernel_attach(struct kernel *k, struct cyg_str session_id, enum kmsg_framing framing, int fd,
    struct cyg_str early, struct cyg_err *err);

/* ---- after a restart of the agent, in this order ---- */
/* A kernel that an earlier agent's record names; session_name may be NULL. */
void kernels_expect(struct kernels *ks, const char *id, const char *name, const char *cwd,
    const char *session_name);
/* A child with tag "kernel:ID" runs: attach to it by its connection file. */
void kernels_on_child(struct kernels *ks, const struct init_child *child);
void kernels_on_exited(struct kernels *ks, const struct init_exited *exited);
/* Kernels that were expected and are not there have died. */
void kernels_settle(struct kernels *ks);

#endif
