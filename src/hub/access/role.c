/* JupyterHub's default roles, and the rule for names of roles. The site's own roles are in roles.c.
 */
#include "hub/access/role.h"

#include "base/mem.h"

#include <string.h>

static const char *const of_user[] = { "self", NULL };
static const char *const of_admin[] = {
	"admin-ui",
	"admin:users",
	"admin:servers",
	"admin:services",
	"tokens",
	"admin:groups",
	"list:services",
	"read:services",
	"read:hub",
	"proxy",
	"shutdown",
	"access:services",
	"access:servers",
	"read:roles",
	"read:metrics",
	"shares",
	NULL,
};
static const char *const of_server[] = { "users:activity!user", "access:servers!server", NULL };
static const char *const of_token[] = { "inherit", NULL };

static const struct role defaults[] = {
	{ "user", "Standard user privileges", of_user },
	{ "admin", "Elevated privileges (can do anything)", of_admin },
	{ "server", "Post activity only", of_server },
	{ "token", "Token with same permissions as its owner", of_token },
};

const struct role *role_default(size_t i)
{
	return i < CYG_N(defaults) ? &defaults[i] : NULL;
}

const struct role *role_find_default(struct cyg_str name)
{
	for (size_t i = 0; i < CYG_N(defaults); i++) {
		if (cyg_str_eq(name, defaults[i].name))
			return &defaults[i];
	}
	return NULL;
}

static bool is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int role_name_check(struct cyg_str name, struct cyg_err *err)
{
	if (name.len < 3 || name.len >= ROLE_NAME_MAX)
		return cyg_fail(err, CYG_EINVAL, "a role's name has 3 to 255 characters");
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];
		if (!is_letter(c) && !is_digit(c) && memchr("-_~.", c, 4) == NULL)
			return cyg_fail(
			    err, CYG_EINVAL, "a role's name is made of a-z, 0-9 and -_~.");
	}
	if (!is_letter(name.p[0]))
		return cyg_fail(err, CYG_EINVAL, "a role's name begins with a letter");
	if (!is_letter(name.p[name.len - 1]) && !is_digit(name.p[name.len - 1]))
		return cyg_fail(err, CYG_EINVAL, "a role's name ends with a letter or digit");
	return 0;
}
