/* Reads init's HELLO: checks the fixed head, then the block of NUL-ended strings in the memfd. */
#include "kernels/base/hello.h"

#include "base/mem.h"
#include "cygnet/init_msg.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

enum { HELLO_WAIT_MS = 10000 };

static int read_block(int fd, char *text, size_t len, struct cyg_err *err)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, text + got, len - got, (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cyg_fail_sys(err, errno, "read the setup environment");
		if (n == 0)
			return cyg_fail(err, CYG_EPROTO, "the setup environment is cut short");
		got += (size_t)n;
	}
	return 0;
}

static int split_block(struct hello_env *env, size_t len, struct cyg_err *err)
{
	size_t n = 0;
	char *p = env->text;

	if (len > 0 && env->text[len - 1] != '\0')
		return cyg_fail(err, CYG_EPROTO, "the setup environment has no end");
	for (size_t i = 0; i < len; i++)
		n += env->text[i] == '\0';
	env->list = cyg_xcalloc(n + 1, sizeof(char *));
	for (size_t i = 0; i < n; i++) {
		if (strchr(p, '=') != NULL && *p != '=')
			env->list[env->n++] = p;
		p += strlen(p) + 1;
	}
	return 0;
}

int hello_read(const void *data, size_t len, int fd, struct hello_env *ret, struct cyg_err *err)
{
	struct hello_env env = { 0 };
	struct init_hello hello;
	int rc;

	memset(ret, 0, sizeof(*ret));
	if (len != sizeof(hello))
		return cyg_fail(err, CYG_EPROTO, "init's first message has a wrong length");
	memcpy(&hello, data, sizeof(hello));
	if (hello.head.magic != INIT_MAGIC || hello.head.version != INIT_VERSION ||
	    hello.head.type != INIT_HELLO)
		return cyg_fail(err, CYG_EPROTO, "init's first message is not HELLO");
	if (hello.env_bytes > CYG_ENV_MAX)
		return cyg_fail(err, CYG_ELIMIT, "the setup environment is too large");
	if (fd < 0 && hello.env_bytes > 0)
		return cyg_fail(err, CYG_EPROTO, "HELLO came without its environment");
	env.restarts = hello.restarts;
	env.text = cyg_xcalloc(1, (size_t)hello.env_bytes + 1);
	rc = read_block(fd, env.text, hello.env_bytes, err);
	if (rc == 0)
		rc = split_block(&env, hello.env_bytes, err);
	if (rc < 0) {
		hello_free(&env);
		return rc;
	}
	*ret = env;
	return 0;
}

int hello_wait(int link_fd, struct hello_env *ret, struct cyg_err *err)
{
	struct init_hello hello;
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { &hello, sizeof(hello) };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	struct pollfd p = { .fd = link_fd, .events = POLLIN };
	cyg_autoclose int fd = -1;
	struct cmsghdr *c;
	ssize_t n;
	int ready;

	do
		ready = poll(&p, 1, HELLO_WAIT_MS);
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		return cyg_fail(err, CYG_ETIMEOUT, "init did not send its first message");
	n = recvmsg(link_fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0)
		return cyg_fail_sys(err, errno, "read init's first message");
	c = CMSG_FIRSTHDR(&msg);
	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return hello_read(&hello, (size_t)n, fd, ret, err);
}

void hello_free(struct hello_env *env)
{
	free(env->text);
	free(env->list);
	memset(env, 0, sizeof(*env));
}

const char *hello_get(const struct hello_env *env, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->list[i], name, len) == 0 && env->list[i][len] == '=')
			return env->list[i] + len + 1;
	return NULL;
}
