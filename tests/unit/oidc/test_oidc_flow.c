/* The code flow's messages and the discovery document. */
#include "base/buf.h"
#include "base/mem.h"
#include "oidc/oidc.h"

#include <check.h>
#include <string.h>

#define DOC(more)                                                                                         \
	"{\"issuer\":\"https://idp.example\",\"authorization_endpoint\":\"https://idp.example/auth\","    \
	"\"token_endpoint\":\"https://idp.example/token\",\"jwks_uri\":\"https://idp.example/jwks\"" more \
	"}"

static int discover(const char *text, bool insecure, struct cyg_err *err)
{
	struct oidc_endpoints *e = NULL;
	int rc = oidc_discovery_parse(cyg_str_of(text), "https://idp.example", insecure, &e, err);

	oidc_endpoints_free(e);
	return rc;
}

START_TEST(test_good_discovery_document_is_read)
{
	struct oidc_endpoints *e = NULL;

	ck_assert_int_eq(
	    oidc_discovery_parse(
		CYG_STR(DOC(",\"authorization_response_iss_parameter_supported\":true,"
			    "\"token_endpoint_auth_methods_supported\":[\"client_secret_post\"]")),
		"https://idp.example", false, &e, NULL),
	    0);
	ck_assert_str_eq(e->token, "https://idp.example/token");
	ck_assert(e->iss_in_response && !e->basic_auth);
	ck_assert_ptr_null(e->userinfo);
	oidc_endpoints_free(e);
}
END_TEST

START_TEST(test_bad_discovery_documents_are_refused)
{
	static const char *const bad[] = { "", "[]", "<html>",
		DOC(",\"code_challenge_methods_supported\":[\"plain\"]"),
		DOC(",\"issuer\":\"https://evil.example\""),
		"{\"issuer\":\"https://idp.example/\"}",
		"{\"issuer\":\"https://idp.example\",\"authorization_endpoint\":\"https://idp.example/a\"}",
		DOC(",\"userinfo_endpoint\":\"http://idp.example/me\""),
		DOC(",\"end_session_endpoint\":\"javascript:alert(1)\"") };

	for (size_t i = 0; i < CYG_N(bad); i++)
		ck_assert_int_lt(discover(bad[i], false, NULL), 0);
}
END_TEST

START_TEST(test_only_https_or_named_loopback_is_called)
{
	ck_assert(oidc_url_is_allowed("https://a.example/x?y", false));
	ck_assert(!oidc_url_is_allowed("http://127.0.0.1:3000/x", false));
	ck_assert(oidc_url_is_allowed("http://127.0.0.1:3000/x", true));
	ck_assert(oidc_url_is_allowed("http://[::1]:3000/x", true));
	ck_assert(!oidc_url_is_allowed("http://169.254.169.254/x", true));
	ck_assert(!oidc_url_is_allowed("http://127.0.0.1@evil.example/", true));
	ck_assert(!oidc_url_is_allowed("http://127.0.0.1.evil.example/", true));
	ck_assert(!oidc_url_is_allowed("http://localhost\\@evil.example/", true));
	ck_assert(!oidc_url_is_allowed("https://", false));
	ck_assert(!oidc_url_is_allowed("https://a.example/#x", false));
	ck_assert(!oidc_url_is_allowed("file:///etc/passwd", true));
}
END_TEST

