/* Responses behind libmicrohttpd: each is made whole, with its fields, and waits in its request
 * until mhd.c gives it to MHD. A stream's bytes are mhd_stream.c's. Before it: mhd.c, which calls
 * the handlers. */
#include "base/mem.h"
#include "http/mhd_priv.h"

#include <assert.h>
#include <microhttpd.h>
#include <string.h>

static struct mhd_request *request_of(struct http_req *req)
{
	return CYG_CONTAINER_OF(req, struct mhd_request, req);
}

void mhd_reply_drop(struct mhd_request *r)
{
	struct MHD_Response *response = CYG_TAKE(r->response);

	if (response != NULL && !r->borrowed)
		MHD_destroy_response(response);
}

/* False when the response cannot be sent: a request whose client left unnoticed ends here. */
static bool is_wanted(struct mhd_request *r)
{
	assert(!r->answered);
	r->answered = true;
	if (r->conn != NULL)
		return true;
	mhd_request_free(r);
	return false;
}

static void add_field(struct MHD_Response *response, const char *name, const char *value)
{
	if (MHD_add_response_header(response, name, value) != MHD_YES)
		abort();
}

/* One with the fields that every response has. */
static struct MHD_Response *common(
    const struct mhd_request *r, const char *type, struct MHD_Response *response)
{
	if (response == NULL)
		abort();
	if (type != NULL)
		add_field(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (r->opts->product != NULL)
		add_field(response, MHD_HTTP_HEADER_SERVER, r->opts->product);
	return response;
}

static void respond(struct mhd_request *r, int status, struct MHD_Response *response)
{
	r->status = status;
	r->response = response;
	mhd_request_resume(r);
}

static void set_response(
    struct mhd_request *r, int status, const char *type, struct MHD_Response *response)
{
	struct cyg_str rest = cyg_buf_str(&r->fields);

	(void)common(r, type, response);
	while (rest.len > 0) {
		const char *name = rest.p;
		const char *value = name + strlen(name) + 1;
		add_field(response, name, value);
		rest = cyg_str_skip(rest, (size_t)(value - name) + strlen(value) + 1);
	}
	respond(r, status, response);
}

static int mhd_descriptor(const struct http_req *req)
{
	return mhd_request_descriptor((const struct mhd_request *)req); /* its first member */
}

static void mhd_field(struct http_req *req, const char *name, const char *value)
{
	struct cyg_buf *fields = &request_of(req)->fields;

	if (cyg_buf_add(fields, name, strlen(name) + 1, NULL) < 0 ||
	    cyg_buf_add(fields, value, strlen(value) + 1, NULL) < 0)
		abort();
}

static void mhd_reply_take(
    struct http_req *req, int status, const char *type, char *body, size_t len)
{
	struct mhd_request *r = request_of(req);

	if (!is_wanted(r)) {
		free(body);
		return;
	}
	set_response(
	    r, status, type, MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE));
}

static void mhd_reply(struct http_req *req, int status, const char *type, struct cyg_str body)
{
	mhd_reply_take(req, status, type, cyg_str_dup(body), body.len);
}

static void unmake(void *made)
{
	MHD_destroy_response(made);
}

static struct MHD_Response *make_fixed(const struct mhd_request *r, const struct http_fixed *fixed)
{
	struct MHD_Response *made = common(r, fixed->type,
	    MHD_create_response_from_buffer(fixed->len, fixed->body, MHD_RESPMEM_PERSISTENT));

	for (const struct http_fixed_field *f = fixed->fields; f->name != NULL; f++)
		add_field(made, f->name, f->value);
	return made;
}

/* MHD counts who sends a response: one of them serves all connections. */
static void mhd_reply_fixed(struct http_req *req, struct http_fixed *fixed)
{
	struct mhd_request *r = request_of(req);

	if (!is_wanted(r))
		return;
	assert(r->fields.len == 0);
	if (fixed->made_ == NULL) {
		fixed->made_ = make_fixed(r, fixed);
		fixed->unmake_ = unmake;
	}
	r->borrowed = true;
	respond(r, fixed->status, fixed->made_);
}

static void mhd_reply_file(
    struct http_req *req, int status, const char *type, int fd, uint64_t off, uint64_t len)
{
	struct mhd_request *r = request_of(req);

	if (!is_wanted(r)) {
		cyg_close(fd);
		return;
	}
	set_response(
	    r, status, type, MHD_create_response_from_fd_at_offset64((uint64_t)len, fd, off));
}

static int mhd_reply_websocket(struct http_req *req, const char *protocol, http_upgraded_fn on_open,
    void *arg, struct cyg_err *err)
{
	(void)req;
	(void)protocol;
	(void)on_open;
	(void)arg;
	return cyg_fail(err, CYG_EPROTO, "there are no WebSockets here");
}

/* ---- streams: mhd_stream.c keeps their bytes ---- */

static ssize_t on_read(void *cls, uint64_t pos, char *out, size_t max)
{
	struct mhd_stream *st = cls;
	size_t n = 0;

	(void)pos;
	switch (mhd_stream_read(st, out, max, &n)) {
	case MHD_STREAM_BYTES:
		return (ssize_t)n;
	case MHD_STREAM_WAIT:
		mhd_request_suspend(mhd_stream_request(st));
		return 0;
	case MHD_STREAM_END:
		return MHD_CONTENT_READER_END_OF_STREAM;
	case MHD_STREAM_CUT:
		break;
	}
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* MHD frees the response: the stream's end, whatever it was. */
static void on_stream_freed(void *cls)
{
	struct mhd_stream *st = cls;
	struct mhd_request *r = mhd_stream_request(st);

	if (r != NULL)
		r->stream = NULL;
	mhd_stream_free(st);
}

static void wake(void *request)
{
	mhd_request_resume(request);
}

static struct http_stream *mhd_reply_stream(struct http_req *req, int status, const char *type,
    const struct http_stream_events *events, void *arg)
{
	enum { PIECE = 16 * 1024 };
	struct mhd_request *r = request_of(req);

	if (!is_wanted(r))
		return NULL;
	r->stream = mhd_stream_new(req, wake, r, events, arg);
	set_response(r, status, type,
	    MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, PIECE, on_read, r->stream, on_stream_freed));
	return mhd_stream_public(r->stream);
}

const struct http_sender mhd_sender = {
	.descriptor = mhd_descriptor,
	.field = mhd_field,
	.reply = mhd_reply,
	.reply_take = mhd_reply_take,
	.reply_fixed = mhd_reply_fixed,
	.reply_file = mhd_reply_file,
	.reply_stream = mhd_reply_stream,
	.reply_websocket = mhd_reply_websocket,
	.stream_write = mhd_stream_write,
	.stream_end = mhd_stream_end,
	.stream_abort = mhd_stream_abort,
};
