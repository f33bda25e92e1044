/* providers.yaml → struct oidc_configs, and the verdict about somebody's groups. Next:
 * oidc_provider.c. */
#include "hub/oidc_config.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "cygnet/limits.h"
#include "daemon/yaml.h"
#include "oidc/oidc.h"

#include <fcntl.h>
#include <string.h>

enum {
	TIMEOUT_MS = 10 * 1000,
	CHECK_MS = 30 * 1000,
	KEYS_MS = 60 * 1000,
	HOUR_MS = 3600 * 1000,
};

static const char *const keys[] = { "id", "label", "issuer", "client-id", "client-secret-file",
	"scopes", "username-claim", "groups-claim", "allowed-groups", "allow-everyone",
	"admin-groups", "ca-file", "insecure-loopback", "own-callback", "end-session", "timeout-ms",
	"check-interval-ms", "keys-interval-ms", NULL };

struct reader {
	struct oidc_configs *all;
	const struct yaml_doc *doc;
	const struct yaml_node *map; /* of the provider being read */
};

/* Where to point: the key's value, else its map. */
static const struct yaml_node *at(const struct reader *r, const char *key)
{
	const struct yaml_node *node = yaml_find(r->map, key);

	return node != NULL ? node : r->map;
}

static int read_text(
    struct reader *r, const char *key, const char *other, const char **ret, struct cyg_err *err)
{
	const char *text = NULL;

	*ret = other;
	if (yaml_find(r->map, key) == NULL && other == NULL)
		return 0;
	if (yaml_find(r->map, key) == NULL)
		return other[0] != '\0' ? 0 : yaml_get_str(r->doc, r->map, key, &text, err);
	if (yaml_get_str(r->doc, r->map, key, &text, err) < 0)
		return -CYG_EINVAL;
	if (text[0] == '\0' || !cyg_str_is_text(cyg_str_of(text)))
		return yaml_fail(r->doc, at(r, key), err, "%s is one line of text", key);
	*ret = cyg_arena_dup(&r->all->arena, cyg_str_of(text));
	return 0;
}

static int read_bool(
    const struct reader *r, const char *key, bool other, bool *ret, struct cyg_err *err)
{
	*ret = other;
	return yaml_find(r->map, key) == NULL ? 0 : yaml_get_bool(r->doc, r->map, key, ret, err);
}

static int read_ms(
    const struct reader *r, const char *key, uint64_t other, uint64_t *ret, struct cyg_err *err)
{
	*ret = other;
	if (yaml_find(r->map, key) == NULL)
		return 0;
	if (yaml_get_u64(r->doc, r->map, key, ret, err) < 0)
		return -CYG_EINVAL;
	if (*ret == 0 || *ret > HOUR_MS)
		return yaml_fail(r->doc, at(r, key), err, "%s is 1 to %d", key, HOUR_MS);
	return 0;
}

static int read_names(
    struct reader *r, const char *key, struct oidc_names *ret, struct cyg_err *err)
{
	const struct yaml_node *list = yaml_find(r->map, key);

	if (list == NULL)
		return 0;
	if (list->kind != YAML_SEQ)
		return yaml_fail(r->doc, list, err, "%s is a list of groups", key);
	for (const struct yaml_node *c = list->first; c != NULL; c = c->next) {
		if (ret->n == OIDC_CONFIG_GROUPS_MAX)
			return yaml_fail(r->doc, c, err, "%s has at most %d groups", key,
			    OIDC_CONFIG_GROUPS_MAX);
		if (c->kind != YAML_SCALAR || c->text.len == 0)
			return yaml_fail(r->doc, c, err, "%s is a list of groups", key);
		ret->items[ret->n++] = cyg_arena_dup(&r->all->arena, c->text);
	}
	return 0;
}

static int check_id(struct reader *r, const struct oidc_config *c, struct cyg_err *err)
{
	size_t len = strlen(c->id);

	if (len == 0 || len >= CYG_NAME_MAX ||
	    strspn(c->id, "abcdefghijklmnopqrstuvwxyz0123456789-") != len || c->id[0] == '-')
		return yaml_fail(r->doc, at(r, "id"), err,
		    "an id is 1 to 63 of a-z, 0-9 and '-', and begins with a letter or digit");
	if (strcmp(c->id, "development") == 0)
		return yaml_fail(r->doc, at(r, "id"), err, "this id is the development sign-in's");
	for (size_t i = 0; i < r->all->n; i++) {
		if (strcmp(r->all->items[i].id, c->id) == 0)
			return yaml_fail(
			    r->doc, at(r, "id"), err, "there is a provider '%s' already", c->id);
	}
	return 0;
}

