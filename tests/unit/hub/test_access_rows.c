/* What who-may-what is made of, as rows and objects: users, groups, roles, services and tokens are
 * made, renamed and removed, what hangs on them follows, and a start finds the same. */
#include "base/clock.h"
#include "base/mem.h"
#include "hub/access/credentials.h"
#include "hub/access/group.h"
#include "hub/access/holdings.h"
#include "hub/access/role.h"
#include "hub/access/roles.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct store *store;
static struct access *wing;
static char folder[64], path[96];
static struct cyg_arena arena;
static struct cyg_err err;

static void load(void)
{
	struct access_opts opts = { .session_ms = 3600 * 1000 };

	ck_assert_msg(store_open(path, &store, &err) == 0, "%s", err.msg);
	opts.store = store;
	ck_assert_msg(access_open(&opts, &wing, &err) == 0, "%s", err.msg);
}

static void unload(void)
{
	access_free(wing);
	store_close(store);
}

/* What a hub that ends and starts finds. */
static void reload(void)
{
	ck_assert_msg(store_commit(store, &err) == 0, "%s", err.msg);
	unload();
	load();
}

static void setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/cyg-access-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/hub.db", folder);
	cyg_arena_init(&arena);
	load();
}

static void teardown(void)
{
	static const char *const files[] = { "hub.db", "hub.db-wal", "hub.db-shm" };

	unload();
	cyg_arena_free(&arena);
	for (size_t i = 0; i < CYG_N(files); i++) {
		char name[128];
		(void)snprintf(name, sizeof(name), "%s/%s", folder, files[i]);
		(void)unlink(name);
	}
	(void)rmdir(folder);
}

static struct person *user(const char *name)
{
	struct person *p = people_find(wing, cyg_str_of(name));

	if (p == NULL)
		ck_assert_msg(person_make(wing, name, &p, &err) == 0, "%s", err.msg);
	return p;
}

static struct group *group(const char *name)
{
	struct group *g = groups_find(wing, cyg_str_of(name));

	if (g == NULL)
		ck_assert_msg(group_make(wing, name, &g, &err) == 0, "%s", err.msg);
	return g;
}

static void role(const char *name, const char *scope)
{
	json_t *scopes = json_pack("[s]", scope);

	ck_assert_msg(role_put(wing, name, "", scopes, &err) == 0, "%s", err.msg);
	json_decref(scopes);
}

static bool may(const char *name, enum scope_id id, enum scope_kind kind, const char *target)
{
	const struct scope_target t = { kind, cyg_str_of(target) };
	struct principal p;

	holdings_of_user(wing, user(name), &arena, &p);
	return scope_allows(&p, SCOPE_BIT(id), &t) == SCOPE_ALLOWED;
}

static struct token *token(struct person *p, struct service *s, const char *scope, int64_t expires)
{
	char text[CYG_CREDENTIAL_LEN + 1];
	json_t *scopes = json_pack("[s]", scope);
	const struct token_spec spec = { p, s, scopes, "", expires };
	struct token *t = NULL;

	ck_assert_msg(token_make(wing, &spec, text, &t, &err) == 0, "%s", err.msg);
	json_decref(scopes);
	return t;
}

/* ---- users ---- */

START_TEST(test_a_user_keeps_the_id_through_a_new_name_and_a_start)
{
	struct person *p = user("alice");
	int64_t id = p->id;

	(void)token(p, NULL, "inherit", 0);
	ck_assert_int_eq(person_rename(wing, p, "anna", &err), 0);
	reload();
	ck_assert_ptr_null(people_find(wing, CYG_STR("alice")));
	ck_assert_int_eq(user("anna")->id, id);
	ck_assert_uint_eq(user("anna")->tokens.n, 1);
}
END_TEST

START_TEST(test_a_removed_users_name_comes_back_with_another_id)
{
	int64_t id = user("alice")->id;

	person_remove(wing, user("alice"));
	reload();
	ck_assert_int_gt(user("alice")->id, id);
}
END_TEST

static void on_former(void *arg, const void *found)
{
	const struct store_former *row = found;

	*(struct store_former *)arg = *row;
	((struct store_former *)arg)->name = NULL; /* valid until this ends */
}

