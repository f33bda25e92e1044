/* lab/api/workspaces: the layout of the application, one file each, under the names stock gives
 * them (jupyterlab_server workspaces_handler.py); api/config: sections of small client state. */
#include "kernels/pages/priv.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "http/url.h"
#include "kernels/base/digest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXTENSION ".jupyterlab-workspace"

enum { WORKSPACE_MAX = 16 << 20, SLUG_MAX = 128 - (int)sizeof(EXTENSION) + 1, SIGN_LEN = 5 };

/* Lower-case letters, digits, '_' and '-', runs of spaces and hyphens as one hyphen; then a hyphen
 * and four digits of the name's SHA-256. */
static char *slug_of(struct job *job, const char *name)
{
	char hex[DIGEST_HEX], slug[SLUG_MAX + 1];
	struct cyg_str plain;
	size_t n = 0;
	const char *own = *name == '/' ? name + 1 : name;
	digest_sha256(cyg_str_of(own), hex);
	if (url_decode(job->req->arena, cyg_str_of(own), &plain, NULL) < 0)
		plain = cyg_str_of(own);
	for (size_t i = 0; i < plain.len && n + SIGN_LEN < SLUG_MAX; i++) {
		char c = plain.p[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
		bool gap = c == '-' || c == ' ' || (c >= '\t' && c <= '\r');
		if (word)
			slug[n++] = c;
		else if (gap && (n == 0 ? c == '-' : slug[n - 1] != '-'))
			slug[n++] = '-';
	}
	return cyg_xasprintf("%.*s-%.4s", (int)n, slug, hex);
}

static char *file_of(struct job *job)
{
	const struct pages_ctx *ctx = job->ctx;
	cyg_autofree char *slug = slug_of(job, job->path);
	return cyg_xasprintf("%s/lab/workspaces/%s" EXTENSION, ctx->state->config_dir, slug);
}

/* A workspace's text with the times of its file in metadata. False: not there or broken. */
static bool load(const char *path, struct cyg_buf *out)
{
	cyg_autobuf struct cyg_buf text, patch;
	char modified[CYG_ISO8601_SIZE], created[CYG_ISO8601_SIZE];
	struct stat st;
	cyg_buf_init(&text, WORKSPACE_MAX);
	cyg_buf_init(&patch, 1024);
	if (stat(path, &st) != 0 || cyg_file_read(AT_FDCWD, path, true, &text, NULL) < 0)
		return false;
	cyg_clock_format(st.st_mtim.tv_sec * 1000000LL + st.st_mtim.tv_nsec / 1000, modified);
	cyg_clock_format(st.st_ctim.tv_sec * 1000000LL + st.st_ctim.tv_nsec / 1000, created);
	return cyg_buf_printf(&patch, NULL,
		   "{\"metadata\":{\"last_modified\":\"%s\",\"created\":\"%s\"}}", modified,
		   created) == 0 &&
	       json_merge(cyg_buf_str(&text), cyg_buf_str(&patch), out, NULL) == 0;
}

static int is_workspace(const struct dirent *e)
{
	return e->d_name[0] != '.' && cyg_str_ends(cyg_str_of(e->d_name), EXTENSION);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

struct listed {
	struct jsonw ids, values;
};

static void list_one(struct listed *l, const char *path)
{
	cyg_autobuf struct cyg_buf text;
	struct tape *t = NULL;
	cyg_buf_init(&text, WORKSPACE_MAX);
	if (!load(path, &text) || tape_parse(cyg_buf_str(&text), &t, NULL, NULL) < 0)
		return;
	tape_node metadata = tape_find(t, tape_root(t), "metadata");
	tape_node id = tape_find(t, metadata, "id");
	if (id != TAPE_NONE) {
		jsonw_raw(&l->ids, tape_text(t, id));
		jsonw_raw(&l->values, cyg_buf_str(&text));
	}
	tape_free(t);
}

void workspaces_list_work(struct job *job)
{
	const struct pages_ctx *ctx = job->ctx;
	cyg_autofree char *dir = cyg_xasprintf("%s/lab/workspaces", ctx->state->config_dir);
	cyg_autobuf struct cyg_buf ids, values;
	struct listed l;
	struct dirent **entries = NULL;
	cyg_buf_init(&ids, WORKSPACE_MAX);
	cyg_buf_init(&values, JOB_OUT_MAX);
	jsonw_init(&l.ids, &ids);
	jsonw_init(&l.values, &values);
	jsonw_array(&l.ids);
	jsonw_array(&l.values);
	int n = scandir(dir, &entries, is_workspace, by_name);
	for (int i = 0; i < n; i++) {
		cyg_autofree char *path = cyg_xasprintf("%s/%s", dir, entries[i]->d_name);
		list_one(&l, path);
		free(entries[i]);
	}
	free(entries);
	jsonw_array_end(&l.ids);
	jsonw_array_end(&l.values);
	if (jsonw_finish(&l.ids, NULL) < 0 || jsonw_finish(&l.values, NULL) < 0 ||
	    cyg_buf_printf(&job->out, NULL, "{\"workspaces\":{\"ids\":%s,\"values\":", ids.data) <
		0 ||
	    cyg_buf_add(&job->out, values.data, values.len, NULL) < 0 ||
	    cyg_buf_add_str(&job->out, "}}", NULL) < 0)
		(void)job_fail(job, 500, NULL, "The workspaces are too large");
}

void workspace_get_work(struct job *job)
{
	cyg_autofree char *path = file_of(job);
	struct jsonw w;
	if (load(path, &job->out))
		return;
	cyg_autofree char *id = cyg_xasprintf("%s%s", job->path[0] == '/' ? "" : "/", job->path);
	cyg_buf_reset(&job->out);
	jsonw_init(&w, &job->out);
	jsonw_object(&w);
	jsonw_key(&w, "data");
	jsonw_raw(&w, CYG_STR("{}"));
	jsonw_key(&w, "metadata");
	jsonw_object(&w);
	jsonw_key_cstr(&w, "id", id);
	jsonw_object_end(&w);
	jsonw_object_end(&w);
	(void)jsonw_finish(&w, NULL);
}

/* metadata.id names the workspace that is written to, with or without a slash, perhaps escaped. */
static bool id_fits(struct job *job, const struct tape *t)
{
	tape_node metadata = tape_find(t, tape_root(t), "metadata");
	cyg_autofree char *id = tape_get_str(t, metadata, "id");
	struct cyg_str plain;
	if (id == NULL)
		return false;
	if (url_decode(job->req->arena, cyg_str_of(id), &plain, NULL) < 0)
		plain = cyg_str_of(id);
	return cyg_str_same(strip_slashes(plain), cyg_str_of(job->path));
}

int user_file_write(struct job *job, const char *path, struct cyg_str text, const char *what)
{
	struct cyg_err err;
	struct stat st;
	cyg_autofree char *dir = cyg_xstrndup(path, (size_t)(strrchr(path, '/') - path));
	/* Users may keep their settings elsewhere, with links to them: the links stay. */
	cyg_autofree char *real = realpath(path, NULL);
	mode_t mode = real != NULL && stat(real, &st) == 0 ? st.st_mode & 0777 : 0644;
	if (cyg_file_mkdirs(dir, 0700, &err) < 0 ||
	    cyg_file_write(AT_FDCWD, real != NULL ? real : path, text, mode, &err) < 0)
		return job_fail_err(job, &err, what);
	job->status = 204;
	return 0;
}

void workspace_put_work(struct job *job)
{
	struct tape *t = NULL;
	struct cyg_err err;
	cyg_autofree char *path = file_of(job);
	if (tape_parse(job->req->body, &t, NULL, &err) < 0) {
		(void)job_fail(job, 400, NULL, "%s", err.msg);
		return;
	}
	if (!id_fits(job, t))
		(void)job_fail(
		    job, 400, NULL, "Workspace metadata ID mismatch: expected '%s'", job->path);
	else
		(void)user_file_write(job, path, job->req->body, "Cannot save");
	tape_free(t);
}

void workspace_delete_work(struct job *job)
{
	cyg_autofree char *path = file_of(job);
	if (unlink(path) == 0)
		job->status = 204;
	else if (errno == ENOENT)
		(void)job_fail(job, 404, NULL, "Workspace '%s' not found", job->path);
	else
		(void)job_fail_sys(job, errno, "Cannot delete the workspace", job->path);
}

/* ---- api/config/SECTION ---- */
static bool section_is_good(struct job *job)
{
	const char *p = job->path;
	while ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
	       *p == '_')
		p++;
	if (*p == '\0' && p != job->path)
		return true;
	(void)job_fail(job, 404, NULL, "No such section: %s", job->path);
	return false;
}

void config_get_work(struct job *job)
{
	struct cyg_err err;
	if (section_is_good(job) &&
	    config_section(job->ctx, "serverconfig", job->path, &job->out, &err) < 0)
		(void)job_fail_err(job, &err, "Cannot read the configuration");
}

static char *section_file(struct job *job)
{
	const struct pages_ctx *ctx = job->ctx;
	return cyg_xasprintf("%s/serverconfig/%s.json", ctx->state->config_dir, job->path);
}

void config_put_work(struct job *job)
{
	struct tape *t = NULL;
	struct cyg_err err;
	if (!section_is_good(job))
		return;
	cyg_autofree char *path = section_file(job);
	if (tape_parse(job->req->body, &t, NULL, &err) < 0)
		(void)job_fail(job, 400, NULL, "Invalid JSON in body of request: %s", err.msg);
	else if (tape_type_of(t, tape_root(t)) != TAPE_OBJECT)
		(void)job_fail(job, 400, NULL, "The body of the request is not a JSON object");
	else
		(void)user_file_write(job, path, job->req->body, "Cannot save");
	tape_free(t);
}

void config_patch_work(struct job *job)
{
	cyg_autobuf struct cyg_buf own, merged;
	cyg_buf_init(&own, WORKSPACE_MAX);
	cyg_buf_init(&merged, WORKSPACE_MAX);
	struct cyg_err err;
	if (!section_is_good(job))
		return;
	cyg_autofree char *path = section_file(job);
	if (cyg_file_read(AT_FDCWD, path, true, &own, NULL) < 0 || own.len == 0) {
		cyg_buf_reset(&own);
		(void)cyg_buf_add_str(&own, "{}", NULL);
	}
	if (json_merge(cyg_buf_str(&own), job->req->body, &merged, &err) < 0) {
		(void)job_fail(job, 400, NULL, "Invalid JSON in body of request: %s", err.msg);
		return;
	}
	if (user_file_write(job, path, cyg_buf_str(&merged), "Cannot save") < 0)
		return;
	job->status = 200;
	config_get_work(job);
}
