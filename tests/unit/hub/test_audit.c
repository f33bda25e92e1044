/* The audit's rows: bounded, on disk with their turn or not at all, and none that happened is lost
 * to a disk that could not be written for a while. */
#include "base/clock.h"
#include "hub/access/audit.h"
#include "tests/unit/store/fault_vfs.h"
#include "tests/unit/store/store_rig.h"

#include <sqlite3.h>
#include <string.h>

static struct audit *audit;
static const struct audit_actor alice = { "user:alice", 17 };

static void set_up(void)
{
	fault_vfs_register();
	fault_vfs_set(SQLITE_OK);
	rig_set_up();
	audit = audit_new(st);
}

static void tear_down(void)
{
	fault_vfs_set(SQLITE_OK);
	audit_free(audit);
	rig_tear_down();
}

static int count(void)
{
	return rig_number("SELECT count(*) FROM audit");
}

START_TEST(test_a_row_is_on_disk_with_its_turn)
{
	audit_add(audit, &alice, AUDIT_SERVER_START, "server:alice/", json_pack("{s:s}", "a", "b"));
	ck_assert_int_eq(count(), 0);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(rig_number("SELECT count(*) FROM audit WHERE actor='user:alice' AND "
				    "action='server.start' AND object='server:alice/' AND "
				    "detail='{\"a\":\"b\",\"with_token\":\"a17\"}'"),
	    1);
}
END_TEST

START_TEST(test_what_nobody_asked_for_is_the_hubs)
{
	audit_add(audit, NULL, AUDIT_SERVER_STOP, "server:alice/", NULL);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(
	    rig_number("SELECT count(*) FROM audit WHERE actor='hub' AND detail='{}'"), 1);
}
END_TEST

START_TEST(test_a_deed_that_is_undone_has_no_row_and_later_ones_have_theirs)
{
	fault_vfs_set(SQLITE_FULL);
	audit_add(audit, &alice, AUDIT_SIGN_IN, "user:alice", NULL);
	ck_assert_int_lt(store_commit(st, &err), 0);
	fault_vfs_set(SQLITE_OK);
	audit_repair(audit);
	audit_add(audit, &alice, AUDIT_SIGN_OUT, "user:alice", NULL);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(count(), 1);
	ck_assert_int_eq(rig_number("SELECT count(*) FROM audit WHERE action='sign-out'"), 1);
}
END_TEST

START_TEST(test_what_happened_all_the_same_is_written_when_the_disk_is_back)
{
	fault_vfs_set(SQLITE_FULL);
	audit_add(audit, NULL, AUDIT_SERVER_STOP, "server:alice/", NULL);
	ck_assert_int_lt(store_commit(st, &err), 0);
	audit_repair(audit);
	ck_assert_int_lt(store_commit(st, &err), 0);
	fault_vfs_set(SQLITE_OK);
	audit_repair(audit);
	ck_assert_int_eq(store_commit(st, &err), 0);
	audit_repair(audit);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(count(), 1);
}
END_TEST

START_TEST(test_rows_that_there_was_no_room_for_are_counted)
{
	fault_vfs_set(SQLITE_FULL);
	for (int i = 0; i < AUDIT_KEPT_MAX + 3; i++)
		audit_add(audit, NULL, AUDIT_SERVER_STOP, "server:alice/", NULL);
	ck_assert_int_lt(store_commit(st, &err), 0);
	audit_repair(audit);
	ck_assert_int_lt(store_commit(st, &err), 0);
	fault_vfs_set(SQLITE_OK);
	audit_repair(audit);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(count(), AUDIT_KEPT_MAX + 1);
	ck_assert_int_eq(rig_number("SELECT count(*) FROM audit WHERE action='audit.lost' AND "
				    "detail='{\"rows\":3}'"),
	    1);
}
END_TEST

START_TEST(test_a_detail_that_is_too_long_is_left_out)
{
	char text[CYG_AUDIT_DETAIL_MAX];

	memset(text, 'x', sizeof(text));
	audit_add(
	    audit, &alice, AUDIT_SIGN_IN, "", json_pack("{s:s#}", "x", text, (int)sizeof(text)));
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(
	    rig_number("SELECT count(*) FROM audit WHERE detail='{\"left_out\":\"too long\"}'"), 1);
}
END_TEST

static void check_saying(struct cyg_str text, const char *expected)
{
	json_t *said = audit_saying(text);

	ck_assert_str_eq(json_string_value(said), expected);
	json_decref(said);
}

