/* The server records and srv_move, the one function that changes their state. start.c, stop.c and
 * reconcile.c use it. */
#include "hub/server/srv_priv.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/mem.h"
#include "cygnet/paths.h"
#include "daemon/log.h"
#include "http/client.h"
#include "http/url.h"
#include "hub/server/hand_over.h"
#include "hub/server/leave.h"
#include "hub/server/reconcile.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { STOP_REPEAT_MS = 10 * 1000, ACTIVE_RESOLUTION_US = 30 * 1000 * 1000 };

/* ---- timers: each state that waits for something has an end ---- */

static void on_timer(uv_timer_t *timer)
{
	struct srv *srv = timer->data;

	switch (srv->state) {
	case SRV_QUEUED:
		srv_start_fail(
		    srv, "start_failed", "No place became free in time. Please try again later.");
		break;
	case SRV_STARTING:
	case SRV_WAITING:
		srv_start_fail(srv, "start_failed",
		    "The server did not answer in the time that its profile allows.");
		break;
	case SRV_STOPPING:
		srv_send_stop(srv);
		break;
	case SRV_STOPPED:
	case SRV_RUNNING:
	case SRV_STATES:
		break;
	}
}

static uint64_t left_ms(uint64_t deadline_ms)
{
	uint64_t now_ms = cyg_clock_mono_ms();

	return deadline_ms > now_ms ? deadline_ms - now_ms : 0;
}

void srv_start_timer(struct srv *srv)
{
	uint64_t after_ms = 0, again_ms = 0;

	(void)uv_timer_stop(&srv->timer);
	switch (srv->state) {
	case SRV_QUEUED:
		after_ms = srv->srvs->opts.queue_timeout_ms;
		break;
	case SRV_STARTING:
	case SRV_WAITING:
		after_ms = left_ms(srv->start_deadline_ms);
		break;
	case SRV_STOPPING:
		after_ms = again_ms = srv->srvs->opts.stop_grace_ms + STOP_REPEAT_MS;
		break;
	case SRV_STOPPED:
	case SRV_RUNNING:
	case SRV_STATES:
		return;
	}
	(void)uv_timer_start(&srv->timer, on_timer, after_ms, again_ms);
}

/* ---- places: start-concurrency bounds the starts that do the site's own work ---- */

static bool is_starting(enum srv_state state)
{
	return state == SRV_STARTING || state == SRV_WAITING;
}

size_t srvs_places_taken(const struct srvs *srvs)
{
	return srvs->in[SRV_STARTING].n + srvs->in[SRV_WAITING].n - srvs->places_back;
}

static void note_place_back(struct srv *srv)
{
	srv->place_back = true;
	srv->srvs->places_back++;
}

static void forget_place(struct srv *srv)
{
	if (!srv->place_back)
		return;
	srv->place_back = false;
	srv->srvs->places_back--;
}

void srv_give_place_back(struct srv *srv)
{
	if (!is_starting(srv->state) || srv->place_back)
		return;
	note_place_back(srv);
	srvs_admit_later(srv->srvs);
}

/* ---- the one function that changes the state ---- */

static void on_saved(void *arg, bool failed)
{
	struct srv *srv = arg;

	srv->saving = false;
	srv->unsaved = failed;
}

void srv_save(struct srv *srv)
{
	json_t *options = choice_json(&srv->choice);
	cyg_autofree char *text = json_dumps(options, JSON_COMPACT);

	json_decref(options);
	const struct store_server row = {
		.user = srv->user,
		.server = srv->name,
		.id = srv->id,
		.state = srv_state_name(srv->state),
		.credential = srv->credential_sum,
		.options = text,
		.isolation = srv->isolation,
		.since_us = srv->since_us,
		.started_us = srv->started_us,
		.last_activity_us = srv->last_activity_us,
	};
	store_put(srv->srvs->opts.store, &store_servers, &row);
	if (srv->saving)
		return;
	srv->saving = true;
	store_undo(srv->srvs->opts.store, on_saved, srv);
}

static void publish(const struct srv_moved *m)
{
	const struct srvs_subscriber *list = m->srv->srvs->opts.subscribers;

	for (size_t i = 0; i < SRVS_SUBSCRIBERS_MAX && list[i].on_moved != NULL; i++)
		list[i].on_moved(list[i].arg, m);
}

