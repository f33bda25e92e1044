/* Jupyter's messages on ZeroMQ (messaging protocol 5.x, "The wire protocol"): finding the parts of
 * a multipart message, signing and checking them, and reading single keys of a header without
 * building anything. No sockets. */
#ifndef KERNEL_WIRE_H
#define KERNEL_WIRE_H

#include "base/str.h"
#include "cygnet/err.h"

enum { WIRE_PARTS_MAX = 1024, WIRE_SIG_LEN = 64, WIRE_FRONT = 2 };
enum wire_json { WIRE_HEADER, WIRE_PARENT, WIRE_METADATA, WIRE_CONTENT, WIRE_JSON_PARTS };

enum wire_channel {
	WIRE_SHELL,
	WIRE_CONTROL,
	WIRE_STDIN,
	WIRE_IOPUB,
	WIRE_CHANNELS,
};

/* One message: the four signed parts and the buffers after them. All text is borrowed. */
struct wire_msg {
	enum wire_channel channel;
	struct cyg_str json[WIRE_JSON_PARTS];
	const struct cyg_str *buffers;
	size_t n_buffers;
};

const char *wire_channel_name(enum wire_channel channel);
/* -CYG_EINVAL for another name. */
int wire_channel_of(struct cyg_str name, enum wire_channel *ret, struct cyg_err *err);

struct wire_signer;
/* HMAC-SHA256 under a key; an empty key signs nothing and accepts everything, as the protocol
 * says. */
struct wire_signer *wire_signer_new(struct cyg_str key);
void wire_signer_free(struct wire_signer *s);
/* Writes 64 hex digits and a NUL, or "" without a key. */
void wire_sign(
    struct wire_signer *s, const struct cyg_str json[WIRE_JSON_PARTS], char out[WIRE_SIG_LEN + 1]);

/* Reads the parts of a multipart message as a kernel sends it: identities or a topic, the
 * delimiter, the signature, four JSON parts, buffers. Checks the signature. msg->buffers points
 * into parts. */
int wire_read(struct wire_signer *s, enum wire_channel channel, const struct cyg_str *parts,
    size_t n, struct wire_msg *msg, struct cyg_err *err);

/* The raw text of a key's value in the outermost object of a JSON text: strings without their
 * quotes (escapes untouched), other values as they stand. False when the key is not there or the
 * text is no object. Reads no deeper than it must. */
bool wire_scan(struct cyg_str json, const char *key, struct cyg_str *ret);
/* The same with a string's quotes: a value that can be put into other JSON as it stands. */
bool wire_scan_raw(struct cyg_str json, const char *key, struct cyg_str *ret);

#endif
