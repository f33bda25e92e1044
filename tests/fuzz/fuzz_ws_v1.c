/* Fuzz target: frames of v1.kernel.websocket.jupyter.org. What is read lies inside the frame, and
 * written again it reads the same. */
#include "base/mem.h"
#include "kernels/kernel/kmsg.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct cyg_str part, const uint8_t *data, size_t size)
{
	assert((const uint8_t *)part.p >= data && part.len <= size &&
	       (const uint8_t *)part.p + part.len <= data + size);
}

static void check_same(const struct wire_msg *msg)
{
	struct kmsg *m = kmsg_new(msg);
	struct kmsg_in *again = cyg_xcalloc(1, sizeof(*again));
	unsigned char *p = wsbuf_payload(m->v1);
	size_t len = m->v1->len - (size_t)(p - (m->v1->data + m->v1->start));

	assert(kmsg_parse_v1((struct cyg_str){ (const char *)p, len }, again, NULL) == 0);
	assert(again->msg.n_buffers == msg->n_buffers && again->msg.channel == msg->channel);
	for (int i = 0; i < WIRE_JSON_PARTS; i++)
		assert(cyg_str_same(again->msg.json[i], msg->json[i]));
	for (size_t i = 0; i < msg->n_buffers; i++)
		assert(cyg_str_same(again->msg.buffers[i], msg->buffers[i]));
	assert(kmsg_frame(m, KMSG_JSON) != NULL);
	kmsg_unref(m);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kmsg_in *in = cyg_xcalloc(1, sizeof(*in));
	const struct cyg_str frame = { (const char *)data, size };

	if (kmsg_parse_v1(frame, in, NULL) == 0) {
		for (int i = 0; i < WIRE_JSON_PARTS; i++)
			check_inside(in->msg.json[i], data, size);
		for (size_t i = 0; i < in->msg.n_buffers; i++)
			check_inside(in->msg.buffers[i], data, size);
		/* Overlapping parts would make a small frame large. */
		if (size < 4096)
			check_same(&in->msg);
	}
	free(in);
	return 0;
}
