/* Starts the hub's parts in order and ends them in reverse. */
#include "hub/hub.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cygnet/paths.h"
#include "daemon/log.h"
#include "daemon/options.h"
#include "daemon/unixsock.h"
#include "http/mhd.h"
#include "hub/access/access.h"
#include "hub/access/audit.h"
#include "hub/access/auth.h"
#include "hub/access/credentials.h"
#include "hub/access/sessions.h"
#include "hub/access/token.h"
#include "hub/api/api.h"
#include "hub/api/pages.h"
#include "hub/base/hub_metrics.h"
#include "hub/base/webfiles.h"
#include "hub/control.h"
#include "hub/link/proxy_link.h"
#include "hub/link/spawners.h"
#include "hub/metrics.h"
#include "hub/offer/offer.h"
#include "hub/server/reconcile.h"
#include "hub/server/spark_account.h"
#include "hub/server/srv.h"
#include "hub/signin/signin.h"
#include "hub/turn.h"
#include "store/store.h"

#include <string.h>
#include <sys/socket.h>

enum {
	TIDY_MS = 60 * 1000,
};
static const int64_t day_us = 24LL * 3600 * 1000 * 1000;
static const int64_t intents_kept_us = 7LL * 24 * 3600 * 1000 * 1000;

/* ---- tidying ---- */

/* By whole days: one day's rows go together, not a few at each minute. */
static void trim_audit(struct hub *hub, int64_t now_us)
{
	const int64_t keep_us = (int64_t)hub->config.audit_keep_ms * 1000;

	if (keep_us > 0)
		store_audit_trim(hub->store, (now_us - keep_us) / day_us * day_us);
}

static void on_tidy(uv_timer_t *timer)
{
	struct hub *hub = timer->data;
	int64_t now_us = cyg_clock_wall_us();

	(void)sessions_expire(hub->access, now_us);
	(void)tokens_expire(hub->access, now_us);
	store_intents_trim(hub->store, now_us - intents_kept_us);
	trim_audit(hub, now_us);
}

static void start_tidying(struct hub *hub)
{
	(void)uv_timer_init(hub->uv, &hub->tidy);
	hub->tidy.data = hub;
	(void)uv_timer_start(&hub->tidy, on_tidy, TIDY_MS, TIDY_MS);
	trim_audit(hub, cyg_clock_wall_us());
}

/* ---- start ---- */

/* Finds the server whose credential came to the inner listener, for access, which knows no records.
 */
static struct srv *find_server(void *arg, const char *id, struct cyg_str user, const char **name)
{
	struct srv *srv = srvs_find_id(((const struct hub *)arg)->srvs, id);

	if (srv == NULL || !srv_is_active(srv) || !cyg_str_eq(user, srv->user))
		return NULL;
	*name = srv->name;
	return srv;
}

static int start_access(struct hub *hub, struct cyg_err *err)
{
	const struct access_opts opts = {
		.store = hub->store,
		.session_ms = hub->config.session_ms,
		.admin_token_file = hub->config.admin_token_file,
		.find_server = find_server,
		.arg = hub,
	};

	return access_open(&opts, &hub->access, err);
}

static int start_offer(struct hub *hub, struct cyg_err *err)
{
	const struct offer_opts opts = {
		.uv = hub->uv,
		.profiles = hub->config.profiles,
		.catalogue = hub->config.catalogue,
		.software_tree = hub->config.software_tree,
		.software_refresh_ms = hub->config.software_refresh_ms,
		.software_timeout_ms = hub->config.software_timeout_ms,
	};

	return offer_open(&opts, &hub->offer, err);
}

static int start_memory(struct hub *hub, struct cyg_err *err)
{
	cyg_autofree char *path = cyg_xasprintf("%s/hub.db", hub->config.state_dir);

	if (start_offer(hub, err) < 0 || store_open(path, &hub->store, err) < 0)
		return -(int)err->code;
	turns_start(hub);
	start_tidying(hub);
	hub->metrics = metrics_new(hub_metrics);
	hub->spark_account = spark_account_new(hub->offer->profiles, hub->metrics);
	cyg_loop_watch_turns(hub->loop, hub_metrics_turn, hub);
	store_watch(hub->store, hub_metrics_commit, hub);
	hub->audit = audit_new(hub->store);
	return start_access(hub, err);
}

