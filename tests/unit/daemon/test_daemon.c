/* YAML, options, the loop and channels: what every daemon starts with. */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "daemon/loop.h"
#include "daemon/options.h"
#include "daemon/unixsock.h"
#include "daemon/yaml.h"
#include "ipc/channel.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

static int parse(const char *text, struct cyg_err *err)
{
	struct yaml_doc *doc = NULL;
	int rc = yaml_parse("t.yaml", cyg_str_of(text), &doc, err);

	yaml_doc_free(doc);
	return rc;
}

START_TEST(test_yaml_tree_keeps_order_lines_and_quotes)
{
	struct yaml_doc *doc = NULL;
	const struct yaml_node *n;

	ck_assert_int_eq(
	    yaml_parse("t", CYG_STR("a: 1\nb:\n  - x\n  - 'y'\nc: {d: e}\n"), &doc, NULL), 0);
	n = yaml_find(yaml_root(doc), "b");
	ck_assert_uint_eq(n->line, 3);
	ck_assert(cyg_str_eq(n->first->text, "x") && !n->first->quoted);
	ck_assert(cyg_str_eq(n->first->next->text, "y") && n->first->next->quoted);
	ck_assert(cyg_str_eq(yaml_find(yaml_find(yaml_root(doc), "c"), "d")->text, "e"));
	ck_assert_ptr_null(yaml_find(yaml_root(doc), "z"));
	yaml_doc_free(doc);
}
END_TEST

START_TEST(test_yaml_errors_name_file_line_and_column)
{
	struct cyg_err err;

	ck_assert_int_lt(parse("a: 1\na: 2\n", &err), 0);
	ck_assert_str_eq(err.msg, "t.yaml:2:1: key 'a' is there twice");
	ck_assert_int_lt(parse("a: &x 1\nb: *x\n", &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "t.yaml:1:4: anchors"));
	ck_assert_int_lt(parse("a: [1\nb: }\n", &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "t.yaml:"));
	ck_assert_int_lt(parse("a: 1\n---\nb: 2\n", &err), 0);
	ck_assert_int_lt(parse("a: !!python/x 1\n", &err), 0);
}
END_TEST

START_TEST(test_yaml_depth_is_limited)
{
	char text[256];

	memset(text, '[', 200);
	text[200] = '\0';
	ck_assert_int_lt(parse(text, NULL), 0);
}
END_TEST

struct conf {
	char *listen;
	uint64_t n, size, wait;
	bool on;
	int mode;
};

static const char *const modes[] = { "auto", "never", NULL };
static const struct cyg_option options[] = {
	{ .name = "listen",
	    .type = OPT_STRING,
	    .offset = offsetof(struct conf, listen),
	    .required = true,
	    .doc = "Where." },
	{ .name = "n",
	    .type = OPT_UINT,
	    .offset = offsetof(struct conf, n),
	    .value = "3",
	    .min = 1,
	    .max = 9,
	    .doc = "How many." },
	{ .name = "size",
	    .type = OPT_SIZE,
	    .offset = offsetof(struct conf, size),
	    .value = "1K",
	    .max = 1 << 20,
	    .doc = "How big." },
	{ .name = "wait",
	    .type = OPT_MS,
	    .offset = offsetof(struct conf, wait),
	    .value = "2s",
	    .doc = "How long." },
	{ .name = "on",
	    .type = OPT_BOOL,
	    .offset = offsetof(struct conf, on),
	    .value = "false",
	    .doc = "Whether." },
	{ .name = "mode",
	    .type = OPT_ENUM,
	    .offset = offsetof(struct conf, mode),
	    .value = "auto",
	    .choices = modes,
	    .doc = "Which." },
	{ .name = NULL },
};
static const struct cyg_program prog = {
	.name = "test",
	.purpose = "Tests options.",
	.options = options,
};

static int read_options(const char *const *words, struct conf *conf, struct cyg_err *err)
{
	char *argv[16] = { NULL };
	int first = 0;
	int argc = 0;

	for (; words[argc] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc];
	return cyg_options_read(&prog, argc, argv, conf, &first, err);
}

START_TEST(test_options_come_from_default_file_and_command_line)
{
	char path[] = "/tmp/cygnet-opt-XXXXXX";
	int fd = mkstemp(path);
	const char *words[] = { "test", "--config", path, "--n=5", "--mode", "never", NULL };
	struct conf conf = { 0 };
	struct cyg_err err;

	ck_assert_int_eq(cyg_file_write_all(fd, "listen: a\nn: 4\nwait: 500ms\n", 27, NULL), 0);
	ck_assert_int_eq(read_options(words, &conf, &err), 0);
	ck_assert_str_eq(conf.listen, "a");
	ck_assert_uint_eq(conf.n, 5);
	ck_assert_uint_eq(conf.size, 1024);
	ck_assert_uint_eq(conf.wait, 500);
	ck_assert_int_eq(conf.mode, 1);
	cyg_options_free(&prog, &conf);
	(void)close(fd);
	(void)unlink(path);
}
END_TEST

START_TEST(test_bad_options_say_what_is_allowed)
{
	static const char *const cases[][4] = {
		{ "test", "--listen=a", "--n=10",
		    "--n: 10 is out of range; allowed is a number from 1 to 9" },
		{ "test", "--listen=a", "--mode=x",
		    "--mode: 'x' is not known; allowed is one of auto, never" },
		{ "test", "--listen=a", "--on=yes",
		    "--on: not true or false; allowed is true or false" },
		{ "test", "--listen=a", "--nope=1", "no option --nope; test --help lists them" },
		{ "test", "--listen=a", "word", "unexpected 'word'; options start with --" },
		{ "test", "--n=2", "--size", "--size needs a value" },
		{ "test", "--n=2", "--on=true", "--listen is required: Where." },
	};

	for (size_t i = 0; i < CYG_N(cases); i++) {
		const char *words[] = { cases[i][0], cases[i][1], cases[i][2], NULL };
		struct conf conf = { 0 };
		struct cyg_err err;

		ck_assert_int_lt(read_options(words, &conf, &err), 0);
		ck_assert_str_eq(err.msg, cases[i][3]);
		cyg_options_free(&prog, &conf);
	}
}
END_TEST

