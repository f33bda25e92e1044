/* Both ends of the table: what the hub writes, the proxy reads, as a whole and by differences. */
#include "base/mem.h"
#include "hub/link/table.h"
#include "proxy/table.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

enum { FIRST = 1000, USERS = 40, STEPS = 4000 };

static struct hub_table *hub;
static struct cyg_buf text;

static void start(void)
{
	hub = hub_table_new(FIRST);
	cyg_buf_init(&text, CYG_TABLE_MAX);
}

static void stop(void)
{
	hub_table_free(hub);
	cyg_buf_free(&text);
}

static struct table *put(void)
{
	struct table *t = NULL;
	struct cyg_err err = { 0 };

	cyg_buf_reset(&text);
	ck_assert_int_eq(hub_table_write(hub, &text, &err), 0);
	ck_assert_msg(table_parse(cyg_buf_str(&text), &t, &err) == 0, "%s", err.msg);
	return t;
}

static void patch(struct table *t)
{
	struct table_change *c = NULL;
	struct cyg_err err = { 0 };

	if (t->generation == hub_table_generation(hub))
		return;
	cyg_buf_reset(&text);
	ck_assert_int_eq(hub_table_write_since(hub, t->generation, &text, &err), 0);
	ck_assert_msg(
	    table_change_parse(cyg_buf_str(&text), &c, &err) == 0, "%s: %s", err.msg, text.data);
	ck_assert_msg(table_change_check(c, t, &err) == 0, "%s", err.msg);
	table_apply(t, c, NULL);
	table_change_free(c);
}

static void check_same(const struct table *a, const struct table *b)
{
	struct cyg_str key;
	void *row;
	size_t pos = 0;

	ck_assert_uint_eq(a->generation, b->generation);
	ck_assert_uint_eq(a->n_routes, b->n_routes);
	ck_assert_uint_eq(a->n_creds, b->n_creds);
	ck_assert_uint_eq(a->prefix_max, b->prefix_max);
	ck_assert_uint_eq(a->n_hosts, b->n_hosts);
	while (cyg_hash_next(a->routes, &pos, &key, &row))
		ck_assert(table_same_route(row, cyg_hash_find(b->routes, key)));
	pos = 0;
	while (cyg_hash_next(a->creds, &pos, &key, &row))
		ck_assert(table_same_cred(row, cyg_hash_find(b->creds, key)));
}

/* A row of a user, in one of a few forms. */
static void change_at_random(unsigned n)
{
	static const char *const access[] = { "bob", "eve/lab", NULL };
	unsigned user = n * 2654435761U >> 8;
	unsigned form = user / USERS % 6;
	char sum[65], prefix[64], owner[32];

	user %= USERS;
	(void)snprintf(sum, sizeof(sum), "%064x", user);
	(void)snprintf(owner, sizeof(owner), "user%u", user);
	(void)snprintf(prefix, sizeof(prefix), "/user/%%75ser%u/", user);
	if (form == 0)
		(void)hub_table_drop_route(hub, NULL, prefix);
	else if (form == 1)
		(void)hub_table_drop_credential(hub, sum);
	else if (form < 4)
		(void)hub_table_set_route(hub, &(struct hub_route){ .prefix = prefix,
						   .host = n % 7 == 0 ? "Hub.example" : NULL,
						   .target = n % 2 == 0 ? "unix:/a" : "unix:/b",
						   .auth = CYG_ROUTE_AUTH_SESSION,
						   .owner = owner,
						   .name = "lab",
						   .server = "0123456789abcdef" });
	else
		(void)hub_table_set_credential(hub, &(struct hub_credential){ .sha256 = sum,
							.user = owner,
							.expires_s = n % 3,
							.host = n % 5 == 0 ? "Hub.example" : NULL,
							.access = n % 2 == 0 ? access : NULL });
}

START_TEST(test_differences_lead_to_what_the_whole_says)
{
	struct table *follower = put();
	struct table *late = put();

	ck_assert_uint_eq(follower->generation, FIRST);
	for (unsigned n = 0; n < STEPS; n++) {
		change_at_random(n);
		if (n % 3 == 0)
			patch(follower);
		if (n % 100 == 99) {
			struct table *whole = put();

			patch(follower);
			patch(late);
			check_same(whole, follower);
			check_same(whole, late);
			table_free(whole);
			hub_table_forget(hub, late->generation);
		}
	}
	table_free(follower);
	table_free(late);
}
END_TEST

static size_t patch_size(uint64_t from)
{
	cyg_buf_reset(&text);
	ck_assert_int_eq(hub_table_write_since(hub, from, &text, NULL), 0);
	return text.len;
}

static void fill(unsigned n)
{
	char sum[65], user[32];

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(sum, sizeof(sum), "%064x", i);
		(void)snprintf(user, sizeof(user), "user%u", i);
		(void)hub_table_set_credential(
		    hub, &(struct hub_credential){ .sha256 = sum, .user = user });
	}
}

START_TEST(test_a_change_is_as_large_as_what_changed)
{
	char sum[65];
	uint64_t before;

	fill(30000);
	before = hub_table_generation(hub);
	(void)snprintf(sum, sizeof(sum), "%064x", 7U);
	ck_assert(hub_table_drop_credential(hub, sum));
	ck_assert_uint_lt(patch_size(before), 250);
	ck_assert(!hub_table_drop_credential(hub, sum));
	ck_assert(hub_table_set_credential(
	    hub, &(struct hub_credential){ .sha256 = sum, .user = "user7" }));
	/* It went and came again: told once. */
	ck_assert_uint_lt(patch_size(before), 350);
	before = hub_table_generation(hub);
	ck_assert(!hub_table_set_credential(
	    hub, &(struct hub_credential){ .sha256 = sum, .user = "user7" }));
	ck_assert_uint_eq(hub_table_generation(hub), before);
	/* Larger than a table is worth: a PUT. */
	cyg_buf_reset(&text);
	ck_assert_int_eq(hub_table_write_since(hub, FIRST, &text, NULL), -CYG_ELIMIT);
}
END_TEST

START_TEST(test_what_went_is_forgotten_once_everybody_knows)
{
	char sum[65];
	uint64_t before;

	fill(2000);
	before = hub_table_generation(hub);
	for (unsigned i = 0; i < 1900; i++) {
		(void)snprintf(sum, sizeof(sum), "%064x", i);
		(void)hub_table_drop_credential(hub, sum);
	}
	hub_table_forget(hub, before);
	ck_assert_uint_eq(hub_table_n_dropped(hub), 1900);
	hub_table_forget(hub, before + 1000);
	ck_assert_uint_eq(hub_table_n_dropped(hub), 900);
	cyg_buf_reset(&text);
	ck_assert_int_eq(hub_table_write_since(hub, before, &text, NULL), -CYG_ENOENT);
	ck_assert_int_eq(hub_table_write_since(hub, before + 1000, &text, NULL), 0);
	ck_assert_int_eq(
	    hub_table_write_since(hub, hub_table_generation(hub) + 1, &text, NULL), -CYG_ENOENT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("table delta");
	TCase *tc = tcase_create("both ends");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, test_differences_lead_to_what_the_whole_says);
	tcase_add_test(tc, test_a_change_is_as_large_as_what_changed);
	tcase_add_test(tc, test_what_went_is_forgotten_once_everybody_knows);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
