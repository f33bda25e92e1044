/* The spawner's smaller parts: init's lines, records, process identity. */
#include "base/file.h"
#include "base/mem.h"
#include "spawner/local/local.h"
#include "spawner/local/process.h"
#include "spawner/local/record.h"
#include "tests/unit/base/tmp_folder.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ID "0123456789abcdef"

static struct tmp_folder tmp;

static void setup(void)
{
	tmp_folder_make(&tmp);
}

static void teardown(void)
{
	tmp_folder_remove(&tmp);
}

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

	ck_assert_int_eq(record_write(tmp.fd, &r, NULL), 0);
	ck_assert_int_eq(record_read(tmp.fd, ID, &back, NULL), 0);
	ck_assert_mem_eq(&r, &back, sizeof(r));
}
END_TEST

START_TEST(test_a_record_of_before_users_had_ids_is_read)
{
	struct record r = sample(), back;

	tmp_folder_put(&tmp, ID ".record",
	    "cygnet-record 1\nid " ID "\nuser alice@example.org\nserver \nuid 200001\ncpu 500\n"
	    "memory 1073741824\nstarted 1234567\ninit 4321\nstart 99\n");
	ck_assert_int_eq(record_read(tmp.fd, ID, &back, NULL), 0);
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

	tmp_folder_put(&tmp, ID ".record", damaged[_i]);
	ck_assert_int_eq(record_read(tmp.fd, ID, &back, NULL), -CYG_EINVAL);
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

	ck_assert_int_eq(record_write(tmp.fd, &r, NULL), 0);
	tmp_folder_put(&tmp, ID ".out", "ready\n");
	tmp_folder_put(&tmp, ID ".status", "{ \"child-pid\": 77 }\n{ \"exit-code\": 3 }\n");
	tmp_folder_put(&tmp, "short.record", "");
	tmp_folder_put(&tmp, ID ".record.tmp-0123456789abcdef", "cygnet-rec");
	record_each(tmp.fd, count, &n);
	ck_assert_int_eq(n, 1);
	ck_assert_int_lt(faccessat(tmp.fd, ID ".record.tmp-0123456789abcdef", F_OK, 0), 0);
	record_remove(tmp.fd, ID);
	n = 0;
	record_each(tmp.fd, count, &n);
	ck_assert_int_eq(n, 0);
	ck_assert_int_lt(faccessat(tmp.fd, ID ".out", F_OK, 0), 0);
	ck_assert_int_lt(faccessat(tmp.fd, ID ".status", F_OK, 0), 0);
}
END_TEST

START_TEST(test_bubblewraps_words_are_read_as_far_as_they_go)
{
	pid_t child;
	int code;

	record_read_status(tmp.fd, ID, &child, &code);
	ck_assert_int_eq(child, 0);
	ck_assert_int_eq(code, -1);
	tmp_folder_put(&tmp, ID ".status", "{ \"child-pid\": 77, \"ipc-namespace\": 1 }\n");
	record_read_status(tmp.fd, ID, &child, &code);
	ck_assert_int_eq(child, 77);
	ck_assert_int_eq(code, -1);
	tmp_folder_put(&tmp, ID ".status", "{ \"child-pid\": 77 }\n{ \"exit-code\": 137 }\n");
	record_read_status(tmp.fd, ID, &child, &code);
	ck_assert_int_eq(code, 137);
}
END_TEST

/* ---- processes ---- */

START_TEST(test_a_process_is_known_by_pid_and_start_time)
{
	uint64_t start = process_start_time(getpid());
	pid_t child = fork();
	siginfo_t ended;

	ck_assert_uint_gt(start, 0);
	if (child == 0)
		_exit(0);
	ck_assert_int_eq(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), 0);
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
	tcase_add_test(c, test_a_record_of_before_users_had_ids_is_read);
	tcase_add_loop_test(c, test_a_damaged_record_is_refused, 0, CYG_N(damaged));
	tcase_add_test(c, test_records_are_found_and_removed_with_their_files);
	tcase_add_test(c, test_bubblewraps_words_are_read_as_far_as_they_go);
	return c;
}

int main(void)
{
	Suite *s = suite_create("spawner parts");
	TCase *c = tcase_create("pure");
	SRunner *r;
	int failed;

	tcase_add_loop_test(c, test_only_lines_of_the_closed_form_are_stages, 0, CYG_N(lines));
	tcase_add_test(c, test_a_process_is_known_by_pid_and_start_time);
	tcase_add_test(c, test_parent_of_a_process_is_known);
	tcase_add_test(c, test_pids_are_read_from_any_such_text);
	suite_add_tcase(s, c);
	suite_add_tcase(s, files_case());
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
