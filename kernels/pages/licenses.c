/* GET lab/api/licenses: the licences of the packages in the bundles, from files that their builds
 * leave (jupyterlab_server licenses_handler.py, its JSON form). */
#include "kernels/pages/priv.h"

#include "base/file.h"
#include "base/mem.h"

#include <fcntl.h>

enum { LICENSES_MAX = 32 << 20 };

static void put_bundle(struct jsonw *w, const char *name, const char *path)
{
	cyg_autobuf struct cyg_buf text;
	struct tape *t = NULL;
	cyg_buf_init(&text, LICENSES_MAX);
	if (cyg_file_read(AT_FDCWD, path, true, &text, NULL) < 0 ||
	    tape_parse(cyg_buf_str(&text), &t, NULL, NULL) < 0)
		return;
	tape_free(t);
	jsonw_key(w, name);
	jsonw_raw(w, cyg_buf_str(&text));
}

static void on_extension(void *arg, const char *dir, const struct tape *package)
{
	cyg_autofree char *path = cyg_xasprintf("%s/static/third-party-licenses.json", dir);
	cyg_autofree char *name = tape_get_str(package, tape_root(package), "name");
	if (name != NULL)
		put_bundle(arg, name, path);
}

void licenses_work(struct job *job)
{
	const struct pages_ctx *ctx = job->ctx;
	cyg_autofree char *core =
	    cyg_xasprintf("%s/static/third-party-licenses.json", ctx->state->lab);
	struct jsonw w;
	jsonw_init(&w, &job->out);
	jsonw_object(&w);
	jsonw_key(&w, "bundles");
	jsonw_object(&w);
	put_bundle(&w, "@jupyterlab/application-top", core);
	federated_each(ctx, on_extension, &w);
	jsonw_object_end(&w);
	jsonw_object_end(&w);
	if (jsonw_finish(&w, NULL) < 0)
		(void)job_fail(job, 500, NULL, "The licenses are too large");
}
