/* Reads the list. */
#include "kernels/spark/python_path.h"

#include "base/buf.h"
#include "base/mem.h"
#include "kernels/base/tape.h"

#include <string.h>

enum { FOLDERS_MAX = 64, PATH_MAX_BYTES = 32 * 1024 };

static int add_folder(const struct tape *t, tape_node n, struct cyg_buf *out, struct cyg_err *err)
{
	const size_t before = out->len;
	int rc = before > 0 ? cyg_buf_add_str(out, ":", err) : 0;
	size_t from = out->len;

	if (rc == 0)
		rc = tape_string(t, n, out, err);
	if (rc == 0 && (memchr(out->data + from, ':', out->len - from) != NULL ||
			   memchr(out->data + from, '\0', out->len - from) != NULL))
		rc = cyg_fail(err, CYG_EINVAL, "pythonpath: a folder's name holds a colon");
	return rc;
}

static int add_folders(const struct tape *t, struct cyg_buf *out, struct cyg_err *err)
{
	const tape_node list = tape_root(t);
	int rc = 0;

	if (tape_type_of(t, list) != TAPE_ARRAY || tape_count(t, list) > FOLDERS_MAX)
		return cyg_fail(err, CYG_EINVAL, "pythonpath must be a list of at most %d folders",
		    FOLDERS_MAX);
	for (tape_node n = tape_first(t, list); rc == 0 && n != TAPE_NONE; n = tape_next(t, n))
		rc = add_folder(t, n, out, err);
	return rc;
}

char *python_path_join(struct cyg_str json, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf out;
	struct tape *t = NULL;
	int rc;

	cyg_buf_init(&out, PATH_MAX_BYTES);
	rc = tape_parse(json, &t, NULL, err);
	if (rc == 0)
		rc = add_folders(t, &out, err);
	tape_free(t);
	if (rc < 0)
		return NULL;
	return out.len > 0 ? cyg_buf_take(&out, NULL) : cyg_xstrdup("");
}
