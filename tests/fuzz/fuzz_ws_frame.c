/* Fuzz target: a client's WebSocket bytes. However they are cut, the same messages come out, and no
 * message is larger than allowed. */
#include "base/mem.h"
#include "kernels/base/ws.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

enum { MESSAGE_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sum {
	size_t messages, bytes;
	uint64_t hash;
};

static void on_message(void *arg, bool binary, struct cyg_str message)
{
	struct sum *s = arg;

	assert(message.len <= MESSAGE_MAX);
	s->messages++;
	s->bytes += message.len;
	for (size_t i = 0; i < message.len; i++)
		s->hash = s->hash * 31 + (unsigned char)message.p[i] + binary;
}

static struct sum read_in_steps(const uint8_t *data, size_t size, size_t step)
{
	struct sum s = { 0, 0, 0 };
	struct ws_reader *r = ws_reader_new(MESSAGE_MAX, on_message, &s);
	int code = 0;
	bool open = true;

	for (size_t i = 0; i < size && open; i += step) {
		size_t n = size - i < step ? size - i : step;
		struct wsbuf *out = NULL;

		open =
		    ws_reader_feed(r, (struct cyg_str){ (const char *)data + i, n }, &out, &code);
		wsbuf_unref(out);
	}
	ws_reader_free(r);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sum whole = read_in_steps(data, size, size + 1);
	struct sum bytes = read_in_steps(data, size, 1);

	assert(whole.messages == bytes.messages && whole.bytes == bytes.bytes &&
	       whole.hash == bytes.hash);
	return 0;
}
