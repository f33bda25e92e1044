/* The contexts of the contents API and of the pages, made for this server. */
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

/* The caller has set events (the stream that gets changes of files) and the pages' status function.
 * Without a Jupyter prefix there are no pages. */
int documents_open(struct documents *d, uv_loop_t *loop, const struct agent_opts *opts,
    const struct hello_env *env, struct cyg_err *err);
/* Call it when the loop has ended; also safe when it was never opened. */
void documents_close(struct documents *d);

#endif
