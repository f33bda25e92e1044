/* What a head's fields mean together: Host, framing, keep-alive, Expect, Upgrade (RFC
 * 9112 3.2, 6.3, 9.3; RFC 9110 7.8, 10.1.1). Two readings of one message are refused, never chosen
 * between. */
#include "http/text.h"

#include "base/mem.h"
#include "base/num.h"

#include <string.h>

enum { LENGTH_DIGITS_MAX = 19 };

const struct http_field *http_head_find(const struct http_head *head, const char *name)
{
	for (size_t i = 0; i < head->n_fields; i++) {
		if (cyg_str_case_eq(head->fields[i].name, name))
			return &head->fields[i];
	}
	return NULL;
}

size_t http_head_count(const struct http_head *head, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < head->n_fields; i++) {
		if (cyg_str_case_eq(head->fields[i].name, name))
			n++;
	}
	return n;
}

bool http_head_lists(const struct http_head *head, const char *name, const char *token)
{
	for (size_t i = 0; i < head->n_fields; i++) {
		struct cyg_str rest = head->fields[i].value;
		struct cyg_str part;

		if (!cyg_str_case_eq(head->fields[i].name, name))
			continue;
		while (cyg_str_next(&rest, ',', &part)) {
			if (cyg_str_case_eq(cyg_str_trim(part), token))
				return true;
		}
	}
	return false;
}

static bool connection_lists(const struct http_head *head, const char *token)
{
	for (size_t i = 0; i < head->n_connection; i++) {
		if (cyg_str_case_eq(head->connection[i], token))
			return true;
	}
	return false;
}

static const char *const one_hop[] = { "connection", "keep-alive", "proxy-connection",
	"proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
	"upgrade", "http2-settings" };

bool http_head_is_hop_by_hop(const struct http_head *head, struct cyg_str name)
{
	for (size_t i = 0; i < CYG_N(one_hop); i++) {
		if (cyg_str_case_eq(name, one_hop[i]))
			return true;
	}
	for (size_t i = 0; i < head->n_connection; i++) {
		const struct cyg_str *listed = &head->connection[i];

		if (listed->len == name.len && strncasecmp(listed->p, name.p, name.len) == 0)
			return true;
	}
	return false;
}

/* What Connection lists, read once: reading the field again, which may hold thousands of commas,
 * would be slow. */
static int read_connection(struct http_head *head, struct http_scan *s)
{
	for (size_t i = 0; i < head->n_fields; i++) {
		struct cyg_str rest = head->fields[i].value;
		struct cyg_str part;

		if (!cyg_str_case_eq(head->fields[i].name, "connection"))
			continue;
		while (cyg_str_next(&rest, ',', &part)) {
			if (head->n_connection == CYG_HTTP_CONNECTION_MAX)
				return http_scan_fail(s, 400, "Connection lists too much");
			head->connection[head->n_connection++] = cyg_str_trim(part);
		}
	}
	return 0;
}

/* Connection may not name what frames or routes the message: the next hop would lose it. */
static int check_connection(struct http_head *head, struct http_scan *s)
{
	static const char *const kept[] = { "host", "content-length", "transfer-encoding" };
	int rc = read_connection(head, s);

	for (size_t i = 0; i < CYG_N(kept) && rc == 0; i++) {
		if (connection_lists(head, kept[i]))
			rc = http_scan_fail(s, 400, "Connection names a field of the whole path");
	}
	if (rc < 0)
		return rc;
	head->keep_alive = head->minor == 1 || connection_lists(head, "keep-alive");
	if (connection_lists(head, "close"))
		head->keep_alive = false;
	head->upgrade = head->minor == 1 && connection_lists(head, "upgrade") &&
			http_head_find(head, "upgrade") != NULL;
	return 0;
}

/* Transfer-Encoding: exactly "chunked", once, on HTTP/1.1, and no Content-Length beside it. */
static int check_coding(struct http_head *head, struct http_scan *s, size_t lengths)
{
	const struct http_field *te = http_head_find(head, "transfer-encoding");

	if (lengths > 0)
		return http_scan_fail(s, 400, "both Content-Length and Transfer-Encoding");
	if (te == NULL || http_head_count(head, "transfer-encoding") != 1)
		return http_scan_fail(s, 400, "more than one Transfer-Encoding");
	if (head->minor != 1)
		return http_scan_fail(s, 400, "Transfer-Encoding in HTTP/1.0");
	if (!cyg_str_case_eq(te->value, "chunked"))
		return http_scan_fail(s, 400, "a Transfer-Encoding other than chunked");
	head->framing = HTTP_BODY_CHUNKED;
	return 0;
}

