/* The code flow's messages: the authorization URL, the callback, the token request and its
 * response. */
#include "base/enc.h"
#include "base/mem.h"
#include "oidc/oidc.h"

#include <string.h>

enum { ERROR_SHOWN_MAX = 60 };

void oidc_attempt_init(struct oidc_attempt *a)
{
	cyg_random_hex(a->state, 32);
	cyg_random_hex(a->nonce, 32);
	cyg_random_hex(
	    a->verifier, 32); /* 64 characters of [0-9a-f]: a valid verifier (RFC 7636 4.1) */
}

/* Appends name=value with everything but unreserved characters escaped. */
static int add_param(struct cyg_buf *out, const char *name, const char *value, struct cyg_err *err)
{
	static const char hex[] = "0123456789ABCDEF";
	int rc = cyg_buf_printf(
	    out, err, "%s%s=", out->len > 0 && out->data[out->len - 1] != '?' ? "&" : "", name);

	for (const char *p = value; rc == 0 && *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;
		char text[3] = { '%', hex[c >> 4], hex[c & 15] };
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			     (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' || c == '~';

		rc = plain ? cyg_buf_add(out, p, 1, err) : cyg_buf_add(out, text, 3, err);
	}
	return rc;
}

/* Adds (name, value) pairs up to a NULL name. */
static int add_params(struct cyg_buf *out, const char *const (*pairs)[2], struct cyg_err *err)
{
	int rc = 0;

	for (; rc == 0 && (*pairs)[0] != NULL; pairs++)
		rc = add_param(out, (*pairs)[0], (*pairs)[1], err);
	return rc;
}

int oidc_authorize_url(const struct oidc_endpoints *e, const struct oidc_client *c,
    const struct oidc_attempt *a, struct cyg_buf *out, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf challenge;
	unsigned char digest[32];
	int rc;

	jose_sha256(a->verifier, strlen(a->verifier), digest);
	cyg_buf_init(&challenge, 64);
	rc = cyg_base64url_write(&challenge, digest, sizeof(digest), err);
	if (rc == 0)
		rc = cyg_buf_printf(out, err, "%s%s", e->authorization,
		    strchr(e->authorization, '?') == NULL ? "?" : "");
	if (rc < 0)
		return rc;
	return add_params(out,
	    (const char *const[][2]){ { "response_type", "code" }, { "client_id", c->client_id },
		{ "redirect_uri", c->redirect_uri }, { "scope", c->scopes }, { "state", a->state },
		{ "nonce", a->nonce }, { "code_challenge", challenge.data },
		{ "code_challenge_method", "S256" }, { NULL, NULL } },
	    err);
}

/* The raw value of a parameter that may be there at most once. */
static int once(struct cyg_str query, const char *name, struct cyg_str *ret, struct cyg_err *err)
{
	struct cyg_str rest = query;
	struct cyg_str part;

	*ret = (struct cyg_str){ NULL, 0 };
	while (cyg_str_next(&rest, '&', &part)) {
		size_t eq = cyg_str_chr(part, '=');

		if (!cyg_str_eq(cyg_str_sub(part, 0, eq), name))
			continue;
		if (ret->p != NULL)
			return cyg_fail(err, CYG_EINVAL, "the response has '%s' twice", name);
		*ret = eq < part.len ? cyg_str_skip(part, eq + 1) : cyg_str_skip(part, part.len);
	}
	return 0;
}

/* Percent-decodes a parameter of a query into text; NULL when it is absent. */
static int decoded(struct cyg_str raw, size_t max, char **ret, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf out = { 0 };

	if (raw.p == NULL)
		return 0;
	cyg_buf_init(&out, max);
	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.p[i] == '+' ? ' ' : raw.p[i];
		int rc = 0;

		if (c == '%') {
			rc = raw.len - i < 3 ? cyg_fail(err, CYG_EINVAL, "bad escape")
					     : cyg_hex_read(cyg_str_sub(raw, i + 1, 2), &c, 1, err);
			i += 2;
		}
		if (rc == 0)
			rc = cyg_buf_add(&out, &c, 1, err);
		if (rc < 0)
			return cyg_wrap(err, "the provider's response");
	}
	if (!cyg_str_is_text(cyg_buf_str(&out)))
		return cyg_fail(
		    err, CYG_EINVAL, "the provider's response holds control characters");
	*ret = cyg_buf_take(&out, NULL);
	return 0;
}

int oidc_callback_parse(
    struct cyg_str query, struct oidc_callback *ret, struct cyg_str *iss_raw, struct cyg_err *err)
{
	struct cyg_str code = { NULL, 0 };
	struct cyg_str state = { NULL, 0 };
	struct cyg_str error = { NULL, 0 };
	int rc = once(query, "code", &code, err);

