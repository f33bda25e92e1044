/* The addresses that show the portal's static files. */
#ifndef HUB_PAGES_H
#define HUB_PAGES_H

#include "http/server.h"

void page_home(struct http_req *req);
void page_login(struct http_req *req);
void page_starting(struct http_req *req);
void page_spark(struct http_req *req);
void page_error(struct http_req *req);
void page_static(struct http_req *req);
void page_root(struct http_req *req);
/* JupyterLab's "Log Out" leads here: a page that asks, because a GET signs nobody out. */
void page_logout(struct http_req *req);
/* JupyterLab's links for sharing: the same address on the reader's own server. */
void page_user_redirect(struct http_req *req);
/* Whatever no endpoint matches: addresses of servers that do not run, unknown ones. */
void page_not_found(struct http_req *req);

#endif
