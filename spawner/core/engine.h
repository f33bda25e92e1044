/* The interface between the core and an engine, which runs the servers: requests that the engine
 * answers later, and events that it reports. How servers are run is the engine's matter: on this
 * machine (spawner/local, used by sandbox and process), or by another program. */
#ifndef SPAWNER_CORE_ENGINE_H
#define SPAWNER_CORE_ENGINE_H

#include "cygnet/err.h"
#include "cygnet/spawn_msg.h"
#include "spawner/core/policy.h"

/* Called by an engine from the loop, never from inside a request (on_stage may be). For one server:
 * stages and one on_ready, in any order with the answer to its start; at most one on_tail; on_gone
 * last. */
struct engine_events {
	/* ms: since the stage began, 0 when it begins. */
	void (*on_stage)(
	    void *arg, const char *id, const char *name, enum spawn_stage_state state, uint32_t ms);
	/* Its init runs: connections to the address are accepted, and served as soon as it can. */
	void (*on_ready)(void *arg, const char *id, const struct spawn_address *address);
	/* The last output of what failed. The core fills in the heads of messages. */
	void (*on_tail)(void *arg, struct spawn_tail *tail);
	/* It ended and nothing of it is left. Not called for a server whose start was answered with
	 * an error. */
	void (*on_gone)(void *arg, struct spawn_gone *gone);
};

/* Each request is answered exactly once, from the loop, never from inside the call; none is
 * answered after close; those that are open then are forgotten. err is NULL on success. */
typedef void (*engine_done_fn)(void *arg, const struct cyg_err *err);
/* One server as the engine knows it, before the request's answer; the head, and what the core knows
 * better (state, address of a server it started), are not filled in. */
typedef void (*engine_item_fn)(void *arg, const struct spawn_item *item);

struct engine_answer {
	engine_item_fn item; /* of list and stat; else NULL */
	engine_done_fn done;
	void *arg;
};

/* The first argument of all is the engine's own object. */
struct engine {
	/* Called once, before all others: which functions to call. */
	void (*open)(void *engine, const struct engine_events *events, void *arg);
	/* Fills in what HELLO says of it: engine, isolation, limits, statement. */
	void (*describe)(void *engine, struct spawn_hello *ret);
	/* request and grant are valid during the call; what grant points to is valid as long as the
	 * engine. Success: the server is starting, and on_ready or on_gone follows. An error:
	 * nothing of it is left. */
	void (*start)(void *engine, const struct spawn_spawn *request,
	    const struct policy_grant *grant, const struct engine_answer *answer);
	/* Success: the server is ending, and on_gone follows. Without grace it is killed. */
	void (*stop)(
	    void *engine, const char *id, uint32_t grace_ms, const struct engine_answer *answer);
	/* Lists every server that was ready at some time and is not gone. At the first call these
	 * are the servers that an earlier spawner left. */
	void (*list)(void *engine, const struct engine_answer *answer);
	void (*stat)(void *engine, const char *id, const struct engine_answer *answer);
	/* Gives what one user has on this engine to another user, or refuses. NULL when the engine
	 * keeps nothing of users. */
	void (*hand_over)(void *engine, const struct spawn_hand_over *request,
	    const struct engine_answer *answer);
	/* Lets go of its servers without ending them. */
	void (*close)(void *engine);
};

#endif
