/* The checkpoint of a file (there is one at most), in .ipynb_checkpoints beside it
 * (filecheckpoints.py). The folder is made with the first checkpoint, not when the list is read. */
#include "kernels/contents/model.h"
#include "kernels/contents/nbformat.h"
#include "kernels/contents/save.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "http/url.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHECKPOINT_ID  "checkpoint"
#define CHECKPOINT_DIR ".ipynb_checkpoints"

/* A folder in the machine's temporary folder, where others may write too. */
static const char *temporary(struct job *job)
{
	return cyg_arena_printf(
	    job->req->arena, "/tmp/jupyter_checkpoints-%u", (unsigned)geteuid());
}

/* The folder for the checkpoints of path. When path's folder is not writable it is in the machine's
 * temporary folder. NULL: the job has failed. */
static const char *folder_of(struct job *job, const char *path)
{
	const char *parent = path_parent(job, path);
	const char *disk = path_to_disk(job, parent);
	if (disk == NULL)
		return NULL;
	if (faccessat(AT_FDCWD, disk, W_OK, AT_EACCESS) == 0 || errno == ENOENT)
		return cyg_arena_printf(job->req->arena, "%s/" CHECKPOINT_DIR, disk);
	return cyg_arena_printf(job->req->arena, "%s/%s", temporary(job), parent);
}

/* Makes that folder. One in the temporary folder must belong to this user: another user may have
 * made a folder or link of that name. */
