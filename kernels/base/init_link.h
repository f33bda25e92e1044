/* The agent's side of the link to init (cygnet/init_msg.h): starts, lists, signals and resizes
 * init's children, and reports their ends. */
#ifndef KBASE_INIT_LINK_H
#define KBASE_INIT_LINK_H

#include "cygnet/err.h"
#include "cygnet/init_msg.h"
#include "kernels/base/hello.h"

#include <stdbool.h>
#include <uv.h>

struct init_link;

struct init_link_events {
	/* HELLO has come: the environment is known. First of all. */
	void (*on_hello)(void *arg);
	/* A child that an earlier agent started; pty_fd is its terminal's master (to be closed by
	 * the callee) or -1. All of them come before on_ready. */
	void (*on_child)(void *arg, const struct init_child *child, int pty_fd);
	/* A child has ended; may be one that this agent does not know. */
	void (*on_exited)(void *arg, const struct init_exited *exited);
	/* The environment and the list of children are known: the agent can serve. */
	void (*on_ready)(void *arg);
	/* init is gone or broke the protocol: the agent ends. Comes once, nothing after it. */
	void (*on_end)(void *arg, const struct cyg_err *why);
};

/* Takes fd. Asks for HELLO and LIST by itself. */
int init_link_new(uv_loop_t *loop, int fd, const struct init_link_events *events, void *arg,
    struct init_link **ret, struct cyg_err *err);
/* NULL is accepted. Callbacks of pending starts do not come any more. */
void init_link_close(struct init_link *l);
/* The setup environment: what kernels and terminals get. Valid from on_hello on. */
const struct hello_env *init_link_env(const struct init_link *l);

struct init_start_spec {
	const char *const *argv; /* ended by NULL */
	const char *const *env;  /* "NAME=value", ended by NULL */
	const char *tag, *cwd;
	const char *log; /* file for the output, or "" */
	bool pty;
	unsigned rows, cols;
};

/* child is NULL when it could not be started: err says why. pty_fd belongs to the callee. Comes
 * once, never from inside init_link_start. */
typedef void (*init_started_fn)(
    void *arg, const struct init_child *child, int pty_fd, const struct cyg_err *err);

int init_link_start(struct init_link *l, const struct init_start_spec *spec, init_started_fn done,
    void *arg, struct cyg_err *err);
/* Forgets a pending start: done will not be called (the child will still run). */
void init_link_forget(struct init_link *l, const void *arg);
/* group: the child's whole process group. */
int init_link_signal(struct init_link *l, int pid, int signal, bool group, struct cyg_err *err);
int init_link_resize(
    struct init_link *l, int pid, unsigned rows, unsigned cols, struct cyg_err *err);

#endif