void srv_move(struct srv *srv, enum srv_state to, const char *why)
{
	const enum srv_state from = srv->state;
	const struct srv_moved moved = { srv, srv->by, from, srv->since_us };

	assert(srv_may_move(from, to));
	cyg_list_remove(&srv->srvs->in[from], &srv->link);
	srv->state = to;
	srv->since_us = cyg_clock_wall_us();
	cyg_list_add(&srv->srvs->in[to], &srv->link);
	if (!is_starting(to))
		forget_place(srv);
	srv_start_timer(srv);
	srv_save(srv);
	cyg_log_info(srv->object, "%s: %s -> %s (%s)", srv->id, srv_state_name(from),
	    srv_state_name(to), why);
	publish(&moved);
	if (from == SRV_WAITING || from == SRV_STARTING || to == SRV_QUEUED)
		srvs_admit_later(srv->srvs);
}

/* ---- the records ---- */

static void key_of(struct cyg_str user, struct cyg_str name, struct cyg_buf *out)
{
	(void)cyg_buf_printf(out, NULL, "%.*s/%.*s", CYG_STR_ARGS(user), CYG_STR_ARGS(name));
}

char *srv_socket(const struct srv *srv)
{
	return srv->socket[0] != '\0'
		   ? cyg_xstrdup(srv->socket)
		   : cyg_xasprintf("%s/s/%s.sock", srv->srvs->opts.run_dir, srv->id);
}

int srv_set_address(struct srv *srv, const struct spawn_address *address, struct cyg_err *err)
{
	if (address->kind == SPAWN_ADDRESS_TCP)
		return cyg_fail(err, CYG_EINVAL,
		    "The server listens at %s, port %u, which this hub cannot reach yet.",
		    address->where, address->port);
	(void)cyg_str_copy(srv->socket, sizeof(srv->socket), cyg_str_of(address->where));
	return 0;
}

struct srv *srvs_find(const struct srvs *srvs, struct cyg_str user, struct cyg_str name)
{
	cyg_autobuf struct cyg_buf key;

	cyg_buf_init(&key, 4 * CYG_NAME_MAX);
	key_of(user, name, &key);
	return key.len == 0 ? NULL : cyg_hash_find(srvs->by_key, cyg_buf_str(&key));
}

struct srv *srvs_find_id(const struct srvs *srvs, const char *id)
{
	return cyg_hash_find(srvs->by_id, cyg_str_of(id));
}

static char *base_url_of(const char *user, const char *name)
{
	cyg_autobuf struct cyg_buf b;

	cyg_buf_init(&b, CYG_PATH_MAX - 1);
	(void)cyg_buf_add_str(&b, CYG_USER_PATH, NULL);
	(void)url_encode(&b, cyg_str_of(user), "@~", NULL);
	(void)cyg_buf_add_str(&b, "/", NULL);
	if (name[0] != '\0') {
		(void)url_encode(&b, cyg_str_of(name), "", NULL);
		(void)cyg_buf_add_str(&b, "/", NULL);
	}
	return cyg_buf_take(&b, NULL);
}

static struct srv *make(struct srvs *srvs, const char *user, const char *name)
{
	struct srv *srv = cyg_xcalloc(1, sizeof(*srv));
	cyg_autobuf struct cyg_buf key;

	srv->srvs = srvs;
	(void)cyg_str_copy(srv->user, sizeof(srv->user), cyg_str_of(user));
	(void)cyg_str_copy(srv->name, sizeof(srv->name), cyg_str_of(name));
	(void)snprintf(srv->object, sizeof(srv->object), "%s/%s", srv->user,
	    name[0] != '\0' ? srv->name : "default");
	srv->base_url = base_url_of(srv->user, srv->name);
	cyg_list_init(&srv->waiters);
	cyg_list_init(&srv->streams);
	(void)uv_timer_init(srvs->opts.uv, &srv->timer);
	srv->timer.data = srv;
	cyg_list_add(&srvs->in[SRV_STOPPED], &srv->link);
	cyg_buf_init(&key, 4 * CYG_NAME_MAX);
	key_of(cyg_str_of(srv->user), cyg_str_of(srv->name), &key);
	(void)cyg_hash_set(srvs->by_key, cyg_buf_str(&key), srv);
	srv->next_of_user = cyg_hash_set(srvs->by_user, cyg_str_of(srv->user), srv);
	return srv;
}

