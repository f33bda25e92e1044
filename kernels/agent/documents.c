/* Makes the contexts of the contents API and of the pages: from the agent's options and the setup
 * environment come the root folder, the Jupyter data folder, the trash and the user's name. Each
 * change of a file becomes an event of the event stream. */
#include "kernels/agent/documents.h"

#include "base/mem.h"
#include "cygnet/paths.h"
#include "kernels/agent/agent.h"

struct file_event {
	const char *action, *path, *source;
};

static void write_event(struct jsonw *w, const void *arg)
{
	const struct file_event *e = arg;

	jsonw_key_cstr(w, "action", e->action);
	jsonw_key_cstr(w, "path", e->path);
	if (e->source != NULL)
		jsonw_key_cstr(w, "source_path", e->source);
}

static void on_event(void *arg, const char *action, const char *path, const char *source)
{
	struct documents *d = arg;
	const struct file_event e = { action, path, source };

	if (d->events != NULL)
		events_emit(d->events, EVENTS_JUPYTER "contents_service/v1", write_event, &e);
}

static int open_pages(
    struct documents *d, uv_loop_t *loop, const struct agent_opts *opts, struct cyg_err *err)
{
	struct pages_ctx *p = &d->pages;

	p->prefix = opts->jupyter_prefix;
	p->labextensions = opts->labextensions;
	p->base_url = opts->base_url;
	p->root_dir = opts->root_dir;
	p->home = d->home;
	p->loop = loop;
	p->delete_to_trash = true;
	names_read(opts->base_url, &d->names);
	if (d->names.user != NULL) {
		p->user_name = p->hub_user = d->names.user;
		p->hub_server_name = d->names.server;
		p->hub_host = "";
		p->hub_prefix = CYG_HUB_PATH "/";
	}
	return pages_open(p, err);
}

int documents_open(struct documents *d, uv_loop_t *loop, const struct agent_opts *opts,
    const struct hello_env *env, struct cyg_err *err)
{
	const char *home = hello_get(env, "HOME");
	const char *data = hello_get(env, "JUPYTER_DATA_DIR");
	int rc;

	d->home = cyg_xstrdup(home != NULL ? home : opts->root_dir);
	d->data_dir =
	    data != NULL ? cyg_xstrdup(data) : cyg_xasprintf("%s/.local/share/jupyter", d->home);
	d->trash_dir = cyg_xasprintf("%s/.local/share/Trash", d->home);
	d->contents = (struct contents_ctx){
		.root_dir = opts->root_dir,
		.data_dir = d->data_dir,
		.home_trash = d->trash_dir,
		.loop = loop,
		.on_event = on_event,
		.event_arg = d,
	};
	rc = contents_open(&d->contents, err);
	if (rc == 0 && opts->jupyter_prefix != NULL)
		rc = open_pages(d, loop, opts, err);
	return rc;
}

void documents_close(struct documents *d)
{
	contents_close(&d->contents);
	pages_close(&d->pages);
	names_free(&d->names);
	free(d->home);
	free(d->data_dir);
	free(d->trash_dir);
}
