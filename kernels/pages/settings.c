/* lab/api/settings: schemas of the front end and of extensions with the site's defaults laid over
 * them, and the user's settings, whose text (JSON5, comments and all) is kept as it was written.
 * Settings are checked against their schema by the client (jupyterlab_server settings_utils.py
 * also does). */
#include "kernels/pages/priv.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

enum { SCHEMA_MAX = 4 << 20, SETTINGS_MAX = 4 << 20, DEPTH_MAX = 4 };

struct schema {
	char *id;   /* "@jupyterlab/apputils-extension:themes" */
	char *path; /* of the schema's file */
};

struct schemas {
	struct cyg_hash *by_id;
	struct schema **list;
	size_t n, cap;
};

/* ---- finding schemas ---- */
static void add_schema(struct schemas *all, const char *package, const char *file, const char *path)
{
	cyg_autofree char *id =
	    cyg_xasprintf("%s:%.*s", package, (int)(strlen(file) - strlen(".json")), file);
	struct schema *s = cyg_hash_find(all->by_id, cyg_str_of(id));
	if (s != NULL) {
		free(s->path);
		s->path = cyg_xstrdup(path);
		return;
	}
	s = cyg_xcalloc(1, sizeof(*s));
	s->id = CYG_TAKE(id);
	s->path = cyg_xstrdup(path);
	(void)cyg_hash_set(all->by_id, cyg_str_of(s->id), s);
	if (all->n == all->cap) {
		all->cap = all->cap == 0 ? 64 : all->cap * 2;
		all->list = cyg_xrealloc(all->list, all->cap * sizeof(struct schema *));
	}
	all->list[all->n++] = s;
}

/* Every *.json below a schemas folder; the folders on the way are the package's name. */
/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX */
static void walk(struct schemas *all, const char *dir, const char *package, int depth)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		cyg_autofree char *path = cyg_xasprintf("%s/%s", dir, e->d_name);
		cyg_autofree char *below =
		    cyg_xasprintf("%s%s%s", package, *package != '\0' ? "/" : "", e->d_name);
		struct stat st;
		if (stat(path, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			walk(all, path, below, depth + 1);
		else if (S_ISREG(st.st_mode) && cyg_str_ends(cyg_str_of(e->d_name), ".json") &&
			 *package != '\0')
			add_schema(all, package, e->d_name, path);
	}
	if (d != NULL)
		(void)closedir(d);
}

static void on_extension(void *arg, const char *dir, const struct tape *package)
{
	cyg_autofree char *schemas = cyg_xasprintf("%s/schemas", dir);
	(void)package;
	walk(arg, schemas, "", 0);
}

static int by_id_down(const void *a, const void *b)
{
	const struct schema *const *x = a, *const *y = b;
	return strcmp((*y)->id, (*x)->id);
}

/* All schemas, sorted by id downwards as stock lists them; extensions win over the core. */
static void find_schemas(const struct pages_ctx *ctx, struct schemas *all)
{
	cyg_autofree char *core = cyg_xasprintf("%s/schemas", ctx->state->lab);
	*all = (struct schemas){ .by_id = cyg_hash_new() };
	walk(all, core, "", 0);
	federated_each(ctx, on_extension, all);
	if (all->n > 0)
		qsort(all->list, all->n, sizeof(struct schema *), by_id_down);
}

static void free_schemas(struct schemas *all)
{
	for (size_t i = 0; i < all->n; i++) {
		free(all->list[i]->id);
		free(all->list[i]->path);
		free(all->list[i]);
	}
	free(all->list);
	cyg_hash_free(all->by_id, NULL);
}

/* ---- defaults of the site ---- */
static int lay_over(struct cyg_buf *all, struct cyg_str over, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf merged;
	cyg_buf_init(&merged, SETTINGS_MAX);
	int r = json_merge(cyg_buf_str(all), over, &merged, err);
	cyg_buf_reset(all);
	return r < 0 ? r : cyg_buf_add(all, merged.data, merged.len, err);
}

static int lay_file_over(struct cyg_buf *all, const char *path, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf one;
	size_t n = strlen(path);
	cyg_autofree char *base =
	    cyg_xstrndup(path, cyg_str_ends(cyg_str_of(path), ".json5") ? n - 6 : n - 5);
	cyg_buf_init(&one, SETTINGS_MAX);
	int r = config_read(base, &one, err);
	return r < 0 || one.len == 0 ? r : lay_over(all, cyg_buf_str(&one), err);
}

