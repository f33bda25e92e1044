/* Builds the environments of kernels and terminals. */
#include "kernels/base/env.h"

#include "base/buf.h"
#include "base/mem.h"

#include <string.h>

enum { VALUE_MAX = 128 * 1024 }; /* of one variable; execve itself allows no more */

static char **find(const struct env *e, const char *name, size_t len)
{
	for (size_t i = 0; i < e->n; i++)
		if (strncmp(e->list[i], name, len) == 0 && e->list[i][len] == '=')
			return &e->list[i];
	return NULL;
}

static void add(struct env *e, char *assignment)
{
	e->list = cyg_xrealloc(e->list, (e->n + 2) * sizeof(char *));
	e->list[e->n++] = assignment;
	e->list[e->n] = NULL;
}

void env_init(struct env *e, char *const *from)
{
	*e = (struct env){ .list = cyg_xcalloc(1, sizeof(char *)) };
	for (size_t i = 0; from != NULL && from[i] != NULL; i++)
		add(e, cyg_xstrdup(from[i]));
}

void env_free(struct env *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->list[i]);
	free(e->list);
	*e = (struct env){ 0 };
}

static void set_len(struct env *e, const char *name, size_t name_len, const char *value)
{
	char *assignment = cyg_xasprintf("%.*s=%s", (int)name_len, name, value);
	char **old = find(e, name, name_len);

	if (old == NULL) {
		add(e, assignment);
		return;
	}
	free(*old);
	*old = assignment;
}

void env_set(struct env *e, const char *name, const char *value)
{
	set_len(e, name, strlen(name), value);
}

const char *env_get(const struct env *e, const char *name)
{
	char **at = find(e, name, strlen(name));

	return at != NULL ? *at + strlen(name) + 1 : NULL;
}

void env_set_expanded(struct env *e, const char *assignment)
{
	const char *eq = strchr(assignment, '=');
	cyg_autobuf struct cyg_buf b = { 0 };
	int rc = 0;

	if (eq == NULL)
		return;
	cyg_buf_init(&b, VALUE_MAX);
	for (const char *p = eq + 1; *p != '\0' && rc == 0;) {
		const char *end = strncmp(p, "${", 2) == 0 ? strchr(p, '}') : NULL;
		cyg_autofree char *name = NULL;
		const char *value;

		if (end == NULL) {
			rc = cyg_buf_add(&b, p++, 1, NULL);
			continue;
		}
		name = cyg_xstrndup(p + 2, (size_t)(end - p) - 2);
		value = env_get(e, name);
		rc = cyg_buf_add_str(&b, value != NULL ? value : "", NULL);
		p = end + 1;
	}
	if (rc == 0)
		set_len(e, assignment, (size_t)(eq - assignment), b.data);
}
