/* The hub's options: hub.yaml and the command line. */
#ifndef HUB_OPTIONS_H
#define HUB_OPTIONS_H

#include "daemon/options.h"

extern const struct cyg_program hub_program;

#endif
