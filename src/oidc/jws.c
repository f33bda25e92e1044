/* Verifying compact signatures: split, header rules, key choice, signature, payload. */
#include "base/buf.h"
#include "base/enc.h"
#include "base/mem.h"
#include "oidc/jose_internal.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <string.h>

struct alg {
	const char *name;
	int type, curve;
	const char *digest; /* NULL for EdDSA */
	bool pss;
};

static const struct alg algs_known[] = {
	{ "RS256", EVP_PKEY_RSA, 0, "SHA256", false },
	{ "PS256", EVP_PKEY_RSA, 0, "SHA256", true },
	{ "ES256", EVP_PKEY_EC, 256, "SHA256", false },
	{ "ES384", EVP_PKEY_EC, 384, "SHA384", false },
	{ "EdDSA", EVP_PKEY_ED25519, 0, NULL, false },
};

struct parts {
	struct cyg_str header, payload, signature, signed_;
};

void jose_sha256(const void *data, size_t len, unsigned char out[32])
{
	(void)SHA256(data, len, out);
}

static int split(struct cyg_str compact, struct parts *p, struct cyg_err *err)
{
	size_t a = cyg_str_chr(compact, '.');
	size_t b;

	if (compact.len > JOSE_TOKEN_MAX)
		return cyg_fail(err, CYG_ELIMIT, "token is over %d bytes", JOSE_TOKEN_MAX);
	if (a == compact.len)
		return cyg_fail(err, CYG_EPROTO, "token has not three parts");
	b = a + 1 + cyg_str_chr(cyg_str_skip(compact, a + 1), '.');
	if (b == compact.len ||
	    cyg_str_chr(cyg_str_skip(compact, b + 1), '.') + b + 1 != compact.len)
		return cyg_fail(err, CYG_EPROTO, "token has not three parts");
	p->header = cyg_str_sub(compact, 0, a);
	p->payload = cyg_str_sub(compact, a + 1, b - a - 1);
	p->signature = cyg_str_skip(compact, b + 1);
	p->signed_ = cyg_str_sub(compact, 0, b);
	return 0;
}

/* One part as a JSON object without duplicate keys; new reference. */
static int part_json(
    struct cyg_str part, size_t max, const char *what, json_t **ret, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf text;
	json_t *doc;

	cyg_buf_init(&text, max);
	if (cyg_base64url_read(&text, part, err) < 0)
		return cyg_wrap(err, "token's %s", what);
	doc = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(doc)) {
		json_decref(doc);
		return cyg_fail(err, CYG_EPROTO, "token's %s is not a JSON object", what);
	}
	*ret = doc;
	return 0;
}

static const struct alg *alg_of(const json_t *header, const char *const *allowed)
{
	const char *name = json_string_value(json_object_get(header, "alg"));

	for (; name != NULL && *allowed != NULL; allowed++) {
		if (strcmp(*allowed, name) != 0)
			continue;
		for (size_t i = 0; i < CYG_N(algs_known); i++) {
			if (strcmp(algs_known[i].name, name) == 0)
				return &algs_known[i];
		}
	}
	return NULL;
}

/* JOSE writes ECDSA signatures as r and s side by side (RFC 7518 3.4); OpenSSL wants DER. */
static int ec_to_der(struct cyg_str raw, int curve, unsigned char **der)
{
	size_t half = (size_t)curve / 8;
	ECDSA_SIG *sig;
	BIGNUM *r;
	BIGNUM *s;
	int len;

	if (raw.len != 2 * half)
		return -1;
	sig = ECDSA_SIG_new();
	r = BN_bin2bn((const unsigned char *)raw.p, (int)half, NULL);
	s = BN_bin2bn((const unsigned char *)raw.p + half, (int)half, NULL);
	if (sig == NULL || r == NULL || s == NULL || BN_is_zero(r) || BN_is_zero(s) ||
	    ECDSA_SIG_set0(sig, r, s) != 1) {
		BN_free(r);
		BN_free(s);
		ECDSA_SIG_free(sig);
		return -1;
	}
	len = i2d_ECDSA_SIG(sig, der);
	ECDSA_SIG_free(sig);
	return len;
}

