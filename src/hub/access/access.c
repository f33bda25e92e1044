/* Opens and closes the access part of the hub: reads the administrator's token, loads users,
 * sessions, services, groups, roles and tokens from the store, and frees them. */
#include "hub/access/access.h"

#include "base/file.h"
#include "base/mem.h"
#include "hub/access/group.h"
#include "hub/access/people.h"
#include "hub/access/roles.h"
#include "hub/access/service.h"
#include "hub/access/sessions.h"
#include "hub/access/token.h"

#include <fcntl.h>
#include <string.h>

static int read_admin_token(struct access *access, struct cyg_err *err)
{
	const char *path = access->opts.admin_token_file;
	char *text = NULL;

	if (path == NULL)
		return 0;
	if (cyg_file_read_secret(AT_FDCWD, path, &text, err) < 0)
		return cyg_wrap(err, "admin-token-file");
	if (text[0] != '\0')
		secret_sum(cyg_str_of(text), access->admin_sum);
	cyg_cleanse(text, strlen(text));
	free(text);
	return 0;
}

int access_open(const struct access_opts *opts, struct access **ret, struct cyg_err *err)
{
	struct access *access = cyg_xcalloc(1, sizeof(*access));

	access->opts = *opts;
	if (read_admin_token(access, err) < 0 || people_load(access, err) < 0 ||
	    sessions_load(access, err) < 0 || services_load(access, err) < 0 ||
	    groups_load(access, err) < 0 || roles_load(access, err) < 0 ||
	    tokens_load(access, err) < 0) {
		access_free(access);
		return -(int)err->code;
	}
	*ret = access;
	return 0;
}

void access_free(struct access *access)
{
	if (access == NULL)
		return;
	sessions_free(access->sessions);
	tokens_free(access->tokens);
	services_free(access->services);
	groups_free(access->groups);
	roles_free(access->roles);
	people_free(access->people);
	free(access);
}
