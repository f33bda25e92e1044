/* Putting a table in force. */
#ifndef PROXY_FORCE_H
#define PROXY_FORCE_H

#include "proxy/proxy.h"

/* Replaces the table; takes t. When it returns, every connection that t no longer allows is closed.
 * WebSockets are closed without a close frame, which a page would take for the server's. */
void force_table(struct proxy *p, struct table *t);
/* Changes the table in place, with the same promise. -CYG_EEXIST when the change builds on another
 * generation, -CYG_ELIMIT when the table would grow too large; the old one stays then. */
int force_change(struct proxy *p, struct table_change *change, struct cyg_err *err);
/* Reads options.table and puts it in force; on failure the old one stays. */
int force_file(struct proxy *p, struct cyg_err *err);

#endif
