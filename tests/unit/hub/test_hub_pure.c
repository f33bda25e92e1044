/* The hub's pure parts: the table of moves, the form and the policy, metrics, stages. */
#include "base/mem.h"
#include "hub/base/hub_metrics.h"
#include "hub/base/metrics_requests.h"
#include "hub/offer/policy.h"
#include "hub/server/srv_state.h"
#include "hub/server/stages.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const char yaml[] =
    "stacks:\n"
    "  - {id: new, label: 2026a, kernels: [Python, R], spark: '4.2.0', recommended: true}\n"
    "  - {id: old, kernels: [Python]}\n"
    "  - {id: secret, groups: [physics]}\n"
    "clusters:\n"
    "  - {id: own, label: nxcals}\n"
    "  - {id: big, groups: [spark-users, physics]}\n"
    "profiles:\n"
    "  - {id: course, template: lab, stacks: [old], cores: [1], memory: [1G], groups: [teachers]}\n"
    "  - id: standard\n"
    "    template: lab\n"
    "    stacks: [old, new, secret]\n"
    "    clusters: [own, big]\n"
    "    cores: [1, 2]\n"
    "    cores-default: 2\n"
    "    memory: [2G, 1536M]\n"
    "    default: true\n"
    "    user-script: true\n";

static struct profiles *p;
static struct cyg_err err;

static void set_up(void)
{
	ck_assert_msg(profiles_parse("t.yaml", cyg_str_of(yaml), &p, &err) == 0, "%s", err.msg);
}

static void tear_down(void)
{
	profiles_free(p);
	p = NULL;
}

/* ---- states ---- */

START_TEST(test_every_pair_of_states_moves_as_designed)
{
	static const char *const moves[] = { "stopped>queued", "queued>starting", "queued>stopped",
		"starting>waiting", "starting>stopping", "waiting>running", "waiting>stopping",
		"running>stopping", "stopping>stopped" };
	size_t allowed = 0;

	for (enum srv_state from = 0; from < SRV_STATES; from++) {
		for (enum srv_state to = 0; to < SRV_STATES; to++) {
			char move[40];
			bool listed = false;
			(void)snprintf(
			    move, sizeof(move), "%s>%s", srv_state_name(from), srv_state_name(to));
			for (size_t i = 0; i < CYG_N(moves); i++)
				listed = listed || strcmp(moves[i], move) == 0;
			ck_assert_msg(srv_may_move(from, to) == listed, "%s", move);
			allowed += listed ? 1 : 0;
		}
	}
	ck_assert_uint_eq(allowed, CYG_N(moves));
	ck_assert(!srv_may_move(SRV_STATES, SRV_STOPPED) && !srv_may_move(SRV_STOPPED, SRV_STATES));
}
END_TEST

START_TEST(test_state_names_are_read_back)
{
	for (enum srv_state i = 0; i < SRV_STATES; i++) {
		enum srv_state state = SRV_STATES;
		ck_assert(srv_state_of(cyg_str_of(srv_state_name(i)), &state));
		ck_assert_int_eq((int)state, (int)i);
	}
	enum srv_state none = SRV_STATES;
	ck_assert(!srv_state_of(CYG_STR("dead"), &none));
}
END_TEST

/* ---- the form ---- */

static int read_answers(const char *json, struct choice *c, const char **field)
{
	json_t *root = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	ck_assert_ptr_nonnull(root);
	int code = choice_read(root, p, c, field, &err);
	json_decref(root);
	return code;
}

