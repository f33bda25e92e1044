/* The kernel's struct and what its files share: kernels.c (the list), start.c (processes), bridge.c
 * (messages), tab.c (clients). No other file includes this. */
#ifndef KERNEL_KERNEL_PRIV_H
#define KERNEL_KERNEL_PRIV_H

#include "kernels/base/env.h"
#include "kernels/base/outq.h"
#include "kernels/base/ws.h"
#include "kernels/kernel/connfile.h"
#include "kernels/kernel/kernels.h"
#include "kernels/kernel/zsock.h"

enum kernel_state {
	KERNEL_EXPECTED,   /* named by an earlier agent; not seen yet */
	KERNEL_LAUNCHING,  /* init was asked to start it */
	KERNEL_STARTING,   /* the process runs and has not replied */
	KERNEL_READY,      /* it has replied, and its broadcasts reach us */
	KERNEL_RESTARTING, /* the old process is being ended, a new one will follow */
	KERNEL_STOPPING,   /* it is being ended for good */
	KERNEL_DEAD,       /* it ended by itself too often */
	KERNEL_STATES,
};

enum kernel_wait { KERNEL_WAIT_STARTED, KERNEL_WAIT_READY, KERNEL_WAIT_GONE };

struct kernel_waiter {
	struct cyg_link link;
	enum kernel_wait what;
	kernel_done_fn done; /* NULL: forgotten */
	void *arg;
};

enum {
	KERNEL_EXEC_MAX = 16,
	KERNEL_SESSION_MAX = 80,
	KERNEL_HEADER_MAX = 2048,
	KERNEL_RUNNING_MAX = 256,     /* cells of a notebook that were sent together */
	KERNEL_RESTARTS_MAX = 5,      /* as jupyter_client's restarter */
	KERNEL_STABLE_MS = 10 * 1000, /* after that long its restarts are counted anew */
	KERNEL_TERM_MS = 2500,        /* after the shutdown request */
	KERNEL_KILL_MS = 5000,
	KERNEL_READY_MS = 60 * 1000,        /* stock waits as long for a restart */
	KERNEL_NUDGE_MS = 300,              /* between requests until broadcasts reach us */
	KERNEL_HELD_MAX = 64 * 1024 * 1024, /* sent by clients before it is ready */
	/* Clients that have disconnected and may come back. The first number keeps a queue (mostly
	 * on disk, one descriptor each); the second keeps only a count of missed messages, which
	 * the client is told (some hundred bytes each). */
	KERNEL_PARKED_MAX = 32,
	KERNEL_PLACES_MAX = 1024,
	KERNEL_MESSAGE_MAX = 64 * 1024 * 1024, /* from a browser; the proxy bounds nothing here */
};

struct kernels {
	struct kernels_opts opts;
	struct zsock_pool *pool;
	struct cyg_list list;
	struct cyg_list leaving;      /* clients that still read when their kernel is gone */
	char session[KERNEL_ID_SIZE]; /* of our own messages */
	char *connection_dir, *journal_dir, *log_dir;
	int64_t last_activity_us;
};

struct kernel {
	struct cyg_link link;
	struct kernels *owner;
	char id[KERNEL_ID_SIZE];
	char *name, *cwd, *session_name, *conn_path;
	struct spec *spec;     /* NULL until it has been found */
	struct launch *launch; /* the search for it and its program, or NULL */
	struct connfile conn;
	struct wire_signer *signer;
	struct zsock *sock[WIRE_CHANNELS];
	enum kernel_state state;
	int pid; /* 0: none */
	int restarts;
	bool adopted; /* an earlier agent started it: replies may be for clients of that one */
	uint64_t launched_ms, asked_ms; /* asked: to end, or to answer */
	uv_timer_t timer;
	bool heard_iopub, answered;       /* since the launch */
	bool shell_answered;              /* to a question of ours, since the launch */
	bool exec_known;                  /* exec is from a status that counts, since the launch */
	char exec[KERNEL_EXEC_MAX];       /* execution_state of the latest status that counts */
	char session[KERNEL_SESSION_MAX]; /* the kernel's own */
	char *reason;                     /* why it died, for users */
	int64_t last_activity_us;
	struct cyg_list tabs, waiters;
	struct cyg_list running; /* bridge.c: headers of execute requests without a reply */
	struct cyg_list held;
	size_t held_bytes;
};

