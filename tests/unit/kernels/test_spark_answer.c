/* Places, the hub's response, and what kernels and browsers want of a session. */
#include "base/mem.h"
#include "kernels/spark/answer.h"
#include "kernels/spark/driver_log.h"
#include "kernels/spark/fill.h"
#include "kernels/spark/ports.h"
#include "kernels/spark/python_path.h"
#include "kernels/spark/want.h"
#include "tests/unit/base/tmp_folder.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static struct cyg_err err;

/* ---- places ---- */

static char *filled(const char *text)
{
	struct fill f;
	char *got;

	fill_init(&f);
	fill_set(&f, "{run}", "/r{session}");
	fill_set(&f, "{session}", "old");
	fill_set(&f, "{session}", "s1");
	fill_set_port(&f, "{port.ui}", 4040);
	got = fill_new(&f, text, &err);
	fill_free(&f);
	return got;
}

START_TEST(test_places_are_filled_once)
{
	static const struct {
		const char *text, *want;
	} rows[] = { { "", "" }, { "plain", "plain" }, { "{run}", "/r{session}" },
		{ "a{session}b{port.ui}", "as1b4040" }, { "{USER} {", "{USER} {" },
		{ "{{session}}", "{s1}" }, { "{session", "{session" },
		{ "{Session}", "{Session}" } };

	for (size_t i = 0; i < CYG_N(rows); i++) {
		cyg_autofree char *got = filled(rows[i].text);

		ck_assert_msg(got != NULL, "%s", err.msg);
		ck_assert_str_eq(got, rows[i].want);
	}
}
END_TEST

START_TEST(test_unknown_port_or_secret_is_named)
{
	static const char *const texts[] = { "x {port.other} y", "{secret.other}", "{port." };

	for (size_t i = 0; i < CYG_N(texts); i++) {
		ck_assert_ptr_null(filled(texts[i]));
		ck_assert_int_eq(err.code, CYG_EPROTO);
	}
	ck_assert_ptr_null(filled("{port.other}"));
	ck_assert_msg(strstr(err.msg, "{port.other}") != NULL, "%s", err.msg);
}
END_TEST

START_TEST(test_place_is_set_to_its_own_value)
{
	struct fill f;

	fill_init(&f);
	fill_set(&f, "{session}", "s1");
	fill_set(&f, "{session}", fill_get(&f, "{session}"));
	fill_copy(&f, &f);
	ck_assert_str_eq(fill_get(&f, "{session}"), "s1");
	ck_assert_uint_eq(f.n, 1);
	fill_free(&f);
}
END_TEST

START_TEST(test_ports_differ_and_are_free)
{
	static const char *const places[] = { "{port.a}", "{port.b}", "{port.c}" };
	struct fill f;

	fill_init(&f);
	ck_assert_int_eq(ports_pick(&f, places, CYG_N(places), &err), 0);
	ck_assert_uint_ne(ports_of(&f, "{port.a}"), ports_of(&f, "{port.b}"));
	ck_assert_uint_ne(ports_of(&f, "{port.b}"), ports_of(&f, "{port.c}"));
	ck_assert_uint_eq(ports_of(&f, "{port.none}"), 0);
	ck_assert(!ports_listens(ports_of(&f, "{port.a}")));
	fill_free(&f);
}
END_TEST

START_TEST(test_port_that_listens_is_seen)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	cyg_autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	ck_assert(!ports_listens(ntohs(sa.sin_port)));
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert(ports_listens(ntohs(sa.sin_port)));
}
END_TEST

/* ---- the hub's response ---- */

#define HEAD                                                                                       \
	"\"cluster\":{\"id\":\"own\",\"label\":\"In my server\",\"kind\":\"disposable\"},"         \
	"\"flavour\":\"classic\",\"properties\":[ {\"name\":\"a\"} ],"
#define DRIVER                                                                                       \
	"{\"name\":\"driver\",\"main_class\":\"M\",\"heap_mb\":512,\"jvm_options\":[\"-a\",\"-b\"]," \
	"\"class_path_extra\":[],\"library_path_extra\":null,\"arguments\":[\"{session}\"],"         \
	"\"environment\":{\"A\":\"b=c\"},\"restart\":false}"
#define REST                                                                                       \
	"\"secrets\":{\"cluster\":\"c1\"},\"files\":{\"sessions/{session}/x.conf\":\"t\"},\"environment\":{}"
