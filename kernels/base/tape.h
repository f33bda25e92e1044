/* The lossless JSON tape: the agent's only JSON reader. A document is parsed once into a flat array
 * of nodes that point into the text, so that numbers, strings and whole values can be written back
 * exactly as they came. Strict RFC 8259 plus what Python's json writes (NaN, Infinity, -Infinity),
 * which notebooks hold. Depth, node and size limits; errors name line and column. */
#ifndef KBASE_TAPE_H
#define KBASE_TAPE_H

#include "base/buf.h"

#include <stdint.h>

enum tape_type {
	TAPE_NULL,
	TAPE_FALSE,
	TAPE_TRUE,
	TAPE_NUMBER,
	TAPE_STRING,
	TAPE_ARRAY,
	TAPE_OBJECT
};

typedef uint32_t tape_node;
#define TAPE_NONE UINT32_MAX /* an enum's values end at INT_MAX */
enum { TAPE_DEPTH_MAX = 256 };

struct tape;
struct tape_pos {
	size_t line, column; /* from 1; column in bytes */
};

/* Parses text, which must outlive the tape (it is not copied). Duplicate keys are kept. On failure
 * *pos (may be NULL) says where. */
int tape_parse(struct cyg_str text, struct tape **ret, struct tape_pos *pos, struct cyg_err *err);
void tape_free(struct tape *t);
tape_node tape_root(const struct tape *t);
enum tape_type tape_type_of(const struct tape *t, tape_node n);
/* The value's exact source text (objects and arrays whole). */
struct cyg_str tape_text(const struct tape *t, tape_node n);
/* First child of an array or object (in an object: the first value), next sibling, or TAPE_NONE. */
tape_node tape_first(const struct tape *t, tape_node n);
tape_node tape_next(const struct tape *t, tape_node n);
size_t tape_count(const struct tape *t, tape_node n);
/* Source text of the key of an object's value, with its quotes. */
struct cyg_str tape_key_text(const struct tape *t, tape_node value);
/* Value of a key (given unescaped, UTF-8); the last of duplicates wins as in Python; TAPE_NONE when
 * it is not there, or when obj is no object or TAPE_NONE. */
tape_node tape_find(const struct tape *t, tape_node obj, const char *key);
/* Appends a string's value as UTF-8 (lone surrogates as their three-byte form, as Python's
 * surrogatepass does). -CYG_EINVAL when n is no string. */
int tape_string(const struct tape *t, tape_node n, struct cyg_buf *out, struct cyg_err *err);
/* The same for a quoted text of this tape, such as a key's. */
int tape_unquote(struct cyg_str quoted, struct cyg_buf *out, struct cyg_err *err);
/* True when n is a string of that (unescaped) value; the same for a key. */
bool tape_string_eq(const struct tape *t, tape_node n, const char *s);
/* A number that is an integer in range. */
int tape_int(const struct tape *t, tape_node n, int64_t *ret, struct cyg_err *err);
/* A heap copy of the string value of obj[key], NULL when it is not there, no string, or holds a NUL
 * (which C text would cut). Caller frees. */
char *tape_get_str(const struct tape *t, tape_node obj, const char *key);
bool tape_get_bool(const struct tape *t, tape_node obj, const char *key, bool otherwise);

#endif
