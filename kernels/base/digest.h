/* SHA-256 and HMAC-SHA-256 as lower-case hex: of texts and files. */
#ifndef KBASE_DIGEST_H
#define KBASE_DIGEST_H

#include "base/str.h"
#include "cygnet/err.h"

enum { DIGEST_HEX = 65 };

void digest_sha256(struct cyg_str data, char hex[DIGEST_HEX]);
/* Of a whole file, read from its start without moving the descriptor's offset. */
int digest_sha256_file(int fd, char hex[DIGEST_HEX], struct cyg_err *err);
void digest_hmac(struct cyg_str key, struct cyg_str data, char hex[DIGEST_HEX]);

#endif
