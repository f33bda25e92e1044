/* The spawner's smaller parts: messages, records, uids, control groups on a fake tree, init's
 * lines, process identity. */
#include "base/file.h"
#include "base/mem.h"
#include "ipc/spawn_codec.h"
#include "spawner/local/cgroup.h"
#include "spawner/local/local.h"
#include "spawner/local/process.h"
#include "spawner/local/record.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ID "0123456789abcdef"

static char folder[] = "/tmp/cyg-parts-XXXXXX";
static int dir = -1;

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir, 0);
}

static void teardown(void)
{
	ck_assert_int_eq(cyg_file_remove_tree(AT_FDCWD, folder, NULL), 0);
	cyg_close(dir);
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
}

static void put(const char *name, const char *text)
{
	ck_assert_int_eq(cyg_file_write(dir, name, cyg_str_of(text), 0600, NULL), 0);
}

/* ---- messages ---- */

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

/* ---- init's lines ---- */

static const struct {
	const char *line;
	int kind;
	unsigned state, ms;
} lines[] = {
	{ "ready", 1, 0, 0 },
	{ "stage setup 120", 2, 1, 120 },
	{ "stage user-script 0", 2, 1, 0 },
	{ "stage agent failed 7", 2, 2, 7 },
	{ "stage agent failed", 0, 0, 0 },
	{ "stage other 1", 0, 0, 0 },
	{ "stage setup", 0, 0, 0 },
	{ "stage setup ", 0, 0, 0 },
	{ "stage setup -1", 0, 0, 0 },
	{ "stage setup 99999999999", 0, 0, 0 },
	{ "stage  setup 1", 0, 0, 0 },
	{ "ready now", 0, 0, 0 },
	{ "", 0, 0, 0 },
	{ "stage setup 000000000000000000000000000000000000000000000000000000000000000000000000001",
	    0, 0, 0 },
};

START_TEST(test_only_lines_of_the_closed_form_are_stages)
{
	struct spawn_stage stage = { .state = 0 };

	ck_assert_int_eq(
	    output_parse(lines[_i].line, strlen(lines[_i].line), &stage), lines[_i].kind);
	if (lines[_i].kind != 2)
		return;
	ck_assert_uint_eq(stage.state, lines[_i].state);
	ck_assert_uint_eq(stage.ms, lines[_i].ms);
}
END_TEST

/* ---- records ---- */

static struct record sample(void)
{
	struct record r = { .uid = 200001,
		.cpu_milli = 500,
		.memory_bytes = 1 << 30,
		.started_us = 1234567,
		.init = { 4321, 99 } };

	memcpy(r.id, ID, sizeof(r.id));
	memcpy(r.user, "alice@example.org", 18);
	return r;
}

START_TEST(test_a_record_reads_back_as_it_was_written)
{
	struct record r = sample(), back;

	ck_assert_int_eq(record_write(dir, &r, NULL), 0);
	ck_assert_int_eq(record_read(dir, ID, &back, NULL), 0);
	ck_assert_mem_eq(&r, &back, sizeof(r));
}
END_TEST

static const char *const damaged[] = { "", "cygnet-record 2\n", "cygnet-record 1\nid " ID "\n",
	"cygnet-record 1\nid ffffffffffffffff\nuser a\nserver \nuid 1\ncpu 0\nmemory 0\nstarted 0\n"
	"init 0\nstart 0\n",
	"cygnet-record 1\nid " ID "\nuser a\nserver \nuid x\ncpu 0\nmemory 0\nstarted 0\ninit 0\n"
	"start 0\n" };

START_TEST(test_a_damaged_record_is_refused)
{
	struct record back;

	put(ID ".record", damaged[_i]);
	ck_assert_int_eq(record_read(dir, ID, &back, NULL), -CYG_EINVAL);
}
END_TEST

static void count(void *arg, const char *id)
{
	if (strcmp(id, ID) == 0)
		++*(int *)arg;
	else
		*(int *)arg = 100;
}

