/* Credentials: random text that is given out once, and the sum of it that is kept. */
#ifndef HUB_SECRET_H
#define HUB_SECRET_H

#include "base/str.h"
#include "cygnet/limits.h"

enum { SECRET_SUM_SIZE = 65 };

/* SHA-256 of the text as 64 lower-case hex digits. */
void secret_sum(struct cyg_str text, char out[SECRET_SUM_SIZE]);
/* A new credential of CYG_CREDENTIAL_LEN hex digits. */
void secret_new(char out[CYG_CREDENTIAL_LEN + 1]);
/* True for a text that has the form of one. */
bool secret_is_formed(struct cyg_str text);

#endif
