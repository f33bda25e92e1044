/* The configuration that a page carries: the members that stock emits, then what the site's and the
 * user's page_config files say, then the federated extensions (jupyterlab_server handlers.py and
 * config.py get_page_config, jupyterlab labapp.py, notebook app.py). The token is always empty:
 * the proxy has checked access already. */
#include "kernels/pages/priv.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum { CONFIG_MAX = 4 << 20 };

struct builder {
	const struct pages_ctx *ctx;
	const struct page *page;
	struct jsonw w;
};

static const struct {
	const char *key, *path; /* also emitted as full… below the base */
} urls[] = {
	{ "appUrl", "lab" },
	{ "labextensionsUrl", "lab/extensions" },
	{ "licensesUrl", "lab/api/licenses" },
	{ "listingsUrl", "lab/api/listings" },
	{ "settingsUrl", "lab/api/settings" },
	{ "themesUrl", "lab/api/themes" },
	{ "translationsApiUrl", "lab/api/translations" },
	{ "treeUrl", "lab/tree" },
	{ "workspacesApiUrl", "lab/api/workspaces" },
};

/* Two texts as one value. */
static void put_joined(struct builder *b, const char *key, const char *first, const char *second)
{
	cyg_autofree char *s = cyg_xasprintf("%s%s", first, second);
	jsonw_key_cstr(&b->w, key, s);
}

static void put_urls(struct builder *b)
{
	for (size_t i = 0; i < CYG_N(urls); i++) {
		cyg_autofree char *own = cyg_xasprintf("/%s", urls[i].path);
		cyg_autofree char *full = cyg_xasprintf("%s%s", b->ctx->base_url, urls[i].path);
		cyg_autofree char *key =
		    cyg_xasprintf("full%c%s", urls[i].key[0] - 'a' + 'A', urls[i].key + 1);
		jsonw_key_cstr(&b->w, urls[i].key, own);
		jsonw_key_cstr(&b->w, key, full);
	}
	jsonw_key_cstr(&b->w, "baseUrl", b->ctx->base_url);
	jsonw_key_cstr(&b->w, "wsUrl", "");
	put_joined(b, "fullStaticUrl", b->ctx->base_url,
	    b->page->kind == PAGE_LAB ? "static/lab" : "static/notebook");
	jsonw_key_cstr(&b->w, "fullMathjaxUrl",
	    "https://cdnjs.cloudflare.com/ajax/libs/mathjax/2.7.7/MathJax.js");
	jsonw_key_cstr(&b->w, "mathjaxConfig", "TeX-AMS_HTML-full,Safe");
}

static void put_dirs(struct builder *b)
{
	const struct pages_state *s = b->ctx->state;
	bool lab = b->page->kind == PAGE_LAB;
	put_joined(b, "appSettingsDir", s->lab, "/settings");
	put_joined(b, "schemasDir", s->lab, "/schemas");
	put_joined(b, "themesDir", s->lab, "/themes");
	put_joined(b, "staticDir", lab ? s->lab : s->notebook, "/static");
	put_joined(b, "templatesDir", lab ? s->lab : s->notebook, lab ? "/static" : "/templates");
	put_joined(b, "userSettingsDir", s->config_dir, "/lab/user-settings");
	put_joined(b, "workspacesDir", s->config_dir, "/lab/workspaces");
	jsonw_key(&b->w, "labextensionsPath");
	jsonw_array(&b->w);
	for (size_t i = 0; i < s->labext_count; i++)
		jsonw_cstr(&b->w, s->labext[i]);
	jsonw_array_end(&b->w);
	jsonw_key(&b->w, "extraLabextensionsPath");
	jsonw_raw(&b->w, CYG_STR("[]"));
	if (!lab)
		jsonw_key_cstr(&b->w, "jupyterConfigDir", s->config_dir);
}

/* "~/work" for a folder below the home. */
static void put_root(struct builder *b)
{
	const char *root = b->ctx->root_dir, *home = b->ctx->home;
	size_t n = strlen(home);
	bool below = n > 1 && strncmp(root, home, n) == 0 && (root[n] == '/' || root[n] == '\0');
	put_joined(b, "serverRoot", below ? "~" : "", below ? root + n : root);
	put_joined(b, "rootUri", "file://", root);
	cyg_autofree char *uri = cyg_xasprintf("file://%s", root);
	put_joined(b, "virtualDocumentsUri", uri, "/.virtual_documents");
	jsonw_key_cstr(&b->w, "preferredPath", "/");
}