static const struct {
	const char *json;
	const char *field; /* NULL: accepted */
} answers[] = {
	{ "{}", NULL },
	{ "{\"profile\": \"standard\"}", NULL },
	{ "{\"profile\": \"standard\", \"stack\": \"new\", \"cores\": 1, \"memory_mb\": 1536}",
	    NULL },
	{ "{\"stack\": \"new\", \"cluster\": \"own\"}", NULL },
	{ "{\"stack\": \"new\", \"cluster\": null}", NULL },
	{ "{\"stack\": \"new\", \"cluster\": \"\"}", NULL },
	{ "{\"user_script\": \"~/env.sh\"}", NULL },
	{ "{\"user_script\": \"a/b/c.sh\"}", NULL },
	{ "{\"user_script\": false, \"home_packages\": false}", NULL },
	{ "{\"profile\": \"nothing\"}", "profile" },
	{ "{\"profile\": null}", "profile" },
	{ "{\"profile\": \"standard\\u0000x\"}", "profile" },
	{ "{\"template\": \"root\"}", "profile" },
	{ "[]", "profile" },
	{ "7", "profile" },
	{ "{\"stack\": \"nothing\"}", "stack" },
	{ "{\"profile\": \"course\", \"stack\": \"new\"}", "stack" },
	{ "{\"cores\": 3}", "cores" },
	{ "{\"cores\": 1.0}", "cores" },
	{ "{\"cores\": -1}", "cores" },
	{ "{\"cores\": true}", "cores" },
	{ "{\"cores\": 4294967297}", "cores" },
	{ "{\"memory_mb\": 4096}", "memory_mb" },
	{ "{\"memory_mb\": \"2048\"}", "memory_mb" },
	{ "{\"stack\": \"old\", \"cluster\": \"own\"}", "cluster" },
	{ "{\"stack\": \"new\", \"cluster\": \"nothing\"}", "cluster" },
	{ "{\"profile\": \"course\", \"cluster\": \"own\"}", "cluster" },
	{ "{\"user_script\": \"/etc/profile\"}", "user_script" },
	{ "{\"user_script\": \"../x\"}", "user_script" },
	{ "{\"user_script\": \"~/~/x\"}", "user_script" },
	{ "{\"user_script\": \"a/../../x\"}", "user_script" },
	{ "{\"user_script\": \"a//b\"}", "user_script" },
	{ "{\"user_script\": \"a\\nb\"}", "user_script" },
	{ "{\"user_script\": \"a\\u0000b\"}", "user_script" },
	{ "{\"user_script\": true}", "user_script" },
	{ "{\"profile\": \"course\", \"user_script\": \"x\"}", "user_script" },
	{ "{\"home_packages\": true}", "home_packages" },
	{ "{\"home_packages\": 1}", "home_packages" },
};

START_TEST(test_each_answer_is_taken_or_its_field_is_named)
{
	struct choice c;
	const char *field = NULL;
	int code = read_answers(answers[_i].json, &c, &field);

	if (answers[_i].field == NULL) {
		ck_assert_msg(code == 0, "%s: %s", answers[_i].json, err.msg);
		ck_assert_ptr_null(field);
	} else {
		ck_assert_msg(code == -CYG_EINVAL, "%s", answers[_i].json);
		ck_assert_str_eq(field, answers[_i].field);
		ck_assert_uint_gt(strlen(err.msg), 0);
	}
}
END_TEST

START_TEST(test_no_answer_is_the_default_profiles_defaults)
{
	struct choice c;
	const char *field = NULL;

	ck_assert_int_eq(read_answers("{}", &c, &field), 0);
	ck_assert_str_eq(c.profile, "standard");
	ck_assert_str_eq(c.stack, "new");
	ck_assert_uint_eq(c.cores, 2);
	ck_assert_uint_eq(c.memory_mb, 2048);
	ck_assert_str_eq(c.cluster, "");
}
END_TEST

START_TEST(test_a_choice_written_is_the_choice_read)
{
	struct choice c, again;
	const char *field = NULL;

	ck_assert_int_eq(read_answers("{\"stack\": \"new\", \"cluster\": \"own\", \"cores\": 1, "
				      "\"memory_mb\": 1536, \"user_script\": \"~/a/b.sh\"}",
			     &c, &field),
	    0);
	json_t *root = choice_json(&c);
	ck_assert_int_eq(choice_read(root, p, &again, &field, &err), 0);
	json_decref(root);
	ck_assert_str_eq(again.cluster, "own");
	ck_assert_str_eq(again.user_script, "a/b.sh");
	ck_assert_uint_eq(again.memory_mb, 1536);
}
END_TEST

