/* Tokens in memory, each with a row in the store. */
#include "hub/access/token.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "hub/access/credentials.h"
#include "hub/access/service.h"
#include "store/undo.h"

#include <string.h>

enum { ACTIVE_RESOLUTION_US = 30 * 1000 * 1000 };

struct tokens {
	struct cyg_hash *by_sum;
};

static void token_free(void *p)
{
	struct token *t = p;

	json_decref(t->scopes);
	free(t->note);
	free(t);
}

static struct cyg_list *list_of(const struct token *t)
{
	return t->person != NULL ? &t->person->tokens : &t->service->tokens;
}

/* Removes it from every index; it is freed at the end of the turn. */
static void drop(struct access *access, struct token *t)
{
	credential_token(access, t, false);
	store_hash_remove(
	    access->opts.store, access->tokens->by_sum, cyg_str_of(t->sum), token_free);
	store_list_remove(access->opts.store, list_of(t), &t->link);
}

static void on_row(void *arg, const void *found)
{
	const struct store_token *row = found;
	struct access *access = arg;
	struct cyg_str owner = cyg_str_of(row->owner);
	bool is_user = strcmp(row->kind, "user") == 0;
	struct person *person = is_user ? people_find(access, owner) : NULL;
	struct service *service = is_user ? NULL : services_find(access, owner);

	if (person == NULL && service == NULL)
		return;
	struct token *t = cyg_xcalloc(1, sizeof(*t));
	t->id = row->id;
	(void)cyg_str_copy(t->sum, sizeof(t->sum), cyg_str_of(row->sha256));
	t->person = person;
	t->service = service;
	t->scopes = json_loads(row->scopes, 0, NULL);
	/* A row that cannot be read allows nothing. */
	if (!json_is_array(t->scopes)) {
		json_decref(t->scopes);
		t->scopes = json_array();
	}
	t->note = cyg_xstrdup(row->note);
	t->created_us = row->created_us;
	t->expires_us = row->expires_us;
	t->last_activity_us = row->last_activity_us;
	(void)cyg_hash_set(access->tokens->by_sum, cyg_str_of(t->sum), t);
	cyg_list_add(list_of(t), &t->link);
}

int tokens_load(struct access *access, struct cyg_err *err)
{
	access->tokens = cyg_xcalloc(1, sizeof(*access->tokens));
	access->tokens->by_sum = cyg_hash_new();
	return store_read(access->opts.store, &store_tokens, on_row, access, err);
}

void tokens_free(struct tokens *tokens)
{
	if (tokens == NULL)
		return;
	cyg_hash_free(tokens->by_sum, token_free);
	free(tokens);
}

static bool is_over(const struct token *t, int64_t now_us)
{
	return t->expires_us != 0 && t->expires_us <= now_us;
}

struct token *tokens_find(const struct access *access, struct cyg_str text, int64_t now_us)
{
	char sum[SECRET_SUM_SIZE];

	if (!secret_is_formed(text))
		return NULL;
	secret_sum(text, sum);
	struct token *t = cyg_hash_find(access->tokens->by_sum, cyg_str_of(sum));
	return t != NULL && !is_over(t, now_us) ? t : NULL;
}

struct token *tokens_find_of(const struct person *person, int64_t id)
{
	cyg_list_each (it, &person->tokens) {
		struct token *t = CYG_CONTAINER_OF(it, struct token, link);
		if (t->id == id)
			return t;
	}
	return NULL;
}

/* ---- making and ending ---- */

int token_make(struct access *access, const struct token_spec *spec,
    char text[CYG_CREDENTIAL_LEN + 1], struct token **ret, struct cyg_err *err)
{
	const struct cyg_list *others =
	    spec->person != NULL ? &spec->person->tokens : &spec->service->tokens;
	cyg_autofree char *scopes = json_dumps(spec->scopes, JSON_COMPACT);

	if (others->n >= TOKENS_OF_OWNER)
		return cyg_fail(err, CYG_ELIMIT,
		    "There are %d tokens already. Please delete those that are not used.",
		    TOKENS_OF_OWNER);
	struct token *t = cyg_xcalloc(1, sizeof(*t));
	secret_new(text);
	secret_sum(cyg_str_of(text), t->sum);
	t->person = spec->person;
	t->service = spec->service;
	t->scopes = json_deep_copy(spec->scopes);
	t->note = cyg_xstrdup(spec->note);
	t->created_us = cyg_clock_wall_us();
	t->expires_us = spec->expires_us;
	const struct store_token row = {
		.sha256 = t->sum,
		.kind = t->person != NULL ? "user" : "service",
		.owner = t->person != NULL ? t->person->name : t->service->name,
		.scopes = scopes,
		.note = t->note,
		.created_us = t->created_us,
		.expires_us = t->expires_us,
	};
	t->id = store_add(access->opts.store, &store_tokens, &row);
	store_hash_set(
	    access->opts.store, access->tokens->by_sum, cyg_str_of(t->sum), t, token_free);
	store_list_add(access->opts.store, list_of(t), &t->link);
	credential_token(access, t, true);
	*ret = t;
	return 0;
}

void token_end(struct access *access, struct token *token)
{
	store_remove(access->opts.store, &store_tokens, &(struct store_token){ .id = token->id });
	drop(access, token);
}

void token_active(struct access *access, struct token *token, int64_t now_us)
{
	if (now_us < token->last_activity_us + ACTIVE_RESOLUTION_US)
		return;
	token->last_activity_us = now_us;
	store_update(access->opts.store, &store_tokens,
	    &(struct store_token){ .id = token->id, .last_activity_us = now_us }, "last_activity");
}

struct sweep {
	struct access *access;
	int64_t now_us;
};

static bool goes(void *arg, struct cyg_str key, void *value)
{
	const struct sweep *s = arg;
	struct token *t = value;

	if (!is_over(t, s->now_us))
		return false;
	store_remove(s->access->opts.store, &store_tokens, &(struct store_token){ .id = t->id });
	credential_token(s->access, t, false);
	store_hash_removed(s->access->opts.store, s->access->tokens->by_sum, key, t, token_free);
	store_list_remove(s->access->opts.store, list_of(t), &t->link);
	return true;
}

bool tokens_expire(struct access *access, int64_t now_us)
{
	struct sweep s = { access, now_us };

	return cyg_hash_sweep(access->tokens->by_sum, goes, &s) > 0;
}

bool tokens_next(const struct access *access, size_t *pos, const struct token **ret)
{
	struct cyg_str key;
	void *value;

	if (!cyg_hash_next(access->tokens->by_sum, pos, &key, &value))
		return false;
	*ret = value;
	return true;
}

void tokens_forget(struct access *access, struct cyg_list *of_owner)
{
	cyg_list_each_safe (it, of_owner)
		drop(access, CYG_CONTAINER_OF(it, struct token, link));
}