/* overrides.d/ *, overrides.json(5), then default_setting_overrides of the labconfig folders. */
static int read_overrides(const struct pages_ctx *ctx, struct cyg_buf *all, struct cyg_err *err)
{
	cyg_autofree char *pattern =
	    cyg_xasprintf("%s/settings/overrides.d/*.json*", ctx->state->lab);
	cyg_autofree char *own = cyg_xasprintf("%s/settings/overrides.json", ctx->state->lab);
	cyg_autobuf struct cyg_buf layered;
	glob_t found = { 0 };
	cyg_buf_init(&layered, SETTINGS_MAX);
	int r = cyg_buf_add_str(all, "{}", err);
	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; r == 0 && i < found.gl_pathc; i++)
			r = lay_file_over(all, found.gl_pathv[i], err);
	globfree(&found);
	if (r == 0)
		r = lay_file_over(all, own, err);
	if (r == 0)
		r = config_section(ctx, "labconfig", "default_setting_overrides", &layered, err);
	return r < 0 ? r : lay_over(all, cyg_buf_str(&layered), err);
}

/* {"properties":{"KEY":{"default":VALUE}}} from an override {"KEY":VALUE}. */
static int override_schema(
    struct cyg_buf *schema, const struct tape *t, tape_node over, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf patch;
	struct jsonw w;
	cyg_buf_init(&patch, SETTINGS_MAX);
	jsonw_init(&w, &patch);
	jsonw_object(&w);
	jsonw_key(&w, "properties");
	jsonw_object(&w);
	for (tape_node c = tape_first(t, over); c != TAPE_NONE; c = tape_next(t, c)) {
		jsonw_key_quoted(&w, tape_key_text(t, c));
		jsonw_object(&w);
		jsonw_key(&w, "default");
		jsonw_raw(&w, tape_text(t, c));
		jsonw_object_end(&w);
	}
	jsonw_object_end(&w);
	jsonw_object_end(&w);
	int r = jsonw_finish(&w, err);
	return r < 0 ? r : lay_over(schema, cyg_buf_str(&patch), err);
}

/* ---- one plugin ---- */
static char *version_of(const char *schema_path)
{
	cyg_autobuf struct cyg_buf text;
	cyg_autofree char *path = cyg_xasprintf(
	    "%.*s/package.json.orig", (int)(strrchr(schema_path, '/') - schema_path), schema_path);
	struct tape *t = NULL;
	char *version = NULL;
	cyg_buf_init(&text, SCHEMA_MAX);
	if (cyg_file_read(AT_FDCWD, path, true, &text, NULL) == 0 &&
	    tape_parse(cyg_buf_str(&text), &t, NULL, NULL) == 0)
		version = tape_get_str(t, tape_root(t), "version");
	tape_free(t);
	return version != NULL ? version : cyg_xstrdup("N/A");
}

static char *user_path(const struct pages_ctx *ctx, const char *id)
{
	const char *colon = strchr(id, ':');
	return cyg_xasprintf("%s/lab/user-settings/%.*s/%s.jupyterlab-settings",
	    ctx->state->config_dir, (int)(colon - id), id, colon + 1);
}

static void put_time(struct jsonw *w, const char *key, struct timespec t)
{
	char text[CYG_ISO8601_SIZE];
	cyg_clock_format(t.tv_sec * 1000000LL + t.tv_nsec / 1000, text);
	jsonw_key_cstr(w, key, text);
}

/* raw, settings and times of the user's file; one that cannot be read counts as empty, with a
 * warning, and stays as it is. */
static void put_user(const struct pages_ctx *ctx, struct jsonw *w, const char *id)
{
	cyg_autobuf struct cyg_buf raw, json;
	cyg_autofree char *path = user_path(ctx, id);
	struct cyg_err err;
	struct stat st;
	cyg_buf_init(&raw, SETTINGS_MAX);
	cyg_buf_init(&json, SETTINGS_MAX);
	bool there = stat(path, &st) == 0;
	int r = there ? cyg_file_read(AT_FDCWD, path, true, &raw, &err) : 0;
	if (r == 0 && raw.len > 0)
		r = json5_to_json(cyg_buf_str(&raw), &json, &err);
	bool good = r == 0 && raw.len > 0;
	jsonw_key_str(w, "raw", good ? cyg_buf_str(&raw) : CYG_STR("{}"));
	jsonw_key(w, "settings");
	jsonw_raw(w, good ? cyg_buf_str(&json) : CYG_STR("{}"));
	if (r < 0) {
		cyg_autofree char *warning =
		    cyg_xasprintf("Failed loading settings (%s): %s", id, err.msg);
		jsonw_key_cstr(w, "warning", warning);
	}
	if (there) {
		put_time(w, "last_modified", st.st_mtim);
		put_time(w, "created", st.st_ctim);
	} else {
		jsonw_key_null(w, "last_modified");
		jsonw_key_null(w, "created");
	}
}

