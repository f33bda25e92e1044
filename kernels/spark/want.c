/* Reads it. */
#include "kernels/spark/want.h"

#include "base/mem.h"
#include "cygnet/limits.h"
#include "kernels/spark/python_path.h"

#include <string.h>

enum { KERNEL_MAX = 64 };

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

static bool is_name(const char *text, size_t max)
{
	const size_t len = strlen(text);

	return len > 0 && len < max && text[0] != '.' && strspn(text, letters) == len;
}

bool want_cluster_is_ok(const char *id)
{
	return is_name(id, CYG_NAME_MAX);
}

/* A member of that type, or none: null counts as none. */
static int take(const struct tape *t, const char *name, enum tape_type type, struct cyg_str *ret,
    struct cyg_err *err)
{
	static const char *const words[] = {
		[TAPE_STRING] = "a text", [TAPE_ARRAY] = "a list", [TAPE_OBJECT] = "a map"
	};
	tape_node n = tape_find(t, tape_root(t), name);

	if (n == TAPE_NONE || tape_type_of(t, n) == TAPE_NULL)
		return 0;
	if (tape_type_of(t, n) != type)
		return cyg_fail(err, CYG_EINVAL, "%s must be %s", name, words[type]);
	*ret = tape_text(t, n);
	return 0;
}

static int take_all(struct want *w, struct cyg_err *err)
{
	const struct {
		const char *name;
		enum tape_type type;
		struct cyg_str *to;
	} members[] = {
		{ "flavour", TAPE_STRING, &w->session.flavour },
		{ "bundles", TAPE_ARRAY, &w->session.bundles },
		{ "options", TAPE_OBJECT, &w->session.options },
		{ "notebook", TAPE_OBJECT, &w->session.notebook },
		{ "user", TAPE_OBJECT, &w->session.user },
		{ "pythonpath", TAPE_ARRAY, &w->session.pythonpath },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < CYG_N(members); i++)
		rc = take(w->tape_, members[i].name, members[i].type, members[i].to, err);
	return rc;
}

static int check(const struct want *w, struct cyg_err *err)
{
	cyg_autofree char *path = NULL;

	if (w->kernel_ == NULL || !is_name(w->kernel_, KERNEL_MAX))
		return cyg_fail(err, CYG_EINVAL, "kernel must be the id of a kernel");
	if (w->cluster_ != NULL && !want_cluster_is_ok(w->cluster_))
		return cyg_fail(err, CYG_EINVAL, "cluster must be the id of a cluster");
	if (w->cwd_ != NULL && w->cwd_[0] != '/')
		return cyg_fail(err, CYG_EINVAL, "cwd must be an absolute path");
	if (w->session.pythonpath.p == NULL)
		return 0;
	path = python_path_join(w->session.pythonpath, err);
	return path != NULL ? 0 : -(int)err->code;
}

int want_read(struct cyg_str body, struct want *ret, struct cyg_err *err)
{
	struct cyg_err own;
	int rc;

	err = err != NULL ? err : &own;
	*ret = (struct want){ 0 };
	rc = tape_parse(body, &ret->tape_, NULL, err);
	if (rc < 0)
		return rc;
	if (tape_type_of(ret->tape_, tape_root(ret->tape_)) != TAPE_OBJECT)
		return cyg_fail(err, CYG_EINVAL, "The request must be a JSON object.");
	ret->session.kernel = ret->kernel_ =
	    tape_get_str(ret->tape_, tape_root(ret->tape_), "kernel");
	ret->session.cwd = ret->cwd_ = tape_get_str(ret->tape_, tape_root(ret->tape_), "cwd");
	ret->session.cluster = ret->cluster_ =
	    tape_get_str(ret->tape_, tape_root(ret->tape_), "cluster");
	rc = take_all(ret, err);
	return rc < 0 ? rc : check(ret, err);
}

void want_free(struct want *w)
{
	tape_free(w->tape_);
	free(w->kernel_);
	free(w->cwd_);
	free(w->cluster_);
}
