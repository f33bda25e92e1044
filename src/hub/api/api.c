/* The endpoint tables of the API; the pages (pages.c) and the sign-in (signin/signin_endpoints.c)
 * have their own. docs/api/openapi.yaml describes each row; a row without a scope, in the words of
 * access/rule.h, keeps the daemon from starting. */
#include "hub/api/api.h"

#include "base/mem.h"
#include "hub/base/asks.h"
#include "hub/base/ratelimit.h"

#include <stddef.h>

/* One of them is enough to see a part of the model. */
#define READ_USER                                                                                  \
	"read:users read:users:name read:users:groups read:users:activity read:servers "           \
	"read:roles:users"

enum {
	BODY_MAX = 64 * 1024,
	SPARK_BODY_MAX = 256 * 1024, /* three layers of options, with long class paths */
	STARTS_WINDOW_MS = 60 * 1000,
	STARTS_KEYS = 100000, /* users who start within one window */
	SPARK_WINDOW_MS = 60 * 1000,
	SPARK_KEYS = 100000, /* users who use Spark within one window */
};

/* JupyterHub's. */
const struct http_endpoint hub_endpoints[] = {
	{ HTTP_GET, "/health", "anyone", api_health, 0 },
	{ HTTP_GET, "/api/health", "anyone", api_health, 0 },
	{ HTTP_GET, "/metrics", "read:metrics", api_metrics, 0 },
	{ HTTP_GET, "/api", "anyone", api_get_version, 0 },
	{ HTTP_GET, "/api/", "anyone", api_get_version, 0 },
	{ HTTP_GET, "/api/info", "read:hub", api_get_info, 0 },
	{ HTTP_POST, "/api/shutdown", "shutdown", api_shutdown, BODY_MAX },
	{ HTTP_GET, "/api/user", "whoami", api_get_self, 0 },
	{ HTTP_GET, "/api/users/{user}", READ_USER, api_get_user, 0 },
	{ HTTP_POST, "/api/users/{user}", "new admin:users", api_make_user, BODY_MAX },
	{ HTTP_PATCH, "/api/users/{user}", "admin:users", api_change_user, BODY_MAX },
	{ HTTP_DELETE, "/api/users/{user}", "delete:users", api_delete_user, BODY_MAX },
	{ HTTP_GET, "/api/users/{user}/tokens", "read:tokens", api_list_tokens, 0 },
	{ HTTP_POST, "/api/users/{user}/tokens", "forbid tokens", api_make_token, BODY_MAX },
	{ HTTP_GET, "/api/users/{user}/tokens/{token}", "read:tokens", api_get_token, 0 },
	{ HTTP_DELETE, "/api/users/{user}/tokens/{token}", "tokens", api_delete_token, BODY_MAX },
	{ HTTP_POST, "/api/users/{user}/activity", "users:activity", api_post_activity, BODY_MAX },
	{ HTTP_GET, "/api/users/{user}/server", "read:servers", api_get_server, 0 },
	{ HTTP_POST, "/api/users/{user}/server", "start:servers", api_start_server, BODY_MAX },
	{ HTTP_DELETE, "/api/users/{user}/server", "delete:servers", api_stop_server, BODY_MAX },
	{ HTTP_GET, "/api/users/{user}/server/progress", "read:servers", api_progress, 0 },
	{ HTTP_GET, "/api/users/{user}/servers/{server}", "read:servers", api_get_server, 0 },
	{ HTTP_POST, "/api/users/{user}/servers/{server}", "start:servers", api_start_server,
	    BODY_MAX },
	{ HTTP_DELETE, "/api/users/{user}/servers/{server}", "delete:servers", api_stop_server,
	    BODY_MAX },
	{ HTTP_GET, "/api/users/{user}/servers/{server}/progress", "read:servers", api_progress,
	    0 },
	{ .path = NULL },
};

/* Ours. */
const struct http_endpoint cygnet_endpoints[] = {
	{ HTTP_GET, "/api/cygnet/site", "anyone", api_get_site, 0 },
	{ HTTP_GET, "/api/cygnet/form", "user own start:servers", api_get_form, 0 },
	{ HTTP_POST, "/api/cygnet/last-end/dismiss", "user own start:servers", api_dismiss_end,
	    BODY_MAX },
	{ HTTP_GET, "/api/cygnet/users/{user}/former", "new admin:users", api_list_former, 0 },
	{ HTTP_POST, "/api/cygnet/users/{user}/hand-over", "admin:users", api_hand_over, BODY_MAX },
	{ HTTP_GET, "/api/cygnet/servers/{user}/stat", "read:servers", api_get_stat, 0 },
	{ HTTP_GET, "/api/cygnet/servers/{user}/{server}/stat", "read:servers", api_get_stat, 0 },
	{ HTTP_GET, "/api/cygnet/servers/{user}/spark", "read:servers", api_get_spark, 0 },
	{ HTTP_GET, "/api/cygnet/servers/{user}/{server}/spark", "read:servers", api_get_spark, 0 },
	{ HTTP_POST, "/api/cygnet/spark/connect", "server", api_spark_connect, SPARK_BODY_MAX },
	{ HTTP_POST, "/api/cygnet/spark/preview", "server", api_spark_preview, SPARK_BODY_MAX },
	{ HTTP_POST, "/api/cygnet/spark/report", "server", api_spark_report, BODY_MAX },
	{ HTTP_GET, "/api/cygnet/spark/catalogue", "server", api_spark_catalogue, 0 },
	{ .path = NULL },
};

struct api *api_new(const struct api *parts)
{
	struct api *api = cyg_xcalloc(1, sizeof(*api));

	*api = *parts;
	api->asks = asks_new();
	api->starts =
	    ratelimit_new((unsigned)api->opts.starts_per_minute, STARTS_WINDOW_MS, STARTS_KEYS);
	api->spark_connects = ratelimit_new(API_SPARK_CONNECTS_MAX, SPARK_WINDOW_MS, SPARK_KEYS);
	api->spark_reports = ratelimit_new(API_SPARK_REPORTS_MAX, SPARK_WINDOW_MS, SPARK_KEYS);
	api->spark_ends = ratelimit_new(API_SPARK_ENDS_MAX, SPARK_WINDOW_MS, SPARK_KEYS);
	return api;
}

void api_free(struct api *api)
{
	if (api == NULL)
		return;
	asks_free(api->asks);
	ratelimit_free(api->starts);
	ratelimit_free(api->spark_connects);
	ratelimit_free(api->spark_reports);
	ratelimit_free(api->spark_ends);
	free(api);
}
