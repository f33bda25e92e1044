/* Reading a YAML tree by a table of fields. How a table describes itself is in yaml_fields_doc.c.
 */
#include "daemon/yaml_fields.h"

#include "base/mem.h"
#include "base/num.h"
#include "daemon/yaml_fields_internal.h"

#include <string.h>

struct reader {
	const struct yaml_doc *doc;
	struct cyg_arena *arena;
};

static int read_record(const struct reader *r, const struct yaml_node *map,
    const struct yaml_record *record, void *out, struct cyg_err *err);

static size_t count(const struct yaml_node *parent)
{
	size_t n = 0;

	for (const struct yaml_node *c = parent->first; c != NULL; c = c->next)
		n++;
	return n;
}

static int refuse(const struct reader *r, const struct yaml_node *at, const struct yaml_field *f,
    struct cyg_err *err)
{
	char what[200];

	yaml_field_describe(f, what, sizeof(what));
	return yaml_fail(r->doc, at, err, "'%s' must be %s", f->name, what);
}

static bool in_range(const struct yaml_field *f, uint64_t value)
{
	return value >= f->min && (f->max == 0 || value <= f->max);
}

static bool set_text(
    const struct reader *r, const struct yaml_field *f, struct cyg_str text, void *member)
{
	if (f->type == FIELD_LINE && cyg_str_ends(text, "\n")) /* as "|" and ">" leave it */
		text.len--;
	if (!in_range(f, text.len) || (f->type == FIELD_LINE && !cyg_str_is_text(text)))
		return false;
	*(const char **)member = cyg_arena_dup(r->arena, text);
	return true;
}

static bool set_choice(const struct yaml_field *f, struct cyg_str text, int *member)
{
	for (int i = 0; f->choices[i] != NULL; i++) {
		if (!cyg_str_eq(text, f->choices[i]))
			continue;
		*member = i;
		return true;
	}
	return false;
}

static bool set_number(const struct yaml_field *f, struct cyg_str text, uint64_t *member)
{
	uint64_t value = 0;
	int rc = f->type == FIELD_SIZE ? cyg_num_parse_size(text, UINT64_MAX >> 1, &value, NULL)
				       : cyg_num_parse_u64(text, 0, UINT64_MAX, &value, NULL);

	if (rc < 0 || !in_range(f, value))
		return false;
	*member = value;
	return true;
}

/* One value; false: refuse it. */
static bool set_value(
    const struct reader *r, const struct yaml_field *f, struct cyg_str text, void *member)
{
	switch (f->type) {
	case FIELD_LINE:
	case FIELD_STRING:
		return set_text(r, f, text, member);
	case FIELD_BOOL:
		*(bool *)member = cyg_str_eq(text, "true");
		return *(bool *)member || cyg_str_eq(text, "false");
	case FIELD_UINT:
	case FIELD_SIZE:
		return set_number(f, text, member);
	case FIELD_CHOICE:
		return set_choice(f, text, member);
	case FIELD_OWN:
		return f->parse(text, r->arena, member) == 0;
	case FIELD_LIST:
	case FIELD_PAIRS:
	case FIELD_RECORD:
	case FIELD_RECORDS:
	case FIELD_NAMED:
	case FIELD_IGNORED:
		break;
	}
	return false;
}

static size_t member_size(const struct yaml_field *f)
{
	switch (f->type) {
	case FIELD_LINE:
	case FIELD_STRING:
		return sizeof(const char *);
	case FIELD_BOOL:
		return sizeof(bool);
	case FIELD_UINT:
	case FIELD_SIZE:
		return sizeof(uint64_t);
	case FIELD_CHOICE:
		return sizeof(int);
	case FIELD_OWN:
		return f->size;
	case FIELD_LIST:
	case FIELD_PAIRS:
	case FIELD_RECORD:
	case FIELD_RECORDS:
	case FIELD_NAMED:
	case FIELD_IGNORED:
		break;
	}
	return 0;
}

/* Room for n entries and a final zero entry, stored in the member. */
static char *set_array(const struct reader *r, void *member, size_t n, size_t size)
{
	char *items = cyg_arena_alloc(r->arena, (n + 1) * size);

	memcpy(member, &items, sizeof(items));
	memcpy((char *)member + sizeof(items), &n, sizeof(n));
	return items;
}

