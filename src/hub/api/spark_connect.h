/* The response to a connect: the session, and secrets that are made for it here and kept nowhere.
 */
#ifndef HUB_SPARK_CONNECT_H
#define HUB_SPARK_CONNECT_H

#include "cygnet/err.h"

struct spark_session;

/* Text of the response; the caller cleanses and frees it. NULL with *err. */
char *spark_connect_text(const struct spark_session *s, struct cyg_err *err);

#endif
