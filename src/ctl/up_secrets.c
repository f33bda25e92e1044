/* The two secrets that `cygnetctl up` makes: the development password and its own token for the
 * hub; and the ready file, which tells scripts the first. */
#include "base/enc.h"
#include "base/file.h"
#include "base/mem.h"
#include "ctl/up.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>

/* Writes a secret that only the hub's uid (root: given to it) can read. */
static int write_secret(const char *path, const char *text, struct cyg_err *err)
{
	int rc = cyg_file_write(AT_FDCWD, path, cyg_str_of(text), 0600, err);

	if (rc < 0)
		return rc;
	if (geteuid() == 0 && lchown(path, UP_UID_HUB, UP_GID_SHARED) < 0)
		return cyg_fail_sys(err, errno, "give '%s' to the hub", path);
	return 0;
}

int up_password(const struct up_options *o, char **password, char **path, struct cyg_err *err)
{
	cyg_autofree char *file = cyg_xasprintf("%s/hub/password", o->state_dir);
	char text[25];
	int rc = cyg_file_read_secret(AT_FDCWD, file, password, err);

	if (rc == -(int)CYG_ENOENT) {
		cyg_random_hex(text, (sizeof(text) - 1) / 2);
		text[12] = '\0'; /* 48 bits behind a rate limit; users type it */
		rc = write_secret(file, text, err);
		if (rc == 0)
			*password = cyg_xstrdup(text);
		cyg_cleanse(text, sizeof(text));
	}
	if (rc == 0)
		*path = CYG_TAKE(file);
	return rc;
}

int up_admin_token(const struct up_options *o, char **token, char **path, struct cyg_err *err)
{
	cyg_autofree char *file = cyg_xasprintf("%s/hub/admin.token", o->run_dir);
	char text[65];
	int rc;

	cyg_random_hex(text, 32);
	rc = write_secret(file, text, err);
	if (rc == 0) {
		*token = cyg_xstrdup(text);
		*path = CYG_TAKE(file);
	}
	cyg_cleanse(text, sizeof(text));
	return rc;
}

int up_write_ready(
    const struct up_options *o, const char *url, const char *password, struct cyg_err *err)
{
	json_t *root = json_pack("{s:s, s:s, s:s, s:i}", "url", url, "user", "alice", "password",
	    password, "pid", (int)getpid());
	char *text = json_dumps(root, JSON_COMPACT);

	json_decref(root);
	if (text == NULL)
		return cyg_fail(err, CYG_EINVAL, "public-url is not UTF-8");
	int rc = cyg_file_write(AT_FDCWD, o->ready_file, cyg_str_of(text), 0600, err);
	cyg_cleanse(text, strlen(text));
	free(text);
	return rc;
}
