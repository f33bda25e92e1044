/* POST api/contents/DIR: a new untitled file, notebook or folder, or a copy (manager.py
 * new_untitled and copy; filemanager.py copy). A file is copied byte for byte, notebooks too. */
#include "kernels/contents/model.h"
#include "kernels/contents/nbformat.h"
#include "kernels/contents/save.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>

enum { COPY_MAX_MB = 500, TRIES = 1000, EMPTY_MAX = 4096 };

static int empty_notebook(struct job *job, struct cyg_buf *out)
{
	static const struct nb_opts opts = { .form = NB_FILE };
	struct contents_ctx *ctx = job->ctx;
	struct tape *t = NULL;
	if (tape_parse(nb_empty(), &t, NULL, NULL) < 0 ||
	    nb_write(t, tape_root(t), &opts, out, NULL) < 0)
		abort();
	trust_sign(ctx, t, tape_root(t), true);
	tape_free(t);
	return 0;
}

/* 0: made, 1: the name was taken meanwhile, -1: failed. */
static int make_one(struct job *job, const char *type, const char *disk, const char *path)
{
	cyg_autobuf struct cyg_buf data;
	cyg_buf_init(&data, EMPTY_MAX);
	if (strcmp(type, "directory") == 0) {
		if (mkdir(disk, 0777) == 0)
			return 0;
		return errno == EEXIST ? 1
				       : job_fail_sys(job, errno, "Cannot create the folder", path);
	}
	if (strcmp(type, "notebook") == 0)
		(void)empty_notebook(job, &data);
	return save_new(job, disk, path, cyg_buf_str(&data));
}

static void new_untitled(struct job *job, const char *type, const char *ext)
{
	bool directory = strcmp(type, "directory") == 0, notebook = strcmp(type, "notebook") == 0;
	const char *insert = directory ? " " : "";
	const char *base = directory  ? "Untitled Folder"
			   : notebook ? "Untitled.ipynb"
				      : cyg_arena_printf(job->req->arena, "untitled%s", ext);
	if (strchr(ext, '/') != NULL || strlen(ext) > CONTENTS_NAME_MAX / 2) {
		(void)job_fail(job, 400, NULL, "Unexpected extension: '%s'", ext);
		return;
	}
	for (int i = 0; i < TRIES; i++) {
		const char *path =
		    path_join(job, job->path, path_increment(job, job->path, base, insert));
		const char *disk = path_to_disk(job, path);
		int r = disk == NULL ? -1 : make_one(job, type, disk, path);
		if (r < 0)
			return;
		if (r > 0)
			continue;
		if (notebook)
			checkpoint_ensure(job, path);
		job->status = 201;
		job->event_action = "save";
		job->event_path = path;
		model_answer(job, path, NULL, true);
		return;
	}
	(void)job_fail(job, 409, NULL, "No free name in %s", job->path);
}

/* Where a copy goes: into the folder under a free name, or to exactly that path. */
static const char *copy_target(struct job *job, const char *from)
{
	const char *name = path_without_copy(job, path_name(from));
	if (path_is_dir(job, job->path))
		return path_join(job, job->path, path_increment(job, job->path, name, "-Copy"));
	const char *parent = path_parent(job, job->path);
	if (path_is_dir(job, parent))
		return job->path;
	(void)job_fail(job, 404, NULL, "No such parent directory: %s to copy file in", parent);
	return NULL;
}

/* 0: copied, 1: the name was taken meanwhile, -1: failed. */
static int copy_one(struct job *job, const char *from, const char *from_disk, const char *to_disk)
{
	if (path_is_file(job, from))
		/* NOLINTNEXTLINE(readability-suspicious-call-argument): `from` is for messages */
		return save_copy(job, from_disk, to_disk, from, SAVE_DUPLICATE);
	if (!path_is_dir(job, from))
		return job_fail(job, 404, NULL, "file or directory '%s' does not exist", from);
	uint64_t limit = (uint64_t)COPY_MAX_MB << 20;
	if (tree_size(from_disk, limit) > limit)
		return job_fail(job, 400, NULL,
		    "Can't copy folders larger than %dMB, \"%s\" is larger", COPY_MAX_MB, from);
	/* NOLINTNEXTLINE(readability-suspicious-call-argument): the last is for messages */
	return tree_copy(job, from_disk, to_disk, from);
}

static void copy(struct job *job, const char *from)
{
	const char *from_disk = path_to_disk(job, from);
	for (int i = 0; from_disk != NULL && i < TRIES; i++) {
		const char *to = copy_target(job, from);
		const char *to_disk = to != NULL ? path_to_disk(job, to) : NULL;
		int r = to_disk == NULL ? -1 : copy_one(job, from, from_disk, to_disk);
		if (r < 0)
			return;
		if (r == 0) {
			job->status = 201;
			job->event_action = "copy";
			job->event_path = to;
			job->event_source = from;
			model_answer(job, to, NULL, true);
			return;
		}
		if (to == job->path)
			break; /* exactly that name was asked for */
	}
	if (from_disk != NULL)
		(void)job_fail(job, 409, NULL, "File already exists: %s", job->path);
}

static const char *text_of(struct job *job, const struct tape *t, const char *key)
{
	char *s = t != NULL ? tape_get_str(t, tape_root(t), key) : NULL;
	const char *ret = cyg_arena_dup(job->req->arena, cyg_str_of(s != NULL ? s : ""));
	free(s);
	return ret;
}

static void post_model(struct job *job, const struct tape *t)
{
	const char *from = path_of_text(job, text_of(job, t, "copy_from"));
	const char *type = text_of(job, t, "type"), *ext = text_of(job, t, "ext");
	if (*from != '\0') {
		if (path_is_hidden(job->ctx, job->path) || path_is_hidden(job->ctx, from))
			(void)job_fail(
			    job, 400, NULL, "Cannot copy file or directory '%s'", job->path);
		else
			copy(job, from);
		return;
	}
	if (!path_is_dir(job, job->path) || path_is_hidden(job->ctx, job->path)) {
		(void)job_fail(job, 404, NULL, "No such directory: %s", job->path);
		return;
	}
	if (*type == '\0')
		type = strcmp(ext, ".ipynb") == 0 ? "notebook" : "file";
	else if (strcmp(type, "directory") != 0 && strcmp(type, "notebook") != 0)
		type = "file";
	new_untitled(job, type, ext);
}

void post_work(struct job *job)
{
	struct tape *t = NULL;
	struct cyg_err err;
	if (path_to_disk(job, job->path) == NULL)
		return;
	if (path_is_file(job, job->path)) {
		(void)job_fail(job, 400, NULL, "Cannot POST to files, use PUT instead.");
		return;
	}
	if (job->req->body.len > 0 && tape_parse(job->req->body, &t, NULL, &err) < 0) {
		(void)job_fail(job, 400, NULL, "Invalid JSON in body of request: %s", err.msg);
		return;
	}
	post_model(job, t);
	tape_free(t);
}
