/* What the two policy files allow, and what is refused: reading, deciding, placeholders. */
#include "base/file.h"
#include "base/mem.h"
#include "spawner/core/policy.h"
#include "spawner/core/policy_parts.h"
#include "tests/unit/base/tmp_folder.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct tmp_folder tmp;
static char templates_path[64], stacks_path[64];

#define STACKS                                                                                     \
	"stacks:\n  system: {prefix: /usr}\n  lcg: {prefix: /cvmfs/lcg, setup: /cvmfs/lcg/s.sh}\n"
#define TEMPLATES                                                                                  \
	"templates:\n"                                                                             \
	"  small:\n"                                                                               \
	"    command: [agent, --base-url, '{base_url}']\n"                                         \
	"    memory: 1G\n    memory-max: 4G\n    cores: 1\n    cores-max: 2.5\n"                   \
	"    stacks: [system]\n"                                                                   \
	"  any:\n    command: [agent]\n"

static void setup(void)
{
	tmp_folder_make(&tmp);
	(void)snprintf(templates_path, sizeof(templates_path), "%s/templates.yaml", tmp.path);
	(void)snprintf(stacks_path, sizeof(stacks_path), "%s/stacks.yaml", tmp.path);
}

static void teardown(void)
{
	tmp_folder_remove(&tmp);
}

static int load(const char *templates, const char *stacks, struct policy **p, struct cyg_err *err)
{
	ck_assert_int_eq(
	    cyg_file_write(AT_FDCWD, templates_path, cyg_str_of(templates), 0644, NULL), 0);
	ck_assert_int_eq(cyg_file_write(AT_FDCWD, stacks_path, cyg_str_of(stacks), 0644, NULL), 0);
	return policy_load(templates_path, stacks_path, p, err);
}

static struct spawn_spawn request(void)
{
	struct spawn_spawn r = { .memory_bytes = 0 };

	memcpy(r.server_id, "0123456789abcdef", sizeof(r.server_id));
	memcpy(r.user, "alice", 6);
	memcpy(r.template_, "small", 6);
	memcpy(r.stack, "system", 7);
	memcpy(r.base_url, "/user/alice/", 13);
	return r;
}

static int check(const struct spawn_spawn *r, struct policy_grant *grant, struct cyg_err *err)
{
	struct policy *p;
	int rc;

	ck_assert_int_eq(load(TEMPLATES, STACKS, &p, NULL), 0);
	rc = policy_check(p, r, grant, err);
	policy_free(p);
	return rc;
}

START_TEST(test_defaults_are_granted_when_nothing_is_asked)
{
	struct spawn_spawn r = request();
	struct policy_grant g;

	ck_assert_int_eq(check(&r, &g, NULL), 0);
	ck_assert_uint_eq(g.memory_bytes, 1ULL << 30);
	ck_assert_uint_eq(g.cpu_milli, 1000);
}
END_TEST

START_TEST(test_the_maximum_is_granted_and_one_more_is_not)
{
	struct spawn_spawn r = request();
	struct policy_grant g;
	struct cyg_err err;

	r.memory_bytes = 4ULL << 30;
	r.cpu_milli = 2500;
	ck_assert_int_eq(check(&r, &g, NULL), 0);
	ck_assert_uint_eq(g.memory_bytes, 4ULL << 30);
	r.memory_bytes++;
	ck_assert_int_eq(check(&r, &g, &err), -CYG_ELIMIT);
	ck_assert_ptr_nonnull(strstr(err.msg, "allows 4096 MiB"));
	r.memory_bytes = 0;
	r.cpu_milli++;
	ck_assert_int_eq(check(&r, &g, &err), -CYG_ELIMIT);
	ck_assert_ptr_nonnull(strstr(err.msg, "allows 2.500 cores"));
}
END_TEST

