/* The response to a connect: the session, and secrets that are made for it here and kept nowhere.
 */
#ifndef HUB_SPARK_CONNECT_H
#define HUB_SPARK_CONNECT_H

#include "cygnet/err.h"

#include <stdbool.h>

struct spark_session;

/* The ports that an agent sends which does not fill in places itself. Such agents, this struct and
 * the member "worker" of the response go together. */
struct spark_old {
	bool is_old;
	unsigned master_port, ui_port;
};

/* Text of the response; the caller cleanses and frees it. NULL with *err. */
char *spark_connect_text(
    const struct spark_session *s, const struct spark_old *old, struct cyg_err *err);

#endif
