/* The decision as a truth table: listener, route, credential, method, origin → verdict. */
#include "base/mem.h"
#include "proxy/edge.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* Secrets "alice", "bob", "old", "agent" and their SHA-256. */
#define ROUTES                                                                                     \
	"{\"routes\":["                                                                            \
	"{\"prefix\":\"/\",\"target\":\"unix:/hub\",\"auth\":\"none\"},"                           \
	"{\"prefix\":\"/user/\",\"target\":\"unix:/hub\",\"auth\":\"user\"}"
#define ALICES                                                                                     \
	",{\"prefix\":\"/user/alice/\",\"target\":\"unix:/a\",\"auth\":\"session\","               \
	"\"owner\":\"alice\",\"server\":\"a1\"}"
#define CREDENTIALS                                                                                \
	"],\"credentials\":["                                                                      \
	"{\"sha256\":\"2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90\","        \
	"\"user\":\"alice\"},"                                                                     \
	"{\"sha256\":\"81b637d8fcd2c6da6359e6963113a1170de795e4b725b84d1e0b4cfd9ec58ce9\","        \
	"\"user\":\"bob\"},"                                                                       \
	"{\"sha256\":\"cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4\","        \
	"\"user\":\"alice\",\"expires\":1000},"                                                    \
	"{\"sha256\":\"d4f0bc5a29de06b510f9aa428f1eedba926012b591fef7a518e776a7c9bd1824\","        \
	"\"user\":\"alice\",\"server\":\"a1\"}]}"

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: localhost:8\r\n"
#define POST(path) "POST " path " HTTP/1.1\r\nHost: localhost:8\r\nContent-Length: 0\r\n"
#define PAGE       "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\nAccept: text/html\r\n"
#define COOKIE(x)  "Cookie: __Host-cygnet=" x "\r\n"
#define TOKEN(x)   "Authorization: token " x "\r\n"
#define ORIGIN     "Origin: http://localhost:8\r\n"
#define WS                                                                                         \
	"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"               \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static const struct row {
	const char *request;
	enum edge_verdict verdict;
	int status;
	enum edge_listener kind;
} rows[] = {
	/* Routes without a check. */
	{ GET("/hub/x"), EDGE_PASS, 0, LISTENER_PUBLIC },
	{ GET("/hub/x") PAGE, EDGE_PASS, 0, LISTENER_PUBLIC },
	{ POST("/hub/x"), EDGE_REFUSE, 403, LISTENER_PUBLIC },
	{ POST("/hub/x") ORIGIN, EDGE_PASS, 0, LISTENER_PUBLIC },
	{ POST("/hub/x") TOKEN("anything"), EDGE_PASS, 0, LISTENER_PUBLIC },
	{ POST("/hub/x") TOKEN("anything") "Origin: http://evil\r\n", EDGE_REFUSE, 403,
	    LISTENER_PUBLIC },
	/* Routes with an owner. */
	{ GET("/user/alice/"), EDGE_REFUSE, 403, LISTENER_PUBLIC },
	{ GET("/user/alice/") PAGE, EDGE_LOGIN, 0, LISTENER_PUBLIC },
	{ GET("/user/alice/") "Accept: text/html\r\n", EDGE_LOGIN, 0, LISTENER_PUBLIC },
	{ GET("/user/alice/") COOKIE("alice"), EDGE_PASS, 0, LISTENER_PUBLIC },
	{ GET("/user/alice/") TOKEN("alice"), EDGE_PASS, 0, LISTENER_PUBLIC },
	{ GET("/user/alice/") COOKIE("bob"), EDGE_PASS, 0, LISTENER_PUBLIC },
	{ GET("/user/alice/") COOKIE("bob") PAGE, EDGE_PASS, 0, LISTENER_PUBLIC },
	/* No route but that of all users' addresses. */
	{ GET("/user/carol/"), EDGE_REFUSE, 403, LISTENER_PUBLIC },
	{ GET("/user/carol/") PAGE, EDGE_LOGIN, 0, LISTENER_PUBLIC },
	{ GET("/user/carol/") COOKIE("bob"), EDGE_PASS, 0, LISTENER_PUBLIC },
	{ GET("/user/alice/") COOKIE("old") PAGE, EDGE_LOGIN, 0, LISTENER_PUBLIC },
	{ GET("/user/alice/") COOKIE("agent"), EDGE_REFUSE, 403, LISTENER_PUBLIC },
	{ GET("/user/alice/") TOKEN("agent"), EDGE_REFUSE, 403, LISTENER_PUBLIC },
	{ GET("/user/alice/") COOKIE("alice") TOKEN("bob"), EDGE_PASS, 0, LISTENER_PUBLIC },
	{ GET("/user/alice/") COOKIE("alice") TOKEN("unknown"), EDGE_PASS, 0, LISTENER_PUBLIC },
	{ GET("/user/alice/") COOKIE("alice") COOKIE("bob"), EDGE_REFUSE, 403, LISTENER_PUBLIC },
	{ GET("/user/alice") COOKIE("alice"), EDGE_SLASH, 0, LISTENER_PUBLIC },
	{ GET("/user/alice") PAGE, EDGE_LOGIN, 0, LISTENER_PUBLIC },
	{ POST("/user/alice") TOKEN("alice"), EDGE_REFUSE, 404, LISTENER_PUBLIC },
	{ GET("/user/alice/../bob/"), EDGE_REFUSE, 400, LISTENER_PUBLIC },
	/* State changes. */
	{ POST("/user/alice/") COOKIE("alice"), EDGE_REFUSE, 403, LISTENER_PUBLIC },
	{ POST("/user/alice/") COOKIE("alice") ORIGIN, EDGE_PASS, 0, LISTENER_PUBLIC },
	{ POST("/user/alice/") COOKIE("alice") "Sec-Fetch-Site: same-origin\r\n", EDGE_PASS, 0,
	    LISTENER_PUBLIC },
	{ POST("/user/alice/") COOKIE("alice") TOKEN("unknown"), EDGE_REFUSE, 403,
	    LISTENER_PUBLIC },
	{ POST("/user/alice/") TOKEN("alice"), EDGE_PASS, 0, LISTENER_PUBLIC },
	{ POST("/user/alice/") TOKEN("alice") "Sec-Fetch-Site: cross-site\r\n", EDGE_REFUSE, 403,
	    LISTENER_PUBLIC },
	{ POST("/user/alice/") ORIGIN, EDGE_REFUSE, 403, LISTENER_PUBLIC },
	/* WebSockets. */
	{ GET("/user/alice/") WS COOKIE("alice"), EDGE_REFUSE, 403, LISTENER_PUBLIC },
	{ GET("/user/alice/") WS COOKIE("alice") ORIGIN, EDGE_PASS, 0, LISTENER_PUBLIC },
	{ GET("/user/alice/") WS COOKIE("bob") ORIGIN, EDGE_PASS, 0, LISTENER_PUBLIC },
	{ GET("/user/alice/") WS PAGE ORIGIN, EDGE_REFUSE, 403, LISTENER_PUBLIC },
	{ GET("/user/alice/") WS TOKEN("alice"), EDGE_PASS, 0, LISTENER_PUBLIC },
	{ GET("/user/alice/") "Connection: Upgrade\r\nUpgrade: websocket\r\n" COOKIE("alice")
		ORIGIN,
	    EDGE_REFUSE, 426, LISTENER_PUBLIC },
	/* Hosts. */
	{ "GET / HTTP/1.1\r\nHost: evil\r\n", EDGE_REFUSE, 421, LISTENER_PUBLIC },
	{ "GET / HTTP/1.0\r\n", EDGE_REFUSE, 400, LISTENER_PUBLIC },
	/* The inner listener. */
	{ GET("/hub/api/x") TOKEN("agent"), EDGE_PASS, 0, LISTENER_INNER },
	{ POST("/hub/api/x") TOKEN("agent"), EDGE_PASS, 0, LISTENER_INNER },
	{ GET("/hub/api/x") COOKIE("agent"), EDGE_REFUSE, 403, LISTENER_INNER },
	{ GET("/hub/api/x") TOKEN("alice"), EDGE_REFUSE, 403, LISTENER_INNER },
	{ GET("/hub/api/x"), EDGE_REFUSE, 403, LISTENER_INNER },
	{ GET("/hub/home") TOKEN("agent"), EDGE_REFUSE, 404, LISTENER_INNER },
	{ GET("/user/alice/") TOKEN("agent"), EDGE_REFUSE, 404, LISTENER_INNER },
};

