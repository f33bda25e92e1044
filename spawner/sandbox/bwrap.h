/* bubblewrap's options for one server, as the NUL-separated list that it reads from a descriptor.
 * They are in neither its command line nor its environment, because everybody on the machine may
 * read the first, and processes inside may read both. */
#ifndef SPAWNER_SANDBOX_BWRAP_H
#define SPAWNER_SANDBOX_BWRAP_H

#include "base/buf.h"
#include "cygnet/err.h"
#include "spawner/local/launch.h"
#include "spawner/local/local.h"

struct bwrap {
	struct cyg_buf args;
	int fds[LAUNCH_FDS_MAX]; /* become LAUNCH_FD_FIRST + i; owned, except the first */
	size_t n_fds;
	bool full; /* something did not fit: bwrap_finish fails */
};

/* listen_fd becomes descriptor 3 and stays the caller's. */
void bwrap_init(struct bwrap *b, int listen_fd);
void bwrap_free(struct bwrap *b);
/* Appends words, up to a NULL. */
void bwrap_add(struct bwrap *b, ...) __attribute__((sentinel));
/* Hands a descriptor over; returns its number inside as text, valid until the next call. */
const char *bwrap_add_fd(struct bwrap *b, int fd);
/* A memfd with these bytes; -1 when there is no memory. */
int bwrap_data(const char *data, size_t len);
/* Ends the option list and hands it over; number gets its descriptor's number, for --args. */
int bwrap_finish(struct bwrap *b, char number[16], struct cyg_err *err);

/* bwrap_system.c: what every container sees of this machine, read-only, and its own /etc. */
void bwrap_add_system(struct bwrap *b, const struct local_server *s, const char *home);

enum { BWRAP_HOST_MAX = 64 };
#define BWRAP_HOST_NAME "cygnet"

#endif
