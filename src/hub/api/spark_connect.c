/* Secrets of a session, and the text that carries them once. */
#include "hub/api/spark_connect.h"

#include "base/enc.h"
#include "base/mem.h"
#include "cygnet/spark_fill.h"
#include "spark/policy.h"
#include "spark/session.h"

#include <stdio.h>
#include <string.h>

enum {
	SECRET_BYTES = 32,
	UI_KEY_BYTES = 33, /* in base64url without padding */
	RESPONSE_MAX = 2 * 1024 * 1024,
};

struct secrets {
	char cluster[2 * SECRET_BYTES + 1];
	char ui[UI_KEY_BYTES / 3 * 4 + 1];
	char token[2 * SECRET_BYTES + 1];
};

static void make_secrets(struct secrets *s)
{
	unsigned char key[UI_KEY_BYTES];
	cyg_autobuf struct cyg_buf text;

	cyg_random_hex(s->cluster, SECRET_BYTES);
	cyg_random_hex(s->token, SECRET_BYTES);
	cyg_random(key, sizeof(key));
	cyg_buf_init(&text, sizeof(s->ui));
	(void)cyg_base64url_write(&text, key, sizeof(key), NULL);
	(void)cyg_str_copy(s->ui, sizeof(s->ui), cyg_buf_str(&text));
	cyg_cleanse(text.data, text.len);
	cyg_cleanse(key, sizeof(key));
}

static json_t *secrets_json(const struct spark_session *s, const struct secrets *secrets)
{
	json_t *ret = json_pack("{s:s}", "cluster", secrets->cluster);

	if (spark_has_jws(s->plan.ask.version))
		(void)json_object_set_new(ret, "ui", json_string(secrets->ui));
	if (s->plan.ask.flavour == SPARK_FLAVOUR_CONNECT)
		(void)json_object_set_new(ret, "token", json_string(secrets->token));
	return ret;
}

char *spark_connect_text(const struct spark_session *s, struct cyg_err *err)
{
	json_t *response = spark_session_json(s, err);
	struct secrets secrets;
	char *text;

	if (response == NULL)
		return NULL;
	make_secrets(&secrets);
	(void)json_object_set_new(response, "secrets", secrets_json(s, &secrets));
	/* What jansson frees may still hold them; what is ours does not. */
	text = json_dumps(response, JSON_COMPACT);
	json_decref(response);
	cyg_cleanse(&secrets, sizeof(secrets));
	return text;
}
