/* Prepares what a kernel's process is started with: its specification and program, which are looked
 * for off the loop, its arguments and its environment. Starting it is start.c. */
#include "base/mem.h"
#include "kernels/base/init_link.h"
#include "kernels/kernel/kernel_priv.h"

#include <string.h>

static char *replace(const char *text, const char *what, const char *with)
{
	const char *at = strstr(text, what);

	if (at == NULL)
		return cyg_xstrdup(text);
	return cyg_xasprintf("%.*s%s%s", (int)(at - text), text, with, at + strlen(what));
}

static char *fill_word(const struct kernel *k, const char *word)
{
	const char *below = strstr(k->spec->folder, "/share/jupyter/");
	cyg_autofree char *prefix =
	    below != NULL ? cyg_xstrndup(k->spec->folder, (size_t)(below - k->spec->folder))
			  : cyg_xstrdup("/usr");
	cyg_autofree char *one = replace(word, "{connection_file}", k->conn_path);
	cyg_autofree char *two = replace(one, "{resource_dir}", k->spec->folder);

	return replace(two, "{prefix}", prefix);
}

/* ipykernel's own launcher with one change: its socket for broadcasts has no limit. By default
 * ZeroMQ silently drops messages in a burst of more than a thousand outputs. */
static const char IPYKERNEL[] = "import os, sys\n"
				"if sys.path[0] in ('', os.getcwd()):\n"
				"    del sys.path[0]\n"
				"from ipykernel import kernelapp\n"
				"plain = kernelapp.IPKernelApp.init_iopub\n"
				"def init_iopub(self, context):\n"
				"    context.sndhwm = 0\n"
				"    plain(self, context)\n"
				"    del context.sndhwm\n"
				"kernelapp.IPKernelApp.init_iopub = init_iopub\n"
				"kernelapp.launch_new_instance()\n";

/* True when this is a kernel that ipykernel launches. */
static bool unbound_ipykernel(char **argv)
{
	for (size_t i = 1; argv[i] != NULL && argv[i + 1] != NULL; i++) {
		if (strcmp(argv[i], "-m") != 0 || strcmp(argv[i + 1], "ipykernel_launcher") != 0)
			continue;
		free(argv[i]);
		free(argv[i + 1]);
		argv[i] = cyg_xstrdup("-c");
		argv[i + 1] = cyg_xstrdup(IPYKERNEL);
		return true;
	}
	return false;
}

/* ---- the search ---- */

static void launch_free(struct launch *l)
{
	env_free(&l->env);
	for (size_t i = 0; l->argv[i] != NULL; i++)
		free(l->argv[i]);
	free(l->program);
	spec_free(l->spec);
	free(l->name);
	free(l);
}

static void on_work(uv_work_t *work)
{
	struct launch *l = CYG_CONTAINER_OF(work, struct launch, work);

	if (l->spec == NULL && specs_find(l->specs, l->name, &l->spec, &l->err) < 0)
		return;
	for (size_t i = 0; l->spec->env[i] != NULL; i++)
		env_set_expanded(&l->env, l->spec->env[i]);
	l->program = spec_program(l->spec, env_get(&l->env, "PATH"));
}

static void on_worked(uv_work_t *work, int status)
{
	struct launch *l = CYG_CONTAINER_OF(work, struct launch, work);
	struct kernel *k = l->kernel;

	if (k != NULL) {
		k->launch = NULL;
		k->spec = CYG_TAKE(l->spec);
		if (l->wanted)
			kernel_on_found(k, l);
	}
	launch_free(l);
}

void launch_find(struct kernel *k, bool wanted)
{
	const struct kernels_opts *opts = &k->owner->opts;
	struct launch *l = k->launch;

	if (l != NULL) {
		l->wanted = l->wanted || wanted;
		return;
	}
	k->launch = l = cyg_xcalloc(1, sizeof(*l));
	l->kernel = k;
	l->wanted = wanted;
	l->specs = opts->specs;
	l->name = cyg_xstrdup(k->name);
	l->spec = CYG_TAKE(k->spec); /* back when it is done */
	env_init(&l->env, init_link_env(opts->init)->list);
	if (opts->extend_env != NULL)
		opts->extend_env(opts->arg, &l->env);
	/* Only a NULL callback can make it fail. */
	(void)uv_queue_work(opts->loop, &l->work, on_work, on_worked);
}

void launch_forget(struct kernel *k)
{
	if (k->launch != NULL)
		k->launch->kernel = NULL;
	k->launch = NULL;
}

/* ---- the rest ---- */

void launch_fill(struct launch *l, const struct kernel *k)
{
	const struct kernels_opts *opts = &k->owner->opts;
	const char *word = NULL;
	size_t n = 1;

	if (k->session_name != NULL)
		env_set(&l->env, "JPY_SESSION_NAME", k->session_name);
	env_set(&l->env, "JUPYTER_RUNTIME_DIR", k->owner->connection_dir);
	l->argv[0] = CYG_TAKE(l->program);
	for (; k->spec->argv[n] != NULL; n++)
		l->argv[n] = fill_word(k, k->spec->argv[n]);
	if (unbound_ipykernel(l->argv) && opts->ipykernel_word != NULL)
		word = opts->ipykernel_word(opts->arg);
	if (word != NULL)
		l->argv[n] = cyg_xstrdup(word);
}
