/* GET api/kernelspecs, api/kernelspecs/{name}, kernelspecs/{name}/{file}. */
#include "base/mem.h"
#include "kernels/base/job.h"
#include "kernels/base/tape.h"
#include "kernels/kernel/api.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* "logo-64x64.png" is told under "logo-64x64". */
static void write_resources(const struct spec *s, const char *base_url, struct jsonw *w)
{
	jsonw_object(w);
	for (size_t i = 0; s->resources[i] != NULL; i++) {
		const char *file = s->resources[i];
		const char *dot = strrchr(file, '.');
		bool is_logo = strncmp(file, "logo-", 5) == 0 && dot != NULL;
		cyg_autofree char *key =
		    is_logo ? cyg_xstrndup(file, (size_t)(dot - file)) : cyg_xstrdup(file);
		cyg_autofree char *url =
		    cyg_xasprintf("%skernelspecs/%s/%s", base_url, s->name, file);

		jsonw_key_cstr(w, key, url);
	}
	jsonw_object_end(w);
}

/* Front ends require all members of a specification, with the right type: members that its file
 * lacks are written as stock does. */
static void write_members(const struct spec *s, struct jsonw *w)
{
	static const struct {
		const char *key;
		enum tape_type type;
		const char *otherwise;
	} members[] = { { "argv", TAPE_ARRAY, "[]" }, { "env", TAPE_OBJECT, "{}" },
		{ "display_name", TAPE_STRING, "\"\"" }, { "language", TAPE_STRING, "\"\"" },
		{ "interrupt_mode", TAPE_STRING, "\"signal\"" }, { "metadata", TAPE_OBJECT, "{}" },
		{ "kernel_protocol_version", TAPE_STRING, "\"\"" } };
	struct tape *t = NULL;
	tape_node root = TAPE_NONE;

	if (tape_parse(cyg_str_of(s->json), &t, NULL, NULL) == 0)
		root = tape_root(t);
	jsonw_object(w);
	for (size_t i = 0; i < CYG_N(members); i++) {
		tape_node n = root != TAPE_NONE ? tape_find(t, root, members[i].key) : TAPE_NONE;
		bool fits = n != TAPE_NONE && tape_type_of(t, n) == members[i].type;

		jsonw_key(w, members[i].key);
		jsonw_raw(w, fits ? tape_text(t, n) : cyg_str_of(members[i].otherwise));
	}
	jsonw_object_end(w);
	tape_free(t);
}

static void write_spec(const struct spec *s, const char *base_url, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_key_cstr(w, "name", s->name);
	jsonw_key(w, "spec");
	write_members(s, w);
	jsonw_key(w, "resources");
	write_resources(s, base_url, w);
	jsonw_object_end(w);
}

static void finish(struct job *job, struct jsonw *w)
{
	struct cyg_err err = { 0 };

	if (jsonw_finish(w, &err) < 0) {
		cyg_buf_reset(&job->out);
		(void)job_fail_err(job, &err, "list the kernels");
	}
}

static void list_work(struct job *job)
{
	const struct kernel_ctx *ctx = job->ctx;
	struct specs *all = cyg_xcalloc(1, sizeof(*all));
	const char *chosen;
	struct jsonw w;

	specs_read(ctx->specs, all);
	chosen = specs_default(all);
	jsonw_init(&w, &job->out);
	jsonw_object(&w);
	jsonw_key_cstr(&w, "default", chosen != NULL ? chosen : "python3");
	jsonw_key(&w, "kernelspecs");
	jsonw_object(&w);
	for (size_t i = 0; i < all->n; i++) {
		jsonw_key(&w, all->list[i]->name);
		write_spec(all->list[i], job->req->base_url, &w);
	}
	jsonw_object_end(&w);
	jsonw_object_end(&w);
	specs_free(all);
	free(all);
	finish(job, &w);
}

static struct spec *find_or_404(struct job *job)
{
	const struct kernel_ctx *ctx = job->ctx;
	struct spec *s = NULL;

	if (specs_find(ctx->specs, job->path, &s, NULL) < 0)
		(void)job_fail(job, 404, NULL, "Kernel spec %.100s not found", job->path);
	return s;
}

static void spec_work(struct job *job)
{
	struct spec *s = find_or_404(job);
	struct jsonw w;

	if (s == NULL)
		return;
	jsonw_init(&w, &job->out);
	write_spec(s, job->req->base_url, &w);
	spec_free(s);
	finish(job, &w);
}

static const char *type_of(const char *file)
{
	static const struct {
		const char *suffix, *type;
	} types[] = { { ".png", "image/png" }, { ".svg", "image/svg+xml" },
		{ ".jpg", "image/jpeg" }, { ".js", "application/javascript" },
		{ ".css", "text/css" }, { ".json", "application/json" } };

	for (size_t i = 0; i < CYG_N(types); i++)
		if (cyg_str_ends(cyg_str_of(file), types[i].suffix))
			return types[i].type;
	return "application/octet-stream";
}

/* Any file of the specification's folder, as stock; a name with '/' is not found. */
static void resource_work(struct job *job)
{
	const char *file = job->name;
	cyg_autofree char *path = NULL;
	struct spec *s = find_or_404(job);
	cyg_autoclose int fd = -1;
	struct stat st;

	if (s == NULL)
		return;
	path = cyg_xasprintf("%s/%s", s->folder, file);
	spec_free(s);
	if (file[0] != '.' && strchr(file, '/') == NULL)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		(void)job_fail(job, 404, NULL, "Kernel resource not found");
		return;
	}
	if (cyg_str_ends(cyg_str_of(file), ".png"))
		job_field(job, "Cache-Control", "max-age=2592000");
	job->type = type_of(file);
	job->fd = CYG_TAKE_FD(fd);
	job->len = (uint64_t)st.st_size;
}

/* Specifications lie in homes and software trees, which may hang: never read on the loop. */
static void run(struct http_req *req, void (*work)(struct job *job))
{
	struct kernel_ctx *ctx = req->ctx;
	struct job *job = job_new(req, ctx, req->params[0]);

	job->name = cyg_arena_dup(req->arena, req->params[1]);
	job_run(job, ctx->loop, work);
}

static void list_specs(struct http_req *req)
{
	run(req, list_work);
}

static void get_spec(struct http_req *req)
{
	run(req, spec_work);
}

static void get_resource(struct http_req *req)
{
	run(req, resource_work);
}

const struct http_endpoint specs_endpoints[] = {
	{ HTTP_GET, "/api/kernelspecs", "agent", list_specs, 0 },
	{ HTTP_GET, "/api/kernelspecs/{name}", "agent", get_spec, 0 },
	{ HTTP_GET, "/kernelspecs/{name}/{file}", "agent", get_resource, 0 },
	{ .path = NULL },
};
