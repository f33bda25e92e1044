/* Serves static files: bundles of the front ends (their names hold a hash, so they are cached for
 * ever; they are sent compressed when precompress.sh was run), extensions, icons, themes, custom
 * CSS. */
#include "kernels/pages/priv.h"

#include "base/file.h"
#include "base/mem.h"
#include "kernels/contents/contents.h"
#include "kernels/contents/files.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FOR_EVER "public, max-age=31536000, immutable"

bool static_is_clean(const char *rel)
{
	struct cyg_str rest = cyg_str_of(rel), part;
	if (*rel == '\0')
		return false;
	while (cyg_str_next(&rest, '/', &part))
		if (part.len == 0 || cyg_str_eq(part, ".") || cyg_str_eq(part, ".."))
			return false;
	return true;
}

static int open_regular(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		return fd;
	cyg_close(fd);
	return -1;
}

/* The compressed form, when the client takes it and it is no older than the file. */
static int open_gzip(struct job *job, const struct static_file *file, struct stat *st)
{
	const struct pages_ctx *ctx = job->ctx;
	struct stat gz;
	if (file->zone == NULL || !job_takes_gzip(job))
		return -1;
	cyg_autofree char *path =
	    cyg_xasprintf("%s/%s/%s.gz", ctx->state->gzip_dir, file->zone, file->rel);
	int fd = open_regular(path, &gz);
	if (fd >= 0 && gz.st_mtim.tv_sec < st->st_mtim.tv_sec) {
		cyg_close(fd);
		return -1;
	}
	if (fd >= 0)
		*st = gz;
	return fd;
}

static const char *type_of(const char *rel)
{
	const char *type = contents_mime_of(rel);
	if (cyg_str_ends(cyg_str_of(rel), ".js") || cyg_str_ends(cyg_str_of(rel), ".mjs"))
		return "application/javascript";
	return type != NULL ? type : "application/octet-stream";
}

bool static_send(struct job *job, const struct static_file *file)
{
	struct stat st;
	cyg_autofree char *path = cyg_xasprintf("%s/%s", file->dir, file->rel);
	int fd = static_is_clean(file->rel) ? open_regular(path, &st) : -1;
	if (fd < 0)
		return false;
	job->type = type_of(file->rel);
	job->page = true;
	int gz = open_gzip(job, file, &st);
	if (gz >= 0) {
		cyg_close(fd);
		fd = gz;
		job_field(job, "Content-Encoding", "gzip");
	}
	if (file->zone != NULL)
		job_field(job, "Vary", "Accept-Encoding");
	job_field(job, "Cache-Control", file->cache != NULL ? file->cache : "no-cache");
	if (files_is_unchanged(job, &st)) {
		cyg_close(fd);
		job->status = 304;
		return true;
	}
	if (gz < 0) {
		files_send(job, fd, &st);
		return true;
	}
	job->fd = fd; /* no ranges of a compressed form */
	job->len = (uint64_t)st.st_size;
	return true;
}

static void fail_missing(struct job *job)
{
	(void)job_fail(job, 404, NULL, "file '%s' does not exist", job->path);
}

/* GET static/PATH: three folders under one address. */
void static_work(struct job *job)
{
	const struct pages_ctx *ctx = job->ctx;
	const struct pages_state *s = ctx->state;
	cyg_autofree char *lab = cyg_xasprintf("%s/static", s->lab);
	cyg_autofree char *notebook =
	    cyg_xasprintf("%s/static", s->notebook != NULL ? s->notebook : "");
	struct static_file file = { .rel = job->path };
	/* The pages' templates are not served as files. */
	bool is_template = cyg_str_ends(cyg_str_of(job->path), "lab/index.html");
	if (strncmp(job->path, "lab/", 4) == 0)
		file = (struct static_file){ lab, job->path + 4, "lab", FOR_EVER };
	else if (strncmp(job->path, "notebook/", 9) == 0 && s->notebook != NULL)
		file = (struct static_file){ notebook, job->path + 9, "notebook", FOR_EVER };
	else
		file.dir = s->server_static;
	if (file.dir != NULL && !is_template && static_send(job, &file))
		return;
	/* Stock has no icon of that name although its console page asks for it. */
	if (strcmp(job->path, "favicons/favicon-console.ico") == 0 && file.dir != NULL) {
		file.rel = "favicons/favicon-notebook.ico";
		if (static_send(job, &file))
			return;
	}
	fail_missing(job);
}

