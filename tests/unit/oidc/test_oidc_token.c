/* Signed tokens, right and wrong: the JOSE layer and the ID-token rules, with keys made here. */
#include "base/buf.h"
#include "base/enc.h"
#include "base/mem.h"
#include "oidc/oidc.h"

#include <check.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

enum { NOW = 1790000000 };

static const char *const all_algs[] = { "RS256", "PS256", "ES256", "ES384", "EdDSA", NULL };
static EVP_PKEY *rsa, *ec, *ed, *other;
static struct jose_jwks *keys;

static void add_b64(struct cyg_buf *out, const void *data, size_t len)
{
	ck_assert_int_eq(cyg_base64url_write(out, data, len, NULL), 0);
}

static char *bn_b64(const EVP_PKEY *key, const char *name)
{
	BIGNUM *bn = NULL;
	unsigned char bytes[1024];
	struct cyg_buf out;
	int len;

	ck_assert_int_eq(EVP_PKEY_get_bn_param(key, name, &bn), 1);
	len = BN_bn2bin(bn, bytes);
	if (len < 32)
		len = strcmp(name, "e") == 0 ? len : BN_bn2binpad(bn, bytes, 32);
	BN_free(bn);
	cyg_buf_init(&out, 4096);
	add_b64(&out, bytes, (size_t)len);
	return cyg_buf_take(&out, NULL);
}

/* The key set of our three keys, with a member to spoil one of them. */
static char *jwks_text(const char *rsa_more)
{
	cyg_autofree char *n = bn_b64(rsa, OSSL_PKEY_PARAM_RSA_N);
	cyg_autofree char *e = bn_b64(rsa, OSSL_PKEY_PARAM_RSA_E);
	cyg_autofree char *x = bn_b64(ec, OSSL_PKEY_PARAM_EC_PUB_X);
	cyg_autofree char *y = bn_b64(ec, OSSL_PKEY_PARAM_EC_PUB_Y);
	cyg_autobuf struct cyg_buf okp;
	unsigned char raw[32];
	size_t len = sizeof(raw);

	ck_assert_int_eq(EVP_PKEY_get_raw_public_key(ed, raw, &len), 1);
	cyg_buf_init(&okp, 100);
	add_b64(&okp, raw, len);
	return cyg_xasprintf(
	    "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"r\",\"n\":\"%s\",\"e\":\"%s\"%s},"
	    "{\"kty\":\"EC\",\"kid\":\"e\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"},"
	    "{\"kty\":\"OKP\",\"kid\":\"d\",\"crv\":\"Ed25519\",\"x\":\"%s\"}]}",
	    n, e, rsa_more, x, y, okp.data);
}

static void setup(void)
{
	cyg_autofree char *text = NULL;

	rsa = EVP_RSA_gen(2048);
	other = EVP_RSA_gen(2048);
	ec = EVP_EC_gen("P-256");
	ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	text = jwks_text("");
	ck_assert_int_eq(jose_jwks_parse(cyg_str_of(text), &keys, NULL), 0);
	ck_assert_uint_eq(jose_jwks_count(keys), 3);
}

static void teardown(void)
{
	jose_jwks_free(keys);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(other);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(ed);
}

static size_t der_to_raw(const unsigned char *der, size_t len, unsigned char *raw)
{
	const unsigned char *p = der;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)len);

	(void)BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32);
	(void)BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32);
	ECDSA_SIG_free(sig);
	return 64;
}

/* A compact token over header and payload, signed with key. */
static char *make_token(const char *header, const char *payload, EVP_PKEY *key, bool pss)
{
	struct cyg_buf out;
	unsigned char sig[512];
	unsigned char raw[64];
	size_t len = sizeof(sig);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	bool is_ed = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;

	cyg_buf_init(&out, JOSE_TOKEN_MAX * 2);
	add_b64(&out, header, strlen(header));
	ck_assert_int_eq(cyg_buf_add_str(&out, ".", NULL), 0);
	add_b64(&out, payload, strlen(payload));
	ck_assert_int_eq(EVP_DigestSignInit(ctx, &pctx, is_ed ? NULL : EVP_sha256(), NULL, key), 1);
	if (pss) {
		(void)EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING);
		(void)EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST);
	}
	ck_assert_int_eq(
	    EVP_DigestSign(ctx, sig, &len, (const unsigned char *)out.data, out.len), 1);
	EVP_MD_CTX_free(ctx);
	ck_assert_int_eq(cyg_buf_add_str(&out, ".", NULL), 0);
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC)
		add_b64(&out, raw, der_to_raw(sig, len, raw));
	else
		add_b64(&out, sig, len);
	return cyg_buf_take(&out, NULL);
}