static struct http_head head;

static struct table *read_table(const char *json)
{
	struct table *t = NULL;
	struct cyg_err err = { 0 };

	ck_assert_msg(table_parse(cyg_str_of(json), &t, &err) == 0, "%s", err.msg);
	return t;
}

static void decide(const struct table *t, const struct row *row, struct edge_decision *out)
{
	struct edge_policy policy = { .scheme = "http" };
	struct edge_request in = {
		.kind = row->kind, .policy = &policy, .table = t, .head = &head, .now_s = 1000
	};
	struct cyg_arena arena;
	struct cyg_err err = { 0 };
	char text[2048];
	int status;

	cyg_arena_init(&arena);
	in.arena = &arena;
	ck_assert_int_lt(snprintf(text, sizeof(text), "%s\r\n", row->request), (int)sizeof(text));
	ck_assert_int_eq(hosts_parse(CYG_STR("localhost,*.localhost"), &policy.hosts, &err), 0);
	ck_assert_msg(
	    http_head_parse_request(text, strlen(text), &head, &status, &err) > 0, "%s", err.msg);
	edge_decide(&in, out);
	cyg_arena_free(&arena);
}

START_TEST(test_decision)
{
	const struct row *row = &rows[_i];
	struct table *t = read_table(ROUTES ALICES CREDENTIALS);
	struct edge_decision out;

	decide(t, row, &out);
	ck_assert_msg(
	    out.verdict == row->verdict && (row->status == 0 || out.status == row->status),
	    "%s: verdict %d status %d %s", row->request, (int)out.verdict, out.status,
	    out.message != NULL ? out.message : "");
	ck_assert(out.verdict != EDGE_PASS || out.route != NULL);
	ck_assert(out.verdict != EDGE_REFUSE || out.message != NULL);
	table_free(t);
}
END_TEST

