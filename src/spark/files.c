/* Rendered properties as the files Spark reads, and the policy layer that every connection gets. */
#include "base/mem.h"
#include "base/num.h"
#include "spark/render.h"

#include <stdio.h>
#include <string.h>

/* java.util.Properties: the value starts after the first run of spaces with at most one ':' or '='
 * in it, so a value that begins with one of those escapes it; everything above ASCII is read as
 * Latin-1, so it goes out as \uXXXX. */
static int write_value(struct cyg_buf *out, const char *value, struct cyg_err *err)
{
	int rc = 0;

	if (value[0] == ':' || value[0] == '=')
		rc = cyg_buf_add_str(out, "\\", err);
	for (const unsigned char *p = (const unsigned char *)value; rc == 0 && *p != '\0';) {
		unsigned code = *p++;
		int more = code >= 0xf0 ? 3 : code >= 0xe0 ? 2 : code >= 0xc0 ? 1 : 0;

		if (code < 0x80) {
			rc = cyg_buf_printf(out, err, "%s%c", code == '\\' ? "\\" : "", (char)code);
			continue;
		}
		code &= 0x3fu >> more;
		while (more-- > 0)
			code = code << 6 | (*p++ & 0x3f);
		if (code < 0x10000)
			rc = cyg_buf_printf(out, err, "\\u%04x", code);
		else
			rc = cyg_buf_printf(out, err, "\\u%04x\\u%04x", 0xd7c0 + (code >> 10),
			    0xdc00 + (code & 0x3ff));
	}
	return rc;
}

int spark_write_defaults(const struct spark_rendered *r, struct cyg_buf *out, struct cyg_err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->n; i++) {
		if (r->properties[i].value == NULL)
			continue;
		rc = cyg_buf_printf(out, err, "%s ", r->properties[i].name);
		if (rc == 0)
			rc = write_value(out, r->properties[i].value, err);
		if (rc == 0)
			rc = cyg_buf_add_str(out, "\n", err);
	}
	return rc;
}

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

static size_t add(struct spark_setting *out, size_t n, const char *name, const char *value)
{
	out[n] = (struct spark_setting){ SPARK_LAYER_POLICY, SPARK_OP_SET, name, value, NULL };
	return n + 1;
}

static size_t add_port(
    struct spark_setting *out, size_t n, const char *name, unsigned port, char room[16])
{
	if (port == 0)
		return n;
	(void)snprintf(room, 16, "%u", port);
	return add(out, n, name, room);
}

size_t spark_policy_settings(
    const struct spark_policy *p, struct spark_setting out[SPARK_POLICY_MAX], char room[8][16])
{
	size_t n = 0;

	n = add(out, n, "spark.authenticate", "true");
	n = add(out, n, "spark.authenticate.secret", p->secret);
	n = add(out, n, "spark.network.crypto.enabled", "true");
	n = add(out, n, "spark.network.crypto.cipher",
	    spark_has_gcm(p->version) ? "AES/GCM/NoPadding" : "AES/CTR/NoPadding");
	n = add(out, n, "spark.network.crypto.authEngineVersion", "2");
	n = add(out, n, "spark.network.crypto.saslFallback", "false");
	n = add(out, n, "spark.io.encryption.enabled", "true");
	if (p->master_url != NULL)
		n = add(out, n, "spark.master", p->master_url);
	if (p->app_name != NULL)
		n = add(out, n, "spark.app.name", p->app_name);
	n = add(out, n, "spark.driver.host", "127.0.0.1");
	n = add(out, n, "spark.driver.bindAddress", "127.0.0.1");
	n = add_port(out, n, "spark.driver.port", p->driver_port, room[0]);
	n = add_port(out, n, "spark.driver.blockManager.port", p->block_manager_port, room[1]);
	n = add_port(out, n, "spark.ui.port", p->ui_port, room[2]);
	return n;
}
