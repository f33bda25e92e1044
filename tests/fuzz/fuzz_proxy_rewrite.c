/* Fuzz target: a request through the proxy. A head that passes is written as one that parses again
 * to the same message, with only our own fields about the user. The first byte chooses the
 * listener. */
#include "base/mem.h"
#include "proxy/rewrite.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Secrets "alice" and "agent". */
static const char table_json[] =
    "{\"routes\":[{\"prefix\":\"/\",\"target\":\"unix:/hub\",\"auth\":\"none\"},"
    "{\"prefix\":\"/user/alice/\",\"target\":\"unix:/a\",\"auth\":\"session\",\"owner\":\"alice\","
    "\"server\":\"a1\"}],\"credentials\":["
    "{\"sha256\":\"2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90\",\"user\":"
    "\"alice\"},"
    "{\"sha256\":\"d4f0bc5a29de06b510f9aa428f1eedba926012b591fef7a518e776a7c9bd1824\",\"user\":"
    "\"alice\",\"server\":\"a1\"}]}";

static struct http_head head, again;

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_cookies(struct cyg_str rest)
{
	struct cyg_str one;

	while (cyg_str_next(&rest, ';', &one))
		require(!cyg_str_starts(cyg_str_trim(one), EDGE_COOKIE "="));
}

static void check_fields(const struct edge_decision *edge)
{
	const struct http_field *user = http_head_find(&again, "x-cygnet-user");
	bool session = edge->route->auth == ROUTE_SESSION;

	require(http_head_count(&again, "x-cygnet-user") == (edge->cred != NULL));
	require(user == NULL || (edge->cred != NULL && cyg_str_eq(user->value, edge->cred->user)));
	require(http_head_count(&again, "x-forwarded-for") == 1);
	require(cyg_str_eq(http_head_find(&again, "x-forwarded-for")->value, "9.9.9.9"));
	require(http_head_count(&again, "content-length") +
		    http_head_count(&again, "transfer-encoding") <=
		1);
	for (size_t i = 0; i < again.n_fields && session; i++) {
		if (cyg_str_case_eq(again.fields[i].name, "cookie"))
			check_cookies(again.fields[i].value);
	}
}

static void check_message(const struct edge_decision *edge)
{
	struct rewrite_request in = { .head = &head,
		.edge = edge,
		.kind = LISTENER_PUBLIC,
		.scheme = "http",
		.ip = "9.9.9.9" };
	cyg_autobuf struct cyg_buf out;
	struct cyg_err err;
	int status;
	long n;

	cyg_buf_init(&out, 64 * 1024);
	/* More cookies than anybody has are refused here. */
	if (rewrite_request(&in, &out, &err) < 0)
		return;
	n = http_head_parse_request(out.data, out.len, &again, &status, &err);
	/* What is added can lift a head at the limit over it. */
	if (n < 0 && (status == 431 || status == 414))
		return;
	require(n > 0 && (size_t)n == out.len);
	require(again.method == head.method && cyg_str_same(again.target, head.target));
	require(again.framing == head.framing && again.content_length == head.content_length);
	require(again.upgrade == edge->upgrade && again.expect_continue == head.expect_continue);
	check_fields(edge);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct edge_policy policy = { .scheme = "http" };
	struct edge_request in = { .policy = &policy, .head = &head, .now_s = 1000 };
	struct cyg_arena arena;
	struct edge_decision edge;
	struct table *t = NULL;
	struct cyg_err err;
	int status;

	if (size == 0 ||
	    http_head_parse_request((const char *)data + 1, size - 1, &head, &status, &err) <= 0)
		return 0;
	require(table_parse(cyg_str_of(table_json), &t, &err) == 0);
	require(hosts_parse(CYG_STR("*"), &policy.hosts, &err) == 0);
	cyg_arena_init(&arena);
	in.arena = &arena;
	in.table = t;
	in.kind = (data[0] & 1) != 0 ? LISTENER_INNER : LISTENER_PUBLIC;
	edge_decide(&in, &edge);
	require(edge.verdict != EDGE_REFUSE || (edge.status >= 400 && edge.message != NULL));
	if (edge.verdict == EDGE_PASS) {
		require(edge.route->auth != ROUTE_SESSION ||
			(edge.cred != NULL && strcmp(edge.cred->user, edge.route->owner) == 0));
		check_message(&edge);
	}
	cyg_arena_free(&arena);
	table_free(t);
	return 0;
}