START_TEST(test_authorize_url_has_every_parameter_escaped)
{
	const struct oidc_client c = { "hub&x", "http://localhost:8000/hub/oauth_callback",
		"openid groups" };
	struct oidc_endpoints e = { .authorization = (char[]){ "https://i/a?t=1" } };
	struct oidc_attempt a = { "s", "n", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" };
	cyg_autobuf struct cyg_buf out;

	cyg_buf_init(&out, 4096);
	ck_assert_int_eq(oidc_authorize_url(&e, &c, &a, &out, NULL), 0);
	/* The challenge is RFC 7636 appendix B's. */
	ck_assert_str_eq(out.data,
	    "https://i/a?t=1&response_type=code&client_id=hub%26x&redirect_uri=http%3A%2F%2Flocalhost%3A8000"
	    "%2Fhub%2Foauth_callback&scope=openid%20groups&state=s&nonce=n"
	    "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256");
}
END_TEST

START_TEST(test_attempts_are_unlike)
{
	struct oidc_attempt a;
	struct oidc_attempt b;

	oidc_attempt_init(&a);
	oidc_attempt_init(&b);
	ck_assert_uint_eq(strlen(a.verifier), 64);
	ck_assert_str_ne(a.state, b.state);
	ck_assert_str_ne(a.state, a.nonce);
	ck_assert_str_ne(a.nonce, a.verifier);
}
END_TEST

START_TEST(test_callback_takes_each_parameter_once)
{
	static const char *const bad[] = { "", "code=a", "state=s", "code=a&state=s&error=x",
		"code=a&code=b&state=s", "code=a&state=s&state=t", "code=a&state=s&iss=x&iss=y",
		"code=%zz&state=s", "code=a%0d&state=s", "code=%", "code=a&state=%00" };
	struct oidc_callback cb;
	struct cyg_str iss;

	for (size_t i = 0; i < CYG_N(bad); i++) {
		ck_assert_int_lt(oidc_callback_parse(cyg_str_of(bad[i]), &cb, &iss, NULL), 0);
		oidc_callback_free(&cb);
	}
	ck_assert_int_eq(
	    oidc_callback_parse(CYG_STR("code=a%2Fb&state=s&x=1&x=2"), &cb, &iss, NULL), 0);
	ck_assert_str_eq(cb.code, "a/b");
	ck_assert_ptr_null(iss.p);
	oidc_callback_free(&cb);
	ck_assert_int_eq(
	    oidc_callback_parse(CYG_STR("error=access_denied&state=s"), &cb, &iss, NULL), 0);
	ck_assert_str_eq(cb.error, "access_denied");
	oidc_callback_free(&cb);
}
END_TEST

START_TEST(test_issuer_of_the_callback_is_compared)
{
	struct oidc_endpoints e = { .issuer = (char[]){ "https://idp.example" },
		.iss_in_response = true };

	ck_assert_int_eq(
	    oidc_callback_check_issuer(&e, CYG_STR("https%3A%2F%2Fidp.example"), NULL), 0);
	ck_assert_int_lt(
	    oidc_callback_check_issuer(&e, CYG_STR("https%3A%2F%2Fevil.example"), NULL), 0);
	ck_assert_int_lt(oidc_callback_check_issuer(&e, (struct cyg_str){ NULL, 0 }, NULL), 0);
	e.iss_in_response = false;
	ck_assert_int_eq(oidc_callback_check_issuer(&e, (struct cyg_str){ NULL, 0 }, NULL), 0);
}
END_TEST

START_TEST(test_token_answers_are_read_strictly)
{
	static const char *const bad[] = {
		"", "{}", "[]", "<html></html>",
		"{\"token_type\":\"MAC\",\"id_token\":\"a\",\"access_token\":\"b\"}",
		"{\"token_type\":\"Bearer\",\"access_token\":\"b\"}",
		"{\"token_type\":\"Bearer\",\"id_token\":\"a\",\"access_token\":\"b\",\"expires_in\":1e300}",
		"{\"token_type\":\"Bearer\",\"id_token\":\"a\",\"id_token\":\"c\",\"access_token\":\"b\"}"
	};
	const char *good =
	    "{\"token_type\":\"bearer\",\"id_token\":\"a\",\"access_token\":\"b\",\"expires_in\":60}";
	struct oidc_tokens t;

	for (size_t i = 0; i < CYG_N(bad); i++)
		ck_assert_int_lt(oidc_token_parse(200, cyg_str_of(bad[i]), &t, NULL), 0);
	ck_assert_int_lt(oidc_token_parse(400, cyg_str_of(good), &t, NULL), 0);
	ck_assert_int_eq(oidc_token_parse(200, cyg_str_of(good), &t, NULL), 0);
	ck_assert_str_eq(t.access_token, "b");
	ck_assert_int_eq(t.expires_in_s, 60);
	oidc_tokens_free(&t);
}
END_TEST

START_TEST(test_token_request_holds_the_verifier)
{
	const struct oidc_client c = { "hub", "http://h/cb", "openid" };
	cyg_autobuf struct cyg_buf out;

	cyg_buf_init(&out, 4096);
	ck_assert_int_eq(oidc_token_request(&c, "c&d", "v", "s=1", &out, NULL), 0);
	ck_assert_str_eq(out.data,
	    "grant_type=authorization_code&code=c%26d&redirect_uri=http%3A%2F%2Fh%2Fcb&client_id=hub"
	    "&code_verifier=v&client_secret=s%3D1");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("oidc_flow");
	TCase *tc = tcase_create("oidc_flow");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, test_good_discovery_document_is_read);
	tcase_add_test(tc, test_bad_discovery_documents_are_refused);
	tcase_add_test(tc, test_only_https_or_named_loopback_is_called);
	tcase_add_test(tc, test_authorize_url_has_every_parameter_escaped);
	tcase_add_test(tc, test_attempts_are_unlike);
	tcase_add_test(tc, test_callback_takes_each_parameter_once);
	tcase_add_test(tc, test_issuer_of_the_callback_is_compared);
	tcase_add_test(tc, test_token_answers_are_read_strictly);
	tcase_add_test(tc, test_token_request_holds_the_verifier);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