#define WHOLE "{" HEAD REST ",\"daemons\":[" DRIVER "]}"

START_TEST(test_response_is_read_whole)
{
	struct answer *a = NULL;

	ck_assert_msg(answer_read(CYG_STR(WHOLE), &a, &err) == 0, "%s", err.msg);
	ck_assert_str_eq(a->cluster, "own");
	ck_assert_str_eq(a->properties, "[ {\"name\":\"a\"} ]");
	ck_assert_str_eq(answer_secret(a, "cluster"), "c1");
	ck_assert_ptr_null(answer_secret(a, "ui"));
	ck_assert_uint_eq(a->n_files, 1);
	ck_assert_uint_eq(a->n_jvms, 1);
	ck_assert_uint_eq(a->jvms[0].heap_mb, 512);
	ck_assert_uint_eq(a->jvms[0].n_jvm_options, 2);
	ck_assert_str_eq(a->jvms[0].environment[0], "A=b=c");
	ck_assert_ptr_null(a->jvms[0].library_path_extra);
	answer_free(a);
}
END_TEST

static void check_refused(const char *text, const char *words)
{
	struct answer *a = NULL;

	ck_assert_msg(answer_read(cyg_str_of(text), &a, &err) < 0, "%s", text);
	ck_assert_msg(strstr(err.msg, words) != NULL, "'%s' has no '%s'", err.msg, words);
	ck_assert_ptr_null(a);
}

START_TEST(test_wrong_response_is_refused_by_name)
{
	check_refused("", "the hub's response");
	check_refused("[]", "cluster: id is missing");
	check_refused("{" HEAD "\"secrets\":{}}", "files must be a map");
	check_refused("{" HEAD REST ",\"daemons\":[]}", "the last of daemons must be the driver");
	check_refused("{" HEAD REST ",\"daemons\":[{}]}", "daemons[0]: name is missing");
	check_refused("{" HEAD REST
		      ",\"daemons\":[{\"name\":\"driver\",\"main_class\":\"M\",\"heap_mb\":0}]}",
	    "heap_mb must be a number");
	check_refused("{" HEAD "\"secrets\":{\"a\":1}}", "a is no text");
	check_refused("{" HEAD "\"secrets\":{\"a\":\"\\u0000\"}}", "a is no text");
	check_refused("{" HEAD "\"secrets\":{},\"files\":{\"../x\":\"\"}}", "no name for a file");
	check_refused("{" HEAD "\"secrets\":{},\"files\":{\"/x\":\"\"}}", "no name for a file");
	check_refused("{" HEAD "\"secrets\":{},\"files\":{\"a\\nb\":\"\"}}", "no name for a file");
	check_refused("{" HEAD REST ",\"daemons\":[" DRIVER "," DRIVER "," DRIVER "," DRIVER
		      "," DRIVER "]}",
	    "more than 4 entries");
}
END_TEST

START_TEST(test_wrong_daemon_is_refused_by_number)
{
	check_refused("{" HEAD REST ",\"daemons\":[" DRIVER ",{\"name\":\"driver\"}]}",
	    "daemons[1]: main_class is missing");
	check_refused("{" HEAD REST ",\"daemons\":[" DRIVER
		      ",{\"name\":\"x\",\"main_class\":\"M\",\"heap_mb\":16777217}]}",
	    "daemons[1]: heap_mb must be a number");
}
END_TEST

/* ---- what is wanted ---- */

START_TEST(test_want_borrows_what_was_said)
{
	struct want w;

	ck_assert_int_eq(
	    want_read(CYG_STR("{\"kernel\":\"k-1\",\"options\":{\"a\": 1},\"flavour\":null,"
			      "\"cwd\":\"/home\",\"pythonpath\":[\"/a\"]}"),
		&w, &err),
	    0);
	ck_assert_str_eq(w.session.kernel, "k-1");
	ck_assert_str_eq(w.session.cwd, "/home");
	ck_assert_ptr_null(w.session.cluster);
	ck_assert(cyg_str_eq(w.session.options, "{\"a\": 1}"));
	ck_assert_ptr_null(w.session.flavour.p);
	want_free(&w);
}
END_TEST

