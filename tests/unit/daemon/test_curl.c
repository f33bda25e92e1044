/* Calls to other hosts when a name service hangs: the loop goes on. The name service is a function
 * of this program, which libcurl's resolver finds before the C library's. */
#include "base/mem.h"
#include "daemon/curl.h"

#include <check.h>
#include <netdb.h>
#include <poll.h>
#include <stdatomic.h>

enum { CALL_MS = 50, CEILING_MS = 20 * 1000 };

static uv_loop_t loop;
static struct cyg_curl *curl;
static int release[2]; /* a byte in it ends the waiting of the name service */
static atomic_bool was_asked, gave_up;
static enum cyg_code code;

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the C library's */
int getaddrinfo(
    const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	struct pollfd fd = { .fd = release[0], .events = POLLIN };

	(void)name;
	(void)service;
	(void)hints;
	(void)ret;
	was_asked = true;
	gave_up = poll(&fd, 1, CEILING_MS) != 1;
	return EAI_FAIL;
}

static void let_go(void)
{
	ck_assert_int_eq(write(release[1], "x", 1), 1);
}

static void on_done(void *arg, const struct cyg_call_result *res, const struct cyg_err *err)
{
	(void)arg;
	ck_assert_ptr_null(res);
	code = err->code;
	ck_assert_msg(!gave_up, "the loop has waited for the name service");
	let_go();
	cyg_curl_close(CYG_TAKE(curl));
}

static void start(struct cyg_call **ret, uint64_t timeout_ms)
{
	const struct cyg_call_request req = {
		.url = "https://provider.example/", .max = 1000, .timeout_ms = timeout_ms
	};

	was_asked = gave_up = false;
	ck_assert_int_eq(pipe(release), 0);
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	ck_assert_int_eq(cyg_curl_new(&loop, &curl, NULL), 0);
	ck_assert_int_eq(cyg_call_start(curl, &req, on_done, NULL, ret, NULL), 0);
}

static void end(void)
{
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	ck_assert(was_asked);
	ck_assert(!gave_up);
}

START_TEST(test_a_call_whose_name_service_hangs_is_over_in_time)
{
	struct cyg_call *call = NULL;

	start(&call, CALL_MS);
	end();
	ck_assert_int_eq(code, CYG_ETIMEOUT);
}
END_TEST

START_TEST(test_a_call_whose_name_service_hangs_can_be_cancelled)
{
	struct cyg_call *call = NULL;

	start(&call, CEILING_MS);
	while (!was_asked)
		(void)uv_run(&loop, UV_RUN_ONCE);
	cyg_call_cancel(call);
	ck_assert_msg(!gave_up, "the loop has waited for the name service");
	let_go();
	cyg_curl_close(CYG_TAKE(curl));
	end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("curl");
	TCase *tc = tcase_create("curl");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_a_call_whose_name_service_hangs_is_over_in_time);
	tcase_add_test(tc, test_a_call_whose_name_service_hangs_can_be_cancelled);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
