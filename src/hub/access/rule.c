/* Reads the scope column of the endpoint table. */
#include "hub/access/rule.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *word;
	enum rule_who who;
} whos[] = {
	{ "anyone", RULE_ANYONE },
	{ "page", RULE_PAGE },
	{ "user", RULE_USER },
	{ "whoami", RULE_WHOAMI },
	{ "server", RULE_SERVER },
};

static const struct {
	const char *name;
	enum scope_kind kind;
} params[] = {
	{ "{user}", SCOPE_USER },
	{ "{group}", SCOPE_GROUP },
	{ "{service}", SCOPE_SERVICE },
};

static bool take_how(struct rule *r, struct cyg_str word)
{
	if (cyg_str_eq(word, "own"))
		r->own = true;
	else if (cyg_str_eq(word, "list"))
		r->list = true;
	else if (cyg_str_eq(word, "new"))
		r->may_be_new = true;
	else if (cyg_str_eq(word, "forbid"))
		r->forbids = true;
	else
		return false;
	return true;
}

static bool take_word(struct rule *r, struct cyg_str word)
{
	enum scope_id id;

	for (size_t i = 0; i < CYG_N(whos); i++) {
		if (!cyg_str_eq(word, whos[i].word))
			continue;
		if (r->who != RULE_SCOPED)
			return false;
		r->who = whos[i].who;
		return true;
	}
	if (scope_find(word, &id)) {
		r->any |= SCOPE_BIT(id);
		return true;
	}
	return take_how(r, word);
}

static enum scope_kind about(const struct rule *r, const char *path)
{
	bool servers = (r->any & ~scope_about_servers()) == 0;

	if (r->own)
		return servers ? SCOPE_SERVER : SCOPE_USER;
	for (size_t i = 0; i < CYG_N(params); i++) {
		if (strstr(path, params[i].name) != NULL)
			return params[i].kind == SCOPE_USER && servers ? SCOPE_SERVER
								       : params[i].kind;
	}
	return SCOPE_ALL;
}

int rule_parse(const char *text, const char *path, struct rule *ret, struct cyg_err *err)
{
	struct cyg_str rest = cyg_str_of(text != NULL ? text : ""), word;
	struct rule r = { .who = RULE_SCOPED };

	while (rest.len > 0 && cyg_str_next(&rest, ' ', &word)) {
		if (!take_word(&r, word))
			return cyg_fail(err, CYG_EINVAL, "endpoint %s has no known scope", path);
	}
	if (r.who == RULE_SCOPED && r.any == 0)
		return cyg_fail(err, CYG_EINVAL, "endpoint %s has no scope", path);
	if (r.any == 0 && r.who != RULE_ANYONE && strstr(path, "{user}") != NULL)
		return cyg_fail(
		    err, CYG_EINVAL, "endpoint %s names a user and has no scope for it", path);
	if (r.own && (r.any == 0 || strstr(path, "{user}") != NULL))
		return cyg_fail(err, CYG_EINVAL, "endpoint %s is not the asker's own", path);
	r.about = r.any != 0 ? about(&r, path) : SCOPE_ALL;
	*ret = r;
	return 0;
}

int rule_param(const char *path, const char *name)
{
	const char *at = strstr(path, name);
	int n = 0;

	if (at == NULL)
		return -1;
	for (const char *p = path; p < at; p++)
		n += *p == '{' ? 1 : 0;
	return n;
}

void rule_names(const struct rule *rule, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (int id = 0; id < SCOPE_N && len < size; id++) {
		if ((rule->any & SCOPE_BIT(id)) == 0)
			continue;
		len += (size_t)snprintf(out + len, size - len, "%s%s", len > 0 ? ", " : "",
		    scope_name((enum scope_id)id));
	}
}
