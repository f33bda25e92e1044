/* Reads the hub's response. */
#include "kernels/spark/answer.h"

#include "base/mem.h"
#include "kernels/base/tape.h"

#include <string.h>

enum { TEXT_MAX = 1024 * 1024 };

struct reader {
	const struct tape *tape;
	struct cyg_arena *arena;
	struct cyg_err *err;
};

/* ---- values ---- */

/* Copies a text without NUL; NULL with *err. */
static char *read_text(struct reader *r, tape_node n, const char *name, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf text;
	char *copy;

	cyg_buf_init(&text, TEXT_MAX);
	if (n == TAPE_NONE) {
		(void)cyg_fail(err, CYG_EPROTO, "%s is missing", name);
		return NULL;
	}
	if (tape_string(r->tape, n, &text, NULL) < 0 || memchr(text.data, '\0', text.len) != NULL) {
		cyg_cleanse(text.data, text.len);
		(void)cyg_fail(err, CYG_EPROTO, "%s is no text", name);
		return NULL;
	}
	copy = cyg_arena_dup(r->arena, cyg_buf_str(&text));
	cyg_cleanse(text.data, text.len);
	return copy;
}

static int take_text(
    struct reader *r, tape_node obj, const char *name, const char **ret, struct cyg_err *err)
{
	*ret = read_text(r, tape_find(r->tape, obj, name), name, err);
	return *ret != NULL ? 0 : -(int)err->code;
}

/* The children of a list or map; a missing one, where it may be missing, has none. */
static int find_list(struct reader *r, tape_node obj, const char *name, enum tape_type type,
    size_t max, tape_node *ret)
{
	*ret = tape_find(r->tape, obj, name);
	if (*ret == TAPE_NONE || tape_type_of(r->tape, *ret) != type)
		return cyg_fail(r->err, CYG_EPROTO, "%s must be a %s", name,
		    type == TAPE_ARRAY ? "list" : "map");
	if (tape_count(r->tape, *ret) > max)
		return cyg_fail(r->err, CYG_ELIMIT, "%s holds more than %zu entries", name, max);
	return 0;
}

static int take_words(struct reader *r, tape_node obj, const char *name, const char ***ret,
    size_t *n, struct cyg_err *err)
{
	tape_node list;
	int rc = find_list(r, obj, name, TAPE_ARRAY, ANSWER_WORDS_MAX, &list);

	if (rc < 0)
		return rc;
	*ret = cyg_arena_alloc(r->arena, (tape_count(r->tape, list) + 1) * sizeof(**ret));
	for (tape_node one = tape_first(r->tape, list); one != TAPE_NONE;
	     one = tape_next(r->tape, one)) {
		(*ret)[*n] = read_text(r, one, name, err);
		if ((*ret)[(*n)++] == NULL)
			return -(int)err->code;
	}
	return 0;
}

static char *read_key(struct reader *r, tape_node value, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf name;

	cyg_buf_init(&name, 4096);
	if (tape_unquote(tape_key_text(r->tape, value), &name, NULL) == 0 && name.len > 0 &&
	    memchr(name.data, '\0', name.len) == NULL)
		return cyg_arena_dup(r->arena, cyg_buf_str(&name));
	(void)cyg_fail(err, CYG_EPROTO, "a name is empty or too long");
	return NULL;
}

static int take_pairs(struct reader *r, tape_node obj, const char *name, size_t max,
    struct answer_pair *ret, size_t *n)
{
	tape_node map;
	int rc = find_list(r, obj, name, TAPE_OBJECT, max, &map);

	for (tape_node one = rc == 0 ? tape_first(r->tape, map) : TAPE_NONE; one != TAPE_NONE;
	     one = tape_next(r->tape, one)) {
		struct answer_pair *p = &ret[(*n)++];

		p->name = read_key(r, one, r->err);
		p->value = p->name != NULL ? read_text(r, one, p->name, r->err) : NULL;
		if (p->value == NULL)
			return -(int)r->err->code;
	}
	return rc;
}

