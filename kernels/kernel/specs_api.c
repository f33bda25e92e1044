/* GET api/kernelspecs, api/kernelspecs/{name}, kernelspecs/{name}/{file}. */
#include "base/mem.h"
#include "kernels/agent/reply.h"
#include "kernels/kernel/api.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* "logo-64x64.png" is told under "logo-64x64". */
static void write_resources(const struct spec *s, const char *base, struct jsonw *w)
{
	jsonw_object(w);
	for (size_t i = 0; s->resources[i] != NULL; i++) {
		const char *file = s->resources[i];
		const char *dot = strrchr(file, '.');
		bool is_logo = strncmp(file, "logo-", 5) == 0 && dot != NULL;
		cyg_autofree char *key =
		    is_logo ? cyg_xstrndup(file, (size_t)(dot - file)) : cyg_xstrdup(file);
		cyg_autofree char *url = cyg_xasprintf("%s/kernelspecs/%s/%s", base, s->name, file);

		jsonw_key_cstr(w, key, url);
	}
	jsonw_object_end(w);
}

static void write_spec(const struct spec *s, const char *base, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_key_cstr(w, "name", s->name);
	jsonw_key(w, "spec");
	jsonw_raw(w, cyg_str_trim(cyg_str_of(s->json)));
	jsonw_key(w, "resources");
	write_resources(s, base, w);
	jsonw_object_end(w);
}

static void list_specs(struct http_req *req)
{
	struct kernel_ctx *ctx = kernel_ctx_of(req);
	struct specs *all = cyg_xcalloc(1, sizeof(*all));
	const char *chosen;
	struct reply r;

	specs_read(kernels_specs(ctx->kernels), all);
	chosen = specs_default(all);
	reply_begin(&r);
	jsonw_object(&r.w);
	jsonw_key_cstr(&r.w, "default", chosen != NULL ? chosen : "python3");
	jsonw_key(&r.w, "kernelspecs");
	jsonw_object(&r.w);
	for (size_t i = 0; i < all->n; i++) {
		jsonw_key(&r.w, all->list[i]->name);
		write_spec(all->list[i], ctx->base, &r.w);
	}
	jsonw_object_end(&r.w);
	jsonw_object_end(&r.w);
	specs_free(all);
	free(all);
	reply_end(&r, req, 200);
}

static struct spec *find_or_404(struct http_req *req)
{
	struct kernel_ctx *ctx = kernel_ctx_of(req);
	const char *name = cyg_arena_dup(req->arena, req->params[0]);
	struct spec *s = NULL;

	if (specs_find(kernels_specs(ctx->kernels), name, &s, NULL) < 0)
		reply_error(req, 404, NULL, "Kernel spec %.100s not found", name);
	return s;
}

static void get_spec(struct http_req *req)
{
	struct spec *s = find_or_404(req);
	struct reply r;

	if (s == NULL)
		return;
	reply_begin(&r);
	write_spec(s, kernel_ctx_of(req)->base, &r.w);
	spec_free(s);
	reply_end(&r, req, 200);
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

/* Any file of the specification's folder, as stock; a name with '/' leads nowhere. */
static void get_resource(struct http_req *req)
{
	const char *file = cyg_arena_dup(req->arena, req->params[1]);
	cyg_autofree char *path = NULL;
	struct spec *s = find_or_404(req);
	struct stat st;
	int fd;

	if (s == NULL)
		return;
	path = cyg_xasprintf("%s/%s", s->folder, file);
	spec_free(s);
	fd = file[0] == '.' || strchr(file, '/') != NULL
		 ? -1
		 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		cyg_close(fd);
		reply_error(req, 404, NULL, "Kernel resource not found");
		return;
	}
	http_reply_field(req, "Cache-Control", "public, max-age=2592000");
	http_reply_field(req, "X-Content-Type-Options", "nosniff");
	http_reply_file(req, 200, type_of(file), fd, 0, (uint64_t)st.st_size);
}

const struct http_endpoint specs_endpoints[] = {
	{ HTTP_GET, "/api/kernelspecs", "agent", list_specs, 0 },
	{ HTTP_GET, "/api/kernelspecs/{name}", "agent", get_spec, 0 },
	{ HTTP_GET, "/kernelspecs/{name}/{file}", "agent", get_resource, 0 },
	{ .path = NULL },
};
