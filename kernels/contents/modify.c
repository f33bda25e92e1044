/* PATCH (rename) and DELETE of api/contents (filemanager.py rename_file and delete_file). */
#include "kernels/contents/model.h"
#include "kernels/contents/save.h"

#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;
	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Copies a link as a link. 0, -1 (the job has failed) or 1: the name is taken. */
static int copy_link(struct job *job, const char *from, const char *to, const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(from, target, sizeof(target) - 1);
	if (n >= 0) {
		target[n] = '\0';
		if (symlink(target, to) == 0)
			return 0;
		if (errno == EEXIST)
			return 1;
	}
	return job_fail_sys(job, errno, "Cannot rename", path);
}

/* A move to another file system: copies, syncs, then removes the original (shutil.move). */
static int move_across(struct job *job, const char *from, const char *to, const char *path)
{
	struct stat st;
	struct cyg_err err;
	if (lstat(from, &st) != 0)
		return job_fail_sys(job, errno, "Cannot rename", path);
	int r = S_ISDIR(st.st_mode)   ? tree_copy(job, from, to, path)
		: S_ISLNK(st.st_mode) ? copy_link(job, from, to, path)
				      : save_copy(job, from, to, path, SAVE_MOVE);
	if (r == 1)
		return job_fail(job, 409, NULL, "File already exists: %s", strrchr(to, '/') + 1);
	cyg_autoclose int dir =
	    r == 0 && S_ISDIR(st.st_mode) ? open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (dir >= 0 && syncfs(dir) != 0)
		return job_fail_sys(job, errno, "Copied, but the original was left, too", path);
	if (r == 0 && cyg_file_remove_tree(AT_FDCWD, from, &err) < 0)
		return job_fail_err(job, &err, "Copied, but the original cannot be removed");
	return r;
}

static int rename_path(struct job *job, const char *from, const char *to)
{
	const char *from_disk = path_to_disk(job, from);
	const char *to_disk = from_disk != NULL ? path_to_disk(job, to) : NULL;
	if (to_disk == NULL)
		return -1;
	if (path_exists(job, to) && !same_file(from_disk, to_disk))
		return job_fail(job, 409, NULL, "File already exists: %s", to);
	unsigned flags = path_exists(job, to) ? 0 : RENAME_NOREPLACE;
	int r = renameat2(AT_FDCWD, from_disk, AT_FDCWD, to_disk, flags);
	if (r != 0 && (errno == EINVAL || errno == ENOSYS) && flags != 0)
		r = rename(from_disk, to_disk);
	if (r == 0)
		return 0;
	switch (errno) {
	case EEXIST:
	case ENOTEMPTY:
		return job_fail(job, 409, NULL, "File already exists: %s", to);
	case ENOENT:
	case ENOTDIR:
		return job_fail(job, 404, NULL, "File or directory does not exist: %s",
		    path_exists(job, from) ? path_parent(job, to) : from);
	case EXDEV:
		/* NOLINTNEXTLINE(readability-suspicious-call-argument): the last is for messages */
		return move_across(job, from_disk, to_disk, from);
	default:
		return job_fail_sys(job, errno, "Unknown error renaming file", from);
	}
}

static void patch_model(struct job *job, const struct tape *t)
{
	cyg_autofree char *text = tape_get_str(t, tape_root(t), "path");
	const char *to = text != NULL ? path_of_text(job, text) : job->path;
	if (strcmp(to, job->path) == 0) {
		model_answer(job, to, NULL, true);
		return;
	}
	if (*to == '\0' || *job->path == '\0' || path_is_hidden(job->ctx, job->path) ||
	    path_is_hidden(job->ctx, to)) {
		(void)job_fail(job, 400, NULL, "Cannot rename file or directory '%s'", job->path);
		return;
	}
	job->event_action = "rename";
	job->event_path = to;
	job->event_source = job->path;
	if (rename_path(job, job->path, to) < 0)
		return;
	checkpoint_rename(job, job->path, to);
	model_answer(job, to, NULL, true);
}

void patch_work(struct job *job)
{
	struct tape *t = NULL;
	struct cyg_err err;
	if (job->req->body.len == 0) {
		(void)job_fail(job, 400, NULL, "JSON body missing");
		return;
	}
	if (tape_parse(job->req->body, &t, NULL, &err) < 0) {
		(void)job_fail(job, 400, NULL, "Invalid JSON in body of request: %s", err.msg);
		return;
	}
	patch_model(job, t);
	tape_free(t);
}

/* A folder that holds only checkpoints counts as empty. */
static bool is_non_empty_dir(const char *disk)
{
	DIR *dir = opendir(disk);
	const struct dirent *entry;
	bool found = false;
	while (dir != NULL && !found && (entry = readdir(dir)) != NULL)
		found = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			strcmp(entry->d_name, ".ipynb_checkpoints") != 0;
	if (dir != NULL)
		(void)closedir(dir);
	return found;
}

static int delete_for_good(struct job *job, const char *disk)
{
	struct cyg_err err;
	struct stat st;
	if (lstat(disk, &st) == 0 && S_ISDIR(st.st_mode)) {
		if (is_non_empty_dir(disk))
			return job_fail(job, 400, NULL, "Directory %s not empty", job->path);
		if (cyg_file_remove_tree(AT_FDCWD, disk, &err) < 0)
			return job_fail_err(job, &err, "Cannot delete");
		return 0;
	}
	return unlink(disk) == 0 ? 0 : job_fail_sys(job, errno, "Cannot delete", job->path);
}

void delete_work(struct job *job)
{
	const struct contents_ctx *ctx = job->ctx;
	const char *disk = path_to_disk(job, job->path);
	struct stat st;
	if (disk == NULL)
		return;
	if (*job->path == '\0') {
		(void)job_fail(job, 400, NULL, "Can't delete root");
		return;
	}
	if (path_is_hidden(ctx, job->path)) {
		(void)job_fail(job, 400, NULL, "Cannot delete file or directory '%s'", job->path);
		return;
	}
	if (lstat(disk, &st) != 0) {
		(void)job_fail(job, 404, NULL, "file or directory does not exist: '%s'", job->path);
		return;
	}
	if (ctx->home_trash != NULL && !S_ISLNK(st.st_mode) &&
	    faccessat(AT_FDCWD, disk, W_OK, AT_EACCESS) != 0) {
		(void)job_fail(job, 403, NULL, "Permission denied: %s", job->path);
		return;
	}
	int r =
	    ctx->home_trash != NULL ? trash_move(job, disk, job->path) : delete_for_good(job, disk);
	if (r < 0)
		return;
	checkpoint_remove(job, job->path);
	job->status = 204;
	job->event_action = "delete";
	job->event_path = job->path;
}
