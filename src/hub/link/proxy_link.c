/* Sends every proxy the newest table: each gets the difference to the generation that it has in
 * force. A proxy that was started again reports another generation, or refuses the difference with
 * 409, and gets the whole table. table.c keeps and writes the table. */
#include "hub/link/proxy_link.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "cygnet/paths.h"
#include "daemon/log.h"
#include "http/client.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

enum { SCAN_MS = 500, CALL_MS = 10 * 1000, PUSH_MS = 15 * 1000, RESPONSE_MAX = 4 << 20 };
enum { PROXIES_MAX = 64 };

struct proxy {
	struct cyg_link link;
	struct proxy_link *owner;
	char *name, *path;
	struct http_call *call; /* at most one is open */
	uint64_t sending;       /* generation of the open PUT or PATCH */
	bool patching;          /* it is a PATCH */
	uint64_t in_force;      /* 0: unknown */
	bool connected, told, wants_activity, seen;
};

struct push {
	struct cyg_link link;
	uint32_t ticket;
	uint64_t generation, begun_ms;
	proxy_pushed_fn done;
	void *arg;
};

struct proxy_link {
	struct proxy_link_opts opts;
	char *folder, *hub_target;
	struct cyg_list proxies, pushes;
	struct hub_table *table;
	uint32_t last_ticket;
	bool flush_queued;
	bool watches_turn; /* the table has changed in this turn */
	bool stale;        /* a turn that changed it was undone: it is made anew */
	bool told;         /* it was logged that the folder cannot be read */
	uint64_t activity_at_ms;
	uv_timer_t scan;
};

static void flush_later(struct proxy_link *l);
static void next_call(struct proxy *p, bool ask);
static void remake(struct proxy_link *l);

/* ---- pushes that wait ---- */

static void push_end(struct proxy_link *l, struct push *p, const struct cyg_err *why)
{
	struct push ended = *p;

	cyg_list_remove(&l->pushes, &p->link);
	free(p);
	l->opts.on_pushed(l->opts.arg, ended.begun_ms, why == NULL);
	ended.done(ended.arg, ended.ticket, why);
}

/* The generation that all connected proxies have; 0 when none is connected. */
static uint64_t common_generation(const struct proxy_link *l)
{
	uint64_t least = UINT64_MAX;
	bool any = false;

	cyg_list_each (it, &l->proxies) {
		const struct proxy *p = CYG_CONTAINER_OF(it, struct proxy, link);
		if (!p->connected)
			continue;
		any = true;
		least = p->in_force < least ? p->in_force : least;
	}
	return any ? least : 0;
}

/* The generation that every proxy has: rows that went before it need not be remembered. */
static void forget(struct proxy_link *l)
{
	uint64_t least = hub_table_generation(l->table);

	cyg_list_each (it, &l->proxies) {
		const struct proxy *p = CYG_CONTAINER_OF(it, struct proxy, link);
		if (p->in_force != 0 && p->in_force < least)
			least = p->in_force;
	}
	hub_table_forget(l->table, least);
}

/* Callbacks may push again, which only adds at the end: looking at the first one is enough. */
static void settle(struct proxy_link *l)
{
	uint64_t generation = common_generation(l);
	struct cyg_link *first;

	while ((first = cyg_list_first(&l->pushes)) != NULL) {
		struct push *p = CYG_CONTAINER_OF(first, struct push, link);
		if (p->generation > generation)
			return;
		push_end(l, p, NULL);
	}
}

static void expire(struct proxy_link *l, uint64_t now_ms)
{
	struct cyg_link *first;
	struct cyg_err err;

	(void)cyg_fail(&err, CYG_EBUSY, "The proxy does not answer. Please try again in a moment.");
	while ((first = cyg_list_first(&l->pushes)) != NULL) {
		struct push *p = CYG_CONTAINER_OF(first, struct push, link);
		if (p->begun_ms + PUSH_MS > now_ms)
			return;
		push_end(l, p, &err);
	}
}

/* ---- one proxy ---- */

static void lost(struct proxy *p, const char *why)
{
	if (!p->told)
		cyg_log_warn("proxy", "%s does not answer: %s", p->name, why);
	p->told = true;
	p->connected = false;
	p->in_force = 0;
	settle(p->owner);
}

