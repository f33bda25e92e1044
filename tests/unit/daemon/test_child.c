/* A call of another program: what the caller hears, once, whatever the program does. The programs
 * are shell scripts that misbehave. */
#include "base/mem.h"
#include "daemon/child.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { LONG_MS = 120 * 1000, MAX = 1000 };

static uv_loop_t loop;
static unsigned calls;
static int exit_code;
static enum cyg_code code;
static char text[2 * MAX], message[2048];

static void on_done(void *arg, const struct cyg_child_result *res, const struct cyg_err *err)
{
	(void)arg;
	calls++;
	code = err != NULL ? err->code : CYG_OK;
	ck_assert((res == NULL) == (err != NULL));
	if (res == NULL)
		return;
	exit_code = res->exit_code;
	ck_assert(cyg_str_copy(text, sizeof(text), res->text));
	ck_assert(cyg_str_copy(message, sizeof(message), res->message));
}

static struct cyg_child *start(const char *script, const char *request, uint64_t timeout_ms)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	const struct cyg_child_spec spec = { .program = "/bin/sh",
		.argv = argv,
		.request = cyg_str_of(request),
		.max = MAX,
		.timeout_ms = timeout_ms };
	struct cyg_child *child = NULL;
	struct cyg_err err;

	ck_assert_msg(
	    cyg_child_start(&loop, &spec, on_done, NULL, &child, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(calls, 0); /* never from inside */
	return child;
}

/* Runs until nothing of it is left: also the process is gone then. */
static void run(const char *script, const char *request, uint64_t timeout_ms)
{
	struct cyg_child *child = start(script, request, timeout_ms);

	(void)uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_uint_eq(calls, 1);
	ck_assert(cyg_child_has_ended(child));
	cyg_child_release(child);
}

static void set_up(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	calls = 0;
	exit_code = -1;
	code = CYG_OK;
	text[0] = message[0] = '\0';
}

static void tear_down(void)
{
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
}

START_TEST(test_the_request_goes_in_and_the_response_comes_out)
{
	run("read line; echo \"got $line\"; echo oops >&2; exit 3", "a question\n", LONG_MS);
	ck_assert_int_eq(code, CYG_OK);
	ck_assert_int_eq(exit_code, 3);
	ck_assert_str_eq(text, "got a question\n");
	ck_assert_str_eq(message, "oops\n");
}
END_TEST

START_TEST(test_without_a_request_the_program_reads_an_end)
{
	run("cat; echo end", "", LONG_MS);
	ck_assert_str_eq(text, "end\n");
}
END_TEST

START_TEST(test_the_environment_is_empty_unless_told_otherwise)
{
	run("/usr/bin/env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= | wc -l", "", LONG_MS);
	ck_assert_str_eq(text, "0\n");
}
END_TEST

START_TEST(test_a_program_that_hangs_is_given_up_at_the_deadline)
{
	run("sleep 1000", "", 50);
	ck_assert_int_eq(code, CYG_ETIMEOUT);
}
END_TEST

START_TEST(test_a_program_that_ignores_sigterm_is_given_up_too)
{
	run("trap '' TERM HUP INT; while :; do sleep 1000; done", "", 50);
	ck_assert_int_eq(code, CYG_ETIMEOUT);
}
END_TEST

START_TEST(test_a_program_that_floods_is_ended)
{
	run("while :; do echo 0123456789012345678901234567890123456789; done", "", LONG_MS);
	ck_assert_int_eq(code, CYG_ELIMIT);
}
END_TEST

START_TEST(test_a_response_of_the_maximum_is_taken)
{
	run("head -c 1000 /dev/zero | tr '\\0' x", "", LONG_MS);
	ck_assert_int_eq(code, CYG_OK);
	ck_assert_uint_eq(strlen(text), MAX);
}
END_TEST

START_TEST(test_a_flood_of_complaints_is_cut)
{
	run("head -c 100000 /dev/zero | tr '\\0' e >&2; echo fine", "", LONG_MS);
	ck_assert_str_eq(text, "fine\n");
	ck_assert_uint_eq(strlen(message), 1024);
}
END_TEST

START_TEST(test_a_program_that_dies_is_told_of)
{
	run("echo half; kill -9 $$", "", LONG_MS);
	ck_assert_int_eq(code, CYG_ESYS);
}
END_TEST

START_TEST(test_a_program_that_closes_early_is_waited_for)
{
	run("exec >&- 2>&- <&-; sleep 0.05; exit 4", "a request that nobody reads\n", LONG_MS);
	ck_assert_int_eq(code, CYG_OK);
	ck_assert_int_eq(exit_code, 4);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(test_a_long_request_that_nobody_reads_ends_with_the_program)
{
	cyg_autofree char *request = cyg_xcalloc(1, (1 << 20) + 1);

	memset(request, 'x', 1 << 20);
	run("echo no thanks", request, LONG_MS);
	ck_assert_int_eq(code, CYG_OK);
	ck_assert_str_eq(text, "no thanks\n");
}
END_TEST

/* Both pipes are held open by a grandchild: it goes with the group. */
START_TEST(test_what_a_program_leaves_behind_is_killed)
{
	long pid;

	run("sleep 1000 & echo $!", "", LONG_MS);
	ck_assert_int_eq(code, CYG_OK);
	pid = strtol(text, NULL, 10);
	ck_assert_int_gt(pid, 1);
	while (kill((pid_t)pid, 0) == 0) { /* a zombie until pid 1 has reaped it */
		char path[64], state = '?';
		(void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
		FILE *f = fopen(path, "re");
		if (f == NULL)
			break;
		int n = fscanf(f, "%*d (%*[^)]) %c", &state);
		(void)fclose(f);
		if (n != 1 || state == 'Z')
			break;
	}
}
END_TEST

START_TEST(test_nothing_is_heard_after_release)
{
	struct cyg_child *child = start("echo hello", "", LONG_MS);

	cyg_child_release(child);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_uint_eq(calls, 0);
}
END_TEST

static void on_done_release(
    void *arg, const struct cyg_child_result *res, const struct cyg_err *err)
{
	on_done(NULL, res, err);
	cyg_child_release(*(struct cyg_child **)arg);
}

START_TEST(test_release_from_inside_the_callback)
{
	const char *const argv[] = { "true", NULL };
	const struct cyg_child_spec spec = {
		.program = "/bin/true", .argv = argv, .max = MAX, .timeout_ms = LONG_MS
	};
	struct cyg_child *child = NULL;

	ck_assert_int_eq(cyg_child_start(&loop, &spec, on_done_release, &child, &child, NULL), 0);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_uint_eq(calls, 1);
	ck_assert_int_eq(exit_code, 0);
}
END_TEST

START_TEST(test_a_program_that_is_not_there_is_an_error_of_the_start)
{
	const char *const argv[] = { "nothing", NULL };
	const struct cyg_child_spec spec = {
		.program = "/nonexistent/nothing", .argv = argv, .max = MAX, .timeout_ms = LONG_MS
	};
	struct cyg_child *child = NULL;
	struct cyg_err err;

	ck_assert_int_eq(
	    cyg_child_start(&loop, &spec, on_done, NULL, &child, &err), -(int)CYG_ESYS);
	ck_assert_ptr_null(child);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_uint_eq(calls, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("child");
	TCase *tc = tcase_create("call");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_the_request_goes_in_and_the_response_comes_out);
	tcase_add_test(tc, test_without_a_request_the_program_reads_an_end);
	tcase_add_test(tc, test_the_environment_is_empty_unless_told_otherwise);
	tcase_add_test(tc, test_a_program_that_hangs_is_given_up_at_the_deadline);
	tcase_add_test(tc, test_a_program_that_ignores_sigterm_is_given_up_too);
	tcase_add_test(tc, test_a_program_that_floods_is_ended);
	tcase_add_test(tc, test_a_response_of_the_maximum_is_taken);
	tcase_add_test(tc, test_a_flood_of_complaints_is_cut);
	tcase_add_test(tc, test_a_program_that_dies_is_told_of);
	tcase_add_test(tc, test_a_program_that_closes_early_is_waited_for);
	tcase_add_test(tc, test_a_long_request_that_nobody_reads_ends_with_the_program);
	tcase_add_test(tc, test_what_a_program_leaves_behind_is_killed);
	tcase_add_test(tc, test_nothing_is_heard_after_release);
	tcase_add_test(tc, test_release_from_inside_the_callback);
	tcase_add_test(tc, test_a_program_that_is_not_there_is_an_error_of_the_start);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
