/* Fuzz target: Origin, Fetch-Metadata and Authorization of a request head. What passes without a
 * token passes with one; what is of one scheme is not of the other; who knows no scheme lets
 * through what either would; a token has no spaces at its ends. */
#include "http/origin.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct http_head head;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int status;
	long len = http_head_parse_request((const char *)data, size, &head, &status, NULL);
	const struct http_field *origin;
	struct cyg_str token;

	if (len <= 0)
		return 0;
	for (int token_too = 0; token_too < 2; token_too++) {
		bool http = origin_check(&head, "http", token_too != 0) == NULL;
		bool https = origin_check(&head, "https", token_too != 0) == NULL;
		bool either = origin_check(&head, NULL, token_too != 0) == NULL;

		assert(either == (http || https));
		assert(!http || origin_check(&head, "http", true) == NULL);
	}
	origin = http_head_find(&head, "origin");
	if (origin != NULL)
		assert(!origin_is(origin->value, "http", head.host) ||
		       !origin_is(origin->value, "https", head.host));
	token = origin_token(&head);
	assert(cyg_str_same(cyg_str_trim(token), token) && token.len < size);
	return 0;
}
