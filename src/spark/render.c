/* Layers into properties. Settings are sorted by name and layer; each name's run is folded into one
 * property by a small state machine. */
#include "spark/render.h"

#include "base/arena.h"
#include "base/mem.h"

#include <stdint.h>
#include <string.h>

static const char *const layer_names[SPARK_LAYERS] = { "cluster", "site", "bundles", "user",
	"notebook", "connect", "policy" };

const char *spark_layer_name(enum spark_layer layer)
{
	return layer_names[layer];
}

static bool has_word(const char *name, const char *word)
{
	size_t n = strlen(word);

	for (; *name != '\0'; name++) {
		if (cyg_str_case_eq((struct cyg_str){ name, strnlen(name, n) }, word))
			return true;
	}
	return false;
}

bool spark_is_secret(const char *name)
{
	return has_word(name, "secret") || has_word(name, "password") || has_word(name, "token") ||
	       has_word(name, "access.key") || has_word(name, "accesskey");
}

static int check_setting(const struct spark_setting *s, struct cyg_err *err)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (strncmp(s->name, "spark.", 6) != 0 || strlen(s->name) > SPARK_NAME_MAX ||
	    strspn(s->name, allowed) != strlen(s->name))
		return cyg_fail(err, CYG_EINVAL,
		    "layer %s: '%.80s' is not the name of a Spark property (spark.something)",
		    layer_names[s->layer], s->name);
	if (s->op == SPARK_OP_FORBID)
		return 0;
	if (s->value == NULL || strlen(s->value) > SPARK_VALUE_MAX ||
	    !cyg_str_is_text(cyg_str_of(s->value)))
		return cyg_fail(err, CYG_EINVAL,
		    "layer %s: the value of %s must be text in one line of at most %d bytes",
		    layer_names[s->layer], s->name, SPARK_VALUE_MAX);
	return 0;
}

/* One setting and where it stood, so that sorting keeps the order within a layer. */
struct entry {
	const struct spark_setting *s;
	size_t at;
};