/* False: the schema's file is no JSON. */
static bool put_plugin(const struct pages_ctx *ctx, struct jsonw *w, const struct schema *s,
    const struct tape *overrides)
{
	cyg_autobuf struct cyg_buf schema;
	struct tape *t = NULL;
	cyg_buf_init(&schema, SCHEMA_MAX);
	if (cyg_file_read(AT_FDCWD, s->path, true, &schema, NULL) < 0 ||
	    tape_parse(cyg_buf_str(&schema), &t, NULL, NULL) < 0)
		return false;
	tape_free(t);
	tape_node over = tape_find(overrides, tape_root(overrides), s->id);
	if (over != TAPE_NONE && tape_type_of(overrides, over) == TAPE_OBJECT &&
	    override_schema(&schema, overrides, over, NULL) < 0)
		return false;
	cyg_autofree char *version = version_of(s->path);
	jsonw_object(w);
	jsonw_key_cstr(w, "id", s->id);
	jsonw_key(w, "schema");
	jsonw_raw(w, cyg_buf_str(&schema));
	jsonw_key_cstr(w, "version", version);
	put_user(ctx, w, s->id);
	jsonw_object_end(w);
	return true;
}

/* The overrides as a tape over *text; a broken file of the site fails the job. */
static struct tape *load_overrides(struct job *job, struct cyg_buf *text)
{
	struct tape *t = NULL;
	struct cyg_err err;
	cyg_buf_init(text, SETTINGS_MAX);
	if (read_overrides(job->ctx, text, &err) < 0 ||
	    tape_parse(cyg_buf_str(text), &t, NULL, &err) < 0)
		(void)job_fail(job, 500, NULL, "Failed loading overrides: %s", err.msg);
	return t;
}

void settings_list_work(struct job *job)
{
	struct schemas all;
	struct jsonw w;
	const char *only = job_query(job, "ids_only");
	bool ids_only = only != NULL && strcmp(only, "true") == 0;
	cyg_autobuf struct cyg_buf text = { 0 };
	struct tape *overrides = load_overrides(job, &text);
	if (overrides == NULL)
		return;
	find_schemas(job->ctx, &all);
	jsonw_init(&w, &job->out);
	jsonw_object(&w);
	jsonw_key(&w, "settings");
	jsonw_array(&w);
	for (size_t i = 0; i < all.n; i++) {
		if (!ids_only) {
			(void)put_plugin(job->ctx, &w, all.list[i], overrides);
			continue;
		}
		jsonw_object(&w);
		jsonw_key_cstr(&w, "id", all.list[i]->id);
		jsonw_object_end(&w);
	}
	jsonw_array_end(&w);
	jsonw_object_end(&w);
	if (jsonw_finish(&w, NULL) < 0)
		(void)job_fail(job, 500, NULL, "The settings are too large");
	free_schemas(&all);
	tape_free(overrides);
}

/* The schema of the plugin that the request names; the job has failed otherwise. */
static const struct schema *wanted(struct job *job, const struct schemas *all)
{
	const struct schema *s = cyg_hash_find(all->by_id, cyg_str_of(job->path));
	if (s == NULL)
		(void)job_fail(job, 404, NULL, "Schema not found: %s", job->path);
	return s;
}

void settings_get_work(struct job *job)
{
	struct schemas all;
	struct jsonw w;
	cyg_autobuf struct cyg_buf text = { 0 };
	struct tape *overrides = load_overrides(job, &text);
	if (overrides == NULL)
		return;
	find_schemas(job->ctx, &all);
	const struct schema *s = wanted(job, &all);
	jsonw_init(&w, &job->out);
	if (s != NULL && !put_plugin(job->ctx, &w, s, overrides))
		(void)job_fail(job, 500, NULL, "Failed parsing schema (%s)", s->id);
	free_schemas(&all);
	tape_free(overrides);
}

static void put_settings(struct job *job, const char *id, const char *raw)
{
	const struct pages_ctx *ctx = job->ctx;
	cyg_autobuf struct cyg_buf json;
	cyg_autofree char *path = user_path(ctx, id);
	struct cyg_err err;
	cyg_buf_init(&json, SETTINGS_MAX);
	if (json5_to_json(cyg_str_of(raw), &json, &err) < 0 || json.data[0] != '{') {
		(void)job_fail(job, 400, NULL, "Failed loading settings (%s): %s", id,
		    json.len > 0 && json.data[0] != '{' ? "not an object" : err.msg);
		return;
	}
	(void)user_file_write(job, path, cyg_str_of(raw), "Failed writing settings");
}

void settings_put_work(struct job *job)
{
	struct schemas all;
	struct tape *t = NULL;
	cyg_autofree char *raw = NULL;
	find_schemas(job->ctx, &all);
	const struct schema *s = wanted(job, &all);
	if (s != NULL && tape_parse(job->req->body, &t, NULL, NULL) == 0)
		raw = tape_get_str(t, tape_root(t), "raw");
	if (s != NULL && raw == NULL)
		(void)job_fail(job, 400, NULL, "Invalid JSON5 data: 'raw' is missing");
	else if (s != NULL)
		put_settings(job, s->id, raw);
	tape_free(t);
	free_schemas(&all);
}
