/* The table of fields: what it reads into structs, what it refuses and how, what it says of itself.
 */
#include "base/mem.h"
#include "base/num.h"
#include "daemon/yaml_fields.h"

#include <check.h>
#include <string.h>

struct part {
	const char *id, *label;
	uint64_t weight;
};

struct thing {
	const char *name, *title;
	uint64_t room, room_max;
	bool open;
	int colour;
	uint32_t half; /* twice the number of the file */
	struct part inner;
	const char **words;
	size_t n_words;
	uint32_t *halves;
	size_t n_halves;
	struct yaml_pair *facts;
	size_t n_facts;
	struct part *parts;
	size_t n_parts;
};

struct file {
	struct thing *things;
	size_t n_things;
};

static int parse_half(struct cyg_str text, struct cyg_arena *arena, void *member)
{
	uint64_t n = 0;

	(void)arena;
	if (cyg_num_parse_u64(text, 0, 1000, &n, NULL) < 0)
		return -CYG_EINVAL;
	*(uint32_t *)member = (uint32_t)n * 2;
	return 0;
}

static int check_part(const struct yaml_place *at, void *record, struct cyg_err *err)
{
	const struct part *p = record;

	if (p->weight == 13)
		return yaml_fail(at->doc, yaml_fields_at(at, "weight"), err, "13 is unlucky");
	return 0;
}

#define OF(type, member) .offset = offsetof(type, member)
static const struct yaml_field part_fields[] = {
	{ .name = "id",
	    .type = FIELD_LINE,
	    OF(struct part, id),
	    .min = 1,
	    .max = 8,
	    .required = true,
	    .unique = true,
	    .doc = "Its name." },
	{ .name = "label",
	    .type = FIELD_LINE,
	    OF(struct part, label),
	    .same_as = "id",
	    .doc = "What people read." },
	{ .name = "weight",
	    .type = FIELD_UINT,
	    OF(struct part, weight),
	    .min = 1,
	    .max = 20,
	    .value = "5",
	    .doc = "Weight." },
	{ .name = NULL },
};
static const struct yaml_record part = { "part", sizeof(struct part), part_fields, NULL,
	check_part };
static const char *const colours[] = { "red", "blue", NULL };
static const struct yaml_field word = { .name = "word", .type = FIELD_STRING };
static const struct yaml_field half = { .name = "half",
	.type = FIELD_OWN,
	.size = sizeof(uint32_t),
	.parse = parse_half,
	.takes = "a number up to 1000" };
static const struct yaml_field thing_key = {
	.name = "NAME", .type = FIELD_LINE, OF(struct thing, name), .min = 1, .max = 4
};
static const struct yaml_field thing_fields[] = {
	{ .name = "title",
	    .type = FIELD_STRING,
	    OF(struct thing, title),
	    .value = "none",
	    .doc = "Title." },
	{ .name = "room",
	    .type = FIELD_SIZE,
	    OF(struct thing, room),
	    .value = "1G",
	    .doc = "Room." },
	{ .name = "room-max",
	    .type = FIELD_SIZE,
	    OF(struct thing, room_max),
	    .same_as = "room",
	    .doc = "Most room." },
	{ .name = "open",
	    .type = FIELD_BOOL,
	    OF(struct thing, open),
	    .value = "true",
	    .doc = "Open." },
	{ .name = "colour",
	    .type = FIELD_CHOICE,
	    OF(struct thing, colour),
	    .choices = colours,
	    .value = "blue",
	    .doc = "Colour." },
	{ .name = "half",
	    .type = FIELD_OWN,
	    OF(struct thing, half),
	    .size = sizeof(uint32_t),
	    .parse = parse_half,
	    .takes = "a number up to 1000",
	    .value = "4",
	    .doc = "Half." },
	{ .name = "inner",
	    .type = FIELD_RECORD,
	    OF(struct thing, inner),
	    .record = &part,
	    .doc = "Inner part." },
	{ .name = "words",
	    .type = FIELD_LIST,
	    .offset = FIELD_ARRAY(struct thing, words, n_words),
	    .of = &word,
	    .max = 3,
	    .doc = "Words." },
	{ .name = "halves",
	    .type = FIELD_LIST,
	    .offset = FIELD_ARRAY(struct thing, halves, n_halves),
	    .of = &half,
	    .min = 1,
	    .doc = "Halves." },
	{ .name = "facts",
	    .type = FIELD_PAIRS,
	    .offset = FIELD_ARRAY(struct thing, facts, n_facts),
	    .max = 2,
	    .doc = "Facts." },
	{ .name = "parts",
	    .type = FIELD_RECORDS,
	    .offset = FIELD_ARRAY(struct thing, parts, n_parts),
	    .record = &part,
	    .doc = "Parts." },
	{ .name = "other", .type = FIELD_IGNORED, .doc = "Another's." },
	{ .name = NULL },
};
static const struct yaml_record thing = { "thing", sizeof(struct thing), thing_fields, &thing_key,
	NULL };
