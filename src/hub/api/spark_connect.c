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

/* ---- an agent that sends its ports ---- */

/* What an agent that sends its ports expects, because it fills in no places: the member "worker",
 * and a driver's file with the port of its UI. */
static void add_old_members(const struct spark_session *s, json_t *response)
{
	static const char name[] = "driver/spark-defaults.conf";
	const struct spark_sizes *z = &s->plan.sizes;
	json_t *files = json_object_get(response, "files");
	cyg_autofree char *text = cyg_xasprintf("%sspark.ui.port " CYG_SPARK_PORT_UI "\n",
	    json_string_value(json_object_get(files, name)));

	(void)json_object_set_new(files, name, json_string(text));
	(void)json_object_set_new(response, "worker",
	    json_pack("{s:i, s:i, s:i}", "cores", (int)z->worker_cores, "memory_mb",
		(int)z->worker_mb, "daemon_mb", (int)z->daemon_mb));
}

/* Every place of that name becomes the value. The text is taken and cleansed. */
static char *fill(char *text, const char *place, const char *value)
{
	cyg_autobuf struct cyg_buf out;
	const char *from = text;
	const char *at;

	cyg_buf_init(&out, RESPONSE_MAX);
	for (; (at = strstr(from, place)) != NULL; from = at + strlen(place)) {
		(void)cyg_buf_add(&out, from, (size_t)(at - from), NULL);
		(void)cyg_buf_add_str(&out, value, NULL);
	}
	(void)cyg_buf_add_str(&out, from, NULL);
	cyg_cleanse(text, strlen(text));
	free(text);
	return cyg_buf_take(&out, NULL);
}

/* For an agent that sends its ports: the places filled in. */
static char *fill_old(const struct spark_old *old, const struct secrets *secrets, char *text)
{
	char port[16];

	(void)snprintf(port, sizeof(port), "%u", old->master_port);
	text = fill(text, CYG_SPARK_PORT_MASTER, port);
	(void)snprintf(port, sizeof(port), "%u", old->ui_port);
	text = fill(text, CYG_SPARK_PORT_UI, port);
	return fill(text, CYG_SPARK_SECRET_CLUSTER, secrets->cluster);
}

/* ---- the text ---- */

char *spark_connect_text(
    const struct spark_session *s, const struct spark_old *old, struct cyg_err *err)
{
	json_t *response = spark_session_json(s, err);
	struct secrets secrets;
	char *text;

	if (response == NULL)
		return NULL;
	make_secrets(&secrets);
	if (old->is_old)
		add_old_members(s, response);
	else
		(void)json_object_set_new(response, "secrets", secrets_json(s, &secrets));
	/* What jansson frees may still hold them; what is ours does not. */
	text = json_dumps(response, JSON_COMPACT);
	json_decref(response);
	if (old->is_old)
		text = fill_old(old, &secrets, text);
	cyg_cleanse(&secrets, sizeof(secrets));
	return text;
}
