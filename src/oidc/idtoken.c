/* Checks what an ID token must say (OpenID Connect Core 3.1.3.7), and takes the user name and
 * groups from it. */
#include "base/enc.h"
#include "base/mem.h"
#include "oidc/oidc.h"

#include <string.h>

enum { SUB_MAX = 255, USERNAME_MAX = 32, CLAIM_NAME_MAX = 256 };

static bool text_is(const json_t *value, const char *expected)
{
	return json_is_string(value) && strcmp(json_string_value(value), expected) == 0;
}

static int check_audience(const json_t *claims, const char *client_id, struct cyg_err *err)
{
	const json_t *aud = json_object_get(claims, "aud");
	const json_t *azp = json_object_get(claims, "azp");
	bool ours = text_is(aud, client_id);
	bool others = false;
	const json_t *item;
	size_t i;

	json_array_foreach (aud, i, item) {
		if (text_is(item, client_id))
			ours = true;
		else
			others = true;
	}
	if (!ours)
		return cyg_fail(err, CYG_EDENIED, "the ID token is not for us (aud)");
	if (azp != NULL && !text_is(azp, client_id))
		return cyg_fail(
		    err, CYG_EDENIED, "the ID token was issued to another client (azp)");
	if (others && azp == NULL)
		return cyg_fail(err, CYG_EDENIED, "the ID token is for others too and has no azp");
	return 0;
}

/* A time claim in whole seconds; fractions are cut, absurd values refused. */
static int time_claim(
    const json_t *claims, const char *name, bool required, int64_t *ret, struct cyg_err *err)
{
	const json_t *v = json_object_get(claims, name);
	double d = json_number_value(v);

	if (v == NULL && !required)
		return 0;
	if (!json_is_number(v) || d < 0 || d > 1e12)
		return cyg_fail(err, CYG_EDENIED, "the ID token has no usable %s", name);
	*ret = (int64_t)d;
	return 0;
}

static int check_times(const json_t *claims, int64_t now_s, struct cyg_err *err)
{
	int64_t exp = 0;
	int64_t iat = 0;
	int64_t nbf = 0;
	int rc = time_claim(claims, "exp", true, &exp, err);

	if (rc == 0)
		rc = time_claim(claims, "iat", true, &iat, err);
	if (rc == 0)
		rc = time_claim(claims, "nbf", false, &nbf, err);
	if (rc < 0)
		return rc;
	if (exp + OIDC_SLACK_S < now_s)
		return cyg_fail(err, CYG_EDENIED, "the ID token has expired");
	if (iat > now_s + OIDC_SLACK_S || nbf > now_s + OIDC_SLACK_S)
		return cyg_fail(
		    err, CYG_EDENIED, "the ID token is from the future: do the clocks agree?");
	return 0;
}

/* at_hash: the left half of the access token's hash. All our algorithms but ES384 and EdDSA use
 * SHA-256; a hash of another length is left to the signature. */
static int check_at_hash(const json_t *claims, const char *access_token, struct cyg_err *err)
{
	const json_t *at_hash = json_object_get(claims, "at_hash");
	cyg_autobuf struct cyg_buf text = { 0 };
	unsigned char digest[32];

	if (at_hash == NULL || access_token == NULL)
		return 0;
	if (!json_is_string(at_hash))
		return cyg_fail(err, CYG_EDENIED, "the ID token's at_hash is not text");
	jose_sha256(access_token, strlen(access_token), digest);
	cyg_buf_init(&text, 64);
	(void)cyg_base64url_write(&text, digest, sizeof(digest) / 2, NULL);
	if (json_string_length(at_hash) == text.len &&
	    !cyg_str_same_secret(json_string_value(at_hash), text.data, text.len))
		return cyg_fail(err, CYG_EDENIED, "the ID token belongs to another access token");
	return 0;
}

