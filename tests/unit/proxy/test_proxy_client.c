/* Connections of the proxy on a loop of their own: whose turn it is. */
#include "base/mem.h"
#include "tests/unit/proxy/proxy_rig.h"

#include <check.h>
#include <string.h>
#include <sys/socket.h>

#define REQUEST "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

enum { EAGER = 64, PIPELINE = 100, TURNS_MAX = 10000 };

static struct proxy_rig rig;

static void start(void)
{
	proxy_rig_start(&rig, &stream_raw, "http");
}

static void stop(void)
{
	proxy_rig_stop(&rig);
}

static int dial(void)
{
	return proxy_rig_dial(&rig, 0);
}

static void ask(int fd, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		ck_assert_int_eq(
		    send(fd, REQUEST, strlen(REQUEST), MSG_NOSIGNAL), (ssize_t)strlen(REQUEST));
}

START_TEST(test_a_pipeline_is_served_in_turns_and_to_its_end)
{
	int eager[EAGER];
	int polite = dial();
	unsigned most = 0, all = 0;

	for (size_t i = 0; i < EAGER; i++) {
		eager[i] = dial();
		ask(eager[i], PIPELINE);
	}
	/* What the others get between two responses of the polite one, who asks again at once. */
	for (unsigned turn = 0; turn < TURNS_MAX && all < EAGER * PIPELINE; turn++) {
		unsigned between = 0;

		ask(polite, 1);
		do {
			(void)uv_run(&rig.loop, UV_RUN_NOWAIT);
			for (size_t i = 0; i < EAGER; i++)
				between += proxy_rig_take(eager[i]);
		} while (proxy_rig_take(polite) == 0);
		most = between > most ? between : most;
		all += between;
	}
	ck_assert_uint_eq(all, EAGER * PIPELINE);
	(void)uv_run(&rig.loop, UV_RUN_NOWAIT); /* where nothing more is found */
	/* Two turns at the most, and two steps for each request. */
	ck_assert_uint_le(most, 2 * EAGER * CLIENT_TURN_STEPS / 2);
	ck_assert(!uv_is_active((uv_handle_t *)&rig.proxy.turn));
	for (size_t i = 0; i < EAGER; i++)
		cyg_close(eager[i]);
	cyg_close(polite);
}
END_TEST

START_TEST(test_the_rest_of_a_pipeline_needs_no_event)
{
	int fd = dial();
	unsigned n = 0;

	ask(fd, PIPELINE);
	/* The requests came and were read at once; nothing else will happen at the socket. A loop
	 * that slept here would sleep for ever. */
	while (n < PIPELINE) {
		ck_assert_int_ne(uv_run(&rig.loop, UV_RUN_ONCE), 0);
		n += proxy_rig_take(fd);
	}
	ck_assert_uint_eq(n, PIPELINE);
	ck_assert_uint_eq(rig.proxy.lists[CLIENT_IDLE].n, 1);
	cyg_close(fd);
}
END_TEST

START_TEST(test_a_connection_that_waits_for_its_turn_may_be_closed)
{
	int fd = dial();

	ask(fd, PIPELINE);
	(void)uv_run(&rig.loop, UV_RUN_NOWAIT);
	ck_assert_uint_eq(rig.proxy.turns.n, 1);
	client_close(
	    CYG_CONTAINER_OF(cyg_list_first(&rig.proxy.turns), struct client, turn_link), "x");
	ck_assert_uint_eq(rig.proxy.turns.n, 0);
	(void)uv_run(&rig.loop, UV_RUN_NOWAIT);
	ck_assert(!uv_is_active((uv_handle_t *)&rig.proxy.turn));
	cyg_close(fd);
}
END_TEST

int main(void)
{
	SRunner *runner;
	Suite *suite = suite_create("proxy_client");
	TCase *tc = tcase_create("turns");
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, test_a_pipeline_is_served_in_turns_and_to_its_end);
	tcase_add_test(tc, test_the_rest_of_a_pipeline_needs_no_event);
	tcase_add_test(tc, test_a_connection_that_waits_for_its_turn_may_be_closed);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
