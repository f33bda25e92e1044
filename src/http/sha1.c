/* SHA-1 of short input. */
#include "http/sha1.h"

#include <assert.h>
#include <string.h>

static uint32_t rotl(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

/* f and k of RFC 3174 5. */
static uint32_t mix(unsigned t, const uint32_t v[5])
{
	if (t < 20)
		return ((v[1] & v[2]) | (~v[1] & v[3])) + 0x5a827999;
	if (t < 40)
		return (v[1] ^ v[2] ^ v[3]) + 0x6ed9eba1;
	if (t < 60)
		return ((v[1] & v[2]) | (v[1] & v[3]) | (v[2] & v[3])) + 0x8f1bbcdc;
	return (v[1] ^ v[2] ^ v[3]) + 0xca62c1d6;
}

static void block(uint32_t h[5], const uint8_t *p)
{
	uint32_t w[80];
	uint32_t v[5];

	for (unsigned t = 0; t < 16; t++)
		w[t] = (uint32_t)p[t * 4] << 24 | (uint32_t)p[t * 4 + 1] << 16 |
		       (uint32_t)p[t * 4 + 2] << 8 | p[t * 4 + 3];
	for (unsigned t = 16; t < 80; t++)
		w[t] = rotl(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
	memcpy(v, h, sizeof(v));
	for (unsigned t = 0; t < 80; t++) {
		uint32_t next = rotl(v[0], 5) + mix(t, v) + v[4] + w[t];

		v[4] = v[3];
		v[3] = v[2];
		v[2] = rotl(v[1], 30);
		v[1] = v[0];
		v[0] = next;
	}
	for (unsigned i = 0; i < 5; i++)
		h[i] += v[i];
}

void http_sha1(const void *data, size_t len, uint8_t out[HTTP_SHA1_LEN])
{
	uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	uint8_t padded[128] = { 0 };
	size_t size = len + 9 <= 64 ? 64 : 128;

	assert(len <= HTTP_SHA1_INPUT_MAX);
	memcpy(padded, data, len);
	padded[len] = 0x80;
	padded[size - 2] = (uint8_t)(len * 8 >> 8);
	padded[size - 1] = (uint8_t)(len * 8);
	for (size_t at = 0; at < size; at += 64)
		block(h, padded + at);
	for (unsigned i = 0; i < HTTP_SHA1_LEN; i++)
		out[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}
