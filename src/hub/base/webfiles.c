/* Static files of the portal with the headers of a page. No HTML is made here. */
#include "hub/base/webfiles.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "cygnet/paths.h"
#include "cygnet/version.h"
#include "hub/base/app.h"
#include "hub/base/secret.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { FILE_MAX = 1024 * 1024, FILES_MAX = 500, ETAG_DIGITS = 24 };

static const struct http_fixed_field page_fields[] = {
	{ "Content-Security-Policy",
	    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
	    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "same-origin" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "X-JupyterHub-Version", CYGNET_JUPYTERHUB_VERSION },
	{ "Cache-Control", "no-cache" },
};

struct page {
	char etag[ETAG_DIGITS + 3];                             /* with its quotes */
	struct http_fixed whole;                                /* with status 200 */
	struct http_fixed_field fields[CYG_N(page_fields) + 2]; /* page_fields, the tag, the end */
};

struct webfiles {
	struct cyg_hash *by_name; /* "home.html", "static/base.css" */
};

static const struct {
	const char *suffix, *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".mjs", "text/javascript; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".svg", "image/svg+xml; charset=utf-8" },
	{ ".png", "image/png" },
	{ ".woff2", "font/woff2" },
	{ ".json", "application/json" },
};

static const char *type_of(const char *name)
{
	for (size_t i = 0; i < CYG_N(types); i++) {
		if (cyg_str_ends(cyg_str_of(name), types[i].suffix))
			return types[i].type;
	}
	return NULL;
}

static void page_free(void *p)
{
	struct page *page = p;

	http_fixed_end(&page->whole);
	free(page->whole.body);
	free(page);
}

/* Pages have a mark where the hub's address belongs, so that the same files serve below any path.
 */
static int put_address(struct cyg_buf *page, struct cyg_err *err)
{
	static const char mark[] = "$HUB";
	cyg_autobuf struct cyg_buf whole = *page;
	struct cyg_str rest = cyg_buf_str(&whole);
	const char *at;
	int rc = 0;

	cyg_buf_init(page, FILE_MAX);
	while (rc == 0 && (at = memmem(rest.p, rest.len, mark, sizeof(mark) - 1)) != NULL) {
		size_t n = (size_t)(at - rest.p);

		rc = cyg_buf_add(page, rest.p, n, err);
		if (rc == 0)
			rc = cyg_buf_add_str(page, CYG_HUB_PATH, err);
		rest = cyg_str_skip(rest, n + sizeof(mark) - 1);
	}
	return rc == 0 ? cyg_buf_add(page, rest.p, rest.len, err) : rc;
}

static int read_page(
    struct webfiles *files, int dirfd, const char *prefix, const char *name, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf b;
	cyg_autofree char *key = cyg_xasprintf("%s%s", prefix, name);
	char sum[SECRET_SUM_SIZE];

	cyg_buf_init(&b, FILE_MAX);
	if (cyg_file_read(dirfd, name, true, &b, err) < 0 ||
	    (cyg_str_ends(cyg_str_of(name), ".html") && put_address(&b, err) < 0))
		return cyg_wrap(err, "page %s", name);
	struct page *page = cyg_xcalloc(1, sizeof(*page));
	secret_sum(cyg_buf_str(&b), sum);
	(void)snprintf(page->etag, sizeof(page->etag), "\"%.*s\"", ETAG_DIGITS, sum);
	memcpy(page->fields, page_fields, sizeof(page_fields));
	page->fields[CYG_N(page_fields)] = (struct http_fixed_field){ "ETag", page->etag };
	page->whole =
	    (struct http_fixed){ .status = 200, .type = type_of(name), .fields = page->fields };
	page->whole.body = cyg_buf_take(&b, &page->whole.len);
	void *old = cyg_hash_set(files->by_name, cyg_str_of(key), page);
	if (old != NULL)
		page_free(old);
	return 0;
}

static int read_folder(
    struct webfiles *files, const char *path, const char *prefix, struct cyg_err *err)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int code = 0;

	if (dir == NULL)
		return cyg_fail_sys(err, errno, "cannot read the pages in %s", path);
	while (code == 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' || type_of(entry->d_name) == NULL)
			continue;
		if (cyg_hash_count(files->by_name) >= FILES_MAX)
			code = cyg_fail(err, CYG_ELIMIT, "more than %d pages", FILES_MAX);
		else
			code = read_page(files, dirfd(dir), prefix, entry->d_name, err);
	}
	(void)closedir(dir);
	return code;
}

int webfiles_load(const char *web_dir, struct webfiles **ret, struct cyg_err *err)
{
	struct webfiles *files = cyg_xcalloc(1, sizeof(*files));
	cyg_autofree char *folder = cyg_xasprintf("%s/static", web_dir);

	files->by_name = cyg_hash_new();
	if (read_folder(files, web_dir, "", err) < 0 ||
	    read_folder(files, folder, "static/", err) < 0) {
		webfiles_free(files);
		return -(int)err->code;
	}
	*ret = files;
	return 0;
}

void webfiles_free(struct webfiles *files)
{
	if (files == NULL)
		return;
	cyg_hash_free(files->by_name, page_free);
	free(files);
}

static bool is_unchanged(const struct http_req *req, const struct page *page)
{
	const struct http_field *f = http_head_find(req->head, "if-none-match");

	return f != NULL &&
	       memmem(f->value.p, f->value.len, page->etag, strlen(page->etag)) != NULL;
}

bool webfiles_send(struct http_req *req, int status, const char *name)
{
	const struct webfiles *files = request_app(req)->files;
	struct page *page = files != NULL ? cyg_hash_find(files->by_name, cyg_str_of(name)) : NULL;
	bool changed;

	if (page == NULL)
		return false;
	changed = status != 200 || !is_unchanged(req, page);
	if (status == 200 && changed) {
		http_reply_fixed(req, &page->whole);
		return true;
	}
	for (size_t i = 0; i < CYG_N(page_fields); i++)
		http_reply_field(req, page_fields[i].name, page_fields[i].value);
	if (!changed)
		http_reply_field(req, "ETag", page->etag);
	http_reply(req, changed ? status : 304, page->whole.type,
	    (struct cyg_str){ page->whole.body, changed ? page->whole.len : 0 });
	return true;
}

bool webfiles_send_error(struct http_req *req, int status)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "error-%d.html", status);
	return webfiles_send(req, status, name);
}