int oidc_idtoken_check(const json_t *claims, const struct oidc_rules *rules, struct cyg_err *err)
{
	const json_t *nonce = json_object_get(claims, "nonce");
	int rc;

	if (!text_is(json_object_get(claims, "iss"), rules->issuer))
		return cyg_fail(err, CYG_EDENIED, "the ID token comes from another issuer");
	rc = check_audience(claims, rules->client_id, err);
	if (rc == 0)
		rc = check_times(claims, rules->now_s, err);
	if (rc < 0)
		return rc;
	if (!json_is_string(nonce) || json_string_length(nonce) != strlen(rules->nonce) ||
	    !cyg_str_same_secret(json_string_value(nonce), rules->nonce, strlen(rules->nonce)))
		return cyg_fail(
		    err, CYG_EDENIED, "the ID token belongs to another sign-in (nonce)");
	if (oidc_subject(claims) == NULL)
		return cyg_fail(err, CYG_EDENIED, "the ID token names no subject");
	return check_at_hash(claims, rules->access_token, err);
}

const char *oidc_subject(const json_t *claims)
{
	const json_t *sub = json_object_get(claims, "sub");
	size_t len = json_string_length(sub);

	if (len == 0 || len > SUB_MAX ||
	    !cyg_str_is_text((struct cyg_str){ json_string_value(sub), len }))
		return NULL;
	return json_string_value(sub);
}

/* Takes one name off a path into out, unescaping; the rest, or NULL when the path ends or is bad.
 */
static const char *path_step(const char *path, char out[CLAIM_NAME_MAX], bool *ok)
{
	size_t n = 0;

	for (; *path != '\0' && *path != '.'; path++) {
		if (path[0] == '\\' && path[1] != '\0')
			path++;
		if (n + 1 >= CLAIM_NAME_MAX) {
			*ok = false;
			return NULL;
		}
		out[n++] = *path;
	}
	out[n] = '\0';
	*ok = n > 0;
	return *path == '.' ? path + 1 : NULL;
}

const json_t *oidc_claim_find(const json_t *claims, const char *path)
{
	while (path != NULL && claims != NULL) {
		char name[CLAIM_NAME_MAX];
		bool ok = false;

		path = path_step(path, name, &ok);
		claims = ok ? json_object_get(claims, name) : NULL;
	}
	return claims;
}

int oidc_username(const json_t *claims, const char *path, char out[33], struct cyg_err *err)
{
	const json_t *value = oidc_claim_find(claims, path);
	size_t len = json_string_length(value);
	const char *text = json_string_value(value);

	if (text == NULL || len == 0)
		return cyg_fail(
		    err, CYG_EDENIED, "the provider says no user name (claim '%.60s')", path);
	if (len > USERNAME_MAX)
		return cyg_fail(
		    err, CYG_EDENIED, "the user name is over %d characters", USERNAME_MAX);
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c + ('a' - 'A'));
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			(i > 0 && (c == '.' || c == '_' || c == '-'))))
			return cyg_fail(err, CYG_EDENIED,
			    "the user name has characters other than letters, digits, '.', '_' and '-'");
		out[i] = c;
	}
	out[len] = '\0';
	return 0;
}

void oidc_groups_free(char **groups)
{
	for (char **g = groups; g != NULL && *g != NULL; g++)
		free(*g);
	free(groups);
}

int oidc_groups(const json_t *claims, const char *path, char ***ret, struct cyg_err *err)
{
	const json_t *value = path != NULL ? oidc_claim_find(claims, path) : NULL;
	size_t n = json_is_array(value) ? json_array_size(value) : json_is_string(value) ? 1 : 0;
	char **groups;

	if (n > OIDC_GROUPS_MAX)
		return cyg_fail(err, CYG_ELIMIT, "more than %d groups", OIDC_GROUPS_MAX);
	if (value != NULL && !json_is_null(value) && !json_is_array(value) &&
	    !json_is_string(value))
		return cyg_fail(err, CYG_EDENIED, "the claim '%.60s' is no list of groups", path);
	groups = cyg_xcalloc(n + 1, sizeof(*groups));
	for (size_t i = 0; i < n; i++) {
		const json_t *g = json_is_array(value) ? json_array_get(value, i) : value;
		struct cyg_str name = { json_string_value(g), json_string_length(g) };

		if (!json_is_string(g) || name.len == 0 || name.len > CLAIM_NAME_MAX ||
		    !cyg_str_is_text(name)) {
			oidc_groups_free(groups);
			return cyg_fail(err, CYG_EDENIED,
			    "the claim '%.60s' holds something that is no group name", path);
		}
		groups[i] = cyg_str_dup(name);
	}
	*ret = groups;
	return 0;
}
