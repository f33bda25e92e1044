/* The hub's end of the spawner's socket: connects, reconnects, numbers requests, and passes on what
 * the spawner reports. It knows messages, not servers. */
#ifndef HUB_SPAWNER_LINK_H
#define HUB_SPAWNER_LINK_H

#include "cygnet/err.h"
#include "cygnet/spawn_msg.h"

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

struct spawner_link;

struct spawner_events {
	/* HELLO came; and: the connection is gone (calls still open have failed already). */
	void (*on_up)(void *arg, const struct spawn_hello *hello);
	void (*on_down)(void *arg, const struct cyg_err *why);
	void (*on_stage)(void *arg, const struct spawn_stage *stage);
	void (*on_tail)(void *arg, const struct spawn_tail *tail);
	void (*on_gone)(void *arg, const struct spawn_gone *gone);
};

struct spawner_call {
	void (*on_item)(void *arg, const struct spawn_item *item);       /* may be NULL */
	void (*on_counts)(void *arg, const struct spawn_counts *counts); /* may be NULL */
	/* Of SPAWN, before on_reply with success; may be NULL. */
	void (*on_address)(void *arg, const struct spawn_address *address);
	/* Exactly once, never from inside spawner_link_call. why is NULL on success; its code is
	 * CYG_EBUSY when the connection ended or the time was over: nothing is known then. */
	void (*on_reply)(void *arg, uint32_t number, const struct cyg_err *why);
	void *arg;
	uint64_t timeout_ms; /* 0: none; the caller has its own */
};

/* path and events must outlive the link. Connecting begins on the loop. */
int spawner_link_new(uv_loop_t *loop, const char *path, const struct spawner_events *events,
    void *arg, struct spawner_link **ret, struct cyg_err *err);
/* No callback comes after it. NULL is accepted. */
void spawner_link_close(struct spawner_link *link);
/* Whether that spawner said, at its last connection, that it has the template. */
bool spawner_link_has(const struct spawner_link *link, const char *template_);
/* Whether requests may leave: HELLO came, and the connection has not begun to fail. */
bool spawner_link_is_up(const struct spawner_link *link);
/* The other side cannot be understood or breaks the protocol: the connection ends (from the loop,
 * not here) and a new one is made. */
void spawner_link_distrust(struct spawner_link *link, const struct cyg_err *why);
/* Counts connections: what was sent in an older epoch may be unknown to the other side. */
unsigned spawner_link_epoch(const struct spawner_link *link);
/* The last HELLO, or NULL while there was none. */
const struct spawn_hello *spawner_link_hello(const struct spawner_link *link);
/* Sends msg (a struct of the type, head included; the head is filled in here). Returns its number,
 * or 0 when it could not be sent: then no callback comes. */
uint32_t spawner_link_call(struct spawner_link *link, enum spawn_type type, void *msg, size_t len,
    const struct spawner_call *call);
/* The open call's callbacks will not come. */
void spawner_link_forget(struct spawner_link *link, uint32_t number);
/* The same for every open call with that arg. */
void spawner_link_forget_all(struct spawner_link *link, const void *arg);

#endif
