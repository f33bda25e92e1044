/* What who-may-what is made of, as rows and objects: users, groups, roles, services and tokens are
 * made, renamed and removed, what hangs on them follows, and a start finds the same. */
#include "base/clock.h"
#include "base/mem.h"
#include "hub/access/credentials.h"
#include "hub/access/group.h"
#include "hub/access/holdings.h"
#include "hub/access/role.h"
#include "hub/access/roles.h"
#include "tests/unit/hub/access_rig.h"

#include <check.h>
#include <string.h>

static bool may(const char *name, enum scope_id id, enum scope_kind kind, const char *target)
{
	const struct scope_target t = { kind, cyg_str_of(target) };
	struct principal p;

	holdings_of_user(access_rig.wing, access_rig_user(name), &access_rig.arena, &p);
	return scope_allows(&p, SCOPE_BIT(id), &t) == SCOPE_ALLOWED;
}

static struct token *token(struct person *p, struct service *s, const char *scope, int64_t expires)
{
	char text[CYG_CREDENTIAL_LEN + 1];
	json_t *scopes = json_pack("[s]", scope);
	const struct token_spec spec = { p, s, scopes, "", expires };
	struct token *t = NULL;

	ck_assert_msg(token_make(access_rig.wing, &spec, text, &t, &access_rig.err) == 0, "%s",
	    access_rig.err.msg);
	json_decref(scopes);
	return t;
}

/* ---- users ---- */

START_TEST(test_a_user_keeps_the_id_through_a_new_name_and_a_start)
{
	struct person *p = access_rig_user("alice");
	int64_t id = p->id;

	(void)token(p, NULL, "inherit", 0);
	ck_assert_int_eq(person_rename(access_rig.wing, p, "anna", &access_rig.err), 0);
	access_rig_again();
	ck_assert_ptr_null(people_find(access_rig.wing, CYG_STR("alice")));
	ck_assert_int_eq(access_rig_user("anna")->id, id);
	ck_assert_uint_eq(access_rig_user("anna")->tokens.n, 1);
}
END_TEST

START_TEST(test_a_removed_users_name_comes_back_with_another_id)
{
	int64_t id = access_rig_user("alice")->id;

	person_remove(access_rig.wing, access_rig_user("alice"));
	access_rig_again();
	ck_assert_int_gt(access_rig_user("alice")->id, id);
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
	const int64_t id = access_rig_user("alice")->id,
		      made_us = access_rig_user("alice")->created_us;
	struct store_former former = { .id = 0 };

	ck_assert_int_eq(
	    person_rename(access_rig.wing, access_rig_user("alice"), "alicia", &access_rig.err), 0);
	person_remove(access_rig.wing, access_rig_user("alicia"));
	access_rig_again();
	ck_assert_int_eq(
	    store_formers_of(access_rig.store, "alice", on_former, &former, &access_rig.err), 0);
	ck_assert_int_eq(former.id, 0);
	ck_assert_int_eq(
	    store_formers_of(access_rig.store, "alicia", on_former, &former, &access_rig.err), 0);
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
	int64_t id = access_rig_user("alice")->id;

	ck_assert_int_eq(people_admit(access_rig.wing, &first, false, &p, &access_rig.err), 0);
	ck_assert_int_eq(p->id, id);
	ck_assert_int_eq(
	    people_admit(access_rig.wing, &other, true, &p, &access_rig.err), -CYG_EEXIST);
	access_rig_again();
	first.name = "changed";
	ck_assert_int_eq(people_admit(access_rig.wing, &first, false, &p, &access_rig.err), 0);
	ck_assert_int_eq(p->id, id);
}
END_TEST

START_TEST(test_the_oldest_session_ends_when_there_are_too_many)
{
	char cookie[CYG_CREDENTIAL_LEN + 1], first[CYG_CREDENTIAL_LEN + 1];
	int64_t now_us = cyg_clock_wall_us();
	struct session *s = sessions_make(access_rig.wing, access_rig_user("alice"), "one", first);

	s->created_us -= 1000;
	for (int i = 0; i < SESSIONS_OF_PERSON; i++)
		(void)sessions_make(access_rig.wing, access_rig_user("alice"), "one", cookie);
	ck_assert_uint_eq(access_rig_user("alice")->sessions.n, SESSIONS_OF_PERSON);
	ck_assert_ptr_null(sessions_find(access_rig.wing, cyg_str_of(first), now_us));
	ck_assert_ptr_nonnull(sessions_find(access_rig.wing, cyg_str_of(cookie), now_us));
	ck_assert(sessions_expire(
	    access_rig.wing, now_us + 2 * (int64_t)access_rig.wing->opts.session_ms * 1000));
	ck_assert_uint_eq(access_rig_user("alice")->sessions.n, 0);
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

	ck_assert_int_eq(people_admit(access_rig.wing, &claim, true, &p, &access_rig.err), 0);
	group_add(access_rig.wing, access_rig_group("course"), p);
	group_add(access_rig.wing, access_rig_group("staff"), p);
	ck_assert_uint_eq(json_array_size(p->groups), 3);
	claim.groups = NULL; /* the provider says nothing any more */
	ck_assert_int_eq(people_admit(access_rig.wing, &claim, true, &p, &access_rig.err), 0);
	ck_assert(person_is_in(p, CYG_STR("staff")) && !person_is_in(p, CYG_STR("physics")));
	access_rig_again();
	p = access_rig_user("alice");
	ck_assert(person_is_in(p, CYG_STR("course")) && person_is_in(p, CYG_STR("staff")));
	group_drop(access_rig.wing, access_rig_group("staff"), p);
	group_remove(access_rig.wing, access_rig_group("course"));
	access_rig_again();
	ck_assert_uint_eq(json_array_size(access_rig_user("alice")->groups), 0);
	ck_assert_ptr_null(groups_find(access_rig.wing, CYG_STR("course")));
	ck_assert_uint_eq(access_rig_group("staff")->members, 0);
	json_decref(claimed);
}
END_TEST

