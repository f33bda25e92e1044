/* What every daemon does with its one libuv loop: start, signals, the parent's pipe, deferred
 * release. */
#ifndef DAEMON_LOOP_H
#define DAEMON_LOOP_H

#include "cygnet/err.h"

#include <stdint.h>
#include <uv.h>

/* Called once, on the loop, when the daemon shall end: SIGTERM, SIGINT, or end of file on the pipe
 * that `cygnetctl up` holds. why is a plain sentence for the log. */
typedef void (*cyg_loop_end_fn)(void *arg, const char *why);

struct cyg_loop;

/* A loop with signal handlers (SIGPIPE ignored). parent_fd: descriptor whose end of file means that
 * the parent is gone, or -1. */
int cyg_loop_new(
    cyg_loop_end_fn on_end, void *arg, int parent_fd, struct cyg_loop **ret, struct cyg_err *err);
uv_loop_t *cyg_loop_uv(struct cyg_loop *l);
/* Runs until nothing is active or cyg_loop_stop. */
void cyg_loop_run(struct cyg_loop *l);
void cyg_loop_stop(struct cyg_loop *l);
/* Tells the service manager that the daemon serves, and from then on, as often as it wants to hear
 * it, that the loop still turns (notify.h). Once, before cyg_loop_run. */
void cyg_loop_ready(struct cyg_loop *l);
/* After each turn, reports how long the loop was busy, from one sleep to the next. It costs one
 * more poll a turn (libuv looks once without waiting), so it is off until asked for. Once, before
 * cyg_loop_run. */
void cyg_loop_watch_turns(
    struct cyg_loop *l, void (*on_turn)(void *arg, uint64_t busy_ns), void *arg);
/* Closes its own handles, runs the loop until every handle is closed, frees. All other owners must
 * have closed theirs. */
void cyg_loop_free(struct cyg_loop *l);
/* Calls free_fn(p) after the current turn of the loop: for objects that end inside their own
 * callback. */
void ev_free_later(uv_loop_t *loop, void *p, void (*free_fn)(void *p));

#endif
