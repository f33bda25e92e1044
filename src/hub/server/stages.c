/* The plan of a start as a table, and the arithmetic of its progress. */
#include "hub/server/stages.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum owner { OWNER_HUB, OWNER_SPAWNER, OWNER_INIT };

/* In the order in which they happen. */
static const struct {
	const char *name;
	enum owner owner;
	const char *label;  /* NULL: setup_label */
	uint32_t weight_ms; /* used while no usual times are known */
} plan[] = {
	{ "queue", OWNER_HUB, "Waiting for a place", 10 },
	{ "spawn", OWNER_HUB, "Asking for a container", 10 },
	{ "folders", OWNER_SPAWNER, "Making the run folder", 10 },
	{ "home", OWNER_SPAWNER, "Preparing your home", 10 },
	{ "limits", OWNER_SPAWNER, "Setting cores and memory", 10 },
	{ "container", OWNER_SPAWNER, "Making the container", 100 },
	{ "setup", OWNER_INIT, NULL, 1000 },
	{ "user-script", OWNER_INIT, "Running your own script", 500 },
	{ "agent", OWNER_INIT, "Starting the notebook server", 100 },
	{ "answer", OWNER_HUB, "Waiting for its first response", 100 },
	{ "route", OWNER_HUB, "Opening the way to it", 10 },
};

static void setup_label(char label[STAGE_LABEL_SIZE], const char *stack)
{
	char name[101];

	cyg_str_copy_utf8(name, sizeof(name), cyg_str_of(stack));
	(void)snprintf(label, STAGE_LABEL_SIZE, "Setting up the environment %s", name);
}

void stages_plan(struct stages *s, const struct choice *c, const struct profiles *p)
{
	const struct profile_stack *stack = profiles_find_stack(p, c->stack);

	*s = (struct stages){ .n = 0 };
	for (size_t i = 0; i < CYG_N(plan); i++) {
		if (strcmp(plan[i].name, "user-script") == 0 && c->user_script[0] == '\0')
			continue;
		struct stage *st = &s->list[s->n++];
		st->name = plan[i].name;
		if (strcmp(plan[i].name, "setup") == 0)
			setup_label(st->label, stack != NULL ? stack->label : c->stack);
		else
			(void)snprintf(st->label, sizeof(st->label), "%s", plan[i].label);
	}
}

struct stage *stages_find(struct stages *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->list[i].name, name) == 0)
			return &s->list[i];
	}
	return NULL;
}

void stage_begin(struct stage *st, uint64_t now_ms)
{
	if (st == NULL)
		return;
	st->state = STAGE_RUNNING;
	st->begun_ms = now_ms;
}

void stage_end(struct stage *st, enum stage_state state, uint32_t ms)
{
	if (st == NULL)
		return;
	st->state = state;
	st->ms = ms;
	st->whole = state == STAGE_DONE;
}

static size_t plan_index(const struct stage *st)
{
	for (size_t i = 0; i < CYG_N(plan); i++) {
		if (strcmp(plan[i].name, st->name) == 0)
			return i;
	}
	return 0;
}

uint32_t stages_sum(const struct stages *s, bool init)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < s->n; i++) {
		enum owner owner = plan[plan_index(&s->list[i])].owner;
		if (s->list[i].state == STAGE_DONE && owner == (init ? OWNER_INIT : OWNER_SPAWNER))
			sum += s->list[i].ms;
	}
	return sum;
}

int stages_percent(const struct stages *s, uint64_t now_ms)
{
	uint64_t whole = 0, done = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct stage *st = &s->list[i];
		uint64_t weight = st->usual_ms > 0 ? st->usual_ms : plan[plan_index(st)].weight_ms;
		whole += weight;
		if (st->state == STAGE_DONE)
			done += weight;
		if (st->state != STAGE_RUNNING || now_ms < st->begun_ms)
			continue;
		uint64_t spent = now_ms - st->begun_ms;
		done += spent < weight ? spent : weight;
	}
	int percent = whole > 0 ? (int)(done * 100 / whole) : 0;
	return percent > 99 ? 99 : percent;
}

const char *stage_state_name(enum stage_state state)
{
	static const char *const names[] = { "waiting", "running", "done", "failed" };

	return names[state];
}

json_t *stage_event(const struct stages *s, const struct stage *st, uint64_t now_ms, json_t *lines)
{
	bool ended = st->state == STAGE_DONE || st->state == STAGE_FAILED;
	json_t *ms = json_null();

	if (ended)
		ms = json_integer(st->ms);
	else if (st->state == STAGE_RUNNING)
		ms = json_integer(now_ms > st->begun_ms ? (json_int_t)(now_ms - st->begun_ms) : 0);
	json_t *own = json_pack("{s:s, s:s, s:s, s:o, s:o}", "stage", st->name, "label", st->label,
	    "state", stage_state_name(st->state), "ms", ms, "usual_ms",
	    st->usual_ms > 0 ? json_integer(st->usual_ms) : json_null());
	if (lines != NULL)
		(void)json_object_set(own, "lines", lines);
	return json_pack("{s:i, s:s, s:o}", "progress", stages_percent(s, now_ms), "message",
	    st->label, "cygnet", own);
}
