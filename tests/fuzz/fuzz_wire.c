/* Fuzz target: multipart messages of a kernel (parts divided by 0xFF 0x00) and the header scan. */
#include "base/mem.h"
#include "kernels/kernel/wire.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

enum { PARTS_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t split(struct cyg_str all, struct cyg_str *parts)
{
	size_t n = 0, from = 0;

	for (size_t i = 0; i + 1 < all.len && n < PARTS_MAX - 1; i++) {
		if ((unsigned char)all.p[i] != 0xff || all.p[i + 1] != 0)
			continue;
		parts[n++] = cyg_str_sub(all, from, i - from);
		from = i + 2;
	}
	parts[n++] = cyg_str_skip(all, from);
	return n;
}

static void check_scan(struct cyg_str json)
{
	static const char *const keys[] = { "msg_id", "session", "msg_type", "" };
	struct cyg_str v;

	for (size_t i = 0; i < CYG_N(keys); i++)
		if (wire_scan(json, keys[i], &v))
			assert(v.p >= json.p && v.p + v.len <= json.p + json.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire_signer *none, *keyed;
	/* An exact copy, so that one byte too far is seen. */
	cyg_autofree char *copy = malloc(size + 1);
	struct cyg_str parts[PARTS_MAX];
	struct wire_msg msg;
	size_t n;

	if (copy == NULL)
		return 0;
	if (none == NULL) {
		none = wire_signer_new(CYG_STR(""));
		keyed = wire_signer_new(CYG_STR("key"));
	}
	memcpy(copy, data, size);
	n = split((struct cyg_str){ copy, size }, parts);
	if (wire_read(none, WIRE_IOPUB, parts, n, &msg, NULL) == 0)
		for (int i = 0; i < WIRE_JSON_PARTS; i++)
			check_scan(msg.json[i]);
	(void)wire_read(keyed, WIRE_SHELL, parts, n, &msg, NULL);
	check_scan((struct cyg_str){ copy, size });
	return 0;
}