struct srv *srvs_first_of(const struct srvs *srvs, const char *user)
{
	return cyg_hash_find(srvs->by_user, cyg_str_of(user));
}

struct srv *srvs_get(struct srvs *srvs, const char *user, const char *name)
{
	struct srv *srv = srvs_find(srvs, cyg_str_of(user), cyg_str_of(name));

	return srv != NULL ? srv : make(srvs, user, name);
}

bool srvs_next(const struct srvs *srvs, size_t *pos, const struct srv **ret)
{
	struct cyg_str key;
	void *value;

	if (!cyg_hash_next(srvs->by_key, pos, &key, &value))
		return false;
	*ret = value;
	return true;
}

const struct cyg_list *srvs_in(const struct srvs *srvs, enum srv_state state)
{
	return &srvs->in[state];
}

void srvs_active(struct srvs *srvs, const char *id, int64_t at_us)
{
	struct srv *srv = srvs_find_id(srvs, id);

	if (srv == NULL || at_us <= srv->last_activity_us)
		return;
	struct person *person = people_find(srvs->opts.access, cyg_str_of(srv->user));
	if (person != NULL)
		people_active(srvs->opts.access, person, at_us);
	if (at_us < srv->last_activity_us + ACTIVE_RESOLUTION_US)
		return;
	srv->last_activity_us = at_us;
	const struct store_server row = {
		.user = srv->user, .server = srv->name, .last_activity_us = at_us
	};
	store_update(srvs->opts.store, &store_servers, &row, "last_activity");
}

bool srv_is_active(const struct srv *srv)
{
	return srv->state != SRV_STOPPED;
}

const struct profile *srv_profile(const struct srv *srv)
{
	return profiles_find(srv->srvs->opts.profiles, srv->choice.profile);
}

/* Called by start.c: a new life has a new id. */
void srv_set_id(struct srv *srv, const char *id)
{
	if (srv->id[0] != '\0')
		(void)cyg_hash_remove(srv->srvs->by_id, cyg_str_of(srv->id));
	(void)cyg_str_copy(srv->id, sizeof(srv->id), cyg_str_of(id));
	if (srv->id[0] != '\0')
		(void)cyg_hash_set(srv->srvs->by_id, cyg_str_of(srv->id), srv);
}

/* ---- start of the daemon: what the store knows ---- */

static void read_choice(struct srv *srv, const char *options)
{
	json_t *root = json_loads(options, 0, NULL);
	const char *field = NULL;

	/* The profile may have been removed from the configuration; the server goes on as it is. */
	if (choice_read(root, srv->srvs->opts.profiles, &srv->choice, &field, NULL) == 0)
		choice_line(&srv->choice, srv->srvs->opts.profiles, srv->line);
	else
		(void)cyg_str_copy(srv->line, sizeof(srv->line), CYG_STR("no longer offered"));
	json_decref(root);
}

/* Of the start's times only the first is in the store, by the wall clock. */
static void resume_start(struct srv *srv)
{
	const struct profile *f = srv_profile(srv);
	const uint64_t now_ms = cyg_clock_mono_ms();
	const int64_t age_us = cyg_clock_wall_us() - srv->started_us;
	const uint64_t age_ms = age_us > 0 ? (uint64_t)age_us / 1000 : 0;

	stages_plan(&srv->stages, &srv->choice, srv->srvs->opts.profiles);
	srv->found_again = is_starting(srv->state);
	srv->asked_ms = now_ms > age_ms ? now_ms - age_ms : 0;
	srv->spawn_ms = srv->reply_ms = now_ms;
	srv->start_deadline_ms = now_ms + (f != NULL ? f->start_timeout_ms : 60000);
}

/* The only other place that sets a state: the one in the store stays until a spawner's list shows
 * otherwise. */
