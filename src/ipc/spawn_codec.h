/* Checks a hub ↔ spawner message before it is used. */
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

/* What has a name in these messages. Hub and spawner both check names here, so both allow the same.
 */
enum spawn_name {
	SPAWN_NAME_USER,
	SPAWN_NAME_SERVER,
	SPAWN_NAME_TEMPLATE,
	SPAWN_NAME_STACK,
	SPAWN_NAME_CLUSTER,
	SPAWN_NAMES,
};

/* Whether a name may be one of that kind: 1 to CYG_NAME_MAX - 1 characters of the kind's alphabet,
 * the first no '.' or '-'. All are lower case: users' names become host names, which do not tell
 * case, and paths. */
int spawn_name_check(enum spawn_name kind, const char *name, struct cyg_err *err);

#endif