START_TEST(test_a_text_from_outside_is_bounded_and_printable)
{
	char text[2 * AUDIT_SAYING_MAX];

	check_saying(CYG_STR("10.0.0.1"), "10.0.0.1");
	check_saying(CYG_STR("a\0b\n\x1b[31m\xff\x7f"), "a?b??[31m??");
	check_saying(CYG_STR(""), "");
	memset(text, 'x', sizeof(text));
	json_t *said = audit_saying((struct cyg_str){ text, sizeof(text) });
	ck_assert_uint_eq(json_string_length(said), AUDIT_SAYING_MAX);
	json_decref(said);
}
END_TEST

START_TEST(test_refusals_of_an_hour_are_bounded_and_the_rest_is_counted)
{
	const int64_t hour_us = 3600LL * 1000 * 1000;
	struct audit_window w = { 0 };
	unsigned left_out = 9;

	for (int i = 0; i < AUDIT_REFUSED_MAX; i++)
		ck_assert(audit_window_take(&w, 5, &left_out));
	ck_assert_uint_eq(left_out, 0);
	ck_assert(!audit_window_take(&w, 6, &left_out));
	ck_assert(!audit_window_take(&w, 4 + hour_us, &left_out));
	ck_assert(audit_window_take(&w, 5 + hour_us, &left_out));
	ck_assert_uint_eq(left_out, 2);
	ck_assert(audit_window_take(&w, 5 + hour_us, &left_out));
	ck_assert_uint_eq(left_out, 0);
}
END_TEST

START_TEST(test_a_flood_of_refusals_does_not_fill_the_disk)
{
	for (int i = 0; i < AUDIT_REFUSED_MAX + 5; i++)
		audit_add(audit, &alice, AUDIT_SIGN_IN_REFUSED, "", json_object());
	audit_add(audit, &alice, AUDIT_SIGN_IN, "user:alice", NULL);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(count(), AUDIT_REFUSED_MAX + 1);
}
END_TEST

START_TEST(test_a_page_is_lines_of_json_newest_first)
{
	struct cyg_buf out;

	store_audit_add(st, &(struct store_audit){ .at_us = 1000000,
				.actor = "hub",
				.action = "x",
				.object = "user:a",
				.detail = "{\"n\":1}" });
	store_audit_add(st, &(struct store_audit){ .at_us = 2000000,
				.actor = "hub",
				.action = "y",
				.object = "",
				.detail = "no JSON" });
	ck_assert_int_eq(store_commit(st, &err), 0);
	cyg_buf_init(&out, CYG_AUDIT_PAGE_MAX);
	ck_assert_int_eq(audit_page(st, 0, &out, &err), 0);
	ck_assert_str_eq(out.data,
	    "{\"id\":2,\"at\":\"1970-01-01T00:00:02.000000Z\",\"actor\":\"hub\",\"action\":\"y\","
	    "\"object\":\"\",\"detail\":{}}\n"
	    "{\"id\":1,\"at\":\"1970-01-01T00:00:01.000000Z\",\"actor\":\"hub\",\"action\":\"x\","
	    "\"object\":\"user:a\",\"detail\":{\"n\":1}}\n");
	cyg_buf_reset(&out);
	ck_assert_int_eq(audit_page(st, 1, &out, &err), 0);
	ck_assert_uint_eq(out.len, 0);
	cyg_buf_free(&out);
}
END_TEST

START_TEST(test_every_action_has_a_name)
{
	for (int action = 0; action < AUDIT_ACTIONS; action++)
		ck_assert_ptr_nonnull(audit_action_name((enum audit_action)action));
}
END_TEST

START_TEST(test_without_an_audit_nothing_is_written)
{
	audit_add(NULL, &alice, AUDIT_SIGN_IN, "user:alice", json_object());
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(count(), 0);
}
END_TEST

int main(void)
{
	TCase *tc = rig_case("audit", set_up, tear_down);

	tcase_add_test(tc, test_a_row_is_on_disk_with_its_turn);
	tcase_add_test(tc, test_what_nobody_asked_for_is_the_hubs);
	tcase_add_test(tc, test_a_deed_that_is_undone_has_no_row_and_later_ones_have_theirs);
	tcase_add_test(tc, test_what_happened_all_the_same_is_written_when_the_disk_is_back);
	tcase_add_test(tc, test_rows_that_there_was_no_room_for_are_counted);
	tcase_add_test(tc, test_a_detail_that_is_too_long_is_left_out);
	tcase_add_test(tc, test_a_text_from_outside_is_bounded_and_printable);
	tcase_add_test(tc, test_refusals_of_an_hour_are_bounded_and_the_rest_is_counted);
	tcase_add_test(tc, test_a_flood_of_refusals_does_not_fill_the_disk);
	tcase_add_test(tc, test_a_page_is_lines_of_json_newest_first);
	tcase_add_test(tc, test_every_action_has_a_name);
	tcase_add_test(tc, test_without_an_audit_nothing_is_written);
	return rig_run(tc);
}
