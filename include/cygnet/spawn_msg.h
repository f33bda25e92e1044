/* The messages between hub and spawner: fixed structs over SOCK_SEQPACKET, one message a packet,
 * host byte order (both ends run on one machine). The hub asks with names, never with command
 * lines, mounts or images; the spawner sends a REPLY with the same request id for each request, and
 * sends STAGE, TAIL and GONE on its own. Every text field is NUL-terminated inside its array; the
 * receiver checks magic, version, type, length and termination before it looks at anything
 * (src/ipc/spawn_codec.h). */
#ifndef CYGNET_SPAWN_MSG_H
#define CYGNET_SPAWN_MSG_H

#include "cygnet/limits.h"

#include <stdint.h>

enum { SPAWN_MAGIC = 0x43594753, SPAWN_VERSION = 2 };

enum spawn_type {
	SPAWN_HELLO = 1, /* spawner → hub, first message: struct spawn_hello; TEMPLATEs follow */
	SPAWN_SPAWN, /* hub → spawner: struct spawn_spawn; REPLY once its address listens and init
			runs */
	SPAWN_STOP,  /* struct spawn_stop: REPLY at once; SIGTERM to init, SIGKILL after grace_ms;
			GONE follows */
	SPAWN_LIST,  /* struct spawn_head; one ITEM for each server, then REPLY */
	SPAWN_STAT,  /* struct spawn_stop, grace_ms unused; one ITEM, then REPLY */
	SPAWN_PING,  /* struct spawn_head; REPLY */
	SPAWN_REPLY, /* struct spawn_reply */
	SPAWN_ITEM,  /* struct spawn_item */
	SPAWN_STAGE, /* struct spawn_stage */
	SPAWN_TAIL,  /* struct spawn_tail */
	SPAWN_GONE,  /* struct spawn_gone */
	SPAWN_TEMPLATE,  /* struct spawn_template */
	SPAWN_HAND_OVER, /* hub → spawner: struct spawn_hand_over; REPLY */
	SPAWN_METRICS,   /* hub → spawner: struct spawn_head; one COUNTS, then REPLY */
	SPAWN_COUNTS,    /* struct spawn_counts */
	SPAWN_TYPES,
};

struct spawn_head {
	uint32_t magic;
	uint16_t version;
	uint16_t type;
	uint32_t length;     /* of the whole message */
	uint32_t request_id; /* chosen by the hub, > 0; 0 in events */
};

enum spawn_isolation {
	SPAWN_ISOLATION_PROCESS = 1,     /* no separation: development only */
	SPAWN_ISOLATION_SANDBOX,         /* namespaces, one uid a user */
	SPAWN_ISOLATION_SANDBOX_ONE_UID, /* namespaces, but every server runs as the caller's uid */
};

enum spawn_limit { SPAWN_LIMIT_MEMORY, SPAWN_LIMIT_PIDS, SPAWN_LIMIT_CPU };

struct spawn_hello {
	struct spawn_head head;
	char engine[CYG_NAME_MAX]; /* "sandbox", "process", "fault" */
	uint32_t isolation;        /* enum spawn_isolation */
	uint32_t limits;           /* bits 1 << enum spawn_limit: which limits are enforced */
	uint32_t templates;        /* so many TEMPLATE messages follow */
	char statement[256];       /* one sentence for the administrator's page and the log */
};

/* One template of this spawner: the hub sends starts to the spawner that has theirs. */
struct spawn_template {
	struct spawn_head head;
	char name[CYG_NAME_MAX];
};

enum spawn_address_kind { SPAWN_ADDRESS_NONE, SPAWN_ADDRESS_UNIX, SPAWN_ADDRESS_TCP };

/* Where a server listens. At a Unix path its folder says who may connect; at a host and port
 * a client shows the server's credential, that of SPAWN. */
struct spawn_address {
	uint32_t kind;               /* enum spawn_address_kind */
	uint32_t port;               /* TCP: 1 to 65535; else 0 */
	char where[CYG_ADDRESS_MAX]; /* UNIX: absolute path; TCP: host name or number; else "" */
};

struct spawn_spawn {
	struct spawn_head head;
	char server_id[CYG_SERVER_ID_LEN + 1];
	uint64_t user_id;      /* > 0; belongs to one account and returns with no other */
	uint64_t user_made_us; /* wall clock, when that account was made */
	char user[CYG_NAME_MAX];
	/* The name that the account had when users got ids, for what was kept by name until then;
	 * "": it was made after that. */
	char name_before[CYG_NAME_MAX];
	char server[CYG_NAME_MAX]; /* "" is the user's default server */
	char template_[CYG_NAME_MAX];
	char stack[CYG_NAME_MAX];
	char base_url[CYG_PATH_MAX];             /* "/user/alice/" */
	char credential[CYG_CREDENTIAL_LEN + 1]; /* for the inner listener; becomes a 0400 file */
	uint64_t memory_bytes;                   /* 0: the template's default */
	uint32_t cpu_milli;     /* thousandths of a core; 0: the template's default */
	uint32_t home_packages; /* 1: packages in the home are used (PYTHONNOUSERSITE unset) */
	char user_script[CYG_PATH_MAX]; /* path below the home of the user's own setup script, or ""
					 */
	char cluster[CYG_NAME_MAX]; /* Spark cluster of the form, or "": {cluster} in a template */
};

/* What a user has on the spawner's machine, uid and home, passes to another; REPLY. Refused while a
 * server of either is there. from_id 0: what from_name had before users had ids and no user has
 * taken over since. */
