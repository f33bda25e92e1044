/* The proxy's table, written from sessions and server records. */
#ifndef HUB_TABLE_H
#define HUB_TABLE_H

#include "hub/hub.h"

/* {"generation", "routes", "credentials"} as heap text; the caller frees it. */
char *table_write(const struct hub *hub, uint64_t generation, size_t *len);

#endif