static int compare(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;
	int by_name = strcmp(x->s->name, y->s->name);

	if (by_name != 0)
		return by_name;
	if (x->s->layer != y->s->layer)
		return x->s->layer < y->s->layer ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

/* A property while its settings are folded into it, lowest layer first. */
struct fold {
	struct cyg_arena *arena;
	struct spark_property *p;
	bool forbidden;
	/* What bundles join to values of later layers, with its separator before it; and the value
	 * below it. */
	const char *tail, *below;
	enum spark_layer below_layer;
};

static void add_lost(
    struct spark_property *p, enum spark_layer layer, const char *value, const char *why)
{
	p->lost[p->n_lost++] = (struct spark_lost){ layer, value != NULL ? value : "", why };
}

static const char *separator_of(const struct spark_setting *s)
{
	return s->separator != NULL ? s->separator : ",";
}

static const char *copy(struct fold *f, const char *text)
{
	return cyg_arena_dup(f->arena, cyg_str_of(text));
}

static void join(struct fold *f, const struct spark_setting *s)
{
	struct spark_property *p = f->p;

	if (f->tail == NULL) {
		f->below = p->value;
		f->below_layer = p->layer;
	}
	f->tail = cyg_arena_printf(
	    f->arena, "%s%s%s", f->tail != NULL ? f->tail : "", separator_of(s), s->value);
	p->value = f->below != NULL ? cyg_arena_printf(f->arena, "%s%s", f->below, f->tail)
				    : copy(f, f->tail + strlen(separator_of(s)));
}

static void set(struct fold *f, const struct spark_setting *s)
{
	struct spark_property *p = f->p;
	const bool keeps = f->tail != NULL && s->layer != SPARK_LAYER_POLICY;

	if (keeps && f->below != NULL)
		add_lost(p, f->below_layer, f->below, "overridden");
	else if (!keeps && (p->value != NULL || f->forbidden))
		add_lost(p, p->layer, p->value, "overridden");
	if (s->op == SPARK_OP_FORBID)
		p->value = NULL;
	else
		p->value = keeps ? cyg_arena_printf(f->arena, "%s%s", s->value, f->tail)
				 : copy(f, s->value);
	if (keeps)
		f->below = copy(f, s->value);
	f->below_layer = s->layer;
}

/* Applies the next setting. */
static void fold(struct fold *f, const struct spark_setting *s)
{
	struct spark_property *p = f->p;
	const bool policy = s->layer == SPARK_LAYER_POLICY;

	if ((f->forbidden || p->locked) && !policy) {
		add_lost(p, s->layer, s->value, f->forbidden ? "forbidden" : "locked");
		return;
	}
	if (s->op == SPARK_OP_OFFER && p->value != NULL && p->layer == s->layer) {
		add_lost(p, s->layer, s->value, "overridden");
		return;
	}
	if (s->op == SPARK_OP_JOIN)
		join(f, s);
	else if (s->op == SPARK_OP_APPEND && p->value != NULL)
		p->value =
		    cyg_arena_printf(f->arena, "%s%s%s", p->value, separator_of(s), s->value);
	else
		set(f, s);
	f->forbidden = s->op == SPARK_OP_FORBID;
	p->layer = s->layer;
	p->locked = policy || s->op == SPARK_OP_LOCK;
}

static void fold_run(
    struct cyg_arena *arena, const struct entry *run, size_t n, struct spark_property *p)
{
	struct fold f = { .arena = arena, .p = p };

	p->name = cyg_arena_dup(arena, cyg_str_of(run[0].s->name));
	p->lost = cyg_arena_alloc(arena, (n + 1) * sizeof(*p->lost));
	p->secret = spark_is_secret(p->name);
	for (size_t i = 0; i < n; i++)
		fold(&f, run[i].s);
	/* Lost values outlive the caller's settings. */
	for (size_t i = 0; i < p->n_lost; i++)
		p->lost[i].value = cyg_arena_dup(arena, cyg_str_of(p->lost[i].value));
}

/* Spark cuts what is no higher than a blank off both ends of a value that it reads from a file
 * (Utils.trimExceptCRLF), however it is escaped there. */
static int check_ends(const struct spark_property *p, struct cyg_err *err)
{
	size_t n = p->value != NULL ? strlen(p->value) : 0;

	if (n == 0 || (p->value[0] != ' ' && p->value[n - 1] != ' '))
		return 0;
	return cyg_fail(err, CYG_EINVAL,
	    "layer %s: the value of %s begins or ends with a blank, and Spark cuts it off when it reads its settings: leave it out, or give the value in code",
	    layer_names[p->layer], p->name);
}

static int fold_all(
    struct spark_rendered *r, const struct entry *entries, size_t n, struct cyg_err *err)
{
	int rc = 0;

	for (size_t i = 0, j = 0; rc == 0 && i < n; i = j) {
		struct spark_property *p = &r->properties[r->n++];

		for (j = i + 1; j < n && strcmp(entries[i].s->name, entries[j].s->name) == 0;)
			j++;
		fold_run(r->arena_, &entries[i], j - i, p);
		rc = check_ends(p, err);
	}
	return rc;
}

int spark_render(const struct spark_setting *settings, size_t n, struct spark_rendered **ret,
    struct cyg_err *err)
{
	cyg_autofree struct entry *entries = NULL;
	struct spark_rendered *r;

	if (n > SPARK_SETTINGS_MAX)
		return cyg_fail(err, CYG_ELIMIT, "more than %d Spark settings", SPARK_SETTINGS_MAX);
	entries = cyg_xcalloc(n, sizeof(*entries));
	for (size_t i = 0; i < n; i++) {
		int rc = check_setting(&settings[i], err);

		if (rc < 0)
			return rc;
		entries[i] = (struct entry){ &settings[i], i };
	}
	if (n > 0)
		qsort(entries, n, sizeof(*entries), compare);
	r = cyg_xcalloc(1, sizeof(*r));
	r->arena_ = cyg_xcalloc(1, sizeof(*r->arena_));
	cyg_arena_init(r->arena_);
	r->properties = cyg_arena_alloc(r->arena_, (n + 1) * sizeof(*r->properties));
	if (fold_all(r, entries, n, err) < 0) {
		spark_rendered_free(r);
		return -(int)CYG_EINVAL;
	}
	*ret = r;
	return 0;
}

void spark_rendered_free(struct spark_rendered *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n; i++) {
		if (r->properties[i].secret && r->properties[i].value != NULL)
			cyg_cleanse((char *)(uintptr_t)r->properties[i].value,
			    strlen(r->properties[i].value));
	}
	cyg_arena_free(r->arena_);
	free(r->arena_);
	free(r);
}

const char *spark_rendered_get(const struct spark_rendered *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++) {
		if (strcmp(r->properties[i].name, name) == 0)
			return r->properties[i].value;
	}
	return NULL;
}
