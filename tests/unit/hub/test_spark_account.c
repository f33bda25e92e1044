/* The account of Spark: which reports are taken, for whose group they count, and that neither
 * names nor numbers from a server make the metrics grow or break. */
#include "base/mem.h"
#include "hub/api/spark_report.h"
#include "hub/base/hub_metrics.h"
#include "hub/offer/policy.h"
#include "hub/server/srv.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char offered[] = "stacks:\n  - id: new\n    spark: \"4.2.0\"\n"
			      "clusters:\n  - id: own\n  - id: big\n"
			      "    groups: [spark-users, physics]\n"
			      "profiles:\n  - id: standard\n    template: lab\n    stacks: [new]\n"
			      "    clusters: [own, big]\n    cores: [1]\n    memory: [1G]\n"
			      "    groups: [staff, teachers]\n";

static struct profiles *profiles;
static struct metrics *metrics;
static struct spark_account *account;

static void set_up(void)
{
	struct cyg_err err;

	if (profiles_parse("test", cyg_str_of(offered), &profiles, &err) < 0)
		ck_abort_msg("%s", err.msg);
	metrics = metrics_new(hub_metrics);
	account = spark_account_new(profiles, metrics);
}

static void tear_down(void)
{
	spark_account_free(account);
	metrics_free(metrics);
	profiles_free(profiles);
}

/* ---- the reader ---- */

static int read_report(const char *text, struct spark_report *r, json_t **body, struct cyg_err *err)
{
	*body = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	return spark_report_read(*body, r, err);
}

START_TEST(test_a_report_is_read_whole)
{
	struct spark_report r;
	struct cyg_err err;
	json_t *body;

	ck_assert_int_eq(
	    read_report("{\"cluster\": \"own\", \"cores\": 8, \"core_seconds\": 1.5, \"ended\": "
			"[{\"session\": \"s-1\", \"flavour\": \"connect\", \"why\": \"It ended.\", "
			"\"seconds\": 7}, {\"session\": \"s-2\", \"cluster\": \"big\", "
			"\"flavour\": \"classic\", \"why\": \"x\"}], \"later\": 1}",
		&r, &body, &err),
	    0);
	ck_assert_str_eq(r.cluster, "own");
	ck_assert(r.figures.told[ACCOUNT_CORES] && !r.figures.told[ACCOUNT_APPS]);
	ck_assert(fabs(r.figures.gauges[ACCOUNT_CORES] - 8) < 1e-9);
	ck_assert(fabs(r.figures.counters[ACCOUNT_CORE_SECONDS] - 1.5) < 1e-9);
	ck_assert_uint_eq(r.n_ended, 2);
	ck_assert_str_eq(r.ended[0].cluster, "own");
	ck_assert_str_eq(r.ended[1].cluster, "big");
	ck_assert_int_eq(r.ended[0].seconds, 7);
	ck_assert_int_eq(r.ended[0].flavour, SPARK_FLAVOUR_CONNECT);
	json_decref(body);
}
END_TEST

static const struct {
	const char *text, *sentence;
} refused[] = {
	{ "[]", "must be a JSON object" },
	{ "{}", "cluster must be a text of 1 to 63 bytes" },
	{ "{\"cluster\": \"\"}", "cluster must be a text" },
	{ "{\"cluster\": 7}", "cluster must be a text" },
	{ "{\"cluster\": \"a\", \"sessions\": -1}",
	    "sessions must be a whole number from 0 to 1000" },
	{ "{\"cluster\": \"a\", \"cores\": 1000001}", "cores must be a whole number" },
	{ "{\"cluster\": \"a\", \"cores\": 1.0}", "cores must be a whole number" },
	{ "{\"cluster\": \"a\", \"apps\": null}", "apps must be a whole number" },
	{ "{\"cluster\": \"a\", \"executors\": \"1\"}", "executors must be a whole number" },
	{ "{\"cluster\": \"a\", \"core_seconds\": -0.1}", "core_seconds must be a number" },
	{ "{\"cluster\": \"a\", \"core_seconds\": 1e300}", "core_seconds must be a number" },
	{ "{\"cluster\": \"a\", \"core_seconds\": true}", "core_seconds must be a number" },
	{ "{\"cluster\": \"a\", \"input_bytes\": 9223372036854775807}", "input_bytes must be" },
	{ "{\"cluster\": \"a\", \"shuffle_read_bytes\": 1e3}", "shuffle_read_bytes must be" },
	{ "{\"cluster\": \"a\", \"ended\": {}}", "ended must be a list of at most 32 sessions" },
	{ "{\"cluster\": \"a\", \"ended\": [7]}", "ended[0]: session must be a text" },
	{ "{\"cluster\": \"a\", \"ended\": [{\"session\": \"a/b\"}]}", "session may hold letters" },
	{ "{\"cluster\": \"a\", \"ended\": [{\"session\": \"a\"}]}", "flavour must be classic" },
	{ "{\"cluster\": \"a\", \"ended\": [{\"session\": \"a\", \"flavour\": \"connect\"}]}",
	    "why must be a text of 1 to 1000 bytes" },
	{ "{\"cluster\": \"a\", \"ended\": [{\"session\": \"a\", \"flavour\": \"connect\", "
	  "\"why\": \"x\", \"seconds\": -1}]}",
	    "seconds must be a whole number" },
	{ "{\"cluster\": \"a\", \"ended\": [{\"session\": \"a\", \"flavour\": \"connect\", "
	  "\"why\": \"x\", \"cluster\": null}]}",
	    "cluster must be a text" },
};

