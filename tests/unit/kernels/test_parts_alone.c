/* Each part of the agent alone on a server: it needs nothing of the others, and finds what it works
 * on in the request. */
#include "base/mem.h"
#include "daemon/loop.h"
#include "kernels/contents/contents.h"
#include "kernels/kernel/api.h"
#include "kernels/terminal/terminal.h"
#include "tests/unit/http/http_rig.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static struct cyg_loop *loop; /* of the part; requests come by the rig's */
static struct rig rig;
static char folder[] = "/tmp/cygnet-parts.XXXXXX";

static void start(const struct http_mount *mounts)
{
	const struct http_server_opts opts = { .mounts = mounts };

	rig_start(&rig, &opts);
}

static void stop(void)
{
	rig_stop(&rig);
}

static const char *get(const char *request)
{
	return rig_ask(&rig, request);
}

START_TEST(test_contents_alone)
{
	struct contents_ctx ctx = { .root_dir = folder };
	const struct http_mount mounts[] = { { "/user/al ice", contents_endpoints, &ctx, NULL },
		{ .endpoints = NULL } };
	struct cyg_err err;

	ck_assert_msg(contents_open(&ctx, &err) == 0, "%s", err.msg);
	start(mounts);
	ck_assert_ptr_nonnull(
	    strstr(get(GET("/user/al%20ice/api/contents/a%20b.txt")), "\"path\":\"a b.txt\""));
	ck_assert_ptr_nonnull(
	    strstr(get(GET("/%75ser/%61l%20ice/api/contents/a%20b.txt")), "\"path\":\"a b.txt\""));
	ck_assert_ptr_nonnull(strstr(get(GET("/user/al%20ice/api/kernels")), " 404 "));
	stop();
	contents_close(&ctx);
}
END_TEST

START_TEST(test_kernels_alone)
{
	const struct kernels_opts kernels = { .loop = cyg_loop_uv(loop), .run_dir = folder };
	struct nbsessions nbsessions;
	struct kernel_ctx ctx = { .nbsessions = &nbsessions };
	const struct http_mount mounts[] = { { "", kernels_endpoints, &ctx, NULL },
		{ "", nbsessions_endpoints, &ctx, NULL }, { .endpoints = NULL } };
	struct cyg_err err;

	ck_assert_msg(kernels_new(&kernels, &ctx.kernels, &err) == 0, "%s", err.msg);
	nbsessions_init(&nbsessions, ctx.kernels, NULL, NULL);
	start(mounts);
	ck_assert_ptr_nonnull(strstr(get(GET("/api/kernels")), "\r\n\r\n[]"));
	ck_assert_ptr_nonnull(strstr(get(GET("/api/sessions")), "\r\n\r\n[]"));
	ck_assert_ptr_nonnull(strstr(get(GET("/api/kernels/x")), " 404 "));
	stop();
	nbsessions_free(&nbsessions);
	kernels_close(ctx.kernels);
}
END_TEST

START_TEST(test_terminals_alone)
{
	const struct terminals_opts opts = {
		.loop = cyg_loop_uv(loop), .run_dir = folder, .root_dir = folder
	};
	struct http_mount mounts[] = { { "/t", terminals_endpoints, NULL, NULL },
		{ .endpoints = NULL } };

	mounts[0].ctx = terminals_new(&opts);
	start(mounts);
	ck_assert_ptr_nonnull(strstr(get(GET("/t/api/terminals")), "\r\n\r\n[]"));
	ck_assert_ptr_nonnull(strstr(get(GET("/t/api/terminals/1")), "Terminal not found: 1"));
	ck_assert_ptr_nonnull(strstr(get(GET("/t/api/terminals/1")), "report-uri /t/"));
	stop();
	terminals_close(mounts[0].ctx);
}
END_TEST

static void on_loop_end(void *arg, const char *why)
{
	/* It is never ended. */
}

static void set_up(void)
{
	cyg_autofree char *file = NULL;
	struct cyg_err err;
	int fd;

	ck_assert_msg(cyg_loop_new(on_loop_end, NULL, -1, &loop, &err) == 0, "%s", err.msg);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	file = cyg_xasprintf("%s/a b.txt", folder);
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	cyg_close(fd);
}

static void tear_down(void)
{
	static const char *const names[] = { "a b.txt", "runtime", "log", "journal", "connection",
		"" };

	for (size_t i = 0; i < CYG_N(names); i++) {
		cyg_autofree char *path = cyg_xasprintf("%s/%s", folder, names[i]);

		(void)remove(path);
	}
	cyg_loop_free(loop);
	ck_assert_int_ne(access(folder, F_OK), 0);
	memset(folder + strlen(folder) - 6, 'X', 6);
}

int main(void)
{
	Suite *suite = suite_create("parts alone");
	TCase *tc = tcase_create("parts");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_contents_alone);
	tcase_add_test(tc, test_kernels_alone);
	tcase_add_test(tc, test_terminals_alone);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
