/* `cygnetctl hand-over USER [ID]`: who had the name before, and handing over what one of them left.
 * The hub's control socket does it. */
#include "base/mem.h"
#include "base/num.h"
#include "ctl/ask.h"
#include "ctl/command.h"
#include "ctl/up.h"
#include "cygnet/limits.h"
#include "cygnet/paths.h"
#include "daemon/options.h"
#include "http/url.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { WAIT_MS = 60 * 1000, REPLY_MAX = 256 * 1024 };

static const struct cyg_option option_table[] = {
	CTL_RUN_DIR_OPTION(struct up_options, run_dir),
	{ .name = NULL },
};
static const struct cyg_program program = {
	.name = "cygnetctl hand-over",
	.purpose =
	    "Gives the user who has a name today the uid and home of a deleted one who had it; without an ID it lists those.",
	.options = option_table,
	.arguments = "USER [ID]",
};

static const char *text_of(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text != NULL ? text : "-";
}

static void print_former(const json_t *reply)
{
	const char *name = text_of(reply, "name");
	const json_t *rows = json_object_get(reply, "former"), *id = json_object_get(reply, "id");
	const json_t *row;
	size_t i;

	if (json_is_integer(id))
		(void)printf("%s is user %lld today.\n", name, (long long)json_integer_value(id));
	else
		(void)printf("Nobody is called %s today.\n", name);
	if (json_array_size(rows) == 0) {
		(void)printf("No user of that name was deleted.\n");
		return;
	}
	(void)printf("\n%-8s %-28s %-28s %s\n", "ID", "MADE", "DELETED", "HANDED TO");
	json_array_foreach (rows, i, row) {
		(void)printf("%-8lld %-28s %-28s ",
		    (long long)json_integer_value(json_object_get(row, "id")),
		    text_of(row, "created"), text_of(row, "deleted"));
		if (json_is_integer(json_object_get(row, "handed_to")))
			(void)printf("%lld\n",
			    (long long)json_integer_value(json_object_get(row, "handed_to")));
		else
			(void)printf("nobody\n");
	}
	(void)printf(
	    "\n`cygnetctl hand-over %s ID` gives uid and home of one of them to %s.\n", name, name);
}

/* What the hub says, to where it belongs. The exit code. */
static int print_reply(const struct ctl_reply *reply, bool lists)
{
	json_t *root = json_loadb(reply->body, reply->len, 0, NULL);
	const char *message = json_string_value(json_object_get(root, "message"));

	if (reply->status == 200 && lists)
		print_former(root);
	else if (message != NULL)
		(void)fprintf(reply->status == 200 ? stdout : stderr, "%s%s\n",
		    reply->status == 200 ? "" : "cygnetctl: ", message);
	else
		(void)fprintf(
		    stderr, "cygnetctl: the hub responds %d: %s\n", reply->status, reply->body);
	json_decref(root);
	return reply->status == 200 ? 0 : 1;
}

/* id NULL: lists. The exit code, or a failure. */
static int ask(const char *run_dir, const char *user, const uint64_t *id, struct cyg_err *err)
{
	cyg_autofree char *path = cyg_xasprintf("%s/hub/control.sock", run_dir);
	cyg_autofree char *body = NULL;
	cyg_autobuf struct cyg_buf target;
	struct http_call_spec spec = { .socket_path = path,
		.method = id == NULL ? "GET" : "POST",
		.host = "localhost",
		.timeout_ms = WAIT_MS,
		.body_max = REPLY_MAX };
	struct ctl_reply reply = { .body = NULL };

	cyg_buf_init(&target, 4 * CYG_NAME_MAX + 128);
	if (cyg_buf_add_str(&target, CYG_HUB_PATH "/api/cygnet/users/", err) < 0 ||
	    url_encode(&target, cyg_str_of(user), "", err) < 0 ||
	    cyg_buf_add_str(&target, id == NULL ? "/former" : "/hand-over", err) < 0)
		return -(int)err->code;
	spec.target = target.data;
	if (id != NULL) {
		body = cyg_xasprintf("{\"from\":%llu}", (unsigned long long)*id);
		spec.content_type = "application/json";
		spec.body = cyg_str_of(body);
	}
	if (ctl_ask(&spec, &reply, err) < 0)
		return cyg_wrap(err, "%s", path);
	int code = print_reply(&reply, id == NULL);
	free(reply.body);
	return code;
}

/* The words behind the options: 2 is the exit code of wrong use. */
static int run(const char *run_dir, int n, char **words, struct cyg_err *err)
{
	uint64_t id = 0;

	if (n < 1 || n > 2 || words[0][0] == '\0' || strlen(words[0]) >= CYG_NAME_MAX) {
		(void)cyg_fail(err, CYG_EINVAL, "say a user's name, and the id of a former one");
		return 2;
	}
	if (n == 2 && cyg_num_parse_u64(cyg_str_of(words[1]), 0, INT64_MAX, &id, err) < 0)
		return 2;
	return ask(run_dir, words[0], n == 2 ? &id : NULL, err);
}

int ctl_hand_over(int argc, char **argv)
{
	struct up_options o = { .run_dir = NULL };
	struct cyg_err err = { .code = CYG_OK };
	int first = 0;
	int code = 2;

	if (cyg_options_read(&program, argc, argv, &o, &first, &err) == 0 &&
	    up_default_folders(&o, &err) == 0)
		code = run(o.run_dir, argc - first, argv + first, &err);
	if (code == 2 || code < 0)
		(void)fprintf(stderr, "cygnetctl: %s\n", err.msg);
	free(o.state_dir);
	free(o.cache_dir);
	cyg_options_free(&program, &o);
	return code < 0 ? 1 : code;
}
