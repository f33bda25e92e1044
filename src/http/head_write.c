/* Heads, written: every name and value is checked here once more, so that nothing that came from
 * outside can begin a second line. */
#include "http/text.h"

#include "base/mem.h"

int http_write_request_line(
    struct cyg_buf *out, struct cyg_str method, struct cyg_str target, struct cyg_err *err)
{
	if (method.len == 0 || !http_text_is(method, HTTP_C_TOKEN))
		return cyg_fail(err, CYG_EINVAL, "bad method");
	if (target.len == 0 || !http_text_is(target, HTTP_C_TARGET))
		return cyg_fail(err, CYG_EINVAL, "bad request target");
	const struct cyg_str parts[] = { method, CYG_STR(" "), target, CYG_STR(" HTTP/1.1\r\n") };
	return cyg_buf_add_all(out, parts, CYG_N(parts), err);
}

int http_write_status_line(struct cyg_buf *out, int status, struct cyg_err *err)
{
	if (status < 100 || status > 599)
		return cyg_fail(err, CYG_EINVAL, "status %d is none", status);
	return cyg_buf_printf(out, err, "HTTP/1.1 %d %s\r\n", status, http_status_text(status));
}

int http_write_field(
    struct cyg_buf *out, struct cyg_str name, struct cyg_str value, struct cyg_err *err)
{
	const struct cyg_str parts[] = { name, CYG_STR(": "), value, CYG_STR("\r\n") };

	if (name.len == 0 || !http_text_is(name, HTTP_C_TOKEN))
		return cyg_fail(err, CYG_EINVAL, "bad field name");
	if (!http_text_is_value(value, true))
		return cyg_fail(err, CYG_EINVAL, "bad field value");
	return cyg_buf_add_all(out, parts, CYG_N(parts), err);
}

int http_write_end(struct cyg_buf *out, struct cyg_err *err)
{
	return cyg_buf_add(out, "\r\n", 2, err);
}
