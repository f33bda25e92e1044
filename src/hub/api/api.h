/* The hub's endpoints: one table, and the handlers by file. */
#ifndef HUB_API_H
#define HUB_API_H

#include "http/server.h"
#include "hub/access/people.h"
#include "hub/access/principal.h"
#include "hub/hub.h"

struct srv;

/* The tables (api.c), ended by a NULL path: what is mounted at CYG_HUB_PATH, and at the path above
 * it. docs/api/openapi.yaml describes them. */
extern const struct http_endpoint hub_endpoints[];
extern const struct http_endpoint root_endpoints[];

/* JupyterHub's models; new objects. */
json_t *api_time(int64_t us); /* 0: null */
json_t *api_server(const struct srv *srv);
/* What the principal may see of the user. */
json_t *api_person(
    const struct hub *hub, const struct person *person, const struct principal *principal);

/* api_user.c */
void api_get_self(struct http_req *req);
void api_get_user(struct http_req *req);
void api_get_version(struct http_req *req);
void api_get_info(struct http_req *req);
/* api_users.c */
void api_make_user(struct http_req *req);
void api_change_user(struct http_req *req);
void api_delete_user(struct http_req *req);
/* api_tokens.c */
void api_list_tokens(struct http_req *req);
void api_make_token(struct http_req *req);
void api_get_token(struct http_req *req);
void api_delete_token(struct http_req *req);
/* api_service.c */
void api_health(struct http_req *req);
void api_shutdown(struct http_req *req);
/* api_server.c */
void api_get_server(struct http_req *req);
void api_start_server(struct http_req *req);
void api_stop_server(struct http_req *req);
void api_progress(struct http_req *req);
/* api_activity.c */
void api_post_activity(struct http_req *req);
/* api_site.c */
void api_get_site(struct http_req *req);
void api_get_form(struct http_req *req);
void api_dismiss_end(struct http_req *req);
/* api_stat.c */
void api_get_stat(struct http_req *req);
/* api_spark.c */
void api_spark_connect(struct http_req *req);
void api_get_spark(struct http_req *req);

/* The record of the server that a request is about, by its path; NULL: there is none. */
struct srv *api_about_server(struct http_req *req);

#endif
