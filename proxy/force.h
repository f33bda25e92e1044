/* Putting a table in force. */
#ifndef PROXY_FORCE_H
#define PROXY_FORCE_H

#include "proxy/proxy.h"

/* Replaces the table; takes t. When it returns, every connection that t does not allow any more is
 * closed, WebSockets too: dropped, without a close frame that a page would take for a server's. */
void force_table(struct proxy *p, struct table *t);
/* Reads options.table and puts it in force; on failure the old one stays. */
int force_file(struct proxy *p, struct cyg_err *err);

#endif
