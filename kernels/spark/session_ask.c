/* Asks the hub for a session's settings, and takes the response. */
#include "base/mem.h"
#include "kernels/spark/hub_ask.h"
#include "kernels/spark/python_path.h"
#include "kernels/spark/session_priv.h"

#include <string.h>

enum { QUESTION_MAX = 512 * 1024 };

static const char executor_path[] = "spark.executorEnv.PYTHONPATH";

/* ---- the question ---- */

static void write_raw(struct jsonw *w, const char *key, const char *json)
{
	if (json == NULL)
		return;
	jsonw_key(w, key);
	jsonw_raw(w, cyg_str_of(json));
}

void session_write_variables(struct jsonw *w, const struct spark_stack *stack)
{
	static const char *const names[] = { "HOME", "SPARK_HOME", "JAVA_HOME", "HADOOP_CONF_DIR",
		"PYSPARK_PYTHON", "PYTHONPATH", "LD_LIBRARY_PATH", "LCG_VIEW" };

	jsonw_key(w, "variables");
	jsonw_object(w);
	for (size_t i = 0; i < CYG_N(names); i++) {
		const char *value = spark_stack_setup(stack, names[i], NULL);

		if (value != NULL)
			jsonw_key_cstr(w, names[i], value);
	}
	jsonw_object_end(w);
}

/* Executors import what the kernel does, unless the user says something else. */
static void write_pairs(struct jsonw *w, const struct tape *t, const char *path)
{
	jsonw_key(w, "options");
	jsonw_object(w);
	for (tape_node n = tape_first(t, tape_root(t)); n != TAPE_NONE; n = tape_next(t, n)) {
		jsonw_key_quoted(w, tape_key_text(t, n));
		jsonw_raw(w, tape_text(t, n));
	}
	if (path[0] != '\0' && tape_find(t, tape_root(t), executor_path) == TAPE_NONE)
		jsonw_key_cstr(w, executor_path, path);
	jsonw_object_end(w);
}

static int write_options(struct session *s, struct jsonw *w, struct cyg_err *err)
{
	cyg_autofree char *path = s->pythonpath != NULL
				      ? python_path_join(cyg_str_of(s->pythonpath), err)
				      : cyg_xstrdup("");
	struct tape *t = NULL;
	int rc;

	if (path == NULL)
		return -(int)err->code;
	rc = tape_parse(s->options != NULL ? cyg_str_of(s->options) : CYG_STR("{}"), &t, NULL, err);
	if (rc == 0 && tape_type_of(t, tape_root(t)) != TAPE_OBJECT)
		rc = cyg_fail(err, CYG_EINVAL, "options must be a map of names and values");
	if (rc == 0)
		write_pairs(w, t, path);
	tape_free(t);
	return rc;
}

static int write_question(struct session *s, struct cyg_buf *out, struct cyg_err *err)
{
	const struct spark_stack *stack = sessions_opts_of(s->owner)->stack;
	struct jsonw w;
	int rc;

	jsonw_init(&w, out);
	jsonw_object(&w);
	jsonw_key_cstr(&w, "spark_version", stack->version);
	jsonw_key_cstr(&w, "session", s->id);
	jsonw_key_cstr(&w, "cluster", s->cluster_id);
	write_raw(&w, "flavour", s->flavour);
	write_raw(&w, "bundles", s->bundles);
	write_raw(&w, "notebook", s->notebook);
	write_raw(&w, "user", s->user);
	rc = write_options(s, &w, err);
	session_write_variables(&w, stack);
	jsonw_object_end(&w);
	return rc < 0 ? rc : jsonw_finish(&w, err);
}

/* ---- the response ---- */

/* Whether the property of that name has its value from what was wanted for this session. */
static bool is_taken(const struct tape *rendered, const char *name)
{
	for (tape_node n = tape_first(rendered, tape_root(rendered)); n != TAPE_NONE;
	     n = tape_next(rendered, n)) {
		if (tape_string_eq(rendered, tape_find(rendered, n, "name"), name))
			return tape_string_eq(rendered, tape_find(rendered, n, "layer"), "connect");
	}
	return true;
}

static void write_fixed(const struct tape *rendered, const struct tape *wanted, struct jsonw *w)
{
	jsonw_array(w);
	for (tape_node n = tape_first(wanted, tape_root(wanted)); n != TAPE_NONE;
	     n = tape_next(wanted, n)) {
		struct cyg_str key = tape_key_text(wanted, n);
		cyg_autobuf struct cyg_buf name;

		cyg_buf_init(&name, 1024);
		if (tape_unquote(key, &name, NULL) == 0 && !is_taken(rendered, name.data))
			jsonw_raw(w, key);
	}
	jsonw_array_end(w);
}

/* Options that the site or the server fixes: wanted in vain, and said so. */
static void note_fixed(struct session *s)
{
	struct tape *rendered = NULL;
	struct tape *wanted = NULL;
	cyg_autobuf struct cyg_buf out;
	struct jsonw w;

	cyg_buf_init(&out, QUESTION_MAX);
	jsonw_init(&w, &out);
	if (s->options != NULL &&
	    tape_parse(cyg_str_of(s->answer->properties), &rendered, NULL, NULL) == 0 &&
	    tape_parse(cyg_str_of(s->options), &wanted, NULL, NULL) == 0) {
		write_fixed(rendered, wanted, &w);
		if (jsonw_finish(&w, NULL) == 0)
			s->ignored = cyg_buf_take(&out, NULL);
	}
	tape_free(rendered);
	tape_free(wanted);
}

static int take(struct session *s, struct cyg_str body, struct cyg_err *err)
{
	const struct sessions_opts *opts = sessions_opts_of(s->owner);
	int rc = answer_read(body, &s->answer, err);

	if (rc < 0)
		return rc;
	s->label = cyg_xstrdup(s->answer->label);
	s->flavour_name = cyg_xstrdup(s->answer->flavour);
	note_fixed(s);
	opts->on_rendered(opts->arg, s->answer);
	s->cluster = sessions_cluster(s->owner, s->cluster_id);
	return s->cluster != NULL
		   ? 0
		   : cyg_fail(err, CYG_ELIMIT,
			 "This server uses too many clusters already; start it anew.");
}

static void on_rendered(void *arg, const struct http_result *result)
{
	struct session *s = arg;
	struct cyg_err err;

	s->call = NULL;
	if (result->status != 200) {
		cyg_autofree char *why = hub_ask_refusal(result);

		session_fail(s, why);
		return;
	}
	if (take(s, result->body, &err) < 0) {
		session_fail(s, err.msg);
		return;
	}
	session_move(s, SESSION_CLUSTER, "the settings are there");
	cluster_start(s->cluster, result->body); /* does nothing when it is there */
	if (s->state == SESSION_CLUSTER)
		session_on_cluster(s);
}

int session_ask(struct session *s, struct cyg_err *err)
{
	const struct sessions_opts *opts = sessions_opts_of(s->owner);
	cyg_autobuf struct cyg_buf body;
	int rc;

	cyg_buf_init(&body, QUESTION_MAX);
	rc = write_question(s, &body, err);
	if (rc < 0)
		return rc;
	s->call = hub_ask(
	    opts->hub, "/api/cygnet/spark/connect", cyg_buf_str(&body), on_rendered, s, err);
	return s->call != NULL ? 0 : -(int)err->code;
}
