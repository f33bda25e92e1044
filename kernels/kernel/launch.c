/* What a kernel's process is started with: its words, from the specification, and its environment.
 * Starting it is start.c. */
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

/* ipykernel's own launcher, but for one thing: its socket for broadcasts queues without a limit. By
 * default a burst of more than a thousand outputs is cut, and nobody is told. */
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

void launch_fill(struct launch *l, const struct kernel *k)
{
	const struct kernels_opts *opts = &k->owner->opts;
	const struct hello_env *setup = init_link_env(opts->init);
	const char *word = NULL;
	size_t n = 1;

	env_init(&l->env, setup->list);
	if (opts->extend_env != NULL)
		opts->extend_env(opts->arg, &l->env);
	for (size_t i = 0; k->spec->env[i] != NULL; i++)
		env_set_expanded(&l->env, k->spec->env[i]);
	if (k->session_name != NULL)
		env_set(&l->env, "JPY_SESSION_NAME", k->session_name);
	env_set(&l->env, "JUPYTER_RUNTIME_DIR", k->owner->connection_dir);
	l->argv[0] = spec_program(k->spec, env_get(&l->env, "PATH"));
	for (; k->spec->argv[n] != NULL; n++)
		l->argv[n] = fill_word(k, k->spec->argv[n]);
	if (unbound_ipykernel(l->argv) && opts->ipykernel_word != NULL)
		word = opts->ipykernel_word(opts->arg);
	if (word != NULL)
		l->argv[n] = cyg_xstrdup(word);
}

void launch_free(struct launch *l)
{
	env_free(&l->env);
	for (size_t i = 0; l->argv[i] != NULL; i++)
		free(l->argv[i]);
}
