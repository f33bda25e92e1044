/* PUT api/contents/PATH: a file, a notebook, a folder, or a piece of an upload (filemanager.py
 * save, largefilemanager.py). An upload grows in a hidden file in the same folder, which is renamed
 * after the last piece: an upload that breaks off leaves no incomplete file under the final name.
 */
#include "kernels/base/utf8.h"
#include "kernels/contents/model.h"
#include "kernels/contents/nbformat.h"
#include "kernels/contents/save.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STAGED ".~upload-"

enum { CONTENT_MAX = 512 << 20, MESSAGE_MAX = 8192, STAGED_NAME = 240, ABANDONED_S = 24 * 3600 };

struct put {
	struct job *job;
	const char *path, *disk;
	struct tape *t;
	tape_node content; /* TAPE_NONE: not there */
	const char *type;  /* NULL: not given */
	bool exists;
};

static const char *text_of(struct job *job, const struct tape *t, tape_node obj, const char *key)
{
	char *s = tape_get_str(t, obj, key);
	const char *ret = s != NULL ? cyg_arena_dup(job->req->arena, cyg_str_of(s)) : NULL;
	free(s);
	return ret;
}

static bool is_space(char c)
{
	return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

static void cut_space(struct cyg_buf *b)
{
	size_t n = 0;
	for (size_t i = 0; i < b->len; i++)
		if (!is_space(b->data[i]))
			b->data[n++] = b->data[i];
	b->len = n;
}

/* Python's decoder skips line breaks, which browsers do not send. */
static int decode_base64(struct cyg_buf *text, struct cyg_buf *out, struct cyg_err *err)
{
	int r = cyg_base64_read(out, cyg_buf_str(text), err);
	if (r == 0)
		return 0;
	cut_space(text);
	return cyg_base64_read(out, cyg_buf_str(text), err);
}

/* The bytes that a file's content stands for. */
static int decode_content(struct put *p, struct cyg_buf *out)
{
	struct job *job = p->job;
	const char *format = text_of(job, p->t, tape_root(p->t), "format");
	bool base64 = format != NULL && strcmp(format, "base64") == 0;
	cyg_autobuf struct cyg_buf text;
	cyg_buf_init(&text, CONTENT_MAX);
	struct cyg_err err;
	if (!base64 && (format == NULL || strcmp(format, "text") != 0))
		return job_fail(
		    job, 400, NULL, "Must specify format of file contents as 'text' or 'base64'");
	int r = tape_string(p->t, p->content, base64 ? &text : out, &err);
	if (r == 0 && base64)
		r = decode_base64(&text, out, &err);
	if (r < 0)
		return job_fail(job, 400, NULL, "Encoding error saving %s: %s", p->path, err.msg);
	/* It would not be valid UTF-8 on disk, and could not be opened as text again. */
	size_t bad = base64 ? out->len : utf8_bad_at(cyg_buf_str(out));
	if (bad < out->len)
		return job_fail(job, 400, NULL,
		    "Encoding error saving %s: half a character (a lone surrogate) after %zu bytes",
		    p->path, bad);
	return 0;
}

static int save_file(struct put *p)
{
	cyg_autobuf struct cyg_buf data;
	cyg_buf_init(&data, CONTENT_MAX);
	if (p->content != TAPE_NONE && decode_content(p, &data) < 0)
		return -1;
	return save_bytes(p->job, p->disk, p->path, cyg_buf_str(&data));
}

/* ---- notebooks ---- */
/* A file that exists but is not a valid notebook is never overwritten: when JupyterLab cannot open
 * a notebook it offers to save an empty one in its place. */
static int refuse_unreadable(struct put *p)
{
	static const struct nb_opts opts = { .form = NB_FILE };
	cyg_autobuf struct cyg_buf old;
	cyg_buf_init(&old, 0);
	struct nb_doc doc;
	struct cyg_err err;
	struct stat st;
	if (!p->exists || stat(p->disk, &st) != 0 || st.st_size == 0)
		return 0;
	if (model_read(p->job, p->disk, p->path, &old, &st) < 0)
		return -1;
	if (nb_read(cyg_buf_str(&old), &opts, &doc, &err) == 0) {
		nb_doc_close(&doc);
		return 0;
	}
	return job_fail(p->job, 409, NULL,
	    "%s was not saved over: what is there cannot be read as a notebook (%s). Save under "
	    "another name, or rename or delete that file first.",
	    p->path, err.msg);
}

static int write_notebook(struct put *p, const struct tape *t, tape_node root, const char **message)
{
	static const struct nb_opts opts = { .form = NB_FILE };
	struct contents_ctx *ctx = p->job->ctx;
	cyg_autobuf struct cyg_buf out, problem;
	struct cyg_err err;
	cyg_buf_init(&out, CONTENT_MAX);
	cyg_buf_init(&problem, MESSAGE_MAX);
	if (nb_check_shape(t, root, &err) < 0 || nb_write(t, root, &opts, &out, &err) < 0)
		return job_fail(p->job, err.code == CYG_ELIMIT ? 413 : 400, NULL,
		    "Cannot save %s: %s", p->path, err.msg);
	if (refuse_unreadable(p) < 0 || save_bytes(p->job, p->disk, p->path, cyg_buf_str(&out)) < 0)
		return -1;
	if (nb_cells_are_trusted(t, root))
		trust_sign(ctx, t, root, true);
	checkpoint_ensure(p->job, p->path);
	if (nb_find_problem(t, root, &problem))
		*message = cyg_arena_dup(p->job->req->arena, cyg_buf_str(&problem));
	return 0;
}

static int save_notebook(struct put *p, const char **message)
{
	struct tape *empty = NULL;
	if (p->content != TAPE_NONE)
		return write_notebook(p, p->t, p->content, message);
	if (tape_parse(nb_empty(), &empty, NULL, NULL) < 0)
		abort();
	int r = write_notebook(p, empty, tape_root(empty), message);
	tape_free(empty);
	return r;
}

static int save_directory(struct put *p)
{
	struct stat st;
	if (mkdir(p->disk, 0777) == 0)
		return 0;
	if (errno != EEXIST)
		return job_fail_sys(p->job, errno, "Cannot create the folder", p->path);
	if (stat(p->disk, &st) != 0 || !S_ISDIR(st.st_mode))
		return job_fail(p->job, 400, NULL, "Not a directory: %s", p->path);
	return 0;
}

/* ---- uploads in pieces ---- */
/* Removes hidden files that uploads and saves left when they broke off. Nobody sees them, but they
 * use space: an upload to the folder removes those that are older than a day. */
static void remove_abandoned(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	struct stat st;
	int64_t before = cyg_clock_wall_us() / 1000000 - ABANDONED_S;
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		struct cyg_str name = cyg_str_of(entry->d_name);
		if ((cyg_str_starts(name, STAGED) || cyg_str_starts(name, SAVE_TEMPORARY)) &&
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_mtim.tv_sec < before)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

static int write_piece(struct put *p, const char *staged, int64_t chunk, struct cyg_str data)
{
	struct contents_ctx *ctx = p->job->ctx;
	struct cyg_err err;
	uint64_t off;
	if (!state_upload_begin(ctx->state, p->path, chunk, &off))
		return job_fail(p->job, 400, NULL,
		    "Piece %lld of the upload of %s is out of order; start the upload again",
		    (long long)chunk, p->path);
	int flags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW | (chunk == 1 ? O_CREAT | O_TRUNC : 0);
	cyg_autoclose int fd = open(staged, flags, 0666);
	if (fd < 0 && errno == ENOENT && chunk != 1)
		return job_fail(p->job, 400, NULL,
		    "What was uploaded of %s so far is gone; start the upload again", p->path);
	if (fd < 0 || ftruncate(fd, (off_t)off) != 0 || lseek(fd, (off_t)off, SEEK_SET) < 0)
		return job_fail_sys(p->job, errno, "Cannot upload", p->path);
	/* Bytes of a failed write are cut off when this piece is sent again. */
	if (cyg_file_write_all(fd, data.p, data.len, &err) < 0)
		return job_fail_sys(p->job, err.sys, "Cannot upload", p->path);
	state_upload_done(ctx->state, p->path, chunk, off + data.len);
	return 0;
}

/* The hidden file's path, NULL when the job has failed. A long name is shortened and gets a digest,
 * so that the hidden name is not too long. */
static const char *staged_of(struct put *p)
{
	struct job *job = p->job;
	const char *name = path_name(p->path);
	char hex[DIGEST_HEX] = "";
	if (strlen(name) > STAGED_NAME)
		digest_sha256(cyg_str_of(name), hex);
	const char *hidden = cyg_arena_printf(
	    job->req->arena, STAGED "%.*s%s", hex[0] != '\0' ? 150 : STAGED_NAME, name, hex);
	return path_to_disk(job, path_join(job, path_parent(job, p->path), hidden));
}

static void put_piece(struct put *p, int64_t chunk)
{
	struct job *job = p->job;
	cyg_autobuf struct cyg_buf data;
	cyg_buf_init(&data, CONTENT_MAX);
	struct model m;
	struct jsonw w;
	const char *staged = staged_of(p);
	if (p->type == NULL || strcmp(p->type, "file") != 0) {
		(void)job_fail(job, 400, NULL,
		    "File type \"%s\" is not supported for large file transfer",
		    p->type != NULL ? p->type : "");
		return;
	}
	if (p->content == TAPE_NONE) {
		(void)job_fail(job, 400, NULL, "No file content provided");
		return;
	}
	if (chunk == 1 && path_is_dir(job, p->path)) {
		(void)job_fail(job, 400, NULL, "Not a file: %s", p->path);
		return;
	}
	/* Fails at the first piece, before the others are sent. */
	if (chunk == 1 && p->exists && faccessat(AT_FDCWD, p->disk, W_OK, AT_EACCESS) != 0) {
		(void)job_fail_sys(job, errno, "Cannot upload", p->path);
		return;
	}
	if (staged == NULL || decode_content(p, &data) < 0 ||
	    write_piece(p, staged, chunk, cyg_buf_str(&data)) < 0)
		return;
	if (chunk == 1)
		remove_abandoned(path_to_disk(job, path_parent(job, p->path)));
	if (chunk == -1) {
		const struct contents_ctx *ctx = job->ctx;
		if (save_upload(job, staged, p->disk, p->path) < 0)
			return; /* the last piece may be sent again */
		state_upload_forget(ctx->state, p->path);
		model_answer(job, p->path, NULL, true);
		return;
	}
	job->event_action = NULL;
	if (!model_stat(&m, p->path, staged)) {
		(void)job_fail_sys(job, errno, "Cannot upload", p->path);
		return;
	}
	m.type = MODEL_FILE;
	model_fields(job, &m, true);
	jsonw_init(&w, &job->out);
	model_write(&w, &m);
	(void)jsonw_finish(&w, NULL);
}

/* ---- the request ---- */
static void put_model(struct put *p)
{
	struct job *job = p->job;
	const char *message = NULL;
	int64_t chunk = 0;
	int r;
	tape_node n = tape_find(p->t, tape_root(p->t), "chunk");
	job->event_action = "save";
	job->event_path = p->path;
	job->status = p->exists ? 200 : 201;
	if (n != TAPE_NONE && tape_type_of(p->t, n) != TAPE_NULL) {
		if (tape_int(p->t, n, &chunk, NULL) < 0 || chunk < -1 || chunk == 0)
			(void)job_fail(job, 400, NULL, "'chunk' is not a piece's number");
		else
			put_piece(p, chunk);
		return;
	}
	if (p->type == NULL && p->exists) {
		(void)job_fail(job, 400, NULL, "No file type provided");
		return;
	}
	if (p->type == NULL)
		p->type = cyg_str_ends(cyg_str_of(p->path), ".ipynb") ? "notebook" : "file";
	bool directory = strcmp(p->type, "directory") == 0;
	if (p->exists && p->content == TAPE_NONE && !directory) {
		(void)job_fail(job, 400, NULL, "No file content provided");
		return;
	}
	if (directory)
		r = save_directory(p);
	else if (strcmp(p->type, "notebook") == 0)
		r = save_notebook(p, &message);
	else
		r = save_file(p);
	if (r == 0)
		model_answer(job, p->path, message, true);
}

void put_work(struct job *job)
{
	struct put p = { .job = job, .path = job->path, .content = TAPE_NONE };
	struct cyg_err err;
	if (job->req->body.len == 0) {
		post_work(job);
		return;
	}
	p.disk = path_to_disk(job, p.path);
	if (p.disk == NULL)
		return;
	if (tape_parse(job->req->body, &p.t, NULL, &err) < 0) {
		(void)job_fail(job, 400, NULL, "Invalid JSON in body of request: %s", err.msg);
		return;
	}
	tape_node root = tape_root(p.t);
	if (tape_type_of(p.t, root) != TAPE_NULL && tape_type_of(p.t, root) != TAPE_OBJECT) {
		(void)job_fail(job, 400, NULL, "The body of the request is not a JSON object");
	} else if (tape_type_of(p.t, root) == TAPE_NULL ||
		   (tape_type_of(p.t, root) == TAPE_OBJECT && tape_count(p.t, root) == 0)) {
		post_work(job);
	} else if (tape_find(p.t, root, "copy_from") != TAPE_NONE) {
		(void)job_fail(job, 400, NULL, "Cannot copy with PUT, only POST");
	} else if (*p.path == '\0' || path_is_hidden(job->ctx, p.path)) {
		(void)job_fail(job, 400, NULL, "Cannot create file or directory '%s'", p.path);
	} else {
		p.content = tape_find(p.t, root, "content");
		p.type = text_of(job, p.t, root, "type");
		if (p.type != NULL && strcmp(p.type, "directory") != 0 &&
		    strcmp(p.type, "notebook") != 0)
			p.type = *p.type == '\0' ? NULL : "file";
		p.exists = path_is_file(job, p.path);
		put_model(&p);
	}
	tape_free(p.t);
}