static int verify(const char *token, const char *const *algs, struct cyg_err *err)
{
	struct jose_outcome outcome;
	json_t *payload = NULL;
	int rc = jose_jws_verify(cyg_str_of(token), keys, algs, &outcome, &payload, err);

	json_decref(payload);
	return rc;
}

START_TEST(test_each_algorithm_verifies)
{
	const struct {
		const char *header;
		EVP_PKEY *key;
		bool pss;
	} cases[] = { { "{\"alg\":\"RS256\",\"kid\":\"r\"}", rsa, false },
		{ "{\"alg\":\"PS256\",\"kid\":\"r\"}", rsa, true },
		{ "{\"alg\":\"ES256\",\"kid\":\"e\"}", ec, false },
		{ "{\"alg\":\"EdDSA\",\"kid\":\"d\"}", ed, false },
		{ "{\"alg\":\"RS256\"}", rsa, false } };

	for (size_t i = 0; i < CYG_N(cases); i++) {
		cyg_autofree char *t =
		    make_token(cases[i].header, "{\"a\":1}", cases[i].key, cases[i].pss);

		ck_assert_int_eq(verify(t, all_algs, NULL), 0);
	}
}
END_TEST

START_TEST(test_wrong_tokens_are_refused)
{
	static const char *const only_es[] = { "ES256", NULL };
	cyg_autofree char *good = make_token("{\"alg\":\"RS256\",\"kid\":\"r\"}", "{}", rsa, false);
	cyg_autofree char *pss = make_token("{\"alg\":\"RS256\",\"kid\":\"r\"}", "{}", rsa, true);
	cyg_autofree char *foreign =
	    make_token("{\"alg\":\"RS256\",\"kid\":\"r\"}", "{}", other, false);
	cyg_autofree char *crit =
	    make_token("{\"alg\":\"RS256\",\"kid\":\"r\",\"crit\":[\"b64\"]}", "{}", rsa, false);
	cyg_autofree char *none = make_token("{\"alg\":\"none\"}", "{}", rsa, false);
	cyg_autofree char *hmac = make_token("{\"alg\":\"HS256\",\"kid\":\"r\"}", "{}", rsa, false);
	cyg_autofree char *array =
	    make_token("{\"alg\":\"RS256\",\"kid\":\"r\"}", "[1]", rsa, false);
	cyg_autofree char *twice =
	    make_token("{\"alg\":\"RS256\",\"kid\":\"r\"}", "{\"a\":1,\"a\":2}", rsa, false);
	cyg_autofree char *kid_num = make_token("{\"alg\":\"RS256\",\"kid\":5}", "{}", rsa, false);
	cyg_autofree char *cross =
	    make_token("{\"alg\":\"ES256\",\"kid\":\"r\"}", "{}", rsa, false);
	const char *bad[] = { pss, foreign, crit, none, hmac, array, twice, kid_num, cross, "",
		"a.b", "a.b.c.d", "..", "e30.e30." };

	ck_assert_int_eq(verify(good, all_algs, NULL), 0);
	ck_assert_int_lt(verify(good, only_es, NULL), 0);
	for (size_t i = 0; i < CYG_N(bad); i++)
		ck_assert_int_lt(verify(bad[i], all_algs, NULL), 0);
	good[strlen(good) - 10] = good[strlen(good) - 10] == 'A' ? 'B' : 'A';
	ck_assert_int_lt(verify(good, all_algs, NULL), 0);
}
END_TEST

START_TEST(test_every_single_changed_byte_breaks_a_token)
{
	cyg_autofree char *t =
	    make_token("{\"alg\":\"ES256\",\"kid\":\"e\"}", "{\"a\":1}", ec, false);

	for (size_t i = 0; i < strlen(t); i++) {
		char was = t[i];

		t[i] = was == 'x' ? 'y' : 'x';
		ck_assert_int_lt(verify(t, all_algs, NULL), 0);
		t[i] = was;
	}
}
END_TEST

START_TEST(test_unknown_kid_asks_for_fresh_keys)
{
	cyg_autofree char *t = make_token("{\"alg\":\"RS256\",\"kid\":\"new\"}", "{}", rsa, false);
	struct jose_outcome outcome;
	json_t *payload = NULL;

	ck_assert_int_lt(
	    jose_jws_verify(cyg_str_of(t), keys, all_algs, &outcome, &payload, NULL), 0);
	ck_assert(outcome.unknown_key);
}
END_TEST

