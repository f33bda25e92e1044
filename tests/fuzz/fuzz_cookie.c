/* Fuzz target: Cookie fields. Two lines in the input are two fields. What is left after taking our
 * cookies out holds none of ours, however it is read, and nothing else has changed. */
#include "base/mem.h"
#include "http/cookie.h"
#include "http/text.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct http_head head, left;

static void set_cookies(struct http_head *h, struct cyg_str text)
{
	struct cyg_str line;

	h->n_fields = 0;
	while (h->n_fields < CYG_HTTP_FIELDS_MAX && cyg_str_next(&text, '\n', &line))
		h->fields[h->n_fields++] = (struct http_field){ CYG_STR("Cookie"), line };
}

/* Nothing of ours for a reader that takes every ';' for an end and does not care for case. */
static void check_none_of_ours(struct cyg_str text)
{
	struct cyg_str part;

	while (cyg_str_next(&text, ';', &part)) {
		part = cyg_str_trim(part);
		assert(part.len < 4 || !cyg_str_case_eq(cyg_str_sub(part, 0, 4), "__s-"));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cyg_str text = { (const char *)data, size };
	cyg_autobuf struct cyg_buf out, twice;
	struct cyg_str before, after;

	cyg_buf_init(&out, 1 << 22);
	cyg_buf_init(&twice, 1 << 22);
	set_cookies(&head, text);
	if (http_cookie_without(&head, "__s-", &out, NULL) < 0)
		return 0;
	check_none_of_ours(cyg_buf_str(&out));
	set_cookies(&left, cyg_buf_str(&out));
	assert(!http_cookie_get(&left, "__s-a", &after));
	assert(http_cookie_without(&left, "__s-", &twice, NULL) == 0);
	assert(cyg_str_same(cyg_buf_str(&out), cyg_buf_str(&twice)));
	assert(http_cookie_get(&head, "a", &before) == http_cookie_get(&left, "a", &after));
	return 0;
}