START_TEST(test_a_stack_the_template_does_not_list_is_denied)
{
	struct spawn_spawn r = request();
	struct policy_grant g;

	memcpy(r.stack, "lcg", 4);
	ck_assert_int_eq(check(&r, &g, NULL), -CYG_EDENIED);
	memcpy(r.template_, "any", 4);
	ck_assert_int_eq(check(&r, &g, NULL), 0);
	memcpy(r.stack, "none", 5);
	ck_assert_int_eq(check(&r, &g, NULL), -CYG_EDENIED);
}
END_TEST

static const struct {
	size_t offset;
	const char *value;
} bad[] = {
	{ offsetof(struct spawn_spawn, server_id), "0123456789ABCDEF" },
	{ offsetof(struct spawn_spawn, server_id), "../../etc/passwd" },
	{ offsetof(struct spawn_spawn, server_id), "0123" },
	{ offsetof(struct spawn_spawn, user), "" },
	{ offsetof(struct spawn_spawn, user), "../root" },
	{ offsetof(struct spawn_spawn, user), ".alice" },
	{ offsetof(struct spawn_spawn, user), "a b" },
	{ offsetof(struct spawn_spawn, server), "A" },
	{ offsetof(struct spawn_spawn, base_url), "user/" },
	{ offsetof(struct spawn_spawn, base_url), "/user" },
	{ offsetof(struct spawn_spawn, base_url), "/us\ner/" },
	{ offsetof(struct spawn_spawn, credential), "short" },
	{ offsetof(struct spawn_spawn, user_script), "/etc/profile" },
	{ offsetof(struct spawn_spawn, user_script), "a/../../b" },
	{ offsetof(struct spawn_spawn, user_script), "a\x1b" },
};

START_TEST(test_a_name_that_could_become_a_path_is_refused)
{
	struct spawn_spawn r = request();
	struct policy_grant g;
	char *field = (char *)&r + bad[_i].offset;

	memcpy(field, bad[_i].value, strlen(bad[_i].value) + 1);
	ck_assert_int_eq(check(&r, &g, NULL), -CYG_EINVAL);
}
END_TEST

static const struct {
	const char *templates, *stacks, *words;
} wrong[] = {
	{ "templates:\n  a: {command: x}\n", STACKS,
	    "templates.yaml:2:16: 'command' must be a list" },
	{ "templates:\n  a: {command: []}\n", STACKS,
	    "templates.yaml:2:16: 'command' must be a list of at least 1" },
	{ "templates:\n  A: {command: [x]}\n", STACKS,
	    "templates.yaml:2:3: 'A' cannot be the name of a template" },
	{ "templates:\n  a:\n    command: [x]\n    cores: many\n", STACKS,
	    "yaml:4:12: 'cores' must be" },
	{ "templates:\n  a:\n    command: [x]\n    cores: 0.1234\n", STACKS, "yaml:4:12: 'cores'" },
	{ "templates:\n  a:\n    command: [x]\n    home: /a/../b\n", STACKS,
	    "yaml:4:11: 'home' must be an absolute path (or one that begins with {cache}) without '..'" },
	{ "templates:\n  a:\n    command: [x]\n    home: /a/..\n", STACKS,
	    "yaml:4:11: 'home' must be an absolute path (or one that begins with {cache}) without '..'" },
	{ "templates:\n  a:\n    command: [x]\n    setup-seconds: 0\n", STACKS, "from 1 to 3600" },
	{ "templates:\n  a:\n    command: [x]\n    environment: {A=B: x}\n", STACKS,
	    "templates.yaml:4:18: a variable's name must not be empty or hold '='" },
	{ "templates:\n  a:\n    command: [x]\n    mounts: [{target: /x}]\n", STACKS,
	    "templates.yaml:4:14: the mount needs 'source'" },
	{ TEMPLATES, "stacks:\n  a: {label: x}\n", "stacks.yaml:2:6: the stack needs 'prefix'" },
	{ TEMPLATES, "stacks:\n  a: {prefix: rel}\n",
	    "stacks.yaml:2:15: 'prefix' must be an absolute" },
	{ TEMPLATES, "stacks: {}\n", "stacks.yaml:1:9: 'stacks' must be a map of at least 1" },
	{ TEMPLATES, "stack: {a: {prefix: /x}}\n",
	    "stacks.yaml:1:1: unknown key 'stack', perhaps 'stacks'" },
};

