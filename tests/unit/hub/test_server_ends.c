/* Ends of servers and of their users that meet in one turn: who waits is told, what was begun is
 * finished, and nothing secret is left. Records, store and requests are the real ones; there is no
 * spawner and no proxy. */
#include "base/buf.h"
#include "base/mem.h"
#include "hub/access/audit.h"
#include "hub/access/people.h"
#include "hub/base/app.h"
#include "hub/offer/profiles.h"
#include "hub/server/leave.h"
#include "hub/server/srv_priv.h"
#include "hub/server/wait.h"
#include "tests/unit/http/http_rig.h"
#include "tests/unit/store/store_rig.h"

#include <string.h>

static struct rig rig;
static struct access *access_;
static struct audit *audit;
static struct profiles *profiles;
static struct proxy_link *proxy;
static struct srvs *srvs;
static struct app app;
static int client;

static const char profiles_text[] =
    "stacks: [{id: s}]\nprofiles: [{id: p, template: t, stacks: [s], cores: [1], memory: [1G]}]\n";

/* ---- the endpoints ---- */

static struct srv *server(void)
{
	return srvs_find(srvs, CYG_STR("bob"), CYG_STR(""));
}

static void delete_bob(struct http_req *req)
{
	leave_begin(srvs, people_find(access_, CYG_STR("bob")), req);
}

static void wait_stopped(struct http_req *req)
{
	srv_wait(server(), req, WAIT_STOPPED);
}

static bool authorize(struct http_req *req, const struct http_endpoint *endpoint)
{
	(void)endpoint;
	req->app = &app;
	return true;
}

static const struct http_endpoint endpoints[] = {
	{ HTTP_DELETE, "/bob", "any", delete_bob, 0 },
	{ HTTP_GET, "/stopped", "any", wait_stopped, 0 },
	{ .path = NULL },
};
static const struct http_mount mounts[] = { { .prefix = "", .endpoints = endpoints },
	{ .endpoints = NULL } };

/* ---- the parts ---- */

static void on_remake(void *arg, struct proxy_link *link)
{
	(void)arg;
	(void)link;
}

static void on_pushed(void *arg, uint64_t begun_ms, bool in_force)
{
	(void)arg;
	(void)begun_ms;
	(void)in_force;
}

static void start_records(void)
{
	const struct proxy_link_opts link = { .uv = &rig.loop,
		.store = st,
		.run_dir = "/nonexistent",
		.activity_ms = 60 * 1000,
		.on_remake = on_remake,
		.on_pushed = on_pushed };
	struct srvs_opts opts = { .uv = &rig.loop,
		.store = st,
		.profiles = profiles,
		.access = access_,
		.audit = audit,
		.run_dir = "/nonexistent",
		.slow_start_ms = 60 * 1000,
		.slow_stop_ms = 60 * 1000,
		.stop_grace_ms = 60 * 1000,
		.subscribers = { { srv_on_moved_route, NULL }, { srv_on_moved_watchers, NULL } } };

	ck_assert_int_eq(proxy_link_new(&link, &proxy, &err), 0);
	opts.proxy = proxy;
	ck_assert_int_eq(srvs_new(&opts, &srvs, &err), 0);
}

/* bob, whose server was in that state when the hub started. */
static void start(const char *state)
{
	const struct http_server_opts http = { .mounts = mounts, .authorize = authorize };
	const struct access_opts opts = { .store = st, .session_ms = 1000 };
	const struct store_server row = {
		.user = "bob", .id = "0123456789abcdef", .state = state, .options = "{}"
	};

	(void)rig_add_user("bob");
	store_put(st, &store_servers, &row);
	ck_assert_int_eq(store_commit(st, &err), 0);
	rig_start(&rig, &http);
	ck_assert_int_eq(
	    profiles_parse("profiles.yaml", CYG_STR(profiles_text), &profiles, &err), 0);
	ck_assert_int_eq(access_open(&opts, &access_, &err), 0);
	audit = audit_new(st);
	app = (struct app){ .access = access_ };
	start_records();
	client = -1;
}