START_TEST(test_records_are_found_and_removed_with_their_files)
{
	struct record r = sample();
	int n = 0;

	ck_assert_int_eq(record_write(dir, &r, NULL), 0);
	put(ID ".out", "ready\n");
	put(ID ".status", "{ \"child-pid\": 77 }\n{ \"exit-code\": 3 }\n");
	put("short.record", "");
	put(ID ".record.tmp-0123456789abcdef", "cygnet-rec");
	record_each(dir, count, &n);
	ck_assert_int_eq(n, 1);
	ck_assert_int_lt(faccessat(dir, ID ".record.tmp-0123456789abcdef", F_OK, 0), 0);
	record_remove(dir, ID);
	n = 0;
	record_each(dir, count, &n);
	ck_assert_int_eq(n, 0);
	ck_assert_int_lt(faccessat(dir, ID ".out", F_OK, 0), 0);
	ck_assert_int_lt(faccessat(dir, ID ".status", F_OK, 0), 0);
}
END_TEST

START_TEST(test_bubblewraps_words_are_read_as_far_as_they_go)
{
	pid_t child;
	int code;

	record_read_status(dir, ID, &child, &code);
	ck_assert_int_eq(child, 0);
	ck_assert_int_eq(code, -1);
	put(ID ".status", "{ \"child-pid\": 77, \"ipc-namespace\": 1 }\n");
	record_read_status(dir, ID, &child, &code);
	ck_assert_int_eq(child, 77);
	ck_assert_int_eq(code, -1);
	put(ID ".status", "{ \"child-pid\": 77 }\n{ \"exit-code\": 137 }\n");
	record_read_status(dir, ID, &child, &code);
	ck_assert_int_eq(code, 137);
}
END_TEST

/* ---- control groups, on a tree of plain files ---- */

static char fake[128], own_dir[128];

static void make(const char *path)
{
	char full[256];

	(void)snprintf(full, sizeof(full), "%s/%s", folder, path);
	ck_assert_int_eq(cyg_file_mkdirs(full, 0755, NULL), 0);
}

START_TEST(test_version_2_at_the_root_enables_what_it_needs)
{
	struct cgroups c;

	make("v2/cygnet-x");
	put("v2/cgroup.subtree_control", "");
	put("v2/cygnet-x/cgroup.subtree_control", "");
	(void)snprintf(fake, sizeof(fake), "cgroup2 %s/v2 cgroup2 rw,nosuid 0 0\n", folder);
	cgroups_open(&c, "x", fake, "0::/\n");
	ck_assert_int_eq(c.version, 2);
	ck_assert_uint_eq(cgroups_enforced(&c), 7);
	(void)snprintf(own_dir, sizeof(own_dir), "%s/v2/cygnet-x", folder);
	ck_assert_str_eq(c.dirs[CGROUP_MEMORY], own_dir);
	ck_assert_str_eq(c.why, "");
}
END_TEST

START_TEST(test_version_2_in_a_unit_moves_the_spawner_into_a_leaf)
{
	cyg_autobuf struct cyg_buf text;
	struct cgroups c;

	make("v2/a.slice/x.service/cygnet-x");
	make("v2/a.slice/x.service/cygnet-spawner");
	put("v2/a.slice/x.service/cgroup.subtree_control", "");
	put("v2/a.slice/x.service/cygnet-x/cgroup.subtree_control", "");
	put("v2/a.slice/x.service/cygnet-spawner/cgroup.procs", "");
	(void)snprintf(fake, sizeof(fake), "cgroup2 %s/v2 cgroup2 rw 0 0\n", folder);
	cgroups_open(&c, "x", fake, "0::/a.slice/x.service\n");
	ck_assert_int_eq(c.version, 2);
	cyg_buf_init(&text, 100);
	ck_assert_int_eq(cyg_file_read(dir, "v2/a.slice/x.service/cygnet-spawner/cgroup.procs",
			     false, &text, NULL),
	    0);
	ck_assert_str_eq(text.data, "0");
}
END_TEST

