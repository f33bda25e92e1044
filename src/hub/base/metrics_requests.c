/* Maps our endpoints to the names of JupyterHub's handlers, by which its dashboards tell requests
 * apart. */
#include "hub/base/metrics_requests.h"

#include <stdbool.h>
#include <string.h>

#define API   "jupyterhub.apihandlers."
#define PAGES "jupyterhub.handlers."

enum {
	ROOT,
	HOME,
	SPAWN,
	SPAWN_PENDING,
	PROXY_ERROR,
	HEALTH_CHECK,
	LOGIN,
	LOGOUT,
	USER_REDIRECT,
	CACHE_CONTROL_STATIC,
	METRICS,
	API_ROOT,
	INFO,
	SHUTDOWN,
	SELF,
	USER_LIST,
	USER,
	USER_TOKEN_LIST,
	USER_TOKEN,
	ACTIVITY,
	USER_SERVER,
	SPAWN_PROGRESS,
	OTHER,
};

/* the last one stands for every endpoint that JupyterHub does not have */
const char *const metrics_handlers[] = {
	[ROOT] = PAGES "pages.RootHandler",
	[HOME] = PAGES "pages.HomeHandler",
	[SPAWN] = PAGES "pages.SpawnHandler",
	[SPAWN_PENDING] = PAGES "pages.SpawnPendingHandler",
	[PROXY_ERROR] = PAGES "pages.ProxyErrorHandler",
	[HEALTH_CHECK] = PAGES "pages.HealthCheckHandler",
	[LOGIN] = PAGES "login.LoginHandler",
	[LOGOUT] = PAGES "login.LogoutHandler",
	[USER_REDIRECT] = PAGES "base.UserRedirectHandler",
	[CACHE_CONTROL_STATIC] = PAGES "static.CacheControlStaticFilesHandler",
	[METRICS] = PAGES "metrics.MetricsHandler",
	[API_ROOT] = API "hub.RootAPIHandler",
	[INFO] = API "hub.InfoAPIHandler",
	[SHUTDOWN] = API "hub.ShutdownAPIHandler",
	[SELF] = API "users.SelfAPIHandler",
	[USER_LIST] = API "users.UserListAPIHandler",
	[USER] = API "users.UserAPIHandler",
	[USER_TOKEN_LIST] = API "users.UserTokenListAPIHandler",
	[USER_TOKEN] = API "users.UserTokenAPIHandler",
	[ACTIVITY] = API "users.ActivityAPIHandler",
	[USER_SERVER] = API "users.UserServerAPIHandler",
	[SPAWN_PROGRESS] = API "users.SpawnProgressAPIHandler",
	[OTHER] = "cygnet",
	NULL,
};

/* The path of a row below the hub's mount, or its begin when it ends with '*'; the first that fits.
 */
static const struct {
	const char *path;
	uint16_t handler;
} rows[] = {
	{ "", ROOT },
	{ "/", HOME },
	{ "/home", HOME },
	{ "/spawn-pending/*", SPAWN_PENDING },
	{ "/spawn*", SPAWN },
	{ "/error/*", PROXY_ERROR },
	{ "/health", HEALTH_CHECK },
	{ "/login", LOGIN },
	{ "/oauth_login", LOGIN },
	{ "/oauth_callback*", LOGIN },
	{ "/logout", LOGOUT },
	{ "/oauth_logout", LOGOUT },
	{ "/user-redirect/*", USER_REDIRECT },
	{ "/static/*", CACHE_CONTROL_STATIC },
	{ "/metrics", METRICS },
	{ "/api", API_ROOT },
	{ "/api/", API_ROOT },
	{ "/api/health", HEALTH_CHECK },
	{ "/api/info", INFO },
	{ "/api/shutdown", SHUTDOWN },
	{ "/api/user", SELF },
	{ "/api/users", USER_LIST },
	{ "/api/users/{user}", USER },
	{ "/api/users/{user}/tokens", USER_TOKEN_LIST },
	{ "/api/users/{user}/tokens/*", USER_TOKEN },
	{ "/api/users/{user}/activity", ACTIVITY },
	{ "/api/users/{user}/server/progress", SPAWN_PROGRESS },
	{ "/api/users/{user}/servers/{server}/progress", SPAWN_PROGRESS },
	{ "/api/users/{user}/server*", USER_SERVER },
	{ "*", OTHER },
};

static bool fits(const char *rule, const char *path)
{
	const size_t len = strlen(rule);

	return len > 0 && rule[len - 1] == '*' ? strncmp(rule, path, len - 1) == 0
					       : strcmp(rule, path) == 0;
}

uint16_t metrics_handler_of(const char *path)
{
	size_t i = 0;

	while (!fits(rows[i].path, path))
		i++;
	return rows[i].handler;
}