START_TEST(test_who_had_a_name_is_known_after_the_end)
{
	const int64_t id = user("alice")->id, made_us = user("alice")->created_us;
	struct store_former former = { .id = 0 };

	ck_assert_int_eq(person_rename(wing, user("alice"), "alicia", &err), 0);
	person_remove(wing, user("alicia"));
	reload();
	ck_assert_int_eq(store_formers_of(store, "alice", on_former, &former, &err), 0);
	ck_assert_int_eq(former.id, 0);
	ck_assert_int_eq(store_formers_of(store, "alicia", on_former, &former, &err), 0);
	ck_assert_int_eq(former.id, id);
	ck_assert_int_eq(former.created_us, made_us);
	ck_assert_int_ge(former.deleted_us, made_us);
	ck_assert_int_eq(former.handed_to, 0);
}
END_TEST

START_TEST(test_the_first_provider_that_has_the_name_takes_a_user_whom_nobody_vouches_for)
{
	struct person_claim first = { .provider = "one", .subject = "1", .name = "alice" };
	struct person_claim other = { .provider = "two", .subject = "1", .name = "alice" };
	struct person *p = NULL;
	int64_t id = user("alice")->id;

	ck_assert_int_eq(people_admit(wing, &first, false, &p, &err), 0);
	ck_assert_int_eq(p->id, id);
	ck_assert_int_eq(people_admit(wing, &other, true, &p, &err), -CYG_EEXIST);
	reload();
	first.name = "changed";
	ck_assert_int_eq(people_admit(wing, &first, false, &p, &err), 0);
	ck_assert_int_eq(p->id, id);
}
END_TEST

START_TEST(test_the_oldest_session_ends_when_there_are_too_many)
{
	char cookie[CYG_CREDENTIAL_LEN + 1], first[CYG_CREDENTIAL_LEN + 1];
	int64_t now_us = cyg_clock_wall_us();
	struct session *s = sessions_make(wing, user("alice"), "one", first);

	s->created_us -= 1000;
	for (int i = 0; i < SESSIONS_OF_PERSON; i++)
		(void)sessions_make(wing, user("alice"), "one", cookie);
	ck_assert_uint_eq(user("alice")->sessions.n, SESSIONS_OF_PERSON);
	ck_assert_ptr_null(sessions_find(wing, cyg_str_of(first), now_us));
	ck_assert_ptr_nonnull(sessions_find(wing, cyg_str_of(cookie), now_us));
	ck_assert(sessions_expire(wing, now_us + 2 * (int64_t)wing->opts.session_ms * 1000));
	ck_assert_uint_eq(user("alice")->sessions.n, 0);
}
END_TEST

/* ---- groups ---- */

START_TEST(test_groups_by_hand_stand_beside_those_of_the_provider)
{
	json_t *claimed = json_pack("[s, s]", "physics", "staff");
	struct person_claim claim = {
		.provider = "one", .subject = "1", .name = "alice", .groups = claimed
	};
	struct person *p = NULL;

	ck_assert_int_eq(people_admit(wing, &claim, true, &p, &err), 0);
	group_add(wing, group("course"), p);
	group_add(wing, group("staff"), p);
	ck_assert_uint_eq(json_array_size(p->groups), 3);
	claim.groups = NULL; /* the provider says nothing any more */
	ck_assert_int_eq(people_admit(wing, &claim, true, &p, &err), 0);
	ck_assert(person_is_in(p, CYG_STR("staff")) && !person_is_in(p, CYG_STR("physics")));
	reload();
	p = user("alice");
	ck_assert(person_is_in(p, CYG_STR("course")) && person_is_in(p, CYG_STR("staff")));
	group_drop(wing, group("staff"), p);
	group_remove(wing, group("course"));
	reload();
	ck_assert_uint_eq(json_array_size(user("alice")->groups), 0);
	ck_assert_ptr_null(groups_find(wing, CYG_STR("course")));
	ck_assert_uint_eq(group("staff")->members, 0);
	json_decref(claimed);
}
END_TEST

START_TEST(test_a_group_forgets_a_user_who_goes_and_keeps_its_properties)
{
	json_t *properties = json_pack("{s:i}", "quota", 7), *none = json_array();

	group_add(wing, group("course"), user("alice"));
	group_add(wing, group("course"), user("bob"));
	ck_assert_int_eq(group_set_properties(wing, group("course"), properties, &err), 0);
	ck_assert_int_eq(group_set_properties(wing, group("course"), none, &err), -CYG_EINVAL);
	person_remove(wing, user("alice"));
	ck_assert_uint_eq(group("course")->members, 1);
	reload();
	ck_assert_uint_eq(group("course")->members, 1);
	ck_assert(json_equal(group("course")->properties, properties));
	json_decref(properties);
	json_decref(none);
}
END_TEST