static void stop(void)
{
	cyg_close(client);
	rig_turn(&rig);
	srvs_close(srvs);
	proxy_link_close(proxy);
	rig_stop(&rig);
	access_free(access_);
	audit_free(audit);
	profiles_free(profiles);
}

static void ask(const char *request)
{
	client = rig_connect(&rig);
	rig_send(&rig, client, cyg_str_of(request), SIZE_MAX);
	rig_turn(&rig);
}

/* ---- */

/* A user of that name is there already. */
static void spoil_turn(void *arg)
{
	(void)arg;
	(void)store_add(st, &store_users, &(struct store_user){ .name = "bob", .groups = "[]" });
}

START_TEST(test_a_deletion_goes_on_when_another_write_fails_with_its_last_stop)
{
	start("stopping");
	ask("DELETE /bob HTTP/1.1\r\nHost: a\r\n\r\n");
	ck_assert_int_eq(store_commit(st, &err), 0);
	srv_gone(server());
	store_after_commit(st, spoil_turn, NULL);
	ck_assert_int_lt(store_commit(st, &err), 0);
	ck_assert_ptr_null(people_find(access_, CYG_STR("bob")));
	ck_assert_int_eq(rig_number("SELECT count(*) FROM users"), 0);
	stop();
}
END_TEST

START_TEST(test_who_waits_for_a_stop_is_told_when_the_record_goes_in_the_same_turn)
{
	cyg_autobuf struct cyg_buf out;

	cyg_buf_init(&out, 1 << 20);
	start("stopping");
	ask("GET /stopped HTTP/1.1\r\nHost: a\r\n\r\n");
	ck_assert_int_eq(store_commit(st, &err), 0);
	srv_gone(server());
	srvs_forget_user(srvs, "bob");
	ck_assert_int_eq(store_commit(st, &err), 0);
	(void)rig_receive(&rig, client, &out);
	ck_assert_ptr_nonnull(strstr(out.len > 0 ? out.data : "", "HTTP/1.1 204 "));
	stop();
}
END_TEST

START_TEST(test_a_start_that_ends_before_it_is_sent_leaves_no_credential)
{
	static const char nothing[CYG_CREDENTIAL_LEN + 1];

	start("starting");
	srv_open_credential(server());
	ck_assert_uint_eq(strlen(server()->credential), CYG_CREDENTIAL_LEN);
	srv_stop(server(), NULL);
	ck_assert_mem_eq(server()->credential, nothing, sizeof(nothing));
	stop();
}
END_TEST

#define TEN(text) text text text text text text text text text text

/* A spawner cuts its messages at a number of bytes, and they may hold names of files. */
START_TEST(test_why_a_start_failed_is_told_whatever_bytes_the_spawner_sent)
{
	start("waiting");
	srv_start_fail(server(), "start_failed", "caf\xc3\xa9 \xff" TEN(TEN("\xc3\xa9\xc3\xa9")));
	ck_assert(cyg_str_is_utf8(cyg_str_of(server()->failure)));
	ck_assert(cyg_str_is_utf8(cyg_str_of(server()->end_message)));
	ck_assert_int_eq(strncmp(server()->failure, "caf\xc3\xa9 ?\xc3\xa9", 9), 0);
	stop();
}
END_TEST

int main(void)
{
	TCase *tc = rig_case("server_ends", rig_set_up, rig_tear_down);

	tcase_add_test(tc, test_a_deletion_goes_on_when_another_write_fails_with_its_last_stop);
	tcase_add_test(tc, test_who_waits_for_a_stop_is_told_when_the_record_goes_in_the_same_turn);
	tcase_add_test(tc, test_a_start_that_ends_before_it_is_sent_leaves_no_credential);
	tcase_add_test(tc, test_why_a_start_failed_is_told_whatever_bytes_the_spawner_sent);
	return rig_run(tc);
}