START_TEST(test_a_wrong_report_is_refused_by_member)
{
	struct spark_report r;
	struct cyg_err err;
	json_t *body;

	ck_assert_int_lt(read_report(refused[_i].text, &r, &body, &err), 0);
	if (strstr(err.msg, refused[_i].sentence) == NULL)
		ck_abort_msg("'%s' for %s", err.msg, refused[_i].text);
	json_decref(body);
}
END_TEST

START_TEST(test_more_ends_than_a_report_may_hold_are_refused)
{
	json_t *list = json_array();
	json_t *body = json_pack("{s:s, s:o}", "cluster", "own", "ended", list);
	struct spark_report r;
	struct cyg_err err;

	for (size_t i = 0; i < SPARK_REPORT_ENDED_MAX; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s}", "session", "a", "flavour", "classic", "why", "x"));
	ck_assert_int_eq(spark_report_read(body, &r, &err), 0);
	(void)json_array_append(list, json_array_get(list, 0));
	ck_assert_int_lt(spark_report_read(body, &r, &err), 0);
	json_decref(body);
}
END_TEST

/* ---- whose group ---- */

static const struct {
	const char *groups, *cluster, *group;
} whose[] = {
	{ "[]", "own", "" },
	{ "null", "big", "" },
	{ "[7, null]", "own", "" },
	{ "[\"zoo\", \"astro\"]", "own", "astro" },
	{ "[\"astro\", \"teachers\"]", "own", "teachers" },
	{ "[\"teachers\", \"staff\"]", "own", "staff" },
	{ "[\"astro\", \"staff\", \"physics\"]", "big", "physics" },
	{ "[\"physics\", \"spark-users\"]", "big", "spark-users" },
	{ "[\"astro\", \"staff\"]", "big", "staff" },
	{ "[\"staff\"]", "none", "staff" },
};

START_TEST(test_use_counts_for_the_group_that_a_rule_names_first)
{
	json_t *groups = json_loads(whose[_i].groups, JSON_DECODE_ANY, NULL);
	const struct policy_person who = { .groups = groups };

	ck_assert_str_eq(policy_account_group(&who, profiles_find(profiles, "standard"),
			     profiles_find_cluster(profiles, whose[_i].cluster)),
	    whose[_i].group);
	json_decref(groups);
}
END_TEST

START_TEST(test_without_a_profile_the_first_group_by_name_counts)
{
	json_t *groups = json_pack("[s, s]", "b", "a");
	const struct policy_person who = { .groups = groups };

	ck_assert_str_eq(policy_account_group(&who, NULL, NULL), "a");
	json_decref(groups);
}
END_TEST

/* ---- the sums ---- */

static struct srv make_server(const char *id)
{
	struct srv srv = { .state = SRV_RUNNING };

	(void)cyg_str_copy(srv.id, sizeof(srv.id), cyg_str_of(id));
	(void)cyg_str_copy(srv.choice.profile, sizeof(srv.choice.profile), CYG_STR("standard"));
	return srv;
}

static void report(const struct srv *srv, const char *cluster, const char *group, double cores)
{
	json_t *groups = json_pack("[s]", group);
	const struct account_of of = { .srv = srv, .groups = groups, .cluster = cluster };
	const struct account_figures figures = { .gauges = { [ACCOUNT_CORES] = cores },
		.told = { [ACCOUNT_CORES] = true },
		.counters = { [ACCOUNT_INPUT_BYTES] = 100 } };

	spark_account_report(account, &of, &figures);
	json_decref(groups);
}

/* The text of a scrape, to be freed. */
static char *scrape(void)
{
	struct cyg_buf out;

	cyg_buf_init(&out, METRICS_TEXT_MAX);
	spark_account_set_gauges(account);
	ck_assert_int_eq(metrics_write(metrics, &out, NULL), 0);
	return cyg_buf_take(&out, NULL);
}

static void expect(const char *line, bool is_there)
{
	cyg_autofree char *text = scrape();

	if ((strstr(text, line) != NULL) != is_there)
		ck_abort_msg("%s '%s' in:\n%s", is_there ? "no" : "there is", line, text);
}

