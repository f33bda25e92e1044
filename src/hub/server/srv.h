/* Server records: one for each user and server name, kept while the daemon lives; the one function
 * that changes their state (srv_move), and the stories that use it. */
#ifndef HUB_SRV_H
#define HUB_SRV_H

#include "base/list.h"
#include "cygnet/spawn_msg.h"
#include "hub/access/people.h"
#include "hub/base/secret.h"
#include "hub/link/proxy_link.h"
#include "hub/link/spawners.h"
#include "hub/offer/choice.h"
#include "hub/server/srv_state.h"
#include "hub/server/stages.h"

#include <uv.h>

struct http_call;
struct access;
struct audit;
struct audit_actor;
struct metrics;
struct srvs;

/* Requests that one server keeps open at the hub, of each kind: more than a user's tabs need, few
 * enough that no user takes all descriptors. */
enum { SRV_OPEN_MAX = 24, SRV_FULL_MS = 10 * 1000 /* when to come back */ };

/* A record has changed its state. */
struct srv_moved {
	struct srv *srv;              /* in its new state */
	const struct audit_actor *by; /* who asked for it; NULL: nobody, it came so */
	enum srv_state from;
	int64_t since_us; /* when it had got there (wall clock) */
};

/* Is called at every move, in the order of the list. It may not move a record itself. */
struct srvs_subscriber {
	void (*on_moved)(void *arg, const struct srv_moved *m);
	void *arg;
};

enum { SRVS_SUBSCRIBERS_MAX = 6 };

/* What the server records need. Everything outlives them. */
struct srvs_opts {
	uv_loop_t *uv;
	struct store *store;
	const struct profiles *profiles;
	struct access *access; /* users, sessions, tokens */
	struct proxy_link *proxy;
	struct audit *audit;
	struct metrics *metrics;
	const char *run_dir;
	uint64_t start_concurrency, queue_max, queue_timeout_ms;
	uint64_t slow_start_ms, slow_stop_ms; /* how long a request waits for a start or stop */
	uint64_t stop_grace_ms;
	struct srvs_subscriber subscribers[SRVS_SUBSCRIBERS_MAX]; /* up to the first of NULL */
};

struct srv {
	struct cyg_link link; /* on the list of its state */
	struct srv *next_of_user;
	struct srvs *srvs;
	enum srv_state state; /* only srv_move and the loader assign it */
	char user[CYG_NAME_MAX];
	char name[CYG_NAME_MAX];              /* "" is the default server */
	char id[CYG_SERVER_ID_LEN + 1];       /* of this life: a new one at every start */
	char object[2 * CYG_NAME_MAX + 16];   /* "alice/default", for the log */
	char *base_url;                       /* "/user/alice/" */
	char credential_sum[SECRET_SUM_SIZE]; /* "" while it has none */
	char isolation[24];
	struct choice choice;
	char line[CHOICE_LINE_SIZE]; /* the choice in words */
	int64_t since_us, started_us, last_activity_us;
	uint64_t stat_cpu_us; /* the last figure seen, and when (wall clock; 0: never) */
	int64_t stat_at_us;
	bool place_back; /* it starts, but holds no place of start-concurrency any more */
	bool routed;     /* its route belongs in the proxy's table */
	const struct audit_actor *by; /* who asks, while a move that was asked for is made */

	/* The start. */
	char credential[CYG_CREDENTIAL_LEN + 1]; /* until SPAWN has left, or the start ends */
	struct spawner *spawner;                 /* where it was sent or found; NULL: not known */
	char socket[CYG_ADDRESS_MAX]; /* where it listens, as its spawner told; "": not yet */
	struct stages stages;
	uint64_t asked_ms, spawn_ms, reply_ms, route_ms; /* monotonic: when each step began */
	/* It was under way when the hub started: spawn_ms and reply_ms are from then. */
	bool found_again;
	uint64_t start_deadline_ms;
	uint32_t spawn_number;  /* of the open SPAWN, 0: none */
	unsigned spawn_epoch;   /* connection on which it left */
	struct http_call *call; /* the first request to the server, while it is open */
	uint32_t push_ticket;   /* of the open push of the table */
	char *tail;             /* last lines of a failed script, or NULL */
	char *failure;          /* why the last start failed, until the next one; or NULL */

