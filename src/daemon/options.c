/* Reading options: defaults, then the file, then the command line, all through one setter. */
#include "daemon/options.h"

#include "base/mem.h"
#include "base/num.h"
#include "cygnet/version.h"
#include "daemon/options_internal.h"
#include "daemon/yaml.h"

#include <stdio.h>
#include <string.h>

static int parse_ms(struct cyg_str s, uint64_t *ret, struct cyg_err *err)
{
	static const struct {
		const char *suffix;
		uint64_t factor;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };

	for (size_t i = 0; i < CYG_N(units); i++) {
		uint64_t n = 0;

		if (!cyg_str_ends(s, units[i].suffix))
			continue;
		if (cyg_num_parse_u64(cyg_str_sub(s, 0, s.len - strlen(units[i].suffix)), 0,
			UINT64_MAX / units[i].factor, &n, err) < 0)
			return -(int)CYG_EINVAL;
		*ret = n * units[i].factor;
		return 0;
	}
	return cyg_fail(err, CYG_EINVAL, "a time needs a unit: 500ms, 10s, 5m or 1h");
}

static int set_number(
    const struct cyg_option *o, struct cyg_str text, uint64_t *ret, struct cyg_err *err)
{
	uint64_t v = 0;
	int rc;

	if (o->type == OPT_SIZE)
		rc = cyg_num_parse_size(text, UINT64_MAX, &v, err);
	else if (o->type == OPT_MS)
		rc = parse_ms(text, &v, err);
	else
		rc = cyg_num_parse_u64(text, 0, UINT64_MAX, &v, err);
	if (rc < 0)
		return rc;
	if (v < o->min || (o->max > 0 && v > o->max))
		return cyg_fail(err, CYG_EINVAL, "%.*s is out of range", CYG_STR_ARGS(text));
	*ret = v;
	return 0;
}

static int set_enum(const struct cyg_option *o, struct cyg_str text, int *ret, struct cyg_err *err)
{
	for (int i = 0; o->choices[i] != NULL; i++) {
		if (!cyg_str_eq(text, o->choices[i]))
			continue;
		*ret = i;
		return 0;
	}
	return cyg_fail(
	    err, CYG_EINVAL, "'%.*s' is not known", (int)(text.len < 60 ? text.len : 60), text.p);
}

static int set_typed(
    const struct cyg_option *o, void *member, struct cyg_str text, struct cyg_err *err)
{
	switch (o->type) {
	case OPT_STRING:
		free(*(char **)member);
		*(char **)member = cyg_str_dup(text);
		return 0;
	case OPT_BOOL:
		if (!cyg_str_eq(text, "true") && !cyg_str_eq(text, "false"))
			return cyg_fail(err, CYG_EINVAL, "not true or false");
		*(bool *)member = cyg_str_eq(text, "true");
		return 0;
	case OPT_ENUM:
		return set_enum(o, text, member, err);
	case OPT_UINT:
	case OPT_SIZE:
	case OPT_MS:
		return set_number(o, text, member, err);
	}
	return cyg_fail(err, CYG_EINVAL, "unknown type");
}

/* where: "--name" or "FILE:LINE: name", for messages. */
static int set_option(const struct cyg_option *o, void *config, struct cyg_str text,
    const char *where, struct cyg_err *err)
{
	char what[256];
	int rc = set_typed(o, (char *)config + o->offset, text, err);

	if (rc == 0)
		return 0;
	options_describe(o, what, sizeof(what));
	if (err != NULL) {
		struct cyg_err inner = *err;

		return cyg_fail(
		    err, CYG_EINVAL, "%s: %.120s; allowed is %.100s", where, inner.msg, what);
	}
	return rc;
}

static const struct cyg_option *find_option(const struct cyg_program *prog, struct cyg_str name)
{
	for (const struct cyg_option *o = prog->options; o->name != NULL; o++) {
		if (cyg_str_eq(name, o->name))
			return o;
	}
	return NULL;
}

static int read_file(
    const struct cyg_program *prog, const char *path, void *config, struct cyg_err *err)
{
	struct yaml_doc *doc = NULL;
	int rc = yaml_load(path, &doc, err);

	if (rc < 0)
		return rc;
	if (yaml_root(doc)->kind != YAML_MAP)
		rc = yaml_fail(doc, yaml_root(doc), err, "expected 'option: value' lines");
	for (const struct yaml_node *n = yaml_root(doc)->first; rc == 0 && n != NULL; n = n->next) {
		const struct cyg_option *o = find_option(prog, n->key);
		char where[160];

		(void)snprintf(where, sizeof(where), "%.90s:%u:%u: %.40s", path, n->key_line,
		    n->key_column, n->key.p != NULL ? n->key.p : "");
		if (o == NULL)
			rc = yaml_fail_key(doc, n, err,
			    "no option '%.40s'; %s --help-options lists them", n->key.p,
			    prog->name);
		else if (n->kind != YAML_SCALAR)
			rc = yaml_fail(doc, n, err, "'%s' must be a single value", o->name);
		else
			rc = set_option(o, config, n->text, where, err);
	}
	yaml_doc_free(doc);
	return rc;
}

