/* One WebSocket frame from server to client, ready for the wire and shared by reference: such
 * frames are not masked (RFC 6455 5.1), so that the same bytes go to every client. */
#ifndef KBASE_WSBUF_H
#define KBASE_WSBUF_H

#include "base/str.h"

#include <stdint.h>

enum wsbuf_opcode { WSBUF_TEXT = 1, WSBUF_BINARY = 2, WSBUF_RAW = 0xff };

struct wsbuf {
	unsigned refs;
	size_t len;   /* of the frame */
	size_t start; /* where it begins in data */
	unsigned char data[];
};

/* A frame for payload_len bytes, which the caller writes at wsbuf_payload(); one reference. NULL
 * when memory is out. WSBUF_RAW: no frame head, the bytes are wire bytes already. */
struct wsbuf *wsbuf_new(enum wsbuf_opcode opcode, size_t payload_len);
/* The same with the payload copied in. */
struct wsbuf *wsbuf_copy(enum wsbuf_opcode opcode, struct cyg_str payload);
unsigned char *wsbuf_payload(struct wsbuf *b);
struct wsbuf *wsbuf_ref(struct wsbuf *b);
/* NULL is accepted. */
void wsbuf_unref(struct wsbuf *b);

#endif
