/* The stages of one start: which are planned, how far it is, how long each took and usually takes.
 * Pure: times are parameters. The stages add up to the whole: "spawn" and "answer" are what is left
 * after the spawner's and init's own stages. */
#ifndef HUB_STAGES_H
#define HUB_STAGES_H

#include "hub/offer/choice.h"

enum { STAGES_MAX = 12, STAGE_LABEL_SIZE = 160 };

enum stage_state { STAGE_WAITING, STAGE_RUNNING, STAGE_DONE, STAGE_FAILED };

struct stage {
	const char *name; /* of the closed list in cygnet/spawn_msg.h */
	char label[STAGE_LABEL_SIZE];
	enum stage_state state;
	uint64_t begun_ms; /* monotonic */
	uint32_t ms;       /* taken, when done or failed */
	uint32_t usual_ms; /* 0: unknown */
	bool whole;        /* done, and ms is all of it: goes into the usual times */
};

struct stages {
	struct stage list[STAGES_MAX];
	size_t n;
};

/* Plans the stages of a start with this choice; all wait. */
void stages_plan(struct stages *s, const struct choice *c, const struct profiles *p);
/* The planned stage of that name, or NULL. */
struct stage *stages_find(struct stages *s, const char *name);
void stage_begin(struct stage *st, uint64_t now_ms);
/* Ends it with the time that its owner measured, from its begin. */
void stage_end(struct stage *st, enum stage_state state, uint32_t ms);
/* Milliseconds of the stages of the spawner (or, with init, of init) that are done. */
uint32_t stages_sum(const struct stages *s, bool init);
/* 0 to 99, weighted by the usual times. */
int stages_percent(const struct stages *s, uint64_t now_ms);
/* "waiting", "running", "done", "failed". */
const char *stage_state_name(enum stage_state state);
/* {"progress", "message", "cygnet": {...}}: one event about one stage; lines may be NULL (else
 * borrowed). A new object. */
json_t *stage_event(const struct stages *s, const struct stage *st, uint64_t now_ms, json_t *lines);

#endif
