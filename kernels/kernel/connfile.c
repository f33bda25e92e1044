/* Chooses the addresses of kernels, and writes and reads connection files. ipc needs no port and is
 * protected by the folder's mode. TCP ports are found by binding to 0 and closing again; if another
 * process takes one meanwhile, the kernel's start fails. */
#include "kernels/kernel/connfile.h"

#include "base/enc.h"
#include "base/file.h"
#include "base/mem.h"
#include "kernels/base/jsonw.h"
#include "kernels/base/tape.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { FILE_MAX = 64 * 1024, PREFIX_BYTES = 6 };

static const char *const port_keys[CONNFILE_SOCKETS] = { "shell_port", "iopub_port", "stdin_port",
	"control_port", "hb_port" };

/* Chooses a random name in folder. The kernel's id would be too long for the path, and a part of it
 * is not unique: clients choose ids, and some kinds of UUID begin alike. */
static bool choose_ipc(struct connfile *c, const char *folder)
{
	char prefix[2 * PREFIX_BYTES + 1];
	int n;

	cyg_random_hex(prefix, PREFIX_BYTES);
	n = snprintf(c->ip, sizeof(c->ip), "%s/%s", folder, prefix);
	/* "-1" to "-5" and the NUL follow the prefix. */
	if (n < 0 || (size_t)n + 3 > sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return false;
	c->ipc = true;
	for (int i = 0; i < CONNFILE_SOCKETS; i++)
		c->port[i] = i + 1;
	return true;
}

static int choose_tcp(struct connfile *c, struct cyg_err *err)
{
	int fds[CONNFILE_SOCKETS];
	int n = 0, e = 0;

	c->ipc = false;
	(void)strncpy(c->ip, "127.0.0.1", sizeof(c->ip));
	/* All are held at once, so that no two get the same port. */
	for (; n < CONNFILE_SOCKETS && e == 0; n++) {
		struct sockaddr_in a = { .sin_family = AF_INET };
		socklen_t len = sizeof(a);

		a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		fds[n] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fds[n] < 0 || bind(fds[n], (struct sockaddr *)&a, len) < 0 ||
		    getsockname(fds[n], (struct sockaddr *)&a, &len) < 0)
			e = errno;
		c->port[n] = ntohs(a.sin_port);
	}
	for (int i = 0; i < n; i++)
		cyg_close(fds[i]);
	return e == 0 ? 0 : cyg_fail_sys(err, e, "find free ports for a kernel");
}

int connfile_choose(
    struct connfile *c, const char *folder, bool ipc, const char *kernel_name, struct cyg_err *err)
{
	memset(c, 0, sizeof(*c));
	cyg_random_hex(c->key, CONNFILE_KEY_LEN / 2);
	(void)cyg_str_copy(c->kernel_name, sizeof(c->kernel_name), cyg_str_of(kernel_name));
	if (ipc && choose_ipc(c, folder))
		return 0;
	return choose_tcp(c, err);
}

int connfile_write(const struct connfile *c, const char *path, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf b;
	cyg_autoclose int fd = -1;
	struct jsonw w;
	int rc;

	cyg_buf_init(&b, FILE_MAX);
	jsonw_init(&w, &b);
	jsonw_object(&w);
	for (int i = 0; i < CONNFILE_SOCKETS; i++)
		jsonw_key_int(&w, port_keys[i], c->port[i]);
	jsonw_key_cstr(&w, "ip", c->ip);
	jsonw_key_cstr(&w, "key", c->key);
	jsonw_key_cstr(&w, "transport", c->ipc ? "ipc" : "tcp");
	jsonw_key_cstr(&w, "signature_scheme", "hmac-sha256");
	jsonw_key_cstr(&w, "kernel_name", c->kernel_name);
	jsonw_object_end(&w);
	rc = jsonw_finish(&w, err);
	if (rc < 0)
		return rc;
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return cyg_fail_sys(err, errno, "write connection file '%s'", path);
	rc = cyg_file_write_all(fd, b.data, b.len, err);
	cyg_cleanse(b.data, b.len);
	return rc;
}

static int read_members(const struct tape *t, struct connfile *c, struct cyg_err *err)
{
	tape_node root = tape_root(t);
	cyg_autofree char *ip = tape_get_str(t, root, "ip");
	cyg_autofree char *key = tape_get_str(t, root, "key");
	cyg_autofree char *transport = tape_get_str(t, root, "transport");
	cyg_autofree char *name = tape_get_str(t, root, "kernel_name");

	if (ip == NULL || key == NULL || !cyg_str_copy(c->ip, sizeof(c->ip), cyg_str_of(ip)) ||
	    !cyg_str_copy(c->key, sizeof(c->key), cyg_str_of(key)))
		return cyg_fail(err, CYG_EINVAL, "a connection file lacks its address or key");
	c->ipc = transport != NULL && strcmp(transport, "ipc") == 0;
	if (name != NULL)
		(void)cyg_str_copy(c->kernel_name, sizeof(c->kernel_name), cyg_str_of(name));
	for (int i = 0; i < CONNFILE_SOCKETS; i++) {
		int64_t port = 0;
		int rc = tape_int(t, tape_find(t, root, port_keys[i]), &port, err);

		if (rc < 0 || port < 1 || port > UINT16_MAX)
			return cyg_fail(err, CYG_EINVAL, "a connection file lacks a port");
		c->port[i] = (int)port;
	}
	return 0;
}

int connfile_read(const char *path, struct connfile *ret, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf b;
	struct tape *t = NULL;
	int rc;

	memset(ret, 0, sizeof(*ret));
	cyg_buf_init(&b, FILE_MAX);
	rc = cyg_file_read(AT_FDCWD, path, false, &b, err);
	if (rc == 0)
		rc = tape_parse(cyg_buf_str(&b), &t, NULL, err);
	if (rc == 0)
		rc = read_members(t, ret, err);
	tape_free(t);
	if (b.len > 0)
		cyg_cleanse(b.data, b.len);
	return rc;
}

void connfile_endpoint(
    const struct connfile *c, enum connfile_socket which, char out[CONNFILE_ENDPOINT_MAX])
{
	if (c->ipc)
		(void)snprintf(
		    out, CONNFILE_ENDPOINT_MAX, "ipc://%.120s-%d", c->ip, c->port[which]);
	else
		(void)snprintf(
		    out, CONNFILE_ENDPOINT_MAX, "tcp://%.120s:%d", c->ip, c->port[which]);
}

void connfile_remove(const struct connfile *c, const char *path)
{
	(void)unlink(path);
	for (int i = 0; c->ipc && i < CONNFILE_SOCKETS; i++) {
		char socket_path[CONNFILE_ENDPOINT_MAX];

		(void)snprintf(socket_path, sizeof(socket_path), "%.120s-%d", c->ip, c->port[i]);
		(void)unlink(socket_path);
	}
}
