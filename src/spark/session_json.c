/* A session as JSON: what the agent is told, and which value came from where. */
#include "base/buf.h"
#include "cygnet/spark_fill.h"
#include "spark/session.h"

enum { FILE_MAX = 256 * 1024 };

static json_t *lost_json(const struct spark_property *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n_lost; i++)
		(void)json_array_append_new(
		    list, json_pack("{s:s, s:s?, s:s}", "layer", spark_layer_name(p->lost[i].layer),
			      "value", p->secret ? NULL : p->lost[i].value, "why", p->lost[i].why));
	return list;
}

json_t *spark_properties_json(const struct spark_rendered *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n; i++) {
		const struct spark_property *p = &r->properties[i];

		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s?, s:b, s:s, s:b, s:o}", "name", p->name, "value",
			p->secret ? NULL : p->value, "secret", p->secret, "layer",
			spark_layer_name(p->layer), "locked", p->locked, "lost", lost_json(p)));
	}
	return list;
}

static int add_file(
    json_t *files, const char *name, const struct spark_rendered *r, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf text;
	int rc;

	cyg_buf_init(&text, FILE_MAX);
	rc = spark_write_defaults(r, &text, err);
	if (rc == 0)
		(void)json_object_set_new(files, name, json_stringn(text.data, text.len));
	return rc;
}

static json_t *words_json(const char *const *words, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_string(words[i]));
	return list;
}

static json_t *daemon_json(const struct spark_daemon *d)
{
	json_t *environment = json_object();

	for (size_t i = 0; i < d->n_environment; i++)
		(void)json_object_set_new(
		    environment, d->environment[i][0], json_string(d->environment[i][1]));
	return json_pack("{s:s, s:s, s:i, s:o, s:o, s:s?, s:o, s:o, s:b}", "name", d->name,
	    "main_class", d->main_class, "heap_mb", (int)d->heap_mb, "jvm_options",
	    words_json(d->jvm_options, d->n_jvm_options), "class_path_extra",
	    words_json(d->class_path_extra, d->n_class_path_extra), "library_path_extra",
	    d->library_path_extra, "arguments", words_json(d->arguments, d->n_arguments),
	    "environment", environment, "restart", d->restart);
}

static json_t *daemons_json(const struct spark_session *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n_jvms; i++)
		(void)json_array_append_new(list, daemon_json(&s->jvms[i]));
	return list;
}

json_t *spark_session_json(const struct spark_session *s, struct cyg_err *err)
{
	json_t *files = json_object();

	/* Names below {secrets}. */
	if (add_file(files, "sessions/" CYG_SPARK_SESSION "/spark-defaults.conf", s->driver, err) <
		0 ||
	    add_file(files, "driver/spark-defaults.conf", s->scripts, err) < 0 ||
	    add_file(files, "daemon/spark-defaults.conf", s->daemons, err) < 0) {
		json_decref(files);
		return NULL;
	}
	return json_pack("{s:{s:s, s:s, s:s}, s:s, s:o, s:o, s:{s:s}, s:o}", "cluster", "id", s->id,
	    "label", s->label, "kind", spark_kind_name(s->plan.ask.kind), "flavour",
	    spark_flavour_name(s->plan.ask.flavour), "properties", spark_properties_json(s->driver),
	    "files", files, "environment", "SPARK_LOCAL_IP", "127.0.0.1", "daemons",
	    daemons_json(s));
}
