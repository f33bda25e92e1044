/* Fuzz target: what an agent says of its kernels, then of its notebooks (the two texts stand with a
 * NUL between them). Rows are few, and each holds what the page needs. */
#include "base/mem.h"
#include "hub/api/kernel_rows.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_row(const json_t *row)
{
	const json_t *path = json_object_get(row, "path");

	if (json_object_size(row) != 4 || !json_is_string(json_object_get(row, "id")) ||
	    !json_is_string(json_object_get(row, "name")) ||
	    !json_is_string(json_object_get(row, "state")) ||
	    (!json_is_null(path) && !json_is_string(path)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cyg_str text = { (const char *)data, size };
	size_t end = cyg_str_chr(text, '\0'), i;
	json_t *rows = kernel_rows_read(cyg_str_sub(text, 0, end)), *one;

	if (rows == NULL)
		return 0;
	kernel_rows_add_paths(rows, cyg_str_skip(text, end < size ? end + 1 : end));
	if (json_array_size(rows) > KERNEL_ROWS_MAX)
		abort();
	json_array_foreach (rows, i, one)
		check_row(one);
	json_decref(rows);
	return 0;
}