static void put_application(struct builder *b)
{
	struct pages_state *s = b->ctx->state;
	bool lab = b->page->kind == PAGE_LAB;
	jsonw_key_cstr(&b->w, "appName", lab ? "JupyterLab" : "Jupyter Notebook");
	jsonw_key_cstr(&b->w, "appNamespace", lab ? "lab" : "notebook");
	jsonw_key_cstr(&b->w, "appVersion", lab ? s->lab_version : s->nb_version);
	jsonw_key_bool(&b->w, "cacheFiles", !lab);
	jsonw_key_cstr(&b->w, "mode", b->page->mode);
	jsonw_key_cstr(&b->w, "workspace", b->page->workspace);
	jsonw_key_cstr(&b->w, "treePath", b->page->tree_path);
	jsonw_key_int(&b->w, "store_id", atomic_fetch_add(&s->store_id, 1));
	if (b->page->notebook_page != NULL) {
		jsonw_key_cstr(&b->w, "notebookPage", b->page->notebook_page);
		jsonw_key_cstr(&b->w, "frontendUrl", b->ctx->base_url);
	}
	if (b->page->not_found_url != NULL)
		jsonw_key_cstr(&b->w, "notFoundUrl", b->page->not_found_url);
}

static void put_behaviour(struct builder *b)
{
	static const char untracked[] =
	    "[\"comm_info_request\",\"comm_info_reply\",\"kernel_info_request\","
	    "\"kernel_info_reply\",\"shutdown_request\",\"shutdown_reply\",\"interrupt_request\","
	    "\"interrupt_reply\",\"debug_request\",\"debug_reply\",\"stream\",\"display_data\","
	    "\"update_display_data\",\"execute_input\",\"execute_result\",\"error\",\"status\","
	    "\"clear_output\",\"debug_event\",\"input_request\",\"input_reply\"]";
	const struct pages_ctx *ctx = b->ctx;
	jsonw_key_bool(&b->w, "allow_hidden_files", ctx->allow_hidden);
	jsonw_key_bool(&b->w, "delete_to_trash", ctx->delete_to_trash);
	jsonw_key_bool(&b->w, "terminalsAvailable", !ctx->no_terminals);
	jsonw_key_bool(&b->w, "quitButton", false); /* the hub ends servers */
	/* Nothing can be built or installed here, so the page must not ask for it. */
	jsonw_key_bool(&b->w, "buildAvailable", false);
	jsonw_key_bool(&b->w, "buildCheck", false);
	jsonw_key(&b->w, "extensionManager");
	jsonw_object(&b->w);
	jsonw_key_bool(&b->w, "can_install", false);
	jsonw_key_cstr(&b->w, "install_path", ctx->prefix);
	jsonw_key_cstr(&b->w, "name", "read-only");
	jsonw_object_end(&b->w);
	jsonw_key_bool(&b->w, "copyAbsolutePath", false);
	jsonw_key_bool(&b->w, "devMode", false);
	jsonw_key_bool(&b->w, "exposeAppInBrowser", false);
	jsonw_key(&b->w, "ignorePlugins");
	jsonw_raw(&b->w, CYG_STR("[]"));
	jsonw_key_bool(&b->w, "nbclassic_enabled", false);
	jsonw_key(&b->w, "news");
	jsonw_raw(&b->w, CYG_STR("{\"disabled\":true}"));
	jsonw_key_bool(&b->w, "notebookStartsKernel", true);
	jsonw_key_cstr(&b->w, "notebookVersion", "[2, 21, 1]");
	jsonw_key_cstr(&b->w, "token", "");
	jsonw_key(&b->w, "untracked_message_types");
	jsonw_raw(&b->w, cyg_str_of(untracked));
}

static void put_hub(struct builder *b)
{
	const struct pages_ctx *ctx = b->ctx;
	if (ctx->hub_prefix == NULL)
		return;
	jsonw_key_cstr(&b->w, "hubPrefix", ctx->hub_prefix);
	jsonw_key_cstr(&b->w, "hubHost", ctx->hub_host != NULL ? ctx->hub_host : "");
	jsonw_key_cstr(&b->w, "hubUser", ctx->hub_user != NULL ? ctx->hub_user : "");
	put_joined(b, "shareUrl", ctx->hub_prefix, "user-redirect");
	if (ctx->hub_server_name != NULL && ctx->hub_server_name[0] != '\0')
		jsonw_key_cstr(&b->w, "hubServerName", ctx->hub_server_name);
}

