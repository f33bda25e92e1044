/* Decides whether a request is allowed, and fills in placeholders: pure functions on what policy.c
 * read. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "ipc/spawn_codec.h"
#include "spawner/core/policy_parts.h"

#include <string.h>

int policy_cores_parse(struct cyg_str text, uint32_t *ret)
{
	size_t dot = cyg_str_chr(text, '.');
	struct cyg_str digits = dot < text.len ? cyg_str_skip(text, dot + 1) : CYG_STR("0");
	uint64_t whole, part;

	if (cyg_num_parse_u64(cyg_str_sub(text, 0, dot), 0, 1024, &whole, NULL) < 0 ||
	    digits.len > 3 || cyg_num_parse_u64(digits, 0, 999, &part, NULL) < 0)
		return -(int)CYG_EINVAL;
	for (size_t i = digits.len; i < 3; i++)
		part *= 10;
	*ret = (uint32_t)(whole * 1000 + part);
	return 0;
}

size_t policy_n_templates(const struct policy *p)
{
	return p->n_templates;
}

const char *policy_template_name(const struct policy *p, size_t number)
{
	return p->templates[number].name;
}

static const struct policy_template *find_template(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_templates; i++)
		if (strcmp(p->templates[i].name, name) == 0)
			return &p->templates[i];
	return NULL;
}

static const struct policy_stack *find_stack(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_stacks; i++)
		if (strcmp(p->stacks[i].name, name) == 0)
			return &p->stacks[i];
	return NULL;
}

static bool may_use(const struct policy_template *t, const char *stack)
{
	for (size_t i = 0; t->stacks != NULL; i++) {
		if (t->stacks[i] == NULL)
			return false;
		if (strcmp(t->stacks[i], stack) == 0)
			return true;
	}
	return true;
}

static bool is_hex(const char *text, size_t len)
{
	return strlen(text) == len && strspn(text, "0123456789abcdef") == len;
}

/* Checks names that become paths or arguments, also those that the hub has checked already. */
static int check_names(const struct spawn_spawn *r, struct cyg_err *err)
{
	if (!is_hex(r->server_id, CYG_SERVER_ID_LEN))
		return cyg_fail(
		    err, CYG_EINVAL, "a server id is %d hexadecimal digits", CYG_SERVER_ID_LEN);
	if (r->credential[0] != '\0' && !is_hex(r->credential, CYG_CREDENTIAL_LEN))
		return cyg_fail(
		    err, CYG_EINVAL, "a credential is %d hexadecimal digits", CYG_CREDENTIAL_LEN);
	if (spawn_name_check(SPAWN_NAME_USER, r->user, err) < 0)
		return -(int)CYG_EINVAL;
	if (r->name_before[0] != '\0' && spawn_name_check(SPAWN_NAME_USER, r->name_before, err) < 0)
		return -(int)CYG_EINVAL;
	if (r->server[0] != '\0' && spawn_name_check(SPAWN_NAME_SERVER, r->server, err) < 0)
		return -(int)CYG_EINVAL;
	if (r->cluster[0] != '\0' && spawn_name_check(SPAWN_NAME_CLUSTER, r->cluster, err) < 0)
		return -(int)CYG_EINVAL;
	if (r->base_url[0] != '/' || !cyg_str_ends(cyg_str_of(r->base_url), "/") ||
	    !cyg_str_is_text(cyg_str_of(r->base_url)))
		return cyg_fail(err, CYG_EINVAL, "a base URL starts and ends with '/'");
	if (r->user_script[0] == '/' || strstr(r->user_script, "..") != NULL ||
	    !cyg_str_is_text(cyg_str_of(r->user_script)))
		return cyg_fail(err, CYG_EINVAL,
		    "the user's script must be a path below the home, without '..'");
	return 0;
}

int policy_check(const struct policy *p, const struct spawn_spawn *r, struct policy_grant *ret,
    struct cyg_err *err)
{
	const struct policy_template *t = find_template(p, r->template_);
	const struct policy_stack *s = find_stack(p, r->stack);

	if (check_names(r, err) < 0)
		return -(int)CYG_EINVAL;
	if (t == NULL)
		return cyg_fail(err, CYG_EDENIED, "no template '%s'", r->template_);
	if (s == NULL)
		return cyg_fail(err, CYG_EDENIED, "no stack '%s'", r->stack);
	if (!may_use(t, s->name))
		return cyg_fail(
		    err, CYG_EDENIED, "template '%s' does not allow stack '%s'", t->name, s->name);
	if (r->memory_bytes > t->memory_max)
		return cyg_fail(err, CYG_ELIMIT, "template '%s' allows %llu MiB of memory", t->name,
		    (unsigned long long)(t->memory_max >> 20));
	if (t->cpu_max != 0 && r->cpu_milli > t->cpu_max)
		return cyg_fail(err, CYG_ELIMIT, "template '%s' allows %u.%03u cores", t->name,
		    t->cpu_max / 1000, t->cpu_max % 1000);
	*ret = (struct policy_grant){ .template_ = t,
		.stack = s,
		.memory_bytes = r->memory_bytes != 0 ? r->memory_bytes : t->memory_default,
		.cpu_milli = r->cpu_milli != 0 ? r->cpu_milli : t->cpu_default };
	return 0;
}

static const char *place_of(const struct policy_places *p, struct cyg_str name)
{
	const struct {
		const char *name, *value;
	} table[] = { { "user", p->user }, { "home", p->home }, { "run_dir", p->run_dir },
		{ "bin", p->bin }, { "base_url", p->base_url }, { "socket", p->socket },
		{ "stack_prefix", p->stack_prefix }, { "cache", p->cache },
		{ "cluster", p->cluster } };

	for (size_t i = 0; i < CYG_N(table); i++)
		if (cyg_str_eq(name, table[i].name))
			return table[i].value;
	return NULL;
}

int policy_expand(
    const char *text, const struct policy_places *places, char **ret, struct cyg_err *err)
{
	struct cyg_str rest = cyg_str_of(text);
	cyg_autobuf struct cyg_buf out;
	size_t len;

	cyg_buf_init(&out, (size_t)4 * CYG_PATH_MAX);
	while (rest.len > 0) {
		size_t open = cyg_str_chr(rest, '{'), close;
		const char *value;

		if (cyg_buf_add(&out, rest.p, open, err) < 0)
			return -(int)CYG_ELIMIT;
		if (open == rest.len)
			break;
		close = cyg_str_chr(rest, '}');
		value = close < rest.len && close > open
			    ? place_of(places, cyg_str_sub(rest, open + 1, close - open - 1))
			    : NULL;
		if (value == NULL)
			return cyg_fail(err, CYG_EINVAL, "unknown placeholder in '%s'", text);
		if (cyg_buf_add_str(&out, value, err) < 0)
			return -(int)CYG_ELIMIT;
		rest = cyg_str_skip(rest, close + 1);
	}
	*ret = cyg_buf_take(&out, &len);
	if (*ret == NULL)
		*ret = cyg_xstrdup("");
	return 0;
}