/* ---- launch.c ---- */
/* What a process is started with. The specification and its program are found in the thread pool,
 * for homes and software trees may hang, and other kernels' traffic must not. */
struct launch {
	uv_work_t work;
	struct kernel *kernel; /* NULL: gone meanwhile */
	bool wanted; /* kernel_on_found follows; else the specification is kept, no more */
	const struct specs_path *specs;
	char *name;
	struct spec *spec; /* NULL after the search: err says why */
	struct cyg_err err;
	char *program;
	char *argv[SPEC_WORDS_MAX + 2]; /* and one word of ours */
	struct env env;
};
/* Begins the search, or has one that is under way end in kernel_on_found. */
void launch_find(struct kernel *k, bool wanted);
/* The kernel is being freed: the search's result is dropped. */
void launch_forget(struct kernel *k);
/* Fills in the arguments and the rest of the environment, once the connection file is chosen. */
void launch_fill(struct launch *l, const struct kernel *k);

/* ---- start.c ---- */
/* Starts the kernel's process: finds its specification and makes its connection file when there is
 * none yet. A failure is reported later, to the waiters. */
void kernel_launch(struct kernel *k);
/* The search of launch_find has ended. */
void kernel_on_found(struct kernel *k, struct launch *l);
int kernel_open_sockets(struct kernel *k, struct cyg_err *err);
void kernel_close_sockets(struct kernel *k);
/* The only function that changes the state; checks the table and logs. */
void kernel_move(struct kernel *k, enum kernel_state to, const char *why);
void kernel_check_ready(struct kernel *k);
void kernel_on_exited(struct kernel *k, const struct init_exited *exited);
/* It has ended by itself, for a reason (taken). */
void kernel_on_death(struct kernel *k, char *reason);
/* The process runs but has not replied to this agent: sends requests until it does, up to a limit.
 */
void kernel_begin_asking(struct kernel *k);
void kernel_wake(struct kernel *k, enum kernel_wait what, const struct cyg_err *err);

/* ---- kernels.c ---- */
/* Takes it off the list, ends its clients, frees it after this turn. */
void kernel_remove(struct kernel *k);

/* ---- bridge.c ---- */
extern const struct zsock_events bridge_events[WIRE_CHANNELS];
/* Sends a request of our own to the kernel. */
void bridge_ask(struct kernel *k, enum wire_channel channel, const char *type, const char *content);
/* From a client; waits in k->held until the kernel is ready. */
void bridge_send(struct kernel *k, const struct wire_msg *msg);
void bridge_send_held(struct kernel *k);
void bridge_drop_held(struct kernel *k);
/* Header of the request that the kernel is executing, or NULL. */
const char *bridge_running(const struct kernel *k);
/* Makes a message that looks as if the kernel had broadcast it: sends it to all clients, or returns
 * it (NULL when memory is out). */
void bridge_forge(struct kernel *k, const char *type, const char *parent, const char *content);
struct kmsg *bridge_make(
    struct kernel *k, const char *type, const char *parent, const char *content);
/* Forgets the requests that the kernel was executing, and their input requests. */
void bridge_drop_running(struct kernel *k);

/* ---- tab.c ---- */
struct tab;
void tabs_put(struct kernel *k, struct kmsg *m);
/* Queues a message for every client of the kernel, or for the client of a session (which gets a
 * queue when it is not connected). tabs_flush writes the queues to the sockets. */
void tabs_broadcast(struct kernel *k, const struct wire_msg *msg);
void tabs_send(struct kernel *k, struct cyg_str session, const struct wire_msg *msg);
void tabs_flush(struct kernel *k);
/* Forgets input requests whose reply the kernel no longer waits for. */
void tabs_drop_questions(struct kernel *k);
/* Ends all clients once their queues are written; code 0 disconnects them at once, so that they
 * reconnect. */
void tabs_end(struct kernel *k, int code);
size_t tabs_connected(const struct kernel *k);

#endif
