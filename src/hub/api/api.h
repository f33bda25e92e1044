/* The API and the portal's pages: what their endpoints need, their tables, and the handlers by
 * file. */
#ifndef HUB_API_H
#define HUB_API_H

#include "http/server.h"
#include "hub/access/people.h"
#include "hub/access/principal.h"

#include <jansson.h>
#include <uv.h>

struct access;
struct asks;
struct audit;
struct cyg_buf;
struct metrics;
struct offer;
struct proxy_link;
struct ratelimit;
struct signin;
struct spark_account;
struct spawners;
struct srv;
struct srvs;
struct store;

/* Sessions of Spark that one user's servers are given within a minute: each is a row of the audit
 * that waits for the disk. More than one person starts by hand, also with all kernels anew. */
enum { API_SPARK_CONNECTS_MAX = 30 };
/* Reports on Spark of one user's servers within a minute, and sessions that ended in them: a server
 * reports once a minute on each cluster, and what is refused comes with a later report. */
enum { API_SPARK_REPORTS_MAX = 60, API_SPARK_ENDS_MAX = 60 };

/* Borrowed for good. */
struct api_opts {
	const char *name, *accent;
	const char *status_url, *help_url, *privacy_url;
	uint64_t starts_per_minute; /* of each user */
	/* Of the daemon: ends it now; whether its disk cannot be written; the text of a scrape. */
	void (*end)(void *arg);
	bool (*is_failing)(const void *arg);
	int (*write_metrics)(const void *arg, struct cyg_buf *out, struct cyg_err *err);
	void *arg;
};

struct api {
	struct api_opts opts;
	/* Filled by who starts it: what is below, borrowed. */
	uv_loop_t *uv;
	struct store *store;
	struct access *access; /* users, sessions, tokens */
	struct audit *audit;   /* NULL: nothing is written */
	struct offer *offer;
	struct proxy_link *proxy;
	struct spawners *spawners;
	struct metrics *metrics;
	struct spark_account *spark_account;
	struct srvs *srvs;
	struct signin *signin;
	/* Its own. */
	struct asks *asks;                                             /* open requests, counted */
	struct ratelimit *starts;                                      /* per user */
	struct ratelimit *spark_connects, *spark_reports, *spark_ends; /* per user */
	size_t health_waits; /* open questions whether servers can be started */
	/* Told to shut down: servers are stopped, none is started, and once none is active the
	 * daemon ends (turn.c). */
	bool draining;
};

/* A copy of what is filled, with what is its own. */
struct api *api_new(const struct api *parts);
/* Once no request is open. NULL is accepted. */
void api_free(struct api *api);

/* The API of a request to one of its endpoints. */
static inline struct api *api_of(const struct http_req *req)
{
	return req->ctx;
}

/* The tables (api.c), ended by a NULL path: mounted at CYG_HUB_PATH with the struct api as ctx.
 * JupyterHub's, and our own below /api/cygnet. docs/api/openapi.yaml describes them. */
extern const struct http_endpoint hub_endpoints[];
extern const struct http_endpoint cygnet_endpoints[];

/* JupyterHub's models; new objects. */
json_t *api_time(int64_t us); /* 0: null */
json_t *api_server(const struct api *api, const struct srv *srv);
/* The part of the user that the principal may see. */
json_t *api_person(
    const struct api *api, const struct person *person, const struct principal *principal);

/* api_user.c */
void api_get_self(struct http_req *req);
void api_get_user(struct http_req *req);
void api_get_version(struct http_req *req);
void api_get_info(struct http_req *req);
/* api_users.c */
void api_make_user(struct http_req *req);
void api_change_user(struct http_req *req);
void api_delete_user(struct http_req *req);
/* api_hand_over.c; the last is for the control socket, with no principal. */
void api_list_former(struct http_req *req);
void api_hand_over(struct http_req *req);
void api_hand_over_by_root(struct http_req *req);
/* api_tokens.c */
void api_list_tokens(struct http_req *req);
void api_make_token(struct http_req *req);
void api_get_token(struct http_req *req);
void api_delete_token(struct http_req *req);
/* api_service.c */
void api_health(struct http_req *req);
void api_metrics(struct http_req *req);
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
void api_spark_preview(struct http_req *req);
void api_spark_catalogue(struct http_req *req);
/* api_spark_report.c */
void api_spark_report(struct http_req *req);
/* api_spark_page.c */
void api_get_spark(struct http_req *req);

/* The record of the server that a request is about, by its path; NULL: there is none. */
struct srv *api_about_server(struct http_req *req);

#endif
