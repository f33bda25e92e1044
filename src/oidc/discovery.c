/* Checks the discovery document, and decides which URLs may be called. */
#include "base/mem.h"
#include "oidc/oidc.h"

#include <string.h>

static bool host_is_loopback(struct cyg_str host)
{
	return cyg_str_eq(host, "127.0.0.1") || cyg_str_eq(host, "localhost") ||
	       cyg_str_eq(host, "[::1]");
}

/* The host of scheme://host[:port]/..., empty when there is user information or nothing. */
static struct cyg_str host_of(struct cyg_str rest)
{
	size_t end = 0;

	while (end < rest.len && rest.p[end] != '/' && rest.p[end] != '?' && rest.p[end] != '#')
		end++;
	rest.len = end;
	if (cyg_str_chr(rest, '@') < rest.len || cyg_str_chr(rest, '\\') < rest.len)
		return cyg_str_sub(rest, 0, 0);
	if (rest.len > 0 && rest.p[0] == '[') {
		end = cyg_str_chr(rest, ']');
		return end < rest.len ? cyg_str_sub(rest, 0, end + 1) : cyg_str_sub(rest, 0, 0);
	}
	return cyg_str_sub(rest, 0, cyg_str_chr(rest, ':'));
}

bool oidc_url_is_allowed(const char *url, bool insecure_loopback)
{
	struct cyg_str s = cyg_str_of(url);

	if (!cyg_str_is_text(s) || cyg_str_chr(s, ' ') < s.len || cyg_str_chr(s, '#') < s.len)
		return false;
	if (cyg_str_starts(s, "https://"))
		return host_of(cyg_str_skip(s, 8)).len > 0;
	return insecure_loopback && cyg_str_starts(s, "http://") &&
	       host_is_loopback(host_of(cyg_str_skip(s, 7)));
}

static int take_url(const json_t *doc, const char *name, bool required, bool insecure, char **ret,
    struct cyg_err *err)
{
	const char *url = json_string_value(json_object_get(doc, name));

	if (url == NULL && !required)
		return 0;
	if (url == NULL)
		return cyg_fail(
		    err, CYG_EPROTO, "the provider's discovery document has no %s", name);
	if (!oidc_url_is_allowed(url, insecure))
		return cyg_fail(err, CYG_EPROTO, "the provider's %s is not an https address", name);
	*ret = cyg_xstrdup(url);
	return 0;
}

static bool lists(const json_t *array, const char *word)
{
	const json_t *item;
	size_t i;

	json_array_foreach (array, i, item) {
		if (json_is_string(item) && strcmp(json_string_value(item), word) == 0)
			return true;
	}
	return false;
}

static int read_document(const json_t *doc, const char *issuer, bool insecure,
    struct oidc_endpoints *e, struct cyg_err *err)
{
	const char *said = json_string_value(json_object_get(doc, "issuer"));
	const json_t *methods = json_object_get(doc, "code_challenge_methods_supported");
	const json_t *auth = json_object_get(doc, "token_endpoint_auth_methods_supported");
	int rc;

	if (said == NULL || strcmp(said, issuer) != 0)
		return cyg_fail(err, CYG_EPROTO,
		    "the provider calls itself another issuer than '%.100s'", issuer);
	if (methods != NULL && !lists(methods, "S256"))
		return cyg_fail(err, CYG_EPROTO, "the provider does not offer PKCE with S256");
	e->issuer = cyg_xstrdup(issuer);
	e->iss_in_response =
	    json_is_true(json_object_get(doc, "authorization_response_iss_parameter_supported"));
	e->basic_auth = auth == NULL || lists(auth, "client_secret_basic");
	rc = take_url(doc, "authorization_endpoint", true, insecure, &e->authorization, err);
	if (rc == 0)
		rc = take_url(doc, "token_endpoint", true, insecure, &e->token, err);
	if (rc == 0)
		rc = take_url(doc, "jwks_uri", true, insecure, &e->jwks, err);
	if (rc == 0)
		rc = take_url(doc, "userinfo_endpoint", false, insecure, &e->userinfo, err);
	if (rc == 0)
		rc = take_url(doc, "end_session_endpoint", false, insecure, &e->end_session, err);
	return rc;
}

int oidc_discovery_parse(struct cyg_str text, const char *issuer, bool insecure_loopback,
    struct oidc_endpoints **ret, struct cyg_err *err)
{
	struct oidc_endpoints *e;
	json_t *doc;
	int rc;

	if (text.len > OIDC_DOC_MAX)
		return cyg_fail(
		    err, CYG_ELIMIT, "discovery document is over %d bytes", OIDC_DOC_MAX);
	doc = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(doc)) {
		json_decref(doc);
		return cyg_fail(err, CYG_EPROTO, "discovery document is not a JSON object");
	}
	e = cyg_xcalloc(1, sizeof(*e));
	rc = read_document(doc, issuer, insecure_loopback, e, err);
	json_decref(doc);
	if (rc < 0) {
		oidc_endpoints_free(e);
		return rc;
	}
	*ret = e;
	return 0;
}

void oidc_endpoints_free(struct oidc_endpoints *e)
{
	if (e == NULL)
		return;
	free(e->issuer);
	free(e->authorization);
	free(e->token);
	free(e->jwks);
	free(e->userinfo);
	free(e->end_session);
	free(e);
}
