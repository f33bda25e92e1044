/* ZeroMQ sockets on the loop, against plain ROUTER sockets in this program: no wake-up is
 * lost, and a message costs the same however many other kernels there are. */
#include "base/mem.h"
#include "kernels/kernel/zsock.h"

#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

enum { PAIRS_MAX = 32, CEILING_MS = 120 * 1000 };

struct rig;

struct pair {
	struct rig *rig;
	void *router;
	struct zsock *dealer;
	unsigned got, close_at; /* 0: never */
	char last[16];
};

struct rig {
	uv_loop_t loop;
	uv_timer_t ceiling;
	struct zsock_pool *pool;
	void *ctx;
	char folder[32];
	struct pair pairs[PAIRS_MAX];
	size_t n;
};

static void on_message(void *arg, const struct cyg_str *parts, size_t n)
{
	struct pair *p = arg;

	ck_assert_uint_eq(n, 1);
	ck_assert(cyg_str_copy(p->last, sizeof(p->last), parts[0]));
	if (++p->got == p->close_at)
		zsock_close(CYG_TAKE(p->dealer));
	uv_stop(&p->rig->loop);
}

static void on_batch_end(void *arg) {}

static const struct zsock_events events = { on_message, on_batch_end };

static void on_ceiling(uv_timer_t *t)
{
	ck_abort_msg("a message was not noticed");
}

static void rig_start(struct rig *r, size_t n)
{
	memset(r, 0, sizeof(*r));
	ck_assert_int_eq(uv_loop_init(&r->loop), 0);
	(void)uv_timer_init(&r->loop, &r->ceiling);
	(void)uv_timer_start(&r->ceiling, on_ceiling, CEILING_MS, 0);
	ck_assert_int_eq(zsock_pool_new(&r->loop, &r->pool, NULL), 0);
	r->ctx = zmq_ctx_new();
	(void)snprintf(r->folder, sizeof(r->folder), "/tmp/zsock-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(r->folder));
	r->n = n;
	for (size_t i = 0; i < n; i++) {
		struct pair *p = &r->pairs[i];
		char endpoint[64];
		const struct zsock_opts opts = { .kind = ZSOCK_DEALER,
			.identity = "me",
			.endpoint = endpoint,
			.events = &events,
			.arg = p };

		p->rig = r;
		(void)snprintf(endpoint, sizeof(endpoint), "ipc://%s/%zu", r->folder, i);
		p->router = zmq_socket(r->ctx, ZMQ_ROUTER);
		/* A ROUTER throws away what finds its queue full. */
		ck_assert_int_eq(
		    zmq_setsockopt(p->router, ZMQ_SNDHWM, &(int){ 0 }, sizeof(int)), 0);
		ck_assert_int_eq(zmq_bind(p->router, endpoint), 0);
		ck_assert_int_eq(zsock_open(r->pool, &opts, &p->dealer, NULL), 0);
	}
}

static void rig_end(struct rig *r)
{
	char path[64];

	for (size_t i = 0; i < r->n; i++) {
		zsock_close(r->pairs[i].dealer);
		(void)zmq_close(r->pairs[i].router);
		(void)snprintf(path, sizeof(path), "%s/%zu", r->folder, i);
		(void)unlink(path);
	}
	zsock_pool_free(r->pool);
	uv_close((uv_handle_t *)&r->ceiling, NULL);
	(void)uv_run(&r->loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&r->loop), 0);
	(void)zmq_ctx_term(r->ctx);
	(void)rmdir(r->folder);
}

static void dealer_send(struct pair *p, const char *text)
{
	const struct cyg_str part = cyg_str_of(text);

	ck_assert_int_eq(zsock_send(p->dealer, &part, 1, NULL), 0);
}

/* Waits for the dealer's message. */
static void router_take(struct pair *p, const char *text)
{
	char who[8], got[16];
	int n;

	ck_assert_int_eq(zmq_recv(p->router, who, sizeof(who), 0), 2);
	n = zmq_recv(p->router, got, sizeof(got), 0);
	ck_assert(cyg_str_eq((struct cyg_str){ got, (size_t)n }, text));
}

