/* Builds init's command line: its options, the environment of all processes, and the template's
 * command with its placeholders filled in. */
#include "base/mem.h"
#include "spawner/local/local.h"

#include <stdio.h>
#include <string.h>

/* A growing NULL-ended list of words that it owns. */
struct words {
	char **list;
	size_t n;
};

static void add(struct words *w, const char *word)
{
	w->list = cyg_xrealloc(w->list, (w->n + 2) * sizeof(*w->list));
	w->list[w->n++] = cyg_xstrdup(word);
	w->list[w->n] = NULL;
}

static void add_two(struct words *w, const char *option, const char *value)
{
	add(w, option);
	add(w, value);
}

static void add_env(struct words *w, const char *name, const char *value)
{
	cyg_autofree char *entry = cyg_xasprintf("%s=%s", name, value);

	add_two(w, "--env", entry);
}

void command_free(char **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

static int add_expanded(
    struct words *w, const char *text, const struct policy_places *p, struct cyg_err *err)
{
	cyg_autofree char *word = NULL;

	if (policy_expand(text, p, &word, err) < 0)
		return -(int)CYG_EINVAL;
	add(w, word);
	return 0;
}

/* Adds the environment that scripts and agent start with: nothing of the spawner's, no secrets. */
static int add_environment(struct words *w, const struct local_server *s,
    const struct local_places *at, const struct policy_places *p, struct cyg_err *err)
{
	cyg_autofree char *runtime = cyg_xasprintf("%s/runtime", at->run_dir);

	add_env(w, "PATH", "/usr/local/bin:/usr/bin:/bin");
	add_env(w, "HOME", at->home);
	add_env(w, "USER", s->spec.user);
	add_env(w, "LOGNAME", s->spec.user);
	add_env(w, "SHELL", "/bin/bash");
	add_env(w, "LANG", "C.UTF-8");
	add_env(w, "XDG_RUNTIME_DIR", runtime);
	add_env(w, "JUPYTER_RUNTIME_DIR", runtime);
	for (size_t i = 0; i < s->grant.template_->n_env; i++) {
		cyg_autofree char *value = NULL;

		if (policy_expand(s->grant.template_->env[i].value, p, &value, err) < 0)
			return -(int)CYG_EINVAL;
		add_env(w, s->grant.template_->env[i].name, value);
	}
	return 0;
}

static int add_scripts(struct words *w, const struct local_server *s, const struct local_places *at,
    const struct policy_places *p, struct cyg_err *err)
{
	char deadline[32];

	(void)snprintf(deadline, sizeof(deadline), "%llu",
	    (unsigned long long)s->grant.template_->deadline_ms);
	add_two(w, "--run-dir", at->run_dir);
	add_two(w, "--deadline-ms", deadline);
	if (s->grant.stack->setup != NULL) {
		add(w, "--setup");
		if (add_expanded(w, s->grant.stack->setup, p, err) < 0)
			return -(int)CYG_EINVAL;
	}
	if (s->spec.user_script[0] != '\0') {
		cyg_autofree char *path = cyg_xasprintf("%s/%s", at->home, s->spec.user_script);

		add_two(w, "--user-script", path);
	}
	if (s->spec.home_packages != 0)
		add(w, "--home-packages");
	return 0;
}

static int add_all(const struct local_server *s, struct words *w, struct cyg_err *err)
{
	const struct local *l = s->local;
	struct local_places at = { 0 };
	struct policy_places p = { .user = s->spec.user,
		.home = at.home,
		.run_dir = at.run_dir,
		.bin = at.bin,
		.base_url = s->spec.base_url,
		.cache = l->folders.cache_dir,
		.cluster = s->spec.cluster };
	cyg_autofree char *socket = NULL, *init = NULL, *prefix = NULL;

	l->kind->places(l->kind_arg, s, &at);
	socket = cyg_xasprintf("%s/runtime/relay.sock", at.run_dir);
	init = cyg_xasprintf("%s/cygnet-init", at.bin);
	if (policy_expand(s->grant.stack->prefix, &p, &prefix, err) < 0)
		return -(int)CYG_EINVAL;
	p.socket = socket;
	p.stack_prefix = prefix;
	add(w, init);
	if (add_scripts(w, s, &at, &p, err) < 0)
		return -(int)CYG_EINVAL;
	if (add_environment(w, s, &at, &p, err) < 0)
		return -(int)CYG_EINVAL;
	add(w, "--");
	for (const char **word = s->grant.template_->command; *word != NULL; word++)
		if (add_expanded(w, *word, &p, err) < 0)
			return -(int)CYG_EINVAL;
	return 0;
}

int command_make(const struct local_server *s, char ***ret, struct cyg_err *err)
{
	struct words words = { NULL, 0 };
	int r = add_all(s, &words, err);

	*ret = words.list;
	return r;
}
