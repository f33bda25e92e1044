/* The proxy's table: which route and which credential is found, and what a table may not hold. */
#include "base/enc.h"
#include "base/mem.h"
#include "proxy/limits.h"
#include "proxy/table.h"
#include "proxy/target.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static struct table *parse(const char *json)
{
	struct table *t = NULL;
	struct cyg_err err = { 0 };

	ck_assert_msg(table_parse(cyg_str_of(json), &t, &err) == 0, "%s", err.msg);
	return t;
}

/* The target of the route for host and path, "" when there is none; a '/' after it when only the
 * closing slash was missing. */
static const char *find(const struct table *t, const char *host, const char *path)
{
	static char out[CYG_ROUTE_TO_MAX + 2];
	bool slash;
	const struct route *r = table_find_route(t, cyg_str_of(host), cyg_str_of(path), &slash);

	(void)snprintf(out, sizeof(out), "%s%s", r != NULL ? r->target : "", slash ? "/" : "");
	return out;
}

static const char routes[] =
    "{\"generation\":7,\"routes\":["
    "{\"prefix\":\"/\",\"target\":\"unix:/root\",\"auth\":\"none\"},"
    "{\"prefix\":\"/user/a/\",\"target\":\"unix:/a\",\"auth\":\"none\"},"
    "{\"prefix\":\"/user/a/b/\",\"target\":\"unix:/ab\",\"auth\":\"none\"},"
    "{\"prefix\":\"/user/%c3%a9/\",\"target\":\"unix:/e\",\"auth\":\"none\"},"
    "{\"host\":\"A.Example\",\"prefix\":\"/\",\"target\":\"unix:/host\",\"auth\":\"none\"},"
    "{\"host\":\"a.example\",\"prefix\":\"/user/a/\",\"target\":\"unix:/hosta\",\"auth\":\"none\"}]}";

START_TEST(test_longest_prefix_on_whole_segments_wins)
{
	static const struct {
		const char *host, *path, *target;
	} rows[] = {
		{ "", "/", "unix:/root" },
		{ "", "/x", "unix:/root" },
		{ "", "/user/a/", "unix:/a" },
		{ "", "/user/a", "unix:/a/" },
		{ "", "/user/a/x", "unix:/a" },
		{ "", "/user/a/b", "unix:/ab/" },
		{ "", "/user/a/b/", "unix:/ab" },
		{ "", "/user/a/b/c/d", "unix:/ab" },
		{ "", "/user/a/bc", "unix:/a" },
		{ "", "/user/ab/", "unix:/root" },
		{ "", "/user/A/", "unix:/root" },
		{ "", "/user/\xc3\xa9/x", "unix:/e" },
		{ "other.example", "/x", "unix:/root" },
		{ "a.example", "/x", "unix:/host" },
		{ "a.example", "/user/a/x", "unix:/hosta" },
		{ "a.example", "/user/a/b/", "unix:/ab" },
		{ "a.example", "/user/a", "unix:/hosta/" },
	};
	struct table *t = parse(routes);

	ck_assert_uint_eq(t->generation, 7);
	ck_assert_uint_eq(t->n_routes, 6);
	for (size_t i = 0; i < CYG_N(rows); i++)
		ck_assert_msg(strcmp(find(t, rows[i].host, rows[i].path), rows[i].target) == 0,
		    "%s%s: %s", rows[i].host, rows[i].path, find(t, rows[i].host, rows[i].path));
	table_free(t);
}
END_TEST

START_TEST(test_no_route_is_found_in_an_empty_table)
{
	struct table *t = parse("{\"routes\":[]}");

	ck_assert_str_eq(find(t, "", "/"), "");
	ck_assert_str_eq(find(t, "a", "/user/a"), "");
	table_free(t);
}
END_TEST

START_TEST(test_a_long_path_costs_no_more_than_a_long_prefix)
{
	struct table *t = parse(routes);
	char path[16 * 1024];

	memset(path, '/', sizeof(path));
	for (size_t i = 1; i < sizeof(path); i += 2)
		path[i] = 'a';
	path[sizeof(path) - 1] = '\0';
	for (int i = 0; i < 10000; i++)
		ck_assert_str_eq(find(t, "", path), "unix:/root");
	table_free(t);
}
END_TEST

static void hash_of(const char *text, char out[65])
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned len;

	ck_assert_int_eq(EVP_Digest(text, strlen(text), sum, &len, EVP_sha256(), NULL), 1);
	cyg_hex_write(sum, TABLE_SHA256, out);
}

