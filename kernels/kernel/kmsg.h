/* A message of a kernel for any number of browsers: one block of memory, shared by reference, which
 * is the frame of the binary framing and holds the message's parts. The frame of the JSON framing
 * is made from it when a client first needs it. */
#ifndef KERNEL_KMSG_H
#define KERNEL_KMSG_H

#include "base/buf.h"
#include "kernels/base/wsbuf.h"
#include "kernels/kernel/wire.h"

#define KMSG_PROTOCOL_V1 "v1.kernel.websocket.jupyter.org"

enum kmsg_framing { KMSG_JSON, KMSG_V1 };
enum { KMSG_BUFFERS_MAX = 1000 };

struct kmsg {
	unsigned refs;
	enum wire_channel channel;
	struct cyg_str json[WIRE_JSON_PARTS]; /* inside v1 */
	size_t n_buffers;
	struct wsbuf *v1;
	struct wsbuf *text; /* of the JSON framing; NULL until asked for */
};

/* Copies msg once; one reference. NULL when memory is out or it is too large for the framing. */
struct kmsg *kmsg_new(const struct wire_msg *msg);
struct kmsg *kmsg_ref(struct kmsg *m);
void kmsg_unref(struct kmsg *m);
/* The frame for a client of that framing (borrowed); NULL when memory is out. */
struct wsbuf *kmsg_frame(struct kmsg *m, enum kmsg_framing framing);

/* What a browser sent, as borrowed slices of it. */
struct kmsg_in {
	struct wire_msg msg;
	struct cyg_str buffers[KMSG_BUFFERS_MAX];
	struct tape *tape; /* of the JSON framing: the slices' offsets were found with it */
};

/* uint64 little-endian count and offsets, then channel, header, parent_header, metadata, content,
 * buffers (jupyter_server docs, websocket-protocols). */
int kmsg_parse_v1(struct cyg_str frame, struct kmsg_in *ret, struct cyg_err *err);
/* A JSON object in a text frame; in a binary one uint32 big-endian count and offsets, JSON,
 * buffers. Release with kmsg_in_free. */
int kmsg_parse_json(struct cyg_str frame, bool binary, struct kmsg_in *ret, struct cyg_err *err);
void kmsg_in_free(struct kmsg_in *in);

#endif