/* GET lab/extensions/PATH. */
void labextension_work(struct job *job)
{
	const struct pages_ctx *ctx = job->ctx;
	for (size_t i = 0; i < ctx->state->labext_count; i++) {
		struct static_file file = { ctx->state->labext[i], job->path,
			i == 0 ? "labextensions" : NULL, NULL };
		if (static_send(job, &file))
			return;
	}
	fail_missing(job);
}

/* GET custom/custom.css: the user's, else Notebook's, else nothing. */
void custom_css_work(struct job *job)
{
	const struct pages_state *s = ((const struct pages_ctx *)job->ctx)->state;
	cyg_autofree char *own = cyg_xasprintf("%s/custom", s->config_dir);
	cyg_autofree char *stock =
	    cyg_xasprintf("%s/custom", s->notebook != NULL ? s->notebook : "");
	struct static_file file = { own, "custom.css", NULL, NULL };
	if (static_send(job, &file))
		return;
	file.dir = stock;
	if (s->notebook != NULL && static_send(job, &file))
		return;
	job->type = "text/css";
	job->page = true;
}

/* ---- themes ---- */
/* url('images/x.png') of a theme is relative to its own address, which the page does not have. */
static int put_css(struct cyg_buf *out, struct cyg_str css, const char *base, struct cyg_err *err)
{
	int r = 0;
	while (r == 0 && css.len > 0) {
		const char *at = memmem(css.p, css.len, "url('", 5);
		size_t n = at == NULL ? css.len : (size_t)(at - css.p) + 5;
		r = cyg_buf_add(out, css.p, n, err);
		css = cyg_str_skip(css, n);
		if (r < 0 || at == NULL)
			continue;
		struct cyg_str url = cyg_str_sub(css, 0, cyg_str_chr(css, '\''));
		bool absolute = cyg_str_starts(url, "/") || cyg_str_chr(url, ':') < url.len;
		if (!absolute)
			r = cyg_buf_add_str(out, base, err);
	}
	return r;
}

static bool send_css(struct job *job, const char *dir)
{
	const struct pages_ctx *ctx = job->ctx;
	cyg_autobuf struct cyg_buf css;
	cyg_autofree char *path = cyg_xasprintf("%s/%s", dir, job->path);
	struct cyg_err err;
	struct stat st;
	cyg_buf_init(&css, PAGES_FILE_MAX);
	if (stat(path, &st) != 0 || cyg_file_read(AT_FDCWD, path, true, &css, &err) < 0)
		return false;
	job->type = "text/css";
	job->page = true;
	job_field(job, "Cache-Control", "no-cache");
	if (files_is_unchanged(job, &st)) {
		job->status = 304;
		return true;
	}
	const char *slash = strrchr(job->path, '/');
	cyg_autofree char *base = cyg_xasprintf("%slab/api/themes/%.*s/", ctx->base_url,
	    slash != NULL ? (int)(slash - job->path) : 0, job->path);
	if (put_css(&job->out, cyg_buf_str(&css), base, &err) < 0)
		(void)job_fail_err(job, &err, "Cannot send the theme");
	return true;
}

struct theme_search {
	struct job *job;
	bool css, sent;
};

static bool send_theme(struct job *job, const char *dir, bool css)
{
	struct static_file file = { dir, job->path, NULL, NULL };
	return css ? send_css(job, dir) : static_send(job, &file);
}

static void on_extension(void *arg, const char *dir, const struct tape *package)
{
	struct theme_search *search = arg;
	cyg_autofree char *themes = cyg_xasprintf("%s/themes", dir);
	(void)package;
	if (!search->sent)
		search->sent = send_theme(search->job, themes, search->css);
}

void themes_work(struct job *job)
{
	const struct pages_ctx *ctx = job->ctx;
	cyg_autofree char *core = cyg_xasprintf("%s/themes", ctx->state->lab);
	struct theme_search search = { .job = job,
		.css = cyg_str_ends(cyg_str_of(job->path), ".css") };
	if (!static_is_clean(job->path)) {
		fail_missing(job);
		return;
	}
	if (send_theme(job, core, search.css))
		return;
	federated_each(ctx, on_extension, &search);
	if (!search.sent)
		fail_missing(job);
}
