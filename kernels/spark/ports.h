/* Ports on loopback. No other user's process is in the container, or on its loopback, to take them.
 */
#ifndef SPARK_PORTS_H
#define SPARK_PORTS_H

#include "cygnet/err.h"
#include "kernels/spark/fill.h"

#include <stdbool.h>

/* Gives n places ("{port.master}") free ports that differ from each other. */
int ports_pick(struct fill *fill, const char *const *places, size_t n, struct cyg_err *err);
/* The port of a place, 0 when it has none. */
unsigned ports_of(const struct fill *fill, const char *place);
/* Whether somebody accepts connections there. Does not wait. */
bool ports_listens(unsigned port);

#endif