START_TEST(test_servers_of_a_group_are_summed_and_one_that_stops_is_not)
{
	struct srv one = make_server("00000000000000a1");
	struct srv two = make_server("00000000000000a2");
	const struct srv_moved moved = { .srv = &one, .from = SRV_STOPPING };

	report(&one, "own", "staff", 4);
	report(&two, "own", "staff", 3);
	report(&two, "big", "physics", 2);
	expect("\ncygnet_hub_spark_cores{cluster=\"own\",group=\"staff\"} 7\n", true);
	report(&one, "own", "staff", 5);
	expect("\ncygnet_hub_spark_cores{cluster=\"own\",group=\"staff\"} 8\n", true);
	srv_on_moved_spark(account, &moved);
	expect("\ncygnet_hub_spark_cores{cluster=\"own\",group=\"staff\"} 8\n", true);
	one.state = SRV_STOPPED;
	srv_on_moved_spark(account, &moved);
	expect("\ncygnet_hub_spark_cores{cluster=\"own\",group=\"staff\"} 3\n", true);
	expect("\ncygnet_hub_spark_cores{cluster=\"big\",group=\"physics\"} 2\n", true);
	expect("\ncygnet_hub_spark_input_bytes_total{cluster=\"own\",group=\"staff\"} 300\n", true);
	report(&two, "own", "staff", 0);
	expect("cygnet_hub_spark_cores{cluster=\"own\"", false);
}
END_TEST

START_TEST(test_a_gauge_that_is_not_told_stays)
{
	struct srv one = make_server("00000000000000a1");
	const struct account_of of = { .srv = &one, .cluster = "own" };
	const struct account_figures first = {
		.gauges = { [ACCOUNT_APPS] = 2, [ACCOUNT_CORES] = 4 },
		.told = { [ACCOUNT_APPS] = true, [ACCOUNT_CORES] = true }
	};
	const struct account_figures second = { .told = { [ACCOUNT_APPS] = true } };

	spark_account_report(account, &of, &first);
	spark_account_report(account, &of, &second);
	expect("\ncygnet_hub_spark_cores{cluster=\"own\",group=\"\"} 4\n", true);
	expect("\ncygnet_hub_spark_apps{cluster=\"own\",group=\"\"} 0\n", true);
}
END_TEST

static size_t count(const char *text, const char *needle)
{
	size_t n = 0;

	while ((text = strstr(text, needle)) != NULL) {
		text += strlen(needle);
		n++;
	}
	return n;
}

START_TEST(test_many_groups_and_unknown_clusters_do_not_make_the_metrics_grow)
{
	char group[32], cluster[32];

	for (int i = 0; i < 200; i++) {
		const struct account_of of = { .cluster = cluster };

		(void)snprintf(group, sizeof(group), "g%03d", i);
		(void)snprintf(cluster, sizeof(cluster), "c%03d", i);
		struct srv srv = make_server("00000000000000a1");
		report(&srv, "own", group, 1);
		spark_account_connect(account, &of, HUB_FAILURE);
	}
	cyg_autofree char *text = scrape();
	/* Four places are taken by the groups that rules name. */
	ck_assert_uint_eq(count(text, "\ncygnet_hub_spark_input_bytes_total{"), 12 + 1);
	ck_assert_ptr_nonnull(strstr(
	    text, "\ncygnet_hub_spark_input_bytes_total{cluster=\"own\",group=\"other\"} 18800\n"));
	ck_assert_uint_eq(count(text, "\ncygnet_hub_spark_connects_total{"), 1);
	ck_assert_ptr_nonnull(strstr(text,
	    "\ncygnet_hub_spark_connects_total{cluster=\"other\",group=\"\",result=\"failure\"} "
	    "200\n"));
}
END_TEST

START_TEST(test_the_largest_reports_without_end_stay_numbers)
{
	struct srv one = make_server("00000000000000a1");
	const struct account_of of = { .srv = &one, .cluster = "own" };
	const struct account_figures most = { .counters = {
						  [ACCOUNT_INPUT_BYTES] = (double)(1LL << 50) } };

	for (int i = 0; i < 100000; i++)
		spark_account_report(account, &of, &most);
	const struct metric_at at = hub_metrics_spark_at(metrics, "own", "");
	ck_assert(isfinite(metrics_get(metrics, HUB_SPARK_INPUT_BYTES, at)));
	ck_assert(metrics_get(metrics, HUB_SPARK_INPUT_BYTES, at) > 1e20);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("spark_account");
	TCase *tc = tcase_create("spark_account");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_a_report_is_read_whole);
	tcase_add_loop_test(tc, test_a_wrong_report_is_refused_by_member, 0, (int)CYG_N(refused));
	tcase_add_test(tc, test_more_ends_than_a_report_may_hold_are_refused);
	tcase_add_loop_test(
	    tc, test_use_counts_for_the_group_that_a_rule_names_first, 0, (int)CYG_N(whose));
	tcase_add_test(tc, test_without_a_profile_the_first_group_by_name_counts);
	tcase_add_test(tc, test_servers_of_a_group_are_summed_and_one_that_stops_is_not);
	tcase_add_test(tc, test_a_gauge_that_is_not_told_stays);
	tcase_add_test(tc, test_many_groups_and_unknown_clusters_do_not_make_the_metrics_grow);
	tcase_add_test(tc, test_the_largest_reports_without_end_stay_numbers);
	suite_add_tcase(s, tc);
	SRunner *runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
