/* Fuzz target: the JSON tape. What parses must walk, its own text must parse to the same count, and
 * every string must survive unquoting, writing and parsing again. */
#include "base/mem.h"
#include "kernels/base/jsonw.h"
#include "kernels/base/tape.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_string(struct cyg_str quoted)
{
	cyg_autobuf struct cyg_buf once, json, twice;
	struct jsonw w;
	struct tape *again = NULL;
	cyg_buf_init(&once, 1 << 20);
	cyg_buf_init(&json, 8 << 20);
	cyg_buf_init(&twice, 1 << 20);
	if (tape_unquote(quoted, &once, NULL) < 0)
		return;
	jsonw_init(&w, &json);
	jsonw_str(&w, cyg_buf_str(&once));
	assert(jsonw_finish(&w, NULL) == 0);
	assert(tape_parse(cyg_buf_str(&json), &again, NULL, NULL) == 0);
	assert(tape_string(again, tape_root(again), &twice, NULL) == 0);
	assert(cyg_str_same(cyg_buf_str(&once), cyg_buf_str(&twice)));
	tape_free(again);
}

/* NOLINTNEXTLINE(misc-no-recursion): TAPE_DEPTH_MAX */
static void walk(const struct tape *t, tape_node n)
{
	struct cyg_str key = tape_key_text(t, n);
	if (key.len > 0)
		check_string(key);
	if (tape_type_of(t, n) == TAPE_STRING)
		check_string(tape_text(t, n));
	size_t count = 0;
	for (tape_node c = tape_first(t, n); c != TAPE_NONE; c = tape_next(t, c), count++)
		walk(t, c);
	assert(count == tape_count(t, n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tape *t = NULL, *again = NULL;
	struct cyg_err err;
	char *text = cyg_xstrndup((const char *)data, size);
	struct cyg_str s = { text, size };
	struct tape_pos pos = { 0, 0 };
	if (tape_parse(s, &t, &pos, &err) == 0) {
		walk(t, tape_root(t));
		assert(tape_parse(tape_text(t, tape_root(t)), &again, NULL, NULL) == 0);
		assert(tape_count(again, tape_root(again)) == tape_count(t, tape_root(t)));
		tape_free(again);
		tape_free(t);
	} else {
		assert(err.msg[0] != '\0' && pos.line > 0 && pos.column > 0);
	}
	free(text);
	return 0;
}