	/* The end. */
	bool gone, unrouted;
	bool by_person;        /* stopped by its user: no end is recorded */
	char cause[16];        /* of store_end */
	char end_message[320]; /* one sentence */
	uint64_t stop_asked_ms;
	uint32_t stop_number; /* of the newest STOP; older ones are of an earlier life */

	uv_timer_t timer;        /* of its state */
	struct cyg_list waiters; /* requests: wait.c */
	struct cyg_list streams; /* progress: progress.c */
	bool notify_queued;

	bool saving;  /* the row was written in this turn */
	bool unsaved; /* the record is newer than the row: it could not be written */
};

/* ---- the records (srv.c) ---- */
/* With the records of the store. On failure what was made is left in ret for srvs_close. */
int srvs_new(const struct srvs_opts *opts, struct srvs **ret, struct cyg_err *err);
/* Which spawners there are, whose events go to reconcile.h with srvs as owner; before the loop
 * runs. */
void srvs_use_spawners(struct srvs *srvs, struct spawners *spawners);
/* Sets the rows of all servers that were loaded in the proxies' table. */
void srvs_tell_proxies(const struct srvs *srvs);
/* Closes every record, and forgets deletions that wait (leave.h). The handles are freed when the
 * loop has closed them. NULL is accepted. */
void srvs_close(struct srvs *srvs);
/* Where a server listens. After a restart of the hub, until its spawner reports it again, that is
 * the path that local spawners use. The caller frees it. */
char *srv_socket(const struct srv *srv);
/* Takes the address that its spawner reports; -CYG_EINVAL for one that the hub cannot reach. */
int srv_set_address(struct srv *srv, const struct spawn_address *address, struct cyg_err *err);
/* The record, or NULL. */
struct srv *srvs_find(const struct srvs *srvs, struct cyg_str user, struct cyg_str name);
struct srv *srvs_find_id(const struct srvs *srvs, const char *id);
/* The first of a user's records (the others by next_of_user), or NULL. */
struct srv *srvs_first_of(const struct srvs *srvs, const char *user);
/* The record, made (stopped) when there is none. */
struct srv *srvs_get(struct srvs *srvs, const char *user, const char *name);
/* Forgets the stopped records of a user who is removed or renamed; their rows are not touched. Who
 * waits for one of them is told. */
void srvs_forget_user(struct srvs *srvs, const char *user);
/* Iterates over all as cyg_hash_next does. */
bool srvs_next(const struct srvs *srvs, size_t *pos, const struct srv **ret);
/* The list of those in a state, oldest move first. */
const struct cyg_list *srvs_in(const struct srvs *srvs, enum srv_state state);
/* Notes browser or kernel activity at that time; never moves a stamp backwards. */
void srvs_active(struct srvs *srvs, const char *id, int64_t at_us);
bool srv_is_active(const struct srv *srv);
/* The profile of its choice, or NULL: no longer offered. */
const struct profile *srv_profile(const struct srv *srv);
/* The spawner that it is with: where it was sent or found; else the one that has its template.
 * NULL: not known now. When there is only one spawner, it is that one. (srv_spawner.c) */
struct spawner *srv_spawner(const struct srv *srv);
/* How many starts hold a place. */
size_t srvs_places_taken(const struct srvs *srvs);
/* From here on the user's own script runs, which may take as long as the user lets it: the place
 * goes to the next in the queue. Does nothing in other states, or a second time. */
void srv_give_place_back(struct srv *srv);

/* The one function that changes a state: checks the table of moves, moves the record between lists,
 * restarts the state's timer, writes the row, logs, and publishes the move to the subscribers. A
 * move that the table forbids ends the process: it is our mistake. why is a short phrase. */
void srv_move(struct srv *srv, enum srv_state to, const char *why);

