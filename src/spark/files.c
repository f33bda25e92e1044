/* Rendered properties as the file Spark reads. */
#include "spark/render.h"

/* java.util.Properties: the value starts after the first run of spaces with at most one ':' or '='
 * in it, so a value that begins with one of those escapes it; everything above ASCII is read as
 * Latin-1, so it goes out as \uXXXX. */
static int write_value(struct cyg_buf *out, const char *value, struct cyg_err *err)
{
	int rc = 0;

	if (value[0] == ':' || value[0] == '=')
		rc = cyg_buf_add_str(out, "\\", err);
	for (const unsigned char *p = (const unsigned char *)value; rc == 0 && *p != '\0';) {
		unsigned code = *p++;
		int more = code >= 0xf0 ? 3 : code >= 0xe0 ? 2 : code >= 0xc0 ? 1 : 0;

		if (code < 0x80) {
			rc = cyg_buf_printf(out, err, "%s%c", code == '\\' ? "\\" : "", (char)code);
			continue;
		}
		code &= 0x3fu >> more;
		while (more-- > 0)
			code = code << 6 | (*p++ & 0x3f);
		if (code < 0x10000)
			rc = cyg_buf_printf(out, err, "\\u%04x", code);
		else
			rc = cyg_buf_printf(out, err, "\\u%04x\\u%04x", 0xd7c0 + (code >> 10),
			    0xdc00 + (code & 0x3ff));
	}
	return rc;
}

int spark_write_defaults(const struct spark_rendered *r, struct cyg_buf *out, struct cyg_err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->n; i++) {
		if (r->properties[i].value == NULL)
			continue;
		rc = cyg_buf_printf(out, err, "%s ", r->properties[i].name);
		if (rc == 0)
			rc = write_value(out, r->properties[i].value, err);
		if (rc == 0)
			rc = cyg_buf_add_str(out, "\n", err);
	}
	return rc;
}
