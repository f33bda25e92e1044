/* Messages between hub and spawner: which are well formed, and which names are allowed in them. */
#include "base/mem.h"
#include "base/str.h"
#include "ipc/spawn_codec.h"

#include <check.h>
#include <stdbool.h>
#include <string.h>

START_TEST(test_a_message_of_every_type_passes_and_its_neighbours_do_not)
{
	static const size_t sizes[SPAWN_TYPES] = { [SPAWN_HELLO] = sizeof(struct spawn_hello),
		[SPAWN_SPAWN] = sizeof(struct spawn_spawn),
		[SPAWN_STOP] = sizeof(struct spawn_stop),
		[SPAWN_LIST] = sizeof(struct spawn_head),
		[SPAWN_STAT] = sizeof(struct spawn_stop),
		[SPAWN_PING] = sizeof(struct spawn_head),
		[SPAWN_REPLY] = sizeof(struct spawn_reply),
		[SPAWN_ITEM] = sizeof(struct spawn_item),
		[SPAWN_STAGE] = sizeof(struct spawn_stage),
		[SPAWN_TAIL] = sizeof(struct spawn_tail),
		[SPAWN_GONE] = sizeof(struct spawn_gone),
		[SPAWN_TEMPLATE] = sizeof(struct spawn_template),
		[SPAWN_HAND_OVER] = sizeof(struct spawn_hand_over),
		[SPAWN_METRICS] = sizeof(struct spawn_head),
		[SPAWN_COUNTS] = sizeof(struct spawn_counts) };
	static uint64_t words[2048];
	struct spawn_head *head = (struct spawn_head *)(void *)words;
	const struct spawn_head *checked;
	size_t len = sizes[_i];

	memset(words, 0, sizeof(words));
	if (_i == SPAWN_SPAWN)
		((struct spawn_spawn *)(void *)words)->user_id = 1;
	if (_i == SPAWN_HAND_OVER)
		((struct spawn_hand_over *)(void *)words)->from_id = 1;
	if (_i == SPAWN_HAND_OVER)
		((struct spawn_hand_over *)(void *)words)->to_id = 2;
	spawn_msg_init(head, (enum spawn_type)_i, len, 7);
	ck_assert_int_eq(spawn_msg_check(words, len, &checked, NULL), 0);
	ck_assert_ptr_eq(checked, head);
	ck_assert_int_eq(spawn_msg_check(words, len - 1, &checked, NULL), -CYG_EPROTO);
	ck_assert_int_eq(spawn_msg_check(words, len + 1, &checked, NULL), -CYG_EPROTO);
	head->version++;
	ck_assert_int_eq(spawn_msg_check(words, len, &checked, NULL), -CYG_EPROTO);
	head->version--;
	head->magic ^= 1;
	ck_assert_int_eq(spawn_msg_check(words, len, &checked, NULL), -CYG_EPROTO);
}
END_TEST

START_TEST(test_a_text_without_end_is_refused)
{
	struct spawn_stop m = { .grace_ms = 1 };
	const struct spawn_head *head;

	spawn_msg_init(&m.head, SPAWN_STOP, sizeof(m), 1);
	memset(m.server_id, 'a', sizeof(m.server_id));
	ck_assert_int_eq(spawn_msg_check(&m, sizeof(m), &head, NULL), -CYG_EPROTO);
	m.server_id[CYG_SERVER_ID_LEN] = '\0';
	ck_assert_int_eq(spawn_msg_check(&m, sizeof(m), &head, NULL), 0);
}
END_TEST

START_TEST(test_a_request_without_number_and_an_unknown_type_are_refused)
{
	struct spawn_head m;
	const struct spawn_head *head;

	spawn_msg_init(&m, SPAWN_PING, sizeof(m), 0);
	ck_assert_int_eq(spawn_msg_check(&m, sizeof(m), &head, NULL), -CYG_EPROTO);
	spawn_msg_init(&m, SPAWN_TYPES, sizeof(m), 1);
	ck_assert_int_eq(spawn_msg_check(&m, sizeof(m), &head, NULL), -CYG_EPROTO);
	m.type = 0;
	ck_assert_int_eq(spawn_msg_check(&m, sizeof(m), &head, NULL), -CYG_EPROTO);
	ck_assert_int_eq(spawn_msg_check(&m, 3, &head, NULL), -CYG_EPROTO);
}
END_TEST

