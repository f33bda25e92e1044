/* What the next agent has to know: kernels and the documents they belong to, in RUNDIR/runtime. */
#ifndef AGENT_RUNTIME_H
#define AGENT_RUNTIME_H

#include "cygnet/err.h"

struct kernels;
struct nbsessions;

/* Replaces the file. It has to survive this process, not the machine: nothing is synced. */
int runtime_write(const char *path, const struct kernels *kernels,
    const struct nbsessions *nbsessions, struct cyg_err *err);
/* Reads it back: kernels_expect and nbsessions_add for each record. No file is no error. */
int runtime_read(
    const char *path, struct kernels *kernels, struct nbsessions *nbsessions, struct cyg_err *err);

#endif
