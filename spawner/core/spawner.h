/* The spawner's root struct and the objects on it: servers (one each), hubs (connections), and the
 * engine that knows how to run one. The story of a server: start.c, output.c, end.c; after a
 * restart adopt.c. */
#ifndef SPAWNER_CORE_SPAWNER_H
#define SPAWNER_CORE_SPAWNER_H

#include "base/list.h"
#include "spawner/core/cgroup.h"
#include "spawner/core/folders.h"
#include "spawner/core/launch.h"
#include "spawner/core/policy.h"
#include "spawner/core/process.h"
#include "spawner/core/uids.h"

#include <uv.h>

struct spawner;
struct hub;

enum {
	SPAWNER_MISSED_MAX = 64,      /* GONE events kept while no hub is connected */
	SPAWNER_HUBS_MAX = 4,         /* a restarted hub may come before the old one is seen gone */
	SPAWNER_OUT_MAX = 256 * 1024, /* of init's output is read, then no more */
	SPAWNER_READY_MS = 30 * 1000, /* from launch to init's first word */
	SPAWNER_PARTING_MS = 2 * 1000, /* from init's end to bubblewrap's */
	SPAWNER_REMOVE_MS = 20,        /* between two tries to remove a control group */
	SPAWNER_REMOVE_TRIES = 250,
	SPAWNER_GRACE_MAX_MS = 600 * 1000,
};

enum server_step {
	STEP_PERSON,   /* the name service is asked */
	STEP_LAUNCHED, /* waiting for init's first word */
	STEP_RUNS,
	STEP_REMOVING, /* dead; its places are being removed */
};

struct server {
	struct cyg_link link;
	struct spawner *spawner;
	struct spawn_spawn spec; /* the credential is cleansed once it is delivered */
	struct policy_grant grant;
	struct uids_person person;
	char home[CYG_PATH_MAX]; /* on this machine */
	enum server_step step;
	enum spawn_state state; /* as LIST tells it */
	bool adopted, answered;
	bool stop_asked; /* by a hub, which waits for GONE whatever else it was told */
	uint64_t started_us, memory_limit;
	uint32_t cpu_milli;

	uint64_t hub_serial; /* of the connection that asked, 0: nobody waits */
	uint32_t request_id;
	struct uids_lookup *lookup;

	struct process_id started, init; /* what we launched; pid 1 of the container */
	struct process_watch *started_watch, *init_watch;
	int exit_code, exit_signal; /* -1: not known */

	const char *stage; /* the spawner's own running stage, or NULL */
	uint64_t stage_ms;
	uv_fs_event_t out_event;
	int out_fd;
	size_t out_len, out_line_len; /* read so far; of the unfinished line */
	char out_line[256], out_last[256];

	uv_timer_t timer; /* ready, grace, parting or removing: one at a time */
	uv_work_t work;
	unsigned tries;
	int handles;
	struct cyg_err failure; /* of a start: answered once everything is removed */
	struct spawn_gone gone;
	struct spawn_tail tail;
};

/* Where things are inside the container (or, without one, on this machine). */
struct engine_places {
	char home[CYG_PATH_MAX], run_dir[CYG_PATH_MAX], bin[CYG_PATH_MAX];
};

struct engine {
	const char *name;
	enum spawn_isolation isolation;
	bool own_secrets;   /* it puts the credential onto a tmpfs itself */
	bool pid_namespace; /* init's death ends everything in it */
	void (*places)(void *arg, const struct server *s, struct engine_places *ret);
	/* Starts init with listen_fd as descriptor 3. base has person, out, started_fd and procs
	 * set; argv is init's whole command line (argv[0] is its path inside). */
	int (*start)(void *arg, struct server *s, struct launch *base, char *const *argv,
	    int listen_fd, struct cyg_err *err);
};

struct spawner {
	uv_loop_t *loop;
	struct folders folders;
	struct policy *policy;
	struct uids *uids; /* NULL as an ordinary user */
	struct cgroups cgroups;
	const struct engine *engine;
	void *engine_arg;
	char statement[256];
	uid_t hub_uid;
	struct rlimit files; /* of open files, for servers; all 0: as ours */

	struct cyg_list servers, hubs;
	uint64_t hub_serial;
	int listen_fd;
	uv_poll_t listen_poll;
	bool listening;
	struct spawn_gone missed[SPAWNER_MISSED_MAX];
	size_t n_missed;
};

/* The caller has filled in loop, folders (opened), policy, engine, statement and hub_uid; here come
 * uids, control groups and adoption; then it listens on listen_fd (taken; -1: RUN's own). */
int spawner_open(struct spawner *sp, int listen_fd, struct cyg_err *err);
/* Lets go of every server without ending it, and frees. The loop must still run once. */
void spawner_close(struct spawner *sp);

/* server.c */
struct server *server_new(struct spawner *sp, const struct spawn_spawn *spec);
struct server *server_find(struct spawner *sp, const char *id);
void server_item(const struct server *s, struct spawn_item *ret);
/* Ends the running stage of the spawner's own and begins the next (NULL: none). */
void server_stage(struct server *s, const char *next, bool failed);
/* Tells that a stage began, or ended as the message says; ms counts from the stage's begin. */
void server_tell_stage(struct server *s, const char *name, enum spawn_stage_state state);
/* Init's stages follow each other without a word between them: tells which one begins now, after
 * `done` (NULL: the first). */
void server_stage_after(struct server *s, const char *done);
/* Closes its handles and frees it once they are closed; says nothing to anybody. */
void server_drop(struct server *s);
/* False when it cannot be watched: it has ended, or there are no descriptors left. */
bool server_watch_started(struct server *s);
bool server_watch_init(struct server *s);

/* start.c */
void start_request(struct spawner *sp, struct hub *hub, const struct spawn_spawn *r);
/* init spoke its first word. */
void start_ready(struct server *s);
void start_failed(struct server *s, const struct cyg_err *err);

/* output.c */
int output_open(struct server *s, bool from_end, struct cyg_err *err);
void output_read(struct server *s);
void output_close(struct server *s);
/* One line of init: 1 "ready", 2 a stage (filled in), 0 anything else. */
int output_parse(const char *line, size_t len, struct spawn_stage *ret);

/* end.c */
void end_started(void *server); /* process_watch callbacks */
void end_init(void *server);
void end_stop(struct server *s, uint32_t grace_ms);
/* Nothing of it runs (any more): cleans up, then tells. */
void end_remove(struct server *s);

/* adopt.c */
void adopt_all(struct spawner *sp);

/* hubs.c */
int hubs_open(struct spawner *sp, int listen_fd, struct cyg_err *err);
void hubs_close(struct spawner *sp);
uint64_t hub_serial_of(const struct hub *hub);
/* False when that connection is no more. */
bool hub_reply(struct spawner *sp, uint64_t serial, uint32_t request_id, const struct cyg_err *err);
/* Fills in the head and sends to every hub. */
void hubs_tell(struct spawner *sp, struct spawn_head *msg, enum spawn_type type, size_t len);
void hubs_tell_gone(struct spawner *sp, struct spawn_gone *gone);

#endif
