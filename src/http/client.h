/* A small HTTP/1.1 client for our own peers over Unix sockets: one request a connection, whole
 * bodies, a deadline. Identity providers and engines are libcurl's. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "base/buf.h"
#include "http/head.h"

#include <stdint.h>

#include <uv.h>

struct http_call;

struct http_call_spec {
	const char *socket_path; /* Unix socket to connect to; NULL: loopback_port */
	uint16_t loopback_port;  /* TCP port of 127.0.0.1 */
	const char *method, *target, *host;
	const char *content_type;             /* with a body */
	struct cyg_str body;                  /* copied */
	const char *authorization;            /* whole field value, or NULL; cleansed after use */
	const char *field_name, *field_value; /* one more field, or NULL */
	/* The response's head, before its body; valid during the call. May be NULL. */
	void (*on_head)(void *arg, const struct http_head *head);
	uint64_t timeout_ms; /* over all; required */
	size_t body_max;     /* of the response */
};

struct http_result {
	int status;          /* 0 when no response came: see err */
	struct cyg_str body; /* valid during the callback */
	struct cyg_err err;
};

/* The callback comes exactly once, never from inside http_call_start, never after cancel. */
typedef void (*http_call_fn)(void *arg, const struct http_result *result);

struct http_call *http_call_start(
    uv_loop_t *loop, const struct http_call_spec *spec, http_call_fn done, void *arg);
/* Ends it without a callback. NULL is accepted. */
void http_call_cancel(struct http_call *call);

#endif
