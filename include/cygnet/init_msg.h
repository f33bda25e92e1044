/* The messages between init (pid 1 of a container) and the agent, over a SEQPACKET pair that init
 * makes and that survives an agent's restart (the next agent gets a new pair; init keeps every
 * child). Descriptors of the agent: 3 = listening socket, 4 = this link. Host byte order, fixed
 * structs. */
#ifndef CYGNET_INIT_MSG_H
#define CYGNET_INIT_MSG_H

#include "cygnet/limits.h"

#include <stdint.h>

enum { INIT_MAGIC = 0x43594749, INIT_VERSION = 1, INIT_FD_LISTEN = 3, INIT_FD_LINK = 4 };
enum { INIT_TAG_MAX = 128, INIT_CHILDREN_MAX = 256 };

enum init_type {
	INIT_HELLO =
	    1, /* init → agent, first: struct init_hello + the setup environment as a memfd */
	INIT_START, /* agent → init: struct init_start + a sealed memfd with argv and environment */
	INIT_LIST, /* agent → init: struct init_head; one INIT_CHILD per child, then INIT_LISTED */
	INIT_SIGNAL,  /* agent → init: struct init_signal */
	INIT_STARTED, /* init → agent: struct init_child, reply to START (+ pty master when asked)
		       */
	INIT_CHILD,   /* init → agent: struct init_child, reply to LIST (+ pty master when it has
		       * one) */
	INIT_LISTED,  /* init → agent: struct init_head */
	INIT_EXITED, /* init → agent: struct init_exited; kept by init until an agent has received
		      * it */
	INIT_FAILED, /* init → agent: struct init_failed, START or SIGNAL could not be done */
	INIT_RESIZE, /* agent → init: struct init_resize */
	INIT_TYPES,
};

struct init_head {
	uint32_t magic;
	uint16_t version;
	uint16_t type;
	uint32_t length;
	uint32_t request_id; /* of the agent; 0 in events */
};

/* The memfd beside it holds the environment after the setup script, "NAME=value\0..."
 * (allow-listed). */
struct init_hello {
	struct init_head head;
	uint32_t restarts; /* how often the agent was started before */
	uint32_t env_bytes;
};

/* The memfd holds argc strings, then envc strings, each ended by NUL; sealed against change. A name
 * in tag ("kernel:UUID", "term:1", "spark:...") is how a later agent recognises its children. */
struct init_start {
	struct init_head head;
	uint32_t argc, envc, bytes;
	uint32_t pty; /* 1: a new pty becomes the child's terminal; its master comes with STARTED */
	uint16_t rows, cols; /* of the pty */
	char tag[INIT_TAG_MAX];
	char cwd[CYG_PATH_MAX];
	char log[CYG_PATH_MAX]; /* append stdout and stderr there; "" = /dev/null. Ignored with a
				   pty */
};

struct init_signal {
	struct init_head head;
	int32_t pid; /* must be a child of init */
	int32_t signal;
	uint32_t group; /* 1: the child's whole process group */
	uint32_t pad_;
};

struct init_child {
	struct init_head head;
	int32_t pid;
	uint32_t pty;
	uint64_t started_us; /* wall clock */
	char tag[INIT_TAG_MAX];
};

struct init_exited {
	struct init_head head;
	int32_t pid;
	int32_t status; /* exit status when signal is 0 */
	int32_t signal;
	uint32_t oom;     /* 1: the container's memory limit killed it, as far as can be told */
	uint64_t max_rss; /* bytes, from wait4 */
	uint64_t memory_used, memory_limit; /* of the container at that moment; 0: unknown */
	char tag[INIT_TAG_MAX];
};

struct init_failed {
	struct init_head head;
	int32_t errnum;
	char message[256];
};

struct init_resize {
	struct init_head head;
	int32_t pid;
	uint16_t rows, cols;
};

#endif