START_TEST(test_a_group_forgets_a_user_who_goes_and_keeps_its_properties)
{
	json_t *properties = json_pack("{s:i}", "quota", 7), *none = json_array();

	group_add(access_rig.wing, access_rig_group("course"), access_rig_user("alice"));
	group_add(access_rig.wing, access_rig_group("course"), access_rig_user("bob"));
	ck_assert_int_eq(group_set_properties(access_rig.wing, access_rig_group("course"),
			     properties, &access_rig.err),
	    0);
	ck_assert_int_eq(group_set_properties(
			     access_rig.wing, access_rig_group("course"), none, &access_rig.err),
	    -CYG_EINVAL);
	person_remove(access_rig.wing, access_rig_user("alice"));
	ck_assert_uint_eq(access_rig_group("course")->members, 1);
	access_rig_again();
	ck_assert_uint_eq(access_rig_group("course")->members, 1);
	ck_assert(json_equal(access_rig_group("course")->properties, properties));
	json_decref(properties);
	json_decref(none);
}
END_TEST

/* ---- roles ---- */

START_TEST(test_a_role_of_a_group_is_its_members_as_long_as_they_are_in_it)
{
	access_rig_role("helper", "servers!group=course");
	group_add(access_rig.wing, access_rig_group("course"), access_rig_user("bob"));
	group_add(access_rig.wing, access_rig_group("helpers"), access_rig_user("alice"));
	ck_assert_int_eq(
	    role_grant(access_rig.wing, "helper", ROLE_OF_GROUP, "helpers", &access_rig.err), 0);
	access_rig_again();
	ck_assert(may("alice", SCOPE_START_SERVERS, SCOPE_SERVER, "bob/"));
	ck_assert(!may("bob", SCOPE_START_SERVERS, SCOPE_SERVER, "alice/"));
	group_drop(access_rig.wing, access_rig_group("course"), access_rig_user("bob"));
	ck_assert(!may("alice", SCOPE_START_SERVERS, SCOPE_SERVER, "bob/"));
	group_add(access_rig.wing, access_rig_group("course"), access_rig_user("bob"));
	group_drop(access_rig.wing, access_rig_group("helpers"), access_rig_user("alice"));
	ck_assert(!may("alice", SCOPE_START_SERVERS, SCOPE_SERVER, "bob/"));
}
END_TEST

START_TEST(test_a_role_that_is_lost_weakens_old_tokens)
{
	const struct scope_target all = { .kind = SCOPE_ALL };
	struct principal p;

	access_rig_role("reader", "read:hub");
	ck_assert_int_eq(role_grant(access_rig.wing, "reader", ROLE_OF_USER,
			     access_rig_user("alice")->name, &access_rig.err),
	    0);
	struct token *t = token(access_rig_user("alice"), NULL, "read:hub", 0);
	holdings_of_token(access_rig.wing, t, &access_rig.arena, &p);
	ck_assert_int_eq(scope_allows(&p, SCOPE_BIT(SCOPE_READ_HUB), &all), SCOPE_ALLOWED);
	role_revoke(access_rig.wing, "reader", ROLE_OF_USER, "alice");
	holdings_of_token(access_rig.wing, t, &access_rig.arena, &p);
	ck_assert_int_eq(scope_allows(&p, SCOPE_BIT(SCOPE_READ_HUB), &all), SCOPE_LACKING);
}
END_TEST

START_TEST(test_roles_follow_their_holders_and_go_with_them)
{
	access_rig_role("reader", "read:hub");
	ck_assert_int_eq(role_grant(access_rig.wing, "reader", ROLE_OF_USER,
			     access_rig_user("alice")->name, &access_rig.err),
	    0);
	ck_assert_int_eq(
	    person_rename(access_rig.wing, access_rig_user("alice"), "anna", &access_rig.err), 0);
	ck_assert(may("anna", SCOPE_READ_HUB, SCOPE_ALL, ""));
	access_rig_again();
	ck_assert(may("anna", SCOPE_READ_HUB, SCOPE_ALL, ""));
	ck_assert(!may("alice", SCOPE_READ_HUB, SCOPE_ALL, ""));
	person_remove(access_rig.wing, access_rig_user("anna"));
	ck_assert(!may("anna", SCOPE_READ_HUB, SCOPE_ALL, ""));
	access_rig_again();
	ck_assert(!may("anna", SCOPE_READ_HUB, SCOPE_ALL, ""));
}
END_TEST

