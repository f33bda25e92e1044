/* Reads messages of browsers: for both framings the result is slices of the frame. */
#include "base/mem.h"
#include "kernels/base/tape.h"
#include "kernels/kernel/kmsg.h"

#include <string.h>

enum { OFFSET_V1 = 8, OFFSET_JSON = 4, PARTS_V1 = WIRE_JSON_PARTS + 1 };

static uint64_t le64(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	uint64_t v = 0;

	for (int i = OFFSET_V1 - 1; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static uint32_t be32(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Part i of a v1 frame; the count has been checked, the offsets have not. */
static int v1_part(struct cyg_str frame, uint64_t i, struct cyg_str *ret, struct cyg_err *err)
{
	uint64_t from = le64(frame.p + OFFSET_V1 * (i + 1));
	uint64_t to = le64(frame.p + OFFSET_V1 * (i + 2));

	if (from > to || to > frame.len)
		return cyg_fail(err, CYG_EPROTO, "a frame's offsets are wrong");
	*ret = cyg_str_sub(frame, (size_t)from, (size_t)(to - from));
	return 0;
}

int kmsg_parse_v1(struct cyg_str frame, struct kmsg_in *ret, struct cyg_err *err)
{
	struct cyg_str channel;
	uint64_t count;
	int rc;

	ret->tape = NULL;
	count = frame.len >= OFFSET_V1 ? le64(frame.p) : 0;
	if (count < PARTS_V1 + 1 || count > PARTS_V1 + 1 + KMSG_BUFFERS_MAX ||
	    frame.len < OFFSET_V1 * (count + 1))
		return cyg_fail(err, CYG_EPROTO, "a frame's count of parts is wrong");
	if (le64(frame.p + OFFSET_V1) < OFFSET_V1 * (count + 1))
		return cyg_fail(err, CYG_EPROTO, "a frame's offsets are wrong");
	rc = v1_part(frame, 0, &channel, err);
	if (rc == 0)
		rc = wire_channel_of(channel, &ret->msg.channel, err);
	for (uint64_t i = 0; rc == 0 && i < WIRE_JSON_PARTS; i++)
		rc = v1_part(frame, i + 1, &ret->msg.json[i], err);
	ret->msg.n_buffers = (size_t)count - PARTS_V1 - 1;
	ret->msg.buffers = ret->buffers;
	for (uint64_t i = 0; rc == 0 && i < ret->msg.n_buffers; i++)
		rc = v1_part(frame, i + PARTS_V1, &ret->buffers[i], err);
	return rc;
}

/* Cuts a binary frame of the JSON framing into its JSON and its buffers. */
static int json_split(
    struct cyg_str frame, struct cyg_str *json, struct kmsg_in *ret, struct cyg_err *err)
{
	uint32_t count = frame.len >= OFFSET_JSON ? be32(frame.p) : 0;

	if (count < 1 || count > KMSG_BUFFERS_MAX + 1 ||
	    frame.len < (size_t)OFFSET_JSON * (count + 1))
		return cyg_fail(err, CYG_EPROTO, "a frame's count of parts is wrong");
	for (uint32_t i = 0; i < count; i++) {
		const char *at = frame.p + (size_t)OFFSET_JSON * (i + 1);
		size_t from = be32(at);
		size_t to = i + 1 < count ? be32(at + OFFSET_JSON) : frame.len;

		if (from > to || to > frame.len || from < (size_t)OFFSET_JSON * (count + 1))
			return cyg_fail(err, CYG_EPROTO, "a frame's offsets are wrong");
		if (i == 0)
			*json = cyg_str_sub(frame, from, to - from);
		else
			ret->buffers[i - 1] = cyg_str_sub(frame, from, to - from);
	}
	ret->msg.n_buffers = count - 1;
	return 0;
}

static int json_members(struct kmsg_in *ret, struct cyg_err *err)
{
	static const char *const keys[WIRE_JSON_PARTS] = { "header", "parent_header", "metadata",
		"content" };
	tape_node root = tape_root(ret->tape);
	cyg_autofree char *channel = tape_get_str(ret->tape, root, "channel");

	for (int i = 0; i < WIRE_JSON_PARTS; i++) {
		tape_node n = tape_find(ret->tape, root, keys[i]);

		if (n != TAPE_NONE && tape_type_of(ret->tape, n) == TAPE_OBJECT)
			ret->msg.json[i] = tape_text(ret->tape, n);
		else if (i == WIRE_HEADER)
			return cyg_fail(err, CYG_EPROTO, "a message has no header");
		else
			ret->msg.json[i] = CYG_STR("{}");
	}
	/* jupyter_server takes a message without a channel for the shell. */
	return wire_channel_of(
	    cyg_str_of(channel != NULL ? channel : "shell"), &ret->msg.channel, err);
}

int kmsg_parse_json(struct cyg_str frame, bool binary, struct kmsg_in *ret, struct cyg_err *err)
{
	struct cyg_str json = frame;
	int rc = 0;

	ret->tape = NULL;
	ret->msg.n_buffers = 0;
	ret->msg.buffers = ret->buffers;
	if (binary)
		rc = json_split(frame, &json, ret, err);
	if (rc == 0)
		rc = tape_parse(json, &ret->tape, NULL, err);
	if (rc == 0)
		rc = json_members(ret, err);
	if (rc < 0)
		kmsg_in_free(ret);
	return rc;
}

void kmsg_in_free(struct kmsg_in *in)
{
	tape_free(in->tape);
	in->tape = NULL;
}
