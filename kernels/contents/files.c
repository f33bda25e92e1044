/* GET files/PATH: the bytes of a file, whole or a range, for downloads and for what notebooks embed
 * (jupyter_server AuthenticatedFileHandler). Active content is confined by a sandbox policy. */
#include "kernels/contents/files.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "http/url.h"
#include "kernels/contents/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NAME_OUT_MAX = 4096 };

static const char *field_of(const struct job *job, const char *name)
{
	const struct http_field *f = http_head_find(job->req->head, name);
	return f != NULL ? cyg_arena_dup(job->req->arena, f->value) : NULL;
}

static const char *etag_of(struct job *job, const struct stat *st)
{
	return cyg_arena_printf(job->req->arena, "\"%llx-%llx-%llx\"",
	    (unsigned long long)st->st_ino, (unsigned long long)st->st_size,
	    (unsigned long long)(st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec));
}

/* RFC 9110 13.2.2: If-None-Match, else If-Modified-Since (compared as text: browsers send back what
 * they were given). */
bool files_is_unchanged(struct job *job, const struct stat *st)
{
	char when[CYG_ISO8601_SIZE];
	const char *etag = etag_of(job, st);
	const char *match = field_of(job, "if-none-match");
	const char *since = field_of(job, "if-modified-since");
	cyg_clock_format_http(st->st_mtim.tv_sec * 1000000LL, when);
	job_field(job, "ETag", etag);
	job_field(job, "Last-Modified", when);
	if (match != NULL)
		return strstr(match, etag) != NULL || strcmp(match, "*") == 0;
	return since != NULL && strcmp(since, when) == 0;
}

/* RFC 9110 13.1.5: the client must not join parts of different versions. A date is too coarse to
 * tell versions apart, so only an ETag counts. */
static bool is_range_of(const struct job *job, const char *etag)
{
	const char *version = field_of(job, "if-range");
	return version == NULL || strcmp(version, etag) == 0;
}

/* Reads one byte range (RFC 9110 14.1.2). 1: a range to serve, 0: none (the whole file is sent),
 * -1: outside the file. */
static int read_range(struct job *job, uint64_t size, uint64_t *off, uint64_t *len)
{
	const char *text = field_of(job, "range");
	uint64_t first = 0, last = 0;
	if (text == NULL || strncmp(text, "bytes=", 6) != 0 || strchr(text, ',') != NULL)
		return 0;
	struct cyg_str spec = cyg_str_trim(cyg_str_of(text + 6));
	size_t dash = cyg_str_chr(spec, '-');
	if (dash == spec.len)
		return 0;
	struct cyg_str from = cyg_str_sub(spec, 0, dash), to = cyg_str_skip(spec, dash + 1);
	if ((from.len > 0 && cyg_num_parse_u64(from, 0, INT64_MAX, &first, NULL) < 0) ||
	    (to.len > 0 && cyg_num_parse_u64(to, 0, INT64_MAX, &last, NULL) < 0) ||
	    (from.len == 0 && to.len == 0))
		return 0;
	if (from.len == 0) { /* the last bytes */
		if (last == 0)
			return -1;
		first = last > size ? 0 : size - last;
		last = size - 1;
	} else if (to.len == 0 || last >= size) {
		last = size - 1;
	}
	if (first >= size || first > last)
		return size == 0 || first >= size ? -1 : 0;
	*off = first;
	*len = last - first + 1;
	return 1;
}

void files_send(struct job *job, int fd, const struct stat *st)
{
	uint64_t size = (uint64_t)st->st_size, off = 0, len = size;
	job_field(job, "Accept-Ranges", "bytes");
	int r = is_range_of(job, etag_of(job, st)) ? read_range(job, size, &off, &len) : 0;
	if (r < 0) {
		cyg_close(fd);
		(void)job_fail(job, 416, NULL, "The range is outside the file");
		job_field(job, "Content-Range",
		    cyg_arena_printf(job->req->arena, "bytes */%llu", (unsigned long long)size));
		return;
	}
	if (r > 0) {
		job->status = 206;
		job_field(job, "Content-Range",
		    cyg_arena_printf(job->req->arena, "bytes %llu-%llu/%llu",
			(unsigned long long)off, (unsigned long long)(off + len - 1),
			(unsigned long long)size));
	}
	job->fd = fd;
	job->off = off;
	job->len = len;
}

static void name_attachment(struct job *job, const char *name)
{
	cyg_autobuf struct cyg_buf value;
	cyg_buf_init(&value, NAME_OUT_MAX);
	if (cyg_buf_add_str(&value, "attachment; filename*=utf-8''", NULL) == 0 &&
	    url_encode(&value, cyg_str_of(name), "", NULL) == 0)
		job_field(job, "Content-Disposition", value.data);
}

static const char *type_of(const char *name)
{
	const char *type = contents_mime_of(name);
	if (cyg_str_ends(cyg_str_of(name), ".ipynb"))
		return "application/x-ipynb+json";
	if (type == NULL)
		return "application/octet-stream";
	return strcmp(type, "text/plain") == 0 ? "text/plain; charset=UTF-8" : type;
}

void files_work(struct job *job)
{
	const struct contents_ctx *ctx = job->ctx;
	const char *disk = path_to_disk(job, job->path), *name = path_name(job->path);
	struct stat st;
	if (disk == NULL)
		return;
	int fd =
	    path_is_hidden(ctx, job->path) ? -1 : open(disk, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		int e = fd < 0 ? errno : ENOENT;
		cyg_close(fd);
		if (e == EACCES && !path_is_hidden(ctx, job->path))
			(void)job_fail(job, 403, NULL, "Permission denied: %s", job->path);
		else
			(void)job_fail(job, 404, NULL, "file '%s' does not exist", job->path);
		return;
	}
	job->type = type_of(name);
	job_field(job, "Content-Security-Policy",
	    cyg_arena_printf(job->req->arena,
		"frame-ancestors 'self'; report-uri %sapi/security/csp-report; sandbox "
		"allow-scripts",
		job->req->base_url));
	job_field(job, "X-Content-Type-Options", "nosniff");
	job_field(job, "Cache-Control", "no-cache");
	if (cyg_str_ends(cyg_str_of(name), ".ipynb") || job_query(job, "download") != NULL)
		name_attachment(job, name);
	if (files_is_unchanged(job, &st)) {
		cyg_close(fd);
		job->status = 304;
		return;
	}
	files_send(job, fd, &st);
}