START_TEST(test_a_choice_in_words)
{
	struct choice c;
	const char *field = NULL;
	char line[CHOICE_LINE_SIZE];

	ck_assert_int_eq(read_answers("{\"stack\": \"new\", \"cluster\": \"own\"}", &c, &field), 0);
	choice_line(&c, p, line);
	ck_assert_str_eq(line, "2026a · Python, R · 2 cores · 2 GB · Spark on nxcals");
	ck_assert_int_eq(
	    read_answers("{\"stack\": \"old\", \"cores\": 1, \"memory_mb\": 1536}", &c, &field), 0);
	choice_line(&c, p, line);
	ck_assert_str_eq(line, "old · Python · 1 core · 1536 MB");
}
END_TEST

/* ---- the policy, as a truth table ---- */

static const struct {
	const char *groups, *json;
	const char *field; /* NULL: allowed */
} rights[] = {
	{ "[]", "{}", NULL },
	{ "[]", "{\"profile\": \"course\"}", "profile" },
	{ "[\"teachers\"]", "{\"profile\": \"course\"}", NULL },
	{ "[\"Teachers\"]", "{\"profile\": \"course\"}", "profile" },
	{ "[\"teachers \"]", "{\"profile\": \"course\"}", "profile" },
	{ "[]", "{\"stack\": \"secret\"}", "stack" },
	{ "[\"physics\"]", "{\"stack\": \"secret\"}", NULL },
	{ "[\"a\", \"physics\"]", "{\"stack\": \"secret\"}", NULL },
	{ "[7, null, [\"physics\"]]", "{\"stack\": \"secret\"}", "stack" },
	{ "[]", "{\"stack\": \"new\", \"cluster\": \"own\"}", NULL },
	{ "[]", "{\"stack\": \"new\", \"cluster\": \"big\"}", "cluster" },
	{ "[\"spark-users\"]", "{\"stack\": \"new\", \"cluster\": \"big\"}", NULL },
	{ "[\"physics\"]", "{\"stack\": \"new\", \"cluster\": \"big\"}", NULL },
};

START_TEST(test_who_may_have_what)
{
	struct choice c;
	const char *field = NULL;
	json_t *groups = json_loads(rights[_i].groups, 0, NULL);
	struct policy_person who = { .user = "alice", .groups = groups };

	ck_assert_int_eq(read_answers(rights[_i].json, &c, &field), 0);
	int code = policy_check(&who, p, &c, &field, &err);
	if (rights[_i].field == NULL) {
		ck_assert_int_eq(code, 0);
	} else {
		ck_assert_int_eq(code, -CYG_EDENIED);
		ck_assert_str_eq(field, rights[_i].field);
		ck_assert_ptr_nonnull(strstr(err.msg, "Needs the group "));
	}
	json_decref(groups);
}
END_TEST

START_TEST(test_nobody_is_in_a_group_without_groups)
{
	struct policy_person who = { .user = "alice", .groups = NULL };

	ck_assert(!policy_is_in(&who, &profiles_find(p, "course")->groups));
	ck_assert_str_eq(policy_default(&who, p)->id, "standard");
}
END_TEST

/* ---- profiles ---- */

