/* The loop of a daemon, its signals and its parent's pipe; objects released after the current turn.
 */
#include "daemon/loop.h"

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/notify.h"

#include <signal.h>
#include <stdbool.h>

struct later {
	struct later *next;
	void *p;
	void (*free_fn)(void *p);
};

/* Kept in loop->data: ev_free_later finds it from the bare uv_loop_t. */
struct graveyard {
	uv_check_t check; /* runs after I/O of each turn */
	uv_idle_t idle;   /* keeps the loop from sleeping while something waits */
	struct later *first;
	bool owned; /* made by ev_free_later for a loop without a struct cyg_loop */
};

struct cyg_loop {
	uv_loop_t uv;
	struct graveyard yard;
	uv_signal_t term, intr;
	uv_poll_t parent;
	bool has_parent;
	int parent_fd;
	cyg_loop_end_fn on_end;
	void *arg;
	bool ended;
	uv_prepare_t turn;
	void (*on_turn)(void *arg, uint64_t busy_ns); /* NULL: not watched */
	void *turn_arg;
	uint64_t turn_at_ns, idle_ns;
	uv_timer_t watchdog;
	bool has_watchdog;
};

static void yard_empty(struct graveyard *y)
{
	while (y->first != NULL) {
		struct later *l = y->first;

		y->first = l->next;
		l->free_fn(l->p);
		free(l);
	}
}

static void on_idle(uv_idle_t *idle)
{
	(void)idle; /* a handle that only has to be active */
}

static void on_check(uv_check_t *check)
{
	struct graveyard *y = check->data;

	yard_empty(y);
	(void)uv_idle_stop(&y->idle);
	(void)uv_check_stop(&y->check);
}

static void yard_init(struct graveyard *y, uv_loop_t *loop)
{
	(void)uv_check_init(loop, &y->check);
	(void)uv_idle_init(loop, &y->idle);
	y->check.data = y;
	uv_unref((uv_handle_t *)&y->check);
	loop->data = y;
}

static void on_owned_closed(uv_handle_t *h)
{
	struct graveyard *y = h->data;

	if (h == (uv_handle_t *)&y->check) {
		uv_close((uv_handle_t *)&y->idle, on_owned_closed);
		return;
	}
	free(y);
}

/* A loop of a test or a tool has no owner to close this handle: it closes itself when its work is
 * done. */
static void on_owned_check(uv_check_t *check)
{
	struct graveyard *y = check->data;

	check->loop->data = NULL;
	yard_empty(y);
	y->idle.data = y;
	(void)uv_idle_stop(&y->idle);
	(void)uv_check_stop(&y->check);
	uv_close((uv_handle_t *)&y->check, on_owned_closed);
}

void ev_free_later(uv_loop_t *loop, void *p, void (*free_fn)(void *p))
{
	struct graveyard *y = loop->data;
	struct later *l = cyg_xcalloc(1, sizeof(*l));

	if (y == NULL) {
		y = cyg_xcalloc(1, sizeof(*y));
		yard_init(y, loop);
		y->owned = true;
	}
	*l = (struct later){ y->first, p, free_fn };
	y->first = l;
	(void)uv_idle_start(&y->idle, on_idle);
	(void)uv_check_start(&y->check, y->owned ? on_owned_check : on_check);
}

static void end(struct cyg_loop *l, const char *why)
{
	if (l->ended)
		return;
	l->ended = true;
	cyg_notify("STOPPING=1");
	if (l->has_parent)
		(void)uv_poll_stop(&l->parent);
	l->on_end(l->arg, why);
}

static void on_signal(uv_signal_t *sig, int signum)
{
	end(sig->data, signum == SIGINT ? "interrupted" : "asked to end");
}

static void on_parent(uv_poll_t *poll, int status, int events)
{
	struct cyg_loop *l = poll->data;
	char byte;

	(void)events;
	if (status == 0 && read(l->parent_fd, &byte, 1) > 0)
		return; /* nobody writes to it; ignore the bytes */
	end(l, "the program that started it is gone");
}

static int start_handles(struct cyg_loop *l, struct cyg_err *err)
{
	int rc = 0;

	if (uv_signal_init(&l->uv, &l->term) < 0 || uv_signal_init(&l->uv, &l->intr) < 0)
		return cyg_fail(err, CYG_ESYS, "cannot watch signals");
	l->term.data = l->intr.data = l;
	uv_unref((uv_handle_t *)&l->term);
	uv_unref((uv_handle_t *)&l->intr);
	if (uv_signal_start(&l->term, on_signal, SIGTERM) < 0 ||
	    uv_signal_start(&l->intr, on_signal, SIGINT) < 0)
		return cyg_fail(err, CYG_ESYS, "cannot watch signals");
	if (l->parent_fd < 0)
		return 0;
	rc = uv_poll_init(&l->uv, &l->parent, l->parent_fd);
	if (rc < 0)
		return cyg_fail(
		    err, CYG_ESYS, "cannot watch the parent's pipe: %s", uv_strerror(rc));
	l->has_parent = true;
	l->parent.data = l;
	uv_unref((uv_handle_t *)&l->parent);
	(void)uv_poll_start(&l->parent, UV_READABLE | UV_DISCONNECT, on_parent);
	return 0;
}

