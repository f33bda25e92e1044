/* The sign-in alone on a server: it needs nothing of the API, and finds what it works on in the
 * request. */
#include "base/buf.h"
#include "base/mem.h"
#include "cygnet/paths.h"
#include "hub/signin/signin.h"
#include "tests/unit/http/http_rig.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GET(path)                                                                                  \
	"GET " CYG_HUB_PATH path " HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n"
#define LOGIN(length, form)                                                                        \
	"POST " CYG_HUB_PATH "/login HTTP/1.1\r\nHost: a\r\nContent-Length: " length "\r\n\r\n" form

static struct rig rig;
static struct signin *signin;
static char folder[] = "/tmp/cygnet-signin.XXXXXX";

static void start(void)
{
	const struct signin_opts opts = {
		.development = true, .public_url = "http://127.0.0.1:8000/", .state_dir = folder
	};
	struct cyg_err err;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_msg(signin_new(&opts, &signin, &err) == 0, "%s", err.msg);
	const struct http_mount mounts[] = { { CYG_HUB_PATH, signin_endpoints, signin, NULL },
		{ .endpoints = NULL } };
	const struct http_server_opts server = { .mounts = mounts };
	rig_start(&rig, &server);
}

static void stop(void)
{
	char path[64];

	rig_stop(&rig);
	signin_free(signin);
	(void)snprintf(path, sizeof(path), "%s/development-password", folder);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(folder), 0);
	memset(folder + strlen(folder) - 6, 'X', 6);
}

static const char *ask(const char *request)
{
	return rig_ask(&rig, request);
}

START_TEST(test_signin_refuses_a_wrong_password_alone)
{
	ck_assert_ptr_nonnull(
	    strstr(ask(LOGIN("32", "username=alice&password=not-this")), "HTTP/1.1 403 "));
	ck_assert_ptr_nonnull(strstr(ask(LOGIN("14", "username=alice")), "HTTP/1.1 400 "));
}
END_TEST

START_TEST(test_signin_explains_a_refusal_alone)
{
	ck_assert_ptr_nonnull(strstr(
	    ask(GET("/api/cygnet/refusals/password")), "{\"code\":\"password\",\"message\":\""));
}
END_TEST

START_TEST(test_signin_without_providers_begins_and_ends_none)
{
	ck_assert_ptr_nonnull(strstr(ask(GET("/oauth_login?provider=uni")), "HTTP/1.1 404 "));
	ck_assert_ptr_nonnull(strstr(ask(GET("/oauth_callback?state=x")), "HTTP/1.1 404 "));
}
END_TEST

START_TEST(test_signin_has_no_endpoint_of_others)
{
	ck_assert_ptr_nonnull(strstr(ask(GET("/api/user")), "HTTP/1.1 404 "));
	ck_assert_ptr_nonnull(strstr(ask(GET("/home")), "HTTP/1.1 404 "));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("signin_alone");
	TCase *tc = tcase_create("alone");

	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, test_signin_refuses_a_wrong_password_alone);
	tcase_add_test(tc, test_signin_explains_a_refusal_alone);
	tcase_add_test(tc, test_signin_without_providers_begins_and_ends_none);
	tcase_add_test(tc, test_signin_has_no_endpoint_of_others);
	suite_add_tcase(s, tc);
	SRunner *runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
