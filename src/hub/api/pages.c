/* Static files with the headers of a page. No HTML is made here. Next: pages_lost.c for addresses
 * that nothing answers. */
#include "hub/api/pages.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/num.h"
#include "cygnet/paths.h"
#include "daemon/log.h"
#include "http/url.h"
#include "hub/access/auth.h"
#include "hub/access/secret.h"
#include "hub/base/reply.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { FILE_MAX = 1024 * 1024, FILES_MAX = 500, ETAG_DIGITS = 24, LOCATION_MAX = 16 * 1024 };

struct page {
	const char *type;
	char etag[ETAG_DIGITS + 3]; /* with its quotes */
	char *data;
	size_t len;
};

struct pages {
	struct cyg_hash *files; /* "home.html", "static/base.css" */
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

	free(page->data);
	free(page);
}

/* Pages name the hub's address by a mark: the same files serve below any path. */
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
    struct pages *pages, int dirfd, const char *prefix, const char *name, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf b;
	cyg_autofree char *key = cyg_xasprintf("%s%s", prefix, name);
	char sum[SECRET_SUM_SIZE];

	cyg_buf_init(&b, FILE_MAX);
	if (cyg_file_read(dirfd, name, true, &b, err) < 0 ||
	    (cyg_str_ends(cyg_str_of(name), ".html") && put_address(&b, err) < 0))
		return cyg_wrap(err, "page %s", name);
	struct page *page = cyg_xcalloc(1, sizeof(*page));
	page->type = type_of(name);
	secret_sum(cyg_buf_str(&b), sum);
	(void)snprintf(page->etag, sizeof(page->etag), "\"%.*s\"", ETAG_DIGITS, sum);
	page->data = cyg_buf_take(&b, &page->len);
	void *old = cyg_hash_set(pages->files, cyg_str_of(key), page);
	if (old != NULL)
		page_free(old);
	return 0;
}

static int read_folder(
    struct pages *pages, const char *path, const char *prefix, struct cyg_err *err)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int code = 0;

	if (dir == NULL)
		return cyg_fail_sys(err, errno, "cannot read the pages in %s", path);
	while (code == 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' || type_of(entry->d_name) == NULL)
			continue;
		if (cyg_hash_count(pages->files) >= FILES_MAX)
			code = cyg_fail(err, CYG_ELIMIT, "more than %d pages", FILES_MAX);
		else
			code = read_page(pages, dirfd(dir), prefix, entry->d_name, err);
	}
	(void)closedir(dir);
	return code;
}

int pages_load(const char *web_dir, struct pages **ret, struct cyg_err *err)
{
	struct pages *pages = cyg_xcalloc(1, sizeof(*pages));
	cyg_autofree char *files = cyg_xasprintf("%s/static", web_dir);

	pages->files = cyg_hash_new();
	if (read_folder(pages, web_dir, "", err) < 0 ||
	    read_folder(pages, files, "static/", err) < 0) {
		pages_free(pages);
		return -(int)err->code;
	}
	*ret = pages;
	return 0;
}

void pages_free(struct pages *pages)
{
	if (pages == NULL)
		return;
	cyg_hash_free(pages->files, page_free);
	free(pages);
}

static bool is_unchanged(const struct http_req *req, const struct page *page)
{
	const struct http_field *f = http_head_find(req->head, "if-none-match");

	return f != NULL &&
	       memmem(f->value.p, f->value.len, page->etag, strlen(page->etag)) != NULL;
}

static void page_fields(struct http_req *req)
{
	http_reply_field(req, "Content-Security-Policy",
	    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
	    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
	http_reply_field(req, "X-Content-Type-Options", "nosniff");
	http_reply_field(req, "Referrer-Policy", "same-origin");
	http_reply_field(req, "Cross-Origin-Opener-Policy", "same-origin");
	http_reply_field(req, "X-JupyterHub-Version", CYGNET_JUPYTERHUB_VERSION);
}

static bool send_page(struct http_req *req, int status, const char *name)
{
	struct hub *hub = request_hub(req);
	const struct page *page =
	    hub->pages != NULL ? cyg_hash_find(hub->pages->files, cyg_str_of(name)) : NULL;

	if (page == NULL)
		return false;
	page_fields(req);
	http_reply_field(req, "Cache-Control", "no-cache");
	if (status == 200)
		http_reply_field(req, "ETag", page->etag);
	if (status == 200 && is_unchanged(req, page))
		http_reply(req, 304, page->type, CYG_STR(""));
	else
		http_reply(req, status, page->type, (struct cyg_str){ page->data, page->len });
	return true;
}

static void show(struct http_req *req, const char *name)
{
	if (!send_page(req, 200, name))
		http_reply_error(req, 404, "The portal's pages are not installed: see web-dir.");
}

bool pages_reply_error(struct http_req *req, int status)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "error-%d.html", status);
	return send_page(req, status, name);
}

void page_home(struct http_req *req)
{
	show(req, "home.html");
}

void page_spark(struct http_req *req)
{
	show(req, "spark.html");
}

void page_root(struct http_req *req)
{
	http_reply_redirect(req, 302, CYG_HUB_PATH "/");
}

void page_logout(struct http_req *req)
{
	if (auth_who(req)->session != NULL) {
		show(req, "home.html");
		return;
	}
	http_reply_field(req, "Cache-Control", "no-store");
	http_reply_redirect(req, 302, CYG_HUB_PATH "/login");
}

void page_user_redirect(struct http_req *req)
{
	cyg_autobuf struct cyg_buf to;
	struct cyg_str query = req->head->query;

	cyg_buf_init(&to, LOCATION_MAX);
	if (cyg_buf_printf(&to, NULL, CYG_USER_PATH "%s/", auth_who(req)->person->name) < 0 ||
	    url_encode(&to, req->params[0], "/", NULL) < 0 ||
	    (query.p != NULL && cyg_buf_printf(&to, NULL, "?%.*s", CYG_STR_ARGS(query)) < 0)) {
		reply_error(req, 404, "The address is too long.");
		return;
	}
	http_reply_field(req, "Cache-Control", "no-store");
	http_reply_redirect(req, 302, to.data);
}

void page_login(struct http_req *req)
{
	struct cyg_str next = CYG_STR("");
	bool found = false;

	if (url_query_get(req->arena, req->head->query, "next", &next, &found, NULL) < 0)
		next = CYG_STR("");
	if (auth_who(req)->session != NULL) {
		http_reply_field(req, "Cache-Control", "no-store");
		http_reply_redirect(req, 302, request_next(req, next));
		return;
	}
	show(req, "login.html");
}

void page_starting(struct http_req *req)
{
	show(req, "starting.html");
}

/* The proxy's own pages link here; the page tells what was asked for from its query. */
void page_error(struct http_req *req)
{
	uint64_t status = 0;
	char name[32];

	if (cyg_num_parse_u64(req->params[0], 400, 599, &status, NULL) < 0) {
		reply_error(req, 404, "There is no such page.");
		return;
	}
	(void)snprintf(name, sizeof(name), "error-%d.html", (int)status);
	if (!send_page(req, 200, name))
		reply_error(req, 404, "There is no such page.");
}

void page_static(struct http_req *req)
{
	char name[160];

	/* Names come from the folder as it was read: nothing else can be reached. */
	(void)snprintf(name, sizeof(name), "static/%.*s", CYG_STR_ARGS(req->params[0]));
	if (!send_page(req, 200, name))
		reply_error(req, 404, "There is no such file.");
}
