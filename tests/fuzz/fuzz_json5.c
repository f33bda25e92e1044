/* Fuzz target: JSON5 to JSON, and merging. What comes out is JSON, and stays the same when it is
 * read as JSON5 again. */
#include "base/mem.h"
#include "kernels/pages/priv.h"

#include <assert.h>

enum { OUT_MAX = 1 << 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cyg_autobuf struct cyg_buf once, twice, merged;
	struct cyg_err err = { 0 };
	cyg_buf_init(&once, OUT_MAX);
	cyg_buf_init(&twice, OUT_MAX);
	cyg_buf_init(&merged, OUT_MAX);
	char *text = cyg_xstrndup((const char *)data, size);
	if (json5_to_json((struct cyg_str){ text, size }, &once, &err) < 0) {
		assert(err.msg[0] != '\0');
	} else {
		assert(json5_to_json(cyg_buf_str(&once), &twice, NULL) == 0);
		assert(cyg_str_same(cyg_buf_str(&once), cyg_buf_str(&twice)));
		(void)json_merge(cyg_buf_str(&once), cyg_buf_str(&twice), &merged, NULL);
	}
	free(text);
	return 0;
}