int cyg_loop_new(
    cyg_loop_end_fn on_end, void *arg, int parent_fd, struct cyg_loop **ret, struct cyg_err *err)
{
	struct cyg_loop *l = cyg_xcalloc(1, sizeof(*l));
	int rc = uv_loop_init(&l->uv);

	if (rc < 0) {
		free(l);
		return cyg_fail(err, CYG_ESYS, "cannot make an event loop: %s", uv_strerror(rc));
	}
	(void)signal(SIGPIPE, SIG_IGN);
	l->on_end = on_end;
	l->arg = arg;
	l->parent_fd = parent_fd;
	yard_init(&l->yard, &l->uv);
	rc = start_handles(l, err);
	if (rc < 0) {
		cyg_loop_free(l);
		return rc;
	}
	*ret = l;
	return 0;
}

uv_loop_t *cyg_loop_uv(struct cyg_loop *l)
{
	return &l->uv;
}

static void on_watchdog(uv_timer_t *timer)
{
	(void)timer;
	cyg_notify("WATCHDOG=1");
}

void cyg_loop_ready(struct cyg_loop *l)
{
	const uint64_t every_ms = cyg_notify_watchdog_ms();

	cyg_notify("READY=1");
	if (every_ms == 0 || uv_timer_init(&l->uv, &l->watchdog) < 0)
		return;
	l->has_watchdog = true;
	uv_unref((uv_handle_t *)&l->watchdog);
	(void)uv_timer_start(&l->watchdog, on_watchdog, every_ms, every_ms);
}

/* Before each sleep: what has passed since the last one, without that sleep. */
static void on_turn_end(uv_prepare_t *prepare)
{
	struct cyg_loop *l = prepare->data;
	const uint64_t now_ns = cyg_clock_mono_ns();
	const uint64_t idle_ns = uv_metrics_idle_time(&l->uv);
	const uint64_t passed_ns = now_ns - l->turn_at_ns;
	const uint64_t slept_ns = idle_ns - l->idle_ns;

	l->on_turn(l->turn_arg, passed_ns > slept_ns ? passed_ns - slept_ns : 0);
	l->turn_at_ns = now_ns;
	l->idle_ns = idle_ns;
}

void cyg_loop_watch_turns(
    struct cyg_loop *l, void (*on_turn)(void *arg, uint64_t busy_ns), void *arg)
{
	(void)uv_loop_configure(&l->uv, UV_METRICS_IDLE_TIME);
	(void)uv_prepare_init(&l->uv, &l->turn);
	l->turn.data = l;
	l->on_turn = on_turn;
	l->turn_arg = arg;
	l->turn_at_ns = cyg_clock_mono_ns();
	(void)uv_prepare_start(&l->turn, on_turn_end);
	uv_unref((uv_handle_t *)&l->turn);
}

void cyg_loop_run(struct cyg_loop *l)
{
	(void)uv_run(&l->uv, UV_RUN_DEFAULT);
}

void cyg_loop_stop(struct cyg_loop *l)
{
	uv_stop(&l->uv);
}

static void close_if_made(uv_handle_t *h, uv_handle_type type)
{
	if (h->type == type && uv_is_closing(h) == 0)
		uv_close(h, NULL);
}

void cyg_loop_free(struct cyg_loop *l)
{
	if (l == NULL)
		return;
	close_if_made((uv_handle_t *)&l->term, UV_SIGNAL);
	close_if_made((uv_handle_t *)&l->intr, UV_SIGNAL);
	if (l->has_parent)
		close_if_made((uv_handle_t *)&l->parent, UV_POLL);
	if (l->has_watchdog)
		close_if_made((uv_handle_t *)&l->watchdog, UV_TIMER);
	if (l->on_turn != NULL)
		close_if_made((uv_handle_t *)&l->turn, UV_PREPARE);
	/* Objects that are still closing may call ev_free_later once more. */
	do {
		(void)uv_run(&l->uv, UV_RUN_NOWAIT);
		yard_empty(&l->yard);
	} while (uv_loop_alive(&l->uv));
	close_if_made((uv_handle_t *)&l->yard.check, UV_CHECK);
	close_if_made((uv_handle_t *)&l->yard.idle, UV_IDLE);
	(void)uv_run(&l->uv, UV_RUN_DEFAULT);
	(void)uv_loop_close(&l->uv);
	free(l);
}
