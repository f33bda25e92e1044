/* providers.yaml: what is read, what is refused and how it is said; the verdict about groups. */
#include "base/file.h"
#include "base/mem.h"
#include "hub/signin/oidc_config.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>

#define GOOD              "id: a\n    label: A\n    issuer: https://a.example\n    client-id: x\n    "
#define FILE_OF(provider) "providers:\n  - " provider

static struct oidc_configs *read_good(const char *text)
{
	struct oidc_configs *all = NULL;
	struct cyg_err err = { .msg = "" };
	int rc = oidc_configs_parse("p.yaml", cyg_str_of(text), &all, &err);

	ck_assert_msg(rc == 0, "%s", err.msg);
	return all;
}

START_TEST(test_a_provider_is_read_with_its_defaults)
{
	struct oidc_configs *all = read_good(FILE_OF(GOOD "allow-everyone: true\n"));
	const struct oidc_config *c = &all->items[0];

	ck_assert_uint_eq(all->n, 1);
	ck_assert_str_eq(c->issuer, "https://a.example");
	ck_assert_str_eq(c->scopes, "openid profile");
	ck_assert_str_eq(c->name_claim, "preferred_username");
	ck_assert(c->everyone && c->end_session && !c->insecure_loopback);
	ck_assert(c->groups_claim == NULL && c->secret_file == NULL && c->secret == NULL);
	ck_assert_uint_eq(c->timeout_ms, 10000);
	ck_assert_uint_eq(c->keys_interval_ms, 60000);
	oidc_configs_free(all);
}
END_TEST

START_TEST(test_what_is_wrong_is_said_with_file_and_line)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{ "", "p.yaml:" },
		{ "providers: []\n", "p.yaml:1:12: 'providers' must be a list of 1 to 8" },
		{ "provider: []\n", "p.yaml:1:" },
		{ FILE_OF(GOOD "allowed: x\n"), "p.yaml:6:" },
		{ FILE_OF("id: a\n"), "label" },
		{ FILE_OF(GOOD "\n"), "either allowed-groups or allow-everyone: true" },
		{ FILE_OF(
		      GOOD "allow-everyone: true\n    groups-claim: g\n    allowed-groups: [u]\n"),
		    "p.yaml:8:21: who may sign in" },
		{ FILE_OF(GOOD "allowed-groups: [u]\n"), "groups-claim is needed" },
		{ FILE_OF(GOOD "allow-everyone: perhaps\n"), "p.yaml:6:" },
		{ FILE_OF(GOOD "allow-everyone: true\n    timeout-ms: 0\n"),
		    "p.yaml:7:17: 'timeout-ms' must be a number from 1 to 3600000" },
		{ FILE_OF(GOOD "allow-everyone: true\n    client-id: ''\n"), "p.yaml:7:" },
		{ FILE_OF("id: A b\n    label: A\n    issuer: https://a\n    client-id: x\n"
			  "    allow-everyone: true\n"),
		    "p.yaml:2:9: 'id' must be 1 to 63 of" },
		{ FILE_OF("id: development\n    label: A\n    issuer: https://a\n    client-id: x\n"
			  "    allow-everyone: true\n"),
		    "development sign-in" },
		{ FILE_OF("id: a\n    label: A\n    issuer: http://a.example\n    client-id: x\n"
			  "    allow-everyone: true\n    insecure-loopback: true\n"),
		    "p.yaml:4:13: issuer is an https address" },
		{ FILE_OF(GOOD "allow-everyone: true\n  - " GOOD "allow-everyone: true\n"),
		    "p.yaml:7:9: there is a provider \"a\" already" },
	};

	for (size_t i = 0; i < CYG_N(bad); i++) {
		struct oidc_configs *all = NULL;
		struct cyg_err err = { .msg = "" };
		int rc = oidc_configs_parse("p.yaml", cyg_str_of(bad[i].text), &all, &err);
		ck_assert_msg(rc < 0, "%zu is read", i);
		ck_assert_msg(strstr(err.msg, bad[i].message) != NULL, "%zu says: %s", i, err.msg);
		ck_assert_ptr_null(all);
	}
}
END_TEST