/* A map as "NAME=value" texts. */
static int take_environment(
    struct reader *r, tape_node obj, const char **ret, size_t *n, struct cyg_err *err)
{
	struct answer_pair pairs[ANSWER_ENV_MAX];
	size_t n_pairs = 0;
	int rc = take_pairs(r, obj, "environment", ANSWER_ENV_MAX, pairs, &n_pairs);

	for (size_t i = 0; rc == 0 && i < n_pairs; i++) {
		if (strchr(pairs[i].name, '=') != NULL)
			return cyg_fail(err, CYG_EPROTO, "environment: a name holds '='");
		ret[(*n)++] = cyg_arena_printf(r->arena, "%s=%s", pairs[i].name, pairs[i].value);
	}
	return rc;
}

/* ---- JVMs ---- */

static int take_heap(struct reader *r, tape_node obj, unsigned *ret, struct cyg_err *err)
{
	tape_node n = tape_find(r->tape, obj, "heap_mb");
	int64_t mb = 0;

	if (n == TAPE_NONE || tape_int(r->tape, n, &mb, NULL) < 0 || mb < 1 ||
	    mb > ANSWER_HEAP_MAX_MB)
		return cyg_fail(
		    err, CYG_EPROTO, "heap_mb must be a number from 1 to %d", ANSWER_HEAP_MAX_MB);
	*ret = (unsigned)mb;
	return 0;
}

static int take_library_path(
    struct reader *r, tape_node obj, struct answer_jvm *jvm, struct cyg_err *err)
{
	static const char name[] = "library_path_extra";
	tape_node n = tape_find(r->tape, obj, name);

	if (n == TAPE_NONE || tape_type_of(r->tape, n) == TAPE_NULL)
		return 0;
	jvm->library_path_extra = read_text(r, n, name, err);
	return jvm->library_path_extra != NULL ? 0 : -(int)err->code;
}

static int take_jvm(struct reader *r, tape_node obj, struct answer_jvm *jvm, struct cyg_err *err)
{
	int rc = take_text(r, obj, "name", &jvm->name, err);

	if (rc == 0)
		rc = take_text(r, obj, "main_class", &jvm->main_class, err);
	if (rc == 0)
		rc = take_heap(r, obj, &jvm->heap_mb, err);
	if (rc == 0)
		rc = take_words(r, obj, "jvm_options", &jvm->jvm_options, &jvm->n_jvm_options, err);
	if (rc == 0)
		rc = take_words(r, obj, "class_path_extra", &jvm->class_path_extra,
		    &jvm->n_class_path_extra, err);
	if (rc == 0)
		rc = take_library_path(r, obj, jvm, err);
	if (rc == 0)
		rc = take_words(r, obj, "arguments", &jvm->arguments, &jvm->n_arguments, err);
	if (rc < 0)
		return rc;
	jvm->environment = cyg_arena_alloc(r->arena, ANSWER_ENV_MAX * sizeof(*jvm->environment));
	jvm->restart = tape_get_bool(r->tape, obj, "restart", false);
	return take_environment(r, obj, jvm->environment, &jvm->n_environment, err);
}

static int take_jvms(struct reader *r, tape_node root, struct answer *a, struct cyg_err *err)
{
	tape_node list;
	int rc = find_list(r, root, "daemons", TAPE_ARRAY, ANSWER_JVMS_MAX, &list);

	for (tape_node n = rc == 0 ? tape_first(r->tape, list) : TAPE_NONE;
	     rc == 0 && n != TAPE_NONE; n = tape_next(r->tape, n)) {
		rc = take_jvm(r, n, &a->jvms[a->n_jvms++], err);
		if (rc < 0)
			return cyg_wrap(err, "daemons[%zu]", a->n_jvms - 1);
	}
	if (rc == 0 && (a->n_jvms == 0 || strcmp(a->jvms[a->n_jvms - 1].name, "driver") != 0))
		rc = cyg_fail(err, CYG_EPROTO, "the last of daemons must be the driver");
	return rc;
}

