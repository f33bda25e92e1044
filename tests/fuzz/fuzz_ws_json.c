/* Fuzz target: messages of the JSON framing, as text and as a binary frame. What is read, written
 * as either framing, reads the same. */
#include "base/mem.h"
#include "kernels/kernel/kmsg.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_written(const struct wire_msg *msg)
{
	struct kmsg *m = kmsg_new(msg);
	struct wsbuf *frame = kmsg_frame(m, KMSG_JSON);
	struct kmsg_in *again = cyg_xcalloc(1, sizeof(*again));
	unsigned char *p = wsbuf_payload(frame);
	size_t len = frame->len - (size_t)(p - (frame->data + frame->start));

	assert(kmsg_parse_json(
		   (struct cyg_str){ (const char *)p, len }, msg->n_buffers > 0, again, NULL) == 0);
	for (int i = 0; i < WIRE_JSON_PARTS; i++)
		assert(cyg_str_same(again->msg.json[i], msg->json[i]));
	assert(again->msg.n_buffers == msg->n_buffers);
	kmsg_in_free(again);
	kmsg_unref(m);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kmsg_in *in = cyg_xcalloc(1, sizeof(*in));

	for (int binary = 0; binary < 2; binary++) {
		if (kmsg_parse_json(
			(struct cyg_str){ (const char *)data, size }, binary == 1, in, NULL) < 0)
			continue;
		if (size < 4096)
			check_written(&in->msg);
		kmsg_in_free(in);
	}
	free(in);
	return 0;
}
