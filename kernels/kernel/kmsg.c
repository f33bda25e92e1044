/* Writes messages for browsers: the v1 frame is built in the shared block, the JSON frame is joined
 * from slices of that. No JSON is written anew. Reading is in kmsg_parse.c. */
#include "kernels/kernel/kmsg.h"

#include "base/mem.h"
#include "kernels/base/utf8.h"

#include <string.h>

enum { OFFSET = 8, PIECES_MAX = 32, OFFSETS_BEFORE_BUFFERS = 6 };

static void put_le64(unsigned char *p, uint64_t v)
{
	for (int i = 0; i < OFFSET; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t get_le64(const unsigned char *p)
{
	uint64_t v = 0;

	for (int i = OFFSET - 1; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static void put_be32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (24 - 8 * i));
}

/* Bytes of the whole frame's payload; false on overflow. */
static bool v1_size(const struct wire_msg *msg, size_t *ret)
{
	size_t offsets = WIRE_JSON_PARTS + msg->n_buffers + 2;
	size_t size = OFFSET * (offsets + 1) + strlen(wire_channel_name(msg->channel));

	for (int i = 0; i < WIRE_JSON_PARTS; i++)
		if (__builtin_add_overflow(size, msg->json[i].len, &size))
			return false;
	for (size_t i = 0; i < msg->n_buffers; i++)
		if (__builtin_add_overflow(size, msg->buffers[i].len, &size))
			return false;
	*ret = size;
	return true;
}

/* Copies one part and writes the offset of its end. */
static struct cyg_str put_part(
    unsigned char *base, size_t *at, size_t *n_offset, struct cyg_str part)
{
	struct cyg_str in_place = { (const char *)base + *at, part.len };

	if (part.len > 0)
		memcpy(base + *at, part.p, part.len);
	*at += part.len;
	put_le64(base + OFFSET * ++*n_offset, *at);
	return in_place;
}

struct kmsg *kmsg_new(const struct wire_msg *msg)
{
	struct kmsg *m;
	unsigned char *base;
	size_t size, at, n = 1;

	if (!v1_size(msg, &size))
		return NULL;
	m = cyg_xcalloc(1, sizeof(*m));
	m->refs = 1;
	m->channel = msg->channel;
	m->n_buffers = msg->n_buffers;
	m->v1 = wsbuf_new(WSBUF_BINARY, size);
	if (m->v1 == NULL) {
		free(m);
		return NULL;
	}
	base = wsbuf_payload(m->v1);
	at = OFFSET * (WIRE_JSON_PARTS + msg->n_buffers + 3);
	put_le64(base, WIRE_JSON_PARTS + msg->n_buffers + 2);
	put_le64(base + OFFSET, at);
	(void)put_part(base, &at, &n, cyg_str_of(wire_channel_name(msg->channel)));
	for (int i = 0; i < WIRE_JSON_PARTS; i++)
		m->json[i] = put_part(base, &at, &n, msg->json[i]);
	for (size_t i = 0; i < msg->n_buffers; i++)
		(void)put_part(base, &at, &n, msg->buffers[i]);
	return m;
}

struct kmsg *kmsg_ref(struct kmsg *m)
{
	m->refs++;
	return m;
}

void kmsg_unref(struct kmsg *m)
{
	if (m == NULL || --m->refs > 0)
		return;
	wsbuf_unref(m->v1);
	wsbuf_unref(m->text);
	free(m);
}

/* ---- the JSON framing ---- */

static struct cyg_str or_empty(struct cyg_str s)
{
	return s.len > 0 ? s : CYG_STR("{}");
}

/* {"header":…,"msg_id":…,"msg_type":…,"parent_header":…,"metadata":…,"content":…,"channel":…} as
 * jupyter_server's deserialised messages look; returns the number of pieces. */
static size_t json_pieces(const struct kmsg *m, struct cyg_str piece[PIECES_MAX])
{
	struct cyg_str id = CYG_STR("\"\""), type = CYG_STR("\"\"");
	size_t n = 0;

	(void)wire_scan_raw(m->json[WIRE_HEADER], "msg_id", &id);
	(void)wire_scan_raw(m->json[WIRE_HEADER], "msg_type", &type);
	piece[n++] = CYG_STR("{\"header\":");
	piece[n++] = or_empty(m->json[WIRE_HEADER]);
	piece[n++] = CYG_STR(",\"msg_id\":");
	piece[n++] = id;
	piece[n++] = CYG_STR(",\"msg_type\":");
	piece[n++] = type;
	piece[n++] = CYG_STR(",\"parent_header\":");
	piece[n++] = or_empty(m->json[WIRE_PARENT]);
	piece[n++] = CYG_STR(",\"metadata\":");
	piece[n++] = or_empty(m->json[WIRE_METADATA]);
	piece[n++] = CYG_STR(",\"content\":");
	piece[n++] = or_empty(m->json[WIRE_CONTENT]);
	piece[n++] = CYG_STR(",\"channel\":\"");
	piece[n++] = cyg_str_of(wire_channel_name(m->channel));
	piece[n++] = m->n_buffers > 0 ? CYG_STR("\"}") : CYG_STR("\",\"buffers\":[]}");
	return n;
}

static unsigned char *put_pieces(unsigned char *p, const struct cyg_str *piece, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		memcpy(p, piece[i].p, piece[i].len);
		p += piece[i].len;
	}
	return p;
}

/* Count of parts (the JSON is the first), their offsets, then the parts; all in 32 bits. */
static struct wsbuf *json_binary(
    const struct kmsg *m, const struct cyg_str *piece, size_t n_pieces, size_t json_len)
{
	const unsigned char *v1 = wsbuf_payload(m->v1);
	const unsigned char *ends = v1 + (size_t)OFFSET * OFFSETS_BEFORE_BUFFERS;
	size_t head = 4 * (m->n_buffers + 2);
	size_t first = (size_t)get_le64(ends); /* where the buffers begin in v1 */
	size_t last = (size_t)get_le64(ends + OFFSET * m->n_buffers);
	size_t total = head + json_len + (last - first);
	struct wsbuf *b;
	unsigned char *p;

	if (total > UINT32_MAX)
		return NULL;
	b = wsbuf_new(WSBUF_BINARY, total);
	if (b == NULL)
		return NULL;
	p = wsbuf_payload(b);
	put_be32(p, (uint32_t)(m->n_buffers + 1));
	put_be32(p + 4, (uint32_t)head);
	for (size_t i = 0; i < m->n_buffers; i++) {
		size_t at = (size_t)get_le64(ends + OFFSET * i) - first + head + json_len;

		put_be32(p + 8 + 4 * i, (uint32_t)at);
	}
	p = put_pieces(p + head, piece, n_pieces);
	memcpy(p, v1 + first, last - first);
	return b;
}

static int put_mended(struct cyg_buf *out, struct cyg_str s)
{
	int rc = 0;

	while (s.len > 0 && rc == 0) {
		size_t n = utf8_bad_at(s);

		rc = cyg_buf_add(out, s.p, n, NULL);
		s = cyg_str_skip(s, n);
		if (s.len > 0 && rc == 0) {
			rc = cyg_buf_printf(out, NULL, "\\udc%02x", (unsigned char)s.p[0]);
			s = cyg_str_skip(s, 1);
		}
	}
	return rc;
}

/* Kernels may put bytes into their JSON that are not UTF-8: file names, by Python's
 * surrogateescape. Browsers close a WebSocket for that. Such bytes are escaped as Python's JSON
 * writer does; then text holds the whole message and there is one piece. */
static bool mend_pieces(struct cyg_str *piece, size_t *n, struct cyg_buf *text)
{
	bool ok = true;
	int rc = 0;

	for (size_t i = 0; i < *n && ok; i++)
		ok = cyg_str_is_utf8(piece[i]);
	if (ok)
		return true;
	for (size_t i = 0; i < *n && rc == 0; i++)
		rc = put_mended(text, piece[i]);
	piece[0] = cyg_buf_str(text);
	*n = 1;
	return rc == 0;
}

static struct wsbuf *json_frame(const struct kmsg *m)
{
	struct cyg_str piece[PIECES_MAX];
	size_t n = json_pieces(m, piece), len = 0;
	cyg_autobuf struct cyg_buf text;
	struct wsbuf *b;

	cyg_buf_init(&text, UINT32_MAX);
	if (!mend_pieces(piece, &n, &text))
		return NULL;
	for (size_t i = 0; i < n; i++)
		len += piece[i].len;
	if (m->n_buffers > 0)
		return json_binary(m, piece, n, len);
	b = wsbuf_new(WSBUF_TEXT, len);
	if (b != NULL)
		(void)put_pieces(wsbuf_payload(b), piece, n);
	return b;
}

struct wsbuf *kmsg_frame(struct kmsg *m, enum kmsg_framing framing)
{
	if (framing == KMSG_V1)
		return m->v1;
	if (m->text == NULL)
		m->text = json_frame(m);
	return m->text;
}