static int read_list(const struct reader *r, const struct yaml_node *at, const struct yaml_field *f,
    void *member, struct cyg_err *err)
{
	const size_t size = member_size(f->of);
	char *item = set_array(r, member, count(at), size);

	for (const struct yaml_node *c = at->first; c != NULL; c = c->next, item += size) {
		if (c->kind != YAML_SCALAR || !set_value(r, f->of, c->text, item))
			return refuse(r, c, f, err);
	}
	return 0;
}

static int read_pairs(const struct reader *r, const struct yaml_node *at,
    const struct yaml_field *f, void *member, struct cyg_err *err)
{
	struct yaml_pair *pair =
	    (struct yaml_pair *)(void *)set_array(r, member, count(at), sizeof(*pair));

	for (const struct yaml_node *c = at->first; c != NULL; c = c->next, pair++) {
		if (c->kind != YAML_SCALAR)
			return refuse(r, c, f, err);
		pair->name = cyg_arena_dup(r->arena, c->key);
		pair->value = cyg_arena_dup(r->arena, c->text);
	}
	return 0;
}

/* Checks that no two records of a list have the same text where it must be unique. */
static int check_unique(const struct reader *r, const struct yaml_node *list,
    const struct yaml_record *record, struct cyg_err *err)
{
	const struct yaml_field *f = record->fields;

	while (f->name != NULL && !f->unique)
		f++;
	for (const struct yaml_node *c = list->first; f->name != NULL && c != NULL; c = c->next) {
		const struct yaml_node *text = yaml_find(c, f->name);

		for (const struct yaml_node *o = list->first; text != NULL && o != c; o = o->next) {
			const struct yaml_node *other = yaml_find(o, f->name);

			if (other != NULL && cyg_str_same(other->text, text->text))
				return yaml_fail(r->doc, text, err,
				    "there is a %s \"%.60s\" already", record->what, text->text.p);
		}
	}
	return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tables are nested */
static int read_records(const struct reader *r, const struct yaml_node *at,
    const struct yaml_field *f, void *member, struct cyg_err *err)
{
	const struct yaml_record *record = f->record;
	char *item = set_array(r, member, count(at), record->size);

	for (const struct yaml_node *c = at->first; c != NULL; c = c->next, item += record->size) {
		if (f->type == FIELD_NAMED &&
		    !set_value(r, record->key, c->key, item + record->key->offset)) {
			char what[200];

			yaml_field_describe(record->key, what, sizeof(what));
			return yaml_fail_key(r->doc, c, err,
			    "'%.40s' cannot be the name of a %s: it is %s", c->key.p, record->what,
			    what);
		}
		if (read_record(r, c, record, item, err) < 0)
			return -CYG_EINVAL;
	}
	return f->type == FIELD_RECORDS ? check_unique(r, at, record, err) : 0;
}

static enum yaml_kind kind_of(enum field_type type)
{
	switch (type) {
	case FIELD_LIST:
	case FIELD_RECORDS:
		return YAML_SEQ;
	case FIELD_PAIRS:
	case FIELD_RECORD:
	case FIELD_NAMED:
		return YAML_MAP;
	case FIELD_LINE:
	case FIELD_STRING:
	case FIELD_BOOL:
	case FIELD_UINT:
	case FIELD_SIZE:
	case FIELD_CHOICE:
	case FIELD_OWN:
	case FIELD_IGNORED:
		break;
	}
	return YAML_SCALAR;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tables are nested */
static int read_value(const struct reader *r, const struct yaml_node *at,
    const struct yaml_field *f, void *member, struct cyg_err *err)
{
	const enum yaml_kind kind = kind_of(f->type);

	if (f->type == FIELD_IGNORED)
		return 0;
	if (at->kind != kind)
		return refuse(r, at, f, err);
	if (kind == YAML_SCALAR)
		return set_value(r, f, at->text, member) ? 0 : refuse(r, at, f, err);
	if (f->type == FIELD_RECORD)
		return read_record(r, at, f->record, member, err);
	if (!in_range(f, count(at)))
		return refuse(r, at, f, err);
	if (f->type == FIELD_LIST)
		return read_list(r, at, f, member, err);
	if (f->type == FIELD_PAIRS)
		return read_pairs(r, at, f, member, err);
	return read_records(r, at, f, member, err);
}

static const struct yaml_field *find_field(const struct yaml_record *record, struct cyg_str name)
{
	for (const struct yaml_field *f = record->fields; f->name != NULL; f++) {
		if (cyg_str_eq(name, f->name))
			return f;
	}
	return NULL;
}

/* The key is not there. */
static int read_default(
    const struct reader *r, const struct yaml_record *record, const struct yaml_field *f, char *out)
{
	if (f->same_as != NULL) {
		const struct yaml_field *other = find_field(record, cyg_str_of(f->same_as));

		memcpy(out + f->offset, out + other->offset, member_size(f));
	} else if (f->value != NULL && !set_value(r, f, cyg_str_of(f->value), out + f->offset)) {
		return -CYG_EINVAL;
	}
	return 0;
}

static int unknown_key(const struct reader *r, const struct yaml_node *at,
    const struct yaml_record *record, struct cyg_err *err)
{
	char list[CYG_ERR_MSG] = "";
	struct cyg_buf allowed;
	const char *near = NULL;
	unsigned best = YAML_NEAR_MAX + 1;

	cyg_buf_init(&allowed, sizeof(list) - 1);
	for (const struct yaml_field *f = record->fields; f->name != NULL; f++) {
		const unsigned far = yaml_near(at->key, cyg_str_of(f->name));

		if (far < best) {
			best = far;
			near = f->name;
		}
		(void)cyg_buf_printf(&allowed, NULL, "%s%s", allowed.len > 0 ? ", " : "", f->name);
	}
	(void)cyg_str_copy(list, sizeof(list), cyg_buf_str(&allowed));
	cyg_buf_free(&allowed);
	if (near != NULL)
		return yaml_fail_key(r->doc, at, err,
		    "unknown key '%.40s', perhaps '%s'; allowed are %s", at->key.p, near, list);
	return yaml_fail_key(
	    r->doc, at, err, "unknown key '%.40s'; allowed are %s", at->key.p, list);
}

static int check_keys(const struct reader *r, const struct yaml_node *map,
    const struct yaml_record *record, struct cyg_err *err)
{
	if (map->kind != YAML_MAP)
		return yaml_fail(
		    r->doc, map, err, "a %s is a map of keys and values", record->what);
	for (const struct yaml_node *n = map->first; n != NULL; n = n->next) {
		if (find_field(record, n->key) == NULL)
			return unknown_key(r, n, record, err);
	}
	return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tables are nested */
static int read_record(const struct reader *r, const struct yaml_node *map,
    const struct yaml_record *record, void *out, struct cyg_err *err)
{
	const struct yaml_place at = { r->doc, map, r->arena };

	if (check_keys(r, map, record, err) < 0)
		return -CYG_EINVAL;
	for (const struct yaml_field *f = record->fields; f->name != NULL; f++) {
		const struct yaml_node *n = yaml_find(map, f->name);

		if (n != NULL) {
			if (read_value(r, n, f, (char *)out + f->offset, err) < 0)
				return -CYG_EINVAL;
		} else if (f->required) {
			char what[200];

			yaml_field_describe(f, what, sizeof(what));
			return yaml_fail(
			    r->doc, map, err, "the %s needs '%s', %s", record->what, f->name, what);
		} else if (read_default(r, record, f, out) < 0) {
			return yaml_fail(r->doc, map, err, "the default of '%s' is wrong", f->name);
		}
	}
	return record->check != NULL ? record->check(&at, out, err) : 0;
}

int yaml_fields_read(const struct yaml_doc *doc, const struct yaml_record *record,
    struct cyg_arena *arena, void *ret, struct cyg_err *err)
{
	const struct reader r = { doc, arena };

	return read_record(&r, yaml_root(doc), record, ret, err);
}

const struct yaml_node *yaml_fields_at(const struct yaml_place *at, const char *key)
{
	const struct yaml_node *n = yaml_find(at->map, key);

	return n != NULL ? n : at->map;
}
