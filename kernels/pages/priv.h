/* Shared by the files of kernels/pages: the folders of the installation, and the functions that do
 * the endpoints' work. */
#ifndef PAGES_PRIV_H
#define PAGES_PRIV_H

#include "kernels/base/job.h"
#include "kernels/base/tape.h"
#include "kernels/pages/pages.h"

#include <stdatomic.h>

enum { LABEXT_MAX = 5, CONFIG_DIRS = 4, PAGES_FILE_MAX = 32 << 20 };

struct pages_state {
	int64_t started_us;
	char *lab;           /* PREFIX/share/jupyter/lab */
	char *notebook;      /* …/site-packages/notebook, or NULL: no Notebook 7 */
	char *server_static; /* …/site-packages/jupyter_server/static, or NULL */
	char *gzip_dir;
	char *config_dir;               /* HOME/.jupyter */
	char *lab_version, *nb_version; /* of the front ends */
	char *labext[LABEXT_MAX];       /* where labextensions are looked for, first wins */
	size_t labext_count;
	char *config[CONFIG_DIRS]; /* Jupyter's configuration folders, first wins */
	atomic_uint store_id;
};

enum page_kind { PAGE_LAB, PAGE_NOTEBOOK };

/* What a page's configuration depends on besides the context. */
struct page {
	enum page_kind kind;
	const char *mode, *workspace, *tree_path;
	const char *notebook_page; /* NB7: "tree", "notebooks", …; else NULL */
	const char *not_found_url; /* or NULL */
};

/* Appends the page's configuration as JSON (page_config.c). */
int page_config_write(
    const struct pages_ctx *ctx, const struct page *page, struct cyg_buf *out, struct cyg_err *err);

struct template_vars {
	const char *base_url;
	struct cyg_str config; /* JSON */
	bool custom_css;
};
/* Evaluates the constructs that the front ends' templates use (template.c). */
int template_render(struct cyg_str text, const struct template_vars *vars, struct cyg_buf *out,
    struct cyg_err *err);

/* Merges objects as Python's recursive_update: members of over win, null removes, objects within
 * are merged (merge.c). Both are JSON texts. */
int json_merge(
    struct cyg_str target, struct cyg_str over, struct cyg_buf *out, struct cyg_err *err);
/* JSON5 to JSON (json5.c). Errors name line and column. */
int json5_to_json(struct cyg_str text, struct cyg_buf *out, struct cyg_err *err);
/* Reads PATH.json5 as JSON, or PATH.json; empty out when neither is there. Broken files are an
 * error that names them. */
int config_read(const char *path, struct cyg_buf *out, struct cyg_err *err);
/* Merged FOLDER/SECTION.json of all configuration folders, the user's on top, each with its
 * SECTION.d/ *.json below it (jupyter_server ConfigManager). "{}" when there is none. */
int config_section(const struct pages_ctx *ctx, const char *folder, const char *section,
    struct cyg_buf *out, struct cyg_err *err);

/* Replaces a small file of the user's whole, making its folder; a link to it stays, as does its
 * mode. The response is 204, or the error with what in front (workspaces.c). */
int user_file_write(struct job *job, const char *path, struct cyg_str text, const char *what);

/* Calls fn for each federated extension's folder, first of a name wins (federated.c). */
void federated_each(const struct pages_ctx *ctx,
    void (*fn)(void *arg, const char *dir, const struct tape *package), void *arg);

/* Makes a static file the response: dir/rel, or its precompressed form gzip_dir/zone/rel.gz. false:
 * not there. cache NULL: "no-cache". (static.c) */
struct static_file {
	const char *dir, *rel, *zone, *cache;
};
bool static_send(struct job *job, const struct static_file *file);
/* A relative path without "." and ".." segments. */
bool static_is_clean(const char *rel);

/* Works, by file. */
void page_work(struct job *job);
void settings_list_work(struct job *job);
void settings_get_work(struct job *job);
void settings_put_work(struct job *job);
void workspaces_list_work(struct job *job);
void workspace_get_work(struct job *job);
void workspace_put_work(struct job *job);
void workspace_delete_work(struct job *job);
void themes_work(struct job *job);
void static_work(struct job *job);
void labextension_work(struct job *job);
void custom_css_work(struct job *job);
void licenses_work(struct job *job);
void config_get_work(struct job *job);
void config_put_work(struct job *job);
void config_patch_work(struct job *job);

#endif
