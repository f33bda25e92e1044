/* Checks a hub ↔ spawner message before anybody looks into it. */
#ifndef IPC_SPAWN_CODEC_H
#define IPC_SPAWN_CODEC_H

#include "cygnet/err.h"
#include "cygnet/spawn_msg.h"

#include <stddef.h>

/* The head of a message whose magic, version, type, length and text terminations are right. The
 * caller may then cast data to the struct of that type (data must be aligned to 8 bytes). */
int spawn_msg_check(
    const void *data, size_t len, const struct spawn_head **ret, struct cyg_err *err);
/* Fills in the head of a message about to be sent. */
void spawn_msg_init(struct spawn_head *head, enum spawn_type type, size_t len, uint32_t request_id);
/* Whether a name may be a user, server, template, stack: 1 to 63 of [a-z0-9._-] (users also '@' and
 * upper case), not starting with '.' or '-'. */
int spawn_name_check(const char *what, const char *name, struct cyg_err *err);

#endif
