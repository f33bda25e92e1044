/* `cygnetctl audit [--since TIME] [--user NAME]`: asks the hub's control socket page by page for
 * who did what, and prints the lines that were asked for. */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "ctl/ask.h"
#include "ctl/command.h"
#include "ctl/up.h"
#include "cygnet/limits.h"
#include "daemon/options.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { WAIT_MS = 10 * 1000 };

struct audit_options {
	struct up_options up;
	uint64_t since_ms;
	char *user;
};

static const struct cyg_option option_table[] = {
	CTL_RUN_DIR_OPTION(struct audit_options, up.run_dir),
	{ .name = "since",
	    .type = OPT_MS,
	    .offset = offsetof(struct audit_options, since_ms),
	    .value = "0ms",
	    .max = 100ULL * 366 * 24 * 3600 * 1000,
	    .doc = "How far back: 24h is the last day, 0ms everything." },
	{ .name = "user",
	    .type = OPT_STRING,
	    .offset = offsetof(struct audit_options, user),
	    .doc = "Only what this user did, or what was done to them and what is theirs." },
	{ .name = NULL },
};
static const struct cyg_program program = {
	.name = "cygnetctl audit",
	.purpose =
	    "Prints who did what as lines of JSON, newest first; root or the hub's own user may.",
	.options = option_table,
};

struct audit {
	const char *user; /* NULL: everybody */
	int64_t since_us;
	json_int_t last; /* id of the last line that came */
	bool older;      /* every line of the page is from before since */
};

/* ---- one line ---- */

/* "user:NAME", "server:NAME/..." */
static bool is_of(const json_t *line, const char *key, const char *user)
{
	const char *text = json_string_value(json_object_get(line, key));
	struct cyg_str s = cyg_str_of(text != NULL ? text : "");
	size_t colon = cyg_str_chr(s, ':');

	if (colon == s.len)
		return false;
	bool is_user = cyg_str_eq(cyg_str_sub(s, 0, colon), "user");
	bool is_server = cyg_str_eq(cyg_str_sub(s, 0, colon), "server");
	s = cyg_str_skip(s, colon + 1);
	return (is_user && cyg_str_eq(s, user)) ||
	       (is_server && cyg_str_eq(cyg_str_sub(s, 0, cyg_str_chr(s, '/')), user));
}

static bool tells(const json_t *line, const char *key, const char *user)
{
	const char *text = json_string_value(json_object_get(json_object_get(line, "detail"), key));

	return text != NULL && strcmp(text, user) == 0;
}

static bool is_about(const json_t *line, const char *user)
{
	return is_of(line, "actor", user) || is_of(line, "object", user) ||
	       tells(line, "user", user) || tells(line, "from", user);
}

static int print(struct cyg_str line)
{
	return cyg_file_write_all(STDOUT_FILENO, line.p, line.len, NULL) < 0 ||
		       cyg_file_write_all(STDOUT_FILENO, "\n", 1, NULL) < 0
		   ? 1
		   : 0;
}

static int take(struct audit *a, struct cyg_str text)
{
	json_t *line = json_loadb(text.p, text.len, 0, NULL);
	const char *at = json_string_value(json_object_get(line, "at"));
	json_int_t id = json_integer_value(json_object_get(line, "id"));
	int64_t at_us = 0;
	int code = 0;

	if (at == NULL || id <= 0 || cyg_clock_parse(cyg_str_of(at), &at_us, NULL) < 0) {
		(void)fprintf(stderr, "cygnetctl: the hub's audit is not understood\n");
		json_decref(line);
		return 1;
	}
	a->last = id;
	a->older = a->older && at_us < a->since_us;
	if (at_us >= a->since_us && (a->user == NULL || is_about(line, a->user)))
		code = print(text);
	json_decref(line);
	return code;
}

/* ---- page by page ---- */

static int on_page(struct audit *a, struct cyg_str body)
{
	struct cyg_str line;

	a->last = 0;
	a->older = body.len > 0;
	while (body.len > 0 && cyg_str_next(&body, '\n', &line)) {
		if (line.len > 0 && take(a, line) != 0)
			return 1;
	}
	return 0;
}

static int ask(struct audit *a, const char *path, const char *target)
{
	const struct http_call_spec spec = { .socket_path = path,
		.method = "GET",
		.target = target,
		.host = "localhost",
		.timeout_ms = WAIT_MS,
		.body_max = CYG_AUDIT_PAGE_MAX };
	struct ctl_reply reply = { .body = NULL };
	struct cyg_err err;
	int code = 1;

	if (ctl_ask(&spec, &reply, &err) < 0)
		(void)fprintf(stderr, "cygnetctl: %s: %s\n", path, err.msg);
	else if (reply.status != 200)
		(void)fprintf(stderr, "cygnetctl: %s: %d: %s\n", path, reply.status, reply.body);
	else
		code = on_page(a, (struct cyg_str){ reply.body, reply.len });
	free(reply.body);
	return code;
}

/* Rows are in the order in which they reached the disk, which may be a little later than their
 * time: one page that is older as a whole ends it. */
static int run(const struct audit_options *o)
{
	cyg_autofree char *path = cyg_xasprintf("%s/hub/control.sock", o->up.run_dir);
	int64_t back_us = (int64_t)o->since_ms * 1000;
	struct audit a = { .user = o->user,
		.since_us = back_us > 0 ? cyg_clock_wall_us() - back_us : 0 };
	char target[64] = "/audit";

	for (;;) {
		int code = ask(&a, path, target);
		if (code != 0 || a.last <= 1 || a.older)
			return code;
		(void)snprintf(target, sizeof(target), "/audit?before=%lld", (long long)a.last);
	}
}

int ctl_audit(int argc, char **argv)
{
	struct audit_options o = { .user = NULL };
	struct cyg_err err;
	int first = 0;
	int code = 2;

	if (cyg_options_read(&program, argc, argv, &o, &first, &err) < 0 ||
	    up_default_folders(&o.up, &err) < 0)
		(void)fprintf(stderr, "cygnetctl: %s\n", err.msg);
	else
		code = run(&o);
	free(o.up.state_dir);
	free(o.up.cache_dir);
	cyg_options_free(&program, &o);
	return code;
}
