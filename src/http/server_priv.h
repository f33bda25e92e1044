/* Private to src/http: what the server's files share. A connection is a small state machine: every
 * call from outside only adds to what is to be written and asks for a run (conn_kick); conn_run
 * does all the work on the loop, so that no callback comes from inside the call that causes it. */
#ifndef HTTP_SERVER_PRIV_H
#define HTTP_SERVER_PRIV_H

#include "base/clock.h"
#include "base/list.h"
#include "http/body.h"
#include "http/route.h"
#include "http/sender.h"

enum {
	HTTP_IN_MAX = 32 * 1024, /* bytes read ahead while a request is being served */
	HTTP_BODY_DEFAULT_MAX = 64 * 1024,
	HTTP_STREAM_MAX = 1024 * 1024,    /* waiting bytes of a stream */
	HTTP_COPY_MAX = 16 * 1024,        /* bodies up to this go out in one write with the head */
	HTTP_FIELDS_OUT_MAX = 256 * 1024, /* fields of one response: more is a handler's mistake */
};

enum conn_state {
	CONN_HEAD,    /* waits for a head, or for the rest of one */
	CONN_BODY,    /* reads the request's body */
	CONN_HANDLER, /* a handler has the request and has not responded */
	CONN_REPLY,   /* a whole response is being written */
	CONN_STREAM,  /* a stream is open */
	CONN_UPGRADE, /* 101 is written: to be given away in the next run */
	CONN_LINGER, /* all written, our side shut: reads and forgets until the peer closes, because
		      * close() with unread bytes would destroy a response on its way */
	CONN_CLOSED, /* waits for libuv to let go */
};

struct http_timeouts {
	uint64_t head_ms;   /* for a whole head, from the first byte or the accept */
	uint64_t idle_ms;   /* between requests */
	uint64_t body_ms;   /* ahead of a body's minimum rate */
	uint64_t body_rate; /* bytes a second that extend it */
	uint64_t write_ms;  /* without a byte accepted by the peer */
	uint64_t linger_ms; /* for the peer to close, from its last byte */
	uint64_t linger_max_ms;
	uint64_t tick_ms; /* how often the janitor looks */
};

struct request {
	struct http_req req;
	struct mounts *mounts;
	struct http_conn *conn; /* NULL when the client has gone and the handler was not told */
	struct cyg_arena arena;
	struct http_body decoder;
	struct cyg_buf body;
	struct cyg_buf fields; /* of the response */
	bool seen;             /* a handler has it and will respond */
	bool answered;
	struct http_head head; /* last: large, and not cleared */
};

struct conn_stream {
	struct http_stream base;
	struct http_conn *conn;
	struct http_stream_events events;
	void *arg;
	bool chunked; /* false towards HTTP/1.0: until the connection ends */
	bool mute;    /* HEAD */
	bool wrote;   /* on_drain is due when all is out */
	bool ended, aborted;
};

struct file_read;

/* What is to be written, in this order. */
struct conn_out {
	struct cyg_buf buf;
	char *body; /* heap */
	size_t body_len, body_off;
	int file; /* -1: none */
	uint64_t file_off, file_left;
	struct file_read *reading; /* a piece of the file is being read; it owns file then */
};

struct http_conn {
	struct cyg_link link;   /* server->conns */
	struct cyg_link kicked; /* server->kicked */
	struct http_server *server;
	uv_poll_t poll;
	int fd;
	int events; /* what poll waits for */
	enum conn_state state;
	bool running;         /* inside conn_run */
	bool keep_alive;      /* after the present response */
	bool eof;             /* the peer will send no more */
	bool fresh;           /* something arrived that may complete a head */
	bool begun;           /* the first byte of a head has come */
	uint64_t deadline_ms; /* on the loop's clock; 0: none */
	uint64_t linger_until_ms;
	struct cyg_buf in;
	struct conn_out out;
	struct request *req;
	struct conn_stream *stream;
	http_upgraded_fn on_open;
	void *on_open_arg;
};

struct cyg_listener;

enum { HTTP_LISTENERS_MAX = 8 }; /* of one server: a few kinds of sockets */

struct http_server {
	uv_loop_t *loop;
	struct http_server_opts opts;
	struct http_timeouts timeouts;
	struct mounts *mounts;
	struct cyg_list conns, kicked;
	struct cyg_listener *listeners[HTTP_LISTENERS_MAX];
	size_t n_listeners;
	uv_timer_t janitor;
	uv_idle_t idle; /* active while kicked is not empty */
	unsigned handles;
	bool closing;
	time_t date_s;
	char date[CYG_ISO8601_SIZE];
	struct http_head head; /* for parsing: heads are large and rarely complete at once */
};

/* ---- conn.c ---- */
int conn_open(struct http_server *s, int fd, struct cyg_err *err);
/* The one function that changes the state; it sets the state's deadline too. */
void conn_move(struct http_conn *c, enum conn_state to);
/* Runs the connection soon, from the loop. */
void conn_kick(struct http_conn *c);
void conn_run(struct http_conn *c);
/* Closes at once; the handler or the stream of the request is told. */
void conn_drop(struct http_conn *c);
/* Called by the janitor: closes the connection when its deadline is over. */
void conn_check_deadline(struct http_conn *c, uint64_t now_ms);
/* ---- out.c ---- */
bool conn_out_pending(const struct http_conn *c);
/* Whether it waits for the peer, and not for a file. */
bool conn_out_has_memory(const struct http_conn *c);
/* Writes what the socket takes: 1 when all is out, 0 when the peer must read first or a file is
 * being read (conn_run follows), -1 when the connection is broken. */
int conn_out_flush(struct http_conn *c);
void conn_out_free(struct http_conn *c);
/* ---- request.c ---- */
/* Takes a head off the input and routes it; false when there is none yet. */
bool request_begin(struct http_conn *c);
/* Takes body bytes off the input; false when more must come. */
bool request_read_body(struct http_conn *c);
/* The response is out: frees the request and goes on with the connection. */
void request_end(struct http_conn *c);
/* The client has gone: tells the handler. False when the request must live on until a handler
 * without on_abort has responded. */
bool request_abort(struct request *r);
void request_free(struct request *r);
/* Responds with an error where no handler is called, and closes afterwards. */
void request_refuse(struct http_conn *c, int status, const char *message);
struct request *request_of(struct http_req *req);
/* ---- reply.c ---- */
enum { REPLY_NO_LENGTH = -1, REPLY_CHUNKED = -2 };
/* Writes the head of the response; length in bytes or one of the above. Decides keep-alive. */
void reply_write_head(struct request *r, int status, const char *type, int64_t length);
/* The same without a request. */
void reply_write_refusal(struct http_conn *c, int status, const char *message);
extern const struct http_sender conn_sender;
/* ---- stream.c: for conn_sender ---- */
struct http_stream *conn_reply_stream(struct http_req *req, int status, const char *type,
    const struct http_stream_events *events, void *arg);
int conn_stream_write(struct http_stream *stream, struct cyg_str data, struct cyg_err *err);
void conn_stream_end(struct http_stream *stream);
void conn_stream_abort(struct http_stream *stream);
int conn_reply_websocket(struct http_req *req, const char *protocol, http_upgraded_fn on_open,
    void *arg, struct cyg_err *err);
/* ---- server.c ---- */
void server_unref(struct http_server *s);
/* Starts the turn of the kicked connections, and the janitor; both stop by themselves. */
void server_start_idle(struct http_server *s);
void server_start_janitor(struct http_server *s);
const char *server_date(struct http_server *s);

#endif
