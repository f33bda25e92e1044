/* `cygnet-agent --spark-up SOCKET`: one blocking request to the agent, for spark-env.sh. */
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "kernels/spark/spark.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { ANSWER_MAX = 8192 };

static int ask(const char *socket_path, struct cyg_buf *answer, struct cyg_err *err)
{
	static const char request[] = "POST /up HTTP/1.1\r\nHost: agent\r\nContent-Length: 0\r\n"
				      "Connection: close\r\n\r\n";
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	cyg_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0 || !cyg_str_copy(sa.sun_path, sizeof(sa.sun_path), cyg_str_of(socket_path)) ||
	    connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return cyg_fail_sys(err, errno, "the notebook server cannot be asked for Spark");
	rc = cyg_file_write_all(fd, request, sizeof(request) - 1, err);
	while (rc == 0) {
		char *room;
		ssize_t n;

		rc = cyg_buf_reserve(answer, 1024, &room, err);
		if (rc < 0)
			break;
		n = read(fd, room, 1024);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		cyg_buf_commit(answer, (size_t)n);
	}
	return rc;
}

int spark_up_client(const char *socket_path)
{
	cyg_autobuf struct cyg_buf answer;
	struct cyg_err err;
	const char *body;

	cyg_buf_init(&answer, ANSWER_MAX);
	if (ask(socket_path, &answer, &err) < 0) {
		(void)fprintf(stderr, "Spark cannot start: %s\n", err.msg);
		return 1;
	}
	if (strncmp(answer.data, "HTTP/1.1 200 ", 13) == 0)
		return 0;
	body = strstr(answer.data, "\r\n\r\n");
	(void)fprintf(stderr, "Spark cannot start: %s\n",
	    body != NULL && body[4] != '\0' ? body + 4 : "the notebook server gave no response");
	return 1;
}
