/* The spawner's root struct and its objects: servers as the hub knows them, hubs (connections), and
 * the engine that runs the servers. A message (hubs.c) becomes a request (requests.c) to the engine
 * (engine.h), whose events (events.c) change the server's state (server.c) and become messages. */
#ifndef SPAWNER_CORE_SPAWNER_H
#define SPAWNER_CORE_SPAWNER_H

#include "base/list.h"
#include "spawner/core/engine.h"
#include "spawner/core/policy.h"

#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

struct spawner;
struct hub;

enum {
	SPAWNER_MISSED_MAX = 64, /* GONE events kept while no hub is connected */
	SPAWNER_HUBS_MAX = 4,    /* a restarted hub may come before the old one is seen gone */
};

/* A server is on the list of its state; server_move alone moves it. */
enum server_state {
	SERVER_ASKED,    /* from SPAWN to the engine's answer */
	SERVER_LAUNCHED, /* to on_ready */
	SERVER_READY,    /* REPLY is sent with its address; to the end of the stage "agent" */
	SERVER_RUNS,     /* that stage is over, or an earlier spawner started it */
	SERVER_STOPPING, /* a hub asked for its end */
	SERVER_STATES,
};

struct server {
	struct cyg_link link;
	struct spawner *spawner;
	enum server_state state;
	char id[CYG_SERVER_ID_LEN + 1];
	char user[CYG_NAME_MAX]; /* for the log */
	bool answered;           /* SPAWN has its REPLY, or came to an earlier spawner */
	uint64_t hub_serial;     /* of the connection that sent SPAWN */
	uint32_t request_id;
	struct spawn_address address; /* once it is ready */
};

struct cyg_listener;

struct spawner {
	uv_loop_t *loop;
	struct policy *policy;
	const struct engine *engine;
	void *engine_arg;
	uid_t hub_uid;

	struct cyg_list servers[SERVER_STATES];
	struct cyg_list hubs;
	struct cyg_list requests; /* not answered by the engine yet */
	uint64_t hub_serial;
	int listen_fd; /* -1 once the listener has it */
	struct cyg_listener *listener;
	bool closing;
	struct spawn_counts counts; /* but for its servers, which are counted when asked for */
	struct spawn_gone missed[SPAWNER_MISSED_MAX];
	size_t n_missed;
};

/* The caller has filled in loop, policy, engine with its object, and hub_uid; listen_fd is taken.
 * Hubs are let in once the engine has listed what an earlier spawner left. */
void spawner_open(struct spawner *sp, int listen_fd);
/* Frees everything; servers go on running. The loop must still run once. */
void spawner_close(struct spawner *sp);

/* server.c */
struct server *server_new(struct spawner *sp, const char *id, const char *user);
struct server *server_find(struct spawner *sp, const char *id);
/* Changes the state; asserts that the table in server.c allows it. */
void server_move(struct server *s, enum server_state to);
extern const enum spawn_state server_wire_states[SERVER_STATES]; /* what hubs are told */
enum spawn_state server_wire_state(const struct server *s);
void server_free(struct server *s);

/* requests.c: what each message of a hub asks for. */
void request_spawn(struct hub *hub, const struct spawn_head *head);
void request_stop(struct hub *hub, const struct spawn_head *head);
void request_list(struct hub *hub, const struct spawn_head *head);
void request_stat(struct hub *hub, const struct spawn_head *head);
void request_ping(struct hub *hub, const struct spawn_head *head);
void request_hand_over(struct hub *hub, const struct spawn_head *head);
void request_metrics(struct hub *hub, const struct spawn_head *head);
/* Frees the requests that the engine has not answered, when it is closed. */
void requests_forget(struct spawner *sp);
/* Asks the engine for what an earlier spawner left; hubs are accepted once it has answered. */
void request_adoption(struct spawner *sp);

/* events.c */
extern const struct engine_events spawner_events;
/* The start was answered with an error, or its server ended before it was ready. */
void event_not_started(struct server *s, const struct cyg_err *err, struct spawn_gone *gone);

/* hubs.c */
void hubs_open(struct spawner *sp);
void hubs_close(struct spawner *sp);
struct spawner *hub_spawner(const struct hub *hub);
uint64_t hub_serial_of(const struct hub *hub);
struct hub *hub_find(struct spawner *sp, uint64_t serial);
/* hub may be NULL: that connection is no more. address: of a server that is ready, else NULL. */
void hub_reply(struct hub *hub, uint32_t request_id, const struct cyg_err *err,
    const struct spawn_address *address);
void hub_item(struct hub *hub, uint32_t request_id, struct spawn_item *item);
void hub_counts(struct hub *hub, uint32_t request_id, struct spawn_counts *counts);
/* Fills in the head and sends to every hub. */
void hubs_tell(struct spawner *sp, struct spawn_head *msg, enum spawn_type type, size_t len);
void hubs_tell_gone(struct spawner *sp, struct spawn_gone *gone);

#endif
