/* The API alone on a server: it finds what it works on in the request, and asks the daemon by
 * callbacks. */
#include "base/mem.h"
#include "cygnet/paths.h"
#include "hub/api/api.h"
#include "tests/unit/http/http_rig.h"

#include <check.h>
#include <string.h>

#define GET(path)                                                                                  \
	"GET " CYG_HUB_PATH path " HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n"

struct daemon_fake {
	bool fails;
};

static struct daemon_fake daemon_fake;
static struct rig rig;
static struct api *api;

static bool is_failing(const void *arg)
{
	return ((const struct daemon_fake *)arg)->fails;
}

static int write_metrics(const void *arg, struct cyg_buf *out, struct cyg_err *err)
{
	ck_assert_ptr_eq(arg, &daemon_fake);
	return cyg_buf_add_str(out, "cygnet_one 1\n", err);
}

static void start(void)
{
	const struct api parts = {
		.opts = {
			.starts_per_minute = 1,
			.is_failing = is_failing,
			.write_metrics = write_metrics,
			.arg = &daemon_fake,
		},
	};

	daemon_fake.fails = false;
	api = api_new(&parts);
	const struct http_mount mounts[] = { { CYG_HUB_PATH, hub_endpoints, api, NULL },
		{ CYG_HUB_PATH, cygnet_endpoints, api, NULL }, { .endpoints = NULL } };
	const struct http_server_opts server = { .mounts = mounts };
	rig_start(&rig, &server);
}

static void stop(void)
{
	rig_stop(&rig);
	api_free(api);
}

static const char *ask(const char *request)
{
	return rig_ask(&rig, request);
}

START_TEST(test_health_says_when_the_disk_fails)
{
	ck_assert_ptr_nonnull(strstr(ask(GET("/health")), "\r\n\r\n"));
	ck_assert_ptr_null(strstr(rig.response.data, "disk"));
	daemon_fake.fails = true;
	ck_assert_ptr_nonnull(strstr(ask(GET("/health")), "HTTP/1.1 200 "));
	ck_assert_ptr_nonnull(strstr(rig.response.data, "The disk cannot be written"));
}
END_TEST

START_TEST(test_metrics_are_the_daemons)
{
	ck_assert_ptr_nonnull(strstr(ask(GET("/metrics")), "\r\n\r\ncygnet_one 1\n"));
}
END_TEST

START_TEST(test_the_version_needs_nothing)
{
	ck_assert_ptr_nonnull(strstr(ask(GET("/api/")), "{\"version\":\""));
	ck_assert_ptr_nonnull(strstr(ask(GET("/oauth_login")), "HTTP/1.1 404 "));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("api_alone");
	TCase *tc = tcase_create("alone");

	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, test_health_says_when_the_disk_fails);
	tcase_add_test(tc, test_metrics_are_the_daemons);
	tcase_add_test(tc, test_the_version_needs_nothing);
	suite_add_tcase(s, tc);
	SRunner *runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
