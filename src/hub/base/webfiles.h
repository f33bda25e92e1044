/* The portal's static files, held in memory: pages, styles, scripts. */
#ifndef HUB_BASE_WEBFILES_H
#define HUB_BASE_WEBFILES_H

#include "http/server.h"

struct webfiles;

/* Reads web-dir and web-dir/static whole. */
int webfiles_load(const char *web_dir, struct webfiles **ret, struct cyg_err *err);
/* NULL is accepted. */
void webfiles_free(struct webfiles *files);
/* Sends a file ("home.html", "static/base.css") of those that the request's app has; false (nothing
 * sent) when there is none of that name. */
bool webfiles_send(struct http_req *req, int status, const char *name);
/* The same of error-STATUS.html. */
bool webfiles_send_error(struct http_req *req, int status);

#endif