/* ---- subscribers ---- */
/* Removes the route from the table when the clean-up begins (srv_table.c). */
void srv_on_moved_route(void *unused, const struct srv_moved *m);
/* At the end of a start, however it ends: writes how long its stages took, all in the turn of the
 * move, since each turn that writes waits for the disk (srv_times.c). */
void srv_on_moved_times(void *unused, const struct srv_moved *m);
/* Counts (srv_metrics.c). */
void srv_on_moved_metrics(void *metrics, const struct srv_moved *m);
/* Tells the audit who started or stopped it, or how it ended (srv_audit.c). */
void srv_on_moved_audit(void *audit, const struct srv_moved *m);
/* After this turn: responds to requests that wait for the server, and tells streams (wait.c). */
void srv_on_moved_watchers(void *unused, const struct srv_moved *m);

/* Writes the row as it is now. The change has happened outside, so when the row cannot be written,
 * the record stays and the row is written again later (srvs_repair). */
void srv_save(struct srv *srv);
/* Before a change that a user asked for, while nothing of the server is outside: when this turn
 * cannot be written, the record goes back to what it is now, and requests that wait for its start
 * are told. */
void srv_remember(struct srv *srv);
/* Writes the rows of records that could not be written when they changed. */
void srvs_repair(struct srvs *srvs);

/* ---- start.c: user options → queue → SPAWN → first response → route ---- */
/* Queues a start. The record is stopped; the choice was checked. -CYG_ELIMIT: the queue is full. */
int srv_start(
    struct srv *srv, const struct choice *c, const struct audit_actor *by, struct cyg_err *err);
/* Admits queued starts while there are places and the spawner is there, if something has changed
 * since. For the end of a turn, before its commit; no other function admits. */
void srvs_admit(struct srvs *srvs);
/* Whether something has changed since, so that srvs_admit would look. */
bool srvs_admission_is_due(const struct srvs *srvs);
/* Something has changed: the end of this turn calls srvs_admit. */
void srvs_admit_later(struct srvs *srvs);
/* The spawner has it (its REPLY, or its list after a new connection): waits for the first response.
 */
void srv_spawned(struct srv *srv);
/* Sends the first request, again after a restart of the hub. */
void srv_ask(struct srv *srv);
/* A stage of the start has changed: begins the stage "answer" (the first response) once the agent
 * has been started. */
void srv_answer_due(struct srv *srv);
/* Position in the queue from 1, or 0. */
size_t srv_queue_position(const struct srv *srv);
/* Ends a start from any step: remembers why, begins the clean-up. */
void srv_start_fail(struct srv *srv, const char *cause, const char *message);

/* ---- stop.c: the clean-up, through which every server ends ---- */
/* Its user, or an administrator, asks for it: a queued start is dropped, anything else is cleaned
 * up. */
void srv_stop(struct srv *srv, const struct audit_actor *by);
/* Begins the clean-up; cause and message become the end that the user is shown. */
void srv_cleanup(struct srv *srv, const char *cause, const char *message);
/* The spawner reports, or its list shows, that the container is gone. */
void srv_gone(struct srv *srv);
/* Sends STOP (again). */
void srv_send_stop(struct srv *srv);
/* Writes the end that its user is shown, if there is one. */
void srv_record_end(struct srv *srv);

/* ---- wait.c and progress.c: requests and streams that wait ---- */
/* The last lines of its failed script as an array of strings. A new object. */
json_t *srv_tail_lines(const struct srv *srv);
/* After this turn's commit: responds to requests that wait for the present state, tells streams. */
void srv_notify(struct srv *srv);
void srv_waiters_settle(struct srv *srv);
/* The start of that life was undone: responds so to requests that wait for it. */
void srv_waiters_unsaved(struct srv *srv, const char *id);
void srv_waiters_close(struct srv *srv);
/* Sends one stage, or all of them (NULL), to every open stream. */
void srv_progress_stage(struct srv *srv, const struct stage *stage);
/* Sends the last event to every stream once the start is done or has failed. */
void srv_progress_settle(struct srv *srv);
void srv_progress_close(struct srv *srv);
/* Sends new positions to streams of starts that wait for a place. */
void srvs_progress_queue(struct srvs *srvs);

#endif
