/* The contents API: files, folders, notebooks, checkpoints, trust, downloads. Follows
 * jupyter_server 2.21 services/contents; where it differs on purpose, the file that does says so.
 */
#ifndef CONTENTS_CONTENTS_H
#define CONTENTS_CONTENTS_H

#include "http/server.h"

struct contents_state;

struct contents_ctx {
	const char *root_dir; /* absolute; "/" of the API */
	const char *data_dir; /* the user's Jupyter data folder: trust; NULL: nothing is trusted */
	const char *home_trash; /* "~/.local/share/Trash"; NULL: deleting is for good */
	uv_loop_t *loop;        /* whose thread pool does the work; NULL: the caller does it */
	bool allow_hidden;
	/* Called on the loop after each success, for the event stream: action is get, save, rename,
	 * copy or delete; source is the other path of rename and copy, else NULL. May be NULL. */
	void (*on_event)(void *arg, const char *action, const char *path, const char *source);
	void *event_arg;
	struct contents_state *state; /* by contents_open */
};

/* Makes state, and sets the size of the loop's thread pool. Call it before the pool's first work
 * and before any thread is started. The strings of ctx must outlive it. */
int contents_open(struct contents_ctx *ctx, struct cyg_err *err);
/* Call it when the loop has ended; also safe for a context that was never opened. */
void contents_close(struct contents_ctx *ctx);

/* Scope "agent", ended by a NULL path. Mounted with a struct contents_ctx. */
extern const struct http_endpoint contents_endpoints[];

/* MIME type by name as Python's mimetypes.guess_type, NULL when it is unknown. */
const char *contents_mime_of(const char *name);

#endif
