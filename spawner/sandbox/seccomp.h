/* The system call filter of every container. */
#ifndef SPAWNER_SANDBOX_SECCOMP_H
#define SPAWNER_SANDBOX_SECCOMP_H

#include "cygnet/err.h"

/* A memfd (CLOEXEC) with the filter as bubblewrap's --seccomp reads it, or a code. */
int seccomp_memfd(struct cyg_err *err);

#endif