/* ---- files ---- */

/* Paths below a folder of ours: relative, and with nothing in them that leaves it. */
static int check_file(const char *name, struct cyg_err *err)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-{}/";

	if (name[0] != '/' && name[strspn(name, letters)] == '\0' && strstr(name, "..") == NULL)
		return 0;
	return cyg_fail(err, CYG_EPROTO, "files: '%.80s' is no name for a file here", name);
}

static int take_files(struct reader *r, tape_node root, struct answer *a, struct cyg_err *err)
{
	int rc = take_pairs(r, root, "files", ANSWER_FILES_MAX, a->files, &a->n_files);

	for (size_t i = 0; rc == 0 && i < a->n_files; i++)
		rc = check_file(a->files[i].name, err);
	return rc;
}

/* ---- all ---- */

static int take_head(struct reader *r, tape_node root, struct answer *a, struct cyg_err *err)
{
	const tape_node cluster = tape_find(r->tape, root, "cluster");
	tape_node properties = TAPE_NONE;
	int rc = take_text(r, cluster, "id", &a->cluster, err);

	if (rc == 0)
		rc = take_text(r, cluster, "label", &a->label, err);
	if (rc == 0)
		rc = take_text(r, cluster, "kind", &a->kind, err);
	if (rc < 0)
		return cyg_wrap(err, "cluster");
	rc = take_text(r, root, "flavour", &a->flavour, err);
	if (rc == 0)
		rc = find_list(r, root, "properties", TAPE_ARRAY, SIZE_MAX, &properties);
	if (rc == 0)
		a->properties = cyg_arena_dup(r->arena, tape_text(r->tape, properties));
	return rc;
}

static int take_all(struct reader *r, struct answer *a, struct cyg_err *err)
{
	const tape_node root = tape_root(r->tape);
	int rc = take_head(r, root, a, err);

	if (rc == 0)
		rc = take_pairs(r, root, "secrets", ANSWER_SECRETS_MAX, a->secrets, &a->n_secrets);
	if (rc == 0)
		rc = take_files(r, root, a, err);
	if (rc == 0)
		rc = take_environment(r, root, a->environment, &a->n_environment, err);
	return rc < 0 ? rc : take_jvms(r, root, a, err);
}

int answer_read(struct cyg_str body, struct answer **ret, struct cyg_err *err)
{
	struct answer *a = cyg_xcalloc(1, sizeof(*a));
	struct reader r = { .arena = &a->arena_ };
	struct tape *t = NULL;
	struct cyg_err own;
	int rc;

	err = err != NULL ? err : &own;
	rc = tape_parse(body, &t, NULL, err);
	cyg_arena_init(&a->arena_);
	r.tape = t;
	r.err = err;
	if (rc == 0)
		rc = take_all(&r, a, err);
	tape_free(t);
	if (rc < 0) {
		answer_free(a);
		return cyg_wrap(err, "the hub's response");
	}
	*ret = a;
	return 0;
}

const char *answer_secret(const struct answer *a, const char *name)
{
	for (size_t i = 0; i < a->n_secrets; i++) {
		if (strcmp(a->secrets[i].name, name) == 0)
			return a->secrets[i].value;
	}
	return NULL;
}

static void cleanse_pairs(struct answer_pair *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].value != NULL)
			cyg_cleanse(list[i].value, strlen(list[i].value));
	}
}

void answer_free(struct answer *a)
{
	if (a == NULL)
		return;
	cleanse_pairs(a->secrets, a->n_secrets);
	cleanse_pairs(a->files, a->n_files);
	cyg_arena_free(&a->arena_);
	free(a);
}
