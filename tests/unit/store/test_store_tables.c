/* The tables of the store: what can be done with each, and what hangs on a user. */
#include "store_rig.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static void on_server(void *arg, const void *found)
{
	const struct store_server *row = found;
	struct seen *seen = arg;

	seen->n++;
	(void)snprintf(seen->text, sizeof(seen->text), "%s/%s %s %s %s %s %s %lld", row->user,
	    row->server, row->id, row->state, row->credential, row->options, row->isolation,
	    (long long)row->last_activity_us);
}

START_TEST(test_a_server_keeps_one_row_through_its_lives)
{
	struct seen seen = { 0 };
	struct store_server row = { .user = "alice",
		.server = "",
		.id = "1",
		.state = "queued",
		.credential = "",
		.options = "{}",
		.isolation = "",
		.last_activity_us = 5 };

	(void)rig_add_user("alice");
	store_put(st, &store_servers, &row);
	row.id = "2";
	row.state = "running";
	row.credential = "sum";
	row.isolation = "sandbox";
	store_put(st, &store_servers, &row);
	row = (struct store_server){ .user = "alice", .server = "", .last_activity_us = 9 };
	store_update(st, &store_servers, &row, "last_activity");
	ck_assert_int_eq(store_commit(st, &err), 0);
	rig_reopen();
	ck_assert_int_eq(store_read(st, &store_servers, on_server, &seen, &err), 0);
	ck_assert_int_eq(seen.n, 1);
	ck_assert_str_eq(seen.text, "alice/ 2 running sum {} sandbox 9");
}
END_TEST

static void on_intent(void *arg, const void *found)
{
	const struct store_intent *row = found;
	struct seen *seen = arg;
	size_t len = strlen(seen->text);

	seen->n++;
	(void)snprintf(
	    seen->text + len, sizeof(seen->text) - len, "%s:%s ", row->server_id, row->kind);
}

START_TEST(test_open_intents_are_those_without_an_end)
{
	struct seen seen = { 0 };

	store_intent_begin(st, "1", "spawn", 1);
	store_intent_begin(st, "1", "stop", 2);
	store_intent_begin(st, "2", "spawn", 3);
	store_intent_end(st, "1", "spawn", "done", 4);
	ck_assert_int_eq(store_intents_open(st, on_intent, &seen, &err), 0);
	ck_assert_str_eq(seen.text, "1:stop 2:spawn ");
	store_intent_end(st, "1", "", "gone", 5);
	seen = (struct seen){ 0 };
	ck_assert_int_eq(store_intents_open(st, on_intent, &seen, &err), 0);
	ck_assert_str_eq(seen.text, "2:spawn ");
	store_intents_trim(st, 100);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(rig_number("SELECT count(*) FROM intents"), 1);
}
END_TEST

START_TEST(test_the_usual_time_is_the_median_of_the_newest)
{
	uint32_t ms = 0;

	ck_assert(!store_stage_usual(st, "2026a", "setup", &ms));
	for (uint32_t i = 0; i < 100; i++)
		store_stage_add(st, "2026a", "setup", 100000);
	for (uint32_t i = 1; i <= STORE_USUAL_OF; i++)
		store_stage_add(st, "2026a", "setup", i * 10);
	store_stage_add(st, "2025b", "setup", 7);
	ck_assert(store_stage_usual(st, "2026a", "setup", &ms));
	ck_assert_uint_eq(ms, (STORE_USUAL_OF / 2 + 1) * 10);
	ck_assert(store_stage_usual(st, "2025b", "setup", &ms));
	ck_assert_uint_eq(ms, 7);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(rig_number("SELECT count(*) FROM stage_times"), STORE_USUAL_OF + 1);
}
END_TEST

START_TEST(test_a_choice_is_replaced_by_the_next)
{
	ck_assert_ptr_null(store_choice_find(st, "alice"));
	(void)rig_add_user("alice");
	store_put(st, &store_choices, &(struct store_choice){ "alice", "{\"cores\": 1}" });
	store_put(st, &store_choices, &(struct store_choice){ "alice", "{\"cores\": 2}" });
	char *text = store_choice_find(st, "alice");
	ck_assert_str_eq(text, "{\"cores\": 2}");
	free(text);
}
END_TEST

static void on_end(void *arg, const void *found)
{
	const struct store_end *row = found;
	struct seen *seen = arg;

	seen->n++;
	(void)snprintf(
	    seen->text, sizeof(seen->text), "%s %s %s", row->server, row->cause, row->message);
}

START_TEST(test_the_newest_end_is_told)
{
	static const struct store_end ends[] = {
		{ .user = "alice", .server = "", .cause = "exit", .lines = "[]", .at_us = 5 },
		{ .user = "alice", .server = "a", .cause = "oom", .lines = "[]", .at_us = 9 },
		{ .user = "alice", .server = "b", .cause = "exit", .lines = "[]", .at_us = 9 },
		{ .user = "alice", .server = "c", .cause = "exit", .lines = "[]", .at_us = 7 },
		{ .user = "bob", .server = "", .cause = "exit", .lines = "[]", .at_us = 11 },
	};
	struct seen seen = { 0 };

	(void)rig_add_user("alice");
	(void)rig_add_user("bob");
	for (size_t i = 0; i < CYG_N(ends); i++)
		store_put(st, &store_ends, &ends[i]);
	ck_assert_int_eq(store_end_find(st, "alice", on_end, &seen, &err), 0);
	ck_assert_int_eq(seen.n, 1);
	ck_assert_str_eq(seen.text, "a oom ");
}
END_TEST