START_TEST(test_a_wrong_file_is_named_with_line_and_reason)
{
	struct policy *p = NULL;
	struct cyg_err err;

	ck_assert_int_lt(load(wrong[_i].templates, wrong[_i].stacks, &p, &err), 0);
	ck_assert_msg(strstr(err.msg, wrong[_i].words) != NULL, "'%s'", err.msg);
	ck_assert_ptr_null(p);
}
END_TEST

START_TEST(test_annotated_samples_are_read)
{
	struct policy *p = NULL;
	struct cyg_err err;

	ck_assert_msg(policy_load("config/templates.yaml", "config/stacks.yaml", &p, &err) == 0,
	    "%s", err.msg);
	ck_assert_str_eq(p->templates[0].name, "notebook");
	policy_free(p);
}
END_TEST

START_TEST(test_a_file_others_can_write_is_refused)
{
	struct policy *p = NULL;

	ck_assert_int_eq(load(TEMPLATES, STACKS, &p, NULL), 0);
	policy_free(p);
	ck_assert_int_eq(chmod(stacks_path, 0664), 0);
	ck_assert_int_eq(policy_load(templates_path, stacks_path, &p, NULL), -CYG_EDENIED);
}
END_TEST

START_TEST(test_placeholders_are_replaced_and_unknown_ones_refused)
{
	const struct policy_places places = { .user = "alice", .home = "/home/alice" };
	char *text;

	ck_assert_int_eq(policy_expand("x{user}y{home}{user}", &places, &text, NULL), 0);
	ck_assert_str_eq(text, "xalicey/home/alicealice");
	free(text);
	ck_assert_int_eq(policy_expand("", &places, &text, NULL), 0);
	ck_assert_str_eq(text, "");
	free(text);
	ck_assert_int_eq(policy_expand("{nobody}", &places, &text, NULL), -CYG_EINVAL);
	ck_assert_int_eq(policy_expand("{user", &places, &text, NULL), -CYG_EINVAL);
	ck_assert_int_eq(policy_expand("{bin}", &places, &text, NULL), -CYG_EINVAL);
}
END_TEST

START_TEST(test_cores_are_read_in_thousandths)
{
	uint32_t milli;

	ck_assert_int_eq(policy_cores_parse(CYG_STR("2"), &milli), 0);
	ck_assert_uint_eq(milli, 2000);
	ck_assert_int_eq(policy_cores_parse(CYG_STR("0.5"), &milli), 0);
	ck_assert_uint_eq(milli, 500);
	ck_assert_int_eq(policy_cores_parse(CYG_STR("1.025"), &milli), 0);
	ck_assert_uint_eq(milli, 1025);
	ck_assert_int_lt(policy_cores_parse(CYG_STR(".5"), &milli), 0);
	ck_assert_int_lt(policy_cores_parse(CYG_STR("1."), &milli), 0);
	ck_assert_int_lt(policy_cores_parse(CYG_STR("-1"), &milli), 0);
	ck_assert_int_lt(policy_cores_parse(CYG_STR("1025"), &milli), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("spawner policy");
	TCase *c = tcase_create("policy");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, test_defaults_are_granted_when_nothing_is_asked);
	tcase_add_test(c, test_the_maximum_is_granted_and_one_more_is_not);
	tcase_add_test(c, test_a_stack_the_template_does_not_list_is_denied);
	tcase_add_loop_test(c, test_a_name_that_could_become_a_path_is_refused, 0, CYG_N(bad));
	tcase_add_loop_test(c, test_a_wrong_file_is_named_with_line_and_reason, 0, CYG_N(wrong));
	tcase_add_test(c, test_annotated_samples_are_read);
	tcase_add_test(c, test_a_file_others_can_write_is_refused);
	tcase_add_test(c, test_placeholders_are_replaced_and_unknown_ones_refused);
	tcase_add_test(c, test_cores_are_read_in_thousandths);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