START_TEST(test_credentials_are_found_by_their_secret_until_they_expire)
{
	char hash[65];
	char json[512];
	struct table *t;

	hash_of("s3cret", hash);
	(void)snprintf(json, sizeof(json),
	    "{\"routes\":[],\"credentials\":[{\"sha256\":\"%s\",\"user\":\"a\",\"expires\":100}]}",
	    hash);
	t = parse(json);
	ck_assert_ptr_nonnull(table_find_cred(t, CYG_STR("s3cret"), 99));
	ck_assert_ptr_null(table_find_cred(t, CYG_STR("s3cret"), 100));
	ck_assert_ptr_null(table_find_cred(t, CYG_STR("s3cret"), 101));
	ck_assert_ptr_null(table_find_cred(t, CYG_STR("S3cret"), 0));
	ck_assert_ptr_null(table_find_cred(t, CYG_STR(""), 0));
	ck_assert_ptr_null(table_find_cred(t, (struct cyg_str){ hash, 64 }, 0));
	table_free(t);
}
END_TEST

START_TEST(test_bad_tables_are_refused)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"routes\":[],\"routes\":[]}",
		"{\"routes\":[{}]}",
		"{\"routes\":[{\"prefix\":\"\",\"target\":\"unix:/a\",\"auth\":\"none\"}]}",
		"{\"routes\":[{\"prefix\":\"/a/%2e%2e/\",\"target\":\"unix:/a\",\"auth\":\"none\"}]}",
		"{\"routes\":[{\"prefix\":\"/a//\",\"target\":\"unix:/a\",\"auth\":\"none\"}]}",
		"{\"routes\":[{\"prefix\":\"/a/\",\"target\":\"unix:/a\"}]}",
		"{\"routes\":[{\"prefix\":\"/a/\",\"target\":7,\"auth\":\"none\"}]}",
		"{\"routes\":[{\"host\":\"a/b\",\"prefix\":\"/\",\"target\":\"unix:/a\",\"auth\":\"none\"}]}",
		"{\"routes\":[],\"credentials\":{}}",
		"{\"routes\":[],\"credentials\":[{\"sha256\":\"\",\"user\":\"a\"}]}",
		"{\"generation\":-1,\"routes\":[]}",
		"{\"routes\":[]} x",
	};

	for (size_t i = 0; i < CYG_N(bad); i++) {
		struct table *t = NULL;
		struct cyg_err err = { 0 };

		ck_assert_msg(
		    table_parse(cyg_str_of(bad[i]), &t, &err) == -CYG_EINVAL, "%s", bad[i]);
		ck_assert_ptr_null(t);
		ck_assert_msg(strncmp(err.msg, "table: ", 7) == 0, "%s", err.msg);
	}
}
END_TEST

START_TEST(test_targets_are_addresses_not_names)
{
	static const char *const bad[] = { "", "unix:", "unix:a", "tcp:", "tcp:1.2.3.4",
		"tcp:1.2.3.4:", "tcp:1.2.3.4:0", "tcp:1.2.3.4:65536", "tcp:localhost:1", "tcp::1:1",
		"tcp:[::1]", "tcp:[::1]1", "tcp:[1.2.3.4]:1", "tcp:[]:1", "http:x",
		"tcp:1.2.3.4:1 " };
	struct target t;
	char path[130];

	for (size_t i = 0; i < CYG_N(bad); i++)
		ck_assert_msg(target_parse(cyg_str_of(bad[i]), &t, NULL) < 0, "%s", bad[i]);
	memset(path, 'x', sizeof(path));
	memcpy(path, "unix:/", 6);
	ck_assert_int_lt(target_parse((struct cyg_str){ path, 5 + 108 }, &t, NULL), 0);
	ck_assert_int_eq(target_parse((struct cyg_str){ path, 5 + 107 }, &t, NULL), 0);
	ck_assert_int_eq(t.addr.ss_family, AF_UNIX);
	ck_assert_int_eq(target_parse(CYG_STR("tcp:[::1]:65535"), &t, NULL), 0);
	ck_assert_int_eq(
	    ntohs(((const struct sockaddr_in6 *)(const void *)&t.addr)->sin6_port), 65535);
	ck_assert_int_eq(target_parse(CYG_STR("tcp:127.0.0.1:1"), &t, NULL), 0);
	ck_assert_int_eq(t.addr.ss_family, AF_INET);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("proxy table");
	TCase *tc = tcase_create("table");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, test_longest_prefix_on_whole_segments_wins);
	tcase_add_test(tc, test_no_route_is_found_in_an_empty_table);
	tcase_add_test(tc, test_a_long_path_costs_no_more_than_a_long_prefix);
	tcase_add_test(tc, test_credentials_are_found_by_their_secret_until_they_expire);
	tcase_add_test(tc, test_bad_tables_are_refused);
	tcase_add_test(tc, test_targets_are_addresses_not_names);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
