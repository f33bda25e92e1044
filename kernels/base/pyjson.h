/* What Python's json module does to single values on their way through loads and dumps: numbers,
 * strings, and str.splitlines. nbformat.c builds whole notebooks from these. */
#ifndef KBASE_PYJSON_H
#define KBASE_PYJSON_H

#include "base/buf.h"

/* Appends a JSON number's text as json.dumps(json.loads(text)) prints it: integers of any size as
 * they are, everything with a fraction or exponent as repr() of a double (1e5 becomes 100000.0). */
int pyjson_number(struct cyg_buf *out, struct cyg_str text, struct cyg_err *err);
/* The same as str() prints it: nan and inf instead of NaN and Infinity. */
int pyjson_number_str(struct cyg_buf *out, struct cyg_str text, struct cyg_err *err);
/* Appends repr() of a double: the shortest digits that read back as the same value. */
int pyjson_double(struct cyg_buf *out, double v, struct cyg_err *err);
/* Appends s (UTF-8, lone surrogates in their three-byte form) quoted as dumps(ensure_ascii=False)
 * does; lone surrogates, which Python cannot write to a file, become \udXXX. */
int pyjson_quote(struct cyg_buf *out, struct cyg_str s, struct cyg_err *err);
/* Takes the next line off *rest with its end, as str.splitlines(True): lines end at \n, \r\n, \r,
 * \v, \f, \x1c to \x1e, \x85, U+2028 and U+2029. False when *rest is empty. */
bool pyjson_next_line(struct cyg_str *rest, struct cyg_str *line);
/* Such a line without its end. */
struct cyg_str pyjson_without_end(struct cyg_str line);

#endif