static int check_framing(struct http_head *head, struct http_scan *s)
{
	const struct http_field *length = http_head_find(head, "content-length");
	size_t lengths = http_head_count(head, "content-length");

	if (http_head_find(head, "transfer-encoding") != NULL)
		return check_coding(head, s, lengths);
	if (length == NULL)
		return 0;
	/* Equal duplicates and lists may be repaired (RFC 9110 8.6); we do not guess. */
	if (lengths > 1 || length->value.len > LENGTH_DIGITS_MAX ||
	    cyg_num_parse_u64(length->value, 0, UINT64_MAX, &head->content_length, NULL) < 0)
		return http_scan_fail(s, 400, "bad Content-Length");
	head->framing = HTTP_BODY_LENGTH;
	return 0;
}

/* Exactly one, well formed, and the authority of an absolute target says the same. */
static int check_host(struct http_head *head, struct http_scan *s)
{
	struct cyg_str absolute = head->host;
	const struct http_field *host = http_head_find(head, "host");
	size_t n = http_head_count(head, "host");

	if (n > 1 || (n == 0 && head->minor == 1))
		return http_scan_fail(s, 400, "there must be one Host field");
	if (host != NULL && !http_host_is_ok(host->value) &&
	    !(head->minor == 0 && host->value.len == 0))
		return http_scan_fail(s, 400, "bad Host field");
	if (host != NULL)
		head->host = host->value;
	if (absolute.p != NULL && n == 1 &&
	    (absolute.len != head->host.len ||
		strncasecmp(absolute.p, head->host.p, absolute.len) != 0))
		return http_scan_fail(s, 421, "the target's host is not the Host field's");
	return 0;
}

static int check_expect(struct http_head *head, struct http_scan *s)
{
	const struct http_field *expect = http_head_find(head, "expect");

	if (expect == NULL)
		return 0;
	if (http_head_count(head, "expect") != 1 || !cyg_str_case_eq(expect->value, "100-continue"))
		return http_scan_fail(s, 417, "only 100-continue can be expected");
	head->expect_continue = head->minor == 1;
	return 0;
}

/* Two of these mean one thing to a reader that takes the first and another to one that joins. */
static int check_single(struct http_head *head, struct http_scan *s)
{
	static const char *const single[] = { "authorization", "origin", "content-type" };

	for (size_t i = 0; i < CYG_N(single); i++) {
		if (http_head_count(head, single[i]) > 1)
			return http_scan_fail(
			    s, 400, "a field that can be there once is there twice");
	}
	return 0;
}

int http_head_check_request(struct http_head *head, struct http_scan *s)
{
	int rc = check_host(head, s);

	if (rc == 0)
		rc = check_framing(head, s);
	if (rc == 0)
		rc = check_connection(head, s);
	if (rc == 0)
		rc = check_single(head, s);
	if (rc == 0)
		rc = check_expect(head, s);
	if (rc == 0 && head->method == HTTP_OTHER)
		rc = http_scan_fail(s, 501, "unknown method");
	return rc;
}

/* RFC 9112 6.3, in its order. */
int http_head_check_response(
    struct http_head *head, enum http_method request_method, struct http_scan *s)
{
	bool bare = request_method == HTTP_HEAD || head->status < 200 || head->status == 204 ||
		    head->status == 304;
	int rc = check_framing(head, s);

	if (rc == 0)
		rc = check_connection(head, s);
	if (rc < 0)
		return rc;
	/* RFC 9112 6.3: a 204 has no body, whatever it says. Who says so may send one all the same,
	 * and that would be read as the next response. */
	if (head->status == 204 && (head->framing == HTTP_BODY_CHUNKED || head->content_length > 0))
		head->keep_alive = false;
	if (bare)
		head->framing = HTTP_BODY_NONE;
	else if (head->framing == HTTP_BODY_NONE)
		head->framing = HTTP_BODY_CLOSE;
	if (head->framing == HTTP_BODY_CLOSE)
		head->keep_alive = false;
	if (head->status == 101 && !head->upgrade)
		return http_scan_fail(s, 502, "101 without Upgrade");
	return 0;
}
