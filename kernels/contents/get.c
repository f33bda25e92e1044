/* GET api/contents: a folder's listing, a file as text or base64, a notebook (filemanager.py get,
 * _dir_model, _file_model, _notebook_model). */
#include "kernels/base/utf8.h"
#include "kernels/contents/model.h"
#include "kernels/contents/nbformat.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { BASE64_LINE = 57, MESSAGE_MAX = 8192 };

struct query {
	const char *type, *format;
	bool content, hash;
};

/* ---- folders ---- */
static bool should_list(const char *name)
{
	static const char *const hidden[] = { "__pycache__", "*.pyc", "*.pyo", ".DS_Store", "*~" };
	for (size_t i = 0; i < CYG_N(hidden); i++)
		if (fnmatch(hidden[i], name, 0) == 0)
			return false;
	return true;
}

struct listing {
	const struct contents_ctx *ctx;
	DIR *dir;
	int fd;
	const char *path;
	bool read_only; /* the file system */
	uid_t uid;
	struct jsonw w;
};

/* Decides by the mode where that is enough: in a large folder this saves thousands of system calls.
 */
static bool is_writable(const struct listing *l, const char *name, const struct stat *st)
{
	if (l->read_only || S_ISLNK(st->st_mode)) /* a link to nowhere */
		return false;
	if (l->uid == 0)
		return true;
	if (st->st_uid == l->uid && (st->st_mode & S_IWUSR) != 0)
		return true;
	return faccessat(l->fd, name, W_OK, AT_EACCESS) == 0;
}

