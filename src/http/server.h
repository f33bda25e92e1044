/* An HTTP/1.1 server on the loop for every program of ours that serves requests: the hub's pages
 * and API, the agent, control sockets. One table of endpoints; bodies are gathered whole up to the
 * endpoint's limit; responses are whole, files, or streams with back-pressure; connections are kept
 * alive, pipelined requests get their responses in order. TCP_NODELAY always. SIGPIPE is ignored.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/arena.h"
#include "http/head.h"

#include <uv.h>

struct http_server;
struct http_req;
struct http_sender;
struct http_stream;

enum { HTTP_PARAMS_MAX = 6 };

/* Responds exactly once, now or later, through http_reply_*. */
typedef void (*http_handler)(struct http_req *req);

struct http_endpoint {
	enum http_method method;
	/* Below the mount's prefix: "/api/kernels/{id}"; "{rest...}" at the end takes all that
	 * follows, also nothing; "" is the prefix itself, without a slash. Literal segments win
	 * over parameters. A row for GET also serves HEAD: its handler sees HTTP_HEAD and may
	 * respond as for GET. */
	const char *path;
	/* The scope: read by the server's authorize; a row without one does not start. */
	const char *scope;
	http_handler handle;
	size_t body_max; /* 0: no body allowed beyond 64 KiB */
};

/* One part's endpoints, where they are, and what they work on. */
struct http_mount {
	/* Decoded, without a closing slash: "" or "/user/alice". Several mounts may have the same
	 * one: their rows are one table then. A request belongs to the longest prefix that it is
	 * below, and to no other. */
	const char *prefix;
	const struct http_endpoint *endpoints; /* ended by a NULL path */
	void *ctx;                             /* http_req.ctx of its requests */
	/* Responds below the prefix where no endpoint matches (405 with Allow comes from the
	 * server). The first mount of a prefix that has one is asked; NULL: a JSON 404. */
	http_handler not_found;
};

struct http_server_opts {
	const struct http_mount *mounts; /* ended by NULL endpoints */
	/* Decides about each request before its handler and body; on refusal it responds itself
	 * (now or later) and returns false. NULL: everything passes. */
	bool (*authorize)(struct http_req *req, const struct http_endpoint *endpoint);
	void *app;           /* http_req.app of every request */
	const char *product; /* Server field, or NULL: none */
};

/* What a handler sees. Borrowed text lives until the response has been given. */
struct http_req {
	const struct http_head *head; /* raw fields: http_head_find(req->head, "accept") */
	enum http_method method;
	struct cyg_str path;     /* decoded, whole (with the mount's prefix) */
	struct cyg_str body;     /* whole */
	struct cyg_arena *arena; /* freed after the response went out */
	void *app;               /* of the server */
	void *ctx;               /* of the mount; NULL outside of all */
	/* The mount's prefix as it stands in URLs, with its closing slash: "/user/alice/". */
	const char *base_url;
	void *user; /* set by authorize: who asks; not freed */
	const struct http_mount *mount;
	const struct http_endpoint *endpoint;
	struct cyg_str params[HTTP_PARAMS_MAX]; /* values of {…} in order, decoded */
	/* Set by a handler that responds later: called at most once if the client goes away first;
	 * after it no http_reply_* may be called for this request, and it is freed. Without it the
	 * handler still has to respond; that response goes nowhere. A client that shuts only its
	 * sending side before it has its response counts as gone. */
	void (*on_abort)(struct http_req *req);
	void *data; /* the handler's own */
	/* For authorize to set: when it saw the request (monotonic), and who is told the status
	 * when the response is given, before it leaves; for figures. */
	uint64_t begun_ns;
	void (*on_response)(const struct http_req *req, int status);
	const struct http_sender *sender_; /* private: the server that holds the connection */
};

/* Endpoints and strings must outlive the server; the list of mounts is copied. */
int http_server_new(uv_loop_t *loop, const struct http_server_opts *opts, struct http_server **ret,
    struct cyg_err *err);