	*ret = (struct oidc_callback){ 0 };
	if (rc == 0)
		rc = once(query, "state", &state, err);
	if (rc == 0)
		rc = once(query, "error", &error, err);
	if (rc == 0)
		rc = once(query, "iss", iss_raw, err);
	if (rc == 0)
		rc = decoded(code, 4096, &ret->code, err);
	if (rc == 0)
		rc = decoded(state, 256, &ret->state, err);
	if (rc == 0 && error.len > ERROR_SHOWN_MAX)
		error.len = ERROR_SHOWN_MAX;
	if (rc == 0)
		rc = decoded(error, 256, &ret->error, err);
	if (rc < 0)
		return rc;
	if (ret->state == NULL)
		return cyg_fail(err, CYG_EINVAL, "the response has no state");
	if ((ret->code == NULL) == (ret->error == NULL))
		return cyg_fail(
		    err, CYG_EINVAL, "the response has neither a code nor an error, or both");
	return 0;
}

void oidc_callback_free(struct oidc_callback *cb)
{
	if (cb->code != NULL)
		cyg_cleanse(cb->code, strlen(cb->code));
	free(cb->code);
	free(cb->state);
	free(cb->error);
	*cb = (struct oidc_callback){ 0 };
}

int oidc_callback_check_issuer(
    const struct oidc_endpoints *e, struct cyg_str iss_raw, struct cyg_err *err)
{
	cyg_autofree char *iss = NULL;

	if (iss_raw.p == NULL && !e->iss_in_response)
		return 0;
	if (iss_raw.p == NULL)
		return cyg_fail(err, CYG_EDENIED, "the response does not name its issuer");
	if (decoded(iss_raw, 1024, &iss, err) < 0 || iss == NULL)
		return -(int)CYG_EINVAL;
	if (strcmp(iss, e->issuer) != 0) /* RFC 9207 2.4: compared byte by byte */
		return cyg_fail(err, CYG_EDENIED, "the response comes from another issuer");
	return 0;
}

int oidc_token_request(const struct oidc_client *c, const char *code, const char *verifier,
    const char *secret, struct cyg_buf *out, struct cyg_err *err)
{
	int rc = add_params(out,
	    (const char *const[][2]){ { "grant_type", "authorization_code" }, { "code", code },
		{ "redirect_uri", c->redirect_uri }, { "client_id", c->client_id },
		{ "code_verifier", verifier }, { NULL, NULL } },
	    err);

	if (rc == 0 && secret != NULL)
		rc = add_param(out, "client_secret", secret, err);
	return rc;
}

static char *dup_member(const json_t *doc, const char *name)
{
	const char *value = json_string_value(json_object_get(doc, name));

	return value != NULL ? cyg_xstrdup(value) : NULL;
}

static int read_tokens(const json_t *doc, struct oidc_tokens *ret, struct cyg_err *err)
{
	const char *type = json_string_value(json_object_get(doc, "token_type"));
	const json_t *expires = json_object_get(doc, "expires_in");

	if (type == NULL || !cyg_str_case_eq(cyg_str_of(type), "bearer"))
		return cyg_fail(err, CYG_EPROTO, "the provider's token is not a bearer token");
	if (expires != NULL && !json_is_integer(expires))
		return cyg_fail(err, CYG_EPROTO, "the provider's expires_in is not a whole number");
	ret->id_token = dup_member(doc, "id_token");
	ret->access_token = dup_member(doc, "access_token");
	ret->refresh_token = dup_member(doc, "refresh_token");
	ret->expires_in_s = json_integer_value(expires);
	if (ret->id_token == NULL || ret->access_token == NULL)
		return cyg_fail(
		    err, CYG_EPROTO, "the provider's response lacks id_token or access_token");
	return 0;
}

int oidc_token_parse(int status, struct cyg_str body, struct oidc_tokens *ret, struct cyg_err *err)
{
	json_t *doc;
	int rc;

	*ret = (struct oidc_tokens){ 0 };
	if (status != 200)
		return cyg_fail(
		    err, CYG_EPROTO, "the provider refused the code (status %d)", status);
	if (body.len > OIDC_TOKEN_ANSWER_MAX)
		return cyg_fail(err, CYG_ELIMIT, "the provider's response is too long");
	doc = json_loadb(body.p, body.len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(doc)) {
		json_decref(doc);
		return cyg_fail(err, CYG_EPROTO, "the provider's response is not a JSON object");
	}
	rc = read_tokens(doc, ret, err);
	json_decref(doc);
	if (rc < 0)
		oidc_tokens_free(ret);
	return rc;
}

static void free_secret(char *s)
{
	if (s != NULL)
		cyg_cleanse(s, strlen(s));
	free(s);
}

void oidc_tokens_free(struct oidc_tokens *t)
{
	free_secret(t->id_token);
	free_secret(t->access_token);
	free_secret(t->refresh_token);
	*t = (struct oidc_tokens){ 0 };
}
