/* The set of names that no new account may have; filled at the start. */
#include "hub/access/reserved.h"

#include "base/hash.h"
#include "base/mem.h"
#include "cygnet/limits.h"
#include "ipc/spawn_codec.h"

#include <pwd.h>
#include <stdio.h>

/* Debian Policy 9.2.2: system accounts are below 1000; 65534 is nobody's, 65535 is -1 in 16 bits.
 */
enum { UID_MIN_USER = 1000, UID_NOBODY = 65534, UID_NONE_16 = 65535 };

/* Always reserved: every container has a line for the first two in its passwd file, and services
 * run as the third. */
static const char *const always[] = { "root", "nobody", "daemon" };

struct reserved {
	struct cyg_hash *names; /* each points to its set */
};

static void add(struct reserved *r, struct cyg_str name)
{
	(void)cyg_hash_set(r->names, name, r);
}

static void add_accounts(struct reserved *r, const char *passwd)
{
	FILE *f = fopen(passwd, "re");
	const struct passwd *pw;

	if (f == NULL)
		return;
	while ((pw = fgetpwent(f)) != NULL) {
		if (pw->pw_uid < UID_MIN_USER || pw->pw_uid == UID_NOBODY ||
		    pw->pw_uid == UID_NONE_16)
			add(r, cyg_str_of(pw->pw_name));
	}
	(void)fclose(f);
}

static int add_list(struct reserved *r, const char *list, struct cyg_err *err)
{
	struct cyg_str rest = cyg_str_of(list), part;
	char name[CYG_NAME_MAX];

	while (cyg_str_next(&rest, ',', &part)) {
		part = cyg_str_trim(part);
		if (part.len == 0)
			continue;
		if (!cyg_str_copy(name, sizeof(name), part))
			return cyg_fail(err, CYG_EINVAL, "reserved-names: a name is too long");
		if (spawn_name_check(SPAWN_NAME_USER, name, err) < 0)
			return cyg_wrap(err, "reserved-names");
		add(r, part);
	}
	return 0;
}

int reserved_new(const char *passwd, const char *more, struct reserved **ret, struct cyg_err *err)
{
	struct reserved *r = cyg_xcalloc(1, sizeof(*r));

	r->names = cyg_hash_new();
	for (size_t i = 0; i < CYG_N(always); i++)
		add(r, cyg_str_of(always[i]));
	add_accounts(r, passwd);
	if (more != NULL && add_list(r, more, err) < 0) {
		reserved_free(r);
		return -(int)err->code;
	}
	*ret = r;
	return 0;
}

void reserved_free(struct reserved *r)
{
	if (r == NULL)
		return;
	cyg_hash_free(r->names, NULL);
	free(r);
}

bool reserved_has(const struct reserved *r, const char *name)
{
	return cyg_hash_find(r->names, cyg_str_of(name)) != NULL;
}
