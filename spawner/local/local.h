/* Servers of this machine: what the engines sandbox and process share. Each server has one object,
 * from its launch to the removal of its last file: start.c (with command.c), output.c, end.c (with
 * remove.c); after a restart adopt.c. local.c is the engine that the core sees. */
#ifndef SPAWNER_LOCAL_LOCAL_H
#define SPAWNER_LOCAL_LOCAL_H

#include "base/list.h"
#include "spawner/core/engine.h"
#include "spawner/local/cgroup.h"
#include "spawner/local/folders.h"
#include "spawner/local/launch.h"
#include "spawner/local/process.h"
#include "spawner/local/uids.h"

#include <uv.h>

enum {
	LOCAL_OUT_MAX = 256 * 1024,  /* bytes of init's output that are read at most */
	LOCAL_READY_MS = 30 * 1000,  /* from launch to init's first line */
	LOCAL_PARTING_MS = 2 * 1000, /* from init's end to bubblewrap's */
	LOCAL_REMOVE_MS = 20,        /* between two tries to remove a control group */
	LOCAL_REMOVE_TRIES = 250,
	LOCAL_REMOVE_STEP = 4096, /* files removed in one turn of a thread, while others wait */
	LOCAL_GRACE_MAX_MS = 600 * 1000,
};

enum local_step {
	STEP_ACCOUNT,  /* the name service is asked */
	STEP_LAUNCHED, /* waiting for init's first line */
	STEP_RUNS,
	STEP_REMOVING, /* dead; its folders are being removed */
};

struct local_server {
	struct cyg_link link;
	struct local *local;
	struct spawn_spawn spec; /* the credential is cleansed once it is delivered */
	struct policy_grant grant;
	struct uids_account account;
	char home_folder[UIDS_HOME_MAX]; /* in STATE/homes */
	char home[CYG_PATH_MAX];         /* on this machine */
	enum local_step step;
	bool adopted;
	bool ready;    /* init has printed "ready": the core knows its address */
	bool nameless; /* only its folders were found: no event is sent */
	bool asked;    /* its end was asked for */
	bool stopping; /* its end has begun, whatever the cause */
	uint64_t started_us, memory_limit;
	uint32_t cpu_milli;
	struct engine_answer answer; /* of start; done is NULL once it is given */
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
	bool more; /* the thread's step left something */
	unsigned tries;
	int handles;
	struct cyg_err failure; /* of a start: told once everything is removed */
	struct spawn_gone gone;
	struct spawn_tail tail;
};

/* Where things are inside the container (or, without one, on this machine). */
struct local_places {
	char home[CYG_PATH_MAX], run_dir[CYG_PATH_MAX], bin[CYG_PATH_MAX];
};

/* How a server's processes are started: what differs between sandbox and process. */
struct local_kind {
	const char *name; /* of the engine, as HELLO says it */
	enum spawn_isolation isolation;
	bool own_secrets;   /* it puts the credential onto a tmpfs itself */
	bool pid_namespace; /* init's death ends everything in it */
	void (*places)(void *arg, const struct local_server *s, struct local_places *ret);
	/* Starts init with listen_fd as descriptor 3. base has account, out, started_fd and procs
	 * set; argv is init's whole command line (argv[0] is its path inside). */
	int (*start)(void *arg, struct local_server *s, struct launch *base, char *const *argv,
	    int listen_fd, struct cyg_err *err);
};

struct local {
	uv_loop_t *loop;
	struct folders folders;
	const struct local_kind *kind;
	void *kind_arg;
	char bin[CYG_PATH_MAX]; /* folder of the container's binaries that every user can reach */
	char statement[256];
	struct rlimit files; /* of open files, for servers; all 0: as ours */

	const struct engine_events *events; /* the core's */
	void *core;
	struct uids *uids;
	struct cgroups cgroups;
	struct cyg_list servers;
	struct cyg_list answers; /* to be given at the loop's next turn */
	uv_timer_t later;
};

/* The engine whose object is a struct local. */
extern const struct engine local_engine;

/* Copies cygnet-init and cygnet-agent from the folder from (which users may be unable to enter) to
 * CACHE/bin/HASH, whole or not at all, and sets l->bin to that folder. HASH is of their bytes, so
 * running servers keep their binaries after an upgrade. A missing agent is no error here. */
int local_install_binaries(struct local *l, const char *from, struct cyg_err *err);

/* Opens uids and control groups. The caller has filled in loop, folders (opened), kind and
 * statement. Servers of an earlier spawner are found when the engine is opened. */
int local_open(struct local *l, struct cyg_err *err);
/* Undoes local_open where the engine was never opened. */
void local_abandon(struct local *l);
/* Binds the hub's socket, RUN/spawner/ctl.sock; returns the descriptor. */
int local_listen(const struct local *l, struct cyg_err *err);

/* local.c: gives an answer at the loop's next turn. */
void local_answer_later(struct local *l, const struct engine_answer *answer,
    const struct spawn_item *item, const struct cyg_err *err);

/* server.c */
struct local_server *local_server_new(struct local *l, const struct spawn_spawn *spec);
struct local_server *local_server_find(struct local *l, const char *id);
void local_server_item(const struct local_server *s, struct spawn_item *ret);
void local_server_address(const struct local_server *s, struct spawn_address *ret);
/* Ends the running stage of the spawner's own and begins the next (NULL: none). */
void local_server_stage(struct local_server *s, const char *next, bool failed);
/* Init reports only the end of a stage: this reports which one begins now, after `done` (NULL: the
 * first). */
void local_server_stage_after(struct local_server *s, const char *done);
/* Closes its handles and frees it once they are closed; sends no event. */
void local_server_drop(struct local_server *s);
/* False when it cannot be watched: it has ended, or there are no descriptors left. */
bool local_server_watch_started(struct local_server *s);
bool local_server_watch_init(struct local_server *s);

/* start.c */
void start_begin(struct local_server *s);
/* init printed its first line. */
void start_ready(struct local_server *s);
void start_failed(struct local_server *s, const struct cyg_err *err);

/* command.c: init's command line, NULL-ended; free it with command_free whatever came back. */
int command_make(const struct local_server *s, char ***ret, struct cyg_err *err);
void command_free(char **list);

/* output.c */
int output_open(struct local_server *s, bool from_end, struct cyg_err *err);
void output_read(struct local_server *s);
void output_close(struct local_server *s);
/* One line of init: 1 "ready", 2 a stage (filled in), 0 anything else. */
int output_parse(const char *line, size_t len, struct spawn_stage *ret);

/* end.c */
void end_started(void *server); /* process_watch callbacks */
void end_init(void *server);
void end_stop(struct local_server *s, uint32_t grace_ms);
/* It ended while no spawner ran: finds the cause, then removes it. */
void end_found_dead(struct local_server *s);
/* No process of it runs (any more): cleans up, then sends the event. */
void end_remove(struct local_server *s);

/* remove.c: control group, then folders, off the loop and in steps; then end_removed. */
void remove_begin(struct local_server *s);
void end_removed(struct local_server *s);

/* adopt.c */
void adopt_all(struct local *l);

#endif