static const struct yaml_field file_fields[] = {
	{ .name = "things",
	    .type = FIELD_NAMED,
	    .offset = FIELD_ARRAY(struct file, things, n_things),
	    .record = &thing,
	    .min = 1,
	    .required = true,
	    .doc = "Things." },
	{ .name = NULL },
};
static const struct yaml_record file = { "file", sizeof(struct file), file_fields, NULL, NULL };

static struct cyg_arena arena;

static void setup(void)
{
	cyg_arena_init(&arena);
}

static void teardown(void)
{
	cyg_arena_free(&arena);
}

static int read_file(const char *text, struct file *ret, struct cyg_err *err)
{
	struct yaml_doc *doc = NULL;
	int rc = yaml_parse("f", cyg_str_of(text), &doc, err);

	if (rc == 0)
		rc = yaml_fields_read(doc, &file, &arena, ret, err);
	yaml_doc_free(doc);
	return rc;
}

static struct thing read_thing(const char *text)
{
	struct file ret = { NULL, 0 };
	struct cyg_err err = { .msg = "" };

	ck_assert_msg(read_file(text, &ret, &err) == 0, "%s", err.msg);
	ck_assert_uint_ge(ret.n_things, 1);
	return ret.things[0];
}

START_TEST(test_keys_that_are_not_there_have_their_defaults)
{
	const struct thing t = read_thing("things: {a: {}}");

	ck_assert_str_eq(t.name, "a");
	ck_assert_str_eq(t.title, "none");
	ck_assert_uint_eq(t.room, 1ULL << 30);
	ck_assert_uint_eq(t.room_max, 1ULL << 30);
	ck_assert(t.open && t.colour == 1 && t.half == 8);
	ck_assert_ptr_null(t.words);
	ck_assert_uint_eq(t.n_parts, 0);
}
END_TEST

START_TEST(test_every_type_is_read)
{
	const struct thing t = read_thing(
	    "things:\n  a:\n    title: \"x\\ny\"\n    room: 2M\n    open: false\n    colour: red\n"
	    "    half: 21\n    inner: {id: i, weight: 7}\n    words: [one, '', three]\n"
	    "    halves: [1, 2]\n    facts: {Runs: here, Z: ''}\n"
	    "    parts:\n      - id: p\n        label: >\n          A folded\n          label\n"
	    "      - id: q\n    other: [{}, []]\n");

	ck_assert_str_eq(t.title, "x\ny");
	ck_assert_uint_eq(t.room_max, 2U << 20);
	ck_assert(!t.open && t.colour == 0 && t.half == 42);
	ck_assert_str_eq(t.inner.label, "i");
	ck_assert_uint_eq(t.inner.weight, 7);
	ck_assert_uint_eq(t.n_words, 3);
	ck_assert_str_eq(t.words[2], "three");
	ck_assert_ptr_null(t.words[3]);
	ck_assert_uint_eq(t.halves[1], 4);
	ck_assert_str_eq(t.facts[0].name, "Runs");
	ck_assert_str_eq(t.facts[1].value, "");
	ck_assert_uint_eq(t.n_parts, 2);
	ck_assert_str_eq(t.parts[0].label, "A folded label");
	ck_assert_str_eq(t.parts[1].label, "q");
	ck_assert_uint_eq(t.parts[1].weight, 5);
}
END_TEST

