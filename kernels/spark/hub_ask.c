/* Requests to the hub for the configuration, the catalogue and previews. */
#include "kernels/spark/hub_ask.h"

#include "base/file.h"
#include "base/mem.h"
#include "cygnet/paths.h"
#include "kernels/base/tape.h"

#include <fcntl.h>
#include <string.h>

enum { TIMEOUT_MS = 20 * 1000 };

struct http_call *hub_ask(const struct hub_ask_opts *opts, const char *path, struct cyg_str body,
    http_call_fn done, void *arg, struct cyg_err *err)
{
	cyg_autofree char *socket_path = cyg_xasprintf("%s/hub.sock", opts->run_dir);
	cyg_autofree char *key_path = cyg_xasprintf("%s/secrets/credential", opts->run_dir);
	cyg_autofree char *target = cyg_xasprintf("%s%s", CYG_HUB_PATH, path);
	cyg_autofree char *credential = NULL;
	cyg_autofree char *authorization = NULL;
	struct http_call_spec spec = { .socket_path = socket_path,
		.method = body.len > 0 ? "POST" : "GET",
		.target = target,
		.host = "hub",
		.content_type = body.len > 0 ? "application/json" : NULL,
		.body = body,
		.timeout_ms = TIMEOUT_MS,
		.body_max = HUB_ASK_ANSWER_MAX };
	struct http_call *call;

	if (cyg_file_read_secret(AT_FDCWD, key_path, &credential, err) < 0)
		return NULL;
	spec.authorization = authorization = cyg_xasprintf("token %s", credential);
	call = http_call_start(opts->loop, &spec, done, arg);
	cyg_cleanse(authorization, strlen(authorization));
	cyg_cleanse(credential, strlen(credential));
	return call;
}

char *hub_ask_refusal(const struct http_result *result)
{
	struct tape *t = NULL;
	char *message = NULL;

	if (result->status == 0)
		return cyg_xasprintf(
		    "The hub cannot be asked for the Spark configuration: %s.", result->err.msg);
	if (tape_parse(result->body, &t, NULL, NULL) == 0)
		message = tape_get_str(t, tape_root(t), "message");
	tape_free(t);
	if (message == NULL)
		message = cyg_xasprintf(
		    "The hub refused the Spark configuration (status %d).", result->status);
	return message;
}
