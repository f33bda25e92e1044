/* Reads files and writes their models as JSON. Times and size are those of a link's target, not of
 * the link (as stock's lstat): a save through a link must change last_modified, or clients miss it.
 */
#include "kernels/contents/model.h"

#include "base/clock.h"
#include "base/mem.h"
#include "http/url.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 512 << 20, READ_STEP = 1 << 18 };

enum model_type model_type_of(const char *name, mode_t mode)
{
	if (S_ISDIR(mode))
		return MODEL_DIRECTORY;
	return cyg_str_ends(cyg_str_of(name), ".ipynb") ? MODEL_NOTEBOOK : MODEL_FILE;
}

bool model_stat(struct model *m, const char *path, const char *disk)
{
	*m = (struct model){ .path = path };
	if (stat(disk, &m->st) != 0 && lstat(disk, &m->st) != 0)
		return false;
	m->type = model_type_of(path_name(path), m->st.st_mode);
	m->writable = faccessat(AT_FDCWD, disk, W_OK, AT_EACCESS) == 0;
	if (m->type == MODEL_FILE)
		m->mimetype = contents_mime_of(path_name(path));
	return true;
}

static void put_time(struct jsonw *w, const char *key, struct timespec t)
{
	char text[CYG_ISO8601_SIZE];
	cyg_clock_format(t.tv_sec * 1000000LL + t.tv_nsec / 1000, text);
	jsonw_key_cstr(w, key, text);
}

void model_begin(struct jsonw *w, const struct model *m)
{
	static const char *const types[] = { [MODEL_FILE] = "file",
		[MODEL_NOTEBOOK] = "notebook",
		[MODEL_DIRECTORY] = "directory" };
	jsonw_object(w);
	jsonw_key_cstr(w, "name", path_name(m->path));
	jsonw_key_cstr(w, "path", m->path);
	jsonw_key_cstr(w, "type", types[m->type]);
	/* stat has no birth time on Linux; jupyter_server uses ctime then. */
	put_time(w, "created", m->st.st_ctim);
	put_time(w, "last_modified", m->st.st_mtim);
	jsonw_key_cstr(w, "mimetype", m->mimetype);
	jsonw_key_cstr(w, "format", m->format);
	if (m->type == MODEL_DIRECTORY)
		jsonw_key_null(w, "size");
	else
		jsonw_key_int(w, "size", m->st.st_size);
	jsonw_key_bool(w, "writable", m->writable);
	jsonw_key_cstr(w, "hash", m->hash);
	jsonw_key_cstr(w, "hash_algorithm", m->hash != NULL ? "sha256" : NULL);
	if (m->message != NULL)
		jsonw_key_cstr(w, "message", m->message);
}

void model_write(struct jsonw *w, const struct model *m)
{
	model_begin(w, m);
	jsonw_key_null(w, "content");
	jsonw_object_end(w);
}

void model_fields(struct job *job, const struct model *m, bool location)
{
	char when[CYG_ISO8601_SIZE];
	cyg_clock_format_http(m->st.st_mtim.tv_sec * 1000000LL, when);
	job_field(job, "Last-Modified", when);
	if (!location)
		return;
	cyg_autobuf struct cyg_buf url;
	cyg_buf_init(&url, 16 * 1024);
	if (cyg_buf_printf(&url, NULL, "%sapi/contents/", job->req->base_url) == 0 &&
	    url_encode(&url, cyg_str_of(m->path), "/", NULL) == 0)
		job_field(job, "Location", url.data);
}

void model_answer(struct job *job, const char *path, const char *message, bool location)
{
	struct model m;
	struct jsonw w;
	const char *disk = path_to_disk(job, path);
	if (disk == NULL)
		return;
	if (!model_stat(&m, path, disk)) {
		(void)job_fail_sys(job, errno, "Cannot look at the file", path);
		return;
	}
	m.message = message;
	model_fields(job, &m, location);
	cyg_buf_reset(&job->out);
	jsonw_init(&w, &job->out);
	model_write(&w, &m);
	(void)jsonw_finish(&w, NULL);
}

int model_hash(struct job *job, int fd, const struct stat *st, char hex[DIGEST_HEX])
{
	struct contents_ctx *ctx = job->ctx;
	struct cyg_err err;
	int64_t now = cyg_clock_wall_us();
	if (state_hash_get(ctx->state, st, hex))
		return 0;
	if (digest_sha256_file(fd, hex, &err) < 0)
		return job_fail_sys(job, err.sys, "Cannot read the file", job->path);
	state_hash_set(ctx->state, st, now, hex);
	return 0;
}

static int read_all(struct job *job, int fd, const char *path, struct cyg_buf *out)
{
	for (;;) {
		char *room;
		struct cyg_err err;
		if (cyg_buf_reserve(out, READ_STEP, &room, &err) < 0)
			return job_fail(job, 413, NULL,
			    "%s is larger than %d MiB, too large to open here; download it", path,
			    FILE_MAX >> 20);
		ssize_t got = read(fd, room, READ_STEP);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return job_fail_sys(job, errno, "Cannot read the file", path);
		if (got == 0)
			return 0;
		cyg_buf_commit(out, (size_t)got);
	}
}

int model_read(
    struct job *job, const char *disk, const char *path, struct cyg_buf *out, struct stat *st)
{
	/* O_NONBLOCK: opening a fifo must not wait for a writer. */
	cyg_autoclose int fd = open(disk, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	cyg_buf_free(out);
	cyg_buf_init(out, FILE_MAX);
	if (fd < 0)
		return job_fail_sys(job, errno, "Cannot open the file", path);
	if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode))
		return job_fail(job, 400, NULL, "Cannot read non-file %s", path);
	return read_all(job, fd, path, out);
}
