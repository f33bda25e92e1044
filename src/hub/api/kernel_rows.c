/* Makes rows of kernels and of the notebooks they belong to, from two texts that a container sent.
 */
#include "hub/api/kernel_rows.h"

#include "base/mem.h"

#include <string.h>

/* Braces within strings count too: the bound leaves room for them. */
static bool is_bounded(struct cyg_str text)
{
	size_t values = 0;

	if (text.len > KERNEL_ROWS_TEXT_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++)
		values += text.p[i] == '{' || text.p[i] == '[' ? 1 : 0;
	return values <= KERNEL_ROWS_VALUES_MAX;
}

/* The text as an array, or NULL. */
static json_t *read_array(struct cyg_str text)
{
	json_t *root = is_bounded(text) ? json_loadb(text.p, text.len, 0, NULL) : NULL;

	if (json_is_array(root))
		return root;
	json_decref(root);
	return NULL;
}

static const char *state_of(const json_t *kernel)
{
	static const char *const states[] = { "busy", "idle", "starting" };
	const char *told = json_string_value(json_object_get(kernel, "execution_state"));

	for (size_t i = 0; told != NULL && i < CYG_N(states); i++) {
		if (strcmp(told, states[i]) == 0)
			return states[i];
	}
	return "unknown";
}

json_t *kernel_rows_read(struct cyg_str text)
{
	json_t *kernels = read_array(text), *rows, *one;
	size_t i;

	if (kernels == NULL)
		return NULL;
	rows = json_array();
	json_array_foreach (kernels, i, one) {
		const char *id = json_string_value(json_object_get(one, "id"));
		const char *name = json_string_value(json_object_get(one, "name"));

		if (json_array_size(rows) == KERNEL_ROWS_MAX)
			break;
		if (id != NULL && name != NULL)
			(void)json_array_append_new(
			    rows, json_pack("{s:s, s:s, s:n, s:s}", "id", id, "name", name, "path",
				      "state", state_of(one)));
	}
	json_decref(kernels);
	return rows;
}

void kernel_rows_add_paths(json_t *rows, struct cyg_str text)
{
	json_t *sessions = read_array(text), *one;
	json_t *by_id = json_object();
	size_t i;

	json_array_foreach (rows, i, one)
		(void)json_object_set(by_id, json_string_value(json_object_get(one, "id")), one);
	json_array_foreach (sessions, i, one) {
		const json_t *kernel = json_object_get(one, "kernel");
		const char *id = json_string_value(json_object_get(kernel, "id"));
		json_t *row = id != NULL ? json_object_get(by_id, id) : NULL;
		json_t *path = json_object_get(one, "path");

		if (row != NULL && json_is_string(path))
			(void)json_object_set(row, "path", path);
	}
	json_decref(by_id);
	json_decref(sessions);
}
