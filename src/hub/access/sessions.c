/* Sessions in memory, each with a row in the store, so that they survive a restart. */
#include "hub/access/sessions.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "hub/access/credentials.h"
#include "store/undo.h"

struct sessions {
	struct cyg_hash *by_sum;
};

/* Removes it from both indexes; it is freed at the end of the turn. */
static void drop(struct access *access, struct session *s)
{
	credential_session(access, s, false);
	store_hash_remove(access->opts.store, access->sessions->by_sum, cyg_str_of(s->sum), free);
	store_list_remove(access->opts.store, &s->person->sessions, &s->link);
}

static void on_row(void *arg, const void *found)
{
	const struct store_session *row = found;
	struct access *access = arg;
	struct person *person = people_find(access, cyg_str_of(row->user));

	if (person == NULL || row->expires_us <= cyg_clock_wall_us())
		return;
	struct session *s = cyg_xcalloc(1, sizeof(*s));
	(void)cyg_str_copy(s->sum, sizeof(s->sum), cyg_str_of(row->sha256));
	(void)cyg_str_copy(s->provider, sizeof(s->provider), cyg_str_of(row->provider));
	s->person = person;
	s->created_us = row->created_us;
	s->expires_us = row->expires_us;
	(void)cyg_hash_set(access->sessions->by_sum, cyg_str_of(s->sum), s);
	cyg_list_add(&s->person->sessions, &s->link);
}

int sessions_load(struct access *access, struct cyg_err *err)
{
	access->sessions = cyg_xcalloc(1, sizeof(*access->sessions));
	access->sessions->by_sum = cyg_hash_new();
	store_sessions_expire(access->opts.store, cyg_clock_wall_us());
	return store_read(access->opts.store, &store_sessions, on_row, access, err);
}

void sessions_free(struct sessions *sessions)
{
	if (sessions == NULL)
		return;
	cyg_hash_free(sessions->by_sum, free);
	free(sessions);
}

struct session *sessions_find(const struct access *access, struct cyg_str cookie, int64_t now_us)
{
	char sum[SECRET_SUM_SIZE];

	if (!secret_is_formed(cookie))
		return NULL;
	secret_sum(cookie, sum);
	struct session *s = cyg_hash_find(access->sessions->by_sum, cyg_str_of(sum));
	return s != NULL && s->expires_us > now_us ? s : NULL;
}

/* Rows are read in no order of time, so the first of the list need not be the oldest. */
static void make_room(struct access *access, const struct person *person)
{
	struct session *oldest = NULL;

	if (person->sessions.n < SESSIONS_OF_PERSON)
		return;
	cyg_list_each (it, &person->sessions) {
		struct session *s = CYG_CONTAINER_OF(it, struct session, link);
		if (oldest == NULL || s->created_us < oldest->created_us)
			oldest = s;
	}
	if (oldest != NULL)
		sessions_end(access, oldest);
}

struct session *sessions_make(struct access *access, struct person *person, const char *provider,
    char cookie[CYG_CREDENTIAL_LEN + 1])
{
	struct session *s = cyg_xcalloc(1, sizeof(*s));

	make_room(access, person);
	secret_new(cookie);
	secret_sum(cyg_str_of(cookie), s->sum);
	(void)cyg_str_copy(s->provider, sizeof(s->provider), cyg_str_of(provider));
	s->person = person;
	s->created_us = cyg_clock_wall_us();
	s->expires_us = s->created_us + (int64_t)access->opts.session_ms * 1000;
	store_hash_set(access->opts.store, access->sessions->by_sum, cyg_str_of(s->sum), s, free);
	store_list_add(access->opts.store, &person->sessions, &s->link);
	const struct store_session row = {
		.sha256 = s->sum,
		.user = person->name,
		.provider = s->provider,
		.created_us = s->created_us,
		.expires_us = s->expires_us,
	};
	(void)store_add(access->opts.store, &store_sessions, &row);
	credential_session(access, s, true);
	return s;
}

void sessions_end(struct access *access, struct session *session)
{
	store_remove(
	    access->opts.store, &store_sessions, &(struct store_session){ .sha256 = session->sum });
	drop(access, session);
}

struct sweep {
	struct access *access;
	int64_t now_us;
};

static bool goes(void *arg, struct cyg_str key, void *value)
{
	const struct sweep *sweep = arg;
	struct session *s = value;

	if (s->expires_us > sweep->now_us)
		return false;
	store_remove(sweep->access->opts.store, &store_sessions,
	    &(struct store_session){ .sha256 = s->sum });
	credential_session(sweep->access, s, false);
	store_hash_removed(
	    sweep->access->opts.store, sweep->access->sessions->by_sum, key, s, free);
	store_list_remove(sweep->access->opts.store, &s->person->sessions, &s->link);
	return true;
}

bool sessions_expire(struct access *access, int64_t now_us)
{
	struct sweep sweep = { access, now_us };

	return cyg_hash_sweep(access->sessions->by_sum, goes, &sweep) > 0;
}

void sessions_forget(struct access *access, struct person *person)
{
	cyg_list_each_safe (it, &person->sessions)
		drop(access, CYG_CONTAINER_OF(it, struct session, link));
}

bool sessions_next(const struct access *access, size_t *pos, const struct session **ret)
{
	struct cyg_str key;
	void *value;

	if (!cyg_hash_next(access->sessions->by_sum, pos, &key, &value))
		return false;
	*ret = value;
	return true;
}