/* The second provider of a file begins like the first, with another id. */
#define OTHER                                                                                      \
	"  - id: b\n    label: B\n    issuer: https://b.example\n    client-id: x\n"               \
	"    allow-everyone: true\n"

static void expect_redirects(const char *text, size_t n, const char *const *uris)
{
	struct oidc_configs *all = read_good(text);

	ck_assert_uint_eq(all->n, n);
	for (size_t i = 0; i < n; i++) {
		cyg_autofree char *uri =
		    oidc_config_redirect_uri(all, &all->items[i], CYG_STR("https://h"));
		ck_assert_str_eq(uri, uris[i]);
	}
	ck_assert(oidc_configs_share_callback(all) == (n == 1));
	oidc_configs_free(all);
}

START_TEST(test_several_providers_never_share_a_callback_address)
{
	static const char *const shared[] = { "https://h/hub/oauth_callback" };
	static const char *const own[] = { "https://h/hub/oauth_callback/a",
		"https://h/hub/oauth_callback/b" };

	expect_redirects(FILE_OF(GOOD "allow-everyone: true\n"), 1, shared);
	expect_redirects(FILE_OF(GOOD "allow-everyone: true\n    own-callback: true\n"), 1, own);
	expect_redirects(FILE_OF(GOOD "allow-everyone: true\n") OTHER, 2, own);
	expect_redirects(
	    FILE_OF(GOOD "allow-everyone: true\n    own-callback: false\n") OTHER, 2, own);
}
END_TEST

START_TEST(test_groups_are_matched_whole_and_nothing_else_lets_in)
{
	struct oidc_configs *all = read_good(FILE_OF(GOOD
	    "groups-claim: g\n    allowed-groups: [users, admins]\n    admin-groups: [admins, root]\n"));
	const struct {
		char *groups[4];
		enum oidc_verdict verdict;
	} table[] = {
		{ { NULL }, OIDC_REFUSED },
		{ { (char[]){ "user" }, NULL }, OIDC_REFUSED },
		{ { (char[]){ "Users" }, (char[]){ "users " }, NULL }, OIDC_REFUSED },
		{ { (char[]){ "root" }, NULL }, OIDC_REFUSED },
		{ { (char[]){ "x" }, (char[]){ "users" }, NULL }, OIDC_USER },
		{ { (char[]){ "admins" }, NULL }, OIDC_ADMIN },
		{ { (char[]){ "users" }, (char[]){ "root" }, NULL }, OIDC_ADMIN },
	};

	for (size_t i = 0; i < CYG_N(table); i++)
		ck_assert_int_eq(
		    oidc_config_judge(&all->items[0], table[i].groups), table[i].verdict);
	oidc_configs_free(all);
}
END_TEST

START_TEST(test_everyone_is_everyone_but_no_administrator)
{
	struct oidc_configs *all = read_good(FILE_OF(GOOD "allow-everyone: true\n"));
	char *const nobody[] = { NULL };

	ck_assert_int_eq(oidc_config_judge(&all->items[0], nobody), OIDC_USER);
	oidc_configs_free(all);
}
END_TEST

START_TEST(test_annotated_sample_is_read)
{
	cyg_autobuf struct cyg_buf text;
	struct oidc_configs *all;

	cyg_buf_init(&text, 64 * 1024);
	ck_assert_int_eq(cyg_file_read(AT_FDCWD, "config/providers.yaml", true, &text, NULL), 0);
	all = read_good(text.data);
	ck_assert_str_eq(all->items[0].id, "example");
	oidc_configs_free(all);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hub_oidc");
	TCase *tc = tcase_create("config");

	tcase_add_test(tc, test_a_provider_is_read_with_its_defaults);
	tcase_add_test(tc, test_what_is_wrong_is_said_with_file_and_line);
	tcase_add_test(tc, test_several_providers_never_share_a_callback_address);
	tcase_add_test(tc, test_groups_are_matched_whole_and_nothing_else_lets_in);
	tcase_add_test(tc, test_everyone_is_everyone_but_no_administrator);
	tcase_add_test(tc, test_annotated_sample_is_read);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