static const struct {
	const char *text, *message;
} broken[] = {
	{ "- x\n", "t:1:1: a file of profiles is a map of keys and values" },
	{ "profiles: []\n", "t:1:11: 'profiles' must be a list of 1 to 64" },
	{ "stack: []\n",
	    "t:1:1: unknown key 'stack', perhaps 'stacks'; allowed are stacks, clusters, profiles" },
	{ "profiles:\n  - {template: lab}\n", "t:2" },
	{ "profiles:\n  - {id: A, template: lab}\n", "t:2:10: 'id' must be 1 to 63 of" },
	{ "profiles:\n  - {id: a, stacks: [x], cores: [1], memory: [1G]}\n", "t:2" },
	{ "profiles:\n  - {id: a, template: t, stacks: [x], cores: [1], memory: [1G]}\n",
	    "t:2:34: there is no stack \"x\"" },
	{ "stacks: [{id: x}, {id: x}]\n", "t:1:24: there is a stack \"x\" already" },
	{ "stacks: [{id: x}]\nprofiles:\n  - {id: a, template: t, stacks: [x], cores: [], memory: [1G]}\n",
	    "t:3:46: 'cores' must be a list of 1 to 16, each a number from 1 to 4096" },
	{ "stacks: [{id: x}]\nprofiles:\n  - {id: a, template: t, stacks: [x], cores: [0], memory: [1G]}\n",
	    "t:3:47: 'cores' must be a list of 1 to 16, each a number from 1 to 4096" },
	{ "stacks: [{id: x}]\nprofiles:\n  - {id: a, template: t, stacks: [x], cores: [1], memory: [1K]}\n",
	    "t:3:60: 'memory' must be a list of 1 to 16, each a size such as 512M" },
	{ "stacks: [{id: x}]\nprofiles:\n  - {id: a, template: t, stacks: [], cores: [1], memory: [1G]}\n",
	    "t:3:34: profile \"a\" offers no stack" },
	{ "stacks: [{id: x}]\nprofiles:\n  - {id: a, template: t, stacks: [x], cluster-default: y, cores: [1], memory: [1G]}\n",
	    "t:3:56: 'cluster-default' must be one of clusters" },
	{ "stacks: [{id: x, recommended: perhaps}]\n", "t:1" },
};

START_TEST(test_a_broken_file_is_named_with_its_line)
{
	struct profiles *none = NULL;

	ck_assert_int_lt(profiles_parse("t", cyg_str_of(broken[_i].text), &none, &err), 0);
	ck_assert_msg(strstr(err.msg, broken[_i].message) != NULL, "%s", err.msg);
}
END_TEST

START_TEST(test_annotated_sample_of_profiles_is_read)
{
	struct profiles *sample = NULL;
	int code = profiles_load("config/profiles.yaml", &sample, &err);

	ck_assert_msg(code == 0, "%s", err.msg);
	ck_assert_str_eq(profiles_default(sample)->id, "standard");
	ck_assert_uint_eq(profiles_default(sample)->cores.usual, 2);
	profiles_free(sample);
}
END_TEST

/* ---- metrics ---- */

START_TEST(test_an_endpoint_counts_under_jupyterhub_s_handler)
{
	static const struct {
		const char *path, *handler;
	} known[] = {
		{ "/api/users/{user}", "jupyterhub.apihandlers.users.UserAPIHandler" },
		{ "/api/users/{user}/servers/{server}",
		    "jupyterhub.apihandlers.users.UserServerAPIHandler" },
		{ "/api/users/{user}/servers/{server}/progress",
		    "jupyterhub.apihandlers.users.SpawnProgressAPIHandler" },
		{ "/spawn-pending/{user}", "jupyterhub.handlers.pages.SpawnPendingHandler" },
		{ "/spawn/{user}", "jupyterhub.handlers.pages.SpawnHandler" },
		{ "/api/cygnet/form", "cygnet" },
	};

	for (size_t i = 0; i < CYG_N(known); i++)
		ck_assert_str_eq(
		    metrics_handlers[metrics_handler_of(known[i].path)], known[i].handler);
}
END_TEST

START_TEST(test_table_of_metrics_keeps_its_rules)
{
	for (const struct metric_def *def = hub_metrics; def->name != NULL; def++)
		ck_assert_msg(metric_check(def, &err) == 0, "%s", err.msg);
}
END_TEST

/* ---- stages ---- */

