/* The policy layer that every connection gets. */
#include "spark/policy.h"

#include "base/mem.h"
#include "base/num.h"

int spark_version_parse(const char *text, int version[3], struct cyg_err *err)
{
	struct cyg_str rest = cyg_str_of(text);
	struct cyg_str part;

	for (int i = 0; i < 3; i++) {
		uint64_t n = 0;

		if (!cyg_str_next(&rest, '.', &part) ||
		    cyg_num_parse_u64(part, 0, 999, &n, NULL) < 0)
			return cyg_fail(err, CYG_EINVAL,
			    "'%.40s' is not a version of Spark such as 4.2.0", text);
		version[i] = (int)n;
	}
	if (rest.p != NULL)
		return cyg_fail(
		    err, CYG_EINVAL, "'%.40s' is not a version of Spark such as 4.2.0", text);
	return 0;
}

bool spark_has_gcm(const int version[3])
{
	/* The first patch release of each line in which it no longer hangs. */
	static const int first[][3] = { { 3, 5, 9 }, { 4, 0, 4 }, { 4, 1, 3 } };

	for (size_t i = 0; i < CYG_N(first); i++) {
		if (version[0] == first[i][0] && version[1] == first[i][1])
			return version[2] >= first[i][2];
	}
	return version[0] > 4 || (version[0] == 4 && version[1] >= 2);
}

bool spark_has_jws(const int version[3])
{
	return version[0] >= 4;
}

size_t spark_policy_settings(
    const struct spark_policy *p, struct spark_setting out[SPARK_POLICY_MAX])
{
	const bool jws = p->ui_key != NULL && spark_has_jws(p->version);
	const char *const all[][2] = {
		{ "spark.authenticate", "true" },
		{ "spark.authenticate.secret", p->secret },
		{ "spark.network.crypto.enabled", "true" },
		{ "spark.network.crypto.cipher",
		    spark_has_gcm(p->version) ? "AES/GCM/NoPadding" : "AES/CTR/NoPadding" },
		{ "spark.network.crypto.authEngineVersion", "2" },
		{ "spark.network.crypto.saslFallback", "false" },
		{ "spark.io.encryption.enabled", "true" },
		{ "spark.master", p->master_url },
		{ "spark.driver.host", "127.0.0.1" },
		{ "spark.driver.bindAddress", "127.0.0.1" },
		{ "spark.ui.port", p->ui_port },
		/* Every request to the UI and its REST API must bring a token of this key. That it
		 * must have an end is asked by newer versions only; others ignore the word. */
		{ "spark.ui.filters", jws ? "org.apache.spark.ui.JWSFilter" : NULL },
		{ "spark.org.apache.spark.ui.JWSFilter.param.secretKey", jws ? p->ui_key : NULL },
		{ "spark.org.apache.spark.ui.JWSFilter.param.requireExpiration",
		    jws ? "true" : NULL },
		{ "spark.connect.grpc.binding.address",
		    p->connect_port != NULL ? "127.0.0.1" : NULL },
		{ "spark.connect.grpc.binding.port", p->connect_port },
		{ "spark.connect.authenticate.token", p->connect_token },
	};
	size_t n = 0;

	for (size_t i = 0; i < CYG_N(all); i++) {
		if (all[i][1] != NULL)
			out[n++] = (struct spark_setting){ SPARK_LAYER_POLICY, SPARK_OP_SET,
				all[i][0], all[i][1], NULL };
	}
	return n;
}