/* ---- the links to proxies and spawners ---- */

/* Sets the rows of all credentials and servers; later changes of credentials follow. */
static void fill_table(void *arg, struct proxy_link *link)
{
	struct hub *hub = arg;

	credentials_watch(hub->access, proxy_link_on_credential, link);
	srvs_tell_proxies(hub->srvs);
}

static void on_activity(void *arg, const char *server_id, int64_t at_us)
{
	srvs_active(((const struct hub *)arg)->srvs, server_id, at_us);
}

static void on_pushed(void *arg, uint64_t begun_ms, bool in_force)
{
	const struct hub *hub = arg;

	hub_metrics_pushed(hub->metrics, begun_ms, in_force);
}

static int start_proxies(struct hub *hub, struct cyg_err *err)
{
	const struct proxy_link_opts proxies = {
		.uv = hub->uv,
		.store = hub->store,
		.run_dir = hub->config.run_dir,
		.activity_ms = hub->config.activity_ms,
		.on_remake = fill_table,
		.on_activity = on_activity,
		.on_pushed = on_pushed,
		.arg = hub,
	};

	return proxy_link_new(&proxies, &hub->proxy, err);
}

/* ---- the servers ---- */

static int start_servers(struct hub *hub, struct cyg_err *err)
{
	const struct hub_config *config = &hub->config;
	const struct srvs_opts opts = {
		.uv = hub->uv,
		.store = hub->store,
		.profiles = hub->offer->profiles,
		.access = hub->access,
		.proxy = hub->proxy,
		.audit = hub->audit,
		.metrics = hub->metrics,
		.run_dir = config->run_dir,
		.start_concurrency = config->start_concurrency,
		.queue_max = config->queue_max,
		.queue_timeout_ms = config->queue_timeout_ms,
		.slow_start_ms = config->slow_start_ms,
		.slow_stop_ms = config->slow_stop_ms,
		.stop_grace_ms = config->stop_grace_ms,
		.subscribers = {
			{ srv_on_moved_route, NULL },
			{ srv_on_moved_audit, hub->audit },
			{ srv_on_moved_times, NULL },
			{ srv_on_moved_metrics, hub->metrics },
			{ srv_on_moved_spark, hub->spark_account },
			{ srv_on_moved_watchers, NULL },
		},
	};

	return srvs_new(&opts, &hub->srvs, err);
}

static int start_spawners(struct hub *hub, struct cyg_err *err)
{
	const struct spawners_opts opts = {
		.uv = hub->uv,
		.run_dir = hub->config.run_dir,
		.paths = hub->config.spawners,
		.events = &reconcile_events,
		.owner = hub->srvs,
	};

	if (spawners_new(&opts, &hub->spawners, err) < 0)
		return -(int)err->code;
	srvs_use_spawners(hub->srvs, hub->spawners);
	return 0;
}

static int listen_fd(const struct hub *hub, struct cyg_err *err)
{
	cyg_autofree char *path = cyg_xasprintf("%s/hub/http.sock", hub->config.run_dir);
	gid_t group = hub->config.socket_group > 0 ? (gid_t)hub->config.socket_group : (gid_t)-1;
	int fd = cyg_listen_fd("hub-http");

	if (fd < 0)
		fd = cyg_listen_fd("http");
	return fd >= 0 ? fd : unixsock_listen(path, SOCK_STREAM, 0660, group, err);
}

static bool authorize(struct http_req *req, const struct http_endpoint *endpoint)
{
	req->begun_ns = cyg_clock_mono_ns();
	req->on_response = hub_metrics_responded;
	return auth_authorize(req, endpoint);
}

static int start_signin(struct hub *hub, struct cyg_err *err)
{
	const struct hub_config *c = &hub->config;
	const struct signin_opts opts = {
		.uv = hub->uv,
		.store = hub->store,
		.access = hub->access,
		.proxy = hub->proxy,
		.audit = hub->audit,
		.development = c->sign_in == HUB_SIGN_IN_DEVELOPMENT,
		.create_users = c->create_users,
		.session_ms = c->session_ms,
		.public_url = c->public_url,
		.state_dir = c->state_dir,
		.password_file = c->password_file,
		.providers = c->providers,
		.reserved_names = c->reserved_names,
	};

	return signin_new(&opts, &hub->signin, err);
}