START_TEST(test_a_token_without_kid_that_no_key_fits_asks_for_fresh_keys)
{
	cyg_autofree char *t = make_token("{\"alg\":\"RS256\"}", "{}", other, false);
	cyg_autofree char *named =
	    make_token("{\"alg\":\"RS256\",\"kid\":\"r\"}", "{}", other, false);
	struct jose_outcome outcome;
	json_t *payload = NULL;

	ck_assert_int_lt(
	    jose_jws_verify(cyg_str_of(t), keys, all_algs, &outcome, &payload, NULL), 0);
	ck_assert(outcome.unknown_key);
	ck_assert_int_lt(
	    jose_jws_verify(cyg_str_of(named), keys, all_algs, &outcome, &payload, NULL), 0);
	ck_assert(!outcome.unknown_key);
}
END_TEST

START_TEST(test_unfit_keys_are_left_out_of_the_set)
{
	static const char *const spoil[] = { ",\"use\":\"enc\"", ",\"key_ops\":[\"encrypt\"]" };
	static const char *const broken[] = {
		"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"AAAA\"}]}",
		("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
		 "\"y\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}"),
		"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}, 5, null, {}]}",
		"{\"keys\":[]}",
	};

	for (size_t i = 0; i < CYG_N(spoil); i++) {
		cyg_autofree char *text = jwks_text(spoil[i]);
		struct jose_jwks *set = NULL;

		ck_assert_int_eq(jose_jwks_parse(cyg_str_of(text), &set, NULL), 0);
		ck_assert_uint_eq(jose_jwks_count(set), 2);
		jose_jwks_free(set);
	}
	for (size_t i = 0; i < CYG_N(broken); i++) {
		struct jose_jwks *set = NULL;

		ck_assert_int_eq(jose_jwks_parse(cyg_str_of(broken[i]), &set, NULL), 0);
		ck_assert_uint_eq(jose_jwks_count(set), 0);
		jose_jwks_free(set);
	}
	ck_assert_int_lt(jose_jwks_parse(CYG_STR("[]"), &keys, NULL), 0);
	ck_assert_int_lt(jose_jwks_parse(CYG_STR("{\"keys\":[],\"keys\":[]}"), &keys, NULL), 0);
}
END_TEST

static const struct oidc_rules rules = {
	.issuer = "https://idp.example", .client_id = "hub", .nonce = "n0nce", .now_s = NOW
};

static int check_claims(const char *text, struct cyg_err *err)
{
	json_t *claims = json_loads(text, 0, NULL);
	int rc;

	ck_assert_ptr_nonnull(claims);
	rc = oidc_idtoken_check(claims, &rules, err);
	json_decref(claims);
	return rc;
}

START_TEST(test_good_claims_pass)
{
	static const char *const good[] = {
		"{\"iss\":\"https://idp.example\",\"aud\":\"hub\",\"exp\":1790000100,\"iat\":1790000000,\"nonce\":\"n0nce\",\"sub\":\"1\"}",
		"{\"iss\":\"https://idp.example\",\"aud\":[\"hub\"],\"exp\":1790000100.5,\"iat\":1790000000,\"nonce\":\"n0nce\",\"sub\":\"1\",\"azp\":\"hub\"}",
		"{\"iss\":\"https://idp.example\",\"aud\":[\"hub\",\"x\"],\"azp\":\"hub\",\"exp\":1789999999,\"iat\":1789999000,\"nbf\":1790000050,\"nonce\":\"n0nce\",\"sub\":\"1\"}",
	};

	for (size_t i = 0; i < CYG_N(good); i++)
		ck_assert_int_eq(check_claims(good[i], NULL), 0);
}
END_TEST

START_TEST(test_each_broken_claim_is_refused)
{
	/* The member that replaces, or with null removes, one of a good set. */
	static const char *const broken[] = { "{\"iss\":\"https://idp.example/\"}",
		"{\"iss\":null}", "{\"iss\":5}", "{\"aud\":\"other\"}", "{\"aud\":[]}",
		"{\"aud\":[[\"hub\"]]}", "{\"aud\":{\"hub\":1}}", "{\"aud\":[\"hub\",\"x\"]}",
		"{\"azp\":\"other\"}", "{\"azp\":1}", "{\"exp\":1789999000}", "{\"exp\":null}",
		"{\"exp\":\"1790000100\"}", "{\"exp\":1e300}", "{\"exp\":-1}", "{\"iat\":null}",
		"{\"iat\":1790009999}", "{\"nbf\":1790009999}", "{\"nonce\":null}",
		"{\"nonce\":\"other\"}", "{\"nonce\":1}", "{\"sub\":null}", "{\"sub\":\"\"}",
		"{\"sub\":7}", "{\"sub\":\"a\\nb\"}" };

	for (size_t i = 0; i < CYG_N(broken); i++) {
		json_t *claims = json_pack("{s:s,s:s,s:I,s:I,s:s,s:s}", "iss",
		    "https://idp.example", "aud", "hub", "exp", (json_int_t)NOW + 100, "iat",
		    (json_int_t)NOW, "nonce", "n0nce", "sub", "1");
		json_t *patch = json_loads(broken[i], 0, NULL);

		ck_assert_int_eq(json_object_update(claims, patch), 0);
		ck_assert_int_lt(oidc_idtoken_check(claims, &rules, NULL), 0);
		json_decref(claims);
		json_decref(patch);
	}
}
END_TEST

