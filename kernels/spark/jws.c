/* Signs {"exp"} in the compact form. */
#include "kernels/spark/jws.h"

#include "base/enc.h"
#include "base/mem.h"
#include "kernels/base/digest.h"

#include <stdio.h>
#include <string.h>

enum { KEY_MAX = 256, TOKEN_MAX = 1024 };

static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";

static int add_part(struct cyg_buf *out, const void *data, size_t len, struct cyg_err *err)
{
	int rc = out->len > 0 ? cyg_buf_add_str(out, ".", err) : 0;

	return rc < 0 ? rc : cyg_base64url_write(out, data, len, err);
}

static int add_signature(struct cyg_buf *out, const struct cyg_buf *key, struct cyg_err *err)
{
	char hex[DIGEST_HEX];
	unsigned char mac[(DIGEST_HEX - 1) / 2];

	digest_hmac(cyg_buf_str(key), cyg_buf_str(out), hex);
	(void)cyg_hex_read(cyg_str_of(hex), mac, sizeof(mac), NULL);
	return add_part(out, mac, sizeof(mac), err);
}

char *spark_jws_token(const char *key, int64_t now_s, unsigned ttl_s, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf raw;
	cyg_autobuf struct cyg_buf out;
	char claims[64];
	int rc;

	cyg_buf_init(&raw, KEY_MAX);
	cyg_buf_init(&out, TOKEN_MAX);
	(void)snprintf(claims, sizeof(claims), "{\"exp\":%lld}", (long long)(now_s + ttl_s));
	rc = cyg_base64url_read(&raw, cyg_str_of(key), err);
	if (rc == 0)
		rc = add_part(&out, header, sizeof(header) - 1, err);
	if (rc == 0)
		rc = add_part(&out, claims, strlen(claims), err);
	if (rc == 0)
		rc = add_signature(&out, &raw, err);
	cyg_cleanse(raw.data, raw.len);
	return rc < 0 ? NULL : cyg_buf_take(&out, NULL);
}
