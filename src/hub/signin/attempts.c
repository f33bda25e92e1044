/* Attempts in memory by the beginning of their state's sum, each with a row in the store. Before
 * it: signin_oidc.c begins them; after it: oidc_login.c goes on with one. */
#include "hub/signin/attempts.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/mem.h"
#include "http/cookie.h"
#include "store/undo.h"

#include <stdio.h>
#include <string.h>

enum { SWEEP_US = 10 * 1000 * 1000 };

struct pending {
	char state_sum[SECRET_SUM_SIZE];
	char cookie_sum[SECRET_SUM_SIZE];
	char provider[CYG_NAME_MAX];
	char *next;
	int64_t expires_us;
};

struct attempts {
	struct store *store;
	struct cyg_hash *by_id;
	int64_t swept_us;
};

static struct cyg_str id_of(const char *state_sum)
{
	return (struct cyg_str){ state_sum, ATTEMPT_ID_LEN };
}

static void pending_free(void *p)
{
	struct pending *pending = p;

	free(pending->next);
	free(pending);
}

static struct pending *pending_new(const struct store_attempt *row)
{
	struct pending *p = cyg_xcalloc(1, sizeof(*p));

	(void)cyg_str_copy(p->state_sum, sizeof(p->state_sum), cyg_str_of(row->state));
	(void)cyg_str_copy(p->cookie_sum, sizeof(p->cookie_sum), cyg_str_of(row->cookie));
	(void)cyg_str_copy(p->provider, sizeof(p->provider), cyg_str_of(row->provider));
	p->next = cyg_xstrdup(row->next);
	p->expires_us = row->expires_us;
	return p;
}

static void on_row(void *arg, const void *found)
{
	const struct store_attempt *row = found;
	struct attempts *attempts = arg;

	if (strlen(row->state) != SECRET_SUM_SIZE - 1 || row->expires_us <= cyg_clock_wall_us())
		return;
	struct pending *p = pending_new(row);
	p = cyg_hash_set(attempts->by_id, id_of(p->state_sum), p);
	if (p != NULL)
		pending_free(p);
}

int attempts_load(struct store *store, struct attempts **ret, struct cyg_err *err)
{
	struct attempts *attempts = cyg_xcalloc(1, sizeof(*attempts));

	attempts->store = store;
	attempts->by_id = cyg_hash_new();
	store_attempts_expire(store, cyg_clock_wall_us());
	if (store_read(store, &store_attempts, on_row, attempts, err) < 0) {
		attempts_free(attempts);
		return -(int)err->code;
	}
	*ret = attempts;
	return 0;
}

void attempts_free(struct attempts *attempts)
{
	if (attempts == NULL)
		return;
	cyg_hash_free(attempts->by_id, pending_free);
	free(attempts);
}

static void remove_row(struct attempts *all, const struct pending *p)
{
	store_remove(all->store, &store_attempts, &(struct store_attempt){ .state = p->state_sum });
}

static void end(struct attempts *all, struct pending *p)
{
	remove_row(all, p);
	store_hash_remove(all->store, all->by_id, id_of(p->state_sum), pending_free);
}

static bool is_over(void *arg, struct cyg_str key, void *value)
{
	struct attempts *all = arg;
	struct pending *p = value;

	if (p->expires_us > all->swept_us)
		return false;
	remove_row(all, p);
	store_hash_removed(all->store, all->by_id, key, p, pending_free);
	return true;
}

static void sweep(struct attempts *all, int64_t now_us)
{
	if (now_us < all->swept_us + SWEEP_US)
		return;
	all->swept_us = now_us;
	(void)cyg_hash_sweep(all->by_id, is_over, all);
}

/* Nonce and verifier are sums of the cookie's secret and a label; the labels make them different.
 */
static void derive(const char *label, const char *secret, char out[OIDC_RANDOM_HEX])
{
	cyg_autobuf struct cyg_buf b;

	cyg_buf_init(&b, 256);
	(void)cyg_buf_printf(&b, NULL, "%s %s", label, secret);
	secret_sum(cyg_buf_str(&b), out);
	cyg_cleanse(b.data, b.len);
}

static void write_name(const char *state_sum, char name[ATTEMPT_COOKIE_SIZE])
{
	(void)snprintf(name, ATTEMPT_COOKIE_SIZE, ATTEMPT_COOKIE "%.*s", ATTEMPT_ID_LEN, state_sum);
}

int attempts_begin(struct attempts *all, const char *provider, const char *next,
    struct oidc_attempt *a, struct attempt_cookie *cookie, struct cyg_err *err)
{
	char state_sum[SECRET_SUM_SIZE], cookie_sum[SECRET_SUM_SIZE];
	int64_t now_us = cyg_clock_wall_us();