/* ---- roles ---- */

START_TEST(test_a_role_of_a_group_is_its_members_as_long_as_they_are_in_it)
{
	role("helper", "servers!group=course");
	group_add(wing, group("course"), user("bob"));
	group_add(wing, group("helpers"), user("alice"));
	ck_assert_int_eq(role_grant(wing, "helper", ROLE_OF_GROUP, "helpers", &err), 0);
	reload();
	ck_assert(may("alice", SCOPE_START_SERVERS, SCOPE_SERVER, "bob/"));
	ck_assert(!may("bob", SCOPE_START_SERVERS, SCOPE_SERVER, "alice/"));
	group_drop(wing, group("course"), user("bob"));
	ck_assert(!may("alice", SCOPE_START_SERVERS, SCOPE_SERVER, "bob/"));
	group_add(wing, group("course"), user("bob"));
	group_drop(wing, group("helpers"), user("alice"));
	ck_assert(!may("alice", SCOPE_START_SERVERS, SCOPE_SERVER, "bob/"));
}
END_TEST

START_TEST(test_a_role_that_is_lost_weakens_old_tokens)
{
	const struct scope_target all = { .kind = SCOPE_ALL };
	struct principal p;

	role("reader", "read:hub");
	ck_assert_int_eq(role_grant(wing, "reader", ROLE_OF_USER, user("alice")->name, &err), 0);
	struct token *t = token(user("alice"), NULL, "read:hub", 0);
	holdings_of_token(wing, t, &arena, &p);
	ck_assert_int_eq(scope_allows(&p, SCOPE_BIT(SCOPE_READ_HUB), &all), SCOPE_ALLOWED);
	role_revoke(wing, "reader", ROLE_OF_USER, "alice");
	holdings_of_token(wing, t, &arena, &p);
	ck_assert_int_eq(scope_allows(&p, SCOPE_BIT(SCOPE_READ_HUB), &all), SCOPE_LACKING);
}
END_TEST

START_TEST(test_roles_follow_their_holders_and_go_with_them)
{
	role("reader", "read:hub");
	ck_assert_int_eq(role_grant(wing, "reader", ROLE_OF_USER, user("alice")->name, &err), 0);
	ck_assert_int_eq(person_rename(wing, user("alice"), "anna", &err), 0);
	ck_assert(may("anna", SCOPE_READ_HUB, SCOPE_ALL, ""));
	reload();
	ck_assert(may("anna", SCOPE_READ_HUB, SCOPE_ALL, ""));
	ck_assert(!may("alice", SCOPE_READ_HUB, SCOPE_ALL, ""));
	person_remove(wing, user("anna"));
	ck_assert(!may("anna", SCOPE_READ_HUB, SCOPE_ALL, ""));
	reload();
	ck_assert(!may("anna", SCOPE_READ_HUB, SCOPE_ALL, ""));
}
END_TEST

START_TEST(test_a_removed_role_is_nobodys)
{
	role("reader", "read:hub");
	role("writer", "proxy");
	ck_assert_int_eq(role_grant(wing, "reader", ROLE_OF_USER, user("alice")->name, &err), 0);
	ck_assert_int_eq(role_grant(wing, "writer", ROLE_OF_USER, "alice", &err), 0);
	role_remove(wing, "reader");
	ck_assert(!may("alice", SCOPE_READ_HUB, SCOPE_ALL, ""));
	ck_assert(may("alice", SCOPE_PROXY, SCOPE_ALL, ""));
	reload();
	ck_assert_ptr_null(role_scopes(wing, CYG_STR("reader")));
	ck_assert_uint_eq(json_array_size(roles_of(wing, ROLE_OF_USER, CYG_STR("alice"))), 1);
}
END_TEST

START_TEST(test_what_is_no_role_is_refused)
{
	json_t *good = json_pack("[s]", "self"), *bad = json_pack("[s]", "write:all");
	json_t *odd = json_pack("[i]", 1);

	ck_assert_int_eq(role_put(wing, "X", "", good, &err), -CYG_EINVAL);
	ck_assert_int_eq(role_put(wing, "admin", "", good, &err), -CYG_EINVAL);
	ck_assert_int_eq(role_put(wing, "reader", "", bad, &err), -CYG_EINVAL);
	ck_assert_int_eq(role_put(wing, "reader", "", odd, &err), -CYG_EINVAL);
	ck_assert_int_eq(role_grant(wing, "reader", ROLE_OF_USER, "alice", &err), -CYG_ENOENT);
	json_decref(good);
	json_decref(bad);
	json_decref(odd);
}
END_TEST