/* Splits "--name=value" or "--name value"; *i moves to the last word used. */
static int split_word(
    int argc, char **argv, int *i, struct cyg_str *name, struct cyg_str *value, struct cyg_err *err)
{
	struct cyg_str word = cyg_str_of(argv[*i] + 2);
	size_t eq = cyg_str_chr(word, '=');

	*name = cyg_str_sub(word, 0, eq);
	if (eq < word.len) {
		*value = cyg_str_skip(word, eq + 1);
		return 0;
	}
	if (*i + 1 >= argc)
		return cyg_fail(err, CYG_EINVAL, "--%.*s needs a value", CYG_STR_ARGS(*name));
	*value = cyg_str_of(argv[++*i]);
	return 0;
}

static void print_help_of(const struct cyg_program *prog, const char *word)
{
	if (strcmp(word, "--help") == 0)
		options_print_help(prog);
	else if (strcmp(word, "--help-options") == 0)
		options_print_table(prog);
	else if (strcmp(word, "--help-metrics") == 0)
		options_print_metrics(prog);
	else if (strcmp(word, "--help-files") == 0)
		options_print_files(prog);
	else if (strcmp(word, "--version") == 0)
		(void)printf("%s %s\n", prog->name, CYGNET_VERSION);
	else
		return;
	exit(0);
}

struct words {
	int argc;
	char **argv;
};

/* One pass over the command line: only --config (config_only), or everything but it. Returns the
 * index of the first word after the options, or a code. */
static int read_words(const struct cyg_program *prog, const struct words *w, void *config,
    bool config_only, struct cyg_err *err)
{
	char **argv = w->argv;
	const int argc = w->argc;
	int i = 1;

	for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		const struct cyg_option *o;
		struct cyg_str name;
		struct cyg_str value;
		char where[80];
		int rc;

		if (argv[i][2] == '\0') {
			i++;
			break;
		}
		print_help_of(prog, argv[i]);
		rc = split_word(argc, argv, &i, &name, &value, err);
		if (rc < 0)
			return rc;
		o = find_option(prog, name);
		(void)snprintf(
		    where, sizeof(where), "--%.*s", name.len < 70 ? (int)name.len : 70, name.p);
		if (cyg_str_eq(name, "config"))
			rc = config_only ? read_file(prog, value.p, config, err) : 0;
		else if (o == NULL)
			rc = cyg_fail(err, CYG_EINVAL, "no option %s; %s --help lists them", where,
			    prog->name);
		else if (!config_only)
			rc = set_option(o, config, value, where, err);
		if (rc < 0)
			return rc;
	}
	return i;
}

static int check_required(const struct cyg_program *prog, const void *config, struct cyg_err *err)
{
	for (const struct cyg_option *o = prog->options; o->name != NULL; o++) {
		const char *const *member =
		    (const char *const *)(const void *)((const char *)config + o->offset);

		if (o->required && o->type == OPT_STRING && *member == NULL)
			return cyg_fail(err, CYG_EINVAL, "--%s is required: %s", o->name, o->doc);
	}
	return 0;
}

int cyg_options_read(const struct cyg_program *prog, int argc, char **argv, void *config,
    int *first_arg, struct cyg_err *err)
{
	const struct words words = { argc, argv };
	int rc;

	for (const struct cyg_option *o = prog->options; o->name != NULL; o++) {
		if (o->value == NULL)
			continue;
		rc = set_option(o, config, cyg_str_of(o->value), o->name, err);
		if (rc < 0)
			return cyg_wrap(err, "built-in default");
	}
	rc = read_words(prog, &words, config, true, err);
	if (rc >= 0)
		rc = read_words(prog, &words, config, false, err);
	if (rc < 0)
		return rc;
	*first_arg = rc;
	rc = check_required(prog, config, err);
	if (rc == 0 && prog->arguments == NULL && *first_arg < argc)
		rc = cyg_fail(
		    err, CYG_EINVAL, "unexpected '%.60s'; options start with --", argv[*first_arg]);
	return rc;
}

void cyg_options_free(const struct cyg_program *prog, void *config)
{
	for (const struct cyg_option *o = prog->options; o->name != NULL; o++) {
		char **member = (char **)(void *)((char *)config + o->offset);

		if (o->type == OPT_STRING)
			free(CYG_TAKE(*member));
	}
}