START_TEST(test_version_2_in_a_shared_group_makes_limits_at_the_top)
{
	struct cgroups c;

	/* Other processes live in the scope: the kernel refuses to enable controllers there. */
	make("v2/a.slice/x.scope");
	make("v2/cygnet-x");
	make("v2/a.slice/x.scope/cygnet-spawner");
	put("v2/a.slice/x.scope/cygnet-spawner/cgroup.procs", "");
	put("v2/cgroup.subtree_control", "");
	put("v2/cygnet-x/cgroup.subtree_control", "");
	(void)snprintf(fake, sizeof(fake), "cgroup2 %s/v2 cgroup2 rw 0 0\n", folder);
	cgroups_open(&c, "x", fake, "0::/a.slice/x.scope\n");
	ck_assert_int_eq(c.version, 2);
	ck_assert_uint_eq(cgroups_enforced(&c), 7);
	(void)snprintf(own_dir, sizeof(own_dir), "%s/v2/cygnet-x", folder);
	ck_assert_str_eq(c.dirs[CGROUP_MEMORY], own_dir);
	ck_assert_int_lt(faccessat(dir, "v2/a.slice/x.scope/cygnet-x", F_OK, 0), 0);
}
END_TEST

START_TEST(test_without_control_groups_it_says_why_and_all_calls_do_nothing)
{
	const struct cgroup_limits limits = { 1 << 20, 10, 500 };
	struct cgroup_figures f;
	struct cgroups c;

	cgroups_open(&c, "x", "tmpfs / tmpfs rw 0 0\n", "0::/\n");
	ck_assert_uint_eq(cgroups_enforced(&c), 0);
	ck_assert_str_ne(c.why, "");
	ck_assert_int_eq(cgroup_make(&c, ID, &limits, NULL), 0);
	cgroup_read(&c, ID, &f);
	ck_assert_uint_eq(f.memory_used, 0);
	ck_assert_uint_eq(cgroup_kill(&c, ID), 0);
	ck_assert(cgroup_remove(&c, ID));
	cgroups_close(&c);
}
END_TEST