#define A "things:\n  a:\n    "
static const struct {
	const char *text, *message;
} wrong[] = {
	{ "[]", "f:1:1: a file is a map of keys and values" },
	{ "", "f:1:1: the file needs 'things', a map of at least 1 names and maps" },
	{ "things: {}", "f:1:9: 'things' must be a map of at least 1 names and maps" },
	{ "things: {long-name: {}}",
	    "f:1:10: 'long-name' cannot be the name of a thing: it is one line of text of 1 to 4 bytes" },
	{ "things: {a: b}", "f:1:13: a thing is a map of keys and values" },
	{ A "titel: x\n",
	    "f:3:5: unknown key 'titel', perhaps 'title'; allowed are title, room, " },
	{ A "xxxxx: x\n", "f:3:5: unknown key 'xxxxx'; allowed are title, room, room-max, " },
	{ A "title: [x]\n", "f:3:12: 'title' must be text" },
	{ A "room: much\n", "f:3:11: 'room' must be a size such as 512M or 4G" },
	{ A "open: yes\n", "f:3:11: 'open' must be true or false" },
	{ A "colour: green\n", "f:3:13: 'colour' must be one of red, blue" },
	{ A "half: 1001\n", "f:3:11: 'half' must be a number up to 1000" },
	{ A "inner: {}\n", "f:3:12: the part needs 'id', one line of text of 1 to 8 bytes" },
	{ A "inner: {id: \"a\\nb\"}\n", "f:3:17: 'id' must be one line of text" },
	{ A "words: [a, b, c, d]\n", "f:3:12: 'words' must be a list of at most 3, each text" },
	{ A "words:\n      - a\n      - {}\n", "f:5:9: 'words' must be a list" },
	{ A "halves: []\n", "'halves' must be a list of at least 1, each a number up to 1000" },
	{ A "facts: [x]\n", "f:3:12: 'facts' must be a map of at most 2 names and text" },
	{ A "facts: {a: {}}\n", "f:3:16: 'facts' must be" },
	{ A "parts: [{id: a, weight: 21}]\n", "f:3:29: 'weight' must be a number from 1 to 20" },
	{ A "parts: [{id: a, weight: 0}]\n", "'weight' must be a number from 1 to 20" },
	{ A "parts: [{id: a, weight: 13}]\n", "f:3:29: 13 is unlucky" },
	{ A "parts: [{id: a}, {id: b}, {id: a}]\n", "f:3:36: there is a part \"a\" already" },
};

START_TEST(test_what_is_wrong_is_said_with_place_and_what_is_allowed)
{
	struct file ret = { NULL, 0 };
	struct cyg_err err = { .msg = "" };

	ck_assert_int_lt(read_file(wrong[_i].text, &ret, &err), 0);
	ck_assert_msg(
	    strstr(err.msg, wrong[_i].message) == err.msg ||
		(wrong[_i].message[0] != 'f' && strstr(err.msg, wrong[_i].message) != NULL),
	    "%s", err.msg);
}
END_TEST

START_TEST(test_reference_page_names_nested_keys_types_and_defaults)
{
	const struct yaml_file one = { "things.yaml", "Things of the site.", &file };
	cyg_autobuf struct cyg_buf out;

	cyg_buf_init(&out, 64 * 1024);
	ck_assert_int_eq(yaml_file_describe(&one, &out, NULL), 0);
	ck_assert_ptr_nonnull(strstr(out.data, "## things.yaml\n\nThings of the site.\n\n| key |"));
	ck_assert_ptr_nonnull(strstr(out.data,
	    "| `things` | a map of at least 1 names and maps; required |  | Things. |\n"));
	ck_assert_ptr_nonnull(
	    strstr(out.data, "| `things.NAME.room-max` | a size such as 512M or 4G | as `room` |"));
	ck_assert_ptr_nonnull(
	    strstr(out.data, "| `things.NAME.parts[].weight` | a number from 1 to 20 | `5` |"));
	ck_assert_ptr_nonnull(strstr(out.data, "| `things.NAME.inner.id` |"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("yaml_fields");
	TCase *tc = tcase_create("fields");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_keys_that_are_not_there_have_their_defaults);
	tcase_add_test(tc, test_every_type_is_read);
	tcase_add_loop_test(
	    tc, test_what_is_wrong_is_said_with_place_and_what_is_allowed, 0, (int)CYG_N(wrong));
	tcase_add_test(tc, test_reference_page_names_nested_keys_types_and_defaults);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
