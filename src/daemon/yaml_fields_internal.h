/* What yaml_fields.c and yaml_fields_doc.c share. */
#ifndef DAEMON_YAML_FIELDS_INTERNAL_H
#define DAEMON_YAML_FIELDS_INTERNAL_H

#include "daemon/yaml_fields.h"

enum { YAML_NEAR_MAX = 3 }; /* with more changes than this the names are not alike */

/* How many letters must be changed, added or left out to make a of b; above YAML_NEAR_MAX: too
 * many. */
unsigned yaml_near(struct cyg_str a, struct cyg_str b);

#endif
