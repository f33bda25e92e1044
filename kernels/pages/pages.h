/* The pages of JupyterLab and Notebook 7, their static files, settings, workspaces and themes, and
 * the small endpoints that their front ends need. All files come from a stock installation's
 * prefix; none of them is in our tree. Follows jupyterlab_server 2.28, jupyterlab 4.6,
 * notebook 7.6. */
#ifndef PAGES_PAGES_H
#define PAGES_PAGES_H

#include "http/server.h"

struct pages_state;

struct pages_status {
	int64_t started_us, last_activity_us; /* wall clock */
	unsigned kernels, connections;
};

struct pages_ctx {
	const char *prefix;   /* holds share/jupyter/lab and lib/python3.N/site-packages/notebook */
	const char *base_url; /* "/user/alice/" */
	const char *root_dir; /* what the contents API calls "/" */
	const char *labextensions; /* one more folder of federated extensions, or NULL */
	const char *home;     /* the user's; user files are in .jupyter and .local/share/jupyter */
	const char *gzip_dir; /* of precompress.sh; NULL: PREFIX/share/jupyter/cygnet-gzip */
	const char *default_url;  /* "lab" (also when NULL) or "tree" */
	const char *version;      /* of GET /api; NULL: that of the jupyter_server we follow */
	const char *user_name;    /* of GET /api/me; NULL: "anonymous" */
	const char *display_name; /* NULL: user_name */
	/* Behind a hub: "" and "/hub/", the user, the server's name ("" is the default one); NULL:
	 * there is no hub. */
	const char *hub_host, *hub_prefix, *hub_user, *hub_server_name;
	bool delete_to_trash, allow_hidden, no_terminals;
	uv_loop_t *loop; /* whose thread pool reads the files; NULL: the caller does */
	/* Numbers of GET /api/status; NULL: zeros and the time of pages_open. */
	void (*status)(void *arg, struct pages_status *ret);
	void *status_arg;
	struct pages_state *state; /* by pages_open */
};

/* Finds the parts of the installation in the prefix. -CYG_ENOENT when it has no JupyterLab. Strings
 * of ctx must outlive it. */
int pages_open(struct pages_ctx *ctx, struct cyg_err *err);
void pages_close(struct pages_ctx *ctx);

/* Scope "agent", ended by a NULL path. Mounted with a struct pages_ctx. */
extern const struct http_endpoint pages_endpoints[];
/* The mount's not_found: redirects paths that end in a slash, else a 404 as page or JSON. */
void pages_not_found(struct http_req *req);

#endif
