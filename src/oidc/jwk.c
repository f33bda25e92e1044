/* Key sets: JWK → EVP_PKEY for RSA, EC P-256 and P-384, and Ed25519 public keys. */
#include "base/buf.h"
#include "base/enc.h"
#include "base/mem.h"
#include "oidc/jose_internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <string.h>

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192, COORD_MAX = 48, JWK_BYTES_MAX = 2048 };

static const char *text_of(const json_t *jwk, const char *name)
{
	return json_string_value(json_object_get(jwk, name));
}

/* Decodes a base64url member; false when it is missing or not canonical. */
static bool bytes_of(const json_t *jwk, const char *name, struct cyg_buf *out)
{
	const char *text = text_of(jwk, name);

	cyg_buf_init(out, JWK_BYTES_MAX);
	return text != NULL && text[0] != '\0' &&
	       cyg_base64url_read(out, cyg_str_of(text), NULL) == 0;
}

static EVP_PKEY *pkey_from(const char *type, OSSL_PARAM_BLD *bld)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* A public exponent must be odd and over 2: 1 would make every signature right. */
static bool rsa_is_sound(const BIGNUM *n, const BIGNUM *e)
{
	int bits = BN_num_bits(n);

	return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX && BN_is_odd(e) &&
	       BN_num_bits(e) >= 2 && BN_num_bits(e) <= 64;
}

static EVP_PKEY *rsa_key(const json_t *jwk)
{
	cyg_autobuf struct cyg_buf n_bytes = { 0 };
	cyg_autobuf struct cyg_buf e_bytes = { 0 };
	bool have_n = bytes_of(jwk, "n", &n_bytes);
	bool have_e = bytes_of(jwk, "e", &e_bytes);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey = NULL;
	BIGNUM *n = NULL;
	BIGNUM *e = NULL;

	if (have_n && have_e) {
		n = BN_bin2bn((const unsigned char *)n_bytes.data, (int)n_bytes.len, NULL);
		e = BN_bin2bn((const unsigned char *)e_bytes.data, (int)e_bytes.len, NULL);
	}
	if (bld != NULL && n != NULL && e != NULL && rsa_is_sound(n, e) &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		pkey = pkey_from("RSA", bld);
	OSSL_PARAM_BLD_free(bld);
	BN_free(n);
	BN_free(e);
	return pkey;
}

/* OpenSSL refuses a point that is not on the curve. */
static EVP_PKEY *ec_key(const json_t *jwk, int *curve)
{
	const char *crv = text_of(jwk, "crv");
	cyg_autobuf struct cyg_buf x = { 0 };
	cyg_autobuf struct cyg_buf y = { 0 };
	bool have_x = bytes_of(jwk, "x", &x);
	bool have_y = bytes_of(jwk, "y", &y);
	unsigned char point[1 + 2 * COORD_MAX] = { 0x04 };
	OSSL_PARAM_BLD *bld;
	EVP_PKEY *pkey = NULL;
	size_t size;

	if (!have_x || !have_y || crv == NULL)
		return NULL;
	*curve = strcmp(crv, "P-256") == 0 ? 256 : strcmp(crv, "P-384") == 0 ? 384 : 0;
	size = (size_t)*curve / 8;
	if (*curve == 0 || x.len != size || y.len != size)
		return NULL;
	memcpy(point + 1, x.data, size);
	memcpy(point + 1 + size, y.data, size);
	bld = OSSL_PARAM_BLD_new();
	if (bld != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, crv, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size) ==
		1)
		pkey = pkey_from("EC", bld);
	OSSL_PARAM_BLD_free(bld);
	return pkey;
}

static EVP_PKEY *ed_key(const json_t *jwk)
{
	const char *crv = text_of(jwk, "crv");
	cyg_autobuf struct cyg_buf x = { 0 };
	bool have_x = bytes_of(jwk, "x", &x);

	if (!have_x || crv == NULL || strcmp(crv, "Ed25519") != 0 || x.len != 32)
		return NULL;
	return EVP_PKEY_new_raw_public_key(
	    EVP_PKEY_ED25519, NULL, (const unsigned char *)x.data, x.len);
}

/* True when use and key_ops, where they are there, allow verifying. */
static bool is_for_signing(const json_t *jwk)
{
	const json_t *ops = json_object_get(jwk, "key_ops");
	const char *use = text_of(jwk, "use");
	size_t i;
	const json_t *op;

	if (use != NULL && strcmp(use, "sig") != 0)
		return false;
	if (!json_is_array(ops))
		return ops == NULL;
	json_array_foreach (ops, i, op) {
		if (json_is_string(op) && strcmp(json_string_value(op), "verify") == 0)
			return true;
	}
	return false;
}

static bool read_key(const json_t *jwk, struct jose_key *key)
{
	const char *kty = text_of(jwk, "kty");

	if (kty == NULL || !is_for_signing(jwk))
		return false;
	if (strcmp(kty, "RSA") == 0) {
		key->type = EVP_PKEY_RSA;
		key->pkey = rsa_key(jwk);
	} else if (strcmp(kty, "EC") == 0) {
		key->type = EVP_PKEY_EC;
		key->pkey = ec_key(jwk, &key->curve);
	} else if (strcmp(kty, "OKP") == 0) {
		key->type = EVP_PKEY_ED25519;
		key->pkey = ed_key(jwk);
	}
	if (key->pkey == NULL)
		return false;
	if (text_of(jwk, "kid") != NULL)
		key->kid = cyg_xstrdup(text_of(jwk, "kid"));
	if (text_of(jwk, "alg") != NULL)
		key->alg = cyg_xstrdup(text_of(jwk, "alg"));
	return true;
}

int jose_jwks_parse(struct cyg_str text, struct jose_jwks **ret, struct cyg_err *err)
{
	struct jose_jwks *keys;
	json_t *doc;
	const json_t *list;
	const json_t *jwk;
	size_t i;

	if (text.len > JOSE_JWKS_MAX)
		return cyg_fail(err, CYG_ELIMIT, "key set is over %d bytes", JOSE_JWKS_MAX);
	doc = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, NULL);
	list = json_object_get(doc, "keys");
	if (!json_is_array(list) || json_array_size(list) > JOSE_KEYS_MAX) {
		json_decref(doc);
		return cyg_fail(
		    err, CYG_EPROTO, "not a key set with at most %d keys", JOSE_KEYS_MAX);
	}
	keys = cyg_xcalloc(1, sizeof(*keys));
	keys->keys = cyg_xcalloc(JOSE_KEYS_MAX, sizeof(*keys->keys));
	json_array_foreach (list, i, jwk) {
		if (read_key(jwk, &keys->keys[keys->n]))
			keys->n++;
		else
			keys->keys[keys->n] = (struct jose_key){ 0 };
	}
	json_decref(doc);
	*ret = keys;
	return 0;
}

void jose_jwks_free(struct jose_jwks *keys)
{
	if (keys == NULL)
		return;
	for (size_t i = 0; i < keys->n; i++) {
		free(keys->keys[i].kid);
		free(keys->keys[i].alg);
		EVP_PKEY_free(keys->keys[i].pkey);
	}
	free(keys->keys);
	free(keys);
}

size_t jose_jwks_count(const struct jose_jwks *keys)
{
	return keys->n;
}
