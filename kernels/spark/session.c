/* The states of a session. */
#include "kernels/spark/session.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "kernels/spark/jvm.h"
#include "kernels/spark/ports.h"
#include "kernels/spark/session_priv.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define TO(state) (1U << (state))

static const unsigned allowed[SESSION_STATES] = {
	[SESSION_ASKING] = TO(SESSION_CLUSTER) | TO(SESSION_FAILED) | TO(SESSION_ENDING),
	[SESSION_CLUSTER] = TO(SESSION_DRIVER) | TO(SESSION_FAILED) | TO(SESSION_ENDING),
	[SESSION_DRIVER] = TO(SESSION_READY) | TO(SESSION_FAILED) | TO(SESSION_ENDING),
	[SESSION_READY] = TO(SESSION_LOST) | TO(SESSION_ENDING),
	[SESSION_LOST] = TO(SESSION_ENDING),
	[SESSION_FAILED] = TO(SESSION_ENDING),
	[SESSION_ENDING] = TO(SESSION_GONE),
	[SESSION_GONE] = 0,
};

static const struct {
	const char *name;
	const char *text; /* for whoever waits */
} states[SESSION_STATES] = {
	[SESSION_ASKING] = { "asking", "Asking for the settings of this session" },
	[SESSION_CLUSTER] = { "cluster", "Starting the cluster" },
	[SESSION_DRIVER] = { "driver", "Starting the driver" },
	[SESSION_READY] = { "ready", NULL },
	[SESSION_LOST] = { "lost", NULL },
	[SESSION_FAILED] = { "failed", NULL },
	[SESSION_ENDING] = { "ending", NULL },
	[SESSION_GONE] = { "gone", NULL },
};

void session_move(struct session *s, enum session_state to, const char *why)
{
	if ((allowed[s->state] & TO(to)) == 0)
		abort(); /* our mistake */
	cyg_log_info("spark", "session %s: %s -> %s (%s)", s->id, states[s->state].name,
	    states[to].name, why);
	s->state = to;
	if (to == SESSION_READY)
		s->used_us = cyg_clock_wall_us();
	s->idle_ends_us = 0;
	session_keep(s);
	session_wake(s);
	sessions_changed(s->owner, s); /* the last: it may free it */
}

static void keep_cause(struct session *s, const char *cause)
{
	free(s->cause);
	s->cause = cyg_xstrdup(cause);
}

void session_fail(struct session *s, const char *cause)
{
	keep_cause(s, cause);
	session_kill(s);
	session_move(s, SESSION_FAILED, cause);
}

void session_lose(struct session *s, const char *cause)
{
	if (s->state != SESSION_READY) {
		if (session_is_usable(s))
			session_fail(s, cause);
		return;
	}
	keep_cause(s, cause);
	http_call_cancel(CYG_TAKE(s->call));
	session_kill(s);
	session_move(s, SESSION_LOST, cause);
}

void session_end(struct session *s)
{
	if (s->state == SESSION_ENDING || s->state == SESSION_GONE)
		return;
	http_call_cancel(CYG_TAKE(s->call));
	session_kill(s);
	session_move(s, SESSION_ENDING, "it was asked to");
	if (s->pid == 0 && !s->is_starting)
		session_move(s, SESSION_GONE, "nothing of it runs");
}

void session_on_cluster(struct session *s)
{
	if (cluster_state_of(s->cluster) == CLUSTER_FAILED) {
		if (s->state == SESSION_CLUSTER || s->state == SESSION_DRIVER ||
		    s->state == SESSION_READY)
			session_lose(s, cluster_why(s->cluster));
		return;
	}
	if (s->state == SESSION_CLUSTER && cluster_is_open(s->cluster))
		session_start_driver(s);
}

/* ---- children ---- */

bool session_on_child(struct session *s, const struct init_child *child)
{
	if (strcmp(child->tag, s->tag) != 0)
		return false;
	s->pid = child->pid;
	return true;
}

bool session_on_exited(struct session *s, const struct init_exited *exited)
{
	cyg_autofree char *how = NULL;
	cyg_autofree char *cause = NULL;

	if (strcmp(exited->tag, s->tag) != 0)
		return false;
	s->pid = 0;
	(void)uv_timer_stop(&s->timer);
	how = jvm_end_text("The driver", exited);
	cause = cyg_xasprintf("%s.", how);
	if (s->state == SESSION_READY) {
		session_lose(s, cause);
	} else if (s->state == SESSION_DRIVER) {
		session_fail_from_log(s, cause);
	} else if (s->state == SESSION_ENDING) {
		session_move(s, SESSION_GONE, how);
	}
	return true;
}

static void take_up(struct session *s)
{
	s->used_us = cyg_clock_wall_us();
	sessions_changed(s->owner, s);
}