/* ---- from disk ---- */
/* A member that may be a list of names becomes an object of names that are true. */
static void put_as_set(struct jsonw *w, const struct tape *t, tape_node n)
{
	jsonw_key_quoted(w, tape_key_text(t, n));
	if (tape_type_of(t, n) != TAPE_ARRAY) {
		jsonw_raw(w, tape_text(t, n));
		return;
	}
	jsonw_object(w);
	for (tape_node c = tape_first(t, n); c != TAPE_NONE; c = tape_next(t, c))
		if (tape_type_of(t, c) == TAPE_STRING) {
			jsonw_key_quoted(w, tape_text(t, c));
			jsonw_bool(w, true);
		}
	jsonw_object_end(w);
}

/* The application's own page_config, with its lists as sets. */
static int read_app_config(const struct pages_ctx *ctx, struct cyg_buf *out, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf text;
	cyg_autofree char *path = cyg_xasprintf("%s/settings/page_config", ctx->state->lab);
	struct tape *t = NULL;
	struct jsonw w;
	cyg_buf_init(&text, CONFIG_MAX);
	int r = config_read(path, &text, err);
	if (r < 0 || text.len == 0)
		return r < 0 ? r : cyg_buf_add_str(out, "{}", err);
	r = tape_parse(cyg_buf_str(&text), &t, NULL, err);
	if (r < 0)
		return r;
	jsonw_init(&w, out);
	jsonw_object(&w);
	for (tape_node c = tape_first(t, tape_root(t)); c != TAPE_NONE; c = tape_next(t, c)) {
		struct cyg_str key = tape_key_text(t, c);
		if (cyg_str_eq(key, "\"disabledExtensions\"") ||
		    cyg_str_eq(key, "\"deferredExtensions\"")) {
			put_as_set(&w, t, c);
			continue;
		}
		jsonw_key_quoted(&w, key);
		jsonw_raw(&w, tape_text(t, c));
	}
	jsonw_object_end(&w);
	tape_free(t);
	return jsonw_finish(&w, err);
}

/* The names of an object's true members as a list. */
static void put_as_list(struct jsonw *w, const struct tape *t, tape_node obj)
{
	jsonw_array(w);
	for (tape_node c = obj == TAPE_NONE ? TAPE_NONE : tape_first(t, obj); c != TAPE_NONE;
	     c = tape_next(t, c)) {
		enum tape_type type = tape_type_of(t, c);
		if (type != TAPE_FALSE && type != TAPE_NULL)
			jsonw_raw(w, tape_key_text(t, c));
	}
	jsonw_array_end(w);
}

struct federated {
	struct jsonw list;     /* federated_extensions */
	struct jsonw disabled; /* {"NAME":true} of what extensions disable */
	const struct tape *config;
	tape_node config_disabled;
};

static void copy_member(struct jsonw *w, const struct tape *t, tape_node obj, const char *key)
{
	tape_node n = tape_find(t, obj, key);
	if (n == TAPE_NONE)
		return;
	jsonw_key(w, key);
	jsonw_raw(w, tape_text(t, n));
}

static void on_extension(void *arg, const char *dir, const struct tape *t)
{
	struct federated *f = arg;
	tape_node lab = tape_find(t, tape_root(t), "jupyterlab");
	tape_node build = tape_find(t, lab, "_build");
	tape_node disables = tape_find(t, lab, "disabledExtensions");
	(void)dir;
	if (tape_find(t, build, "load") == TAPE_NONE)
		return;
	jsonw_object(&f->list);
	copy_member(&f->list, t, tape_root(t), "name");
	copy_member(&f->list, t, build, "load");
	copy_member(&f->list, t, build, "extension");
	copy_member(&f->list, t, build, "mimeExtension");
	copy_member(&f->list, t, build, "style");
	if (tape_find(t, build, "entrypoints") == TAPE_NONE)
		jsonw_key_null(&f->list, "entrypoints");
	copy_member(&f->list, t, build, "entrypoints");
	jsonw_object_end(&f->list);
	cyg_autofree char *name = tape_get_str(t, tape_root(t), "name");
	if (disables == TAPE_NONE || tape_type_of(t, disables) != TAPE_ARRAY ||
	    (name != NULL && tape_get_bool(f->config, f->config_disabled, name, false)))
		return;
	for (tape_node c = tape_first(t, disables); c != TAPE_NONE; c = tape_next(t, c))
		if (tape_type_of(t, c) == TAPE_STRING) {
			jsonw_key_quoted(&f->disabled, tape_text(t, c));
			jsonw_bool(&f->disabled, true);
		}
}