static int make_folder(struct job *job, const char *folder, struct cyg_err *err)
{
	const char *base = temporary(job);
	struct stat st;
	if (!cyg_str_starts(cyg_str_of(folder), base))
		return cyg_file_mkdirs(folder, 0777, err);
	if (mkdir(base, 0700) != 0 && errno != EEXIST)
		return cyg_fail_sys(err, errno, "make folder '%s'", base);
	if (lstat(base, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    chmod(base, 0700) != 0)
		return cyg_fail(err, CYG_EEXIST, "%s is not a folder of yours", base);
	return cyg_file_mkdirs(folder, 0700, err);
}

/* "dir/.ipynb_checkpoints/NAME-checkpoint.EXT" (os.path.splitext). */
static const char *file_of(struct job *job, const char *path)
{
	const char *folder = folder_of(job, path), *name = path_name(path);
	const char *dot = strrchr(name, '.');
	size_t base = dot == NULL || strspn(name, ".") >= (size_t)(dot - name) + 1
			  ? strlen(name)
			  : (size_t)(dot - name);
	if (folder == NULL)
		return NULL;
	return cyg_arena_printf(
	    job->req->arena, "%s/%.*s-" CHECKPOINT_ID "%s", folder, (int)base, name, name + base);
}

static void write_one(struct jsonw *w, const struct stat *st)
{
	char when[CYG_ISO8601_SIZE];
	cyg_clock_format(st->st_mtim.tv_sec * 1000000LL + st->st_mtim.tv_nsec / 1000, when);
	jsonw_object(w);
	jsonw_key_cstr(w, "id", CHECKPOINT_ID);
	jsonw_key_cstr(w, "last_modified", when);
	jsonw_object_end(w);
}

static int create(struct job *job, const char *path)
{
	const char *from = path_to_disk(job, path);
	const char *to = from != NULL ? file_of(job, path) : NULL;
	struct cyg_err err;
	struct stat st;
	if (to == NULL)
		return -1;
	if (stat(from, &st) != 0 || !S_ISREG(st.st_mode))
		return job_fail(job, 404, NULL, "file or directory '%s' does not exist", path);
	if (make_folder(job, folder_of(job, path), &err) < 0)
		return job_fail_err(job, &err, "Cannot make a checkpoint");
	return save_copy(job, from, to, path, SAVE_CHECKPOINT);
}

void checkpoint_ensure(struct job *job, const char *path)
{
	const char *file = file_of(job, path);
	struct stat st;
	int status = job->status;
	const char *action = job->event_action;
	if (file != NULL && stat(file, &st) == 0)
		return;
	if (create(job, path) == 0)
		return;
	/* The notebook itself is saved: forget the failure. */
	job->status = status;
	job->event_action = action;
	cyg_buf_reset(&job->out);
}

void checkpoint_rename(struct job *job, const char *from, const char *to)
{
	const char *old = file_of(job, from), *new = file_of(job, to);
	struct stat st;
	if (old == NULL || new == NULL || stat(old, &st) != 0 ||
	    make_folder(job, folder_of(job, to), NULL) < 0)
		return;
	(void)rename(old, new);
}

void checkpoint_remove(struct job *job, const char *path)
{
	const char *file = file_of(job, path);
	if (file != NULL)
		(void)unlink(file);
}

void checkpoints_get_work(struct job *job)
{
	const char *file = file_of(job, job->path);
	struct stat st;
	struct jsonw w;
	if (file == NULL)
		return;
	jsonw_init(&w, &job->out);
	jsonw_array(&w);
	if (stat(file, &st) == 0)
		write_one(&w, &st);
	jsonw_array_end(&w);
	(void)jsonw_finish(&w, NULL);
}

void checkpoints_post_work(struct job *job)
{
	const struct contents_ctx *ctx = job->ctx;
	cyg_autobuf struct cyg_buf url;
	cyg_buf_init(&url, 16 * 1024);
	struct stat st;
	struct jsonw w;
	if (path_is_hidden(ctx, job->path)) {
		(void)job_fail(job, 404, NULL, "file or directory '%s' does not exist", job->path);
		return;
	}
	if (create(job, job->path) < 0)
		return;
	const char *file = file_of(job, job->path);
	if (file == NULL || stat(file, &st) != 0) {
		(void)job_fail_sys(job, errno, "Cannot make a checkpoint", job->path);
		return;
	}
	if (cyg_buf_printf(&url, NULL, "%sapi/contents/", job->req->base_url) == 0 &&
	    url_encode(&url, cyg_str_of(job->path), "/", NULL) == 0 &&
	    cyg_buf_add_str(&url, "/checkpoints/" CHECKPOINT_ID, NULL) == 0)
		job_field(job, "Location", url.data);
	job->status = 201;
	jsonw_init(&w, &job->out);
	write_one(&w, &st);
	(void)jsonw_finish(&w, NULL);
}

/* The checkpoint's file for an id that a request names; NULL: the job has failed. */
static const char *wanted(struct job *job)
{
	const char *id = job->name;
	const char *file = file_of(job, job->path);
	struct stat st;
	if (file == NULL)
		return NULL;
	if (strcmp(id, CHECKPOINT_ID) == 0 && stat(file, &st) == 0)
		return file;
	(void)job_fail(job, 404, NULL, "Checkpoint does not exist: %s@%s", job->path, id);
	return NULL;
}

void checkpoint_restore_work(struct job *job)
{
	const char *file = wanted(job);
	const char *disk = file != NULL ? path_to_disk(job, job->path) : NULL;
	if (disk != NULL && save_copy(job, file, disk, job->path, SAVE_RESTORE) == 0)
		job->status = 204;
}

void checkpoint_delete_work(struct job *job)
{
	const char *file = wanted(job);
	if (file == NULL)
		return;
	if (unlink(file) == 0)
		job->status = 204;
	else
		(void)job_fail_sys(job, errno, "Cannot delete the checkpoint", job->path);
}

/* POST …/trust: signs the notebook as it is. */
void trust_work(struct job *job)
{
	static const struct nb_opts opts = { .form = NB_SIGNED };
	struct contents_ctx *ctx = job->ctx;
	cyg_autobuf struct cyg_buf data;
	cyg_buf_init(&data, 0);
	struct nb_doc doc;
	struct cyg_err err;
	struct stat st;
	const char *disk = path_to_disk(job, job->path);
	if (disk == NULL)
		return;
	if (path_is_hidden(ctx, job->path) || !path_exists(job, job->path)) {
		(void)job_fail(job, 404, NULL, "file or directory '%s' does not exist", job->path);
		return;
	}
	if (model_read(job, disk, job->path, &data, &st) < 0)
		return;
	if (nb_read(cyg_buf_str(&data), &opts, &doc, &err) < 0) {
		(void)job_fail(job, 400, NULL, "Unreadable Notebook: %s: %s", job->path, err.msg);
		return;
	}
	trust_sign(ctx, doc.tape, doc.root, doc.upgraded);
	nb_doc_close(&doc);
	job->status = 201;
}
