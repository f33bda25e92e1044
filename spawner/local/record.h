/* The record of a server, in a folder that only the spawner can enter. It is written before
 * anything else of a start, so that the next spawner finds what this one left, and adopts or
 * removes it. */
#ifndef SPAWNER_LOCAL_RECORD_H
#define SPAWNER_LOCAL_RECORD_H

#include "cygnet/err.h"
#include "cygnet/limits.h"
#include "spawner/local/process.h"

#include <stdint.h>
#include <sys/types.h>

enum { RECORD_NAME_MAX = CYG_SERVER_ID_LEN + 16 };

struct record {
	char id[CYG_SERVER_ID_LEN + 1];
	char user[CYG_NAME_MAX], server[CYG_NAME_MAX];
	uint64_t user_id; /* 0: written by a spawner of before users had ids */
	uint32_t uid, cpu_milli;
	uint64_t memory_bytes, started_us;
	struct process_id init; /* pid 0: not known when this was written */
};

/* Writes "ID.record" in dir, whole or not at all. */
int record_write(int dir, const struct record *r, struct cyg_err *err);
/* -CYG_EINVAL for a file that is not exactly what record_write makes. */
int record_read(int dir, const char *id, struct record *ret, struct cyg_err *err);
/* Calls seen for each record in dir, and removes what a killed writer left half written. */
void record_each(int dir, void (*seen)(void *arg, const char *id), void *arg);
/* Name of a file about a server: kind is "record", "out" (what init printed), "pid" (the started
 * process, written by itself) or "status" (what bubblewrap reports about it). */
void record_file_name(char out[RECORD_NAME_MAX], const char *id, const char *kind);
/* Removes all four. */
void record_remove(int dir, const char *id);

/* The started process as it wrote itself into "ID.pid" before exec; pid 0 when it did not. */
void record_read_started(int dir, const char *id, struct process_id *ret);
/* What bubblewrap wrote: the pid of init and, once it ended, its exit code (-1: not yet). */
void record_read_status(int dir, const char *id, pid_t *child, int *exit_code);

#endif
