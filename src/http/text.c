/* Character classes, methods and reason phrases: what the codec's files share. */
#include "http/text.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <string.h>

static unsigned char classes[256];

/* Filled before main, so that the table reads as its rules instead of as 256 numbers. */
__attribute__((constructor)) static void fill_classes(void)
{
	for (int c = 0x20; c < 0x7f; c++)
		classes[c] |= HTTP_C_VALUE;
	classes['\t'] |= HTTP_C_VALUE;
	for (int c = 0x21; c < 0x7f; c++) {
		if (c != '#')
			classes[c] |= HTTP_C_TARGET;
	}
	for (int c = '0'; c <= '9'; c++)
		classes[c] |= HTTP_C_TOKEN | HTTP_C_PLAIN | HTTP_C_HOST | HTTP_C_HEX | HTTP_C_DIGIT;
	for (int c = 'a'; c <= 'z'; c++) {
		classes[c] |= HTTP_C_TOKEN | HTTP_C_PLAIN | HTTP_C_HOST;
		classes[c - 'a' + 'A'] |= HTTP_C_TOKEN | HTTP_C_PLAIN | HTTP_C_HOST;
	}
	for (int c = 'a'; c <= 'f'; c++) {
		classes[c] |= HTTP_C_HEX;
		classes[c - 'a' + 'A'] |= HTTP_C_HEX;
	}
	for (const char *p = "!#$%&'*+-.^_`|~"; *p != '\0'; p++)
		classes[(unsigned char)*p] |= HTTP_C_TOKEN;
	for (const char *p = "-._~"; *p != '\0'; p++)
		classes[(unsigned char)*p] |= HTTP_C_PLAIN;
	for (const char *p = "-._"; *p != '\0'; p++)
		classes[(unsigned char)*p] |= HTTP_C_HOST;
}

bool http_char_is(char c, enum http_char kind)
{
	return (classes[(unsigned char)c] & kind) != 0;
}

bool http_text_is(struct cyg_str s, enum http_char kind)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((classes[(unsigned char)s.p[i]] & kind) == 0)
			return false;
	}
	return true;
}

bool http_text_is_value(struct cyg_str s, bool obs)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((classes[c] & HTTP_C_VALUE) == 0 && !(obs && c >= 0x80))
			return false;
	}
	return true;
}

unsigned http_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return (unsigned)(c - 'A') + 10;
}

/* ":443": one to five digits, not over 65535. */
static bool port_is_ok(struct cyg_str s)
{
	unsigned port = 0;

	if (s.len < 2 || s.len > 6 || s.p[0] != ':' ||
	    !http_text_is(cyg_str_skip(s, 1), HTTP_C_DIGIT))
		return false;
	for (size_t i = 1; i < s.len; i++)
		port = port * 10 + (unsigned)(s.p[i] - '0');
	return port <= 65535;
}

bool http_host_is_ok(struct cyg_str host)
{
	char address[INET6_ADDRSTRLEN];
	unsigned char raw[16];
	size_t colon;

	if (host.len == 0 || host.len > 255 + 6)
		return false;
	if (host.p[0] == '[') {
		size_t close = cyg_str_chr(host, ']');

		if (close == host.len ||
		    !cyg_str_copy(address, sizeof(address), cyg_str_sub(host, 1, close - 1)) ||
		    inet_pton(AF_INET6, address, raw) != 1)
			return false;
		return close + 1 == host.len || port_is_ok(cyg_str_skip(host, close + 1));
	}
	colon = cyg_str_chr(host, ':');
	if (colon == 0 || !http_text_is(cyg_str_sub(host, 0, colon), HTTP_C_HOST))
		return false;
	return colon == host.len || port_is_ok(cyg_str_skip(host, colon));
}

static const char *const methods[] = {
	[HTTP_OTHER] = "",
	[HTTP_GET] = "GET",
	[HTTP_HEAD] = "HEAD",
	[HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT",
	[HTTP_PATCH] = "PATCH",
	[HTTP_DELETE] = "DELETE",
	[HTTP_OPTIONS] = "OPTIONS",
};

enum http_method http_method_of(struct cyg_str name)
{
	for (size_t i = HTTP_GET; i < CYG_N(methods); i++) {
		if (cyg_str_eq(name, methods[i]))
			return (enum http_method)i;
	}
	return HTTP_OTHER;
}

const char *http_method_text(enum http_method method)
{
	return methods[method];
}

static const struct {
	int status;
	const char *text;
} reasons[] = {
	{ 100, "Continue" },
	{ 101, "Switching Protocols" },
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 421, "Misdirected Request" },
	{ 422, "Unprocessable Content" },
	{ 424, "Failed Dependency" },
	{ 426, "Upgrade Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
	{ 507, "Insufficient Storage" },
};

const char *http_status_text(int status)
{
	for (size_t i = 0; i < CYG_N(reasons); i++) {
		if (reasons[i].status == status)
			return reasons[i].text;
	}
	return "";
}