	sweep(all, now_us);
	if (cyg_hash_count(all->by_id) >= ATTEMPTS_MAX)
		return cyg_fail(err, CYG_EBUSY, "too many users are signing in at this moment");
	oidc_attempt_init(a);
	secret_new(cookie->value);
	derive("nonce", cookie->value, a->nonce);
	derive("verifier", cookie->value, a->verifier);
	secret_sum(cyg_str_of(a->state), state_sum);
	secret_sum(cyg_str_of(cookie->value), cookie_sum);
	write_name(state_sum, cookie->name);
	struct store_attempt row = {
		.state = state_sum,
		.cookie = cookie_sum,
		.provider = provider,
		.next = next,
		.expires_us = now_us + (int64_t)ATTEMPT_TTL_S * 1000 * 1000,
	};
	struct pending *p = pending_new(&row);
	store_hash_set(all->store, all->by_id, id_of(p->state_sum), p, pending_free);
	store_put(all->store, &store_attempts, &row);
	return 0;
}

/* ---- the cookies of one browser ---- */

static struct pending *pending_of(struct attempts *all, struct cyg_str id, struct cyg_str secret)
{
	char sum[SECRET_SUM_SIZE];
	struct pending *p = id.len == ATTEMPT_ID_LEN ? cyg_hash_find(all->by_id, id) : NULL;

	if (p == NULL || !secret_is_formed(secret))
		return NULL;
	secret_sum(secret, sum);
	return cyg_str_same_secret(sum, p->cookie_sum, SECRET_SUM_SIZE - 1) ? p : NULL;
}

struct room {
	struct attempts *all;
	void (*drop)(void *arg, const char *name);
	void *arg;
	struct pending *oldest;
	size_t open;
};

static void look_at(struct room *room, struct cyg_str cookie)
{
	size_t eq = cyg_str_chr(cookie, '=');
	struct cyg_str id = cyg_str_sub(cookie, 0, eq);
	char name[ATTEMPT_COOKIE_SIZE];

	if (eq == cookie.len || !cyg_str_starts(id, ATTEMPT_COOKIE))
		return;
	struct pending *p = pending_of(
	    room->all, cyg_str_skip(id, strlen(ATTEMPT_COOKIE)), cyg_str_skip(cookie, eq + 1));
	if (p == NULL || p->expires_us <= cyg_clock_wall_us()) {
		if (cyg_str_copy(name, sizeof(name), id))
			room->drop(room->arg, name);
		return;
	}
	room->open++;
	if (room->oldest == NULL || p->expires_us < room->oldest->expires_us)
		room->oldest = p;
}

void attempts_make_room(struct attempts *all, const struct http_head *head,
    void (*drop)(void *arg, const char *name), void *arg)
{
	struct room room = { .all = all, .drop = drop, .arg = arg };
	char name[ATTEMPT_COOKIE_SIZE];
	size_t cookies = 0;

	for (size_t i = 0; i < head->n_fields; i++) {
		struct cyg_str rest = head->fields[i].value, one;
		if (!cyg_str_case_eq(head->fields[i].name, "cookie"))
			continue;
		while (cookies++ < HTTP_COOKIES_MAX && cyg_str_next(&rest, ';', &one))
			look_at(&room, cyg_str_trim(one));
	}
	if (room.open < ATTEMPTS_OF_BROWSER)
		return;
	write_name(room.oldest->state_sum, name);
	drop(arg, name);
	end(all, room.oldest);
}

/* ---- the provider's response came ---- */

int attempts_take(struct attempts *all, const struct http_head *head, const char *state,
    struct attempt *ret, char name[ATTEMPT_COOKIE_SIZE], struct cyg_err *err)
{
	char sum[SECRET_SUM_SIZE], secret[CYG_CREDENTIAL_LEN + 1] = "";
	struct cyg_str cookie = CYG_STR("");

	*ret = (struct attempt){ .next = NULL };
	secret_sum(cyg_str_of(state), sum);
	write_name(sum, name);
	struct pending *p = cyg_hash_find(all->by_id, id_of(sum));
	bool known = p != NULL && cyg_str_same_secret(sum, p->state_sum, SECRET_SUM_SIZE - 1);
	bool mine = known && http_cookie_get(head, name, &cookie) &&
		    pending_of(all, id_of(sum), cookie) == p &&
		    cyg_str_copy(secret, sizeof(secret), cookie);
	bool late = known && p->expires_us <= cyg_clock_wall_us();
	if (mine && !late) {
		(void)cyg_str_copy(ret->provider, sizeof(ret->provider), cyg_str_of(p->provider));
		derive("nonce", secret, ret->nonce);
		derive("verifier", secret, ret->verifier);
		ret->next = cyg_xstrdup(p->next);
	}
	cyg_cleanse(secret, sizeof(secret));
	if (known)
		end(all, p);
	if (ret->next != NULL)
		return 0;
	return cyg_fail(err, CYG_ENOENT, "%s",
	    !known ? "no attempt has this state"
	    : late ? "the attempt was too long ago"
		   : "the attempt was begun by another browser");
}

void attempt_free(struct attempt *a)
{
	cyg_cleanse(a->verifier, sizeof(a->verifier));
	cyg_cleanse(a->nonce, sizeof(a->nonce));
	free(a->next);
	a->next = NULL;
}