static bool verify_with(
    const struct jose_key *key, const struct alg *alg, struct cyg_str data, struct cyg_str sig)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	unsigned char *der = NULL;
	bool ok = false;

	if (alg->type == EVP_PKEY_EC) {
		int len = ec_to_der(sig, alg->curve, &der);

		if (len <= 0) {
			EVP_MD_CTX_free(ctx);
			return false;
		}
		sig = (struct cyg_str){ (const char *)der, (size_t)len };
	}
	if (ctx != NULL &&
	    EVP_DigestVerifyInit_ex(ctx, &pctx, alg->digest, NULL, NULL, key->pkey, NULL) == 1 &&
	    (!alg->pss || (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0 &&
			      EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) > 0)))
		ok = EVP_DigestVerify(ctx, (const unsigned char *)sig.p, sig.len,
			 (const unsigned char *)data.p, data.len) == 1;
	OPENSSL_free(der);
	EVP_MD_CTX_free(ctx);
	return ok;
}

static bool key_fits(const struct jose_key *key, const struct alg *alg, const char *kid)
{
	if (key->type != alg->type || key->curve != alg->curve)
		return false;
	if (key->alg != NULL && strcmp(key->alg, alg->name) != 0)
		return false;
	return kid == NULL || (key->kid != NULL && strcmp(key->kid, kid) == 0);
}

static int verify_parts(const struct parts *p, const json_t *header, const struct jose_jwks *keys,
    const struct alg *alg, struct jose_outcome *outcome, struct cyg_err *err)
{
	const char *kid = json_string_value(json_object_get(header, "kid"));
	cyg_autobuf struct cyg_buf sig;
	bool tried = false;

	cyg_buf_init(&sig, JOSE_TOKEN_MAX);
	if (cyg_base64url_read(&sig, p->signature, err) < 0)
		return cyg_wrap(err, "token's signature");
	for (size_t i = 0; i < keys->n; i++) {
		if (!key_fits(&keys->keys[i], alg, kid))
			continue;
		tried = true;
		if (verify_with(&keys->keys[i], alg, p->signed_, cyg_buf_str(&sig)))
			return 0;
	}
	/* Without a kid, keys that do not fit may be ones that the provider has replaced. */
	outcome->unknown_key = !tried || kid == NULL;
	return cyg_fail(err, CYG_EDENIED,
	    tried ? "token's signature is wrong" : "token is signed with a key we do not know");
}

static int check_header(const json_t *header, struct cyg_err *err)
{
	const json_t *kid = json_object_get(header, "kid");

	if (json_object_get(header, "crit") != NULL)
		return cyg_fail(err, CYG_EPROTO, "token demands extensions (crit)");
	if (json_object_get(header, "zip") != NULL)
		return cyg_fail(err, CYG_EPROTO, "token is compressed");
	if (kid != NULL && !json_is_string(kid))
		return cyg_fail(err, CYG_EPROTO, "token's kid is not text");
	return 0;
}

int jose_jws_verify(struct cyg_str compact, const struct jose_jwks *keys, const char *const *algs,
    struct jose_outcome *outcome, json_t **payload, struct cyg_err *err)
{
	struct parts p = { 0 };
	const struct alg *alg;
	json_t *header = NULL;
	int rc = split(compact, &p, err);

	outcome->unknown_key = false;
	if (rc == 0)
		rc = part_json(p.header, JOSE_HEADER_MAX, "header", &header, err);
	if (rc < 0)
		return rc;
	rc = check_header(header, err);
	alg = alg_of(header, algs);
	if (rc == 0 && alg == NULL)
		rc = cyg_fail(err, CYG_EDENIED, "token's signature algorithm is not allowed");
	if (rc == 0)
		rc = verify_parts(&p, header, keys, alg, outcome, err);
	json_decref(header);
	if (rc < 0)
		return rc;
	return part_json(p.payload, JOSE_TOKEN_MAX, "payload", payload, err);
}
