/* API paths. Checks of existence here only choose names and messages; creating and renaming must
 * not race, so the system calls themselves check again. */
#include "kernels/contents/path.h"

#include "base/mem.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { INCREMENTS_MAX = 100000 };

static bool is_inside(struct cyg_str path)
{
	struct cyg_str part;
	if (path.len == 0)
		return true;
	if (memchr(path.p, '\0', path.len) != NULL)
		return false;
	while (cyg_str_next(&path, '/', &part))
		if (cyg_str_eq(part, ".") || cyg_str_eq(part, ".."))
			return false;
	return true;
}

const char *path_to_disk(struct job *job, const char *path)
{
	const struct contents_ctx *ctx = job->ctx;
	if (!is_inside(cyg_str_of(path))) {
		(void)job_fail(job, 404, NULL, "%s is outside root contents directory", path);
		return NULL;
	}
	if (*path == '\0')
		return ctx->root_dir;
	return cyg_arena_printf(job->req->arena, "%s/%s", ctx->root_dir, path);
}

const char *path_of_text(struct job *job, const char *text)
{
	return cyg_arena_dup(job->req->arena, strip_slashes(cyg_str_of(text)));
}

static bool is_barred(const struct contents_ctx *ctx, const char *path)
{
	struct stat st;
	char *disk = cyg_xasprintf("%s/%s", ctx->root_dir, path);
	bool barred = lstat(disk, &st) == 0 && S_ISDIR(st.st_mode) &&
		      faccessat(AT_FDCWD, disk, R_OK | X_OK, AT_EACCESS) != 0;
	free(disk);
	return barred;
}

bool path_is_hidden(const struct contents_ctx *ctx, const char *path)
{
	struct cyg_str rest = cyg_str_of(path), part;
	if (ctx->allow_hidden || *path == '\0')
		return false;
	while (cyg_str_next(&rest, '/', &part))
		if (part.len > 0 && part.p[0] == '.')
			return true;
	return is_barred(ctx, path);
}

const char *path_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

const char *path_parent(struct job *job, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct cyg_str parent = { path, slash != NULL ? (size_t)(slash - path) : 0 };
	return cyg_arena_dup(job->req->arena, parent);
}

const char *path_join(struct job *job, const char *dir, const char *name)
{
	return cyg_arena_printf(job->req->arena, "%s%s%s", dir, *dir != '\0' ? "/" : "", name);
}

static bool stat_path(struct job *job, const char *path, int flags, struct stat *st)
{
	const struct contents_ctx *ctx = job->ctx;
	if (!is_inside(cyg_str_of(path)))
		return false;
	const char *disk = cyg_arena_printf(job->req->arena, "%s/%s", ctx->root_dir, path);
	return fstatat(AT_FDCWD, disk, st, flags) == 0;
}

bool path_exists(struct job *job, const char *path)
{
	struct stat st;
	return stat_path(job, path, AT_SYMLINK_NOFOLLOW, &st);
}

bool path_is_dir(struct job *job, const char *path)
{
	struct stat st;
	return stat_path(job, path, 0, &st) && S_ISDIR(st.st_mode);
}

bool path_is_file(struct job *job, const char *path)
{
	struct stat st;
	return stat_path(job, path, 0, &st) && S_ISREG(st.st_mode);
}

/* Where the number goes: offset of the suffix. */
static size_t suffix_at(const char *name)
{
	const char *last = strrchr(name, '.'), *first = strchr(name, '.');
	if (last == NULL)
		return strlen(name);
	return (size_t)((strcmp(last, ".ipynb") == 0 ? last : first) - name);
}

const char *path_increment(
    struct job *job, const char *dir, const char *filename, const char *insert)
{
	size_t at = suffix_at(filename);
	const char *name = filename;
	for (int i = 1; i < INCREMENTS_MAX && path_exists(job, path_join(job, dir, name)); i++)
		name = cyg_arena_printf(
		    job->req->arena, "%.*s%s%d%s", (int)at, filename, insert, i, filename + at);
	return name;
}

const char *path_without_copy(struct job *job, const char *name)
{
	static const char mark[] = "-Copy";
	char *out = cyg_arena_alloc(job->req->arena, strlen(name) + 1);
	size_t n = 0;
	while (*name != '\0') {
		if (strncmp(name, mark, sizeof(mark) - 1) == 0) {
			size_t digits = strspn(name + sizeof(mark) - 1, "0123456789");
			if (name[sizeof(mark) - 1 + digits] == '.') {
				name += sizeof(mark) - 1 + digits;
				continue;
			}
		}
		out[n++] = *name++;
	}
	return out;
}