/* Takes a listening descriptor (Unix or TCP; non-blocking) and closes it in the end. While the
 * process has no descriptor left, whoever comes waits in the backlog. On failure (-CYG_ELIMIT: it
 * has too many) fd is still the caller's. */
int http_server_listen(struct http_server *s, int fd, struct cyg_err *err);
/* Stops accepting, closes every connection, frees; streams get on_close. Done when the loop is. */
void http_server_close(struct http_server *s);
/* Number of open connections. */
size_t http_server_connections(const struct http_server *s);

/* ---- responding: fields first, then exactly one of the sending calls ---- */
/* Adds a field to the response. Bad names or values, and the fields of framing and of the
 * connection, end the process (our mistake): values from outside must be checked by the caller with
 * http_value_is_ok. */
void http_reply_field(struct http_req *req, const char *name, const char *value);
bool http_value_is_ok(struct cyg_str value);
/* The whole response; the body is copied. Content-Length is set; HEAD, 204 and 304 send none. */
void http_reply(struct http_req *req, int status, const char *type, struct cyg_str body);
/* The same, taking over heap memory instead of copying. */
void http_reply_take(struct http_req *req, int status, const char *type, char *body, size_t len);
/* A response that is the same for all who ask. It and all that it points to live until
 * http_fixed_end, and that is called when no server sends it any more. */
struct http_fixed {
	int status;
	const char *type;
	char *body; /* never changed */
	size_t len;
	const struct http_fixed_field {
		const char *name, *value; /* as http_reply_field has them */
	} * fields;                       /* ended by a NULL name */
	void *made_;                      /* the server's own form of it, or NULL */
	void (*unmake_)(void *made);
};
/* Sends it, without copying the body where the server can do so. No other field may be added. */
void http_reply_fixed(struct http_req *req, struct http_fixed *fixed);
/* Lets go of what servers made of it. */
void http_fixed_end(struct http_fixed *fixed);
/* {"status": 404, "message": "…"} as JupyterHub does; message is escaped here. */
void http_reply_error(struct http_req *req, int status, const char *message);
/* The status that belongs to a code. */
int http_status_of(enum cyg_code code);
/* error object → status (its code) and message. */
void http_reply_err(struct http_req *req, const struct cyg_err *err);
void http_reply_redirect(struct http_req *req, int status, const char *location);
/* len bytes of an open file from off; takes fd. Read in bounded steps by the loop's thread pool: a
 * disk that hangs holds up this response alone. */
void http_reply_file(
    struct http_req *req, int status, const char *type, int fd, uint64_t off, uint64_t len);

/* ---- streams (server-sent events, long listings): chunked ---- */
struct http_stream_events {
	void (*on_drain)(
	    struct http_stream *st, void *arg); /* all written so far has left; may be NULL */
	void (*on_close)(
	    struct http_stream *st, void *arg); /* client gone or stream ended; last call */
};
/* NULL when the client has gone already, which only a handler without on_abort can meet. */
struct http_stream *http_reply_stream(struct http_req *req, int status, const char *type,
    const struct http_stream_events *events, void *arg);
/* Queues a copy; -CYG_ELIMIT when more than 1 MiB would wait (the client does not read). */
int http_stream_write(struct http_stream *st, struct cyg_str data, struct cyg_err *err);
/* The closing chunk; on_close follows. */
void http_stream_end(struct http_stream *st);
/* Cuts the connection without the closing chunk: the peer sees that the response is not whole. */
void http_stream_abort(struct http_stream *st);

/* ---- WebSocket: responds 101 (with Sec-WebSocket-Protocol when protocol is not NULL) and gives
 * the connection away. The callee owns fd (non-blocking); early holds bytes the client sent already
 * and is valid only during the call. Once 0 was returned on_open comes exactly once, from the loop
 * (or from http_server_close). On failure the caller still has to respond (http_reply_err). ---- */
typedef void (*http_upgraded_fn)(void *arg, int fd, struct cyg_str early);
int http_reply_websocket(struct http_req *req, const char *protocol, http_upgraded_fn on_open,
    void *arg, struct cyg_err *err);

#endif
