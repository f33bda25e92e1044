/* The engine "process": servers as plain processes of this machine. */
#ifndef SPAWNER_PROCESS_PROCESS_H
#define SPAWNER_PROCESS_PROCESS_H

#include "spawner/local/local.h"

/* Needs no kind_arg. */
extern const struct local_kind process_kind;

#endif
