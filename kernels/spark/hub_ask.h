/* One question to the hub by the inner door, with the server's credential. */
#ifndef SPARK_HUB_ASK_H
#define SPARK_HUB_ASK_H

#include "http/client.h"

struct hub_ask_opts {
	uv_loop_t *loop;
	const char *run_dir; /* hub.sock and secrets/credential are below it */
};

enum { HUB_ASK_ANSWER_MAX = 2 * 1024 * 1024 };

/* path is below the hub's prefix: "/api/cygnet/spark/connect"; an empty body asks with GET. As
 * http_call_start otherwise. NULL with *err when there is no credential. */
struct http_call *hub_ask(const struct hub_ask_opts *opts, const char *path, struct cyg_str body,
    http_call_fn done, void *arg, struct cyg_err *err);
/* What a result without success says, as a sentence: the hub's own message, or why it did not
 * answer. Caller frees. */
char *hub_ask_refusal(const struct http_result *result);

#endif