START_TEST(test_a_removed_role_is_nobodys)
{
	access_rig_role("reader", "read:hub");
	access_rig_role("writer", "proxy");
	ck_assert_int_eq(role_grant(access_rig.wing, "reader", ROLE_OF_USER,
			     access_rig_user("alice")->name, &access_rig.err),
	    0);
	ck_assert_int_eq(
	    role_grant(access_rig.wing, "writer", ROLE_OF_USER, "alice", &access_rig.err), 0);
	role_remove(access_rig.wing, "reader");
	ck_assert(!may("alice", SCOPE_READ_HUB, SCOPE_ALL, ""));
	ck_assert(may("alice", SCOPE_PROXY, SCOPE_ALL, ""));
	access_rig_again();
	ck_assert_ptr_null(role_scopes(access_rig.wing, CYG_STR("reader")));
	ck_assert_uint_eq(
	    json_array_size(roles_of(access_rig.wing, ROLE_OF_USER, CYG_STR("alice"))), 1);
}
END_TEST

START_TEST(test_what_is_no_role_is_refused)
{
	json_t *good = json_pack("[s]", "self"), *bad = json_pack("[s]", "write:all");
	json_t *odd = json_pack("[i]", 1);

	ck_assert_int_eq(role_put(access_rig.wing, "X", "", good, &access_rig.err), -CYG_EINVAL);
	ck_assert_int_eq(
	    role_put(access_rig.wing, "admin", "", good, &access_rig.err), -CYG_EINVAL);
	ck_assert_int_eq(
	    role_put(access_rig.wing, "reader", "", bad, &access_rig.err), -CYG_EINVAL);
	ck_assert_int_eq(
	    role_put(access_rig.wing, "reader", "", odd, &access_rig.err), -CYG_EINVAL);
	ck_assert_int_eq(
	    role_grant(access_rig.wing, "reader", ROLE_OF_USER, "alice", &access_rig.err),
	    -CYG_ENOENT);
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

	ck_assert_int_eq(service_make(access_rig.wing, "culler", false, &s, &access_rig.err), 0);
	ck_assert_int_eq(
	    service_make(access_rig.wing, "culler", false, &s, &access_rig.err), -CYG_EEXIST);
	ck_assert_int_eq(
	    service_make(access_rig.wing, "a/b", false, &s, &access_rig.err), -CYG_EINVAL);
	access_rig_role("cull", "list:users");
	ck_assert_int_eq(
	    role_grant(access_rig.wing, "cull", ROLE_OF_SERVICE, "culler", &access_rig.err), 0);
	(void)token(NULL, services_find(access_rig.wing, CYG_STR("culler")), "inherit", 0);
	access_rig_again();
	s = services_find(access_rig.wing, CYG_STR("culler"));
	ck_assert_uint_eq(s->tokens.n, 1);
	holdings_of_token(access_rig.wing,
	    CYG_CONTAINER_OF(cyg_list_first(&s->tokens), struct token, link), &access_rig.arena,
	    &p);
	ck_assert_int_eq(p.kind, PRINCIPAL_SERVICE);
	ck_assert_int_eq(scope_allows(&p, SCOPE_BIT(SCOPE_LIST_USERS), &all), SCOPE_ALLOWED);
	ck_assert_int_eq(scope_allows(&p, SCOPE_BIT(SCOPE_READ_HUB), &all), SCOPE_LACKING);
	service_remove(access_rig.wing, s);
	access_rig_again();
	ck_assert_int_eq(service_make(access_rig.wing, "culler", false, &s, &access_rig.err), 0);
	ck_assert_uint_eq(s->tokens.n, 0);
	ck_assert_ptr_null(roles_of(access_rig.wing, ROLE_OF_SERVICE, CYG_STR("culler")));
}
END_TEST

START_TEST(test_tokens_whose_time_is_over_are_swept)
{
	int64_t now_us = cyg_clock_wall_us();

	(void)token(access_rig_user("alice"), NULL, "self", now_us + 10);
	(void)token(access_rig_user("alice"), NULL, "self", now_us + 1000 * 1000);
	(void)token(access_rig_user("alice"), NULL, "self", 0);
	ck_assert(!tokens_expire(access_rig.wing, now_us));
	ck_assert(tokens_expire(access_rig.wing, now_us + 10));
	ck_assert(!tokens_expire(access_rig.wing, now_us + 10));
	ck_assert_uint_eq(access_rig_user("alice")->tokens.n, 2);
	access_rig_again();
	ck_assert_uint_eq(access_rig_user("alice")->tokens.n, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("access rows");
	TCase *tc = tcase_create("rows");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, access_rig_start, access_rig_stop);
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
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
