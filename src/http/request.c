/* A request's life: head, endpoint, authorization, body, handler, end. Read downwards. */
#include "http/server_priv.h"

#include "http/url.h"

#include <string.h>

struct request *request_of(struct http_req *req)
{
	return CYG_CONTAINER_OF(req, struct request, req);
}

static struct request *request_new(struct http_conn *c, size_t head_len)
{
	const struct http_head *head = &c->server->head;
	struct request *r = malloc(sizeof(*r));
	char *text;

	if (r == NULL)
		abort();
	memset(r, 0, offsetof(struct request, head));
	memcpy(&r->head, head,
	    offsetof(struct http_head, fields) + head->n_fields * sizeof(head->fields[0]));
	text = cyg_arena_dup(&r->arena, cyg_str_sub(cyg_buf_str(&c->in), 0, head_len));
	http_head_move(&r->head, c->in.data, text);
	http_body_init(&r->decoder, &r->head);
	cyg_buf_init(&r->body, HTTP_BODY_DEFAULT_MAX);
	cyg_buf_init(&r->fields, HTTP_FIELDS_OUT_MAX);
	r->conn = c;
	r->mounts = mounts_ref(c->server->mounts);
	r->req = (struct http_req){
		.head = &r->head,
		.method = r->head.method,
		.body = CYG_STR(""),
		.arena = &r->arena,
		.app = c->server->opts.app,
		.sender_ = &conn_sender,
	};
	return r;
}

void request_free(struct request *r)
{
	if (r == NULL)
		return;
	mounts_unref(r->mounts);
	cyg_buf_free(&r->body);
	cyg_buf_free(&r->fields);
	cyg_arena_free(&r->arena);
	free(r);
}

bool request_abort(struct request *r)
{
	r->conn = NULL;
	if (r->answered || !r->seen)
		return true;
	/* Without on_abort the handler will still respond, and its response frees the request. */
	if (r->req.on_abort == NULL)
		return false;
	r->req.on_abort(&r->req);
	return true;
}

void request_refuse(struct http_conn *c, int status, const char *message)
{
	reply_write_refusal(c, status, message);
	if (c->req != NULL)
		c->req->answered = true;
	c->keep_alive = false;
	conn_move(c, CONN_REPLY);
}

void request_end(struct http_conn *c)
{
	request_free(CYG_TAKE(c->req));
	if (c->keep_alive)
		conn_move(c, CONN_HEAD);
}

static void run_handler(struct http_conn *c)
{
	struct request *r = c->req;

	conn_move(c, CONN_HANDLER);
	r->req.body = cyg_buf_str(&r->body);
	r->seen = true;
	r->req.endpoint->handle(&r->req);
}

bool request_read_body(struct http_conn *c)
{
	struct request *r = c->req;
	struct cyg_str payload;
	struct cyg_err err;
	size_t used;

	while (!r->decoder.done && c->in.len > 0) {
		if (http_body_step(&r->decoder, c->in.data, c->in.len, &used, &payload, &err) < 0) {
			request_refuse(c, 400, err.msg);
			return true;
		}
		if (cyg_buf_add(&r->body, payload.p, payload.len, &err) < 0) {
			request_refuse(c, 413, "the body is too large");
			return true;
		}
		cyg_buf_consume(&c->in, used);
	}
	if (!r->decoder.done)
		return false;
	run_handler(c);
	return true;
}

/* The request is authorized: reads its body. */
static void begin_body(struct http_conn *c)
{
	struct request *r = c->req;
	size_t max = r->req.endpoint->body_max;

	r->body.max = max > 0 ? max : HTTP_BODY_DEFAULT_MAX;
	if (r->head.framing == HTTP_BODY_LENGTH && r->head.content_length > r->body.max) {
		request_refuse(c, 413, "the body is too large");
		return;
	}
	if (r->decoder.done) {
		run_handler(c);
		return;
	}
	if (r->head.expect_continue && c->in.len == 0)
		(void)cyg_buf_add_str(&c->out.buf, "HTTP/1.1 100 Continue\r\n\r\n", NULL);
	r->seen = false;
	conn_move(c, CONN_BODY);
}

static void route(struct http_conn *c)
{
	struct request *r = c->req;
	struct cyg_err err;

	if (!cyg_str_eq(r->head.target, "*") &&
	    url_path_decode(&r->arena, r->head.path, &r->req.path, &err) < 0) {
		request_refuse(c, 400, err.msg);
		return;
	}
	r->seen = true;
	if (http_route(c->server->mounts, c->server->opts.authorize, &r->req) &&
	    c->state == CONN_HANDLER)
		begin_body(c);
}

bool request_begin(struct http_conn *c)
{
	struct http_head *head = &c->server->head;
	struct cyg_err err = { .msg = "" };
	int status = 400;
	long used;

	if (!c->fresh)
		return false;
	c->fresh = false;
	used = http_head_parse_request(c->in.data, c->in.len, head, &status, &err);
	if (used == 0)
		return false;
	if (used < 0) {
		request_refuse(c, status, err.msg);
		return true;
	}
	c->req = request_new(c, (size_t)used);
	cyg_buf_consume(&c->in, (size_t)used);
	conn_move(c, CONN_HANDLER);
	route(c);
	return true;
}
