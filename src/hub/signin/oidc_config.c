/* providers.yaml as a table of fields, and whether a user's groups may sign in. Next:
 * oidc_provider.c. */
#include "hub/signin/oidc_config.h"

#include "base/file.h"
#include "base/mem.h"
#include "cygnet/limits.h"
#include "cygnet/paths.h"
#include "oidc/oidc.h"

#include <fcntl.h>
#include <string.h>

static int parse_id(struct cyg_str text, struct cyg_arena *arena, void *member)
{
	const char *id = cyg_arena_dup(arena, text);

	*(const char **)member = id;
	return text.len > 0 && text.len < CYG_NAME_MAX && id[0] != '-' &&
		       strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == text.len
		   ? 0
		   : -CYG_EINVAL;
}

#define TEXT       .type = FIELD_LINE, .min = 1
#define MS         .type = FIELD_UINT, .min = 1, .max = 3600000
#define OF(member) .offset = offsetof(struct oidc_config, member)
#define LIST(member)                                                                               \
	.type = FIELD_LIST, .of = &group, .max = OIDC_CONFIG_GROUPS_MAX,                           \
	.offset = FIELD_ARRAY(struct oidc_config, member.items, member.n)

static const struct yaml_field group = { .name = "group", .type = FIELD_STRING, .min = 1 };
static const struct yaml_field fields[] = {
	{ .name = "id",
	    .type = FIELD_OWN,
	    OF(id),
	    .size = sizeof(const char *),
	    .parse = parse_id,
	    .takes = "1 to 63 of a-z, 0-9 and '-', beginning with a letter or digit",
	    .required = true,
	    .unique = true,
	    .doc = "In addresses and in the accounts of its users: never change it." },
	{ .name = "label",
	    TEXT,
	    OF(label),
	    .required = true,
	    .doc = "The button says \"Sign in with …\"." },
	{ .name = "issuer",
	    TEXT,
	    OF(issuer),
	    .required = true,
	    .doc =
		"Exactly as the provider calls itself; its discovery document is below it. Always https." },
	{ .name = "client-id", TEXT, OF(client_id), .required = true, .doc = "Our name there." },
	{ .name = "client-secret-file",
	    TEXT,
	    OF(secret_file),
	    .doc =
		"File (mode 0600, the hub's) with the client's secret; without it the client is a public one." },
	{ .name = "scopes",
	    TEXT,
	    OF(scopes),
	    .value = "openid profile",
	    .doc = "What is asked for. Claims are read from the ID token, so they must be in it." },
	{ .name = "username-claim",
	    TEXT,
	    OF(name_claim),
	    .value = "preferred_username",
	    .doc = "Claim with the user name, used at the first sign-in." },
	{ .name = "groups-claim",
	    TEXT,
	    OF(groups_claim),
	    .doc =
		"Path of the groups: an array of names, or one name. Dots lead into objects; `\\.` is a dot in a name." },
	{ .name = "allowed-groups",
	    LIST(allowed),
	    .doc = "Who may sign in. Either this or allow-everyone." },
	{ .name = "allow-everyone",
	    .type = FIELD_BOOL,
	    OF(everyone),
	    .value = "false",
	    .doc = "Whether everybody there may sign in." },
	{ .name = "admin-groups",
	    LIST(admins),
	    .doc = "Who is an administrator (and must be allowed, too)." },
	{ .name = "ca-file",
	    TEXT,
	    OF(ca_file),
	    .doc = "Authorities (PEM) trusted for its https instead of the system's." },
	{ .name = "insecure-loopback",
	    .type = FIELD_BOOL,
	    OF(insecure_loopback),
	    .value = "false",
	    .doc = "Whether http to this machine is allowed: for tests and development." },
	{ .name = "own-callback",
	    .type = FIELD_BOOL,
	    OF(own_callback),
	    .value = "false",
	    .doc =
		"Whether the only provider of a site has a callback address with its id in it; of several each has always." },
	{ .name = "end-session",
	    .type = FIELD_BOOL,
	    OF(end_session),
	    .value = "true",
	    .doc =
		"Whether signing out here goes on to the provider's sign-out, where it has one." },
	{ .name = "timeout-ms",
	    MS,
	    OF(timeout_ms),
	    .value = "10000",
	    .doc = "Time for one call to the provider." },
	{ .name = "check-interval-ms",
	    MS,
	    OF(check_interval_ms),
	    .value = "30000",
	    .doc = "How old its discovery document and keys may be." },
	{ .name = "keys-interval-ms",
	    MS,
	    OF(keys_interval_ms),
	    .value = "60000",
	    .doc =
		"The least time between two extra readings of its keys, which a token with an unknown key causes." },
	{ .name = NULL },
};