static void list_one(struct listing *l, const char *name)
{
	struct model m = { .path = NULL };
	if (fstatat(l->fd, name, &m.st, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	if (S_ISLNK(m.st.st_mode)) {
		struct stat target;
		if (fstatat(l->fd, name, &target, 0) == 0)
			m.st = target;
	}
	if (!S_ISLNK(m.st.st_mode) && !S_ISREG(m.st.st_mode) && !S_ISDIR(m.st.st_mode))
		return;
	bool barred = S_ISDIR(m.st.st_mode) && l->uid != 0 &&
		      faccessat(l->fd, name, R_OK | X_OK, AT_EACCESS) != 0;
	if (!l->ctx->allow_hidden && (name[0] == '.' || barred))
		return;
	cyg_autofree char *path =
	    cyg_xasprintf("%s%s%s", l->path, l->path[0] != '\0' ? "/" : "", name);
	m.path = path;
	m.type = model_type_of(name, m.st.st_mode);
	m.writable = is_writable(l, name, &m.st);
	m.mimetype = m.type == MODEL_FILE ? contents_mime_of(name) : NULL;
	model_write(&l->w, &m);
}

static void get_directory(struct job *job, struct model *m, const struct query *q, const char *disk)
{
	struct listing l = { .ctx = job->ctx, .path = m->path, .uid = geteuid() };
	struct statvfs vfs;
	const struct dirent *entry;
	m->format = q->content ? "json" : NULL;
	l.dir = q->content ? opendir(disk) : NULL;
	if (q->content && l.dir == NULL) {
		(void)job_fail_sys(job, errno, "Cannot list the folder", m->path);
		return;
	}
	model_fields(job, m, false);
	jsonw_init(&l.w, &job->out);
	model_begin(&l.w, m);
	jsonw_key(&l.w, "content");
	if (l.dir == NULL) {
		jsonw_null(&l.w);
	} else {
		l.fd = dirfd(l.dir);
		l.read_only = fstatvfs(l.fd, &vfs) == 0 && (vfs.f_flag & ST_RDONLY) != 0;
		jsonw_array(&l.w);
		while ((entry = readdir(l.dir)) != NULL)
			if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			    should_list(entry->d_name))
				list_one(&l, entry->d_name);
		jsonw_array_end(&l.w);
		(void)closedir(l.dir);
	}
	jsonw_object_end(&l.w);
	if (jsonw_finish(&l.w, NULL) < 0)
		(void)job_fail(job, 413, NULL, "%s holds too many files to list", m->path);
}

/* ---- files ---- */
/* Python's encodebytes: lines of 76 characters. */
static void put_base64(struct jsonw *w, struct cyg_str data)
{
	cyg_autobuf struct cyg_buf line;
	cyg_buf_init(&line, 256);
	jsonw_str_begin(w);
	while (data.len > 0) {
		size_t n = data.len < BASE64_LINE ? data.len : BASE64_LINE;
		cyg_buf_reset(&line);
		(void)cyg_base64_write(&line, data.p, n, NULL);
		(void)cyg_buf_add(&line, "\n", 1, NULL);
		jsonw_str_piece(w, cyg_buf_str(&line));
		data = cyg_str_skip(data, n);
	}
	jsonw_str_end(w);
}

static void put_content(struct job *job, struct model *m, struct cyg_str data, bool text)
{
	struct jsonw w;
	model_fields(job, m, false);
	jsonw_init(&w, &job->out);
	model_begin(&w, m);
	jsonw_key(&w, "content");
	if (text)
		jsonw_str(&w, data);
	else
		put_base64(&w, data);
	jsonw_object_end(&w);
	if (jsonw_finish(&w, NULL) < 0)
		(void)job_fail(job, 413, NULL, "%s is too large to open here", m->path);
}

static void get_file(struct job *job, struct model *m, const struct query *q, const char *disk)
{
	struct contents_ctx *ctx = job->ctx;
	cyg_autobuf struct cyg_buf data;
	char hex[DIGEST_HEX];
	int64_t seen_us = cyg_clock_wall_us();
	cyg_buf_init(&data, 0);
	if (model_read(job, disk, m->path, &data, &m->st) < 0)
		return;
	bool asked_text = q->format != NULL && strcmp(q->format, "text") == 0;
	bool text =
	    (q->format == NULL || asked_text) && utf8_bad_at(cyg_buf_str(&data)) == data.len;
	if (asked_text && !text) {
		(void)job_fail(job, 400, "bad format", "%s is not UTF-8 encoded", m->path);
		return;
	}
	m->format = text ? "text" : "base64";
	if (m->mimetype == NULL)
		m->mimetype = text ? "text/plain" : "application/octet-stream";
	if (q->hash) {
		digest_sha256(cyg_buf_str(&data), hex);
		state_hash_set(ctx->state, &m->st, seen_us, hex);
		m->hash = hex;
	}
	put_content(job, m, cyg_buf_str(&data), text);
}

/* ---- notebooks ---- */
static void put_notebook(struct job *job, struct model *m, struct nb_doc *doc)
{
	struct contents_ctx *ctx = job->ctx;
	struct nb_opts opts = { .form = NB_CLIENT, .keep_orig = doc->upgraded };
	cyg_autobuf struct cyg_buf problem;
	struct jsonw w;
	struct cyg_err err;
	cyg_buf_init(&problem, MESSAGE_MAX);
	if (nb_find_problem(doc->tape, doc->root, &problem))
		m->message = problem.data;
	opts.trusted = trust_check(ctx, doc->tape, doc->root, doc->upgraded);
	m->format = "json";
	model_fields(job, m, false);
	jsonw_init(&w, &job->out);
	model_begin(&w, m);
	jsonw_key(&w, "content");
	jsonw_raw(&w, CYG_STR(""));
	if (nb_write(doc->tape, doc->root, &opts, &job->out, &err) < 0) {
		(void)job_fail_err(job, &err, "Cannot send the notebook");
		return;
	}
	jsonw_object_end(&w);
	if (jsonw_finish(&w, &err) < 0)
		(void)job_fail_err(job, &err, "Cannot send the notebook");
}

/* The error says what is wrong and where; the file is not changed. A copy that stock's writer left
 * when it died is named in the error, but not restored. */
static void fail_unreadable(struct job *job, const struct model *m, const char *why)
{
	const char *copy = path_join(job, path_parent(job, m->path),
	    cyg_arena_printf(job->req->arena, ".~%s", path_name(m->path)));
	(void)job_fail(job, 400, NULL, "Unreadable Notebook: %s: %s.%s%s", m->path, why,
	    path_exists(job, copy) ? " An earlier version is in " : "",
	    path_exists(job, copy) ? copy : "");
}

static void get_notebook(struct job *job, struct model *m, const struct query *q, const char *disk)
{
	static const struct nb_opts opts = { .form = NB_CLIENT };
	struct contents_ctx *ctx = job->ctx;
	cyg_autobuf struct cyg_buf data;
	char hex[DIGEST_HEX];
	struct nb_doc doc;
	struct cyg_err err;
	int64_t seen_us = cyg_clock_wall_us();
	cyg_buf_init(&data, 0);
	if (model_read(job, disk, m->path, &data, &m->st) < 0)
		return;
	if (utf8_bad_at(cyg_buf_str(&data)) != data.len) {
		(void)job_fail(job, 400, "bad format", "%s is not UTF-8 encoded", m->path);
		return;
	}
	if (nb_read(cyg_buf_str(&data), &opts, &doc, &err) < 0) {
		fail_unreadable(job, m, err.msg);
		return;
	}
	if (q->hash) {
		digest_sha256(cyg_buf_str(&data), hex);
		state_hash_set(ctx->state, &m->st, seen_us, hex);
		m->hash = hex;
	}
	put_notebook(job, m, &doc);
	nb_doc_close(&doc);
}

/* Without content, the hash is the only reason to open the file. */
static void get_bare(struct job *job, struct model *m, const struct query *q, const char *disk)
{
	char hex[DIGEST_HEX];
	struct jsonw w;
	if (q->hash) {
		cyg_autoclose int fd = open(disk, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0) {
			(void)job_fail_sys(job, errno, "Cannot open the file", m->path);
			return;
		}
		if (fstat(fd, &m->st) != 0 || !S_ISREG(m->st.st_mode)) {
			(void)job_fail(job, 400, NULL, "Cannot read non-file %s", m->path);
			return;
		}
		if (model_hash(job, fd, &m->st, hex) < 0)
			return;
		m->hash = hex;
	}
	model_fields(job, m, false);
	jsonw_init(&w, &job->out);
	model_write(&w, m);
	(void)jsonw_finish(&w, NULL);
}

static int read_flag(struct job *job, const char *name, const char *otherwise, bool *ret)
{
	const char *v = job_query(job, name);
	if (v == NULL)
		v = otherwise;
	if (strcmp(v, "0") != 0 && strcmp(v, "1") != 0)
		return job_fail(job, 400, NULL,
		    name[0] == 'h' ? "Hash argument '%s' is invalid. It must be '0' or '1'."
				   : "Content '%s' is invalid",
		    v);
	*ret = v[0] == '1';
	return 0;
}

static int read_query(struct job *job, struct query *q)
{
	q->type = job_query(job, "type");
	if (q->type != NULL && strcmp(q->type, "directory") != 0 &&
	    strcmp(q->type, "notebook") != 0)
		q->type = "file"; /* also any unknown one */
	q->format = job_query(job, "format");
	if (q->format != NULL && strcmp(q->format, "text") != 0 && strcmp(q->format, "base64") != 0)
		return job_fail(job, 400, NULL, "Format '%s' is invalid", q->format);
	if (read_flag(job, "content", "1", &q->content) < 0)
		return -1;
	return read_flag(job, "hash", "0", &q->hash);
}

void get_work(struct job *job)
{
	struct query q = { 0 };
	struct model m;
	const char *disk = path_to_disk(job, job->path);
	if (disk == NULL || read_query(job, &q) < 0)
		return;
	if (path_is_hidden(job->ctx, job->path) || !model_stat(&m, job->path, disk)) {
		(void)job_fail(job, 404, NULL, "file or directory '%s' does not exist", job->path);
		return;
	}
	job->event_action = "get";
	job->event_path = job->path;
	if (m.type == MODEL_DIRECTORY) {
		if (q.type != NULL && strcmp(q.type, "directory") != 0)
			(void)job_fail(
			    job, 400, "bad type", "%s is a directory, not a %s", job->path, q.type);
		else
			get_directory(job, &m, &q, disk);
		return;
	}
	if (q.type != NULL && strcmp(q.type, "directory") == 0) {
		(void)job_fail(job, 400, "bad type", "%s is not a directory", job->path);
		return;
	}
	if (q.type != NULL)
		m.type = strcmp(q.type, "notebook") == 0 ? MODEL_NOTEBOOK : MODEL_FILE;
	m.mimetype = m.type == MODEL_FILE ? contents_mime_of(path_name(job->path)) : NULL;
	if (!q.content)
		get_bare(job, &m, &q, disk);
	else if (m.type == MODEL_NOTEBOOK)
		get_notebook(job, &m, &q, disk);
	else
		get_file(job, &m, &q, disk);
}