/* Who is not alice. */
static const char *const strangers[] = { "", COOKIE("bob"), TOKEN("bob"), COOKIE("old"),
	COOKIE("agent"), TOKEN("unknown"), COOKIE("bob") ORIGIN, TOKEN("bob") PAGE,
	COOKIE("bob") PAGE, PAGE, COOKIE("bob") WS ORIGIN, COOKIE("bob") WS, WS };
static const char *const addresses[] = { GET("/user/alice/"), GET("/user/alice"),
	GET("/user/alice/api/x?y"), POST("/user/alice/api"), POST("/user/alice") };

START_TEST(test_a_stranger_cannot_tell_whether_a_server_runs)
{
	struct table *with = read_table(ROUTES ALICES CREDENTIALS);
	struct table *without = read_table(ROUTES CREDENTIALS);
	char request[1024];
	struct row row = { .request = request };
	struct edge_decision a, b;

	for (size_t i = 0; i < CYG_N(strangers); i++) {
		(void)snprintf(request, sizeof(request), "%s%s", addresses[_i], strangers[i]);
		decide(with, &row, &a);
		decide(without, &row, &b);
		ck_assert_msg(a.verdict == b.verdict && a.status == b.status, "%s", request);
		ck_assert_ptr_eq(a.message, b.message);
		if (a.verdict == EDGE_PASS)
			ck_assert(cyg_str_same(a.route->prefix, b.route->prefix));
		ck_assert_int_eq(a.cred != NULL, b.cred != NULL);
		ck_assert_int_eq(a.by_token, b.by_token);
		ck_assert_int_eq(a.upgrade, b.upgrade);
	}
	table_free(with);
	table_free(without);
}
END_TEST

START_TEST(test_without_a_table_everything_waits)
{
	static const struct row row = { GET("/hub/x"), EDGE_REFUSE, 503, LISTENER_PUBLIC };
	struct edge_decision out;

	decide(NULL, &row, &out);
	ck_assert_int_eq(out.verdict, EDGE_REFUSE);
	ck_assert_int_eq(out.status, 503);
}
END_TEST

START_TEST(test_hosts_match_whole_labels)
{
	static const struct {
		const char *host;
		bool ok;
	} names[] = { { "hub.example", true }, { "HUB.example:443", true },
		{ "x.hub.example", false }, { "a.lab.example", true },
		{ "a.b.lab.example:1", true }, { "lab.example", false }, { ".lab.example", false },
		{ "xlab.example", false }, { "hub.example.", false }, { "[::1]:80", true },
		{ "[::2]", false }, { "", false } };
	struct hosts hosts;
	struct cyg_err err;

	ck_assert_int_eq(hosts_parse(CYG_STR("hub.example, *.lab.example,[::1]"), &hosts, &err), 0);
	ck_assert_uint_eq(hosts.n, 3);
	for (size_t i = 0; i < CYG_N(names); i++)
		ck_assert_msg(hosts_allow(&hosts, cyg_str_of(names[i].host)) == names[i].ok, "%s",
		    names[i].host);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("proxy edge");
	TCase *tc = tcase_create("edge");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, test_decision, 0, (int)CYG_N(rows));
	tcase_add_loop_test(
	    tc, test_a_stranger_cannot_tell_whether_a_server_runs, 0, (int)CYG_N(addresses));
	tcase_add_test(tc, test_without_a_table_everything_waits);
	tcase_add_test(tc, test_hosts_match_whole_labels);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
