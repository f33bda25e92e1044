/* The option table of cygnet-hub; config/hub.yaml is the annotated sample of the same names. */
#include "hub/options.h"

#include "hub/base/hub_metrics.h"
#include "hub/hub.h"
#include "hub/offer/stackfile.h"
#include "hub/signin/oidc_config.h"
#include "spark/catalogue.h"

#define AT(member) offsetof(struct hub_config, member)

static const char *const sign_ins[] = { "none", "development", NULL };
static const char *const levels[] = { "debug", "info", "warn", "error", NULL };

static const struct cyg_option options[] = {
	{ .name = "name",
	    .type = OPT_STRING,
	    .offset = AT(name),
	    .value = "Cygnet",
	    .doc = "Name of the site, on every page." },
	{ .name = "accent",
	    .type = OPT_STRING,
	    .offset = AT(accent),
	    .doc =
		"The site's one colour, as #rrggbb; the pages make it darker or lighter where text "
		"needs it." },
	{ .name = "public-url",
	    .type = OPT_STRING,
	    .offset = AT(public_url),
	    .value = "http://127.0.0.1:8000/",
	    .doc =
		"Where browsers reach the proxy. The development sign-in exists only if this is on "
		"loopback." },
	{ .name = "run-dir",
	    .type = OPT_STRING,
	    .offset = AT(run_dir),
	    .required = true,
	    .doc =
		"Folder of the sockets: hub/http.sock, spawner/ctl.sock, proxy/N/control.sock and "
		"s/ID.sock are below it." },
	{ .name = "spawners",
	    .type = OPT_STRING,
	    .offset = AT(spawners),
	    .doc =
		"Sockets of the spawners, absolute paths separated by commas; a start goes to the one "
		"that has the profile's template. Default: spawner/ctl.sock below run-dir." },
	{ .name = "state-dir",
	    .type = OPT_STRING,
	    .offset = AT(state_dir),
	    .required = true,
	    .doc = "Folder of hub.db; only the hub may read it." },
	{ .name = "web-dir",
	    .type = OPT_STRING,
	    .offset = AT(web_dir),
	    .required = true,
	    .doc = "Folder of the portal's pages (src/web)." },
	{ .name = "profiles",
	    .type = OPT_STRING,
	    .offset = AT(profiles),
	    .required = true,
	    .doc = "File with the profiles, stacks and clusters of the start form." },
	{ .name = "catalogue",
	    .type = OPT_STRING,
	    .offset = AT(catalogue),
	    .doc =
		"File with the catalogue of Spark clusters, usually in the software tree; read by a "
		"child when a server connects, at most every two seconds. Without it no server has "
		"Spark." },
	{ .name = "software-tree",
	    .type = OPT_STRING,
	    .offset = AT(software_tree),
	    .doc =
		"Folder whose stacks/NAME/stack.yaml says what the form shows of the stack NAME, read "
		"by a child. Without it the form shows what the profiles file says." },
	{ .name = "software-refresh",
	    .type = OPT_MS,
	    .offset = AT(software_refresh_ms),
	    .value = "1m",
	    .min = 100,
	    .max = 24ULL * 3600 * 1000,
	    .doc = "How often the software tree is read again." },
	{ .name = "software-timeout",
	    .type = OPT_MS,
	    .offset = AT(software_timeout_ms),
	    .value = "5s",
	    .min = 100,
	    .max = 10 * 60 * 1000,
	    .doc =
		"How long that may take; a stack that cannot be read in time is shown as not to be had "
		"and is not started." },
	{ .name = "sign-in",
	    .type = OPT_ENUM,
	    .offset = AT(sign_in),
	    .value = "none",
	    .choices = sign_ins,
	    .doc = "development: any name with one password, on loopback only." },
	{ .name = "providers",
	    .type = OPT_STRING,
	    .offset = AT(providers),
	    .doc = "File with the OpenID providers of the sign-in; without it there are none." },
	{ .name = "dev-password-file",
	    .type = OPT_STRING,
	    .offset = AT(password_file),
	    .doc = "File (mode 0600) with the password of the development sign-in. Without it "
		   "state-dir/development-password is used, and made if it is not there." },
	{ .name = "admin-token-file",
	    .type = OPT_STRING,
	    .offset = AT(admin_token_file),
	    .doc =
		"File (mode 0600) with a token that may shut the hub and all servers down; written by "
		"cygnetctl up." },
	{ .name = "create-users",
	    .type = OPT_BOOL,
	    .offset = AT(create_users),
	    .value = "true",
	    .doc =
		"Whether a first sign-in makes the account. With false, only known users get in." },
	{ .name = "reserved-names",
	    .type = OPT_STRING,
	    .offset = AT(reserved_names),
	    .doc = "Names, separated by commas, that no new account may have. Names of the system "
		   "accounts of this machine are refused always." },
	{ .name = "session-time",
	    .type = OPT_MS,
	    .offset = AT(session_ms),
	    .value = "336h",
	    .min = 60 * 1000,
	    .max = 8784ULL * 3600 * 1000,
	    .doc = "How long a sign-in lasts." },
	{ .name = "start-concurrency",
	    .type = OPT_UINT,
	    .offset = AT(start_concurrency),
	    .value = "16",
	    .min = 1,
	    .max = 10000,
	    .doc =
		"How many servers may be starting at the same time; others wait in a queue. One whose "
		"user's own script runs counts no more." },
	{ .name = "starts-per-minute",
	    .type = OPT_UINT,
	    .offset = AT(starts_per_minute),
	    .value = "20",
	    .min = 1,
	    .max = 10000,
	    .doc = "How often one user may start a server within a minute; a further start is told "
		   "to come back (429)." },
	{ .name = "queue-max",
	    .type = OPT_UINT,
	    .offset = AT(queue_max),
	    .value = "1000",
	    .min = 1,
	    .max = 100000,
	    .doc = "How many may wait; a further one is told to come back (429)." },
	{ .name = "queue-timeout",
	    .type = OPT_MS,
	    .offset = AT(queue_timeout_ms),
	    .value = "10m",
	    .min = 100,
	    .max = 24ULL * 3600 * 1000,
	    .doc = "How long one may wait in the queue before the start fails." },
	{ .name = "slow-start",
	    .type = OPT_MS,
	    .offset = AT(slow_start_ms),
	    .value = "10s",
	    .min = 1,
	    .max = 10 * 60 * 1000,
	    .doc = "How long the request for a start waits for its 201 before it gets 202." },
	{ .name = "slow-stop",
	    .type = OPT_MS,
	    .offset = AT(slow_stop_ms),
	    .value = "10s",
	    .min = 1,
	    .max = 10 * 60 * 1000,
	    .doc = "The same for a stop: 204, or 202 while it is still stopping." },
	{ .name = "stop-grace",
	    .type = OPT_MS,
	    .offset = AT(stop_grace_ms),
	    .value = "10s",
	    .min = 0,
	    .max = 10 * 60 * 1000,
	    .doc = "Time between the request to end and the kill of a stopping server." },
	{ .name = "activity-interval",
	    .type = OPT_MS,
	    .offset = AT(activity_ms),
	    .value = "30s",
	    .min = 100,
	    .max = 3600 * 1000,
	    .doc = "How often the proxy is asked which servers browsers used." },
	{ .name = "audit-keep",
	    .type = OPT_MS,
	    .offset = AT(audit_keep_ms),
	    .value = "0ms",
	    .max = 100ULL * 366 * 24 * 3600 * 1000,
	    .doc =
		"How long rows of the audit are kept: 8784h is a year, 0ms for ever. The last 30 days "
		"always are." },
	{ .name = "socket-group",
	    .type = OPT_UINT,
	    .offset = AT(socket_group),
	    .value = "0",
	    .max = UINT32_MAX,
	    .doc = "Number of the group that may connect to hub/http.sock (the proxy's); 0: the "
		   "process's own." },
	{ .name = "status-url",
	    .type = OPT_STRING,
	    .offset = AT(status_url),
	    .doc = "Address of the site's status page, linked from the sign-in." },
	{ .name = "help-url",
	    .type = OPT_STRING,
	    .offset = AT(help_url),
	    .doc = "Address of the site's help." },
	{ .name = "privacy-url",
	    .type = OPT_STRING,
	    .offset = AT(privacy_url),
	    .doc = "Address of the site's privacy notice." },
	{ .name = "log-level",
	    .type = OPT_ENUM,
	    .offset = AT(log_level),
	    .value = "info",
	    .choices = levels,
	    .doc = "The least important lines that are logged." },
	{ .name = NULL },
};

static const struct yaml_file files[] = {
	{ "profiles.yaml",
	    "What the start form offers (option `profiles`). Sample: "
	    "[config/profiles.yaml](../config/profiles.yaml).",
	    &profiles_record },
	{ "providers.yaml",
	    "The OpenID providers that users sign in with (option `providers`). Sample: "
	    "[config/providers.yaml](../config/providers.yaml).",
	    &oidc_configs_record },
	{ "clusters.yaml",
	    "The catalogue of Spark clusters (option `catalogue`). Sample: "
	    "[config/clusters.yaml](../config/clusters.yaml).",
	    &spark_catalogue_record },
	{ "stack.yaml",
	    "What a stack says of itself: TREE/stacks/NAME/stack.yaml of the option `software-tree`. "
	    "What it leaves out is taken from profiles.yaml.",
	    &stackfile_record },
	{ .name = NULL },
};

const struct cyg_program hub_program = {
	.name = "cygnet-hub",
	.purpose = "Accounts, sessions, servers and the portal of Cygnet, behind cygnet-proxy.",
	.options = options,
	.files = files,
	.metrics = hub_metrics,
};