START_TEST(test_stages_of_a_start_add_up)
{
	struct choice c;
	struct stages s;

	choice_default(p, profiles_default(p), &c);
	stages_plan(&s, &c, p);
	ck_assert_uint_eq(s.n, 10);
	ck_assert_ptr_null(stages_find(&s, "user-script"));
	ck_assert_str_eq(stages_find(&s, "setup")->label, "Setting up the environment 2026a");
	ck_assert_int_eq(stages_percent(&s, 0), 0);
	stage_end(stages_find(&s, "home"), STAGE_DONE, 5);
	stage_end(stages_find(&s, "container"), STAGE_DONE, 50);
	stage_end(stages_find(&s, "setup"), STAGE_DONE, 500);
	ck_assert_uint_eq(stages_sum(&s, false), 55);
	ck_assert_uint_eq(stages_sum(&s, true), 500);
	for (size_t i = 0; i < s.n; i++)
		stage_end(&s.list[i], STAGE_DONE, 1);
	ck_assert_int_eq(stages_percent(&s, 0), 99);
	(void)cyg_str_copy(c.user_script, sizeof(c.user_script), CYG_STR("x"));
	stages_plan(&s, &c, p);
	ck_assert_uint_eq(s.n, 11);
}
END_TEST

#define TEN(text) text text text text text text text text text text

START_TEST(test_a_stage_with_a_long_label_is_told)
{
	static const char text[] = "stacks: [{id: s, label: x" TEN(
	    TEN("\xc3\xa9")) "}]\nprofiles: [{id: p, "
			     "template: t, stacks: [s], cores: [1], memory: [1G]}]\n";
	struct profiles *q = NULL;
	struct choice c;
	struct stages s;

	ck_assert_int_eq(profiles_parse("profiles.yaml", CYG_STR(text), &q, &err), 0);
	choice_default(q, profiles_default(q), &c);
	stages_plan(&s, &c, q);
	json_t *event = stage_event(&s, stages_find(&s, "setup"), 0, NULL);
	ck_assert_ptr_nonnull(event);
	ck_assert_ptr_nonnull(json_object_get(event, "cygnet"));
	json_decref(event);
	profiles_free(q);
}
END_TEST

START_TEST(test_a_running_stage_counts_up_to_its_usual_time)
{
	struct choice c;
	struct stages s;

	choice_default(p, profiles_default(p), &c);
	stages_plan(&s, &c, p);
	for (size_t i = 0; i < s.n; i++)
		s.list[i].usual_ms = 100;
	stage_begin(&s.list[0], 1000);
	ck_assert_int_eq(stages_percent(&s, 1050), 5);
	ck_assert_int_eq(stages_percent(&s, 9000), 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hub");
	TCase *tc = tcase_create("pure");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_every_pair_of_states_moves_as_designed);
	tcase_add_test(tc, test_state_names_are_read_back);
	tcase_add_loop_test(
	    tc, test_each_answer_is_taken_or_its_field_is_named, 0, (int)CYG_N(answers));
	tcase_add_test(tc, test_no_answer_is_the_default_profiles_defaults);
	tcase_add_test(tc, test_a_choice_written_is_the_choice_read);
	tcase_add_test(tc, test_a_choice_in_words);
	tcase_add_loop_test(tc, test_who_may_have_what, 0, (int)CYG_N(rights));
	tcase_add_test(tc, test_nobody_is_in_a_group_without_groups);
	tcase_add_test(tc, test_annotated_sample_of_profiles_is_read);
	tcase_add_test(tc, test_an_endpoint_counts_under_jupyterhub_s_handler);
	tcase_add_test(tc, test_table_of_metrics_keeps_its_rules);
	tcase_add_loop_test(tc, test_a_broken_file_is_named_with_its_line, 0, (int)CYG_N(broken));
	tcase_add_test(tc, test_stages_of_a_start_add_up);
	tcase_add_test(tc, test_a_running_stage_counts_up_to_its_usual_time);
	tcase_add_test(tc, test_a_stage_with_a_long_label_is_told);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