START_TEST(test_at_hash_binds_the_access_token)
{
	struct oidc_rules with = rules;
	/* OpenID Connect Core A.3's access token and its at_hash. */
	json_t *claims = json_pack("{s:s,s:s,s:I,s:I,s:s,s:s,s:s}", "iss", "https://idp.example",
	    "aud", "hub", "exp", (json_int_t)NOW + 100, "iat", (json_int_t)NOW, "nonce", "n0nce",
	    "sub", "1", "at_hash", "77QmUPtjPfzWtF2AnpK9RQ");

	with.access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
	ck_assert_int_eq(oidc_idtoken_check(claims, &with, NULL), 0);
	with.access_token = "another";
	ck_assert_int_lt(oidc_idtoken_check(claims, &with, NULL), 0);
	json_decref(claims);
}
END_TEST

START_TEST(test_groups_come_from_a_nested_claim)
{
	json_t *claims = json_loads(
	    "{\"resource_access\":{\"my.hub\":{\"roles\":[\"a\",\"b\"]}},\"g\":\"one\",\"n\":5,\"bad\":[\"x\",5]}",
	    0, NULL);
	char **groups = NULL;

	ck_assert_int_eq(oidc_groups(claims, "resource_access.my\\.hub.roles", &groups, NULL), 0);
	ck_assert_str_eq(groups[1], "b");
	ck_assert_ptr_null(groups[2]);
	oidc_groups_free(groups);
	ck_assert_int_eq(oidc_groups(claims, "g", &groups, NULL), 0);
	ck_assert_str_eq(groups[0], "one");
	oidc_groups_free(groups);
	ck_assert_int_eq(oidc_groups(claims, "absent.claim", &groups, NULL), 0);
	ck_assert_ptr_null(groups[0]);
	oidc_groups_free(groups);
	ck_assert_int_lt(oidc_groups(claims, "n", &groups, NULL), 0);
	ck_assert_int_lt(oidc_groups(claims, "bad", &groups, NULL), 0);
	json_decref(claims);
}
END_TEST

START_TEST(test_user_names_are_folded_never_mended)
{
	static const char *const bad[] = { "", "a b", "../x", "ünal", ".a", "-a", "a/b", "a@b",
		"abcdefghijklmnopqrstuvwxyzabcdefg" };
	json_t *claims = json_pack("{s:s}", "u", "Alice.B-1");
	char name[33];

	ck_assert_int_eq(oidc_username(claims, "u", name, NULL), 0);
	ck_assert_str_eq(name, "alice.b-1");
	for (size_t i = 0; i < CYG_N(bad); i++) {
		(void)json_object_set_new(claims, "u", json_string(bad[i]));
		ck_assert_int_lt(oidc_username(claims, "u", name, NULL), 0);
	}
	json_decref(claims);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("oidc_token");
	TCase *tc = tcase_create("oidc_token");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_each_algorithm_verifies);
	tcase_add_test(tc, test_wrong_tokens_are_refused);
	tcase_add_test(tc, test_every_single_changed_byte_breaks_a_token);
	tcase_add_test(tc, test_unknown_kid_asks_for_fresh_keys);
	tcase_add_test(tc, test_a_token_without_kid_that_no_key_fits_asks_for_fresh_keys);
	tcase_add_test(tc, test_unfit_keys_are_left_out_of_the_set);
	tcase_add_test(tc, test_good_claims_pass);
	tcase_add_test(tc, test_each_broken_claim_is_refused);
	tcase_add_test(tc, test_at_hash_binds_the_access_token);
	tcase_add_test(tc, test_groups_come_from_a_nested_claim);
	tcase_add_test(tc, test_user_names_are_folded_never_mended);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
