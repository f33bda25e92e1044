/* For unit tests of the HTTP server: a loop, a server and clients in one process. Sockets between
 * them deliver at once, so that "quiet" is a fact and not a time. */
#ifndef TESTS_HTTP_RIG_H
#define TESTS_HTTP_RIG_H

#include "base/buf.h"
#include "http/server_priv.h"

struct rig {
	uv_loop_t loop;
	struct http_server *server;
	unsigned handled;        /* requests that reached rig_handle */
	struct cyg_buf log;      /* "METHOD PATH BODYLEN\n" of each */
	struct cyg_buf response; /* of rig_ask */
	void *own;               /* the test's */
};

/* opts->app becomes the rig. NULL: rig_handle at / for GET, POST and PUT. */
void rig_start(struct rig *rig, const struct http_server_opts *opts);
/* Closes the server, and fails the test when something of it stays on the loop. */
void rig_stop(struct rig *rig);
/* Counts, logs and responds with 200 and the request's body, or "ok". */
void rig_handle(struct http_req *req);
/* A connected client socket, non-blocking. */
int rig_connect(struct rig *rig);
/* Lets the loop do all it can. */
void rig_turn(struct rig *rig);
/* Sends all of it, in pieces of at most step bytes with a turn after each. The server may have
 * stopped to listen. */
void rig_send(struct rig *rig, int fd, struct cyg_str data, size_t step);
/* Appends what arrives until all is quiet; true when the server has shut its side. */
bool rig_receive(struct rig *rig, int fd, struct cyg_buf *out);
/* The statuses of the final responses in a byte stream, at most max; fails the test when that is
 * malformed. methods of the requests: all GET. */
size_t rig_statuses(struct cyg_str stream, int *statuses, size_t max);
/* One request on a connection of its own, whole; the response as text in out. */
bool rig_exchange(struct rig *rig, struct cyg_str request, struct cyg_buf *out);
/* The same for a test that looks at one response after the other: the text is the rig's until the
 * next call. */
const char *rig_ask(struct rig *rig, const char *request);

#endif
