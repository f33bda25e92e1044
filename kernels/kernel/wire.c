/* Reads, checks and signs messages of the wire protocol; pure functions. Comes between zsock.c
 * (sockets) and bridge.c (which client gets a message). */
#include "kernels/kernel/wire.h"

#include "base/enc.h"
#include "base/mem.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <string.h>

static const char DELIMITER[] = "<IDS|MSG>";

static const char *const channel_names[WIRE_CHANNELS] = {
	[WIRE_SHELL] = "shell",
	[WIRE_CONTROL] = "control",
	[WIRE_STDIN] = "stdin",
	[WIRE_IOPUB] = "iopub",
};

const char *wire_channel_name(enum wire_channel channel)
{
	return channel_names[channel];
}

int wire_channel_of(struct cyg_str name, enum wire_channel *ret, struct cyg_err *err)
{
	for (int i = 0; i < WIRE_CHANNELS; i++) {
		if (cyg_str_eq(name, channel_names[i])) {
			*ret = (enum wire_channel)i;
			return 0;
		}
	}
	return cyg_fail(err, CYG_EINVAL, "no channel of that name");
}

/* ---- signatures ---- */

struct wire_signer {
	EVP_MAC *mac;
	EVP_MAC_CTX *keyed; /* NULL: no key */
};

struct wire_signer *wire_signer_new(struct cyg_str key)
{
	struct wire_signer *s = cyg_xcalloc(1, sizeof(*s));
	char digest[] = "SHA256";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end() };

	if (key.len == 0)
		return s;
	s->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	s->keyed = s->mac != NULL ? EVP_MAC_CTX_new(s->mac) : NULL;
	if (s->keyed == NULL ||
	    EVP_MAC_init(s->keyed, (const unsigned char *)key.p, key.len, params) != 1)
		abort(); /* the library has no HMAC: nothing can be done */
	return s;
}

void wire_signer_free(struct wire_signer *s)
{
	if (s == NULL)
		return;
	EVP_MAC_CTX_free(s->keyed);
	EVP_MAC_free(s->mac);
	free(s);
}

void wire_sign(
    struct wire_signer *s, const struct cyg_str json[WIRE_JSON_PARTS], char out[WIRE_SIG_LEN + 1])
{
	unsigned char digest[WIRE_SIG_LEN / 2];
	size_t len = 0;

	out[0] = '\0';
	if (s->keyed == NULL)
		return;
	if (EVP_MAC_init(s->keyed, NULL, 0, NULL) != 1) /* the same key again */
		abort();
	for (int i = 0; i < WIRE_JSON_PARTS; i++)
		(void)EVP_MAC_update(s->keyed, (const unsigned char *)json[i].p, json[i].len);
	if (EVP_MAC_final(s->keyed, digest, &len, sizeof(digest)) != 1 || len != sizeof(digest))
		abort();
	cyg_hex_write(digest, sizeof(digest), out);
}

int wire_read(struct wire_signer *s, enum wire_channel channel, const struct cyg_str *parts,
    size_t n, struct wire_msg *msg, struct cyg_err *err)
{
	char sig[WIRE_SIG_LEN + 1];
	size_t at = 0;

	while (at < n && !cyg_str_eq(parts[at], DELIMITER))
		at++;
	if (n - at < WIRE_FRONT + WIRE_JSON_PARTS)
		return cyg_fail(err, CYG_EPROTO, "a kernel's message has too few parts");
	msg->channel = channel;
	for (size_t i = 0; i < WIRE_JSON_PARTS; i++)
		msg->json[i] = parts[at + WIRE_FRONT + i];
	msg->n_buffers = n - at - WIRE_FRONT - WIRE_JSON_PARTS;
	msg->buffers = msg->n_buffers > 0 ? &parts[at + WIRE_FRONT + WIRE_JSON_PARTS] : NULL;
	wire_sign(s, msg->json, sig);
	if (s->keyed != NULL && (parts[at + 1].len != WIRE_SIG_LEN ||
				    !cyg_str_same_secret(parts[at + 1].p, sig, WIRE_SIG_LEN)))
		return cyg_fail(err, CYG_EPROTO, "a kernel's message has a wrong signature");
	return 0;
}

/* ---- one key of an object ---- */

static size_t skip_space(struct cyg_str s, size_t i)
{
	while (i < s.len && (s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\n' || s.p[i] == '\r'))
		i++;
	return i;
}

/* i is at the opening quote; returns the index behind the closing one, or s.len + 1 when there is
 * none. */
static size_t skip_string(struct cyg_str s, size_t i)
{
	for (i++; i < s.len; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			return i + 1;
	}
	return s.len + 1;
}

/* Behind the value at i; s.len + 1 when the text ends inside it. */
static size_t skip_value(struct cyg_str s, size_t i)
{
	size_t depth = 0;

	while (i < s.len) {
		char c = s.p[i];

		if (c == '"') {
			i = skip_string(s, i);
		} else if (c == '{' || c == '[') {
			depth++;
			i++;
		} else if (c == '}' || c == ']') {
			if (depth == 0)
				return i;
			depth--;
			i++;
		} else if (c == ',' && depth == 0) {
			return i;
		} else {
			i++;
			continue;
		}
		if (depth == 0)
			return i;
	}
	return i;
}

bool wire_scan_raw(struct cyg_str json, const char *key, struct cyg_str *ret)
{
	size_t i = skip_space(json, 0);

	if (i >= json.len || json.p[i] != '{')
		return false;
	for (i = skip_space(json, i + 1); i < json.len && json.p[i] == '"';) {
		size_t end = skip_string(json, i);
		struct cyg_str name;
		size_t value;

		if (end > json.len)
			return false;
		name = cyg_str_sub(json, i + 1, end - i - 2);
		i = skip_space(json, end);
		if (i >= json.len || json.p[i] != ':')
			return false;
		value = skip_space(json, i + 1);
		i = skip_value(json, value);
		if (i > json.len)
			return false;
		if (cyg_str_eq(name, key)) {
			*ret = cyg_str_trim(cyg_str_sub(json, value, i - value));
			return true;
		}
		i = skip_space(json, i);
		if (i >= json.len || json.p[i] != ',')
			return false;
		i = skip_space(json, i + 1);
	}
	return false;
}

bool wire_scan(struct cyg_str json, const char *key, struct cyg_str *ret)
{
	if (!wire_scan_raw(json, key, ret))
		return false;
	if (ret->len >= 2 && ret->p[0] == '"')
		*ret = cyg_str_sub(*ret, 1, ret->len - 2);
	return true;
}