/* ---- services and tokens ---- */

START_TEST(test_a_service_holds_its_roles_and_its_tokens_go_with_it)
{
	const struct scope_target all = { .kind = SCOPE_ALL };
	struct service *s = NULL;
	struct principal p;

	ck_assert_int_eq(service_make(wing, "culler", false, &s, &err), 0);
	ck_assert_int_eq(service_make(wing, "culler", false, &s, &err), -CYG_EEXIST);
	ck_assert_int_eq(service_make(wing, "a/b", false, &s, &err), -CYG_EINVAL);
	role("cull", "list:users");
	ck_assert_int_eq(role_grant(wing, "cull", ROLE_OF_SERVICE, "culler", &err), 0);
	(void)token(NULL, services_find(wing, CYG_STR("culler")), "inherit", 0);
	reload();
	s = services_find(wing, CYG_STR("culler"));
	ck_assert_uint_eq(s->tokens.n, 1);
	holdings_of_token(
	    wing, CYG_CONTAINER_OF(cyg_list_first(&s->tokens), struct token, link), &arena, &p);
	ck_assert_int_eq(p.kind, PRINCIPAL_SERVICE);
	ck_assert_int_eq(scope_allows(&p, SCOPE_BIT(SCOPE_LIST_USERS), &all), SCOPE_ALLOWED);
	ck_assert_int_eq(scope_allows(&p, SCOPE_BIT(SCOPE_READ_HUB), &all), SCOPE_LACKING);
	service_remove(wing, s);
	reload();
	ck_assert_int_eq(service_make(wing, "culler", false, &s, &err), 0);
	ck_assert_uint_eq(s->tokens.n, 0);
	ck_assert_ptr_null(roles_of(wing, ROLE_OF_SERVICE, CYG_STR("culler")));
}
END_TEST

START_TEST(test_tokens_whose_time_is_over_are_swept)
{
	int64_t now_us = cyg_clock_wall_us();

	(void)token(user("alice"), NULL, "self", now_us + 10);
	(void)token(user("alice"), NULL, "self", now_us + 1000 * 1000);
	(void)token(user("alice"), NULL, "self", 0);
	ck_assert(!tokens_expire(wing, now_us));
	ck_assert(tokens_expire(wing, now_us + 10));
	ck_assert(!tokens_expire(wing, now_us + 10));
	ck_assert_uint_eq(user("alice")->tokens.n, 2);
	reload();
	ck_assert_uint_eq(user("alice")->tokens.n, 2);
}
END_TEST

/* ---- a turn that cannot be written ---- */

/* All that is remembered of groups and roles, as text: the caller frees it. */
static char *picture(void)
{
	static const char *const groups[] = { "course", "staff", "new" };
	static const char *const roles[] = { "reader", "writer", "new" };
	json_t *all = json_array();

	for (size_t i = 0; i < CYG_N(groups); i++) {
		const struct group *g = groups_find(wing, cyg_str_of(groups[i]));
		(void)json_array_append_new(all,
		    json_pack("[s?, I, O?, O?]", g != NULL ? g->name : NULL,
			(json_int_t)(g != NULL ? g->members : 0), g != NULL ? g->properties : NULL,
			roles_of(wing, ROLE_OF_GROUP, cyg_str_of(groups[i]))));
	}
	for (size_t i = 0; i < CYG_N(roles); i++)
		(void)json_array_append_new(
		    all, json_pack("O?", role_scopes(wing, cyg_str_of(roles[i]))));
	(void)json_array_append_new(
	    all, json_pack("[O, O, O?, O]", user("alice")->groups, user("alice")->by_hand,
		     roles_of(wing, ROLE_OF_USER, CYG_STR("alice")), user("bob")->groups));
	char *text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	return text;
}

static void make_group(void)
{
	group_add(wing, group("new"), user("alice"));
}

static void set_properties(void)
{
	json_t *properties = json_pack("{s:i}", "quota", 7);

	ck_assert_int_eq(group_set_properties(wing, group("course"), properties, &err), 0);
	json_decref(properties);
}