struct spawn_hand_over {
	struct spawn_head head;
	uint64_t from_id, to_id, to_made_us;
	char from_name[CYG_NAME_MAX]; /* "" unless from_id is 0 */
	char to_name[CYG_NAME_MAX];
};

struct spawn_stop {
	struct spawn_head head;
	char server_id[CYG_SERVER_ID_LEN + 1];
	uint32_t grace_ms;
};

struct spawn_reply {
	struct spawn_head head;
	int32_t code;                 /* 0, or an enum cyg_code */
	char message[320];            /* for users, when code is not 0 */
	struct spawn_address address; /* of SPAWN that succeeded: where the server listens */
};

enum spawn_state { SPAWN_STATE_STARTING = 1, SPAWN_STATE_RUNNING, SPAWN_STATE_STOPPING };

struct spawn_item {
	struct spawn_head head;
	char server_id[CYG_SERVER_ID_LEN + 1];
	char user[CYG_NAME_MAX];
	char server[CYG_NAME_MAX];
	uint32_t state; /* enum spawn_state */
	uint32_t uid;
	uint32_t adopted;      /* 1: this spawner did not start it */
	uint32_t processes;    /* 0: unknown */
	uint64_t started_us;   /* wall clock */
	uint64_t memory_bytes; /* used now; 0: unknown */
	uint64_t memory_limit; /* 0: none */
	uint64_t cpu_us;       /* used so far; 0: unknown */
	uint32_t cpu_milli;    /* the limit; 0: none */
	struct spawn_address address;
};

enum spawn_stage_state { SPAWN_STAGE_BEGUN, SPAWN_STAGE_DONE, SPAWN_STAGE_FAILED };

/* Progress of a start. Names are those of SPAWN_STAGES_SPAWNER and SPAWN_STAGES_INIT below; ms is
 * the time since the stage began, 0 when it begins. */
struct spawn_stage {
	struct spawn_head head;
	char server_id[CYG_SERVER_ID_LEN + 1];
	char name[32];
	uint32_t state; /* enum spawn_stage_state */
	uint32_t ms;
};

/* Last output of a failed script, at most CYG_TAIL_MAX bytes, untrusted text. */
struct spawn_tail {
	struct spawn_head head;
	char server_id[CYG_SERVER_ID_LEN + 1];
	uint32_t length;
	char text[CYG_TAIL_MAX];
};

enum spawn_cause {
	SPAWN_GONE_STOPPED = 1, /* as asked */
	SPAWN_GONE_EXITED,      /* init ended by itself: status */
	SPAWN_GONE_SIGNALLED,   /* init was killed: status is the signal */
	SPAWN_GONE_MEMORY,      /* the memory limit: memory_peak of memory_limit */
	SPAWN_GONE_SETUP,       /* a setup script failed: status is one of enum init_exit */
	SPAWN_GONE_UNKNOWN,     /* an adopted server ended: its exit status is not known */
};

/* Why a start came to nothing. */
enum spawn_failure {
	SPAWN_FAILURE_REFUSED, /* the policy does not allow it, or its id is in use */
	SPAWN_FAILURE_ENGINE,  /* the engine could not start it */
	SPAWN_FAILURE_SETUP,   /* a setup script failed */
	SPAWN_FAILURE_MEMORY,  /* the memory limit, before the agent ran */
	SPAWN_FAILURE_ENDED,   /* it ended in another way before the agent ran */
	SPAWN_FAILURES,
};

enum { SPAWN_STAGES_MAX = 7 }; /* names of SPAWN_STAGES_SPAWNER, then of SPAWN_STAGES_INIT */

/* What this process of the spawner has counted since it began; each at most SPAWN_COUNT_MAX. */
struct spawn_counts {
	struct spawn_head head;
	uint64_t starts; /* SPAWNs received */
	uint64_t failures[SPAWN_FAILURES];
	uint64_t servers[3]; /* that are there now, by enum spawn_state less 1 */
	uint64_t stages_done[SPAWN_STAGES_MAX], stages_failed[SPAWN_STAGES_MAX];
	uint64_t stages_ms[SPAWN_STAGES_MAX]; /* sums, of both */
};

#define SPAWN_COUNT_MAX (UINT64_C(1) << 53) /* what a double holds exactly */

/* Exit codes of cygnet-init that say why a start failed. */
enum init_exit {
	INIT_EXIT_OK = 0,
	INIT_EXIT_USAGE = 64,
	INIT_EXIT_SETUP = 70,      /* the stack's setup script failed */
	INIT_EXIT_SETUP_TIME = 71, /* it did not end in time */
	INIT_EXIT_USER = 72,       /* the user's own script failed */
	INIT_EXIT_USER_TIME = 73,  /* it did not end in time */
	INIT_EXIT_AGENT = 74,      /* the agent could not be started, or kept dying */
	INIT_EXIT_SYS = 75,        /* the operating system refused something */
};

struct spawn_gone {
	struct spawn_head head;
	char server_id[CYG_SERVER_ID_LEN + 1];
	uint32_t cause;                     /* enum spawn_cause */
	int32_t status;                     /* SIGNALLED: signal number; else exit status, or 0 */
	uint64_t memory_peak, memory_limit; /* bytes; 0: unknown */
	char message[256];                  /* one plain sentence */
};

/* Stages in their usual order: the first group is the spawner's, the second init's (lines "stage
 * NAME MS" and "stage NAME failed MS" on its standard output), the third the hub's own. */
#define SPAWN_STAGES_SPAWNER "folders", "home", "limits", "container"
#define SPAWN_STAGES_INIT    "setup", "user-script", "agent"
#define SPAWN_STAGES_HUB     "queue", "spawn", "answer", "route"

#endif