struct pair {
	struct ipc_channel *a, *b;
	struct cyg_loop *loop;
	unsigned n_messages, n_fds;
	bool ended;
};

static void on_loop_end(void *arg, const char *why)
{
	(void)arg;
	(void)why;
}

static void on_message(void *arg, const void *data, size_t len, int *fds, size_t n_fds)
{
	struct pair *p = arg;
	unsigned n;

	ck_assert_uint_eq(len, sizeof(n));
	memcpy(&n, data, sizeof(n));
	ck_assert_uint_eq(n, p->n_messages);
	p->n_messages++;
	for (size_t i = 0; i < n_fds; i++, p->n_fds++)
		ck_assert_int_eq(close(fds[i]), 0);
	if (p->n_messages == 3000) {
		ipc_channel_close(p->a);
		p->a = NULL;
	}
}

static void on_end(void *arg, const struct cyg_err *why)
{
	struct pair *p = arg;

	ck_assert_str_eq(why->msg, "the other side closed the connection");
	p->ended = true;
	p->b = NULL;
}

static const struct ipc_events events = { on_message, on_end };

START_TEST(test_channel_keeps_order_and_descriptors_under_pressure)
{
	struct pair p = { 0 };
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_eq(cyg_loop_new(on_loop_end, NULL, -1, &p.loop, NULL), 0);
	ck_assert_int_eq(ipc_channel_new(cyg_loop_uv(p.loop), fds[0], &events, &p, &p.a, NULL), 0);
	ck_assert_int_eq(ipc_channel_new(cyg_loop_uv(p.loop), fds[1], &events, &p, &p.b, NULL), 0);
	for (unsigned i = 0; i < 3000; i++) {
		int one = STDERR_FILENO;

		ck_assert_int_eq(
		    ipc_channel_send(p.a, &i, sizeof(i), &one, i % 100 == 0 ? 1 : 0, NULL), 0);
	}
	cyg_loop_run(p.loop);
	ck_assert_uint_eq(p.n_messages, 3000);
	ck_assert_uint_eq(p.n_fds, 30);
	ck_assert(p.ended);
	cyg_loop_free(p.loop);
}
END_TEST

START_TEST(test_a_channel_that_cannot_be_watched_closes_its_descriptor)
{
	/* A regular file cannot be watched. */
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct pair p = { 0 };

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(cyg_loop_new(on_loop_end, NULL, -1, &p.loop, NULL), 0);
	ck_assert_int_lt(ipc_channel_new(cyg_loop_uv(p.loop), fd, &events, &p, &p.a, NULL), 0);
	ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
	cyg_loop_free(p.loop);
}
END_TEST

struct watched {
	struct cyg_loop *loop;
	unsigned turns;
	uint64_t busy_ns;
};

static void on_turn(void *arg, uint64_t busy_ns)
{
	struct watched *w = arg;

	w->turns++;
	w->busy_ns += busy_ns;
}

static void on_worked(uv_timer_t *timer)
{
	const uint64_t until_ns = cyg_clock_mono_ns() + 20 * 1000 * 1000;

	while (cyg_clock_mono_ns() < until_ns)
		;
	uv_close((uv_handle_t *)timer, NULL);
}

START_TEST(test_loop_tells_work_but_not_sleep)
{
	struct watched w = { 0 };
	uv_timer_t timer;

	ck_assert_int_eq(cyg_loop_new(on_loop_end, NULL, -1, &w.loop, NULL), 0);
	const uint64_t begun_ns = cyg_clock_mono_ns();
	cyg_loop_watch_turns(w.loop, on_turn, &w);
	ck_assert_int_eq(uv_timer_init(cyg_loop_uv(w.loop), &timer), 0);
	ck_assert_int_eq(uv_timer_start(&timer, on_worked, 200, 0), 0);
	cyg_loop_run(w.loop);
	ck_assert_uint_ge(w.turns, 1);
	ck_assert_uint_gt(uv_metrics_idle_time(cyg_loop_uv(w.loop)), 0);
	/* Were sleep counted as work, the two would be more than what has passed. */
	ck_assert_uint_le(
	    w.busy_ns + uv_metrics_idle_time(cyg_loop_uv(w.loop)), cyg_clock_mono_ns() - begun_ns);
	cyg_loop_free(w.loop);
}
END_TEST

START_TEST(test_long_socket_path_is_refused_with_advice)
{
	struct cyg_err err;
	char path[200];

	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_lt(unixsock_listen(path, SOCK_STREAM, 0600, (gid_t)-1, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "use a shorter run folder"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("daemon");
	TCase *tc = tcase_create("daemon");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, test_yaml_tree_keeps_order_lines_and_quotes);
	tcase_add_test(tc, test_yaml_errors_name_file_line_and_column);
	tcase_add_test(tc, test_yaml_depth_is_limited);
	tcase_add_test(tc, test_options_come_from_default_file_and_command_line);
	tcase_add_test(tc, test_bad_options_say_what_is_allowed);
	tcase_add_test(tc, test_channel_keeps_order_and_descriptors_under_pressure);
	tcase_add_test(tc, test_a_channel_that_cannot_be_watched_closes_its_descriptor);
	tcase_add_test(tc, test_loop_tells_work_but_not_sleep);
	tcase_add_test(tc, test_long_socket_path_is_refused_with_advice);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
