/* An agent's kernels, as the page of running servers shows them. A container sends the texts, so
 * they are bounded before and after they are parsed. Pure. */
#ifndef HUB_KERNEL_ROWS_H
#define HUB_KERNEL_ROWS_H

#include "base/str.h"

#include <jansson.h>

enum {
	KERNEL_ROWS_TEXT_MAX = 64 * 1024, /* of one response: some 150 notebooks */
	KERNEL_ROWS_MAX = 256,            /* kernels that are shown; others are left out */
	KERNEL_ROWS_VALUES_MAX = 2048,    /* objects and arrays in one text: each costs the parser
					   * 300 bytes, however short it is written */
};

/* The response of api/kernels → [{"id", "name", "path": null, "state"}]. A new array, or NULL when
 * the text is not such a list or breaks a bound; rows without id or name are left out. */
json_t *kernel_rows_read(struct cyg_str text);
/* Puts the paths of the response of api/sessions into the rows: one walk over each. A text that is
 * no such list leaves them as they are. */
void kernel_rows_add_paths(json_t *rows, struct cyg_str text);

#endif
