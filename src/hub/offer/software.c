/* Reads stack.yaml of every stack, each in a child of its own with one deadline for all.
 * stackfile.c reads the texts; what is found is put into the profiles. */
#include "hub/offer/software.h"

#include "base/mem.h"
#include "daemon/log.h"
#include "hub/offer/profiles.h"
#include "hub/offer/reader.h"
#include "hub/offer/stackfile.h"

#include <string.h>

struct entry {
	struct software *software;
	size_t index;              /* in the profiles' stacks */
	struct profile_stack base; /* from profiles.yaml */
	struct cyg_arena arena;    /* from the tree, at the last reading */
	struct reader *reader;     /* the last one, or NULL */
	char *path;
	char last[CYG_ERR_MSG]; /* why it could not be read, as logged; "": it could */
};

struct software {
	const struct offer_opts *opts;
	struct profiles *profiles;
	struct entry *entries;
	size_t n;
	uv_timer_t again;
};

/* The sentence of the form; the log has the cause. */
static const char silent[] = "The software tree does not answer.";

static void on_failed(struct entry *e, const char *why)
{
	struct profile_stack *s = &e->software->profiles->stacks[e->index];

	s->unavailable = silent;
	if (strcmp(e->last, why) == 0)
		return; /* logged already */
	(void)cyg_str_copy(e->last, sizeof(e->last), cyg_str_of(why));
	cyg_log_warn("software", "the stack %s is not offered: %s", s->id, why);
}

static void on_read(void *arg, struct cyg_str text, const struct cyg_err *why)
{
	struct entry *e = arg;
	struct profile_stack *s = &e->software->profiles->stacks[e->index];
	struct profile_stack found = e->base;
	struct cyg_arena arena;
	struct cyg_err err;

	cyg_arena_init(&arena);
	if (why != NULL) {
		on_failed(e, why->msg);
	} else if (stackfile_read(e->path, text, &arena, &found, &err) < 0) {
		on_failed(e, err.msg);
	} else {
		if (e->last[0] != '\0')
			cyg_log_info("software", "the stack %s is offered again", s->id);
		e->last[0] = '\0';
		*s = found;
		cyg_arena_free(&e->arena);
		e->arena = arena;
		return;
	}
	cyg_arena_free(&arena);
}

static void on_again(uv_timer_t *timer)
{
	struct software *s = timer->data;
	struct cyg_err err;

	for (size_t i = 0; i < s->n; i++) {
		struct entry *e = &s->entries[i];
		/* While a reader hangs in the kernel, no second one is started. */
		if (e->reader != NULL && !reader_has_ended(e->reader))
			continue;
		reader_release(CYG_TAKE(e->reader));
		if (reader_start(s->opts->uv,
			&(const struct reader_spec){
			    e->path, s->opts->software_timeout_ms, on_read, e },
			&e->reader, &err) < 0)
			on_failed(e, err.msg);
	}
}

void software_start(const struct offer_opts *opts, struct profiles *profiles, struct software **ret)
{
	*ret = NULL;
	if (opts->software_tree == NULL)
		return;
	struct software *s = cyg_xcalloc(1, sizeof(*s));
	s->opts = opts;
	s->profiles = profiles;
	s->n = profiles->n_stacks;
	s->entries = cyg_xcalloc(s->n + 1, sizeof(*s->entries));
	for (size_t i = 0; i < s->n; i++) {
		struct entry *e = &s->entries[i];
		e->software = s;
		e->index = i;
		e->base = profiles->stacks[i];
		cyg_arena_init(&e->arena);
		e->path = cyg_xasprintf(
		    "%s/stacks/%s/stack.yaml", opts->software_tree, profiles->stacks[i].id);
	}
	(void)uv_timer_init(opts->uv, &s->again);
	s->again.data = s;
	(void)uv_timer_start(&s->again, on_again, 0, opts->software_refresh_ms);
	*ret = s;
}

static void on_closed(uv_handle_t *handle)
{
	struct software *s = handle->data;

	for (size_t i = 0; i < s->n; i++) {
		cyg_arena_free(&s->entries[i].arena);
		free(s->entries[i].path);
	}
	free(s->entries);
	free(s);
}

void software_close(struct software *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		reader_release(CYG_TAKE(s->entries[i].reader));
	uv_close((uv_handle_t *)&s->again, on_closed);
}
