/* The spawner's core over an engine that the test plays: which messages a hub gets, and when. */
#include "base/mem.h"
#include "base/str.h"
#include "daemon/unixsock.h"
#include "ipc/spawn_codec.h"
#include "spawner/core/spawner.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID    "00112233aabbccdd"
#define OTHER "ffeeddccbbaa9988"

/* ---- an engine that the test plays ---- */

static struct {
	const struct engine_events *events;
	void *core;
	struct engine_answer start, stop, list, stat;
	char started[CYG_SERVER_ID_LEN + 1];
	uint32_t grace_ms;
} fake;

static void fake_open(void *engine, const struct engine_events *events, void *arg)
{
	fake.events = events;
	fake.core = arg;
}

static void fake_describe(void *engine, struct spawn_hello *ret)
{
	ret->isolation = SPAWN_ISOLATION_SANDBOX;
	(void)cyg_str_copy(ret->engine, sizeof(ret->engine), CYG_STR("fake"));
}

static void fake_start(void *engine, const struct spawn_spawn *request,
    const struct policy_grant *grant, const struct engine_answer *answer)
{
	fake.start = *answer;
	memcpy(fake.started, request->server_id, sizeof(fake.started));
}

static void fake_stop(
    void *engine, const char *id, uint32_t grace_ms, const struct engine_answer *answer)
{
	fake.stop = *answer;
	fake.grace_ms = grace_ms;
}

static void fake_list(void *engine, const struct engine_answer *answer)
{
	fake.list = *answer;
}

static void fake_stat(void *engine, const char *id, const struct engine_answer *answer)
{
	fake.stat = *answer;
}

static void fake_close(void *engine) {}

static const struct engine fake_engine = { .open = fake_open,
	.describe = fake_describe,
	.start = fake_start,
	.stop = fake_stop,
	.list = fake_list,
	.stat = fake_stat,
	.close = fake_close };

/* ---- the spawner and one hub ---- */

static char folder[] = "/tmp/cygnet-core-XXXXXX";
static char path[128];
static uv_loop_t loop;
static struct spawner spawner;
static int hub = -1;
static union {
	struct spawn_head head;
	struct spawn_hello hello;
	struct spawn_template template_;
	struct spawn_reply reply;
	struct spawn_item item;
	struct spawn_gone gone;
	struct spawn_stage stage;
	struct spawn_tail tail;
	struct spawn_counts counts;
} got;