/* ---- the daemon's part of the API ---- */

static void end_now(void *arg)
{
	struct hub *hub = arg;

	cyg_loop_stop(hub->loop);
}

static bool is_failing(const void *arg)
{
	const struct hub *hub = arg;

	return hub->failing_since_us != 0;
}

static int write_metrics(const void *arg, struct cyg_buf *out, struct cyg_err *err)
{
	return hub_metrics_write(arg, out, err);
}

static void start_api(struct hub *hub)
{
	const struct hub_config *c = &hub->config;
	const struct api parts = {
		.opts = {
			.name = c->name,
			.accent = c->accent,
			.status_url = c->status_url,
			.help_url = c->help_url,
			.privacy_url = c->privacy_url,
			.starts_per_minute = c->starts_per_minute,
			.end = end_now,
			.is_failing = is_failing,
			.write_metrics = write_metrics,
			.arg = hub,
		},
		.uv = hub->uv,
		.store = hub->store,
		.access = hub->access,
		.audit = hub->audit,
		.offer = hub->offer,
		.proxy = hub->proxy,
		.spawners = hub->spawners,
		.metrics = hub->metrics,
		.spark_account = hub->spark_account,
		.srvs = hub->srvs,
		.signin = hub->signin,
	};

	hub->api = api_new(&parts);
}

static int check_endpoints(const struct http_mount *mounts, struct cyg_err *err)
{
	for (const struct http_mount *m = mounts; m->endpoints != NULL; m++) {
		if (auth_check_endpoints(m->endpoints, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

static int start_http(struct hub *hub, struct cyg_err *err)
{
	const struct http_mount mounts[] = {
		{ CYG_HUB_PATH, page_endpoints, hub->api, page_not_found },
		{ CYG_HUB_PATH, hub_endpoints, hub->api, NULL },
		{ CYG_HUB_PATH, cygnet_endpoints, hub->api, NULL },
		{ CYG_HUB_PATH, signin_endpoints, hub->signin, NULL },
		{ CYG_BASE_PATH, root_endpoints, hub->api, page_not_found },
		{ .endpoints = NULL },
	};
	const struct http_server_opts opts = {
		.mounts = mounts,
		.authorize = authorize,
		.app = &hub->app,
	};

	if (check_endpoints(mounts, err) < 0 ||
	    webfiles_load(hub->config.web_dir, &hub->files, err) < 0 ||
	    http_mhd_new(hub->uv, &opts, &hub->http, err) < 0)
		return -(int)err->code;
	hub->app = (struct app){
		.files = hub->files,
		.access = hub->access,
		.metrics = hub->metrics,
	};
	int fd = listen_fd(hub, err);
	return fd < 0 ? fd : http_mhd_listen(hub->http, fd, err);
}

int hub_start(struct hub *hub, struct cyg_err *err)
{
	const uint64_t begun_ns = cyg_clock_mono_ns();

	if (start_memory(hub, err) < 0 || start_proxies(hub, err) < 0 ||
	    start_servers(hub, err) < 0 || start_spawners(hub, err) < 0)
		return -(int)err->code;
	fill_table(hub, hub->proxy);
	if (start_signin(hub, err) < 0)
		return -(int)err->code;
	start_api(hub);
	if (start_http(hub, err) < 0 || control_start(hub, err) < 0)
		return -(int)err->code;
	metrics_observe_since(hub->metrics, HUB_STARTUP_SECONDS, METRIC_PLAIN, begun_ns);
	cyg_log_info("hub", "ready: %s", hub->config.name);
	return 0;
}

/* ---- end: in reverse. Servers live on; the next start finds them. ---- */

void hub_close(struct hub *hub)
{
	hub->ending = true;
	http_mhd_close(hub->http);
	control_close(hub);
	srvs_close(hub->srvs);
	if (hub->proxy != NULL)
		credentials_watch(hub->access, NULL, NULL);
	proxy_link_close(hub->proxy);
	spawners_close(hub->spawners);
	offer_close(hub->offer);
	signin_free(hub->signin);
	webfiles_free(hub->files);
	access_free(hub->access);
	audit_free(hub->audit);
	api_free(hub->api);
	spark_account_free(hub->spark_account);
	if (hub->turns)
		uv_close((uv_handle_t *)&hub->tidy, NULL);
	turns_close(hub);
}
