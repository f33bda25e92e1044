/* The agent's side of contents and pages: their contexts, made from the setup environment. */
#ifndef AGENT_DOCUMENTS_H
#define AGENT_DOCUMENTS_H

#include "kernels/agent/names.h"
#include "kernels/base/events.h"
#include "kernels/base/hello.h"
#include "kernels/contents/contents.h"
#include "kernels/pages/pages.h"

struct agent_opts;

struct documents {
	struct contents_ctx contents;
	struct pages_ctx pages;
	struct events *events;
	struct names names;
	char *home, *data_dir, *trash_dir;
};

/* events (told of what happens to files) and the pages' status function have been set. Without a
 * Jupyter prefix there are no pages. */
int documents_open(struct documents *d, uv_loop_t *loop, const struct agent_opts *opts,
    const struct hello_env *env, struct cyg_err *err);
/* When the loop has nothing more to do. One that was never opened is fine. */
void documents_close(struct documents *d);

#endif