/* What an earlier agent left unfinished is not taken up: who waited for it is gone. */
void session_settle(struct session *s)
{
	if (s->state == SESSION_READY && s->pid == 0)
		session_lose(
		    s, "The driver ended while the notebook server was being started again.");
	else if (s->state == SESSION_READY && cluster_state_of(s->cluster) == CLUSTER_ABSENT)
		session_lose(
		    s, "Its cluster ended while the notebook server was being started again.");
	else if (s->state == SESSION_READY)
		take_up(s);
	else if (s->state == SESSION_DRIVER && s->pid != 0)
		session_watch_driver(s);
	else if (s->state == SESSION_ASKING || s->state == SESSION_CLUSTER ||
		 s->state == SESSION_DRIVER)
		session_fail(s, "The notebook server was started again meanwhile.");
	else if (s->state == SESSION_ENDING && s->pid != 0)
		session_kill(s);
	else if (s->state == SESSION_ENDING)
		session_move(s, SESSION_GONE, "its driver has ended");
}

/* ---- life ---- */

static char *copy_json(struct cyg_str json)
{
	return json.p != NULL ? cyg_str_dup(json) : NULL;
}

/* Also for one of an earlier agent, which then gets its id and state from the record. */
static struct session *make(struct sessions *owner, const struct session_want *want)
{
	const struct sessions_opts *opts = sessions_opts_of(owner);
	struct session *s = cyg_xcalloc(1, sizeof(*s));

	s->owner = owner;
	s->kernel = cyg_xstrdup(want->kernel);
	s->cwd = cyg_xstrdup(want->cwd != NULL ? want->cwd : opts->home);
	s->cluster_id = cyg_xstrdup(want->cluster != NULL ? want->cluster : opts->cluster);
	s->flavour = copy_json(want->flavour);
	s->bundles = copy_json(want->bundles);
	s->options = copy_json(want->options);
	s->notebook = copy_json(want->notebook);
	s->user = copy_json(want->user);
	s->pythonpath = copy_json(want->pythonpath);
	s->since_us = cyg_clock_wall_us();
	s->since_ms = cyg_clock_mono_ms();
	cyg_random_uuid(s->uuid);
	fill_init(&s->fill);
	session_wait_init(s);
	(void)uv_timer_init(opts->loop, &s->timer);
	s->timer.data = s;
	return s;
}

struct session *session_make(
    struct sessions *owner, const struct session_want *want, const char *id)
{
	struct session *s = make(owner, want);

	(void)cyg_str_copy(s->id, sizeof(s->id), cyg_str_of(id));
	(void)snprintf(s->tag, sizeof(s->tag), "spark:driver:%s", s->id);
	return s;
}

struct session *session_new(struct sessions *owner, const struct session_want *want)
{
	char id[SESSION_ID_LEN + 1];

	cyg_random_hex(id, SESSION_ID_LEN / 2);
	return session_make(owner, want, id);
}

void session_begin(struct session *s)
{
	struct cyg_err err;

	sessions_changed(s->owner, s);
	if (session_ask(s, &err) < 0)
		session_fail(s, err.msg);
}

static void on_closed(uv_handle_t *h)
{
	struct session *s = h->data;
	char *const texts[] = { s->kernel, s->cwd, s->cluster_id, s->flavour, s->bundles,
		s->options, s->ignored, s->notebook, s->user, s->pythonpath, s->cause, s->hint,
		s->label, s->flavour_name };

	for (size_t i = 0; i < CYG_N(texts); i++)
		free(texts[i]);
	for (size_t i = 0; i < SESSION_NEWS_MAX; i++)
		free(s->news[i]);
	answer_free(s->answer);
	fill_free(&s->fill);
	free(s);
}

void session_close(struct session *s)
{
	http_call_cancel(CYG_TAKE(s->call));
	init_link_forget(sessions_opts_of(s->owner)->init, s);
	session_wait_close(s);
	(void)uv_timer_stop(&s->timer);
	uv_close((uv_handle_t *)&s->timer, on_closed);
}

/* ---- what it is ---- */

const char *session_id(const struct session *s)
{
	return s->id;
}

const char *session_kernel(const struct session *s)
{
	return s->kernel;
}

enum session_state session_state_of(const struct session *s)
{
	return s->state;
}

const char *session_state_name(const struct session *s)
{
	return states[s->state].name;
}

const char *session_text(const struct session *s)
{
	return states[s->state].text;
}

const char *session_cause(const struct session *s)
{
	return s->state == SESSION_LOST || s->state == SESSION_FAILED ? s->cause : NULL;
}

bool session_is_usable(const struct session *s)
{
	return s->state <= SESSION_READY;
}

unsigned session_ui_port(const struct session *s)
{
	return ports_of(&s->fill, "{port.ui}");
}

const char *session_ui_key(const struct session *s)
{
	return fill_get(&s->fill, "{secret.ui}");
}