/* What must hold between the keys. */
static int check(struct reader *r, const struct oidc_config *c, struct cyg_err *err)
{
	if (check_id(r, c, err) < 0)
		return -CYG_EINVAL;
	if (!oidc_url_is_allowed(c->issuer, c->insecure_loopback))
		return yaml_fail(r->doc, at(r, "issuer"), err,
		    "issuer is an https address (http only to this machine, with insecure-loopback)");
	if (c->everyone == (c->allowed.n > 0))
		return yaml_fail(r->doc, at(r, "allowed-groups"), err,
		    "who may sign in is said by either allowed-groups or allow-everyone: true");
	if (c->groups_claim == NULL && (c->allowed.n > 0 || c->admins.n > 0))
		return yaml_fail(r->doc, at(r, "admin-groups"), err,
		    "groups-claim is needed to know the groups of anybody");
	return 0;
}

static int read_texts(struct reader *r, struct oidc_config *c, struct cyg_err *err)
{
	const struct {
		const char *key, *other; /* NULL: may be left out; "": must be there */
		const char **ret;
	} texts[] = {
		{ "id", "", &c->id },
		{ "label", "", &c->label },
		{ "issuer", "", &c->issuer },
		{ "client-id", "", &c->client_id },
		{ "client-secret-file", NULL, &c->secret_file },
		{ "scopes", "openid profile", &c->scopes },
		{ "username-claim", "preferred_username", &c->name_claim },
		{ "groups-claim", NULL, &c->groups_claim },
		{ "ca-file", NULL, &c->ca_file },
	};

	for (size_t i = 0; i < CYG_N(texts); i++) {
		if (read_text(r, texts[i].key, texts[i].other, texts[i].ret, err) < 0)
			return -CYG_EINVAL;
	}
	return 0;
}

static int read_provider(struct reader *r, struct cyg_err *err)
{
	struct oidc_config *c = &r->all->items[r->all->n];

	if (r->map->kind != YAML_MAP)
		return yaml_fail(r->doc, r->map, err, "a provider is a map");
	if (yaml_check_keys(r->doc, r->map, keys, err) < 0 || read_texts(r, c, err) < 0 ||
	    read_names(r, "allowed-groups", &c->allowed, err) < 0 ||
	    read_names(r, "admin-groups", &c->admins, err) < 0 ||
	    read_bool(r, "allow-everyone", false, &c->everyone, err) < 0 ||
	    read_bool(r, "insecure-loopback", false, &c->insecure_loopback, err) < 0 ||
	    read_bool(r, "own-callback", false, &c->own_callback, err) < 0 ||
	    read_bool(r, "end-session", true, &c->end_session, err) < 0 ||
	    read_ms(r, "timeout-ms", TIMEOUT_MS, &c->timeout_ms, err) < 0 ||
	    read_ms(r, "check-interval-ms", CHECK_MS, &c->check_interval_ms, err) < 0 ||
	    read_ms(r, "keys-interval-ms", KEYS_MS, &c->keys_interval_ms, err) < 0 ||
	    check(r, c, err) < 0)
		return -CYG_EINVAL;
	r->all->n++;
	return 0;
}

static int read_all(struct reader *r, struct cyg_err *err)
{
	static const char *const top[] = { "providers", NULL };
	const struct yaml_node *root = yaml_root(r->doc);
	const struct yaml_node *list = root->kind == YAML_MAP ? yaml_find(root, "providers") : NULL;

	if (root->kind == YAML_MAP && yaml_check_keys(r->doc, root, top, err) < 0)
		return -CYG_EINVAL;
	if (list == NULL || list->kind != YAML_SEQ || list->first == NULL)
		return yaml_fail(
		    r->doc, root, err, "'providers' is a list of at least one provider");
	for (const struct yaml_node *c = list->first; c != NULL; c = c->next) {
		if (r->all->n == OIDC_PROVIDERS_MAX)
			return yaml_fail(
			    r->doc, c, err, "at most %d providers", OIDC_PROVIDERS_MAX);
		r->map = c;
		if (read_provider(r, err) < 0)
			return -CYG_EINVAL;
	}
	return 0;
}

static int read_doc(struct yaml_doc *doc, struct oidc_configs **ret, struct cyg_err *err)
{
	struct oidc_configs *all = cyg_xcalloc(1, sizeof(*all));
	struct reader r = { .all = all, .doc = doc };

	cyg_arena_init(&all->arena);
	int rc = read_all(&r, err);
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
		return cyg_xasprintf("%.*s/hub/oauth_callback", CYG_STR_ARGS(base));
	return cyg_xasprintf("%.*s/hub/oauth_callback/%s", CYG_STR_ARGS(base), c->id);
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
