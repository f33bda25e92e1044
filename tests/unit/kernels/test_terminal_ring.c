/* The ring that keeps a terminal's last text over a killed agent. */
#include "base/mem.h"
#include "kernels/terminal/ring.h"

#include <check.h>
#include <string.h>

static char path[] = "/tmp/cyg-ring-XXXXXX";

static void check_holds(struct ring *r, const char *want, size_t len)
{
	cyg_autobuf struct cyg_buf b;

	cyg_buf_init(&b, RING_BYTES);
	ck_assert_int_eq(ring_read(r, &b, NULL), 0);
	ck_assert_uint_eq(b.len, len);
	ck_assert_mem_eq(b.data, want, len);
}

START_TEST(test_text_is_there_after_it_was_opened_again)
{
	struct ring *r = NULL;

	cyg_close(mkstemp(path));
	ck_assert_int_eq(ring_open(path, false, &r, NULL), 0);
	ring_add(r, "hello ", 6);
	ring_add(r, "world", 5);
	ring_close(r);
	ck_assert_int_eq(ring_open(path, true, &r, NULL), 0);
	check_holds(r, "hello world", 11);
	ring_close(r);
	ck_assert_int_eq(ring_open(path, false, &r, NULL), 0);
	check_holds(r, "", 0);
	ring_close(r);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(test_oldest_bytes_go_and_characters_stay_whole)
{
	cyg_autofree char *text = cyg_xcalloc(1, 3 * RING_BYTES);
	char other[] = "/tmp/cyg-ring-XXXXXX";
	struct ring *r = NULL;

	for (size_t i = 0; i + 3 <= 3 * RING_BYTES; i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3); /* the euro sign */
	cyg_close(mkstemp(other));
	ck_assert_int_eq(ring_open(other, false, &r, NULL), 0);
	for (size_t i = 0; i < 3 * RING_BYTES; i += 1000)
		ring_add(r, text + i, 3 * RING_BYTES - i < 1000 ? 3 * RING_BYTES - i : 1000);
	/* 256 KiB is no multiple of three: the first, cut one is left out. */
	check_holds(r, text, RING_BYTES - RING_BYTES % 3);
	ring_close(r);
	ck_assert_int_eq(unlink(other), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("terminal_ring");
	TCase *t = tcase_create("all");

	tcase_add_test(t, test_text_is_there_after_it_was_opened_again);
	tcase_add_test(t, test_oldest_bytes_go_and_characters_stay_whole);
	suite_add_tcase(suite, t);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
