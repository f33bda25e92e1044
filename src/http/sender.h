/* Private to src/http: what a server must be able to do for the public http_reply_* and
 * http_stream_* calls (respond.c). There are two: ours (reply.c, stream.c) and libmicrohttpd's
 * (mhd_reply.c). The contracts are those of server.h. */
#ifndef HTTP_SENDER_H
#define HTTP_SENDER_H

#include "http/server.h"

struct http_sender {
	/* The connection's descriptor, or -1 once it has gone. */
	int (*descriptor)(const struct http_req *req);
	/* name and value are checked already. */
	void (*field)(struct http_req *req, const char *name, const char *value);
	void (*reply)(struct http_req *req, int status, const char *type, struct cyg_str body);
	void (*reply_take)(
	    struct http_req *req, int status, const char *type, char *body, size_t len);
	/* NULL: as any other response. */
	void (*reply_fixed)(struct http_req *req, struct http_fixed *fixed);
	void (*reply_file)(
	    struct http_req *req, int status, const char *type, int fd, uint64_t off, uint64_t len);
	struct http_stream *(*reply_stream)(struct http_req *req, int status, const char *type,
	    const struct http_stream_events *events, void *arg);
	int (*reply_websocket)(struct http_req *req, const char *protocol, http_upgraded_fn on_open,
	    void *arg, struct cyg_err *err);
	int (*stream_write)(struct http_stream *st, struct cyg_str data, struct cyg_err *err);
	void (*stream_end)(struct http_stream *st);
	void (*stream_abort)(struct http_stream *st);
};

/* The common part of both servers' streams, their first member. */
struct http_stream {
	const struct http_sender *sender;
};

/* {"status": 404, "message": "…"} */
void http_error_body(struct cyg_buf *out, int status, const char *message);

#endif
