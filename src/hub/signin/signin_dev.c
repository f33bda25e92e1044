/* The development sign-in: any name with the one printed password. It does not start where other
 * machines could reach it. */
#include "base/enc.h"
#include "base/file.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "hub/base/secret.h"
#include "hub/signin/signin_priv.h"
#include "hub/signin/signin_try.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { PASSWORD_BYTES = 8 };

struct dev {
	char sum[SECRET_SUM_SIZE]; /* sums are compared in constant time whatever the lengths */
};

bool signin_is_loopback(struct cyg_str url)
{
	size_t scheme = cyg_str_starts(url, "https://")  ? strlen("https://")
			: cyg_str_starts(url, "http://") ? strlen("http://")
							 : 0;
	struct cyg_str address = cyg_str_skip(url, scheme);
	struct cyg_str host;

	if (scheme == 0)
		return false;
	address = cyg_str_sub(address, 0, cyg_str_chr(address, '/'));
	if (cyg_str_starts(address, "[")) {
		size_t end = cyg_str_chr(address, ']');
		host = cyg_str_sub(address, 1, end > 0 ? end - 1 : 0);
		return cyg_str_eq(host, "::1");
	}
	host = cyg_str_sub(address, 0, cyg_str_chr(address, ':'));
	if (cyg_str_eq(host, "localhost"))
		return true;
	/* 127.0.0.0/8 in dotted form, and nothing that only begins like it (127.evil.example). */
	for (size_t i = 0; i < host.len; i++) {
		if ((host.p[i] < '0' || host.p[i] > '9') && host.p[i] != '.')
			return false;
	}
	return cyg_str_starts(host, "127.");
}

static void verify(struct signin_try *t)
{
	const struct dev *dev = t->provider->ctx;
	const char *name = cyg_arena_dup(t->req->arena, t->name);
	const struct person_claim claim = {
		.provider = t->provider->id, .subject = name, .name = name
	};
	char sum[SECRET_SUM_SIZE];

	secret_sum(t->password, sum);
	if (!cyg_str_same_secret(sum, dev->sum, SECRET_SUM_SIZE - 1))
		signin_done_refused(t, "password");
	else
		signin_done(
		    t, &(struct signin_verdict){ .outcome = SIGNIN_PROVED, .claim = &claim });
}

static void close_dev(struct signin_provider *p)
{
	free(p->ctx);
}

static const struct signin_ops dev_ops = { .verify = verify, .close = close_dev };

static int make_password(const char *path, struct cyg_err *err)
{
	char text[2 * PASSWORD_BYTES + 1];
	struct stat st;

	if (lstat(path, &st) == 0)
		return 0;
	cyg_random_hex(text, PASSWORD_BYTES);
	int code = cyg_file_write(AT_FDCWD, path, cyg_str_of(text), 0600, err);
	cyg_cleanse(text, sizeof(text));
	return code;
}

static int read_password(const char *path, struct dev *dev, struct cyg_err *err)
{
	char *text = NULL;

	if (make_password(path, err) < 0 || cyg_file_read_secret(AT_FDCWD, path, &text, err) < 0)
		return cyg_wrap(err, "development sign-in");
	size_t len = strlen(text);
	if (len > 0)
		secret_sum((struct cyg_str){ text, len }, dev->sum);
	cyg_cleanse(text, len);
	free(text);
	if (len == 0)
		return cyg_fail(err, CYG_EINVAL, "%s is empty: write a password into it", path);
	return 0;
}

int signin_dev_add(struct signin *signin, struct cyg_err *err)
{
	const struct signin_opts *opts = &signin->opts;
	cyg_autofree char *path = opts->password_file != NULL
				      ? cyg_xstrdup(opts->password_file)
				      : cyg_xasprintf("%s/development-password", opts->state_dir);

	if (opts->public_url == NULL || !signin_is_loopback(cyg_str_of(opts->public_url)))
		return cyg_fail(err, CYG_EDENIED,
		    "sign-in: development exists on loopback only, and public-url is %s",
		    opts->public_url != NULL ? opts->public_url : "not set");
	struct dev *dev = cyg_xcalloc(1, sizeof(*dev));
	struct signin_provider row = { .signin = signin,
		.id = "development",
		.label = "a name",
		.kind = SIGNIN_PASSWORD,
		.ops = &dev_ops,
		.ctx = dev };
	if (read_password(path, dev, err) < 0 || signin_add(signin, &row, err) < 0) {
		free(dev);
		return -(int)err->code;
	}
	cyg_log_info("sign-in", "development: any name with the password in %s", path);
	return 0;
}