static void on_table(void *arg, const struct http_result *result)
{
	struct proxy *p = arg;

	p->call = NULL;
	if (p->patching && result->status >= 400 && result->status < 500) {
		cyg_log_info(
		    "proxy", "%s cannot build on what it has: it gets the whole table", p->name);
		p->in_force = 0;
		next_call(p, false);
		return;
	}
	if (result->status != 200) {
		lost(p, result->status == 0 ? result->err.msg : "it refused the table");
		return;
	}
	if (!p->connected)
		cyg_log_info("proxy", "%s has the table", p->name);
	p->connected = true;
	p->told = false;
	p->in_force = p->sending;
	forget(p->owner);
	settle(p->owner);
	flush_later(p->owner);
}

static void call(
    struct proxy *p, const char *method, const char *target, struct cyg_str body, http_call_fn done)
{
	struct http_call_spec spec = {
		.socket_path = p->path,
		.method = method,
		.target = target,
		.host = "localhost",
		.content_type = body.len > 0 ? "application/json" : NULL,
		.body = body,
		.timeout_ms = CALL_MS,
		.body_max = RESPONSE_MAX,
	};

	p->call = http_call_start(p->owner->opts.uv, &spec, done, p);
}

static void tell(struct proxy *p)
{
	const struct hub_table *t = p->owner->table;
	cyg_autobuf struct cyg_buf text;
	struct cyg_err err;
	int rc = 0;

	cyg_buf_init(&text, CYG_TABLE_MAX);
	p->sending = hub_table_generation(t);
	p->patching = p->in_force != 0 && hub_table_write_since(t, p->in_force, &text, NULL) == 0;
	if (!p->patching) {
		cyg_buf_reset(&text);
		rc = hub_table_write(t, &text, &err);
	}
	if (rc < 0)
		cyg_log_error("proxy", "the table cannot be written: %s", err.msg);
	else
		call(p, p->patching ? "PATCH" : "PUT", CYG_TABLE_TARGET, cyg_buf_str(&text),
		    on_table);
}

static void on_status(void *arg, const struct http_result *result)
{
	struct proxy *p = arg;
	json_t *root =
	    result->status == 200 ? json_loadb(result->body.p, result->body.len, 0, NULL) : NULL;
	json_int_t generation = json_integer_value(json_object_get(root, "generation"));

	json_decref(root);
	p->call = NULL;
	if (result->status != 200) {
		lost(p, result->status == 0 ? result->err.msg : "it tells no status");
		return;
	}
	if (generation < 0 || (uint64_t)generation != p->in_force) {
		cyg_log_info("proxy", "%s has another table: it gets the newest", p->name);
		p->in_force = 0;
		flush_later(p->owner);
	}
}

static void on_activity(void *arg, const struct http_result *result)
{
	struct proxy *p = arg;
	json_t *root =
	    result->status == 200 ? json_loadb(result->body.p, result->body.len, 0, NULL) : NULL;
	const struct proxy_link_opts *opts = &p->owner->opts;
	int64_t now_us = cyg_clock_wall_us();
	const char *id;
	json_t *value;

	p->call = NULL;
	json_object_foreach (json_object_get(root, "servers"), id, value) {
		json_int_t ago_ms = json_integer_value(json_object_get(value, "last_ms_ago"));
		if (ago_ms >= 0 && ago_ms < INT32_MAX)
			opts->on_activity(opts->arg, id, now_us - ago_ms * 1000);
	}
	json_decref(root);
	next_call(p, true);
}

static void next_call(struct proxy *p, bool ask)
{
	if (p->owner->stale)
		remake(p->owner);
	if (p->call != NULL)
		return;
	if (p->in_force != hub_table_generation(p->owner->table)) {
		/* Not before what has changed in this turn is on disk. */
		if (!p->owner->flush_queued)
			tell(p);
	} else if (p->wants_activity) {
		p->wants_activity = false;
		call(p, "GET", "/activity", CYG_STR(""), on_activity);
	} else if (ask) {
		call(p, "GET", "/status", CYG_STR(""), on_status);
	}
}

/* ---- finding them ---- */

static struct proxy *find(struct proxy_link *l, const char *name)
{
	cyg_list_each (it, &l->proxies) {
		struct proxy *p = CYG_CONTAINER_OF(it, struct proxy, link);
		if (strcmp(p->name, name) == 0)
			return p;
	}
	return NULL;
}