/* What must hold between the keys. */
static int check(const struct yaml_place *at, void *record, struct cyg_err *err)
{
	const struct oidc_config *c = record;

	if (strcmp(c->id, "development") == 0)
		return yaml_fail(
		    at->doc, yaml_fields_at(at, "id"), err, "this id is the development sign-in's");
	if (!oidc_url_is_allowed(c->issuer, c->insecure_loopback))
		return yaml_fail(at->doc, yaml_fields_at(at, "issuer"), err,
		    "issuer is an https address (http only to this machine, with insecure-loopback)");
	if (c->everyone == (c->allowed.n > 0))
		return yaml_fail(at->doc, yaml_fields_at(at, "allowed-groups"), err,
		    "who may sign in is said by either allowed-groups or allow-everyone: true");
	if (c->groups_claim == NULL && (c->allowed.n > 0 || c->admins.n > 0))
		return yaml_fail(at->doc, yaml_fields_at(at, "admin-groups"), err,
		    "groups-claim is needed to know the groups of a user");
	return 0;
}

static const struct yaml_record provider_record = {
	.what = "provider", .size = sizeof(struct oidc_config), .fields = fields, .check = check
};
static const struct yaml_field file_fields[] = {
	{ .name = "providers",
	    .type = FIELD_RECORDS,
	    .offset = FIELD_ARRAY(struct oidc_configs, items, n),
	    .record = &provider_record,
	    .min = 1,
	    .max = OIDC_PROVIDERS_MAX,
	    .required = true,
	    .doc = "Providers, in the order of their buttons." },
	{ .name = NULL },
};
const struct yaml_record oidc_configs_record = {
	.what = "file of providers", .size = sizeof(struct oidc_configs), .fields = file_fields
};

static int read_doc(struct yaml_doc *doc, struct oidc_configs **ret, struct cyg_err *err)
{
	struct oidc_configs *all = cyg_xcalloc(1, sizeof(*all));

	cyg_arena_init(&all->arena);
	int rc = yaml_fields_read(doc, &oidc_configs_record, &all->arena, all, err);
	yaml_doc_free(doc);
	if (rc < 0) {
		oidc_configs_free(all);
		return rc;
	}
	*ret = all;
	return 0;
}

int oidc_configs_parse(
    const char *name, struct cyg_str text, struct oidc_configs **ret, struct cyg_err *err)
{
	struct yaml_doc *doc = NULL;

	if (yaml_parse(name, text, &doc, err) < 0)
		return -(int)CYG_EINVAL;
	return read_doc(doc, ret, err);
}

int oidc_configs_load(const char *path, struct oidc_configs **ret, struct cyg_err *err)
{
	struct yaml_doc *doc = NULL;
	struct oidc_configs *all = NULL;

	if (yaml_load(path, &doc, err) < 0 || read_doc(doc, &all, err) < 0)
		return -(int)CYG_EINVAL;
	for (size_t i = 0; i < all->n; i++) {
		struct oidc_config *c = &all->items[i];
		if (c->secret_file == NULL ||
		    cyg_file_read_secret(AT_FDCWD, c->secret_file, &c->secret, err) == 0)
			continue;
		(void)cyg_wrap(err, "client-secret-file of %s", c->id);
		oidc_configs_free(all);
		return -(int)CYG_EINVAL;
	}
	*ret = all;
	return 0;
}

void oidc_configs_free(struct oidc_configs *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; i++) {
		char *secret = c->items[i].secret;
		if (secret != NULL)
			cyg_cleanse(secret, strlen(secret));
		free(secret);
	}
	cyg_arena_free(&c->arena);
	free(c);
}

bool oidc_configs_share_callback(const struct oidc_configs *all)
{
	return all->n == 1;
}

char *oidc_config_redirect_uri(
    const struct oidc_configs *all, const struct oidc_config *c, struct cyg_str base)
{
	if (oidc_configs_share_callback(all) && !c->own_callback)
		return cyg_xasprintf("%.*s" CYG_HUB_PATH "/oauth_callback", CYG_STR_ARGS(base));
	return cyg_xasprintf("%.*s" CYG_HUB_PATH "/oauth_callback/%s", CYG_STR_ARGS(base), c->id);
}

static bool is_in(const struct oidc_names *names, char *const *groups)
{
	for (; *groups != NULL; groups++) {
		for (size_t i = 0; i < names->n; i++) {
			if (strcmp(names->items[i], *groups) == 0)
				return true;
		}
	}
	return false;
}

enum oidc_verdict oidc_config_judge(const struct oidc_config *c, char *const *groups)
{
	if (!c->everyone && !is_in(&c->allowed, groups))
		return OIDC_REFUSED;
	return is_in(&c->admins, groups) ? OIDC_ADMIN : OIDC_USER;
}
