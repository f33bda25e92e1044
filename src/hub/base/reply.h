/* Responses of the hub: JSON, error pages, redirects. */
#ifndef HUB_REPLY_H
#define HUB_REPLY_H

#include "cygnet/err.h"
#include "http/server.h"

#include <jansson.h>

/* Sends root (taken). */
void reply_json(struct http_req *req, int status, json_t *root);
/* 503 with a sentence and Retry-After: what was asked for could not be saved. */
void reply_unsaved(struct http_req *req);
/* The same about one field of a form: "cygnet": {"field"} beside them. field may be NULL. */
void reply_field_error(struct http_req *req, int status, const char *message, const char *field);
/* Every error of the hub is sent by this function: the static page of that status for a browser's
 * navigation, {"status", "message"} for everything else. A page does not show the message. */
void reply_error(struct http_req *req, int status, const char *message);
/* The same of an error object: the status is its code's. */
void reply_err(struct http_req *req, const struct cyg_err *err);
/* Retry-After, rounded up to whole seconds; before the sending call. */
void reply_retry_after(struct http_req *req, uint64_t wait_ms);
/* 302 to the sign-in with the present address as next; JSON 403 for everything but navigation. */
void reply_sign_in(struct http_req *req);
/* 302 or another status to a path with a query parameter next. */
void reply_redirect_next(struct http_req *req, int status, const char *path, struct cyg_str next);
/* Whether its address is one of the API's. */
bool request_is_api(const struct http_req *req);
/* A request of the API, of a script, or one that prefers JSON. */
bool request_wants_json(const struct http_req *req);
/* The target as next: local and bounded, else the home page's. In the arena. */
const char *request_next(struct http_req *req, struct cyg_str next);
/* The address of the browser, as the proxy tells. */
struct cyg_str request_client(const struct http_req *req);
/* The fields that every response of the API carries. */
void reply_api_fields(struct http_req *req);

#endif
