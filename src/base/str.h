/* Borrowed text: a pointer and a length into memory of another owner. Not terminated. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

struct cyg_str {
	const char *p;
	size_t len;
};

/* For printf("%.*s"). */
#define CYG_STR_ARGS(s)  (int)(s).len, (s).p
#define CYG_STR(literal) ((struct cyg_str){ (literal), sizeof(literal) - 1 })

struct cyg_str cyg_str_of(const char *s);
bool cyg_str_eq(struct cyg_str a, const char *b);
bool cyg_str_same(struct cyg_str a, struct cyg_str b);
/* ASCII case folding only, as field names are compared (RFC 9110 5.1). */
bool cyg_str_case_eq(struct cyg_str a, const char *b);
bool cyg_str_starts(struct cyg_str s, const char *prefix);
bool cyg_str_ends(struct cyg_str s, const char *suffix);
/* Offset of the first c, or s.len when there is none. */
size_t cyg_str_chr(struct cyg_str s, char c);
/* s without its first n bytes (n <= len), and the n bytes from off. */
struct cyg_str cyg_str_skip(struct cyg_str s, size_t n);
struct cyg_str cyg_str_sub(struct cyg_str s, size_t off, size_t n);
/* Cuts spaces and tabs at both ends. */
struct cyg_str cyg_str_trim(struct cyg_str s);
/* Takes the part before the next c off *rest (and the c); false when *rest was exhausted. Set
 * rest->p to NULL-free text first; the last part may be empty. */
bool cyg_str_next(struct cyg_str *rest, char c, struct cyg_str *part);
/* Terminated copy on the heap; the caller frees it. */
char *cyg_str_dup(struct cyg_str s);
/* Copies into a fixed buffer and terminates; false (and an empty buffer) when it does not fit. */
bool cyg_str_copy(char *dst, size_t size, struct cyg_str s);
/* Copies as much of a text from outside as fits, in whole characters, and terminates; each byte
 * that belongs to no UTF-8 becomes '?'. */
void cyg_str_copy_utf8(char *dst, size_t size, struct cyg_str s);
/* Same text, compared in a time that depends only on the lengths. */
bool cyg_str_same_secret(const void *a, const void *b, size_t len);
/* True when every byte is printable ASCII or valid UTF-8 above it: no control bytes. */
bool cyg_str_is_text(struct cyg_str s);
/* True when the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool cyg_str_is_utf8(struct cyg_str s);

#endif