static void router_send(struct pair *p, const char *text)
{
	ck_assert_int_eq(zmq_send(p->router, "me", 2, ZMQ_SNDMORE), 2);
	ck_assert_int_eq(zmq_send(p->router, text, strlen(text), 0), (int)strlen(text));
}

static void run_until(struct rig *r, const struct pair *p, unsigned got)
{
	while (p->got < got)
		(void)uv_run(&r->loop, UV_RUN_DEFAULT);
}

/* The peers know each other, and what that woke has been looked at. */
static void greet_all(struct rig *r)
{
	for (size_t i = 0; i < r->n; i++) {
		dealer_send(&r->pairs[i], "hello");
		router_take(&r->pairs[i], "hello");
		router_send(&r->pairs[i], "hello");
		run_until(r, &r->pairs[i], 1);
	}
	for (int i = 0; i < 20; i++)
		(void)uv_run(&r->loop, UV_RUN_NOWAIT);
}

START_TEST(test_reply_that_came_before_a_send_is_noticed)
{
	struct rig r;

	rig_start(&r, 1);
	greet_all(&r);
	for (unsigned i = 0; i < 1000; i++) {
		struct pair *p = &r.pairs[0];

		dealer_send(p, "question");
		router_take(p, "question");
		router_send(p, "reply");
		/* The loop is busy while it arrives, and the send that follows takes its edge. */
		for (unsigned spin = 0; spin < i % 50; spin++)
			(void)sched_yield();
		dealer_send(p, "more");
		run_until(&r, p, i + 2);
		ck_assert_str_eq(p->last, "reply");
		router_take(p, "more");
	}
	rig_end(&r);
}
END_TEST

START_TEST(test_burst_of_more_than_a_turn_is_read_without_a_further_event)
{
	struct rig r;

	rig_start(&r, 1);
	greet_all(&r);
	for (unsigned i = 0; i < 5000; i++)
		router_send(&r.pairs[0], "burst");
	run_until(&r, &r.pairs[0], 5001);
	rig_end(&r);
}
END_TEST

/* Looks that 100 messages to and from one kernel of n cost. */
static uint64_t looks_of(size_t n)
{
	struct rig r;
	uint64_t before, looks;

	rig_start(&r, n);
	greet_all(&r);
	before = zsock_pool_looks(r.pool);
	for (unsigned i = 0; i < 100; i++) {
		dealer_send(&r.pairs[0], "question");
		router_take(&r.pairs[0], "question");
		router_send(&r.pairs[0], "reply");
		run_until(&r, &r.pairs[0], i + 2);
	}
	looks = zsock_pool_looks(r.pool) - before;
	for (size_t i = 1; i < n; i++)
		ck_assert_uint_eq(r.pairs[i].got, 1);
	rig_end(&r);
	return looks;
}

START_TEST(test_message_costs_the_same_however_many_kernels_there_are)
{
	uint64_t alone = looks_of(1), among_many = looks_of(PAIRS_MAX);

	/* With every socket looked at in every turn it was 33 for each message. What one message
	 * costs varies by whether its question and its reply fall into one turn. */
	ck_assert_uint_le(alone, 100 * 6);
	ck_assert_uint_le(among_many, 100 * 6);
}
END_TEST

START_TEST(test_socket_that_is_closed_in_its_own_callback_is_not_read_on)
{
	struct rig r;

	rig_start(&r, 2);
	greet_all(&r);
	r.pairs[0].close_at = 2;
	for (int i = 0; i < 5; i++)
		router_send(&r.pairs[0], "one of five");
	run_until(&r, &r.pairs[0], 2);
	router_send(&r.pairs[1], "other");
	run_until(&r, &r.pairs[1], 2);
	ck_assert_uint_eq(r.pairs[0].got, 2);
	rig_end(&r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("zsock");
	TCase *t = tcase_create("zsock");
	SRunner *runner = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 2.0 * CEILING_MS / 1000);
	tcase_add_test(t, test_reply_that_came_before_a_send_is_noticed);
	tcase_add_test(t, test_burst_of_more_than_a_turn_is_read_without_a_further_event);
	tcase_add_test(t, test_message_costs_the_same_however_many_kernels_there_are);
	tcase_add_test(t, test_socket_that_is_closed_in_its_own_callback_is_not_read_on);
	suite_add_tcase(s, t);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
