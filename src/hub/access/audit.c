/* The audit: rows are only added. Who calls it: signin/signin_audit.c, api/ and server/srv_audit.c.
 */
#include "hub/access/audit.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "hub/access/service.h"
#include "hub/access/who.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

static const int64_t window_us = 3600LL * 1000 * 1000;

static const struct {
	const char *name;
	bool happened; /* also when its turn cannot be written */
} actions[AUDIT_ACTIONS] = {
	[AUDIT_SIGN_IN] = { "sign-in", false },
	[AUDIT_SIGN_IN_REFUSED] = { "sign-in.refused", true },
	[AUDIT_SIGN_OUT] = { "sign-out", false },
	[AUDIT_TOKEN_MAKE] = { "token.make", false },
	[AUDIT_TOKEN_DELETE] = { "token.delete", false },
	[AUDIT_USER_MAKE] = { "user.make", false },
	[AUDIT_USER_RENAME] = { "user.rename", false },
	[AUDIT_USER_ADMIN] = { "user.admin", false },
	[AUDIT_USER_DELETE] = { "user.delete", false },
	[AUDIT_USER_HAND_OVER] = { "user.hand-over", false },
	[AUDIT_SERVER_START] = { "server.start", false },
	[AUDIT_SERVER_STOP] = { "server.stop", true },
	[AUDIT_SPARK_CONNECT] = { "spark.connect", false },
	[AUDIT_SPARK_END] = { "spark.end", true },
	[AUDIT_LOST] = { "audit.lost", true },
};

struct audit {
	struct store *store;
	struct audit_window refused;
	struct cyg_list kept; /* rows that wait to be written again */
	unsigned lost;        /* for which there was no room */
};

struct row {
	struct cyg_link link;
	struct audit *audit;
	enum audit_action action;
	int64_t at_us;
	char actor[CYG_AUDIT_TEXT_MAX], object[CYG_AUDIT_TEXT_MAX];
	char detail[CYG_AUDIT_DETAIL_MAX];
	unsigned lost; /* of AUDIT_LOST: how many it tells of */
};

/* The keys, the id and the time of a line of audit_page: less than a fixed 200 bytes. */
_Static_assert(CYG_AUDIT_PAGE_ROWS *(2 * CYG_AUDIT_TEXT_MAX + CYG_AUDIT_DETAIL_MAX + 200) <=
		   CYG_AUDIT_PAGE_MAX,
    "CYG_AUDIT_PAGE_MAX");

struct audit *audit_new(struct store *st)
{
	struct audit *a = cyg_xcalloc(1, sizeof(*a));

	a->store = st;
	cyg_list_init(&a->kept);
	return a;
}

static void take_off(struct audit *a, struct row *row)
{
	cyg_list_remove(&a->kept, &row->link);
}

void audit_free(struct audit *a)
{
	if (a == NULL)
		return;
	cyg_list_each_safe (it, &a->kept) {
		struct row *row = CYG_CONTAINER_OF(it, struct row, link);
		take_off(a, row);
		free(row);
	}
	free(a);
}

const char *audit_action_name(enum audit_action action)
{
	return actions[action].name;
}

/* ---- what a row says ---- */

static void put(char *out, size_t size, const char *text)
{
	if (!cyg_str_copy(out, size, cyg_str_of(text)))
		abort(); /* names are shorter: our mistake */
}

struct audit_actor audit_actor_user(const char *name)
{
	struct audit_actor ret = { .token = 0 };

	(void)snprintf(ret.text, sizeof(ret.text), "user:%s", name);
	return ret;
}

struct audit_actor audit_actor_of(const struct who *who)
{
	struct audit_actor ret = { .token = who->token != NULL ? who->token->id : 0 };
	struct cyg_str name = who_name(who);

	if (who->principal.kind == PRINCIPAL_NOBODY)
		put(ret.text, sizeof(ret.text), "nobody");
	else if (who->principal.kind == PRINCIPAL_SERVER)
		(void)snprintf(
		    ret.text, sizeof(ret.text), "server:%.*s/%s", CYG_STR_ARGS(name), who->server);
	else
		(void)snprintf(ret.text, sizeof(ret.text), "%s:%.*s",
		    who->person != NULL ? "user" : "service", CYG_STR_ARGS(name));
	return ret;
}

json_t *audit_saying(struct cyg_str text)
{
	char out[AUDIT_SAYING_MAX];
	size_t len = text.len < sizeof(out) ? text.len : sizeof(out);

	for (size_t i = 0; i < len; i++)
		out[i] = text.p[i] >= ' ' && text.p[i] <= '~' ? text.p[i] : '?';
	return json_stringn(out, len);
}

json_t *audit_time(int64_t us)
{
	char text[CYG_ISO8601_SIZE];

	if (us == 0)
		return json_null();
	cyg_clock_format(us, text);
	return json_string(text);
}

static void put_detail(struct row *row, const struct audit_actor *by, json_t *detail)
{
	json_t *all = detail != NULL ? detail : json_object();

	if (by != NULL && by->token != 0)
		(void)json_object_set_new(
		    all, "with_token", json_sprintf("a%lld", (long long)by->token));
	cyg_autofree char *text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	if (text == NULL || !cyg_str_copy(row->detail, sizeof(row->detail), cyg_str_of(text)))
		put(row->detail, sizeof(row->detail), "{\"left_out\":\"too long\"}");
}

/* ---- how many refusals ---- */