static void write_file(const char *name, const char *text, char *out, size_t size)
{
	FILE *f;

	(void)snprintf(out, size, "%s/%s", folder, name);
	f = fopen(out, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void connect_hub(void)
{
	hub = unixsock_connect(path, SOCK_SEQPACKET, NULL);
	ck_assert_int_ge(hub, 0);
}

/* Turns the loop, then takes the next message; SPAWN_TYPES: there is none. */
static enum spawn_type receive(void)
{
	const struct spawn_head *head;
	ssize_t n;

	for (int i = 0; i < 8; i++)
		(void)uv_run(&loop, UV_RUN_NOWAIT);
	n = recv(hub, &got, sizeof(got), MSG_DONTWAIT);
	if (n <= 0)
		return SPAWN_TYPES;
	ck_assert_int_eq(spawn_msg_check(&got, (size_t)n, &head, NULL), 0);
	return (enum spawn_type)head->type;
}

static void send_msg(void *msg, enum spawn_type type, size_t len, uint32_t request_id)
{
	spawn_msg_init(msg, type, len, request_id);
	ck_assert_int_eq(send(hub, msg, len, 0), (ssize_t)len);
}

static void setup(void)
{
	char templates[128], stacks[128];

	memset(&fake, 0, sizeof(fake));
	memset(&spawner, 0, sizeof(spawner));
	ck_assert_ptr_nonnull(mkdtemp(folder));
	write_file("templates", "templates:\n  one:\n    command: [x]\n  two:\n    command: [x]\n",
	    templates, sizeof(templates));
	write_file("stacks", "stacks:\n  system:\n    prefix: /usr\n", stacks, sizeof(stacks));
	ck_assert_int_eq(chmod(templates, 0600) | chmod(stacks, 0600), 0);
	ck_assert_int_eq(policy_load(templates, stacks, &spawner.policy, NULL), 0);
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	(void)snprintf(path, sizeof(path), "%s/ctl.sock", folder);
	spawner.loop = &loop;
	spawner.engine = &fake_engine;
	spawner.hub_uid = geteuid();
	spawner_open(&spawner, unixsock_listen(path, SOCK_SEQPACKET, 0600, (gid_t)-1, NULL));
	connect_hub();
}

static void teardown(void)
{
	spawner_close(&spawner);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	cyg_close(hub);
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = { "templates", "stacks", "ctl.sock" };
		char name[128];

		(void)snprintf(name, sizeof(name), "%s/%s", folder, names[i]);
		(void)unlink(name);
	}
	ck_assert_int_eq(rmdir(folder), 0);
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
}

static void let_in(void)
{
	fake.list.done(fake.list.arg, NULL);
	ck_assert_int_eq(receive(), SPAWN_HELLO);
	ck_assert_int_eq(receive(), SPAWN_TEMPLATE);
	ck_assert_int_eq(receive(), SPAWN_TEMPLATE);
}

static void ask_start(void)
{
	struct spawn_spawn m = { .server_id = ID,
		.user_id = 1,
		.user = "alice",
		.template_ = "one",
		.stack = "system",
		.base_url = "/user/alice/" };

	send_msg(&m, SPAWN_SPAWN, sizeof(m), 7);
	ck_assert_int_eq(receive(), SPAWN_TYPES);
	ck_assert_str_eq(fake.started, ID);
}

static void ask_stop(void)
{
	struct spawn_stop m = { .server_id = ID, .grace_ms = 42 };

	send_msg(&m, SPAWN_STOP, sizeof(m), 8);
	ck_assert_int_eq(receive(), SPAWN_REPLY);
	ck_assert_int_eq(got.reply.code, 0);
	ck_assert_uint_eq(fake.grace_ms, 42);
}

static void tell_gone(enum spawn_cause cause, const char *message)
{
	struct spawn_gone m = { .server_id = ID, .cause = cause };

	(void)snprintf(m.message, sizeof(m.message), "%s", message);
	fake.events->on_gone(fake.core, &m);
}

static const struct spawn_address tcp = { SPAWN_ADDRESS_TCP, 8888, "10.0.0.7" };

static enum spawn_state listed_state(void)
{
	struct spawn_head m;
	struct spawn_item item = { .server_id = ID, .user = "alice" };
	enum spawn_state state;

	send_msg(&m, SPAWN_LIST, sizeof(m), 9);
	ck_assert_int_eq(receive(), SPAWN_TYPES);
	fake.list.item(fake.list.arg, &item);
	fake.list.done(fake.list.arg, NULL);
	ck_assert_int_eq(receive(), SPAWN_ITEM);
	state = (enum spawn_state)got.item.state;
	ck_assert_uint_eq(got.item.address.port, 8888);
	ck_assert_int_eq(receive(), SPAWN_REPLY);
	ck_assert_uint_eq(got.reply.head.request_id, 9);
	return state;
}

/* ---- tests ---- */

START_TEST(test_hubs_are_let_in_once_the_engine_has_listed_what_is_there)
{
	struct spawn_item item = { .server_id = ID, .user = "alice", .address = tcp };

	ck_assert_int_eq(receive(), SPAWN_TYPES);
	fake.list.item(fake.list.arg, &item);
	ck_assert_int_eq(receive(), SPAWN_TYPES);
	let_in();
	ck_assert_str_eq(got.template_.name, "two");
	ck_assert_int_eq(listed_state(), SPAWN_STATE_RUNNING);
}
END_TEST

START_TEST(test_a_start_is_answered_with_its_address_when_it_is_ready)
{
	let_in();
	ask_start();
	fake.start.done(fake.start.arg, NULL);
	ck_assert_int_eq(receive(), SPAWN_TYPES);
	fake.events->on_ready(fake.core, ID, &tcp);
	ck_assert_int_eq(receive(), SPAWN_REPLY);
	ck_assert_uint_eq(got.reply.head.request_id, 7);
	ck_assert_int_eq(got.reply.code, 0);
	ck_assert_uint_eq(got.reply.address.kind, SPAWN_ADDRESS_TCP);
	ck_assert_uint_eq(got.reply.address.port, 8888);
	ck_assert_str_eq(got.reply.address.where, "10.0.0.7");
	ck_assert_int_eq(listed_state(), SPAWN_STATE_STARTING);
	fake.events->on_stage(fake.core, ID, "agent", SPAWN_STAGE_DONE, 3);
	ck_assert_int_eq(receive(), SPAWN_STAGE);
	ck_assert_int_eq(listed_state(), SPAWN_STATE_RUNNING);
}
END_TEST

START_TEST(test_ready_may_come_before_the_answer_to_the_start)
{
	let_in();
	ask_start();
	fake.events->on_ready(fake.core, ID, &tcp);
	fake.start.done(fake.start.arg, NULL);
	ck_assert_int_eq(receive(), SPAWN_REPLY);
	ck_assert_int_eq(got.reply.code, 0);
	ck_assert_int_eq(listed_state(), SPAWN_STATE_STARTING);
}
END_TEST

START_TEST(test_a_refused_start_is_answered_once_and_was_never_there)
{
	struct cyg_err err;

	let_in();
	ask_start();
	(void)cyg_fail(&err, CYG_ELIMIT, "no room");
	fake.start.done(fake.start.arg, &err);
	ck_assert_int_eq(receive(), SPAWN_REPLY);
	ck_assert_int_eq(got.reply.code, CYG_ELIMIT);
	ck_assert_int_eq(receive(), SPAWN_TYPES);
	ck_assert_ptr_null(server_find(&spawner, ID));
}
END_TEST

START_TEST(test_a_server_that_ends_before_it_is_ready_fails_its_start)
{
	let_in();
	ask_start();
	fake.start.done(fake.start.arg, NULL);
	tell_gone(SPAWN_GONE_EXITED, "bubblewrap says no");
	ck_assert_int_eq(receive(), SPAWN_REPLY);
	ck_assert_int_eq(got.reply.code, CYG_ESYS);
	ck_assert_str_eq(got.reply.message, "bubblewrap says no");
	ck_assert_int_eq(receive(), SPAWN_TYPES);
}
END_TEST

START_TEST(test_a_start_that_is_stopped_is_answered_and_told_as_gone)
{
	struct cyg_err err;

	let_in();
	ask_start();
	ask_stop();
	(void)cyg_fail(&err, CYG_EBUSY, "stopped before it started");
	fake.start.done(fake.start.arg, &err);
	ck_assert_int_eq(receive(), SPAWN_REPLY);
	ck_assert_uint_eq(got.reply.head.request_id, 7);
	ck_assert_int_eq(receive(), SPAWN_GONE);
	ck_assert_uint_eq(got.gone.cause, SPAWN_GONE_STOPPED);
}
END_TEST

START_TEST(test_a_stop_is_answered_at_once_and_its_end_told_when_it_came)
{
	let_in();
	ask_start();
	fake.events->on_ready(fake.core, ID, &tcp);
	fake.start.done(fake.start.arg, NULL);
	ck_assert_int_eq(receive(), SPAWN_REPLY);
	ask_stop();
	ask_stop();
	ck_assert_int_eq(listed_state(), SPAWN_STATE_STOPPING);
	fake.stop.done(fake.stop.arg, NULL);
	ck_assert_int_eq(receive(), SPAWN_TYPES);
	tell_gone(SPAWN_GONE_STOPPED, "stopped");
	ck_assert_int_eq(receive(), SPAWN_GONE);
	ck_assert_ptr_null(server_find(&spawner, ID));
}
END_TEST

START_TEST(test_a_list_that_is_answered_after_its_hub_has_gone_goes_nowhere)
{
	struct spawn_item item = { .server_id = OTHER };
	struct spawn_head m;

	let_in();
	send_msg(&m, SPAWN_LIST, sizeof(m), 9);
	ck_assert_int_eq(receive(), SPAWN_TYPES);
	cyg_close(hub);
	connect_hub();
	ck_assert_int_eq(receive(), SPAWN_HELLO);
	fake.list.item(fake.list.arg, &item);
	fake.list.done(fake.list.arg, NULL);
	ck_assert_int_eq(receive(), SPAWN_TEMPLATE);
	ck_assert_int_eq(receive(), SPAWN_TEMPLATE);
	ck_assert_int_eq(receive(), SPAWN_TYPES);
}
END_TEST

START_TEST(test_requests_that_the_engine_never_answers_end_with_the_spawner)
{
	struct spawn_stop m = { .server_id = ID };

	let_in();
	ask_start();
	send_msg(&m, SPAWN_STAT, sizeof(m), 9);
	ck_assert_int_eq(receive(), SPAWN_TYPES);
	ck_assert_ptr_nonnull(fake.stat.arg);
}
END_TEST

static const struct spawn_counts *counts_now(void)
{
	static struct spawn_counts counts;
	struct spawn_head m;

	send_msg(&m, SPAWN_METRICS, sizeof(m), 11);
	ck_assert_int_eq(receive(), SPAWN_COUNTS);
	ck_assert_uint_eq(got.counts.head.request_id, 11);
	counts = got.counts;
	ck_assert_int_eq(receive(), SPAWN_REPLY);
	ck_assert_int_eq(got.reply.code, 0);
	return &counts;
}

START_TEST(test_a_start_its_stages_and_its_server_are_counted)
{
	const struct spawn_counts *counts;

	let_in();
	ask_start();
	fake.start.done(fake.start.arg, NULL);
	counts = counts_now();
	ck_assert_uint_eq(counts->starts, 1);
	ck_assert_uint_eq(counts->servers[SPAWN_STATE_STARTING - 1], 1);
	fake.events->on_ready(fake.core, ID, &tcp);
	ck_assert_int_eq(receive(), SPAWN_REPLY);
	fake.events->on_stage(fake.core, ID, "folders", SPAWN_STAGE_DONE, 2);
	fake.events->on_stage(fake.core, ID, "setup", SPAWN_STAGE_FAILED, 5);
	fake.events->on_stage(fake.core, ID, "agent", SPAWN_STAGE_BEGUN, 0);
	fake.events->on_stage(fake.core, ID, "agent", SPAWN_STAGE_DONE, 30);
	fake.events->on_stage(fake.core, ID, "another", SPAWN_STAGE_DONE, 99);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(receive(), SPAWN_STAGE);
	counts = counts_now();
	ck_assert_uint_eq(counts->servers[SPAWN_STATE_STARTING - 1], 0);
	ck_assert_uint_eq(counts->servers[SPAWN_STATE_RUNNING - 1], 1);
	ck_assert_uint_eq(counts->stages_done[0], 1);
	ck_assert_uint_eq(counts->stages_ms[0], 2);
	ck_assert_uint_eq(counts->stages_failed[4], 1);
	ck_assert_uint_eq(counts->stages_done[4], 0);
	ck_assert_uint_eq(counts->stages_ms[4], 5);
	ck_assert_uint_eq(counts->stages_done[6], 1);
	ck_assert_uint_eq(counts->stages_ms[6], 30);
	tell_gone(SPAWN_GONE_MEMORY, "too much");
	ck_assert_int_eq(receive(), SPAWN_GONE);
	counts = counts_now();
	ck_assert_uint_eq(counts->servers[SPAWN_STATE_RUNNING - 1], 0);
	for (size_t i = 0; i < SPAWN_FAILURES; i++)
		ck_assert_uint_eq(counts->failures[i], 0);
}
END_TEST

START_TEST(test_a_failed_start_is_counted_under_its_cause)
{
	struct cyg_err err;

	let_in();
	ask_start();
	(void)cyg_fail(&err, CYG_ELIMIT, "no room");
	fake.start.done(fake.start.arg, &err);
	ck_assert_int_eq(receive(), SPAWN_REPLY);
	ck_assert_uint_eq(counts_now()->failures[SPAWN_FAILURE_ENGINE], 1);
	ask_start();
	fake.start.done(fake.start.arg, NULL);
	tell_gone(SPAWN_GONE_SETUP, "setup.sh failed");
	ck_assert_int_eq(receive(), SPAWN_REPLY);
	ck_assert_uint_eq(counts_now()->failures[SPAWN_FAILURE_SETUP], 1);
	ask_start();
	fake.start.done(fake.start.arg, NULL);
	tell_gone(SPAWN_GONE_SIGNALLED, "killed");
	ck_assert_int_eq(receive(), SPAWN_REPLY);
	ck_assert_uint_eq(counts_now()->failures[SPAWN_FAILURE_ENDED], 1);
	ck_assert_uint_eq(counts_now()->failures[SPAWN_FAILURE_ENGINE], 1);
	ck_assert_uint_eq(counts_now()->starts, 3);
}
END_TEST

START_TEST(test_a_start_that_was_stopped_is_no_failure)
{
	struct cyg_err err;

	let_in();
	ask_start();
	ask_stop();
	(void)cyg_fail(&err, CYG_EBUSY, "stopped before it started");
	fake.start.done(fake.start.arg, &err);
	ck_assert_int_eq(receive(), SPAWN_REPLY);
	ck_assert_int_eq(receive(), SPAWN_GONE);
	for (size_t i = 0; i < SPAWN_FAILURES; i++)
		ck_assert_uint_eq(counts_now()->failures[i], 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("spawner core");
	TCase *tc = tcase_create("core");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_hubs_are_let_in_once_the_engine_has_listed_what_is_there);
	tcase_add_test(tc, test_a_start_is_answered_with_its_address_when_it_is_ready);
	tcase_add_test(tc, test_ready_may_come_before_the_answer_to_the_start);
	tcase_add_test(tc, test_a_refused_start_is_answered_once_and_was_never_there);
	tcase_add_test(tc, test_a_server_that_ends_before_it_is_ready_fails_its_start);
	tcase_add_test(tc, test_a_start_that_is_stopped_is_answered_and_told_as_gone);
	tcase_add_test(tc, test_a_stop_is_answered_at_once_and_its_end_told_when_it_came);
	tcase_add_test(tc, test_a_list_that_is_answered_after_its_hub_has_gone_goes_nowhere);
	tcase_add_test(tc, test_requests_that_the_engine_never_answers_end_with_the_spawner);
	tcase_add_test(tc, test_a_start_its_stages_and_its_server_are_counted);
	tcase_add_test(tc, test_a_failed_start_is_counted_under_its_cause);
	tcase_add_test(tc, test_a_start_that_was_stopped_is_no_failure);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