static void proxy_free(struct proxy *p)
{
	http_call_cancel(p->call);
	cyg_list_remove(&p->owner->proxies, &p->link);
	free(p->name);
	free(p->path);
	free(p);
}

static void see(struct proxy_link *l, const char *name)
{
	cyg_autofree char *path = cyg_xasprintf("%s/%s/control.sock", l->folder, name);
	struct proxy *p = find(l, name);
	struct stat st;

	if (name[0] == '.' || stat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return;
	if (p == NULL && l->proxies.n < PROXIES_MAX) {
		p = cyg_xcalloc(1, sizeof(*p));
		p->owner = l;
		p->name = cyg_xstrdup(name);
		p->path = CYG_TAKE(path);
		cyg_list_add(&l->proxies, &p->link);
	}
	if (p != NULL)
		p->seen = true;
}

static void look(struct proxy_link *l)
{
	DIR *dir = opendir(l->folder);
	struct dirent *entry;

	if (dir ==
	    NULL) { /* no descriptor was left, for instance: the proxies are where they were */
		if (!l->told)
			cyg_log_warn(
			    "proxy", "cannot look into %s: %s", l->folder, strerror(errno));
		l->told = true;
		return;
	}
	l->told = false;
	cyg_list_each (it, &l->proxies)
		CYG_CONTAINER_OF(it, struct proxy, link)->seen = false;
	while ((entry = readdir(dir)) != NULL)
		see(l, entry->d_name);
	(void)closedir(dir);
	cyg_list_each_safe (it, &l->proxies) {
		struct proxy *p = CYG_CONTAINER_OF(it, struct proxy, link);
		if (!p->seen)
			proxy_free(p);
	}
}

static void on_scan(uv_timer_t *timer)
{
	struct proxy_link *l = timer->data;
	uint64_t now_ms = cyg_clock_mono_ms();
	bool activity = now_ms >= l->activity_at_ms;

	look(l);
	if (activity)
		l->activity_at_ms = now_ms + l->opts.activity_ms;
	cyg_list_each (it, &l->proxies) {
		struct proxy *p = CYG_CONTAINER_OF(it, struct proxy, link);
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the freed are on no list */
		p->wants_activity = p->wants_activity || activity;
		next_call(p, true);
	}
	settle(l);
	expire(l, now_ms);
}

/* ---- the table has changed ---- */

/* Also when the turn failed: the table is then made of what memory holds. */
static void flush(void *arg, const struct cyg_err *why)
{
	struct proxy_link *l = arg;

	(void)why;
	l->flush_queued = false;
	cyg_list_each (it, &l->proxies)
		next_call(CYG_CONTAINER_OF(it, struct proxy, link), false);
	settle(l); /* completes pushes for which nothing has changed */
}

/* Only after the turn: no proxy may get a row that is undone. */
static void flush_later(struct proxy_link *l)
{
	if (l->flush_queued)
		return;
	l->flush_queued = true;
	store_after_turn(l->opts.store, flush, l);
}

static void on_turn_end(void *arg, bool failed)
{
	struct proxy_link *l = CYG_CONTAINER_OF(arg, struct proxy_link, watches_turn);

	l->watches_turn = false;
	l->stale = l->stale || failed;
	if (failed)
		flush_later(l);
}

static void changed(struct proxy_link *l, bool any)
{
	if (!any)
		return;
	flush_later(l);
	if (l->watches_turn)
		return;
	l->watches_turn = true;
	store_undo(l->opts.store, on_turn_end, &l->watches_turn);
}

void proxy_link_set_route(struct proxy_link *l, const struct hub_route *r)
{
	changed(l, hub_table_set_route(l->table, r));
}

void proxy_link_drop_route(struct proxy_link *l, const char *host, const char *prefix)
{
	changed(l, hub_table_drop_route(l->table, host, prefix));
}

void proxy_link_set_credential(struct proxy_link *l, const struct hub_credential *c)
{
	changed(l, hub_table_set_credential(l->table, c));
}

void proxy_link_drop_credential(struct proxy_link *l, const char *sha256)
{
	changed(l, hub_table_drop_credential(l->table, sha256));
}

uint32_t proxy_link_push(struct proxy_link *l, proxy_pushed_fn done, void *arg)
{
	struct push *p = cyg_xcalloc(1, sizeof(*p));

	flush_later(l);
	l->last_ticket = l->last_ticket + 1 != 0 ? l->last_ticket + 1 : 1;
	*p = (struct push){ .ticket = l->last_ticket,
		.generation = hub_table_generation(l->table),
		.begun_ms = cyg_clock_mono_ms(),
		.done = done,
		.arg = arg };
	cyg_list_add(&l->pushes, &p->link);
	return p->ticket;
}

void proxy_link_forget(struct proxy_link *l, uint32_t ticket)
{
	cyg_list_each_safe (it, &l->pushes) {
		struct push *p = CYG_CONTAINER_OF(it, struct push, link);
		if (p->ticket != ticket)
			continue;
		cyg_list_remove(&l->pushes, &p->link);
		free(p);
	}
}

size_t proxy_link_ready(const struct proxy_link *l)
{
	size_t n = 0;

	cyg_list_each (it, &l->proxies) {
		const struct proxy *p = CYG_CONTAINER_OF(it, struct proxy, link);
		n += p->connected && p->in_force == hub_table_generation(l->table) ? 1 : 0;
	}
	return n;
}

/* ---- rows that are always there, and credentials of users ---- */

/* Everything without a better route: the hub's pages, and addresses of servers that do not run or
 * belong to another user. The hub redirects or refuses users who are signed in; the proxy sends all
 * others to the sign-in, as it does where a server runs. */
static void tell_hub_routes(struct proxy_link *l)
{
	struct hub_route r = {
		.prefix = "/", .target = l->hub_target, .auth = CYG_ROUTE_AUTH_NONE
	};

	proxy_link_set_route(l, &r);
	r.prefix = CYG_USER_PATH;
	r.auth = CYG_ROUTE_AUTH_USER;
	proxy_link_set_route(l, &r);
}

void proxy_link_on_credential(void *arg, const struct credential *c, bool live)
{
	struct proxy_link *l = arg;

	if (live)
		proxy_link_set_credential(l, &(struct hub_credential){ .sha256 = c->sum,
						 .user = c->person->name,
						 .expires_s = c->expires_us / 1000000 });
	else
		proxy_link_drop_credential(l, c->sum);
}

struct store *proxy_link_store(const struct proxy_link *l)
{
	return l->opts.store;
}

/* Makes the table from what memory holds. A proxy that had the old one gets all of it. */
static void remake(struct proxy_link *l)
{
	uint64_t generation = hub_table_generation(l->table) + 1;

	l->stale = false;
	hub_table_free(l->table);
	l->table = hub_table_new(generation);
	tell_hub_routes(l);
	l->opts.on_remake(l->opts.arg, l);
}

int proxy_link_new(const struct proxy_link_opts *opts, struct proxy_link **ret, struct cyg_err *err)
{
	struct proxy_link *l = cyg_xcalloc(1, sizeof(*l));

	(void)err;
	l->opts = *opts;
	l->opts.run_dir = NULL;
	l->folder = cyg_xasprintf("%s/proxy", opts->run_dir);
	l->hub_target = cyg_xasprintf("unix:%s/hub/http.sock", opts->run_dir);
	/* Higher than what an earlier life of the hub used, below 2^53 for readers of JSON. */
	l->table = hub_table_new((uint64_t)cyg_clock_wall_us() / 1000);
	cyg_list_init(&l->proxies);
	cyg_list_init(&l->pushes);
	(void)uv_timer_init(opts->uv, &l->scan);
	l->scan.data = l;
	(void)uv_timer_start(&l->scan, on_scan, 0, SCAN_MS);
	l->activity_at_ms = cyg_clock_mono_ms() + opts->activity_ms;
	tell_hub_routes(l);
	*ret = l;
	return 0;
}

static void on_closed(uv_handle_t *h)
{
	struct proxy_link *l = h->data;

	hub_table_free(l->table);
	free(l->folder);
	free(l->hub_target);
	free(l);
}

void proxy_link_close(struct proxy_link *l)
{
	if (l == NULL)
		return;
	store_forget(l->opts.store, l);
	store_forget(l->opts.store, &l->watches_turn);
	cyg_list_each_safe (it, &l->proxies)
		proxy_free(CYG_CONTAINER_OF(it, struct proxy, link));
	cyg_list_each_safe (it, &l->pushes)
		free(CYG_CONTAINER_OF(it, struct push, link));
	uv_close((uv_handle_t *)&l->scan, on_closed);
}
