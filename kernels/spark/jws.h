/* Tokens for a driver's UI and its REST API, which Spark's JWSFilter asks for (RFC 7515, HS256). */
#ifndef SPARK_JWS_H
#define SPARK_JWS_H

#include "cygnet/err.h"

#include <stdint.h>

/* A token that ends ttl_s seconds after now_s (seconds since 1970), by a key in base64url. Caller
 * cleanses and frees it. NULL with *err when the key cannot be read. */
char *spark_jws_token(const char *key, int64_t now_s, unsigned ttl_s, struct cyg_err *err);

#endif
