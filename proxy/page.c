/* Writes the proxy's own responses. */
#include "proxy/page.h"

#include "cygnet/paths.h"
#include "http/head.h"

/* The page has no script, and its policy allows this style sheet (by hash) and nothing else. A test
 * holds the two together. */
#define STYLE                                                                                      \
	"body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem}" \
	"h1{font-size:1.4rem}a{color:#0b57d0}"                                                     \
	"@media(prefers-color-scheme:dark){body{background:#16181c;color:#e8e8e8}a{color:#8ab4f8}}"
#define STYLE_HASH "YuJ+WjoH+banLK9L21JpLjaGfQxqe6HDbmT6AmO0Uvo="

static const char security_fields[] =
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: same-origin\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'sha256-" STYLE_HASH "'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'\r\n";

static int write_html(const struct page *page, struct cyg_buf *body, struct cyg_err *err)
{
	const char *text = http_status_text(page->status);

	return cyg_buf_printf(body, err,
	    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	    "<meta name=\"viewport\" content=\"width=device-width\"><title>%d %s</title>"
	    "<style>" STYLE "</style></head>\n<body><main><h1>%s</h1><p>%s</p>"
	    "<p><a href=\"" CYG_HUB_PATH "/home\">Go to the hub's home page</a></p>"
	    "<p><small>%d %s</small></p></main></body></html>\n",
	    page->status, text, text, page->message, page->status, text);
}

static int write_head(
    const struct page *page, size_t length, struct cyg_buf *out, struct cyg_err *err)
{
	int rc = http_write_status_line(out, page->status, err);

	if (rc == 0)
		rc = cyg_buf_printf(out, err, "Content-Type: %s\r\nContent-Length: %zu\r\n",
		    page->html ? "text/html; charset=utf-8" : "application/json", length);
	if (rc == 0)
		rc = cyg_buf_add_str(out, security_fields, err);
	if (rc == 0 && page->location.len > 0)
		rc = http_write_field(out, CYG_STR("Location"), page->location, err);
	if (rc == 0 && page->status == 503)
		rc = cyg_buf_add_str(out, "Retry-After: 2\r\n", err);
	if (rc == 0 && page->status == 426)
		rc = cyg_buf_add_str(out, "Sec-WebSocket-Version: 13\r\n", err);
	if (rc == 0 && !page->keep)
		rc = cyg_buf_add_str(out, "Connection: close\r\n", err);
	else if (rc == 0 && page->client_minor == 0)
		rc = cyg_buf_add_str(out, "Connection: keep-alive\r\n", err);
	return rc < 0 ? rc : http_write_end(out, err);
}

int page_write(const struct page *page, struct cyg_buf *out, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf body;
	int rc;

	cyg_buf_init(&body, 4096);
	if (page->html)
		rc = write_html(page, &body, err);
	else
		rc = cyg_buf_printf(&body, err, "{\"status\": %d, \"message\": \"%s\"}\n",
		    page->status, page->message);
	if (rc == 0)
		rc = write_head(page, body.len, out, err);
	if (rc < 0 || page->head_only)
		return rc;
	return cyg_buf_add(out, body.data, body.len, err);
}
