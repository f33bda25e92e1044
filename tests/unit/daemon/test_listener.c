/* A listening socket on the loop: who comes while nothing can be accepted waits, and is accepted
 * when it can. */
#include "base/mem.h"
#include "daemon/listener.h"
#include "daemon/unixsock.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>

static uv_loop_t loop;
static struct cyg_listener *listener;
static char path[100];
static unsigned accepted, lacks, asked;
static bool full;
static int flags;

static bool is_full(void *owner)
{
	(void)owner;
	asked++;
	return full;
}

static void on_accepted(void *owner, int fd, const struct sockaddr *addr, socklen_t len)
{
	ck_assert_ptr_eq(owner, &loop);
	ck_assert_int_eq(addr->sa_family, AF_UNIX);
	ck_assert_uint_gt(len, 0);
	flags = fcntl(fd, F_GETFL);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	cyg_close(fd);
	accepted++;
}

static void on_lack(void *owner, int errnum)
{
	(void)owner;
	ck_assert_int_eq(errnum, EMFILE);
	lacks++;
}

static const struct cyg_listener_events events = { is_full, on_accepted, on_lack };

static void start(void)
{
	const char *tmp = getenv("TMPDIR");
	int fd;

	accepted = lacks = asked = 0;
	full = false;
	(void)snprintf(path, sizeof(path), "%s/listener.%d", tmp != NULL ? tmp : "/tmp", getpid());
	fd = unixsock_listen(path, SOCK_STREAM, 0600, (gid_t)-1, NULL);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	ck_assert_int_eq(cyg_listener_start(&loop, fd, &events, &loop, &listener, NULL), 0);
}

static void stop(void)
{
	cyg_listener_close(listener);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	ck_assert_int_eq(unlink(path), 0);
}

static int dial(void)
{
	int fd = unixsock_connect(path, SOCK_STREAM, NULL);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void turn_until(const unsigned *count, unsigned at_least)
{
	while (*count < at_least)
		(void)uv_run(&loop, UV_RUN_ONCE);
}

static void allow_descriptors(rlim_t n, rlim_t *before)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	*before = limit.rlim_cur;
	limit.rlim_cur = n;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

START_TEST(test_more_than_a_turns_worth_are_all_accepted)
{
	int fds[100];

	for (size_t i = 0; i < CYG_N(fds); i++)
		fds[i] = dial();
	turn_until(&accepted, CYG_N(fds));
	ck_assert_int_ne(flags & O_NONBLOCK, 0);
	for (size_t i = 0; i < CYG_N(fds); i++)
		cyg_close(fds[i]);
}
END_TEST

START_TEST(test_who_comes_to_a_full_owner_waits)
{
	int fd;

	full = true;
	fd = dial();
	turn_until(&asked, 2); /* it is asked again after a while */
	ck_assert_uint_eq(accepted, 0);
	full = false;
	turn_until(&accepted, 1);
	cyg_close(fd);
}
END_TEST

START_TEST(test_a_lack_of_descriptors_is_told_once_and_passes)
{
	int fd = dial();
	rlim_t before, unused;

	allow_descriptors((rlim_t)fd + 1, &before);
	turn_until(&asked, 3);
	ck_assert_uint_eq(accepted, 0);
	ck_assert_uint_eq(lacks, 1);
	allow_descriptors(before, &unused);
	turn_until(&accepted, 1);
	cyg_close(fd);
}
END_TEST

START_TEST(test_what_cannot_be_watched_stays_the_callers)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct cyg_listener *none = NULL;

	ck_assert_int_lt(cyg_listener_start(&loop, fd, &events, &loop, &none, NULL), 0);
	ck_assert_ptr_null(none);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	cyg_close(fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("listener");
	TCase *tc = tcase_create("listener");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, test_more_than_a_turns_worth_are_all_accepted);
	tcase_add_test(tc, test_who_comes_to_a_full_owner_waits);
	tcase_add_test(tc, test_a_lack_of_descriptors_is_told_once_and_passes);
	tcase_add_test(tc, test_what_cannot_be_watched_stays_the_callers);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
