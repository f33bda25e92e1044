/* Serves the pages, one of JupyterLab and five of Notebook 7: each is a template of the
 * installation with our configuration filled in. */
#include "kernels/pages/priv.h"

#include "base/file.h"
#include "base/mem.h"
#include "http/url.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { TEMPLATE_MAX = 1 << 20, PAGE_MAX = 8 << 20 };

static void render(struct job *job, const struct page *page, const char *template)
{
	const struct pages_ctx *ctx = job->ctx;
	cyg_autobuf struct cyg_buf text, config;
	struct cyg_err err;
	cyg_buf_init(&text, TEMPLATE_MAX);
	cyg_buf_init(&config, PAGE_MAX);
	struct template_vars vars = { .base_url = ctx->base_url,
		.custom_css = page->kind == PAGE_NOTEBOOK };
	if (cyg_file_read(AT_FDCWD, template, true, &text, &err) < 0) {
		(void)job_fail(job, 404, NULL, "This installation has no such page: %s", err.msg);
		return;
	}
	if (page_config_write(ctx, page, &config, &err) < 0) {
		(void)job_fail(
		    job, 500, NULL, "The site's page configuration is broken: %s", err.msg);
		return;
	}
	vars.config = cyg_buf_str(&config);
	if (template_render(cyg_buf_str(&text), &vars, &job->out, &err) < 0) {
		(void)job_fail(job, 500, NULL, "Cannot make the page: %s", err.msg);
		return;
	}
	job->type = "text/html; charset=UTF-8";
	job->page = true;
	job_field(job, "Cache-Control", "no-cache");
}

/* "workspaces/NAME" and "tree/PATH" after lab or doc; anything else is shown by the application as
 * not found (NotFoundHandler). */
static void lab_page(struct job *job, const char *mode, const char *rest)
{
	const struct pages_ctx *ctx = job->ctx;
	struct page page = {
		.kind = PAGE_LAB, .mode = mode, .workspace = "default", .tree_path = ""
	};
	struct cyg_str s = cyg_str_of(rest);
	if (cyg_str_starts(s, "workspaces/")) {
		s = cyg_str_skip(s, strlen("workspaces/"));
		size_t n = cyg_str_chr(s, '/');
		page.workspace = cyg_arena_dup(job->req->arena, cyg_str_sub(s, 0, n));
		s = cyg_str_skip(s, n < s.len ? n + 1 : n);
	}
	if (cyg_str_starts(s, "tree/"))
		page.tree_path = cyg_arena_dup(job->req->arena, cyg_str_skip(s, strlen("tree/")));
	else if (s.len > 0 && !cyg_str_eq(s, "tree"))
		page.not_found_url = cyg_arena_dup(job->req->arena, job->req->path);
	cyg_autofree char *template = cyg_xasprintf("%s/static/index.html", ctx->state->lab);
	render(job, &page, template);
}

static void redirect(struct job *job, const char *to, const char *path)
{
	const struct pages_ctx *ctx = job->ctx;
	cyg_autobuf struct cyg_buf url;
	cyg_buf_init(&url, 16 * 1024);
	if (cyg_buf_printf(&url, NULL, "%s%s", ctx->base_url, to) < 0 ||
	    url_encode(&url, cyg_str_of(path), "/", NULL) < 0) {
		(void)job_fail(job, 400, NULL, "The path is too long");
		return;
	}
	job->status = 302;
	job->type = "text/plain";
	job_field(job, "Location", url.data);
}

static bool is_hidden(const struct pages_ctx *ctx, const char *path)
{
	struct cyg_str rest = cyg_str_of(path), part;
	while (!ctx->allow_hidden && cyg_str_next(&rest, '/', &part))
		if (part.len > 0 && part.p[0] == '.')
			return true;
	return false;
}

/* 'd' for a folder, 'f' for a file, 0 for nothing that may be shown. */
static char kind_of(const struct pages_ctx *ctx, const char *path)
{
	struct stat st;
	cyg_autofree char *disk = cyg_xasprintf("%s/%s", ctx->root_dir, path);
	if (is_hidden(ctx, path) || (*path != '\0' && !static_is_clean(path)) ||
	    stat(disk, &st) != 0)
		return 0;
	return S_ISDIR(st.st_mode) ? 'd' : 'f';
}

static void notebook_page(struct job *job, const char *name, const char *path)
{
	const struct pages_ctx *ctx = job->ctx;
	struct page page = { .kind = PAGE_NOTEBOOK,
		.mode = "single-document",
		.workspace = "default",
		.tree_path = "",
		.notebook_page = name };
	if (ctx->state->notebook == NULL) {
		(void)job_fail(job, 404, NULL, "Notebook is not installed here; use JupyterLab");
		return;
	}
	char kind = kind_of(ctx, path);
	if (strcmp(name, "tree") == 0) {
		if (kind == 'f') {
			bool nb = cyg_str_ends(cyg_str_of(path), ".ipynb");
			redirect(job, nb ? "notebooks/" : "files/", path);
			return;
		}
		if (kind != 'd') {
			(void)job_fail(job, 404, NULL, "No such directory: %s", path);
			return;
		}
		page.tree_path = path;
	} else if (strcmp(name, "notebooks") == 0 && kind == 'd') {
		redirect(job, "tree/", path);
		return;
	}
	cyg_autofree char *template =
	    cyg_xasprintf("%s/templates/%s.html", ctx->state->notebook, name);
	render(job, &page, template);
}

/* job->name is the page, job->path what follows it. */
void page_work(struct job *job)
{
	if (strcmp(job->name, "lab") == 0)
		lab_page(job, "multiple-document", job->path);
	else if (strcmp(job->name, "doc") == 0)
		lab_page(job, "single-document", job->path);
	else
		notebook_page(job, job->name, job->path);
}