static const struct {
	struct spawn_address address;
	bool good;
} addresses[] = {
	{ { SPAWN_ADDRESS_NONE, 0, "" }, true },
	{ { SPAWN_ADDRESS_UNIX, 0, "/run/x.sock" }, true },
	{ { SPAWN_ADDRESS_TCP, 8888, "10.0.0.7" }, true },
	{ { SPAWN_ADDRESS_NONE, 1, "" }, false },
	{ { SPAWN_ADDRESS_NONE, 0, "/x" }, false },
	{ { SPAWN_ADDRESS_UNIX, 0, "x.sock" }, false },
	{ { SPAWN_ADDRESS_UNIX, 80, "/x" }, false },
	{ { SPAWN_ADDRESS_TCP, 0, "host" }, false },
	{ { SPAWN_ADDRESS_TCP, 65536, "host" }, false },
	{ { SPAWN_ADDRESS_TCP, 80, "" }, false },
	{ { SPAWN_ADDRESS_TCP + 1, 80, "host" }, false },
};

START_TEST(test_an_address_is_of_one_of_its_kinds)
{
	struct spawn_reply m = { .address = addresses[_i].address };
	const struct spawn_head *head;

	spawn_msg_init(&m.head, SPAWN_REPLY, sizeof(m), 1);
	ck_assert_int_eq(
	    spawn_msg_check(&m, sizeof(m), &head, NULL), addresses[_i].good ? 0 : -CYG_EPROTO);
}
END_TEST

static const struct {
	uint64_t from_id, to_id;
	const char *from_name;
	bool good;
} givers[] = {
	{ 1, 2, "", true },
	{ 0, 2, "alice", true },
	{ 0, 2, "", false },
	{ 1, 2, "alice", false },
	{ 1, 0, "", false },
	{ 1, 1ULL << 63, "", false },
};

START_TEST(test_who_hands_over_is_an_id_or_an_old_name)
{
	struct spawn_hand_over m = { .from_id = givers[_i].from_id, .to_id = givers[_i].to_id };
	const struct spawn_head *head;

	(void)cyg_str_copy(m.from_name, sizeof(m.from_name), cyg_str_of(givers[_i].from_name));
	spawn_msg_init(&m.head, SPAWN_HAND_OVER, sizeof(m), 1);
	ck_assert_int_eq(
	    spawn_msg_check(&m, sizeof(m), &head, NULL), givers[_i].good ? 0 : -CYG_EPROTO);
}
END_TEST

/* ---- names ---- */

static const struct {
	const char *name;
	bool good;
} names[] = {
	{ "alice", true },
	{ "a.b_c-1", true },
	{ "0", true },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true }, /* 63 */
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
	{ "", false },
	{ ".a", false },
	{ "-a", false },
	{ "Alice", false },
	{ "a@b", false },
	{ "a/b", false },
	{ "a b", false },
	{ "\xc3\xa9", false },
};

START_TEST(test_a_name_is_allowed_by_its_kind_wherever_it_is_asked)
{
	for (enum spawn_name kind = 0; kind < SPAWN_NAMES; kind++)
		ck_assert_int_eq(
		    spawn_name_check(kind, names[_i].name, NULL), names[_i].good ? 0 : -CYG_EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("spawn messages");
	TCase *c = tcase_create("pure");
	SRunner *r;
	int failed;

	tcase_add_loop_test(
	    c, test_a_message_of_every_type_passes_and_its_neighbours_do_not, 1, SPAWN_TYPES);
	tcase_add_test(c, test_a_text_without_end_is_refused);
	tcase_add_test(c, test_a_request_without_number_and_an_unknown_type_are_refused);
	tcase_add_loop_test(c, test_an_address_is_of_one_of_its_kinds, 0, (int)CYG_N(addresses));
	tcase_add_loop_test(c, test_who_hands_over_is_an_id_or_an_old_name, 0, (int)CYG_N(givers));
	tcase_add_loop_test(
	    c, test_a_name_is_allowed_by_its_kind_wherever_it_is_asked, 0, (int)CYG_N(names));
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