static void on_row(void *arg, const void *found)
{
	const struct store_server *row = found;
	struct srvs *srvs = arg;
	struct srv *srv = make(srvs, row->user, row->server);
	enum srv_state state = SRV_STOPPED;

	(void)srv_state_of(cyg_str_of(row->state), &state);
	srv_set_id(srv, row->id);
	(void)cyg_str_copy(
	    srv->credential_sum, sizeof(srv->credential_sum), cyg_str_of(row->credential));
	(void)cyg_str_copy(srv->isolation, sizeof(srv->isolation), cyg_str_of(row->isolation));
	srv->since_us = row->since_us;
	srv->started_us = row->started_us;
	srv->last_activity_us = row->last_activity_us;
	read_choice(srv, row->options);
	cyg_list_remove(&srvs->in[SRV_STOPPED], &srv->link);
	srv->state = state;
	cyg_list_add(&srvs->in[state], &srv->link);
	if (state == SRV_STOPPED)
		return;
	if (is_starting(state))
		note_place_back(srv); /* its progress is not known, so it holds no place */
	resume_start(srv);
	srv->routed = state == SRV_RUNNING;
	srv->unrouted = true; /* for STOPPING: the table, made at the start, lacks the route */
	srv_start_timer(srv);
	cyg_log_info(srv->object, "%s: was %s", srv->id, srv_state_name(state));
}

int srvs_new(const struct srvs_opts *opts, struct srvs **ret, struct cyg_err *err)
{
	struct srvs *srvs = *ret = cyg_xcalloc(1, sizeof(*srvs));

	srvs->opts = *opts;
	srvs->by_key = cyg_hash_new();
	srvs->by_id = cyg_hash_new();
	srvs->by_user = cyg_hash_new();
	for (size_t i = 0; i < SRV_STATES; i++)
		cyg_list_init(&srvs->in[i]);
	cyg_list_init(&srvs->listings);
	cyg_list_init(&srvs->leaves);
	cyg_list_init(&srvs->hand_overs);
	return store_read(srvs->opts.store, &store_servers, on_row, srvs, err);
}

void srvs_use_spawners(struct srvs *srvs, struct spawners *spawners)
{
	srvs->spawners = spawners;
}

static void on_closed(uv_handle_t *h)
{
	struct srv *srv = h->data;

	cyg_cleanse(srv->credential, sizeof(srv->credential));
	free(srv->base_url);
	free(srv->tail);
	free(srv->failure);
	free(srv);
}

static void srv_close(void *value)
{
	struct srv *srv = value;

	http_call_cancel(srv->call);
	srv->call = NULL;
	store_forget(srv->srvs->opts.store, srv);
	srv_waiters_close(srv);
	srv_progress_close(srv);
	uv_close((uv_handle_t *)&srv->timer, on_closed);
}

void srvs_forget_user(struct srvs *srvs, const char *user)
{
	struct srv *srv = cyg_hash_remove(srvs->by_user, cyg_str_of(user)), *next;
	cyg_autobuf struct cyg_buf key;

	cyg_buf_init(&key, 4 * CYG_NAME_MAX);
	for (; srv != NULL; srv = next) {
		next = srv->next_of_user;
		assert(srv->state == SRV_STOPPED);
		cyg_buf_reset(&key);
		key_of(cyg_str_of(srv->user), cyg_str_of(srv->name), &key);
		(void)cyg_hash_remove(srvs->by_key, cyg_buf_str(&key));
		srv_set_id(srv, "");
		cyg_list_remove(&srvs->in[SRV_STOPPED], &srv->link);
		spawners_forget(srvs->spawners, srv);
		if (srv->push_ticket != 0)
			proxy_link_forget(srvs->opts.proxy, srv->push_ticket);
		/* It may have stopped in this very turn: nobody tells that after it. */
		srv_waiters_settle(srv);
		srv_progress_settle(srv);
		srv_close(srv);
	}
}

void srvs_close(struct srvs *srvs)
{
	if (srvs == NULL)
		return;
	leaves_close(srvs);
	hand_overs_close(srvs);
	reconcile_close(srvs);
	cyg_hash_free(srvs->by_id, NULL);
	cyg_hash_free(srvs->by_user, NULL);
	cyg_hash_free(srvs->by_key, srv_close);
	free(srvs);
}
