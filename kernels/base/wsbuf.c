/* Frames ready for the wire. The head (RFC 6455 5.2) is written right-aligned before the payload,
 * whose place is known before its length is. */
#include "kernels/base/wsbuf.h"

#include "base/mem.h"

#include <string.h>

enum { HEAD_MAX = 10, FIN = 0x80, LEN_16 = 126, LEN_64 = 127 };

static size_t write_head(unsigned char head[HEAD_MAX], unsigned opcode, size_t len)
{
	head[0] = (unsigned char)(FIN | opcode);
	if (len < LEN_16) {
		head[1] = (unsigned char)len;
		return 2;
	}
	if (len <= UINT16_MAX) {
		head[1] = LEN_16;
		head[2] = (unsigned char)(len >> 8);
		head[3] = (unsigned char)len;
		return 4;
	}
	head[1] = LEN_64;
	for (int i = 0; i < 8; i++)
		head[2 + i] = (unsigned char)((uint64_t)len >> (56 - 8 * i));
	return HEAD_MAX;
}

struct wsbuf *wsbuf_new(enum wsbuf_opcode opcode, size_t payload_len)
{
	unsigned char head[HEAD_MAX];
	size_t n = opcode == WSBUF_RAW ? 0 : write_head(head, (unsigned)opcode, payload_len);
	struct wsbuf *b = malloc(sizeof(*b) + HEAD_MAX + payload_len);

	if (b == NULL)
		return NULL;
	b->refs = 1;
	b->start = HEAD_MAX - n;
	b->len = n + payload_len;
	memcpy(b->data + b->start, head, n);
	return b;
}

struct wsbuf *wsbuf_copy(enum wsbuf_opcode opcode, struct cyg_str payload)
{
	struct wsbuf *b = wsbuf_new(opcode, payload.len);

	if (b != NULL && payload.len > 0)
		memcpy(wsbuf_payload(b), payload.p, payload.len);
	return b;
}

unsigned char *wsbuf_payload(struct wsbuf *b)
{
	return b->data + HEAD_MAX;
}

struct wsbuf *wsbuf_ref(struct wsbuf *b)
{
	b->refs++;
	return b;
}

void wsbuf_unref(struct wsbuf *b)
{
	if (b != NULL && --b->refs == 0)
		free(b);
}
