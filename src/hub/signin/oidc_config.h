/* providers.yaml: the OpenID providers that users sign in with, and which users may. Pure except
 * for the reading of files. */
#ifndef HUB_OIDC_CONFIG_H
#define HUB_OIDC_CONFIG_H

#include "daemon/yaml_fields.h"

#include <stdint.h>

enum { OIDC_PROVIDERS_MAX = 8, OIDC_CONFIG_GROUPS_MAX = 64 };

struct oidc_names {
	const char **items;
	size_t n;
};

struct oidc_config {
	const char *id, *label;
	const char *issuer; /* exactly as the provider calls itself */
	const char *client_id;
	const char *secret_file; /* NULL: a public client */
	const char *scopes;
	const char *name_claim;    /* where the user name is */
	const char *groups_claim;  /* path of the groups, or NULL: users have none */
	const char *ca_file;       /* NULL: the system's authorities */
	struct oidc_names allowed; /* a user needs one of them; empty only with everyone */
	struct oidc_names admins;
	bool everyone;
	bool insecure_loopback; /* http to this machine: tests and development */
	bool own_callback;      /* when it is the only one; of several each has its own always */
	bool end_session;       /* signing out here also signs out there */
	uint64_t timeout_ms;    /* of one call to the provider */
	uint64_t check_interval_ms; /* how old its discovery document and keys may be */
	uint64_t keys_interval_ms;  /* between two extra readings of the keys */
	char *secret;               /* what secret_file held; cleansed when freed */
};

struct oidc_configs {
	struct cyg_arena arena;
	struct oidc_config *items;
	size_t n;
};

/* What the file holds, for the reference page. */
extern const struct yaml_record oidc_configs_record;

/* Reads the file and the secrets it names. Errors say file, line, column and what is allowed. */
int oidc_configs_load(const char *path, struct oidc_configs **ret, struct cyg_err *err);
/* Without the secrets, from memory; name stands for the file. */
int oidc_configs_parse(
    const char *name, struct cyg_str text, struct oidc_configs **ret, struct cyg_err *err);
void oidc_configs_free(struct oidc_configs *c);

/* The redirect address of a provider: "BASE/hub/oauth_callback/ID". The only provider of a site
 * keeps "BASE/hub/oauth_callback" unless own-callback is set, since it may be registered so. If
 * several shared an address, one provider could pass off another's code as its own. base is without
 * a closing slash; heap. */
char *oidc_config_redirect_uri(
    const struct oidc_configs *all, const struct oidc_config *c, struct cyg_str base);
/* Whether a provider's response may come to the address without an id. */
bool oidc_configs_share_callback(const struct oidc_configs *all);

enum oidc_verdict { OIDC_REFUSED, OIDC_USER, OIDC_ADMIN };
/* Whether a user in these groups (NULL-ended) may sign in, and as what. */
enum oidc_verdict oidc_config_judge(const struct oidc_config *c, char *const *groups);

#endif
