/* Terminals: shells on ptys. Any number of browsers can show one, by terminado's JSON protocol.
 * init keeps the ptys' masters, so a terminal survives its browsers and the agent. */
#ifndef TERMINAL_TERMINAL_H
#define TERMINAL_TERMINAL_H

#include "base/list.h"
#include "cygnet/err.h"
#include "cygnet/init_msg.h"
#include "http/server.h"
#include "kernels/base/jsonw.h"

#include <uv.h>

struct init_link;
struct terminal;
struct terminals;
struct env;

struct terminals_opts {
	uv_loop_t *loop;
	struct init_link *init;
	const char *run_dir;  /* runtime/ is below it */
	const char *root_dir; /* where shells start */
	/* Adds to the environment of every shell; may be NULL. */
	void (*extend_env)(void *arg, struct env *env);
	void *arg;
};

/* Strings must outlive it. */
struct terminals *terminals_new(const struct terminals_opts *opts);
/* The shells go on, for the next agent. */
void terminals_close(struct terminals *ts);
const struct cyg_list *terminals_list(const struct terminals *ts);
struct terminal *terminal_of(struct cyg_link *link);
struct terminal *terminals_find(const struct terminals *ts, struct cyg_str name);
size_t terminals_connections(const struct terminals *ts);
int64_t terminals_last_activity(const struct terminals *ts);

/* Comes exactly once, never from inside the call. terminal is NULL on failure, and when one was to
 * end. */
typedef void (*terminal_done_fn)(void *arg, struct terminal *terminal, const struct cyg_err *err);
struct terminal_start {
	const char *name;  /* NULL: a number */
	const char *cwd;   /* absolute; NULL: the root */
	const char *shell; /* absolute, a program that is there */
};
/* -CYG_EEXIST when a terminal has that name. */
int terminals_start(struct terminals *ts, const struct terminal_start *start, terminal_done_fn done,
    void *arg, struct cyg_err *err);
void terminal_end(struct terminal *t, terminal_done_fn done, void *arg);
/* For a stop of the server: ends all as terminal_end does. terminals_list becomes empty. */
void terminals_end(struct terminals *ts);
void terminals_forget(struct terminals *ts, const void *arg);
/* {"name","last_activity"} */
void terminal_write(const struct terminal *t, struct jsonw *w);
/* Takes fd: a browser has opened its WebSocket. */
int terminal_attach(struct terminal *t, int fd, struct cyg_str early, struct cyg_err *err);

/* A child with tag "term:NAME", and its pty (taken). */
void terminals_on_child(struct terminals *ts, const struct init_child *child, int pty_fd);
void terminals_on_exited(struct terminals *ts, const struct init_exited *exited);

/* Mounted with a struct terminals. */
extern const struct http_endpoint terminals_endpoints[];

#endif
