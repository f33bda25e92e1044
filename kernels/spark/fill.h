/* The places of cygnet/spark_fill.h in texts of the hub, replaced by what only the agent knows. */
#ifndef SPARK_FILL_H
#define SPARK_FILL_H

#include "base/buf.h"

enum { FILL_MAX = 24, FILL_PLACE_SIZE = 32 };

struct fill {
	struct {
		char place[FILL_PLACE_SIZE]; /* with its braces: "{port.master}" */
		char *value;
	} list[FILL_MAX];
	size_t n;
};

void fill_init(struct fill *f);
/* A place that is there gets the new value. Aborts beyond FILL_MAX places or with a longer one than
 * fits: the agent's own mistake. */
void fill_set(struct fill *f, const char *place, const char *value);
void fill_set_port(struct fill *f, const char *place, unsigned port);
/* NULL: it is not there. */
const char *fill_get(const struct fill *f, const char *place);
/* Adds all of from's. */
void fill_copy(struct fill *to, const struct fill *from);
/* Cleanses the values; it can be used again after fill_init. */
void fill_free(struct fill *f);
/* Appends the text with every place replaced, once: what a value holds stays as it is. A "{port.…}"
 * or "{secret.…}" that is not there is refused by name (-CYG_EPROTO); every other text in braces
 * stays. */
int fill_text(const struct fill *f, struct cyg_str text, struct cyg_buf *out, struct cyg_err *err);
/* The same as a new text of at most 1 MiB; NULL on failure. Caller frees. */
char *fill_new(const struct fill *f, const char *text, struct cyg_err *err);

#endif
