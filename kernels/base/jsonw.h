/* Writing JSON in the agent: appends to a buffer and keeps the commas right. A failure (limit)
 * is kept and returned once, by jsonw_finish. */
#ifndef KBASE_JSONW_H
#define KBASE_JSONW_H

#include "base/buf.h"

#include <stdint.h>

enum { JSONW_DEPTH_MAX = 32 };

struct jsonw {
	struct cyg_buf *out;
	struct cyg_err err;
	bool failed;
	unsigned depth;
	bool comma[JSONW_DEPTH_MAX]; /* per level: a value was written */
	bool after_key;
};

void jsonw_init(struct jsonw *w, struct cyg_buf *out);
void jsonw_object(struct jsonw *w);
void jsonw_object_end(struct jsonw *w);
void jsonw_array(struct jsonw *w);
void jsonw_array_end(struct jsonw *w);
void jsonw_key(struct jsonw *w, const char *key);
/* A key whose text is quoted JSON already, as tape_key_text gives it. */
void jsonw_key_quoted(struct jsonw *w, struct cyg_str quoted);
/* Strings are given as UTF-8 and written with ", \ and control characters escaped; lone
 * surrogates in their three-byte form become \udXXX (as Python reads and writes them), other
 * invalid bytes U+FFFD. p == NULL writes null. */
void jsonw_str(struct jsonw *w, struct cyg_str s);
void jsonw_cstr(struct jsonw *w, const char *s);
void jsonw_int(struct jsonw *w, int64_t v);
void jsonw_bool(struct jsonw *w, bool v);
void jsonw_null(struct jsonw *w);
/* A value that is JSON already. */
void jsonw_raw(struct jsonw *w, struct cyg_str json);
/* A long string in pieces: begin, any number of pieces that end between characters, end. */
void jsonw_str_begin(struct jsonw *w);
void jsonw_str_piece(struct jsonw *w, struct cyg_str s);
void jsonw_str_end(struct jsonw *w);
/* Shorthands for key and value. */
void jsonw_key_str(struct jsonw *w, const char *key, struct cyg_str s);
void jsonw_key_cstr(struct jsonw *w, const char *key, const char *s);
void jsonw_key_int(struct jsonw *w, const char *key, int64_t v);
void jsonw_key_bool(struct jsonw *w, const char *key, bool v);
void jsonw_key_null(struct jsonw *w, const char *key);
/* 0, or the first failure. */
int jsonw_finish(struct jsonw *w, struct cyg_err *err);

#endif
