/* The hub daemon: its configuration, and one pointer to each part. hub.c starts the parts and ends
 * them. */
#ifndef HUB_HUB_H
#define HUB_HUB_H

#include "cygnet/err.h"
#include "daemon/loop.h"
#include "hub/base/app.h"

#include <stdbool.h>
#include <stdint.h>

struct access;
struct api;
struct audit;
struct http_mhd;
struct http_server;
struct metrics;
struct offer;
struct proxy_link;
struct signin;
struct spark_account;
struct spawners;
struct srvs;
struct store;
struct webfiles;

enum hub_sign_in { HUB_SIGN_IN_NONE, HUB_SIGN_IN_DEVELOPMENT };

struct hub_config {
	char *name, *accent;
	char *run_dir, *state_dir, *web_dir, *profiles;
	char *public_url, *catalogue, *software_tree;
	char *providers;      /* file of the OpenID providers, or NULL */
	char *spawners;       /* sockets of spawners, separated by commas, or NULL */
	char *reserved_names; /* separated by commas, or NULL */
	char *password_file, *admin_token_file;
	char *status_url, *help_url, *privacy_url;
	int sign_in; /* enum hub_sign_in */
	int log_level;
	bool create_users;
	uint64_t session_ms;
	uint64_t start_concurrency, starts_per_minute, queue_max, queue_timeout_ms;
	uint64_t slow_start_ms, slow_stop_ms, stop_grace_ms;
	uint64_t activity_ms;
	uint64_t audit_keep_ms; /* 0: for ever */
	uint64_t software_refresh_ms, software_timeout_ms;
	uint64_t socket_group; /* 0: the process's own */
};

struct hub {
	struct hub_config config;
	struct cyg_loop *loop;
	uv_loop_t *uv;
	struct store *store;
	struct offer *offer;
	struct webfiles *files;
	struct app app; /* what every request carries */
	struct access *access;
	struct audit *audit;
	struct srvs *srvs;
	struct signin *signin;
	struct api *api;
	struct spawners *spawners;
	struct proxy_link *proxy;
	struct http_mhd *http;
	struct http_server *control;
	struct metrics *metrics;
	struct spark_account *spark_account;
	uv_prepare_t turn_prepare;
	uv_check_t turn_check;
	uv_timer_t turn_retry;
	int64_t failing_since_us; /* the store cannot be written; 0: it can */
	uv_timer_t tidy;
	int exit_code;
	bool turns; /* the handles of turn.c are open */
	bool ending;
};

/* Starts every part in order; on failure what was started is ended by hub_close. config is taken.
 */
int hub_start(struct hub *hub, struct cyg_err *err);
/* Ends every part; the loop has to run once more for the handles (cyg_loop_free does). */
void hub_close(struct hub *hub);

#endif