START_TEST(test_version_1_figures_are_read_in_our_units)
{
	struct cgroup_figures f;
	struct cgroups c;

	make("m/cygnet-x/" ID);
	make("a/cygnet-x/" ID);
	put("m/cygnet-x/" ID "/memory.usage_in_bytes", "4096\n");
	put("m/cygnet-x/" ID "/memory.limit_in_bytes", "9223372036854771712\n");
	put("m/cygnet-x/" ID "/memory.oom_control",
	    "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
	put("a/cygnet-x/" ID "/cpuacct.usage", "5000000\n");
	(void)snprintf(fake, sizeof(fake),
	    "c %s/m cgroup rw,memory 0 0\nc %s/a cgroup rw,cpuacct 0 0\n", folder, folder);
	cgroups_open(&c, "x", fake, "");
	ck_assert_int_eq(c.version, 1);
	ck_assert_uint_eq(cgroups_enforced(&c), 1);
	ck_assert_str_ne(c.why, "");
	cgroup_read(&c, ID, &f);
	ck_assert_uint_eq(f.memory_used, 4096);
	ck_assert_uint_eq(f.memory_limit, 0);
	ck_assert_uint_eq(f.oom_kills, 3);
	ck_assert_uint_eq(f.cpu_us, 5000);
}
END_TEST

START_TEST(test_a_group_that_cannot_be_entered_is_an_error)
{
	struct cyg_err err;
	struct cgroups c;
	int fds[CGROUP_PARTS];
	size_t n = 99;

	make("m/cygnet-x/" ID);
	make("p/cygnet-x/" ID);
	put("m/cygnet-x/" ID "/cgroup.procs", "");
	(void)snprintf(fake, sizeof(fake),
	    "c %s/m cgroup rw,memory 0 0\nc %s/p cgroup rw,pids 0 0\n", folder, folder);
	cgroups_open(&c, "x", fake, "");
	ck_assert_int_lt(cgroup_open_procs(&c, ID, fds, &n, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "/p/cygnet-x/" ID));
	put("p/cygnet-x/" ID "/cgroup.procs", "");
	ck_assert_int_eq(cgroup_open_procs(&c, ID, fds, &n, &err), 0);
	ck_assert_uint_eq(n, 2);
	while (n > 0)
		cyg_close(fds[--n]);
}
END_TEST

/* ---- processes ---- */

START_TEST(test_a_process_is_known_by_pid_and_start_time)
{
	uint64_t start = process_start_time(getpid());
	pid_t child = fork();

	ck_assert_uint_gt(start, 0);
	if (child == 0)
		_exit(0);
	ck_assert_int_eq(waitid(P_PID, (id_t)child, NULL, WEXITED | WNOWAIT), 0);
	ck_assert_uint_eq(process_start_time(child), 0); /* a zombie is no process */
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert_uint_eq(process_start_time(child), 0);
}
END_TEST

START_TEST(test_parent_of_a_process_is_known)
{
	ck_assert_int_eq(process_parent(getpid()), getppid());
	ck_assert_int_eq(process_parent(1), 0);
	ck_assert_int_eq(process_parent(INT32_MAX), 0);
}
END_TEST

START_TEST(test_pids_are_read_from_any_such_text)
{
	pid_t list[3];

	ck_assert_uint_eq(process_parse_pids("12 34\n\n5 x 1 0", list, 0, 3), 3);
	ck_assert_int_eq(list[0], 12);
	ck_assert_int_eq(list[2], 5);
	ck_assert_uint_eq(process_parse_pids("6 7 8 9", list, 0, 3), 3);
	ck_assert_uint_eq(process_parse_pids("", list, 0, 3), 0);
}
END_TEST

static TCase *files_case(void)
{
	TCase *c = tcase_create("files");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, test_a_record_reads_back_as_it_was_written);
	tcase_add_loop_test(c, test_a_damaged_record_is_refused, 0, CYG_N(damaged));
	tcase_add_test(c, test_records_are_found_and_removed_with_their_files);
	tcase_add_test(c, test_bubblewraps_words_are_read_as_far_as_they_go);
	tcase_add_test(c, test_version_2_at_the_root_enables_what_it_needs);
	tcase_add_test(c, test_version_2_in_a_unit_moves_the_spawner_into_a_leaf);
	tcase_add_test(c, test_version_2_in_a_shared_group_makes_limits_at_the_top);
	tcase_add_test(c, test_without_control_groups_it_says_why_and_all_calls_do_nothing);
	tcase_add_test(c, test_version_1_figures_are_read_in_our_units);
	tcase_add_test(c, test_a_group_that_cannot_be_entered_is_an_error);
	return c;
}

int main(void)
{
	Suite *s = suite_create("spawner parts");
	TCase *c = tcase_create("pure");
	TCase *files = files_case();
	SRunner *r;
	int failed;

	tcase_add_loop_test(
	    c, test_a_message_of_every_type_passes_and_its_neighbours_do_not, 1, SPAWN_TYPES);
	tcase_add_loop_test(c, test_an_address_is_of_one_of_its_kinds, 0, (int)CYG_N(addresses));
	tcase_add_loop_test(c, test_who_hands_over_is_an_id_or_an_old_name, 0, (int)CYG_N(givers));
	tcase_add_loop_test(
	    c, test_a_name_is_allowed_by_its_kind_wherever_it_is_asked, 0, (int)CYG_N(names));
	tcase_add_test(c, test_a_text_without_end_is_refused);
	tcase_add_test(c, test_a_request_without_number_and_an_unknown_type_are_refused);
	tcase_add_loop_test(c, test_only_lines_of_the_closed_form_are_stages, 0, CYG_N(lines));
	tcase_add_test(c, test_a_process_is_known_by_pid_and_start_time);
	tcase_add_test(c, test_parent_of_a_process_is_known);
	tcase_add_test(c, test_pids_are_read_from_any_such_text);
	suite_add_tcase(s, c);
	suite_add_tcase(s, files);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