static int put_disabled(struct jsonw *w, struct cyg_str by_extensions, const struct tape *config,
    tape_node by_config, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf merged;
	struct tape *t = NULL;
	struct cyg_str over = by_config == TAPE_NONE ? CYG_STR("{}") : tape_text(config, by_config);
	cyg_buf_init(&merged, CONFIG_MAX);
	int r = json_merge(by_extensions, over, &merged, err);
	if (r == 0)
		r = tape_parse(cyg_buf_str(&merged), &t, NULL, err);
	if (r < 0)
		return r;
	jsonw_key(w, "disabledExtensions");
	put_as_list(w, t, tape_root(t));
	tape_free(t);
	return 0;
}

/* What the disk says, as the object that goes over the emitted members. */
static int write_disk_part(
    const struct pages_ctx *ctx, const struct tape *t, struct cyg_buf *out, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf list, disabled;
	struct federated f = { .config = t,
		.config_disabled = tape_find(t, tape_root(t), "disabledExtensions") };
	struct jsonw w;
	cyg_buf_init(&list, CONFIG_MAX);
	cyg_buf_init(&disabled, CONFIG_MAX);
	jsonw_init(&f.list, &list);
	jsonw_init(&f.disabled, &disabled);
	jsonw_array(&f.list);
	jsonw_object(&f.disabled);
	federated_each(ctx, on_extension, &f);
	jsonw_array_end(&f.list);
	jsonw_object_end(&f.disabled);
	if (jsonw_finish(&f.list, err) < 0 || jsonw_finish(&f.disabled, err) < 0)
		return -CYG_ELIMIT;
	jsonw_init(&w, out);
	jsonw_object(&w);
	jsonw_key(&w, "federated_extensions");
	jsonw_raw(&w, cyg_buf_str(&list));
	int r = put_disabled(&w, cyg_buf_str(&disabled), t, f.config_disabled, err);
	if (r < 0)
		return r;
	for (tape_node c = tape_first(t, tape_root(t)); c != TAPE_NONE; c = tape_next(t, c)) {
		struct cyg_str key = tape_key_text(t, c);
		if (cyg_str_eq(key, "\"disabledExtensions\"") ||
		    cyg_str_eq(key, "\"federated_extensions\"") || cyg_str_eq(key, "\"token\""))
			continue;
		jsonw_key_quoted(&w, key);
		if (tape_type_of(t, c) == TAPE_OBJECT)
			put_as_list(&w, t, c);
		else
			jsonw_raw(&w, tape_text(t, c));
	}
	jsonw_object_end(&w);
	return jsonw_finish(&w, err);
}

static int read_disk(const struct pages_ctx *ctx, struct cyg_buf *out, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf app, layered, merged;
	struct tape *t = NULL;
	cyg_buf_init(&app, CONFIG_MAX);
	cyg_buf_init(&layered, CONFIG_MAX);
	cyg_buf_init(&merged, CONFIG_MAX);
	int r = read_app_config(ctx, &app, err);
	if (r == 0)
		r = config_section(ctx, "labconfig", "page_config", &layered, err);
	if (r == 0)
		r = json_merge(cyg_buf_str(&app), cyg_buf_str(&layered), &merged, err);
	if (r == 0)
		r = tape_parse(cyg_buf_str(&merged), &t, NULL, err);
	if (r == 0)
		r = write_disk_part(ctx, t, out, err);
	tape_free(t);
	return r;
}

int page_config_write(
    const struct pages_ctx *ctx, const struct page *page, struct cyg_buf *out, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf own, disk;
	struct builder b = { .ctx = ctx, .page = page };
	cyg_buf_init(&own, CONFIG_MAX);
	cyg_buf_init(&disk, CONFIG_MAX);
	jsonw_init(&b.w, &own);
	jsonw_object(&b.w);
	put_urls(&b);
	put_dirs(&b);
	put_root(&b);
	put_application(&b);
	put_behaviour(&b);
	put_hub(&b);
	jsonw_object_end(&b.w);
	int r = jsonw_finish(&b.w, err);
	if (r == 0)
		r = read_disk(ctx, &disk, err);
	return r < 0 ? r : json_merge(cyg_buf_str(&own), cyg_buf_str(&disk), out, err);
}