START_TEST(test_wrong_want_is_refused_by_name)
{
	static const struct {
		const char *text, *words;
	} rows[] = { { "{", "" }, { "[]", "JSON object" }, { "{}", "kernel must be" },
		{ "{\"kernel\":\"\"}", "kernel must be" },
		{ "{\"kernel\":\"../x\"}", "kernel must be" },
		{ "{\"kernel\":\"a/b\"}", "kernel must be" },
		{ "{\"kernel\":\"k\",\"cluster\":\"..\"}", "cluster must be" },
		{ "{\"kernel\":\"k\",\"cluster\":\"a/b\"}", "cluster must be" },
		{ "{\"kernel\":\"k\",\"options\":[]}", "options must be a map" },
		{ "{\"kernel\":\"k\",\"bundles\":{}}", "bundles must be a list" },
		{ "{\"kernel\":\"k\",\"flavour\":1}", "flavour must be a text" },
		{ "{\"kernel\":\"k\",\"cwd\":\"here\"}", "absolute path" },
		{ "{\"kernel\":\"k\",\"pythonpath\":[1]}", "" },
		{ "{\"kernel\":\"k\",\"pythonpath\":[\"a:b\"]}", "colon" } };

	for (size_t i = 0; i < CYG_N(rows); i++) {
		struct want w;

		ck_assert_msg(
		    want_read(cyg_str_of(rows[i].text), &w, &err) < 0, "%s", rows[i].text);
		ck_assert_msg(
		    strstr(err.msg, rows[i].words) != NULL, "%s: %s", rows[i].text, err.msg);
		want_free(&w);
	}
}
END_TEST

START_TEST(test_python_path)
{
	static const struct {
		const char *json, *want;
	} rows[] = { { "[]", "" }, { "[\"/a\"]", "/a" }, { "[\"/a\",\"/b c\"]", "/a:/b c" } };

	for (size_t i = 0; i < CYG_N(rows); i++) {
		cyg_autofree char *got = python_path_join(cyg_str_of(rows[i].json), &err);

		ck_assert_ptr_nonnull(got);
		ck_assert_str_eq(got, rows[i].want);
	}
}
END_TEST

/* ---- the driver's log ---- */

static char *cause_of(const char *text)
{
	struct tmp_folder folder;
	char *path;
	char *cause;
	FILE *file;

	tmp_folder_make(&folder);
	path = cyg_xasprintf("%s/log", folder.path);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	(void)fputs(text, file);
	(void)fclose(file);
	cause = driver_log_cause(path);
	free(path);
	tmp_folder_remove(&folder);
	return cause;
}

START_TEST(test_first_error_of_a_log)
{
	cyg_autofree char *found =
	    cause_of("WARN a\n  Exception in thread main: no\n\tat x\nCaused by: Error\n");
	cyg_autofree char *none = cause_of("WARN a\nINFO b\n");

	ck_assert_str_eq(found, "Exception in thread main: no");
	ck_assert_ptr_null(none);
	ck_assert_ptr_null(driver_log_cause("/nowhere"));
}
END_TEST

START_TEST(test_end_of_a_long_log)
{
	enum { LEN = 100 * 1024 };
	cyg_autofree char *text = cyg_xcalloc(1, LEN + 64);
	cyg_autofree char *found = NULL;

	memset(text, 'x', LEN);
	(void)snprintf(text + LEN, 64, "\nsomeError: at the end\n");
	found = cause_of(text);
	ck_assert_str_eq(found, "someError: at the end");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("spark_answer");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, test_places_are_filled_once);
	tcase_add_test(tc, test_unknown_port_or_secret_is_named);
	tcase_add_test(tc, test_place_is_set_to_its_own_value);
	tcase_add_test(tc, test_ports_differ_and_are_free);
	tcase_add_test(tc, test_port_that_listens_is_seen);
	tcase_add_test(tc, test_response_is_read_whole);
	tcase_add_test(tc, test_wrong_response_is_refused_by_name);
	tcase_add_test(tc, test_wrong_daemon_is_refused_by_number);
	tcase_add_test(tc, test_want_borrows_what_was_said);
	tcase_add_test(tc, test_wrong_want_is_refused_by_name);
	tcase_add_test(tc, test_python_path);
	tcase_add_test(tc, test_first_error_of_a_log);
	tcase_add_test(tc, test_end_of_a_long_log);
	suite_add_tcase(s, tc);

	SRunner *r = srunner_create(s);

	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