static void add_members(void)
{
	group_add(wing, group("staff"), user("alice"));
	group_add(wing, group("course"), user("bob"));
	group_add(wing, group("staff"), user("bob"));
}

static void drop_members(void)
{
	group_drop(wing, group("course"), user("alice"));
	group_add(wing, group("course"), user("alice"));
	group_drop(wing, group("course"), user("alice"));
}

static void remove_group(void)
{
	group_add(wing, group("course"), user("bob"));
	group_remove(wing, group("course"));
}

/* And made again, with nothing of what it was. */
static void remake_group(void)
{
	group_remove(wing, group("course"));
	group_add(wing, group("course"), user("bob"));
}

static void make_roles(void)
{
	role("new", "read:users");
	role("reader", "read:servers");
}

static void grant_roles(void)
{
	ck_assert_int_eq(role_grant(wing, "writer", ROLE_OF_USER, "alice", &err), 0);
	ck_assert_int_eq(role_grant(wing, "writer", ROLE_OF_GROUP, "staff", &err), 0);
}

static void revoke_roles(void)
{
	role_revoke(wing, "reader", ROLE_OF_USER, "alice");
	role_revoke(wing, "reader", ROLE_OF_GROUP, "course");
	ck_assert_int_eq(role_grant(wing, "writer", ROLE_OF_GROUP, "course", &err), 0);
}

static void remove_role(void)
{
	ck_assert_int_eq(role_grant(wing, "writer", ROLE_OF_USER, "alice", &err), 0);
	role_remove(wing, "reader");
}

static void (*const changes[])(void) = { make_group, set_properties, add_members, drop_members,
	remove_group, remake_group, make_roles, grant_roles, revoke_roles, remove_role };

static void make_something(void)
{
	(void)user("bob");
	(void)group("staff");
	role("reader", "read:users");
	role("writer", "admin:users");
	group_add(wing, group("course"), user("alice"));
	ck_assert_int_eq(role_grant(wing, "reader", ROLE_OF_USER, "alice", &err), 0);
	ck_assert_int_eq(role_grant(wing, "reader", ROLE_OF_GROUP, "course", &err), 0);
	reload();
}

/* A row whose key is there cannot be added. */
static void fail_turn(void)
{
	const struct store_role row = { "writer", "", "[]" };

	(void)store_add(store, &store_roles, &row);
	ck_assert_int_lt(store_commit(store, &err), 0);
}

START_TEST(test_a_change_that_cannot_be_written_is_not_remembered)
{
	make_something();
	cyg_autofree char *before = picture();
	changes[_i]();
	fail_turn();
	cyg_autofree char *after = picture();
	ck_assert_str_eq(after, before);
	changes[_i]();
	cyg_autofree char *changed = picture();
	ck_assert_str_ne(changed, before);
	reload();
	cyg_autofree char *found = picture();
	ck_assert_str_eq(found, changed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("access rows");
	TCase *tc = tcase_create("rows");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_a_user_keeps_the_id_through_a_new_name_and_a_start);
	tcase_add_test(tc, test_a_removed_users_name_comes_back_with_another_id);
	tcase_add_test(tc, test_who_had_a_name_is_known_after_the_end);
	tcase_add_test(
	    tc, test_the_first_provider_that_has_the_name_takes_a_user_whom_nobody_vouches_for);
	tcase_add_test(tc, test_the_oldest_session_ends_when_there_are_too_many);
	tcase_add_test(tc, test_groups_by_hand_stand_beside_those_of_the_provider);
	tcase_add_test(tc, test_a_group_forgets_a_user_who_goes_and_keeps_its_properties);
	tcase_add_test(tc, test_a_role_of_a_group_is_its_members_as_long_as_they_are_in_it);
	tcase_add_test(tc, test_a_role_that_is_lost_weakens_old_tokens);
	tcase_add_test(tc, test_roles_follow_their_holders_and_go_with_them);
	tcase_add_test(tc, test_a_removed_role_is_nobodys);
	tcase_add_test(tc, test_what_is_no_role_is_refused);
	tcase_add_test(tc, test_a_service_holds_its_roles_and_its_tokens_go_with_it);
	tcase_add_test(tc, test_tokens_whose_time_is_over_are_swept);
	tcase_add_loop_test(
	    tc, test_a_change_that_cannot_be_written_is_not_remembered, 0, (int)CYG_N(changes));
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
