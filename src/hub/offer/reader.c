/* The reader, both sides: what the child does, and how the hub runs it (daemon/child.c). */
#include "hub/offer/reader.h"

#include "base/file.h"
#include "base/mem.h"
#include "daemon/child.h"
#include "daemon/yaml.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>

enum { READER_MAX = 1024 * 1024 };

/* ---- the child ---- */

/* A text that is no YAML, or no JSON where the name says so, is refused here; its meaning is
 * checked by the hub. */
static int check(const char *path, struct cyg_str text, struct cyg_err *err)
{
	struct yaml_doc *doc = NULL;
	json_t *root = NULL;
	json_error_t why;

	if (!cyg_str_ends(cyg_str_of(path), ".json")) {
		int rc = yaml_parse(path, text, &doc, err);

		yaml_doc_free(doc);
		return rc;
	}
	root = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, &why);
	if (root == NULL)
		return cyg_fail(
		    err, CYG_EINVAL, "%s:%d:%d: %s", path, why.line, why.column, why.text);
	json_decref(root);
	return 0;
}

int reader_main(const char *path)
{
	cyg_autobuf struct cyg_buf text;
	struct cyg_err err;

	cyg_buf_init(&text, READER_MAX);
	if (cyg_file_read(AT_FDCWD, path, true, &text, &err) < 0 ||
	    check(path, cyg_buf_str(&text), &err) < 0) {
		(void)fprintf(stderr, "%s", err.msg);
		return 1;
	}
	return cyg_file_write_all(STDOUT_FILENO, text.data, text.len, &err) < 0;
}

/* ---- the parent ---- */

struct reader {
	struct cyg_child *child;
	reader_done_fn done;
	void *arg;
	char *path;
};

static void on_child(void *arg, const struct cyg_child_result *res, const struct cyg_err *why)
{
	struct reader *r = arg;
	struct cyg_str text = { NULL, 0 };
	struct cyg_err err = { .code = CYG_OK };

	if (res == NULL && why->code == CYG_ETIMEOUT)
		(void)cyg_fail(&err, CYG_ETIMEOUT,
		    "%s does not answer: the software tree may be down", r->path);
	else if (res == NULL && why->code == CYG_ELIMIT)
		(void)cyg_fail(&err, CYG_ELIMIT, "%s is too long", r->path);
	else if (res == NULL)
		(void)cyg_fail(&err, why->code, "the reader of %s: %s", r->path, why->msg);
	else if (res->exit_code != 0)
		(void)cyg_fail(&err, CYG_EINVAL, "%.*s",
		    CYG_STR_ARGS(
			res->message.len > 0 ? res->message : CYG_STR("the reader failed")));
	else
		text = res->text;
	r->done(r->arg, text, err.code == CYG_OK ? NULL : &err);
}

int reader_start(
    uv_loop_t *loop, const struct reader_spec *spec, struct reader **ret, struct cyg_err *err)
{
	const char *const argv[] = { "cygnet-hub", "--reader", spec->path, NULL };
	const struct cyg_child_spec child = { .program = "/proc/self/exe",
		.argv = argv,
		.max = READER_MAX,
		.timeout_ms = spec->timeout_ms };
	struct reader *r = cyg_xcalloc(1, sizeof(*r));

	r->path = cyg_xstrdup(spec->path);
	r->done = spec->done;
	r->arg = spec->arg;
	if (cyg_child_start(loop, &child, on_child, r, &r->child, err) < 0) {
		reader_release(r);
		return cyg_wrap(err, "start the reader");
	}
	*ret = r;
	return 0;
}

bool reader_has_ended(const struct reader *r)
{
	return cyg_child_has_ended(r->child);
}

void reader_release(struct reader *r)
{
	if (r == NULL)
		return;
	cyg_child_release(r->child);
	free(r->path);
	free(r);
}