bool audit_window_take(struct audit_window *w, int64_t now_us, unsigned *left_out)
{
	if (now_us >= w->ends_us) {
		w->ends_us = now_us + window_us;
		w->n = 0;
	}
	if (w->n >= AUDIT_REFUSED_MAX) {
		w->left_out++;
		return false;
	}
	w->n++;
	*left_out = w->left_out;
	w->left_out = 0;
	return true;
}

/* False: there are too many. */
static bool may_refuse(struct audit *a, json_t *detail)
{
	unsigned left_out = 0;

	if (!audit_window_take(&a->refused, cyg_clock_wall_us(), &left_out))
		return false;
	if (left_out > 0 && detail != NULL)
		(void)json_object_set_new(detail, "left_out", json_integer(left_out));
	return true;
}

/* ---- writing ---- */

static void keep(struct audit *a, struct row *row)
{
	if (row->lost == 0 && a->kept.n < AUDIT_KEPT_MAX) {
		cyg_list_add(&a->kept, &row->link);
		return;
	}
	a->lost += row->lost > 0 ? row->lost : 1;
	free(row);
}

static void on_turn(void *arg, bool failed)
{
	struct row *row = arg;

	if (failed)
		keep(row->audit, row);
	else
		free(row);
}

/* Takes the row. */
static void write_row(struct audit *a, struct row *row)
{
	store_audit_add(a->store, &(struct store_audit){ .at_us = row->at_us,
				      .actor = row->actor,
				      .action = actions[row->action].name,
				      .object = row->object,
				      .detail = row->detail });
	if (actions[row->action].happened)
		store_undo(a->store, on_turn, row);
	else
		free(row);
}

static struct row *row_new(struct audit *a, const struct audit_actor *by, enum audit_action action,
    const char *object, json_t *detail)
{
	struct row *row = cyg_xcalloc(1, sizeof(*row));

	row->audit = a;
	row->action = action;
	row->at_us = cyg_clock_wall_us();
	put(row->actor, sizeof(row->actor), by != NULL ? by->text : "hub");
	put(row->object, sizeof(row->object), object);
	put_detail(row, by, detail);
	return row;
}

void audit_add(struct audit *a, const struct audit_actor *by, enum audit_action action,
    const char *object, json_t *detail)
{
	if (a != NULL && (action != AUDIT_SIGN_IN_REFUSED || may_refuse(a, detail)))
		write_row(a, row_new(a, by, action, object, detail));
	else
		json_decref(detail);
}

/* ---- of what there is ---- */

/* A new object where there is none. */
static json_t *with(json_t *detail, const char *key, json_t *value)
{
	json_t *ret = detail != NULL ? detail : json_object();

	(void)json_object_set_new(ret, key, value);
	return ret;
}

void audit_user(struct audit *a, const struct audit_actor *by, enum audit_action action,
    const struct person *person, json_t *detail)
{
	const struct audit_actor user = audit_actor_user(person->name);

	audit_add(a, by, action, user.text, with(detail, "id", json_integer(person->id)));
}

void audit_session(struct audit *a, const struct audit_actor *by, enum audit_action action,
    const struct session *s, json_t *detail)
{
	const struct audit_actor user = audit_actor_user(s->person->name);

	detail = with(detail, "provider", json_string(s->provider));
	audit_add(a, by, action, user.text,
	    with(detail, "session", json_stringn(s->sum, AUDIT_SESSION_LEN)));
}

void audit_token(struct audit *a, const struct audit_actor *by, enum audit_action action,
    const struct token *t, json_t *detail)
{
	char object[CYG_AUDIT_TEXT_MAX];

	(void)snprintf(object, sizeof(object), "token:a%lld", (long long)t->id);
	detail = with(detail, t->person != NULL ? "user" : "service",
	    json_string(t->person != NULL ? t->person->name : t->service->name));
	audit_add(a, by, action, object, detail);
}

/* ---- after the disk is back ---- */

static void write_lost(struct audit *a)
{
	struct row *row =
	    row_new(a, NULL, AUDIT_LOST, "", json_pack("{s:I}", "rows", (json_int_t)a->lost));

	row->lost = a->lost;
	a->lost = 0;
	write_row(a, row);
}

void audit_repair(struct audit *a)
{
	cyg_list_each_safe (it, &a->kept) {
		struct row *row = CYG_CONTAINER_OF(it, struct row, link);
		take_off(a, row);
		write_row(a, row);
	}
	if (a->lost > 0)
		write_lost(a);
}

/* ---- reading ---- */

struct page {
	struct cyg_buf *out;
	int code;
	struct cyg_err *err;
};

static void on_row(void *arg, const void *found)
{
	const struct store_audit *row = found;
	struct page *page = arg;
	json_t *detail = json_loads(row->detail, 0, NULL);

	if (detail == NULL)
		detail = json_object();
	json_t *line = json_pack("{s:I, s:o, s:s, s:s, s:s, s:o}", "id", (json_int_t)row->id, "at",
	    audit_time(row->at_us), "actor", row->actor, "action", row->action, "object",
	    row->object, "detail", detail);
	cyg_autofree char *text = json_dumps(line, JSON_COMPACT);
	json_decref(line);
	if (page->code == 0)
		page->code = cyg_buf_printf(page->out, page->err, "%s\n", text);
}

int audit_page(struct store *st, int64_t before, struct cyg_buf *out, struct cyg_err *err)
{
	struct page page = { .out = out, .err = err };
	int code = store_audit_read(st, before, CYG_AUDIT_PAGE_ROWS, on_row, &page, err);

	return code < 0 ? code : page.code;
}