START_TEST(test_an_end_is_told_until_it_is_dismissed)
{
	struct seen seen = { 0 };
	struct store_end end = { .user = "alice",
		.server = "",
		.cause = "oom",
		.message = "Out of memory.",
		.lines = "[]",
		.at_us = 1 };

	(void)rig_add_user("alice");
	store_put(st, &store_ends, &end);
	ck_assert_int_eq(store_end_find(st, "alice", on_end, &seen, &err), 0);
	ck_assert_str_eq(seen.text, " oom Out of memory.");
	store_end_dismiss(st, "alice");
	seen = (struct seen){ 0 };
	ck_assert_int_eq(store_end_find(st, "alice", on_end, &seen, &err), 0);
	ck_assert_int_eq(seen.n, 0);
	end.cause = "exit";
	store_put(st, &store_ends, &end);
	ck_assert_int_eq(store_end_find(st, "alice", on_end, &seen, &err), 0);
	ck_assert_int_eq(seen.n, 1);
}
END_TEST

static void on_user(void *arg, const void *found)
{
	const struct store_user *row = found;
	struct seen *seen = arg;

	seen->n++;
	(void)snprintf(seen->text, sizeof(seen->text), "%s %s %s %s %d %lld", row->name,
	    row->provider, row->subject, row->groups, (int)row->admin,
	    (long long)row->last_activity_us);
}

START_TEST(test_a_users_groups_follow_and_who_vouches_does_not)
{
	struct seen seen = { 0 };
	struct store_user user = { .name = "alice",
		.provider = "cern",
		.subject = "s1",
		.groups = "[]",
		.created_us = 1,
		.last_activity_us = 1 };

	user.id = store_add(st, &store_users, &user);
	user.groups = "[\"physics\"]";
	user.provider = "other";
	store_put(st, &store_users, &user);
	user.last_activity_us = 7;
	user.groups = "not written";
	store_update(st, &store_users, &user, "last_activity");
	ck_assert_int_eq(store_commit(st, &err), 0);
	rig_reopen();
	ck_assert_int_eq(store_read(st, &store_users, on_user, &seen, &err), 0);
	ck_assert_str_eq(seen.text, "alice cern s1 [\"physics\"] 0 7");
}
END_TEST

static int64_t remake_user(int64_t id, const char *name)
{
	store_remove(st, &store_users, &(struct store_user){ .id = id });
	return rig_add_user(name);
}

START_TEST(test_the_id_of_a_user_never_returns)
{
	int64_t alice = rig_add_user("alice"), bob = rig_add_user("bob");

	ck_assert_int_gt(bob, alice);
	ck_assert_int_eq(store_commit(st, &err), 0);
	int64_t again = remake_user(bob, "bob");
	ck_assert_int_gt(again, bob);
	ck_assert_int_eq(store_commit(st, &err), 0);
	store_remove(st, &store_users, &(struct store_user){ .id = again });
	ck_assert_int_eq(store_commit(st, &err), 0);
	rig_reopen();
	ck_assert_int_gt(rig_add_user("bob"), again);
}
END_TEST

static void add_what_hangs_on(const char *user)
{
	(void)store_add(
	    st, &store_sessions, &(struct store_session){ .sha256 = "ab", .user = user });
	store_put(st, &store_servers, &(struct store_server){ .user = user, .id = "1" });
	store_put(st, &store_choices, &(struct store_choice){ .user = user });
	store_put(st, &store_ends, &(struct store_end){ .user = user });
	ck_assert_int_eq(store_commit(st, &err), 0);
}

static const char rows_of_user[] = "SELECT (SELECT count(*) FROM sessions WHERE user='bob')"
				   " + (SELECT count(*) FROM servers WHERE user='bob')"
				   " + (SELECT count(*) FROM choices WHERE user='bob')"
				   " + (SELECT count(*) FROM ends WHERE user='bob')";

START_TEST(test_what_hangs_on_a_user_follows_a_new_name)
{
	int64_t id = rig_add_user("alice");

	add_what_hangs_on("alice");
	store_update(st, &store_users, &(struct store_user){ .id = id, .name = "bob" }, "name");
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(rig_number(rows_of_user), 4);
}
END_TEST

START_TEST(test_what_hangs_on_a_user_goes_with_it)
{
	int64_t id = rig_add_user("bob");

	add_what_hangs_on("bob");
	store_remove(st, &store_users, &(struct store_user){ .id = id });
	(void)rig_add_user("bob");
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(rig_number(rows_of_user), 0);
}
END_TEST

START_TEST(test_nothing_hangs_on_a_user_who_is_not_there)
{
	rig_add_session("ab", 10);
	ck_assert_int_lt(store_commit(st, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "FOREIGN KEY"));
}
END_TEST

int main(void)
{
	TCase *tc = rig_case("store tables", rig_set_up, rig_tear_down);

	tcase_add_test(tc, test_a_server_keeps_one_row_through_its_lives);
	tcase_add_test(tc, test_open_intents_are_those_without_an_end);
	tcase_add_test(tc, test_the_usual_time_is_the_median_of_the_newest);
	tcase_add_test(tc, test_a_choice_is_replaced_by_the_next);
	tcase_add_test(tc, test_the_newest_end_is_told);
	tcase_add_test(tc, test_an_end_is_told_until_it_is_dismissed);
	tcase_add_test(tc, test_a_users_groups_follow_and_who_vouches_does_not);
	tcase_add_test(tc, test_the_id_of_a_user_never_returns);
	tcase_add_test(tc, test_what_hangs_on_a_user_follows_a_new_name);
	tcase_add_test(tc, test_what_hangs_on_a_user_goes_with_it);
	tcase_add_test(tc, test_nothing_hangs_on_a_user_who_is_not_there);
	return rig_run(tc);
}
